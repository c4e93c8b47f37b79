/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files that are an end of a pipe
 *
 * private_data of such a file is its pipe.  The device puts these calls into its
 * own table; the inodes of anonymous and of named pipes use ipc_end_fops, and
 * have their pipe in i_private.
 */
#ifndef IPCDEMO_END_H
#define IPCDEMO_END_H

#include <linux/fs.h>
#include <linux/poll.h>

struct pipe_inode_info;
struct seq_file;

extern const struct file_operations ipc_end_fops;

ssize_t ipc_end_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t ipc_end_write_iter(struct kiocb *iocb, struct iov_iter *from);
__poll_t ipc_end_poll(struct file *file, struct poll_table_struct *wait);
ssize_t ipc_end_splice_read(struct file *file, loff_t *offset,
			    struct pipe_inode_info *real, size_t len,
			    unsigned int flags);
ssize_t ipc_end_splice_write(struct pipe_inode_info *real, struct file *file,
			     loff_t *offset, size_t len, unsigned int flags);
int ipc_end_fasync(int fd, struct file *file, int on);
void ipc_end_show_fdinfo(struct seq_file *m, struct file *file);

/* The pipe that a file is an end of, not referenced, or NULL. */
struct ipc_pipe *ipc_pipe_of_file(struct file *file);

#endif /* IPCDEMO_END_H */

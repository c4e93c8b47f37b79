/* SPDX-License-Identifier: GPL-2.0 */
/*
 * splice(2), tee(2) and vmsplice(2) with a pipe of ours on a side
 *
 * The kernel itself calls the first two functions, for splice(2) with a pipe of
 * its own on the other side, and for sendfile(2); everything else comes by ioctl.
 */
#ifndef IPCDEMO_SPLICE_H
#define IPCDEMO_SPLICE_H

#include <linux/fs.h>
#include <linux/types.h>

struct iov_iter;
struct ipc_pipe;
struct pipe_inode_info;

/*
 * Between an end of ours and a pipe of the kernel's, @real.  For splicing from
 * our pipe the caller holds @real's mutex: it is given back while this waits.
 */
ssize_t ipc_splice_read(struct ipc_pipe *pipe, struct file *file,
			struct pipe_inode_info *real, size_t len,
			unsigned int flags);
ssize_t ipc_splice_write(struct ipc_pipe *pipe, struct file *file,
			 struct pipe_inode_info *real, size_t len,
			 unsigned int flags);

/* Whether a file is an end of a pipe that can be spliced, ours or the kernel's. */
bool ipc_is_pipe(struct file *file);

/**
 * ipc_splice() - splice(2)
 * @in:		file to take bytes from
 * @off_in:	its offset, or NULL; updated
 * @out:	file to give them to; this, @in or both are ends of ours
 * @off_out:	its offset, or NULL; updated
 * @len:	bytes at most, not 0
 * @flags:	SPLICE_F_*
 *
 * Return: bytes, or what splice(2) says; ERESTARTSYS for a signal.
 */
ssize_t ipc_splice(struct file *in, loff_t *off_in, struct file *out,
		   loff_t *off_out, size_t len, unsigned int flags);

/* tee(2); the arguments are those of ipc_splice(). */
ssize_t ipc_tee(struct file *in, struct file *out, size_t len,
		unsigned int flags);

/* vmsplice(2) into and out of a pipe; @iter is not empty. */
ssize_t ipc_vmsplice_write(struct ipc_pipe *pipe, struct iov_iter *from,
			   unsigned int flags);
ssize_t ipc_vmsplice_read(struct ipc_pipe *pipe, struct iov_iter *to,
			  unsigned int flags);

#endif /* IPCDEMO_SPLICE_H */

// SPDX-License-Identifier: GPL-2.0
/* Files that are an end of a pipe (see end.h). */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/seq_file.h>

#include "end.h"
#include "ioctl.h"
#include "pipe.h"
#include "pipefs.h"
#include "splice.h"

ssize_t ipc_end_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	return ipc_pipe_read(iocb->ki_filp->private_data, iocb, to);
}

ssize_t ipc_end_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	return ipc_pipe_write(iocb->ki_filp->private_data, iocb, from);
}

ssize_t ipc_end_splice_read(struct file *file, loff_t *offset,
			    struct pipe_inode_info *real, size_t len,
			    unsigned int flags)
{
	return ipc_splice_read(file->private_data, file, real, len, flags);
}

ssize_t ipc_end_splice_write(struct pipe_inode_info *real, struct file *file,
			     loff_t *offset, size_t len, unsigned int flags)
{
	return ipc_splice_write(file->private_data, file, real, len, flags);
}

__poll_t ipc_end_poll(struct file *file, struct poll_table_struct *wait)
{
	return ipc_pipe_poll(file->private_data, file, wait);
}

int ipc_end_fasync(int fd, struct file *file, int on)
{
	return ipc_pipe_fasync(file->private_data, fd, file, on);
}

void ipc_end_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct ipc_pipe *pipe = file->private_data;
	const char *end = "both";

	if (!(file->f_mode & FMODE_WRITE))
		end = "read";
	else if (!(file->f_mode & FMODE_READ))
		end = "write";
	seq_printf(m, "ipcdemo-object:\t%u\nipcdemo-end:\t%s\n",
		   pipe->object.id, end);
}

/* A FIFO, or an anonymous pipe by way of /proc/PID/fd. */
static int end_open(struct inode *inode, struct file *file)
{
	struct ipc_pipe *pipe = inode->i_private;
	int err;

	err = pipe->anonymous ? ipc_pipefs_pin() : 0;
	if (err)
		return err;
	file->private_data = pipe;
	err = ipc_pipe_open(pipe, file);
	if (err && pipe->anonymous)
		ipc_pipefs_unpin();
	return err;
}

static int end_release(struct inode *inode, struct file *file)
{
	struct ipc_pipe *pipe = file->private_data;

	ipc_pipe_close(pipe, file);
	if (pipe->anonymous)
		ipc_pipefs_unpin();
	return 0;
}

const struct file_operations ipc_end_fops = {
	.owner = THIS_MODULE,
	.open = end_open,
	.release = end_release,
	.read_iter = ipc_end_read_iter,
	.write_iter = ipc_end_write_iter,
	.splice_read = ipc_end_splice_read,
	.splice_write = ipc_end_splice_write,
	.poll = ipc_end_poll,
	.fasync = ipc_end_fasync,
	.unlocked_ioctl = ipc_end_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = ipc_end_show_fdinfo,
};

struct ipc_pipe *ipc_pipe_of_file(struct file *file)
{
	/* The device has a table of its own, with this in it. */
	return file->f_op->read_iter == ipc_end_read_iter ? file->private_data
							  : NULL;
}

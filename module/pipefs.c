// SPDX-License-Identifier: GPL-2.0
/* Anonymous pipes (see pipefs.h). */
#include <linux/cred.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "compat.h"
#include "end.h"
#include "pipe.h"
#include "pipefs.h"

/* What /proc/PID/fd says: the name of the pipe. */
static char *pipe_dname(struct dentry *dentry, char *buffer, int buflen)
{
	struct ipc_pipe *pipe = d_inode(dentry)->i_private;
	int len = strlen(pipe->object.name) + 1;

	if (len > buflen)
		return ERR_PTR(-ENAMETOOLONG);
	return memcpy(buffer + buflen - len, pipe->object.name, len);
}

static const struct dentry_operations pipe_dentry_ops = {
	.d_dname = pipe_dname,
};

static struct file_system_type pipe_fs;

/*
 * simple_pin_fs() and its own lock guard these two.  Each open file has a share;
 * its release gives that up, while its path holds the mount still.
 */
static struct vfsmount *pipe_mount;
static int pipe_mount_users;

int ipc_pipefs_pin(void)
{
	return simple_pin_fs(&pipe_fs, &pipe_mount, &pipe_mount_users);
}

void ipc_pipefs_unpin(void)
{
	simple_release_fs(&pipe_mount, &pipe_mount_users);
}

/*
 * The last reference is gone: that of a file, or, if somebody watches the pipe
 * with inotify, of a mark.  Must not give the mount up: the mount waits for the
 * marks.
 */
static void evict_inode(struct inode *inode)
{
	struct ipc_pipe *pipe = inode->i_private;

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	/* The root directory of the mount is no pipe. */
	if (!pipe)
		return;
	ipc_pipe_retire(pipe);
}

static const struct super_operations pipe_super_ops = {
	.statfs = simple_statfs,
	.evict_inode = evict_inode,
};

static int init_context(struct fs_context *fc)
{
	/* fstatfs(2) says of a pipe that it is one. */
	struct pseudo_fs_context *ctx = init_pseudo(fc, PIPEFS_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &pipe_super_ops;
	ctx->dops = &pipe_dentry_ops;
	return 0;
}

static struct file_system_type pipe_fs = {
	.owner = THIS_MODULE,
	.name = "ipcdemo-pipe",
	.init_fs_context = init_context,
	.kill_sb = kill_anon_super,
};

static int set_attributes(IPC_IDMAP *idmap, struct dentry *dentry,
			  struct iattr *attr)
{
	struct ipc_pipe *pipe = d_inode(dentry)->i_private;
	int err = simple_setattr(idmap, dentry, attr);

	if (!err)
		ipc_object_follow(&pipe->object, d_inode(dentry));
	return err;
}

static const struct inode_operations pipe_inode_ops = {
	.setattr = set_attributes,
	.getattr = simple_getattr,
};

/* Takes the pipe over, if it succeeds. */
static struct inode *make_inode(struct ipc_pipe *pipe, ino_t number)
{
	struct inode *inode = new_inode(pipe_mount->mnt_sb);

	if (!inode)
		return NULL;
	inode->i_ino = number;
	inode->i_mode = S_IFIFO | 0600;
	inode->i_uid = pipe->object.owner;
	inode->i_gid = pipe->object.group;
	inode->i_op = &pipe_inode_ops;
	inode->i_fop = &ipc_end_fops;
	inode->i_private = pipe;
	ipc_inode_init_times(inode);
	return inode;
}

/* A pipe that is shown, and has no end yet. */
static struct ipc_pipe *make_pipe(ino_t number, u64 capacity)
{
	struct ipc_pipe *pipe = ipc_pipe_create_anonymous(number);
	int err;

	if (IS_ERR(pipe))
		return pipe;
	pipe->object.dev = pipe_mount->mnt_sb->s_dev;
	pipe->object.ino = number;
	/* pipe2(2) says so whatever its user has too much of. */
	err = ipc_object_count(&pipe->object) ? -ENFILE : 0;
	if (err)
		goto err_pipe;
	if (capacity)
		err = ipc_pipe_resize(pipe, &capacity);
	if (err)
		goto err_pipe;
	err = ipc_object_add(&pipe->object);
	if (err)
		goto err_pipe;
	return pipe;

err_pipe:
	ipc_object_put(&pipe->object);
	return ERR_PTR(err);
}

static struct inode *make_inode_and_pipe(u64 capacity)
{
	ino_t number = get_next_ino();
	struct ipc_pipe *pipe;
	struct inode *inode;

	pipe = make_pipe(number, capacity);
	if (IS_ERR(pipe))
		return ERR_CAST(pipe);
	inode = make_inode(pipe, number);
	if (!inode) {
		ipc_pipe_retire(pipe);
		return ERR_PTR(-ENOMEM);
	}
	return inode;
}

/* A file for one end, with an inode reference of its own. */
static struct file *make_file(struct inode *inode, unsigned int flags)
{
	struct ipc_pipe *pipe = inode->i_private;
	struct file *file;
	int err;

	err = ipc_pipefs_pin();
	if (err)
		return ERR_PTR(err);
	ihold(inode);
	/* alloc_file_pseudo() takes none, the last fput() drops one. */
	__module_get(THIS_MODULE);
	file = alloc_file_pseudo(inode, pipe_mount, "", flags, &ipc_end_fops);
	if (IS_ERR(file)) {
		module_put(THIS_MODULE);
		iput(inode);
		ipc_pipefs_unpin();
		return file;
	}
	file->private_data = pipe;
	ipc_file_knows_nowait(file);
	ipc_pipe_join(pipe, file);
	return file;
}

int ipc_pipefs_create(struct file *files[2], unsigned int flags, u64 capacity)
{
	struct file *reader, *writer;
	struct inode *inode;
	int err;

	err = ipc_pipefs_pin();
	if (err)
		return err;
	inode = make_inode_and_pipe(capacity);
	if (IS_ERR(inode)) {
		err = PTR_ERR(inode);
		goto out_pin;
	}
	writer = make_file(inode, O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)));
	if (IS_ERR(writer)) {
		err = PTR_ERR(writer);
		goto out;
	}
	reader = make_file(inode, O_RDONLY | (flags & O_NONBLOCK));
	if (IS_ERR(reader)) {
		err = PTR_ERR(reader);
		fput(writer);
		goto out;
	}
	files[0] = reader;
	files[1] = writer;
out:
	/* The files have theirs; without one the pipe goes here. */
	iput(inode);
out_pin:
	ipc_pipefs_unpin();
	return err;
}

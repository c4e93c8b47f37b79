// SPDX-License-Identifier: GPL-2.0
/* Where regions without a name live (see regionfs.h). */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "compat.h"
#include "region_file.h"
#include "regionfs.h"

#define MAGIC 0x69706372 /* "ipcr" */

/* What /proc/PID/maps and /proc/PID/fd say. */
static char *region_dname(struct dentry *dentry, char *buffer, int buflen)
{
	char name[40];
	int len;

	len = scnprintf(name, sizeof(name), IPC_REGION_NAME,
			ipc_region_of_inode(d_inode(dentry))->object.id) +
	      1;
	if (len > buflen)
		return ERR_PTR(-ENAMETOOLONG);
	return memcpy(buffer + buflen - len, name, len);
}

static const struct dentry_operations region_dentry_ops = {
	.d_dname = region_dname,
};

static const struct super_operations region_super_ops = {
	.statfs = simple_statfs,
	.evict_inode = ipc_region_evict,
};

static int init_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->ops = &region_super_ops;
	ctx->dops = &region_dentry_ops;
	fc->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	return 0;
}

static struct file_system_type region_fs = {
	.owner = THIS_MODULE,
	.name = "ipcdemo-region",
	.init_fs_context = init_context,
	.kill_sb = kill_anon_super,
};

/* simple_pin_fs() and its own lock guard these two. */
static struct vfsmount *region_mount;
static int region_mount_users;

int ipc_regionfs_pin(void)
{
	return simple_pin_fs(&region_fs, &region_mount, &region_mount_users);
}

void ipc_regionfs_unpin(void)
{
	simple_release_fs(&region_mount, &region_mount_users);
}

struct inode *ipc_regionfs_inode(u32 number)
{
	struct inode *inode = new_inode(region_mount->mnt_sb);

	if (!inode)
		return NULL;
	/* As large as the page cache allows, like tmpfs. */
	inode->i_sb->s_maxbytes = MAX_LFS_FILESIZE;
	inode->i_ino = number ?: get_next_ino();
	ipc_inode_init_times(inode);
	return inode;
}

struct file *ipc_regionfs_file(struct inode *inode, int flags,
			       const struct file_operations *fops)
{
	struct file *file;

	/* The dentry's. */
	ihold(inode);
	/* alloc_file_pseudo() takes none, the last fput() drops one. */
	__module_get(THIS_MODULE);
	file = alloc_file_pseudo(inode, region_mount, "", flags | O_LARGEFILE,
				 fops);
	if (IS_ERR(file)) {
		module_put(THIS_MODULE);
		iput(inode);
		return file;
	}
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	return file;
}

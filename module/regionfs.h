/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The internal file system of regions that have no name in ipcdemofs
 *
 * Inodes of the default region (region_default.c), while it has any, and of
 * anonymous ones live on it.  It is mounted while one of these has an open file:
 * each such file has a share, which its release gives up while the file's path
 * holds the mount still.
 */
#ifndef IPCDEMO_REGIONFS_H
#define IPCDEMO_REGIONFS_H

#include <linux/fs.h>

/* What links and mappings of such a region say, with its id. */
#define IPC_REGION_NAME "ipcdemo-region:[%u]"

/* Mount it, or take one more share.  May sleep.  Return: 0 or -ENOMEM. */
int ipc_regionfs_pin(void);

/* Give a share up.  May sleep; not inside the eviction of an inode of it. */
void ipc_regionfs_unpin(void);

/* A new inode on it, which must be pinned; or NULL.  @number: 0: any. */
struct inode *ipc_regionfs_inode(u32 number);

/**
 * ipc_regionfs_file() - a file of such an inode
 * @inode:	a reference of it is taken
 * @flags:	as of open(2)
 * @fops:	of ours
 *
 * Takes one reference to the module, which the last fput() drops.  The caller
 * has a share in the mount for the file.
 * Return: the file, or ERR_PTR: -ENOMEM, -ENFILE.
 */
struct file *ipc_regionfs_file(struct inode *inode, int flags,
			       const struct file_operations *fops);

#endif /* IPCDEMO_REGIONFS_H */

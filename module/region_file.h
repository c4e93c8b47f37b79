/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Regions that are files: they live as long as their inode
 *
 * A regular file of ipcdemofs, or a file without a name, as memfd_create(2) makes
 * them.  It has the size that ftruncate(2) and writing give it, up to what seals allow and
 * what its user may have.
 *
 * Ownership.  The inode has the region's first reference; its eviction drops
 * that.  A view that has found the region may use it longer, so it finds the
 * inode in the object, under name_lock, which eviction takes to clear it.  Files
 * and mappings keep the inode.
 *
 * Size, seals and what is charged change under the inode's lock; views read them
 * without it.
 */
#ifndef IPCDEMO_REGION_FILE_H
#define IPCDEMO_REGION_FILE_H

#include "compat.h"
#include "region.h"

/**
 * ipc_region_make() - a region for a new inode
 * @inode:	of mode S_IFREG; its owner, mode and number are set
 * @name_now:	as in struct ipc_object
 *
 * Context: may sleep.
 * Return: 0; -ENOMEM; -EDQUOT: the user has too many objects.
 */
int ipc_region_make(struct inode *inode,
		    char *(*name_now)(struct ipc_object *object, char *buf,
				      int size));

/**
 * ipc_region_create() - make a region without a name, and a file of it
 * @size:	bytes that it has at once
 *
 * Context: may sleep.
 * Return: the file, open for reading and writing, or ERR_PTR: -ENOMEM, -ENFILE,
 * -EFBIG (@size), -EDQUOT (the user has too many objects, or pages).
 */
struct file *ipc_region_create(u64 size);

/*
 * Add seals (IPCDEMO_SEAL_*), for good; also to the default region, which has
 * them all.  -EPERM if IPCDEMO_SEAL_SEAL is there.  Takes the inode's lock.
 */
int ipc_region_add_seals(struct inode *inode, u32 seals);

/*
 * The eviction of an inode: of a region as above, of the default one (which
 * lives on), or of none.
 */
void ipc_region_evict(struct inode *inode);

/* Pages that users may have: a default for the parameter.  Never fails. */
void ipc_region_init_limits(void);

#endif /* IPCDEMO_REGION_FILE_H */

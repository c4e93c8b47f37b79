/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The region of the device: there from insmod to rmmod
 *
 * Ownership, and why the module can be removed.  A super block keeps the module
 * in the kernel, and an inode keeps its super block.  But this region must hold
 * its contents when nobody has it open, and then the module must be removable.
 * So its inode lives only from the first user of the region to the last:
 *
 *	first user	pins the internal mount, makes the inode, and moves the
 *			parked contents into its page cache
 *	further users	share the inode
 *	last user	parks: takes a reference to each page of the cache, so
 *			that they outlive the inode; unpins the mount
 *
 * Users are files of the region (a descriptor, or the one behind a mapping of
 * the device), and files of the device that could be mapped: so mapping finds
 * the inode made, and nothing large happens under mmap_lock.  Each file holds
 * one module reference, dropped by the kernel after the last thing it does with
 * our code.
 *
 * Lock order: mm->mmap_lock, the region's lock, and then whatever making an
 * inode and its pages takes.  No user memory is touched under that lock.
 */
#ifndef IPCDEMO_REGION_DEFAULT_H
#define IPCDEMO_REGION_DEFAULT_H

#include "region.h"

/**
 * ipc_region_default_create() - make the region of the device
 * @name:	lives as long as the region
 * @mode:	permission bits
 * @size:	bytes; rounded up to whole pages
 *
 * Context: may sleep.
 * Return: the region, with its creator's reference, or ERR_PTR: -ENOMEM,
 * -EINVAL if the size is 0 or too large.
 */
struct ipc_region *ipc_region_default_create(const char *name, umode_t mode,
					     u64 size);

/**
 * ipc_region_hold() - keep the contents in an inode, ready to be mapped
 * @region:	that of the device, here and below
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, or -EINTR (killed).
 */
int ipc_region_hold(struct ipc_region *region);

/* The reverse.  May sleep. */
void ipc_region_unhold(struct ipc_region *region);

/**
 * ipc_region_file() - a new file of it, open for reading and writing
 * @region:	the region
 *
 * Context: may sleep; may be called under mmap_lock while the region is held.
 * Return: the file, or ERR_PTR: -ENOMEM, -ENFILE, -EINTR (killed).
 */
struct file *ipc_region_file(struct ipc_region *region);

/**
 * ipc_region_mmap() - the mmap of the device: map the region instead
 * @region:	the region
 * @file:	the device's file, which holds the region; the mapping does not
 *		keep that file
 * @vma:	what mmap(2) asks for
 *
 * Context: under mmap_lock, for writing.
 * Return: 0; -EACCES: @file is not open for reading and writing; -EINVAL: not
 * MAP_SHARED; -EPERM: PROT_EXEC; or the errors of ipc_region_file().
 */
int ipc_region_mmap(struct ipc_region *region, struct file *file,
		    struct vm_area_struct *vma);

#endif /* IPCDEMO_REGION_DEFAULT_H */

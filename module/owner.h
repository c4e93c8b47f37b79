/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Owners: processes that hold locks in a region, and what happens if they die
 *
 * A process registers a table, in the region, of the locks that it holds or is
 * taking.  When its last mapping of the region goes, for whatever reason, its
 * locks are marked and one waiter of each is woken: the *walk*.  A process is
 * its mm here: all tasks that share the mm are one owner, and exec ends it.
 *
 * What is counted.  An owner counts the vmas of its mm that map the region: once
 * all of them at registration, then one more in vm_ops->open and one less in
 * vm_ops->close, as vma->vm_mm says.  The kernel has each vma of ours begin and
 * end so: a copy for a split, a move or a fork is opened (before the part that
 * goes is closed), and a vma that has a close is merged away by nobody.
 *
 * Registration holds mmap_lock for writing, all through.  munmap calls close
 * with mmap_lock held, maybe for reading only, and after the vma has left the
 * tree: so a vma that is counted is closed later, and one that is not counted
 * was closed before or opens later.  Where close comes without mmap_lock, the mm
 * is at its end and nobody is left to register it.
 *
 * Ownership and locking.  A region's owners are made with its first one and freed
 * with the region.  owners->lock, a mutex inside mmap_lock, guards the tables and
 * each owner's count; a page cache lock and the queues of words come inside it.
 * Nobody waits for memory under it: a number is reserved before, with its place.
 * An owner has a reference to its mm's struct, so that no other mm has the same
 * address meanwhile.  Whoever counts down to 0 takes the owner out of by_mm: from
 * then on it is his alone.  Its number stays taken until the walk is over, so no
 * lock of a new owner is taken for one of the dead.
 *
 * The walk may be done by any task: by one that exits or unmaps, by one that looked
 * into /proc of it and dropped the mm last.  It never touches user memory: table and
 * words are in pages of the page cache, reached by kmap_local; who may scribble
 * there can make it pass over locks or wake for nothing, and no more.  It is
 * bounded by the table and, for each word, by a number of tries.  Truncation may
 * take a page away between a look and a store: then the store is lost with it.
 */
#ifndef IPCDEMO_OWNER_H
#define IPCDEMO_OWNER_H

#include <linux/sched.h>
#include <linux/types.h>

struct file;
struct ipc_region;
struct pid;
struct vm_area_struct;

/* So many processes may be registered in a region. */
#define IPC_MOST_OWNERS	 4096

/* So many entries may a table have. */
#define IPC_MOST_ENTRIES 1024

/* For a view; holds a reference to @pid. */
struct ipc_owner_copy {
	u32 number;
	u32 entries;
	u64 offset;
	struct pid *pid;
	char comm[TASK_COMM_LEN];
};

/**
 * ipc_owner_register() - register the current process
 * @file:	of the region; open for writing
 * @offset:	of its table; checked
 * @entries:	of its table; checked
 * @number:	the owner's number, also with -EEXIST
 *
 * Context: may sleep; takes mmap_lock.
 * Return: 0; -ENXIO: it does not map the region; -EEXIST; -ENOSPC; -ENOMEM;
 * -EINTR: killed.
 */
int ipc_owner_register(struct file *file, u64 offset, u32 entries, u32 *number);

/* From vm_ops->open and close of a mapping.  May sleep. */
void ipc_owners_mapped(struct ipc_region *region,
		       const struct vm_area_struct *vma);
void ipc_owners_unmapped(struct ipc_region *region,
			 const struct vm_area_struct *vma);

/* The region goes. */
void ipc_owners_free(struct ipc_region *region);

/*
 * Copy owners, those above @after, by number.  Each pid is put by the caller.
 * May sleep.  Return: how many, at most @room.
 */
u32 ipc_owners_copy(struct ipc_region *region, u32 after,
		    struct ipc_owner_copy *copies, u32 room);

#endif /* IPCDEMO_OWNER_H */

// SPDX-License-Identifier: GPL-2.0
/* Processes that hold locks in a region (see owner.h). */
#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/highmem.h>
#include <linux/ipcdemo.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "gate.h"
#include "owner.h"
#include "region.h"
#include "wait_word.h"

/* The last two bits of an entry: there is one, and the offset is aligned. */
#define ENTRY_BITS 3
#define ENTRY_USED 1

/*
 * Others may change a word of a dead owner once, to say that they wait; who does
 * so more often than this is no lock.
 */
#define MOST_TRIES 128

struct owner {
	struct hlist_node of_mm; /* lock; in by_mm */
	struct mm_struct *mm; /* its struct is referenced */
	unsigned int maps; /* lock; vmas of the mm that map the region */
	/* Never change. */
	u32 number;
	u32 entries;
	u64 offset;
	struct pid *pid; /* referenced */
	char comm[TASK_COMM_LEN];
};

struct ipc_owners {
	struct mutex lock; /* guards all that says so; inside mmap_lock */
	DECLARE_HASHTABLE(by_mm, 6); /* lock */
	struct xarray numbers; /* lock; owners, by number; some are reserved */
	u32 next; /* the lock of numbers; for xa_alloc_cyclic() */
	u32 nr; /* lock */
};

/* --- one owner --- */

static void free_owner(struct owner *owner)
{
	put_pid(owner->pid);
	mmdrop(owner->mm);
	kfree(owner);
}

static struct owner *new_owner(u64 offset, u32 entries)
{
	struct owner *owner = kzalloc(sizeof(*owner), GFP_KERNEL_ACCOUNT);

	if (!owner)
		return NULL;
	owner->mm = current->mm;
	mmgrab(owner->mm);
	owner->pid = get_pid(task_tgid(current));
	owner->offset = offset;
	owner->entries = entries;
	get_task_comm(owner->comm, current);
	return owner;
}

static struct owner *find_owner(struct ipc_owners *owners,
				const struct mm_struct *mm)
{
	struct owner *owner;

	lockdep_assert_held(&owners->lock);
	hash_for_each_possible(owners->by_mm, owner, of_mm, (unsigned long)mm) {
		if (owner->mm == mm)
			return owner;
	}
	return NULL;
}

/* --- registration --- */

/* Those of a region, or NULL. */
static struct ipc_owners *look_for_owners(const struct ipc_region *region)
{
	/* Pairs with the cmpxchg() that puts them there. */
	return smp_load_acquire(&region->owners);
}

/* The same; they are made if there are none yet. */
static struct ipc_owners *get_owners(struct ipc_region *region)
{
	struct ipc_owners *owners, *others;

	owners = look_for_owners(region);
	if (owners)
		return owners;
	owners = kzalloc(sizeof(*owners), GFP_KERNEL_ACCOUNT);
	if (!owners)
		return NULL;
	mutex_init(&owners->lock);
	hash_init(owners->by_mm);
	xa_init_flags(&owners->numbers, XA_FLAGS_ALLOC);
	/* Releases: see look_for_owners(). */
	others = cmpxchg(&region->owners, NULL, owners);
	if (!others)
		return owners;
	kfree(owners);
	return others;
}

/*
 * A number, with all the memory that registering takes: under mmap_lock no memory is
 * waited for.  Return: 0 or -ENOMEM.
 */
static int reserve_number(struct ipc_owners *owners, struct owner *new)
{
	int err = xa_alloc_cyclic(&owners->numbers, &new->number, NULL,
				  XA_LIMIT(1, IPCDEMO_LOCK_OWNER - 1),
				  &owners->next, GFP_KERNEL_ACCOUNT);

	/* 1: the numbers began anew.  They are never all taken. */
	return err < 0 ? -ENOMEM : 0;
}

/* Called under mmap_lock, for writing.  The number is reserved. */
static int add_owner(struct ipc_owners *owners, struct owner *new, u32 *number)
{
	struct owner *old;
	int err = 0;

	mutex_lock(&owners->lock);
	old = find_owner(owners, new->mm);
	if (old) {
		*number = old->number;
		err = -EEXIST;
	} else if (owners->nr == IPC_MOST_OWNERS) {
		err = -ENOSPC;
	} else {
		/* Takes the place of the reservation: needs no memory */
		xa_store(&owners->numbers, new->number, new, GFP_NOWAIT);
		owners->nr++;
		hash_add(owners->by_mm, &new->of_mm, (unsigned long)new->mm);
		*number = new->number;
	}
	mutex_unlock(&owners->lock);
	return err;
}

int ipc_owner_register(struct file *file, u64 offset, u32 entries, u32 *number)
{
	struct ipc_region *region = ipc_region_of_file(file);
	struct ipc_owners *owners = get_owners(region);
	struct mm_struct *mm = current->mm;
	struct owner *new;
	struct ipc_op *op;
	int err;

	if (!owners)
		return -ENOMEM;
	new = new_owner(offset, entries);
	if (!new)
		return -ENOMEM;
	err = reserve_number(owners, new);
	if (err)
		goto err_owner;
	err = mmap_write_lock_killable(mm);
	if (err)
		goto err_number;
	new->maps = ipc_region_count_maps(region, mm);
	err = new->maps ? add_owner(owners, new, number) : -ENXIO;
	mmap_write_unlock(mm);
	if (err)
		goto err_number;
	ipc_count_shared(&region->object, IPC_OWNER_NEW, 1);
	op = ipc_op_begin(&region->object, false);
	ipc_at(&region->object, OWNER_NEW, -1, *number);
	ipc_op_end(op);
	return 0;

err_number:
	xa_release(&owners->numbers, new->number);
err_owner:
	free_owner(new);
	return err;
}

/* --- the walk --- */

static bool is_inside(const struct inode *inode, u64 offset, u64 size)
{
	u64 end = i_size_read(inode);

	return end >= size && offset <= end - size;
}

/* An entry of the table; 0 if it is not there. */
static u64 load_entry(struct inode *inode, u64 offset)
{
	struct page *page;
	u64 entry;
	void *at;

	if (!is_inside(inode, offset, sizeof(entry)))
		return 0;
	page = ipc_region_find_page(inode->i_mapping, offset);
	if (!page)
		return 0;
	at = kmap_local_page(page);
	entry = READ_ONCE(*(u64 *)(at + offset_in_page(offset)));
	kunmap_local(at);
	put_page(page);
	return entry;
}

/*
 * If the word says that this owner has the lock, let it say that he died.  Other
 * processors and programs may change it meanwhile.
 *
 * Return: whether a waiter must be woken: also if nobody has the lock, for who
 * gave it up may have died before he woke one, or who was woken before he took it.
 */
static bool mark(u32 *word, u32 number)
{
	u32 was = READ_ONCE(*word), seen;
	unsigned int tries;

	for (tries = 0; tries < MOST_TRIES; tries++) {
		if (!(was & IPCDEMO_LOCK_OWNER))
			return true;
		if ((was & IPCDEMO_LOCK_OWNER) != number)
			return false;
		seen = cmpxchg(word, was,
			       (was & IPCDEMO_LOCK_WAITERS) |
				       IPCDEMO_LOCK_DIED);
		if (seen == was)
			return true;
		was = seen;
	}
	return true;
}

static void give_up_lock(struct ipc_region *region, struct inode *inode,
			 u64 offset, const struct owner *owner)
{
	struct page *page;
	bool wake;
	void *at;

	if (!is_inside(inode, offset, sizeof(u32)))
		return;
	page = ipc_region_find_page(inode->i_mapping, offset);
	if (!page)
		return;
	at = kmap_local_page(page);
	wake = mark(at + offset_in_page(offset), owner->number);
	kunmap_local(at);
	flush_dcache_page(page);
	set_page_dirty(page);
	put_page(page);
	/* Behind the store: as a program's WAKE, see wait_word.h. */
	if (wake)
		ipc_word_wake_for(region, offset, owner->pid, owner->comm);
}

static void walk(struct ipc_region *region, struct inode *inode,
		 const struct owner *owner)
{
	u64 entry;
	u32 i;

	ipc_count_shared(&region->object, IPC_OWNER_DIED, 1);
	ipc_at(&region->object, OWNER_DIED, -1, owner->number);
	for (i = 0; i < owner->entries; i++) {
		cond_resched();
		entry = load_entry(inode, owner->offset + i * sizeof(entry));
		if ((entry & ENTRY_BITS) == ENTRY_USED)
			give_up_lock(region, inode, entry & ~(u64)ENTRY_BITS,
				     owner);
	}
}

/* --- mappings come and go --- */

void ipc_owners_mapped(struct ipc_region *region,
		       const struct vm_area_struct *vma)
{
	struct ipc_owners *owners = look_for_owners(region);
	struct owner *owner;

	/* If this mm were registered its mmap_lock would have shown us that. */
	if (!owners)
		return;
	mutex_lock(&owners->lock);
	owner = find_owner(owners, vma->vm_mm);
	if (owner)
		owner->maps++;
	mutex_unlock(&owners->lock);
}

void ipc_owners_unmapped(struct ipc_region *region,
			 const struct vm_area_struct *vma)
{
	struct ipc_owners *owners = look_for_owners(region);
	struct owner *owner;

	if (!owners)
		return;
	mutex_lock(&owners->lock);
	owner = find_owner(owners, vma->vm_mm);
	if (owner && !--owner->maps)
		hash_del(&owner->of_mm);
	else
		owner = NULL;
	mutex_unlock(&owners->lock);
	if (!owner)
		return;

	/* The vma's file keeps the inode. */
	walk(region, file_inode(vma->vm_file), owner);
	mutex_lock(&owners->lock);
	xa_erase(&owners->numbers, owner->number);
	owners->nr--;
	mutex_unlock(&owners->lock);
	free_owner(owner);
}

/* --- for the views --- */

u32 ipc_owners_copy(struct ipc_region *region, u32 after,
		    struct ipc_owner_copy *copies, u32 room)
{
	struct ipc_owners *owners = look_for_owners(region);
	unsigned long number = after;
	struct owner *owner;
	u32 n = 0;

	if (!owners)
		return 0;
	mutex_lock(&owners->lock);
	while (n < room) {
		owner = xa_find_after(&owners->numbers, &number, ULONG_MAX,
				      XA_PRESENT);
		if (!owner)
			break;
		copies[n] = (struct ipc_owner_copy){
			.number = owner->number,
			.entries = owner->entries,
			.offset = owner->offset,
			.pid = get_pid(owner->pid),
		};
		memcpy(copies[n++].comm, owner->comm, sizeof(owner->comm));
	}
	mutex_unlock(&owners->lock);
	return n;
}

/* Nobody maps it any more, so nobody is registered. */
void ipc_owners_free(struct ipc_region *region)
{
	struct ipc_owners *owners = region->owners;

	if (!owners)
		return;
	WARN_ON_ONCE(owners->nr);
	xa_destroy(&owners->numbers);
	mutex_destroy(&owners->lock);
	kfree(owners);
}

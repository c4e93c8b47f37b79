/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Regions: pages that processes map
 *
 * A region's pages are page cache of an inode of ours, as in ramfs, so that
 * futex(2), truncate and every other user of page->mapping work on them.  Here
 * is what all regions have in common: reading, mappings, faults, what the views
 * show.  There are two kinds, which differ in how long they live:
 *
 *	region_file.c		a file of ipcdemofs, or one without a name: the
 *				region lives as long as its inode
 *	region_default.c	that of the device, which must be there when
 *				nobody has it open: its inodes come and go
 */
#ifndef IPCDEMO_REGION_H
#define IPCDEMO_REGION_H

#include <linux/atomic.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "object.h"
#include "wait_word.h"

struct ipc_owners;
struct mm_struct;
struct pid;
struct vm_area_struct;

/* So many faults of a region are remembered. */
#define IPC_FAULTS_KEPT 32

/* A fault, for the views. */
struct ipc_fault_note {
	struct pid *pid; /* referenced; NULL: this is no note */
	u64 page; /* place in the region */
	u64 at_ns;
	bool write;
	char comm[TASK_COMM_LEN];
};

enum ipc_page_state {
	IPC_PAGE_NONE, /* made, zeroed, when it is touched */
	IPC_PAGE_THERE,
	IPC_PAGE_LARGE, /* part of a large folio */
};

/* Pages in a row of which the same is true. */
struct ipc_page_run {
	u64 first;
	u64 nr;
	enum ipc_page_state state;
};

struct ipc_region;

/* Where the two kinds of region differ for those who look. */
struct ipc_region_ops {
	/* Pages that are there.  May not sleep. */
	u64 (*pages)(struct ipc_region *region);
	/*
	 * The pages from @from on.  A run may end early: the next may be of the
	 * same state.  May not sleep.
	 * Return: 0, -ENXIO (the region ends before @from), -EBUSY (its pages
	 * are being moved just now).
	 */
	int (*next_run)(struct ipc_region *region, u64 from,
			struct ipc_page_run *run);
};

struct ipc_region {
	struct ipc_object object;
	const struct ipc_region_ops *ops;
	u64 size; /* bytes; who may change it, if anybody: see the kind */
	u32 seals; /* likewise; IPCDEMO_SEAL_* */
	atomic_t files; /* open files; a mapping of the device has one, too */
	atomic_t maps;

	spinlock_t faults_lock; /* guards both; taken inside nothing of ours */
	struct ipc_fault_note faults[IPC_FAULTS_KEPT];
	u32 next_fault; /* the oldest one is there, and goes next */

	struct ipc_words words; /* see wait_word.h */
	struct ipc_owners
		*owners; /* see owner.h; set once; NULL: none so far */
};

static inline struct ipc_region *ipc_region_of(struct ipc_object *object)
{
	return container_of(object, struct ipc_region, object);
}

/* The region of an inode, or file, that is known to be one's. */
static inline struct ipc_region *ipc_region_of_inode(const struct inode *inode)
{
	return inode->i_private;
}

static inline struct ipc_region *ipc_region_of_file(const struct file *file)
{
	return ipc_region_of_inode(file_inode(file));
}

/* The common part of a new, zeroed region; @release calls ipc_region_fini(). */
void ipc_region_init(struct ipc_region *region,
		     const struct ipc_region_ops *ops, const char *name,
		     umode_t mode, void (*release)(struct ipc_object *object));

/* The reverse, when nobody has a reference to it any more. */
void ipc_region_fini(struct ipc_region *region);

/* What an inode of a region needs, whichever kind. */
void ipc_region_init_inode(struct ipc_region *region, struct inode *inode);

/* File operations that both kinds have. */
ssize_t ipc_region_read_iter(struct kiocb *iocb, struct iov_iter *to);
void ipc_region_show_fdinfo(struct seq_file *m, struct file *file);

/* Count what a write has done, and has moved its position by.  Return: @done. */
ssize_t ipc_region_written(struct ipc_region *region, const struct kiocb *iocb,
			   ssize_t done);

/*
 * @vma maps the region of its file from here on.  Under mmap_lock, for writing.
 */
void ipc_region_start_mapping(struct vm_area_struct *vma);

/* How many vmas of an mm map the region.  Under its mmap_lock. */
unsigned int ipc_region_count_maps(const struct ipc_region *region,
				   struct mm_struct *mm);

/**
 * ipc_region_find_page() - the page of a byte, to look into
 * @mapping:	of the region's inode, which the caller keeps
 * @offset:	of the byte
 *
 * What programs stored in it can be loaded by the kernel.  Context: any.
 * Return: the page, to be put; NULL: it is not there, so its bytes are 0.  It may
 * be cut off at any moment; then nobody sees what is stored in it.
 */
struct page *ipc_region_find_page(struct address_space *mapping, u64 offset);

/* Pages that are there.  May not sleep; a look, true at some moment. */
static inline u64 ipc_region_pages(struct ipc_region *region)
{
	return region->ops->pages(region);
}

/*
 * Next run of the pages of a page cache, of which there are @end.  The caller
 * keeps the inode.  Return: as next_run of struct ipc_region_ops.
 */
int ipc_mapping_next_run(struct address_space *mapping, u64 end, u64 from,
			 struct ipc_page_run *run);

/*
 * Copy the newest faults, oldest first, into room for IPC_FAULTS_KEPT; each pid
 * is put by the caller.  Return: how many.
 */
unsigned int ipc_region_copy_faults(struct ipc_region *region,
				    struct ipc_fault_note *notes);

#endif /* IPCDEMO_REGION_H */

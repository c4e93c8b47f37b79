// SPDX-License-Identifier: GPL-2.0
/* What all regions have in common (see region.h). */
#include <linux/file.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pid.h>
#include <linux/seq_file.h>
#include <linux/uio.h>
#include <linux/xarray.h>

#include "compat.h"
#include "gate.h"
#include "owner.h"
#include "region.h"

/* A look at the pages takes so many steps without a break. */
#define STEPS 1024

/* --- reading and writing --- */

ssize_t ipc_region_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct ipc_region *region = ipc_region_of_file(iocb->ki_filp);
	s64 offset = iocb->ki_pos;
	ssize_t done = generic_file_read_iter(iocb, to);

	if (done > 0)
		ipc_count_shared(&region->object, IPC_REGION_READ, done);
	ipc_at_offset(&region->object, REGION_READ, offset, -1, done);
	return done;
}

ssize_t ipc_region_written(struct ipc_region *region, const struct kiocb *iocb,
			   ssize_t done)
{
	if (done > 0)
		ipc_count_shared(&region->object, IPC_REGION_WRITE, done);
	ipc_at_offset(&region->object, REGION_WRITE,
		      iocb->ki_pos - (done > 0 ? done : 0), -1, done);
	return done;
}

void ipc_region_show_fdinfo(struct seq_file *m, struct file *file)
{
	seq_printf(m, "ipcdemo-object:\t%u\nipcdemo-end:\tregion\n",
		   ipc_region_of_file(file)->object.id);
}

/* --- faults, remembered for the views --- */

static void note_fault(struct ipc_region *region, struct vm_fault *vmf)
{
	struct ipc_fault_note *note;
	struct pid *old, *new = get_pid(task_pid(current));

	spin_lock(&region->faults_lock);
	note = &region->faults[region->next_fault];
	region->next_fault = (region->next_fault + 1) % IPC_FAULTS_KEPT;
	old = note->pid;
	note->pid = new;
	note->page = vmf->pgoff;
	note->at_ns = ktime_get_ns();
	note->write = vmf->flags & FAULT_FLAG_WRITE;
	get_task_comm(note->comm, current);
	spin_unlock(&region->faults_lock);
	put_pid(old);
}

unsigned int ipc_region_copy_faults(struct ipc_region *region,
				    struct ipc_fault_note *notes)
{
	const struct ipc_fault_note *note;
	unsigned int i, n = 0;

	spin_lock(&region->faults_lock);
	for (i = 0; i < IPC_FAULTS_KEPT; i++) {
		note = &region->faults[(region->next_fault + i) %
				       IPC_FAULTS_KEPT];
		if (!note->pid)
			continue;
		get_pid(note->pid);
		notes[n++] = *note;
	}
	spin_unlock(&region->faults_lock);
	return n;
}

/* --- mappings --- */

static struct ipc_region *region_of_vma(struct vm_area_struct *vma)
{
	return ipc_region_of_file(vma->vm_file);
}

static s64 offset_of(const struct vm_area_struct *vma)
{
	return (s64)vma->vm_pgoff << PAGE_SHIFT;
}

static s64 length_of(const struct vm_area_struct *vma)
{
	return vma->vm_end - vma->vm_start;
}

static void vm_open(struct vm_area_struct *vma)
{
	struct ipc_region *region = region_of_vma(vma);

	atomic_inc(&region->maps);
	ipc_owners_mapped(region, vma);
	ipc_count_shared(&region->object, IPC_MAP_NEW, 1);
	ipc_at_offset(&region->object, MAP_NEW, offset_of(vma), length_of(vma),
		      -1);
}

static void vm_close(struct vm_area_struct *vma)
{
	struct ipc_region *region = region_of_vma(vma);

	atomic_dec(&region->maps);
	ipc_owners_unmapped(region, vma);
	ipc_count_shared(&region->object, IPC_MAP_GONE, 1);
	ipc_at_offset(&region->object, MAP_GONE, offset_of(vma), length_of(vma),
		      -1);
}

/*
 * Stop at the gate of a fault, without mmap_lock: with it, ps would hang.
 * Return: whether that was done; then the fault must be tried again.
 */
static bool stop_at_fault(struct vm_fault *vmf, struct ipc_region *region)
{
	struct file *file = vmf->vma->vm_file;
	s64 offset = (s64)vmf->pgoff << PAGE_SHIFT;
	struct ipc_op *op;

	/* The kernel's own touch may come with any lock held. */
	if (!(vmf->flags & FAULT_FLAG_USER) ||
	    !fault_flag_allow_retry_first(vmf->flags) ||
	    (vmf->flags & FAULT_FLAG_RETRY_NOWAIT) ||
	    !ipc_would_hold(&region->object, IPC_MAP_FAULT))
		return false;
	get_file(file);
	ipc_fault_unlock(vmf);
	/* The vma may be gone from here on; the file keeps the region. */
	op = ipc_op_begin(&region->object, false);
	ipc_at_offset(&region->object, MAP_FAULT, offset, -1, -1);
	ipc_op_end(op);
	fput(file);
	return true;
}

/*
 * The page counts as changed at once: a later store into a mapping would be known
 * to the page table alone, and who gives up part of a folio, or drops caches,
 * takes a clean one for one that can be had again.
 */
static vm_fault_t bring_page(struct vm_fault *vmf)
{
	vm_fault_t result = filemap_fault(vmf);

	if (result & VM_FAULT_LOCKED)
		set_page_dirty(vmf->page);
	return result;
}

/*
 * No map_pages beside it: each first touch of a page comes here.  It comes
 * twice if the page had to be made, which is done without the mmap lock.
 */
static vm_fault_t fault(struct vm_fault *vmf)
{
	struct ipc_region *region = region_of_vma(vmf->vma);

	if (vmf->flags & FAULT_FLAG_TRIED)
		return bring_page(vmf);
	ipc_count_shared(&region->object, IPC_MAP_FAULT, 1);
	note_fault(region, vmf);
	if (ipc_is_looking()) {
		if (stop_at_fault(vmf, region))
			return IPC_FAULT_AGAIN;
		/* In no call that could be held: this only counts. */
		ipc_at_offset(&region->object, MAP_FAULT,
			      (s64)vmf->pgoff << PAGE_SHIFT, -1, -1);
	}
	return bring_page(vmf);
}

static const struct vm_operations_struct vm_ops = {
	.open = vm_open,
	.close = vm_close,
	.fault = fault,
};

/*
 * Shared memory is data.  Where a file of the region is mapped the kernel has refused
 * PROT_EXEC and cleared VM_MAYEXEC before it came here, as our file systems are
 * SB_I_NOEXEC.  But a mapping of the device was judged by the device's file system,
 * and is a mapping of the region's file only from now on: may_map() has refused
 * PROT_EXEC then, and without VM_MAYEXEC mprotect(2) will.
 */
void ipc_region_start_mapping(struct vm_area_struct *vma)
{
	ipc_vma_flags_clear(vma, VM_MAYEXEC);
	vma->vm_ops = &vm_ops;
	/* The kernel calls vm_ops->open for copies of a mapping only. */
	vm_open(vma);
}

unsigned int ipc_region_count_maps(const struct ipc_region *region,
				   struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	struct vma_iterator vmi;
	unsigned int n = 0;

	lockdep_assert_held(&mm->mmap_lock);
	vma_iter_init(&vmi, mm, 0);
	while ((vma = vma_next(&vmi))) {
		if (vma->vm_ops == &vm_ops && region_of_vma(vma) == region)
			n++;
	}
	return n;
}

/* --- what is there --- */

/*
 * A page that is not up to date is being made, or is the place that a folio is being
 * moved to, whose bytes have not come yet.  In either case they are zeros.  For a
 * folio is moved only if it is clean: ram_aops has neither migrate_folio nor
 * writepage, and without them the kernel moves no dirty one.  A clean one was made by
 * read(2) of a hole and never mapped: a fault, and a write, make it dirty before
 * anybody can store in it (bring_page()), and nothing makes it clean again.  So no
 * word is taken for 0 while its page moves.  The reference that we take keeps it from
 * being moved while we look.
 */
struct page *ipc_region_find_page(struct address_space *mapping, u64 offset)
{
	struct page *page = find_get_page(mapping, offset >> PAGE_SHIFT);
	struct folio *folio;

	if (!page)
		return NULL;
	folio = page_folio(page);
	if (!folio_test_uptodate(folio) ||
	    READ_ONCE(folio->mapping) != mapping) {
		put_page(page);
		return NULL;
	}
	/* Where caches know memory by the address that a program has it at. */
	flush_dcache_page(page);
	return page;
}

/*
 * An entry may go, and its folio with it, while it is looked at: a reference keeps
 * it what it is, and then it is looked whether the entry is still there.
 */
int ipc_mapping_next_run(struct address_space *mapping, u64 end, u64 from,
			 struct ipc_page_run *run)
{
	XA_STATE(xas, &mapping->i_pages, from);
	enum ipc_page_state state;
	unsigned int steps = 0;
	struct folio *folio;
	u64 next = from, behind;

	if (from >= end)
		return -ENXIO;
	run->state = IPC_PAGE_NONE;
	rcu_read_lock();
	xas_for_each(&xas, folio, end - 1)
	{
		if (xas_retry(&xas, folio) || xa_is_value(folio))
			continue;
		if (!folio_try_get(folio)) {
			xas_reset(&xas);
			continue;
		}
		if (folio != xas_reload(&xas)) {
			folio_put(folio);
			xas_reset(&xas);
			continue;
		}
		state = folio_test_large(folio) ? IPC_PAGE_LARGE
						: IPC_PAGE_THERE;
		behind = folio_next_index(folio);
		folio_put(folio);
		if (!steps && xas.xa_index > from) {
			/* Those before it are not there. */
			next = xas.xa_index;
			break;
		}
		if (!steps)
			run->state = state;
		else if (run->state != state || xas.xa_index != next ||
			 steps == STEPS)
			break;
		steps++;
		next = xas.xa_index + 1;
		if (state == IPC_PAGE_LARGE)
			next = max_t(u64, next, behind);
	}
	rcu_read_unlock();
	if (next == from)
		next = end;
	run->first = from;
	run->nr = min(next, end) - from;
	return 0;
}

/* --- birth and death --- */

void ipc_region_init_inode(struct ipc_region *region, struct inode *inode)
{
	inode->i_private = region;
	inode->i_mapping->a_ops = &ram_aops;
	mapping_set_gfp_mask(inode->i_mapping, GFP_HIGHUSER);
	/* There is no disk to bring a page back from. */
	mapping_set_unevictable(inode->i_mapping);
}

void ipc_region_init(struct ipc_region *region,
		     const struct ipc_region_ops *ops, const char *name,
		     umode_t mode, void (*release)(struct ipc_object *object))
{
	ipc_object_init(&region->object, IPC_KIND_REGION, name, mode, release);
	region->object.find_waiter = ipc_words_find;
	region->ops = ops;
	spin_lock_init(&region->faults_lock);
	ipc_words_init(&region->words);
}

void ipc_region_fini(struct ipc_region *region)
{
	unsigned int i;

	ipc_owners_free(region);
	ipc_words_fini(&region->words);
	for (i = 0; i < IPC_FAULTS_KEPT; i++)
		put_pid(region->faults[i].pid);
}

// SPDX-License-Identifier: GPL-2.0
/* The region of the device (see region_default.h). */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/ipcdemo.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "compat.h"
#include "ioctl.h"
#include "main.h"
#include "region_default.h"
#include "regionfs.h"

/* The largest one: its table of parked pages is 8 MiB then. */
#define SIZE_LIMIT (4ULL << 30)

/* A look at the pages takes so many steps without a break. */
#define STEPS	   1024

/* Its size and seals never change. */
struct default_region {
	struct ipc_region region;

	struct mutex lock; /* guards all that says so below */
	u32 users; /* lock */
	struct inode *inode; /* lock; exists while users > 0; views: RCU */
	struct page **parked; /* lock; by page index; used while users == 0 */
	/* lock; pages when the inode was last made or given up, for the views */
	u64 steady_pages;
};

static const struct file_operations fops;

static struct default_region *default_of(struct ipc_region *region)
{
	return container_of(region, struct default_region, region);
}

/* --- the inode, and where the contents are while there is none --- */

static pgoff_t nr_pages(const struct default_region *own)
{
	return own->region.size >> PAGE_SHIFT;
}

/* A region is as large as it is, and its owner and mode are the object's. */
static int set_attributes(IPC_IDMAP *idmap, struct dentry *dentry,
			  struct iattr *attr)
{
	if (attr->ia_valid & (ATTR_SIZE | ATTR_MODE | ATTR_UID | ATTR_GID))
		return -EPERM;
	return simple_setattr(idmap, dentry, attr);
}

static const struct inode_operations inode_ops = {
	.setattr = set_attributes,
	.getattr = simple_getattr,
};

static struct inode *make_inode(struct default_region *own)
{
	struct ipc_region *region = &own->region;
	struct inode *inode = ipc_regionfs_inode(region->object.id);

	if (!inode)
		return NULL;
	inode->i_mode = S_IFREG | region->object.mode;
	inode->i_uid = region->object.owner;
	inode->i_size = region->size;
	inode->i_op = &inode_ops;
	inode->i_fop = &fops;
	ipc_region_init_inode(region, inode);
	return inode;
}

/* A long walk over a region lets others run. */
static void breathe(pgoff_t i)
{
	if (!(i % 1024))
		cond_resched();
}

/*
 * Keep the pages of an inode that is about to go.  Called when the region has
 * no user left, so nobody can add a page; allocates nothing, cannot fail.
 */
static void park(struct default_region *own, struct inode *inode)
{
	unsigned long left = inode->i_mapping->nrpages;
	struct page *page;
	pgoff_t i;

	for (i = 0; left && i < nr_pages(own); i++) {
		breathe(i);
		page = find_get_page(inode->i_mapping, i);
		if (!page)
			continue;
		own->parked[i] = page;
		left--;
	}
}

/*
 * Move parked contents into the page cache of a new inode.  Into new pages: a
 * page that was in a page cache once is charged to a memory cgroup and cannot
 * be added again.
 *
 * Return: 0, or -ENOMEM or -EINTR (killed) with the rest still parked.
 */
static int unpark(struct default_region *own, struct inode *inode)
{
	u64 left = own->steady_pages;
	struct page *page;
	pgoff_t i;

	for (i = 0; left && i < nr_pages(own); i++) {
		breathe(i);
		if (!own->parked[i])
			continue;
		if (fatal_signal_pending(current))
			return -EINTR;
		page = find_or_create_page(inode->i_mapping, i, GFP_HIGHUSER);
		if (!page)
			return -ENOMEM;
		copy_highpage(page, own->parked[i]);
		flush_dcache_page(page);
		SetPageUptodate(page);
		/* Dirty, or drop_caches may take it for one that can be had
		 * again.
		 */
		set_page_dirty(page);
		unlock_page(page);
		put_page(page);
		put_page(own->parked[i]);
		own->parked[i] = NULL;
		left--;
	}
	return 0;
}

/*
 * One more user.  Called under its lock.
 * Return: the inode, not referenced: it stays while there are users.
 */
static struct inode *add_user(struct default_region *own)
{
	struct inode *inode;
	int err;

	if (own->users) {
		own->users++;
		return own->inode;
	}

	err = ipc_regionfs_pin();
	if (err)
		return ERR_PTR(err);
	err = -ENOMEM;
	inode = make_inode(own);
	if (!inode)
		goto err_inode;
	err = unpark(own, inode);
	if (err)
		goto err_unpark;
	own->users = 1;
	WRITE_ONCE(own->inode, inode);
	return inode;

err_unpark:
	park(own, inode);
	iput(inode);
err_inode:
	ipc_regionfs_unpin();
	return ERR_PTR(err);
}

/*
 * One user less.  After the last one the inode lives on only as long as a file
 * that is being closed holds its dentry: that, and with it the super block,
 * goes after the kernel has left our code.
 */
static void drop_user(struct default_region *own)
{
	struct inode *inode = own->inode;

	lockdep_assert_held(&own->lock);
	if (--own->users)
		return;
	WRITE_ONCE(own->steady_pages, inode->i_mapping->nrpages);
	park(own, inode);
	/* Pairs with the acquire in count_pages(). */
	smp_store_release(&own->inode, NULL);
	/* The count of the inode goes down after this: pairs with its rmb. */
	smp_wmb();
	iput(inode);
	ipc_regionfs_unpin();
}

int ipc_region_hold(struct ipc_region *region)
{
	struct default_region *own = default_of(region);
	struct inode *inode;

	mutex_lock(&own->lock);
	inode = add_user(own);
	mutex_unlock(&own->lock);
	return PTR_ERR_OR_ZERO(inode);
}

void ipc_region_unhold(struct ipc_region *region)
{
	struct default_region *own = default_of(region);

	mutex_lock(&own->lock);
	drop_user(own);
	mutex_unlock(&own->lock);
}

/* --- files --- */

static void add_file(struct default_region *own)
{
	refcount_inc(&own->region.object.refs);
	atomic_inc(&own->region.files);
}

struct file *ipc_region_file(struct ipc_region *region)
{
	struct default_region *own = default_of(region);
	struct inode *inode;
	struct file *file;

	mutex_lock(&own->lock);
	inode = add_user(own);
	if (IS_ERR(inode)) {
		file = ERR_CAST(inode);
		goto out;
	}
	file = ipc_regionfs_file(inode, O_RDWR, &fops);
	if (IS_ERR(file))
		drop_user(own);
	else
		add_file(own);
out:
	mutex_unlock(&own->lock);
	return file;
}

/* Only by way of /proc/PID/fd or map_files: no directory names the region. */
static int region_open(struct inode *inode, struct file *file)
{
	struct default_region *own = default_of(ipc_region_of_inode(inode));
	int err = 0;

	mutex_lock(&own->lock);
	/* An inode that the last user has given up holds nothing any more. */
	if (own->inode != inode) {
		err = -ENXIO;
	} else {
		own->users++;
		add_file(own);
	}
	mutex_unlock(&own->lock);
	return err;
}

static int region_release(struct inode *inode, struct file *file)
{
	struct default_region *own = default_of(ipc_region_of_inode(inode));

	ipc_words_release(file);
	mutex_lock(&own->lock);
	atomic_dec(&own->region.files);
	drop_user(own);
	mutex_unlock(&own->lock);
	ipc_object_put(&own->region.object);
	return 0;
}

static ssize_t region_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct ipc_region *region = ipc_region_of_file(iocb->ki_filp);
	size_t wanted = iov_iter_count(from);
	ssize_t done;

	if (!wanted)
		return 0;
	if ((iocb->ki_flags & IOCB_APPEND) || iocb->ki_pos >= region->size)
		return -ENOSPC;
	iov_iter_truncate(from, region->size - iocb->ki_pos);
	wanted -= iov_iter_count(from);
	done = generic_file_write_iter(iocb, from);
	iov_iter_reexpand(from, iov_iter_count(from) + wanted);
	return ipc_region_written(region, iocb, done);
}

/* --- mappings --- */

static int may_map(struct file *file, struct vm_area_struct *vma)
{
	if ((file->f_mode & (FMODE_READ | FMODE_WRITE)) !=
	    (FMODE_READ | FMODE_WRITE))
		return -EACCES;
	/* A private copy would show two processes two different resources. */
	if (!(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	return 0;
}

static int region_mmap(struct file *file, struct vm_area_struct *vma)
{
	int err = may_map(file, vma);

	if (!err)
		ipc_region_start_mapping(vma);
	return err;
}

int ipc_region_mmap(struct ipc_region *region, struct file *file,
		    struct vm_area_struct *vma)
{
	struct file *own;
	int err = may_map(file, vma);

	if (err)
		return err;
	own = ipc_region_file(region);
	if (IS_ERR(own))
		return PTR_ERR(own);
	vma_set_file(vma, own);
	fput(own);
	ipc_region_start_mapping(vma);
	return 0;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = region_open,
	.release = region_release,
	.read_iter = ipc_region_read_iter,
	.write_iter = region_write_iter,
	.llseek = generic_file_llseek,
	.mmap = region_mmap,
	.fsync = noop_fsync,
	.unlocked_ioctl = ipc_region_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = ipc_region_show_fdinfo,
};

/* --- what is there --- */

/*
 * The inode may go at any moment; its memory is freed by RCU.  An inode that is
 * going counts its pages down to 0, so its count is taken only if it was still
 * the region's afterwards.
 */
static u64 count_pages(struct ipc_region *region)
{
	struct default_region *own = default_of(region);
	struct inode *inode;
	u64 pages;

	rcu_read_lock();
	inode = READ_ONCE(own->inode);
	pages = inode ? READ_ONCE(inode->i_mapping->nrpages) : 0;
	/* Look at inode after its count: pairs with the wmb in drop_user(). */
	smp_rmb();
	/* Pairs with the release there: then steady_pages is set. */
	if (!inode || smp_load_acquire(&own->inode) != inode)
		pages = READ_ONCE(own->steady_pages);
	rcu_read_unlock();
	return pages;
}

/* Called under the region's lock, while it has no inode. */
static int next_parked_run(struct default_region *own, u64 from,
			   struct ipc_page_run *run)
{
	u64 end = nr_pages(own), next;

	if (from >= end)
		return -ENXIO;
	end = min(end, from + STEPS);
	for (next = from + 1; next < end; next++) {
		if (!own->parked[next] != !own->parked[from])
			break;
	}
	run->first = from;
	run->nr = next - from;
	run->state = own->parked[from] ? IPC_PAGE_THERE : IPC_PAGE_NONE;
	return 0;
}

static int next_run(struct ipc_region *region, u64 from,
		    struct ipc_page_run *run)
{
	struct default_region *own = default_of(region);
	int err;

	/* Whoever has it may be copying all of the region. */
	if (!mutex_trylock(&own->lock))
		return -EBUSY;
	if (own->inode)
		err = ipc_mapping_next_run(own->inode->i_mapping, nr_pages(own),
					   from, run);
	else
		err = next_parked_run(own, from, run);
	mutex_unlock(&own->lock);
	return err;
}

static const struct ipc_region_ops region_ops = {
	.pages = count_pages,
	.next_run = next_run,
};

/* --- birth and death --- */

static void region_free(struct ipc_object *object)
{
	struct default_region *own = default_of(ipc_region_of(object));
	u64 left = own->steady_pages;
	pgoff_t i;

	for (i = 0; left && i < nr_pages(own); i++) {
		breathe(i);
		if (!own->parked[i])
			continue;
		put_page(own->parked[i]);
		left--;
	}
	kvfree(own->parked);
	mutex_destroy(&own->lock);
	ipc_region_fini(&own->region);
	kfree(own);
}

struct ipc_region *ipc_region_default_create(const char *name, umode_t mode,
					     u64 size)
{
	struct default_region *own = NULL;

	if (!size || size > SIZE_LIMIT)
		return ERR_PTR(-EINVAL);
	if (!ipc_load_fault("region"))
		own = kzalloc(sizeof(*own), GFP_KERNEL_ACCOUNT);
	if (!own)
		goto err_region;
	own->region.size = PAGE_ALIGN(size);
	if (!ipc_load_fault("page table of the region"))
		own->parked = kvcalloc(nr_pages(own), sizeof(*own->parked),
				       GFP_KERNEL_ACCOUNT);
	if (!own->parked)
		goto err_parked;

	ipc_region_init(&own->region, &region_ops, name, mode, region_free);
	own->region.seals =
		IPCDEMO_SEAL_SEAL | IPCDEMO_SEAL_SHRINK | IPCDEMO_SEAL_GROW;
	mutex_init(&own->lock);
	return &own->region;

err_parked:
	kfree(own);
err_region:
	return ERR_PTR(-ENOMEM);
}

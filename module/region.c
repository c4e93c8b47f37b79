// SPDX-License-Identifier: GPL-2.0
/* The region: pages that processes map (see region.h). */
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "compat.h"
#include "gate.h"
#include "ioctl.h"
#include "main.h"
#include "region.h"

/* The largest region: its table of parked pages is 8 MiB then. */
#define SIZE_LIMIT	(4ULL << 30)

#define REGION_FS_MAGIC 0x69706372 /* "ipcr" */

static const struct file_operations region_fops;

/* --- the internal file system: somewhere for the inodes to live --- */

/* What /proc/PID/maps and /proc/PID/fd say. */
static char *region_dname(struct dentry *dentry, char *buffer, int buflen)
{
	char name[40];
	int len;

	len = scnprintf(name, sizeof(name), "ipcdemo-region:[%lu]",
			(unsigned long)d_inode(dentry)->i_ino) +
	      1;
	if (len > buflen)
		return ERR_PTR(-ENAMETOOLONG);
	return memcpy(buffer + buflen - len, name, len);
}

static const struct dentry_operations region_dentry_ops = {
	.d_dname = region_dname,
};

static int region_fs_init_context(struct fs_context *fc)
{
	struct pseudo_fs_context *ctx = init_pseudo(fc, REGION_FS_MAGIC);

	if (!ctx)
		return -ENOMEM;
	ctx->dops = &region_dentry_ops;
	fc->s_iflags |= SB_I_NOEXEC | SB_I_NODEV;
	return 0;
}

static struct file_system_type region_fs = {
	.owner = THIS_MODULE,
	.name = "ipcdemo-region",
	.init_fs_context = region_fs_init_context,
	.kill_sb = kill_anon_super,
};

/* simple_pin_fs() and its own lock guard these two. */
static struct vfsmount *region_mount;
static int region_mount_users;

/* --- the inode, and where the contents are while there is none --- */

static pgoff_t nr_pages(const struct ipc_region *region)
{
	return region->size >> PAGE_SHIFT;
}

/* A region is as large as it is, and its owner and mode are the object's. */
static int region_setattr(IPC_IDMAP *idmap, struct dentry *dentry,
			  struct iattr *attr)
{
	if (attr->ia_valid & (ATTR_SIZE | ATTR_MODE | ATTR_UID | ATTR_GID))
		return -EPERM;
	return simple_setattr(idmap, dentry, attr);
}

static const struct inode_operations region_inode_ops = {
	.setattr = region_setattr,
	.getattr = simple_getattr,
};

static struct inode *make_inode(struct ipc_region *region)
{
	struct inode *inode = new_inode(region_mount->mnt_sb);

	if (!inode)
		return NULL;
	inode->i_ino = region->object.id;
	inode->i_mode = S_IFREG | region->object.mode;
	inode->i_uid = region->object.owner;
	inode->i_size = region->size;
	inode->i_op = &region_inode_ops;
	inode->i_fop = &region_fops;
	inode->i_private = region;
	inode->i_mapping->a_ops = &ram_aops;
	mapping_set_gfp_mask(inode->i_mapping, GFP_HIGHUSER);
	/* There is no disk to bring a page back from. */
	mapping_set_unevictable(inode->i_mapping);
	ipc_inode_init_times(inode);
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
static void park(struct ipc_region *region, struct inode *inode)
{
	unsigned long left = inode->i_mapping->nrpages;
	struct page *page;
	pgoff_t i;

	for (i = 0; left && i < nr_pages(region); i++) {
		breathe(i);
		page = find_get_page(inode->i_mapping, i);
		if (!page)
			continue;
		region->parked[i] = page;
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
static int unpark(struct ipc_region *region, struct inode *inode)
{
	u64 left = region->steady_pages;
	struct page *page;
	pgoff_t i;

	for (i = 0; left && i < nr_pages(region); i++) {
		breathe(i);
		if (!region->parked[i])
			continue;
		if (fatal_signal_pending(current))
			return -EINTR;
		page = find_or_create_page(inode->i_mapping, i, GFP_HIGHUSER);
		if (!page)
			return -ENOMEM;
		copy_highpage(page, region->parked[i]);
		flush_dcache_page(page);
		SetPageUptodate(page);
		/* Dirty, or drop_caches may take it for one that can be had
		 * again.
		 */
		set_page_dirty(page);
		unlock_page(page);
		put_page(page);
		put_page(region->parked[i]);
		region->parked[i] = NULL;
		left--;
	}
	return 0;
}

/*
 * One more user.  Called under region->lock.
 * Return: the inode, not referenced: it stays while there are users.
 */
static struct inode *add_user(struct ipc_region *region)
{
	struct inode *inode;
	int err;

	if (region->users) {
		region->users++;
		return region->inode;
	}

	err = simple_pin_fs(&region_fs, &region_mount, &region_mount_users);
	if (err)
		return ERR_PTR(err);
	err = -ENOMEM;
	inode = make_inode(region);
	if (!inode)
		goto err_inode;
	err = unpark(region, inode);
	if (err)
		goto err_unpark;
	region->users = 1;
	WRITE_ONCE(region->inode, inode);
	return inode;

err_unpark:
	park(region, inode);
	iput(inode);
err_inode:
	simple_release_fs(&region_mount, &region_mount_users);
	return ERR_PTR(err);
}

/*
 * One user less.  After the last one the inode lives on only as long as a file
 * that is being closed holds its dentry: that, and with it the super block,
 * goes after the kernel has left our code.
 */
static void drop_user(struct ipc_region *region)
{
	struct inode *inode = region->inode;

	lockdep_assert_held(&region->lock);
	if (--region->users)
		return;
	WRITE_ONCE(region->steady_pages, inode->i_mapping->nrpages);
	park(region, inode);
	/* Pairs with the acquire in ipc_region_pages(). */
	smp_store_release(&region->inode, NULL);
	/* The count of the inode goes down after this: pairs with its rmb. */
	smp_wmb();
	iput(inode);
	simple_release_fs(&region_mount, &region_mount_users);
}

int ipc_region_hold(struct ipc_region *region)
{
	struct inode *inode;

	mutex_lock(&region->lock);
	inode = add_user(region);
	mutex_unlock(&region->lock);
	return PTR_ERR_OR_ZERO(inode);
}

void ipc_region_unhold(struct ipc_region *region)
{
	mutex_lock(&region->lock);
	drop_user(region);
	mutex_unlock(&region->lock);
}

/* --- files --- */

static void add_file(struct ipc_region *region)
{
	refcount_inc(&region->object.refs);
	WRITE_ONCE(region->files, region->files + 1);
}

struct file *ipc_region_file(struct ipc_region *region)
{
	struct inode *inode;
	struct file *file;

	mutex_lock(&region->lock);
	inode = add_user(region);
	if (IS_ERR(inode)) {
		file = ERR_CAST(inode);
		goto out;
	}
	/* The dentry's; the users have their own, together. */
	ihold(inode);
	/* alloc_file_pseudo() takes none, the last fput() drops one. */
	__module_get(THIS_MODULE);
	file = alloc_file_pseudo(inode, region_mount, "", O_RDWR | O_LARGEFILE,
				 &region_fops);
	if (IS_ERR(file)) {
		module_put(THIS_MODULE);
		iput(inode);
		drop_user(region);
		goto out;
	}
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	add_file(region);
out:
	mutex_unlock(&region->lock);
	return file;
}

/* Only by way of /proc/PID/fd or map_files: no directory names a region. */
static int region_open(struct inode *inode, struct file *file)
{
	struct ipc_region *region = inode->i_private;
	int err = 0;

	mutex_lock(&region->lock);
	/* An inode that the last user has given up holds nothing any more. */
	if (region->inode != inode) {
		err = -ENXIO;
	} else {
		region->users++;
		add_file(region);
	}
	mutex_unlock(&region->lock);
	return err;
}

static int region_release(struct inode *inode, struct file *file)
{
	struct ipc_region *region = inode->i_private;

	mutex_lock(&region->lock);
	WRITE_ONCE(region->files, region->files - 1);
	drop_user(region);
	mutex_unlock(&region->lock);
	ipc_object_put(&region->object);
	return 0;
}

static ssize_t region_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct ipc_region *region = file_inode(iocb->ki_filp)->i_private;
	ssize_t done = generic_file_read_iter(iocb, to);

	if (done > 0)
		ipc_count_shared(&region->object, IPC_REGION_READ, done);
	ipc_at(&region->object, REGION_READ, -1, done);
	return done;
}

static ssize_t region_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct ipc_region *region = file_inode(iocb->ki_filp)->i_private;
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
	if (done > 0)
		ipc_count_shared(&region->object, IPC_REGION_WRITE, done);
	ipc_at(&region->object, REGION_WRITE, -1, done);
	return done;
}

static void region_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct ipc_region *region = file_inode(file)->i_private;

	seq_printf(m, "ipcdemo-object:\t%u\nipcdemo-end:\tregion\n",
		   region->object.id);
}

/* --- mappings --- */

static struct ipc_region *region_of_vma(struct vm_area_struct *vma)
{
	return file_inode(vma->vm_file)->i_private;
}

static void region_vm_open(struct vm_area_struct *vma)
{
	struct ipc_region *region = region_of_vma(vma);

	atomic_inc(&region->maps);
	ipc_count_shared(&region->object, IPC_MAP_NEW, 1);
	ipc_at(&region->object, MAP_NEW, -1, -1);
}

static void region_vm_close(struct vm_area_struct *vma)
{
	struct ipc_region *region = region_of_vma(vma);

	atomic_dec(&region->maps);
	ipc_count_shared(&region->object, IPC_MAP_GONE, 1);
	ipc_at(&region->object, MAP_GONE, -1, -1);
}

/*
 * Stop at the gate of a fault, without mmap_lock: with it, ps would hang.
 * Return: whether that was done; then the fault must be tried again.
 */
static bool stop_at_fault(struct vm_fault *vmf, struct ipc_region *region)
{
	struct file *file = vmf->vma->vm_file;
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
	ipc_at(&region->object, MAP_FAULT, -1, -1);
	ipc_op_end(op);
	fput(file);
	return true;
}

/*
 * No map_pages beside it: each first touch of a page comes here.  It comes
 * twice if the page had to be made, which is done without the mmap lock.
 */
static vm_fault_t region_fault(struct vm_fault *vmf)
{
	struct ipc_region *region = region_of_vma(vmf->vma);

	if (vmf->flags & FAULT_FLAG_TRIED)
		return filemap_fault(vmf);
	ipc_count_shared(&region->object, IPC_MAP_FAULT, 1);
	if (ipc_is_looking()) {
		if (stop_at_fault(vmf, region))
			return IPC_FAULT_AGAIN;
		/* In no call that could be held: this only counts. */
		ipc_at(&region->object, MAP_FAULT, -1, -1);
	}
	return filemap_fault(vmf);
}

static const struct vm_operations_struct region_vm_ops = {
	.open = region_vm_open,
	.close = region_vm_close,
	.fault = region_fault,
};

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

static void start_mapping(struct vm_area_struct *vma)
{
	ipc_vma_flags_clear(vma, VM_MAYEXEC);
	vma->vm_ops = &region_vm_ops;
	/* The kernel calls vm_ops->open for copies of a mapping only. */
	region_vm_open(vma);
}

static int region_mmap(struct file *file, struct vm_area_struct *vma)
{
	int err = may_map(file, vma);

	if (!err)
		start_mapping(vma);
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
	start_mapping(vma);
	return 0;
}

static const struct file_operations region_fops = {
	.owner = THIS_MODULE,
	.open = region_open,
	.release = region_release,
	.read_iter = region_read_iter,
	.write_iter = region_write_iter,
	.llseek = generic_file_llseek,
	.mmap = region_mmap,
	.fsync = noop_fsync,
	.unlocked_ioctl = ipc_region_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = region_show_fdinfo,
};

struct ipc_region *ipc_region_of_file(struct file *file)
{
	if (file->f_op != &region_fops)
		return NULL;
	return file_inode(file)->i_private;
}

/*
 * The inode may go at any moment; its memory is freed by RCU.  An inode that is
 * going counts its pages down to 0, so its count is taken only if it was still
 * the region's afterwards.
 */
u64 ipc_region_pages(struct ipc_region *region)
{
	struct inode *inode;
	u64 pages;

	rcu_read_lock();
	inode = READ_ONCE(region->inode);
	pages = inode ? READ_ONCE(inode->i_mapping->nrpages) : 0;
	/* Look at inode after its count: pairs with the wmb in drop_user(). */
	smp_rmb();
	/* Pairs with the release there: then steady_pages is set. */
	if (!inode || smp_load_acquire(&region->inode) != inode)
		pages = READ_ONCE(region->steady_pages);
	rcu_read_unlock();
	return pages;
}

/* --- birth and death --- */

static void region_free(struct ipc_object *object)
{
	struct ipc_region *region = ipc_region_of(object);
	u64 left = region->steady_pages;
	pgoff_t i;

	for (i = 0; left && i < nr_pages(region); i++) {
		breathe(i);
		if (!region->parked[i])
			continue;
		put_page(region->parked[i]);
		left--;
	}
	kvfree(region->parked);
	mutex_destroy(&region->lock);
	kfree(region);
}

struct ipc_region *ipc_region_create(const char *name, umode_t mode, u64 size)
{
	struct ipc_region *region = NULL;

	if (!size || size > SIZE_LIMIT)
		return ERR_PTR(-EINVAL);
	if (!ipc_load_fault("region"))
		region = kzalloc(sizeof(*region), GFP_KERNEL_ACCOUNT);
	if (!region)
		goto err_region;
	region->size = PAGE_ALIGN(size);
	if (!ipc_load_fault("page table of the region"))
		region->parked =
			kvcalloc(nr_pages(region), sizeof(*region->parked),
				 GFP_KERNEL_ACCOUNT);
	if (!region->parked)
		goto err_parked;

	ipc_object_init(&region->object, IPC_KIND_REGION, name, mode,
			region_free);
	mutex_init(&region->lock);
	return region;

err_parked:
	kfree(region);
err_region:
	return ERR_PTR(-ENOMEM);
}

// SPDX-License-Identifier: GPL-2.0
/* Regions that are files (see region_file.h). */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/ipcdemo.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "compat.h"
#include "ioctl.h"
#include "procfs.h"
#include "region_file.h"
#include "regionfs.h"

/* ipc_region_init_limits() puts half of the memory here, unless it is given. */
static unsigned long user_region_pages = ULONG_MAX;
module_param(user_region_pages, ulong, 0644);
MODULE_PARM_DESC(user_region_pages,
		 "most pages of a user's regions (0: any number)");

struct file_region {
	struct ipc_region region;
	u64 charged; /* inode lock; pages that count against the creator's */
};

static struct file_region *file_region_of(struct inode *inode)
{
	return container_of(ipc_region_of_inode(inode), struct file_region,
			    region);
}

/* --- the size --- */

static u64 pages_of(u64 size)
{
	return DIV_ROUND_UP_ULL(size, PAGE_SIZE);
}

/*
 * Have @pages charged, if they are more than now.  Called under the inode's
 * lock.  Return: 0, -EDQUOT, -ENOMEM.
 */
static int charge(struct file_region *own, u64 pages)
{
	int err;

	if (pages <= own->charged)
		return 0;
	err = ipc_user_charge(own->region.object.creator, IPC_BUDGET_PAGES,
			      pages - own->charged,
			      READ_ONCE(user_region_pages));
	if (!err)
		own->charged = pages;
	return err;
}

/*
 * The size has changed, or would have.  Called under the inode's lock.
 *
 * A large folio that somebody else has a reference to cannot be split: then all
 * of it stays when the file shrinks, and is charged.
 */
static void settle(struct file_region *own, const struct inode *inode)
{
	u64 size = i_size_read(inode);
	u64 pages = max_t(u64, pages_of(size), inode->i_mapping->nrpages);

	WRITE_ONCE(own->region.size, size);
	ipc_procfs_note();
	if (pages >= own->charged)
		return;
	ipc_user_uncharge(own->region.object.creator, IPC_BUDGET_PAGES,
			  own->charged - pages);
	own->charged = pages;
}

/* Called under the inode's lock.  Return: 0, -EPERM, -EDQUOT, -ENOMEM. */
static int may_become(struct file_region *own, u64 size)
{
	u64 now = own->region.size;

	if (size < now && (own->region.seals & IPCDEMO_SEAL_SHRINK))
		return -EPERM;
	if (size > now && (own->region.seals & IPCDEMO_SEAL_GROW))
		return -EPERM;
	return charge(own, pages_of(size));
}

static int set_attributes(IPC_IDMAP *idmap, struct dentry *dentry,
			  struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	struct file_region *own = file_region_of(inode);
	int err = 0;

	if (attr->ia_valid & ATTR_SIZE)
		err = inode_newsize_ok(inode, attr->ia_size)
			      ?: may_become(own, attr->ia_size);
	if (!err)
		err = simple_setattr(idmap, dentry, attr);
	if (attr->ia_valid & ATTR_SIZE)
		settle(own, inode);
	if (!err)
		ipc_object_follow(&own->region.object, inode);
	return err;
}

static const struct inode_operations inode_ops = {
	.setattr = set_attributes,
	.getattr = simple_getattr,
};

static int set_size(struct inode *inode, u64 size)
{
	struct file_region *own = file_region_of(inode);
	int err;

	if (size > inode->i_sb->s_maxbytes)
		return -EFBIG;
	inode_lock(inode);
	err = inode_newsize_ok(inode, size) ?: may_become(own, size);
	if (!err)
		truncate_setsize(inode, size);
	settle(own, inode);
	inode_unlock(inode);
	return err;
}

int ipc_region_add_seals(struct inode *inode, u32 seals)
{
	struct ipc_region *region = ipc_region_of_inode(inode);
	int err = 0;

	inode_lock(inode);
	if (region->seals & IPCDEMO_SEAL_SEAL)
		err = -EPERM;
	else
		WRITE_ONCE(region->seals, region->seals | seals);
	inode_unlock(inode);
	ipc_procfs_note();
	return err;
}

/* --- files --- */

static int region_open(struct inode *inode, struct file *file)
{
	int err = generic_file_open(inode, file);

	if (!err) {
		atomic_inc(&ipc_region_of_inode(inode)->files);
		ipc_procfs_note();
	}
	return err;
}

static int region_release(struct inode *inode, struct file *file)
{
	ipc_words_release(file);
	atomic_dec(&ipc_region_of_inode(inode)->files);
	ipc_procfs_note();
	return 0;
}

/*
 * Let a write go only as far as a seal allows.  Called under the inode's lock.
 * Return: how many bytes it may have, or -EPERM.
 */
static ssize_t cut_at_seal(const struct ipc_region *region, u64 pos, size_t len)
{
	if (!(region->seals & IPCDEMO_SEAL_GROW) || pos + len <= region->size)
		return len;
	return pos < region->size ? region->size - pos : -EPERM;
}

static ssize_t write_locked(struct file_region *own, struct kiocb *iocb,
			    struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t len, done;
	size_t cut;

	len = generic_write_checks(iocb, from);
	if (len > 0)
		len = cut_at_seal(&own->region, iocb->ki_pos, len);
	if (len <= 0)
		return len;
	done = charge(own,
		      max_t(u64, pages_of(iocb->ki_pos + len), own->charged));
	if (done)
		return done;
	cut = iov_iter_count(from) - len;
	iov_iter_truncate(from, len);
	done = __generic_file_write_iter(iocb, from);
	iov_iter_reexpand(from, iov_iter_count(from) + cut);
	/* A fault of the buffer may have ended it early. */
	settle(own, inode);
	return done;
}

static ssize_t region_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	struct file_region *own = file_region_of(inode);
	ssize_t done;

	inode_lock(inode);
	done = write_locked(own, iocb, from);
	inode_unlock(inode);
	return ipc_region_written(&own->region, iocb, done);
}

static int region_mmap(struct file *file, struct vm_area_struct *vma)
{
	file_accessed(file);
	ipc_region_start_mapping(vma);
	return 0;
}

static const struct file_operations region_fops = {
	.owner = THIS_MODULE,
	.open = region_open,
	.release = region_release,
	.read_iter = ipc_region_read_iter,
	.write_iter = region_write_iter,
	.splice_read = ipc_file_splice_read,
	.splice_write = iter_file_splice_write,
	.llseek = generic_file_llseek,
	.mmap = region_mmap,
	.fsync = noop_fsync,
	.unlocked_ioctl = ipc_region_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = ipc_region_show_fdinfo,
};

/* --- what is there --- */

static u64 count_pages(struct ipc_region *region)
{
	struct ipc_object *object = &region->object;
	u64 pages = 0;

	spin_lock(&object->name_lock);
	if (object->inode)
		pages = READ_ONCE(object->inode->i_mapping->nrpages);
	spin_unlock(&object->name_lock);
	return pages;
}

static int next_run(struct ipc_region *region, u64 from,
		    struct ipc_page_run *run)
{
	struct ipc_object *object = &region->object;
	int err = -ENXIO;

	spin_lock(&object->name_lock);
	if (object->inode)
		err = ipc_mapping_next_run(object->inode->i_mapping,
					   pages_of(READ_ONCE(region->size)),
					   from, run);
	spin_unlock(&object->name_lock);
	return err;
}

static const struct ipc_region_ops region_ops = {
	.pages = count_pages,
	.next_run = next_run,
};

/* --- birth and death --- */

static void region_free(struct ipc_object *object)
{
	struct ipc_region *region = ipc_region_of(object);

	ipc_region_fini(region);
	kfree(container_of(region, struct file_region, region));
}

int ipc_region_make(struct inode *inode,
		    char *(*name_now)(struct ipc_object *object, char *buf,
				      int size))
{
	struct file_region *own = kzalloc(sizeof(*own), GFP_KERNEL_ACCOUNT);
	struct ipc_object *object;
	int err;

	if (!own)
		return -ENOMEM;
	object = &own->region.object;
	ipc_region_init(&own->region, &region_ops, "-", 0, region_free);
	ipc_object_follow(object, inode);
	object->dev = inode->i_sb->s_dev;
	object->ino = inode->i_ino;
	object->inode = inode;
	object->name_now = name_now;
	err = ipc_object_count(object);
	if (err)
		goto err_object;
	inode->i_op = &inode_ops;
	inode->i_fop = &region_fops;
	ipc_region_init_inode(&own->region, inode);
	mapping_set_large_folios(inode->i_mapping);
	err = ipc_object_add(object);
	if (err)
		goto err_inode;
	return 0;

err_inode:
	inode->i_private = NULL;
err_object:
	ipc_object_put(object);
	return err;
}

void ipc_region_evict(struct inode *inode)
{
	struct ipc_region *region = ipc_region_of_inode(inode);
	struct file_region *own;

	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	/* The root directory has none, and the default one has other inodes. */
	if (!region || region->ops != &region_ops)
		return;
	own = file_region_of(inode);
	ipc_user_uncharge(region->object.creator, IPC_BUDGET_PAGES,
			  own->charged);
	WRITE_ONCE(region->size, 0);
	/* From here on it has no name, and no pages. */
	spin_lock(&region->object.name_lock);
	region->object.inode = NULL;
	spin_unlock(&region->object.name_lock);
	ipc_object_retire(&region->object);
}

/* --- without a name --- */

/* By way of /proc/PID/fd or map_files. */
static int anon_open(struct inode *inode, struct file *file)
{
	int err = ipc_regionfs_pin();

	if (err)
		return err;
	err = region_open(inode, file);
	if (err)
		ipc_regionfs_unpin();
	return err;
}

static int anon_release(struct inode *inode, struct file *file)
{
	region_release(inode, file);
	/* The file's path holds the mount still. */
	ipc_regionfs_unpin();
	return 0;
}

static const struct file_operations anon_fops = {
	.owner = THIS_MODULE,
	.open = anon_open,
	.release = anon_release,
	.read_iter = ipc_region_read_iter,
	.write_iter = region_write_iter,
	.splice_read = ipc_file_splice_read,
	.splice_write = iter_file_splice_write,
	.llseek = generic_file_llseek,
	.mmap = region_mmap,
	.fsync = noop_fsync,
	.unlocked_ioctl = ipc_region_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = ipc_region_show_fdinfo,
};

/* The name of a region without one. */
static char *anon_name(struct ipc_object *object, char *buf, int size)
{
	snprintf(buf, size, IPC_REGION_NAME, object->id);
	return buf;
}

/* A new inode with a region; its references are the caller's. */
static struct inode *make_anon_inode(u64 size)
{
	struct inode *inode = ipc_regionfs_inode(0);
	int err;

	if (!inode)
		return ERR_PTR(-ENOMEM);
	inode->i_mode = S_IFREG | 0600;
	inode->i_uid = current_fsuid();
	inode->i_gid = current_fsgid();
	err = ipc_region_make(inode, anon_name);
	if (!err) {
		inode->i_fop = &anon_fops;
		err = set_size(inode, size);
	}
	if (err) {
		iput(inode);
		return ERR_PTR(err);
	}
	return inode;
}

struct file *ipc_region_create(u64 size)
{
	struct inode *inode;
	struct file *file;
	int err;

	err = ipc_regionfs_pin();
	if (err)
		return ERR_PTR(err);
	inode = make_anon_inode(size);
	if (IS_ERR(inode)) {
		file = ERR_CAST(inode);
		goto out_pin;
	}
	file = ipc_regionfs_file(inode, O_RDWR, &anon_fops);
	if (!IS_ERR(file))
		atomic_inc(&ipc_region_of_inode(inode)->files);
	/* The file has its own; without one the region goes here. */
	iput(inode);
	if (!IS_ERR(file))
		return file; /* and with it our share in the mount */
out_pin:
	ipc_regionfs_unpin();
	return file;
}

void ipc_region_init_limits(void)
{
	if (user_region_pages == ULONG_MAX)
		user_region_pages = totalram_pages() / 2;
}

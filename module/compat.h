/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between kernel versions, and nothing else
 *
 * Each name below is ours and means the same on every supported kernel.
 */
#ifndef IPCDEMO_COMPAT_H
#define IPCDEMO_COMPAT_H

#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/shrinker.h>
#include <linux/version.h>

#define NUMBER(major, minor) (1000 * (major) + (minor))
#define HAVE		     NUMBER(LINUX_VERSION_MAJOR, LINUX_VERSION_PATCHLEVEL)
#define SINCE(major, minor)  (NUMBER(major, minor) <= HAVE)

#if !SINCE(6, 1)
#error "ipcdemo needs Linux 6.1 or newer"
#endif

#ifndef CONFIG_64BIT
#error "ipcdemo needs a 64-bit kernel: its counters are read without a lock"
#endif

/* 6.2: the devnode callback sees a const device. */
#if SINCE(6, 2)
#define IPC_DEVNODE_DEVICE const struct device
#else
#define IPC_DEVNODE_DEVICE struct device
#endif

/* 6.4: class_create() takes the name alone. */
static inline struct class *ipc_class_create(const char *name)
{
#if SINCE(6, 4)
	return class_create(name);
#else
	return class_create(THIS_MODULE, name);
#endif
}

/* 6.6: a fault may hold the lock of its vma instead of mmap_lock. */
static inline void ipc_fault_unlock(struct vm_fault *vmf)
{
#if SINCE(6, 6)
	release_fault_lock(vmf);
#else
	mmap_read_unlock(vmf->vma->vm_mm);
#endif
}

/* What then asks for another try, with FAULT_FLAG_TRIED set in any case. */
#define IPC_FAULT_AGAIN (VM_FAULT_RETRY | VM_FAULT_MAJOR)

/* 6.7: the kernel allocates shrinkers. */
struct ipc_shrinker {
#if SINCE(6, 7)
	struct shrinker *shrinker;
#else
	struct shrinker shrinker;
#endif
};

typedef unsigned long ipc_shrink_fn(struct shrinker *shrinker,
				    struct shrink_control *control);

static inline int ipc_shrinker_add(struct ipc_shrinker *ipc,
				   ipc_shrink_fn *count, ipc_shrink_fn *scan)
{
#if SINCE(6, 7)
	ipc->shrinker = shrinker_alloc(0, KBUILD_MODNAME);
	if (!ipc->shrinker)
		return -ENOMEM;
	ipc->shrinker->count_objects = count;
	ipc->shrinker->scan_objects = scan;
	shrinker_register(ipc->shrinker);
	return 0;
#else
	ipc->shrinker = (struct shrinker){
		.count_objects = count,
		.scan_objects = scan,
		.seeks = DEFAULT_SEEKS,
	};
	return register_shrinker(&ipc->shrinker, KBUILD_MODNAME);
#endif
}

static inline void ipc_shrinker_remove(struct ipc_shrinker *ipc)
{
#if SINCE(6, 7)
	shrinker_free(ipc->shrinker);
#else
	unregister_shrinker(&ipc->shrinker);
#endif
}

/* 6.8: an eventfd is signalled by one, and there is no result. */
static inline void ipc_eventfd_signal(struct eventfd_ctx *eventfd)
{
#if SINCE(6, 8)
	eventfd_signal(eventfd);
#else
	eventfd_signal(eventfd, 1);
#endif
}

/* 6.5: from the page cache into a pipe, under another name. */
#if SINCE(6, 5)
#define ipc_file_splice_read filemap_splice_read
#else
#define ipc_file_splice_read generic_file_splice_read
#endif

/* 6.3: the setattr callback sees an idmap. */
#if SINCE(6, 3)
#define IPC_IDMAP struct mnt_idmap
#else
#define IPC_IDMAP struct user_namespace
#endif

/* 6.12: f_version, free for a driver's use, became f_pipe. */
static inline unsigned long ipc_file_cookie(const struct file *file)
{
#if SINCE(6, 12)
	return file->f_pipe;
#else
	return file->f_version;
#endif
}

static inline void ipc_file_set_cookie(struct file *file, unsigned long cookie)
{
#if SINCE(6, 12)
	file->f_pipe = cookie;
#else
	file->f_version = cookie;
#endif
}

/* 6.6: the time of change of an inode is set by a call; 6.7: all of them. */
static inline void ipc_inode_init_times(struct inode *inode)
{
#if SINCE(6, 7)
	simple_inode_init_ts(inode);
#elif SINCE(6, 6)
	inode->i_mtime = inode_set_ctime_current(inode);
	inode->i_atime = inode->i_mtime;
#else
	inode->i_ctime = current_time(inode);
	inode->i_mtime = inode->i_ctime;
	inode->i_atime = inode->i_ctime;
#endif
}

/* 6.3: the flags of a vma are changed by a call. */
static inline void ipc_vma_flags_clear(struct vm_area_struct *vma,
				       vm_flags_t flags)
{
#if SINCE(6, 3)
	vm_flags_clear(vma, flags);
#else
	vma->vm_flags &= ~flags;
#endif
}

/* 6.3: that one, and what stands for "as it is". */
#if SINCE(6, 3)
#define IPC_NOP_IDMAP (&nop_mnt_idmap)
#else
#define IPC_NOP_IDMAP (&init_user_ns)
#endif

/* 6.15: mkdir returns a dentry: NULL, or an error. */
#if SINCE(6, 15)
#define IPC_MKDIR_RETURN	struct dentry *
#define IPC_MKDIR_RESULT(error) ERR_PTR(error)
#else
#define IPC_MKDIR_RETURN	int
#define IPC_MKDIR_RESULT(error) (error)
#endif

/* 6.19: names that only memory knows are marked, not just kept. */
static inline void ipc_d_make_persistent(struct dentry *dentry,
					 struct inode *inode)
{
#if SINCE(6, 19)
	d_make_persistent(dentry, inode);
#else
	d_instantiate(dentry, inode);
	dget(dentry);
#endif
}

static inline void ipc_kill_litter_super(struct super_block *sb)
{
#if SINCE(6, 19)
	kill_anon_super(sb);
#else
	kill_litter_super(sb);
#endif
}

/* A directory has changed now; see ipc_inode_init_times() for the versions. */
static inline void ipc_inode_touch(struct inode *inode)
{
#if SINCE(6, 7)
	inode_set_mtime_to_ts(inode, inode_set_ctime_current(inode));
#elif SINCE(6, 6)
	inode->i_mtime = inode_set_ctime_current(inode);
#else
	inode->i_ctime = current_time(inode);
	inode->i_mtime = inode->i_ctime;
#endif
}

/*
 * 6.4: the ends that pipe2() makes know IOCB_NOWAIT: preadv2(RWF_NOWAIT) works,
 * and io_uring tries before it has a worker wait.  FIFOs still do not.
 */
static inline void ipc_file_knows_nowait(struct file *file)
{
#if SINCE(6, 4)
	file->f_mode |= FMODE_NOWAIT;
#endif
}

/* 6.15: a read that finds nothing signals async writers only in the end. */
#if SINCE(6, 15)
#define IPC_READ_SIGNALS_BEFORE_SLEEP false
#else
#define IPC_READ_SIGNALS_BEFORE_SLEEP true
#endif

/*
 * Splice from a file that can be.  6.5: a file that goes round the page cache is
 * read into pages of its own, and the caller sees to that.
 */
static inline ssize_t ipc_splice_from_file(struct file *file, loff_t *pos,
					   struct pipe_inode_info *pipe,
					   size_t len, unsigned int flags)
{
#if SINCE(6, 5)
	if ((file->f_flags & O_DIRECT) || IS_DAX(file->f_mapping->host))
		return copy_splice_read(file, pos, pipe, len, flags);
#endif
	return file->f_op->splice_read(file, pos, pipe, len, flags);
}

/* 6.6: what is known of a request for a dump is as of any other one. */
#if SINCE(6, 6)
#define IPC_GENL_DUMP_ATTRS(cb) (genl_info_dump(cb)->attrs)
#else
#define IPC_GENL_DUMP_ATTRS(cb) (genl_dumpit_info(cb)->attrs)
#endif

#undef SINCE
#undef HAVE
#undef NUMBER

#endif /* IPCDEMO_COMPAT_H */

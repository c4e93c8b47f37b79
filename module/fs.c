// SPDX-License-Identifier: GPL-2.0
/* ipcdemofs (see fs.h). */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/fs.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/pagemap.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <linux/user_namespace.h>

#include "compat.h"
#include "end.h"
#include "fs.h"
#include "pipe.h"
#include "region_file.h"

#define FS_MAGIC    0x69706366 /* "ipcf" */

/* As many inodes as tmpfs allows on a machine with 2 GiB. */
#define MOST_INODES 262144

/**
 * struct options - what mount -o says
 * @mode:	of the root directory
 * @uid:	its owner
 * @gid:	its group
 * @nr_inodes:	so many at most; 0: any number
 * @given:	bits (1 << enum) of those that were named
 */
struct options {
	umode_t mode;
	kuid_t uid;
	kgid_t gid;
	unsigned long nr_inodes;
	unsigned int given;
};

/* What belongs to one mount; s_fs_info. */
struct super {
	struct options options; /* s_umount, but for nr_inodes: lock */
	spinlock_t lock;
	unsigned long inodes; /* lock; how many there are */
};

static struct super *super_of(struct super_block *sb)
{
	return sb->s_fs_info;
}

static const struct inode_operations dir_ops;

/* --- inodes --- */

static bool take_inode(struct super *super)
{
	bool taken;

	spin_lock(&super->lock);
	taken = !super->options.nr_inodes ||
		super->inodes < super->options.nr_inodes;
	super->inodes += taken;
	spin_unlock(&super->lock);
	return taken;
}

static void return_inode(struct super *super)
{
	spin_lock(&super->lock);
	super->inodes--;
	spin_unlock(&super->lock);
}

/*
 * The path of a FIFO or region inside its file system, of one of its names.
 *
 * No reference is taken: to drop the last one here, inside a view, would remove
 * that very view.  Instead name_lock keeps evict_inode() from going on, so the
 * inode is there, and i_lock keeps its dentries.
 */
static char *path_of(struct ipc_object *object, char *buf, int size)
{
	static const char deleted[] = "//deleted";
	struct dentry *dentry = NULL, *alias;
	char *path = ERR_PTR(-ENOENT);
	struct inode *inode;

	spin_lock(&object->name_lock);
	inode = object->inode;
	if (!inode)
		goto out;
	spin_lock(&inode->i_lock);
	/* A name that is still there, if it has one. */
	hlist_for_each_entry(alias, &inode->i_dentry, d_u.d_alias) {
		if (!dentry || d_unlinked(dentry))
			dentry = alias;
	}
	if (dentry && d_unlinked(dentry) && size > sizeof(deleted)) {
		size -= sizeof(deleted) - 1;
		path = dentry_path_raw(dentry, buf, size);
		memcpy(buf + size - 1, deleted, sizeof(deleted));
	} else if (dentry) {
		path = dentry_path_raw(dentry, buf, size);
	}
	spin_unlock(&inode->i_lock);
out:
	spin_unlock(&object->name_lock);
	return path;
}

/* A pipe that is shown, for a new inode whose owner and mode are set. */
static int make_pipe(struct inode *inode)
{
	struct ipc_pipe *pipe = ipc_pipe_create("-", 0);
	int err;

	if (IS_ERR(pipe))
		return PTR_ERR(pipe);
	ipc_object_follow(&pipe->object, inode);
	pipe->object.dev = inode->i_sb->s_dev;
	pipe->object.ino = inode->i_ino;
	pipe->object.inode = inode;
	pipe->object.name_now = path_of;
	err = ipc_object_count(&pipe->object);
	if (!err)
		err = ipc_object_add(&pipe->object);
	if (err) {
		ipc_object_put(&pipe->object);
		return err;
	}
	inode->i_private = pipe;
	inode->i_fop = &ipc_end_fops;
	return 0;
}

static int fifo_setattr(IPC_IDMAP *idmap, struct dentry *dentry,
			struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	struct ipc_pipe *pipe = inode->i_private;
	int err = simple_setattr(idmap, dentry, attr);

	if (!err)
		ipc_object_follow(&pipe->object, inode);
	return err;
}

static const struct inode_operations fifo_ops = {
	.setattr = fifo_setattr,
	.getattr = simple_getattr,
};

static const struct inode_operations other_ops = {
	.setattr = simple_setattr,
	.getattr = simple_getattr,
};

/* Return: an inode without a name, or ERR_PTR. */
static struct inode *make_inode(IPC_IDMAP *idmap, struct super_block *sb,
				const struct inode *dir, umode_t mode)
{
	struct inode *inode;
	int err = 0;

	if (!take_inode(super_of(sb)))
		return ERR_PTR(-ENOSPC);
	inode = new_inode(sb);
	if (!inode) {
		return_inode(super_of(sb));
		return ERR_PTR(-ENOMEM);
	}
	inode->i_ino = get_next_ino();
	inode_init_owner(idmap, inode, dir, mode);
	ipc_inode_init_times(inode);
	switch (mode & S_IFMT) {
	case S_IFDIR:
		inode->i_op = &dir_ops;
		inode->i_fop = &simple_dir_operations;
		/* Its own "." counts, too. */
		inc_nlink(inode);
		break;
	case S_IFLNK:
		inode->i_op = &page_symlink_inode_operations;
		inode->i_mapping->a_ops = &ram_aops;
		mapping_set_unevictable(inode->i_mapping);
		inode_nohighmem(inode);
		break;
	case S_IFREG:
		err = ipc_region_make(inode, path_of);
		break;
	case S_IFIFO:
		init_special_inode(inode, mode, 0);
		inode->i_op = &fifo_ops;
		err = make_pipe(inode);
		break;
	default:
		init_special_inode(inode, mode, 0);
		inode->i_op = &other_ops;
		break;
	}
	if (err) {
		iput(inode);
		return ERR_PTR(err);
	}
	return inode;
}

static void evict_inode(struct inode *inode)
{
	struct ipc_pipe *pipe = inode->i_private;

	if (S_ISREG(inode->i_mode)) {
		ipc_region_evict(inode);
		return_inode(super_of(inode->i_sb));
		return;
	}
	truncate_inode_pages_final(&inode->i_data);
	clear_inode(inode);
	if (pipe) {
		/* From here on it has no name: see path_of(). */
		spin_lock(&pipe->object.name_lock);
		pipe->object.inode = NULL;
		spin_unlock(&pipe->object.name_lock);
		ipc_pipe_retire(pipe);
	}
	return_inode(super_of(inode->i_sb));
}

/* --- directories --- */

static int add_name(IPC_IDMAP *idmap, struct inode *dir, struct dentry *dentry,
		    umode_t mode, const char *target)
{
	struct inode *inode = make_inode(idmap, dir->i_sb, dir, mode);
	int err;

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	if (target) {
		err = page_symlink(inode, target, strlen(target) + 1);
		if (err) {
			iput(inode);
			return err;
		}
	}
	if (S_ISDIR(mode))
		inc_nlink(dir);
	ipc_d_make_persistent(dentry, inode);
	ipc_inode_touch(dir);
	return 0;
}

static int dir_mknod(IPC_IDMAP *idmap, struct inode *dir, struct dentry *dentry,
		     umode_t mode, dev_t dev)
{
	if (!S_ISFIFO(mode) && !S_ISSOCK(mode) && !S_ISREG(mode))
		return -EPERM;
	return add_name(idmap, dir, dentry, mode, NULL);
}

static int dir_create(IPC_IDMAP *idmap, struct inode *dir,
		      struct dentry *dentry, umode_t mode, bool excl)
{
	return add_name(idmap, dir, dentry, mode | S_IFREG, NULL);
}

static IPC_MKDIR_RETURN dir_mkdir(IPC_IDMAP *idmap, struct inode *dir,
				  struct dentry *dentry, umode_t mode)
{
	int err = add_name(idmap, dir, dentry, mode | S_IFDIR, NULL);

	return IPC_MKDIR_RESULT(err);
}

static int dir_symlink(IPC_IDMAP *idmap, struct inode *dir,
		       struct dentry *dentry, const char *target)
{
	return add_name(idmap, dir, dentry, S_IFLNK | 0777, target);
}

static const struct inode_operations dir_ops = {
	.create = dir_create,
	.lookup = simple_lookup,
	.link = simple_link,
	.unlink = simple_unlink,
	.symlink = dir_symlink,
	.mkdir = dir_mkdir,
	.rmdir = simple_rmdir,
	.mknod = dir_mknod,
	.rename = simple_rename,
	.setattr = simple_setattr,
	.getattr = simple_getattr,
};

/* --- the super block --- */

enum option { OPT_MODE, OPT_UID, OPT_GID, OPT_NR_INODES };

static const struct fs_parameter_spec option_specs[] = {
	fsparam_u32oct("mode", OPT_MODE),
	fsparam_u32("uid", OPT_UID),
	fsparam_u32("gid", OPT_GID),
	fsparam_string("nr_inodes", OPT_NR_INODES),
	{},
};

static int parse_option(struct fs_context *fc, struct fs_parameter *param)
{
	struct options *options = fc->fs_private;
	struct fs_parse_result result;
	int option = fs_parse(fc, option_specs, param, &result);
	char *rest;

	if (option < 0)
		return option;
	switch ((enum option)option) {
	case OPT_MODE:
		options->mode = result.uint_32 & 07777;
		break;
	case OPT_UID:
		options->uid = make_kuid(current_user_ns(), result.uint_32);
		if (!uid_valid(options->uid))
			return invalfc(fc, "uid=%s: no such user here",
				       param->string);
		break;
	case OPT_GID:
		options->gid = make_kgid(current_user_ns(), result.uint_32);
		if (!gid_valid(options->gid))
			return invalfc(fc, "gid=%s: no such group here",
				       param->string);
		break;
	case OPT_NR_INODES:
		/* 100, 8k or 1m, as with tmpfs. */
		options->nr_inodes = memparse(param->string, &rest);
		if (*rest || rest == param->string)
			return invalfc(fc, "nr_inodes=%s: not a number",
				       param->string);
		break;
	}
	options->given |= 1U << option;
	return 0;
}

static int show_options(struct seq_file *m, struct dentry *root)
{
	const struct options *options = &super_of(root->d_sb)->options;
	struct user_namespace *ns = seq_user_ns(m);

	if (options->given & (1U << OPT_MODE))
		seq_printf(m, ",mode=%03o", options->mode);
	if (options->given & (1U << OPT_UID))
		seq_printf(m, ",uid=%u", from_kuid_munged(ns, options->uid));
	if (options->given & (1U << OPT_GID))
		seq_printf(m, ",gid=%u", from_kgid_munged(ns, options->gid));
	if (options->given & (1U << OPT_NR_INODES))
		seq_printf(m, ",nr_inodes=%lu", READ_ONCE(options->nr_inodes));
	return 0;
}

static int show_statfs(struct dentry *dentry, struct kstatfs *statfs)
{
	struct super *super = super_of(dentry->d_sb);
	int err = simple_statfs(dentry, statfs);

	if (err)
		return err;
	spin_lock(&super->lock);
	if (super->options.nr_inodes) {
		statfs->f_files = super->options.nr_inodes;
		statfs->f_ffree = super->options.nr_inodes - super->inodes;
	}
	spin_unlock(&super->lock);
	return 0;
}

static const struct super_operations super_ops = {
	.statfs = show_statfs,
	.drop_inode = generic_delete_inode,
	.evict_inode = evict_inode,
	.show_options = show_options,
};

static int fill_super(struct super_block *sb, struct fs_context *fc)
{
	const struct options *options = fc->fs_private;
	struct super *super = kzalloc(sizeof(*super), GFP_KERNEL_ACCOUNT);
	struct inode *root;

	if (!super)
		return -ENOMEM;
	spin_lock_init(&super->lock);
	super->options = *options;
	/* kill_super() frees it, whatever fails here. */
	sb->s_fs_info = super;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_magic = FS_MAGIC;
	sb->s_op = &super_ops;
	sb->s_time_gran = 1;
	/* A region can be no program, as that of the device. */
	sb->s_iflags |= SB_I_NOEXEC;

	root = make_inode(IPC_NOP_IDMAP, sb, NULL, S_IFDIR | options->mode);
	if (IS_ERR(root))
		return PTR_ERR(root);
	root->i_uid = options->uid;
	root->i_gid = options->gid;
	/* Drops the inode if it fails. */
	sb->s_root = d_make_root(root);
	return sb->s_root ? 0 : -ENOMEM;
}

static int get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, fill_super);
}

/* mount -o remount: the number of inodes can change, the rest is of the root. */
static int reconfigure(struct fs_context *fc)
{
	const struct options *options = fc->fs_private;
	struct super *super = super_of(fc->root->d_sb);
	int err = 0;

	if (!(options->given & (1U << OPT_NR_INODES)))
		return 0;
	spin_lock(&super->lock);
	if (options->nr_inodes && options->nr_inodes < super->inodes) {
		err = -EINVAL;
	} else {
		WRITE_ONCE(super->options.nr_inodes, options->nr_inodes);
		super->options.given |= 1U << OPT_NR_INODES;
	}
	spin_unlock(&super->lock);
	return err ? invalfc(fc, "nr_inodes: more are in use") : 0;
}

static void free_context(struct fs_context *fc)
{
	kfree(fc->fs_private);
}

static const struct fs_context_operations context_ops = {
	.free = free_context,
	.parse_param = parse_option,
	.get_tree = get_tree,
	.reconfigure = reconfigure,
};

static int init_context(struct fs_context *fc)
{
	struct options *options = kzalloc(sizeof(*options), GFP_KERNEL);

	if (!options)
		return -ENOMEM;
	options->mode = 01777;
	options->uid = current_fsuid();
	options->gid = current_fsgid();
	options->nr_inodes = MOST_INODES;
	fc->fs_private = options;
	fc->ops = &context_ops;
	return 0;
}

static void kill_super(struct super_block *sb)
{
	struct super *super = super_of(sb);

	ipc_kill_litter_super(sb);
	kfree(super);
}

static struct file_system_type fs_type = {
	.owner = THIS_MODULE,
	.name = "ipcdemofs",
	.init_fs_context = init_context,
	.parameters = option_specs,
	.kill_sb = kill_super,
};
MODULE_ALIAS_FS("ipcdemofs");

static bool registered;

void ipc_fs_init(void)
{
	int err = register_filesystem(&fs_type);

	registered = !err;
	if (err)
		pr_err("the file system %s cannot be registered (%d): no named pipes\n",
		       fs_type.name, err);
}

void ipc_fs_exit(void)
{
	if (registered)
		unregister_filesystem(&fs_type);
}

// SPDX-License-Identifier: GPL-2.0
/* /dev/ipcdemo: files of the device (see chardev.h). */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/ipcdemo.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/stat.h>

#include "chardev.h"
#include "compat.h"
#include "end.h"
#include "gate.h"
#include "ioctl.h"
#include "main.h"
#include "pipe.h"
#include "pipefs.h"
#include "region_default.h"

#define DEVICE_NAME "ipcdemo"

static ushort mode = 0666;
module_param(mode, ushort, 0444);
MODULE_PARM_DESC(mode,
		 "permission bits of /dev/ipcdemo (octal with a leading 0)");

static unsigned long region_size = 1UL << 20;
module_param(region_size, ulong, 0444);
MODULE_PARM_DESC(region_size,
		 "bytes of the default region, rounded up to pages (to 4 GiB)");

static dev_t number;
static struct cdev *cdev;
static struct class *class;

/* Set before the device can be opened, cleared after it no longer can be. */
static struct ipc_defaults defaults;

/* --- a control descriptor --- */

static int control_release(struct inode *inode, struct file *file)
{
	struct ipc_control *control = file->private_data;

	ipc_controller_close(control->controller);
	if (atomic_read(&control->makes_pipes))
		ipc_pipefs_unpin();
	kfree(control);
	return 0;
}

/* Each close(2) of a descriptor comes here, and exit closes them all. */
static int control_flush(struct file *file, fl_owner_t id)
{
	struct ipc_control *control = file->private_data;

	ipc_controller_flush(control->controller);
	return 0;
}

static __poll_t control_poll(struct file *file, struct poll_table_struct *wait)
{
	struct ipc_control *control = file->private_data;

	return ipc_controller_poll(control->controller, file, wait);
}

static void control_show_fdinfo(struct seq_file *m, struct file *file)
{
	seq_printf(m, "ipcdemo-object:\t%u\nipcdemo-end:\tcontrol\n",
		   defaults.pipe->object.id);
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.release = control_release,
	.flush = control_flush,
	.poll = control_poll,
	.unlocked_ioctl = ipc_control_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = control_show_fdinfo,
};

static int control_open(struct file *file)
{
	struct ipc_control *control;

	control = kzalloc(sizeof(*control), GFP_KERNEL_ACCOUNT);
	if (!control)
		return -ENOMEM;
	control->controller = ipc_controller_create();
	if (IS_ERR(control->controller)) {
		kfree(control);
		return -ENOMEM;
	}
	control->defaults = &defaults;
	file->private_data = control;
	/* Same owner: the module reference goes with it. */
	file->f_op = &control_fops;
	return 0;
}

/* --- an end of the default pipe --- */

/* Both ends: such a file can be mapped. */
static bool may_map(struct file *file)
{
	return (file->f_mode & FMODE_READ) && (file->f_mode & FMODE_WRITE);
}

static int dev_open(struct inode *inode, struct file *file)
{
	int err;

	if (!(file->f_mode & (FMODE_READ | FMODE_WRITE)))
		return control_open(file);
	file->private_data = defaults.pipe;
	if (may_map(file)) {
		err = ipc_region_hold(defaults.region);
		if (err)
			return err;
	}
	err = ipc_pipe_open(defaults.pipe, file);
	if (err && may_map(file))
		ipc_region_unhold(defaults.region);
	return err;
}

static int end_release(struct inode *inode, struct file *file)
{
	ipc_pipe_close(file->private_data, file);
	if (may_map(file))
		ipc_region_unhold(defaults.region);
	return 0;
}

static int end_mmap(struct file *file, struct vm_area_struct *vma)
{
	return ipc_region_mmap(defaults.region, file, vma);
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
	.open = dev_open,
	.release = end_release,
	.read_iter = ipc_end_read_iter,
	.write_iter = ipc_end_write_iter,
	.splice_read = ipc_end_splice_read,
	.splice_write = ipc_end_splice_write,
	.poll = ipc_end_poll,
	.fasync = ipc_end_fasync,
	.mmap = end_mmap,
	.unlocked_ioctl = ipc_end_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.show_fdinfo = ipc_end_show_fdinfo,
};

/* --- birth and death --- */

static char *dev_node(IPC_DEVNODE_DEVICE *device, umode_t *node_mode)
{
	if (node_mode)
		*node_mode = mode;
	return NULL;
}

static int make_pipe(void)
{
	struct ipc_pipe *pipe;
	int err;

	pipe = ipc_pipe_create("/dev/" DEVICE_NAME, mode);
	if (IS_ERR(pipe))
		return PTR_ERR(pipe);
	err = ipc_object_add(&pipe->object);
	if (err) {
		ipc_object_put(&pipe->object);
		return err;
	}
	defaults.pipe = pipe;
	return 0;
}

static void drop_pipe(void)
{
	ipc_object_remove(&defaults.pipe->object);
	ipc_object_put(&defaults.pipe->object);
	defaults.pipe = NULL;
}

static int make_region(void)
{
	struct ipc_region *region;
	int err;

	region = ipc_region_default_create("/dev/" DEVICE_NAME, mode,
					   region_size);
	if (IS_ERR(region))
		return PTR_ERR(region);
	err = ipc_object_add(&region->object);
	if (err) {
		ipc_object_put(&region->object);
		return err;
	}
	defaults.region = region;
	return 0;
}

static void drop_region(void)
{
	ipc_object_remove(&defaults.region->object);
	ipc_object_put(&defaults.region->object);
	defaults.region = NULL;
}

int ipc_defaults_init(void)
{
	int err;

	if (mode & ~0777) {
		pr_err("mode=0%o: only permission bits are possible, as in mode=0660\n",
		       mode);
		return -EINVAL;
	}
	err = make_pipe();
	if (err)
		goto err_pipe;
	err = make_region();
	if (err == -EINVAL)
		pr_err("region_size=%lu: must be from 1 byte to 4 GiB\n",
		       region_size);
	if (err)
		goto err_region;
	return 0;

err_region:
	drop_pipe();
err_pipe:
	return err;
}

void ipc_defaults_exit(void)
{
	drop_region();
	drop_pipe();
}

/*
 * cdev_add() is the last step of loading: from then on the device can be
 * opened, and the module cannot go back whatever fails.
 */
int ipc_chardev_init(void)
{
	struct device *device;
	int err;

	err = ipc_load_fault("device number");
	if (!err)
		err = alloc_chrdev_region(&number, 0, 1, DEVICE_NAME);
	if (err)
		goto err_number;

	err = ipc_load_fault("device class");
	if (err)
		goto err_class;
	class = ipc_class_create(DEVICE_NAME);
	if (IS_ERR(class)) {
		err = PTR_ERR(class);
		goto err_class;
	}
	class->devnode = dev_node;

	err = -ENOMEM;
	cdev = ipc_load_fault("character device") ? NULL : cdev_alloc();
	if (!cdev)
		goto err_cdev;
	cdev->ops = &dev_fops;
	cdev->owner = THIS_MODULE;

	err = ipc_load_fault("device node");
	if (err)
		goto err_device;
	device = device_create(class, NULL, number, NULL, DEVICE_NAME);
	if (IS_ERR(device)) {
		err = PTR_ERR(device);
		goto err_device;
	}

	err = ipc_load_fault("way to the device");
	if (!err)
		err = cdev_add(cdev, number, 1);
	if (err)
		goto err_add;
	return 0;

err_add:
	device_destroy(class, number);
err_device:
	kobject_put(&cdev->kobj);
err_cdev:
	class_destroy(class);
err_class:
	unregister_chrdev_region(number, 1);
err_number:
	return err;
}

void ipc_chardev_exit(void)
{
	cdev_del(cdev);
	device_destroy(class, number);
	class_destroy(class);
	unregister_chrdev_region(number, 1);
}

// SPDX-License-Identifier: GPL-2.0
/* Load and unload: the steps in order, and in reverse. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ipcdemo.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "chardev.h"
#include "events.h"
#include "fs.h"
#include "gate.h"
#include "main.h"
#include "netlink.h"
#include "object.h"
#include "procfs.h"
#include "reclaim.h"
#include "region_file.h"

static unsigned int fail_load;
module_param(fail_load, uint, 0444);
MODULE_PARM_DESC(fail_load,
		 "test aid: the N-th acquisition of loading fails (0: none)");

/* Only init touches it. */
static unsigned int acquisitions;
static bool loaded;

int ipc_load_fault(const char *what)
{
	if (loaded || ++acquisitions != fail_load)
		return 0;
	pr_info("fail_load=%u: no memory for %s\n", fail_load, what);
	return -ENOMEM;
}

static int __init ipcdemo_init(void)
{
	int err;

	ipc_region_init_limits();
	err = ipc_procfs_init();
	if (err)
		goto err_procfs;
	err = ipc_objects_init();
	if (err)
		goto err_objects;
	err = ipc_defaults_init();
	if (err)
		goto err_defaults;
	err = ipc_reclaim_init();
	if (err)
		goto err_reclaim;
	err = ipc_events_init();
	if (err)
		goto err_events;
	/* The last that may fail: then the device can be opened. */
	err = ipc_chardev_init();
	if (err)
		goto err_chardev;
	ipc_netlink_init();
	ipc_fs_init();
	loaded = true;
	return 0;

err_chardev:
	ipc_events_exit();
err_events:
	ipc_reclaim_exit();
err_reclaim:
	ipc_defaults_exit();
err_defaults:
	ipc_objects_exit();
err_objects:
	ipc_procfs_exit();
	ipc_batch_exit();
	/* Its files may have been polled. */
	ipc_gates_exit();
err_procfs:
	return err;
}

static void __exit ipcdemo_exit(void)
{
	ipc_fs_exit();
	ipc_chardev_exit();
	ipc_netlink_exit();
	ipc_events_exit();
	ipc_reclaim_exit();
	ipc_defaults_exit();
	ipc_objects_exit();
	ipc_procfs_exit();
	ipc_batch_exit();
	ipc_gates_exit();
}

module_init(ipcdemo_init);
module_exit(ipcdemo_exit);

MODULE_DESCRIPTION("A pipe and shared memory that one can see through");
MODULE_AUTHOR("The ipcdemo developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(IPCDEMO_VERSION);

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ioctls: one function for each kind of descriptor
 *
 * The contract is module/uapi/linux/ipcdemo.h.  All may sleep.
 */
#ifndef IPCDEMO_IOCTL_H
#define IPCDEMO_IOCTL_H

#include <linux/fs.h>

struct ipc_controller;
struct ipc_pipe;
struct ipc_region;

/* What id 0 means on a control descriptor. */
struct ipc_defaults {
	struct ipc_pipe *pipe;
	struct ipc_region *region;
};

/* The private_data of a control descriptor's file. */
struct ipc_control {
	const struct ipc_defaults *defaults;
	struct ipc_controller *controller;
	/*
	 * It has made a pipe, and a share in the mount for those that it will
	 * make: to mount for each of them takes longer than all the rest.
	 */
	atomic_t makes_pipes;
};

long ipc_control_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* An end of a pipe: private_data is the pipe. */
long ipc_end_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* A file of a region: the inode's i_private is the region. */
long ipc_region_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* IPCDEMO_IOCTL_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/ipcdemo: files of the device, and the two default objects behind it
 *
 * A cdev of its own: opening a misc device holds a mutex that all misc devices
 * share, and a FIFO open may wait for ever.
 */
#ifndef IPCDEMO_CHARDEV_H
#define IPCDEMO_CHARDEV_H

/* Make the default objects.  May sleep.  Return: 0 or -errno. */
int ipc_defaults_init(void);

/* The reverse.  No file of the device is open, no view is looking. */
void ipc_defaults_exit(void);

/*
 * Make the device.  May sleep.  Must be the last step of loading that may fail:
 * once it has succeeded, somebody may have the device open.  Return: 0 or -errno.
 */
int ipc_chardev_init(void);

/* The reverse.  No file of the device is open. */
void ipc_chardev_exit(void);

#endif /* IPCDEMO_CHARDEV_H */

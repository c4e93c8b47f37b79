/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /proc/ipcdemo: the state as text
 *
 * A view: it reads and never decides.  It takes no lock that a reader or writer
 * of a pipe takes, but for the spinlock of a wait queue.  The formats are in
 * docs/proc.md.
 */
#ifndef IPCDEMO_PROCFS_H
#define IPCDEMO_PROCFS_H

struct ipc_object;

int ipc_procfs_init(void);
void ipc_procfs_exit(void);

/* Show one object as pipe/ID or region/ID.  May sleep.  Return: 0 or -ENOMEM. */
int ipc_procfs_add(struct ipc_object *object);

/* Take it away; waits until nobody is reading it.  May sleep. */
void ipc_procfs_remove(struct ipc_object *object);

#endif /* IPCDEMO_PROCFS_H */

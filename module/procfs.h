/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /proc/ipcdemo: the state as text
 *
 * A view: it reads and never decides.  It takes no lock that a reader or writer
 * of a pipe takes, but for spinlocks: of a wait queue, of the trail, of the gates.
 * The formats are in docs/proc.md.
 *
 * Who polls the file of an object is told when it says something else than what
 * he read.  What it says is summed up for that in a number, when it is read and
 * when it is polled; and as soon as somebody has polled, each point of any object
 * lets those who sleep compare again.  Until then it costs nothing.
 */
#ifndef IPCDEMO_PROCFS_H
#define IPCDEMO_PROCFS_H

#include <linux/jump_label_ratelimit.h>

struct ipc_object;

/* Somebody has polled; looked at only where somebody looks (gate.h). */
extern struct static_key_false_deferred ipc_polled;

/* An object may have changed.  Any context. */
void ipc_procfs_changed(void);

/* The same where no point tells of the change. */
static __always_inline void ipc_procfs_note(void)
{
	if (static_branch_unlikely(&ipc_polled.key))
		ipc_procfs_changed();
}

int ipc_procfs_init(void);
void ipc_procfs_exit(void);

/* Show one object as pipe/ID or region/ID.  May sleep.  Return: 0 or -ENOMEM. */
int ipc_procfs_add(struct ipc_object *object);

/* Take it away; waits until nobody is reading it.  May sleep. */
void ipc_procfs_remove(struct ipc_object *object);

#endif /* IPCDEMO_PROCFS_H */

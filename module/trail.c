// SPDX-License-Identifier: GPL-2.0
/* Who did what to a pipe last (see trail.h). */
#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "trail.h"

const char *const ipc_trail_names[IPC_NR_TRAIL] = {
	[IPC_TRAIL_READ] = "read",
	[IPC_TRAIL_WRITE] = "write",
	[IPC_TRAIL_READ_TURN] = "read.turn",
	[IPC_TRAIL_WRITE_TURN] = "write.turn",
	[IPC_TRAIL_READ_AGAIN] = "read.again",
	[IPC_TRAIL_WRITE_AGAIN] = "write.again",
	[IPC_TRAIL_EPIPE] = "write.epipe",
	[IPC_TRAIL_TORN] = "write.torn",
	[IPC_TRAIL_LEFT] = "close.again",
};

void ipc_trail_init(struct ipc_trail *trail)
{
	memset(trail, 0, sizeof(*trail));
	spin_lock_init(&trail->lock);
}

void ipc_trail_clear(struct ipc_trail *trail)
{
	struct ipc_trace *trace;
	int i;

	spin_lock(&trail->lock);
	for (i = 0; i < IPC_NR_TRAIL; i++) {
		trace = &trail->trace[i];
		put_pid(trace->pid);
		put_pid(trace->before);
		memset(trace, 0, sizeof(*trace));
	}
	spin_unlock(&trail->lock);
	WRITE_ONCE(trail->again, false);
}

void ipc_trail_changes(struct ipc_trail *trail, enum ipc_trail_event event)
{
	struct ipc_trace *trace = &trail->trace[event];
	struct pid *now = get_pid(task_tgid(current));
	struct pid *oldest = trace->before;
	bool turn = oldest == now;

	spin_lock(&trail->lock);
	trace->before = trace->pid;
	trace->pid = now;
	get_task_comm(trace->comm, current);
	spin_unlock(&trail->lock);
	put_pid(oldest);

	if (event != IPC_TRAIL_READ && event != IPC_TRAIL_WRITE)
		return;
	if (trace->before)
		WRITE_ONCE(trace->count, trace->count + 1);
	if (turn)
		ipc_trail_count(trail, event == IPC_TRAIL_READ
					       ? IPC_TRAIL_READ_TURN
					       : IPC_TRAIL_WRITE_TURN);
}

bool ipc_trail_copy(struct ipc_trail *trail, enum ipc_trail_event event,
		    struct ipc_trace_copy *copy)
{
	struct ipc_trace *trace = &trail->trace[event];

	spin_lock(&trail->lock);
	copy->pid = get_pid(trace->pid);
	memcpy(copy->comm, trace->comm, sizeof(copy->comm));
	spin_unlock(&trail->lock);
	copy->count = READ_ONCE(trace->count);
	copy->ago_ms = jiffies_to_msecs(jiffies - READ_ONCE(trace->when));
	return copy->pid;
}

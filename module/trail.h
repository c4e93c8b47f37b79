/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trail of a pipe: who did what to it last, for the views
 *
 * It tells what the ring and the queues cannot, for it is over: which process has
 * read last and how long ago, whose write was torn, who has gone after an EAGAIN.
 * Nothing of it decides anything.  It begins anew when nobody has the pipe open,
 * but with kernel persistence goes on.
 *
 * Cost.  A call that moves bytes stores the time and compares one pointer; only if
 * it is another process than the time before there is more to do.  The time is
 * that of the timer tick, a few milliseconds, which costs a load.
 *
 * Locks.  All changes are made under the pipe's mutex, but for poll, which only
 * clears a flag.  The views do not take that; against them the lock of the trail
 * guards the pids and the commands, which it takes two words to change.  Times and
 * counts are single words: READ_ONCE.  A view may see the new time beside the old
 * process, or the reverse, while a call is under way.
 */
#ifndef IPCDEMO_TRAIL_H
#define IPCDEMO_TRAIL_H

#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/types.h>

enum ipc_trail_event {
	IPC_TRAIL_READ, /* a read took bytes */
	IPC_TRAIL_WRITE, /* a write put bytes */
	IPC_TRAIL_READ_TURN, /* two take turns in reading: A, B and A again */
	IPC_TRAIL_WRITE_TURN, /* likewise in writing */
	IPC_TRAIL_READ_AGAIN, /* a read returned EAGAIN */
	IPC_TRAIL_WRITE_AGAIN, /* a write returned EAGAIN with nothing written */
	IPC_TRAIL_EPIPE, /* a write found no reader */
	IPC_TRAIL_TORN, /* others wrote between the parts of a write */
	IPC_TRAIL_LEFT, /* a read end was closed after EAGAIN, before the end */
	IPC_NR_TRAIL,
};

/*
 * struct ipc_trace - one kind of event
 * @pid:	trail's lock; the process that it was last, NULL: it never was
 * @comm:	likewise; its command when it became the last one
 * @before:	mutex; who it was before that one
 * @when:	mutex; jiffies
 * @count:	mutex; how often.  Of a read or write: how often it was another
 *		process than the time before
 */
struct ipc_trace {
	struct pid *pid;
	struct pid *before;
	unsigned long when;
	u64 count;
	char comm[TASK_COMM_LEN];
};

/*
 * struct ipc_trail - all of them
 * @lock:	see above
 * @again:	the last read returned EAGAIN, and nobody has polled since
 */
struct ipc_trail {
	spinlock_t lock; /* guards the pids and commands against views */
	bool again;
	struct ipc_trace trace[IPC_NR_TRAIL];
};

/* A copy for a view; holds a reference to @pid. */
struct ipc_trace_copy {
	struct pid *pid;
	u64 count;
	u64 ago_ms;
	char comm[TASK_COMM_LEN];
};

/*
 * What the views call the events.  Only write.epipe is a point, too: the others are
 * what several points, or several calls, come to.
 */
extern const char *const ipc_trail_names[IPC_NR_TRAIL];

void ipc_trail_init(struct ipc_trail *trail);

/* Forget all.  The mutex is held. */
void ipc_trail_clear(struct ipc_trail *trail);

/* It is another process than the time before.  The mutex is held. */
void ipc_trail_changes(struct ipc_trail *trail, enum ipc_trail_event event);

/* Copy one trace.  Return: whether there is one; then put the copy's pid. */
bool ipc_trail_copy(struct ipc_trail *trail, enum ipc_trail_event event,
		    struct ipc_trace_copy *copy);

static inline void ipc_trail_leave(struct ipc_trail *trail,
				   enum ipc_trail_event event)
{
	struct ipc_trace *trace = &trail->trace[event];

	WRITE_ONCE(trace->when, jiffies);
	if (unlikely(trace->pid != task_tgid(current)))
		ipc_trail_changes(trail, event);
}

/* The current task has read, or written, some bytes.  The mutex is held. */
static inline void ipc_trail_read(struct ipc_trail *trail)
{
	WRITE_ONCE(trail->again, false);
	ipc_trail_leave(trail, IPC_TRAIL_READ);
}

static inline void ipc_trail_write(struct ipc_trail *trail)
{
	ipc_trail_leave(trail, IPC_TRAIL_WRITE);
}

/* One of the events that are rare.  The mutex is held. */
static inline void ipc_trail_count(struct ipc_trail *trail,
				   enum ipc_trail_event event)
{
	struct ipc_trace *trace = &trail->trace[event];

	if (event == IPC_TRAIL_READ_AGAIN)
		WRITE_ONCE(trail->again, true);
	WRITE_ONCE(trace->count, trace->count + 1);
	ipc_trail_leave(trail, event);
}

/*
 * A read end is polled: who does that knows what EAGAIN means.  Without the mutex;
 * a read that returns EAGAIN at the same time may win, and then a later poll says it.
 */
static inline void ipc_trail_polled(struct ipc_trail *trail)
{
	if (READ_ONCE(trail->again))
		WRITE_ONCE(trail->again, false);
}

/* A read end is closed while there are writers.  The mutex is held. */
static inline void ipc_trail_closed(struct ipc_trail *trail)
{
	if (READ_ONCE(trail->again) &&
	    trail->trace[IPC_TRAIL_READ_AGAIN].pid == task_tgid(current))
		ipc_trail_count(trail, IPC_TRAIL_LEFT);
}

#endif /* IPCDEMO_TRAIL_H */

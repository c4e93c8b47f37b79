/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Gates: a task stops at a point until somebody lets it through
 *
 * A *gate* holds each task, or one task, that arrives at a point of one object.
 * A *controller* is a control descriptor that has set gates; whoever has that
 * descriptor sees who arrived and decides who goes next.  When it is closed, or
 * the process that opened it exits, all its gates open: nobody stays held.
 *
 * Nothing of this costs more than a no-op instruction a point while nobody looks:
 * has set a gate, counts, traces, polls, subscribes.  The static key ipc_looking
 * guards it.  Who comes to a point while the key is on calls ipc_arrive(), which
 * does what somebody has asked for, and no more: it counts, it tells subscribers
 * (events.h), the tracepoint (trace.h) and those who poll (procfs.h), it meets the
 * gates.  Only the last needs to know the call (struct ipc_op), and takes
 * look_lock for that; the others may not be noticed by whom they look at.
 *
 * Ownership and locking.  One spinlock, look_lock in gate.c, guards all of it;
 * nothing of ours is taken inside.  An ipc_op belongs to the task whose call it
 * stands for, and is on the list of calls from ipc_op_begin() or ipc_op_know()
 * to ipc_op_end(): under look_lock the task of an op on the list cannot go away.
 * The pointer to it is on that task's stack, in the function that began the call
 * and ends it; only the task uses it.  A gate belongs to its controller and
 * holds a reference to its object.  A held task holds a reference to the
 * controller.  Several controllers may have gates where one task comes: they
 * hold it in turn, and what one of them said of its way (take a step, go freely)
 * concerns the gates of that one alone.
 *
 * Where a gate stands a task is TASK_RUNNING and may sleep; it may hold the
 * mutex of its pipe, and its neighbours then wait for that, killably.  Who
 * cannot be killed out of that wait (it closes a file, say) lets the held task
 * through instead if it is dying, or if the gate is its own: see
 * ipc_unstick_lock().  Never held, even at a gate: a task that exits, a kernel
 * thread, an io_uring worker, the process whose gate it is.
 */
#ifndef IPCDEMO_GATE_H
#define IPCDEMO_GATE_H

#include <linux/jump_label_ratelimit.h>
#include <linux/list.h>
#include <linux/poll.h>
#include <linux/types.h>

#include "object.h"

struct ipc_controller;
struct ipc_tie;
struct ipc_waiter;
struct ipcdemo_arrival;
struct ipcdemo_gate;
struct pid;
struct task_struct;

/*
 * A key that changes has all processors patch code.  What any user can begin and
 * end lets go of its keys with static_branch_slow_dec_deferred(), which takes so
 * many jiffies to turn one off: whoever does that again and again has them patch
 * code once.  Who counts or traces is root, and turns them off at once.
 */
#define IPC_KEY_LINGER HZ

/* Somebody looks: has set a gate, counts points, traces, polls, subscribes. */
extern struct static_key_false_deferred ipc_looking;

/* A tracepoint is on; trace.h.  Looked at only where somebody looks. */
DECLARE_STATIC_KEY_FALSE(ipc_traced);

enum ipc_op_state {
	IPC_OP_RUNNING,
	IPC_OP_HELD,
	IPC_OP_ASLEEP, /* on a queue of the pipe, see waiter */
	IPC_OP_LOCK, /* waits for the mutex */
};

/* A call in progress, known while there are gates; look_lock guards it. */
struct ipc_op {
	bool nowait; /* must not sleep: never held */
	u64 epoch; /* see gate.c; an op of another epoch is not known any more */
	struct list_head node;
	struct hlist_node of_task;
	struct task_struct *task;
	struct ipc_object *object;
	enum ipc_point point; /* IPC_NR_POINTS: came to none yet */
	struct ipc_values values;
	u64 since_ns; /* when it came to the point */
	enum ipc_op_state state;
	bool has_lock;
	const struct ipc_waiter *waiter;
	u64 arrivals; /* how often it came to a point */
	struct ipc_controller *holder;
	u32 gate; /* which one holds it; 0: a step */
	bool reported; /* its holder was told of this arrival */
	bool released;
	struct list_head ties; /* one for each controller that has held it */
	struct ipc_tie
		*spare; /* for the next such controller; the task's own */
};

/*
 * Whether somebody looks: false costs a no-op instruction.  IPC_WITHOUT_POINTS
 * is for the benchmark alone, which compares: make bench-points.
 */
static __always_inline bool ipc_is_looking(void)
{
#ifdef IPC_WITHOUT_POINTS
	return false;
#else
	return static_branch_unlikely(&ipc_looking.key);
#endif
}

/* Points are noted in batches; batch.h.  Likewise. */
DECLARE_STATIC_KEY_FALSE(ipc_batched);

static __always_inline bool ipc_is_batched(void)
{
	return static_branch_unlikely(&ipc_batched);
}

static __always_inline bool ipc_is_traced(void)
{
	return static_branch_unlikely(&ipc_traced);
}

void ipc_op_turn_slow(struct ipc_op *op, struct ipc_object *object,
		      bool nowait);
struct ipc_op *ipc_op_begin_slow(struct ipc_object *object, bool nowait);
void ipc_op_know_slow(struct ipc_op **op, struct ipc_object *object,
		      enum ipc_point point);
void ipc_op_end_slow(struct ipc_op *op);
void ipc_arrive(struct ipc_object *object, enum ipc_point point, s64 len,
		s64 decided);
void ipc_arrive_offset(struct ipc_object *object, enum ipc_point point,
		       s64 offset, s64 len, s64 decided);
void ipc_arrive_waited(struct ipc_object *object, enum ipc_point point,
		       s64 offset, s64 decided, u64 since_ns);
void ipc_note(struct ipc_object *object, enum ipc_point point, s64 decided);
void ipc_note_chosen(struct ipc_object *object, enum ipc_point point,
		     s64 offset, struct pid *chosen, u64 since_ns);
void ipc_trace(struct ipc_object *object, enum ipc_point point,
	       const struct ipc_detail *detail);
void ipc_batch_add(struct ipc_object *object, enum ipc_point point, s64 len,
		   s64 decided);
void ipc_batch_add_detail(struct ipc_object *object, enum ipc_point point,
			  const struct ipc_detail *detail);
void ipc_values_at(struct ipc_object *object, enum ipc_point point,
		   const struct ipc_detail *detail, struct ipc_values *values);
bool ipc_has_gates(void);
bool ipc_is_exiting(void); /* no signal ends a wait of the task any more */
bool ipc_would_hold(struct ipc_object *object, enum ipc_point point);
bool ipc_lock_is_stuck(const struct ipc_object *object);
void ipc_unstick_lock(const struct ipc_object *object);
void ipc_op_asleep_slow(struct ipc_op *op, const struct ipc_waiter *waiter);
void ipc_op_lock(enum ipc_op_state state, bool has_lock);

/*
 * A call begins; its arrivals are known until ipc_op_end().  A call that has
 * begun before there were gates is not known, and not held: NULL.  So is one
 * that there is no memory for.
 */
static __always_inline struct ipc_op *ipc_op_begin(struct ipc_object *object,
						   bool nowait)
{
	return ipc_is_looking() ? ipc_op_begin_slow(object, nowait) : NULL;
}

static __always_inline void ipc_op_end(struct ipc_op *op)
{
	if (unlikely(op))
		ipc_op_end_slow(op);
}

/*
 * A call that waits comes by, where it has no lock and may sleep: from here on
 * it is known, though it began before anybody looked; it was last at @point.
 * Also one that was known to those who looked earlier, and has gone on unseen
 * since.
 *
 * A call that does not come by is not known.  If it waits for the mutex since
 * before anybody looked it is told of as running, until it has had the mutex.
 */
static __always_inline void
ipc_op_know(struct ipc_op **op, struct ipc_object *object, enum ipc_point point)
{
	if (ipc_is_looking())
		ipc_op_know_slow(op, object, point);
}

/*
 * A call that is about two objects turns to one of them, whose gates it meets
 * from now on.  @nowait: it must not sleep there, so it is not held.
 */
static __always_inline void ipc_op_turn(struct ipc_op *op,
					struct ipc_object *object, bool nowait)
{
	if (unlikely(op))
		ipc_op_turn_slow(op, object, nowait);
}

/*
 * It falls asleep, as @waiter says, or is awake again: NULL.  The waiter is used
 * in between, also if nobody looked for a while.
 */
static __always_inline void ipc_op_asleep(struct ipc_op *op,
					  const struct ipc_waiter *waiter)
{
	if (unlikely(op))
		ipc_op_asleep_slow(op, waiter);
}

/*
 * Mark a point.  @len is how many bytes the step is about, @decided what was
 * decided there or the result; -1 if that says nothing.  Both are computed only
 * while somebody looks.  May sleep, unless the point's row says hold NO.
 */
#define ipc_at_point(object, point, len, decided)                \
	do {                                                     \
		if (ipc_is_looking())                            \
			ipc_arrive(object, point, len, decided); \
	} while (0)

#define ipc_at(object, symbol, len, decided) \
	ipc_at_point(object, IPC_##symbol, len, decided)

/* The same of a step that is about a place in a region, in bytes. */
#define ipc_at_offset(object, symbol, offset, len, decided)                  \
	do {                                                                 \
		if (ipc_is_looking())                                        \
			ipc_arrive_offset(object, IPC_##symbol, offset, len, \
					  decided);                          \
	} while (0)

/* The same of a task that waits no longer, and has since @since_ns. */
#define ipc_at_waited(object, point, offset, decided, since_ns)           \
	do {                                                              \
		if (ipc_is_looking())                                     \
			ipc_arrive_waited(object, point, offset, decided, \
					  since_ns);                      \
	} while (0)

/*
 * Mark a point that is no step of the task that comes by it, but something that
 * has become of an object or of another task.  No gate holds there.  Any context.
 */
#define ipc_at_note(object, symbol)                         \
	do {                                                \
		if (ipc_is_looking())                       \
			ipc_note(object, IPC_##symbol, -1); \
	} while (0)

/* A call that begins at one point, with @len bytes, and ends at another. */
static __always_inline struct ipc_op *ipc_call_begin(struct ipc_object *object,
						     enum ipc_point enter,
						     s64 len, bool nowait)
{
	struct ipc_op *op = NULL;

	if (ipc_is_looking()) {
		op = ipc_op_begin_slow(object, nowait);
		ipc_arrive(object, enter, len, -1);
	}
	return op;
}

static __always_inline void ipc_call_end(struct ipc_op *op,
					 struct ipc_object *object,
					 enum ipc_point leave, s64 result)
{
	ipc_at_point(object, leave, -1, result);
	ipc_op_end(op);
}

/* --- controllers: all may sleep --- */

/* Return: a controller for the current process, or ERR_PTR(-ENOMEM). */
struct ipc_controller *ipc_controller_create(void);

/* Let everybody through, remove all gates, drop the reference. */
void ipc_controller_close(struct ipc_controller *controller);

/*
 * A descriptor was closed.  If the process that opened it did that, the gates
 * open, whoever else has a copy of the descriptor.  When it exits they open in
 * any case, also if it shares its table of descriptors with another process.
 */
void ipc_controller_flush(struct ipc_controller *controller);

/**
 * ipc_gate_add() - hold who comes to a point
 * @controller:	whose gate it is
 * @object:	which object; the gate takes a reference of its own
 * @request:	point (a name, or a pattern with *), pid, count; gets the id
 *
 * Return: 0, -EINVAL (no such point that can hold), -ESRCH, -ENOMEM, -ENOSPC.
 */
int ipc_gate_add(struct ipc_controller *controller, struct ipc_object *object,
		 struct ipcdemo_gate *request);

/* Remove one gate, or all with id 0.  Who is held stays held.  -ENOENT. */
int ipc_gate_remove(struct ipc_controller *controller, u32 id);

/* Copy up to @room gates.  Return: how many there are. */
u32 ipc_gate_list(struct ipc_controller *controller, struct ipcdemo_gate *gates,
		  u32 room);

/**
 * ipc_gate_wait() - wait until somebody who was not reported yet is held
 * @timeout_ms:	-1: for ever
 *
 * Return: 0, -ETIMEDOUT, -ERESTARTSYS.
 */
int ipc_gate_wait(struct ipc_controller *controller, s32 timeout_ms,
		  struct ipcdemo_arrival *arrival);

/* Let a held thread through.  flags: IPCDEMO_GO_*.  Return: 0 or -ESRCH. */
int ipc_gate_go(struct ipc_controller *controller, s32 pid, u32 flags);

/* Nobody can begin to look any more: forget the key.  May sleep. */
void ipc_gates_exit(void);

/* No point is passed any more: free what ipc_batch_add() needs.  May sleep. */
void ipc_batch_exit(void);

/*
 * What each of @tasks is doing.  @switches, one for each, tells how often it was
 * switched to or away from.  Return: whether none of them is running.
 */
bool ipc_tasks_look(const struct ipc_controller *controller,
		    struct ipcdemo_arrival *tasks, u64 *switches, u32 nr);

/* Who is held by this controller.  Return: how many there are. */
u32 ipc_tasks_held(struct ipc_controller *controller,
		   struct ipcdemo_arrival *tasks, u32 room);

__poll_t ipc_controller_poll(struct ipc_controller *controller,
			     struct file *file, struct poll_table_struct *wait);

/* --- for the views --- */

struct ipc_op_copy {
	enum ipc_point point;
	enum ipc_op_state state;
	struct pid *pid; /* to be put */
	u64 since_ns;
	char comm[TASK_COMM_LEN];
};

/* Copy the calls on an object that are held or wait for its mutex. */
u32 ipc_ops_copy(const struct ipc_object *object, struct ipc_op_copy *copies,
		 u32 room);

/* How often a point was passed while counting was on. */
u64 ipc_point_count(enum ipc_point point);

#endif /* IPCDEMO_GATE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A task asleep on a queue, where the views can see it
 *
 * A waiter lives on the stack of the task that waits.  It is on its queue from
 * ipc_waiter_add() to ipc_waiter_remove(); the lock of the queue (the
 * spinlock inside wait_queue_head) guards all its members while it is there.
 * A view that holds that lock may read any waiter on the queue: the task cannot
 * leave, so neither the waiter nor the task's struct pid can go away.
 *
 * Other entries on the same queue (poll and epoll put them there) are told
 * apart by their wake function.
 *
 * Why no wake-up is lost.  The sleeper adds itself to the queue, then looks at
 * the condition, then, if that does not hold, sets its task state and sleeps
 * unless woken is set.  The waker changes the condition, then takes the queue's
 * lock to wake.  Either it finds the sleeper on the queue, or the sleeper added
 * itself after that walk and, the lock ordering the two, sees the changed
 * condition.  If it finds the sleeper, it sets woken before it looks at the
 * task's state (try_to_wake_up), and the sleeper sets its state before it reads
 * woken (set_current_state is a full barrier): a sleeper that misses woken is
 * made runnable again.  So a gate may hold the task anywhere in between.
 *
 * Why an exclusive wake-up is not lost.  The wake function returns 1, which
 * ends the walk, exactly when it set woken; a waiter that is woken already is
 * passed over.  So one wake-up chooses one task.  That task
 *	- finds the condition true and goes on, and passes the wake-up on if it
 *	  leaves more to do; or
 *	- finds it false: then somebody consumed it, and the next change wakes
 *	  again; or
 *	- wants to leave because of a signal.  It can be chosen until it has left
 *	  the queue, so it looks once more after that, and stays if it is true
 *	  (the end of wait_until() in pipe.c); or
 *	- is killed before it has the mutex: then it wakes the next (relock()).
 *
 * The queues of words (wait_word.h) have waiters of the same kind, and their own
 * argument.
 */
#ifndef IPCDEMO_WAITER_H
#define IPCDEMO_WAITER_H

#include <linux/sched.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "points.h"

struct ipc_object;
struct pid;

struct ipc_waiter {
	struct wait_queue_entry entry;
	struct ipc_object *object; /* whose queue it is; its user keeps it */
	enum ipc_point point;
	bool woken;
	struct pid *pid;
	u64 since_ns;
	u64 offset; /* of the word in its region; the queues of a pipe: unused */
	u64 ticket; /* likewise; rises along a queue */
	char comm[TASK_COMM_LEN];
};

/* A copy of a waiter for a view; holds a reference to @pid. */
struct ipc_waiter_copy {
	enum ipc_point point;
	bool woken;
	struct pid *pid;
	u64 since_ns;
	u64 offset;
	u64 ticket;
	char comm[TASK_COMM_LEN];
};

/*
 * Set a waiter up for the current task, not on a queue yet, exclusive or woken.
 * Who then puts it on a queue, under its lock, is wait_word.c.
 */
void ipc_waiter_init(struct ipc_waiter *waiter, struct ipc_object *object,
		     enum ipc_point point);

/**
 * ipc_waiter_add() - stand at the end of a queue
 * @waiter:	not on a queue
 * @object:	whose queue it is
 * @queue:	the queue
 * @point:	what the task waits for
 * @exclusive:	one wake-up is for one such waiter
 */
void ipc_waiter_add(struct ipc_waiter *waiter, struct ipc_object *object,
		    struct wait_queue_head *queue, enum ipc_point point,
		    bool exclusive);

/*
 * A waiter that was woken for nothing waits on: at the end of its queue if it is
 * exclusive, else where it stands.
 */
void ipc_waiter_again(struct ipc_waiter *waiter, struct wait_queue_head *queue);

/* Leave the queue; the task is running again. */
void ipc_waiter_remove(struct ipc_waiter *waiter,
		       struct wait_queue_head *queue);

/**
 * ipc_waiters_count() - how many stand on a queue
 * @queue:	the queue
 * @others:	if not NULL: how many entries are not ours (poll, epoll)
 *
 * Return: the number of waiters.
 */
unsigned int ipc_waiters_count(struct wait_queue_head *queue,
			       unsigned int *others);

/**
 * ipc_waiters_copy() - copy the waiters of a queue
 * @queue:	the queue
 * @copies:	room for @room of them; each pid copied must be put
 * @room:	how many fit
 *
 * Return: how many were copied.
 */
unsigned int ipc_waiters_copy(struct wait_queue_head *queue,
			      struct ipc_waiter_copy *copies,
			      unsigned int room);

/* Copy the waiter of this task, if it stands on the queue; the pid is put. */
bool ipc_waiter_find(struct wait_queue_head *queue, const struct pid *pid,
		     struct ipc_waiter_copy *copy);

#endif /* IPCDEMO_WAITER_H */

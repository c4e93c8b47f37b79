// SPDX-License-Identifier: GPL-2.0
/* Tasks asleep on a queue (see waiter.h). */
#include <linux/ktime.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "gate.h"
#include "waiter.h"

/* Before it runs: its next point comes behind this one. */
static void note_chosen(const struct ipc_waiter *waiter)
{
	bool is_word = waiter->object->kind == IPC_KIND_REGION;

	ipc_note_chosen(waiter->object, is_word ? IPC_WORD_TASK : IPC_WAKE_TASK,
			is_word ? (s64)waiter->offset : -1, waiter->pid,
			waiter->since_ns);
}

/* Called under the queue's lock. */
static int wake_waiter(struct wait_queue_entry *entry, unsigned int mode,
		       int sync, void *key)
{
	struct ipc_waiter *waiter =
		container_of(entry, struct ipc_waiter, entry);

	if (waiter->woken)
		return 0;
	/* Pairs with set_current_state() in the sleeper: see waiter.h. */
	WRITE_ONCE(waiter->woken, true);
	/* It cannot leave its queue before this is over. */
	if (ipc_is_looking())
		note_chosen(waiter);
	default_wake_function(entry, mode, sync, key);
	return 1;
}

static struct ipc_waiter *to_waiter(struct wait_queue_entry *entry)
{
	if (entry->func != wake_waiter)
		return NULL;
	return container_of(entry, struct ipc_waiter, entry);
}

void ipc_waiter_init(struct ipc_waiter *waiter, struct ipc_object *object,
		     enum ipc_point point)
{
	init_waitqueue_entry(&waiter->entry, current);
	waiter->entry.func = wake_waiter;
	waiter->object = object;
	waiter->point = point;
	waiter->woken = false;
	waiter->pid = task_pid(current);
	waiter->since_ns = ktime_get_ns();
	waiter->offset = 0;
	waiter->ticket = 0;
	get_task_comm(waiter->comm, current);
}

void ipc_waiter_add(struct ipc_waiter *waiter, struct ipc_object *object,
		    struct wait_queue_head *queue, enum ipc_point point,
		    bool exclusive)
{
	ipc_waiter_init(waiter, object, point);
	if (exclusive)
		add_wait_queue_exclusive(queue, &waiter->entry);
	else
		add_wait_queue(queue, &waiter->entry);
}

void ipc_waiter_again(struct ipc_waiter *waiter, struct wait_queue_head *queue)
{
	spin_lock_irq(&queue->lock);
	WRITE_ONCE(waiter->woken, false);
	/* One that is not exclusive is woken each time, for it stands first. */
	if (waiter->entry.flags & WQ_FLAG_EXCLUSIVE)
		list_move_tail(&waiter->entry.entry, &queue->head);
	spin_unlock_irq(&queue->lock);
}

void ipc_waiter_remove(struct ipc_waiter *waiter, struct wait_queue_head *queue)
{
	__set_current_state(TASK_RUNNING);
	remove_wait_queue(queue, &waiter->entry);
}

unsigned int ipc_waiters_count(struct wait_queue_head *queue,
			       unsigned int *others)
{
	struct wait_queue_entry *entry;
	unsigned int ours = 0, foreign = 0;

	spin_lock_irq(&queue->lock);
	list_for_each_entry(entry, &queue->head, entry) {
		if (to_waiter(entry))
			ours++;
		else if (entry->func) /* not the mark of a long wake-up */
			foreign++;
	}
	spin_unlock_irq(&queue->lock);
	if (others)
		*others = foreign;
	return ours;
}

/* Called under the queue's lock. */
static void copy_waiter(struct ipc_waiter_copy *copy,
			const struct ipc_waiter *waiter)
{
	copy->point = waiter->point;
	copy->woken = waiter->woken;
	copy->pid = get_pid(waiter->pid);
	copy->since_ns = waiter->since_ns;
	copy->offset = waiter->offset;
	copy->ticket = waiter->ticket;
	memcpy(copy->comm, waiter->comm, sizeof(copy->comm));
}

unsigned int ipc_waiters_copy(struct wait_queue_head *queue,
			      struct ipc_waiter_copy *copies, unsigned int room)
{
	struct wait_queue_entry *entry;
	struct ipc_waiter *waiter;
	unsigned int n = 0;

	spin_lock_irq(&queue->lock);
	list_for_each_entry(entry, &queue->head, entry) {
		waiter = to_waiter(entry);
		if (!waiter)
			continue;
		if (n == room)
			break;
		copy_waiter(&copies[n++], waiter);
	}
	spin_unlock_irq(&queue->lock);
	return n;
}

bool ipc_waiter_find(struct wait_queue_head *queue, const struct pid *pid,
		     struct ipc_waiter_copy *copy)
{
	struct wait_queue_entry *entry;
	struct ipc_waiter *waiter;
	bool found = false;

	spin_lock_irq(&queue->lock);
	list_for_each_entry(entry, &queue->head, entry) {
		waiter = to_waiter(entry);
		if (!waiter || waiter->pid != pid)
			continue;
		copy_waiter(copy, waiter);
		found = true;
		break;
	}
	spin_unlock_irq(&queue->lock);
	return found;
}

// SPDX-License-Identifier: GPL-2.0
/* Tasks that wait for a word of a region (see wait_word.h). */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/hash.h>
#include <linux/highmem.h>
#include <linux/hrtimer.h>
#include <linux/ipcdemo.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/time_namespace.h>
#include <linux/wait.h>

#include "compat.h"
#include "gate.h"
#include "procfs.h"
#include "region.h"
#include "wait_word.h"
#include "waiter.h"

/* A wake-up of many gives the lock back after so many. */
#define WOKEN_AT_ONCE 64

static struct ipc_word_queue *queue_of(struct ipc_region *region, u64 offset)
{
	return &region->words.queues[hash_64(offset / sizeof(u32),
					     ilog2(IPC_WORD_QUEUES))];
}

/* --- the word --- */

int ipc_word_check(const struct file *file, u64 offset)
{
	u64 size = i_size_read(file_inode(file));

	if (offset % sizeof(u32))
		return -EINVAL;
	if (size < sizeof(u32) || offset > size - sizeof(u32))
		return -EFAULT;
	return 0;
}

/* Called under the lock of the word's queue: nothing here sleeps. */
static u32 load_word(struct address_space *mapping, u64 offset)
{
	struct page *page = ipc_region_find_page(mapping, offset);
	u32 word;
	void *at;

	if (!page)
		return 0;
	at = kmap_local_page(page);
	word = READ_ONCE(*(u32 *)(at + offset_in_page(offset)));
	kunmap_local(at);
	put_page(page);
	return word;
}

/* --- wake-ups, remembered for the views --- */

/* Have room for them before anybody waits.  Return: 0 or -ENOMEM. */
static int make_notes(struct ipc_words *words)
{
	struct ipc_wake_notes *notes;

	if (READ_ONCE(words->notes))
		return 0;
	notes = kzalloc(sizeof(*notes), GFP_KERNEL_ACCOUNT);
	if (!notes)
		return -ENOMEM;
	spin_lock_init(&notes->lock);
	/*
	 * A waker that finds a waiter has its queue's lock, which that one took
	 * after it came by here: it sees the notes, and all in them.
	 */
	if (cmpxchg(&words->notes, NULL, notes))
		kfree(notes);
	return 0;
}

/* Who wakes. */
struct waker {
	struct pid *pid;
	char comm[TASK_COMM_LEN];
};

/* Called under the lock of the waiter's queue. */
static void note_wake(struct ipc_wake_notes *notes, const struct waker *waker,
		      const struct ipc_waiter *waiter)
{
	u64 now = ktime_get_ns();
	struct ipc_wake_note *note;

	spin_lock(&notes->lock);
	note = &notes->note[notes->next];
	notes->next = (notes->next + 1) % IPC_WAKES_KEPT;
	put_pid(note->waker);
	put_pid(note->woken);
	note->offset = waiter->offset;
	note->waker = get_pid(waker->pid);
	note->woken = get_pid(waiter->pid);
	note->waited_ns = now - waiter->since_ns;
	note->at_ns = now;
	memcpy(note->waker_comm, waker->comm, sizeof(note->waker_comm));
	memcpy(note->woken_comm, waiter->comm, sizeof(note->woken_comm));
	spin_unlock(&notes->lock);
}

/* --- waiting --- */

/* A deadline as the kernel's timers take it; NULL: none. */
static ktime_t *set_deadline(const struct ipc_word_wait *wait, ktime_t *at)
{
	struct timespec64 offset = {};
	s64 ns;

	/* The kernel's clocks end there, in 292 years. */
	if (wait->deadline_ns >= KTIME_MAX)
		return NULL;
	ns = wait->deadline_ns;
	if (wait->clock == CLOCK_MONOTONIC) {
		/* What the clock of the time namespace is ahead. */
		timens_add_monotonic(&offset);
		if (check_sub_overflow(ns, timespec64_to_ns(&offset), &ns))
			return NULL;
	}
	*at = max_t(s64, ns, 0);
	return at;
}

/*
 * Sleep until woken, for a signal, or until the deadline, whatever else wakes the
 * task.  A gate may have held it since it compared; what came meanwhile has set
 * woken, or is pending.  Return: whether the deadline has passed.
 */
static bool sleep_unless_woken(const struct ipc_waiter *waiter,
			       const struct ipc_word_wait *wait)
{
	ktime_t at, *deadline = set_deadline(wait, &at);
	bool late = false;

	while (!late) {
		/* Pairs with the wake-up: see wait_word.h. */
		set_current_state(TASK_INTERRUPTIBLE | TASK_FREEZABLE);
		if (READ_ONCE(waiter->woken) || signal_pending(current))
			break;
		late = !schedule_hrtimeout_range_clock(deadline,
						       current->timer_slack_ns,
						       HRTIMER_MODE_ABS,
						       wait->clock);
	}
	__set_current_state(TASK_RUNNING);
	return late;
}

/* Stand at the end of the queue if the word is as expected. */
static bool join(struct ipc_region *region, struct ipc_word_queue *queue,
		 struct address_space *mapping, u32 expected,
		 struct ipc_waiter *waiter)
{
	bool same;

	spin_lock(&queue->head.lock);
	same = load_word(mapping, waiter->offset) == expected;
	if (same) {
		waiter->ticket = queue->next_ticket++;
		__add_wait_queue_entry_tail(&queue->head, &waiter->entry);
	}
	spin_unlock(&queue->head.lock);
	return same;
}

/* @op may become known only when the task wakes.  There is room for notes. */
static int wait_for(struct file *file, const struct ipc_word_wait *wait,
		    struct ipc_op **op)
{
	struct ipc_region *region = ipc_region_of_file(file);
	struct ipc_word_queue *queue = queue_of(region, wait->offset);
	struct ipc_object *object = &region->object;
	struct ipc_waiter waiter;
	bool late;

	ipc_count_shared(object, IPC_WORD_ENTER, 1);
	ipc_at_offset(object, WORD_ENTER, wait->offset, -1, -1);
	ipc_op_know(op, object, IPC_WORD_ENTER);
	ipc_waiter_init(&waiter, object, IPC_WORD_WAIT);
	waiter.offset = wait->offset;
	if (!join(region, queue, file->f_mapping, wait->expected, &waiter)) {
		ipc_count_shared(object, IPC_WORD_DIFFERS, 1);
		ipc_at_offset(object, WORD_DIFFERS, wait->offset, -1, -1);
		return -EAGAIN;
	}
	ipc_count_shared(object, IPC_WORD_WAIT, 1);
	ipc_at_offset(object, WORD_WAIT, wait->offset, -1, -1);

	ipc_at_offset(object, WORD_SLEEP, wait->offset, -1, -1);
	ipc_op_asleep(*op, &waiter);
	late = sleep_unless_woken(&waiter, wait);
	ipc_op_asleep(*op, NULL);
	/* Somebody may look since it fell asleep.  May wait for memory. */
	ipc_op_know(op, object, IPC_WORD_SLEEP);
	if (!READ_ONCE(waiter.woken))
		ipc_at_waited(object, IPC_WORD_LEAVE, wait->offset, -1,
			      waiter.since_ns);
	ipc_waiter_remove(&waiter, &queue->head);

	/* Off the queue: nobody sets it any more. */
	if (waiter.woken) {
		ipc_count_shared(object, IPC_WORD_WOKEN, 1);
		ipc_at_waited(object, IPC_WORD_WOKEN, wait->offset, -1,
			      waiter.since_ns);
		return 0;
	}
	if (late) {
		ipc_count_shared(object, IPC_WORD_TIMEOUT, 1);
		ipc_at_waited(object, IPC_WORD_TIMEOUT, wait->offset, -1,
			      waiter.since_ns);
		return -ETIMEDOUT;
	}
	ipc_count_shared(object, IPC_WORD_SIGNAL, 1);
	ipc_at_waited(object, IPC_WORD_SIGNAL, wait->offset, -1,
		      waiter.since_ns);
	return -ERESTARTSYS;
}

int ipc_word_prepare(struct file *file)
{
	return make_notes(&ipc_region_of_file(file)->words);
}

int ipc_word_wait(struct file *file, const struct ipc_word_wait *wait)
{
	struct ipc_region *region = ipc_region_of_file(file);
	struct ipc_op *op;
	int err;

	err = make_notes(&region->words);
	if (err)
		return err;
	op = ipc_op_begin(&region->object, false);
	err = wait_for(file, wait, &op);
	ipc_op_end(op);
	return err;
}

/* --- eventfds --- */

struct event {
	struct list_head node; /* in the queue's events */
	/* Never change. */
	u64 offset;
	const struct file *file; /* whose it is; not referenced: see release */
	struct eventfd_ctx *eventfd; /* referenced */
	kuid_t user; /* who bound it */
	struct pid *pid; /* referenced */
	char comm[TASK_COMM_LEN];
};

static void free_event(struct event *event)
{
	eventfd_ctx_put(event->eventfd);
	put_pid(event->pid);
	kfree(event);
}

/* Called under the lock of the queue. */
static bool has_event(const struct ipc_word_queue *queue, u64 offset)
{
	const struct event *event;

	lockdep_assert_held(&queue->head.lock);
	list_for_each_entry(event, &queue->events, node) {
		if (event->offset == offset)
			return true;
	}
	return false;
}

/*
 * Without the lock of the queue: who watches an eventfd decides how long a signal
 * takes.
 */
static void signal_events(struct ipc_region *region,
			  struct ipc_word_queue *queue, u64 offset)
{
	struct ipc_object *object = &region->object;
	struct event *event;

	mutex_lock(&region->words.events_lock);
	list_for_each_entry(event, &queue->events, node) {
		if (event->offset != offset)
			continue;
		ipc_eventfd_signal(event->eventfd);
		ipc_count_shared(object, IPC_WORD_EVENT, 1);
		cond_resched();
	}
	mutex_unlock(&region->words.events_lock);
	ipc_at_offset(object, WORD_EVENT, offset, -1, -1);
}

static struct event *find_event(struct ipc_word_queue *queue,
				const struct file *file, u64 offset)
{
	struct event *event;

	list_for_each_entry(event, &queue->events, node) {
		if (event->file == file && event->offset == offset)
			return event;
	}
	return NULL;
}

/*
 * Whether another binding is one too many: for its file, its user, its word or the
 * region.  Of what all share a user may have half: one who may only read cannot keep
 * all others out.  Called under events_lock.
 */
static bool too_many(const struct ipc_words *words, const struct event *new)
{
	unsigned int i, of_file = 0, of_user = 0, of_word = 0, of_both = 0;
	const struct event *event;
	bool same_user;

	lockdep_assert_held(&words->events_lock);
	for (i = 0; i < IPC_WORD_QUEUES; i++) {
		list_for_each_entry(event, &words->queues[i].events, node) {
			same_user = uid_eq(event->user, new->user);
			of_file += event->file == new->file;
			of_user += same_user;
			if (event->offset != new->offset)
				continue;
			of_word++;
			of_both += same_user;
		}
	}
	return words->nr_events == IPC_MOST_EVENTS ||
	       of_user == IPC_MOST_EVENTS / 2 ||
	       of_word == IPC_MOST_EVENTS_OF_WORD ||
	       of_both == IPC_MOST_EVENTS_OF_WORD / 2 ||
	       of_file == IPC_MOST_EVENTS_OF_FILE;
}

static struct event *new_event(const struct file *file, u64 offset, int eventfd)
{
	struct eventfd_ctx *context = eventfd_ctx_fdget(eventfd);
	struct event *event;

	if (IS_ERR(context))
		return ERR_CAST(context);
	event = kzalloc(sizeof(*event), GFP_KERNEL_ACCOUNT);
	if (!event) {
		eventfd_ctx_put(context);
		return ERR_PTR(-ENOMEM);
	}
	event->offset = offset;
	event->file = file;
	event->eventfd = context;
	event->user = current_uid();
	event->pid = get_pid(task_tgid(current));
	get_task_comm(event->comm, current);
	return event;
}

/* Called under events_lock. */
static void add_event(struct ipc_words *words, struct ipc_word_queue *queue,
		      struct event *event)
{
	lockdep_assert_held(&words->events_lock);
	spin_lock(&queue->head.lock);
	list_add_tail(&event->node, &queue->events);
	spin_unlock(&queue->head.lock);
	WRITE_ONCE(words->nr_events, words->nr_events + 1);
	ipc_procfs_note();
}

static void remove_event(struct ipc_words *words, struct ipc_word_queue *queue,
			 struct event *event)
{
	lockdep_assert_held(&words->events_lock);
	spin_lock(&queue->head.lock);
	list_del(&event->node);
	spin_unlock(&queue->head.lock);
	WRITE_ONCE(words->nr_events, words->nr_events - 1);
	ipc_procfs_note();
	free_event(event);
}

int ipc_word_bind(struct file *file, u64 offset, int eventfd)
{
	struct ipc_region *region = ipc_region_of_file(file);
	struct ipc_word_queue *queue = queue_of(region, offset);
	struct event *event = new_event(file, offset, eventfd);
	struct ipc_words *words = &region->words;
	int err = 0;

	if (IS_ERR(event))
		return PTR_ERR(event);
	mutex_lock(&words->events_lock);
	if (find_event(queue, file, offset))
		err = -EEXIST;
	else if (too_many(words, event))
		err = -ENOSPC;
	else
		add_event(words, queue, event);
	mutex_unlock(&words->events_lock);
	if (err)
		free_event(event);
	return err;
}

int ipc_word_unbind(struct file *file, u64 offset)
{
	struct ipc_region *region = ipc_region_of_file(file);
	struct ipc_word_queue *queue = queue_of(region, offset);
	struct event *event;

	mutex_lock(&region->words.events_lock);
	event = find_event(queue, file, offset);
	if (event)
		remove_event(&region->words, queue, event);
	mutex_unlock(&region->words.events_lock);
	return event ? 0 : -ENOENT;
}

void ipc_words_release(struct file *file)
{
	struct ipc_words *words = &ipc_region_of_file(file)->words;
	struct ipc_word_queue *queue;
	struct event *event, *next;
	unsigned int i;

	/* What this file has bound was counted before it came here. */
	if (!READ_ONCE(words->nr_events))
		return;
	mutex_lock(&words->events_lock);
	for (i = 0; i < IPC_WORD_QUEUES; i++) {
		queue = &words->queues[i];
		list_for_each_entry_safe(event, next, &queue->events, node) {
			if (event->file == file)
				remove_event(words, queue, event);
		}
	}
	mutex_unlock(&words->events_lock);
}

/* --- waking --- */

/*
 * Wake up to @most who wait for a word and came before @end.  Called under the
 * lock of the queue.
 */
static u32 wake_some(struct ipc_words *words, struct ipc_word_queue *queue,
		     u64 offset, u64 end, u32 most, const struct waker *waker)
{
	struct wait_queue_entry *entry;
	struct ipc_waiter *waiter;
	u32 woken = 0;

	lockdep_assert_held(&queue->head.lock);
	list_for_each_entry(entry, &queue->head.head, entry) {
		if (woken == most)
			break;
		waiter = container_of(entry, struct ipc_waiter, entry);
		if (waiter->ticket >= end)
			break;
		/* It may have been woken before, and not run yet. */
		if (waiter->offset != offset ||
		    !entry->func(entry, TASK_NORMAL, 0, NULL))
			continue;
		note_wake(words->notes, waker, waiter);
		woken++;
	}
	return woken;
}

static u32 wake(struct ipc_region *region, u64 offset, u32 most,
		const struct waker *waker)
{
	struct ipc_word_queue *queue = queue_of(region, offset);
	struct ipc_object *object = &region->object;
	u32 some, turn, woken = 0;
	bool bound;
	u64 end;

	most = min_t(u32, most, INT_MAX);
	ipc_count_shared(object, IPC_WORD_WAKE, 1);
	ipc_at_offset(object, WORD_WAKE, offset, -1, -1);
	spin_lock(&queue->head.lock);
	end = queue->next_ticket;
	bound = has_event(queue, offset);
	for (;;) {
		turn = min_t(u32, most - woken, WOKEN_AT_ONCE);
		some = wake_some(&region->words, queue, offset, end, turn,
				 waker);
		woken += some;
		if (some < turn || woken == most)
			break;
		spin_unlock(&queue->head.lock);
		cond_resched();
		spin_lock(&queue->head.lock);
	}
	spin_unlock(&queue->head.lock);
	if (bound)
		signal_events(region, queue, offset);
	return woken;
}

static u32 wake_as_current(struct ipc_region *region, u64 offset, u32 most)
{
	struct waker waker = {.pid = task_pid(current)};

	get_task_comm(waker.comm, current);
	return wake(region, offset, most, &waker);
}

int ipc_word_wake(struct file *file, u64 offset, u32 most)
{
	struct ipc_region *region = ipc_region_of_file(file);
	struct ipc_op *op = ipc_op_begin(&region->object, false);
	u32 woken;

	woken = wake_as_current(region, offset, most);
	ipc_op_end(op);
	return woken;
}

void ipc_word_wake_for(struct ipc_region *region, u64 offset, struct pid *pid,
		       const char *comm)
{
	struct waker waker = {.pid = pid};

	strscpy(waker.comm, comm, sizeof(waker.comm));
	wake(region, offset, 1, &waker);
}

/* --- for the views --- */

unsigned int ipc_words_count(struct ipc_region *region)
{
	unsigned int i, n = 0;

	for (i = 0; i < IPC_WORD_QUEUES; i++)
		n += ipc_waiters_count(&region->words.queues[i].head, NULL);
	return n;
}

static int compare_copies(const void *a, const void *b)
{
	const struct ipc_waiter_copy *first = a, *second = b;

	if (first->offset != second->offset)
		return first->offset < second->offset ? -1 : 1;
	if (first->ticket != second->ticket)
		return first->ticket < second->ticket ? -1 : 1;
	return 0;
}

unsigned int ipc_words_copy(struct ipc_region *region,
			    struct ipc_waiter_copy *copies, unsigned int room)
{
	unsigned int i, n = 0;

	for (i = 0; i < IPC_WORD_QUEUES; i++)
		n += ipc_waiters_copy(&region->words.queues[i].head, copies + n,
				      room - n);
	sort(copies, n, sizeof(*copies), compare_copies, NULL);
	return n;
}

bool ipc_words_find(struct ipc_object *object, const struct pid *pid,
		    struct ipc_waiter_copy *copy)
{
	struct ipc_region *region = ipc_region_of(object);
	bool found = false;
	unsigned int i;

	for (i = 0; i < IPC_WORD_QUEUES && !found; i++)
		found = ipc_waiter_find(&region->words.queues[i].head, pid,
					copy);
	return found;
}

unsigned int ipc_words_copy_wakes(struct ipc_region *region,
				  struct ipc_wake_note *copies)
{
	const struct ipc_wake_note *note;
	struct ipc_wake_notes *notes;
	unsigned int i, n = 0;

	/* Pairs with the cmpxchg() in make_notes(). */
	notes = smp_load_acquire(&region->words.notes);
	if (!notes)
		return 0;
	spin_lock(&notes->lock);
	for (i = 0; i < IPC_WAKES_KEPT; i++) {
		note = &notes->note[(notes->next + i) % IPC_WAKES_KEPT];
		if (!note->waker)
			continue;
		get_pid(note->waker);
		get_pid(note->woken);
		copies[n++] = *note;
	}
	spin_unlock(&notes->lock);
	return n;
}

static int compare_events(const void *a, const void *b)
{
	const struct ipc_event_copy *first = a, *second = b;

	if (first->offset == second->offset)
		return 0;
	return first->offset < second->offset ? -1 : 1;
}

unsigned int ipc_words_copy_events(struct ipc_region *region,
				   struct ipc_event_copy *copies)
{
	struct ipc_words *words = &region->words;
	const struct event *event;
	unsigned int i, n = 0;

	mutex_lock(&words->events_lock);
	for (i = 0; i < IPC_WORD_QUEUES; i++) {
		list_for_each_entry(event, &words->queues[i].events, node) {
			copies[n] = (struct ipc_event_copy){
				.offset = event->offset,
				.pid = get_pid(event->pid),
			};
			memcpy(copies[n++].comm, event->comm,
			       sizeof(event->comm));
		}
	}
	mutex_unlock(&words->events_lock);
	sort(copies, n, sizeof(*copies), compare_events, NULL);
	return n;
}

void ipc_words_init(struct ipc_words *words)
{
	unsigned int i;

	for (i = 0; i < IPC_WORD_QUEUES; i++) {
		init_waitqueue_head(&words->queues[i].head);
		INIT_LIST_HEAD(&words->queues[i].events);
	}
	mutex_init(&words->events_lock);
}

void ipc_words_fini(struct ipc_words *words)
{
	struct ipc_wake_notes *notes = words->notes;
	unsigned int i;

	WARN_ON_ONCE(words->nr_events);
	mutex_destroy(&words->events_lock);
	if (!notes)
		return;
	for (i = 0; i < IPC_WAKES_KEPT; i++) {
		put_pid(notes->note[i].waker);
		put_pid(notes->note[i].woken);
	}
	kfree(notes);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The pipe: who waits, who is woken, EOF, EPIPE, signals, resize (see pipe.h)
 *
 * Each call is one critical section under pipe->mutex, split only where pipe(2)
 * sleeps; so its outcome equals that of some serial order of whole calls.  What
 * a call wakes is decided under the mutex, in that same section; the wake-up
 * itself comes after the mutex is released, where a woken task can use it.
 *
 * The rules of waking are the kernel's (fs/pipe.c):
 *
 *	- a read wakes a writer when the ring was full and no longer is;
 *	- a write wakes a reader when the ring was empty, or always once somebody
 *	  has polled (edge-triggered epoll users rely on it, 3a34b13a88ca);
 *	- these are exclusive: one task each.  A task that was woken so passes it
 *	  on when it leaves more to do (0ddad21d3e99, 6551d5c56eb0);
 *	- the last close of one side wakes everybody on both queues.
 */
#include <linux/bits.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pipe_fs_i.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "compat.h"
#include "gate.h"
#include "inside.h"
#include "main.h"
#include "pipe.h"
#include "waiter.h"

/* What a pipe starts with: the kernel's PIPE_DEF_BUFFERS. */
#define DEFAULT_SLOTS  16

/* What is left of that to a user who has many: PIPE_MIN_DEF_BUFFERS. */
#define LEAST_SLOTS    2

/* No capacity above this: F_SETPIPE_SZ. */
#define CAPACITY_LIMIT BIT_ULL(31)

/* How long somebody waits for the mutex who may not wait for long. */
#define SOON_JIFFIES   (HZ / 10)

/* A view that met this many changes in a row gives up and says torn. */
#define LOOKS	       64

static unsigned int pipe_max_size = 1048576;
module_param(pipe_max_size, uint, 0644);
MODULE_PARM_DESC(pipe_max_size,
		 "bytes; only CAP_SYS_RESOURCE makes a pipe larger");

static unsigned int pipe_user_pages_soft = PIPE_DEF_BUFFERS * INR_OPEN_CUR;
module_param(pipe_user_pages_soft, uint, 0644);
MODULE_PARM_DESC(pipe_user_pages_soft,
		 "slots of all pipes of a user, soft limit (0: none)");

static unsigned int pipe_user_pages_hard;
module_param(pipe_user_pages_hard, uint, 0644);
MODULE_PARM_DESC(pipe_user_pages_hard,
		 "slots of all pipes of a user, hard limit (0: none)");

static unsigned int first_index;
module_param(first_index, uint, 0644);
MODULE_PARM_DESC(first_index,
		 "where the indices of a new pipe start; they wrap at 2^32");

static unsigned int trim_seconds = 5;
module_param(trim_seconds, uint, 0644);
MODULE_PARM_DESC(trim_seconds,
		 "idle time after which a pipe gives its kept pages back");

/* --- the state, as sleepers and poll see it --- */

static bool no_reader(const struct ipc_pipe *pipe)
{
	return !READ_ONCE(pipe->readers) && !READ_ONCE(pipe->keep);
}

static bool is_empty(const struct ipc_pipe *pipe)
{
	return ring_is_empty(ring_indices(&pipe->ring));
}

/*
 * A resize changes nr and keeps the indices.  Whoever loads one before it and
 * the other after it may think wrongly that the ring is full; the wake-up that
 * ends a resize (e95aada4cb93) then makes it look again.
 */
static bool is_full(const struct ipc_pipe *pipe)
{
	return ring_is_full(ring_indices(&pipe->ring), READ_ONCE(pipe->nr));
}

static bool may_read(const struct ipc_pipe *pipe, u32 unused)
{
	return !is_empty(pipe) || !READ_ONCE(pipe->writers);
}

static bool may_write(const struct ipc_pipe *pipe, u32 unused)
{
	return !is_full(pipe) || no_reader(pipe);
}

/*
 * Counting opens, not who is there: a partner may have come and gone.  So may
 * kernel persistence, which lets go whoever waits: its count is added, and as
 * both only rise, a sum that is equal means that neither has changed.
 */
static u32 readers_came(const struct ipc_pipe *pipe)
{
	return READ_ONCE(pipe->reader_opens) + READ_ONCE(pipe->keeps);
}

static u32 writers_came(const struct ipc_pipe *pipe)
{
	return READ_ONCE(pipe->writer_opens) + READ_ONCE(pipe->keeps);
}

static bool reader_came(const struct ipc_pipe *pipe, u32 before)
{
	return readers_came(pipe) != before;
}

static bool writer_came(const struct ipc_pipe *pipe, u32 before)
{
	return writers_came(pipe) != before;
}

/* --- waking and waiting --- */

/*
 * Wake one task that waits for @events, and whoever polls for them.  sync: the
 * waker is about to sleep or return, the woken task may have its processor.
 */
static void wake_one(struct wait_queue_head *queue, __poll_t events)
{
	__wake_up_sync_key(queue, TASK_INTERRUPTIBLE, poll_to_key(events));
}

static void wake_a_reader(struct ipc_pipe *pipe)
{
	ipc_at(&pipe->object, WAKE_READERS, -1, -1);
	wake_one(&pipe->read_queue, EPOLLIN | EPOLLRDNORM);
}

static void wake_a_writer(struct ipc_pipe *pipe)
{
	ipc_at(&pipe->object, WAKE_WRITERS, -1, -1);
	wake_one(&pipe->write_queue, EPOLLOUT | EPOLLWRNORM);
}

/* Everybody on both queues looks again.  Called under the mutex. */
static void wake_all(struct ipc_pipe *pipe)
{
	lockdep_assert_held(&pipe->mutex);
	ipc_count(&pipe->object, IPC_WAKE_READERS, 1);
	ipc_at(&pipe->object, WAKE_READERS, -1, -1);
	wake_up_interruptible_all(&pipe->read_queue);
	ipc_count(&pipe->object, IPC_WAKE_WRITERS, 1);
	ipc_at(&pipe->object, WAKE_WRITERS, -1, -1);
	wake_up_interruptible_all(&pipe->write_queue);
}

static void signal_readers(struct ipc_pipe *pipe)
{
	kill_fasync(&pipe->read_fasync, SIGIO, POLL_IN);
}

static void signal_writers(struct ipc_pipe *pipe)
{
	kill_fasync(&pipe->write_fasync, SIGIO, POLL_OUT);
}

/* The names of the steps that calls have in common. */
struct steps {
	enum ipc_point lock, locked;
	enum ipc_point wait, queue, check, sleep, leave, woken;
};

#define COMMON_STEPS(CALL) \
	.lock = IPC_##CALL##_LOCK, .locked = IPC_##CALL##_LOCKED
#define WAIT_STEPS(CALL)                                          \
	.wait = IPC_##CALL##_WAIT, .queue = IPC_##CALL##_QUEUE,   \
	.check = IPC_##CALL##_CHECK, .sleep = IPC_##CALL##_SLEEP, \
	.leave = IPC_##CALL##_LEAVE, .woken = IPC_##CALL##_WOKEN

static const struct steps open_steps = {COMMON_STEPS(OPEN), WAIT_STEPS(OPEN)};
static const struct steps read_steps = {COMMON_STEPS(READ), WAIT_STEPS(READ)};
static const struct steps write_steps = {COMMON_STEPS(WRITE),
					 WAIT_STEPS(WRITE)};
static const struct steps close_steps = {COMMON_STEPS(CLOSE)};
static const struct steps other_steps = {COMMON_STEPS(OTHER)};
static const struct steps resize_steps = {COMMON_STEPS(RESIZE)};

/*
 * Wait for the mutex where nobody can be killed out of it.  Its holder may be
 * held at a gate for as long as somebody thinks, or come to be while we wait:
 * who is killed, or exits, waits idly from then on, and lets the holder through
 * if nobody else could.
 */
static void lock_patiently(struct ipc_pipe *pipe)
{
	if (!ipc_has_gates() && !ipc_is_exiting() &&
	    !mutex_lock_killable(&pipe->mutex))
		return;
	while (!mutex_trylock(&pipe->mutex)) {
		ipc_unstick_lock(&pipe->object);
		schedule_timeout_idle(1);
	}
}

/* Try first, so that who has to wait can say so. */
static int lock_looking(struct ipc_pipe *pipe, const struct steps *steps,
			bool killable)
{
	int err = 0;

	if (!mutex_trylock(&pipe->mutex)) {
		ipc_arrive(&pipe->object, steps->lock, -1, -1);
		ipc_op_lock(IPC_OP_LOCK, false);
		if (killable)
			err = mutex_lock_killable(&pipe->mutex);
		else
			lock_patiently(pipe);
	}
	ipc_op_lock(IPC_OP_RUNNING, !err);
	if (!err)
		ipc_arrive(&pipe->object, steps->locked, -1, -1);
	return err;
}

/* Return: 0, or -EINTR if the task was killed meanwhile. */
static int lock_killable(struct ipc_pipe *pipe, const struct steps *steps)
{
	if (ipc_is_looking())
		return lock_looking(pipe, steps, true);
	return mutex_lock_killable(&pipe->mutex);
}

/*
 * For who may not wait for long: not at a gate, nor for somebody who is held at
 * one or waits for a page.  Return: 0, -EAGAIN, or -EINTR if the task was killed.
 */
static int lock_soon(struct ipc_pipe *pipe, const struct steps *steps)
{
	int tries = SOON_JIFFIES;

	while (!mutex_trylock(&pipe->mutex)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (!tries-- || ipc_lock_is_stuck(&pipe->object))
			return -EAGAIN;
		schedule_timeout_killable(1);
	}
	if (ipc_is_looking()) {
		ipc_op_lock(IPC_OP_RUNNING, true);
		ipc_arrive(&pipe->object, steps->locked, -1, -1);
	}
	return 0;
}

static void lock(struct ipc_pipe *pipe, const struct steps *steps)
{
	if (ipc_is_looking())
		lock_looking(pipe, steps, false);
	else if (!mutex_trylock(&pipe->mutex))
		lock_patiently(pipe);
}

static void unlock(struct ipc_pipe *pipe)
{
	mutex_unlock(&pipe->mutex);
	if (ipc_is_looking())
		ipc_op_lock(IPC_OP_RUNNING, false);
}

/* What a wait is for. */
struct wait_spec {
	struct wait_queue_head *queue;
	const struct steps *steps;
	bool exclusive;
	bool (*ready)(const struct ipc_pipe *pipe, u32 before);
	u32 before;
	struct ipc_op **op; /* of the call; it may be known only from now on */
};

/*
 * Sleep until woken, or a signal comes.  A gate may have held the task since it
 * looked; what came meanwhile has set woken, as it would have made the task
 * runnable had it been asleep.
 */
static void sleep_unless_woken(struct ipc_pipe *pipe,
			       const struct wait_spec *spec,
			       struct ipc_waiter *waiter)
{
	ipc_at_point(&pipe->object, spec->steps->sleep, -1, -1);
	ipc_op_asleep(*spec->op, waiter);
	set_current_state(TASK_INTERRUPTIBLE);
	if (!READ_ONCE(waiter->woken))
		schedule();
	__set_current_state(TASK_RUNNING);
	ipc_op_asleep(*spec->op, NULL);
	/*
	 * Somebody may look since it fell asleep.  This may wait for memory: the
	 * task runs, on its queue still, as at a gate.  A wake-up that comes
	 * meanwhile sets woken, and is found by the look that is next.
	 */
	ipc_op_know(spec->op, &pipe->object, spec->steps->sleep);
}

/*
 * Sleep until spec->ready(), which is checked without the mutex: the caller
 * takes the mutex and looks again.
 *
 * Context: the mutex is not held.
 * Return: 0, or -ERESTARTSYS if a signal came while it was not ready.  *chosen
 * is set if a wake-up was meant for this task.
 */
static int wait_until(struct ipc_pipe *pipe, const struct wait_spec *spec,
		      bool *chosen)
{
	struct ipc_waiter waiter;
	int err = 0;

	*chosen = false;
	ipc_op_know(spec->op, &pipe->object, spec->steps->wait);
	ipc_waiter_add(&waiter, &pipe->object, spec->queue, spec->steps->wait,
		       spec->exclusive);
	ipc_at_point(&pipe->object, spec->steps->queue, -1, -1);
	while (!spec->ready(pipe, spec->before)) {
		if (signal_pending(current)) {
			err = -ERESTARTSYS;
			ipc_at_waited(&pipe->object, spec->steps->leave, -1, -1,
				      waiter.since_ns);
			break;
		}
		if (READ_ONCE(waiter.woken)) {
			*chosen = true;
			ipc_waiter_again(&waiter, spec->queue);
			continue;
		}
		ipc_at_point(&pipe->object, spec->steps->check, -1, 0);
		sleep_unless_woken(pipe, spec, &waiter);
	}
	ipc_waiter_remove(&waiter, spec->queue);
	*chosen |= waiter.woken;
	/*
	 * A wake-up may have chosen this task between its last look and its
	 * leaving the queue: then its condition holds now, and it must not go
	 * away with a signal, but use or pass on what it was woken for.
	 */
	if (err && spec->ready(pipe, spec->before))
		err = 0;
	ipc_at_waited(&pipe->object, spec->steps->woken, -1, *chosen,
		      waiter.since_ns);
	return err;
}

/*
 * Take the mutex again after wait_until().  If the task is killed meanwhile,
 * the wake-up that it may have had goes to its neighbour.
 */
static int relock(struct ipc_pipe *pipe, const struct steps *steps,
		  void (*wake_neighbour)(struct ipc_pipe *pipe))
{
	if (!lock_killable(pipe, steps))
		return 0;
	wake_neighbour(pipe);
	return -EINTR;
}

/* --- the ring, changed in view of the views --- */

static void begin_change(struct ipc_pipe *pipe)
{
	lockdep_assert_held(&pipe->mutex);
	/* A view spins while seq is odd: do not let it wait for our turn. */
	preempt_disable();
	write_seqcount_begin(&pipe->seq);
}

static void end_change(struct ipc_pipe *pipe)
{
	write_seqcount_end(&pipe->seq);
	preempt_enable();
}

/*
 * Who has changed the ring says so if that has filled or emptied it.  Only while
 * somebody looks; the indices are those that the change has left.
 */
static void note_full(struct ipc_pipe *pipe)
{
	lockdep_assert_held(&pipe->mutex);
	if (ipc_is_looking() &&
	    ring_is_full(pipe->ring.indices, pipe->ring.slots->nr))
		ipc_at_note(&pipe->object, RING_FULL);
}

static void note_empty(struct ipc_pipe *pipe)
{
	lockdep_assert_held(&pipe->mutex);
	if (ipc_is_looking() && ring_is_empty(pipe->ring.indices))
		ipc_at_note(&pipe->object, RING_EMPTY);
}

static void free_page_of(struct ipc_pipe *pipe, struct page *page)
{
	put_page(page);
	ipc_count(&pipe->object, IPC_PAGE_FREE, 1);
	ipc_at(&pipe->object, PAGE_FREE, -1, -1);
}

/* A slot that holds no bytes keeps its page no longer. */
static void drop_page(struct ipc_pipe *pipe, struct ipc_slot *slot)
{
	struct page *page = slot->page;

	begin_change(pipe);
	slot->page = NULL;
	slot->page_no = 0;
	end_change(pipe);
	free_page_of(pipe, page);
}

/* Give back the pages of slots that hold no bytes.  Return: how many. */
static u32 free_spare_pages(struct ipc_pipe *pipe)
{
	struct ipc_slots *slots = pipe->ring.slots;
	u64 at = ring_indices(&pipe->ring);
	struct ipc_slot *slot;
	u32 i, freed = 0;

	for (i = ring_head(at); i != ring_tail(at) + slots->nr; i++) {
		slot = ring_slot(slots, i);
		if (!slot->page)
			continue;
		drop_page(pipe, slot);
		freed++;
	}
	return freed;
}

u32 ipc_pipe_trim(struct ipc_pipe *pipe)
{
	u32 freed;

	if (!mutex_trylock(&pipe->mutex))
		return 0;
	freed = free_spare_pages(pipe);
	mutex_unlock(&pipe->mutex);
	return freed;
}

/* Pages that ring_move() left in an array that is no longer the ring's. */
static void free_left_pages(struct ipc_pipe *pipe, struct ipc_slots *slots)
{
	u32 i;

	for (i = 0; i < slots->nr; i++) {
		if (slots->slot[i].page)
			free_page_of(pipe, slots->slot[i].page);
		slots->slot[i] = (struct ipc_slot){};
	}
}

/*
 * A page for the head slot: the one that it kept, or a new one.
 *
 * A kept page is used again only if nobody else has a reference: a page that
 * was given away must never be written to again (Dirty Pipe, CVE-2022-0847).
 */
static struct page *page_for_slot(struct ipc_pipe *pipe, struct ipc_slot *slot)
{
	struct page *page = slot->page;

	if (page && page_count(page) == 1) {
		ipc_count(&pipe->object, IPC_PAGE_REUSE, 1);
		ipc_at(&pipe->object, PAGE_REUSE, -1, -1);
		return page;
	}

	page = alloc_page(GFP_HIGHUSER | __GFP_ACCOUNT);
	if (!page)
		return NULL;
	ipc_count(&pipe->object, IPC_PAGE_ALLOC, 1);
	begin_change(pipe);
	swap(slot->page, page);
	slot->page_no = ++pipe->last_page_no;
	end_change(pipe);
	if (page)
		free_page_of(pipe, page);
	ipc_at(&pipe->object, PAGE_ALLOC, -1, -1);
	return slot->page;
}

/* At least a jiffy: the work queues itself again while the pipe is busy. */
static unsigned long trim_delay(void)
{
	unsigned long seconds = READ_ONCE(trim_seconds);

	return max(min(seconds, MAX_JIFFY_OFFSET / HZ) * HZ, 1UL);
}

/* There is a page to give back if nothing happens for a while. */
static void trim_later(struct ipc_pipe *pipe)
{
	WRITE_ONCE(pipe->active, true);
	if (!delayed_work_pending(&pipe->trim_work))
		schedule_delayed_work(&pipe->trim_work, trim_delay());
}

/* Does not wait for the mutex: a pipe that is busy is not idle. */
static void trim(struct work_struct *work)
{
	struct ipc_pipe *pipe =
		container_of(work, struct ipc_pipe, trim_work.work);
	bool again = true;

	if (mutex_trylock(&pipe->mutex)) {
		again = pipe->active;
		WRITE_ONCE(pipe->active, false);
		if (!again)
			free_spare_pages(pipe);
		mutex_unlock(&pipe->mutex);
	}
	if (again)
		schedule_delayed_work(&pipe->trim_work, trim_delay());
}

static struct user_struct *user_of(struct ipc_pipe *pipe)
{
	return pipe->cred->user;
}

/* The same counter as the kernel's own pipes use: one budget for both. */
static unsigned long charge(struct ipc_pipe *pipe, u32 slots)
{
	unsigned long sum;

	sum = atomic_long_add_return((long)slots - (long)pipe->charged,
				     &user_of(pipe)->pipe_bufs);
	pipe->charged = slots;
	return sum;
}

/* From now on the current user pays for the slots. */
static unsigned long begin_charge(struct ipc_pipe *pipe, u32 slots)
{
	lockdep_assert_held(&pipe->mutex);
	pipe->cred = get_current_cred();
	return charge(pipe, slots);
}

static void end_charge(struct ipc_pipe *pipe)
{
	lockdep_assert_held(&pipe->mutex);
	if (!pipe->cred)
		return;
	charge(pipe, 0);
	put_cred(pipe->cred);
	pipe->cred = NULL;
}

static bool over_soft(unsigned long user_slots)
{
	unsigned long soft = READ_ONCE(pipe_user_pages_soft);

	return soft && user_slots > soft;
}

static bool over_hard(unsigned long user_slots)
{
	unsigned long hard = READ_ONCE(pipe_user_pages_hard);

	return hard && user_slots > hard;
}

static bool is_privileged(void)
{
	return capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN);
}

static struct ipc_slots *alloc_slots(u32 nr)
{
	struct ipc_slots *slots;

	/* kmalloc, as in the kernel: a ring too large for it is ENOMEM. */
	slots = kzalloc(struct_size(slots, slot, nr),
			GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (slots)
		slots->nr = nr;
	return slots;
}

static void use_slots(struct ipc_pipe *pipe, struct ipc_slots *slots)
{
	/* Pairs with the READ_ONCE() in look_once(), under RCU. */
	smp_store_release(&pipe->ring.slots, slots);
	WRITE_ONCE(pipe->nr, slots->nr);
}

/* How many slots a pipe that comes into use may have. */
static u32 slots_to_start(void)
{
	u32 most = READ_ONCE(pipe_max_size) >> PAGE_SHIFT;

	if (most >= DEFAULT_SLOTS || capable(CAP_SYS_RESOURCE))
		return DEFAULT_SLOTS;
	return most ? rounddown_pow_of_two(most) : 1;
}

/*
 * The pipe comes into use: the current user pays, and gets fewer slots if he
 * has many (never fewer than two because of that: 46c4c9d1beb7).  The rules are
 * those of alloc_pipe_info().
 *
 * Return: 0, -ENFILE (above the hard limit), -ENOMEM.
 */
static int begin_use(struct ipc_pipe *pipe)
{
	u32 nr = slots_to_start();
	struct ipc_slots *slots;
	unsigned long sum;
	int err;

	if (pipe->cred)
		return 0;
	/* The array is changed below: nothing may be in it. */
	if (WARN_ON_ONCE(!is_empty(pipe)))
		return -ENOMEM;
	sum = begin_charge(pipe, nr);
	if (over_soft(sum) && !is_privileged()) {
		nr = LEAST_SLOTS;
		sum = charge(pipe, nr);
	}
	err = -ENFILE;
	if (over_hard(sum) && !is_privileged())
		goto err_charge;
	if (nr == pipe->home->nr)
		return 0;
	err = -ENOMEM;
	slots = alloc_slots(nr);
	if (!slots)
		goto err_charge;
	begin_change(pipe);
	/* Nobody has it open: there are neither bytes nor pages. */
	use_slots(pipe, slots);
	end_change(pipe);
	return 0;

err_charge:
	end_charge(pipe);
	return err;
}

/* The reverse, when there are neither bytes nor pages. */
static void end_use(struct ipc_pipe *pipe)
{
	struct ipc_slots *old = pipe->ring.slots;

	if (old != pipe->home) {
		begin_change(pipe);
		use_slots(pipe, pipe->home);
		end_change(pipe);
		kfree_rcu(old, rcu);
	}
	end_charge(pipe);
}

/* Nobody has the pipe open: no bytes, no pages, as new. */
static void drop_all(struct ipc_pipe *pipe)
{
	u64 bytes = ring_bytes(&pipe->ring);

	lockdep_assert_held(&pipe->mutex);
	if (bytes)
		ipc_count(&pipe->object, IPC_CLOSE_DROP, bytes);
	ipc_at(&pipe->object, CLOSE_DROP, bytes, -1);
	begin_change(pipe);
	while (ring_tail_slot(&pipe->ring))
		ring_consume(&pipe->ring, ring_tail_slot(&pipe->ring)->len);
	end_change(pipe);
	free_spare_pages(pipe);
	WRITE_ONCE(pipe->polled, false);
	ipc_trail_clear(&pipe->trail);
	end_use(pipe);
}

static bool is_unused(const struct ipc_pipe *pipe)
{
	return !pipe->readers && !pipe->writers;
}

/* An end is no longer counted: was that the last? */
static void drop_if_unused(struct ipc_pipe *pipe)
{
	if (is_unused(pipe) && !pipe->keep)
		drop_all(pipe);
}

/* --- open and close --- */

/* Somebody came to a side that had nobody.  Called under the mutex. */
static void wake_openers(struct ipc_pipe *pipe)
{
	ipc_count(&pipe->object, IPC_WAKE_OPENERS, 1);
	ipc_at(&pipe->object, WAKE_OPENERS, -1, -1);
	wake_up_interruptible_all(&pipe->open_queue);
	/* As in the kernel, where openers wait on the readers' queue: who polls
	 * that queue for edges sees one here.
	 */
	wake_up_interruptible_all(&pipe->read_queue);
}

/* Called and returns with the mutex held; releases it meanwhile. */
static int wait_for_partner(struct ipc_pipe *pipe, struct ipc_op **op,
			    bool (*came)(const struct ipc_pipe *, u32),
			    u32 before)
{
	struct wait_spec spec = {
		.queue = &pipe->open_queue,
		.steps = &open_steps,
		.ready = came,
		.before = before,
		.op = op,
	};
	bool chosen;
	int err;

	ipc_count(&pipe->object, IPC_OPEN_WAIT, 1);
	ipc_at(&pipe->object, OPEN_WAIT, -1, -1);
	unlock(pipe);
	err = wait_until(pipe, &spec, &chosen);
	/* Not killable: the caller has counts to take back. */
	lock(pipe, &open_steps);
	return came(pipe, before) ? 0 : err;
}

static void add_reader(struct ipc_pipe *pipe)
{
	WRITE_ONCE(pipe->reader_opens, pipe->reader_opens + 1);
	WRITE_ONCE(pipe->readers, pipe->readers + 1);
}

static void add_writer(struct ipc_pipe *pipe)
{
	WRITE_ONCE(pipe->writer_opens, pipe->writer_opens + 1);
	WRITE_ONCE(pipe->writers, pipe->writers + 1);
}

static void drop_reader(struct ipc_pipe *pipe)
{
	WRITE_ONCE(pipe->readers, pipe->readers - 1);
	if (pipe->readers)
		return;
	ipc_count(&pipe->object, IPC_CLOSE_LAST_READER, 1);
	ipc_at(&pipe->object, CLOSE_LAST_READER, -1, -1);
}

static void drop_writer(struct ipc_pipe *pipe)
{
	WRITE_ONCE(pipe->writers, pipe->writers - 1);
	if (pipe->writers)
		return;
	ipc_count(&pipe->object, IPC_CLOSE_LAST_WRITER, 1);
	ipc_at(&pipe->object, CLOSE_LAST_WRITER, -1, -1);
}

static int open_reader(struct ipc_pipe *pipe, struct file *file,
		       struct ipc_op **op)
{
	int err;

	add_reader(pipe);
	if (pipe->readers == 1)
		wake_openers(pipe);
	if (pipe->writers || pipe->keep || pipe->anonymous)
		return 0;
	if (file->f_flags & O_NONBLOCK) {
		/* No POLLHUP until a first writer has come: see poll. */
		ipc_file_set_cookie(file, pipe->writer_opens);
		return 0;
	}
	err = wait_for_partner(pipe, op, writer_came, writers_came(pipe));
	if (err) {
		drop_reader(pipe);
		if (!pipe->readers)
			wake_all(pipe);
		drop_if_unused(pipe);
	}
	return err;
}

static int open_writer(struct ipc_pipe *pipe, struct file *file,
		       struct ipc_op **op)
{
	int err;

	if ((file->f_flags & O_NONBLOCK) && no_reader(pipe) && !pipe->anonymous)
		return -ENXIO;
	add_writer(pipe);
	if (pipe->writers == 1)
		wake_openers(pipe);
	if (!no_reader(pipe) || pipe->anonymous)
		return 0;
	err = wait_for_partner(pipe, op, reader_came, readers_came(pipe));
	if (err) {
		drop_writer(pipe);
		if (!pipe->writers)
			wake_all(pipe);
		drop_if_unused(pipe);
	}
	return err;
}

static int open_both(struct ipc_pipe *pipe)
{
	add_reader(pipe);
	add_writer(pipe);
	if (pipe->readers == 1 || pipe->writers == 1)
		wake_openers(pipe);
	return 0;
}

static int open_end(struct ipc_pipe *pipe, struct file *file,
		    struct ipc_op **op)
{
	int err;

	if (lock_killable(pipe, &open_steps))
		return -EINTR;
	ipc_count(&pipe->object, IPC_OPEN_ENTER, 1);
	if (begin_use(pipe)) {
		/* As a FIFO: whatever the reason is. */
		err = -ENOMEM;
		goto out;
	}
	switch (file->f_mode & (FMODE_READ | FMODE_WRITE)) {
	case FMODE_READ:
		err = open_reader(pipe, file, op);
		break;
	case FMODE_WRITE:
		err = open_writer(pipe, file, op);
		break;
	case FMODE_READ | FMODE_WRITE:
		err = open_both(pipe);
		break;
	default:
		err = -EINVAL;
		break;
	}
	if (!err) {
		ipc_count(&pipe->object, IPC_OPEN_DONE, 1);
		ipc_at(&pipe->object, OPEN_DONE, -1, -1);
	} else if (is_unused(pipe) && !pipe->keep) {
		/* ENXIO: it was not in use, and is not now. */
		end_use(pipe);
	}
out:
	unlock(pipe);
	return err;
}

/* No file offset, no pread or pwrite; sets no other flag. */
static void make_stream(struct file *file)
{
	stream_open(file_inode(file), file);
	ipc_file_set_cookie(file, 0);
}

void ipc_pipe_join(struct ipc_pipe *pipe, struct file *file)
{
	make_stream(file);
	/* It can be found by its id already. */
	if (!mutex_trylock(&pipe->mutex))
		lock_patiently(pipe);
	if (file->f_mode & FMODE_READ)
		add_reader(pipe);
	if (file->f_mode & FMODE_WRITE)
		add_writer(pipe);
	mutex_unlock(&pipe->mutex);
}

int ipc_pipe_open(struct ipc_pipe *pipe, struct file *file)
{
	struct ipc_op *op;
	int err;

	make_stream(file);
	op = ipc_op_begin(&pipe->object, false);
	ipc_at(&pipe->object, OPEN_ENTER, -1, -1);
	err = open_end(pipe, file, &op);
	ipc_at(&pipe->object, OPEN_RETURN, -1, err);
	ipc_op_end(op);
	return err;
}

static void close_end(struct ipc_pipe *pipe, struct file *file)
{
	lock(pipe, &close_steps);
	if ((file->f_mode & FMODE_READ) && pipe->writers)
		ipc_trail_closed(&pipe->trail);
	if (file->f_mode & FMODE_READ)
		drop_reader(pipe);
	if (file->f_mode & FMODE_WRITE)
		drop_writer(pipe);
	if (!pipe->readers != !pipe->writers) {
		wake_all(pipe);
		signal_readers(pipe);
		signal_writers(pipe);
	}
	drop_if_unused(pipe);
	ipc_at(&pipe->object, CLOSE_UNLOCK, -1, -1);
	unlock(pipe);
}

void ipc_pipe_close(struct ipc_pipe *pipe, struct file *file)
{
	struct ipc_op *op;

	op = ipc_op_begin(&pipe->object, false);
	ipc_at(&pipe->object, CLOSE_ENTER, -1, -1);
	close_end(pipe, file);
	ipc_at(&pipe->object, CLOSE_RETURN, -1, 0);
	ipc_op_end(op);
}

/* --- read --- */

/*
 * Take what fits of the oldest slot.
 * Return: 0, or -EFAULT with the slot as it was.
 */
static int read_slot(struct ipc_pipe *pipe, struct ipc_slot *slot,
		     struct iov_iter *to, size_t *done)
{
	size_t len = min_t(size_t, slot->len, iov_iter_count(to));
	u32 flags = slot->flags;
	size_t rest = flags & IPC_SLOT_PACKET ? slot->len - len : 0;
	bool drained;

	if (copy_page_to_iter(slot->page, slot->offset, len, to) < len)
		return -EFAULT;
	ipc_at(&pipe->object, READ_COPY, len, -1);
	if (rest) {
		ipc_count(&pipe->object, IPC_READ_DROP, rest);
		ipc_at(&pipe->object, READ_DROP, rest, -1);
	}
	begin_change(pipe);
	drained = ring_consume(&pipe->ring, len + rest);
	end_change(pipe);
	*done += len;
	ipc_count(&pipe->object, IPC_READ_COPY, len);
	if (drained) {
		if (unlikely(flags & IPC_SLOT_FOREIGN))
			drop_page(pipe, slot);
		ipc_count(&pipe->object, IPC_READ_RELEASE, 1);
		ipc_at(&pipe->object, READ_RELEASE, -1, -1);
		note_empty(pipe);
		trim_later(pipe);
	}
	return 0;
}

/* Take what is there.  Return: 0 or -EFAULT; *done counts the bytes. */
static int read_slots(struct ipc_pipe *pipe, struct iov_iter *to, size_t *done)
{
	struct ipc_slot *slot;
	bool packet = false;
	int err;

	/* A packet ends a read, also if bytes came before it. */
	while (iov_iter_count(to) && !packet) {
		slot = ring_tail_slot(&pipe->ring);
		if (!slot)
			break;
		packet = slot->flags & IPC_SLOT_PACKET;
		err = read_slot(pipe, slot, to, done);
		if (err)
			return err;
	}
	return 0;
}

/* Apart, so that a read that need not wait sets nothing up for it. */
static noinline int wait_to_read(struct ipc_pipe *pipe, struct ipc_op **op,
				 bool *chosen)
{
	struct wait_spec spec = {
		.queue = &pipe->read_queue,
		.steps = &read_steps,
		.exclusive = true,
		.ready = may_read,
		.op = op,
	};

	return wait_until(pipe, &spec, chosen);
}

/* @nonblock: do not wait for bytes, whatever the file's flag says. */
static ssize_t read_end(struct ipc_pipe *pipe, struct file *file,
			struct iov_iter *to, bool nonblock, struct ipc_op **op)
{
	bool wake_writer, pass_on = false;
	bool was_full, chosen;
	size_t done = 0;
	int err;

	if (lock_killable(pipe, &read_steps))
		return -EINTR;
	ipc_count(&pipe->object, IPC_READ_ENTER, 1);

	for (;;) {
		was_full = is_full(pipe);
		ipc_at(&pipe->object, READ_LOOK, -1, !is_empty(pipe));
		err = read_slots(pipe, to, &done);
		if (err || done)
			break;
		if (!pipe->writers) {
			ipc_count(&pipe->object, IPC_READ_EOF, 1);
			ipc_at(&pipe->object, READ_EOF, -1, -1);
			break;
		}
		if (nonblock || (file->f_flags & O_NONBLOCK)) {
			ipc_trail_count(&pipe->trail, IPC_TRAIL_READ_AGAIN);
			err = -EAGAIN;
			break;
		}

		ipc_count(&pipe->object, IPC_READ_WAIT, 1);
		ipc_at(&pipe->object, READ_WAIT, -1, -1);
		unlock(pipe);
		if (IPC_READ_SIGNALS_BEFORE_SLEEP)
			signal_writers(pipe);
		err = wait_to_read(pipe, op, &chosen);
		if (err)
			return err;
		err = relock(pipe, &read_steps, wake_a_reader);
		if (err)
			return err;
		if (chosen)
			ipc_count(&pipe->object, IPC_READ_WOKEN, 1);
		pass_on = true;
	}

	if (done)
		ipc_trail_read(&pipe->trail);
	wake_writer = was_full && !is_full(pipe);
	if (wake_writer)
		ipc_count(&pipe->object, IPC_WAKE_WRITERS, 1);
	if (is_empty(pipe))
		pass_on = false;
	if (pass_on)
		ipc_count(&pipe->object, IPC_WAKE_READERS, 1);
	ipc_at(&pipe->object, READ_UNLOCK, -1, wake_writer);
	unlock(pipe);

	if (wake_writer)
		wake_a_writer(pipe);
	if (pass_on)
		wake_a_reader(pipe);
	signal_writers(pipe);
	if (!done)
		return err;
	file_accessed(file);
	return done;
}

ssize_t ipc_pipe_read(struct ipc_pipe *pipe, struct kiocb *iocb,
		      struct iov_iter *to)
{
	bool nowait = iocb->ki_flags & IOCB_NOWAIT;
	struct ipc_op *op;
	ssize_t result;

	if (!iov_iter_count(to))
		return 0;
	op = ipc_call_begin(&pipe->object, IPC_READ_ENTER, iov_iter_count(to),
			    nowait);
	result = read_end(pipe, iocb->ki_filp, to, nowait, &op);
	ipc_call_end(op, &pipe->object, IPC_READ_RETURN, result);
	return result;
}

/* --- write --- */

/*
 * The bytes beyond the last whole page go behind those of the newest slot, if
 * they fit there; the pages follow in slots of their own.
 *
 * Return: 0 or -EFAULT with nothing published.
 */
static int write_merge(struct ipc_pipe *pipe, struct iov_iter *from,
		       size_t *done)
{
	size_t len = iov_iter_count(from) & (PAGE_SIZE - 1);
	struct ipc_slot *slot;

	if (!len)
		return 0;
	slot = ring_merge_slot(&pipe->ring, len);
	if (!slot)
		return 0;
	if (copy_page_from_iter(slot->page, slot->offset + slot->len, len,
				from) < len)
		return -EFAULT;
	ipc_at(&pipe->object, WRITE_MERGE, len, -1);
	begin_change(pipe);
	ring_merge(&pipe->ring, len);
	end_change(pipe);
	*done += len;
	ipc_count(&pipe->object, IPC_WRITE_MERGE, 1);
	ipc_count(&pipe->object, IPC_WRITE_COPY, len);
	return 0;
}

/*
 * Fill the head slot.  A slot that could not be filled to the end of the page
 * or of the data is not published: what was copied is not in the pipe.
 *
 * Return: 0, -EFAULT, -ENOMEM.
 */
static int write_slot(struct ipc_pipe *pipe, struct ipc_slot *slot,
		      struct iov_iter *from, u32 flags, size_t *done)
{
	size_t len = min_t(size_t, PAGE_SIZE, iov_iter_count(from));
	struct page *page = page_for_slot(pipe, slot);

	if (!page)
		return -ENOMEM;
	if (copy_page_from_iter(page, 0, len, from) < len) {
		/* The slot keeps the page, without bytes. */
		trim_later(pipe);
		return -EFAULT;
	}
	ipc_at(&pipe->object, WRITE_COPY, len, -1);
	begin_change(pipe);
	ring_publish(&pipe->ring, page, slot->page_no, len, flags);
	end_change(pipe);
	*done += len;
	ipc_count(&pipe->object, IPC_WRITE_COPY, len);
	ipc_count(&pipe->object, IPC_WRITE_PUBLISH, 1);
	ipc_at(&pipe->object, WRITE_PUBLISH, len, -1);
	note_full(pipe);
	return 0;
}

static int need_reader(struct ipc_pipe *pipe)
{
	if (!no_reader(pipe))
		return 0;
	ipc_count(&pipe->object, IPC_WRITE_EPIPE, 1);
	ipc_trail_count(&pipe->trail, IPC_TRAIL_EPIPE);
	ipc_at(&pipe->object, WRITE_EPIPE, -1, -1);
	return -EPIPE;
}

/* Fill what slots there are.  Return: 0, -EFAULT, -ENOMEM. */
static int write_slots(struct ipc_pipe *pipe, struct file *file,
		       struct iov_iter *from, size_t *done)
{
	/* Looked at as the kernel does: once more whenever it begins to copy. */
	u32 flags = file->f_flags & O_DIRECT ? IPC_SLOT_PACKET : IPC_SLOT_MERGE;
	struct ipc_slot *slot;
	int err;

	while (iov_iter_count(from)) {
		slot = ring_head_slot(&pipe->ring);
		if (!slot)
			break;
		err = write_slot(pipe, slot, from, flags, done);
		if (err)
			return err;
	}
	return 0;
}

static noinline int wait_to_write(struct ipc_pipe *pipe, struct ipc_op **op,
				  bool *chosen)
{
	struct wait_spec spec = {
		.queue = &pipe->write_queue,
		.steps = &write_steps,
		.exclusive = true,
		.ready = may_write,
		.op = op,
	};

	return wait_until(pipe, &spec, chosen);
}

/* All bytes that were ever put into the pipe.  The mutex is held. */
static s64 bytes_written(const struct ipc_pipe *pipe)
{
	return atomic64_read(&pipe->object.count[IPC_WRITE_COPY]);
}

/* @nonblock: as for read_end(). */
static ssize_t write_end(struct ipc_pipe *pipe, struct file *file,
			 struct iov_iter *from, bool nonblock,
			 struct ipc_op **op)
{
	bool wake_reader, pass_on = false, torn = false;
	bool was_empty, chosen;
	size_t done = 0;
	s64 in_all;
	int err;

	if (lock_killable(pipe, &write_steps))
		return -EINTR;
	ipc_count(&pipe->object, IPC_WRITE_ENTER, 1);

	err = need_reader(pipe);
	was_empty = !err && is_empty(pipe);
	if (!err)
		err = write_merge(pipe, from, &done);

	while (!err && iov_iter_count(from)) {
		ipc_at(&pipe->object, WRITE_LOOK, -1, !is_full(pipe));
		err = write_slots(pipe, file, from, &done);
		if (err || !iov_iter_count(from))
			break;
		/* The ring is full. */
		if (nonblock || (file->f_flags & O_NONBLOCK)) {
			if (!done)
				ipc_trail_count(&pipe->trail,
						IPC_TRAIL_WRITE_AGAIN);
			err = -EAGAIN;
			break;
		}
		if (signal_pending(current)) {
			err = -ERESTARTSYS;
			break;
		}

		ipc_count(&pipe->object, IPC_WRITE_WAIT, 1);
		if (was_empty)
			ipc_count(&pipe->object, IPC_WAKE_READERS, 1);
		ipc_at(&pipe->object, WRITE_WAIT, done, -1);
		if (done)
			ipc_trail_write(&pipe->trail);
		in_all = bytes_written(pipe);
		unlock(pipe);
		if (was_empty)
			wake_a_reader(pipe);
		signal_readers(pipe);
		/* A signal is looked at above, once the ring is known full. */
		wait_to_write(pipe, op, &chosen);
		if (relock(pipe, &write_steps, wake_a_writer)) {
			/* The edge that a poller of the other side waits for. */
			if (done && READ_ONCE(pipe->polled))
				wake_a_reader(pipe);
			return done ? done : -EINTR;
		}
		if (chosen)
			ipc_count(&pipe->object, IPC_WRITE_WOKEN, 1);
		if (done && !torn && bytes_written(pipe) != in_all) {
			ipc_trail_count(&pipe->trail, IPC_TRAIL_TORN);
			torn = true;
		}
		pass_on = true;
		was_empty = is_empty(pipe);
		err = need_reader(pipe);
	}

	if (done)
		ipc_trail_write(&pipe->trail);
	wake_reader = was_empty || READ_ONCE(pipe->polled);
	if (wake_reader)
		ipc_count(&pipe->object, IPC_WAKE_READERS, 1);
	if (is_full(pipe))
		pass_on = false;
	if (pass_on)
		ipc_count(&pipe->object, IPC_WAKE_WRITERS, 1);
	ipc_at(&pipe->object, WRITE_UNLOCK, -1, wake_reader);
	unlock(pipe);

	if (err == -EPIPE)
		send_sig(SIGPIPE, current, 0);
	if (wake_reader)
		wake_a_reader(pipe);
	signal_readers(pipe);
	if (pass_on)
		wake_a_writer(pipe);
	if (!done)
		return err;
	if (sb_start_write_trylock(file_inode(file)->i_sb)) {
		file_update_time(file);
		sb_end_write(file_inode(file)->i_sb);
	}
	return done;
}

ssize_t ipc_pipe_write(struct ipc_pipe *pipe, struct kiocb *iocb,
		       struct iov_iter *from)
{
	bool nowait = iocb->ki_flags & IOCB_NOWAIT;
	struct ipc_op *op;
	ssize_t result;

	if (!iov_iter_count(from))
		return 0;
	op = ipc_call_begin(&pipe->object, IPC_WRITE_ENTER,
			    iov_iter_count(from), nowait);
	result = write_end(pipe, iocb->ki_filp, from, nowait, &op);
	ipc_call_end(op, &pipe->object, IPC_WRITE_RETURN, result);
	return result;
}

/* --- the other calls --- */

__poll_t ipc_pipe_poll(struct ipc_pipe *pipe, struct file *file,
		       struct poll_table_struct *wait)
{
	__poll_t mask = 0;

	ipc_count_shared(&pipe->object, IPC_POLL_ENTER, 1);
	ipc_at(&pipe->object, POLL_ENTER, -1, -1);
	if (file->f_mode & FMODE_READ)
		ipc_trail_polled(&pipe->trail);
	/* From now on each write wakes: edge-triggered epoll asks for it. */
	WRITE_ONCE(pipe->polled, true);

	/*
	 * Stand on the queue first, look then.  The queue's lock pairs with
	 * that of the waker, which changes the state first and walks then.
	 */
	if (file->f_mode & FMODE_READ)
		poll_wait(file, &pipe->read_queue, wait);
	if (file->f_mode & FMODE_WRITE)
		poll_wait(file, &pipe->write_queue, wait);

	if (file->f_mode & FMODE_READ) {
		if (!is_empty(pipe))
			mask |= EPOLLIN | EPOLLRDNORM;
		if (!READ_ONCE(pipe->writers) &&
		    ipc_file_cookie(file) != READ_ONCE(pipe->writer_opens))
			mask |= EPOLLHUP;
	}
	if (file->f_mode & FMODE_WRITE) {
		if (!is_full(pipe))
			mask |= EPOLLOUT | EPOLLWRNORM;
		if (no_reader(pipe))
			mask |= EPOLLERR;
	}
	ipc_at(&pipe->object, POLL_LOOK, -1, (__force s64)mask);
	return mask;
}

int ipc_pipe_fasync(struct ipc_pipe *pipe, int fd, struct file *file, int on)
{
	int added = 0, result = 0;
	struct ipc_op *op;

	op = ipc_op_begin(&pipe->object, false);
	lock(pipe, &other_steps);
	if (file->f_mode & FMODE_READ) {
		added = fasync_helper(fd, file, on, &pipe->read_fasync);
		result = added;
	}
	if ((file->f_mode & FMODE_WRITE) && result >= 0) {
		result = fasync_helper(fd, file, on, &pipe->write_fasync);
		/* Take back what this call has added, and nothing older. */
		if (result < 0 && added > 0)
			fasync_helper(-1, file, 0, &pipe->read_fasync);
	}
	unlock(pipe);
	ipc_op_end(op);
	return result;
}

int ipc_pipe_bytes(struct ipc_pipe *pipe, u64 *bytes)
{
	struct ipc_op *op;
	int err;

	op = ipc_op_begin(&pipe->object, false);
	err = lock_killable(pipe, &other_steps) ? -EINTR : 0;
	if (!err) {
		*bytes = ring_bytes(&pipe->ring);
		unlock(pipe);
	}
	ipc_op_end(op);
	return err;
}

static ssize_t peek_slots(struct ipc_pipe *pipe, u64 skip, struct iov_iter *to)
{
	u64 at = ring_indices(&pipe->ring);
	struct ipc_slot *slot;
	ssize_t done = 0;
	size_t len;
	u32 i;

	for (i = ring_tail(at); i != ring_head(at); i++) {
		if (!iov_iter_count(to))
			break;
		slot = ring_slot(pipe->ring.slots, i);
		if (skip >= slot->len) {
			skip -= slot->len;
			continue;
		}
		len = min_t(size_t, slot->len - skip, iov_iter_count(to));
		if (copy_page_to_iter(slot->page, slot->offset + skip, len,
				      to) < len)
			return -EFAULT;
		done += len;
		skip = 0;
	}
	return done;
}

/* Return: 0, -EINTR, or -EBUSY if who has the mutex is held at a gate. */
static int lock_to_peek(struct ipc_pipe *pipe)
{
	if (!ipc_is_looking() || !ipc_has_gates())
		return mutex_lock_killable(&pipe->mutex);
	while (!mutex_trylock(&pipe->mutex)) {
		if (ipc_lock_is_stuck(&pipe->object))
			return -EBUSY;
		if (fatal_signal_pending(current))
			return -EINTR;
		schedule_timeout_killable(1);
	}
	return 0;
}

ssize_t ipc_pipe_peek(struct ipc_pipe *pipe, u64 skip, struct iov_iter *to,
		      u64 *bytes)
{
	ssize_t done;
	int err;

	err = lock_to_peek(pipe);
	if (err)
		return err;
	*bytes = ring_bytes(&pipe->ring);
	done = peek_slots(pipe, skip, to);
	if (done > 0)
		ipc_count(&pipe->object, IPC_PEEK_COPY, done);
	ipc_at(&pipe->object, PEEK_COPY, done, -1);
	mutex_unlock(&pipe->mutex);
	return done;
}

u64 ipc_pipe_capacity(struct ipc_pipe *pipe)
{
	return (u64)READ_ONCE(pipe->nr) << PAGE_SHIFT;
}

/* Called under the mutex. */
static int resize(struct ipc_pipe *pipe, u32 nr)
{
	struct ipc_slots *old = pipe->ring.slots;
	bool in_use = pipe->cred;
	bool grows = nr > old->nr;
	unsigned long user_slots;
	u32 charged;
	struct ipc_slots *new;
	int err;

	if (grows && (u64)nr << PAGE_SHIFT > READ_ONCE(pipe_max_size) &&
	    !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (!in_use)
		begin_charge(pipe, old->nr);
	charged = pipe->charged;
	user_slots = charge(pipe, nr);
	err = -EPERM;
	if (grows && (over_soft(user_slots) || over_hard(user_slots)) &&
	    !is_privileged())
		goto err_charge;
	err = -ENOMEM;
	new = alloc_slots(nr);
	if (!new)
		goto err_charge;

	begin_change(pipe);
	err = ring_move(&pipe->ring, new);
	if (!err)
		use_slots(pipe, new);
	end_change(pipe);
	if (err)
		goto err_slots;

	free_left_pages(pipe, old);
	if (old != pipe->home)
		kfree_rcu(old, rcu);
	ipc_count(&pipe->object, IPC_RESIZE_DONE, 1);
	ipc_at(&pipe->object, RESIZE_DONE, -1, -1);
	/* Only now: who wakes must find the new size in force. */
	ipc_count(&pipe->object, IPC_WAKE_WRITERS, 1);
	ipc_at(&pipe->object, WAKE_WRITERS, -1, -1);
	wake_up_interruptible(&pipe->write_queue);
	return 0;

err_slots:
	kfree(new);
err_charge:
	charge(pipe, charged);
	if (!in_use)
		end_charge(pipe);
	return err;
}

static int resize_call(struct ipc_pipe *pipe, u64 *bytes, bool soon)
{
	u64 size = max_t(u64, *bytes, PAGE_SIZE);
	struct ipc_op *op;
	int err;

	if (size > CAPACITY_LIMIT)
		return -EINVAL;
	size = roundup_pow_of_two(size);

	op = ipc_op_begin(&pipe->object, soon);
	ipc_at(&pipe->object, RESIZE_ENTER, size, -1);
	if (soon)
		err = lock_soon(pipe, &resize_steps);
	else
		err = lock_killable(pipe, &resize_steps) ? -EINTR : 0;
	if (!err) {
		err = resize(pipe, size >> PAGE_SHIFT);
		ipc_at(&pipe->object, RESIZE_UNLOCK, size, err);
		unlock(pipe);
	}
	ipc_at(&pipe->object, RESIZE_RETURN, size, err);
	ipc_op_end(op);
	if (!err)
		*bytes = size;
	return err;
}

int ipc_pipe_resize(struct ipc_pipe *pipe, u64 *bytes)
{
	return resize_call(pipe, bytes, false);
}

int ipc_pipe_try_resize(struct ipc_pipe *pipe, u64 *bytes)
{
	return resize_call(pipe, bytes, true);
}

/* Called under the mutex. */
static void set_keep(struct ipc_pipe *pipe, bool keep)
{
	WRITE_ONCE(pipe->keep, keep);
	if (keep) {
		WRITE_ONCE(pipe->keeps, pipe->keeps + 1);
		wake_openers(pipe);
		return;
	}
	/* Writers without a reader get their EPIPE now. */
	wake_all(pipe);
	/* An anonymous pipe without ends is being made or going. */
	if (is_unused(pipe) && !pipe->anonymous)
		drop_all(pipe);
}

static int set_keep_call(struct ipc_pipe *pipe, bool keep, bool soon)
{
	struct ipc_op *op;
	int err;

	op = ipc_op_begin(&pipe->object, soon);
	if (soon)
		err = lock_soon(pipe, &other_steps);
	else
		err = lock_killable(pipe, &other_steps) ? -EINTR : 0;
	if (!err) {
		set_keep(pipe, keep);
		unlock(pipe);
	}
	ipc_op_end(op);
	return err;
}

int ipc_pipe_set_keep(struct ipc_pipe *pipe, bool keep)
{
	return set_keep_call(pipe, keep, false);
}

int ipc_pipe_try_set_keep(struct ipc_pipe *pipe, bool keep)
{
	return set_keep_call(pipe, keep, true);
}

/* --- for splice.c: see inside.h --- */

static const struct steps *steps_of(enum ipc_side side)
{
	return side == IPC_READ_SIDE ? &read_steps : &write_steps;
}

int ipc_pipe_lock(struct ipc_pipe *pipe, enum ipc_side side)
{
	return lock_killable(pipe, steps_of(side)) ? -EINTR : 0;
}

bool ipc_pipe_trylock(struct ipc_pipe *pipe)
{
	return mutex_trylock(&pipe->mutex);
}

void ipc_pipe_unlock(struct ipc_pipe *pipe)
{
	unlock(pipe);
}

int ipc_pipe_wait(struct ipc_pipe *pipe, enum ipc_side side, struct ipc_op **op)
{
	bool reads = side == IPC_READ_SIDE;
	struct wait_spec spec = {
		.queue = reads ? &pipe->read_queue : &pipe->write_queue,
		.steps = steps_of(side),
		.ready = reads ? may_read : may_write,
		.op = op,
	};
	bool chosen;

	return wait_until(pipe, &spec, &chosen);
}

bool ipc_pipe_has_no_reader(struct ipc_pipe *pipe)
{
	lockdep_assert_held(&pipe->mutex);
	return need_reader(pipe);
}

void ipc_pipe_wake_reader(struct ipc_pipe *pipe)
{
	wake_a_reader(pipe);
	signal_readers(pipe);
}

void ipc_pipe_wake_writer(struct ipc_pipe *pipe)
{
	wake_a_writer(pipe);
	signal_writers(pipe);
}

bool ipc_pipe_take(struct ipc_pipe *pipe, size_t most, struct ipc_slot *piece)
{
	struct ipc_slot *slot = ring_tail_slot(&pipe->ring);
	bool whole = slot->len <= most;

	lockdep_assert_held(&pipe->mutex);
	if (!whole) {
		if (!ipc_pipe_share(slot, most, piece))
			return false;
		ipc_at(&pipe->object, READ_COPY, piece->len, -1);
	}
	begin_change(pipe);
	if (whole)
		ring_take(&pipe->ring, piece);
	else
		ring_consume(&pipe->ring, piece->len);
	end_change(pipe);
	ipc_count(&pipe->object, IPC_READ_COPY, piece->len);
	ipc_trail_read(&pipe->trail);
	if (whole) {
		ipc_count(&pipe->object, IPC_PAGE_GIVE, 1);
		ipc_at(&pipe->object, PAGE_GIVE, piece->len, -1);
		ipc_count(&pipe->object, IPC_READ_RELEASE, 1);
		ipc_at(&pipe->object, READ_RELEASE, -1, -1);
		note_empty(pipe);
	}
	return true;
}

bool ipc_pipe_share(const struct ipc_slot *slot, size_t most,
		    struct ipc_slot *piece)
{
	/* It fails when there are so many references that one more wraps. */
	if (!try_get_page(slot->page))
		return false;
	*piece = *slot;
	piece->len = min_t(size_t, slot->len, most);
	piece->flags &= ~IPC_SLOT_MERGE;
	return true;
}

void ipc_pipe_add(struct ipc_pipe *pipe, struct ipc_slot *piece)
{
	struct ipc_slot *slot = ring_head_slot(&pipe->ring);

	lockdep_assert_held(&pipe->mutex);
	/* It may bring a reference of its own to the very page that was kept. */
	if (slot->page && !(piece->flags & IPC_SLOT_KEPT))
		drop_page(pipe, slot);
	piece->flags &= ~IPC_SLOT_KEPT;
	if (slot->page)
		piece->page_no = slot->page_no;
	else
		piece->page_no = ++pipe->last_page_no;
	if (!slot->page) {
		ipc_count(&pipe->object, IPC_PAGE_TAKE, 1);
		ipc_at(&pipe->object, PAGE_TAKE, piece->len, -1);
	}
	begin_change(pipe);
	ring_add(&pipe->ring, piece);
	end_change(pipe);
	ipc_count(&pipe->object, IPC_WRITE_COPY, piece->len);
	ipc_trail_write(&pipe->trail);
	ipc_count(&pipe->object, IPC_WRITE_PUBLISH, 1);
	ipc_at(&pipe->object, WRITE_PUBLISH, piece->len, -1);
	note_full(pipe);
}

struct page *ipc_pipe_page(struct ipc_pipe *pipe)
{
	return page_for_slot(pipe, ring_head_slot(&pipe->ring));
}

void ipc_pipe_eat(struct ipc_pipe *pipe, size_t len)
{
	struct ipc_slot *slot = ring_tail_slot(&pipe->ring);
	u32 flags = slot->flags;
	bool drained;

	lockdep_assert_held(&pipe->mutex);
	ipc_at(&pipe->object, READ_COPY, len, -1);
	begin_change(pipe);
	drained = ring_consume(&pipe->ring, len);
	end_change(pipe);
	ipc_count(&pipe->object, IPC_READ_COPY, len);
	ipc_trail_read(&pipe->trail);
	if (!drained)
		return;
	if (flags & IPC_SLOT_FOREIGN)
		drop_page(pipe, slot);
	ipc_count(&pipe->object, IPC_READ_RELEASE, 1);
	ipc_at(&pipe->object, READ_RELEASE, -1, -1);
	note_empty(pipe);
	trim_later(pipe);
}

/* --- the views' look --- */

/* One attempt.  Return: false if the array is larger than @room. */
static bool look_once(struct ipc_pipe *pipe, struct ipc_pipe_look *look,
		      struct ipc_slot *copy, u32 room)
{
	struct ipc_slots *slots;
	struct ipc_slot *slot;
	unsigned int seq;
	u32 i, used;
	u64 at;

	rcu_read_lock();
	seq = read_seqcount_begin(&pipe->seq);
	slots = READ_ONCE(pipe->ring.slots);
	at = ring_indices(&pipe->ring);
	if (copy && slots->nr > room) {
		look->nr = slots->nr;
		rcu_read_unlock();
		return false;
	}
	look->indices = at;
	look->nr = slots->nr;
	look->spare = 0;
	look->bytes = 0;
	/* Of two moments, the indices could say more than the array has. */
	used = min(ring_used(at), slots->nr);
	for (i = 0; i < slots->nr; i++) {
		slot = ring_slot(slots, ring_tail(at) + i);
		if (i < used)
			look->bytes += slot->len;
		else if (slot->page)
			look->spare++;
	}
	if (copy)
		memcpy(copy, slots->slot, slots->nr * sizeof(*copy));
	look->torn = read_seqcount_retry(&pipe->seq, seq);
	rcu_read_unlock();
	return true;
}

int ipc_pipe_look(struct ipc_pipe *pipe, struct ipc_pipe_look *look,
		  struct ipc_slot **copy)
{
	struct ipc_slot *slots = NULL;
	u32 room = 0;
	int i;

	for (i = 0; i < LOOKS; i++) {
		if (!look_once(pipe, look, slots, room) || (copy && !slots)) {
			kvfree(slots);
			room = look->nr;
			slots = kvcalloc(room, sizeof(*slots), GFP_KERNEL);
			if (!slots)
				return -ENOMEM;
			look->torn = true;
			continue;
		}
		if (!look->torn)
			break;
		cond_resched();
	}
	if (copy)
		*copy = slots;
	return 0;
}

/* --- birth and death --- */

const u8 ipc_pipe_places[IPC_NR_POINTS] = {
	[IPC_READ_ENTER... IPC_READ_RETURN] = IPC_AT_TAIL,
	[IPC_RING_EMPTY] = IPC_AT_TAIL,
	[IPC_WRITE_MERGE] = IPC_BEFORE_HEAD,
	[IPC_WRITE_PUBLISH] = IPC_BEFORE_HEAD,
	[IPC_RING_FULL] = IPC_BEFORE_HEAD,
};

/*
 * Where the ring stands, for who is told of an arrival.  Head and tail are of
 * one instant.  The array is one that was the ring's a moment ago at most: what
 * a resize takes away is freed behind the RCU readers, and so is at the end of
 * the pipe nothing, as the caller keeps that.  Where the caller has the mutex
 * all is as it says; it may be between begin_change() and end_change(), so no
 * seqcount is waited for here.
 */
static void describe(struct ipc_object *object, enum ipc_point point,
		     struct ipc_values *values)
{
	struct ipc_pipe *pipe = ipc_pipe_of(object);
	u64 at = ring_indices(&pipe->ring);
	struct ipc_slots *slots;
	struct ipc_slot *slot;
	u32 index;

	index = ipc_pipe_index(at, ipc_pipe_places[point]);
	rcu_read_lock();
	slots = READ_ONCE(pipe->ring.slots);
	slot = ring_slot(slots, index);
	values->slot = index & (slots->nr - 1);
	/* A look at a slot that may be changing: any of its values is true. */
	values->offset = data_race(slot->offset);
	values->nr = slots->nr;
	rcu_read_unlock();
	values->head = ring_head(at);
	values->tail = ring_tail(at);
}

/* A task in a call stands on one of the queues at most. */
static bool find_waiter(struct ipc_object *object, const struct pid *pid,
			struct ipc_waiter_copy *copy)
{
	struct ipc_pipe *pipe = ipc_pipe_of(object);
	const struct {
		struct wait_queue_head *queue;
		enum ipc_point sleep;
	} queues[] = {
		{&pipe->read_queue, IPC_READ_SLEEP},
		{&pipe->write_queue, IPC_WRITE_SLEEP},
		{&pipe->open_queue, IPC_OPEN_SLEEP},
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(queues); i++) {
		if (ipc_waiter_find(queues[i].queue, pid, copy)) {
			copy->point = queues[i].sleep;
			return true;
		}
	}
	return false;
}

void ipc_pipe_retire(struct ipc_pipe *pipe)
{
	/* Nobody has an end open: nobody begins it again. */
	cancel_delayed_work_sync(&pipe->trim_work);
	ipc_object_retire(&pipe->object);
}

static void pipe_release(struct ipc_object *object)
{
	struct ipc_pipe *pipe = ipc_pipe_of(object);

	/* Done already, but for a pipe that was never shown. */
	cancel_delayed_work_sync(&pipe->trim_work);
	/*
	 * Nobody has an end open or holds a reference: the lock is free, and
	 * taken for the checks of those that expect it.  Only tried, as the
	 * last reference may be that of the shrinker.
	 */
	if (!WARN_ON(!mutex_trylock(&pipe->mutex))) {
		drop_all(pipe);
		mutex_unlock(&pipe->mutex);
	}
	kfree(pipe->home);
	mutex_destroy(&pipe->mutex);
	kfree(pipe);
}

struct ipc_pipe *ipc_pipe_create(const char *name, umode_t mode)
{
	struct ipc_pipe *pipe = NULL;

	if (!ipc_load_fault("pipe"))
		pipe = kzalloc(sizeof(*pipe), GFP_KERNEL_ACCOUNT);
	if (!pipe)
		goto err_pipe;
	if (!ipc_load_fault("slots of the pipe"))
		pipe->home = alloc_slots(DEFAULT_SLOTS);
	if (!pipe->home)
		goto err_slots;

	ipc_object_init(&pipe->object, IPC_KIND_PIPE, name, mode, pipe_release);
	pipe->object.describe = describe;
	pipe->object.find_waiter = find_waiter;
	mutex_init(&pipe->mutex);
	seqcount_init(&pipe->seq);
	ipc_trail_init(&pipe->trail);
	ring_init(&pipe->ring, pipe->home, READ_ONCE(first_index));
	pipe->nr = pipe->home->nr;
	/* 0 is "no first open": the cookie of a file that has none. */
	pipe->reader_opens = 1;
	pipe->writer_opens = 1;
	init_waitqueue_head(&pipe->read_queue);
	init_waitqueue_head(&pipe->write_queue);
	init_waitqueue_head(&pipe->open_queue);
	INIT_DELAYED_WORK(&pipe->trim_work, trim);
	return pipe;

err_slots:
	kfree(pipe);
err_pipe:
	return ERR_PTR(-ENOMEM);
}

struct ipc_pipe *ipc_pipe_create_anonymous(unsigned long number)
{
	struct ipc_pipe *pipe = ipc_pipe_create(NULL, 0600);
	int err;

	if (IS_ERR(pipe))
		return pipe;
	snprintf(pipe->own_name, sizeof(pipe->own_name), "ipcdemo:[%lu]",
		 number);
	pipe->object.name = pipe->own_name;
	pipe->anonymous = true;
	/* Nobody else knows the pipe yet: the lock is for those that check. */
	mutex_lock(&pipe->mutex);
	err = begin_use(pipe);
	mutex_unlock(&pipe->mutex);
	if (err) {
		ipc_object_put(&pipe->object);
		return ERR_PTR(err);
	}
	return pipe;
}

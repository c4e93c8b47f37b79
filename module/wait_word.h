/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Wait words: tasks asleep until somebody wakes those who wait for a word
 *
 * A *word* is an aligned 32-bit number in a region, known by its offset.  Its
 * value belongs to the programs, which change it in their mappings; here are
 * those who wait for it.
 *
 * Each region has IPC_WORD_QUEUES queues, and a word has that one which its
 * offset hashes to, together with other words.  A waiter (struct ipc_waiter)
 * lives on the stack of the task that waits, and is on its queue from the
 * comparison to the end of the call; woken or not, the task alone takes it off.
 * The lock of the queue guards the list, all members of the waiters on it, and
 * next_ticket.  The views hold that lock while they copy.
 *
 * Why no wake-up is lost.  The sleeper takes the lock, loads the word and, if it
 * is as expected, puts itself on the queue before it gives the lock back.  The
 * waker has stored a new value before its call, in program order, and walks the
 * queue under the same lock.
 *
 *	- The sleeper's section came first: the waker finds it on the queue.
 *	- The waker's section came first: its store is before its unlock, the
 *	  sleeper's load is behind its lock; release and acquire make the store
 *	  visible to the load, through whatever mapping it went.  The sleeper
 *	  sees the new value and does not sleep.
 *
 * If the waker finds the sleeper, it sets woken under the lock and then looks at
 * the task's state (try_to_wake_up: a full barrier between); the sleeper sets its
 * state before it reads woken (set_current_state: a full barrier between).  One
 * of them sees the other's store, so a gate may hold the task anywhere between
 * the queue and its sleep.  A sleeper that gives up, because of a signal or its
 * deadline, can be chosen until it is off the queue.  It looks at woken as it
 * takes itself off, under the lock: if it was chosen it returns 0, so the count
 * that the waker returned is true.
 *
 * Lifetime.  The waker touches the waiter and its task under the lock only, and
 * the task cannot leave, nor die, without taking that lock to get off the queue.
 * A killed task wakes by itself, so nothing of it stays.  Who waits has the
 * region open: neither the region nor its inode goes.
 *
 * The order.  A waiter joins at the end and has the next ticket; a wake-up walks
 * from the front.  A long one lets others have the lock in between, and passes
 * over those whose tickets are newer than its beginning: it wakes whom it would
 * have woken in one go, and it ends.
 *
 * How long a queue's lock is held.  A walk passes by all who stand there, also those
 * of other words and those who were woken: as long as there are such tasks, a
 * 16th of all who wait in the region if they wait for different words, else all.
 * That is what the buckets of futex(2) do, too, and who fills a queue must have a
 * task for each place (RLIMIT_NPROC, pids.max).  A wake-up gives the lock back after
 * each 64 that it woke, and keeps interrupts on.  The views, which walk the queues
 * of pipes by the same functions, keep them off: there entries of others stand as
 * well, and aio takes that lock inside one that its completions take in interrupts.
 *
 * Eventfds.  One that is bound to a word hangs on the word's queue.  Each wake-up
 * looks there for one, under the queue's lock: who binds it and then looks at the
 * word misses nothing, as above.  It signals them when it has given that lock back.
 * A binding belongs to the file that it was made by and goes at that file's release,
 * when no call can make another.  events_lock, a mutex, has those who bind, unbind
 * and signal come one by one; nobody waits for memory with it.  It may be taken under
 * mmap_lock.  The lists change only with it and the queue's lock held.
 *
 * Truncation.  The word is loaded from the page cache; a page that was cut off
 * after it was looked up counts as not there, that is zeros, which is what the
 * region has there when it grows again.  Waiters are not looked for when the
 * region shrinks: they know nothing of pages, and stay until woken.
 */
#ifndef IPCDEMO_WAIT_WORD_H
#define IPCDEMO_WAIT_WORD_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

struct file;
struct ipc_object;
struct ipc_region;
struct ipc_waiter_copy;
struct pid;

#define IPC_WORD_QUEUES 16

/* So many wake-ups of a region are remembered. */
#define IPC_WAKES_KEPT	32

/* Who woke whom, for the views. */
struct ipc_wake_note {
	u64 offset;
	struct pid *waker; /* referenced; NULL: this is no note */
	struct pid *woken; /* referenced */
	u64 waited_ns;
	u64 at_ns;
	char waker_comm[TASK_COMM_LEN];
	char woken_comm[TASK_COMM_LEN];
};

struct ipc_wake_notes {
	spinlock_t lock; /* guards all; taken inside a queue's */
	u32 next; /* the oldest one is there, and goes next */
	struct ipc_wake_note note[IPC_WAKES_KEPT];
};

struct ipc_word_queue {
	struct wait_queue_head head;
	u64 next_ticket; /* head.lock */
	struct list_head events; /* head.lock, and events_lock to change it */
};

/*
 * Eventfds that a file, and a region, may have bound, and that a word may have; half of
 * the last two is for one user.
 */
#define IPC_MOST_EVENTS_OF_FILE 64
#define IPC_MOST_EVENTS_OF_WORD 16
#define IPC_MOST_EVENTS		1024

/* A bound eventfd, for a view; holds a reference to @pid. */
struct ipc_event_copy {
	u64 offset;
	struct pid *pid; /* who bound it */
	char comm[TASK_COMM_LEN];
};

/* A region's part of this; starts zeroed. */
struct ipc_words {
	struct ipc_word_queue queues[IPC_WORD_QUEUES];
	/* Made before the first waiter stands on a queue; never changes then. */
	struct ipc_wake_notes *notes;
	struct mutex events_lock; /* guards nr_events; queues' locks inside */
	u32 nr_events;
};

/* What a call waits for, as of struct ipcdemo_wait. */
struct ipc_word_wait {
	u64 offset;
	u32 expected;
	u32 clock;
	u64 deadline_ns;
};

void ipc_words_init(struct ipc_words *words);

/* Nobody waits, for nobody has the region open. */
void ipc_words_fini(struct ipc_words *words);

/**
 * ipc_word_check() - whether there is such a word
 * @file:	of a region, here and below
 * @offset:	of the word, in bytes
 *
 * Return: 0; -EINVAL: not aligned; -EFAULT: not inside the region.
 */
int ipc_word_check(const struct file *file, u64 offset);

/*
 * Have what ipc_word_wait() needs, which cannot be -ENOMEM then.  May sleep.
 * Return: 0 or -ENOMEM.
 */
int ipc_word_prepare(struct file *file);

/**
 * ipc_word_wait() - sleep while a word has a value
 * @file:	open for reading
 * @wait:	checked: the word, and that the clock is one of the two
 *
 * Context: may sleep.
 * Return: 0: woken; -EAGAIN: another value; -ETIMEDOUT; -ERESTARTSYS; -ENOMEM.
 */
int ipc_word_wait(struct file *file, const struct ipc_word_wait *wait);

/**
 * ipc_word_wake() - wake those who wait for a word
 * @file:	open for writing
 * @offset:	of the word; checked
 * @most:	how many at most; INT_MAX and above: all
 *
 * Context: may sleep.
 * Return: how many.
 */
int ipc_word_wake(struct file *file, u64 offset, u32 most);

/**
 * ipc_word_bind() - have an eventfd signalled by each wake-up of a word
 * @file:	open for reading; the binding belongs to it
 * @offset:	of the word; checked
 * @eventfd:	the descriptor
 *
 * Context: may sleep.
 * Return: 0; -EBADF or -EINVAL: it is no eventfd; -EEXIST: the file has bound one
 * to the word; -ENOSPC; -ENOMEM.
 */
int ipc_word_bind(struct file *file, u64 offset, int eventfd);

/* The reverse.  Return: 0 or -ENOENT. */
int ipc_word_unbind(struct file *file, u64 offset);

/* A file of a region is released: its bindings go. */
void ipc_words_release(struct file *file);

/*
 * Wake one who waits for a word, on behalf of a process that has died.  May sleep;
 * may be called under mmap_lock.
 */
void ipc_word_wake_for(struct ipc_region *region, u64 offset, struct pid *pid,
		       const char *comm);

/* --- for the views --- */

/*
 * Copy the newest wake-ups, oldest first, into room for IPC_WAKES_KEPT; both pids
 * of each are put by the caller.  Return: how many.
 */
unsigned int ipc_words_copy_wakes(struct ipc_region *region,
				  struct ipc_wake_note *notes);

/*
 * Copy the bindings of a region, by word, into room for IPC_MOST_EVENTS; each pid
 * is put by the caller.  May sleep.  Return: how many.
 */
unsigned int ipc_words_copy_events(struct ipc_region *region,
				   struct ipc_event_copy *copies);

/* How many tasks wait for words of a region. */
unsigned int ipc_words_count(struct ipc_region *region);

/*
 * Copy the waiters of a region, by word and then in their order.  Each pid is
 * put by the caller.  Return: how many were copied, at most @room.
 */
unsigned int ipc_words_copy(struct ipc_region *region,
			    struct ipc_waiter_copy *copies, unsigned int room);

/* As find_waiter of struct ipc_object. */
bool ipc_words_find(struct ipc_object *object, const struct pid *pid,
		    struct ipc_waiter_copy *copy);

#endif /* IPCDEMO_WAIT_WORD_H */

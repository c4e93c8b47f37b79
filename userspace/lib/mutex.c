// SPDX-License-Identifier: GPL-2.0
/*
 * Mutex: one word, and the module's care for those who die
 *
 * The word is as the module knows it: WAITERS, DIED, and the number of the owner
 * (0: free).  It is changed by compare-and-exchange alone, here and by the module.
 *
 * Order of memory.  Taking the word acquires, letting it go releases: what a holder
 * did is seen by the next one.  The module writes DIED when the memory of the dead
 * is torn down, in the kernel, long after its last store; the compare-and-exchange
 * that takes a DIED word acquires that, too.  thread and state are stored by the
 * holder alone, between the two, so relaxed is enough for them.
 *
 * Whoever is about to sleep first sets WAITERS, and sleeps only while the word is
 * as it was then.  No wake-up is lost, because of
 *
 *   MARKED: while somebody sleeps on the word (or was woken and has not looked
 *   yet), WAITERS is set; or DIED is; or the holder is on its way to wake all.
 *
 *   - Unlocking a word with WAITERS keeps the bit, and wakes one.  That the bit is
 *     kept is for the case that the one who was woken dies before it takes the
 *     word, while a third is quicker: the third unlocks with WAITERS, too, and
 *     wakes the next.  (Where the bit goes with each unlock, as is usual, the
 *     others then sleep for ever.)
 *   - If the word was free when he died, the module wakes the next: the word is
 *     in the table, whoever held it.  The same if the one who unlocked died before
 *     he woke somebody.
 *   - Who takes a word that is DIED sets WAITERS: the module wakes one at a death,
 *     and does not say whether there are others.
 *   - So WAITERS can be set and nobody sleep.  Then a wake finds nobody, and the
 *     thread that saw it remembers that (idle).  When it next finds the word free
 *     with WAITERS it takes it *without*, and then wakes all who may have come in
 *     between; each of them sets WAITERS again before it sleeps.  Dying in between
 *     it is a holder that died: DIED, and one is woken.  From here on the word is
 *     locked and unlocked without system calls again.
 *
 * Whoever was woken and does not get the word sleeps again and sets WAITERS, and
 * also whoever gets it after having slept: others may sleep behind him.
 *
 * After letting the word go unlocking touches no shared memory, only wakes by
 * address: the next holder may destroy the mutex at once, and a wake too many is
 * nothing to whoever sleeps there next.
 *
 * A number of an owner is not used twice at a time, so that the word names the
 * holder (the module: not while he is registered; elsewhere: process ids).
 */
#include <limits.h>

#include "lib.h"

/* What the holder left. */
enum mutex_state {
	CONSISTENT = 0,
	INCONSISTENT = 1, /* the holder was told that another died */
	NOT_RECOVERABLE = 2, /* and unlocked without having repaired it */
};

/* The word for which a wake of this thread found nobody. */
static __thread const atomic_uint *idle;

/*
 * The thread of the holder is compared only if the process is ours, and then was
 * stored by a thread of ours: either by this one, which holds it then (it stores 0
 * before it lets go, and reads what it stored itself or something newer), or by
 * another, whose number is different.
 */
static bool is_mine(const struct mutex *m, uint32_t word, uint32_t me)
{
	return (word & LOCK_OWNER) == me &&
	       atomic_load_explicit(&m->thread, memory_order_relaxed) ==
		       this_thread();
}

bool mutex_is_mine(struct ipcdemo_region *r, const struct mutex *m)
{
	int me = owner_of(r);

	return me > 0 &&
	       is_mine(m, atomic_load_explicit(&m->word, memory_order_relaxed),
		       me);
}

/* Lets it go; what was before says whether somebody may wait. */
static int release(struct ipcdemo_region *r, struct mutex *m)
{
	uint32_t word;
	int woken;

	atomic_store_explicit(&m->thread, 0, memory_order_relaxed);
	word = atomic_load_explicit(&m->word, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&m->word, &word,
						      word & LOCK_WAITERS,
						      memory_order_release,
						      memory_order_relaxed))
		;
	if (!(word & LOCK_WAITERS))
		return 0;
	woken = word_wake(r, &m->word, 1);
	if (!woken)
		idle = &m->word;
	else if (idle == &m->word)
		idle = NULL;
	return woken < 0 ? woken : 0;
}

/* The word is ours, and was that before. */
static int taken(struct ipcdemo_region *r, struct mutex *m, uint32_t before)
{
	uint32_t state;

	atomic_store_explicit(&m->thread, this_thread(), memory_order_relaxed);
	state = atomic_load_explicit(&m->state, memory_order_relaxed);
	if (state == NOT_RECOVERABLE) {
		release(r, m);
		return -ENOTRECOVERABLE;
	}
	if (!(before & LOCK_DIED))
		return 0;
	atomic_store_explicit(&m->state, INCONSISTENT, memory_order_relaxed);
	return -EOWNERDEAD;
}

int mutex_lock(struct ipcdemo_region *r, struct mutex *m, bool try,
	       clockid_t clock, const struct timespec *deadline)
{
	uint32_t word = 0, next;
	bool slept = false, alone;
	int me, err;

	if (!r->writable)
		return -EBADF;
	me = owner_of(r);
	if (me < 0)
		return me;
	if (atomic_compare_exchange_strong_explicit(&m->word, &word, me,
						    memory_order_acquire,
						    memory_order_relaxed))
		return taken(r, m, 0);
	for (;;) {
		if (!(word & LOCK_OWNER)) {
			alone = word == LOCK_WAITERS && idle == &m->word &&
				!slept;
			next = me;
			if (!alone && (word || slept))
				next |= LOCK_WAITERS;
			if (!atomic_compare_exchange_weak_explicit(&m->word,
								   &word, next,
								   memory_order_acquire,
								   memory_order_relaxed))
				continue;
			if (alone) {
				idle = NULL;
				word_wake(r, &m->word, INT_MAX);
			}
			return taken(r, m, word);
		}
		if (is_mine(m, word, me))
			return try ? -EBUSY : -EDEADLK;
		if (try)
			return -EBUSY;
		next = word | LOCK_WAITERS;
		if (word != next &&
		    !atomic_compare_exchange_weak_explicit(&m->word, &word,
							   next,
							   memory_order_relaxed,
							   memory_order_relaxed))
			continue;
		err = word_wait(r, &m->word, next, clock, deadline);
		if (err && err != -EAGAIN && err != -EINTR)
			return err;
		slept = slept || !err;
		word = atomic_load_explicit(&m->word, memory_order_relaxed);
	}
}

int mutex_unlock(struct ipcdemo_region *r, struct mutex *m)
{
	if (!mutex_is_mine(r, m))
		return -EPERM;
	if (atomic_load_explicit(&m->state, memory_order_relaxed) ==
	    INCONSISTENT)
		atomic_store_explicit(&m->state, NOT_RECOVERABLE,
				      memory_order_relaxed);
	return release(r, m);
}

int mutex_consistent(struct ipcdemo_region *r, struct mutex *m)
{
	if (atomic_load_explicit(&m->state, memory_order_relaxed) !=
	    INCONSISTENT)
		return -EINVAL;
	if (!mutex_is_mine(r, m))
		return -EPERM;
	atomic_store_explicit(&m->state, CONSISTENT, memory_order_relaxed);
	return 0;
}

static void mutex_start(void *at, uint32_t argument)
{
	struct mutex *m = at;

	(void)argument;
	atomic_init(&m->word, 0);
	atomic_init(&m->thread, 0);
	atomic_init(&m->state, CONSISTENT);
}

void mutex_look(const void *at, struct ipcdemo_object *o)
{
	const struct mutex *m = at;
	uint32_t word, state;

	word = atomic_load_explicit(&m->word, memory_order_relaxed);
	state = atomic_load_explicit(&m->state, memory_order_relaxed);
	o->holder = word & LOCK_OWNER;
	if (o->holder)
		o->thread =
			atomic_load_explicit(&m->thread, memory_order_relaxed);
	o->waiters = !!(word & LOCK_WAITERS);
	if (state == NOT_RECOVERABLE)
		o->died = 3;
	else if (word & LOCK_DIED)
		o->died = 1;
	else if (state == INCONSISTENT)
		o->died = 2;
}

int ipcdemo_mutex_attach(struct ipcdemo_region *r, uint64_t offset,
			 struct ipcdemo_mutex *mutex)
{
	void *at;
	int err = object_attach(r, offset, IPCDEMO_OBJECT_MUTEX, MUTEX_SIZE,
				ALIGNMENT, &at);

	if (!err)
		*mutex = (struct ipcdemo_mutex){r, offset, at};
	return err;
}

int ipcdemo_mutex_init(struct ipcdemo_region *r, uint64_t offset,
		       const char *name, struct ipcdemo_mutex *mutex)
{
	const struct object_new what = {
		.name = name,
		.kind = IPCDEMO_OBJECT_MUTEX,
		.lock = offsetof(struct mutex, word),
		.size = MUTEX_SIZE,
		.alignment = ALIGNMENT,
		.init = mutex_start,
	};
	int err = object_make(r, offset, &what, &offset);

	return err ?: ipcdemo_mutex_attach(r, offset, mutex);
}

int ipcdemo_mutex_find(struct ipcdemo_region *r, const char *name,
		       struct ipcdemo_mutex *mutex)
{
	uint64_t offset;
	int err = object_find(r, name, IPCDEMO_OBJECT_MUTEX, &offset, NULL);

	return err ?: ipcdemo_mutex_attach(r, offset, mutex);
}

int ipcdemo_mutex_destroy(struct ipcdemo_mutex *mutex)
{
	struct mutex *m = mutex->at;

	if (atomic_load_explicit(&m->word, memory_order_relaxed) & LOCK_OWNER)
		return -EBUSY;
	return object_remove(mutex->region, mutex->offset,
			     IPCDEMO_OBJECT_MUTEX);
}

int ipcdemo_mutex_lock(struct ipcdemo_mutex *mutex)
{
	return mutex_lock(mutex->region, mutex->at, false, CLOCK_MONOTONIC,
			  NULL);
}

int ipcdemo_mutex_trylock(struct ipcdemo_mutex *mutex)
{
	return mutex_lock(mutex->region, mutex->at, true, CLOCK_MONOTONIC,
			  NULL);
}

int ipcdemo_mutex_timedlock(struct ipcdemo_mutex *mutex, clockid_t clock,
			    const struct timespec *deadline)
{
	int err = check_deadline(clock, deadline);

	return err
		       ?: mutex_lock(mutex->region, mutex->at, false, clock,
				     deadline);
}

int ipcdemo_mutex_unlock(struct ipcdemo_mutex *mutex)
{
	return mutex_unlock(mutex->region, mutex->at);
}

int ipcdemo_mutex_consistent(struct ipcdemo_mutex *mutex)
{
	return mutex_consistent(mutex->region, mutex->at);
}

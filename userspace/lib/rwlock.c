// SPDX-License-Identifier: GPL-2.0
/*
 * Reader-writer lock: who is in and who waits, in one word of 64 bits; and two
 * gates to sleep at, one for readers and one for writers
 *
 * A reader comes in unless a writer is in *or waits*; a writer, if nobody is in.  A
 * writer counts as waiting until it is in, and not only until it is woken: no reader
 * slips past it while it wakes up.  So writers do not starve; readers wait while
 * writers come one after the other.
 *
 * Order of memory.  Coming in acquires, going out releases, both on the word.
 *
 * No wake-up is lost.  Who has to wait is counted in the word, loads the gate
 * (acquired), loads the word, and if it still may not come in sleeps while the gate
 * is the same.  Who makes room changes the word, sees in the same step who is
 * counted, then raises the gate (released), then wakes.  If the sleeper's look at the
 * word came before the change, it was counted, so it is woken, or it finds the gate
 * raised.  It cannot have loaded the raised gate: then it would have seen the change,
 * which came before.  If its look came after the change, it saw the room.
 *
 * Who makes room: the last reader and a writer going out; and a writer that gives up
 * waiting, if it was the last and readers wait.
 *
 * Who is killed stays in the word, be it in or waiting.
 */
#include <limits.h>

#include "lib.h"

#define COUNT_BITS	   20
#define COUNT		   IPCDEMO_RWLOCK_MAX

/* Places in the word: readers in, readers who wait, writers who wait, a writer in. */
#define READER		   (1ULL)
#define READER_WAITS	   (1ULL << COUNT_BITS)
#define WRITER_WAITS	   (1ULL << 2 * COUNT_BITS)
#define WRITER		   (1ULL << 63)

#define READERS(s)	   ((uint32_t)(COUNT & (s)))
#define WAITING_READERS(s) ((uint32_t)((s) >> COUNT_BITS) & COUNT)
#define WAITING_WRITERS(s) ((uint32_t)((s) >> 2 * COUNT_BITS) & COUNT)

struct rwlock {
	struct head head;
	atomic_ullong state;
	atomic_uint readers_gate;
	atomic_uint writers_gate;
	/* Of the writer that is in: stored by it alone, 0 before it goes out. */
	atomic_uint owner;
	atomic_uint thread;
};

static_assert(sizeof(struct rwlock) <= RWLOCK_SIZE, "a lock fits");

/* What differs between the two kinds of those who come. */
struct role {
	unsigned long long in;
	unsigned long long waits;
	/* May not come in while any of these bits is set. */
	unsigned long long barred;
};

static const struct role reader = {
	.in = READER,
	.waits = READER_WAITS,
	.barred = WRITER | (unsigned long long)COUNT << 2 * COUNT_BITS,
};

static const struct role writer = {
	.in = WRITER,
	.waits = WRITER_WAITS,
	.barred = WRITER | COUNT,
};

/* This thread is the writer that is in: as is_mine() of mutex.c. */
static bool is_mine(const struct rwlock *l, uint32_t me)
{
	return atomic_load_explicit(&l->owner, memory_order_relaxed) == me &&
	       atomic_load_explicit(&l->thread, memory_order_relaxed) ==
		       this_thread();
}

/* Let in who waits, if there is room: as the word was after the change. */
static int make_room(struct ipcdemo_region *r, struct rwlock *l,
		     unsigned long long state)
{
	atomic_uint *gate;
	unsigned int count;
	int woken;

	if (state & WRITER)
		return 0;
	if (WAITING_WRITERS(state)) {
		if (READERS(state))
			return 0;
		gate = &l->writers_gate;
		count = 1;
	} else if (WAITING_READERS(state)) {
		gate = &l->readers_gate;
		count = INT_MAX;
	} else {
		return 0;
	}
	atomic_fetch_add_explicit(gate, 1, memory_order_release);
	woken = word_wake(r, gate, count);
	return woken < 0 ? woken : 0;
}

/*
 * Comes in, and takes this much from those who wait; -EBUSY: may not; -EAGAIN: as
 * many are in as fit.
 */
static int come_in(struct rwlock *l, const struct role *role,
		   unsigned long long counted)
{
	unsigned long long state;

	state = atomic_load_explicit(&l->state, memory_order_relaxed);
	do {
		if (state & role->barred)
			return -EBUSY;
		if (READERS(state) == COUNT)
			return -EAGAIN;
	} while (!atomic_compare_exchange_weak_explicit(&l->state, &state,
							state + role->in -
								counted,
							memory_order_acquire,
							memory_order_relaxed));
	return 0;
}

static int begin_waiting(struct rwlock *l, const struct role *role)
{
	const unsigned long long full = role->waits * COUNT;
	unsigned long long state;

	state = atomic_load_explicit(&l->state, memory_order_relaxed);
	do {
		if ((state & full) == full)
			return -EAGAIN;
	} while (!atomic_compare_exchange_weak_explicit(&l->state, &state,
							state + role->waits,
							memory_order_relaxed,
							memory_order_relaxed));
	return 0;
}

static int wait_to_come_in(struct ipcdemo_region *r, struct rwlock *l,
			   const struct role *role, clockid_t clock,
			   const struct timespec *deadline)
{
	atomic_uint *gate =
		role == &reader ? &l->readers_gate : &l->writers_gate;
	unsigned long long state;
	uint32_t seen;
	int err;

	err = begin_waiting(l, role);
	if (err)
		return err;
	for (;;) {
		/* Acquired: pairs with the release in make_room() */
		seen = atomic_load_explicit(gate, memory_order_acquire);
		err = come_in(l, role, role->waits);
		if (!err)
			return 0;
		if (err != -EBUSY)
			break;
		err = word_wait(r, gate, seen, clock, deadline);
		if (err && err != -EAGAIN && err != -EINTR)
			break;
	}
	state = atomic_fetch_sub_explicit(&l->state, role->waits,
					  memory_order_relaxed) -
		role->waits;
	/* Those whom only this writer kept out */
	if (role == &writer && !WAITING_WRITERS(state))
		make_room(r, l, state);
	return err;
}

static int take(struct ipcdemo_rwlock *lock, const struct role *role, bool try,
		clockid_t clock, const struct timespec *deadline)
{
	struct ipcdemo_region *r = lock->region;
	struct rwlock *l = lock->at;
	int me, err;

	if (!r->writable)
		return -EBADF;
	me = owner_of(r);
	if (me < 0)
		return me;
	err = come_in(l, role, 0);
	if (err == -EBUSY && !try) {
		if (is_mine(l, me))
			return -EDEADLK;
		err = wait_to_come_in(r, l, role, clock, deadline);
	}
	if (!err && role == &writer) {
		atomic_store_explicit(&l->thread, this_thread(),
				      memory_order_relaxed);
		atomic_store_explicit(&l->owner, me, memory_order_relaxed);
	}
	return err;
}

int ipcdemo_rwlock_unlock(struct ipcdemo_rwlock *lock)
{
	struct ipcdemo_region *r = lock->region;
	struct rwlock *l = lock->at;
	unsigned long long state, out;
	int me;

	if (!r->writable)
		return -EBADF;
	state = atomic_load_explicit(&l->state, memory_order_relaxed);
	if (state & WRITER) {
		me = owner_of(r);
		if (me < 0)
			return me;
		if (!is_mine(l, me))
			return -EPERM;
		atomic_store_explicit(&l->owner, 0, memory_order_relaxed);
		atomic_store_explicit(&l->thread, 0, memory_order_relaxed);
		out = WRITER;
	} else {
		out = READER;
	}
	do {
		/* A peer that scribbles may have changed what is to go */
		if (out == WRITER ? !(state & WRITER) : !READERS(state))
			return -EPERM;
	} while (!atomic_compare_exchange_weak_explicit(&l->state, &state,
							state - out,
							memory_order_release,
							memory_order_relaxed));
	return make_room(r, l, state - out);
}

static void rwlock_start(void *at, uint32_t argument)
{
	struct rwlock *l = at;

	(void)argument;
	atomic_init(&l->state, 0);
	atomic_init(&l->readers_gate, 0);
	atomic_init(&l->writers_gate, 0);
	atomic_init(&l->owner, 0);
	atomic_init(&l->thread, 0);
}

void rwlock_look(const void *at, struct ipcdemo_object *o)
{
	const struct rwlock *l = at;
	unsigned long long state;

	state = atomic_load_explicit(&l->state, memory_order_relaxed);
	o->value = READERS(state);
	o->waiters = WAITING_READERS(state) + WAITING_WRITERS(state);
	if (state & WRITER) {
		o->holder =
			atomic_load_explicit(&l->owner, memory_order_relaxed);
		o->thread =
			atomic_load_explicit(&l->thread, memory_order_relaxed);
	}
}

int ipcdemo_rwlock_attach(struct ipcdemo_region *r, uint64_t offset,
			  struct ipcdemo_rwlock *lock)
{
	void *at;
	int err = object_attach(r, offset, IPCDEMO_OBJECT_RWLOCK, RWLOCK_SIZE,
				ALIGNMENT, &at);

	if (!err)
		*lock = (struct ipcdemo_rwlock){r, offset, at};
	return err;
}

int ipcdemo_rwlock_init(struct ipcdemo_region *r, uint64_t offset,
			const char *name, struct ipcdemo_rwlock *lock)
{
	const struct object_new what = {
		.name = name,
		.kind = IPCDEMO_OBJECT_RWLOCK,
		.size = RWLOCK_SIZE,
		.alignment = ALIGNMENT,
		.init = rwlock_start,
	};
	int err = object_make(r, offset, &what, &offset);

	return err ?: ipcdemo_rwlock_attach(r, offset, lock);
}

int ipcdemo_rwlock_find(struct ipcdemo_region *r, const char *name,
			struct ipcdemo_rwlock *lock)
{
	uint64_t offset;
	int err = object_find(r, name, IPCDEMO_OBJECT_RWLOCK, &offset, NULL);

	return err ?: ipcdemo_rwlock_attach(r, offset, lock);
}

int ipcdemo_rwlock_destroy(struct ipcdemo_rwlock *lock)
{
	struct rwlock *l = lock->at;

	if (atomic_load_explicit(&l->state, memory_order_relaxed))
		return -EBUSY;
	return object_remove(lock->region, lock->offset, IPCDEMO_OBJECT_RWLOCK);
}

int ipcdemo_rwlock_rdlock(struct ipcdemo_rwlock *lock)
{
	return take(lock, &reader, false, CLOCK_MONOTONIC, NULL);
}

int ipcdemo_rwlock_tryrdlock(struct ipcdemo_rwlock *lock)
{
	return take(lock, &reader, true, CLOCK_MONOTONIC, NULL);
}

int ipcdemo_rwlock_timedrdlock(struct ipcdemo_rwlock *lock, clockid_t clock,
			       const struct timespec *deadline)
{
	int err = check_deadline(clock, deadline);

	return err ?: take(lock, &reader, false, clock, deadline);
}

int ipcdemo_rwlock_wrlock(struct ipcdemo_rwlock *lock)
{
	return take(lock, &writer, false, CLOCK_MONOTONIC, NULL);
}

int ipcdemo_rwlock_trywrlock(struct ipcdemo_rwlock *lock)
{
	return take(lock, &writer, true, CLOCK_MONOTONIC, NULL);
}

int ipcdemo_rwlock_timedwrlock(struct ipcdemo_rwlock *lock, clockid_t clock,
			       const struct timespec *deadline)
{
	int err = check_deadline(clock, deadline);

	return err ?: take(lock, &writer, false, clock, deadline);
}

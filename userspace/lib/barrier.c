// SPDX-License-Identifier: GPL-2.0
/*
 * Barrier: the round and who is here in it, in one word of 64 bits; and a word to
 * sleep on, which counts the rounds that are over
 *
 * The last to come begins the next round in the step in which it comes, so any
 * number of threads may use it: one too many is the first of the next round.
 *
 * Order of memory.  Coming acquires and releases: the steps of a round are one chain
 * of read-modify-writes, so the last to come has seen what all others did before.  It
 * adds 1 to what they sleep on (released), and they load that (acquired).  Rounds may
 * be added in another order than they ended in: it is the same sum, and a round only
 * ends after the one before.
 *
 * No wake-up is lost: who sleeps does so while the sum is what it saw, with its own
 * round not in it; who adds wakes all afterwards.
 *
 * Who gives up waiting goes out in one step with looking whether its round is over.
 * Who is killed is still counted as here.  The round is a number of 32 bits that comes
 * round; what counts is the difference.
 */
#include <limits.h>

#include "lib.h"

#define HERE(state)  ((uint32_t)(state))
#define ROUND(state) ((uint32_t)((state) >> 32))

struct barrier {
	struct head head;
	uint32_t count;
	atomic_uint over;
	atomic_ullong state;
};

static_assert(sizeof(struct barrier) <= BARRIER_SIZE, "a barrier fits");

static unsigned long long state_of(uint32_t round, uint32_t here)
{
	return (unsigned long long)round << 32 | here;
}

/* Not here any more; false: the round is over. */
static bool leave(struct barrier *b, uint32_t round)
{
	unsigned long long state;

	/* Acquired: what the others of the round did, if it is over */
	state = atomic_load_explicit(&b->state, memory_order_acquire);
	do {
		if (ROUND(state) != round || !HERE(state))
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&b->state, &state,
							state - 1,
							memory_order_acq_rel,
							memory_order_acquire));
	return true;
}

static int meet(struct ipcdemo_barrier *barrier, bool try, clockid_t clock,
		const struct timespec *deadline)
{
	struct ipcdemo_region *r = barrier->region;
	struct barrier *b = barrier->at;
	unsigned long long state, next;
	uint32_t round, over;
	bool last;
	int err;

	if (!r->writable)
		return -EBADF;
	state = atomic_load_explicit(&b->state, memory_order_relaxed);
	do {
		round = ROUND(state);
		last = HERE(state) >= barrier->count - 1;
		if (try && !last)
			return -EBUSY;
		next = last ? state_of(round + 1, 0) : state + 1;
	} while (!atomic_compare_exchange_weak_explicit(&b->state, &state, next,
							memory_order_acq_rel,
							memory_order_relaxed));
	if (last) {
		atomic_fetch_add_explicit(&b->over, 1, memory_order_release);
		err = barrier->count > 1 ? word_wake(r, &b->over, INT_MAX) : 0;
		return err < 0 ? err : IPCDEMO_BARRIER_SERIAL;
	}
	for (;;) {
		over = atomic_load_explicit(&b->over, memory_order_acquire);
		if ((int32_t)(over - round) > 0)
			return 0;
		err = word_wait(r, &b->over, over, clock, deadline);
		if (err && err != -EAGAIN && err != -EINTR)
			return leave(b, round) ? err : 0;
	}
}

static void barrier_start(void *at, uint32_t count)
{
	struct barrier *b = at;

	b->count = count;
	atomic_init(&b->over, 0);
	atomic_init(&b->state, 0);
}

void barrier_look(const void *at, struct ipcdemo_object *o)
{
	const struct barrier *b = at;
	unsigned long long state;

	state = atomic_load_explicit(&b->state, memory_order_relaxed);
	o->value = HERE(state);
	o->round = ROUND(state);
	o->count = *(const volatile uint32_t *)&b->count;
	o->waiters = HERE(state);
}

int ipcdemo_barrier_attach(struct ipcdemo_region *r, uint64_t offset,
			   struct ipcdemo_barrier *barrier)
{
	uint32_t count;
	void *at;
	int err = object_attach(r, offset, IPCDEMO_OBJECT_BARRIER, BARRIER_SIZE,
				ALIGNMENT, &at);

	if (err)
		return err;
	/* Loaded once: the handle's is the one that counts from here on */
	count = *(volatile uint32_t *)&((struct barrier *)at)->count;
	if (!count || count > INT_MAX)
		return -EBADMSG;
	*barrier = (struct ipcdemo_barrier){r, offset, at, count};
	return 0;
}

int ipcdemo_barrier_init(struct ipcdemo_region *r, uint64_t offset,
			 const char *name, unsigned int count,
			 struct ipcdemo_barrier *barrier)
{
	const struct object_new what = {
		.name = name,
		.kind = IPCDEMO_OBJECT_BARRIER,
		.size = BARRIER_SIZE,
		.alignment = ALIGNMENT,
		.init = barrier_start,
		.argument = count,
	};
	int err;

	if (!count || count > INT_MAX)
		return -EINVAL;
	err = object_make(r, offset, &what, &offset);
	return err ?: ipcdemo_barrier_attach(r, offset, barrier);
}

int ipcdemo_barrier_find(struct ipcdemo_region *r, const char *name,
			 struct ipcdemo_barrier *barrier)
{
	uint64_t offset;
	int err = object_find(r, name, IPCDEMO_OBJECT_BARRIER, &offset, NULL);

	return err ?: ipcdemo_barrier_attach(r, offset, barrier);
}

int ipcdemo_barrier_destroy(struct ipcdemo_barrier *barrier)
{
	struct barrier *b = barrier->at;

	if (HERE(atomic_load_explicit(&b->state, memory_order_relaxed)))
		return -EBUSY;
	return object_remove(barrier->region, barrier->offset,
			     IPCDEMO_OBJECT_BARRIER);
}

int ipcdemo_barrier_wait(struct ipcdemo_barrier *barrier)
{
	return meet(barrier, false, CLOCK_MONOTONIC, NULL);
}

int ipcdemo_barrier_trywait(struct ipcdemo_barrier *barrier)
{
	return meet(barrier, true, CLOCK_MONOTONIC, NULL);
}

int ipcdemo_barrier_timedwait(struct ipcdemo_barrier *barrier, clockid_t clock,
			      const struct timespec *deadline)
{
	int err = check_deadline(clock, deadline);

	return err ?: meet(barrier, false, clock, deadline);
}

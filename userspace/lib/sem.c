// SPDX-License-Identifier: GPL-2.0
/*
 * Counting semaphore: the value and the number of those who wait, in one word of 64
 * bits; the kernel compares the half with the value
 *
 * Order of memory.  Posting releases, taking acquires, both on the one word, and all
 * changes are read-modify-write, so who takes sees what happened before each post
 * that made the value what it is.
 *
 * No wake-up is lost: who waits is counted before it sleeps, and sleeps only while
 * the value is 0.  A post changes the value and reads the count in one step.  If it
 * saw the count, it wakes; if it came before, the value is not 0 any more when the
 * kernel compares it, unless another took it, who then needs no wake-up.  Each post
 * wakes one, so as many are woken as there are to take.
 *
 * After the change a post touches no shared memory, only wakes by address.
 *
 * Who is killed between being woken and taking leaves one that nobody is woken for,
 * and who is killed while it waits stays in the count: then posts wake in vain.
 */
#include "lib.h"

#define VALUE(state)   ((uint32_t)(state))
#define WAITERS(state) ((uint32_t)((state) >> 32))
#define ONE	       1ULL
#define WAITER	       (1ULL << 32)

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define VALUE_HALF 0
#else
#define VALUE_HALF 1
#endif

struct sem {
	struct head head;
	atomic_ullong state;
};

static_assert(sizeof(struct sem) <= SEM_SIZE, "a semaphore fits");

/* The half that the kernel looks at; we never load it by itself. */
static const atomic_uint *value_word(const struct sem *s)
{
	return (const atomic_uint *)(const void *)&s->state + VALUE_HALF;
}

static int post(struct ipcdemo_region *r, struct sem *s)
{
	unsigned long long state;
	int woken = 0;

	if (!r->writable)
		return -EBADF;
	state = atomic_load_explicit(&s->state, memory_order_relaxed);
	do {
		if (VALUE(state) >= IPCDEMO_SEM_MAX)
			return -EOVERFLOW;
	} while (!atomic_compare_exchange_weak_explicit(&s->state, &state,
							state + ONE,
							memory_order_release,
							memory_order_relaxed));
	if (WAITERS(state))
		woken = word_wake(r, value_word(s), 1);
	return woken < 0 ? woken : 0;
}

/* Takes one, and this much of the count; -EAGAIN: there is none. */
static int take(struct sem *s, unsigned long long counted)
{
	unsigned long long state;

	state = atomic_load_explicit(&s->state, memory_order_relaxed);
	do {
		if (!VALUE(state))
			return -EAGAIN;
	} while (!atomic_compare_exchange_weak_explicit(&s->state, &state,
							state - ONE - counted,
							memory_order_acquire,
							memory_order_relaxed));
	return 0;
}

static int take_or_wait(struct ipcdemo_region *r, struct sem *s, bool try,
			clockid_t clock, const struct timespec *deadline)
{
	int err;

	if (!r->writable)
		return -EBADF;
	err = take(s, 0);
	if (!err || try)
		return err;
	atomic_fetch_add_explicit(&s->state, WAITER, memory_order_relaxed);
	for (;;) {
		err = take(s, WAITER);
		if (!err)
			return 0;
		err = word_wait(r, value_word(s), 0, clock, deadline);
		if (err && err != -EAGAIN)
			break;
	}
	atomic_fetch_sub_explicit(&s->state, WAITER, memory_order_relaxed);
	return err;
}

static void sem_start(void *at, uint32_t value)
{
	struct sem *s = at;

	atomic_init(&s->state, value);
}

void sem_look(const void *at, struct ipcdemo_object *o)
{
	const struct sem *s = at;
	unsigned long long state;

	state = atomic_load_explicit(&s->state, memory_order_relaxed);
	o->value = VALUE(state);
	o->waiters = WAITERS(state);
}

int ipcdemo_sem_attach(struct ipcdemo_region *r, uint64_t offset,
		       struct ipcdemo_sem *sem)
{
	void *at;
	int err = object_attach(r, offset, IPCDEMO_OBJECT_SEM, SEM_SIZE,
				ALIGNMENT, &at);

	if (!err)
		*sem = (struct ipcdemo_sem){r, offset, at};
	return err;
}

int ipcdemo_sem_init(struct ipcdemo_region *r, uint64_t offset,
		     const char *name, unsigned int value,
		     struct ipcdemo_sem *sem)
{
	const struct object_new what = {
		.name = name,
		.kind = IPCDEMO_OBJECT_SEM,
		.size = SEM_SIZE,
		.alignment = ALIGNMENT,
		.init = sem_start,
		.argument = value,
	};
	int err;

	if (value > IPCDEMO_SEM_MAX)
		return -EINVAL;
	err = object_make(r, offset, &what, &offset);
	return err ?: ipcdemo_sem_attach(r, offset, sem);
}

int ipcdemo_sem_find(struct ipcdemo_region *r, const char *name,
		     struct ipcdemo_sem *sem)
{
	uint64_t offset;
	int err = object_find(r, name, IPCDEMO_OBJECT_SEM, &offset, NULL);

	return err ?: ipcdemo_sem_attach(r, offset, sem);
}

int ipcdemo_sem_destroy(struct ipcdemo_sem *sem)
{
	struct sem *s = sem->at;

	if (WAITERS(atomic_load_explicit(&s->state, memory_order_relaxed)))
		return -EBUSY;
	return object_remove(sem->region, sem->offset, IPCDEMO_OBJECT_SEM);
}

int ipcdemo_sem_wait(struct ipcdemo_sem *sem)
{
	return take_or_wait(sem->region, sem->at, false, CLOCK_MONOTONIC, NULL);
}

int ipcdemo_sem_trywait(struct ipcdemo_sem *sem)
{
	return take_or_wait(sem->region, sem->at, true, CLOCK_MONOTONIC, NULL);
}

int ipcdemo_sem_timedwait(struct ipcdemo_sem *sem, clockid_t clock,
			  const struct timespec *deadline)
{
	int err = check_deadline(clock, deadline);

	return err
		       ?: take_or_wait(sem->region, sem->at, false, clock,
				       deadline);
}

int ipcdemo_sem_post(struct ipcdemo_sem *sem)
{
	return post(sem->region, sem->at);
}

int ipcdemo_sem_value(const struct ipcdemo_sem *sem, unsigned int *value)
{
	const struct sem *s = sem->at;

	*value = VALUE(atomic_load_explicit(&s->state, memory_order_relaxed));
	return 0;
}

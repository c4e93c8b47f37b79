// SPDX-License-Identifier: GPL-2.0
/*
 * Condition variable: a number that each signal raises, and a count of who waits
 *
 * No signal is missed.  Who waits is counted, then loads the number, then lets the
 * mutex go, and sleeps while the number is the same.  Who signals raises the number,
 * then looks at the count.  Both steps of both are sequentially consistent: either
 * the signal sees the count, and wakes (the sleeper, or nobody: then the number was
 * raised before the kernel compared it); or the waiter loads the raised number, and
 * then the signal came before it waited.  Under the mutex that is what the waiter saw
 * when it looked at its predicate.
 *
 * One signal may let several go, of those who have not come to sleep yet; each has
 * to look at its predicate anyway.  Nobody who came after the signal takes the
 * wake-up from one who slept before it: those who sleep are woken in their order,
 * and the number has changed for those who are about to.
 *
 * The number comes round after 2^32 signals.  A waiter would have to stand still
 * for just as many between two instructions to sleep for one too long.
 *
 * What is guarded by the mutex is ordered by the mutex.
 */
#include <limits.h>

#include "lib.h"

struct cond {
	struct head head;
	atomic_uint number;
	atomic_uint waiters;
};

static_assert(sizeof(struct cond) <= COND_SIZE, "a condition variable fits");

static int wait_for_signal(struct ipcdemo_cond *cond,
			   struct ipcdemo_mutex *mutex, clockid_t clock,
			   const struct timespec *deadline)
{
	struct mutex *m = mutex->at;
	struct cond *c = cond->at;
	uint32_t number;
	int err, ret;

	if (!cond->region->writable || !mutex->region->writable)
		return -EBADF;
	if (!mutex_is_mine(mutex->region, m))
		return -EPERM;
	atomic_fetch_add(&c->waiters, 1);
	number = atomic_load(&c->number);
	ret = mutex_unlock(mutex->region, m);
	/* A signal of kill(2) is none of ours */
	while (!ret) {
		ret = word_wait(cond->region, &c->number, number, clock,
				deadline);
		if (ret != -EINTR)
			break;
		ret = 0;
	}
	atomic_fetch_sub(&c->waiters, 1);
	err = mutex_lock(mutex->region, m, false, CLOCK_MONOTONIC, NULL);
	if (err)
		return err;
	return ret == -EAGAIN ? 0 : ret;
}

static int signal_some(struct ipcdemo_cond *cond, unsigned int count)
{
	struct cond *c = cond->at;
	int woken = 0;

	if (!cond->region->writable)
		return -EBADF;
	atomic_fetch_add(&c->number, 1);
	if (atomic_load(&c->waiters))
		woken = word_wake(cond->region, &c->number, count);
	return woken < 0 ? woken : 0;
}

static void cond_start(void *at, uint32_t argument)
{
	struct cond *c = at;

	(void)argument;
	atomic_init(&c->number, 0);
	atomic_init(&c->waiters, 0);
}

void cond_look(const void *at, struct ipcdemo_object *o)
{
	const struct cond *c = at;

	o->waiters = atomic_load_explicit(&c->waiters, memory_order_relaxed);
}

int ipcdemo_cond_attach(struct ipcdemo_region *r, uint64_t offset,
			struct ipcdemo_cond *cond)
{
	void *at;
	int err = object_attach(r, offset, IPCDEMO_OBJECT_COND, COND_SIZE,
				ALIGNMENT, &at);

	if (!err)
		*cond = (struct ipcdemo_cond){r, offset, at};
	return err;
}

int ipcdemo_cond_init(struct ipcdemo_region *r, uint64_t offset,
		      const char *name, struct ipcdemo_cond *cond)
{
	const struct object_new what = {
		.name = name,
		.kind = IPCDEMO_OBJECT_COND,
		.size = COND_SIZE,
		.alignment = ALIGNMENT,
		.init = cond_start,
	};
	int err = object_make(r, offset, &what, &offset);

	return err ?: ipcdemo_cond_attach(r, offset, cond);
}

int ipcdemo_cond_find(struct ipcdemo_region *r, const char *name,
		      struct ipcdemo_cond *cond)
{
	uint64_t offset;
	int err = object_find(r, name, IPCDEMO_OBJECT_COND, &offset, NULL);

	return err ?: ipcdemo_cond_attach(r, offset, cond);
}

int ipcdemo_cond_destroy(struct ipcdemo_cond *cond)
{
	struct cond *c = cond->at;

	/* Also one who was woken and is on its way out */
	if (atomic_load(&c->waiters))
		return -EBUSY;
	return object_remove(cond->region, cond->offset, IPCDEMO_OBJECT_COND);
}

int ipcdemo_cond_wait(struct ipcdemo_cond *cond, struct ipcdemo_mutex *mutex)
{
	return wait_for_signal(cond, mutex, CLOCK_MONOTONIC, NULL);
}

int ipcdemo_cond_timedwait(struct ipcdemo_cond *cond,
			   struct ipcdemo_mutex *mutex, clockid_t clock,
			   const struct timespec *deadline)
{
	int err = check_deadline(clock, deadline);

	return err ?: wait_for_signal(cond, mutex, clock, deadline);
}

int ipcdemo_cond_signal(struct ipcdemo_cond *cond)
{
	return signal_some(cond, 1);
}

int ipcdemo_cond_broadcast(struct ipcdemo_cond *cond)
{
	return signal_some(cond, INT_MAX);
}

// SPDX-License-Identifier: GPL-2.0
#include "api.h"

#define POSIX(r, offset) ((void *)((char *)ipcdemo_region_base(r) + (offset)))

#define PREFER_WRITERS	 PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP

/* POSIX returns errno, or sets it. */
#define RESULT(call)	 (-(call))
#define ERRNO(call)	 ((call) ? -errno : 0)

struct ipcdemo_region *api_region(void)
{
	struct ipcdemo_region *r = new_region(REGION_SIZE);

	if (!kind->posix)
		assert_ret(0, ipcdemo_region_format(r, 32, 0));
	return r;
}

struct mutex mutex_in(struct ipcdemo_region *r, uint64_t at)
{
	struct mutex m = {.posix = POSIX(r, at)};

	if (!kind->posix)
		assert_ret(0, ipcdemo_mutex_attach(r, at, &m.ours));
	return m;
}

struct mutex mutex_init(struct ipcdemo_region *r, uint64_t at)
{
	struct mutex m = {.posix = POSIX(r, at)};
	pthread_mutexattr_t attr;

	if (!kind->posix) {
		assert_ret(0, ipcdemo_mutex_init(r, at, NULL, &m.ours));
		return m;
	}
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	assert_ret(0, pthread_mutex_init(m.posix, &attr));
	return m;
}

int lock(struct mutex *m)
{
	return kind->posix ? RESULT(pthread_mutex_lock(m->posix))
			   : ipcdemo_mutex_lock(&m->ours);
}

int trylock(struct mutex *m)
{
	return kind->posix ? RESULT(pthread_mutex_trylock(m->posix))
			   : ipcdemo_mutex_trylock(&m->ours);
}

int timedlock(struct mutex *m, clockid_t clock, const struct timespec *at)
{
	return kind->posix
		       ? RESULT(pthread_mutex_clocklock(m->posix, clock, at))
		       : ipcdemo_mutex_timedlock(&m->ours, clock, at);
}

int unlock(struct mutex *m)
{
	return kind->posix ? RESULT(pthread_mutex_unlock(m->posix))
			   : ipcdemo_mutex_unlock(&m->ours);
}

int consistent(struct mutex *m)
{
	return kind->posix ? RESULT(pthread_mutex_consistent(m->posix))
			   : ipcdemo_mutex_consistent(&m->ours);
}

struct sem sem_in(struct ipcdemo_region *r, uint64_t at)
{
	struct sem s = {.posix = POSIX(r, at)};

	if (!kind->posix)
		assert_ret(0, ipcdemo_sem_attach(r, at, &s.ours));
	return s;
}

struct sem sem_at(struct ipcdemo_region *r, uint64_t at, unsigned int value)
{
	struct sem s = {.posix = POSIX(r, at)};

	if (kind->posix)
		assert_ret(0, sem_init(s.posix, 1, value));
	else
		assert_ret(0, ipcdemo_sem_init(r, at, NULL, value, &s.ours));
	return s;
}

int sem_take(struct sem *s)
{
	return kind->posix ? ERRNO(sem_wait(s->posix))
			   : ipcdemo_sem_wait(&s->ours);
}

int sem_trytake(struct sem *s)
{
	return kind->posix ? ERRNO(sem_trywait(s->posix))
			   : ipcdemo_sem_trywait(&s->ours);
}

int sem_timedtake(struct sem *s, clockid_t clock, const struct timespec *at)
{
	return kind->posix ? ERRNO(sem_clockwait(s->posix, clock, at))
			   : ipcdemo_sem_timedwait(&s->ours, clock, at);
}

int sem_give(struct sem *s)
{
	return kind->posix ? ERRNO(sem_post(s->posix))
			   : ipcdemo_sem_post(&s->ours);
}

int sem_count(struct sem *s)
{
	unsigned int ours = 0;
	int posix = 0;

	if (kind->posix)
		sem_getvalue(s->posix, &posix);
	else
		ipcdemo_sem_value(&s->ours, &ours);
	return kind->posix ? posix : (int)ours;
}

struct cond cond_in(struct ipcdemo_region *r, uint64_t at)
{
	struct cond c = {.posix = POSIX(r, at)};

	if (!kind->posix)
		assert_ret(0, ipcdemo_cond_attach(r, at, &c.ours));
	return c;
}

struct cond cond_at(struct ipcdemo_region *r, uint64_t at)
{
	struct cond c = {.posix = POSIX(r, at)};
	pthread_condattr_t attr;

	if (!kind->posix) {
		assert_ret(0, ipcdemo_cond_init(r, at, NULL, &c.ours));
		return c;
	}
	pthread_condattr_init(&attr);
	pthread_condattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	assert_ret(0, pthread_cond_init(c.posix, &attr));
	return c;
}

int cond_wait(struct cond *c, struct mutex *m)
{
	return kind->posix ? RESULT(pthread_cond_wait(c->posix, m->posix))
			   : ipcdemo_cond_wait(&c->ours, &m->ours);
}

int cond_timedwait(struct cond *c, struct mutex *m, clockid_t clock,
		   const struct timespec *at)
{
	return kind->posix
		       ? RESULT(pthread_cond_clockwait(c->posix, m->posix,
						       clock, at))
		       : ipcdemo_cond_timedwait(&c->ours, &m->ours, clock, at);
}

int cond_signal(struct cond *c)
{
	return kind->posix ? RESULT(pthread_cond_signal(c->posix))
			   : ipcdemo_cond_signal(&c->ours);
}

int cond_broadcast(struct cond *c)
{
	return kind->posix ? RESULT(pthread_cond_broadcast(c->posix))
			   : ipcdemo_cond_broadcast(&c->ours);
}

struct rwlock rwlock_in(struct ipcdemo_region *r, uint64_t at)
{
	struct rwlock l = {.posix = POSIX(r, at)};

	if (!kind->posix)
		assert_ret(0, ipcdemo_rwlock_attach(r, at, &l.ours));
	return l;
}

/* glibc has one that prefers writers, too: an attribute of its own. */
struct rwlock rwlock_at(struct ipcdemo_region *r, uint64_t at)
{
	struct rwlock l = {.posix = POSIX(r, at)};
	pthread_rwlockattr_t attr;

	if (!kind->posix) {
		assert_ret(0, ipcdemo_rwlock_init(r, at, NULL, &l.ours));
		return l;
	}
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_rwlockattr_setkind_np(&attr, PREFER_WRITERS);
	assert_ret(0, pthread_rwlock_init(l.posix, &attr));
	return l;
}

int read_lock(struct rwlock *l)
{
	return kind->posix ? RESULT(pthread_rwlock_rdlock(l->posix))
			   : ipcdemo_rwlock_rdlock(&l->ours);
}

int try_read_lock(struct rwlock *l)
{
	return kind->posix ? RESULT(pthread_rwlock_tryrdlock(l->posix))
			   : ipcdemo_rwlock_tryrdlock(&l->ours);
}

int timed_read_lock(struct rwlock *l, clockid_t clock,
		    const struct timespec *at)
{
	return kind->posix
		       ? RESULT(pthread_rwlock_clockrdlock(l->posix, clock, at))
		       : ipcdemo_rwlock_timedrdlock(&l->ours, clock, at);
}

int write_lock(struct rwlock *l)
{
	return kind->posix ? RESULT(pthread_rwlock_wrlock(l->posix))
			   : ipcdemo_rwlock_wrlock(&l->ours);
}

int try_write_lock(struct rwlock *l)
{
	return kind->posix ? RESULT(pthread_rwlock_trywrlock(l->posix))
			   : ipcdemo_rwlock_trywrlock(&l->ours);
}

int timed_write_lock(struct rwlock *l, clockid_t clock,
		     const struct timespec *at)
{
	return kind->posix
		       ? RESULT(pthread_rwlock_clockwrlock(l->posix, clock, at))
		       : ipcdemo_rwlock_timedwrlock(&l->ours, clock, at);
}

int rw_unlock(struct rwlock *l)
{
	return kind->posix ? RESULT(pthread_rwlock_unlock(l->posix))
			   : ipcdemo_rwlock_unlock(&l->ours);
}

struct barrier barrier_in(struct ipcdemo_region *r, uint64_t at)
{
	struct barrier b = {.posix = POSIX(r, at)};

	if (!kind->posix)
		assert_ret(0, ipcdemo_barrier_attach(r, at, &b.ours));
	return b;
}

struct barrier barrier_at(struct ipcdemo_region *r, uint64_t at,
			  unsigned int count)
{
	struct barrier b = {.posix = POSIX(r, at)};
	pthread_barrierattr_t attr;

	if (!kind->posix) {
		assert_ret(0,
			   ipcdemo_barrier_init(r, at, NULL, count, &b.ours));
		return b;
	}
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	assert_ret(0, pthread_barrier_init(b.posix, &attr, count));
	return b;
}

int meet(struct barrier *b)
{
	int ret;

	if (!kind->posix)
		return ipcdemo_barrier_wait(&b->ours);
	ret = pthread_barrier_wait(b->posix);
	return ret == PTHREAD_BARRIER_SERIAL_THREAD ? 1 : -ret;
}

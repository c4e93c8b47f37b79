/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One set of calls for what libipcdemo has and for what POSIX has
 *
 * A claim about locks is made with these, and is asked of the process-shared objects
 * of pthread(7) first, in the same mapping: if those do not keep it, it is wrong.  All
 * return 0 or -errno.
 */
#ifndef IPCDEMO_TESTS_API_H
#define IPCDEMO_TESTS_API_H

#include "sync.h"

#include <pthread.h>
#include <semaphore.h>

struct mutex {
	struct ipcdemo_mutex ours;
	pthread_mutex_t *posix;
};

struct sem {
	struct ipcdemo_sem ours;
	sem_t *posix;
};

struct cond {
	struct ipcdemo_cond ours;
	pthread_cond_t *posix;
};

struct rwlock {
	struct ipcdemo_rwlock ours;
	pthread_rwlock_t *posix;
};

struct barrier {
	struct ipcdemo_barrier ours;
	pthread_barrier_t *posix;
};

/* Places for objects and data in a region of api_region(). */
#define REGION_SIZE 65536
#define AT(n)	    (32768 + 256 * (n))

/* A region that is formatted if it holds ours. */
struct ipcdemo_region *api_region(void);

struct mutex mutex_init(struct ipcdemo_region *r, uint64_t at);
/* What is there already, from another mapping of the region. */
struct mutex mutex_in(struct ipcdemo_region *r, uint64_t at);
int lock(struct mutex *m);
int trylock(struct mutex *m);
int timedlock(struct mutex *m, clockid_t clock, const struct timespec *at);
int unlock(struct mutex *m);
int consistent(struct mutex *m);

struct sem sem_at(struct ipcdemo_region *r, uint64_t at, unsigned int value);
struct sem sem_in(struct ipcdemo_region *r, uint64_t at);
int sem_take(struct sem *s);
int sem_trytake(struct sem *s);
int sem_timedtake(struct sem *s, clockid_t clock, const struct timespec *at);
int sem_give(struct sem *s);
int sem_count(struct sem *s);

struct cond cond_at(struct ipcdemo_region *r, uint64_t at);
struct cond cond_in(struct ipcdemo_region *r, uint64_t at);
int cond_wait(struct cond *c, struct mutex *m);
int cond_timedwait(struct cond *c, struct mutex *m, clockid_t clock,
		   const struct timespec *at);
int cond_signal(struct cond *c);
int cond_broadcast(struct cond *c);

struct rwlock rwlock_at(struct ipcdemo_region *r, uint64_t at);
struct rwlock rwlock_in(struct ipcdemo_region *r, uint64_t at);
int read_lock(struct rwlock *l);
int try_read_lock(struct rwlock *l);
int timed_read_lock(struct rwlock *l, clockid_t clock,
		    const struct timespec *at);
int write_lock(struct rwlock *l);
int try_write_lock(struct rwlock *l);
int timed_write_lock(struct rwlock *l, clockid_t clock,
		     const struct timespec *at);
int rw_unlock(struct rwlock *l);

struct barrier barrier_at(struct ipcdemo_region *r, uint64_t at,
			  unsigned int count);
struct barrier barrier_in(struct ipcdemo_region *r, uint64_t at);
/* 1 to one of them. */
int meet(struct barrier *b);

#endif /* IPCDEMO_TESTS_API_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * Many do the same at once, and a race breaks an invariant
 *
 * Workers are processes; threads, for the sanitizer of threads, if THREADS is
 * defined.  IPCDEMO_OPS says how often each does it, OPS if it is not there.
 * What the locks guard is plain memory.
 */
#include "api.h"

#define WORKERS 4
#ifdef ON_MODULE
#define OPS 5000 /* an emulated processor is slow */
#else
#define OPS 20000
#endif
#define SIZE REGION_SIZE

struct worker {
	struct ipcdemo_region *r;
	unsigned int number;
	uint32_t random;
	void (*what)(struct worker *w);
};

static long ops;

/* What they work on: inside the region, so that processes share it. */
struct data {
	long a, b;
	atomic_long inside;
	atomic_long done;
	long queue[4];
	unsigned int head, tail;
	long rounds[WORKERS];
};

static struct data *data_of(struct ipcdemo_region *r)
{
	return (void *)((char *)ipcdemo_region_base(r) + SIZE -
			sizeof(struct data));
}

static unsigned int roll(struct worker *w, unsigned int sides)
{
	w->random = w->random * 1664525 + 1013904223;
	return (w->random >> 16) % sides;
}

static void begin(void *with)
{
	struct worker *w = with;

	w->what(w);
}

#ifdef THREADS
static void *begin_thread(void *with)
{
	begin(with);
	return NULL;
}
#endif

/* Processes have a mapping each. */
static void all(struct ipcdemo_region *r, void (*what)(struct worker *w))
{
	struct worker workers[WORKERS];
	size_t i;

	for (i = 0; i < WORKERS; i++)
		workers[i] = (struct worker){r, i, i + 1, what};
#ifdef THREADS
	pthread_t ids[WORKERS];

	for (i = 0; i < WORKERS; i++)
		assert_ret(0, pthread_create(&ids[i], NULL, begin_thread,
					     &workers[i]));
	for (i = 0; i < WORKERS; i++)
		pthread_join(ids[i], NULL);
#else
	pid_t pids[WORKERS];

	for (i = 0; i < WORKERS; i++) {
		workers[i].r = again(r);
		pids[i] = child(begin, &workers[i]);
	}
	for (i = 0; i < WORKERS; i++) {
		join(pids[i]);
		ipcdemo_region_close(workers[i].r);
	}
#endif
}

/* One of the ways to lock; false: it did not come to that. */
static bool lock_somehow(struct worker *w, struct mutex *m)
{
	struct timespec soon;
	int err;

	switch (roll(w, 8)) {
	case 0:
		err = trylock(m);
		require(!err || err == -EBUSY);
		break;
	case 1:
		soon = in_ms(CLOCK_MONOTONIC, 0);
		soon.tv_nsec += roll(w, 1000);
		soon.tv_nsec -= soon.tv_nsec / 1000000000;
		err = timedlock(m, CLOCK_MONOTONIC, &soon);
		require(!err || err == -ETIMEDOUT);
		break;
	default:
		err = lock(m);
		require(!err);
	}
	return !err;
}

static void increment_both(struct worker *w)
{
	struct mutex m = mutex_in(w->r, AT(0));
	struct data *d = data_of(w->r);
	long i, mine = 0;

	for (i = 0; i < ops; i++) {
		if (!lock_somehow(w, &m))
			continue;
		require(d->a == d->b);
		d->a++;
		d->b++;
		mine++;
		require(!unlock(&m));
	}
	atomic_fetch_add(&d->done, mine);
}

static void a_mutex_lets_nobody_see_half_a_step(void)
{
	struct ipcdemo_region *r = api_region();
	struct data *d = data_of(r);

	mutex_init(r, AT(0));
	all(r, increment_both);
	assert_int_equal(d->a, d->done);
	assert_int_equal(d->b, d->done);
	assert_true(d->done > ops * WORKERS / 4);
	ipcdemo_region_close(r);
}

#define PERMITS 3

static void enter_and_leave(struct worker *w)
{
	struct sem s = sem_in(w->r, AT(1));
	struct data *d = data_of(w->r);
	struct timespec soon;
	long i, inside;
	int err;

	for (i = 0; i < ops; i++) {
		if (roll(w, 4)) {
			err = sem_take(&s);
			require(!err);
		} else {
			soon = in_ms(CLOCK_MONOTONIC, 0);
			err = sem_timedtake(&s, CLOCK_MONOTONIC, &soon);
			require(!err || err == -ETIMEDOUT);
		}
		if (err)
			continue;
		inside = atomic_fetch_add(&d->inside, 1) + 1;
		require(inside <= PERMITS);
		atomic_fetch_sub(&d->inside, 1);
		require(!sem_give(&s));
	}
}

static void a_semaphore_lets_in_as_many_as_it_says(void)
{
	struct ipcdemo_region *r = api_region();
	struct sem s = sem_at(r, AT(1), PERMITS);

	all(r, enter_and_leave);
	assert_int_equal(sem_count(&s), PERMITS);
	ipcdemo_region_close(r);
}

/* Even workers put numbers into a queue, odd ones take them out. */
static void put_or_take(struct worker *w)
{
	struct mutex m = mutex_in(w->r, AT(0));
	struct cond room = cond_in(w->r, AT(1)), some = cond_in(w->r, AT(2));
	struct data *d = data_of(w->r);
	bool puts = w->number % 2 == 0;
	struct timespec soon;
	unsigned int used;
	long i;
	int err;

	for (i = 1; i <= ops; i++) {
		require(!lock(&m));
		for (;;) {
			used = d->tail - d->head;
			require(used <= NR(d->queue));
			if (puts ? used < NR(d->queue) : used > 0)
				break;
			soon = in_ms(CLOCK_MONOTONIC, 1);
			if (roll(w, 8))
				err = cond_wait(puts ? &room : &some, &m);
			else
				err = cond_timedwait(puts ? &room : &some, &m,
						     CLOCK_MONOTONIC, &soon);
			require(!err || err == -ETIMEDOUT);
		}
		if (puts) {
			d->queue[d->tail++ % NR(d->queue)] = i;
			d->a += i;
			err = cond_signal(&some);
		} else {
			d->b += d->queue[d->head++ % NR(d->queue)];
			err = roll(w, 8) ? cond_signal(&room)
					 : cond_broadcast(&room);
		}
		require(!err);
		require(!unlock(&m));
	}
}

static void what_is_put_is_taken_and_nobody_sleeps_on(void)
{
	struct ipcdemo_region *r = api_region();
	struct data *d = data_of(r);

	mutex_init(r, AT(0));
	cond_at(r, AT(1));
	cond_at(r, AT(2));
	all(r, put_or_take);
	assert_int_equal(d->a, d->b);
	assert_int_equal(d->a, ops * (ops + 1) / 2 * (WORKERS / 2));
	assert_int_equal(d->head, d->tail);
	ipcdemo_region_close(r);
}

static void read_or_write(struct worker *w)
{
	struct rwlock l = rwlock_in(w->r, AT(1));
	struct data *d = data_of(w->r);
	struct timespec soon;
	long i, mine = 0;
	int err;

	for (i = 0; i < ops; i++) {
		soon = in_ms(CLOCK_MONOTONIC, 0);
		switch (roll(w, 8)) {
		case 0:
			err = timed_read_lock(&l, CLOCK_MONOTONIC, &soon);
			break;
		case 1:
			err = try_read_lock(&l);
			break;
		case 2:
			err = timed_write_lock(&l, CLOCK_MONOTONIC, &soon);
			mine += !err;
			break;
		case 3:
			err = try_write_lock(&l);
			mine += !err;
			break;
		case 4:
			err = write_lock(&l);
			mine++;
			require(!err);
			break;
		default:
			err = read_lock(&l);
			require(!err);
			require(d->a == d->b);
			require(!rw_unlock(&l));
			continue;
		}
		require(!err || err == -EBUSY || err == -ETIMEDOUT);
		if (err)
			continue;
		require(d->a == d->b);
		/* Who wrote is the one who counted */
		if (mine > d->rounds[w->number]) {
			d->a++;
			d->b++;
			d->rounds[w->number] = mine;
		}
		require(!rw_unlock(&l));
	}
	atomic_fetch_add(&d->done, mine);
}

static void readers_see_what_writers_wrote_whole(void)
{
	struct ipcdemo_region *r = api_region();
	struct data *d = data_of(r);

	rwlock_at(r, AT(1));
	all(r, read_or_write);
	assert_int_equal(d->a, d->done);
	assert_true(d->done >= ops * WORKERS / 16);
	ipcdemo_region_close(r);
}

#define WRITES 50

/* The readers overlap, and do not end before the writer has come in often. */
static void storm(struct worker *w)
{
	struct rwlock l = rwlock_in(w->r, AT(1));
	struct data *d = data_of(w->r);
	int i;

	if (!w->number) {
		for (i = 0; i < WRITES; i++) {
			require(!write_lock(&l));
			require(!atomic_load(&d->inside));
			require(!rw_unlock(&l));
		}
		atomic_store(&d->done, 1);
	}
	while (!atomic_load(&d->done)) {
		require(!read_lock(&l));
		atomic_fetch_add(&d->inside, 1);
		atomic_fetch_sub(&d->inside, 1);
		require(!rw_unlock(&l));
	}
}

static void a_writer_comes_in_among_readers_that_never_end(void)
{
	struct ipcdemo_region *r = api_region();

	rwlock_at(r, AT(1));
	all(r, storm);
	ipcdemo_region_close(r);
}

static void write_and_compare(struct worker *w)
{
	struct barrier b = barrier_in(w->r, AT(1));
	struct data *d = data_of(w->r);
	long i, n = ops / 10;
	size_t k;
	int ret;

	for (i = 1; i <= n; i++) {
		d->rounds[w->number] = i;
		ret = meet(&b);
		require(ret == 0 || ret == 1);
		atomic_fetch_add(&d->done, ret);
		for (k = 0; k < WORKERS; k++)
			require(d->rounds[k] == i);
		ret = meet(&b);
		require(ret == 0 || ret == 1);
	}
}

static void behind_a_barrier_is_what_was_before_it(void)
{
	struct ipcdemo_region *r = api_region();
	struct data *d = data_of(r);

	barrier_at(r, AT(1), WORKERS);
	all(r, write_and_compare);
	assert_int_equal(d->done, ops / 10);
	ipcdemo_region_close(r);
}

/* The last one does not get lost in the crowd: timed waits at a barrier. */
static void meet_or_give_up(struct worker *w)
{
	struct barrier b = barrier_in(w->r, AT(1));
	struct data *d = data_of(w->r);
	long i, met = 0;
	struct timespec soon;
	int ret;

	for (i = 0; i < ops / 10; i++) {
		soon = in_ms(CLOCK_MONOTONIC, 0);
		ret = ipcdemo_barrier_timedwait(&b.ours, CLOCK_MONOTONIC,
						&soon);
		require(ret == 0 || ret == 1 || ret == -ETIMEDOUT);
		met += ret >= 0;
		if (ret == 1)
			atomic_fetch_add(&d->inside, 1);
	}
	atomic_fetch_add(&d->done, met);
}

static void who_gives_up_at_a_barrier_is_not_counted(void)
{
	struct ipcdemo_region *r = api_region();
	struct data *d = data_of(r);

	barrier_at(r, AT(1), 2);
	all(r, meet_or_give_up);
	/* Two for each round that was over, no more and no less */
	assert_int_equal(d->done, 2 * d->inside);
	ipcdemo_region_close(r);
}

static const struct claim claims[] = {
	{"a mutex lets nobody see half a step",
	 a_mutex_lets_nobody_see_half_a_step, AND_POSIX},
	{"a semaphore lets in as many as it says",
	 a_semaphore_lets_in_as_many_as_it_says, AND_POSIX},
	{"what is put is taken, and nobody sleeps on",
	 what_is_put_is_taken_and_nobody_sleeps_on, AND_POSIX},
	{"readers see what writers wrote whole",
	 readers_see_what_writers_wrote_whole, AND_POSIX},
	{"a writer comes in among readers that never end",
	 a_writer_comes_in_among_readers_that_never_end, AND_POSIX},
	{"behind a barrier is what was before it",
	 behind_a_barrier_is_what_was_before_it, AND_POSIX},
	{"who gives up at a barrier is not counted",
	 who_gives_up_at_a_barrier_is_not_counted, OURS},
};

int main(void)
{
	const char *given = getenv("IPCDEMO_OPS");

	ops = given ? atol(given) : OPS;
	return run_claims("race", claims, NR(claims));
}

// SPDX-License-Identifier: GPL-2.0
/*
 * What each lock promises: of libipcdemo, and of POSIX in the same memory
 */
#include "api.h"

#include <sys/syscall.h>
#include <time.h>

/* Data that a test keeps beside the locks. */
#define DATA 60000

static atomic_int *data_of(struct ipcdemo_region *r)
{
	return (atomic_int *)((char *)ipcdemo_region_base(r) + DATA);
}

/* --- mutex ------------------------------------------------------------------ */

static void hold(void *with)
{
	struct mutex m = mutex_in(with, AT(0));
	atomic_int *data = data_of(with);

	require(!lock(&m));
	data[0] = 1;
	while (!data[1])
		breathe();
	data[0] = 0;
	require(!unlock(&m));
}

static void one_holds_a_mutex_and_others_do_not(void)
{
	struct ipcdemo_region *r = api_region(), *other = again(r);
	struct timespec soon = in_ms(CLOCK_REALTIME, 2);
	struct mutex m = mutex_init(r, AT(0));
	atomic_int *data = data_of(r);
	pid_t pid;

	pid = child(hold, other);
	eventually(data[0]);
	assert_ret(-EBUSY, trylock(&m));
	assert_ret(-EPERM, unlock(&m));
	assert_ret(-ETIMEDOUT, timedlock(&m, CLOCK_MONOTONIC, &past));
	assert_ret(-ETIMEDOUT, timedlock(&m, CLOCK_REALTIME, &soon));
	data[1] = 1;
	assert_ret(0, lock(&m));
	assert_int_equal(data[0], 0);
	join(pid);
	/* glibc's robust ones say EDEADLK, which POSIX has for lock alone */
	assert_ret(kind->posix ? -EDEADLK : -EBUSY, trylock(&m));
	assert_ret(-EDEADLK, lock(&m));
	assert_ret(0, unlock(&m));
	assert_ret(-EPERM, unlock(&m));
	/* What is free is had also when it is too late */
	assert_ret(0, timedlock(&m, CLOCK_MONOTONIC, &past));
	assert_ret(0, unlock(&m));
	ipcdemo_region_close(other);
	ipcdemo_region_close(r);
}

static void take_and_count(void *with)
{
	struct mutex m = mutex_in(with, AT(0));

	require(!lock(&m));
	++*data_of(with);
	require(!unlock(&m));
}

static void all_who_wait_for_a_mutex_get_it(void)
{
	struct ipcdemo_region *r = api_region();
	struct mutex m = mutex_init(r, AT(0));
	pid_t pids[8];
	size_t i;

	assert_ret(0, lock(&m));
	for (i = 0; i < NR(pids); i++) {
		pids[i] = child(take_and_count, r);
		sleeps(pids[i]);
	}
	/* One of them goes before it is its turn */
	kills(pids[3]);
	assert_ret(0, unlock(&m));
	for (i = 0; i < NR(pids); i++)
		if (i != 3)
			join(pids[i]);
	assert_int_equal(*data_of(r), NR(pids) - 1);
	assert_ret(0, lock(&m));
	assert_ret(0, unlock(&m));
	ipcdemo_region_close(r);
}

static void wait_and_give_up(void *with)
{
	struct timespec soon = in_ms(CLOCK_MONOTONIC, 20);
	struct mutex m = mutex_in(with, AT(0));

	require(timedlock(&m, CLOCK_MONOTONIC, &soon) == -ETIMEDOUT);
}

static void who_gives_up_waiting_takes_nothing_along(void)
{
	struct ipcdemo_region *r = api_region();
	struct mutex m = mutex_init(r, AT(0));
	pid_t patient, hasty;

	assert_ret(0, lock(&m));
	hasty = child(wait_and_give_up, r);
	patient = child(take_and_count, r);
	sleeps(patient);
	join(hasty);
	assert_ret(0, unlock(&m));
	join(patient);
	assert_int_equal(*data_of(r), 1);
	ipcdemo_region_close(r);
}

static void nothing(int sig)
{
	(void)sig;
}

static void take_and_count_with_handler(void *with)
{
	struct sigaction act = {.sa_handler = nothing};

	sigaction(SIGUSR1, &act, NULL);
	take_and_count(with);
}

static void waiting_for_a_mutex_goes_on_after_a_signal(void)
{
	struct ipcdemo_region *r = api_region();
	struct mutex m = mutex_init(r, AT(0));
	pid_t pid;
	int i;

	assert_ret(0, lock(&m));
	pid = child(take_and_count_with_handler, r);
	for (i = 0; i < 5; i++) {
		sleeps(pid);
		kill(pid, SIGUSR1);
	}
	sleeps(pid);
	assert_int_equal(*data_of(r), 0);
	assert_ret(0, unlock(&m));
	join(pid);
	ipcdemo_region_close(r);
}

static void inherit_and_fail(void *with)
{
	struct mutex *m = with;

	require(unlock(m) == -EPERM);
	require(trylock(m) == -EBUSY);
}

static void a_child_of_fork_is_somebody_else(void)
{
	struct ipcdemo_region *r = api_region();
	struct mutex m = mutex_init(r, AT(0));

	assert_ret(0, lock(&m));
	join(child(inherit_and_fail, &m));
	assert_ret(0, unlock(&m));
	join(child(take_and_count, r));
	assert_int_equal(*data_of(r), 1);
	ipcdemo_region_close(r);
}

struct thread {
	struct ipcdemo_region *r;
	atomic_int tid;
	atomic_int err;
	void (*what)(struct thread *t);
	pthread_t id;
};

static void *run(void *with)
{
	struct thread *t = with;

	t->tid = syscall(SYS_gettid);
	t->what(t);
	return NULL;
}

static void try_in_thread(struct thread *t)
{
	struct mutex m = mutex_in(t->r, AT(0));

	t->err = unlock(&m);
	require(trylock(&m) == -EBUSY);
	require(!lock(&m));
	require(!unlock(&m));
}

static void another_thread_does_not_hold_what_this_one_does(void)
{
	struct ipcdemo_region *r = api_region();
	struct mutex m = mutex_init(r, AT(0));
	struct thread t = {.r = r, .what = try_in_thread};

	assert_ret(0, lock(&m));
	assert_ret(0, pthread_create(&t.id, NULL, run, &t));
	eventually(t.tid);
	sleeps(t.tid);
	assert_ret(-EPERM, t.err);
	assert_ret(0, unlock(&m));
	pthread_join(t.id, NULL);
	ipcdemo_region_close(r);
}

/* --- semaphore -------------------------------------------------------------- */

static void a_semaphore_counts(void)
{
	struct ipcdemo_region *r = api_region();
	struct sem s = sem_at(r, AT(1), 2);
	struct timespec soon = in_ms(CLOCK_REALTIME, 2);

	assert_int_equal(sem_count(&s), 2);
	assert_ret(0, sem_take(&s));
	assert_ret(0, sem_trytake(&s));
	assert_ret(-EAGAIN, sem_trytake(&s));
	assert_ret(-ETIMEDOUT, sem_timedtake(&s, CLOCK_MONOTONIC, &past));
	assert_ret(-ETIMEDOUT, sem_timedtake(&s, CLOCK_REALTIME, &soon));
	assert_int_equal(sem_count(&s), 0);
	assert_ret(0, sem_give(&s));
	assert_ret(0, sem_timedtake(&s, CLOCK_MONOTONIC, &past));
	ipcdemo_region_close(r);
}

static void a_semaphore_does_not_overflow(void)
{
	struct ipcdemo_region *r = api_region();
	struct sem s = sem_at(r, AT(1), IPCDEMO_SEM_MAX);

	assert_ret(-EOVERFLOW, sem_give(&s));
	assert_int_equal(sem_count(&s), IPCDEMO_SEM_MAX);
	assert_ret(0, sem_take(&s));
	assert_ret(0, sem_give(&s));
	ipcdemo_region_close(r);
}

static void take_one(void *with)
{
	struct sem s = sem_in(with, AT(1));

	require(!sem_take(&s));
	++*data_of(with);
}

static void a_post_lets_as_many_go_as_there_are(void)
{
	struct ipcdemo_region *r = api_region(), *other = again(r);
	struct sem s = sem_at(r, AT(1), 0);
	pid_t pids[6];
	size_t i;

	for (i = 0; i < NR(pids); i++) {
		pids[i] = child(take_one, i % 2 ? r : other);
		sleeps(pids[i]);
	}
	for (i = 0; i < NR(pids); i++) {
		assert_ret(0, sem_give(&s));
		eventually(*data_of(r) == (int)i + 1);
	}
	for (i = 0; i < NR(pids); i++)
		join(pids[i]);
	assert_int_equal(sem_count(&s), 0);
	ipcdemo_region_close(other);
	ipcdemo_region_close(r);
}

static void be_interrupted(void *with)
{
	struct sigaction act = {.sa_handler = nothing};
	struct sem s = sem_in(with, AT(1));

	sigaction(SIGUSR1, &act, NULL);
	require(sem_take(&s) == -EINTR);
}

static void a_signal_ends_waiting_for_a_semaphore(void)
{
	struct ipcdemo_region *r = api_region();
	struct sem s = sem_at(r, AT(1), 0);
	pid_t pid = child(be_interrupted, r);

	sleeps(pid);
	kill(pid, SIGUSR1);
	join(pid);
	assert_ret(0, sem_give(&s));
	assert_int_equal(sem_count(&s), 1);
	ipcdemo_region_close(r);
}

/* --- condition variable ------------------------------------------------------ */

static void wait_for_a_ticket(void *with)
{
	struct mutex m = mutex_in(with, AT(0));
	struct cond c = cond_in(with, AT(1));
	atomic_int *data = data_of(with);

	require(!lock(&m));
	while (!data[0])
		require(!cond_wait(&c, &m));
	data[0]--;
	data[1]++;
	require(!unlock(&m));
}

static void a_signal_lets_one_go_and_a_broadcast_all(void)
{
	struct ipcdemo_region *r = api_region(), *other = again(r);
	struct mutex m = mutex_init(r, AT(0));
	struct cond c = cond_at(r, AT(1));
	atomic_int *data = data_of(r);
	pid_t pids[6];
	size_t i;

	assert_ret(0, cond_signal(&c));
	assert_ret(0, cond_broadcast(&c));
	for (i = 0; i < NR(pids); i++) {
		pids[i] = child(wait_for_a_ticket, i % 2 ? r : other);
		sleeps(pids[i]);
	}
	for (i = 0; i < 3; i++) {
		assert_ret(0, lock(&m));
		data[0]++;
		assert_ret(0, cond_signal(&c));
		assert_ret(0, unlock(&m));
		eventually(data[1] == (int)i + 1);
	}
	assert_ret(0, lock(&m));
	data[0] += 3;
	assert_ret(0, unlock(&m));
	/* Without the mutex, as well */
	assert_ret(0, cond_broadcast(&c));
	for (i = 0; i < NR(pids); i++)
		join(pids[i]);
	assert_int_equal(data[0], 0);
	ipcdemo_region_close(other);
	ipcdemo_region_close(r);
}

static void a_wait_that_times_out_holds_the_mutex(void)
{
	static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME};
	struct ipcdemo_region *r = api_region();
	struct mutex m = mutex_init(r, AT(0));
	struct cond c = cond_at(r, AT(1));
	const struct timespec bad = {0, -1};
	struct timespec soon;
	size_t i;

	assert_ret(-EPERM, cond_timedwait(&c, &m, CLOCK_MONOTONIC, &past));
	for (i = 0; i < NR(clocks); i++) {
		soon = in_ms(clocks[i], 2);
		assert_ret(0, lock(&m));
		assert_ret(-ETIMEDOUT,
			   cond_timedwait(&c, &m, clocks[i], &soon));
		assert_ret(-ETIMEDOUT,
			   cond_timedwait(&c, &m, clocks[i], &past));
		assert_ret(-EINVAL, cond_timedwait(&c, &m, clocks[i], &bad));
		assert_ret(0, unlock(&m));
	}
	ipcdemo_region_close(r);
}

static void wait_with_handler(void *with)
{
	struct sigaction act = {.sa_handler = nothing};

	sigaction(SIGUSR1, &act, NULL);
	wait_for_a_ticket(with);
}

static void waiting_for_a_condition_goes_on_after_a_signal(void)
{
	struct ipcdemo_region *r = api_region();
	struct mutex m = mutex_init(r, AT(0));
	struct cond c = cond_at(r, AT(1));
	pid_t pid = child(wait_with_handler, r);
	int i;

	for (i = 0; i < 5; i++) {
		sleeps(pid);
		kill(pid, SIGUSR1);
	}
	sleeps(pid);
	assert_ret(0, lock(&m));
	data_of(r)[0] = 1;
	assert_ret(0, unlock(&m));
	assert_ret(0, cond_signal(&c));
	join(pid);
	ipcdemo_region_close(r);
}

/* --- reader-writer lock ------------------------------------------------------- */

static void read_in_child(void *with)
{
	struct rwlock l = rwlock_in(with, AT(1));
	atomic_int *data = data_of(with);

	require(!read_lock(&l));
	data[0]++;
	while (!data[1])
		breathe();
	data[0]--;
	require(!rw_unlock(&l));
}

static void write_in_child(void *with)
{
	struct rwlock l = rwlock_in(with, AT(1));
	atomic_int *data = data_of(with);

	require(!write_lock(&l));
	require(!data[0]);
	data[2]++;
	require(!rw_unlock(&l));
}

static void readers_share_and_writers_do_not(void)
{
	struct ipcdemo_region *r = api_region(), *other = again(r);
	struct timespec soon = in_ms(CLOCK_MONOTONIC, 2);
	struct rwlock l = rwlock_at(r, AT(1));
	atomic_int *data = data_of(r);
	pid_t one, two;

	one = child(read_in_child, r);
	two = child(read_in_child, other);
	eventually(data[0] == 2);
	assert_ret(0, read_lock(&l));
	assert_ret(-EBUSY, try_write_lock(&l));
	assert_ret(-ETIMEDOUT, timed_write_lock(&l, CLOCK_MONOTONIC, &soon));
	assert_ret(-ETIMEDOUT, timed_write_lock(&l, CLOCK_REALTIME, &past));
	/* Who gave up waiting to write keeps nobody out */
	assert_ret(0, try_read_lock(&l));
	assert_ret(0, rw_unlock(&l));
	assert_ret(0, rw_unlock(&l));
	data[1] = 1;
	assert_ret(0, write_lock(&l));
	assert_int_equal(data[0], 0);
	join(one);
	join(two);
	assert_ret(-EBUSY, try_read_lock(&l));
	assert_ret(-EBUSY, try_write_lock(&l));
	assert_ret(-EDEADLK, write_lock(&l));
	assert_ret(-EDEADLK, read_lock(&l));
	assert_ret(0, rw_unlock(&l));
	assert_ret(0, timed_read_lock(&l, CLOCK_MONOTONIC, &past));
	assert_ret(0, rw_unlock(&l));
	assert_ret(0, timed_write_lock(&l, CLOCK_MONOTONIC, &past));
	assert_ret(0, rw_unlock(&l));
	ipcdemo_region_close(other);
	ipcdemo_region_close(r);
}

static void a_writer_that_waits_keeps_readers_out(void)
{
	struct ipcdemo_region *r = api_region();
	struct rwlock l = rwlock_at(r, AT(1));
	atomic_int *data = data_of(r);
	struct timespec soon;
	pid_t writer, reader;

	assert_ret(0, read_lock(&l));
	writer = child(write_in_child, r);
	sleeps(writer);
	assert_ret(-EBUSY, try_read_lock(&l));
	soon = in_ms(CLOCK_MONOTONIC, 2);
	assert_ret(-ETIMEDOUT, timed_read_lock(&l, CLOCK_MONOTONIC, &soon));
	data[1] = 1;
	reader = child(read_in_child, r);
	sleeps(reader);
	assert_ret(0, rw_unlock(&l));
	join(writer);
	join(reader);
	assert_int_equal(data[2], 1);
	ipcdemo_region_close(r);
}

static void give_up_writing(void *with)
{
	struct timespec soon = in_ms(CLOCK_MONOTONIC, 100);
	struct rwlock l = rwlock_in(with, AT(1));

	require(timed_write_lock(&l, CLOCK_MONOTONIC, &soon) == -ETIMEDOUT);
	data_of(with)[3]++;
}

/* Is nobody let in to read, before as many writers have given up? */
static bool is_barred(struct rwlock *l, atomic_int *given_up, int writers)
{
	while (*given_up < writers) {
		if (try_read_lock(l) == -EBUSY)
			return true;
		assert_ret(0, rw_unlock(l));
	}
	return false;
}

static void a_writer_that_gives_up_lets_readers_in(void)
{
	struct ipcdemo_region *r = api_region();
	struct rwlock l = rwlock_at(r, AT(1));
	atomic_int *data = data_of(r);
	pid_t writer, reader;
	bool seen = false;
	int i;

	data[1] = 1;
	assert_ret(0, read_lock(&l));
	/* Until a reader came while the writer waited */
	for (i = 1; !seen && i <= 50; i++) {
		writer = child(give_up_writing, r);
		seen = is_barred(&l, &data[3], i);
		reader = child(read_in_child, r);
		join(writer);
		/* While this one reads on */
		join(reader);
	}
	assert_true(seen);
	assert_ret(0, rw_unlock(&l));
	ipcdemo_region_close(r);
}

static void all_who_wait_to_read_or_write_come_in(void)
{
	struct ipcdemo_region *r = api_region();
	struct rwlock l = rwlock_at(r, AT(1));
	atomic_int *data = data_of(r);
	pid_t pids[8];
	size_t i;

	data[1] = 1;
	assert_ret(0, write_lock(&l));
	for (i = 0; i < NR(pids); i++) {
		pids[i] = child(i % 2 ? write_in_child : read_in_child, r);
		sleeps(pids[i]);
	}
	assert_ret(0, rw_unlock(&l));
	for (i = 0; i < NR(pids); i++)
		join(pids[i]);
	assert_int_equal(data[2], NR(pids) / 2);
	ipcdemo_region_close(r);
}

/* --- barrier ------------------------------------------------------------------ */

#define MEET   5
#define ROUNDS 200

static void meet_often(void *with)
{
	struct barrier b = barrier_in(with, AT(1));
	atomic_int *data = data_of(with);
	int i, ret;

	for (i = 0; i < ROUNDS; i++) {
		atomic_fetch_add(&data[0], 1);
		ret = meet(&b);
		require(ret == 0 || ret == 1);
		data[1] += ret;
		/* All of this round have come, none is two rounds ahead */
		require(data[0] >= (i + 1) * MEET);
		require(data[0] <= (i + 2) * MEET);
	}
}

static void nobody_passes_a_barrier_alone(void)
{
	struct ipcdemo_region *r = api_region(), *other = again(r);
	atomic_int *data = data_of(r);
	pid_t pids[MEET];
	size_t i;

	barrier_at(r, AT(1), MEET);
	for (i = 0; i < MEET; i++)
		pids[i] = child(meet_often, i % 2 ? r : other);
	for (i = 0; i < MEET; i++)
		join(pids[i]);
	assert_int_equal(data[1], ROUNDS);
	ipcdemo_region_close(other);
	ipcdemo_region_close(r);
}

static void a_barrier_of_one_holds_nobody(void)
{
	struct ipcdemo_region *r = api_region();
	struct barrier b = barrier_at(r, AT(1), 1);

	assert_ret(1, meet(&b));
	assert_ret(1, meet(&b));
	ipcdemo_region_close(r);
}

static void meet_once(void *with)
{
	struct barrier b = barrier_in(with, AT(1));

	++*data_of(with);
	require(meet(&b) == 0);
}

static void who_leaves_a_barrier_was_not_there(void)
{
	struct timespec soon = in_ms(CLOCK_MONOTONIC, 2);
	struct ipcdemo_region *r = api_region();
	struct barrier b = barrier_at(r, AT(1), 3);
	pid_t one, two;

	assert_ret(-EBUSY, ipcdemo_barrier_trywait(&b.ours));
	assert_ret(-ETIMEDOUT,
		   ipcdemo_barrier_timedwait(&b.ours, CLOCK_MONOTONIC, &soon));
	one = child(meet_once, r);
	sleeps(one);
	assert_ret(-ETIMEDOUT,
		   ipcdemo_barrier_timedwait(&b.ours, CLOCK_REALTIME, &past));
	assert_ret(-EBUSY, ipcdemo_barrier_trywait(&b.ours));
	two = child(meet_once, r);
	sleeps(two);
	assert_ret(-EBUSY, ipcdemo_barrier_destroy(&b.ours));
	assert_ret(IPCDEMO_BARRIER_SERIAL, ipcdemo_barrier_trywait(&b.ours));
	join(one);
	join(two);
	assert_ret(0, ipcdemo_barrier_destroy(&b.ours));
	ipcdemo_region_close(r);
}

static const struct claim claims[] = {
	{"one holds a mutex and others do not",
	 one_holds_a_mutex_and_others_do_not, AND_POSIX},
	{"all who wait for a mutex get it", all_who_wait_for_a_mutex_get_it,
	 AND_POSIX},
	{"who gives up waiting takes nothing along",
	 who_gives_up_waiting_takes_nothing_along, AND_POSIX},
	{"waiting for a mutex goes on after a signal",
	 waiting_for_a_mutex_goes_on_after_a_signal, AND_POSIX},
	{"a child of fork is somebody else", a_child_of_fork_is_somebody_else,
	 AND_POSIX},
	{"another thread does not hold what this one does",
	 another_thread_does_not_hold_what_this_one_does, AND_POSIX},
	{"a semaphore counts", a_semaphore_counts, AND_POSIX},
	{"a semaphore does not overflow", a_semaphore_does_not_overflow,
	 AND_POSIX},
	{"a post lets as many go as there are",
	 a_post_lets_as_many_go_as_there_are, AND_POSIX},
	{"a signal ends waiting for a semaphore",
	 a_signal_ends_waiting_for_a_semaphore, AND_POSIX},
	{"a signal lets one go and a broadcast all",
	 a_signal_lets_one_go_and_a_broadcast_all, AND_POSIX},
	{"a wait that times out holds the mutex",
	 a_wait_that_times_out_holds_the_mutex, AND_POSIX},
	{"waiting for a condition goes on after a signal",
	 waiting_for_a_condition_goes_on_after_a_signal, AND_POSIX},
	{"readers share and writers do not", readers_share_and_writers_do_not,
	 AND_POSIX},
	{"a writer that waits keeps readers out",
	 a_writer_that_waits_keeps_readers_out, AND_POSIX},
	{"a writer that gives up lets readers in",
	 a_writer_that_gives_up_lets_readers_in, AND_POSIX},
	{"all who wait to read or write come in",
	 all_who_wait_to_read_or_write_come_in, AND_POSIX},
	{"nobody passes a barrier alone", nobody_passes_a_barrier_alone,
	 AND_POSIX},
	{"a barrier of one holds nobody", a_barrier_of_one_holds_nobody,
	 AND_POSIX},
	{"who leaves a barrier was not there",
	 who_leaves_a_barrier_was_not_there, OURS},
};

int main(void)
{
	return run_claims("locks", claims, NR(claims));
}

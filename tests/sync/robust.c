// SPDX-License-Identifier: GPL-2.0
/*
 * Who dies with a lock, before it or behind it keeps nobody waiting
 *
 * Processes are killed between any two instructions of locking and unlocking that
 * matter: they are stepped with ptrace(2), instruction by instruction, and what
 * matters to others is that the region changes, or that there was a system call.
 * Between two such *events* it is the same where the process dies.  It dies after
 * one event more each time, until it comes to the end.
 *
 * What is guarded are two numbers that are equal, but for the step in between; who
 * is told that another died makes them equal again.
 */
#include "api.h"

#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

struct data {
	long a, b;
	atomic_int here;
	atomic_int got;
	atomic_int told;
};

static struct data *data_of(struct ipcdemo_region *r)
{
	return (void *)((char *)ipcdemo_region_base(r) + REGION_SIZE -
			sizeof(struct data));
}

/* Locks before long, and puts right what the dead left; was one? */
static bool lock_and_repair(struct ipcdemo_region *r, struct mutex *m)
{
	struct timespec until = in_ms(CLOCK_MONOTONIC, PATIENCE_MS);
	struct data *d = data_of(r);
	int err;

	err = timedlock(m, CLOCK_MONOTONIC, &until);
	if (err && err != -EOWNERDEAD)
		fprintf(stderr, "# locking says %s\n", strerror(-err));
	require(!err || err == -EOWNERDEAD);
	if (err) {
		d->a = d->b;
		require(!consistent(m));
	}
	require(d->a == d->b);
	return err;
}

static void increment(struct ipcdemo_region *r, struct mutex *m)
{
	struct data *d = data_of(r);

	d->told += lock_and_repair(r, m);
	d->a++;
	d->b++;
	require(!unlock(m));
}

/* --- deaths at one place -------------------------------------------------------- */

static void hold_until_killed(void *with)
{
	struct mutex m = mutex_in(with, AT(0));

	require(!lock(&m));
	data_of(with)->a++;
	data_of(with)->here = 1;
	pause();
}

static void who_locks_what_the_dead_held_is_told(void)
{
	struct ipcdemo_region *r = api_region();
	struct mutex m = mutex_init(r, AT(0));
	pid_t pid;
	int i;

	for (i = 0; i < 3; i++) {
		data_of(r)->here = 0;
		pid = child(hold_until_killed, r);
		eventually(data_of(r)->here);
		assert_ret(-EBUSY, trylock(&m));
		kills(pid);
		assert_true(lock_and_repair(r, &m));
		assert_ret(-EINVAL, consistent(&m));
		assert_ret(0, unlock(&m));
		/* From then on it is as any other */
		assert_false(lock_and_repair(r, &m));
		assert_ret(0, unlock(&m));
		assert_ret(-EINVAL, consistent(&m));
	}
	ipcdemo_region_close(r);
}

static void wait_and_increment(void *with)
{
	struct mutex m = mutex_in(with, AT(0));

	increment(with, &m);
	data_of(with)->got++;
}

static void one_of_those_who_wait_is_told_and_all_go_on(void)
{
	struct ipcdemo_region *r = api_region();
	struct data *d = data_of(r);
	pid_t holder, pids[5];
	size_t i;

	mutex_init(r, AT(0));
	holder = child(hold_until_killed, r);
	eventually(d->here);
	for (i = 0; i < NR(pids); i++) {
		pids[i] = child(wait_and_increment, r);
		sleeps(pids[i]);
	}
	kills(holder);
	for (i = 0; i < NR(pids); i++)
		join(pids[i]);
	assert_int_equal(d->told, 1);
	assert_int_equal(d->a, NR(pids));
	ipcdemo_region_close(r);
}

static void find_it_broken(void *with)
{
	struct mutex m = mutex_in(with, AT(0));

	require(lock(&m) == -ENOTRECOVERABLE);
	data_of(with)->got++;
}

static void what_is_not_repaired_is_lost_for_all(void)
{
	struct ipcdemo_region *r = api_region();
	struct mutex m = mutex_init(r, AT(0));
	struct data *d = data_of(r);
	struct timespec soon;
	pid_t pid, pids[4];
	size_t i;

	pid = child(hold_until_killed, r);
	eventually(d->here);
	kills(pid);
	assert_ret(-EOWNERDEAD, lock(&m));
	for (i = 0; i < NR(pids); i++) {
		pids[i] = child(find_it_broken, r);
		sleeps(pids[i]);
	}
	assert_ret(0, unlock(&m));
	for (i = 0; i < NR(pids); i++)
		join(pids[i]);
	soon = in_ms(CLOCK_MONOTONIC, PATIENCE_MS);
	assert_ret(-ENOTRECOVERABLE, lock(&m));
	assert_ret(-ENOTRECOVERABLE, trylock(&m));
	assert_ret(-ENOTRECOVERABLE, timedlock(&m, CLOCK_MONOTONIC, &soon));
	assert_ret(-EPERM, unlock(&m));
	ipcdemo_region_close(r);
}

static void die_with_the_dead_mans(void *with)
{
	struct mutex m = mutex_in(with, AT(0));

	require(lock(&m) == -EOWNERDEAD);
	data_of(with)->here++;
	pause();
}

static void a_second_death_is_told_as_the_first(void)
{
	struct ipcdemo_region *r = api_region();
	struct mutex m = mutex_init(r, AT(0));
	struct data *d = data_of(r);
	pid_t pid;
	int i;

	pid = child(hold_until_killed, r);
	eventually(d->here == 1);
	kills(pid);
	for (i = 2; i < 5; i++) {
		pid = child(die_with_the_dead_mans, r);
		eventually(d->here == i);
		kills(pid);
	}
	assert_true(lock_and_repair(r, &m));
	assert_ret(0, unlock(&m));
	ipcdemo_region_close(r);
}

static void exit_with_it(void *with)
{
	struct mutex m = mutex_in(with, AT(0));

	require(!lock(&m));
}

static void become_another(void *with)
{
	struct mutex m = mutex_in(with, AT(0));

	require(!lock(&m));
	execl("/bin/true", "true", NULL);
}

static void an_exit_and_an_exec_are_deaths(void)
{
	void (*const ways[])(void *) = {exit_with_it, become_another};
	struct ipcdemo_region *r = api_region();
	struct mutex m = mutex_init(r, AT(0));
	size_t i;

	for (i = 0; i < NR(ways); i++) {
		join(child(ways[i], r));
		assert_true(lock_and_repair(r, &m));
		assert_ret(0, unlock(&m));
	}
	ipcdemo_region_close(r);
}

struct closing {
	struct ipcdemo_region *r;
	atomic_int *closed; /* not in the region */
};

static void close_with_it(void *with)
{
	struct closing *c = with;
	struct ipcdemo_region *r = again(c->r);
	struct mutex m = mutex_in(r, AT(0));

	require(!lock(&m));
	/* Another mapping is left: that is no death */
	ipcdemo_region_close(c->r);
	require(!unlock(&m));
	require(!lock(&m));
	ipcdemo_region_close(r);
	*c->closed = 1;
	pause();
}

static void only_the_last_unmapping_is_a_death(void)
{
	struct ipcdemo_region *r = api_region();
	struct closing c = {r, shared(sizeof(*c.closed))};
	struct mutex m = mutex_init(r, AT(0));
	pid_t pid;

	pid = child(close_with_it, &c);
	eventually(*c.closed);
	/* While it lives on */
	assert_true(lock_and_repair(r, &m));
	assert_ret(0, unlock(&m));
	kills(pid);
	ipcdemo_region_close(r);
}

static void wait_for_signal(void *with)
{
	struct mutex m = mutex_in(with, AT(0));
	struct cond c = cond_in(with, AT(1));
	struct data *d = data_of(with);
	int err;

	require(!lock(&m));
	d->got = 1;
	err = cond_wait(&c, &m);
	require(err == -EOWNERDEAD);
	require(!consistent(&m));
	require(!unlock(&m));
}

static void signal_and_die(void *with)
{
	struct mutex m = mutex_in(with, AT(0));
	struct cond c = cond_in(with, AT(1));

	require(!lock(&m));
	require(!cond_signal(&c));
	data_of(with)->here = 1;
	pause();
}

static void a_wait_for_a_condition_is_told_too(void)
{
	struct ipcdemo_region *r = api_region();
	struct data *d = data_of(r);
	pid_t waiter, other;

	mutex_init(r, AT(0));
	cond_at(r, AT(1));
	waiter = child(wait_for_signal, r);
	eventually(d->got);
	sleeps(waiter);
	other = child(signal_and_die, r);
	eventually(d->here);
	kills(other);
	join(waiter);
	ipcdemo_region_close(r);
}

/* The child of a fork has nothing, and its death takes nothing. */
static void fork_and_see(void *with)
{
	struct mutex m = mutex_in(with, AT(0));
	int status;
	pid_t pid;

	require(!lock(&m));
	pid = fork();
	if (!pid) {
		require(trylock(&m) == -EBUSY);
		_exit(0);
	}
	require(waitpid(pid, &status, 0) == pid && !status);
	require(!unlock(&m));
	require(!lock(&m));
	require(!unlock(&m));
}

static void the_death_of_a_child_takes_nothing_from_its_parent(void)
{
	struct ipcdemo_region *r = api_region();
	struct mutex m = mutex_init(r, AT(0));

	join(child(fork_and_see, r));
	assert_false(lock_and_repair(r, &m));
	assert_ret(0, unlock(&m));
	ipcdemo_region_close(r);
}

/* --- deaths at each instruction --------------------------------------------------- */

/* Begins to be stepped here. */
static void to_be_stepped(void)
{
	require(!ptrace(PTRACE_TRACEME, 0, NULL, NULL));
	raise(SIGSTOP);
}

#define STEPPED (WEXITED | WSTOPPED | WNOWAIT)

/* One instruction further; false: it has come to its end. */
static bool step(pid_t pid)
{
	siginfo_t info = {0};

	if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL))
		return false;
	/* Its end is left for ends() to see */
	assert_int_equal(waitid(P_PID, pid, &info, STEPPED), 0);
	if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED)
		return false;
	return waitpid(pid, NULL, 0) == pid;
}

/* The same, where the step may be to fall asleep: then it is false, too. */
static bool step_or_sleep(pid_t pid)
{
	int status = -1;

	assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
	eventually(waitpid(pid, &status, WNOHANG) == pid || is_asleep(pid));
	return status != -1;
}

/* A new victim, stopped where its steps begin. */
static pid_t victim(void (*what)(void *), void *with)
{
	pid_t pid = child(what, with);
	int status;

	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(WSTOPSIG(status), SIGSTOP);
	return pid;
}

/* The next instruction is a system call. */
static bool at_a_call(pid_t pid)
{
	struct user_regs_struct regs;
	long code;

	assert_int_equal(ptrace(PTRACE_GETREGS, pid, NULL, &regs), 0);
	errno = 0;
	code = ptrace(PTRACE_PEEKTEXT, pid, (void *)regs.rip, NULL);
	assert_int_equal(errno, 0);
	return (code & 0xffff) == 0x050f;
}

/* What of the region changes in these tests: header, list, mutex, numbers. */
struct snapshot {
	unsigned char header[2048];
	unsigned char mutex[64];
	struct data data;
};

static void look(struct ipcdemo_region *r, struct snapshot *s)
{
	const unsigned char *base = ipcdemo_region_base(r);

	memcpy(s->header, base, sizeof(s->header));
	memcpy(s->mutex, base + AT(0), sizeof(s->mutex));
	memcpy(&s->data, data_of(r), sizeof(s->data));
}

/*
 * Steps it until there were that many events; false: it came to its end, or (if it
 * may) fell asleep, before.
 */
static bool events(struct ipcdemo_region *r, pid_t pid, unsigned long n,
		   bool may_sleep)
{
	static struct snapshot before, after;
	bool call;

	look(r, &before);
	while (n) {
		call = at_a_call(pid);
		if (!(may_sleep ? step_or_sleep(pid) : step(pid)))
			return false;
		look(r, &after);
		if (!call && !memcmp(&before, &after, sizeof(before)))
			continue;
		before = after;
		n--;
	}
	return true;
}

static void lock_count_unlock(void *with)
{
	struct mutex m = mutex_in(with, AT(0));
	struct data *d = data_of(with);

	to_be_stepped();
	if (lock(&m))
		_exit(1);
	d->a++;
	d->b++;
	if (unlock(&m))
		_exit(1);
	d->here = 1;
	_exit(0);
}

/* The process knows who it is. */
static void lock_count_unlock_again(void *with)
{
	struct mutex m = mutex_in(with, AT(0));

	if (lock(&m) || unlock(&m))
		_exit(1);
	lock_count_unlock(with);
}

static void die_after_each_event(void (*what)(void *), unsigned long least)
{
	struct ipcdemo_region *r = api_region();
	struct mutex m = mutex_init(r, AT(0));
	unsigned long n, told = 0;
	struct data *d = data_of(r);
	pid_t pid;

	for (n = 0; !d->here; n++) {
		pid = victim(what, r);
		events(r, pid, n, false);
		ends(pid);
		told += lock_and_repair(r, &m);
		assert_ret(0, unlock(&m));
	}
	print_message("# died %lu times, held it %lu times\n", n, told);
	/* The word, the thread, the numbers (at once, it may be), the thread */
	assert_true(told >= 4);
	assert_true(n >= told + least);
	ipcdemo_region_close(r);
}

static void alone_at_each_instruction(void)
{
	die_after_each_event(lock_count_unlock_again, 2);
}

/* The first lock of a process is where it registers. */
static void first_at_each_instruction(void)
{
	die_after_each_event(lock_count_unlock, 4);
}

/* It holds the mutex, and somebody waits: unlocking has to wake him. */
static void unlock_for_another(void *with)
{
	struct mutex m = mutex_in(with, AT(0));
	struct data *d = data_of(with);

	d->told += lock_and_repair(with, &m);
	d->a++;
	d->b++;
	d->got = 1;
	while (d->got != 2)
		breathe();
	to_be_stepped();
	if (unlock(&m))
		_exit(1);
	d->here = 1;
	_exit(0);
}

static void unlocking_at_each_instruction(void)
{
	struct ipcdemo_region *r = api_region();
	struct data *d = data_of(r);
	unsigned long all;
	pid_t pid, waiter;
	int status;

	mutex_init(r, AT(0));
	for (all = 0; !d->here; all++) {
		d->got = 0;
		pid = child(unlock_for_another, r);
		eventually(d->got == 1);
		waiter = child(wait_and_increment, r);
		sleeps(waiter);
		d->got = 2;
		assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
		events(r, pid, all, false);
		ends(pid);
		join(waiter);
	}
	print_message("# died %lu times, held it %d times\n", all, d->told);
	/* The thread, the word, the wake, and here */
	assert_true(all >= 4);
	assert_true(d->told >= 2);
	ipcdemo_region_close(r);
}

/* It waits, is woken, and dies before, or when, it has the mutex. */
static void lock_after_another(void *with)
{
	lock_count_unlock(with);
}

/*
 * While it stands there after its wake-up, a third may take the mutex, which lets
 * it go only after the death: then it has to know that somebody still waits.
 */
static void woken_at_each_instruction(bool third)
{
	struct ipcdemo_region *r = api_region();
	struct mutex m = mutex_init(r, AT(0));
	struct data *d = data_of(r);
	unsigned long all;
	pid_t pid, waiter;
	int status;

	for (all = 0; !d->here; all++) {
		lock_and_repair(r, &m);
		pid = victim(lock_after_another, r);
		while (step_or_sleep(pid))
			;
		assert_true(is_asleep(pid));
		waiter = child(wait_and_increment, r);
		sleeps(waiter);
		assert_ret(0, unlock(&m));
		/* Woken: its step, the system call, is over */
		eventually(waitpid(pid, &status, WNOHANG) == pid);
		assert_true(WIFSTOPPED(status));
		if (third)
			assert_ret(0, trylock(&m));
		if (third) {
			/* Until it sleeps once more */
			d->here = !events(r, pid, all, true);
		} else {
			events(r, pid, all, false);
		}
		ends(pid);
		if (third)
			assert_ret(0, unlock(&m));
		join(waiter);
	}
	print_message("# died %lu times\n", all);
	assert_true(all >= (third ? 1 : 8));
	ipcdemo_region_close(r);
}

static void who_was_woken_at_each_instruction(void)
{
	woken_at_each_instruction(false);
}

static void who_was_woken_while_a_third_is_quicker(void)
{
	woken_at_each_instruction(true);
}

/* Makes an object and removes it: the lock of the list, and the list. */
static void make_and_remove(void *with)
{
	struct ipcdemo_mutex m;

	to_be_stepped();
	if (ipcdemo_mutex_init(with, IPCDEMO_ANYWHERE, "it", &m) ||
	    ipcdemo_mutex_destroy(&m))
		_exit(1);
	data_of(with)->here = 1;
	_exit(0);
}

/* The kernel of make check-debug takes ten times as long for each death. */
static unsigned long usual_stride(void)
{
	return access("/sys/kernel/debug/kmemleak", F_OK) ? 3 : 4;
}

static void who_makes_an_object_at_each_instruction(void)
{
	struct ipcdemo_region *r = new_region(REGION_SIZE);
	struct ipcdemo_mutex m;
	unsigned long n, found = 0, all = 0, stride;
	const char *given = getenv("IPCDEMO_STRIDE");
	int err;
	pid_t pid;

	assert_ret(0, ipcdemo_region_format(r, 2, 0));
	/* Not after each event, there are many; IPCDEMO_STRIDE=1: after each */
	stride = given ? strtoul(given, NULL, 10) : usual_stride();
	for (n = 0; !data_of(r)->here; n += stride) {
		pid = victim(make_and_remove, r);
		events(r, pid, n, false);
		ends(pid);
		all++;
		err = ipcdemo_mutex_find(r, "it", &m);
		if (!err) {
			found++;
			assert_ret(1, ipcdemo_region_objects(r, NULL, 0));
			assert_ret(0, ipcdemo_mutex_lock(&m));
			assert_ret(0, ipcdemo_mutex_unlock(&m));
			assert_ret(0, ipcdemo_mutex_destroy(&m));
		} else {
			assert_ret(-ENOENT, err);
		}
		assert_ret(0, ipcdemo_region_objects(r, NULL, 0));
	}
	print_message("# died %lu times, it was there %lu times\n", all, found);
	assert_true(found > 0);
	assert_true(all > found);
	ipcdemo_region_close(r);
}

/* --- deaths by chance ---------------------------------------------------------------- */

static void increment_for_ever(void *with)
{
	struct mutex m = mutex_in(with, AT(0));

	for (;;)
		increment(with, &m);
}

static void many_die_and_the_others_go_on(void)
{
	struct ipcdemo_region *r = api_region();
	struct data *d = data_of(r);
	pid_t pids[4];
	uint32_t random = 1;
	long before;
	size_t i, n;

	mutex_init(r, AT(0));
	for (i = 0; i < NR(pids); i++)
		pids[i] = child(increment_for_ever, r);
	for (n = 0; n < 200; n++) {
		random = random * 1664525 + 1013904223;
		i = (random >> 16) % NR(pids);
		before = *(volatile long *)&d->b;
		eventually(*(volatile long *)&d->b > before + random % 7);
		kills(pids[i]);
		pids[i] = child(increment_for_ever, r);
	}
	print_message("# %ld increments, told of a death %d times\n", d->b,
		      d->told);
	for (i = 0; i < NR(pids); i++)
		kills(pids[i]);
	ipcdemo_region_close(r);
}

static const struct claim claims[] = {
	{"who locks what the dead held is told",
	 who_locks_what_the_dead_held_is_told, ROBUST},
	{"one of those who wait is told and all go on",
	 one_of_those_who_wait_is_told_and_all_go_on, ROBUST},
	{"what is not repaired is lost for all",
	 what_is_not_repaired_is_lost_for_all, BY_MODULE},
	{"a second death is told as the first",
	 a_second_death_is_told_as_the_first, ROBUST},
	{"an exit and an exec are deaths", an_exit_and_an_exec_are_deaths,
	 BY_MODULE},
	{"only the last unmapping is a death",
	 only_the_last_unmapping_is_a_death, BY_MODULE},
	{"a wait for a condition is told, too",
	 a_wait_for_a_condition_is_told_too, ROBUST},
	{"the death of a child takes nothing from its parent",
	 the_death_of_a_child_takes_nothing_from_its_parent, ROBUST},
	{"who dies alone at each instruction keeps nobody out",
	 alone_at_each_instruction, ROBUST},
	{"nor does who dies at each instruction of its first lock",
	 first_at_each_instruction, BY_MODULE},
	{"who dies at each instruction of unlocking is followed by who waits",
	 unlocking_at_each_instruction, BY_MODULE},
	{"who was woken and dies at each instruction is followed by the next",
	 who_was_woken_at_each_instruction, BY_MODULE},
	{"who was woken may die while a third is quicker",
	 who_was_woken_while_a_third_is_quicker, BY_MODULE},
	{"who dies making an object leaves a list that works",
	 who_makes_an_object_at_each_instruction, BY_MODULE},
	{"many die by chance and the others go on",
	 many_die_and_the_others_go_on, ROBUST},
};

int main(void)
{
	return run_claims("robust", claims, NR(claims));
}

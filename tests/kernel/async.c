// SPDX-License-Identifier: GPL-2.0
/*
 * Signals about I/O: O_ASYNC, F_SETSIG and F_SETOWN on both ends
 *
 * The signals are real-time ones, which queue, and blocked: so each one that was
 * sent is counted, by who took it from the queue.  Sending is part of the call
 * that is its cause: after that has returned the count is final.
 */
#include "harness.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

/* What the read end sends, and the write end. */
#define IN_SIGNAL  SIGRTMIN
#define OUT_SIGNAL (SIGRTMIN + 1)

static void block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	assert_ret(0, sigprocmask(SIG_BLOCK, &set, NULL));
}

/* Takes one from the queue; false if there is none within that time. */
static bool take(int sig, siginfo_t *info, int seconds)
{
	struct timespec patience = {.tv_sec = seconds};
	sigset_t set;
	int got;

	sigemptyset(&set);
	sigaddset(&set, sig);
	do {
		got = sigtimedwait(&set, info, &patience);
	} while (got == -1 && errno == EINTR);
	return got == sig;
}

/* How many there are; the queue is empty then. */
static int count(int sig)
{
	int sum = 0;

	while (take(sig, NULL, 0))
		sum++;
	return sum;
}

static void asks_for(int fd, int sig)
{
	block(sig);
	count(sig);
	assert_ret(0, fcntl(fd, F_SETOWN, getpid()));
	assert_ret(0, fcntl(fd, F_SETSIG, sig));
	assert_ret(0, fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC));
}

/* Both ends ask; opening sends nothing. */
static struct ends async_ends(int flags)
{
	struct ends e = open_ends(flags);

	asks_for(e.r, IN_SIGNAL);
	asks_for(e.w, OUT_SIGNAL);
	return e;
}

#define assert_sent(in, out)                                \
	do {                                                \
		assert_int_equal((in), count(IN_SIGNAL));   \
		assert_int_equal((out), count(OUT_SIGNAL)); \
	} while (0)

static void each_write_signals_readers(void **state)
{
	struct ends e = async_ends(O_NONBLOCK);

	(void)state;
	assert_ret(5, put(e.w, 5, 0));
	assert_sent(1, 0);
	/* Merged, and not empty before. */
	assert_ret(5, put(e.w, 5, 0));
	assert_sent(1, 0);
	/* Many slots, one signal. */
	assert_ret(3 * PAGE, put(e.w, 3 * PAGE, 0));
	assert_sent(1, 0);
}

static void each_read_signals_writers(void **state)
{
	struct ends e = async_ends(O_NONBLOCK);

	(void)state;
	assert_ret(5 * PAGE, put(e.w, 5 * PAGE, 0));
	count(IN_SIGNAL);
	assert_ret(1, get(e.r, 1, NULL));
	assert_sent(0, 1);
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_sent(0, 1);
	assert_ret(4 * PAGE - 1, get(e.r, 10 * PAGE, NULL));
	assert_sent(0, 1);
}

static void calls_that_fail_signal_too(void **state)
{
	struct ends e = async_ends(O_NONBLOCK);
	size_t sum = 0;

	(void)state;
	/* EAGAIN, EFAULT */
	assert_errno(EAGAIN, get(e.r, 1, NULL));
	assert_sent(0, 1);
	assert_errno(EFAULT, write(e.w, nowhere(), 100));
	assert_sent(1, 0);
	while (put(e.w, PAGE, 0) > 0)
		sum++;
	assert_int_equal(count(OUT_SIGNAL), 0);
	/* One for each page, and one for the call that found no room. */
	assert_int_equal(count(IN_SIGNAL), sum + 1);
	assert_errno(EFAULT, read(e.r, nowhere(), 100));
	assert_sent(0, 1);
}

static void length_0_signals_nobody(void **state)
{
	struct ends e = async_ends(O_NONBLOCK);

	(void)state;
	assert_ret(0, put(e.w, 0, 0));
	assert_ret(0, get(e.r, 0, NULL));
	assert_sent(0, 0);
}

/* POLLIN is not asked for, nor FIONREAD: looking is no I/O. */
static void looking_signals_nobody(void **state)
{
	struct ends e = async_ends(O_NONBLOCK);

	(void)state;
	assert_ret(3, put(e.w, 3, 0));
	count(IN_SIGNAL);
	assert_ret(POLLIN, poll_now(e.r, POLLIN));
	assert_ret(POLLOUT, poll_now(e.w, POLLOUT));
	assert_ret(3, bytes_in(e.r));
	assert_ret(2 * PAGE, set_capacity(e.w, 2 * PAGE));
	assert_ret(DEFAULT_SIZE, set_capacity(e.r, DEFAULT_SIZE));
	assert_sent(0, 0);
	drain(e.r);
}

static void a_write_signals_before_it_sleeps(void **state)
{
	struct ends e = async_ends(0);
	struct actor *writer = new_actor_with(e.w);

	(void)state;
	begin(writer, do_write, e.w, DEFAULT_SIZE + 2 * PAGE, 0);
	sleeps_in(writer, SYS_write);
	assert_sent(1, 0);
	/* Goes on for a page, and sleeps again. */
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	eventually(bytes_in(e.r) == DEFAULT_SIZE);
	sleeps_in(writer, SYS_write);
	assert_sent(1, 1);
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_ret(DEFAULT_SIZE + 2 * PAGE, end(writer).ret);
	assert_sent(1, 1);
}

/* How often writers are signalled before a read falls asleep: it depends. */
static int signals_before_a_read_sleeps(void)
{
	struct ends e = async_ends(0);
	struct actor *reader = new_actor_with(e.r);
	int before;

	begin(reader, do_read, e.r, 10, 0);
	sleeps_in(reader, SYS_read);
	assert_int_equal(count(IN_SIGNAL), 0);
	before = count(OUT_SIGNAL);
	assert_ret(5, put(e.w, 5, 0));
	assert_ret(5, end(reader).ret);
	/* The write, and the read that has its bytes. */
	assert_sent(1, 1);
	destroy(reader);
	close(e.r);
	close(e.w);
	count(OUT_SIGNAL);
	return before;
}

/* Up to 6.14 once, later not at all. */
static void a_read_signals_as_often_as_in_the_kernel(void **state)
{
	int ours = signals_before_a_read_sleeps();

	(void)state;
	assert_true(ours == 0 || ours == 1);
	switch_to(real_thing());
	assert_int_equal(signals_before_a_read_sleeps(), ours);
}

static void a_read_that_a_signal_ends_signals_no_more(void **state)
{
	struct ends e = async_ends(0);
	struct actor *reader = new_actor_with(e.r);

	(void)state;
	assert_ret(0, does(reader, do_catch, SIGUSR1, 0, 0).ret);
	begin(reader, do_read, e.r, 10, 0);
	sleeps_in(reader, SYS_read);
	count(OUT_SIGNAL);
	kill(reader->pid, SIGUSR1);
	assert_int_equal(end(reader).err, EINTR);
	assert_sent(0, 0);
}

static void a_write_that_a_signal_ends_signals_twice(void **state)
{
	struct ends e = async_ends(0);
	struct actor *writer = new_actor_with(e.w);

	(void)state;
	assert_ret(0, does(writer, do_catch, SIGUSR1, 0, 0).ret);
	begin(writer, do_write, e.w, DEFAULT_SIZE + PAGE, 0);
	sleeps_in(writer, SYS_write);
	assert_sent(1, 0);
	kill(writer->pid, SIGUSR1);
	assert_ret(DEFAULT_SIZE, end(writer).ret);
	assert_sent(1, 0);
}

static void the_last_close_signals_the_other_side(void **state)
{
	struct ends e = async_ends(0);
	int spare;

	(void)state;
	spare = dup(e.w);
	/* A descriptor, but no end, is gone. */
	close(spare);
	assert_sent(0, 0);
	close(e.w);
	assert_sent(1, 0);
	close(e.r);
	assert_sent(0, 0);

	e = async_ends(0);
	close(e.r);
	assert_sent(0, 1);
	assert_errno(EPIPE, put(e.w, 1, 0));
	close(e.w);
	assert_sent(0, 0);
}

/* While one side has nobody, each close on the other tells those who stay. */
static void a_close_beside_nobody_signals_the_neighbours(void **state)
{
	struct ends e = async_ends(0);
	int r = open_end(O_RDONLY), more = open_end(O_RDONLY);

	(void)state;
	asks_for(r, IN_SIGNAL);
	close(more);
	assert_sent(0, 0);
	close(e.w);
	assert_sent(2, 0);
	close(r);
	assert_sent(1, 0);
}

static void no_last_close_no_signal(void **state)
{
	struct ends e = async_ends(0);
	int w = open_end(O_WRONLY), r = open_end(O_RDONLY);

	(void)state;
	close(w);
	close(r);
	assert_sent(0, 0);
	assert_ret(1, put(e.w, 1, 0));
	assert_sent(1, 0);
}

static void an_opener_signals_nobody(void **state)
{
	struct ends e = async_ends(0);
	int w = open_end(O_WRONLY), r = open_end(O_RDONLY);

	(void)state;
	assert_true(w >= 0 && r >= 0);
	assert_sent(0, 0);
	close(e.r);
	close(e.w);
}

static void every_open_file_of_a_side_is_told(void **state)
{
	struct ends e = async_ends(O_NONBLOCK);
	int r = open_end(O_RDONLY | O_NONBLOCK);
	int w = open_end(O_WRONLY | O_NONBLOCK);

	(void)state;
	asks_for(r, IN_SIGNAL);
	asks_for(w, OUT_SIGNAL);
	assert_ret(1, put(w, 1, 0));
	assert_sent(2, 0);
	assert_ret(1, get(r, 1, NULL));
	assert_sent(0, 2);
	/* Each can be switched off alone. */
	assert_ret(0, fcntl(r, F_SETFL, fcntl(r, F_GETFL) & ~O_ASYNC));
	assert_ret(1, put(e.w, 1, 0));
	assert_sent(1, 0);
	assert_ret(1, get(e.r, 1, NULL));
	assert_sent(0, 2);
}

static void one_open_file_can_be_both_sides(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int both = open_end(O_RDWR | O_NONBLOCK);
	siginfo_t info;

	(void)state;
	assert_int_not_equal(both, -1);
	asks_for(both, IN_SIGNAL);
	assert_ret(1, put(both, 1, 0));
	assert_true(take(IN_SIGNAL, &info, 0));
	assert_int_equal(info.si_code, POLL_IN);
	assert_ret(1, get(both, 1, NULL));
	assert_true(take(IN_SIGNAL, &info, 0));
	assert_int_equal(info.si_code, POLL_OUT);
	/* Those who were there before send nothing to it by closing. */
	close(e.r);
	close(e.w);
	assert_int_equal(count(IN_SIGNAL), 0);
}

static void the_signal_says_which_and_why(void **state)
{
	struct ends e = async_ends(O_NONBLOCK);
	siginfo_t info;

	(void)state;
	assert_ret(IN_SIGNAL, fcntl(e.r, F_GETSIG));
	assert_ret(1, put(e.w, 1, 0));
	assert_true(take(IN_SIGNAL, &info, 0));
	assert_int_equal(info.si_signo, IN_SIGNAL);
	assert_int_equal(info.si_code, POLL_IN);
	assert_int_equal(info.si_band, POLLIN | POLLRDNORM);
	assert_int_equal(info.si_fd, e.r);
	assert_ret(1, get(e.r, 1, NULL));
	assert_true(take(OUT_SIGNAL, &info, 0));
	assert_int_equal(info.si_code, POLL_OUT);
	assert_int_equal(info.si_band, POLLOUT | POLLWRNORM | POLLWRBAND);
	assert_int_equal(info.si_fd, e.w);
	/* The last close says that there is something to read. */
	close(e.w);
	assert_true(take(IN_SIGNAL, &info, 0));
	assert_int_equal(info.si_code, POLL_IN);
	assert_int_equal(info.si_fd, e.r);
}

static void without_f_setsig_it_is_a_plain_sigio(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	siginfo_t info;

	(void)state;
	asks_for(e.r, SIGIO);
	assert_ret(0, fcntl(e.r, F_SETSIG, 0));
	assert_ret(0, fcntl(e.r, F_GETSIG));
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(1, put(e.w, 1, 0));
	assert_true(take(SIGIO, &info, 0));
	assert_int_equal(info.si_code, SI_KERNEL);
	/* It does not queue. */
	assert_int_equal(count(SIGIO), 0);
}

static void without_an_owner_nobody_is_told(void **state)
{
	struct ends e = async_ends(O_NONBLOCK);

	(void)state;
	assert_ret(0, fcntl(e.r, F_SETOWN, 0));
	assert_ret(0, fcntl(e.r, F_GETOWN));
	assert_ret(1, put(e.w, 1, 0));
	assert_sent(0, 0);
	assert_ret(1, get(e.r, 1, NULL));
	assert_sent(0, 1);
}

/* --- owners --- */

static void own(int fd, int type, pid_t pid)
{
	struct f_owner_ex owner = {.type = type, .pid = pid}, is = {};

	assert_ret(0, fcntl(fd, F_SETOWN_EX, &owner));
	assert_ret(0, fcntl(fd, F_GETOWN_EX, &is));
	assert_int_equal(is.type, type);
	assert_int_equal(is.pid, pid);
}

static long do_take(long sig, long b, long c)
{
	siginfo_t info;

	(void)b;
	(void)c;
	return take(sig, &info, PATIENCE_MS / 1000) ? info.si_code : -1;
}

static long do_block(long sig, long group, long c)
{
	(void)c;
	block(sig);
	return group < 0 ? 0 : setpgid(0, group);
}

static long do_count_queued(long sig, long b, long c)
{
	(void)b;
	(void)c;
	return count(sig);
}

static void another_process_can_be_the_owner(void **state)
{
	struct ends e = async_ends(O_NONBLOCK);
	struct actor *owner = new_actor();

	(void)state;
	does(owner, do_block, IN_SIGNAL, -1, 0);
	does(owner, do_block, OUT_SIGNAL, -1, 0);
	own(e.r, F_OWNER_PID, owner->pid);
	assert_ret(0, fcntl(e.w, F_SETOWN, owner->pid));
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(1, get(e.r, 1, NULL));
	assert_ret(POLL_IN, does(owner, do_take, IN_SIGNAL, 0, 0).ret);
	assert_ret(POLL_OUT, does(owner, do_take, OUT_SIGNAL, 0, 0).ret);
	assert_sent(0, 0);
	/* An owner that is gone is told nothing, and nobody in its place. */
	destroy(owner);
	assert_ret(1, put(e.w, 1, 0));
	assert_sent(0, 0);
}

struct listener {
	pthread_t thread;
	pid_t tid;
	int code[2];
};

static void *listen_for_both(void *arg)
{
	struct listener *listener = arg;
	siginfo_t info;

	__atomic_store_n(&listener->tid, gettid(), __ATOMIC_RELEASE);
	if (take(IN_SIGNAL, &info, PATIENCE_MS / 1000))
		listener->code[0] = info.si_code;
	if (take(OUT_SIGNAL, &info, PATIENCE_MS / 1000))
		listener->code[1] = info.si_code;
	return NULL;
}

/* Sent to a thread, not to its process: only that one can take it. */
static void a_thread_can_be_the_owner(void **state)
{
	struct ends e = async_ends(O_NONBLOCK);
	struct listener listener = {};

	(void)state;
	assert_int_equal(pthread_create(&listener.thread, NULL, listen_for_both,
					&listener),
			 0);
	eventually(__atomic_load_n(&listener.tid, __ATOMIC_ACQUIRE));
	own(e.r, F_OWNER_TID, listener.tid);
	own(e.w, F_OWNER_TID, listener.tid);
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(1, get(e.r, 1, NULL));
	assert_sent(0, 0);
	assert_int_equal(pthread_join(listener.thread, NULL), 0);
	assert_int_equal(listener.code[0], POLL_IN);
	assert_int_equal(listener.code[1], POLL_OUT);
}

static void a_process_group_can_be_the_owner(void **state)
{
	struct ends e = async_ends(O_NONBLOCK);
	struct actor *members[3], *stranger = new_actor();
	size_t i;

	(void)state;
	does(stranger, do_block, IN_SIGNAL, -1, 0);
	for (i = 0; i < NR(members); i++) {
		members[i] = new_actor();
		assert_ret(0, does(members[i], do_block, IN_SIGNAL,
				   i ? members[0]->pid : 0, 0)
				      .ret);
	}
	own(e.r, F_OWNER_PGRP, members[0]->pid);
	/* The old call names a group by a number below 0. */
	assert_ret(0, fcntl(e.r, F_SETOWN, -members[0]->pid));
	assert_ret(1, put(e.w, 1, 0));
	for (i = 0; i < NR(members); i++)
		assert_ret(POLL_IN,
			   does(members[i], do_take, IN_SIGNAL, 0, 0).ret);
	assert_sent(0, 0);
	assert_ret(0, does(stranger, do_count_queued, IN_SIGNAL, 0, 0).ret);
}

static long do_async(long fd, long pid, long c)
{
	(void)c;
	if (fcntl(fd, F_SETOWN, pid) || fcntl(fd, F_SETSIG, IN_SIGNAL))
		return -1;
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC);
}

/* Who set the owner has to be allowed to signal it, whoever writes. */
static void an_owner_of_another_user_is_not_told(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *reader = new_actor_with(e.r);

	(void)state;
	block(IN_SIGNAL);
	count(IN_SIGNAL);
	assert_ret(0, does(reader, do_uid, 4321, 0, 0).ret);
	assert_ret(0, does(reader, do_async, e.r, getpid(), 0).ret);
	assert_ret(1, put(e.w, 1, 0));
	assert_int_equal(count(IN_SIGNAL), 0);
	/* The same end, with an owner that root has set. */
	assert_ret(0, fcntl(e.r, F_SETOWN, getpid()));
	assert_ret(1, put(e.w, 1, 0));
	assert_int_equal(count(IN_SIGNAL), 1);
}

static void o_async_comes_and_goes_while_others_wait(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = new_actor_with(e.r);

	(void)state;
	begin(reader, do_read, e.r, 10, 0);
	sleeps_in(reader, SYS_read);
	/* Set on the open file that the reader sleeps with. */
	asks_for(e.r, IN_SIGNAL);
	asks_for(e.w, OUT_SIGNAL);
	assert_ret(3, put(e.w, 3, 0));
	assert_ret(3, end(reader).ret);
	assert_sent(1, 1);
	assert_ret(0, fcntl(e.r, F_SETFL, 0));
	assert_ret(0, fcntl(e.w, F_SETFL, 0));
	assert_ret(3, put(e.w, 3, 0));
	assert_ret(3, get(e.r, 3, NULL));
	assert_sent(0, 0);
}

static const struct claim claims[] = {
	{"each write signals async readers once", each_write_signals_readers,
	 ENDS},
	{"each read signals async writers once", each_read_signals_writers,
	 ENDS},
	{"calls that fail signal too", calls_that_fail_signal_too, ENDS},
	{"length 0 signals nobody", length_0_signals_nobody, ENDS},
	{"poll, FIONREAD and a resize signal nobody", looking_signals_nobody,
	 ENDS},
	{"a write signals readers also before it sleeps",
	 a_write_signals_before_it_sleeps, ENDS},
	{"a read that sleeps signals writers as often as in the kernel",
	 a_read_signals_as_often_as_in_the_kernel, ENDS},
	{"a read that a signal ends signals no more",
	 a_read_that_a_signal_ends_signals_no_more, ENDS},
	{"a write that a signal ends signals once more",
	 a_write_that_a_signal_ends_signals_twice, ENDS},
	{"the last close signals the other side",
	 the_last_close_signals_the_other_side, ENDS},
	{"while a side has nobody, each close signals those who stay",
	 a_close_beside_nobody_signals_the_neighbours, ENDS},
	{"a close that is not the last signals nobody", no_last_close_no_signal,
	 ENDS},
	{"an open signals nobody", an_opener_signals_nobody, ENDS},
	{"every open file of a side is told", every_open_file_of_a_side_is_told,
	 ENDS},
	{"an open file that is both ends is told of both",
	 one_open_file_can_be_both_sides, ENDS},
	{"with F_SETSIG the signal says which and why",
	 the_signal_says_which_and_why, ENDS},
	{"without F_SETSIG it is a plain SIGIO",
	 without_f_setsig_it_is_a_plain_sigio, ENDS},
	{"without an owner nobody is told", without_an_owner_nobody_is_told,
	 ENDS},
	{"another process can be the owner", another_process_can_be_the_owner,
	 ENDS},
	{"a thread can be the owner", a_thread_can_be_the_owner, ENDS},
	{"a process group can be the owner", a_process_group_can_be_the_owner,
	 ENDS},
	{"an owner whom its setter may not signal is not told",
	 an_owner_of_another_user_is_not_told, ENDS},
	{"O_ASYNC comes and goes while others wait",
	 o_async_comes_and_goes_while_others_wait, ENDS},
};

int main(void)
{
	/* Also after a test that failed: they would kill. */
	block(IN_SIGNAL);
	block(OUT_SIGNAL);
	block(SIGIO);
	return run_claims("async", claims, NR(claims));
}

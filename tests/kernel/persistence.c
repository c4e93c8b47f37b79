// SPDX-License-Identifier: GPL-2.0
/* Kernel persistence: bytes that stay when nobody has the pipe open. */
#include "harness.h"

#include <poll.h>
#include <signal.h>

static void keep(void)
{
	set_persistence(IPCDEMO_PERSIST_KERNEL);
}

static void do_not_keep(void)
{
	set_persistence(IPCDEMO_PERSIST_PROCESS);
}

static void bytes_outlive_the_last_close(void **state)
{
	struct ipcdemo_pipe_stat stat;
	__u64 dropped = counter("pipe", "close.drop");
	__u32 sum;
	int fd;

	(void)state;
	keep();
	fd = open_end(O_WRONLY);
	assert_int_not_equal(fd, -1);
	assert_ret(5000, put(fd, 5000, 3));
	close(fd);
	stat = pipe_stat();
	assert_int_equal(stat.bytes, 5000);
	assert_int_equal(stat.used, 2);
	assert_int_equal(stat.readers + stat.writers, 0);
	assert_int_equal(proc_value("pipe", "bytes"), 5000);
	fd = open_end(O_RDONLY);
	assert_ret(5000, get(fd, 6000, &sum));
	assert_int_equal(sum, sum_of_pattern(5000, 3));
	assert_ret(0, get(fd, 10, NULL));
	close(fd);
	assert_int_equal(counter("pipe", "close.drop"), dropped);
	do_not_keep();
}

static void opens_do_not_wait(void **state)
{
	struct actor *reader = new_actor(), *writer = new_actor();

	(void)state;
	keep();
	assert_true(does(reader, do_open, O_RDONLY, 0, 0).ret >= 0);
	destroy(reader);
	assert_true(does(writer, do_open, O_WRONLY, 0, 0).ret >= 0);
	destroy(writer);
	writer = new_actor();
	assert_true(does(writer, do_open, O_WRONLY | O_NONBLOCK, 0, 0).ret >=
		    0);
	do_not_keep();
}

static void writing_needs_no_reader(void **state)
{
	int fd;

	(void)state;
	keep();
	fd = open_end(O_WRONLY | O_NONBLOCK);
	assert_ret(10, put(fd, 10, 0));
	assert_ret(POLLOUT, poll_now(fd, POLLOUT));
	assert_int_equal(fill_up(fd, PAGE) > 0, true);
	assert_errno(EAGAIN, put(fd, PAGE, 0));
	assert_ret(0, poll_now(fd, POLLOUT));
	do_not_keep();
}

static void a_full_pipe_waits_for_a_reader(void **state)
{
	struct actor *writer = new_actor();
	struct reply w;
	int r;

	(void)state;
	keep();
	w = does(writer, do_open, O_WRONLY, 0, 0);
	begin(writer, do_write, w.ret, DEFAULT_SIZE + 10, 0);
	sleeps_in(writer, SYS_write);
	r = open_end(O_RDONLY | O_NONBLOCK);
	assert_ret(DEFAULT_SIZE, get(r, DEFAULT_SIZE, NULL));
	assert_ret(DEFAULT_SIZE + 10, end(writer).ret);
	assert_ret(10, get(r, DEFAULT_SIZE, NULL));
	/* A reader that goes is no reason to end a write. */
	begin(writer, do_write, w.ret, DEFAULT_SIZE + 10, 0);
	sleeps_in(writer, SYS_write);
	close(r);
	sleeps_in(writer, SYS_write);
	assert_false(is_done(writer));
	r = open_end(O_RDONLY | O_NONBLOCK);
	assert_ret(DEFAULT_SIZE, get(r, DEFAULT_SIZE, NULL));
	assert_ret(DEFAULT_SIZE + 10, end(writer).ret);
	do_not_keep();
}

static void no_writer_is_end_of_file(void **state)
{
	int r, w;

	(void)state;
	keep();
	r = open_end(O_RDONLY);
	assert_ret(0, get(r, 1, NULL));
	w = open_end(O_WRONLY);
	nonblocking(r, true);
	assert_errno(EAGAIN, get(r, 1, NULL));
	assert_ret(1, put(w, 1, 0));
	close(w);
	assert_ret(1, get(r, 2, NULL));
	assert_ret(0, get(r, 2, NULL));
	do_not_keep();
}

static void setting_it_lets_waiting_opens_go(void **state)
{
	struct actor *reader = new_actor(), *writer;

	(void)state;
	begin(reader, do_open, O_RDONLY, 0, 0);
	sleeps_in(reader, SYS_openat);
	keep();
	assert_true(end(reader).ret >= 0);
	destroy(reader);
	do_not_keep();

	writer = new_actor();
	begin(writer, do_open, O_WRONLY, 0, 0);
	sleeps_in(writer, SYS_openat);
	keep();
	assert_true(end(writer).ret >= 0);
	do_not_keep();
}

static void clearing_it_drops_the_bytes_of_an_unopened_pipe(void **state)
{
	__u64 dropped = counter("pipe", "close.drop");
	int fd;

	(void)state;
	keep();
	fd = open_end(O_WRONLY);
	assert_ret(700, put(fd, 700, 0));
	close(fd);
	do_not_keep();
	assert_int_equal(pipe_stat().bytes, 0);
	assert_int_equal(counter("pipe", "close.drop"), dropped + 700);
	assert_int_equal(pages_out(), 0);
}

static void clearing_it_leaves_an_open_pipe_its_bytes(void **state)
{
	int w, r;

	(void)state;
	keep();
	w = open_end(O_WRONLY);
	assert_ret(700, put(w, 700, 0));
	do_not_keep();
	assert_int_equal(pipe_stat().bytes, 700);
	assert_errno(EPIPE, put(w, 1, 0));
	r = open_end(O_RDONLY);
	assert_ret(700, get(r, 1000, NULL));
}

static void clearing_it_ends_writes_without_a_reader(void **state)
{
	struct actor *writer = new_actor();
	struct reply w;

	(void)state;
	keep();
	does(writer, do_catch, SIGPIPE, 0, 0);
	w = does(writer, do_open, O_WRONLY | O_NONBLOCK, 0, 0);
	assert_ret(DEFAULT_SIZE,
		   does(writer, do_write, w.ret, DEFAULT_SIZE, 0).ret);
	does(writer, do_close, w.ret, 0, 0);
	w = does(writer, do_open, O_WRONLY, 0, 0);
	begin(writer, do_write, w.ret, 1, 0);
	sleeps_in(writer, SYS_write);
	do_not_keep();
	w = end(writer);
	assert_int_equal(w.ret, -1);
	assert_int_equal(w.err, EPIPE);
	assert_ret(1, does(writer, do_count, SIGPIPE, 0, 0).ret);
}

static void setting_it_twice_is_as_once(void **state)
{
	int fd;

	(void)state;
	keep();
	fd = open_end(O_WRONLY);
	assert_ret(7, put(fd, 7, 0));
	close(fd);
	keep();
	assert_int_equal(pipe_stat().bytes, 7);
	do_not_keep();
	do_not_keep();
	assert_int_equal(pipe_stat().bytes, 0);
}

static void a_chosen_capacity_stays_too(void **state)
{
	int fd;

	(void)state;
	keep();
	fd = open_end(O_RDWR);
	assert_ret(4 * PAGE, set_capacity(fd, 4 * PAGE));
	close(fd);
	assert_int_equal(pipe_stat().capacity, 4 * PAGE);
	do_not_keep();
	assert_int_equal(pipe_stat().capacity, DEFAULT_SIZE);
}

static void an_interrupted_open_drops_no_bytes(void **state)
{
	struct actor *user = new_actor();
	struct reply r;
	int fd;

	(void)state;
	keep();
	fd = open_end(O_WRONLY);
	assert_ret(7, put(fd, 7, 0));
	close(fd);
	/* All kinds of opens and closes: none may drop the seven bytes. */
	r = does(user, do_open, O_RDWR, 0, 0);
	does(user, do_close, r.ret, 0, 0);
	r = does(user, do_open, O_RDONLY | O_NONBLOCK, 0, 0);
	does(user, do_close, r.ret, 0, 0);
	r = does(user, do_open, IPCDEMO_O_CONTROL, 0, 0);
	does(user, do_close, r.ret, 0, 0);
	destroy(user);
	assert_int_equal(pipe_stat().bytes, 7);
	do_not_keep();
}

static const struct claim claims[] = {
	{"bytes outlive the last close and are read later",
	 bytes_outlive_the_last_close, DEV},
	{"opens do not wait, nor are they ENXIO", opens_do_not_wait, DEV},
	{"writing needs no reader; a full pipe is EAGAIN",
	 writing_needs_no_reader, DEV},
	{"a full pipe makes writers wait for a reader",
	 a_full_pipe_waits_for_a_reader, DEV},
	{"an empty pipe without a writer is end of file",
	 no_writer_is_end_of_file, DEV},
	{"setting it lets waiting opens go", setting_it_lets_waiting_opens_go,
	 DEV},
	{"clearing it drops the bytes of a pipe that nobody has open",
	 clearing_it_drops_the_bytes_of_an_unopened_pipe, DEV},
	{"clearing it leaves an open pipe its bytes",
	 clearing_it_leaves_an_open_pipe_its_bytes, DEV},
	{"clearing it ends waiting writes without a reader: EPIPE",
	 clearing_it_ends_writes_without_a_reader, DEV},
	{"setting it twice is as once", setting_it_twice_is_as_once, DEV},
	{"a chosen capacity stays as long as the bytes",
	 a_chosen_capacity_stays_too, DEV},
	{"opens and closes of every kind drop no bytes",
	 an_interrupted_open_drops_no_bytes, DEV},
};

int main(void)
{
	return run_claims("persistence", claims, NR(claims));
}

// SPDX-License-Identifier: GPL-2.0
/*
 * What is switched while a pipe is in use: O_NONBLOCK, O_DIRECT, the capacity
 */
#include "harness.h"

#include <poll.h>
#include <signal.h>

static void direct(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	flags = on ? flags | O_DIRECT : flags & ~O_DIRECT;
	assert_ret(0, fcntl(fd, F_SETFL, flags));
}

/* A writer that has filled the pipe and has @rest bytes left to write. */
static struct actor *full_writer(int w, size_t rest)
{
	struct actor *writer = new_actor_with(w);

	begin(writer, do_write, w, DEFAULT_SIZE + rest, 1);
	sleeps_in(writer, SYS_write);
	return writer;
}

/* --- O_NONBLOCK --- */

static void each_call_looks_at_the_flag(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = new_actor_with(e.r);
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		nonblocking(e.r, true);
		assert_errno(EAGAIN, get(e.r, 1, NULL));
		nonblocking(e.r, false);
		begin(reader, do_read, e.r, 1, 0);
		sleeps_in(reader, SYS_read);
		assert_ret(1, put(e.w, 1, 0));
		assert_ret(1, end(reader).ret);
	}
}

static void the_flag_belongs_to_the_open_file(void **state)
{
	struct ends e = open_ends(0);
	int copy = dup(e.r), other = open_end(O_RDONLY);
	struct actor *reader = new_actor_with(other);

	(void)state;
	nonblocking(copy, true);
	assert_errno(EAGAIN, get(e.r, 1, NULL));
	/* Another open file of the same end, and the other end, have their own. */
	assert_int_equal(fcntl(other, F_GETFL) & O_NONBLOCK, 0);
	assert_int_equal(fcntl(e.w, F_GETFL) & O_NONBLOCK, 0);
	begin(reader, do_read, other, 1, 0);
	sleeps_in(reader, SYS_read);
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(1, end(reader).ret);
}

static void a_waiting_reader_goes_on_waiting(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = new_actor_with(e.r);

	(void)state;
	begin(reader, do_read, e.r, 10, 0);
	sleeps_in(reader, SYS_read);
	nonblocking(e.r, true);
	assert_errno(EAGAIN, get(e.r, 1, NULL));
	assert_false(is_done(reader));
	sleeps_in(reader, SYS_read);
	assert_ret(3, put(e.w, 3, 0));
	assert_ret(3, end(reader).ret);
	assert_int_equal(does(reader, do_read, e.r, 1, 0).err, EAGAIN);
}

/* Looked at when the pipe is full once more. */
static void a_waiting_writer_ends_where_it_would_wait_again(void **state)
{
	struct ends e = open_ends(0);
	struct actor *writer = full_writer(e.w, 2 * PAGE);
	__u32 sum;

	(void)state;
	nonblocking(e.w, true);
	assert_false(is_done(writer));
	sleeps_in(writer, SYS_write);
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_ret(DEFAULT_SIZE + PAGE, end(writer).ret);
	assert_ret(DEFAULT_SIZE, get(e.r, 2 * DEFAULT_SIZE, &sum));
}

static void a_cleared_flag_makes_the_next_write_wait(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *writer = new_actor_with(e.w);

	(void)state;
	fill_up(e.w, PAGE);
	assert_int_equal(does(writer, do_write, e.w, 1, 0).err, EAGAIN);
	nonblocking(e.w, false);
	begin(writer, do_write, e.w, PAGE, 0);
	sleeps_in(writer, SYS_write);
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_ret(PAGE, end(writer).ret);
	drain(e.r);
}

/* Two readers share an open file: one sleeps, one does not. */
static void sleepers_share_a_file_with_those_who_do_not(void **state)
{
	struct ends e = open_ends(0);
	struct actor *a = new_actor_with(e.r), *b = new_actor_with(e.r);

	(void)state;
	begin(a, do_read, e.r, 1, 0);
	sleeps_in(a, SYS_read);
	nonblocking(e.r, true);
	assert_int_equal(does(b, do_read, e.r, 1, 0).err, EAGAIN);
	nonblocking(e.r, false);
	begin(b, do_read, e.r, 1, 0);
	sleeps_in(b, SYS_read);
	assert_ret(2, put(e.w, 2, 0));
	assert_ret(1, end(a).ret);
	assert_ret(1, end(b).ret);
}

static void fionbio_is_the_same_flag(void **state)
{
	struct ends e = open_ends(0);
	int on = 1, off = 0;

	(void)state;
	assert_ret(0, ioctl(e.r, FIONBIO, &on));
	assert_true(fcntl(e.r, F_GETFL) & O_NONBLOCK);
	assert_errno(EAGAIN, get(e.r, 1, NULL));
	assert_ret(0, ioctl(e.r, FIONBIO, &off));
	assert_false(fcntl(e.r, F_GETFL) & O_NONBLOCK);
}

/* --- O_DIRECT --- */

static void packets_begin_in_the_middle_of_a_write(void **state)
{
	struct ends e = open_ends(0);
	struct actor *writer = full_writer(e.w, PAGE);

	(void)state;
	direct(e.w, true);
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_ret(DEFAULT_SIZE + PAGE, end(writer).ret);
	/* What was there is no packet; the page that came since is. */
	assert_ret(DEFAULT_SIZE - PAGE, get(e.r, DEFAULT_SIZE - PAGE, NULL));
	assert_ret(PAGE, bytes_in(e.r));
	assert_ret(10, get(e.r, 10, NULL));
	assert_ret(0, bytes_in(e.r));
}

static void packets_end_in_the_middle_of_a_write(void **state)
{
	struct ends e = open_ends(0);
	struct actor *writer;

	(void)state;
	direct(e.w, true);
	writer = full_writer(e.w, PAGE);
	direct(e.w, false);
	assert_ret(10, get(e.r, 10, NULL));
	assert_ret(DEFAULT_SIZE + PAGE, end(writer).ret);
	while (bytes_in(e.r) > PAGE)
		assert_ret(10, get(e.r, 10, NULL));
	assert_ret(10, get(e.r, 10, NULL));
	assert_ret(PAGE - 10, bytes_in(e.r));
}

/* --- the capacity --- */

static void a_waiting_reader_does_not_notice(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = new_actor_with(e.r);

	(void)state;
	begin(reader, do_read, e.r, DEFAULT_SIZE, 0);
	sleeps_in(reader, SYS_read);
	assert_ret(PAGE, set_capacity(e.w, 1));
	assert_ret(64 * PAGE, set_capacity(e.r, 64 * PAGE));
	assert_ret(2 * PAGE, set_capacity(e.w, 2 * PAGE));
	assert_false(is_done(reader));
	sleeps_in(reader, SYS_read);
	assert_ret(5, put(e.w, 5, 3));
	assert_int_equal(end(reader).sum, sum_of_pattern(5, 3));
}

static void a_refused_resize_leaves_a_waiting_writer(void **state)
{
	struct ends e = open_ends(0);
	struct actor *writer = full_writer(e.w, PAGE);

	(void)state;
	assert_errno(EBUSY, set_capacity(e.r, PAGE));
	assert_ret(DEFAULT_SIZE, set_capacity(e.r, DEFAULT_SIZE));
	assert_false(is_done(writer));
	sleeps_in(writer, SYS_write);
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_ret(DEFAULT_SIZE + PAGE, end(writer).ret);
}

/* Either side resizes while both are in the middle of a long write. */
static void both_sides_resize_in_the_middle_of_a_write(void **state)
{
	static const int slots[] = {32, 16, 64, 32, 256, 64, 16, 128, 1, 4};
	const size_t len = 1 << 20;
	struct ends e = open_ends(0);
	struct actor *writer = new_actor_with(e.w);
	char *all = malloc(len);
	size_t done = 0, i = 0;
	long got, size;

	(void)state;
	begin(writer, do_write, e.w, len, 5);
	while (done < len) {
		size = set_capacity(i & 1 ? e.w : e.r, slots[i % 10] * PAGE);
		if (size == -1)
			assert_int_equal(errno, EBUSY);
		got = read(e.r, all + done, 3 * PAGE + 7);
		assert_true(got > 0);
		done += got;
		i++;
	}
	assert_ret(len, end(writer).ret);
	assert_int_equal(sum_of(all, len), sum_of_pattern(len, 5));
	assert_ret(0, bytes_in(e.r));
	free(all);
}

/* One page is one slot: each write fills it, each read empties it. */
static void a_pipe_shrinks_under_a_writer(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *writer;
	__u32 sum;
	int i;

	(void)state;
	fill_up(e.w, PAGE);
	nonblocking(e.w, false);
	writer = new_actor_with(e.w);
	begin(writer, do_write, e.w, 4 * PAGE, 7);
	sleeps_in(writer, SYS_write);
	/* Emptied and shrunk before the writer has come to fill it again? */
	assert_ret(DEFAULT_SIZE, get(e.r, DEFAULT_SIZE, NULL));
	assert_ret(4 * PAGE, end(writer).ret);
	assert_ret(4 * PAGE, set_capacity(e.w, 4 * PAGE));
	assert_ret(0, poll_now(e.w, POLLOUT));
	assert_ret(4 * PAGE, get(e.r, DEFAULT_SIZE, &sum));
	assert_int_equal(sum, sum_of_pattern(4 * PAGE, 7));
	assert_ret(PAGE, set_capacity(e.w, PAGE));
	begin(writer, do_write, e.w, 4 * PAGE, 8);
	for (i = 0; i < 4; i++) {
		struct pollfd pfd = {.fd = e.r, .events = POLLIN};

		assert_ret(1, poll(&pfd, 1, PATIENCE_MS));
		assert_ret(PAGE, get(e.r, 4 * PAGE, NULL));
	}
	assert_ret(4 * PAGE, end(writer).ret);
}

#define NOT_DEV (ENDS & ~DEV)

static const struct claim claims[] = {
	{"each call looks at O_NONBLOCK", each_call_looks_at_the_flag, ENDS},
	{"O_NONBLOCK belongs to the open file",
	 the_flag_belongs_to_the_open_file, ENDS},
	{"a waiting reader does not notice O_NONBLOCK",
	 a_waiting_reader_goes_on_waiting, ENDS},
	{"a waiting writer notices O_NONBLOCK when it would wait again",
	 a_waiting_writer_ends_where_it_would_wait_again, ENDS},
	{"without O_NONBLOCK the next write waits",
	 a_cleared_flag_makes_the_next_write_wait, ENDS},
	{"who sleeps shares a file with who does not",
	 sleepers_share_a_file_with_those_who_do_not, ENDS},
	{"FIONBIO is O_NONBLOCK", fionbio_is_the_same_flag, ENDS},
	{"O_DIRECT can be set in the middle of a write",
	 packets_begin_in_the_middle_of_a_write, NOT_DEV},
	{"O_DIRECT can be cleared in the middle of a write",
	 packets_end_in_the_middle_of_a_write, NOT_DEV},
	{"a waiting reader does not notice a resize",
	 a_waiting_reader_does_not_notice, ENDS},
	{"a refused resize leaves a waiting writer",
	 a_refused_resize_leaves_a_waiting_writer, ENDS},
	{"resizes in the middle of a write lose no byte",
	 both_sides_resize_in_the_middle_of_a_write, ENDS},
	{"a pipe shrinks around a writer", a_pipe_shrinks_under_a_writer, ENDS},
};

int main(void)
{
	return run_claims("runtime", claims, NR(claims));
}

// SPDX-License-Identifier: GPL-2.0
/* poll(2) and select(2): what each state says, and who is told. */
#include "harness.h"

#include <poll.h>
#include <sys/select.h>

#define ALL (POLLIN | POLLOUT | POLLPRI | POLLRDNORM | POLLWRNORM | POLLRDHUP)

/* What a readable and a writable end say when asked for everything. */
#define IN  (POLLIN | POLLRDNORM)
#define OUT (POLLOUT | POLLWRNORM)

static void masks_of_a_pair(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	/* empty */
	assert_ret(0, poll_now(e.r, ALL));
	assert_ret(OUT, poll_now(e.w, ALL));
	/* some bytes */
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(IN, poll_now(e.r, ALL));
	assert_ret(OUT, poll_now(e.w, ALL));
	/* full */
	fill_up(e.w, PAGE);
	fill_up(e.w, 1);
	assert_ret(IN, poll_now(e.r, ALL));
	assert_ret(0, poll_now(e.w, ALL));
	/* only what was asked for */
	assert_ret(0, poll_now(e.r, POLLOUT));
	assert_ret(POLLRDNORM, poll_now(e.r, POLLRDNORM));
	assert_ret(0, poll_now(e.r, 0));
	/* empty again */
	drain(e.r);
	assert_ret(0, poll_now(e.r, ALL));
	assert_ret(OUT, poll_now(e.w, ALL));
}

static void hang_up_of_the_writer(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	assert_ret(3, put(e.w, 3, 0));
	close(e.w);
	assert_ret(IN | POLLHUP, poll_now(e.r, ALL));
	assert_ret(POLLHUP, poll_now(e.r, 0));
	assert_ret(3, get(e.r, 3, NULL));
	/* End of file is POLLHUP without POLLIN. */
	assert_ret(POLLHUP, poll_now(e.r, ALL));
	assert_ret(0, get(e.r, 1, NULL));
	assert_ret(POLLHUP, poll_now(e.r, ALL));
}

static void error_without_a_reader(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	close(e.r);
	assert_ret(OUT | POLLERR, poll_now(e.w, ALL));
	assert_ret(POLLERR, poll_now(e.w, 0));
}

static void error_without_a_reader_and_full(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	fill_up(e.w, PAGE);
	close(e.r);
	assert_ret(POLLERR, poll_now(e.w, ALL));
}

static void rdwr_sees_both_sides(void **state)
{
	int fd = open_end(O_RDWR | O_NONBLOCK);

	(void)state;
	assert_ret(OUT, poll_now(fd, ALL));
	assert_ret(1, put(fd, 1, 0));
	assert_ret(IN | OUT, poll_now(fd, ALL));
	fill_up(fd, PAGE);
	fill_up(fd, 1);
	assert_ret(IN, poll_now(fd, ALL));
}

static void no_hang_up_before_the_first_writer(void **state)
{
	int r = open_end(O_RDONLY | O_NONBLOCK), w, late;

	(void)state;
	assert_ret(0, poll_now(r, ALL));
	w = open_end(O_WRONLY);
	assert_ret(0, poll_now(r, ALL));
	close(w);
	assert_ret(POLLHUP, poll_now(r, ALL));
	/* Who opens now has seen no writer either. */
	late = open_end(O_RDONLY | O_NONBLOCK);
	assert_ret(0, poll_now(late, ALL));
	assert_ret(POLLHUP, poll_now(r, ALL));
	w = open_end(O_WRONLY);
	assert_ret(0, poll_now(r, ALL));
	close(w);
	assert_ret(POLLHUP, poll_now(late, ALL));
}

static void a_blocking_open_sees_hang_up(void **state)
{
	struct actor *reader = new_actor();
	struct reply r;
	int w;

	(void)state;
	begin(reader, do_open, O_RDONLY, 0, 0);
	sleeps_in(reader, SYS_openat);
	w = open_end(O_WRONLY);
	r = end(reader);
	assert_true(r.ret >= 0);
	assert_ret(0, does(reader, do_poll, r.ret, POLLIN, 0).ret);
	close(w);
	assert_ret(POLLHUP, does(reader, do_poll, r.ret, POLLIN, 0).ret);
}

static void poll_waits_for_bytes(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = new_actor_with(e.r);

	(void)state;
	begin(reader, do_poll, e.r, POLLIN, -1);
	sleeps_in(reader, SYS_poll);
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(POLLIN, end(reader).ret);
}

static void poll_waits_for_hang_up(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = new_actor_with(e.r);

	(void)state;
	begin(reader, do_poll, e.r, POLLIN, -1);
	sleeps_in(reader, SYS_poll);
	close(e.w);
	assert_ret(POLLHUP, end(reader).ret);
}

static void poll_waits_for_room(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *writer = new_actor_with(e.w);

	(void)state;
	fill_up(e.w, PAGE);
	begin(writer, do_poll, e.w, POLLOUT, -1);
	sleeps_in(writer, SYS_poll);
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_ret(POLLOUT, end(writer).ret);
}

static void poll_waits_for_the_reader_to_go(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *writer = new_actor_with(e.w);

	(void)state;
	fill_up(e.w, PAGE);
	begin(writer, do_poll, e.w, POLLOUT, -1);
	sleeps_in(writer, SYS_poll);
	close(e.r);
	assert_ret(POLLERR, end(writer).ret);
}

/* Pollers are no exclusive waiters: all of them are told, and a reader too. */
static void all_pollers_are_told(void **state)
{
	struct actor *pollers[3], *reader;
	struct ends e = open_ends(0);
	size_t i;

	(void)state;
	reader = new_actor_with(e.r);
	for (i = 0; i < NR(pollers); i++) {
		pollers[i] = new_actor_with(e.w);
		/* They look for POLLERR: nothing else can be missing. */
		begin(pollers[i], do_poll, e.w, 0, -1);
		sleeps_in(pollers[i], SYS_poll);
	}
	begin(reader, do_read, e.r, 1, 0);
	sleeps_in(reader, SYS_read);
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(1, end(reader).ret);
	close(e.r);
	destroy(reader);
	for (i = 0; i < NR(pollers); i++)
		assert_ret(POLLERR, end(pollers[i]).ret);
}

static long do_select(long fd, long for_writing, long unused)
{
	struct timeval never = {.tv_sec = 60}, now = {};
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	return select(fd + 1, for_writing ? NULL : &set,
		      for_writing ? &set : NULL, NULL, unused ? &never : &now);
}

static void select_says_the_same(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	assert_ret(0, do_select(e.r, false, 0));
	assert_ret(1, do_select(e.w, true, 0));
	fill_up(e.w, PAGE);
	assert_ret(1, do_select(e.r, false, 0));
	assert_ret(0, do_select(e.w, true, 0));
	drain(e.r);
	close(e.w);
	assert_ret(1, do_select(e.r, false, 0));
}

static void select_waits(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = new_actor_with(e.r);

	(void)state;
	begin(reader, do_select, e.r, false, true);
	sleeps_in(reader, SYS_pselect6);
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(1, end(reader).ret);
}

static const struct claim claims[] = {
	{"each state of a pair has its mask", masks_of_a_pair, ENDS},
	{"the last writer's close is POLLHUP, after the bytes",
	 hang_up_of_the_writer, ENDS},
	{"a writer without readers sees POLLERR and POLLOUT",
	 error_without_a_reader, ENDS},
	{"a writer without readers and without room sees POLLERR",
	 error_without_a_reader_and_full, ENDS},
	{"O_RDWR sees both sides", rdwr_sees_both_sides, NAMED},
	{"a nonblocking reader sees no POLLHUP before a first writer",
	 no_hang_up_before_the_first_writer, NAMED},
	{"a reader whose open waited sees POLLHUP",
	 a_blocking_open_sees_hang_up, NAMED},
	{"poll waits for bytes", poll_waits_for_bytes, ENDS},
	{"poll waits for the last writer to go", poll_waits_for_hang_up, ENDS},
	{"poll waits for a free slot", poll_waits_for_room, ENDS},
	{"poll waits for the last reader to go",
	 poll_waits_for_the_reader_to_go, ENDS},
	{"all pollers are told", all_pollers_are_told, ENDS},
	{"select says what poll says", select_says_the_same, ENDS},
	{"select waits for bytes", select_waits, ENDS},
};

int main(void)
{
	return run_claims("poll", claims, NR(claims));
}

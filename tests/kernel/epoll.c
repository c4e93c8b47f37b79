// SPDX-License-Identifier: GPL-2.0
/*
 * epoll(7) on both ends: level, edge, oneshot, exclusive, nested, and who of
 * those that wait is told
 */
#include "harness.h"

#include <poll.h>
#include <sys/epoll.h>

static int epoll_with(int fd, __u32 events)
{
	struct epoll_event ev = {.events = events};
	int ep = epoll_create1(EPOLL_CLOEXEC);

	assert_int_not_equal(ep, -1);
	assert_ret(0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	return ep;
}

/* The events that are there now, or 0. */
static long epoll_now(int ep)
{
	struct epoll_event ev = {};
	int nr = epoll_wait(ep, &ev, 1, 0);

	assert_int_not_equal(nr, -1);
	return nr ? ev.events : 0;
}

static long do_epoll(long ep, long ms, long unused)
{
	struct epoll_event ev = {};
	int nr = epoll_wait(ep, &ev, 1, ms);

	(void)unused;
	return nr > 0 ? (long)ev.events : nr;
}

static void level_triggered_repeats(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int ep = epoll_with(e.r, EPOLLIN);

	(void)state;
	assert_ret(0, epoll_now(ep));
	assert_ret(2, put(e.w, 2, 0));
	assert_ret(EPOLLIN, epoll_now(ep));
	assert_ret(EPOLLIN, epoll_now(ep));
	assert_ret(1, get(e.r, 1, NULL));
	assert_ret(EPOLLIN, epoll_now(ep));
	assert_ret(1, get(e.r, 1, NULL));
	assert_ret(0, epoll_now(ep));
	close(e.w);
	assert_ret(EPOLLHUP, epoll_now(ep));
}

static void edge_triggered_tells_once(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int ep = epoll_with(e.r, EPOLLIN | EPOLLET);

	(void)state;
	assert_ret(0, epoll_now(ep));
	assert_ret(2, put(e.w, 2, 0));
	assert_ret(EPOLLIN, epoll_now(ep));
	assert_ret(0, epoll_now(ep));
	assert_ret(1, get(e.r, 1, NULL));
	assert_ret(0, epoll_now(ep));
}

/* Programs depend on it: 3a34b13a88ca. */
static void each_write_is_an_edge(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int ep = epoll_with(e.r, EPOLLIN | EPOLLET);

	(void)state;
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(EPOLLIN, epoll_now(ep));
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(EPOLLIN, epoll_now(ep));
	assert_ret(0, epoll_now(ep));
	assert_ret(PAGE, put(e.w, PAGE, 0));
	assert_ret(EPOLLIN, epoll_now(ep));
	assert_ret(0, epoll_now(ep));
}

static void edge_for_writers_when_room_comes(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int ep = epoll_with(e.w, EPOLLOUT | EPOLLET);

	(void)state;
	assert_ret(EPOLLOUT, epoll_now(ep));
	assert_ret(0, epoll_now(ep));
	fill_up(e.w, PAGE);
	assert_ret(0, epoll_now(ep));
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_ret(EPOLLOUT, epoll_now(ep));
	assert_ret(0, epoll_now(ep));
	/* It was not full: no edge. */
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_ret(0, epoll_now(ep));
	close(e.r);
	assert_ret(EPOLLOUT | EPOLLERR, epoll_now(ep));
	assert_ret(0, epoll_now(ep));
}

static void edge_for_the_last_close(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int ep = epoll_with(e.r, EPOLLIN | EPOLLET);

	(void)state;
	close(e.w);
	assert_ret(EPOLLHUP, epoll_now(ep));
	assert_ret(0, epoll_now(ep));
}

static void oneshot_tells_until_rearmed(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int ep = epoll_with(e.r, EPOLLIN | EPOLLONESHOT);
	struct epoll_event again = {.events = EPOLLIN | EPOLLONESHOT};

	(void)state;
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(EPOLLIN, epoll_now(ep));
	assert_ret(0, epoll_now(ep));
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(0, epoll_now(ep));
	assert_ret(0, epoll_ctl(ep, EPOLL_CTL_MOD, e.r, &again));
	assert_ret(EPOLLIN, epoll_now(ep));
}

/* Two epoll sets on one reader, exclusive: a write tells one of them. */
static void exclusive_tells_one(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *a, *b;
	int ep, eq;

	(void)state;
	ep = epoll_with(e.r, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET);
	eq = epoll_with(e.r, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET);
	a = new_actor_with(ep);
	b = new_actor_with(eq);
	begin(a, do_epoll, ep, -1, 0);
	sleeps_in(a, SYS_epoll_wait);
	begin(b, do_epoll, eq, -1, 0);
	sleeps_in(b, SYS_epoll_wait);
	assert_ret(1, put(e.w, 1, 0));
	eventually(is_done(a) || is_done(b));
	if (is_done(a)) {
		assert_ret(EPOLLIN, end(a).ret);
		sleeps_in(b, SYS_epoll_wait);
	} else {
		assert_ret(EPOLLIN, end(b).ret);
		sleeps_in(a, SYS_epoll_wait);
	}
}

static void all_epoll_sets_are_told(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *a, *b;
	int ep, eq;

	(void)state;
	ep = epoll_with(e.r, EPOLLIN);
	eq = epoll_with(e.r, EPOLLIN);
	a = new_actor_with(ep);
	b = new_actor_with(eq);
	begin(a, do_epoll, ep, -1, 0);
	sleeps_in(a, SYS_epoll_wait);
	begin(b, do_epoll, eq, -1, 0);
	sleeps_in(b, SYS_epoll_wait);
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(EPOLLIN, end(a).ret);
	assert_ret(EPOLLIN, end(b).ret);
}

static void epoll_forgets_a_closed_end(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int ep = epoll_with(e.r, EPOLLIN);

	(void)state;
	assert_ret(1, put(e.w, 1, 0));
	close(e.r);
	assert_ret(0, epoll_now(ep));
}

static void pollers_are_shown(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	__u64 polls = counter("pipe", "poll.enter");
	struct actor *reader = new_actor_with(e.r);
	int ep;

	(void)state;
	assert_int_equal(proc_value("pipe", "read_pollers"), 0);
	begin(reader, do_poll, e.r, POLLIN, -1);
	sleeps_in(reader, SYS_poll);
	assert_int_equal(proc_value("pipe", "read_pollers"), 1);
	assert_int_equal(proc_value("pipe", "write_pollers"), 0);
	ep = epoll_with(e.w, EPOLLOUT);
	assert_int_equal(proc_value("pipe", "write_pollers"), 1);
	assert_true(counter("pipe", "poll.enter") >= polls + 2);
	/* A poller is not shown as one who waits in read. */
	assert_int_equal(pipe_stat().read_waiters, 0);
	close(ep);
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(POLLIN, end(reader).ret);
	assert_int_equal(proc_value("pipe", "read_pollers"), 0);
	assert_int_equal(proc_value("pipe", "write_pollers"), 0);
}

/* --- what an end says --- */

#define EVERYTHING                                                   \
	(EPOLLIN | EPOLLRDNORM | EPOLLRDBAND | EPOLLPRI | EPOLLOUT | \
	 EPOLLWRNORM | EPOLLWRBAND | EPOLLRDHUP | EPOLLMSG)

static void rearm(int ep, int fd, __u32 events)
{
	struct epoll_event ev = {.events = events};

	assert_ret(0, epoll_ctl(ep, EPOLL_CTL_MOD, fd, &ev));
}

/* A pipe has no half-closed state: EPOLLRDHUP is for sockets. */
static void masks_of_each_state(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int r = epoll_with(e.r, EVERYTHING), w = epoll_with(e.w, EVERYTHING);

	(void)state;
	assert_ret(0, epoll_now(r));
	assert_ret(EPOLLOUT | EPOLLWRNORM, epoll_now(w));
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(EPOLLIN | EPOLLRDNORM, epoll_now(r));
	fill_up(e.w, PAGE);
	fill_up(e.w, 1);
	assert_ret(0, epoll_now(w));
	close(e.w);
	assert_ret(EPOLLIN | EPOLLRDNORM | EPOLLHUP, epoll_now(r));
	drain(e.r);
	assert_ret(EPOLLHUP, epoll_now(r));
}

static void masks_without_a_reader(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int w = epoll_with(e.w, EVERYTHING);

	(void)state;
	close(e.r);
	assert_ret(EPOLLOUT | EPOLLWRNORM | EPOLLERR, epoll_now(w));
	rearm(w, e.w, 0);
	/* Also when nothing is asked for. */
	assert_ret(EPOLLERR, epoll_now(w));
}

static void rdhup_alone_waits_for_hup(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int r = epoll_with(e.r, EPOLLRDHUP | EPOLLET);

	(void)state;
	assert_ret(5, put(e.w, 5, 0));
	assert_ret(0, epoll_now(r));
	close(e.w);
	assert_ret(EPOLLHUP, epoll_now(r));
	assert_ret(0, epoll_now(r));
}

/* --- edges --- */

static void a_part_of_a_slot_is_no_edge(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int w = epoll_with(e.w, EPOLLOUT | EPOLLET);

	(void)state;
	assert_ret(EPOLLOUT, epoll_now(w));
	fill_up(e.w, PAGE);
	assert_ret(PAGE - 1, get(e.r, PAGE - 1, NULL));
	assert_ret(0, epoll_now(w));
	assert_ret(1, get(e.r, 1, NULL));
	assert_ret(EPOLLOUT, epoll_now(w));
	/* Not full any more: the next slot is none. */
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_ret(0, epoll_now(w));
}

static void a_larger_pipe_is_an_edge(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int w = epoll_with(e.w, EPOLLOUT | EPOLLET);

	(void)state;
	assert_ret(EPOLLOUT, epoll_now(w));
	fill_up(e.w, PAGE);
	assert_ret(2 * DEFAULT_SIZE, set_capacity(e.w, 2 * DEFAULT_SIZE));
	assert_ret(EPOLLOUT, epoll_now(w));
	assert_ret(0, epoll_now(w));
	drain(e.r);
}

/* A write that wrote nothing still tells those who poll for edges. */
static void a_failed_write_is_an_edge_too(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int r = epoll_with(e.r, EPOLLIN | EPOLLET);

	(void)state;
	fill_up(e.w, PAGE);
	assert_ret(EPOLLIN, epoll_now(r));
	assert_ret(0, epoll_now(r));
	assert_errno(EAGAIN, put(e.w, 1, 0));
	assert_ret(EPOLLIN, epoll_now(r));
}

static void modifying_looks_again(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int r = epoll_with(e.r, EPOLLIN | EPOLLET);
	int w = epoll_with(e.w, EPOLLOUT | EPOLLET | EPOLLONESHOT);

	(void)state;
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(EPOLLIN, epoll_now(r));
	assert_ret(0, epoll_now(r));
	rearm(r, e.r, EPOLLIN | EPOLLET);
	assert_ret(EPOLLIN, epoll_now(r));
	assert_ret(EPOLLOUT, epoll_now(w));
	rearm(w, e.w, EPOLLOUT | EPOLLET | EPOLLONESHOT);
	assert_ret(EPOLLOUT, epoll_now(w));
	assert_ret(0, epoll_now(w));
}

static void oneshot_is_silent_even_about_hup(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int r = epoll_with(e.r, EPOLLIN | EPOLLONESHOT);

	(void)state;
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(EPOLLIN, epoll_now(r));
	close(e.w);
	assert_ret(0, epoll_now(r));
	rearm(r, e.r, EPOLLIN | EPOLLONESHOT);
	assert_ret(EPOLLIN | EPOLLHUP, epoll_now(r));
	assert_ret(0, epoll_now(r));
}

static void oneshot_of_a_writer(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int w = epoll_with(e.w, EPOLLOUT | EPOLLONESHOT);

	(void)state;
	assert_ret(EPOLLOUT, epoll_now(w));
	assert_ret(0, epoll_now(w));
	fill_up(e.w, PAGE);
	rearm(w, e.w, EPOLLOUT | EPOLLONESHOT);
	assert_ret(0, epoll_now(w));
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_ret(EPOLLOUT, epoll_now(w));
	close(e.r);
	assert_ret(0, epoll_now(w));
}

/* --- who is told --- */

struct crowd {
	struct actor *who[3];
	int ep[3];
};

/* Each with a set of its own, asleep in order. */
static struct crowd crowd_on(int fd, __u32 events)
{
	struct crowd c;
	size_t i;

	for (i = 0; i < NR(c.who); i++) {
		c.ep[i] = epoll_with(fd, events);
		c.who[i] = new_actor_with(c.ep[i]);
		begin(c.who[i], do_epoll, c.ep[i], -1, 0);
		sleeps_in(c.who[i], SYS_epoll_wait);
	}
	return c;
}

/* Waits until one was told, and all others sleep: how many were told. */
static int told(struct crowd *c, long events)
{
	int nr = 0;
	size_t i;

	eventually(is_done(c->who[0]) || is_done(c->who[1]) ||
		   is_done(c->who[2]));
	for (i = 0; i < NR(c->who); i++) {
		if (waits(c->who[i], SYS_epoll_wait))
			continue;
		assert_ret(events, end(c->who[i]).ret);
		/* A set that nobody waits with lets the wake-up go on. */
		begin(c->who[i], do_epoll, c->ep[i], -1, 0);
		sleeps_in(c->who[i], SYS_epoll_wait);
		nr++;
	}
	return nr;
}

static void one_of_many_readers_is_told(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct crowd c = crowd_on(e.r, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET);
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_ret(1, put(e.w, 1, 0));
		assert_int_equal(told(&c, EPOLLIN), 1);
	}
	/* The end is for all. */
	drain(e.r);
	close(e.w);
	for (i = 0; i < 3; i++)
		assert_ret(EPOLLHUP, end(c.who[i]).ret);
}

static void one_of_many_writers_is_told(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct crowd c;
	int i;

	(void)state;
	fill_up(e.w, PAGE);
	c = crowd_on(e.w, EPOLLOUT | EPOLLEXCLUSIVE | EPOLLET);
	for (i = 0; i < 3; i++) {
		assert_ret(PAGE, get(e.r, PAGE, NULL));
		assert_int_equal(told(&c, EPOLLOUT), 1);
		assert_ret(PAGE, put(e.w, PAGE, 0));
	}
	close(e.r);
	for (i = 0; i < 3; i++)
		assert_ret(EPOLLERR, end(c.who[i]).ret);
}

static void all_of_many_are_told(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct crowd c = crowd_on(e.r, EPOLLIN | EPOLLET);
	int i;

	(void)state;
	assert_ret(1, put(e.w, 1, 0));
	for (i = 0; i < 3; i++)
		assert_ret(EPOLLIN, end(c.who[i]).ret);
}

/* Who waits first is told first, and only that one, whatever it makes of it. */
static void an_exclusive_set_stands_in_line_with_readers(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = new_actor_with(e.r), *poller;
	int ep = epoll_with(e.r, EPOLLIN | EPOLLEXCLUSIVE);

	(void)state;
	poller = new_actor_with(ep);
	begin(poller, do_epoll, ep, -1, 0);
	sleeps_in(poller, SYS_epoll_wait);
	begin(reader, do_read, e.r, 10, 0);
	sleeps_in(reader, SYS_read);
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(EPOLLIN, end(poller).ret);
	sleeps_in(reader, SYS_read);
	/* That set has nobody now who could be told. */
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(2, end(reader).ret);
}

static void a_shared_set_wakes_one(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int ep = epoll_with(e.r, EPOLLIN | EPOLLET);
	struct actor *a = new_actor_with(ep), *b = new_actor_with(ep);

	(void)state;
	begin(a, do_epoll, ep, -1, 0);
	sleeps_in(a, SYS_epoll_wait);
	begin(b, do_epoll, ep, -1, 0);
	sleeps_in(b, SYS_epoll_wait);
	assert_ret(1, put(e.w, 1, 0));
	eventually(is_done(a) || is_done(b));
	sleeps_in(is_done(a) ? b : a, SYS_epoll_wait);
	/* The next edge wakes who sleeps. */
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(EPOLLIN, end(a).ret);
	assert_ret(EPOLLIN, end(b).ret);
}

/* --- more than one set, or end, or descriptor --- */

static void nested_sets_carry_the_event(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int inner = epoll_with(e.r, EPOLLIN), outer, edge;
	struct actor *waiter;

	(void)state;
	outer = epoll_with(inner, EPOLLIN);
	edge = epoll_with(inner, EPOLLIN | EPOLLET);
	assert_ret(0, epoll_now(outer));
	assert_ret(0, poll_now(inner, POLLIN));
	waiter = new_actor_with(outer);
	begin(waiter, do_epoll, outer, -1, 0);
	sleeps_in(waiter, SYS_epoll_wait);
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(EPOLLIN, end(waiter).ret);
	assert_ret(EPOLLIN, epoll_now(edge));
	assert_ret(0, epoll_now(edge));
	assert_ret(EPOLLIN, epoll_now(outer));
	assert_ret(POLLIN, poll_now(inner, POLLIN));
	assert_ret(EPOLLIN, epoll_now(inner));
	assert_ret(1, get(e.r, 1, NULL));
	assert_ret(0, epoll_now(outer));
	assert_ret(0, epoll_now(inner));
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(EPOLLIN, epoll_now(edge));
	close(e.w);
	assert_ret(EPOLLIN, epoll_now(outer));
}

static void nested_sets_of_a_writer(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int inner, outer;

	(void)state;
	fill_up(e.w, PAGE);
	inner = epoll_with(e.w, EPOLLOUT | EPOLLET);
	outer = epoll_with(inner, EPOLLIN);
	assert_ret(0, epoll_now(outer));
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_ret(EPOLLIN, epoll_now(outer));
	/* Nobody took it from the inner set: it is there still. */
	assert_ret(EPOLLIN, epoll_now(outer));
	assert_ret(EPOLLOUT, epoll_now(inner));
	assert_ret(0, epoll_now(outer));
}

static void one_set_can_have_both_ends(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct epoll_event ev[4], add = {.events = EPOLLOUT, .data.fd = e.w};
	int ep = epoll_with(e.r, EPOLLIN), nr;

	(void)state;
	assert_ret(0, epoll_ctl(ep, EPOLL_CTL_ADD, e.w, &add));
	assert_errno(EEXIST, epoll_ctl(ep, EPOLL_CTL_ADD, e.w, &add));
	assert_ret(1, epoll_wait(ep, ev, NR(ev), 0));
	assert_int_equal(ev[0].data.fd, e.w);
	assert_ret(1, put(e.w, 1, 0));
	nr = epoll_wait(ep, ev, NR(ev), 0);
	assert_int_equal(nr, 2);
	assert_ret(0, epoll_ctl(ep, EPOLL_CTL_DEL, e.w, NULL));
	assert_ret(1, epoll_wait(ep, ev, NR(ev), 0));
	assert_int_equal(ev[0].events, EPOLLIN);
}

static void each_descriptor_can_be_added(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int copy = dup(e.r), ep = epoll_with(e.r, EPOLLIN);
	struct epoll_event ev[4], add = {.events = EPOLLIN | EPOLLONESHOT};

	(void)state;
	assert_ret(0, epoll_ctl(ep, EPOLL_CTL_ADD, copy, &add));
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(2, epoll_wait(ep, ev, NR(ev), 0));
	assert_ret(1, epoll_wait(ep, ev, NR(ev), 0));
	/* The open file stays, and so does what was asked of it by either. */
	close(e.r);
	assert_ret(1, epoll_wait(ep, ev, NR(ev), 0));
	close(copy);
	assert_ret(0, epoll_wait(ep, ev, NR(ev), 0));
}

static const struct claim claims[] = {
	{"level-triggered epoll repeats itself", level_triggered_repeats, ENDS},
	{"edge-triggered epoll tells once", edge_triggered_tells_once, ENDS},
	{"each write is an edge, read or not", each_write_is_an_edge, ENDS},
	{"room in a full pipe is an edge for writers",
	 edge_for_writers_when_room_comes, ENDS},
	{"the last close is an edge", edge_for_the_last_close, ENDS},
	{"EPOLLONESHOT tells once until it is armed again",
	 oneshot_tells_until_rearmed, ENDS},
	{"EPOLLEXCLUSIVE tells one of two epoll sets", exclusive_tells_one,
	 ENDS},
	{"without it both epoll sets are told", all_epoll_sets_are_told, ENDS},
	{"epoll forgets an end that is closed", epoll_forgets_a_closed_end,
	 ENDS},
	{"pollers are shown and counted, apart from waiting readers",
	 pollers_are_shown, DEV},
	{"each state has its mask; EPOLLRDHUP is not in any",
	 masks_of_each_state, ENDS},
	{"a writer without a reader is told, whatever it asked for",
	 masks_without_a_reader, ENDS},
	{"EPOLLRDHUP alone waits for EPOLLHUP", rdhup_alone_waits_for_hup,
	 ENDS},
	{"a part of a slot is no edge for writers", a_part_of_a_slot_is_no_edge,
	 ENDS},
	{"a larger pipe is an edge for writers", a_larger_pipe_is_an_edge,
	 ENDS},
	{"a write that fails is an edge for readers",
	 a_failed_write_is_an_edge_too, ENDS},
	{"EPOLL_CTL_MOD looks again", modifying_looks_again, ENDS},
	{"after EPOLLONESHOT not even EPOLLHUP is told",
	 oneshot_is_silent_even_about_hup, ENDS},
	{"EPOLLONESHOT of a writer", oneshot_of_a_writer, ENDS},
	{"with EPOLLEXCLUSIVE one of many readers is told, and all of the end",
	 one_of_many_readers_is_told, ENDS},
	{"with EPOLLEXCLUSIVE one of many writers is told, and all of the end",
	 one_of_many_writers_is_told, ENDS},
	{"without it all of them are told", all_of_many_are_told, ENDS},
	{"an exclusive set stands in line with readers",
	 an_exclusive_set_stands_in_line_with_readers, ENDS},
	{"of those who wait with one set, one is told", a_shared_set_wakes_one,
	 ENDS},
	{"a set in a set carries the event", nested_sets_carry_the_event, ENDS},
	{"a set in a set carries the event of a writer",
	 nested_sets_of_a_writer, ENDS},
	{"one set can have both ends", one_set_can_have_both_ends, ENDS},
	{"each descriptor of an end can be added", each_descriptor_can_be_added,
	 ENDS},
};

int main(void)
{
	return run_claims("epoll", claims, NR(claims));
}

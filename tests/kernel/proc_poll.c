// SPDX-License-Identifier: GPL-2.0
/* poll(2) on the file of a pipe in /proc: it says when there is news. */
#include "harness.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

/* Of which pipe a descriptor is an end. */
static unsigned int id_of(int fd)
{
	char path[64], line[128];
	unsigned int id = 0;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "re");
	assert_non_null(info);
	while (fgets(line, sizeof(line), info))
		if (sscanf(line, "ipcdemo-object: %u", &id) == 1)
			break;
	fclose(info);
	assert_int_not_equal(id, 0);
	return id;
}

static int open_view(const char *kind, unsigned int id)
{
	char path[64];
	int view;

	snprintf(path, sizeof(path), "/proc/ipcdemo/%s/%u", kind, id);
	view = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(view >= 0);
	return view;
}

/* Read all of it: what it says now is known from here on. */
static void look(int view)
{
	char text[4096];
	ssize_t n;

	assert_ret(0, lseek(view, 0, SEEK_SET));
	do {
		n = read(view, text, sizeof(text));
		assert_true(n >= 0);
	} while (n);
}

static bool has_news(int view)
{
	return poll_now(view, POLLIN | POLLPRI) == (POLLIN | POLLPRI);
}

static void news(int view)
{
	assert_true(has_news(view));
	look(view);
	assert_ret(0, poll_now(view, POLLIN | POLLPRI));
}

static void each_change_is_news(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int view = open_view("pipe", id_of(e.r)), other;

	(void)state;
	news(view); /* it was not read yet */
	assert_ret(1, put(e.w, 1, 0));
	news(view);
	assert_ret(1, put(e.w, 1, 0)); /* behind it, in its page */
	news(view);
	assert_ret(1, get(e.r, 1, NULL));
	news(view);
	assert_ret(2 * DEFAULT_SIZE, set_capacity(e.w, 2 * DEFAULT_SIZE));
	news(view);
	assert_ret(1, get(e.r, 1, NULL));
	news(view);
	assert_ret(DEFAULT_SIZE, set_capacity(e.w, DEFAULT_SIZE));
	news(view);
	other = dup(e.w); /* is the same open file */
	assert_ret(0, poll_now(view, POLLIN));
	close(other);
	close(e.w);
	news(view);
}

static void who_comes_to_wait_is_news(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = new_actor_with(e.r);
	int view = open_view("pipe", id_of(e.r));

	(void)state;
	news(view);
	begin(reader, do_read, e.r, 1, 0);
	sleeps_in(reader, SYS_read);
	news(view);
	/* He goes with a signal, and nothing was read. */
	destroy(reader);
	eventually(has_news(view));
	news(view);
}

static void who_sleeps_is_told(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int view = open_view("pipe", id_of(e.r)), i;
	struct actor *one = new_actor_with(view);
	struct actor *two = new_actor_with(view);

	(void)state;
	for (i = 0; i < 4; i++) {
		look(view);
		begin(one, do_poll, view, POLLIN, -1);
		begin(two, do_poll, view, POLLPRI, -1);
		sleeps_in(one, SYS_poll);
		sleeps_in(two, SYS_poll);
		if (i & 1)
			assert_ret(1, get(e.r, 1, NULL));
		else
			assert_ret(1, put(e.w, 1, 0));
		assert_ret(POLLIN, end(one).ret);
		assert_ret(POLLPRI, end(two).ret);
	}
}

static void others_are_no_news(void **state)
{
	struct ends e = open_ends(O_NONBLOCK), other = second_pipe();
	int view = open_view("pipe", id_of(e.r));
	struct actor *one = new_actor_with(view);

	(void)state;
	look(view);
	begin(one, do_poll, view, POLLIN, -1);
	sleeps_in(one, SYS_poll);
	assert_ret(1, put(other.w, 1, 0));
	sleeps_in(one, SYS_poll);
	assert_false(is_done(one));
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(POLLIN, end(one).ret);
}

static void epoll_is_told(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int view = open_view("pipe", id_of(e.r));
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};

	(void)state;
	look(view);
	assert_ret(0, epoll_ctl(epoll, EPOLL_CTL_ADD, view, &event));
	assert_ret(0, epoll_wait(epoll, &event, 1, 0));
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(1, epoll_wait(epoll, &event, 1, 0));
	look(view);
	assert_ret(0, epoll_wait(epoll, &event, 1, 0));
	assert_ret(1, get(e.r, 1, NULL));
	assert_ret(1, epoll_wait(epoll, &event, 1, 0));
	close(epoll);
}

static void who_polls_is_told_when_it_goes(void **state)
{
	struct ends e = open_ends(0);
	int view = open_view("pipe", id_of(e.r));
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = {.events = EPOLLIN};
	struct actor *actor = new_actor_with(view);
	char byte;

	(void)state;
	look(view);
	assert_ret(0, epoll_ctl(epoll, EPOLL_CTL_ADD, view, &event));
	begin(actor, do_poll, view, POLLIN, -1);
	sleeps_in(actor, SYS_poll);
	close(e.w);
	assert_ret(POLLIN, end(actor).ret);
	look(view);
	begin(actor, do_poll, view, POLLIN, -1);
	sleeps_in(actor, SYS_poll);
	close(e.r);
	assert_ret(POLLIN, end(actor).ret);
	/* The file goes a moment later than the pipe. */
	eventually(pread(view, &byte, 1, 0) < 0);
	assert_ret(POLLIN, poll_now(view, POLLIN));
	assert_ret(1, epoll_wait(epoll, &event, 1, 0));
	close(epoll);
	close(view);
}

static void a_region_has_news(void **state)
{
	int view = open_view("region", region_stat().id);
	struct ipcdemo_region_fd request = {.size = sizeof(request)};
	int fd = ioctl(control(), IPCDEMO_IOC_REGION_FD, &request);

	(void)state;
	assert_true(fd >= 0);
	news(view);
	assert_ret(1, pwrite(fd, "x", 1, 0));
	news(view);
	assert_ret(1, pwrite(fd, "", 1, 0));
	news(view);
	close(fd);
}

/* What no point tells of. */
static void what_a_region_is_has_news(void **state)
{
	struct ipcdemo_region_make make = {.size = sizeof(make),
					   .length = 4096};
	struct ipcdemo_attr seals = {.size = sizeof(seals),
				     .value = IPCDEMO_SEAL_SHRINK};
	struct ipcdemo_word_event bind = {.size = sizeof(bind)};
	int fd = ioctl(control(), IPCDEMO_IOC_REGION_MAKE, &make), view, other;
	char path[32];

	(void)state;
	assert_true(fd >= 0);
	view = open_view("region", id_of(fd));
	news(view);
	assert_ret(0, ftruncate(fd, 8192));
	news(view);
	assert_ret(0, ioctl(fd, IPCDEMO_IOC_ADD_SEALS, &seals));
	news(view);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	other = open(path, O_RDWR | O_CLOEXEC);
	assert_true(other >= 0);
	news(view);
	close(other);
	news(view);
	bind.eventfd = eventfd(0, EFD_CLOEXEC);
	assert_true(bind.eventfd >= 0);
	assert_ret(0, ioctl(fd, IPCDEMO_IOC_WORD_EVENT, &bind));
	news(view);
	close(bind.eventfd);
	bind.eventfd = -1;
	assert_ret(0, ioctl(fd, IPCDEMO_IOC_WORD_EVENT, &bind));
	news(view);
	close(view);
	close(fd);
}

static const struct claim claims[] = {
	{"each change of a pipe is news in its file", each_change_is_news,
	 OURS},
	{"who comes to wait, or goes, is news", who_comes_to_wait_is_news,
	 OURS},
	{"who sleeps in poll is told of each change", who_sleeps_is_told, OURS},
	{"what becomes of other pipes is no news", others_are_no_news,
	 DEV | SECOND},
	{"epoll is told", epoll_is_told, OURS},
	{"who polls is told when the pipe goes", who_polls_is_told_when_it_goes,
	 ANON},
	{"a region's file has news, too", a_region_has_news, DEV},
	{"so has what a region is", what_a_region_is_has_news, DEV},
};

int main(void)
{
	return run_claims("proc_poll", claims, NR(claims));
}

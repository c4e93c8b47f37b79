// SPDX-License-Identifier: GPL-2.0
/*
 * splice(2), tee(2), vmsplice(2) and sendfile(2) with the target on a side, and
 * what becomes of the pages
 *
 * Each is called by way of the library that `ipcdemo run` preloads: so the test
 * is what a program sees.  The claims about two pipes hold for a target and a pipe
 * of the kernel, and for a target and one of ours.
 */
#include "harness.h"

#include <dlfcn.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

/* The functions of the library. */
static ssize_t (*call_splice)(int in, off64_t *off_in, int out,
			      off64_t *off_out, size_t len, unsigned int flags);
static ssize_t (*call_tee)(int in, int out, size_t len, unsigned int flags);

#define LIBRARY "build/libipcdemo-run.so"

static void find_calls(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		print_error("# %s: run make userspace\n", dlerror());
		exit(1);
	}
	*(void **)&call_splice = dlsym(library, "splice");
	*(void **)&call_tee = dlsym(library, "tee");
	assert_non_null(call_splice);
	assert_non_null(call_tee);
}

static long move(int from, int to, size_t len, unsigned int flags)
{
	if (second & BY_KERNEL)
		return splice(from, NULL, to, NULL, len, flags);
	return call_splice(from, NULL, to, NULL, len, flags);
}

/* If one of ours is there, the library has the module do it. */
static void sleeps_in_splice(struct actor *actor)
{
	bool ours = ((target->bit | second) & OURS) && !(second & BY_KERNEL);

	sleeps_in(actor, ours ? SYS_ioctl : SYS_splice);
}

/* For actions: the descriptor of the other pipe. */
static int other_fd;

static long do_splice_to(long to, long len, long flags)
{
	return move(other_fd, to, len, flags);
}

static long do_splice_from(long from, long len, long flags)
{
	return move(from, other_fd, len, flags);
}

/* An actor that has @fd and @other open. */
static struct actor *actor_with_both(int fd, int other)
{
	other_fd = other;
	return new_actor_with_both(fd, other);
}

static void bytes_go_out_in_order(void **state)
{
	struct ends e = open_ends(O_NONBLOCK), other = second_pipe();
	__u32 sum;

	(void)state;
	assert_ret(10000, put(e.w, 10000, 1));
	assert_ret(10000, move(e.r, other.w, 1 << 20, 0));
	assert_ret(0, bytes_in(e.r));
	assert_ret(10000, get(other.r, 20000, &sum));
	assert_int_equal(sum, sum_of_pattern(10000, 1));
	assert_ret(POLLOUT, poll_now(e.w, POLLOUT));
}

static void bytes_come_in_in_order(void **state)
{
	struct ends e = open_ends(O_NONBLOCK), other = second_pipe();
	__u32 sum;

	(void)state;
	assert_ret(10000, put(other.w, 10000, 1));
	assert_ret(10000, move(other.r, e.w, 1 << 20, 0));
	assert_ret(10000, bytes_in(e.r));
	assert_ret(10000, get(e.r, 20000, &sum));
	assert_int_equal(sum, sum_of_pattern(10000, 1));
}

static void a_part_leaves_the_rest(void **state)
{
	struct ends e = open_ends(O_NONBLOCK), other = second_pipe();
	char buf[PAGE];

	(void)state;
	assert_ret(6, write(e.w, "abcdef", 6));
	assert_ret(2, move(e.r, other.w, 2, 0));
	/* The page is in both pipes now: what follows must not show there. */
	assert_ret(3, write(e.w, "xyz", 3));
	assert_ret(2, read(other.r, buf, sizeof(buf)));
	assert_memory_equal(buf, "ab", 2);
	assert_ret(7, read(e.r, buf, sizeof(buf)));
	assert_memory_equal(buf, "cdefxyz", 7);
	assert_ret(4, write(other.w, "1234", 4));
	assert_ret(3, move(other.r, e.w, 3, 0));
	assert_ret(3, read(e.r, buf, sizeof(buf)));
	assert_memory_equal(buf, "123", 3);
	assert_ret(1, read(other.r, buf, sizeof(buf)));
	assert_int_equal(buf[0], '4');
}

/* Dirty Pipe, the other way round: a page that was given away stays as it is. */
static void given_pages_are_not_written_again(void **state)
{
	struct ends e = open_ends(O_NONBLOCK), other = second_pipe();
	__u32 sum;
	int i;

	(void)state;
	assert_ret(4 * PAGE, put(e.w, 4 * PAGE, 1));
	/* Three pages whole, and a part of the fourth. */
	assert_ret(3 * PAGE + 100, move(e.r, other.w, 3 * PAGE + 100, 0));
	assert_ret(PAGE - 100, get(e.r, PAGE, NULL));
	for (i = 0; i < 40; i++) {
		assert_ret(PAGE, put(e.w, PAGE, 50 + i));
		assert_ret(PAGE, get(e.r, PAGE, NULL));
	}
	assert_ret(3 * PAGE + 100, get(other.r, 5 * PAGE, &sum));
	assert_int_equal(sum, sum_of_pattern(3 * PAGE + 100, 1));
}

/* What comes from a file is copied, or later writes would change the file. */
static void a_file_is_not_written_to(void **state)
{
	struct ends e = open_ends(O_NONBLOCK), other = second_pipe();
	int file = memfd_create("ipcdemo-test", MFD_CLOEXEC);
	loff_t from = 0;
	char buf[PAGE];

	(void)state;
	fill_pattern(buf, PAGE, 1);
	assert_ret(PAGE, write(file, buf, PAGE));
	assert_ret(100, call_splice(file, &from, other.w, NULL, 100, 0));
	assert_ret(100, move(other.r, e.w, 100, 0));
	assert_ret(200, put(e.w, 200, 9));
	assert_ret(PAGE, pread(file, buf, PAGE, 0));
	assert_int_equal(sum_of(buf, PAGE), sum_of_pattern(PAGE, 1));
	assert_ret(300, get(e.r, 1000, NULL));
}

static void sendfile_comes_in(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int file = memfd_create("ipcdemo-test", MFD_CLOEXEC);
	off_t from = 0;
	__u32 sum;

	(void)state;
	assert_ret(10000, put(file, 10000, 1));
	assert_ret(10000, sendfile(e.w, file, &from, 10000));
	assert_ret(10000, get(e.r, 20000, &sum));
	assert_int_equal(sum, sum_of_pattern(10000, 1));
}

static void nothing_there_is_eagain(void **state)
{
	struct ends e = open_ends(0), other = second_pipe();

	(void)state;
	assert_errno(EAGAIN, move(e.r, other.w, 10, SPLICE_F_NONBLOCK));
	assert_errno(EAGAIN, move(other.r, e.w, 10, SPLICE_F_NONBLOCK));
	nonblocking(e.r, true);
	assert_errno(EAGAIN, move(e.r, other.w, 10, 0));
	/* The flag of our end says so for both. */
	nonblocking(e.w, true);
	assert_errno(EAGAIN, move(other.r, e.w, 10, 0));
	/* Nor room. */
	assert_ret(1, put(other.w, 1, 1));
	nonblocking(e.w, true);
	fill_up(e.w, PAGE);
	assert_errno(EAGAIN, move(other.r, e.w, 10, 0));
	nonblocking(e.w, false);
	assert_errno(EAGAIN, move(other.r, e.w, 10, SPLICE_F_NONBLOCK));
	/* The other end's flag says the same. */
	nonblocking(other.r, true);
	assert_errno(EAGAIN, move(other.r, e.w, 10, 0));
	nonblocking(other.w, true);
	fill_up(other.w, PAGE);
	assert_errno(EAGAIN, move(e.r, other.w, 10, SPLICE_F_NONBLOCK));
	assert_errno(EAGAIN, move(e.r, other.w, 10, 0));
	assert_ret(DEFAULT_SIZE, bytes_in(e.r));
}

static void nothing_asked_for_is_nothing(void **state)
{
	struct ends e = open_ends(0), other = second_pipe();

	(void)state;
	assert_ret(0, move(e.r, other.w, 0, 0));
	assert_ret(0, move(other.r, e.w, 0, 0));
}

static void the_end_is_0(void **state)
{
	struct ends e = open_ends(0), other = second_pipe();

	(void)state;
	assert_ret(3, put(e.w, 3, 1));
	close(e.w);
	assert_ret(3, move(e.r, other.w, 100, 0));
	assert_ret(0, move(e.r, other.w, 100, 0));
}

static void the_end_of_the_second_pipe_is_0(void **state)
{
	struct ends e = open_ends(0), other = second_pipe();

	(void)state;
	assert_ret(3, put(other.w, 3, 1));
	close(other.w);
	assert_ret(3, move(other.r, e.w, 100, 0));
	assert_ret(0, move(other.r, e.w, 100, 0));
	assert_ret(3, bytes_in(e.r));
}

static void no_reader_is_epipe(void **state)
{
	struct ends e = open_ends(0), other = second_pipe();

	(void)state;
	assert_ret(3, put(e.w, 3, 1));
	assert_ret(3, put(other.w, 3, 1));
	close(other.r);
	assert_errno(EPIPE, move(e.r, other.w, 100, 0));
	/* What could not be given is there still. */
	assert_ret(3, bytes_in(e.r));
}

static void no_reader_of_the_target_is_epipe(void **state)
{
	struct ends e = open_ends(0), other = second_pipe();

	(void)state;
	assert_ret(3, put(other.w, 3, 1));
	close(e.r);
	assert_errno(EPIPE, move(other.r, e.w, 100, 0));
	assert_ret(3, bytes_in(other.r));
}

static void the_wrong_end_is_ebadf(void **state)
{
	struct ends e = open_ends(0), other = second_pipe();

	(void)state;
	assert_errno(EBADF, move(e.w, other.w, 10, 0));
	assert_errno(EBADF, move(other.r, e.r, 10, 0));
}

static void it_waits_for_bytes(void **state)
{
	struct ends e = open_ends(0), other = second_pipe();
	struct actor *actor = actor_with_both(e.r, other.w);

	(void)state;
	begin(actor, do_splice_from, e.r, 100, 0);
	sleeps_in_splice(actor);
	/* The kernel's pipe works meanwhile: its mutex was given back. */
	assert_ret(1, put(other.w, 1, 9));
	assert_ret(1, get(other.r, 10, NULL));
	assert_ret(5, put(e.w, 5, 1));
	assert_ret(5, end(actor).ret);
	assert_ret(5, get(other.r, 10, NULL));
}

static void it_waits_for_room(void **state)
{
	struct ends e = open_ends(O_NONBLOCK), other = second_pipe();
	struct actor *actor;

	(void)state;
	fill_up(e.w, PAGE);
	nonblocking(e.w, false);
	assert_ret(5, put(other.w, 5, 1));
	actor = actor_with_both(e.w, other.r);
	begin(actor, do_splice_to, e.w, 100, 0);
	sleeps_in_splice(actor);
	assert_ret(1, put(other.w, 1, 9));
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_int_equal(end(actor).ret, 6);
	assert_ret(15 * PAGE + 6, drain(e.r));
}

static void it_waits_for_room_in_the_second_pipe(void **state)
{
	struct ends e = open_ends(O_NONBLOCK), other = second_pipe();
	struct actor *actor;

	(void)state;
	nonblocking(other.w, true);
	fill_up(other.w, PAGE);
	nonblocking(other.w, false);
	assert_ret(5, put(e.w, 5, 1));
	nonblocking(e.r, false);
	actor = actor_with_both(e.r, other.w);
	begin(actor, do_splice_from, e.r, 100, 0);
	sleeps_in_splice(actor);
	assert_ret(PAGE, get(other.r, PAGE, NULL));
	assert_int_equal(end(actor).ret, 5);
}

static void the_last_close_ends_the_wait(void **state)
{
	struct ends e = open_ends(0), other = second_pipe();
	struct actor *actor = actor_with_both(e.r, other.w);

	(void)state;
	begin(actor, do_splice_from, e.r, 100, 0);
	sleeps_in_splice(actor);
	close(e.w);
	assert_ret(0, end(actor).ret);
}

static void a_signal_ends_the_wait(void **state)
{
	struct ends e = open_ends(0), other = second_pipe();
	struct actor *actor = actor_with_both(e.r, other.w);

	(void)state;
	assert_ret(0, does(actor, do_catch, SIGUSR1, 0, 0).ret);
	begin(actor, do_splice_from, e.r, 100, 0);
	sleeps_in_splice(actor);
	kill(actor->pid, SIGUSR1);
	assert_int_equal(end(actor).err, EINTR);
	assert_ret(5, put(e.w, 5, 1));
	assert_ret(5, get(e.r, 10, NULL));
}

static void kill_ends_the_wait(void **state)
{
	struct ends e = open_ends(O_NONBLOCK), other = second_pipe();
	struct actor *actor;

	(void)state;
	fill_up(e.w, PAGE);
	nonblocking(e.w, false);
	assert_ret(5, put(other.w, 5, 1));
	actor = actor_with_both(e.w, other.r);
	begin(actor, do_splice_to, e.w, 100, 0);
	sleeps_in_splice(actor);
	destroy(actor);
	assert_ret(5, bytes_in(other.r));
	assert_ret(16 * PAGE, drain(e.r));
}

static long do_relay_in(long to, long total, long c)
{
	long done = 0, ret;

	(void)c;
	while (done < total) {
		ret = move(other_fd, to, total - done, 0);
		if (ret <= 0)
			return -1;
		done += ret;
	}
	return done;
}

static long do_relay_out(long from, long total, long c)
{
	long done = 0, ret;

	(void)c;
	while (done < total) {
		ret = move(from, other_fd, total - done, 0);
		if (ret <= 0)
			return -1;
		done += ret;
	}
	return done;
}

/* One writes, one splices in, one splices out, and we read and add it all up. */
static void a_long_chain_loses_nothing(void **state)
{
	enum { ROUNDS = 60, CHUNK = 7001 };
	struct ends e = open_ends(0), first = second_pipe(),
		    last = second_pipe();
	struct actor *in, *out, *writer;
	long left = (long)ROUNDS * CHUNK, got, sent = 0;
	unsigned char buf[CHUNK];
	size_t fill = 0;
	int round = 0;

	(void)state;
	in = actor_with_both(e.w, first.r);
	out = actor_with_both(e.r, last.w);
	writer = new_actor_with(first.w);
	begin(in, do_relay_in, e.w, left, 0);
	begin(out, do_relay_out, e.r, left, 0);
	while (left) {
		if (sent <= round && sent < ROUNDS)
			begin(writer, do_write, first.w, CHUNK, sent++);
		got = read(last.r, buf + fill, CHUNK - fill);
		assert_true(got > 0);
		fill += got;
		left -= got;
		if (fill < CHUNK)
			continue;
		assert_int_equal(sum_of(buf, CHUNK),
				 sum_of_pattern(CHUNK, round));
		assert_ret(CHUNK, end(writer).ret);
		round++;
		fill = 0;
	}
	assert_ret(ROUNDS * CHUNK, end(in).ret);
	assert_ret(ROUNDS * CHUNK, end(out).ret);
}

static void packets_stay_packets(void **state)
{
	struct ends e = open_ends(O_NONBLOCK), other = second_pipe();
	int flags = fcntl(e.w, F_GETFL);

	(void)state;
	assert_ret(0, fcntl(e.w, F_SETFL, flags | O_DIRECT));
	assert_ret(10, put(e.w, 10, 1));
	assert_ret(20, put(e.w, 20, 2));
	assert_ret(30, move(e.r, other.w, 1000, 0));
	assert_ret(5, get(other.r, 5, NULL));
	assert_ret(20, get(other.r, 1000, NULL));
	assert_ret(0, bytes_in(other.r));
}

static void pages_are_accounted_for(void **state)
{
	__u64 out = pages_out();
	struct ends e = open_ends(O_NONBLOCK), other = second_pipe();
	__u64 given = counter("pipe", "page.give");

	(void)state;
	assert_ret(4 * PAGE, put(e.w, 4 * PAGE, 1));
	assert_ret(3 * PAGE + 1, move(e.r, other.w, 3 * PAGE + 1, 0));
	assert_int_equal(counter("pipe", "page.give"), given + 3);
	close(e.r);
	close(e.w);
	assert_int_equal(pages_out(), out);
	assert_ret(3 * PAGE + 1, get(other.r, 5 * PAGE, NULL));
}

#define DIRECT_ENDS (ENDS & ~DEV)

static const struct claim claims[] = {
	{"bytes go out in order", bytes_go_out_in_order, ENDS | SECOND},
	{"bytes enter in order", bytes_come_in_in_order, ENDS | SECOND},
	{"a part leaves the rest", a_part_leaves_the_rest, ENDS | SECOND},
	{"pages that were given away are not written again",
	 given_pages_are_not_written_again, ENDS | SECOND},
	{"what came from a file is not written to", a_file_is_not_written_to,
	 ENDS | SECOND},
	{"sendfile comes in", sendfile_comes_in, ENDS},
	{"nothing there, or no room, is EAGAIN", nothing_there_is_eagain,
	 ENDS | SECOND},
	{"nothing asked for is nothing", nothing_asked_for_is_nothing,
	 ENDS | SECOND},
	{"the end is 0", the_end_is_0, ENDS | SECOND},
	{"the end of the second pipe is 0", the_end_of_the_second_pipe_is_0,
	 ENDS | SECOND},
	{"no reader behind it is EPIPE", no_reader_is_epipe, ENDS | SECOND},
	{"no reader of the target is EPIPE", no_reader_of_the_target_is_epipe,
	 ENDS | SECOND},
	{"the wrong end is EBADF", the_wrong_end_is_ebadf, ENDS | SECOND},
	{"it waits for bytes, and keeps nobody from the other pipe",
	 it_waits_for_bytes, ENDS | SECOND},
	{"it waits for room, and keeps nobody from the other pipe",
	 it_waits_for_room, ENDS | SECOND},
	{"it waits for room in the second pipe",
	 it_waits_for_room_in_the_second_pipe, ENDS | SECOND},
	{"the last close ends the wait", the_last_close_ends_the_wait,
	 ENDS | SECOND},
	{"a signal ends the wait", a_signal_ends_the_wait, ENDS | SECOND},
	{"SIGKILL ends the wait", kill_ends_the_wait, ENDS | SECOND},
	{"a long chain loses nothing", a_long_chain_loses_nothing,
	 ENDS | SECOND},
	{"packets stay packets", packets_stay_packets, DIRECT_ENDS | SECOND},
	{"pages that are given away are accounted for", pages_are_accounted_for,
	 DEV | SECOND},
};

int main(void)
{
	find_calls();
	return run_claims("splice", claims, NR(claims));
}

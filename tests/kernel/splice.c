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
#include "library.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

static long move(int from, int to, size_t len, unsigned int flags)
{
	if (second & BY_KERNEL)
		return splice(from, NULL, to, NULL, len, flags);
	return lib_splice(from, NULL, to, NULL, len, flags);
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
	assert_ret(100, lib_splice(file, &from, other.w, NULL, 100, 0));
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

/* --- two pipes: what goes wrong ------------------------------------------------ */

static void wrong_calls_have_their_errno(void **state)
{
	struct ends e = open_ends(O_NONBLOCK), other = second_pipe();
	off64_t offset = 0;

	(void)state;
	assert_ret(5, put(e.w, 5, 1));
	/* In this order: a length of 0 comes before all else, in splice. */
	assert_ret(0, lib_splice(-1, NULL, -1, NULL, 0, 0x100));
	assert_errno(EINVAL, lib_splice(-1, NULL, other.w, NULL, 1, 0x100));
	assert_errno(EINVAL, lib_tee(e.r, other.w, 0, 0x100));
	assert_ret(0, lib_tee(-1, -1, 0, 0));
	assert_errno(EBADF, lib_splice(-1, NULL, other.w, NULL, 1, 0));
	assert_errno(EBADF, lib_splice(e.r, NULL, -1, NULL, 1, 0));
	assert_errno(EBADF, lib_tee(e.r, -1, 1, 0));
	assert_errno(EBADF, lib_tee(e.w, other.w, 1, 0));
	assert_errno(EBADF, lib_tee(e.r, other.r, 1, 0));
	assert_errno(ESPIPE, lib_splice(e.r, nowhere(), other.w, NULL, 1, 0));
	assert_errno(ESPIPE, lib_splice(e.r, NULL, other.w, &offset, 1, 0));
	assert_errno(ESPIPE, lib_splice(other.r, NULL, e.w, &offset, 1, 0));
	/* Of the same pipe. */
	assert_errno(EINVAL, lib_splice(e.r, NULL, e.w, NULL, 1, 0));
	assert_errno(EINVAL, lib_tee(e.r, e.w, 1, 0));
	assert_ret(5, bytes_in(e.r));
	/* The end, but nobody reads what would be given. */
	assert_ret(5, get(e.r, 5, NULL));
	close(e.w);
	close(other.r);
	assert_errno(EPIPE, lib_splice(e.r, NULL, other.w, NULL, 1, 0));
	assert_errno(EPIPE, lib_tee(e.r, other.w, 1, 0));
}

/* --- tee ----------------------------------------------------------------------- */

static long do_tee_from(long from, long len, long flags)
{
	return lib_tee(from, other_fd, len, flags);
}

static long do_tee_to(long to, long len, long flags)
{
	return lib_tee(other_fd, to, len, flags);
}

static void tee_leaves_the_bytes(void **state)
{
	struct ends e = open_ends(O_NONBLOCK), other = second_pipe();
	__u32 sum;

	(void)state;
	nonblocking(other.r, true);
	assert_ret(10000, put(e.w, 10000, 1));
	assert_ret(10000, lib_tee(e.r, other.w, 20000, 0));
	/* It begins with the oldest each time. */
	assert_ret(100, lib_tee(e.r, other.w, 100, 0));
	assert_ret(10000, bytes_in(e.r));
	assert_ret(10100, bytes_in(other.r));
	assert_ret(10000, get(other.r, 10000, &sum));
	assert_int_equal(sum, sum_of_pattern(10000, 1));
	assert_ret(100, get(other.r, 20000, &sum));
	assert_int_equal(sum, sum_of_pattern(100, 1));
	assert_ret(10000, get(e.r, 20000, &sum));
	assert_int_equal(sum, sum_of_pattern(10000, 1));
}

static void tee_comes_in(void **state)
{
	struct ends e = open_ends(O_NONBLOCK), other = second_pipe();
	__u32 sum;

	(void)state;
	assert_ret(10000, put(other.w, 10000, 1));
	assert_ret(10000, lib_tee(other.r, e.w, 20000, 0));
	assert_ret(10000, bytes_in(other.r));
	assert_ret(10000, get(e.r, 20000, &sum));
	assert_int_equal(sum, sum_of_pattern(10000, 1));
	assert_ret(10000, get(other.r, 20000, &sum));
	assert_int_equal(sum, sum_of_pattern(10000, 1));
}

/* Dirty Pipe: the page is in both, and each goes on for itself. */
static void what_is_written_after_tee_stays_apart(void **state)
{
	struct ends e = open_ends(O_NONBLOCK), other = second_pipe();
	char buf[PAGE];
	int i;

	(void)state;
	assert_ret(6, write(e.w, "abcdef", 6));
	assert_ret(6, lib_tee(e.r, other.w, 100, 0));
	assert_ret(3, write(other.w, "XYZ", 3));
	assert_ret(3, write(e.w, "uvw", 3));
	assert_ret(9, read(e.r, buf, sizeof(buf)));
	assert_memory_equal(buf, "abcdefuvw", 9);
	/* The slot is drained; its page is in the other pipe still. */
	for (i = 0; i < 40; i++) {
		assert_ret(PAGE, put(e.w, PAGE, i));
		assert_ret(PAGE, get(e.r, PAGE, NULL));
	}
	assert_ret(9, read(other.r, buf, sizeof(buf)));
	assert_memory_equal(buf, "abcdefXYZ", 9);
}

static void tee_waits_for_bytes(void **state)
{
	struct ends e = open_ends(0), other = second_pipe();
	struct actor *actor = actor_with_both(e.r, other.w);
	bool ours = (target->bit | second) & OURS;

	(void)state;
	begin(actor, do_tee_from, e.r, 100, 0);
	sleeps_in(actor, ours ? SYS_ioctl : SYS_tee);
	/* Both pipes work meanwhile. */
	assert_ret(1, put(other.w, 1, 9));
	assert_ret(1, get(other.r, 10, NULL));
	assert_ret(5, put(e.w, 5, 1));
	assert_ret(5, end(actor).ret);
	assert_ret(5, bytes_in(e.r));
	assert_ret(5, get(other.r, 10, NULL));
}

static void tee_waits_for_room(void **state)
{
	struct ends e = open_ends(O_NONBLOCK), other = second_pipe();
	bool ours = (target->bit | second) & OURS;
	struct actor *actor;

	(void)state;
	fill_up(e.w, PAGE);
	assert_ret(5, put(other.w, 5, 1));
	nonblocking(e.w, false);
	actor = actor_with_both(e.w, other.r);
	begin(actor, do_tee_to, e.w, 100, 0);
	sleeps_in(actor, ours ? SYS_ioctl : SYS_tee);
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_int_equal(end(actor).ret, 5);
	assert_ret(5, bytes_in(other.r));
	assert_ret(15 * PAGE + 5, drain(e.r));
}

static void a_signal_ends_a_tee(void **state)
{
	struct ends e = open_ends(0), other = second_pipe();
	struct actor *actor = actor_with_both(e.r, other.w);
	bool ours = (target->bit | second) & OURS;

	(void)state;
	assert_ret(0, does(actor, do_catch, SIGUSR1, 0, 0).ret);
	begin(actor, do_tee_from, e.r, 100, 0);
	sleeps_in(actor, ours ? SYS_ioctl : SYS_tee);
	kill(actor->pid, SIGUSR1);
	assert_int_equal(end(actor).err, EINTR);
	/* Restarted, and then the last writer goes. */
	assert_ret(0, does(actor, do_catch, SIGUSR1, SA_RESTART, 0).ret);
	begin(actor, do_tee_from, e.r, 100, 0);
	sleeps_in(actor, ours ? SYS_ioctl : SYS_tee);
	kill(actor->pid, SIGUSR1);
	sleeps_in(actor, ours ? SYS_ioctl : SYS_tee);
	close(e.w);
	assert_ret(0, end(actor).ret);
	assert_ret(1, does(actor, do_count, SIGUSR1, 0, 0).ret);
}

/* --- both directions at once ---------------------------------------------------- */

static long do_move_on(long from, long rounds, long c)
{
	long i, ret;

	(void)c;
	for (i = 0; i < rounds; i++) {
		ret = move(from, other_fd, 1 + i % 5000, SPLICE_F_NONBLOCK);
		if (ret < 0 && errno != EAGAIN)
			return -1;
	}
	return rounds;
}

/* From the one to the other and back: neither stops the other for good. */
static void opposite_splices_go_on(void **state)
{
	enum { ROUNDS = 3000 };
	struct ends e = open_ends(O_NONBLOCK), other = second_pipe();
	struct actor *there, *back;

	(void)state;
	nonblocking(other.r, true);
	assert_ret(5 * PAGE + 7, put(e.w, 5 * PAGE + 7, 1));
	assert_ret(5 * PAGE + 7, put(other.w, 5 * PAGE + 7, 1));
	there = actor_with_both(e.r, other.w);
	back = actor_with_both(other.r, e.w);
	begin(there, do_move_on, e.r, ROUNDS, 0);
	begin(back, do_move_on, other.r, ROUNDS, 0);
	assert_ret(ROUNDS, end(there).ret);
	assert_ret(ROUNDS, end(back).ret);
	assert_int_equal(bytes_in(e.r) + bytes_in(other.r), 10 * PAGE + 14);
	assert_int_equal(drain(e.r) + drain(other.r), 10 * PAGE + 14);
}

/* --- files ---------------------------------------------------------------------- */

static int file_with(size_t len)
{
	int file = memfd_create("ipcdemo-test", MFD_CLOEXEC);

	if (len)
		assert_ret(len, put(file, len, 1));
	assert_ret(0, lseek(file, 0, SEEK_SET));
	return file;
}

static void a_file_comes_in(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int file = file_with(5 * PAGE + 10);
	off64_t at = 100;
	__u32 sum;

	(void)state;
	assert_ret(PAGE, lib_splice(file, &at, e.w, NULL, PAGE, 0));
	assert_int_equal(at, PAGE + 100);
	assert_int_equal(lseek(file, 0, SEEK_CUR), 0);
	assert_ret(PAGE, get(e.r, 2 * PAGE, NULL));
	/* Its own offset, and up to its end. */
	assert_ret(5 * PAGE + 10,
		   lib_splice(file, NULL, e.w, NULL, 1 << 20, 0));
	assert_int_equal(lseek(file, 0, SEEK_CUR), 5 * PAGE + 10);
	assert_ret(0, lib_splice(file, NULL, e.w, NULL, 1 << 20, 0));
	assert_ret(5 * PAGE + 10, get(e.r, 8 * PAGE, &sum));
	assert_int_equal(sum, sum_of_pattern(5 * PAGE + 10, 1));
}

/* The page is the file's own: what changes there shows, and never the reverse. */
static void a_page_of_a_file_is_shared(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int file = file_with(PAGE);
	char buf[2 * PAGE];
	off64_t at = 0;
	int i;

	(void)state;
	assert_ret(10, lib_splice(file, &at, e.w, NULL, 10, 0));
	assert_ret(3, pwrite(file, "xyz", 3, 0));
	/* Does not go behind the bytes of the file, into it. */
	assert_ret(4, write(e.w, "1234", 4));
	assert_ret(14, read(e.r, buf, sizeof(buf)));
	assert_memory_equal(buf, "xyz", 3);
	assert_memory_equal(buf + 10, "1234", 4);
	/* Nor is the page used for other bytes, once it was read. */
	for (i = 0; i < 40; i++) {
		assert_ret(PAGE, put(e.w, PAGE, 50 + i));
		assert_ret(PAGE, get(e.r, PAGE, NULL));
	}
	fill_pattern(buf + PAGE, PAGE, 1);
	memcpy(buf + PAGE, "xyz", 3);
	assert_ret(PAGE, pread(file, buf, PAGE, 0));
	assert_memory_equal(buf, buf + PAGE, PAGE);
}

static void bytes_go_into_a_file(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int file = file_with(0);
	off64_t at = 1000;
	__u32 sum;

	(void)state;
	assert_ret(10000, put(e.w, 10000, 1));
	assert_ret(10000, lib_splice(e.r, NULL, file, &at, 1 << 20, 0));
	assert_int_equal(at, 11000);
	assert_int_equal(lseek(file, 0, SEEK_CUR), 0);
	assert_int_equal(lseek(file, 1000, SEEK_SET), 1000);
	assert_ret(10000, get(file, 20000, &sum));
	assert_int_equal(sum, sum_of_pattern(10000, 1));
	assert_ret(5, put(e.w, 5, 2));
	assert_ret(3, lib_splice(e.r, NULL, file, NULL, 3, 0));
	assert_int_equal(lseek(file, 0, SEEK_CUR), 11003);
	assert_ret(2, get(e.r, 100, NULL));
	assert_errno(EAGAIN, lib_splice(e.r, NULL, file, NULL, 3, 0));
	close(e.w);
	assert_ret(0, lib_splice(e.r, NULL, file, NULL, 3, 0));
}

static void files_have_their_errno(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int file = file_with(100), zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	int event = eventfd(0, EFD_CLOEXEC);
	off64_t at = 0;

	(void)state;
	/* Nothing to splice with on the other side, in the kernel's order. */
	assert_errno(EBADF, lib_splice(e.w, NULL, file, NULL, 1, 0));
	assert_errno(EBADF, lib_splice(file, NULL, e.r, NULL, 1, 0));
	assert_errno(ESPIPE, lib_splice(e.r, nowhere(), file, NULL, 1, 0));
	assert_errno(ESPIPE, lib_splice(file, NULL, e.w, nowhere(), 1, 0));
	assert_errno(EFAULT, lib_splice(e.r, NULL, file, nowhere(), 1, 0));
	assert_errno(EFAULT, lib_splice(file, nowhere(), e.w, NULL, 1, 0));
	assert_errno(EINVAL, lib_splice(e.r, NULL, event, NULL, 1, 0));
	assert_errno(EINVAL, lib_splice(event, NULL, e.w, NULL, 1, 0));
	assert_errno(EINVAL, lib_splice(zero, NULL, file, NULL, 1, 0));
	assert_errno(EINVAL, lib_tee(e.r, file, 1, 0));
	assert_errno(EINVAL, lib_tee(file, e.w, 1, 0));
	at = -1;
	assert_errno(EINVAL, lib_splice(file, &at, e.w, NULL, 1, 0));
	assert_ret(5, put(e.w, 5, 1));
	assert_errno(EINVAL, lib_splice(e.r, NULL, file, &at, 1, 0));
	assert_ret(0, fcntl(file, F_SETFL, O_APPEND));
	assert_errno(EINVAL, lib_splice(e.r, NULL, file, NULL, 1, 0));
	assert_ret(5, bytes_in(e.r));
	fill_up(e.w, PAGE);
	assert_errno(EAGAIN, lib_splice(file, NULL, e.w, NULL, 1, 0));
	close(e.r);
	assert_errno(EPIPE, lib_splice(file, NULL, e.w, NULL, 1, 0));
}

static void what_a_file_refuses_stays(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int file =
		memfd_create("ipcdemo-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)state;
	assert_ret(0, ftruncate(file, PAGE));
	assert_ret(0, fcntl(file, F_ADD_SEALS, F_SEAL_GROW));
	assert_ret(3 * PAGE, put(e.w, 3 * PAGE, 1));
	/* As far as it goes, then nothing: the rest was not taken. */
	assert_ret(PAGE, lib_splice(e.r, NULL, file, NULL, 3 * PAGE, 0));
	assert_errno(EPERM, lib_splice(e.r, NULL, file, NULL, 3 * PAGE, 0));
	assert_ret(2 * PAGE, bytes_in(e.r));
	assert_ret(2 * PAGE, drain(e.r));
}

static long do_file_in(long file, long to, long len)
{
	return lib_splice(file, NULL, to, NULL, len, 0);
}

static long do_file_out(long from, long file, long len)
{
	return lib_splice(from, NULL, file, NULL, len, 0);
}

static void sleeps_with_a_file(struct actor *actor)
{
	sleeps_in(actor, target->bit & OURS ? SYS_ioctl : SYS_splice);
}

static void a_file_waits_for_room(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int file = file_with(10);
	struct actor *actor;

	(void)state;
	fill_up(e.w, PAGE);
	nonblocking(e.w, false);
	actor = new_actor_with_both(e.w, file);
	begin(actor, do_file_in, file, e.w, 100);
	sleeps_with_a_file(actor);
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_int_equal(end(actor).ret, 10);
	nonblocking(e.w, true);
	fill_up(e.w, PAGE);
	nonblocking(e.w, false);
	begin(actor, do_file_in, file, e.w, 100);
	sleeps_with_a_file(actor);
	destroy(actor);
	close(file);
	assert_int_not_equal(drain(e.r), 0);
}

static void a_file_waits_for_bytes(void **state)
{
	struct ends e = open_ends(0);
	int file = file_with(0);
	struct actor *actor = new_actor_with_both(e.r, file);

	(void)state;
	assert_ret(0, does(actor, do_catch, SIGUSR1, 0, 0).ret);
	begin(actor, do_file_out, e.r, file, 100);
	sleeps_with_a_file(actor);
	kill(actor->pid, SIGUSR1);
	assert_int_equal(end(actor).err, EINTR);
	begin(actor, do_file_out, e.r, file, 100);
	sleeps_with_a_file(actor);
	assert_ret(5, put(e.w, 5, 1));
	assert_ret(5, end(actor).ret);
	begin(actor, do_file_out, e.r, file, 100);
	sleeps_with_a_file(actor);
	close(e.w);
	assert_ret(0, end(actor).ret);
}

/* --- sockets -------------------------------------------------------------------- */

static void socket_pair(int type, int *sock)
{
	assert_ret(0, socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK,
				 0, sock));
}

/* A connection by TCP, whose pages go by reference. */
static void tcp_pair(int *sock)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_ret(0, system("ip link set lo up"));
	assert_ret(0, bind(listener, (void *)&address, sizeof(address)));
	assert_ret(0, listen(listener, 1));
	assert_ret(0, getsockname(listener, (void *)&address, &size));
	sock[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_ret(0, connect(sock[0], (void *)&address, sizeof(address)));
	sock[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(sock[1] >= 0);
	close(listener);
}

static void goes_through_sockets(int *sock)
{
	struct ends e = open_ends(O_NONBLOCK);
	size_t got = 0;
	ssize_t ret;
	__u32 sum;
	int i;

	assert_ret(10000, put(e.w, 10000, 1));
	assert_ret(10000, lib_splice(e.r, NULL, sock[0], NULL, 20000, 0));
	/* Its pages may be on their way still: they are not written to. */
	for (i = 0; i < 40; i++) {
		assert_ret(PAGE, put(e.w, PAGE, i));
		assert_ret(PAGE, get(e.r, PAGE, NULL));
	}
	while (got < 10000) {
		ret = lib_splice(sock[1], NULL, e.w, NULL, 10000 - got, 0);
		if (ret == -1 && errno == EAGAIN)
			continue;
		assert_true(ret > 0);
		got += ret;
	}
	assert_ret(10000, bytes_in(e.r));
	assert_ret(10000, get(e.r, 20000, &sum));
	assert_int_equal(sum, sum_of_pattern(10000, 1));
	shutdown(sock[0], SHUT_WR);
	assert_ret(0, lib_splice(sock[1], NULL, e.w, NULL, 100, 0));
}

static void bytes_go_through_a_unix_socket(void **state)
{
	int sock[2];

	(void)state;
	socket_pair(SOCK_STREAM, sock);
	goes_through_sockets(sock);
	/* The other side is gone. */
	close(sock[1]);
}

static void bytes_go_through_tcp(void **state)
{
	int sock[2];

	(void)state;
	tcp_pair(sock);
	goes_through_sockets(sock);
}

static void sockets_have_their_errno(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int sock[2];

	(void)state;
	socket_pair(SOCK_STREAM, sock);
	/* Who waits is the socket: it says so by itself. */
	assert_errno(EAGAIN, lib_splice(sock[0], NULL, e.w, NULL, 10, 0));
	assert_ret(5, put(e.w, 5, 1));
	assert_ret(5, put(sock[1], 5, 1));
	close(sock[1]);
	assert_ret(5, lib_splice(sock[0], NULL, e.w, NULL, 10, 0));
	assert_ret(0, lib_splice(sock[0], NULL, e.w, NULL, 10, 0));
	assert_errno(EPIPE, lib_splice(e.r, NULL, sock[0], NULL, 10, 0));
	assert_ret(10, bytes_in(e.r));
}

/* --- memory --------------------------------------------------------------------- */

static long do_vmsplice(long fd, long address, long len)
{
	struct iovec iov = {(void *)address, len};

	return lib_vmsplice(fd, &iov, 1, 0);
}

static void memory_comes_in_by_reference(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	char *memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec iov[2] = {{memory + 100, PAGE}, {memory + 2 * PAGE, 7}};
	char buf[2 * PAGE];

	(void)state;
	memset(memory, 'a', 4 * PAGE);
	assert_ret(PAGE + 7, lib_vmsplice(e.w, iov, 2, SPLICE_F_GIFT));
	assert_ret(PAGE + 7, bytes_in(e.r));
	/* Changes that come later show; what is written to the pipe does not. */
	memory[100] = 'x';
	memory[2 * PAGE + 6] = 'y';
	assert_ret(3, write(e.w, "123", 3));
	assert_ret(PAGE + 10, read(e.r, buf, sizeof(buf)));
	assert_int_equal(buf[0], 'x');
	assert_int_equal(buf[1], 'a');
	assert_int_equal(buf[PAGE + 6], 'y');
	assert_memory_equal(buf + PAGE + 7, "123", 3);
	assert_int_equal(memory[2 * PAGE + 7], 'a');
	/* Memory that is gone stays in the pipe. */
	assert_ret(PAGE + 7, lib_vmsplice(e.w, iov, 2, 0));
	munmap(memory, 4 * PAGE);
	assert_ret(PAGE + 7, read(e.r, buf, sizeof(buf)));
	assert_int_equal(buf[0], 'x');
}

static void memory_goes_out(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	char a[100], b[PAGE];
	struct iovec iov[2] = {{a, sizeof(a)}, {b, sizeof(b)}};
	__u32 sum;

	(void)state;
	assert_ret(1000, put(e.w, 1000, 1));
	assert_ret(1000, lib_vmsplice(e.r, iov, 2, 0));
	sum = sum_of(a, 100);
	assert_int_equal(sum, sum_of_pattern(100, 1));
	assert_errno(EAGAIN, lib_vmsplice(e.r, iov, 2, SPLICE_F_NONBLOCK));
	close(e.w);
	assert_ret(0, lib_vmsplice(e.r, iov, 2, 0));
}

static void vmsplice_has_its_errno(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	char buf[PAGE] = {};
	struct iovec good = {buf, 10}, none = {buf, 0};
	struct iovec bad[2] = {{buf, 10}, {nowhere(), 10}};
	int file = file_with(10);

	(void)state;
	assert_errno(EINVAL, lib_vmsplice(e.w, &good, 1, 0x100));
	assert_errno(EINVAL, lib_vmsplice(-1, &good, 1, 0x100));
	assert_errno(EBADF, lib_vmsplice(-1, &good, 1, 0));
	assert_errno(EBADF, lib_vmsplice(file, &good, 1, 0));
	assert_errno(EFAULT, lib_vmsplice(e.w, nowhere(), 1, 0));
	assert_errno(EINVAL, lib_vmsplice(e.w, &good, 1 << 20, 0));
	assert_ret(0, lib_vmsplice(e.w, &none, 1, 0));
	assert_ret(0, lib_vmsplice(e.w, NULL, 0, 0));
	assert_ret(10, lib_vmsplice(e.w, bad, 2, 0));
	assert_errno(EFAULT, lib_vmsplice(e.w, bad + 1, 1, 0));
	assert_ret(10, bytes_in(e.r));
	assert_errno(EFAULT, lib_vmsplice(e.r, bad + 1, 1, 0));
	assert_ret(10, bytes_in(e.r));
	fill_up(e.w, PAGE);
	assert_errno(EAGAIN, lib_vmsplice(e.w, &good, 1, SPLICE_F_NONBLOCK));
	close(e.r);
	assert_errno(EPIPE, lib_vmsplice(e.w, &good, 1, SPLICE_F_NONBLOCK));
}

/* O_NONBLOCK of the descriptor does not count here. */
static void vmsplice_waits(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *in = new_actor_with(e.w), *out;
	int nr = target->bit & OURS ? SYS_ioctl : SYS_vmsplice;
	static char buf[PAGE];

	(void)state;
	fill_up(e.w, PAGE);
	begin(in, do_vmsplice, e.w, (long)buf, 100);
	sleeps_in(in, nr);
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_ret(100, end(in).ret);
	assert_ret(15 * PAGE + 100, drain(e.r));
	out = new_actor_with(e.r);
	assert_ret(0, does(out, do_catch, SIGUSR1, 0, 0).ret);
	begin(out, do_vmsplice, e.r, (long)buf, 100);
	sleeps_in(out, nr);
	kill(out->pid, SIGUSR1);
	assert_int_equal(end(out).err, EINTR);
	begin(out, do_vmsplice, e.r, (long)buf, 100);
	sleeps_in(out, nr);
	assert_ret(5, put(e.w, 5, 1));
	assert_ret(5, end(out).ret);
	begin(out, do_vmsplice, e.r, (long)buf, 100);
	sleeps_in(out, nr);
	destroy(out);
}

/* --- all of it ------------------------------------------------------------------- */

/*
 * What is free, or holds the kernel's small objects: KASAN keeps those for a
 * while when they are freed, a page of a pipe is none of them.
 */
static long free_kilobytes(void)
{
	long memory = -1, slab = -1;
	char line[128];
	FILE *file = fopen("/proc/meminfo", "r");

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "MemFree: %ld", &memory) == 1)
			continue;
		if (sscanf(line, "Slab: %ld", &slab) == 1)
			break;
	}
	fclose(file);
	assert_true(memory >= 0 && slab >= 0);
	return memory + slab;
}

/* Into the very slot that has kept it, with a reference of its own. */
static void a_page_that_comes_back_is_not_lost(void **state)
{
	enum { ROUNDS = 6000 };
	struct ends e = open_ends(0), other = second_pipe();
	long before;
	int i;

	(void)state;
	assert_ret(PAGE, set_capacity(e.w, 0));
	before = free_kilobytes();
	for (i = 0; i < ROUNDS; i++) {
		assert_ret(PAGE, put(e.w, PAGE, 1));
		assert_ret(PAGE, lib_tee(e.r, other.w, PAGE, 0));
		assert_ret(PAGE, get(e.r, PAGE, NULL));
		assert_ret(PAGE, move(other.r, e.w, PAGE, 0));
		assert_ret(PAGE, get(e.r, PAGE, NULL));
	}
	assert_true(before - free_kilobytes() < ROUNDS * (PAGE / 1024) / 2);
}

/* Waits for edges of a read end, and reads nothing. */
static long do_watch(long fd, long b, long c)
{
	struct epoll_event event = {.events =
					    EPOLLIN | EPOLLET | EPOLLEXCLUSIVE};
	int epoll = epoll_create1(0);

	(void)b;
	(void)c;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		return -1;
	for (;;)
		epoll_wait(epoll, &event, 1, -1);
}

/* It is not one of those of whom a wake-up chooses one. */
static void a_watcher_does_not_take_its_wake_up(void **state)
{
	struct ends e = open_ends(0), other = second_pipe();
	struct actor *watcher = new_actor_with(e.r);
	struct actor *actor = actor_with_both(e.r, other.w);
	unsigned long slept;
	char path[64], byte;
	int reader;

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", e.r);
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_not_equal(reader, -1);
	begin(watcher, do_watch, e.r, 0, 0);
	sleeps_in(watcher, SYS_epoll_wait);
	/* A byte that is gone when it looks: until we are the faster one. */
	for (;;) {
		begin(actor, do_splice_from, e.r, 100, 0);
		sleeps_in_splice(actor);
		slept = sleeps_of(actor);
		assert_ret(1, put(e.w, 1, 1));
		if (read(reader, &byte, 1) == 1)
			break;
		assert_ret(1, end(actor).ret);
		assert_ret(1, get(other.r, 1, NULL));
	}
	eventually(sleeps_of(actor) > slept);
	sleeps_in_splice(actor);
	assert_ret(1, put(e.w, 1, 1));
	assert_ret(1, end(actor).ret);
	close(reader);
	destroy(watcher);
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
	{"a page that comes back is not lost",
	 a_page_that_comes_back_is_not_lost, (OURS & ~OUR_FIFO) | SECOND},
	{"an exclusive watcher does not take its wake-up",
	 a_watcher_does_not_take_its_wake_up, ENDS | SECOND},
	{"packets stay packets", packets_stay_packets, DIRECT_ENDS | SECOND},
	{"wrong calls have their errno", wrong_calls_have_their_errno,
	 ENDS | SECOND},
	{"tee leaves the bytes", tee_leaves_the_bytes, ENDS | SECOND},
	{"tee comes in", tee_comes_in, ENDS | SECOND},
	{"what is written after tee stays apart",
	 what_is_written_after_tee_stays_apart, ENDS | SECOND},
	{"tee waits for bytes", tee_waits_for_bytes, ENDS | SECOND},
	{"tee waits for room", tee_waits_for_room, ENDS | SECOND},
	{"a signal ends a tee", a_signal_ends_a_tee, ENDS | SECOND},
	{"opposite splices go on", opposite_splices_go_on, ENDS | SECOND},
	{"a file comes in", a_file_comes_in, ENDS},
	{"a page of a file is shared", a_page_of_a_file_is_shared, ENDS},
	{"bytes go into a file", bytes_go_into_a_file, ENDS},
	{"files have their errno", files_have_their_errno, ENDS},
	{"what a file refuses stays", what_a_file_refuses_stays, ENDS},
	{"a file waits for room", a_file_waits_for_room, ENDS},
	{"a file waits for bytes", a_file_waits_for_bytes, ENDS},
	{"bytes go through a Unix socket", bytes_go_through_a_unix_socket,
	 ENDS},
	{"bytes go through TCP", bytes_go_through_tcp, ENDS},
	{"sockets have their errno", sockets_have_their_errno, ENDS},
	{"memory comes in by reference", memory_comes_in_by_reference, ENDS},
	{"memory goes out", memory_goes_out, ENDS},
	{"vmsplice has its errno", vmsplice_has_its_errno, ENDS},
	{"vmsplice waits", vmsplice_waits, ENDS},
	{"pages that are given away are accounted for", pages_are_accounted_for,
	 DEV | SECOND},
};

int main(void)
{
	find_calls();
	return run_claims("splice", claims, NR(claims));
}

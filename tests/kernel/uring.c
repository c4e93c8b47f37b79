// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring(7): reads, writes and polls that wait without a system call
 *
 * Where kernels differ among themselves (what is tried at once, and what a
 * worker thread does) the target is compared with the kernel's own pipe.
 */
#include "harness.h"

#include <liburing.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/uio.h>

#define MULTISHOT_READ 49 /* IORING_OP_READ_MULTISHOT, since 6.7 */

static struct io_uring ring;
static char buf[8 * DEFAULT_SIZE];

/* It lives as long as its descriptor, which goes when a test ends. */
static void make_ring(unsigned int flags)
{
	struct io_uring_params params = {
		.flags = flags,
		.sq_thread_idle = 10,
	};
	int err = io_uring_queue_init_params(32, &ring, &params);

	if (err == -EPERM) {
		print_message("# io_uring cannot be used here: %s\n",
			      strerror(-err));
		skip();
	}
	assert_int_equal(err, 0);
	memset(buf, 0, sizeof(buf));
}

/* A request that is not submitted yet. */
static struct io_uring_sqe *request(__u64 tag, unsigned int flags)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&ring);

	assert_non_null(sqe);
	/* Preparing sets all fields but this one, and that clears the flags. */
	io_uring_prep_nop(sqe);
	sqe->user_data = tag;
	sqe->flags = flags;
	return sqe;
}

/* Fills in what the library's own functions would, but keeps tag and flags. */
static void fill(struct io_uring_sqe *sqe, int op, int fd, const void *addr,
		 unsigned int len)
{
	sqe->opcode = op;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)addr;
	sqe->len = len;
	/* No position. */
	sqe->off = -1;
}

static void ask(__u64 tag, unsigned int flags, int op, int fd, const void *addr,
		unsigned int len)
{
	fill(request(tag, flags), op, fd, addr, len);
	assert_int_equal(io_uring_submit(&ring), 1);
}

static void ask_read(__u64 tag, unsigned int flags, int fd, unsigned int len)
{
	ask(tag, flags, IORING_OP_READ, fd, buf, len);
}

static void ask_write(__u64 tag, unsigned int flags, int fd, unsigned int len)
{
	fill_pattern(buf, len, 1);
	ask(tag, flags, IORING_OP_WRITE, fd, buf, len);
}

static void ask_poll(__u64 tag, int fd, unsigned int events, unsigned int len)
{
	struct io_uring_sqe *sqe = request(tag, 0);

	fill(sqe, IORING_OP_POLL_ADD, fd, NULL, len);
	sqe->off = 0;
	sqe->poll32_events = events;
	assert_int_equal(io_uring_submit(&ring), 1);
}

static void ask_to_cancel(__u64 tag, __u64 which)
{
	struct io_uring_sqe *sqe = request(tag, 0);

	fill(sqe, IORING_OP_ASYNC_CANCEL, -1, NULL, 0);
	sqe->off = 0;
	sqe->addr = which;
	assert_int_equal(io_uring_submit(&ring), 1);
}

static bool is_ready(void)
{
	struct io_uring_cqe *cqe;

	return !io_uring_peek_cqe(&ring, &cqe);
}

/* The next completion; it must be that one. */
static struct io_uring_cqe completion(__u64 tag)
{
	struct __kernel_timespec patience = {.tv_sec = PATIENCE_MS / 1000};
	struct io_uring_cqe *cqe, copy;
	int err;

	do {
		err = io_uring_wait_cqe_timeout(&ring, &cqe, &patience);
	} while (err == -EINTR);
	if (err) {
		print_error("# request %llu does not complete: %s\n",
			    (unsigned long long)tag, strerror(-err));
		fail();
	}
	copy = *cqe;
	io_uring_cqe_seen(&ring, cqe);
	if (copy.user_data != tag)
		fail_msg("request %llu completes (%d), and not %llu",
			 (unsigned long long)copy.user_data, copy.res,
			 (unsigned long long)tag);
	return copy;
}

static int result(__u64 tag)
{
	return completion(tag).res;
}

/* Two that complete in any order. */
static void two_results(__u64 a, int *result_a, __u64 b, int *result_b)
{
	struct io_uring_cqe *cqe;
	int i;

	for (i = 0; i < 2; i++) {
		eventually(is_ready());
		assert_int_equal(io_uring_peek_cqe(&ring, &cqe), 0);
		assert_true(cqe->user_data == a || cqe->user_data == b);
		*(cqe->user_data == a ? result_a : result_b) = cqe->res;
		io_uring_cqe_seen(&ring, cqe);
	}
}

/*
 * The kernel lets go of a file a moment after the request is complete, or the
 * ring closed: only then the pipe is idle.
 */
static void wait_for_the_last_file(void)
{
	__u64 until = now_ms() + PATIENCE_MS;
	struct ipcdemo_pipe_stat stat;
	bool idle;
	int fd;

	if (target->bit & (PIPE | ANON))
		return;
	do {
		if (target->bit == DEV) {
			stat = pipe_stat();
			idle = !stat.readers && !stat.writers;
		} else {
			fd = open_end(O_WRONLY | O_NONBLOCK);
			idle = fd < 0 && errno == ENXIO;
			close(fd);
		}
		if (!idle)
			breathe();
	} while (!idle && now_ms() < until);
}

/* --- waiting ------------------------------------------------------------------ */

static void a_read_waits_for_bytes(void **state)
{
	struct ends e = open_ends(0);

	(void)state;
	make_ring(0);
	ask_read(1, 0, e.r, 100);
	assert_false(is_ready());
	assert_ret(5, put(e.w, 5, 3));
	assert_int_equal(result(1), 5);
	assert_int_equal(sum_of(buf, 5), sum_of_pattern(5, 3));
	/* And does not wait for those that are there. */
	assert_ret(7, put(e.w, 7, 4));
	ask_read(2, 0, e.r, 100);
	assert_int_equal(result(2), 7);
	assert_int_equal(sum_of(buf, 7), sum_of_pattern(7, 4));
}

static void a_write_waits_for_room(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	make_ring(0);
	fill_up(e.w, PAGE);
	nonblocking(e.w, false);
	ask_write(1, 0, e.w, PAGE);
	assert_false(is_ready());
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_int_equal(result(1), PAGE);
	assert_ret(DEFAULT_SIZE, drain(e.r));
}

static void many_parts(int flags)
{
	struct ends e = open_ends(0);
	struct iovec out[] = {{buf, 1}, {buf + 1, 5000}, {buf + 5001, 4999}};
	struct iovec in[] = {{buf + 20000, 9000}, {buf + 29000, 9000}};
	int got, put;

	make_ring(0);
	fill_pattern(buf, 10000, 6);
	ask(1, flags, IORING_OP_READV, e.r, in, NR(in));
	ask(2, flags, IORING_OP_WRITEV, e.w, out, NR(out));
	two_results(1, &got, 2, &put);
	assert_int_equal(got, 10000);
	assert_int_equal(put, 10000);
	assert_int_equal(sum_of(buf + 20000, 10000), sum_of_pattern(10000, 6));
}

static void all_parts_of_an_iovec_move(void **state)
{
	(void)state;
	many_parts(0);
}

static void workers_move_all_parts_of_an_iovec(void **state)
{
	(void)state;
	many_parts(IOSQE_ASYNC);
}

/* How much it writes before something wakes it up is nobody's promise. */
static void long_write(int flags)
{
	const size_t len = 4 * DEFAULT_SIZE;
	struct ends e = open_ends(0);
	char *all = malloc(len + 1);
	size_t done = 0;
	ssize_t got;
	int wrote;

	make_ring(0);
	nonblocking(e.r, true);
	ask_write(1, flags, e.w, len);
	do {
		struct pollfd pfd[] = {{.fd = e.r, .events = POLLIN},
				       {.fd = ring.ring_fd, .events = POLLIN}};

		assert_true(poll(pfd, 2, PATIENCE_MS) > 0);
		got = read(e.r, all + done, 5000);
		if (got > 0)
			done += got;
	} while (got > 0 || !is_ready());
	wrote = result(1);
	assert_true(wrote >= PAGE);
	assert_int_equal(done, wrote);
	assert_int_equal(sum_of(all, done), sum_of_pattern(done, 1));
	free(all);
}

static void a_long_write_goes_on(void **state)
{
	(void)state;
	long_write(0);
}

static void a_worker_writes_long(void **state)
{
	(void)state;
	long_write(IOSQE_ASYNC);
}

/* --- what it says ------------------------------------------------------------- */

static void ends_and_errors(void **state)
{
	struct ends e = open_ends(0);

	(void)state;
	make_ring(0);
	ask_write(1, 0, e.w, 10);
	assert_int_equal(result(1), 10);
	ask(2, 0, IORING_OP_READ, e.r, nowhere(), 10);
	assert_int_equal(result(2), -EFAULT);
	ask(3, 0, IORING_OP_WRITE, e.w, nowhere(), 10);
	assert_int_equal(result(3), -EFAULT);
	ask_read(4, 0, e.w, 10);
	assert_int_equal(result(4), -EBADF);
	ask_read(5, 0, e.r, 0);
	assert_int_equal(result(5), 0);
	close(e.w);
	ask_read(6, 0, e.r, 100);
	assert_int_equal(result(6), 10);
	ask_read(7, 0, e.r, 100);
	assert_int_equal(result(7), 0);
}

static void no_reader_is_epipe(void **state)
{
	struct ends e = open_ends(0);

	(void)state;
	make_ring(0);
	close(e.r);
	ask_write(1, 0, e.w, 10);
	assert_int_equal(result(1), -EPIPE);
	ask_write(2, IOSQE_ASYNC, e.w, 10);
	assert_int_equal(result(2), -EPIPE);
}

static void the_last_close_completes_what_waits(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	make_ring(0);
	nonblocking(e.r, false);
	ask_read(1, 0, e.r, 10);
	close(e.w);
	assert_int_equal(result(1), 0);
	close(e.r);
	e = open_ends(O_NONBLOCK);
	fill_up(e.w, PAGE);
	nonblocking(e.w, false);
	ask_write(3, 0, e.w, 10);
	close(e.r);
	assert_int_equal(result(3), -EPIPE);
}

/* --- what does not wait: compared with the kernel's ----------------------------- */

struct answers {
	long nowait[4], nonblock[2], flagged[2];
};

static long answer(long ret)
{
	return ret == -1 ? -errno : ret;
}

/* Completed at once, or 1000: it waits, and is let go by @help. */
static long at_once(__u64 tag, const struct ends *e, bool reads)
{
	if (is_ready())
		return result(tag);
	if (reads)
		assert_ret(2, put(e->w, 2, 0));
	else
		assert_ret(PAGE, get(e->r, PAGE, NULL));
	return 1000 + result(tag);
}

static struct answers ask_without_waiting(void)
{
	struct ends e = open_ends(0);
	struct io_uring_sqe *sqe;
	struct iovec iov = {buf, 10}, page = {buf, PAGE};
	struct answers a;

	/* Empty, some bytes, ... */
	a.nowait[0] = answer(preadv2(e.r, &iov, 1, -1, RWF_NOWAIT));
	a.nowait[1] = answer(pwritev2(e.w, &iov, 1, -1, RWF_NOWAIT));
	assert_ret(10, put(e.w, 10, 0));
	a.nowait[2] = answer(preadv2(e.r, &iov, 1, -1, RWF_NOWAIT));
	nonblocking(e.r, true);
	drain(e.r);
	a.nonblock[0] = 0;
	ask_read(1, 0, e.r, 10);
	a.nonblock[0] = at_once(1, &e, true);
	drain(e.r);
	nonblocking(e.r, false);
	sqe = request(2, 0);
	fill(sqe, IORING_OP_READ, e.r, buf, 10);
	sqe->rw_flags = RWF_NOWAIT;
	assert_int_equal(io_uring_submit(&ring), 1);
	a.flagged[0] = at_once(2, &e, true);
	/* ... full */
	nonblocking(e.r, true);
	nonblocking(e.w, true);
	drain(e.r);
	fill_up(e.w, PAGE);
	ask_write(3, 0, e.w, PAGE);
	a.nonblock[1] = at_once(3, &e, false);
	drain(e.r);
	fill_up(e.w, PAGE);
	nonblocking(e.w, false);
	a.nowait[3] = answer(pwritev2(e.w, &page, 1, -1, RWF_NOWAIT));
	sqe = request(4, 0);
	fill(sqe, IORING_OP_WRITE, e.w, buf, PAGE);
	sqe->rw_flags = RWF_NOWAIT;
	assert_int_equal(io_uring_submit(&ring), 1);
	a.flagged[1] = at_once(4, &e, false);
	drain(e.r);
	close(e.r);
	close(e.w);
	return a;
}

static void answers_without_waiting_are_the_kernels(void **state)
{
	struct answers ours, theirs;
	size_t i;

	(void)state;
	make_ring(0);
	ours = ask_without_waiting();
	switch_to(real_thing());
	theirs = ask_without_waiting();
	for (i = 0; i < NR(ours.nowait); i++)
		assert_int_equal(ours.nowait[i], theirs.nowait[i]);
	for (i = 0; i < NR(ours.nonblock); i++)
		assert_int_equal(ours.nonblock[i], theirs.nonblock[i]);
	for (i = 0; i < NR(ours.flagged); i++)
		assert_int_equal(ours.flagged[i], theirs.flagged[i]);
}

/* --- poll --------------------------------------------------------------------- */

static void poll_completes_once(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	make_ring(0);
	ask_poll(1, e.r, POLLIN, 0);
	assert_false(is_ready());
	assert_ret(1, put(e.w, 1, 0));
	assert_int_equal(result(1), POLLIN);
	assert_ret(1, put(e.w, 1, 0));
	assert_false(is_ready());
	ask_poll(2, e.r, POLLIN | POLLOUT, 0);
	assert_int_equal(result(2), POLLIN);
	ask_poll(3, e.w, POLLOUT, 0);
	assert_int_equal(result(3), POLLOUT);
	fill_up(e.w, PAGE);
	ask_poll(4, e.w, POLLOUT, 0);
	assert_false(is_ready());
	drain(e.r);
	assert_int_equal(result(4), POLLOUT);
	ask_poll(5, e.r, POLLRDHUP, 0);
	assert_false(is_ready());
	close(e.w);
	assert_int_equal(result(5), POLLHUP);
}

static void multishot_poll_tells_of_all_writes(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct io_uring_cqe cqe;
	int i, polled, answer;

	(void)state;
	make_ring(0);
	ask_poll(1, e.r, POLLIN, IORING_POLL_ADD_MULTI);
	for (i = 0; i < 3; i++) {
		assert_false(is_ready());
		assert_ret(1, put(e.w, 1, 0));
		cqe = completion(1);
		assert_int_equal(cqe.res, POLLIN);
		assert_true(cqe.flags & IORING_CQE_F_MORE);
	}
	close(e.w);
	cqe = completion(1);
	assert_int_equal(cqe.res, POLLIN | POLLHUP);
	if (cqe.flags & IORING_CQE_F_MORE) {
		ask_to_cancel(2, 1);
		two_results(1, &polled, 2, &answer);
		assert_int_equal(polled, -ECANCELED);
		assert_int_equal(answer, 0);
	}
}

static void multishot_poll_of_a_writer(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct io_uring_cqe cqe;
	int i, polled, answer;

	(void)state;
	make_ring(0);
	fill_up(e.w, PAGE);
	ask_poll(1, e.w, POLLOUT, IORING_POLL_ADD_MULTI);
	for (i = 0; i < 3; i++) {
		assert_false(is_ready());
		assert_ret(PAGE, get(e.r, PAGE, NULL));
		cqe = completion(1);
		assert_int_equal(cqe.res, POLLOUT);
		assert_true(cqe.flags & IORING_CQE_F_MORE);
		/* Not full any more: no edge. */
		assert_ret(1, get(e.r, 1, NULL));
		assert_false(is_ready());
		fill_up(e.w, PAGE);
	}
	ask_to_cancel(2, 1);
	two_results(1, &polled, 2, &answer);
	assert_int_equal(polled, -ECANCELED);
	assert_int_equal(answer, 0);
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_false(is_ready());
}

/* --- cancelling --------------------------------------------------------------- */

/* Until it is: one that is just being tried is there, but cannot be found. */
static int cancel(__u64 which)
{
	struct io_uring_cqe *cqe;
	int done = 1, answers = 0, asked = 0;

	while (done == 1 || answers < asked) {
		if (done == 1 && answers == asked) {
			ask_to_cancel(100, which);
			asked++;
		}
		if (!is_ready()) {
			breathe();
			continue;
		}
		assert_int_equal(io_uring_peek_cqe(&ring, &cqe), 0);
		if (cqe->user_data == 100)
			answers++;
		else
			done = cqe->res;
		io_uring_cqe_seen(&ring, cqe);
	}
	return done;
}

static void a_waiting_read_can_be_cancelled(void **state)
{
	static const int flags[] = {0, IOSQE_ASYNC};
	struct ends e = open_ends(0);
	size_t i;
	int res;

	(void)state;
	make_ring(0);
	for (i = 0; i < NR(flags); i++) {
		ask_read(1, flags[i], e.r, 10);
		res = cancel(1);
		assert_true(res == -ECANCELED || res == -EINTR);
		/* Nobody is left who would take them. */
		assert_ret(3, put(e.w, 3, 0));
		assert_ret(3, get(e.r, 10, NULL));
	}
}

static void a_waiting_write_can_be_cancelled(void **state)
{
	static const int flags[] = {0, IOSQE_ASYNC};
	struct ends e = open_ends(O_NONBLOCK);
	size_t i;
	int res;

	(void)state;
	make_ring(0);
	fill_up(e.w, PAGE);
	nonblocking(e.w, false);
	for (i = 0; i < NR(flags); i++) {
		ask_write(1, flags[i], e.w, 10);
		res = cancel(1);
		assert_true(res == -ECANCELED || res == -EINTR);
	}
	assert_ret(DEFAULT_SIZE, drain(e.r));
	assert_ret(0, bytes_in(e.r));
}

static bool writer_waits(int fd)
{
	struct ipcdemo_pipe_stat stat = {.size = sizeof(stat)};

	if (!(target->bit & OURS))
		return bytes_in(fd) == DEFAULT_SIZE;
	assert_ret(0, ioctl(fd, IPCDEMO_IOC_PIPE_STAT, &stat));
	return stat.write_waiters;
}

/* A worker that is blocked: a part was written, and is not lost with the rest. */
static void a_cancelled_write_says_how_much(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	make_ring(0);
	nonblocking(e.w, false);
	ask_write(1, IOSQE_ASYNC, e.w, DEFAULT_SIZE + PAGE);
	eventually(writer_waits(e.w));
	assert_int_equal(cancel(1), DEFAULT_SIZE);
	assert_ret(DEFAULT_SIZE, drain(e.r));
}

static void a_time_limit_ends_a_read(void **state)
{
	struct __kernel_timespec soon = {.tv_nsec = 1000000};
	struct ends e = open_ends(0);
	struct io_uring_sqe *sqe;
	int reads, limit;

	(void)state;
	make_ring(0);
	fill(request(1, IOSQE_IO_LINK), IORING_OP_READ, e.r, buf, 10);
	sqe = request(2, 0);
	fill(sqe, IORING_OP_LINK_TIMEOUT, -1, &soon, 1);
	sqe->off = 0;
	assert_int_equal(io_uring_submit(&ring), 2);
	two_results(1, &reads, 2, &limit);
	assert_int_equal(reads, -ECANCELED);
	assert_int_equal(limit, -ETIME);
	assert_ret(3, put(e.w, 3, 0));
	assert_ret(3, get(e.r, 10, NULL));
}

static long do_ask_read(long fd, long flags, long c)
{
	(void)c;
	make_ring(0);
	ask_read(1, flags, fd, 10);
	return 0;
}

/* A request does not outlive its process: nobody eats the bytes. */
static void a_request_dies_with_its_process(void **state)
{
	static const int flags[] = {0, IOSQE_ASYNC};
	struct ends e = open_ends(0);
	struct actor *actor;
	size_t i;

	(void)state;
	make_ring(0);
	for (i = 0; i < NR(flags); i++) {
		actor = new_actor_with(e.r);
		assert_ret(0, does(actor, do_ask_read, e.r, flags[i], 0).ret);
		destroy(actor);
		assert_ret(3, put(e.w, 3, 0));
		assert_ret(3, get(e.r, 10, NULL));
	}
}

/* --- links, registered files, provided buffers ---------------------------------- */

static void links_go_in_order(void **state)
{
	struct ends e = open_ends(0);

	(void)state;
	make_ring(0);
	fill_pattern(buf, 100, 1);
	fill(request(1, IOSQE_IO_LINK), IORING_OP_WRITE, e.w, buf, 100);
	fill(request(2, IOSQE_IO_LINK), IORING_OP_READ, e.r, buf + 1000, 100);
	fill(request(3, 0), IORING_OP_WRITE, e.w, buf + 1000, 100);
	assert_int_equal(io_uring_submit(&ring), 3);
	assert_int_equal(result(1), 100);
	assert_int_equal(result(2), 100);
	assert_int_equal(result(3), 100);
	assert_ret(100, bytes_in(e.r));
	assert_int_equal(sum_of(buf + 1000, 100), sum_of_pattern(100, 1));
}

static void a_short_read_breaks_a_link(void **state)
{
	struct ends e = open_ends(0);

	(void)state;
	make_ring(0);
	fill(request(1, IOSQE_IO_LINK), IORING_OP_READ, e.r, buf, 100);
	fill(request(2, 0), IORING_OP_WRITE, e.w, buf, 100);
	assert_int_equal(io_uring_submit(&ring), 2);
	assert_ret(5, put(e.w, 5, 0));
	assert_int_equal(result(1), 5);
	assert_int_equal(result(2), -ECANCELED);
	assert_ret(0, bytes_in(e.r));
}

static void a_registered_file_is_an_open_end(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	make_ring(0);
	assert_int_equal(io_uring_register_files(&ring, &e.w, 1), 0);
	close(e.w);
	assert_errno(EAGAIN, get(e.r, 1, NULL));
	fill_pattern(buf, 5, 1);
	ask(1, IOSQE_FIXED_FILE, IORING_OP_WRITE, 0, buf, 5);
	assert_int_equal(result(1), 5);
	assert_ret(5, get(e.r, 10, NULL));
	assert_int_equal(io_uring_unregister_files(&ring), 0);
	eventually(poll_now(e.r, 0) == POLLHUP);
	assert_ret(0, get(e.r, 1, NULL));
}

static void buffers_are_chosen_when_bytes_come(void **state)
{
	struct ends e = open_ends(0);
	struct io_uring_sqe *sqe;
	struct io_uring_cqe cqe;
	unsigned int nr;

	(void)state;
	make_ring(0);
	sqe = request(1, 0);
	/* Two of 100 bytes, numbered from 7, in group 3. */
	fill(sqe, IORING_OP_PROVIDE_BUFFERS, 2, buf, 100);
	sqe->off = 7;
	sqe->buf_group = 3;
	assert_int_equal(io_uring_submit(&ring), 1);
	assert_int_equal(result(1), 0);
	sqe = request(2, IOSQE_BUFFER_SELECT);
	fill(sqe, IORING_OP_READ, e.r, NULL, 100);
	sqe->buf_group = 3;
	assert_int_equal(io_uring_submit(&ring), 1);
	assert_false(is_ready());
	assert_ret(60, put(e.w, 60, 9));
	cqe = completion(2);
	assert_int_equal(cqe.res, 60);
	assert_true(cqe.flags & IORING_CQE_F_BUFFER);
	assert_in_range(cqe.flags >> IORING_CQE_BUFFER_SHIFT, 7, 8);
	nr = (cqe.flags >> IORING_CQE_BUFFER_SHIFT) - 7;
	assert_int_equal(sum_of(buf + 100 * nr, 60), sum_of_pattern(60, 9));
}

/* One request, a completion for each write: where the kernel has it. */
static int multishot_reads(int *first)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct io_uring_sqe *sqe;
	struct io_uring_cqe cqe = {};
	int i, n = 0;

	sqe = request(1, 0);
	fill(sqe, IORING_OP_PROVIDE_BUFFERS, 8, buf, 100);
	sqe->off = 0;
	sqe->buf_group = 3;
	assert_int_equal(io_uring_submit(&ring), 1);
	assert_int_equal(result(1), 0);
	sqe = request(2, IOSQE_BUFFER_SELECT);
	fill(sqe, MULTISHOT_READ, e.r, NULL, 0);
	sqe->buf_group = 3;
	assert_int_equal(io_uring_submit(&ring), 1);
	for (i = 0; i < 3; i++) {
		if (!is_ready())
			assert_ret(10 + i, put(e.w, 10 + i, i));
		cqe = completion(2);
		if (!i)
			*first = cqe.res;
		if (cqe.res != 10 + i)
			break;
		n++;
		if (!(cqe.flags & IORING_CQE_F_MORE))
			break;
	}
	if (cqe.flags & IORING_CQE_F_MORE) {
		close(e.w);
		assert_int_equal(result(2), 0);
	}
	close(e.r);
	return n;
}

static void a_multishot_read_is_the_kernels(void **state)
{
	struct io_uring_probe *probe;
	int ours, theirs, first, their_first;
	bool known;

	(void)state;
	make_ring(0);
	probe = io_uring_get_probe_ring(&ring);
	known = probe && io_uring_opcode_supported(probe, MULTISHOT_READ);
	io_uring_free_probe(probe);
	if (!known) {
		print_message("# this kernel has no multishot read\n");
		skip();
	}
	ours = multishot_reads(&first);
	io_uring_queue_exit(&ring);
	make_ring(0);
	switch_to(real_thing());
	theirs = multishot_reads(&their_first);
	assert_int_equal(first, their_first);
	assert_int_equal(ours, theirs);
}

/* A thread of the kernel submits. */
static void a_polling_thread_reads_and_writes(void **state)
{
	struct ends e = open_ends(0);
	int r, w;

	(void)state;
	make_ring(IORING_SETUP_SQPOLL);
	fill(request(1, 0), IORING_OP_READ, e.r, buf + PAGE, 100);
	assert_true(io_uring_submit(&ring) > 0);
	fill_pattern(buf, 100, 2);
	fill(request(2, 0), IORING_OP_WRITE, e.w, buf, 100);
	assert_true(io_uring_submit(&ring) > 0);
	two_results(1, &r, 2, &w);
	assert_int_equal(r, 100);
	assert_int_equal(w, 100);
	assert_int_equal(sum_of(buf + PAGE, 100), sum_of_pattern(100, 2));
	assert_ret(0, bytes_in(e.r));
	io_uring_queue_exit(&ring);
}

/* A worker waits in open(2): for this process, which waits for the worker. */
static void an_open_waits_for_its_partner(void **state)
{
	struct io_uring_sqe *sqe;
	int w, r;

	(void)state;
	make_ring(0);
	sqe = request(1, 0);
	fill(sqe, IORING_OP_OPENAT, AT_FDCWD, target->path, 0);
	sqe->off = 0;
	sqe->open_flags = O_RDONLY | O_CLOEXEC;
	assert_int_equal(io_uring_submit(&ring), 1);
	w = open_end(O_WRONLY);
	assert_true(w >= 0);
	r = result(1);
	assert_true(r >= 0);
	assert_ret(5, put(w, 5, 0));
	ask_read(2, 0, r, 10);
	assert_int_equal(result(2), 5);
}

/* --- gates -------------------------------------------------------------------- */

/* Gates at all points of the default pipe; the descriptor holds them. */
static long do_gate(long a, long b, long c)
{
	struct ipcdemo_gate gate = {.size = sizeof(gate), .point = "*"};
	int ctl = control();

	(void)a;
	(void)b;
	(void)c;
	return ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &gate) ? -1 : ctl;
}

static long do_see_arrival(long ctl, long b, long c)
{
	struct ipcdemo_gate_wait wait = {.size = sizeof(wait),
					 .timeout_ms = PATIENCE_MS};

	(void)b;
	(void)c;
	return ioctl(ctl, IPCDEMO_IOC_GATE_WAIT, &wait) ? -1 : wait.arrival.pid;
}

/* Nobody could let a worker go: nobody sees it as a task of its own. */
static void no_worker_is_held_at_a_gate(void **state)
{
	struct ends e = open_ends(0);
	struct actor *warden = new_actor(), *writer = new_actor_with(e.w);
	long ctl = does(warden, do_gate, 0, 0, 0).ret;
	int r, w;

	(void)state;
	make_ring(0);
	assert_true(ctl >= 0);
	/* A worker that need not wait, and one that is woken by a poll. */
	ask_write(1, IOSQE_ASYNC, e.w, 10);
	assert_int_equal(result(1), 10);
	ask_read(2, 0, e.r, 10);
	assert_int_equal(result(2), 10);
	ask_read(3, IOSQE_ASYNC, e.r, 10);
	ask_write(4, IOSQE_ASYNC, e.w, 10);
	two_results(3, &r, 4, &w);
	assert_int_equal(r, 10);
	assert_int_equal(w, 10);
	/* One that sleeps in the pipe, and what is tried without waiting. */
	ask_write(5, IOSQE_ASYNC, e.w, DEFAULT_SIZE + PAGE);
	eventually(writer_waits(e.w));
	nonblocking(e.r, true);
	ask(6, 0, IORING_OP_READ, e.r, buf, DEFAULT_SIZE);
	two_results(5, &w, 6, &r);
	assert_int_equal(r, DEFAULT_SIZE);
	assert_int_equal(w, DEFAULT_SIZE + PAGE);
	ask(7, 0, IORING_OP_READ, e.r, buf, DEFAULT_SIZE);
	assert_int_equal(result(7), PAGE);
	/* The gates are there: they hold who comes by a system call. */
	begin(writer, do_write, e.w, 10, 0);
	assert_ret(writer->pid, does(warden, do_see_arrival, ctl, 0, 0).ret);
	assert_false(is_done(writer));
	destroy(warden);
	assert_ret(10, end(writer).ret);
}

static const struct claim claims[] = {
	{"a read waits for bytes", a_read_waits_for_bytes, ENDS},
	{"a write waits for room", a_write_waits_for_room, ENDS},
	{"all parts of an iovec move", all_parts_of_an_iovec_move, ENDS},
	{"workers move all parts of an iovec",
	 workers_move_all_parts_of_an_iovec, ENDS},
	{"a long write goes as far as it says", a_long_write_goes_on, ENDS},
	{"a long write of a worker goes as far as it says",
	 a_worker_writes_long, ENDS},
	{"the end is 0, and errors are those of read and write",
	 ends_and_errors, ENDS},
	{"no reader is EPIPE", no_reader_is_epipe, ENDS},
	{"the last close completes what waits",
	 the_last_close_completes_what_waits, ENDS},
	{"what does not wait has the answers of the kernel's pipe",
	 answers_without_waiting_are_the_kernels, ENDS},
	{"a poll completes once", poll_completes_once, ENDS},
	{"a multishot poll completes for each write",
	 multishot_poll_tells_of_all_writes, ENDS},
	{"a multishot poll of a writer completes whenever room comes",
	 multishot_poll_of_a_writer, ENDS},
	{"a read that waits can be cancelled", a_waiting_read_can_be_cancelled,
	 ENDS},
	{"a write that waits can be cancelled",
	 a_waiting_write_can_be_cancelled, ENDS},
	{"a cancelled write says how much it wrote",
	 a_cancelled_write_says_how_much, ENDS},
	{"a linked time limit ends a read", a_time_limit_ends_a_read, ENDS},
	{"a request dies with its process", a_request_dies_with_its_process,
	 ENDS},
	{"linked requests go in order", links_go_in_order, ENDS},
	{"a short read breaks a link", a_short_read_breaks_a_link, ENDS},
	{"a registered file is an open end", a_registered_file_is_an_open_end,
	 ENDS},
	{"a buffer is chosen when bytes come",
	 buffers_are_chosen_when_bytes_come, ENDS},
	{"a multishot read does what it does with the kernel's pipe",
	 a_multishot_read_is_the_kernels, ENDS},
	{"a polling thread reads and writes", a_polling_thread_reads_and_writes,
	 ENDS},
	{"an open waits for its partner", an_open_waits_for_its_partner, NAMED},
	{"no worker is held at a gate", no_worker_is_held_at_a_gate, DEV},
};

int main(void)
{
	after_each = wait_for_the_last_file;
	return run_claims("uring", claims, NR(claims));
}

// SPDX-License-Identifier: GPL-2.0
/* read(2) and write(2): what moves, who waits, who is woken, what is counted. */
#include "harness.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>

/* An actor that holds just one of the ends. */
struct scene {
	struct actor *reader, *writer;
	int r, w; /* there */
};

/* Nothing stays open in this process. */
static struct scene scene(void)
{
	struct ends e = open_ends(0);
	struct scene s = {.r = e.r, .w = e.w};

	s.reader = new_actor_with(e.r);
	s.writer = new_actor_with(e.w);
	close(e.r);
	close(e.w);
	return s;
}

/* The ring holds just what was put there, in order. */
static void holds(int fd, size_t len, unsigned int seed)
{
	__u32 sum;

	assert_ret(len, get(fd, len + 1, &sum));
	assert_int_equal(sum, sum_of_pattern(len, seed));
}

static void *no_access(void)
{
	char *map = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(map, MAP_FAILED);
	assert_ret(0, mprotect(map + 2 * PAGE, PAGE, PROT_NONE));
	fill_pattern(map, 2 * PAGE, 0);
	return map;
}

/* --- reading ------------------------------------------------------------------ */

static void length_zero_returns_zero(void **state)
{
	struct ends e = open_ends(0);

	(void)state;
	assert_ret(0, get(e.r, 0, NULL));
	assert_ret(0, put(e.w, 0, 0));
	assert_ret(0, bytes_in(e.r));
	close(e.r);
	assert_ret(0, put(e.w, 0, 0));
	assert_ret(0, write(e.w, nowhere(), 0));
}

static void bytes_come_before_eof(void **state)
{
	struct ends e = open_ends(0);

	(void)state;
	assert_ret(10, put(e.w, 10, 0));
	close(e.w);
	assert_ret(4, get(e.r, 4, NULL));
	assert_ret(6, get(e.r, 100, NULL));
	assert_ret(0, get(e.r, 100, NULL));
	assert_ret(0, get(e.r, 100, NULL));
}

static void empty_nonblocking_read_is_eagain(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	assert_errno(EAGAIN, get(e.r, 1, NULL));
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(1, get(e.r, 2, NULL));
	assert_errno(EAGAIN, get(e.r, 1, NULL));
}

static void a_read_takes_what_is_there(void **state)
{
	struct ends e = open_ends(0);
	__u32 sum;

	(void)state;
	assert_ret(3 * PAGE + 5, put(e.w, 3 * PAGE + 5, 7));
	assert_ret(3 * PAGE + 5, get(e.r, 1 << 20, &sum));
	assert_int_equal(sum, sum_of_pattern(3 * PAGE + 5, 7));
}

static void bytes_stay_in_order(void **state)
{
	static const size_t sizes[] = {1,    4095, 4096,  4097, 100,  8192,
				       5000, 3,	   12288, 1,	4095, 2};
	struct ends e = open_ends(0);
	unsigned char out[65536], in[65536];
	size_t i, put_sum = 0, got = 0;
	ssize_t ret;

	(void)state;
	for (i = 0; i < NR(sizes); i++) {
		fill_pattern(out + put_sum, sizes[i], i * 31);
		assert_ret(sizes[i], write(e.w, out + put_sum, sizes[i]));
		put_sum += sizes[i];
	}
	close(e.w);
	for (i = 1; (ret = read(e.r, in + got, i * 977)) > 0; i++)
		got += ret;
	assert_ret(0, ret);
	assert_int_equal(got, put_sum);
	assert_memory_equal(in, out, got);
}

static void readv_and_writev_move_all_parts(void **state)
{
	struct ends e = open_ends(0);
	unsigned char out[9000], in[9000] = {};
	struct iovec wv[] = {
		{out, 1}, {out + 1, 4095}, {out + 4096, 0}, {out + 4096, 4904}};
	struct iovec rv[] = {{in, 3000},
			     {in + 3000, 0},
			     {in + 3000, 5000},
			     {in + 8000, 1000}};

	(void)state;
	fill_pattern(out, sizeof(out), 3);
	assert_ret(9000, writev(e.w, wv, NR(wv)));
	assert_ret(9000, readv(e.r, rv, NR(rv)));
	assert_memory_equal(in, out, sizeof(out));
}

static void reader_waits_until_a_write(void **state)
{
	struct scene s = scene();
	struct reply r;

	(void)state;
	begin(s.reader, do_read, s.r, 100, 0);
	sleeps_in(s.reader, SYS_read);
	assert_ret(30, does(s.writer, do_write, s.w, 30, 8).ret);
	r = end(s.reader);
	assert_int_equal(r.ret, 30);
	assert_int_equal(r.sum, sum_of_pattern(30, 8));
}

static void reader_waits_until_the_last_close(void **state)
{
	struct scene s = scene();

	(void)state;
	begin(s.reader, do_read, s.r, 100, 0);
	sleeps_in(s.reader, SYS_read);
	assert_ret(0, does(s.writer, do_close, s.w, 0, 0).ret);
	assert_ret(0, end(s.reader).ret);
}

static void all_waiting_readers_see_eof(void **state)
{
	struct actor *readers[5];
	struct ends e = open_ends(0);
	size_t i;

	(void)state;
	for (i = 0; i < NR(readers); i++) {
		readers[i] = new_actor_with(e.r);
		begin(readers[i], do_read, e.r, 1, 0);
		sleeps_in(readers[i], SYS_read);
	}
	close(e.w);
	for (i = 0; i < NR(readers); i++)
		assert_ret(0, end(readers[i]).ret);
}

/* --- wake-ups ----------------------------------------------------------------- */

static void a_record_wakes_one_reader(void **state)
{
	struct actor *readers[4];
	struct ends e = open_ends(0);
	unsigned long slept[4];
	size_t i, done = 0, woken = 0;

	(void)state;
	for (i = 0; i < NR(readers); i++) {
		readers[i] = new_actor_with(e.r);
		begin(readers[i], do_read, e.r, 10, 0);
		sleeps_in(readers[i], SYS_read);
		slept[i] = sleeps_of(readers[i]);
	}
	assert_ret(10, put(e.w, 10, 0));
	eventually(is_done(readers[0]) || is_done(readers[1]) ||
		   is_done(readers[2]) || is_done(readers[3]));
	for (i = 0; i < NR(readers); i++) {
		if (is_done(readers[i])) {
			assert_ret(10, end(readers[i]).ret);
			done++;
			continue;
		}
		sleeps_in(readers[i], SYS_read);
		woken += sleeps_of(readers[i]) != slept[i];
	}
	assert_int_equal(done, 1);
	assert_int_equal(woken, 0);
	close(e.w);
	for (i = 0; i < NR(readers); i++)
		if (readers[i]->busy)
			assert_ret(0, end(readers[i]).ret);
}

/* One write, a record for each of two readers: the first passes the wake on. */
static void woken_reader_passes_the_baton(void **state)
{
	struct actor *readers[3];
	struct ends e = open_ends(0);
	size_t i, done = 0;

	(void)state;
	for (i = 0; i < NR(readers); i++) {
		readers[i] = new_actor_with(e.r);
		begin(readers[i], do_read, e.r, 10, 0);
		sleeps_in(readers[i], SYS_read);
	}
	assert_ret(20, put(e.w, 20, 0));
	eventually(is_done(readers[0]) + is_done(readers[1]) +
			   is_done(readers[2]) ==
		   2);
	for (i = 0; i < NR(readers); i++) {
		if (is_done(readers[i])) {
			assert_ret(10, end(readers[i]).ret);
			done++;
		} else {
			sleeps_in(readers[i], SYS_read);
		}
	}
	assert_int_equal(done, 2);
}

/* Room for two records: the first writer that goes passes the wake on. */
static void woken_writer_passes_the_baton(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *writers[3];
	size_t i;

	(void)state;
	fill_up(e.w, PAGE);
	nonblocking(e.w, false);
	for (i = 0; i < NR(writers); i++) {
		writers[i] = new_actor_with(e.w);
		begin(writers[i], do_write, e.w, PAGE, i);
		sleeps_in(writers[i], SYS_write);
	}
	assert_ret(2 * PAGE, get(e.r, 2 * PAGE, NULL));
	eventually(is_done(writers[0]) + is_done(writers[1]) +
			   is_done(writers[2]) ==
		   2);
	for (i = 0; i < NR(writers); i++) {
		if (is_done(writers[i]))
			assert_ret(PAGE, end(writers[i]).ret);
		else
			sleeps_in(writers[i], SYS_write);
	}
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	for (i = 0; i < NR(writers); i++)
		if (writers[i]->busy)
			assert_ret(PAGE, end(writers[i]).ret);
}

static void writer_waits_until_a_slot_is_free(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *writer;
	int i;

	(void)state;
	assert_int_equal(fill_up(e.w, PAGE), DEFAULT_SIZE);
	nonblocking(e.w, false);
	writer = new_actor_with(e.w);
	begin(writer, do_write, e.w, 100, 1);
	sleeps_in(writer, SYS_write);
	/* 4095 bytes are free now, but no slot. */
	assert_ret(PAGE - 1, get(e.r, PAGE - 1, NULL));
	sleeps_in(writer, SYS_write);
	assert_false(is_done(writer));
	assert_ret(1, get(e.r, 1, NULL));
	assert_ret(100, end(writer).ret);
	for (i = 1; i < DEFAULT_SLOTS; i++)
		assert_ret(PAGE, get(e.r, PAGE, NULL));
	holds(e.r, 100, 1);
}

static void long_write_goes_as_far_as_it_can(void **state)
{
	struct scene s = scene();
	struct reply r;
	size_t left = 3 * DEFAULT_SIZE + 17;
	size_t all = left;

	(void)state;
	begin(s.writer, do_write, s.w, left, 2);
	sleeps_in(s.writer, SYS_write);
	while (left) {
		r = does(s.reader, do_read, s.r, 10000, 0);
		assert_true(r.ret > 0);
		left -= r.ret;
	}
	assert_ret(all, end(s.writer).ret);
}

/* --- the end of the other side ------------------------------------------------- */

static void writing_without_a_reader_is_epipe(void **state)
{
	struct ends e = open_ends(0);
	struct actor *writer = new_actor_with(e.w);
	struct reply w;

	(void)state;
	close(e.r);
	does(writer, do_catch, SIGPIPE, 0, 0);
	w = does(writer, do_write, e.w, 1, 0);
	assert_int_equal(w.ret, -1);
	assert_int_equal(w.err, EPIPE);
	assert_ret(1, does(writer, do_count, SIGPIPE, 0, 0).ret);
	nonblocking(e.w, true);
	w = does(writer, do_write, e.w, DEFAULT_SIZE + 1, 0);
	assert_int_equal(w.err, EPIPE);
	assert_ret(2, does(writer, do_count, SIGPIPE, 0, 0).ret);
}

static void waiting_writer_gets_sigpipe_and_its_count(void **state)
{
	struct scene s = scene();

	(void)state;
	does(s.writer, do_catch, SIGPIPE, 0, 0);
	begin(s.writer, do_write, s.w, DEFAULT_SIZE + 100, 0);
	sleeps_in(s.writer, SYS_write);
	assert_ret(0, does(s.reader, do_close, s.r, 0, 0).ret);
	/* 100 bytes went first, into a slot of their own or a merge. */
	assert_ret(DEFAULT_SIZE, end(s.writer).ret);
	assert_ret(1, does(s.writer, do_count, SIGPIPE, 0, 0).ret);
}

static void waiting_writer_without_a_byte_gets_epipe(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *writers[3];
	struct reply w;
	size_t i;

	(void)state;
	fill_up(e.w, PAGE);
	nonblocking(e.w, false);
	for (i = 0; i < NR(writers); i++) {
		writers[i] = new_actor_with(e.w);
		does(writers[i], do_catch, SIGPIPE, 0, 0);
		begin(writers[i], do_write, e.w, 1, 0);
		sleeps_in(writers[i], SYS_write);
	}
	close(e.r);
	for (i = 0; i < NR(writers); i++) {
		w = end(writers[i]);
		assert_int_equal(w.ret, -1);
		assert_int_equal(w.err, EPIPE);
		assert_ret(1, does(writers[i], do_count, SIGPIPE, 0, 0).ret);
	}
}

static void sigpipe_kills_by_default(void **state)
{
	struct ends e = open_ends(0);
	struct actor *writer = new_actor_with(e.w);

	(void)state;
	close(e.r);
	does(writer, do_catch, SIGPIPE, SA_RESETHAND, 0);
	assert_int_equal(does(writer, do_write, e.w, 1, 0).err, EPIPE);
	/* SA_RESETHAND put the default action back. */
	begin(writer, do_write, e.w, 1, 0);
	assert_int_equal(dies_of(writer), SIGPIPE);
}

/* --- capacity ----------------------------------------------------------------- */

static void capacity_counts_slots(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int i;

	(void)state;
	for (i = 0; i < DEFAULT_SLOTS; i++)
		assert_ret(PAGE, put(e.w, PAGE, i));
	assert_errno(EAGAIN, put(e.w, 1, 0));
	assert_ret(DEFAULT_SIZE, bytes_in(e.r));
}

static void small_writes_merge(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	assert_int_equal(fill_up(e.w, 1), DEFAULT_SIZE);
	assert_ret(DEFAULT_SIZE, bytes_in(e.w));
}

/* Two bytes do not fit behind 4095: each pair of writes takes two slots. */
static void what_does_not_fit_takes_a_slot(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	size_t sum = 0;
	int i;

	(void)state;
	for (i = 0; i < DEFAULT_SLOTS; i++) {
		assert_ret(PAGE - 1, put(e.w, PAGE - 1, 0));
		sum += PAGE - 1;
	}
	assert_errno(EAGAIN, put(e.w, 2, 0));
	assert_ret(1, put(e.w, 1, 0));
	assert_errno(EAGAIN, put(e.w, 1, 0));
	assert_ret(sum + 1, bytes_in(e.r));
}

static void the_odd_part_merges_first(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	unsigned char out[100 + PAGE + 50], in[sizeof(out)];
	size_t i;

	(void)state;
	fill_pattern(out, sizeof(out), 0);
	assert_ret(100, write(e.w, out, 100));
	assert_ret(PAGE + 50, write(e.w, out + 100, PAGE + 50));
	/* 50 bytes merged, 4096 took the second slot: 14 are left. */
	for (i = 2; i < DEFAULT_SLOTS; i++)
		assert_ret(PAGE, put(e.w, PAGE, 0));
	assert_errno(EAGAIN, put(e.w, PAGE, 0));
	assert_ret(sizeof(in), read(e.r, in, sizeof(in)));
	assert_memory_equal(in, out, sizeof(out));
}

static void no_merge_into_the_room_that_was_read(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int i;

	(void)state;
	for (i = 0; i < DEFAULT_SLOTS; i++)
		assert_ret(PAGE, put(e.w, PAGE, 0));
	for (i = 1; i < DEFAULT_SLOTS; i++)
		assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_ret(PAGE - 1, get(e.r, PAGE - 1, NULL));
	/* One byte at the end of its page: nothing fits behind it. */
	for (i = 1; i < DEFAULT_SLOTS; i++)
		assert_ret(PAGE, put(e.w, PAGE, 0));
	assert_errno(EAGAIN, put(e.w, 1, 0));
	assert_ret((DEFAULT_SLOTS - 1) * PAGE + 1, bytes_in(e.r));
}

static void pollout_can_be_false_with_bytes_free(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	assert_int_equal(fill_up(e.w, PAGE - 1), DEFAULT_SIZE - DEFAULT_SLOTS);
	assert_ret(0, poll_now(e.w, POLLOUT));
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(PAGE - 2, get(e.r, PAGE - 2, NULL));
	assert_ret(0, poll_now(e.w, POLLOUT));
	assert_ret(1, get(e.r, 1, NULL));
	assert_ret(POLLOUT, poll_now(e.w, POLLOUT));
}

static void up_to_pipe_buf_is_all_or_nothing(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int i;

	(void)state;
	for (i = 1; i < DEFAULT_SLOTS; i++)
		assert_ret(PAGE, put(e.w, PAGE, 0));
	assert_ret(10, put(e.w, 10, 0));
	assert_errno(EAGAIN, put(e.w, PIPE_BUF, 0));
	assert_errno(EAGAIN, put(e.w, PIPE_BUF - 9, 0));
	assert_ret(PIPE_BUF - 10, put(e.w, PIPE_BUF - 10, 0));
	assert_errno(EAGAIN, put(e.w, 1, 0));
}

static void larger_nonblocking_writes_may_be_partial(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int i;

	(void)state;
	assert_ret(DEFAULT_SIZE, put(e.w, DEFAULT_SIZE + PAGE, 0));
	drain(e.r);
	assert_ret(DEFAULT_SIZE, put(e.w, 1 << 20, 0));
	drain(e.r);
	for (i = 1; i < DEFAULT_SLOTS; i++)
		assert_ret(PAGE, put(e.w, PAGE, 0));
	assert_ret(PAGE, put(e.w, PIPE_BUF + 1, 0));
	assert_errno(EAGAIN, put(e.w, PIPE_BUF + 1, 0));
	drain(e.r);
	for (i = 1; i < DEFAULT_SLOTS; i++)
		assert_ret(PAGE, put(e.w, PAGE, 0));
	assert_ret(PAGE - 1, put(e.w, PAGE - 1, 0));
	/* The odd byte merges; the page that is left has no slot. */
	assert_ret(1, put(e.w, PIPE_BUF + 1, 0));
}

static long write_records(long fd, long tag, long count)
{
	unsigned char record[512];

	while (count--) {
		/* Lengths differ so that records straddle pages. */
		size_t len = 100 + (tag * 131 + count * 37) % 400;

		memset(record, tag, len);
		record[0] = len & 0xff;
		record[1] = len >> 8;
		if (write(fd, record, len) != (ssize_t)len)
			return -1;
	}
	return 0;
}

static void records_never_interleave(void **state)
{
	enum { WRITERS = 4, RECORDS = 300 };
	struct actor *writers[WRITERS];
	struct ends e = open_ends(0);
	static unsigned char in[4 * 300 * 512];
	size_t i, got = 0, at = 0, records = 0;
	ssize_t ret;

	(void)state;
	assert_ret(2 * PAGE, set_capacity(e.w, 2 * PAGE));
	for (i = 0; i < WRITERS; i++)
		writers[i] = new_actor_with(e.w);
	for (i = 0; i < WRITERS; i++)
		begin(writers[i], write_records, e.w, i + 2, RECORDS);
	close(e.w);
	while (records < WRITERS * RECORDS) {
		size_t len;

		if (got < at + 2 || got < at + (in[at] | in[at + 1] << 8)) {
			ret = read(e.r, in + got, sizeof(in) - got);
			assert_true(ret > 0);
			got += ret;
			continue;
		}
		len = in[at] | in[at + 1] << 8;
		assert_true(len >= 100 && len < 500);
		for (i = 3; i < len; i++)
			if (in[at + i] != in[at + 2])
				fail_msg("record %zu is torn at byte %zu",
					 records, i);
		at += len;
		records++;
	}
	for (i = 0; i < WRITERS; i++)
		assert_ret(0, end(writers[i]).ret);
	assert_int_equal(at, got);
}

/* --- signals ------------------------------------------------------------------ */

static void signal_ends_a_waiting_read(void **state)
{
	struct scene s = scene();
	struct reply r;

	(void)state;
	does(s.reader, do_catch, SIGUSR1, 0, 0);
	begin(s.reader, do_read, s.r, 10, 0);
	sleeps_in(s.reader, SYS_read);
	kill(s.reader->pid, SIGUSR1);
	r = end(s.reader);
	assert_int_equal(r.ret, -1);
	assert_int_equal(r.err, EINTR);
	assert_ret(3, does(s.writer, do_write, s.w, 3, 0).ret);
	assert_ret(3, does(s.reader, do_read, s.r, 10, 0).ret);
}

static void restarted_read_goes_on(void **state)
{
	struct scene s = scene();

	(void)state;
	does(s.reader, do_catch, SIGUSR1, SA_RESTART, 0);
	begin(s.reader, do_read, s.r, 10, 0);
	sleeps_in(s.reader, SYS_read);
	kill(s.reader->pid, SIGUSR1);
	sleeps_in(s.reader, SYS_read);
	assert_ret(3, does(s.writer, do_write, s.w, 3, 0).ret);
	assert_ret(3, end(s.reader).ret);
	assert_ret(1, does(s.reader, do_count, SIGUSR1, 0, 0).ret);
}

static void signal_ends_a_waiting_write(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *writer = new_actor_with(e.w);
	struct reply w;

	(void)state;
	fill_up(e.w, PAGE);
	nonblocking(e.w, false);
	does(writer, do_catch, SIGUSR1, 0, 0);
	begin(writer, do_write, e.w, 10, 0);
	sleeps_in(writer, SYS_write);
	kill(writer->pid, SIGUSR1);
	w = end(writer);
	assert_int_equal(w.ret, -1);
	assert_int_equal(w.err, EINTR);
	assert_int_equal(drain(e.r), DEFAULT_SIZE);
}

static void restarted_write_goes_on(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *writer = new_actor_with(e.w);

	(void)state;
	fill_up(e.w, PAGE);
	nonblocking(e.w, false);
	does(writer, do_catch, SIGUSR1, SA_RESTART, 0);
	begin(writer, do_write, e.w, 10, 5);
	sleeps_in(writer, SYS_write);
	kill(writer->pid, SIGUSR1);
	sleeps_in(writer, SYS_write);
	assert_ret(DEFAULT_SIZE, get(e.r, DEFAULT_SIZE, NULL));
	assert_ret(10, end(writer).ret);
	holds(e.r, 10, 5);
}

static void signal_gives_the_partial_count(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *writer = new_actor_with(e.w);
	__u32 sum;

	(void)state;
	nonblocking(e.w, false);
	does(writer, do_catch, SIGUSR1, SA_RESTART, 0);
	begin(writer, do_write, e.w, DEFAULT_SIZE + 5 * PAGE, 6);
	sleeps_in(writer, SYS_write);
	assert_ret(2 * PAGE, get(e.r, 2 * PAGE, NULL));
	eventually(bytes_in(e.r) == DEFAULT_SIZE);
	sleeps_in(writer, SYS_write);
	kill(writer->pid, SIGUSR1);
	assert_ret(DEFAULT_SIZE + 2 * PAGE, end(writer).ret);
	assert_ret(DEFAULT_SIZE, get(e.r, 1 << 20, &sum));
}

static void killed_reader_leaves_no_trace(void **state)
{
	struct ends e = open_ends(0);
	struct actor *victim = new_actor_with(e.r);
	struct actor *heir = new_actor_with(e.r);

	(void)state;
	begin(victim, do_read, e.r, 10, 0);
	sleeps_in(victim, SYS_read);
	begin(heir, do_read, e.r, 10, 0);
	sleeps_in(heir, SYS_read);
	destroy(victim);
	assert_ret(10, put(e.w, 10, 0));
	assert_ret(10, end(heir).ret);
	close(e.r);
	destroy(heir);
	assert_errno(EPIPE, put(e.w, 1, 0));
}

static void killed_writer_leaves_no_trace(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *victim, *heir;

	(void)state;
	fill_up(e.w, PAGE);
	nonblocking(e.w, false);
	victim = new_actor_with(e.w);
	heir = new_actor_with(e.w);
	begin(victim, do_write, e.w, PAGE, 1);
	sleeps_in(victim, SYS_write);
	begin(heir, do_write, e.w, PAGE, 2);
	sleeps_in(heir, SYS_write);
	destroy(victim);
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_ret(PAGE, end(heir).ret);
	assert_ret((DEFAULT_SLOTS - 1) * PAGE,
		   get(e.r, (DEFAULT_SLOTS - 1) * PAGE, NULL));
	holds(e.r, PAGE, 2);
	close(e.w);
	destroy(heir);
	assert_ret(0, get(e.r, 1, NULL));
}

/* A wake-up given to a task that dies must reach its neighbour. */
static void wake_up_is_not_lost_with_a_killed_reader(void **state)
{
	struct ends e = open_ends(0);
	struct actor *victim, *heir;
	int i;

	(void)state;
	for (i = 0; i < 40; i++) {
		victim = new_actor_with(e.r);
		heir = new_actor_with(e.r);
		begin(victim, do_read, e.r, 1, 0);
		sleeps_in(victim, SYS_read);
		begin(heir, do_read, e.r, 1, 0);
		sleeps_in(heir, SYS_read);
		kill(victim->pid, i & 1 ? SIGKILL : SIGTERM);
		assert_ret(2, put(e.w, 2, 0));
		assert_ret(1, end(heir).ret);
		destroy(victim);
		destroy(heir);
		nonblocking(e.r, true);
		drain(e.r);
		nonblocking(e.r, false);
	}
}

/* --- bad memory --------------------------------------------------------------- */

static void bad_pointers_are_efault_and_change_nothing(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	assert_ret(100, put(e.w, 100, 4));
	assert_errno(EFAULT, read(e.r, nowhere(), 50));
	assert_errno(EFAULT, write(e.w, nowhere(), 50));
	assert_errno(EFAULT, ioctl(e.r, FIONREAD, nowhere()));
	assert_ret(100, bytes_in(e.r));
	holds(e.r, 100, 4);
}

/* The slot that faults is not consumed; what came before it is. */
static void read_fault_keeps_the_slot(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	char *map = no_access();
	__u32 sum;

	(void)state;
	assert_ret(PAGE, put(e.w, PAGE, 1));
	assert_ret(PAGE, put(e.w, PAGE, 2));
	assert_ret(PAGE, put(e.w, PAGE, 3));
	/* Room for one slot and a half. */
	assert_ret(PAGE, read(e.r, map + PAGE / 2, 3 * PAGE));
	assert_int_equal(sum_of(map + PAGE / 2, PAGE), sum_of_pattern(PAGE, 1));
	assert_ret(2 * PAGE, bytes_in(e.r));
	assert_errno(EFAULT, read(e.r, map + 2 * PAGE - 1, 100));
	assert_ret(2 * PAGE, bytes_in(e.r));
	assert_ret(PAGE, get(e.r, PAGE, &sum));
	assert_int_equal(sum, sum_of_pattern(PAGE, 2));
	holds(e.r, PAGE, 3);
	munmap(map, 3 * PAGE);
}

static void write_fault_with_nothing_written_is_efault(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	char *map = no_access();

	(void)state;
	assert_errno(EFAULT, write(e.w, map + 2 * PAGE - 10, 100));
	assert_ret(0, bytes_in(e.r));
	if (expected(DIFF_FAULT_LEAVES_SLOT) != UNSPECIFIED) {
		assert_ret(0, poll_now(e.r, POLLIN));
		assert_errno(EAGAIN, get(e.r, 1, NULL));
	}
	munmap(map, 3 * PAGE);
}

static void merge_fault_changes_nothing(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	char *map = no_access();

	(void)state;
	assert_ret(100, put(e.w, 100, 9));
	assert_errno(EFAULT, write(e.w, map + 2 * PAGE - 10, 100));
	assert_ret(100, bytes_in(e.r));
	/* The byte that follows in the pattern of seed 9. */
	assert_ret(1, put(e.w, 1, 9 + 100 * 7));
	holds(e.r, 101, 9);
	munmap(map, 3 * PAGE);
}

static void write_fault_midway_gives_the_count(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	char *map = no_access();
	struct iovec iov[] = {
		{map, PAGE}, {map + PAGE, PAGE}, {map + 2 * PAGE, PAGE}};

	(void)state;
	assert_ret(2 * PAGE, writev(e.w, iov, NR(iov)));
	assert_ret(2 * PAGE, bytes_in(e.r));
	holds(e.r, 2 * PAGE, 0);
	munmap(map, 3 * PAGE);
}

static void iovec_that_faults_midway_reads_no_more(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	char *map = no_access();
	struct iovec iov[] = {{map, 10}, {map + 2 * PAGE, 10}};

	(void)state;
	assert_ret(10, put(e.w, 10, 0));
	assert_ret(10, readv(e.r, iov, NR(iov)));
	assert_ret(0, bytes_in(e.r));
	assert_ret(20, put(e.w, 20, 0));
	/* One slot, the second half of which cannot be stored. */
	assert_errno(EFAULT, readv(e.r, iov, NR(iov)));
	assert_ret(20, bytes_in(e.r));
	munmap(map, 3 * PAGE);
}

static void bad_iovecs_are_refused(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct iovec iov = {nowhere(), (size_t)-1};

	(void)state;
	assert_errno(EINVAL, writev(e.w, &iov, 1));
	assert_errno(EINVAL, readv(e.r, &iov, 1));
	assert_errno(EINVAL, writev(e.w, nowhere(), IOV_MAX + 1));
	assert_errno(EFAULT, writev(e.w, nowhere(), 1));
	assert_ret(0, writev(e.w, NULL, 0));
	assert_ret(0, bytes_in(e.r));
}

/* --- SIGIO, FIONREAD ---------------------------------------------------------- */

static long do_own(long fd, long b, long c)
{
	(void)b;
	(void)c;
	if (fcntl(fd, F_SETOWN, getpid()))
		return -1;
	return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC);
}

static void sigio_tells_a_reader(void **state)
{
	struct scene s = scene();
	long before;

	(void)state;
	does(s.reader, do_catch, SIGIO, SA_RESTART, 0);
	assert_ret(0, does(s.reader, do_own, s.r, 0, 0).ret);
	before = does(s.reader, do_count, SIGIO, 0, 0).ret;
	assert_ret(5, does(s.writer, do_write, s.w, 5, 0).ret);
	assert_ret(before + 1, does(s.reader, do_count, SIGIO, 0, 0).ret);
	assert_ret(5, does(s.writer, do_write, s.w, 5, 0).ret);
	assert_ret(before + 2, does(s.reader, do_count, SIGIO, 0, 0).ret);
	does(s.writer, do_close, s.w, 0, 0);
	assert_ret(before + 3, does(s.reader, do_count, SIGIO, 0, 0).ret);
}

static void sigio_tells_a_writer(void **state)
{
	struct scene s = scene();

	(void)state;
	does(s.writer, do_catch, SIGIO, SA_RESTART, 0);
	assert_ret(0, does(s.writer, do_own, s.w, 0, 0).ret);
	assert_ret(5, does(s.writer, do_write, s.w, 5, 0).ret);
	assert_ret(0, does(s.writer, do_count, SIGIO, 0, 0).ret);
	assert_ret(5, does(s.reader, do_read, s.r, 5, 0).ret);
	assert_ret(1, does(s.writer, do_count, SIGIO, 0, 0).ret);
	/* Closing the last read end too. */
	does(s.reader, do_close, s.r, 0, 0);
	assert_ret(2, does(s.writer, do_count, SIGIO, 0, 0).ret);
}

/* Each read, also one that finds nothing, signals the writers. */
static void an_eagain_read_signals_writers(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *writer = new_actor_with(e.w);

	(void)state;
	does(writer, do_catch, SIGIO, SA_RESTART, 0);
	assert_ret(0, does(writer, do_own, e.w, 0, 0).ret);
	assert_errno(EAGAIN, get(e.r, 1, NULL));
	assert_ret(1, does(writer, do_count, SIGIO, 0, 0).ret);
}

static void sigio_stops_when_it_is_switched_off(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *reader = new_actor_with(e.r);

	(void)state;
	does(reader, do_catch, SIGIO, SA_RESTART, 0);
	assert_ret(0, does(reader, do_own, e.r, 0, 0).ret);
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(1, does(reader, do_count, SIGIO, 0, 0).ret);
	assert_ret(0, fcntl(e.r, F_SETFL, fcntl(e.r, F_GETFL) & ~O_ASYNC));
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(1, does(reader, do_count, SIGIO, 0, 0).ret);
}

static void fionread_counts_at_both_ends(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	assert_ret(0, bytes_in(e.r));
	assert_ret(0, bytes_in(e.w));
	assert_ret(5000, put(e.w, 5000, 0));
	assert_ret(5000, bytes_in(e.r));
	assert_ret(5000, bytes_in(e.w));
	assert_ret(999, get(e.r, 999, NULL));
	assert_ret(4001, bytes_in(e.r));
	close(e.r);
	assert_ret(4001, bytes_in(e.w));
}

/* --- what the counters say ---------------------------------------------------- */

static void counters_say_what_was_done(void **state)
{
	static const char *const points[] = {
		"read.enter", "read.copy",     "read.release", "read.wait",
		"read.woken", "read.eof",      "write.enter",  "write.merge",
		"write.copy", "write.publish", "write.wait",   "write.woken",
		"write.epipe"};
	/* In the order of the points. */
	static const __u64 want[] = {5, 8192 + 105 + 30, 4, 1, 1, 1, 5,
				     1, 8192 + 105 + 30, 4, 0, 0, 1};
	__u64 was[NR(points)];
	struct ends e = open_ends(0);
	struct actor *reader = new_actor_with(e.r);
	size_t i;

	(void)state;
	for (i = 0; i < NR(points); i++)
		was[i] = counter("pipe", points[i]);
	assert_ret(100, put(e.w, 100, 0)); /* publish 1 */
	assert_ret(5, put(e.w, 5, 0)); /* merge */
	assert_ret(8192, put(e.w, 8192, 0)); /* publish 2, 3 */
	assert_ret(50, get(e.r, 50, NULL));
	assert_ret(55, get(e.r, 55, NULL)); /* release 1 */
	assert_ret(8192, get(e.r, 8192, NULL)); /* release 2, 3 */
	begin(reader, do_read, e.r, 100, 0);
	sleeps_in(reader, SYS_read);
	assert_ret(30, put(e.w, 30, 0)); /* publish 4 */
	assert_ret(30, end(reader).ret); /* release 4, woken */
	assert_ret(0, put(e.w, 0, 0)); /* length 0 enters nothing */
	close(e.r);
	destroy(reader);
	assert_errno(EPIPE, put(e.w, 1, 0)); /* epipe */
	e.r = open_end(O_RDONLY);
	close(e.w);
	assert_ret(0, get(e.r, 1, NULL)); /* eof */
	for (i = 0; i < NR(points); i++) {
		__u64 is = counter("pipe", points[i]) - was[i];

		if (is != want[i])
			fail_msg("%s rose by %llu and not by %llu", points[i],
				 (unsigned long long)is,
				 (unsigned long long)want[i]);
	}
}

/* --- kept pages ------------------------------------------------------------------ */

static void set_parameter(const char *name, const char *value)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/sys/module/ipcdemo/parameters/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_ret(strlen(value), write(fd, value, strlen(value)));
	close(fd);
}

/* Every slot once round fills the ring with pages; then none is needed. */
static void drained_slots_keep_their_pages(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	__u64 alloc = counter("pipe", "page.alloc");
	__u64 reuse = counter("pipe", "page.reuse");
	int i;

	(void)state;
	for (i = 0; i < 4 * DEFAULT_SLOTS; i++) {
		assert_ret(PAGE, put(e.w, PAGE, 0));
		assert_ret(PAGE, get(e.r, PAGE, NULL));
	}
	assert_int_equal(counter("pipe", "page.alloc"), alloc + DEFAULT_SLOTS);
	assert_int_equal(counter("pipe", "page.reuse"),
			 reuse + 3 * DEFAULT_SLOTS);
	assert_int_equal(pipe_stat().spare, DEFAULT_SLOTS);
	close(e.r);
	close(e.w);
	assert_int_equal(pipe_stat().spare, 0);
	assert_int_equal(pages_out(), 0);
}

static void an_idle_pipe_gives_its_pages_back(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	set_parameter("trim_seconds", "1");
	assert_ret(5 * PAGE, put(e.w, 5 * PAGE, 0));
	assert_ret(3 * PAGE, get(e.r, 3 * PAGE, NULL));
	eventually(!pipe_stat().spare);
	set_parameter("trim_seconds", "5");
	/* What holds bytes stays. */
	assert_int_equal(pipe_stat().used, 2);
	assert_ret(2 * PAGE, get(e.r, 4 * PAGE, NULL));
}

static void memory_pressure_takes_kept_pages(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int fd;

	(void)state;
	set_parameter("trim_seconds", "1000");
	assert_ret(5 * PAGE, put(e.w, 5 * PAGE, 3));
	assert_ret(3 * PAGE, get(e.r, 3 * PAGE, NULL));
	assert_int_equal(pipe_stat().spare, 3);
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	assert_ret(1, write(fd, "2", 1));
	assert_int_equal(pipe_stat().spare, 0);
	assert_ret(2 * PAGE, bytes_in(e.r));
	set_parameter("trim_seconds", "5");
}

static const struct claim claims[] = {
	{"length 0 returns 0, even with no reader", length_zero_returns_zero,
	 ENDS},
	{"bytes come before end of file", bytes_come_before_eof, ENDS},
	{"a nonblocking read of an empty pipe is EAGAIN",
	 empty_nonblocking_read_is_eagain, ENDS},
	{"a read takes what is there, over all slots",
	 a_read_takes_what_is_there, ENDS},
	{"bytes stay in order whatever the sizes", bytes_stay_in_order, ENDS},
	{"readv and writev move all parts", readv_and_writev_move_all_parts,
	 ENDS},
	{"a reader waits until somebody writes", reader_waits_until_a_write,
	 ENDS},
	{"a reader waits until the last writer closes",
	 reader_waits_until_the_last_close, ENDS},
	{"all waiting readers see the end of file", all_waiting_readers_see_eof,
	 ENDS},
	{"a record wakes one of the waiting readers", a_record_wakes_one_reader,
	 ENDS},
	{"a woken reader passes the wake-up on if more is left",
	 woken_reader_passes_the_baton, ENDS},
	{"a woken writer passes the wake-up on if there is room",
	 woken_writer_passes_the_baton, ENDS},
	{"a writer waits until a slot is free, not a byte",
	 writer_waits_until_a_slot_is_free, ENDS},
	{"a long write goes on as it is read", long_write_goes_as_far_as_it_can,
	 ENDS},
	{"writing without a reader is EPIPE and SIGPIPE",
	 writing_without_a_reader_is_epipe, ENDS},
	{"a waiting writer that lost its reader gets SIGPIPE and its count",
	 waiting_writer_gets_sigpipe_and_its_count, ENDS},
	{"waiting writers that wrote nothing get EPIPE when the reader goes",
	 waiting_writer_without_a_byte_gets_epipe, ENDS},
	{"SIGPIPE kills by default", sigpipe_kills_by_default, ENDS},
	{"the capacity counts slots", capacity_counts_slots, ENDS},
	{"small writes merge until the pages are full", small_writes_merge,
	 ENDS},
	{"what does not fit into the last page takes a slot",
	 what_does_not_fit_takes_a_slot, ENDS},
	{"the odd part of a long write merges first", the_odd_part_merges_first,
	 ENDS},
	{"room at the start of a page is no room",
	 no_merge_into_the_room_that_was_read, ENDS},
	{"POLLOUT can be false while bytes are free",
	 pollout_can_be_false_with_bytes_free, ENDS},
	{"up to PIPE_BUF bytes it is all or nothing",
	 up_to_pipe_buf_is_all_or_nothing, ENDS},
	{"above PIPE_BUF a nonblocking write may be partial",
	 larger_nonblocking_writes_may_be_partial, ENDS},
	{"records of many writers never interleave", records_never_interleave,
	 ENDS},
	{"a signal ends a waiting read with EINTR", signal_ends_a_waiting_read,
	 ENDS},
	{"with SA_RESTART a waiting read goes on", restarted_read_goes_on,
	 ENDS},
	{"a signal ends a waiting write with EINTR",
	 signal_ends_a_waiting_write, ENDS},
	{"with SA_RESTART a waiting write goes on", restarted_write_goes_on,
	 ENDS},
	{"a signal gives a write the count so far",
	 signal_gives_the_partial_count, ENDS},
	{"a killed reader leaves no trace", killed_reader_leaves_no_trace,
	 ENDS},
	{"a killed writer leaves no trace", killed_writer_leaves_no_trace,
	 ENDS},
	{"a wake-up is not lost with a killed reader",
	 wake_up_is_not_lost_with_a_killed_reader, ENDS},
	{"bad pointers are EFAULT and change nothing",
	 bad_pointers_are_efault_and_change_nothing, ENDS},
	{"a read that faults does not consume that slot",
	 read_fault_keeps_the_slot, ENDS},
	{"a write that faults at once is EFAULT",
	 write_fault_with_nothing_written_is_efault, ENDS},
	{"a merge that faults changes nothing", merge_fault_changes_nothing,
	 ENDS},
	{"a write that faults midway gives the count",
	 write_fault_midway_gives_the_count, ENDS},
	{"a read that faults midway consumes no half slot",
	 iovec_that_faults_midway_reads_no_more, ENDS},
	{"bad iovecs are refused", bad_iovecs_are_refused, ENDS},
	{"SIGIO tells a reader of writes and of the last close",
	 sigio_tells_a_reader, ENDS},
	{"SIGIO tells a writer of reads and of the last close",
	 sigio_tells_a_writer, ENDS},
	{"a read that finds nothing signals the writers",
	 an_eagain_read_signals_writers, ENDS},
	{"SIGIO stops when O_ASYNC is cleared",
	 sigio_stops_when_it_is_switched_off, ENDS},
	{"FIONREAD counts the bytes at both ends", fionread_counts_at_both_ends,
	 ENDS},
	{"the counters say what was done", counters_say_what_was_done, DEV},
	{"drained slots keep their pages, which are used again",
	 drained_slots_keep_their_pages, DEV},
	{"an idle pipe gives its kept pages back",
	 an_idle_pipe_gives_its_pages_back, DEV},
	{"memory pressure takes kept pages and no bytes",
	 memory_pressure_takes_kept_pages, DEV},
};

int main(void)
{
	return run_claims("io", claims, NR(claims));
}

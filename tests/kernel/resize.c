// SPDX-License-Identifier: GPL-2.0
/*
 * The capacity: F_SETPIPE_SZ of a real pipe, SET_CAPACITY of ours
 *
 * The limits that an unprivileged user meets are /proc/sys/fs/pipe-max-size
 * there and the module's parameter pipe_max_size here, both 1 MiB.
 */
#include "harness.h"

#include <poll.h>

#define MIB (1ul << 20)

static void starts_with_sixteen_pages(void **state)
{
	struct ends e = open_ends(0);

	(void)state;
	assert_ret(DEFAULT_SIZE, get_capacity(e.r));
	assert_ret(DEFAULT_SIZE, get_capacity(e.w));
}

static void rounds_up_to_a_power_of_two_of_pages(void **state)
{
	static const struct {
		unsigned long ask, get;
	} sizes[] = {{0, PAGE},
		     {1, PAGE},
		     {PAGE - 1, PAGE},
		     {PAGE, PAGE},
		     {PAGE + 1, 2 * PAGE},
		     {2 * PAGE, 2 * PAGE},
		     {2 * PAGE + 1, 4 * PAGE},
		     {65535, 65536},
		     {65536, 65536},
		     {65537, 131072},
		     {MIB - 1, MIB},
		     {MIB, MIB},
		     {MIB + 1, 2 * MIB}};
	struct ends e = open_ends(0);
	size_t i;

	(void)state;
	for (i = 0; i < NR(sizes); i++) {
		assert_ret(sizes[i].get, set_capacity(e.w, sizes[i].ask));
		assert_ret(sizes[i].get, get_capacity(e.r));
		/* The read end may do it as well. */
		assert_ret(sizes[i].get, set_capacity(e.r, sizes[i].ask));
	}
}

static void above_two_gib_is_einval(void **state)
{
	static const unsigned long sizes[] = {(1ul << 31) + 1, UINT32_MAX};
	struct ends e = open_ends(0);
	size_t i;

	(void)state;
	for (i = 0; i < NR(sizes); i++) {
		assert_errno(EINVAL, set_capacity(e.w, sizes[i]));
		assert_ret(DEFAULT_SIZE, get_capacity(e.w));
	}
}

/* Allowed by the rules; 2^19 slots do not fit into one kmalloc. */
static void two_gib_is_no_einval(void **state)
{
	struct ends e = open_ends(0);

	(void)state;
	assert_errno(ENOMEM, set_capacity(e.w, 1ul << 31));
	assert_ret(DEFAULT_SIZE, get_capacity(e.w));
	assert_ret(100, put(e.w, 100, 1));
	assert_ret(100, get(e.r, 200, NULL));
}

static long do_set_capacity(long fd, long bytes, long c)
{
	(void)c;
	return set_capacity(fd, bytes);
}

static void unprivileged_up_to_the_limit(void **state)
{
	const long two_gib = 1l << 31;
	struct ends e = open_ends(0);
	struct actor *user = new_actor_with(e.w);
	struct reply r;

	(void)state;
	assert_ret(0, does(user, do_uid, 65534, 0, 0).ret);
	assert_ret(MIB, does(user, do_set_capacity, e.w, MIB, 0).ret);
	assert_int_equal(does(user, do_set_capacity, e.w, MIB + 1, 0).err,
			 EPERM);
	assert_ret(MIB, get_capacity(e.w));
	r = does(user, do_set_capacity, e.w, two_gib, 0);
	assert_int_equal(r.err, EPERM);
	r = does(user, do_set_capacity, e.w, two_gib + 1, 0);
	assert_int_equal(r.err, EINVAL);
	assert_ret(PAGE, does(user, do_set_capacity, e.w, 1, 0).ret);
}

/* Shrinking needs no right, whatever the size stays above. */
static void unprivileged_may_shrink_what_root_grew(void **state)
{
	struct ends e = open_ends(0);
	struct actor *user = new_actor_with(e.w);

	(void)state;
	assert_ret(0, does(user, do_uid, 65534, 0, 0).ret);
	assert_ret(4 * MIB, set_capacity(e.w, 4 * MIB));
	assert_ret(2 * MIB, does(user, do_set_capacity, e.w, 2 * MIB, 0).ret);
	assert_int_equal(does(user, do_set_capacity, e.w, 4 * MIB, 0).err,
			 EPERM);
	assert_ret(2 * MIB, does(user, do_set_capacity, e.w, 2 * MIB, 0).ret);
}

/* Writes a limit of the kernel's pipes or of ours; the old value into @old. */
static void set_limit(const char *sysctl, const char *parameter,
		      const char *value, char *old, size_t size)
{
	char path[96];
	ssize_t len;
	int fd;

	if (target->bit & OURS)
		snprintf(path, sizeof(path),
			 "/sys/module/ipcdemo/parameters/%s", parameter);
	else
		snprintf(path, sizeof(path), "/proc/sys/fs/%s", sysctl);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	if (old) {
		len = read(fd, old, size - 1);
		assert_true(len > 0);
		old[len] = '\0';
		assert_ret(0, lseek(fd, 0, SEEK_SET));
	}
	assert_ret(strlen(value), write(fd, value, strlen(value)));
	close(fd);
}

/* What the user gets while the limit is that. */
static struct reply under_limit(const char *sysctl, const char *parameter,
				const char *value, struct actor *user, int fd,
				long bytes)
{
	struct reply reply;
	char old[32];

	set_limit(sysctl, parameter, value, old, sizeof(old));
	reply = does(user, do_set_capacity, fd, bytes, 0);
	set_limit(sysctl, parameter, old, NULL, 0);
	return reply;
}

static void the_limit_can_be_set(void **state)
{
	struct ends e = open_ends(0);
	struct actor *user = new_actor_with(e.w);
	struct reply r;

	(void)state;
	assert_ret(0, does(user, do_uid, 65534, 0, 0).ret);
	r = under_limit("pipe-max-size", "pipe_max_size", "131072", user, e.w,
			131072);
	assert_int_equal(r.ret, 131072);
	r = under_limit("pipe-max-size", "pipe_max_size", "131072", user, e.w,
			131073);
	assert_int_equal(r.err, EPERM);
}

/* The budget is that of the user who made the pipe, for all his pipes. */
static void growing_above_the_budget_is_eperm(void **state)
{
	struct ends e = open_ends(0);
	struct actor *user = new_actor_with(e.w);
	struct reply r;

	(void)state;
	assert_ret(0, does(user, do_uid, 65534, 0, 0).ret);
	r = under_limit("pipe-user-pages-soft", "pipe_user_pages_soft", "20",
			user, e.w, 32 * PAGE);
	assert_int_equal(r.err, EPERM);
	r = under_limit("pipe-user-pages-hard", "pipe_user_pages_hard", "20",
			user, e.w, 32 * PAGE);
	assert_int_equal(r.err, EPERM);
	assert_ret(DEFAULT_SIZE, get_capacity(e.w));
	/* Shrinking is always possible. */
	r = under_limit("pipe-user-pages-hard", "pipe_user_pages_hard", "1",
			user, e.w, PAGE);
	assert_int_equal(r.ret, PAGE);
	assert_ret(DEFAULT_SIZE, set_capacity(e.w, DEFAULT_SIZE));
}

/* What a refused resize would have charged or given back, a thousand times. */
static void refused_resizes_leave_the_budget(void **state)
{
	struct ends e = open_ends(0);
	struct actor *user = new_actor_with(e.w);
	int i;

	(void)state;
	assert_ret(0, does(user, do_uid, 65534, 0, 0).ret);
	assert_ret(5 * PAGE, put(e.w, 5 * PAGE, 0));
	for (i = 0; i < 1000; i++)
		assert_errno(EBUSY, set_capacity(e.w, 4 * PAGE));
	/* A count below 0 would be a very large one. */
	assert_ret(32 * PAGE,
		   does(user, do_set_capacity, e.w, 32 * PAGE, 0).ret);
	assert_ret(5 * PAGE, get(e.r, 5 * PAGE, NULL));
}

/* Grown to @from pages, then @to; the last close gives the default back. */
static void grow_and_close(unsigned long from, unsigned long to)
{
	struct ends e = open_ends(0);

	assert_ret(from * PAGE, set_capacity(e.w, from * PAGE));
	assert_ret(to * PAGE, set_capacity(e.w, to * PAGE));
	close(e.r);
	close(e.w);
}

static void the_last_close_balances_the_budget(void **state)
{
	struct actor *user;
	struct ends e;
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		grow_and_close(256, 128);
		grow_and_close(1, 2);
	}
	/* A count below 0 would be a very large one, as one that only rises. */
	e = open_ends(0);
	user = new_actor_with(e.w);
	assert_ret(0, does(user, do_uid, 65534, 0, 0).ret);
	assert_ret(32 * PAGE,
		   does(user, do_set_capacity, e.w, 32 * PAGE, 0).ret);
}

static void fewer_slots_than_used_is_ebusy(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	__u32 sum;
	int i;

	(void)state;
	for (i = 0; i < 5; i++)
		assert_ret(PAGE, put(e.w, PAGE, i));
	assert_errno(EBUSY, set_capacity(e.w, 4 * PAGE));
	assert_errno(EBUSY, set_capacity(e.w, 0));
	assert_ret(DEFAULT_SIZE, get_capacity(e.w));
	assert_ret(5 * PAGE, bytes_in(e.r));
	assert_ret(8 * PAGE, set_capacity(e.w, 5 * PAGE));
	assert_ret(PAGE, get(e.r, PAGE, &sum));
	assert_int_equal(sum, sum_of_pattern(PAGE, 0));
	assert_ret(4 * PAGE, set_capacity(e.w, 4 * PAGE));
	for (i = 1; i < 5; i++) {
		assert_ret(PAGE, get(e.r, PAGE, &sum));
		assert_int_equal(sum, sum_of_pattern(PAGE, i));
	}
}

/* Slots count, not bytes: two slots with a byte each do not fit into one. */
static void ebusy_counts_slots_not_bytes(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	assert_ret(PAGE, put(e.w, PAGE, 0));
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(PAGE - 1, get(e.r, PAGE - 1, NULL));
	assert_ret(2, bytes_in(e.r));
	assert_errno(EBUSY, set_capacity(e.w, PAGE));
	assert_ret(1, get(e.r, 1, NULL));
	assert_ret(PAGE, set_capacity(e.w, PAGE));
	assert_ret(1, bytes_in(e.r));
}

static void contents_survive(void **state)
{
	static const size_t sizes[] = {5, 4096, 100, 4095, 3, 8200, 1};
	struct ends e = open_ends(O_NONBLOCK);
	unsigned char out[32768], in[32768];
	size_t i, sum = 0;

	(void)state;
	for (i = 0; i < NR(sizes); i++) {
		fill_pattern(out + sum, sizes[i], i);
		assert_ret(sizes[i], write(e.w, out + sum, sizes[i]));
		sum += sizes[i];
		assert_int_not_equal(-1, set_capacity(e.w, 65536u << i % 5));
	}
	assert_ret(8 * PAGE, set_capacity(e.w, 8 * PAGE));
	assert_ret(sum, bytes_in(e.r));
	assert_ret(sum, read(e.r, in, sizeof(in)));
	assert_memory_equal(in, out, sum);
}

/* The indices stand anywhere in the array when it is replaced. */
static void contents_survive_at_every_wrap(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int start, used, i, seed = 0;
	__u32 sum;

	(void)state;
	for (start = 0; start < 8; start++) {
		for (used = 0; used <= 4; used += 2) {
			assert_ret(8 * PAGE, set_capacity(e.w, 8 * PAGE));
			/* Bring the tail to another place of the array. */
			assert_ret(100, put(e.w, 100, 0));
			assert_ret(100, get(e.r, 100, NULL));
			for (i = 0; i < used; i++)
				assert_ret(PAGE, put(e.w, PAGE, seed + i));
			assert_ret(4 * PAGE, set_capacity(e.w, 4 * PAGE));
			assert_ret(16 * PAGE, set_capacity(e.w, 16 * PAGE));
			for (i = 0; i < used; i++) {
				assert_ret(PAGE, get(e.r, PAGE, &sum));
				assert_int_equal(sum, sum_of_pattern(PAGE,
								     seed + i));
			}
			seed += used;
			assert_ret(0, bytes_in(e.r));
		}
	}
}

static void merging_goes_on_after_a_resize(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	assert_ret(PAGE, set_capacity(e.w, PAGE));
	assert_ret(100, put(e.w, 100, 0));
	assert_ret(2 * PAGE, set_capacity(e.w, 2 * PAGE));
	assert_ret(100, put(e.w, 100, 0));
	assert_ret(PAGE, put(e.w, PAGE, 0));
	assert_errno(EAGAIN, put(e.w, PAGE, 0));
	assert_ret(PAGE + 200, bytes_in(e.r));
}

static void one_slot_works(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *writer = new_actor_with(e.w);
	size_t left = 10 * PAGE + 7;
	ssize_t ret;

	(void)state;
	assert_ret(PAGE, set_capacity(e.w, PAGE));
	assert_ret(POLLOUT, poll_now(e.w, POLLOUT));
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(0, poll_now(e.w, POLLOUT));
	assert_errno(EAGAIN, put(e.w, PAGE, 0));
	assert_ret(PAGE - 1, put(e.w, PAGE - 1, 0));
	assert_ret(PAGE, get(e.r, 2 * PAGE, NULL));
	nonblocking(e.r, false);
	nonblocking(e.w, false);
	begin(writer, do_write, e.w, left, 0);
	while (left) {
		ret = get(e.r, 3 * PAGE, NULL);
		assert_true(ret > 0);
		left -= ret;
	}
	assert_ret(10 * PAGE + 7, end(writer).ret);
}

/* The kernel once woke the writer before the new size counted: e95aada4cb93. */
static void growing_lets_a_waiting_writer_go(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *writer = new_actor_with(e.w);

	(void)state;
	fill_up(e.w, PAGE);
	nonblocking(e.w, false);
	begin(writer, do_write, e.w, 3 * PAGE, 0);
	sleeps_in(writer, SYS_write);
	assert_ret(2 * DEFAULT_SIZE, set_capacity(e.r, 2 * DEFAULT_SIZE));
	assert_ret(3 * PAGE, end(writer).ret);
}

static void growing_lets_two_waiting_writers_go(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *writers[2];
	int i;

	(void)state;
	fill_up(e.w, PAGE);
	nonblocking(e.w, false);
	for (i = 0; i < 2; i++) {
		writers[i] = new_actor_with(e.w);
		begin(writers[i], do_write, e.w, PAGE, 0);
		sleeps_in(writers[i], SYS_write);
	}
	assert_ret(2 * DEFAULT_SIZE, set_capacity(e.r, 2 * DEFAULT_SIZE));
	for (i = 0; i < 2; i++)
		assert_ret(PAGE, end(writers[i]).ret);
}

static void growing_tells_a_poller(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *writer = new_actor_with(e.w);

	(void)state;
	fill_up(e.w, PAGE);
	begin(writer, do_poll, e.w, POLLOUT, -1);
	sleeps_in(writer, SYS_poll);
	assert_ret(2 * DEFAULT_SIZE, set_capacity(e.r, 2 * DEFAULT_SIZE));
	assert_ret(POLLOUT, end(writer).ret);
}

/* A full ring stays full; a writer that waits goes on waiting. */
static void resizing_to_the_same_changes_nothing(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct actor *writer = new_actor_with(e.w);

	(void)state;
	fill_up(e.w, PAGE);
	nonblocking(e.w, false);
	begin(writer, do_write, e.w, 1, 0);
	sleeps_in(writer, SYS_write);
	assert_ret(DEFAULT_SIZE, set_capacity(e.r, DEFAULT_SIZE));
	assert_errno(EBUSY, set_capacity(e.r, DEFAULT_SIZE / 2));
	sleeps_in(writer, SYS_write);
	assert_false(is_done(writer));
	assert_int_equal(bytes_in(e.r), DEFAULT_SIZE);
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_ret(1, end(writer).ret);
}

static void stat_agrees_with_the_capacity(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct ipcdemo_pipe_stat stat;
	__u64 resizes = counter("pipe", "resize.done");

	(void)state;
	assert_ret(PAGE, set_capacity(e.w, PAGE));
	stat = pipe_stat();
	assert_int_equal(stat.slots, 1);
	assert_int_equal(stat.capacity, PAGE);
	assert_int_equal(proc_value("pipe", "capacity"), PAGE);
	assert_int_equal(counter("pipe", "resize.done"), resizes + 1);
	assert_ret(PAGE, put(e.w, PAGE, 0));
	assert_ret(64 * PAGE, set_capacity(e.w, 64 * PAGE));
	stat = pipe_stat();
	assert_int_equal(stat.slots, 64);
	assert_int_equal(stat.used, 1);
	assert_int_equal(stat.bytes, PAGE);
	assert_errno(EINVAL, set_capacity(e.w, (1ul << 31) + 1));
	assert_int_equal(counter("pipe", "resize.done"), resizes + 2);
}

/* page.alloc - page.free is what the ring holds, whatever the resizes did. */
static void resizing_loses_no_page(void **state)
{
	static const unsigned int slots[] = {1, 16, 2, 64, 4, 32, 8, 1, 16};
	struct ends e = open_ends(O_NONBLOCK);
	struct ipcdemo_pipe_stat stat;
	size_t i;

	(void)state;
	for (i = 0; i < NR(slots); i++) {
		assert_ret(slots[i] * PAGE, set_capacity(e.w, slots[i] * PAGE));
		fill_up(e.w, PAGE);
		stat = pipe_stat();
		assert_int_equal(stat.used, slots[i]);
		assert_int_equal(pages_out(), stat.used + stat.spare);
		drain(e.r);
		stat = pipe_stat();
		assert_int_equal(pages_out(), stat.used + stat.spare);
	}
	close(e.r);
	close(e.w);
	assert_int_equal(pages_out(), 0);
}

static const struct claim claims[] = {
	{"a pipe starts with sixteen pages", starts_with_sixteen_pages, ENDS},
	{"a size is rounded up to a power of two of pages",
	 rounds_up_to_a_power_of_two_of_pages, ENDS},
	{"above 2^31 is EINVAL", above_two_gib_is_einval, ENDS},
	{"2^31 fails for want of memory and changes nothing",
	 two_gib_is_no_einval, ENDS},
	{"an ordinary user may go up to the limit, above is EPERM",
	 unprivileged_up_to_the_limit, ENDS},
	{"an ordinary user may shrink what root has grown",
	 unprivileged_may_shrink_what_root_grew, ENDS},
	{"the limit for ordinary users can be set", the_limit_can_be_set, ENDS},
	{"growing above a user's budget of slots is EPERM",
	 growing_above_the_budget_is_eperm, ENDS},
	{"refused resizes leave the budget of the user as it was",
	 refused_resizes_leave_the_budget, ENDS},
	{"growing, shrinking and the last close leave the budget as it was",
	 the_last_close_balances_the_budget, ENDS},
	{"fewer slots than are used is EBUSY and changes nothing",
	 fewer_slots_than_used_is_ebusy, ENDS},
	{"EBUSY counts slots, not bytes", ebusy_counts_slots_not_bytes, ENDS},
	{"contents survive resizing", contents_survive, ENDS},
	{"contents survive wherever the ring has wrapped",
	 contents_survive_at_every_wrap, ENDS},
	{"small writes go on merging after a resize",
	 merging_goes_on_after_a_resize, ENDS},
	{"a pipe of one slot works", one_slot_works, ENDS},
	{"growing lets a waiting writer go", growing_lets_a_waiting_writer_go,
	 ENDS},
	{"growing lets two waiting writers go",
	 growing_lets_two_waiting_writers_go, ENDS},
	{"growing tells a poller", growing_tells_a_poller, ENDS},
	{"resizing a full pipe to its own size changes nothing",
	 resizing_to_the_same_changes_nothing, ENDS},
	{"STAT and /proc agree with the capacity",
	 stat_agrees_with_the_capacity, DEV},
	{"resizing loses no page", resizing_loses_no_page, DEV},
};

int main(void)
{
	return run_claims("resize", claims, NR(claims));
}

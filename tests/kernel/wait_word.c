// SPDX-License-Identifier: GPL-2.0
/*
 * Wait words: who waits for a word of a region, and who is woken
 *
 * What futex(2) promises, too, is asked of it first, on a memfd.  That somebody
 * sleeps is known from /proc, and where two calls meet they are brought there by
 * gates.
 *
 * The same source is built as a 32-bit program too, wait_word32.
 */
#include "words.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

/* --- the word --------------------------------------------------------------------- */

static void check_differs(void)
{
	store(8, 5);
	assert_errno(EAGAIN, wait_on(fd, 8, 4, CLOCK_MONOTONIC, FOREVER));
	assert_errno(EAGAIN, wait_on(fd, 8, 0, CLOCK_MONOTONIC, 0));
	assert_errno(EAGAIN, wait_on(fd, 12, ~0u, CLOCK_REALTIME, FOREVER));
	store(LENGTH - 4, ~0u);
	assert_errno(EAGAIN, wait_on(fd, LENGTH - 4, 0, CLOCK_MONOTONIC, 0));
	assert_errno(ETIMEDOUT,
		     wait_on(fd, LENGTH - 4, ~0u, CLOCK_MONOTONIC, 0));
}

static void a_word_that_differs_is_not_waited_for(void **state)
{
	(void)state;
	on_each(ALL, check_differs);
}

static void a_page_that_is_not_there_is_zeros(void **state)
{
	(void)state;
	kind = &kinds[1];
	fd = file_fd(LENGTH);
	assert_errno(EAGAIN, wait_on(fd, PAGE, 1, CLOCK_MONOTONIC, FOREVER));
	assert_errno(ETIMEDOUT, wait_on(fd, PAGE, 0, CLOCK_MONOTONIC, 0));
	assert_int_equal(stat_of(fd).pages, 0);
	close(fd);
}

/* Two mebibytes that are written at once come as large folios, where there are any. */
static void a_word_in_a_large_folio_is_found(void **state)
{
	enum { LARGE = 4 << 20 };
	size_t at;

	(void)state;
	kind = &kinds[1];
	fd = file_fd(LARGE);
	assert_ret(0, posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
	for (at = 0; at < LARGE; at += PAGE) {
		__u32 value = at + 1;

		/* Reading ahead makes them. */
		assert_ret(4, pread(fd, &value, 4, at));
		value = at + 1;
		assert_ret(4, pwrite(fd, &value, 4, at + 100));
	}
	for (at = 0; at < LARGE; at += PAGE) {
		assert_errno(ETIMEDOUT,
			     wait_on(fd, at + 100, at + 1, CLOCK_MONOTONIC, 0));
		assert_errno(EAGAIN,
			     wait_on(fd, at + 100, at, CLOCK_MONOTONIC, 0));
	}
	close(fd);
}

static void the_default_region_keeps_its_words(void **state)
{
	__u32 value = 77;

	(void)state;
	kind = &kinds[3];
	fd = region_fd();
	assert_ret(4, pwrite(fd, &value, 4, PAGE));
	/* Nobody has it open: its contents are parked. */
	close(fd);
	fd = region_fd();
	assert_errno(EAGAIN, wait_on(fd, PAGE, 0, CLOCK_MONOTONIC, FOREVER));
	assert_errno(ETIMEDOUT, wait_on(fd, PAGE, 77, CLOCK_MONOTONIC, 0));
	value = 0;
	assert_ret(4, pwrite(fd, &value, 4, PAGE));
	close(fd);
}

/* --- bad requests ----------------------------------------------------------------- */

static void check_bad_waits(void)
{
	struct ipcdemo_wait good = {.size = sizeof(good),
				    .expected = 1,
				    .clock = CLOCK_MONOTONIC,
				    .deadline_ns = FOREVER};
	static const __u32 clocks[] = {CLOCK_PROCESS_CPUTIME_ID,
				       CLOCK_MONOTONIC_RAW,
				       CLOCK_BOOTTIME,
				       CLOCK_TAI,
				       99,
				       ~0u};
	struct ipcdemo_wait bad;
	size_t i;
	int writer;

	assert_errno(EAGAIN, ioctl(fd, IPCDEMO_IOC_WAIT, &good));
	bad = good;
	bad.flags = 1;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_WAIT, &bad));
	for (i = 1; i < 4; i++) {
		bad = good;
		bad.offset = i;
		assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_WAIT, &bad));
	}
	for (i = 0; i < NR(clocks); i++) {
		bad = good;
		bad.clock = clocks[i];
		assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_WAIT, &bad));
	}
	bad = good;
	bad.offset = stat_of(fd).length;
	assert_errno(EFAULT, ioctl(fd, IPCDEMO_IOC_WAIT, &bad));
	bad.offset = ~3ULL;
	assert_errno(EFAULT, ioctl(fd, IPCDEMO_IOC_WAIT, &bad));
	bad = good;
	bad.size--;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_WAIT, &bad));
	assert_errno(EFAULT, ioctl(fd, IPCDEMO_IOC_WAIT, nowhere()));
	writer = reopened(O_WRONLY);
	assert_errno(EBADF, ioctl(writer, IPCDEMO_IOC_WAIT, &good));
	close(writer);
}

static void check_bad_wakes(void)
{
	struct ipcdemo_wake good = {.size = sizeof(good), .count = 1}, bad;
	int reader;

	assert_ret(0, ioctl(fd, IPCDEMO_IOC_WAKE, &good));
	bad = good;
	bad.flags = 1;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_WAKE, &bad));
	bad = good;
	bad.zero = 1;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_WAKE, &bad));
	bad = good;
	bad.count = 0;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_WAKE, &bad));
	bad = good;
	bad.offset = 2;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_WAKE, &bad));
	bad.offset = stat_of(fd).length;
	assert_errno(EFAULT, ioctl(fd, IPCDEMO_IOC_WAKE, &bad));
	assert_errno(EFAULT, ioctl(fd, IPCDEMO_IOC_WAKE, nowhere()));
	reader = reopened(O_RDONLY);
	assert_errno(EBADF, ioctl(reader, IPCDEMO_IOC_WAKE, &good));
	close(reader);
}

/* The same in 32-bit programs. */
static void structs_have_their_sizes(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct ipcdemo_wait), 32);
	assert_int_equal(offsetof(struct ipcdemo_wait, deadline_ns), 24);
	assert_int_equal(sizeof(struct ipcdemo_wake), 24);
	assert_int_equal(sizeof(struct ipcdemo_wake_wait), 48);
	assert_int_equal(offsetof(struct ipcdemo_wake_wait, offset), 24);
	assert_int_equal(offsetof(struct ipcdemo_wake_wait, deadline_ns), 40);
}

/* None of them wakes the one who waits at 0. */
static void check_bad_wake_waits(void)
{
	struct ipcdemo_wake_wait good = {.size = sizeof(good),
					 .wake_count = 1,
					 .offset = 4,
					 .expected = 1,
					 .clock = CLOCK_MONOTONIC,
					 .deadline_ns = FOREVER};
	struct actor *sleeper = sleeper_at(0, 0);
	struct ipcdemo_wake_wait bad;
	int end;

	bad = good;
	bad.flags = 1;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_WAKE_WAIT, &bad));
	bad = good;
	bad.wake_offset = 3;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_WAKE_WAIT, &bad));
	bad = good;
	bad.offset = 3;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_WAKE_WAIT, &bad));
	bad = good;
	bad.clock = CLOCK_BOOTTIME;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_WAKE_WAIT, &bad));
	bad = good;
	bad.offset = stat_of(fd).length;
	assert_errno(EFAULT, ioctl(fd, IPCDEMO_IOC_WAKE_WAIT, &bad));
	bad = good;
	bad.wake_offset = stat_of(fd).length;
	assert_errno(EFAULT, ioctl(fd, IPCDEMO_IOC_WAKE_WAIT, &bad));
	assert_int_equal(bad.wake_count, 1);
	assert_errno(EFAULT, ioctl(fd, IPCDEMO_IOC_WAKE_WAIT, nowhere()));
	end = reopened(O_RDONLY);
	assert_errno(EBADF, ioctl(end, IPCDEMO_IOC_WAKE_WAIT, &good));
	close(end);
	end = reopened(O_WRONLY);
	assert_errno(EBADF, ioctl(end, IPCDEMO_IOC_WAKE_WAIT, &good));
	close(end);
	/* A request that can be read, but the reply not be written. */
	{
		char *page = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS,
				  -1, 0);

		memcpy(page, &good, sizeof(good));
		assert_ret(0, mprotect(page, PAGE, PROT_READ));
		assert_errno(EFAULT, ioctl(fd, IPCDEMO_IOC_WAKE_WAIT, page));
		assert_ret(0, munmap(page, PAGE));
	}
	sleeps_in(sleeper, waiting_call());
	/* And this one does. */
	assert_errno(EAGAIN, ioctl(fd, IPCDEMO_IOC_WAKE_WAIT, &good));
	assert_int_equal(good.woken, 1);
	assert_int_equal(good.wake_count, 0);
	returns(sleeper, 0);
	destroy(sleeper);
}

static void bad_requests_are_refused(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_bad_waits);
	on_each(OUR_OWN, check_bad_wakes);
	on_each(OUR_OWN, check_bad_wake_waits);
}

static void other_descriptors_are_refused(void **state)
{
	struct ipcdemo_wait wait = {.size = sizeof(wait)};
	struct ipcdemo_wake wake_one = {.size = sizeof(wake_one), .count = 1};
	struct ipcdemo_wake_wait both = {.size = sizeof(both)};
	struct ends e = open_ends(O_NONBLOCK);
	int fds[] = {control(), e.r, e.w};
	size_t i;

	(void)state;
	for (i = 0; i < NR(fds); i++) {
		assert_errno(ENOTTY, ioctl(fds[i], IPCDEMO_IOC_WAIT, &wait));
		assert_errno(ENOTTY,
			     ioctl(fds[i], IPCDEMO_IOC_WAKE, &wake_one));
		assert_errno(ENOTTY,
			     ioctl(fds[i], IPCDEMO_IOC_WAKE_WAIT, &both));
		close(fds[i]);
	}
}

/* A region of six bytes has one word; of three bytes, none. */
static void a_word_must_be_wholly_inside(void **state)
{
	(void)state;
	kind = &kinds[1];
	fd = file_fd(6);
	assert_errno(EAGAIN, wait_on(fd, 0, 1, CLOCK_MONOTONIC, FOREVER));
	assert_errno(EFAULT, wait_on(fd, 4, 1, CLOCK_MONOTONIC, FOREVER));
	assert_ret(0, ftruncate(fd, 8));
	assert_errno(EAGAIN, wait_on(fd, 4, 1, CLOCK_MONOTONIC, FOREVER));
	assert_ret(0, ftruncate(fd, 3));
	assert_errno(EFAULT, wait_on(fd, 0, 1, CLOCK_MONOTONIC, FOREVER));
	assert_errno(EFAULT, wake(0, 1));
	assert_ret(0, ftruncate(fd, 0));
	assert_errno(EFAULT, wake(0, 1));
	close(fd);
}

/* --- deadlines -------------------------------------------------------------------- */

static void check_deadlines(void)
{
	static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME};
	__u64 deadline;
	size_t i;

	for (i = 0; i < NR(clocks); i++) {
		/* Long ago, a moment ago, and soon. */
		assert_errno(ETIMEDOUT, wait_on(fd, 0, 0, clocks[i], 0));
		assert_errno(ETIMEDOUT, wait_on(fd, 0, 0, clocks[i], 1));
		deadline = now_ns(clocks[i]);
		assert_errno(ETIMEDOUT, wait_on(fd, 0, 0, clocks[i], deadline));
		deadline = now_ns(clocks[i]) + 20000000;
		assert_errno(ETIMEDOUT, wait_on(fd, 0, 0, clocks[i], deadline));
		assert_true(now_ns(clocks[i]) >= deadline);
	}
	assert_ret(0, wake(0, 1));
}

static void a_deadline_ends_the_wait(void **state)
{
	(void)state;
	on_each(ALL, check_deadlines);
}

static void check_far_deadlines(void)
{
	static const __u64 far[] = {3600 * SECOND_NS * 24 * 365 * 100,
				    (__u64)INT64_MAX - 1,
				    INT64_MAX,
				    (__u64)INT64_MAX + 1,
				    FOREVER - 1,
				    FOREVER};
	static const long clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME};
	struct actor *actor = new_actor_with(fd);
	size_t i, j;

	for (i = 0; i < NR(far); i++) {
		for (j = 0; j < NR(clocks); j++) {
			shared->deadline = far[i];
			begin(actor, do_wait_until, 0, 0, clocks[j]);
			sleeps_in(actor, waiting_call());
			assert_ret(1, wake(0, 1));
			returns(actor, 0);
		}
	}
	destroy(actor);
}

static void a_far_deadline_is_waited_for(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_far_deadlines);
}

/* In a time namespace whose clock is ahead of the kernel's: 0 if all is well. */
static int wait_in_time_namespace(void)
{
	__u64 deadline = now_ns(CLOCK_MONOTONIC) + 20000000;

	if (wait_on(fd, 0, 0, CLOCK_MONOTONIC, deadline) != -1 ||
	    errno != ETIMEDOUT)
		return 1;
	return now_ns(CLOCK_MONOTONIC) >= deadline ? 0 : 2;
}

/* Only children are in the new namespace.  -1: there are none here. */
static long do_time_namespace(long b, long c, long d)
{
	static const char offset[] = "monotonic 1000 0\n";
	int offsets, status;
	pid_t pid;

	(void)b;
	(void)c;
	(void)d;
	if (unshare(CLONE_NEWTIME))
		return -1;
	offsets = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
	if (write(offsets, offset, strlen(offset)) != (ssize_t)strlen(offset))
		return 3;
	close(offsets);
	pid = fork();
	if (!pid)
		_exit(wait_in_time_namespace());
	return waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : 4;
}

static void check_time_namespace(void)
{
	struct reply reply =
		does(new_actor_with(fd), do_time_namespace, 0, 0, 0);

	if (reply.ret == -1 && reply.err == EINVAL)
		print_message("# not tried: no time namespaces here\n");
	else
		assert_int_equal(reply.ret, 0);
}

static void a_deadline_is_of_the_time_namespace(void **state)
{
	(void)state;
	on_each(ALL, check_time_namespace);
}

/* --- who is woken ----------------------------------------------------------------- */

static void check_count(void)
{
	struct actor *actors[5];
	size_t i;

	assert_ret(0, wake(4, 1));
	for (i = 0; i < NR(actors); i++)
		actors[i] = sleeper_at(4, 0);
	/* Another word of the same page: nobody. */
	assert_ret(0, wake(0, INT_MAX));
	assert_ret(0, wake(8, 1));
	/* In the order in which they came. */
	assert_ret(1, wake(4, 1));
	returns(actors[0], 0);
	assert_ret(2, wake(4, 2));
	returns(actors[1], 0);
	returns(actors[2], 0);
	for (i = 3; i < NR(actors); i++)
		sleeps_in(actors[i], waiting_call());
	assert_ret(2, wake(4, INT_MAX));
	returns(actors[3], 0);
	returns(actors[4], 0);
	assert_ret(0, wake(4, INT_MAX));
	for (i = 0; i < NR(actors); i++)
		destroy(actors[i]);
}

static void so_many_are_woken_in_their_order(void **state)
{
	(void)state;
	on_each(ALL, check_count);
}

static void check_all(void)
{
	struct actor *one = sleeper_at(4, 0), *two = sleeper_at(4, 0);

	assert_ret(2, wake(4, ~0u));
	returns(one, 0);
	returns(two, 0);
	destroy(one);
	destroy(two);
}

static void above_int_max_all_are_woken(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_all);
}

/* More words than a region has queues: some share one. */
static void check_neighbours(void)
{
	struct actor *actors[20];
	size_t i;

	for (i = 0; i < NR(actors); i++)
		actors[i] = sleeper_at(4 * i, 0);
	for (i = NR(actors); i--;) {
		assert_ret(1, wake(4 * i, INT_MAX));
		returns(actors[i], 0);
		destroy(actors[i]);
	}
}

static void words_do_not_disturb_one_another(void **state)
{
	(void)state;
	on_each(ALL, check_neighbours);
}

static long do_map_and_wait(long offset, long length, long c)
{
	(void)c;
	/* Elsewhere than the parent has it, and from another page on. */
	map = mmap(NULL, length, RW, MAP_SHARED, fd, PAGE);
	if (map == MAP_FAILED)
		return -1;
	if (__atomic_load_n(word_at(offset - PAGE), __ATOMIC_SEQ_CST) != 3)
		return -2;
	map -= PAGE;
	return wait_on(fd, offset, 3, CLOCK_MONOTONIC, FOREVER);
}

static void check_addresses(void)
{
	struct actor *actor = new_actor_with(fd);

	store(PAGE + 16, 3);
	begin(actor, do_map_and_wait, PAGE + 16, 2 * PAGE, 0);
	sleeps_in(actor, waiting_call());
	assert_ret(1, wake(PAGE + 16, 1));
	returns(actor, 0);
	destroy(actor);
}

static void a_word_is_the_same_at_any_address(void **state)
{
	(void)state;
	on_each(ALL, check_addresses);
}

static void check_unmapped(void)
{
	__u32 value = 9;
	struct actor *actor;

	assert_ret(0, munmap(map, LENGTH));
	assert_ret(4, pwrite(fd, &value, 4, 24));
	actor = sleeper_at(24, 9);
	assert_ret(1, wake(24, 1));
	returns(actor, 0);
	destroy(actor);
	map = mmap(NULL, LENGTH, RW, MAP_SHARED, fd, 0);
}

static void no_mapping_is_needed(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_unmapped);
}

static void *wait_in_thread(void *arg)
{
	return (void *)wait_on(fd, (uintptr_t)arg, 0, CLOCK_MONOTONIC, FOREVER);
}

/* So many threads wait for the word, and the sum of what they return. */
static long do_wait_in_threads(long offset, long count, long c)
{
	pthread_t threads[200];
	pthread_attr_t attr;
	void *ret;
	long i, sum = 0;

	(void)c;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	for (i = 0; i < count; i++)
		if (pthread_create(&threads[i], &attr, wait_in_thread,
				   (void *)offset))
			return -1;
	for (i = 0; i < count; i++) {
		pthread_join(threads[i], &ret);
		sum += (long)ret;
	}
	return sum;
}

/* Wakes all who come, until so many have come. */
static void check_threads(void)
{
	struct actor *actor = new_actor_with(fd);
	long woken = 0, once;

	begin(actor, do_wait_in_threads, 40, 150, 0);
	while (woken < 150) {
		once = wake(40, INT_MAX);
		assert_true(once >= 0);
		woken += once;
		breathe();
	}
	returns(actor, 0);
	assert_ret(0, wake(40, INT_MAX));
	destroy(actor);
}

/* More than are woken in one go, with others between them. */
static void check_crowd(void)
{
	struct actor *actor = new_actor_with(fd), *other = new_actor_with(fd);
	__u64 before = counter_of("word.wait");

	begin(actor, do_wait_in_threads, 40, 150, 0);
	eventually(counter_of("word.wait") == before + 150);
	begin(other, do_wait_in_threads, 44, 100, 0);
	eventually(counter_of("word.wait") == before + 250);
	assert_ret(70, wake(40, 70));
	assert_ret(80, wake(40, INT_MAX));
	returns(actor, 0);
	assert_ret(100, wake(44, INT_MAX));
	returns(other, 0);
	destroy(actor);
	destroy(other);
}

static void threads_are_woken_each_once(void **state)
{
	(void)state;
	on_each(ALL, check_threads);
	on_each(OUR_OWN, check_crowd);
}

/* --- signals ---------------------------------------------------------------------- */

static void check_interrupted(void)
{
	struct actor *actor = new_actor_with(fd);

	assert_ret(0, does(actor, do_catch, SIGUSR1, 0, 0).ret);
	begin(actor, do_wait, 0, 0, 0);
	sleeps_in(actor, waiting_call());
	kill(actor->pid, SIGUSR1);
	fails(actor, EINTR);
	assert_ret(1, does(actor, do_count, SIGUSR1, 0, 0).ret);
	assert_ret(0, wake(0, 1));
	destroy(actor);
}

static void a_signal_ends_the_wait(void **state)
{
	(void)state;
	on_each(ALL, check_interrupted);
}

static void check_restarted(void)
{
	struct actor *actor = new_actor_with(fd);
	unsigned long before;

	assert_ret(0, does(actor, do_catch, SIGUSR1, SA_RESTART, 0).ret);
	begin(actor, do_wait, 0, 0, 0);
	sleeps_in(actor, waiting_call());
	before = sleeps_of(actor);
	kill(actor->pid, SIGUSR1);
	eventually(sleeps_of(actor) > before);
	sleeps_in(actor, waiting_call());
	assert_ret(1, wake(0, 1));
	returns(actor, 0);
	assert_ret(1, does(actor, do_count, SIGUSR1, 0, 0).ret);
	/* It compares again. */
	begin(actor, do_wait, 0, 0, 0);
	sleeps_in(actor, waiting_call());
	store(0, 1);
	kill(actor->pid, SIGUSR1);
	fails(actor, EAGAIN);
	store(0, 0);
	destroy(actor);
}

static void a_wait_is_restarted(void **state)
{
	(void)state;
	on_each(ALL, check_restarted);
}

/* If a restarted call began its time anew, the signals would keep it for ever. */
static void check_restarted_deadline(void)
{
	struct actor *actor = new_actor_with(fd);

	assert_ret(0, does(actor, do_catch, SIGUSR1, SA_RESTART, 0).ret);
	shared->deadline = now_ns(CLOCK_MONOTONIC) + SECOND_NS / 2;
	begin(actor, do_wait_until, 0, 0, CLOCK_MONOTONIC);
	do {
		kill(actor->pid, SIGUSR1);
		breathe();
	} while (!is_done(actor));
	fails(actor, ETIMEDOUT);
	assert_true(now_ns(CLOCK_MONOTONIC) >= shared->deadline);
	assert_true(does(actor, do_count, SIGUSR1, 0, 0).ret > 1);
	destroy(actor);
}

static void a_restarted_wait_keeps_its_deadline(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_restarted_deadline);
}

static void check_stopped(void)
{
	struct actor *actor = sleeper_at(0, 0);
	int status;

	kill(actor->pid, SIGSTOP);
	assert_ret(actor->pid, waitpid(actor->pid, &status, WUNTRACED));
	kill(actor->pid, SIGCONT);
	sleeps_in(actor, waiting_call());
	assert_ret(1, wake(0, 1));
	returns(actor, 0);
	destroy(actor);
}

static void a_stopped_waiter_waits_on(void **state)
{
	(void)state;
	on_each(ALL, check_stopped);
}

/*
 * Freezing.  That of the first version of cgroups stops tasks as suspend does, where
 * they sleep; that of the second one by a signal of its own kind, behind which the
 * call restarts.
 */
static const struct freezer {
	const char *type, *data;
	const char *file, *freeze, *thaw;
	const char *state, *frozen;
} freezers[] = {
	{"cgroup", "freezer", "freezer.state", "FROZEN", "THAWED",
	 "freezer.state", "FROZEN\n"},
	{"cgroup2", NULL, "cgroup.freeze", "1", "0", "cgroup.events",
	 "frozen 1\n"},
};

static bool put_line(const char *dir, const char *name, const char *text)
{
	char path[128];
	int file;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = open(path, O_WRONLY | O_CLOEXEC);
	ok = file >= 0 && write(file, text, strlen(text)) > 0;
	close(file);
	return ok;
}

static bool has_line(const char *dir, const char *name, const char *text)
{
	char path[128], all[256] = "";
	int file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || read(file, all, sizeof(all) - 1) < 0)
		*all = '\0';
	close(file);
	return strstr(all, text);
}

/*
 * What a frozen actor leaves as it was: nothing is asserted before it is thawed, for
 * who is frozen cannot be killed everywhere.
 */
static void freeze(const struct freezer *freezer, const char *dir,
		   struct actor *actor, void (*meanwhile)(void))
{
	uint64_t until = now_ns(CLOCK_MONOTONIC) / 1000000 + PATIENCE_MS;
	char pid[16];
	bool frozen = false, thawed;

	snprintf(pid, sizeof(pid), "%d", actor->pid);
	if (put_line(dir, "cgroup.procs", pid) &&
	    put_line(dir, freezer->file, freezer->freeze))
		while (!(frozen = has_line(dir, freezer->state,
					   freezer->frozen)) &&
		       now_ns(CLOCK_MONOTONIC) / 1000000 < until)
			breathe();
	if (frozen)
		meanwhile();
	thawed = put_line(dir, freezer->file, freezer->thaw);
	assert_true(frozen);
	assert_true(thawed);
}

static long woken_meanwhile;

static void do_nothing(void)
{
}

static void change_and_wake(void)
{
	store(0, 1);
	woken_meanwhile = wake(0, 1);
}

static void let_deadline_pass(void)
{
	while (now_ns(CLOCK_MONOTONIC) <= shared->deadline)
		breathe();
}

/* Once thawed the actor sleeps on, or has returned. */
static void check_frozen_by(const struct freezer *freezer, const char *dir)
{
	struct actor *actor = sleeper_at(0, 0);
	struct reply reply;

	/* The wait is what it was, and is woken as if nothing had been. */
	freeze(freezer, dir, actor, do_nothing);
	sleeps_in(actor, waiting_call());
	assert_false(is_done(actor));
	assert_ret(1, wake(0, 1));
	returns(actor, 0);

	/* A wake-up meanwhile finds it, or it finds the word changed. */
	begin(actor, do_wait, 0, 0, 0);
	sleeps_in(actor, waiting_call());
	freeze(freezer, dir, actor, change_and_wake);
	reply = end(actor);
	if (woken_meanwhile)
		assert_int_equal(reply.ret, 0);
	else
		assert_int_equal(reply.err, EAGAIN);
	assert_int_equal(reply.ret, woken_meanwhile ? 0 : -1);
	store(0, 0);

	/* A deadline stays where it was. */
	shared->deadline = now_ns(CLOCK_MONOTONIC) + SECOND_NS / 2;
	begin(actor, do_wait_until, 0, 0, CLOCK_MONOTONIC);
	sleeps_in(actor, waiting_call());
	freeze(freezer, dir, actor, let_deadline_pass);
	fails(actor, ETIMEDOUT);
	assert_ret(0, wake(0, INT_MAX));
	destroy(actor);
}

static void check_frozen(void)
{
	char dir[80];
	size_t i;

	/* Over what is mounted there: our file is open already */
	for (i = 0; i < NR(freezers); i++) {
		if (mount("none", our_dir, freezers[i].type, 0,
			  freezers[i].data)) {
			print_message("# no freezer of %s: %s\n",
				      freezers[i].type, strerror(errno));
			continue;
		}
		snprintf(dir, sizeof(dir), "%s/test", our_dir);
		mkdir(dir, 0700);
		check_frozen_by(&freezers[i], dir);
		eventually(!rmdir(dir));
		assert_ret(0, umount2(our_dir, 0));
	}
}

static void a_frozen_waiter_waits_on(void **state)
{
	(void)state;
	on_each(ALL, check_frozen);
}

static void check_killed(void)
{
	struct actor *actor = sleeper_at(0, 0), *other = sleeper_at(0, 0);

	kill_actor(actor);
	assert_ret(1, wake(0, 1));
	returns(other, 0);
	assert_ret(0, wake(0, INT_MAX));
	destroy(other);
}

static void a_killed_waiter_is_gone(void **state)
{
	(void)state;
	on_each(ALL, check_killed);
}

/* --- where two calls meet --------------------------------------------------------- */

/* Stored and woken before it has compared: it sees what was stored. */
static void check_store_before_compare(void)
{
	struct actor *actor = new_actor_with(fd);
	int ctl = control();

	add_gate(ctl, "word.enter", 1);
	begin(actor, do_wait, 0, 0, 0);
	arrives(ctl, actor, "word.enter");
	store(0, 1);
	assert_ret(0, wake(0, 1));
	go(ctl, actor);
	assert_false(waits(actor, SYS_ioctl));
	fails(actor, EAGAIN);
	store(0, 0);
	destroy(actor);
	close(ctl);
}

/* Woken between its comparison and its sleep: it does not sleep. */
static void check_wake_before_sleep(void)
{
	struct actor *actor = new_actor_with(fd);
	int ctl = control();

	add_gate(ctl, "word.wait", 1);
	begin(actor, do_wait, 0, 0, 0);
	arrives(ctl, actor, "word.wait");
	store(0, 1);
	assert_ret(1, wake(0, 1));
	go(ctl, actor);
	returns(actor, 0);
	store(0, 0);
	destroy(actor);
	close(ctl);
}

/* Its deadline passes, or a signal comes, while it is held there. */
static void check_late_before_sleep(void)
{
	struct actor *actor = new_actor_with(fd);
	int ctl = control();

	add_gate(ctl, "word.wait", 2);
	shared->deadline = 1;
	begin(actor, do_wait_until, 0, 0, CLOCK_REALTIME);
	arrives(ctl, actor, "word.wait");
	go(ctl, actor);
	fails(actor, ETIMEDOUT);
	assert_ret(0, does(actor, do_catch, SIGUSR1, 0, 0).ret);
	begin(actor, do_wait, 0, 0, 0);
	arrives(ctl, actor, "word.wait");
	kill(actor->pid, SIGUSR1);
	fails(actor, EINTR);
	assert_ret(0, wake(0, 1));
	destroy(actor);
	close(ctl);
}

static void a_wake_up_before_the_sleep_is_not_lost(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_store_before_compare);
	on_each(OUR_OWN, check_wake_before_sleep);
	on_each(OUR_OWN, check_late_before_sleep);
}

/* It has a signal and will leave; then it is woken, or it is not. */
static void check_woken_and_signalled(void)
{
	struct actor *actor = new_actor_with(fd);
	int ctl = control();
	bool woken;

	add_gate(ctl, "word.leave", 2);
	assert_ret(0, does(actor, do_catch, SIGUSR1, 0, 0).ret);
	for (woken = false;; woken = true) {
		begin(actor, do_wait, 0, 0, 0);
		sleeps_in(actor, SYS_ioctl);
		kill(actor->pid, SIGUSR1);
		arrives(ctl, actor, "word.leave");
		if (woken)
			assert_ret(1, wake(0, 1));
		go(ctl, actor);
		if (woken)
			break;
		fails(actor, EINTR);
		assert_ret(0, wake(0, 1));
	}
	returns(actor, 0);
	assert_ret(2, does(actor, do_count, SIGUSR1, 0, 0).ret);
	destroy(actor);
	close(ctl);
}

/* The same with a deadline that has passed. */
static void check_woken_and_late(void)
{
	struct actor *actor = new_actor_with(fd);
	int ctl = control();

	add_gate(ctl, "word.leave", 1);
	shared->deadline = 1;
	begin(actor, do_wait_until, 0, 0, CLOCK_MONOTONIC);
	arrives(ctl, actor, "word.leave");
	assert_ret(1, wake(0, 1));
	/* It was chosen: the next finds nobody. */
	assert_ret(0, wake(0, 1));
	go(ctl, actor);
	returns(actor, 0);
	destroy(actor);
	close(ctl);
}

static void who_was_woken_returns_0_whatever_else_came(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_woken_and_signalled);
	on_each(OUR_OWN, check_woken_and_late);
}

/* A waker that is held has chosen nobody yet. */
static void check_held_waker(void)
{
	struct actor *waker = new_actor_with(fd), *first, *second;
	int ctl = control();

	first = sleeper_at(0, 0);
	add_gate(ctl, "word.wake", 1);
	begin(waker, do_wake, 0, INT_MAX, 0);
	arrives(ctl, waker, "word.wake");
	second = sleeper_at(0, 0);
	go(ctl, waker);
	returns(waker, 2);
	returns(first, 0);
	returns(second, 0);
	destroy(first);
	destroy(second);
	destroy(waker);
	close(ctl);
}

static void who_comes_before_the_walk_is_woken(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_held_waker);
}

/* --- both in one ------------------------------------------------------------------ */

/* Wake at 0, wait at 8. */
static long do_wake_wait(long count, long expected, long c)
{
	struct ipcdemo_wake_wait request = {
		.size = sizeof(request),
		.wake_count = count,
		.woken = 99,
		.offset = 8,
		.expected = expected,
		.clock = CLOCK_MONOTONIC,
		.deadline_ns = shared->deadline,
	};
	long ret;
	int err;

	(void)c;
	ret = ioctl(fd, IPCDEMO_IOC_WAKE_WAIT, &request);
	err = errno;
	shared->woken = request.woken;
	shared->wake_count = request.wake_count;
	errno = err;
	return ret;
}

static void check_wake_wait(void)
{
	struct actor *one = sleeper_at(0, 0), *two = sleeper_at(0, 0);
	struct actor *both = new_actor_with(fd);

	shared->deadline = FOREVER;
	begin(both, do_wake_wait, 1, 0, 0);
	returns(one, 0);
	sleeps_in(both, SYS_ioctl);
	sleeps_in(two, SYS_ioctl);
	assert_ret(1, wake(8, 1));
	returns(both, 0);
	assert_int_equal(shared->woken, 1);
	assert_int_equal(shared->wake_count, 0);

	/* It wakes, whatever the wait says. */
	begin(both, do_wake_wait, INT_MAX, 1, 0);
	fails(both, EAGAIN);
	assert_int_equal(shared->woken, 1);
	returns(two, 0);

	/* Nobody: and the number is left alone. */
	shared->deadline = 1;
	begin(both, do_wake_wait, 0, 0, 0);
	fails(both, ETIMEDOUT);
	assert_int_equal(shared->woken, 99);
	destroy(one);
	destroy(two);
	destroy(both);
}

static void wake_and_wait_does_both(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_wake_wait);
}

static void check_wake_wait_restarted(void)
{
	struct actor *one = sleeper_at(0, 0), *two = sleeper_at(0, 0);
	struct actor *both = new_actor_with(fd);
	unsigned long before;

	assert_ret(0, does(both, do_catch, SIGUSR1, SA_RESTART, 0).ret);
	assert_ret(0, does(both, do_catch, SIGUSR2, 0, 0).ret);
	shared->deadline = FOREVER;
	begin(both, do_wake_wait, 1, 0, 0);
	returns(one, 0);
	sleeps_in(both, SYS_ioctl);
	before = sleeps_of(both);
	kill(both->pid, SIGUSR1);
	eventually(sleeps_of(both) > before);
	sleeps_in(both, SYS_ioctl);
	assert_ret(1, does(new_actor_with(fd), do_wake, 0, INT_MAX, 0).ret);
	returns(two, 0);
	kill(both->pid, SIGUSR2);
	fails(both, EINTR);
	assert_int_equal(shared->woken, 1);
	assert_int_equal(shared->wake_count, 0);
	assert_ret(1, does(both, do_count, SIGUSR1, 0, 0).ret);
	destroy(one);
	destroy(two);
	destroy(both);
}

static void wake_and_wait_wakes_nobody_twice(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_wake_wait_restarted);
}

/* --- eventfds --------------------------------------------------------------------- */

static long bind_on(int on, __u64 offset, int eventfd)
{
	struct ipcdemo_word_event request = {
		.size = sizeof(request), .offset = offset, .eventfd = eventfd};

	return ioctl(on, IPCDEMO_IOC_WORD_EVENT, &request);
}

static int new_eventfd(void)
{
	int ret = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	assert_int_not_equal(ret, -1);
	return ret;
}

/* What it was signalled since it was asked last. */
static __u64 signals_of(int event)
{
	__u64 value = 0;

	if (read(event, &value, sizeof(value)) < 0)
		assert_int_equal(errno, EAGAIN);
	return value;
}

static void check_bad_events(void)
{
	struct ipcdemo_word_event good = {.size = sizeof(good)}, bad;
	int event = new_eventfd(), writer;

	good.eventfd = event;
	bad = good;
	bad.flags = 1;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_WORD_EVENT, &bad));
	bad = good;
	bad.zero = 1;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_WORD_EVENT, &bad));
	assert_errno(EFAULT, ioctl(fd, IPCDEMO_IOC_WORD_EVENT, nowhere()));
	assert_errno(EINVAL, bind_on(fd, 2, event));
	assert_errno(EINVAL, bind_on(fd, 2, -1));
	assert_errno(EFAULT, bind_on(fd, stat_of(fd).length, event));
	assert_errno(ENOENT, bind_on(fd, stat_of(fd).length, -1));
	assert_errno(EBADF, bind_on(fd, 0, -2));
	assert_errno(EBADF, bind_on(fd, 0, 1000));
	assert_errno(EINVAL, bind_on(fd, 0, fd));
	assert_errno(ENOENT, bind_on(fd, 0, -1));
	writer = reopened(O_WRONLY);
	assert_errno(EBADF, bind_on(writer, 0, event));
	close(writer);
	assert_int_equal(lines_of(EVENTS_BLOCK), 0);
	assert_ret(0, ioctl(fd, IPCDEMO_IOC_WORD_EVENT, &good));
	assert_errno(EEXIST, bind_on(fd, 0, event));
	assert_ret(0, bind_on(fd, 0, -1));
	assert_errno(ENOENT, bind_on(fd, 0, -1));
	close(event);
}

static void bad_bindings_are_refused(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	assert_int_equal(sizeof(struct ipcdemo_word_event), 24);
	assert_errno(ENOTTY, bind_on(e.r, 0, -1));
	close(e.r);
	close(e.w);
	on_each(OUR_OWN, check_bad_events);
}

static long do_epoll(long epoll, long b, long c)
{
	struct epoll_event event;

	(void)b;
	(void)c;
	return epoll_wait(epoll, &event, 1, -1);
}

static void check_events(void)
{
	int first = new_eventfd(), second = new_eventfd(), other, epoll;
	struct epoll_event in = {.events = EPOLLIN};
	struct actor *actor, *sleeper;

	other = reopened(O_RDONLY);
	assert_ret(0, bind_on(fd, 4, first));
	assert_ret(0, bind_on(other, 4, second));
	/* Not counted, and not of another word. */
	assert_ret(0, wake(4, 1));
	assert_ret(0, wake(0, INT_MAX));
	assert_ret(0, wake(8, 1));
	assert_int_equal(signals_of(first), 1);
	assert_int_equal(signals_of(second), 1);
	sleeper = sleeper_at(4, 0);
	assert_ret(1, wake(4, INT_MAX));
	assert_ret(0, wake(4, INT_MAX));
	returns(sleeper, 0);
	assert_int_equal(signals_of(first), 2);

	epoll = epoll_create1(EPOLL_CLOEXEC);
	assert_ret(0, epoll_ctl(epoll, EPOLL_CTL_ADD, first, &in));
	actor = new_actor_with_both(epoll, first);
	begin(actor, do_epoll, epoll, 0, 0);
	sleeps_in(actor, SYS_epoll_wait);
	assert_ret(0, wake(4, 1));
	returns(actor, 1);

	/* The file that is closed takes its binding along. */
	close(other);
	assert_int_equal(lines_of(EVENTS_BLOCK), 1);
	signals_of(first);
	signals_of(second);
	assert_ret(0, wake(4, 1));
	assert_int_equal(signals_of(first), 1);
	assert_int_equal(signals_of(second), 0);
	/* An eventfd that the program has closed is signalled for nobody. */
	close(first);
	destroy(actor);
	assert_ret(0, wake(4, 1));
	assert_ret(0, bind_on(fd, 4, -1));
	assert_int_equal(lines_of(EVENTS_BLOCK), 0);
	close(second);
	close(epoll);
	destroy(sleeper);
}

static void a_bound_eventfd_is_signalled(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_events);
}

/* The open file, not the descriptor; a mapping has it open, too. */
static void check_bound_file(void)
{
	int event = new_eventfd(), other = reopened(O_RDWR), copy;
	char *at;

	assert_ret(0, bind_on(other, 4, event));
	copy = fcntl(other, F_DUPFD_CLOEXEC, 0);
	at = mmap(NULL, PAGE, RW, MAP_SHARED, other, 0);
	assert_errno(EEXIST, bind_on(copy, 4, event));
	close(other);
	close(copy);
	assert_ret(0, wake(4, 1));
	assert_int_equal(signals_of(event), 1);
	assert_ret(0, munmap(at, PAGE));
	assert_int_equal(lines_of(EVENTS_BLOCK), 0);
	assert_ret(0, wake(4, 1));
	assert_int_equal(signals_of(event), 0);
	close(event);
}

static void a_binding_belongs_to_the_open_file(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_bound_file);
}

/* Real user ids that nobody has; the effective one stays root's. */
#define OTHER_USER 61000

static void check_most_events(void)
{
	int event = new_eventfd(), files[17];
	unsigned int i, j;

	for (i = 0; i < 16; i++) {
		files[i] = reopened(O_RDONLY);
		if (i == 8) {
			/* Half is for one user: of all, and of a word */
			assert_errno(ENOSPC, bind_on(files[i], 4 * 64, event));
			assert_ret(0, bind_on(files[0], 4, -1));
			assert_errno(ENOSPC, bind_on(files[i], 0, event));
			assert_ret(0, bind_on(files[0], 4, event));
			assert_ret(0, setresuid(OTHER_USER, -1, -1));
		}
		for (j = 0; j < 64; j++)
			assert_ret(0, bind_on(files[i], 4 * j, event));
		if (!i)
			assert_errno(ENOSPC, bind_on(files[i], 4 * j, event));
	}
	/* Of the third user, who has none */
	assert_ret(0, setresuid(OTHER_USER + 1, -1, -1));
	files[i] = reopened(O_RDONLY);
	assert_errno(ENOSPC, bind_on(files[i], 0, event));
	assert_int_equal(lines_of(EVENTS_BLOCK), 1024);
	assert_ret(0, wake(8, 1));
	assert_int_equal(signals_of(event), 16);
	assert_ret(0, bind_on(files[0], 12, -1));
	/* There is room again in the region, but not for this word. */
	assert_errno(ENOSPC, bind_on(files[i], 0, event));
	assert_ret(0, bind_on(files[i], 12, event));
	assert_ret(0, setresuid(0, -1, -1));
	for (i = 0; i < NR(files); i++)
		close(files[i]);
	assert_int_equal(lines_of(EVENTS_BLOCK), 0);
	close(event);
}

static void bindings_are_limited(void **state)
{
	(void)state;
	on_each(OUR_FILE | DEFAULT, check_most_events);
}

/* A word that was cut off cannot be bound, but be unbound. */
static void truncation_leaves_bindings(void **state)
{
	int event = new_eventfd();

	(void)state;
	kind = &kinds[1];
	fd = file_fd(LENGTH);
	assert_ret(0, bind_on(fd, PAGE, event));
	assert_ret(0, ftruncate(fd, 0));
	assert_errno(EFAULT, bind_on(fd, PAGE, event));
	assert_ret(0, bind_on(fd, PAGE, -1));
	assert_errno(ENOENT, bind_on(fd, PAGE, -1));
	close(fd);
	close(event);
}

/* --- what is shown ---------------------------------------------------------------- */

static void check_shown(void)
{
	struct actor *actors[3];
	char lines[4][128], want[128];
	size_t i;

	/* The last word first: they are shown by word. */
	actors[2] = sleeper_at(2 * PAGE, 0);
	actors[0] = sleeper_at(8, 0);
	actors[1] = sleeper_at(8, 0);
	assert_int_equal(block(WAITERS_BLOCK, lines, NR(lines)), 3);
	for (i = 0; i < 3; i++) {
		snprintf(want, sizeof(want), "%u word.wait %d wait_word",
			 i == 2 ? 2 * PAGE : 8, actors[i]->pid);
		if (strncmp(lines[i], want, strlen(want)) ||
		    !strstr(lines[i], " sleeping\n"))
			fail_msg("not %s but: %s", want, lines[i]);
	}
	assert_int_equal(lines_of(WAKES_BLOCK), 0);
	assert_ret(1, does(new_actor_with(fd), do_wake, 8, 1, 0).ret);
	assert_ret(1, wake(2 * PAGE, 1));
	returns(actors[0], 0);
	returns(actors[2], 0);
	/* A killed one leaves nothing. */
	kill_actor(actors[1]);
	assert_int_equal(lines_of(WAITERS_BLOCK), 0);
	assert_int_equal(block(WAKES_BLOCK, lines, NR(lines)), 2);
	snprintf(want, sizeof(want), "%u %d wait_word", 2 * PAGE, getpid());
	assert_int_equal(strncmp(lines[1], want, strlen(want)), 0);
	snprintf(want, sizeof(want), " %d wait_word", actors[2]->pid);
	assert_non_null(strstr(lines[1], want));
	snprintf(want, sizeof(want), " %d wait_word", actors[0]->pid);
	assert_non_null(strstr(lines[0], want));
	destroy(actors[0]);
	destroy(actors[2]);
}

static void who_waits_and_who_woke_whom_is_shown(void **state)
{
	(void)state;
	on_each(OUR_FILE | OUR_ANON, check_shown);
}

static void the_newest_wake_ups_are_shown(void **state)
{
	struct actor *actor;
	char lines[40][128];
	int i;

	(void)state;
	kind = &kinds[1];
	fd = file_fd(LENGTH);
	actor = new_actor_with(fd);
	for (i = 0; i < 35; i++) {
		begin(actor, do_wait, 4 * i, 0, 0);
		sleeps_in(actor, SYS_ioctl);
		assert_ret(1, wake(4 * i, 1));
		returns(actor, 0);
	}
	assert_int_equal(block(WAKES_BLOCK, lines, NR(lines)), 32);
	assert_int_equal(atoi(lines[0]), 4 * 3);
	assert_int_equal(atoi(lines[31]), 4 * 34);
	destroy(actor);
	close(fd);
}

/* Somebody is woken, and held before he runs on. */
static void check_shown_woken(void)
{
	struct actor *actor = new_actor_with(fd);
	char lines[1][128];
	int ctl = control();

	add_gate(ctl, "word.wait", 1);
	begin(actor, do_wait, 0, 0, 0);
	arrives(ctl, actor, "word.wait");
	assert_ret(1, wake(0, 1));
	assert_int_equal(block(WAITERS_BLOCK, lines, 1), 1);
	assert_non_null(strstr(lines[0], " woken\n"));
	go(ctl, actor);
	returns(actor, 0);
	destroy(actor);
	close(ctl);
}

static void who_was_woken_is_shown_so(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_shown_woken);
}

/* The gates know who waits, also since before there was one. */
static void who_waits_is_told_of(void **state)
{
	struct ipcdemo_arrival task = {};
	struct ipcdemo_tasks request = {
		.size = sizeof(request),
		.flags = IPCDEMO_TASKS_QUIET,
		.timeout_ms = PATIENCE_MS,
		.count = 1,
		.tasks = (uintptr_t)&task,
		.element_size = sizeof(task),
	};
	struct actor *actor;
	int ctl = control(), i;

	(void)state;
	kind = &kinds[1];
	fd = file_fd(LENGTH);
	for (i = 0; i < 2; i++) {
		actor = sleeper_at(PAGE, 0);
		task.pid = actor->pid;
		assert_ret(0, ioctl(ctl, IPCDEMO_IOC_TASKS, &request));
		assert_int_equal(task.state, IPCDEMO_TASK_ASLEEP);
		assert_int_equal(task.id, stat_of(fd).id);
		assert_int_equal(0, strcmp(task.point,
					   i ? "word.sleep" : "word.wait"));
		destroy(actor);
		add_gate(ctl, "word.wake", 0);
	}
	close(ctl);
	close(fd);
}

/* --- the region ------------------------------------------------------------------- */

static void truncation_leaves_waiters(void **state)
{
	struct actor *actor;

	(void)state;
	kind = &kinds[1];
	fd = file_fd(LENGTH);
	actor = sleeper_at(2 * PAGE, 0);
	assert_ret(0, ftruncate(fd, PAGE));
	assert_errno(EFAULT, wake(2 * PAGE, 1));
	sleeps_in(actor, SYS_ioctl);
	assert_ret(0, ftruncate(fd, LENGTH));
	assert_ret(1, wake(2 * PAGE, 1));
	returns(actor, 0);
	destroy(actor);
	close(fd);
}

/* Whoever waits has it open: nothing is left when he is killed. */
static void a_region_goes_with_its_last_waiter(void **state)
{
	struct actor *actor;
	char path[64];

	(void)state;
	kind = &kinds[1];
	fd = file_fd(LENGTH);
	snprintf(path, sizeof(path), "/proc/ipcdemo/region/%u", stat_of(fd).id);
	actor = sleeper_at(PAGE, 0);
	assert_ret(0, unlink(file_path));
	close(fd);
	sleeps_in(actor, SYS_ioctl);
	assert_ret(0, access(path, F_OK));
	kill_actor(actor);
	eventually(access(path, F_OK));
}

/* --- */

static const struct claim claims[] = {
	{"a word that differs is not waited for",
	 a_word_that_differs_is_not_waited_for, DEV},
	{"a page that is not there is zeros, and not made",
	 a_page_that_is_not_there_is_zeros, DEV},
	{"a word in a large folio is found", a_word_in_a_large_folio_is_found,
	 DEV},
	{"the default region keeps its words",
	 the_default_region_keeps_its_words, DEV},
	{"structs have their sizes", structs_have_their_sizes, DEV},
	{"bad requests are refused", bad_requests_are_refused, DEV},
	{"other descriptors are refused", other_descriptors_are_refused, DEV},
	{"a word must be wholly inside", a_word_must_be_wholly_inside, DEV},
	{"a deadline ends the wait", a_deadline_ends_the_wait, DEV},
	{"a far deadline is waited for", a_far_deadline_is_waited_for, DEV},
	{"a deadline is one of the caller's time namespace",
	 a_deadline_is_of_the_time_namespace, DEV},
	{"so many are woken, in their order", so_many_are_woken_in_their_order,
	 DEV},
	{"above INT_MAX all are woken", above_int_max_all_are_woken, DEV},
	{"words do not disturb one another", words_do_not_disturb_one_another,
	 DEV},
	{"a word is the same at any address", a_word_is_the_same_at_any_address,
	 DEV},
	{"no mapping is needed", no_mapping_is_needed, DEV},
	{"threads are woken, each once", threads_are_woken_each_once, DEV},
	{"a signal ends the wait", a_signal_ends_the_wait, DEV},
	{"a wait is restarted", a_wait_is_restarted, DEV},
	{"a restarted wait keeps its deadline",
	 a_restarted_wait_keeps_its_deadline, DEV},
	{"a stopped waiter waits on", a_stopped_waiter_waits_on, DEV},
	{"a frozen waiter waits on", a_frozen_waiter_waits_on, DEV},
	{"a killed waiter is gone", a_killed_waiter_is_gone, DEV},
	{"a wake-up before the sleep is not lost",
	 a_wake_up_before_the_sleep_is_not_lost, DEV},
	{"who was woken returns 0, whatever else came",
	 who_was_woken_returns_0_whatever_else_came, DEV},
	{"who comes before the walk is woken",
	 who_comes_before_the_walk_is_woken, DEV},
	{"WAKE_WAIT does both", wake_and_wait_does_both, DEV},
	{"WAKE_WAIT, restarted, wakes nobody twice",
	 wake_and_wait_wakes_nobody_twice, DEV},
	{"bad bindings are refused", bad_bindings_are_refused, DEV},
	{"a bound eventfd is signalled by each wake-up",
	 a_bound_eventfd_is_signalled, DEV},
	{"a binding belongs to the open file",
	 a_binding_belongs_to_the_open_file, DEV},
	{"bindings are limited", bindings_are_limited, DEV},
	{"truncation leaves bindings", truncation_leaves_bindings, DEV},
	{"who waits, and who woke whom, is shown",
	 who_waits_and_who_woke_whom_is_shown, DEV},
	{"the newest wake-ups are shown", the_newest_wake_ups_are_shown, DEV},
	{"who was woken is shown so", who_was_woken_is_shown_so, DEV},
	{"who waits is told of, also since before anybody looked",
	 who_waits_is_told_of, DEV},
	{"truncation leaves waiters", truncation_leaves_waiters, DEV},
	{"a region goes with its last waiter",
	 a_region_goes_with_its_last_waiter, DEV},
};

int main(void)
{
	return run_word_claims("wait_word", claims, NR(claims));
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Every error path: calls that fail at each of their allocations and copies
 *
 * The debug kernel lets the Nth allocation, or copy from or to a program, of a
 * task fail (/proc/thread-self/fail-nth).  Each call here is made again and
 * again, with N = 1, 2, … until it comes to its end before the Nth.  After each
 * of them the pipe must hold what the calls said, nothing may be left of a call
 * that failed, and the last must succeed.  What is leaked is found by kmemleak
 * when the tests are over, what is freed twice by KASAN.
 *
 * By default such faults leave out most allocations: see spare_nothing().
 */
#include "../kernel/harness.h"

#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#define DEBUGFS	    "/sys/kernel/debug"
#define MOST_PLACES 3000
#define MOST_BYTES  (8 * PAGE)

/* --- making calls fail -------------------------------------------------------- */

/* What there is to fail, and how often it has. */
enum kind { SLAB, PAGES, COPY, NR_KINDS };

static const char *const kinds[NR_KINDS] = {"failslab", "fail_page_alloc",
					    "fail_usercopy"};

/* The kernel counts down what it has let fail. */
#define COUNT_FROM 1000000000

static void set_value(const char *kind, const char *name, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), DEBUGFS "/%s/%s", kind, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) != (int)strlen(value))
		fail_msg("%s: %s: is this the debug kernel?", path,
			 strerror(errno));
	close(fd);
}

static long count_of(enum kind kind)
{
	char path[128], value[32] = "";
	int fd;

	snprintf(path, sizeof(path), DEBUGFS "/%s/times", kinds[kind]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, value, sizeof(value) - 1) <= 0)
		fail_msg("%s: %s", path, strerror(errno));
	close(fd);
	return COUNT_FROM - atol(value);
}

/*
 * The defaults leave out allocations that may wait, which are nearly all, high
 * memory and single pages.  And what fails is not to fill the log.
 */
static void spare_nothing(void)
{
	char count[32];
	int i;

	snprintf(count, sizeof(count), "%d", COUNT_FROM);
	for (i = 0; i < NR_KINDS; i++) {
		set_value(kinds[i], "verbose", "0");
		set_value(kinds[i], "times", count);
	}
	set_value("failslab", "ignore-gfp-wait", "N");
	set_value("failslab", "cache-filter", "N");
	set_value("fail_page_alloc", "ignore-gfp-wait", "N");
	set_value("fail_page_alloc", "ignore-gfp-highmem", "N");
	set_value("fail_page_alloc", "min-order", "0");
}

/* The file of the thread that opens it. */
static int open_nth(void)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail_msg("fail-nth: %s: is this the debug kernel?",
			 strerror(errno));
	return fd;
}

static int nth_fd;

static void arm(unsigned int n)
{
	char value[16];
	int len = snprintf(value, sizeof(value), "%u", n);

	if (pwrite(nth_fd, value, len, 0) != len)
		fail_msg("fail-nth: %s", strerror(errno));
}

/* No more failures.  Return: true if one has come since arm(). */
static bool disarm(void)
{
	char value[16] = "";
	int err = errno;
	bool hit;

	/* That this copy fails means that it was the next. */
	hit = pread(nth_fd, value, sizeof(value) - 1, 0) > 0 && !atoi(value);
	while (pwrite(nth_fd, "0", 1, 0) != 1)
		;
	errno = err;
	return hit;
}

/* --- what must be as before ----------------------------------------------------- */

static int entries(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static int open_files(void)
{
	return entries("/proc/self/fd");
}

static int lines(const char *path)
{
	FILE *file = fopen(path, "re");
	int c, count = 0;

	assert_non_null(file);
	while ((c = fgetc(file)) != EOF)
		count += c == '\n';
	fclose(file);
	return count;
}

/* Not their files in /proc, which go a little later. */
static int objects(void)
{
	return lines("/proc/ipcdemo/pipes") + lines("/proc/ipcdemo/regions");
}

static long users(void)
{
	char value[32] = "";
	int fd = open("/sys/module/ipcdemo/refcnt", O_RDONLY | O_CLOEXEC);

	assert_true(read(fd, value, sizeof(value) - 1) > 0);
	close(fd);
	return atol(value);
}

/* --- one call, at all of its places ---------------------------------------------- */

/*
 * @before makes what the call needs, @call is made to fail, and @after is told
 * what it returned, looks, and takes away what is left; the first and the last
 * may be NULL.
 */
struct trial {
	void (*before)(void);
	long (*call)(void);
	void (*after)(long ret);
};

static bool may_fail_with(int err)
{
	switch (err) {
	case ENOMEM:
	case EFAULT:
	case ENFILE:
		return true;
	default:
		return false;
	}
}

static void fail_everywhere(const struct trial *trial)
{
	long ret, failed = 0, counts[NR_KINDS];
	int files, shown, i;
	unsigned int n;
	long held;
	bool hit;

	nth_fd = open_nth();
	files = open_files();
	shown = objects();
	held = users();
	for (i = 0; i < NR_KINDS; i++)
		counts[i] = count_of(i);
	for (n = 1;; n++) {
		if (trial->before)
			trial->before();
		arm(n);
		ret = trial->call();
		hit = disarm();
		if (ret == -1 && !may_fail_with(errno))
			fail_msg("place %u: %s", n, strerror(errno));
		if (ret == -1 && !hit)
			fail_msg("failed by itself: %s", strerror(errno));
		failed += ret == -1;
		if (trial->after)
			trial->after(ret);
		if (open_files() != files)
			fail_msg("place %u: descriptors were left", n);
		eventually(objects() == shown);
		eventually(users() == held);
		if (!hit)
			break;
		if (n == MOST_PLACES)
			fail_msg("no end after %u places", n);
	}
	close(nth_fd);
	print_message("# %u places, %ld failed calls:", n - 1, failed);
	for (i = 0; i < NR_KINDS; i++) {
		counts[i] = count_of(i) - counts[i];
		print_message(" %s %ld", kinds[i], counts[i]);
	}
	print_message("\n");
	/* Else this is no test. */
	assert_true(n > 1);
}

/* --- the calls ------------------------------------------------------------------ */

static struct ends e;
static unsigned char bytes[MOST_BYTES];
static size_t size, done;

static void open_the_ends(void)
{
	e = open_ends(O_NONBLOCK);
}

static void close_the_ends(void)
{
	close(e.r);
	close(e.w);
}

/* What is in the pipe is the pattern from @from on, to @to. */
static void holds(size_t from, size_t to)
{
	unsigned char got[MOST_BYTES];
	size_t at = from;
	ssize_t ret;

	assert_ret(to - from, bytes_in(e.r));
	while ((ret = read(e.r, got, sizeof(got))) > 0) {
		assert_memory_equal(got, bytes + at, ret);
		at += ret;
	}
	assert_int_equal(at, to);
}

/* And it works: all that there is room for goes through. */
static void still_works(void)
{
	size_t room = get_capacity(e.w);

	assert_ret(room, fill_up(e.w, PAGE));
	assert_ret(room, drain(e.r));
}

/* Opening. */

static int opening;

static long call_open(void)
{
	return open_end(opening);
}

static void after_open(long ret)
{
	if (ret >= 0)
		close(ret);
	if (target->bit == DEV)
		assert_int_equal(pipe_stat().readers + pipe_stat().writers, 0);
}

static void opening_fails(void **state)
{
	static const struct trial trial = {NULL, call_open, after_open};

	(void)state;
	opening = O_RDONLY | O_NONBLOCK;
	fail_everywhere(&trial);
	opening = O_RDWR;
	fail_everywhere(&trial);
}

static void opening_an_anonymous_one_fails(void **state)
{
	static const struct trial trial = {NULL, call_open, after_open};

	(void)state;
	open_the_ends();
	opening = O_RDWR;
	fail_everywhere(&trial);
	still_works();
}

static void opening_for_control_fails(void **state)
{
	static const struct trial trial = {NULL, call_open, after_open};

	(void)state;
	opening = IPCDEMO_O_CONTROL;
	fail_everywhere(&trial);
}

/* Making a pipe. */

static int ctl, made[2];
static __u64 capacity;

/* A pipe without a name. */
static int pipe_of_ours(int fds[2])
{
	struct ipcdemo_pipe_make make = {
		.size = sizeof(make),
		.flags = O_CLOEXEC | O_NONBLOCK,
		.fds = (uintptr_t)fds,
	};

	return ioctl(ctl, IPCDEMO_IOC_PIPE, &make);
}

/*
 * A control descriptor that has made one: from then on it keeps the mount of such
 * pipes, and that the module.
 */
static int maker(void)
{
	int fds[2];

	ctl = control();
	assert_ret(0, pipe_of_ours(fds));
	close(fds[0]);
	close(fds[1]);
	return ctl;
}

static long call_make(void)
{
	struct ipcdemo_pipe_make make = {
		.size = sizeof(make),
		.flags = O_CLOEXEC | O_NONBLOCK,
		.fds = (uintptr_t)made,
		.capacity = capacity,
	};

	return ioctl(ctl, IPCDEMO_IOC_PIPE, &make);
}

static void after_make(long ret)
{
	if (ret)
		return;
	e = (struct ends){made[0], made[1]};
	still_works();
	close_the_ends();
}

/* The first that a control descriptor makes. */
static void before_first(void)
{
	ctl = control();
}

static void after_first(long ret)
{
	after_make(ret);
	close(ctl);
}

static void making_a_pipe_fails(void **state)
{
	static const struct trial trial = {NULL, call_make, after_make};
	static const struct trial first = {before_first, call_make,
					   after_first};

	(void)state;
	capacity = 0;
	fail_everywhere(&first);
	ctl = maker();
	fail_everywhere(&trial);
	capacity = 64 * PAGE;
	fail_everywhere(&trial);
}

/* Writing: one length, then as several pieces, and behind other bytes. */

static size_t there;

static void before_write(void)
{
	open_the_ends();
	if (there)
		assert_ret(there, write(e.w, bytes, there));
}

static long call_write(void)
{
	return write(e.w, bytes + there, size);
}

static long call_writev(void)
{
	struct iovec parts[] = {{bytes + there, 1},
				{bytes + there + 1, size - 2},
				{bytes + there + size - 1, 1}};

	return writev(e.w, parts, NR(parts));
}

static void after_write(long ret)
{
	holds(0, there + (ret > 0 ? ret : 0));
	still_works();
	close_the_ends();
}

static void writing_fails(void **state)
{
	static const struct trial whole = {before_write, call_write,
					   after_write};
	static const struct trial parts = {before_write, call_writev,
					   after_write};
	static const size_t sizes[] = {3, PAGE, 3 * PAGE + 5};
	size_t i;

	(void)state;
	fill_pattern(bytes, sizeof(bytes), 1);
	for (there = 0; there <= 10; there += 10) {
		for (i = 0; i < NR(sizes); i++) {
			size = sizes[i];
			fail_everywhere(&whole);
			fail_everywhere(&parts);
		}
	}
}

/* Reading: what a read did not give must be there still. */

static void before_read(void)
{
	open_the_ends();
	done = 0;
	assert_ret(4 * PAGE + 5, write(e.w, bytes, 4 * PAGE + 5));
}

static unsigned char got_bytes[MOST_BYTES];

static long call_read(void)
{
	return read(e.r, got_bytes, size);
}

static long call_readv(void)
{
	struct iovec parts[] = {{got_bytes, 1},
				{got_bytes + 1, size - 2},
				{got_bytes + size - 1, 1}};

	return readv(e.r, parts, NR(parts));
}

static void after_read(long ret)
{
	size_t got = ret > 0 ? ret : 0;

	assert_memory_equal(got_bytes, bytes, got);
	holds(got, 4 * PAGE + 5);
	still_works();
	close_the_ends();
}

static void reading_fails(void **state)
{
	static const struct trial whole = {before_read, call_read, after_read};
	static const struct trial parts = {before_read, call_readv, after_read};
	static const size_t sizes[] = {3, PAGE + 1, 5 * PAGE};
	size_t i;

	(void)state;
	fill_pattern(bytes, sizeof(bytes), 1);
	for (i = 0; i < NR(sizes); i++) {
		size = sizes[i];
		fail_everywhere(&whole);
		fail_everywhere(&parts);
	}
}

/* Resizing, with bytes in the pipe. */

static long call_resize(void)
{
	return set_capacity(e.w, size) == -1 ? -1 : 0;
}

static void after_resize(long ret)
{
	long now = get_capacity(e.r);

	/* The new size may be in force though the reply could not be written. */
	if (ret)
		assert_true(now == DEFAULT_SIZE || now == (long)size);
	else
		assert_int_equal(now, size);
	holds(0, 4 * PAGE + 5);
	still_works();
	close_the_ends();
}

static void resizing_fails(void **state)
{
	static const struct trial trial = {before_read, call_resize,
					   after_resize};

	(void)state;
	fill_pattern(bytes, sizeof(bytes), 1);
	size = 8 * PAGE;
	fail_everywhere(&trial);
	size = 256 * PAGE;
	fail_everywhere(&trial);
}

/* Splice: what left the one is in the other. */

static int real[2];

static void before_splice(void)
{
	before_read();
	assert_ret(0, pipe2(real, O_CLOEXEC | O_NONBLOCK));
}

static long call_splice_out(void)
{
	/* Nothing is allocated for it, but for those who look. */
	return splice(e.r, NULL, real[1], NULL, 3 * PAGE + 3,
		      SPLICE_F_NONBLOCK);
}

static void close_real(void)
{
	close(real[0]);
	close(real[1]);
}

static void after_splice_out(long ret)
{
	size_t got = ret > 0 ? ret : 0;

	if (got)
		assert_ret(got, read(real[0], got_bytes, MOST_BYTES));
	assert_memory_equal(got_bytes, bytes, got);
	holds(got, 4 * PAGE + 5);
	still_works();
	close_the_ends();
	close_real();
}

static void before_splice_in(void)
{
	open_the_ends();
	assert_ret(0, pipe2(real, O_CLOEXEC | O_NONBLOCK));
	assert_ret(4 * PAGE + 5, write(real[1], bytes, 4 * PAGE + 5));
}

static long call_splice_in(void)
{
	return splice(real[0], NULL, e.w, NULL, 3 * PAGE + 3,
		      SPLICE_F_NONBLOCK);
}

static void after_splice_in(long ret)
{
	size_t got = ret > 0 ? ret : 0, rest = 4 * PAGE + 5 - got;

	holds(0, got);
	assert_ret(rest, read(real[0], got_bytes, MOST_BYTES));
	assert_memory_equal(got_bytes, bytes + got, rest);
	still_works();
	close_the_ends();
	close_real();
}

/* What the library calls: from ours to ours, from a file, from memory. */

static int beside[2], file_fd;

static void before_move(void)
{
	before_read();
	assert_ret(0, pipe_of_ours(beside));
}

static long ask_move(unsigned long request, int in, int out)
{
	struct ipcdemo_splice move = {
		.size = sizeof(move),
		.flags = SPLICE_F_NONBLOCK,
		.in = in,
		.out = out,
		.len = 3 * PAGE + 3,
	};

	return ioctl(ctl, request, &move);
}

static long call_move(void)
{
	return ask_move(IPCDEMO_IOC_SPLICE, e.r, beside[1]);
}

static long call_tee(void)
{
	return ask_move(IPCDEMO_IOC_TEE, e.r, beside[1]);
}

static size_t beside_holds(long ret)
{
	size_t got = ret > 0 ? ret : 0;

	assert_ret(got, bytes_in(beside[0]));
	if (got)
		assert_ret(got, read(beside[0], got_bytes, MOST_BYTES));
	assert_memory_equal(got_bytes, bytes, got);
	close(beside[0]);
	close(beside[1]);
	return got;
}

static void after_move(long ret)
{
	holds(beside_holds(ret), 4 * PAGE + 5);
	still_works();
	close_the_ends();
}

static void after_tee(long ret)
{
	beside_holds(ret);
	holds(0, 4 * PAGE + 5);
	still_works();
	close_the_ends();
}

static long call_move_from_file(void)
{
	assert_ret(0, lseek(file_fd, 0, SEEK_SET));
	return ask_move(IPCDEMO_IOC_SPLICE, file_fd, e.w);
}

static long call_vmsplice(void)
{
	struct iovec part = {bytes, 3 * PAGE + 3};
	struct ipcdemo_vmsplice move = {
		.size = sizeof(move),
		.flags = SPLICE_F_NONBLOCK,
		.iov = (uintptr_t)&part,
		.count = 1,
	};

	return ioctl(e.w, IPCDEMO_IOC_VMSPLICE, &move);
}

static void moving_pages_fails(void **state)
{
	static const struct trial trials[] = {
		{before_move, call_move, after_move},
		{before_move, call_tee, after_tee},
		{before_write, call_move_from_file, after_write},
		{before_write, call_vmsplice, after_write},
	};
	size_t i;

	(void)state;
	ctl = maker();
	fill_pattern(bytes, sizeof(bytes), 1);
	there = 0;
	file_fd = memfd_create("ipcdemo-faults", MFD_CLOEXEC);
	assert_ret(MOST_BYTES, write(file_fd, bytes, MOST_BYTES));
	for (i = 0; i < NR(trials); i++)
		fail_everywhere(&trials[i]);
}

/* SIGIO, poll, epoll, and the calls that look. */

static long call_fasync(void)
{
	return fcntl(e.r, F_SETFL, O_ASYNC | O_NONBLOCK);
}

static void after_fasync(long ret)
{
	(void)ret;
	still_works();
	close_the_ends();
}

static void open_both(void)
{
	int fd = open_end(O_RDWR | O_NONBLOCK);

	assert_int_not_equal(fd, -1);
	e = (struct ends){fd, fcntl(fd, F_DUPFD_CLOEXEC, 3)};
}

static void asking_for_signals_fails(void **state)
{
	static const struct trial one = {open_the_ends, call_fasync,
					 after_fasync};
	static const struct trial both = {open_both, call_fasync, after_fasync};

	(void)state;
	signal(SIGIO, SIG_IGN);
	fail_everywhere(&one);
	/* One descriptor that is on both lists, or on none. */
	if (target->bit & NAMED)
		fail_everywhere(&both);
}

static int ep;

static long call_epoll(void)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET};

	return epoll_ctl(ep, EPOLL_CTL_ADD, e.r, &event);
}

static void polling_fails(void **state)
{
	static const struct trial trial = {open_the_ends, call_epoll,
					   after_fasync};

	(void)state;
	ep = epoll_create1(EPOLL_CLOEXEC);
	fail_everywhere(&trial);
}

static long call_peek(void)
{
	struct ipcdemo_peek request = {
		.size = sizeof(request),
		.buf = (uintptr_t)got_bytes,
		.len = MOST_BYTES,
	};

	return ioctl(e.r, IPCDEMO_IOC_PEEK, &request);
}

static long call_stat(void)
{
	struct ipcdemo_pipe_stat stat = {.size = sizeof(stat)};

	return ioctl(e.r, IPCDEMO_IOC_PIPE_STAT, &stat);
}

static void after_look(long ret)
{
	(void)ret;
	holds(0, 4 * PAGE + 5);
	close_the_ends();
}

static void looking_fails(void **state)
{
	static const struct trial peek = {before_read, call_peek, after_look};
	static const struct trial stat = {before_read, call_stat, after_look};

	(void)state;
	fill_pattern(bytes, sizeof(bytes), 1);
	fail_everywhere(&peek);
	fail_everywhere(&stat);
}

/* The views. */

static const char *view;

static long call_view(void)
{
	int fd = open(view, O_RDONLY | O_CLOEXEC), err;
	long ret, sum = 0;

	if (fd < 0)
		return -1;
	while ((ret = read(fd, got_bytes, 1000)) > 0)
		sum += ret;
	err = errno;
	close(fd);
	errno = err;
	return ret ? ret : sum;
}

static void after_view(long ret)
{
	assert_true(ret != 0);
	holds(0, 4 * PAGE + 5);
	close_the_ends();
}

static void reading_the_views_fails(void **state)
{
	static const struct trial trial = {before_read, call_view, after_view};
	static const char *const views[] = {"version", "points", "pipes",
					    "regions"};
	char path[64];
	size_t i;

	(void)state;
	fill_pattern(bytes, sizeof(bytes), 1);
	view = path;
	for (i = 0; i < NR(views); i++) {
		snprintf(path, sizeof(path), "/proc/ipcdemo/%s", views[i]);
		fail_everywhere(&trial);
	}
	snprintf(path, sizeof(path), "/proc/ipcdemo/pipe/%u", pipe_stat().id);
	fail_everywhere(&trial);
	snprintf(path, sizeof(path), "/proc/ipcdemo/region/%u",
		 region_stat().id);
	fail_everywhere(&trial);
}

/* Names. */

static char dir[64], path[96], other[96];

static long call_mount(void)
{
	return mount("none", dir, "ipcdemofs", 0, "mode=755,nr_inodes=100");
}

static void after_mount(long ret)
{
	if (ret)
		return;
	assert_ret(0, mkfifo(path, 0600));
	assert_ret(0, umount(dir));
}

static void make_dir(void)
{
	snprintf(dir, sizeof(dir), "/tmp/ipcdemo-faults.%d", getpid());
	snprintf(path, sizeof(path), "%s/one", dir);
	snprintf(other, sizeof(other), "%s/two", dir);
	assert_ret(0, unshare(CLONE_NEWNS));
	assert_ret(0, mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	assert_ret(0, mkdir(dir, 0700));
}

static void mounting_fails(void **state)
{
	static const struct trial trial = {NULL, call_mount, after_mount};

	(void)state;
	make_dir();
	fail_everywhere(&trial);
	assert_ret(0, rmdir(dir));
}

static long call_mkfifo(void)
{
	return mkfifo(path, 0600);
}

static long call_mkdir(void)
{
	return mkdir(path, 0700);
}

/* A file with contents: they are a region. */
static long call_create(void)
{
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600), err;
	long ret;

	if (fd < 0)
		return -1;
	ret = pwrite(fd, bytes, 2 * PAGE, PAGE);
	err = errno;
	close(fd);
	errno = err;
	return ret;
}

static void after_create(long ret)
{
	/* It may be there without its contents. */
	if (ret == -1)
		unlink(path);
	else
		assert_ret(0, unlink(path));
	assert_ret(2, entries(dir));
}

static long call_symlink(void)
{
	return symlink("/somewhere/else", path);
}

static void after_name(long ret)
{
	assert_ret(ret ? -1 : 0, remove(path));
	/* Nothing counts as there still: a hundred fit. */
	assert_ret(2, entries(dir));
}

static void before_rename(void)
{
	assert_ret(0, mkfifo(path, 0600));
}

static long call_rename(void)
{
	return rename(path, other);
}

static long call_link(void)
{
	return link(path, other);
}

static void after_rename(long ret)
{
	int removed = !remove(path) + !remove(other);

	assert_true(removed == 1 || (!ret && removed == 2));
}

static long call_chmod(void)
{
	return chmod(path, 0640);
}

static long call_stat_of_name(void)
{
	struct stat stat;

	return lstat(path, &stat);
}

static long call_unlink(void)
{
	return unlink(path);
}

static void after_unlink(long ret)
{
	if (ret)
		assert_ret(0, unlink(path));
}

static void names_fail(void **state)
{
	static const struct trial trials[] = {
		{NULL, call_mkfifo, after_name},
		{NULL, call_mkdir, after_name},
		{NULL, call_symlink, after_name},
		{NULL, call_create, after_create},
		{before_rename, call_rename, after_rename},
		{before_rename, call_link, after_rename},
		{before_rename, call_chmod, after_rename},
		{before_rename, call_stat_of_name, after_rename},
		{before_rename, call_unlink, after_unlink},
	};
	size_t i;

	(void)state;
	make_dir();
	assert_ret(0, mount("none", dir, "ipcdemofs", 0, "nr_inodes=3"));
	for (i = 0; i < NR(trials); i++)
		fail_everywhere(&trials[i]);
	assert_ret(0, umount(dir));
	assert_ret(0, rmdir(dir));
}

/* The region. */

static long call_region_fd(void)
{
	struct ipcdemo_region_fd request = {
		.size = sizeof(request),
		.flags = O_CLOEXEC,
	};

	return ioctl(ctl, IPCDEMO_IOC_REGION_FD, &request);
}

static long call_region_make(void)
{
	struct ipcdemo_region_make request = {
		.size = sizeof(request),
		.flags = O_CLOEXEC,
		.length = 10 * PAGE,
	};

	return ioctl(ctl, IPCDEMO_IOC_REGION_MAKE, &request);
}

static void after_region_fd(long ret)
{
	if (ret >= 0)
		close(ret);
}

static int region;

static long call_region_write(void)
{
	return pwrite(region, bytes, 2 * PAGE, 3 * PAGE);
}

static long call_region_read(void)
{
	return pread(region, got_bytes, 2 * PAGE, 3 * PAGE);
}

static void *mapping;

static long call_map(void)
{
	mapping = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		       region, 0);
	return mapping == MAP_FAILED ? -1 : 0;
}

static void after_map(long ret)
{
	struct ipcdemo_region_stat stat = {.size = sizeof(stat)};

	if (!ret)
		assert_ret(0, munmap(mapping, 4 * PAGE));
	assert_ret(0, ioctl(region, IPCDEMO_IOC_REGION_STAT, &stat));
	assert_int_equal(stat.maps, 0);
}

static void regions_fail(void **state)
{
	static const struct trial ask = {NULL, call_region_fd, after_region_fd};
	static const struct trial make = {NULL, call_region_make,
					  after_region_fd};
	static const struct trial trials[] = {
		{NULL, call_region_write, NULL},
		{NULL, call_region_read, NULL},
		{NULL, call_map, after_map},
	};
	size_t i;

	(void)state;
	ctl = control();
	fail_everywhere(&ask);
	fail_everywhere(&make);
	region = call_region_fd();
	for (i = 0; i < NR(trials); i++)
		fail_everywhere(&trials[i]);
	close(region);
	region = call_region_make();
	for (i = 0; i < NR(trials); i++)
		fail_everywhere(&trials[i]);
}

/* Words of a new region each time: the first of such calls makes more. */

static int event;

static void before_word(void)
{
	region = call_region_make();
	assert_int_not_equal(region, -1);
	mapping = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		       region, 0);
	assert_ptr_not_equal(mapping, MAP_FAILED);
	event = eventfd(0, EFD_CLOEXEC);
}

/* What failed is not there; what did not goes with the region. */
static void after_word(long ret)
{
	(void)ret;
	assert_ret(0, munmap(mapping, 4 * PAGE));
	close(region);
	close(event);
}

/* Without the memory to wait, the word is not looked at; else it differs. */
static long call_wait(void)
{
	struct ipcdemo_wait request = {
		.size = sizeof(request),
		.expected = 1,
		.clock = CLOCK_MONOTONIC,
		.deadline_ns = IPCDEMO_WAIT_FOREVER,
	};
	long ret = ioctl(region, IPCDEMO_IOC_WAIT, &request);

	return ret == -1 && errno == EAGAIN ? 0 : ret;
}

static long call_wake_wait(void)
{
	struct ipcdemo_wake_wait request = {
		.size = sizeof(request),
		.wake_count = 1,
		.expected = 1,
		.clock = CLOCK_MONOTONIC,
		.deadline_ns = IPCDEMO_WAIT_FOREVER,
	};
	long ret = ioctl(region, IPCDEMO_IOC_WAKE_WAIT, &request);

	return ret == -1 && errno == EAGAIN ? 0 : ret;
}

static long call_bind(void)
{
	struct ipcdemo_word_event request = {.size = sizeof(request),
					     .eventfd = event};

	return ioctl(region, IPCDEMO_IOC_WORD_EVENT, &request);
}

/* A binding that failed is not there. */
static void after_bind(long ret)
{
	struct ipcdemo_word_event request = {.size = sizeof(request),
					     .eventfd = -1};

	if (ret)
		assert_errno(ENOENT,
			     ioctl(region, IPCDEMO_IOC_WORD_EVENT, &request));
	else
		assert_ret(0, ioctl(region, IPCDEMO_IOC_WORD_EVENT, &request));
	after_word(ret);
}

static long call_owner(void)
{
	struct ipcdemo_owner request = {.size = sizeof(request), .entries = 4};

	return ioctl(region, IPCDEMO_IOC_OWNER, &request);
}

static void words_fail(void **state)
{
	static const struct trial trials[] = {
		{before_word, call_wait, after_word},
		{before_word, call_wake_wait, after_word},
		{before_word, call_bind, after_bind},
		{before_word, call_owner, after_word},
	};
	static const struct trial look = {NULL, call_view, NULL};
	struct ipcdemo_region_stat stat = {.size = sizeof(stat)};
	char path[64];
	size_t i;

	(void)state;
	ctl = control();
	for (i = 0; i < NR(trials); i++)
		fail_everywhere(&trials[i]);
	/* A region that has all that can be shown, but somebody asleep. */
	before_word();
	assert_ret(0, call_wait());
	assert_ret(0, call_bind());
	assert_ret(0, call_owner());
	assert_ret(0, ioctl(region, IPCDEMO_IOC_REGION_STAT, &stat));
	snprintf(path, sizeof(path), "/proc/ipcdemo/region/%u", stat.id);
	view = path;
	fail_everywhere(&look);
	after_word(0);
}

/* The gates, and calls that are known. */

static long call_gate_add(void)
{
	struct ipcdemo_gate gate = {
		.size = sizeof(gate),
		.point = "write.*",
		.pid = getpid(),
	};

	return ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &gate);
}

static int gates(void)
{
	struct ipcdemo_gate list[8];
	struct ipcdemo_gates request = {
		.size = sizeof(request),
		.count = NR(list),
		.element_size = sizeof(*list),
		.gates = (uintptr_t)list,
	};

	if (ioctl(ctl, IPCDEMO_IOC_GATE_LIST, &request))
		return -1;
	return request.count;
}

static void after_gate_add(long ret)
{
	struct ipcdemo_gate all = {.size = sizeof(all)};

	assert_ret(ret ? 0 : 1, gates());
	if (!ret)
		assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_REMOVE, &all));
}

static long call_gate_list(void)
{
	return gates();
}

static long call_tasks(void)
{
	struct ipcdemo_arrival tasks[2] = {{.pid = 1}, {.pid = getpid()}};
	struct ipcdemo_tasks request = {
		.size = sizeof(request),
		.count = NR(tasks),
		.tasks = (uintptr_t)tasks,
		.element_size = sizeof(*tasks),
	};

	return ioctl(ctl, IPCDEMO_IOC_TASKS, &request);
}

static void gates_fail(void **state)
{
	static const struct trial trials[] = {
		{NULL, call_gate_add, after_gate_add},
		{NULL, call_gate_list, NULL},
		{NULL, call_tasks, NULL},
	};
	size_t i;

	(void)state;
	ctl = control();
	for (i = 0; i < NR(trials); i++)
		fail_everywhere(&trials[i]);
}

/* With a gate set, calls note what they do: that may fail, the calls go on. */
static void calls_that_are_looked_at_fail(void **state)
{
	static const struct trial trials[] = {
		{before_write, call_write, after_write},
		{before_read, call_read, after_read},
		{before_read, call_resize, after_resize},
		{before_splice, call_splice_out, after_splice_out},
		{before_splice_in, call_splice_in, after_splice_in},
	};
	/* Nobody comes there. */
	struct ipcdemo_gate gate = {
		.size = sizeof(gate),
		.point = "open.wait",
		.pid = 1,
	};
	size_t i;

	(void)state;
	ctl = control();
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &gate));
	fill_pattern(bytes, sizeof(bytes), 1);
	there = 0;
	size = 2 * PAGE;
	for (i = 0; i < NR(trials); i++) {
		if (trials[i].call == call_resize)
			size = 64 * PAGE;
		fail_everywhere(&trials[i]);
	}
}

/* --- calls that wait ------------------------------------------------------------- */

/* What an actor does: the same, at its own thread's Nth place. */
static long do_failing(long fd, long len, long n)
{
	long ret;

	nth_fd = open_nth();
	arm(n);
	ret = len > 0 ? read(fd, got_bytes, len) : write(fd, bytes, -len);
	actor_note = disarm();
	close(nth_fd);
	return ret;
}

static void a_read_that_waits_fails(void **state)
{
	struct actor *reader;
	struct reply reply;
	unsigned int n;

	(void)state;
	open_the_ends();
	nonblocking(e.r, false);
	reader = new_actor_with(e.r);
	for (n = 1; n < MOST_PLACES; n++) {
		begin(reader, do_failing, e.r, 100, n);
		if (waits(reader, SYS_read))
			assert_ret(5, write(e.w, "12345", 5));
		reply = end(reader);
		if (!reply.sum)
			break;
		if (reply.ret == -1) {
			assert_true(may_fail_with(reply.err));
			nonblocking(e.r, true);
			drain(e.r);
			nonblocking(e.r, false);
		}
	}
	assert_ret(5, reply.ret);
	assert_true(n > 1);
}

static void a_write_that_waits_fails(void **state)
{
	struct actor *writer;
	struct reply reply;
	unsigned int n;
	size_t left;

	(void)state;
	open_the_ends();
	writer = new_actor_with(e.w);
	for (n = 1; n < MOST_PLACES; n++) {
		nonblocking(e.w, true);
		assert_ret(DEFAULT_SIZE, fill_up(e.w, PAGE));
		nonblocking(e.w, false);
		begin(writer, do_failing, e.w, -2 * PAGE, n);
		if (waits(writer, SYS_write))
			assert_ret(DEFAULT_SIZE, get(e.r, DEFAULT_SIZE, NULL));
		reply = end(writer);
		left = drain(e.r);
		if (!reply.sum)
			break;
		if (reply.ret == -1)
			assert_true(may_fail_with(reply.err));
		else
			assert_true(reply.ret <= 2 * PAGE);
	}
	assert_ret(2 * PAGE, reply.ret);
	assert_true(left <= 2 * PAGE);
	assert_true(n > 1);
}

/* --- */

static const struct claim claims[] = {
	{"an open that fails leaves nothing", opening_fails,
	 DEV | FIFO | OUR_FIFO},
	{"an open by way of /proc that fails leaves nothing",
	 opening_an_anonymous_one_fails, PIPE | ANON},
	{"a control descriptor that cannot be had leaves nothing",
	 opening_for_control_fails, DEV},
	{"a pipe that cannot be made leaves nothing", making_a_pipe_fails,
	 ANON},
	{"a write that fails has written what it says", writing_fails, OURS},
	{"a read that fails has taken what it says", reading_fails, ENDS},
	{"a resize that fails changes nothing", resizing_fails, OURS},
	{"moving pages in vain loses and doubles nothing", moving_pages_fails,
	 OURS},
	{"asking for signals in vain changes nothing", asking_for_signals_fails,
	 ENDS},
	{"epoll that fails leaves nothing", polling_fails, ENDS},
	{"looking in vain changes nothing", looking_fails, OURS},
	{"a view that cannot be read changes nothing", reading_the_views_fails,
	 DEV},
	{"a mount that fails leaves nothing", mounting_fails, DEV},
	{"names that cannot be made leave nothing", names_fail, DEV},
	{"regions that cannot be had or filled leave nothing", regions_fail,
	 DEV},
	{"words, their eventfds and owners fail as a whole", words_fail, DEV},
	{"gates that cannot be set hold nobody", gates_fail, DEV},
	{"calls that are looked at fail as others do",
	 calls_that_are_looked_at_fail, OURS},
	{"a read that waits may fail anywhere", a_read_that_waits_fails, ENDS},
	{"a write that waits may fail anywhere", a_write_that_waits_fails,
	 OURS},
};

int main(void)
{
	spare_nothing();
	return run_claims("faults", claims, NR(claims));
}

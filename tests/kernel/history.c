// SPDX-License-Identifier: GPL-2.0
/*
 * Bugs that were real, in Linux or in teaching modules, told as they happened
 *
 * Those that need a certain order of steps are schedules (tests/interleave),
 * and many others are claims of the files beside this one: the table in
 * tests/mutants/README.md says which bug is where.
 */
#include "harness.h"

#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <linux/userfaultfd.h>

/* --- parameters of the module ----------------------------------------------------- */

#define PARAMETERS "/sys/module/ipcdemo/parameters/"

/* Set one; its old value goes to @old if that is not NULL. */
static void set_value(const char *path, const char *value, char *old,
		      size_t size)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	if (old) {
		len = read(fd, old, size - 1);
		assert_true(len > 0);
		old[len] = '\0';
		assert_ret(0, lseek(fd, 0, SEEK_SET));
	}
	assert_ret(strlen(value), write(fd, value, strlen(value)));
	close(fd);
}

/* --- CVE-2022-0847: Dirty Pipe ------------------------------------------------------ */

/* A byte, with its page. */
static long from_file(int file, loff_t *from, int to)
{
	struct ipcdemo_splice splice_it = {
		.size = sizeof(splice_it),
		.in = file,
		.out = to,
		.off_in = (uintptr_t)from,
		.len = 1,
	};

	if (target->bit & OURS)
		return ioctl(to, IPCDEMO_IOC_SPLICE, &splice_it);
	return splice(file, from, to, NULL, 1, 0);
}

/*
 * Each slot has held bytes behind which others went.  Now a page of a file comes
 * into one: what is written next must not go behind its bytes, into the file.
 */
static void a_file_is_not_written_to(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int file = memfd_create("ipcdemo-test", MFD_CLOEXEC);
	loff_t from = 10;
	char buf[PAGE];

	(void)state;
	assert_ret(PAGE, put(file, PAGE, 1));
	fill_up(e.w, 100);
	drain(e.r);
	assert_ret(1, from_file(file, &from, e.w));
	assert_ret(200, put(e.w, 200, 9));
	assert_ret(PAGE, pread(file, buf, PAGE, 0));
	assert_int_equal(sum_of(buf, PAGE), sum_of_pattern(PAGE, 1));
	assert_ret(201, get(e.r, 1000, NULL));
}

/* --- 46c4c9d1beb7: a pipe of one slot deadlocks a jobserver ------------------------- */

#define TOKENS 30

/*
 * As make does: the tokens go in, and from then on each one that is taken out is
 * put back.  The pipe never holds more bytes than at the start.  Return: how
 * often that went well, before a token could not be put back.
 */
static long do_jobserver(long rounds, long b, long c)
{
	struct ends e = open_ends(O_NONBLOCK);
	char token[TOKENS];
	long done;

	(void)b;
	(void)c;
	memset(token, '+', sizeof(token));
	if (write(e.w, token, sizeof(token)) != sizeof(token))
		return -1;
	for (done = 0; done < rounds; done++)
		if (read(e.r, token, 1) != 1 || write(e.w, token, 1) != 1)
			break;
	close(e.r);
	close(e.w);
	return done;
}

static void a_jobserver_above_the_soft_limit(void **state)
{
	const char *limit = target->bit == PIPE
				    ? "/proc/sys/fs/pipe-user-pages-soft"
				    : PARAMETERS "pipe_user_pages_soft";
	struct actor *user = new_actor();
	struct reply reply;
	char old[32];

	(void)state;
	assert_ret(0, does(user, do_uid, 65534, 0, 0).ret);
	set_value(limit, "1", old, sizeof(old));
	reply = does(user, do_jobserver, 3 * PAGE, 0, 0);
	set_value(limit, old, NULL, 0);
	assert_ret(3 * PAGE, reply.ret);
}

/* --- CVE-2015-1805: memory that comes while it is copied ------------------------------ */

/* Two pages; the second is not there, and comes when it is touched. */
struct late {
	unsigned char *at;
	int uffd;
	const unsigned char *content;
	pthread_t thread;
};

static void *bring(void *arg)
{
	struct late *late = arg;
	struct pollfd pfd = {.fd = late->uffd, .events = POLLIN};
	struct uffdio_copy copy = {
		.dst = (uintptr_t)late->at + PAGE,
		.src = (uintptr_t)late->content,
		.len = PAGE,
	};
	struct uffd_msg msg;

	if (poll(&pfd, 1, PATIENCE_MS) == 1 &&
	    read(late->uffd, &msg, sizeof(msg)) == sizeof(msg) &&
	    msg.event == UFFD_EVENT_PAGEFAULT &&
	    !ioctl(late->uffd, UFFDIO_COPY, &copy))
		return late;
	return NULL;
}

static void begin_late(struct late *late, const unsigned char *content)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register reg = {.mode = UFFDIO_REGISTER_MODE_MISSING};

	late->content = content;
	late->at = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(late->at, MAP_FAILED);
	late->at[0] = 0;
	late->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	assert_int_not_equal(late->uffd, -1);
	assert_ret(0, ioctl(late->uffd, UFFDIO_API, &api));
	reg.range.start = (uintptr_t)late->at + PAGE;
	reg.range.len = PAGE;
	assert_ret(0, ioctl(late->uffd, UFFDIO_REGISTER, &reg));
	assert_ret(0, pthread_create(&late->thread, NULL, bring, late));
}

/* It was indeed touched, and came. */
static void end_late(struct late *late)
{
	void *came;

	assert_ret(0, pthread_join(late->thread, &came));
	assert_ptr_equal(came, late);
	close(late->uffd);
	assert_ret(0, munmap(late->at, 2 * PAGE));
}

/*
 * A write whose memory comes midway, at each of some places: nothing of it is
 * lost, doubled or in another place.  With bytes before it, its odd part goes
 * behind them.
 */
static void a_write_waits_for_its_memory(void **state)
{
	static const size_t firsts[] = {1, 100, PAGE - 1, PAGE};
	unsigned char all[4 * PAGE], got[4 * PAGE];
	size_t i, before, first, len;

	(void)state;
	fill_pattern(all, sizeof(all), 1);
	for (i = 0; i < 2 * NR(firsts); i++) {
		struct ends e = open_ends(O_NONBLOCK);
		struct iovec parts[3];
		struct late late;

		first = firsts[i / 2];
		before = i % 2 ? 10 : 0;
		/* Of what is there, of what comes, and of what is there again. */
		begin_late(&late, all + before + first);
		memcpy(late.at + PAGE - first, all + before, first);
		parts[0] = (struct iovec){late.at + PAGE - first, first + PAGE};
		parts[1] = (struct iovec){all + before + first + PAGE, 50};
		len = first + PAGE + 50;
		if (before)
			assert_ret(before, write(e.w, all, before));
		assert_ret(len, writev(e.w, parts, 2));
		end_late(&late);
		assert_ret(before + len, read(e.r, got, sizeof(got)));
		assert_memory_equal(got, all, before + len);
		close(e.r);
		close(e.w);
	}
}

static void a_read_waits_for_its_memory(void **state)
{
	static const size_t firsts[] = {1, 100, PAGE - 1, PAGE};
	unsigned char all[4 * PAGE], rest[50];
	static unsigned char zeroes[PAGE];
	size_t i, len;

	(void)state;
	fill_pattern(all, sizeof(all), 1);
	for (i = 0; i < NR(firsts); i++) {
		struct ends e = open_ends(O_NONBLOCK);
		struct iovec parts[2];
		struct late late;

		begin_late(&late, zeroes);
		parts[0] = (struct iovec){late.at + PAGE - firsts[i],
					  firsts[i] + PAGE};
		parts[1] = (struct iovec){rest, sizeof(rest)};
		len = firsts[i] + PAGE + sizeof(rest);
		assert_ret(len, write(e.w, all, len));
		assert_ret(len, readv(e.r, parts, 2));
		assert_memory_equal(parts[0].iov_base, all, parts[0].iov_len);
		assert_memory_equal(rest, all + parts[0].iov_len, sizeof(rest));
		end_late(&late);
		close(e.r);
		close(e.w);
	}
}

/* --- 8cefc107ca54: the indices run freely, and wrap ------------------------------------ */

#define BEFORE_WRAP 10

/* Pipes that are made from now on have their indices just below 2^32. */
static void near_the_wrap(void)
{
	char value[32];

	if (!(target->bit & OURS))
		return;
	snprintf(value, sizeof(value), "%u", UINT32_MAX - BEFORE_WRAP);
	set_value(PARAMETERS "first_index", value, NULL, 0);
	if (target->bit == OUR_FIFO) {
		assert_ret(0, unlink(target->path));
		assert_ret(0, mkfifo(target->path, 0600));
	}
}

static void from_0_again(void)
{
	set_value(PARAMETERS "first_index", "0", NULL, 0);
}

static struct ipcdemo_pipe_stat stat_of(int fd)
{
	struct ipcdemo_pipe_stat stat = {.size = sizeof(stat)};

	assert_ret(0, ioctl(fd, IPCDEMO_IOC_PIPE_STAT, &stat));
	return stat;
}

static struct ends ends_near_the_wrap(void)
{
	struct ends e;

	near_the_wrap();
	e = open_ends(O_NONBLOCK);
	if (target->bit & OURS)
		assert_true(stat_of(e.r).head == UINT32_MAX - BEFORE_WRAP);
	return e;
}

/* What was tested was the wrap. */
static void has_wrapped(struct ends e)
{
	if (target->bit & OURS) {
		assert_true(stat_of(e.r).head < UINT32_MAX / 2);
		assert_true(stat_of(e.r).tail < UINT32_MAX / 2);
	}
}

static void peek_holds(int fd, size_t skip, size_t len, unsigned int seed)
{
	unsigned char got[PAGE], want[PAGE];
	struct ipcdemo_peek request = {
		.size = sizeof(request),
		.skip = skip,
		.buf = (uintptr_t)got,
		.len = len,
	};

	if (!(target->bit & OURS))
		return;
	assert_ret(0, ioctl(fd, IPCDEMO_IOC_PEEK, &request));
	assert_int_equal(request.len, len);
	fill_pattern(want, len, seed);
	assert_memory_equal(got, want, len);
}

static void packets_cross_the_wrap(void **state)
{
	struct ends e = ends_near_the_wrap();
	int i, round, flags = fcntl(e.w, F_GETFL);
	__u32 sum;

	(void)state;
	assert_ret(0, fcntl(e.w, F_SETFL, flags | O_DIRECT));
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 5; i++)
			assert_ret(100 + i, put(e.w, 100 + i, i));
		assert_ret(510, bytes_in(e.r));
		assert_ret(POLLIN, poll_now(e.r, POLLIN));
		peek_holds(e.r, 100, 101, 1);
		/* One a read, and what does not fit is dropped. */
		for (i = 0; i < 5; i++) {
			size_t room = i == 3 ? 50 : PAGE;
			size_t len = i == 3 ? 50 : 100 + i;

			assert_ret(len, get(e.r, room, &sum));
			assert_int_equal(sum, sum_of_pattern(len, i));
		}
		assert_errno(EAGAIN, get(e.r, PAGE, NULL));
	}
	has_wrapped(e);
}

static void full_and_empty_across_the_wrap(void **state)
{
	struct ends e = ends_near_the_wrap();
	int round;
	__u32 sum;

	(void)state;
	for (round = 0; round < 5; round++) {
		assert_ret(DEFAULT_SIZE, put(e.w, DEFAULT_SIZE, round));
		assert_errno(EAGAIN, put(e.w, 1, 0));
		assert_ret(0, poll_now(e.w, POLLOUT));
		assert_ret(DEFAULT_SIZE, get(e.r, 1 << 20, &sum));
		assert_int_equal(sum, sum_of_pattern(DEFAULT_SIZE, round));
		assert_errno(EAGAIN, get(e.r, 1, NULL));
		assert_ret(0, poll_now(e.r, POLLIN));
		/* One more, so that the wrap is met at other places. */
		assert_ret(PAGE, put(e.w, PAGE, 0));
		assert_ret(PAGE, get(e.r, PAGE, NULL));
	}
	has_wrapped(e);
}

static void resizing_across_the_wrap(void **state)
{
	struct ends e = ends_near_the_wrap();
	int round;
	__u32 sum;

	(void)state;
	for (round = 0; round < 10; round++) {
		assert_ret(3 * PAGE + 7, put(e.w, 3 * PAGE + 7, round));
		assert_ret(4 * PAGE, set_capacity(e.w, 4 * PAGE));
		assert_errno(EBUSY, set_capacity(e.w, 2 * PAGE));
		assert_ret(32 * PAGE, set_capacity(e.w, 32 * PAGE));
		assert_ret(3 * PAGE + 7, bytes_in(e.r));
		assert_ret(3 * PAGE + 7, get(e.r, 1 << 20, &sum));
		assert_int_equal(sum, sum_of_pattern(3 * PAGE + 7, round));
	}
	has_wrapped(e);
}

static void splicing_across_the_wrap(void **state)
{
	struct ends e = ends_near_the_wrap();
	int in[2], out[2], round;
	size_t len = 2 * PAGE + 50;
	__u32 sum;

	(void)state;
	assert_ret(0, pipe2(in, O_CLOEXEC));
	assert_ret(0, pipe2(out, O_CLOEXEC));
	for (round = 0; round < 10; round++) {
		assert_ret(len, put(in[1], len, round));
		assert_ret(len, splice(in[0], NULL, e.w, NULL, len, 0));
		assert_ret(3, put(e.w, 3, 0));
		assert_ret(len + 3, bytes_in(e.r));
		assert_ret(len, splice(e.r, NULL, out[1], NULL, len, 0));
		assert_ret(3, get(e.r, PAGE, NULL));
		assert_ret(len, get(out[0], 1 << 20, &sum));
		assert_int_equal(sum, sum_of_pattern(len, round));
	}
	has_wrapped(e);
}

/* --- */

#define MADE (FIFO | PIPE | ANON | OUR_FIFO)

static const struct claim claims[] = {
	{"a page of a file is not written to, whatever its slot held",
	 a_file_is_not_written_to, MADE},
	{"a jobserver goes on above the soft limit",
	 a_jobserver_above_the_soft_limit, PIPE | ANON},
	{"a write waits for memory that comes midway",
	 a_write_waits_for_its_memory, ENDS},
	{"a read waits for memory that comes midway",
	 a_read_waits_for_its_memory, ENDS},
	{"packets cross the wrap of the indices", packets_cross_the_wrap, MADE},
	{"full and empty are told apart across the wrap of the indices",
	 full_and_empty_across_the_wrap, MADE},
	{"resizing keeps the bytes across the wrap of the indices",
	 resizing_across_the_wrap, MADE},
	{"splicing moves the bytes across the wrap of the indices",
	 splicing_across_the_wrap, MADE},
};

int main(void)
{
	after_each = from_0_again;
	return run_claims("history", claims, NR(claims));
}

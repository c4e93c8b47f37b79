// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that is missing, goes away or changes in the middle of a copy
 *
 * userfaultfd(2) holds a call at the page that it wants next, for as long as
 * the test likes: then that page comes, or is unmapped, or its process dies.
 * The call is made by a thread; its page is known to be wanted from the
 * message, not from time that has passed.
 */
#include "harness.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <linux/userfaultfd.h>

#define PAGES 4

/* Memory of PAGES pages, of which some are missing, and a call that uses it. */
struct scene {
	char *memory;
	int uffd;
	struct ends e;
	pthread_t thread;
	pid_t tid;
	bool reads;
	struct iovec iov[3];
	int parts;
	ssize_t ret;
	int err;
};

static int make_userfaultfd(void)
{
	struct uffdio_api api = {.api = UFFD_API};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0) {
		print_message("# userfaultfd cannot be used here: %s\n",
			      strerror(errno));
		skip();
	}
	assert_ret(0, ioctl(fd, UFFDIO_API, &api));
	return fd;
}

/* Pages from @first on are missing; those before hold the pattern of seed 1. */
static struct scene scene(int first)
{
	struct scene s = {.uffd = make_userfaultfd()};
	struct uffdio_register area = {.mode = UFFDIO_REGISTER_MODE_MISSING};

	s.memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(s.memory, MAP_FAILED);
	assert_ret(0, madvise(s.memory, PAGES * PAGE, MADV_NOHUGEPAGE));
	if (first)
		fill_pattern(s.memory, first * PAGE, 1);
	area.range.start = (uintptr_t)s.memory;
	area.range.len = PAGES * PAGE;
	assert_ret(0, ioctl(s.uffd, UFFDIO_REGISTER, &area));
	s.e = open_ends(0);
	s.iov[0] = (struct iovec){s.memory, PAGES * PAGE};
	s.parts = 1;
	return s;
}

static void *do_call(void *arg)
{
	struct scene *s = arg;

	__atomic_store_n(&s->tid, gettid(), __ATOMIC_RELEASE);
	if (s->reads)
		s->ret = readv(s->e.r, s->iov, s->parts);
	else
		s->ret = writev(s->e.w, s->iov, s->parts);
	s->err = errno;
	return NULL;
}

static void begin_call(struct scene *s)
{
	assert_int_equal(pthread_create(&s->thread, NULL, do_call, s), 0);
}

/* The call wants that page, and waits for it. */
static void wants(struct scene *s, int page)
{
	struct pollfd pfd = {.fd = s->uffd, .events = POLLIN};
	struct uffd_msg msg;

	assert_ret(1, poll(&pfd, 1, PATIENCE_MS));
	assert_ret(sizeof(msg), read(s->uffd, &msg, sizeof(msg)));
	assert_int_equal(msg.event, UFFD_EVENT_PAGEFAULT);
	assert_int_equal((msg.arg.pagefault.address - (uintptr_t)s->memory) /
				 PAGE,
			 page);
}

/* The page comes, with what belongs there of the pattern of seed 1. */
static void give(struct scene *s, int page)
{
	static char content[PAGES * PAGE] __attribute__((aligned(PAGE)));
	struct uffdio_copy copy = {
		.dst = (uintptr_t)s->memory + page * PAGE,
		.src = (uintptr_t)content + page * PAGE,
		.len = PAGE,
	};

	fill_pattern(content, sizeof(content), 1);
	assert_ret(0, ioctl(s->uffd, UFFDIO_COPY, &copy));
}

/* The call looks once more, and finds nothing mapped. */
static void take_away(struct scene *s, int page, int pages)
{
	struct uffdio_range gone = {(uintptr_t)s->memory + page * PAGE,
				    pages * PAGE};

	assert_ret(0, munmap(s->memory + page * PAGE, pages * PAGE));
	assert_ret(0, ioctl(s->uffd, UFFDIO_WAKE, &gone));
}

static void ends_with(struct scene *s, ssize_t ret, int err)
{
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	errno = s->err;
	assert_ret(ret, s->ret);
	if (ret == -1)
		assert_int_equal(s->err, err);
}

/* The pipe holds just that, and works. */
static void pipe_holds(struct scene *s, size_t len)
{
	__u32 sum;

	assert_ret(len, bytes_in(s->e.r));
	if (len) {
		assert_ret(len, get(s->e.r, len + PAGE, &sum));
		assert_int_equal(sum, sum_of_pattern(len, 1));
	}
	assert_ret(100, put(s->e.w, 100, 1));
	/* Of an older kernel a slot without bytes may be left. */
	assert_ret(100, get(s->e.r, PAGE, &sum));
	assert_int_equal(sum, sum_of_pattern(100, 1));
}

static void done(struct scene *s)
{
	munmap(s->memory, PAGES * PAGE);
	close(s->uffd);
}

/* --- writing ------------------------------------------------------------------ */

static void a_write_goes_on_when_the_page_comes(void **state)
{
	struct scene s = scene(2);
	int page;

	(void)state;
	begin_call(&s);
	for (page = 2; page < PAGES; page++) {
		wants(&s, page);
		give(&s, page);
	}
	ends_with(&s, PAGES * PAGE, 0);
	pipe_holds(&s, PAGES * PAGE);
	done(&s);
}

static void a_write_has_the_pages_before_that_which_went(void **state)
{
	struct scene s = scene(2);

	(void)state;
	begin_call(&s);
	wants(&s, 2);
	take_away(&s, 2, 2);
	ends_with(&s, 2 * PAGE, 0);
	pipe_holds(&s, 2 * PAGE);
	done(&s);
}

static void a_write_whose_first_page_went_is_efault(void **state)
{
	struct scene s = scene(0);

	(void)state;
	begin_call(&s);
	wants(&s, 0);
	take_away(&s, 0, PAGES);
	ends_with(&s, -1, EFAULT);
	pipe_holds(&s, 0);
	done(&s);
}

/* CVE-2015-1805: the part that was copied must not come a second time. */
static void a_part_of_a_page_is_not_written_twice(void **state)
{
	struct scene s = scene(2);

	(void)state;
	/* One page from the middle of page 1 on: half of it is missing. */
	s.iov[0] = (struct iovec){s.memory + PAGE + PAGE / 2, PAGE};
	begin_call(&s);
	wants(&s, 2);
	give(&s, 2);
	ends_with(&s, PAGE, 0);
	assert_ret(PAGE, bytes_in(s.e.r));
	assert_ret(PAGE, read(s.e.r, s.memory, PAGE));
	assert_memory_equal(s.memory, s.memory + PAGE + PAGE / 2, PAGE);
	pipe_holds(&s, 0);
	done(&s);
}

static void half_a_page_is_not_published(void **state)
{
	struct scene s = scene(2);

	(void)state;
	s.iov[0] = (struct iovec){s.memory + PAGE / 2, 2 * PAGE};
	begin_call(&s);
	wants(&s, 2);
	take_away(&s, 2, 1);
	/* The first is whole; of the second there was but a half. */
	ends_with(&s, PAGE, 0);
	assert_ret(PAGE, bytes_in(s.e.r));
	assert_ret(PAGE, get(s.e.r, 2 * PAGE, NULL));
	pipe_holds(&s, 0);
	done(&s);
}

static void a_merge_that_faults_midway_adds_nothing(void **state)
{
	struct scene s = scene(1);

	(void)state;
	assert_ret(100, put(s.e.w, 100, 1));
	s.iov[0] = (struct iovec){s.memory + PAGE - 50, 100};
	begin_call(&s);
	wants(&s, 1);
	take_away(&s, 1, 1);
	ends_with(&s, -1, EFAULT);
	pipe_holds(&s, 100);
	done(&s);
}

static void a_part_of_an_iovec_that_went_ends_the_write(void **state)
{
	struct scene s = scene(2);

	(void)state;
	s.iov[0] = (struct iovec){s.memory, PAGE};
	s.iov[1] = (struct iovec){s.memory + PAGE, PAGE};
	s.iov[2] = (struct iovec){s.memory + 2 * PAGE, PAGE};
	s.parts = 3;
	begin_call(&s);
	wants(&s, 2);
	take_away(&s, 2, 1);
	ends_with(&s, 2 * PAGE, 0);
	pipe_holds(&s, 2 * PAGE);
	done(&s);
}

/* --- reading ------------------------------------------------------------------ */

static void fill_for_reading(struct scene *s)
{
	s->reads = true;
	assert_ret(PAGES * PAGE, put(s->e.w, PAGES * PAGE, 1));
}

static void a_read_goes_on_when_the_page_comes(void **state)
{
	struct scene s = scene(0);
	int page;

	(void)state;
	fill_for_reading(&s);
	begin_call(&s);
	for (page = 0; page < PAGES; page++) {
		struct uffdio_zeropage zero = {
			.range = {(uintptr_t)s.memory + page * PAGE, PAGE},
		};

		wants(&s, page);
		assert_ret(0, ioctl(s.uffd, UFFDIO_ZEROPAGE, &zero));
	}
	ends_with(&s, PAGES * PAGE, 0);
	assert_int_equal(sum_of(s.memory, PAGES * PAGE),
			 sum_of_pattern(PAGES * PAGE, 1));
	pipe_holds(&s, 0);
	done(&s);
}

static void a_read_does_not_consume_what_it_could_not_store(void **state)
{
	struct scene s = scene(1);
	char rest[4 * PAGE], all[4 * PAGE];

	(void)state;
	fill_for_reading(&s);
	begin_call(&s);
	wants(&s, 1);
	take_away(&s, 1, 3);
	ends_with(&s, PAGE, 0);
	fill_pattern(all, sizeof(all), 1);
	assert_memory_equal(s.memory, all, PAGE);
	assert_ret(3 * PAGE, read(s.e.r, rest, sizeof(rest)));
	assert_memory_equal(rest, all + PAGE, 3 * PAGE);
	pipe_holds(&s, 0);
	done(&s);
}

static void a_read_whose_first_page_went_is_efault(void **state)
{
	struct scene s = scene(0);

	(void)state;
	fill_for_reading(&s);
	begin_call(&s);
	wants(&s, 0);
	take_away(&s, 0, PAGES);
	ends_with(&s, -1, EFAULT);
	pipe_holds(&s, PAGES * PAGE);
	done(&s);
}

/* One slot, half of which could be stored: it stays whole. */
static void half_a_slot_is_not_consumed(void **state)
{
	struct scene s = scene(1);

	(void)state;
	s.reads = true;
	assert_ret(1000, put(s.e.w, 1000, 1));
	s.iov[0] = (struct iovec){s.memory + PAGE - 500, 1000};
	begin_call(&s);
	wants(&s, 1);
	take_away(&s, 1, 1);
	ends_with(&s, -1, EFAULT);
	pipe_holds(&s, 1000);
	done(&s);
}

/* --- the other side meanwhile --------------------------------------------------- */

/* A call of another process that comes meanwhile has its turn afterwards. */
static void a_reader_gets_only_what_was_published(void **state)
{
	struct scene s = scene(2);
	struct actor *reader;

	(void)state;
	reader = new_actor_with(s.e.r);
	begin_call(&s);
	wants(&s, 2);
	begin(reader, do_read, s.e.r, PAGES * PAGE, 0);
	take_away(&s, 2, 2);
	ends_with(&s, 2 * PAGE, 0);
	assert_int_equal(end(reader).sum, sum_of_pattern(2 * PAGE, 1));
	pipe_holds(&s, 0);
	done(&s);
}

static void a_writer_waits_for_a_reader_that_faults(void **state)
{
	struct scene s = scene(1);
	struct actor *writer;

	(void)state;
	fill_for_reading(&s);
	writer = new_actor_with(s.e.w);
	begin_call(&s);
	wants(&s, 1);
	begin(writer, do_write, s.e.w, 100, 1);
	take_away(&s, 1, 3);
	ends_with(&s, PAGE, 0);
	assert_ret(100, end(writer).ret);
	assert_ret(3 * PAGE + 100, bytes_in(s.e.r));
	assert_ret(3 * PAGE + 100, get(s.e.r, 5 * PAGE, NULL));
	pipe_holds(&s, 0);
	done(&s);
}

/* Its poll looks without the mutex: nothing waits for who holds that. */
static void a_poll_does_not_wait_meanwhile(void **state)
{
	struct scene s = scene(2);

	(void)state;
	begin_call(&s);
	wants(&s, 2);
	assert_ret(POLLIN, poll_now(s.e.r, POLLIN));
	assert_ret(POLLOUT, poll_now(s.e.w, POLLOUT));
	give(&s, 2);
	wants(&s, 3);
	give(&s, 3);
	ends_with(&s, PAGES * PAGE, 0);
	pipe_holds(&s, PAGES * PAGE);
	done(&s);
}

/* --- who dies meanwhile ------------------------------------------------------- */

static int other_uffd;

/* Registers memory of its own, sends nothing: its page never comes. */
static long do_fault(long fd, long reads, long c)
{
	struct uffdio_register area = {.mode = UFFDIO_REGISTER_MODE_MISSING};
	struct uffdio_api api = {.api = UFFD_API};
	char *memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)c;
	other_uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	madvise(memory, 2 * PAGE, MADV_NOHUGEPAGE);
	fill_pattern(memory, PAGE, 1);
	area.range.start = (uintptr_t)memory;
	area.range.len = 2 * PAGE;
	if (memory == MAP_FAILED || ioctl(other_uffd, UFFDIO_API, &api) ||
	    ioctl(other_uffd, UFFDIO_REGISTER, &area))
		return -1;
	if (reads)
		return read(fd, memory, 2 * PAGE);
	return write(fd, memory, 2 * PAGE);
}

static void a_writer_is_killed_at_a_missing_page(void **state)
{
	struct ends e = open_ends(0);
	struct actor *writer = new_actor_with(e.w);
	__u32 sum;

	(void)state;
	close(make_userfaultfd());
	begin(writer, do_fault, e.w, false, 0);
	sleeps_in(writer, SYS_write);
	destroy(writer);
	assert_ret(PAGE, bytes_in(e.r));
	assert_ret(PAGE, get(e.r, 3 * PAGE, &sum));
	assert_int_equal(sum, sum_of_pattern(PAGE, 1));
	assert_ret(10, put(e.w, 10, 0));
	assert_ret(10, get(e.r, PAGE, NULL));
}

static void a_reader_is_killed_at_a_missing_page(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = new_actor_with(e.r);

	(void)state;
	close(make_userfaultfd());
	assert_ret(2 * PAGE, put(e.w, 2 * PAGE, 1));
	begin(reader, do_fault, e.r, true, 0);
	sleeps_in(reader, SYS_read);
	destroy(reader);
	/* It had the first; the second nobody has had. */
	assert_ret(PAGE, bytes_in(e.r));
	assert_ret(PAGE, get(e.r, 3 * PAGE, NULL));
	assert_ret(10, put(e.w, 10, 0));
	assert_ret(10, get(e.r, PAGE, NULL));
}

/* --- memory that changes ------------------------------------------------------- */

struct blocked {
	pthread_t thread;
	struct ends e;
	char *memory;
	size_t len;
	ssize_t ret;
};

static void *do_write_all(void *arg)
{
	struct blocked *b = arg;

	b->ret = write(b->e.w, b->memory, b->len);
	return NULL;
}

/* A writer that has filled the pipe, and has two pages of its memory to go. */
static struct blocked *blocked_writer(void)
{
	static struct blocked b;

	b.len = DEFAULT_SIZE + 2 * PAGE;
	b.memory = mmap(NULL, b.len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(b.memory, MAP_FAILED);
	fill_pattern(b.memory, b.len, 1);
	b.e = open_ends(0);
	assert_int_equal(pthread_create(&b.thread, NULL, do_write_all, &b), 0);
	eventually(bytes_in(b.e.r) == DEFAULT_SIZE);
	return &b;
}

static void written(struct blocked *b, ssize_t ret)
{
	assert_int_equal(pthread_join(b->thread, NULL), 0);
	assert_ret(ret, b->ret);
	munmap(b->memory, b->len);
}

/* What is in the pipe was copied; what is not, is not yet. */
static void memory_may_change_under_a_blocked_write(void **state)
{
	struct blocked *b = blocked_writer();
	__u32 sum;

	(void)state;
	memset(b->memory, 'x', DEFAULT_SIZE);
	fill_pattern(b->memory + DEFAULT_SIZE, 2 * PAGE, 77);
	assert_ret(DEFAULT_SIZE, get(b->e.r, DEFAULT_SIZE, &sum));
	assert_int_equal(sum, sum_of_pattern(DEFAULT_SIZE, 1));
	written(b, DEFAULT_SIZE + 2 * PAGE);
	assert_ret(2 * PAGE, get(b->e.r, DEFAULT_SIZE, &sum));
	assert_int_equal(sum, sum_of_pattern(2 * PAGE, 77));
}

static void memory_may_go_under_a_blocked_write(void **state)
{
	struct blocked *b = blocked_writer();
	__u32 sum;

	(void)state;
	assert_ret(0, munmap(b->memory + DEFAULT_SIZE + PAGE, PAGE));
	assert_ret(DEFAULT_SIZE, get(b->e.r, DEFAULT_SIZE, &sum));
	assert_int_equal(sum, sum_of_pattern(DEFAULT_SIZE, 1));
	written(b, DEFAULT_SIZE + PAGE);
	assert_ret(PAGE, bytes_in(b->e.r));
	assert_ret(PAGE, get(b->e.r, PAGE, NULL));
}

/* Dropped pages read as zeros; so they are written. */
static void memory_may_be_dropped_under_a_blocked_write(void **state)
{
	struct blocked *b = blocked_writer();
	static const char zeros[2 * PAGE];
	char got[2 * PAGE];

	(void)state;
	assert_ret(0,
		   madvise(b->memory + DEFAULT_SIZE, 2 * PAGE, MADV_DONTNEED));
	assert_ret(DEFAULT_SIZE, get(b->e.r, DEFAULT_SIZE, NULL));
	written(b, DEFAULT_SIZE + 2 * PAGE);
	assert_ret(2 * PAGE, read(b->e.r, got, sizeof(got)));
	assert_memory_equal(got, zeros, sizeof(zeros));
}

/* Advice that another process may give changes no byte. */
static void process_madvise_changes_no_byte(void **state)
{
	struct blocked *b = blocked_writer();
	struct iovec all = {b->memory, b->len};
	int self = syscall(SYS_pidfd_open, getpid(), 0);
	__u32 sum;

	(void)state;
	assert_true(self >= 0);
	assert_ret(b->len,
		   syscall(SYS_process_madvise, self, &all, 1, MADV_COLD, 0));
	assert_ret(b->len, syscall(SYS_process_madvise, self, &all, 1,
				   MADV_PAGEOUT, 0));
	assert_ret(DEFAULT_SIZE, get(b->e.r, DEFAULT_SIZE, &sum));
	assert_int_equal(sum, sum_of_pattern(DEFAULT_SIZE, 1));
	written(b, DEFAULT_SIZE + 2 * PAGE);
	assert_ret(2 * PAGE, get(b->e.r, DEFAULT_SIZE, &sum));
	assert_int_equal(sum,
			 sum_of_pattern(2 * PAGE, 1 + (DEFAULT_SIZE >> 8) +
							  DEFAULT_SIZE * 7));
}

/* A file that was cut off under its mapping: SIGBUS for a program, EFAULT here. */
static void a_mapping_without_a_file_is_efault(void **state)
{
	struct ends e = open_ends(0);
	int file = memfd_create("ipcdemo-test", MFD_CLOEXEC);
	char *map;

	(void)state;
	assert_ret(0, ftruncate(file, 2 * PAGE));
	map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	fill_pattern(map, 2 * PAGE, 1);
	assert_ret(0, ftruncate(file, PAGE));
	assert_ret(PAGE, write(e.w, map, 2 * PAGE));
	assert_errno(EFAULT, write(e.w, map + PAGE, PAGE));
	assert_ret(PAGE, bytes_in(e.r));
	assert_errno(EFAULT, read(e.r, map + PAGE, PAGE));
	assert_ret(PAGE, read(e.r, map, 2 * PAGE));
	munmap(map, 2 * PAGE);
}

static const struct claim claims[] = {
	{"a write goes on when the missing page comes",
	 a_write_goes_on_when_the_page_comes, ENDS},
	{"a write has the pages before the one that went",
	 a_write_has_the_pages_before_that_which_went, ENDS},
	{"a write whose first page went is EFAULT",
	 a_write_whose_first_page_went_is_efault, ENDS},
	{"a part of a page is not written twice",
	 a_part_of_a_page_is_not_written_twice, ENDS},
	{"half a page is not published", half_a_page_is_not_published, ENDS},
	{"a merge that faults midway adds nothing",
	 a_merge_that_faults_midway_adds_nothing, ENDS},
	{"a part of an iovec that went ends the write",
	 a_part_of_an_iovec_that_went_ends_the_write, ENDS},
	{"a read goes on when the missing page comes",
	 a_read_goes_on_when_the_page_comes, ENDS},
	{"a read does not consume what it could not store",
	 a_read_does_not_consume_what_it_could_not_store, ENDS},
	{"a read whose first page went is EFAULT",
	 a_read_whose_first_page_went_is_efault, ENDS},
	{"half a slot is not consumed", half_a_slot_is_not_consumed, ENDS},
	{"a reader that comes meanwhile gets what was published",
	 a_reader_gets_only_what_was_published, ENDS},
	{"a writer waits for a reader that faults",
	 a_writer_waits_for_a_reader_that_faults, ENDS},
	{"a poll does not wait for who faults", a_poll_does_not_wait_meanwhile,
	 ENDS},
	{"a writer that is killed at a missing page leaves the others",
	 a_writer_is_killed_at_a_missing_page, ENDS},
	{"a reader that is killed at a missing page leaves the others",
	 a_reader_is_killed_at_a_missing_page, ENDS},
	{"memory may change under a blocked write",
	 memory_may_change_under_a_blocked_write, ENDS},
	{"memory may go under a blocked write",
	 memory_may_go_under_a_blocked_write, ENDS},
	{"memory may be dropped under a blocked write",
	 memory_may_be_dropped_under_a_blocked_write, ENDS},
	{"process_madvise changes no byte", process_madvise_changes_no_byte,
	 ENDS},
	{"a mapping without its file is EFAULT",
	 a_mapping_without_a_file_is_efault, ENDS},
};

int main(void)
{
	return run_claims("faults", claims, NR(claims));
}

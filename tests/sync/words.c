// SPDX-License-Identifier: GPL-2.0
/*
 * Regions and words of libipcdemo
 */
#include "sync.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#define SIZE   8192
#define MAKERS 4

static _Atomic uint32_t *word_at(struct ipcdemo_region *r, uint64_t offset)
{
	return (_Atomic uint32_t *)((char *)ipcdemo_region_base(r) + offset);
}

static int wait_for(struct ipcdemo_region *r, uint64_t offset, uint32_t value)
{
	return ipcdemo_wait(r, offset, value, CLOCK_MONOTONIC, NULL);
}

static void two_mappings_show_the_same_bytes(void)
{
	struct ipcdemo_region *one = new_region(SIZE), *two = again(one);

	assert_ptr_not_equal(ipcdemo_region_base(one),
			     ipcdemo_region_base(two));
	assert_int_equal(ipcdemo_region_size(two), SIZE);
	*word_at(one, SIZE - 4) = 4711;
	assert_int_equal(*word_at(two, SIZE - 4), 4711);
	ipcdemo_region_close(one);
	assert_int_equal(*word_at(two, SIZE - 4), 4711);
	ipcdemo_region_close(two);
	ipcdemo_region_close(NULL);
}

static void what_is_no_region_is_refused(void)
{
	struct ipcdemo_region *r = NULL;
	int fd, pipes[2];

	assert_ret(-EBADF, ipcdemo_region_from_fd(-1, 0, &r));
	assert_ret(0, pipe(pipes));
	assert_ret(-ENODEV, ipcdemo_region_from_fd(pipes[0], 0, &r));
	close(pipes[0]);
	close(pipes[1]);
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_ret(-ENODEV, ipcdemo_region_from_fd(fd, 0, &r));
	close(fd);
	assert_ret(-ENODEV, ipcdemo_region_open("/dev/null", 0, &r));
	assert_ret(-ENODEV, ipcdemo_region_open("/tmp", 0, &r));
	assert_ret(-ENOENT, ipcdemo_region_open("/nowhere", 0, &r));
	fd = new_file(0);
	assert_ret(-ENODATA, ipcdemo_region_from_fd(fd, 0, &r));
	assert_ret(-EINVAL, ipcdemo_region_from_fd(fd, 0x80, &r));
	assert_ret(-EINVAL,
		   ipcdemo_region_from_fd(fd, IPCDEMO_REGION_EXCLUSIVE, &r));
	assert_ret(-EINVAL, ipcdemo_region_from_fd(fd,
						   IPCDEMO_REGION_READ_ONLY |
							   IPCDEMO_REGION_SEAL,
						   &r));
	assert_ret(-EINVAL, ipcdemo_region_open("/tmp", 0x80, &r));
	assert_ret(-EINVAL, ipcdemo_region_anonymous(0, 0, &r));
	assert_ret(-EINVAL, ipcdemo_region_anonymous(1, 0x80, &r));
	close(fd);
	assert_null(r);
}

static void a_file_is_made_grown_and_found_again(void)
{
	struct ipcdemo_region *r, *other;
	char dir[64], path[80];
	struct stat st;

	make_dir(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/region", dir);
	assert_ret(-EINVAL, ipcdemo_region_create(path, 0, 0600, 0, &r));
	assert_ret(-EINVAL, ipcdemo_region_create(path, 1, 0600, 0x80, &r));
	assert_ret(-EFBIG,
		   ipcdemo_region_create(path, UINT64_MAX, 0600, 0, &r));
	/* What fails leaves no file behind */
	assert_true(ipcdemo_region_create(path, INT64_MAX, 0600, 0, &r) < 0);
	assert_ret(-1, stat(path, &st));
	assert_ret(0, ipcdemo_region_create(path, 100, 0640,
					    IPCDEMO_REGION_EXCLUSIVE, &r));
	assert_int_equal(ipcdemo_region_size(r), 100);
	assert_ret(-EEXIST,
		   ipcdemo_region_create(path, 100, 0640,
					 IPCDEMO_REGION_EXCLUSIVE, &other));
	*word_at(r, 96) = 7;
	assert_ret(0, ipcdemo_region_create(path, SIZE, 0600, 0, &other));
	assert_int_equal(ipcdemo_region_size(other), SIZE);
	assert_int_equal(*word_at(other, 96), 7);
	ipcdemo_region_close(other);
	assert_ret(0, ipcdemo_region_create(path, 1, 0600, 0, &other));
	assert_int_equal(ipcdemo_region_size(other), SIZE);
	ipcdemo_region_close(other);
	ipcdemo_region_close(r);
	unlink(path);
	rmdir(dir);
}

/* Who makes it, and how large; what he found is of that size at least. */
struct maker {
	char path[80];
	uint64_t size;
	atomic_int *made;
};

static void make_it(void *with)
{
	struct maker *maker = with;
	struct ipcdemo_region *r;
	unsigned char *base;
	uint64_t i;

	require(!ipcdemo_region_create(maker->path, maker->size, 0600, 0, &r));
	require(ipcdemo_region_size(r) >= maker->size);
	base = ipcdemo_region_base(r);
	/* SIGBUS, if another makes it smaller */
	for (i = 0; i < ipcdemo_region_size(r); i += 512)
		base[i] = 1;
	atomic_fetch_add(maker->made, 1);
	while (*maker->made != MAKERS)
		breathe();
	for (i = 0; i < ipcdemo_region_size(r); i += 512)
		require(base[i] == 1);
	ipcdemo_region_close(r);
}

static bool waits_for_flock(pid_t pid)
{
	char path[64], line[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		*line = '\0';
	fclose(file);
	return atoi(line) == SYS_flock;
}

static void who_makes_it_at_once_does_not_make_it_smaller(void)
{
	const uint64_t sizes[MAKERS] = {100, 3 * SIZE, SIZE, 5000};
	struct maker makers[MAKERS];
	pid_t pids[MAKERS];
	char dir[64];
	struct stat st;
	size_t i;
	int fd;

	make_dir(dir, sizeof(dir));
	for (i = 0; i < MAKERS; i++) {
		snprintf(makers[i].path, sizeof(makers[i].path), "%s/region",
			 dir);
		makers[i].size = sizes[i];
		makers[i].made =
			i ? makers[0].made : shared(sizeof(atomic_int));
	}
	/* Somebody is between his look and his ftruncate(): the others wait. */
	fd = open(makers[0].path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_ret(0, flock(fd, LOCK_EX));
	for (i = 0; i < MAKERS; i++)
		pids[i] = child(make_it, &makers[i]);
	for (i = 0; i < MAKERS; i++)
		eventually(waits_for_flock(pids[i]));
	assert_ret(0, fstat(fd, &st));
	assert_int_equal(st.st_size, 0);
	assert_ret(0, ftruncate(fd, 2 * SIZE));
	assert_ret(0, flock(fd, LOCK_UN));
	for (i = 0; i < MAKERS; i++)
		join(pids[i]);
	assert_ret(0, fstat(fd, &st));
	assert_int_equal(st.st_size, 3 * SIZE);
	close(fd);
	unlink(makers[0].path);
	rmdir(dir);
}

static void a_seal_keeps_the_size(void)
{
	struct ipcdemo_region *r = NULL;
	int fd = new_file(SIZE);

	if (!strcmp(kind->name, "tmpfs")) {
		/* A file of a name has no seals there */
		assert_ret(-EPERM,
			   ipcdemo_region_from_fd(fd, IPCDEMO_REGION_SEAL, &r));
		close(fd);
		return;
	}
	assert_ret(0, ipcdemo_region_from_fd(fd, IPCDEMO_REGION_SEAL, &r));
	assert_ret(-1, ftruncate(fd, SIZE / 2));
	assert_ret(-1, ftruncate(fd, SIZE * 2));
	close(fd);
	ipcdemo_region_close(r);
}

static void a_mapping_for_reading_writes_nothing(void)
{
	struct ipcdemo_region *r, *reader;
	struct timespec soon = in_ms(CLOCK_MONOTONIC, 1);

	r = new_region(SIZE);
	assert_ret(0,
		   ipcdemo_region_from_fd(ipcdemo_region_descriptor(r),
					  IPCDEMO_REGION_READ_ONLY, &reader));
	assert_ret(-EBADF, ipcdemo_wake(reader, 0, 1));
	assert_ret(-EBADF, ipcdemo_wake_wait(reader, 0, 1, NULL, 4, 0,
					     CLOCK_MONOTONIC, &soon));
	assert_ret(-EAGAIN, wait_for(reader, 0, 1));
	assert_ret(-ETIMEDOUT,
		   ipcdemo_wait(reader, 0, 0, CLOCK_MONOTONIC, &soon));
	ipcdemo_region_close(reader);
	ipcdemo_region_close(r);
}

static void bad_words_and_deadlines_are_refused(void)
{
	static const uint64_t outside[] = {SIZE, SIZE + 4, UINT64_MAX - 3,
					   1ULL << 63, (1ULL << 63) - 4};
	const struct timespec bad[] = {{1, -1}, {1, 1000000000}};
	struct ipcdemo_region *r = new_region(SIZE);
	unsigned int woken = 7;
	size_t i;

	for (i = 0; i < NR(outside); i++) {
		assert_ret(-EFAULT, wait_for(r, outside[i], 0));
		assert_ret(-EFAULT, ipcdemo_wake(r, outside[i], 1));
		assert_ret(-EFAULT,
			   ipcdemo_wake_wait(r, outside[i], 1, &woken, 0, 1,
					     CLOCK_MONOTONIC, NULL));
		assert_int_equal(woken, 0);
		assert_ret(-EFAULT,
			   ipcdemo_wake_wait(r, 0, 1, NULL, outside[i], 1,
					     CLOCK_MONOTONIC, NULL));
	}
	for (i = 1; i < 4; i++) {
		assert_ret(-EINVAL, wait_for(r, i, 0));
		assert_ret(-EINVAL, ipcdemo_wake(r, i, 1));
		assert_ret(-EINVAL, ipcdemo_wake_wait(r, i, 1, NULL, 0, 1,
						      CLOCK_MONOTONIC, NULL));
	}
	for (i = 0; i < NR(bad); i++)
		assert_ret(-EINVAL,
			   ipcdemo_wait(r, 0, 0, CLOCK_MONOTONIC, &bad[i]));
	assert_ret(-EINVAL,
		   ipcdemo_wait(r, 0, 0, CLOCK_PROCESS_CPUTIME_ID, &past));
	assert_ret(-EINVAL, ipcdemo_wake(r, 0, 0));
	/* The last word is inside, also where the size is no multiple of it */
	assert_ret(-EAGAIN, wait_for(r, SIZE - 4, 1));
	ipcdemo_region_close(r);
}

static void a_word_that_differs_and_a_deadline_end_a_wait(void)
{
	static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME};
	const struct timespec before = {.tv_sec = -5}, far = {INT64_MAX, 0};
	struct ipcdemo_region *r = new_region(SIZE);
	struct timespec soon, now;
	size_t i;

	for (i = 0; i < NR(clocks); i++) {
		assert_ret(-EAGAIN, ipcdemo_wait(r, 4, 1, clocks[i], &far));
		assert_ret(-ETIMEDOUT, ipcdemo_wait(r, 4, 0, clocks[i], &past));
		assert_ret(-ETIMEDOUT,
			   ipcdemo_wait(r, 4, 0, clocks[i], &before));
		soon = in_ms(clocks[i], 2);
		assert_ret(-ETIMEDOUT, ipcdemo_wait(r, 4, 0, clocks[i], &soon));
		clock_gettime(clocks[i], &now);
		assert_true(now.tv_sec > soon.tv_sec ||
			    (now.tv_sec == soon.tv_sec &&
			     now.tv_nsec >= soon.tv_nsec));
	}
	ipcdemo_region_close(r);
}

static void sleep_until_it_changes(void *with)
{
	struct ipcdemo_region *r = with;
	int ret;

	do {
		ret = wait_for(r, 64, 0);
		require(!ret || ret == -EAGAIN);
	} while (!*word_at(r, 64));
}

static void a_wake_counts_whom_it_woke(void)
{
	struct ipcdemo_region *r = new_region(SIZE), *other = again(r);
	pid_t pids[3];
	int i;

	assert_ret(0, ipcdemo_wake(r, 64, 1));
	for (i = 0; i < 3; i++) {
		pids[i] = child(sleep_until_it_changes, i % 2 ? r : other);
		sleeps(pids[i]);
	}
	/* Another word is not theirs */
	assert_ret(0, ipcdemo_wake(r, 68, INT_MAX));
	*word_at(r, 64) = 1;
	/* One of them is killed: it is no waiter any more */
	kills(pids[0]);
	assert_ret(1, ipcdemo_wake(other, 64, 1));
	assert_ret(1, ipcdemo_wake(r, 64, UINT_MAX));
	join(pids[1]);
	join(pids[2]);
	ipcdemo_region_close(other);
	ipcdemo_region_close(r);
}

/* Two processes, each of which lets the other go: the ball is at its word. */
static void play(struct ipcdemo_region *r, uint64_t mine, uint64_t theirs)
{
	int i, ret;

	for (i = 0; i < 500; i++) {
		while (!*word_at(r, mine)) {
			ret = wait_for(r, mine, 0);
			require(!ret || ret == -EAGAIN);
		}
		*word_at(r, mine) = 0;
		*word_at(r, theirs) = 1;
		ret = ipcdemo_wake_wait(r, theirs, 1, NULL, mine, 0,
					CLOCK_MONOTONIC,
					i < 499 ? NULL : &past);
		require(!ret || ret == -EAGAIN || ret == -ETIMEDOUT);
	}
}

static void ping(void *with)
{
	play(with, 64, 68);
}

static void pong(void *with)
{
	play(with, 68, 64);
}

static void wake_and_wait_passes_a_ball(void)
{
	struct ipcdemo_region *r = new_region(SIZE), *other = again(r);
	pid_t one = child(ping, r), two = child(pong, other);

	*word_at(r, 64) = 1;
	ipcdemo_wake(r, 64, 1);
	join(one);
	join(two);
	ipcdemo_region_close(other);
	ipcdemo_region_close(r);
}

static void nothing(int sig)
{
	(void)sig;
}

static void be_interrupted(void *with)
{
	struct sigaction act = {.sa_handler = nothing};

	sigaction(SIGUSR1, &act, NULL);
	require(wait_for(with, 64, 0) == -EINTR);
}

static void a_signal_ends_a_wait(void)
{
	struct ipcdemo_region *r = new_region(SIZE);
	pid_t pid = child(be_interrupted, r);

	sleeps(pid);
	kill(pid, SIGUSR1);
	join(pid);
	ipcdemo_region_close(r);
}

static const struct claim claims[] = {
	{"two mappings show the same bytes", two_mappings_show_the_same_bytes,
	 OURS},
	{"what is no region is refused", what_is_no_region_is_refused, OURS},
	{"a file is made, grown and found again",
	 a_file_is_made_grown_and_found_again, OURS},
	{"who makes it at once does not make it smaller",
	 who_makes_it_at_once_does_not_make_it_smaller, OURS},
	{"a seal keeps the size", a_seal_keeps_the_size, OURS},
	{"a mapping for reading writes nothing",
	 a_mapping_for_reading_writes_nothing, OURS},
	{"bad words and deadlines are refused",
	 bad_words_and_deadlines_are_refused, OURS},
	{"a word that differs and a deadline end a wait",
	 a_word_that_differs_and_a_deadline_end_a_wait, OURS},
	{"a wake counts whom it woke", a_wake_counts_whom_it_woke, OURS},
	{"wake and wait passes a ball", wake_and_wait_passes_a_ball, OURS},
	{"a signal ends a wait", a_signal_ends_a_wait, OURS},
};

int main(void)
{
	return run_claims("words", claims, NR(claims));
}

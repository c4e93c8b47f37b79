/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of words share: regions with words, who waits there, gates
 *
 * Each claim runs on all kinds of words that it is for; the line "# on ..." before
 * a failure says which.
 */
#ifndef IPCDEMO_WORDS_H
#define IPCDEMO_WORDS_H

#include "harness.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#define RW	  (PROT_READ | PROT_WRITE)
#define PAGES	  4
#define LENGTH	  (PAGES * PAGE)
#define FOREVER	  IPCDEMO_WAIT_FOREVER
#define SECOND_NS 1000000000ULL

/* Kinds of words. */
#define FUTEX	  0x1
#define OUR_FILE  0x2
#define OUR_ANON  0x4
#define DEFAULT	  0x8
#define OUR_OWN	  (OUR_FILE | OUR_ANON | DEFAULT)
#define ALL	  (FUTEX | OUR_OWN)

struct kind {
	const char *name;
	unsigned int bit;
};

static const struct kind kinds[] = {
	{"futex(2)", FUTEX},
	{"ipcdemofs", OUR_FILE},
	{"IPCDEMO_IOC_REGION_MAKE", OUR_ANON},
	{"the default region", DEFAULT},
};

static char file_path[64], our_dir[64];

/* What the running claim is about; actors have it from their parent. */
static const struct kind *kind;
static int fd;
static char *map;

/* What a test tells its actors beside the three numbers. */
struct shared {
	__u64 deadline;
	__u32 woken;
	__u32 wake_count;
};

static struct shared *shared;

static inline __u32 *word_at(size_t offset)
{
	return (__u32 *)(map + offset);
}

static inline void store(size_t offset, __u32 value)
{
	__atomic_store_n(word_at(offset), value, __ATOMIC_SEQ_CST);
}

static inline int region_fd(void)
{
	struct ipcdemo_region_fd request = {.size = sizeof(request),
					    .flags = O_CLOEXEC};
	int ctl = control(), ret;

	ret = ioctl(ctl, IPCDEMO_IOC_REGION_FD, &request);
	close(ctl);
	return ret;
}

static inline int anon_fd(__u64 length)
{
	struct ipcdemo_region_make request = {
		.size = sizeof(request), .flags = O_CLOEXEC, .length = length};
	int ctl = control(), ret;

	ret = ioctl(ctl, IPCDEMO_IOC_REGION_MAKE, &request);
	close(ctl);
	return ret;
}

static inline int file_fd(off_t length)
{
	int ret;

	unlink(file_path);
	ret = open(file_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_ret(0, ftruncate(ret, length));
	return ret;
}

static inline int new_fd(void)
{
	int ret = -1;

	switch (kind->bit) {
	case FUTEX:
		ret = memfd_create("words", MFD_CLOEXEC);
		assert_ret(0, ftruncate(ret, LENGTH));
		break;
	case OUR_FILE:
		ret = file_fd(LENGTH);
		break;
	case OUR_ANON:
		ret = anon_fd(LENGTH);
		break;
	case DEFAULT:
		ret = region_fd();
		break;
	}
	assert_int_not_equal(ret, -1);
	return ret;
}

static inline void on_each(unsigned int bits, void (*check)(void))
{
	size_t i;

	for (i = 0; i < NR(kinds); i++) {
		if (!(bits & kinds[i].bit))
			continue;
		kind = &kinds[i];
		print_message("# on %s\n", kind->name);
		fd = new_fd();
		map = mmap(NULL, LENGTH, RW, MAP_SHARED, fd, 0);
		assert_ptr_not_equal(map, MAP_FAILED);
		memset(map, 0, LENGTH);
		check();
		memset(map, 0, LENGTH);
		assert_ret(0, munmap(map, LENGTH));
		map = NULL;
		close(fd);
	}
	unlink(file_path);
}

/* The file of the words, open in another way. */
static inline int reopened(int flags)
{
	char path[64];
	int ret;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = open(path, flags | O_CLOEXEC);
	assert_int_not_equal(ret, -1);
	return ret;
}

/* --- the calls, of both ----------------------------------------------------------- */

static inline long wait_on(int on, __u64 offset, __u32 expected, __u32 clock,
			   __u64 deadline)
{
	struct ipcdemo_wait request = {
		.size = sizeof(request),
		.offset = offset,
		.expected = expected,
		.clock = clock,
		.deadline_ns = deadline,
	};
	struct timespec at = {.tv_sec = deadline / SECOND_NS,
			      .tv_nsec = deadline % SECOND_NS};

	if (kind->bit != FUTEX)
		return ioctl(on, IPCDEMO_IOC_WAIT, &request);
	return syscall(SYS_futex, map + offset,
		       FUTEX_WAIT_BITSET |
			       (clock == CLOCK_REALTIME ? FUTEX_CLOCK_REALTIME
							: 0),
		       expected, deadline == FOREVER ? NULL : &at, NULL,
		       FUTEX_BITSET_MATCH_ANY);
}

static inline long wake_on(int on, __u64 offset, __u32 count)
{
	struct ipcdemo_wake request = {
		.size = sizeof(request), .offset = offset, .count = count};

	if (kind->bit != FUTEX)
		return ioctl(on, IPCDEMO_IOC_WAKE, &request);
	return syscall(SYS_futex, map + offset, FUTEX_WAKE, count, NULL, NULL,
		       0);
}

static inline long wake(__u64 offset, __u32 count)
{
	return wake_on(fd, offset, count);
}

static inline __u64 now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* Actions: where, what is expected there, and for the second the clock. */

static inline long do_wait(long offset, long expected, long c)
{
	(void)c;
	return wait_on(fd, offset, expected, CLOCK_MONOTONIC, FOREVER);
}

static inline long do_wait_until(long offset, long expected, long clock)
{
	return wait_on(fd, offset, expected, clock, shared->deadline);
}

static inline long do_wake(long offset, long count, long c)
{
	(void)c;
	return wake(offset, count);
}

static inline long waiting_call(void)
{
	return kind->bit == FUTEX ? SYS_futex : SYS_ioctl;
}

/* An actor that sleeps there. */
static inline struct actor *sleeper_at(size_t offset, __u32 expected)
{
	struct actor *actor = new_actor_with(fd);

	begin(actor, do_wait, offset, expected, 0);
	sleeps_in(actor, waiting_call());
	return actor;
}

static inline void returns(struct actor *actor, long ret)
{
	struct reply reply = end(actor);

	if (reply.ret != ret)
		fail_msg("returned %ld (%s), not %ld", reply.ret,
			 strerror(reply.err), ret);
}

static inline void fails(struct actor *actor, int err)
{
	struct reply reply = end(actor);

	if (reply.ret != -1 || reply.err != err)
		fail_msg("returned %ld (%s), not %s", reply.ret,
			 strerror(reply.err), strerror(err));
}

static inline void kill_actor(struct actor *actor)
{
	kill(actor->pid, SIGKILL);
	assert_int_equal(SIGKILL, dies_of(actor));
}

/* --- what the module says --------------------------------------------------------- */

static inline struct ipcdemo_region_stat stat_of(int of)
{
	struct ipcdemo_region_stat stat = {.size = sizeof(stat)};

	assert_ret(0, ioctl(of, IPCDEMO_IOC_REGION_STAT, &stat));
	return stat;
}

/* A counter of the region. */
static inline __u64 counter_of(const char *point)
{
	char path[64], line[256], name[32];
	unsigned long long value;
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/ipcdemo/region/%u", stat_of(fd).id);
	file = fopen(path, "re");
	assert_non_null(file);
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%31s %*s %llu", name, &value) == 2 &&
			!strcmp(name, point);
	fclose(file);
	if (!found)
		fail_msg("%s has no line %s", path, point);
	return value;
}

#define WAITERS_BLOCK "offset point pid command seconds state\n"
#define WAKES_BLOCK \
	"offset waker waker_command woken woken_command waited seconds\n"
#define OWNERS_BLOCK "owner pid command offset entries\n"
#define EVENTS_BLOCK "offset pid command\n"

/*
 * The lines of a block of the region's file in /proc, at most @room; the number of
 * all of them.
 */
static inline size_t block(const char *header, char lines[][128], size_t room)
{
	char path[64], line[512];
	bool inside = false, found = false;
	size_t n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/ipcdemo/region/%u", stat_of(fd).id);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (inside && line[0] == '\n')
			inside = false;
		if (inside && n < room)
			snprintf(lines[n], 128, "%.127s", line);
		n += inside;
		found |= !strcmp(line, header);
		if (!strcmp(line, header))
			inside = true;
	}
	fclose(file);
	if (!found)
		fail_msg("%s has no lines %s", path, header);
	return n;
}

static inline size_t lines_of(const char *header)
{
	return block(header, NULL, 0);
}

/* --- gates ------------------------------------------------------------------------ */

static inline void add_gate(int ctl, const char *point, __u32 count)
{
	struct ipcdemo_gate gate = {
		.size = sizeof(gate), .id = stat_of(fd).id, .count = count};

	snprintf(gate.point, sizeof(gate.point), "%s", point);
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &gate));
}

static inline void arrives(int ctl, const struct actor *who, const char *point)
{
	struct ipcdemo_gate_wait wait = {.size = sizeof(wait),
					 .timeout_ms = PATIENCE_MS};

	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_WAIT, &wait));
	assert_int_equal(0, strcmp(point, wait.arrival.point));
	assert_int_equal(who->pid, wait.arrival.pid);
}

static inline void go(int ctl, const struct actor *who)
{
	struct ipcdemo_gate_go request = {.size = sizeof(request),
					  .pid = who->pid};

	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_GO, &request));
}

/* --- running ---------------------------------------------------------------------- */

/* A test that failed may have left it. */
static inline void unmap_words(void)
{
	if (map && map != MAP_FAILED)
		munmap(map, LENGTH);
	map = NULL;
}

/* What main() returns. */
static inline int run_word_claims(const char *group, const struct claim *claims,
				  size_t count)
{
	char dir[] = "/tmp/ipcdemo-word.XXXXXX";
	int failed;

	shared = mmap(NULL, sizeof(*shared), RW, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED || !mkdtemp(dir))
		return 1;
	snprintf(our_dir, sizeof(our_dir), "%s/ours", dir);
	snprintf(file_path, sizeof(file_path), "%s/ours/words", dir);
	/* The mount goes with this process, also if that is killed. */
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mkdir(our_dir, 0700) ||
	    mount("none", our_dir, "ipcdemofs", 0, NULL))
		return 1;
	after_each = unmap_words;
	failed = run_claims(group, claims, count);
	/* A claim that failed has left files open there. */
	umount2(our_dir, MNT_DETACH);
	rmdir(our_dir);
	rmdir(dir);
	return failed;
}

#endif /* IPCDEMO_WORDS_H */

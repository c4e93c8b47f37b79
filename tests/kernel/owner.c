// SPDX-License-Identifier: GPL-2.0
/*
 * Owners: what becomes of the locks of a process that dies
 *
 * An actor is the process that dies.  Its table stands at the start of the region,
 * its lock words behind that; the test itself maps the region, and is not
 * registered.
 */
#include "words.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define WAITERS IPCDEMO_LOCK_WAITERS
#define DIED	IPCDEMO_LOCK_DIED
#define OWNER	IPCDEMO_LOCK_OWNER

#define ENTRIES 16
#define WORD(n) (PAGE + 4 * (n))

static void set_entry(unsigned int n, __u64 entry)
{
	__atomic_store_n((__u64 *)map + n, entry, __ATOMIC_SEQ_CST);
}

static __u32 load(size_t offset)
{
	return __atomic_load_n(word_at(offset), __ATOMIC_SEQ_CST);
}

static long register_at(__u64 offset, __u32 entries, __u32 *owner)
{
	struct ipcdemo_owner request = {
		.size = sizeof(request), .offset = offset, .entries = entries};
	long ret = ioctl(fd, IPCDEMO_IOC_OWNER, &request);

	*owner = request.owner;
	return ret;
}

/* The number, or -1. */
static long do_register(long offset, long entries, long c)
{
	__u32 owner;

	(void)c;
	return register_at(offset, entries, &owner) ? -1 : (long)owner;
}

/* The number that the process has. */
static long do_number(long a, long b, long c)
{
	__u32 owner;

	(void)a;
	(void)b;
	(void)c;
	if (!register_at(0, ENTRIES, &owner) || errno != EEXIST)
		return -1;
	return owner;
}

/* An actor that is registered, and holds the locks of the first @locks words. */
static struct actor *owner_of(unsigned int locks, __u32 *number)
{
	struct actor *actor = new_actor_with(fd);
	long ret = does(actor, do_register, 0, ENTRIES, 0).ret;
	unsigned int i;

	assert_true(ret >= 1 && ret < OWNER);
	*number = ret;
	memset(map, 0, ENTRIES * sizeof(__u64));
	for (i = 0; i < locks; i++) {
		store(WORD(i), *number);
		set_entry(i, WORD(i) | 1);
	}
	return actor;
}

static long do_unmap(long offset, long length, long c)
{
	(void)c;
	return munmap(map + offset, length);
}

static long do_exec(long a, long b, long c)
{
	(void)a;
	(void)b;
	(void)c;
	execl("/bin/sleep", "sleep", "1000", NULL);
	return -1;
}

static long do_exit(long a, long b, long c)
{
	(void)a;
	(void)b;
	(void)c;
	_exit(0);
}

static void unmap_all(struct actor *actor)
{
	assert_ret(0, does(actor, do_unmap, 0, LENGTH, 0).ret);
}

static void exec_it(struct actor *actor)
{
	begin(actor, do_exec, 0, 0, 0);
}

static void let_exit(struct actor *actor)
{
	begin(actor, do_exit, 0, 0, 0);
	assert_int_equal(0, dies_of(actor));
}

/* --- requests --------------------------------------------------------------------- */

static void check_bad_requests(void)
{
	struct ipcdemo_owner good = {.size = sizeof(good), .entries = 1}, bad;
	int reader;

	bad = good;
	bad.flags = 1;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_OWNER, &bad));
	bad = good;
	bad.offset = 4;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_OWNER, &bad));
	bad = good;
	bad.entries = 0;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_OWNER, &bad));
	bad.entries = 1025;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_OWNER, &bad));
	bad.entries = ~0u;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_OWNER, &bad));
	bad = good;
	bad.entries = 2;
	bad.offset = stat_of(fd).length - 8;
	assert_errno(EFAULT, ioctl(fd, IPCDEMO_IOC_OWNER, &bad));
	bad.offset = ~7ULL;
	assert_errno(EFAULT, ioctl(fd, IPCDEMO_IOC_OWNER, &bad));
	bad = good;
	bad.size--;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_OWNER, &bad));
	assert_errno(EFAULT, ioctl(fd, IPCDEMO_IOC_OWNER, nowhere()));
	reader = reopened(O_RDONLY);
	assert_errno(EBADF, ioctl(reader, IPCDEMO_IOC_OWNER, &good));
	close(reader);
	/* None of them has registered the process. */
	assert_ret(0, munmap(map, LENGTH));
	assert_errno(ENXIO, ioctl(fd, IPCDEMO_IOC_OWNER, &good));
	map = mmap(NULL, LENGTH, RW, MAP_SHARED, fd, 0);
	good.entries = 1024;
	good.offset = 8;
	assert_ret(0, ioctl(fd, IPCDEMO_IOC_OWNER, &good));
	bad = good;
	bad.owner = 0;
	assert_errno(EEXIST, ioctl(fd, IPCDEMO_IOC_OWNER, &bad));
	assert_int_equal(good.owner, bad.owner);
}

static void bad_requests_are_refused(void **state)
{
	struct ipcdemo_owner request = {.size = sizeof(request), .entries = 1};
	int ctl = control();

	(void)state;
	assert_int_equal(sizeof(request), 24);
	assert_errno(ENOTTY, ioctl(ctl, IPCDEMO_IOC_OWNER, &request));
	close(ctl);
	on_each(OUR_OWN, check_bad_requests);
}

static void *register_in_thread(void *arg)
{
	(void)arg;
	return (void *)do_number(0, 0, 0);
}

static long do_number_in_thread(long a, long b, long c)
{
	pthread_t thread;
	void *ret;

	(void)a;
	(void)b;
	(void)c;
	if (pthread_create(&thread, NULL, register_in_thread, NULL))
		return -1;
	pthread_join(thread, &ret);
	return (long)ret;
}

/* What a child of fork() has for a number, given by its exit: it differs or not. */
static long do_fork(long number, long b, long c)
{
	int status;
	pid_t pid = fork();

	(void)b;
	(void)c;
	if (!pid) {
		__u32 owner;

		/* The child's table is elsewhere. */
		if (register_at(2 * PAGE, 1, &owner))
			_exit(1);
		_exit(owner == (__u32)number ? 2 : 0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WEXITSTATUS(status);
}

/* A child that shares all memory, and exits. */
static long do_vfork(long a, long b, long c)
{
	int status;
	pid_t pid = vfork();

	(void)a;
	(void)b;
	(void)c;
	if (!pid)
		_exit(0);
	return waitpid(pid, &status, 0) == pid ? 0 : -1;
}

static void check_who(void)
{
	__u32 number, second;
	struct actor *actor = owner_of(1, &number), *other;

	/* One more has another number, and the first one's lock stays. */
	other = new_actor_with(fd);
	second = does(other, do_register, 2 * PAGE, 1, 0).ret;
	assert_int_not_equal(second, number);
	kill_actor(other);
	assert_int_equal(number, load(WORD(0)));
	/* Threads are the process, and so is who shares its memory. */
	assert_ret(number, does(actor, do_number_in_thread, 0, 0, 0).ret);
	assert_ret(0, does(actor, do_vfork, 0, 0, 0).ret);
	assert_ret(number, does(actor, do_number, 0, 0, 0).ret);
	/* A child of fork is not. */
	assert_ret(0, does(actor, do_fork, number, 0, 0).ret);
	assert_ret(number, does(actor, do_number, 0, 0, 0).ret);
	assert_int_equal(number, load(WORD(0)));
	kill_actor(actor);
	eventually(load(WORD(0)) == DIED);
}

static void a_process_is_its_memory(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_who);
}

/* --- ways to die ------------------------------------------------------------------ */

typedef void way_to_die(struct actor *actor);

static way_to_die *way;

/* Two locks, one of which two others wait for. */
static void check_way(void)
{
	__u32 number;
	struct actor *actor = owner_of(2, &number), *first, *second;

	store(WORD(0), number | WAITERS);
	first = sleeper_at(WORD(0), number | WAITERS);
	second = sleeper_at(WORD(0), number | WAITERS);
	way(actor);
	returns(first, 0);
	assert_int_equal(DIED | WAITERS, load(WORD(0)));
	eventually(load(WORD(1)) == DIED);
	/* One is woken, and the other is not forgotten. */
	sleeps_in(second, SYS_ioctl);
	assert_ret(1, wake(WORD(0), INT_MAX));
	returns(second, 0);
	destroy(actor);
	destroy(first);
	destroy(second);
}

static void locks_of_the_dead_are_marked(void **state)
{
	static way_to_die *const ways[] = {unmap_all, exec_it, let_exit,
					   kill_actor};
	size_t i;

	(void)state;
	for (i = 0; i < NR(ways); i++) {
		print_message("# way %zu\n", i);
		way = ways[i];
		on_each(OUR_OWN, check_way);
	}
}

/* It had given the lock up, and woken nobody; or it died of an earlier owner. */
static void check_between(void)
{
	static const __u32 values[] = {0, WAITERS, DIED, DIED | WAITERS};
	__u32 number;
	size_t i;

	for (i = 0; i < NR(values); i++) {
		struct actor *actor = owner_of(1, &number), *sleeper;

		store(WORD(0), values[i]);
		sleeper = sleeper_at(WORD(0), values[i]);
		kill_actor(actor);
		/* The walk is over before it is reaped. */
		assert_false(waits(sleeper, SYS_ioctl));
		returns(sleeper, 0);
		assert_int_equal(values[i], load(WORD(0)));
		destroy(sleeper);
	}
}

static void who_dies_before_it_wakes_has_woken(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_between);
}

static long do_wait_for_lock(long offset, long value, long c)
{
	(void)c;
	return wait_on(fd, offset, value, CLOCK_MONOTONIC, FOREVER);
}

/* It was asleep itself: whose turn it would have been goes to the next. */
static void check_asleep(void)
{
	__u32 number;
	struct actor *actor = owner_of(1, &number), *next;

	store(WORD(0), WAITERS);
	begin(actor, do_wait_for_lock, WORD(0), WAITERS, 0);
	sleeps_in(actor, SYS_ioctl);
	next = sleeper_at(WORD(0), WAITERS);
	kill_actor(actor);
	returns(next, 0);
	assert_ret(0, wake(WORD(0), INT_MAX));
	destroy(next);
}

static void who_dies_asleep_passes_its_turn_on(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_asleep);
}

/* --- tables ----------------------------------------------------------------------- */

static void check_bad_tables(void)
{
	__u32 number, other;
	struct actor *actor = owner_of(0, &number);
	__u64 length = stat_of(fd).length, pages;
	struct actor *sleeper;

	other = number + 1;
	store(WORD(0), number);
	store(WORD(1), other | WAITERS);
	store(WORD(2), number | WAITERS);
	store(WORD(3), number);
	set_entry(0, 0);
	set_entry(1, WORD(0)); /* without the bit */
	set_entry(2, WORD(0) | 2);
	set_entry(3, WORD(0) | 3);
	set_entry(4, WORD(1) | 1); /* somebody else's */
	set_entry(5, length | 1);
	set_entry(6, (length - 2) | 1);
	set_entry(7, ~0ULL);
	set_entry(8, ~0ULL << 2 | 1);
	set_entry(9, (length - 4) | 2);
	set_entry(10, 0x8000000000000001ULL);
	set_entry(11, WORD(2) | 1);
	set_entry(12, WORD(2) | 1); /* twice */
	set_entry(ENTRIES - 1, WORD(3) | 1);
	set_entry(ENTRIES, WORD(0) | 1); /* behind the table */
	pages = stat_of(fd).pages;
	sleeper = sleeper_at(WORD(1), other | WAITERS);
	kill_actor(actor);
	eventually(load(WORD(3)) == DIED);
	assert_int_equal(number, load(WORD(0)));
	assert_int_equal(other | WAITERS, load(WORD(1)));
	assert_int_equal(DIED | WAITERS, load(WORD(2)));
	assert_int_equal(pages, stat_of(fd).pages);
	sleeps_in(sleeper, SYS_ioctl);
	destroy(sleeper);
	memset(map, 0, LENGTH);
}

static void odd_entries_are_passed_over(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_bad_tables);
}

/* Words, then a part of the table, then all: in pages that are not there. */
static void pages_that_are_not_there_are_not_made(void **state)
{
	enum { AT = 2 * PAGE - 16 };
	__u64 entries[4] = {(3 * PAGE) | 1, (3 * PAGE + 8) | 1, 1, 5};
	struct actor *actor;
	off_t lengths[] = {LENGTH, 3 * PAGE, 2 * PAGE, PAGE, 1, 0};
	size_t i;

	(void)state;
	kind = &kinds[1];
	for (i = 0; i < NR(lengths); i++) {
		fd = file_fd(LENGTH);
		map = mmap(NULL, LENGTH, RW, MAP_SHARED, fd, 0);
		actor = new_actor_with(fd);
		assert_true(does(actor, do_register, AT, 4, 0).ret >= 1);
		assert_ret(sizeof(entries),
			   pwrite(fd, entries, sizeof(entries), AT));
		assert_ret(0, ftruncate(fd, lengths[i]));
		kill_actor(actor);
		/* Nothing but the table is there. */
		assert_true(stat_of(fd).pages <= 2);
		unmap_words();
		close(fd);
	}
}

/* --- mappings --------------------------------------------------------------------- */

/* Everything that changes mappings without taking the last of them away. */
static long do_shuffle(long number, long b, long c)
{
	char *more, *moved;

	(void)b;
	(void)c;
	more = mmap(NULL, LENGTH, RW, MAP_SHARED, fd, 0);
	if (more == MAP_FAILED || munmap(map, LENGTH) ||
	    do_number(0, 0, 0) != number)
		return 1;
	/* In the middle: two are left.  At the start, at the end. */
	if (munmap(more + PAGE, PAGE) || do_number(0, 0, 0) != number ||
	    munmap(more, PAGE) || do_number(0, 0, 0) != number ||
	    munmap(more + 3 * PAGE, PAGE) || do_number(0, 0, 0) != number)
		return 2;
	more += 2 * PAGE;
	/* Longer, and elsewhere. */
	moved = mremap(more, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		       more + 64 * PAGE);
	if (moved == MAP_FAILED || do_number(0, 0, 0) != number)
		return 3;
	moved = mremap(moved, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	if (moved == MAP_FAILED || do_number(0, 0, 0) != number)
		return 4;
	/* Split by protection, whole again, cut. */
	if (mprotect(moved, PAGE, PROT_READ) || do_number(0, 0, 0) != number ||
	    mprotect(moved, PAGE, RW) || do_number(0, 0, 0) != number)
		return 5;
	moved = mremap(moved, 2 * PAGE, PAGE, 0);
	if (moved == MAP_FAILED || do_number(0, 0, 0) != number)
		return 6;
	map = moved;
	return 0;
}

static void check_shuffle(void)
{
	__u32 number;
	struct actor *actor = owner_of(1, &number);

	assert_ret(0, does(actor, do_shuffle, number, 0, 0).ret);
	assert_int_equal(number, load(WORD(0)));
	/* The last of it. */
	assert_ret(0, does(actor, do_unmap, 0, PAGE, 0).ret);
	assert_int_equal(DIED, load(WORD(0)));
	kill_actor(actor);
}

static void the_last_mapping_counts(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_shuffle);
}

static long do_map(long a, long b, long c)
{
	(void)a;
	(void)b;
	(void)c;
	map = mmap(NULL, LENGTH, RW, MAP_SHARED, fd, 0);
	return map == MAP_FAILED ? -1 : 0;
}

static void check_again(void)
{
	__u32 number;
	struct actor *actor = owner_of(1, &number);
	long second;

	unmap_all(actor);
	assert_int_equal(DIED, load(WORD(0)));
	store(WORD(0), number);
	assert_int_equal(ENXIO, does(actor, do_register, 0, ENTRIES, 0).err);
	assert_ret(0, does(actor, do_map, 0, 0, 0).ret);
	second = does(actor, do_register, 0, ENTRIES, 0).ret;
	assert_true(second >= 1 && second != number);
	/* The old number is nobody's any more. */
	kill_actor(actor);
	assert_int_equal(number, load(WORD(0)));
}

static void a_process_can_register_again(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_again);
}

/* The file has no name any more, and its mount is gone. */
static void a_region_without_a_name_is_walked(void **state)
{
	struct actor *actor, *sleeper;
	__u32 number;

	(void)state;
	kind = &kinds[1];
	fd = file_fd(LENGTH);
	map = mmap(NULL, LENGTH, RW, MAP_SHARED, fd, 0);
	actor = owner_of(1, &number);
	assert_ret(0, unlink(file_path));
	assert_ret(0, umount2(our_dir, MNT_DETACH));
	store(WORD(0), number | WAITERS);
	sleeper = sleeper_at(WORD(0), number | WAITERS);
	kill_actor(actor);
	returns(sleeper, 0);
	assert_int_equal(DIED | WAITERS, load(WORD(0)));
	destroy(sleeper);
	unmap_words();
	close(fd);
	assert_ret(0, mount("none", our_dir, "ipcdemofs", 0, NULL));
}

/* An event loop is told, too. */
static void check_event(void)
{
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct ipcdemo_word_event bind = {
		.size = sizeof(bind), .offset = WORD(0), .eventfd = event};
	__u32 number;
	struct actor *actor = owner_of(1, &number);
	__u64 value;

	assert_ret(0, ioctl(fd, IPCDEMO_IOC_WORD_EVENT, &bind));
	kill_actor(actor);
	eventually(read(event, &value, sizeof(value)) == sizeof(value));
	assert_int_equal(value, 1);
	bind.eventfd = -1;
	assert_ret(0, ioctl(fd, IPCDEMO_IOC_WORD_EVENT, &bind));
	close(event);
}

static void an_eventfd_is_signalled(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_event);
}

static void check_shown(void)
{
	char lines[3][128], want[128];
	__u32 number, second;
	struct actor *actor = owner_of(1, &number), *other, *sleeper;

	other = new_actor_with(fd);
	second = does(other, do_register, 2 * PAGE, 3, 0).ret;
	assert_int_equal(block(OWNERS_BLOCK, lines, NR(lines)), 2);
	snprintf(want, sizeof(want), "%u %d owner 0 %u\n", number, actor->pid,
		 ENTRIES);
	assert_string_equal(lines[0], want);
	snprintf(want, sizeof(want), "%u %d owner %u 3\n", second, other->pid,
		 2 * PAGE);
	assert_string_equal(lines[1], want);
	/* The dead one woke. */
	sleeper = sleeper_at(WORD(0), number);
	kill_actor(actor);
	returns(sleeper, 0);
	eventually(lines_of(OWNERS_BLOCK) == 1);
	assert_int_equal(block(WAKES_BLOCK, lines, 1), 1);
	kill_actor(other);
	eventually(lines_of(OWNERS_BLOCK) == 0);
	destroy(sleeper);
}

static void owners_are_shown(void **state)
{
	(void)state;
	on_each(OUR_FILE | OUR_ANON, check_shown);
}

/* --- at the same time ------------------------------------------------------------- */

#define ROUNDS 500

static unsigned int running; /* of the actor */

static void *map_and_unmap(void *arg)
{
	char *at;
	int i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		at = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
		if (at == MAP_FAILED)
			return (void *)1;
		munmap(at, PAGE);
		munmap(at + PAGE, PAGE);
	}
	__atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/*
 * One thread registers whenever it can, two map and unmap.  Whenever all is
 * unmapped the process must not be registered.
 */
static long do_race(long a, long b, long c)
{
	pthread_t threads[2];
	__u32 owner;
	void *ret;
	long i;

	(void)a;
	(void)b;
	(void)c;
	if (munmap(map, LENGTH))
		return 1;
	running = NR(threads);
	for (i = 0; i < (long)NR(threads); i++)
		if (pthread_create(&threads[i], NULL, map_and_unmap, NULL))
			return 2;
	while (__atomic_load_n(&running, __ATOMIC_SEQ_CST))
		if (register_at(0, ENTRIES, &owner) && errno != ENXIO &&
		    errno != EEXIST)
			return 3;
	for (i = 0; i < (long)NR(threads); i++)
		if (pthread_join(threads[i], &ret) || ret)
			return 4;
	if (!register_at(0, ENTRIES, &owner) || errno != ENXIO)
		return 5;
	/* A registration that was left would be found now. */
	map = mmap(NULL, LENGTH, RW, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED || register_at(0, ENTRIES, &owner))
		return 6;
	return 0;
}

static void check_race(void)
{
	struct actor *actor = new_actor_with(fd);
	__u64 new = counter_of("owner.new"), died = counter_of("owner.died");

	memset(map, 0, LENGTH);
	assert_ret(0, does(actor, do_race, 0, 0, 0).ret);
	kill_actor(actor);
	new = counter_of("owner.new") - new;
	eventually(counter_of("owner.died") - died == new);
	assert_true(new >= 1);
}

static void registering_meets_unmapping(void **state)
{
	(void)state;
	on_each(OUR_FILE | DEFAULT, check_race);
}

/* --- how many ---------------------------------------------------------------------- */

#define MOST	4096
#define SOME	256
#define COUNTED (2 * PAGE)

static pid_t many[MOST];

/* A process that is registered, until it is killed. */
static pid_t new_owner(void)
{
	pid_t pid = fork();
	__u32 owner;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!register_at(0, 1, &owner))
		__atomic_fetch_add(word_at(COUNTED), 1, __ATOMIC_SEQ_CST);
	else
		_exit(1);
	for (;;)
		pause();
}

/* By an actor, whose children they are.  Return: up to which one they came to be. */
static long do_multiply(long from, long to, long c)
{
	long i;

	(void)c;
	for (i = from; i < to; i++) {
		many[i] = new_owner();
		if (many[i] < 0)
			break;
	}
	return i;
}

static long do_end(long from, long to, long c)
{
	long i;

	(void)c;
	for (i = from; i < to; i++)
		kill(many[i], SIGKILL);
	for (i = from; i < to; i++)
		if (waitpid(many[i], NULL, 0) != many[i])
			return -1;
	return 0;
}

/* Whether there is room for so many processes, 200 KiB each. */
static bool has_memory(void)
{
	unsigned long long free_kib = 0;
	char line[100];
	FILE *file = fopen("/proc/meminfo", "re");

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu", &free_kib) == 1)
			break;
	fclose(file);
	return free_kib / 200 > MOST;
}

static void check_most(void)
{
	struct actor *parent = new_actor_with(fd);
	__u32 owner;
	long i;

	/* An actor may not take for ever over one action. */
	for (i = 0; i < MOST; i += SOME)
		assert_ret(i + SOME,
			   does(parent, do_multiply, i, i + SOME, 0).ret);
	eventually(load(COUNTED) == MOST);
	assert_int_equal(lines_of(OWNERS_BLOCK), MOST);
	assert_errno(ENOSPC, register_at(0, 1, &owner));
	/* Each death makes room for one. */
	assert_ret(0, does(parent, do_end, 0, 1, 0).ret);
	assert_ret(0, register_at(0, 1, &owner));
	assert_errno(EEXIST, register_at(0, 1, &owner));
	for (i = 0; i < MOST; i += SOME)
		assert_ret(0, does(parent, do_end, i ?: 1, i + SOME, 0).ret);
	assert_int_equal(lines_of(OWNERS_BLOCK), 1);
	destroy(parent);
}

static void so_many_are_registered_and_no_more(void **state)
{
	(void)state;
	if (is_debug_kernel() || !has_memory()) {
		print_message("# not enough memory for %d processes\n", MOST);
		skip();
	}
	on_each(OUR_ANON, check_most);
}

/* --- */

static const struct claim claims[] = {
	{"bad requests are refused", bad_requests_are_refused, DEV},
	{"a process is its memory", a_process_is_its_memory, DEV},
	{"locks of the dead are marked, and one waiter woken",
	 locks_of_the_dead_are_marked, DEV},
	{"who dies before it wakes has woken",
	 who_dies_before_it_wakes_has_woken, DEV},
	{"who dies asleep passes its turn on",
	 who_dies_asleep_passes_its_turn_on, DEV},
	{"odd entries are passed over", odd_entries_are_passed_over, DEV},
	{"pages that are not there are not made",
	 pages_that_are_not_there_are_not_made, DEV},
	{"the last mapping counts", the_last_mapping_counts, DEV},
	{"a process can register again", a_process_can_register_again, DEV},
	{"a region without a name is walked", a_region_without_a_name_is_walked,
	 DEV},
	{"an eventfd is signalled, too", an_eventfd_is_signalled, DEV},
	{"owners are shown", owners_are_shown, DEV},
	{"registering meets unmapping", registering_meets_unmapping, DEV},
	{"4096 are registered, and no more", so_many_are_registered_and_no_more,
	 DEV},
};

int main(void)
{
	return run_word_claims("owner", claims, NR(claims));
}

// SPDX-License-Identifier: GPL-2.0
/*
 * The region: pages that processes share, and that stay
 *
 * Its contents outlive each test: a test writes where it looks.
 */
#include "harness.h"

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define RW (PROT_READ | PROT_WRITE)

static sigjmp_buf on_fault;

static int region_fd(void)
{
	struct ipcdemo_region_fd request = {.size = sizeof(request),
					    .flags = O_CLOEXEC};
	int ctl = control(), fd = ioctl(ctl, IPCDEMO_IOC_REGION_FD, &request);

	assert_int_not_equal(fd, -1);
	close(ctl);
	return fd;
}

static size_t region_size(void)
{
	return region_stat().length;
}

static void faulted(int sig)
{
	siglongjmp(on_fault, sig);
}

/* The signal that touching that byte gives, or 0. */
static int touch(const void *byte)
{
	struct sigaction old_bus, old_segv;
	struct sigaction act = {.sa_handler = faulted};
	int sig;

	sigaction(SIGBUS, &act, &old_bus);
	sigaction(SIGSEGV, &act, &old_segv);
	sig = sigsetjmp(on_fault, 1);
	if (!sig)
		*(volatile const char *)byte;
	sigaction(SIGBUS, &old_bus, NULL);
	sigaction(SIGSEGV, &old_segv, NULL);
	return sig;
}

static char *map_fd(int fd, size_t size, off_t offset)
{
	char *map = mmap(NULL, size, RW, MAP_SHARED, fd, offset);

	if (map == MAP_FAILED)
		fail_msg("mmap: %s", strerror(errno));
	return map;
}

/* Map by way of the device; its descriptor is closed again. */
static char *map_region(size_t size)
{
	int fd = open_end(O_RDWR);
	char *map;

	assert_int_not_equal(fd, -1);
	map = map_fd(fd, size, 0);
	close(fd);
	return map;
}

static void unmap(char *map, size_t size)
{
	assert_ret(0, munmap(map, size));
}

/* --- pages ---------------------------------------------------------------------- */

/* A new region, whatever was done before: by loading the module again. */
static void new_module(void)
{
	assert_ret(0, system("rmmod ipcdemo >&2"));
	assert_ret(0, system("insmod build/kernel/$(uname -r)/ipcdemo.ko"));
}

static void pages_come_when_touched_and_are_zero(void **state)
{
	__u64 pages, faults;
	size_t size, i;
	char *map;

	(void)state;
	new_module();
	size = region_size();
	map = map_region(size);
	pages = region_stat().pages;
	assert_int_equal(pages, 0);
	faults = counter("region", "map.fault");
	for (i = size - 4 * PAGE; i < size; i++)
		assert_int_equal(map[i], 0);
	assert_int_equal(region_stat().pages, pages + 4);
	assert_int_equal(counter("region", "map.fault"), faults + 4);
	for (i = size - 4 * PAGE; i < size; i++)
		assert_int_equal(map[i], 0);
	assert_int_equal(region_stat().pages, pages + 4);
	assert_int_equal(counter("region", "map.fault"), faults + 4);
	unmap(map, size);
}

static void no_fault_inside(void **state)
{
	size_t size = region_size(), i;
	char *map = map_region(size);

	(void)state;
	for (i = 0; i < size; i += PAGE) {
		assert_ret(0, touch(map + i));
		map[i + PAGE - 1] = i / PAGE;
	}
	assert_int_equal(region_stat().pages, size / PAGE);
	for (i = 0; i < size; i += PAGE)
		assert_int_equal(map[i + PAGE - 1], (char)(i / PAGE));
	unmap(map, size);
}

static void sigbus_beyond_and_only_there(void **state)
{
	size_t size = region_size();
	char *map = map_region(size + 4 * PAGE);

	(void)state;
	assert_ret(0, touch(map + size - 1));
	assert_ret(SIGBUS, touch(map + size));
	assert_ret(SIGBUS, touch(map + size + 4 * PAGE - 1));
	assert_ret(0, touch(map + size - 1));
	assert_ret(0, touch(map));
	unmap(map, size + 4 * PAGE);
	/* A mapping may begin beyond, too. */
	map = map_fd(region_fd(), PAGE, size);
	assert_ret(SIGBUS, touch(map));
	unmap(map, PAGE);
}

/* --- sharing -------------------------------------------------------------------- */

static char *shared_map;

static long do_map(long flags, long b, long c)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	(void)b;
	(void)c;
	if (fd < 0)
		return -1;
	shared_map = mmap(NULL, 64 * PAGE, RW, MAP_SHARED | flags, fd, 0);
	close(fd);
	return shared_map == MAP_FAILED ? -1 : 0;
}

static long do_poke(long at, long value, long c)
{
	(void)c;
	shared_map[at] = value;
	return 0;
}

static long do_look(long at, long b, long c)
{
	(void)b;
	(void)c;
	return shared_map[at];
}

static void unrelated_processes_share(void **state)
{
	struct actor *one = new_actor(), *two = new_actor();
	int i;

	(void)state;
	assert_ret(0, does(one, do_map, 0, 0, 0).ret);
	assert_ret(0, does(two, do_map, 0, 0, 0).ret);
	for (i = 0; i < 64; i++) {
		long at = i * PAGE + i * 7;

		does(one, do_poke, at, i + 1, 0);
		assert_ret(i + 1, does(two, do_look, at, 0, 0).ret);
		does(two, do_poke, at, 100 - i, 0);
		assert_ret(100 - i, does(one, do_look, at, 0, 0).ret);
	}
	assert_int_equal(region_stat().maps, 2);
}

static void fork_shares(void **state)
{
	char *map = map_region(4 * PAGE);
	struct actor *child;

	(void)state;
	map[5] = 1;
	shared_map = map;
	child = new_actor();
	assert_int_equal(region_stat().maps, 2);
	assert_ret(1, does(child, do_look, 5, 0, 0).ret);
	does(child, do_poke, 5, 2, 0);
	assert_int_equal(map[5], 2);
	/* A page that neither has touched yet. */
	map[3 * PAGE] = 3;
	assert_ret(3, does(child, do_look, 3 * PAGE, 0, 0).ret);
	destroy(child);
	assert_int_equal(region_stat().maps, 1);
	assert_int_equal(map[5], 2);
	unmap(map, 4 * PAGE);
}

/* --- what may be mapped --------------------------------------------------------- */

static void mmap_fails(int want, int prot, int flags, int fd, off_t offset)
{
	void *map = mmap(NULL, PAGE, prot, flags, fd, offset);
	int err = errno;

	assert_ptr_equal(map, MAP_FAILED);
	if (err != want)
		fail_msg("mmap: %s and not %s", strerror(err), strerror(want));
}

static void one_end_cannot_be_mapped(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	mmap_fails(EACCES, PROT_READ, MAP_SHARED, e.r, 0);
	mmap_fails(EACCES, RW, MAP_SHARED, e.r, 0);
	mmap_fails(EACCES, PROT_READ, MAP_SHARED, e.w, 0);
	mmap_fails(EACCES, PROT_WRITE, MAP_SHARED, e.w, 0);
	assert_int_equal(region_stat().maps, 0);
}

/* The kernel refuses before it asks us: the descriptor cannot be read. */
static void control_cannot_be_mapped(void **state)
{
	(void)state;
	mmap_fails(EACCES, PROT_READ, MAP_SHARED, control(), 0);
	mmap_fails(EACCES, RW, MAP_SHARED, control(), 0);
}

static void private_is_einval(void **state)
{
	(void)state;
	mmap_fails(EINVAL, PROT_READ, MAP_PRIVATE, open_end(O_RDWR), 0);
	mmap_fails(EINVAL, RW, MAP_PRIVATE, open_end(O_RDWR), 0);
	mmap_fails(EINVAL, RW, MAP_PRIVATE, region_fd(), 0);
	assert_int_equal(region_stat().maps, 0);
}

static void exec_is_refused(void **state)
{
	char *map;

	(void)state;
	mmap_fails(EPERM, PROT_READ | PROT_EXEC, MAP_SHARED, open_end(O_RDWR),
		   0);
	mmap_fails(EPERM, PROT_READ | PROT_EXEC, MAP_SHARED, region_fd(), 0);
	map = map_region(2 * PAGE);
	assert_errno(EACCES, mprotect(map, PAGE, PROT_READ | PROT_EXEC));
	assert_ret(0, mprotect(map, PAGE, PROT_READ));
	assert_ret(SIGSEGV, (mprotect(map, PAGE, PROT_NONE), touch(map)));
	assert_ret(0, mprotect(map, 2 * PAGE, RW));
	map[0] = 1;
	unmap(map, 2 * PAGE);
}

static void readable_mappings_may_become_writable(void **state)
{
	char *map =
		mmap(NULL, PAGE, PROT_READ, MAP_SHARED, open_end(O_RDWR), 0);

	(void)state;
	assert_ptr_not_equal(map, MAP_FAILED);
	assert_ret(0, mprotect(map, PAGE, RW));
	map[0] = 1;
	unmap(map, PAGE);
}

/* --- mappings that change --------------------------------------------------------- */

static void mappings_are_counted(void **state)
{
	__u64 made = counter("region", "map.new");
	__u64 gone = counter("region", "map.gone");
	char *one = map_region(8 * PAGE), *two;

	(void)state;
	assert_int_equal(region_stat().maps, 1);
	two = map_region(PAGE);
	assert_int_equal(region_stat().maps, 2);
	assert_int_equal(proc_value("region", "maps"), 2);
	/* A hole in the middle splits a mapping in two. */
	unmap(one + 3 * PAGE, 2 * PAGE);
	assert_int_equal(region_stat().maps, 3);
	assert_ret(0, touch(one));
	assert_ret(0, touch(one + 5 * PAGE));
	assert_ret(SIGSEGV, touch(one + 3 * PAGE));
	unmap(one, 8 * PAGE);
	assert_int_equal(region_stat().maps, 1);
	unmap(two, PAGE);
	assert_int_equal(region_stat().maps, 0);
	assert_int_equal(counter("region", "map.new") - made,
			 counter("region", "map.gone") - gone);
	assert_true(counter("region", "map.new") >= made + 3);
}

static void partial_unmap_keeps_the_rest(void **state)
{
	char *map = map_region(4 * PAGE);

	(void)state;
	map[0] = 1;
	map[3 * PAGE] = 4;
	unmap(map, PAGE);
	assert_ret(SIGSEGV, touch(map));
	assert_int_equal(map[3 * PAGE], 4);
	unmap(map + 3 * PAGE, PAGE);
	map[PAGE] = 2;
	assert_int_equal(region_stat().maps, 1);
	unmap(map + PAGE, 2 * PAGE);
	map = map_region(4 * PAGE);
	assert_int_equal(map[0], 1);
	assert_int_equal(map[PAGE], 2);
	assert_int_equal(map[3 * PAGE], 4);
	unmap(map, 4 * PAGE);
}

static void mremap_moves(void **state)
{
	char *map = map_region(2 * PAGE), *to;

	(void)state;
	map[PAGE + 1] = 9;
	to = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		  0);
	assert_ptr_not_equal(to, MAP_FAILED);
	assert_ptr_equal(mremap(map, 2 * PAGE, 2 * PAGE,
				MREMAP_MAYMOVE | MREMAP_FIXED, to),
			 to);
	assert_int_equal(to[PAGE + 1], 9);
	assert_ret(SIGSEGV, touch(map));
	assert_int_equal(region_stat().maps, 1);
	unmap(to, 2 * PAGE);
	assert_int_equal(region_stat().maps, 0);
}

static void mremap_grows(void **state)
{
	size_t size = region_size();
	char *map = map_region(PAGE), *grown;

	(void)state;
	map[0] = 7;
	grown = mremap(map, PAGE, size + PAGE, MREMAP_MAYMOVE);
	assert_ptr_not_equal(grown, MAP_FAILED);
	assert_int_equal(grown[0], 7);
	assert_ret(0, touch(grown + size - 1));
	assert_ret(SIGBUS, touch(grown + size));
	assert_int_equal(region_stat().maps, 1);
	assert_ptr_equal(mremap(grown, size + PAGE, PAGE, 0), grown);
	assert_int_equal(grown[0], 7);
	assert_ret(SIGSEGV, touch(grown + PAGE));
	unmap(grown, PAGE);
}

/* mremap with an old size of 0 makes a second mapping of shared pages. */
static void mremap_doubles(void **state)
{
	char *map = map_region(2 * PAGE), *twin;

	(void)state;
	twin = mremap(map, 0, 2 * PAGE, MREMAP_MAYMOVE);
	assert_ptr_not_equal(twin, MAP_FAILED);
	assert_int_equal(region_stat().maps, 2);
	map[100] = 5;
	assert_int_equal(twin[100], 5);
	unmap(map, 2 * PAGE);
	assert_int_equal(twin[100], 5);
	unmap(twin, 2 * PAGE);
}

static void offsets_are_those_of_the_region(void **state)
{
	size_t size = region_size();
	int fd = region_fd();
	char *all = map_fd(fd, size, 0);
	char *part = map_fd(fd, PAGE, size / 2);

	(void)state;
	part[3] = 33;
	assert_int_equal(all[size / 2 + 3], 33);
	mmap_fails(EINVAL, RW, MAP_SHARED, fd, 5);
	unmap(all, size);
	unmap(part, PAGE);
}

static void advice_and_locks_work(void **state)
{
	char *map = map_region(8 * PAGE);

	(void)state;
	map[0] = 1;
	map[7 * PAGE] = 8;
	assert_ret(0, msync(map, 8 * PAGE, MS_SYNC));
	/* Dropped from the page table, not from the region. */
	assert_ret(0, madvise(map, 8 * PAGE, MADV_DONTNEED));
	assert_int_equal(map[0], 1);
	assert_ret(0, mlock(map, 8 * PAGE));
	assert_int_equal(map[7 * PAGE], 8);
	assert_ret(0, munlock(map, 8 * PAGE));
	unmap(map, 8 * PAGE);
}

/* --- the pipe and the region have one name, not one life -------------------------- */

static void a_mapping_keeps_no_end_open(void **state)
{
	char *map = map_region(PAGE);
	struct ipcdemo_pipe_stat stat = pipe_stat();
	int r, w;

	(void)state;
	assert_int_equal(stat.readers, 0);
	assert_int_equal(stat.writers, 0);
	assert_errno(ENXIO, open_end(O_WRONLY | O_NONBLOCK));
	r = open_end(O_RDONLY | O_NONBLOCK);
	assert_ret(0, get(r, 1, NULL));
	w = open_end(O_WRONLY);
	close(r);
	assert_errno(EPIPE, put(w, 1, 0));
	map[0] = 1;
	unmap(map, PAGE);
}

static void contents_stay_without_files_and_mappings(void **state)
{
	size_t size = region_size(), i;
	char *map = map_region(size);
	int fd;

	(void)state;
	for (i = 0; i < size; i += 3 * PAGE)
		fill_pattern(map + i, PAGE, i);
	unmap(map, size);
	assert_int_equal(region_stat().maps, 0);
	assert_int_equal(region_stat().files, 0);
	assert_int_equal(region_stat().pages, size / PAGE);

	fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_ret(1, write(fd, "3", 1));
	map = map_region(size);
	for (i = 0; i < size; i += 3 * PAGE)
		assert_int_equal(sum_of(map + i, PAGE),
				 sum_of_pattern(PAGE, i));
	/* Once more, with the pages in the page cache of a living inode. */
	assert_ret(1, write(fd, "3", 1));
	for (i = 0; i < size; i += 3 * PAGE)
		assert_int_equal(sum_of(map + i, PAGE),
				 sum_of_pattern(PAGE, i));
	unmap(map, size);
}

/* --- the region's descriptor --------------------------------------------------------- */

static void pread_and_pwrite_equal_the_mapping(void **state)
{
	size_t size = region_size();
	int fd = region_fd();
	char *map = map_fd(fd, size, 0), buf[100];

	(void)state;
	memcpy(map + PAGE - 50, "in the mapping", 15);
	assert_ret(15, pread(fd, buf, 15, PAGE - 50));
	assert_string_equal(buf, "in the mapping");
	assert_ret(12, pwrite(fd, "in the file", 12, 3 * PAGE - 6));
	assert_string_equal(map + 3 * PAGE - 6, "in the file");
	/* A page that nobody has touched reads as zeros, or what it had. */
	assert_ret(100, pread(fd, buf, 100, size - 100));
	assert_memory_equal(buf, map + size - 100, 100);
	unmap(map, size);
}

static void read_write_and_lseek_move_on(void **state)
{
	size_t size = region_size();
	int fd = region_fd();
	char buf[8] = "";

	(void)state;
	assert_ret(5, write(fd, "abcde", 5));
	assert_ret(5, lseek(fd, 0, SEEK_CUR));
	assert_ret(1, lseek(fd, -4, SEEK_CUR));
	assert_ret(3, read(fd, buf, 3));
	assert_string_equal(buf, "bcd");
	assert_ret(size, lseek(fd, 0, SEEK_END));
	assert_ret(0, read(fd, buf, 1));
	assert_ret(size + 10, lseek(fd, 10, SEEK_END));
	assert_ret(0, read(fd, buf, 1));
	assert_errno(EINVAL, lseek(fd, -1, SEEK_SET));
	assert_ret(0, lseek(fd, 0, SEEK_SET));
}

static void the_end_of_the_region_is_enospc(void **state)
{
	size_t size = region_size();
	int fd = region_fd();
	char buf[20] = "0123456789";

	(void)state;
	assert_ret(4, pwrite(fd, buf, 10, size - 4));
	assert_ret(4, pread(fd, buf, 10, size - 4));
	assert_memory_equal(buf, "0123", 4);
	assert_errno(ENOSPC, pwrite(fd, buf, 1, size));
	assert_errno(ENOSPC, pwrite(fd, buf, 10, size + 3 * PAGE));
	assert_ret(0, pwrite(fd, buf, 0, size));
	assert_ret(0, pread(fd, buf, 10, size));
	assert_int_equal(region_size(), size);
}

static void the_size_is_fixed(void **state)
{
	size_t size = region_size();
	int fd = region_fd();
	struct stat st;

	(void)state;
	assert_errno(EPERM, ftruncate(fd, 0));
	assert_errno(EPERM, ftruncate(fd, size + PAGE));
	assert_errno(EPERM, ftruncate(fd, size));
	assert_int_equal(fallocate(fd, 0, 0, 2 * size), -1);
	assert_errno(EPERM, fchmod(fd, 0600));
	assert_errno(EPERM, fchown(fd, 1, 1));
	assert_ret(0, fstat(fd, &st));
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_size, size);
	assert_int_equal(region_size(), size);
}

static void region_faults_are_efault(void **state)
{
	int fd = region_fd();

	(void)state;
	assert_errno(EFAULT, pread(fd, nowhere(), 10, 0));
	assert_errno(EFAULT, pwrite(fd, nowhere(), 10, 0));
}

static void reopened_through_proc(void **state)
{
	int fd = region_fd(), again;
	char path[64], byte = 0;

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_ret(1, pwrite(fd, "x", 1, 77));
	again = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(again, -1);
	assert_ret(1, pread(again, &byte, 1, 77));
	assert_int_equal(byte, 'x');
	assert_errno(EBADF, pwrite(again, "y", 1, 77));
	/* Read-only: cannot be mapped writable, and not at all by our rule. */
	mmap_fails(EACCES, RW, MAP_SHARED, again, 0);
	assert_int_equal(region_stat().files, 2);
}

static void bytes_by_descriptor_are_counted(void **state)
{
	__u64 read_was = counter("region", "region.read");
	__u64 write_was = counter("region", "region.write");
	int fd = region_fd();
	char buf[100] = "";

	(void)state;
	assert_ret(100, pwrite(fd, buf, 100, 0));
	assert_ret(60, pread(fd, buf, 60, 0));
	assert_int_equal(counter("region", "region.read"), read_was + 60);
	assert_int_equal(counter("region", "region.write"), write_was + 100);
}

/* --- futexes and mutexes in it ----------------------------------------------------- */

static long futex(__u32 *word, int op, __u32 value)
{
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static long do_futex_wait(long at, long value, long c)
{
	(void)c;
	return futex((__u32 *)(shared_map + at), FUTEX_WAIT, value);
}

static void futex_works_between_processes(void **state)
{
	struct actor *sleeper = new_actor();
	char *map = map_region(PAGE);
	__u32 *word = (__u32 *)(map + 64);

	(void)state;
	*word = 1;
	assert_ret(0, does(sleeper, do_map, 0, 0, 0).ret);
	assert_int_equal(does(sleeper, do_futex_wait, 64, 2, 0).err, EAGAIN);
	begin(sleeper, do_futex_wait, 64, 1, 0);
	sleeps_in(sleeper, SYS_futex);
	*word = 2;
	assert_ret(1, futex(word, FUTEX_WAKE, 10));
	assert_ret(0, end(sleeper).ret);
	unmap(map, PAGE);
}

struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	long value;
};

static long do_add(long times, long b, long c)
{
	struct shared *shared = (struct shared *)shared_map;

	(void)b;
	(void)c;
	while (times--) {
		pthread_mutex_lock(&shared->mutex);
		shared->value++;
		pthread_cond_signal(&shared->cond);
		pthread_mutex_unlock(&shared->mutex);
	}
	return 0;
}

static void shared_mutex_and_condition_work(void **state)
{
	enum { ADDERS = 3, TIMES = 500 };
	char *map = map_region(PAGE);
	struct shared *shared = (struct shared *)map;
	struct actor *adders[ADDERS];
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;
	int i;

	(void)state;
	memset(shared, 0, sizeof(*shared));
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&ma, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&shared->mutex, &ma);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&shared->cond, &ca);
	for (i = 0; i < ADDERS; i++) {
		adders[i] = new_actor();
		assert_ret(0, does(adders[i], do_map, 0, 0, 0).ret);
		begin(adders[i], do_add, TIMES, 0, 0);
	}
	pthread_mutex_lock(&shared->mutex);
	while (shared->value < ADDERS * TIMES)
		pthread_cond_wait(&shared->cond, &shared->mutex);
	pthread_mutex_unlock(&shared->mutex);
	for (i = 0; i < ADDERS; i++)
		assert_ret(0, end(adders[i]).ret);
	assert_int_equal(shared->value, ADDERS * TIMES);
	unmap(map, PAGE);
}

static const struct claim claims[] = {
	{"pages come when they are touched, and are zero",
	 pages_come_when_touched_and_are_zero, DEV},
	{"no touch inside the region fails", no_fault_inside, DEV},
	{"beyond the region is SIGBUS, and only there",
	 sigbus_beyond_and_only_there, DEV},
	{"processes that share nothing else see each other's bytes",
	 unrelated_processes_share, DEV},
	{"a mapping is shared over fork", fork_shares, DEV},
	{"one end alone cannot be mapped: EACCES", one_end_cannot_be_mapped,
	 DEV},
	{"a control descriptor cannot be mapped: EACCES",
	 control_cannot_be_mapped, DEV},
	{"MAP_PRIVATE is EINVAL", private_is_einval, DEV},
	{"PROT_EXEC is refused, by mprotect too", exec_is_refused, DEV},
	{"a readable mapping may become writable",
	 readable_mappings_may_become_writable, DEV},
	{"mappings are counted as they split and go", mappings_are_counted,
	 DEV},
	{"unmapping a part keeps the rest", partial_unmap_keeps_the_rest, DEV},
	{"mremap moves a mapping", mremap_moves, DEV},
	{"mremap grows a mapping, SIGBUS only beyond the region", mremap_grows,
	 DEV},
	{"mremap makes a second mapping", mremap_doubles, DEV},
	{"offsets of mappings are those of the region",
	 offsets_are_those_of_the_region, DEV},
	{"msync, madvise and mlock work", advice_and_locks_work, DEV},
	{"a mapping keeps no end of the pipe open", a_mapping_keeps_no_end_open,
	 DEV},
	{"the contents stay without files and mappings, and when caches are dropped",
	 contents_stay_without_files_and_mappings, DEV},
	{"pread and pwrite equal the mapping",
	 pread_and_pwrite_equal_the_mapping, DEV},
	{"read, write and lseek move on", read_write_and_lseek_move_on, DEV},
	{"a write at the end is short, beyond it ENOSPC",
	 the_end_of_the_region_is_enospc, DEV},
	{"size, mode and owner of a region are fixed", the_size_is_fixed, DEV},
	{"bad addresses are EFAULT", region_faults_are_efault, DEV},
	{"/proc/self/fd opens the region again", reopened_through_proc, DEV},
	{"bytes by descriptor are counted", bytes_by_descriptor_are_counted,
	 DEV},
	{"futex works between processes", futex_works_between_processes, DEV},
	{"a shared mutex and condition work", shared_mutex_and_condition_work,
	 DEV},
};

int main(void)
{
	return run_claims("region", claims, NR(claims));
}

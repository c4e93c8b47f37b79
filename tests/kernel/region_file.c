// SPDX-License-Identifier: GPL-2.0
/*
 * Regions that are files: on ipcdemofs, and without a name
 *
 * What any file in memory can do is asked of the kernel's own first: a file on
 * tmpfs, and one of memfd_create(2).  Each claim runs on all that it is for; the
 * line "# on ..." before a failure says which.
 */
#include "harness.h"

#include <linux/futex.h>
#include <linux/memfd.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define RW	 (PROT_READ | PROT_WRITE)
#define LARGE	 (2UL << 20)

/* Kinds of files. */
#define TMPFS	 0x1
#define MEMFD	 0x2
#define OUR_FILE 0x4
#define OUR_ANON 0x8
#define OUR_OWN	 (OUR_FILE | OUR_ANON)
#define ALL	 (TMPFS | MEMFD | OUR_FILE | OUR_ANON)

struct kind {
	const char *name;
	unsigned int bit;
	const char *path; /* NULL: it has none */
};

static char tmpfs_path[64], our_path[64], our_dir[64];

static const struct kind kinds[] = {
	{"tmpfs", TMPFS, tmpfs_path},
	{"memfd_create", MEMFD, NULL},
	{"ipcdemofs", OUR_FILE, our_path},
	{"IPCDEMO_IOC_REGION_MAKE", OUR_ANON, NULL},
};

/* The one that the claim is checked on now. */
static const struct kind *kind;

static int make_anonymous(__u64 length, __u32 flags)
{
	struct ipcdemo_region_make request = {
		.size = sizeof(request), .flags = flags, .length = length};
	int ctl = control(), fd, err;

	fd = ioctl(ctl, IPCDEMO_IOC_REGION_MAKE, &request);
	err = errno;
	close(ctl);
	errno = err;
	return fd;
}

/* A new, empty file of the kind. */
static int new_file(void)
{
	int fd;

	if (kind->path) {
		unlink(kind->path);
		fd = open(kind->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
			  0600);
	} else if (kind->bit == MEMFD) {
		fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	} else {
		fd = make_anonymous(0, O_CLOEXEC);
	}
	assert_int_not_equal(fd, -1);
	return fd;
}

static int new_file_of(off_t size)
{
	int fd = new_file();

	assert_ret(0, ftruncate(fd, size));
	return fd;
}

static void on_each(unsigned int bits, void (*check)(void))
{
	size_t i;

	for (i = 0; i < NR(kinds); i++) {
		if (!(bits & kinds[i].bit))
			continue;
		kind = &kinds[i];
		print_message("# on %s\n", kind->name);
		check();
		if (kind->path)
			unlink(kind->path);
	}
}

static off_t size_of(int fd)
{
	struct stat st;

	assert_ret(0, fstat(fd, &st));
	return st.st_size;
}

static char *map_of(int fd, size_t size)
{
	char *map = mmap(NULL, size, RW, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		fail_msg("mmap: %s", strerror(errno));
	return map;
}

static void unmap(void *map, size_t size)
{
	assert_ret(0, munmap(map, size));
}

static sigjmp_buf on_fault;

static void faulted(int sig)
{
	siglongjmp(on_fault, sig);
}

/* The signal that touching that byte gives, or 0. */
static int touch(const void *byte)
{
	struct sigaction act = {.sa_handler = faulted}, old;
	int sig;

	sigaction(SIGBUS, &act, &old);
	sig = sigsetjmp(on_fault, 1);
	if (!sig)
		*(volatile const char *)byte;
	sigaction(SIGBUS, &old, NULL);
	return sig;
}

static struct ipcdemo_region_stat stat_of(int fd)
{
	struct ipcdemo_region_stat stat = {.size = sizeof(stat)};

	assert_ret(0, ioctl(fd, IPCDEMO_IOC_REGION_STAT, &stat));
	return stat;
}

/* --- as files in memory are ------------------------------------------------------- */

static void check_bytes(void)
{
	char buf[300] = "";
	int fd = new_file();

	assert_ret(5, write(fd, "hello", 5));
	assert_ret(3, pwrite(fd, "xyz", 3, 100));
	assert_ret(103, size_of(fd));
	assert_ret(5, lseek(fd, 0, SEEK_CUR));
	assert_ret(103, pread(fd, buf, sizeof(buf), 0));
	assert_memory_equal(buf, "hello\0\0\0", 8);
	assert_memory_equal(buf + 97, "\0\0\0xyz", 6);
	assert_ret(0, pread(fd, buf, 1, 103));
	assert_ret(103, lseek(fd, 0, SEEK_END));
	assert_ret(0, fcntl(fd, F_SETFL, O_APPEND));
	assert_ret(0, lseek(fd, 0, SEEK_SET));
	assert_ret(2, write(fd, "ab", 2));
	assert_ret(105, size_of(fd));
	assert_ret(0, write(fd, "", 0));
	assert_errno(EFAULT, write(fd, nowhere(), 1));
	assert_ret(0, lseek(fd, 0, SEEK_SET));
	assert_errno(EFAULT, read(fd, nowhere(), 1));
	assert_ret(105, size_of(fd));
	assert_ret(0, fsync(fd));
	assert_errno(EINVAL, lseek(fd, -1, SEEK_SET));
	close(fd);
}

static void bytes_are_kept(void **state)
{
	(void)state;
	on_each(ALL, check_bytes);
}

static void check_size(void)
{
	int fd = new_file_of(3 * PAGE);
	char *map = map_of(fd, 8 * PAGE);

	memset(map, 'a', 3 * PAGE);
	assert_int_equal(touch(map + 3 * PAGE), SIGBUS);
	/* It grows: what is there stays, the rest is zero. */
	assert_ret(0, ftruncate(fd, 6 * PAGE));
	assert_int_equal(map[3 * PAGE - 1], 'a');
	assert_int_equal(map[3 * PAGE], 0);
	assert_int_equal(map[6 * PAGE - 1], 0);
	assert_int_equal(touch(map + 6 * PAGE), SIGBUS);
	/* It shrinks: what is cut off is gone, also from the mapping. */
	assert_ret(0, ftruncate(fd, PAGE + 100));
	assert_int_equal(map[PAGE + 99], 'a');
	assert_int_equal(map[PAGE + 100], 0);
	assert_int_equal(touch(map + 2 * PAGE), SIGBUS);
	assert_ret(0, ftruncate(fd, 3 * PAGE));
	assert_int_equal(map[2 * PAGE], 0);
	assert_errno(EINVAL, ftruncate(fd, -1));
	assert_ret(3 * PAGE, size_of(fd));
	unmap(map, 8 * PAGE);
	close(fd);
}

static void size_is_what_ftruncate_says(void **state)
{
	(void)state;
	on_each(ALL, check_size);
}

static void check_freed(void)
{
	int fd = new_file_of(10 * PAGE);
	char *map = map_of(fd, 10 * PAGE);

	memset(map, 1, 10 * PAGE);
	assert_int_equal(stat_of(fd).pages, 10);
	assert_ret(0, ftruncate(fd, 4 * PAGE));
	assert_int_equal(stat_of(fd).pages, 4);
	assert_int_equal(stat_of(fd).length, 4 * PAGE);
	assert_ret(0, ftruncate(fd, 0));
	assert_int_equal(stat_of(fd).pages, 0);
	unmap(map, 10 * PAGE);
	close(fd);
}

static void shrinking_frees_pages(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_freed);
}

static void check_mappings(void)
{
	int fd = new_file_of(2 * PAGE);
	char *map = map_of(fd, 2 * PAGE), *other = map_of(fd, 2 * PAGE);
	char *private, buf[4] = "";

	map[5] = 'x';
	assert_int_equal(other[5], 'x');
	assert_ret(4, pwrite(fd, "wxyz", 4, PAGE));
	assert_memory_equal(other + PAGE, "wxyz", 4);
	assert_ret(1, pread(fd, buf, 1, 5));
	assert_int_equal(buf[0], 'x');
	private = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(private, MAP_FAILED);
	private[5] = 'p';
	assert_int_equal(map[5], 'x');
	unmap(private, PAGE);
	unmap(map, 2 * PAGE);
	/* A mapping keeps the pages when nothing else does. */
	if (kind->path)
		assert_ret(0, unlink(kind->path));
	close(fd);
	assert_int_equal(other[5], 'x');
	unmap(other, 2 * PAGE);
}

static void mappings_show_the_file(void **state)
{
	(void)state;
	on_each(ALL, check_mappings);
}

static void check_modes(void)
{
	char path[64];
	int fd = new_file_of(PAGE), reader;
	char *map;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(reader, -1);
	assert_errno(EBADF, write(reader, "a", 1));
	assert_ptr_equal(mmap(NULL, PAGE, RW, MAP_SHARED, reader, 0),
			 MAP_FAILED);
	assert_int_equal(errno, EACCES);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, reader, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	assert_errno(EACCES, mprotect(map, PAGE, RW));
	assert_errno(EINVAL, ftruncate(reader, 0));
	unmap(map, PAGE);
	close(reader);
	close(fd);
}

static void who_may_only_read_can_only_read(void **state)
{
	(void)state;
	on_each(ALL, check_modes);
}

static void exec_is_refused_here(void)
{
	int fd = new_file_of(PAGE);

	assert_ptr_equal(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd,
			      0),
			 MAP_FAILED);
	assert_int_equal(errno, EPERM);
	close(fd);
}

static void nothing_is_executed(void **state)
{
	(void)state;
	on_each(OUR_OWN, exec_is_refused_here);
}

static void check_copies(void)
{
	enum { LEN = 5 * PAGE + 123 };
	static char was[LEN], is[LEN];
	/* The second takes the name away from the first. */
	int fd = new_file(), to = new_file_of(0), pipe_ends[2];
	off_t from = 0;
	loff_t at = 0;
	int file;

	fill_pattern(was, LEN, 7);
	assert_ret(LEN, pwrite(fd, was, LEN, 0));
	while (from < LEN)
		assert_true(sendfile(to, fd, &from, LEN - from) > 0);
	assert_ret(LEN, pread(to, is, LEN, 0));
	assert_memory_equal(was, is, LEN);

	assert_ret(0, pipe(pipe_ends));
	assert_ret(PAGE, splice(fd, &at, pipe_ends[1], NULL, PAGE, 0));
	at = 2 * PAGE;
	assert_ret(PAGE, splice(pipe_ends[0], NULL, to, &at, PAGE, 0));
	assert_ret(PAGE, pread(to, is, PAGE, 2 * PAGE));
	assert_memory_equal(was, is, PAGE);
	close(pipe_ends[0]);
	close(pipe_ends[1]);

	file = memfd_create("copy", MFD_CLOEXEC);
	from = 0;
	assert_ret(LEN, sendfile(file, fd, &from, LEN));
	assert_ret(LEN, pread(file, is, LEN, 0));
	assert_memory_equal(was, is, LEN);
	close(file);
	close(fd);
	close(to);
}

static void splice_and_sendfile_copy(void **state)
{
	(void)state;
	on_each(ALL, check_copies);
}

/* --- seals ------------------------------------------------------------------------ */

static int add_seals(int fd, unsigned int ours)
{
	struct ipcdemo_attr request = {.size = sizeof(request), .value = ours};
	int theirs = 0;

	if (kind->bit != MEMFD)
		return ioctl(fd, IPCDEMO_IOC_ADD_SEALS, &request);
	theirs |= ours & IPCDEMO_SEAL_SEAL ? F_SEAL_SEAL : 0;
	theirs |= ours & IPCDEMO_SEAL_SHRINK ? F_SEAL_SHRINK : 0;
	theirs |= ours & IPCDEMO_SEAL_GROW ? F_SEAL_GROW : 0;
	return fcntl(fd, F_ADD_SEALS, theirs);
}

static void check_seals(void)
{
	char buf[2 * PAGE] = "", path[64];
	int fd = new_file_of(2 * PAGE), reader;

	assert_ret(0, add_seals(fd, IPCDEMO_SEAL_GROW));
	assert_errno(EPERM, ftruncate(fd, 2 * PAGE + 1));
	assert_ret(0, ftruncate(fd, 2 * PAGE));
	assert_errno(EPERM, pwrite(fd, buf, 1, 2 * PAGE));
	assert_errno(EPERM, pwrite(fd, buf, 1, 20 * PAGE));
	assert_ret(100, pwrite(fd, buf, 100, 2 * PAGE - 100));
	assert_ret(PAGE, pwrite(fd, buf, 2 * PAGE, PAGE));
	assert_ret(2 * PAGE, size_of(fd));
	assert_ret(0, ftruncate(fd, PAGE));
	assert_ret(0, add_seals(fd, IPCDEMO_SEAL_SHRINK));
	assert_errno(EPERM, ftruncate(fd, PAGE - 1));
	assert_errno(EPERM, ftruncate(fd, PAGE + 1));
	assert_ret(10, pwrite(fd, buf, 10, 0));

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader = open(path, O_RDONLY | O_CLOEXEC);
	assert_errno(EPERM, add_seals(reader, IPCDEMO_SEAL_SEAL));
	close(reader);
	assert_ret(0, add_seals(fd, IPCDEMO_SEAL_SEAL));
	assert_errno(EPERM, add_seals(fd, IPCDEMO_SEAL_SHRINK));
	close(fd);
}

static void seals_hold(void **state)
{
	(void)state;
	on_each(MEMFD | OUR_OWN, check_seals);
}

static void check_seal_requests(void)
{
	struct ipcdemo_attr good = {.size = sizeof(good)}, bad;
	int fd = new_file_of(PAGE);

	assert_ret(0, ioctl(fd, IPCDEMO_IOC_GET_SEALS, &good));
	assert_int_equal(good.value, 0);
	assert_int_equal(good.id, stat_of(fd).id);
	bad = good;
	bad.value = 8;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_ADD_SEALS, &bad));
	bad.value = 1ULL << 32;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_ADD_SEALS, &bad));
	bad = good;
	bad.flags = 1;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_ADD_SEALS, &bad));
	bad = good;
	bad.pad = 1;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_GET_SEALS, &bad));
	bad = good;
	bad.id++;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_GET_SEALS, &bad));
	bad = good;
	bad.size--;
	assert_errno(EINVAL, ioctl(fd, IPCDEMO_IOC_GET_SEALS, &bad));
	assert_errno(EFAULT, ioctl(fd, IPCDEMO_IOC_ADD_SEALS, nowhere()));
	good.value = IPCDEMO_SEAL_GROW;
	assert_ret(0, ioctl(fd, IPCDEMO_IOC_ADD_SEALS, &good));
	good.value = IPCDEMO_SEAL_SHRINK;
	assert_ret(0, ioctl(fd, IPCDEMO_IOC_ADD_SEALS, &good));
	assert_int_equal(good.value, IPCDEMO_SEAL_GROW | IPCDEMO_SEAL_SHRINK);
	assert_int_equal(stat_of(fd).seals,
			 IPCDEMO_SEAL_GROW | IPCDEMO_SEAL_SHRINK);
	close(fd);
}

static void odd_seals_are_refused(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_seal_requests);
}

static void odd_requests_are_refused(void **state)
{
	struct ipcdemo_region_make good = {.size = sizeof(good)}, bad;
	struct ipcdemo_region_fd by_id = {.size = sizeof(by_id)};
	struct ipcdemo_pipe_stat pipe_stat = {.size = sizeof(pipe_stat)};
	int ctl = control(), fd, end;

	(void)state;
	bad = good;
	bad.flags = O_NONBLOCK;
	assert_errno(EINVAL, ioctl(ctl, IPCDEMO_IOC_REGION_MAKE, &bad));
	bad = good;
	bad.size--;
	assert_errno(EINVAL, ioctl(ctl, IPCDEMO_IOC_REGION_MAKE, &bad));
	bad = good;
	bad.length = 1ULL << 63;
	assert_errno(EFBIG, ioctl(ctl, IPCDEMO_IOC_REGION_MAKE, &bad));
	bad.length = ~0ULL;
	assert_errno(EFBIG, ioctl(ctl, IPCDEMO_IOC_REGION_MAKE, &bad));
	assert_errno(EFAULT, ioctl(ctl, IPCDEMO_IOC_REGION_MAKE, nowhere()));
	end = open_end(O_RDWR);
	assert_errno(EBADF, ioctl(end, IPCDEMO_IOC_REGION_MAKE, &good));
	close(end);

	fd = make_anonymous(PAGE, 0);
	assert_int_not_equal(fd, -1);
	assert_ret(0, fcntl(fd, F_GETFD));
	assert_ret(PAGE, size_of(fd));
	assert_errno(EBADF, ioctl(fd, IPCDEMO_IOC_REGION_MAKE, &good));
	assert_errno(ENOTTY, ioctl(fd, IPCDEMO_IOC_PIPE_STAT, &pipe_stat));
	/* It has no name to be opened by. */
	by_id.id = stat_of(fd).id;
	assert_errno(EINVAL, ioctl(ctl, IPCDEMO_IOC_REGION_FD, &by_id));
	close(fd);
	assert_errno(ENOENT, ioctl(ctl, IPCDEMO_IOC_REGION_FD, &by_id));
	close(ctl);
}

/* --- locks in it ------------------------------------------------------------------ */

enum { WORKERS = 3, TIMES = 300 };

/* What glibc lets processes share. */
struct locks {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	pthread_rwlock_t rwlock;
	pthread_barrier_t barrier;
	sem_t sem;
	long value, seen;
};

static void init_locks(struct locks *locks)
{
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;
	pthread_rwlockattr_t ra;
	pthread_barrierattr_t ba;

	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&ma, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&locks->mutex, &ma);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&locks->cond, &ca);
	pthread_rwlockattr_init(&ra);
	pthread_rwlockattr_setpshared(&ra, PTHREAD_PROCESS_SHARED);
	pthread_rwlock_init(&locks->rwlock, &ra);
	pthread_barrierattr_init(&ba);
	pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&locks->barrier, &ba, WORKERS);
	sem_init(&locks->sem, 1, 1);
}

/*
 * Each turn adds one under each of the locks in turn; every lock's counting
 * comes apart if two are inside at once.
 */
static int work(struct locks *locks)
{
	int i;

	for (i = 0; i < TIMES; i++) {
		pthread_mutex_lock(&locks->mutex);
		locks->value++;
		pthread_cond_signal(&locks->cond);
		pthread_mutex_unlock(&locks->mutex);
	}
	pthread_barrier_wait(&locks->barrier);
	if (locks->value != WORKERS * TIMES)
		return 1;
	pthread_barrier_wait(&locks->barrier);
	for (i = 0; i < TIMES; i++) {
		while (sem_wait(&locks->sem))
			;
		locks->value++;
		sem_post(&locks->sem);
	}
	pthread_barrier_wait(&locks->barrier);
	if (locks->value != 2 * WORKERS * TIMES)
		return 2;
	pthread_barrier_wait(&locks->barrier);
	for (i = 0; i < TIMES; i++) {
		pthread_rwlock_rdlock(&locks->rwlock);
		if (locks->value < 2 * WORKERS * TIMES)
			return 3;
		pthread_rwlock_unlock(&locks->rwlock);
		pthread_rwlock_wrlock(&locks->rwlock);
		locks->value++;
		pthread_rwlock_unlock(&locks->rwlock);
	}
	return 0;
}

static void check_locks(void)
{
	int fd = new_file_of(PAGE), i, status;
	struct locks *locks = (struct locks *)map_of(fd, PAGE);
	pid_t kids[WORKERS];

	init_locks(locks);
	for (i = 0; i < WORKERS; i++) {
		kids[i] = fork();
		if (kids[i])
			continue;
		/* At another address than here. */
		_exit(work((struct locks *)map_of(fd, 2 * PAGE)));
	}
	pthread_mutex_lock(&locks->mutex);
	while (locks->value < WORKERS * TIMES)
		pthread_cond_wait(&locks->cond, &locks->mutex);
	pthread_mutex_unlock(&locks->mutex);
	for (i = 0; i < WORKERS; i++) {
		assert_ret(kids[i], waitpid(kids[i], &status, 0));
		assert_int_equal(status, 0);
	}
	assert_int_equal(locks->value, 3 * WORKERS * TIMES);

	/* The owner dies: the next one is told. */
	kids[0] = fork();
	if (!kids[0])
		_exit(pthread_mutex_lock(&locks->mutex));
	assert_ret(kids[0], waitpid(kids[0], &status, 0));
	assert_int_equal(status, 0);
	assert_ret(EOWNERDEAD, pthread_mutex_lock(&locks->mutex));
	assert_ret(0, pthread_mutex_consistent(&locks->mutex));
	assert_ret(0, pthread_mutex_unlock(&locks->mutex));
	unmap(locks, PAGE);
	close(fd);
}

static void shared_locks_work(void **state)
{
	(void)state;
	on_each(ALL, check_locks);
}

/* --- what is shown ---------------------------------------------------------------- */

/* Copy the line of /proc/ipcdemo/region/ID that begins so; false: none does. */
static bool find_line(__u32 id, const char *begins, char *line, size_t room)
{
	char path[64];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/ipcdemo/region/%u", id);
	file = fopen(path, "r");
	assert_non_null(file);
	while (!found && fgets(line, room, file))
		found = !strncmp(line, begins, strlen(begins));
	fclose(file);
	return found;
}

static void assert_line(__u32 id, const char *text)
{
	char line[200], want[64];

	snprintf(want, sizeof(want), "%s\n", text);
	if (!find_line(id, want, line, sizeof(line)))
		fail_msg("/proc/ipcdemo/region/%u has no line '%s'", id, text);
}

static void check_pages_shown(void)
{
	int fd = new_file_of(100 * PAGE);
	char *map = map_of(fd, 100 * PAGE);
	__u32 id = stat_of(fd).id;
	char line[200], want[64];

	assert_line(id, "0 99 none");
	map[3 * PAGE] = 1;
	map[4 * PAGE] = 1;
	*(volatile char *)(map + 50 * PAGE);
	assert_line(id, "0 2 none");
	assert_line(id, "3 4 there");
	assert_line(id, "5 49 none");
	assert_line(id, "50 50 there");
	assert_line(id, "51 99 none");
	snprintf(want, sizeof(want), "3 write %d region_file ", getpid());
	assert_true(find_line(id, want, line, sizeof(line)));
	snprintf(want, sizeof(want), "50 read %d region_file ", getpid());
	assert_true(find_line(id, want, line, sizeof(line)));
	assert_line(id, "seals: -");
	unmap(map, 100 * PAGE);
	close(fd);
}

static void pages_and_faults_are_shown(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_pages_shown);
}

/* More faults than are remembered: the newest are. */
static void check_many_faults(void)
{
	enum { MANY = 200 };
	int fd = new_file_of(MANY * PAGE), i, lines = 0;
	char *map = map_of(fd, MANY * PAGE), line[200], path[64], want[64];
	__u32 id = stat_of(fd).id;
	FILE *file;

	for (i = 0; i < MANY; i++)
		map[i * PAGE] = 1;
	snprintf(want, sizeof(want), " write %d ", getpid());
	snprintf(path, sizeof(path), "/proc/ipcdemo/region/%u", id);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (!strstr(line, want))
			continue;
		/* The oldest of them first. */
		assert_int_equal(strtol(line, NULL, 10), MANY - 32 + lines);
		lines++;
	}
	fclose(file);
	assert_int_equal(lines, 32);
	unmap(map, MANY * PAGE);
	close(fd);
}

static void the_newest_faults_are_shown(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_many_faults);
}

static void ask_kernel(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	/* Not every kernel can be asked. */
	if (fd < 0)
		return;
	assert_ret(1, write(fd, "1", 1));
	close(fd);
}

/* Is memory free in pieces of 2 to the power of @order pages, or larger? */
static bool has_free_pieces(unsigned int order)
{
	FILE *file = fopen("/proc/buddyinfo", "r");
	char line[400], *at, *word;
	unsigned int i;
	bool has = false;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		/* Node 0, zone   Normal   17   4 ...: how many of each order */
		strtok_r(line, " ", &at);
		for (i = 0; i < 3; i++)
			strtok_r(NULL, " ", &at);
		for (i = 0; (word = strtok_r(NULL, " ", &at)); i++)
			has |= i >= order && atol(word) > 0;
	}
	fclose(file);
	return has;
}

/* Whether the page there came with others; not if memory is in small pieces. */
static void expect_large(__u32 id)
{
	char line[200];

	if (!find_line(id, "512 ", line, sizeof(line)) &&
	    !find_line(id, "0 1023 large", line, sizeof(line)))
		fail_msg("the page is not there");
	if (strstr(line, "large"))
		return;
	/* That of make check-debug always gives single ones. */
	assert_true(is_debug_kernel() || !has_free_pieces(10));
	print_message("# the kernel gave a single page\n");
}

static void check_large(void)
{
	int fd = new_file_of(2 * LARGE);
	char *map = map_of(fd, 2 * LARGE);
	__u32 id = stat_of(fd).id;
	size_t i;

	if (madvise(map, 2 * LARGE, MADV_HUGEPAGE)) {
		assert_int_equal(errno, EINVAL);
		print_message("# this kernel has no huge pages\n");
	} else {
		ask_kernel("/proc/sys/vm/drop_caches");
		ask_kernel("/proc/sys/vm/compact_memory");
		map[LARGE] = 1;
		expect_large(id);
	}
	for (i = 0; i < 2 * LARGE; i += PAGE)
		map[i] = i / PAGE;
	/* In the middle of a large one: that is split, or kept. */
	assert_ret(0, ftruncate(fd, LARGE + 100 * PAGE + 10));
	for (i = 0; i < LARGE + 100 * PAGE; i += PAGE)
		assert_int_equal(map[i], (char)(i / PAGE));
	assert_int_equal(touch(map + LARGE + 101 * PAGE), SIGBUS);
	assert_ret(0, ftruncate(fd, 2 * LARGE));
	assert_int_equal(map[LARGE + 101 * PAGE], 0);
	assert_int_equal(map[LARGE + 100 * PAGE + 10], 0);
	unmap(map, 2 * LARGE);
	close(fd);
}

static void large_folios_are_used_and_shown(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_large);
}

/* Bits of /proc/kpageflags. */
#define IS_DIRTY (1ULL << 4)

/* Of the page at that address; false: this kernel does not tell. */
static bool page_flags(const char *at, __u64 *flags)
{
	int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int all = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	__u64 entry = 0;
	bool told;

	told = map >= 0 && all >= 0 &&
	       pread(map, &entry, sizeof(entry),
		     (uintptr_t)at / PAGE * sizeof(entry)) == sizeof(entry) &&
	       entry >> 63 &&
	       pread(all, flags, sizeof(*flags),
		     (entry & ((1ULL << 55) - 1)) * sizeof(*flags)) ==
		       sizeof(*flags);
	close(map);
	close(all);
	return told;
}

/*
 * Pages that were there before, clean, as a read had made them, and pages that the
 * touch makes; one of each kind is only looked at first.
 */
static void check_changed(void)
{
	int fd = new_file_of(4 * PAGE);
	char *map = map_of(fd, 4 * PAGE), byte;
	__u64 flags;
	size_t i;

	assert_ret(1, pread(fd, &byte, 1, 0));
	assert_ret(1, pread(fd, &byte, 1, PAGE));
	for (i = 0; i < 4; i++) {
		if (i % 2)
			map[i * PAGE] = 1;
		else
			assert_int_equal(map[i * PAGE], 0);
		if (page_flags(map + i * PAGE, &flags))
			assert_true(flags & IS_DIRTY);
		else
			print_message("# this kernel does not tell flags\n");
		map[i * PAGE + 1] = i + 1;
	}
	ask_kernel("/proc/sys/vm/drop_caches");
	ask_kernel("/proc/sys/vm/compact_memory");
	unmap(map, 4 * PAGE);
	ask_kernel("/proc/sys/vm/drop_caches");
	map = map_of(fd, 4 * PAGE);
	for (i = 0; i < 4; i++)
		assert_int_equal(map[i * PAGE + 1], i + 1);
	unmap(map, 4 * PAGE);
	close(fd);
}

static void bytes_stored_in_a_mapping_are_kept(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_changed);
}

/* How many regions /proc/ipcdemo/regions has of that name. */
static int regions_shown(const char *name)
{
	char line[400], want[200];
	FILE *file = fopen("/proc/ipcdemo/regions", "r");
	int found = 0;

	assert_non_null(file);
	snprintf(want, sizeof(want), " %s ", name);
	while (fgets(line, sizeof(line), file))
		found += !!strstr(line, want);
	fclose(file);
	return found;
}

static void check_lifetime(void)
{
	char name[64];
	int fd = new_file_of(PAGE), ctl = control();
	char *map = map_of(fd, PAGE);
	struct ipcdemo_region_stat stat = stat_of(fd);

	if (kind->path)
		snprintf(name, sizeof(name), "/%s", strrchr(our_path, '/') + 1);
	else
		snprintf(name, sizeof(name), "ipcdemo-region:[%u]", stat.id);
	assert_int_equal(regions_shown(name), 1);
	assert_int_equal(stat.files, 1);
	assert_int_equal(stat.maps, 1);
	close(fd);
	if (kind->path)
		assert_ret(0, unlink(kind->path));
	stat.flags = 0;
	stat.seals = 0;
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_REGION_STAT, &stat));
	assert_int_equal(stat.files, 1);
	unmap(map, PAGE);
	stat.flags = 0;
	stat.seals = 0;
	assert_errno(ENOENT, ioctl(ctl, IPCDEMO_IOC_REGION_STAT, &stat));
	assert_int_equal(regions_shown(name), 0);
	close(ctl);
}

static void it_lives_as_long_as_it_is_used(void **state)
{
	(void)state;
	on_each(OUR_OWN, check_lifetime);
}

/* --- limits ----------------------------------------------------------------------- */

static void set_limit(const char *value)
{
	int fd = open("/sys/module/ipcdemo/parameters/user_region_pages",
		      O_WRONLY | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_ret(strlen(value), write(fd, value, strlen(value)));
	close(fd);
}

static long do_truncate(long fd, long size, long c)
{
	(void)c;
	return ftruncate(fd, size);
}

static long do_pwrite(long fd, long len, long at)
{
	static char buf[4 * PAGE];

	return pwrite(fd, buf, len, at);
}

/* As somebody without CAP_SYS_RESOURCE, who made the file. */
static long do_make(long b, long c, long d)
{
	(void)b;
	(void)c;
	(void)d;
	return make_anonymous(0, 0);
}

static void pages_are_limited(void **state)
{
	struct actor *user = new_actor();
	int fd, other;

	(void)state;
	assert_ret(0, does(user, do_uid, 65534, 0, 0).ret);
	fd = does(user, do_make, 0, 0, 0).ret;
	other = does(user, do_make, 0, 0, 0).ret;
	assert_true(fd >= 0 && other >= 0);
	set_limit("4");
	assert_ret(0, does(user, do_truncate, fd, 3 * PAGE, 0).ret);
	assert_int_equal(does(user, do_truncate, fd, 4 * PAGE + 1, 0).err,
			 EDQUOT);
	assert_ret(0, does(user, do_truncate, other, PAGE, 0).ret);
	assert_int_equal(does(user, do_truncate, other, PAGE + 1, 0).err,
			 EDQUOT);
	assert_int_equal(does(user, do_pwrite, other, 1, PAGE).err, EDQUOT);
	assert_ret(PAGE, does(user, do_pwrite, other, PAGE, 0).ret);
	/* What one gives back another can have. */
	assert_ret(0, does(user, do_truncate, fd, 2 * PAGE, 0).ret);
	assert_ret(10, does(user, do_pwrite, other, 10, PAGE + 5).ret);
	assert_int_equal(does(user, do_truncate, fd, 3 * PAGE, 0).err, EDQUOT);
	/* A closed file gives all of it back. */
	assert_ret(0, does(user, do_close, other, 0, 0).ret);
	assert_ret(0, does(user, do_truncate, fd, 4 * PAGE, 0).ret);
	set_limit("0");
	assert_ret(0, does(user, do_truncate, fd, 400 * PAGE, 0).ret);
	destroy(user);
}

static long do_limit(long pages, long c, long d)
{
	const struct rlimit limit = {pages * PAGE, pages * PAGE};

	(void)c;
	(void)d;
	return setrlimit(RLIMIT_FSIZE, &limit);
}

static void check_file_size_limit(void)
{
	int fd = new_file_of(PAGE);
	struct actor *actor = new_actor_with(fd);
	long sent = 0;

	assert_ret(0, does(actor, do_catch, SIGXFSZ, SA_RESTART, 0).ret);
	assert_ret(0, does(actor, do_limit, 3, 0, 0).ret);
	assert_ret(0, does(actor, do_truncate, fd, 3 * PAGE, 0).ret);
	assert_int_equal(does(actor, do_truncate, fd, 3 * PAGE + 1, 0).err,
			 EFBIG);
	assert_ret(++sent, does(actor, do_count, SIGXFSZ, 0, 0).ret);
	assert_int_equal(size_of(fd), 3 * PAGE);
	/* A write goes as far as it may, and beyond it is refused. */
	assert_ret(10, does(actor, do_pwrite, fd, 20, 3 * PAGE - 10).ret);
	assert_int_equal(does(actor, do_pwrite, fd, 1, 3 * PAGE).err, EFBIG);
	assert_ret(++sent, does(actor, do_count, SIGXFSZ, 0, 0).ret);
	assert_int_equal(size_of(fd), 3 * PAGE);
	/* Who has no such limit makes it longer; to make it shorter needs none. */
	assert_ret(0, ftruncate(fd, 5 * PAGE));
	assert_ret(0, does(actor, do_truncate, fd, 4 * PAGE, 0).ret);
	assert_ret(sent, does(actor, do_count, SIGXFSZ, 0, 0).ret);
	destroy(actor);
	close(fd);
}

static long do_make_of(long pages, long c, long d)
{
	(void)c;
	(void)d;
	return make_anonymous(pages * PAGE, 0);
}

static void the_size_of_files_is_limited(void **state)
{
	struct actor *actor = new_actor();

	(void)state;
	on_each(ALL, check_file_size_limit);
	assert_ret(0, does(actor, do_catch, SIGXFSZ, SA_RESTART, 0).ret);
	assert_ret(0, does(actor, do_limit, 3, 0, 0).ret);
	assert_int_equal(does(actor, do_make_of, 4, 0, 0).err, EFBIG);
	assert_ret(1, does(actor, do_count, SIGXFSZ, 0, 0).ret);
	assert_true(does(actor, do_make_of, 3, 0, 0).ret >= 0);
	destroy(actor);
}

/* A folio that stays whole, for a pipe has a page of it, stays charged. */
static long do_keep_large(long b, long c, long d)
{
	struct ipcdemo_region_stat stat = {.size = sizeof(stat)};
	struct iovec part = {.iov_len = PAGE};
	int fd = make_anonymous(LARGE, 0), ends[2];
	char *map;

	(void)b;
	(void)c;
	(void)d;
	if (fd < 0)
		return -1;
	map = map_of(fd, LARGE);
	if (madvise(map, LARGE, MADV_HUGEPAGE) || pipe(ends))
		return -1;
	memset(map, 1, LARGE);
	part.iov_base = map;
	if (vmsplice(ends[1], &part, 1, 0) != PAGE || ftruncate(fd, PAGE) ||
	    ioctl(fd, IPCDEMO_IOC_REGION_STAT, &stat))
		return -1;
	munmap(map, LARGE);
	close(ends[0]);
	close(ends[1]);
	return stat.pages;
}

static void pages_that_stay_are_charged(void **state)
{
	struct actor *user = new_actor();
	long pages;

	(void)state;
	assert_ret(0, does(user, do_uid, 65534, 0, 0).ret);
	set_limit("1000");
	pages = does(user, do_keep_large, 0, 0, 0).ret;
	assert_true(pages >= 1);
	if (pages == 1)
		print_message("# it could be split\n");
	/* A second one fits only if the first gave its pages up. */
	if (pages == 512)
		assert_ret(-1, does(user, do_keep_large, 0, 0, 0).ret);
	destroy(user);
}

/* As a 32-bit program: int $0x80 does not set O_LARGEFILE. */
static void an_open_that_fails_is_not_counted(void **state)
{
	int fd = make_anonymous(3ULL << 30, O_CLOEXEC);
	char *path = mmap(NULL, PAGE, RW,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long ret;

	(void)state;
	assert_ptr_not_equal(path, MAP_FAILED);
	snprintf(path, PAGE, "/proc/self/fd/%d", fd);
	asm volatile("int $0x80"
		     : "=a"(ret)
		     : "a"(5), "b"(path), "c"(O_RDWR), "d"(0)
		     : "memory", "r8", "r9", "r10", "r11");
	assert_int_equal(ret, -EOVERFLOW);
	assert_int_equal(stat_of(fd).files, 1);
	unmap(path, PAGE);
	close(fd);
}

/* --- */

static void restore_limit(void)
{
	set_limit("0");
}

static const struct claim claims[] = {
	{"bytes written are bytes read", bytes_are_kept, DEV},
	{"the size is what ftruncate says, SIGBUS beyond it",
	 size_is_what_ftruncate_says, DEV},
	{"shrinking frees pages", shrinking_frees_pages, DEV},
	{"mappings show the file, a private one its own copy",
	 mappings_show_the_file, DEV},
	{"who may only read can only read", who_may_only_read_can_only_read,
	 DEV},
	{"nothing of it is executed", nothing_is_executed, DEV},
	{"splice and sendfile copy", splice_and_sendfile_copy, DEV},
	{"seals hold", seals_hold, DEV},
	{"odd seals are refused", odd_seals_are_refused, DEV},
	{"odd requests are refused", odd_requests_are_refused, DEV},
	{"mutex, condition, semaphore, rwlock and barrier work between processes",
	 shared_locks_work, DEV},
	{"pages and faults are shown", pages_and_faults_are_shown, DEV},
	{"the newest faults are shown", the_newest_faults_are_shown, DEV},
	{"large folios are used, and shown", large_folios_are_used_and_shown,
	 DEV},
	{"a region lives as long as it is used", it_lives_as_long_as_it_is_used,
	 DEV},
	{"the pages of a user are limited", pages_are_limited, DEV},
	{"pages that stay after shrinking are charged",
	 pages_that_stay_are_charged, DEV},
	{"the size of files is limited, RLIMIT_FSIZE",
	 the_size_of_files_is_limited, DEV},
	{"bytes stored in a mapping are kept",
	 bytes_stored_in_a_mapping_are_kept, DEV},
	{"an open that fails is not counted", an_open_that_fails_is_not_counted,
	 DEV},
};

int main(void)
{
	char dir[] = "/tmp/ipcdemo-region.XXXXXX";
	int failed;

	if (!mkdtemp(dir))
		return 1;
	snprintf(our_dir, sizeof(our_dir), "%s/ours", dir);
	snprintf(our_path, sizeof(our_path), "%s/ours/region", dir);
	snprintf(tmpfs_path, sizeof(tmpfs_path), "%s/file", dir);
	if (mkdir(our_dir, 0700) ||
	    mount("none", our_dir, "ipcdemofs", 0, NULL))
		return 1;
	after_each = restore_limit;
	failed = run_claims("region_file", claims, NR(claims));
	/* A claim that failed may have left something open in it. */
	umount2(our_dir, MNT_DETACH);
	rmdir(our_dir);
	rmdir(dir);
	return failed;
}

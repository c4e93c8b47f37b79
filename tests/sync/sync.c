// SPDX-License-Identifier: GPL-2.0
#include "sync.h"

#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define MAX_KIDS     256
#define MAX_SHARED   16
#define MAX_TESTS    256
#define TEST_SECONDS 250

const struct kind *kind;
const struct timespec past = {.tv_sec = 1};

static const struct kind kinds[] = {
#ifndef THREADS
	/* The sanitizer of threads does not know all of its calls */
	{.name = "POSIX", .posix = true},
#endif
	{.name = "memfd_create"},
	{.name = "tmpfs"},
#ifdef ON_MODULE
	{.name = "ipcdemofs", .module = true},
	{.name = "IPCDEMO_IOC_REGION_MAKE", .module = true},
#endif
};

static char our_dir[64];
static pid_t kids[MAX_KIDS];
static size_t nkids;
static struct {
	void *at;
	size_t size;
} shares[MAX_SHARED];
static size_t nshares;

/* How long a test may take. */
static unsigned int test_seconds(void)
{
	const char *seconds = getenv("IPCDEMO_TEST_SECONDS");

	return seconds ? atoi(seconds) : TEST_SECONDS;
}

long patience_ms(void)
{
	const char *ms = getenv("IPCDEMO_PATIENCE");

	return ms ? atol(ms) : 60000;
}

uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

void breathe(void)
{
	static const struct timespec breath = {.tv_nsec = 300000};

	nanosleep(&breath, NULL);
}

struct timespec in_ms(clockid_t clock, long ms)
{
	struct timespec at;

	clock_gettime(clock, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += ms % 1000 * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

void assert_ret_(long want, long got, const char *call, const char *file,
		 int line)
{
	if (want == got)
		return;
	print_error("%s is %ld%s%s and not %ld\n", call, got,
		    got < 0 ? " " : "", got < 0 ? strerror(-got) : "", want);
	_fail(file, line);
}

void require_(bool holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	fprintf(stderr, "# %s:%d: does not hold: %s\n", file, line, what);
	_exit(1);
}

/* A file without a name left. */
static int file_in(const char *dir)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/ipcdemo-test.XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

void make_dir(char *path, size_t size)
{
	bool ours = !strcmp(kind->name, "ipcdemofs");

	snprintf(path, size, "%s/dir.XXXXXX", ours ? our_dir : "/dev/shm");
	assert_non_null(mkdtemp(path));
}

int new_file(uint64_t size)
{
	struct ipcdemo_region *region;
	int fd;

	if (kind->posix || !strcmp(kind->name, "memfd_create")) {
		fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	} else if (!strcmp(kind->name, "tmpfs")) {
		fd = file_in("/dev/shm");
	} else if (!strcmp(kind->name, "ipcdemofs")) {
		fd = file_in(our_dir);
	} else {
		assert_ret(0, ipcdemo_region_anonymous(size ?: 1, 0, &region));
		fd = dup(ipcdemo_region_descriptor(region));
		ipcdemo_region_close(region);
	}
	if (fd < 0 || ftruncate(fd, size))
		fail_msg("no file of %s: %s", kind->name, strerror(errno));
	return fd;
}

struct ipcdemo_region *new_region(uint64_t size)
{
	struct ipcdemo_region *region;
	int fd = new_file(size);

	assert_ret(0, ipcdemo_region_from_fd(fd, 0, &region));
	close(fd);
	assert_int_equal(kind->module, ipcdemo_region_by_module(region));
	return region;
}

struct ipcdemo_region *again(const struct ipcdemo_region *region)
{
	struct ipcdemo_region *other;

	assert_ret(0, ipcdemo_region_from_fd(ipcdemo_region_descriptor(region),
					     0, &other));
	return other;
}

void *shared(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(at, MAP_FAILED);
	assert_true(nshares < MAX_SHARED);
	shares[nshares].at = at;
	shares[nshares++].size = size;
	return at;
}

pid_t child(void (*what)(void *), void *with)
{
	pid_t pid;

	assert_true(nkids < MAX_KIDS);
	fflush(NULL);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (!pid) {
		alarm(test_seconds());
		what(with);
		_exit(0);
	}
	kids[nkids++] = pid;
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	eventually(waitpid(pid, &status, WNOHANG) == pid);
	for (size_t i = 0; i < nkids; i++)
		if (kids[i] == pid)
			kids[i] = kids[--nkids];
	return status;
}

void join(pid_t pid)
{
	int status = status_of(pid);

	if (WIFSIGNALED(status))
		fail_msg("a child died of signal %d", WTERMSIG(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

void dies(pid_t pid, int sig)
{
	int status = status_of(pid);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), sig);
}

void kills(pid_t pid)
{
	kill(pid, SIGKILL);
	dies(pid, SIGKILL);
}

void ends(pid_t pid)
{
	kill(pid, SIGKILL);
	status_of(pid);
}

/* What /proc has to say about a thread in that file. */
static void read_proc(pid_t tid, const char *name, char *buf, size_t size)
{
	char path[64];
	ssize_t len = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, buf, size - 1);
		close(fd);
	}
	buf[len > 0 ? len : 0] = '\0';
}

bool is_asleep(pid_t tid)
{
	long in = kind->module ? SYS_ioctl : SYS_futex;
	char where[256], state[512], *stop;
	const char *after;

	read_proc(tid, "syscall", where, sizeof(where));
	read_proc(tid, "stat", state, sizeof(state));
	after = strrchr(state, ')');
	return after && after[2] == 'S' && strtol(where, &stop, 10) == in &&
	       stop != where;
}

void sleeps(pid_t tid)
{
	eventually(is_asleep(tid));
}

static int clean_up(void **state)
{
	(void)state;
	while (nkids) {
		kill(kids[--nkids], SIGKILL);
		waitpid(kids[nkids], NULL, 0);
	}
	while (nshares) {
		nshares--;
		munmap(shares[nshares].at, shares[nshares].size);
	}
	return 0;
}

/* What a test is run with. */
struct run {
	const struct kind *kind;
	const struct claim *claim;
};

static bool is_for(const struct claim *claim, const struct kind *of)
{
	if (of->posix)
		return claim->of == AND_POSIX || claim->of == ROBUST;
	return of->module || claim->of == OURS || claim->of == AND_POSIX;
}

static void run_one(void **state)
{
	const struct run *run = *state;

	kind = run->kind;
	alarm(test_seconds());
	run->claim->check();
	alarm(0);
}

int run_claims(const char *group, const struct claim *claims, size_t count)
{
	const char *only = getenv("IPCDEMO_CLAIM");
	static struct CMUnitTest tests[MAX_TESTS];
	static struct run runs[MAX_TESTS];
	static char names[MAX_TESTS][192];
	size_t i, k, n = 0;
	int failed;

	for (i = 0; i < count; i++) {
		for (k = 0; k < NR(kinds); k++) {
			if (!is_for(&claims[i], &kinds[k]))
				continue;
			if (n == MAX_TESTS)
				return 1;
			snprintf(names[n], sizeof(names[n]), "%s: %s",
				 kinds[k].name, claims[i].sentence);
			if (only && !strstr(names[n], only))
				continue;
			runs[n] = (struct run){&kinds[k], &claims[i]};
			tests[n] = (struct CMUnitTest){
				.name = names[n],
				.test_func = run_one,
				.teardown_func = clean_up,
				.initial_state = &runs[n],
			};
			n++;
		}
	}
#ifdef ON_MODULE
	strcpy(our_dir, "/tmp/ipcdemo-sync.XXXXXX");
	if (!mkdtemp(our_dir) || mount("none", our_dir, "ipcdemofs", 0, NULL))
		return 1;
#endif
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = _cmocka_run_group_tests(group, tests, n, NULL, NULL);
#ifdef ON_MODULE
	/* A claim that failed has left files open there. */
	umount2(our_dir, MNT_DETACH);
	rmdir(our_dir);
#endif
	return failed;
}

// SPDX-License-Identifier: GPL-2.0
/* Claims, targets and actors: see harness.h. */
#include "harness.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <linux/close_range.h>
#include <linux/magic.h>

#define MAX_CHILDREN 64
#define TEST_SECONDS (90 * slowness())
#define BUFFER	     (2 << 20)

const struct target *target;
unsigned int second;
__u32 actor_note;

static char fifo_path[64], our_dir[64], our_path[80], pipe_path[64];
static struct target targets[] = {
	{"fifo", FIFO, fifo_path},	   {"pipe", PIPE, pipe_path},
	{"ipcdemo", DEV, DEVICE},	   {"anonymous", ANON, pipe_path},
	{"ipcdemofs", OUR_FIFO, our_path},
};

void (*after_each)(void);

/* What a test is run with. */
struct run {
	const struct target *target;
	unsigned int second;
};

static struct actor actors[MAX_CHILDREN];
static pid_t children[MAX_CHILDREN];
static int nr_children;
static unsigned char buffer[BUFFER];
static sig_atomic_t caught[65];

/*
 * The differences.  A value is an errno (0: the call succeeds), a file type, a
 * truth, or UNSPECIFIED where kernels differ among themselves.
 */
static const struct {
	long pipe, device, ours; /* the kernel's, the device, our others */
	const char *reason;
} differences[NR_DIFFERENCES] = {
	[DIFF_MMAP_ERRNO] = {ENODEV, 0, ENODEV,
			     "mmap of the device is the default region"},
	[DIFF_FALLOCATE_ERRNO] = {ESPIPE, ENODEV, ESPIPE,
				  "the VFS knows pipes by their file type"},
	[DIFF_FADVISE_ERRNO] = {ESPIPE, 0, ESPIPE,
				"the VFS knows pipes by their file type"},
	[DIFF_O_DIRECT_ERRNO] = {0, EINVAL, 0,
				 "the VFS lets only FIFOs set O_DIRECT"},
	[DIFF_SETPIPE_SZ_ERRNO] = {0, EBADF, EBADF,
				   "the fcntl is for the kernel's own pipes"},
	[DIFF_FAULT_LEAVES_SLOT] = {UNSPECIFIED, false, false,
				    "some publish before they fill"},
	[DIFF_FILE_TYPE] = {S_IFIFO, S_IFCHR, S_IFIFO,
			    "it is a character device"},
};

long expected(enum difference what)
{
	assert_non_null(differences[what].reason);
	if (!(target->bit & OURS))
		return differences[what].pipe;
	return target->bit == DEV ? differences[what].device
				  : differences[what].ours;
}

/* --- time --------------------------------------------------------------------- */

__u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (__u64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int slowness(void)
{
	static int known;

	if (!known)
		known = access("/sys/kernel/debug/kmemleak", F_OK) ? 1 : 4;
	return known;
}

void *nowhere(void)
{
	return (void *)8;
}

void breathe(void)
{
	static const struct timespec breath = {.tv_nsec = 300000};

	nanosleep(&breath, NULL);
}

/* --- assertions --------------------------------------------------------------- */

void assert_ret_(long want, long got, const char *call, const char *file,
		 int line)
{
	int err = errno;

	if (got == want)
		return;
	if (got == -1)
		print_error("# %s: -1 (%s) and not %ld\n", call, strerror(err),
			    want);
	else
		print_error("# %s: %ld and not %ld\n", call, got, want);
	_fail(file, line);
}

void assert_errno_(int want, long got, const char *call, const char *file,
		   int line)
{
	int err = errno;

	if (got == -1 && err == want)
		return;
	if (got == -1)
		print_error("# %s: %s", call, strerror(err));
	else
		print_error("# %s: %ld", call, got);
	print_error(" and not %s\n", strerror(want));
	_fail(file, line);
}

/* --- ends --------------------------------------------------------------------- */

int open_end(int flags)
{
	return open(target->path, flags | O_CLOEXEC);
}

void reopen_by(int fd)
{
	snprintf(pipe_path, sizeof(pipe_path), "/proc/%d/fd/%d", getpid(), fd);
}

static int make_ours(int fds[2])
{
	struct ipcdemo_pipe_make make = {
		.size = sizeof(make),
		.flags = O_CLOEXEC,
		.fds = (uintptr_t)fds,
	};
	int ctl = control(), ret;

	ret = ioctl(ctl, IPCDEMO_IOC_PIPE, &make);
	close(ctl);
	return ret;
}

void nonblocking(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	assert_int_not_equal(flags, -1);
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	assert_ret(0, fcntl(fd, F_SETFL, flags));
}

static struct ends make_pipe(unsigned int bit)
{
	int fds[2];

	assert_ret(0, bit == PIPE ? pipe2(fds, O_CLOEXEC) : make_ours(fds));
	return (struct ends){fds[0], fds[1]};
}

struct ends second_pipe(void)
{
	return make_pipe(second & ~BY_KERNEL);
}

struct ends open_ends(int flags)
{
	struct ends e;

	if (target->bit & (PIPE | ANON)) {
		e = make_pipe(target->bit);
		reopen_by(e.r);
	} else {
		e.r = open_end(O_RDONLY | O_NONBLOCK);
		assert_int_not_equal(e.r, -1);
		e.w = open_end(O_WRONLY);
		assert_int_not_equal(e.w, -1);
	}
	nonblocking(e.r, flags & O_NONBLOCK);
	nonblocking(e.w, flags & O_NONBLOCK);
	return e;
}

long set_capacity(int fd, unsigned long long bytes)
{
	struct ipcdemo_attr attr = {.size = sizeof(attr), .value = bytes};

	if (!(target->bit & OURS)) {
		/* What does not fit the fcntl's argument is above 2^31 too. */
		if (bytes > UINT32_MAX)
			bytes = UINT32_MAX;
		return fcntl(fd, F_SETPIPE_SZ, (unsigned int)bytes);
	}
	if (ioctl(fd, IPCDEMO_IOC_SET_CAPACITY, &attr) < 0)
		return -1;
	return attr.value;
}

long get_capacity(int fd)
{
	struct ipcdemo_attr attr = {.size = sizeof(attr)};

	if (!(target->bit & OURS))
		return fcntl(fd, F_GETPIPE_SZ);
	if (ioctl(fd, IPCDEMO_IOC_GET_CAPACITY, &attr) < 0)
		return -1;
	return attr.value;
}

int bytes_in(int fd)
{
	int bytes = -2;

	if (ioctl(fd, FIONREAD, &bytes) < 0)
		return -1;
	return bytes;
}

int poll_now(int fd, int events)
{
	struct pollfd pfd = {.fd = fd, .events = events};

	assert_int_not_equal(poll(&pfd, 1, 0), -1);
	return pfd.revents;
}

/* --- bytes -------------------------------------------------------------------- */

static unsigned char pattern(size_t i, unsigned int seed)
{
	return seed + i * 7 + (i >> 8);
}

void fill_pattern(void *buf, size_t len, unsigned int seed)
{
	unsigned char *byte = buf;
	size_t i;

	for (i = 0; i < len; i++)
		byte[i] = pattern(i, seed);
}

#define SUM_START 2166136261u

static __u32 sum_add(__u32 sum, unsigned char byte)
{
	return (sum ^ byte) * 16777619;
}

__u32 sum_of(const void *buf, size_t len)
{
	const unsigned char *byte = buf;
	__u32 sum = SUM_START;

	while (len--)
		sum = sum_add(sum, *byte++);
	return sum;
}

__u32 sum_of_pattern(size_t len, unsigned int seed)
{
	__u32 sum = SUM_START;
	size_t i;

	for (i = 0; i < len; i++)
		sum = sum_add(sum, pattern(i, seed));
	return sum;
}

ssize_t put(int fd, size_t len, unsigned int seed)
{
	assert_true(len <= BUFFER);
	fill_pattern(buffer, len, seed);
	return write(fd, buffer, len);
}

ssize_t get(int fd, size_t len, __u32 *sum)
{
	ssize_t ret;

	assert_true(len <= BUFFER);
	ret = read(fd, buffer, len);
	if (sum && ret >= 0)
		*sum = sum_of(buffer, ret);
	return ret;
}

size_t fill_up(int fd, size_t chunk)
{
	size_t sum = 0;
	ssize_t ret;

	while ((ret = put(fd, chunk, sum)) > 0)
		sum += ret;
	assert_errno(EAGAIN, ret);
	return sum;
}

size_t drain(int fd)
{
	size_t sum = 0;
	ssize_t ret;

	while ((ret = read(fd, buffer, BUFFER)) > 0)
		sum += ret;
	if (ret)
		assert_errno(EAGAIN, ret);
	return sum;
}

/* --- actors ------------------------------------------------------------------- */

struct order {
	action what;
	long a, b, c;
};

static void note_signal(int sig)
{
	caught[sig]++;
}

long do_open(long flags, long b, long c)
{
	(void)b;
	(void)c;
	return open(target->path, flags | O_CLOEXEC);
}

long do_close(long fd, long b, long c)
{
	(void)b;
	(void)c;
	return close(fd);
}

long do_read(long fd, long len, long c)
{
	ssize_t ret = read(fd, buffer, len);

	(void)c;
	if (ret >= 0)
		actor_note = sum_of(buffer, ret);
	return ret;
}

long do_write(long fd, long len, long seed)
{
	fill_pattern(buffer, len, seed);
	return write(fd, buffer, len);
}

long do_poll(long fd, long events, long ms)
{
	struct pollfd pfd = {.fd = fd, .events = events};

	if (poll(&pfd, 1, ms) < 0)
		return -1;
	return pfd.revents;
}

long do_catch(long sig, long flags, long c)
{
	struct sigaction act = {.sa_handler = note_signal, .sa_flags = flags};

	(void)c;
	caught[sig] = 0;
	return sigaction(sig, &act, NULL);
}

long do_count(long sig, long b, long c)
{
	(void)b;
	(void)c;
	return caught[sig];
}

long do_uid(long uid, long b, long c)
{
	(void)b;
	(void)c;
	if (setgid(uid))
		return -1;
	return setuid(uid);
}

static void act(int sock)
{
	struct order order;

	while (recv(sock, &order, sizeof(order), 0) == sizeof(order)) {
		struct reply reply = {};

		actor_note = 0;
		errno = 0;
		reply.ret = order.what(order.a, order.b, order.c);
		reply.err = reply.ret == -1 ? errno : 0;
		reply.sum = actor_note;
		if (send(sock, &reply, sizeof(reply), MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

/* Closes all but those three (a number below 3 is open in any case). */
static void close_others(int a, int b, int c)
{
	int keep[] = {a, b, c}, from = 3;
	size_t i, j;

	for (i = 0; i < NR(keep); i++) {
		for (j = i + 1; j < NR(keep); j++) {
			if (keep[j] < keep[i]) {
				int other = keep[i];

				keep[i] = keep[j];
				keep[j] = other;
			}
		}
		if (keep[i] > from)
			syscall(SYS_close_range, from, keep[i] - 1, 0);
		if (keep[i] >= from)
			from = keep[i] + 1;
	}
	syscall(SYS_close_range, from, ~0u, 0);
}

struct actor *new_actor_with_both(int fd, int other)
{
	pid_t parent = getpid();
	struct actor *actor;
	int socks[2];

	for (actor = actors; actor->pid; actor++)
		assert_true(actor < actors + MAX_CHILDREN - 1);
	assert_ret(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
				 socks));
	actor->busy = false;
	actor->sock = socks[0];
	actor->pid = fork();
	assert_int_not_equal(actor->pid, -1);
	if (!actor->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		signal(SIGALRM, SIG_DFL);
		signal(SIGPIPE, SIG_IGN);
		close_others(socks[1], fd, other);
		act(socks[1]);
	}
	close(socks[1]);
	return actor;
}

struct actor *new_actor_with(int fd)
{
	return new_actor_with_both(fd, 2);
}

struct actor *new_actor(void)
{
	return new_actor_with(2);
}

void begin(struct actor *actor, action what, long a, long b, long c)
{
	struct order order = {what, a, b, c};

	assert_false(actor->busy);
	assert_ret(sizeof(order),
		   send(actor->sock, &order, sizeof(order), MSG_NOSIGNAL));
	actor->busy = true;
}

bool is_done(struct actor *actor)
{
	struct pollfd pfd = {.fd = actor->sock, .events = POLLIN};

	return poll(&pfd, 1, 0) == 1;
}

struct reply end(struct actor *actor)
{
	struct pollfd pfd = {.fd = actor->sock, .events = POLLIN};
	struct reply reply = {};

	assert_true(actor->busy);
	if (poll(&pfd, 1, PATIENCE_MS) != 1)
		fail_msg("process %d does not finish", actor->pid);
	if (recv(actor->sock, &reply, sizeof(reply), 0) != sizeof(reply))
		fail_msg("process %d died", actor->pid);
	actor->busy = false;
	errno = reply.err;
	return reply;
}

struct reply does(struct actor *actor, action what, long a, long b, long c)
{
	begin(actor, what, a, b, c);
	return end(actor);
}

/* Reads a small file of /proc/PID; an empty string if it is gone. */
static void read_proc(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	ssize_t len = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, text, size - 1);
		close(fd);
	}
	text[len > 0 ? len : 0] = '\0';
}

bool waits(struct actor *actor, long syscall_nr)
{
	__u64 until = now_ms() + PATIENCE_MS;
	char state[512], where[256];
	const char *after;
	char *stop;

	do {
		if (is_done(actor))
			return false;
		read_proc(actor->pid, "syscall", where, sizeof(where));
		read_proc(actor->pid, "stat", state, sizeof(state));
		after = strrchr(state, ')');
		if (after && after[2] == 'S' &&
		    strtol(where, &stop, 10) == syscall_nr && stop != where)
			return true;
		breathe();
	} while (now_ms() < until);
	fail_msg("process %d does not sleep in system call %ld but: %s",
		 actor->pid, syscall_nr, where);
	return false;
}

void sleeps_in(struct actor *actor, long syscall_nr)
{
	struct reply reply;

	if (waits(actor, syscall_nr))
		return;
	reply = end(actor);
	fail_msg("process %d returned %ld (%s) and did not wait", actor->pid,
		 reply.ret, strerror(reply.err));
}

unsigned long sleeps_of(struct actor *actor)
{
	char status[4096], *line;

	read_proc(actor->pid, "status", status, sizeof(status));
	line = strstr(status, "\nvoluntary_ctxt_switches:");
	assert_non_null(line);
	return strtoul(strchr(line, ':') + 1, NULL, 10);
}

void destroy(struct actor *actor)
{
	if (actor->pid > 0) {
		kill(actor->pid, SIGKILL);
		waitpid(actor->pid, NULL, 0);
		close(actor->sock);
	}
	actor->pid = 0;
}

int dies_of(struct actor *actor)
{
	__u64 until = now_ms() + PATIENCE_MS;
	int status;

	while (waitpid(actor->pid, &status, WNOHANG) != actor->pid) {
		if (now_ms() > until)
			fail_msg("process %d does not die", actor->pid);
		breathe();
	}
	actor->pid = 0;
	close(actor->sock);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

void reap_later(pid_t pid)
{
	assert_true(nr_children < MAX_CHILDREN);
	children[nr_children++] = pid;
}

static void end_all(void)
{
	size_t i;

	for (i = 0; i < NR(actors); i++)
		destroy(&actors[i]);
	while (nr_children) {
		kill(children[--nr_children], SIGKILL);
		waitpid(children[nr_children], NULL, 0);
	}
}

/* --- the module ------------------------------------------------------------- */

int control(void)
{
	int fd = open(DEVICE, IPCDEMO_O_CONTROL | O_CLOEXEC);

	if (fd < 0)
		fail_msg("%s: %s: is the module loaded?", DEVICE,
			 strerror(errno));
	return fd;
}

struct ipcdemo_pipe_stat pipe_stat(void)
{
	struct ipcdemo_pipe_stat stat = {.size = sizeof(stat)};
	int fd = control();

	assert_ret(0, ioctl(fd, IPCDEMO_IOC_PIPE_STAT, &stat));
	close(fd);
	return stat;
}

struct ipcdemo_region_stat region_stat(void)
{
	struct ipcdemo_region_stat stat = {.size = sizeof(stat)};
	int fd = control();

	assert_ret(0, ioctl(fd, IPCDEMO_IOC_REGION_STAT, &stat));
	close(fd);
	return stat;
}

/* The number at the end of the line that begins so, behind line @after. */
static __u64 find_value(const char *kind, const char *after, const char *first)
{
	char path[64], line[256];
	bool behind = !after;
	__u64 value = 0;
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/ipcdemo/%s/%u", kind,
		 !strcmp(kind, "pipe") ? pipe_stat().id : region_stat().id);
	file = fopen(path, "re");
	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	while (!found && fgets(line, sizeof(line), file)) {
		size_t len = strlen(first);

		if (!behind) {
			behind = !strcmp(line, after);
		} else if (!strncmp(line, first, len) && line[len] == ' ') {
			value = strtoull(strrchr(line, ' '), NULL, 10);
			found = true;
		}
	}
	fclose(file);
	if (!found)
		fail_msg("%s has no line %s", path, first);
	return value;
}

__u64 counter(const char *kind, const char *point)
{
	return find_value(kind, "point unit count\n", point);
}

__u64 proc_value(const char *kind, const char *key)
{
	char first[64];

	snprintf(first, sizeof(first), "%s:", key);
	return find_value(kind, NULL, first);
}

__u64 pages_out(void)
{
	return counter("pipe", "page.alloc") + counter("pipe", "page.take") -
	       counter("pipe", "page.free") - counter("pipe", "page.give");
}

void set_persistence(unsigned int persistence)
{
	struct ipcdemo_attr attr = {.size = sizeof(attr), .value = persistence};
	int fd = control();

	assert_ret(0, ioctl(fd, IPCDEMO_IOC_SET_PERSISTENCE, &attr));
	close(fd);
}

/* For this process and its children only: the mount goes when they go. */
static void mount_ours(void)
{
	static bool mounted;

	if (mounted)
		return;
	assert_ret(0, unshare(CLONE_NEWNS));
	assert_ret(0, mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	assert_ret(0, mkdir(our_dir, 0700));
	assert_ret(0, mount("none", our_dir, "ipcdemofs", 0, NULL));
	mounted = true;
}

bool is_debug_kernel(void)
{
	struct utsname name;

	assert_ret(0, uname(&name));
	return strstr(name.release, "-debug-");
}

static void unmount_ours(void)
{
	/* A claim that failed may have left something open in it. */
	umount2(our_dir, MNT_DETACH);
	rmdir(our_dir);
}

void switch_to(unsigned int bit)
{
	size_t i;

	for (i = 0; i < NR(targets); i++)
		if (targets[i].bit == bit)
			target = &targets[i];
	if (bit == OUR_FIFO)
		mount_ours();
	if ((bit & (FIFO | OUR_FIFO)) && mkfifo(target->path, 0600) &&
	    errno != EEXIST)
		fail_msg("mkfifo %s: %s", target->path, strerror(errno));
}

unsigned int real_thing(void)
{
	return target->bit & (PIPE | ANON) ? PIPE : FIFO;
}

/* A test that failed may have left mappings: they would fail the next one. */
static void unmap_regions(void)
{
	unsigned long from, to;
	char line[512];
	FILE *maps;
	bool again;

	do {
		again = false;
		maps = fopen("/proc/self/maps", "re");
		while (maps && !again && fgets(line, sizeof(line), maps))
			again = strstr(line, "ipcdemo-region:") &&
				sscanf(line, "%lx-%lx", &from, &to) == 2 &&
				!munmap((void *)from, to - from);
		if (maps)
			fclose(maps);
	} while (again);
}

/* Says why the target is not as a test must find and leave it, or NULL. */
static const char *not_idle(void)
{
	struct ipcdemo_pipe_stat stat;

	if (target->bit & (FIFO | OUR_FIFO)) {
		int fd = open_end(O_WRONLY | O_NONBLOCK);

		if (fd >= 0 || errno != ENXIO)
			return "the FIFO has a reader";
		return NULL;
	}
	if (target->bit != DEV)
		return NULL;
	stat = pipe_stat();
	if (stat.readers || stat.writers)
		return "the pipe is open";
	if (stat.read_waiters || stat.write_waiters || stat.open_waiters)
		return "somebody waits in the pipe";
	if (stat.bytes || stat.used)
		return "there are bytes in the pipe";
	if (stat.persistence != IPCDEMO_PERSIST_PROCESS)
		return "the pipe is kernel-persistent";
	if (stat.capacity != DEFAULT_SIZE)
		return "the pipe does not have its default capacity";
	if (region_stat().maps)
		return "the region is mapped";
	return NULL;
}

/* --- running ------------------------------------------------------------------ */

static void too_long(int sig)
{
	(void)sig;
	end_all();
	fail_msg("the test took longer than %d seconds", TEST_SECONDS);
}

static int before(void **state)
{
	const struct run *own = *state;
	const char *why;

	signal(SIGPIPE, SIG_IGN);
	second = own->second;
	switch_to(own->target->bit);
	why = not_idle();
	if (why) {
		print_message("# found at the start: %s\n", why);
		return -1;
	}
	alarm(TEST_SECONDS);
	return 0;
}

static int after(void **state)
{
	const struct run *own = *state;
	const char *why;

	alarm(0);
	end_all();
	syscall(SYS_close_range, 3, ~0u, 0);
	unmap_regions();
	target = own->target;
	if (after_each)
		after_each();
	if (target->bit == DEV &&
	    pipe_stat().persistence != IPCDEMO_PERSIST_PROCESS) {
		print_message("# the test left the pipe kernel-persistent\n");
		set_persistence(IPCDEMO_PERSIST_PROCESS);
	}
	why = not_idle();
	if (why)
		print_message("# left behind: %s\n", why);
	unlink(fifo_path);
	unlink(our_path);
	return why ? -1 : 0;
}

/* Is the name in the comma-separated list? */
static bool listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (list) {
		if (!strncmp(list, name, len) &&
		    (list[len] == ',' || !list[len]))
			return true;
		list = strchr(list, ',');
		if (list)
			list++;
	}
	return false;
}

static const char *tmpfs_dir(void)
{
	static const char *const dirs[] = {"/dev/shm", "/run", "/tmp"};
	struct statfs fs;
	size_t i;

	for (i = 0; i < NR(dirs); i++)
		if (!statfs(dirs[i], &fs) && fs.f_type == TMPFS_MAGIC &&
		    !access(dirs[i], W_OK))
			return dirs[i];
	return "/tmp";
}

/* Adds the test of a claim on a target, with that second pipe or 0. */
static bool add_test(struct CMUnitTest *test, const struct claim *claim,
		     const struct target *on, unsigned int with)
{
	const char *with_name = with == ANON   ? " and anonymous"
				: with == PIPE ? " and pipe"
				: with	       ? " and pipe, by the kernel"
					       : "";
	struct run *run = malloc(sizeof(*run));
	char *name;

	if (!run || asprintf(&name, "%s [%s%s]", claim->sentence, on->name,
			     with_name) < 0)
		return false;
	*run = (struct run){on, with};
	*test = (struct CMUnitTest){
		.name = name,
		.test_func = claim->check,
		.setup_func = before,
		.teardown_func = after,
		.initial_state = run,
	};
	return true;
}

/* Return: how many tests a claim gives on a target, or -1. */
static int add_tests(struct CMUnitTest *tests, const struct claim *claim,
		     const struct target *on)
{
	const unsigned int with[] = {PIPE, ANON, PIPE | BY_KERNEL};
	int i, nr = on->bit & OURS ? 3 : 2;

	if (!(claim->targets & SECOND))
		return add_test(tests, claim, on, 0) ? 1 : -1;
	for (i = 0; i < nr; i++)
		if (!add_test(&tests[i], claim, on, with[i]))
			return -1;
	return nr;
}

int run_claims(const char *group, const struct claim *claims, size_t count)
{
	struct sigaction act = {.sa_handler = too_long, .sa_flags = SA_NODEFER};
	const char *only = getenv("IPCDEMO_TARGETS");
	const char *part = getenv("IPCDEMO_CLAIM");
	struct CMUnitTest *tests;
	size_t i, t, nr = 0;
	int added, failed;

	setvbuf(stdout, NULL, _IOLBF, 0);
	snprintf(fifo_path, sizeof(fifo_path), "%s/ipcdemo-test.%d",
		 tmpfs_dir(), getpid());
	snprintf(our_dir, sizeof(our_dir), "%s/ipcdemo-fs.%d", tmpfs_dir(),
		 getpid());
	snprintf(our_path, sizeof(our_path), "%s/fifo", our_dir);
	sigaction(SIGALRM, &act, NULL);
	tests = calloc(count * 3 * NR(targets), sizeof(*tests));
	if (!tests)
		return 1;
	for (i = 0; i < count; i++) {
		if (part && !strstr(claims[i].sentence, part))
			continue;
		for (t = 0; t < NR(targets); t++) {
			if (!(claims[i].targets & targets[t].bit))
				continue;
			if (only && !listed(only, targets[t].name))
				continue;
			added = add_tests(tests + nr, &claims[i], &targets[t]);
			if (added < 0)
				return 1;
			nr += added;
		}
	}
	if (!nr) {
		printf("1..0 # SKIP no claim of %s is for these targets\n",
		       group);
		return 0;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = _cmocka_run_group_tests(group, tests, nr, NULL, NULL);
	unmount_ours();
	return failed ? 1 : 0;
}

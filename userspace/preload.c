// SPDX-License-Identifier: GPL-2.0
/*
 * libipcdemo-run.so: the pipes that a program makes become ours
 *
 * `ipcdemo run` has the dynamic linker load this library before libc, so that
 * the functions below are called in place of libc's.  The program must not
 * notice, which decides how they are written:
 *
 *  - One control descriptor is opened before main() and moved to where programs
 *    do not look: above the limit on descriptors if that is possible.  To open
 *    it for each call would take a number that the program's own next descriptor
 *    should have, and fail where pipe(2) does not.  It is close-on-exec.
 *  - A program may close it (closefrom(3)), and another file may get its number.
 *    So it is looked at before each use, and opened again if it is gone.
 *  - pipe(2) may be called in a signal handler, in a child of vfork(2) or of a
 *    program with threads, and is no cancellation point.  So no memory is
 *    allocated, no lock taken, and the kernel is called with syscall(2), which
 *    no other library intercepts and where no thread is cancelled.
 *  - What is kept in memory is shared with a parent that called vfork(2), which
 *    has other descriptors: every number kept here is a hint that is checked.
 *  - errno changes only if a call fails.
 *
 * Environment
 *
 *  IPCDEMO_RUN_COUNT	a file with two counters of 64 bits: pipes of ours that
 *			were made, and pipes of the kernel, by all processes
 *  IPCDEMO_RUN_KERNEL	if not empty: make the kernel's pipes, and count them
 *  IPCDEMO_RUN_SAID	if not empty: somebody said already that the module is
 *			missing
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ipcdemo.h>

#define DEVICE		    "/dev/ipcdemo"

/* What the program shall find here; everything else stays inside. */
#define EXPORT		    __attribute((__visibility__("default")))

/* The flag of pipe2(2) for a pipe of the kernel's own; libc has no name for it. */
#define O_NOTIFICATION_PIPE O_EXCL

/*
 * Where the control descriptor goes if the limit on descriptors is higher.  Each
 * process has a table as long as its highest number.
 */
#define HIGHEST		    4096

/* It goes not lower than this: a program may have had a higher limit before. */
#define USUAL		    1024

/* For how many descriptors the limit is raised while it is moved. */
#define ROOM		    64

/*
 * What several threads and signal handlers share is read and written by these,
 * all in one order that all agree on.
 */
#define LOAD(at)	    __atomic_load_n(at, __ATOMIC_SEQ_CST)
#define STORE(at, value)    __atomic_store_n(at, value, __ATOMIC_SEQ_CST)
#define COUNT(at)	    __atomic_fetch_add(at, 1, __ATOMIC_SEQ_CST)
#define SWAP(at, value)	    __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST)

/* From *was to value; if it was something else, that is in *was then. */
#define CHANGE(at, was, value)                                               \
	__atomic_compare_exchange_n(at, was, value, false, __ATOMIC_SEQ_CST, \
				    __ATOMIC_SEQ_CST)

/* ---- the kernel --------------------------------------------------------- */

static int sys_openat(const char *path, int flags)
{
	return syscall(SYS_openat, AT_FDCWD, path, flags, 0666);
}

static void sys_close(int fd)
{
	syscall(SYS_close, fd);
}

static int sys_limit(const struct rlimit64 *set, struct rlimit64 *old)
{
	return syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, set, old);
}

/* The file type and, of a device, its number. */
static int sys_look(int fd, mode_t *type, dev_t *device)
{
	struct statx st;

	if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_TYPE, &st))
		return -1;
	*type = st.stx_mode & S_IFMT;
	*device = makedev(st.stx_rdev_major, st.stx_rdev_minor);
	return 0;
}

static void sys_mask(int how, const uint64_t *set, uint64_t *old)
{
	syscall(SYS_rt_sigprocmask, how, set, old, sizeof(*set));
}

/* ---- counting ----------------------------------------------------------- */

/**
 * struct counts - what was made; the file IPCDEMO_RUN_COUNT, mapped
 * @ours:	pipes of the module
 * @kernels:	pipes of the kernel
 *
 * All processes add to the same page, and need no descriptor for it.
 */
struct counts {
	uint64_t ours;
	uint64_t kernels;
};

static struct counts not_shared;
static struct counts *counts = &not_shared;

static void map_counts(const char *path)
{
	int fd = sys_openat(path, O_RDWR | O_CREAT | O_CLOEXEC);
	struct stat st;
	void *map;

	if (fd < 0)
		return;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) &&
	    (st.st_size >= (off_t)sizeof(*counts) ||
	     !ftruncate(fd, sizeof(*counts)))) {
		map = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE,
			   MAP_SHARED, fd, 0);
		if (map != MAP_FAILED)
			counts = map;
	}
	sys_close(fd);
}

/* ---- the control descriptor --------------------------------------------- */

/*
 * Its number, and which device it was.  Both are hints: see the top of the file.
 * The device is stored first and never changes while the module is loaded.
 */
static int control_fd = -1;
static dev_t control_device;

/* IPCDEMO_RUN_KERNEL */
static bool kernel_only;

/* Its pipes are the kernel's, and this process, or its parent, has said so. */
static bool said;

static bool is_control(int fd)
{
	mode_t type;
	dev_t device;

	return fd >= 0 && !sys_look(fd, &type, &device) && type == S_IFCHR &&
	       device == LOAD(&control_device);
}

/* To the first free number from @from on, which is above the limit. */
static int move_above(int fd, const struct rlimit64 *limit, rlim64_t from)
{
	struct rlimit64 raised = {
		.rlim_cur = from + ROOM,
		.rlim_max = limit->rlim_max,
	};
	int up;

	/* This needs CAP_SYS_RESOURCE, and is not there for all. */
	if (raised.rlim_max < raised.rlim_cur)
		raised.rlim_max = raised.rlim_cur;
	if (sys_limit(&raised, NULL))
		return -1;
	up = syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, (int)from);
	sys_limit(limit, NULL);
	return up;
}

/*
 * Moves a descriptor out of the way; it stays open if that fails.  Above the
 * soft limit nobody's loop over all descriptors finds it, and as many others
 * can be open as without it.  The limit is raised for the moment of the move:
 * another thread that reads or sets it just then is the risk taken, in a
 * program that closed our descriptor.
 */
static int move_up(int fd)
{
	struct rlimit64 limit;
	int up = -1, at;

	if (sys_limit(NULL, &limit))
		return fd;
	if (limit.rlim_cur >= HIGHEST) {
		up = syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, HIGHEST);
	} else {
		if (limit.rlim_cur < USUAL)
			up = move_above(fd, &limit, USUAL);
		if (up < 0)
			up = move_above(fd, &limit, limit.rlim_cur);
	}
	/* Below the limit then, from the top. */
	at = limit.rlim_cur < HIGHEST ? limit.rlim_cur : HIGHEST;
	while (up < 0 && --at > fd)
		up = syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, at);
	if (up < 0)
		return fd;
	sys_close(fd);
	return up;
}

static int find_device(void)
{
	int fd = sys_openat(DEVICE, IPCDEMO_O_CONTROL | O_CLOEXEC);
	mode_t type;
	dev_t device;

	if (fd < 0)
		return -errno;
	if (sys_look(fd, &type, &device) || type != S_IFCHR) {
		sys_close(fd);
		return -ENODEV;
	}
	fd = move_up(fd);
	STORE(&control_device, device);
	return fd;
}

/*
 * Opens the device in place of a descriptor that is gone.  Signals wait
 * meanwhile: a handler would see a raised limit, or a number that is taken.
 *
 * Return: the descriptor or -errno.
 */
static int open_control(int gone)
{
	uint64_t all = ~0ULL, before;
	int fd;

	sys_mask(SIG_BLOCK, &all, &before);
	fd = find_device();
	/* Another thread was faster: one is enough. */
	if (fd >= 0 && !CHANGE(&control_fd, &gone, fd)) {
		sys_close(fd);
		fd = gone;
	}
	sys_mask(SIG_SETMASK, &before, NULL);
	return fd;
}

/* ---- when the module is not there --------------------------------------- */

static void say(const char *text)
{
	syscall(SYS_write, STDERR_FILENO, text, strlen(text));
}

static void say_missing(int err)
{
	const char *why = strerrordesc_np(err);
	char line[200] = "ipcdemo: run: cannot use " DEVICE " (";
	size_t n = strlen(line);

	if (SWAP(&said, true))
		return;
	/* One write, so that lines of others do not come between. */
	strncat(line, why ? why : "?", sizeof(line) - n - 1);
	n = strlen(line);
	strncat(line, "): the pipes made here are the kernel's own\n",
		sizeof(line) - n - 1);
	say(line);
}

/* Does the error tell of this call, and not of the module? */
static bool is_shortage(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOMEM;
}

/* ---- making a pipe ------------------------------------------------------ */

static int make_kernels(int *fds, int flags)
{
	int err = syscall(SYS_pipe2, fds, flags);

	if (!err)
		COUNT(&counts->kernels);
	return err;
}

/* Return: 0 or -errno; -ENOTTY: this cannot be a control descriptor of ours. */
static int make_ours(int control, int *fds, int flags)
{
	struct ipcdemo_pipe_make request = {
		.size = sizeof(request),
		.flags = flags,
		/* The caller's pointer: the kernel says EFAULT, not we. */
		.fds = (uintptr_t)fds,
	};

	if (syscall(SYS_ioctl, control, IPCDEMO_IOC_PIPE, &request))
		return errno == EBADF ? -ENOTTY : -errno;
	COUNT(&counts->ours);
	return 0;
}

static int make(int *fds, int flags)
{
	int before = errno, fd, err;

	if (kernel_only || (flags & O_NOTIFICATION_PIPE))
		return make_kernels(fds, flags);
	fd = LOAD(&control_fd);
	err = is_control(fd) ? make_ours(fd, fds, flags) : -ENOTTY;
	if (err == -ENOTTY) {
		fd = open_control(fd);
		err = fd < 0 ? fd : make_ours(fd, fds, flags);
		if (err && (fd < 0 ? !is_shortage(-err) : err == -ENOTTY)) {
			say_missing(-err);
			errno = before;
			return make_kernels(fds, flags);
		}
		/* Unknown flags come first, as in pipe2(2). */
		if (fd < 0 && (flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)))
			err = -EINVAL;
	}
	errno = err ? -err : before;
	return err ? -1 : 0;
}

EXPORT int pipe(int fds[2])
{
	return make(fds, 0);
}

/* libc exports this name, too, and old programs use it. */
EXPORT int __pipe(int fds[2]);
int __pipe(int fds[2])
{
	return make(fds, 0);
}

EXPORT int pipe2(int fds[2], int flags)
{
	return make(fds, flags);
}

/* ---- libc's own functions ----------------------------------------------- */

static int (*libc_fcntl)(int fd, int cmd, ...);
static int (*libc_fcntl64)(int fd, int cmd, ...);
static int (*libc_fclose)(FILE *file);
static ssize_t (*libc_splice)(int in, off64_t *off_in, int out,
			      off64_t *off_out, size_t len, unsigned int flags);
static ssize_t (*libc_tee)(int in, int out, size_t len, unsigned int flags);
static ssize_t (*libc_vmsplice)(int fd, const struct iovec *iov, size_t count,
				unsigned int flags);

/* Only what runs before us, the start of another library, comes here too early. */
#define LIBC(name)                                                    \
	({                                                            \
		if (!LOAD(&libc_##name))                              \
			STORE(&libc_##name, dlsym(RTLD_NEXT, #name)); \
		LOAD(&libc_##name);                                   \
	})

/* ---- the capacity ------------------------------------------------------- */

/*
 * The kernel's fcntl(2) knows only the kernel's pipes, and says EBADF of ours.
 * Our ioctl is no business of another kind of file, whose driver may know the
 * number for something else: a FIFO that the kernel does not know is ours.
 */
static bool is_ours(int fd)
{
	mode_t type;
	dev_t device;

	if (sys_look(fd, &type, &device))
		return false;
	if (type != S_IFCHR)
		return type == S_IFIFO;
	/* The default pipe.  A control descriptor is no pipe. */
	return device == LOAD(&control_device) &&
	       (syscall(SYS_fcntl, fd, F_GETFL) & O_ACCMODE) !=
		       IPCDEMO_O_CONTROL;
}

static int capacity(int fd, int cmd, unsigned int value)
{
	struct ipcdemo_attr attr = {.size = sizeof(attr), .value = value};
	unsigned long request = cmd == F_SETPIPE_SZ ? IPCDEMO_IOC_SET_CAPACITY
						    : IPCDEMO_IOC_GET_CAPACITY;

	if (!is_ours(fd)) {
		errno = EBADF;
		return -1;
	}
	if (syscall(SYS_ioctl, fd, request, &attr)) {
		if (errno == ENOTTY)
			errno = EBADF;
		return -1;
	}
	return attr.value;
}

static int control_file(int (*libc)(int fd, int cmd, ...), int fd, int cmd,
			void *arg)
{
	int before = errno, result = libc(fd, cmd, arg);

	if (result != -1 || errno != EBADF ||
	    (cmd != F_SETPIPE_SZ && cmd != F_GETPIPE_SZ))
		return result;
	result = capacity(fd, cmd, (uintptr_t)arg);
	if (result != -1)
		errno = before;
	return result;
}

/*
 * The third argument may be missing, or an int: libc itself takes a pointer and
 * leaves it to the kernel what of it is looked at.
 */
EXPORT int fcntl(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	return control_file(LIBC(fcntl), fd, cmd, arg);
}

EXPORT int fcntl64(int fd, int cmd, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, cmd);
	arg = va_arg(ap, void *);
	va_end(ap);
	return control_file(LIBC(fcntl64), fd, cmd, arg);
}

/* ---- splice ------------------------------------------------------------- */

/*
 * The kernel's calls know only pipes of the kernel, and take ours for a file.  So
 * our module is asked first, by each side that may be ours; it says ENOTTY if it
 * is a pipe of the kernel.  Whatever is wrong with the call itself the kernel
 * says first, as it looks at that before anything else.
 */
static bool is_for_the_kernel(size_t len, unsigned int flags)
{
	return !len || (flags & ~(SPLICE_F_MOVE | SPLICE_F_NONBLOCK |
				  SPLICE_F_MORE | SPLICE_F_GIFT));
}

/* A thread can be cancelled in these calls, so in ours as well. */
static ssize_t move(int fd, unsigned long request, void *argument)
{
	ssize_t result;
	int type;

	if (!is_ours(fd)) {
		errno = ENOTTY;
		return -1;
	}
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	result = syscall(SYS_ioctl, fd, request, argument);
	pthread_setcanceltype(type, NULL);
	return result;
}

/* Return: whether a pipe of ours is on a side; then *result is the answer. */
static bool move_between(unsigned long request, struct ipcdemo_splice *splice,
			 ssize_t *result)
{
	int before = errno;

	*result = move(splice->in, request, splice);
	if (*result == -1 && errno == ENOTTY)
		*result = move(splice->out, request, splice);
	if (*result == -1 && errno == ENOTTY) {
		errno = before;
		return false;
	}
	if (*result != -1)
		errno = before;
	return true;
}

EXPORT ssize_t splice(int in, off64_t *off_in, int out, off64_t *off_out,
		      size_t len, unsigned int flags)
{
	struct ipcdemo_splice request = {
		.size = sizeof(request),
		.flags = flags,
		.in = in,
		.out = out,
		.off_in = (uintptr_t)off_in,
		.off_out = (uintptr_t)off_out,
		.len = len,
	};
	ssize_t result;

	if (!is_for_the_kernel(len, flags) &&
	    move_between(IPCDEMO_IOC_SPLICE, &request, &result))
		return result;
	return LIBC(splice)(in, off_in, out, off_out, len, flags);
}

EXPORT ssize_t tee(int in, int out, size_t len, unsigned int flags)
{
	struct ipcdemo_splice request = {
		.size = sizeof(request),
		.flags = flags,
		.in = in,
		.out = out,
		.len = len,
	};
	ssize_t result;

	if (!is_for_the_kernel(len, flags) &&
	    move_between(IPCDEMO_IOC_TEE, &request, &result))
		return result;
	return LIBC(tee)(in, out, len, flags);
}

EXPORT ssize_t vmsplice(int fd, const struct iovec *iov, size_t count,
			unsigned int flags)
{
	struct ipcdemo_vmsplice request = {
		.size = sizeof(request),
		.flags = flags,
		.iov = (uintptr_t)iov,
		.count = count,
	};
	int before = errno;
	ssize_t result;

	/* One byte stands for how many there are: the kernel sees to that. */
	if (!is_for_the_kernel(1, flags)) {
		result = move(fd, IPCDEMO_IOC_VMSPLICE, &request);
		if (result != -1 || errno != ENOTTY) {
			if (result != -1)
				errno = before;
			return result;
		}
	}
	errno = before;
	return LIBC(vmsplice)(fd, iov, count, flags);
}

/* ---- popen -------------------------------------------------------------- */

/**
 * struct stream - a stream of popen(3)
 * @file:	NULL: to be used again; BUSY: somebody begins or ends with it
 * @pid:	the shell; valid while @file is a stream
 * @fd:		our end, or -1
 * @next:	never changes
 *
 * The list only grows, at its front, so it needs no lock: a child of fork(2)
 * finds it usable whatever the other threads were doing.
 */
struct stream {
	FILE *file;
	pid_t pid;
	int fd;
	struct stream *next;
};

static struct stream *streams;

/* The address of something that is no stream. */
static char busy;
#define BUSY ((FILE *)&busy)

/* Return: a stream that is BUSY and the caller's, or NULL (ENOMEM). */
static struct stream *take_stream(void)
{
	struct stream *s;
	FILE *unused;

	for (s = LOAD(&streams); s; s = s->next) {
		unused = NULL;
		if (CHANGE(&s->file, &unused, BUSY))
			return s;
	}
	s = malloc(sizeof(*s));
	if (!s)
		return NULL;
	s->file = BUSY;
	s->fd = -1;
	s->next = LOAD(&streams);
	while (!CHANGE(&streams, &s->next, s))
		;
	return s;
}

static void drop_stream(struct stream *s)
{
	STORE(&s->file, NULL);
}

/* Return: 0, or the error. */
static int start_shell(const char *command, int child_end, int target,
		       pid_t *pid)
{
	char *const argv[] = {(char *)"sh", (char *)"-c", (char *)command,
			      NULL};
	posix_spawn_file_actions_t actions;
	struct stream *s;
	int err, fd;

	err = posix_spawn_file_actions_init(&actions);
	if (err)
		return err;
	err = posix_spawn_file_actions_adddup2(&actions, child_end, target);
	/* POSIX: the shell has no stream of an earlier popen() open. */
	for (s = LOAD(&streams); s && !err; s = s->next) {
		fd = LOAD(&s->fd);
		/* If it was the target, the dup2 has closed it. */
		if (fd >= 0 && fd != target)
			err = posix_spawn_file_actions_addclose(&actions, fd);
	}
	if (!err)
		err = posix_spawn(pid, _PATH_BSHELL, &actions, NULL, argv,
				  environ);
	posix_spawn_file_actions_destroy(&actions);
	return err;
}

/*
 * The child's end must not have the number that it shall get in the child, or
 * nothing there would take close-on-exec away from it.
 */
static int keep_apart(int *child_end, int target)
{
	int up;

	if (*child_end != target)
		return 0;
	up = syscall(SYS_fcntl, *child_end, F_DUPFD_CLOEXEC, 0);
	if (up < 0)
		return errno;
	sys_close(*child_end);
	*child_end = up;
	return 0;
}

static FILE *start_stream(struct stream *s, const char *command, bool reading,
			  bool cloexec)
{
	int target = reading ? STDOUT_FILENO : STDIN_FILENO;
	int fds[2], *ours = &fds[!reading], *theirs = &fds[reading], err;
	FILE *file;

	/* Another thread's fork and exec must not have them. */
	if (make(fds, O_CLOEXEC))
		return NULL;
	err = keep_apart(theirs, target);
	file = err ? NULL : fdopen(*ours, reading ? "r" : "w");
	if (!file) {
		err = err ?: errno;
		sys_close(*ours);
		sys_close(*theirs);
		errno = err;
		return NULL;
	}
	err = start_shell(command, *theirs, target, &s->pid);
	sys_close(*theirs);
	if (err) {
		LIBC(fclose)(file);
		errno = err;
		return NULL;
	}
	if (!cloexec)
		syscall(SYS_fcntl, *ours, F_SETFD, 0);
	STORE(&s->fd, *ours);
	STORE(&s->file, file);
	return file;
}

/* libc's own calls pipe2(2) inside, where no other library comes between. */
EXPORT FILE *popen(const char *command, const char *mode)
{
	bool reading = false, writing = false, cloexec = false;
	bool unknown = false;
	int before = errno;
	struct stream *s;
	FILE *file;

	for (; *mode; mode++) {
		reading |= *mode == 'r';
		writing |= *mode == 'w';
		cloexec |= *mode == 'e';
		unknown |= !strchr("rwe", *mode);
	}
	if (unknown || reading == writing) {
		errno = EINVAL;
		return NULL;
	}
	s = take_stream();
	if (!s)
		return NULL;
	file = start_stream(s, command, reading, cloexec);
	if (file)
		errno = before;
	else
		drop_stream(s);
	return file;
}

/* Return: what waitpid(2) says of the shell, or -1. */
static int wait_for(pid_t pid)
{
	int status, state;
	pid_t done;

	/* libc lets nobody cancel a thread here. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	do
		done = waitpid(pid, &status, 0);
	while (done < 0 && errno == EINTR);
	pthread_setcancelstate(state, NULL);
	return done < 0 ? -1 : status;
}

static struct stream *find_stream(FILE *file)
{
	struct stream *s;

	for (s = LOAD(&streams); s; s = s->next)
		if (LOAD(&s->file) == file)
			break;
	/* Two threads that close the same stream: an error, and not ours. */
	if (s && !CHANGE(&s->file, &file, BUSY))
		return NULL;
	return s;
}

/* With libc, too, fclose(3) and pclose(3) are the same. */
static int close_stream(FILE *file)
{
	struct stream *s = find_stream(file);
	int result, status;
	pid_t pid;

	if (!s)
		return LIBC(fclose)(file);
	pid = s->pid;
	STORE(&s->fd, -1);
	drop_stream(s);
	result = LIBC(fclose)(file);
	status = wait_for(pid);
	return status ?: result;
}

EXPORT int pclose(FILE *file)
{
	return close_stream(file);
}

EXPORT int fclose(FILE *file)
{
	return close_stream(file);
}

/* ---- before main() ------------------------------------------------------ */

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

static __attribute((__constructor__)) void start(void)
{
	const char *path = getenv("IPCDEMO_RUN_COUNT");
	int before = errno, err;

	(void)LIBC(fcntl);
	(void)LIBC(fcntl64);
	(void)LIBC(fclose);
	(void)LIBC(splice);
	(void)LIBC(tee);
	(void)LIBC(vmsplice);
	if (path && *path)
		map_counts(path);
	STORE(&said, is_set("IPCDEMO_RUN_SAID"));
	kernel_only = is_set("IPCDEMO_RUN_KERNEL");
	if (!kernel_only) {
		err = -open_control(-1);
		if (err > 0 && !is_shortage(err)) {
			say_missing(err);
			/* For the children. */
			setenv("IPCDEMO_RUN_SAID", "1", true);
		}
	}
	errno = before;
}

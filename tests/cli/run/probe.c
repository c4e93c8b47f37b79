// SPDX-License-Identifier: GPL-2.0
/*
 * probe CASE: does something with pipes and prints what came out
 *
 * run.bats runs it with pipe(2) and with `ipcdemo run`: both have to print the
 * same.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOTHING	 ((int *)(long)(argc - 2)) /* NULL; no compiler knows it */
#define NTHREADS 4
#define NROUNDS	 20

static int argc = 2;

static const char *name(int result)
{
	return result < 0 ? strerrorname_np(errno) : "ok";
}

/* The numbers of a new pipe and its flags, and whether bytes pass. */
static void show(const char *what, int fds[2], int result)
{
	struct stat st[2];
	char byte = 'x';

	if (result) {
		printf("%s: %s\n", what, name(-1));
		return;
	}
	fstat(fds[0], &st[0]);
	fstat(fds[1], &st[1]);
	printf("%s: %d %d fd %d %d fl %o %o mode %o %s\n", what, fds[0], fds[1],
	       fcntl(fds[0], F_GETFD), fcntl(fds[1], F_GETFD),
	       fcntl(fds[0], F_GETFL), fcntl(fds[1], F_GETFL), st[0].st_mode,
	       st[0].st_ino == st[1].st_ino ? "one inode" : "two inodes");
	if (write(fds[1], &byte, 1) != 1 || read(fds[0], &byte, 1) != 1)
		printf("%s: no byte comes through: %s\n", what, name(-1));
}

static void make(const char *what, int flags)
{
	int fds[2] = {-1, -1};

	show(what, fds, pipe2(fds, flags));
}

static void numbers(void)
{
	int (*old_name)(int *fds) = dlsym(RTLD_DEFAULT, "__pipe");
	int fds[2], out = fcntl(1, F_DUPFD, 40);

	show("pipe", fds, pipe(fds));
	show("again", fds, pipe(fds));
	close(3);
	close(5);
	show("into two holes", fds, pipe(fds));
	show("__pipe", fds, old_name(fds));
	make("cloexec", O_CLOEXEC);
	make("nonblock", O_NONBLOCK);
	make("direct", O_DIRECT);
	make("all", O_CLOEXEC | O_NONBLOCK | O_DIRECT);
	close(0);
	make("stdin is closed", 0);
	close(1);
	close(2);
	make("all three are closed", 0);
	dup2(out, 1);
}

static void errors(void)
{
	int fds[2] = {7, 8};

	printf("NULL: %s\n", name(pipe(NOTHING)));
	printf("NULL and flags: %s\n", name(pipe2(NOTHING, O_CLOEXEC)));
	printf("NULL and unknown flags: %s\n", name(pipe2(NOTHING, O_APPEND)));
	printf("unknown flags: %s\n", name(pipe2(fds, 1 << 30)));
	printf("untouched: %d %d\n", fds[0], fds[1]);
	errno = ERANGE;
	printf("errno after a pipe: %s\n", pipe(fds) ? "?" : name(-1));
	make("no number was lost", 0);
}

/* Up to the limit, and one by one below it. */
static void fill(void)
{
	struct rlimit limit;
	int fds[2], n = 0, last = -1;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 33;
	setrlimit(RLIMIT_NOFILE, &limit);
	while (!pipe(fds)) {
		last = fds[1];
		n++;
	}
	printf("%d pipes up to %d, then %s\n", n, last, name(-1));
	while ((fds[0] = dup(0)) >= 0)
		printf("room for %d\n", fds[0]);
	printf("none left: %s, with unknown flags %s\n", name(pipe(fds)),
	       name(pipe2(fds, 1 << 30)));
	close(9);
	printf("one left: %s, NULL %s\n", name(pipe(fds)), name(pipe(NOTHING)));
	close(7);
	printf("two left: %s, ", name(pipe(NOTHING)));
	make("a pipe", 0);
}

static void capacity(void)
{
	static const unsigned int sizes[] = {
		0, 1, 4096, 4097, 65536, 1 << 20, (1U << 31) + 1, UINT_MAX,
	};
	int fds[2], file = open("/dev/null", O_RDWR), i, got;
	char page[4096] = "";

	if (pipe2(fds, O_NONBLOCK))
		return;
	printf("new: %d %d\n", fcntl(fds[0], F_GETPIPE_SZ),
	       fcntl64(fds[1], F_GETPIPE_SZ));
	for (i = 0; i < (int)(sizeof(sizes) / sizeof(*sizes)); i++) {
		errno = 0;
		got = fcntl(fds[i % 2], F_SETPIPE_SZ, sizes[i]);
		printf("%u: %d %s, is %d\n", sizes[i], got, name(-!!errno),
		       fcntl64(fds[0], F_GETPIPE_SZ));
	}
	for (i = 0; i < 3; i++)
		if (write(fds[1], page, sizeof(page)) < 0)
			perror("write");
	got = fcntl(fds[1], F_SETPIPE_SZ, 4096);
	printf("too small for what is in it: %d %s\n", got, name(got));
	printf("not a pipe: %s, ", name(fcntl(file, F_GETPIPE_SZ)));
	printf("%s, ", name(fcntl(file, F_SETPIPE_SZ, 4096)));
	close(file);
	printf("closed: %s\n", name(fcntl(file, F_GETPIPE_SZ)));
	errno = ERANGE;
	fcntl(fds[0], F_GETPIPE_SZ);
	printf("errno: %s; ", name(-1));
	got = fcntl(fds[0], F_DUPFD_CLOEXEC, 20);
	printf("dup: %d %d\n", got, fcntl(got, F_GETFD));
}

/* What a daemon does before it begins. */
static void closed(void)
{
	struct rlimit limit;
	int i;

	closefrom(3);
	make("closefrom", 0);
	closefrom(3);
	make("closefrom again", 0);
	close_range(3, ~0U, 0);
	make("close_range", 0);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	make("close_range with cloexec", 0);
	for (i = sysconf(_SC_OPEN_MAX); i > 2; i--)
		close(i);
	make("a loop", 0);
	/* All numbers that the library could have chosen are the program's. */
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < 1200 ? limit.rlim_max : 1200;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (i = 3; i < (int)limit.rlim_cur; i++)
		dup2(0, i);
	for (i = 3; i < 9; i++)
		close(i);
	make("between others", 0);
	make("and another", 0);
}

static void vfork_once(bool closing)
{
	int fds[2];
	pid_t pid = vfork();

	if (!pid) {
		if (closing)
			closefrom(3);
		_exit(pipe(fds) ? 1 : fds[0] + fds[1]);
	}
	waitpid(pid, fds, 0);
	printf("child: %d\n", WEXITSTATUS(*fds));
	make("parent", 0);
}

static void vforked(void)
{
	vfork_once(false);
	vfork_once(true);
	vfork_once(false);
}

static void *fork_and_talk(void *unused)
{
	int there[2], back[2], i;
	long number, answers = 0;
	pid_t pid;

	for (i = 0; i < NROUNDS; i++) {
		if (pipe2(there, O_CLOEXEC))
			break;
		pid = fork();
		if (!pid) {
			/* A pipe of the child's own, while others fork. */
			number =
				!pipe(back) &&
						write(back[1], &i, sizeof(i)) >
							0 &&
						read(back[0], &i, sizeof(i)) > 0
					? i
					: -1;
			if (write(there[1], &number, sizeof(number)) < 0)
				_exit(1);
			_exit(0);
		}
		close(there[1]);
		if (read(there[0], &number, sizeof(number)) > 0)
			answers += number == i;
		close(there[0]);
		waitpid(pid, NULL, 0);
	}
	return (void *)answers + 0 * (long)unused;
}

static void threads(void)
{
	pthread_t thread[NTHREADS];
	void *answers;
	int i;

	for (i = 0; i < NTHREADS; i++)
		pthread_create(&thread[i], NULL, fork_and_talk, NULL);
	for (i = 0; i < NTHREADS; i++) {
		pthread_join(thread[i], &answers);
		printf("thread: %ld of %d\n", (long)answers, NROUNDS);
	}
	make("all are closed", 0);
}

static atomic_int in_handler;

static void on_signal(int signal)
{
	int fds[2];

	if (signal == SIGUSR1 && !pipe(fds)) {
		atomic_fetch_add(&in_handler, 1);
		close(fds[0]);
		close(fds[1]);
	}
}

static void *send_signals(void *main_thread)
{
	int i;

	for (i = 0; i < 200; i++)
		pthread_kill(*(pthread_t *)main_thread, SIGUSR1);
	return NULL;
}

/* Pipes in a handler that interrupts pipe(), closefrom() or popen(). */
static void signals(void)
{
	pthread_t self = pthread_self(), sender;
	struct sigaction action = {.sa_handler = on_signal,
				   .sa_flags = SA_RESTART};
	bool changed = false;
	int fds[2], i;

	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&sender, NULL, send_signals, &self);
	for (i = 0; i < 300; i++) {
		errno = ERANGE;
		if (pipe(fds))
			continue;
		changed |= errno != ERANGE;
		closefrom(3);
	}
	pthread_join(sender, NULL);
	printf("errno %s, some in the handler: %d\n",
	       changed ? "changed" : "kept", in_handler > 0);
}

static void print_all(FILE *file)
{
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		fputs(line, stdout);
}

static void try_mode(const char *mode)
{
	FILE *file = popen("true", mode);

	printf("mode '%s': %s", mode, name(file ? 0 : -1));
	if (file) {
		printf(", fd %d flags %d", fileno(file),
		       fcntl(fileno(file), F_GETFD));
		printf(", closed %d", pclose(file));
	}
	putchar('\n');
}

/* The numbers that a shell has open, below 20. */
#define LIST                                                     \
	"i=0; while [ $i -lt 20 ]; do [ -e /proc/$$/fd/$i ] && " \
	"echo has $i; i=$((i + 1)); done"

/* What libc allows, and the compiler warns of. */
static int (*volatile by_fclose)(FILE *file) = fclose;
static int (*volatile by_pclose)(FILE *file) = pclose;

static void streams(void)
{
	static const char *const modes[] = {"r", "w", "re", "er", "we",
					    "",	 "e", "rw", "r+", "x"};
	FILE *file, *other;
	size_t i;
	int fds[2];

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		try_mode(modes[i]);
	file = popen("echo one; echo two; exit 3", "r");
	print_all(file);
	printf("pclose: %#x\n", pclose(file));
	file = popen("sed s/a/b/; kill -TERM $$", "w");
	fputs("banana\n", file);
	printf("fclose, as with libc: %#x\n", by_fclose(file));
	file = popen("no-such-command 2>/dev/null", "r");
	printf("no command: %#x\n", pclose(file));

	/* Earlier streams are closed in the shell, whatever their flags. */
	file = popen("cat", "w");
	other = popen(LIST, "r");
	print_all(other);
	printf("%#x ", pclose(other));
	printf("%#x\n", pclose(file));

	/* A number that the shell's end has already. */
	fflush(stdout);
	fds[0] = dup(1);
	close(0);
	close(1);
	file = popen("echo from the shell", "r");
	dup2(fds[0], 1);
	print_all(file);
	printf("fd %d, ", fileno(file));
	printf("%#x\n", pclose(file));
	file = popen("cat", "w");
	fprintf(file, "fd %d\n", fileno(file));
	printf("%#x\n", pclose(file));
	errno = ERANGE;
	file = popen(":", "r");
	printf("errno: %s\n", name(-1));
	printf("pclose: %d, of a file %d\n", pclose(file),
	       by_pclose(fopen("/dev/null", "r")));
}

/* The link of a descriptor up to its number: which kind of pipe it is. */
static void show_kind(int fd)
{
	char path[64], link[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, link, sizeof(link) - 1) > 0)
		printf("%.*s\n", (int)strcspn(link, ":"), link);
}

static void kind(void)
{
	int fds[2];

	if (!pipe(fds))
		show_kind(fds[0]);
	/* One for notifications stays the kernel's, which may have it or not. */
	if (!pipe2(fds, O_EXCL))
		show_kind(fds[0]);
	else
		puts("pipe");
}

static void drained(const char *what, int fd, ssize_t result)
{
	char text[200] = "";
	ssize_t n;

	printf("%s: %zd %s, ", what, result, name(result < 0 ? -1 : 0));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	n = read(fd, text, sizeof(text) - 1);
	printf("then %zd %s '%s'\n", n, name(n < 0 ? -1 : 0), text);
}

/* By page: the kernel's own calls take no pipe of ours. */
static void by_page(void)
{
	char text[] = "given away", got[20] = "";
	struct iovec iov = {text, sizeof(text) - 1}, in = {got, 5};
	loff_t offset = 2;
	FILE *file = tmpfile();
	int a[2], b[2], c[2], fd = fileno(file);
	off_t from = 1;

	if (pipe(a) || pipe(b) || pipe(c))
		return;
	write(fd, "in the file", 11);
	write(a[1], "hello", 5);
	printf("tee: %zd\n", tee(a[0], b[1], 100, 0));
	drained("splice", c[0], splice(a[0], NULL, c[1], NULL, 3, 0));
	drained("the rest", c[0], splice(a[0], NULL, c[1], NULL, 100, 0));
	drained("what tee has left", b[0], 0);
	drained("none", c[0],
		splice(a[0], NULL, c[1], NULL, 9, SPLICE_F_NONBLOCK));
	drained("from a file", a[0], splice(fd, &offset, a[1], NULL, 4, 0));
	printf("offset %lld\n", (long long)offset);
	drained("sendfile", a[0], sendfile(a[1], fd, &from, 6));
	drained("vmsplice", a[0], vmsplice(a[1], &iov, 1, 0));
	write(a[1], "taken", 5);
	printf("vmsplice: %zd %s\n", vmsplice(a[0], &in, 1, 0), got);
	write(a[1], "to the", 6);
	printf("to a file: %zd\n", splice(a[0], NULL, fd, NULL, 6, 0));
	pread(fd, got, 17, 0);
	printf("it has '%s'\n", got);
	printf("to itself: %s\n", name(splice(a[0], NULL, a[1], NULL, 1, 0)));
	printf("the wrong ends: %s\n",
	       name(splice(a[1], NULL, b[0], NULL, 1, 0)));
	printf("offset of a pipe: %s\n",
	       name(splice(a[0], &offset, b[1], NULL, 1, 0)));
	printf("no descriptor: %s\n", name(tee(-1, b[1], 1, 0)));
	printf("no pipe: %s\n", name(splice(fd, NULL, fd, NULL, 1, 0)));
	printf("unknown flags: %s\n", name(tee(a[0], b[1], 1, 0x100)));
}

/* What was changed for a moment is as it was. */
static void show_limits(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	printf("limits: %ld %ld\n", (long)limit.rlim_cur, (long)limit.rlim_max);
}

int main(int n, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
		{"numbers", numbers}, {"errors", errors},
		{"fill", fill},	      {"capacity", capacity},
		{"closed", closed},   {"vfork", vforked},
		{"threads", threads}, {"signals", signals},
		{"streams", streams}, {"kind", kind},
		{"by_page", by_page},
	};
	size_t i;

	argc = n;
	for (i = 0; n == 2 && i < sizeof(cases) / sizeof(*cases); i++) {
		if (strcmp(argv[1], cases[i].name))
			continue;
		/* stdout is closed at times: it all comes at the end. */
		setvbuf(stdout, NULL, _IOFBF, 1 << 16);
		show_limits();
		cases[i].run();
		show_limits();
		return 0;
	}
	fputs("usage: probe CASE\n", stderr);
	return 2;
}

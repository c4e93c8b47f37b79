// SPDX-License-Identifier: GPL-2.0
/*
 * tour: makes things happen, shows what /proc says of them, and compares
 *
 * The other processes are real programs.  A state is waited for by looking at
 * /proc until it is there or a deadline has passed, never by sleeping for a
 * while, so that a slow machine takes the same tour.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "tour_job.h"

#define DEADLINE_MS   20000
#define LOOK_AGAIN_MS 4
#define MAX_KIDS      4
#define SHARED_BYTES  64
#define WIDTH	      96

/* The signal that ended the tour early, or 0. */
static atomic_int stopped;

static void stop(int signal)
{
	stopped = signal;
}

/**
 * struct tour - where the tour stands
 * @pipe:	the id of the default pipe
 * @region:	and of the default region
 * @control:	a control descriptor
 * @persistence: of the pipe before the tour, to be restored
 * @capacity:	likewise
 * @own:	the pipe is ours: put it back when leaving
 * @name:	what to grep for
 * @read_end:	our end of the pipe, or -1
 * @write_end:	likewise
 * @output:	where a program's standard output arrives, or -1
 * @kids:	the processes we started and that were not waited for; 0: none
 * @kid:	the one that the step is about
 * @v:		the pipe as it was when it was last looked at
 * @bytes:	what the step before found in the pipe
 * @absent:	the page that the two processes share was not there before
 * @page:	which page it is, counted from 0
 * @shared:	our mapping of it, or MAP_FAILED
 * @saved:	what stood there
 * @to_kid:	pipes to and from the process that shares it, or -1
 * @from_kid:
 * @r:		the region as it was before
 * @job:	what goes through a pipe, then through a region
 * @by_pipe:	what the first took; calls 0: it was not done
 * @bug:	the folder of the copy of the module with a bug; NULL: none
 * @swap:	puts that copy in and the real module back; NULL: not prepared
 * @version:	the sources of the module that was found
 * @complaint:	what was not as expected in this step
 * @left_out:	why this step was not taken; empty: it was
 */
struct tour {
	struct cli *cli;
	struct ipcdemo *ipc;
	__u32 pipe;
	__u32 region;
	int control;
	__u64 persistence;
	__u64 capacity;
	bool own;
	const char *name;
	int read_end;
	int write_end;
	int output;
	pid_t kids[MAX_KIDS];
	pid_t kid;
	struct ipcdemo_pipe_view v;
	__u64 bytes;
	bool absent;
	__u64 page;
	char *shared;
	char saved[SHARED_BYTES];
	size_t page_size;
	int to_kid;
	int from_kid;
	struct ipcdemo_region_view r;
	struct tour_job job;
	struct job_cost by_pipe;
	const char *bug;
	struct swap *swap;
	char version[64];
	char complaint[512];
	char left_out[400];
};

/* ---- checking ----------------------------------------------------------- */

/* Not as expected; the first one of a step is the one that is shown. */
static __printf(2, 3) void wrong(struct tour *t, const char *fmt, ...)
{
	va_list ap;

	if (*t->complaint)
		return;
	va_start(ap, fmt);
	vsnprintf(t->complaint, sizeof(t->complaint), fmt, ap);
	va_end(ap);
}

static void expect(struct tour *t, const char *what, __u64 wanted, __u64 got)
{
	if (wanted != got)
		wrong(t, "wanted %s %llu, the module says %s %llu", what,
		      wanted, what, got);
}

/* What a process says, not /proc. */
static void expect_of(struct tour *t, const char *what, __u64 wanted, __u64 got)
{
	if (wanted != got)
		wrong(t, "wanted %s %llu, it is %llu", what, wanted, got);
}

static void expect_least(struct tour *t, const char *what, __u64 wanted,
			 __u64 got)
{
	if (got < wanted)
		wrong(t, "wanted %s %llu or more, the module says %s %llu",
		      what, wanted, what, got);
}

static void expect_most(struct tour *t, const char *what, __u64 wanted,
			__u64 got)
{
	if (got > wanted)
		wrong(t, "wanted %s %llu or fewer, the module says %s %llu",
		      what, wanted, what, got);
}

/* Exactly one task waits at the point, and it is the one of this step. */
static void expect_waiter(struct tour *t, const char *point)
{
	size_t i;

	expect(t, point, 1, ipcdemo_waiting(&t->v, point));
	for (i = 0; i < t->v.nwaiters; i++)
		if (!strcmp(t->v.waiters[i].point, point) &&
		    t->v.waiters[i].pid != t->kid)
			wrong(t, "wanted pid %d at %s, the module says pid %d",
			      t->kid, point, t->v.waiters[i].pid);
}

/* Return: 0, or -1 with a complaint. */
static int look(struct tour *t)
{
	ipcdemo_pipe_view_free(&t->v);
	if (!ipcdemo_pipe_view(t->ipc, t->pipe, &t->v))
		return 0;
	wrong(t, "%s", ipcdemo_error(t->ipc));
	return -1;
}

static __u64 count(const struct tour *t, const char *point)
{
	return ipcdemo_count(t->v.counters, t->v.ncounters, point);
}

static __u64 now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (__u64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- other processes ---------------------------------------------------- */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* No step leaves more than one behind, and a failed one leaves none. */
static void remember(struct tour *t, pid_t pid)
{
	int i;

	for (i = 0; i < MAX_KIDS - 1 && t->kids[i]; i++)
		;
	t->kids[i] = pid;
	t->kid = pid;
}

static pid_t fork_kid(struct tour *t)
{
	pid_t pid;

	/* What is still in the buffer must not be printed twice. */
	fflush(NULL);
	pid = fork();
	if (!pid) {
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		signal(SIGHUP, SIG_DFL);
		signal(SIGPIPE, SIG_DFL);
		/* Also if we are killed without a chance to clean up */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		return 0;
	}
	if (pid < 0)
		wrong(t, "fork: %s", strerror(errno));
	else
		remember(t, pid);
	return pid;
}

/* Starts a program.  -1 for an end means /dev/null.  Return: 0 or -1. */
static int start(struct tour *t, const char *const argv[], int in, int out)
{
	pid_t pid = fork_kid(t);
	int null;

	if (pid)
		return pid < 0 ? -1 : 0;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (dup2(in < 0 ? null : in, STDIN_FILENO) < 0 ||
	    dup2(out < 0 ? null : out, STDOUT_FILENO) < 0)
		_exit(126);
	/* ps would cut its lines to this width */
	unsetenv("COLUMNS");
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

/* The same, with its output in t->output. */
static int start_captured(struct tour *t, const char *const argv[], int in)
{
	int ends[2], err;

	close_fd(&t->output);
	if (pipe2(ends, O_CLOEXEC)) {
		wrong(t, "pipe: %s", strerror(errno));
		return -1;
	}
	err = start(t, argv, in, ends[1]);
	close(ends[1]);
	t->output = ends[0];
	return err;
}

/* Has the process ended?  Its status is then in *status. */
static bool ended(struct tour *t, pid_t pid, int *status)
{
	int i;

	if (waitpid(pid, status, WNOHANG) != pid)
		return false;
	for (i = 0; i < MAX_KIDS; i++)
		if (t->kids[i] == pid)
			t->kids[i] = 0;
	return true;
}

static void rest(void)
{
	poll(NULL, 0, LOOK_AGAIN_MS);
}

/* Return: 0 when the process has ended, -1 with a complaint otherwise. */
static int wait_end(struct tour *t, int *status)
{
	__u64 deadline = now_ms() + DEADLINE_MS;

	if (!t->kid) {
		wrong(t, "the step before left no process");
		return -1;
	}
	while (!ended(t, t->kid, status)) {
		if (stopped || now_ms() > deadline) {
			wrong(t, "process %d does not end", t->kid);
			return -1;
		}
		rest();
	}
	return 0;
}

/* It has to end with status 0. */
static int wait_done(struct tour *t, const char *what)
{
	int status;

	if (wait_end(t, &status))
		return -1;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		wrong(t, "%s ended with %s %d", what,
		      WIFEXITED(status) ? "status" : "signal",
		      WIFEXITED(status) ? WEXITSTATUS(status)
					: WTERMSIG(status));
		return -1;
	}
	return 0;
}

/*
 * Looks until the process of this step waits at the point.  Return: 0; -1 with
 * a complaint if it ended instead, or did not get there in time.
 *
 * Then once more: reading /proc holds nobody up, so one look may have seen the
 * ring before the last step of the process and the process after it.
 */
static int wait_for(struct tour *t, const char *point)
{
	__u64 deadline = now_ms() + DEADLINE_MS;
	int status;

	for (;;) {
		if (look(t))
			return -1;
		if (ipcdemo_waiting(&t->v, point))
			return look(t);
		if (ended(t, t->kid, &status)) {
			wrong(t, "process %d ended before it came to %s",
			      t->kid, point);
			return -1;
		}
		if (stopped || now_ms() > deadline) {
			wrong(t, "nobody came to %s", point);
			return -1;
		}
		rest();
	}
}

/*
 * Reads until `enough` bytes have come or the end.  Return: how many, or -1
 * with a complaint.
 */
static ssize_t read_in_time(struct tour *t, int fd, char *buf, size_t enough)
{
	__u64 deadline = now_ms() + DEADLINE_MS;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t len = 0;
	ssize_t n;

	while (len < enough) {
		if (stopped || now_ms() > deadline) {
			wrong(t, "only %zu bytes came", len);
			return -1;
		}
		if (poll(&p, 1, LOOK_AGAIN_MS * 10) <= 0)
			continue;
		n = read(fd, buf + len, enough - len);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0) {
			wrong(t, "read: %s", strerror(errno));
			return -1;
		}
		if (n == 0)
			break;
		len += n;
	}
	return len;
}

/*
 * Both ends, without waiting for anybody.  The read end first: then the other
 * one has a partner.
 */
static int open_read_end(struct tour *t)
{
	int flags;

	t->read_end = ipcdemo_open(t->ipc, O_RDONLY | O_NONBLOCK);
	if (t->read_end < 0) {
		wrong(t, "%s", ipcdemo_error(t->ipc));
		return -1;
	}
	flags = fcntl(t->read_end, F_GETFL);
	if (fcntl(t->read_end, F_SETFL, flags & ~O_NONBLOCK)) {
		wrong(t, "fcntl: %s", strerror(errno));
		return -1;
	}
	return 0;
}

static int open_ends(struct tour *t)
{
	if (open_read_end(t))
		return -1;
	t->write_end = ipcdemo_open(t->ipc, O_WRONLY | O_NONBLOCK);
	if (t->write_end < 0) {
		wrong(t, "%s", ipcdemo_error(t->ipc));
		return -1;
	}
	/* Programs get this end, and do not expect EAGAIN. */
	if (fcntl(t->write_end, F_SETFL,
		  fcntl(t->write_end, F_GETFL) & ~O_NONBLOCK)) {
		wrong(t, "fcntl: %s", strerror(errno));
		return -1;
	}
	return 0;
}

/* ---- showing ------------------------------------------------------------ */

static void show_pipe(const struct tour *t, bool ring)
{
	const struct ipcdemo_pipe_view *v = &t->v;

	printf("  /proc/ipcdemo/pipe/%u\n", t->pipe);
	printf("  slots: %u  used: %u  bytes: %llu  readers: %u  writers: %u\n",
	       v->slots, v->used, v->bytes, v->readers, v->writers);
	if (ring)
		draw_ring(stdout, &t->cli->style, v, false);
	draw_waiters(&t->cli->style, v);
}

/* Begins with the line that must be there, then some of the others. */
static void show_lines(const char *text, const char *first)
{
	size_t len = strcspn(first, "\n");
	const char *line;
	int more = 3;

	printf("  > %.*s\n", (int)len < WIDTH ? (int)len : WIDTH, first);
	for (line = text; *line && more; line += *line == '\n') {
		len = strcspn(line, "\n");
		if (line != first && more--)
			printf("  > %.*s\n",
			       (int)len < WIDTH ? (int)len : WIDTH, line);
		line += len;
	}
}

/* ---- the steps ---------------------------------------------------------- */

static void step_before(struct tour *t)
{
	if (look(t))
		return;
	show_pipe(t, true);
	expect(t, "used", 0, t->v.used);
	expect(t, "bytes", 0, t->v.bytes);
	expect(t, "readers", 0, t->v.readers);
	expect(t, "writers", 0, t->v.writers);
	expect(t, "waiters", 0, t->v.nwaiters);
}

static void step_open_waits(struct tour *t)
{
	const char *script = "exec ps aux > \"$0\"";
	const char *const argv[] = {"sh", "-c", script, ipcdemo_device(t->ipc),
				    NULL};

	if (start(t, argv, -1, -1) || wait_for(t, "open.wait"))
		return;
	show_pipe(t, false);
	expect_waiter(t, "open.wait");
	expect(t, "readers", 0, t->v.readers);
	expect(t, "used", 0, t->v.used);
}

static __u64 ring_bytes(const struct ipcdemo_pipe_view *v)
{
	__u64 bytes = 0;
	__u32 i;

	for (i = 0; i < v->slots; i++)
		bytes += v->ring[i].len;
	return bytes;
}

/*
 * ps ends, or fills the pipe and waits: on a machine with many processes its
 * text is longer than the pipe.
 */
static void step_holds_bytes(struct tour *t)
{
	__u64 deadline = now_ms() + DEADLINE_MS,
	      copied = count(t, "write.copy");
	bool done = false;
	int status, ready;

	if (open_read_end(t))
		return;
	while (!done) {
		done = ended(t, t->kid, &status);
		if (look(t))
			return;
		if (ipcdemo_waiting(&t->v, "write.wait")) {
			/* As in wait_for() */
			if (look(t))
				return;
			break;
		}
		if (stopped || now_ms() > deadline) {
			wrong(t, "ps does not end");
			return;
		}
		rest();
	}
	show_pipe(t, true);
	if (ioctl(t->read_end, FIONREAD, &ready))
		wrong(t, "FIONREAD: %s", strerror(errno));
	if (done && (!WIFEXITED(status) || WEXITSTATUS(status)))
		wrong(t, "ps failed: is procps installed?");
	expect(t, "writers", done ? 0 : 1, t->v.writers);
	expect(t, "readers", 1, t->v.readers);
	expect_least(t, "bytes", 1, t->v.bytes);
	expect(t, "bytes", count(t, "write.copy") - copied, t->v.bytes);
	expect(t, "bytes", ready, t->v.bytes);
	expect(t, "bytes of all slots", t->v.bytes, ring_bytes(&t->v));
}

static void step_partial_read(struct tour *t)
{
	const struct ipcdemo_slot *slot = &t->v.ring[t->v.tail % t->v.slots];
	__u64 tail = t->v.tail, bytes = t->v.bytes, offset = slot->offset;
	char line[4096], *end;
	ssize_t n, got;

	/* Up to the first line break, but not the whole slot */
	n = ipcdemo_peek(t->ipc, t->control, t->pipe, 0, line, sizeof(line),
			 NULL);
	if (n < 0) {
		wrong(t, "%s", ipcdemo_error(t->ipc));
		return;
	}
	end = memchr(line, '\n', n);
	if (end)
		n = end + 1 - line;
	if (n >= slot->len)
		n = slot->len - 1;
	got = read_in_time(t, t->read_end, line, n);
	if (got < 0 || look(t))
		return;
	printf("  read %zd bytes: %.*s\n", got, (int)strcspn(line, "\n"), line);
	show_pipe(t, true);
	slot = &t->v.ring[t->v.tail % t->v.slots];
	expect(t, "tail", tail, t->v.tail);
	expect(t, "offset", offset + n, slot->offset);
	/* A ps that waits for room may have written more meanwhile. */
	if (!t->v.writers)
		expect(t, "bytes", bytes - n, t->v.bytes);
	t->bytes = t->v.bytes;
}

/* The line of `ps aux` that is about this very process. */
static const char *own_line(char *text, const char *name)
{
	char *line, *field, *next, saved;
	bool found;

	for (line = text; *line; line = next) {
		next = line + strcspn(line, "\n");
		saved = *next;
		*next = '\0';
		field = line + strcspn(line, " ");
		found = strtol(field, NULL, 10) == getpid() &&
			strstr(line, name);
		*next = saved;
		if (found)
			return line;
		next += saved == '\n';
	}
	return NULL;
}

static void step_grep(struct tour *t)
{
	static char text[1 << 20];
	const char *const argv[] = {"grep", "-e", t->name, NULL};
	__u64 ends = count(t, "read.eof");
	const char *own;
	ssize_t n;

	if (start_captured(t, argv, t->read_end))
		return;
	close_fd(&t->read_end);
	n = read_in_time(t, t->output, text, sizeof(text) - 1);
	if (n < 0 || wait_done(t, "grep") || look(t))
		return;
	text[n] = '\0';
	own = own_line(text, t->name);
	if (own)
		show_lines(text, own);
	else
		wrong(t, "wanted the line of process %d, grep did not find it",
		      getpid());
	show_pipe(t, false);
	expect(t, "bytes", 0, t->v.bytes);
	expect(t, "used", 0, t->v.used);
	expect(t, "readers", 0, t->v.readers);
	expect(t, "writers", 0, t->v.writers);
	expect_least(t, "read.eof", ends + 1, count(t, "read.eof"));
}

static void step_read_waits(struct tour *t)
{
	const char *const argv[] = {"cat", NULL};

	if (open_ends(t) || start_captured(t, argv, t->read_end))
		return;
	close_fd(&t->read_end);
	if (wait_for(t, "read.wait"))
		return;
	show_pipe(t, false);
	expect_waiter(t, "read.wait");
	expect(t, "readers", 1, t->v.readers);
	expect(t, "writers", 1, t->v.writers);
	expect(t, "used", 0, t->v.used);
}

static void step_wakes_reader(struct tour *t)
{
	static const char hello[] = "hello\n";
	__u64 woken = count(t, "read.woken"), waits = count(t, "read.wait");
	__u64 deadline = now_ms() + DEADLINE_MS;
	char text[sizeof(hello)] = "";

	if (write(t->write_end, hello, sizeof(hello) - 1) < 0) {
		wrong(t, "write: %s", strerror(errno));
		return;
	}
	if (read_in_time(t, t->output, text, sizeof(hello) - 1) < 0)
		return;
	/* Until it has come back and waits again */
	do {
		rest();
		if (look(t))
			return;
	} while (count(t, "read.wait") == waits && now_ms() < deadline &&
		 !stopped);
	if (wait_for(t, "read.wait"))
		return;
	printf("  cat printed: %s", text);
	printf("  read.woken: %llu before, %llu now\n", woken,
	       count(t, "read.woken"));
	show_pipe(t, false);
	if (strcmp(text, hello))
		wrong(t, "wanted 'hello' from cat, it printed '%s'", text);
	expect(t, "read.woken", woken + 1, count(t, "read.woken"));
	expect_waiter(t, "read.wait");
	expect(t, "bytes", 0, t->v.bytes);
}

static void step_eof(struct tour *t)
{
	__u64 ends = count(t, "read.eof");
	__u64 closes = count(t, "close.last_writer");

	close_fd(&t->write_end);
	if (wait_done(t, "cat") || look(t))
		return;
	printf("  cat has ended with status 0; read.eof: %llu before, %llu now\n",
	       ends, count(t, "read.eof"));
	show_pipe(t, false);
	expect(t, "read.eof", ends + 1, count(t, "read.eof"));
	expect(t, "close.last_writer", closes + 1,
	       count(t, "close.last_writer"));
	expect(t, "readers", 0, t->v.readers);
	expect(t, "writers", 0, t->v.writers);
}

/* So many numbers are more than the pipe has room for. */
static unsigned int numbers(const struct tour *t)
{
	return t->v.capacity / 3;
}

static void step_write_waits(struct tour *t)
{
	char last[16];
	const char *const argv[] = {"seq", "1", last, NULL};

	snprintf(last, sizeof(last), "%u", numbers(t));
	if (open_ends(t) || start(t, argv, -1, t->write_end))
		return;
	close_fd(&t->write_end);
	if (wait_for(t, "write.wait"))
		return;
	show_pipe(t, true);
	expect_waiter(t, "write.wait");
	expect(t, "used", t->v.slots, t->v.used);
	expect(t, "readers", 1, t->v.readers);
	expect(t, "writers", 1, t->v.writers);
}

/* What `seq 1 last` prints. */
static char *sequence(unsigned int last, size_t *len)
{
	char *text = malloc((size_t)last * 11 + 1);
	unsigned int i;

	*len = 0;
	for (i = 1; text && i <= last; i++)
		*len += sprintf(text + *len, "%u\n", i);
	return text;
}

static void step_drained(struct tour *t)
{
	__u64 woken = count(t, "write.woken");
	char *wanted, *got;
	size_t len, same;
	ssize_t n = -1;

	wanted = sequence(numbers(t), &len);
	got = malloc(len + 1);
	if (wanted && got)
		n = read_in_time(t, t->read_end, got, len + 1);
	for (same = 0; n > 0 && same < len && same < (size_t)n; same++)
		if (wanted[same] != got[same])
			break;
	free(wanted);
	free(got);
	if (n < 0 || wait_done(t, "seq") || look(t))
		return;
	printf("  %zd bytes read, %zu of %zu are those that seq prints\n", n,
	       same, len);
	printf("  write.woken: %llu before, %llu now\n", woken,
	       count(t, "write.woken"));
	show_pipe(t, false);
	if ((size_t)n != len || same != len)
		wrong(t, "wanted %zu bytes in order, read %zd, right up to %zu",
		      len, n, same);
	expect_least(t, "write.woken", woken + 1, count(t, "write.woken"));
	expect(t, "used", 0, t->v.used);
	expect(t, "writers", 0, t->v.writers);
	close_fd(&t->read_end);
}

static void step_sigpipe(struct tour *t)
{
	__u64 before = count(t, "write.epipe");
	const char *const argv[] = {"yes", NULL};
	int status;

	if (open_ends(t) || start(t, argv, -1, t->write_end))
		return;
	close_fd(&t->write_end);
	if (wait_for(t, "write.wait"))
		return;
	close_fd(&t->read_end);
	if (wait_end(t, &status) || look(t))
		return;
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGPIPE)
		wrong(t, "wanted SIGPIPE for yes, its wait status is %#x",
		      status);
	else
		puts("  yes was ended by SIGPIPE");
	printf("  write.epipe: %llu before, %llu now\n", before,
	       count(t, "write.epipe"));
	show_pipe(t, false);
	expect(t, "write.epipe", before + 1, count(t, "write.epipe"));
	expect(t, "writers", 0, t->v.writers);
	expect(t, "used", 0, t->v.used);
}

static void hello_text(char *text, size_t size)
{
	snprintf(text, size, "hello, later (%d)\n", getpid());
}

static void step_kept(struct tour *t)
{
	const char *script = "printf %s \"$1\" > \"$0\"";
	char text[64], peeked[64];
	const char *const argv[] = {"sh", "-c", script, ipcdemo_device(t->ipc),
				    text, NULL};
	ssize_t n;

	hello_text(text, sizeof(text));
	if (ipcdemo_set_persistence(t->ipc, t->control, t->pipe,
				    IPCDEMO_PERSIST_KERNEL)) {
		wrong(t, "%s", ipcdemo_error(t->ipc));
		return;
	}
	if (start(t, argv, -1, -1) || wait_done(t, "the shell") || look(t))
		return;
	n = ipcdemo_peek(t->ipc, t->control, t->pipe, 0, peeked,
			 sizeof(peeked) - 1, NULL);
	if (n < 0) {
		wrong(t, "%s", ipcdemo_error(t->ipc));
		return;
	}
	peeked[n] = '\0';
	printf("  ipcdemo peek: %s", peeked);
	show_pipe(t, true);
	if (strcmp(peeked, text))
		wrong(t, "wanted the text of the shell, peek says '%s'",
		      peeked);
	if (strcmp(t->v.persistence, "kernel"))
		wrong(t, "wanted persistence kernel, the module says %s",
		      t->v.persistence);
	expect(t, "readers", 0, t->v.readers);
	expect(t, "writers", 0, t->v.writers);
	expect(t, "used", 1, t->v.used);
	expect(t, "bytes", strlen(text), t->v.bytes);
}

static void step_read_later(struct tour *t)
{
	char text[64], got[64];
	const char *const argv[] = {"cat", ipcdemo_device(t->ipc), NULL};
	ssize_t n;

	hello_text(text, sizeof(text));
	if (start_captured(t, argv, -1))
		return;
	n = read_in_time(t, t->output, got, sizeof(got) - 1);
	if (n < 0 || wait_done(t, "cat") || look(t))
		return;
	got[n] = '\0';
	printf("  cat printed: %s", got);
	show_pipe(t, false);
	if (strcmp(got, text))
		wrong(t, "wanted the same text from cat, it printed '%s'", got);
	expect(t, "used", 0, t->v.used);
	expect(t, "bytes", 0, t->v.bytes);
	if (ipcdemo_set_persistence(t->ipc, t->control, t->pipe,
				    IPCDEMO_PERSIST_PROCESS))
		wrong(t, "%s", ipcdemo_error(t->ipc));
}

/* ---- the steps with the region ------------------------------------------ */

static int look_region(struct tour *t, struct ipcdemo_region_view *r)
{
	if (!ipcdemo_region_view(t->ipc, t->region, r))
		return 0;
	wrong(t, "%s", ipcdemo_error(t->ipc));
	return -1;
}

static void show_region_lines(const struct tour *t,
			      const struct ipcdemo_region_view *r)
{
	printf("  /proc/ipcdemo/region/%u\n", t->region);
	printf("  size: %llu  pages: %llu  files: %u  maps: %u\n", r->size,
	       r->pages, r->files, r->maps);
}

static char *map_page(struct tour *t, int fd)
{
	char *map = mmap(NULL, t->page_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, t->page * t->page_size);

	if (map == MAP_FAILED)
		wrong(t, "mmap: %s", strerror(errno));
	return map;
}

/*
 * The last page that is not there yet: so the tour changes nobody's bytes, and
 * one sees a page come.  If all are there, the last one.
 */
static void choose_page(struct tour *t, int fd)
{
	__u64 n = t->r.size / t->r.page_size, i;
	unsigned char *there = calloc(n, 1);
	void *all = mmap(NULL, t->r.size, PROT_READ, MAP_SHARED, fd, 0);

	t->page_size = t->r.page_size;
	t->page = n - 1;
	t->absent = false;
	if (there && all != MAP_FAILED && !mincore(all, t->r.size, there)) {
		for (i = n; i-- > 0;) {
			if (there[i] & 1)
				continue;
			t->page = i;
			t->absent = true;
			break;
		}
	}
	if (all != MAP_FAILED)
		munmap(all, t->r.size);
	free(there);
}

/* The other process: maps the page, and writes into it when it is told to. */
static void share(struct tour *t, int in, int out)
{
	int control = ipcdemo_open(t->ipc, IPCDEMO_O_CONTROL), fd;
	char *map, text[SHARED_BYTES] = "", byte = 1;

	if (control < 0)
		_exit(1);
	fd = ipcdemo_region_fd(t->ipc, control, t->region);
	if (fd < 0)
		_exit(1);
	map = map_page(t, fd);
	close(fd);
	close(control);
	if (map == MAP_FAILED || write(out, &byte, 1) != 1)
		_exit(1);
	if (read(in, &byte, 1) != 1)
		_exit(0);
	snprintf(text, sizeof(text), "written by process %d", getpid());
	memcpy(map, text, sizeof(text));
	if (write(out, &byte, 1) != 1)
		_exit(1);
	/* Stays until the tour closes its end */
	_exit(read(in, &byte, 1) != 0);
}

static int start_sharing(struct tour *t)
{
	int to[2], from[2] = {-1, -1};
	pid_t pid;

	if (pipe2(to, O_CLOEXEC)) {
		wrong(t, "pipe: %s", strerror(errno));
		return -1;
	}
	if (pipe2(from, O_CLOEXEC)) {
		wrong(t, "pipe: %s", strerror(errno));
		close(to[0]);
		close(to[1]);
		return -1;
	}
	pid = fork_kid(t);
	if (!pid) {
		close(to[1]);
		close(from[0]);
		share(t, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	t->to_kid = to[1];
	t->from_kid = from[0];
	return pid < 0 ? -1 : 0;
}

static void expect_map_of(struct tour *t, const struct ipcdemo_maps *maps,
			  pid_t pid)
{
	size_t i;

	for (i = 0; i < maps->n; i++)
		if (maps->map[i].pid == pid)
			return;
	wrong(t, "wanted the region in /proc/%d/maps, it is not there", pid);
}

static void step_two_map(struct tour *t)
{
	struct ipcdemo_region_view r;
	struct ipcdemo_maps maps;
	size_t i;
	char byte;
	int fd;

	fd = ipcdemo_region_fd(t->ipc, t->control, t->region);
	if (fd < 0)
		wrong(t, "%s", ipcdemo_error(t->ipc));
	if (fd < 0 || look_region(t, &t->r))
		return;
	choose_page(t, fd);
	/* The other one first: it would inherit our mapping */
	if (!start_sharing(t))
		t->shared = map_page(t, fd);
	close(fd);
	/* Looking into a page that is not there would make it. */
	if (t->shared != MAP_FAILED && !t->absent)
		memcpy(t->saved, t->shared, SHARED_BYTES);
	if (t->shared == MAP_FAILED ||
	    read_in_time(t, t->from_kid, &byte, 1) != 1 || look_region(t, &r)) {
		wrong(t, "the other process could not map the region");
		return;
	}
	show_region_lines(t, &r);
	if (ipcdemo_region_maps(t->ipc, &r, &maps)) {
		wrong(t, "%s", ipcdemo_error(t->ipc));
	} else {
		for (i = 0; i < maps.n; i++)
			printf("  /proc/%d/maps: %s %08llx %s\n",
			       maps.map[i].pid, maps.map[i].perms,
			       maps.map[i].offset, maps.map[i].command);
		expect_map_of(t, &maps, getpid());
		expect_map_of(t, &maps, t->kid);
		ipcdemo_maps_free(&maps);
	}
	/* Both have closed their descriptors: two mappings are left. */
	expect(t, "maps", t->r.maps + 2, r.maps);
	expect(t, "pages", t->r.pages, r.pages);
	ipcdemo_region_view_free(&r);
}

static void step_one_sees(struct tour *t)
{
	struct ipcdemo_region_view r;
	char wanted[SHARED_BYTES], byte = 1;
	__u64 faults, before;

	if (t->from_kid < 0 || t->shared == MAP_FAILED) {
		wrong(t, "nobody shares the region with us");
		return;
	}
	snprintf(wanted, sizeof(wanted), "written by process %d", t->kid);
	if (write(t->to_kid, &byte, 1) != 1 ||
	    read_in_time(t, t->from_kid, &byte, 1) != 1) {
		wrong(t, "the other process does not answer");
		return;
	}
	printf("  process %d reads in its own memory: %.60s\n", getpid(),
	       t->shared);
	if (strncmp(t->shared, wanted, sizeof(wanted)))
		wrong(t, "wanted '%s' in our memory, it is not there", wanted);
	if (look_region(t, &r))
		return;
	before = ipcdemo_count(t->r.counters, t->r.ncounters, "map.fault");
	faults = ipcdemo_count(r.counters, r.ncounters, "map.fault");
	printf("  pages: %llu before, %llu now; map.fault: %llu before, %llu now\n",
	       t->r.pages, r.pages, before, faults);
	show_region_lines(t, &r);
	/* One page for both; each of them had to touch it once. */
	expect(t, "pages", t->r.pages + t->absent, r.pages);
	expect_least(t, "map.fault", before + 2, faults);
	ipcdemo_region_view_free(&r);
}

static void stop_sharing(struct tour *t)
{
	if (t->shared != MAP_FAILED) {
		memcpy(t->shared, t->saved, SHARED_BYTES);
		munmap(t->shared, t->page_size);
		t->shared = MAP_FAILED;
	}
	close_fd(&t->to_kid);
	close_fd(&t->from_kid);
}

static void step_no_end_kept(struct tour *t)
{
	struct ipcdemo_region_view r;
	int fd;

	stop_sharing(t);
	if (wait_done(t, "the other process"))
		return;
	fd = ipcdemo_open(t->ipc, O_RDWR);
	if (fd < 0) {
		wrong(t, "%s", ipcdemo_error(t->ipc));
		return;
	}
	t->shared = map_page(t, fd);
	if (!look(t)) {
		puts("  open and mapped:");
		show_pipe(t, false);
		expect(t, "readers", 1, t->v.readers);
		expect(t, "writers", 1, t->v.writers);
	}
	close(fd);
	if (look(t) || look_region(t, &r))
		return;
	puts("  after close, still mapped:");
	show_pipe(t, false);
	show_region_lines(t, &r);
	expect(t, "readers", 0, t->v.readers);
	expect(t, "writers", 0, t->v.writers);
	expect(t, "maps", t->r.maps + 1, r.maps);
	ipcdemo_region_view_free(&r);
	stop_sharing(t);
}

/* ---- one job, through a pipe and through a region ------------------------- */

/*
 * Two processes do it, and the receiver has what was sent.  Return: 0, or -1 with a
 * complaint.
 */
static int do_job(struct tour *t, const struct job_way *way)
{
	const struct job_report *report = t->job.report;
	pid_t sender, receiver;
	int err = way->make(&t->job, t->control);

	if (err) {
		wrong(t, "what the job needs cannot be made: %s",
		      strerror(-err));
		return -1;
	}
	receiver = fork_kid(t);
	if (!receiver)
		_exit(way->receive(&t->job));
	sender = receiver < 0 ? -1 : fork_kid(t);
	if (!sender)
		_exit(way->send(&t->job));
	if (sender < 0)
		return -1;
	way->started(&t->job);
	if (wait_done(t, "the sender"))
		return -1;
	t->kid = receiver;
	if (wait_done(t, "the receiver"))
		return -1;
	printf("  process %d sends the program of this command %u times, process %d adds up:\n",
	       sender, t->job.times, receiver);
	printf("  %llu bytes in %llu records, sum %016llx; sent: sum %016llx\n",
	       report->received, job_records(&t->job), report->sum, t->job.sum);
	expect_of(t, "bytes sent", job_bytes(&t->job), report->sent);
	expect_of(t, "bytes received", job_bytes(&t->job), report->received);
	expect_of(t, "sum", t->job.sum, report->sum);
	return *t->complaint ? -1 : 0;
}

static void step_job_pipe(struct tour *t)
{
	struct ipcdemo_pipe_view v = {0};
	struct ipcdemo_pipe_stat stat;
	struct job_cost cost;
	int err;

	err = job_begin(&t->job);
	if (err)
		wrong(t, "the job cannot begin: %s", strerror(-err));
	if (err || do_job(t, &job_by_pipe))
		return;
	if (ipcdemo_pipe_stat(t->ipc, job_by_pipe.descriptor(&t->job), 0,
			      &stat) ||
	    ipcdemo_pipe_view(t->ipc, stat.id, &v)) {
		wrong(t, "%s", ipcdemo_error(t->ipc));
		return;
	}
	job_cost_of_pipe(&v, &cost);
	printf("\n  /proc/ipcdemo/pipe/%u: %llu bytes copied in %llu calls, %llu sleeps\n",
	       stat.id, cost.copied, cost.calls, cost.sleeps);
	/* In and out */
	expect(t, "bytes copied", 2 * job_bytes(&t->job), cost.copied);
	expect_least(t, "system calls", job_fewest_calls(&t->job), cost.calls);
	if (!*t->complaint)
		t->by_pipe = cost;
	ipcdemo_pipe_view_free(&v);
}

static void step_job_region(struct tour *t)
{
	struct ipcdemo_region_view r = {0};
	struct ipcdemo_region_stat stat;
	__u64 waits, differs;
	struct job_cost cost;

	if (!t->by_pipe.calls) {
		wrong(t, "the step before did not do the job");
		return;
	}
	if (do_job(t, &job_by_ring))
		return;
	if (ipcdemo_region_stat(t->ipc, job_by_ring.descriptor(&t->job), 0,
				&stat) ||
	    ipcdemo_region_view(t->ipc, stat.id, &r)) {
		wrong(t, "%s", ipcdemo_error(t->ipc));
		return;
	}
	job_cost_of_ring(&r, &t->job, &cost);
	putchar('\n');
	job_compare(&t->job, &t->by_pipe, &cost);
	puts("\n  That is what letting different processes see the same resource buys: no byte\n"
	     "  goes through the kernel, which is called only when one has to wait for the other.");
	waits = ipcdemo_count(r.counters, r.ncounters, "word.enter");
	differs = ipcdemo_count(r.counters, r.ncounters, "word.differs");
	expect_of(t, "bytes copied", job_bytes(&t->job), cost.copied);
	/* Nobody slept but those whose word was as they expected */
	expect(t, "sleeps", waits - differs, cost.sleeps);
	expect_least(t, "pages", r.pages, cost.pages);
	expect(t, "region.write", 0,
	       ipcdemo_count(r.counters, r.ncounters, "region.write"));
	/*
	 * Were the receiver asleep for each record: it sleeps and is woken.  The
	 * sender sleeps only if the ring is full, so not for each.
	 */
	expect_most(t, "system calls", 3 * job_records(&t->job), cost.calls);
	ipcdemo_region_view_free(&r);
	job_end(&t->job);
}

/* ---- programs that know nothing of the module ---------------------------- */

/* What the library of `ipcdemo run` counts: see preload.c. */
struct made {
	__u64 ours;
	__u64 kernels;
};

/*
 * Runs a command with `ipcdemo run`.  Return: how many bytes it printed, or -1
 * with a complaint.
 */
static ssize_t run_on_ours(struct tour *t, const char *const argv[], char *text,
			   size_t size, struct made *made)
{
	int fd = memfd_create("count", MFD_CLOEXEC), err;
	char path[64];
	ssize_t n;

	if (fd < 0) {
		wrong(t, "memfd_create: %s", strerror(errno));
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), fd);
	setenv("IPCDEMO_RUN_COUNT", path, true);
	err = start_captured(t, argv, -1);
	unsetenv("IPCDEMO_RUN_COUNT");
	n = err ? -1 : read_in_time(t, t->output, text, size - 1);
	if (n >= 0 && wait_done(t, "ipcdemo run"))
		n = -1;
	if (n >= 0 && pread(fd, made, sizeof(*made), 0) != sizeof(*made)) {
		wrong(t, "the library was not loaded: it counted nothing");
		n = -1;
	}
	close(fd);
	if (n >= 0)
		text[n] = '\0';
	return n;
}

/* This very command, wherever it is. */
static const char self[] = "/proc/self/exe";

static void show_made(const struct made *made)
{
	char buf[32];

	printf("  made meanwhile: %s of the module, %llu of the kernel\n",
	       plural(made->ours, "pipe", buf, sizeof(buf)), made->kernels);
}

static void step_shell(struct tour *t)
{
	static char text[1 << 20];
	char line[128];
	const char *const argv[] = {self, "run", "--", "bash",
				    "-c", line,	 NULL};
	const char *own;
	struct made made;

	snprintf(line, sizeof(line), "ps aux | grep %s", t->name);
	printf("  $ ipcdemo run -- bash -c '%s'\n", line);
	if (run_on_ours(t, argv, text, sizeof(text), &made) < 0)
		return;
	own = own_line(text, t->name);
	if (own)
		show_lines(text, own);
	else
		wrong(t, "wanted the line of process %d, grep did not find it",
		      getpid());
	show_made(&made);
	expect_least(t, "pipes of the module", 1, made.ours);
	expect(t, "pipes of the kernel", 0, made.kernels);
}

static void step_textbook(struct tour *t)
{
	static const char wanted[] = "hello, parent\n";
	char text[64], path[PATH_MAX + 32];
	const char *const argv[] = {self, "run", path, NULL};
	struct made made;

	if (find_part("textbook", "lib/ipcdemo", path, sizeof(path))) {
		wrong(t, "there is no program textbook");
		return;
	}
	puts("  $ cc -o textbook userspace/textbook.c; ipcdemo run ./textbook");
	if (run_on_ours(t, argv, text, sizeof(text), &made) < 0)
		return;
	printf("  > %s", text);
	show_made(&made);
	if (strcmp(text, wanted))
		wrong(t, "wanted '%.*s' from the child",
		      (int)sizeof(wanted) - 2, wanted);
	expect(t, "pipes of the module", 1, made.ours);
	expect(t, "pipes of the kernel", 0, made.kernels);
}

/* ---- a bug of Linux, on a copy of the module ----------------------------- */

/* The default objects; after a swap these are others. */
static int find_objects(struct tour *t)
{
	if (ipcdemo_default(t->ipc, IPCDEMO_PIPE, &t->pipe) ||
	    ipcdemo_default(t->ipc, IPCDEMO_REGION, &t->region))
		return -1;
	t->control = ipcdemo_open(t->ipc, IPCDEMO_O_CONTROL);
	return t->control < 0 ? -1 : 0;
}

/* A file of the folder that tests/plant-bug made. */
static const char *bug_file(const struct tour *t, const char *name, char *path)
{
	snprintf(path, PATH_MAX, "%s/%s", t->bug, name);
	return path;
}

/* Return: 0; -1 with a complaint, or with a reason to leave it out. */
static int swap_module(struct tour *t, bool back)
{
	char why[250], version[64];
	int err;

	/* Nothing of ours may be open in what is taken out. */
	close_fd(&t->control);
	ipcdemo_pipe_view_free(&t->v);
	err = back ? swap_back(t->swap, why, sizeof(why))
		   : swap_in(t->swap, why, sizeof(why));
	if (find_objects(t)) {
		wrong(t, "%s", ipcdemo_error(t->ipc));
		return -1;
	}
	if (err == -EBUSY && !back) {
		snprintf(t->left_out, sizeof(t->left_out), "%s; `%s`", why,
			 "ipcdemo show` and `ipcdemo region show` say who");
		return -1;
	}
	if (err) {
		wrong(t, "%s", why);
		return -1;
	}
	module_srcversion(version, sizeof(version));
	printf("  rmmod ipcdemo, insmod %s: srcversion %s\n",
	       back ? "the real one" : "the copy with the bug", version);
	if (back != !strcmp(version, t->version))
		wrong(t, "wanted %s, srcversion %s, the real one has %s",
		      back ? "the real module" : "another module", version,
		      t->version);
	return *t->complaint ? -1 : 0;
}

/*
 * Prints what the stepper says, up to the end or to the line that it stays.
 * Return: 1: it stays, 0: that was the end, -1 with a complaint.
 */
static int show_schedule(struct tour *t)
{
	__u64 deadline = now_ms() + DEADLINE_MS;
	struct pollfd p = {.fd = t->output, .events = POLLIN};
	char line[400];
	size_t len = 0;
	ssize_t n;

	for (;;) {
		if (stopped || now_ms() > deadline) {
			wrong(t, "the stepper does not come to an end");
			return -1;
		}
		if (poll(&p, 1, LOOK_AGAIN_MS * 10) <= 0)
			continue;
		n = read(t->output, line + len, 1);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return 0;
		if (line[len] != '\n' && len < sizeof(line) - 2) {
			len++;
			continue;
		}
		line[len + (line[len] != '\n')] = '\0';
		len = 0;
		if (!strncmp(line, "all stays as it is", 18))
			return 1;
		printf("  > %s\n", line);
		fflush(stdout);
	}
}

/* Runs the schedule of the bug.  Return: as show_schedule(). */
static int run_schedule(struct tour *t)
{
	/* What it says on standard error belongs into the story. */
	const char *script = "exec 2>&1 \"$0\" step --explain --stay \"$1\"";
	char schedule[PATH_MAX], self[PATH_MAX];
	const char *const argv[] = {"sh", "-c", script, self, schedule, NULL};
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0) {
		wrong(t, "/proc/self/exe: %s", strerror(errno));
		return -1;
	}
	self[n] = '\0';
	printf("  $ ipcdemo step --explain --stay %s\n",
	       bug_file(t, "schedule.step", schedule));
	return start_captured(t, argv, -1) ? -1 : show_schedule(t);
}

/* The one who sleeps in write, and for how long; NULL: nobody. */
static const struct ipcdemo_waiter *sleeping_writer(const struct tour *t)
{
	size_t i;

	for (i = 0; i < t->v.nwaiters; i++)
		if (!strcmp(t->v.waiters[i].point, "write.wait"))
			return &t->v.waiters[i];
	return NULL;
}

static void step_hang(struct tour *t)
{
	const struct ipcdemo_waiter *w;
	int status, stays;

	if (swap_module(t, false))
		return;
	stays = run_schedule(t);
	if (stays == 0)
		wrong(t, "wanted a hang, the schedule came to its end");
	if (stays <= 0 || look(t))
		return;
	putchar('\n');
	show_pipe(t, false);
	w = sleeping_writer(t);
	if (w)
		printf("  %u of %u slots are free, and %s sleeps in write. %s\n",
		       t->v.slots - t->v.used, t->v.slots, w->command,
		       "Nobody has a reason to wake it.");
	expect(t, "used", 0, t->v.used);
	expect(t, "tasks at write.wait", 1,
	       ipcdemo_waiting(&t->v, "write.wait"));
	expect_least(t, "readers", 1, t->v.readers);
	kill(t->kid, SIGTERM);
	/* That is how it ends: by the signal, when it has tidied up */
	if (!wait_end(t, &status) &&
	    (!WIFSIGNALED(status) || WTERMSIG(status) != SIGTERM))
		wrong(t, "the stepper ended with wait status %#x", status);
}

static void step_no_hang(struct tour *t)
{
	int stays;

	if (swap_module(t, true))
		return;
	stays = run_schedule(t);
	if (stays > 0)
		wrong(t, "the real module hangs as well");
	if (stays || wait_done(t, "the schedule") || look(t))
		return;
	putchar('\n');
	show_pipe(t, false);
	expect(t, "waiters", 0, t->v.nwaiters);
	expect(t, "readers", 0, t->v.readers);
	expect(t, "writers", 0, t->v.writers);
}

/**
 * struct step - a stop of the tour
 * @title:	what is going on
 * @sentence:	what to look at
 * @run:	makes it happen, shows it, and checks it
 */
struct step {
	const char *title;
	const char *sentence;
	void (*run)(struct tour *t);
};

static const struct step steps[] = {
	{"before anything",
	 "The ring is empty, head and tail are one, and nobody has an end.",
	 step_before},
	{"while a writer waits in open",
	 "`ps aux > /dev/ipcdemo` cannot go on before somebody opens to read.",
	 step_open_waits},
	{"while the pipe holds bytes",
	 "A reader has come and reads nothing yet: the text of ps is in the slots.",
	 step_holds_bytes},
	{"after a partial read",
	 "One line was read: the tail stays, the offset in its slot has moved.",
	 step_partial_read},
	{"grep reads the rest",
	 "`| grep NAME` finds this process in what ps wrote; the pipe is empty.",
	 step_grep},
	{"while a reader waits",
	 "The pipe is empty but has a writer, so cat sleeps in read.",
	 step_read_waits},
	{"bytes wake the reader",
	 "6 bytes were written: cat was woken, printed them, and sleeps again.",
	 step_wakes_reader},
	{"at end of file",
	 "The last writer has left an empty pipe: the read of cat returns 0.",
	 step_eof},
	{"while a writer waits on a full pipe",
	 "seq has more to say than there are slots: all are used, it sleeps.",
	 step_write_waits},
	{"draining lets the writer go",
	 "Each slot that was read is room for seq; no byte is lost or out of order.",
	 step_drained},
	{"a writer without a reader",
	 "The only reader closes while yes sleeps in write: that is SIGPIPE.",
	 step_sigpipe},
	{"bytes that nobody has open",
	 "With kernel persistence they stay when the writer has left.",
	 step_kept},
	{"read later",
	 "cat opens the pipe long after the writer, and gets the bytes.",
	 step_read_later},
	{"two processes map the region",
	 "Both have it in /proc/PID/maps; mapping alone makes no page.",
	 step_two_map},
	{"one sees what the other wrote",
	 "There is one page for both: it came with the first touch.",
	 step_one_sees},
	{"a mapping keeps no end open",
	 "mmap needs both ends open; after close only the mapping is left.",
	 step_no_end_kept},
	{"a job for two processes, through a pipe",
	 "Records of 4 KiB: a write and a read each, and the kernel copies each byte twice.",
	 step_job_pipe},
	{"the same job, through a region",
	 "The records go through a ring of libipcdemo(3) in memory that both see.",
	 step_job_region},
	{"a pipeline of a shell that does not know",
	 "Each pipe that bash makes is one of the module: grep finds the tour through it.",
	 step_shell},
	{"the program of any textbook",
	 "pipe, fork, close the unused ends, write, read: compiled as it stands.",
	 step_textbook},
};

/* These need the copy of the module with the bug. */
static const struct step bug_steps[] = {
	{"a hang of Linux, on a copy with that bug",
	 "Until commit 3d252160b818 (2025) a writer loaded head and tail one after the other,\n"
	 "  and hackbench hung. The copy does that too. Three tasks take their steps in the\n"
	 "  order that luck would need: comments say what is to be seen.",
	 step_hang},
	{"the same steps, on the real code",
	 "Head and tail are one word here, loaded at one moment: W sees that there is room.",
	 step_no_hang},
};

static size_t count_steps(const struct tour *t)
{
	return ARRAY_SIZE(steps) + (t->swap ? ARRAY_SIZE(bug_steps) : 0);
}

/* ---- from beginning to end ---------------------------------------------- */

/* Looks whether the steps with the bug can be taken.  Return: 0 or FAILED. */
static int begin_bug(struct tour *t)
{
	char real[PATH_MAX], other[PATH_MAX], version[64];

	if (!t->bug || geteuid())
		return 0;
	bug_file(t, "real.ko", real);
	module_srcversion(t->version, sizeof(t->version));
	if (!modinfo(real, "srcversion", version, sizeof(version)))
		return fail("%s is no module: `%s` makes that folder", real,
			    "tests/plant-bug two-loads");
	if (strcmp(version, t->version))
		return fail("%s is not the module that is loaded (srcversion %s, not %s): %s",
			    real, version, t->version, "build both again");
	t->swap = swap_begin(real, bug_file(t, "patched.ko", other));
	return t->swap ? 0 : FAILED;
}

static void tell_left_out(const struct tour *t)
{
	static const char chapter[] =
		"There is one more chapter: a hang of Linux, stepped on a copy of the module that\n"
		"has this bug, and then on the real code.\n";
	static const char for_root[] =
		"Left out: it takes the module out and puts it in; only root may do that.\n";
	static const char needs[] =
		"Left out: it needs that copy. With the sources, `make demo` builds it and shows\n"
		"all in a VM; or `tests/plant-bug two-loads`, then, as root and while nobody uses\n"
		"the module, `ipcdemo tour --bug build/mutants/two-loads`.\n";

	if (!t->swap)
		printf("%s%s\n", chapter, t->bug ? for_root : needs);
}

/* Nobody else may have the pipe: the tour would wait for what they do. */
static int begin(struct tour *t)
{
	struct ipcdemo_pipe_view *v = &t->v;

	if (find_objects(t) || ipcdemo_pipe_view(t->ipc, t->pipe, v))
		return fail_ipc(t->cli);
	if (v->readers || v->writers || v->nwaiters)
		return fail("somebody has the pipe open: %s",
			    "`ipcdemo show` says who; try again later");
	if (v->bytes)
		return fail("the pipe holds %llu bytes: first %s", v->bytes,
			    "take them out with `ipcdemo read -n`");
	if (ipcdemo_get_persistence(t->ipc, t->control, t->pipe,
				    &t->persistence) ||
	    ipcdemo_get_capacity(t->ipc, t->control, t->pipe, &t->capacity))
		return fail_ipc(t->cli);
	t->own = true;
	if (t->persistence != IPCDEMO_PERSIST_PROCESS &&
	    ipcdemo_set_persistence(t->ipc, t->control, t->pipe,
				    IPCDEMO_PERSIST_PROCESS))
		return fail_ipc(t->cli);
	return begin_bug(t);
}

/* Lets go of all that a step may have left: ends, mappings, processes. */
static void clear(struct tour *t)
{
	int i;

	close_fd(&t->read_end);
	close_fd(&t->write_end);
	close_fd(&t->output);
	stop_sharing(t);
	job_end(&t->job);
	for (i = 0; i < MAX_KIDS; i++) {
		if (!t->kids[i])
			continue;
		kill(t->kids[i], SIGKILL);
		while (waitpid(t->kids[i], NULL, 0) < 0 && errno == EINTR)
			;
		t->kids[i] = 0;
	}
	t->kid = 0;
}

/* Leaves the pipe as it was found: empty, and nobody there. */
static int leave(struct tour *t)
{
	__u64 capacity;
	int err = 0;

	clear(t);
	if (t->swap) {
		close_fd(&t->control);
		ipcdemo_pipe_view_free(&t->v);
		if (swap_end(t->swap))
			return FAILED;
		if (t->own && find_objects(t))
			return fail_ipc(t->cli);
	}
	if (t->own) {
		/* To process first, which drops what may be left */
		err = ipcdemo_set_persistence(t->ipc, t->control, t->pipe,
					      IPCDEMO_PERSIST_PROCESS);
		if (!err && t->persistence != IPCDEMO_PERSIST_PROCESS)
			err = ipcdemo_set_persistence(t->ipc, t->control,
						      t->pipe, t->persistence);
		if (!err)
			err = ipcdemo_get_capacity(t->ipc, t->control, t->pipe,
						   &capacity);
		if (!err && capacity != t->capacity)
			err = ipcdemo_set_capacity(t->ipc, t->control, t->pipe,
						   &t->capacity);
	}
	close_fd(&t->control);
	ipcdemo_pipe_view_free(&t->v);
	ipcdemo_region_view_free(&t->r);
	return err ? fail_ipc(t->cli) : 0;
}

static const char *color(const struct tour *t, const char *code)
{
	return t->cli->style.color ? code : "";
}

/* Return: how many were as expected; those left out are counted in *left. */
static size_t take_steps(struct tour *t, size_t *left)
{
	size_t i, good = 0, n = count_steps(t);
	const struct step *step;

	for (i = 0; i < n && !stopped; i++) {
		*t->complaint = '\0';
		step = i < ARRAY_SIZE(steps)
			       ? &steps[i]
			       : &bug_steps[i - ARRAY_SIZE(steps)];
		printf("%s%zu/%zu  %s%s\n  %s\n\n", color(t, "\033[1m"), i + 1,
		       n, step->title, color(t, "\033[0m"), step->sentence);
		fflush(stdout);
		if (!*t->left_out)
			step->run(t);
		if (stopped)
			break;
		if (*t->left_out) {
			*left += 1;
			printf("\n  left out: %s\n\n", t->left_out);
		} else if (*t->complaint) {
			printf("\n  %sNOT as expected: %s%s\n\n",
			       color(t, "\033[31m"), t->complaint,
			       color(t, "\033[0m"));
			clear(t);
		} else {
			good++;
			printf("\n  %sok%s\n\n", color(t, "\033[32m"),
			       color(t, "\033[0m"));
		}
		fflush(stdout);
	}
	return good;
}

static int walk(struct cli *cli, const char *name, const char *bug)
{
	struct sigaction on_signal = {.sa_handler = stop};
	struct tour t = {
		.cli = cli,
		.ipc = cli->ipc,
		.control = -1,
		.name = name,
		.bug = bug,
		.read_end = -1,
		.write_end = -1,
		.output = -1,
		.shared = MAP_FAILED,
		.to_kid = -1,
		.from_kid = -1,
		.job.ends = {-1, -1},
	};
	size_t good = 0, left = 0;
	int status;

	/* Without SA_RESTART: what waits comes back and sees it. */
	sigaction(SIGINT, &on_signal, NULL);
	sigaction(SIGTERM, &on_signal, NULL);
	sigaction(SIGHUP, &on_signal, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);

	status = begin(&t);
	if (!status)
		good = take_steps(&t, &left);
	if (!status && !stopped)
		tell_left_out(&t);
	if (leave(&t))
		status = FAILED;
	if (stopped) {
		fail("stopped; the pipe is as it was before");
		signal(stopped, SIG_DFL);
		raise(stopped);
	}
	if (!t.own)
		return status;
	printf("tour: %zu steps, %zu as expected", count_steps(&t), good);
	if (left)
		printf(", %zu left out", left);
	putchar('\n');
	return good + left == count_steps(&t) ? status : FAILED;
}

int cmd_tour(struct cli *cli, int argc, char **argv)
{
	const char *name = "ipcdemo", *bug = NULL, *c;
	int id;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case OPT_BUG:
			bug = optarg;
			break;
		case OPT_NAME:
			name = optarg;
			break;
		case OPT_COLOR:
			if (set_color(cli, optarg))
				break;
			return usage(cli, "--color is auto, always or never");
		case OPT_NO_COLOR:
			set_color(cli, "never");
			break;
		default:
			return USAGE;
		}
	}
	/* Anything else could be an expression that does not match itself. */
	for (c = name; isalnum((unsigned char)*c) || *c == '_'; c++)
		;
	if (*c || c == name)
		return usage(cli, "--name takes a word of letters and digits");
	return no_more(cli, argc, argv) ?: walk(cli, name, bug);
}

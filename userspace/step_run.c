// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a schedule on the default pipe (see step.h)
 *
 * Each task is a process.  It waits at a socket for its next operation, does
 * it, and waits again; a gate of ours stands for it at every point.  So a task
 * moves only when it is told to: by an operation, or by being let through.
 * After each such move we wait until all tasks are at rest: held, asleep in the
 * pipe, waiting for its lock, or at their sockets.  At most one task is told to
 * move at a time, so what comes out does not depend on the scheduler.
 *
 * Ownership.  The gates belong to our control descriptor, the tasks die with us
 * (PR_SET_PDEATHSIG): whatever happens to us, nobody stays held.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "step.h"

#define SIGNALS 32

/**
 * struct share - what a task and we both see
 * @ready:	1: the task has opened what it shall open; else -errno, 0: not yet
 * @op:		what it shall do; it has a copy of the schedule at the same place
 * @target:	the process that the operation is about
 * @end:	its descriptor of the pipe, -1: none
 * @done:	how many operations are over
 * @result:	of the last one; negative: -errno
 * @caught:	how often a signal came
 * @data:	what was read last
 */
struct share {
	atomic_int ready;
	const struct step_op *op;
	pid_t target;
	int end;
	atomic_uint done;
	long long result;
	atomic_uint caught[SIGNALS];
	char data[STEP_BYTES];
};

/**
 * struct worker - a task while the schedule runs
 * @pid:	its process, 0: none
 * @pidfd:	readable once it has ended
 * @socket:	tells it to begin an operation, and us that one is over
 * @output:	what a command prints
 * @queue:	its operations, @queued of them, @begun of which were begun and
 *		@done are over
 * @last:	the last one that is over, NULL: none
 * @result:	its result
 * @free:	it was let go: it moves as soon as it can
 * @gone:	the process has ended, with @status
 * @moved:	it was told to move, and where it came to was not told yet
 * @now:	where it is
 * @told:	what was told of it last
 */
struct worker {
	const struct step_task *task;
	pid_t pid;
	int pidfd;
	int socket;
	int output;
	struct share *share;
	const struct step_op **queue;
	size_t queued;
	size_t begun;
	size_t done;
	const struct step_op *last;
	long long result;
	bool free;
	bool gone;
	bool moved;
	struct ipcdemo_arrival now;
	struct ipcdemo_arrival told;
};

/**
 * struct run - a schedule that runs
 * @pipe:	the id of the default pipe
 * @control:	our control descriptor, -1: none
 * @guard:	both ends, while the tasks open theirs
 * @changed:	the pipe is ours: put it back at the end
 * @persistence: of the pipe before
 * @capacity:	likewise
 * @base:	the pipe when the schedule began
 * @counters:	likewise, what was counted
 * @line:	the line being run; NULL: none yet
 * @deadline:	when it must be done
 */
struct run {
	struct cli *cli;
	const struct schedule *s;
	struct step_report *report;
	__u32 pipe;
	int control;
	int guard;
	bool changed;
	__u64 persistence;
	__u64 capacity;
	struct ipcdemo_pipe_stat base;
	struct ipcdemo_pipe_view counters;
	const struct step_line *line;
	__u64 deadline;
	size_t n;
	struct worker workers[STEP_TASKS];
};

/* ---- signals to us ------------------------------------------------------ */

static const int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	interrupted = signal;
}

int step_interrupted(void)
{
	return interrupted;
}

void step_catch_signals(void)
{
	/* Without SA_RESTART: what we wait in shall end. */
	struct sigaction action = {.sa_handler = interrupt}, old;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(deadly); i++)
		if (!sigaction(deadly[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(deadly[i], &action, NULL);
	signal(SIGCHLD, SIG_DFL);
}

/* ---- the side of the task ----------------------------------------------- */

static struct share *mine;

static void caught(int signal)
{
	mine->caught[signal]++;
}

static void set_handlers(const struct step_task *task)
{
	static const int counted[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGTERM,
				      SIGPIPE};
	struct sigaction action = {
		.sa_handler = caught,
		.sa_flags = task->restart ? SA_RESTART : 0,
	};
	size_t i;

	/* From the keyboard: they are for the stepper, which ends us. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	for (i = 0; i < ARRAY_SIZE(counted); i++)
		sigaction(counted[i], &action, NULL);
}

static int open_flags(enum step_end end, bool nonblock)
{
	static const int modes[] = {
		[STEP_READ] = O_RDONLY,
		[STEP_WRITE] = O_WRONLY,
		[STEP_BOTH] = O_RDWR,
	};

	return modes[end] | (nonblock ? O_NONBLOCK : 0) | O_CLOEXEC;
}

/**
 * struct self - what a task has
 * @opened:	which end of the pipe it opened last
 * @control:	a control descriptor of its own, for resize
 * @fill:	what it writes
 */
struct self {
	struct ipcdemo *ipc;
	const char *device;
	enum step_end opened;
	int control;
	int output;
	char *fill;
};

static long long open_end(struct self *self, enum step_end end, bool nonblock)
{
	int fd = open(self->device, open_flags(end, nonblock));

	if (fd < 0)
		return -errno;
	if (mine->end >= 0)
		close(mine->end);
	mine->end = fd;
	self->opened = end;
	return 0;
}

static long long close_end(void)
{
	int fd = mine->end;

	mine->end = -1;
	return close(fd) ? -errno : 0;
}

static long long ask(unsigned int mask)
{
	struct pollfd p = {.fd = mine->end, .events = mask};

	/* POLLERR and POLLHUP are told of a bad descriptor, too: no pipe is it */
	if (mine->end < 0)
		return -EBADF;
	return poll(&p, 1, 0) < 0 ? -errno : p.revents;
}

static long long resize(struct self *self, __u64 bytes)
{
	int err;

	err = ipcdemo_set_capacity(self->ipc,
				   mine->end >= 0 ? mine->end : self->control,
				   0, &bytes);
	return err ?: (long long)bytes;
}

/* Becomes the command; the gates stay, they are for this process. */
static long long run_command(struct self *self, char **argv)
{
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out = self->output;

	if (self->opened == STEP_READ || self->opened == STEP_BOTH)
		in = mine->end;
	if (self->opened == STEP_WRITE || self->opened == STEP_BOTH)
		out = mine->end;
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		return -errno;
	/* Else closing standard input would not be the last close. */
	if (mine->end >= 0)
		close(mine->end);
	mine->end = self->opened == STEP_WRITE ? STDOUT_FILENO : STDIN_FILENO;
	execvp(argv[0], argv);
	return -errno;
}

static long long perform(struct self *self, const struct step_op *op)
{
	ssize_t n = 0;

	switch (op->kind) {
	case STEP_OP_OPEN:
		return open_end(self, op->end, op->nonblock);
	case STEP_OP_READ:
		n = read(mine->end, mine->data, op->number);
		break;
	case STEP_OP_WRITE:
		n = write(mine->end, op->data ?: self->fill, op->number);
		break;
	case STEP_OP_CLOSE:
		return close_end();
	case STEP_OP_POLL:
		return ask(op->mask);
	case STEP_OP_RESIZE:
		return resize(self, op->number);
	case STEP_OP_SIGNAL:
		if (mine->target <= 0)
			return -ESRCH;
		n = kill(mine->target, op->signal);
		break;
	case STEP_OP_RUN:
		return run_command(self, op->argv);
	}
	return n < 0 ? -errno : n;
}

static void work(struct self *self, int socket)
{
	char byte;
	ssize_t n;

	for (;;) {
		n = read(socket, &byte, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n != 1)
			_exit(0);
		mine->result = perform(self, mine->op);
		mine->done++;
		while (write(socket, "", 1) < 0 && errno == EINTR)
			;
	}
}

static void be_task(struct run *r, struct worker *w, int socket, pid_t parent)
{
	struct self self = {
		.ipc = r->cli->ipc,
		.device = ipcdemo_device(r->cli->ipc),
		.output = w->output,
	};
	long long err = 0;

	mine = w->share;
	mine->end = -1;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	prctl(PR_SET_NAME, w->task->name);
	set_handlers(w->task);
	self.control = open(self.device, IPCDEMO_O_CONTROL | O_CLOEXEC);
	self.fill = malloc(STEP_BYTES);
	if (self.control < 0 || !self.fill)
		err = -errno;
	else
		memset(self.fill, w->task->name[0], STEP_BYTES);
	if (!err && w->task->opens)
		err = open_end(&self, w->task->opens, w->task->nonblock);
	mine->ready = err ?: 1;
	work(&self, socket);
}

/* ---- words -------------------------------------------------------------- */

__printf(2, 3) static int failed(struct run *r, const char *fmt, ...)
{
	char *what = NULL;
	va_list ap;

	if (r->report->failure || interrupted)
		return FAILED;
	va_start(ap, fmt);
	if (vasprintf(&what, fmt, ap) < 0)
		what = NULL;
	va_end(ap);
	if (!what)
		return fail("out of memory");
	if (!r->line) {
		r->report->failure = what;
		return FAILED;
	}
	if (asprintf(&r->report->failure, "%s:%u: %s", r->s->file,
		     r->line->line, what) < 0)
		r->report->failure = NULL;
	free(what);
	return r->report->failure ? FAILED : fail("out of memory");
}

static int failed_ipc(struct run *r)
{
	return failed(r, "%s", ipcdemo_error(r->cli->ipc));
}

static bool left_to_do(const struct worker *w)
{
	return w->begun < w->queued;
}

static bool in_op(const struct worker *w)
{
	return w->begun > w->done;
}

static bool is_over(const struct worker *w)
{
	return w->gone || (!in_op(w) && !left_to_do(w));
}

static const char *result_words(const struct step_op *op, long long result,
				char *buf, size_t size)
{
	if (result < 0)
		snprintf(buf, size, "%s", step_errno_name(-result));
	else if (op->kind == STEP_OP_POLL)
		step_poll_words(result, buf, size);
	else
		snprintf(buf, size, "%lld", result);
	return buf;
}

/* What a task is doing, as the end of a sentence that begins with its name. */
static const char *doing(const struct worker *w, char *buf, size_t size)
{
	char result[40];

	if (w->gone) {
		snprintf(buf, size, "is gone");
		return buf;
	}
	switch (w->now.state) {
	case IPCDEMO_TASK_HELD:
		snprintf(buf, size, "is at %s", w->now.point);
		return buf;
	case IPCDEMO_TASK_ASLEEP:
		snprintf(buf, size, "is asleep at %s", w->now.point);
		return buf;
	case IPCDEMO_TASK_LOCK:
		snprintf(buf, size, "waits for the lock at %s", w->now.point);
		return buf;
	case IPCDEMO_TASK_RUNNING:
		snprintf(buf, size, "is running%s%s",
			 *w->now.point ? ", was last at " : "", w->now.point);
		return buf;
	}
	if (in_op(w))
		snprintf(buf, size, "is not in the pipe (%s)",
			 w->queue[w->begun - 1]->text);
	else if (!w->last)
		snprintf(buf, size, "has not begun");
	else
		snprintf(buf, size, "is %s: %s gave %s",
			 left_to_do(w) ? "between two calls" : "done",
			 w->last->text,
			 result_words(w->last, w->result, result,
				      sizeof(result)));
	return buf;
}

static int relative(const struct run *r, __s64 index)
{
	return (__u32)index - r->base.head;
}

/* What the point knows, in parentheses; indices count from our start. */
static void tell_values(const struct run *r, const struct ipcdemo_arrival *a)
{
	FILE *to = r->report->to;
	size_t len = strlen(a->point);
	const char *comma = " (";

	if (a->len >= 0) {
		fprintf(to, "%slen %lld", comma, a->len);
		comma = ", ";
	}
	if (a->head >= 0) {
		fprintf(to, "%shead %d, tail %d", comma, relative(r, a->head),
			relative(r, a->tail));
		comma = ", ";
	}
	if (len > 7 && !strcmp(a->point + len - 7, ".return")) {
		if (a->decided < 0)
			fprintf(to, "%s%s", comma,
				step_errno_name(-a->decided));
		else
			fprintf(to, "%sresult %lld", comma, a->decided);
		comma = ", ";
	} else if (a->decided == 0 || a->decided == 1) {
		fprintf(to, "%sdecided %s", comma, a->decided ? "yes" : "no");
		comma = ", ";
	}
	if (*comma == ',')
		putc(')', to);
}

static bool in_call(const struct worker *w)
{
	return w->now.state == IPCDEMO_TASK_HELD ||
	       w->now.state == IPCDEMO_TASK_ASLEEP ||
	       w->now.state == IPCDEMO_TASK_LOCK;
}

/* Where tasks came to, since it was told last. */
static void tell(struct run *r)
{
	FILE *to = r->report->to;
	struct worker *w;
	char words[160];
	int point;

	for (w = r->workers; w < r->workers + r->n; w++) {
		if (!w->moved && w->now.state == w->told.state &&
		    !strcmp(w->now.point, w->told.point))
			continue;
		w->moved = false;
		w->told = w->now;
		if (!r->report->verbose)
			continue;
		point = step_point(w->now.point);
		if (!in_call(w) || point < 0) {
			fprintf(to, "         %s %s\n", w->task->name,
				doing(w, words, sizeof(words)));
			continue;
		}
		fprintf(to, "         %s  %s: %s", w->task->name, w->now.point,
			step_point_sentence(point));
		tell_values(r, &w->now);
		putc('\n', to);
	}
}

/* ---- waiting until all are at rest -------------------------------------- */

static __u64 now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

static int ms_left(const struct run *r)
{
	__u64 now = now_ms();

	return now < r->deadline ? r->deadline - now : 0;
}

/* Is it in an operation, and asleep where we do not see why? */
static bool is_elsewhere(const struct worker *w)
{
	return w->pid && !w->gone && in_op(w) &&
	       w->now.state == IPCDEMO_TASK_IDLE;
}

static int too_slow(struct run *r)
{
	char words[160];
	struct worker *w;

	for (w = r->workers; w < r->workers + r->n; w++)
		if (!w->gone &&
		    (w->now.state == IPCDEMO_TASK_RUNNING || is_elsewhere(w)))
			return failed(r, "after %g s, %s %s: %s",
				      r->report->timeout_ms / 1000.0,
				      w->task->name,
				      doing(w, words, sizeof(words)),
				      "it did not come to a point");
	return failed(r, "this took longer than %g s",
		      r->report->timeout_ms / 1000.0);
}

static void finish(struct worker *w, long long result)
{
	w->last = w->queue[w->begun - 1];
	w->result = result;
	w->done = w->begun;
	w->moved = true;
}

/* What has ended: processes and operations. */
static void take_results(struct worker *w)
{
	int status;
	char byte;

	if (w->now.state == IPCDEMO_TASK_GONE &&
	    waitpid(w->pid, &status, WNOHANG) == w->pid) {
		w->gone = true;
		w->moved = true;
		if (in_op(w) && w->queue[w->begun - 1]->kind == STEP_OP_RUN)
			finish(w, WIFSIGNALED(status) ? 128 + WTERMSIG(status)
						      : WEXITSTATUS(status));
		return;
	}
	if (w->now.state == IPCDEMO_TASK_IDLE && in_op(w) &&
	    w->share->done > w->done) {
		finish(w, w->share->result);
		if (recv(w->socket, &byte, 1, MSG_DONTWAIT) < 0)
			return; /* it comes, or it was ended: both are seen */
	}
}

/* Asks what all are doing; waits until none is running. */
static int look(struct run *r, __u32 flags)
{
	struct ipcdemo_arrival tasks[STEP_TASKS] = {0};
	struct worker *w;
	size_t n = 0;
	int err;

	for (w = r->workers; w < r->workers + r->n; w++)
		if (!w->gone)
			tasks[n++].pid = w->pid;
	err = ipcdemo_tasks(r->cli->ipc, r->control, flags, ms_left(r), tasks,
			    n);
	if (err && err != -ETIMEDOUT)
		return failed_ipc(r);
	n = 0;
	for (w = r->workers; w < r->workers + r->n; w++) {
		if (w->gone)
			continue;
		w->now = tasks[n++];
		take_results(w);
	}
	return err ? too_slow(r) : 0;
}

/*
 * A command may sleep anywhere.  The next that we can see of it is that it
 * comes to a gate, or that it ends.
 */
static int wait_for_elsewhere(struct run *r)
{
	struct pollfd fds[1 + 2 * STEP_TASKS];
	struct ipcdemo_arrival arrival;
	struct worker *w;
	size_t n = 0, i;
	int err;

	/* Those that we know of from looking; what comes later is news. */
	while (!(err = ipcdemo_gate_wait(r->cli->ipc, r->control, 0, &arrival)))
		;
	if (err != -ETIMEDOUT)
		return failed_ipc(r);
	err = look(r, 0);
	if (err)
		return err;
	fds[n++] = (struct pollfd){.fd = r->control, .events = POLLIN};
	for (w = r->workers; w < r->workers + r->n; w++) {
		if (!is_elsewhere(w))
			continue;
		fds[n++] = (struct pollfd){.fd = w->pidfd, .events = POLLIN};
		if (w->queue[w->begun - 1]->kind != STEP_OP_RUN)
			fds[n++] = (struct pollfd){.fd = w->socket,
						   .events = POLLIN};
	}
	if (n == 1)
		return 0;
	err = poll(fds, n, ms_left(r));
	if (err < 0)
		return failed(r, "poll: %s", strerror(errno));
	for (i = 0; !err && i < n; i++)
		fds[i].revents = 0;
	return err ? 0 : too_slow(r);
}

/* Why it cannot be told to move; NULL: it can. */
static const char *stuck(const struct worker *w)
{
	if (w->gone)
		return "it is gone";
	switch (w->now.state) {
	case IPCDEMO_TASK_HELD:
		return NULL;
	case IPCDEMO_TASK_ASLEEP:
		return "somebody else has to wake it";
	case IPCDEMO_TASK_LOCK:
		return "who has the lock has to go on first";
	case IPCDEMO_TASK_IDLE:
		if (in_op(w))
			return "it is asleep outside of the pipe";
		return left_to_do(w) ? NULL : "it has nothing left to do";
	}
	return "it is running";
}

static int go_on(struct run *r, struct worker *w)
{
	const struct step_op *op;

	w->moved = true;
	if (w->now.state == IPCDEMO_TASK_HELD) {
		if (ipcdemo_gate_go(r->cli->ipc, r->control, w->pid, 0))
			return failed_ipc(r);
		return 0;
	}
	op = w->queue[w->begun++];
	w->share->op = op;
	if (op->kind == STEP_OP_SIGNAL)
		w->share->target = r->workers[op->target].gone
					   ? 0
					   : r->workers[op->target].pid;
	if (send(w->socket, "", 1, MSG_NOSIGNAL) != 1)
		return failed(r, "%s does not listen any more: %s",
			      w->task->name, strerror(errno));
	return 0;
}

/* Waits until all are at rest, and moves those that were let go. */
static int settle(struct run *r)
{
	struct worker *w;
	bool elsewhere;
	int err;

	for (;;) {
		if (interrupted)
			return FAILED;
		err = look(r, IPCDEMO_TASKS_QUIET);
		if (err)
			return err;
		elsewhere = false;
		for (w = r->workers; w < r->workers + r->n; w++)
			elsewhere |= is_elsewhere(w);
		if (elsewhere) {
			err = wait_for_elsewhere(r);
			if (err)
				return err;
			continue;
		}
		tell(r);
		for (w = r->workers; w < r->workers + r->n; w++)
			if (w->free && !stuck(w))
				break;
		if (w == r->workers + r->n)
			return 0;
		if (!ms_left(r))
			return too_slow(r);
		err = go_on(r, w);
		if (err)
			return err;
	}
}

/* ---- orders ------------------------------------------------------------- */

static bool is_at(const struct worker *w, int point)
{
	return in_call(w) && !strcmp(w->now.point, step_point_name(point));
}

static bool is_blocked(const struct worker *w)
{
	return !w->gone && (w->now.state == IPCDEMO_TASK_ASLEEP ||
			    w->now.state == IPCDEMO_TASK_LOCK);
}

/* What a run order waits for is there. */
static bool arrived(const struct worker *w, const struct step_line *l,
		    size_t done)
{
	switch (l->kind) {
	case STEP_RUN_BLOCKED:
		return is_blocked(w);
	case STEP_RUN_DONE:
		return is_over(w);
	case STEP_RUN_CALLS:
		return w->done - done >= (size_t)l->number;
	default:
		return is_at(w, l->point);
	}
}

static const char *goal(const struct step_line *l, char *buf, size_t size)
{
	if (l->kind == STEP_RUN_BLOCKED)
		snprintf(buf, size, "is not blocked");
	else if (l->kind == STEP_RUN_DONE || l->kind == STEP_RUN_CALLS)
		snprintf(buf, size, "does not come to the end of its %s",
			 l->kind == STEP_RUN_DONE ? "operations" : "call");
	else
		snprintf(buf, size, "does not come to %s",
			 step_point_name(l->point));
	return buf;
}

static int cannot(struct run *r, const struct worker *w, const char *what)
{
	char words[160];

	return failed(r, "%s %s: it %s; %s", w->task->name, what,
		      doing(w, words, sizeof(words)), stuck(w));
}

static int run_until(struct run *r, struct worker *w, const struct step_line *l)
{
	size_t done = w->done;
	char words[80];
	int err;

	w->free = false;
	if ((l->kind == STEP_RUN_BLOCKED || l->kind == STEP_RUN_DONE) &&
	    arrived(w, l, done))
		return 0;
	do {
		if (stuck(w))
			return cannot(r, w, goal(l, words, sizeof(words)));
		if (!ms_left(r))
			return too_slow(r);
		err = go_on(r, w) ?: settle(r);
	} while (!err && !arrived(w, l, done));
	return err;
}

static int take_steps(struct run *r, struct worker *w, __s64 times)
{
	int err = 0;

	w->free = false;
	while (!err && times-- > 0) {
		if (stuck(w))
			return cannot(r, w, "cannot take a step");
		err = go_on(r, w) ?: settle(r);
	}
	return err;
}

static int send_signal(struct run *r, struct worker *w, int number)
{
	if (w->gone)
		return failed(r, "%s is gone: no signal reaches it",
			      w->task->name);
	w->moved = true;
	if (kill(w->pid, number))
		return failed(r, "cannot signal %s: %s", w->task->name,
			      strerror(errno));
	return settle(r);
}

static int queue_op(struct run *r, struct worker *w, const struct step_op *op)
{
	const struct step_op **more;

	more = reallocarray(w->queue, w->queued + 1, sizeof(*more));
	if (!more)
		return fail("out of memory");
	w->queue = more;
	w->queue[w->queued++] = op;
	return w->free ? settle(r) : 0;
}

/* ---- expectations ------------------------------------------------------- */

static int pipe_stat(struct run *r, struct ipcdemo_pipe_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	if (ipcdemo_pipe_stat(r->cli->ipc, r->control, r->pipe, stat))
		return failed_ipc(r);
	return 0;
}

static int compare(struct run *r, const char *what, __s64 wanted, __s64 got)
{
	if (wanted == got)
		return 0;
	return failed(r, "expected %s %lld, but it is %lld", what, wanted, got);
}

static int expect_pipe(struct run *r, const struct step_line *l)
{
	struct ipcdemo_pipe_stat stat;
	int err = pipe_stat(r, &stat);

	if (err)
		return err;
	switch (l->kind) {
	case STEP_EXPECT_SLOTS:
		return compare(r, "slots", l->number, stat.slots);
	case STEP_EXPECT_USED:
		return compare(r, "slots used", l->number, stat.used);
	case STEP_EXPECT_BYTES:
		return compare(r, "bytes", l->number, stat.bytes);
	case STEP_EXPECT_READERS:
		return compare(r, "readers", l->number, stat.readers);
	case STEP_EXPECT_WRITERS:
		return compare(r, "writers", l->number, stat.writers);
	default:
		break;
	}
	if (l->has_head)
		err = compare(r, "head", l->number, relative(r, stat.head));
	if (!err && l->has_tail)
		err = compare(r, "tail", l->tail, relative(r, stat.tail));
	return err;
}

static int expect_count(struct run *r, const struct step_line *l)
{
	const char *point = step_point_name(l->point);
	struct ipcdemo_pipe_view v;
	char what[60];
	__u64 count;

	if (ipcdemo_pipe_view(r->cli->ipc, r->pipe, &v))
		return failed_ipc(r);
	count = ipcdemo_count(v.counters, v.ncounters, point) -
		ipcdemo_count(r->counters.counters, r->counters.ncounters,
			      point);
	ipcdemo_pipe_view_free(&v);
	snprintf(what, sizeof(what), "count %s", point);
	return compare(r, what, l->number, count);
}

static int expect_poll(struct run *r, struct worker *w, unsigned int mask)
{
	struct pollfd p = {.events = POLLIN | POLLOUT};
	char wanted[40], got[40];

	if (w->gone || w->share->end < 0)
		return failed(r, "%s has no end open: nothing can be polled",
			      w->task->name);
	/* A copy: it is open in the task as well, so closing it closes no end */
	p.fd = pidfd_getfd(w->pidfd, w->share->end, 0);
	if (p.fd < 0)
		return failed(r, "cannot look at the descriptor of %s: %s",
			      w->task->name, strerror(errno));
	if (poll(&p, 1, 0) < 0)
		return failed(r, "poll: %s", strerror(errno));
	close(p.fd);
	if ((unsigned int)p.revents == mask)
		return 0;
	step_poll_words(mask, wanted, sizeof(wanted));
	step_poll_words(p.revents, got, sizeof(got));
	return failed(r, "expected that poll says %s to %s, but it says %s",
		      wanted, w->task->name, got);
}

/* What a task read last, or what its command printed. */
static char *got(const struct worker *w, size_t *len)
{
	char *data = malloc(STEP_BYTES);
	ssize_t n = 0;

	if (!data)
		return NULL;
	if (w->last->kind == STEP_OP_RUN)
		n = pread(w->output, data, STEP_BYTES, 0);
	else if (w->last->kind == STEP_OP_READ)
		n = w->result;
	*len = n > 0 ? n : 0;
	if (w->last->kind == STEP_OP_READ)
		memcpy(data, w->share->data, *len);
	return data;
}

static int expect_got(struct run *r, const struct worker *w,
		      const struct step_line *l)
{
	size_t wanted = l->number, len, i;
	int err = 0;
	char *data;

	data = got(w, &len);
	if (!data)
		return fail("out of memory");
	for (i = 0; i < len && i < wanted && data[i] == l->data[i]; i++)
		;
	if (len != wanted)
		err = failed(r,
			     "expected that %s got %zu bytes, but it got %zu",
			     w->task->name, wanted, len);
	else if (i < len)
		err = failed(r,
			     "expected that %s got '%c' (0x%02x) as byte %zu, but it got '%c' (0x%02x)",
			     w->task->name, l->data[i], (__u8)l->data[i], i,
			     data[i], (__u8)data[i]);
	free(data);
	return err;
}

static int expect_result(struct run *r, const struct worker *w,
			 const struct step_line *l)
{
	bool ask_poll = l->kind == STEP_EXPECT_READY;
	struct step_op as = {.kind = ask_poll ? STEP_OP_POLL : STEP_OP_READ};
	bool was_poll = w->last->kind == STEP_OP_POLL;
	__s64 result = ask_poll ? l->mask : l->number;
	char wanted[40], words[40];

	if (w->result == result && ask_poll == was_poll)
		return 0;
	return failed(r, "expected that %s has the result %s, but '%s' gave %s",
		      w->task->name,
		      result_words(&as, result, wanted, sizeof(wanted)),
		      w->last->text,
		      result_words(w->last, w->result, words, sizeof(words)));
}

/* The expectations that are true or not, and what they are called. */
static int expect_state(struct run *r, const struct worker *w,
			const struct step_line *l)
{
	char words[160], at[60] = "";
	bool is = false;

	switch (l->kind) {
	case STEP_EXPECT_AT:
		snprintf(at, sizeof(at), "at %s", step_point_name(l->point));
		is = is_at(w, l->point);
		break;
	case STEP_EXPECT_BLOCKED:
		strcpy(at, "blocked");
		is = is_blocked(w);
		break;
	case STEP_EXPECT_ASLEEP:
		strcpy(at, "asleep");
		is = !w->gone && w->now.state == IPCDEMO_TASK_ASLEEP;
		break;
	case STEP_EXPECT_LOCK:
		strcpy(at, "waiting for the lock");
		is = !w->gone && w->now.state == IPCDEMO_TASK_LOCK;
		break;
	case STEP_EXPECT_DONE:
		strcpy(at, "done");
		is = !w->gone ? is_over(w)
			      : w->last && w->last->kind == STEP_OP_RUN;
		break;
	default:
		strcpy(at, "gone");
		is = w->gone;
		break;
	}
	if (is)
		return 0;
	return failed(r, "expected that %s is %s, but it %s", w->task->name, at,
		      doing(w, words, sizeof(words)));
}

static int expect_task(struct run *r, struct worker *w,
		       const struct step_line *l)
{
	char words[160];

	switch (l->kind) {
	case STEP_EXPECT_RESULT:
	case STEP_EXPECT_READY:
	case STEP_EXPECT_GOT:
		if (!w->last)
			return failed(r, "%s has no result yet: it %s",
				      w->task->name,
				      doing(w, words, sizeof(words)));
		return l->kind == STEP_EXPECT_GOT ? expect_got(r, w, l)
						  : expect_result(r, w, l);
	case STEP_EXPECT_CAUGHT:
		snprintf(words, sizeof(words),
			 "that %s caught %s this often:", w->task->name,
			 step_signal_name(l->signal));
		return compare(r, words, l->number,
			       w->share->caught[l->signal]);
	case STEP_EXPECT_DECIDED:
		if (in_call(w) && w->now.decided == l->number)
			return 0;
		return failed(r, "expected that %s has decided %s, but it %s%s",
			      w->task->name, l->number ? "yes" : "no",
			      doing(w, words, sizeof(words)),
			      !in_call(w)	    ? ""
			      : w->now.decided == 0 ? ", decided no"
			      : w->now.decided == 1
				      ? ", decided yes"
				      : ", where nothing is decided");
	case STEP_EXPECT_POLL:
		return expect_poll(r, w, l->mask);
	default:
		return expect_state(r, w, l);
	}
}

/* ---- lines -------------------------------------------------------------- */

static bool is_expectation(const struct step_line *l)
{
	return l->kind >= STEP_EXPECT_AT;
}

static int run_line(struct run *r, const struct step_line *l)
{
	struct worker *w = l->task < 0 ? NULL : &r->workers[l->task];
	struct step_line until = *l;

	if (l->kind == STEP_EXPECT_COUNT)
		return expect_count(r, l);
	if (!w)
		return expect_pipe(r, l);
	switch (l->kind) {
	case STEP_OP:
		return queue_op(r, w, &l->op);
	case STEP_RUN_POINT:
	case STEP_RUN_BLOCKED:
	case STEP_RUN_DONE:
	case STEP_RUN_CALLS:
		return run_until(r, w, l);
	case STEP_STEP:
		return take_steps(r, w, l->number);
	case STEP_SIGNAL:
		until.kind = STEP_RUN_POINT;
		if (l->point != STEP_NO_POINT && !is_at(w, l->point) &&
		    run_until(r, w, &until))
			return FAILED;
		return send_signal(r, w, l->signal);
	case STEP_KILL:
		return send_signal(r, w, SIGKILL);
	case STEP_LET_GO:
		w->free = true;
		return settle(r);
	default:
		return expect_task(r, w, l);
	}
}

static int run_lines(struct run *r)
{
	const struct step_line *l, *end = r->s->lines + r->s->nlines;
	FILE *to = r->report->to;
	char words[160];
	int err = 0;

	for (l = r->s->lines; l < end && !err; l++) {
		r->line = l;
		r->deadline = now_ms() + r->report->timeout_ms;
		fprintf(to, "%5u  %-*s", l->line,
			r->report->verbose || l->kind == STEP_OP ? 0 : 36,
			l->text);
		if (r->report->verbose)
			putc('\n', to);
		err = run_line(r, l);
		if (!err && is_expectation(l))
			r->report->expectations++;
		if (r->report->verbose)
			continue;
		if (err)
			fprintf(to, " no\n");
		else if (is_expectation(l))
			fprintf(to, " yes\n");
		else if (l->kind == STEP_OP)
			putc('\n', to);
		else
			fprintf(to, " %s %s\n", r->workers[l->task].task->name,
				doing(&r->workers[l->task], words,
				      sizeof(words)));
	}
	return err;
}

/* ---- before and after --------------------------------------------------- */

/* Nobody may have the pipe open, or bytes in it. */
static int is_unused(struct run *r, unsigned int ours)
{
	struct ipcdemo_pipe_stat stat;
	int err = pipe_stat(r, &stat);

	if (err)
		return err;
	if (stat.readers != ours || stat.writers != ours || stat.open_waiters)
		return failed(r,
			      "somebody has the pipe open (%u for reading, %u for writing, %u wait): %s",
			      stat.readers - ours, stat.writers - ours,
			      stat.open_waiters,
			      "`ipcdemo show` says who; try again later");
	if (stat.bytes)
		return failed(r,
			      "the pipe holds %llu bytes: first take them out with `ipcdemo read -n`",
			      stat.bytes);
	return 0;
}

static int start_task(struct run *r, struct worker *w)
{
	struct worker *other;
	pid_t parent = getpid();
	int sockets[2];

	w->output = memfd_create(w->task->name, MFD_CLOEXEC);
	w->share = mmap(NULL, sizeof(*w->share), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w->share == MAP_FAILED)
		w->share = NULL;
	if (w->output < 0 || !w->share ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return failed(r, "cannot start a task: %s", strerror(errno));
	w->socket = sockets[0];
	/* It must not print again what we printed. */
	fflush(NULL);
	w->pid = fork();
	if (w->pid < 0) {
		w->pid = 0;
		close(sockets[1]);
		return failed(r, "fork: %s", strerror(errno));
	}
	if (!w->pid) {
		for (other = r->workers; other <= w; other++)
			close(other->socket);
		close(r->control);
		close(r->guard);
		be_task(r, w, sockets[1], parent);
	}
	close(sockets[1]);
	w->pidfd = pidfd_open(w->pid, 0);
	if (w->pidfd < 0)
		return failed(r, "pidfd_open: %s", strerror(errno));
	return 0;
}

/* Until all have opened what they shall open and are at their sockets. */
static int wait_until_ready(struct run *r)
{
	struct worker *w;
	int err;

	do {
		err = look(r, IPCDEMO_TASKS_QUIET);
		for (w = r->workers; !err && w < r->workers + r->n; w++)
			if (!w->share->ready)
				break;
		if (!ms_left(r))
			return too_slow(r);
	} while (!err && w < r->workers + r->n && !interrupted);
	for (w = r->workers; !err && w < r->workers + r->n; w++)
		if (w->share->ready < 0)
			err = failed(r, "%s cannot open %s: %s", w->task->name,
				     ipcdemo_device(r->cli->ipc),
				     strerror(-w->share->ready));
	return err ?: interrupted ? FAILED : 0;
}

static int set_pipe(struct run *r)
{
	__u64 persistence = r->s->persistence, capacity = r->s->slots;
	struct ipcdemo *ipc = r->cli->ipc;

	capacity *= sysconf(_SC_PAGESIZE);
	if (ipcdemo_set_persistence(ipc, r->control, r->pipe, persistence))
		return failed_ipc(r);
	if (capacity &&
	    ipcdemo_set_capacity(ipc, r->control, r->pipe, &capacity))
		return failed_ipc(r);
	return 0;
}

static int open_pipe(struct run *r)
{
	struct ipcdemo *ipc = r->cli->ipc;

	if (ipcdemo_default(ipc, IPCDEMO_PIPE, &r->pipe))
		return failed_ipc(r);
	r->control = ipcdemo_open(ipc, IPCDEMO_O_CONTROL);
	if (r->control < 0 ||
	    ipcdemo_get_persistence(ipc, r->control, r->pipe,
				    &r->persistence) ||
	    ipcdemo_get_capacity(ipc, r->control, r->pipe, &r->capacity))
		return failed_ipc(r);
	return is_unused(r, 0);
}

/* While the guard is open, no open waits and nothing is a last close. */
static int start_tasks(struct run *r)
{
	struct worker *w;
	int err;

	r->guard = ipcdemo_open(r->cli->ipc, O_RDWR);
	if (r->guard < 0)
		return failed_ipc(r);
	err = is_unused(r, 1);
	r->changed = !err;
	r->deadline = now_ms() + r->report->timeout_ms;
	for (r->n = 0; !err && r->n < r->s->ntasks;) {
		w = &r->workers[r->n++];
		w->task = &r->s->tasks[r->n - 1];
		err = start_task(r, w);
	}
	err = err ?: wait_until_ready(r);
	close(r->guard);
	return err;
}

static int prepare(struct run *r)
{
	struct worker *w;
	int err;

	err = open_pipe(r) ?: start_tasks(r) ?: set_pipe(r);
	if (err)
		return err;
	for (w = r->workers; w < r->workers + r->n; w++)
		if (ipcdemo_gate_add(r->cli->ipc, r->control, r->pipe, "*",
				     w->pid, 0) < 0)
			return failed_ipc(r);
	err = look(r, IPCDEMO_TASKS_QUIET) ?: pipe_stat(r, &r->base);
	for (w = r->workers; w < r->workers + r->n; w++)
		w->told = w->now;
	if (!err && ipcdemo_pipe_view(r->cli->ipc, r->pipe, &r->counters))
		err = failed_ipc(r);
	return err;
}

static void stop_task(struct worker *w)
{
	if (w->pid && !w->gone)
		while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
			;
	if (w->pidfd >= 0)
		close(w->pidfd);
	if (w->socket >= 0)
		close(w->socket);
	if (w->output >= 0)
		close(w->output);
	if (w->share)
		munmap(w->share, sizeof(*w->share));
	free(w->queue);
}

/* Everything as it was.  Return: 0, or FAILED after a message. */
static int clean_up(struct run *r)
{
	__u64 process = IPCDEMO_PERSIST_PROCESS;
	struct ipcdemo *ipc = r->cli->ipc;
	struct worker *w;
	int fd, err = 0;

	/* First kill, then open the gates: nobody goes on in between. */
	for (w = r->workers; w < r->workers + r->n; w++)
		if (w->pid && !w->gone)
			kill(w->pid, SIGKILL);
	for (w = r->workers; w < r->workers + r->n; w++)
		stop_task(w);
	if (r->control >= 0)
		close(r->control);
	ipcdemo_pipe_view_free(&r->counters);
	if (!r->changed)
		return 0;

	/* To process first: that drops what is left in it. */
	fd = ipcdemo_open(ipc, IPCDEMO_O_CONTROL);
	if (fd < 0 || ipcdemo_set_persistence(ipc, fd, r->pipe, process) ||
	    ipcdemo_set_persistence(ipc, fd, r->pipe, r->persistence) ||
	    ipcdemo_set_capacity(ipc, fd, r->pipe, &r->capacity))
		err = fail_ipc(r->cli);
	if (fd >= 0)
		close(fd);
	return err;
}

/* ---- when it failed ----------------------------------------------------- */

/* draw_ring() prints to standard output: let that be a file for a moment. */
static void draw_to(FILE *to, const struct style *style,
		    const struct ipcdemo_pipe_view *v)
{
	int file, saved;
	char buf[4096];
	ssize_t n;
	off_t at = 0;

	fflush(stdout);
	if (to == stdout) {
		draw_ring(style, v, true);
		return;
	}
	file = memfd_create("ring", MFD_CLOEXEC);
	saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (file >= 0 && saved >= 0 && dup2(file, STDOUT_FILENO) >= 0) {
		draw_ring(style, v, true);
		fflush(stdout);
		dup2(saved, STDOUT_FILENO);
		while ((n = pread(file, buf, sizeof(buf), at)) > 0) {
			fwrite(buf, 1, n, to);
			at += n;
		}
	}
	if (file >= 0)
		close(file);
	if (saved >= 0)
		close(saved);
}

static void tell_failure(struct run *r)
{
	FILE *to = r->report->to;
	struct ipcdemo_pipe_view v;
	struct worker *w;
	char words[160];
	int point;

	fprintf(to, "what each task is doing:\n");
	for (w = r->workers; w < r->workers + r->n; w++) {
		fprintf(to, "  %s %s", w->task->name,
			doing(w, words, sizeof(words)));
		point = step_point(w->now.point);
		if (in_call(w) && point >= 0)
			fprintf(to, ": %s", step_point_sentence(point));
		if (in_op(w))
			fprintf(to, " [%s]", w->queue[w->begun - 1]->text);
		putc('\n', to);
	}
	if (ipcdemo_pipe_view(r->cli->ipc, r->pipe, &v))
		return;
	fprintf(to,
		"the pipe: %u of %u slots used, %llu bytes; readers %u, writers %u\n",
		v.used, v.slots, v.bytes, v.readers, v.writers);
	draw_to(to, &r->cli->style, &v);
	ipcdemo_pipe_view_free(&v);
}

int step_run(struct cli *cli, const struct schedule *schedule,
	     struct step_report *report)
{
	struct run *r = calloc(1, sizeof(*r));
	int err, i;

	if (!r)
		return fail("out of memory");
	r->cli = cli;
	r->s = schedule;
	r->report = report;
	r->control = -1;
	for (i = 0; i < STEP_TASKS; i++) {
		r->workers[i].pidfd = -1;
		r->workers[i].socket = -1;
		r->workers[i].output = -1;
	}
	err = prepare(r);
	if (!err)
		err = run_lines(r);
	if (err && r->line && !interrupted)
		tell_failure(r);
	err = clean_up(r) ?: err;
	free(r);
	return err;
}

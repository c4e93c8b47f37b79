// SPDX-License-Identifier: GPL-2.0
/*
 * The engine: runs a schedule on a pipe (see step_engine.h)
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "step_engine.h"

/* For how long a live task may run outside of the pipe before we go on. */
#define OUTSIDE_MS 1000

/* ---- words -------------------------------------------------------------- */

int step_failed(struct run *r, const char *fmt, ...)
{
	char *what = NULL;
	va_list ap;

	if (r->report->failure || interrupted())
		return FAILED;
	va_start(ap, fmt);
	if (vasprintf(&what, fmt, ap) < 0)
		what = NULL;
	va_end(ap);
	if (!what)
		return fail("out of memory");
	if (!r->line || !r->s->file) {
		r->report->failure = what;
		return FAILED;
	}
	if (asprintf(&r->report->failure, "%s:%u: %s", r->s->file,
		     r->line->line, what) < 0)
		r->report->failure = NULL;
	free(what);
	return r->report->failure ? FAILED : fail("out of memory");
}

int step_failed_ipc(struct run *r)
{
	return step_failed(r, "%s", ipcdemo_error(r->cli->ipc));
}

bool step_left_to_do(const struct worker *w)
{
	return w->begun < w->queued;
}

bool step_in_op(const struct worker *w)
{
	return w->begun > w->done;
}

bool step_is_over(const struct worker *w)
{
	return w->gone || (!step_in_op(w) && !step_left_to_do(w));
}

const char *step_result_words(const struct step_op *op, long long result,
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
const char *step_doing(const struct worker *w, char *buf, size_t size)
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
		if (w->live && !*w->now.point)
			break;
		snprintf(buf, size, "is running%s%s",
			 *w->now.point ? ", was last at " : "", w->now.point);
		return buf;
	}
	if (w->live)
		snprintf(buf, size, "is outside of the pipe");
	else if (step_in_op(w))
		snprintf(buf, size, "is not in the pipe (%s)",
			 w->queue[w->begun - 1]->text);
	else if (!w->last)
		snprintf(buf, size, "has not begun");
	else
		snprintf(buf, size, "is %s: %s gave %s",
			 step_left_to_do(w) ? "between two calls" : "done",
			 w->last->text,
			 step_result_words(w->last, w->result, result,
					   sizeof(result)));
	return buf;
}

int step_relative(const struct run *r, __s64 index)
{
	return (__u32)index - r->base.head;
}

/* Indices count from our start. */
const char *step_values(const struct run *r, const struct ipcdemo_arrival *a,
			char *buf, size_t size)
{
	size_t len = strlen(a->point), n = 0;
	const char *comma = " (";

	*buf = '\0';
	if (a->len >= 0) {
		n = snprintf(buf, size, "%slen %lld", comma, a->len);
		comma = ", ";
	}
	if (a->head >= 0 && n < size) {
		n += snprintf(buf + n, size - n, "%shead %d, tail %d", comma,
			      step_relative(r, a->head),
			      step_relative(r, a->tail));
		comma = ", ";
	}
	if (n >= size)
		return buf;
	if (len > 7 && !strcmp(a->point + len - 7, ".return")) {
		if (a->decided < 0)
			n += snprintf(buf + n, size - n, "%s%s", comma,
				      step_errno_name(-a->decided));
		else
			n += snprintf(buf + n, size - n, "%sresult %lld", comma,
				      a->decided);
		comma = ", ";
	} else if (a->decided == 0 || a->decided == 1) {
		n += snprintf(buf + n, size - n, "%sdecided %s", comma,
			      a->decided ? "yes" : "no");
		comma = ", ";
	}
	if (*comma == ',' && n < size)
		snprintf(buf + n, size - n, ")");
	return buf;
}

bool step_in_call(const struct worker *w)
{
	return !w->gone && (w->now.state == IPCDEMO_TASK_HELD ||
			    w->now.state == IPCDEMO_TASK_ASLEEP ||
			    w->now.state == IPCDEMO_TASK_LOCK);
}

/* Where tasks came to, since it was told last. */
static void tell(struct run *r)
{
	FILE *to = r->report->to;
	struct worker *w;
	char words[160], values[120];
	int point;

	for (w = r->workers; w < r->workers + r->n; w++) {
		if (!w->moved && w->now.state == w->told.state &&
		    !strcmp(w->now.point, w->told.point))
			continue;
		w->moved = false;
		w->told = w->now;
		if (r->report->json)
			step_json_task(r, w, "arrival");
		if (!r->report->verbose)
			continue;
		point = step_point(w->now.point);
		if (!step_in_call(w) || point < 0) {
			fprintf(to, "         %s %s\n", w->task->name,
				step_doing(w, words, sizeof(words)));
			continue;
		}
		fprintf(to, "         %s  %s: %s%s\n", w->task->name,
			w->now.point, step_point_sentence(point),
			step_values(r, &w->now, values, sizeof(values)));
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
	return w->pid && !w->live && !w->gone && step_in_op(w) &&
	       w->now.state == IPCDEMO_TASK_IDLE;
}

static int too_slow(struct run *r)
{
	char words[160];
	struct worker *w;

	for (w = r->workers; w < r->workers + r->n; w++)
		if (!w->gone &&
		    (w->now.state == IPCDEMO_TASK_RUNNING || is_elsewhere(w)))
			return step_failed(r, "after %g s, %s %s: %s",
					   r->report->timeout_ms / 1000.0,
					   w->task->name,
					   step_doing(w, words, sizeof(words)),
					   "it did not come to a point");
	return step_failed(r, "this took longer than %g s",
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
		if (step_in_op(w) &&
		    w->queue[w->begun - 1]->kind == STEP_OP_RUN)
			finish(w, WIFSIGNALED(status) ? 128 + WTERMSIG(status)
						      : WEXITSTATUS(status));
		return;
	}
	if (w->now.state == IPCDEMO_TASK_IDLE && step_in_op(w) &&
	    w->share->done > w->done) {
		finish(w, w->share->result);
		if (recv(w->socket, &byte, 1, MSG_DONTWAIT) < 0)
			return; /* it comes, or it was ended: both are seen */
	}
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

/* Which calls of a live task begin and end, from the points it comes to. */
static int follow(struct run *r, struct worker *w)
{
	const char *point = w->now.point;

	if (w->now.state == IPCDEMO_TASK_GONE) {
		w->gone = true;
		w->moved = true;
		w->done = w->begun;
		return 0;
	}
	if (!step_in_call(w)) {
		/* RUNNING in a call: it is on its way to the next point */
		if (step_in_op(w) && !*point)
			finish(w, w->returned);
		return 0;
	}
	w->outside = false;
	if (w->now.state != IPCDEMO_TASK_HELD) {
		/* Adopted asleep, or it waits for the lock first thing */
		return step_in_op(w) || !r->seen ? 0 : r->seen(r->ctx, w);
	}
	if (!w->arriving)
		return 0;
	w->arriving = false;
	if (ends_with(point, ".return"))
		w->returned = w->now.decided;
	if (step_in_op(w) && ends_with(point, ".enter"))
		finish(w, w->returned);
	return step_in_op(w) || !r->seen ? 0 : r->seen(r->ctx, w);
}

static int queue_op(struct worker *w, const struct step_op *op)
{
	const struct step_op **more;

	more = reallocarray(w->queue, w->queued + 1, sizeof(*more));
	if (!more)
		return fail("out of memory");
	w->queue = more;
	w->queue[w->queued++] = op;
	return 0;
}

int step_queue_seen(struct worker *w, const struct step_op *op)
{
	int err = queue_op(w, op);

	if (!err)
		w->begun = w->queued;
	return err;
}

/* Asks what these are doing; with flags, waits until none is running. */
static int ask(struct run *r, __u32 flags, int ms, bool outside)
{
	struct ipcdemo_arrival tasks[STEP_TASKS] = {0};
	struct worker *w;
	size_t n = 0;
	int err, status = 0;

	for (w = r->workers; w < r->workers + r->n; w++)
		if (!w->gone && (outside || !w->outside))
			tasks[n++].pid = w->pid;
	err = ipcdemo_tasks(r->cli->ipc, r->control, flags, ms, tasks, n);
	if (err && err != -ETIMEDOUT)
		return err;
	n = 0;
	for (w = r->workers; w < r->workers + r->n; w++) {
		if (w->gone || (!outside && w->outside))
			continue;
		w->now = tasks[n++];
		if (!w->live)
			take_results(w);
		else
			status = follow(r, w) ?: status;
	}
	return err ?: status;
}

/* Whoever is running still is a live task outside of the pipe? */
static bool only_outsiders_run(const struct run *r)
{
	const struct worker *w;

	for (w = r->workers; w < r->workers + r->n; w++)
		if (!w->gone && w->now.state == IPCDEMO_TASK_RUNNING &&
		    (!w->live || *w->now.point))
			return false;
	return true;
}

/*
 * Waits until nobody is running.  A live task that computes on and on outside
 * of the pipe is no part of the schedule until it comes back.
 */
static int quiet(struct run *r)
{
	int err, ms = ms_left(r);
	bool live = false;
	struct worker *w;

	for (w = r->workers; w < r->workers + r->n; w++)
		live |= w->live && !w->gone && !w->outside;
	if (live && ms > OUTSIDE_MS) {
		err = ask(r, IPCDEMO_TASKS_QUIET, OUTSIDE_MS, false);
		if (err != -ETIMEDOUT)
			return err < 0 ? step_failed_ipc(r) : err;
		if (only_outsiders_run(r)) {
			for (w = r->workers; w < r->workers + r->n; w++)
				w->outside |=
					w->live && !w->gone &&
					!step_in_call(w) &&
					w->now.state == IPCDEMO_TASK_RUNNING;
			return 0;
		}
		ms = ms_left(r);
	}
	err = ask(r, IPCDEMO_TASKS_QUIET, ms, false);
	if (err == -ETIMEDOUT)
		return too_slow(r);
	return err < 0 ? step_failed_ipc(r) : err;
}

int step_look(struct run *r)
{
	int err = ask(r, 0, 0, true);

	return err < 0 ? step_failed_ipc(r) : err;
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
	char byte;
	int err;

	/* Those that we know of from looking; what comes later is news. */
	while (!(err = ipcdemo_gate_wait(r->cli->ipc, r->control, 0, &arrival)))
		;
	if (err != -ETIMEDOUT)
		return step_failed_ipc(r);
	err = step_look(r);
	if (err)
		return err;
	fds[n++] = (struct pollfd){.fd = r->control, .events = POLLIN};
	for (w = r->workers; w < r->workers + r->n; w++) {
		if (!is_elsewhere(w))
			continue;
		fds[n++] = (struct pollfd){.fd = w->pidfd, .events = POLLIN};
		/* A command that runs has closed its end. */
		if (recv(w->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT))
			fds[n++] = (struct pollfd){.fd = w->socket,
						   .events = POLLIN};
	}
	if (n == 1)
		return 0;
	err = poll(fds, n, ms_left(r));
	if (err < 0)
		return step_failed(r, "poll: %s", strerror(errno));
	for (i = 0; !err && i < n; i++)
		fds[i].revents = 0;
	return err ? 0 : too_slow(r);
}

const char *step_stuck(const struct worker *w)
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
		if (w->live)
			return "it comes to the pipe by itself";
		if (step_in_op(w))
			return "it is asleep outside of the pipe";
		return step_left_to_do(w) ? NULL : "it has nothing left to do";
	}
	return "it is running";
}

static bool target_is_gone(const struct run *r, const struct step_op *op)
{
	return r->workers[op->target].gone;
}

static int go_on(struct run *r, struct worker *w)
{
	const struct step_op *op;

	w->moved = true;
	w->moves++;
	if (w->now.state == IPCDEMO_TASK_HELD) {
		w->arriving = true;
		if (ipcdemo_gate_go(r->cli->ipc, r->control, w->pid, 0))
			return step_failed_ipc(r);
		return 0;
	}
	op = w->queue[w->begun++];
	step_put_request(w->share, op,
			 op->kind != STEP_OP_SIGNAL || target_is_gone(r, op)
				 ? 0
				 : r->workers[op->target].pid);
	if (send(w->socket, "", 1, MSG_NOSIGNAL) != 1)
		return step_failed(r, "%s does not listen any more: %s",
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
		if (interrupted())
			return FAILED;
		err = quiet(r);
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
			if (w->free && !step_stuck(w))
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

bool step_is_at(const struct worker *w, int point)
{
	return step_in_call(w) && !strcmp(w->now.point, step_point_name(point));
}

bool step_is_blocked(const struct worker *w)
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
		return step_is_blocked(w);
	case STEP_RUN_DONE:
		return step_is_over(w);
	case STEP_RUN_CALLS:
		return w->done - done >= (size_t)l->number;
	default:
		return step_is_at(w, l->point);
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

	return step_failed(r, "%s %s: it %s; %s", w->task->name, what,
			   step_doing(w, words, sizeof(words)), step_stuck(w));
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
		if (step_stuck(w))
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
		if (step_stuck(w))
			return cannot(r, w, "cannot take a step");
		err = go_on(r, w) ?: settle(r);
	}
	return err;
}

static int send_signal(struct run *r, struct worker *w, int number)
{
	if (w->gone)
		return step_failed(r, "%s is gone: no signal reaches it",
				   w->task->name);
	w->moved = true;
	if (kill(w->pid, number))
		return step_failed(r, "cannot signal %s: %s", w->task->name,
				   strerror(errno));
	return settle(r);
}

int step_move(struct run *r, struct worker *w)
{
	r->line = NULL;
	r->deadline = now_ms() + r->report->timeout_ms;
	return take_steps(r, w, 1);
}

int step_stat(struct run *r, struct ipcdemo_pipe_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	if (ipcdemo_pipe_stat(r->cli->ipc, r->control, r->pipe, stat))
		return step_failed_ipc(r);
	return 0;
}

/* ---- before ------------------------------------------------------------- */

/* Nobody may have the pipe open, or bytes in it. */
static int is_unused(struct run *r, unsigned int ours)
{
	struct ipcdemo_pipe_stat stat;
	int err = step_stat(r, &stat);

	if (err)
		return err;
	r->unused = stat.readers == ours && stat.writers == ours &&
		    !stat.open_waiters && !stat.bytes;
	if (r->unused || r->report->in_use)
		return 0;
	if (stat.readers != ours || stat.writers != ours || stat.open_waiters)
		return step_failed(r,
				   "somebody has the pipe open (%u for reading, %u for writing, %u wait): %s",
				   stat.readers - ours, stat.writers - ours,
				   stat.open_waiters,
				   "`ipcdemo show` says who; try again later");
	return step_failed(r,
			   "the pipe holds %llu bytes: first take them out with `ipcdemo read -n`",
			   stat.bytes);
}

/* One more worker, with nothing yet. */
static struct worker *add_worker(struct run *r)
{
	struct worker *w = &r->workers[r->n];

	memset(w, 0, sizeof(*w));
	w->task = &r->s->tasks[r->n++];
	w->pidfd = -1;
	w->socket = -1;
	w->output = -1;
	w->returned = -EINTR;
	return w;
}

static int start_task(struct run *r, struct worker *w, bool at_once)
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
		return step_failed(r, "cannot start a task: %s",
				   strerror(errno));
	w->socket = sockets[0];
	/* It must not print again what we printed. */
	fflush(NULL);
	w->pid = fork();
	if (w->pid < 0) {
		w->pid = 0;
		close(sockets[1]);
		return step_failed(r, "fork: %s", strerror(errno));
	}
	if (!w->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		for (other = r->workers; other <= w; other++)
			if (other->socket >= 0)
				close(other->socket);
		close(r->control);
		if (r->guard >= 0)
			close(r->guard);
		step_be_task(r, w, sockets[1], at_once);
	}
	close(sockets[1]);
	w->pidfd = pidfd_open(w->pid, 0);
	if (w->pidfd < 0)
		return step_failed(r, "pidfd_open: %s", strerror(errno));
	return 0;
}

/* Until it has opened what it shall open and is at its socket. */
static int wait_until_ready(struct run *r, struct worker *w)
{
	int err;

	while (!w->share->ready) {
		err = ask(r, IPCDEMO_TASKS_QUIET, ms_left(r), true);
		if (interrupted())
			return FAILED;
		if (err == -ETIMEDOUT || !ms_left(r))
			return too_slow(r);
		if (err)
			return err < 0 ? step_failed_ipc(r) : err;
		/* A gate that somebody set for all is not for this open. */
		if (w->now.state == IPCDEMO_TASK_HELD &&
		    ipcdemo_gate_go(r->cli->ipc, r->control, w->pid,
				    IPCDEMO_GO_FREE))
			return step_failed_ipc(r);
		if (w->now.state == IPCDEMO_TASK_LOCK)
			return step_failed(r,
					   "%s cannot open the pipe now: who has the lock has to go on first",
					   w->task->name);
		if (w->now.state == IPCDEMO_TASK_GONE)
			return step_failed(r, "%s has died", w->task->name);
	}
	if (w->share->ready > 0)
		return 0;
	return step_failed(r, "%s cannot open %s: %s", w->task->name, r->path,
			   strerror(-w->share->ready));
}

static int take_guard(struct run *r, int flags)
{
	r->guard = open(r->path, flags | O_CLOEXEC);
	if (r->guard < 0)
		return step_failed(r, "cannot open %s: %s", r->path,
				   strerror(errno));
	return 0;
}

static void drop_guard(struct run *r)
{
	if (r->guard >= 0)
		close(r->guard);
	r->guard = -1;
}

/*
 * Before the first order, both ends are open while a task opens its own: no
 * open waits, and each is as any other.  Later that would be seen by the others,
 * so that it opens without waiting; what is needed for that is a reader, for a
 * moment, if it shall write and there is none.
 */
static int open_guard(struct run *r, const struct step_task *task, bool early,
		      bool *at_once)
{
	struct ipcdemo_pipe_stat stat;
	int err = step_stat(r, &stat);

	if (err)
		return err;
	*at_once = !early || !r->unused || stat.open_waiters;
	if (!*at_once)
		return take_guard(r, O_RDWR);
	if (task->opens != STEP_WRITE || stat.readers ||
	    stat.persistence == IPCDEMO_PERSIST_KERNEL)
		return 0;
	if (stat.open_waiters)
		return step_failed(r,
				   "%s cannot open the pipe for writing: it has no reader, and others wait for one, too; use 'task %s' and '%s: open write'",
				   task->name, task->name, task->name);
	return take_guard(r, O_RDONLY | O_NONBLOCK);
}

int step_set_base(struct run *r)
{
	ipcdemo_pipe_view_free(&r->counters);
	if (ipcdemo_pipe_view(r->cli->ipc, r->pipe, &r->counters))
		return step_failed_ipc(r);
	return step_stat(r, &r->base);
}

static int hold_everywhere(struct run *r, struct worker *w)
{
	w->gate = ipcdemo_gate_add(r->cli->ipc, r->control, r->pipe, "*",
				   w->pid, 0);
	if (w->gate < 0)
		return step_failed_ipc(r);
	return 0;
}

static void stop_task(struct worker *w)
{
	if (w->pid && !w->gone && !w->live) {
		kill(w->pid, SIGKILL);
		while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
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

int step_declare(struct run *r, bool early)
{
	struct worker *w = add_worker(r);
	bool had_guard = r->guard >= 0, at_once = false;
	int err = 0;

	r->changed = true;
	if (!had_guard) {
		r->deadline = now_ms() + r->report->timeout_ms;
		err = open_guard(r, w->task, early, &at_once);
	}
	err = err ?: start_task(r, w, at_once) ?: wait_until_ready(r, w);
	if (!had_guard)
		drop_guard(r);
	err = err ?: hold_everywhere(r, w) ?: quiet(r);
	w->told = w->now;
	if (err && r->report->in_use) {
		/* The others go on without it. */
		stop_task(w);
		r->n--;
	}
	return err;
}

int step_set_pipe(struct run *r)
{
	__u64 persistence = r->s->persistence, capacity = r->s->slots;
	struct ipcdemo *ipc = r->cli->ipc;

	capacity *= sysconf(_SC_PAGESIZE);
	if (((!r->report->in_use && r->keeper < 0) || r->s->says_persistence) &&
	    ipcdemo_set_persistence(ipc, r->control, r->pipe, persistence))
		return step_failed_ipc(r);
	if (capacity &&
	    ipcdemo_set_capacity(ipc, r->control, r->pipe, &capacity))
		return step_failed_ipc(r);
	return 0;
}

/* The descriptor keeps the pipe's inode without being an end of it. */
static int keep(struct run *r, const char *path)
{
	struct ipcdemo_pipe_stat stat = {.size = sizeof(stat)};
	int fd;

	r->keeper = open(path, O_PATH | O_CLOEXEC);
	if (r->keeper < 0)
		return step_failed(r, "%s: %s", path, strerror(errno));
	snprintf(r->own_path, sizeof(r->own_path), "/proc/%d/fd/%d", getpid(),
		 r->keeper);
	r->path = r->own_path;
	fd = open(r->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, IPCDEMO_IOC_PIPE_STAT, &stat))
		return step_failed(r, "%s: %s", path, strerror(errno));
	close(fd);
	r->pipe = stat.id;
	return 0;
}

static int make_anonymous(struct run *r)
{
	int fds[2], err;
	struct ipcdemo_pipe_make request = {
		.size = sizeof(request),
		.flags = O_CLOEXEC,
		.fds = (uintptr_t)fds,
	};
	char path[40];

	if (ioctl(r->control, IPCDEMO_IOC_PIPE, &request))
		return step_failed(r, "cannot make a pipe: %s",
				   strerror(errno));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	err = keep(r, path);
	close(fds[0]);
	close(fds[1]);
	return err;
}

/* The mount is gone from sight at once: nothing is left, however we end. */
static int make_named(struct run *r)
{
	char dir[] = "/tmp/ipcdemo-XXXXXX", path[sizeof(dir) + 5];
	int err;

	if (!mkdtemp(dir))
		return step_failed(r, "%s: %s", dir, strerror(errno));
	if (mount("none", dir, "ipcdemofs", MS_NOSUID | MS_NOEXEC, NULL)) {
		err = errno;
		rmdir(dir);
		return step_failed(r,
				   "cannot mount ipcdemofs for a named pipe: %s%s",
				   strerror(err),
				   err == EPERM ? "; are you root?" : "");
	}
	snprintf(path, sizeof(path), "%s/pipe", dir);
	if (mkfifo(path, 0600))
		err = step_failed(r, "mkfifo: %s", strerror(errno));
	else
		err = keep(r, path);
	umount2(dir, MNT_DETACH);
	rmdir(dir);
	return err;
}

/* The pipe that is there, or the one that the schedule wants. */
static int choose_pipe(struct run *r)
{
	struct ipcdemo *ipc = r->cli->ipc;

	r->pipe = r->report->pipe;
	r->path = r->report->path ?: ipcdemo_device(ipc);
	r->control = ipcdemo_open(ipc, IPCDEMO_O_CONTROL);
	if (r->control < 0)
		return step_failed_ipc(r);
	if (r->pipe)
		return 0;
	if (r->s->pipe == STEP_PIPE_ANONYMOUS)
		return make_anonymous(r);
	if (r->s->pipe == STEP_PIPE_NAMED)
		return make_named(r);
	if (ipcdemo_default(ipc, IPCDEMO_PIPE, &r->pipe))
		return step_failed_ipc(r);
	return 0;
}

static int open_pipe(struct run *r)
{
	struct ipcdemo *ipc = r->cli->ipc;

	if (choose_pipe(r))
		return FAILED;
	if (ipcdemo_get_persistence(ipc, r->control, r->pipe,
				    &r->persistence) ||
	    ipcdemo_get_capacity(ipc, r->control, r->pipe, &r->capacity))
		return step_failed_ipc(r);
	return is_unused(r, 0);
}

/* While the guard is open, no open waits and nothing is a last close. */
static int declare_early(struct run *r)
{
	int err = 0;

	if (r->unused)
		err = take_guard(r, O_RDWR) ?: is_unused(r, 1);
	r->deadline = now_ms() + r->report->timeout_ms;
	while (!err && r->n < r->s->early)
		err = step_declare(r, true);
	drop_guard(r);
	return err;
}

struct run *step_begin(struct cli *cli, struct schedule *schedule,
		       struct step_report *report, int *err)
{
	struct run *r = calloc(1, sizeof(*r));

	if (!r) {
		*err = fail("out of memory");
		return NULL;
	}
	r->cli = cli;
	r->s = schedule;
	r->report = report;
	r->control = -1;
	r->keeper = -1;
	r->guard = -1;
	*err = open_pipe(r) ?: declare_early(r);
	if (!*err) {
		r->changed = true;
		*err = step_set_pipe(r) ?: quiet(r) ?: step_set_base(r);
	}
	return r;
}

/* ---- live tasks --------------------------------------------------------- */

int step_adopt(struct run *r, const struct ipcdemo_arrival *at)
{
	struct worker *w = add_worker(r);

	w->live = true;
	w->pid = at->pid;
	/* No thread but the first of a process has one; look() sees it end. */
	w->pidfd = pidfd_open(w->pid, 0);
	return step_recapture(r, w);
}

int step_recapture(struct run *r, struct worker *w)
{
	int err = hold_everywhere(r, w);

	if (err && !w->gate)
		w->gone = true;
	w->free = false;
	w->arriving = true;
	w->moved = true;
	return err ?: step_look(r);
}

int step_release(struct run *r, struct worker *w)
{
	if (ipcdemo_gate_remove(r->cli->ipc, r->control, w->gate))
		return step_failed_ipc(r);
	w->gate = 0;
	w->free = true;
	if (w->now.state == IPCDEMO_TASK_HELD &&
	    ipcdemo_gate_go(r->cli->ipc, r->control, w->pid, IPCDEMO_GO_FREE))
		return step_failed_ipc(r);
	return 0;
}

/* ---- after -------------------------------------------------------------- */

/*
 * The pipe as it was.  To process first if it is ours alone: that drops what is
 * left in it.  Return: 0, or FAILED after a message.
 */
static int put_back(struct run *r)
{
	__u64 process = IPCDEMO_PERSIST_PROCESS, now;
	struct ipcdemo *ipc = r->cli->ipc;
	int fd, err = 0;

	fd = ipcdemo_open(ipc, IPCDEMO_O_CONTROL);
	if (fd < 0)
		return fail_ipc(r->cli);
	if (r->unused && ipcdemo_set_persistence(ipc, fd, r->pipe, process))
		err = fail_ipc(r->cli);
	else if (ipcdemo_set_persistence(ipc, fd, r->pipe, r->persistence) ||
		 ipcdemo_get_capacity(ipc, fd, r->pipe, &now) ||
		 (now != r->capacity &&
		  ipcdemo_set_capacity(ipc, fd, r->pipe, &r->capacity)))
		err = fail_ipc(r->cli);
	close(fd);
	return err;
}

int step_end(struct run *r)
{
	struct worker *w;
	int err = 0;

	/* First kill, then open the gates: nobody goes on in between. */
	for (w = r->workers; w < r->workers + r->n; w++)
		if (w->pid && !w->gone && !w->live)
			kill(w->pid, SIGKILL);
	for (w = r->workers; w < r->workers + r->n; w++)
		stop_task(w);
	if (r->control >= 0)
		close(r->control);
	drop_guard(r);
	ipcdemo_pipe_view_free(&r->counters);
	if (r->keeper >= 0)
		close(r->keeper);
	else if (r->changed)
		err = put_back(r);
	free(r);
	return err;
}

/* ---- lines -------------------------------------------------------------- */

static int do_order(struct run *r, struct worker *w, const struct step_line *l)
{
	struct step_line until = *l;
	int err;

	switch (l->kind) {
	case STEP_OP:
		if (w->live)
			return step_failed(r,
					   "%s is a live process: it does what it likes",
					   w->task->name);
		err = queue_op(w, &l->op);
		return err ?: w->free ? settle(r) : 0;
	case STEP_RUN_POINT:
	case STEP_RUN_BLOCKED:
	case STEP_RUN_DONE:
	case STEP_RUN_CALLS:
		return run_until(r, w, l);
	case STEP_STEP:
		return take_steps(r, w, l->number);
	case STEP_SIGNAL:
		until.kind = STEP_RUN_POINT;
		if (l->point != STEP_NO_POINT && !step_is_at(w, l->point) &&
		    run_until(r, w, &until))
			return FAILED;
		return send_signal(r, w, l->signal);
	case STEP_KILL:
		return send_signal(r, w, SIGKILL);
	default: /* STEP_LET_GO */
		w->free = true;
		return settle(r);
	}
}

static bool somebody_is_free(const struct run *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->workers[i].free)
			return true;
	return false;
}

int step_do(struct run *r, const struct step_line *l)
{
	int err;

	r->line = l;
	r->deadline = now_ms() + r->report->timeout_ms;
	if (step_is_expectation(l))
		return step_expect(r, l);
	if (l->kind == STEP_TASK) {
		err = step_declare(r, false);
		/* Its open may have woken one that was let go. */
		return err ?: somebody_is_free(r) ? settle(r) : 0;
	}
	return do_order(r, &r->workers[l->task], l);
}

/* Comments of the schedule: they say what is to be seen. */
static void explain(const struct run *r, const char *comment)
{
	const char *end;

	if (!r->report->explain || !comment)
		return;
	for (; *comment; comment = *end ? end + 1 : end) {
		end = strchrnul(comment, '\n');
		fprintf(r->report->to, "       # %.*s\n", (int)(end - comment),
			comment);
	}
}

static int run_lines(struct run *r)
{
	struct step_report *report = r->report;
	const struct step_line *l;
	FILE *to = report->to;
	bool result, steps;
	char words[160];
	int err = 0;
	size_t i;

	for (i = 0; i < r->s->nlines && !err; i++) {
		l = r->s->lines[i];
		result = l->kind != STEP_OP && l->kind != STEP_TASK;
		if (report->json) {
			err = step_do(r, l);
			report->expectations += !err && step_is_expectation(l);
			step_json_line(r, l, !err);
			continue;
		}
		explain(r, l->above);
		/* Its steps follow on lines of their own. */
		steps = report->verbose && !step_is_expectation(l);
		fprintf(to, "%5u  %-*s", l->line, steps || !result ? 0 : 36,
			l->text);
		if (steps)
			putc('\n', to);
		err = step_do(r, l);
		if (!err && step_is_expectation(l))
			report->expectations++;
		if (steps)
			;
		else if (err)
			fprintf(to, " no\n");
		else if (step_is_expectation(l))
			fprintf(to, " yes\n");
		else if (!result)
			putc('\n', to);
		else
			fprintf(to, " %s %s\n", r->workers[l->task].task->name,
				step_doing(&r->workers[l->task], words,
					   sizeof(words)));
		explain(r, l->behind);
	}
	return err;
}

static void tell_failure(struct run *r)
{
	FILE *to = r->report->to;
	struct ipcdemo_pipe_view v;
	struct worker *w;
	char words[160];
	int point;

	if (r->report->json) {
		for (w = r->workers; w < r->workers + r->n; w++)
			step_json_task(r, w, "state");
		return;
	}
	fprintf(to, "what each task is doing:\n");
	for (w = r->workers; w < r->workers + r->n; w++) {
		fprintf(to, "  %s %s", w->task->name,
			step_doing(w, words, sizeof(words)));
		point = step_point(w->now.point);
		if (step_in_call(w) && point >= 0)
			fprintf(to, ": %s", step_point_sentence(point));
		if (step_in_op(w))
			fprintf(to, " [%s]", w->queue[w->begun - 1]->text);
		putc('\n', to);
	}
	if (ipcdemo_pipe_view(r->cli->ipc, r->pipe, &v))
		return;
	fprintf(to,
		"the pipe: %u of %u slots used, %llu bytes; readers %u, writers %u\n",
		v.used, v.slots, v.bytes, v.readers, v.writers);
	draw_ring(to, &r->cli->style, &v, true);
	ipcdemo_pipe_view_free(&v);
}

/* Everybody stays where he is, for who wants to look. */
static void stay(struct run *r)
{
	sigset_t all, before;

	fflush(r->report->to);
	if (r->report->failure)
		fail("%s", r->report->failure);
	free(r->report->failure);
	r->report->failure = NULL;
	fprintf(r->report->to, "all stays as it is: %s\n",
		"`ipcdemo show` shows it; Ctrl-C or a signal ends it");
	fflush(r->report->to);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	while (!interrupted())
		sigsuspend(&before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

int step_run(struct cli *cli, struct schedule *schedule,
	     struct step_report *report)
{
	struct run *r;
	int err;

	r = step_begin(cli, schedule, report, &err);
	if (!r)
		return err;
	if (report->json)
		step_json_begin(r);
	if (!err)
		err = run_lines(r);
	if (err && r->line && !interrupted()) {
		tell_failure(r);
		if (report->stay)
			stay(r);
	}
	return step_end(r) ?: err;
}

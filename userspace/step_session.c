// SPDX-License-Identifier: GPL-2.0
/*
 * Records what is done at the keyboard (see step_session.h)
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "step_session.h"

/* What a read may have got for it to be written down as text. */
#define SHORT_TEXT 64

/* ---- messages ------------------------------------------------------------ */

__printf(2, 3) static int say(struct session *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->message, sizeof(s->message), fmt, ap);
	va_end(ap);
	return FAILED;
}

/*
 * What was printed to standard error: by us, or by commands that tasks run.  On
 * the screen it would be in the way.
 */
static void hear(struct session *s)
{
	static const char ours[] = "ipcdemo: ";
	char buf[sizeof(s->message)], *text = buf;
	ssize_t n;

	fflush(stderr);
	n = pread(s->err, buf, sizeof(buf) - 1, s->err_at);
	if (n <= 0)
		return;
	s->err_at = lseek(s->err, 0, SEEK_END);
	buf[n] = '\0';
	if (!strncmp(text, ours, strlen(ours)))
		text += strlen(ours);
	text[strcspn(text, "\n")] = '\0';
	say(s, "%s", text);
}

static int open_ears(struct session *s)
{
	s->err = memfd_create("stderr", MFD_CLOEXEC);
	s->stderr_was = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	/* Several write there: each behind the other. */
	if (s->err < 0 || s->stderr_was < 0 ||
	    fcntl(s->err, F_SETFL, O_APPEND) || dup2(s->err, STDERR_FILENO) < 0)
		return fail("cannot put standard error aside: %s",
			    strerror(errno));
	return 0;
}

/* What nobody heard is passed on. */
static void close_ears(struct session *s)
{
	char buf[4096];
	ssize_t n;

	fflush(stderr);
	if (s->stderr_was >= 0) {
		dup2(s->stderr_was, STDERR_FILENO);
		close(s->stderr_was);
	}
	while (s->err >= 0 &&
	       (n = pread(s->err, buf, sizeof(buf), s->err_at)) > 0) {
		write_all(STDERR_FILENO, buf, n);
		s->err_at += n;
	}
	if (s->err >= 0)
		close(s->err);
}

/* The end of an action: what went wrong is the message. */
static int told(struct session *s, int err)
{
	hear(s);
	if (s->report.failure) {
		say(s, "%s", s->report.failure);
		free(s->report.failure);
		s->report.failure = NULL;
	}
	return err ? FAILED : 0;
}

/* ---- the record ---------------------------------------------------------- */

static struct session_entry *add_entry(struct session *s, const char *text)
{
	struct session_entry *more, *e;

	more = reallocarray(s->entries, s->nentries + 1, sizeof(*more));
	if (!more)
		return NULL;
	s->entries = more;
	e = &more[s->nentries];
	*e = (struct session_entry){
		.text = strdup(text),
		.outcome = strdup(""),
		.action = s->actions,
		.next = s->next,
	};
	if (!e->text || !e->outcome) {
		free(e->text);
		free(e->outcome);
		return NULL;
	}
	s->nentries++;
	s->saved = false;
	return e;
}

static void drop_entries(struct session *s, size_t from)
{
	while (s->nentries > from) {
		s->nentries--;
		free(s->entries[s->nentries].text);
		free(s->entries[s->nentries].outcome);
	}
}

static int record(struct session *s, const char *text, const struct worker *w)
{
	struct session_entry *e = add_entry(s, text);
	char words[160], *outcome;

	if (!e)
		return fail("out of memory");
	if (!w)
		return 0;
	if (asprintf(&outcome, "%s %s", w->task->name,
		     step_doing(w, words, sizeof(words))) < 0)
		return fail("out of memory");
	free(e->outcome);
	e->outcome = outcome;
	return 0;
}

__printf(3, 4) static int recordf(struct session *s, const struct worker *w,
				  const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n, err;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return fail("out of memory");
	err = record(s, text, w);
	free(text);
	return err;
}

static int restart(struct session *s)
{
	int err;

	step_parser_free(s->parser);
	step_free(&s->schedule);
	s->parser = step_parser_new(&s->schedule);
	s->schedule.title = strdup("");
	if (!s->parser || !s->schedule.title)
		return fail("out of memory");
	s->run = step_begin(s->cli, &s->schedule, &s->report, &err);
	return err;
}

/* ---- doing a line -------------------------------------------------------- */

/* A declaration: of a task that comes before all orders, or of the pipe. */
static int declare(struct session *s, bool task, __u32 slots)
{
	struct schedule *schedule = &s->schedule;
	int err;

	if (task) {
		err = step_declare(s->run, true);
		if (err) {
			schedule->ntasks--;
			schedule->early--;
			return err;
		}
	} else {
		err = step_set_pipe(s->run);
		if (err) {
			schedule->slots = slots;
			return err;
		}
	}
	return step_set_base(s->run);
}

/* Does what a line says.  *line is NULL if it is no line of a schedule. */
static int do_line(struct session *s, const char *text,
		   const struct step_line **line, bool *declared)
{
	struct schedule *schedule = &s->schedule;
	size_t tasks = schedule->ntasks, lines = schedule->nlines;
	bool says = schedule->says_persistence;
	__u32 slots = schedule->slots;
	int err;

	*line = NULL;
	*declared = false;
	schedule->says_persistence = false;
	schedule->slots = 0;
	err = step_parse_line(s->parser, text);
	if (err) {
		schedule->slots = slots;
		schedule->says_persistence = says;
		return err;
	}
	if (schedule->pipe != STEP_PIPE_DEVICE) {
		schedule->pipe = STEP_PIPE_DEVICE;
		err = fail("the pipe is the one that ipcdemo step was given");
	} else if (schedule->nlines > lines) {
		*line = schedule->lines[lines];
		err = step_do(s->run, *line);
		if (err && (*line)->kind == STEP_TASK)
			schedule->ntasks--;
	} else if (schedule->ntasks > tasks || schedule->slots ||
		   schedule->says_persistence) {
		*declared = true;
		err = declare(s, schedule->ntasks > tasks, slots);
	}
	schedule->slots = schedule->slots ?: slots;
	schedule->says_persistence |= says;
	return err;
}

/* A task before an action. */
struct before {
	struct ipcdemo_arrival at;
	size_t begun;
	size_t done;
	bool gone;
	bool in_op;
};

static void remember(const struct session *s, struct before *before)
{
	const struct worker *w;
	size_t i;

	memset(before, 0, STEP_TASKS * sizeof(*before));
	for (i = 0; i < s->run->n; i++) {
		w = &s->run->workers[i];
		before[i] = (struct before){w->now, w->begun, w->done, w->gone,
					    step_in_op(w)};
	}
}

/* An expectation that holds now: it is tried, so that it will be read, too. */
__printf(2, 3) static void expect(struct session *s, const char *fmt, ...)
{
	const struct step_line *line;
	struct session_entry *e;
	char *text, *failure = s->report.failure;
	bool declared;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	s->report.failure = NULL;
	if (!do_line(s, text, &line, &declared)) {
		e = add_entry(s, text);
		if (e)
			e->expected = true;
	}
	/* Else it is not said: it would not hold. */
	free(s->report.failure);
	s->report.failure = failure;
	free(text);
}

static void expect_got(struct session *s, const struct worker *w)
{
	char text[2 * SHORT_TEXT + 1], *to = text, *data;
	size_t len = 0, i;

	data = step_got(w, &len);
	if (!data)
		return;
	for (i = 1; i < len && data[i] == data[0]; i++)
		;
	if (!len) {
		expect(s, "expect %s got nothing", w->task->name);
	} else if (i == len && len > 4 && isgraph((unsigned char)data[0]) &&
		   data[0] != '"' && data[0] != '#') {
		expect(s, "expect %s got %c*%zu", w->task->name, data[0], len);
	} else if (len <= SHORT_TEXT) {
		for (i = 0; i < len; i++) {
			if (data[i] == '\n' || data[i] == '\t') {
				*to++ = '\\';
				*to++ = data[i] == '\n' ? 'n' : 't';
				continue;
			}
			if (!isprint((unsigned char)data[i]))
				break;
			if (data[i] == '"' || data[i] == '\\')
				*to++ = '\\';
			*to++ = data[i];
		}
		*to = '\0';
		if (i == len)
			expect(s, "expect %s got \"%s\"", w->task->name, text);
	}
	free(data);
}

static void expect_result(struct session *s, const struct worker *w)
{
	char words[40];

	/* What the kernel says to itself, ERESTARTSYS, has no name. */
	if (w->result < 0 && !strerrorname_np(-w->result))
		return;
	expect(s, "expect %s result %s", w->task->name,
	       step_result_words(w->last, w->result, words, sizeof(words)));
	if (!w->live && w->result >= 0 &&
	    (w->last->kind == STEP_OP_READ || w->last->kind == STEP_OP_RUN ||
	     w->share->got))
		expect_got(s, w);
}

/* Where each task came to that the action moved. */
static void expect_all(struct session *s, const struct before *before)
{
	const struct before *b;
	struct worker *w;
	size_t i;

	for (i = 0; i < s->run->n; i++) {
		w = &s->run->workers[i];
		b = &before[i];
		if (w->done != b->done && w->last)
			expect_result(s, w);
		if (w->gone) {
			if (!b->gone)
				expect(s, "expect %s gone", w->task->name);
			continue;
		}
		if (w->now.state == b->at.state && w->done == b->done &&
		    w->begun == b->begun && !strcmp(w->now.point, b->at.point))
			continue;
		switch (w->now.state) {
		case IPCDEMO_TASK_HELD:
			expect(s, "expect %s at %s", w->task->name,
			       w->now.point);
			break;
		case IPCDEMO_TASK_ASLEEP:
			expect(s, "expect %s asleep", w->task->name);
			break;
		case IPCDEMO_TASK_LOCK:
			expect(s, "expect %s waits for lock", w->task->name);
			break;
		case IPCDEMO_TASK_IDLE:
			if (w->last && step_is_over(w))
				expect(s, "expect %s done", w->task->name);
			break;
		}
	}
}

/* ---- live tasks ---------------------------------------------------------- */

/**
 * struct call - a call of another process, from /proc/PID/syscall
 * @number:	of the call, -1: not known
 */
struct call {
	long number;
	unsigned long args[3];
};

static struct call look_at_call(pid_t pid)
{
	struct call call = {.number = -1};
	char path[64];
	FILE *from;

	snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
	from = fopen(path, "re");
	if (!from)
		return call;
	if (fscanf(from, "%ld %lx %lx %lx", &call.number, &call.args[0],
		   &call.args[1], &call.args[2]) != 4)
		call.number = -1;
	fclose(from);
	return call;
}

static const char *end_of_flags(unsigned long flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return "read";
	case O_WRONLY:
		return "write";
	default:
		return "both";
	}
}

/* The operation that a call is, in the language; false if it has no word. */
static bool name_call(const struct worker *w, const struct call *call,
		      char *buf, size_t size)
{
	const char *point = w->now.point, *dot = strchrnul(point, '.');
	unsigned long long bytes = call->args[2];
	bool begins = !strcmp(dot, ".enter");

	if (begins && w->now.len >= 0)
		bytes = w->now.len;
	if (bytes > STEP_BYTES)
		bytes = STEP_BYTES;
	switch (call->number) {
	case SYS_read:
	case SYS_readv:
		if (begins || call->number == SYS_read)
			snprintf(buf, size, "read %llu", bytes);
		else
			return false;
		return true;
	case SYS_write:
	case SYS_writev:
		if (begins || call->number == SYS_write)
			snprintf(buf, size, "write %llu", bytes);
		else
			return false;
		return true;
	case SYS_openat:
		snprintf(buf, size, "open %s%s", end_of_flags(call->args[2]),
			 call->args[2] & O_NONBLOCK ? " nonblock" : "");
		return true;
#ifdef SYS_open
	case SYS_open:
		snprintf(buf, size, "open %s%s", end_of_flags(call->args[1]),
			 call->args[1] & O_NONBLOCK ? " nonblock" : "");
		return true;
#endif
	case SYS_fcntl:
		if (call->args[1] != F_SETPIPE_SZ)
			break;
		snprintf(buf, size, "resize %lu", call->args[2]);
		return true;
	}
	/* Another call that comes by: what it does is what counts. */
	if (!strncmp(point, "read.", 5) && begins)
		snprintf(buf, size, "read %llu", bytes);
	else if (!strncmp(point, "write.", 6) && begins)
		snprintf(buf, size, "write %llu", bytes);
	else if (!strncmp(point, "close.", 6))
		snprintf(buf, size, "close");
	else if (!strcmp(point, "resize.enter") && w->now.len >= 0)
		snprintf(buf, size, "resize %lld", (long long)w->now.len);
	else
		return false;
	return true;
}

/* The engine has seen that a call of a live task begins. */
static int call_begins(void *ctx, struct worker *w)
{
	static struct step_op unknown = {
		.kind = STEP_OP_CLOSE,
		.text = (char *)"a call that has no word",
	};
	struct call call = look_at_call(w->pid);
	char op[80], text[120];
	struct session *s = ctx;

	if (!name_call(w, &call, op, sizeof(op)))
		goto unknown;
	snprintf(text, sizeof(text), "%s: %s", w->task->name, op);
	if (step_parse_line(s->parser, text)) {
		/* Reads at an end that was not seen to be opened, say */
		hear(s);
		goto unknown;
	}
	if (record(s, text, NULL))
		return FAILED;
	return step_queue_seen(w,
			       &s->schedule.lines[s->schedule.nlines - 1]->op);
unknown:
	s->gap = true;
	if (recordf(s, NULL, "# %s: a call that has no word here, at %s",
		    w->task->name, w->now.point))
		return FAILED;
	return step_queue_seen(w, &unknown);
}

/*
 * The orders that bring a task of a schedule to where a live task came to: by
 * our doing if it is the one that @acted, else by itself.
 */
static int record_live(struct session *s, struct worker *w,
		       const struct before *b, bool acted)
{
	const char *name = w->task->name;
	size_t calls = w->done - b->done;
	size_t len = strlen(b->at.point);
	int err = 0;

	if (w->gone) {
		if (b->gone)
			return 0;
		/* It had its result already, when it ended */
		if (b->in_op && len > 7 &&
		    !strcmp(b->at.point + len - 7, ".return"))
			err = recordf(s, w, "run %s for 1 call", name);
		return err ?: recordf(s, w, "kill %s", name);
	}
	if (calls)
		err = recordf(s, w, "run %s for %zu call%s", name, calls,
			      calls == 1 ? "" : "s");
	if (err || !step_in_op(w) || (!acted && w->begun == b->begun))
		return err;
	if (step_is_blocked(w))
		return recordf(s, w, "run %s until blocked", name);
	if (w->now.state == IPCDEMO_TASK_HELD)
		return recordf(s, w, "run %s until %s", name, w->now.point);
	return 0;
}

/* What all live tasks did; @actor is the one that was told to. */
static int record_all_live(struct session *s, const struct before *before,
			   const struct worker *actor)
{
	struct worker *w;
	int err = 0;

	for (w = s->run->workers; !err && w < s->run->workers + s->run->n; w++)
		if (w->live && !w->free)
			err = record_live(s, w, &before[w - s->run->workers],
					  w == actor);
	return err;
}

/* Which end a process has open: from its descriptors. */
static const char *end_of_process(const struct session *s, pid_t pid)
{
	const char *end = "nothing";
	struct ipcdemo_ends ends;
	size_t i;

	if (ipcdemo_pipe_ends(s->cli->ipc, s->run->pipe, &ends))
		return end;
	for (i = 0; i < ends.n; i++) {
		if (ends.end[i].pid != pid)
			continue;
		if (!strcmp(ends.end[i].end, "read"))
			end = !strcmp(end, "write") ? "both" : "read";
		else if (!strcmp(ends.end[i].end, "write"))
			end = !strcmp(end, "read") ? "both" : "write";
		else
			end = "both";
	}
	ipcdemo_ends_free(&ends);
	return end;
}

static bool is_taken(const struct session *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->schedule.ntasks; i++)
		if (!strcmp(s->schedule.tasks[i].name, name))
			return true;
	return false;
}

/* A name for a live task: that of its command, if that can be one. */
static void choose_name(const struct session *s, const char *command,
			char name[STEP_NAME])
{
	char base[STEP_NAME - 3], *to = base;
	int n = 2;

	for (; *command && to < base + sizeof(base) - 1; command++)
		if (isalpha((unsigned char)*command) ||
		    (to > base && (isalnum((unsigned char)*command))))
			*to++ = *command;
	*to = '\0';
	if (!*base)
		strcpy(base, "P");
	strcpy(name, base);
	while (!step_is_name(name) || is_taken(s, name))
		snprintf(name, STEP_NAME, "%.11s%d", base, n++ % 1000);
}

static struct worker *find_worker(const struct session *s, pid_t pid)
{
	struct worker *w = s->run->workers;

	for (; w < s->run->workers + s->run->n; w++)
		if (w->pid == pid && !w->gone)
			return w;
	return NULL;
}

static pid_t parent_of(pid_t pid)
{
	char path[64], line[80];
	pid_t parent = 0;
	FILE *from;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	from = fopen(path, "re");
	if (!from)
		return 0;
	while (fgets(line, sizeof(line), from))
		if (sscanf(line, "PPid: %d", &parent) == 1)
			break;
	fclose(from);
	return parent;
}

/* Is it a task of ours, or a child of one? */
static bool is_ours(const struct session *s, pid_t pid)
{
	int depth;

	for (depth = 0; pid > 1 && depth < 64; depth++) {
		if (find_worker(s, pid))
			return true;
		pid = parent_of(pid);
	}
	return false;
}

/*
 * The first live task comes: who else has the pipe open just now matters for
 * what it will see, end of file for one.
 */
static void note_others(struct session *s, pid_t newcomer)
{
	struct ipcdemo_ends ends;
	size_t i, j;

	if (ipcdemo_pipe_ends(s->cli->ipc, s->run->pipe, &ends))
		return;
	for (i = 0, j = 0; i < ends.n && j < OTHERS; i++)
		if (ends.end[i].pid != newcomer && !is_ours(s, ends.end[i].pid))
			s->others[j++] = ends.end[i];
	s->nothers = j;
	ipcdemo_ends_free(&ends);
}

static int adopt(struct session *s, const struct ipcdemo_arrival *at,
		 const char *verb)
{
	bool opening = !strncmp(at->point, "open.", 5);
	struct before before[STEP_TASKS];
	char name[STEP_NAME], text[80];
	struct worker *w;
	int err;

	if (s->schedule.ntasks == STEP_TASKS) {
		say(s, "more than %d tasks: %.16s (%d) is let go", STEP_TASKS,
		    at->command, at->pid);
		return ipcdemo_gate_go(s->cli->ipc, s->run->control, at->pid,
				       IPCDEMO_GO_FREE);
	}
	if (!s->live)
		note_others(s, at->pid);
	s->actions++;
	s->live = true;
	choose_name(s, at->command, name);
	snprintf(text, sizeof(text), "task %s opens %s", name,
		 opening ? "nothing" : end_of_process(s, at->pid));
	err = recordf(s, NULL, "# %s is the live process %d", name, at->pid)
		      ?: step_parse_line(s->parser, text)
		      ?: record(s, text, NULL);
	if (err)
		return err;
	memset(before, 0, sizeof(before));
	err = step_adopt(s->run, at);
	w = &s->run->workers[s->run->n - 1];
	if (err)
		return err;
	say(s, "%.16s (%d) is %s at %s", at->command, at->pid, verb,
	    w->now.point);
	err = record_live(s, w, &before[0], true);
	remember(s, before);
	before[w - s->run->workers] = (struct before){0};
	expect_all(s, before);
	return err;
}

/* Who is held, and is no task yet, or is none any more. */
static int adopt_all(struct session *s)
{
	struct ipcdemo_arrival held[STEP_TASKS] = {0};
	struct worker *w;
	size_t i;
	int err;

	err = ipcdemo_tasks(s->cli->ipc, s->run->control, IPCDEMO_TASKS_HELD, 0,
			    held, STEP_TASKS);
	if (err)
		return fail_ipc(s->cli);
	for (i = 0; !err && i < STEP_TASKS && held[i].pid; i++) {
		w = find_worker(s, held[i].pid);
		if (!w) {
			err = adopt(s, &held[i], "held");
		} else if (w->live && w->free) {
			s->actions++;
			s->gap = true;
			err = recordf(s, NULL,
				      "# %s comes back; what it did meanwhile was not seen",
				      w->task->name);
			err = err ?: step_recapture(s->run, w);
		}
	}
	return err;
}

/*
 * Who slept already when a gate was set comes to it when it wakes.  That it
 * sleeps belongs to the record, or a replay would not know: so it is a task from
 * now on, if there is a gate where it wakes.
 */
static int adopt_sleepers(struct session *s, const char *pattern)
{
	struct ipcdemo_arrival at;
	struct ipcdemo_pipe_view v;
	char point[32];
	size_t i;
	int err = 0;

	if (ipcdemo_pipe_view(s->cli->ipc, s->run->pipe, &v))
		return fail_ipc(s->cli);
	for (i = 0; !err && i < v.nwaiters; i++) {
		/* read.wait: it would come to read.woken */
		snprintf(point, sizeof(point), "%.*s.woken",
			 (int)strcspn(v.waiters[i].point, "."),
			 v.waiters[i].point);
		if (fnmatch(pattern, point, 0) || !v.waiters[i].pid ||
		    find_worker(s, v.waiters[i].pid) ||
		    strcmp(v.waiters[i].state, "sleeping"))
			continue;
		at = (struct ipcdemo_arrival){.pid = v.waiters[i].pid};
		snprintf(at.point, sizeof(at.point), "%s", v.waiters[i].point);
		snprintf(at.command, sizeof(at.command), "%.15s",
			 v.waiters[i].command);
		err = adopt(s, &at, "asleep");
	}
	ipcdemo_pipe_view_free(&v);
	return err;
}

int session_attend(struct session *s)
{
	struct before before[STEP_TASKS];
	struct ipcdemo_arrival arrival;
	size_t entries = s->nentries;
	int err;

	if (!s->run)
		return 0;
	while (!ipcdemo_gate_wait(s->cli->ipc, s->run->control, 0, &arrival))
		;
	remember(s, before);
	s->actions++;
	err = step_look(s->run) ?: record_all_live(s, before, NULL);
	if (s->nentries > entries)
		expect_all(s, before);
	else
		s->actions--;
	return told(s, err ?: adopt_all(s));
}

/* ---- actions ------------------------------------------------------------- */

static int cannot_go_on(struct session *s)
{
	return say(s, "there is no schedule any more: quit with q");
}

/*
 * After an order that was @typed, or that keys gave: what is written down is
 * for a task of ours the order if it was fulfilled, else the steps that were
 * taken; for a live one, where it came to.
 */
static int record_order(struct session *s, struct worker *w,
			const struct before *before, const char *order,
			unsigned long moves)
{
	int err = 0;

	if (!w->live && order)
		err = record(s, order, w);
	else if (!w->live && moves)
		err = recordf(s, w, "step %s %lu", w->task->name, moves);
	err = err ?: record_all_live(s, before, w);
	if (!err)
		expect_all(s, before);
	return err;
}

static int type_live(struct session *s, const struct step_line *l,
		     struct worker *w)
{
	__s64 i;
	int err = 0;

	if (l->kind == STEP_LET_GO)
		return session_let_go(s, w);
	for (i = 0; !err && i < l->number; i++)
		err = session_step(s, w);
	return err;
}

/* Is it for a live task, and has to be done in another way? */
static struct worker *live_target(struct session *s, const char *line,
				  struct step_line *l)
{
	char verb[8] = "", name[STEP_NAME] = "", rest[8] = "";
	struct worker *w;
	int n;

	n = sscanf(line, " %7s %15s %7s", verb, name, rest);
	memset(l, 0, sizeof(*l));
	if (n == 3 && !strcmp(verb, "let") && !strcmp(rest, "go"))
		l->kind = STEP_LET_GO;
	else if (n >= 2 && !strcmp(verb, "step"))
		l->kind = STEP_STEP;
	else
		return NULL;
	l->number = n == 3 ? atoi(rest) : 1;
	for (w = s->run->workers; w < s->run->workers + s->run->n; w++)
		if (w->live && !strcmp(w->task->name, name))
			return w;
	return NULL;
}

int session_type(struct session *s, const char *line)
{
	struct before before[STEP_TASKS];
	unsigned long moves[STEP_TASKS];
	const struct step_line *l;
	struct step_line order;
	struct worker *w;
	bool declared;
	size_t i;
	int err;

	*s->message = '\0';
	if (!s->run)
		return cannot_go_on(s);
	w = live_target(s, line, &order);
	if (w)
		return type_live(s, &order, w);
	remember(s, before);
	for (i = 0; i < s->run->n; i++)
		moves[i] = s->run->workers[i].moves;
	s->actions++;
	err = do_line(s, line, &l, &declared);
	if (declared || (l && (l->kind == STEP_OP || l->kind == STEP_TASK))) {
		if (!err)
			err = record(s, line, NULL);
		/* A task that was let go begins its operation */
		if (!err && l)
			expect_all(s, before);
	} else if (l && step_is_expectation(l)) {
		if (!err) {
			err = record(s, line, NULL);
			say(s, "yes");
		}
	} else if (l) {
		w = &s->run->workers[l->task];
		i = l->task;
		if (err)
			record_order(s, w, before, NULL, w->moves - moves[i]);
		else
			err = record_order(s, w, before, line, 0);
	}
	return told(s, err);
}

/* Nothing but blanks and a comment. */
static bool is_empty(const char *line)
{
	line += strspn(line, " \t\r");
	return !*line || *line == '#';
}

/* What a comment says; NULL: the line has none. */
static const char *comment_of(const char *line)
{
	bool quoted = false;

	for (; *line && (*line != '#' || quoted); line++) {
		if (*line == '\\' && quoted && line[1])
			line++;
		else if (*line == '"')
			quoted = !quoted;
	}
	line += strspn(line, "# \t");
	return *line ? line : NULL;
}

int session_next(struct session *s)
{
	const char *above = NULL, *behind;
	int err;

	for (; s->next < s->nplan && is_empty(s->plan[s->next]); s->next++)
		above = comment_of(s->plan[s->next]);
	if (s->next == s->nplan)
		return say(s, "%s",
			   s->plan ? "the file has no more lines"
				   : "no file was given");
	err = session_type(s, s->plan[s->next]);
	if (err)
		return err;
	/* The comments of the file say what is to be seen. */
	behind = comment_of(s->plan[s->next++]);
	if (behind || above)
		say(s, "# %s", behind ?: above);
	return 0;
}

int session_step(struct session *s, struct worker *w)
{
	struct before before[STEP_TASKS];
	char text[40];
	int err;

	*s->message = '\0';
	remember(s, before);
	s->actions++;
	err = step_move(s->run, w);
	snprintf(text, sizeof(text), "step %s", w->task->name);
	if (!err)
		err = record_order(s, w, before, text, 0);
	return told(s, err);
}

static bool is_at_gate(const struct session *s, const struct worker *w)
{
	size_t i;

	if (w->now.state != IPCDEMO_TASK_HELD)
		return false;
	for (i = 0; i < s->ngates; i++)
		if (!fnmatch(s->gates[i].point, w->now.point, 0))
			return true;
	return false;
}

/*
 * To the next gate, until it is blocked, or to the end of its operations; of a
 * live task, to the end of its call.
 */
static int run_one(struct session *s, struct worker *w, bool (*stop)(void))
{
	struct before before[STEP_TASKS];
	unsigned long moves = w->moves;
	size_t done = w->done;
	char text[80];
	int err;

	remember(s, before);
	do {
		err = step_move(s->run, w);
	} while (!err && !is_at_gate(s, w) && !step_is_blocked(w) &&
		 !step_is_over(w) && !step_stuck(w) &&
		 !(w->live && w->done != done) && !stop());
	moves = w->moves - moves;
	*text = '\0';
	if (!err && is_at_gate(s, w))
		snprintf(text, sizeof(text), "run %s until %s", w->task->name,
			 w->now.point);
	else if (!err && (step_is_blocked(w) || step_is_over(w)))
		snprintf(text, sizeof(text), "run %s until %s", w->task->name,
			 step_is_over(w) ? "done" : "blocked");
	if (moves)
		err = record_order(s, w, before, *text ? text : NULL, moves)
			      ?: err;
	return err;
}

int session_run(struct session *s, struct worker *w, bool (*stop)(void))
{
	*s->message = '\0';
	s->actions++;
	return told(s, run_one(s, w, stop));
}

int session_run_all(struct session *s, bool (*stop)(void))
{
	bool parked[STEP_TASKS] = {false}, progress = true;
	size_t i, done, moved = 0;
	struct worker *w;
	int err = 0;

	*s->message = '\0';
	s->actions++;
	while (progress && !err && !stop()) {
		progress = false;
		for (i = 0; !err && i < s->run->n && !stop(); i++) {
			w = &s->run->workers[i];
			if (parked[i] || step_stuck(w))
				continue;
			done = w->done;
			err = run_one(s, w, stop);
			/* A live task has no last operation: one call each */
			parked[i] = is_at_gate(s, w) ||
				    (w->live && w->done != done);
			progress = true;
			moved++;
		}
	}
	if (!moved)
		return say(s, "there is no task that can move");
	return told(s, err);
}

int session_let_go(struct session *s, struct worker *w)
{
	struct before before[STEP_TASKS];
	char text[40];
	int err;

	*s->message = '\0';
	snprintf(text, sizeof(text), "let %s go", w->task->name);
	if (!w->live)
		return session_type(s, text);
	s->actions++;
	remember(s, before);
	err = step_release(s->run, w);
	if (!err) {
		say(s, "%s goes where it likes", w->task->name);
		err = record(s, text, NULL);
	}
	return told(s, err);
}

/* ---- gates --------------------------------------------------------------- */

int session_gate(struct session *s, const char *pattern)
{
	struct session_gate *more;
	int id, i, n = 0;

	*s->message = '\0';
	if (strlen(pattern) >= sizeof(more->point))
		return say(s, "'%s' is too long for a point", pattern);
	for (i = 0; i < step_points(); i++)
		n += step_point_holds(i) &&
		     !fnmatch(pattern, step_point_name(i), 0);
	if (!n)
		return say(s,
			   "there is no point '%s' where a task can be held; Tab shows those that are",
			   pattern);
	for (i = 0; i < (int)s->ngates; i++)
		if (!strcmp(s->gates[i].point, pattern))
			return say(s, "there is a gate at %s already", pattern);
	more = reallocarray(s->gates, s->ngates + 1, sizeof(*more));
	if (!more)
		return say(s, "out of memory");
	s->gates = more;
	id = ipcdemo_gate_add(s->cli->ipc, s->run->control, s->run->pipe,
			      pattern, 0, 0);
	if (id < 0)
		return say(s, "%s", ipcdemo_error(s->cli->ipc));
	strcpy(more[s->ngates].point, pattern);
	more[s->ngates++].id = id;
	say(s, "whoever comes to %s%s is held", pattern,
	    n > 1 ? " (a pattern)" : "");
	return told(s, adopt_sleepers(s, pattern));
}

int session_ungate(struct session *s, const char *pattern)
{
	size_t i, n = 0;

	*s->message = '\0';
	for (i = 0; i < s->ngates; i++) {
		if (*pattern && strcmp(s->gates[i].point, pattern)) {
			s->gates[n++] = s->gates[i];
			continue;
		}
		if (ipcdemo_gate_remove(s->cli->ipc, s->run->control,
					s->gates[i].id))
			say(s, "%s", ipcdemo_error(s->cli->ipc));
	}
	if (n == s->ngates)
		return say(s, "there is no gate%s%s", *pattern ? " at " : "",
			   pattern);
	s->ngates = n;
	if (!*s->message)
		say(s, "who is held there stays held: l lets a task go");
	return 0;
}

/* Sets them again, in a run that has begun again. */
static int set_gates(struct session *s)
{
	size_t i;

	for (i = 0; i < s->ngates; i++) {
		s->gates[i].id =
			ipcdemo_gate_add(s->cli->ipc, s->run->control,
					 s->run->pipe, s->gates[i].point, 0, 0);
		if (s->gates[i].id < 0)
			return fail_ipc(s->cli);
	}
	return 0;
}

/* ---- undo ---------------------------------------------------------------- */

/* Somebody else who has the pipe open, or waits to: his pid, 0 if nobody. */
static pid_t find_stranger(const struct session *s)
{
	struct ipcdemo_pipe_view v;
	struct ipcdemo_ends ends;
	pid_t pid = 0;
	size_t i;

	if (!ipcdemo_pipe_ends(s->cli->ipc, s->run->pipe, &ends)) {
		for (i = 0; !pid && i < ends.n; i++)
			if (!is_ours(s, ends.end[i].pid))
				pid = ends.end[i].pid;
		ipcdemo_ends_free(&ends);
	}
	if (!pid && !ipcdemo_pipe_view(s->cli->ipc, s->run->pipe, &v)) {
		for (i = 0; !pid && i < v.nwaiters; i++)
			if (!is_ours(s, v.waiters[i].pid))
				pid = v.waiters[i].pid;
		ipcdemo_pipe_view_free(&v);
	}
	return pid;
}

static int replay(struct session *s)
{
	const struct step_line *line;
	bool declared;
	size_t i;
	int err;

	for (i = 0; i < s->nentries; i++) {
		err = do_line(s, s->entries[i].text, &line, &declared);
		if (err) {
			drop_entries(s, i);
			return err;
		}
	}
	return 0;
}

int session_undo(struct session *s)
{
	unsigned int last;
	size_t from;
	pid_t pid;
	int err;

	*s->message = '\0';
	if (!s->nentries)
		return say(s, "there is nothing to undo");
	if (s->live)
		return say(s,
			   "a live process took part, and what it did cannot be undone");
	if (!s->run->unused)
		return say(s,
			   "the pipe was in use when this began: there is no way back to that");
	pid = find_stranger(s);
	if (pid)
		return say(s,
			   "process %d has the pipe open, too: it would be there still",
			   pid);
	last = s->entries[s->nentries - 1].action;
	for (from = s->nentries; from && s->entries[from - 1].action == last;)
		from--;
	s->next = s->entries[from].next;
	drop_entries(s, from);
	s->actions = from ? s->entries[from - 1].action : 0;
	err = step_end(s->run);
	s->run = NULL;
	s->gap = false;
	err = restart(s) ?: err;
	if (!err) {
		s->run->seen = call_begins;
		s->run->ctx = s;
		err = set_gates(s) ?: replay(s);
	}
	s->saved = false;
	told(s, err);
	if (!err)
		say(s, "undone");
	return err ? FAILED : 0;
}

/* ---- save ---------------------------------------------------------------- */

static bool declares(const struct session *s, const char *what)
{
	char word[16], next[16];
	size_t i;

	for (i = 0; i < s->nentries; i++)
		if (sscanf(s->entries[i].text, " %15s %15s", word, next) == 2 &&
		    !strcmp(word, "pipe") && !strcmp(next, what))
			return true;
	return false;
}

/* Those who had an end open beside the first live task, and never were tasks. */
static void write_others(const struct session *s, FILE *to)
{
	bool reads = false, writes = false;
	const struct ipcdemo_end *e;
	char name[STEP_NAME];

	for (e = s->others; e < s->others + s->nothers; e++) {
		if (find_worker(s, e->pid))
			continue;
		reads |= strcmp(e->end, "write");
		writes |= strcmp(e->end, "read");
	}
	if (!reads && !writes)
		return;
	choose_name(s, "others", name);
	fprintf(to, "# who had the pipe open, too\ntask %s opens %s\n", name,
		!writes ? "read"
		: reads ? "both"
			: "write");
}

static bool has_packets(const struct schedule *schedule)
{
	size_t i;

	for (i = 0; i < schedule->ntasks; i++)
		if (schedule->tasks[i].packets)
			return true;
	return false;
}

static void write_record(const struct session *s, FILE *to)
{
	const struct session_entry *e;
	struct ipcdemo_pipe_stat stat;
	unsigned int action = 0;

	fprintf(to, "# What was done at the keyboard, with ipcdemo step\n");
	if (s->gap)
		fprintf(to,
			"# Not all that happened can be said in this language: it may not replay.\n");
	if (!s->run->unused)
		fprintf(to,
			"# The pipe was in use when this began: it may not replay.\n");
	/* The device, on which it will be run, has none. */
	if (has_packets(&s->schedule))
		fprintf(to, "pipe kind anonymous\n");
	if (!declares(s, "slots"))
		fprintf(to, "pipe slots %llu\n",
			s->run->capacity / sysconf(_SC_PAGESIZE));
	if (!declares(s, "persist") &&
	    s->run->persistence == IPCDEMO_PERSIST_KERNEL)
		fprintf(to, "pipe persist kernel\n");
	write_others(s, to);
	for (e = s->entries; e < s->entries + s->nentries; e++) {
		if (e->action != action && action && !e->expected)
			putc('\n', to);
		action = e->action;
		fprintf(to, "%s\n", e->text);
	}
	if (s->nentries && s->run->unused && !s->gap &&
	    !step_stat(s->run, &stat))
		fprintf(to, "\nexpect slots used %u\nexpect bytes %llu\n",
			stat.used, stat.bytes);
}

int session_save(struct session *s, const char *path)
{
	FILE *to;

	*s->message = '\0';
	if (!s->schedule.ntasks)
		return say(s, "there is no task yet: nothing to save");
	to = fopen(path, "we");
	if (!to)
		return say(s, "%s: %s", path, strerror(errno));
	write_record(s, to);
	if (ferror(to) | fclose(to))
		return say(s, "%s: %s", path, strerror(errno));
	s->saved = true;
	say(s, "saved: ipcdemo step %s does it again", path);
	return 0;
}

/* ---- beginning and end ---------------------------------------------------- */

int session_begin(struct session *s, struct cli *cli, __u32 pipe,
		  const char *path, int timeout_ms)
{
	int err;

	*s = (struct session){
		.cli = cli,
		.report.timeout_ms = timeout_ms,
		.report.in_use = true,
		.report.pipe = pipe,
		.report.path = path,
		.saved = true,
		.err = -1,
		.stderr_was = -1,
	};
	s->report.to = fopen("/dev/null", "we");
	if (!s->report.to)
		return fail("/dev/null: %s", strerror(errno));
	err = restart(s);
	if (err && s->report.failure)
		fail("%s", s->report.failure);
	if (err)
		return err;
	s->run->seen = call_begins;
	s->run->ctx = s;
	return open_ears(s);
}

int session_end(struct session *s)
{
	size_t i;
	int err = 0;

	close_ears(s);
	if (s->run)
		err = step_end(s->run);
	drop_entries(s, 0);
	free(s->entries);
	free(s->gates);
	for (i = 0; i < s->nplan; i++)
		free(s->plan[i]);
	free(s->plan);
	free(s->file);
	step_parser_free(s->parser);
	free(s->report.failure);
	step_free(&s->schedule);
	if (s->report.to)
		fclose(s->report.to);
	return err;
}

static int read_plan(struct session *s, const char *file)
{
	char *line = NULL, **more;
	size_t room = 0;
	ssize_t n;
	FILE *from = fopen(file, "re");

	if (!from)
		return say(s, "%s: %s", file, strerror(errno));
	while ((n = getline(&line, &room, from)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		more = reallocarray(s->plan, s->nplan + 1, sizeof(*more));
		if (!more)
			break;
		s->plan = more;
		s->plan[s->nplan] = strdup(line);
		if (!s->plan[s->nplan])
			break;
		s->nplan++;
	}
	free(line);
	fclose(from);
	return n > 0 ? say(s, "out of memory") : 0;
}

/* A declaration or an operation: nothing moves. */
static bool moves_nothing(const char *line)
{
	size_t len;

	line += strspn(line, " \t\r");
	len = strcspn(line, " \t\r#");
	return !strncmp(line, "task ", 5) || !strncmp(line, "pipe ", 5) ||
	       (len && line[len - 1] == ':');
}

int session_load(struct session *s, const char *file, unsigned int until)
{
	int err = read_plan(s, file);
	size_t line = 0;

	while (!err) {
		for (line = s->next; line < s->nplan; line++)
			if (!is_empty(s->plan[line]))
				break;
		if (line == s->nplan ||
		    (until ? line >= until : !moves_nothing(s->plan[line])))
			break;
		err = session_next(s);
	}
	return err;
}

const char *session_op(const struct worker *w)
{
	if (step_in_op(w))
		return w->queue[w->begun - 1]->text;
	return step_left_to_do(w) ? w->queue[w->begun]->text : "";
}

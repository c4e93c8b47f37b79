// SPDX-License-Identifier: GPL-2.0
/*
 * why: who can move, who is deadlocked, which mistakes that shows (see why.h)
 *
 * Looks at the graph alone.  A mistake is named only on evidence in it; it is sure
 * where nothing else explains what is seen, and else said with "perhaps".
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "why.h"

/* ---- asking the graph ------------------------------------------------------ */

int why_task(const struct why_graph *g, pid_t pid)
{
	size_t low = 0, high = g->ntasks, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (g->task[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < g->ntasks && g->task[low].pid == pid ? (int)low
							  : WHY_NOBODY;
}

const struct why_pipe *why_pipe(const struct why_graph *g, __u32 id)
{
	size_t i;

	for (i = 0; i < g->npipes; i++)
		if (g->pipe[i].view.id == id)
			return &g->pipe[i];
	return NULL;
}

bool why_end_is(const struct ipcdemo_end *end, bool writes)
{
	return !strcmp(end->end, "both") ||
	       !strcmp(end->end, writes ? "write" : "read");
}

bool why_has_end(const struct why_graph *g, __u32 id, pid_t pid, bool writes,
		 int *fd)
{
	const struct ipcdemo_end *e;
	size_t i;

	for (i = 0; i < g->ends.n; i++) {
		e = &g->ends.end[i];
		if (e->id != id || e->pid != pid || !why_end_is(e, writes))
			continue;
		if (fd)
			*fd = e->fd;
		return true;
	}
	return false;
}

bool why_is_stuck(const struct why_task *t)
{
	unsigned int i;

	for (i = 0; i < t->n; i++)
		if (t->wait[i].kind == WHY_READ ||
		    t->wait[i].kind == WHY_WRITE ||
		    t->wait[i].kind == WHY_OPEN ||
		    t->wait[i].kind == WHY_WORD || t->wait[i].kind == WHY_HELD)
			return true;
	return false;
}

/* The wait of a kind that is for this pipe, and no poll; NULL: none. */
static const struct why_wait *waits(const struct why_task *t,
				    enum why_kind kind, __u32 id)
{
	unsigned int i;

	for (i = 0; i < t->n; i++)
		if (t->wait[i].kind == kind && !t->wait[i].poll &&
		    (!id || t->wait[i].id == id))
			return &t->wait[i];
	return NULL;
}

/* As far as may be seen: t->dead is sure. */
static bool is_dead(const struct why_task *t)
{
	return t->way == WHY_FAR;
}

/* ---- who can move ------------------------------------------------------------ */

/*
 * Goes on from one who could end the wait to the next: *at begins with 0.  Return:
 * its index, or WHY_NOBODY after the last.
 */
static int next_blocker(const struct why_graph *g, int task,
			const struct why_wait *w, size_t *at)
{
	const struct ipcdemo_end *e;
	int found;

	switch (w->kind) {
	case WHY_READ:
	case WHY_WRITE:
		while (*at < g->ends.n) {
			e = &g->ends.end[(*at)++];
			if (e->id != w->id ||
			    !why_end_is(e, w->kind == WHY_READ))
				continue;
			found = why_task(g, e->pid);
			if (found >= 0)
				return found;
		}
		break;
	case WHY_CHILD:
		while (*at < g->ntasks) {
			found = (*at)++;
			if (w->child ? g->task[found].pid == w->child
				     : g->task[found].parent ==
					       g->task[task].pid)
				return found;
		}
		break;
	case WHY_WORD:
		if (!(*at)++ && w->holder)
			return why_task(g, w->holder);
		break;
	default:
		break;
	}
	return WHY_NOBODY;
}

/* Can it end without anybody whom the graph knows?  With hidden, may it? */
static bool ends_by_itself(const struct why_graph *g, int task,
			   const struct why_wait *w, bool hidden)
{
	size_t at = 0;

	switch (w->kind) {
	case WHY_READ:
	case WHY_WRITE:
		/* One who may not be looked into may have the other end */
		if (hidden)
			return true;
		fallthrough;
	case WHY_CHILD:
	case WHY_WORD:
		/* Whoever could end it is not to be seen */
		return next_blocker(g, task, w, &at) == WHY_NOBODY;
	default:
		return true;
	}
}

/* Of two who are as near, rather the one who did it last, and not oneself. */
static bool is_better(const struct why_graph *g, int task,
		      const struct why_wait *w, int now, int then)
{
	const struct why_pipe *p = why_pipe(g, w->id);
	const struct ipcdemo_trace *last;

	if (then == WHY_NOBODY || g->task[now].way != g->task[then].way)
		return then == WHY_NOBODY ||
		       g->task[now].way < g->task[then].way;
	if (now == task || then == task)
		return then == task;
	last = p && (w->kind == WHY_READ || w->kind == WHY_WRITE)
		       ? ipcdemo_trace(&p->view,
				       w->kind == WHY_READ ? "write" : "read")
		       : NULL;
	return last && g->task[now].pid == last->pid;
}

static void choose_next(struct why_graph *g, int task)
{
	struct why_task *t = &g->task[task];
	unsigned int i;
	size_t at;
	int found;

	t->next = WHY_NOBODY;
	for (i = 0; i < t->n; i++) {
		at = 0;
		while ((found = next_blocker(g, task, &t->wait[i], &at)) >= 0) {
			if (!is_better(g, task, &t->wait[i], found, t->next))
				continue;
			t->next = found;
			t->by = i;
		}
	}
}

/* With hidden, as if each process that may not be looked into had an end. */
static void measure_ways(struct why_graph *g, bool hidden)
{
	struct why_task *t;
	bool again = true;
	unsigned int j;
	size_t i, at;
	int found;

	for (i = 0; i < g->ntasks; i++) {
		t = &g->task[i];
		t->way = t->n ? WHY_FAR : 0;
		for (j = 0; j < t->n; j++)
			if (ends_by_itself(g, i, &t->wait[j], hidden))
				t->way = 0;
	}
	while (again) {
		again = false;
		for (i = 0; i < g->ntasks; i++) {
			t = &g->task[i];
			for (j = 0; j < t->n; j++) {
				at = 0;
				while ((found = next_blocker(g, i, &t->wait[j],
							     &at)) >= 0) {
					if (g->task[found].way + 1 >= t->way)
						continue;
					t->way = g->task[found].way + 1;
					again = true;
				}
			}
		}
	}
}

static void find_ways(struct why_graph *g)
{
	size_t i;

	measure_ways(g, g->ends.hidden);
	for (i = 0; i < g->ntasks; i++)
		g->task[i].dead = g->task[i].way == WHY_FAR;
	if (g->ends.hidden)
		measure_ways(g, false);
	for (i = 0; i < g->ntasks; i++) {
		g->task[i].next = WHY_NOBODY;
		if (g->task[i].way)
			choose_next(g, i);
	}
}

/* ---- mistakes ------------------------------------------------------------------ */

static int room_for_mistake(struct why_graph *g)
{
	struct why_mistake *more =
		realloc(g->mistake, (g->nmistakes + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	g->mistake = more;
	return 0;
}

/* Once a name, pipe and process; sure beats perhaps. */
__printf(6, 7) static int accuse(struct why_graph *g, const char *name,
				 bool sure, __u32 id, pid_t pid,
				 const char *fmt, ...)
{
	struct why_mistake *m;
	va_list args;
	size_t i;

	for (i = 0; i < g->nmistakes; i++) {
		m = &g->mistake[i];
		if (!strcmp(m->name, name) && m->id == id && m->pid == pid)
			break;
	}
	if (i < g->nmistakes && (g->mistake[i].sure || !sure))
		return 0;
	if (i == g->nmistakes) {
		if (room_for_mistake(g))
			return -ENOMEM;
		g->nmistakes++;
	}
	m = &g->mistake[i];
	m->name = name;
	m->sure = sure;
	m->id = id;
	m->pid = pid;
	va_start(args, fmt);
	vsnprintf(m->evidence, sizeof(m->evidence), fmt, args);
	va_end(args);
	return 0;
}

/* How many processes have an end of that kind, but for one. */
static unsigned int others(const struct why_graph *g, __u32 id, pid_t but,
			   bool writes)
{
	const struct ipcdemo_end *e;
	unsigned int n = 0;
	pid_t last = 0;
	size_t i;

	for (i = 0; i < g->ends.n; i++) {
		e = &g->ends.end[i];
		if (e->id != id || e->pid == but || e->pid == last ||
		    !why_end_is(e, writes))
			continue;
		n++;
		last = e->pid;
	}
	return n;
}

/* Is it one descriptor that reads and writes, of a FIFO, and no other end? */
static bool has_both_only(const struct why_graph *g, __u32 id, pid_t pid)
{
	bool both = false;
	size_t i;

	for (i = 0; i < g->ends.n; i++) {
		if (g->ends.end[i].id != id || g->ends.end[i].pid != pid)
			continue;
		if (strcmp(g->ends.end[i].end, "both"))
			return false;
		both = true;
	}
	return both;
}

/*
 * A task waits for what nobody but itself could do.  Whether that is an end it
 * should have closed, or a pipe it talks to itself through, is told by who was at
 * the other side before.
 */
static int judge_alone(struct why_graph *g, const struct why_task *t,
		       const struct why_wait *w, const struct why_pipe *p)
{
	bool reads = w->kind == WHY_READ;
	const struct ipcdemo_trace *last =
		ipcdemo_trace(&p->view, reads ? "write" : "read");
	const char *what = reads ? "write" : "read";
	int fd = -1;

	why_has_end(g, w->id, t->pid, reads, &fd);
	if (last && last->pid != t->pid) {
		if (reads && has_both_only(g, w->id, t->pid))
			return accuse(g, "rdwr-fifo", true, w->id, t->pid,
				      "descriptor %d of %d (%s) is open for reading and writing (O_RDWR), so it is itself the only writer that is left: the end of file never comes, though %d (%s) has written and closed",
				      fd, t->pid, t->command, last->pid,
				      last->command);
		return accuse(g, "unused-end", true, w->id, t->pid,
			      "%d (%s) holds a %s end itself, descriptor %d, the only one that is left since %d (%s) has closed its own: so it gets no %s",
			      t->pid, t->command, what, fd, last->pid,
			      last->command, reads ? "end of file" : "EPIPE");
	}
	if (reads && !last && has_both_only(g, w->id, t->pid))
		return 0; /* a server whose first client has not come yet */
	return accuse(g, "same-process", true, w->id, t->pid,
		      "%d (%s) is the only reader and the only writer: asleep in %s, it can never %s",
		      t->pid, t->command, reads ? "read" : "write", what);
}

/* Another one holds an end, and cannot use it, or does not look as if it would. */
static int judge_other(struct why_graph *g, const struct why_task *t,
		       const struct why_wait *w, const struct why_pipe *p,
		       const struct ipcdemo_end *e)
{
	bool reads = w->kind == WHY_READ;
	const struct ipcdemo_trace *last =
		ipcdemo_trace(&p->view, reads ? "write" : "read");
	const char *what = reads ? "write" : "read";
	const struct why_task *x = &g->task[why_task(g, e->pid)];
	bool gone = last && last->pid != x->pid && last->pid != t->pid &&
		    !why_has_end(g, w->id, last->pid, reads, NULL);

	if (is_dead(t) && is_dead(x) && waits(x, WHY_CHILD, 0))
		return !gone && !reads
			       ? 0
			       : accuse(g, "unused-end", gone && x->dead, w->id,
					x->pid,
					"%d (%s) holds a %s end, descriptor %d, and waits for a child to end that waits for that end to be closed",
					x->pid, x->command, what, e->fd);
	if (gone && e->fd > 2 && !strcmp(e->end, what) && x->n == 1 &&
	    x->wait[0].kind == WHY_OUTSIDE)
		return accuse(g, "unused-end", false, w->id, x->pid,
			      "%d (%s) holds a %s end, descriptor %d, and has not used it, while %d (%s) has and is gone",
			      x->pid, x->command, what, e->fd, last->pid,
			      last->command);
	return 0;
}

static int judge_ends(struct why_graph *g, const struct why_task *t,
		      const struct why_wait *w)
{
	const struct why_pipe *p = why_pipe(g, w->id);
	bool reads = w->kind == WHY_READ;
	size_t i;
	int fd, err = 0;

	if (!p || p->jobs || t->threads > 1)
		return 0;
	/* Nobody could be hidden who has it */
	if (!others(g, w->id, t->pid, reads))
		return why_has_end(g, w->id, t->pid, reads, NULL) &&
				       !g->ends.hidden
			       ? judge_alone(g, t, w, p)
			       : 0;
	if (!w->poll && why_has_end(g, w->id, t->pid, reads, &fd) &&
	    !has_both_only(g, w->id, t->pid))
		err = accuse(g, "unused-end", false, w->id, t->pid,
			     "%d (%s) waits to %s and holds a %s end as well, descriptor %d: when all others have closed theirs, it gets no %s",
			     t->pid, t->command, reads ? "read" : "write",
			     reads ? "write" : "read", fd,
			     reads ? "end of file" : "EPIPE");
	for (i = 0; i < g->ends.n && !err; i++) {
		const struct ipcdemo_end *e = &g->ends.end[i];

		if (e->id == w->id && e->pid != t->pid &&
		    why_end_is(e, reads) && why_task(g, e->pid) >= 0)
			err = judge_other(g, t, w, p, e);
	}
	return err;
}

/* Bytes that one of the process's FILEs keeps back from this pipe. */
static const struct why_stdio *kept(const struct why_graph *g, __u32 id,
				    pid_t pid)
{
	size_t i, j;

	for (i = 0; i < g->nstdio; i++)
		for (j = 0; j < g->ends.n && g->stdio[i].pid == pid; j++)
			if (g->ends.end[j].pid == pid &&
			    g->ends.end[j].id == id &&
			    g->ends.end[j].fd == g->stdio[i].fd)
				return &g->stdio[i];
	return NULL;
}

/* A reader waits; do the bytes lie in a buffer of a writer? */
static int judge_stdio(struct why_graph *g, const struct why_wait *w)
{
	const struct ipcdemo_end *e;
	const struct why_stdio *s;
	size_t i;
	int err = 0, x;

	for (i = 0; i < g->ends.n && !err; i++) {
		e = &g->ends.end[i];
		if (e->id != w->id || !why_end_is(e, true))
			continue;
		s = kept(g, w->id, e->pid);
		x = why_task(g, e->pid);
		if (s && x >= 0)
			err = accuse(g, "stdio-buffering", true, w->id, e->pid,
				     "%zu bytes lie in the stdio buffer of %d (%s) for descriptor %d: it has printed and not flushed them",
				     s->bytes, e->pid, g->task[x].command,
				     s->fd);
	}
	return err;
}

/* Two who wait for each other, each at another pipe between them. */
static int judge_pair(struct why_graph *g, int a, int b)
{
	const struct why_task *t[2] = {&g->task[a], &g->task[b]};
	const struct why_wait *w[2] = {&t[0]->wait[t[0]->by],
				       &t[1]->wait[t[1]->by]};
	const struct ipcdemo_trace *heard, *said;
	const struct why_pipe *in, *out;
	int i, err;

	if (w[0]->id == w[1]->id)
		return 0;
	for (i = 0; i < 2; i++)
		if (w[i]->kind != WHY_READ && w[i]->kind != WHY_WRITE)
			return 0;
	if (w[0]->kind == WHY_WRITE || w[1]->kind == WHY_WRITE)
		return accuse(g, "pipe-order", t[0]->dead && t[1]->dead,
			      w[0]->id, 0,
			      "%d (%s) waits to %s pipe %u and %d (%s) to %s pipe %u: each is to use the other of the two pipes between them first",
			      t[0]->pid, t[0]->command,
			      w[0]->kind == WHY_READ ? "read" : "write",
			      w[0]->id, t[1]->pid, t[1]->command,
			      w[1]->kind == WHY_READ ? "read" : "write",
			      w[1]->id);
	/* Both wait for the other to speak; has one of them been asked? */
	for (i = 0; i < 2; i++)
		if (kept(g, w[!i]->id, t[i]->pid))
			return 0; /* judge_stdio() has said it */
	for (i = 0; i < 2; i++) {
		in = why_pipe(g, w[i]->id);
		out = why_pipe(g, w[!i]->id);
		if (!in || !out)
			return 0;
		heard = ipcdemo_trace(&in->view, "read");
		said = ipcdemo_trace(&out->view, "write");
		if (!heard || heard->pid != t[i]->pid ||
		    (said && said->seconds <= heard->seconds))
			continue;
		err = accuse(g, "stdio-buffering", false, w[!i]->id, t[i]->pid,
			     "%d (%s) has read from pipe %u and written nothing to pipe %u since: its answer may lie in a buffer of its own",
			     t[i]->pid, t[i]->command, w[i]->id, w[!i]->id);
		return err;
	}
	return accuse(g, "pipe-order", false, w[0]->id, 0,
		      "%d (%s) waits to read pipe %u and %d (%s) to read pipe %u: each lets the other speak first",
		      t[0]->pid, t[0]->command, w[0]->id, t[1]->pid,
		      t[1]->command, w[1]->id);
}

/* Two FIFOs that are opened crosswise.  The kernel does not tell what comes next. */
static int judge_opens(struct why_graph *g, int a, int b)
{
	const struct why_task *s = &g->task[a], *t = &g->task[b];
	const struct why_wait *v = waits(s, WHY_OPEN, 0);
	const struct why_wait *w = waits(t, WHY_OPEN, 0);

	if (!v || !w || v->id == w->id ||
	    (s->parent != t->parent && s->session != t->session) ||
	    s->threads > 1 || t->threads > 1)
		return 0;
	return accuse(g, "pipe-order", false, v->id, 0,
		      "%d (%s) waits in open for somebody at pipe %u, %d (%s) for somebody at pipe %u: if each is to open the other's next, neither will",
		      s->pid, s->command, v->id, t->pid, t->command, w->id);
}

static int judge_pairs(struct why_graph *g)
{
	size_t i, j;
	int err = 0;

	for (i = 0; i < g->ntasks && !err; i++) {
		j = g->task[i].next;
		if (is_dead(&g->task[i]) && g->task[i].next > (int)i &&
		    g->task[j].next == (int)i)
			err = judge_pair(g, i, j);
		for (j = i + 1; j < g->ntasks && !err; j++)
			if (g->task[i].n && g->task[j].n)
				err = judge_opens(g, i, j);
	}
	return err;
}

/* Is a process at it that waits in poll for this pipe? */
static bool polls(const struct why_task *t, __u32 id)
{
	unsigned int i;

	for (i = 0; i < t->n; i++)
		if (t->wait[i].poll && t->wait[i].id == id)
			return true;
	return false;
}

/* What a pipe's trail tells. */
static int judge_trail(struct why_graph *g, const struct why_pipe *p)
{
	const struct ipcdemo_pipe_view *v = &p->view;
	const struct ipcdemo_trace *torn = ipcdemo_trace(v, "write.torn");
	const struct ipcdemo_trace *left = ipcdemo_trace(v, "close.again");
	const struct ipcdemo_trace *again = ipcdemo_trace(v, "read.again");
	const struct ipcdemo_trace *read = ipcdemo_trace(v, "read");
	const struct ipcdemo_trace *epipe = ipcdemo_trace(v, "write.epipe");
	const struct why_task *t;
	int at, err = 0;

	if (torn)
		err = accuse(g, "pipe-buf-tearing", true, v->id, torn->pid,
			     "%llu writes, the last of them by %d (%s) %.1f s ago, were larger than PIPE_BUF and slept with a part written, and others wrote into them",
			     torn->count, torn->pid, torn->command,
			     torn->seconds);
	if (left && !err)
		err = accuse(g, "eagain-as-eof", false, v->id, left->pid,
			     "a read of %d (%s) returned EAGAIN, which is no end of file, and it closed its end %.1f s ago while there was a writer, without polling or reading again",
			     left->pid, left->command, left->seconds);
	at = again ? why_task(g, again->pid) : WHY_NOBODY;
	if (at >= 0 && !err && ipcdemo_waiting(v, "write.wait") &&
	    (!read || read->seconds > again->seconds) && again->seconds >= 1) {
		t = &g->task[at];
		if (why_has_end(g, v->id, t->pid, false, NULL) &&
		    !polls(t, v->id))
			err = accuse(g, "eagain-as-eof", false, v->id, t->pid,
				     "the last read of %d (%s) returned EAGAIN %.1f s ago, which is no end of file, and it has not come back for what was written since",
				     t->pid, t->command, again->seconds);
	}
	at = epipe ? why_task(g, epipe->pid) : WHY_NOBODY;
	if (at >= 0 && !err && epipe->count > 1 && !v->readers) {
		t = &g->task[at];
		if (t->no_sigpipe && why_has_end(g, v->id, t->pid, true, NULL))
			err = accuse(g, "sigpipe-ignored", true, v->id, t->pid,
				     "%d (%s) ignores SIGPIPE and writes on though nobody reads: %llu writes have failed with EPIPE, the last %.1f s ago",
				     t->pid, t->command, epipe->count,
				     epipe->seconds);
	}
	return err;
}

static int judge_readers(struct why_graph *g, const struct why_pipe *p)
{
	const struct ipcdemo_pipe_view *v = &p->view;
	const struct ipcdemo_trace *turn = ipcdemo_trace(v, "read.turn");
	const struct why_task *first = NULL;
	size_t i;

	if (p->jobs)
		return 0;
	for (i = 0; i < g->ntasks; i++) {
		if (!waits(&g->task[i], WHY_READ, v->id))
			continue;
		if (first)
			return accuse(g, "two-readers", false, v->id, 0,
				      "%d (%s) and %d (%s) wait for the same bytes: each byte goes to one of them, and which is luck",
				      first->pid, first->command,
				      g->task[i].pid, g->task[i].command);
		first = &g->task[i];
	}
	if (turn)
		return accuse(g, "two-readers", false, v->id, 0,
			      "%d (%s) and another process take turns in reading, %llu times so far: each has bytes that the other has not",
			      turn->pid, turn->command, turn->count);
	return 0;
}

/*
 * Make has put N - 1 tokens in.  Each make that has k jobs at work has taken k - 1
 * of them, at most.  Somebody else who has the pipe open may have taken any number.
 */
static int judge_jobserver(struct why_graph *g, const struct why_pipe *p)
{
	const struct ipcdemo_trace *last = ipcdemo_trace(&p->view, "read");
	unsigned int made = p->jobs - 1, in, out = 0, jobs;
	const struct why_task *t;
	const char *other = NULL;
	pid_t before = 0;
	size_t i, j;

	in = p->view.bytes;
	if (p->jobs < 2 || in >= made || g->ends.hidden)
		return 0;
	for (i = 0; i < g->ends.n; i++) {
		if (g->ends.end[i].id != p->view.id ||
		    g->ends.end[i].pid == before ||
		    why_task(g, g->ends.end[i].pid) < 0)
			continue;
		before = g->ends.end[i].pid;
		t = &g->task[why_task(g, before)];
		if (!strstr(t->command, "make")) {
			other = t->command;
			continue;
		}
		for (j = jobs = 0; j < g->ntasks; j++)
			jobs += g->task[j].parent == before;
		out += jobs ? jobs - 1 : 0;
	}
	if (in + out >= made)
		return 0;
	return accuse(g, "jobserver-tokens", !other, p->view.id, 0,
		      "make -j%u has made %u tokens: %u are in the pipe, %u at most are held for jobs at work, so %u are lost%s%s%s; the last to take one was %d (%s)",
		      p->jobs, made, in, out, made - in - out,
		      other ? ", unless " : "", other ?: "",
		      other ? " has them" : "", last ? last->pid : 0,
		      last ? last->command : "?");
}

int why_judge(struct why_graph *g)
{
	const struct why_task *t;
	unsigned int j;
	size_t i;
	int err;

	find_ways(g);
	for (i = 0, err = 0; i < g->ntasks; i++) {
		t = &g->task[i];
		for (j = 0; j < t->n && !err; j++) {
			if (t->wait[j].kind == WHY_READ)
				err = judge_stdio(g, &t->wait[j]);
			if (!err && (t->wait[j].kind == WHY_READ ||
				     t->wait[j].kind == WHY_WRITE))
				err = judge_ends(g, t, &t->wait[j]);
		}
	}
	if (!err)
		err = judge_pairs(g);
	for (i = 0; i < g->npipes && !err; i++) {
		err = judge_trail(g, &g->pipe[i]);
		if (!err)
			err = judge_readers(g, &g->pipe[i]);
		if (!err && g->pipe[i].jobs)
			err = judge_jobserver(g, &g->pipe[i]);
	}
	return err;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * why: says in words why somebody is stuck, and what would free him (see why.h)
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "why.h"

/* What is asked for: a process, a pipe or region, or all with 0 and 0. */
struct question {
	pid_t pid;
	__u32 id;
};

static void put_task(const struct why_graph *g, int task)
{
	printf("%d (", g->task[task].pid);
	put_safe(stdout, g->task[task].command);
	putchar(')');
}

static const char *role_of(const struct why_wait *w)
{
	switch (w->kind) {
	case WHY_READ:
		return "reader ";
	case WHY_WRITE:
		return "writer ";
	default:
		return "";
	}
}

/* Bytes may lie there for one who polls and was told of them before. */
static void put_read_reason(const struct why_pipe *p, const struct why_wait *w)
{
	char bytes[32];

	if (!p || !p->view.bytes) {
		printf("the ring of pipe %u is empty", w->id);
		return;
	}
	printf("pipe %u holds %s", w->id,
	       plural(p->view.bytes, "byte", bytes, sizeof(bytes)));
	if (w->edge)
		fputs(", and its epoll tells only of what comes anew (EPOLLET)",
		      stdout);
}

/* "the ring of pipe 3 is full, 16 of 16 slots" */
static void put_reason(const struct why_graph *g, const struct why_wait *w)
{
	const struct why_pipe *p = why_pipe(g, w->id);

	switch (w->kind) {
	case WHY_WRITE:
		printf("the ring of pipe %u is full", w->id);
		if (p)
			printf(", %u of %u slots", p->view.used, p->view.slots);
		break;
	case WHY_READ:
		put_read_reason(p, w);
		break;
	case WHY_OPEN:
		printf("nobody has opened the other side of pipe %u yet",
		       w->id);
		if (p) {
			fputs(", ", stdout);
			put_safe(stdout, p->view.name);
		}
		break;
	case WHY_HELD:
		printf("at pipe %u it is ", w->id);
		put_safe(stdout, w->text);
		break;
	case WHY_WORD:
		printf("in region %u it is ", w->id);
		put_safe(stdout, w->text);
		break;
	default:
		fputs("it is ", stdout);
		put_safe(stdout, w->text);
		break;
	}
}

/* How many processes have such an end. */
static unsigned int count_ends(const struct why_graph *g, __u32 id, bool writes)
{
	unsigned int n = 0;
	pid_t last = 0;
	size_t i;

	for (i = 0; i < g->ends.n; i++)
		if (g->ends.end[i].id == id && g->ends.end[i].pid != last &&
		    why_end_is(&g->ends.end[i], writes)) {
			last = g->ends.end[i].pid;
			n++;
		}
	return n;
}

static void put_last(const struct why_pipe *p, pid_t pid, bool writes)
{
	const struct ipcdemo_trace *t =
		p ? ipcdemo_trace(&p->view, writes ? "write" : "read") : NULL;

	if (!t)
		printf(", which has not %s yet", writes ? "written" : "read");
	else if (t->pid == pid)
		printf(", which last %s %.1f s ago", writes ? "wrote" : "read",
		       t->seconds);
}

/* "; the only reader is 815 (less), which last read 4.3 s ago" */
static void put_blocker(const struct why_graph *g, const struct why_wait *w,
			int next)
{
	bool writes = w->kind == WHY_READ;
	const struct why_pipe *p = why_pipe(g, w->id);
	unsigned int n;

	switch (w->kind) {
	case WHY_READ:
	case WHY_WRITE:
		n = count_ends(g, w->id, writes);
		if (n == 1)
			printf("; the only %s is ",
			       writes ? "writer" : "reader");
		else
			printf("; of %u %s one is ", n,
			       writes ? "writers" : "readers");
		put_task(g, next);
		put_last(p, g->task[next].pid, writes);
		break;
	case WHY_WORD:
		fputs("; it is held by ", stdout);
		put_task(g, next);
		break;
	default:
		fputs(": ", stdout);
		put_task(g, next);
		break;
	}
}

/* Who else holds an end: so that the last one's end would be no end. */
static void put_others(const struct why_graph *g, int task,
		       const struct why_wait *w)
{
	const struct ipcdemo_end *e;
	pid_t last = 0, me = g->task[task].pid;
	size_t i;
	int at;

	if (w->kind != WHY_WRITE && w->kind != WHY_READ)
		return;
	/* The others who write, beside the one who waits for room */
	for (i = 0; i < g->ends.n; i++) {
		e = &g->ends.end[i];
		at = why_task(g, e->pid);
		if (e->id != w->id || e->pid == me || e->pid == last ||
		    at < 0 || !why_end_is(e, true) ||
		    (w->kind == WHY_READ && at == g->task[task].next))
			continue;
		last = e->pid;
		fputs("; ", stdout);
		put_task(g, at);
		printf(" also holds a write end (descriptor %d), ", e->fd);
		fputs("so there would be no end of file if ", stdout);
		if (w->kind == WHY_WRITE)
			printf("%d ended", me);
		else if (g->task[task].next >= 0)
			printf("%d ended", g->task[g->task[task].next].pid);
		else
			fputs("others ended", stdout);
	}
}

/* The first wait of a task that is for the module, or the one on its way. */
static const struct why_wait *main_wait(const struct why_task *t)
{
	unsigned int i;

	if (t->next >= 0)
		return &t->wait[t->by];
	for (i = 0; i < t->n; i++)
		if (t->wait[i].kind >= WHY_READ && t->wait[i].kind <= WHY_WORD)
			return &t->wait[i];
	for (i = 0; i < t->n; i++)
		if (t->wait[i].kind == WHY_HELD)
			return &t->wait[i];
	return t->n ? &t->wait[0] : NULL;
}

/* Where its chain ends: one that can move, or the lowest one of a cycle. */
static int root_of(const struct why_graph *g, int task)
{
	size_t steps;
	int low;

	for (steps = 0; steps < g->ntasks && g->task[task].next >= 0; steps++)
		task = g->task[task].next;
	if (g->task[task].next < 0)
		return task;
	for (low = task, steps = 0; steps < g->ntasks; steps++) {
		task = g->task[task].next;
		if (task < low)
			low = task;
	}
	return low;
}

static bool on_cycle(const struct why_graph *g, int task)
{
	size_t steps;
	int at = task;

	for (steps = 0; steps <= g->ntasks && g->task[at].next >= 0; steps++) {
		at = g->task[at].next;
		if (at == task)
			return true;
	}
	return false;
}

static bool is_asked(const struct why_graph *g, const struct question *q,
		     int task)
{
	const struct why_task *t = &g->task[task];
	unsigned int i;

	if (!why_is_stuck(t))
		return false;
	if (!q->pid && !q->id)
		return true;
	for (i = 0; i < t->n; i++)
		if ((q->id && t->wait[i].id == q->id) ||
		    (q->pid && t->wait[i].tid == q->pid))
			return true;
	return q->pid == t->pid;
}

/* What the one at the end of the chain does, behind its name. */
static void put_root(const struct why_wait *w)
{
	fputs(w && w->kind == WHY_OUTSIDE ? " and is itself " : " and is ",
	      stdout);
	put_safe(stdout, w ? w->text : "running");
	if (w && w->kind == WHY_STOPPED)
		fputs(": SIGCONT would let it go on", stdout);
}

/* A task, why it waits, and on to the root: the rest of the sentence. */
static void put_chain(const struct why_graph *g, int task, bool *told)
{
	const struct why_task *t;
	const struct why_wait *w;
	bool more = true;

	while (more) {
		t = &g->task[task];
		w = main_wait(t);
		told[task] = true;
		more = t->next >= 0 && t->next != task && !told[t->next];
		put_reason(g, w);
		if (t->next >= 0)
			put_blocker(g, w, t->next);
		if (t->next == task) {
			fputs(", which is itself", stdout);
		} else if (t->next >= 0 && g->task[t->next].next < 0 &&
			   !why_is_stuck(&g->task[t->next])) {
			put_root(main_wait(&g->task[t->next]));
			more = false;
		} else if (t->next >= 0 && !more) {
			fputs(", as said", stdout);
		}
		put_others(g, task, w);
		if (more)
			fputs("; that one waits in turn: ", stdout);
		task = t->next;
	}
}

static void put_stuck(const struct why_graph *g, int task, bool *told)
{
	const struct why_wait *w = main_wait(&g->task[task]);

	fputs(role_of(w), stdout);
	put_task(g, task);
	if (w->seconds >= 0)
		printf(" has waited %.1f s", w->seconds);
	else
		fputs(" waits", stdout);
	if (w->poll)
		fputs(" in poll", stdout);
	fputs(": ", stdout);
	put_chain(g, task, told);
	puts(".");
}

static void put_cycle(const struct why_graph *g, int root)
{
	int at = root;

	fputs(g->task[root].dead ? "deadlock: " : "as far as may be seen, ",
	      stdout);
	do {
		put_task(g, at);
		fputs(" waits for ", stdout);
		at = g->task[at].next;
	} while (at != root);
	put_task(g, root);
	puts(g->task[root].dead
		     ? "; only a signal frees them."
		     : "; who may not be looked into could free them.");
}

static bool concerns(const struct why_graph *g, const struct question *q,
		     const struct why_mistake *m)
{
	return (!q->pid && !q->id) || (q->id && m->id == q->id) ||
	       (q->pid && (m->pid == q->pid ||
			   why_has_end(g, m->id, q->pid, true, NULL) ||
			   why_has_end(g, m->id, q->pid, false, NULL)));
}

/* Nobody waits: what lies there, and who has not come for it. */
static void put_quiet(const struct why_graph *g, const struct question *q)
{
	const struct ipcdemo_pipe_view *v;
	const struct ipcdemo_trace *t;
	char bytes[32];
	bool any = false;
	size_t i;
	int at;

	at = q->pid ? why_task(g, q->pid) : WHY_NOBODY;
	if (at >= 0) {
		put_task(g, at);
		fputs(" waits for nothing of ipcdemo: it is ", stdout);
		put_safe(stdout, g->task[at].n ? g->task[at].wait[0].text
					       : "nobody with a pipe of ours");
		puts(".");
	}
	for (i = 0; i < g->npipes; i++) {
		v = &g->pipe[i].view;
		if ((q->id && v->id != q->id) ||
		    (q->pid && !why_has_end(g, v->id, q->pid, true, NULL) &&
		     !why_has_end(g, v->id, q->pid, false, NULL)) ||
		    (!q->id && !v->readers && !v->writers && !v->bytes))
			continue;
		any = true;
		printf("nobody waits at pipe %u: %s in the ring, %u of %u slots",
		       v->id, plural(v->bytes, "byte", bytes, sizeof(bytes)),
		       v->used, v->slots);
		t = ipcdemo_trace(v, "read");
		if (v->bytes && t && why_has_end(g, v->id, t->pid, false, NULL))
			printf("; reader %d has not read for %.1f s", t->pid,
			       t->seconds);
		else if (v->bytes && v->readers && !t)
			fputs("; nobody has read yet", stdout);
		if (!v->readers && !v->writers)
			fputs("; nobody has it open", stdout);
		else if (!v->readers)
			fputs("; it has no reader", stdout);
		else if (!v->writers)
			fputs("; it has no writer", stdout);
		puts(".");
	}
	if (!any && at < 0)
		puts("nobody waits: no pipe is open or holds bytes.");
}

static void put_hidden(const struct why_graph *g)
{
	if (g->ends.hidden)
		printf("%zu processes may not be looked into: as root, all are seen.\n",
		       g->ends.hidden);
	if (g->unseen)
		printf("%zu tasks that wait are not visible from here.\n",
		       g->unseen);
}

static int put_text(const struct why_graph *g, const struct question *q)
{
	bool *told = calloc(g->ntasks + 1, sizeof(*told));
	bool any = false, begun;
	size_t i, j;
	int root;

	if (!told)
		return fail("out of memory");
	/* A paragraph for each root, whoever is farthest from it first */
	for (i = 0; i < g->ntasks; i++) {
		begun = false;
		for (j = 0; j < g->ntasks; j++) {
			if (!is_asked(g, q, j) || root_of(g, j) != (int)i)
				continue;
			if (!begun && any)
				putchar('\n');
			begun = true;
			any = true;
			if (!told[j] || q->pid)
				put_stuck(g, j, told);
		}
		if (!begun)
			continue;
		root = root_of(g, i);
		if (on_cycle(g, root))
			put_cycle(g, root);
	}
	if (!any)
		put_quiet(g, q);
	for (i = 0; i < g->nmistakes; i++) {
		if (!concerns(g, q, &g->mistake[i]))
			continue;
		printf("%s%s: ", g->mistake[i].sure ? "" : "perhaps ",
		       g->mistake[i].name);
		put_safe(stdout, g->mistake[i].evidence);
		puts(".");
	}
	put_hidden(g);
	free(told);
	return DONE;
}

/* ---- for programs ---------------------------------------------------------- */

static json_object *json_stuck(const struct why_graph *g, int task)
{
	static const char *const kinds[] = {
		[WHY_RUNS] = "runs",	   [WHY_READ] = "read",
		[WHY_WRITE] = "write",	   [WHY_OPEN] = "open",
		[WHY_WORD] = "word",	   [WHY_CHILD] = "child",
		[WHY_HELD] = "held",	   [WHY_STOPPED] = "stopped",
		[WHY_OUTSIDE] = "outside", [WHY_HIDDEN] = "hidden",
	};
	const struct why_task *t = &g->task[task];
	const struct why_wait *w = main_wait(t);
	json_object *o = json_object_new_object(), *chain;
	size_t steps;
	int at = task, root = root_of(g, task);

	add_number(o, "pid", t->pid);
	add_string(o, "command", t->command);
	add_string(o, "waits", kinds[w->kind]);
	add_number(o, "id", w->id);
	json_object_object_add(o, "seconds",
			       w->seconds < 0
				       ? NULL
				       : json_object_new_double(w->seconds));
	add_string(o, "text", w->text);
	chain = json_object_new_array();
	for (steps = 0; steps < g->ntasks; steps++) {
		at = g->task[at].next;
		if (at < 0)
			break;
		json_object_array_add(chain,
				      json_object_new_int(g->task[at].pid));
		if (at == root)
			break;
	}
	json_object_object_add(o, "chain", chain);
	add_number(o, "root", g->task[root].pid);
	w = main_wait(&g->task[root]);
	add_string(o, "root_waits", w ? kinds[w->kind] : "runs");
	add_string(o, "root_text", w ? w->text : "running");
	json_object_object_add(o, "deadlock", json_object_new_boolean(t->dead));
	return o;
}

static int put_all_json(const struct why_graph *g, const struct question *q)
{
	json_object *all = json_object_new_object(), *o;
	json_object *stuck = json_object_new_array();
	json_object *mistakes = json_object_new_array();
	const struct why_mistake *m;
	size_t i;

	for (i = 0; i < g->ntasks; i++)
		if (is_asked(g, q, i))
			json_object_array_add(stuck, json_stuck(g, i));
	for (i = 0; i < g->nmistakes; i++) {
		m = &g->mistake[i];
		if (!concerns(g, q, m))
			continue;
		o = json_object_new_object();
		add_string(o, "name", m->name);
		json_object_object_add(o, "sure",
				       json_object_new_boolean(m->sure));
		add_number(o, "id", m->id);
		add_number(o, "pid", m->pid);
		add_string(o, "evidence", m->evidence);
		json_object_array_add(mistakes, o);
	}
	json_object_object_add(all, "stuck", stuck);
	json_object_object_add(all, "mistakes", mistakes);
	add_number(all, "hidden_processes", g->ends.hidden);
	return put_json(all);
}

/* ---- the command ------------------------------------------------------------ */

/* A number is an object's id, or else a process's; anything else is a path. */
static int parse_question(struct cli *cli, const char *word, struct question *q)
{
	bool pipe = false, region = false;
	enum ipcdemo_kind kind;
	int status;

	if (!parse_number(word, &q->id))
		return find_object(cli, word, &kind, &q->id);
	status = has_id(cli, IPCDEMO_PIPE, q->id, &pipe);
	if (!status && !pipe)
		status = has_id(cli, IPCDEMO_REGION, q->id, &region);
	if (status || pipe || region)
		return status;
	q->pid = q->id;
	q->id = 0;
	return 0;
}

int cmd_why(struct cli *cli, int argc, char **argv)
{
	struct question q = {0};
	struct why_graph g;
	bool json = false;
	int id, status = 0;

	while ((id = next_option(cli, argc, argv))) {
		if (id != OPT_JSON)
			return USAGE;
		json = true;
	}
	if (optind < argc)
		status = parse_question(cli, argv[optind++], &q);
	if (!status)
		status = no_more(cli, argc, argv);
	if (status)
		return status;
	if (why_collect(cli->ipc, &g))
		return *ipcdemo_error(cli->ipc) ? fail_ipc(cli)
						: fail("out of memory");
	if (q.pid && why_task(&g, q.pid) < 0)
		status = fail("there is no object and no process %d", q.pid);
	else if (why_judge(&g))
		status = fail("out of memory");
	else
		status = json ? put_all_json(&g, &q) : put_text(&g, &q);
	why_free(&g);
	return status;
}

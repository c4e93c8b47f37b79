// SPDX-License-Identifier: GPL-2.0
/* The numbers of a report: report.h says what they mean.  Nothing is printed. */
#include <stdlib.h>
#include <string.h>

#include "report.h"

const char *const life_names[NR_LIVES] = {
	"elsewhere", "running", "copying", "waiting", "mutex",
};

/* What is known of a task while its events are gone through. */
struct state {
	__u64 since; /* what was before this moment is accounted for */
	bool on; /* a processor */
	__u64 span_from; /* of a stretch that is not accounted for yet */
	size_t span_mark; /* the first span of it; NOBODY: none yet */
	__u64 pending_on;
	__u64 pending_off;
	bool asleep; /* at a point *.sleep */
	bool locked_out; /* at a point *.lock */
	__u64 phase_from;
	size_t phase_object;
	char what[8];
	size_t waker; /* of the wait that it is in */
	size_t arrow; /* the newest wake-up that chose it */
	bool arrow_open; /* it has not gone on since */
	bool judged; /* whether that one was useless is known */
	bool was_up; /* it was not asleep then: one *.sleep is on its way */
	size_t call; /* NOBODY: in none */
	bool gone;
};

enum {
	USES,
	WAITS,
	SPANS,
	CALLS,
	ARROWS,
	FILLS,
	POINTS,
	TASKS,
	OBJECTS,
	NR_LISTS,
};

/* An array of the report that grows: where its members are, and their size. */
struct list {
	void *array; /* the member of the report that points to it */
	size_t *n;
	size_t size;
	size_t room;
};

struct maker {
	struct report *r;
	struct state *states;
	size_t *task_of; /* by hash of the pid */
	size_t task_hash;
	struct list lists[NR_LISTS];
	bool failed;
};

static void name_lists(struct maker *m)
{
	struct report *r = m->r;
	const struct list lists[NR_LISTS] = {
		[USES] = {&r->uses, &r->nuses, sizeof(*r->uses), 0},
		[WAITS] = {&r->waits, &r->nwaits, sizeof(*r->waits), 0},
		[SPANS] = {&r->spans, &r->nspans, sizeof(*r->spans), 0},
		[CALLS] = {&r->calls, &r->ncalls, sizeof(*r->calls), 0},
		[ARROWS] = {&r->arrows, &r->narrows, sizeof(*r->arrows), 0},
		[FILLS] = {&r->fills, &r->nfills, sizeof(*r->fills), 0},
		[POINTS] = {&r->points, &r->npoints, sizeof(*r->points), 0},
		[TASKS] = {&r->tasks, &r->ntasks, sizeof(*r->tasks), 0},
		[OBJECTS] = {&r->objects, &r->nobjects, sizeof(*r->objects), 0},
	};

	memcpy(m->lists, lists, sizeof(lists));
}

/* One more, zeroed; NULL: out of memory. */
static void *add(struct maker *m, int which)
{
	struct list *list = &m->lists[which];
	void *array, *it;

	/* A pointer of another type: as bytes */
	memcpy(&array, list->array, sizeof(array));
	if (*list->n == list->room) {
		list->room = list->room ? 2 * list->room : 64;
		array = realloc(array, list->room * list->size);
		if (!array) {
			m->failed = true;
			return NULL;
		}
		memcpy(list->array, &array, sizeof(array));
	}
	it = (char *)array + (*list->n)++ * list->size;
	return memset(it, 0, list->size);
}

static size_t find_task(const struct maker *m, __s32 pid)
{
	size_t at = (__u32)pid * 2654435761u % m->task_hash;

	for (; m->task_of[at] != NOBODY; at = (at + 1) % m->task_hash)
		if (m->r->tasks[m->task_of[at]].pid == pid)
			return m->task_of[at];
	return NOBODY;
}

static void add_task(struct maker *m, __s32 pid)
{
	size_t at = (__u32)pid * 2654435761u % m->task_hash;
	struct report_task *task;

	if (find_task(m, pid) != NOBODY)
		return;
	task = add(m, TASKS);
	if (!task)
		return;
	task->pid = pid;
	while (m->task_of[at] != NOBODY)
		at = (at + 1) % m->task_hash;
	m->task_of[at] = m->r->ntasks - 1;
}

/* Whoever passed a point, or was chosen at one, is a task of the report. */
static bool find_tasks(struct maker *m)
{
	const struct recording *rec = m->r->rec;
	const struct rec_event *e;
	size_t i;

	m->task_hash = 4 * (rec->nevents + 1) + 1;
	if (m->task_hash > (1 << 20))
		m->task_hash = (1 << 20) + 7;
	m->task_of = malloc(m->task_hash * sizeof(*m->task_of));
	if (!m->task_of)
		return false;
	for (i = 0; i < m->task_hash; i++)
		m->task_of[i] = NOBODY;
	for (i = 0; i < rec->nevents && !m->failed; i++) {
		e = &rec->events[i];
		if (e->type != REC_POINT)
			continue;
		/* A full table would be looked through for ever */
		if (m->r->ntasks + 2 >= m->task_hash)
			return false;
		add_task(m, e->pid);
		if (e->other)
			add_task(m, e->other);
	}
	m->states = calloc(m->r->ntasks + 1, sizeof(*m->states));
	return m->states && !m->failed;
}

static void name_tasks(struct report *r)
{
	const struct recording *rec = r->rec;
	const struct rec_task *known;
	struct report_task *task;
	size_t i, j, len;
	const char *word;
	int k;

	for (i = 0; i < r->ntasks; i++) {
		task = &r->tasks[i];
		snprintf(task->name, sizeof(task->name), "%s",
			 task->pid ? "?" : "idle");
		for (j = 0; j < rec->ntasks; j++) {
			known = &rec->tasks[j];
			if (known->pid != task->pid)
				continue;
			for (k = 0, len = 0; k < known->ncommands; k++) {
				word = rec->words[known->commands[k]];
				snprintf(task->name, sizeof(task->name), "%s",
					 word);
				if (len < sizeof(task->names))
					len += snprintf(task->names + len,
							sizeof(task->names) -
								len,
							"%s%s", k ? ", " : "",
							word);
			}
		}
	}
}

static size_t object_of(struct maker *m, const struct rec_event *e)
{
	const struct recording *rec = m->r->rec;
	struct report_object *object;
	size_t i;

	for (i = m->r->nobjects; i-- > 0;)
		if (m->r->objects[i].id == e->id)
			return i;
	object = add(m, OBJECTS);
	if (!object)
		return NOBODY;
	object->id = e->id;
	object->region = e->region;
	object->slots = e->nr;
	for (i = 0; i < rec->nobjects; i++) {
		if (rec->objects[i].id != e->id)
			continue;
		snprintf(object->name, sizeof(object->name), "%s",
			 rec->objects[i].name);
		if (!object->slots)
			object->slots = rec->objects[i].slots;
	}
	return m->r->nobjects - 1;
}

static struct report_use *use_of(struct maker *m, size_t task, size_t object)
{
	struct report_use *use;
	size_t i;

	for (i = m->r->nuses; i-- > 0;)
		if (m->r->uses[i].task == task &&
		    m->r->uses[i].object == object)
			return &m->r->uses[i];
	use = add(m, USES);
	if (use) {
		use->task = task;
		use->object = object;
	}
	return use;
}

static void add_wait(struct maker *m, size_t task, __u64 ns)
{
	const struct state *s = &m->states[task];
	struct report_wait *wait;
	size_t i;

	m->r->tasks[task].waits++;
	for (i = 0; i < m->r->nwaits; i++) {
		wait = &m->r->waits[i];
		if (wait->task == task && wait->object == s->phase_object &&
		    wait->whom == s->waker && !strcmp(wait->what, s->what)) {
			wait->times++;
			wait->ns += ns;
			return;
		}
	}
	wait = add(m, WAITS);
	if (!wait)
		return;
	*wait = (struct report_wait){
		.task = task,
		.object = s->phase_object,
		.whom = s->waker,
		.times = 1,
		.ns = ns,
	};
	snprintf(wait->what, sizeof(wait->what), "%s", s->what);
}

static void add_span(struct maker *m, size_t task, enum life life, __u64 from,
		     __u64 to)
{
	struct report_span *span;

	if (life == LIFE_ELSEWHERE || from >= to)
		return;
	span = add(m, SPANS);
	if (span)
		*span = (struct report_span){task, life, from, to};
}

/*
 * The time up to @t goes to what it was: as long as no point has come it is not
 * known whether the task was copying.
 */
static void pass(struct maker *m, size_t task, __u64 t)
{
	struct state *s = &m->states[task];
	__u64 ns = t > s->since ? t - s->since : 0;

	if (s->on)
		s->pending_on += ns;
	else
		s->pending_off += ns;
	if (t > s->since)
		s->since = t;
}

/* A stretch is over, and what it was is known. */
static void settle(struct maker *m, size_t task, bool copied)
{
	struct report_task *rt = &m->r->tasks[task];
	struct state *s = &m->states[task];
	__u64 all = s->pending_on + s->pending_off;
	enum life on = copied ? LIFE_COPYING : LIFE_RUNNING;

	size_t i;

	if (s->asleep || s->locked_out) {
		on = s->asleep ? LIFE_WAITING : LIFE_MUTEX;
		rt->ns[on] += all;
		add_span(m, task, on, s->span_from, s->since);
	} else if (!rt->known) {
		if (!copied)
			on = LIFE_ELSEWHERE;
		rt->ns[on] += all;
		add_span(m, task, on, s->span_from, s->since);
	} else {
		rt->ns[on] += s->pending_on;
		rt->ns[LIFE_ELSEWHERE] += s->pending_off;
		if (s->on)
			add_span(m, task, on, s->span_from, s->since);
		/* It was taken off the processor in the middle of a copy */
		for (i = s->span_mark; copied && i < m->r->nspans; i++)
			if (m->r->spans[i].task == task)
				m->r->spans[i].life = on;
	}
	s->span_mark = NOBODY;
	s->pending_on = 0;
	s->pending_off = 0;
	s->span_from = s->since;
}

static void see(struct maker *m, size_t task, __u64 t)
{
	struct report_task *rt = &m->r->tasks[task];
	struct state *s = &m->states[task];

	if (rt->from)
		return;
	rt->from = t;
	s->since = t;
	s->span_from = t;
}

static void sched_switch(struct maker *m, size_t task, __u64 t, bool on)
{
	struct state *s = &m->states[task];

	if (task == NOBODY || s->gone)
		return;
	see(m, task, t);
	pass(m, task, t);
	if (s->asleep || s->locked_out) {
		s->on = on;
		return;
	}
	/* A span must not cover what the task was not on a processor for */
	if (s->on && !on) {
		if (s->span_mark == NOBODY)
			s->span_mark = m->r->nspans;
		add_span(m, task, LIFE_RUNNING, s->span_from, t);
	}
	s->span_from = t;
	s->on = on;
}

static void end_task(struct maker *m, size_t task, __u64 t)
{
	struct state *s = &m->states[task];

	if (task == NOBODY || s->gone || !m->r->tasks[task].from)
		return;
	pass(m, task, t);
	if (s->asleep)
		add_wait(m, task, t - s->phase_from);
	settle(m, task, false);
	m->r->tasks[task].to = t;
	s->gone = true;
}

static bool ends_with(const char *word, const char *end)
{
	size_t n = strlen(word), m = strlen(end);

	return n >= m && !strcmp(word + n - m, end);
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(word, *list))
			return true;
	return false;
}

static bool is_copy(const char *name)
{
	static const char *const list[] = {
		"read.copy", "write.copy",  "write.merge",  "tee.copy",
		"peek.copy", "region.read", "region.write", NULL,
	};

	return is_one_of(name, list);
}

/* Whoever was woken and comes there had something to do. */
static bool is_use(const char *name)
{
	static const char *const list[] = {
		"read.eof",  "write.epipe", "page.give", "page.take",
		"open.done", "word.woken",  NULL,
	};

	return is_copy(name) || is_one_of(name, list) ||
	       ends_with(name, ".return");
}

/* What was copied is counted where the reader or the writer is sure of it. */
static void count_bytes(struct maker *m, size_t task, size_t object,
			const struct rec_event *e, const char *name)
{
	struct report_object *o = &m->r->objects[object];
	struct report_use *use = use_of(m, task, object);
	__u64 len = e->len > 0 ? e->len : 0;

	if (!use)
		return;
	if (!strcmp(name, "write.merge") || !strcmp(name, "write.publish") ||
	    !strcmp(name, "region.write")) {
		o->written += len;
		use->written += len;
	} else if (!strcmp(name, "read.copy") || !strcmp(name, "page.give") ||
		   !strcmp(name, "region.read")) {
		o->read += len;
		use->read += len;
	} else if (!strcmp(name, "read.enter")) {
		o->reads++;
		use->reads++;
	} else if (!strcmp(name, "write.enter")) {
		o->writes++;
		use->writes++;
	} else if (!strcmp(name, "read.drop") || !strcmp(name, "close.drop")) {
		o->dropped += len;
	} else if (!strncmp(name, "wake.", 5) && strcmp(name, "wake.task")) {
		o->calls++;
	} else if (!strcmp(name, "word.wake")) {
		o->calls++;
	}
}

/* A wake-up has chosen e->other. */
static void wake(struct maker *m, size_t task, size_t object,
		 const struct rec_event *e)
{
	size_t woken = find_task(m, e->other);
	struct report_arrow *arrow;
	struct state *s;

	if (woken == NOBODY)
		return;
	s = &m->states[woken];
	arrow = add(m, ARROWS);
	if (!arrow)
		return;
	*arrow = (struct report_arrow){
		.from = task,
		.to = woken,
		.object = object,
		.at = e->t,
		.woken_at = e->t,
	};
	m->r->objects[object].woken++;
	m->r->tasks[woken].woken++;
	m->r->tasks[task].woke++;
	s->waker = task;
	s->arrow = m->r->narrows - 1;
	s->arrow_open = true;
	s->judged = false;
	s->was_up = !s->asleep;
}

/* The task goes on: where the arrow ends, and what it was good for. */
static void judge(struct maker *m, size_t task, const struct rec_event *e,
		  const char *name)
{
	struct state *s = &m->states[task];
	struct report_arrow *arrow;

	if (s->arrow == NOBODY)
		return;
	arrow = &m->r->arrows[s->arrow];
	if (s->arrow_open) {
		arrow->woken_at = e->t;
		s->arrow_open = false;
	}
	if (s->judged)
		return;
	if (is_use(name)) {
		s->judged = true;
		s->was_up = false;
	} else if (ends_with(name, ".sleep") && s->was_up) {
		s->was_up = false;
	} else if (ends_with(name, ".sleep") || ends_with(name, ".wait")) {
		s->judged = true;
		s->was_up = false;
		arrow->useless = true;
		m->r->objects[arrow->object].useless++;
		m->r->tasks[task].useless++;
	}
}

static void follow_calls(struct maker *m, size_t task, size_t object,
			 const struct rec_event *e, const char *name)
{
	struct state *s = &m->states[task];
	struct report_call *call;

	if (ends_with(name, ".enter") && strcmp(name, "poll.enter") &&
	    strcmp(name, "word.enter")) {
		call = add(m, CALLS);
		if (!call)
			return;
		*call = (struct report_call){
			.task = task,
			.object = object,
			.from = e->t,
		};
		snprintf(call->what, sizeof(call->what), "%.*s",
			 (int)strcspn(name, "."), name);
		s->call = m->r->ncalls - 1;
	} else if (ends_with(name, ".return") && s->call != NOBODY) {
		call = &m->r->calls[s->call];
		if (call->object == object &&
		    !strncmp(name, call->what, strlen(call->what))) {
			call->to = e->t;
			s->call = NOBODY;
		}
	}
}

static void follow_ring(struct maker *m, size_t object,
			const struct rec_event *e)
{
	struct report_object *o = &m->r->objects[object];
	struct report_fill *fill;
	__u32 used;

	if (o->region || e->head < 0 || e->tail < 0)
		return;
	if (e->nr)
		o->slots = e->nr;
	/* Both run freely, and wrap at 2^32 */
	used = (__u32)e->head - (__u32)e->tail;
	if (used > o->slots)
		return;
	if (used > o->most)
		o->most = used;
	fill = add(m, FILLS);
	if (fill)
		*fill = (struct report_fill){object, e->t, used, o->slots};
}

static void point(struct maker *m, const struct rec_event *e)
{
	const char *name = m->r->rec->words[e->word];
	size_t task = find_task(m, e->pid), object = object_of(m, e);
	struct report_point *p;
	struct state *s;
	bool early;

	if (task == NOBODY || object == NOBODY)
		return;
	s = &m->states[task];
	see(m, task, e->t);
	p = add(m, POINTS);
	if (!p)
		return;
	*p = (struct report_point){e, name, task, object};
	m->r->tasks[task].points++;
	m->r->objects[object].points++;
	follow_ring(m, object, e);
	count_bytes(m, task, object, e, name);

	/*
	 * What a wake-up says of itself is said by the waker, wherever it is: in
	 * an interrupt, it is not a step of the task that was interrupted.
	 */
	if (!strcmp(name, "wake.task") || !strcmp(name, "word.task"))
		wake(m, task, object, e);
	if (s->gone)
		return;
	pass(m, task, e->t);
	if (s->asleep)
		add_wait(m, task, e->t - s->phase_from);
	settle(m, task, is_copy(name));
	s->on = true;
	/* Woken before it slept: that wake-up ends the sleep at once */
	early = s->was_up && !s->judged;
	judge(m, task, e, name);
	follow_calls(m, task, object, e, name);
	s->asleep = ends_with(name, ".sleep");
	s->locked_out = ends_with(name, ".lock");
	if (s->asleep) {
		if (!early)
			s->waker = NOBODY;
		s->phase_from = e->t;
		s->phase_object = object;
		snprintf(s->what, sizeof(s->what), "%.*s",
			 (int)strcspn(name, "."), name);
	}
}

static void go_through(struct maker *m)
{
	const struct recording *rec = m->r->rec;
	const struct rec_event *e;
	size_t i, child;

	for (i = 0; i < rec->nevents && !m->failed; i++) {
		e = &rec->events[i];
		switch (e->type) {
		case REC_POINT:
			point(m, e);
			break;
		case REC_SWITCH:
			sched_switch(m, find_task(m, e->pid), e->t, false);
			sched_switch(m, find_task(m, e->other), e->t, true);
			break;
		case REC_FORK:
			child = find_task(m, e->other);
			if (child != NOBODY)
				see(m, child, e->t);
			break;
		case REC_EXIT:
			end_task(m, find_task(m, e->pid), e->t);
			break;
		case REC_EXEC:
			break;
		}
	}
	for (i = 0; i < m->r->ntasks; i++)
		end_task(m, i, m->r->to);
}

/* How long each ring was empty, and full. */
static void sum_fills(struct maker *m)
{
	struct report *r = m->r;
	struct report_fill **last = calloc(r->nobjects + 1, sizeof(*last));
	const struct report_fill *before;
	struct report_object *o;
	size_t i;
	__u64 ns;

	if (!last) {
		m->failed = true;
		return;
	}
	for (i = 0; i < r->nfills + r->nobjects; i++) {
		bool end = i >= r->nfills;
		size_t object = end ? i - r->nfills : r->fills[i].object;

		before = last[object];
		if (before) {
			o = &r->objects[object];
			ns = (end ? r->to : r->fills[i].t) - before->t;
			if (!before->used)
				o->ns_empty += ns;
			if (before->used == before->nr)
				o->ns_full += ns;
		}
		if (!end)
			last[object] = &r->fills[i];
	}
	free(last);
}

bool report_make(const struct recording *rec, struct report *r)
{
	struct maker m = {.r = r};
	const struct rec_event *e;
	size_t i, task;

	*r = (struct report){.rec = rec, .from = rec->start, .to = rec->end};
	name_lists(&m);
	for (i = 0; i < rec->nevents; i++) {
		if (rec->events[i].t < r->from)
			r->from = rec->events[i].t;
		if (rec->events[i].t > r->to)
			r->to = rec->events[i].t;
	}
	if (!find_tasks(&m))
		m.failed = true;
	for (i = 0; i < r->ntasks && !m.failed; i++) {
		m.states[i].waker = NOBODY;
		m.states[i].arrow = NOBODY;
		m.states[i].call = NOBODY;
		m.states[i].span_mark = NOBODY;
		m.states[i].judged = true;
	}
	for (i = 0; i < rec->nevents && !m.failed; i++) {
		e = &rec->events[i];
		if (e->type != REC_SWITCH)
			continue;
		task = find_task(&m, e->pid);
		if (task != NOBODY && e->pid)
			r->tasks[task].known = true;
		task = find_task(&m, e->other);
		if (task != NOBODY && e->other)
			r->tasks[task].known = true;
	}
	if (!m.failed) {
		name_tasks(r);
		go_through(&m);
	}
	if (!m.failed)
		sum_fills(&m);
	/* Calls that had not returned when the recording ended */
	for (i = 0; i < r->ncalls; i++)
		if (!r->calls[i].to)
			r->calls[i].to = r->tasks[r->calls[i].task].to;
	free(m.states);
	free(m.task_of);
	if (m.failed)
		report_free(r);
	return !m.failed;
}

void report_free(struct report *r)
{
	free(r->tasks);
	free(r->objects);
	free(r->uses);
	free(r->waits);
	free(r->spans);
	free(r->calls);
	free(r->arrows);
	free(r->fills);
	free(r->points);
	*r = (struct report){0};
}

const char *task_label(const struct report *r, size_t task, char *buf,
		       size_t size)
{
	if (task == NOBODY)
		snprintf(buf, size, "nobody");
	else
		snprintf(buf, size, "%s(%d)", r->tasks[task].name,
			 r->tasks[task].pid);
	return buf;
}

const char *object_label(const struct report *r, size_t object, char *buf,
			 size_t size)
{
	snprintf(buf, size, "%s %u",
		 r->objects[object].region ? "region" : "pipe",
		 r->objects[object].id);
	return buf;
}

const char *duration(__u64 ns, char *buf, size_t size)
{
	if (ns < 1000)
		snprintf(buf, size, "%llu ns", ns);
	else if (ns < 1000000)
		snprintf(buf, size, "%.1f us", ns / 1e3);
	else if (ns < 1000000000)
		snprintf(buf, size, "%.1f ms", ns / 1e6);
	else
		snprintf(buf, size, "%.3f s", ns / 1e9);
	return buf;
}

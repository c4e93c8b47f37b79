// SPDX-License-Identifier: GPL-2.0
/*
 * A report as a trace for ui.perfetto.dev, in the JSON form of Chrome's tracing:
 * a track a task, with its calls and what it did within them; each point as an
 * instant; a counter for each ring; arrows from wake-ups to the woken
 */
#include <errno.h>
#include <string.h>

#include "report.h"

struct trace {
	const struct report *r;
	FILE *to;
	bool more;
};

static void put_text(FILE *to, const char *text)
{
	json_object *string = new_string(text);

	fputs(json_object_to_json_string_ext(string, JSON_C_TO_STRING_PLAIN),
	      to);
	json_object_put(string);
}

/* Begins an event: its phase, its task and its time, in microseconds. */
static void begin(struct trace *t, const char *phase, size_t task, __u64 at)
{
	__u64 ns = at - t->r->from;

	fprintf(t->to,
		"%s{\"ph\":\"%s\",\"pid\":%d,\"tid\":%d,\"ts\":%llu.%03llu",
		t->more ? ",\n" : "", phase, t->r->tasks[task].pid,
		t->r->tasks[task].pid, ns / 1000, ns % 1000);
	t->more = true;
}

static void put_name(struct trace *t, const char *category, const char *name)
{
	fprintf(t->to, ",\"cat\":\"%s\",\"name\":", category);
	put_text(t->to, name);
}

static void put_duration(struct trace *t, __u64 ns)
{
	fprintf(t->to, ",\"dur\":%llu.%03llu", ns / 1000, ns % 1000);
}

static void put_tasks(struct trace *t)
{
	const struct report *r = t->r;
	size_t i;

	for (i = 0; i < r->ntasks; i++) {
		begin(t, "M", i, r->from);
		put_name(t, "task", "process_name");
		fputs(",\"args\":{\"name\":", t->to);
		put_text(t->to, r->tasks[i].name);
		fputs("}}", t->to);
		begin(t, "M", i, r->from);
		put_name(t, "task", "thread_name");
		fputs(",\"args\":{\"name\":", t->to);
		put_text(t->to, r->tasks[i].name);
		fputs("}}", t->to);
	}
}

static void put_calls(struct trace *t)
{
	const struct report *r = t->r;
	const struct report_call *c;
	size_t i;

	for (i = 0; i < r->ncalls; i++) {
		c = &r->calls[i];
		begin(t, "X", c->task, c->from);
		put_duration(t, c->to - c->from);
		put_name(t, "call", c->what);
		fprintf(t->to, ",\"args\":{\"id\":%u}}",
			r->objects[c->object].id);
	}
}

static void put_spans(struct trace *t)
{
	const struct report *r = t->r;
	const struct report_span *s;
	size_t i;

	for (i = 0; i < r->nspans; i++) {
		s = &r->spans[i];
		/* A stretch on a processor may begin before a call and end in it */
		if (s->life == LIFE_RUNNING)
			continue;
		begin(t, "X", s->task, s->from);
		put_duration(t, s->to - s->from);
		put_name(t, "life", life_names[s->life]);
		fputs("}", t->to);
	}
}

static void put_points(struct trace *t)
{
	const struct report *r = t->r;
	const struct report_point *p;
	const struct rec_event *e;
	size_t i;

	for (i = 0; i < r->npoints; i++) {
		p = &r->points[i];
		e = p->event;
		begin(t, "i", p->task, e->t);
		put_name(t, "point", p->name);
		fprintf(t->to, ",\"s\":\"t\",\"args\":{\"id\":%u", e->id);
		if (e->len >= 0)
			fprintf(t->to, ",\"len\":%lld", e->len);
		if (e->slot >= 0)
			fprintf(t->to, ",\"slot\":%lld", e->slot);
		if (e->head >= 0)
			fprintf(t->to, ",\"head\":%lld,\"tail\":%lld", e->head,
				e->tail);
		if (e->decided != -1)
			fprintf(t->to, ",\"decided\":%lld", e->decided);
		if (e->other)
			fprintf(t->to, ",\"other\":%d", e->other);
		fputs("}}", t->to);
	}
}

static void put_fills(struct trace *t)
{
	const struct report *r = t->r;
	const struct report_fill *f;
	char name[48];
	size_t i;

	for (i = 0; i < r->nfills; i++) {
		f = &r->fills[i];
		snprintf(name, sizeof(name), "slots used of pipe %u",
			 r->objects[f->object].id);
		fprintf(t->to, "%s{\"ph\":\"C\",\"pid\":0,\"ts\":%llu.%03llu",
			t->more ? ",\n" : "", (f->t - r->from) / 1000,
			(f->t - r->from) % 1000);
		t->more = true;
		put_name(t, "ring", name);
		fprintf(t->to, ",\"args\":{\"slots\":%u}}", f->used);
	}
}

/* An arrow goes from slice to slice, so each of its ends gets one. */
static void put_end(struct trace *t, size_t task, __u64 at, const char *what)
{
	begin(t, "X", task, at);
	put_duration(t, 0);
	put_name(t, "wake", what);
	fputs("}", t->to);
}

static void put_arrows(struct trace *t)
{
	const struct report *r = t->r;
	const struct report_arrow *a;
	size_t i;

	for (i = 0; i < r->narrows; i++) {
		a = &r->arrows[i];
		put_end(t, a->from, a->at, "wakes");
		put_end(t, a->to, a->woken_at,
			a->useless ? "woken for nothing" : "woken");
		begin(t, "s", a->from, a->at);
		put_name(t, "wake", "wake-up");
		fprintf(t->to, ",\"id\":%zu}", i + 1);
		begin(t, "f", a->to, a->woken_at);
		put_name(t, "wake", "wake-up");
		fprintf(t->to, ",\"bp\":\"e\",\"id\":%zu}", i + 1);
	}
}

int report_perfetto(const struct report *r, const char *path)
{
	struct trace t = {.r = r, .to = fopen(path, "we")};
	bool bad;

	if (!t.to)
		return fail("cannot write %s: %s", path, strerror(errno));
	fputs("{\"displayTimeUnit\":\"ns\",\"otherData\":{\"command\":", t.to);
	put_text(t.to, r->rec->command);
	fprintf(t.to, ",\"lost_points\":\"%llu\"},\"traceEvents\":[\n",
		r->rec->lost_points);
	put_tasks(&t);
	put_calls(&t);
	put_spans(&t);
	put_points(&t);
	put_fills(&t);
	put_arrows(&t);
	fputs("\n]}\n", t.to);
	bad = ferror(t.to);
	if (fclose(t.to) || bad)
		return fail("cannot write %s: %s", path, strerror(errno));
	return DONE;
}

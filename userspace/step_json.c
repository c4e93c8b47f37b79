// SPDX-License-Identifier: GPL-2.0
/*
 * Tells programs what a schedule does: JSON Lines, an object a line
 *
 * Each has a type: schedule (a file begins), operation, task, order or
 * expectation (a line of it), arrival (a task has come somewhere), state (where
 * a task is when something failed), end.
 */
#include <json-c/json.h>
#include <string.h>

#include "step_engine.h"

static json_object *text(const char *words)
{
	return words && *words ? json_object_new_string(words) : NULL;
}

static void put_line(FILE *to, json_object *o)
{
	const char *line =
		json_object_to_json_string_ext(o,
					       JSON_C_TO_STRING_PLAIN |
						       JSON_C_TO_STRING_NOSLASHESCAPE);

	fprintf(to, "%s\n", line ?: "null");
	json_object_put(o);
}

static json_object *begin(const char *type)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "type", json_object_new_string(type));
	return o;
}

static const char *state_word(const struct worker *w)
{
	if (w->gone)
		return "gone";
	switch (w->now.state) {
	case IPCDEMO_TASK_HELD:
		return "held";
	case IPCDEMO_TASK_ASLEEP:
		return "asleep";
	case IPCDEMO_TASK_LOCK:
		return "lock";
	case IPCDEMO_TASK_RUNNING:
		return "running";
	}
	if (step_in_op(w))
		return "elsewhere";
	return step_left_to_do(w) || !w->last ? "idle" : "done";
}

/* A value that a point does not have is left out. */
static void add_value(json_object *o, const char *key, __s64 value)
{
	json_object_object_add(o, key, json_object_new_int64(value));
}

static void add_task(json_object *o, const struct run *r,
		     const struct worker *w)
{
	const struct ipcdemo_arrival *at = &w->now;
	char words[40];

	json_object_object_add(o, "task", text(w->task->name));
	json_object_object_add(o, "state", text(state_word(w)));
	if (step_in_call(w)) {
		json_object_object_add(o, "point", text(at->point));
		if (at->len >= 0)
			add_value(o, "len", at->len);
		if (at->head >= 0) {
			add_value(o, "head", step_relative(r, at->head));
			add_value(o, "tail", step_relative(r, at->tail));
		}
		if (at->decided == 0 || at->decided == 1)
			add_value(o, "decided", at->decided);
	}
	if (step_in_op(w))
		json_object_object_add(o, "operation",
				       text(w->queue[w->begun - 1]->text));
	if (w->last) {
		json_object_object_add(o, "last", text(w->last->text));
		json_object_object_add(o, "result",
				       text(step_result_words(w->last,
							      w->result, words,
							      sizeof(words))));
	}
}

void step_json_begin(const struct run *r)
{
	json_object *o = begin("schedule");

	json_object_object_add(o, "file", text(r->s->file));
	json_object_object_add(o, "title", text(r->s->title));
	put_line(r->report->to, o);
}

void step_json_line(const struct run *r, const struct step_line *l, bool ok)
{
	bool order = l->kind != STEP_OP && l->kind != STEP_TASK &&
		     !step_is_expectation(l);
	json_object *o = begin(l->kind == STEP_OP	? "operation"
			       : l->kind == STEP_TASK	? "task"
			       : step_is_expectation(l) ? "expectation"
							: "order");

	add_value(o, "line", l->line);
	json_object_object_add(o, "text", text(l->text));
	json_object_object_add(o, "ok", json_object_new_boolean(ok));
	if (order)
		add_task(o, r, &r->workers[l->task]);
	put_line(r->report->to, o);
}

void step_json_task(const struct run *r, const struct worker *w,
		    const char *type)
{
	json_object *o = begin(type);

	if (r->line)
		add_value(o, "line", r->line->line);
	add_task(o, r, w);
	put_line(r->report->to, o);
}

void step_json_end(const struct step_report *report, bool ok)
{
	json_object *o = begin("end");

	json_object_object_add(o, "ok", json_object_new_boolean(ok));
	add_value(o, "expectations", report->expectations);
	json_object_object_add(o, "failure", text(report->failure));
	put_line(report->to, o);
}

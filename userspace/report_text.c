// SPDX-License-Identifier: GPL-2.0
/* A report as text, as JSON, and as the tables of the page with the diagram */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

static bool lost_any(const struct report *r)
{
	return r->rec->lost_points || r->rec->lost_sched;
}

/* What was lost, and what that means; no newline. */
static void put_losses(const struct report *r, FILE *to)
{
	const struct recording *rec = r->rec;

	if (!lost_any(r)) {
		fputs("nothing was lost", to);
		return;
	}
	if (rec->lost_points)
		fprintf(to,
			"%llu points were lost: numbers of calls, bytes and wake-ups are lower bounds",
			rec->lost_points);
	if (rec->lost_sched)
		fprintf(to,
			"%s%llu events of the scheduler were lost: when tasks ran is not known well",
			rec->lost_points ? "; " : "", rec->lost_sched);
	fputs(" (record with a larger --buffer)", to);
}

/* ---- a table that grows by rows -------------------------------------------- */

struct grid {
	struct ipcdemo_table table;
	char *header[12];
	char *words; /* what those are pieces of */
	bool failed;
};

/* The words between the bars are its header. */
static void grid_begin(struct grid *g, const char *words)
{
	char *rest, *word;

	g->words = strdup(words);
	g->failed = !g->words;
	g->table.header = g->header;
	rest = g->words;
	while (rest && g->table.columns < ARRAY_SIZE(g->header)) {
		word = strsep(&rest, "|");
		g->header[g->table.columns++] = word;
	}
}

static void grid_row(struct grid *g, ...)
{
	size_t c, n = g->table.columns;
	char **cells;
	va_list ap;

	if (g->failed)
		return;

	cells = realloc(g->table.cells,
			(g->table.rows + 1) * n * sizeof(*cells));
	if (!cells) {
		g->failed = true;
		return;
	}
	g->table.cells = cells;
	va_start(ap, g);
	for (c = 0; c < n; c++) {
		cells[g->table.rows * n + c] = strdup(va_arg(ap, char *));
		g->failed |= !cells[g->table.rows * n + c];
	}
	va_end(ap);
	g->table.rows++;
}

static void grid_html(const struct ipcdemo_table *t, FILE *to)
{
	size_t c, r;

	fputs("<table><tr>", to);
	for (c = 0; c < t->columns; c++) {
		fputs("<th>", to);
		put_xml(to, t->header[c]);
		fputs("</th>", to);
	}
	fputs("</tr>\n", to);
	for (r = 0; r < t->rows; r++) {
		fputs("<tr>", to);
		for (c = 0; c < t->columns; c++) {
			fputs("<td>", to);
			put_xml(to, t->cells[r * t->columns + c]);
			fputs("</td>", to);
		}
		fputs("</tr>\n", to);
	}
	fputs("</table>\n", to);
}

/* To the terminal, or as HTML; frees it. */
static int grid_put(struct grid *g, FILE *html)
{
	size_t i, n = g->table.columns * g->table.rows;

	if (!g->failed && html)
		grid_html(&g->table, html);
	else if (!g->failed)
		put_table(&g->table, "  ");
	for (i = 0; i < n; i++)
		free(g->table.cells[i]);
	free(g->table.cells);
	free(g->words);
	return g->failed ? fail("out of memory") : DONE;
}

/* A number, as a word that lives until the eighth call after this one. */
static const char *word_of(__u64 n)
{
	static char words[8][24];
	static unsigned int at;
	char *word = words[at++ % ARRAY_SIZE(words)];

	snprintf(word, sizeof(words[0]), "%llu", n);
	return word;
}

static const char *time_of(__u64 ns)
{
	static char words[8][24];
	static unsigned int at;

	return duration(ns, words[at++ % ARRAY_SIZE(words)], sizeof(words[0]));
}

/* ---- the tables ------------------------------------------------------------- */

static int put_tasks(const struct report *r, FILE *html)
{
	struct grid g = {0};
	const struct report_task *t;
	char label[64];
	size_t i;

	grid_begin(&g,
		   "task|life|running|copying|waiting|mutex|elsewhere|woken|useless");
	for (i = 0; i < r->ntasks; i++) {
		t = &r->tasks[i];
		if (!t->points)
			continue;
		grid_row(&g, task_label(r, i, label, sizeof(label)),
			 time_of(t->to - t->from),
			 t->known ? time_of(t->ns[LIFE_RUNNING]) : "?",
			 time_of(t->ns[LIFE_COPYING]),
			 time_of(t->ns[LIFE_WAITING]),
			 time_of(t->ns[LIFE_MUTEX]),
			 time_of(t->ns[LIFE_ELSEWHERE]), word_of(t->woken),
			 word_of(t->useless));
	}
	return grid_put(&g, html);
}

static int put_waits(const struct report *r, FILE *html)
{
	struct grid g = {0};
	char task[64], whom[64], object[32];
	const struct report_wait *w;
	size_t i;

	grid_begin(&g, "task|waited for|to|at|times|in all");
	for (i = 0; i < r->nwaits; i++) {
		w = &r->waits[i];
		grid_row(&g, task_label(r, w->task, task, sizeof(task)),
			 task_label(r, w->whom, whom, sizeof(whom)),
			 strcmp(w->what, "word") ? w->what
						 : "see a word change",
			 object_label(r, w->object, object, sizeof(object)),
			 word_of(w->times), time_of(w->ns));
	}
	return grid_put(&g, html);
}

static int put_objects(const struct report *r, FILE *html)
{
	struct grid g = {0};
	const struct report_object *o;
	char label[32];
	size_t i;

	grid_begin(&g,
		   "object|name|slots|at most|empty|full|calls|wake-ups|woken|useless|dropped");
	for (i = 0; i < r->nobjects; i++) {
		o = &r->objects[i];
		grid_row(&g, object_label(r, i, label, sizeof(label)),
			 *o->name ? o->name : "-",
			 o->region ? "-" : word_of(o->slots),
			 o->region ? "-" : word_of(o->most),
			 o->region ? "-" : time_of(o->ns_empty),
			 o->region ? "-" : time_of(o->ns_full),
			 word_of(o->reads + o->writes), word_of(o->calls),
			 word_of(o->woken), word_of(o->useless),
			 word_of(o->dropped));
	}
	return grid_put(&g, html);
}

static int put_uses(const struct report *r, FILE *html)
{
	struct grid g = {0};
	char object[32], task[64];
	const struct report_use *u;
	size_t i, n;

	grid_begin(&g, "object|task|writes|bytes|reads|bytes");
	for (n = 0; n < r->nobjects; n++) {
		for (i = 0; i < r->nuses; i++) {
			u = &r->uses[i];
			if (u->object != n ||
			    !(u->reads + u->writes + u->read + u->written))
				continue;
			grid_row(&g, object_label(r, n, object, sizeof(object)),
				 task_label(r, u->task, task, sizeof(task)),
				 word_of(u->writes), word_of(u->written),
				 word_of(u->reads), word_of(u->read));
		}
	}
	return grid_put(&g, html);
}

static const struct {
	const char *title;
	int (*put)(const struct report *r, FILE *html);
} tables[] = {
	{"tasks, and where their time went", put_tasks},
	{"who waited for whom", put_waits},
	{"objects", put_objects},
	{"who used what", put_uses},
};

static __u64 count_useless(const struct report *r)
{
	__u64 n = 0;
	size_t i;

	for (i = 0; i < r->nobjects; i++)
		n += r->objects[i].useless;
	return n;
}

static void put_summary(const struct report *r, FILE *to)
{
	char a[32], b[48], c[48], d[48];

	fprintf(to, "%s; %s, %s; %s, %llu of them useless;\n",
		duration(r->to - r->from, a, sizeof(a)),
		plural(r->rec->cpus, "processor", b, sizeof(b)),
		plural(r->npoints, "point", c, sizeof(c)),
		plural(r->narrows, "wake-up", d, sizeof(d)), count_useless(r));
	put_losses(r, to);
	fputs(".\n", to);
}

int report_text(const struct report *r, const char *path)
{
	int status = DONE;
	size_t i;

	printf("%s: ", path);
	put_safe(stdout, r->rec->command);
	printf(" (status %d)\n", r->rec->status);
	put_summary(r, stdout);
	for (i = 0; i < ARRAY_SIZE(tables) && !status; i++) {
		printf("\n%s\n", tables[i].title);
		status = tables[i].put(r, NULL);
	}
	return status;
}

void report_tables(const struct report *r, FILE *to)
{
	char *text = NULL;
	size_t i, len;
	FILE *summary = open_memstream(&text, &len);

	if (summary) {
		put_summary(r, summary);
		if (!fclose(summary)) {
			fputs("<p id=\"summary\">", to);
			put_xml(to, text);
			fputs("</p>\n", to);
		}
		free(text);
	}
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		fprintf(to, "<h2>%s</h2>\n", tables[i].title);
		tables[i].put(r, to);
	}
}

/* ---- JSON ------------------------------------------------------------------- */

static json_object *json_tasks(const struct report *r)
{
	json_object *array = json_object_new_array(), *row;
	const struct report_task *t;
	char key[24];
	size_t i;
	int life;

	for (i = 0; i < r->ntasks; i++) {
		t = &r->tasks[i];
		if (!t->points)
			continue;
		row = json_object_new_object();
		add_number(row, "pid", t->pid);
		add_string(row, "command", t->name);
		add_string(row, "commands", t->names);
		json_object_object_add(row, "processor_known",
				       json_object_new_boolean(t->known));
		add_number(row, "life_ns", t->to - t->from);
		for (life = 0; life < NR_LIVES; life++) {
			snprintf(key, sizeof(key), "%s_ns", life_names[life]);
			add_number(row, key, t->ns[life]);
		}
		add_number(row, "points", t->points);
		add_number(row, "waits", t->waits);
		add_number(row, "woken", t->woken);
		add_number(row, "useless", t->useless);
		add_number(row, "woke", t->woke);
		json_object_array_add(array, row);
	}
	return array;
}

static json_object *json_objects(const struct report *r)
{
	json_object *array = json_object_new_array(), *row;
	const struct report_object *o;
	size_t i;

	for (i = 0; i < r->nobjects; i++) {
		o = &r->objects[i];
		row = json_object_new_object();
		add_number(row, "id", o->id);
		add_string(row, "kind", o->region ? "region" : "pipe");
		add_string(row, "name", o->name);
		add_number(row, "slots", o->slots);
		add_number(row, "most", o->most);
		add_number(row, "empty_ns", o->ns_empty);
		add_number(row, "full_ns", o->ns_full);
		add_number(row, "writes", o->writes);
		add_number(row, "written", o->written);
		add_number(row, "reads", o->reads);
		add_number(row, "read", o->read);
		add_number(row, "dropped", o->dropped);
		add_number(row, "wake_calls", o->calls);
		add_number(row, "woken", o->woken);
		add_number(row, "useless", o->useless);
		add_number(row, "points", o->points);
		json_object_array_add(array, row);
	}
	return array;
}

static json_object *json_uses(const struct report *r)
{
	json_object *array = json_object_new_array(), *row;
	const struct report_use *u;
	size_t i;

	for (i = 0; i < r->nuses; i++) {
		u = &r->uses[i];
		row = json_object_new_object();
		add_number(row, "pid", r->tasks[u->task].pid);
		add_number(row, "id", r->objects[u->object].id);
		add_number(row, "writes", u->writes);
		add_number(row, "written", u->written);
		add_number(row, "reads", u->reads);
		add_number(row, "read", u->read);
		json_object_array_add(array, row);
	}
	return array;
}

static json_object *json_waits(const struct report *r)
{
	json_object *array = json_object_new_array(), *row, *whom;
	const struct report_wait *w;
	size_t i;

	for (i = 0; i < r->nwaits; i++) {
		w = &r->waits[i];
		row = json_object_new_object();
		add_number(row, "pid", r->tasks[w->task].pid);
		whom = NULL;
		if (w->whom != NOBODY)
			whom = json_object_new_int64(r->tasks[w->whom].pid);
		json_object_object_add(row, "for", whom);
		add_number(row, "id", r->objects[w->object].id);
		add_string(row, "what", w->what);
		add_number(row, "times", w->times);
		add_number(row, "ns", w->ns);
		json_object_array_add(array, row);
	}
	return array;
}

/* How often each point was passed. */
static json_object *json_points(const struct report *r)
{
	const struct recording *rec = r->rec;
	__u64 *n = calloc(rec->nwords + 1, sizeof(*n));
	json_object *counts = json_object_new_object();
	size_t i;
	int w;

	if (!n)
		return counts;
	for (i = 0; i < r->npoints; i++)
		n[r->points[i].event->word]++;
	for (w = 0; w < rec->nwords; w++)
		if (n[w])
			add_number(counts, rec->words[w], n[w]);
	free(n);
	return counts;
}

json_object *report_json(const struct report *r, const char *path)
{
	json_object *all = json_object_new_object();

	add_string(all, "file", path);
	add_string(all, "command", r->rec->command);
	add_number(all, "status", r->rec->status);
	add_number(all, "ns", r->to - r->from);
	add_number(all, "cpus", r->rec->cpus);
	add_number(all, "points", r->npoints);
	add_number(all, "lost_points", r->rec->lost_points);
	add_number(all, "lost_sched", r->rec->lost_sched);
	json_object_object_add(all, "lower_bounds",
			       json_object_new_boolean(lost_any(r)));
	add_number(all, "woken", r->narrows);
	add_number(all, "useless", count_useless(r));
	json_object_object_add(all, "tasks", json_tasks(r));
	json_object_object_add(all, "waits", json_waits(r));
	json_object_object_add(all, "objects", json_objects(r));
	json_object_object_add(all, "uses", json_uses(r));
	json_object_object_add(all, "passed", json_points(r));
	return all;
}

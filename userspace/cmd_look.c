// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that look: ls, show, peek
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cli.h"

/* Before the lines of a table that has a title. */
#define INDENT	     "  "

/* How many characters of names a narrow table has for an end of a pipe. */
#define NARROW_NAMES 11

/* A number of tasks as text. */
#define WAITERS_LEN  24

/* ---- ls ----------------------------------------------------------------- */

static const struct ipcdemo_table none;

/* Who has the read ends open, and the write ends: columns of our own. */
static const char *const end_columns[] = {"reading", "writing"};

static const char *const end_words[] = {"read", "write"};

/* Which of the two columns it is; -1: none of them. */
static int end_column(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(end_columns); i++)
		if (!strcmp(name, end_columns[i]))
			return i;
	return -1;
}

/* The ends of a pipe are in a row, sorted: the first of them, or the next pipe's. */
static size_t first_end(const struct ipcdemo_ends *ends, __u32 id)
{
	size_t low = 0, high = ends->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (ends->end[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_end(const struct ipcdemo_end *end, int column)
{
	return !strcmp(end->end, end_words[column]) ||
	       !strcmp(end->end, "both");
}

static __u32 row_id(const struct ipcdemo_table *t, size_t row)
{
	const char *cell = ipcdemo_cell(t, row, "id");

	return cell ? strtoul(cell, NULL, 10) : 0;
}

/*
 * "cat(12),bash(11)": each process once.  Beyond max characters, how many more
 * there are.  Return: the text, or NULL.
 */
static char *end_names(const struct ipcdemo_ends *ends, __u32 id, int column,
		       size_t max)
{
	const struct ipcdemo_end *e;
	size_t size, i, left = 0;
	char name[64], *text;
	pid_t last = 0;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	for (i = first_end(ends, id); i < ends->n; i++) {
		e = &ends->end[i];
		if (e->id != id)
			break;
		if (!is_end(e, column) || e->pid == last)
			continue;
		snprintf(name, sizeof(name), "%s%s(%d)", last ? "," : "",
			 e->command, e->pid);
		if (left || (last && ftell(to) + strlen(name) > max))
			left++;
		else
			fputs(name, to);
		last = e->pid;
	}
	if (left)
		fprintf(to, "+%zu", left);
	return fclose(to) ? NULL : text;
}

/* Does it have an end of that kind?  Who waits in open(2) counts there, too. */
static bool has_ends(const struct ipcdemo_table *pipes, size_t row, int column)
{
	const char *cell =
		ipcdemo_cell(pipes, row, column ? "writers" : "readers");

	return cell && strcmp(cell, "0");
}

/*
 * The pipes with the two columns of our own.  The other words stay those of the
 * table of /proc.
 */
static int add_names(const struct ipcdemo_table *pipes,
		     const struct ipcdemo_ends *ends, size_t max,
		     struct ipcdemo_table *t)
{
	size_t n = ARRAY_SIZE(end_columns), row, c, size;
	char *name, *names;
	FILE *to;

	memset(t, 0, sizeof(*t));
	t->columns = pipes->columns + n;
	t->rows = pipes->rows;
	t->header = calloc(t->columns, sizeof(*t->header));
	t->cells = calloc(t->rows * t->columns + 1, sizeof(*t->cells));
	to = open_memstream(&names, &size);
	if (!t->header || !t->cells || !to)
		return fail("out of memory");
	memcpy(t->header, pipes->header, pipes->columns * sizeof(*t->header));
	for (c = 0; c < n; c++)
		t->header[pipes->columns + c] = (char *)end_columns[c];
	for (row = 0; row < t->rows; row++) {
		for (c = 0; c < n; c++) {
			name = end_names(ends, row_id(pipes, row), c, max);
			if (name && *name)
				fputs(name, to);
			else
				/* By somebody whom we may not look at? */
				fputs(ends->hidden && has_ends(pipes, row, c)
					      ? "?"
					      : "-",
				      to);
			fputc('\0', to);
			free(name);
		}
	}
	if (fclose(to))
		return fail("out of memory");
	t->names = names;
	for (row = 0; row < t->rows; row++) {
		memcpy(t->cells + row * t->columns,
		       pipes->cells + row * pipes->columns,
		       pipes->columns * sizeof(*t->cells));
		for (c = pipes->columns; c < t->columns; c++) {
			t->cells[row * t->columns + c] = names;
			names += strlen(names) + 1;
		}
	}
	return 0;
}

static json_object *json_names(const struct ipcdemo_ends *ends, __u32 id,
			       int column)
{
	json_object *list = json_object_new_array(), *o;
	const struct ipcdemo_end *e;
	size_t i;

	for (i = first_end(ends, id); i < ends->n; i++) {
		e = &ends->end[i];
		if (e->id != id)
			break;
		if (!is_end(e, column))
			continue;
		o = json_object_new_object();
		add_number(o, "pid", e->pid);
		add_string(o, "command", e->command);
		add_number(o, "fd", e->fd);
		json_object_array_add(list, o);
	}
	return list;
}

/* A mode such as 0666 is no number for a program: its digits are octal. */
static json_object *json_cell(const char *name, const char *cell)
{
	char *end;
	__u64 n;

	if (!strcmp(cell, "-"))
		return NULL;
	errno = 0;
	n = strtoull(cell, &end, 10);
	if (errno || end == cell || *end || !strcmp(name, "mode") ||
	    !strcmp(name, "name"))
		return json_object_new_string(cell);
	return json_object_new_uint64(n);
}

/* The first rows are those of the pipes, if there are any. */
static json_object *json_rows(const struct ipcdemo_table *t,
			      const struct ipcdemo_table *pipes,
			      const struct ipcdemo_ends *ends)
{
	json_object *rows = json_object_new_array(), *row, *cell;
	size_t r, c;
	int end;

	for (r = 0; r < t->rows; r++) {
		row = json_object_new_object();
		for (c = 0; c < t->columns; c++) {
			end = end_column(t->header[c]);
			if (end >= 0 && r < pipes->rows)
				cell = json_names(ends, row_id(pipes, r), end);
			else
				cell = json_cell(t->header[c],
						 t->cells[r * t->columns + c]);
			json_object_object_add(row, t->header[c], cell);
		}
		json_object_array_add(rows, row);
	}
	return rows;
}

/* All that wait for something, a sum over columns of /proc/ipcdemo/pipes. */
static bool sum_waiters(const struct ipcdemo_table *from, size_t row,
			char *text, size_t size)
{
	static const char *const columns[] = {"read_waiters", "write_waiters",
					      "open_waiters"};
	const char *cell;
	__u64 sum = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(columns); i++) {
		cell = ipcdemo_cell(from, row, columns[i]);
		if (!cell)
			return false;
		sum += strtoull(cell, NULL, 10);
	}
	snprintf(text, size, "%llu", sum);
	return true;
}

/* The wanted columns of both tables as one table; its words stay theirs. */
static int pick(const struct cli *cli, char *columns,
		const struct ipcdemo_table *pipes,
		const struct ipcdemo_table *regions, struct ipcdemo_table *t)
{
	static const char *const kinds[] = {"pipe", "region"};
	const struct ipcdemo_table *from;
	size_t row, c, rows = pipes->rows + regions->rows;
	char *name, *save, *sum;
	const char *cell;

	memset(t, 0, sizeof(*t));
	t->header = calloc(strlen(columns) + 1, sizeof(*t->header));
	t->text = calloc(rows + 1, WAITERS_LEN);
	if (!t->header || !t->text)
		return fail("out of memory");
	for (name = strtok_r(columns, ",", &save); name;
	     name = strtok_r(NULL, ",", &save)) {
		if (strcmp(name, "kind") && strcmp(name, "waiters") &&
		    ipcdemo_column(pipes, name) < 0 &&
		    ipcdemo_column(regions, name) < 0)
			return usage(cli, "ls: there is no column '%s'", name);
		t->header[t->columns++] = name;
	}
	if (!t->columns)
		return usage(cli, "ls: -o names no column");
	t->cells = calloc(rows * t->columns + 1, sizeof(*t->cells));
	if (!t->cells)
		return fail("out of memory");
	for (row = 0; row < rows; row++) {
		from = row < pipes->rows ? pipes : regions;
		for (c = 0; c < t->columns; c++) {
			cell = ipcdemo_cell(from,
					    from == pipes ? row
							  : row - pipes->rows,
					    t->header[c]);
			if (!strcmp(t->header[c], "kind"))
				cell = kinds[from == regions];
			sum = t->text + row * WAITERS_LEN;
			if (!strcmp(t->header[c], "waiters") &&
			    sum_waiters(from,
					from == pipes ? row : row - pipes->rows,
					sum, WAITERS_LEN))
				cell = sum;
			/* Nobody writes into the words of a table. */
			t->cells[row * t->columns + c] =
				(char *)(cell ? cell : "-");
		}
	}
	t->rows = rows;
	return 0;
}

/* Is standard output a terminal that is too narrow for the table? */
static bool is_narrow(const struct ipcdemo_table *table)
{
	struct winsize size;

	return isatty(STDOUT_FILENO) &&
	       (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ||
		size.ws_col < table_width(table, INDENT));
}

/* A narrow terminal gets the columns that fit into 80; the others are in "show". */
static int put_regions(const struct cli *cli,
		       const struct ipcdemo_table *regions)
{
	char columns[] = "id,name,owner,mode,size,pages,files,maps";
	struct ipcdemo_table picked = {0};
	int status = DONE;

	if (is_narrow(regions))
		status = pick(cli, columns, &none, regions, &picked);
	if (!status)
		put_table(picked.columns ? &picked : regions, INDENT);
	ipcdemo_table_free(&picked);
	return status;
}

/* The same for pipes; -o asks for the others. */
static int put_pipes(const struct cli *cli, const struct ipcdemo_table *pipes,
		     const struct ipcdemo_ends *ends)
{
	char columns[] = "id,name,slots,used,bytes,waiters,reading,writing";
	struct ipcdemo_table all, few = {0}, picked = {0};
	int status;

	status = add_names(pipes, ends, SIZE_MAX, &all);
	if (!status && !is_narrow(&all)) {
		put_table(&all, INDENT);
	} else if (!status) {
		status = add_names(pipes, ends, NARROW_NAMES, &few)
				 ?: pick(cli, columns, &few, &none, &picked);
		if (!status)
			put_table(&picked, INDENT);
	}
	ipcdemo_table_free(&picked);
	ipcdemo_table_free(&few);
	ipcdemo_table_free(&all);
	return status;
}

/* A walk over all descriptors of all processes: not without need. */
static bool needs_ends(const struct ipcdemo_table *pipes, const char *columns)
{
	size_t row;

	if (columns && !strstr(columns, end_columns[0]) &&
	    !strstr(columns, end_columns[1]))
		return false;
	for (row = 0; row < pipes->rows; row++)
		if (has_ends(pipes, row, 0) || has_ends(pipes, row, 1))
			return true;
	return false;
}

static int put_list(const struct cli *cli, bool json,
		    const struct ipcdemo_table *pipes,
		    const struct ipcdemo_table *regions,
		    const struct ipcdemo_ends *ends)
{
	struct ipcdemo_table named;
	json_object *all;
	int status;

	if (!json) {
		puts("pipes");
		status = put_pipes(cli, pipes, ends);
		puts("regions");
		return status ?: put_regions(cli, regions);
	}
	status = add_names(pipes, ends, SIZE_MAX, &named);
	if (!status) {
		all = json_object_new_object();
		json_object_object_add(all, "pipes",
				       json_rows(&named, pipes, ends));
		json_object_object_add(all, "regions",
				       json_rows(regions, &none, ends));
		add_number(all, "hidden_processes", ends->hidden);
		status = put_json(all);
	}
	ipcdemo_table_free(&named);
	return status;
}

static int put_columns(const struct cli *cli, bool json, char *columns,
		       const struct ipcdemo_table *pipes,
		       const struct ipcdemo_table *regions,
		       const struct ipcdemo_ends *ends)
{
	struct ipcdemo_table named, picked = {0};
	int status;

	status = add_names(pipes, ends, SIZE_MAX, &named)
			 ?: pick(cli, columns, &named, regions, &picked);
	if (!status && json)
		status = put_json(json_rows(&picked, pipes, ends));
	else if (!status)
		put_table(&picked, "");
	ipcdemo_table_free(&picked);
	ipcdemo_table_free(&named);
	return status;
}

static int list(const struct cli *cli, bool json, char *columns)
{
	struct ipcdemo_table pipes, regions = {0};
	struct ipcdemo_ends ends = {0};
	int status;

	if (ipcdemo_list(cli->ipc, IPCDEMO_PIPE, &pipes) ||
	    ipcdemo_list(cli->ipc, IPCDEMO_REGION, &regions) ||
	    (needs_ends(&pipes, columns) &&
	     ipcdemo_pipe_ends(cli->ipc, 0, &ends)))
		status = fail_ipc(cli);
	else if (columns)
		status = put_columns(cli, json, columns, &pipes, &regions,
				     &ends);
	else
		status = put_list(cli, json, &pipes, &regions, &ends);
	ipcdemo_ends_free(&ends);
	ipcdemo_table_free(&pipes);
	ipcdemo_table_free(&regions);
	return status;
}

int cmd_ls(struct cli *cli, int argc, char **argv)
{
	char *columns = NULL;
	bool json = false;
	int id;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case OPT_JSON:
			json = true;
			break;
		case 'o':
			columns = optarg;
			break;
		default:
			return USAGE;
		}
	}
	return no_more(cli, argc, argv) ?: list(cli, json, columns);
}

int cmd_region_ls(struct cli *cli, int argc, char **argv)
{
	struct ipcdemo_ends ends = {0};
	struct ipcdemo_table regions;
	bool json = false;
	int id, status;

	while ((id = next_option(cli, argc, argv))) {
		if (id != OPT_JSON)
			return USAGE;
		json = true;
	}
	status = no_more(cli, argc, argv);
	if (status)
		return status;
	if (ipcdemo_list(cli->ipc, IPCDEMO_REGION, &regions))
		return fail_ipc(cli);
	if (json)
		status = put_json(json_rows(&regions, &none, &ends));
	else
		status = put_regions(cli, &regions);
	ipcdemo_table_free(&regions);
	return status;
}

/* ---- show --------------------------------------------------------------- */

/* 0 stands for "none" in a view, null does in JSON. */
static void add_or_null(json_object *to, const char *key, __u64 value)
{
	json_object_object_add(to, key,
			       value ? json_object_new_uint64(value) : NULL);
}

static json_object *json_counters(const struct ipcdemo_counter *c, size_t n)
{
	json_object *counters = json_object_new_array(), *o;
	size_t i;

	for (i = 0; i < n; i++) {
		o = json_object_new_object();
		add_string(o, "point", c[i].point);
		add_string(o, "unit", c[i].unit);
		add_number(o, "count", c[i].count);
		json_object_array_add(counters, o);
	}
	return counters;
}

static json_object *json_ring(const struct ipcdemo_pipe_view *v)
{
	static const char *const states[] = {
		[IPCDEMO_SLOT_FREE] = "free",
		[IPCDEMO_SLOT_SPARE] = "spare",
		[IPCDEMO_SLOT_DATA] = "data",
	};
	json_object *ring = json_object_new_array(), *o;
	const struct ipcdemo_slot *s;
	__u32 i;

	for (i = 0; i < v->slots; i++) {
		s = &v->ring[i];
		o = json_object_new_object();
		add_number(o, "slot", i);
		if (s->state == IPCDEMO_SLOT_DATA)
			add_number(o, "index", s->index);
		else
			json_object_object_add(o, "index", NULL);
		add_string(o, "state", states[s->state]);
		add_or_null(o, "page", s->page);
		add_or_null(o, "pfn", s->pfn);
		add_number(o, "offset", s->offset);
		add_number(o, "len", s->len);
		add_string(o, "flags", s->flags);
		json_object_array_add(ring, o);
	}
	return ring;
}

static json_object *json_waiters(const struct ipcdemo_pipe_view *v)
{
	json_object *waiters = json_object_new_array(), *o;
	const struct ipcdemo_waiter *w;
	size_t i;

	for (i = 0; i < v->nwaiters; i++) {
		w = &v->waiters[i];
		o = json_object_new_object();
		add_string(o, "point", w->point);
		add_number(o, "pid", w->pid);
		add_string(o, "command", w->command);
		json_object_object_add(o, "seconds",
				       json_object_new_double(w->seconds));
		add_string(o, "state", w->state);
		json_object_array_add(waiters, o);
	}
	return waiters;
}

static json_object *json_ends(const struct ipcdemo_ends *ends)
{
	json_object *list = json_object_new_array(), *o;
	size_t i;

	for (i = 0; i < ends->n; i++) {
		o = json_object_new_object();
		add_string(o, "end", ends->end[i].end);
		add_number(o, "pid", ends->end[i].pid);
		add_string(o, "command", ends->end[i].command);
		add_number(o, "fd", ends->end[i].fd);
		json_object_array_add(list, o);
	}
	return list;
}

static int show_pipe_json(const struct ipcdemo_pipe_view *v,
			  const struct ipcdemo_ends *ends)
{
	json_object *o = json_object_new_object();

	add_string(o, "kind", "pipe");
	add_number(o, "id", v->id);
	add_string(o, "name", v->name);
	add_number(o, "owner", v->owner);
	add_string(o, "mode", v->mode);
	add_string(o, "persistence", v->persistence);
	add_number(o, "capacity", v->capacity);
	add_number(o, "slots", v->slots);
	add_number(o, "used", v->used);
	add_number(o, "bytes", v->bytes);
	add_number(o, "head", v->head);
	add_number(o, "tail", v->tail);
	add_number(o, "readers", v->readers);
	add_number(o, "writers", v->writers);
	add_number(o, "spare", v->spare);
	add_string(o, "snapshot", v->snapshot);
	add_number(o, "read_pollers", v->read_pollers);
	add_number(o, "write_pollers", v->write_pollers);
	json_object_object_add(o, "ring", json_ring(v));
	json_object_object_add(o, "waiters", json_waiters(v));
	json_object_object_add(o, "counters",
			       json_counters(v->counters, v->ncounters));
	json_object_object_add(o, "ends", json_ends(ends));
	add_number(o, "hidden_processes", ends->hidden);
	return put_json(o);
}

static void add_seconds(json_object *to, const char *key, double seconds)
{
	json_object_object_add(to, key, json_object_new_double(seconds));
}

static json_object *json_word_waiters(const struct ipcdemo_region_view *v)
{
	json_object *list = json_object_new_array(), *o;
	const struct ipcdemo_word_waiter *w;

	for (w = v->waiters; w < v->waiters + v->nwaiters; w++) {
		o = json_object_new_object();
		add_number(o, "offset", w->offset);
		add_string(o, "point", w->task.point);
		add_number(o, "pid", w->task.pid);
		add_string(o, "command", w->task.command);
		add_seconds(o, "seconds", w->task.seconds);
		add_string(o, "state", w->task.state);
		json_object_array_add(list, o);
	}
	return list;
}

static json_object *json_wakes(const struct ipcdemo_region_view *v)
{
	json_object *list = json_object_new_array(), *o;
	const struct ipcdemo_wake_up *w;

	for (w = v->wakes; w < v->wakes + v->nwakes; w++) {
		o = json_object_new_object();
		add_number(o, "offset", w->offset);
		add_number(o, "waker", w->waker);
		add_string(o, "waker_command", w->waker_command);
		add_number(o, "woken", w->woken);
		add_string(o, "woken_command", w->woken_command);
		add_seconds(o, "waited", w->waited);
		add_seconds(o, "seconds", w->seconds);
		json_object_array_add(list, o);
	}
	return list;
}

static json_object *json_owners(const struct ipcdemo_region_view *v)
{
	json_object *list = json_object_new_array(), *o;
	const struct ipcdemo_lock_owner *owner;

	for (owner = v->owners; owner < v->owners + v->nowners; owner++) {
		o = json_object_new_object();
		add_number(o, "owner", owner->owner);
		add_number(o, "pid", owner->pid);
		add_string(o, "command", owner->command);
		add_number(o, "offset", owner->offset);
		add_number(o, "entries", owner->entries);
		json_object_array_add(list, o);
	}
	return list;
}

static json_object *json_eventfds(const struct ipcdemo_region_view *v)
{
	json_object *list = json_object_new_array(), *o;
	const struct ipcdemo_bound_eventfd *e;

	for (e = v->eventfds; e < v->eventfds + v->neventfds; e++) {
		o = json_object_new_object();
		add_number(o, "offset", e->offset);
		add_number(o, "pid", e->pid);
		add_string(o, "command", e->command);
		json_object_array_add(list, o);
	}
	return list;
}

static int show_region_json(const struct ipcdemo_region_view *v,
			    const struct ipcdemo_maps *maps)
{
	json_object *o = json_object_new_object(), *list, *m, *seconds;
	size_t i;

	add_string(o, "kind", "region");
	add_number(o, "id", v->id);
	add_string(o, "name", v->name);
	add_number(o, "owner", v->owner);
	add_string(o, "mode", v->mode);
	add_number(o, "size", v->size);
	add_number(o, "pages", v->pages);
	add_number(o, "files", v->files);
	add_number(o, "maps", v->maps);
	add_number(o, "page_size", v->page_size);
	add_string(o, "seals", v->seals);
	list = json_object_new_array();
	for (i = 0; i < maps->n; i++) {
		m = json_object_new_object();
		add_number(m, "pid", maps->map[i].pid);
		add_string(m, "command", maps->map[i].command);
		add_string(m, "perms", maps->map[i].perms);
		add_number(m, "offset", maps->map[i].offset);
		add_number(m, "length", maps->map[i].end - maps->map[i].start);
		json_object_array_add(list, m);
	}
	json_object_object_add(o, "mappings", list);
	list = json_object_new_array();
	for (i = 0; i < v->nruns; i++) {
		m = json_object_new_object();
		add_number(m, "first", v->runs[i].first);
		add_number(m, "last", v->runs[i].last);
		add_string(m, "state", v->runs[i].state);
		json_object_array_add(list, m);
	}
	json_object_object_add(o, "page_runs", list);
	list = json_object_new_array();
	for (i = 0; i < v->nfaults; i++) {
		m = json_object_new_object();
		add_number(m, "page", v->faults[i].page);
		add_string(m, "access", v->faults[i].access);
		add_number(m, "pid", v->faults[i].pid);
		add_string(m, "command", v->faults[i].command);
		seconds = json_object_new_double(v->faults[i].seconds);
		json_object_object_add(m, "seconds", seconds);
		json_object_array_add(list, m);
	}
	json_object_object_add(o, "faults", list);
	json_object_object_add(o, "waiters", json_word_waiters(v));
	json_object_object_add(o, "wake_ups", json_wakes(v));
	json_object_object_add(o, "owners", json_owners(v));
	json_object_object_add(o, "eventfds", json_eventfds(v));
	add_number(o, "hidden_processes", maps->hidden);
	json_object_object_add(o, "counters",
			       json_counters(v->counters, v->ncounters));
	return put_json(o);
}

static int show_pipe(struct cli *cli, __u32 id, bool json)
{
	struct ipcdemo_pipe_view view;
	struct ipcdemo_ends ends = {0};
	int status = DONE;

	if (ipcdemo_pipe_view(cli->ipc, id, &view))
		return fail_ipc(cli);
	/* A walk over all descriptors of all processes: not without need */
	if ((view.readers || view.writers) &&
	    ipcdemo_pipe_ends(cli->ipc, id, &ends))
		status = fail_ipc(cli);
	else if (json)
		status = show_pipe_json(&view, &ends);
	else
		draw_pipe(&cli->style, &view, &ends);
	ipcdemo_ends_free(&ends);
	ipcdemo_pipe_view_free(&view);
	return status;
}

int show_region(struct cli *cli, __u32 id, bool json)
{
	struct ipcdemo_region_view view;
	struct ipcdemo_maps maps;
	int status = DONE;

	if (ipcdemo_region_view(cli->ipc, id, &view))
		return fail_ipc(cli);
	if (ipcdemo_region_maps(cli->ipc, &view, &maps)) {
		status = fail_ipc(cli);
	} else {
		if (json)
			status = show_region_json(&view, &maps);
		else
			draw_region(&cli->style, &view, &maps);
		ipcdemo_maps_free(&maps);
	}
	ipcdemo_region_view_free(&view);
	return status;
}

/* The object whose inode it is: a file of ours, or the link of an anonymous one. */
static bool find_inode(const struct ipcdemo_table *table, const struct stat *st,
		       __u32 *id)
{
	const char *dev, *ino;
	char wanted[32];
	size_t row;

	snprintf(wanted, sizeof(wanted), "%u:%u", major(st->st_dev),
		 minor(st->st_dev));
	for (row = 0; row < table->rows; row++) {
		dev = ipcdemo_cell(table, row, "dev");
		ino = ipcdemo_cell(table, row, "ino");
		if (!dev || !ino || strcmp(dev, wanted) ||
		    strtoull(ino, NULL, 10) != st->st_ino)
			continue;
		*id = row_id(table, row);
		return true;
	}
	return false;
}

/*
 * What stands behind a path: the device, a FIFO or file of ipcdemofs, or a link in
 * /proc/PID/fd to one of these, to an anonymous pipe or to a region.
 */
static int find_path(struct cli *cli, const char *path, enum ipcdemo_kind *kind,
		     __u32 *id)
{
	static const char region[] = "ipcdemo-region:[";
	struct ipcdemo_table table;
	struct stat device, st;
	char target[256];
	const char *name;
	bool found;
	ssize_t n;

	n = readlink(path, target, sizeof(target) - 1);
	if (n > 0) {
		target[n] = '\0';
		name = strstr(target, region);
		if (name) {
			*kind = IPCDEMO_REGION;
			*id = strtoul(name + strlen(region), NULL, 10);
			return 0;
		}
	}
	if (stat(path, &st))
		return fail("%s: %s", path, strerror(errno));
	*kind = S_ISREG(st.st_mode) ? IPCDEMO_REGION : IPCDEMO_PIPE;
	if (S_ISFIFO(st.st_mode) || S_ISREG(st.st_mode)) {
		if (ipcdemo_list(cli->ipc, *kind, &table))
			return fail_ipc(cli);
		found = find_inode(&table, &st, id);
		ipcdemo_table_free(&table);
		if (found)
			return 0;
		if (S_ISFIFO(st.st_mode))
			return fail("%s is a pipe of the kernel: `ipcdemo ls` lists ours",
				    path);
	}
	if (stat(ipcdemo_device(cli->ipc), &device))
		return fail("%s: %s: `ipcdemo doctor` says how to make it",
			    ipcdemo_device(cli->ipc), strerror(errno));
	if (st.st_mode != device.st_mode || st.st_rdev != device.st_rdev ||
	    (!st.st_rdev && st.st_ino != device.st_ino))
		return fail("%s is no object of ipcdemo: `ipcdemo ls` lists them",
			    path);
	return parse_id(cli, IPCDEMO_PIPE, NULL, id);
}

/* Both kinds share one space of ids. */
static int find_id(struct cli *cli, const char *word, enum ipcdemo_kind *kind,
		   __u32 *id)
{
	bool found = false;
	int k;

	if (!parse_number(word, id))
		return usage(cli, "'%s' is not the id of an object", word);
	for (k = IPCDEMO_PIPE; !found && k <= IPCDEMO_REGION; k++) {
		if (has_id(cli, k, *id, &found))
			return FAILED;
		*kind = k;
	}
	if (!found)
		return fail("there is no object with the id %u: %s", *id,
			    "`ipcdemo ls` lists them");
	return 0;
}

int find_object(struct cli *cli, const char *what, enum ipcdemo_kind *kind,
		__u32 *id)
{
	if (what[strspn(what, "0123456789")])
		return find_path(cli, what, kind, id);
	return find_id(cli, what, kind, id);
}

int cmd_show(struct cli *cli, int argc, char **argv)
{
	enum ipcdemo_kind kind = IPCDEMO_PIPE;
	const char *what;
	bool json = false;
	int id, status;
	__u32 object;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case OPT_JSON:
			json = true;
			break;
		case OPT_COLOR:
			if (set_color(cli, optarg))
				break;
			return usage(cli, "--color is auto, always or never");
		default:
			return USAGE;
		}
	}
	what = optind < argc ? argv[optind++] : NULL;
	status = no_more(cli, argc, argv);
	if (status)
		return status;
	if (!what)
		status = parse_id(cli, IPCDEMO_PIPE, NULL, &object);
	else
		status = find_object(cli, what, &kind, &object);
	if (status)
		return status;
	if (kind == IPCDEMO_PIPE)
		return show_pipe(cli, object, json);
	return show_region(cli, object, json);
}

/* ---- peek --------------------------------------------------------------- */

struct peek_request {
	__u64 skip;
	__u64 max;
	bool hex;
	bool json;
};

/*
 * All bytes at one moment: a pipe that grew between asking how much there is
 * and copying it is asked again.
 */
static ssize_t peek_all(struct cli *cli, int fd, __u32 id,
			const struct peek_request *want, unsigned char **buf,
			__u64 *bytes)
{
	unsigned char *more;
	size_t room = 0;
	ssize_t n;

	*buf = NULL;
	n = ipcdemo_peek(cli->ipc, fd, id, want->skip, NULL, 0, bytes);
	while (n >= 0 && *bytes > want->skip + room && room < want->max) {
		room = *bytes - want->skip;
		if (room > want->max)
			room = want->max;
		more = realloc(*buf, room);
		if (!more)
			return -ENOMEM;
		*buf = more;
		n = ipcdemo_peek(cli->ipc, fd, id, want->skip, *buf, room,
				 bytes);
	}
	return n;
}

static int peek(struct cli *cli, __u32 id, const struct peek_request *want)
{
	unsigned char *buf;
	int status = DONE, fd;
	json_object *o;
	__u64 bytes;
	ssize_t n;

	fd = ipcdemo_open(cli->ipc, IPCDEMO_O_CONTROL);
	if (fd < 0)
		return fail_ipc(cli);
	n = peek_all(cli, fd, id, want, &buf, &bytes);
	close(fd);
	if (n == -ENOMEM) {
		status = fail("out of memory");
	} else if (n < 0) {
		status = fail_ipc(cli);
	} else if (want->json) {
		o = json_object_new_object();
		add_number(o, "id", id);
		add_number(o, "bytes", bytes);
		add_number(o, "skip", want->skip);
		add_number(o, "length", n);
		json_object_object_add(o, "hex", json_bytes(buf, n));
		status = put_json(o);
	} else if (want->hex) {
		put_hex(want->skip, buf, n);
	} else {
		status = put_bytes(buf, n);
	}
	free(buf);
	return status;
}

int cmd_peek(struct cli *cli, int argc, char **argv)
{
	struct peek_request want = {.max = UINT64_MAX};
	const char *word;
	__u32 object;
	int id;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case 'c':
			if (parse_size(optarg, &want.max))
				break;
			return usage(cli, "'%s' is no number of bytes", optarg);
		case OPT_SKIP:
			if (parse_size(optarg, &want.skip))
				break;
			return usage(cli, "'%s' is no number of bytes", optarg);
		case OPT_HEX:
			want.hex = true;
			break;
		case OPT_JSON:
			want.json = true;
			break;
		default:
			return USAGE;
		}
	}
	word = optind < argc ? argv[optind++] : NULL;
	return no_more(cli, argc, argv) ?:
	       parse_id(cli, IPCDEMO_PIPE, word, &object) ?:
	       peek(cli, object, &want);
}

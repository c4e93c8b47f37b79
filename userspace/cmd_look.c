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
#include <unistd.h>

#include "cli.h"

/* Before the lines of a table that has a title. */
#define INDENT	    "  "

/* A number of tasks as text. */
#define WAITERS_LEN 24

/* ---- ls ----------------------------------------------------------------- */

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

static json_object *json_rows(const struct ipcdemo_table *t)
{
	json_object *rows = json_object_new_array(), *row, *cell;
	size_t r, c;

	for (r = 0; r < t->rows; r++) {
		row = json_object_new_object();
		for (c = 0; c < t->columns; c++) {
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

/*
 * A terminal that is too narrow for all columns of the pipes gets those that
 * fit into 80: the others are in "show", and -o asks for them.
 */
static int put_pipes(const struct cli *cli, const struct ipcdemo_table *pipes)
{
	char columns[] =
		"id,name,persistence,slots,used,bytes,readers,writers,waiters";
	struct ipcdemo_table none = {0}, picked;
	struct winsize size;
	int status;

	if (!isatty(STDOUT_FILENO) ||
	    (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) &&
	     size.ws_col >= table_width(pipes, INDENT))) {
		put_table(pipes, INDENT);
		return DONE;
	}
	status = pick(cli, columns, pipes, &none, &picked);
	if (!status)
		put_table(&picked, INDENT);
	ipcdemo_table_free(&picked);
	return status;
}

static int list(const struct cli *cli, bool json, char *columns)
{
	struct ipcdemo_table pipes, regions = {0}, picked = {0};
	json_object *all;
	int status = DONE;

	if (ipcdemo_list(cli->ipc, IPCDEMO_PIPE, &pipes) ||
	    ipcdemo_list(cli->ipc, IPCDEMO_REGION, &regions)) {
		status = fail_ipc(cli);
		goto out;
	}
	if (columns) {
		status = pick(cli, columns, &pipes, &regions, &picked);
		if (status)
			goto out;
		if (json)
			status = put_json(json_rows(&picked));
		else
			put_table(&picked, "");
	} else if (json) {
		all = json_object_new_object();
		json_object_object_add(all, "pipes", json_rows(&pipes));
		json_object_object_add(all, "regions", json_rows(&regions));
		status = put_json(all);
	} else {
		puts("pipes");
		status = put_pipes(cli, &pipes);
		puts("regions");
		put_table(&regions, INDENT);
	}
out:
	ipcdemo_table_free(&picked);
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

/* ---- show --------------------------------------------------------------- */

static void add_string(json_object *to, const char *key, const char *value)
{
	json_object_object_add(to, key, json_object_new_string(value));
}

static void add_number(json_object *to, const char *key, __u64 value)
{
	json_object_object_add(to, key, json_object_new_uint64(value));
}

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

static int show_region_json(const struct ipcdemo_region_view *v,
			    const struct ipcdemo_maps *maps)
{
	json_object *o = json_object_new_object(), *list, *m;
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
	if (ipcdemo_region_maps(cli->ipc, id, &maps)) {
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

/*
 * What stands behind a path: the device, or a link in /proc/PID/fd to it or to
 * a region.
 */
static int find_path(struct cli *cli, const char *path, enum ipcdemo_kind *kind,
		     __u32 *id)
{
	static const char region[] = "ipcdemo-region:[";
	struct stat device, st;
	char target[256];
	const char *name;
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
	if (stat(ipcdemo_device(cli->ipc), &device))
		return fail("%s: %s: `ipcdemo doctor` says how to make it",
			    ipcdemo_device(cli->ipc), strerror(errno));
	if (st.st_mode != device.st_mode || st.st_rdev != device.st_rdev ||
	    (!st.st_rdev && st.st_ino != device.st_ino))
		return fail("%s is no object of ipcdemo: `ipcdemo ls` lists them",
			    path);
	*kind = IPCDEMO_PIPE;
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
	else if (what[strspn(what, "0123456789")])
		status = find_path(cli, what, &kind, &object);
	else
		status = find_id(cli, what, &kind, &object);
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

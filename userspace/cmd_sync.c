// SPDX-License-Identifier: GPL-2.0
/*
 * sync show: what lives in a region, as libipcdemo and the module see it
 *
 * The list of objects comes from the region itself, who holds and who waits from
 * there and, by number and by word, from /proc/ipcdemo/region/ID.  Only looks.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "cli.h"
#include "lib/ipcdemo.h"

/* What is known of a region, from both sides. */
struct sight {
	const char *path;
	struct ipcdemo_object *objects;
	unsigned int n;
	bool module;
	struct ipcdemo_table owners;
	struct ipcdemo_table waiters;
};

static const char *kind_of(const struct ipcdemo_object *o)
{
	static const char *const names[] = {
		[IPCDEMO_OBJECT_BYTES] = "bytes",
		[IPCDEMO_OBJECT_MUTEX] = "mutex",
		[IPCDEMO_OBJECT_SEM] = "semaphore",
		[IPCDEMO_OBJECT_COND] = "condition",
		[IPCDEMO_OBJECT_RWLOCK] = "rwlock",
		[IPCDEMO_OBJECT_BARRIER] = "barrier",
		[IPCDEMO_OBJECT_RING] = "ring",
	};

	if (o->kind < ARRAY_SIZE(names) && names[o->kind])
		return names[o->kind];
	return "?";
}

/* One word, or two with a "=" between. */
static void state_of(const struct ipcdemo_object *o, char *buf, size_t size)
{
	const char *word = "-";

	buf[0] = '\0';
	if (!o->valid) {
		word = !strcmp(kind_of(o), "?") ? "unknown" : "damaged";
	} else if (o->kind == IPCDEMO_OBJECT_MUTEX) {
		if (o->died == 3)
			word = "not-recoverable";
		else if (o->died == 1)
			word = "owner-died";
		else if (o->died == 2)
			word = "inconsistent";
		else
			word = o->holder ? "locked" : "free";
	} else if (o->kind == IPCDEMO_OBJECT_SEM) {
		snprintf(buf, size, "value=%u", o->value);
	} else if (o->kind == IPCDEMO_OBJECT_RWLOCK) {
		if (o->value)
			snprintf(buf, size, "readers=%u", o->value);
		else
			word = o->holder ? "writing" : "free";
	} else if (o->kind == IPCDEMO_OBJECT_BARRIER) {
		snprintf(buf, size, "here=%u/%u", o->value, o->count);
	} else if (o->kind == IPCDEMO_OBJECT_RING) {
		snprintf(buf, size, "used=%u/%u", o->value, o->count);
	}
	if (!buf[0])
		snprintf(buf, size, "%s", word);
}

/* The process behind a number of an owner, 0 if it is not known. */
static __u32 pid_of(const struct sight *s, __u32 owner, const char **command)
{
	const char *cell;
	size_t row;

	*command = NULL;
	if (!owner || !s->module)
		return owner;
	for (row = 0; row < s->owners.rows; row++) {
		cell = ipcdemo_cell(&s->owners, row, "owner");
		if (strtoul(cell, NULL, 10) != owner)
			continue;
		*command = ipcdemo_cell(&s->owners, row, "command");
		cell = ipcdemo_cell(&s->owners, row, "pid");
		return cell ? strtoul(cell, NULL, 10) : 0;
	}
	return 0;
}

/* Is that row of who waits about a word of the object? */
static bool waits_for(const struct sight *s, size_t row,
		      const struct ipcdemo_object *o)
{
	__u64 offset =
		strtoull(ipcdemo_cell(&s->waiters, row, "offset"), NULL, 10);

	return offset >= o->offset && offset - o->offset < o->size;
}

static unsigned int waiters_of(const struct sight *s,
			       const struct ipcdemo_object *o)
{
	unsigned int n = 0;
	size_t row;

	if (!s->module)
		return o->waiters;
	for (row = 0; row < s->waiters.rows; row++)
		n += waits_for(s, row, o);
	return n;
}

static void put_waiters(const struct sight *s)
{
	size_t row;
	unsigned int i;

	for (row = 0; row < s->waiters.rows; row++) {
		for (i = 0; i < s->n; i++)
			if (waits_for(s, row, &s->objects[i]))
				break;
		if (i == s->n)
			continue;
		printf("  %s (", ipcdemo_cell(&s->waiters, row, "pid"));
		put_safe(stdout, ipcdemo_cell(&s->waiters, row, "command"));
		fputs(") waits for ", stdout);
		put_safe(stdout, s->objects[i].name[0]
					 ? s->objects[i].name
					 : kind_of(&s->objects[i]));
		printf(" at %llu, %s s, %s\n",
		       (unsigned long long)s->objects[i].offset,
		       ipcdemo_cell(&s->waiters, row, "seconds"),
		       ipcdemo_cell(&s->waiters, row, "state"));
	}
}

enum { NAME, KIND, OFFSET, SIZE, STATE, PID, THREAD, WAITERS, COLUMNS };

static int put_as_text(const struct sight *s)
{
	static char *header[COLUMNS] = {"name",	 "kind", "offset", "size",
					"state", "pid",	 "thread", "waiters"};
	struct ipcdemo_table table = {.columns = COLUMNS,
				      .rows = s->n,
				      .header = header};
	char(*words)[COLUMNS][40] = calloc(s->n + 1, sizeof(*words));
	const struct ipcdemo_object *o;
	const char *command;
	unsigned int i, c;
	__u32 pid;

	table.cells = calloc(s->n + 1, COLUMNS * sizeof(*table.cells));
	if (!words || !table.cells) {
		free(words);
		free(table.cells);
		return fail("out of memory");
	}
	for (i = 0; i < s->n; i++) {
		o = &s->objects[i];
		for (c = 0; c < COLUMNS; c++)
			table.cells[i * COLUMNS + c] = strcpy(words[i][c], "-");
		if (o->name[0])
			snprintf(words[i][NAME], 40, "%s", o->name);
		snprintf(words[i][KIND], 40, "%s", kind_of(o));
		snprintf(words[i][OFFSET], 40, "%llu",
			 (unsigned long long)o->offset);
		snprintf(words[i][SIZE], 40, "%llu",
			 (unsigned long long)o->size);
		state_of(o, words[i][STATE], 40);
		pid = pid_of(s, o->holder, &command);
		if (pid)
			snprintf(words[i][PID], 40, "%u", pid);
		else if (o->holder)
			snprintf(words[i][PID], 40, "?");
		if (o->thread)
			snprintf(words[i][THREAD], 40, "%u", o->thread);
		if (o->valid && o->kind != IPCDEMO_OBJECT_BYTES)
			snprintf(words[i][WAITERS], 40, "%u", waiters_of(s, o));
	}
	put_table(&table, "");
	put_waiters(s);
	free(table.cells);
	free(words);
	return DONE;
}

static json_object *json_waiters(const struct sight *s,
				 const struct ipcdemo_object *o)
{
	json_object *list = json_object_new_array(), *w;
	const struct ipcdemo_table *t = &s->waiters;
	double seconds;
	size_t row;

	for (row = 0; row < t->rows; row++) {
		if (!waits_for(s, row, o))
			continue;
		w = json_object_new_object();
		add_number(w, "pid", atoi(ipcdemo_cell(t, row, "pid")));
		add_string(w, "command", ipcdemo_cell(t, row, "command"));
		seconds = atof(ipcdemo_cell(t, row, "seconds"));
		json_object_object_add(w, "seconds",
				       json_object_new_double(seconds));
		add_string(w, "state", ipcdemo_cell(t, row, "state"));
		json_object_array_add(list, w);
	}
	return list;
}

static json_object *json_object_of(const struct sight *s,
				   const struct ipcdemo_object *it)
{
	json_object *o = json_object_new_object();
	const char *command;
	char state[40];
	__u32 pid;

	state_of(it, state, sizeof(state));
	pid = pid_of(s, it->holder, &command);
	add_string(o, "name", it->name);
	add_string(o, "kind", kind_of(it));
	add_number(o, "offset", it->offset);
	add_number(o, "size", it->size);
	add_string(o, "state", state);
	add_number(o, "owner", it->holder);
	add_number(o, "pid", pid);
	if (command)
		add_string(o, "command", command);
	add_number(o, "thread", it->thread);
	add_number(o, "value", it->value);
	add_number(o, "count", it->count);
	add_number(o, "round", it->round);
	add_number(o, "waiters", waiters_of(s, it));
	if (s->module)
		json_object_object_add(o, "waiting", json_waiters(s, it));
	return o;
}

static int put_as_json(const struct sight *s)
{
	json_object *all = json_object_new_object();
	json_object *list = json_object_new_array();
	unsigned int i;

	for (i = 0; i < s->n; i++)
		json_object_array_add(list, json_object_of(s, &s->objects[i]));
	add_string(all, "path", s->path);
	json_object_object_add(all, "by_module",
			       json_object_new_boolean(s->module));
	json_object_object_add(all, "objects", list);
	return put_json(all);
}

static int no_region(const char *path, int err)
{
	switch (err) {
	case -ENODEV:
		return fail("%s is no file that can be a region", path);
	case -ENODATA:
		return fail("%s is empty: nothing can live in it", path);
	case -EBADMSG:
		return fail("%s holds no locks: libipcdemo(3) did not format it",
			    path);
	case -EPROTONOSUPPORT:
		return fail("%s was formatted by another version of libipcdemo",
			    path);
	case -ERANGE:
		return fail("%s is smaller than its header says", path);
	case -EAGAIN:
		return fail("%s is being formatted now", path);
	default:
		return fail("%s: %s", path, strerror(-err));
	}
}

/* All objects: there may be more by the time they are asked for. */
static int list_objects(struct ipcdemo_region *r, struct sight *s)
{
	struct ipcdemo_object *more;
	unsigned int room = 64;
	int n;

	for (;;) {
		more = realloc(s->objects, room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		s->objects = more;
		n = ipcdemo_region_objects(r, more, room);
		if (n < 0)
			return n;
		s->n = n;
		if (s->n <= room)
			return 0;
		room = s->n;
	}
}

/* Which processes the numbers of owners are, and who sleeps on which word. */
static int look_at_module(struct cli *cli, struct ipcdemo_region *r,
			  struct sight *s)
{
	struct ipcdemo_region_stat stat = {.size = sizeof(stat)};

	s->module = true;
	if (ioctl(ipcdemo_region_descriptor(r), IPCDEMO_IOC_REGION_STAT, &stat))
		return fail("%s: %s", s->path, strerror(errno));
	if (ipcdemo_region_block(cli->ipc, stat.id, "owner", "entries",
				 &s->owners) ||
	    ipcdemo_region_block(cli->ipc, stat.id, "offset", "state",
				 &s->waiters))
		return fail_ipc(cli);
	return DONE;
}

int cmd_sync_show(struct cli *cli, int argc, char **argv)
{
	struct ipcdemo_region *region;
	struct sight s = {0};
	bool json = false;
	int id, err, status;

	while ((id = next_option(cli, argc, argv))) {
		if (id != OPT_JSON)
			return USAGE;
		json = true;
	}
	if (optind == argc)
		return usage(cli, "sync show needs a path");
	s.path = argv[optind++];
	status = no_more(cli, argc, argv);
	if (status)
		return status;
	err = ipcdemo_region_open(s.path, IPCDEMO_REGION_READ_ONLY, &region);
	if (err)
		return no_region(s.path, err);
	err = list_objects(region, &s);
	if (err)
		status = no_region(s.path, err);
	else if (ipcdemo_region_by_module(region))
		status = look_at_module(cli, region, &s);
	ipcdemo_region_close(region);
	if (status == DONE)
		status = json ? put_as_json(&s) : put_as_text(&s);
	ipcdemo_table_free(&s.owners);
	ipcdemo_table_free(&s.waiters);
	free(s.objects);
	return status;
}

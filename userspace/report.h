/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a recording tells: who did what for how long, and who waited for whom
 *
 * report_make() computes all numbers, once; text, JSON, the diagram and the
 * trace for Perfetto print them.
 *
 * How the time of a task is divided.  Its life is from when it is first seen (its
 * fork, as a rule) to its exit, and each moment of it belongs to one of:
 *
 *	copying		on a processor, before a point that says that bytes were
 *			copied, since the task's point before that one
 *	running		on a processor, with anything else
 *	waiting		asleep in a call of ours: from a point *.sleep to the task's
 *			next point
 *	mutex		from a point *.lock to the task's next point
 *	elsewhere	the rest: ready for a processor, asleep in other calls
 *
 * Where the recording does not know processors (of tasks that are not the
 * command's), running and elsewhere are not told apart: all of it is elsewhere.
 *
 * A wake-up is a point wake.task or word.task: it names whom it chose, so who was
 * asleep then waited for the task that made it.  It was useless if the woken
 * task found nothing to do: if it comes to a *.wait, or to a *.sleep again,
 * before it has copied, ended or was told of the end.
 */
#ifndef REPORT_H
#define REPORT_H

#include "cli.h"
#include "recording.h"

/* What a task is doing; LIFE_NONE is not drawn. */
enum life {
	LIFE_ELSEWHERE,
	LIFE_RUNNING,
	LIFE_COPYING,
	LIFE_WAITING,
	LIFE_MUTEX,
	NR_LIVES,
};

extern const char *const life_names[NR_LIVES];

/**
 * struct report_task - a task that passed a point
 * @names:	its commands, the last of which is @name
 * @known:	when it was on a processor is known
 * @ns:		how its life is divided
 */
struct report_task {
	__s32 pid;
	char name[32];
	char names[128];
	bool known;
	__u64 from;
	__u64 to;
	__u64 ns[NR_LIVES];
	__u64 points;
	__u64 waits;
	__u64 woken; /* wake-ups that chose it */
	__u64 useless; /* of these */
	__u64 woke; /* whom it chose */
};

/**
 * struct report_object - an object that a point was passed of
 * @calls:	wake-ups that were made: wake.* and word.wake
 * @woken:	tasks that they chose
 * @most:	slots that held bytes at one moment
 * @dropped:	bytes that nobody read
 */
struct report_object {
	__u32 id;
	bool region;
	char name[256];
	__u32 slots;
	__u32 most;
	__u64 points;
	__u64 written;
	__u64 read;
	__u64 dropped;
	__u64 writes;
	__u64 reads;
	__u64 calls;
	__u64 woken;
	__u64 useless;
	__u64 ns_empty; /* with no bytes, since it was seen */
	__u64 ns_full;
};

/* What one task did with one object. */
struct report_use {
	size_t task;
	size_t object;
	__u64 reads;
	__u64 writes;
	__u64 read;
	__u64 written;
};

#define NOBODY SIZE_MAX

/* How long one task waited for another, at one object. */
struct report_wait {
	size_t task;
	size_t object;
	size_t whom; /* NOBODY: no wake-up ended it */
	char what[8]; /* "read", "write", "open" or "word" */
	__u64 times;
	__u64 ns;
};

/* A stretch of a task's life. */
struct report_span {
	size_t task;
	enum life life;
	__u64 from;
	__u64 to;
};

/* A call: from its *.enter to its *.return. */
struct report_call {
	size_t task;
	size_t object;
	char what[8];
	__u64 from;
	__u64 to;
};

/* From who woke to who was woken; woken_at is when that one went on. */
struct report_arrow {
	size_t from;
	size_t to;
	size_t object;
	__u64 at;
	__u64 woken_at;
	bool useless;
};

/* So many slots hold bytes from then on. */
struct report_fill {
	size_t object;
	__u64 t;
	__u32 used;
	__u32 nr;
};

/* Events of the recording that are points, with what they are about. */
struct report_point {
	const struct rec_event *event;
	const char *name;
	size_t task;
	size_t object;
};

/**
 * struct report - all that is told
 * @from:	when it began
 * @to:		when it ended
 */
struct report {
	const struct recording *rec;
	__u64 from;
	__u64 to;
	size_t ntasks, nobjects, nuses, nwaits, nspans, ncalls, narrows, nfills,
		npoints;
	struct report_task *tasks;
	struct report_object *objects;
	struct report_use *uses;
	struct report_wait *waits;
	struct report_span *spans;
	struct report_call *calls;
	struct report_arrow *arrows;
	struct report_fill *fills;
	struct report_point *points;
};

/* Return: false if there is no memory for it. */
bool report_make(const struct recording *rec, struct report *report);
void report_free(struct report *report);

/* "ps(812)", "pipe 7": what both kinds of output call them. */
const char *task_label(const struct report *r, size_t task, char *buf,
		       size_t size);
const char *object_label(const struct report *r, size_t object, char *buf,
			 size_t size);

/* "12.3 ms" */
const char *duration(__u64 ns, char *buf, size_t size);

/* ---- report_text.c: for people, for programs ------------------------------ */

int report_text(const struct report *r, const char *path);
json_object *report_json(const struct report *r, const char *path);
/* The summary as a piece of HTML. */
void report_tables(const struct report *r, FILE *to);

/* ---- report_svg.c: the space-time diagram ---------------------------------- */

/**
 * struct view - what part of a recording is drawn, and how
 * @from:	ns since the beginning
 * @to:		likewise
 * @steps:	each point takes as much room as the next: else room is time
 */
struct view {
	__u64 from;
	__u64 to;
	bool steps;
};

int report_svg(const struct report *r, const struct view *view,
	       const char *path);
int report_html(const struct report *r, const struct view *view,
		const char *path);

/* The styles and the script of the page, which stand beside the sources. */
extern const char css_start[] __asm__("_binary_userspace_report_css_start");
extern const char css_end[] __asm__("_binary_userspace_report_css_end");
extern const char
	page_start[] __asm__("_binary_userspace_report_page_css_start");
extern const char page_end[] __asm__("_binary_userspace_report_page_css_end");
extern const char js_start[] __asm__("_binary_userspace_report_js_start");
extern const char js_end[] __asm__("_binary_userspace_report_js_end");

/* Text as it may stand in XML. */
void put_xml(FILE *to, const char *text);

/* ---- report_perfetto.c ------------------------------------------------------ */

int report_perfetto(const struct report *r, const char *path);

#endif /* REPORT_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of `watch` share
 *
 *	cmd_watch.c	options; frames for scripts
 *	watch_screen.c	the screen and its keys
 *	watch_frame.c	what is shown, as text
 *	watch_look.c	looks at the objects
 *	watch_history.c	what is remembered, and differences (watch_history.h)
 *	watch_points.c	points one by one, if tracefs has them (watch_points.h)
 *
 * Looking takes nothing but /proc/ipcdemo, and on the screen tracefs: no
 * descriptor of an object stays open between two looks, so objects and the
 * module itself can go away meanwhile.
 */
#ifndef WATCH_H
#define WATCH_H

#include "cli.h"
#include "watch_history.h"
#include "watch_points.h"

/* So many objects are looked at in full, and remembered, at a time. */
#define WATCH_OBJECTS 16

/**
 * struct watch_object - an object that is looked at
 * @id:		its id
 * @kind:	what it is
 * @gone:	it was not there any more at the last look
 * @wanted:	when it was last chosen: the look
 * @history:	what was seen
 */
struct watch_object {
	__u32 id;
	enum ipcdemo_kind kind;
	bool gone;
	unsigned int wanted;
	struct watch_history history;
};

/**
 * struct watch - one run of the command
 * @interval:	seconds from a look to the next
 * @keep:	for how many seconds they are remembered
 * @named:	only objects that were named are looked at, or picked later
 * @objects:	these, by id
 * @n:		how many
 * @chosen:	the id of the one that is shown
 * @look:	the number of the last look
 * @at:		when that was, in seconds from the first
 * @pipes:	all pipes at the last look
 * @regions:	all regions
 * @counts:	nothing shall be traced
 * @points:	what is traced, or NULL
 * @no_points:	why not
 */
struct watch {
	struct cli *cli;
	double interval;
	double keep;
	bool named;
	struct watch_object objects[WATCH_OBJECTS];
	size_t n;
	__u32 chosen;
	unsigned int look;
	double at;
	double began;
	struct ipcdemo_table pipes;
	struct ipcdemo_table regions;
	bool counts;
	struct watch_points *points;
	char no_points[80];
};

/* ---- watch_look.c ------------------------------------------------------------ */

/* Seconds on a clock that never goes back. */
double watch_clock(void);

/**
 * watch_follow - looks at this object, too, from the next look on
 *
 * If there are too many, another one is forgotten: one that is gone, or that
 * nobody has chosen for the longest time, but never the one that is shown.
 */
struct watch_object *watch_follow(struct watch *w, enum ipcdemo_kind kind,
				  __u32 id);

/* The object with this id among those that are looked at, or NULL. */
struct watch_object *watch_object(struct watch *w, __u32 id);

/**
 * watch_look - looks at all of them
 *
 * An object that is not there is marked, and no error.
 *
 * Return: 0, or -errno; ipcdemo_error() says why.  Nothing is printed.
 */
int watch_look(struct watch *w);

void watch_end(struct watch *w);

/* ---- watch_frame.c ----------------------------------------------------------- */

/**
 * struct watch_frame - a look that is shown
 * @style:	how to draw
 * @columns:	how wide
 * @rows:	how many lines at most
 * @history:	the object's
 * @now:	the look
 * @where:	what the title says about it: "live", "paused", when
 * @began:	when the first look was, on CLOCK_MONOTONIC
 * @points:	what was traced, or NULL: points are counted only
 * @no_points:	why
 * @lone:	points of this look alone, not of those before it
 * @slots:	show the slots one by one in any case, not only if all fit
 * @skip:	but not the first so many
 */
struct watch_frame {
	const struct style *style;
	int columns;
	int rows;
	const struct watch_history *history;
	const struct watch_sample *now;
	const char *where;
	double began;
	const struct watch_points *points;
	const char *no_points;
	bool lone;
	bool slots;
	int skip;
};

/* Return: 0, or -ENOMEM. */
int watch_draw(FILE *to, const struct watch_frame *f);

/* Text that others chose, in which nothing can steer a terminal. */
const char *watch_safe(const char *text, char *buf, size_t size);

/* ---- watch_screen.c ---------------------------------------------------------- */

/* Shows them until somebody has seen enough.  Return: DONE, or FAILED after a message. */
int watch_screen(struct watch *w);

#endif /* WATCH_H */

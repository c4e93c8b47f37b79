/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What `watch` remembers of an object, and what follows from it
 *
 * A look reads an object in full; the history holds the last of these looks.
 * Rates and changes are differences of the object's own counters between two
 * looks, so nothing is missed between them, whatever the interval.  Nothing here
 * reads the clock, /proc or a terminal: times are what the caller says, in
 * seconds on a clock that never goes back.
 */
#ifndef WATCH_HISTORY_H
#define WATCH_HISTORY_H

#include "access.h"

/* What is not known, as a rate: there was no look before, or another object. */
#define WATCH_UNKNOWN (-1.0)

/**
 * struct watch_sample - an object as one look saw it
 * @look:	the number of the look, from 1 on; all objects share it
 * @at:		when that was
 * @kind:	which of these it is
 * @pipe:	a pipe
 * @region:	a region
 */
struct watch_sample {
	unsigned int look;
	double at;
	enum ipcdemo_kind kind;
	union {
		struct ipcdemo_pipe_view pipe;
		struct ipcdemo_region_view region;
	};
};

/**
 * struct watch_history - the last looks at an object
 * @keep:	for how many seconds a look is kept
 * @most:	how many bytes all of them may have
 * @sample:	the looks, the oldest first
 * @n:		how many there are
 * @bytes:	how many bytes they have
 *
 * The newest look and the one before it are always kept.  @sample points into
 * @memory, which has @room places.
 */
struct watch_history {
	double keep;
	size_t most;
	struct watch_sample **sample;
	size_t n;
	size_t bytes;
	struct watch_sample **memory;
	size_t room;
};

/* Frees a sample and its view, or nothing. */
void watch_sample_free(struct watch_sample *sample);

/**
 * watch_history_add - remembers a look, and forgets what is too old
 *
 * The sample belongs to the history from then on; it is newer than all others.
 *
 * Return: 0; -ENOMEM, and the sample is freed.
 */
int watch_history_add(struct watch_history *h, struct watch_sample *sample);

void watch_history_free(struct watch_history *h);

/* The newest sample that is not newer than this look, or NULL. */
const struct watch_sample *watch_history_at(const struct watch_history *h,
					    unsigned int look);

/* The sample before this one, or NULL. */
const struct watch_sample *
watch_history_before(const struct watch_history *h,
		     const struct watch_sample *sample);

/*
 * The look that is @by samples behind (or, if it is negative, before) that of
 * @look; the oldest or newest if there are no more.  0: there are none.
 */
unsigned int watch_history_step(const struct watch_history *h,
				unsigned int look, long by);

/* An object's counters; *n says how many there are. */
const struct ipcdemo_counter *watch_counters(const struct watch_sample *sample,
					     size_t *n);

/*
 * How often a second it was counted at a point between two looks; WATCH_UNKNOWN
 * if there is no look before, no such counter, or a counter went back: another
 * object has the id since.
 */
double watch_rate(const struct watch_sample *before,
		  const struct watch_sample *now, const char *point);

/**
 * watch_changes - what was counted between two looks
 * @changes:	room for as many counters as @now has; their counts are differences
 *
 * Return: how many points were passed; 0 if that is not known.
 */
size_t watch_changes(const struct watch_sample *before,
		     const struct watch_sample *now,
		     struct ipcdemo_counter *changes);

/*
 * How full it is: slots of a pipe that hold bytes, pages of a region that are
 * there.  From 0 to 1; more if pages are there behind the region's end.
 */
double watch_fill(const struct watch_sample *sample);

/* A number a second, in five characters at most: "-", "0", "3.2", "1.25M". */
const char *watch_number(double rate, char *buf, size_t size);

#endif /* WATCH_HISTORY_H */

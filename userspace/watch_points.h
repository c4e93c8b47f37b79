/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The points that tasks pass, one by one, for `watch`
 *
 * They are the module's tracepoints, read by libtracefs from an instance of
 * tracefs of our own, so nobody else's tracing is touched and ours is not seen by
 * others.  The instance is removed at the end, also if we are killed: a process of
 * its own waits for that.  Should that be killed, too, the next one to watch
 * removes what it left.
 *
 * The kernel's buffer is small and keeps the newest: what does not fit between two
 * looks is lost, and said to be.  Counters lose nothing; with those alone tracing
 * costs nothing, too.
 */
#ifndef WATCH_POINTS_H
#define WATCH_POINTS_H

#include "access.h"

struct watch_points;

/**
 * struct watch_point - a task that passed a point
 * @at:		when, on the clock of CLOCK_MONOTONIC, seconds
 * @look:	the first look after that
 * @id:		the object
 * @point:	its name, as in points.h
 * @pid:	the task, in the initial pid namespace
 * @command:	its command, "" if it has ended since
 * @slot:	which slot; here and below -1 is: says nothing
 * @offset:	where
 * @len:	how many bytes
 * @head:	the index
 * @tail:	the index
 * @other:	whom a wake-up chose; 0: nobody
 * @waited:	for how long it had waited, seconds; 0: it had not
 * @lost:	others before this one were lost
 */
struct watch_point {
	double at;
	unsigned int look;
	__u32 id;
	char point[24];
	pid_t pid;
	char command[16];
	long long slot;
	long long offset;
	long long len;
	long long head;
	long long tail;
	pid_t other;
	double waited;
	bool lost;
};

/**
 * watch_points_begin - turns the tracepoints on, for nobody's object so far
 * @why:	says why not, if it cannot be done
 *
 * Return: NULL if it cannot be done.
 */
struct watch_points *watch_points_begin(char *why, size_t size);

/* From now on those of these objects.  Return: 0 or -EIO. */
int watch_points_of(struct watch_points *p, const __u32 *ids, size_t n);

/* Takes what has come since the last time, for this look.  Return: 0 or -EIO. */
int watch_points_take(struct watch_points *p, unsigned int look);

/*
 * The newest that an object has passed up to @look, before the @before-th of all;
 * SIZE_MAX is behind the last.  Its number is in *n then, for the next call.  NULL:
 * there are no more.
 */
const struct watch_point *watch_points_before(const struct watch_points *p,
					      __u32 id, unsigned int look,
					      size_t before, size_t *n);

/* Are those of this look still remembered? */
bool watch_points_known(const struct watch_points *p, unsigned int look);

void watch_points_end(struct watch_points *p);

#endif /* WATCH_POINTS_H */

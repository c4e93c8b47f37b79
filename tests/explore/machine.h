/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine that an order is run on: the default pipe, and tasks at its gates
 *
 * A task is a process.  It is made once and serves all rounds; it shares our
 * table of descriptors, so that we can open its ends and take them away.  Gates
 * on all points stop it, and it stops of itself before a call that no gate can
 * stop (poll, kill) and when its calls are over.  It moves only when it is told to;
 * then we wait until all tasks are at rest again.
 *
 * Nobody stays held whatever happens to us: the tasks die with us, and with the
 * last that shares the table the gates go.
 */
#ifndef EXPLORE_MACHINE_H
#define EXPLORE_MACHINE_H

#include <linux/ipcdemo.h>

#include "serial.h"

enum rest {
	REST_POINT, /* held at a point of a call */
	REST_BEFORE, /* before a call that no gate can stop */
	REST_ASLEEP, /* on a queue of the pipe, and not woken */
	REST_LOCK, /* waits for the lock of one that is held */
	REST_OVER, /* its calls are over */
	REST_NOT, /* it did not come to rest */
};

/**
 * struct stop - where a task is
 * @point:	where in a call, by its place in points.h; else -1
 * @done:	calls that are over
 */
struct stop {
	enum rest rest;
	int point;
	unsigned int done;
};

static inline bool may_move(struct stop stop)
{
	return stop.rest == REST_POINT || stop.rest == REST_BEFORE;
}

const char *point_name(int point);

/* Makes the tasks and sets the gates.  All of these end the program on errors. */
void machine_start(void);
void machine_end(void);

/* A pipe as the scenario wants it, each task at its first stop. */
void machine_begin(const struct scenario *scenario);

/* Let a task go on to its next stop.  Return: whether all are at rest again. */
bool machine_move(unsigned int task);

/* Where a task is. */
struct stop machine_stop(unsigned int task);

/* The result of a call that is over. */
long machine_result(unsigned int task, unsigned int op);

/* The pipe, as it is now. */
struct ipcdemo_pipe_stat machine_pipe(void);

/*
 * Ends the round: whoever sleeps gets a signal, all other calls are left out,
 * and the pipe is drained.  Return: what became wrong in that, or NULL.
 */
const char *machine_release(void);

/* Of the last round, also after its end: what a read got. */
const unsigned char *machine_got(unsigned int task, unsigned int op);

/* After the end of a round: the result of a call that the signal has ended. */
long machine_released(unsigned int task);

/* After the end of a round: what was left in the pipe.  Return: bytes. */
unsigned int machine_left(const unsigned char **bytes);

#endif /* EXPLORE_MACHINE_H */

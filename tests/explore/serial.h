/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a scenario may lead to: each outcome of some serial order of whole calls
 *
 * A model of pipe(2) of its own, without locks, queues or wake-ups: a call is
 * one step, split only where pipe(2) sleeps.  All orders of these steps are few
 * enough to try.  Whoever can go on does so in the end; so an outcome in which
 * somebody sleeps though there is something for him is not among them.
 */
#ifndef EXPLORE_SERIAL_H
#define EXPLORE_SERIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "scenarios.h"

/* Whose bytes: those of a task, by its place, or what was there at first. */
#define SERIAL_FILL    SCENARIO_TASKS
#define SERIAL_SOURCES (SCENARIO_TASKS + 1)

/* As many bytes as one source can write, or one read can get. */
#define SERIAL_BYTES   (8 * SCENARIO_PAGE)

/* No more pieces can follow each other than that in what one read got. */
#define SERIAL_PIECES  8

/* Bytes of one source: what it writes is counted through all of its calls. */
struct piece {
	unsigned int source;
	unsigned int start;
	unsigned int len;
};

struct pieces {
	unsigned int n;
	struct piece piece[SERIAL_PIECES];
};

/**
 * struct task_outcome - what came of a task
 * @done:	calls that are over
 * @blocked:	it sleeps in the next one
 * @partial:	bytes that the call in which it sleeps has written
 * @result:	of each call; negative: -errno
 * @got:	what each read got
 */
struct task_outcome {
	unsigned int done;
	bool blocked;
	long partial;
	long result[SCENARIO_OPS];
	struct pieces got[SCENARIO_OPS];
};

/**
 * struct outcome - how a scenario ended
 * @left:	the bytes that are in the pipe
 */
struct outcome {
	struct task_outcome task[SCENARIO_TASKS];
	unsigned int slots;
	unsigned int used;
	unsigned int readers;
	unsigned int writers;
	struct pieces left;
};

struct outcomes {
	size_t n;
	struct outcome *outcome;
};

/* Return: all outcomes, each once; ends the program if memory is short. */
struct outcomes serial_outcomes(const struct scenario *scenario);
void serial_free(struct outcomes *outcomes);

/* The byte that stands at a place of what a source writes. */
unsigned char serial_byte(unsigned int source, unsigned int at);

/* Where in what a task writes the bytes of a call begin. */
unsigned int serial_start(const struct scenario_task *task, unsigned int op);

#endif /* EXPLORE_SERIAL_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pipe and its tasks, which take one step at a time
 *
 * The pipe is module/pipe.c, waiter.c and ring.c.  model.c plays the kernel
 * around them: mutexes, wait queues, signals, pages.  Who uses the model says
 * which task takes the next step, and can keep a state and go back to it.
 *
 * What the model takes for one step, and what it leaves open:
 *
 *  - A task gives way at each point where a gate can hold it, where it waits
 *    for the mutex, where it sleeps, and between two calls.  With small steps
 *    also at the other points and before each READ_ONCE and WRITE_ONCE.
 *  - A mutex goes to any of those who want it, not to the first in line.
 *  - A task that was woken runs at any later time.
 *  - Memory is that of one processor: accesses happen in program order.
 */
#ifndef EXPLORE_MODEL_H
#define EXPLORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_TASKS  6
#define MODEL_OPS    8
#define MODEL_PIECES 12

enum model_call {
	MODEL_OPEN,
	MODEL_READ,
	MODEL_WRITE,
	MODEL_CLOSE,
	MODEL_POLL,
	MODEL_RESIZE,
	MODEL_SIGNAL,
	MODEL_KILL,
};

#define MODEL_END_READ	1
#define MODEL_END_WRITE 2

/**
 * struct model_op - one call of a task
 * @number:	bytes; of MODEL_RESIZE too
 * @ends:	what to open
 * @mask:	what to poll for
 * @target:	whom to signal or kill
 */
struct model_op {
	enum model_call call;
	uint32_t number;
	unsigned int ends;
	bool nonblock;
	unsigned int mask;
	int target;
};

/**
 * struct model_task - what a task has and does
 * @restart:	its handlers have SA_RESTART
 */
struct model_task {
	unsigned int ends;
	bool nonblock;
	bool restart;
	unsigned int nops;
	struct model_op ops[MODEL_OPS];
};

/**
 * struct model_setup - how it begins
 * @fill:	bytes of one write that are in the pipe
 * @drain:	bytes of one read that were taken out again
 * @slots:	0: as many as a new pipe has
 */
struct model_setup {
	unsigned int slots;
	unsigned int fill;
	unsigned int drain;
	bool keep;
	int ntasks;
	struct model_task tasks[MODEL_TASKS];
};

enum model_status {
	MODEL_IDLE, /* between two calls, or done */
	MODEL_AT, /* at a point, or before an access */
	MODEL_LOCK, /* waits for a mutex or a spinlock */
	MODEL_ASLEEP, /* on a queue */
	MODEL_GONE, /* was killed */
};

/**
 * struct model_piece - a stretch of bytes that one task wrote
 * @source:	whose, MODEL_TASKS: it was there before
 * @by:		which call of a reader took it
 * @start:	where in what the task writes, counted through all its calls
 */
struct model_piece {
	uint16_t source;
	uint16_t by;
	uint32_t start;
	uint32_t len;
};

/* Several, in order; neighbours that belong together are one. */
struct model_bytes {
	uint32_t n;
	struct model_piece piece[MODEL_PIECES];
};

/* What a point says besides its name; -1: nothing. */
struct model_values {
	int64_t len, head, tail, decided;
};

/**
 * struct model_view - a task, for whoever looks
 * @point:	by its place in points.h; -1: it has come to none yet
 * @access:	which access is next, NULL: none; with small steps
 * @begun:	calls begun
 * @done:	calls that are over, with their results
 * @written:	bytes that the call in progress has put into pages
 * @got:	what all its reads got
 */
struct model_view {
	enum model_status status;
	int point;
	struct model_values values;
	const char *access;
	unsigned int begun;
	unsigned int done;
	const long *results;
	uint32_t written;
	const struct model_bytes *got;
};

/**
 * struct model_pipe - the pipe, for whoever looks
 */
struct model_pipe {
	uint32_t slots, used;
	uint32_t head, tail;
	uint32_t readers, writers;
	uint64_t bytes;
	struct model_bytes content;
};

/* Give way at each access to what is shared; see above. */
extern bool model_small_steps;

/* A killed task stops at no point: as with gates. */
extern bool model_gates;

void model_start(const struct model_setup *setup);

/* Whether a task can take a step, and the step. */
bool model_can_step(int task);
void model_step(int task);

/*
 * Let all go on who do so by themselves when gates hold whoever they can: who
 * was woken, is the first in line for the mutex, or leaves its gate because of a
 * signal.
 */
void model_come_to_rest(void);

/* A signal from outside; 0 kills. */
void model_signal(int task, int number);

/* Ask for what a task's end is ready for, from outside. */
void model_poll(int task);

void model_look(int task, struct model_view *view);
void model_look_pipe(struct model_pipe *pipe);

/* Whether anybody who sleeps should not, with all others at rest: who, or -1. */
int model_overslept(const char **why);

/* A sentence, if something is broken; NULL: nothing is. */
const char *model_broken(void);

/*
 * States.  A state that is kept takes model_size() bytes.  Two states with the
 * same sum behave the same from there on; what counters of the views say is
 * not part of it.
 */
size_t model_size(void);
void model_keep(void *state);
void model_restore(const void *state);
void model_sum(uint64_t sum[2]);

#endif /* EXPLORE_MODEL_H */

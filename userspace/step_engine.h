/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The engine that runs schedules, one line after the other
 *
 * Each task is a process.  It waits at a socket for its next operation, does
 * it, and waits again; a gate of ours stands for it at every point.  So a task
 * moves only when it is told to: by an operation, or by being let through.
 * After each such move we wait until all tasks are at rest: held, asleep in the
 * pipe, waiting for its lock, or at their sockets.  At most one task is told to
 * move at a time, so what comes out does not depend on the scheduler.
 *
 * A *live* task is a process of somebody else that came to a gate.  It is
 * adopted: the same gate stands for it, too, so that it moves only when it is
 * told to.  What it does is seen as it comes: a call that begins is made an
 * operation.  Outside of its calls it does what it likes.
 *
 * Ownership.  The gates belong to our control descriptor, the tasks that are
 * our own die with us (PR_SET_PDEATHSIG): whatever happens to us, nobody stays
 * held.
 */
#ifndef STEP_ENGINE_H
#define STEP_ENGINE_H

#include <signal.h>
#include <stdatomic.h>

#include "step.h"

#define STEP_SIGNALS 32

/**
 * struct step_request - an operation, as the task needs it
 * @kind:	which; the members are those of struct step_op
 * @has_data:	what to write is in the share's payload
 * @target:	the process that a signal is for
 * @words:	of a command, one behind the other in the payload
 */
struct step_request {
	enum step_op_kind kind;
	__u64 number;
	bool has_data;
	enum step_end end;
	bool nonblock;
	unsigned int mask;
	int signal;
	pid_t target;
	size_t words;
};

/**
 * struct step_share - what a task and we both see
 * @ready:	1: the task has opened what it shall open; else -errno, 0: not yet
 * @request:	what it shall do
 * @end:	its descriptor of the pipe, -1: none
 * @done:	how many operations are over
 * @result:	of the last one; negative: -errno
 * @caught:	how often a signal came
 * @payload:	what it shall write
 * @got:	how many bytes the last operation read
 * @data:	these
 */
struct step_share {
	atomic_int ready;
	struct step_request request;
	int end;
	atomic_uint done;
	long long result;
	atomic_uint caught[STEP_SIGNALS];
	size_t got;
	char payload[STEP_BYTES];
	char data[STEP_BYTES];
};

/**
 * struct worker - a task while the schedule runs
 * @pid:	its process, 0: none
 * @pidfd:	readable once it has ended; -1 for a thread of a live process
 * @socket:	tells it to begin an operation, and us that one is over
 * @output:	what a command prints
 * @queue:	its operations, @queued of them, @begun of which were begun and
 *		@done are over
 * @last:	the last one that is over, NULL: none
 * @result:	its result
 * @moves:	how often it was told to move
 * @live:	a process of somebody else: no share, no socket
 * @gate:	the gate that stands for it everywhere
 * @arriving:	live: where it comes to next was not looked at yet
 * @outside:	live: runs outside of the pipe, and nobody waits for it
 * @returned:	live: what its call gives, as told by the last point
 * @free:	it was let go: it moves as soon as it can
 * @gone:	the process has ended, with @status
 * @moved:	it was told to move, and where it came to was not told yet
 * @now:	where it is
 * @told:	what was told of it last
 */
struct worker {
	const struct step_task *task;
	pid_t pid;
	int pidfd;
	int socket;
	int output;
	struct step_share *share;
	const struct step_op **queue;
	size_t queued;
	size_t begun;
	size_t done;
	const struct step_op *last;
	long long result;
	unsigned long moves;
	bool live;
	int gate;
	bool arriving;
	bool outside;
	long long returned;
	bool free;
	bool gone;
	bool moved;
	struct ipcdemo_arrival now;
	struct ipcdemo_arrival told;
};

/**
 * struct run - a schedule that runs
 * @pipe:	the id of the pipe
 * @path:	what tasks open
 * @keeper:	an O_PATH descriptor of a pipe that was made for this run, which
 *		keeps it and is no end of it; -1: none was made
 * @own_path:	its path
 * @control:	our control descriptor, -1: none
 * @guard:	an end or both, while a task opens its own; -1: none
 * @changed:	the pipe is ours: put it back at the end
 * @unused:	nobody had it open when we began, and it was empty
 * @persistence: of the pipe before
 * @capacity:	likewise
 * @base:	the pipe when the schedule began
 * @counters:	likewise, what was counted
 * @line:	the line being run; NULL: none yet
 * @deadline:	when it must be done
 * @seen:	called when a live task begins a call: makes an operation of it,
 *		see step_queue_seen(); with @ctx
 */
struct run {
	struct cli *cli;
	struct schedule *s;
	struct step_report *report;
	__u32 pipe;
	const char *path;
	int keeper;
	char own_path[40];
	int control;
	int guard;
	bool changed;
	bool unused;
	__u64 persistence;
	__u64 capacity;
	struct ipcdemo_pipe_stat base;
	struct ipcdemo_pipe_view counters;
	const struct step_line *line;
	__u64 deadline;
	int (*seen)(void *ctx, struct worker *w);
	void *ctx;
	size_t n;
	struct worker workers[STEP_TASKS];
};

/* ---- step_run.c ---------------------------------------------------------- */

/*
 * Begins: the pipe is as the schedule wants it, its early tasks are there.
 * Return: the run, to be ended with step_end(); *err says whether it can go on:
 * 0, or FAILED with report->failure set or after a message.
 */
struct run *step_begin(struct cli *cli, struct schedule *schedule,
		       struct step_report *report, int *err);

/* Does one line.  Return: 0, or FAILED as above. */
int step_do(struct run *r, const struct step_line *line);

/* Lets one task take one step. */
int step_move(struct run *r, struct worker *w);

/* Starts the next task of the schedule, which was declared early or late. */
int step_declare(struct run *r, bool early);

/* The pipe is set as the schedule says by now. */
int step_set_pipe(struct run *r);

/* The schedule begins here: indices and counters count from here on. */
int step_set_base(struct run *r);

/* Sees what all are doing now, without waiting. */
int step_look(struct run *r);

/*
 * Adopts a live process as the next task of the schedule.  @at says where it is.
 */
int step_adopt(struct run *r, const struct ipcdemo_arrival *at);

/* A call of a live task has begun, and is this operation. */
int step_queue_seen(struct worker *w, const struct step_op *op);

/* A live task is let go, for good; or it came to a gate and is ours again. */
int step_release(struct run *r, struct worker *w);
int step_recapture(struct run *r, struct worker *w);

/* Ends all tasks of our own, lets go the others, puts the pipe back. */
int step_end(struct run *r);

/* What a task is doing, as the end of a sentence that begins with its name. */
const char *step_doing(const struct worker *w, char *buf, size_t size);

/* Why it cannot be told to move; NULL: it can. */
const char *step_stuck(const struct worker *w);

const char *step_result_words(const struct step_op *op, long long result,
			      char *buf, size_t size);

/* The values of the point where a task is: " (len 5, decided no)", or "". */
const char *step_values(const struct run *r, const struct ipcdemo_arrival *a,
			char *buf, size_t size);

bool step_in_op(const struct worker *w);
bool step_left_to_do(const struct worker *w);
bool step_is_over(const struct worker *w);
bool step_in_call(const struct worker *w);
bool step_is_at(const struct worker *w, int point);
bool step_is_blocked(const struct worker *w);

/* Why the schedule cannot go on: report->failure.  Return: FAILED. */
__printf(2, 3) int step_failed(struct run *r, const char *fmt, ...);
int step_failed_ipc(struct run *r);

/* An index as it counts from the beginning of the schedule. */
int step_relative(const struct run *r, __s64 index);

int step_stat(struct run *r, struct ipcdemo_pipe_stat *stat);

/* ---- step_task.c --------------------------------------------------------- */

/* The life of a task, in its own process.  @at_once: its opening never waits. */
void step_be_task(const struct run *r, struct worker *w, int socket,
		  bool at_once) __attribute((__noreturn__));

/* Writes what a task shall do where it looks for it. */
void step_put_request(struct step_share *share, const struct step_op *op,
		      pid_t target);

/* ---- step_expect.c ------------------------------------------------------- */

bool step_is_expectation(const struct step_line *l);
int step_expect(struct run *r, const struct step_line *l);

/* What a task read last, or what its command printed; to be freed. */
char *step_got(const struct worker *w, size_t *len);

/* ---- step_json.c --------------------------------------------------------- */

void step_json_begin(const struct run *r);
void step_json_line(const struct run *r, const struct step_line *l, bool ok);
void step_json_task(const struct run *r, const struct worker *w,
		    const char *type);

#endif /* STEP_ENGINE_H */

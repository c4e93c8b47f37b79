/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A schedule: which tasks there are, what they do, and in which order
 *
 * step_parse.c makes one of a .step file, or of lines that somebody types.
 * step_run.c is the engine that runs it on a pipe (step_engine.h),
 * with step_task.c for what the tasks do and step_expect.c for expectations.
 * step_session.c records what is done at the keyboard, step_screen.c shows it,
 * cmd_step.c is the command.  The language is described in docs/stepping.md.
 *
 * Ownership.  A schedule owns all strings and arrays that it points to.
 */
#ifndef STEP_H
#define STEP_H

#include <stdio.h>

#include "cli.h"

#define STEP_TASKS	  64
#define STEP_NAME	  16

/* What one read or write may be about: as much as a pipe can hold. */
#define STEP_BYTES	  (1U << 20)

/* One splice, tee or vmsplice: as much as the pipe on its other side can hold. */
#define STEP_SPLICE_BYTES (1U << 16)

/* Points, by their place in module/points.h. */
#define STEP_NO_POINT	  (-1)

int step_points(void);
int step_point(const char *name);
const char *step_point_name(int point);
const char *step_point_sentence(int point);

/* Is it a point of a pipe where a task can be stopped? */
bool step_point_holds(int point);

/* A word for a number: of a signal (USR1), of an errno (EAGAIN). */
int step_signal(const char *name);
const char *step_signal_name(int number);
int step_errno(const char *name);
const char *step_errno_name(int number);

/* "in hup", or "nothing": the words for a mask of poll(2). */
void step_poll_words(unsigned int mask, char *buf, size_t size);

/* Which ends a task has open. */
enum step_end {
	STEP_NOTHING,
	STEP_READ,
	STEP_WRITE,
	STEP_BOTH,
};

/* Which pipe a schedule runs on; all but the first are made for it. */
enum step_pipe {
	STEP_PIPE_DEVICE,
	STEP_PIPE_ANONYMOUS,
	STEP_PIPE_NAMED,
};

/**
 * struct step_task - "task W opens write nonblock"
 * @restart:	its handlers have SA_RESTART
 * @packets:	its end has O_DIRECT
 */
struct step_task {
	char name[STEP_NAME];
	enum step_end opens;
	bool nonblock;
	bool restart;
	bool packets;
};

enum step_op_kind {
	STEP_OP_OPEN,
	STEP_OP_READ,
	STEP_OP_WRITE,
	STEP_OP_SPLICE,
	STEP_OP_TEE,
	STEP_OP_VMSPLICE,
	STEP_OP_CLOSE,
	STEP_OP_POLL,
	STEP_OP_RESIZE,
	STEP_OP_SIGNAL,
	STEP_OP_RUN,
};

/**
 * struct step_op - "W: write 4096": one call of a task
 * @text:	as it stands in the file
 * @number:	bytes
 * @data:	what to write, @number bytes; NULL: the first letter of the
 *		task's name, again and again
 * @end:	what to open
 * @nonblock:	open it with O_NONBLOCK
 * @mask:	what to poll for
 * @signal:	what to send
 * @target:	to whom: a task
 * @argv:	what to run, ends with NULL
 */
struct step_op {
	enum step_op_kind kind;
	char *text;
	__u64 number;
	char *data;
	enum step_end end;
	bool nonblock;
	unsigned int mask;
	int signal;
	int target;
	char **argv;
};

enum step_line_kind {
	STEP_OP, /* W: ... */
	STEP_TASK, /* task ..., behind the first line of another kind */
	/* orders */
	STEP_RUN_POINT,
	STEP_RUN_BLOCKED,
	STEP_RUN_DONE,
	STEP_RUN_CALLS,
	STEP_STEP,
	STEP_SIGNAL,
	STEP_KILL,
	STEP_LET_GO,
	/* expectations about a task */
	STEP_EXPECT_AT,
	STEP_EXPECT_BLOCKED,
	STEP_EXPECT_ASLEEP,
	STEP_EXPECT_LOCK,
	STEP_EXPECT_DONE,
	STEP_EXPECT_GONE,
	STEP_EXPECT_RESULT,
	STEP_EXPECT_READY, /* the result of poll */
	STEP_EXPECT_GOT,
	STEP_EXPECT_CAUGHT,
	STEP_EXPECT_DECIDED,
	STEP_EXPECT_POLL,
	/* and about the pipe */
	STEP_EXPECT_SLOTS,
	STEP_EXPECT_USED,
	STEP_EXPECT_BYTES,
	STEP_EXPECT_INDICES,
	STEP_EXPECT_READERS,
	STEP_EXPECT_WRITERS,
	STEP_EXPECT_COUNT,
};

/**
 * struct step_line - what is to be done, one line of the file
 * @line:	its number
 * @text:	the line without its comment
 * @above:	the comments above it, lines; NULL: none
 * @behind:	the comment behind it; NULL: none
 * @task:	which task, by its place in struct schedule
 * @op:		for STEP_OP
 * @point:	which point, or STEP_NO_POINT
 * @number:	calls, steps, bytes, slots, the result, the index head …
 * @tail:	the index tail
 * @has_head:	head is expected to be @number
 * @has_tail:	tail is expected to be @tail
 * @signal:	which signal
 * @mask:	of poll(2)
 * @data:	the bytes that were got, @number of them
 */
struct step_line {
	enum step_line_kind kind;
	unsigned int line;
	char *text;
	char *above;
	char *behind;
	int task;
	struct step_op op;
	int point;
	__s64 number;
	__s64 tail;
	bool has_head;
	bool has_tail;
	int signal;
	unsigned int mask;
	char *data;
};

/**
 * struct schedule - a .step file
 * @file:	its name, for messages; NULL: the lines are typed
 * @title:	the first line of its first comment; may be empty
 * @pipe:	which pipe it runs on
 * @slots:	the pipe's, 0: as it is when nobody has it open
 * @persistence: enum ipcdemo_persistence
 * @says_persistence: it is in the file
 * @early:	so many tasks are there from the beginning, the others come with
 *		a STEP_TASK
 * @lines:	each stays where it is when others are added
 */
struct schedule {
	char *file;
	char *title;
	enum step_pipe pipe;
	__u32 slots;
	enum ipcdemo_persistence persistence;
	bool says_persistence;
	size_t early;
	size_t ntasks;
	struct step_task tasks[STEP_TASKS];
	size_t nlines;
	struct step_line **lines;
};

/*
 * Reads a schedule.  Return: 0; FAILED if it cannot be read, USAGE if it is no
 * schedule, each after a message that names file, line and column.
 */
int step_parse(const char *file, struct schedule *schedule);
void step_free(struct schedule *schedule);

/*
 * The same, line by line: a parser adds what a line says to a schedule that was
 * all zero when it began.  A line with a mistake changes nothing: USAGE after a
 * message.
 */
struct step_parser *step_parser_new(struct schedule *schedule);
void step_parser_free(struct step_parser *parser);
int step_parse_line(struct step_parser *parser, const char *line);

/* May a task be called so? */
bool step_is_name(const char *text);

/**
 * struct step_report - how a schedule is run, and what came out
 * @to:		where it is told, line by line, what happens
 * @verbose:	each arrival at a point, too
 * @json:	in JSON Lines, each arrival as well
 * @explain:	the schedule's comments, too
 * @stay:	when something did not come true, say so and leave everything as
 *		it is until a signal comes
 * @in_use:	others may have the pipe open, and bytes in it: they stay
 * @pipe:	the id of the pipe, 0: that which the schedule names
 * @path:	what tasks open; NULL: likewise
 * @timeout_ms:	how long an order may take
 * @expectations: how many held
 * @failure:	what did not come true: a sentence with file and line; empty:
 *		all did.  To be freed.
 */
struct step_report {
	FILE *to;
	bool verbose;
	bool json;
	bool explain;
	bool stay;
	bool in_use;
	__u32 pipe;
	const char *path;
	int timeout_ms;
	unsigned int expectations;
	char *failure;
};

/*
 * Runs a schedule and cleans up behind it.  Return: DONE; FAILED with
 * report->failure set, or, if that is NULL, after a message.
 */
int step_run(struct cli *cli, struct schedule *schedule,
	     struct step_report *report);

/* The last line of a schedule that was run with report->json. */
void step_json_end(const struct step_report *report, bool ok);

#endif /* STEP_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why is somebody stuck?  The graph of who waits for whom
 *
 * why_collect() joins the module's state with /proc/PID of all processes that may
 * be seen; why_judge() then looks at nothing else but the graph, so it gives the
 * same answer for the same graph, and is tested on directories that tests make.
 *
 * Tasks are processes.  A process with several threads can move while one of them
 * can; so can one that polls several descriptors while one of those can come.  A
 * wait ends when any of those it is for can move, and a process can move
 * when it runs, or waits for something outside (a terminal, a time, a socket: the
 * graph does not know when that comes, only that it may).  Who can move is the
 * smallest set that these two rules make; all others are deadlocked: only a signal
 * frees them.
 */
#ifndef WHY_H
#define WHY_H

#include <stdbool.h>
#include <sys/types.h>

#include "access.h"

/**
 * enum why_kind - what a task waits for
 * @WHY_RUNS:	nothing
 * @WHY_READ:	bytes in a pipe, or its end of file
 * @WHY_WRITE:	room in a pipe
 * @WHY_OPEN:	the other side of a FIFO
 * @WHY_WORD:	a word of a region
 * @WHY_CHILD:	the end of a child
 * @WHY_HELD:	to be let through a gate
 * @WHY_STOPPED: SIGCONT
 * @WHY_OUTSIDE: something else, which the text says
 * @WHY_HIDDEN:	it may not be looked into
 */
enum why_kind {
	WHY_RUNS,
	WHY_READ,
	WHY_WRITE,
	WHY_OPEN,
	WHY_WORD,
	WHY_CHILD,
	WHY_HELD,
	WHY_STOPPED,
	WHY_OUTSIDE,
	WHY_HIDDEN,
};

/**
 * struct why_wait - one thing that a task waits for
 * @kind:	what kind
 * @id:		of the pipe or region
 * @tid:	the thread
 * @seconds:	for how long, -1: not known
 * @poll:	in poll, select or epoll, without a time limit
 * @edge:	in an epoll that tells only of what comes (EPOLLET)
 * @child:	which child, 0: any
 * @holder:	of a word that is a lock's: the process that has it, 0: not known
 * @offset:	of the word
 * @text:	what it waits for, after "is" or "waits": a clause
 */
struct why_wait {
	enum why_kind kind;
	__u32 id;
	pid_t tid;
	double seconds;
	bool poll;
	bool edge;
	pid_t child;
	pid_t holder;
	__u64 offset;
	char text[160];
};

#define WHY_WAITS  16

/* No way to one that can move. */
#define WHY_FAR	   100000

/* Of a task in the chain of none: see struct why_task. */
#define WHY_NOBODY -1

/**
 * struct why_task - a process
 * @command:	as /proc/PID/comm
 * @state:	as in /proc/PID/stat
 * @session:	its session
 * @threads:	how many it has
 * @sleeps:	how often it had gone to sleep when collecting began
 * @no_sigpipe:	it ignores SIGPIPE, or blocks it
 * @known:	whether its waits were looked at
 * @jobs:	N of the -jN of a make jobserver that it was told of, 0: of none
 * @n:		how many waits
 * @wait:	what it waits for
 * @way:	from here to one that can move: 0, it can itself; WHY_FAR: none
 * @dead:	there is none, whatever ends those have who may not be looked into
 * @next:	the next task on that way, or on the way around a cycle; or WHY_NOBODY
 * @by:		the wait that leads there
 */
struct why_task {
	pid_t pid;
	pid_t parent;
	pid_t session;
	char command[32];
	char state;
	int threads;
	unsigned long sleeps;
	bool no_sigpipe;
	bool known;
	unsigned int jobs;
	unsigned int n;
	struct why_wait wait[WHY_WAITS];
	int way;
	bool dead;
	int next;
	int by;
};

/**
 * struct why_stdio - bytes that a program has printed and not written
 * @pid:	whose
 * @fd:		on which descriptor
 * @bytes:	how many
 */
struct why_stdio {
	pid_t pid;
	int fd;
	size_t bytes;
};

/* A pipe and, in jobs, how many -jN its jobserver has, if it is one. */
struct why_pipe {
	struct ipcdemo_pipe_view view;
	unsigned int jobs;
};

/**
 * struct why_mistake - a mistake that is known to be made, or may be
 * @name:	a stable word: docs/mistakes.md
 * @sure:	no other explanation is left
 * @id:		of the pipe
 * @pid:	who made it; 0: nobody alone
 * @evidence:	a sentence without its end
 */
struct why_mistake {
	const char *name;
	bool sure;
	__u32 id;
	pid_t pid;
	char evidence[320];
};

struct why_graph {
	double begun; /* when collecting began, CLOCK_MONOTONIC, seconds */
	size_t ntasks;
	struct why_task *task; /* by pid */
	size_t npipes;
	struct why_pipe *pipe; /* by id */
	struct ipcdemo_ends ends; /* by pipe, then pid */
	size_t nstdio;
	struct why_stdio *stdio;
	size_t unseen; /* tasks that wait outside of this pid namespace */

	size_t nmistakes;
	struct why_mistake *mistake;
};

/* ---- why_collect.c ------------------------------------------------------- */

/* Return: 0, or -errno with the sentence in ipcdemo_error(). */
int why_collect(struct ipcdemo *ipc, struct why_graph *graph);
void why_free(struct why_graph *graph);

/* ---- why_judge.c --------------------------------------------------------- */

/* Fills way, next, by and the mistakes.  Return: 0 or -ENOMEM. */
int why_judge(struct why_graph *graph);

/* The index of a task, or WHY_NOBODY; the pipe, or NULL. */
int why_task(const struct why_graph *graph, pid_t pid);
const struct why_pipe *why_pipe(const struct why_graph *graph, __u32 id);

/* Does this end read, or with writes, write? */
bool why_end_is(const struct ipcdemo_end *end, bool writes);

/* Has the process an end of that kind?  With fd, which is its lowest. */
bool why_has_end(const struct why_graph *graph, __u32 id, pid_t pid,
		 bool writes, int *fd);

/* Does the task wait for the module, or for one who does? */
bool why_is_stuck(const struct why_task *task);

#endif /* WHY_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The scenarios: small pipes, a few tasks, a few calls each
 *
 * Two programs try the orders in which the tasks can take their steps: explore.c
 * on the module, twin.c over a model of the kernel.  This is the one list that
 * both read; it needs nothing but C.
 *
 * A scenario begins with a pipe of so many slots, into which one write has put
 * .fill bytes and from which one read has taken .drain of them.  Then each task
 * has its ends open, and nobody else has any; whoever is blocked when nobody can
 * go on stays blocked.
 */
#ifndef EXPLORE_SCENARIOS_H
#define EXPLORE_SCENARIOS_H

#define SCENARIO_PAGE  4096U
#define SCENARIO_TASKS 3
#define SCENARIO_OPS   3

enum scenario_call {
	CALL_NONE, /* behind the last one */
	CALL_READ, /* number: bytes, at most */
	CALL_WRITE, /* number: bytes */
	CALL_CLOSE, /* the task's descriptor; both ends if it has both */
	CALL_POLL, /* for what its ends can be ready for, without waiting */
	CALL_RESIZE, /* number: slots */
	CALL_SIGNAL, /* number: to which task, by its place; a handler returns */
};

/* A call and its number in one word, so that a row of the table stays short. */
#define SCENARIO_OP(CALL, NUMBER) ((CALL) << 24 | (NUMBER))

static inline enum scenario_call scenario_call(unsigned int op)
{
	return (enum scenario_call)(op >> 24);
}

static inline unsigned int scenario_number(unsigned int op)
{
	return op & 0xffffff;
}

enum scenario_ends {
	ENDS_READ = 1,
	ENDS_WRITE = 2,
	ENDS_NONBLOCK = 4, /* on top of the others: O_NONBLOCK */
};

struct scenario_task {
	char name[2]; /* empty: no such task */
	unsigned int ends;
	unsigned int ops[SCENARIO_OPS];
};

struct scenario {
	const char *name;
	const char *about;
	unsigned int slots;
	unsigned int fill;
	unsigned int drain;
	struct scenario_task tasks[SCENARIO_TASKS];
};

#define PAGE	  SCENARIO_PAGE
#define IN	  ENDS_READ
#define OUT	  ENDS_WRITE
#define BOTH	  (ENDS_READ | ENDS_WRITE)
#define NB_IN	  (ENDS_READ | ENDS_NONBLOCK)
#define NB_OUT	  (ENDS_WRITE | ENDS_NONBLOCK)
#define READ(N)	  SCENARIO_OP(CALL_READ, N)
#define WRITE(N)  SCENARIO_OP(CALL_WRITE, N)
#define CLOSE	  SCENARIO_OP(CALL_CLOSE, 0)
#define POLL	  SCENARIO_OP(CALL_POLL, 0)
#define RESIZE(N) SCENARIO_OP(CALL_RESIZE, N)
#define SIGNAL(N) SCENARIO_OP(CALL_SIGNAL, N)

static const struct scenario scenarios[] = {
	/* two tasks: empty, full, sleep and wake */
	{.name = "empty-or-publish",
	 .about = "is it empty, while a write publishes",
	 .slots = 1,
	 .tasks = {{"R", IN, {READ(10)}}, {"W", OUT, {WRITE(5)}}}},
	{.name = "full-or-release",
	 .about = "is it full, while a read releases",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"R", IN, {READ(PAGE)}}, {"W", OUT, {WRITE(PAGE)}}}},
	{.name = "reader-sleeps",
	 .about = "the reader falls asleep twice, a write each",
	 .slots = 2,
	 .tasks = {{"R", IN, {READ(1), READ(1)}},
		   {"W", OUT, {WRITE(1), WRITE(1)}}}},
	{.name = "writer-sleeps",
	 .about = "the writer falls asleep twice, a read each",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"R", IN, {READ(PAGE), READ(PAGE)}},
		   {"W", OUT, {WRITE(PAGE), WRITE(1)}}}},
	{.name = "both-sleep",
	 .about = "each side waits for the other in turn",
	 .slots = 1,
	 .tasks = {{"R", IN, {READ(PAGE), READ(PAGE)}},
		   {"W", OUT, {WRITE(PAGE), WRITE(PAGE)}}}},
	{.name = "two-slots-full",
	 .about = "a write of one page into two full slots",
	 .slots = 2,
	 .fill = 2 * PAGE,
	 .tasks = {{"R", IN, {READ(PAGE), READ(PAGE)}},
		   {"W", OUT, {WRITE(PAGE)}}}},
	{.name = "read-of-a-byte",
	 .about = "a full slot of which only a byte is read stays full",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"R", IN, {READ(1), READ(PAGE)}}, {"W", OUT, {WRITE(1)}}}},

	/* the last close */
	{.name = "close-or-reader",
	 .about = "the last writer goes while a reader waits",
	 .slots = 1,
	 .tasks = {{"R", IN, {READ(10)}}, {"W", OUT, {CLOSE}}}},
	{.name = "close-behind-bytes",
	 .about = "bytes come first, the end of file after them",
	 .slots = 1,
	 .tasks = {{"R", IN, {READ(10), READ(10)}},
		   {"W", OUT, {WRITE(5), CLOSE}}}},
	{.name = "close-or-writer",
	 .about = "the last reader goes while a writer waits",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"R", IN, {CLOSE}}, {"W", OUT, {WRITE(PAGE)}}}},
	{.name = "close-in-partial-write",
	 .about = "the reader takes a part of a long write, and goes",
	 .slots = 1,
	 .tasks = {{"R", IN, {READ(PAGE), CLOSE}},
		   {"W", OUT, {WRITE(2 * PAGE)}}}},

	/* merging */
	{.name = "merge-or-drain",
	 .about = "a write behind bytes that are being read",
	 .slots = 1,
	 .fill = 10,
	 .tasks = {{"R", IN, {READ(10), READ(10)}}, {"W", OUT, {WRITE(5)}}}},
	{.name = "merge-behind-half-read",
	 .about = "likewise, and a part was read before",
	 .slots = 2,
	 .fill = 100,
	 .drain = 50,
	 .tasks = {{"R", IN, {READ(20), READ(100)}},
		   {"W", OUT, {WRITE(30), WRITE(PAGE - 100)}}}},
	{.name = "merge-and-a-slot",
	 .about = "a write whose end merges and whose rest waits",
	 .slots = 1,
	 .fill = PAGE - 1,
	 .tasks = {{"R", IN, {READ(PAGE), READ(PAGE)}},
		   {"W", OUT, {WRITE(PAGE + 1)}}}},

	/* writes beyond the capacity */
	{.name = "partial-write",
	 .about = "a write of three slots into a pipe of one",
	 .slots = 1,
	 .tasks = {{"R", IN, {READ(PAGE), READ(PAGE), READ(PAGE)}},
		   {"W", OUT, {WRITE(2 * PAGE + 1)}}}},
	{.name = "partial-write-two-slots",
	 .about = "a write of three slots, reads of two",
	 .slots = 2,
	 .tasks = {{"R", IN, {READ(2 * PAGE), READ(2 * PAGE)}},
		   {"W", OUT, {WRITE(3 * PAGE)}}}},

	/* resizing */
	{.name = "grow-or-writer",
	 .about = "a pipe grows under a blocked writer",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"T", IN, {RESIZE(2)}}, {"W", OUT, {WRITE(PAGE)}}}},
	{.name = "shrink-or-publish",
	 .about = "a pipe shrinks while a write fills it",
	 .slots = 2,
	 .tasks = {{"T", IN, {RESIZE(1), READ(2 * PAGE), READ(PAGE)}},
		   {"W", OUT, {WRITE(2 * PAGE)}}}},
	{.name = "shrink-and-grow",
	 .about = "fewer slots, then more again",
	 .slots = 2,
	 .fill = PAGE,
	 .tasks = {{"T", IN, {RESIZE(1), RESIZE(2)}},
		   {"W", OUT, {WRITE(PAGE)}}}},

	/* nonblocking twins */
	{.name = "nonblock-reader",
	 .about = "empty is EAGAIN, until it is the end of file",
	 .slots = 1,
	 .tasks = {{"R", NB_IN, {READ(10), READ(10), READ(10)}},
		   {"W", OUT, {WRITE(5), CLOSE}}}},
	{.name = "nonblock-writer",
	 .about = "full is EAGAIN, until a slot is released",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"R", IN, {READ(PAGE)}},
		   {"W", NB_OUT, {WRITE(PAGE), WRITE(PAGE)}}}},
	{.name = "nonblock-partial",
	 .about = "what fits is written, and no more",
	 .slots = 1,
	 .tasks = {{"R", IN, {READ(PAGE)}}, {"W", NB_OUT, {WRITE(2 * PAGE)}}}},
	{.name = "nonblock-close",
	 .about = "EAGAIN, then EPIPE",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"R", IN, {CLOSE}},
		   {"W", NB_OUT, {WRITE(1), WRITE(1), WRITE(1)}}}},

	/* poll */
	{.name = "poll-or-write",
	 .about = "poll and read beside a write and the last close",
	 .slots = 2,
	 .tasks = {{"R", IN, {POLL, READ(10), POLL}},
		   {"W", OUT, {WRITE(5), CLOSE}}}},
	{.name = "poll-or-read",
	 .about = "poll and write beside a read and the last close",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"R", IN, {READ(PAGE), CLOSE}},
		   {"W", OUT, {POLL, WRITE(1), POLL}}}},

	/* signals */
	{.name = "signal-or-bytes",
	 .about = "a signal and bytes for a reader",
	 .slots = 1,
	 .tasks = {{"R", IN, {READ(10), READ(10)}},
		   {"W", OUT, {SIGNAL(0), WRITE(5)}}}},
	{.name = "signal-or-slot",
	 .about = "a signal for a writer that has written a part",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"R", IN, {READ(PAGE), SIGNAL(1), READ(PAGE)}},
		   {"W", OUT, {WRITE(2 * PAGE)}}}},

	/* three tasks */
	{.name = "two-readers-two-writes",
	 .about = "a wake-up is for one reader",
	 .slots = 2,
	 .tasks = {{"A", IN, {READ(5)}},
		   {"B", IN, {READ(5)}},
		   {"W", OUT, {WRITE(5), WRITE(5)}}}},
	{.name = "two-readers-one-write",
	 .about = "a reader that leaves bytes wakes the next",
	 .slots = 1,
	 .tasks = {{"A", IN, {READ(1)}},
		   {"B", IN, {READ(1)}},
		   {"W", OUT, {WRITE(2)}}}},
	{.name = "two-readers-close",
	 .about = "the last writer's close wakes all readers",
	 .slots = 1,
	 .tasks = {{"A", IN, {READ(10)}},
		   {"B", IN, {READ(10)}},
		   {"W", OUT, {CLOSE}}}},
	{.name = "two-writers-two-reads",
	 .about = "a wake-up is for one writer",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"R", IN, {READ(PAGE), READ(PAGE)}},
		   {"A", OUT, {WRITE(PAGE)}},
		   {"B", OUT, {WRITE(PAGE)}}}},
	{.name = "two-writers-one-read",
	 .about = "a writer that leaves a slot wakes the next",
	 .slots = 2,
	 .fill = 2 * PAGE,
	 .tasks = {{"R", IN, {READ(2 * PAGE)}},
		   {"A", OUT, {WRITE(PAGE)}},
		   {"B", OUT, {WRITE(PAGE)}}}},
	{.name = "two-writers-close",
	 .about = "the last reader's close wakes all writers",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"R", IN, {CLOSE}},
		   {"A", OUT, {WRITE(PAGE)}},
		   {"B", OUT, {WRITE(PAGE)}}}},
	{.name = "two-writers-grow",
	 .about = "a resize wakes one writer, who wakes the next",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"T", IN, {RESIZE(4)}},
		   {"A", OUT, {WRITE(PAGE)}},
		   {"B", OUT, {WRITE(PAGE)}}}},
	{.name = "grow-or-read",
	 .about = "slots become free in two ways at once",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"R", IN, {READ(PAGE)}},
		   {"W", OUT, {WRITE(2 * PAGE)}},
		   {"T", BOTH, {RESIZE(2)}}}},
	{.name = "two-writers-merge",
	 .about = "small writes stay whole, in some order",
	 .slots = 2,
	 .tasks = {{"R", IN, {READ(15), READ(15)}},
		   {"A", OUT, {WRITE(10)}},
		   {"B", OUT, {WRITE(20)}}}},
	{.name = "two-writers-partial",
	 .about = "a long write is split only where it sleeps",
	 .slots = 1,
	 .tasks = {{"R", IN, {READ(PAGE), READ(PAGE)}},
		   {"A", OUT, {WRITE(PAGE + 1)}},
		   {"B", OUT, {WRITE(1)}}}},
	{.name = "two-writers-go",
	 .about = "end of file only once the second writer is gone",
	 .slots = 1,
	 .tasks = {{"R", IN, {READ(10), READ(10)}},
		   {"A", OUT, {WRITE(5), CLOSE}},
		   {"B", OUT, {CLOSE}}}},
	{.name = "two-readers-go",
	 .about = "EPIPE only once the second reader is gone",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"A", IN, {CLOSE}},
		   {"B", IN, {CLOSE}},
		   {"W", OUT, {WRITE(1)}}}},
	{.name = "drained-while-it-looks",
	 .about = "a full ring is drained and used while a writer looks",
	 .slots = 2,
	 .tasks = {{"R", IN, {READ(2 * PAGE), READ(PAGE)}},
		   {"V", OUT, {WRITE(PAGE)}},
		   {"W", OUT, {WRITE(3 * PAGE)}}}},
	{.name = "signal-chosen-reader",
	 .about = "the reader that was woken for the bytes gets a signal",
	 .slots = 1,
	 .tasks = {{"A", IN, {READ(5)}},
		   {"B", IN, {READ(5)}},
		   {"W", OUT, {WRITE(5), SIGNAL(0)}}}},
	{.name = "signal-chosen-writer",
	 .about = "the writer that was woken for the slot gets a signal",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"R", IN, {READ(PAGE), SIGNAL(1)}},
		   {"A", OUT, {WRITE(PAGE)}},
		   {"B", OUT, {WRITE(PAGE)}}}},
	{.name = "nonblock-takes-it",
	 .about = "who does not wait takes what another was woken for",
	 .slots = 1,
	 .tasks = {{"A", IN, {READ(5)}},
		   {"B", NB_IN, {READ(5)}},
		   {"W", OUT, {WRITE(5)}}}},
	{.name = "nonblock-fills-it",
	 .about = "who does not wait fills what another was woken for",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"R", IN, {READ(PAGE)}},
		   {"A", OUT, {WRITE(PAGE)}},
		   {"B", NB_OUT, {WRITE(PAGE)}}}},
};

#undef PAGE
#undef IN
#undef OUT
#undef BOTH
#undef NB_IN
#undef NB_OUT
#undef READ
#undef WRITE
#undef CLOSE
#undef POLL
#undef RESIZE
#undef SIGNAL

#endif /* EXPLORE_SCENARIOS_H */

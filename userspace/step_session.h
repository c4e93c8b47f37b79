/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session at the keyboard: what is done, and the record of it
 *
 * Whatever moves a task is written down in the language of schedules, with an
 * expectation for each task that it moved.  So there is one way to undo (begin
 * again, and do all but the last action) and one to save (write the record).
 * An *action* is what one key or one typed line did.
 */
#ifndef STEP_SESSION_H
#define STEP_SESSION_H

#include "step_engine.h"

#define OTHERS 16

/**
 * struct session_entry - a line of the record
 * @text:	the line
 * @outcome:	where it led, in words; may be empty
 * @action:	which action it belongs to, counted from 1
 * @expected:	an expectation of ours, not one that was typed
 * @next:	the next line of the plan, before the action
 */
struct session_entry {
	char *text;
	char *outcome;
	unsigned int action;
	bool expected;
	size_t next;
};

/**
 * struct session_gate - a gate for everybody
 * @point:	a point, or a pattern of points
 * @id:		its number
 */
struct session_gate {
	char point[32];
	int id;
};

/**
 * struct session - what somebody does
 * @report:	for the engine
 * @run:	the engine; NULL when it could not begin again
 * @live:	a live task has taken part: nothing can be undone
 * @others:	who had the pipe open when the first live task came, @nothers of
 *		them
 * @gap:	something cannot be said in the language
 * @gates:	those that were set by hand: tasks of ours stop there, too, when
 *		they are run
 * @plan:	the lines of a file that was given, @next of which is next
 * @message:	what there is to say about the last action
 * @saved:	nothing was done since the record was saved
 * @err:	what is printed to standard error meanwhile, up to @err_at read
 * @stderr_was:	standard error itself
 */
struct session {
	struct cli *cli;
	struct schedule schedule;
	struct step_parser *parser;
	struct step_report report;
	struct run *run;
	bool live;
	size_t nothers;
	struct ipcdemo_end others[OTHERS];
	bool gap;
	size_t nentries;
	struct session_entry *entries;
	unsigned int actions;
	size_t ngates;
	struct session_gate *gates;
	char *file;
	size_t nplan;
	size_t next;
	char **plan;
	char message[400];
	bool saved;
	int err;
	off_t err_at;
	int stderr_was;
};

/*
 * Begins with nothing but the pipe as it is.  From then on until session_end()
 * messages go to session->message.  Return: 0, or FAILED after a message.
 */
int session_begin(struct session *s, struct cli *cli, __u32 pipe,
		  const char *path, int timeout_ms);
int session_end(struct session *s);

/*
 * Takes the lines of a schedule: does those up to a line, or, with 0, up to the
 * first order; the others are the plan.  Return: 0, or FAILED with a message.
 */
int session_load(struct session *s, const char *file, unsigned int until);

/* Each returns 0, or FAILED with a message. */
int session_type(struct session *s, const char *line);
int session_next(struct session *s);
int session_step(struct session *s, struct worker *w);
int session_run(struct session *s, struct worker *w, bool (*stop)(void));
int session_run_all(struct session *s, bool (*stop)(void));
int session_let_go(struct session *s, struct worker *w);
int session_gate(struct session *s, const char *pattern);
int session_ungate(struct session *s, const char *pattern);
int session_undo(struct session *s);
int session_save(struct session *s, const char *path);

/* Sees what happened by itself: who came to a gate, who has ended. */
int session_attend(struct session *s);

/* What an operation of a task is: the one it is in, or its next; "" if none. */
const char *session_op(const struct worker *w);

#endif /* STEP_SESSION_H */

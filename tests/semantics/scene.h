/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One case, played: a state, a call, and all that can be seen afterwards
 *
 * Calls with O_NONBLOCK are made here.  Blocking ones are made by a player, and
 * so are those in which the processes of a state (A, B and C) wait.
 */
#ifndef SEMANTICS_SCENE_H
#define SEMANTICS_SCENE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "document.h"

#define FIELD_SIZE 48

/* What was seen, in the words of the document. */
struct record {
	char fields[NR_FIELDS][FIELD_SIZE];
	/* What a call that waited gave when a signal came; "" if none waited. */
	char interrupted[FIELD_SIZE];
	/* What it should: a count if some bytes had moved. */
	char moved[FIELD_SIZE];
	bool in_order; /* all bytes were the ones they should be */
	uint64_t hash; /* of all bytes that came out */
};

/* Before the first; players are started. */
void scenes_begin(void);

/*
 * Play it on that target.  @call NULL: only look at the state.  Return: false
 * if the state has not got the end that the call is made on.
 */
bool scene_play(unsigned int target_bit, const struct state *state,
		const struct call *call, bool blocking, struct record *record);

/*
 * Called right before the call of a case, and when it has its result or sleeps:
 * what the caller does in between is of the call.  May be NULL.
 */
extern void (*scene_watch)(bool begins, pid_t caller);

#endif /* SEMANTICS_SCENE_H */

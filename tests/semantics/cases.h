/* SPDX-License-Identifier: GPL-2.0 */
/* The cases of the document, played and compared. */
#ifndef SEMANTICS_CASES_H
#define SEMANTICS_CASES_H

#include <stdbool.h>
#include <stddef.h>

#include "document.h"

/* How many cases the document has: rows, times the ways in which they count. */
size_t cases_count(const struct document *document);

/*
 * Play those for a target: is all as the document says, and on one of ours as on
 * the kernel's?  Only the row at @line, if that is not 0.  Return: how many were
 * played; *bad: how many are not.
 */
size_t cases_play(const struct document *document, unsigned int target,
		  unsigned int line, size_t *bad);

/*
 * Play them in the document's order, and compare nothing: who wants to know how
 * it went watches the scene.  After each that can be played, @see is told.
 */
void cases_walk(const struct document *document, unsigned int target,
		void (*see)(void *about, const struct row *row,
			    const struct state *state, bool blocking),
		void *about);

/* The line of the first row with that call. */
unsigned int cases_line(const struct document *document, const char *call);

/* Does each listed difference occur?  Return and *bad as above. */
size_t cases_differences(const struct document *document, unsigned int target,
			 size_t *bad);

/* Each call in each state, compared with the kernel's. */
size_t cases_cross(const struct document *document, unsigned int target,
		   bool blocking, size_t *bad);

/* Say nothing of what is wrong: it is meant to be. */
extern bool cases_quiet;

/* Say what was seen in each case, too. */
extern bool cases_shown;

#endif /* SEMANTICS_CASES_H */

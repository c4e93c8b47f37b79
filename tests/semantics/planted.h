/* SPDX-License-Identifier: GPL-2.0 */
/* Faults planted in a copy of the document: the checker must notice each. */
#ifndef SEMANTICS_PLANTED_H
#define SEMANTICS_PLANTED_H

#include <stddef.h>

/*
 * Each returns how many faults there were, and *missed how many of them nobody
 * noticed; these were told.  @path is the document.
 */

/* Words that mean nothing: an error with their line and column. */
size_t planted_words(const char *path, size_t *missed);

/* Cells that are not true; for the target PIPE. */
size_t planted_cells(const char *path, size_t *missed);

/* Differences that are not listed, or do not occur; for the target DEV. */
size_t planted_differences(const char *path, size_t *missed);

#endif /* SEMANTICS_PLANTED_H */

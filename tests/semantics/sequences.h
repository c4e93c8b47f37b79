/* SPDX-License-Identifier: GPL-2.0 */
/* The points that each case of the document passes, as a page: docs/sequences.md. */
#ifndef SEMANTICS_SEQUENCES_H
#define SEMANTICS_SEQUENCES_H

#include "document.h"

/* Whether the kernel that runs can tell: its tracing is there, and ours in it. */
bool sequences_can_be_seen(void);

/*
 * Play all cases of the document on an anonymous pipe of ours, and write down
 * which points the caller passes.  Return: the page; to be freed.
 */
char *sequences_page(const struct document *document);

#endif /* SEMANTICS_SEQUENCES_H */

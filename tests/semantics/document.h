/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tables of docs/semantics.md
 *
 * A table is known by the words of its header.  Those below the headings
 * "States", "Cases" and "Where our pipes differ" are read; what stands elsewhere
 * is for people alone.  Every word of a cell that is read is in the vocabulary
 * (vocabulary.h), or it is an error that names its line and column.
 */
#ifndef SEMANTICS_DOCUMENT_H
#define SEMANTICS_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "vocabulary.h"

#define MAX_STEPS 12

/* The text of a cell, without the blanks around it; "" if it is empty. */
struct cell {
	const char *text;
	unsigned int line, column; /* both count from 1 */
};

/* What a state is made by, one step after the other. */
struct state {
	struct cell name;
	struct call steps[MAX_STEPS];
	size_t nr_steps;
	unsigned int targets;
	bool sleepers; /* somebody waits in it */
};

/* What can be seen after a call, as the document says it. */
enum field { RESULT, BYTES, READ_END, WRITE_END, CAPACITY, SIGNALS, OTHERS };

#define NR_FIELDS 7

extern const char *const field_names[NR_FIELDS];

/* One row, once for blocking calls and once for those with O_NONBLOCK. */
struct row {
	unsigned int line;
	const char *heading;
	const struct state *state; /* NULL: any */
	struct call call;
	struct cell call_cell;
	/* An empty result: no such case. */
	struct cell result[2]; /* with O_NONBLOCK, blocking */
	/* Empty: as before the call, or none. */
	struct cell fields[NR_FIELDS];
	unsigned int targets;
	bool this_kernel; /* it is about the kernel that runs */
};

/* What one of ours does in another way than the kernel's. */
struct departure {
	unsigned int line;
	const struct state *state; /* NULL: any */
	struct call call;
	struct cell call_cell;
	unsigned int targets;
	bool this_kernel;
	/* Without a cell for a field, both do the same there. */
	struct cell kernels[NR_FIELDS], ours[NR_FIELDS];
};

struct document {
	unsigned int number; /* of all that were read, from 1 */
	const char *name;
	char *text; /* all cells point into it */
	struct state *states;
	size_t nr_states;
	struct row *rows;
	size_t nr_rows;
	struct departure *differences;
	size_t nr_differences;
};

/*
 * Read what @text says; it is changed, and belongs to the document then.
 * Return: NULL if it is wrong; @error says where and why.
 */
struct document *document_parse(const char *name, char *text, char *error,
				size_t size);

/* The text of a file; NULL and @error if it cannot be read. */
char *document_load(const char *path, char *error, size_t size);

void document_free(struct document *document);

#endif /* SEMANTICS_DOCUMENT_H */

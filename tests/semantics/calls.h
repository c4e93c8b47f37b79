/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls themselves, made in this process
 *
 * Bytes that are written are from one stream, which is the same everywhere and
 * in which no two places look alike; so what is read says where it was in the
 * stream.
 */
#ifndef SEMANTICS_CALLS_H
#define SEMANTICS_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vocabulary.h"

/* No call moves more. */
#define MOST_BYTES (1 << 20)

/* A call is not told to write from behind this. */
#define STREAM	   (1 << 20)

struct made {
	long ret; /* -1 and err */
	int err;
	uint64_t hash; /* of the bytes that came, 0 if none did */
	bool in_order; /* they are what the stream has at the position */
};

/* Before the first call; players inherit it. */
void calls_init(void);

/*
 * Make a call on a descriptor (@other: the other end, for those that need it).
 * @flags are those of an open, @wait says whether poll waits.
 */
struct made call_make(const struct call *call, int fd, int flags, bool wait,
		      uint64_t position);

/* What it gave, in the document's words. */
void made_words(const struct call *call, const struct made *made, char *text,
		size_t size);

/* Takes all there is out of a descriptor; how much, and whether it is that. */
size_t take_all(int fd, uint64_t position, uint64_t *hash, bool *in_order);

/* Bring bytes to the pipe from that position of the stream: write(2). */
ssize_t bring(int fd, size_t len, uint64_t position);

#endif /* SEMANTICS_CALLS_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a ring lies in a region, and what the files of it share
 *
 * A ring is *cells* of 64 bytes.  A record takes one cell or more, in a row: one
 * that does not fit before the end is preceded by a *gap* up to there.  Positions
 * count cells and never wrap; the cell of one is its remainder by their number.
 *
 * Each cell has a *state*, which rules over what lies in it:
 *
 *	FREE, position		nobody's, until a record begins or lies there that
 *				has exactly this position
 *	CLAIMED, sender, bytes	a record begins here; its sender fills it
 *	READY, bytes		a record begins here; it is the receiver's
 *	GAP, bytes		the same, with nothing in it
 *
 * Only the first cell of a record is ever anything but FREE.  A sender takes
 * FREE to CLAIMED and that to READY or GAP; the receiver takes all cells of a
 * record to FREE, for the position that is one round further.
 *
 * Who may change what:
 *
 *   tail	senders: where the next record begins.  Never behind the head, or
 *		more than all cells before it (alone: one record behind, for a moment)
 *   head	the receiver: the oldest record.  It is moved (released) after the
 *		states behind it are FREE, so a sender that sees it (acquired) also sees
 *		those, and that the receiver has read what lay there
 *   seen	senders: a head that was there once
 *   state	as said above; READY and GAP are released, and acquired by the receiver
 *
 * A single sender that is *alone* keeps its claim to itself: it stores READY, and
 * then the tail.  One of *many* claims by compare-and-swap of the state: as a FREE
 * position never comes again, that fails if anybody claimed since the tail was
 * looked at.  Then it moves the tail; who finds the tail at a claimed record (its
 * sender was stopped there, or died) moves it as well.
 *
 * Whoever is killed, at any instruction, leaves whole records: a sender, one that is
 * READY or one that is CLAIMED (ring_member.c: recover); a receiver, a record that
 * is received or one that is received again, by its successor (see repair()).
 *
 * None of this is believed.  Each shared number is loaded once; cells are found by
 * masking with the number of cells that was checked at attach, and bytes are used
 * only if they end in the last cell at the latest.
 */
#ifndef IPCDEMO_RING_H
#define IPCDEMO_RING_H

#include <stdalign.h>

#include "lib.h"

#define CELL	      64
#define SENDERS	      IPCDEMO_RING_SENDERS_MAX

/* The two high bits of a state. */
#define FREE	      0U
#define CLAIMED	      1U
#define READY	      2U
#define GAP	      3U

/* The others: a position, or the sender's process id and a number of bytes. */
#define POSITION_MASK ((1ULL << 62) - 1)
#define PID_MASK      0x3fffffffU

static inline unsigned int type_of(unsigned long long state)
{
	return state >> 62;
}

static inline uint32_t bytes_of(unsigned long long state)
{
	return state & 0x7fffffff;
}

static inline uint32_t sender_of(unsigned long long state)
{
	return state >> 32 & PID_MASK;
}

static inline unsigned long long free_for(uint64_t position)
{
	return position & POSITION_MASK;
}

static inline unsigned long long state_of(unsigned int type, uint32_t pid,
					  uint32_t bytes)
{
	return (unsigned long long)type << 62 |
	       (unsigned long long)(pid & PID_MASK) << 32 | bytes;
}

/*
 * A bell wakes who sleeps until the other side has done something.  It is odd
 * while somebody sleeps, or is about to.
 *
 * No wake-up is lost.  Who wants to sleep makes the bell odd, looks once more
 * whether there is something for it, and only then sleeps, as long as the bell is
 * what it has made of it.  Who has done something then reads the bell.  Both
 * change it by a read-modify-write, so one of these comes first:
 *
 *   the sleeper's: then the other finds it odd, makes it even, and wakes.  The
 *   kernel compares the bell under the lock that a wake takes, too: the sleeper is
 *   on the queue and is woken, or it finds the bell different.
 *
 *   the other's: then the sleeper's reads what it wrote (or what later changes made
 *   of it, all of them read-modify-writes), released by one, acquired by the other;
 *   so the last look sees what was done.
 *
 * Each ring of the bell makes it another number, so one that was heard by some does
 * not put to sleep who came before it; only after 2^31 of them, between two
 * instructions of a sleeper, would a number be the same again.
 *
 * Reading by adding 0 is what it costs: an instruction that locks, no system call.
 * A plain load could be done before the stores that it has to come after.
 */
struct bell {
	atomic_uint word;
};

/* What changes together, or by the same side, shares a cache line. */
struct ring {
	struct head header;
	uint32_t capacity; /* set when it is made */

	/* Changed by senders, for each record; the bell by whoever sleeps. */
	alignas(64) atomic_ullong tail;
	atomic_ullong seen;
	struct bell to_receiver;

	/* Changed by the receiver, for each record; the bell by whoever sleeps. */
	alignas(64) atomic_ullong head;
	struct bell to_senders;
	/* The count `left` that the last receiver took for the end. */
	atomic_uint end_seen;

	/* Changed by who comes and goes: ring_member.c. */
	alignas(64) atomic_ullong joined;
	atomic_uint left;
	atomic_uint receiver;
	atomic_uint receivers_left;
	/* Their process ids. */
	alignas(64) atomic_uint senders[SENDERS];

	alignas(64) atomic_ullong states[];
	/* Then the cells. */
};

static_assert(sizeof(struct ring) % ALIGNMENT == 0, "states begin a line");
static_assert(IPCDEMO_RING_MIN / CELL * sizeof(atomic_ullong) % CELL == 0,
	      "cells begin a line");
static_assert(ALIGNMENT % alignof(struct ring) == 0, "objects are aligned so");

static inline uint32_t cells_of(const struct ipcdemo_ring *ring)
{
	return ring->capacity / CELL;
}

static inline uint32_t index_of(const struct ipcdemo_ring *ring,
				uint64_t position)
{
	return position & (cells_of(ring) - 1);
}

static inline atomic_ullong *state_at(const struct ipcdemo_ring *ring,
				      uint64_t position)
{
	struct ring *at = ring->at;

	return &at->states[index_of(ring, position)];
}

static inline unsigned char *cell_at(const struct ipcdemo_ring *ring,
				     uint64_t position)
{
	struct ring *at = ring->at;

	return (unsigned char *)&at->states[cells_of(ring)] +
	       (uint64_t)index_of(ring, position) * CELL;
}

/* How many cells that many bytes take; nothing takes one, too. */
static inline uint32_t span_of(uint32_t bytes)
{
	return bytes ? (bytes - 1) / CELL + 1 : 1;
}

/* A record of that state may begin there: it ends before the last cell does. */
static inline bool fits_at(const struct ipcdemo_ring *ring, uint64_t position,
			   unsigned long long state)
{
	return span_of(bytes_of(state)) <=
	       cells_of(ring) - index_of(ring, position);
}

/* The bell as it is now, odd: for word_wait(), after one more look. */
static inline uint32_t bell_listen(struct bell *bell)
{
	return atomic_fetch_or_explicit(&bell->word, 1, memory_order_acq_rel) |
	       1;
}

/* Not asleep after all; for who is alone there, lest it be woken for nothing. */
static inline void bell_quiet(struct bell *bell, uint32_t heard)
{
	atomic_compare_exchange_strong_explicit(&bell->word, &heard, heard + 1,
						memory_order_acq_rel,
						memory_order_relaxed);
}

/* After something was done: wakes all who sleep until then. */
void bell_ring(struct ipcdemo_region *r, struct bell *bell);

/* ---- ring_member.c ---------------------------------------------------------- */

/* How a handle has joined. */
enum { ROLE_NONE, ROLE_ALONE, ROLE_MANY, ROLE_RECEIVER };

/* As many senders as the receiver waits for have come and gone, and none is here. */
bool ring_ended(const struct ipcdemo_ring *ring, uint32_t *left);

/* The receiver has left since this sender joined. */
bool ring_broken(const struct ipcdemo_ring *ring);

/* A record that nobody will ever finish becomes a gap. */
void ring_abandon(const struct ipcdemo_ring *ring, uint64_t position,
		  unsigned long long state);

#endif /* IPCDEMO_RING_H */

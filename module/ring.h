/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring: slot arithmetic of a pipe, and nothing else
 *
 * Pure: no locks, no sleeping, no allocation, no user memory.  The same source
 * is compiled into the module and into tests/host, where kernel_shim.h stands
 * in for the kernel's headers.
 *
 *	   tail                head
 *	    |                   |		head and tail run freely and are
 *	    v                   v		masked only when a slot is looked
 *	[ ][x][x][x][x][x][x][x][ ][ ][ ]	up; head - tail slots hold bytes,
 *	    oldest       newest			also when head has wrapped round
 *
 * Who may call: one caller at a time may change a ring (in the module, the
 * holder of the pipe's mutex).  ring_indices() may be called by anybody at any
 * time: it loads head and tail in one access, so it never sees the head of one
 * moment with the tail of another (the bug of commit 3d252160b818).
 *
 * Pages: a slot that is drained keeps its page, so that filling it again needs
 * no allocation.  Whoever owns the ring owns these pages and frees them; the
 * ring never looks into a page.
 *
 * Invariants (ring_broken() names the first that does not hold):
 *
 *	SIZE	the number of slots is a power of two
 *	BOUND	head - tail is not more than the number of slots
 *	FILLED	a slot in [tail, head) has a page, at least one byte, and ends
 *		inside its page (a foreign page may be a large one)
 *	OWN	a foreign page is not to be written to: no slot that is foreign
 *		may be added to
 *	CLEAN	a slot outside [tail, head) has offset, len and flags 0
 */
#ifndef IPCDEMO_RING_H
#define IPCDEMO_RING_H

#ifdef __KERNEL__
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/mm_types.h>
#include <linux/types.h>
#else
#include "kernel_shim.h"
#endif

/* A later write may add its bytes behind those of this slot. */
#define IPC_SLOT_MERGE	 0x1
/* A read takes no more than this slot, and drops what does not fit. */
#define IPC_SLOT_PACKET	 0x2
/*
 * The page came by splice and belongs to somebody else, too: a file, a process.
 * It is never written to, so never with IPC_SLOT_MERGE, and not kept.
 */
#define IPC_SLOT_FOREIGN 0x4
/* Of a piece on its way into a slot alone: its page is the one kept there. */
#define IPC_SLOT_KEPT	 0x8

/**
 * struct ipc_slot - a stretch of one page
 * @page:	the page, or NULL; kept while the slot holds no bytes
 * @page_no:	serial number of @page, for the views; 0 with no page
 * @offset:	bytes, where the unread part begins
 * @len:	bytes in the unread part
 * @flags:	IPC_SLOT_*
 */
struct ipc_slot {
	struct page *page;
	u32 page_no;
	u32 offset;
	u32 len;
	u32 flags;
};

/**
 * struct ipc_slots - the array, with its size so that the two cannot disagree
 * @rcu:	frees the array once no view looks at it any more
 * @nr:		number of slots, a power of two; never changes
 * @slot:	the slots
 */
struct ipc_slots {
	struct rcu_head rcu;
	u32 nr;
	struct ipc_slot slot[];
};

/**
 * struct ipc_ring - an array of slots and the two indices
 * @slots:	the array; replaced by a resize
 * @indices:	head in the upper half, tail in the lower
 */
struct ipc_ring {
	struct ipc_slots *slots;
	u64 indices;
};

static inline u32 ring_head(u64 indices)
{
	return indices >> 32;
}

static inline u32 ring_tail(u64 indices)
{
	return (u32)indices;
}

/* Slots that hold bytes. */
static inline u32 ring_used(u64 indices)
{
	return ring_head(indices) - ring_tail(indices);
}

static inline bool ring_is_empty(u64 indices)
{
	return ring_head(indices) == ring_tail(indices);
}

static inline bool ring_is_full(u64 indices, u32 nr)
{
	return ring_used(indices) >= nr;
}

/* Head and tail in one load; for anybody, at any time. */
static inline u64 ring_indices(const struct ipc_ring *ring)
{
	return READ_ONCE(ring->indices);
}

static inline struct ipc_slot *ring_slot(struct ipc_slots *slots, u32 index)
{
	return &slots->slot[index & (slots->nr - 1)];
}

/**
 * ring_init() - make an empty ring
 * @ring:	the ring
 * @slots:	zeroed array, its nr set
 * @first:	where both indices start
 */
void ring_init(struct ipc_ring *ring, struct ipc_slots *slots, u32 first);

/* The slot that is filled next, or NULL when the ring is full. */
struct ipc_slot *ring_head_slot(struct ipc_ring *ring);

/* The oldest slot with bytes, or NULL when the ring is empty. */
struct ipc_slot *ring_tail_slot(struct ipc_ring *ring);

/*
 * The newest slot, if @len bytes fit behind its own and it may be added to,
 * else NULL.
 */
struct ipc_slot *ring_merge_slot(struct ipc_ring *ring, u32 len);

/**
 * ring_publish() - fill the head slot and move head on
 * @ring:	a ring that is not full
 * @page:	holds the bytes from its start; if the slot kept a page, that one
 * @page_no:	serial number of @page
 * @len:	bytes, 1 to PAGE_SIZE
 * @flags:	IPC_SLOT_*
 *
 * Sets every member of the slot: one that kept an old value would let a later
 * write into a page that is not ours (CVE-2022-0847, Dirty Pipe).
 */
void ring_publish(struct ipc_ring *ring, struct page *page, u32 page_no,
		  u32 len, u32 flags);

/**
 * ring_add() - put a stretch of any page into the head slot, and move head on
 * @ring:	a ring that is not full
 * @piece:	all members of the slot; a page that the slot has kept is this one,
 *		and has one reference for both
 */
void ring_add(struct ipc_ring *ring, const struct ipc_slot *piece);

/**
 * ring_take() - take the oldest slot, with its page, out of the ring
 * @ring:	a ring that is not empty
 * @piece:	what the slot was; its page is the caller's now
 */
void ring_take(struct ipc_ring *ring, struct ipc_slot *piece);

/* Count @len more bytes to the newest slot: ring_merge_slot() said they fit. */
void ring_merge(struct ipc_ring *ring, u32 len);

/**
 * ring_consume() - take bytes off the oldest slot
 * @ring:	a ring that is not empty
 * @len:	bytes, not more than the slot has
 *
 * Return: true if that drained the slot; then tail has moved on.
 */
bool ring_consume(struct ipc_ring *ring, u32 len);

/* Bytes in all slots; needs the right to change the ring. */
u64 ring_bytes(struct ipc_ring *ring);

/**
 * ring_move() - go on in another array
 * @ring:	the ring
 * @to:		zeroed array of another size, its nr set
 *
 * The indices stay as they are.  Kept pages move too, as far as @to has slots
 * for them.
 *
 * Return: 0, or -EBUSY, with nothing changed, if @to has fewer slots than hold
 * bytes.  On success the old array holds nothing but the kept pages that found
 * no place; the caller frees both, and puts @to into @ring->slots.
 */
int ring_move(struct ipc_ring *ring, struct ipc_slots *to);

/* The name of an invariant that does not hold, or NULL. */
const char *ring_broken(struct ipc_ring *ring);

#endif /* IPCDEMO_RING_H */

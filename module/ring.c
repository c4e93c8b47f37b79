// SPDX-License-Identifier: GPL-2.0
/* The ring: slot arithmetic of a pipe (see ring.h). */
#include "ring.h"

#ifdef __KERNEL__
#include <linux/mm.h>
#endif

static void ring_set(struct ipc_ring *ring, u32 head, u32 tail)
{
	WRITE_ONCE(ring->indices, (u64)head << 32 | tail);
}

void ring_init(struct ipc_ring *ring, struct ipc_slots *slots, u32 first)
{
	ring->slots = slots;
	ring_set(ring, first, first);
}

struct ipc_slot *ring_head_slot(struct ipc_ring *ring)
{
	u64 at = ring->indices;

	if (ring_is_full(at, ring->slots->nr))
		return NULL;
	return ring_slot(ring->slots, ring_head(at));
}

struct ipc_slot *ring_tail_slot(struct ipc_ring *ring)
{
	u64 at = ring->indices;

	if (ring_is_empty(at))
		return NULL;
	return ring_slot(ring->slots, ring_tail(at));
}

struct ipc_slot *ring_merge_slot(struct ipc_ring *ring, u32 len)
{
	u64 at = ring->indices;
	struct ipc_slot *slot;

	if (ring_is_empty(at))
		return NULL;
	slot = ring_slot(ring->slots, ring_head(at) - 1);
	if (!(slot->flags & IPC_SLOT_MERGE))
		return NULL;
	if (len > PAGE_SIZE - slot->offset - slot->len)
		return NULL;
	return slot;
}

void ring_publish(struct ipc_ring *ring, struct page *page, u32 page_no,
		  u32 len, u32 flags)
{
	u64 at = ring->indices;
	struct ipc_slot *slot = ring_slot(ring->slots, ring_head(at));

	slot->page = page;
	slot->page_no = page_no;
	slot->offset = 0;
	slot->len = len;
	slot->flags = flags;
	ring_set(ring, ring_head(at) + 1, ring_tail(at));
}

void ring_add(struct ipc_ring *ring, const struct ipc_slot *piece)
{
	u64 at = ring->indices;

	*ring_slot(ring->slots, ring_head(at)) = *piece;
	ring_set(ring, ring_head(at) + 1, ring_tail(at));
}

void ring_take(struct ipc_ring *ring, struct ipc_slot *piece)
{
	u64 at = ring->indices;
	struct ipc_slot *slot = ring_slot(ring->slots, ring_tail(at));

	*piece = *slot;
	*slot = (struct ipc_slot){};
	ring_set(ring, ring_head(at), ring_tail(at) + 1);
}

void ring_merge(struct ipc_ring *ring, u32 len)
{
	ring_slot(ring->slots, ring_head(ring->indices) - 1)->len += len;
}

bool ring_consume(struct ipc_ring *ring, u32 len)
{
	u64 at = ring->indices;
	struct ipc_slot *slot = ring_slot(ring->slots, ring_tail(at));

	slot->offset += len;
	slot->len -= len;
	if (slot->len)
		return false;
	slot->offset = 0;
	slot->flags = 0;
	ring_set(ring, ring_head(at), ring_tail(at) + 1);
	return true;
}

u64 ring_bytes(struct ipc_ring *ring)
{
	u64 at = ring->indices;
	u64 bytes = 0;
	u32 i;

	for (i = ring_tail(at); i != ring_head(at); i++)
		bytes += ring_slot(ring->slots, i)->len;
	return bytes;
}

int ring_move(struct ipc_ring *ring, struct ipc_slots *to)
{
	struct ipc_slots *from = ring->slots;
	u64 at = ring->indices;
	struct ipc_slot *old, *new;
	u32 i, place;

	if (ring_used(at) > to->nr)
		return -EBUSY;

	for (i = ring_tail(at); i != ring_head(at); i++) {
		old = ring_slot(from, i);
		*ring_slot(to, i) = *old;
		*old = (struct ipc_slot){};
	}

	place = ring_head(at);
	for (i = 0; i < from->nr && place - ring_tail(at) < to->nr; i++) {
		old = &from->slot[i];
		if (!old->page)
			continue;
		new = ring_slot(to, place++);
		new->page = old->page;
		new->page_no = old->page_no;
		*old = (struct ipc_slot){};
	}
	return 0;
}

const char *ring_broken(struct ipc_ring *ring)
{
	struct ipc_slots *slots = ring->slots;
	u64 at = ring->indices;
	struct ipc_slot *slot;
	u32 i;

	if (!slots->nr || (slots->nr & (slots->nr - 1)))
		return "SIZE";
	if (ring_used(at) > slots->nr)
		return "BOUND";
	for (i = ring_tail(at); i != ring_tail(at) + slots->nr; i++) {
		slot = ring_slot(slots, i);
		if (i - ring_tail(at) < ring_used(at)) {
			if (!slot->page || !slot->len)
				return "FILLED";
			if (!(slot->flags & IPC_SLOT_FOREIGN) &&
			    (slot->offset > PAGE_SIZE ||
			     slot->len > PAGE_SIZE - slot->offset))
				return "FILLED";
			if ((slot->flags & IPC_SLOT_FOREIGN) &&
			    (slot->flags & IPC_SLOT_MERGE))
				return "OWN";
		} else if (slot->offset || slot->len || slot->flags) {
			return "CLEAN";
		}
	}
	return NULL;
}

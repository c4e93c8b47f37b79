// SPDX-License-Identifier: GPL-2.0
/*
 * The ring, tested on the host under ASan and UBSan
 *
 * The unit tests put every function at its boundaries, with the indices also
 * where they wrap round.  The last test drives the ring as a pipe does, by
 * chance, next to a model that is a plain queue.  IPCDEMO_SEED=N repeats the
 * run of a seed.  tests/host/faults breaks ring.c on purpose: each of its
 * faults names the test here that must notice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "ring.h"

/* The ring hands pages on; here a page is real memory that ASan watches. */
struct page {
	unsigned char byte[PAGE_SIZE];
};

static const u32 starts[] = {
	0, 1, 5, UINT32_MAX - 20, UINT32_MAX - 3, UINT32_MAX - 1, UINT32_MAX};

#define NR_STARTS (sizeof(starts) / sizeof(*starts))

static struct page pages[64];

static struct ipc_slots *slots_new(u32 nr)
{
	size_t size = sizeof(struct ipc_slots) + nr * sizeof(struct ipc_slot);
	struct ipc_slots *slots = calloc(1, size);

	assert_non_null(slots);
	slots->nr = nr;
	return slots;
}

static void ring_make(struct ipc_ring *ring, u32 nr, u32 first)
{
	ring_init(ring, slots_new(nr), first);
}

static void ring_sound(struct ipc_ring *ring)
{
	const char *broken = ring_broken(ring);

	if (broken)
		fail_msg("the invariant %s does not hold", broken);
}

static u32 used(struct ipc_ring *ring)
{
	return ring_used(ring_indices(ring));
}

static u32 head(struct ipc_ring *ring)
{
	return ring_head(ring_indices(ring));
}

static u32 tail(struct ipc_ring *ring)
{
	return ring_tail(ring_indices(ring));
}

/* Publish page @no of the static ones: recognisable by page and number. */
static void put(struct ipc_ring *ring, u32 no, u32 len)
{
	assert_non_null(ring_head_slot(ring));
	ring_publish(ring, &pages[no], no, len, IPC_SLOT_MERGE);
}

static void slot_is(struct ipc_slot *slot, struct page *page, u32 page_no,
		    u32 offset, u32 len, u32 flags)
{
	assert_non_null(slot);
	assert_ptr_equal(slot->page, page);
	assert_int_equal(slot->page_no, page_no);
	assert_int_equal(slot->offset, offset);
	assert_int_equal(slot->len, len);
	assert_int_equal(slot->flags, flags);
}

static void new_ring_is_empty(void **state)
{
	struct ipc_ring ring;
	size_t i;

	(void)state;
	for (i = 0; i < NR_STARTS; i++) {
		ring_make(&ring, 16, starts[i]);
		assert_int_equal(head(&ring), starts[i]);
		assert_int_equal(tail(&ring), starts[i]);
		assert_true(ring_is_empty(ring_indices(&ring)));
		assert_false(ring_is_full(ring_indices(&ring), 16));
		assert_null(ring_tail_slot(&ring));
		assert_null(ring_merge_slot(&ring, 1));
		assert_ptr_equal(ring_head_slot(&ring),
				 &ring.slots->slot[starts[i] % 16]);
		assert_int_equal(ring_bytes(&ring), 0);
		ring_sound(&ring);
		free(ring.slots);
	}
}

static void indices_keep_head_and_tail_apart(void **state)
{
	u64 at = (u64)3 << 32 | 0xfffffffe;

	(void)state;
	assert_int_equal(ring_head(at), 3);
	assert_int_equal(ring_tail(at), 0xfffffffe);
	assert_int_equal(ring_used(at), 5);
	assert_false(ring_is_empty(at));
	assert_true(ring_is_full(at, 4));
	assert_false(ring_is_full(at, 8));
}

static void fills_and_drains(u32 nr, u32 first)
{
	struct ipc_ring ring;
	u32 n;

	ring_make(&ring, nr, first);
	for (n = 0; n < nr; n++) {
		assert_int_equal(used(&ring), n);
		assert_false(ring_is_full(ring_indices(&ring), nr));
		put(&ring, n, n + 1);
		ring_sound(&ring);
	}
	assert_true(ring_is_full(ring_indices(&ring), nr));
	assert_null(ring_head_slot(&ring));
	for (n = 0; n < nr; n++) {
		slot_is(ring_tail_slot(&ring), &pages[n], n, 0, n + 1,
			IPC_SLOT_MERGE);
		assert_true(ring_consume(&ring, n + 1));
		assert_int_equal(used(&ring), nr - n - 1);
		ring_sound(&ring);
	}
	assert_true(ring_is_empty(ring_indices(&ring)));
	assert_null(ring_tail_slot(&ring));
	free(ring.slots);
}

static void full_and_empty_across_the_wrap(void **state)
{
	size_t i;
	u32 nr;

	(void)state;
	for (i = 0; i < NR_STARTS; i++)
		for (nr = 1; nr <= 32; nr *= 2)
			fills_and_drains(nr, starts[i]);
}

static void publish_sets_every_member(void **state)
{
	struct ipc_ring ring;
	struct ipc_slot *slot;
	size_t i;

	(void)state;
	for (i = 0; i < NR_STARTS; i++) {
		ring_make(&ring, 4, starts[i]);
		memset(ring.slots->slot, 0xa5, 4 * sizeof(struct ipc_slot));
		slot = ring_head_slot(&ring);
		ring_publish(&ring, &pages[7], 70, 700, 0);
		slot_is(slot, &pages[7], 70, 0, 700, 0);
		slot = ring_head_slot(&ring);
		ring_publish(&ring, &pages[8], 80, 4096, IPC_SLOT_MERGE);
		slot_is(slot, &pages[8], 80, 0, 4096, IPC_SLOT_MERGE);
		assert_int_equal(head(&ring), starts[i] + 2);
		assert_int_equal(tail(&ring), starts[i]);
		free(ring.slots);
	}
}

/* The Dirty Pipe: a flag of the slot's last life must not open it again. */
static void reused_slot_is_not_mergeable_by_memory(void **state)
{
	struct ipc_ring ring;

	(void)state;
	ring_make(&ring, 1, UINT32_MAX);
	ring_publish(&ring, &pages[0], 1, 10, IPC_SLOT_MERGE);
	assert_non_null(ring_merge_slot(&ring, 1));
	assert_true(ring_consume(&ring, 10));
	ring_publish(&ring, &pages[0], 1, 10, 0);
	assert_null(ring_merge_slot(&ring, 1));
	free(ring.slots);
}

static void consuming_a_part_leaves_the_rest(void **state)
{
	struct ipc_ring ring;

	(void)state;
	ring_make(&ring, 2, UINT32_MAX);
	put(&ring, 1, 4096);
	put(&ring, 2, 5);
	assert_false(ring_consume(&ring, 1));
	slot_is(ring_tail_slot(&ring), &pages[1], 1, 1, 4095, IPC_SLOT_MERGE);
	assert_false(ring_consume(&ring, 4094));
	slot_is(ring_tail_slot(&ring), &pages[1], 1, 4095, 1, IPC_SLOT_MERGE);
	assert_int_equal(used(&ring), 2);
	assert_int_equal(tail(&ring), UINT32_MAX);
	ring_sound(&ring);
	free(ring.slots);
}

static void draining_a_slot_moves_tail_by_one(void **state)
{
	struct ipc_ring ring;
	size_t i;

	(void)state;
	for (i = 0; i < NR_STARTS; i++) {
		ring_make(&ring, 8, starts[i]);
		put(&ring, 1, 10);
		put(&ring, 2, 20);
		put(&ring, 3, 30);
		assert_true(ring_consume(&ring, 10));
		assert_int_equal(tail(&ring), starts[i] + 1);
		assert_int_equal(head(&ring), starts[i] + 3);
		slot_is(ring_tail_slot(&ring), &pages[2], 2, 0, 20,
			IPC_SLOT_MERGE);
		free(ring.slots);
	}
}

static void drained_slot_keeps_its_page_and_is_clean(void **state)
{
	struct ipc_ring ring;
	struct ipc_slot *slot;

	(void)state;
	ring_make(&ring, 4, 0);
	put(&ring, 9, 100);
	slot = ring_tail_slot(&ring);
	assert_false(ring_consume(&ring, 60));
	assert_true(ring_consume(&ring, 40));
	slot_is(slot, &pages[9], 9, 0, 0, 0);
	ring_sound(&ring);
	free(ring.slots);
}

static void taken_slot_leaves_with_its_page(void **state)
{
	struct ipc_slot piece, *slot;
	struct ipc_ring ring;
	size_t i;

	(void)state;
	for (i = 0; i < NR_STARTS; i++) {
		ring_make(&ring, 4, starts[i]);
		put(&ring, 1, 100);
		put(&ring, 2, 200);
		assert_false(ring_consume(&ring, 30));
		slot = ring_tail_slot(&ring);
		ring_take(&ring, &piece);
		slot_is(&piece, &pages[1], 1, 30, 70, IPC_SLOT_MERGE);
		slot_is(slot, NULL, 0, 0, 0, 0);
		slot_is(ring_tail_slot(&ring), &pages[2], 2, 0, 200,
			IPC_SLOT_MERGE);
		assert_int_equal(tail(&ring), starts[i] + 1);
		assert_int_equal(head(&ring), starts[i] + 2);
		ring_sound(&ring);
		free(ring.slots);
	}
}

static void added_piece_is_the_newest_slot(void **state)
{
	struct ipc_slot piece = {&pages[5], 50, 40, 60, IPC_SLOT_MERGE};
	struct ipc_ring ring;
	size_t i;

	(void)state;
	for (i = 0; i < NR_STARTS; i++) {
		ring_make(&ring, 2, starts[i]);
		memset(ring.slots->slot, 0xa5, 2 * sizeof(struct ipc_slot));
		ring_add(&ring, &piece);
		slot_is(ring_tail_slot(&ring), &pages[5], 50, 40, 60,
			IPC_SLOT_MERGE);
		assert_int_equal(head(&ring), starts[i] + 1);
		assert_int_equal(tail(&ring), starts[i]);
		/* What follows goes behind its bytes, up to the page's end. */
		assert_non_null(ring_merge_slot(&ring, 4096 - 100));
		assert_null(ring_merge_slot(&ring, 4096 - 99));
		free(ring.slots);
	}
}

/* The Dirty Pipe again: a page that is not ours. */
static void nothing_merges_into_a_foreign_page(void **state)
{
	struct ipc_slot piece = {&pages[5], 50, 0, 60, IPC_SLOT_FOREIGN};
	struct ipc_ring ring;

	(void)state;
	ring_make(&ring, 2, 0);
	put(&ring, 1, 10);
	ring_add(&ring, &piece);
	assert_null(ring_merge_slot(&ring, 1));
	ring_sound(&ring);
	/* It may be larger than the pages that we make. */
	ring_tail_slot(&ring)->flags = IPC_SLOT_FOREIGN;
	ring_tail_slot(&ring)->len = 3 * 4096;
	ring_sound(&ring);
	free(ring.slots);
}

static const struct merge_case {
	u32 len, eaten, more;
	bool fits;
} merge_cases[] = {{1, 0, 4095, true},	  {1, 0, 4096, false},
		   {4095, 0, 1, true},	  {4095, 0, 2, false},
		   {4096, 0, 1, false},	  {4096, 0, 4096, false},
		   {2048, 0, 2048, true}, {2048, 0, 2049, false},
		   {100, 99, 3996, true}, {100, 99, 3997, false},
		   {4095, 4094, 1, true}, {4095, 4094, 2, false},
		   {4096, 4095, 1, false}};

static void merges(const struct merge_case *c, u32 first)
{
	struct ipc_ring ring;
	bool fits;

	ring_make(&ring, 2, first);
	put(&ring, 1, c->len);
	if (c->eaten)
		ring_consume(&ring, c->eaten);
	fits = ring_merge_slot(&ring, c->more);
	if (fits != c->fits)
		fail_msg("after %u bytes, %u of them read, %u fit: %d", c->len,
			 c->eaten, c->more, fits);
	if (fits) {
		ring_merge(&ring, c->more);
		assert_int_equal(ring_bytes(&ring),
				 c->len - c->eaten + c->more);
		assert_int_equal(used(&ring), 1);
		ring_sound(&ring);
	}
	free(ring.slots);
}

static void merge_fits_up_to_the_end_of_the_page(void **state)
{
	size_t i, s;

	(void)state;
	for (s = 0; s < NR_STARTS; s++)
		for (i = 0; i < sizeof(merge_cases) / sizeof(*merge_cases); i++)
			merges(&merge_cases[i], starts[s]);
}

static void merge_goes_to_the_newest_slot(void **state)
{
	struct ipc_ring ring;
	size_t i;

	(void)state;
	for (i = 0; i < NR_STARTS; i++) {
		ring_make(&ring, 2, starts[i]);
		put(&ring, 1, 10);
		put(&ring, 2, 20);
		slot_is(ring_merge_slot(&ring, 5), &pages[2], 2, 0, 20,
			IPC_SLOT_MERGE);
		ring_merge(&ring, 5);
		slot_is(ring_tail_slot(&ring), &pages[1], 1, 0, 10,
			IPC_SLOT_MERGE);
		assert_int_equal(ring_bytes(&ring), 35);
		assert_true(ring_consume(&ring, 10));
		slot_is(ring_tail_slot(&ring), &pages[2], 2, 0, 25,
			IPC_SLOT_MERGE);
		free(ring.slots);
	}
}

static void nothing_merges_without_the_flag(void **state)
{
	struct ipc_ring ring;

	(void)state;
	ring_make(&ring, 2, 0);
	ring_publish(&ring, &pages[1], 1, 10, IPC_SLOT_MERGE);
	ring_publish(&ring, &pages[2], 2, 10, 0);
	assert_null(ring_merge_slot(&ring, 1));
	free(ring.slots);
}

static void nothing_merges_into_an_empty_ring(void **state)
{
	struct ipc_ring ring;

	(void)state;
	ring_make(&ring, 2, UINT32_MAX);
	put(&ring, 1, 10);
	assert_true(ring_consume(&ring, 10));
	ring.slots->slot[UINT32_MAX % 2].flags = IPC_SLOT_MERGE;
	assert_null(ring_merge_slot(&ring, 1));
	free(ring.slots);
}

static void bytes_are_the_sum_of_all_slots(void **state)
{
	struct ipc_ring ring;
	size_t i;
	u32 n;

	(void)state;
	for (i = 0; i < NR_STARTS; i++) {
		ring_make(&ring, 16, starts[i]);
		for (n = 1; n <= 16; n++)
			put(&ring, n, 256 * n);
		assert_int_equal(ring_bytes(&ring), 256 * 136);
		assert_false(ring_consume(&ring, 255));
		assert_int_equal(ring_bytes(&ring), 256 * 136 - 255);
		assert_true(ring_consume(&ring, 1));
		assert_int_equal(ring_bytes(&ring), 256 * 135);
		free(ring.slots);
	}
}

/*
 * A ring with @full slots of bytes and pages @full.. kept in other slots; the
 * kept pages stand in the places after the head, as draining leaves them.
 */
static void ring_with(struct ipc_ring *ring, u32 nr, u32 first, u32 full,
		      u32 kept)
{
	u32 n;

	ring_make(ring, nr, first);
	for (n = 0; n < full; n++)
		put(ring, n, n + 1);
	for (n = full; n < full + kept; n++) {
		struct ipc_slot *slot = ring_slot(ring->slots, first + n);

		slot->page = &pages[n];
		slot->page_no = n;
	}
	ring_sound(ring);
}

/* How often page @no stands in @slots, its number right. */
static u32 places(struct ipc_slots *slots, u32 no)
{
	u32 i, count = 0;

	for (i = 0; i < slots->nr; i++) {
		if (slots->slot[i].page != &pages[no])
			continue;
		assert_int_equal(slots->slot[i].page_no, no);
		count++;
	}
	return count;
}

static void moves(u32 nr, u32 to_nr, u32 first, u32 full, u32 kept)
{
	u32 n, in_old = 0, room = to_nr - full;
	struct ipc_slots *from, *to;
	struct ipc_ring ring;

	ring_with(&ring, nr, first, full, kept);
	from = ring.slots;
	to = slots_new(to_nr);
	assert_int_equal(ring_move(&ring, to), 0);
	ring.slots = to;
	ring_sound(&ring);
	assert_int_equal(head(&ring), first + full);
	assert_int_equal(tail(&ring), first);

	for (n = 0; n < full; n++)
		assert_int_equal(places(to, n), 1);
	for (n = 0; n < full + kept; n++) {
		assert_int_equal(places(from, n) + places(to, n), 1);
		in_old += places(from, n);
	}
	assert_int_equal(in_old, kept > room ? kept - room : 0);
	for (n = 0; n < nr; n++) {
		assert_int_equal(from->slot[n].offset, 0);
		assert_int_equal(from->slot[n].len, 0);
		assert_int_equal(from->slot[n].flags, 0);
		if (!from->slot[n].page)
			assert_int_equal(from->slot[n].page_no, 0);
	}
	for (n = 0; n < full; n++) {
		slot_is(ring_tail_slot(&ring), &pages[n], n, 0, n + 1,
			IPC_SLOT_MERGE);
		assert_true(ring_consume(&ring, n + 1));
	}
	assert_int_equal(used(&ring), 0);
	ring_sound(&ring);
	free(from);
	free(to);
}

static void moves_all(u32 nr, u32 to_nr, u32 first)
{
	u32 full, kept;

	for (full = 0; full <= nr && full <= to_nr; full++)
		for (kept = 0; full + kept <= nr; kept++)
			moves(nr, to_nr, first, full, kept);
}

static void move_keeps_bytes_and_loses_no_page(void **state)
{
	u32 nr, to_nr;
	size_t i;

	(void)state;
	for (i = 0; i < NR_STARTS; i++)
		for (nr = 1; nr <= 16; nr *= 2)
			for (to_nr = 1; to_nr <= 32; to_nr *= 2)
				moves_all(nr, to_nr, starts[i]);
}

static void move_keeps_partly_read_slots(void **state)
{
	struct ipc_slots *from, *to = slots_new(2);
	struct ipc_ring ring;

	(void)state;
	ring_make(&ring, 4, UINT32_MAX);
	from = ring.slots;
	put(&ring, 1, 100);
	ring_publish(&ring, &pages[2], 2, 50, 0);
	assert_false(ring_consume(&ring, 30));
	assert_int_equal(ring_move(&ring, to), 0);
	ring.slots = to;
	slot_is(ring_tail_slot(&ring), &pages[1], 1, 30, 70, IPC_SLOT_MERGE);
	assert_true(ring_consume(&ring, 70));
	slot_is(ring_tail_slot(&ring), &pages[2], 2, 0, 50, 0);
	free(from);
	free(ring.slots);
}

static void refuses_to_move(u32 nr, u32 to_nr, u32 first, u32 full)
{
	struct ipc_slots *to = slots_new(to_nr);
	struct ipc_slot before[16], *slot;
	struct ipc_slot zero[16] = {};
	struct ipc_ring ring;
	u64 at;

	ring_with(&ring, nr, first, full, nr - full);
	at = ring_indices(&ring);
	slot = ring.slots->slot;
	memcpy(before, slot, nr * sizeof(*slot));
	assert_int_equal(ring_move(&ring, to), -EBUSY);
	assert_true(ring_indices(&ring) == at);
	assert_memory_equal(slot, before, nr * sizeof(*slot));
	assert_memory_equal(to->slot, zero, to_nr * sizeof(*slot));
	free(to);
	free(ring.slots);
}

static void move_to_too_few_slots_changes_nothing(void **state)
{
	u32 nr, to_nr, full;
	size_t i;

	(void)state;
	for (i = 0; i < NR_STARTS; i++)
		for (nr = 2; nr <= 16; nr *= 2)
			for (to_nr = 1; to_nr < nr; to_nr *= 2)
				for (full = to_nr + 1; full <= nr; full++)
					refuses_to_move(nr, to_nr, starts[i],
							full);
}

static void broken_names_each_invariant(void **state)
{
	struct ipc_ring ring;
	struct ipc_slot *slot;

	(void)state;
	ring_make(&ring, 4, UINT32_MAX);
	assert_null(ring_broken(&ring));
	ring.slots->nr = 3;
	assert_string_equal(ring_broken(&ring), "SIZE");
	ring.slots->nr = 0;
	assert_string_equal(ring_broken(&ring), "SIZE");
	ring.slots->nr = 4;

	ring.indices = (u64)5 << 32;
	assert_string_equal(ring_broken(&ring), "BOUND");
	ring.indices = (u64)1 << 32 | 2;
	assert_string_equal(ring_broken(&ring), "BOUND");
	ring.indices = (u64)UINT32_MAX << 32 | UINT32_MAX;

	put(&ring, 1, 10);
	slot = ring_tail_slot(&ring);
	slot->page = NULL;
	assert_string_equal(ring_broken(&ring), "FILLED");
	slot->page = &pages[1];
	slot->len = 0;
	assert_string_equal(ring_broken(&ring), "FILLED");
	slot->len = 4097;
	assert_string_equal(ring_broken(&ring), "FILLED");
	slot->len = 4096;
	assert_null(ring_broken(&ring));
	slot->offset = 1;
	assert_string_equal(ring_broken(&ring), "FILLED");
	slot->offset = 4097;
	slot->len = UINT32_MAX - 4000;
	assert_string_equal(ring_broken(&ring), "FILLED");
	slot->offset = 0;
	slot->len = 1;
	assert_null(ring_broken(&ring));

	slot->flags = IPC_SLOT_FOREIGN | IPC_SLOT_MERGE;
	assert_string_equal(ring_broken(&ring), "OWN");
	slot->flags = IPC_SLOT_FOREIGN;
	assert_null(ring_broken(&ring));

	slot = ring_head_slot(&ring);
	slot->page = &pages[2];
	assert_null(ring_broken(&ring));
	slot->offset = 1;
	assert_string_equal(ring_broken(&ring), "CLEAN");
	slot->offset = 0;
	slot->len = 1;
	assert_string_equal(ring_broken(&ring), "CLEAN");
	slot->len = 0;
	slot->flags = IPC_SLOT_MERGE;
	assert_string_equal(ring_broken(&ring), "CLEAN");
	free(ring.slots);
}

/*
 * The model: a queue of stretches, in the words of fs/pipe.c, and a stream of
 * bytes that never repeats within what fits into a ring.
 */
#define MODEL_SLOTS 64

struct stretch {
	u32 offset, len;
	bool merge;
};

struct model {
	struct ipc_ring ring;
	struct stretch queue[MODEL_SLOTS];
	u32 count;
	u64 written, read;
	u32 next_no;
	u64 allocated, freed;
	u64 merges, busy, moved, wraps, fulls, reuses;
};

static u64 random_state;

static u32 chance(u32 below)
{
	/* xorshift64*: the same on every machine */
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 2685821657736338717ull >> 32) % below;
}

static u32 chance_size(void)
{
	static const u32 sizes[] = {1,	  2,	511,  2048,  4094,  4095,
				    4096, 4097, 8191, 12288, 65536, 65537};

	if (chance(2))
		return sizes[chance(sizeof(sizes) / sizeof(*sizes))];
	return 1 + chance(6000);
}

static unsigned char stream(u64 position)
{
	return (position * 2654435761u) >> 24 ^ position;
}

static void fill(struct model *m, struct page *page, u32 at, u32 len)
{
	while (len--)
		page->byte[at++] = stream(m->written++);
}

static void model_write(struct model *m, u32 len)
{
	bool mergeable = chance(8);
	u32 part = len % PAGE_SIZE;
	struct ipc_slot *slot;

	if (part && m->count) {
		struct stretch *last = &m->queue[m->count - 1];
		bool fits = last->merge &&
			    last->offset + last->len + part <= PAGE_SIZE;

		slot = ring_merge_slot(&m->ring, part);
		assert_int_equal(!!slot, fits);
		if (fits) {
			fill(m, slot->page, slot->offset + slot->len, part);
			ring_merge(&m->ring, part);
			last->len += part;
			len -= part;
			m->merges++;
		}
	}
	while (len) {
		u32 chunk = len < PAGE_SIZE ? len : PAGE_SIZE;
		struct page *page;
		u32 no;

		slot = ring_head_slot(&m->ring);
		assert_int_equal(!slot, m->count == m->ring.slots->nr);
		if (!slot) {
			m->fulls++;
			return;
		}
		page = slot->page;
		no = slot->page_no;
		if (page) {
			m->reuses++;
		} else {
			page = malloc(sizeof(*page));
			assert_non_null(page);
			no = ++m->next_no;
			m->allocated++;
		}
		fill(m, page, 0, chunk);
		ring_publish(&m->ring, page, no, chunk,
			     mergeable ? IPC_SLOT_MERGE : 0);
		m->wraps += !head(&m->ring);
		m->queue[m->count++] = (struct stretch){0, chunk, mergeable};
		len -= chunk;
	}
}

static void model_read(struct model *m, u32 len)
{
	while (len) {
		struct ipc_slot *slot = ring_tail_slot(&m->ring);
		u32 chunk, i;
		bool drained;

		assert_int_equal(!slot, !m->count);
		if (!slot)
			return;
		assert_int_equal(slot->offset, m->queue[0].offset);
		assert_int_equal(slot->len, m->queue[0].len);
		chunk = len < slot->len ? len : slot->len;
		for (i = 0; i < chunk; i++)
			assert_int_equal(slot->page->byte[slot->offset + i],
					 stream(m->read++));
		m->queue[0].offset += chunk;
		m->queue[0].len -= chunk;
		drained = ring_consume(&m->ring, chunk);
		assert_int_equal(drained, !m->queue[0].len);
		if (drained) {
			m->count--;
			memmove(m->queue, m->queue + 1,
				m->count * sizeof(*m->queue));
		}
		len -= chunk;
	}
}

static void free_pages(struct model *m, struct ipc_slots *slots)
{
	u32 i;

	for (i = 0; i < slots->nr; i++) {
		m->freed += !!slots->slot[i].page;
		free(slots->slot[i].page);
	}
	free(slots);
}

static void model_move(struct model *m)
{
	struct ipc_slots *from = m->ring.slots;
	struct ipc_slots *to = slots_new(1u << chance(7));
	u32 i, before = 0, after = 0, kept;

	for (i = 0; i < from->nr; i++)
		before += !!from->slot[i].page;
	if (m->count > to->nr) {
		assert_int_equal(ring_move(&m->ring, to), -EBUSY);
		m->busy++;
		free(to);
		return;
	}
	assert_int_equal(ring_move(&m->ring, to), 0);
	m->ring.slots = to;
	for (i = 0; i < to->nr; i++)
		after += !!to->slot[i].page;
	kept = before < to->nr ? before : to->nr;
	assert_int_equal(after, kept);
	free_pages(m, from);
	m->moved++;
}

/* The owner takes a kept page back, as the module does when memory is short. */
static void model_shed(struct model *m)
{
	struct ipc_slot *slot = ring_head_slot(&m->ring);

	if (!slot || !slot->page)
		return;
	free(slot->page);
	slot->page = NULL;
	slot->page_no = 0;
	m->freed++;
}

static void model_agrees(struct model *m)
{
	struct ipc_slots *slots = m->ring.slots;
	u64 held = 0;
	u32 i, j;

	ring_sound(&m->ring);
	assert_int_equal(used(&m->ring), m->count);
	assert_true(ring_bytes(&m->ring) == m->written - m->read);
	for (i = 0; i < slots->nr; i++) {
		if (!slots->slot[i].page)
			continue;
		held++;
		for (j = 0; j < i; j++)
			assert_ptr_not_equal(slots->slot[i].page,
					     slots->slot[j].page);
	}
	assert_true(held == m->allocated - m->freed);
}

static void random_steps_agree_with_the_model(void **state)
{
	const char *seed_text = getenv("IPCDEMO_SEED");
	unsigned long long seed = time(NULL);
	struct model m = {};
	u32 step, run;

	(void)state;
	if (seed_text)
		seed = strtoull(seed_text, NULL, 0);
	print_message("# IPCDEMO_SEED=%llu repeats this run\n", seed);
	random_state = seed * 2 + 1;
	for (run = 0; run < 40; run++) {
		u32 first = run % 4 ? UINT32_MAX - chance(2000) : chance(9);

		ring_make(&m.ring, 1u << chance(7), first);
		m.count = 0;
		m.written = 0;
		m.read = 0;
		for (step = 0; step < 5000; step++) {
			switch (chance(16)) {
			case 0 ... 6:
				model_write(&m, chance_size());
				break;
			case 7 ... 13:
				model_read(&m, chance_size());
				break;
			case 14:
				model_shed(&m);
				break;
			default:
				model_move(&m);
			}
			model_agrees(&m);
		}
		free_pages(&m, m.ring.slots);
		assert_true(m.allocated == m.freed);
	}
	/* Chance must have been everywhere, or the test says too little. */
	assert_true(m.merges > 1000 && m.busy > 100 && m.moved > 1000);
	assert_true(m.fulls > 1000 && m.reuses > 1000 && m.wraps > 10);
}

#define TEST(sentence, function)                     \
	{                                            \
		sentence, function, NULL, NULL, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("a new ring is empty and sound, wherever it starts",
		     new_ring_is_empty),
		TEST("one word keeps head and tail apart",
		     indices_keep_head_and_tail_apart),
		TEST("full and empty are told apart across the wrap",
		     full_and_empty_across_the_wrap),
		TEST("publish sets every member of a poisoned slot",
		     publish_sets_every_member),
		TEST("a reused slot does not remember that it was mergeable",
		     reused_slot_is_not_mergeable_by_memory),
		TEST("consuming a part of a slot leaves the rest in place",
		     consuming_a_part_leaves_the_rest),
		TEST("draining a slot moves tail by one",
		     draining_a_slot_moves_tail_by_one),
		TEST("a drained slot keeps its page and is clean",
		     drained_slot_keeps_its_page_and_is_clean),
		TEST("a slot that is taken leaves with its page",
		     taken_slot_leaves_with_its_page),
		TEST("a piece that is added is the newest slot",
		     added_piece_is_the_newest_slot),
		TEST("nothing merges into a foreign page",
		     nothing_merges_into_a_foreign_page),
		TEST("a merge fits up to the end of the page and no further",
		     merge_fits_up_to_the_end_of_the_page),
		TEST("a merge goes to the newest slot",
		     merge_goes_to_the_newest_slot),
		TEST("nothing merges into a slot without the flag",
		     nothing_merges_without_the_flag),
		TEST("nothing merges into an empty ring",
		     nothing_merges_into_an_empty_ring),
		TEST("the bytes are the sum of all slots",
		     bytes_are_the_sum_of_all_slots),
		TEST("a move loses no bytes, no page, and doubles none",
		     move_keeps_bytes_and_loses_no_page),
		TEST("a move keeps a slot that was read in part",
		     move_keeps_partly_read_slots),
		TEST("a move to too few slots is EBUSY and changes nothing",
		     move_to_too_few_slots_changes_nothing),
		TEST("ring_broken names each invariant",
		     broken_names_each_invariant),
		TEST("200000 random steps agree with the model",
		     random_steps_agree_with_the_model),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}

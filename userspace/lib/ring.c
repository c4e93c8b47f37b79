// SPDX-License-Identifier: GPL-2.0
/*
 * Rings: sending and receiving; ring.h says how it works, and why
 */
#include <limits.h>
#include <string.h>

#include "ring.h"

static uint64_t ring_bytes(uint64_t capacity)
{
	return sizeof(struct ring) + capacity / CELL * sizeof(atomic_ullong) +
	       capacity;
}

static bool is_capacity(uint64_t capacity)
{
	return capacity >= IPCDEMO_RING_MIN && capacity <= IPCDEMO_RING_MAX &&
	       !(capacity & (capacity - 1));
}

/* ---- waiting ----------------------------------------------------------------- */

void bell_ring(struct ipcdemo_region *r, struct bell *bell)
{
	uint32_t now;

	now = atomic_fetch_add_explicit(&bell->word, 0, memory_order_acq_rel);
	/* If it changes meanwhile another rings it, or nobody sleeps any more */
	if (now & 1 &&
	    atomic_compare_exchange_strong_explicit(&bell->word, &now, now + 1,
						    memory_order_acq_rel,
						    memory_order_relaxed))
		word_wake(r, &bell->word, INT_MAX);
}

/* How long a call waits, and in which way. */
struct patience {
	unsigned int how;
	clockid_t clock;
	const struct timespec *deadline;
	unsigned int looks;
};

static int patience(struct patience *p, unsigned int how,
		    const struct timespec *deadline)
{
	const unsigned int both = IPCDEMO_RING_NONBLOCK | IPCDEMO_RING_SPIN;

	if (how & ~(both | IPCDEMO_RING_REALTIME) || (how & both) == both)
		return -EINVAL;
	*p = (struct patience){
		.how = how,
		.clock = how & IPCDEMO_RING_REALTIME ? CLOCK_REALTIME
						     : CLOCK_MONOTONIC,
		.deadline = deadline,
	};
	return check_deadline(p->clock, deadline);
}

static void relax(void)
{
#if __has_builtin(__builtin_ia32_pause)
	__builtin_ia32_pause();
#else
	atomic_signal_fence(memory_order_seq_cst);
#endif
}

/* One turn of waiting without sleeping; the clock is looked at now and then. */
static int spin(struct patience *p)
{
	struct timespec now;

	relax();
	if (!p->deadline || p->looks++ % 64)
		return 0;
	clock_gettime(p->clock, &now);
	if (now.tv_sec < p->deadline->tv_sec ||
	    (now.tv_sec == p->deadline->tv_sec &&
	     now.tv_nsec < p->deadline->tv_nsec))
		return 0;
	return -ETIMEDOUT;
}

/*
 * Until attempt() says anything but -EAGAIN.  only: no other thread can sleep on
 * the bell.
 */
static int await(struct ipcdemo_ring *ring, struct bell *bell, bool only,
		 struct patience *p,
		 int (*attempt)(struct ipcdemo_ring *ring, void *with),
		 void *with)
{
	uint32_t heard;
	int ret;

	for (;;) {
		ret = attempt(ring, with);
		if (ret != -EAGAIN || p->how & IPCDEMO_RING_NONBLOCK)
			return ret;
		if (p->how & IPCDEMO_RING_SPIN) {
			ret = spin(p);
			if (ret)
				return ret;
			continue;
		}
		heard = bell_listen(bell);
		ret = attempt(ring, with);
		if (ret != -EAGAIN) {
			if (only)
				bell_quiet(bell, heard);
			return ret;
		}
		ret = word_wait(ring->region, &bell->word, heard, p->clock,
				p->deadline);
		if (ret && ret != -EAGAIN)
			return ret;
	}
}

/* ---- sending ----------------------------------------------------------------- */

static bool is_sender(const struct ipcdemo_ring *ring)
{
	return ring->role == ROLE_ALONE || ring->role == ROLE_MANY;
}

static void tell_receiver(struct ipcdemo_ring *ring)
{
	struct ring *at = ring->at;

	bell_ring(ring->region, &at->to_receiver);
}

/*
 * Is there room for that many cells from the tail on?  1; 0; -EBADMSG; -EAGAIN:
 * the tail is another by now.
 */
static int has_room(struct ipcdemo_ring *ring, uint64_t tail, uint32_t cells)
{
	unsigned long long old = tail;
	struct ring *at = ring->at;
	uint64_t head;

	/* Acquired: another may have looked for us */
	head = atomic_load_explicit(&at->seen, memory_order_acquire);
	if (tail - head <= cells_of(ring) &&
	    tail - head + cells <= cells_of(ring))
		return 1;
	/* Acquired: pairs with the release in advance() */
	head = atomic_load_explicit(&at->head, memory_order_acquire);
	if (head - tail - 1 < cells_of(ring)) {
		/* One alone was killed after READY, before the tail */
		atomic_compare_exchange_strong(&at->tail, &old, head);
		return -EAGAIN;
	}
	if (tail - head > cells_of(ring))
		return atomic_load(&at->tail) == tail ? -EBADMSG : -EAGAIN;
	atomic_store_explicit(&at->seen, head, memory_order_release);
	return tail - head + cells <= cells_of(ring);
}

/* What a sender wants, and gets. */
struct claim {
	uint32_t bytes;
	uint64_t position;
};

/* A record begins at the tail already, or did: the tail belongs behind it. */
static int move_tail(struct ipcdemo_ring *ring, uint64_t tail,
		     unsigned long long state)
{
	struct ring *at = ring->at;
	unsigned long long old = tail;
	uint32_t span = 1;

	if (type_of(state) != FREE) {
		if (!fits_at(ring, tail, state))
			return -EBADMSG;
		span = span_of(bytes_of(state));
	}
	/* If it fails another did it */
	atomic_compare_exchange_strong(&at->tail, &old, tail + span);
	return 0;
}

/* One of many: 0: claimed, the record and the tail; -EAGAIN: look again. */
static int claim_one(struct ipcdemo_ring *ring, uint64_t tail, uint32_t bytes)
{
	unsigned long long was = free_for(tail), mine;

	mine = state_of(CLAIMED, ring->pid, bytes);
	if (!atomic_compare_exchange_strong_explicit(state_at(ring, tail), &was,
						     mine, memory_order_acq_rel,
						     memory_order_relaxed))
		return -EAGAIN;
	return move_tail(ring, tail, mine);
}

/* Ends a claim of one of many as READY or GAP. */
static int settle(struct ipcdemo_ring *ring, uint64_t position,
		  uint32_t claimed, unsigned long long state)
{
	unsigned long long mine = state_of(CLAIMED, ring->pid, claimed);

	/* Released: pairs with the load in look() */
	if (atomic_compare_exchange_strong_explicit(state_at(ring, position),
						    &mine, state,
						    memory_order_release,
						    memory_order_relaxed))
		return 0;
	return -EBADMSG;
}

/* -EAGAIN: there is no room. */
static int try_claim(struct ipcdemo_ring *ring, void *with)
{
	uint32_t cells = cells_of(ring), span, rest;
	struct ring *at = ring->at;
	struct claim *c = with;
	unsigned long long state, gap;
	uint64_t tail;
	int ret;

	if (ring_broken(ring))
		return -EPIPE;
	span = span_of(c->bytes);
	for (;;) {
		tail = atomic_load_explicit(&at->tail, memory_order_acquire);
		rest = cells - index_of(ring, tail);
		ret = has_room(ring, tail, span <= rest ? span : rest + span);
		if (!ret)
			return -EAGAIN;
		if (ret == -EAGAIN)
			continue;
		if (ret < 0)
			return ret;
		state = atomic_load_explicit(state_at(ring, tail),
					     memory_order_acquire);
		/* Free for the next round: received, but the tail is behind */
		if (type_of(state) != FREE || state == free_for(tail + cells)) {
			ret = move_tail(ring, tail, state);
			if (ret)
				return ret;
			continue;
		}
		if (state != free_for(tail)) {
			if (atomic_load(&at->tail) == tail)
				return -EBADMSG;
			continue;
		}
		c->position = tail;
		gap = state_of(GAP, 0, rest * CELL);
		if (ring->role == ROLE_MANY) {
			ret = claim_one(ring, tail,
					span <= rest ? c->bytes : rest * CELL);
			if (ret == -EAGAIN)
				continue;
			if (ret || span <= rest)
				return ret;
			/* The tail has moved: the receiver may have it */
			ret = settle(ring, tail, rest * CELL, gap);
			if (ret)
				return ret;
			/* Others may have sent behind it */
			tell_receiver(ring);
			continue;
		}
		if (span <= rest)
			return 0;
		atomic_store_explicit(state_at(ring, tail), gap,
				      memory_order_release);
		atomic_store_explicit(&at->tail, tail + rest,
				      memory_order_relaxed);
	}
}

static int claim(struct ipcdemo_ring *ring, struct claim *c, size_t bytes,
		 struct patience *p)
{
	struct ring *at = ring->at;
	int ret;

	if (!is_sender(ring))
		return -EPERM;
	if (bytes > ipcdemo_ring_longest(ring))
		return -EMSGSIZE;
	c->bytes = bytes;
	ret = try_claim(ring, c);
	if (ret != -EAGAIN || p->how & IPCDEMO_RING_NONBLOCK)
		return ret;
	/* What was sent without telling must not be slept over */
	tell_receiver(ring);
	return await(ring, &at->to_senders, ring->role == ROLE_ALONE, p,
		     try_claim, c);
}

/* The record becomes the receiver's, who is not told yet. */
static int publish(struct ipcdemo_ring *ring, const struct claim *c,
		   uint32_t bytes)
{
	uint32_t claimed = span_of(c->bytes), used = span_of(bytes);
	unsigned long long ready = state_of(READY, 0, bytes);
	struct ring *at = ring->at;

	if (ring->role == ROLE_MANY) {
		/* Nobody looks at this one before the other is settled */
		if (used < claimed)
			atomic_store_explicit(state_at(ring,
						       c->position + used),
					      state_of(GAP, 0,
						       (claimed - used) * CELL),
					      memory_order_relaxed);
		return settle(ring, c->position, c->bytes, ready);
	}
	/* Released: pairs with the load in look() */
	atomic_store_explicit(state_at(ring, c->position), ready,
			      memory_order_release);
	atomic_store_explicit(&at->tail, c->position + used,
			      memory_order_relaxed);
	return 0;
}

int ipcdemo_ring_reserve(struct ipcdemo_ring *ring, size_t size,
			 unsigned int how, const struct timespec *deadline,
			 struct ipcdemo_ring_slot *slot)
{
	struct patience p;
	struct claim c;
	int err = patience(&p, how, deadline);

	if (!err)
		err = claim(ring, &c, size, &p);
	if (err)
		return err;
	*slot = (struct ipcdemo_ring_slot){
		.data = cell_at(ring, c.position),
		.size = size,
		.position = c.position,
	};
	return 0;
}

/* The slot is one of this handle's: alone, the one at the tail. */
static int check_slot(const struct ipcdemo_ring *ring,
		      const struct ipcdemo_ring_slot *slot)
{
	struct ring *at = ring->at;

	if (!is_sender(ring))
		return -EPERM;
	if (slot->size > ipcdemo_ring_longest(ring))
		return -EINVAL;
	if (ring->role == ROLE_ALONE &&
	    atomic_load_explicit(&at->tail, memory_order_relaxed) !=
		    slot->position)
		return -EINVAL;
	return span_of(slot->size) >
			       cells_of(ring) - index_of(ring, slot->position)
		       ? -EINVAL
		       : 0;
}

int ipcdemo_ring_commit(struct ipcdemo_ring *ring,
			const struct ipcdemo_ring_slot *slot, size_t size)
{
	int err = check_slot(ring, slot);

	if (err)
		return err;
	if (size > slot->size)
		return -EINVAL;
	err = publish(ring, &(struct claim){slot->size, slot->position}, size);
	if (!err)
		tell_receiver(ring);
	return err;
}

int ipcdemo_ring_abort(struct ipcdemo_ring *ring,
		       const struct ipcdemo_ring_slot *slot)
{
	int err = check_slot(ring, slot);

	if (err || ring->role == ROLE_ALONE)
		return err;
	err = settle(ring, slot->position, slot->size,
		     state_of(GAP, 0, span_of(slot->size) * CELL));
	if (!err)
		tell_receiver(ring);
	return err;
}

int ipcdemo_ring_send_many(struct ipcdemo_ring *ring,
			   const struct iovec *messages, unsigned int count,
			   unsigned int how, const struct timespec *deadline)
{
	struct patience p;
	struct claim c;
	unsigned int i;
	int err = patience(&p, how, deadline);

	if (!err && (!count || count > INT_MAX))
		err = -EINVAL;
	if (err)
		return err;
	for (i = 0; i < count; i++) {
		err = claim(ring, &c, messages[i].iov_len, &p);
		if (err)
			break;
		if (messages[i].iov_len)
			memcpy(cell_at(ring, c.position), messages[i].iov_base,
			       messages[i].iov_len);
		err = publish(ring, &c, messages[i].iov_len);
		if (err)
			break;
	}
	if (i)
		tell_receiver(ring);
	return i ? (int)i : err;
}

int ipcdemo_ring_send(struct ipcdemo_ring *ring, const void *data, size_t size,
		      unsigned int how, const struct timespec *deadline)
{
	const struct iovec one = {(void *)data, size};
	int ret = ipcdemo_ring_send_many(ring, &one, 1, how, deadline);

	return ret < 0 ? ret : 0;
}

/* ---- receiving --------------------------------------------------------------- */

/* The record there: its state, type FREE: none yet; -EBADMSG. */
static int look(const struct ipcdemo_ring *ring, uint64_t position,
		unsigned long long *state)
{
	*state = atomic_load_explicit(state_at(ring, position),
				      memory_order_acquire);
	if (type_of(*state) != FREE && !fits_at(ring, position, *state))
		return -EBADMSG;
	return 0;
}

/*
 * The cells of a record are nobody's, for the next round.  Its first one is the
 * last, so that who is killed here leaves a record or nothing of it: repair().
 */
static uint64_t set_free(const struct ipcdemo_ring *ring, uint64_t position,
			 unsigned long long state)
{
	uint32_t span = span_of(bytes_of(state)), i;

	for (i = span; i-- > 0;)
		atomic_store_explicit(state_at(ring, position + i),
				      free_for(position + i + cells_of(ring)),
				      i ? memory_order_relaxed
					: memory_order_release);
	return position + span;
}

/* All before it is received. */
static void advance(struct ipcdemo_ring *ring, uint64_t head)
{
	struct ring *at = ring->at;

	/* Released: pairs with has_room() */
	atomic_store_explicit(&at->head, head, memory_order_release);
	bell_ring(ring->region, &at->to_senders);
}

/* What a receiver wants, and gets. */
struct want {
	struct iovec *messages;
	unsigned int count;
	bool copy; /* or only say where they are */
};

/* As many messages as there are, or -EMSGSIZE, -EBADMSG; gaps go. */
static int gather(struct ipcdemo_ring *ring, const struct want *w, bool ended)
{
	struct ring *at = ring->at;
	uint64_t position, start;
	unsigned long long state;
	struct iovec *message;
	bool goes = true;
	unsigned int n = 0;
	size_t room;
	int err = 0;

	start = atomic_load_explicit(&at->head, memory_order_relaxed);
	position = start;
	/* A ring that is full and looked at only ends where it begins */
	while (n < w->count && position - start < cells_of(ring)) {
		err = look(ring, position, &state);
		if (err || type_of(state) == FREE)
			break;
		if (type_of(state) == CLAIMED) {
			if (!ended)
				break;
			/* Who claimed it has left */
			ring_abandon(ring, position, state);
			continue;
		}
		if (type_of(state) == READY) {
			message = &w->messages[n];
			room = message->iov_len;
			message->iov_len = bytes_of(state);
			if (w->copy && room < bytes_of(state)) {
				err = -EMSGSIZE;
				break;
			}
			if (!w->copy)
				message->iov_base = cell_at(ring, position);
			else if (bytes_of(state))
				memcpy(message->iov_base,
				       cell_at(ring, position),
				       bytes_of(state));
			n++;
			goes = w->copy;
		}
		if (goes)
			start = set_free(ring, position, state);
		position += span_of(bytes_of(state));
	}
	if (start != atomic_load_explicit(&at->head, memory_order_relaxed))
		advance(ring, start);
	return n ? (int)n : err;
}

/* -EAGAIN: nothing yet; 0: nothing any more. */
static int try_gather(struct ipcdemo_ring *ring, void *with)
{
	struct ring *at = ring->at;
	uint32_t left;
	int ret = gather(ring, with, false);

	if (ret)
		return ret;
	/* Acquired what those who left had sent: look again, then it is the end */
	if (!ring_ended(ring, &left))
		return -EAGAIN;
	ret = gather(ring, with, true);
	if (!ret)
		atomic_store_explicit(&at->end_seen, left,
				      memory_order_relaxed);
	return ret;
}

static int gather_or_wait(struct ipcdemo_ring *ring, struct want *w,
			  unsigned int how, const struct timespec *deadline)
{
	struct ring *at = ring->at;
	struct patience p;
	int err = patience(&p, how, deadline);

	if (!err && (!w->count || w->count > INT_MAX))
		err = -EINVAL;
	if (!err && ring->role != ROLE_RECEIVER)
		err = -EPERM;
	return err ?: await(ring, &at->to_receiver, true, &p, try_gather, w);
}

int ipcdemo_ring_receive_many(struct ipcdemo_ring *ring, struct iovec *messages,
			      unsigned int count, unsigned int how,
			      const struct timespec *deadline)
{
	struct want w = {messages, count, true};

	return gather_or_wait(ring, &w, how, deadline);
}

int ipcdemo_ring_receive(struct ipcdemo_ring *ring, void *data, size_t size,
			 size_t *length, unsigned int how,
			 const struct timespec *deadline)
{
	struct iovec one = {data, size};
	int ret = ipcdemo_ring_receive_many(ring, &one, 1, how, deadline);

	if (length && (ret == 1 || ret == -EMSGSIZE))
		*length = one.iov_len;
	return ret;
}

int ipcdemo_ring_peek(struct ipcdemo_ring *ring, struct iovec *messages,
		      unsigned int count, unsigned int how,
		      const struct timespec *deadline)
{
	struct want w = {messages, count, false};

	return gather_or_wait(ring, &w, how, deadline);
}

int ipcdemo_ring_release(struct ipcdemo_ring *ring, unsigned int count)
{
	struct ring *at = ring->at;
	unsigned long long state;
	uint64_t position;
	int err = 0;

	if (ring->role != ROLE_RECEIVER)
		return -EPERM;
	position = atomic_load_explicit(&at->head, memory_order_relaxed);
	for (;;) {
		err = look(ring, position, &state);
		if (err || type_of(state) == FREE || type_of(state) == CLAIMED)
			break;
		/* Gaps behind the last one go with it */
		if (type_of(state) == READY && !count)
			break;
		count -= type_of(state) == READY;
		position = set_free(ring, position, state);
	}
	advance(ring, position);
	return count ? err ?: -EINVAL : 0;
}

/* ---- the object ---------------------------------------------------------------- */

static void ring_start(void *where, uint32_t capacity)
{
	struct ring *at = where;
	uint32_t i;

	memset((unsigned char *)at + sizeof(at->header), 0,
	       sizeof(*at) - sizeof(at->header));
	at->capacity = capacity;
	for (i = 0; i < capacity / CELL; i++)
		atomic_init(&at->states[i], free_for(i));
}

void ring_look(const void *where, struct ipcdemo_object *o)
{
	const struct ring *at = where;
	uint64_t tail, head, joined;

	if (o->size < sizeof(*at)) {
		o->valid = 0;
		return;
	}
	o->count = *(const volatile uint32_t *)&at->capacity;
	head = atomic_load_explicit(&at->head, memory_order_acquire);
	tail = atomic_load_explicit(&at->tail, memory_order_relaxed);
	/* Two moments: between them may be more than is ever in it */
	tail = tail > head ? tail - head : 0;
	o->value = tail < o->count / CELL ? tail * CELL : o->count;
	joined = atomic_load_explicit(&at->joined, memory_order_relaxed);
	o->round = __builtin_popcountll(joined);
	o->waiters = (atomic_load(&at->to_receiver.word) & 1) +
		     (atomic_load(&at->to_senders.word) & 1);
}

uint64_t ipcdemo_ring_size(uint64_t capacity)
{
	return is_capacity(capacity) ? ring_bytes(capacity) : 0;
}

uint64_t ipcdemo_ring_longest(const struct ipcdemo_ring *ring)
{
	return ring->capacity / 2;
}

int ipcdemo_ring_attach(struct ipcdemo_region *r, uint64_t offset,
			struct ipcdemo_ring *ring)
{
	uint64_t capacity, size;
	void *at;
	int err;

	err = object_attach_any(r, offset, IPCDEMO_OBJECT_RING,
				sizeof(struct ring), ALIGNMENT, &size, &at);
	if (err)
		return err;
	capacity = *(volatile uint32_t *)&((struct ring *)at)->capacity;
	if (!is_capacity(capacity) || ring_bytes(capacity) != size)
		return -EBADMSG;
	*ring = (struct ipcdemo_ring){
		.region = r,
		.offset = offset,
		.at = at,
		.capacity = capacity,
	};
	return 0;
}

int ipcdemo_ring_init(struct ipcdemo_region *r, uint64_t offset,
		      const char *name, uint64_t capacity,
		      struct ipcdemo_ring *ring)
{
	struct object_new what = {
		.name = name,
		.kind = IPCDEMO_OBJECT_RING,
		.alignment = ALIGNMENT,
		.init = ring_start,
		.argument = capacity,
	};
	int err;

	if (!is_capacity(capacity))
		return -EINVAL;
	what.size = ring_bytes(capacity);
	err = object_make(r, offset, &what, &offset);
	return err ?: ipcdemo_ring_attach(r, offset, ring);
}

int ipcdemo_ring_find(struct ipcdemo_region *r, const char *name,
		      struct ipcdemo_ring *ring)
{
	uint64_t offset;
	int err = object_find(r, name, IPCDEMO_OBJECT_RING, &offset, NULL);

	return err ?: ipcdemo_ring_attach(r, offset, ring);
}

int ipcdemo_ring_destroy(struct ipcdemo_ring *ring)
{
	struct ring *at = ring->at;

	if (!ring->region->writable)
		return -EBADF;
	if (atomic_load(&at->joined) || atomic_load(&at->receiver))
		return -EBUSY;
	return object_remove(ring->region, ring->offset, IPCDEMO_OBJECT_RING);
}

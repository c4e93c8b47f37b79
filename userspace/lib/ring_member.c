// SPDX-License-Identifier: GPL-2.0
/*
 * Who sends into a ring and who receives from it: coming, going, dying
 *
 * A sender's process id stands in the table of senders, and its bit in `joined`:
 * id first and bit next when it comes, the other way round when it goes.  So a bit
 * that is set has an id, by which one who died can be found, and whoever has taken
 * an entry of the table owns its bit.  The last place is for one who is alone: with
 * its bit no other may be set, which compare-and-swap of all bits ensures.
 *
 * Before a bit is cleared, or the receiver's id, the count of those who left goes
 * up.  Who finds nobody there (acquired) also sees that count, and all that they
 * have sent: if it is not what it was, they were there and have gone.
 */
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "ring.h"

#define ALONE	   (SENDERS - 1)
#define BIT(place) (1ULL << (place))

/* Beside the id of one who takes away somebody that died. */
#define TAKES_AWAY 0x40000000U

/* Nobody has that id now; who has exited but was not waited for still has it. */
static bool is_gone(uint32_t pid)
{
	pid &= PID_MASK;
	return pid && kill(pid, 0) && errno == ESRCH;
}

bool ring_ended(const struct ipcdemo_ring *ring, uint32_t *left)
{
	struct ring *at = ring->at;

	if (atomic_load_explicit(&at->joined, memory_order_acquire))
		return false;
	*left = atomic_load_explicit(&at->left, memory_order_relaxed);
	return *left - ring->base >= ring->senders;
}

bool ring_broken(const struct ipcdemo_ring *ring)
{
	struct ring *at = ring->at;

	if (atomic_load_explicit(&at->receiver, memory_order_acquire))
		return false;
	return atomic_load_explicit(&at->receivers_left,
				    memory_order_relaxed) != ring->base;
}

void ring_abandon(const struct ipcdemo_ring *ring, uint64_t position,
		  unsigned long long state)
{
	unsigned long long old = position;
	uint32_t span = span_of(bytes_of(state));
	struct ring *at = ring->at;

	/* The tail first: nothing may be received that is not behind it */
	atomic_compare_exchange_strong(&at->tail, &old, position + span);
	atomic_compare_exchange_strong(state_at(ring, position), &state,
				       state_of(GAP, 0, span * CELL));
}

/* Ours, or of one who died and whose entry we took. */
static void clear_place(struct ring *at, unsigned int place)
{
	atomic_fetch_add(&at->left, 1);
	atomic_fetch_and(&at->joined, ~BIT(place));
	atomic_store(&at->senders[place], 0);
}

static bool take_away_sender(struct ipcdemo_ring *ring, unsigned int place)
{
	struct ring *at = ring->at;
	uint32_t pid = atomic_load(&at->senders[place]);

	if (!is_gone(pid) ||
	    !atomic_compare_exchange_strong(&at->senders[place], &pid,
					    (uint32_t)getpid() | TAKES_AWAY))
		return false;
	clear_place(at, place);
	return true;
}

static bool take_away_receiver(struct ipcdemo_ring *ring)
{
	struct ring *at = ring->at;
	uint32_t pid = atomic_load(&at->receiver);

	if (!is_gone(pid))
		return false;
	/* If it fails another did it, and this says once more that he left */
	atomic_fetch_add(&at->receivers_left, 1);
	return atomic_compare_exchange_strong(&at->receiver, &pid, 0);
}

static void tell_all(struct ipcdemo_ring *ring)
{
	struct ring *at = ring->at;

	bell_ring(ring->region, &at->to_receiver);
	bell_ring(ring->region, &at->to_senders);
}

/* The same for one who died, maybe after it had made a bell even, before it woke. */
static void tell_for_the_dead(struct ipcdemo_ring *ring)
{
	struct ring *at = ring->at;

	tell_all(ring);
	word_wake(ring->region, &at->to_receiver.word, INT_MAX);
	word_wake(ring->region, &at->to_senders.word, INT_MAX);
}

int ipcdemo_ring_recover(struct ipcdemo_ring *ring)
{
	struct ring *at = ring->at;
	unsigned long long state;
	uint64_t position, first;
	unsigned int place;
	int n = 0;

	if (!ring->region->writable)
		return -EBADF;
	/* While the dead are in the table nobody takes a reservation for the end */
	first = atomic_load_explicit(&at->head, memory_order_acquire);
	for (position = first; position - first < cells_of(ring);
	     position += span_of(bytes_of(state))) {
		state = atomic_load_explicit(state_at(ring, position),
					     memory_order_acquire);
		if (type_of(state) == FREE || !fits_at(ring, position, state))
			break;
		if (type_of(state) != CLAIMED || !is_gone(sender_of(state)))
			continue;
		ring_abandon(ring, position, state);
		n++;
	}
	for (place = 0; place < SENDERS; place++)
		n += take_away_sender(ring, place);
	n += take_away_receiver(ring);
	if (n)
		tell_for_the_dead(ring);
	return n;
}

/* Takes an entry of the table, that of one who died if need be. */
static bool take_place(struct ipcdemo_ring *ring, unsigned int place)
{
	struct ring *at = ring->at;
	uint32_t nobody = 0;

	if (atomic_load(&at->senders[place]))
		take_away_sender(ring, place);
	return atomic_compare_exchange_strong(&at->senders[place], &nobody,
					      ring->pid);
}

static int join_alone(struct ipcdemo_ring *ring)
{
	unsigned long long nobody = 0;
	struct ring *at = ring->at;
	unsigned int place;

	for (place = 0; place < ALONE; place++)
		take_away_sender(ring, place);
	if (!take_place(ring, ALONE))
		return -EBUSY;
	if (!atomic_compare_exchange_strong(&at->joined, &nobody, BIT(ALONE))) {
		atomic_store(&at->senders[ALONE], 0);
		return -EBUSY;
	}
	ring->place = ALONE;
	return 0;
}

static int join_many(struct ipcdemo_ring *ring)
{
	struct ring *at = ring->at;
	unsigned long long joined;
	unsigned int place;

	take_away_sender(ring, ALONE);
	for (place = 0; place < ALONE; place++)
		if (take_place(ring, place))
			break;
	if (place == ALONE)
		return -EBUSY;
	joined = atomic_load(&at->joined);
	do {
		if (joined & BIT(ALONE)) {
			atomic_store(&at->senders[place], 0);
			return -EBUSY;
		}
	} while (!atomic_compare_exchange_strong(&at->joined, &joined,
						 joined | BIT(place)));
	ring->place = place;
	return 0;
}

/*
 * A receiver was killed after it had made cells FREE, and before it moved the head
 * behind them.  Such cells are FREE for a position one round further.
 */
static void repair(struct ipcdemo_ring *ring)
{
	struct ring *at = ring->at;
	uint64_t head, first;

	first = atomic_load_explicit(&at->head, memory_order_acquire);
	for (head = first; head - first < cells_of(ring); head++)
		if (atomic_load_explicit(state_at(ring, head),
					 memory_order_acquire) !=
		    free_for(head + cells_of(ring)))
			break;
	atomic_store_explicit(&at->head, head, memory_order_release);
}

static int join_receiver(struct ipcdemo_ring *ring)
{
	struct ring *at = ring->at;
	uint32_t nobody = 0;

	take_away_receiver(ring);
	/* Acquired what the one before did */
	if (!atomic_compare_exchange_strong(&at->receiver, &nobody, ring->pid))
		return -EBUSY;
	repair(ring);
	ring->base = atomic_load(&at->end_seen);
	return 0;
}

int ipcdemo_ring_join_sender(struct ipcdemo_ring *ring, unsigned int flags)
{
	struct ring *at = ring->at;
	int err;

	if (flags & ~IPCDEMO_RING_MANY)
		return -EINVAL;
	if (!ring->region->writable)
		return -EBADF;
	if (ring->role != ROLE_NONE)
		return -EALREADY;
	ring->pid = getpid();
	ring->base = atomic_load(&at->receivers_left);
	err = flags & IPCDEMO_RING_MANY ? join_many(ring) : join_alone(ring);
	if (!err)
		ring->role = flags & IPCDEMO_RING_MANY ? ROLE_MANY : ROLE_ALONE;
	return err;
}

int ipcdemo_ring_join_receiver(struct ipcdemo_ring *ring, unsigned int senders)
{
	int err;

	if (!senders || senders > INT32_MAX)
		return -EINVAL;
	if (!ring->region->writable)
		return -EBADF;
	if (ring->role != ROLE_NONE)
		return -EALREADY;
	ring->pid = getpid();
	ring->senders = senders;
	err = join_receiver(ring);
	if (!err)
		ring->role = ROLE_RECEIVER;
	return err;
}

int ipcdemo_ring_leave(struct ipcdemo_ring *ring)
{
	struct ring *at = ring->at;

	if (ring->role == ROLE_NONE)
		return -EPERM;
	if (ring->role == ROLE_RECEIVER) {
		atomic_fetch_add(&at->receivers_left, 1);
		atomic_store(&at->receiver, 0);
	} else {
		clear_place(at, ring->place);
	}
	ring->role = ROLE_NONE;
	tell_all(ring);
	return 0;
}

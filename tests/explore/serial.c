// SPDX-License-Identifier: GPL-2.0
/* All serial orders of a scenario's calls, on a model of pipe(2) (serial.h). */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serial.h"

/* A pipe that nobody has open has as many. */
#define DEFAULT_SLOTS 16

#define NOBODY	      SCENARIO_TASKS

/* One slot: a stretch of a page, which begins at @offset. */
struct slot {
	unsigned int offset;
	unsigned int len;
	struct pieces bytes;
};

/*
 * A moment between two steps.  @inside is the task that is in the middle of a
 * call.  Nobody else goes on then but a poll, which asks for no lock, in pipe(2)
 * as here: it sees slot after slot of another call.
 */
struct moment {
	struct outcome so_far;
	struct slot slot[DEFAULT_SLOTS];
	bool signalled[SCENARIO_TASKS]; /* its call has a signal to see to */
	unsigned int inside;
	bool merged; /* it has looked whether its first bytes can be merged */
};

struct search {
	const struct scenario *scenario;
	struct outcomes found;
};

static void *must(void *memory)
{
	if (memory)
		return memory;
	fprintf(stderr, "explore: out of memory\n");
	exit(1);
}

unsigned char serial_byte(unsigned int source, unsigned int at)
{
	/* 61 does not divide a page: each slot of a write looks different. */
	return source * 64 + at % 61;
}

unsigned int serial_start(const struct scenario_task *task, unsigned int op)
{
	unsigned int start = 0, i;

	for (i = 0; i < op; i++)
		if (scenario_call(task->ops[i]) == CALL_WRITE)
			start += scenario_number(task->ops[i]);
	return start;
}

/* --- bytes --- */

static void add_piece(struct pieces *to, struct piece piece)
{
	struct piece *last = to->n ? &to->piece[to->n - 1] : NULL;

	if (!piece.len)
		return;
	if (last && last->source == piece.source &&
	    last->start + last->len == piece.start) {
		last->len += piece.len;
		return;
	}
	if (to->n == SERIAL_PIECES) {
		fprintf(stderr, "explore: SERIAL_PIECES is too small\n");
		exit(1);
	}
	to->piece[to->n++] = piece;
}

static void add_part(struct pieces *to, const struct piece *of,
		     unsigned int from, unsigned int len)
{
	struct piece part = {of->source, of->start + from, len};

	add_piece(to, part);
}

/* Moves the first @len bytes of a slot. */
static void take(struct slot *slot, struct pieces *to, unsigned int len)
{
	struct pieces old = slot->bytes;
	unsigned int i, part;

	slot->offset += len;
	slot->len -= len;
	memset(&slot->bytes, 0, sizeof(slot->bytes));
	for (i = 0; i < old.n; i++) {
		part = old.piece[i].len < len ? old.piece[i].len : len;
		add_part(to, &old.piece[i], 0, part);
		add_part(&slot->bytes, &old.piece[i], part,
			 old.piece[i].len - part);
		len -= part;
	}
}

static void drop_oldest(struct moment *now)
{
	now->so_far.used--;
	memmove(now->slot, now->slot + 1,
		now->so_far.used * sizeof(*now->slot));
	memset(&now->slot[now->so_far.used], 0, sizeof(*now->slot));
}

static void fill_slot(struct moment *now, struct piece piece)
{
	struct slot *slot = &now->slot[now->so_far.used++];

	memset(slot, 0, sizeof(*slot));
	slot->len = piece.len;
	add_piece(&slot->bytes, piece);
}

/* --- the calls; each returns whether the task goes on being inside --- */

static bool end_call(struct task_outcome *task, long result)
{
	task->result[task->done++] = result;
	task->partial = 0;
	task->blocked = false;
	return false;
}

/* Whether it may not wait: then the call ends so. */
static bool sleep_or_end(const struct scenario_task *task,
			 struct task_outcome *out)
{
	if (task->ends & ENDS_NONBLOCK)
		return end_call(out, out->partial ?: -EAGAIN);
	out->blocked = true;
	return false;
}

static bool read_step(struct moment *now, const struct scenario_task *task,
		      struct task_outcome *out, unsigned int number)
{
	struct pieces *got = &out->got[out->done];
	struct slot *oldest = &now->slot[0];
	unsigned int len;

	out->blocked = false;
	if (!now->so_far.used && !out->partial) {
		if (now->so_far.writers)
			return sleep_or_end(task, out);
		return end_call(out, 0);
	}
	len = number - out->partial;
	if (!now->so_far.used || !len)
		return end_call(out, out->partial);
	if (len > oldest->len)
		len = oldest->len;
	take(oldest, got, len);
	out->partial += len;
	if (!oldest->len)
		drop_oldest(now);
	return true;
}

/* Behind the bytes of the newest slot, if what is no whole page fits there. */
static bool merge(struct moment *now, struct piece piece)
{
	struct slot *newest;

	piece.len %= SCENARIO_PAGE;
	if (!piece.len || !now->so_far.used)
		return false;
	newest = &now->slot[now->so_far.used - 1];
	if (newest->offset + newest->len + piece.len > SCENARIO_PAGE)
		return false;
	add_piece(&newest->bytes, piece);
	newest->len += piece.len;
	return true;
}

static bool write_step(struct moment *now, unsigned int who,
		       const struct scenario_task *task,
		       struct task_outcome *out, unsigned int number)
{
	struct piece piece = {.source = who};
	bool first = !now->merged && !out->blocked;

	piece.start = serial_start(task, out->done) + out->partial;
	piece.len = number - out->partial;
	out->blocked = false;
	now->merged = true;
	if (!piece.len)
		return end_call(out, out->partial);
	if (!now->so_far.readers)
		return end_call(out, out->partial ?: -EPIPE);
	if (first && merge(now, piece)) {
		out->partial += piece.len % SCENARIO_PAGE;
		return true;
	}
	if (now->so_far.used >= now->so_far.slots)
		return sleep_or_end(task, out);
	if (piece.len > SCENARIO_PAGE)
		piece.len = SCENARIO_PAGE;
	fill_slot(now, piece);
	out->partial += piece.len;
	return true;
}

static bool close_step(struct moment *now, const struct scenario_task *task,
		       struct task_outcome *out)
{
	if (task->ends & ENDS_READ)
		now->so_far.readers--;
	if (task->ends & ENDS_WRITE)
		now->so_far.writers--;
	if (!now->so_far.readers && !now->so_far.writers) {
		now->so_far.used = 0;
		now->so_far.slots = DEFAULT_SLOTS;
		memset(now->slot, 0, sizeof(now->slot));
	}
	return end_call(out, 0);
}

static bool poll_step(struct moment *now, const struct scenario_task *task,
		      struct task_outcome *out)
{
	const struct outcome *pipe = &now->so_far;
	long ready = 0;

	if (task->ends & ENDS_READ) {
		ready |= pipe->used ? POLLIN : 0;
		ready |= pipe->writers ? 0 : POLLHUP;
	}
	if (task->ends & ENDS_WRITE) {
		ready |= pipe->used < pipe->slots ? POLLOUT : 0;
		ready |= pipe->readers ? 0 : POLLERR;
	}
	return end_call(out, ready);
}

static bool resize_step(struct moment *now, struct task_outcome *out,
			unsigned int slots)
{
	if (slots < now->so_far.used)
		return end_call(out, -EBUSY);
	now->so_far.slots = slots;
	return end_call(out, (long)slots * SCENARIO_PAGE);
}

/* --- the orders --- */

static enum scenario_call next_call(const struct search *search,
				    const struct moment *now, unsigned int who)
{
	const struct scenario_task *task = &search->scenario->tasks[who];
	unsigned int done = now->so_far.task[who].done;

	return done < SCENARIO_OPS ? scenario_call(task->ops[done]) : CALL_NONE;
}

/* What a task waits for in its call is there. */
static bool is_ready(const struct moment *now, enum scenario_call call)
{
	const struct outcome *pipe = &now->so_far;

	if (call == CALL_READ)
		return pipe->used || !pipe->writers;
	return pipe->used < pipe->slots || !pipe->readers;
}

static bool may_go(const struct search *search, const struct moment *now,
		   unsigned int who)
{
	enum scenario_call call = next_call(search, now, who);

	if (call == CALL_NONE)
		return false;
	if (now->inside != NOBODY)
		return now->inside == who || call == CALL_POLL;
	if (!now->so_far.task[who].blocked)
		return true;
	return now->signalled[who] || is_ready(now, call);
}

/*
 * What a signal may meet: a call of the task, or no call.  In its first call
 * each task is from the beginning; later it may be between two calls, where the
 * signal is over at once, or at the beginning of the next.
 */
enum meets { MEETS_CALL = 1, MEETS_NONE = 2 };

static unsigned int signal_meets(const struct search *search,
				 const struct moment *now, unsigned int who)
{
	const struct task_outcome *out = &now->so_far.task[who];

	switch (next_call(search, now, who)) {
	case CALL_NONE:
	case CALL_POLL:
	case CALL_SIGNAL:
		return MEETS_NONE;
	default:
		return out->done && !out->blocked ? MEETS_CALL | MEETS_NONE
						  : MEETS_CALL;
	}
}

static bool signal_step(struct moment *now, struct task_outcome *out,
			unsigned int target, enum meets meets)
{
	if (meets == MEETS_CALL)
		now->signalled[target] = true;
	return end_call(out, 0);
}

static void go(const struct search *search, struct moment *now,
	       unsigned int who, enum meets meets)
{
	const struct scenario_task *task = &search->scenario->tasks[who];
	struct task_outcome *out = &now->so_far.task[who];
	unsigned int done = out->done, op = task->ops[done];
	unsigned int number = scenario_number(op);
	bool inside = false;

	if (scenario_call(op) == CALL_POLL) {
		poll_step(now, task, out);
		return;
	}
	if (now->inside != who)
		now->merged = false;
	switch (scenario_call(op)) {
	case CALL_READ:
	case CALL_WRITE:
		if (out->blocked && !is_ready(now, scenario_call(op)))
			inside = end_call(out, out->partial ?: -EINTR);
		else if (scenario_call(op) == CALL_READ)
			inside = read_step(now, task, out, number);
		else
			inside = write_step(now, who, task, out, number);
		break;
	case CALL_CLOSE:
		inside = close_step(now, task, out);
		break;
	case CALL_RESIZE:
		inside = resize_step(now, out, number);
		break;
	case CALL_SIGNAL:
		inside = signal_step(now, out, number, meets);
		break;
	default:
		fprintf(stderr, "explore: the model does not know a call\n");
		exit(1);
	}
	now->inside = inside ? who : NOBODY;
	if (out->done != done)
		now->signalled[who] = false;
}

static void found(struct search *search, const struct moment *now)
{
	struct outcomes *all = &search->found;
	struct outcome outcome = now->so_far;
	struct slot slot;
	unsigned int i;
	size_t size;

	for (i = 0; i < outcome.used; i++) {
		slot = now->slot[i];
		take(&slot, &outcome.left, slot.len);
	}
	/* No padding is compared: these were zeroed and copied as a whole. */
	for (i = 0; i < all->n; i++)
		if (!memcmp(&all->outcome[i], &outcome, sizeof(outcome)))
			return;
	size = (all->n + 1) * sizeof(*all->outcome);
	all->outcome = must(realloc(all->outcome, size));
	memcpy(&all->outcome[all->n++], &outcome, sizeof(outcome));
}

static void go_on(struct search *search, const struct moment *now)
{
	unsigned int who, meets, ways;
	bool over = true;
	struct moment next;
	unsigned int op;

	for (who = 0; who < SCENARIO_TASKS; who++) {
		if (!may_go(search, now, who))
			continue;
		over = false;
		op = search->scenario->tasks[who]
			     .ops[now->so_far.task[who].done];
		ways = MEETS_NONE;
		if (scenario_call(op) == CALL_SIGNAL)
			ways = signal_meets(search, now, scenario_number(op));
		for (meets = MEETS_CALL; meets <= MEETS_NONE; meets++) {
			if (!(ways & meets))
				continue;
			memcpy(&next, now, sizeof(next));
			go(search, &next, who, meets);
			go_on(search, &next);
		}
	}
	if (over)
		found(search, now);
}

static void begin(struct moment *now, const struct scenario *scenario)
{
	struct pieces drained = {0};
	unsigned int at = 0, len, i;

	memset(now, 0, sizeof(*now));
	now->inside = NOBODY;
	now->so_far.slots = scenario->slots;
	for (at = 0; at < scenario->fill; at += len) {
		len = scenario->fill - at;
		if (len > SCENARIO_PAGE)
			len = SCENARIO_PAGE;
		fill_slot(now, (struct piece){SERIAL_FILL, at, len});
	}
	for (at = scenario->drain; at; at -= len) {
		len = now->slot[0].len < at ? now->slot[0].len : at;
		take(&now->slot[0], &drained, len);
		if (!now->slot[0].len)
			drop_oldest(now);
	}
	for (i = 0; i < SCENARIO_TASKS; i++) {
		if (!*scenario->tasks[i].name)
			continue;
		now->so_far.readers += !!(scenario->tasks[i].ends & ENDS_READ);
		now->so_far.writers += !!(scenario->tasks[i].ends & ENDS_WRITE);
	}
}

struct outcomes serial_outcomes(const struct scenario *scenario)
{
	struct search search = {.scenario = scenario};
	struct moment now;

	begin(&now, scenario);
	go_on(&search, &now);
	return search.found;
}

void serial_free(struct outcomes *outcomes)
{
	free(outcomes->outcome);
	*outcomes = (struct outcomes){0};
}

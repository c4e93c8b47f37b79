// SPDX-License-Identifier: GPL-2.0
/*
 * Looks at an object, and differences between them (see watch_history.h)
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "watch_history.h"

void watch_sample_free(struct watch_sample *sample)
{
	if (!sample)
		return;
	if (sample->kind == IPCDEMO_PIPE)
		ipcdemo_pipe_view_free(&sample->pipe);
	else
		ipcdemo_region_view_free(&sample->region);
	free(sample);
}

static size_t pipe_bytes(const struct ipcdemo_pipe_view *v)
{
	return v->slots * sizeof(*v->ring) + v->nwaiters * sizeof(*v->waiters) +
	       v->ncounters * sizeof(*v->counters);
}

static size_t region_bytes(const struct ipcdemo_region_view *v)
{
	return v->nruns * sizeof(*v->runs) + v->nfaults * sizeof(*v->faults) +
	       v->nwaiters * sizeof(*v->waiters) +
	       v->nwakes * sizeof(*v->wakes) + v->nowners * sizeof(*v->owners) +
	       v->neventfds * sizeof(*v->eventfds) +
	       v->ncounters * sizeof(*v->counters);
}

static size_t sample_bytes(const struct watch_sample *sample)
{
	return sizeof(*sample) + (sample->kind == IPCDEMO_PIPE
					  ? pipe_bytes(&sample->pipe)
					  : region_bytes(&sample->region));
}

static void drop_oldest(struct watch_history *h)
{
	h->bytes -= sample_bytes(*h->sample);
	watch_sample_free(*h->sample);
	h->sample++;
	h->n--;
}

/* Room for one more behind the last; those before the first are free places. */
static int make_room(struct watch_history *h)
{
	size_t first = h->n ? h->sample - h->memory : 0, room;
	struct watch_sample **more;

	if (first + h->n < h->room)
		return 0;
	if (first > h->n) {
		memmove(h->memory, h->sample, h->n * sizeof(*h->sample));
	} else {
		room = h->room ? 2 * h->room : 64;
		more = calloc(room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		if (h->n)
			memcpy(more, h->sample, h->n * sizeof(*more));
		free(h->memory);
		h->memory = more;
		h->room = room;
	}
	h->sample = h->memory;
	return 0;
}

int watch_history_add(struct watch_history *h, struct watch_sample *sample)
{
	if (make_room(h)) {
		watch_sample_free(sample);
		return -ENOMEM;
	}
	h->sample[h->n++] = sample;
	h->bytes += sample_bytes(sample);
	while (h->n > 2 &&
	       (sample->at - (*h->sample)->at > h->keep || h->bytes > h->most))
		drop_oldest(h);
	return 0;
}

void watch_history_free(struct watch_history *h)
{
	while (h->n)
		drop_oldest(h);
	free(h->memory);
	memset(h, 0, sizeof(*h));
}

/* How many samples are not newer than this look. */
static size_t samples_until(const struct watch_history *h, unsigned int look)
{
	size_t low = 0, high = h->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (h->sample[middle]->look <= look)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct watch_sample *watch_history_at(const struct watch_history *h,
					    unsigned int look)
{
	size_t n = samples_until(h, look);

	return n ? h->sample[n - 1] : NULL;
}

const struct watch_sample *
watch_history_before(const struct watch_history *h,
		     const struct watch_sample *sample)
{
	return watch_history_at(h, sample->look - 1);
}

unsigned int watch_history_step(const struct watch_history *h,
				unsigned int look, long by)
{
	long place;

	if (!h->n)
		return 0;
	place = (long)samples_until(h, look) - 1 + by;
	if (place < 0)
		place = 0;
	if (place >= (long)h->n)
		place = h->n - 1;
	return h->sample[place]->look;
}

const struct ipcdemo_counter *watch_counters(const struct watch_sample *sample,
					     size_t *n)
{
	if (sample->kind == IPCDEMO_PIPE) {
		*n = sample->pipe.ncounters;
		return sample->pipe.counters;
	}
	*n = sample->region.ncounters;
	return sample->region.counters;
}

static const struct ipcdemo_counter *find(const struct watch_sample *sample,
					  const char *point)
{
	const struct ipcdemo_counter *c;
	size_t n, i;

	c = watch_counters(sample, &n);
	for (i = 0; i < n; i++)
		if (!strcmp(c[i].point, point))
			return &c[i];
	return NULL;
}

/* Did one object make both?  Counters never go back, and stay in their order. */
static bool comparable(const struct watch_sample *before,
		       const struct watch_sample *now)
{
	const struct ipcdemo_counter *old, *new;
	size_t nold, nnew, i;

	if (!before || before->kind != now->kind || now->at <= before->at)
		return false;
	old = watch_counters(before, &nold);
	new = watch_counters(now, &nnew);
	if (nold != nnew)
		return false;
	for (i = 0; i < nnew; i++)
		if (strcmp(old[i].point, new[i].point) ||
		    new[i].count < old[i].count)
			return false;
	return true;
}

double watch_rate(const struct watch_sample *before,
		  const struct watch_sample *now, const char *point)
{
	const struct ipcdemo_counter *old, *new;

	if (!comparable(before, now))
		return WATCH_UNKNOWN;
	old = find(before, point);
	new = find(now, point);
	if (!old || !new)
		return WATCH_UNKNOWN;
	return (new->count - old->count) / (now->at - before->at);
}

size_t watch_changes(const struct watch_sample *before,
		     const struct watch_sample *now,
		     struct ipcdemo_counter *changes)
{
	const struct ipcdemo_counter *old, *new;
	size_t n, i, found = 0;

	if (!comparable(before, now))
		return 0;
	old = watch_counters(before, &n);
	new = watch_counters(now, &n);
	for (i = 0; i < n; i++) {
		if (new[i].count == old[i].count)
			continue;
		changes[found] = new[i];
		changes[found++].count -= old[i].count;
	}
	return found;
}

double watch_fill(const struct watch_sample *sample)
{
	const struct ipcdemo_region_view *r = &sample->region;

	if (sample->kind == IPCDEMO_PIPE)
		return sample->pipe.slots
			       ? (double)sample->pipe.used / sample->pipe.slots
			       : 0;
	if (!r->size || !r->page_size)
		return 0;
	return (double)r->pages * r->page_size / r->size;
}

const char *watch_number(double rate, char *buf, size_t size)
{
	static const char units[] = " kMGTPE";
	const char *unit = units;

	if (rate < 0) {
		snprintf(buf, size, "-");
		return buf;
	}
	if (rate < 9.95) {
		/* Something is never shown as nothing. */
		if (rate > 0 && rate < 0.1)
			snprintf(buf, size, "<0.1");
		else
			snprintf(buf, size, "%.*f", rate > 0, rate);
		return buf;
	}
	while (rate >= 9999.5 && unit[1]) {
		rate /= 1000;
		unit++;
	}
	if (unit == units)
		snprintf(buf, size, "%.0f", rate);
	else
		snprintf(buf, size, rate < 99.95 ? "%.1f%c" : "%.0f%c", rate,
			 *unit);
	return buf;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Looks at objects again and again (see watch.h)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "watch.h"

/* All that is remembered has at most so many bytes. */
#define MEMORY (64UL << 20)

double watch_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

struct watch_object *watch_object(struct watch *w, __u32 id)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (w->objects[i].id == id)
			return &w->objects[i];
	return NULL;
}

static void forget(struct watch *w, struct watch_object *o)
{
	watch_history_free(&o->history);
	w->n--;
	memmove(o, o + 1, (w->objects + w->n - o) * sizeof(*o));
}

/* The one that will be missed least. */
static struct watch_object *least_wanted(struct watch *w)
{
	struct watch_object *o, *least = NULL;

	for (o = w->objects; o < w->objects + w->n; o++) {
		if (o->id == w->chosen)
			continue;
		if (!least || o->gone > least->gone ||
		    (o->gone == least->gone && o->wanted < least->wanted))
			least = o;
	}
	return least;
}

struct watch_object *watch_follow(struct watch *w, enum ipcdemo_kind kind,
				  __u32 id)
{
	struct watch_object *o = watch_object(w, id);

	if (o)
		return o;
	if (w->n == WATCH_OBJECTS)
		forget(w, least_wanted(w));
	for (o = w->objects; o < w->objects + w->n && o->id < id; o++)
		;
	memmove(o + 1, o, (w->objects + w->n - o) * sizeof(*o));
	w->n++;
	*o = (struct watch_object){
		.id = id,
		.kind = kind,
		.wanted = w->look,
		.history = {.keep = w->keep, .most = MEMORY / WATCH_OBJECTS},
	};
	return o;
}

/* While there is room, or something that is gone makes some. */
static void follow_all(struct watch *w, enum ipcdemo_kind kind,
		       const struct ipcdemo_table *table)
{
	size_t row;
	__u32 id;

	for (row = 0; row < table->rows; row++) {
		if (!parse_number(ipcdemo_cell(table, row, "id") ?: "", &id) ||
		    watch_object(w, id))
			continue;
		if (w->n < WATCH_OBJECTS || least_wanted(w)->gone)
			watch_follow(w, kind, id);
	}
}

static int list(struct watch *w)
{
	struct ipcdemo_table pipes, regions;
	int err;

	err = ipcdemo_list(w->cli->ipc, IPCDEMO_PIPE, &pipes);
	/* Says so if it is the module that is not there. */
	if (err)
		return ipcdemo_check(w->cli->ipc) ?: err;
	err = ipcdemo_list(w->cli->ipc, IPCDEMO_REGION, &regions);
	if (err) {
		ipcdemo_table_free(&pipes);
		return ipcdemo_check(w->cli->ipc) ?: err;
	}
	ipcdemo_table_free(&w->pipes);
	ipcdemo_table_free(&w->regions);
	w->pipes = pipes;
	w->regions = regions;
	return 0;
}

static int look_at(struct watch *w, struct watch_object *o)
{
	struct watch_sample *sample = calloc(1, sizeof(*sample));
	int err;

	if (!sample)
		return -ENOMEM;
	sample->look = w->look;
	sample->kind = o->kind;
	sample->at = watch_clock() - w->began;
	err = o->kind == IPCDEMO_PIPE
		      ? ipcdemo_pipe_view(w->cli->ipc, o->id, &sample->pipe)
		      : ipcdemo_region_view(w->cli->ipc, o->id,
					    &sample->region);
	if (err) {
		free(sample);
		/* EIO: its file goes away just now. */
		o->gone = err == -ENOENT || err == -EIO;
		if (!o->gone)
			return err;
		/* If the module went, it is not the object that is missed. */
		return ipcdemo_check(w->cli->ipc);
	}
	o->gone = false;
	return watch_history_add(&o->history, sample);
}

/* The points before the states that they have led to. */
static void take_points(struct watch *w)
{
	__u32 ids[WATCH_OBJECTS];
	size_t i;

	for (i = 0; i < w->n; i++)
		ids[i] = w->objects[i].id;
	if (!watch_points_take(w->points, w->look) &&
	    !watch_points_of(w->points, ids, w->n))
		return;
	watch_points_end(w->points);
	w->points = NULL;
	snprintf(w->no_points, sizeof(w->no_points), "tracefs failed");
}

int watch_look(struct watch *w)
{
	struct watch_object *o;
	int err = list(w);

	if (!w->look++)
		w->began = watch_clock();
	w->at = watch_clock() - w->began;
	if (!err && !w->named) {
		follow_all(w, IPCDEMO_PIPE, &w->pipes);
		follow_all(w, IPCDEMO_REGION, &w->regions);
	}
	if (!err && w->points)
		take_points(w);
	for (o = w->objects; o < w->objects + w->n && !err; o++)
		err = look_at(w, o);
	return err;
}

void watch_end(struct watch *w)
{
	watch_points_end(w->points);
	while (w->n)
		forget(w, w->objects);
	ipcdemo_table_free(&w->pipes);
	ipcdemo_table_free(&w->regions);
}

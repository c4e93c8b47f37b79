// SPDX-License-Identifier: GPL-2.0
/*
 * watch: objects while they change, on a screen or frame by frame
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "watch.h"

/**
 * struct request - what was asked for
 * @batch:	print so many frames; 0: the screen
 * @json:	as JSON Lines
 */
struct request {
	__u32 batch;
	bool json;
};

/* ---- frames for programs -------------------------------------------------- */

static json_object *json_double(double value)
{
	return value < 0 ? NULL : json_object_new_double(value);
}

static void add_waiter(json_object *list, const struct ipcdemo_waiter *w,
		       const __u64 *word)
{
	json_object *o = json_object_new_object();

	if (word)
		add_number(o, "offset", *word);
	add_string(o, "point", w->point);
	add_number(o, "pid", w->pid);
	add_string(o, "command", w->command);
	json_object_object_add(o, "seconds", json_double(w->seconds));
	add_string(o, "state", w->state);
	json_object_array_add(list, o);
}

static void add_pipe(json_object *o, const struct ipcdemo_pipe_view *v)
{
	json_object *waiters = json_object_new_array();
	size_t i;

	add_string(o, "kind", "pipe");
	add_number(o, "id", v->id);
	add_string(o, "name", v->name);
	add_number(o, "capacity", v->capacity);
	add_number(o, "slots", v->slots);
	add_number(o, "used", v->used);
	add_number(o, "bytes", v->bytes);
	add_number(o, "head", v->head);
	add_number(o, "tail", v->tail);
	add_number(o, "readers", v->readers);
	add_number(o, "writers", v->writers);
	add_string(o, "snapshot", v->snapshot);
	for (i = 0; i < v->nwaiters; i++)
		add_waiter(waiters, &v->waiters[i], NULL);
	json_object_object_add(o, "waiters", waiters);
}

static void add_region(json_object *o, const struct ipcdemo_region_view *v)
{
	json_object *waiters = json_object_new_array();
	size_t i;

	add_string(o, "kind", "region");
	add_number(o, "id", v->id);
	add_string(o, "name", v->name);
	add_number(o, "size", v->size);
	add_number(o, "pages", v->pages);
	add_number(o, "files", v->files);
	add_number(o, "maps", v->maps);
	for (i = 0; i < v->nwaiters; i++)
		add_waiter(waiters, &v->waiters[i].task, &v->waiters[i].offset);
	json_object_object_add(o, "waiters", waiters);
}

/* Each point that is counted, and how often a second since the look before. */
static json_object *json_rates(const struct watch_history *h,
			       const struct watch_sample *s)
{
	const struct watch_sample *before = watch_history_before(h, s);
	json_object *rates = json_object_new_object();
	const struct ipcdemo_counter *c;
	size_t n, i;

	c = watch_counters(s, &n);
	for (i = 0; i < n; i++)
		json_object_object_add(rates, c[i].point,
				       json_double(watch_rate(before, s,
							      c[i].point)));
	return rates;
}

static int put_json_line(const struct watch_object *o,
			 const struct watch_sample *s)
{
	json_object *object = json_object_new_object();
	const char *line;
	int status = DONE;

	add_number(object, "look", s->look);
	json_object_object_add(object, "seconds", json_double(s->at));
	json_object_object_add(object, "gone",
			       json_object_new_boolean(o->gone));
	if (s->kind == IPCDEMO_PIPE)
		add_pipe(object, &s->pipe);
	else
		add_region(object, &s->region);
	json_object_object_add(object, "rates",
			       o->gone ? NULL : json_rates(&o->history, s));
	line = json_object_to_json_string_ext(object,
					      JSON_C_TO_STRING_PLAIN |
						      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (line)
		puts(line);
	else
		status = fail("out of memory");
	json_object_put(object);
	return status;
}

/* ---- frames ------------------------------------------------------------------ */

static int width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	__u32 n;

	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	if (columns && parse_number(columns, &n) && n >= 20 && n <= 1000)
		return n;
	return 80;
}

static int put_frame(struct watch *w, const struct watch_object *o,
		     const struct request *want)
{
	const struct watch_sample *s = watch_history_at(&o->history, w->look);
	char where[64];
	struct watch_frame frame = {
		.style = &w->cli->style,
		.columns = width(),
		.rows = INT_MAX,
		.history = &o->history,
		.now = s,
		.where = where,
		.lone = true,
	};

	if (!s)
		return DONE;
	if (want->json)
		return put_json_line(o, s);
	snprintf(where, sizeof(where), "%slook %u, %.2f s",
		 o->gone ? "GONE, last seen at " : "", s->look, s->at);
	if (watch_draw(stdout, &frame))
		return fail("out of memory");
	putchar('\n');
	return DONE;
}

/* Up to the time of the next look, or a signal. */
static void wait_until(double when)
{
	double left;

	while (!interrupted() && (left = when - watch_clock()) > 0)
		poll(NULL, 0, left < 1000 ? left * 1000 + 1 : 1000000);
}

static int batch(struct watch *w, const struct request *want)
{
	double next = watch_clock();
	int status = DONE;
	size_t i, there;

	while (status == DONE && !interrupted()) {
		if (watch_look(w))
			return fail_ipc(w->cli);
		for (i = there = 0; i < w->n && status == DONE; i++) {
			there += !w->objects[i].gone;
			status = put_frame(w, &w->objects[i], want);
		}
		if (fflush(stdout))
			break; /* main() says why */
		/* Of all objects there will be others, unless the module goes. */
		if (!there && w->named)
			return fail("nothing is left to look at");
		if (w->look == want->batch)
			break;
		next += w->interval;
		if (next < watch_clock())
			next = watch_clock();
		wait_until(next);
	}
	return status;
}

/* ---- the command --------------------------------------------------------------- */

static int follow_words(struct watch *w, char **words, int n)
{
	enum ipcdemo_kind kind;
	__u32 id;
	int i, err;

	if (n > WATCH_OBJECTS)
		return usage(w->cli, "watch: %d objects at most",
			     WATCH_OBJECTS);
	w->named = n;
	for (i = 0; i < n; i++) {
		err = find_object(w->cli, words[i], &kind, &id);
		if (err)
			return err;
		watch_follow(w, kind, id);
		if (!i)
			w->chosen = id;
	}
	if (!n && ipcdemo_default(w->cli->ipc, IPCDEMO_PIPE, &w->chosen))
		return fail_ipc(w->cli);
	if (!n)
		watch_follow(w, IPCDEMO_PIPE, w->chosen);
	return 0;
}

static int watch_words(struct watch *w, char **words, int n,
		       const struct request *want)
{
	int status;

	if (!want->batch && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
		return usage(w->cli,
			     "watch needs a terminal on standard input and output; --batch COUNT prints frames");
	status = follow_words(w, words, n);
	if (!status) {
		note_signals();
		status = want->batch ? batch(w, want) : watch_screen(w);
	}
	watch_end(w);
	return end_by_signal(status);
}

int cmd_watch(struct cli *cli, int argc, char **argv)
{
	struct watch w = {.cli = cli, .interval = 0.5, .keep = 60};
	struct request want = {0};
	int id;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case 'b':
			if (parse_number(optarg, &want.batch))
				break;
			return usage(cli, "'%s' is no number of frames",
				     optarg);
		case 'n':
			if (parse_seconds(optarg, &w.interval) &&
			    w.interval >= 0.01)
				break;
			return usage(cli,
				     "'%s' is no number of seconds from 0.01 on",
				     optarg);
		case OPT_COUNTS:
			w.counts = true;
			break;
		case OPT_HISTORY:
			if (parse_seconds(optarg, &w.keep))
				break;
			return usage(cli, "'%s' is no number of seconds",
				     optarg);
		case OPT_JSON:
			want.json = true;
			break;
		case OPT_COLOR:
			if (set_color(cli, optarg))
				break;
			return usage(cli, "--color is auto, always or never");
		default:
			return USAGE;
		}
	}
	if (want.json && !want.batch)
		return usage(cli, "--json needs --batch COUNT");
	return watch_words(&w, argv + optind, argc - optind, &want);
}

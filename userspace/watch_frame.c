// SPDX-License-Identifier: GPL-2.0
/*
 * A look at an object as text, for the screen and for scripts (see watch.h)
 *
 * From top to bottom: a title; the state in numbers; the ring, or the pages;
 * rates; who waits; how full it was at each look; the slots, if there is room;
 * the points that were passed.  With few rows parts are left out, those first that
 * say least.  The ring, rates and so on have as many lines in each frame, so that
 * nothing jumps while it changes.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "watch.h"

/* In front of the points that a look has seen: when. */
#define TIME_WIDTH  9

/* Rates: what they are of, and a column. */
#define LABEL_WIDTH 9
#define RATE_WIDTH  10

/* So many lines of who waits come before rates and points. */
#define WAITER_ROWS 4

/* Slots one by one are shown unasked if so many lines of points remain. */
#define LOG_ROWS    6

const char *watch_safe(const char *text, char *buf, size_t size)
{
	size_t i;

	for (i = 0; text[i] && i + 1 < size; i++)
		buf[i] = isprint((unsigned char)text[i]) ? text[i] : '?';
	buf[i] = '\0';
	return buf;
}

/* ---- lines that are filled word by word ------------------------------------- */

/**
 * struct flow - text that goes on in the next line if it does not fit
 * @indent:	how far these lines are to the right
 * @column:	where it stands
 * @first:	nothing but the indent is in the line yet
 */
struct flow {
	FILE *to;
	int columns;
	int indent;
	int column;
	bool first;
};

/* Something that stays together, and what is between it and the one before. */
__printf(3, 4) static void flow(struct flow *f, const char *between,
				const char *fmt, ...)
{
	char text[200];
	va_list ap;
	int len;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	len = strlen(text);
	if (f->first) {
		between = "";
	} else if (f->column + (int)strlen(between) + len > f->columns) {
		/* What is between ends the line, but for its space. */
		fprintf(f->to, "%.*s\n%*s", (int)strcspn(between, " "), between,
			f->indent, "");
		f->column = f->indent;
		between = "";
	}
	fprintf(f->to, "%s%s", between, text);
	f->column += strlen(between) + len;
	f->first = false;
}

static struct flow begin_flow(const struct watch_frame *f, FILE *to,
			      const char *label)
{
	struct flow flow = {
		.to = to,
		.columns = f->columns,
		.indent = 4,
		.column = 2,
		.first = true,
	};

	if (*label) {
		fprintf(to, "%s%s%s ", paint(f->style, PAINT_BOLD), label,
			paint(f->style, PAINT_NONE));
		flow.column = strlen(label) + 1;
	} else {
		fprintf(to, "%*s", flow.column, "");
	}
	return flow;
}

static void end_flow(struct flow *f, const char *if_empty)
{
	fprintf(f->to, "%s\n", f->first ? if_empty : "");
}

/* ---- parts --------------------------------------------------------------------- */

static void put_title(const struct watch_frame *f, FILE *to)
{
	const struct watch_sample *s = f->now;
	char name[200], left[260];
	int room = f->columns - (int)strlen(f->where) - 1;

	if (s->kind == IPCDEMO_PIPE)
		snprintf(left, sizeof(left), "pipe %u  %s", s->pipe.id,
			 watch_safe(s->pipe.name, name, sizeof(name)));
	else
		snprintf(left, sizeof(left), "region %u  %s", s->region.id,
			 watch_safe(s->region.name, name, sizeof(name)));
	if (room < 0)
		room = 0;
	fprintf(to, "%s%-*.*s %s%s\n", paint(f->style, PAINT_REVERSE), room,
		room, left, f->where, paint(f->style, PAINT_NONE));
}

/* Two lines, so that a number which gets longer moves nothing. */
static void put_state(const struct watch_frame *f, FILE *to)
{
	const struct ipcdemo_pipe_view *p = &f->now->pipe;
	const struct ipcdemo_region_view *r = &f->now->region;
	struct flow line = begin_flow(f, to, "");

	if (f->now->kind == IPCDEMO_PIPE) {
		flow(&line, "", "%u of %u slots, %llu of %llu bytes", p->used,
		     p->slots, p->bytes, p->capacity);
		end_flow(&line, "");
		line = begin_flow(f, to, "");
		flow(&line, "; ", "readers %u, writers %u", p->readers,
		     p->writers);
		flow(&line, "; ", "tail %u, head %u", p->tail, p->head);
		if (!strcmp(p->snapshot, "torn"))
			flow(&line, "; ", "torn");
	} else {
		flow(&line, "", "%llu bytes, %llu of %llu pages are there",
		     r->size, r->pages,
		     r->page_size ? (r->size + r->page_size - 1) / r->page_size
				  : 0);
		end_flow(&line, "");
		line = begin_flow(f, to, "");
		flow(&line, "; ", "files %u, mappings %u", r->files, r->maps);
		if (strcmp(r->seals, "-"))
			flow(&line, "; ", "seals %s", r->seals);
	}
	end_flow(&line, "");
}

/* How a page is; '\0': it is behind the end. */
static char page_state(const struct ipcdemo_region_view *r, __u64 page,
		       size_t *run)
{
	while (*run < r->nruns && r->runs[*run].last < page)
		++*run;
	if (*run == r->nruns || r->runs[*run].first > page)
		return '?'; /* the file said that there is more */
	if (!strcmp(r->runs[*run].state, "there"))
		return '#';
	return strcmp(r->runs[*run].state, "large") ? '.' : '=';
}

/* The pages from first to last in one cell: what is there is seen. */
static char pages_cell(const struct ipcdemo_region_view *r, __u64 first,
		       __u64 last, size_t *run)
{
	char cell = page_state(r, first, run), other;

	/* From run to run: there may be very many pages. */
	while (*run < r->nruns && r->runs[*run].last < last) {
		first = r->runs[*run].last + 1;
		other = page_state(r, first, run);
		if (cell == '.' || other == '#')
			cell = other;
	}
	return cell;
}

static void put_pages(const struct watch_frame *f, FILE *to)
{
	const struct ipcdemo_region_view *r = &f->now->region;
	__u64 pages =
		r->page_size ? (r->size + r->page_size - 1) / r->page_size : 0;
	__u64 cells = f->columns > 6 ? f->columns - 6 : 1, i;
	size_t run = 0;

	if (cells > pages)
		cells = pages;
	fprintf(to, "  pages: . not there, # there, = in a large folio\n  |");
	for (i = 0; i < cells; i++)
		fputc(pages_cell(r, i * pages / cells,
				 (i + 1) * pages / cells - 1, &run),
		      to);
	fputs("|\n", to);
}

static void put_ring(const struct watch_frame *f, FILE *to)
{
	if (f->now->kind == IPCDEMO_PIPE)
		draw_strip(to, f->style, &f->now->pipe, f->columns);
	else
		put_pages(f, to);
}

/* A table of rates; columns that do not fit are left out. */
struct rates {
	const char *label;
	const char *points[5];
};

static void put_rate_rows(const struct watch_frame *f, FILE *to,
			  const char *const *header, const struct rates *rows,
			  size_t n)
{
	const struct watch_sample *before =
		watch_history_before(f->history, f->now);
	char number[16];
	size_t i, c;

	fprintf(to, "%s%-*s", paint(f->style, PAINT_BOLD), LABEL_WIDTH,
		"  rates");
	for (i = 0; i <= n; i++) {
		if (i)
			fprintf(to, "  %-*s", LABEL_WIDTH - 2,
				rows[i - 1].label);
		for (c = 0; c < 5; c++) {
			if (LABEL_WIDTH + (int)(c + 1) * RATE_WIDTH >=
			    f->columns)
				break;
			fprintf(to, "%*s", RATE_WIDTH,
				!i ? header[c]
				   : watch_number(watch_rate(before, f->now,
							     rows[i - 1]
								     .points[c]),
						  number, sizeof(number)));
		}
		fprintf(to, "%s\n", i ? "" : paint(f->style, PAINT_NONE));
	}
}

static void put_rates(const struct watch_frame *f, FILE *to)
{
	static const char *const pipe_header[] = {"bytes/s", "calls/s",
						  "sleeps/s", "wakes/s",
						  "woken/s"};
	static const struct rates pipe_rows[] = {
		{"writers",
		 {"write.copy", "write.enter", "write.wait", "wake.writers",
		  "write.woken"}},
		{"readers",
		 {"read.copy", "read.enter", "read.wait", "wake.readers",
		  "read.woken"}},
	};
	static const char *const region_header[] = {"faults/s", "read B/s",
						    "write B/s", "waits/s",
						    "wakes/s"};
	static const struct rates region_rows[] = {
		{"region",
		 {"map.fault", "region.read", "region.write", "word.wait",
		  "word.wake"}},
	};

	if (f->now->kind == IPCDEMO_PIPE)
		put_rate_rows(f, to, pipe_header, pipe_rows,
			      ARRAY_SIZE(pipe_rows));
	else
		put_rate_rows(f, to, region_header, region_rows,
			      ARRAY_SIZE(region_rows));
}

static void put_queue(const struct watch_frame *f, FILE *to, const char *label,
		      const char *point)
{
	const struct ipcdemo_pipe_view *v = &f->now->pipe;
	struct flow line = begin_flow(f, to, label);
	const struct ipcdemo_waiter *w;
	char command[32];
	size_t i;

	for (i = 0; i < v->nwaiters; i++) {
		w = &v->waiters[i];
		if (strcmp(w->point, point))
			continue;
		flow(&line, ", ", "%s (%d)",
		     watch_safe(w->command, command, sizeof(command)), w->pid);
		flow(&line, " ", "%s %.1f s", w->state, w->seconds);
	}
	end_flow(&line, "nobody");
}

static void put_words(const struct watch_frame *f, FILE *to)
{
	const struct ipcdemo_region_view *r = &f->now->region;
	char command[32], other[32];
	struct flow line = begin_flow(f, to, "  wait for words:");
	const struct ipcdemo_wake_up *u;
	const struct ipcdemo_waiter *w;
	const struct ipcdemo_fault *t;
	size_t i;

	for (i = 0; i < r->nwaiters; i++) {
		w = &r->waiters[i].task;
		flow(&line, ", ", "at %llu %s (%d)", r->waiters[i].offset,
		     watch_safe(w->command, command, sizeof(command)), w->pid);
		flow(&line, " ", "%s %.1f s", w->state, w->seconds);
	}
	end_flow(&line, "nobody");
	line = begin_flow(f, to, "  last wake-up:");
	if (r->nwakes) {
		u = &r->wakes[r->nwakes - 1];
		flow(&line, "", "at %llu %s (%d) woke %s (%d)", u->offset,
		     watch_safe(u->waker_command, command, sizeof(command)),
		     u->waker,
		     watch_safe(u->woken_command, other, sizeof(other)),
		     u->woken);
		flow(&line, " ", "after %.3f s, %.1f s ago", u->waited,
		     u->seconds);
	}
	end_flow(&line, "none");
	line = begin_flow(f, to, "  last fault:");
	if (r->nfaults) {
		t = &r->faults[r->nfaults - 1];
		flow(&line, "", "page %llu, %s by %s (%d), %.1f s ago", t->page,
		     t->access,
		     watch_safe(t->command, command, sizeof(command)), t->pid,
		     t->seconds);
	}
	end_flow(&line, "none");
	if (!r->nowners)
		return;
	line = begin_flow(f, to, "  owners of locks:");
	for (i = 0; i < r->nowners; i++)
		flow(&line, ", ", "%s (%d)",
		     watch_safe(r->owners[i].command, command, sizeof(command)),
		     r->owners[i].pid);
	end_flow(&line, "");
}

static void put_waiters(const struct watch_frame *f, FILE *to)
{
	if (f->now->kind != IPCDEMO_PIPE) {
		put_words(f, to);
		return;
	}
	put_queue(f, to, "  readers wait:", "read.wait");
	put_queue(f, to, "  writers wait:", "write.wait");
	if (ipcdemo_waiting(&f->now->pipe, "open.wait"))
		put_queue(f, to, "  in open:", "open.wait");
}

/* One character: '.' nothing, 1 to 9 tenths of it, '#' full. */
static char fill_mark(const struct watch_sample *s)
{
	double fill = watch_fill(s);

	if (fill <= 0)
		return '.';
	return fill >= 1 ? '#' : '1' + (int)(fill * 9);
}

/* A mark for each look, up to the newest; that of this one stands out. */
static void put_past(const struct watch_frame *f, FILE *to)
{
	const struct watch_history *h = f->history;
	int room = f->columns - 12, place, first, i;

	for (place = 0; h->sample[place] != f->now; place++)
		;
	first = (int)h->n > room ? (int)h->n - room : 0;
	if (place < first)
		first = place;
	fputs("  fill |", to);
	for (i = first; i < (int)h->n && i < first + room; i++) {
		/* In words: between brackets, also where there is no reverse. */
		if (i == place && !f->lone)
			fprintf(to, "[%s%c%s]", paint(f->style, PAINT_REVERSE),
				fill_mark(h->sample[i]),
				paint(f->style, PAINT_NONE));
		else
			fputc(fill_mark(h->sample[i]), to);
	}
	fputs("|\n", to);
}

static void put_slots(const struct watch_frame *f, FILE *to)
{
	if (f->now->kind == IPCDEMO_PIPE)
		draw_ring(to, f->style, &f->now->pipe, true);
}

/* ---- points that were passed ---------------------------------------------------- */

static int count_lines(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* What changed from the look before to this one; nothing if nothing did. */
static void put_changes(const struct watch_frame *f, FILE *to,
			const struct watch_sample *s)
{
	struct flow line = {.to = to,
			    .columns = f->columns,
			    .indent = TIME_WIDTH + 1,
			    .column = TIME_WIDTH + 1,
			    .first = true};
	struct ipcdemo_counter *changes;
	size_t n, i;

	watch_counters(s, &n);
	changes = calloc(n + 1, sizeof(*changes));
	if (!changes)
		return;
	n = watch_changes(watch_history_before(f->history, s), s, changes);
	if (n)
		fprintf(to, "%*.2f ", TIME_WIDTH, s->at);
	for (i = 0; i < n; i++)
		flow(&line, ", ", "%s +%llu%s", changes[i].point,
		     changes[i].count,
		     strcmp(changes[i].unit, "bytes") ? "" : " bytes");
	if (n)
		end_flow(&line, "");
	free(changes);
}

/* What one task did. */
static void put_point(const struct watch_frame *f, FILE *to,
		      const struct watch_point *p)
{
	const struct {
		const char *name;
		long long value;
	} values[] = {
		{"slot", p->slot}, {"offset", p->offset}, {"len", p->len},
		{"tail", p->tail}, {"head", p->head},
	};
	struct flow line = {
		.to = to,
		.columns = f->columns,
		.indent = TIME_WIDTH + 1,
		.column = TIME_WIDTH + 1,
		.first = true,
	};
	char command[16];
	size_t i;

	fprintf(to, "%*.3f ", TIME_WIDTH, p->at - f->began);
	if (p->lost)
		flow(&line, "", "(some lost)");
	flow(&line, " ", "%d %s", p->pid,
	     watch_safe(p->command, command, sizeof(command)));
	flow(&line, "  ", "%s", p->point);
	if (p->other)
		flow(&line, " ", "%d", p->other);
	if (p->waited > 0)
		flow(&line, " ", "after %.3f s", p->waited);
	for (i = 0; i < ARRAY_SIZE(values); i++)
		if (values[i].value >= 0)
			flow(&line, " ", "%s %lld", values[i].name,
			     values[i].value);
	end_flow(&line, "");
}

/**
 * struct backwards - goes from a look to what was before
 * @sample:	the look that comes next, of counters
 * @point:	the number of the point that came last, of points
 */
struct backwards {
	const struct watch_sample *sample;
	size_t point;
};

/* The next entry of the log.  Return: whether there is one. */
static bool put_entry(const struct watch_frame *f, FILE *to,
		      struct backwards *at)
{
	const struct watch_sample *s = at->sample;
	const struct watch_point *p;

	if (f->points) {
		p = watch_points_before(f->points,
					f->now->kind == IPCDEMO_PIPE
						? f->now->pipe.id
						: f->now->region.id,
					f->now->look, at->point, &at->point);
		if (p)
			put_point(f, to, p);
		return p;
	}
	if (!s || (f->lone && s != f->now))
		return false;
	put_changes(f, to, s);
	at->sample = watch_history_before(f->history, s);
	return true;
}

static void put_log_title(const struct watch_frame *f, FILE *to, bool none)
{
	fprintf(to, "%sPoints passed%s, up to %.2f s%s",
		paint(f->style, PAINT_BOLD), paint(f->style, PAINT_NONE),
		f->now->at, none ? ": none" : "");
	if (!f->points && f->no_points && *f->no_points)
		fprintf(to, " (counted: %s)", f->no_points);
	putc('\n', to);
}

/* From this look back, until the rows are full; the newest is the last line. */
static void put_log(const struct watch_frame *f, FILE *to, int rows)
{
	struct backwards at = {f->now, SIZE_MAX};
	char **entries = NULL, **more, *text, *cut;
	size_t size, n = 0;
	int lines = 1, skip;
	bool any = true;
	FILE *entry;

	/* The first line is the title; alone it would say nothing. */
	while (any && lines < rows) {
		entry = open_memstream(&text, &size);
		more = realloc(entries, (n + 1) * sizeof(*entries));
		if (more)
			entries = more;
		if (!entry || !more) {
			if (entry && !fclose(entry))
				free(text);
			break;
		}
		any = put_entry(f, entry, &at);
		if (fclose(entry))
			break;
		entries[n++] = text;
		lines += count_lines(text);
	}
	if (rows > 1)
		put_log_title(f, to, lines == 1);
	/* Of the oldest, the last lines. */
	skip = lines - rows;
	while (n) {
		for (cut = entries[--n]; skip > 0 && *cut; skip--)
			cut = strchr(cut, '\n') + 1;
		fputs(cut, to);
		free(entries[n]);
	}
	free(entries);
}

/* ---- the whole ------------------------------------------------------------------ */

enum { TITLE, STATE, RING, RATES, WAITERS, PAST, SLOTS, NPARTS };

static void (*const put_part[])(const struct watch_frame *f, FILE *to) = {
	[TITLE] = put_title, [STATE] = put_state,     [RING] = put_ring,
	[RATES] = put_rates, [WAITERS] = put_waiters, [PAST] = put_past,
	[SLOTS] = put_slots,
};

struct part {
	char *text;
	int lines; /* that it has */
	int rows; /* that it gets */
	int skip; /* of its lines */
};

/* Gives a part more rows, all that it wants or at most so many. */
static void give(struct part *part, int at_most, int *rows)
{
	int n = part->lines - part->rows;

	if (n > at_most)
		n = at_most;
	if (n > *rows)
		n = *rows;
	if (n > 0) {
		part->rows += n;
		*rows -= n;
	}
}

/* All of a part or, if that is too much, nothing. */
static void give_whole(struct part *part, int *rows)
{
	if (part->lines <= *rows)
		give(part, part->lines, rows);
}

/* Who gets how many rows.  Return: what remains for the points. */
static int share_rows(const struct watch_frame *f, struct part *parts)
{
	static const int most_wanted[] = {TITLE, STATE, RING};
	int rows = f->rows, log = f->rows < 8 ? 0 : 2, wanted;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(most_wanted); i++)
		give(&parts[most_wanted[i]], INT_MAX, &rows);
	give(&parts[WAITERS], WAITER_ROWS, &rows);
	rows -= log;
	if (rows < 0) {
		log += rows;
		rows = 0;
	}
	give_whole(&parts[RATES], &rows);
	give_whole(&parts[PAST], &rows);
	give(&parts[WAITERS], INT_MAX, &rows);
	if (f->slots) {
		/* What was scrolled past the end comes back. */
		wanted = parts[SLOTS].lines - rows;
		parts[SLOTS].skip = wanted < 0	       ? 0
				    : f->skip < wanted ? f->skip
						       : wanted;
		give(&parts[SLOTS], INT_MAX, &rows);
	} else if (parts[SLOTS].lines + LOG_ROWS <= rows && !f->lone) {
		give(&parts[SLOTS], INT_MAX, &rows);
	}
	return rows + log;
}

static void put_rows(const struct part *part, FILE *to)
{
	const char *line = part->text, *end;
	int i;

	for (i = 0; i < part->skip + part->rows && *line; i++) {
		end = strchrnul(line, '\n');
		if (i >= part->skip)
			fprintf(to, "%.*s\n", (int)(end - line), line);
		line = *end ? end + 1 : end;
	}
}

int watch_draw(FILE *to, const struct watch_frame *f)
{
	struct part parts[NPARTS] = {0};
	size_t i, size;
	int rows, err = 0;
	FILE *text;

	for (i = 0; i < NPARTS && !err; i++) {
		text = open_memstream(&parts[i].text, &size);
		if (!text)
			return -ENOMEM;
		put_part[i](f, text);
		if (fclose(text))
			err = -ENOMEM;
		else
			parts[i].lines = count_lines(parts[i].text);
	}
	if (!err) {
		rows = share_rows(f, parts);
		for (i = 0; i < NPARTS; i++)
			put_rows(&parts[i], to);
		put_log(f, to, rows);
	}
	for (i = 0; i < NPARTS; i++)
		free(parts[i].text);
	return err;
}

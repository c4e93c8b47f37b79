// SPDX-License-Identifier: GPL-2.0
/*
 * Draws objects for people: the ring of a pipe, who waits, a region
 *
 * On a terminal with UTF-8 in colour and with block characters, else in ASCII,
 * so that a redirected drawing can be read, mailed and compared.
 */
#include <string.h>

#include "cli.h"

/* So many of the newest faults, and wake-ups, are drawn. */
#define FAULTS_DRAWN 5

#define CELLS	     32

/* From this many slots on, equal ones in a row become one line. */
#define SMALL_RING   16

/* In a strip, a slot has at most so many cells, and these are before the first. */
#define STRIP_CELLS  8
#define STRIP_INDENT 2

/* A strip has at most so many lines of cells. */
#define STRIP_LINES  4

const char *paint(const struct style *style, const char *color)
{
	return style->color ? color : "";
}

/* A slot as so many cells.  A cell is filled if any byte of it is. */
static void draw_bar(FILE *to, const struct style *style,
		     const struct ipcdemo_slot *slot, __u64 page_size,
		     int cells)
{
	__u64 first = slot->offset, behind = first + slot->len, begin, end;
	char now, was = 0;
	int i;

	for (i = 0; i < cells; i++) {
		begin = i * page_size / cells;
		end = (i + 1) * page_size / cells;
		if (slot->state == IPCDEMO_SLOT_DATA && begin < behind &&
		    end > first)
			now = '#';
		else if (slot->state == IPCDEMO_SLOT_DATA && end <= first)
			now = '-';
		else
			now = slot->state == IPCDEMO_SLOT_FREE ? ' ' : '.';
		if (now != was) {
			fputs(paint(style, PAINT_NONE), to);
			fputs(paint(style,
				    now == '#' ? PAINT_GREEN : PAINT_DIM),
			      to);
		}
		was = now;
		if (!style->utf8)
			putc(now, to);
		else
			fputs(now == '#'   ? "\u2588"
			      : now == '-' ? "\u2591"
			      : now == '.' ? "\u00b7"
					   : " ",
			      to);
	}
	fputs(paint(style, PAINT_NONE), to);
}

static void draw_slot(FILE *to, const struct style *style,
		      const struct ipcdemo_pipe_view *v, __u32 place, int width)
{
	const struct ipcdemo_slot *s = &v->ring[place];
	bool head = place == v->head % v->slots;
	bool tail = place == v->tail % v->slots;
	const char *edge = style->utf8 ? "\u2502" : "|";
	const char *mark = head && tail ? "head=tail"
			   : head	? "head"
			   : tail	? "tail"
					: "";

	fputs(paint(style, head ? PAINT_YELLOW : PAINT_CYAN), to);
	fprintf(to, "%9s %s ", mark,
		*mark ? style->utf8 ? "\u25b8" : ">" : " ");
	fputs(paint(style, PAINT_NONE), to);
	fprintf(to, "%4u  ", place);
	if (s->state == IPCDEMO_SLOT_DATA)
		fprintf(to, "%*u %s", width, s->index, edge);
	else
		fprintf(to, "%*s %s", width, "-", edge);
	draw_bar(to, style, s, v->capacity / v->slots, CELLS);
	fputs(edge, to);
	if (s->state == IPCDEMO_SLOT_DATA) {
		fprintf(to, " %6u %4u %4llu", s->offset, s->len, s->page);
		if (strcmp(s->flags, "-")) {
			fputs("  ", to);
			put_safe(to, s->flags);
		}
	} else if (s->state == IPCDEMO_SLOT_SPARE) {
		fprintf(to, " %6s %4s %4llu  spare", "-", "-", s->page);
	} else {
		fprintf(to, " %6s %4s %4s  free", "-", "-", "-");
	}
	putc('\n', to);
}

/* May the slot be left out beside the one before it? */
static bool same(const struct ipcdemo_pipe_view *v, __u32 a, __u32 b)
{
	const struct ipcdemo_slot *s = &v->ring[a], *t = &v->ring[b];

	return s->state == t->state &&
	       (s->state != IPCDEMO_SLOT_DATA ||
		(s->offset == t->offset && s->len == t->len));
}

static bool marked(const struct ipcdemo_pipe_view *v, __u32 place)
{
	return place == v->head % v->slots || place == v->tail % v->slots;
}

void draw_ring(FILE *to, const struct style *style,
	       const struct ipcdemo_pipe_view *v, bool all)
{
	bool fold = !all || v->slots > SMALL_RING;
	int width = snprintf(NULL, 0, "%u", v->head);
	__u32 i, j;

	/* Behind 2^32 the tail is the longer number. */
	if (width < 5 || v->tail > v->head)
		width = v->tail > v->head ? 10 : 5;
	fputs(paint(style, PAINT_BOLD), to);
	fprintf(to, "%16s  %*s  %-*s  %6s %4s %4s", "slot", width, "index",
		CELLS, "one page", "offset", "len", "page");
	fputs(paint(style, PAINT_NONE), to);
	putc('\n', to);
	for (i = 0; i < v->slots; i = j) {
		draw_slot(to, style, v, i, width);
		j = i + 1;
		if (!fold)
			continue;
		while (j < v->slots && !marked(v, j) && same(v, i, j))
			j++;
		/* One left out would take as many lines as it saves. */
		if (j - i > 2)
			fprintf(to, "%16s  %*s   %u more like it\n", "...",
				width, "", j - i - 1);
		else
			j = i + 1;
	}
}

/*
 * A strip of a ring: as many slots a line as fit, in lines that are alike; more
 * slots than fit share a cell.
 */
struct strip {
	__u32 slots; /* a line */
	__u32 shared; /* slots a cell; 1 unless there are too many */
	int cells; /* a slot, or one for all that share it */
	bool edges; /* each slot has its own */
};

static struct strip strip_of(__u32 slots, int columns)
{
	struct strip strip = {.slots = slots, .shared = 1, .cells = 1};
	int room = columns - STRIP_INDENT - 2;

	/* A power of two, so that lines are equally long. */
	while (strip.slots > 1 && (int)strip.slots > room)
		strip.slots /= 2;
	while (slots / strip.slots / strip.shared > STRIP_LINES)
		strip.shared *= 2;
	strip.slots *= strip.shared;
	if (strip.shared == 1 && (int)strip.slots * 2 <= room) {
		strip.edges = true;
		strip.cells = room / (int)strip.slots - 1;
		if (strip.cells > STRIP_CELLS)
			strip.cells = STRIP_CELLS;
	}
	return strip;
}

/* Where a slot begins in its line. */
static int strip_column(const struct strip *strip, __u32 place)
{
	int cell = place % strip->slots / strip->shared;

	return STRIP_INDENT + 1 + cell * (strip->cells + strip->edges);
}

/* Several slots: as full as the fullest, since bytes are what one looks for. */
static struct ipcdemo_slot shared_slot(const struct ipcdemo_pipe_view *v,
				       __u32 place, __u32 n)
{
	struct ipcdemo_slot slot = v->ring[place];
	__u32 i;

	for (i = 1; i < n && place + i < v->slots; i++)
		if (v->ring[place + i].state > slot.state)
			slot = v->ring[place + i];
	return slot;
}

/**
 * struct mark - something above the cells
 * @at:		where
 * @color:	how it is painted
 * @word:	what it says
 * @letter:	what it says if there is no room for that
 */
struct mark {
	int at;
	const char *color;
	const char *word;
	const char *letter;
};

/* Return: the column behind it; it must end before @end. */
static int draw_mark(FILE *to, const struct style *style, const struct mark *m,
		     int column, int end)
{
	const char *text = m->word;

	if (m->at + (int)strlen(text) >= end)
		text = m->letter;
	fprintf(to, "%*s%s%s%s", m->at - column, "", paint(style, m->color),
		text, paint(style, PAINT_NONE));
	return m->at + strlen(text);
}

/* The line above that of the slots from @first on. */
static void draw_marks(FILE *to, const struct style *style,
		       const struct ipcdemo_pipe_view *v,
		       const struct strip *strip, __u32 first, int columns)
{
	__u32 places[] = {v->tail % v->slots, v->head % v->slots};
	struct mark marks[] = {
		{0, PAINT_CYAN, "tail", "T"},
		{0, PAINT_YELLOW, "head", "H"},
		{0, PAINT_YELLOW, "head=tail", "="},
	};
	int left = places[0] > places[1], column = 0, i;
	bool here[2];

	for (i = 0; i < 2; i++) {
		here[i] =
			places[i] >= first && places[i] < first + strip->slots;
		marks[i].at = strip_column(strip, places[i]);
	}
	marks[2].at = marks[0].at;
	if (here[0] && here[1] && marks[0].at == marks[1].at) {
		draw_mark(to, style, &marks[2], column, columns);
	} else {
		if (here[left])
			column = draw_mark(to, style, &marks[left], column,
					   here[!left] ? marks[!left].at
						       : columns);
		if (here[!left])
			draw_mark(to, style, &marks[!left], column, columns);
	}
	putc('\n', to);
}

void draw_strip(FILE *to, const struct style *style,
		const struct ipcdemo_pipe_view *v, int columns)
{
	struct strip strip = strip_of(v->slots, columns);
	const char *edge = style->utf8 ? "\u2502" : "|";
	struct ipcdemo_slot slot;
	__u32 first, i;

	for (first = 0; first < v->slots; first += strip.slots) {
		draw_marks(to, style, v, &strip, first, columns);
		fprintf(to, "%*s%s", STRIP_INDENT, "", edge);
		for (i = first; i < first + strip.slots && i < v->slots;
		     i += strip.shared) {
			slot = shared_slot(v, i, strip.shared);
			draw_bar(to, style, &slot, v->capacity / v->slots,
				 strip.cells);
			if (strip.edges)
				fputs(edge, to);
		}
		fprintf(to, "%s\n", strip.edges ? "" : edge);
	}
}

static const char *why(const char *point)
{
	if (!strcmp(point, "read.wait"))
		return "for bytes, or for the last writer to leave";
	if (!strcmp(point, "write.wait"))
		return "for a free slot";
	if (!strcmp(point, "open.wait"))
		return "for the other side";
	return "";
}

void draw_waiters(const struct style *style, const struct ipcdemo_pipe_view *v)
{
	const struct ipcdemo_waiter *w;
	char buf[32];
	size_t i;

	if (!v->nwaiters)
		puts("  nobody waits");
	for (i = 0; i < v->nwaiters; i++) {
		w = &v->waiters[i];
		printf("  %s%-10s%s  pid %-7d ", paint(style, PAINT_YELLOW),
		       w->point, paint(style, PAINT_NONE), w->pid);
		printf("%*s", 16 - put_safe(stdout, w->command), "");
		printf(" %8.2f s  %-8s  %s\n", w->seconds, w->state,
		       why(w->point));
	}
	if (v->read_pollers)
		printf("  %s on the readers' queue\n",
		       plural(v->read_pollers, "poller", buf, sizeof(buf)));
	if (v->write_pollers)
		printf("  %s on the writers' queue\n",
		       plural(v->write_pollers, "poller", buf, sizeof(buf)));
}

static void draw_ends(const struct style *style,
		      const struct ipcdemo_pipe_view *v,
		      const struct ipcdemo_ends *ends)
{
	const struct ipcdemo_end *e;
	char what[16];
	size_t i;

	/* Who sleeps in open(2) is counted, and listed below, but has no fd. */
	if (v->readers + v->writers <= ipcdemo_waiting(v, "open.wait") &&
	    !ends->n)
		return;
	for (i = 0; i < ends->n; i++) {
		e = &ends->end[i];
		snprintf(what, sizeof(what), "%s end%s", e->end,
			 strcmp(e->end, "both") ? "" : "s");
		printf("  %s%-10s%s  pid %-7d ", paint(style, PAINT_CYAN), what,
		       paint(style, PAINT_NONE), e->pid);
		printf("%*s", 16 - put_safe(stdout, e->command), "");
		printf("  fd %d\n", e->fd);
	}
	if (ends->hidden)
		printf("  (%zu process%s may not be looked into: as root, all are seen)\n",
		       ends->hidden, ends->hidden == 1 ? "" : "es");
	else if (!ends->n)
		puts("  (no process was found that has it open)");
	putchar('\n');
}

void draw_counters(const struct ipcdemo_counter *counters, size_t n)
{
	size_t i, shown = 0;

	for (i = 0; i < n; i++) {
		if (!counters[i].count)
			continue;
		printf("  %-17s %10llu ", counters[i].point, counters[i].count);
		if (++shown % 2)
			printf("%-6s ", counters[i].unit);
		else
			puts(counters[i].unit);
	}
	if (shown % 2)
		putchar('\n');
	if (!shown)
		puts("  nothing was counted yet");
	else if (shown < n)
		printf("  (%zu other counters are 0)\n", n - shown);
}

void draw_pipe(const struct style *style, const struct ipcdemo_pipe_view *v,
	       const struct ipcdemo_ends *ends)
{
	char readers[32], writers[32], pages[32];

	printf("%spipe %u%s  ", paint(style, PAINT_BOLD), v->id,
	       paint(style, PAINT_NONE));
	put_safe(stdout, v->name);
	printf("  owner %u  mode %s  persistence %s\n", v->owner, v->mode,
	       v->persistence);
	printf("  %u of %u slots used, %llu bytes; %s, %s; %s\n", v->used,
	       v->slots, v->bytes,
	       plural(v->readers, "reader", readers, sizeof(readers)),
	       plural(v->writers, "writer", writers, sizeof(writers)),
	       plural(v->spare, "spare page", pages, sizeof(pages)));
	if (!strcmp(v->snapshot, "torn"))
		puts("  (it changed while we looked: the numbers need not fit)");
	putchar('\n');
	draw_ring(stdout, style, v, true);
	putchar('\n');
	draw_ends(style, v, ends);
	draw_waiters(style, v);
	putchar('\n');
	draw_counters(v->counters, v->ncounters);
}

/* Pages that are there; what is between them is not. */
static void draw_pages(const struct ipcdemo_region_view *v)
{
	const struct ipcdemo_run *run;
	size_t i;

	for (i = 0; i < v->nruns; i++) {
		run = &v->runs[i];
		if (!strcmp(run->state, "none"))
			continue;
		printf("  pages %llu to %llu", run->first, run->last);
		puts(strcmp(run->state, "large") ? "" : "  in large folios");
	}
}

/* The newest last, as many as are worth a look. */
static void draw_faults(const struct ipcdemo_region_view *v)
{
	const struct ipcdemo_fault *f;
	size_t i = v->nfaults > FAULTS_DRAWN ? v->nfaults - FAULTS_DRAWN : 0;

	if (i < v->nfaults)
		puts("\n  newest faults");
	for (; i < v->nfaults; i++) {
		f = &v->faults[i];
		printf("  page %-6llu %-5s pid %-7d ", f->page, f->access,
		       f->pid);
		printf("%*s", 16 - put_safe(stdout, f->command), "");
		printf(" %.3f s ago\n", f->seconds);
	}
}

/* A command, and the columns behind it. */
static void draw_command(const char *command)
{
	printf("%*s", 16 - put_safe(stdout, command), "");
}

/* Who waits, word by word; then who woke whom, the newest last. */
static void draw_words(const struct style *style,
		       const struct ipcdemo_region_view *v)
{
	const struct ipcdemo_word_waiter *w;
	const struct ipcdemo_wake_up *u;
	size_t i;

	if (v->nwaiters)
		puts("\n  who waits for a word");
	for (i = 0; i < v->nwaiters; i++) {
		w = &v->waiters[i];
		printf("  word at %-8llu %s%-9s%s  pid %-7d ", w->offset,
		       paint(style, PAINT_YELLOW), w->task.point,
		       paint(style, PAINT_NONE), w->task.pid);
		draw_command(w->task.command);
		printf(" %8.2f s  %s\n", w->task.seconds, w->task.state);
	}
	i = v->nwakes > FAULTS_DRAWN ? v->nwakes - FAULTS_DRAWN : 0;
	if (i < v->nwakes)
		puts("\n  newest wake-ups");
	for (; i < v->nwakes; i++) {
		u = &v->wakes[i];
		printf("  word at %-8llu pid %-7d ", u->offset, u->waker);
		draw_command(u->waker_command);
		printf(" woke pid %-7d ", u->woken);
		draw_command(u->woken_command);
		printf(" after %.3f s, %.3f s ago\n", u->waited, u->seconds);
	}
}

static void draw_owners(const struct ipcdemo_region_view *v)
{
	const struct ipcdemo_bound_eventfd *e;
	const struct ipcdemo_lock_owner *o;
	size_t i;

	if (v->nowners)
		puts("\n  owners of locks");
	for (i = 0; i < v->nowners; i++) {
		o = &v->owners[i];
		printf("  owner %-8u pid %-7d ", o->owner, o->pid);
		draw_command(o->command);
		printf(" table of %u at %llu\n", o->entries, o->offset);
	}
	if (v->neventfds)
		puts("\n  bound eventfds");
	for (i = 0; i < v->neventfds; i++) {
		e = &v->eventfds[i];
		printf("  word at %-8llu pid %-7d ", e->offset, e->pid);
		put_safe(stdout, e->command);
		putchar('\n');
	}
}

void draw_region(const struct style *style, const struct ipcdemo_region_view *v,
		 const struct ipcdemo_maps *maps)
{
	const struct ipcdemo_map *m;
	char files[32], count[32];
	size_t i;

	printf("%sregion %u%s  ", paint(style, PAINT_BOLD), v->id,
	       paint(style, PAINT_NONE));
	put_safe(stdout, v->name);
	printf("  owner %u  mode %s\n", v->owner, v->mode);
	printf("  %llu bytes; %llu of %llu pages are there; %s, %s\n\n",
	       v->size, v->pages,
	       v->page_size ? (v->size + v->page_size - 1) / v->page_size : 0,
	       plural(v->files, "file", files, sizeof(files)),
	       plural(v->maps, "mapping", count, sizeof(count)));
	for (i = 0; i < maps->n; i++) {
		m = &maps->map[i];
		printf("  pid %-7d ", m->pid);
		printf("%*s", 16 - put_safe(stdout, m->command), "");
		printf(" %s  bytes %llu to %llu\n", m->perms, m->offset,
		       m->offset + (m->end - m->start));
	}
	if (!maps->n && !v->maps)
		puts("  nobody maps it");
	else if (maps->n < v->maps && maps->hidden)
		printf("  (%zu processes may not be looked into: as root, all are seen)\n",
		       maps->hidden);
	else if (!maps->n)
		puts("  (no process was found that maps it)");
	putchar('\n');
	draw_pages(v);
	draw_faults(v);
	draw_words(style, v);
	draw_owners(v);
	putchar('\n');
	draw_counters(v->counters, v->ncounters);
}

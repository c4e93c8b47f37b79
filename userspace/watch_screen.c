// SPDX-License-Identifier: GPL-2.0
/*
 * The screen of `watch`: shows looks, takes keys (see watch.h)
 *
 * While it is paused nothing is looked at, so the past that can be stepped
 * through stays as it is.  The first rates after that are of the whole pause.
 */
#include <curses.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "screen.h"
#include "watch.h"

/* Below this nothing can be shown that helps. */
#define LEAST_ROWS    6
#define LEAST_COLUMNS 30

/* How long one waits for a key while it is paused. */
#define PAUSED_MS     60000

/* How much one key moves the list, and the slots. */
#define PAGE	      10

#define SHORTEST      0.01
#define LONGEST	      60.0

/**
 * struct screen - what is on it
 * @style:	how frames are drawn
 * @next:	when the next look is due
 * @paused:	no look is
 * @look:	the look that is shown, 0: the last one
 * @counts:	points are counted, not shown one by one
 * @slots:	the slots one by one, in any case
 * @skip:	but not the first so many
 * @help:	the help is shown
 * @picking:	the list of objects is shown
 * @row:	the row of the list that is chosen
 * @row_id:	the object in it, which it follows as others come and go
 * @message:	says what a key did not do
 */
struct screen {
	struct watch *w;
	struct style style;
	double next;
	bool paused;
	unsigned int look;
	bool counts;
	bool slots;
	int skip;
	bool help;
	bool picking;
	size_t row;
	__u32 row_id;
	char message[120];
};

static struct watch_object *shown(struct screen *sc)
{
	return watch_object(sc->w, sc->w->chosen);
}

/* ---- drawing --------------------------------------------------------------- */

static void draw_text(const char *text, int rows)
{
	const char *end;
	struct pen pen;
	int row;

	for (row = 0; row < rows && *text; row++) {
		end = strchrnul(text, '\n');
		pen = pen_at(row);
		put_drawn(&pen, text, end - text);
		text = *end ? end + 1 : end;
	}
}

static void draw_foot(const struct screen *sc)
{
	static const char *const keys[] = {
		"q quit",   "? help",	"space pause", "Left back",
		"Right on", "Tab next", "o objects",   "s slots",
	};
	struct pen pen = pen_at(LINES - 1);
	size_t i;

	if (*sc->message) {
		use_color(PLAIN, A_BOLD);
		put(&pen, "%s", sc->message);
		use_color(PLAIN, A_NORMAL);
		return;
	}
	use_color(PLAIN, A_REVERSE);
	mvhline(pen.row, 0, ' ', COLS);
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		if (pen.column + (int)strlen(keys[i]) + 2 <= COLS)
			put(&pen, "%s%s", i ? "  " : "", keys[i]);
	use_color(PLAIN, A_NORMAL);
}

/* What the title says about the look: in words, most important first. */
static void say_where(struct screen *sc, const struct watch_sample *s,
		      char *where, size_t size)
{
	const struct watch_object *o = shown(sc);
	const struct watch *w = sc->w;

	if (sc->paused && s->look < w->look && !o->gone)
		snprintf(where, size, "PAUSED, %.2f s back, at %.2f s",
			 w->at - s->at, s->at);
	else if (o->gone)
		snprintf(where, size, "%sGONE, seen at %.2f s",
			 sc->paused ? "PAUSED, " : "", s->at);
	else if (sc->paused)
		snprintf(where, size, "PAUSED, at %.2f s", s->at);
	else
		snprintf(where, size, "every %g s, at %.2f s", w->interval,
			 s->at);
}

static void draw_object(struct screen *sc)
{
	const struct watch_object *o = shown(sc);
	char where[80], *text = NULL;
	struct watch_frame frame = {
		.style = &sc->style,
		.columns = COLS,
		.rows = LINES - 1,
		.where = where,
		.slots = sc->slots,
		.skip = sc->skip,
	};
	struct pen pen = pen_at(0);
	size_t size;
	FILE *to;

	frame.history = &o->history;
	frame.now = watch_history_at(&o->history, sc->look ?: UINT_MAX);
	if (!frame.now) {
		put(&pen,
		    o->gone ? "%u is gone, and was not seen"
			    : "%u was not looked at then",
		    o->id);
		return;
	}
	say_where(sc, frame.now, where, sizeof(where));
	frame.began = sc->w->began;
	if (sc->w->points && !sc->counts) {
		frame.no_points = "others are forgotten";
		if (watch_points_known(sc->w->points, frame.now->look))
			frame.points = sc->w->points;
	} else {
		frame.no_points =
			sc->counts ? "c: one by one" : sc->w->no_points;
	}
	to = open_memstream(&text, &size);
	if (!to)
		return;
	if (!watch_draw(to, &frame) && !fclose(to))
		draw_text(text, LINES - 1);
	free(text);
}

static const char *const help[] = {
	"q            quit",
	"space, p     pause; again: go on. While paused nothing is looked at.",
	"Left, Right  one look back, one look on (pauses)     PgUp, PgDn  ten looks",
	"Home, End    the oldest look that is remembered; the newest, and go on",
	"Tab, S-Tab   the next object, the one before",
	"o            the list of objects: arrows or digits choose, Enter picks",
	"c            points one by one, or how often each was passed",
	"s            the slots one by one, and Up and Down to scroll them",
	"+, -         look more often, less often",
	"Ctrl-L       draw again",
	"",
	"The ring: tail is read next, head is written next; # bytes, - read already,",
	"  . a page kept for later, blank a slot without one. Letters if room is short:",
	"  T tail, H head, = both.",
	"rates: of the time since the look before; k, M, G are 1000, 1000000, ...",
	"  sleeps: calls that had to wait; wakes: wake-ups sent to them; woken: tasks",
	"  that one has chosen.",
	"fill: a mark a look: . empty, 1 to 9 tenths, # full; [] the one that is shown.",
	"Points passed (docs/points.md): traced one by one, if tracefs can be read, or",
	"  counted, by name: how often since the look before.",
};

/* ---- the list of objects ------------------------------------------------------- */

/**
 * struct entry - a row of the list
 * @from:	the table that has it
 * @row:	its row there
 */
struct entry {
	enum ipcdemo_kind kind;
	__u32 id;
	const struct ipcdemo_table *from;
	size_t row;
};

/* Pipes come first, then regions; with names only these. */
static bool entry_at(struct watch *w, size_t n, struct entry *e)
{
	const struct ipcdemo_table *tables[] = {&w->pipes, &w->regions};
	size_t i, row;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		for (row = 0; row < tables[i]->rows; row++) {
			e->from = tables[i];
			e->row = row;
			e->kind = i ? IPCDEMO_REGION : IPCDEMO_PIPE;
			if (!parse_number(ipcdemo_cell(tables[i], row, "id")
						  ?: "",
					  &e->id) ||
			    (w->named && !watch_object(w, e->id)))
				continue;
			if (!n--)
				return true;
		}
	}
	return false;
}

static size_t entries(struct watch *w)
{
	struct entry e;
	size_t n = 0;

	if (!w->named)
		return w->pipes.rows + w->regions.rows;
	while (entry_at(w, n, &e))
		n++;
	return n;
}

static const char *cell(const struct entry *e, const char *column)
{
	return ipcdemo_cell(e->from, e->row, column) ?: "-";
}

static void draw_entry(struct screen *sc, int at, size_t row)
{
	bool chosen = row == sc->row;
	struct pen pen = pen_at(at);
	struct entry e;
	char name[80];

	if (!entry_at(sc->w, row, &e))
		return;
	use_color(PLAIN, chosen ? A_REVERSE : A_NORMAL);
	put(&pen, "%c %-6s %6u", chosen ? '>' : ' ',
	    e.kind == IPCDEMO_PIPE ? "pipe" : "region", e.id);
	use_color(PLAIN, A_NORMAL);
	if (e.kind == IPCDEMO_PIPE)
		put(&pen, "  %5s of %-5s slots  r %-3s w %-3s wait %s+%s",
		    cell(&e, "used"), cell(&e, "slots"), cell(&e, "readers"),
		    cell(&e, "writers"), cell(&e, "read_waiters"),
		    cell(&e, "write_waiters"));
	else
		put(&pen, "  %5s pages  files %-3s maps %-12s",
		    cell(&e, "pages"), cell(&e, "files"), cell(&e, "maps"));
	put(&pen, "  %s", watch_safe(cell(&e, "name"), name, sizeof(name)));
}

/* The row was chosen: it stays with its object from here on. */
static void keep_row(struct screen *sc)
{
	struct entry e;

	if (entry_at(sc->w, sc->row, &e))
		sc->row_id = e.id;
}

/* The list may be another one by now. */
static void follow_row(struct screen *sc)
{
	size_t n = entries(sc->w), row;
	struct entry e;

	for (row = 0; entry_at(sc->w, row, &e); row++) {
		if (e.id == sc->row_id) {
			sc->row = row;
			return;
		}
	}
	/* It is gone: the next one, or the last. */
	if (sc->row >= n)
		sc->row = n ? n - 1 : 0;
	keep_row(sc);
}

static void draw_list(struct screen *sc)
{
	size_t n = entries(sc->w), rows = LINES - 2, first, row;
	struct pen pen = pen_at(0);

	follow_row(sc);
	first = sc->row >= rows ? sc->row - rows + 1 : 0;
	use_color(PLAIN, A_BOLD);
	put(&pen, "objects: %zu", n);
	use_color(PLAIN, A_NORMAL);
	for (row = first; row < n && row < first + rows; row++)
		draw_entry(sc, 1 + row - first, row);
	pen = pen_at(LINES - 1);
	use_color(PLAIN, A_REVERSE);
	put(&pen, "Enter picks  arrows, digits choose  Esc goes back");
	use_color(PLAIN, A_NORMAL);
}

static void draw(struct screen *sc)
{
	struct pen pen = pen_at(0);

	erase();
	if (LINES < LEAST_ROWS || COLS < LEAST_COLUMNS) {
		put(&pen, "too small");
	} else if (sc->help) {
		screen_help(help, ARRAY_SIZE(help));
	} else if (sc->picking) {
		draw_list(sc);
	} else {
		draw_object(sc);
		draw_foot(sc);
	}
	curs_set(0);
	refresh();
}

/* ---- keys ------------------------------------------------------------------------ */

static void go_on(struct screen *sc)
{
	sc->paused = false;
	sc->look = 0;
	sc->next = watch_clock();
}

static void pause_it(struct screen *sc)
{
	sc->paused = true;
}

static void step_looks(struct screen *sc, long by)
{
	const struct watch_history *h = &shown(sc)->history;
	unsigned int from = sc->look ?: UINT_MAX, to;

	to = watch_history_step(h, from, by);
	if (!to)
		return;
	if (to == watch_history_step(h, from, 0) && by)
		snprintf(sc->message, sizeof(sc->message),
			 by < 0 ? "this is the oldest look that is remembered"
				: "this is the newest look: End goes on");
	pause_it(sc);
	sc->look = to;
}

static void choose(struct screen *sc, __u32 id)
{
	struct watch_object *o = watch_object(sc->w, id);

	if (!o)
		return;
	sc->w->chosen = id;
	o->wanted = sc->w->look;
	sc->skip = 0;
}

static void choose_next(struct screen *sc, int by)
{
	struct watch *w = sc->w;
	size_t place = shown(sc) - w->objects;

	choose(sc, w->objects[(place + w->n + by) % w->n].id);
	if (w->n == 1)
		snprintf(sc->message, sizeof(sc->message),
			 "there is no other object%s",
			 w->named ? " among those named" : "");
}

/* One that was not looked at so far is looked at now. */
static void pick(struct screen *sc)
{
	struct watch *w = sc->w;
	struct entry e;
	bool new;

	sc->picking = false;
	if (!entry_at(w, sc->row, &e))
		return;
	new = !watch_object(w, e.id);
	watch_follow(w, e.kind, e.id);
	choose(sc, e.id);
	if (new)
		go_on(sc);
}

static void begin_list(struct screen *sc)
{
	sc->picking = true;
	sc->row_id = sc->w->chosen;
	follow_row(sc);
}

/* Digits typed one after the other are an id; the first with it is chosen. */
static void choose_digit(struct screen *sc, int digit)
{
	struct entry e, now;
	char word[16], prefix[16];
	size_t n, len;

	if (!entry_at(sc->w, sc->row, &now))
		return;
	/* First what goes on with the digits of the one that is chosen. */
	for (len = snprintf(prefix, sizeof(prefix), "%u", now.id);; len = 0) {
		prefix[len] = digit;
		prefix[len + 1] = '\0';
		for (n = 0; entry_at(sc->w, n, &e); n++) {
			snprintf(word, sizeof(word), "%u", e.id);
			if (!strcmp(word, prefix)) {
				sc->row = n;
				return;
			}
		}
		if (!len)
			return;
	}
}

static void handle_list(struct screen *sc, int key)
{
	size_t n = entries(sc->w), by = 1;

	switch (key) {
	case '\n':
	case '\r':
	case KEY_ENTER:
		pick(sc);
		break;
	case '\033':
	case 'q':
	case 'o':
		sc->picking = false;
		break;
	case KEY_NPAGE:
		by = PAGE;
		fallthrough;
	case KEY_DOWN:
	case 'j':
		sc->row = sc->row + by < n ? sc->row + by : n ? n - 1 : 0;
		break;
	case KEY_PPAGE:
		by = PAGE;
		fallthrough;
	case KEY_UP:
	case 'k':
		sc->row -= sc->row < by ? sc->row : by;
		break;
	case KEY_HOME:
		sc->row = 0;
		break;
	case KEY_END:
		sc->row = n ? n - 1 : 0;
		break;
	default:
		if (key >= '0' && key <= '9')
			choose_digit(sc, key);
	}
	keep_row(sc);
}

static void change_interval(struct screen *sc, double factor)
{
	double interval = sc->w->interval * factor;

	if (interval < SHORTEST)
		interval = SHORTEST;
	/* A longer one may have been asked for. */
	if (interval > LONGEST && factor > 1)
		return;
	sc->w->interval = interval;
	sc->next = watch_clock();
}

static void scroll_slots(struct screen *sc, int by)
{
	const struct watch_object *o = shown(sc);
	const struct watch_sample *s = watch_history_at(&o->history, UINT_MAX);

	sc->skip += by;
	if (s && s->kind == IPCDEMO_PIPE && sc->skip > (int)s->pipe.slots)
		sc->skip = s->pipe.slots;
	if (sc->skip < 0)
		sc->skip = 0;
}

/* Return: false: it is over. */
static bool handle(struct screen *sc, int key)
{
	switch (key) {
	case 'q':
		return false;
	case ' ':
	case 'p':
		if (sc->paused)
			go_on(sc);
		else
			pause_it(sc);
		break;
	case KEY_LEFT:
	case 'h':
		step_looks(sc, -1);
		break;
	case KEY_RIGHT:
	case 'l':
		step_looks(sc, 1);
		break;
	case KEY_PPAGE:
		step_looks(sc, -PAGE);
		break;
	case KEY_NPAGE:
		step_looks(sc, PAGE);
		break;
	case KEY_HOME:
		step_looks(sc, -(long)shown(sc)->history.n + 1);
		break;
	case KEY_END:
		go_on(sc);
		break;
	case '\t':
		choose_next(sc, 1);
		break;
	case KEY_BTAB:
		choose_next(sc, -1);
		break;
	case 'o':
		begin_list(sc);
		break;
	case 'c':
		sc->counts = sc->w->points && !sc->counts;
		if (!sc->w->points)
			snprintf(sc->message, sizeof(sc->message),
				 "points are not traced: %s", sc->w->no_points);
		break;
	case 's':
		sc->slots = !sc->slots;
		sc->skip = 0;
		break;
	case KEY_DOWN:
	case 'j':
		scroll_slots(sc, 1);
		break;
	case KEY_UP:
	case 'k':
		scroll_slots(sc, -1);
		break;
	case '+':
		change_interval(sc, 0.5);
		break;
	case '-':
		change_interval(sc, 2);
		break;
	case '?':
		sc->help = true;
		break;
	default:
		snprintf(sc->message, sizeof(sc->message),
			 "this key does nothing: ? shows those that do");
	}
	return true;
}

static bool take_key(struct screen *sc, int key)
{
	*sc->message = '\0';
	if (sc->help)
		sc->help = false;
	else if (sc->picking)
		handle_list(sc, key);
	else
		return handle(sc, key);
	return true;
}

static int time_left(const struct screen *sc)
{
	double left = sc->next - watch_clock();

	if (sc->paused)
		return PAUSED_MS;
	if (left <= 0)
		return 0;
	/* Not a moment too early: that would be a turn for nothing. */
	return left < PAUSED_MS / 1000 ? left * 1000 + 1 : PAUSED_MS;
}

/* Return: 0, or -errno of a look. */
static int loop(struct screen *sc)
{
	int key, err;

	for (;;) {
		if (!sc->paused && watch_clock() >= sc->next) {
			err = watch_look(sc->w);
			if (err)
				return err;
			sc->next = watch_clock() + sc->w->interval;
		}
		draw(sc);
		key = screen_wait(-1, time_left(sc));
		if (key == SCREEN_SIGNAL || key == SCREEN_GONE)
			return 0;
		if (key >= 0 && !take_key(sc, key))
			return 0;
	}
}

int watch_screen(struct watch *w)
{
	struct screen sc = {.w = w, .style = screen_style(&w->cli->style)};
	int err;

	/* What goes wrong at once is told without a screen. */
	if (watch_look(w))
		return fail_ipc(w->cli);
	if (w->counts)
		snprintf(w->no_points, sizeof(w->no_points), "--counts");
	else
		w->points =
			watch_points_begin(w->no_points, sizeof(w->no_points));
	sc.next = watch_clock() + w->interval;
	if (screen_begin(&w->cli->style, "print frames: --batch COUNT"))
		return FAILED;
	err = loop(&sc);
	screen_end();
	return err ? fail_ipc(w->cli) : DONE;
}

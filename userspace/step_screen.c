// SPDX-License-Identifier: GPL-2.0
/*
 * Shows a session and takes keys (see step_session.h)
 *
 * From top to bottom: the tasks, each with the sentence of the point where it
 * stands; the ring; who sleeps on which queue; the gates; the schedule so far;
 * a message; the keys.  What does not fit is left out: sentences first, but for
 * that of the chosen task, then lines of the ring.
 */
#define NCURSES_WIDECHAR 1

#include <ctype.h>
#include <curses.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "screen.h"
#include "step_screen.h"
#include "step_session.h"

/* How often we look when nobody says that something has happened. */
#define LOOK_MS	      1000

/* Below this nothing can be shown that helps. */
#define LEAST_ROWS    8
#define LEAST_COLUMNS 30

/* A slot as draw.c shows it, without and with its flags. */
#define SLOT_COLUMNS  75
#define RING_COLUMNS  85

#define LINE_LEN      256

#define NO_KEY	      (-2)

/**
 * struct prompt - a line that is typed
 * @label:	what is asked for
 * @text:	what was typed
 * @next_word:	completes a word: the n-th that could stand there, or NULL
 */
struct prompt {
	const char *label;
	char text[LINE_LEN];
	const char *(*next_word)(size_t n);
};

/**
 * struct screen - what is on it
 * @style:	how draw.c shall draw
 * @chosen:	the task that keys are for
 * @back:	how far the schedule is scrolled back
 * @help:	the help is shown
 * @prompt:	what is being typed, or NULL
 * @quit:	it is over
 */
struct screen {
	struct session session;
	struct style style;
	size_t chosen;
	size_t back;
	bool help;
	struct prompt *prompt;
	bool quit;
};

/* Words are completed, and keys waited for, without being told of whom. */
static struct screen *shown;

/* ---- parts of the screen --------------------------------------------------- */

static int draw_title(struct screen *sc, const struct ipcdemo_pipe_view *v)
{
	struct pen pen = pen_at(0);

	use_color(PLAIN, A_REVERSE);
	mvhline(0, 0, ' ', COLS);
	put(&pen,
	    " pipe %u: %u of %u slots used, %llu bytes; readers %u, writers %u",
	    v->id, v->used, v->slots, v->bytes, v->readers, v->writers);
	if (pen.column < COLS - 16) {
		pen.column = COLS - 16;
		put(&pen, "%8zu lines", sc->session.nentries);
	}
	use_color(PLAIN, A_NORMAL);
	return 1;
}

static int state_color(const struct worker *w)
{
	if (w->gone)
		return PLAIN;
	switch (w->now.state) {
	case IPCDEMO_TASK_HELD:
		return YELLOW;
	case IPCDEMO_TASK_ASLEEP:
		return CYAN;
	case IPCDEMO_TASK_LOCK:
		return MAGENTA;
	}
	return PLAIN;
}

struct widths {
	int name;
	int command;
	int op;
};

static struct widths measure(const struct run *r)
{
	struct widths widths = {4, 4, 4};
	const struct worker *w;
	int n;

	for (w = r->workers; w < r->workers + r->n; w++) {
		n = strlen(w->task->name);
		widths.name = n > widths.name ? n : widths.name;
		n = strlen(w->now.command);
		widths.command = n > widths.command ? n : widths.command;
		n = strlen(session_op(w));
		widths.op = n > widths.op ? n : widths.op;
	}
	if (widths.op > COLS / 4)
		widths.op = COLS / 4;
	return widths;
}

static void draw_task(const struct screen *sc, int row, size_t i,
		      const struct widths *widths)
{
	const struct worker *w = &sc->session.run->workers[i];
	bool chosen = i == sc->chosen;
	struct pen pen = pen_at(row);
	char words[160], values[120];

	use_color(PLAIN, chosen ? A_REVERSE : A_NORMAL);
	put(&pen, "%c %-*s", chosen ? '>' : ' ', widths->name, w->task->name);
	use_color(PLAIN, A_NORMAL);
	put(&pen, " %6d %-*s  %-*.*s  ", w->pid, widths->command,
	    w->now.command, widths->op, widths->op, session_op(w));
	use_color(state_color(w), w->gone ? A_DIM : A_BOLD);
	put(&pen, "%s", step_doing(w, words, sizeof(words)));
	use_color(PLAIN, A_NORMAL);
	if (step_in_call(w))
		put(&pen, "%s",
		    step_values(sc->session.run, &w->now, values,
				sizeof(values)));
	if (w->free && !w->gone)
		put(&pen, " (free)");
}

static bool draw_sentence(const struct screen *sc, int row, size_t i)
{
	const struct worker *w = &sc->session.run->workers[i];
	int point = step_point(w->now.point);
	struct pen pen = pen_at(row);

	if (!step_in_call(w) || point < 0)
		return false;
	pen.column = 4;
	put(&pen, "%s", step_point_sentence(point));
	return true;
}

/* In so many rows at most.  Return: the row behind. */
static int draw_tasks(struct screen *sc, int row, int rows)
{
	const struct run *r = sc->session.run;
	struct widths widths = measure(r);
	struct pen pen = pen_at(row);
	size_t first = 0, i;
	int end = row + rows, room, with = 0;

	if (!r->n) {
		put(&pen,
		    "no task yet: n makes one (task W opens write), g holds processes");
		return row + 1;
	}
	for (i = 0; i < r->n; i++)
		with += 1 + step_in_call(&r->workers[i]);
	/* The chosen one has its sentence in any case. */
	room = rows - step_in_call(&r->workers[sc->chosen]);
	room = room > 0 ? room : 1;
	if ((int)sc->chosen >= room)
		first = sc->chosen - room + 1;
	for (i = first; i < r->n && row < end; i++) {
		draw_task(sc, row++, i, &widths);
		if (row < end && (with <= rows || i == sc->chosen))
			row += draw_sentence(sc, row, i);
	}
	return row;
}

/* How many rows the tasks want, and how many they need. */
static int task_rows(const struct run *r, size_t chosen, bool all)
{
	const struct worker *w;
	int rows = r->n ? r->n : 1;

	if (!all)
		return rows + (r->n && step_in_call(&r->workers[chosen]));
	for (w = r->workers; w < r->workers + r->n; w++)
		rows += step_in_call(w);
	return rows;
}

/* The ring as text, to be freed; *rows says how many lines it has. */
static char *ring_text(const struct screen *sc,
		       const struct ipcdemo_pipe_view *v, int *rows)
{
	char *text = NULL, *c;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);

	*rows = 0;
	if (!to)
		return NULL;
	draw_ring(to, &sc->style, v, false);
	fclose(to);
	for (c = text; c && *c; c++)
		*rows += *c == '\n';
	return text;
}

static int draw_ring_rows(const char *text, int row, int rows)
{
	const char *end;
	struct pen pen;

	for (; text && *text && rows; text = end + 1, rows--) {
		end = strchrnul(text, '\n');
		pen = pen_at(row++);
		/* The flags of slots fit, or they are left out. */
		if (pen.end > SLOT_COLUMNS && pen.end < RING_COLUMNS)
			pen.end = SLOT_COLUMNS;
		put_drawn(&pen, text, end - text);
		if (!*end)
			break;
	}
	return row;
}

static const char *name_of(const struct run *r, pid_t pid)
{
	const struct worker *w;

	for (w = r->workers; w < r->workers + r->n; w++)
		if (w->pid == pid && !w->gone)
			return w->task->name;
	return NULL;
}

static void draw_queue(const struct screen *sc, int row, const char *label,
		       const char *point, const struct ipcdemo_pipe_view *v)
{
	const struct ipcdemo_waiter *w;
	struct pen pen = pen_at(row);
	const char *name, *comma = " ";
	size_t i;

	use_color(PLAIN, A_BOLD);
	put(&pen, "%s", label);
	use_color(PLAIN, A_NORMAL);
	for (i = 0; i < v->nwaiters; i++) {
		w = &v->waiters[i];
		if (strcmp(w->point, point))
			continue;
		name = name_of(sc->session.run, w->pid);
		put(&pen, "%s%s (%d, %s)", comma, name ?: w->command, w->pid,
		    w->state);
		comma = ", ";
	}
	if (*comma == ' ')
		put(&pen, " nobody");
}

static int draw_queues(const struct screen *sc, int row,
		       const struct ipcdemo_pipe_view *v)
{
	draw_queue(sc, row++, "Readers' queue:", "read.wait", v);
	draw_queue(sc, row++, "Writers' queue:", "write.wait", v);
	if (ipcdemo_waiting(v, "open.wait"))
		draw_queue(sc, row++, "In open:", "open.wait", v);
	return row;
}

static int draw_gates(const struct screen *sc, int row)
{
	const struct session *s = &sc->session;
	struct pen pen = pen_at(row);
	size_t i;

	use_color(PLAIN, A_BOLD);
	put(&pen, "Gates:");
	use_color(PLAIN, A_NORMAL);
	for (i = 0; i < s->ngates; i++)
		put(&pen, " %s", s->gates[i].point);
	if (!s->ngates)
		put(&pen, " none");
	return row + 1;
}

/* The last orders that fit, and the next line of the file. */
static void draw_schedule(struct screen *sc, int row, int rows)
{
	const struct session *s = &sc->session;
	const struct session_entry *e;
	size_t n = 0, i, skip;
	struct pen pen;
	bool plan = s->next < s->nplan;

	for (i = 0; i < s->nentries; i++)
		n += !s->entries[i].expected;
	if (plan)
		rows--;
	if (rows < 1)
		return;
	if (sc->back + rows > n)
		sc->back = n > (size_t)rows ? n - rows : 0;
	skip = n > (size_t)rows + sc->back ? n - rows - sc->back : 0;
	for (e = s->entries; e < s->entries + s->nentries && rows; e++) {
		if (e->expected)
			continue;
		if (skip) {
			skip--;
			continue;
		}
		pen = pen_at(row++);
		put(&pen, "%4u  %-34s ", e->action, e->text);
		use_color(PLAIN, A_DIM);
		put(&pen, "%s", e->outcome);
		use_color(PLAIN, A_NORMAL);
		rows--;
	}
	if (plan) {
		pen = pen_at(row);
		put(&pen, "next  ");
		use_color(CYAN, A_NORMAL);
		put(&pen, "%s", s->plan[s->next]);
		use_color(PLAIN, A_NORMAL);
	}
}

static void draw_foot(const struct screen *sc)
{
	static const char *const keys[] = {
		"s step", "r run",   "a all",	    "l let go",
		"g gate", "c clear", "n type",	    "u undo",
		"w save", "? help",  "x file line", "q quit",
	};
	const struct session *s = &sc->session;
	struct pen pen = pen_at(LINES - 1);
	size_t i;

	if (sc->prompt) {
		put(&pen, "%s", sc->prompt->label);
		put(&pen, " ");
		i = strlen(sc->prompt->text);
		/* What was typed last is seen */
		if ((int)i >= pen.end - pen.column)
			i -= i - (pen.end - pen.column - 1);
		put(&pen, "%s",
		    sc->prompt->text + strlen(sc->prompt->text) - i);
		move(pen.row, pen.column < COLS ? pen.column : COLS - 1);
	} else {
		use_color(PLAIN, A_REVERSE);
		mvhline(pen.row, 0, ' ', COLS);
		for (i = 0; i < ARRAY_SIZE(keys); i++)
			if (*keys[i] != 'x' || s->plan)
				put(&pen, "%s%s", i ? "  " : "", keys[i]);
		use_color(PLAIN, A_NORMAL);
	}
}

/* In a row of its own; a long one takes another from the schedule. */
static void draw_message(const struct screen *sc)
{
	const char *text = sc->session.message;
	size_t len = strlen(text), cut = len;
	struct pen pen = pen_at(LINES - 2);

	use_color(PLAIN, A_BOLD);
	if ((int)len > COLS) {
		for (cut = COLS; cut && text[cut] != ' '; cut--)
			;
		cut = cut ?: (size_t)COLS;
		pen.row--;
		move(pen.row, 0);
		clrtoeol();
		put_text(&pen, text, cut);
		pen = pen_at(LINES - 2);
		text += cut + (text[cut] == ' ');
	}
	put(&pen, "%s", text);
	use_color(PLAIN, A_NORMAL);
}

static const char *const help[] = {
	"arrows, Tab  choose a task             PgUp, PgDn  look back at the schedule",
	"s  step: the chosen task goes on to its next point",
	"r  run: it goes on to the next gate, until it is blocked, or to the end of",
	"   what it has to do (a live process: to the end of its call)",
	"a  run all: as r, each in turn, until nobody can move (Esc stops it)",
	"l  let go: from now on it moves whenever it can",
	"g  set a gate at a point, or at a pattern of points (write.*): any process",
	"   that comes there is held, and is a task from then on; Tab completes",
	"c  clear a gate (G: all); who is held there stays held",
	"n  type a line (also :), as docs/stepping.md has them:",
	"     task W opens write        W: write \"hello\"      run W until write.copy",
	"     step W 3   signal W USR1  kill W                expect W at write.copy",
	"x  do the next line of the file that was given (also Enter)",
	"u  undo: begin again and do all but the last action",
	"w  save what was done as a .step file, with where each step led to",
	"q  quit: tasks made here end, held processes go on      Ctrl-L  draw again",
};

static void draw_body(struct screen *sc, const struct ipcdemo_pipe_view *v)
{
	const struct run *r = sc->session.run;
	int queues = 2 + !!ipcdemo_waiting(v, "open.wait");
	int rows = LINES - 3 - queues - 1, tasks, ring, wanted;
	char *text = ring_text(sc, v, &ring);
	int row = draw_title(sc, v);

	if (sc->chosen >= r->n)
		sc->chosen = r->n ? r->n - 1 : 0;

	/* Two rows for the schedule; three for the ring, if there is room. */
	wanted = task_rows(r, sc->chosen, true);
	if (wanted + ring + 4 > rows)
		wanted = task_rows(r, sc->chosen, false);
	tasks = wanted;
	if (tasks > rows - (rows < 9 ? 2 : 5))
		tasks = rows - (rows < 9 ? 2 : 5);
	if (tasks < 1)
		tasks = 1;
	if (ring > rows - tasks - 2)
		ring = rows - tasks - 2;
	if (ring < 0)
		ring = 0;
	row = draw_tasks(sc, row, tasks);
	row = draw_ring_rows(text, row, ring);
	if (rows > tasks) {
		row = draw_queues(sc, row, v);
		row = draw_gates(sc, row);
	}
	draw_schedule(sc, row, LINES - 2 - row);
	free(text);
}

static void draw(struct screen *sc)
{
	struct ipcdemo_pipe_view v;
	struct pen pen = pen_at(0);

	erase();
	if (LINES < LEAST_ROWS || COLS < LEAST_COLUMNS) {
		put(&pen, "too small");
		refresh();
		return;
	}
	if (sc->help) {
		screen_help(help, ARRAY_SIZE(help));
	} else {
		if (sc->session.run &&
		    !ipcdemo_pipe_view(sc->session.cli->ipc,
				       sc->session.run->pipe, &v)) {
			draw_body(sc, &v);
			ipcdemo_pipe_view_free(&v);
		}
		draw_message(sc);
		draw_foot(sc);
	}
	curs_set(sc->prompt ? 1 : 0);
	refresh();
}

/* ---- keys ------------------------------------------------------------------ */

/*
 * Waits for a key and shows what happens meanwhile.  NO_KEY: a signal ends us,
 * or the terminal is gone.
 */
static int next_key(struct screen *sc)
{
	struct session *s = &sc->session;
	int key;

	for (;;) {
		key = screen_wait(s->run ? s->run->control : -1, LOOK_MS);
		switch (key) {
		case SCREEN_SIGNAL:
			return NO_KEY;
		case SCREEN_GONE:
			sc->quit = true;
			return NO_KEY;
		case SCREEN_EVENT:
		case SCREEN_TIMEOUT:
			session_attend(s);
			fallthrough;
		case SCREEN_RESIZED:
			draw(sc);
			break;
		default:
			return key;
		}
	}
}

/* What runs for long ends with Escape, or a signal; other keys wait. */
static bool stopped(void)
{
	return screen_escape() || interrupted();
}

/* ---- words that are completed ---------------------------------------------- */

static const char *gate_word(size_t n)
{
	static const char *const patterns[] = {"*",	  "open.*",  "read.*",
					       "write.*", "close.*", "wake.*"};
	int i;

	if (n < ARRAY_SIZE(patterns))
		return patterns[n];
	n -= ARRAY_SIZE(patterns);
	for (i = 0; i < step_points(); i++)
		if (step_point_holds(i) && !n--)
			return step_point_name(i);
	return NULL;
}

static const char *set_gate_word(size_t n)
{
	const struct session *s = &shown->session;

	return n < s->ngates ? s->gates[n].point : NULL;
}

static const char *line_word(size_t n)
{
	static const char *const words[] = {
		"task",	  "opens",  "run",	"until",  "step",   "signal",
		"kill",	  "let",    "expect",	"pipe",	  "slots",  "persist",
		"read",	  "write",  "close",	"poll",	  "resize", "open",
		"splice", "tee",    "vmsplice", "result", "got",    "blocked",
		"done",	  "asleep", "nonblock",
	};
	const struct schedule *schedule = &shown->session.schedule;

	if (n < ARRAY_SIZE(words))
		return words[n];
	n -= ARRAY_SIZE(words);
	if (n < schedule->ntasks)
		return schedule->tasks[n].name;
	return gate_word(n - schedule->ntasks + 6);
}

/* Completes the last word as far as it is clear, and shows what could follow. */
static void complete(struct screen *sc)
{
	struct prompt *p = sc->prompt;
	char *message = sc->session.message, *last = strrchr(p->text, ' ');
	size_t room = sizeof(sc->session.message), used = 0, found = 0;
	size_t len, common = 0, n;
	const char *word, *first = NULL;

	last = last ? last + 1 : p->text;
	len = strlen(last);
	*message = '\0';
	for (n = 0; p->next_word && (word = p->next_word(n)); n++) {
		if (strncmp(word, last, len))
			continue;
		if (!found++) {
			first = word;
			common = strlen(word);
		}
		while (strncmp(word, first, common))
			common--;
		if (used < room)
			used += snprintf(message + used, room - used, "%s ",
					 word);
	}
	if (!found) {
		snprintf(message, room, "nothing begins with '%.40s'", last);
		return;
	}
	if (last - p->text + common + 2 > sizeof(p->text))
		return;
	memcpy(last, first, common);
	last[common] = '\0';
	if (found == 1) {
		strcat(last, " ");
		*message = '\0';
	}
}

/*
 * Lets a line be typed.  Return: whether it is one; false: it was given up.
 */
static bool ask(struct screen *sc, struct prompt *p)
{
	size_t len = strlen(p->text);
	int key;

	sc->prompt = p;
	for (;;) {
		draw(sc);
		key = next_key(sc);
		len = strlen(p->text);
		if (key == NO_KEY || key == '\033' || key == ('g' & 0x1f))
			break;
		if (key == '\n' || key == '\r' || key == KEY_ENTER)
			break;
		if (key == '\t')
			complete(sc);
		else if (key == ('u' & 0x1f))
			*p->text = '\0';
		else if (key == KEY_BACKSPACE || key == '\b' || key == 127)
			p->text[len ? len - 1 : 0] = '\0';
		else if (key < 256 && !iscntrl(key) &&
			 len + 1 < sizeof(p->text))
			strcpy(p->text + len, (char[]){key, '\0'});
	}
	sc->prompt = NULL;
	if (key != '\n' && key != '\r' && key != KEY_ENTER) {
		*sc->session.message = '\0';
		return false;
	}
	while (len && p->text[len - 1] == ' ')
		p->text[--len] = '\0';
	return true;
}

static void type_line(struct screen *sc)
{
	struct prompt p = {.label = ":", .next_word = line_word};
	struct session *s = &sc->session;
	size_t tasks = s->schedule.ntasks;

	if (ask(sc, &p) && *p.text)
		session_type(s, p.text);
	/* A new task is the one that something is done with next. */
	if (s->run && s->schedule.ntasks > tasks)
		sc->chosen = s->run->n - 1;
}

static void set_gate(struct screen *sc)
{
	struct prompt p = {.label = "hold at (Tab shows points):",
			   .next_word = gate_word};

	if (ask(sc, &p) && *p.text)
		session_gate(&sc->session, p.text);
}

static void clear_gate(struct screen *sc, bool all)
{
	struct prompt p = {.label = "clear the gate at (Tab):",
			   .next_word = set_gate_word};
	struct session *s = &sc->session;

	if (all || s->ngates <= 1)
		session_ungate(s, "");
	else if (ask(sc, &p) && *p.text)
		session_ungate(s, p.text);
}

static bool sure(struct screen *sc, const char *question)
{
	int key;

	snprintf(sc->session.message, sizeof(sc->session.message), "%s (y/n)",
		 question);
	draw(sc);
	key = next_key(sc);
	*sc->session.message = '\0';
	return key == 'y' || key == 'Y';
}

static void save(struct screen *sc)
{
	struct prompt p = {.label = "file:"};
	char question[LINE_LEN + 40];

	strcpy(p.text, "my.step");
	if (!ask(sc, &p) || !*p.text)
		return;
	snprintf(question, sizeof(question), "%s is there: write over it?",
		 p.text);
	if (access(p.text, F_OK) || sure(sc, question))
		session_save(&sc->session, p.text);
}

static void act_on_task(struct screen *sc, int key)
{
	struct session *s = &sc->session;
	struct worker *w;

	if (!s->run || !s->run->n) {
		strcpy(s->message, "there is no task: n makes one");
		return;
	}
	w = &s->run->workers[sc->chosen < s->run->n ? sc->chosen : 0];
	if (key == 's')
		session_step(s, w);
	else if (key == 'r')
		session_run(s, w, stopped);
	else
		session_let_go(s, w);
}

static void choose(struct screen *sc, int by)
{
	size_t n = sc->session.run ? sc->session.run->n : 0;

	if (n)
		sc->chosen = (sc->chosen + n + by) % n;
}

static void handle(struct screen *sc, int key)
{
	struct session *s = &sc->session;

	if (!s->run && key != 'q' && key != 'w') {
		strcpy(s->message,
		       "the schedule could not begin again: q quits");
		return;
	}
	switch (key) {
	case 's':
	case 'r':
	case 'l':
		act_on_task(sc, key);
		break;
	case 'a':
		session_run_all(s, stopped);
		break;
	case 'n':
	case ':':
		type_line(sc);
		break;
	case 'x':
	case '\n':
	case '\r':
	case KEY_ENTER:
		session_next(s);
		break;
	case 'g':
		set_gate(sc);
		break;
	case 'c':
	case 'G':
		clear_gate(sc, key == 'G');
		break;
	case 'u':
		session_undo(s);
		break;
	case 'w':
		if (s->run)
			save(sc);
		break;
	case '?':
	case 'h':
		sc->help = true;
		break;
	case 'q':
		sc->quit = true;
		break;
	case KEY_DOWN:
	case 'j':
	case '\t':
		choose(sc, 1);
		break;
	case KEY_UP:
	case 'k':
	case KEY_BTAB:
		choose(sc, -1);
		break;
	case KEY_PPAGE:
		sc->back += 5;
		break;
	case KEY_NPAGE:
		sc->back -= sc->back < 5 ? sc->back : 5;
		break;
	default:
		snprintf(s->message, sizeof(s->message),
			 "this key does nothing: ? shows those that do");
	}
	if (key != KEY_PPAGE && key != KEY_NPAGE)
		sc->back = 0;
}

static void loop(struct screen *sc)
{
	int key;

	while (!sc->quit && !interrupted()) {
		draw(sc);
		key = next_key(sc);
		if (key == NO_KEY)
			continue;
		if (sc->help)
			sc->help = false;
		else
			handle(sc, key);
	}
}

/* ---- beginning and end ------------------------------------------------------ */

int step_screen(struct cli *cli, __u32 pipe, const char *path, const char *file,
		unsigned int until, int timeout_ms)
{
	struct screen *sc = calloc(1, sizeof(*sc));
	int err;

	if (!sc)
		return fail("out of memory");
	shown = sc;
	sc->style = screen_style(&cli->style);
	err = session_begin(&sc->session, cli, pipe, path, timeout_ms);
	if (!err && file)
		session_load(&sc->session, file, until);
	if (!err)
		err = screen_begin(&cli->style,
				   "write a schedule and give it alone");
	if (!err) {
		loop(sc);
		screen_end();
	}
	err = session_end(&sc->session) ?: err;
	free(sc);
	return err;
}

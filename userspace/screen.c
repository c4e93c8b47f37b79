// SPDX-License-Identifier: GPL-2.0
/*
 * Takes the terminal and gives it back (see screen.h)
 */
#define NCURSES_WIDECHAR 1

#include <curses.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "screen.h"

static bool colors;

/* ---- text ----------------------------------------------------------------- */

void use_color(int color, unsigned int attributes)
{
	attr_set(attributes, colors ? color : PLAIN, NULL);
}

void put_text(struct pen *pen, const char *text, size_t len)
{
	mbstate_t state = {0};
	wchar_t c;
	size_t n;
	int width;

	while (len) {
		n = mbrtowc(&c, text, len, &state);
		if (!n || n > len) {
			memset(&state, 0, sizeof(state));
			n = 1;
			c = '?';
		}
		width = wcwidth(c);
		if (width < 0) {
			width = 1;
			c = '?';
		}
		if (pen->column + width > pen->end)
			return;
		mvaddnwstr(pen->row, pen->column, &c, 1);
		pen->column += width;
		text += n;
		len -= n;
	}
}

void put(struct pen *pen, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_text(pen, text, strlen(text));
}

struct pen pen_at(int row)
{
	return (struct pen){.row = row, .end = COLS};
}

void put_drawn(struct pen *pen, const char *line, size_t len)
{
	const char *end = line + len, *escape;

	while (line < end) {
		escape = memchr(line, '\033', end - line) ?: end;
		put_text(pen, line, escape - line);
		if (escape == end)
			break;
		switch (strtol(escape + 2, (char **)&line, 10)) {
		case 1:
			use_color(PLAIN, A_BOLD);
			break;
		case 2:
			use_color(PLAIN, A_DIM);
			break;
		case 7:
			use_color(PLAIN, A_REVERSE);
			break;
		case 32:
			use_color(GREEN, A_NORMAL);
			break;
		case 33:
			use_color(YELLOW, A_NORMAL);
			break;
		case 36:
			use_color(CYAN, A_NORMAL);
			break;
		default:
			use_color(PLAIN, A_NORMAL);
		}
		line++; /* the m */
	}
	use_color(PLAIN, A_NORMAL);
}

void screen_help(const char *const *lines, size_t n)
{
	struct pen pen;
	size_t i;

	for (i = 0; i < n && (int)i < LINES - 1; i++) {
		pen = pen_at(i);
		put(&pen, "%s", lines[i]);
	}
	pen = pen_at(LINES - 1);
	use_color(PLAIN, A_REVERSE);
	put(&pen, "any key goes back");
	use_color(PLAIN, A_NORMAL);
}

/* ---- keys ------------------------------------------------------------------ */

int screen_wait(int fd, int timeout_ms)
{
	struct pollfd fds[] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = fd, .events = POLLIN},
	};
	int key, n;

	for (;;) {
		if (interrupted())
			return SCREEN_SIGNAL;
		key = getch();
		if (key == KEY_RESIZE || key == '\f') {
			clearok(stdscr, TRUE);
			return SCREEN_RESIZED;
		}
		if (key != ERR)
			return key;
		n = poll(fds, ARRAY_SIZE(fds), timeout_ms);
		/* The terminal is gone: as if it had hung up. */
		if (n > 0 && fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
			return SCREEN_GONE;
		if (n > 0 && fds[1].revents)
			return SCREEN_EVENT;
		if (n == 0)
			return SCREEN_TIMEOUT;
	}
}

bool screen_escape(void)
{
	int key = interrupted() ? ERR : getch();

	if (key != ERR && key != '\033')
		ungetch(key);
	return key == '\033';
}

/* ---- beginning and end ------------------------------------------------------ */

static const int faults[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};

/* What a fault's handler needs: ncurses may be what is broken. */
static struct termios modes;
static char way_back[128];

static void put_back(int signal)
{
	ssize_t n = write(STDOUT_FILENO, way_back, strlen(way_back));

	(void)n;
	tcsetattr(STDIN_FILENO, TCSANOW, &modes);
	raise(signal); /* SA_RESETHAND: this time it kills */
}

/* Appends what the terminal wants for it, without the padding ("$<5>"). */
static void add_capability(const char *name)
{
	const char *from = tigetstr(name);
	size_t len = strlen(way_back);

	if (!from || from == (char *)-1)
		return;
	while (*from && len + 1 < sizeof(way_back)) {
		if (from[0] == '$' && from[1] == '<' && strchr(from, '>'))
			from = strchr(from, '>') + 1;
		else
			way_back[len++] = *from++;
	}
	way_back[len] = '\0';
}

static void catch_faults(void)
{
	struct sigaction action = {.sa_handler = put_back,
				   .sa_flags = SA_RESETHAND};
	size_t i;

	*way_back = '\0';
	add_capability("sgr0");
	add_capability("rmkx");
	add_capability("cnorm");
	add_capability("rmcup");
	for (i = 0; i < ARRAY_SIZE(faults); i++)
		sigaction(faults[i], &action, NULL);
}

struct style screen_style(const struct style *style)
{
	const char *term = getenv("TERM") ?: "";
	struct style ours = *style;

	ours.color = true;
	if (!strncmp(term, "vt", 2) || !strcmp(term, "linux") ||
	    !strcmp(term, "ansi"))
		ours.utf8 = false;
	return ours;
}

int screen_begin(const struct style *style, const char *without)
{
	const char *term = getenv("TERM");
	SCREEN *screen;

	tcgetattr(STDIN_FILENO, &modes);
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return fail("cannot use the terminal '%s': set TERM (%s)",
			    term ?: "", "vt100 is a good guess");
	if (!tigetstr("cup")) {
		endwin();
		return fail("the terminal '%s' cannot place its cursor: set TERM, or %s",
			    term ?: "", without);
	}
	catch_faults();
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(100);
	if (style->color && has_colors()) {
		start_color();
		use_default_colors();
		colors = true;
		init_pair(GREEN, COLOR_GREEN, -1);
		init_pair(YELLOW, COLOR_YELLOW, -1);
		init_pair(CYAN, COLOR_CYAN, -1);
		init_pair(MAGENTA, COLOR_MAGENTA, -1);
	}
	return 0;
}

void screen_end(void)
{
	size_t i;

	erase();
	refresh();
	endwin();
	for (i = 0; i < ARRAY_SIZE(faults); i++)
		signal(faults[i], SIG_DFL);
}

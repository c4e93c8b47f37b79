/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The whole terminal, for commands that are used by keys: `step` and `watch`
 *
 * What is drawn is text; its colours are the escapes that draw.c writes, and
 * become attributes that the terminal has.  Nothing may be said by colour alone:
 * a terminal may have none.
 *
 * There is one screen.  Signals that end the program (note_signals()) end a
 * wait for a key, so that the caller comes to screen_end() by itself; a fault of
 * our own puts the terminal back before it kills us.
 */
#ifndef SCREEN_H
#define SCREEN_H

#include "cli.h"

/* Colours, where the terminal has them. */
enum { PLAIN, GREEN, YELLOW, CYAN, MAGENTA };

/**
 * struct pen - where text goes
 * @row:	the row
 * @column:	the next column
 * @end:	the column behind the last that may be used
 */
struct pen {
	int row;
	int column;
	int end;
};

/**
 * screen_style - how to draw on this terminal
 *
 * Block characters are for terminals that are known to have them.  Colour is
 * always on: a line that is put has escapes, whatever becomes of them.
 */
struct style screen_style(const struct style *style);

/**
 * screen_begin - takes the terminal
 * @without:	what to do with a terminal that cannot place its cursor
 *
 * Return: 0; FAILED after a message, and the terminal is as it was.
 */
int screen_begin(const struct style *style, const char *without);

/* Gives it back as it was: its modes, its other screen, its cursor. */
void screen_end(void);

/* The beginning of a row. */
struct pen pen_at(int row);

/* How what is put next looks: a colour of above and attributes of ncurses. */
void use_color(int color, unsigned int attributes);

/* Puts text up to its end or that of the pen; what could steer becomes '?'. */
void put_text(struct pen *pen, const char *text, size_t len);

/* The same with a format; of a long text the beginning. */
__printf(2, 3) void put(struct pen *pen, const char *fmt, ...);

/* One line whose colours are the escapes that draw.c writes. */
void put_drawn(struct pen *pen, const char *line, size_t len);

/* A page of help, of @n lines, for as long as no key is pressed. */
void screen_help(const char *const *lines, size_t n);

/* What screen_wait() returns beside keys. */
enum {
	SCREEN_SIGNAL = -16, /* a signal ends us */
	SCREEN_GONE, /* the terminal is gone */
	SCREEN_RESIZED, /* draw again, everything */
	SCREEN_EVENT, /* the descriptor has something */
	SCREEN_TIMEOUT,
};

/**
 * screen_wait - waits for a key, or for something else
 * @fd:		a descriptor to poll as well, or -1
 * @timeout_ms:	for how long
 *
 * Return: a key of ncurses, or one of the above.
 */
int screen_wait(int fd, int timeout_ms);

/* Escape, if it was typed by now; other keys wait. */
bool screen_escape(void);

#endif /* SCREEN_H */

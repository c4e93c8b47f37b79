/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the CLI share: the command table's types, messages, output
 */
#ifndef CLI_H
#define CLI_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>

#include "access.h"

#define __printf(a, b) __attribute((__format__(__printf__, a, b)))
#define fallthrough    __attribute((__fallthrough__))
#define ARRAY_SIZE(a)  (sizeof(a) / sizeof((a)[0]))

/* The CLI's version is the module's: one tree, one number. */
#define CLI_VERSION    IPCDEMO_VERSION

/* Exit statuses. */
enum {
	DONE = 0,
	FAILED = 1,
	USAGE = 2,
};

/**
 * struct cli_option - an option of a command
 * @id:		its letter, or a number from 256 on if it has none
 * @name:	its long name
 * @arg:	what its argument is called, NULL if it takes none
 * @help:	one line
 */
struct cli_option {
	int id;
	const char *name;
	const char *arg;
	const char *help;
};

/* Numbers of options that have no letter. */
enum {
	OPT_HELP = 256,
	OPT_JSON,
	OPT_COLOR,
	OPT_NO_COLOR,
	OPT_HEX,
	OPT_SKIP,
	OPT_JOINT,
	OPT_PIPEFAIL,
	OPT_NAME,
	OPT_COMPLETION,
	OPT_SYNOPSIS,
	OPT_TAP,
	OPT_TIMEOUT,
	OPT_EXPLAIN,
	OPT_STAY,
	OPT_BUG,
	OPT_UNTIL,
	OPT_SENDERS,
	OPT_HISTORY,
	OPT_COUNTS,
	OPT_HTML,
	OPT_SVG,
	OPT_PERFETTO,
	OPT_FROM,
	OPT_TO,
	OPT_TIME,
	OPT_KINDS,
	OPT_COUNT,
};

struct cli;

/**
 * struct command - a row of the command table
 * @name:	one word or two
 * @args:	what may follow the options, as the synopsis shows it
 * @summary:	one line, for the list of commands
 * @text:	the rest of the help
 * @options:	ends with an all-zero row; NULL for none
 * @run:	does it, and returns an exit status
 */
struct command {
	const char *name;
	const char *args;
	const char *summary;
	const char *text;
	const struct cli_option *options;
	int (*run)(struct cli *cli, int argc, char **argv);
};

/**
 * struct cli - one run of the program
 * @ipc:	the library's handle
 * @command:	what was asked for
 * @style:	how to draw
 */
struct cli {
	struct ipcdemo *ipc;
	const struct command *command;
	struct style {
		bool color;
		bool utf8;
	} style;
};

/* ---- main.c: the table -------------------------------------------------- */

/* The help of one command, or of all if it is NULL. */
void print_help(FILE *to, const struct command *command);

/* ---- util.c ------------------------------------------------------------- */

/* "ipcdemo: " and a sentence on stderr.  Return: FAILED. */
__printf(1, 2) int fail(const char *fmt, ...);

/* As fail(), with what the library has to say. */
int fail_ipc(const struct cli *cli);

/* As fail(), with a hint where the help is.  Return: USAGE. */
__printf(2, 3) int usage(const struct cli *cli, const char *fmt, ...);

/*
 * The next option of the command: its id, 0 when only arguments are left (from
 * argv[optind] on), -1 after a message on stderr.
 */
int next_option(const struct cli *cli, int argc, char **argv);

/* More arguments than the command takes?  Return: USAGE after a message, 0. */
int no_more(const struct cli *cli, int argc, char **argv);

/*
 * From now on a signal that wants the program to end is only noted, and ends what
 * the program waits in: interrupted() is that signal, or 0.
 */
void note_signals(void);
int interrupted(void);

/*
 * Ends the program by the signal that was noted, so that a script which runs us
 * stops as well.  Return: @status if there was none.
 */
int end_by_signal(int status);

/* "64K", "1M", "4096": bytes.  False if it is no size or does not fit. */
bool parse_size(const char *word, __u64 *bytes);

/* "0.5", "10": from a thousandth to a million.  False if it is none of them. */
bool parse_seconds(const char *word, double *seconds);

/* Takes the argument of --color.  False if it is no such word. */
bool set_color(struct cli *cli, const char *when);

/* The number that could be an id: not 0.  False if the word is none. */
bool parse_number(const char *word, __u32 *id);

/* Is there an object of that kind with this id?  Return: 0 or FAILED. */
int has_id(const struct cli *cli, enum ipcdemo_kind kind, __u32 id, bool *has);

/*
 * The id that a word names; 0 bytes of it if it is no number.  An empty or no
 * word is the default object of that kind.
 */
int parse_id(const struct cli *cli, enum ipcdemo_kind kind, const char *word,
	     __u32 *id);

/*
 * The object that an id or a path names.  Return: 0, FAILED or USAGE after a
 * message.
 */
int find_object(struct cli *cli, const char *what, enum ipcdemo_kind *kind,
		__u32 *id);

/*
 * Prints text that others chose: what could steer a terminal becomes '?'.
 * Return: how many characters were printed.
 */
int put_safe(FILE *to, const char *text);

/* The bytes of the character that text begins with; 0: it is no UTF-8. */
size_t utf8_length(const char *text);

/*
 * Of text that need not be UTF-8, as JSON must be: the kernel cuts a command's name
 * anywhere.  Bytes that are none become '?'.
 */
json_object *new_string(const char *text);

/* A member of a JSON object. */
void add_string(json_object *to, const char *key, const char *value);
void add_number(json_object *to, const char *key, __u64 value);

/* Return: 0, or FAILED after a message. */
int put_json(json_object *object);

/* Prints a table: numbers to the right, words to the left. */
void put_table(const struct ipcdemo_table *table, const char *indent);

/* How many characters its longest line has. */
size_t table_width(const struct ipcdemo_table *table, const char *indent);

/* All of it, or -errno. */
int write_all(int fd, const void *buf, size_t len);

/* To standard output.  Return: 0, or FAILED after a message. */
int put_bytes(const void *buf, size_t len);

/* A hex dump: offset, sixteen bytes, their characters. */
void put_hex(__u64 offset, const unsigned char *buf, size_t len);

/* The bytes as a string of hex digits. */
json_object *json_bytes(const unsigned char *buf, size_t len);

/* A count and its unit, for sentences: "1 reader", "2 readers". */
const char *plural(__u64 n, const char *unit, char *buf, size_t size);

/*
 * The value of KEY=... in the .modinfo of a module's file.  False if the file
 * cannot be read, or does not say.
 */
bool modinfo(const char *file, const char *key, char *value, size_t size);

/* ---- swap.c: another copy of the module, for a while --------------------- */

struct swap;

/*
 * Prepares to put the module @other in, and @real back.  From then on @real
 * comes back, also if we are killed.  Return: NULL after a message.
 */
struct swap *swap_begin(const char *real, const char *other);

/*
 * Takes the module out and puts the other one in; takes that out and puts the
 * real one back.  Whoever calls this must not have the module in use.  Return:
 * 0, or -errno with the reason in @why; -EBUSY: somebody uses the module.
 */
int swap_in(struct swap *swap, char *why, size_t size);
int swap_back(struct swap *swap, char *why, size_t size);

/* Puts the real one back, if it is not, and ends.  Return: 0 or FAILED. */
int swap_end(struct swap *swap);

/* Which sources the module that is loaded was made of; "" if nobody knows. */
void module_srcversion(char *version, size_t size);

/* ---- draw.c ------------------------------------------------------------- */

/* How something is painted, up to PAINT_NONE. */
#define PAINT_BOLD    "\033[1m"
#define PAINT_DIM     "\033[2m"
#define PAINT_REVERSE "\033[7m"
#define PAINT_GREEN   "\033[32m"
#define PAINT_YELLOW  "\033[33m"
#define PAINT_CYAN    "\033[36m"
#define PAINT_NONE    "\033[0m"

/* That, or nothing if there shall be no colour. */
const char *paint(const struct style *style, const char *color);

/**
 * draw_ring - a bar a slot, with head and tail
 * @all:	show each slot of a small ring, also equal ones in a row
 */
void draw_ring(FILE *to, const struct style *style,
	       const struct ipcdemo_pipe_view *view, bool all);

/**
 * draw_strip - the ring lying down: a line of slots, or a few, marks above them
 * @columns:	how wide it may be
 *
 * It has as many lines whatever is in the ring.
 */
void draw_strip(FILE *to, const struct style *style,
		const struct ipcdemo_pipe_view *view, int columns);
void draw_waiters(const struct style *style,
		  const struct ipcdemo_pipe_view *view);
void draw_counters(const struct ipcdemo_counter *counters, size_t n);
void draw_pipe(const struct style *style, const struct ipcdemo_pipe_view *view,
	       const struct ipcdemo_ends *ends);
void draw_region(const struct style *style,
		 const struct ipcdemo_region_view *view,
		 const struct ipcdemo_maps *maps);

/* ---- the commands ------------------------------------------------------- */

int cmd_ls(struct cli *cli, int argc, char **argv);
int cmd_show(struct cli *cli, int argc, char **argv);
int cmd_why(struct cli *cli, int argc, char **argv);
int cmd_peek(struct cli *cli, int argc, char **argv);
int cmd_monitor(struct cli *cli, int argc, char **argv);
int cmd_write(struct cli *cli, int argc, char **argv);
int cmd_read(struct cli *cli, int argc, char **argv);
int cmd_resize(struct cli *cli, int argc, char **argv);
int cmd_persist(struct cli *cli, int argc, char **argv);
int cmd_region_ls(struct cli *cli, int argc, char **argv);
int cmd_region_grow(struct cli *cli, int argc, char **argv);
int cmd_region_show(struct cli *cli, int argc, char **argv);
int cmd_region_read(struct cli *cli, int argc, char **argv);
int cmd_region_write(struct cli *cli, int argc, char **argv);
int cmd_region_fill(struct cli *cli, int argc, char **argv);
int cmd_sync_show(struct cli *cli, int argc, char **argv);
int cmd_ring_send(struct cli *cli, int argc, char **argv);
int cmd_ring_recv(struct cli *cli, int argc, char **argv);
int cmd_pipeline(struct cli *cli, int argc, char **argv);
int cmd_run(struct cli *cli, int argc, char **argv);
int cmd_record(struct cli *cli, int argc, char **argv);
int cmd_report(struct cli *cli, int argc, char **argv);
int cmd_step(struct cli *cli, int argc, char **argv);
int cmd_tour(struct cli *cli, int argc, char **argv);
int cmd_watch(struct cli *cli, int argc, char **argv);
int cmd_doctor(struct cli *cli, int argc, char **argv);
int cmd_help(struct cli *cli, int argc, char **argv);

/*
 * Becomes a command on pipes of the module, as run does, or with @ours false on
 * the kernel's.  Return: an exit status after a message; never if all is well.
 */
int become_command(struct cli *cli, char **argv, bool ours);

/*
 * The path of a file that belongs to this command: beside it, where `make` puts
 * it, or where `make install` does, in lib as seen from above the command's
 * directory.  Return: 0, or FAILED after a message.
 */
int find_part(const char *name, const char *lib, char *path, size_t size);

/* Shows a region: what "show ID" and "region show" share. */
int show_region(struct cli *cli, __u32 id, bool json);

#endif /* CLI_H */

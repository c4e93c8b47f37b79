// SPDX-License-Identifier: GPL-2.0
/*
 * ipcdemo: the command table, and what is made from it
 *
 * Dispatch, help, the completion script and the synopsis that the manual page
 * is compared with all come from commands[].
 */
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include <getopt.h>

#include "cli.h"

#define JSON                                                       \
	{                                                          \
		OPT_JSON, "json", NULL, "print JSON, for programs" \
	}
#define COLOR                                                 \
	{                                                     \
		OPT_COLOR, "color", "WHEN",                   \
			"auto (the default), always or never" \
	}

static const struct cli_option json_only[] = {JSON, {0}};

static const struct cli_option ls_options[] = {
	JSON,
	{'o', "columns", "COLS", "show these columns: a list with commas"},
	{0},
};

static const struct cli_option show_options[] = {JSON, COLOR, {0}};

static const struct cli_option monitor_options[] = {
	{OPT_KINDS, "kinds", "KINDS", "only these: a list with commas"},
	{OPT_COUNT, "count", "N", "end after N events"},
	{OPT_JSON, "json", NULL, "print JSON Lines: an event each"},
	{0},
};

static const struct cli_option peek_options[] = {
	{'c', "bytes", "BYTES", "at most so many bytes"},
	{OPT_SKIP, "skip", "BYTES", "pass over so many bytes first"},
	{OPT_HEX, "hex", NULL, "print a hex dump"},
	JSON,
	{0},
};

static const struct cli_option read_options[] = {
	{'n', "nonblock", NULL, "do not wait: take what is there"},
	{'c', "bytes", "BYTES", "stop after so many bytes"},
	{0},
};

static const struct cli_option write_options[] = {
	{'n', "nonblock", NULL, "do not wait: fail if there is no room"},
	{'s', "string", "STRING", "write the bytes of STRING, not a file"},
	{0},
};

/* Which region; without it that of the device. */
#define REGION_FILE                                            \
	{                                                      \
		'f', "file", "PATH", "a region that is a file" \
	}

static const struct cli_option region_grow_options[] = {
	REGION_FILE,
	{0},
};

static const struct cli_option region_read_options[] = {
	REGION_FILE,
	{'o', "offset", "OFF", "begin there (default 0)"},
	{'c', "bytes", "LEN", "so many bytes (default: up to the end)"},
	{OPT_HEX, "hex", NULL, "print a hex dump"},
	JSON,
	{0},
};

static const struct cli_option region_write_options[] = {
	REGION_FILE,
	{'o', "offset", "OFF", "begin there (default 0)"},
	{'s', "string", "STRING", "write the bytes of STRING, not a file"},
	{0},
};

static const struct cli_option region_fill_options[] = {
	REGION_FILE,
	{'o', "offset", "OFF", "begin there (default 0)"},
	{'c', "bytes", "LEN", "so many bytes (default: up to the end)"},
	{0},
};

#define RING_LINES                                                            \
	{                                                                     \
		'0', "null", NULL, "a line ends with a byte 0, not a newline" \
	}
#define RING_SIZE                                                          \
	{                                                                  \
		's', "size", "SIZE", "of a ring that is made (default 1M)" \
	}

static const struct cli_option ring_send_options[] = {
	RING_LINES,
	{'m', "multi", NULL, "others may send into it, too"},
	{'n', "nonblock", NULL, "do not wait: fail if there is no room"},
	RING_SIZE,
	{0},
};

static const struct cli_option ring_recv_options[] = {
	RING_LINES,
	{'n', "nonblock", NULL, "do not wait: take what is there"},
	{OPT_SENDERS, "senders", "N",
	 "wait for N senders before it is the end"},
	RING_SIZE,
	{0},
};

static const struct cli_option pipeline_options[] = {
	{OPT_JOINT, "joint", "N", "which joint is ours (default 1)"},
	{OPT_PIPEFAIL, "pipefail", NULL,
	 "exit with the last status that is not 0"},
	{0},
};

static const struct cli_option run_options[] = {
	{'f', "fallback", NULL, "run it with pipe(2) if there is no module"},
	{'q', "quiet", NULL, "do not say so then"},
	{0},
};

static const struct cli_option record_options[] = {
	{'o', "output", "FILE", "where to (default ipcdemo.rec)"},
	{'b', "buffer", "SIZE",
	 "the kernel's, for each processor (default 4M)"},
	{'k', "kernel-pipes", NULL, "leave COMMAND the kernel's own pipes"},
	{0},
};

static const struct cli_option report_options[] = {
	JSON,
	{OPT_HTML, "html", "OUT", "write a page with the diagram"},
	{OPT_SVG, "svg", "OUT", "write the diagram alone"},
	{OPT_PERFETTO, "perfetto", "OUT", "write a trace for ui.perfetto.dev"},
	{OPT_FROM, "from", "TIME", "draw from this time on, such as 1.5ms"},
	{OPT_TO, "to", "TIME", "draw up to this time"},
	{OPT_TIME, "time", NULL, "begin with an axis that is true to time"},
	{0},
};

static const struct cli_option step_options[] = {
	{OPT_EXPLAIN, "explain", NULL, "print the comments of the schedule"},
	{OPT_JSON, "json", NULL, "print JSON Lines: each arrival, each line"},
	{OPT_STAY, "stay", NULL,
	 "if one fails, leave all as it is until Ctrl-C"},
	{OPT_TAP, "tap", NULL, "print a line of TAP for each FILE"},
	{OPT_TIMEOUT, "timeout", "SECONDS",
	 "how long an order may take (default 10)"},
	{OPT_UNTIL, "until", "LINE",
	 "with ID: do the lines of FILE up to LINE"},
	{'v', "verbose", NULL, "tell of each step, and what is true there"},
	{0},
};

static const struct cli_option watch_options[] = {
	{'n', "interval", "SECONDS", "from a look to the next (default 0.5)"},
	{'b', "batch", "COUNT", "print so many frames, for scripts"},
	{OPT_COUNTS, "counts", NULL, "count points, do not trace them"},
	{OPT_HISTORY, "history", "SECONDS",
	 "how far back one can step (default 60)"},
	{OPT_JSON, "json", NULL, "with --batch: print JSON Lines"},
	COLOR,
	{0},
};

static const struct cli_option tour_options[] = {
	{OPT_BUG, "bug", "DIR", "show this bug, too: DIR is a patched copy"},
	{OPT_NAME, "name", "WORD", "what to grep for (default ipcdemo)"},
	COLOR,
	{OPT_NO_COLOR, "no-color", NULL, "the same as --color never"},
	{0},
};

static const struct cli_option help_options[] = {
	{OPT_COMPLETION, "completion", NULL, "print a script for bash"},
	{OPT_SYNOPSIS, "synopsis", NULL, "print how each command is called"},
	{0},
};

static const struct command commands[] = {
	{"ls", "", "list pipes and regions",
	 "The columns are those of /proc/ipcdemo/pipes and regions, and of a pipe 'reading' and\n"
	 "'writing', who has it open; with -o also 'kind' and 'waiters', the tasks that wait.\n"
	 "A narrow terminal gets fewer of them.\n"
	 "Without a command, ipcdemo does this.\n",
	 ls_options, cmd_ls},
	{"show", "[ID|PATH]", "show one object in full: the ring, who waits",
	 "A pipe is drawn slot by slot: # is data, - was read already, . the rest of a page,\n"
	 "or one kept for the next write. Without an argument: the default pipe.\n",
	 show_options, cmd_show},
	{"monitor", "[ID|PATH...]", "print what happens to objects as it does",
	 "Of all objects, or of these, at most 64. KINDS are new, gone (objects come and go),\n"
	 "block, woken (tasks), full, empty, resize (pipes). What nobody takes in time is lost,\n"
	 "and said to be. It ends on a signal, or when nobody reads what it prints. An ordinary\n"
	 "user can run 16 at once.\n",
	 monitor_options, cmd_monitor},
	{"write", "[FILE|-]", "write to the default pipe",
	 "Waits for a reader, and for room. Without FILE, or with -, standard input.\n",
	 write_options, cmd_write},
	{"read", "", "read from the default pipe to standard output",
	 "Waits for a writer, and for bytes, up to end of file.\n",
	 read_options, cmd_read},
	{"why", "[ID|PID|PATH]",
	 "say why somebody is stuck, and who could free him",
	 "Follows who waits for whom through pipes, locks and children to the root cause, or\n"
	 "names a deadlock, and the mistakes that it sees: docs/mistakes.md. Without an\n"
	 "argument: everybody who is stuck. A number that is no object's id is a process.\n",
	 json_only, cmd_why},
	{"peek", "[ID]", "show the bytes in a pipe and leave them there",
	 "The raw bytes, unless --hex or --json is given.\n", peek_options,
	 cmd_peek},
	{"resize", "SIZE [ID]", "set the capacity of a pipe",
	 "SIZE is in bytes, or with K, M or G behind it; it is rounded up to a power of\n"
	 "two of pages. Prints what it became.\n",
	 json_only, cmd_resize},
	{"persist", "[process|kernel] [ID]", "how long the bytes live",
	 "process: while somebody has the pipe open, as with any pipe. kernel: until they\n"
	 "are read; opens do not wait. Without a word, prints which it is.\n",
	 json_only, cmd_persist},
	{"region ls", "", "list regions",
	 "The columns are those of /proc/ipcdemo/regions.\n", json_only,
	 cmd_region_ls},
	{"region show", "[ID|PATH]",
	 "show a region: pages, faults, who maps it",
	 "Without an argument: the default region.\n", json_only,
	 cmd_region_show},
	{"region read", "", "read bytes of a region",
	 "The raw bytes, unless --hex or --json is given; to a terminal, a hex dump.\n",
	 region_read_options, cmd_region_read},
	{"region write", "[FILE|-]", "write bytes to a region",
	 "Without FILE, or with -, standard input.\n", region_write_options,
	 cmd_region_write},
	{"region fill", "BYTE", "set bytes of a region to BYTE",
	 "BYTE is a number from 0 to 255 (0x41, 65) or one character after a ': \\'A\n",
	 region_fill_options, cmd_region_fill},
	{"region grow", "SIZE", "give a region that is a file SIZE bytes",
	 "SIZE is in bytes, or with K, M or G behind it. What is there stays.\n",
	 region_grow_options, cmd_region_grow},
	{"sync show", "PATH", "show the locks in a region, who holds them",
	 "PATH is a region that libipcdemo(3) formatted: a file of ipcdemofs or another.\n"
	 "Nothing is locked for that: it works on a stuck region, too.\n",
	 json_only, cmd_sync_show},
	{"ring send", "PATH", "send lines as messages through a ring in a file",
	 "Each line of standard input is a message; it can have half of SIZE. PATH is made\n"
	 "if it is not there: a file of ipcdemofs or another. What nobody has received stays\n"
	 "in it. SIZE is rounded up to a power of two.\n",
	 ring_send_options, cmd_ring_send},
	{"ring recv", "PATH", "receive messages from a ring, as lines",
	 "Ends when all senders have ended; before the first comes it waits. PATH is made if\n"
	 "it is not there. Only one process can receive from a ring.\n",
	 ring_recv_options, cmd_ring_recv},
	{"pipeline", "'COMMAND | COMMAND'", "run a pipeline through the pipe",
	 "Each stage is run by /bin/sh. With more than two stages, one joint is ours and\n"
	 "the others are pipe(2). The exit status is that of the last stage.\n",
	 pipeline_options, cmd_pipeline},
	{"run", "COMMAND...", "run a command on pipes of the module",
	 "Each pipe that COMMAND and what it starts make is one of ours: `ipcdemo ls` shows\n"
	 "them meanwhile. Not those of programs that are statically linked or setuid.\n"
	 "The exit status is that of COMMAND; 126 or 127: it cannot be run.\n",
	 run_options, cmd_run},
	{"record", "COMMAND...", "record all points while a command runs",
	 "COMMAND runs as with `ipcdemo run`: its pipes are ours. The recording ends when it\n"
	 "and its children have ended; `ipcdemo report` tells of it. Needs root. The exit\n"
	 "status is that of COMMAND; 128 and the signal that ended it.\n",
	 record_options, cmd_record},
	{"report", "[FILE]", "tell what a recording holds",
	 "Who ran, copied, and waited for whom; wake-ups and how many were useless; calls and\n"
	 "bytes. FILE is ipcdemo.rec if it is not given. The diagram has a lane for each task,\n"
	 "the fill of each ring, and an arrow for each wake-up; a browser shows it, offline.\n",
	 report_options, cmd_report},
	{"step", "FILE...|ID [FILE]", "decide who goes when, step by step",
	 "A schedule names tasks, what they do, and in which order they take their\n"
	 "steps; docs/stepping.md teaches the language. FILE may be -, standard input.\n"
	 "Nobody else may have the pipe open. Exit status 0: all expectations held.\n"
	 "With the ID or the path of a pipe, the same at the keyboard: keys step and run\n"
	 "tasks of its own and processes that come to a gate. A file called 1 is ./1.\n",
	 step_options, cmd_step},
	{"watch", "[ID|PATH...]", "watch pipes and regions while they change",
	 "The ring with head and tail, who waits and since when, rates, the points that were\n"
	 "passed. Keys pause it, step back through the last looks, pick another object; ?\n"
	 "shows them. Without an argument all can be picked, the default pipe comes first.\n",
	 watch_options, cmd_watch},
	{"tour", "", "see it work, step by step",
	 "Each step says what to look at and checks that the module says what just happened.\n"
	 "Nobody else may have the pipe open.\n",
	 tour_options, cmd_tour},
	{"doctor", "[MODULE.ko]", "say what is missing, and the next command",
	 "Exit status 0: ipcdemo can be used now.\n", json_only, cmd_doctor},
	{"help", "[COMMAND]", "say how a command is used", "", help_options,
	 cmd_help},
};

#define NCOMMANDS (ARRAY_SIZE(commands))

static void print_synopsis(FILE *to, const struct command *c)
{
	const struct cli_option *o;

	fprintf(to, "ipcdemo %s", c->name);
	for (o = c->options; o && o->id; o++) {
		if (o->id < 256)
			fprintf(to, " [-%c", o->id);
		else
			fprintf(to, " [--%s", o->name);
		fprintf(to, "%s%s]", o->arg ? " " : "", o->arg ? o->arg : "");
	}
	fprintf(to, "%s%s\n", *c->args ? " " : "", c->args);
}

static void print_options(FILE *to, const struct command *c)
{
	const struct cli_option *o;
	char names[40];

	for (o = c->options; o && o->id; o++) {
		snprintf(names, sizeof(names), "%s--%s%s%s", "", o->name,
			 o->arg ? " " : "", o->arg ? o->arg : "");
		if (o->id < 256)
			fprintf(to, "  -%c, %-18s  %s\n", o->id, names,
				o->help);
		else
			fprintf(to, "      %-18s  %s\n", names, o->help);
	}
}

void print_help(FILE *to, const struct command *c)
{
	size_t i;

	if (c) {
		fputs("usage: ", to);
		print_synopsis(to, c);
		fprintf(to, "%c%s.\n%s", c->summary[0] - 'a' + 'A',
			c->summary + 1, c->text);
		if (c->options) {
			fputs("\noptions:\n", to);
			print_options(to, c);
		}
		return;
	}
	fputs("usage: ipcdemo [COMMAND [ARGUMENT...]]\n"
	      "Use and look at the pipes and regions of the ipcdemo module.\n\n",
	      to);
	for (i = 0; i < NCOMMANDS; i++)
		fprintf(to, "  %-13s %s\n", commands[i].name,
			commands[i].summary);
	fputs("\n`ipcdemo help COMMAND` says more, ipcdemo(1) all.\n"
	      "Exit status: 0 done, 1 failed, 2 wrong usage.\n",
	      to);
}

/* Is it the second word of `first`, of commands that have two? */
static bool is_in(const char *first, const struct command *c)
{
	size_t len = strlen(first);

	return !strncmp(c->name, first, len) && c->name[len] == ' ';
}

static bool is_first(const char *word)
{
	size_t i;

	for (i = 0; i < NCOMMANDS; i++)
		if (is_in(word, &commands[i]))
			return true;
	return false;
}

/* The words after `first`, or all first words if it is NULL. */
static void print_words(const char *first)
{
	size_t i, len = first ? strlen(first) : 0, n, last = 0;
	const char *name;

	for (i = 0; i < NCOMMANDS; i++) {
		name = commands[i].name;
		if (first && !is_in(first, &commands[i]))
			continue;
		if (first)
			name += len + 1;
		n = strcspn(name, " ");
		/* "region show", "region read": one first word */
		if (i && n == last && !strncmp(commands[i - 1].name, name, n))
			continue;
		printf(" %.*s", (int)n, name);
		last = n;
	}
}

static void print_completion(void)
{
	static const char *const first_words[] = {"region", "sync", "ring"};
	const struct cli_option *o;
	size_t i;

	fputs("# Completion of ipcdemo(1) for bash: `ipcdemo help --completion`\n"
	      "_ipcdemo()\n{\n"
	      "\tlocal cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]-}\n"
	      "\tlocal words=\n\n"
	      "\tcase $command in\n\tregion | sync | ring)\n"
	      "\t\t[ \"$COMP_CWORD\" -le 2 ] || command+=\" ${COMP_WORDS[2]}\" ;;\n"
	      "\tesac\n"
	      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\twords='",
	      stdout);
	print_words(NULL);
	fputs(" --help --version'\n\telse\n\t\tcase $command in\n", stdout);
	for (i = 0; i < ARRAY_SIZE(first_words); i++) {
		printf("\t\t%s) words='", first_words[i]);
		print_words(first_words[i]);
		puts("' ;;");
	}
	for (i = 0; i < NCOMMANDS; i++) {
		printf("\t\t'%s') words='", commands[i].name);
		for (o = commands[i].options; o && o->id; o++)
			printf(" --%s", o->name);
		if (commands[i].run == cmd_help)
			print_words(NULL);
		if (commands[i].run == cmd_persist)
			fputs(" process kernel", stdout);
		puts(" --help' ;;");
	}
	fputs("\t\tesac\n\tfi\n"
	      "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	      "}\n"
	      "complete -o default -F _ipcdemo ipcdemo\n",
	      stdout);
}

/* Single edits that turn one word into the other. */
static size_t distance(const char *a, const char *b)
{
	size_t row[32], i, j, diagonal, old, n = strlen(b);

	if (n >= 32)
		return n;
	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 1; *a; a++, i++) {
		diagonal = row[0];
		row[0] = i;
		for (j = 1; j <= n; j++) {
			old = row[j];
			row[j] = diagonal + (*a != b[j - 1]);
			if (row[j - 1] + 1 < row[j])
				row[j] = row[j - 1] + 1;
			if (old + 1 < row[j])
				row[j] = old + 1;
			diagonal = old;
		}
	}
	return row[n];
}

static int no_command(const struct cli *cli, const char *word)
{
	const char *best = NULL;
	size_t i, d, min = 3;

	for (i = 0; i < NCOMMANDS; i++) {
		d = distance(word, commands[i].name);
		if (d < min && d < strlen(word)) {
			min = d;
			best = commands[i].name;
		}
	}
	if (best)
		return usage(cli,
			     "there is no command '%s'; did you mean '%s'?",
			     word, best);
	return usage(cli, "there is no command '%s'", word);
}

/* How many words of argv are the command's name; 0 if it is not that one. */
static int match(const struct command *c, int argc, char **argv)
{
	const char *space = strchr(c->name, ' ');
	size_t len = space ? (size_t)(space - c->name) : strlen(c->name);

	if (argc < 1 || strlen(argv[0]) != len ||
	    strncmp(argv[0], c->name, len))
		return 0;
	if (!space)
		return 1;
	return argc > 1 && !strcmp(argv[1], space + 1) ? 2 : 0;
}

/* "ls, show, read, write, fill or grow": those after `first`. */
static void second_words(const char *first, char *buf, size_t size)
{
	size_t i, left = 0, len = 0;

	for (i = 0; i < NCOMMANDS; i++)
		left += is_in(first, &commands[i]);
	for (i = 0; i < NCOMMANDS && len < size; i++) {
		if (!is_in(first, &commands[i]))
			continue;
		left--;
		len += snprintf(buf + len, size - len, "%s%s",
				strchr(commands[i].name, ' ') + 1,
				left > 1 ? ", "
				: left	 ? " or "
					 : "");
	}
}

static const struct command *find(const struct cli *cli, int argc, char **argv,
				  int *words)
{
	char both[128];
	size_t i;

	for (i = 0; i < NCOMMANDS; i++) {
		*words = match(&commands[i], argc, argv);
		if (*words)
			return &commands[i];
	}
	if (!is_first(argv[0])) {
		no_command(cli, argv[0]);
	} else if (argc < 2 || argv[1][0] == '-') {
		second_words(argv[0], both, sizeof(both));
		usage(cli, "%s needs one more word: %s", argv[0], both);
	} else {
		snprintf(both, sizeof(both), "%s %.40s", argv[0], argv[1]);
		no_command(cli, both);
	}
	return NULL;
}

int cmd_help(struct cli *cli, int argc, char **argv)
{
	const struct command *command;
	int id, words;
	size_t i;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case OPT_COMPLETION:
			print_completion();
			return DONE;
		case OPT_SYNOPSIS:
			for (i = 0; i < NCOMMANDS; i++)
				print_synopsis(stdout, &commands[i]);
			return DONE;
		default:
			return USAGE;
		}
	}
	if (optind == argc) {
		print_help(stdout, NULL);
		return DONE;
	}
	if (is_first(argv[optind]) && optind + 1 == argc) {
		for (i = 0; i < NCOMMANDS; i++)
			if (is_in(argv[optind], &commands[i]))
				print_synopsis(stdout, &commands[i]);
		return DONE;
	}
	/* The hint shall be the list, not the help of help */
	cli->command = NULL;
	command = find(cli, argc - optind, argv + optind, &words);
	if (!command)
		return USAGE;
	print_help(stdout, command);
	return DONE;
}

static int version(const struct cli *cli)
{
	struct ipcdemo_module module;
	int err = ipcdemo_module(cli->ipc, &module);

	printf("ipcdemo %s, interface %u\n", CLI_VERSION, IPCDEMO_UAPI_VERSION);
	if (!err)
		printf("module %s, interface %u\n", module.version,
		       module.uapi);
	else if (err == -ENOENT)
		puts("module: not loaded");
	else
		return fail_ipc(cli);
	return DONE;
}

static int run(struct cli *cli, int argc, char **argv)
{
	int words;

	if (argc && (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h"))) {
		print_help(stdout, NULL);
		return DONE;
	}
	if (argc && (!strcmp(argv[0], "--version") || !strcmp(argv[0], "-V")))
		return version(cli);
	if (argc < 1 || argv[0][0] == '-') {
		/* ls is the default; argv[-1] is our own name */
		cli->command = &commands[0];
		return cmd_ls(cli, argc + 1, argv - 1);
	}
	cli->command = find(cli, argc, argv, &words);
	if (!cli->command)
		return USAGE;
	return cli->command->run(cli, argc - words + 1, argv + words - 1);
}

int main(int argc, char **argv)
{
	struct cli cli = {0};
	int status;

	setlocale(LC_CTYPE, "");
	cli.ipc = ipcdemo_new();
	if (!cli.ipc)
		return fail("cannot begin: %s", strerror(errno));
	set_color(&cli, "auto");
	status = run(&cli, argc - 1, argv + 1);

	/* /dev/full, a full disk: what was not written is not done */
	if ((fflush(stdout) || ferror(stdout)) && status == DONE)
		status = fail("standard output: %s", strerror(errno));
	ipcdemo_free(cli.ipc);
	return status;
}

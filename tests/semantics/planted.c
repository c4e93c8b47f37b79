// SPDX-License-Identifier: GPL-2.0
/* Faults planted in a copy of the document: see planted.h. */
#include "planted.h"

#include "../kernel/harness.h"
#include "cases.h"
#include "document.h"

/* One place of the document, and what is put there. */
struct planted {
	const char *what, *with;
	size_t at; /* the wrong word in it */
};

static char *load(const char *path)
{
	char error[512];
	char *text = document_load(path, error, sizeof(error));

	if (!text)
		fail_msg("%s", error);
	return text;
}

/* The document with the fault; *where is the byte at which it begins. */
static char *plant(const char *path, const struct planted *fault, size_t *where)
{
	char *text = load(path), *place = strstr(text, fault->what), *faulty;

	if (!place || strstr(place + 1, fault->what))
		fail_msg("%s must have \"%s\" once: make the fault fit", path,
			 fault->what);
	*where = place - text;
	if (asprintf(&faulty, "%.*s%s%s", (int)*where, text, fault->with,
		     place + strlen(fault->what)) < 0)
		fail_msg("out of memory");
	free(text);
	return faulty;
}

static void line_and_column(const char *text, size_t where, unsigned int *line,
			    unsigned int *column)
{
	size_t i;

	*line = 1;
	*column = 1;
	for (i = 0; i < where; i++) {
		(*column)++;
		if (text[i] == '\n') {
			(*line)++;
			*column = 1;
		}
	}
}

/* --- words -------------------------------------------------------------------------- */

static const struct planted words[] = {
	{"| empty | read 1 |", "| emptier | read 1 |", 2},
	{"| empty | read 1 |", "| empty | reed 1 |", 10},
	{"| empty | read 1 |", "| empty | read one |", 15},
	{"| empty | read 1 |", "| empty | read 1 now |", 17},
	{"| empty | read 1 |", "| empty | pair |", 10},
	{"| empty | read 1 | EAGAIN |", "| empty | read 1 | EAGAINN |", 19},
	{"| 100 bytes | read 1 | 1 | 1 | 99 |",
	 "| 100 bytes | read 1 | 1 | 1 | some |", 31},
	{"| full | read 1 | 1 | 1 | 65535 | IN |",
	 "| full | read 1 | 1 | 1 | 65535 | IN UOT |", 37},
	{"| no reader | write 1 | EPIPE | EPIPE | 0 | - | OUT ERR | SIGPIPE |",
	 "| no reader | write 1 | EPIPE | EPIPE | 0 | - | OUT ERR | SIGPIP |",
	 58},
	{"| 2 readers wait | pair, A: read 10, B: read 10 |",
	 "| 2 readers wait | pair, A: read 10, X: read 10 |", 37},
	{"| nobody | open r |", "| nobody | open x |", 16},
	{"| no writer | pair, close w |  |",
	 "| no writer | pair, close w | somewhere |", 30},
	{"| it is a character device |\n| any | fstat w",
	 "| |\n| any | fstat w", 2},
};

size_t planted_words(const char *path, size_t *missed)
{
	size_t i;

	*missed = 0;
	for (i = 0; i < NR(words); i++) {
		unsigned int line, column;
		char error[512] = "", place[300];
		struct document *document;
		size_t where;
		char *text = plant(path, &words[i], &where);

		line_and_column(text, where + words[i].at, &line, &column);
		snprintf(place, sizeof(place), "%s:%u:%u: ", path, line,
			 column);
		document = document_parse(path, text, error, sizeof(error));
		if (document)
			document_free(document);
		if (!document && !strncmp(error, place, strlen(place)))
			continue;
		(*missed)++;
		print_error("# \"%s\" gives \"%s\", and not an error at %s\n",
			    words[i].with, error, place);
	}
	return NR(words);
}

/* --- cells -------------------------------------------------------------------------- */

static const struct planted cells[] = {
	{"| empty | read 1 | EAGAIN |", "| empty | read 1 | EBUSY |", 0},
	{"| empty | read 1 | EAGAIN | waits |",
	 "| empty | read 1 | EAGAIN | 0 |", 0},
	{"| 100 bytes | read 1 | 1 | 1 | 99 |",
	 "| 100 bytes | read 1 | 1 | 1 | 98 |", 0},
	{"| full | read 1 | 1 | 1 | 65535 | IN |",
	 "| full | read 1 | 1 | 1 | 65535 | IN HUP |", 0},
	{"| no reader | write 1 | EPIPE | EPIPE | 0 | - | OUT ERR | SIGPIPE |",
	 "| no reader | write 1 | EPIPE | EPIPE | 0 | - | OUT ERR | |", 0},
	{"| 2 readers wait | write 20 | 20 | 0 | nothing | OUT | A 10, B 10 |",
	 "| 2 readers wait | write 20 | 20 | 0 | nothing | OUT | A 10 |", 0},
	{"| async, empty | write 1 | 1 | 1 | IN | OUT | SIGIO r |",
	 "| async, empty | write 1 | 1 | 1 | IN | OUT | SIGIO w |", 0},
	{"| empty | resize 4097 | 8192 | 8192 |",
	 "| empty | resize 4097 | 8192 | 16384 |", 0},
	{"| edge, full | read 4096 | 4096 | 61440 | IN | OUT |  | edge OUT |",
	 "| edge, full | read 4096 | 4096 | 61440 | IN | OUT |  |  |", 0},
};

/* The document with a fault, and the line that the fault is on. */
static struct document *parse(const char *path, const struct planted *fault,
			      unsigned int *line)
{
	unsigned int column;
	struct document *document;
	char error[512];
	size_t where;
	char *text = plant(path, fault, &where);

	line_and_column(text, where, line, &column);
	document = document_parse(path, text, error, sizeof(error));
	if (!document)
		fail_msg("%s", error);
	return document;
}

size_t planted_cells(const char *path, size_t *missed)
{
	size_t i;

	*missed = 0;
	cases_quiet = true;
	for (i = 0; i < NR(cells); i++) {
		unsigned int line;
		struct document *document = parse(path, &cells[i], &line);
		size_t bad, played;

		played = cases_play(document, target->bit, line, &bad);
		document_free(document);
		if (played && bad)
			continue;
		(*missed)++;
		print_error("# nobody noticed \"%s\"\n", cells[i].with);
	}
	cases_quiet = false;
	return NR(cells);
}

/* --- differences -------------------------------------------------------------------- */

static const struct planted listed[] = {
	/* What was listed, no longer is. */
	{"| any | fallocate | ESPIPE | ENODEV |",
	 "| nobody | fstat r | ESPIPE | ENODEV |", 0},
	/* What is listed, does not occur. */
	{"| any | fstat r | S_IFIFO | S_IFCHR | device |",
	 "| any | fstat r | S_IFIFO | ENODEV | device |", 0},
	{"| O_RDWR | mmap r | ENODEV | ok | device |",
	 "| O_RDWR | mmap r | EPERM | ok | device |", 0},
};

size_t planted_differences(const char *path, size_t *missed)
{
	size_t i;

	*missed = 0;
	cases_quiet = true;
	for (i = 0; i < NR(listed); i++) {
		unsigned int line;
		struct document *document = parse(path, &listed[i], &line);
		size_t bad_case = 0, bad_list;

		cases_differences(document, target->bit, &bad_list);
		/* The rows of that call, which are above the list. */
		if (!i)
			cases_play(document, target->bit,
				   cases_line(document, "fallocate"),
				   &bad_case);
		document_free(document);
		if (i ? bad_list : bad_case)
			continue;
		(*missed)++;
		print_error("# nobody noticed \"%s\"\n", listed[i].with);
	}
	cases_quiet = false;
	return NR(listed);
}

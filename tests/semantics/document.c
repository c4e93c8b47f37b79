// SPDX-License-Identifier: GPL-2.0
/* The tables of docs/semantics.md, read: see document.h. */
#include "document.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "../kernel/harness.h"

#define MAX_COLUMNS 16

const char *const field_names[NR_FIELDS] = {
	[RESULT] = "result",	 [BYTES] = "bytes",
	[READ_END] = "read end", [WRITE_END] = "write end",
	[CAPACITY] = "capacity", [SIGNALS] = "signals",
	[OTHERS] = "others",
};

/* The kinds of tables, by the heading that they stand below. */
enum kind { FOR_PEOPLE, STATES, CASES, DIFFERENCES };

static const struct {
	const char *heading;
	enum kind kind;
} sections[] = {
	{"States", STATES},
	{"Cases", CASES},
	{"Where our pipes differ", DIFFERENCES},
};

struct reader {
	struct document *document;
	char *at; /* the next line */
	unsigned int line;
	enum kind kind;
	const char *heading;
	struct cell header[MAX_COLUMNS], row[MAX_COLUMNS];
	size_t columns;
	char release[64];
	char *error;
	size_t error_size;
	jmp_buf failed;
};

static void wrong(struct reader *reader, const struct cell *cell, size_t at,
		  const char *format, ...)
	__attribute__((noreturn, format(printf, 4, 5)));

static void wrong(struct reader *reader, const struct cell *cell, size_t at,
		  const char *format, ...)
{
	va_list args;
	size_t len;

	len = snprintf(reader->error, reader->error_size,
		       "%s:%u:%zu: ", reader->document->name, cell->line,
		       cell->column + at);
	va_start(args, format);
	if (len < reader->error_size)
		vsnprintf(reader->error + len, reader->error_size - len, format,
			  args);
	va_end(args);
	longjmp(reader->failed, 1);
}

/* One more element, all 0, at the end of an array. */
static void *one_more(struct reader *reader, void *array, size_t *nr,
		      size_t size)
{
	struct cell nowhere = {"", reader->line, 1};
	char *grown = array;

	if (!(*nr & (*nr - 1))) {
		grown = realloc(array, (*nr ? *nr * 2 : 1) * size);
		if (!grown)
			wrong(reader, &nowhere, 0, "out of memory");
	}
	memset(grown + *nr * size, 0, size);
	(*nr)++;
	return grown;
}

/* --- lines, and the cells of one ------------------------------------------------ */

static char *next_line(struct reader *reader)
{
	char *line = reader->at, *end;

	if (!*line)
		return NULL;
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	reader->at = end ? end + 1 : line + strlen(line);
	reader->line++;
	return line;
}

static size_t split(struct reader *reader, char *line, struct cell *cells)
{
	char *from = strchr(line, '|') + 1, *bar;
	size_t nr = 0;

	while ((bar = strchr(from, '|'))) {
		char *text = from + strspn(from, " ");
		char *end = bar;

		if (text > bar)
			text = bar;
		while (end > text && end[-1] == ' ')
			end--;
		cells[nr].text = text;
		cells[nr].line = reader->line;
		cells[nr].column = text - line + 1;
		from = bar + 1;
		/* Up to here the cell was needed as it was. */
		*end = '\0';
		*bar = '\0';
		if (nr == MAX_COLUMNS - 1 && strchr(from, '|'))
			wrong(reader, &cells[nr], 0, "too many cells");
		nr++;
	}
	if (from[strspn(from, " ")]) {
		cells[nr].line = reader->line;
		cells[nr].column = from - line + 1;
		wrong(reader, &cells[nr], 0, "the row does not end with a |");
	}
	return nr;
}

/* The cell of the row in the column of that name; an empty one if none is. */
static struct cell cell_of(struct reader *reader, const char *column)
{
	struct cell none = {"", reader->line, 1};
	size_t i;

	for (i = 0; i < reader->columns; i++)
		if (!strcmp(reader->header[i].text, column))
			return reader->row[i];
	return none;
}

/* The same where a table must have it. */
static struct cell need(struct reader *reader, const char *column)
{
	struct cell cell = cell_of(reader, column);
	size_t i;

	for (i = 0; i < reader->columns; i++)
		if (!strcmp(reader->header[i].text, column))
			return cell;
	wrong(reader, &reader->header[0], 0, "the table has no column \"%s\"",
	      column);
}

/* --- what rows have in common ---------------------------------------------------- */

static struct state *find_state(struct reader *reader, const struct cell *cell)
{
	size_t i;

	for (i = 0; i < reader->document->nr_states; i++)
		if (!strcmp(reader->document->states[i].name.text, cell->text))
			return &reader->document->states[i];
	return NULL;
}

static const struct state *state_of(struct reader *reader)
{
	struct cell cell = need(reader, "state");
	const struct state *state;

	if (!strcmp(cell.text, "any"))
		return NULL;
	state = find_state(reader, &cell);
	if (!state)
		wrong(reader, &cell, 0, "there is no state \"%s\"", cell.text);
	return state;
}

static unsigned int targets_of(struct reader *reader, const struct state *state)
{
	struct cell cell = cell_of(reader, "on");
	unsigned int targets;
	size_t at;

	if (!targets_parse(cell.text, &targets, &at))
		wrong(reader, &cell, at, "unknown word: \"%s\"",
		      cell.text + at);
	return state ? targets & state->targets : targets;
}

static bool is_this_kernel(struct reader *reader)
{
	struct cell cell = cell_of(reader, "kernel");
	bool holds;
	size_t at;

	if (!kernel_parse(cell.text, reader->release, &holds, &at))
		wrong(reader, &cell, at,
		      "\"< 6.15\" or \">= 6.15\" is meant, not \"%s\"",
		      cell.text);
	return holds;
}

static void call_of(struct reader *reader, struct cell *cell, struct call *call)
{
	const char *why;
	size_t at;

	*cell = need(reader, "call");
	why = call_parse(cell->text, false, call, &at);
	if (why)
		wrong(reader, cell, at, "\"%s\": %s", cell->text + at, why);
}

static void check_field(struct reader *reader, enum field field,
			const struct cell *cell, size_t from, const char *text)
{
	static bool (*const checks[NR_FIELDS])(const char *, size_t *) = {
		[RESULT] = is_result,	[BYTES] = is_number,
		[READ_END] = is_mask,	[WRITE_END] = is_mask,
		[CAPACITY] = is_number, [SIGNALS] = is_signals,
		[OTHERS] = is_others,
	};
	size_t at = 0;

	if (*text && !checks[field](text, &at))
		wrong(reader, cell, from + at, "unknown word: \"%s\"",
		      text + at);
}

/* --- the kinds of rows ------------------------------------------------------------ */

static void read_state(struct reader *reader)
{
	struct cell name = need(reader, "state"),
		    steps = need(reader, "made by");
	struct document *document = reader->document;
	struct state *state;
	const char *from;

	/* Rows point to states, and these move as they grow in number. */
	if (document->nr_rows || document->nr_differences)
		wrong(reader, &name, 0,
		      "states come before what is about them");
	if (find_state(reader, &name) || !strcmp(name.text, "any"))
		wrong(reader, &name, 0, "there is a state \"%s\" already",
		      name.text);
	document->states = one_more(reader, document->states,
				    &document->nr_states, sizeof(*state));
	state = &document->states[document->nr_states - 1];
	state->name = name;
	state->targets = targets_of(reader, NULL);
	for (from = steps.text; *from;) {
		char step[80];
		size_t len = strcspn(from, ","), at;
		struct call *call = &state->steps[state->nr_steps];
		const char *why;

		if (state->nr_steps == MAX_STEPS)
			wrong(reader, &steps, from - steps.text,
			      "more than %d steps", MAX_STEPS);
		snprintf(step, sizeof(step), "%.*s", (int)len, from);
		why = call_parse(step, true, call, &at);
		if (why)
			wrong(reader, &steps, from - steps.text + at,
			      "\"%s\": %s", step + at, why);
		state->sleepers |= call->who;
		state->nr_steps++;
		from += len;
		from += strspn(from, ", ");
	}
}

static void read_case(struct reader *reader)
{
	struct document *document = reader->document;
	struct row *row;
	size_t i;

	document->rows = one_more(reader, document->rows, &document->nr_rows,
				  sizeof(*row));
	row = &document->rows[document->nr_rows - 1];
	row->line = reader->line;
	row->heading = reader->heading;
	row->state = state_of(reader);
	call_of(reader, &row->call_cell, &row->call);
	row->targets = targets_of(reader, row->state);
	row->this_kernel = is_this_kernel(reader);
	row->result[0] = cell_of(reader, "O_NONBLOCK");
	row->result[1] = cell_of(reader, "blocking");
	if (cell_of(reader, "result").text[0]) {
		row->result[0] = cell_of(reader, "result");
		row->result[1] = row->result[0];
	}
	if (row->state && row->state->sleepers && row->call.verb != OPEN) {
		if (cell_of(reader, "O_NONBLOCK").text[0])
			wrong(reader, &row->result[0], 0,
			      "the flag would be that of who waits, too");
		row->result[0].text = "";
	}
	if (!row->result[0].text[0] && !row->result[1].text[0])
		wrong(reader, &row->call_cell, 0, "the row has no result");
	for (i = 0; i < 2; i++)
		check_field(reader, RESULT, &row->result[i], 0,
			    row->result[i].text);
	for (i = RESULT + 1; i < NR_FIELDS; i++) {
		row->fields[i] = cell_of(reader, field_names[i]);
		check_field(reader, i, &row->fields[i], 0, row->fields[i].text);
	}
}

/* "EFAULT; read end IN": the result, and what else is different afterwards. */
static void read_outcome(struct reader *reader, const char *column,
			 struct cell *fields)
{
	struct cell cell = need(reader, column);
	char *from = (char *)cell.text;
	enum field field = RESULT;
	size_t i;

	for (i = 0; i < NR_FIELDS; i++)
		fields[i] = (struct cell){"", cell.line, cell.column};
	while (from) {
		char *next = strchr(from, ';');
		size_t at = from - cell.text;

		if (next) {
			*next++ = '\0';
			next += strspn(next, " ");
		}
		if (at) {
			for (field = BYTES; field < NR_FIELDS; field++) {
				size_t len = strlen(field_names[field]);

				if (!strncmp(from, field_names[field], len) &&
				    from[len] == ' ') {
					from += len + 1;
					at += len + 1;
					break;
				}
			}
			if (field == NR_FIELDS)
				wrong(reader, &cell, at, "unknown word: \"%s\"",
				      from);
		}
		check_field(reader, field, &cell, at, from);
		fields[field].text = from;
		from = next;
	}
	if (!fields[RESULT].text[0])
		wrong(reader, &cell, 0, "a result is missing");
}

static void read_difference(struct reader *reader)
{
	struct document *document = reader->document;
	struct departure *difference;
	struct cell why = need(reader, "why");
	size_t i;

	document->differences =
		one_more(reader, document->differences,
			 &document->nr_differences, sizeof(*difference));
	difference = &document->differences[document->nr_differences - 1];
	difference->line = reader->line;
	difference->state = state_of(reader);
	call_of(reader, &difference->call_cell, &difference->call);
	difference->targets = targets_of(reader, difference->state) & OURS;
	difference->this_kernel = is_this_kernel(reader);
	if (!why.text[0])
		wrong(reader, &why, 0, "a difference needs its reason");
	read_outcome(reader, "the kernel's", difference->kernels);
	read_outcome(reader, "ours", difference->ours);
	for (i = 0; i < NR_FIELDS; i++)
		if (strcmp(difference->kernels[i].text,
			   difference->ours[i].text))
			return;
	wrong(reader, &difference->call_cell, 0, "it does not differ");
}

/* --- the whole ------------------------------------------------------------------- */

static void check_header(struct reader *reader)
{
	static const char *const known[][MAX_COLUMNS] = {
		[STATES] = {"state", "made by", "on"},
		[CASES] = {"state", "call", "result", "O_NONBLOCK", "blocking",
			   "bytes", "read end", "write end", "capacity",
			   "signals", "others", "on", "kernel"},
		[DIFFERENCES] = {"state", "call", "the kernel's", "ours", "on",
				 "kernel", "why"},
	};
	size_t i, k;

	for (i = 0; i < reader->columns; i++) {
		struct cell *cell = &reader->header[i];

		for (k = 0; k < MAX_COLUMNS && known[reader->kind][k]; k++)
			if (!strcmp(known[reader->kind][k], cell->text))
				break;
		if (k == MAX_COLUMNS || !known[reader->kind][k])
			wrong(reader, cell, 0, "no column is called \"%s\"",
			      cell->text);
	}
}

/* The line under a header consists of dashes. */
static void check_rule(struct reader *reader, char *line)
{
	struct cell cell = {line, reader->line, 1};

	if (!line || line[strspn(line, "|-: ")])
		wrong(reader, &cell, 0, "a line of dashes is missing");
}

static void read_table(struct reader *reader, char *line)
{
	reader->columns = split(reader, line, reader->header);
	check_header(reader);
	check_rule(reader, next_line(reader));
	while (reader->at[0] == '|') {
		struct cell start = {"", reader->line + 1, 1};
		size_t columns;

		columns = split(reader, next_line(reader), reader->row);
		if (columns != reader->columns)
			wrong(reader, &start, 0,
			      "the row has %zu cells, its header %zu", columns,
			      reader->columns);
		if (reader->kind == STATES)
			read_state(reader);
		else if (reader->kind == CASES)
			read_case(reader);
		else
			read_difference(reader);
	}
}

static void read_heading(struct reader *reader, char *line)
{
	size_t level = strspn(line, "#"), i;

	reader->heading = line + level + strspn(line + level, " ");
	if (level > 2)
		return;
	reader->kind = FOR_PEOPLE;
	for (i = 0; i < NR(sections); i++)
		if (!strcmp(sections[i].heading, reader->heading))
			reader->kind = sections[i].kind;
}

static void read_all(struct reader *reader)
{
	struct cell end = {"", 1, 1};
	char *line;

	while ((line = next_line(reader))) {
		if (line[0] == '#')
			read_heading(reader, line);
		else if (line[0] == '|' && reader->kind != FOR_PEOPLE)
			read_table(reader, line);
	}
	end.line = reader->line;
	if (!reader->document->nr_states || !reader->document->nr_rows ||
	    !reader->document->nr_differences)
		wrong(reader, &end, 0,
		      "no table of states, of cases or of differences: a heading is missing");
}

struct document *document_parse(const char *name, char *text, char *error,
				size_t size)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	struct document *document = calloc(1, sizeof(*document));
	struct document *volatile result = NULL;
	static unsigned int number;
	struct utsname uts;

	if (!reader || !document || uname(&uts)) {
		snprintf(error, size, "%s: %s", name, strerror(errno));
	} else {
		document->number = ++number;
		document->name = name;
		document->text = text;
		reader->document = document;
		reader->at = text;
		reader->heading = "";
		reader->error = error;
		reader->error_size = size;
		snprintf(reader->release, sizeof(reader->release), "%.60s",
			 uts.release);
		if (!setjmp(reader->failed)) {
			read_all(reader);
			result = document;
		}
	}
	if (!result && document)
		document_free(document);
	free(reader);
	return result;
}

char *document_load(const char *path, char *error, size_t size)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t len = 0;

	if (file && getdelim(&text, &len, '\0', file) < 0) {
		free(text);
		text = NULL;
	}
	if (!text)
		snprintf(error, size, "%s: %s", path, strerror(errno));
	if (file)
		fclose(file);
	return text;
}

void document_free(struct document *document)
{
	free(document->states);
	free(document->rows);
	free(document->differences);
	free(document->text);
	free(document);
}

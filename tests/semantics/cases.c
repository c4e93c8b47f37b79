// SPDX-License-Identifier: GPL-2.0
/* The cases of the document, played and compared: see cases.h. */
#include "cases.h"

#include "../kernel/harness.h"
#include "scene.h"

bool cases_quiet, cases_shown;

#define NR_TARGETS 5

static size_t index_of(unsigned int bit)
{
	return __builtin_ctz(bit);
}

static unsigned int kernels(unsigned int bit)
{
	return bit & (PIPE | ANON) ? PIPE : FIFO;
}

/* --- what is expected ------------------------------------------------------------- */

static bool is_same_call(const struct call *a, const struct call *b)
{
	char one[80], two[80];

	call_name(a, one, sizeof(one));
	call_name(b, two, sizeof(two));
	return !strcmp(one, two);
}

static const struct departure *find_departure(const struct document *document,
					      const struct state *state,
					      const struct call *call,
					      unsigned int target)
{
	size_t i;

	for (i = 0; i < document->nr_differences; i++) {
		const struct departure *difference = &document->differences[i];

		if (difference->this_kernel && difference->targets & target &&
		    (!difference->state || difference->state == state) &&
		    is_same_call(&difference->call, call))
			return difference;
	}
	return NULL;
}

/* The kernel's answer may be any, as long as it is not ours. */
static bool is_any(const struct cell *cell)
{
	return !strcmp(cell->text, "any");
}

/* How a state looks before the call; each is looked at once. */
static const struct record *before(const struct document *document,
				   const struct state *state,
				   unsigned int target)
{
	static struct record *looks;
	static unsigned int about;
	static size_t room;
	size_t at = (state - document->states) * NR_TARGETS + index_of(target);
	struct record *look;

	if (about != document->number) {
		free(looks);
		looks = NULL;
		about = document->number;
		room = document->nr_states * NR_TARGETS;
	}
	if (!looks) {
		looks = calloc(room, sizeof(*looks));
		assert_non_null(looks);
	}
	look = &looks[at];
	if (!look->in_order)
		scene_play(target, state, NULL, state->sleepers, look);
	return look;
}

/* What the document says of a field; the state's own if it says nothing. */
static const char *wanted(const struct document *document,
			  const struct row *row, const struct state *state,
			  unsigned int target, bool blocking, enum field field)
{
	const struct departure *difference =
		find_departure(document, state, &row->call, target);
	const char *text = row->fields[field].text;

	if (field == RESULT)
		text = row->result[blocking].text;
	if (difference) {
		if (difference->ours[field].text[0])
			return difference->ours[field].text;
		if (is_any(&difference->kernels[RESULT]))
			text = "";
	}
	if (*text || field == SIGNALS || field == OTHERS)
		return text;
	/* What a resize gives, is the capacity. */
	if (field == CAPACITY && row->call.verb == RESIZE &&
	    strspn(row->result[blocking].text, "0123456789"))
		return row->result[blocking].text;
	return before(document, state, target)->fields[field];
}

/* --- saying what is wrong ---------------------------------------------------------- */

static void __attribute__((format(printf, 6, 7)))
complain(const struct document *document, unsigned int line,
	 const struct state *state, const struct call *call, bool blocking,
	 const char *format, ...)
{
	char name[80], text[512];
	va_list args;

	if (cases_quiet)
		return;
	call_name(call, name, sizeof(name));
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (line)
		print_error("# %s:%u: ", document->name, line);
	else
		print_error("# ");
	print_error("%s | %s%s [%s]: %s\n", state->name.text, name,
		    blocking ? ", blocking" : "", target->name, text);
}

/* --- comparing --------------------------------------------------------------------- */

/* Is the record what the row says? */
static bool agrees(const struct document *document, const struct row *row,
		   const struct state *state, unsigned int target,
		   bool blocking, const struct record *record)
{
	bool good = true;
	enum field field;

	for (field = RESULT; field < NR_FIELDS; field++) {
		const char *want =
			wanted(document, row, state, target, blocking, field);

		if (!strcmp(want, record->fields[field]))
			continue;
		complain(document, row->line, state, &row->call, blocking,
			 "%s: the document says \"%s\", seen \"%s\"",
			 field_names[field], want, record->fields[field]);
		good = false;
	}
	if (strcmp(record->interrupted, record->moved)) {
		complain(document, row->line, state, &row->call, blocking,
			 "a signal ended it with \"%s\", not \"%s\"",
			 record->interrupted, record->moved);
		good = false;
	}
	if (!record->in_order) {
		complain(document, row->line, state, &row->call, blocking,
			 "the bytes are not those that were written, in order");
		good = false;
	}
	return good;
}

static bool is_listed(const struct departure *difference, enum field field,
		      const struct record *real, const struct record *ours)
{
	const struct cell *kernels, *own;

	if (!difference)
		return false;
	if (is_any(&difference->kernels[RESULT]))
		return field != RESULT ||
		       !strcmp(ours->fields[RESULT],
			       difference->ours[RESULT].text);
	kernels = &difference->kernels[field];
	own = &difference->ours[field];
	return !strcmp(real->fields[field], kernels->text) &&
	       !strcmp(ours->fields[field], own->text);
}

/* Are both the same, but for what is listed? */
static bool is_as_kernels(const struct document *document, unsigned int line,
			  const struct state *state, const struct call *call,
			  bool blocking, const struct record *real,
			  const struct record *ours)
{
	const struct departure *difference =
		find_departure(document, state, call, target->bit);
	bool good = true;
	enum field field;

	for (field = RESULT; field < NR_FIELDS; field++) {
		if (!strcmp(real->fields[field], ours->fields[field]) ||
		    is_listed(difference, field, real, ours))
			continue;
		complain(document, line, state, call, blocking,
			 "%s: the kernel's \"%s\", ours \"%s\"",
			 field_names[field], real->fields[field],
			 ours->fields[field]);
		good = false;
	}
	if (strcmp(real->interrupted, ours->interrupted)) {
		complain(document, line, state, call, blocking,
			 "ended by a signal: the kernel's \"%s\", ours \"%s\"",
			 real->interrupted, ours->interrupted);
		good = false;
	}
	if (real->hash != ours->hash && !difference) {
		complain(document, line, state, call, blocking,
			 "other bytes than the kernel's");
		good = false;
	}
	return good;
}

/* --- the cases of the document ------------------------------------------------------ */

size_t cases_count(const struct document *document)
{
	size_t i, count = 0;

	for (i = 0; i < document->nr_rows; i++) {
		const struct row *row = &document->rows[i];

		count += row->result[0].text[0] != '\0';
		count += row->result[1].text[0] != '\0';
	}
	return count;
}

/* What a row should say. */
static void show(const struct row *row, bool blocking,
		 const struct record *record)
{
	enum field field;

	print_message("# line %u, %s", row->line,
		      blocking ? "blocking" : "O_NONBLOCK");
	for (field = RESULT; field < NR_FIELDS; field++)
		print_message(" | %s: %s", field_names[field],
			      record->fields[field]);
	print_message("\n");
}

/* What the kernel's gives in a case; each is played once for each of its two. */
static const struct record *kernels_record(const struct document *document,
					   const struct row *row, bool blocking,
					   unsigned int bit)
{
	static struct record *records;
	static unsigned int about;
	size_t at = ((row - document->rows) * 2 + blocking) * 2 +
		    (kernels(bit) == PIPE);
	struct record *record;

	if (about != document->number) {
		free(records);
		records = calloc(document->nr_rows * 4, sizeof(*records));
		assert_non_null(records);
		about = document->number;
	}
	record = &records[at];
	if (!record->fields[RESULT][0]) {
		scene_play(kernels(bit), row->state, &row->call, blocking,
			   record);
		switch_to(bit);
	}
	return record;
}

static bool play_case(const struct document *document, const struct row *row,
		      const struct state *state, unsigned int bit,
		      bool blocking, bool *played)
{
	struct record record;
	bool good;

	*played = scene_play(bit, state, &row->call, blocking, &record);
	if (!*played && row->state) {
		complain(document, row->line, state, &row->call, blocking,
			 "the state has no such end");
		return false;
	}
	if (!*played)
		return true;
	if (cases_shown)
		show(row, blocking, &record);
	good = agrees(document, row, state, bit, blocking, &record);
	/* In any state all is as before, which the document says, too. */
	if (!(bit & OURS) || !row->state)
		return good;
	return good &
	       is_as_kernels(document, row->line, state, &row->call, blocking,
			     kernels_record(document, row, blocking, bit),
			     &record);
}

/* Rows of any state are for each in which nobody waits. */
static bool concerns(const struct row *row, const struct state *state,
		     unsigned int bit)
{
	if (row->state && row->state != state)
		return false;
	if (!row->state && state->sleepers)
		return false;
	return row->this_kernel && row->targets & state->targets & bit;
}

unsigned int cases_line(const struct document *document, const char *call)
{
	size_t i;

	for (i = 0; i < document->nr_rows; i++)
		if (!strcmp(document->rows[i].call_cell.text, call))
			return document->rows[i].line;
	fail_msg("%s has no case of %s", document->name, call);
	return 0;
}

size_t cases_play(const struct document *document, unsigned int bit,
		  unsigned int line, size_t *bad)
{
	size_t i, s, played = 0;

	*bad = 0;
	for (i = 0; i < document->nr_rows; i++) {
		const struct row *row = &document->rows[i];

		if (line && row->line != line)
			continue;
		for (s = 0; s < document->nr_states; s++) {
			const struct state *state = &document->states[s];
			int blocking;

			for (blocking = 0; blocking < 2; blocking++) {
				bool one;

				if (!concerns(row, state, bit) ||
				    !row->result[blocking].text[0])
					continue;
				*bad += !play_case(document, row, state, bit,
						   blocking, &one);
				played += one;
			}
		}
	}
	return played;
}

void cases_walk(const struct document *document, unsigned int bit,
		void (*see)(void *about, const struct row *row,
			    const struct state *state, bool blocking),
		void *about)
{
	struct record record;
	size_t i, s;
	int blocking;

	for (i = 0; i < document->nr_rows; i++) {
		const struct row *row = &document->rows[i];

		for (blocking = 0; blocking < 2; blocking++) {
			for (s = 0; s < document->nr_states; s++) {
				const struct state *state =
					&document->states[s];

				if (concerns(row, state, bit) &&
				    row->result[blocking].text[0] &&
				    scene_play(bit, state, &row->call, blocking,
					       &record))
					see(about, row, state, blocking);
			}
		}
	}
}

/* --- the differences ---------------------------------------------------------------- */

static bool is_said(const struct cell *cells, const struct record *record)
{
	enum field field;

	for (field = RESULT; field < NR_FIELDS; field++)
		if (cells[field].text[0] && !is_any(&cells[field]) &&
		    strcmp(cells[field].text, record->fields[field]))
			return false;
	return true;
}

/* In one state at least, both must do what is said of them. */
static bool occurs(const struct document *document,
		   const struct departure *difference, unsigned int bit)
{
	const struct call *call = &difference->call;
	struct record real, ours;
	bool found = false;
	size_t s;

	for (s = 0; s < document->nr_states && !found; s++) {
		const struct state *state = &document->states[s];

		if ((difference->state && difference->state != state) ||
		    !(state->targets & bit))
			continue;
		if (!scene_play(kernels(bit), state, call, state->sleepers,
				&real) ||
		    !scene_play(bit, state, call, state->sleepers, &ours))
			continue;
		found = is_said(difference->kernels, &real) &&
			is_said(difference->ours, &ours) &&
			memcmp(real.fields, ours.fields, sizeof(real.fields));
		if (!found && difference->state)
			complain(document, difference->line, state, call,
				 state->sleepers,
				 "the kernel's \"%s\", ours \"%s\"",
				 real.fields[RESULT], ours.fields[RESULT]);
	}
	return found;
}

size_t cases_differences(const struct document *document, unsigned int bit,
			 size_t *bad)
{
	size_t i, played = 0;

	*bad = 0;
	for (i = 0; i < document->nr_differences; i++) {
		const struct departure *difference = &document->differences[i];

		if (!difference->this_kernel || !(difference->targets & bit))
			continue;
		played++;
		if (occurs(document, difference, bit))
			continue;
		(*bad)++;
		if (!cases_quiet)
			print_error("# %s:%u: it does not occur [%s]\n",
				    document->name, difference->line,
				    target->name);
	}
	return played;
}

/* --- each call in each state --------------------------------------------------------- */

/* Sizes that the document's cases leave out, and what may wait in any state. */
static const struct {
	const char *text;
	bool blocking;
} more_calls[] = {
	{"read 0", false},
	{"read 1", true},
	{"read 4095", false},
	{"read 4096", true},
	{"read 4097", false},
	{"read 65536", false},
	{"read 65537", true},
	{"read 5000 faults at 4500", false},
	{"write 0", false},
	{"write 1", true},
	{"write 4095", false},
	{"write 4096", true},
	{"write 4097", true},
	{"write 65535", false},
	{"write 65536", false},
	{"write 65537", true},
	{"write 200000", false},
	{"readv 5000", true},
	{"writev 5000", true},
	{"open r", true},
	{"open w", true},
	{"open rw", true},
	{"close r", false},
	{"close w", false},
	{"poll r", true},
	{"poll w", true},
	{"resize 0", false},
	{"resize 4097", false},
	{"resize 65535", false},
	{"resize 65537", false},
	{"resize 1048576", false},
	{"read w 1", false},
	{"write r 1", false},
	{"splice-out 5000", true},
	{"splice-in 5000", true},
	{"splice-own 5000", false},
	{"splice-file 5000", false},
	{"tee 5000", false},
	{"vmsplice 5000", false},
};

size_t cases_cross(const struct document *document, unsigned int bit,
		   bool blocking, size_t *bad)
{
	size_t i, s, played = 0;

	*bad = 0;
	for (s = 0; s < document->nr_states; s++) {
		const struct state *state = &document->states[s];

		if (state->sleepers || !(state->targets & bit))
			continue;
		for (i = 0; i < NR(more_calls); i++) {
			struct record real, ours;
			struct call call;
			size_t at;

			if (blocking && !more_calls[i].blocking)
				continue;
			assert_null(call_parse(more_calls[i].text, false, &call,
					       &at));
			if (!scene_play(kernels(bit), state, &call, blocking,
					&real))
				continue;
			scene_play(bit, state, &call, blocking, &ours);
			played++;
			*bad += !is_as_kernels(document, 0, state, &call,
					       blocking, &real, &ours);
		}
	}
	return played;
}

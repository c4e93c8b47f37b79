// SPDX-License-Identifier: GPL-2.0
/*
 * All orders in which the tasks of a scenario can take their steps, on the host
 *
 * The cheaper twin of explore.c: it runs the same scenarios (scenarios.h), but
 * the module's own pipe.c, waiter.c and ring.c are part of this program, over a
 * model of the kernel's mutexes, wait queues and signals (model.h, which also
 * says what a step is).  A state can be kept and gone back to, so the orders
 * are searched as a tree; a state that was met before is not searched again,
 * and the number of orders through it is known.
 *
 * After each step: the ring's invariants, the bytes in order, the counters, and
 * nobody asleep who could go on once all are at rest.  At the end of an order:
 * the outcome is one of those of serial.h.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model.h"
#include "serial.h"
#include "twin.h"

/* No order is as long: a step more, and the tasks go round for ever. */
#define LONGEST	  4096

#define NR(array) (sizeof(array) / sizeof(*(array)))

#define NO_LIMIT  (-1)

static const char usage[] =
	"usage: twin [OPTION...] [SCENARIO...]\n"
	"       twin --replay FILE.step...\n"
	"Tries all orders of the scenarios, or of those named.\n"
	"  --gates          only orders that gates can bring about\n"
	"  --small-steps    a step at each access to shared memory, too\n"
	"  --preemptions N  only orders with at most N preemptions\n"
	"  --states N       leave a scenario after so many states\n"
	"  --schedules DIR  save an order that goes wrong as DIR/SCENARIO.step\n"
	"  --tap            a line of TAP for each scenario\n"
	"  --list           the scenarios\n"
	"  --replay         what ipcdemo step -v prints, by the model\n";

static struct options {
	bool gates;
	bool small_steps;
	bool tap;
	int preemptions;
	uint64_t states;
	const char *schedules;
} options = {.preemptions = NO_LIMIT, .states = 20000000};

static void *must(void *memory)
{
	if (memory)
		return memory;
	fprintf(stderr, "twin: out of memory\n");
	exit(1);
}

/* --- the states that were met --- */

/**
 * struct met - a state
 * @orders:	from here to the end; -1: this state is being searched
 */
struct met {
	uint64_t sum[2];
	double orders;
};

static struct table {
	struct met *met;
	size_t size;
	size_t used;
} table;

#define BEING_SEARCHED (-1.0)

static struct met *find_in(struct met *met, size_t size, const uint64_t sum[2])
{
	size_t at = sum[0] & (size - 1);

	while (met[at].orders &&
	       (met[at].sum[0] != sum[0] || met[at].sum[1] != sum[1]))
		at = (at + 1) & (size - 1);
	return &met[at];
}

static void make_room(void)
{
	size_t size = table.size ? 2 * table.size : 1 << 12, i;
	struct met *met;

	if (2 * table.used < table.size)
		return;
	met = must(calloc(size, sizeof(*met)));
	for (i = 0; i < table.size; i++)
		if (table.met[i].orders)
			*find_in(met, size, table.met[i].sum) = table.met[i];
	free(table.met);
	table.met = met;
	table.size = size;
}

static void forget_all(void)
{
	memset(table.met, 0, table.size * sizeof(*table.met));
	table.used = 0;
}

/* --- the search --- */

/**
 * struct turn - a step of the order being tried
 * @state:	before it, @room bytes
 * @view:	the task after it
 */
struct turn {
	void *state;
	size_t room;
	int task;
	struct model_view view;
};

/**
 * struct search - the orders of a scenario
 * @left_out:	there were orders beyond the limits
 * @wrong:	what is wrong with the one in turns[], @depth of them; NULL: none
 */
static struct search {
	const struct scenario *scenario;
	struct outcomes outcomes;
	bool has_serial;
	int ntasks;
	uint64_t steps;
	bool left_out;
	const char *wrong;
	int who;
	int depth;
	int longest;
	struct turn turns[LONGEST];
} search;

static double wrong(int depth, const char *what, int who)
{
	search.wrong = what;
	search.who = who;
	search.depth = depth;
	return 1;
}

static unsigned int source_of(const struct model_piece *piece)
{
	return piece->source == MODEL_TASKS ? SERIAL_FILL : piece->source;
}

static void take_pieces(struct pieces *to, const struct model_bytes *from,
			unsigned int by)
{
	uint32_t i;

	for (i = 0; i < from->n; i++) {
		if (from->piece[i].by != by)
			continue;
		if (to->n == SERIAL_PIECES) {
			fprintf(stderr, "twin: SERIAL_PIECES is too small\n");
			exit(1);
		}
		to->piece[to->n++] = (struct piece){
			.source = source_of(&from->piece[i]),
			.start = from->piece[i].start,
			.len = from->piece[i].len,
		};
	}
}

static void take_task(struct task_outcome *to, const struct model_view *view)
{
	unsigned int i;

	to->done = view->done;
	to->blocked = view->status == MODEL_ASLEEP;
	to->partial = view->written;
	for (i = 0; i < view->done; i++)
		to->result[i] = view->results[i];
	for (i = 0; i < SCENARIO_OPS; i++)
		take_pieces(&to->got[i], view->got, i);
}

static bool is_serial(void)
{
	struct outcome outcome;
	struct model_pipe pipe;
	struct model_view view;
	size_t n;
	int i;

	memset(&outcome, 0, sizeof(outcome));
	for (i = 0; i < search.ntasks; i++) {
		model_look(i, &view);
		take_task(&outcome.task[i], &view);
	}
	model_look_pipe(&pipe);
	outcome.slots = pipe.slots;
	outcome.used = pipe.used;
	outcome.readers = pipe.readers;
	outcome.writers = pipe.writers;
	take_pieces(&outcome.left, &pipe.content, 0);
	for (n = 0; n < search.outcomes.n; n++)
		if (!memcmp(&search.outcomes.outcome[n], &outcome,
			    sizeof(outcome)))
			return true;
	return false;
}

/* Nobody can take a step. */
static double end_order(int depth)
{
	struct model_view view;
	int i;

	for (i = 0; i < search.ntasks; i++) {
		model_look(i, &view);
		if (view.status == MODEL_LOCK)
			return wrong(depth, "waits for a lock for ever", i);
	}
	if (search.has_serial && !is_serial())
		return wrong(depth,
			     "no serial order of the calls leads to this", -1);
	return 1;
}

static void keep_state(struct turn *turn)
{
	size_t size = model_size();

	if (turn->room < size) {
		turn->state = must(realloc(turn->state, size));
		turn->room = size;
	}
	model_keep(turn->state);
}

/*
 * Whether the order may go on with @task, behind a step of @last.  Leaving a
 * task that could go on in the middle of a call is a preemption.
 */
static bool may_take(int task, int last, int *left)
{
	struct model_view view;

	if (*left == NO_LIMIT || last < 0 || task == last ||
	    !model_can_step(last))
		return true;
	model_look(last, &view);
	if (view.status == MODEL_IDLE)
		return true;
	return (*left)-- > 0;
}

/* Return: how many orders lead from this state to an end. */
static double go_on(int depth, int last, int left)
{
	struct turn *turn = &search.turns[depth];
	const char *what = model_broken();
	bool changed = false;
	double orders = 0;
	uint64_t sum[2];
	struct met *met;
	int task, who, then;

	if (what)
		return wrong(depth, what, -1);
	model_sum(sum);
	if (left != NO_LIMIT)
		sum[0] ^= (left * 8 + last + 1) * 0x9e3779b97f4a7c15;
	make_room();
	met = find_in(table.met, table.size, sum);
	if (met->orders == BEING_SEARCHED || depth == LONGEST - 1)
		return wrong(depth, "the tasks go round for ever", -1);
	if (met->orders)
		return met->orders;
	if (table.used == options.states) {
		search.left_out = true;
		return 1;
	}
	table.used++;
	*met = (struct met){{sum[0], sum[1]}, BEING_SEARCHED};
	if (depth > search.longest)
		search.longest = depth;

	who = model_overslept(&what);
	if (who >= 0)
		return wrong(depth, what, who);

	keep_state(turn);
	for (task = 0; task < search.ntasks; task++) {
		if (changed)
			model_restore(turn->state);
		changed = false;
		then = left;
		if (!model_can_step(task))
			continue;
		if (!may_take(task, last, &then)) {
			search.left_out = true;
			continue;
		}
		model_step(task);
		changed = true;
		search.steps++;
		turn->task = task;
		if (options.gates)
			model_come_to_rest();
		model_look(task, &turn->view);
		orders += go_on(depth + 1, task, then);
		if (search.wrong)
			return orders;
	}
	if (!orders)
		orders = end_order(depth);
	find_in(table.met, table.size, sum)->orders = orders;
	return orders;
}

/* --- a scenario --- */

/* Scenarios of the twin's own have these calls, too. */
#define CALL_KILL (CALL_SIGNAL + 1) /* number: which task */
#define CALL_OPEN (CALL_SIGNAL + 2) /* number: ENDS_* */

static const enum model_call calls[] = {
	[CALL_READ] = MODEL_READ,     [CALL_WRITE] = MODEL_WRITE,
	[CALL_CLOSE] = MODEL_CLOSE,   [CALL_POLL] = MODEL_POLL,
	[CALL_RESIZE] = MODEL_RESIZE, [CALL_SIGNAL] = MODEL_SIGNAL,
	[CALL_KILL] = MODEL_KILL,     [CALL_OPEN] = MODEL_OPEN,
};

#define PAGE		 SCENARIO_PAGE
#define IN		 ENDS_READ
#define OUT		 ENDS_WRITE
#define DO(CALL, NUMBER) SCENARIO_OP(CALL_##CALL, NUMBER)

/*
 * Where somebody is killed or opens, the model of serial.h is at its end: of these
 * only the rest is checked, above all that nobody oversleeps.
 */
static const struct scenario own_scenarios[] = {
	{.name = "signal-or-write",
	 .about = "a reader has a signal, and the bytes come",
	 .slots = 1,
	 .tasks = {{"R", IN, {DO(READ, 10), DO(READ, 10)}},
		   {"W", OUT, {DO(SIGNAL, 0), DO(WRITE, 5)}}}},
	{.name = "signal-or-read",
	 .about = "a writer has a signal, and a slot is released",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"R", IN, {DO(SIGNAL, 1), DO(READ, PAGE)}},
		   {"W", OUT, {DO(WRITE, 2 * PAGE), DO(WRITE, 1)}}}},
	{.name = "chosen-reader-signalled",
	 .about = "the reader that is chosen has a signal",
	 .slots = 1,
	 .tasks = {{"A", IN, {DO(READ, 10)}},
		   {"B", IN, {DO(READ, 10)}},
		   {"W", OUT, {DO(SIGNAL, 0), DO(WRITE, 5)}}}},
	{.name = "chosen-writer-signalled",
	 .about = "the writer that is chosen has a signal",
	 .slots = 1,
	 .fill = PAGE,
	 .tasks = {{"A", OUT, {DO(WRITE, 1)}},
		   {"B", OUT, {DO(WRITE, 1)}},
		   {"R", IN, {DO(SIGNAL, 0), DO(READ, PAGE)}}}},
	{.name = "chosen-reader-killed",
	 .about = "the reader that is chosen is killed",
	 .slots = 1,
	 .tasks = {{"A", IN, {DO(READ, 10)}},
		   {"B", IN, {DO(READ, 10)}},
		   {"W", OUT, {DO(WRITE, 5), DO(KILL, 0), DO(WRITE, 5)}}}},
	{.name = "chosen-writer-killed",
	 .about = "the writer that is chosen is killed",
	 .slots = 2,
	 .fill = 2 * PAGE,
	 .tasks = {{"A", OUT, {DO(WRITE, 1)}},
		   {"B", OUT, {DO(WRITE, 1)}},
		   {"R", IN, {DO(READ, PAGE), DO(KILL, 0), DO(READ, 1)}}}},
	{.name = "kill-inside",
	 .about = "a writer is killed wherever it is, and its end closes",
	 .slots = 1,
	 .tasks = {{"R", IN, {DO(READ, PAGE), DO(READ, PAGE), DO(READ, 1)}},
		   {"W", OUT, {DO(WRITE, 2 * PAGE)}},
		   {"K", IN, {DO(KILL, 1)}}}},
	{.name = "edge-after-poll",
	 .about = "after a poll each write wakes, also behind bytes",
	 .slots = 1,
	 .tasks = {{"R", IN, {DO(POLL, 0), DO(READ, 1)}},
		   {"W", OUT, {DO(WRITE, 1), DO(WRITE, 1)}}}},
	{.name = "open-meets-open",
	 .about = "each end waits in open for the other, then goes",
	 .slots = 1,
	 .tasks = {{"R", 0, {DO(OPEN, IN), DO(READ, 1), DO(CLOSE, 0)}},
		   {"W", 0, {DO(OPEN, OUT), DO(WRITE, 1), DO(CLOSE, 0)}}}},
	{.name = "open-meets-three",
	 .about = "two readers wait in open for one writer, who goes at once",
	 .slots = 1,
	 .tasks = {{"A", 0, {DO(OPEN, IN), DO(READ, 1)}},
		   {"B", 0, {DO(OPEN, IN), DO(READ, 1)}},
		   {"W", 0, {DO(OPEN, OUT), DO(CLOSE, 0)}}}},
	{.name = "open-or-last-close",
	 .about = "what the last close drops is older than the next open",
	 .slots = 1,
	 .tasks = {{"A", IN | OUT, {DO(WRITE, 4), DO(CLOSE, 0)}},
		   {"B", 0, {DO(OPEN, IN | OUT), DO(WRITE, 4), DO(READ, 8)}}}},
	{.name = "open-interrupted",
	 .about = "a signal for who waits in open, while the other side comes",
	 .slots = 1,
	 .tasks = {{"R", 0, {DO(OPEN, IN), DO(OPEN, IN)}},
		   {"W", 0, {DO(SIGNAL, 0), DO(OPEN, OUT)}}}},
};

#undef PAGE
#undef IN
#undef OUT
#undef DO

static void set_op(struct model_op *op, unsigned int word, unsigned int ends)
{
	unsigned int number = scenario_number(word);

	*op = (struct model_op){
		.call = calls[scenario_call(word)],
		.number = number,
		.target = number,
	};
	if (op->call == MODEL_RESIZE)
		op->number = number * SCENARIO_PAGE;
	if (op->call == MODEL_OPEN) {
		op->ends = number & (ENDS_READ | ENDS_WRITE);
		op->nonblock = number & ENDS_NONBLOCK;
	}
	if (ends & ENDS_READ)
		op->mask |= 0x1; /* POLLIN */
	if (ends & ENDS_WRITE)
		op->mask |= 0x4; /* POLLOUT */
}

static void set_up(struct model_setup *setup, const struct scenario *scenario)
{
	const struct scenario_task *from;
	struct model_task *to;
	unsigned int i;

	*setup = (struct model_setup){
		.slots = scenario->slots,
		.fill = scenario->fill,
		.drain = scenario->drain,
	};
	search.has_serial = true;
	for (from = scenario->tasks;
	     from < scenario->tasks + SCENARIO_TASKS && *from->name; from++) {
		to = &setup->tasks[setup->ntasks++];
		to->ends = from->ends & (ENDS_READ | ENDS_WRITE);
		to->nonblock = from->ends & ENDS_NONBLOCK;
		for (i = 0; i < SCENARIO_OPS && from->ops[i]; i++) {
			set_op(&to->ops[i], from->ops[i], from->ends);
			to->nops++;
			if (scenario_call(from->ops[i]) > CALL_SIGNAL)
				search.has_serial = false;
		}
	}
}

static bool polls(const struct scenario *scenario)
{
	unsigned int i, j;

	for (i = 0; i < SCENARIO_TASKS; i++)
		for (j = 0; j < SCENARIO_OPS; j++)
			if (scenario_call(scenario->tasks[i].ops[j]) ==
			    CALL_POLL)
				return true;
	return false;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/*
 * As in explore.c and serial.c, who comes to points in his first call has begun
 * it: a signal meets him there.
 */
static int begin_calls(const struct model_setup *setup)
{
	struct turn *turn;
	int task, depth = 0;

	for (task = 0; task < setup->ntasks; task++) {
		switch (setup->tasks[task].ops[0].call) {
		case MODEL_POLL:
		case MODEL_SIGNAL:
		case MODEL_KILL:
			continue;
		default:
			break;
		}
		model_step(task);
		turn = &search.turns[depth++];
		turn->task = task;
		model_look(task, &turn->view);
	}
	return depth;
}

/* Return: how many orders there are; search.wrong tells of a failure. */
static double try_orders(const struct scenario *scenario)
{
	struct model_setup setup;
	double orders;

	search.scenario = scenario;
	search.steps = 0;
	search.left_out = false;
	search.wrong = NULL;
	search.longest = 0;
	set_up(&setup, scenario);
	search.ntasks = setup.ntasks;
	/* A poll loads words one after the other, as that of pipe(2): */
	if (options.small_steps && polls(scenario))
		search.has_serial = false;
	if (search.has_serial)
		search.outcomes = serial_outcomes(scenario);
	model_small_steps = options.small_steps;
	model_gates = options.gates;
	make_room();
	forget_all();
	model_start(&setup);
	orders = go_on(begin_calls(&setup), -1, options.preemptions);
	if (search.has_serial)
		serial_free(&search.outcomes);
	return orders;
}

/* --- what is told --- */

static const char *task_name(int task)
{
	return search.scenario->tasks[task].name;
}

static void tell_result(FILE *to, const struct model_view *view)
{
	long result;

	if (!view->done) {
		fprintf(to, "has not begun");
		return;
	}
	result = view->results[view->done - 1];
	fprintf(to, "call %u gave ", view->done);
	if (result < 0)
		fprintf(to, "%s", strerrorname_np(-result));
	else
		fprintf(to, "%ld", result);
}

static void tell_where(FILE *to, const struct model_view *view)
{
	const char *point = view->point < 0 ? "" : twin_point(view->point);

	switch (view->status) {
	case MODEL_IDLE:
		tell_result(to, view);
		break;
	case MODEL_AT:
		fprintf(to, "%s", point);
		if (view->access)
			fprintf(to, ", then: %s", view->access);
		break;
	case MODEL_LOCK:
		fprintf(to, "%s, waits for a lock", point);
		break;
	case MODEL_ASLEEP:
		fprintf(to, "%s, asleep", point);
		break;
	case MODEL_GONE:
		fprintf(to, "is gone");
		break;
	}
}

static void tell_sentence(FILE *to)
{
	if (search.who >= 0)
		fprintf(to, "%s ", task_name(search.who));
	fprintf(to, "%s", search.wrong);
}

/* The order that went wrong, each line with the prefix. */
static void tell_order(FILE *to, const char *prefix)
{
	struct model_pipe pipe;
	struct model_view view;
	int i;

	fprintf(to, "%s%s: ", prefix, search.scenario->name);
	tell_sentence(to);
	fprintf(to, "\n%sthe order:\n", prefix);
	for (i = 0; i < search.depth; i++) {
		fprintf(to, "%s  %-2s ", prefix,
			task_name(search.turns[i].task));
		tell_where(to, &search.turns[i].view);
		putc('\n', to);
	}
	fprintf(to, "%swhere all are:\n", prefix);
	for (i = 0; i < search.ntasks; i++) {
		model_look(i, &view);
		fprintf(to, "%s  %-2s ", prefix, task_name(i));
		tell_where(to, &view);
		putc('\n', to);
	}
	model_look_pipe(&pipe);
	fprintf(to,
		"%sthe pipe: %u of %u slots used, %llu bytes; readers %u, writers %u\n",
		prefix, pipe.used, pipe.slots, (unsigned long long)pipe.bytes,
		pipe.readers, pipe.writers);
}

static void tell_op(FILE *to, const char *name, unsigned int op)
{
	unsigned int number = scenario_number(op);

	fprintf(to, "%s: ", name);
	switch ((int)scenario_call(op)) {
	case CALL_READ:
		fprintf(to, "read %u\n", number);
		break;
	case CALL_WRITE:
		fprintf(to, "write %u\n", number);
		break;
	case CALL_CLOSE:
		fprintf(to, "close\n");
		break;
	case CALL_POLL:
		fprintf(to, "poll\n");
		break;
	case CALL_RESIZE:
		fprintf(to, "resize %u\n", number * SCENARIO_PAGE);
		break;
	case CALL_SIGNAL:
		fprintf(to, "signal %s USR1\n", task_name(number));
		break;
	case CALL_OPEN:
		fprintf(to, "open %s%s\n", twin_ends(number & 3),
			number & ENDS_NONBLOCK ? " nonblock" : "");
		break;
	}
}

static void tell_tasks(FILE *to)
{
	const struct scenario *s = search.scenario;
	const struct scenario_task *task;
	int i, j;

	fprintf(to, "# %s: %s\n# ", s->name, s->about);
	tell_sentence(to);
	fprintf(to, "\npipe slots %u\n", s->slots);
	if (s->fill)
		fprintf(to, "task Fill opens both\n");
	for (i = 0; i < search.ntasks; i++) {
		task = &s->tasks[i];
		fprintf(to, "task %s opens %s%s\n", task->name,
			twin_ends(task->ends & 3),
			task->ends & ENDS_NONBLOCK ? " nonblock" : "");
	}
	if (s->fill)
		fprintf(to, "\nFill: write %u\n", s->fill);
	if (s->drain)
		fprintf(to, "Fill: read %u\n", s->drain);
	if (s->fill)
		fprintf(to, "Fill: close\nrun Fill until done\n");
	putc('\n', to);
	for (i = 0; i < search.ntasks; i++)
		for (j = 0; j < SCENARIO_OPS && s->tasks[i].ops[j]; j++)
			if (scenario_call(s->tasks[i].ops[j]) != CALL_KILL)
				tell_op(to, s->tasks[i].name,
					s->tasks[i].ops[j]);
	putc('\n', to);
}

/* Whether this turn is the one call of a task that a schedule has as an order. */
static bool is_kill(const struct turn *turn, unsigned int *target)
{
	const struct scenario_task *task = &search.scenario->tasks[turn->task];
	unsigned int op;

	if (!turn->view.done)
		return false;
	op = task->ops[turn->view.done - 1];
	*target = scenario_number(op);
	return turn->view.status == MODEL_IDLE &&
	       (int)scenario_call(op) == CALL_KILL;
}

/*
 * The same as a schedule for ipcdemo step; of an order that was found with
 * gates.  Without them a task that was woken may go on later than it does there,
 * and a mutex to one who did not come first.
 */
static void tell_schedule(FILE *to)
{
	unsigned int target;
	int i;

	tell_tasks(to);
	for (i = 0; i < search.depth; i++) {
		const struct turn *turn = &search.turns[i];

		if (is_kill(turn, &target))
			fprintf(to, "kill %s", task_name(target));
		else
			fprintf(to, "step %s", task_name(turn->task));
		fprintf(to, "\t# ");
		tell_where(to, &turn->view);
		putc('\n', to);
	}
	if (search.who < 0)
		return;
	for (i = 0; i < search.ntasks; i++)
		if (i != search.who)
			fprintf(to, "let %s go\n", task_name(i));
	fprintf(to, "run %s until done\n", task_name(search.who));
}

/* Into a file in the folder of options. */
static void write_schedule(const char *path)
{
	FILE *to = fopen(path, "w");

	if (to)
		tell_schedule(to);
	if (!to || fclose(to)) {
		fprintf(stderr, "twin: %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

static void save_schedule(const struct scenario *scenario, const char *prefix)
{
	struct options before = options;
	char path[400];

	if (!options.schedules)
		return;
	options.gates = true;
	options.small_steps = false;
	try_orders(scenario);
	options = before;
	if (!search.wrong) {
		printf("%sno order with gates goes wrong: there is no schedule\n",
		       prefix);
		return;
	}
	snprintf(path, sizeof(path), "%s/%s.step", options.schedules,
		 scenario->name);
	write_schedule(path);
	printf("%sas a schedule: %s\n", prefix, path);
}

static void tell_row(const struct scenario *scenario, double orders,
		     double took)
{
	printf("%-26s %5d %10zu %12.4g %6d %8.2f  %s\n", scenario->name,
	       search.ntasks, table.used, orders, search.longest, took,
	       search.wrong	 ? "WRONG"
	       : search.left_out ? "not all"
				 : "all");
	fflush(stdout);
}

struct totals {
	unsigned int tried;
	unsigned int failed;
	unsigned int not_all;
	double states;
	double orders;
	double steps;
	double took;
};

static void try_one(const struct scenario *scenario, struct totals *totals)
{
	double began = seconds(), took;
	double orders = try_orders(scenario);

	took = seconds() - began;
	totals->tried++;
	totals->not_all += search.left_out;
	totals->states += table.used;
	totals->orders += orders;
	totals->steps += search.steps;
	totals->took += took;
	if (options.tap)
		printf("%sok %u - %s: %s\n# %zu states, %.4g orders%s\n",
		       search.wrong ? "not " : "", totals->tried,
		       scenario->name, scenario->about, table.used, orders,
		       search.left_out ? ", not all" : "");
	else
		tell_row(scenario, orders, took);
	if (search.wrong) {
		tell_order(stdout, options.tap ? "# " : "  ");
		totals->failed++;
		save_schedule(scenario, options.tap ? "# " : "  ");
	}
}

static void tell_not_covered(const char *prefix)
{
	static const char *const not_covered[] = {
		"memory that is not in program order",
		"page faults",
		"packets",
		"SIGIO",
		"the trimming of kept pages",
		"more than 3 tasks",
	};
	size_t i;

	printf("%snot covered: %s", prefix,
	       options.small_steps
		       ? "what poll says"
		       : "orders within a step (--small-steps has them)");
	for (i = 0; i < NR(not_covered); i++)
		printf(", %s", not_covered[i]);
	putchar('\n');
}

static void tell_totals(const struct totals *totals)
{
	const char *prefix = options.tap ? "# " : "";

	printf("%s%u scenarios, %.4g states, %.4g steps, %.4g orders in %.1f s; ",
	       prefix, totals->tried, totals->states, totals->steps,
	       totals->orders, totals->took);
	printf("%u went wrong, %u not to the end\n", totals->failed,
	       totals->not_all);
	tell_not_covered(prefix);
}

/* --- which scenarios --- */

static const struct scenario *scenario_at(size_t i)
{
	if (i < NR(scenarios))
		return &scenarios[i];
	i -= NR(scenarios);
	return i < NR(own_scenarios) ? &own_scenarios[i] : NULL;
}

static bool is_named(const struct scenario *scenario, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, scenario->name))
			return true;
	return false;
}

static bool is_scenario(const char *name)
{
	const struct scenario *s;
	size_t i;

	for (i = 0; (s = scenario_at(i)); i++)
		if (!strcmp(s->name, name))
			return true;
	return false;
}

static int try_all(char **names)
{
	struct totals totals = {0};
	const struct scenario *s;
	unsigned int planned = 0;
	size_t i;

	for (i = 0; names[i]; i++) {
		if (!is_scenario(names[i])) {
			fprintf(stderr,
				"twin: there is no scenario '%s': twin --list names them\n",
				names[i]);
			return 2;
		}
	}
	for (i = 0; (s = scenario_at(i)); i++)
		planned += is_named(s, names);
	if (options.tap)
		printf("1..%u\n", planned);
	else
		printf("%-26s %5s %10s %12s %6s %8s  %s\n", "scenario", "tasks",
		       "states", "orders", "steps", "seconds", "tried");
	for (i = 0; (s = scenario_at(i)); i++)
		if (is_named(s, names))
			try_one(s, &totals);
	tell_totals(&totals);
	return totals.failed ? 1 : 0;
}

static void list(void)
{
	const struct scenario *s;
	size_t i;

	for (i = 0; (s = scenario_at(i)); i++)
		printf("%-26s %s\n", s->name, s->about);
}

static bool number(const char *text, uint64_t *to)
{
	char *end;

	errno = 0;
	*to = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno;
}

static int bad_usage(void)
{
	fputs(usage, stderr);
	return 2;
}

int main(int argc, char **argv)
{
	enum {
		GATES = 1,
		SMALL,
		PREEMPTIONS,
		STATES,
		TAP,
		SCHEDULES,
		LIST,
		REPLAY
	};
	static const struct option names[] = {
		{"gates", no_argument, NULL, GATES},
		{"small-steps", no_argument, NULL, SMALL},
		{"preemptions", required_argument, NULL, PREEMPTIONS},
		{"states", required_argument, NULL, STATES},
		{"tap", no_argument, NULL, TAP},
		{"schedules", required_argument, NULL, SCHEDULES},
		{"list", no_argument, NULL, LIST},
		{"replay", no_argument, NULL, REPLAY},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	bool replay = false;
	uint64_t n;
	int option;

	while ((option = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		switch (option) {
		case GATES:
			options.gates = true;
			break;
		case SMALL:
			options.small_steps = true;
			break;
		case PREEMPTIONS:
			if (!number(optarg, &n) || n > 1000)
				return bad_usage();
			options.preemptions = n;
			break;
		case STATES:
			if (!number(optarg, &options.states))
				return bad_usage();
			break;
		case TAP:
			options.tap = true;
			break;
		case SCHEDULES:
			options.schedules = optarg;
			break;
		case LIST:
			list();
			return 0;
		case REPLAY:
			replay = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return bad_usage();
		}
	}
	if (replay)
		return optind < argc ? twin_replay(argv + optind) : bad_usage();
	return try_all(argv + optind);
}

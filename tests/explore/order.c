// SPDX-License-Identifier: GPL-2.0
/* Runs orders and judges what came of them (order.h). */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "order.h"
#include "points.h"

/* Attempts to repeat the beginning of an order. */
#define REPEATS 3

__attribute__((format(printf, 2, 3))) static void
say_wrong(struct order *order, const char *fmt, ...)
{
	va_list ap;

	if (order->wrong)
		return;
	va_start(ap, fmt);
	if (vasprintf(&order->wrong, fmt, ap) < 0)
		order->wrong = NULL;
	va_end(ap);
	if (order->wrong)
		return;
	fprintf(stderr, "explore: out of memory\n");
	exit(1);
}

static const char *name_of(const struct order *order, unsigned int who)
{
	return order->scenario->tasks[who].name;
}

static unsigned int call_of(const struct order *order, unsigned int who,
			    struct stop stop)
{
	return order->scenario->tasks[who].ops[stop.done];
}

/* --- words --- */

static void put_call(FILE *to, const struct scenario *s,
		     const struct scenario_task *task, unsigned int op)
{
	switch (scenario_call(op)) {
	case CALL_READ:
		fprintf(to, "read %u", scenario_number(op));
		break;
	case CALL_WRITE:
		fprintf(to, "write %u", scenario_number(op));
		break;
	case CALL_CLOSE:
		fputs("close", to);
		break;
	case CALL_POLL:
		fprintf(to, "poll%s%s", task->ends & ENDS_READ ? " in" : "",
			task->ends & ENDS_WRITE ? " out" : "");
		break;
	case CALL_RESIZE:
		fprintf(to, "resize %u", scenario_number(op) * SCENARIO_PAGE);
		break;
	case CALL_SIGNAL:
		fprintf(to, "signal %s USR1",
			s->tasks[scenario_number(op)].name);
		break;
	case CALL_NONE:
		break;
	}
}

static void put_result(FILE *to, unsigned int op, long result)
{
	if (scenario_call(op) == CALL_POLL && result >= 0) {
		fprintf(to, "%s%s%s%s%s", result ? "" : "nothing",
			result & POLLIN ? "in " : "",
			result & POLLOUT ? "out " : "",
			result & POLLERR ? "err " : "",
			result & POLLHUP ? "hup " : "");
		return;
	}
	if (result < 0)
		fputs(strerrorname_np(-result) ?: "an unknown error", to);
	else
		fprintf(to, "%ld", result);
}

static void put_stop(FILE *to, const struct order *order, unsigned int who,
		     struct stop stop)
{
	switch (stop.rest) {
	case REST_POINT:
		fprintf(to, "is at %s", point_name(stop.point));
		break;
	case REST_ASLEEP:
		fprintf(to, "is asleep at %s", point_name(stop.point));
		break;
	case REST_LOCK:
		fprintf(to, "waits for the lock at %s", point_name(stop.point));
		break;
	case REST_BEFORE:
		fputs("is before ", to);
		put_call(to, order->scenario, &order->scenario->tasks[who],
			 call_of(order, who, stop));
		break;
	case REST_OVER:
		fputs("is done", to);
		break;
	case REST_NOT:
		fprintf(to, "does not come to rest; it was last at %s",
			point_name(stop.point));
		break;
	}
}

static void put_pieces(FILE *to, const struct order *order,
		       const struct pieces *pieces)
{
	const struct piece *p;

	for (p = pieces->piece; p < pieces->piece + pieces->n; p++)
		fprintf(to, "%s%u of %s from %u on",
			p == pieces->piece ? "" : ", ", p->len,
			p->source == SERIAL_FILL ? "those at first"
						 : name_of(order, p->source),
			p->start);
}

static void put_outcome(FILE *to, const struct order *order,
			const struct outcome *outcome)
{
	const struct task_outcome *task;
	unsigned int who, i, op;

	for (who = 0; who < order->ntasks; who++) {
		task = &outcome->task[who];
		fprintf(to, "%s%s:", who ? "; " : "", name_of(order, who));
		for (i = 0; i < task->done; i++) {
			op = order->scenario->tasks[who].ops[i];
			fputc(' ', to);
			put_result(to, op, task->result[i]);
			if (!task->got[i].n)
				continue;
			fputs(" (", to);
			put_pieces(to, order, &task->got[i]);
			fputc(')', to);
		}
		if (task->blocked)
			fputs(" asleep", to);
	}
	fprintf(to, "; %u of %u slots", outcome->used, outcome->slots);
}

/* --- judging --- */

static bool same_bytes(const struct pieces *pieces, const unsigned char *bytes,
		       unsigned int n)
{
	const struct piece *p;
	unsigned int i;

	for (p = pieces->piece; p < pieces->piece + pieces->n; p++) {
		if (p->len > n)
			return false;
		for (i = 0; i < p->len; i++)
			if (bytes[i] != serial_byte(p->source, p->start + i))
				return false;
		bytes += p->len;
		n -= p->len;
	}
	return !n;
}

static bool task_matches(const struct order *order, unsigned int who,
			 struct stop stop, const struct task_outcome *out)
{
	const struct scenario_task *task = &order->scenario->tasks[who];
	unsigned int i;
	bool asleep = stop.rest == REST_ASLEEP;
	long released;

	if (stop.done != out->done || asleep != out->blocked)
		return false;
	for (i = 0; i < out->done; i++) {
		if (machine_result(who, i) != out->result[i])
			return false;
		if (scenario_call(task->ops[i]) == CALL_READ &&
		    out->result[i] > 0 &&
		    !same_bytes(&out->got[i], machine_got(who, i),
				out->result[i]))
			return false;
	}
	released = out->partial ?: -EINTR;
	return !out->blocked || machine_released(who) == released;
}

static bool matches(const struct order *order, const struct stop *stops,
		    const struct ipcdemo_pipe_stat *pipe,
		    const struct outcome *outcome)
{
	const unsigned char *left;
	unsigned int who, bytes;

	if (pipe->slots != outcome->slots || pipe->used != outcome->used ||
	    pipe->readers != outcome->readers ||
	    pipe->writers != outcome->writers)
		return false;
	bytes = machine_left(&left);
	if (!same_bytes(&outcome->left, left, bytes) || pipe->bytes != bytes)
		return false;
	for (who = 0; who < order->ntasks; who++)
		if (!task_matches(order, who, stops[who], &outcome->task[who]))
			return false;
	return true;
}

/* Why a task that sleeps in a call must not; NULL: it has to wait. */
static const char *why_not_asleep(enum scenario_call call,
				  const struct ipcdemo_pipe_stat *pipe)
{
	if (call == CALL_READ && pipe->bytes)
		return "there are bytes";
	if (call == CALL_READ && !pipe->writers)
		return "there is no writer";
	if (call == CALL_WRITE && pipe->used < pipe->slots)
		return "a slot is free";
	if (call == CALL_WRITE && !pipe->readers)
		return "there is no reader";
	return NULL;
}

/* Nobody can go on any more: does anybody sleep who has something to do? */
static void find_lost_wake_up(struct order *order, const struct stop *stops,
			      const struct ipcdemo_pipe_stat *pipe)
{
	unsigned int waiting[CALL_SIGNAL + 1] = {0};
	enum scenario_call call;
	const char *why;
	unsigned int who;

	for (who = 0; who < order->ntasks; who++) {
		if (stops[who].rest == REST_OVER)
			continue;
		if (stops[who].rest != REST_ASLEEP) {
			say_wrong(order, "%s stands at %s, and nobody goes on",
				  name_of(order, who),
				  point_name(stops[who].point));
			return;
		}
		call = scenario_call(call_of(order, who, stops[who]));
		waiting[call]++;
		why = why_not_asleep(call, pipe);
		if (why)
			say_wrong(order, "lost wake-up: %s is asleep at %s, %s",
				  name_of(order, who),
				  point_name(stops[who].point), why);
	}
	if (pipe->read_waiters != waiting[CALL_READ] ||
	    pipe->write_waiters != waiting[CALL_WRITE])
		say_wrong(order, "%u and %u wait, but the pipe says %u and %u",
			  waiting[CALL_READ], waiting[CALL_WRITE],
			  pipe->read_waiters, pipe->write_waiters);
}

static void describe_outcome(struct order *order, const struct stop *stops,
			     const struct ipcdemo_pipe_stat *pipe,
			     const struct outcomes *outcomes)
{
	const struct scenario_task *task;
	const unsigned char *left;
	char *words = NULL;
	unsigned int who, i;
	size_t size, n;
	FILE *to;

	to = open_memstream(&words, &size);
	if (!to)
		return;
	for (who = 0; who < order->ntasks; who++) {
		task = &order->scenario->tasks[who];
		fprintf(to, "%s%s:", who ? "; " : "", task->name);
		for (i = 0; i < stops[who].done; i++) {
			fputc(' ', to);
			put_result(to, task->ops[i], machine_result(who, i));
		}
		if (stops[who].rest == REST_ASLEEP)
			fprintf(to, " asleep (then %ld)",
				machine_released(who));
	}
	fprintf(to,
		"; %u of %u slots, %llu bytes (%u were read), readers %u, writers %u",
		pipe->used, pipe->slots, pipe->bytes, machine_left(&left),
		pipe->readers, pipe->writers);
	for (n = 0; n < outcomes->n; n++) {
		fputs(n ? "\n  or " : "\nallowed: ", to);
		put_outcome(to, order, &outcomes->outcome[n]);
	}
	if (fclose(to))
		return;
	say_wrong(order,
		  "the outcome is that of no serial order of the calls: %s",
		  words);
	free(words);
}

/* The round is over: says what was wrong with it. */
static void judge(struct space *space)
{
	struct order *order = &space->order;
	const struct stop *stops = order->choices[order->n].stops;
	struct ipcdemo_pipe_stat pipe = machine_pipe();
	const char *wrong;
	size_t i;

	if (!order->wrong)
		find_lost_wake_up(order, stops, &pipe);
	wrong = machine_release();
	if (wrong)
		say_wrong(order, "%s", wrong);
	if (order->wrong)
		return;
	for (i = 0; i < space->outcomes.n; i++) {
		if (!matches(order, stops, &pipe, &space->outcomes.outcome[i]))
			continue;
		space->reached[i]++;
		return;
	}
	describe_outcome(order, stops, &pipe, &space->outcomes);
}

/* --- running --- */

static bool can_go_on(const struct choice *now)
{
	return now->last >= 0 && (now->may & 1u << now->last);
}

static unsigned int cost(const struct choice *now, unsigned int who)
{
	return can_go_on(now) && (int)who != now->last;
}

static void look(struct space *space, struct choice *now, int last,
		 unsigned int spent)
{
	unsigned int who;

	memset(now, 0, sizeof(*now));
	now->last = last;
	now->spent = spent;
	now->chosen = -1;
	for (who = 0; who < space->order.ntasks; who++) {
		now->stops[who] = machine_stop(who);
		if (may_move(now->stops[who]))
			now->may |= 1u << who;
	}
}

/* A page that a slot gets is a new one or one that it kept: the same step. */
static int step_of(int point)
{
	return point == IPC_PAGE_REUSE ? IPC_PAGE_ALLOC : point;
}

static bool same_stop(struct stop a, struct stop b)
{
	if (a.rest != b.rest || a.done != b.done)
		return false;
	return a.rest == REST_OVER || a.rest == REST_BEFORE ||
	       step_of(a.point) == step_of(b.point);
}

static bool same_choice(const struct choice *a, const struct choice *b,
			unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!same_stop(a->stops[i], b->stops[i]))
			return false;
	return true;
}

/* Who moves if nobody is preempted. */
static int go_on_or_first(const struct choice *now)
{
	return can_go_on(now) ? now->last : __builtin_ctz(now->may);
}

/* What was known of the same beginning, and what came this time. */
static void tell_strayed(const struct order *order, const struct choice *now)
{
	const struct choice *old = &order->choices[order->n];
	unsigned int who;

	fprintf(stderr, "explore: %s, move %u:", order->scenario->name,
		order->n);
	for (who = 0; who < order->ntasks; who++) {
		if (same_stop(old->stops[who], now->stops[who]))
			continue;
		fprintf(stderr, " %s ", name_of(order, who));
		put_stop(stderr, order, who, old->stops[who]);
		fputs(" in one run and ", stderr);
		put_stop(stderr, order, who, now->stops[who]);
		fputs(" in another;", stderr);
	}
	fputs(" they are run again\n", stderr);
}

/* Who moves at move @n, with what the order has been so far. */
typedef int (*chooser)(struct space *space, unsigned int n, void *arg);

/*
 * Runs one order.  The first choices, as many as are known, are those of the
 * order before it.  Return: false if the tasks did not come to the same stops;
 * without @insist, the rest of what was known is then forgotten.
 */
static bool run_order(struct space *space, bool insist, chooser choose,
		      void *arg)
{
	struct order *order = &space->order;
	struct choice now, *old;
	unsigned int spent = 0;
	int last = -1, chosen;

	free(order->wrong);
	order->wrong = NULL;
	machine_begin(space->scenario);
	for (order->n = 0;; order->n++) {
		old = &order->choices[order->n];
		look(space, &now, last, spent);
		if (order->n < space->known &&
		    !same_choice(&now, old, order->ntasks)) {
			tell_strayed(order, &now);
			if (insist)
				return false;
			space->known = order->n;
		}
		if (order->n >= space->known)
			*old = now;
		if (!now.may)
			return true;
		if (order->n == ORDER_MOVES) {
			say_wrong(order, "after %u moves it does not end",
				  order->n);
			return true;
		}
		chosen = choose(space, order->n, arg);
		old->chosen = chosen;
		spent += cost(old, chosen);
		last = chosen;
		if (machine_move(chosen))
			continue;
		look(space, &order->choices[++order->n], last, spent);
		say_wrong(order, "not all tasks come to rest within 10 s");
		return true;
	}
}

static void count_stops(struct space *space)
{
	const struct choice *c;
	unsigned int i;

	for (i = 0; i < space->order.n; i++) {
		c = &space->order.choices[i];
		if (c->stops[c->chosen].rest == REST_POINT)
			space->met[c->stops[c->chosen].point]++;
	}
}

/* --- depth first --- */

static int choose_default(struct space *space, unsigned int n, void *arg)
{
	struct choice *now = &space->order.choices[n];
	unsigned int who;

	(void)arg;
	if (n < space->known)
		return now->chosen;
	now->chosen = go_on_or_first(now);
	now->tried = 1u << now->chosen;
	for (who = 0; who < space->order.ntasks; who++)
		if ((now->may & ~now->tried & 1u << who) &&
		    now->spent + cost(now, who) > space->limit)
			space->beyond++;
	return now->chosen;
}

/*
 * The beginning up to the last choice was run before.  If it goes otherwise this
 * time, something moves that no gate can stop: close(2) asks for the lock again
 * with each tick of the clock, and may come before who waited for longer.  Try
 * again; if it was the run before that went astray, go on from what comes now.
 */
static void run_known(struct space *space, unsigned int known)
{
	unsigned int left = REPEATS;

	space->known = known;
	while (!run_order(space, --left, choose_default, NULL)) {
		space->strayed++;
		machine_release();
	}
	judge(space);
	count_stops(space);
}

bool order_first(struct space *space)
{
	run_known(space, 0);
	return true;
}

bool order_next(struct space *space)
{
	struct order *order = &space->order;
	struct choice *c;
	unsigned int who;

	for (c = order->choices + order->n - 1; c >= order->choices; c--) {
		for (who = 0; who < order->ntasks; who++) {
			if (!(c->may & ~c->tried & 1u << who) ||
			    c->spent + cost(c, who) > space->limit)
				continue;
			c->tried |= 1u << who;
			c->chosen = who;
			run_known(space, c - order->choices + 1);
			return true;
		}
	}
	return false;
}

/* --- by chance --- */

/* splitmix64: each seed a sequence of its own. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

struct dice {
	uint64_t state;
	unsigned int rarity; /* one in so many moves is a preemption */
};

static int choose_random(struct space *space, unsigned int n, void *arg)
{
	struct choice *now = &space->order.choices[n];
	struct dice *dice = arg;
	unsigned int others = now->may, i;

	if (can_go_on(now)) {
		if (next_random(&dice->state) % dice->rarity)
			return now->last;
		others &= ~(1u << now->last);
		if (!others)
			return now->last;
	}
	i = next_random(&dice->state) % __builtin_popcount(others);
	while (i--)
		others &= others - 1;
	return __builtin_ctz(others);
}

void order_random(struct space *space, uint64_t seed)
{
	struct dice dice = {.state = seed};

	/* Now long stretches, now short ones. */
	dice.rarity = 2u << next_random(&dice.state) % 5;
	space->known = 0;
	run_order(space, false, choose_random, &dice);
	judge(space);
	count_stops(space);
}

/* --- as a string says --- */

struct string {
	const char *next;
	unsigned int left; /* moves of the letter before @next */
	int who;
	bool wrong;
};

static int choose_from_string(struct space *space, unsigned int n, void *arg)
{
	struct choice *now = &space->order.choices[n];
	struct string *s = arg;
	char *end;
	int who;

	if (!s->left && *s->next) {
		for (who = space->order.ntasks - 1; who >= 0; who--)
			if (*name_of(&space->order, who) == *s->next)
				break;
		s->who = who;
		s->left = 1;
		s->next++;
		if (isdigit((unsigned char)*s->next)) {
			s->left = strtoul(s->next, &end, 10);
			s->next = end;
		}
	}
	if (!s->left)
		return go_on_or_first(now);
	s->left--;
	if (s->who >= 0 && (now->may & 1u << s->who))
		return s->who;
	if (!s->wrong)
		fprintf(stderr,
			"explore: move %u: no such task can move then, others go on\n",
			n + 1);
	s->wrong = true;
	s->left = 0;
	s->next = "";
	return go_on_or_first(now);
}

bool order_replay(struct space *space, const char *string)
{
	struct string s = {.next = string};

	space->known = 0;
	run_order(space, false, choose_from_string, &s);
	judge(space);
	count_stops(space);
	return !s.wrong;
}

/* --- telling --- */

void order_print(const struct order *order, FILE *to)
{
	unsigned int i, from;

	for (i = 0; i < order->n; i = from) {
		for (from = i; from < order->n; from++)
			if (order->choices[from].chosen !=
			    order->choices[i].chosen)
				break;
		fputs(name_of(order, order->choices[i].chosen), to);
		if (from - i > 1)
			fprintf(to, "%u", from - i);
	}
}

void order_tell(const struct order *order, FILE *to)
{
	const struct choice *c, *next;
	unsigned int who;

	for (who = 0; who < order->ntasks; who++) {
		fprintf(to, "      %s ", name_of(order, who));
		put_stop(to, order, who, order->choices[0].stops[who]);
		fputc('\n', to);
	}
	for (c = order->choices; c < order->choices + order->n; c++) {
		next = c + 1;
		fprintf(to, "%4zu  %s", c - order->choices + 1,
			name_of(order, c->chosen));
		for (who = 0; who < order->ntasks; who++) {
			if ((int)who != c->chosen &&
			    !memcmp(&c->stops[who], &next->stops[who],
				    sizeof(c->stops[who])))
				continue;
			fputs((int)who == c->chosen ? " " : ", ", to);
			if ((int)who != c->chosen)
				fprintf(to, "%s ", name_of(order, who));
			put_stop(to, order, who, next->stops[who]);
		}
		fputc('\n', to);
	}
}

static void put_steps(FILE *to, const struct order *order, int who,
		      unsigned int *steps)
{
	if (*steps == 1)
		fprintf(to, "step %s\n", name_of(order, who));
	else if (*steps)
		fprintf(to, "step %s %u\n", name_of(order, who), *steps);
	*steps = 0;
}

static void put_declarations(FILE *to, const struct scenario *s)
{
	static const char *const ends[] = {
		[ENDS_READ] = "read",
		[ENDS_WRITE] = "write",
		[ENDS_READ | ENDS_WRITE] = "both",
	};
	const struct scenario_task *task;
	unsigned int i;

	fprintf(to, "pipe slots %u\n", s->slots);
	if (s->fill)
		fputs("task I opens both\n", to);
	for (task = s->tasks; task < s->tasks + SCENARIO_TASKS; task++)
		if (*task->name)
			fprintf(to, "task %s opens %s%s\n", task->name,
				ends[task->ends & (ENDS_READ | ENDS_WRITE)],
				task->ends & ENDS_NONBLOCK ? " nonblock" : "");
	fputc('\n', to);
	if (s->fill)
		fprintf(to, "I: write %u\n", s->fill);
	if (s->drain)
		fprintf(to, "I: read %u\n", s->drain);
	if (s->fill)
		fputs("I: close\nrun I until done\n", to);
	for (task = s->tasks; task < s->tasks + SCENARIO_TASKS; task++) {
		for (i = 0; i < SCENARIO_OPS && *task->name; i++) {
			if (!task->ops[i])
				break;
			fprintf(to, "%s: ", task->name);
			put_call(to, s, task, task->ops[i]);
			fputc('\n', to);
		}
	}
}

/*
 * In a schedule a task also rests between two calls: a move of ours that goes on
 * into the next call is two steps there.
 */
void order_step(const struct order *order, FILE *to)
{
	const struct choice *c, *end = order->choices + order->n;
	const struct stop *from, *dest;
	unsigned int steps = 0, who;
	int last = -1;

	put_declarations(to, order->scenario);
	for (who = 0; who < order->ntasks; who++)
		if (order->choices[0].stops[who].rest == REST_POINT)
			fprintf(to, "step %s\n", name_of(order, who));
	for (c = order->choices; c < end; c++) {
		if (c->chosen != last)
			put_steps(to, order, last, &steps);
		last = c->chosen;
		from = &c->stops[last];
		dest = &(c + 1)->stops[last];
		steps++;
		if (dest->done == from->done)
			continue;
		put_steps(to, order, last, &steps);
		fprintf(to, "expect %s result ", name_of(order, last));
		put_result(to, call_of(order, last, *from),
			   machine_result(last, from->done));
		fputc('\n', to);
		if (dest->rest != REST_OVER && dest->rest != REST_BEFORE)
			steps++;
	}
	put_steps(to, order, last, &steps);
	for (who = 0; who < order->ntasks; who++) {
		dest = &end->stops[who];
		if (dest->rest == REST_OVER)
			fprintf(to, "expect %s done\n", name_of(order, who));
		else if (dest->rest == REST_ASLEEP)
			fprintf(to, "expect %s asleep\n", name_of(order, who));
	}
}

void space_begin(struct space *space, const struct scenario *scenario,
		 unsigned int limit, unsigned long *met)
{
	unsigned int who;

	memset(space, 0, sizeof(*space));
	space->scenario = scenario;
	space->limit = limit;
	space->met = met;
	space->outcomes = serial_outcomes(scenario);
	space->reached = calloc(space->outcomes.n, sizeof(*space->reached));
	if (!space->reached) {
		fprintf(stderr, "explore: out of memory\n");
		exit(1);
	}
	space->order.scenario = scenario;
	for (who = 0; who < SCENARIO_TASKS; who++)
		if (*scenario->tasks[who].name)
			space->order.ntasks = who + 1;
}

void space_end(struct space *space)
{
	serial_free(&space->outcomes);
	free(space->reached);
	free(space->order.wrong);
	space->reached = NULL;
	space->order.wrong = NULL;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Tries the orders in which tasks can take their steps: all of them within so
 * many preemptions, or some by chance (make explore, docs/stepping.md)
 *
 * For the VM: the module must be loaded, and nobody else have the pipe open.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "order.h"
#include "points.h"

#define NR(array)	 (sizeof(array) / sizeof((array)[0]))

#define DONE		 0
#define FAILED		 1
#define USAGE		 2

#define DEFAULT_LIMIT	 2
#define PROGRESS_SECONDS 30

/**
 * struct options - what is asked for
 * @chosen:	which scenarios
 * @limit:	preemptions at most
 * @random:	so many orders by chance instead, from @seed on
 * @most:	orders of a scenario at most, 0: no limit
 * @claim:	with TAP: only scenarios whose claim has this in it
 */
struct options {
	bool chosen[NR(scenarios)];
	unsigned int limit;
	unsigned long random;
	uint64_t seed;
	unsigned long most;
	bool tap;
	const char *claim;
};

/**
 * struct result - what came of a scenario
 * @different:	of these, those that are no repetition
 * @complete:	all orders within the limit were run
 * @moves:	of all orders
 * @longest:	moves of the longest one
 * @led_to:	how many of the @outcomes were reached
 */
struct result {
	unsigned long orders;
	unsigned long different;
	unsigned long moves;
	unsigned int longest;
	unsigned long beyond;
	unsigned long strayed;
	size_t outcomes;
	size_t led_to;
	bool complete;
	bool wrong;
	double seconds;
};

static struct space space;
static struct result results[NR(scenarios)];
static unsigned long met[IPC_NR_POINTS];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static unsigned int tasks_of(const struct scenario *s)
{
	unsigned int n = 0;

	while (n < SCENARIO_TASKS && *s->tasks[n].name)
		n++;
	return n;
}

/* --- an order that is wrong --- */

/* Each line behind a "# ", as TAP has it. */
static void put_commented(const char *text, FILE *to)
{
	const char *end;

	for (; *text; text = end + 1) {
		end = strchrnul(text, '\n');
		fprintf(to, "#%s%.*s\n", end == text ? "" : " ",
			(int)(end - text), text);
		if (!*end)
			break;
	}
}

static void tell_wrong(const struct scenario *s, bool tap)
{
	const struct order *order = &space.order;
	char *text = NULL;
	size_t size;
	FILE *to;

	to = open_memstream(&text, &size);
	if (!to)
		return;
	fprintf(to, "%s: %s\n", s->name, order->wrong);
	fprintf(to, "explore --replay %s:", s->name);
	order_print(order, to);
	fputs(" runs it again; the schedule that does so follows\n", to);
	fclose(to);
	put_commented(text, stdout);
	free(text);

	to = open_memstream(&text, &size);
	if (!to)
		return;
	order_step(order, to);
	fclose(to);
	if (tap)
		put_commented(text, stdout);
	else
		fputs(text, stdout);
	fflush(stdout);
	free(text);
}

/* --- all orders, and some --- */

struct progress {
	double begun;
	double told;
};

static void tell_progress(const struct scenario *s, const struct result *r,
			  struct progress *progress)
{
	double time = now();

	if (time - progress->told < PROGRESS_SECONDS)
		return;
	progress->told = time;
	fprintf(stderr, "explore: %s: %lu orders in %.0f s …\n", s->name,
		r->orders, time - progress->begun);
}

static void count_order(struct result *r)
{
	r->orders++;
	r->moves += space.order.n;
	if (space.order.n > r->longest)
		r->longest = space.order.n;
	r->wrong = space.order.wrong;
}

static void run_all(const struct scenario *s, const struct options *o,
		    struct result *r, struct progress *progress)
{
	bool more = order_first(&space);

	while (more) {
		count_order(r);
		if (r->wrong)
			return;
		tell_progress(s, r, progress);
		if (o->most && r->orders == o->most)
			return;
		more = order_next(&space);
	}
	r->complete = true;
}

/* Two orders with the same moves have the same mark (FNV-1a). */
static uint64_t mark_of(const struct order *order)
{
	uint64_t mark = 0xcbf29ce484222325;
	unsigned int i;

	for (i = 0; i < order->n; i++)
		mark = (mark ^ order->choices[i].chosen) * 0x100000001b3;
	return mark;
}

static int compare_marks(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static unsigned long count_different(uint64_t *marks, unsigned long n)
{
	unsigned long i, different = 0;

	qsort(marks, n, sizeof(*marks), compare_marks);
	for (i = 0; i < n; i++)
		different += !i || marks[i] != marks[i - 1];
	return different;
}

/* The seed of an order depends on its number alone, not on those before. */
static void run_some(const struct scenario *s, const struct options *o,
		     unsigned long orders, struct result *r,
		     struct progress *progress)
{
	uint64_t *marks = calloc(orders, sizeof(*marks));

	if (!marks) {
		fprintf(stderr, "explore: out of memory\n");
		exit(FAILED);
	}
	while (r->orders < orders && !r->wrong) {
		order_random(&space, o->seed + r->orders);
		marks[r->orders] = mark_of(&space.order);
		count_order(r);
		tell_progress(s, r, progress);
	}
	r->different = count_different(marks, r->orders);
	free(marks);
}

static void run_scenario(const struct scenario *s, const struct options *o,
			 unsigned long orders, struct result *r)
{
	struct progress progress = {.begun = now()};
	size_t i;

	progress.told = progress.begun;
	space_begin(&space, s, o->limit, met);
	if (orders)
		run_some(s, o, orders, r, &progress);
	else
		run_all(s, o, r, &progress);
	if (!orders)
		r->different = r->orders;
	r->beyond = space.beyond;
	r->strayed = space.strayed;
	r->outcomes = space.outcomes.n;
	for (i = 0; i < space.outcomes.n; i++)
		r->led_to += !!space.reached[i];
	r->seconds = now() - progress.begun;
}

/* --- the report --- */

static void put_head(const struct options *o)
{
	if (o->random)
		printf("%lu orders by chance; --seed %llu repeats them\n",
		       o->random, (unsigned long long)o->seed);
	else
		printf("all orders with at most %u preemptions\n", o->limit);
	printf("%-24s %5s %8s %-9s %9s %7s %8s %9s %6s\n", "scenario", "tasks",
	       "orders", "complete", "moves", "longest", "outcomes", "beyond",
	       "time");
}

static void put_row(const char *name, unsigned int tasks,
		    const struct result *r)
{
	char outcomes[32];

	snprintf(outcomes, sizeof(outcomes), "%zu/%zu", r->led_to, r->outcomes);
	printf("%-24s %5u %8lu %-9s %9lu %7u %8s %9lu %5.0fs\n", name, tasks,
	       r->orders,
	       r->wrong	     ? "WRONG"
	       : r->complete ? "yes"
			     : "no",
	       r->moves, r->longest, outcomes, r->beyond, r->seconds);
	fflush(stdout);
}

/* What a gate could hold at and no order moved from. */
static void put_points_not_met(void)
{
#define IS_OPEN(name) (!strncmp(name, "open.", 5))
#define STOPS_NO      0
#define STOPS_KILL    1
#define STOPS_SIGNAL  1
#define KIND_PIPE     1
#define KIND_REGION   0
#define STEPPABLE(symbol, token, name, kind, unit, hold, sentence) \
	[IPC_##symbol] = KIND_##kind && STOPS_##hold,
	static const bool steppable[] = {IPC_POINTS(STEPPABLE)};
	const char *comma = "points of a pipe that no order stopped at: ";
	int i;

	for (i = 0; i < IPC_NR_POINTS; i++) {
		if (!steppable[i] || met[i])
			continue;
		printf("%s%s", comma, point_name(i));
		comma = ", ";
	}
	if (*comma == ',')
		putchar('\n');
}

static void put_not_covered(const struct options *o, const struct result *total)
{
	if (o->random)
		printf("%lu of them differ; not covered: what chance did not choose\n",
		       total->different);
	else if (total->beyond)
		printf("not covered: what comes after %lu moves that would be preemption %u\n",
		       total->beyond, o->limit + 1);
	if (!o->random && !total->complete)
		printf("not covered: the rest of the scenarios that are not complete\n");
	printf("not covered: open, faults, and steps between two points\n");
	put_points_not_met();
	if (total->strayed)
		printf("%lu orders were begun again: the same moves had led elsewhere\n",
		       total->strayed);
}

static void add_up(struct result *total, const struct result *r)
{
	total->orders += r->orders;
	total->different += r->different;
	total->moves += r->moves;
	total->beyond += r->beyond;
	total->strayed += r->strayed;
	total->outcomes += r->outcomes;
	total->led_to += r->led_to;
	total->seconds += r->seconds;
	total->complete &= r->complete;
	total->wrong |= r->wrong;
	if (r->longest > total->longest)
		total->longest = r->longest;
}

static void claim_of(const struct scenario *s, char *claim, size_t size)
{
	snprintf(claim, size, "%s: %s", s->name, s->about);
}

static unsigned int count_chosen(const struct options *o)
{
	unsigned int i, n = 0;

	for (i = 0; i < NR(scenarios); i++)
		n += o->chosen[i];
	return n;
}

static int explore(const struct options *o)
{
	struct result total = {.complete = true};
	unsigned int i, n = 0, chosen = count_chosen(o), tasks = 0;
	unsigned long orders = 0;
	char claim[160];

	machine_start();
	if (o->tap) {
		printf("1..%u\n", chosen);
		if (o->random)
			printf("# IPCDEMO_SEED=%llu repeats this run\n",
			       (unsigned long long)o->seed);
	} else {
		put_head(o);
	}
	for (i = 0; i < NR(scenarios); i++) {
		if (!o->chosen[i])
			continue;
		/* The first ones have one more, if they do not come out even. */
		if (o->random)
			orders = o->random / chosen +
				 (n < o->random % chosen ? 1 : 0);
		n++;
		if (!o->random || orders)
			run_scenario(&scenarios[i], o, orders, &results[i]);
		claim_of(&scenarios[i], claim, sizeof(claim));
		if (o->tap)
			printf("%sok %u - %s\n", results[i].wrong ? "not " : "",
			       n, claim);
		else
			put_row(scenarios[i].name, tasks_of(&scenarios[i]),
				&results[i]);
		if (results[i].wrong)
			tell_wrong(&scenarios[i], o->tap);
		add_up(&total, &results[i]);
		tasks += tasks_of(&scenarios[i]);
		space_end(&space);
		fflush(stdout);
	}
	machine_end();
	if (o->tap) {
		printf("# %lu orders, %lu of them different, %lu moves, %.1f s\n",
		       total.orders, total.different, total.moves,
		       total.seconds);
		return total.wrong ? FAILED : DONE;
	}
	put_row("all", tasks, &total);
	put_not_covered(o, &total);
	return total.wrong ? FAILED : DONE;
}

/* --- one order --- */

static const struct scenario *find_scenario(const char *name, size_t len)
{
	unsigned int i;

	for (i = 0; i < NR(scenarios); i++)
		if (strlen(scenarios[i].name) == len &&
		    !strncmp(scenarios[i].name, name, len))
			return &scenarios[i];
	fprintf(stderr,
		"explore: there is no scenario '%.*s': --list has them all\n",
		(int)len, name);
	return NULL;
}

/* "NAME" or "NAME:R3W2". */
static int replay(const char *what)
{
	size_t len = strcspn(what, ":");
	const struct scenario *s = find_scenario(what, len);
	int status = DONE;

	if (!s)
		return USAGE;
	machine_start();
	space_begin(&space, s, 0, met);
	if (!order_replay(&space, what[len] ? what + len + 1 : ""))
		status = FAILED;
	printf("%s: %s\n", s->name, s->about);
	order_tell(&space.order, stdout);
	if (space.order.wrong) {
		status = FAILED;
		tell_wrong(s, false);
	} else {
		printf("the outcome is that of some serial order; as a schedule:\n");
		order_step(&space.order, stdout);
	}
	space_end(&space);
	machine_end();
	return status;
}

static int list(void)
{
	unsigned int i;

	for (i = 0; i < NR(scenarios); i++)
		printf("%-24s %u tasks, %u slots: %s\n", scenarios[i].name,
		       tasks_of(&scenarios[i]), scenarios[i].slots,
		       scenarios[i].about);
	return DONE;
}

/* --- the command line --- */

static const char usage[] =
	"usage: explore [OPTION]... [SCENARIO]...\n"
	"\n"
	"Runs all orders in which the tasks of each SCENARIO (of all, if none is given)\n"
	"can take their steps, and checks what came of each.\n"
	"\n"
	"  --k N             at most N preemptions in an order (2)\n"
	"  --limit N         stop a scenario after N orders\n"
	"  --orders N        run N orders by chance instead, of all scenarios together\n"
	"  --seed N          these orders (else $IPCDEMO_SEED, else new ones)\n"
	"  --replay NAME:MOVES\n"
	"                    run this one order, and tell each move: R3W2 means that R\n"
	"                    moves three times, then W twice, then whoever can\n"
	"  --tap             a line of TAP for each scenario; with $IPCDEMO_CLAIM, all\n"
	"                    orders of the scenarios whose line has that in it\n"
	"  --list            the scenarios\n";

static bool get_number(const char *text, unsigned long long *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	if (!errno && *text >= '0' && *text <= '9' && !*end)
		return true;
	fprintf(stderr, "explore: '%s' is not a number\n", text);
	return false;
}

static bool get_seed(struct options *o)
{
	const char *text = getenv("IPCDEMO_SEED");
	unsigned long long number;

	if (text && *text) {
		if (!get_number(text, &number))
			return false;
		o->seed = number;
		return true;
	}
	/* Short enough to be typed. */
	if (getrandom(&o->seed, sizeof(o->seed), 0) != sizeof(o->seed))
		o->seed = time(NULL);
	o->seed %= 1000000000;
	return true;
}

/* Those of the words, or those with the claim, or all.  false: none. */
static bool choose_scenarios(struct options *o, char **names)
{
	const struct scenario *s;
	char claim[160];
	unsigned int i;

	for (; *names; names++) {
		s = find_scenario(*names, strlen(*names));
		if (!s)
			return false;
		o->chosen[s - scenarios] = true;
	}
	if (!count_chosen(o)) {
		for (i = 0; i < NR(scenarios); i++) {
			claim_of(&scenarios[i], claim, sizeof(claim));
			o->chosen[i] = !o->claim || strstr(claim, o->claim);
		}
	}
	if (count_chosen(o))
		return true;
	fprintf(stderr, "explore: no scenario has \"%s\" in its claim\n",
		o->claim);
	return false;
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"k", required_argument, NULL, 'k'},
		{"limit", required_argument, NULL, 'm'},
		{"orders", required_argument, NULL, 'n'},
		{"seed", required_argument, NULL, 's'},
		{"replay", required_argument, NULL, 'r'},
		{"tap", no_argument, NULL, 't'},
		{"list", no_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct options o = {.limit = DEFAULT_LIMIT};
	unsigned long long number;
	bool seeded = false;
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (strchr("kmns", c) && !get_number(optarg, &number))
			return USAGE;
		switch (c) {
		case 'k':
			o.limit = number;
			break;
		case 'm':
			o.most = number;
			break;
		case 'n':
			o.random = number;
			break;
		case 's':
			o.seed = number;
			seeded = true;
			break;
		case 'r':
			return replay(optarg);
		case 't':
			o.tap = true;
			break;
		case 'l':
			return list();
		case 'h':
			fputs(usage, stdout);
			return DONE;
		default:
			fputs(usage, stderr);
			return USAGE;
		}
	}
	if (o.tap)
		o.claim = getenv("IPCDEMO_CLAIM");
	if (o.claim)
		o.random = 0;
	if (!seeded && !get_seed(&o))
		return USAGE;
	if (!choose_scenarios(&o, argv + optind))
		return USAGE;
	return explore(&o);
}

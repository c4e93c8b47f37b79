// SPDX-License-Identifier: GPL-2.0
/*
 * Reads schedules (see step.h; the grammar is in docs/stepping.md)
 *
 * A line is cut into words first; then each function takes the words that it
 * knows.  The first one that does not fit ends the reading, with a message that
 * says where it stands and what could stand there.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../module/points.h"
#include "step.h"

/* ---- names -------------------------------------------------------------- */

struct point {
	const char *name;
	const char *kind;
	const char *unit;
	const char *hold;
	const char *sentence;
};

#define POINT(symbol, token, name, kind, unit, hold, sentence) \
	{name, #kind, unit, #hold, sentence},

static const struct point points[] = {IPC_POINTS(POINT)};

int step_points(void)
{
	return ARRAY_SIZE(points);
}

int step_point(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(points); i++)
		if (!strcmp(points[i].name, name))
			return i;
	return STEP_NO_POINT;
}

const char *step_point_name(int point)
{
	return points[point].name;
}

const char *step_point_sentence(int point)
{
	return points[point].sentence;
}

bool step_point_holds(int point)
{
	return !strcmp(points[point].kind, "PIPE") &&
	       strcmp(points[point].hold, "NO");
}

/* What the tasks have handlers for. */
static const int signals[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, SIGPIPE};

int step_signal(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		if (!strcmp(sigabbrev_np(signals[i]), name))
			return signals[i];
	return 0;
}

const char *step_signal_name(int number)
{
	return sigabbrev_np(number) ?: "?";
}

int step_errno(const char *name)
{
	const char *known;
	int i;

	/* Linux has 133 of them */
	for (i = 1; i < 134; i++) {
		known = strerrorname_np(i);
		if (known && !strcmp(known, name))
			return i;
	}
	return 0;
}

const char *step_errno_name(int number)
{
	return strerrorname_np(number) ?: "?";
}

static const struct {
	const char *name;
	unsigned int bits;
} masks[] = {
	{"in", POLLIN},
	{"out", POLLOUT},
	{"err", POLLERR},
	{"hup", POLLHUP},
};

void step_poll_words(unsigned int mask, char *buf, size_t size)
{
	size_t i, n = 0;

	snprintf(buf, size, "nothing");
	for (i = 0; i < ARRAY_SIZE(masks); i++)
		if (mask & masks[i].bits && n < size)
			n += snprintf(buf + n, size - n, "%s%s", n ? " " : "",
				      masks[i].name);
}

/* ---- words -------------------------------------------------------------- */

#define WORDS 64

/**
 * struct word - a word of a line
 * @text:	in double quotes: what they stand for
 * @column:	where it begins, counted from 1
 */
struct word {
	char *text;
	size_t len;
	unsigned int column;
	bool quoted;
};

/**
 * struct step_parser - where the reading stands
 * @n:		words of this line
 * @at:		how many of them were taken
 * @end:	the column behind the line
 * @above:	comments since the last line that was none; NULL: none
 * @titled:	the title was in a line above
 * @begun:	an order or an operation has come: no more tasks
 * @opens:	the tasks that have an end open, or are told to open one
 */
struct step_parser {
	struct schedule *s;
	unsigned int line;
	struct word words[WORDS];
	size_t n;
	size_t at;
	unsigned int end;
	char *above;
	bool titled;
	bool begun;
	bool opens[STEP_TASKS];
};

__printf(3, 4) static int error_at(const struct step_parser *p,
				   unsigned int column, const char *fmt, ...)
{
	char message[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (p->s->file)
		fail("%s:%u:%u: %s", p->s->file, p->line, column, message);
	else
		fail("at column %u: %s", column, message);
	return USAGE;
}

static unsigned int column(const struct step_parser *p)
{
	return p->at < p->n ? p->words[p->at].column : p->end;
}

/* The next word is not what should be there. */
static int unfit(const struct step_parser *p, const char *what)
{
	if (p->at == p->n)
		return error_at(p, p->end,
				"expected %s, not the end of the line", what);
	return error_at(p, column(p), "expected %s, not '%s'", what,
			p->words[p->at].text);
}

static char *copy(const char *text, size_t len)
{
	char *new = malloc(len + 1);

	if (new) {
		memcpy(new, text, len);
		new[len] = '\0';
	}
	return new;
}

/* Takes what stands in double quotes; returns the place behind, NULL: none. */
static char *unquote(char *from, char *to, size_t *len)
{
	char *begin = to;

	for (; *from != '"'; from++) {
		if (*from == '\\' && from[1]) {
			from++;
			*to++ = *from == 'n'   ? '\n'
				: *from == 't' ? '\t'
					       : *from;
		} else if (*from) {
			*to++ = *from;
		} else {
			return NULL;
		}
	}
	*to = '\0';
	*len = to - begin;
	return from + 1;
}

/* Cuts the line, in place, up to its comment. */
static int cut(struct step_parser *p, char *line, char **end)
{
	char *c = line, *behind;
	struct word *w;

	p->n = 0;
	p->at = 0;
	for (;;) {
		*end = c;
		p->end = c - line + 1;
		c += strspn(c, " \t\r\n");
		if (!*c || *c == '#')
			return 0;
		if (p->n == WORDS)
			return error_at(p, c - line + 1,
					"more than %d words in a line", WORDS);
		w = &p->words[p->n++];
		w->column = c - line + 1;
		w->quoted = *c == '"';
		if (w->quoted) {
			w->text = c;
			behind = unquote(c + 1, w->text, &w->len);
			if (!behind)
				return error_at(p, w->column,
						"this \" has no partner");
			if (*behind && !isspace((unsigned char)*behind))
				return error_at(p, behind - line + 1,
						"expected a blank behind the \"");
			c = behind;
			continue;
		}
		w->text = c;
		w->len = strcspn(c, " \t\r\n");
		c += w->len;
		/* The end of the word is written when all words are known */
	}
}

/* The next word; "" if there is none, or if it is in quotes. */
static const char *next(const struct step_parser *p)
{
	const struct word *w = &p->words[p->at];

	return p->at < p->n && !w->quoted ? w->text : "";
}

static bool next_is(const struct step_parser *p, const char *text)
{
	return !strcmp(next(p), text);
}

static bool take(struct step_parser *p, const char *text)
{
	bool is = next_is(p, text);

	p->at += is;
	return is;
}

static int want(struct step_parser *p, const char *text)
{
	char what[40];

	if (take(p, text))
		return 0;
	snprintf(what, sizeof(what), "'%s'", text);
	return unfit(p, what);
}

static int want_end(const struct step_parser *p)
{
	return p->at == p->n ? 0 : unfit(p, "the end of the line");
}

static int want_number(struct step_parser *p, __u64 max, __s64 *number)
{
	char what[60];
	__u64 n;

	if (parse_size(next(p), &n) && n <= max) {
		*number = n;
		p->at++;
		return 0;
	}
	snprintf(what, sizeof(what), "a number up to %llu", max);
	return unfit(p, what);
}

static int find_task(const struct step_parser *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->s->ntasks; i++)
		if (!strcmp(p->s->tasks[i].name, name))
			return i;
	return -1;
}

static int want_task(struct step_parser *p, int *task)
{
	*task = find_task(p, next(p));
	if (*task < 0)
		return unfit(p, p->s->ntasks ? "the name of a task"
					     : "a task, but there is none yet");
	p->at++;
	return 0;
}

static int want_signal(struct step_parser *p, int *signal)
{
	*signal = step_signal(next(p));

	if (!*signal)
		return unfit(p, "USR1, USR2, ALRM, TERM or PIPE");
	p->at++;
	return 0;
}

/* Not the name of a point, nor another word that could stand here. */
static int unfit_point(const struct step_parser *p, const char *others)
{
	const char *name = next(p), *best = "write.copy";
	size_t i, same, longest = 0;
	char what[160];

	for (i = 0; i < ARRAY_SIZE(points); i++) {
		for (same = 0; name[same] && name[same] == points[i].name[same];
		     same++)
			;
		if (same > longest) {
			longest = same;
			best = points[i].name;
		}
	}
	snprintf(what, sizeof(what),
		 "a point such as %s (/proc/ipcdemo/points has them all)%s",
		 best, others);
	return unfit(p, what);
}

/* A point of the pipe. */
static int want_point(struct step_parser *p, int *point, const char *others)
{
	*point = step_point(next(p));
	if (*point == STEP_NO_POINT)
		return unfit_point(p, others);
	if (strcmp(points[*point].kind, "PIPE"))
		return unfit(p, "a point of a pipe");
	p->at++;
	return 0;
}

/* One where a task can be stopped. */
static int want_stop(struct step_parser *p, int *point, const char *others)
{
	int err = want_point(p, point, others);

	if (err || strcmp(points[*point].hold, "NO"))
		return err;
	p->at--;
	return error_at(p, column(p), "no task can be stopped at %s: %s",
			points[*point].name,
			"give a point before or after it, or 'blocked'");
}

static bool take_poll_word(struct step_parser *p, unsigned int *mask)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		if (take(p, masks[i].name)) {
			*mask |= masks[i].bits;
			return true;
		}
	}
	return false;
}

static int want_poll_words(struct step_parser *p, unsigned int *mask)
{
	*mask = 0;
	if (take(p, "nothing"))
		return 0;
	if (!take_poll_word(p, mask))
		return unfit(p, "in, out, err, hup or nothing");
	while (take_poll_word(p, mask))
		;
	return 0;
}

/* ---- declarations ------------------------------------------------------- */

static int parse_pipe_kind(struct step_parser *p)
{
	if (p->s->ntasks)
		return unfit(p, "this line above the tasks");
	if (take(p, "anonymous"))
		p->s->pipe = STEP_PIPE_ANONYMOUS;
	else if (take(p, "named"))
		p->s->pipe = STEP_PIPE_NAMED;
	else if (take(p, "device"))
		p->s->pipe = STEP_PIPE_DEVICE;
	else
		return unfit(p, "'device', 'anonymous' or 'named'");
	return 0;
}

static int parse_pipe(struct step_parser *p)
{
	__s64 n;
	int err;

	if (take(p, "slots")) {
		err = want_number(p, 256, &n);
		if (err)
			return err;
		p->at--;
		if (!n || n & (n - 1))
			return unfit(p, "a power of two");
		p->at++;
		p->s->slots = n;
		return 0;
	}
	if (take(p, "kind"))
		return parse_pipe_kind(p);
	if (!take(p, "persist"))
		return unfit(p, "'kind', 'slots' or 'persist'");
	if (take(p, "kernel"))
		p->s->persistence = IPCDEMO_PERSIST_KERNEL;
	else if (take(p, "process"))
		p->s->persistence = IPCDEMO_PERSIST_PROCESS;
	else
		return unfit(p, "'process' or 'kernel'");
	p->s->says_persistence = true;
	return 0;
}

bool step_is_name(const char *text)
{
	static const char *const taken[] = {"pipe",    "task",	  "run",
					    "step",    "signal",  "kill",
					    "let",     "expect",  "slots",
					    "bytes",   "head",	  "tail",
					    "readers", "writers", "poll",
					    "count"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(taken); i++)
		if (!strcmp(text, taken[i]))
			return false;
	if (!isalpha((unsigned char)*text) || strlen(text) >= STEP_NAME)
		return false;
	while (isalnum((unsigned char)*text) || *text == '_')
		text++;
	return !*text;
}

static int want_what_opens(struct step_parser *p, enum step_end *end)
{
	if (take(p, "read"))
		*end = STEP_READ;
	else if (take(p, "write"))
		*end = STEP_WRITE;
	else if (take(p, "both"))
		*end = STEP_BOTH;
	else
		return 1;
	return 0;
}

/* Lines that are typed can be about any pipe. */
static bool has_packets(const struct step_parser *p)
{
	return p->s->pipe != STEP_PIPE_DEVICE || !p->s->file;
}

static int parse_task(struct step_parser *p)
{
	struct step_task *t;

	if (!step_is_name(next(p)))
		return unfit(p,
			     "a name for the task: a letter and up to 14 letters or digits, and no word of this language");
	if (find_task(p, next(p)) >= 0)
		return unfit(p, "a name that no other task has");
	if (p->s->ntasks == STEP_TASKS)
		return error_at(p, column(p), "more than %d tasks", STEP_TASKS);
	t = &p->s->tasks[p->s->ntasks];
	memset(t, 0, sizeof(*t));
	strcpy(t->name, p->words[p->at++].text);
	if (take(p, "opens") && !take(p, "nothing") &&
	    want_what_opens(p, &t->opens))
		return unfit(p, "read, write, both or nothing");
	for (;;) {
		if (take(p, "nonblock"))
			t->nonblock = true;
		else if (take(p, "restart"))
			t->restart = true;
		else if (has_packets(p) && take(p, "packets"))
			t->packets = true;
		else
			break;
	}
	if (!has_packets(p) && next_is(p, "packets"))
		return error_at(p, column(p), "the device has no packets: %s",
				"'pipe kind anonymous' or 'pipe kind named' above");
	if (p->at < p->n)
		return unfit(p,
			     t->opens
				     ? "nonblock, restart, packets or the end of the line"
				     : "opens, nonblock, restart, packets or the end of the line");
	p->opens[p->s->ntasks++] = t->opens;
	if (!p->begun)
		p->s->early++;
	return 0;
}

/* ---- operations --------------------------------------------------------- */

static int parse_write(struct step_parser *p, struct step_op *op)
{
	const struct word *w = &p->words[p->at];
	__s64 n;
	int err;

	if (p->at == p->n || !w->quoted) {
		err = want_number(p, STEP_BYTES, &n);
		op->number = n;
		return err;
	}
	op->data = copy(w->text, w->len);
	if (!op->data)
		return fail("out of memory");
	if (w->len > STEP_BYTES)
		return unfit(p, "fewer bytes than that");
	op->number = w->len;
	p->at++;
	return 0;
}

static int parse_command(struct step_parser *p, struct step_op *op)
{
	size_t i, len = 0, n = p->n - p->at;

	if (!n)
		return unfit(p, "a command");
	for (i = p->at; i < p->n; i++)
		len += p->words[i].len + 1;
	if (len > STEP_BYTES)
		return unfit(p, "a shorter command");
	op->argv = calloc(n + 1, sizeof(*op->argv));
	for (i = 0; op->argv && i < n; i++) {
		op->argv[i] = strdup(p->words[p->at].text);
		if (!op->argv[i])
			return fail("out of memory");
		p->at++;
	}
	return op->argv ? 0 : fail("out of memory");
}

static bool needs_end(const struct step_parser *p)
{
	static const char *const ops[] = {"read",   "write", "close",	"poll",
					  "splice", "tee",   "vmsplice"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		if (next_is(p, ops[i]))
			return true;
	return false;
}

static int parse_op(struct step_parser *p, struct step_line *l)
{
	struct step_op *op = &l->op;
	__s64 n = 0;
	int err = 0;

	if (!p->opens[l->task] && needs_end(p))
		return error_at(p, column(p),
				"%s has nothing open: 'task %s opens write', or an operation 'open write' before",
				p->s->tasks[l->task].name,
				p->s->tasks[l->task].name);
	if (take(p, "open")) {
		op->kind = STEP_OP_OPEN;
		if (want_what_opens(p, &op->end))
			return unfit(p, "read, write or both");
		op->nonblock = take(p, "nonblock");
		p->opens[l->task] = true;
	} else if (take(p, "read")) {
		op->kind = STEP_OP_READ;
		err = want_number(p, STEP_BYTES, &n);
		op->number = n;
	} else if (take(p, "write")) {
		op->kind = STEP_OP_WRITE;
		err = parse_write(p, op);
	} else if (take(p, "splice")) {
		op->kind = STEP_OP_SPLICE;
		err = want_number(p, STEP_SPLICE_BYTES, &n);
		op->number = n;
	} else if (take(p, "tee")) {
		op->kind = STEP_OP_TEE;
		err = want_number(p, STEP_SPLICE_BYTES, &n);
		op->number = n;
	} else if (take(p, "vmsplice")) {
		op->kind = STEP_OP_VMSPLICE;
		err = want_number(p, STEP_SPLICE_BYTES, &n);
		op->number = n;
	} else if (take(p, "close")) {
		op->kind = STEP_OP_CLOSE;
	} else if (take(p, "poll")) {
		op->kind = STEP_OP_POLL;
		while (take_poll_word(p, &op->mask))
			;
		if (!op->mask)
			op->mask = POLLIN | POLLOUT;
	} else if (take(p, "resize")) {
		op->kind = STEP_OP_RESIZE;
		err = want_number(p, 1ULL << 32, &n);
		op->number = n;
	} else if (take(p, "signal")) {
		op->kind = STEP_OP_SIGNAL;
		err = want_task(p, &op->target) ?: want_signal(p, &op->signal);
	} else if (take(p, "run")) {
		op->kind = STEP_OP_RUN;
		err = parse_command(p, op);
	} else {
		return unfit(p,
			     "open, read, write, splice, tee, vmsplice, close, poll, resize, signal or run");
	}
	return err;
}

/* ---- orders ------------------------------------------------------------- */

static int parse_run(struct step_parser *p, struct step_line *l)
{
	int err = want_task(p, &l->task);

	if (err)
		return err;
	if (take(p, "for")) {
		l->kind = STEP_RUN_CALLS;
		err = want_number(p, 1000, &l->number);
		if (err)
			return err;
		if (!l->number) {
			p->at--;
			return unfit(p, "a number from 1 on");
		}
		return take(p, "call") ? 0 : want(p, "calls");
	}
	if (!take(p, "until"))
		return unfit(p, "'until' or 'for'");
	if (take(p, "blocked"))
		l->kind = STEP_RUN_BLOCKED;
	else if (take(p, "done"))
		l->kind = STEP_RUN_DONE;
	else
		return want_stop(p, &l->point, ", 'blocked' or 'done'");
	return 0;
}

static int parse_step(struct step_parser *p, struct step_line *l)
{
	int err = want_task(p, &l->task);

	l->number = 1;
	if (err || p->at == p->n)
		return err;
	err = want_number(p, 1000000, &l->number);
	if (!err && !l->number) {
		p->at--;
		return unfit(p, "a number from 1 on");
	}
	return err;
}

static int parse_signal(struct step_parser *p, struct step_line *l)
{
	int err = want_task(p, &l->task) ?: want_signal(p, &l->signal);

	if (err || !take(p, "at"))
		return err;
	return want_stop(p, &l->point, "");
}

/* ---- expectations ------------------------------------------------------- */

static int parse_result(struct step_parser *p, struct step_line *l)
{
	int number;

	l->kind = STEP_EXPECT_RESULT;
	if (p->at == p->n)
		return unfit(p,
			     "a number, an errno such as EAGAIN, or what poll says");
	number = step_errno(next(p));
	if (number) {
		l->number = -number;
		p->at++;
		return 0;
	}
	if (isdigit((unsigned char)*next(p)))
		return want_number(p, 1ULL << 32, &l->number);
	l->kind = STEP_EXPECT_READY;
	if (take(p, "nothing"))
		return 0;
	if (!take_poll_word(p, &l->mask))
		return unfit(p,
			     "a number, an errno such as EAGAIN, or what poll says (in, out, err, hup, nothing)");
	while (take_poll_word(p, &l->mask))
		;
	return 0;
}

/* "hello", or W*4096 */
static bool piece(const struct word *w, const char **text, __u64 *len,
		  __u64 *times)
{
	*text = w->text;
	*len = w->len;
	*times = 1;
	if (w->quoted)
		return true;
	*len = 1;
	return w->len > 2 && w->text[1] == '*' &&
	       parse_size(w->text + 2, times);
}

static int parse_got(struct step_parser *p, struct step_line *l)
{
	__u64 len, times, i;
	const char *text;
	char *data;

	l->kind = STEP_EXPECT_GOT;
	if (take(p, "nothing"))
		return 0;
	do {
		if (p->at == p->n ||
		    !piece(&p->words[p->at], &text, &len, &times))
			return unfit(p,
				     "\"text\", W*4096 (so many W) or nothing");
		if (times > STEP_BYTES || l->number + len * times > STEP_BYTES)
			return unfit(p, "bytes that one read can get");
		data = realloc(l->data, l->number + len * times + 1);
		if (!data)
			return fail("out of memory");
		l->data = data;
		for (i = 0; i < times; i++, l->number += len)
			memcpy(data + l->number, text, len);
		p->at++;
	} while (p->at < p->n);
	return 0;
}

static int parse_expect_task(struct step_parser *p, struct step_line *l)
{
	if (take(p, "at")) {
		l->kind = STEP_EXPECT_AT;
		return want_point(p, &l->point, "");
	}
	if (take(p, "waits")) {
		l->kind = STEP_EXPECT_LOCK;
		return want(p, "for") ?: want(p, "lock");
	}
	if (take(p, "result"))
		return parse_result(p, l);
	if (take(p, "got"))
		return parse_got(p, l);
	if (take(p, "caught")) {
		l->kind = STEP_EXPECT_CAUGHT;
		l->number = 1;
		return want_signal(p, &l->signal)
			       ?: p->at == p->n
				  ? 0
				  : want_number(p, 1000, &l->number);
	}
	if (take(p, "decided")) {
		l->kind = STEP_EXPECT_DECIDED;
		l->number = next_is(p, "yes");
		if (take(p, "yes") || take(p, "no"))
			return 0;
		return unfit(p, "yes or no");
	}
	if (take(p, "blocked"))
		l->kind = STEP_EXPECT_BLOCKED;
	else if (take(p, "asleep"))
		l->kind = STEP_EXPECT_ASLEEP;
	else if (take(p, "done"))
		l->kind = STEP_EXPECT_DONE;
	else if (take(p, "gone"))
		l->kind = STEP_EXPECT_GONE;
	else
		return unfit(p,
			     "at, blocked, asleep, waits, done, gone, result, got, caught or decided");
	return 0;
}

static int parse_indices(struct step_parser *p, struct step_line *l)
{
	int err = 0;

	l->kind = STEP_EXPECT_INDICES;
	while (!err && (next_is(p, "head") || next_is(p, "tail"))) {
		if (take(p, "head")) {
			l->has_head = true;
			err = want_number(p, UINT32_MAX, &l->number);
		} else {
			p->at++;
			l->has_tail = true;
			err = want_number(p, UINT32_MAX, &l->tail);
		}
	}
	return err;
}

static int parse_count(struct step_parser *p, struct step_line *l)
{
	int err = want_point(p, &l->point, "");

	l->kind = STEP_EXPECT_COUNT;
	if (err)
		return err;
	if (!strcmp(points[l->point].unit, "-")) {
		p->at--;
		return unfit(p,
			     "a point that has a counter (/proc/ipcdemo/pipe/1 shows them)");
	}
	return want_number(p, UINT32_MAX, &l->number);
}

static int parse_expect(struct step_parser *p, struct step_line *l)
{
	if (next_is(p, "head") || next_is(p, "tail"))
		return parse_indices(p, l);
	if (take(p, "count"))
		return parse_count(p, l);
	if (take(p, "poll")) {
		l->kind = STEP_EXPECT_POLL;
		return want_task(p, &l->task) ?: want_poll_words(p, &l->mask);
	}
	if (take(p, "slots")) {
		l->kind =
			take(p, "used") ? STEP_EXPECT_USED : STEP_EXPECT_SLOTS;
	} else if (take(p, "bytes")) {
		l->kind = STEP_EXPECT_BYTES;
	} else if (take(p, "readers")) {
		l->kind = STEP_EXPECT_READERS;
	} else if (take(p, "writers")) {
		l->kind = STEP_EXPECT_WRITERS;
	} else if (find_task(p, next(p)) >= 0) {
		return want_task(p, &l->task) ?: parse_expect_task(p, l);
	} else {
		return unfit(p,
			     "a task, slots, bytes, head, tail, readers, writers, poll or count");
	}
	return want_number(p, UINT32_MAX, &l->number);
}

/* ---- lines -------------------------------------------------------------- */

static struct step_line *add_line(struct step_parser *p)
{
	struct schedule *s = p->s;
	struct step_line **more, *l;

	more = reallocarray(s->lines, s->nlines + 1, sizeof(*more));
	l = calloc(1, sizeof(*l));
	if (more)
		s->lines = more;
	if (!more || !l) {
		free(l);
		return NULL;
	}
	s->lines[s->nlines++] = l;
	l->line = p->line;
	l->task = -1;
	l->point = STEP_NO_POINT;
	return l;
}

static void free_line(struct step_line *l)
{
	size_t i;

	for (i = 0; l->op.argv && l->op.argv[i]; i++)
		free(l->op.argv[i]);
	free(l->op.argv);
	free(l->op.text);
	free(l->op.data);
	free(l->data);
	free(l->above);
	free(l->behind);
	free(l->text);
	free(l);
}

/*
 * "W:", whose operation this is.  Return: 1: it is one, 0: the line begins with
 * something else, USAGE after a message.
 */
static int take_owner(struct step_parser *p, int *task)
{
	char *word = p->words[0].text, *colon = strchr(word, ':');
	int len = colon ? colon - word : 0, err = 0;

	if (p->words[0].quoted || !colon)
		return 0;
	*colon = '\0';
	*task = find_task(p, word);
	*colon = ':';
	if (*task < 0)
		err = error_at(p, p->words[0].column,
			       "there is no task '%.*s': 'task %.*s opens write' is missing above",
			       len, word, len, word);
	else if (colon[1])
		err = error_at(p, p->words[0].column + len + 1,
			       "expected a blank behind the colon");
	p->at++;
	return err ?: 1;
}

static int parse_declaration(struct step_parser *p)
{
	int err;

	if (take(p, "task")) {
		err = parse_task(p);
	} else if (p->begun) {
		return error_at(p, column(p),
				"'pipe' comes before everything but 'task'");
	} else {
		p->at++;
		err = parse_pipe(p);
	}
	return err ?: want_end(p);
}

/* An order or an expectation; those have l->task of their own. */
static int parse_order(struct step_parser *p, struct step_line *l)
{
	int err;

	if (take(p, "run")) {
		l->kind = STEP_RUN_POINT;
		err = parse_run(p, l);
	} else if (take(p, "step")) {
		l->kind = STEP_STEP;
		err = parse_step(p, l);
	} else if (take(p, "signal")) {
		l->kind = STEP_SIGNAL;
		err = parse_signal(p, l);
	} else if (take(p, "kill")) {
		l->kind = STEP_KILL;
		err = want_task(p, &l->task);
	} else if (take(p, "let")) {
		l->kind = STEP_LET_GO;
		err = want_task(p, &l->task) ?: want(p, "go");
	} else if (take(p, "expect")) {
		err = parse_expect(p, l);
	} else {
		err = unfit(p,
			    "pipe, task, run, step, signal, kill, let, expect, or a task and a colon");
	}
	return err;
}

static int parse_words(struct step_parser *p, const char *text, size_t len)
{
	bool late = p->begun && next_is(p, "task");
	struct step_line *l;
	size_t first;
	int err;

	if (next_is(p, "pipe") || (next_is(p, "task") && !late))
		return parse_declaration(p);
	l = add_line(p);
	if (!l)
		return fail("out of memory");
	first = p->words[0].column - 1;
	l->text = copy(text + first, len - first);
	if (!l->text)
		return fail("out of memory");
	l->above = p->above;
	p->above = NULL;
	if (late) {
		l->kind = STEP_TASK;
		l->task = p->s->ntasks;
		return parse_declaration(p);
	}

	err = take_owner(p, &l->task);
	if (err == USAGE)
		return err;
	if (err) {
		first = p->n > 1 ? p->words[1].column - 1 : len;
		l->op.text = copy(text + first, len - first);
		if (!l->op.text)
			return fail("out of memory");
		err = parse_op(p, l);
	} else {
		err = parse_order(p, l);
	}
	err = err ?: want_end(p);
	if (!err)
		p->begun = true;
	return err;
}

/* What stands behind the "#" there, without the blanks around it. */
static char *comment(const char *text)
{
	size_t len;

	text += strspn(text, "# \t");
	for (len = strcspn(text, "\r\n"); len; len--)
		if (text[len - 1] != ' ' && text[len - 1] != '\t')
			break;
	return copy(text, len);
}

/* A line that is a comment belongs to the next one that is none. */
static int keep_comment(struct step_parser *p, const char *text)
{
	char *more = comment(text), *old = p->above;

	if (more && old) {
		if (asprintf(&p->above, "%s\n%s", old, more) < 0)
			p->above = NULL;
		free(old);
		free(more);
	} else {
		p->above = more;
	}
	return p->above ? 0 : fail("out of memory");
}

/* What stands behind the words; before this line there were so many lines. */
static int take_comment(struct step_parser *p, const char *text, size_t had)
{
	struct step_line *l;

	if (text[strspn(text, " \t")] != '#')
		return 0;
	if (!p->n)
		return p->titled ? keep_comment(p, text) : 0;
	if (p->s->nlines == had)
		return 0;
	l = p->s->lines[had];
	l->behind = comment(text);
	return l->behind ? 0 : fail("out of memory");
}

int step_parse_line(struct step_parser *p, const char *line)
{
	size_t i, len, had = p->s->nlines;
	char *work = strdup(line), *end;
	int err;

	if (!work)
		return fail("out of memory");
	err = cut(p, work, &end);
	if (!err && p->n) {
		len = end - work;
		for (i = 0; i < p->n; i++)
			p->words[i].text[p->words[i].len] = '\0';
		err = parse_words(p, line, len);
	}
	if (!err)
		err = take_comment(p, line + (end - work), had);
	free(work);
	if (err && p->s->nlines > had)
		free_line(p->s->lines[--p->s->nlines]);
	return err;
}

void step_parser_free(struct step_parser *parser)
{
	if (parser)
		free(parser->above);
	free(parser);
}

struct step_parser *step_parser_new(struct schedule *schedule)
{
	struct step_parser *p = calloc(1, sizeof(*p));

	if (p)
		p->s = schedule;
	return p;
}

/* The first line of the first comment, but for what lawyers read. */
static int take_title(struct schedule *s, const char *line)
{
	const char *text = line + strspn(line, "# \t");

	if (*line != '#' || !*text || *text == '\n' ||
	    !strncmp(text, "SPDX", 4))
		return 0;
	free(s->title);
	s->title = copy(text, strcspn(text, "\r\n"));
	return s->title ? 0 : fail("out of memory");
}

static int parse_file(struct step_parser *p, FILE *from)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int err = 0;

	while (!err && (len = getline(&line, &room, from)) >= 0) {
		p->line++;
		if (memchr(line, '\0', len)) {
			p->end = strlen(line) + 1;
			err = error_at(p, p->end, "a byte 0 is no text");
			break;
		}
		p->titled = *p->s->title;
		if (!p->titled)
			err = take_title(p->s, line);
		if (!err)
			err = step_parse_line(p, line);
	}
	free(line);
	free(p->above);
	if (!err && ferror(from))
		return fail("%s: %s", p->s->file, strerror(errno));
	if (!err && !p->s->ntasks) {
		p->line++;
		err = error_at(p, 1,
			       "the file has no task: 'task W opens write'");
	}
	return err;
}

int step_parse(const char *file, struct schedule *schedule)
{
	bool is_stdin = !strcmp(file, "-");
	struct step_parser p = {.s = schedule};
	FILE *from;
	int err;

	memset(schedule, 0, sizeof(*schedule));
	schedule->file = strdup(is_stdin ? "standard input" : file);
	schedule->title = strdup("");
	if (!schedule->file || !schedule->title)
		return fail("out of memory");
	from = is_stdin ? stdin : fopen(file, "re");
	if (!from)
		return fail("%s: %s", file, strerror(errno));
	err = parse_file(&p, from);
	if (!is_stdin)
		fclose(from);
	return err;
}

void step_free(struct schedule *schedule)
{
	size_t i;

	for (i = 0; i < schedule->nlines; i++)
		free_line(schedule->lines[i]);
	free(schedule->lines);
	free(schedule->file);
	free(schedule->title);
	memset(schedule, 0, sizeof(*schedule));
}

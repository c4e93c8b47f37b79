// SPDX-License-Identifier: GPL-2.0
/*
 * The points that each case of the document passes: see sequences.h
 *
 * They come from the tracepoints, in the kernel's order.  Those of the task that
 * makes the call count, from the call to its result or until it sleeps; whether
 * somebody else has the mutex at that moment is chance, so *.lock is left out.
 */
#include "sequences.h"

#include <ctype.h>
#include <signal.h>

#include "../kernel/harness.h"
#include "cases.h"
#include "scene.h"

#define TRACING	    "/sys/kernel/tracing/"
#define EVENTS	    TRACING "events/ipcdemo/"
#define TRIM	    "/sys/module/ipcdemo/parameters/trim_seconds"
#define MOST_POINTS 2048
#define NAME_SIZE   32
/* A part that is passed again and again is at most so long. */
#define LONGEST	    12
#define MOST_LINES  100

static int pipe_of_trace = -1;

/* Of the case that is played. */
static char points[MOST_POINTS][NAME_SIZE];
static size_t nr_points;

bool sequences_can_be_seen(void)
{
	return !access(EVENTS "enable", W_OK);
}

static void set(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		fail_msg("%s: cannot write %s: %s", path, text,
			 strerror(errno));
	close(fd);
}

/* --- what the kernel tells ----------------------------------------------------------- */

/* "   cat-149   [001] .....    17.9: write_enter: pipe 1: ..."; NULL: no such line. */
static const char *parse(char *line, pid_t caller)
{
	char *cpu = strstr(line, " ["), *event, *end, *dash;

	if (!cpu)
		return NULL;
	*cpu = '\0';
	dash = strrchr(line, '-');
	if (!dash || atoi(dash + 1) != caller)
		return NULL;
	end = strstr(cpu + 1, ": pipe ");
	if (!end)
		return NULL;
	*end = '\0';
	event = strrchr(cpu + 1, ' ');
	return event ? event + 1 : NULL;
}

static void note(const char *event)
{
	char *point = points[nr_points], *gap;

	snprintf(point, NAME_SIZE, "%s", event);
	gap = strchr(point, '_');
	assert_non_null(gap);
	*gap = '.';
	if (!strcmp(gap, ".lock"))
		return;
	nr_points++;
	assert_true(nr_points < MOST_POINTS);
}

/* Take what was traced; of @caller it is kept, 0: of nobody. */
static void take(pid_t caller)
{
	static char text[1 << 20];
	size_t have = 0;
	char *line, *rest;
	ssize_t n;

	nr_points = 0;
	while ((n = read(pipe_of_trace, text + have, sizeof(text) - 1 - have)) >
	       0)
		have += n;
	assert_errno(EAGAIN, n);
	text[have] = '\0';
	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *event = parse(line, caller);

		if (event)
			note(event);
	}
}

static void watch(bool begins, pid_t caller)
{
	take(begins ? 0 : caller);
}

static void begin_tracing(void)
{
	char clear[1] = "";

	/* Of all processors alike: a task may go from one to another. */
	set(TRACING "trace_clock", "mono");
	/* Whether a kept page is there yet must not depend on the time. */
	set(TRIM, "3600");
	set(TRACING "trace", clear);
	pipe_of_trace =
		open(TRACING "trace_pipe", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(pipe_of_trace >= 0);
	set(EVENTS "enable", "1");
	scene_watch = watch;
}

static void end_tracing(void)
{
	scene_watch = NULL;
	set(EVENTS "enable", "0");
	close(pipe_of_trace);
	set(TRIM, "5");
	set(TRACING "trace_clock", "local");
}

/* --- the page ------------------------------------------------------------------------ */

/* States of a row that pass the same. */
struct line {
	char *points;
	char states[1024];
	const char *with; /* NULL: it is told in another line */
};

struct page {
	FILE *to;
	const struct row *row;
	struct line lines[MOST_LINES]; /* of that row */
	size_t nr_lines;
};

static bool is_same(size_t a, size_t b, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (strcmp(points[a + i], points[b + i]))
			return false;
	return true;
}

/* How long the part that begins here and is passed again is; *times: how often. */
static size_t find_repeated(size_t at, size_t *times)
{
	size_t len, best = 1;

	*times = 1;
	for (len = 1; len <= LONGEST; len++) {
		size_t n = 1;

		while (at + (n + 1) * len <= nr_points &&
		       is_same(at, at + n * len, len))
			n++;
		if (n > 1 && n * len > *times * best) {
			best = len;
			*times = n;
		}
	}
	return best;
}

static void print_points(FILE *to)
{
	size_t at = 0, len, times, i;

	while (at < nr_points) {
		len = find_repeated(at, &times);
		fputs(at ? " " : "", to);
		fputs(times > 1 && len > 1 ? "(" : "", to);
		for (i = 0; i < len; i++)
			fprintf(to, "%s%s", i ? " " : "", points[at + i]);
		fputs(times > 1 && len > 1 ? ")" : "", to);
		if (times > 1)
			fprintf(to, " ×%zu", times);
		at += len * times;
	}
}

static const char *with(bool blocking)
{
	static const char *const ways[] = {"O_NONBLOCK", "blocking"};

	return ways[blocking];
}

/* What both ways have in common is told once. */
static void unite(struct page *page)
{
	size_t i, j;

	for (i = 0; i < page->nr_lines; i++) {
		struct line *one = &page->lines[i];

		for (j = i + 1; j < page->nr_lines; j++) {
			struct line *other = &page->lines[j];

			if (!one->with || !other->with ||
			    one->with == other->with ||
			    strcmp(one->states, other->states) ||
			    strcmp(one->points, other->points))
				continue;
			one->with = "either";
			other->with = NULL;
		}
	}
}

/* Whether a row for any state has one line alone for what this one is with. */
static bool is_any(const struct page *page, const struct line *line)
{
	size_t i;

	for (i = 0; i < page->nr_lines; i++)
		if (&page->lines[i] != line && page->lines[i].with &&
		    strcmp(page->lines[i].states, line->states))
			return false;
	return !page->row->state;
}

static void print_row(struct page *page)
{
	size_t i;

	unite(page);
	for (i = 0; i < page->nr_lines; i++) {
		const struct line *line = &page->lines[i];

		if (line->with && line->points[0])
			fprintf(page->to, "| %s | %s | %s | %s |\n",
				is_any(page, line) ? "any" : line->states,
				page->row->call_cell.text, line->with,
				line->points);
	}
	for (i = 0; i < page->nr_lines; i++)
		free(page->lines[i].points);
	page->nr_lines = 0;
}

/*
 * Of two pipes of ours, that with the lower address is locked first, and the
 * other tried: chance decides which one that is.
 */
static void forget_locks(void)
{
	size_t i, kept = 0;

	for (i = 0; i < nr_points; i++)
		if (!strstr(points[i], ".locked"))
			memmove(points[kept++], points[i], NAME_SIZE);
	nr_points = kept;
}

static void see(void *about, const struct row *row, const struct state *state,
		bool blocking)
{
	struct page *page = about;
	struct line *line;
	size_t i, size;
	char *text;
	FILE *to = open_memstream(&text, &size);

	assert_non_null(to);
	if (row->call.verb == SPLICE_OWN)
		forget_locks();
	print_points(to);
	fclose(to);
	if (page->row != row)
		print_row(page);
	page->row = row;
	for (i = 0; i < page->nr_lines; i++) {
		line = &page->lines[i];
		if (line->with == with(blocking) &&
		    !strcmp(line->points, text)) {
			size_t len = strlen(line->states);

			snprintf(line->states + len, sizeof(line->states) - len,
				 "; %s", state->name.text);
			free(text);
			return;
		}
	}
	assert_true(page->nr_lines < MOST_LINES);
	line = &page->lines[page->nr_lines++];
	line->points = text;
	line->with = with(blocking);
	snprintf(line->states, sizeof(line->states), "%s", state->name.text);
}

static const char *const head =
	"<!-- Made by tests/semantics, which compares it with what happens: make sequences. -->\n"
	"# The points of each case\n"
	"\n"
	"Which [points](points.md) a call passes, and in which order, in each case of [semantics.md](semantics.md), on an anonymous\n"
	"pipe. They are those of the caller, up to its result or until it sleeps; a wake-up that it gives is among them, what the\n"
	"woken then do is not. Left out is `*.lock`: whether somebody else has the mutex is chance. ×16: so\n"
	"often, one after the other. A case\n"
	"that is not here passes none. Of a splice between two of ours the points of both are shown, without `*.locked`: which is locked\n"
	"first depends on where they are in memory.\n"
	"\n"
	"| state | call | with | points |\n"
	"| --- | --- | --- | --- |\n";

char *sequences_page(const struct document *document)
{
	static struct page page;
	size_t size;
	char *text;

	page.to = open_memstream(&text, &size);
	page.row = NULL;
	assert_non_null(page.to);
	fputs(head, page.to);
	begin_tracing();
	cases_walk(document, ANON, see, &page);
	end_tracing();
	print_row(&page);
	fclose(page.to);
	return text;
}

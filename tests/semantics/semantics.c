// SPDX-License-Identifier: GPL-2.0
/*
 * docs/semantics.md, taken by its word
 *
 * Each case of the document is played on the kernel's pipe and on ours; the
 * result, and all that a program can see afterwards, must be what the document
 * says, and the same on both but for the differences that it lists.  Beside
 * that, each call is made in each state, and several processes do things by
 * chance, compared step by step.
 *
 *	semantics [--document FILE] [--random N] [--seed S] [--sequences FILE]
 *
 * --random N plays N sequences by chance (make check: 500), and nothing else; --seed S, or
 * IPCDEMO_SEED=S, begins with that seed (without --random: that one alone).
 * --sequences writes docs/sequences.md, the points that each case passes.
 */
#include <getopt.h>
#include <time.h>

#include "../kernel/harness.h"
#include "cases.h"
#include "document.h"
#include "planted.h"
#include "random.h"
#include "scene.h"
#include "sequences.h"

#define DOCUMENT  "docs/semantics.md"
#define SEQUENCES "docs/sequences.md"

/* The document must not become thin unnoticed. */
#define FEWEST	  250

static const char *document_path = DOCUMENT;
static struct document *document;

/* Sequences, a third of them on each of ours; as many as fit into make check. */
static unsigned long nr_random = 500;
static unsigned long long first_seed;

/* --- the document ------------------------------------------------------------------ */

static void each_case_is_as_documented(void **state)
{
	size_t played, bad;

	(void)state;
	scenes_begin();
	played = cases_play(document, target->bit, 0, &bad);
	print_message("# %zu cases in the document, %zu played\n",
		      cases_count(document), played);
	if (bad)
		fail_msg("%zu are not as the document says", bad);
	assert_true(cases_count(document) >= FEWEST);
}

static void listed_differences_occur(void **state)
{
	size_t played, bad;

	(void)state;
	scenes_begin();
	played = cases_differences(document, target->bit, &bad);
	print_message("# %zu differences\n", played);
	if (bad)
		fail_msg("%zu do not occur: take them off the list", bad);
	assert_true(played > 0);
}

/* --- the points -------------------------------------------------------------------- */

/* Says where they differ, up to so many lines.  Return: whether they do. */
static bool differ(const char *name, char *want, char *got)
{
	unsigned int line = 1, said = 0;

	while (want && got) {
		char *a = strsep(&want, "\n"), *b = strsep(&got, "\n");

		if (strcmp(a, b) && said++ < 5)
			print_error("# %s:%u:\n# says: %s\n# seen: %s\n", name,
				    line, a, b);
		line++;
	}
	if (want || got)
		print_error("# %s: %s lines than cases\n", name,
			    want ? "more" : "fewer");
	return said || want || got;
}

static void each_case_passes_its_points(void **state)
{
	char error[512], *want, *got;

	(void)state;
	if (!sequences_can_be_seen()) {
		print_message("# no tracepoints in this kernel\n");
		skip();
	}
	want = document_load(SEQUENCES, error, sizeof(error));
	if (!want)
		fail_msg("%s", error);
	/* Each wait has its limit. */
	alarm(0);
	scenes_begin();
	got = sequences_page(document);
	if (differ(SEQUENCES, want, got))
		fail_msg("if this is as it should be: make sequences");
	free(got);
	free(want);
}

static const char *page_path;

static void page_is_written(void **state)
{
	FILE *to = fopen(page_path, "we");
	char *page;

	(void)state;
	if (!to)
		fail_msg("%s: %s", page_path, strerror(errno));
	alarm(0);
	scenes_begin();
	page = sequences_page(document);
	fputs(page, to);
	assert_ret(0, fclose(to));
	free(page);
}

static const struct claim page_claims[] = {
	{"the page is written", page_is_written, ANON},
};

/* --- faults planted in it ------------------------------------------------------------ */

static void judge(size_t planted, size_t missed)
{
	print_message("# %zu faults\n", planted);
	if (missed)
		fail_msg("%zu were missed", missed);
	assert_true(planted > 0);
}

static void unknown_words_are_errors(void **state)
{
	size_t missed, planted = planted_words(document_path, &missed);

	(void)state;
	judge(planted, missed);
}

static void untrue_cells_are_noticed(void **state)
{
	size_t missed, planted;

	(void)state;
	scenes_begin();
	planted = planted_cells(document_path, &missed);
	judge(planted, missed);
}

static void wrong_differences_are_noticed(void **state)
{
	size_t missed, planted;

	(void)state;
	scenes_begin();
	planted = planted_differences(document_path, &missed);
	judge(planted, missed);
}

/* --- each call in each state --------------------------------------------------------- */

static void cross(bool blocking)
{
	size_t played, bad;

	scenes_begin();
	played = cases_cross(document, target->bit, blocking, &bad);
	print_message("# %zu cases\n", played);
	if (bad)
		fail_msg("%zu are not as on the kernel's", bad);
	assert_true(played > 100);
}

static void each_call_in_each_state(void **state)
{
	(void)state;
	cross(false);
}

static void each_blocking_call_in_each_state(void **state)
{
	(void)state;
	cross(true);
}

/* --- by chance ----------------------------------------------------------------------- */

static void random_sequences_agree(void **state)
{
	unsigned long i, count = (nr_random + 2) / 3;
	struct random_tally tally = {};

	(void)state;
	/* Each wait has its limit; all of them together take what they take. */
	alarm(0);
	scenes_begin();
	print_message("# seeds %llu to %llu\n", first_seed,
		      first_seed + count - 1);
	for (i = 0; i < count; i++) {
		if (!random_sequence(target->bit, first_seed + i, &tally))
			fail_msg("sequence %lu of %lu", i + 1, count);
		if (i % 1000 == 999)
			print_message("# %lu of %lu\n", i + 1, count);
	}
	print_message("# %u sequences, %u steps\n", tally.sequences,
		      tally.steps);
	print_message("# %u waits, %u ended by others, %u SIGIO\n",
		      tally.waited, tally.released, tally.signals);
	/* Chance must have done something, or agreeing says nothing. */
	if (count >= 100) {
		assert_true(tally.waited > count / 2);
		assert_true(tally.released > count / 4);
		assert_true(tally.signals > count / 10);
	}
}

static const struct claim random_claims[] = {
	{"random sequences of several processes are as on the kernel's",
	 random_sequences_agree, OURS},
};

static const struct claim claims[] = {
	{"each case of the document is as it says", each_case_is_as_documented,
	 ENDS},
	{"each listed difference occurs", listed_differences_occur, OURS},
	{"each case passes the points that docs/sequences.md says, in order",
	 each_case_passes_its_points, ANON},
	{"an unknown word is an error with its line and column",
	 unknown_words_are_errors, PIPE},
	{"a cell that is not true is noticed", untrue_cells_are_noticed, PIPE},
	{"a difference that is not listed, or does not occur, is noticed",
	 wrong_differences_are_noticed, DEV},
	{"each nonblocking call in each state is as the kernel's",
	 each_call_in_each_state, OURS},
	{"each blocking call in each state is as the kernel's, or waits as there",
	 each_blocking_call_in_each_state, OURS},
	{"random sequences of several processes are as on the kernel's",
	 random_sequences_agree, OURS},
};

static struct document *load(const char *path, char *error, size_t size)
{
	char *text = document_load(path, error, size);

	return text ? document_parse(path, text, error, size) : NULL;
}

static void print_help(FILE *to)
{
	fputs("usage: semantics [--document FILE] [--show] [--random N] [--seed S]\n"
	      "                 [--sequences FILE]\n"
	      "  --document FILE  instead of " DOCUMENT "\n"
	      "  --show           say what was seen in each case\n"
	      "  --random N       only the random part, N sequences in all\n"
	      "  --sequences FILE  write the page " SEQUENCES " there\n"
	      "  --seed S         the first seed; without --random, the only one\n",
	      to);
}

static unsigned long long to_number(const char *text)
{
	char *stop;
	unsigned long long value = strtoull(text, &stop, 10);

	if (!*text || *stop) {
		fprintf(stderr, "semantics: %s is no number\n", text);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"document", required_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'},
		{"random", required_argument, NULL, 'r'},
		{"seed", required_argument, NULL, 's'},
		{"sequences", required_argument, NULL, 'q'},
		{"show", no_argument, NULL, 'v'},
		{},
	};
	const char *seed = getenv("IPCDEMO_SEED");
	bool only_random = false;
	char error[512];
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'd') {
			document_path = optarg;
		} else if (c == 'r') {
			nr_random = to_number(optarg);
			only_random = true;
		} else if (c == 's') {
			seed = optarg;
		} else if (c == 'v') {
			cases_shown = true;
		} else if (c == 'q') {
			page_path = optarg;
		} else {
			print_help(c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : 2;
		}
	}
	if (seed && !only_random)
		nr_random = 1;
	first_seed = seed ? to_number(seed) : (unsigned long long)time(NULL);
	if (only_random) {
		int status =
			run_claims("random", random_claims, NR(random_claims));

		printf("# %lu sequences, seeds from %llu\n", nr_random,
		       first_seed);
		return status;
	}
	document = load(document_path, error, sizeof(error));
	if (!document) {
		printf("Bail out! %s\n", error);
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	if (page_path)
		return run_claims("sequences", page_claims, NR(page_claims));
	return run_claims("semantics", claims, NR(claims));
}

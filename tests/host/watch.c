// SPDX-License-Identifier: GPL-2.0
/*
 * What `ipcdemo watch` remembers, and its arithmetic, on the host
 *
 * The samples come from the text that was captured for the tests of the command
 * (tests/cli/fixtures), read as the command reads it; only their counters and
 * times are made up.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "watch_history.h"

static struct ipcdemo *ipc;

static int open_fixture(void **state)
{
	(void)state;
	setenv("IPCDEMO_ROOT", "tests/cli/fixtures/half", 1);
	ipc = ipcdemo_new();
	return !ipc;
}

static int close_fixture(void **state)
{
	(void)state;
	ipcdemo_free(ipc);
	return 0;
}

static struct watch_sample *sample(unsigned int look, double at)
{
	struct watch_sample *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->look = look;
	s->at = at;
	s->kind = IPCDEMO_PIPE;
	assert_int_equal(ipcdemo_pipe_view(ipc, 1, &s->pipe), 0);
	return s;
}

static struct watch_sample *region_sample(unsigned int look, double at)
{
	struct watch_sample *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->look = look;
	s->at = at;
	s->kind = IPCDEMO_REGION;
	assert_int_equal(ipcdemo_region_view(ipc, 2, &s->region), 0);
	return s;
}

static void count(struct watch_sample *s, const char *point, __u64 n)
{
	struct ipcdemo_counter *c = s->pipe.counters;

	while (strcmp(c->point, point))
		assert_true(++c < s->pipe.counters + s->pipe.ncounters);
	c->count = n;
}

static void same_number(const char *wanted, double rate)
{
	char buf[16];

	assert_string_equal(watch_number(rate, buf, sizeof(buf)), wanted);
}

/* ---- the history ------------------------------------------------------------ */

static void looks_older_than_asked_for_are_forgotten(void **state)
{
	struct watch_history h = {.keep = 10, .most = 1 << 30};
	unsigned int look;

	(void)state;
	for (look = 1; look <= 1000; look++) {
		assert_int_equal(watch_history_add(&h, sample(look, look)), 0);
		assert_int_equal(h.n, look < 11 ? look : 11);
		assert_int_equal(h.sample[h.n - 1]->look, look);
		assert_int_equal(h.sample[0]->look, look < 11 ? 1 : look - 10);
	}
	watch_history_free(&h);
	assert_int_equal(h.n, 0);
	assert_int_equal(h.bytes, 0);
}

static void a_history_has_no_more_bytes_than_it_may(void **state)
{
	struct watch_history h = {.keep = 1e6, .most = 20000};
	unsigned int look;

	(void)state;
	for (look = 1; look <= 100; look++) {
		watch_history_add(&h, sample(look, look));
		assert_true(h.bytes <= h.most);
	}
	assert_true(h.n > 2 && h.n < 20);
	watch_history_free(&h);
}

static void the_last_two_looks_stay_whatever_their_age(void **state)
{
	struct watch_history h = {.keep = 0.001, .most = 1};

	(void)state;
	watch_history_add(&h, sample(1, 0));
	watch_history_add(&h, sample(2, 100));
	assert_int_equal(h.n, 2);
	watch_history_add(&h, sample(3, 200));
	assert_int_equal(h.n, 2);
	assert_int_equal(h.sample[0]->look, 2);
	watch_history_free(&h);
}

static void a_look_is_found_or_the_one_before_it(void **state)
{
	struct watch_history h = {.keep = 1e6, .most = 1 << 30};

	(void)state;
	assert_null(watch_history_at(&h, 5));
	watch_history_add(&h, sample(3, 0));
	watch_history_add(&h, sample(4, 1));
	/* Looks at which it was not followed */
	watch_history_add(&h, sample(9, 6));
	assert_null(watch_history_at(&h, 2));
	assert_int_equal(watch_history_at(&h, 3)->look, 3);
	assert_int_equal(watch_history_at(&h, 8)->look, 4);
	assert_int_equal(watch_history_at(&h, 1000)->look, 9);
	assert_null(watch_history_before(&h, h.sample[0]));
	assert_ptr_equal(watch_history_before(&h, h.sample[2]), h.sample[1]);
	watch_history_free(&h);
}

static void steps_end_at_the_oldest_and_the_newest_look(void **state)
{
	struct watch_history h = {.keep = 1e6, .most = 1 << 30};

	(void)state;
	assert_int_equal(watch_history_step(&h, 7, -1), 0);
	watch_history_add(&h, sample(3, 0));
	watch_history_add(&h, sample(4, 1));
	watch_history_add(&h, sample(9, 6));
	assert_int_equal(watch_history_step(&h, -1U, 0), 9);
	assert_int_equal(watch_history_step(&h, -1U, -1), 4);
	assert_int_equal(watch_history_step(&h, 9, 1), 9);
	assert_int_equal(watch_history_step(&h, 4, -5), 3);
	assert_int_equal(watch_history_step(&h, 4, 1), 9);
	assert_int_equal(watch_history_step(&h, 3, 100), 9);
	/* Before the first of all */
	assert_int_equal(watch_history_step(&h, 1, 0), 3);
	watch_history_free(&h);
}

/* ---- rates ------------------------------------------------------------------- */

static void rates_are_differences_by_the_time_between(void **state)
{
	struct watch_sample *a = sample(1, 10), *b = sample(2, 10.5);

	(void)state;
	count(a, "write.copy", 60000);
	count(b, "write.copy", 64096);
	assert_true(fabs(watch_rate(a, b, "write.copy") - 8192) < 0.000001);
	assert_true(watch_rate(a, b, "read.enter") == 0);
	assert_true(watch_rate(a, b, "no.point") == WATCH_UNKNOWN);
	assert_true(watch_rate(NULL, b, "write.copy") == WATCH_UNKNOWN);
	/* Two looks at the same moment */
	b->at = a->at;
	assert_true(watch_rate(a, b, "write.copy") == WATCH_UNKNOWN);
	watch_sample_free(a);
	watch_sample_free(b);
}

static void another_object_with_the_id_has_no_rates_yet(void **state)
{
	struct watch_sample *a = sample(1, 10), *b = sample(2, 11);
	struct watch_sample *r = region_sample(2, 11);
	struct ipcdemo_counter changes[64];

	(void)state;
	/* One counter went back: not one of the others says anything. */
	count(a, "write.enter", 7);
	count(b, "write.enter", 6);
	count(b, "write.copy", 70000);
	assert_true(watch_rate(a, b, "write.copy") == WATCH_UNKNOWN);
	assert_int_equal(watch_changes(a, b, changes), 0);
	assert_true(watch_rate(a, r, "map.fault") == WATCH_UNKNOWN);
	/* Another module has other counters. */
	count(b, "write.enter", 8);
	assert_true(watch_rate(a, b, "write.copy") == 10000);
	b->pipe.ncounters--;
	assert_true(watch_rate(a, b, "write.copy") == WATCH_UNKNOWN);
	b->pipe.ncounters++;
	watch_sample_free(a);
	watch_sample_free(b);
	watch_sample_free(r);
}

static void changes_are_points_and_how_often(void **state)
{
	struct watch_sample *a = sample(1, 1), *b = sample(2, 2);
	struct ipcdemo_counter changes[64];

	(void)state;
	assert_int_equal(watch_changes(NULL, b, changes), 0);
	assert_int_equal(watch_changes(a, b, changes), 0);
	count(b, "write.copy", 60001);
	count(b, "read.enter", 3);
	assert_int_equal(watch_changes(a, b, changes), 2);
	assert_string_equal(changes[0].point, "read.enter");
	assert_int_equal(changes[0].count, 3);
	assert_string_equal(changes[1].point, "write.copy");
	assert_string_equal(changes[1].unit, "bytes");
	assert_int_equal(changes[1].count, 1);
	watch_sample_free(a);
	watch_sample_free(b);
}

static void counters_may_be_as_large_as_they_get(void **state)
{
	struct watch_sample *a = sample(1, 0), *b = sample(2, 1);
	struct ipcdemo_counter changes[64];

	(void)state;
	count(a, "read.copy", 0);
	count(b, "read.copy", UINT64_MAX);
	assert_int_equal(watch_changes(a, b, changes), 1);
	assert_true(changes[0].count == UINT64_MAX);
	same_number("18.4E", watch_rate(a, b, "read.copy"));
	watch_sample_free(a);
	watch_sample_free(b);
}

static void fullness_is_in_slots_and_in_pages(void **state)
{
	struct watch_sample *p = sample(1, 0), *r = region_sample(1, 0);

	(void)state;
	assert_true(watch_fill(p) == 0.5);
	assert_true(watch_fill(r) == 3.0 / 256);
	p->pipe.slots = 0;
	assert_true(watch_fill(p) == 0);
	r->region.size = 0;
	assert_true(watch_fill(r) == 0);
	watch_sample_free(p);
	watch_sample_free(r);
}

static void numbers_have_five_characters_at_most(void **state)
{
	char buf[16];
	double n;

	(void)state;
	same_number("-", WATCH_UNKNOWN);
	same_number("0", 0);
	same_number("<0.1", 0.01);
	same_number("0.1", 0.1);
	same_number("9.9", 9.94);
	same_number("10", 9.96);
	same_number("9999", 9999);
	same_number("10.0k", 9999.5);
	same_number("99.9k", 99940);
	same_number("100k", 99960);
	same_number("1000k", 999960);
	same_number("12.3M", 12.3e6);
	for (n = 0.001; n < 1e20; n *= 1.01)
		assert_true(strlen(watch_number(n, buf, sizeof(buf))) <= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_older_than_asked_for_are_forgotten),
		cmocka_unit_test(a_history_has_no_more_bytes_than_it_may),
		cmocka_unit_test(the_last_two_looks_stay_whatever_their_age),
		cmocka_unit_test(a_look_is_found_or_the_one_before_it),
		cmocka_unit_test(steps_end_at_the_oldest_and_the_newest_look),
		cmocka_unit_test(rates_are_differences_by_the_time_between),
		cmocka_unit_test(another_object_with_the_id_has_no_rates_yet),
		cmocka_unit_test(changes_are_points_and_how_often),
		cmocka_unit_test(counters_may_be_as_large_as_they_get),
		cmocka_unit_test(fullness_is_in_slots_and_in_pages),
		cmocka_unit_test(numbers_have_five_characters_at_most),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, open_fixture, close_fixture);
}

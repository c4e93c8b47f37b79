// SPDX-License-Identifier: GPL-2.0
/* As much of cmocka as the harness needs: see cmocka.h beside this. */
#include "cmocka.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static sigjmp_buf failed;
static char reason[256];

void cmocka_set_message_output(int output)
{
	(void)output;
}

void print_message(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

void print_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
}

void _fail(const char *file, int line)
{
	snprintf(reason, sizeof(reason), "%s:%d", file, line);
	siglongjmp(failed, 1);
}

void check_equal(unsigned long long got, unsigned long long want, int equal,
		 const char *text, const char *file, int line)
{
	int same = got == want;

	if (same == equal)
		return;
	print_error("# not true: %s (%llu, %llu)\n", text, got, want);
	_fail(file, line);
}

void check_memory(const void *got, const void *want, size_t size,
		  const char *file, int line)
{
	if (!memcmp(got, want, size))
		return;
	print_error("# %zu bytes differ\n", size);
	_fail(file, line);
}

/* One test, between its setup and teardown; does it pass? */
static int passes(const struct CMUnitTest *test)
{
	void *state = test->initial_state;
	volatile int good = 1;

	reason[0] = '\0';
	if (sigsetjmp(failed, 1))
		return 0;
	if (test->setup_func && test->setup_func(&state)) {
		snprintf(reason, sizeof(reason), "setup failed");
		return 0;
	}
	if (!sigsetjmp(failed, 1))
		test->test_func(&state);
	else
		good = 0;
	if (sigsetjmp(failed, 1))
		return 0;
	if (test->teardown_func && test->teardown_func(&state)) {
		snprintf(reason, sizeof(reason), "teardown failed");
		return 0;
	}
	return good;
}

int _cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests,
			    size_t count, int (*setup)(void **state),
			    int (*teardown)(void **state))
{
	int bad = 0;
	size_t i;

	(void)group;
	(void)setup;
	(void)teardown;
	printf("1..%zu\n", count);
	for (i = 0; i < count; i++) {
		if (passes(&tests[i])) {
			printf("ok %zu - %s\n", i + 1, tests[i].name);
			continue;
		}
		printf("not ok %zu - %s\n# %s\n", i + 1, tests[i].name, reason);
		bad++;
	}
	return bad;
}

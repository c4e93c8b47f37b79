/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of cmocka as the harness needs, for 32-bit test programs
 *
 * Debian has cmocka for the machine's own word size only; a 32-bit one would
 * need a foreign architecture in dpkg.
 */
#ifndef IPCDEMO_M32_CMOCKA_H
#define IPCDEMO_M32_CMOCKA_H

#include <stddef.h>

#define CM_OUTPUT_TAP 1

struct CMUnitTest {
	const char *name;
	void (*test_func)(void **state);
	int (*setup_func)(void **state);
	int (*teardown_func)(void **state);
	void *initial_state;
};

void cmocka_set_message_output(int output);
int _cmocka_run_group_tests(const char *group, const struct CMUnitTest *tests,
			    size_t count, int (*setup)(void **state),
			    int (*teardown)(void **state));

void print_message(const char *format, ...)
	__attribute__((format(printf, 1, 2)));
void print_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void _fail(const char *file, int line) __attribute__((noreturn));

/* What is compared, as numbers that hold a pointer or an unsigned 64. */
void check_equal(unsigned long long got, unsigned long long want, int equal,
		 const char *text, const char *file, int line);
void check_memory(const void *got, const void *want, size_t size,
		  const char *file, int line);

#define CHECK(got, want, equal, text)                                      \
	check_equal((unsigned long long)(got), (unsigned long long)(want), \
		    equal, text, __FILE__, __LINE__)
#define POINTER(p)		   ((unsigned long)(p))

#define assert_true(c)		   CHECK(!!(c), 1, 1, #c)
#define assert_false(c)		   CHECK(!!(c), 0, 1, #c)
#define assert_int_equal(a, b)	   CHECK(a, b, 1, #a " equals " #b)
#define assert_int_not_equal(a, b) CHECK(a, b, 0, #a " is not " #b)
#define assert_non_null(p)	   CHECK(POINTER(p), 0, 0, #p " is not NULL")
#define assert_ptr_equal(p, q) \
	CHECK(POINTER(p), POINTER(q), 1, #p " equals " #q)
#define assert_ptr_not_equal(p, q) \
	CHECK(POINTER(p), POINTER(q), 0, #p " is not " #q)
#define assert_memory_equal(p, q, size) \
	check_memory(p, q, size, __FILE__, __LINE__)

#define fail_msg(...)                      \
	do {                               \
		print_error(__VA_ARGS__);  \
		print_error("\n");         \
		_fail(__FILE__, __LINE__); \
	} while (0)

#endif /* IPCDEMO_M32_CMOCKA_H */

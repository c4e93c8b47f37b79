/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Claims about libipcdemo, checked on several kinds of shared memory
 *
 * Each claim runs once on each kind: on the host on files that the kernel alone
 * makes, where futex(2) is the way to sleep; in the VM (ON_MODULE) on those and
 * on regions of the module.  IPCDEMO_CLAIM=TEXT runs those whose line of TAP has it.
 *
 * Children check by require(), which ends them; the test sees that by join().
 */
#ifndef IPCDEMO_TESTS_SYNC_H
#define IPCDEMO_TESTS_SYNC_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
#include <cmocka.h>

#include <ipcdemo.h>

#define NR(array)   (sizeof(array) / sizeof(*(array)))

/*
 * For what must happen: long, an emulated processor is slow.  IPCDEMO_PATIENCE: so
 * many milliseconds; for a library with a bug, where it does not happen.
 */
#define PATIENCE_MS patience_ms()
long patience_ms(void);

struct claim {
	const char *sentence;
	void (*check)(void);
	/*
	 * AND_POSIX: it uses api.h alone, and is asked of POSIX, too.  Where somebody
	 * dies the files that are not of the module are left out: ROBUST with, and
	 * BY_MODULE without POSIX.
	 */
	enum { OURS, AND_POSIX, ROBUST, BY_MODULE } of;
};

/* The kind of memory that the claim is checked on now. */
struct kind {
	const char *name;
	bool module;
	bool posix; /* the locks are pthread's */
};

extern const struct kind *kind;

/* What main() returns. */
int run_claims(const char *group, const struct claim *claims, size_t count);

/* A new file of the kind, of that size; and mapped, with nothing in it. */
int new_file(uint64_t size);
struct ipcdemo_region *new_region(uint64_t size);

/* A folder where names are: on ipcdemofs if that is the kind, else on tmpfs. */
void make_dir(char *path, size_t size);

/* The same file mapped once more, somewhere else. */
struct ipcdemo_region *again(const struct ipcdemo_region *region);

/* Something else that all processes of the test share: zeroed, freed after it. */
void *shared(size_t size);

/* A process that does that and exits; whoever is left when a test ends is killed. */
pid_t child(void (*what)(void *), void *with);

/* It ends, with status 0. */
void join(pid_t pid);

/* It ends by that signal. */
void dies(pid_t pid, int sig);
void kills(pid_t pid);

/* It is killed, unless it came to its end before. */
void ends(pid_t pid);

/* Wait until that thread (or process) sleeps on a word. */
void sleeps(pid_t tid);
bool is_asleep(pid_t tid);

/* A deadline that is that many milliseconds away, and one that is past. */
struct timespec in_ms(clockid_t clock, long ms);
extern const struct timespec past;

/* In a child, and in threads. */
#define require(expression) \
	require_((expression), #expression, __FILE__, __LINE__)
void require_(bool holds, const char *what, const char *file, int line);

#define assert_ret(want, call) \
	assert_ret_((want), (call), #call, __FILE__, __LINE__)
void assert_ret_(long want, long got, const char *call, const char *file,
		 int line);

/* Wait until the expression holds, or fail. */
#define eventually(expression)                                                \
	do {                                                                  \
		uint64_t until_ = now_ms() + PATIENCE_MS;                     \
		while (!(expression)) {                                       \
			if (now_ms() > until_)                                \
				fail_msg("does not come true: " #expression); \
			breathe();                                            \
		}                                                             \
	} while (0)

uint64_t now_ms(void);

/* Let others run, between two looks. */
void breathe(void);

#endif /* IPCDEMO_TESTS_SYNC_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Claims about pipes, checked against several targets
 *
 * A claim is a sentence and a function.  Each runs once for each target that
 * it is for, the real thing first: if a FIFO does not keep a claim, the claim
 * is wrong.  IPCDEMO_TARGETS=fifo,pipe limits the targets (the host can run
 * those), IPCDEMO_CLAIM=TEXT the claims to those whose sentence has TEXT.
 *
 * Other processes are actors: they do what the test tells them and say how it
 * went, so a test reads as a scene.  That an actor waits in the kernel is
 * known from /proc/PID/syscall, never from time that has passed.
 *
 * Every test starts from, and must leave, a pipe that nobody has open.
 */
#ifndef IPCDEMO_HARNESS_H
#define IPCDEMO_HARNESS_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>
#include <cmocka.h>

#include <linux/ipcdemo.h>

#define DEVICE	      "/dev/ipcdemo"
#define PAGE	      4096
#define DEFAULT_SLOTS 16
#define DEFAULT_SIZE  (DEFAULT_SLOTS * PAGE)
#define NR(array)     (sizeof(array) / sizeof(*(array)))

/* The patience for something that must happen: long, TCG is slow. */
#define PATIENCE_MS   (30000 * slowness())

/* Targets; a claim names the set that it is for. */
#define FIFO	      0x1 /* mkfifo on tmpfs */
#define PIPE	      0x2 /* pipe(2): where no open is involved */
#define DEV	      0x4 /* /dev/ipcdemo */
#define ANON	      0x8 /* IPCDEMO_IOC_PIPE */
#define OUR_FIFO      0x10 /* mkfifo on ipcdemofs */
#define OURS	      (DEV | ANON | OUR_FIFO)
#define NAMED	      (FIFO | DEV | OUR_FIFO)
#define ENDS	      (FIFO | PIPE | DEV | ANON | OUR_FIFO)

/*
 * The claim is about a second pipe, too: one of PIPE, one of ANON.  If the target
 * is ours, once more with PIPE, where the kernel itself moves bytes between them.
 */
#define SECOND	      0x100
#define BY_KERNEL     0x200

struct target {
	const char *name;
	unsigned int bit;
	/*
	 * Its name; one without has, once it was made by open_ends(), the one
	 * of an end in /proc.
	 */
	const char *path;
};

/* What the running test is about. */
extern const struct target *target;

struct claim {
	const char *sentence;
	void (*check)(void **state);
	unsigned int targets;
};

/* What the second pipe of the running test is: PIPE, ANON, PIPE | BY_KERNEL. */
extern unsigned int second;

/* That of make check-debug, which is slow, and gives no large folios. */
bool is_debug_kernel(void);

/* For tests that compare: from here on, calls are about that target. */
void switch_to(unsigned int bit);

/* What the kernel has in place of the target. */
unsigned int real_thing(void);

/* An anonymous pipe is opened again by way of this end of it. */
void reopen_by(int fd);

/* What else there is to put right after a test; may be NULL. */
extern void (*after_each)(void);

/* Runs all claims on all their targets; what main() returns. */
int run_claims(const char *group, const struct claim *claims, size_t count);

/*
 * What a character device shows differently, though it behaves as a pipe: one
 * table in harness.c, with reasons.  Everything else must be equal.
 */
enum difference {
	DIFF_MMAP_ERRNO,
	DIFF_FALLOCATE_ERRNO,
	DIFF_FADVISE_ERRNO,
	DIFF_O_DIRECT_ERRNO,
	DIFF_SETPIPE_SZ_ERRNO,
	DIFF_FAULT_LEAVES_SLOT,
	DIFF_FILE_TYPE,
	NR_DIFFERENCES
};

#define UNSPECIFIED (-2)

long expected(enum difference what);

/* --- ends of the target, in this process ------------------------------------ */

struct ends {
	int r, w;
};

/* open(2) of the target, with O_CLOEXEC. */
int open_end(int flags);

/* Both ends; @flags is 0 or O_NONBLOCK, for both. */
struct ends open_ends(int flags);

/* The second pipe. */
struct ends second_pipe(void);

void nonblocking(int fd, bool on);

/* Capacity, as each target's own call says; -1 and errno on error. */
long set_capacity(int fd, unsigned long long bytes);
long get_capacity(int fd);

/* FIONREAD; -1 and errno on error. */
int bytes_in(int fd);

/* revents of one poll that does not wait. */
int poll_now(int fd, int events);

/* --- bytes that can be recognised ------------------------------------------- */

void fill_pattern(void *buf, size_t len, unsigned int seed);
__u32 sum_of(const void *buf, size_t len);
__u32 sum_of_pattern(size_t len, unsigned int seed);

/* Write @len bytes of the pattern; what write(2) returned. */
ssize_t put(int fd, size_t len, unsigned int seed);

/* Read up to @len bytes; the checksum of what came goes to *sum if not NULL. */
ssize_t get(int fd, size_t len, __u32 *sum);

/* Write to a nonblocking end until EAGAIN, @chunk bytes a time; the sum. */
size_t fill_up(int fd, size_t chunk);

/* Read from a nonblocking end until nothing comes; the sum. */
size_t drain(int fd);

/* A pointer that leads nowhere, and that the compiler does not see through. */
void *nowhere(void);

/* --- assertions --------------------------------------------------------------- */

#define assert_ret(want, call) \
	assert_ret_((want), (call), #call, __FILE__, __LINE__)
void assert_ret_(long want, long got, const char *call, const char *file,
		 int line);

#define assert_errno(want, call) \
	assert_errno_((want), (call), #call, __FILE__, __LINE__)
void assert_errno_(int want, long got, const char *call, const char *file,
		   int line);

/* --- actors ----------------------------------------------------------------- */

struct actor {
	pid_t pid;
	int sock;
	bool busy;
};

struct reply {
	long ret;
	int err; /* errno if ret is -1, else 0 */
	__u32 sum; /* of the bytes read, if the action reads */
};

typedef long (*action)(long a, long b, long c);

/* A process that has nothing open, or just one descriptor, or two. */
struct actor *new_actor(void);
struct actor *new_actor_with(int fd);
struct actor *new_actor_with_both(int fd, int other);

/* Begin an action there; wait for its end; both. */
void begin(struct actor *actor, action what, long a, long b, long c);
struct reply end(struct actor *actor);
struct reply does(struct actor *actor, action what, long a, long b, long c);

/* The action has come to its end (it need not have been asked for). */
bool is_done(struct actor *actor);

/* Wait until the actor sleeps in that system call; it must not return. */
void sleeps_in(struct actor *actor, long syscall_nr);

/* The same, but says whether it waits or has come to its end. */
bool waits(struct actor *actor, long syscall_nr);

/* How often the actor went to sleep so far: rises with each wake-up. */
unsigned long sleeps_of(struct actor *actor);

/* Wait for its death: by which signal, 0 for an exit. */
int dies_of(struct actor *actor);

/* SIGKILL, and wait until nothing is left of it. */
void destroy(struct actor *actor);

/* Actions.  The note of a read is the checksum. */
long do_open(long flags, long b, long c); /* flags */
long do_close(long fd, long b, long c); /* fd */
long do_read(long fd, long len, long c); /* fd, length */
long do_write(long fd, long len, long seed); /* fd, length, seed */
long do_poll(long fd, long events, long ms); /* revents, -1 */
long do_catch(long sig, long flags, long c); /* signal, SA_RESTART or 0 */
long do_count(long sig, long b, long c); /* how often it was caught */
long do_uid(long uid, long b, long c); /* become that user for good */

/* For an action that has more to say than a number. */
extern __u32 actor_note;

/* A child of another kind: killed and reaped when the test ends. */
void reap_later(pid_t pid);

/* --- the module ------------------------------------------------------------- */

/* A control descriptor of the device. */
int control(void);

struct ipcdemo_pipe_stat pipe_stat(void);
struct ipcdemo_region_stat region_stat(void);

/* A counter of /proc/ipcdemo/KIND/ID (KIND: pipe or region, the default one). */
__u64 counter(const char *kind, const char *point);

/* How many pages the default pipe has now, by its counters. */
__u64 pages_out(void);

/* The value of a "key: value" line there. */
__u64 proc_value(const char *kind, const char *key);

/* Set the persistence of the default pipe. */
void set_persistence(unsigned int persistence);

/* Wait until the expression holds, or fail. */
#define eventually(expression)                                                \
	do {                                                                  \
		__u64 until_ = now_ms() + PATIENCE_MS;                        \
		while (!(expression)) {                                       \
			if (now_ms() > until_)                                \
				fail_msg("does not come true: " #expression); \
			breathe();                                            \
		}                                                             \
	} while (0)

__u64 now_ms(void);

/* How much longer all may take: on a kernel that watches itself. */
int slowness(void);

/* Let others run, between two looks. */
void breathe(void);

#endif /* IPCDEMO_HARNESS_H */

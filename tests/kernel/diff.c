// SPDX-License-Identifier: GPL-2.0
/*
 * The same calls on the kernel's pipe and on ours give the same results
 *
 * The device and a FIFO of ipcdemofs are compared with a FIFO, an anonymous pipe
 * with pipe(2).  A world is one of the two, in some state.  The table part brings both worlds
 * into each state, makes each call in both and compares all that a program can
 * see afterwards.  The random part makes one call after the other in both.
 * IPCDEMO_SEED=N repeats the random part of a seed.
 */
#include "harness.h"

#include <poll.h>
#include <signal.h>
#include <sys/uio.h>
#include <time.h>

#define ALL	(POLLIN | POLLOUT | POLLPRI | POLLRDNORM | POLLWRNORM)
#define MAX_FDS 4

static sig_atomic_t sigpipes;

static void count_sigpipe(int sig)
{
	(void)sig;
	sigpipes++;
}

/* --- the table ---------------------------------------------------------------- */

/* The ends that a state has; -1: it has none. */
struct world {
	int r, w;
};

static struct world pair(void)
{
	struct ends e = open_ends(O_NONBLOCK);

	return (struct world){e.r, e.w};
}

static struct world pair_with(size_t first, size_t second)
{
	struct world world = pair();

	if (first)
		assert_ret(first, put(world.w, first, 1));
	if (second)
		assert_ret(second, put(world.w, second, 2));
	return world;
}

static struct world empty(void)
{
	return pair();
}

static struct world one_byte(void)
{
	return pair_with(1, 0);
}

static struct world hundred_bytes(void)
{
	return pair_with(100, 0);
}

static struct world one_page(void)
{
	return pair_with(PAGE, 0);
}

static struct world two_slots(void)
{
	return pair_with(PAGE - 1, 2);
}

static struct world full(void)
{
	struct world world = pair();

	fill_up(world.w, PAGE);
	return world;
}

static struct world full_with_bytes_free(void)
{
	struct world world = pair();

	fill_up(world.w, PAGE - 1);
	return world;
}

static struct world room_to_merge_only(void)
{
	return pair_with(15 * PAGE, 10);
}

static struct world one_slot_free(void)
{
	return pair_with(15 * PAGE, 0);
}

static struct world page_read_in_part(void)
{
	struct world world = pair_with(PAGE, 0);

	assert_ret(4000, get(world.r, 4000, NULL));
	return world;
}

static struct world one_slot(void)
{
	struct world world = pair();

	assert_ret(PAGE, set_capacity(world.w, 0));
	return world;
}

static struct world one_slot_ten_bytes(void)
{
	struct world world = one_slot();

	assert_ret(10, put(world.w, 10, 1));
	return world;
}

static struct world wrapped(void)
{
	struct world world = pair_with(14 * PAGE, 0);

	assert_ret(14 * PAGE, get(world.r, 14 * PAGE, NULL));
	assert_ret(5 * PAGE + 7, put(world.w, 5 * PAGE + 7, 3));
	return world;
}

static struct world no_reader(struct world world)
{
	close(world.r);
	world.r = -1;
	return world;
}

static struct world no_writer(struct world world)
{
	close(world.w);
	world.w = -1;
	return world;
}

static struct world no_reader_empty(void)
{
	return no_reader(empty());
}

static struct world no_reader_some(void)
{
	return no_reader(hundred_bytes());
}

static struct world no_reader_full(void)
{
	return no_reader(full());
}

static struct world no_writer_some(void)
{
	return no_writer(two_slots());
}

static struct world no_writer_full(void)
{
	return no_writer(full());
}

static struct world hang_up_seen(void)
{
	return no_writer(empty());
}

static struct world never_a_writer(void)
{
	return (struct world){open_end(O_RDONLY | O_NONBLOCK), -1};
}

static struct world rdwr_empty(void)
{
	int fd = open_end(O_RDWR | O_NONBLOCK);

	return (struct world){fd, fd};
}

static struct world rdwr_some(void)
{
	struct world world = rdwr_empty();

	assert_ret(5000, put(world.w, 5000, 4));
	return world;
}

static struct world nobody(void)
{
	return (struct world){-1, -1};
}

static const struct state {
	const char *name;
	struct world (*make)(void);
	bool named; /* cannot be of a pipe that has no name */
} states[] = {
	{"empty", empty, false},
	{"one byte", one_byte, false},
	{"a hundred bytes", hundred_bytes, false},
	{"one page", one_page, false},
	{"two slots, 4095 and 2 bytes", two_slots, false},
	{"full", full, false},
	{"full, bytes free", full_with_bytes_free, false},
	{"room to merge only", room_to_merge_only, false},
	{"one slot free", one_slot_free, false},
	{"a page read in part", page_read_in_part, false},
	{"a ring of one slot, empty", one_slot, false},
	{"a ring of one slot, ten bytes", one_slot_ten_bytes, false},
	{"wrapped round", wrapped, false},
	{"no reader, empty", no_reader_empty, false},
	{"no reader, some bytes", no_reader_some, false},
	{"no reader, full", no_reader_full, false},
	{"no writer, some bytes", no_writer_some, false},
	{"no writer, full", no_writer_full, false},
	{"no writer, hang-up seen", hang_up_seen, false},
	{"never a writer", never_a_writer, true},
	{"O_RDWR alone, empty", rdwr_empty, true},
	{"O_RDWR alone, some bytes", rdwr_some, true},
	{"nobody has it open", nobody, true},
};

enum kind { READ, WRITE, OPEN, RESIZE, READV, WRITEV };

/* Blocking is for what may wait, and not for every size: it costs a process. */
static const struct event {
	enum kind kind;
	long arg;
	bool blocking;
} events[] = {
	{READ, 0, false},	{READ, 1, true},
	{READ, 4095, false},	{READ, 4096, true},
	{READ, 4097, false},	{READ, 65536, false},
	{READ, 65537, true},	{WRITE, 0, false},
	{WRITE, 1, true},	{WRITE, 4095, false},
	{WRITE, 4096, true},	{WRITE, 4097, true},
	{WRITE, 65535, false},	{WRITE, 65536, false},
	{WRITE, 65537, true},	{WRITE, 200000, false},
	{READV, 5000, true},	{WRITEV, 5000, true},
	{OPEN, O_RDONLY, true}, {OPEN, O_WRONLY, true},
	{OPEN, O_RDWR, true},	{RESIZE, 0, false},
	{RESIZE, 4097, false},	{RESIZE, 65535, false},
	{RESIZE, 65537, false}, {RESIZE, 1 << 20, false},
};

static const char *const kind_names[] = {"read",   "write", "open",
					 "resize", "readv", "writev"};

/* In three parts, the second of them empty. */
static long do_readv(long fd, long len, long c)
{
	static char one[PAGE * 2], two[PAGE * 2];
	struct iovec iov[] = {{one, len / 3}, {NULL, 0}, {two, len - len / 3}};
	long ret = readv(fd, iov, NR(iov));

	(void)c;
	if (ret > 0) {
		long first = ret < len / 3 ? ret : len / 3;

		actor_note = sum_of(one, first) + sum_of(two, ret - first);
	}
	return ret;
}

static long do_writev(long fd, long len, long seed)
{
	static char one[PAGE * 2], two[PAGE * 2];
	struct iovec iov[] = {{one, len / 3}, {NULL, 0}, {two, len - len / 3}};

	fill_pattern(one, len / 3, seed);
	fill_pattern(two, len - len / 3, seed + 1);
	return writev(fd, iov, NR(iov));
}

static long do_resize(long fd, long bytes, long c)
{
	(void)c;
	return set_capacity(fd, bytes);
}

/* What an event is, as an action on a world; NULL: it needs an end not there. */
static action action_of(const struct event *event, const struct world *world,
			long nonblock, long args[2], long *syscall_nr)
{
	args[1] = event->arg;
	switch (event->kind) {
	case READ:
	case READV:
		args[0] = world->r;
		*syscall_nr = event->kind == READ ? SYS_read : SYS_readv;
		if (world->r < 0)
			return NULL;
		return event->kind == READ ? do_read : do_readv;
	case WRITE:
	case WRITEV:
		args[0] = world->w;
		*syscall_nr = event->kind == WRITE ? SYS_write : SYS_writev;
		if (world->w < 0)
			return NULL;
		return event->kind == WRITE ? do_write : do_writev;
	case OPEN:
		args[0] = event->arg | nonblock;
		*syscall_nr = SYS_openat;
		return do_open;
	case RESIZE:
		args[0] = world->w < 0 ? world->r : world->w;
		*syscall_nr = SYS_ioctl;
		return args[0] < 0 ? NULL : do_resize;
	}
	return NULL;
}

struct record {
	char text[256];
};

/* All that a program can see now, and what is left in the pipe. */
static void see(struct world *world, char *text, size_t size)
{
	int any = world->r < 0 ? world->w : world->r;
	long bytes = -1, r = -1, w = -1, capacity = -1, left = -1;
	__u32 sum = 0;

	if (any >= 0) {
		bytes = bytes_in(any);
		capacity = get_capacity(any);
	}
	if (world->r >= 0) {
		nonblocking(world->r, true);
		r = poll_now(world->r, ALL);
	}
	if (world->w >= 0)
		w = poll_now(world->w, ALL);
	/* Reading comes last: it changes things. */
	if (world->r >= 0) {
		left = get(world->r, 1 << 20, &sum);
		if (left < 0)
			left = -errno;
	}
	snprintf(text, size,
		 "bytes=%ld r=%#lx w=%#lx capacity=%ld left=%ld/%08x", bytes, r,
		 w, capacity, left, sum);
}

/* One case in one world; false if the state has not what the event needs. */
static bool play(unsigned int bit, const struct state *state,
		 const struct event *event, bool blocking,
		 struct record *record)
{
	struct reply reply = {};
	struct world world;
	bool waiting = false;
	char seen[160];
	long args[2], nr;
	action what;

	switch_to(bit);
	world = state->make();
	if (bit & (PIPE | ANON))
		reopen_by(world.r < 0 ? world.w : world.r);
	what = action_of(event, &world, blocking ? 0 : O_NONBLOCK, args, &nr);
	if (!what) {
		syscall(SYS_close_range, 3, ~0u, 0);
		return false;
	}
	sigpipes = 0;
	if (blocking) {
		struct actor *actor;

		if (world.r >= 0)
			nonblocking(world.r, false);
		if (world.w >= 0)
			nonblocking(world.w, false);
		actor = event->kind == OPEN ? new_actor()
					    : new_actor_with(args[0]);
		does(actor, do_catch, SIGPIPE, 0, 0);
		begin(actor, what, args[0], args[1], 5);
		waiting = waits(actor, nr);
		if (!waiting) {
			reply = end(actor);
			sigpipes = does(actor, do_count, SIGPIPE, 0, 0).ret;
		}
		/* An opened end stays open in the actor while we look. */
		if (event->kind != OPEN || waiting)
			destroy(actor);
		see(&world, seen, sizeof(seen));
		destroy(actor);
	} else {
		actor_note = 0;
		reply.ret = what(args[0], args[1], 5);
		reply.err = reply.ret == -1 ? errno : 0;
		reply.sum = actor_note;
		see(&world, seen, sizeof(seen));
	}
	syscall(SYS_close_range, 3, ~0u, 0);
	/* Numbers of descriptors say nothing. */
	if (event->kind == OPEN && reply.ret > 0)
		reply.ret = 0;
	snprintf(record->text, sizeof(record->text),
		 "%s ret=%ld err=%d sum=%08x sigpipe=%d %s",
		 waiting ? "waits" : "ends", reply.ret, reply.err, reply.sum,
		 (int)sigpipes, seen);
	return true;
}

static size_t cases_of(const struct state *state, bool blocking)
{
	unsigned int real = real_thing(), ours = target->bit;
	struct record theirs, own;
	size_t i, cases = 0, bad = 0;

	for (i = 0; i < NR(events); i++) {
		const struct event *event = &events[i];

		if (blocking && !event->blocking)
			continue;
		if (!play(real, state, event, blocking, &theirs))
			continue;
		play(ours, state, event, blocking, &own);
		cases++;
		if (!strcmp(theirs.text, own.text))
			continue;
		bad++;
		print_error("# %s, %s %ld, %sblocking\n#   theirs: %s\n"
			    "#   ours:   %s\n",
			    state->name, kind_names[event->kind], event->arg,
			    blocking ? "" : "non", theirs.text, own.text);
	}
	if (bad)
		fail_msg("%zu of %zu cases differ", bad, cases);
	return cases;
}

static void all_states(bool blocking)
{
	struct sigaction act = {.sa_handler = count_sigpipe};
	size_t i, cases = 0;

	sigaction(SIGPIPE, &act, NULL);
	for (i = 0; i < NR(states); i++) {
		if (states[i].named && real_thing() == PIPE)
			continue;
		cases += cases_of(&states[i], blocking);
	}
	print_message("# %zu cases\n", cases);
	assert_in_range(cases, NR(states) * 8, NR(states) * NR(events));
}

static void nonblocking_calls_agree(void **state)
{
	(void)state;
	all_states(false);
}

static void blocking_calls_agree(void **state)
{
	(void)state;
	all_states(true);
}

/* --- by chance ------------------------------------------------------------------ */

static __u64 random_state;

static unsigned int chance(unsigned int below)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 2685821657736338717ull >> 32) % below;
}

static long chance_size(void)
{
	static const long sizes[] = {0,	   1,	 2,    4094, 4095,  4096,
				     4097, 8191, 8192, 8193, 65536, 70000};

	return chance(3) ? sizes[chance(NR(sizes))] : chance(9000);
}

struct step {
	unsigned int what, slot;
	long arg;
};

enum {
	DO_OPEN,
	DO_CLOSE,
	DO_READ,
	DO_WRITE,
	DO_POLL,
	DO_BYTES,
	DO_SIZE,
	DO_SIZE_SET,
	DO_READV,
	DO_WRITEV,
	NR_STEPS
};

static const char *const step_names[] = {"open",     "close",	 "read",
					 "write",    "poll",	 "FIONREAD",
					 "get size", "set size", "readv",
					 "writev"};

/* Ends 0 and 1 are mostly a reader and a writer, the others anything. */
static unsigned int chance_end(unsigned int usual)
{
	return chance(3) ? usual : chance(MAX_FDS);
}

static struct step chance_step(void)
{
	static const unsigned char weighted[] = {
		DO_OPEN,  DO_OPEN,  DO_OPEN,	 DO_CLOSE, DO_READ,   DO_READ,
		DO_READ,  DO_READ,  DO_READ,	 DO_WRITE, DO_WRITE,  DO_WRITE,
		DO_WRITE, DO_WRITE, DO_SIZE_SET, DO_READV, DO_WRITEV, DO_POLL,
		DO_POLL,  DO_BYTES, DO_SIZE,
	};
	static const int flags[MAX_FDS] = {O_RDONLY, O_WRONLY, O_RDWR,
					   O_RDONLY};
	struct step step = {.what = weighted[chance(NR(weighted))],
			    .slot = chance(MAX_FDS)};

	switch (step.what) {
	case DO_OPEN:
		step.arg = chance(4) ? flags[step.slot] : (int)chance(3);
		break;
	case DO_SIZE_SET:
		step.arg = (1 + chance(3) * PAGE) << chance(5);
		break;
	case DO_READ:
	case DO_READV:
		step.slot = chance_end(0);
		step.arg = step.what == DO_READ ? chance_size() : chance(9000);
		break;
	case DO_WRITE:
	case DO_WRITEV:
		step.slot = chance_end(1);
		step.arg = step.what == DO_WRITE ? chance_size() : chance(9000);
		break;
	}
	return step;
}

/* An anonymous pipe that has an end open can be opened again. */
static bool reopen_by_any(const int *fds)
{
	int i;

	for (i = 0; i < MAX_FDS; i++) {
		if (fds[i] < 0)
			continue;
		reopen_by(fds[i]);
		return true;
	}
	return false;
}

/* Of a pipe that is new; the other end is closed. */
static int make_end(long flags)
{
	struct ends e = open_ends(O_NONBLOCK);

	if (flags == O_RDONLY) {
		close(e.w);
		return e.r;
	}
	close(e.r);
	return e.w;
}

/* One step in one world: what it returned, and what it read. */
static void take(unsigned int bit, int *fds, const struct step *step, long seed,
		 struct record *record)
{
	int *fd = &fds[step->slot];
	long ret = -2;

	switch_to(bit);
	sigpipes = 0;
	actor_note = 0;
	errno = 0;
	switch (step->what) {
	case DO_OPEN:
		if (*fd >= 0)
			break;
		if (bit & (PIPE | ANON) && !reopen_by_any(fds)) {
			*fd = make_end(step->arg);
			ret = -4;
			break;
		}
		*fd = open_end(step->arg | O_NONBLOCK);
		ret = *fd >= 0 ? 0 : -1;
		break;
	case DO_CLOSE:
		ret = *fd < 0 ? -3 : close(*fd);
		*fd = -1;
		errno = 0;
		break;
	case DO_READ:
		ret = do_read(*fd, step->arg, 0);
		break;
	case DO_WRITE:
		ret = do_write(*fd, step->arg, seed);
		break;
	case DO_READV:
		ret = do_readv(*fd, step->arg, 0);
		break;
	case DO_WRITEV:
		ret = do_writev(*fd, step->arg, seed);
		break;
	case DO_POLL:
		ret = poll_now(*fd, ALL);
		break;
	case DO_BYTES:
		ret = bytes_in(*fd);
		break;
	case DO_SIZE:
		ret = get_capacity(*fd);
		break;
	case DO_SIZE_SET:
		ret = set_capacity(*fd, step->arg);
		break;
	}
	snprintf(record->text, sizeof(record->text),
		 "ret=%ld err=%d sum=%08x sigpipe=%d", ret,
		 ret == -1 ? errno : 0, actor_note, (int)sigpipes);
}

static void sequence(unsigned long long seed, unsigned int steps,
		     unsigned int *moved)
{
	unsigned int real = real_thing(), ours = target->bit;
	int real_fds[MAX_FDS], our_fds[MAX_FDS];
	static const struct step first[] = {{DO_OPEN, 0, O_RDONLY},
					    {DO_OPEN, 1, O_WRONLY}};
	struct record theirs, own;
	unsigned int i;

	random_state = seed * 2 + 1;
	memset(real_fds, -1, sizeof(real_fds));
	memset(our_fds, -1, sizeof(our_fds));
	for (i = 0; i < steps; i++) {
		struct step step = i < NR(first) ? first[i] : chance_step();

		take(real, real_fds, &step, i, &theirs);
		take(ours, our_fds, &step, i, &own);
		if (strcmp(theirs.text, own.text)) {
			print_error("# step %u, %s %ld on end %u:\n"
				    "#   theirs: %s\n#   ours:   %s\n",
				    i, step_names[step.what], step.arg,
				    step.slot, theirs.text, own.text);
			fail_msg("IPCDEMO_SEED=%llu repeats it", seed);
		}
		if (step.what == DO_READ || step.what == DO_WRITE)
			*moved += !!strncmp(theirs.text, "ret=-", 5);
	}
	syscall(SYS_close_range, 3, ~0u, 0);
}

static void random_sequences_agree(void **state)
{
	struct sigaction act = {.sa_handler = count_sigpipe};
	const char *seed_text = getenv("IPCDEMO_SEED");
	const char *runs_text = getenv("IPCDEMO_RUNS");
	unsigned long long seed = time(NULL);
	unsigned int run, runs = 300, moved = 0;

	(void)state;
	sigaction(SIGPIPE, &act, NULL);
	if (runs_text)
		runs = strtoul(runs_text, NULL, 0);
	if (seed_text) {
		seed = strtoull(seed_text, NULL, 0);
		runs = 1;
	}
	print_message("# seeds %llu to %llu\n", seed, seed + runs - 1);
	for (run = 0; run < runs; run++)
		sequence(seed + run, 60, &moved);
	/* Chance must have done something, or agreeing says nothing. */
	assert_true(moved >= runs * 10);
}

static const struct claim claims[] = {
	{"each nonblocking call in each state is as the kernel's",
	 nonblocking_calls_agree, OURS},
	{"each blocking call in each state is as the kernel's, or waits as there",
	 blocking_calls_agree, OURS},
	{"random sequences of calls are as the kernel's",
	 random_sequences_agree, OURS},
};

int main(void)
{
	return run_claims("diff", claims, NR(claims));
}

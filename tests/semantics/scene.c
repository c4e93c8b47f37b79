// SPDX-License-Identifier: GPL-2.0
/* One case, played: see scene.h. */
#include "scene.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>

#include "../kernel/harness.h"
#include "calls.h"
#include "player.h"

/* Who makes a blocking call; those before it are A, B and C. */
#define CALLER MAX_SLEEPERS

#define ALL    (POLLIN | POLLOUT | POLLPRI | POLLRDNORM | POLLWRNORM)

struct scene {
	int r, w; /* -1: not open here; the same if it is open for both */
	int edge;
	/* How many bytes came in.  Those that are there are the newest. */
	uint64_t brought;
	const struct call *sleepers[MAX_SLEEPERS];
	bool sleeps;
};

void (*scene_watch)(bool begins, pid_t caller);

static volatile sig_atomic_t sigpipes;

static void on_sigpipe(int sig)
{
	(void)sig;
	sigpipes++;
}

/* SIGIO of the read end, and of the write end. */
static int sigio_of(char end)
{
	return SIGRTMIN + (end == 'w');
}

void scenes_begin(void)
{
	struct sigaction act = {.sa_handler = on_sigpipe};
	sigset_t set;
	int i;

	sigaction(SIGPIPE, &act, NULL);
	/* They are looked at, and end nothing. */
	sigemptyset(&set);
	for (i = 0; i < NR_SLOTS; i++)
		sigaddset(&set, SIGRTMIN + i);
	sigprocmask(SIG_BLOCK, &set, NULL);
	players_start();
}

static int any_end(const struct scene *scene)
{
	return scene->w < 0 ? scene->r : scene->w;
}

static long bytes_of(const struct scene *scene)
{
	return any_end(scene) < 0 ? 0 : bytes_in(any_end(scene));
}

static uint64_t oldest_byte(const struct scene *scene)
{
	return scene->brought - bytes_of(scene);
}

static int fd_for(const struct scene *scene, char end)
{
	if (end == 'e')
		return any_end(scene);
	return end == 'r' ? scene->r : scene->w;
}

static int open_flags(char end)
{
	return end == 'r' ? O_RDONLY : end == 'w' ? O_WRONLY : O_RDWR;
}

/* --- the state ------------------------------------------------------------------- */

static void open_step(struct scene *scene, char end)
{
	int fd = open_end(open_flags(end) | O_NONBLOCK);

	assert_int_not_equal(fd, -1);
	if (end != 'w') {
		assert_int_equal(scene->r, -1);
		scene->r = fd;
	}
	if (end != 'r') {
		assert_int_equal(scene->w, -1);
		scene->w = fd;
	}
}

static void close_step(struct scene *scene, char end)
{
	bool both = end == 'b' || scene->r == scene->w;

	if (scene->r >= 0 && (both || end == 'r'))
		assert_ret(0, close(scene->r));
	if (scene->w >= 0 && scene->w != scene->r && (both || end == 'w'))
		assert_ret(0, close(scene->w));
	if (both || end == 'r')
		scene->r = -1;
	if (both || end == 'w')
		scene->w = -1;
}

static void fill_step(struct scene *scene, size_t chunk)
{
	ssize_t ret;

	while ((ret = bring(scene->w, chunk, scene->brought)) > 0)
		scene->brought += ret;
	assert_errno(EAGAIN, ret);
}

static void async_step(struct scene *scene, char end)
{
	int fd = fd_for(scene, end);

	assert_ret(0, fcntl(fd, F_SETOWN, getpid()));
	assert_ret(0, fcntl(fd, F_SETSIG, sigio_of(end)));
	assert_ret(0, fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC));
}

static void edge_step(struct scene *scene, char end)
{
	struct epoll_event event = {.events = ALL | EPOLLET};

	scene->edge = epoll_create1(EPOLL_CLOEXEC);
	assert_int_not_equal(scene->edge, -1);
	assert_ret(0, epoll_ctl(scene->edge, EPOLL_CTL_ADD, fd_for(scene, end),
				&event));
}

static void packets_step(struct scene *scene, bool on)
{
	int flags = fcntl(scene->w, F_GETFL);

	flags = on ? flags | O_DIRECT : flags & ~O_DIRECT;
	assert_ret(0, fcntl(scene->w, F_SETFL, flags));
}

/* A call that moves bytes, or looks, and does not wait. */
static void move_step(struct scene *scene, const struct call *call)
{
	uint64_t position = verbs[call->verb].moves == GIVES
				    ? scene->brought
				    : oldest_byte(scene);
	struct made made =
		call_make(call, fd_for(scene, call->end), 0, false, position);

	assert_true(made.in_order || scene->sleeps);
	if (made.ret > 0 && verbs[call->verb].moves == GIVES)
		scene->brought += made.ret;
	/* What it did to those that wait. */
	players_settle();
}

static void set_blocking(struct scene *scene)
{
	if (scene->r >= 0)
		nonblocking(scene->r, false);
	if (scene->w >= 0)
		nonblocking(scene->w, false);
}

/* What a player is told to do. */
static struct order order_for(const struct scene *scene,
			      const struct call *call)
{
	struct order order = {
		.deed = DO_CALL,
		.call = *call,
		.slot = ACTIVE_SLOT,
		.flags = open_flags(call->end),
		.target = target->bit,
		.position = verbs[call->verb].moves == GIVES
				    ? scene->brought
				    : oldest_byte(scene),
	};

	if (target->path)
		snprintf(order.path, sizeof(order.path), "%s", target->path);
	return order;
}

static int fd_along(const struct scene *scene, const struct call *call)
{
	return call->verb == OPEN ? -1 : fd_for(scene, call->end);
}

static void sleep_step(struct scene *scene, const struct call *call)
{
	struct order order = order_for(scene, call);
	long bytes = bytes_of(scene);
	int player = call->who - 'A';

	set_blocking(scene);
	player_begin(player, &order, fd_along(scene, call));
	players_settle();
	if (!player_is_asleep(player))
		fail_msg("%c does not wait", call->who);
	scene->sleepers[player] = call;
	scene->sleeps = true;
	if (verbs[call->verb].moves == GIVES)
		scene->brought += bytes_of(scene) - bytes;
}

static void make_step(struct scene *scene, const struct call *step)
{
	struct ends ends;

	if (step->who) {
		sleep_step(scene, step);
		return;
	}
	switch (step->verb) {
	case PAIR:
		ends = open_ends(O_NONBLOCK);
		scene->r = ends.r;
		scene->w = ends.w;
		break;
	case OPEN:
		open_step(scene, step->end);
		break;
	case CLOSE:
		close_step(scene, step->end);
		break;
	case RESIZE:
		assert_int_not_equal(set_capacity(any_end(scene), step->number),
				     -1);
		break;
	case FILL:
		fill_step(scene, step->number);
		break;
	case PACKETS:
		packets_step(scene, step->number);
		break;
	case ASYNC:
		async_step(scene, step->end);
		break;
	case EDGE:
		edge_step(scene, step->end);
		break;
	default:
		move_step(scene, step);
	}
}

/* --- what is seen ------------------------------------------------------------------ */

static void add(char *list, const char *item)
{
	size_t len = strlen(list);

	snprintf(list + len, FIELD_SIZE - len, "%s%s", len ? ", " : "", item);
}

static int count_sigio(char end)
{
	static const struct timespec now;
	sigset_t set;
	int count = 0;

	sigemptyset(&set);
	sigaddset(&set, sigio_of(end));
	while (sigtimedwait(&set, NULL, &now) > 0)
		count++;
	return count;
}

static void see_edge(const struct scene *scene, char *list)
{
	char item[FIELD_SIZE] = "edge ";
	struct epoll_event event;

	if (scene->edge < 0 || epoll_wait(scene->edge, &event, 1, 0) != 1)
		return;
	mask_words(event.events, item + 5, sizeof(item) - 5);
	add(list, item);
}

/* Those of the state who went on.  Their bytes go into the hash. */
static void see_sleepers(const struct scene *scene, struct record *record)
{
	struct answer answer;
	char item[FIELD_SIZE];
	int i;

	for (i = 0; i < MAX_SLEEPERS; i++) {
		const struct call *call = scene->sleepers[i];
		struct made made;

		if (!call || !player_has_ended(i, &answer))
			continue;
		made = (struct made){.ret = answer.ret, .err = answer.err};
		snprintf(item, sizeof(item), "%c ", 'A' + i);
		made_words(call, &made, item + 2, sizeof(item) - 2);
		add(record->fields[OTHERS], item);
		record->hash = record->hash * 31 + answer.hash;
	}
}

static void see_signals(int sigpipe, char *list)
{
	char item[FIELD_SIZE];
	const char *end;

	if (sigpipe)
		add(list, "SIGPIPE");
	for (end = "rw"; *end; end++) {
		int count = count_sigio(*end);

		if (count == 1)
			snprintf(item, sizeof(item), "SIGIO %c", *end);
		else
			snprintf(item, sizeof(item), "SIGIO %c %d", *end,
				 count);
		if (count)
			add(list, item);
	}
}

static void see_ends(const struct scene *scene, struct record *record)
{
	int any = any_end(scene);
	size_t i;

	for (i = BYTES; i <= CAPACITY; i++)
		strcpy(record->fields[i], "-");
	if (any >= 0) {
		snprintf(record->fields[BYTES], FIELD_SIZE, "%d",
			 bytes_in(any));
		snprintf(record->fields[CAPACITY], FIELD_SIZE, "%ld",
			 get_capacity(any));
	}
	if (scene->r >= 0)
		mask_words(poll_now(scene->r, ALL), record->fields[READ_END],
			   FIELD_SIZE);
	if (scene->w >= 0)
		mask_words(poll_now(scene->w, ALL), record->fields[WRITE_END],
			   FIELD_SIZE);
}

/* --- the call ---------------------------------------------------------------------- */

struct outcome {
	struct made made;
	bool waits;
	int sigpipes;
	int opened; /* here; -1: nothing */
};

static void begin_watch(pid_t caller)
{
	if (scene_watch)
		scene_watch(true, caller);
}

static struct outcome call_by_player(const struct scene *scene,
				     const struct call *call)
{
	struct order order = order_for(scene, call);
	struct outcome outcome = {.opened = -1, .made.in_order = true};
	struct answer answer;

	begin_watch(player_pid(CALLER));
	player_begin(CALLER, &order, fd_along(scene, call));
	players_settle();
	if (player_has_ended(CALLER, &answer)) {
		outcome.made.ret = answer.ret;
		outcome.made.err = answer.err;
		outcome.made.hash = answer.hash;
		outcome.made.in_order = answer.in_order;
		outcome.sigpipes = answer.sigpipes;
	} else {
		outcome.waits = true;
	}
	return outcome;
}

static struct outcome call_from_here(struct scene *scene,
				     const struct call *call)
{
	struct outcome outcome = {.opened = -1, .made.in_order = true};
	uint64_t position = verbs[call->verb].moves == GIVES
				    ? scene->brought
				    : oldest_byte(scene);

	sigpipes = 0;
	begin_watch(getpid());
	if (call->verb == CLOSE) {
		close_step(scene, call->end);
	} else if (call->verb == SIGNAL) {
		kill(player_pid(call->end - 'A'),
		     call->restart ? RESTART_SIGNAL : INTERRUPT_SIGNAL);
	} else {
		outcome.made = call_make(call, fd_for(scene, call->end),
					 open_flags(call->end) | O_NONBLOCK,
					 false, position);
		if (call->verb == OPEN)
			outcome.opened = outcome.made.ret;
	}
	outcome.sigpipes = sigpipes;
	/* What it did to those that wait. */
	players_settle();
	return outcome;
}

/* A call that waits is ended by a signal. */
static void interrupt(const struct call *call, struct record *record)
{
	struct answer answer;
	struct made made;

	kill(player_pid(CALLER), INTERRUPT_SIGNAL);
	players_settle();
	if (!player_has_ended(CALLER, &answer)) {
		strcpy(record->interrupted, "waits still");
		return;
	}
	made = (struct made){.ret = answer.ret, .err = answer.err};
	made_words(call, &made, record->interrupted, FIELD_SIZE);
}

static bool has_end(const struct scene *scene, const struct call *call)
{
	if (call->verb == SIGNAL)
		return scene->sleepers[call->end - 'A'];
	if (call->verb == OPEN)
		return target->bit & NAMED || any_end(scene) >= 0;
	if (call->verb == CLOSE && call->end == 'b')
		return scene->r >= 0 && scene->w >= 0;
	return fd_for(scene, call->end) >= 0;
}

static void make_call(struct scene *scene, const struct call *call,
		      bool blocking, struct record *record)
{
	bool here = !blocking || call->verb == CLOSE || call->verb == SIGNAL;
	pid_t caller = here ? getpid() : player_pid(CALLER);
	long bytes = bytes_of(scene), moved = 0;
	struct outcome outcome;

	if (blocking)
		set_blocking(scene);
	outcome = here ? call_from_here(scene, call)
		       : call_by_player(scene, call);
	if (scene_watch)
		scene_watch(false, caller);
	if (verbs[call->verb].moves == GIVES)
		moved = outcome.waits ? bytes_of(scene) - bytes
				      : outcome.made.ret;
	if (moved > 0)
		scene->brought += moved;
	if (outcome.waits)
		strcpy(record->fields[RESULT], "waits");
	else
		made_words(call, &outcome.made, record->fields[RESULT],
			   FIELD_SIZE);
	record->hash = outcome.made.hash;
	record->in_order = outcome.made.in_order;
	see_ends(scene, record);
	see_signals(outcome.sigpipes, record->fields[SIGNALS]);
	see_sleepers(scene, record);
	see_edge(scene, record->fields[OTHERS]);
	if (outcome.waits) {
		snprintf(record->moved, FIELD_SIZE, moved > 0 ? "%ld" : "EINTR",
			 moved);
		interrupt(call, record);
		/* Of what it moved, others may have taken some. */
		if (scene->sleeps)
			strcpy(record->moved, record->interrupted);
	}
	if (outcome.opened >= 0)
		close(outcome.opened);
}

/* What is left, when nobody else has the pipe any more. */
static void empty(struct scene *scene, struct record *record)
{
	uint64_t oldest = oldest_byte(scene);
	bool in_order;

	if (scene->r < 0)
		return;
	nonblocking(scene->r, true);
	take_all(scene->r, oldest, &record->hash, &in_order);
	/* With several writers it is not known here whose bytes come first. */
	if (!scene->sleeps)
		record->in_order &= in_order;
}

bool scene_play(unsigned int target_bit, const struct state *state,
		const struct call *call, bool blocking, struct record *record)
{
	struct scene scene = {.r = -1, .w = -1, .edge = -1};
	char ignored[FIELD_SIZE] = "";
	bool applies;
	size_t i;

	memset(record, 0, sizeof(*record));
	record->in_order = true;
	switch_to(target_bit);
	for (i = 0; i < state->nr_steps; i++)
		make_step(&scene, &state->steps[i]);
	if (target_bit & (PIPE | ANON) && any_end(&scene) >= 0)
		reopen_by(any_end(&scene));
	/* What making the state caused is not of the call. */
	see_signals(0, ignored);
	see_edge(&scene, ignored);
	applies = !call || has_end(&scene, call);
	if (!call)
		see_ends(&scene, record);
	else if (applies)
		make_call(&scene, call, blocking, record);
	if (blocking || scene.sleeps)
		players_clear();
	if (applies && call)
		empty(&scene, record);
	close_step(&scene, 'b');
	if (scene.edge >= 0)
		close(scene.edge);
	count_sigio('r');
	count_sigio('w');
	return applies;
}

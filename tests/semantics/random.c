// SPDX-License-Identifier: GPL-2.0
/*
 * Several processes do things by chance: see random.h
 *
 * A sequence is made up while it is played on the kernel's pipe: what is
 * possible next depends on who waits and on what is open.  Then it is played on
 * ours, and what each step did is compared.
 *
 * Why the outcome of a step is certain, whoever is quick: a step begins when all
 * are quiet and is over when all are quiet again (players_settle()), and within
 * it one at a time goes on.  Who waits in read or write is woken exclusively,
 * first come, first served, and wakes the next only after its own call looked at
 * the pipe under the mutex.  At the last close, or a first open, all go on, but
 * take nothing from each other.  A writer that makes room, or a reader that makes
 * the pipe empty, can release only the other side, and both sides never wait at
 * once: the one waits for a pipe that is empty, the other for one that is full.
 * Just poll looks at what somebody else may take before it has looked: so nobody
 * waits in another call while somebody waits in poll.
 *
 * Kernels before 6.14 wake a writer though there is no room for it, and it then
 * goes to the end of the queue: a listed difference.  There, one waits in write
 * at a time.
 */
#include "random.h"

#include <signal.h>
#include <sys/utsname.h>

#include "../kernel/harness.h"
#include "calls.h"
#include "player.h"

#define NR_ACTORS 3
#define NR_STEPS  30
#define TEXT_SIZE 160

enum what {
	ST_PAIR,
	ST_OPEN,
	ST_CLOSE,
	ST_MOVE, /* read, readv, write, writev */
	ST_POLL,
	ST_POLL_WAIT,
	ST_LOOK, /* FIONREAD, capacity */
	ST_RESIZE,
	ST_NONBLOCK,
	ST_PACKETS,
	ST_ASYNC,
	ST_PASS,
	ST_DUP,
	ST_FORK,
	ST_REAP,
	ST_EPOLL,
	ST_EPOLL_WAIT,
	ST_SIGNAL,
	NR_WHATS
};

struct step {
	enum what what;
	int actor, slot;
	int other, to; /* actor and slot of a second descriptor */
	struct call call;
	int flags;
	long number;
	char text[TEXT_SIZE]; /* what it did on the kernel's */
};

enum kind { NONE, READER, WRITER, BOTH, EPOLL };

/* What is known of the kernel's world while steps are made up. */
struct model {
	enum kind kinds[NR_ACTORS][NR_SLOTS];
	int files[NR_ACTORS][NR_SLOTS]; /* same number: same description */
	bool nonblock[NR_ACTORS * NR_SLOTS * NR_STEPS];
	int nr_files;
	bool asleep[NR_ACTORS], polls[NR_ACTORS], writes[NR_ACTORS];
	bool forked[NR_ACTORS];
	struct step pending[NR_ACTORS]; /* of who is asleep */
	bool packets; /* may be switched on */
	bool idle_wakes; /* a writer may be woken for nothing */
};

static struct step steps[NR_STEPS];
static uint64_t random_state;

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

/* --- making up ---------------------------------------------------------------------- */

static bool is_end(enum kind kind)
{
	return kind == READER || kind == WRITER || kind == BOTH;
}

static bool someone_is(const bool *flags)
{
	return flags[0] || flags[1] || flags[2];
}

static bool any_open(const struct model *model)
{
	int a, s;

	for (a = 0; a < NR_ACTORS; a++)
		for (s = 0; s < NR_SLOTS; s++)
			if (is_end(model->kinds[a][s]))
				return true;
	return someone_is(model->forked);
}

/* A slot of the actor that holds such a thing; -1 if there is none. */
static int slot_with(const struct model *model, int actor, bool want_end,
		     enum kind kind)
{
	int start = chance(NR_SLOTS), i;

	for (i = 0; i < NR_SLOTS; i++) {
		int slot = (start + i) % NR_SLOTS;
		enum kind is = model->kinds[actor][slot];

		if (want_end ? is_end(is) : is == kind)
			return slot;
	}
	return -1;
}

static bool may_wait(const struct model *model, int actor, int slot)
{
	return !model->nonblock[model->files[actor][slot]];
}

/* Nobody waits in another call while somebody waits in poll. */
static bool choose_move(const struct model *model, struct step *step)
{
	static const enum verb verbs_of_moves[] = {READ, READ,	WRITE, WRITE,
						   READ, READV, WRITE, WRITEV};
	struct call *call = &step->call;

	step->slot = slot_with(model, step->actor, true, NONE);
	if (step->slot < 0)
		return false;
	if (someone_is(model->polls) &&
	    may_wait(model, step->actor, step->slot))
		return false;
	*call = (struct call){.verb = verbs_of_moves[chance(8)],
			      .faults_at = -1,
			      .number = chance_size()};
	/* The wrong end is tried, but seldom. */
	if (chance(8) && model->kinds[step->actor][step->slot] == READER)
		call->verb = chance(4) ? READ : READV;
	else if (chance(8) && model->kinds[step->actor][step->slot] == WRITER)
		call->verb = chance(4) ? WRITE : WRITEV;
	if (call->verb >= WRITE && model->idle_wakes &&
	    someone_is(model->writes) &&
	    may_wait(model, step->actor, step->slot))
		return false;
	/* A write that faults is among the listed differences. */
	if (call->verb <= READV && !chance(12))
		call->faults_at = chance(call->number + 1);
	return true;
}

static bool choose_open(const struct model *model, unsigned int target_bit,
			struct step *step)
{
	static const int modes[] = {O_RDONLY, O_WRONLY, O_RDONLY, O_WRONLY,
				    O_RDWR};

	step->slot = slot_with(model, step->actor, false, NONE);
	/* One without a name is opened by way of a descriptor of it. */
	step->to = slot_with(model, step->actor, true, NONE);
	if (step->slot < 0 || (!(target_bit & NAMED) && step->to < 0))
		return false;
	step->flags = modes[chance(NR(modes))];
	if (someone_is(model->polls) || !chance(3))
		step->flags |= O_NONBLOCK;
	step->call = (struct call){.verb = OPEN, .faults_at = -1};
	return true;
}

static bool choose_look(const struct model *model, struct step *step)
{
	static const enum verb looks[] = {FIONREAD_, GET_CAPACITY};

	step->slot = slot_with(model, step->actor, true, NONE);
	step->call = (struct call){.faults_at = -1};
	step->flags = O_NONBLOCK;
	if (step->what == ST_LOOK) {
		step->call.verb = looks[chance(NR(looks))];
	} else if (step->what == ST_RESIZE) {
		step->call.verb = RESIZE;
		step->call.number = (1 + chance(3) * PAGE) << chance(5);
	} else {
		step->call.verb = POLL;
	}
	if (step->what == ST_POLL_WAIT) {
		step->flags = 0;
		if (someone_is(model->asleep))
			return false;
	}
	return step->slot >= 0;
}

static bool choose_second(const struct model *model, struct step *step)
{
	step->slot = slot_with(model, step->actor, true, NONE);
	step->other = step->what == ST_PASS
			      ? (step->actor + 1 + (int)chance(2)) % NR_ACTORS
			      : step->actor;
	step->to = slot_with(model, step->other, false, NONE);
	return step->slot >= 0 && step->to >= 0 && !model->asleep[step->other];
}

/* Fills in a step of that kind, if it is possible now. */
static bool choose(const struct model *model, unsigned int target_bit,
		   struct step *step)
{
	if (step->what == ST_SIGNAL) {
		step->number = chance(3) ? INTERRUPT_SIGNAL : RESTART_SIGNAL;
		return model->asleep[step->actor];
	}
	if (model->asleep[step->actor])
		return false;
	switch (step->what) {
	case ST_PAIR:
		step->other = chance(NR_ACTORS);
		return !(target_bit & NAMED) && !any_open(model) &&
		       !model->asleep[step->other];
	case ST_OPEN:
		return choose_open(model, target_bit, step);
	case ST_MOVE:
		return choose_move(model, step);
	case ST_POLL:
	case ST_POLL_WAIT:
	case ST_LOOK:
	case ST_RESIZE:
		return choose_look(model, step);
	case ST_CLOSE:
		step->slot =
			chance(8) ? slot_with(model, step->actor, true, NONE)
				  : slot_with(model, step->actor, false, EPOLL);
		return step->slot >= 0;
	case ST_NONBLOCK:
	case ST_PACKETS:
	case ST_ASYNC:
		step->slot = slot_with(model, step->actor, true, NONE);
		step->number = chance(2);
		if (step->what == ST_PACKETS && !model->packets)
			return false;
		/* Who is woken for nothing, then does not wait again. */
		if (step->what == ST_NONBLOCK && model->idle_wakes &&
		    someone_is(model->writes))
			return false;
		return step->slot >= 0;
	case ST_PASS:
	case ST_DUP:
	case ST_EPOLL:
		return choose_second(model, step);
	case ST_FORK:
		return !model->forked[step->actor];
	case ST_REAP:
		return model->forked[step->actor];
	case ST_EPOLL_WAIT:
		step->slot = slot_with(model, step->actor, false, EPOLL);
		return step->slot >= 0;
	default:
		return false;
	}
}

static void make_up(const struct model *model, unsigned int target_bit,
		    unsigned int nr, struct step *step)
{
	static const enum what weighted[] = {
		ST_PAIR,    ST_OPEN,	   ST_OPEN,   ST_OPEN,	 ST_CLOSE,
		ST_CLOSE,   ST_MOVE,	   ST_MOVE,   ST_MOVE,	 ST_MOVE,
		ST_MOVE,    ST_MOVE,	   ST_MOVE,   ST_MOVE,	 ST_MOVE,
		ST_MOVE,    ST_MOVE,	   ST_MOVE,   ST_POLL,	 ST_POLL_WAIT,
		ST_LOOK,    ST_LOOK,	   ST_RESIZE, ST_RESIZE, ST_NONBLOCK,
		ST_PACKETS, ST_ASYNC,	   ST_PASS,   ST_PASS,	 ST_DUP,
		ST_EPOLL,   ST_EPOLL_WAIT, ST_SIGNAL, ST_SIGNAL,
	};
	unsigned int tries;

	for (tries = 0;; tries++) {
		*step = (struct step){.actor = chance(NR_ACTORS)};
		step->what = weighted[chance(NR(weighted))];
		/*
		 * These take their time, so they are rare; but nothing else may
		 * be possible, as when only a child has the pipe.
		 */
		if (tries ? tries % 100 == 0 : !chance(40))
			step->what = chance(2) ? ST_FORK : ST_REAP;
		/* First, there are a reader and a writer. */
		if (nr < 2 && target_bit & NAMED) {
			step->what = ST_OPEN;
			step->actor = nr;
		}
		if (!choose(model, target_bit, step))
			continue;
		if (nr < 2 && target_bit & NAMED)
			step->flags = nr ? O_WRONLY : O_RDONLY | O_NONBLOCK;
		return;
	}
}

/* --- playing ------------------------------------------------------------------------ */

static const char *what_name(const struct step *step)
{
	static const char *const names[NR_WHATS] = {
		[ST_PAIR] = "pipe, ends to 0 and",
		[ST_OPEN] = "open",
		[ST_CLOSE] = "close",
		[ST_NONBLOCK] = "O_NONBLOCK",
		[ST_PACKETS] = "O_DIRECT",
		[ST_ASYNC] = "O_ASYNC",
		[ST_PASS] = "pass",
		[ST_DUP] = "dup",
		[ST_FORK] = "fork",
		[ST_REAP] = "end of child",
		[ST_EPOLL] = "epoll",
		[ST_EPOLL_WAIT] = "epoll_wait",
		[ST_SIGNAL] = "is signalled",
	};

	return names[step->what] ? names[step->what]
				 : verbs[step->call.verb].name;
}

static void tell(const struct step *step, unsigned int nr)
{
	print_error("#  %2u: process %d, slot %d: %s", nr, step->actor,
		    step->slot, what_name(step));
	switch (step->what) {
	case ST_MOVE:
	case ST_RESIZE:
		print_error(" %ld", step->call.number);
		if (step->call.faults_at >= 0)
			print_error(" faults at %ld", step->call.faults_at);
		break;
	case ST_OPEN:
		print_error(" %s%s",
			    (step->flags & O_ACCMODE) == O_RDONLY   ? "r"
			    : (step->flags & O_ACCMODE) == O_WRONLY ? "w"
								    : "rw",
			    step->flags & O_NONBLOCK ? ", O_NONBLOCK" : "");
		break;
	case ST_POLL_WAIT:
		print_error(" (may wait)");
		break;
	case ST_PAIR:
		print_error(" %d", step->other);
		break;
	case ST_PASS:
		print_error(" to process %d, slot %d", step->other, step->to);
		break;
	case ST_DUP:
	case ST_EPOLL:
		print_error(" to slot %d", step->to);
		break;
	case ST_NONBLOCK:
	case ST_PACKETS:
	case ST_ASYNC:
		print_error(step->number ? " on" : " off");
		break;
	case ST_SIGNAL:
		print_error(step->number == RESTART_SIGNAL ? " (SA_RESTART)"
							   : "");
		break;
	default:
		break;
	}
}

static void pair_step(const struct step *step)
{
	const struct order order = {.deed = DO_NOTHING, .slot = 0};
	struct order second = {.deed = DO_NOTHING,
			       .slot = step->actor == step->other};
	struct ends ends = open_ends(0);

	player_does(step->actor, &order, ends.r);
	player_does(step->other, &second, ends.w);
	close(ends.r);
	close(ends.w);
}

static void pass_step(const struct step *step)
{
	const struct order order = {.deed = DO_NOTHING, .slot = step->to};
	int fd = player_fd(step->actor, step->slot);

	if (fd < 0)
		fail_msg("pidfd_getfd: %s", strerror(errno));
	player_does(step->other, &order, fd);
	close(fd);
}

/* What a step means for the player; false if none is told something. */
static bool order_of(const struct step *step, unsigned int nr,
		     struct order *order)
{
	static const enum deed deeds[NR_WHATS] = {
		[ST_CLOSE] = DO_CLOSE_SLOT,
		[ST_NONBLOCK] = DO_NONBLOCK,
		[ST_PACKETS] = DO_PACKETS,
		[ST_ASYNC] = DO_ASYNC,
		[ST_DUP] = DO_DUP,
		[ST_FORK] = DO_FORK,
		[ST_REAP] = DO_REAP,
		[ST_EPOLL] = DO_EPOLL,
		[ST_EPOLL_WAIT] = DO_EPOLL_WAIT,
	};

	if (step->what == ST_PAIR || step->what == ST_PASS ||
	    step->what == ST_SIGNAL)
		return false;
	*order = (struct order){
		.deed = deeds[step->what],
		.call = step->call,
		.slot = step->slot,
		.number = step->number,
		.flags = step->flags,
		.target = target->bit,
		.position = nr * 9973,
	};
	if (step->what == ST_ASYNC && step->number)
		order->number = getpid();
	if (step->what == ST_DUP || step->what == ST_EPOLL)
		order->number = step->to;
	if (step->what == ST_OPEN)
		snprintf(order->path, sizeof(order->path), "/proc/self/fd/%d",
			 player_fd_number(step->to));
	return true;
}

static void answer_words(const struct answer *answer, char *text, size_t size)
{
	size_t len;

	if (answer->ret < 0)
		len = snprintf(text, size, "%s", errno_word(answer->err));
	else
		len = snprintf(text, size, "%ld", answer->ret);
	if (answer->hash)
		len += snprintf(text + len, size - len, " #%08x",
				(unsigned int)answer->hash);
	if (answer->sigpipes)
		snprintf(text + len, size - len, " SIGPIPE");
}

/* SIGIO comes here, one signal for each slot. */
static void count_sigio(char *text, size_t size, unsigned int *sum)
{
	static const struct timespec now;
	unsigned int counts[NR_SLOTS] = {};
	size_t len = strlen(text);
	int slot, sig;
	sigset_t set;

	sigemptyset(&set);
	for (slot = 0; slot < NR_SLOTS; slot++)
		sigaddset(&set, SIGRTMIN + slot);
	while ((sig = sigtimedwait(&set, NULL, &now)) > 0)
		counts[sig - SIGRTMIN]++;
	for (slot = 0; slot < NR_SLOTS; slot++) {
		if (counts[slot] && len < size)
			len += snprintf(text + len, size - len,
					", SIGIO %d: %u", slot, counts[slot]);
		*sum += counts[slot];
	}
}

/* All is closed; nothing of it is left for the next sequence. */
static void clear(void)
{
	char ignored[TEXT_SIZE] = "";
	unsigned int sum = 0;

	players_clear();
	count_sigio(ignored, sizeof(ignored), &sum);
}

/* Play a step; what became of whom, in words. */
static void take_step(const struct step *step, unsigned int nr, char *text,
		      struct answer *answers, bool *ended,
		      unsigned int *signals)
{
	struct order order;
	size_t len = 0;
	int a;

	if (step->what == ST_PAIR)
		pair_step(step);
	else if (step->what == ST_PASS)
		pass_step(step);
	else if (step->what == ST_SIGNAL)
		kill(player_pid(step->actor), step->number);
	else if (order_of(step, nr, &order))
		player_begin(step->actor, &order, -1);
	/* It may sleep here, for its child, and that is no call of a pipe. */
	if (step->what == ST_FORK || step->what == ST_REAP)
		player_await(step->actor);
	players_settle();
	text[0] = '\0';
	for (a = 0; a < NR_ACTORS; a++) {
		char word[64] = "waits";

		ended[a] = player_has_ended(a, &answers[a]);
		if (!ended[a] && !player_is_asleep(a))
			continue;
		if (ended[a])
			answer_words(&answers[a], word, sizeof(word));
		len += snprintf(text + len, TEXT_SIZE - len, "%s%d: %s",
				len ? ", " : "", a, word);
	}
	count_sigio(text, TEXT_SIZE, signals);
}

/* --- what is known afterwards --------------------------------------------------------- */

static void put_file(struct model *model, int actor, int slot, enum kind kind,
		     bool nonblock)
{
	model->kinds[actor][slot] = kind;
	model->files[actor][slot] = model->nr_files;
	model->nonblock[model->nr_files++] = nonblock;
}

static void copy_file(struct model *model, const struct step *step)
{
	model->kinds[step->other][step->to] =
		model->kinds[step->actor][step->slot];
	model->files[step->other][step->to] =
		model->files[step->actor][step->slot];
}

static enum kind kind_of(int flags)
{
	flags &= O_ACCMODE;
	return flags == O_RDONLY ? READER : flags == O_WRONLY ? WRITER : BOTH;
}

/* A step has been done, now or after it had waited. */
static void learn(struct model *model, const struct step *step, bool good)
{
	int actor = step->actor, slot = step->slot;

	if (!good)
		return;
	switch (step->what) {
	case ST_PAIR:
		put_file(model, actor, 0, READER, false);
		put_file(model, step->other, actor == step->other, WRITER,
			 false);
		break;
	case ST_OPEN:
		put_file(model, actor, slot, kind_of(step->flags),
			 step->flags & O_NONBLOCK);
		break;
	case ST_CLOSE:
		model->kinds[actor][slot] = NONE;
		break;
	case ST_NONBLOCK:
		model->nonblock[model->files[actor][slot]] = step->number;
		break;
	case ST_PASS:
	case ST_DUP:
		copy_file(model, step);
		break;
	case ST_FORK:
	case ST_REAP:
		model->forked[actor] = step->what == ST_FORK;
		break;
	case ST_EPOLL:
		put_file(model, actor, step->to, EPOLL, true);
		break;
	default:
		break;
	}
}

static void learn_all(struct model *model, const struct step *step,
		      const struct answer *answers, const bool *ended,
		      struct random_tally *tally)
{
	int a;

	if (step->what == ST_PAIR || step->what == ST_PASS)
		learn(model, step, true);
	for (a = 0; a < NR_ACTORS; a++) {
		bool slept = model->asleep[a];

		model->asleep[a] = player_is_asleep(a);
		if (model->asleep[a] && !slept) {
			model->pending[a] = *step;
			model->polls[a] = step->what == ST_POLL_WAIT;
			model->writes[a] = step->what == ST_MOVE &&
					   step->call.verb >= WRITE;
			tally->waited++;
		}
		if (!ended[a])
			continue;
		model->polls[a] = false;
		model->writes[a] = false;
		if (slept) {
			learn(model, &model->pending[a], answers[a].ret >= 0);
			tally->released += step->what != ST_SIGNAL;
		} else if (step->actor == a) {
			learn(model, step, answers[a].ret >= 0);
		}
	}
}

/* --- one sequence -------------------------------------------------------------------- */

static bool wakes_for_nothing(void)
{
	struct utsname uts;
	bool holds;
	size_t at;

	assert_ret(0, uname(&uts));
	assert_true(kernel_parse("< 6.14", uts.release, &holds, &at));
	return holds;
}

static void play_kernels(unsigned int bit, struct random_tally *tally,
			 bool packets)
{
	static struct model model;
	struct answer answers[NR_ACTORS];
	bool ended[NR_ACTORS];
	unsigned int i;

	memset(&model, 0, sizeof(model));
	model.packets = packets;
	model.idle_wakes = wakes_for_nothing();
	switch_to(bit);
	for (i = 0; i < NR_STEPS; i++) {
		make_up(&model, bit, i, &steps[i]);
		take_step(&steps[i], i, steps[i].text, answers, ended,
			  &tally->signals);
		learn_all(&model, &steps[i], answers, ended, tally);
	}
	clear();
}

static void tell_all(unsigned int last, unsigned long long seed,
		     const char *ours)
{
	unsigned int i;

	print_error("# seed %llu, on %s:\n", seed, target->name);
	for (i = 0; i <= last; i++) {
		tell(&steps[i], i);
		print_error("\n#        %s%s\n",
			    i == last ? "the kernel's: " : "", steps[i].text);
	}
	print_error("#        ours:         %s\n", ours);
	print_error("# IPCDEMO_SEED=%llu repeats it\n", seed);
}

static bool play_ours(unsigned int bit, unsigned long long seed)
{
	struct answer answers[NR_ACTORS];
	bool ended[NR_ACTORS], same = true;
	unsigned int i, signals = 0;
	char text[TEXT_SIZE];

	switch_to(bit);
	for (i = 0; i < NR_STEPS && same; i++) {
		take_step(&steps[i], i, text, answers, ended, &signals);
		same = !strcmp(text, steps[i].text);
		if (!same)
			tell_all(i, seed, text);
	}
	clear();
	return same;
}

bool random_sequence(unsigned int bit, unsigned long long seed,
		     struct random_tally *tally)
{
	unsigned int real = bit & (PIPE | ANON) ? PIPE : FIFO;

	random_state = seed * 2 + 1;
	/* The device has no packets: a listed difference. */
	play_kernels(real, tally, bit != DEV);
	tally->sequences++;
	tally->steps += NR_STEPS;
	return play_ours(bit, seed);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Gates: who is held where, who lets whom through, and that nobody stays held
 *
 * What a test leaves open, and its actors, go when it ends.
 */
#include "harness.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define ARRIVAL sizeof(struct ipcdemo_arrival)

static void add_gate_for(int ctl, const char *point, pid_t pid, __u32 count)
{
	struct ipcdemo_gate gate = {
		.size = sizeof(gate), .pid = pid, .count = count};

	snprintf(gate.point, sizeof(gate.point), "%s", point);
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &gate));
	assert_int_not_equal(gate.gate, 0);
	assert_int_not_equal(gate.id, 0);
}

static void add_gate(int ctl, const char *point)
{
	add_gate_for(ctl, point, 0, 0);
}

/* The next arrival; it must be this actor's, and at this point. */
static struct ipcdemo_arrival arrives(int ctl, const struct actor *who,
				      const char *point)
{
	struct ipcdemo_gate_wait wait = {.size = sizeof(wait),
					 .timeout_ms = PATIENCE_MS};

	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_WAIT, &wait));
	assert_string_equal(point, wait.arrival.point);
	assert_int_equal(who->pid, wait.arrival.pid);
	assert_int_equal(IPCDEMO_TASK_HELD, wait.arrival.state);
	return wait.arrival;
}

static void nobody_arrives(int ctl)
{
	struct ipcdemo_gate_wait wait = {.size = sizeof(wait)};

	assert_errno(ETIMEDOUT, ioctl(ctl, IPCDEMO_IOC_GATE_WAIT, &wait));
}

static void go(int ctl, const struct actor *who, __u32 flags)
{
	struct ipcdemo_gate_go request = {
		.size = sizeof(request), .pid = who->pid, .flags = flags};

	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_GO, &request));
}

/* What the actor is doing and where, once it is at rest. */
static struct ipcdemo_arrival rests_at(int ctl, const struct actor *who)
{
	struct ipcdemo_arrival task = {.pid = who->pid};
	struct ipcdemo_tasks request = {
		.size = sizeof(request),
		.flags = IPCDEMO_TASKS_QUIET,
		.timeout_ms = PATIENCE_MS,
		.count = 1,
		.tasks = (uintptr_t)&task,
		.element_size = sizeof(task),
	};

	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_TASKS, &request));
	return task;
}

static __u32 rests(int ctl, const struct actor *who)
{
	return rests_at(ctl, who).state;
}

static __u32 how_many_held(int ctl)
{
	struct ipcdemo_tasks request = {.size = sizeof(request),
					.flags = IPCDEMO_TASKS_HELD,
					.element_size = ARRIVAL};

	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_TASKS, &request));
	return request.count;
}

static void set_parameter(const char *name, const char *value)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/module/ipcdemo/parameters/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, 1) != 1) {
		perror(path);
		exit(1);
	}
	close(fd);
}

/*
 * Counting keeps the static key on meanwhile: an emulated machine of two
 * processors has been seen to hang when code was patched very often.
 */
static void keep_key(const char *on)
{
	set_parameter("count_points", on);
}

static void a_write_passes_its_points_in_order(void **state)
{
	static const char *const order[] = {
		"write.enter",	"write.locked", "write.look",
		"page.alloc",	"write.copy",	"write.publish",
		"write.unlock", "wake.readers", "write.return",
	};
	struct ends ends = open_ends(0);
	struct actor *w = new_actor_with(ends.w);
	struct ipcdemo_arrival at;
	int ctl = control();
	size_t i;

	(void)state;
	add_gate(ctl, "*");
	begin(w, do_write, ends.w, 5, 0);
	for (i = 0; i < NR(order); i++) {
		assert_false(is_done(w));
		at = arrives(ctl, w, order[i]);
		if (!strcmp(order[i], "write.copy")) {
			assert_int_equal(5, at.len);
			assert_int_equal(at.head, at.tail);
			/* Not published: nobody can see it. */
			assert_int_equal(0, pipe_stat().bytes);
		}
		if (!strcmp(order[i], "write.publish")) {
			assert_int_equal(at.head, at.tail + 1);
			assert_int_equal(5, pipe_stat().bytes);
		}
		if (!strcmp(order[i], "write.return"))
			assert_int_equal(5, at.decided);
		go(ctl, w, 0);
	}
	assert_int_equal(5, end(w).ret);
	nobody_arrives(ctl);
}

static void who_needs_the_mutex_of_a_held_task_waits_for_it(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *w = new_actor_with(ends.w);
	struct actor *r = new_actor_with(ends.r);
	int ctl = control();

	(void)state;
	add_gate(ctl, "write.copy");
	begin(w, do_write, ends.w, 5, 0);
	arrives(ctl, w, "write.copy");
	begin(r, do_read, ends.r, 5, 0);
	assert_int_equal(IPCDEMO_TASK_LOCK, rests(ctl, r));
	assert_int_equal(IPCDEMO_TASK_HELD, rests(ctl, w));
	go(ctl, w, 0);
	assert_int_equal(5, end(w).ret);
	assert_int_equal(5, end(r).ret);
	assert_int_equal(IPCDEMO_TASK_IDLE, rests(ctl, r));
	close(ctl);
	destroy(w);
	assert_int_equal(0, pipe_stat().bytes);
}

static void looking_works_while_the_mutex_is_held_at_a_gate(void **state)
{
	struct ipcdemo_peek peek = {.size = sizeof(peek)};
	struct ends ends = open_ends(0);
	struct actor *w = new_actor_with(ends.w);
	char line[512];
	int ctl = control();
	bool held = false;
	FILE *f;

	(void)state;
	add_gate(ctl, "write.publish");
	begin(w, do_write, ends.w, 7, 0);
	arrives(ctl, w, "write.publish");
	assert_int_equal(7, pipe_stat().bytes);
	assert_int_equal(7, proc_value("pipe", "bytes"));
	assert_errno(EBUSY, ioctl(ctl, IPCDEMO_IOC_PEEK, &peek));
	f = fopen("/proc/ipcdemo/pipe/1", "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		int pid = 0;
		char what[16];

		if (sscanf(line, "write.publish %d %*s %*s %15s", &pid, what) ==
			    2 &&
		    pid == w->pid && !strcmp(what, "held"))
			held = true;
	}
	fclose(f);
	assert_true(held);
	close(ctl);
	assert_int_equal(7, end(w).ret);
}

static void a_step_holds_at_the_next_point_whichever_it_is(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *w = new_actor_with(ends.w);
	int ctl = control();

	(void)state;
	add_gate(ctl, "write.enter");
	begin(w, do_write, ends.w, 1, 0);
	arrives(ctl, w, "write.enter");
	go(ctl, w, IPCDEMO_GO_STEP);
	arrives(ctl, w, "write.locked");
	go(ctl, w, IPCDEMO_GO_STEP);
	arrives(ctl, w, "write.look");
	go(ctl, w, 0);
	assert_int_equal(1, end(w).ret);
}

static void a_task_let_go_freely_is_not_held_until_its_call_ends(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *w = new_actor_with(ends.w);
	int ctl = control();

	(void)state;
	add_gate(ctl, "write.*");
	begin(w, do_write, ends.w, 1, 0);
	arrives(ctl, w, "write.enter");
	go(ctl, w, IPCDEMO_GO_FREE);
	assert_int_equal(1, end(w).ret);
	begin(w, do_write, ends.w, 1, 0);
	arrives(ctl, w, "write.enter");
	go(ctl, w, IPCDEMO_GO_FREE);
	assert_int_equal(1, end(w).ret);
}

static void a_gate_for_one_thread_and_one_arrival_holds_just_that(void **state)
{
	struct ipcdemo_gates list = {
		.size = sizeof(list),
		.element_size = sizeof(struct ipcdemo_gate),
	};
	struct ends ends = open_ends(0);
	struct actor *a = new_actor_with(ends.w);
	struct actor *b = new_actor_with(ends.w);
	int ctl = control();

	(void)state;
	add_gate_for(ctl, "write.enter", a->pid, 1);
	assert_int_equal(1, does(b, do_write, ends.w, 1, 0).ret);
	begin(a, do_write, ends.w, 1, 0);
	arrives(ctl, a, "write.enter");
	assert_int_equal(1, how_many_held(ctl));
	go(ctl, a, 0);
	assert_int_equal(1, end(a).ret);
	assert_int_equal(0, how_many_held(ctl));
	assert_int_equal(1, does(a, do_write, ends.w, 1, 0).ret);
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_LIST, &list));
	assert_int_equal(0, list.count);
}

static void gates_are_listed_and_removed(void **state)
{
	struct ipcdemo_gate two[2] = {}, one = {.size = sizeof(one)};
	struct ipcdemo_gates list = {
		.size = sizeof(list),
		.count = 2,
		.element_size = sizeof(*two),
		.gates = (uintptr_t)two,
	};
	struct ends ends = open_ends(0);
	int ctl = control();

	(void)state;
	add_gate(ctl, "read.*");
	add_gate_for(ctl, "write.copy", getpid(), 3);
	add_gate(ctl, "close.*");
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_LIST, &list));
	assert_int_equal(3, list.count);
	assert_string_equal("read.*", two[0].point);
	assert_string_equal("write.copy", two[1].point);
	assert_int_equal(getpid(), two[1].pid);
	assert_int_equal(3, two[1].count);
	one.gate = two[1].gate;
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_REMOVE, &one));
	assert_errno(ENOENT, ioctl(ctl, IPCDEMO_IOC_GATE_REMOVE, &one));
	/* It is gone: this does not hold. */
	assert_int_equal(1, write(ends.w, "x", 1));
	one.gate = 0;
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_REMOVE, &one));
	list.count = 0;
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_LIST, &list));
	assert_int_equal(0, list.count);
}

static void poll_tells_of_an_arrival(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *w = new_actor_with(ends.w);
	int ctl = control();
	struct pollfd fd = {.fd = ctl, .events = POLLIN};

	(void)state;
	assert_int_equal(0, poll(&fd, 1, 0));
	add_gate(ctl, "write.enter");
	begin(w, do_write, ends.w, 1, 0);
	assert_int_equal(1, poll(&fd, 1, PATIENCE_MS));
	assert_int_equal(POLLIN, fd.revents);
	arrives(ctl, w, "write.enter");
	/* Told once. */
	assert_int_equal(0, poll(&fd, 1, 0));
	close(ctl);
	end(w);
}

static void a_held_task_dies_when_it_is_killed(void **state)
{
	static const char *const points[] = {"write.enter", "write.copy",
					     "write.return"};
	struct ends ends = open_ends(0);
	int ctl = control();
	size_t i;

	(void)state;
	for (i = 0; i < NR(points); i++) {
		struct actor *w = new_actor_with(ends.w);

		add_gate_for(ctl, points[i], w->pid, 0);
		begin(w, do_write, ends.w, 1, 0);
		arrives(ctl, w, points[i]);
		kill(w->pid, SIGKILL);
		assert_int_equal(SIGKILL, dies_of(w));
		assert_int_equal(0, how_many_held(ctl));
		/* It died, but the write it was in has come to its end. */
		assert_int_equal(1, pipe_stat().bytes);
		assert_int_equal(1, get(ends.r, 1, NULL));
	}
	/* The mutex is free, and nobody is left behind. */
	assert_int_equal(1, write(ends.w, "x", 1));
}

static void a_signal_frees_only_from_where_the_task_would_sleep(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *r = new_actor_with(ends.r);
	struct reply reply;
	int ctl = control();

	(void)state;
	assert_int_equal(0, does(r, do_catch, SIGUSR1, 0, 0).ret);
	add_gate(ctl, "read.locked");
	add_gate(ctl, "read.check");
	begin(r, do_read, ends.r, 1, 0);
	arrives(ctl, r, "read.locked");
	kill(r->pid, SIGUSR1);
	assert_int_equal(IPCDEMO_TASK_HELD, rests(ctl, r));
	go(ctl, r, 0);
	reply = end(r);
	assert_int_equal(-1, reply.ret);
	assert_int_equal(EINTR, reply.err);
	begin(r, do_read, ends.r, 1, 0);
	arrives(ctl, r, "read.locked");
	go(ctl, r, 0);
	arrives(ctl, r, "read.check");
	kill(r->pid, SIGUSR1);
	reply = end(r);
	assert_int_equal(-1, reply.ret);
	assert_int_equal(EINTR, reply.err);
}

/*
 * A real bug of this module: a reader that looked, saw its signal and was
 * chosen by a wake-up before it had left the queue took the wake-up along.
 */
static void a_reader_that_leaves_with_a_signal_takes_no_wake_up(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *a = new_actor_with(ends.r);
	struct actor *b = new_actor_with(ends.r);
	struct reply first;
	int ctl = control();

	(void)state;
	assert_int_equal(0, does(a, do_catch, SIGUSR1, 0, 0).ret);
	add_gate_for(ctl, "read.check", a->pid, 1);
	add_gate_for(ctl, "read.leave", a->pid, 1);
	begin(a, do_read, ends.r, 1, 0);
	arrives(ctl, a, "read.check");
	begin(b, do_read, ends.r, 1, 0);
	assert_int_equal(IPCDEMO_TASK_ASLEEP, rests(ctl, b));
	kill(a->pid, SIGUSR1);
	arrives(ctl, a, "read.leave");
	/* Chooses a, which is first on the queue. */
	assert_int_equal(1, write(ends.w, "x", 1));
	assert_int_equal(IPCDEMO_TASK_ASLEEP, rests(ctl, b));
	go(ctl, a, 0);
	first = end(a);
	if (first.ret == -1) {
		/* Then the wake-up must have gone to b. */
		assert_int_equal(EINTR, first.err);
		assert_int_equal(1, end(b).ret);
	} else {
		assert_int_equal(1, first.ret);
		assert_int_equal(1, write(ends.w, "x", 1));
		assert_int_equal(1, end(b).ret);
	}
}

/* Between the decision to sleep and the sleep, a wake-up is not lost. */
static void a_wake_up_before_the_sleep_is_not_lost(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *r = new_actor_with(ends.r);
	int ctl = control();

	(void)state;
	add_gate(ctl, "read.check");
	begin(r, do_read, ends.r, 1, 0);
	arrives(ctl, r, "read.check");
	assert_int_equal(1, write(ends.w, "x", 1));
	go(ctl, r, 0);
	assert_int_equal(1, end(r).ret);
}

static long open_control(long a, long b, long c)
{
	(void)a;
	(void)b;
	(void)c;
	return open(DEVICE, IPCDEMO_O_CONTROL | O_CLOEXEC);
}

static long gate_on_all(long ctl, long b, long c)
{
	struct ipcdemo_gate gate = {.size = sizeof(gate), .point = "*"};

	(void)b;
	(void)c;
	return ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &gate);
}

/* The child has copies of the descriptors, or the same table with CLONE_FILES. */
static long fork_that_sleeps(long flags, long b, long c)
{
	pid_t pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	(void)b;
	(void)c;
	if (!pid)
		for (;;)
			pause();
	return pid;
}

static void end_of_the_controller(long flags)
{
	struct ends ends = open_ends(0);
	struct actor *w = new_actor_with(ends.w);
	struct actor *boss = new_actor();
	struct reply fd, child;
	int ctl = control();

	fd = does(boss, open_control, 0, 0, 0);
	assert_true(fd.ret >= 0);
	assert_int_equal(0, does(boss, gate_on_all, fd.ret, 0, 0).ret);
	/* It has the descriptor, too, and lives on. */
	child = does(boss, fork_that_sleeps, flags, 0, 0);
	assert_true(child.ret > 0);
	reap_later(child.ret);
	begin(w, do_write, ends.w, 1, 0);
	assert_int_equal(IPCDEMO_TASK_HELD, rests(ctl, w));
	kill(boss->pid, SIGKILL);
	assert_int_equal(SIGKILL, dies_of(boss));
	assert_int_equal(1, end(w).ret);
	/* And later writes are not held either. */
	assert_int_equal(1, does(w, do_write, ends.w, 1, 0).ret);
}

static void the_end_of_the_controller_frees_all_it_held(void **state)
{
	(void)state;
	end_of_the_controller(0);
}

static void also_if_its_descriptors_live_on_in_another_process(void **state)
{
	(void)state;
	end_of_the_controller(CLONE_FILES);
}

static void a_process_is_not_held_by_its_own_gates(void **state)
{
	struct ends ends = open_ends(0);
	int ctl = control();

	(void)state;
	add_gate(ctl, "*");
	assert_int_equal(1, write(ends.w, "x", 1));
	assert_int_equal(1, get(ends.r, 1, NULL));
	nobody_arrives(ctl);
}

static void who_cannot_wait_for_his_own_gate_opens_it(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *w = new_actor_with(ends.w);
	int more = open_end(O_RDWR);
	int ctl = control();

	(void)state;
	add_gate(ctl, "write.copy");
	begin(w, do_write, ends.w, 1, 0);
	arrives(ctl, w, "write.copy");
	/* The last close of that file needs the mutex, which w has. */
	assert_ret(0, close(more));
	assert_int_equal(1, end(w).ret);
}

static void who_closes_behind_a_held_task_waits_or_dies(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *w = new_actor_with(ends.w);
	struct actor *closer;
	int more = open_end(O_RDWR);
	int ctl = control();

	(void)state;
	closer = new_actor_with(more);
	close(more);
	add_gate(ctl, "write.copy");
	begin(w, do_write, ends.w, 1, 0);
	arrives(ctl, w, "write.copy");
	begin(closer, do_close, more, 0, 0);
	assert_int_equal(IPCDEMO_TASK_LOCK, rests(ctl, closer));
	assert_int_equal(1, how_many_held(ctl));
	kill(closer->pid, SIGKILL);
	assert_int_equal(SIGKILL, dies_of(closer));
	/* It had to let w through for that. */
	assert_int_equal(1, end(w).ret);
}

static void gates_that_held_their_last_make_room_for_others(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *w = new_actor_with(ends.w);
	int ctl = control();
	int i;

	(void)state;
	for (i = 0; i < 1100; i++) {
		add_gate_for(ctl, "write.enter", 0, 1);
		begin(w, do_write, ends.w, 1, 0);
		arrives(ctl, w, "write.enter");
		go(ctl, w, 0);
		assert_int_equal(1, end(w).ret);
	}
}

/* What was known of a call is stale once nobody has looked for a while. */
static void a_second_controller_does_not_trust_what_the_first_knew(void **state)
{
	struct ipcdemo_peek peek = {.size = sizeof(peek)};
	struct ends ends = open_ends(0);
	struct actor *r = new_actor_with(ends.r);
	int ctl = control();

	(void)state;
	keep_key("0");
	/* It has the mutex, as far as the first one knows ... */
	add_gate(ctl, "read.wait");
	begin(r, do_read, ends.r, 1, 0);
	arrives(ctl, r, "read.wait");
	close(ctl);
	sleeps_in(r, SYS_read);
	ctl = control();
	add_gate(ctl, "read.woken");
	assert_int_equal(IPCDEMO_TASK_ASLEEP, rests(ctl, r));
	assert_int_equal(1, write(ends.w, "x", 1));
	arrives(ctl, r, "read.woken");
	/* ... but is held without it. */
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_PEEK, &peek));
	go(ctl, r, 0);
	assert_int_equal(1, end(r).ret);
}

/* It is told of as asleep, and where; then held at its next step. */
static void asleep_before_the_gate(int ctl, const struct actor *who,
				   const char *call)
{
	struct ipcdemo_arrival at = rests_at(ctl, who);
	char point[32];

	assert_int_equal(IPCDEMO_TASK_ASLEEP, at.state);
	snprintf(point, sizeof(point), "%s.sleep", call);
	assert_string_equal(point, at.point);
	assert_int_equal(pipe_stat().id, at.id);
	assert_int_equal(who->pid, at.pid);
	assert_int_equal(0, at.gate);
	assert_int_equal(-1, at.head);
	assert_true(at.held_ns > 0);
}

static void a_reader_asleep_before_the_gate_is_held_when_it_wakes(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *r = new_actor_with(ends.r);
	struct ipcdemo_arrival at;
	int ctl = control();

	(void)state;
	keep_key("0");
	begin(r, do_read, ends.r, 2, 0);
	sleeps_in(r, SYS_read);
	/* Nobody looks yet. */
	asleep_before_the_gate(ctl, r, "read");
	add_gate(ctl, "read.*");
	asleep_before_the_gate(ctl, r, "read");
	nobody_arrives(ctl);
	assert_int_equal(1, write(ends.w, "x", 1));
	at = arrives(ctl, r, "read.woken");
	assert_int_equal(1, at.decided);
	assert_int_equal(at.tail + 1, at.head);
	assert_int_equal(1, pipe_stat().bytes);
	go(ctl, r, 0);
	arrives(ctl, r, "read.locked");
	/* It is a call as any other: this knows that it has the mutex. */
	assert_errno(EBUSY,
		     ioctl(ctl, IPCDEMO_IOC_PEEK,
			   &(struct ipcdemo_peek){
				   .size = sizeof(struct ipcdemo_peek)}));
	go(ctl, r, IPCDEMO_GO_FREE);
	assert_int_equal(1, end(r).ret);
	nobody_arrives(ctl);
}

static void a_writer_asleep_before_the_gate_is_held_when_it_wakes(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *w = new_actor_with(ends.w);
	int ctl = control();

	(void)state;
	keep_key("0");
	begin(w, do_write, ends.w, DEFAULT_SIZE + 1, 0);
	sleeps_in(w, SYS_write);
	add_gate(ctl, "write.*");
	asleep_before_the_gate(ctl, w, "write");
	assert_int_equal(PAGE, get(ends.r, PAGE, NULL));
	arrives(ctl, w, "write.woken");
	go(ctl, w, IPCDEMO_GO_STEP);
	arrives(ctl, w, "write.locked");
	go(ctl, w, IPCDEMO_GO_FREE);
	assert_int_equal(DEFAULT_SIZE + 1, end(w).ret);
}

static void an_open_asleep_before_the_gate_is_held_when_it_wakes(void **state)
{
	struct actor *r = new_actor();
	int ctl = control();

	(void)state;
	keep_key("0");
	begin(r, do_open, O_RDONLY, 0, 0);
	sleeps_in(r, SYS_openat);
	add_gate(ctl, "open.*");
	asleep_before_the_gate(ctl, r, "open");
	open_end(O_RDWR);
	arrives(ctl, r, "open.woken");
	go(ctl, r, 0);
	arrives(ctl, r, "open.locked");
	go(ctl, r, IPCDEMO_GO_FREE);
	assert_true(end(r).ret >= 0);
}

static void who_sleeps_before_the_gate_can_be_held_on_all_ways_out(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *r = new_actor_with(ends.r);
	int ctl = control();

	(void)state;
	keep_key("0");
	assert_int_equal(0, does(r, do_catch, SIGUSR1, 0, 0).ret);
	begin(r, do_read, ends.r, 1, 0);
	sleeps_in(r, SYS_read);
	add_gate(ctl, "read.*");
	/* Woken for nothing: it goes to sleep again. */
	set_persistence(IPCDEMO_PERSIST_PROCESS);
	arrives(ctl, r, "read.check");
	go(ctl, r, 0);
	assert_int_equal(IPCDEMO_TASK_ASLEEP, rests(ctl, r));
	kill(r->pid, SIGUSR1);
	arrives(ctl, r, "read.leave");
	go(ctl, r, 0);
	arrives(ctl, r, "read.woken");
	go(ctl, r, 0);
	arrives(ctl, r, "read.return");
	go(ctl, r, 0);
	assert_int_equal(EINTR, end(r).err);
	/* And killed out of it. */
	close(ctl);
	begin(r, do_read, ends.r, 1, 0);
	sleeps_in(r, SYS_read);
	ctl = control();
	add_gate(ctl, "read.*");
	assert_int_equal(1, write(ends.w, "x", 1));
	arrives(ctl, r, "read.woken");
	kill(r->pid, SIGKILL);
	assert_int_equal(SIGKILL, dies_of(r));
	assert_int_equal(0, how_many_held(ctl));
	/* It died, but nobody else had the mutex: its read came to its end. */
	assert_int_equal(0, pipe_stat().bytes);
}

/* Without memory a call is not known; nothing else is different. */
static void a_call_that_gets_no_memory_is_not_held(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *r = new_actor_with(ends.r);
	int ctl = control();

	(void)state;
	keep_key("0");
	begin(r, do_read, ends.r, 1, 0);
	sleeps_in(r, SYS_read);
	add_gate(ctl, "read.*");
	set_parameter("fail_calls", "2"); /* the write, and the reader */
	assert_int_equal(1, write(ends.w, "x", 1));
	assert_int_equal(1, end(r).ret);
	nobody_arrives(ctl);
	/* The same for a call that begins now: it is asleep all the same. */
	set_parameter("fail_calls", "2"); /* at its begin, and as it waits */
	begin(r, do_read, ends.r, 1, 0);
	asleep_before_the_gate(ctl, r, "read");
	assert_int_equal(1, write(ends.w, "x", 1));
	/* That was the last one, so it is known now. */
	arrives(ctl, r, "read.woken");
	go(ctl, r, IPCDEMO_GO_FREE);
	assert_int_equal(1, end(r).ret);
	/* A call that is known, but gets no memory to be held. */
	close(ctl);
	ctl = control();
	add_gate(ctl, "write.*");
	begin(r, do_read, ends.r, 1, 0);
	assert_int_equal(IPCDEMO_TASK_ASLEEP, rests(ctl, r));
	add_gate(ctl, "read.*");
	set_parameter("fail_calls", "2"); /* the write, and the hold */
	assert_int_equal(1, write(ends.w, "x", 1));
	arrives(ctl, r, "read.locked");
	close(ctl);
	assert_int_equal(1, end(r).ret);
}

static void who_is_held_stays_known_while_there_is_no_gate(void **state)
{
	struct ipcdemo_gate all = {.size = sizeof(all)};
	struct ends ends = open_ends(0);
	struct actor *w = new_actor_with(ends.w);
	int ctl = control();

	(void)state;
	keep_key("0");
	add_gate(ctl, "write.copy");
	begin(w, do_write, ends.w, 1, 0);
	arrives(ctl, w, "write.copy");
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_REMOVE, &all));
	assert_int_equal(IPCDEMO_TASK_HELD, rests(ctl, w));
	add_gate(ctl, "write.unlock");
	assert_int_equal(IPCDEMO_TASK_HELD, rests(ctl, w));
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_REMOVE, &all));
	go(ctl, w, IPCDEMO_GO_STEP);
	arrives(ctl, w, "write.publish");
	go(ctl, w, 0);
	assert_int_equal(1, end(w).ret);
}

static void two_controllers_hold_a_task_in_turn(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *w = new_actor_with(ends.w);
	int a = control(), b = control();
	struct ipcdemo_arrival at;

	(void)state;
	add_gate(b, "read.enter");
	add_gate(a, "write.enter");
	add_gate(b, "write.enter");
	begin(w, do_write, ends.w, 1, 0);
	at = arrives(a, w, "write.enter");
	assert_int_equal(1, at.gate);
	/* The other one sees it held, but not by a gate of its own. */
	nobody_arrives(b);
	at = rests_at(b, w);
	assert_int_equal(IPCDEMO_TASK_HELD, at.state);
	assert_int_equal(0, at.gate);
	assert_int_equal(0, how_many_held(b));
	go(a, w, IPCDEMO_GO_STEP);
	at = arrives(b, w, "write.enter");
	assert_int_equal(2, at.gate);
	assert_int_equal(0, how_many_held(a));
	go(b, w, IPCDEMO_GO_STEP);
	/* Both steps end at the next point. */
	arrives(a, w, "write.locked");
	go(a, w, 0);
	arrives(b, w, "write.locked");
	go(b, w, 0);
	assert_int_equal(1, end(w).ret);
}

static void who_goes_freely_past_one_controller_is_held_by_another(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *w = new_actor_with(ends.w);
	int a = control(), b = control();

	(void)state;
	add_gate(a, "write.*");
	add_gate(b, "write.*");
	begin(w, do_write, ends.w, 1, 0);
	arrives(a, w, "write.enter");
	go(a, w, IPCDEMO_GO_FREE);
	arrives(b, w, "write.enter");
	go(b, w, 0);
	arrives(b, w, "write.locked");
	/* This does not take back what the other one said ... */
	go(b, w, IPCDEMO_GO_FREE);
	assert_int_equal(1, end(w).ret);
	nobody_arrives(a);
	/* ... and neither does its end. */
	begin(w, do_write, ends.w, 1, 0);
	arrives(a, w, "write.enter");
	go(a, w, IPCDEMO_GO_FREE);
	arrives(b, w, "write.enter");
	close(b);
	assert_int_equal(1, end(w).ret);
	nobody_arrives(a);
	/* Nor is another call free. */
	begin(w, do_write, ends.w, 1, 0);
	arrives(a, w, "write.enter");
	close(a);
	assert_int_equal(1, end(w).ret);
}

static void a_stopped_task_is_at_rest(void **state)
{
	struct actor *a = new_actor();
	int ctl = control();

	(void)state;
	kill(a->pid, SIGSTOP);
	assert_int_equal(IPCDEMO_TASK_IDLE, rests(ctl, a));
	kill(a->pid, SIGCONT);
}

static void the_close_of_the_descriptor_frees_all_it_held(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *w = new_actor_with(ends.w);
	int ctl = control();

	(void)state;
	add_gate(ctl, "*");
	begin(w, do_write, ends.w, 1, 0);
	arrives(ctl, w, "write.enter");
	close(ctl);
	assert_int_equal(1, end(w).ret);
}

static void a_task_that_exits_is_not_held(void **state)
{
	struct ends ends = open_ends(0);
	struct actor *w = new_actor_with(ends.w);
	int ctl = control();

	(void)state;
	close(ends.w);
	add_gate(ctl, "close.*");
	kill(w->pid, SIGKILL);
	assert_int_equal(SIGKILL, dies_of(w));
	eventually(pipe_stat().writers == 0);
	nobody_arrives(ctl);
}

static long touch(long address, long b, long c)
{
	(void)b;
	(void)c;
	*(volatile char *)address = 1;
	return 0;
}

static void a_fault_is_held_without_the_lock_of_the_address_space(void **state)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	struct ipcdemo_gate gate = {
		.size = sizeof(gate), .id = 2, .point = "map.fault"};
	struct actor *a;
	char path[64], line[256];
	bool mapped = false;
	int ctl = control();
	void *at;
	FILE *f;

	(void)state;
	at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(MAP_FAILED, at);
	a = new_actor();
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &gate));
	begin(a, touch, (long)at, 0, 0);
	arrives(ctl, a, "map.fault");
	/* This takes mmap_lock; it would hang. */
	snprintf(path, sizeof(path), "/proc/%d/maps", a->pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, "ipcdemo-region:[2]"))
			mapped = true;
	}
	fclose(f);
	assert_true(mapped);
	go(ctl, a, 0);
	assert_int_equal(0, end(a).ret);
	assert_int_equal(1, *(char *)at);
	*(char *)at = 0;
}

static long other_user_adds_a_gate(long uid, long b, long c)
{
	int ctl;

	(void)b;
	(void)c;
	if (setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		return -1;
	ctl = open(DEVICE, IPCDEMO_O_CONTROL | O_CLOEXEC);
	return ctl < 0 ? -1 : gate_on_all(ctl, 0, 0);
}

static void only_the_owner_of_an_object_sets_gates_on_it(void **state)
{
	struct actor *other = new_actor();
	struct reply reply = does(other, other_user_adds_a_gate, 65534, 0, 0);

	(void)state;
	assert_int_equal(-1, reply.ret);
	assert_int_equal(EPERM, reply.err);
}

static void bad_requests_are_refused(void **state)
{
	struct ipcdemo_gate gate = {.size = sizeof(gate), .point = "*"}, bad;
	struct ipcdemo_gate_wait wait = {.size = sizeof(wait),
					 .timeout_ms = -2};
	struct ipcdemo_gate_go request = {.size = sizeof(request)};
	struct ipcdemo_tasks tasks = {
		.size = sizeof(tasks),
		.count = 1025,
		.element_size = ARRIVAL,
	};
	struct ipcdemo_arrival nobody = {.pid = 0x3ffffff};
	struct ends ends = open_ends(0);
	int ctl = control();
	int i;

	(void)state;
	bad = gate;
	strcpy(bad.point, "write.nowhere");
	assert_errno(EINVAL, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &bad));
	strcpy(bad.point, "write.c?py"); /* just * is special */
	assert_errno(EINVAL, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &bad));
	strcpy(bad.point, "write.sleep"); /* holds nobody */
	assert_errno(EINVAL, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &bad));
	memset(bad.point, '*', sizeof(bad.point)); /* has no end */
	assert_errno(EINVAL, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &bad));
	bad = gate;
	bad.flags = 1;
	assert_errno(EINVAL, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &bad));
	bad = gate;
	bad.id = 77;
	assert_errno(ENOENT, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &bad));
	bad = gate;
	bad.pid = 0x3ffffff;
	assert_errno(ESRCH, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &bad));
	bad.pid = -1;
	assert_errno(EINVAL, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &bad));
	assert_errno(EFAULT, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, nowhere()));
	assert_errno(EBADF, ioctl(ends.r, IPCDEMO_IOC_GATE_ADD, &gate));

	assert_errno(EINVAL, ioctl(ctl, IPCDEMO_IOC_GATE_WAIT, &wait));
	request.pid = getpid();
	assert_errno(ESRCH, ioctl(ctl, IPCDEMO_IOC_GATE_GO, &request));
	request.flags = 0x80;
	assert_errno(EINVAL, ioctl(ctl, IPCDEMO_IOC_GATE_GO, &request));

	assert_errno(EINVAL, ioctl(ctl, IPCDEMO_IOC_TASKS, &tasks));
	tasks.count = 1;
	tasks.tasks = (uintptr_t)nowhere();
	assert_errno(EFAULT, ioctl(ctl, IPCDEMO_IOC_TASKS, &tasks));
	tasks.tasks = (uintptr_t)&nobody;
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_TASKS, &tasks));
	assert_int_equal(IPCDEMO_TASK_GONE, nobody.state);

	/* More than anybody needs: the list is walked at each point. */
	for (i = 0; i < 1024; i++)
		add_gate(ctl, "resize.done");
	strcpy(gate.point, "resize.done");
	assert_errno(ENOSPC, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &gate));
}

static const struct claim claims[] = {
	{"a write passes its points in order, and is held at each",
	 a_write_passes_its_points_in_order, DEV},
	{"who needs the mutex of a held task waits for it",
	 who_needs_the_mutex_of_a_held_task_waits_for_it, DEV},
	{"looking works while the mutex is held at a gate",
	 looking_works_while_the_mutex_is_held_at_a_gate, DEV},
	{"a step holds at the next point, whichever it is",
	 a_step_holds_at_the_next_point_whichever_it_is, DEV},
	{"a task let go freely is not held until its call ends",
	 a_task_let_go_freely_is_not_held_until_its_call_ends, DEV},
	{"a gate for one thread and one arrival holds just that",
	 a_gate_for_one_thread_and_one_arrival_holds_just_that, DEV},
	{"gates are listed and removed", gates_are_listed_and_removed, DEV},
	{"poll tells of an arrival, once", poll_tells_of_an_arrival, DEV},
	{"a held task dies when it is killed",
	 a_held_task_dies_when_it_is_killed, DEV},
	{"a signal frees only from where the task would sleep",
	 a_signal_frees_only_from_where_the_task_would_sleep, DEV},
	{"a reader that leaves with a signal takes no wake-up along",
	 a_reader_that_leaves_with_a_signal_takes_no_wake_up, DEV},
	{"a wake-up between the decision to sleep and the sleep is not lost",
	 a_wake_up_before_the_sleep_is_not_lost, DEV},
	{"the end of the controller frees all it held, whoever inherited",
	 the_end_of_the_controller_frees_all_it_held, DEV},
	{"also if its table of descriptors lives on in another process",
	 also_if_its_descriptors_live_on_in_another_process, DEV},
	{"a process is not held by its own gates",
	 a_process_is_not_held_by_its_own_gates, DEV},
	{"who cannot wait for his own gate opens it",
	 who_cannot_wait_for_his_own_gate_opens_it, DEV},
	{"who closes behind a held task waits, or dies",
	 who_closes_behind_a_held_task_waits_or_dies, DEV},
	{"gates that held their last make room for others",
	 gates_that_held_their_last_make_room_for_others, DEV},
	{"a second controller does not trust what the first knew",
	 a_second_controller_does_not_trust_what_the_first_knew, DEV},
	{"a reader asleep before the gate is held when it wakes",
	 a_reader_asleep_before_the_gate_is_held_when_it_wakes, DEV},
	{"a writer asleep before the gate is held when it wakes",
	 a_writer_asleep_before_the_gate_is_held_when_it_wakes, DEV},
	{"an open asleep before the gate is held when it wakes",
	 an_open_asleep_before_the_gate_is_held_when_it_wakes, DEV},
	{"who sleeps before the gate can be held on all ways out",
	 who_sleeps_before_the_gate_can_be_held_on_all_ways_out, DEV},
	{"a call that gets no memory to be known is not held",
	 a_call_that_gets_no_memory_is_not_held, DEV},
	{"who is held stays known while there is no gate",
	 who_is_held_stays_known_while_there_is_no_gate, DEV},
	{"two controllers hold a task in turn, and each lets it take a step",
	 two_controllers_hold_a_task_in_turn, DEV},
	{"who goes freely past one controller is held by another",
	 who_goes_freely_past_one_controller_is_held_by_another, DEV},
	{"a stopped task is at rest", a_stopped_task_is_at_rest, DEV},
	{"the close of the descriptor frees all it held",
	 the_close_of_the_descriptor_frees_all_it_held, DEV},
	{"a task that exits is not held", a_task_that_exits_is_not_held, DEV},
	{"a fault is held without the lock of the address space",
	 a_fault_is_held_without_the_lock_of_the_address_space, DEV},
	{"only the owner of an object sets gates on it",
	 only_the_owner_of_an_object_sets_gates_on_it, DEV},
	{"bad requests are refused", bad_requests_are_refused, DEV},
};

static void keep_key_again(void)
{
	keep_key("1");
}

int main(void)
{
	int failed;

	keep_key("1");
	after_each = keep_key_again;
	failed = run_claims("gate", claims, NR(claims));
	keep_key("0");
	return failed;
}

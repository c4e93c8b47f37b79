// SPDX-License-Identifier: GPL-2.0
/* The default pipe, and tasks at its gates (machine.h). */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"
#include "points.h"

#define DEVICE	    "/dev/ipcdemo"

/* Longer than any task needs; only what is broken waits for so long. */
#define PATIENCE_MS 10000

/* So often we look before we sleep until the tasks are at rest. */
#define YIELDS	    16

/* Rounds of signals until those that sleep must have left. */
#define RELEASES    64

/**
 * struct desk - what a task and we both see
 * @go:		a futex: rises when the task may go on from a stop of its own
 * @quit:	it shall leave out the calls that it has not begun
 * @rest:	of which kind its stop is, if it is in no call
 * @done:	calls that are over
 * @pid:	the task
 */
struct desk {
	atomic_uint go;
	atomic_bool quit;
	atomic_int rest;
	atomic_uint done;
	pid_t pid;
	const struct scenario_task *task;
	int fd;
	long result[SCENARIO_OPS];
	unsigned char got[SCENARIO_OPS][SERIAL_BYTES];
};

static struct desk *desks;
static unsigned char written[SERIAL_SOURCES][SERIAL_BYTES];
static unsigned char left[SERIAL_BYTES];
static unsigned int left_bytes;

static int control = -1;
static unsigned int tasks; /* of this scenario */
static struct stop stops[SCENARIO_TASKS];
static bool interrupted[SCENARIO_TASKS];

static void die(const char *what)
{
	fprintf(stderr, "explore: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- points --- */

#define POINT_NAME(symbol, token, name, kind, unit, hold, sentence) name,
static const char *const names[] = {IPC_POINTS(POINT_NAME)};

const char *point_name(int point)
{
	return point < 0 ? "" : names[point];
}

static int point_of(const char *name)
{
	int i;

	for (i = 0; i < IPC_NR_POINTS; i++)
		if (!strcmp(names[i], name))
			return i;
	return -1;
}

/* --- the side of the task --- */

static long futex(atomic_uint *word, int op, unsigned int value)
{
	return syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

static void stop_here(struct desk *desk, enum rest rest)
{
	unsigned int seen = desk->go;

	desk->rest = rest;
	while (desk->go == seen)
		futex(&desk->go, FUTEX_WAIT, seen);
}

static long poll_end(struct desk *desk)
{
	struct pollfd p = {.fd = desk->fd};

	if (desk->task->ends & ENDS_READ)
		p.events |= POLLIN;
	if (desk->task->ends & ENDS_WRITE)
		p.events |= POLLOUT;
	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

static long resize_pipe(unsigned int slots)
{
	struct ipcdemo_attr attr = {
		.size = sizeof(attr),
		.value = (__u64)slots * SCENARIO_PAGE,
	};

	if (ioctl(control, IPCDEMO_IOC_SET_CAPACITY, &attr))
		return -1;
	return attr.value;
}

static long perform(struct desk *desk, unsigned int who, unsigned int i)
{
	unsigned int op = desk->task->ops[i];
	unsigned int number = scenario_number(op);

	switch (scenario_call(op)) {
	case CALL_READ:
		return read(desk->fd, desk->got[i], number);
	case CALL_WRITE:
		return write(desk->fd,
			     written[who] + serial_start(desk->task, i),
			     number);
	case CALL_CLOSE:
		return close(desk->fd);
	case CALL_POLL:
		return poll_end(desk);
	case CALL_RESIZE:
		return resize_pipe(number);
	case CALL_SIGNAL:
		return kill(desks[number].pid, SIGUSR1);
	default:
		errno = EOPNOTSUPP;
		return -1;
	}
}

static bool no_gate_stops(unsigned int op)
{
	return scenario_call(op) == CALL_POLL ||
	       scenario_call(op) == CALL_SIGNAL;
}

static void work(struct desk *desk, unsigned int who)
{
	unsigned int i;
	long result;

	for (i = 0; i < SCENARIO_OPS && desk->task->ops[i]; i++) {
		if (no_gate_stops(desk->task->ops[i]))
			stop_here(desk, REST_BEFORE);
		if (desk->quit)
			return;
		result = perform(desk, who, i);
		desk->result[i] = result < 0 ? -errno : result;
		desk->done = i + 1;
	}
}

static void interrupt(int signal)
{
	(void)signal;
}

static void be_task(unsigned int who, pid_t parent)
{
	/* Without SA_RESTART: what it sleeps in shall end. */
	struct sigaction action = {.sa_handler = interrupt};
	char name[16];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	snprintf(name, sizeof(name), "explore-%u", who);
	prctl(PR_SET_NAME, name);
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		stop_here(&desks[who], REST_OVER);
		work(&desks[who], who);
	}
}

/* --- waiting until all are at rest --- */

static void note_stop(unsigned int who, const struct ipcdemo_arrival *at)
{
	struct stop *stop = &stops[who];

	if (strcmp(at->point, point_name(stop->point)))
		stop->point = point_of(at->point);
	stop->done = desks[who].done;
	switch (at->state) {
	case IPCDEMO_TASK_HELD:
		stop->rest = REST_POINT;
		break;
	case IPCDEMO_TASK_ASLEEP:
		stop->rest = REST_ASLEEP;
		break;
	case IPCDEMO_TASK_LOCK:
		stop->rest = REST_LOCK;
		break;
	case IPCDEMO_TASK_IDLE:
		stop->rest = desks[who].rest;
		break;
	default:
		stop->rest = REST_NOT;
		break;
	}
}

static bool is_quiet(struct ipcdemo_arrival *at, int timeout_ms)
{
	struct ipcdemo_tasks request = {
		.size = sizeof(request),
		.flags = IPCDEMO_TASKS_QUIET,
		.timeout_ms = timeout_ms,
		.count = tasks,
		.tasks = (uintptr_t)at,
		.element_size = sizeof(at[0]),
	};

	if (!ioctl(control, IPCDEMO_IOC_TASKS, &request))
		return true;
	if (errno != ETIMEDOUT)
		die("waiting for the tasks");
	return false;
}

/*
 * The tasks and we share one processor: who yields it to them has it back once
 * they are at rest.  That is quicker than to sleep until they are.
 */
static bool settle(void)
{
	struct ipcdemo_arrival at[SCENARIO_TASKS];
	bool quiet = false;
	unsigned int i;

	for (i = 0; i < tasks; i++)
		at[i].pid = desks[i].pid;
	for (i = 0; i < YIELDS && !quiet; i++) {
		sched_yield();
		quiet = is_quiet(at, 0);
	}
	if (!quiet)
		quiet = is_quiet(at, PATIENCE_MS);
	for (i = 0; i < tasks; i++)
		note_stop(i, &at[i]);
	return quiet;
}

static void wake_task(unsigned int who)
{
	desks[who].go++;
	futex(&desks[who].go, FUTEX_WAKE, 1);
}

static void go(unsigned int who, unsigned int flags)
{
	struct ipcdemo_gate_go request = {
		.size = sizeof(request),
		.flags = flags,
		.pid = desks[who].pid,
	};

	/* A signal may have let it go in the meantime: a release looks again. */
	if (ioctl(control, IPCDEMO_IOC_GATE_GO, &request) && errno != ESRCH)
		die("a task that shall move");
}

bool machine_move(unsigned int who)
{
	if (stops[who].rest == REST_POINT)
		go(who, 0);
	else
		wake_task(who);
	return settle();
}

struct stop machine_stop(unsigned int who)
{
	return stops[who];
}

long machine_result(unsigned int who, unsigned int op)
{
	return desks[who].result[op];
}

const unsigned char *machine_got(unsigned int who, unsigned int op)
{
	return desks[who].got[op];
}

struct ipcdemo_pipe_stat machine_pipe(void)
{
	struct ipcdemo_pipe_stat stat = {.size = sizeof(stat)};

	if (ioctl(control, IPCDEMO_IOC_PIPE_STAT, &stat))
		die("the state of the pipe");
	return stat;
}

/* --- a round --- */

static int open_end(int flags)
{
	int fd = open(DEVICE, flags);

	if (fd < 0)
		die(DEVICE);
	return fd;
}

static void put_bytes(int fd, const struct scenario *s)
{
	if (s->fill && write(fd, written[SERIAL_FILL], s->fill) != s->fill)
		die("filling the pipe");
	if (s->drain && read(fd, left, s->drain) != s->drain)
		die("draining the pipe");
}

/* Nobody has the pipe open now, so it is as new but for its two indices. */
void machine_begin(const struct scenario *s)
{
	static const int modes[] = {
		[ENDS_READ] = O_RDONLY,
		[ENDS_WRITE] = O_WRONLY,
		[ENDS_READ | ENDS_WRITE] = O_RDWR,
	};
	const struct scenario_task *task;
	struct desk *desk;
	unsigned int i;
	int guard;

	guard = open_end(O_RDWR | O_NONBLOCK);
	if (resize_pipe(s->slots) < 0)
		die("resizing the pipe");
	put_bytes(guard, s);
	tasks = 0;
	for (i = 0; i < SCENARIO_TASKS && *s->tasks[i].name; i++) {
		task = &s->tasks[i];
		desk = &desks[i];
		desk->task = task;
		desk->fd =
			open_end(modes[task->ends & (ENDS_READ | ENDS_WRITE)] |
				 (task->ends & ENDS_NONBLOCK ? O_NONBLOCK : 0));
		desk->quit = false;
		desk->done = 0;
		interrupted[i] = false;
		tasks++;
	}
	close(guard);
	for (i = 0; i < tasks; i++)
		wake_task(i);
	if (!settle()) {
		fprintf(stderr,
			"explore: the tasks do not come to their first stops\n");
		exit(1);
	}
}

/* Tells each task what brings it nearer to its end.  Return: all are there. */
static bool urge_on(void)
{
	bool all_over = true;
	unsigned int i;

	for (i = 0; i < tasks; i++) {
		if (stops[i].rest == REST_OVER)
			continue;
		all_over = false;
		switch (stops[i].rest) {
		case REST_POINT:
			go(i, IPCDEMO_GO_FREE);
			break;
		case REST_BEFORE:
			wake_task(i);
			break;
		case REST_ASLEEP:
		case REST_NOT:
			interrupted[i] = true;
			kill(desks[i].pid, SIGUSR1);
			break;
		default: /* it goes on when the others do */
			break;
		}
	}
	return all_over;
}

static void take_what_is_left(void)
{
	int fd = open_end(O_RDONLY | O_NONBLOCK);
	ssize_t n;

	left_bytes = 0;
	while (left_bytes < sizeof(left)) {
		n = read(fd, left + left_bytes, sizeof(left) - left_bytes);
		if (n <= 0)
			break;
		left_bytes += n;
	}
	close(fd);
}

/* The task has closed it, or was told to and did so: then it is not ours. */
static bool has_closed(unsigned int who)
{
	unsigned int i;

	for (i = 0; i < desks[who].done; i++)
		if (scenario_call(desks[who].task->ops[i]) == CALL_CLOSE)
			return true;
	return false;
}

const char *machine_release(void)
{
	const char *wrong = NULL;
	bool others = false;
	unsigned int i;

	for (i = 0; i < tasks; i++)
		desks[i].quit = true;
	for (i = 0; i < RELEASES && !urge_on(); i++)
		settle();
	for (i = 0; i < tasks; i++) {
		if (stops[i].rest != REST_OVER) {
			fprintf(stderr, "explore: task %u does not end\n", i);
			exit(1);
		}
		others |= !has_closed(i);
	}
	left_bytes = 0;
	/* With nobody there the bytes are gone, and an open would find none. */
	if (others)
		take_what_is_left();
	for (i = 0; i < tasks; i++)
		if (!has_closed(i) && close(desks[i].fd))
			wrong = "a descriptor could not be closed";
	return wrong;
}

long machine_released(unsigned int who)
{
	return interrupted[who] ? desks[who].result[desks[who].done - 1] : 0;
}

unsigned int machine_left(const unsigned char **bytes)
{
	*bytes = left;
	return left_bytes;
}

/* --- birth and death --- */

static pid_t new_task(unsigned int who)
{
	pid_t parent = getpid();
	pid_t pid;

	/* fork(), but for the table of descriptors, which is one. */
	pid = syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid < 0)
		die("a task could not be made");
	if (!pid)
		be_task(who, parent);
	return pid;
}

static void add_gate(pid_t pid)
{
	struct ipcdemo_gate gate = {.size = sizeof(gate), .pid = pid};

	strcpy(gate.point, "*");
	if (ioctl(control, IPCDEMO_IOC_GATE_ADD, &gate))
		die("a gate could not be set");
}

void machine_start(void)
{
	unsigned int i, at;
	cpu_set_t one;

	CPU_ZERO(&one);
	for (i = 0; i < SERIAL_SOURCES; i++)
		for (at = 0; at < SERIAL_BYTES; at++)
			written[i][at] = serial_byte(i, at);
	CPU_SET(sched_getcpu(), &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("one processor for all");
	desks = mmap(NULL, SCENARIO_TASKS * sizeof(*desks),
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (desks == MAP_FAILED)
		die("memory for the tasks");
	memset(desks, 0, SCENARIO_TASKS * sizeof(*desks));
	control = open(DEVICE, IPCDEMO_O_CONTROL | O_CLOEXEC);
	if (control < 0)
		die(DEVICE);
	if (machine_pipe().readers || machine_pipe().writers) {
		fprintf(stderr,
			"explore: somebody has the pipe open: see ipcdemo ls\n");
		exit(1);
	}
	for (i = 0; i < SCENARIO_TASKS; i++)
		desks[i].pid = new_task(i);
	for (i = 0; i < SCENARIO_TASKS; i++)
		add_gate(desks[i].pid);
	tasks = SCENARIO_TASKS;
	settle();
}

void machine_end(void)
{
	unsigned int i;

	for (i = 0; i < SCENARIO_TASKS; i++) {
		kill(desks[i].pid, SIGKILL);
		waitpid(desks[i].pid, NULL, 0);
	}
	close(control);
	munmap(desks, SCENARIO_TASKS * sizeof(*desks));
}

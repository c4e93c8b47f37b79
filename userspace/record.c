// SPDX-License-Identifier: GPL-2.0
/*
 * Recording: the kernel writes what passes into buffers of tracefs, one set for the
 * points of all tasks and one for what the scheduler does with those of the
 * command; here they are emptied into the file while the command runs.
 *
 * Points come many in one event (linux/ipcdemo_batch.h), which disturbs what is looked
 * at several times less than one event for each.  Their numbers say how many are
 * missing: the kernel counts the events that it had no room for, not the points.
 *
 * Both sets are instances of their own in tracefs, so no other tracer is
 * disturbed.  A process of its own, the guard, removes them when this one ends,
 * however it does: also if it is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/ipcdemo_batch.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <tracefs.h>

#include "record.h"
#include "recording.h"

/*
 * How often the buffers are emptied, ms.  They could say when they are half full; but
 * Linux 6.1 counts the full pages of a buffer that loses events wrongly, now and
 * then, and warns of it in its log (ring_buffer_nr_dirty_pages).
 */
#define PERIOD	     20

/* Between so many events signals are heard, and who has ended. */
#define TURN	     1024

/* Linux has no process id above this (PID_MAX_LIMIT). */
#define MOST_PID     (4 << 20)

/* Nor a command's name of more bytes (TASK_COMM_LEN). */
#define MOST_COMMAND 15

enum { POINTS, SCHED, NR_SETS };

static const char *const systems[] = {"ipcdemo_batch", "sched"};

static const char points_event[] = "points";

/* Writing there has the module tell of all points so far. */
static const char flush_file[] = "/sys/module/ipcdemo/parameters/flush_points";

static const char *const sched_events[] = {
	"sched_switch",
	"sched_process_fork",
	"sched_process_exec",
	"sched_process_exit",
};

/* The commands that a task had. */
struct names {
	int n;
	char *name[8];
};

/* An event of the kernel's: its fields, found once. */
struct kind {
	const struct tep_event *event;
	enum rec_type type; /* REC_POINT: of many points */
	const struct tep_format_field *cpu, *n, *first, *start_cycles,
		*start_ns, *end_cycles, *end_ns, *words;
	const struct tep_format_field *from, *from_comm, *state, *to, *to_comm;
};

/**
 * struct counted - the points that a processor has numbered
 * @known:	one of its batches has come
 * @first:	the lowest number of the recording
 * @end:	the one behind the highest
 * @taken:	so many of these have come, in whatever order
 */
struct counted {
	bool known;
	__u64 first;
	__u64 end;
	__u64 taken;
};

struct recorder {
	struct cli *cli;
	const struct record_order *order;
	struct tracefs_instance *sets[NR_SETS];
	char set_names[NR_SETS][40];
	struct tep_handle *tep;
	size_t nkinds;
	struct kind *kinds;
	struct rec_writer out;
	bool open;
	int err; /* the first that the file or memory gave */
	int cpus;
	struct counted *counted; /* by processor */
	struct ipcdemo_table names_of_points;
	bool begun; /* what passed before is not of the recording */
	__u64 points;
	__u64 taken; /* events */
	bool off; /* the kernel writes no more of them */
	struct names **names; /* by pid */
	__s32 *pids; /* those that have some, or passed a point */
	size_t npids, pid_room;
	__u32 *ids; /* of objects that points were about, in the order of numbers */
	size_t nids, id_room;
	size_t told; /* so many of them the file names */
	struct ipcdemo_table start[2]; /* what there was when it began */
	int signals;
	pid_t child;
	int go; /* a byte there lets the child go on */
	int goes; /* the other end: also if it was killed we can write */
	int status;
	bool child_ended;
	bool hurry; /* asked to end: wait for the command, not for its children */
	int guard; /* closing it wakes the guard */
	int guard_says;
};

static __u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* ---- the guard ---------------------------------------------------------------- */

/* Somebody may have a file of it open for a moment yet. */
static bool remove_set(const char *name)
{
	const struct timespec nap = {.tv_nsec = 10000000};
	struct tracefs_instance *set;
	int i, err = 0;

	for (i = 0; i < 500 && tracefs_instance_exists(name); i++) {
		set = tracefs_instance_alloc(NULL, name);
		err = set ? tracefs_instance_destroy(set) : -1;
		tracefs_instance_free(set);
		if (err)
			nanosleep(&nap, NULL);
	}
	return !tracefs_instance_exists(name);
}

static void guard(const struct recorder *rec, int wait_for, int say)
{
	sigset_t all;
	char byte;
	int i;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	while (read(wait_for, &byte, 1) < 0 && errno == EINTR)
		;
	for (i = 0; i < NR_SETS; i++)
		if (!remove_set(rec->set_names[i]))
			(void)!write(say, "x", 1);
	_exit(0);
}

/* Nobody's child: who waits for the command's children does not see it. */
static int start_guard(struct recorder *rec)
{
	int wait_for[2], say[2], status;
	pid_t pid;

	if (pipe2(wait_for, O_CLOEXEC) || pipe2(say, O_CLOEXEC))
		return fail("pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return fail("cannot start a process: %s", strerror(errno));
	if (!pid) {
		close(wait_for[1]);
		close(say[0]);
		pid = fork();
		if (!pid)
			guard(rec, wait_for[0], say[1]);
		_exit(pid < 0);
	}
	close(wait_for[0]);
	close(say[1]);
	rec->guard = wait_for[1];
	rec->guard_says = say[0];
	if (waitpid(pid, &status, 0) < 0 || status)
		return fail("cannot start a process: %s", strerror(EAGAIN));
	return 0;
}

/* The instances go now.  Return: 0, or FAILED after a message. */
static int end_guard(struct recorder *rec)
{
	char byte;
	ssize_t n;

	if (rec->guard < 0)
		return 0;
	close(rec->guard);
	rec->guard = -1;
	while ((n = read(rec->guard_says, &byte, 1)) < 0 && errno == EINTR)
		;
	close(rec->guard_says);
	if (n != 1)
		return 0;
	return fail("cannot remove %s or %s below %s: rmdir them in its instances/",
		    rec->set_names[POINTS], rec->set_names[SCHED],
		    tracefs_tracing_dir());
}

/* ---- what the kernel shall write ------------------------------------------------ */

static int set_up_failed(const char *what)
{
	int err = errno;

	if (err == EACCES || err == EPERM)
		return fail("%s: %s: record needs root", what, strerror(err));
	return fail("%s: %s", what, strerror(err));
}

static int make_set(struct recorder *rec, int which)
{
	struct tracefs_instance *set;
	char what[96];

	set = tracefs_instance_create(rec->set_names[which]);
	rec->sets[which] = set;
	if (!set) {
		snprintf(what, sizeof(what), "cannot make %s in tracefs",
			 rec->set_names[which]);
		return set_up_failed(what);
	}
	if (tracefs_instance_set_buffer_size(set, rec->order->buffer >> 10, -1))
		return set_up_failed("cannot set the buffers' size");
	/* One clock for all processors, and that of the module's own times */
	if (tracefs_instance_file_write(set, "trace_clock", "mono") < 0)
		return set_up_failed("cannot set the clock of the trace");
	return 0;
}

static const struct tep_format_field *field(const struct tep_event *event,
					    const char *name)
{
	return tep_find_field((struct tep_event *)event, name);
}

/* Return: 0, or FAILED if a field that is needed is not there. */
static int find_fields(struct kind *k)
{
	const struct tep_event *e = k->event;

	if (!strcmp(e->system, systems[POINTS])) {
		k->type = REC_POINT;
		k->cpu = field(e, "cpu");
		k->n = field(e, "n");
		k->first = field(e, "first");
		k->start_cycles = field(e, "start_cycles");
		k->start_ns = field(e, "start_ns");
		k->end_cycles = field(e, "end_cycles");
		k->end_ns = field(e, "end_ns");
		k->words = field(e, "words");
		if (k->cpu && k->n && k->first && k->start_cycles &&
		    k->start_ns && k->end_cycles && k->end_ns && k->words)
			return 0;
	} else if (!strcmp(e->name, "sched_switch")) {
		k->type = REC_SWITCH;
		k->from = field(e, "prev_pid");
		k->from_comm = field(e, "prev_comm");
		k->state = field(e, "prev_state");
		k->to = field(e, "next_pid");
		k->to_comm = field(e, "next_comm");
		if (k->from && k->from_comm && k->state && k->to && k->to_comm)
			return 0;
	} else if (!strcmp(e->name, "sched_process_fork")) {
		k->type = REC_FORK;
		k->from = field(e, "parent_pid");
		k->to = field(e, "child_pid");
		k->to_comm = field(e, "child_comm");
		if (k->from && k->to && k->to_comm)
			return 0;
	} else if (!strcmp(e->name, "sched_process_exec")) {
		k->type = REC_EXEC;
		k->from = field(e, "pid");
		k->from_comm = field(e, "filename");
		if (k->from && k->from_comm)
			return 0;
	} else {
		k->type = REC_EXIT;
		k->from = field(e, "pid");
		if (k->from)
			return 0;
	}
	return fail("the kernel's event %s:%s lacks a field that is known here",
		    e->system, e->name);
}

/*
 * Only the events that are asked for are learned: what libtracefs can learn of
 * the kernel at once has all its symbols, which takes longer than many a command.
 */
static struct tep_event *learn_event(struct recorder *rec, const char *system,
				     const char *name)
{
	int size;
	char *format =
		tracefs_event_file_read(NULL, system, name, "format", &size);
	bool known;

	known = format && !tep_parse_event(rec->tep, format, size, system);
	free(format);
	return known ? tep_find_event_by_name(rec->tep, system, name) : NULL;
}

static int add_kind(struct recorder *rec, const char *system, const char *name)
{
	struct tep_event *event = learn_event(rec, system, name);
	struct kind *kinds;

	if (!event)
		return fail("the kernel has no event %s:%s", system, name);
	kinds = realloc(rec->kinds, (rec->nkinds + 1) * sizeof(*kinds));
	if (!kinds)
		return fail("out of memory");
	rec->kinds = kinds;
	kinds[rec->nkinds] = (struct kind){.event = event};
	return find_fields(&kinds[rec->nkinds++]);
}

/* How a page of the buffers is laid out. */
static int learn_pages(struct recorder *rec)
{
	int size, err = -1;
	char *format =
		tracefs_instance_file_read(NULL, "events/header_page", &size);

	rec->tep = tep_alloc();
	if (rec->tep && format)
		err = tep_parse_header_page(rec->tep, format, size,
					    sizeof(long));
	free(format);
	return err ? set_up_failed("cannot read the formats of events") : 0;
}

static int learn_events(struct recorder *rec)
{
	char *there;
	int status;
	size_t i;

	there = tracefs_event_get_file(NULL, systems[POINTS], points_event,
				       "id");
	status = there ? access(there, F_OK) : -1;
	tracefs_put_tracing_file(there);
	if (status)
		return fail("the module has no tracepoint %s:%s in %s: %s",
			    systems[POINTS], points_event,
			    tracefs_tracing_dir(),
			    "load one that was built for a kernel with tracing");
	status = learn_pages(rec);
	if (!status)
		status = add_kind(rec, systems[POINTS], points_event);
	for (i = 0; !status && i < ARRAY_SIZE(sched_events); i++)
		status = add_kind(rec, systems[SCHED], sched_events[i]);
	return status;
}

/* An event, or with NULL all of a system. */
static int turn(struct tracefs_instance *set, const char *system,
		const char *event, const char *on)
{
	char path[96];

	snprintf(path, sizeof(path), "events/%s/%s%senable", system,
		 event ? event : "", event ? "/" : "");
	return tracefs_instance_file_write(set, path, on) < 0 ? -1 : 0;
}

/*
 * All points so far are in the buffers then, and each processor has said which number
 * its next one has.  Return: 0 or -errno.
 */
static int flush_points(void)
{
	int fd = open(flush_file, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, "1", 1) != 1)
		err = -errno;
	close(fd);
	return err;
}

/* From now on it is recorded; of the scheduler, the child and its own. */
static int enable(struct recorder *rec)
{
	char pid[24];
	size_t i;
	int err;

	snprintf(pid, sizeof(pid), "%d", rec->child);
	if (tracefs_instance_file_write(rec->sets[SCHED], "set_event_pid",
					pid) < 0 ||
	    tracefs_option_enable(rec->sets[SCHED], TRACEFS_OPTION_EVENT_FORK))
		return set_up_failed("cannot choose the tasks of the trace");
	for (i = 0; i < ARRAY_SIZE(sched_events); i++)
		if (turn(rec->sets[SCHED], systems[SCHED], sched_events[i],
			 "1"))
			return set_up_failed("cannot turn sched events on");
	if (turn(rec->sets[POINTS], systems[POINTS], points_event, "1"))
		return set_up_failed("cannot turn the module's events on");
	err = flush_points();
	if (err)
		return fail("%s: %s", flush_file, strerror(-err));
	return 0;
}

static bool still_on(const struct recorder *rec)
{
	char path[96], *on;
	bool is;

	snprintf(path, sizeof(path), "events/%s/%s/enable", systems[POINTS],
		 points_event);
	on = tracefs_instance_file_read(rec->sets[POINTS], path, NULL);
	is = on && *on == '1';
	free(on);
	return is;
}

static void disable(struct recorder *rec)
{
	int err;

	if (rec->off)
		return;
	rec->off = true;
	err = flush_points();
	/* A module that was unloaded, and loaded again perhaps, does not tell us */
	if (!still_on(rec))
		err = -ENOENT;
	if (err && !rec->err)
		rec->err = err;
	turn(rec->sets[POINTS], systems[POINTS], points_event, "0");
	turn(rec->sets[SCHED], systems[SCHED], NULL, "0");
}

/* ---- from the buffers to the file ---------------------------------------------------- */

static __u64 number(const struct tep_format_field *f, const void *data)
{
	const void *at = (const char *)data + f->offset;

	switch (f->size) {
	case 1:
		return *(const __u8 *)at;
	case 2:
		return *(const __u16 *)at;
	case 4:
		return *(const __u32 *)at;
	case 8:
		return *(const __u64 *)at;
	}
	return 0;
}

/* A string of the event; an array, or somewhere behind the fields. */
static void text(const struct tep_format_field *f, const struct tep_record *r,
		 char *buf, size_t size)
{
	size_t offset = f->offset, len = f->size, most;

	if (f->flags & TEP_FIELD_IS_DYNAMIC) {
		offset = number(f, r->data) & 0xffff;
		if (f->flags & TEP_FIELD_IS_RELATIVE)
			offset += f->offset + f->size;
		len = r->size;
	}
	most = offset < (size_t)r->size ? r->size - offset : 0;
	if (len > most)
		len = most;
	snprintf(buf, size, "%.*s", (int)len, (const char *)r->data + offset);
}

static bool remember_pid(struct recorder *rec, __s32 pid)
{
	__s32 *pids;

	if (pid < 0 || pid >= MOST_PID)
		return false;
	if (rec->names[pid])
		return true;
	if (rec->npids == rec->pid_room) {
		rec->pid_room = rec->pid_room ? 2 * rec->pid_room : 64;
		pids = realloc(rec->pids, rec->pid_room * sizeof(*pids));
		if (!pids) {
			rec->err = -ENOMEM;
			return false;
		}
		rec->pids = pids;
	}
	rec->names[pid] = calloc(1, sizeof(**rec->names));
	if (!rec->names[pid]) {
		rec->err = -ENOMEM;
		return false;
	}
	rec->pids[rec->npids++] = pid;
	return true;
}

static void remember_name(struct recorder *rec, __s32 pid, const char *name)
{
	struct names *names;
	int i;

	if (!pid || !remember_pid(rec, pid))
		return;
	names = rec->names[pid];
	if (names->n && !strcmp(names->name[names->n - 1], name))
		return;
	if (names->n == ARRAY_SIZE(names->name)) {
		free(names->name[0]);
		for (i = 1; i < names->n; i++)
			names->name[i - 1] = names->name[i];
		names->n--;
	}
	names->name[names->n] = strdup(name);
	if (names->name[names->n])
		names->n++;
	else
		rec->err = -ENOMEM;
}

static void remember_id(struct recorder *rec, __u32 id)
{
	__u32 *ids;
	size_t i;

	/* The newest are met most */
	for (i = rec->nids; i-- > 0;)
		if (rec->ids[i] == id)
			return;
	if (rec->nids == rec->id_room) {
		rec->id_room = rec->id_room ? 2 * rec->id_room : 64;
		ids = realloc(rec->ids, rec->id_room * sizeof(*ids));
		if (!ids) {
			rec->err = -ENOMEM;
			return;
		}
		rec->ids = ids;
	}
	rec->ids[rec->nids++] = id;
}

static char state_letter(__u64 state)
{
	static const char letters[] = "SDTtXZPI";
	int bit;

	for (bit = 0; bit < 8; bit++)
		if (state >> bit & 1)
			return letters[bit];
	return 'R';
}

static void between_events(struct recorder *rec);

static void put_event(struct recorder *rec, const struct rec_event *e,
		      const char *word)
{
	int err = rec_event(&rec->out, e, word);

	if (err && !rec->err)
		rec->err = err;
	if (!(++rec->taken % TURN))
		between_events(rec);
}

static void take_point(struct recorder *rec, const struct ipcdemo_step *step,
		       __u64 t, int cpu)
{
	__u64 flags = IPCDEMO_STEP_FLAGS(step->what);
	size_t point = IPCDEMO_STEP_POINT(step->what);
	struct rec_event e = {
		.t = t,
		.type = REC_POINT,
		.region = flags & IPCDEMO_STEP_REGION,
		.cpu = cpu,
		.pid = step->pid,
		.id = step->id,
		.slot = -1,
		.offset = step->place,
		.len = step->len,
		.head = -1,
		.tail = -1,
		.decided = step->decided,
	};

	if (flags & IPCDEMO_STEP_WAITED) {
		e.wait_ns = step->len;
		e.len = -1;
	}
	if (flags & IPCDEMO_STEP_CHOSEN) {
		e.other = step->decided;
		e.decided = -1;
	}
	if (!e.region) {
		__u32 head = step->place >> 32, tail = step->place, at = head;

		if (IPCDEMO_STEP_AT(step->what) == IPCDEMO_STEP_AT_TAIL)
			at = tail;
		if (IPCDEMO_STEP_AT(step->what) == IPCDEMO_STEP_AT_BEFORE_HEAD)
			at--;
		e.nr = 1u << IPCDEMO_STEP_ORDER(step->what);
		e.slot = at & (e.nr - 1);
		e.offset = IPCDEMO_STEP_OFFSET(step->what);
		e.head = head;
		e.tail = tail;
	}
	rec->points++;
	remember_id(rec, e.id);
	remember_pid(rec, e.pid);
	if (e.other)
		remember_pid(rec, e.other);
	put_event(rec, &e, ipcdemo_cell(&rec->names_of_points, point, "point"));
}

/* When a step was, from the two moments between which its batch was filled. */
static __u64 time_of(const struct kind *k, const void *data, __u64 cycles)
{
	__u64 start = number(k->start_cycles, data);
	__u64 end = number(k->end_cycles, data);
	__u64 start_ns = number(k->start_ns, data);
	__u64 end_ns = number(k->end_ns, data);

	/* A clock that was set back, or stood still, tells nothing more */
	if (cycles <= start || end <= start || end_ns <= start_ns)
		return start_ns;
	if (cycles >= end)
		return end_ns;
	return start_ns + (__u64)((long double)(end_ns - start_ns) *
				  (cycles - start) / (end - start));
}

static bool all_known(const struct recorder *rec)
{
	int cpu;

	for (cpu = 0; cpu < rec->cpus; cpu++)
		if (!rec->counted[cpu].known)
			return false;
	return true;
}

/* All processors have said where they are: the command may go. */
static void begin(struct recorder *rec)
{
	struct counted *c;

	for (c = rec->counted; c < rec->counted + rec->cpus; c++) {
		c->first = c->end;
		c->taken = 0;
	}
	rec->begun = true;
	if (write(rec->go, "g", 1) != 1 && !rec->err)
		rec->err = -errno;
}

static void take_batch(struct recorder *rec, const struct kind *k,
		       const struct tep_record *r)
{
	__u64 n = number(k->n, r->data), first = number(k->first, r->data);
	__u64 cpu = number(k->cpu, r->data);
	size_t offset = number(k->words, r->data) & 0xffff;
	struct counted *counted;
	struct ipcdemo_step step;
	__u64 i, t;

	if (cpu >= (__u64)rec->cpus || n > IPCDEMO_BATCH_MOST ||
	    offset + n * sizeof(step) > (size_t)r->size) {
		rec->err = rec->err ? rec->err : -EPROTO;
		return;
	}
	counted = &rec->counted[cpu];
	if (!counted->known || first < counted->first)
		counted->first = first;
	if (!counted->known || first + n > counted->end)
		counted->end = first + n;
	counted->known = true;
	counted->taken += n;
	if (!rec->begun) {
		if (!(++rec->taken % TURN))
			between_events(rec);
		if (all_known(rec))
			begin(rec);
		return;
	}
	for (i = 0; i < n; i++) {
		memcpy(&step, (char *)r->data + offset + i * sizeof(step),
		       sizeof(step));
		t = time_of(k, r->data, step.cycles);
		if (IPCDEMO_STEP_POINT(step.what) >= rec->names_of_points.rows)
			rec->err = rec->err ? rec->err : -EPROTO;
		else
			take_point(rec, &step, t, cpu);
	}
}

/* As the kernel names a task that has begun a file. */
static const char *command_of(char *path)
{
	char *slash = strrchr(path, '/'), *word = slash ? slash + 1 : path;

	if (strlen(word) > MOST_COMMAND)
		word[MOST_COMMAND] = '\0';
	return word;
}

static int take_event(struct tep_event *event, struct tep_record *r, int cpu,
		      void *context)
{
	struct rec_event e = {.t = r->ts, .cpu = cpu};
	struct recorder *rec = context;
	const struct kind *k = NULL;
	char name[64], path[PATH_MAX];
	const char *word = NULL;
	size_t i;

	for (i = 0; i < rec->nkinds && !k; i++)
		if (rec->kinds[i].event->id == event->id)
			k = &rec->kinds[i];
	if (!k)
		return 0;
	e.type = k->type;
	if (k->from)
		e.pid = number(k->from, r->data);
	switch (k->type) {
	case REC_POINT:
		take_batch(rec, k, r);
		return 0;
	case REC_SWITCH:
		e.other = number(k->to, r->data);
		e.state = state_letter(number(k->state, r->data));
		text(k->from_comm, r, name, sizeof(name));
		remember_name(rec, e.pid, name);
		text(k->to_comm, r, name, sizeof(name));
		remember_name(rec, e.other, name);
		break;
	case REC_FORK:
		e.other = number(k->to, r->data);
		text(k->to_comm, r, name, sizeof(name));
		remember_name(rec, e.other, name);
		break;
	case REC_EXEC:
		text(k->from_comm, r, path, sizeof(path));
		word = command_of(path);
		remember_name(rec, e.pid, word);
		break;
	case REC_EXIT:
		break;
	}
	put_event(rec, &e, word);
	return 0;
}

static __u32 cell_number(const struct ipcdemo_table *table, size_t row,
			 const char *column)
{
	const char *cell = ipcdemo_cell(table, row, column);

	return cell ? strtoul(cell, NULL, 10) : 0;
}

/* Looks for an object in a list.  Return: whether it is there. */
static bool tell_object(struct recorder *rec, const struct ipcdemo_table *list,
			bool region, __u32 id)
{
	struct rec_object object = {.id = id, .region = region};
	const char *name;
	size_t row;
	int err;

	for (row = 0; row < list->rows; row++) {
		if (cell_number(list, row, "id") != id)
			continue;
		name = ipcdemo_cell(list, row, "name");
		snprintf(object.name, sizeof(object.name), "%s",
			 name ? name : "");
		object.slots = cell_number(list, row, "slots");
		object.used = cell_number(list, row, "used");
		err = rec_object(&rec->out, &object);
		if (err && !rec->err)
			rec->err = err;
		return true;
	}
	return false;
}

/*
 * Objects that came since the last time have names as long as they are there.  The
 * file has them at once, for those who read it while it grows.
 */
static void tell_objects(struct recorder *rec)
{
	struct ipcdemo_table now[2] = {0};
	bool listed = false;
	int kind;

	if (rec->told == rec->nids)
		return;

	for (; rec->told < rec->nids; rec->told++) {
		__u32 id = rec->ids[rec->told];

		for (kind = IPCDEMO_PIPE; kind <= IPCDEMO_REGION; kind++)
			if (tell_object(rec, &rec->start[kind], kind, id))
				break;
		if (kind <= IPCDEMO_REGION)
			continue;
		for (kind = IPCDEMO_PIPE; kind <= IPCDEMO_REGION; kind++) {
			if (!listed &&
			    ipcdemo_list(rec->cli->ipc, kind, &now[kind]))
				now[kind] = (struct ipcdemo_table){0};
			tell_object(rec, &now[kind], kind, id);
		}
		listed = true;
	}
	ipcdemo_table_free(&now[IPCDEMO_PIPE]);
	ipcdemo_table_free(&now[IPCDEMO_REGION]);
	if (fflush(rec->out.file) && !rec->err)
		rec->err = -errno;
}

static void empty_buffers(struct recorder *rec)
{
	int i;

	for (i = 0; i < NR_SETS; i++)
		tracefs_iterate_raw_events(rec->tep, rec->sets[i], NULL, 0,
					   take_event, rec);
	if (!rec->begun)
		begin(rec);
	tell_objects(rec);
}

static __u64 lost_points(const struct counted *c)
{
	return c->end - c->first - c->taken;
}

/* "overrun: 12": how many of a processor's events had no room. */
static __u64 lost_on(struct tracefs_instance *set, int cpu)
{
	static const char *const keys[] = {"\noverrun: ", "\ncommit overrun: ",
					   "\ndropped events: "};
	char path[48], *stats, *at;
	__u64 lost = 0;
	size_t i;

	snprintf(path, sizeof(path), "per_cpu/cpu%d/stats", cpu);
	stats = tracefs_instance_file_read(set, path, NULL);
	for (i = 0; stats && i < ARRAY_SIZE(keys); i++) {
		at = strstr(stats, keys[i]);
		if (at)
			lost += strtoull(at + strlen(keys[i]), NULL, 10);
	}
	free(stats);
	return lost;
}

/* The names of tasks that are not the command's, as far as the kernel kept them. */
static void tell_tasks(struct recorder *rec)
{
	const char *comm;
	struct names *names;
	size_t i;
	int err;

	tracefs_load_cmdlines(NULL, rec->tep);
	for (i = 0; i < rec->npids; i++) {
		names = rec->names[rec->pids[i]];
		if (!names->n && rec->pids[i]) {
			comm = tep_data_comm_from_pid(rec->tep, rec->pids[i]);
			if (comm && *comm != '<')
				remember_name(rec, rec->pids[i], comm);
		}
		if (!names->n)
			continue;
		err = rec_task(&rec->out, rec->pids[i], names->name, names->n);
		if (err && !rec->err)
			rec->err = err;
	}
}

/* ---- the command ------------------------------------------------------------------ */

static int block_signals(struct recorder *rec, sigset_t *before)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, before))
		return fail("sigprocmask: %s", strerror(errno));
	rec->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (rec->signals < 0)
		return fail("signalfd: %s", strerror(errno));
	return 0;
}

/* It waits until it is recorded. */
static int start_child(struct recorder *rec, const sigset_t *mask)
{
	int go[2];
	char byte;

	if (pipe2(go, O_CLOEXEC))
		return fail("pipe: %s", strerror(errno));
	/* Children whose parents ended shall become ours: they are waited for */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fflush(NULL);
	rec->child = fork();
	if (rec->child < 0)
		return fail("cannot start a process: %s", strerror(errno));
	if (!rec->child) {
		close(go[1]);
		sigprocmask(SIG_SETMASK, mask, NULL);
		/* We have ended, and nobody would record it */
		if (read(go[0], &byte, 1) != 1)
			_exit(FAILED);
		exit(become_command(rec->cli, rec->order->argv,
				    rec->order->ours));
	}
	rec->go = go[1];
	rec->goes = go[0];
	return 0;
}

/* Takes leave of children that ended.  Return: whether there are more. */
static bool reap(struct recorder *rec)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, WNOHANG);
		if (!pid)
			return true;
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return false;
		if (pid != rec->child)
			continue;
		rec->child_ended = true;
		rec->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status)
						  : WEXITSTATUS(status);
	}
}

/*
 * Ctrl-C goes to the command itself; what only we get, it gets from us.  Once it
 * has ended, Ctrl-C is for us: we wait only for what it left behind.
 */
static void take_signals(struct recorder *rec)
{
	struct signalfd_siginfo info;

	while (read(rec->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGTERM:
		case SIGHUP:
			rec->hurry = true;
			if (!rec->child_ended)
				kill(rec->child, info.ssi_signo);
			break;
		case SIGINT:
		case SIGQUIT:
			rec->hurry |= rec->child_ended;
			break;
		}
	}
}

/* Whether there is nothing more to wait for. */
static bool is_over(struct recorder *rec)
{
	return !reap(rec) || (rec->hurry && rec->child_ended);
}

/*
 * The buffers of a busy machine are filled as fast as they are emptied, and never
 * found empty.  Once all is over nothing is added any more, so that what they have
 * is taken, to the last event, and has an end.
 */
static void between_events(struct recorder *rec)
{
	if (rec->off)
		return;
	take_signals(rec);
	tell_objects(rec);
	if (is_over(rec))
		disable(rec);
}

static void wait_for_command(struct recorder *rec)
{
	struct pollfd signals = {.fd = rec->signals, .events = POLLIN};

	empty_buffers(rec);
	while (!is_over(rec)) {
		poll(&signals, 1, PERIOD);
		take_signals(rec);
		empty_buffers(rec);
	}
}

/* ---- the whole ---------------------------------------------------------------------- */

static int check(struct recorder *rec)
{
	char ns[64] = "";
	int kind;

	if (ipcdemo_check(rec->cli->ipc))
		return fail_ipc(rec->cli);
	if (geteuid())
		return fail("record needs root: it reads the kernel's trace");
	/* That of the initial one has a fixed number */
	if (readlink("/proc/self/ns/pid", ns, sizeof(ns) - 1) > 0 &&
	    strcmp(ns, "pid:[4026531836]"))
		return fail("record works in the initial pid namespace");
	if (!tracefs_tracing_dir())
		return fail("no tracefs: mount -t tracefs none %s",
			    "/sys/kernel/tracing");
	for (kind = IPCDEMO_PIPE; kind <= IPCDEMO_REGION; kind++)
		if (ipcdemo_list(rec->cli->ipc, kind, &rec->start[kind]))
			return fail_ipc(rec->cli);
	if (ipcdemo_points(rec->cli->ipc, &rec->names_of_points))
		return fail_ipc(rec->cli);
	rec->names = calloc(MOST_PID, sizeof(*rec->names));
	rec->counted = calloc(rec->cpus, sizeof(*rec->counted));
	if (!rec->names || !rec->counted)
		return fail("out of memory");
	return learn_events(rec);
}

static int open_file(struct recorder *rec)
{
	struct recording head = {
		.cpus = rec->cpus,
		.buffer = rec->order->buffer,
		.ours = rec->order->ours,
		.start = now_ns(),
	};
	struct ipcdemo_module module;
	int err;

	if (ipcdemo_module(rec->cli->ipc, &module))
		return fail_ipc(rec->cli);
	snprintf(head.module, sizeof(head.module), "%s", module.version);
	err = rec_begin(&rec->out, rec->order->path, &head, rec->order->argv);
	if (err)
		return fail("cannot write %s: %s", rec->order->path,
			    strerror(-err));
	rec->open = true;
	return 0;
}

/* What was recorded, and what not: on stderr, stdout is the command's. */
static void say_how_much(const struct recorder *rec, const __u64 *points,
			 const __u64 *sched)
{
	__u64 lost[NR_SETS] = {0};
	int cpu;

	for (cpu = 0; cpu < rec->cpus; cpu++) {
		lost[POINTS] += points[cpu];
		lost[SCHED] += sched[cpu];
	}
	fprintf(stderr, "ipcdemo: %s has %llu points; ", rec->order->path,
		rec->points);
	if (!lost[POINTS] && !lost[SCHED]) {
		fputs("nothing was lost\n", stderr);
		return;
	}
	fprintf(stderr,
		"%llu points and %llu events of the scheduler were lost (",
		lost[POINTS], lost[SCHED]);
	for (cpu = 0; cpu < rec->cpus; cpu++)
		fprintf(stderr, "%sprocessor %d: %llu", cpu ? ", " : "", cpu,
			points[cpu] + sched[cpu]);
	fputs("): a larger --buffer keeps more\n", stderr);
}

static int finish(struct recorder *rec)
{
	__u64 *lost[NR_SETS];
	int i, cpu, err;

	disable(rec);
	empty_buffers(rec);
	tell_tasks(rec);
	for (i = 0; i < NR_SETS; i++) {
		lost[i] = calloc(rec->cpus, sizeof(**lost));
		for (cpu = 0; lost[i] && cpu < rec->cpus; cpu++)
			lost[i][cpu] = i == POINTS
					       ? lost_points(&rec->counted[cpu])
					       : lost_on(rec->sets[i], cpu);
	}
	if (!lost[POINTS] || !lost[SCHED])
		rec->err = -ENOMEM;
	if (!rec->err) {
		rec->open = false;
		err = rec_end(&rec->out, now_ns(), rec->status, lost[POINTS],
			      lost[SCHED], rec->cpus);
		if (err)
			rec->err = err;
		else
			say_how_much(rec, lost[POINTS], lost[SCHED]);
	}
	free(lost[POINTS]);
	free(lost[SCHED]);
	if (!rec->err)
		return 0;
	if (rec->err == -ENOENT)
		return fail("%s: the module was unloaded meanwhile: the recording is not whole",
			    rec->order->path);
	if (rec->err == -EPROTO)
		return fail("%s: the kernel told of points that are not known here: %s",
			    rec->order->path,
			    "does the module fit this program?");
	return fail("cannot write %s: %s: the recording is not whole",
		    rec->order->path, strerror(-rec->err));
}

static void clean_up(struct recorder *rec)
{
	size_t i;
	int n;

	for (i = 0; i < rec->npids; i++) {
		for (n = 0; n < rec->names[rec->pids[i]]->n; n++)
			free(rec->names[rec->pids[i]]->name[n]);
		free(rec->names[rec->pids[i]]);
	}
	free(rec->names);
	free(rec->counted);
	ipcdemo_table_free(&rec->names_of_points);
	free(rec->pids);
	free(rec->ids);
	free(rec->kinds);
	ipcdemo_table_free(&rec->start[IPCDEMO_PIPE]);
	ipcdemo_table_free(&rec->start[IPCDEMO_REGION]);
	tep_free(rec->tep);
	for (n = 0; n < NR_SETS; n++)
		tracefs_instance_free(rec->sets[n]);
	if (rec->open)
		fclose(rec->out.file);
	if (rec->signals >= 0)
		close(rec->signals);
	if (rec->go >= 0)
		close(rec->go);
	if (rec->goes >= 0)
		close(rec->goes);
}

static int run_and_record(struct recorder *rec)
{
	sigset_t before;
	int status, i;

	status = start_guard(rec);
	for (i = 0; i < NR_SETS && !status; i++)
		status = make_set(rec, i);
	if (!status)
		status = block_signals(rec, &before);
	if (!status)
		status = open_file(rec);
	if (!status)
		status = start_child(rec, &before);
	if (!status)
		status = enable(rec);
	if (status)
		return status;
	wait_for_command(rec);
	return finish(rec);
}

/* One more than the highest number: "0-3,8-11" has 12. */
static int possible_cpus(void)
{
	FILE *from = fopen("/sys/devices/system/cpu/possible", "re");
	char text[4096] = "", *at, *last = text;

	if (from && fgets(text, sizeof(text), from))
		for (at = text; *at; at++)
			if (*at == '-' || *at == ',')
				last = at + 1;
	if (from)
		fclose(from);
	return *last ? atoi(last) + 1 : sysconf(_SC_NPROCESSORS_CONF);
}

int record(struct cli *cli, const struct record_order *order, int *status)
{
	struct recorder rec = {
		.cli = cli,
		.order = order,
		.cpus = possible_cpus(),
		.signals = -1,
		.go = -1,
		.goes = -1,
		.guard = -1,
	};
	int i, err, removed;

	for (i = 0; i < NR_SETS; i++)
		snprintf(rec.set_names[i], sizeof(rec.set_names[i]),
			 "ipcdemo-%s-%d", i == POINTS ? "points" : "sched",
			 getpid());
	err = check(&rec);
	if (!err)
		err = run_and_record(&rec);
	/* Its files are closed first: then the instances can go */
	clean_up(&rec);
	removed = end_guard(&rec);
	*status = rec.status;
	return err ? err : removed;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Points from tracefs (see watch_points.h)
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <tracefs.h>
#include <unistd.h>

#include "watch_points.h"

#define SYSTEM	  "ipcdemo"
#define PREFIX	  "ipcdemo-watch-"

/* What the kernel keeps between two looks, a processor, in KiB. */
#define BUFFER_KB 128

/* So many points are remembered. */
#define POINTS	  8192

/* Of so many processes the commands are, for the time of a look. */
#define COMMANDS  64

/**
 * struct watch_points - points that were passed
 * @instance:	that of tracefs
 * @tep:	knows the format of the events
 * @guard:	the process that removes it if we cannot
 * @alive:	our end of the pipe that tells it
 * @point:	the last of them: the n-th of all is at n modulo POINTS
 * @n:		how many there were
 * @taken:	how many of them the last look has
 * @lost:	the next one comes behind some that were not kept
 * @command:	of processes, found for one look
 * @look:	the look for which they were taken last
 * @first_look:	the first one that has all of its points
 * @filter:	which objects are traced
 */
struct watch_points {
	struct tracefs_instance *instance;
	struct tep_handle *tep;
	pid_t guard;
	int alive;
	struct watch_point point[POINTS];
	size_t n;
	size_t taken;
	bool lost;
	struct {
		pid_t pid;
		unsigned int look;
		char name[sizeof(((struct watch_point *)NULL)->command)];
	} command[COMMANDS];
	unsigned int look;
	unsigned int first_look;
	char filter[512];
};

/* ---- the instance ----------------------------------------------------------- */

/* When a process began, in ticks: with the pid, its name for all time. */
static unsigned long long start_time(pid_t pid)
{
	unsigned long long start = 0;
	char path[40], text[1024];
	const char *rest;
	FILE *from;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	from = fopen(path, "re");
	if (!from)
		return 0;
	/* The command may have any character: behind the last ')'. */
	if (fgets(text, sizeof(text), from)) {
		rest = strrchr(text, ')');
		if (rest)
			sscanf(rest + 1,
			       " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
			       &start);
	}
	fclose(from);
	return start;
}

static void remove_instance(const char *name)
{
	struct tracefs_instance *instance = tracefs_instance_create(name);

	if (!instance)
		return;
	tracefs_event_disable(instance, NULL, NULL);
	tracefs_instance_destroy(instance);
	tracefs_instance_free(instance);
}

/* Those of processes that have ended without removing theirs. */
static void remove_stale(void)
{
	char **names = tracefs_instances("^" PREFIX "[0-9]*-[0-9]*$");
	unsigned long long start;
	int i, pid;

	for (i = 0; names && names[i]; i++)
		if (sscanf(names[i], PREFIX "%d-%llu", &pid, &start) == 2 &&
		    start_time(pid) != start)
			remove_instance(names[i]);
	tracefs_list_free(names);
}

/* Waits until we have ended, whatever way, and removes what is left then. */
static void stand_guard(int alive, const char *name)
{
	sigset_t all;
	char byte;
	int fd;

	/* Nothing of the terminal's is for it. */
	setsid();
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	prctl(PR_SET_NAME, "ipcdemo-guard");
	for (fd = 0; fd < 256; fd++)
		if (fd != alive)
			close(fd);
	while (read(alive, &byte, 1) < 0 && errno == EINTR)
		;
	if (tracefs_instance_exists(name))
		remove_instance(name);
	_exit(0);
}

static int begin_guard(struct watch_points *p, const char *name)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	p->guard = fork();
	if (!p->guard) {
		close(ends[1]);
		stand_guard(ends[0], name);
	}
	close(ends[0]);
	p->alive = ends[1];
	return p->guard < 0 ? -errno : 0;
}

static int begin_instance(struct watch_points *p)
{
	char name[64];

	remove_stale();
	snprintf(name, sizeof(name), PREFIX "%d-%llu", getpid(),
		 start_time(getpid()));
	if (begin_guard(p, name))
		return -errno;
	p->instance = tracefs_instance_create(name);
	if (!p->instance)
		return -errno ?: -EIO;
	tracefs_instance_set_buffer_size(p->instance, BUFFER_KB, -1);
	/* The clock of the looks. */
	if (tracefs_instance_file_write(p->instance, "trace_clock", "mono") < 0)
		return -EIO;
	/* Of no object, until we are told of which. */
	if (watch_points_of(p, NULL, 0) ||
	    tracefs_event_enable(p->instance, SYSTEM, NULL))
		return -EIO;
	return 0;
}

struct watch_points *watch_points_begin(char *why, size_t size)
{
	static const char *const systems[] = {SYSTEM, NULL};
	struct watch_points *p = NULL;
	const char *path = NULL;
	char events[300];
	int err;

	tracefs_set_loglevel(TEP_LOG_NONE);
	tep_set_loglevel(TEP_LOG_NONE);
	if (getenv("IPCDEMO_ROOT")) {
		snprintf(why, size, "a made-up machine");
		return NULL;
	}
	if (tracefs_tracing_dir_is_mounted(false, &path) <= 0 || !path) {
		snprintf(why, size, "tracefs is not mounted");
		return NULL;
	}
	snprintf(events, sizeof(events), "%s/events/" SYSTEM, path);
	if (access(events, R_OK | X_OK)) {
		snprintf(why, size,
			 errno == EACCES ? "tracefs is for root"
					 : "the module has no tracepoints");
		return NULL;
	}
	p = calloc(1, sizeof(*p));
	if (!p)
		goto fail;
	p->alive = -1;
	p->tep = tracefs_local_events_system(path, systems);
	if (!p->tep)
		goto fail;
	err = begin_instance(p);
	if (!err)
		return p;
	errno = -err;
fail:
	snprintf(why, size, "tracefs: %s", strerror(errno));
	watch_points_end(p);
	return NULL;
}

int watch_points_of(struct watch_points *p, const __u32 *ids, size_t n)
{
	char filter[sizeof(p->filter)];
	size_t i, len = 0;

	/* There is no object 0. */
	len = snprintf(filter, sizeof(filter), "id == 0");
	for (i = 0; i < n && len < sizeof(filter); i++)
		len += snprintf(filter + len, sizeof(filter) - len,
				" || id == %u", ids[i]);
	if (len >= sizeof(filter))
		return -EIO;
	if (!strcmp(filter, p->filter))
		return 0;
	if (tracefs_instance_file_write(p->instance, "events/" SYSTEM "/filter",
					filter) < 0)
		return -EIO;
	strcpy(p->filter, filter);
	/* Of those that are new, nothing is known before the next look. */
	p->first_look = p->look + 1;
	return 0;
}

void watch_points_end(struct watch_points *p)
{
	if (!p)
		return;
	if (p->instance) {
		tracefs_event_disable(p->instance, SYSTEM, NULL);
		tracefs_instance_destroy(p->instance);
		tracefs_instance_free(p->instance);
	}
	if (p->alive >= 0)
		close(p->alive);
	if (p->guard > 0)
		waitpid(p->guard, NULL, 0);
	if (p->tep)
		tep_free(p->tep);
	free(p);
}

/* ---- points -------------------------------------------------------------------- */

static long long number(struct tep_event *event, struct tep_record *record,
			const char *name)
{
	struct tep_format_field *field = tep_find_field(event, name);
	unsigned long long value;

	if (!field || tep_read_number_field(field, record->data, &value))
		return -1;
	/* Numbers of less than 64 bits come without their sign. */
	return field->size == 4 && field->flags & TEP_FIELD_IS_SIGNED
		       ? (int)value
		       : (long long)value;
}

/* The command that a process has now; one that executed another has its name. */
static void read_command(pid_t pid, char *name, size_t size)
{
	char path[40];
	FILE *from;

	*name = '\0';
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	from = fopen(path, "re");
	if (!from)
		return;
	if (fgets(name, size, from))
		name[strcspn(name, "\n")] = '\0';
	fclose(from);
}

static void find_command(struct watch_points *p, struct watch_point *point)
{
	size_t at = point->pid % COMMANDS;

	if (p->command[at].pid != point->pid ||
	    p->command[at].look != point->look) {
		p->command[at].pid = point->pid;
		p->command[at].look = point->look;
		read_command(point->pid, p->command[at].name,
			     sizeof(p->command[at].name));
	}
	strcpy(point->command, p->command[at].name);
}

static int turn(struct watch_points *p, const char *on)
{
	return tracefs_instance_file_write(p->instance, "tracing_on", on) < 0
		       ? -EIO
		       : 0;
}

static int take(struct tep_event *event, struct tep_record *record, int cpu,
		void *context)
{
	struct watch_points *p = context;
	struct watch_point *point = &p->point[p->n % POINTS];
	char *dot;

	(void)cpu;
	if (strcmp(event->system, SYSTEM))
		return 0;
	/* The look of the one that is written over is not complete any more. */
	if (p->n >= POINTS && point->look >= p->first_look)
		p->first_look = point->look + 1;
	memset(point, 0, sizeof(*point));
	point->look = p->look;
	point->at = record->ts / 1e9;
	snprintf(point->point, sizeof(point->point), "%s", event->name);
	dot = strchr(point->point, '_');
	if (dot)
		*dot = '.';
	point->pid = tep_data_pid(event->tep, record);
	point->id = number(event, record, "id");
	point->slot = number(event, record, "slot");
	point->offset = number(event, record, "offset");
	point->len = number(event, record, "len");
	point->head = number(event, record, "head");
	point->tail = number(event, record, "tail");
	point->other = number(event, record, "other");
	point->waited = number(event, record, "wait_ns") / 1e9;
	point->lost = record->missed_events != 0 || p->lost;
	p->lost = false;
	find_command(p, point);
	p->n++;
	/*
	 * They may come as fast as they are taken: then there would be no end of
	 * it, and only the last of them would be remembered.
	 */
	if (++p->taken == POINTS)
		turn(p, "0");
	return 0;
}

int watch_points_take(struct watch_points *p, unsigned int look)
{
	int err;

	p->look = look;
	p->taken = 0;
	err = tracefs_iterate_raw_events(p->tep, p->instance, NULL, 0, take, p)
		      ? -EIO
		      : 0;
	if (p->taken < POINTS)
		return err;
	p->lost = true;
	return turn(p, "1") ?: err;
}

const struct watch_point *watch_points_before(const struct watch_points *p,
					      __u32 id, unsigned int look,
					      size_t before, size_t *n)
{
	size_t first = p->n > POINTS ? p->n - POINTS : 0;
	const struct watch_point *point;

	if (before > p->n)
		before = p->n;
	while (before > first) {
		point = &p->point[--before % POINTS];
		if (point->id != id || point->look > look)
			continue;
		*n = before;
		return point;
	}
	return NULL;
}

bool watch_points_known(const struct watch_points *p, unsigned int look)
{
	return look >= p->first_look;
}

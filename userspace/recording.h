/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A recording: what passed while a command ran, as a file
 *
 * This header is the manual of the format.  A recording is JSON Lines: one JSON
 * object a line, in UTF-8, so that it can be read without ipcdemo.
 *
 *  - The first line says what it is, and how it was made:
 *	{"ipcdemo":"recording","version":1,"module":"0.1.0","clock":"mono",
 *	 "cpus":2,"buffer":4194304,"pipes":"ours","start":T,"command":["ps","aux"]}
 *  - Objects that were seen, as soon as they were; again when more is known:
 *	{"object":7,"kind":"pipe","name":"ipcdemo:[3]","slots":16,"used":0}
 *    slots and used (of a pipe) are what they were when the line was written.
 *  - Points, in the words of module/points.h:
 *	{"t":T,"at":"write.copy","cpu":0,"pid":812,"kind":"pipe","id":7,"slot":0,
 *	 "offset":0,"len":4096,"head":1,"tail":0,"decided":1,"other":813,
 *	 "wait":1200,"nr":16}
 *    What says nothing (-1; 0 for other, wait and nr) is left out.
 *  - What the scheduler did with tasks of the command:
 *	{"t":T,"switch":812,"to":813,"state":"S","cpu":0}
 *	{"t":T,"fork":812,"child":813}   {"t":T,"exec":813,"command":"grep"}
 *	{"t":T,"exit":813}
 *  - Names, the first of which a task had first:
 *	{"task":813,"commands":["bash","grep"]}
 *  - The last line, without which the recording is not whole; lines counts all
 *    others.  lost is what the kernel had no room for, by processor:
 *	{"end":T,"status":0,"lines":1234,"lost":{"points":[0,0],"sched":[0,0]}}
 *
 * T is in nanoseconds of CLOCK_MONOTONIC; lines need not be in its order.  Process
 * ids are those of the initial pid namespace.  A reader skips members and lines that it
 * does not know; what cannot be read so has a higher version.
 */
#ifndef RECORDING_H
#define RECORDING_H

#include <stdbool.h>
#include <stdio.h>
#include <linux/types.h>

#define RECORDING_VERSION 1

enum rec_type { REC_POINT, REC_SWITCH, REC_FORK, REC_EXEC, REC_EXIT };

/**
 * struct rec_event - one thing that happened
 * @t:		when, ns
 * @type:	what kind
 * @region:	a point of a region, not of a pipe
 * @state:	REC_SWITCH: the letter of the state that @pid is in from now on
 * @cpu:	where; -1 is not known
 * @word:	the point, or the new command: a number in recording.words
 * @pid:	who; with REC_SWITCH, who left the processor
 * @other:	with a point, whom a wake-up chose; REC_SWITCH: who got the
 *		processor; REC_FORK: the child
 * @id:		of the object
 * @nr:		slots of its ring; 0 of a region
 * @slot:	-1, as the next five, if the point does not say
 */
struct rec_event {
	__u64 t;
	enum rec_type type;
	bool region;
	char state;
	int cpu;
	int word;
	__s32 pid;
	__s32 other;
	__u32 id;
	__u32 nr;
	__s64 slot;
	__s64 offset;
	__s64 len;
	__s64 head;
	__s64 tail;
	__s64 decided;
	__u64 wait_ns;
};

/**
 * struct rec_object - an object that was seen
 * @name:	"" if nobody looked while it was there
 * @slots:	when it was first seen; 0 is not known
 * @used:	likewise
 */
struct rec_object {
	__u32 id;
	bool region;
	char name[256];
	__u32 slots;
	__u32 used;
};

struct rec_task {
	__s32 pid;
	int ncommands;
	int commands[8]; /* numbers in recording.words, the newest last */
};

/**
 * struct recording - a whole recording
 * @events:	in the order of time
 * @words:	each point and command once
 * @lost_points: how many points the kernel had no room for
 * @lost_sched:	likewise what the scheduler did
 */
struct recording {
	char module[32];
	char *command;
	bool ours;
	__u32 cpus;
	__u64 buffer;
	__u64 start;
	__u64 end;
	int status;
	__u64 lost_points;
	__u64 lost_sched;
	size_t nevents;
	struct rec_event *events;
	size_t nobjects;
	struct rec_object *objects;
	size_t ntasks;
	struct rec_task *tasks;
	int nwords;
	char **words;
};

/**
 * recording_read - read a whole recording
 * @why:	what is wrong with it, and where: one sentence
 *
 * Return: 0, or -1 with @why and an empty recording.
 */
int recording_read(const char *path, struct recording *rec, char *why,
		   size_t size);
void recording_free(struct recording *rec);

/* ---- writing -------------------------------------------------------------- */

/**
 * struct rec_writer - a recording that is being written
 * @lines:	how many were written
 */
struct rec_writer {
	FILE *file;
	__u64 lines;
};

/* Each returns 0 or -errno, what the file said when it was written. */
int rec_begin(struct rec_writer *w, const char *path,
	      const struct recording *head, char *const *argv);
int rec_event(struct rec_writer *w, const struct rec_event *e,
	      const char *word);
int rec_object(struct rec_writer *w, const struct rec_object *object);
int rec_task(struct rec_writer *w, __s32 pid, char *const *commands, int n);
int rec_end(struct rec_writer *w, __u64 t, int status, const __u64 *points,
	    const __u64 *sched, int cpus);

#endif /* RECORDING_H */

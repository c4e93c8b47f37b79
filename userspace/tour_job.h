/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One job of the tour, done in two ways: the bytes of a file go, record by record,
 * from one process to another, through a pipe or through a ring in a region
 */
#ifndef TOUR_JOB_H
#define TOUR_JOB_H

#include "access.h"
#include "lib/ipcdemo.h"

/* Bytes of a record, and of what a pipe or a ring has room for. */
#define JOB_RECORD 4096
#define JOB_ROOM   65536

/**
 * struct job_cost - what a way of doing it took
 * @copied:	bytes that somebody copied between the two processes
 * @calls:	system calls, each of which hands on bytes, waits or wakes
 * @wakes:	wake-ups that were sent
 * @woken:	tasks that they woke
 * @sleeps:	waits for the other process
 * @pages:	pages that had to be made or touched for the first time
 */
struct job_cost {
	__u64 copied;
	__u64 calls;
	__u64 wakes;
	__u64 woken;
	__u64 sleeps;
	__u64 pages;
};

/* What the two processes tell; each member is one's alone. */
struct job_report {
	__u64 sent;
	__u64 copied; /* by the sender, with memcpy() */
	__u64 received;
	__u64 sum;
};

/**
 * struct tour_job - the job
 * @input:	the bytes of the file: that of the command itself
 * @size:	how many
 * @times:	it is sent so often
 * @sum:	of all that is sent
 * @report:	seen by both processes
 * @ends:	of the pipe: to read, to write; -1
 * @region:	the region, or NULL
 * @ring:	in it, not joined
 */
struct tour_job {
	const unsigned char *input;
	size_t size;
	unsigned int times;
	__u64 sum;
	struct job_report *report;
	int ends[2];
	struct ipcdemo_region *region;
	struct ipcdemo_ring ring;
};

/* Return: 0 or -errno; job_end() in either case. */
int job_begin(struct tour_job *job);
void job_end(struct tour_job *job);

__u64 job_bytes(const struct tour_job *job);
__u64 job_records(const struct tour_job *job);
/*
 * Through a pipe: a write a record, and reads of a record's size.  A pipe knows no
 * records: a late reader gets the short last one of a round with some of the next.
 */
__u64 job_fewest_calls(const struct tour_job *job);

/**
 * struct job_way - a way of doing it
 * @make:	the object; with a control descriptor.  0 or -errno
 * @descriptor:	of the object, which keeps it when both processes have ended
 * @send:	the sender's part, in its process.  Return: its exit status
 * @receive:	likewise
 * @started:	in the process that started both: lets go of what they alone need
 */
struct job_way {
	int (*make)(struct tour_job *job, int control);
	int (*descriptor)(const struct tour_job *job);
	int (*send)(struct tour_job *job);
	int (*receive)(struct tour_job *job);
	void (*started)(struct tour_job *job);
};

extern const struct job_way job_by_pipe, job_by_ring;

/* From the counters of the objects, which nothing else used. */
void job_cost_of_pipe(const struct ipcdemo_pipe_view *view,
		      struct job_cost *cost);
void job_cost_of_ring(const struct ipcdemo_region_view *view,
		      const struct tour_job *job, struct job_cost *cost);

/* Both side by side. */
void job_compare(const struct tour_job *job, const struct job_cost *pipe,
		 const struct job_cost *ring);

#endif /* TOUR_JOB_H */

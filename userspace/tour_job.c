// SPDX-License-Identifier: GPL-2.0
/*
 * A job of the tour, done in two ways (see tour_job.h)
 *
 * Both ways take the same records of the same bytes, have the same room between the
 * processes, and leave the receiver with the same sum.  The pipe's sender writes a
 * record, its receiver reads one.  The ring's sender copies a record to where the
 * receiver, which sees the same memory, looks at it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "tour_job.h"

/* At least so many bytes go through. */
#define ENOUGH (4 << 20)

/* So many records are looked at in one go. */
#define BATCH  (JOB_ROOM / JOB_RECORD)

#define NOSUM  14695981039346656037ULL

/* FNV-1a: each byte, and its place, matters. */
static __u64 add_up(__u64 sum, const unsigned char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		sum = (sum ^ bytes[i]) * 1099511628211ULL;
	return sum;
}

__u64 job_bytes(const struct tour_job *job)
{
	return (__u64)job->size * job->times;
}

__u64 job_records(const struct tour_job *job)
{
	return (job->size + JOB_RECORD - 1) / JOB_RECORD * job->times;
}

__u64 job_fewest_calls(const struct tour_job *job)
{
	return job_records(job) +
	       (job_bytes(job) + JOB_RECORD - 1) / JOB_RECORD;
}

/* The next record of a round, from @at on. */
static size_t record_at(const struct tour_job *job, size_t at)
{
	return job->size - at < JOB_RECORD ? job->size - at : JOB_RECORD;
}

static int map_input(struct tour_job *job)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *input;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st)) {
		err = -errno;
	} else {
		input = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (input == MAP_FAILED)
			err = -errno;
		else
			job->input = input;
		job->size = st.st_size;
	}
	close(fd);
	return err;
}

int job_begin(struct tour_job *job)
{
	unsigned int i;
	void *report;
	int err;

	*job = (struct tour_job){.sum = NOSUM, .ends = {-1, -1}};
	err = map_input(job);
	if (err)
		return err;
	report = mmap(NULL, sizeof(*job->report), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED)
		return -errno;
	job->report = report;
	job->times = (ENOUGH + job->size - 1) / job->size;
	for (i = 0; i < job->times; i++)
		job->sum = add_up(job->sum, job->input, job->size);
	return 0;
}

static void close_end(int *end)
{
	if (*end >= 0)
		close(*end);
	*end = -1;
}

void job_end(struct tour_job *job)
{
	if (job->report)
		munmap(job->report, sizeof(*job->report));
	if (job->input)
		munmap((void *)job->input, job->size);
	close_end(&job->ends[0]);
	close_end(&job->ends[1]);
	ipcdemo_region_close(job->region);
	*job = (struct tour_job){.ends = {-1, -1}};
}

/* ---- through a pipe ------------------------------------------------------- */

static int make_pipe(struct tour_job *job, int control)
{
	struct ipcdemo_pipe_make request = {
		.size = sizeof(request),
		.flags = O_CLOEXEC,
		.fds = (__u64)(uintptr_t)job->ends,
		.capacity = JOB_ROOM,
	};

	memset(job->report, 0, sizeof(*job->report));
	return ioctl(control, IPCDEMO_IOC_PIPE, &request) ? -errno : 0;
}

static int read_end(const struct tour_job *job)
{
	return job->ends[0];
}

/* Return: an exit status. */
static int send_by_pipe(struct tour_job *job)
{
	unsigned int i;
	ssize_t n;
	size_t at;

	close_end(&job->ends[0]);
	for (i = 0; i < job->times; i++) {
		for (at = 0; at < job->size; at += n) {
			n = write(job->ends[1], job->input + at,
				  record_at(job, at));
			if (n <= 0)
				return FAILED;
			job->report->sent += n;
		}
	}
	return DONE;
}

static int receive_by_pipe(struct tour_job *job)
{
	unsigned char record[JOB_RECORD];
	__u64 sum = NOSUM;
	ssize_t n;

	close_end(&job->ends[1]);
	while ((n = read(job->ends[0], record, sizeof(record))) > 0) {
		sum = add_up(sum, record, n);
		job->report->received += n;
	}
	job->report->sum = sum;
	return n ? FAILED : DONE;
}

/* Else it would not end. */
static void close_write_end(struct tour_job *job)
{
	close_end(&job->ends[1]);
}

const struct job_way job_by_pipe = {
	.make = make_pipe,
	.descriptor = read_end,
	.send = send_by_pipe,
	.receive = receive_by_pipe,
	.started = close_write_end,
};

/* ---- through a ring in a region --------------------------------------------- */

static int make_ring(struct tour_job *job, int control)
{
	__u64 size = ipcdemo_region_overhead(1) + ipcdemo_ring_size(JOB_ROOM);
	int err;

	(void)control; /* the library opens one of its own */
	memset(job->report, 0, sizeof(*job->report));
	err = ipcdemo_region_anonymous(size, IPCDEMO_REGION_SEAL, &job->region);
	if (err)
		return err;
	err = ipcdemo_region_format(job->region, 1, 0);
	if (err)
		return err;
	return ipcdemo_ring_init(job->region, IPCDEMO_ANYWHERE, "job", JOB_ROOM,
				 &job->ring);
}

static int region_descriptor(const struct tour_job *job)
{
	return ipcdemo_region_descriptor(job->region);
}

static int send_by_ring(struct tour_job *job)
{
	struct ipcdemo_ring ring = job->ring;
	size_t at, len;
	unsigned int i;

	if (ipcdemo_ring_join_sender(&ring, 0))
		return FAILED;
	for (i = 0; i < job->times; i++) {
		for (at = 0; at < job->size; at += len) {
			len = record_at(job, at);
			if (ipcdemo_ring_send(&ring, job->input + at, len, 0,
					      NULL))
				return FAILED;
			/* That was one memcpy() */
			job->report->copied += len;
			job->report->sent += len;
		}
	}
	return ipcdemo_ring_leave(&ring) ? FAILED : DONE;
}

static int receive_by_ring(struct tour_job *job)
{
	struct ipcdemo_ring ring = job->ring;
	struct iovec records[BATCH];
	__u64 sum = NOSUM;
	int n, i;

	if (ipcdemo_ring_join_receiver(&ring, 1))
		return FAILED;
	while ((n = ipcdemo_ring_peek(&ring, records, BATCH, 0, NULL)) > 0) {
		/* Where they are: no copy */
		for (i = 0; i < n; i++) {
			sum = add_up(sum, records[i].iov_base,
				     records[i].iov_len);
			job->report->received += records[i].iov_len;
		}
		if (ipcdemo_ring_release(&ring, n))
			return FAILED;
	}
	job->report->sum = sum;
	return n || ipcdemo_ring_leave(&ring) ? FAILED : DONE;
}

static void nothing_to_close(struct tour_job *job)
{
	(void)job;
}

const struct job_way job_by_ring = {
	.make = make_ring,
	.descriptor = region_descriptor,
	.send = send_by_ring,
	.receive = receive_by_ring,
	.started = nothing_to_close,
};

/* ---- what it took ----------------------------------------------------------- */

void job_cost_of_pipe(const struct ipcdemo_pipe_view *view,
		      struct job_cost *cost)
{
	const struct ipcdemo_counter *c = view->counters;
	size_t n = view->ncounters;

	*cost = (struct job_cost){
		.copied = ipcdemo_count(c, n, "write.copy") +
			  ipcdemo_count(c, n, "read.copy"),
		.calls = ipcdemo_count(c, n, "write.enter") +
			 ipcdemo_count(c, n, "read.enter"),
		.wakes = ipcdemo_count(c, n, "wake.readers") +
			 ipcdemo_count(c, n, "wake.writers"),
		.woken = ipcdemo_count(c, n, "read.woken") +
			 ipcdemo_count(c, n, "write.woken"),
		.sleeps = ipcdemo_count(c, n, "read.wait") +
			  ipcdemo_count(c, n, "write.wait"),
		.pages = ipcdemo_count(c, n, "page.alloc"),
	};
}

void job_cost_of_ring(const struct ipcdemo_region_view *view,
		      const struct tour_job *job, struct job_cost *cost)
{
	const struct ipcdemo_counter *c = view->counters;
	size_t n = view->ncounters;

	*cost = (struct job_cost){
		.copied = job->report->copied,
		.calls = ipcdemo_count(c, n, "word.enter") +
			 ipcdemo_count(c, n, "word.wake"),
		.wakes = ipcdemo_count(c, n, "word.wake"),
		.woken = ipcdemo_count(c, n, "word.woken"),
		.sleeps = ipcdemo_count(c, n, "word.wait"),
		.pages = ipcdemo_count(c, n, "map.fault"),
	};
}

static void show_row(const char *what, __u64 pipe, __u64 ring,
		     const char *counters)
{
	printf("  %-18s %10llu %10llu  %s\n", what, pipe, ring, counters);
}

void job_compare(const struct tour_job *job, const struct job_cost *pipe,
		 const struct job_cost *ring)
{
	printf("  %-18s %10s %10s  counted by\n", "", "pipe", "region");
	show_row("bytes received", job_bytes(job), job_bytes(job),
		 "the receiver");
	show_row("bytes copied", pipe->copied, ring->copied,
		 "write.copy + read.copy; memcpy() of the sender");
	show_row("system calls", pipe->calls, ring->calls,
		 "write.enter + read.enter; word.enter + word.wake");
	show_row("wake-ups", pipe->wakes, ring->wakes,
		 "wake.readers + wake.writers; word.wake");
	show_row("tasks woken", pipe->woken, ring->woken,
		 "read.woken + write.woken; word.woken");
	show_row("sleeps", pipe->sleeps, ring->sleeps,
		 "read.wait + write.wait; word.wait");
	show_row("pages", pipe->pages, ring->pages, "page.alloc; map.fault");
}

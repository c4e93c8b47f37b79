// SPDX-License-Identifier: GPL-2.0
/*
 * ring send, ring recv: a pipe of messages between processes, in a file
 *
 * Either may come first, also at the same moment: who finds no file makes one, of
 * those who find an unformatted one a single one formats it, and of those who find
 * no ring in it a single one makes that; the others take what they then find.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "lib/ipcdemo.h"

#define NAME	   "ring"
#define OBJECTS	   4
#define BATCH	   512
#define INPUT	   65536

/* How long somebody may take to format a region, in milliseconds. */
#define FORMATTING 10000

/* A run of either command. */
struct job {
	const char *path;
	__u64 capacity;
	bool nonblock;
	char end; /* of a line */
	struct ipcdemo_region *region;
	struct ipcdemo_ring ring;
	__u64 done; /* messages */
};

/* The signal that ends us, once the ring is left; 0: none. */
static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	stopped = sig;
}

static const int ends[] = {SIGINT, SIGTERM, SIGHUP};

/* Without SA_RESTART: what sleeps then returns. */
static void catch_signals(void)
{
	struct sigaction act = {.sa_handler = stop}, old;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		/* A shell has those in the background ignore SIGINT */
		if (!sigaction(ends[i], NULL, &old) &&
		    old.sa_handler == SIG_IGN)
			continue;
		sigaction(ends[i], &act, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
}

/* As if we had not caught it. */
static void die_of(int sig)
{
	signal(sig, SIG_DFL);
	raise(sig);
}

/* ---- the ring in the file -------------------------------------------------- */

static int refused(const struct job *job, const char *what, int err)
{
	switch (err) {
	case -ENODEV:
	case -EISDIR:
		return fail("%s is no file that can be a region: name another",
			    job->path);
	case -EBADMSG:
		return fail("%s holds something else: %s", job->path,
			    "name another file, or remove it");
	case -EPROTONOSUPPORT:
		return fail("%s was made by another version of ipcdemo: %s",
			    job->path, "remove it, or name another file");
	case -ENOSPC:
		return fail("%s has no room for a ring of %llu bytes: %s",
			    job->path, job->capacity,
			    "remove it, or give a smaller --size");
	case -ERANGE:
		return fail("%s is shorter than it was: remove it", job->path);
	case -EAGAIN:
		return fail("%s is being prepared, for more than %d s: %s",
			    job->path, FORMATTING / 1000,
			    "if nobody is at it, remove it");
	default:
		return fail("cannot %s %s: %s", what, job->path,
			    strerror(-err));
	}
}

static int open_region(struct job *job)
{
	__u64 size = ipcdemo_region_overhead(OBJECTS) +
		     ipcdemo_ring_size(job->capacity);
	int err = ipcdemo_region_open(job->path, 0, &job->region);

	/* Only what is new or empty gets a size */
	if (err == -ENOENT || err == -ENODATA)
		err = ipcdemo_region_create(job->path, size, 0666, 0,
					    &job->region);
	return err;
}

static int find_ring(struct job *job)
{
	const struct timespec wait = {.tv_nsec = 1000000};
	int err = -EAGAIN, i;

	for (i = 0; err == -EAGAIN && i < FORMATTING; i++) {
		if (i)
			nanosleep(&wait, NULL);
		err = ipcdemo_region_format(job->region, OBJECTS, 0);
	}
	if (err && err != -EEXIST)
		return err;
	err = ipcdemo_ring_init(job->region, IPCDEMO_ANYWHERE, NAME,
				job->capacity, &job->ring);
	if (err == -EEXIST || err == -ENOSPC)
		err = ipcdemo_ring_find(job->region, NAME, &job->ring);
	return err == -ENOENT ? -ENOSPC : err;
}

static int open_ring(struct job *job)
{
	int err = open_region(job);

	if (err)
		return refused(job, "open", err);
	err = find_ring(job);
	if (err) {
		ipcdemo_region_close(job->region);
		return refused(job, "use", err);
	}
	return DONE;
}

/* A second from now: then we look whether the other side has died. */
static const struct timespec *soon(struct timespec *at)
{
	clock_gettime(CLOCK_MONOTONIC, at);
	at->tv_sec++;
	return at;
}

/* After a call that did not do it: may it be tried again? */
static bool goes_on(struct job *job, int ret)
{
	if (ret == -ETIMEDOUT)
		ipcdemo_ring_recover(&job->ring);
	return (ret == -ETIMEDOUT || ret == -EINTR) && !stopped;
}

static int finish(struct job *job, int status)
{
	ipcdemo_ring_leave(&job->ring);
	ipcdemo_region_close(job->region);
	if (stopped)
		die_of(stopped);
	return status;
}

/* Up to the next power of two.  False: no ring can be that large. */
static bool parse_capacity(const char *word, __u64 *capacity)
{
	__u64 size;

	if (!parse_size(word, &size) || !size || size > IPCDEMO_RING_MAX)
		return false;
	for (*capacity = IPCDEMO_RING_MIN; *capacity < size;)
		*capacity *= 2;
	return true;
}

static int bad_size(const struct cli *cli, const char *word)
{
	return usage(cli, "'%s' is no size of a ring: 512 to 1G", word);
}

/* The path, which is all that may follow the options. */
static int take_path(struct cli *cli, int argc, char **argv, struct job *job)
{
	if (optind == argc)
		return usage(cli, "%s needs a path", cli->command->name);
	job->path = argv[optind++];
	return no_more(cli, argc, argv);
}

/* ---- send --------------------------------------------------------------------- */

static int send_failed(const struct job *job, int err)
{
	switch (err) {
	case -EPIPE:
		return fail("the receiver of %s has ended after %llu messages were sent: %s",
			    job->path, job->done,
			    "start another, and send the rest again");
	case -EAGAIN:
		return fail("%s is full after %llu messages: %s", job->path,
			    job->done, "receive some, or send without -n");
	case -EBADMSG:
		return fail("the ring in %s is damaged, after %llu messages: %s",
			    job->path, job->done,
			    "end all who use it, and remove it");
	default:
		return fail("cannot send into %s, after %llu messages: %s",
			    job->path, job->done, strerror(-err));
	}
}

static int send_batch(struct job *job, struct iovec *messages, unsigned int n)
{
	struct timespec at;
	int ret;

	while (n) {
		if (stopped)
			return FAILED;
		ret = job->nonblock
			      ? ipcdemo_ring_send_many(&job->ring, messages, n,
						       IPCDEMO_RING_NONBLOCK,
						       NULL)
			      : ipcdemo_ring_send_many(&job->ring, messages, n,
						       0, soon(&at));
		if (ret < 0 && goes_on(job, ret))
			continue;
		if (ret < 0)
			return stopped ? FAILED : send_failed(job, ret);
		messages += ret;
		n -= ret;
		job->done += ret;
	}
	return DONE;
}

static int too_long(const struct job *job)
{
	return fail("line %llu is longer than a message in %s can be, %llu bytes: %s",
		    job->done + 1, job->path,
		    (unsigned long long)ipcdemo_ring_longest(&job->ring),
		    "make a new file with a larger --size");
}

/*
 * Sends all lines that are whole; what is left of the buffer comes to its start.
 * Those before a line that is too long are sent.
 */
static int send_lines(struct job *job, char *buf, size_t *used)
{
	__u64 longest = ipcdemo_ring_longest(&job->ring);
	struct iovec batch[BATCH];
	char *from = buf, *end;
	unsigned int n = 0;
	int status = DONE;

	while (status == DONE) {
		end = memchr(from, job->end, buf + *used - from);
		if (n == BATCH ||
		    (n && (!end || (size_t)(end - from) > longest))) {
			status = send_batch(job, batch, n);
			n = 0;
			continue;
		}
		if (!end)
			break;
		if ((size_t)(end - from) > longest)
			return too_long(job);
		batch[n++] = (struct iovec){from, end - from};
		from = end + 1;
	}
	*used -= from - buf;
	memmove(buf, from, *used);
	if (status == DONE && *used > longest)
		return too_long(job);
	return status;
}

/*
 * As read(2) of standard input; -EINTR once a signal has come.  While we look for
 * it none can come, so it cannot come between looking and sleeping.
 */
static ssize_t read_input(char *buf, size_t size)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	sigset_t block, was;
	ssize_t n = -EINTR;
	size_t i;

	sigemptyset(&block);
	for (i = 0; i < ARRAY_SIZE(ends); i++)
		sigaddset(&block, ends[i]);
	sigprocmask(SIG_BLOCK, &block, &was);
	if (!stopped && ppoll(&input, 1, NULL, &was) >= 0) {
		n = read(STDIN_FILENO, buf, size);
		if (n < 0)
			n = -errno;
	}
	sigprocmask(SIG_SETMASK, &was, NULL);
	return n;
}

static int send_input(struct job *job)
{
	__u64 size = ipcdemo_ring_longest(&job->ring) + INPUT;
	struct iovec last;
	char *buf = malloc(size);
	int status = DONE;
	size_t used = 0;
	ssize_t n;

	if (!buf)
		return fail("out of memory");
	while (status == DONE) {
		n = read_input(buf + used, INPUT);
		if (n == -EINTR && !stopped)
			continue;
		if (n < 0 && !stopped)
			status = fail("cannot read standard input: %s",
				      strerror(-n));
		if (n <= 0)
			break;
		used += n;
		status = send_lines(job, buf, &used);
	}
	if (status == DONE && used && !stopped) {
		last = (struct iovec){buf, used};
		status = send_batch(job, &last, 1);
	}
	free(buf);
	return status;
}

int cmd_ring_send(struct cli *cli, int argc, char **argv)
{
	struct job job = {.capacity = 1 << 20, .end = '\n'};
	unsigned int flags = 0;
	int id, err, status;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case '0':
			job.end = '\0';
			break;
		case 'n':
			job.nonblock = true;
			break;
		case 'm':
			flags = IPCDEMO_RING_MANY;
			break;
		case 's':
			if (!parse_capacity(optarg, &job.capacity))
				return bad_size(cli, optarg);
			break;
		default:
			return USAGE;
		}
	}
	status = take_path(cli, argc, argv, &job);
	if (!status)
		status = open_ring(&job);
	if (status)
		return status;
	catch_signals();
	err = ipcdemo_ring_join_sender(&job.ring, flags);
	if (!err) {
		status = send_input(&job);
	} else if (err == -EBUSY) {
		status = fail("another process sends into %s: %s", job.path,
			      flags ? "start that one with --multi, too"
				    : "start all of them with --multi");
	} else {
		status = fail("cannot send into %s: %s", job.path,
			      strerror(-err));
	}
	return finish(&job, status);
}

/* ---- recv --------------------------------------------------------------------- */

/* Writes them out.  *whole: how many were written to their ends.  0 or -errno. */
static int put_messages(struct iovec *parts, unsigned int n,
			unsigned int *whole)
{
	struct iovec *part = parts, *end = parts + 2 * n;
	ssize_t len;
	int err = 0;

	while (part < end) {
		len = writev(STDOUT_FILENO, part, end - part);
		if (len < 0 && errno == EINTR && !stopped)
			continue;
		if (len < 0) {
			err = -errno;
			break;
		}
		for (; part < end && (size_t)len >= part->iov_len; part++)
			len -= part->iov_len;
		if (part < end) {
			part->iov_base = (char *)part->iov_base + len;
			part->iov_len -= len;
		}
	}
	*whole = (part - parts) / 2;
	return err;
}

static int recv_failed(const struct job *job, int err)
{
	if (err == -EBADMSG)
		return fail("the ring in %s is damaged, after %llu messages: %s",
			    job->path, job->done,
			    "end all who use it, and remove it");
	return fail("cannot receive from %s, after %llu messages: %s",
		    job->path, job->done, strerror(-err));
}

static int nothing_there(const struct job *job)
{
	return fail("nothing is in %s: %s", job->path,
		    "send something, or receive without -n");
}

static int recv_all(struct job *job)
{
	struct iovec messages[BATCH], parts[2 * BATCH];
	struct timespec at;
	unsigned int whole;
	int n, i, err;

	for (;;) {
		n = job->nonblock
			    ? ipcdemo_ring_peek(&job->ring, messages, BATCH,
						IPCDEMO_RING_NONBLOCK, NULL)
			    : ipcdemo_ring_peek(&job->ring, messages, BATCH, 0,
						soon(&at));
		if (!n || stopped)
			return n ? FAILED : DONE;
		if (n == -EAGAIN)
			return job->done ? DONE : nothing_there(job);
		if (n < 0 && goes_on(job, n))
			continue;
		if (n < 0)
			return stopped ? FAILED : recv_failed(job, n);
		for (i = 0; i < n; i++) {
			parts[2 * i] = messages[i];
			parts[2 * i + 1] = (struct iovec){&job->end, 1};
		}
		err = put_messages(parts, n, &whole);
		if (whole)
			ipcdemo_ring_release(&job->ring, whole);
		job->done += whole;
		if (err == -EPIPE)
			stopped = SIGPIPE;
		if (stopped)
			return FAILED;
		if (err)
			return fail("standard output: %s", strerror(-err));
	}
}

int cmd_ring_recv(struct cli *cli, int argc, char **argv)
{
	struct job job = {.capacity = 1 << 20, .end = '\n'};
	__u32 senders = 1;
	int id, err, status;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case '0':
			job.end = '\0';
			break;
		case 'n':
			job.nonblock = true;
			break;
		case 's':
			if (!parse_capacity(optarg, &job.capacity))
				return bad_size(cli, optarg);
			break;
		case OPT_SENDERS:
			if (!parse_number(optarg, &senders) ||
			    senders > INT32_MAX)
				return usage(cli,
					     "'%s' is no number of senders",
					     optarg);
			break;
		default:
			return USAGE;
		}
	}
	status = take_path(cli, argc, argv, &job);
	if (!status)
		status = open_ring(&job);
	if (status)
		return status;
	catch_signals();
	err = ipcdemo_ring_join_receiver(&job.ring, senders);
	if (!err)
		status = recv_all(&job);
	else if (err == -EBUSY)
		status =
			fail("another process receives from %s: %s", job.path,
			     "there can be only one; end it, or name another file");
	else
		status = fail("cannot receive from %s: %s", job.path,
			      strerror(-err));
	return finish(&job, status);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * mistakes NAME wrong|right READY [FIFO]: makes a mistake with pipes, or does the
 * same rightly, and stays there. `ipcdemo why` has to tell which it was.
 *
 * READY is a file that comes when the situation is there. Run by `ipcdemo run`, so
 * that pipe(2) gives pipes of the module. Children die with their parent.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *ready_file, *fifo;
static bool wrong;
static char block[200000];

static void make_pipe(int ends[2])
{
	if (pipe(ends))
		err(1, "pipe");
}

static pid_t start(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

static void put(int fd, size_t len)
{
	if (write(fd, block, len) != (ssize_t)len)
		err(1, "write");
}

static void take_all(int fd)
{
	static char buf[4096];
	ssize_t n;

	do {
		n = read(fd, buf, sizeof(buf));
	} while (n > 0);
	if (n < 0)
		err(1, "read");
}

static void ready(void)
{
	int fd = open(ready_file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0)
		err(1, "%s", ready_file);
	close(fd);
}

static void stay(void)
{
	for (;;)
		pause();
}

static void ready_and_stay(void)
{
	ready();
	stay();
}

/* Until the process, which has nothing else to do, sleeps in its call. */
static void wait_asleep(pid_t pid)
{
	char path[64], text[256], *end;
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (;;) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		if (n <= 0)
			err(1, "%s", path);
		close(fd);
		text[n] = '\0';
		end = strrchr(text, ')');
		if (end && end[2] == 'S')
			return;
		usleep(1000);
	}
}

/* The reader keeps the write end that it got by fork. */
static void unused_end_child(void)
{
	pid_t child;
	int p[2];

	make_pipe(p);
	child = start();
	if (!child) {
		if (!wrong)
			close(p[1]);
		take_all(p[0]);
		stay();
	}
	close(p[0]);
	put(p[1], 5);
	close(p[1]);
	wait_asleep(child);
	ready();
	waitpid(child, NULL, 0);
}

/* The one who has started both keeps the write end. */
static void unused_end_parent(void)
{
	pid_t reader, writer;
	int p[2];

	make_pipe(p);
	reader = start();
	if (!reader) {
		close(p[1]);
		take_all(p[0]);
		stay();
	}
	writer = start();
	if (!writer) {
		put(p[1], 5);
		_exit(0);
	}
	close(p[0]);
	if (!wrong)
		close(p[1]);
	waitpid(writer, NULL, 0);
	wait_asleep(reader);
	ready();
	waitpid(reader, NULL, 0);
}

static void same_process(void)
{
	int p[2];

	make_pipe(p);
	if (!wrong && !start()) {
		close(p[1]);
		take_all(p[0]);
		stay();
	}
	if (!wrong)
		close(p[0]);
	else
		ready(); /* asleep soon: who asks has to ask again */
	put(p[1], sizeof(block));
	ready_and_stay();
}

static void rdwr_fifo(void)
{
	pid_t writer;
	int fd, out;

	writer = start();
	if (!writer) {
		out = open(fifo, O_WRONLY);
		put(out, 5);
		close(out);
		_exit(0);
	}
	fd = open(fifo, wrong ? O_RDWR : O_RDONLY);
	if (fd < 0)
		err(1, "%s", fifo);
	waitpid(writer, NULL, 0);
	if (wrong)
		ready();
	take_all(fd);
	ready_and_stay();
}

/* A filter that answers each line, asked by its parent. */
static void stdio_buffering(void)
{
	int in[2], out[2];
	char line[80];
	pid_t child;

	make_pipe(in);
	make_pipe(out);
	child = start();
	if (!child) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[0]);
		close(in[1]);
		close(out[0]);
		close(out[1]);
		while (fgets(line, sizeof(line), stdin)) {
			printf("answer to %s", line);
			if (!wrong)
				fflush(stdout);
		}
		_exit(0);
	}
	close(in[0]);
	close(out[1]);
	if (write(in[1], "question\n", 9) != 9)
		err(1, "write");
	if (wrong)
		ready();
	if (read(out[0], line, sizeof(line)) <= 0)
		err(1, "no answer");
	wait_asleep(child);
	ready_and_stay();
}

static void pipe_buf_tearing(void)
{
	size_t len = wrong ? 80000 : 4096;
	pid_t first, second;
	int p[2];

	make_pipe(p);
	/* Full, so that both wait, and then go on in turn */
	put(p[1], 65536);
	first = start();
	if (!first) {
		put(p[1], len);
		_exit(0);
	}
	wait_asleep(first);
	second = start();
	if (!second) {
		put(p[1], len);
		_exit(0);
	}
	wait_asleep(second);
	close(p[1]);
	take_all(p[0]);
	ready_and_stay();
}

/* The second one writes on: a later byte is lost, or read. */
static void eagain_as_eof(void)
{
	struct pollfd poll_in = {.events = POLLIN};
	char byte;
	pid_t child;
	int p[2], fd;

	make_pipe(p);
	child = start();
	if (!child) {
		close(p[1]);
		/* An open file of its own: the end goes when it closes it */
		fd = open("/proc/self/fd/3", O_RDONLY | O_NONBLOCK);
		if (p[0] != 3 || fd < 0)
			err(1, "open the end again");
		close(p[0]);
		poll_in.fd = fd;
		while (read(fd, &byte, 1) != 0) {
			if (wrong)
				break;
			poll(&poll_in, 1, -1);
		}
		close(fd);
		stay();
	}
	close(p[0]);
	wait_asleep(child);
	if (wrong)
		ready_and_stay();
	put(p[1], 1);
	close(p[1]);
	wait_asleep(child);
	ready_and_stay();
}

static void sigpipe_ignored(void)
{
	int p[2];

	signal(SIGPIPE, SIG_IGN);
	make_pipe(p);
	close(p[0]);
	ready();
	while (write(p[1], "x", 1) < 0 && wrong)
		usleep(1000);
	stay();
}

static void two_readers(void)
{
	pid_t first, second;
	int p[2];

	make_pipe(p);
	first = start();
	if (!first) {
		close(p[1]);
		take_all(p[0]);
	}
	second = start();
	if (!second) {
		close(p[1]);
		if (wrong)
			take_all(p[0]);
		stay();
	}
	wait_asleep(first);
	wait_asleep(second);
	ready_and_stay();
}

/* A filter that is given all its input before any of its output is read. */
static void pipe_order(void)
{
	int in[2], out[2];

	make_pipe(in);
	make_pipe(out);
	if (!start()) {
		close(in[1]);
		close(out[0]);
		for (;;) {
			if (read(in[0], block, 4096) <= 0)
				stay();
			put(out[1], 4096);
		}
	}
	close(in[0]);
	close(out[1]);
	if (wrong) {
		ready();
		put(in[1], sizeof(block));
	} else if (!start()) {
		put(in[1], 4096 * 40);
		_exit(0);
	}
	close(in[1]);
	if (wrong)
		take_all(out[0]);
	else if (read(out[0], block, 1) != 1)
		err(1, "read");
	ready_and_stay();
}

/* Two FIFOs, FIFO and FIFO.2, opened crosswise. */
static void fifo_order(void)
{
	char other[4096];
	pid_t child;

	snprintf(other, sizeof(other), "%s.2", fifo);
	child = start();
	if (!child) {
		if (wrong) {
			open(other, O_WRONLY);
			open(fifo, O_RDONLY);
		} else {
			open(fifo, O_RDONLY);
			open(other, O_WRONLY);
		}
		stay();
	}
	if (wrong)
		wait_asleep(child);
	if (wrong)
		ready();
	open(fifo, O_WRONLY);
	open(other, O_RDONLY);
	ready_and_stay();
}

/* Each of three reads what the one before it has not written. */
static void ring_of_three(void)
{
	int p[3][2], i, j;

	for (i = 0; i < 3; i++)
		make_pipe(p[i]);
	for (i = 0; i < 3; i++) {
		if (start())
			continue;
		for (j = 0; j < 3; j++) {
			if (j != i)
				close(p[j][0]);
			if (j != (i + 1) % 3)
				close(p[j][1]);
		}
		take_all(p[i][0]);
		stay();
	}
	for (i = 0; i < 3; i++) {
		close(p[i][0]);
		close(p[i][1]);
	}
	ready_and_stay();
}

static const struct {
	const char *name;
	void (*make)(void);
} mistakes[] = {
	{"unused-end-child", unused_end_child},
	{"unused-end-parent", unused_end_parent},
	{"same-process", same_process},
	{"rdwr-fifo", rdwr_fifo},
	{"stdio-buffering", stdio_buffering},
	{"pipe-buf-tearing", pipe_buf_tearing},
	{"eagain-as-eof", eagain_as_eof},
	{"sigpipe-ignored", sigpipe_ignored},
	{"two-readers", two_readers},
	{"pipe-order", pipe_order},
	{"fifo-order", fifo_order},
	{"ring-of-three", ring_of_three},
};

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 4)
		errx(2, "usage: mistakes NAME wrong|right READY [FIFO]");
	wrong = !strcmp(argv[2], "wrong");
	ready_file = argv[3];
	fifo = argv[4];
	for (i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++)
		if (!strcmp(argv[1], mistakes[i].name))
			mistakes[i].make();
	errx(2, "%s: it has ended, or there is no such mistake", argv[1]);
}

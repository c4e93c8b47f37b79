// SPDX-License-Identifier: GPL-2.0
/*
 * What a task of a schedule does, in its own process (see step_engine.h)
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "step_engine.h"

static struct step_share *mine;

static void caught(int signal)
{
	mine->caught[signal]++;
}

static void set_handlers(const struct step_task *task)
{
	static const int counted[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGTERM,
				      SIGPIPE};
	struct sigaction action = {
		.sa_handler = caught,
		.sa_flags = task->restart ? SA_RESTART : 0,
	};
	size_t i;

	/* From the keyboard: they are for the stepper, which ends us or waits. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	for (i = 0; i < ARRAY_SIZE(counted); i++)
		sigaction(counted[i], &action, NULL);
}

static int open_flags(enum step_end end, bool nonblock)
{
	static const int modes[] = {
		[STEP_READ] = O_RDONLY,
		[STEP_WRITE] = O_WRONLY,
		[STEP_BOTH] = O_RDWR,
	};

	return modes[end] | (nonblock ? O_NONBLOCK : 0) | O_CLOEXEC;
}

/**
 * struct self - what a task has
 * @path:	what it opens
 * @pipe:	its id
 * @opened:	which end of the pipe it opened last
 * @control:	a control descriptor of its own, for resize
 * @fill:	what it writes
 */
struct self {
	struct ipcdemo *ipc;
	const char *path;
	__u32 pipe;
	enum step_end opened;
	int control;
	int output;
	char *fill;
};

/* @at_once: without waiting for the other side, whatever comes later. */
static long long open_end(struct self *self, enum step_end end, bool nonblock,
			  bool at_once)
{
	int fd = open(self->path, open_flags(end, nonblock || at_once));

	if (fd < 0)
		return -errno;
	if (at_once && !nonblock && fcntl(fd, F_SETFL, 0)) {
		close(fd);
		return -errno;
	}
	if (mine->end >= 0)
		close(mine->end);
	mine->end = fd;
	self->opened = end;
	return 0;
}

static long long close_end(void)
{
	int fd = mine->end;

	mine->end = -1;
	return close(fd) ? -errno : 0;
}

static long long ask(unsigned int mask)
{
	struct pollfd p = {.fd = mine->end, .events = mask};

	/* POLLERR and POLLHUP are told of a bad descriptor, too: no pipe is it */
	if (mine->end < 0)
		return -EBADF;
	return poll(&p, 1, 0) < 0 ? -errno : p.revents;
}

static long long resize(struct self *self, __u64 bytes)
{
	int err;

	if (mine->end >= 0)
		err = ipcdemo_set_capacity(self->ipc, mine->end, 0, &bytes);
	else
		err = ipcdemo_set_capacity(self->ipc, self->control, self->pipe,
					   &bytes);
	return err ?: (long long)bytes;
}

/* Becomes the command; the gates stay, they are for this process. */
static long long run_command(struct self *self, size_t words)
{
	char **argv = calloc(words + 1, sizeof(*argv)), *word = mine->payload;
	int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out = self->output;
	size_t i;

	if (!argv)
		return -ENOMEM;
	for (i = 0; i < words; i++, word += strlen(word) + 1)
		argv[i] = word;
	if (self->opened == STEP_READ || self->opened == STEP_BOTH)
		in = mine->end;
	if (self->opened == STEP_WRITE || self->opened == STEP_BOTH)
		out = mine->end;
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		return -errno;
	/* Else closing standard input would not be the last close. */
	if (mine->end >= 0)
		close(mine->end);
	mine->end = self->opened == STEP_WRITE ? STDOUT_FILENO : STDIN_FILENO;
	execvp(argv[0], argv);
	return -errno;
}

static long long perform(struct self *self, const struct step_request *op)
{
	ssize_t n = 0;

	switch (op->kind) {
	case STEP_OP_OPEN:
		return open_end(self, op->end, op->nonblock, false);
	case STEP_OP_READ:
		n = read(mine->end, mine->data, op->number);
		break;
	case STEP_OP_WRITE:
		n = write(mine->end, op->has_data ? mine->payload : self->fill,
			  op->number);
		break;
	case STEP_OP_CLOSE:
		return close_end();
	case STEP_OP_POLL:
		return ask(op->mask);
	case STEP_OP_RESIZE:
		return resize(self, op->number);
	case STEP_OP_SIGNAL:
		if (op->target <= 0)
			return -ESRCH;
		n = kill(op->target, op->signal);
		break;
	case STEP_OP_RUN:
		return run_command(self, op->words);
	}
	return n < 0 ? -errno : n;
}

static __attribute((__noreturn__)) void work(struct self *self, int socket)
{
	char byte;
	ssize_t n;

	for (;;) {
		n = read(socket, &byte, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n != 1)
			_exit(0);
		mine->result = perform(self, &mine->request);
		mine->done++;
		while (write(socket, "", 1) < 0 && errno == EINTR)
			;
	}
}

void step_be_task(const struct run *r, struct worker *w, int socket,
		  bool at_once)
{
	struct self self = {
		.ipc = r->cli->ipc,
		.path = r->path,
		.pipe = r->pipe,
		.output = w->output,
	};
	long long err = 0;

	mine = w->share;
	mine->end = -1;
	prctl(PR_SET_NAME, w->task->name);
	set_handlers(w->task);
	self.control =
		open(ipcdemo_device(self.ipc), IPCDEMO_O_CONTROL | O_CLOEXEC);
	self.fill = malloc(STEP_BYTES);
	if (self.control < 0 || !self.fill)
		err = -errno;
	else
		memset(self.fill, w->task->name[0], STEP_BYTES);
	if (!err && w->task->opens)
		err = open_end(&self, w->task->opens, w->task->nonblock,
			       at_once);
	mine->ready = err ?: 1;
	work(&self, socket);
}

/* ---- the side of the stepper --------------------------------------------- */

void step_put_request(struct step_share *share, const struct step_op *op,
		      pid_t target)
{
	struct step_request *to = &share->request;
	char *word = share->payload;
	size_t i;

	*to = (struct step_request){
		.kind = op->kind,
		.number = op->number,
		.has_data = op->data,
		.end = op->end,
		.nonblock = op->nonblock,
		.mask = op->mask,
		.signal = op->signal,
		.target = target,
	};
	if (op->data)
		memcpy(share->payload, op->data, op->number);
	/* They come from one line of words: the parser limits its length. */
	for (i = 0; op->argv && op->argv[i]; i++)
		word = stpcpy(word, op->argv[i]) + 1;
	to->words = i;
}

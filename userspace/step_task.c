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
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/uio.h>
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
 * @task:	what the schedule says of it
 * @path:	what it opens
 * @pipe:	its id
 * @opened:	which end of the pipe it opened last
 * @control:	a control descriptor of its own, for resize
 * @other:	a pipe of the kernel's, the other side of splice and tee
 * @got:	how many bytes the operation has read
 * @fill:	what it writes
 */
struct self {
	const struct step_task *task;
	struct ipcdemo *ipc;
	const char *path;
	__u32 pipe;
	enum step_end opened;
	int control;
	int other[2];
	int output;
	size_t got;
	char *fill;
};

/* @at_once: without waiting for the other side, whatever comes later. */
static long long open_end(struct self *self, enum step_end end, bool nonblock,
			  bool at_once)
{
	int fd = open(self->path, open_flags(end, nonblock || at_once));
	int flags = (nonblock ? O_NONBLOCK : 0) |
		    (self->task->packets ? O_DIRECT : 0);

	if (fd < 0)
		return -errno;
	/* O_DIRECT cannot be given to open(2) of a FIFO. */
	if (((at_once && !nonblock) || self->task->packets) &&
	    fcntl(fd, F_SETFL, flags)) {
		int err = errno;

		close(fd);
		return -err;
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

/*
 * Between our end and a pipe of the task's own, which is empty before and
 * after: what comes is read from there, what goes was written there.
 */
static long long splice_bytes(struct self *self, const struct step_request *op)
{
	bool in = self->opened == STEP_READ;
	struct ipcdemo_splice request = {
		.size = sizeof(request),
		.in = in ? mine->end : self->other[0],
		.out = in ? self->other[1] : mine->end,
		.len = op->number,
	};
	int err, left = 0;
	long n;

	if (self->opened == STEP_BOTH || (op->kind == STEP_OP_TEE && !in))
		return -EINVAL;
	if (!in && write(self->other[1], self->fill, op->number) !=
			   (ssize_t)op->number)
		return -errno;
	n = ioctl(self->control,
		  op->kind == STEP_OP_TEE ? IPCDEMO_IOC_TEE
					  : IPCDEMO_IOC_SPLICE,
		  &request);
	err = errno;
	if (in && n > 0)
		self->got = read(self->other[0], mine->data, n);
	/* What did not fit goes with this call. */
	if (!ioctl(self->other[0], FIONREAD, &left) && left &&
	    read(self->other[0], mine->payload, left) != left)
		return -EIO;
	errno = err;
	return n;
}

static long long vmsplice_bytes(struct self *self,
				const struct step_request *op)
{
	bool in = self->opened == STEP_READ;
	struct iovec iov = {in ? mine->data : self->fill, op->number};
	struct ipcdemo_vmsplice request = {
		.size = sizeof(request),
		.iov = (uintptr_t)&iov,
		.count = 1,
	};
	long n;

	if (self->opened == STEP_BOTH)
		return -EINVAL;
	n = ioctl(mine->end, IPCDEMO_IOC_VMSPLICE, &request);
	if (in && n > 0)
		self->got = n;
	return n;
}

static long long perform(struct self *self, const struct step_request *op)
{
	ssize_t n = 0;

	self->got = 0;
	switch (op->kind) {
	case STEP_OP_OPEN:
		return open_end(self, op->end, op->nonblock, false);
	case STEP_OP_READ:
		n = read(mine->end, mine->data, op->number);
		self->got = n > 0 ? n : 0;
		break;
	case STEP_OP_WRITE:
		n = write(mine->end, op->has_data ? mine->payload : self->fill,
			  op->number);
		break;
	case STEP_OP_SPLICE:
	case STEP_OP_TEE:
		n = splice_bytes(self, op);
		break;
	case STEP_OP_VMSPLICE:
		n = vmsplice_bytes(self, op);
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
		mine->got = self->got;
		mine->done++;
		while (write(socket, "", 1) < 0 && errno == EINTR)
			;
	}
}

void step_be_task(const struct run *r, struct worker *w, int socket,
		  bool at_once)
{
	struct self self = {
		.task = w->task,
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
	/* So that vmsplice has one piece a page. */
	self.fill = aligned_alloc(sysconf(_SC_PAGESIZE), STEP_BYTES);
	if (self.control < 0 || !self.fill || pipe2(self.other, O_CLOEXEC))
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

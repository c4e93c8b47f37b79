// SPDX-License-Identifier: GPL-2.0
/*
 * Takes the module out, puts another copy in, and never leaves it there (cli.h)
 *
 * A process of its own does that.  It is told by a socket; when the socket ends,
 * because we are done or because we are gone, however that came, it puts the
 * real module back and ends.  It has a session of its own and ignores what the
 * keyboard sends, so that Ctrl-C ends us and not it.
 *
 * Taking a module out does not wait for those who use it.  Who was killed a
 * moment ago may have it open still, so it is tried for a while.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

#define MODULE	     "ipcdemo"
#define SYSFS	     "/sys/module/" MODULE
#define TRY_AGAIN_MS 10

/* How often it is tried to take the module out: somebody may just look. */
#define TRIES	     100
/* And at the end, when nobody waits and those who had it die. */
#define LAST_TRIES   3000

/**
 * struct swap - the side of who asks
 * @socket:	to the process that does it, -1: none
 * @pid:	that process
 */
struct swap {
	int socket;
	pid_t pid;
};

/* What is asked for, and what came of it. */
enum wish {
	PUT_OTHER = 'o',
	PUT_REAL = 'r',
};

struct answer {
	int err;
	char what[200];
};

/**
 * struct helper - the side of who does it
 * @real:	the file of the real module
 * @other:	and of the copy
 * @is_other:	the copy is in
 * @is_out:	neither is
 * @parameters:	those of the module that was found, as insmod takes them
 */
struct helper {
	int socket;
	int real;
	int other;
	bool is_other;
	bool is_out;
	char parameters[1024];
};

static __printf(3, 4) void answer(struct answer *a, int err, const char *fmt,
				  ...)
{
	va_list ap;

	a->err = err;
	va_start(ap, fmt);
	vsnprintf(a->what, sizeof(a->what), fmt, ap);
	va_end(ap);
}

static ssize_t read_word(const char *path, char *word, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, word, size - 1);
		close(fd);
	}
	word[n > 0 ? n : 0] = '\0';
	word[strcspn(word, "\n")] = '\0';
	return n;
}

/* The module comes back with what it was given. */
static void save_parameters(struct helper *h)
{
	char path[300], value[100];
	DIR *dir = opendir(SYSFS "/parameters");
	struct dirent *e;
	size_t n = 0;

	while (dir && (e = readdir(dir))) {
		snprintf(path, sizeof(path), SYSFS "/parameters/%s", e->d_name);
		if (*e->d_name == '.' ||
		    read_word(path, value, sizeof(value)) < 0)
			continue;
		if (n < sizeof(h->parameters))
			n += snprintf(h->parameters + n,
				      sizeof(h->parameters) - n, "%s=%s ",
				      e->d_name, value);
	}
	if (dir)
		closedir(dir);
}

static int take_out(int tries)
{
	do {
		if (!syscall(SYS_delete_module, MODULE, O_NONBLOCK))
			return 0;
		if (errno != EWOULDBLOCK && errno != EBUSY)
			return -errno;
		poll(NULL, 0, TRY_AGAIN_MS);
	} while (--tries > 0);
	return -EBUSY;
}

static int put_in(struct helper *h, int file)
{
	if (syscall(SYS_finit_module, file, h->parameters, 0))
		return -errno;
	return 0;
}

/* Return: 0, or -errno, with words in the answer. */
static int put_real(struct helper *h, struct answer *a, int tries)
{
	int err = 0;

	if (h->is_other) {
		err = take_out(tries);
		if (err) {
			answer(a, err,
			       "the copy with the bug cannot be taken out: %s",
			       strerror(-err));
			return err;
		}
		h->is_other = false;
		h->is_out = true;
	}
	if (!h->is_out)
		return 0;
	err = put_in(h, h->real);
	if (err)
		answer(a, err, "the real module cannot be put back: %s",
		       strerror(-err));
	else
		h->is_out = false;
	return err;
}

static void put_other(struct helper *h, struct answer *a)
{
	int err;

	save_parameters(h);
	err = take_out(TRIES);
	if (err) {
		answer(a, err, "the module cannot be taken out: %s",
		       err == -EBUSY ? "somebody uses it" : strerror(-err));
		return;
	}
	h->is_out = true;
	err = put_in(h, h->other);
	if (!err) {
		h->is_other = true;
		h->is_out = false;
		return;
	}
	if (!put_real(h, a, TRIES))
		answer(a, err, "the copy with the bug cannot be put in: %s",
		       strerror(-err));
}

static void help(struct helper *h)
{
	struct answer a;
	char wish;
	ssize_t n;

	for (;;) {
		n = recv(h->socket, &wish, 1, 0);
		if (n < 0 && errno == EINTR)
			continue;
		a = (struct answer){0};
		if (n != 1)
			break;
		if (wish == PUT_OTHER)
			put_other(h, &a);
		else
			put_real(h, &a, TRIES);
		send(h->socket, &a, sizeof(a), MSG_NOSIGNAL);
	}
	if (!put_real(h, &a, LAST_TRIES))
		_exit(0);
	fail("%s: first end who uses it, then `rmmod %s` and insmod the real one",
	     a.what, MODULE);
	_exit(1);
}

/* Keeps what it needs, and no descriptor by which it would use the module. */
static void be_helper(struct helper *h)
{
	static const int ignored[] = {SIGHUP,  SIGINT,	SIGQUIT,
				      SIGTERM, SIGPIPE, SIGTSTP};
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	setsid();
	prctl(PR_SET_NAME, "ipcdemo-swap");
	for (fd = 3; fd < 1024; fd++)
		if (fd != h->socket && fd != h->real && fd != h->other)
			close(fd);
	/* Who reads what we print need not wait for us. */
	fd = open("/dev/null", O_RDWR);
	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	help(h);
}

static int begin(struct swap *s, struct helper *h)
{
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets))
		return fail("socketpair: %s", strerror(errno));
	fflush(NULL);
	s->pid = fork();
	if (s->pid < 0) {
		close(sockets[0]);
		close(sockets[1]);
		return fail("fork: %s", strerror(errno));
	}
	if (!s->pid) {
		h->socket = sockets[1];
		be_helper(h);
	}
	close(sockets[1]);
	s->socket = sockets[0];
	return 0;
}

struct swap *swap_begin(const char *real, const char *other)
{
	struct helper h = {
		.real = open(real, O_RDONLY | O_CLOEXEC),
		.other = open(other, O_RDONLY | O_CLOEXEC),
	};
	struct swap *s = calloc(1, sizeof(*s));
	int err = 0;

	if (!s)
		err = fail("out of memory");
	else if (h.real < 0)
		err = fail("%s: %s", real, strerror(errno));
	else if (h.other < 0)
		err = fail("%s: %s", other, strerror(errno));
	else
		err = begin(s, &h);
	if (h.real >= 0)
		close(h.real);
	if (h.other >= 0)
		close(h.other);
	if (!err)
		return s;
	free(s);
	return NULL;
}

static int ask(struct swap *s, char wish, char *why, size_t size)
{
	struct answer a = {.err = -EIO, .what = "the helper process is gone"};
	ssize_t n = send(s->socket, &wish, 1, MSG_NOSIGNAL);

	/* Also after a signal: it is soon done, and must not be half done. */
	while (n == 1 && (n = recv(s->socket, &a, sizeof(a), 0)) < 0 &&
	       errno == EINTR)
		n = 1;
	snprintf(why, size, "%s", a.what);
	return a.err;
}

int swap_in(struct swap *s, char *why, size_t size)
{
	return ask(s, PUT_OTHER, why, size);
}

int swap_back(struct swap *s, char *why, size_t size)
{
	return ask(s, PUT_REAL, why, size);
}

int swap_end(struct swap *s)
{
	int status = 0;

	if (!s)
		return 0;
	close(s->socket);
	while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
		;
	free(s);
	return status ? FAILED : 0;
}

void module_srcversion(char *version, size_t size)
{
	read_word(SYSFS "/srcversion", version, size);
}

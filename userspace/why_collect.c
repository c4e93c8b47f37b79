// SPDX-License-Identifier: GPL-2.0
/*
 * why: what the module and /proc say, joined (see why.h)
 *
 * Which call a thread sleeps in comes from /proc/PID/syscall, and what of the
 * process that call is about from its memory: which descriptors it polls, and the
 * bytes that stdio has not written yet.  Both need what ptrace(2) needs; who may
 * not looks like one that could move at any time.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "lib/ipcdemo.h"
#include "why.h"

#define PATH_LEN   512

/* Of one whose wait began while we looked. */
#define AT_WORK	   "at work until just now"

/* No program has more FILEs than this, or the list is broken. */
#define MOST_FILES 256

/* A path below /proc, also of a machine that a test made up. */
__printf(2, 3) static void proc_path(char *path, const char *fmt, ...)
{
	const char *root = getenv("IPCDEMO_ROOT");
	va_list args;
	int n = snprintf(path, PATH_LEN, "%s/proc/", root ?: "");

	if (n >= PATH_LEN)
		n = PATH_LEN - 1;
	va_start(args, fmt);
	vsnprintf(path + n, PATH_LEN - n, fmt, args);
	va_end(args);
}

/* The file as text, cut at size.  Return: its length or -errno. */
static ssize_t read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0, got = 0;

	if (fd < 0)
		return -errno;
	while ((size_t)n < size - 1) {
		got = read(fd, text + n, size - 1 - n);
		if (got <= 0)
			break;
		n += got;
	}
	if (got < 0)
		n = -errno;
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n;
}

/* A line "Key: value" of a status file; NULL if there is none. */
static const char *status_line(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? at + strlen(key) : NULL;
}

/* ---- processes ----------------------------------------------------------- */

/* How often it has gone to sleep; 0: not known. */
static unsigned long sleeps_of(pid_t pid)
{
	char path[PATH_LEN], text[4096];
	const char *n;

	proc_path(path, "%d/status", pid);
	if (read_text(path, text, sizeof(text)) <= 0)
		return 0;
	n = status_line(text, "\nvoluntary_ctxt_switches:");
	return n ? strtoul(n, NULL, 10) : 0;
}

static int add_task(struct why_graph *g, size_t *room, pid_t pid)
{
	char path[PATH_LEN], text[1024], *command, *end;
	struct why_task *t;
	long parent = 0, session = 0;
	int threads = 1;

	proc_path(path, "%d/stat", pid);
	if (read_text(path, text, sizeof(text)) <= 0)
		return 0; /* it has ended */
	command = strchr(text, '(');
	end = strrchr(text, ')');
	if (!command || !end || end < command)
		return 0;
	*end = '\0';
	if (g->ntasks == *room) {
		*room = *room ? *room * 2 : 64;
		t = realloc(g->task, *room * sizeof(*t));
		if (!t)
			return -ENOMEM;
		g->task = t;
	}
	t = &g->task[g->ntasks++];
	memset(t, 0, sizeof(*t));
	t->pid = pid;
	t->sleeps = sleeps_of(pid);
	snprintf(t->command, sizeof(t->command), "%.31s", command + 1);
	if (sscanf(end + 1,
		   " %c %ld %*d %ld %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d",
		   &t->state, &parent, &session, &threads) < 4)
		t->state = '?';
	t->parent = parent;
	t->session = session;
	t->threads = threads > 1 ? threads : 1;
	return 0;
}

static int compare_tasks(const void *left, const void *right)
{
	const struct why_task *a = left, *b = right;

	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

static int collect_tasks(struct why_graph *g)
{
	char path[PATH_LEN], *end;
	struct dirent *entry;
	size_t room = 0;
	int err = 0;
	long pid;
	DIR *dir;

	proc_path(path, "%s", "");
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir))) {
		pid = strtol(entry->d_name, &end, 10);
		if (pid > 0 && !*end)
			err = add_task(g, &room, pid);
	}
	closedir(dir);
	if (g->ntasks)
		qsort(g->task, g->ntasks, sizeof(*g->task), compare_tasks);
	return err;
}

/* ---- what a thread is doing ----------------------------------------------- */

__printf(3, 4) static struct why_wait *add_wait(struct why_task *t,
						enum why_kind kind,
						const char *fmt, ...)
{
	struct why_wait *w = &t->wait[t->n < WHY_WAITS ? t->n : WHY_WAITS - 1];
	va_list args;

	/* More than there is room for: one of them may be the one that comes */
	if (t->n < WHY_WAITS)
		t->n++;
	else
		kind = WHY_OUTSIDE;
	memset(w, 0, sizeof(*w));
	w->kind = kind;
	w->tid = t->pid;
	w->seconds = -1;
	va_start(args, fmt);
	vsnprintf(w->text, sizeof(w->text), fmt, args);
	va_end(args);
	return w;
}

/* The memory of another process.  Return: whether all of it could be read. */
static bool read_memory(pid_t pid, __u64 address, void *to, size_t len)
{
	char path[PATH_LEN];
	ssize_t n;
	int fd;

	proc_path(path, "%d/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = pread(fd, to, len, address);
	close(fd);
	return n == (ssize_t)len;
}

static void fd_link(pid_t pid, int fd, char *link, size_t size)
{
	char path[PATH_LEN];
	ssize_t n;

	proc_path(path, "%d/fd/%d", pid, fd);
	n = readlink(path, link, size - 1);
	link[n > 0 ? n : 0] = '\0';
}

/* A clause that names what is behind a descriptor. */
static void name_fd(pid_t pid, int fd, const char *to_do, char *text,
		    size_t size)
{
	char link[80];

	fd_link(pid, fd, link, sizeof(link));
	if (!strncmp(link, "/dev/pts/", 9) || !strncmp(link, "/dev/tty", 8) ||
	    !strcmp(link, "/dev/console"))
		snprintf(text, size, "waiting for terminal %s (%s)",
			 *to_do == 'r' ? "input" : "output", link);
	else if (!strncmp(link, "socket:", 7))
		snprintf(text, size, "waiting for a socket (descriptor %d)",
			 fd);
	else if (!strncmp(link, "pipe:", 5))
		snprintf(text, size,
			 "waiting to %s a pipe of the kernel's own (%s)", to_do,
			 link);
	else
		snprintf(text, size, "waiting to %s %s (descriptor %d)", to_do,
			 *link ? link : "a file", fd);
}

static const struct ipcdemo_end *find_end(const struct why_graph *g, pid_t pid,
					  int fd)
{
	size_t i;

	for (i = 0; i < g->ends.n; i++)
		if (g->ends.end[i].pid == pid && g->ends.end[i].fd == fd)
			return &g->ends.end[i];
	return NULL;
}

/* One descriptor that is polled. */
static void add_polled(const struct why_graph *g, struct why_task *t, int fd,
		       bool in, bool out)
{
	const struct ipcdemo_end *end = find_end(g, t->pid, fd);
	char text[128];
	struct why_wait *w;

	if (end && in && why_end_is(end, false)) {
		w = add_wait(t, WHY_READ, "polling descriptor %d for bytes",
			     fd);
		w->id = end->id;
		w->poll = true;
	}
	if (end && out && why_end_is(end, true)) {
		w = add_wait(t, WHY_WRITE, "polling descriptor %d for room",
			     fd);
		w->id = end->id;
		w->poll = true;
	}
	if (end)
		return;
	name_fd(t->pid, fd, in ? "read" : "write", text, sizeof(text));
	add_wait(t, WHY_OUTSIDE, "%s, in poll", text);
}

static void add_pollfds(const struct why_graph *g, struct why_task *t,
			const unsigned long *arg)
{
	struct pollfd fds[WHY_WAITS];
	unsigned long i, n = arg[1];

	if (!n || n > WHY_WAITS ||
	    !read_memory(t->pid, arg[0], fds, n * sizeof(*fds))) {
		add_wait(t, WHY_OUTSIDE, "waiting in poll");
		return;
	}
	for (i = 0; i < n; i++)
		if (fds[i].fd >= 0)
			add_polled(g, t, fds[i].fd, fds[i].events & POLLIN,
				   fds[i].events & POLLOUT);
}

static void add_selected(const struct why_graph *g, struct why_task *t,
			 const unsigned long *arg)
{
	size_t size = (arg[0] + 63) / 64 * 8;
	fd_set in, out;
	unsigned long fd;

	FD_ZERO(&in);
	FD_ZERO(&out);
	if (arg[0] > FD_SETSIZE ||
	    (arg[1] && !read_memory(t->pid, arg[1], &in, size)) ||
	    (arg[2] && !read_memory(t->pid, arg[2], &out, size))) {
		add_wait(t, WHY_OUTSIDE, "waiting in select");
		return;
	}
	for (fd = 0; fd < arg[0]; fd++)
		if (FD_ISSET(fd, &in) || FD_ISSET(fd, &out))
			add_polled(g, t, fd, FD_ISSET(fd, &in),
				   FD_ISSET(fd, &out));
}

/* What an epoll watches is in its fdinfo: "tfd: 5 events: 19 ..." */
static void add_epoll(const struct why_graph *g, struct why_task *t, int epfd)
{
	char path[PATH_LEN], text[4096], *at = text;
	unsigned int fd, events, i, before;

	proc_path(path, "%d/fdinfo/%d", t->pid, epfd);
	read_text(path, text, sizeof(text));
	while ((at = strstr(at, "tfd:"))) {
		before = t->n;
		if (sscanf(at, "tfd: %u events: %x", &fd, &events) == 2)
			add_polled(g, t, fd, events & POLLIN, events & POLLOUT);
		for (i = before; i < t->n; i++)
			t->wait[i].edge = events & EPOLLET;
		at += 4;
	}
}

/* Is the call about a time, too?  Then it ends by itself. */
static void add_poll(const struct why_graph *g, struct why_task *t, long nr,
		     const unsigned long *arg)
{
	unsigned int before = t->n;

	switch (nr) {
#ifdef SYS_poll
	case SYS_poll:
		if ((int)arg[2] >= 0)
			break;
		add_pollfds(g, t, arg);
		return;
#endif
	case SYS_ppoll:
		if (arg[2])
			break;
		add_pollfds(g, t, arg);
		return;
#ifdef SYS_select
	case SYS_select:
#endif
	case SYS_pselect6:
		if (arg[4])
			break;
		add_selected(g, t, arg);
		if (t->n == before)
			add_wait(t, WHY_OUTSIDE, "waiting for a signal");
		return;
	default:
		if ((int)arg[3] >= 0)
			break;
		add_epoll(g, t, arg[0]);
		if (t->n == before)
			add_wait(t, WHY_OUTSIDE, "waiting in epoll");
		return;
	}
	add_wait(t, WHY_OUTSIDE,
		 "waiting in poll or select, which ends by itself");
}

static void add_child(struct why_task *t, pid_t child)
{
	struct why_wait *w;

	if (child)
		w = add_wait(t, WHY_CHILD, "waiting for %d to end", child);
	else
		w = add_wait(t, WHY_CHILD, "waiting for a child to end");
	w->child = child;
}

static void add_call(const struct why_graph *g, struct why_task *t, long nr,
		     const unsigned long *arg)
{
	char text[160], path[PATH_LEN], wchan[64];

	switch (nr) {
	case SYS_read:
	case SYS_readv:
	case SYS_pread64:
	case SYS_write:
	case SYS_writev:
		/* Of ours, and on no queue: it is on its way */
		if (find_end(g, t->pid, arg[0])) {
			add_wait(t, WHY_RUNS, "running");
			return;
		}
		name_fd(t->pid, arg[0],
			nr == SYS_write || nr == SYS_writev ? "write" : "read",
			text, sizeof(text));
		add_wait(t, WHY_OUTSIDE, "%s", text);
		return;
	case SYS_wait4:
		add_child(t, (pid_t)arg[0] > 0 ? (pid_t)arg[0] : 0);
		return;
	case SYS_waitid:
		add_child(t, arg[0] == P_PID ? (pid_t)arg[1] : 0);
		return;
#ifdef SYS_poll
	case SYS_poll:
#endif
	case SYS_ppoll:
#ifdef SYS_select
	case SYS_select:
#endif
	case SYS_pselect6:
#ifdef SYS_epoll_wait
	case SYS_epoll_wait:
#endif
	case SYS_epoll_pwait:
		add_poll(g, t, nr, arg);
		return;
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
		add_wait(t, WHY_OUTSIDE, "asleep for a time of its own");
		return;
#ifdef SYS_pause
	case SYS_pause:
#endif
	case SYS_rt_sigsuspend:
	case SYS_rt_sigtimedwait:
		add_wait(t, WHY_OUTSIDE, "waiting for a signal");
		return;
	case SYS_futex:
		add_wait(t, WHY_OUTSIDE, "waiting for a futex");
		return;
	case SYS_flock:
	case SYS_fcntl:
		add_wait(t, WHY_OUTSIDE, "waiting for a lock of a file");
		return;
	case SYS_accept4:
	case SYS_accept:
	case SYS_connect:
	case SYS_recvfrom:
	case SYS_recvmsg:
	case SYS_sendto:
	case SYS_sendmsg:
		add_wait(t, WHY_OUTSIDE, "waiting for a socket (descriptor %d)",
			 (int)arg[0]);
		return;
	}
	proc_path(path, "%d/wchan", t->pid);
	if (read_text(path, wchan, sizeof(wchan)) <= 0 || !strcmp(wchan, "0"))
		strcpy(wchan, "?");
	add_wait(t, WHY_OUTSIDE, "in system call %ld (%s)", nr, wchan);
}

/* A program of the other word size has other numbers of system calls. */
static bool speaks_our_calls(pid_t pid)
{
	char path[PATH_LEN], theirs[8], ours[8];

	proc_path(path, "%d/exe", pid);
	if (read_text(path, theirs, sizeof(theirs)) < 5)
		return true; /* a made-up one; others could not be read either */
	return read_text("/proc/self/exe", ours, sizeof(ours)) < 5 ||
	       theirs[4] == ours[4];
}

static void look_at_status(struct why_task *t)
{
	char path[PATH_LEN], text[4096];
	const char *ignored, *blocked;
	__u64 bit = 1ULL << (SIGPIPE - 1);

	proc_path(path, "%d/status", t->pid);
	if (read_text(path, text, sizeof(text)) <= 0)
		return;
	ignored = status_line(text, "\nSigIgn:");
	blocked = status_line(text, "\nSigBlk:");
	t->no_sigpipe = (ignored && (strtoull(ignored, NULL, 16) & bit)) ||
			(blocked && (strtoull(blocked, NULL, 16) & bit));
}

/* Does it wait for somebody, in a call whose time is not known? */
static bool waits_for_others(const struct why_task *t)
{
	unsigned int i;

	for (i = 0; i < t->n; i++)
		if (t->wait[i].poll || t->wait[i].kind == WHY_CHILD)
			return true;
	return false;
}

/* What a process does that is on no queue of ours, or not with all its threads. */
static void look_at_task(const struct why_graph *g, struct why_task *t)
{
	char path[PATH_LEN], text[256];
	unsigned long arg[6] = {0};
	ssize_t n;
	long nr;

	if (t->known)
		return;
	t->known = true;
	look_at_status(t);
	if (t->state == 'T' || t->state == 't') {
		t->n = 0;
		add_wait(t, WHY_STOPPED, "stopped");
		return;
	}
	if (t->n >= (unsigned int)t->threads || t->state == 'Z' ||
	    t->state == 'X')
		return;
	if (t->threads > 1) {
		add_wait(t, WHY_OUTSIDE, "doing other things in %d threads",
			 t->threads - t->n);
		return;
	}
	proc_path(path, "%d/syscall", t->pid);
	n = read_text(path, text, sizeof(text));
	if (n <= 0)
		add_wait(t, WHY_HIDDEN,
			 "somebody else's: what it does is not to be seen");
	else if (sscanf(text, "%ld %lx %lx %lx %lx %lx %lx", &nr, &arg[0],
			&arg[1], &arg[2], &arg[3], &arg[4], &arg[5]) != 7 ||
		 nr < 0)
		add_wait(t, WHY_RUNS, "running");
	else if (!speaks_our_calls(t->pid))
		add_wait(t, WHY_OUTSIDE, "in system call %ld of its own kind",
			 nr);
	else
		add_call(g, t, nr, arg);
	/* As began_later() */
	if (waits_for_others(t) && sleeps_of(t->pid) != t->sleeps) {
		t->n = 0;
		add_wait(t, WHY_RUNS, AT_WORK);
	}
}

/* Also at those whom the ones that are looked at wait for. */
static void look_at_tasks(struct why_graph *g)
{
	bool again = true;
	size_t i, j, k;
	struct why_task *t;
	int at;

	for (i = 0; i < g->ends.n; i++) {
		at = why_task(g, g->ends.end[i].pid);
		if (at >= 0)
			look_at_task(g, &g->task[at]);
	}
	while (again) {
		again = false;
		for (i = 0; i < g->ntasks; i++) {
			t = &g->task[i];
			if (t->n && !t->known)
				look_at_task(g, t);
			for (j = 0; j < t->n; j++) {
				if (t->wait[j].kind != WHY_CHILD &&
				    !t->wait[j].holder)
					continue;
				for (k = 0; k < g->ntasks; k++) {
					if (g->task[k].known ||
					    (g->task[k].parent != t->pid &&
					     g->task[k].pid !=
						     t->wait[j].holder))
						continue;
					look_at_task(g, &g->task[k]);
					again = true;
				}
			}
		}
	}
}

/* ---- who waits in the module ---------------------------------------------- */

/* The process of a thread. */
static int task_of(const struct why_graph *g, pid_t tid)
{
	char path[PATH_LEN], text[512];
	const char *tgid;
	int at = why_task(g, tid);

	if (at >= 0 || tid <= 0)
		return at;
	proc_path(path, "%d/status", tid);
	if (read_text(path, text, sizeof(text)) <= 0)
		return WHY_NOBODY;
	tgid = status_line(text, "\nTgid:");
	return tgid ? why_task(g, strtol(tgid, NULL, 10)) : WHY_NOBODY;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/*
 * Pipes are looked at one after the other, and of two who take turns each may be
 * seen waiting.  Those who have waited since before the first look all did at that
 * moment; who began later has moved since.
 */
static bool began_later(const struct why_graph *g, double seconds)
{
	/* It is told in ms, and may be rounded */
	return seconds <= now() - g->begun + 0.001;
}

static void add_waiter(struct why_graph *g, __u32 id,
		       const struct ipcdemo_waiter *from)
{
	enum why_kind kind = WHY_HELD;
	int at = task_of(g, from->pid);
	struct why_wait *w;

	if (at < 0) {
		g->unseen++;
		return;
	}
	if (!strcmp(from->state, "woken")) {
		add_wait(&g->task[at], WHY_RUNS, "being woken");
		return;
	}
	if (!strcmp(from->point, "read.wait"))
		kind = WHY_READ;
	else if (!strcmp(from->point, "write.wait"))
		kind = WHY_WRITE;
	else if (!strcmp(from->point, "open.wait"))
		kind = WHY_OPEN;
	if ((kind == WHY_READ || kind == WHY_WRITE) &&
	    began_later(g, from->seconds)) {
		add_wait(&g->task[at], WHY_RUNS, AT_WORK);
		return;
	}
	w = add_wait(&g->task[at], kind, "%s at %s",
		     strcmp(from->state, "lock") ? "held"
						 : "waiting for the lock",
		     from->point);
	w->id = id;
	w->tid = from->pid;
	w->seconds = from->seconds;
}

/* Since the list was made.  EIO: its file goes away just now. */
static bool is_gone(int err)
{
	return err == -ENOENT || err == -EIO;
}

static int collect_pipes(struct ipcdemo *ipc, struct why_graph *g)
{
	struct ipcdemo_table t;
	struct why_pipe *p;
	size_t row, i;
	int err = ipcdemo_list(ipc, IPCDEMO_PIPE, &t);

	if (err)
		return err;
	g->pipe = calloc(t.rows + 1, sizeof(*g->pipe));
	if (!g->pipe)
		err = -ENOMEM;
	for (row = 0; row < t.rows && !err; row++) {
		p = &g->pipe[g->npipes];
		err = ipcdemo_pipe_view(ipc,
					strtoul(ipcdemo_cell(&t, row, "id"),
						NULL, 10),
					&p->view);
		if (is_gone(err)) {
			err = 0;
			continue;
		}
		if (err)
			break;
		g->npipes++;
		for (i = 0; i < p->view.nwaiters; i++)
			add_waiter(g, p->view.id, &p->view.waiters[i]);
		for (i = 0; i < p->view.nheld; i++)
			add_waiter(g, p->view.id, &p->view.held[i]);
	}
	ipcdemo_table_free(&t);
	return err;
}

/* Of the lock that a word is of, if libipcdemo(3) made it: its name, its holder. */
static void find_lock(const struct ipcdemo_region_view *v, struct why_wait *w)
{
	struct ipcdemo_object objects[64], *o;
	struct ipcdemo_region *region;
	size_t j;
	int i, n;

	if (*v->name != '/' || !strncmp(v->name, "/dev/", 5) ||
	    ipcdemo_region_open(v->name, IPCDEMO_REGION_READ_ONLY, &region))
		return;
	n = ipcdemo_region_objects(region, objects, ARRAY_SIZE(objects));
	if (n > (int)ARRAY_SIZE(objects))
		n = ARRAY_SIZE(objects);
	for (i = 0; i < n; i++) {
		o = &objects[i];
		if (!o->valid || w->offset < o->offset ||
		    w->offset - o->offset >= o->size)
			continue;
		snprintf(w->text, sizeof(w->text), "waiting for %s", o->name);
		for (j = 0; o->holder && j < v->nowners; j++)
			if (v->owners[j].owner == o->holder)
				w->holder = v->owners[j].pid;
	}
	ipcdemo_region_close(region);
}

static int collect_regions(struct ipcdemo *ipc, struct why_graph *g)
{
	struct ipcdemo_region_view v;
	struct ipcdemo_table t;
	struct why_wait *w;
	size_t row, i;
	int at, err = ipcdemo_list(ipc, IPCDEMO_REGION, &t);

	if (err)
		return err;
	for (row = 0; row < t.rows && !err; row++) {
		err = ipcdemo_region_view(ipc,
					  strtoul(ipcdemo_cell(&t, row, "id"),
						  NULL, 10),
					  &v);
		if (is_gone(err)) {
			err = 0;
			continue;
		}
		if (err)
			break;
		for (i = 0; i < v.nwaiters; i++) {
			at = task_of(g, v.waiters[i].task.pid);
			if (at < 0) {
				g->unseen++;
				continue;
			}
			if (began_later(g, v.waiters[i].task.seconds)) {
				add_wait(&g->task[at], WHY_RUNS, AT_WORK);
				continue;
			}
			w = add_wait(&g->task[at], WHY_WORD,
				     "waiting for the word at %llu",
				     (unsigned long long)v.waiters[i].offset);
			w->id = v.id;
			w->tid = v.waiters[i].task.pid;
			w->seconds = v.waiters[i].task.seconds;
			w->offset = v.waiters[i].offset;
			find_lock(&v, w);
		}
		ipcdemo_region_view_free(&v);
	}
	ipcdemo_table_free(&t);
	return err;
}

/* ---- what stdio keeps ----------------------------------------------------- */

/* A line of /proc/PID/maps, as far as it is asked for. */
struct mapping {
	unsigned long long start, end, offset, ino;
	unsigned int major, minor;
};

static bool next_mapping(char **rest, struct mapping *m)
{
	char *line;

	while ((line = strsep(rest, "\n")))
		if (sscanf(line, "%llx-%llx %*s %llx %x:%x %llu", &m->start,
			   &m->end, &m->offset, &m->major, &m->minor,
			   &m->ino) == 6)
			return true;
	return false;
}

static bool is_same_file(const struct mapping *a, const struct mapping *b)
{
	return a->ino == b->ino && a->major == b->major && a->minor == b->minor;
}

/*
 * Where the C library of a process keeps its list of FILEs: known if it is the very
 * file that we use, mapped anywhere.  What is compared is what the kernel calls the
 * mappings; stat(2) has another device for a file on overlayfs.  0: it is not known.
 */
static __u64 find_files(pid_t pid)
{
	__u64 list = (uintptr_t)dlsym(RTLD_NEXT, "_IO_list_all"), base = 0;
	char path[PATH_LEN], ours[65536], text[65536], *rest;
	struct mapping lib = {0}, m;

	if (!list || getenv("IPCDEMO_ROOT") ||
	    read_text("/proc/self/maps", ours, sizeof(ours)) <= 0)
		return 0;
	/* The list is in the library's last mapping, its base is the first */
	strcpy(text, ours);
	rest = text;
	while (next_mapping(&rest, &m))
		if (m.start <= list && list < m.end)
			lib = m;
	rest = ours;
	while (next_mapping(&rest, &m))
		if (!m.offset && is_same_file(&m, &lib))
			base = m.start;
	proc_path(path, "%d/maps", pid);
	if (!lib.ino || !base || read_text(path, text, sizeof(text)) <= 0)
		return 0;
	rest = text;
	while (next_mapping(&rest, &m))
		if (!m.offset && is_same_file(&m, &lib))
			return m.start + (list - base);
	return 0;
}

static int add_stdio(struct why_graph *g, pid_t pid, int fd, size_t bytes)
{
	struct why_stdio *more =
		realloc(g->stdio, (g->nstdio + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	g->stdio = more;
	g->stdio[g->nstdio++] =
		(struct why_stdio){.pid = pid, .fd = fd, .bytes = bytes};
	return 0;
}

/* Of a process that is asleep, so that its list stands still. */
static int look_at_stdio(struct why_graph *g, pid_t pid)
{
	__u64 at = find_files(pid), file;
	const struct ipcdemo_end *end;
	struct _IO_FILE f;
	int i, err = 0;

	if (!at || !read_memory(pid, at, &file, sizeof(file)))
		return 0;
	for (i = 0; file && i < MOST_FILES && !err; i++) {
		if (!read_memory(pid, file, &f, sizeof(f)))
			break;
		end = find_end(g, pid, f._fileno);
		if (end && why_end_is(end, true) &&
		    f._IO_write_ptr > f._IO_write_base)
			err = add_stdio(g, pid, f._fileno,
					f._IO_write_ptr - f._IO_write_base);
		file = (__u64)(uintptr_t)f._chain;
	}
	return err;
}

static int collect_stdio(struct why_graph *g)
{
	pid_t last = 0;
	size_t i;
	int err = 0, at;

	for (i = 0; i < g->ends.n && !err; i++) {
		const struct ipcdemo_end *end = &g->ends.end[i];

		at = why_task(g, end->pid);
		if (end->pid == last || at < 0 || !why_end_is(end, true) ||
		    g->task[at].threads > 1 || !g->task[at].n ||
		    g->task[at].wait[0].kind == WHY_RUNS)
			continue;
		last = end->pid;
		err = look_at_stdio(g, last);
	}
	return err;
}

/* ---- jobservers of make ---------------------------------------------------- */

/* Which pipe a word such as "3,4" or "fifo:/path" of a process's MAKEFLAGS is. */
static struct why_pipe *jobserver(struct why_graph *g, const struct why_task *t,
				  const char *auth)
{
	const struct ipcdemo_end *end;
	size_t i, len;
	int fd;

	if (!strncmp(auth, "fifo:", 5)) {
		auth += 5;
		len = strcspn(auth, " ");
		for (i = 0; i < g->npipes; i++)
			if (strlen(g->pipe[i].view.name) == len &&
			    !strncmp(g->pipe[i].view.name, auth, len))
				return &g->pipe[i];
		return NULL;
	}
	/* A job that make gave none has make's numbers all the same */
	if (sscanf(auth, "%d,", &fd) != 1)
		return NULL;
	end = find_end(g, t->pid, fd) ?: find_end(g, t->parent, fd);
	if (!end || !why_end_is(end, false))
		return NULL;
	for (i = 0; i < g->npipes; i++)
		if (g->pipe[i].view.id == end->id)
			return &g->pipe[i];
	return NULL;
}

static void collect_jobservers(struct why_graph *g)
{
	char path[PATH_LEN], *text, *flags, *auth, *jobs, *at;
	const size_t room = 1 << 17;
	struct why_pipe *p;
	size_t i;
	ssize_t n;

	text = malloc(room);
	for (i = 0; text && g->ends.n && i < g->ntasks; i++) {
		proc_path(path, "%d/environ", g->task[i].pid);
		n = read_text(path, text, room);
		for (at = text; n > 0 && at < text + n; at += strlen(at) + 1) {
			if (strncmp(at, "MAKEFLAGS=", 10))
				continue;
			flags = at + 10;
			auth = strstr(flags, "--jobserver-auth=");
			jobs = strstr(flags, "-j");
			if (!auth || !jobs)
				continue;
			p = jobserver(g, &g->task[i], auth + 17);
			if (!p)
				continue;
			g->task[i].jobs = strtoul(jobs + 2, NULL, 10);
			p->jobs = g->task[i].jobs;
		}
	}
	free(text);
}

int why_collect(struct ipcdemo *ipc, struct why_graph *g)
{
	int err;

	memset(g, 0, sizeof(*g));
	g->begun = now();
	err = collect_tasks(g);
	if (!err)
		err = ipcdemo_pipe_ends(ipc, 0, &g->ends);
	if (!err)
		err = collect_pipes(ipc, g);
	if (!err)
		err = collect_regions(ipc, g);
	if (!err) {
		look_at_tasks(g);
		collect_jobservers(g);
		err = collect_stdio(g);
	}
	if (err)
		why_free(g);
	return err;
}

void why_free(struct why_graph *g)
{
	size_t i;

	for (i = 0; i < g->npipes; i++)
		ipcdemo_pipe_view_free(&g->pipe[i].view);
	free(g->pipe);
	free(g->task);
	free(g->stdio);
	free(g->mistake);
	ipcdemo_ends_free(&g->ends);
	memset(g, 0, sizeof(*g));
}

// SPDX-License-Identifier: GPL-2.0
/* Processes that make calls when they are told: see player.h. */
#include "player.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <linux/close_range.h>

#include "../kernel/harness.h"
#include "calls.h"

/* In a player: the socket, and the first slot. */
#define SOCKET_FD  3
#define FIRST_SLOT 4

static struct player {
	pid_t pid;
	int sock, pidfd;
	int runs, stat; /* files of /proc/PID */
	bool used; /* since it was cleared */
	bool busy; /* has an order and has not answered */
	bool ended; /* answer is there to be taken */
	struct answer answer;
	char seen[64]; /* how often it ran, at the last look */
} players[NR_PLAYERS];

/* /proc/PID/schedstat counts; without CONFIG_SCHEDSTATS, status does. */
static const char *runs_file;

/* --- in a player ------------------------------------------------------------------ */

static volatile sig_atomic_t sigpipes;
static pid_t child;

static void on_sigpipe(int sig)
{
	(void)sig;
	sigpipes++;
}

static void on_other(int sig)
{
	(void)sig;
}

static int fd_of(int slot)
{
	return FIRST_SLOT + slot;
}

static long set_flag(int fd, int flag, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	return fcntl(fd, F_SETFL, on ? flags | flag : flags & ~flag);
}

static long do_async(int slot, pid_t owner)
{
	int fd = fd_of(slot);

	if (owner && (fcntl(fd, F_SETOWN, owner) ||
		      fcntl(fd, F_SETSIG, SIGRTMIN + slot)))
		return -1;
	return set_flag(fd, O_ASYNC, owner);
}

/* The child holds what is open now, until it is reaped. */
static long do_fork(void)
{
	if (child)
		return 0;
	child = fork();
	if (child)
		return child < 0 ? -1 : 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(SOCKET_FD);
	for (;;)
		pause();
}

static long do_reap(void)
{
	if (child <= 0)
		return 0;
	kill(child, SIGKILL);
	if (waitpid(child, NULL, 0) < 0)
		return -1;
	child = 0;
	return 0;
}

/* A descriptor that was just made goes to its slot. */
static long move_to(int fd, int slot)
{
	if (fd < 0 || fd == fd_of(slot))
		return fd;
	if (dup3(fd, fd_of(slot), O_CLOEXEC) < 0)
		return -1;
	return close(fd);
}

static long do_epoll(int slot, int into)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET};

	if (move_to(epoll_create1(EPOLL_CLOEXEC), into) < 0)
		return -1;
	return epoll_ctl(fd_of(into), EPOLL_CTL_ADD, fd_of(slot), &event);
}

static long do_epoll_wait(int slot)
{
	struct epoll_event event = {};
	int ret = epoll_wait(fd_of(slot), &event, 1, 0);

	return ret > 0 ? (long)event.events : ret;
}

static struct made obey(const struct order *order)
{
	struct made made = {.in_order = true};
	int fd = fd_of(order->slot);
	long ret = 0;

	errno = 0;
	switch (order->deed) {
	case DO_CALL:
		made = call_make(&order->call, fd, order->flags,
				 !(order->flags & O_NONBLOCK), order->position);
		if (order->call.verb == OPEN && made.ret >= 0)
			made.ret = move_to(made.ret, order->slot) < 0 ? -1 : 0;
		return made;
	case DO_NOTHING:
		break;
	case DO_CLEAR:
		ret = do_reap();
		if (syscall(SYS_close_range, FIRST_SLOT, ~0u, 0))
			ret = -1;
		break;
	case DO_CLOSE_SLOT:
		ret = close(fd);
		break;
	case DO_DUP:
		ret = dup3(fd, fd_of(order->number), O_CLOEXEC) < 0 ? -1 : 0;
		break;
	case DO_NONBLOCK:
		ret = set_flag(fd, O_NONBLOCK, order->number);
		break;
	case DO_PACKETS:
		ret = set_flag(fd, O_DIRECT, order->number);
		break;
	case DO_ASYNC:
		ret = do_async(order->slot, order->number);
		break;
	case DO_FORK:
		ret = do_fork();
		break;
	case DO_REAP:
		ret = do_reap();
		break;
	case DO_EPOLL:
		ret = do_epoll(order->slot, order->number);
		break;
	case DO_EPOLL_WAIT:
		ret = do_epoll_wait(order->slot);
		break;
	}
	made.ret = ret;
	made.err = ret < 0 ? errno : 0;
	return made;
}

/* A descriptor that came along goes to its slot. */
static void take_fd(struct msghdr *msg, int slot)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
	int fd;

	if (!cmsg)
		return;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	move_to(fd, slot);
}

/* The call's own name for where the target is. */
static void go_to(const struct order *order)
{
	static char path[sizeof(order->path)];
	static struct target unnamed = {.name = "unnamed", .path = path};

	if (order->target & (PIPE | ANON)) {
		unnamed.bit = order->target;
		memcpy(path, order->path, sizeof(path));
		target = &unnamed;
	} else if (order->target && target->bit != order->target) {
		switch_to(order->target);
	}
}

static void play(void)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct order order;
	struct iovec iov = {&order, sizeof(order)};

	for (;;) {
		struct msghdr msg = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control.buf,
			.msg_controllen = sizeof(control.buf),
		};
		ssize_t len = recvmsg(SOCKET_FD, &msg, MSG_CMSG_CLOEXEC);
		struct answer answer = {};
		struct made made;

		if (len < 0 && errno == EINTR)
			continue;
		if (len != sizeof(order))
			_exit(0);
		take_fd(&msg, order.slot);
		go_to(&order);
		sigpipes = 0;
		made = obey(&order);
		answer.ret = made.ret;
		answer.err = made.err;
		answer.sigpipes = sigpipes;
		answer.hash = made.hash;
		answer.in_order = made.in_order;
		if (send(SOCKET_FD, &answer, sizeof(answer), MSG_NOSIGNAL) < 0)
			_exit(1);
	}
}

/*
 * All on one processor, the players before who directs them: then a look at
 * them is seldom too early, and answers come without a switch between two
 * processors.  This makes it fast; that it is right does not depend on it.
 */
static int last_processor(void)
{
	cpu_set_t allowed;
	int cpu, last = -1;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return -1;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			last = cpu;
	return last;
}

static void stay_on(int cpu)
{
	cpu_set_t only;

	if (cpu < 0)
		return;
	CPU_ZERO(&only);
	CPU_SET(cpu, &only);
	sched_setaffinity(0, sizeof(only), &only);
}

static void __attribute__((noreturn)) be_player(pid_t parent, int sock)
{
	struct sigaction pipe_act = {.sa_handler = on_sigpipe,
				     .sa_flags = SA_RESTART};
	struct sigaction interrupt = {.sa_handler = on_other};
	struct sigaction restart = {.sa_handler = on_other,
				    .sa_flags = SA_RESTART};
	struct sched_param first = {.sched_priority = 1};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (sock != SOCKET_FD)
		dup2(sock, SOCKET_FD);
	syscall(SYS_close_range, FIRST_SLOT, ~0u, 0);
	signal(SIGALRM, SIG_DFL);
	sigaction(SIGPIPE, &pipe_act, NULL);
	sigaction(INTERRUPT_SIGNAL, &interrupt, NULL);
	sigaction(RESTART_SIGNAL, &restart, NULL);
	/* A claim that fails here ends the player, and so the claim there. */
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	/* See last_processor(); who may not do this is slower. */
	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first);
	play();
	_exit(0);
}

/* --- here --------------------------------------------------------------------------- */

static int open_proc(pid_t pid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return fd;
}

static void choose_runs_file(void)
{
	char text[64] = "";
	int fd = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) < 0)
			text[0] = '\0';
		close(fd);
	}
	runs_file =
		text[0] && strncmp(text, "0 0 0", 5) ? "schedstat" : "status";
}

void players_start(void)
{
	int cpu = last_processor(), i;
	pid_t parent = getpid();

	calls_init();
	choose_runs_file();
	stay_on(cpu);
	for (i = 0; i < NR_PLAYERS; i++) {
		struct player *player = &players[i];
		int socks[2];

		memset(player, 0, sizeof(*player));
		assert_ret(0, socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC,
					 0, socks));
		player->pid = fork();
		assert_int_not_equal(player->pid, -1);
		if (!player->pid)
			be_player(parent, socks[1]);
		reap_later(player->pid);
		close(socks[1]);
		player->sock = socks[0];
		player->pidfd = syscall(SYS_pidfd_open, player->pid, 0);
		assert_int_not_equal(player->pidfd, -1);
		player->runs = open_proc(player->pid, runs_file);
		player->stat = open_proc(player->pid, "stat");
	}
}

pid_t player_pid(int player)
{
	return players[player].pid;
}

int player_fd_number(int slot)
{
	return fd_of(slot);
}

int player_fd(int player, int slot)
{
	return syscall(SYS_pidfd_getfd, players[player].pidfd, fd_of(slot), 0);
}

void player_begin(int nr, const struct order *order, int fd)
{
	struct player *player = &players[nr];
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {};
	struct iovec iov = {(void *)order, sizeof(*order)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	assert_false(player->busy);
	if (fd >= 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	assert_ret(sizeof(*order), sendmsg(player->sock, &msg, MSG_NOSIGNAL));
	player->seen[0] = '\0';
	player->used = true;
	player->busy = true;
	player->ended = false;
}

/* Takes the answer if it is there. */
static bool has_answered(struct player *player)
{
	ssize_t len = recv(player->sock, &player->answer,
			   sizeof(player->answer), MSG_DONTWAIT);

	if (len < 0 && errno == EAGAIN)
		return false;
	if (len != sizeof(player->answer))
		fail_msg("a process of the test died");
	player->busy = false;
	player->ended = true;
	return true;
}

/* The text of a file of /proc, anew. */
static void look_into(int fd, char *text, size_t size)
{
	ssize_t len = pread(fd, text, size - 1, 0);

	text[len > 0 ? len : 0] = '\0';
}

/* Asleep until something happens, and not for a lock or a page. */
static bool sleeps(const struct player *player)
{
	char text[512];
	const char *after;

	look_into(player->stat, text, sizeof(text));
	after = strrchr(text, ')');
	return after && after[1] == ' ' && after[2] == 'S';
}

/* What changes whenever it runs. */
static void count_runs(const struct player *player, char *runs, size_t size)
{
	char text[4096];
	const char *line = text;

	look_into(player->runs, text, sizeof(text));
	if (runs_file[1] == 't')
		line = strstr(text, "\nvoluntary_ctxt_switches:");
	snprintf(runs, size, "%.60s", line ? line : text);
}

/*
 * Looks at all players that have not answered.  Return: whether each one sleeps
 * and has not run since the last such look.
 */
static bool look_at_all(void)
{
	bool quiet = true;
	int i;

	for (i = 0; i < NR_PLAYERS; i++) {
		struct player *player = &players[i];
		char runs[sizeof(player->seen)];

		if (!player->busy)
			continue;
		if (has_answered(player)) {
			quiet = false;
			continue;
		}
		if (quiet && !sleeps(player))
			quiet = false;
		count_runs(player, runs, sizeof(runs));
		if (strcmp(runs, player->seen))
			quiet = false;
		memcpy(player->seen, runs, sizeof(runs));
	}
	return quiet;
}

/*
 * Two looks, one after the other.  Who sleeps in the second, and has not run
 * since the first, slept from one to the other: so nobody ran between the end of
 * the first look and the start of the second, nor had anybody been woken who was
 * to run yet, as such a one does not count as asleep.  A player sleeps in its
 * call then: it takes an order at once, and once it has answered it has run.
 */
void players_settle(void)
{
	__u64 until = now_ms() + PATIENCE_MS;
	bool busy;
	int i;

	for (;;) {
		busy = false;
		for (i = 0; i < NR_PLAYERS; i++)
			busy |= players[i].busy && !has_answered(&players[i]);
		if (!busy || look_at_all())
			return;
		if (now_ms() > until)
			fail_msg("the processes do not come to rest");
		sched_yield();
	}
}

bool player_is_asleep(int player)
{
	return players[player].busy;
}

bool player_has_ended(int nr, struct answer *answer)
{
	struct player *player = &players[nr];

	if (!player->ended)
		return false;
	player->ended = false;
	*answer = player->answer;
	return true;
}

static void wait_for_answer(struct player *player)
{
	struct pollfd pfd = {.fd = player->sock, .events = POLLIN};

	if (has_answered(player))
		return;
	if (poll(&pfd, 1, PATIENCE_MS) != 1 || !has_answered(player))
		fail_msg("process %d does not answer", player->pid);
}

void player_await(int player)
{
	wait_for_answer(&players[player]);
}

struct answer player_does(int nr, const struct order *order, int fd)
{
	struct answer answer;

	player_begin(nr, order, fd);
	wait_for_answer(&players[nr]);
	player_has_ended(nr, &answer);
	return answer;
}

void players_clear(void)
{
	const struct order clear = {.deed = DO_CLEAR};
	int i;

	for (i = 0; i < NR_PLAYERS; i++) {
		struct player *player = &players[i];

		if (!player->used)
			continue;
		if (player->busy) {
			kill(player->pid, INTERRUPT_SIGNAL);
			wait_for_answer(player);
		}
		assert_ret(0, player_does(i, &clear, -1).ret);
		player->used = false;
	}
}

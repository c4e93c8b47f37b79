// SPDX-License-Identifier: GPL-2.0
/*
 * Ends that change hands: fork, vfork, exec, descriptors sent over a socket,
 * pidfd_getfd
 *
 * An end is open as long as one descriptor of it is, in whatever process, or in
 * flight between two.
 */
#include "harness.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void open_still(const struct ends *e)
{
	assert_ret(0, poll_now(e->w, 0));
	assert_ret(1, put(e->w, 1, 0));
	assert_ret(1, get(e->r, 1, NULL));
}

static bool has_no_writer(int r)
{
	return poll_now(r, 0) & POLLHUP;
}

static bool has_no_reader(int w)
{
	return poll_now(w, 0) & POLLERR;
}

/* --- fork, vfork, exec ---------------------------------------------------------- */

static void a_child_keeps_both_ends(void **state)
{
	struct ends e = open_ends(0);
	struct actor *child = new_actor_with_both(e.r, e.w);

	(void)state;
	close(e.w);
	assert_false(has_no_writer(e.r));
	assert_ret(5, does(child, do_write, e.w, 5, 0).ret);
	assert_ret(5, get(e.r, 10, NULL));
	assert_ret(0, does(child, do_close, e.w, 0, 0).ret);
	assert_true(has_no_writer(e.r));
	assert_ret(0, get(e.r, 1, NULL));
}

static void a_childs_exit_closes_its_ends(void **state)
{
	static const int signals[] = {SIGKILL, SIGTERM, SIGABRT};
	size_t i;

	(void)state;
	for (i = 0; i < NR(signals); i++) {
		struct ends e = open_ends(0);
		struct actor *child = new_actor_with(e.w);

		close(e.w);
		assert_false(has_no_writer(e.r));
		kill(child->pid, signals[i]);
		assert_int_equal(dies_of(child), signals[i]);
		assert_true(has_no_writer(e.r));
		close(e.r);
	}
}

/* The textbook: who does not close the end he does not need waits for ever. */
static void a_reader_that_keeps_a_write_end_sees_no_end(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = new_actor_with_both(e.r, e.w);

	(void)state;
	close(e.w);
	begin(reader, do_read, e.r, 10, 0);
	sleeps_in(reader, SYS_read);
	assert_false(has_no_writer(e.r));
	destroy(reader);
	assert_ret(0, get(e.r, 1, NULL));
}

static void generations_share_the_end(void **state)
{
	struct ends e = open_ends(0);
	pid_t pid = fork();
	int status;

	(void)state;
	assert_int_not_equal(pid, -1);
	if (!pid) {
		pid = getpid();
		/* A grandchild, which writes when its parent is gone. */
		if (!fork()) {
			close(e.r);
			while (getppid() == pid)
				breathe();
			_exit(write(e.w, "x", 1) != 1);
		}
		_exit(0);
	}
	close(e.w);
	assert_ret(pid, waitpid(pid, &status, 0));
	assert_ret(1, get(e.r, 1, NULL));
	assert_ret(0, get(e.r, 1, NULL));
}

/* Runs a program with @fd as its standard input or output. */
static pid_t spawn(const char *command, int fd, int as)
{
	char *const argv[] = {"sh", "-c", (char *)command, NULL};
	char *const none[] = {NULL};
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int err;

	posix_spawn_file_actions_init(&actions);
	if (fd >= 0)
		posix_spawn_file_actions_adddup2(&actions, fd, as);
	err = posix_spawn(&pid, "/bin/sh", &actions, NULL, argv, none);
	assert_int_equal(err, 0);
	posix_spawn_file_actions_destroy(&actions);
	reap_later(pid);
	return pid;
}

/* posix_spawn is vfork and exec. */
static void exec_keeps_what_is_not_cloexec(void **state)
{
	struct ends e = open_ends(0);
	char got[16] = "";

	(void)state;
	spawn("echo hello", e.w, 1);
	close(e.w);
	/* The copy at 1 is not close-on-exec; the rest was closed. */
	assert_ret(6, get(e.r, 6, NULL));
	assert_ret(0, read(e.r, got, sizeof(got)));
	assert_true(has_no_writer(e.r));
}

static void exec_closes_what_is_cloexec(void **state)
{
	struct ends e = open_ends(0);
	int fds[2];
	pid_t pid;

	(void)state;
	assert_ret(0, pipe2(fds, O_CLOEXEC));
	/* It says that it runs, and then stays. */
	pid = spawn("echo; exec sleep 1000", fds[1], 1);
	assert_ret(1, get(fds[0], 1, NULL));
	close(e.r);
	assert_true(has_no_reader(e.w));
	assert_ret(0, kill(pid, 0));
}

static void exec_by_a_flag_that_was_changed(void **state)
{
	struct ends e = open_ends(0);
	char command[64];

	(void)state;
	assert_true(fcntl(e.w, F_GETFD) & FD_CLOEXEC);
	assert_ret(0, fcntl(e.w, F_SETFD, 0));
	snprintf(command, sizeof(command), "echo inherited >&%d", e.w);
	spawn(command, -1, 0);
	close(e.w);
	assert_ret(10, get(e.r, 10, NULL));
	assert_ret(0, get(e.r, 1, NULL));
}

/* The child has descriptors of its own, though it borrows the memory. */
static void a_vforked_child_closes_its_own(void **state)
{
	static struct ends e;
	static pid_t pid;
	int status;

	(void)state;
	e = open_ends(0);
	pid = vfork();
	assert_int_not_equal(pid, -1);
	if (!pid) {
		close(e.r);
		if (write(e.w, "vfork", 5) != 5)
			_exit(1);
		close(e.w);
		_exit(0);
	}
	assert_ret(pid, waitpid(pid, &status, 0));
	assert_int_equal(status, 0);
	assert_ret(5, get(e.r, 10, NULL));
	open_still(&e);
}

/* --- descriptors in flight ------------------------------------------------------- */

struct message {
	struct msghdr header;
	struct iovec iov;
	char byte;
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
};

static void prepare(struct message *m, size_t room)
{
	memset(m, 0, sizeof(*m));
	m->iov = (struct iovec){&m->byte, 1};
	m->header.msg_iov = &m->iov;
	m->header.msg_iovlen = 1;
	m->header.msg_control = m->control.bytes;
	m->header.msg_controllen = room;
}

static void send_fds(int sock, const int *fds, size_t nr)
{
	struct cmsghdr *cmsg;
	struct message m;

	prepare(&m, CMSG_SPACE(nr * sizeof(int)));
	cmsg = CMSG_FIRSTHDR(&m.header);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, nr * sizeof(int));
	assert_ret(1, sendmsg(sock, &m.header, MSG_NOSIGNAL));
}

static void send_fd(int sock, int fd)
{
	send_fds(sock, &fd, 1);
}

/* -1 if none came. */
static int receive_fd(int sock, int flags)
{
	struct cmsghdr *cmsg;
	struct message m;
	int fd = -1;

	prepare(&m, CMSG_SPACE(sizeof(int)));
	assert_ret(1, recvmsg(sock, &m.header, flags | MSG_CMSG_CLOEXEC));
	cmsg = CMSG_FIRSTHDR(&m.header);
	if (cmsg && cmsg->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
	return fd;
}

static struct ends sockets(void)
{
	int fds[2];

	assert_ret(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
	return (struct ends){fds[0], fds[1]};
}

static void an_end_in_flight_is_open(void **state)
{
	struct ends e = open_ends(0), s = sockets();
	int r;

	(void)state;
	send_fd(s.w, e.r);
	close(e.r);
	assert_false(has_no_reader(e.w));
	assert_ret(5, put(e.w, 5, 1));
	r = receive_fd(s.r, 0);
	assert_true(r >= 0);
	assert_ret(5, get(r, 10, NULL));
	send_fd(s.w, e.w);
	close(e.w);
	assert_false(has_no_writer(r));
	e.w = receive_fd(s.r, 0);
	assert_ret(5, put(e.w, 5, 1));
	close(e.w);
	assert_ret(5, get(r, 10, NULL));
	assert_ret(0, get(r, 10, NULL));
}

static long do_receive_and_read(long sock, long len, long c)
{
	int fd = receive_fd(sock, 0);

	(void)c;
	return fd < 0 ? -1 : do_read(fd, len, 0);
}

/* Who has it may use it, whoever he is. */
static void another_user_may_use_what_it_was_sent(void **state)
{
	struct ends e = open_ends(0), s = sockets();
	struct actor *other = new_actor_with(s.r);

	(void)state;
	assert_ret(0, does(other, do_uid, 4321, 0, 0).ret);
	begin(other, do_receive_and_read, s.r, 10, 0);
	sleeps_in(other, SYS_recvmsg);
	send_fd(s.w, e.r);
	close(e.r);
	sleeps_in(other, SYS_read);
	assert_ret(5, put(e.w, 5, 3));
	assert_int_equal(end(other).sum, sum_of_pattern(5, 3));
	destroy(other);
	assert_true(has_no_reader(e.w));
}

static void a_peeked_end_is_one_more(void **state)
{
	struct ends e = open_ends(0), s = sockets();
	int a, b;

	(void)state;
	send_fd(s.w, e.r);
	close(e.r);
	a = receive_fd(s.r, MSG_PEEK);
	b = receive_fd(s.r, 0);
	assert_true(a >= 0 && b >= 0);
	close(a);
	assert_false(has_no_reader(e.w));
	close(b);
	assert_true(has_no_reader(e.w));
}

static void what_nobody_receives_is_closed(void **state)
{
	struct ends e = open_ends(0), s = sockets();
	struct message m;

	(void)state;
	/* The socket goes. */
	send_fd(s.w, e.w);
	close(e.w);
	assert_false(has_no_writer(e.r));
	close(s.r);
	close(s.w);
	eventually(has_no_writer(e.r));
	close(e.r);
	/* There is no room for it in the message. */
	e = open_ends(0);
	s = sockets();
	send_fd(s.w, e.w);
	close(e.w);
	prepare(&m, 0);
	assert_ret(1, recvmsg(s.r, &m.header, 0));
	assert_true(m.header.msg_flags & MSG_CTRUNC);
	eventually(has_no_writer(e.r));
}

static void the_death_of_the_receiver_closes_it(void **state)
{
	struct ends e = open_ends(0), s = sockets();
	struct actor *other = new_actor_with(s.r);

	(void)state;
	send_fd(s.w, e.w);
	close(e.w);
	close(s.r);
	close(s.w);
	assert_false(has_no_writer(e.r));
	destroy(other);
	eventually(has_no_writer(e.r));
}

/* The collector looks for garbage when some socket goes. */
static void collect_garbage(void)
{
	struct ends any = sockets();

	close(any.r);
	close(any.w);
}

static bool collected(int fd, int events)
{
	collect_garbage();
	return poll_now(fd, 0) & events;
}

/* Sockets that only they themselves hold: nobody can ever receive the end. */
static void garbage_is_collected_with_the_end(void **state)
{
	struct ends e = open_ends(0), s = sockets();
	int cycle[3];

	(void)state;
	cycle[0] = e.r;
	cycle[1] = s.r;
	cycle[2] = s.w;
	send_fds(s.w, cycle, 3);
	close(e.r);
	close(s.r);
	assert_false(has_no_reader(e.w));
	assert_ret(1, put(e.w, 1, 0));
	collect_garbage();
	assert_false(has_no_reader(e.w));
	/* The last that is known outside. */
	close(s.w);
	eventually(collected(e.w, POLLERR));
	assert_errno(EPIPE, put(e.w, 1, 0));
}

/* Two pairs, each in flight in the other. */
static void garbage_of_two_pairs_is_collected(void **state)
{
	struct ends e = open_ends(0), a = sockets(), b = sockets();
	int to_a[3] = {b.r, b.w, e.w}, to_b[3] = {a.r, a.w, e.r};

	(void)state;
	send_fds(a.w, to_a, 3);
	send_fds(b.w, to_b, 3);
	close(e.w);
	close(a.r);
	close(a.w);
	close(b.r);
	assert_false(has_no_writer(e.r));
	close(b.w);
	eventually(collected(e.r, POLLHUP));
	assert_ret(0, get(e.r, 1, NULL));
}

/* --- pidfd_getfd -------------------------------------------------------------------- */

static int fetch(const struct actor *from, int fd)
{
	int pidfd = syscall(SYS_pidfd_open, from->pid, 0), got;

	assert_true(pidfd >= 0);
	got = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	close(pidfd);
	return got;
}

static void a_fetched_end_is_the_same_open_file(void **state)
{
	struct ends e = open_ends(0);
	struct actor *holder = new_actor_with(e.w);
	int w;

	(void)state;
	close(e.w);
	w = fetch(holder, e.w);
	assert_true(w >= 0);
	assert_true(fcntl(w, F_GETFD) & FD_CLOEXEC);
	assert_ret(5, put(w, 5, 0));
	assert_ret(5, get(e.r, 10, NULL));
	nonblocking(w, true);
	fill_up(w, PAGE);
	assert_int_equal(does(holder, do_write, e.w, 1, 0).err, EAGAIN);
	/* It stays when the other goes. */
	destroy(holder);
	assert_false(has_no_writer(e.r));
	close(w);
	assert_true(has_no_writer(e.r));
	nonblocking(e.r, true);
	drain(e.r);
}

static void duplicates_are_one_end(void **state)
{
	struct ends e = open_ends(0);
	int a = dup(e.w), b = fcntl(e.w, F_DUPFD_CLOEXEC, 100);
	int c = dup3(e.w, 200, O_CLOEXEC);

	(void)state;
	assert_int_equal(b, 100);
	assert_int_equal(c, 200);
	close(e.w);
	close(a);
	close(b);
	assert_false(has_no_writer(e.r));
	close(c);
	assert_true(has_no_writer(e.r));
}

/* It names the file, and is no end of it. */
static void o_path_is_no_end(void **state)
{
	struct ends e = open_ends(0);
	int path = open_end(O_PATH);

	(void)state;
	assert_true(path >= 0);
	assert_errno(EBADF, read(path, &path, 1));
	close(e.w);
	assert_true(has_no_writer(e.r));
}

static const struct claim claims[] = {
	{"a child keeps the ends that it was born with",
	 a_child_keeps_both_ends, ENDS},
	{"the end of a child closes its ends", a_childs_exit_closes_its_ends,
	 ENDS},
	{"a reader that keeps a write end sees no end of file",
	 a_reader_that_keeps_a_write_end_sees_no_end, ENDS},
	{"a grandchild keeps the end open", generations_share_the_end, ENDS},
	{"exec keeps an end that is not close-on-exec",
	 exec_keeps_what_is_not_cloexec, ENDS},
	{"exec closes an end that is", exec_closes_what_is_cloexec, ENDS},
	{"FD_CLOEXEC can be cleared before exec",
	 exec_by_a_flag_that_was_changed, ENDS},
	{"a child of vfork closes its own descriptors",
	 a_vforked_child_closes_its_own, ENDS},
	{"an end in flight is open", an_end_in_flight_is_open, ENDS},
	{"another user may use the end that it was sent",
	 another_user_may_use_what_it_was_sent, ENDS},
	{"an end that was peeked is one more", a_peeked_end_is_one_more, ENDS},
	{"an end that nobody receives is closed",
	 what_nobody_receives_is_closed, ENDS},
	{"the death of the receiver closes an end in flight",
	 the_death_of_the_receiver_closes_it, ENDS},
	{"an end in a cycle of sockets is closed with them",
	 garbage_is_collected_with_the_end, ENDS},
	{"ends in a cycle of two pairs are closed with them",
	 garbage_of_two_pairs_is_collected, ENDS},
	{"an end that pidfd_getfd fetched is the same open file",
	 a_fetched_end_is_the_same_open_file, ENDS},
	{"duplicates are one end", duplicates_are_one_end, ENDS},
	{"a descriptor with O_PATH is no end", o_path_is_no_end, ENDS},
};

int main(void)
{
	return run_claims("inherit", claims, NR(claims));
}

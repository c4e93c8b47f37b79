// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family: what it refuses, who may do what, and events
 *
 * tests/kernel/ynl.bats drives it with the kernel's own tool; this speaks as a
 * program would that makes mistakes.
 */
#include "harness.h"

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/ipcdemo_netlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>

/* --- requests --------------------------------------------------------------- */

#define ROOM 65536

struct nl {
	struct mnl_socket *socket;
	__u16 family; /* 0: there is none */
	__u32 seq;
	bool connected; /* send without an address, as write(2) does */
};

/* What the kernel said about a request. */
struct answer {
	int err; /* 0: done */
	char text[128];
	__u32 missing; /* type of an attribute */
	__u32 messages; /* beside the acknowledgment */
	__u64 number[64]; /* of the last message: attributes of 4 or 8 bytes */
	bool has[64];
	char buf[ROOM];
};

static char request_buf[8192];

static struct nlmsghdr *request(struct nl *nl, __u8 command, __u16 flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(request_buf);
	struct genlmsghdr *header;

	message->nlmsg_type = nl->family ?: GENL_ID_CTRL;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	message->nlmsg_seq = ++nl->seq;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->cmd = command;
	header->version = 1;
	return message;
}

static void keep_attrs(struct answer *a, const struct nlmsghdr *message)
{
	const struct nlattr *attr;
	unsigned int type;

	a->messages++;
	memset(a->has, 0, sizeof(a->has));
	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr)) {
		type = mnl_attr_get_type(attr);
		if (type >= NR(a->has))
			continue;
		a->has[type] = true;
		if (mnl_attr_get_payload_len(attr) == 4)
			a->number[type] = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_payload_len(attr) == 8)
			a->number[type] = mnl_attr_get_u64(attr);
		else if (mnl_attr_get_payload_len(attr) == 2)
			a->number[type] = mnl_attr_get_u16(attr);
	}
}

/* The error, and behind the request that it repeats, what is said about it. */
static void keep_error(struct answer *a, const struct nlmsghdr *message)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;
	size_t offset = sizeof(*err);

	a->err = -err->error;
	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(message->nlmsg_flags & NLM_F_CAPPED))
		offset += err->msg.nlmsg_len - sizeof(err->msg);
	mnl_attr_for_each(attr, message, offset) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(a->text, sizeof(a->text), "%s",
				 mnl_attr_get_str(attr));
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MISS_TYPE)
			a->missing = mnl_attr_get_u32(attr);
	}
}

/* Events that come meanwhile are passed over. */
static struct answer *ask(struct nl *nl, const struct nlmsghdr *message)
{
	static struct answer a;
	const struct nlmsghdr *got;
	bool more = true;
	ssize_t n;
	int rest;

	memset(&a, 0, offsetof(struct answer, buf));
	if (nl->connected)
		n = write(mnl_socket_get_fd(nl->socket), message,
			  message->nlmsg_len);
	else
		n = mnl_socket_sendto(nl->socket, message, message->nlmsg_len);
	assert_ret(message->nlmsg_len, n);
	while (more) {
		n = mnl_socket_recvfrom(nl->socket, a.buf, sizeof(a.buf));
		if (n < 0)
			fail_msg("no answer: %s", strerror(errno));
		rest = n;
		for (got = (void *)a.buf; mnl_nlmsg_ok(got, rest);
		     got = mnl_nlmsg_next(got, &rest)) {
			if (got->nlmsg_seq != nl->seq)
				continue;
			if (got->nlmsg_type == NLMSG_ERROR) {
				keep_error(&a, got);
				more = false;
			} else if (got->nlmsg_type == NLMSG_DONE) {
				a.err = -*(int *)mnl_nlmsg_get_payload(got);
				more = false;
			} else {
				keep_attrs(&a, got);
			}
		}
	}
	return &a;
}

static void nl_open(struct nl *nl)
{
	struct nlmsghdr *message;
	int on = 1;

	*nl = (struct nl){
		.socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC)};
	assert_non_null(nl->socket);
	assert_ret(0, mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID));
	mnl_socket_setsockopt(nl->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->socket, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	message = request(nl, CTRL_CMD_GETFAMILY, 0);
	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, IPCDEMO_FAMILY_NAME);
	nl->family = ask(nl, message)->number[CTRL_ATTR_FAMILY_ID];
}

static void nl_close(struct nl *nl)
{
	assert_ret(0, mnl_socket_close(nl->socket));
}

static struct answer *ask_u32(struct nl *nl, __u8 command, __u16 type, __u32 n)
{
	struct nlmsghdr *message = request(nl, command, 0);

	mnl_attr_put_u32(message, type, n);
	return ask(nl, message);
}

/* The answer has to be that error, with that in its text. */
static void refused(const char *what, const struct answer *a, int err,
		    const char *text)
{
	if (a->err != err || !strstr(a->text, text))
		fail_msg("%s: error %d (%s), \"%s\"; wanted %d, \"%s\"", what,
			 a->err, strerror(a->err), a->text, err, text);
}

/* --- things that happen ------------------------------------------------------ */

static __u32 default_id(void)
{
	return pipe_stat().id;
}

/* Events of one kind: each call is one. */
static void resize_once(int fd)
{
	struct ipcdemo_attr attr = {.size = sizeof(attr), .value = 65536};

	assert_ret(0, ioctl(fd, IPCDEMO_IOC_SET_CAPACITY, &attr));
}

static void make_pipe(int control_fd, int *fds)
{
	struct ipcdemo_pipe_make make = {.size = sizeof(make),
					 .flags = O_CLOEXEC,
					 .fds = (uintptr_t)fds};

	assert_ret(0, ioctl(control_fd, IPCDEMO_IOC_PIPE, &make));
}

static struct answer *subscribe(struct nl *nl, __u32 kinds, __u32 room,
				__u32 id)
{
	struct nlmsghdr *message = request(nl, IPCDEMO_CMD_SUBSCRIBE, 0);

	mnl_attr_put_u32(message, IPCDEMO_A_SUBSCRIPTION_KINDS, kinds);
	if (room)
		mnl_attr_put_u32(message, IPCDEMO_A_SUBSCRIPTION_ROOM, room);
	if (id)
		mnl_attr_put_u32(message, IPCDEMO_A_SUBSCRIPTION_ID, id);
	return ask(nl, message);
}

struct event {
	__u64 seq;
	__u64 lost;
	__u32 id;
	__u32 kind;
	int pid;
	char point[32];
};

/* A datagram of events, into room for @room.  Return: how many; 0: none came. */
static size_t get_events(struct nl *nl, struct event *events, size_t room,
			 int timeout_ms)
{
	struct pollfd fd = {.fd = mnl_socket_get_fd(nl->socket),
			    .events = POLLIN};
	static char buf[ROOM];
	const struct nlmsghdr *got = (void *)buf;
	const struct genlmsghdr *header;
	const struct nlattr *attr;
	struct event *e;
	size_t n = 0;
	int rest;

	if (poll(&fd, 1, timeout_ms) != 1)
		return 0;
	rest = recv(fd.fd, buf, sizeof(buf), 0);
	assert_true(rest > 0);
	for (; mnl_nlmsg_ok(got, rest); got = mnl_nlmsg_next(got, &rest)) {
		header = mnl_nlmsg_get_payload(got);
		assert_int_equal(got->nlmsg_type, nl->family);
		assert_int_equal(header->cmd, IPCDEMO_CMD_EVENT);
		assert_true(n < room);
		e = &events[n++];
		*e = (struct event){0};
		mnl_attr_for_each(attr, got, sizeof(*header)) {
			switch (mnl_attr_get_type(attr)) {
			case IPCDEMO_A_EVENT_SEQ:
				e->seq = mnl_attr_get_u64(attr);
				break;
			case IPCDEMO_A_EVENT_LOST:
				e->lost = mnl_attr_get_u64(attr);
				break;
			case IPCDEMO_A_EVENT_ID:
				e->id = mnl_attr_get_u32(attr);
				break;
			case IPCDEMO_A_EVENT_KIND:
				e->kind = mnl_attr_get_u32(attr);
				break;
			case IPCDEMO_A_EVENT_PID:
				e->pid = mnl_attr_get_u32(attr);
				break;
			case IPCDEMO_A_EVENT_POINT:
				snprintf(e->point, sizeof(e->point), "%s",
					 mnl_attr_get_str(attr));
				break;
			}
		}
	}
	return n;
}

/* The next event has to be at that point. */
static struct event expect(struct nl *nl, const char *point)
{
	static struct event queue[256];
	static size_t have, at;
	struct event none = {0};

	if (!point) {
		have = 0;
		at = 0;
		return none;
	}
	if (at == have) {
		have = get_events(nl, queue, NR(queue), PATIENCE_MS);
		at = 0;
	}
	if (at == have)
		fail_msg("no event %s came", point);
	if (strcmp(queue[at].point, point))
		fail_msg("event %s and not %s", queue[at].point, point);
	return queue[at++];
}

/* --- requests that are wrong --------------------------------------------------- */

static void wrong_requests_are_refused(void **state)
{
	static const __u8 CMD_SUB = IPCDEMO_CMD_SUBSCRIBE;
	struct nlmsghdr *message;
	const struct answer *a;
	struct nl nl;
	int i;

	(void)state;
	nl_open(&nl);
	assert_true(nl.family);

	a = ask(&nl, request(&nl, IPCDEMO_CMD_OBJECT_GET, 0));
	refused("no id", a, EINVAL, "");
	assert_int_equal(a->missing, IPCDEMO_A_OBJECT_ID);
	a = ask(&nl, request(&nl, IPCDEMO_CMD_WAITER_GET, 0));
	refused("no pid", a, EINVAL, "");
	assert_int_equal(a->missing, IPCDEMO_A_WAITER_PID);

	message = request(&nl, IPCDEMO_CMD_OBJECT_GET, 0);
	mnl_attr_put_u16(message, IPCDEMO_A_OBJECT_ID, 1);
	refused("a short id", ask(&nl, message), EINVAL,
		"invalid attribute length");
	message = request(&nl, IPCDEMO_CMD_OBJECT_GET, 0);
	mnl_attr_put_u64(message, IPCDEMO_A_OBJECT_ID, 1);
	refused("a long id", ask(&nl, message), EINVAL,
		"invalid attribute length");
	message = request(&nl, IPCDEMO_CMD_OBJECT_GET, 0);
	mnl_attr_put_u32(message, IPCDEMO_A_OBJECT_ID, default_id());
	mnl_attr_put_u32(message, 200, 1);
	refused("an attribute of nobody", ask(&nl, message), EINVAL,
		"Unknown attribute type");
	message = request(&nl, IPCDEMO_CMD_OBJECT_SET, 0);
	mnl_attr_put_u32(message, IPCDEMO_A_OBJECT_ID, default_id());
	mnl_attr_put_u32(message, IPCDEMO_A_OBJECT_SLOTS, 32);
	refused("an attribute that is told only", ask(&nl, message), EINVAL,
		"");
	refused("id 0",
		ask_u32(&nl, IPCDEMO_CMD_OBJECT_GET, IPCDEMO_A_OBJECT_ID, 0),
		ERANGE, "out of range");
	refused("no such id",
		ask_u32(&nl, IPCDEMO_CMD_OBJECT_GET, IPCDEMO_A_OBJECT_ID,
			4000000),
		ENOENT, "no such object has this id");
	refused("a pipe's mappings",
		ask_u32(&nl, IPCDEMO_CMD_MAP_GET, IPCDEMO_A_MAP_ID,
			default_id()),
		ENOENT, "no such object has this id");
	message = request(&nl, IPCDEMO_CMD_OBJECT_GET, NLM_F_DUMP);
	mnl_attr_put_u32(message, IPCDEMO_A_OBJECT_ID, 4000000);
	/* Linux 6.1 has no place for a text here. */
	refused("a dump of no such id", ask(&nl, message), ENOENT, "");
	message = request(&nl, IPCDEMO_CMD_POINT_GET, 0);
	mnl_attr_put_strz(message, IPCDEMO_A_POINT_NAME, "read.nothing");
	refused("no such point", ask(&nl, message), ENOENT,
		"no point has this name");
	message = request(&nl, IPCDEMO_CMD_POINT_GET, 0);
	mnl_attr_put(message, IPCDEMO_A_POINT_NAME, 4, "read");
	refused("a name without an end", ask(&nl, message), EINVAL, "");
	refused("no task",
		ask_u32(&nl, IPCDEMO_CMD_WAITER_GET, IPCDEMO_A_WAITER_PID,
			1 << 30),
		ESRCH, "no such task");
	refused("a task that does not wait",
		ask_u32(&nl, IPCDEMO_CMD_WAITER_GET, IPCDEMO_A_WAITER_PID,
			getpid()),
		ENOENT, "does not wait");

	message = request(&nl, IPCDEMO_CMD_OBJECT_SET, 0);
	mnl_attr_put_u32(message, IPCDEMO_A_OBJECT_ID, default_id());
	refused("nothing to set", ask(&nl, message), EINVAL, "nothing to set");
	mnl_attr_put_u32(message, IPCDEMO_A_OBJECT_PERSISTENCE, 2);
	refused("a third persistence", ask(&nl, message), ERANGE,
		"out of range");
	message = request(&nl, IPCDEMO_CMD_OBJECT_SET, 0);
	mnl_attr_put_u32(message, IPCDEMO_A_OBJECT_ID, default_id());
	mnl_attr_put_u64(message, IPCDEMO_A_OBJECT_CAPACITY, 1ULL << 40);
	refused("too large", ask(&nl, message), EINVAL, "");

	refused("a kind of nobody",
		ask_u32(&nl, CMD_SUB, IPCDEMO_A_SUBSCRIPTION_KINDS, 0x80),
		EINVAL, "reserved bit set");
	refused("no room",
		ask_u32(&nl, CMD_SUB, IPCDEMO_A_SUBSCRIPTION_ROOM, 1), ERANGE,
		"out of range");
	message = request(&nl, CMD_SUB, 0);
	for (i = 0; i < 65; i++)
		mnl_attr_put_u32(message, IPCDEMO_A_SUBSCRIPTION_ID, i + 1);
	refused("too many objects", ask(&nl, message), E2BIG,
		"too many objects");
	refused("no subscription",
		ask(&nl, request(&nl, IPCDEMO_CMD_SUBSCRIPTION_GET, 0)), ENOENT,
		"no subscription");
	refused("a request of nobody", ask(&nl, request(&nl, 99, 0)),
		EOPNOTSUPP, "");
	nl_close(&nl);
	assert_int_equal(pipe_stat().capacity, 65536);
}

/* --- who may ------------------------------------------------------------------- */

static const struct answer *set_keep_of(struct nl *nl, __u32 id, __u32 keep)
{
	struct nlmsghdr *message = request(nl, IPCDEMO_CMD_OBJECT_SET, 0);

	mnl_attr_put_u32(message, IPCDEMO_A_OBJECT_ID, id);
	mnl_attr_put_u32(message, IPCDEMO_A_OBJECT_PERSISTENCE, keep);
	mnl_attr_put_u64(message, IPCDEMO_A_OBJECT_CAPACITY, 5000);
	return ask(nl, message);
}

static const struct answer *set_keep(struct nl *nl, __u32 keep)
{
	return set_keep_of(nl, default_id(), keep);
}

static void the_owner_may_set(void **state)
{
	const struct answer *a;
	struct nl nl;

	(void)state;
	nl_open(&nl);
	a = set_keep(&nl, IPCDEMO_PERSIST_KERNEL);
	assert_int_equal(a->err, 0);
	assert_int_equal(a->number[IPCDEMO_A_OBJECT_CAPACITY], 8192);
	assert_int_equal(a->number[IPCDEMO_A_OBJECT_PERSISTENCE],
			 IPCDEMO_PERSIST_KERNEL);
	assert_int_equal(pipe_stat().capacity, 8192);
	assert_int_equal(pipe_stat().persistence, IPCDEMO_PERSIST_KERNEL);
	assert_int_equal(set_keep(&nl, IPCDEMO_PERSIST_PROCESS)->err, 0);
	nl_close(&nl);
	resize_once(control());
}

/*
 * Somebody else asks; or a program of root's writes to what somebody else has
 * opened.
 */
static void others_may_not_set(void **state)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct nl nl;

	(void)state;
	assert_ret(0, seteuid(65534));
	nl_open(&nl);
	assert_ret(0, connect(mnl_socket_get_fd(nl.socket),
			      (const void *)&kernel, sizeof(kernel)));
	nl.connected = true;
	refused("somebody else sets", set_keep(&nl, 1), EACCES,
		"only the owner");
	assert_int_equal(ask_u32(&nl, IPCDEMO_CMD_OBJECT_GET,
				 IPCDEMO_A_OBJECT_ID, default_id())
				 ->err,
			 0);
	assert_ret(0, seteuid(0));
	refused("root, for somebody else", set_keep(&nl, 1), EACCES,
		"only the owner");
	nl_close(&nl);
	assert_int_equal(pipe_stat().persistence, IPCDEMO_PERSIST_PROCESS);
}

/* Nor may such a program lift the limits of a pipe that is somebody else's. */
static void power_is_not_lent(void **state)
{
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct ipcdemo_pipe_stat stat = {.size = sizeof(stat)};
	int fds[2], ctl = control();
	struct ipcdemo_pipe_make make = {
		.size = sizeof(make),
		.flags = O_CLOEXEC,
		.fds = (uintptr_t)fds,
	};
	struct nl nl;

	(void)state;
	assert_ret(0, seteuid(65534));
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_PIPE, &make));
	assert_ret(0, ioctl(fds[0], IPCDEMO_IOC_PIPE_STAT, &stat));
	nl_open(&nl);
	assert_ret(0, connect(mnl_socket_get_fd(nl.socket),
			      (const void *)&kernel, sizeof(kernel)));
	nl.connected = true;
	assert_int_equal(set_keep_of(&nl, stat.id, 0)->err, 0);
	assert_ret(0, seteuid(0));
	refused("root, by the owner's socket", set_keep_of(&nl, stat.id, 0),
		EPERM, "less power");
	nl_close(&nl);
	close(fds[0]);
	close(fds[1]);
	close(ctl);
}

static void a_set_does_not_wait_at_a_gate(void **state)
{
	struct ipcdemo_gate gate = {.size = sizeof(gate),
				    .point = "write.locked"};
	struct ends e = open_ends(0);
	struct actor *writer = new_actor_with(e.w);
	struct nl nl;
	int fd = control();

	(void)state;
	nl_open(&nl);
	gate.pid = writer->pid;
	assert_ret(0, ioctl(fd, IPCDEMO_IOC_GATE_ADD, &gate));
	begin(writer, do_write, e.w, 1, 0);
	eventually(proc_value("pipe", "bytes") == 0 &&
		   set_keep(&nl, 0)->err == EAGAIN);
	close(fd);
	assert_int_equal(end(writer).ret, 1);
	assert_int_equal(set_keep(&nl, 0)->err, 0);
	nl_close(&nl);
	resize_once(control());
	assert_ret(1, get(e.r, 1, NULL));
	close(e.r);
	close(e.w);
}

static void another_network_has_no_family(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		struct nl nl;

		if (unshare(CLONE_NEWNET))
			_exit(2);
		nl_open(&nl);
		_exit(nl.family ? 1 : 0);
	}
	assert_ret(pid, waitpid(pid, &status, 0));
	assert_int_equal(status, 0);
}

static void a_user_has_so_many_subscriptions(void **state)
{
	struct nl nl[17];
	size_t i;

	(void)state;
	assert_ret(0, seteuid(65534));
	for (i = 0; i < NR(nl); i++) {
		nl_open(&nl[i]);
		if (i < 16)
			assert_int_equal(subscribe(&nl[i], 1, 16, 0)->err, 0);
		else
			refused("one more", subscribe(&nl[i], 1, 16, 0), EDQUOT,
				"too many subscriptions");
	}
	/* What takes the place of another is none more. */
	for (i = 0; i < 16; i++)
		assert_int_equal(subscribe(&nl[i], 2, 32, 0)->err, 0);
	refused("still", subscribe(&nl[16], 1, 16, 0), EDQUOT,
		"too many subscriptions");
	nl_close(&nl[0]);
	assert_int_equal(subscribe(&nl[16], 1, 16, 0)->err, 0);
	for (i = 1; i < NR(nl); i++)
		nl_close(&nl[i]);
	assert_ret(0, seteuid(0));
}

/* --- dumps ---------------------------------------------------------------------- */

static void a_task_that_waits_is_found(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = new_actor_with(e.r);
	struct nl nl;

	(void)state;
	nl_open(&nl);
	begin(reader, do_read, e.r, 1, 0);
	eventually(ask_u32(&nl, IPCDEMO_CMD_WAITER_GET, IPCDEMO_A_WAITER_PID,
			   reader->pid)
			   ->number[IPCDEMO_A_WAITER_ID] == default_id());
	assert_int_equal(ask(&nl,
			     request(&nl, IPCDEMO_CMD_WAITER_GET, NLM_F_DUMP))
				 ->messages,
			 1);
	assert_ret(1, put(e.w, 1, 0));
	assert_int_equal(end(reader).ret, 1);
	assert_int_equal(ask(&nl,
			     request(&nl, IPCDEMO_CMD_WAITER_GET, NLM_F_DUMP))
				 ->messages,
			 0);
	nl_close(&nl);
	close(e.r);
	close(e.w);
}

static volatile bool enough;

static void *makes_and_closes(void *arg)
{
	int fd = control(), fds[32][2];
	size_t i;

	(void)arg;
	while (!enough) {
		for (i = 0; i < NR(fds); i++)
			make_pipe(fd, fds[i]);
		for (i = 0; i < NR(fds); i++) {
			close(fds[i][0]);
			close(fds[i][1]);
		}
	}
	close(fd);
	return NULL;
}

static void dumps_survive_objects_that_come_and_go(void **state)
{
	static const __u8 dumps[] = {IPCDEMO_CMD_OBJECT_GET,
				     IPCDEMO_CMD_WAITER_GET,
				     IPCDEMO_CMD_MAP_GET};
	const struct answer *a;
	pthread_t thread;
	struct nl nl;
	int i;

	(void)state;
	enough = false;
	assert_ret(0, pthread_create(&thread, NULL, makes_and_closes, NULL));
	nl_open(&nl);
	for (i = 0; i < 150; i++) {
		a = ask(&nl, request(&nl, dumps[i % NR(dumps)], NLM_F_DUMP));
		if (a->err)
			fail_msg("dump %d: %s", i, strerror(a->err));
		if (dumps[i % NR(dumps)] == IPCDEMO_CMD_OBJECT_GET)
			assert_true(a->messages >= 2);
	}
	nl_close(&nl);
	enough = true;
	assert_ret(0, pthread_join(thread, NULL));
}

static int module_users(void)
{
	FILE *file = fopen("/sys/module/ipcdemo/refcnt", "re");
	int n = -1;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &n), 1);
	fclose(file);
	return n;
}

/* A dump of more than one datagram, of which the first is never read. */
static void an_unread_dump_ends_with_its_socket(void **state)
{
	int fd = control(), fds[64][2];
	struct nlmsghdr *message;
	struct nl nl;
	size_t i;

	(void)state;
	for (i = 0; i < NR(fds); i++)
		make_pipe(fd, fds[i]);
	nl_open(&nl);
	message = request(&nl, IPCDEMO_CMD_OBJECT_GET, NLM_F_DUMP);
	assert_ret(message->nlmsg_len,
		   mnl_socket_sendto(nl.socket, message, message->nlmsg_len));
	for (i = 0; i < NR(fds); i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
	close(fd);
	assert_true(module_users() > 0);
	nl_close(&nl);
	eventually(module_users() == 0);
}

/* --- events ----------------------------------------------------------------------- */

static void a_subscriber_is_told_of_what_it_wants(void **state)
{
	int fd = control(), fds[2], other[2];
	struct event e, last = {0};
	const struct answer *a;
	struct nl nl, picky;
	char byte = 0;

	(void)state;
	expect(NULL, NULL);
	nl_open(&nl);
	nl_open(&picky);
	make_pipe(fd, other);
	assert_int_equal(subscribe(&nl, IPCDEMO_EVENT_KIND_MASK, 0, 0)->err, 0);
	/* Resizes, of the default pipe alone. */
	assert_int_equal(subscribe(&picky, IPCDEMO_EVENT_KIND_RESIZE, 0,
				   default_id())
				 ->err,
			 0);
	make_pipe(fd, fds);
	e = expect(&nl, "pipe.new");
	assert_int_equal(e.seq, 1);
	assert_int_equal(e.pid, getpid());
	assert_int_equal(e.kind, IPCDEMO_EVENT_KIND_NEW);
	assert_ret(1, write(fds[1], &byte, 1));
	assert_ret(1, read(fds[0], &byte, 1));
	last = expect(&nl, "ring.empty");
	assert_int_equal(last.id, e.id);
	assert_int_equal(last.seq, 2);
	resize_once(fd);
	last = expect(&nl, "resize.done");
	assert_int_equal(last.id, default_id());
	close(fds[0]);
	close(fds[1]);
	last = expect(&nl, "pipe.gone");
	assert_int_equal(last.id, e.id);
	assert_int_equal(last.seq, 4);
	assert_int_equal(last.lost, 0);

	expect(NULL, NULL);
	last = expect(&picky, "resize.done");
	assert_int_equal(last.seq, 1);
	/* The answer comes behind all events, and there was one. */
	a = subscribe(&picky, 0, 0, 0);
	assert_int_equal(a->number[IPCDEMO_A_SUBSCRIPTION_SEQ], 1);
	resize_once(fd);
	assert_int_equal(get_events(&picky, &last, 1, 100), 0);
	nl_close(&nl);
	nl_close(&picky);
	close(other[0]);
	close(other[1]);
	close(fd);
}

static void blocks_and_wake_ups_are_events(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = new_actor_with(e.r);
	struct event event;
	struct nl nl;

	(void)state;
	expect(NULL, NULL);
	nl_open(&nl);
	assert_int_equal(subscribe(&nl,
				   IPCDEMO_EVENT_KIND_BLOCK |
					   IPCDEMO_EVENT_KIND_WOKEN,
				   0, default_id())
				 ->err,
			 0);
	begin(reader, do_read, e.r, 1, 0);
	event = expect(&nl, "read.sleep");
	assert_int_equal(event.pid, reader->pid);
	assert_ret(1, put(e.w, 1, 0));
	event = expect(&nl, "wake.task");
	assert_int_equal(event.pid, getpid());
	event = expect(&nl, "read.woken");
	assert_int_equal(event.pid, reader->pid);
	assert_int_equal(end(reader).ret, 1);
	nl_close(&nl);
	close(e.r);
	close(e.w);
}

/* In a new pid namespace: itself is 1, who is outside of it 0. */
static int subscriber_inside(int go, int done)
{
	struct event event;
	struct nl nl;
	char byte;

	nl_open(&nl);
	if (subscribe(&nl, IPCDEMO_EVENT_KIND_RESIZE, 0, 0)->err)
		return 2;
	resize_once(control());
	event = expect(&nl, "resize.done");
	if (event.pid != 1)
		return 3;
	if (write(done, "x", 1) != 1 || read(go, &byte, 1) != 1)
		return 4;
	event = expect(&nl, "resize.done");
	return event.pid ? 5 : 0;
}

static void pids_are_those_of_the_subscriber(void **state)
{
	int go[2], done[2], status;
	pid_t pid;
	char byte;

	(void)state;
	expect(NULL, NULL);
	assert_ret(0, pipe2(go, O_CLOEXEC) ?: pipe2(done, O_CLOEXEC));
	pid = fork();
	if (!pid) {
		/* The child of this one is the first in there. */
		if (unshare(CLONE_NEWPID))
			_exit(6);
		pid = fork();
		if (!pid)
			_exit(subscriber_inside(go[0], done[1]));
		waitpid(pid, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 7);
	}
	close(done[1]);
	if (read(done[0], &byte, 1) == 1) {
		resize_once(control());
		assert_ret(1, write(go[1], "x", 1));
	}
	assert_ret(pid, waitpid(pid, &status, 0));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(go[0]);
	close(go[1]);
	close(done[0]);
}

/* Nobody reads while the events come, and there is room for few. */
static void losses_are_counted(void **state)
{
	enum { MANY = 3000 };
	unsigned int bytes = 1;
	__u64 got = 0, seq = 0, gaps = 0, lost;
	struct event events[256];
	const struct answer *a;
	int fd = control(), i;
	struct nl nl;
	size_t n, k;

	(void)state;
	nl_open(&nl);
	/* As little as the kernel gives. */
	assert_ret(0, setsockopt(mnl_socket_get_fd(nl.socket), SOL_SOCKET,
				 SO_RCVBUF, &bytes, sizeof(bytes)));
	assert_int_equal(subscribe(&nl, IPCDEMO_EVENT_KIND_RESIZE, 16, 0)->err,
			 0);
	for (i = 0; i < MANY; i++)
		resize_once(fd);
	while ((n = get_events(&nl, events, NR(events), 100))) {
		for (k = 0; k < n; k++) {
			assert_true(events[k].seq > seq);
			gaps += events[k].seq - seq - 1;
			seq = events[k].seq;
			got++;
		}
	}
	a = ask(&nl, request(&nl, IPCDEMO_CMD_SUBSCRIPTION_GET, 0));
	assert_int_equal(a->err, 0);
	assert_int_equal(a->number[IPCDEMO_A_SUBSCRIPTION_SEQ], MANY);
	lost = a->number[IPCDEMO_A_SUBSCRIPTION_LOST];
	print_message("# %llu of %d events came, %llu were lost\n", got, MANY,
		      lost);
	assert_true(lost > 0);
	assert_int_equal(got + lost, MANY);
	assert_int_equal(gaps + MANY - seq, lost);

	/* Now it reads: the next event comes, and says how many were lost. */
	resize_once(fd);
	assert_int_equal(get_events(&nl, events, NR(events), PATIENCE_MS), 1);
	assert_int_equal(events[0].seq, MANY + 1);
	assert_int_equal(events[0].lost, lost);
	nl_close(&nl);
	close(fd);
}

static void *resizes(void *arg)
{
	int fd = control();

	(void)arg;
	while (!enough)
		resize_once(fd);
	close(fd);
	return NULL;
}

static void a_subscription_ends_with_its_socket(void **state)
{
	unsigned int bytes = 64 << 20;
	const struct answer *a;
	pthread_t thread;
	struct nl nl;
	int i;

	(void)state;
	enough = false;
	assert_ret(0, pthread_create(&thread, NULL, resizes, NULL));
	for (i = 0; i < 30; i++) {
		nl_open(&nl);
		/* An answer needs room, as events do. */
		assert_ret(0,
			   setsockopt(mnl_socket_get_fd(nl.socket), SOL_SOCKET,
				      SO_RCVBUFFORCE, &bytes, sizeof(bytes)));
		a = subscribe(&nl, IPCDEMO_EVENT_KIND_MASK, 16, 0);
		assert_int_equal(a->err, 0);
		/* A second one replaces the first. */
		if (i % 2)
			a = subscribe(&nl, IPCDEMO_EVENT_KIND_MASK, 32, 0);
		assert_int_equal(a->err, 0);
		nl_close(&nl);
	}
	enough = true;
	assert_ret(0, pthread_join(thread, NULL));
	/* Nobody is charged for those that are gone. */
	a_user_has_so_many_subscriptions(state);
}

static void a_subscription_does_not_keep_the_module(void **state)
{
	struct utsname uts;
	char path[256];
	struct nl nl;
	int fd;

	(void)state;
	nl_open(&nl);
	assert_int_equal(subscribe(&nl, IPCDEMO_EVENT_KIND_MASK, 0, 0)->err, 0);
	eventually(module_users() == 0);
	assert_ret(0, syscall(SYS_delete_module, "ipcdemo", O_NONBLOCK));
	uname(&uts);
	snprintf(path, sizeof(path), "build/kernel/%s/ipcdemo.ko", uts.release);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_ret(0, syscall(SYS_finit_module, fd, "", 0));
	close(fd);
	nl_close(&nl);
}

static const struct claim claims[] = {
	{"a wrong request is refused, and the answer says why",
	 wrong_requests_are_refused, DEV},
	{"the owner sets attributes of a pipe", the_owner_may_set, DEV},
	{"others may look and not set", others_may_not_set, DEV},
	{"the power to lift limits is not lent", power_is_not_lent, DEV},
	{"a set does not wait for who is held at a gate",
	 a_set_does_not_wait_at_a_gate, DEV},
	{"another network namespace has no family",
	 another_network_has_no_family, DEV},
	{"a user has so many subscriptions", a_user_has_so_many_subscriptions,
	 DEV},
	{"a task that waits is found", a_task_that_waits_is_found, DEV},
	{"dumps survive objects that come and go",
	 dumps_survive_objects_that_come_and_go, DEV},
	{"a dump that is not read ends with its socket",
	 an_unread_dump_ends_with_its_socket, DEV},
	{"a subscriber is told of what it wants",
	 a_subscriber_is_told_of_what_it_wants, DEV},
	{"that a task blocks and is woken are events",
	 blocks_and_wake_ups_are_events, DEV},
	{"process ids are those of the subscriber",
	 pids_are_those_of_the_subscriber, DEV},
	{"losses are counted", losses_are_counted, DEV},
	{"a subscription ends with its socket, while events come",
	 a_subscription_ends_with_its_socket, DEV},
	{"a subscription does not keep the module",
	 a_subscription_does_not_keep_the_module, DEV},
};

int main(void)
{
	return run_claims("netlink", claims, NR(claims));
}

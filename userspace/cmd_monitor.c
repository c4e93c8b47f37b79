// SPDX-License-Identifier: GPL-2.0
/*
 * monitor: events of the module as they come
 *
 * The module drops what nobody takes in time, and numbers all events: a gap in the
 * numbers is told of where it is.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/genetlink.h>
#include <linux/ipcdemo_netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "access_netlink.h"
#include "cli.h"

/* Of the socket, if we may; the kernel's own limit holds for ordinary users. */
#define SOCKET_BYTES   (16 << 20)

/* So many datagrams are taken at a time. */
#define MOST_DATAGRAMS 64

/* As many objects as a subscription may name. */
#define MOST_IDS       64

/* The kinds, by the number of their bit. */
static const char *const kind_names[] = {
	"new", "gone", "block", "woken", "full", "empty", "resize",
};

/**
 * struct monitor - one run
 * @nl:		the socket that is subscribed
 * @json:	JSON Lines, not text
 * @count:	end after so many events; 0: never
 * @seen:	how many were printed
 * @seq:	number of the last one, printed or lost
 * @begun:	when it began, nanoseconds of CLOCK_MONOTONIC
 * @gone:	the module was unloaded
 * @ends:	the signals that end it, blocked
 * @signals:	can be read when one of them has come
 */
struct monitor {
	struct netlink nl;
	bool json;
	__u64 count;
	__u64 seen;
	__u64 seq;
	__u64 begun;
	bool gone;
	sigset_t ends;
	int signals;
};

/* ---- printing ------------------------------------------------------------ */

/*
 * Output may stand for ever, at Ctrl-S or a pager: who wants us to end then gets
 * his way, by the signal itself, and what could not be written is dropped.
 */
static void wait_for_room(const struct monitor *m)
{
	struct pollfd fds[] = {
		{.fd = STDOUT_FILENO, .events = POLLOUT},
		{.fd = m->signals, .events = POLLIN},
	};

	while (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno == EINTR)
		;
	if (!fds[0].revents && fds[1].revents)
		sigprocmask(SIG_UNBLOCK, &m->ends, NULL);
}

static int flush(const struct monitor *m)
{
	wait_for_room(m);
	return fflush(stdout);
}

/* What a message says; what it does not say is 0, or "". */
struct event {
	__u64 seq;
	__u64 time;
	__u64 waited;
	__u64 len;
	__u32 kind;
	__u32 id;
	__u32 object;
	__u32 slots;
	__u32 head;
	__u32 tail;
	bool has_indices;
	bool has_len;
	int pid;
	int other;
	const char *point;
	const char *command;
};

static const char *kind_name(__u32 kind)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kind_names); i++)
		if (kind == 1U << i)
			return kind_names[i];
	return "?";
}

static const char *object_name(const struct event *e)
{
	return e->object == IPCDEMO_OBJECT_KIND_PIPE ? "pipe" : "region";
}

static void put_text(const struct monitor *m, const struct event *e)
{
	printf("%12.6f  %s %u  %-12s  ",
	       e->time > m->begun ? (e->time - m->begun) / 1e9 : 0.0,
	       object_name(e), e->id, e->point);
	put_safe(stdout, e->command);
	printf("(%d)", e->pid);
	if (e->other)
		printf("  chose %d", e->other);
	if (e->waited)
		printf("  waited %.6f s", e->waited / 1e9);
	if (e->has_indices && e->slots)
		printf("  %u of %u slots", e->head - e->tail, e->slots);
	putchar('\n');
}

static void put_event_json(const struct event *e)
{
	json_object *o = json_object_new_object();

	add_number(o, "seq", e->seq);
	add_number(o, "time_ns", e->time);
	add_string(o, "event", kind_name(e->kind));
	add_string(o, "point", e->point);
	add_string(o, "kind", object_name(e));
	add_number(o, "id", e->id);
	add_number(o, "pid", e->pid);
	add_string(o, "command", e->command);
	if (e->other)
		add_number(o, "other", e->other);
	if (e->waited)
		add_number(o, "waited_ns", e->waited);
	if (e->slots)
		add_number(o, "slots", e->slots);
	if (e->has_indices) {
		add_number(o, "head", e->head);
		add_number(o, "tail", e->tail);
	}
	if (e->has_len)
		add_number(o, "len", e->len);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

static void put_lost(const struct monitor *m, __u64 lost)
{
	if (m->json)
		printf("{\"lost\":%llu}\n", lost);
	else
		printf("# %llu event%s lost\n", lost,
		       lost == 1 ? " was" : "s were");
}

/* ---- messages ------------------------------------------------------------ */

static void get_event(const struct nlmsghdr *message, struct event *e)
{
	const struct nlattr *attr;

	*e = (struct event){.point = "", .command = ""};
	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case IPCDEMO_A_EVENT_SEQ:
			e->seq = mnl_attr_get_u64(attr);
			break;
		case IPCDEMO_A_EVENT_TIME:
			e->time = mnl_attr_get_u64(attr);
			break;
		case IPCDEMO_A_EVENT_KIND:
			e->kind = mnl_attr_get_u32(attr);
			break;
		case IPCDEMO_A_EVENT_POINT:
			e->point = mnl_attr_get_str(attr);
			break;
		case IPCDEMO_A_EVENT_ID:
			e->id = mnl_attr_get_u32(attr);
			break;
		case IPCDEMO_A_EVENT_OBJECT:
			e->object = mnl_attr_get_u32(attr);
			break;
		case IPCDEMO_A_EVENT_PID:
			e->pid = mnl_attr_get_u32(attr);
			break;
		case IPCDEMO_A_EVENT_COMMAND:
			e->command = mnl_attr_get_str(attr);
			break;
		case IPCDEMO_A_EVENT_OTHER:
			e->other = mnl_attr_get_u32(attr);
			break;
		case IPCDEMO_A_EVENT_WAITED:
			e->waited = mnl_attr_get_u64(attr);
			break;
		case IPCDEMO_A_EVENT_SLOTS:
			e->slots = mnl_attr_get_u32(attr);
			break;
		case IPCDEMO_A_EVENT_HEAD:
			e->head = mnl_attr_get_u32(attr);
			break;
		case IPCDEMO_A_EVENT_TAIL:
			e->tail = mnl_attr_get_u32(attr);
			e->has_indices = true;
			break;
		case IPCDEMO_A_EVENT_LEN:
			e->len = mnl_attr_get_u64(attr);
			e->has_len = true;
			break;
		}
	}
}

/* Of the controller of generic netlink: has our family gone? */
static void look_at_families(struct monitor *m, const struct nlmsghdr *message)
{
	const struct genlmsghdr *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;

	if (header->cmd != CTRL_CMD_DELFAMILY)
		return;
	mnl_attr_for_each(attr, message, sizeof(*header)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_NAME &&
		    !strcmp(mnl_attr_get_str(attr), IPCDEMO_FAMILY_NAME))
			m->gone = true;
	}
}

static int look(const struct nlmsghdr *message, void *arg)
{
	const struct genlmsghdr *header = mnl_nlmsg_get_payload(message);
	struct monitor *m = arg;
	struct event e;

	if (message->nlmsg_type == GENL_ID_CTRL) {
		look_at_families(m, message);
		return MNL_CB_OK;
	}
	if (message->nlmsg_type != m->nl.family ||
	    header->cmd != IPCDEMO_CMD_EVENT)
		return MNL_CB_OK;
	if (m->count && m->seen == m->count)
		return MNL_CB_OK;
	get_event(message, &e);
	wait_for_room(m);
	if (e.seq > m->seq + 1)
		put_lost(m, e.seq - m->seq - 1);
	m->seq = e.seq;
	m->seen++;
	if (m->json)
		put_event_json(&e);
	else
		put_text(m, &e);
	return MNL_CB_OK;
}

/* ---- a run --------------------------------------------------------------- */

static int subscribe(struct monitor *m, __u32 kinds, const __u32 *ids, size_t n)
{
	unsigned int on = 1, group = GENL_ID_CTRL, bytes = SOCKET_BYTES;
	int fd = mnl_socket_get_fd(m->nl.socket), err;
	struct nlmsghdr *request;
	char buf[4096];
	size_t i;

	/* Losses are seen by the numbers. */
	if (mnl_socket_setsockopt(m->nl.socket, NETLINK_NO_ENOBUFS, &on,
				  sizeof(on)) ||
	    mnl_socket_setsockopt(m->nl.socket, NETLINK_ADD_MEMBERSHIP, &group,
				  sizeof(group)))
		return fail("cannot set up a netlink socket: %s",
			    strerror(errno));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	request =
		netlink_request(&m->nl, buf, IPCDEMO_CMD_SUBSCRIBE, NLM_F_ACK);
	mnl_attr_put_u32(request, IPCDEMO_A_SUBSCRIPTION_KINDS, kinds);
	mnl_attr_put_u32(request, IPCDEMO_A_SUBSCRIPTION_ROOM, 32767);
	for (i = 0; i < n; i++)
		mnl_attr_put_u32(request, IPCDEMO_A_SUBSCRIPTION_ID, ids[i]);
	/* An event may come before the answer: so not netlink_ask(). */
	if (mnl_socket_sendto(m->nl.socket, request, request->nlmsg_len) < 0)
		return fail("cannot ask for events: %s", strerror(errno));
	for (;;) {
		char answer[NETLINK_ROOM];
		const struct nlmsghdr *message = (const void *)answer;
		ssize_t len = mnl_socket_recvfrom(m->nl.socket, answer,
						  sizeof(answer));

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return fail("cannot ask for events: %s",
				    strerror(errno));
		if (message->nlmsg_type != NLMSG_ERROR) {
			mnl_cb_run(answer, len, 0, 0, look, m);
			continue;
		}
		err = -((const struct nlmsgerr *)mnl_nlmsg_get_payload(message))
			       ->error;
		break;
	}
	switch (err) {
	case 0:
		return 0;
	case EDQUOT:
		return fail("this user has too many subscriptions: %s",
			    "end another monitor, or do it as root");
	case ENOSPC:
		return fail("there are too many subscriptions: %s",
			    "end another monitor");
	}
	return fail("cannot ask for events: %s", strerror(err));
}

/* Some of what came since the last look.  Return: 0, or FAILED after a message. */
static int take(struct monitor *m, char *buf)
{
	int fd = mnl_socket_get_fd(m->nl.socket), i;
	ssize_t n;

	/* Not for ever: there is more to wait for. */
	for (i = 0; i < MOST_DATAGRAMS; i++) {
		n = recv(fd, buf, NETLINK_ROOM, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0)
			return fail("cannot receive events: %s",
				    strerror(errno));
		/* None of these messages ends anything. */
		mnl_cb_run(buf, n, 0, 0, look, m);
	}
	return 0;
}

static int take_state(const struct nlmsghdr *message, void *arg)
{
	const struct genlmsghdr *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *attr;
	__u64 *seq = arg;

	if (header->cmd != IPCDEMO_CMD_SUBSCRIBE)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, message, sizeof(*header)) {
		if (mnl_attr_get_type(attr) == IPCDEMO_A_SUBSCRIPTION_SEQ)
			*seq = mnl_attr_get_u64(attr);
	}
	return MNL_CB_OK;
}

/*
 * Ends the subscription; what was sent before is printed, and what was lost at the
 * end, behind which no event came, is told of.
 */
static void end(struct monitor *m, char *buf)
{
	int fd = mnl_socket_get_fd(m->nl.socket);
	struct nlmsghdr *request;
	const struct nlmsghdr *message;
	char ask[256];
	__u64 seq = 0;
	ssize_t n;
	int rest;

	request = netlink_request(&m->nl, ask, IPCDEMO_CMD_SUBSCRIBE, 0);
	mnl_attr_put_u32(request, IPCDEMO_A_SUBSCRIPTION_KINDS, 0);
	if (mnl_socket_sendto(m->nl.socket, request, request->nlmsg_len) < 0)
		return;
	/* The answer is behind all events, and the kernel's before send returns. */
	while ((n = recv(fd, buf, NETLINK_ROOM, MSG_DONTWAIT)) > 0) {
		rest = n;
		for (message = (const void *)buf; mnl_nlmsg_ok(message, rest);
		     message = mnl_nlmsg_next(message, &rest)) {
			if (message->nlmsg_type < NLMSG_MIN_TYPE)
				continue;
			look(message, m);
			if (message->nlmsg_type == m->nl.family)
				take_state(message, &seq);
		}
	}
	if (seq > m->seq && !m->count)
		put_lost(m, seq - m->seq);
}

/*
 * A descriptor that can be read when somebody wants us to end, and not before: a
 * signal never comes between.  -1 after a message.
 */
static int catch_ends(struct monitor *m)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction old;
	size_t i;
	int fd;

	sigemptyset(&m->ends);
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		/* Not if whoever started us wants it to be passed over. */
		if (!sigaction(ends[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaddset(&m->ends, ends[i]);
	}
	sigprocmask(SIG_BLOCK, &m->ends, NULL);
	fd = signalfd(-1, &m->ends, SFD_CLOEXEC);
	if (fd < 0)
		fail("cannot wait for signals: %s", strerror(errno));
	return fd;
}

static bool is_done(const struct monitor *m)
{
	return m->gone || (m->count && m->seen == m->count);
}

/* Until there is a reason to end.  Return: 0, or FAILED after a message. */
static int watch(struct monitor *m, char *buf)
{
	struct pollfd fds[] = {
		{.fd = mnl_socket_get_fd(m->nl.socket), .events = POLLIN},
		{.fd = m->signals, .events = POLLIN},
		/* Only whether its reader has gone */
		{.fd = STDOUT_FILENO, .events = 0},
	};
	int status = 0;

	while (!status && !is_done(m)) {
		if (poll(fds, ARRAY_SIZE(fds), 0) == 0 && flush(m))
			return fail("cannot write: %s", strerror(errno));
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0) {
			if (errno != EINTR)
				return fail("cannot wait for events: %s",
					    strerror(errno));
			continue;
		}
		if (fds[1].revents || (fds[2].revents & (POLLERR | POLLHUP)))
			break;
		status = take(m, buf);
	}
	return status;
}

static int run(struct monitor *m)
{
	char *buf = malloc(NETLINK_ROOM);
	int status = FAILED;

	m->signals = catch_ends(m);
	if (!buf)
		status = fail("out of memory");
	else if (m->signals >= 0)
		status = watch(m, buf);
	if (!status && !m->gone)
		end(m, buf);
	if (flush(m) && !status)
		status = fail("cannot write: %s", strerror(errno));
	if (!status && m->gone)
		status = fail("the module was unloaded");
	if (m->signals >= 0)
		close(m->signals);
	free(buf);
	return status;
}

/* "block,woken": their bits.  Return: 0 or USAGE. */
static int parse_kinds(const struct cli *cli, char *words, __u32 *kinds)
{
	char *save, *word;
	size_t i;

	*kinds = 0;
	for (word = strtok_r(words, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		for (i = 0; i < ARRAY_SIZE(kind_names); i++)
			if (!strcmp(word, kind_names[i]))
				break;
		if (i == ARRAY_SIZE(kind_names))
			return usage(cli, "monitor: '%s' is no kind of events",
				     word);
		*kinds |= 1U << i;
	}
	return *kinds ? 0 : usage(cli, "monitor: --kinds names no kind");
}

static int monitor(struct monitor *m, __u32 kinds, const __u32 *ids, size_t n)
{
	struct timespec now;
	int status, err;

	err = netlink_open(&m->nl);
	if (err == -EOPNOTSUPP)
		return fail("events come over netlink, and %s: %s",
			    "there is no family ipcdemo here",
			    "load the module, and be in the initial network namespace");
	if (err)
		return fail("cannot open a netlink socket: %s", strerror(-err));
	clock_gettime(CLOCK_MONOTONIC, &now);
	m->begun = now.tv_sec * 1000000000ULL + now.tv_nsec;
	status = subscribe(m, kinds, ids, n) ?: run(m);
	netlink_close(&m->nl);
	return status;
}

int cmd_monitor(struct cli *cli, int argc, char **argv)
{
	__u32 kinds = IPCDEMO_EVENT_KIND_MASK, ids[MOST_IDS];
	struct monitor m = {.signals = -1};
	enum ipcdemo_kind kind;
	int id, status;
	size_t n = 0;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case OPT_JSON:
			m.json = true;
			break;
		case OPT_KINDS:
			status = parse_kinds(cli, optarg, &kinds);
			if (status)
				return status;
			break;
		case OPT_COUNT:
			if (parse_size(optarg, &m.count) && m.count)
				break;
			return usage(cli, "'%s' is no number of events",
				     optarg);
		default:
			return USAGE;
		}
	}
	for (; optind < argc; optind++) {
		if (n == MOST_IDS)
			return usage(cli, "monitor: at most %d objects",
				     MOST_IDS);
		status = find_object(cli, argv[optind], &kind, &ids[n++]);
		if (status)
			return status;
	}
	return monitor(&m, kinds, ids, n);
}

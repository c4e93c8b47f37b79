// SPDX-License-Identifier: GPL-2.0
/*
 * The views over netlink (see access_netlink.h)
 *
 * A number that the module does not tell of is 0 here, a word is "-": what /proc
 * says then.  A function that looks at a message sets errno and returns
 * MNL_CB_ERROR if it has no memory.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/ipcdemo_netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "access_netlink.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ---- requests ------------------------------------------------------------ */

static int find_family(const struct nlmsghdr *message, void *arg)
{
	struct netlink *nl = arg;
	struct nlattr *attr;

	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			nl->family = mnl_attr_get_u16(attr);
	}
	return MNL_CB_OK;
}

struct nlmsghdr *netlink_request(struct netlink *nl, void *buf, uint8_t command,
				 uint16_t flags)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *header;

	request->nlmsg_type = nl->family;
	request->nlmsg_flags = NLM_F_REQUEST | flags;
	request->nlmsg_seq = ++nl->seq;
	header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	header->cmd = command;
	header->version = IPCDEMO_FAMILY_VERSION;
	return request;
}

int netlink_ask(struct netlink *nl, struct nlmsghdr *request, mnl_cb_t look,
		void *arg)
{
	unsigned int port = mnl_socket_get_portid(nl->socket);
	char *buf;
	ssize_t n;
	int more = MNL_CB_OK, err = 0;

	if (mnl_socket_sendto(nl->socket, request, request->nlmsg_len) < 0)
		return -errno;
	buf = malloc(NETLINK_ROOM);
	if (!buf)
		return -ENOMEM;
	while (more > MNL_CB_STOP) {
		n = mnl_socket_recvfrom(nl->socket, buf, NETLINK_ROOM);
		if (n < 0 && errno == EINTR)
			continue;
		more = n < 0 ? MNL_CB_ERROR
			     : mnl_cb_run(buf, n, nl->seq, port, look, arg);
		if (more < MNL_CB_STOP)
			err = -errno;
	}
	free(buf);
	return err;
}

int netlink_open(struct netlink *nl)
{
	char buf[256];
	struct nlmsghdr *request;
	int err;

	*nl = (struct netlink){.family = GENL_ID_CTRL, .seq = time(NULL)};
	nl->socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl->socket)
		return -EOPNOTSUPP;
	if (mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		netlink_close(nl);
		return -EOPNOTSUPP;
	}
	request = netlink_request(nl, buf, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, IPCDEMO_FAMILY_NAME);
	err = netlink_ask(nl, request, find_family, nl);
	if (err)
		netlink_close(nl);
	return err == -ENOENT ? -EOPNOTSUPP : err;
}

void netlink_close(struct netlink *nl)
{
	if (nl->socket)
		mnl_socket_close(nl->socket);
	nl->socket = NULL;
}

/* Ask for a dump; @type is the attribute of @value. */
static int dump(uint16_t type, __u32 value, mnl_cb_t look, void *arg)
{
	struct nlmsghdr *request;
	struct netlink nl;
	char buf[256];
	int err = netlink_open(&nl);

	if (err)
		return err;
	request = netlink_request(&nl, buf, IPCDEMO_CMD_OBJECT_GET, NLM_F_DUMP);
	mnl_attr_put_u32(request, type, value);
	err = netlink_ask(&nl, request, look, arg);
	netlink_close(&nl);
	return err;
}

/* ---- attributes ---------------------------------------------------------- */

/* Types above this one are of a newer module, and passed over. */
#define MOST_TYPES 64

/* The last attribute of each type; an index that is not there is NULL. */
struct attrs {
	const struct nlattr *of[MOST_TYPES];
};

static void add_attr(struct attrs *attrs, const struct nlattr *attr)
{
	unsigned int type = mnl_attr_get_type(attr);

	if (type < MOST_TYPES)
		attrs->of[type] = attr;
}

static void get_attrs(struct attrs *attrs, const struct nlmsghdr *message)
{
	const struct nlattr *attr;

	memset(attrs, 0, sizeof(*attrs));
	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr))
		add_attr(attrs, attr);
}

static void get_nested(struct attrs *attrs, const struct nlattr *nest)
{
	const struct nlattr *attr;

	memset(attrs, 0, sizeof(*attrs));
	mnl_attr_for_each_nested(attr, nest)
		add_attr(attrs, attr);
}

static __u64 number(const struct attrs *attrs, int type)
{
	const struct nlattr *attr = attrs->of[type];

	if (!attr)
		return 0;
	if (mnl_attr_get_payload_len(attr) == sizeof(__u64))
		return mnl_attr_get_u64(attr);
	return mnl_attr_get_payload_len(attr) == sizeof(__u32)
		       ? mnl_attr_get_u32(attr)
		       : 0;
}

static const char *word(const struct attrs *attrs, int type)
{
	const struct nlattr *attr = attrs->of[type];

	if (!attr || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0 ||
	    !*mnl_attr_get_str(attr))
		return "-";
	return mnl_attr_get_str(attr);
}

static void get_word(const struct attrs *attrs, int type, char *to, size_t size)
{
	snprintf(to, size, "%s", word(attrs, type));
}

/* Nanoseconds, in thousandths of a second as /proc has them. */
static double seconds(const struct attrs *attrs, int type)
{
	return number(attrs, type) / 1000000 / 1000.0;
}

static const char *persistence(const struct attrs *attrs)
{
	return number(attrs, IPCDEMO_A_OBJECT_PERSISTENCE) ? "kernel"
							   : "process";
}

static void get_dev(const struct attrs *attrs, char *to, size_t size)
{
	if (attrs->of[IPCDEMO_A_OBJECT_DEV_MAJOR])
		snprintf(to, size, "%llu:%llu",
			 number(attrs, IPCDEMO_A_OBJECT_DEV_MAJOR),
			 number(attrs, IPCDEMO_A_OBJECT_DEV_MINOR));
	else
		snprintf(to, size, "-");
}

static void get_seals(const struct attrs *attrs, char *to, size_t size)
{
	__u32 seals = number(attrs, IPCDEMO_A_OBJECT_SEALS);

	snprintf(to, size, "%s%s%s", seals & IPCDEMO_SEAL_SEAL ? ",seal" : "",
		 seals & IPCDEMO_SEAL_SHRINK ? ",shrink" : "",
		 seals & IPCDEMO_SEAL_GROW ? ",grow" : "");
	if (*to)
		memmove(to, to + 1, strlen(to));
	else
		snprintf(to, size, "-");
}

/*
 * Room for one more in an array of @n, which is at a power of 2 when it is full.
 * NULL: out of memory.
 */
static void *grow(void *array, size_t n, size_t element)
{
	char **pointer = array;
	char *more = *pointer;

	if (!(n & (n - 1))) {
		more = realloc(*pointer, (n ? n * 2 : 1) * element);
		if (!more)
			return NULL;
		*pointer = more;
	}
	return memset(more + n * element, 0, element);
}

/* ---- ls ------------------------------------------------------------------ */

/* As the header lines of /proc/ipcdemo/pipes and regions. */
static const char *const pipe_columns[] = {
	"id",		"name",	   "owner",	   "mode",
	"persistence",	"slots",   "used",	   "bytes",
	"readers",	"writers", "read_waiters", "write_waiters",
	"open_waiters", "dev",	   "ino",
};

static const char *const region_columns[] = {
	"id",	 "name", "owner", "mode", "size", "pages",
	"files", "maps", "seals", "dev",  "ino",
};

/**
 * struct lister - a table that is being made
 * @kind:	of what
 * @to:		where the words go, each with its 0
 * @rows:	how many there are
 */
struct lister {
	enum ipcdemo_kind kind;
	FILE *to;
	size_t rows;
};

static void list_number(struct lister *list, const struct attrs *attrs,
			int type)
{
	fprintf(list->to, "%llu%c", number(attrs, type), 0);
}

static void list_pipe(struct lister *list, const struct attrs *a)
{
	fprintf(list->to, "%s%c", persistence(a), 0);
	list_number(list, a, IPCDEMO_A_OBJECT_SLOTS);
	list_number(list, a, IPCDEMO_A_OBJECT_USED);
	list_number(list, a, IPCDEMO_A_OBJECT_BYTES);
	list_number(list, a, IPCDEMO_A_OBJECT_READERS);
	list_number(list, a, IPCDEMO_A_OBJECT_WRITERS);
	list_number(list, a, IPCDEMO_A_OBJECT_READ_WAITERS);
	list_number(list, a, IPCDEMO_A_OBJECT_WRITE_WAITERS);
	list_number(list, a, IPCDEMO_A_OBJECT_OPEN_WAITERS);
}

static void list_region(struct lister *list, const struct attrs *a)
{
	char seals[32];

	list_number(list, a, IPCDEMO_A_OBJECT_SIZE);
	list_number(list, a, IPCDEMO_A_OBJECT_PAGES);
	list_number(list, a, IPCDEMO_A_OBJECT_FILES);
	list_number(list, a, IPCDEMO_A_OBJECT_MAPS);
	get_seals(a, seals, sizeof(seals));
	fprintf(list->to, "%s%c", seals, 0);
}

static int list_object(const struct nlmsghdr *message, void *arg)
{
	struct lister *list = arg;
	struct attrs a;
	char dev[32];

	get_attrs(&a, message);
	if (!a.of[IPCDEMO_A_OBJECT_ID])
		return MNL_CB_OK;
	list_number(list, &a, IPCDEMO_A_OBJECT_ID);
	fprintf(list->to, "%s%c", word(&a, IPCDEMO_A_OBJECT_NAME), 0);
	list_number(list, &a, IPCDEMO_A_OBJECT_OWNER);
	fprintf(list->to, "%04llo%c", number(&a, IPCDEMO_A_OBJECT_MODE), 0);
	if (list->kind == IPCDEMO_PIPE)
		list_pipe(list, &a);
	else
		list_region(list, &a);
	get_dev(&a, dev, sizeof(dev));
	fprintf(list->to, "%s%c", dev, 0);
	if (*dev == '-')
		fprintf(list->to, "-%c", 0);
	else
		list_number(list, &a, IPCDEMO_A_OBJECT_INO);
	list->rows++;
	return MNL_CB_OK;
}

/* The words are in their order: find where each of them begins. */
static int cut_cells(struct ipcdemo_table *t, const char *const *columns,
		     size_t n, size_t rows)
{
	char *text = t->text;
	size_t i;

	t->columns = n;
	t->rows = rows;
	t->header = calloc(n, sizeof(*t->header));
	t->cells = calloc(n * rows + 1, sizeof(*t->cells));
	if (!t->header || !t->cells)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		t->header[i] = (char *)columns[i];
	for (i = 0; i < n * rows; i++) {
		t->cells[i] = text;
		text += strlen(text) + 1;
	}
	return 0;
}

int netlink_list(enum ipcdemo_kind kind, struct ipcdemo_table *table)
{
	struct lister list = {.kind = kind};
	size_t size;
	int err;

	memset(table, 0, sizeof(*table));
	list.to = open_memstream(&table->text, &size);
	if (!list.to)
		return -ENOMEM;
	err = dump(IPCDEMO_A_OBJECT_KIND,
		   kind == IPCDEMO_PIPE ? IPCDEMO_OBJECT_KIND_PIPE
					: IPCDEMO_OBJECT_KIND_REGION,
		   list_object, &list);
	if (fclose(list.to) && !err)
		err = -ENOMEM;
	if (!err && kind == IPCDEMO_PIPE)
		err = cut_cells(table, pipe_columns, ARRAY_SIZE(pipe_columns),
				list.rows);
	else if (!err)
		err = cut_cells(table, region_columns,
				ARRAY_SIZE(region_columns), list.rows);
	if (err)
		ipcdemo_table_free(table);
	return err;
}

/* ---- what pipes and regions have in common ------------------------------- */

static int add_counter(const struct nlattr *nest,
		       struct ipcdemo_counter **counters, size_t *n)
{
	struct ipcdemo_counter *c = grow(counters, *n, sizeof(*c));
	struct attrs a;

	if (!c)
		return MNL_CB_ERROR;
	get_nested(&a, nest);
	get_word(&a, IPCDEMO_A_COUNTER_POINT, c->point, sizeof(c->point));
	get_word(&a, IPCDEMO_A_COUNTER_UNIT, c->unit, sizeof(c->unit));
	c->count = number(&a, IPCDEMO_A_COUNTER_COUNT);
	++*n;
	return MNL_CB_OK;
}

/* Does it wait asleep?  Who is held at a gate has a block of its own in /proc. */
static bool is_waiter(const struct attrs *a)
{
	__u64 state = number(a, IPCDEMO_A_TASK_STATE);

	return state == IPCDEMO_WAITER_STATE_SLEEPING ||
	       state == IPCDEMO_WAITER_STATE_WOKEN;
}

static void get_waiter(const struct attrs *a, struct ipcdemo_waiter *w)
{
	static const char *const states[] = {
		[IPCDEMO_WAITER_STATE_SLEEPING] = "sleeping",
		[IPCDEMO_WAITER_STATE_WOKEN] = "woken",
		[IPCDEMO_WAITER_STATE_HELD] = "held",
		[IPCDEMO_WAITER_STATE_LOCK] = "lock",
	};
	__u64 state = number(a, IPCDEMO_A_TASK_STATE);

	get_word(a, IPCDEMO_A_TASK_POINT, w->point, sizeof(w->point));
	w->pid = number(a, IPCDEMO_A_TASK_PID);
	get_word(a, IPCDEMO_A_TASK_COMMAND, w->command, sizeof(w->command));
	w->seconds = seconds(a, IPCDEMO_A_TASK_WAITED);
	snprintf(w->state, sizeof(w->state), "%s",
		 state < ARRAY_SIZE(states) ? states[state] : "-");
}

static char *copy_name(const struct attrs *a)
{
	return strdup(word(a, IPCDEMO_A_OBJECT_NAME));
}

/* ---- one pipe ------------------------------------------------------------ */

/* A view that is being filled. */
struct pipe_reader {
	struct ipcdemo_pipe_view *view;
	char *dev;
	size_t size;
};

static void get_slot(const struct nlattr *nest, struct ipcdemo_pipe_view *v)
{
	static const enum ipcdemo_slot_state states[] = {
		[IPCDEMO_SLOT_HOLDS_NOTHING] = IPCDEMO_SLOT_FREE,
		[IPCDEMO_SLOT_HOLDS_SPARE] = IPCDEMO_SLOT_SPARE,
		[IPCDEMO_SLOT_HOLDS_DATA] = IPCDEMO_SLOT_DATA,
	};
	struct ipcdemo_slot *s;
	__u64 place, holds;
	struct attrs a;
	__u32 flags;

	get_nested(&a, nest);
	place = number(&a, IPCDEMO_A_SLOT_PLACE);
	holds = number(&a, IPCDEMO_A_SLOT_HOLDS);
	if (!v->ring || place >= v->slots || holds >= ARRAY_SIZE(states))
		return;
	s = &v->ring[place];
	s->state = states[holds];
	s->index = number(&a, IPCDEMO_A_SLOT_INDEX);
	s->page = number(&a, IPCDEMO_A_SLOT_PAGE);
	s->pfn = number(&a, IPCDEMO_A_SLOT_PFN);
	s->offset = number(&a, IPCDEMO_A_SLOT_OFFSET);
	s->len = number(&a, IPCDEMO_A_SLOT_LEN);
	flags = number(&a, IPCDEMO_A_SLOT_FLAGS);
	snprintf(s->flags, sizeof(s->flags), "%s",
		 flags & IPCDEMO_SLOT_FLAG_MERGE     ? "merge"
		 : flags & IPCDEMO_SLOT_FLAG_PACKET  ? "packet"
		 : flags & IPCDEMO_SLOT_FLAG_FOREIGN ? "foreign"
						     : "-");
}

static int get_pipe(const struct attrs *a, struct pipe_reader *r)
{
	struct ipcdemo_pipe_view *v = r->view;

	v->id = number(a, IPCDEMO_A_OBJECT_ID);
	v->name = copy_name(a);
	v->owner = number(a, IPCDEMO_A_OBJECT_OWNER);
	snprintf(v->mode, sizeof(v->mode), "%04llo",
		 number(a, IPCDEMO_A_OBJECT_MODE));
	snprintf(v->persistence, sizeof(v->persistence), "%s", persistence(a));
	v->capacity = number(a, IPCDEMO_A_OBJECT_CAPACITY);
	v->slots = number(a, IPCDEMO_A_OBJECT_SLOTS);
	v->used = number(a, IPCDEMO_A_OBJECT_USED);
	v->bytes = number(a, IPCDEMO_A_OBJECT_BYTES);
	v->head = number(a, IPCDEMO_A_OBJECT_HEAD);
	v->tail = number(a, IPCDEMO_A_OBJECT_TAIL);
	v->readers = number(a, IPCDEMO_A_OBJECT_READERS);
	v->writers = number(a, IPCDEMO_A_OBJECT_WRITERS);
	v->spare = number(a, IPCDEMO_A_OBJECT_SPARE);
	snprintf(v->snapshot, sizeof(v->snapshot), "%s",
		 a->of[IPCDEMO_A_OBJECT_TORN] ? "torn" : "consistent");
	v->read_pollers = number(a, IPCDEMO_A_OBJECT_READ_POLLERS);
	v->write_pollers = number(a, IPCDEMO_A_OBJECT_WRITE_POLLERS);
	v->ring = calloc(v->slots + 1, sizeof(*v->ring));
	get_dev(a, r->dev, r->size);
	return v->name && v->ring ? MNL_CB_OK : MNL_CB_ERROR;
}

static int add_waiter(const struct nlattr *nest, struct ipcdemo_pipe_view *v)
{
	struct ipcdemo_waiter **list, *w;
	struct attrs a;
	size_t *n;

	get_nested(&a, nest);
	list = is_waiter(&a) ? &v->waiters : &v->held;
	n = is_waiter(&a) ? &v->nwaiters : &v->nheld;
	w = grow(list, *n, sizeof(*w));
	if (!w)
		return MNL_CB_ERROR;
	get_waiter(&a, w);
	++*n;
	return MNL_CB_OK;
}

static int add_trace(const struct nlattr *nest, struct ipcdemo_pipe_view *v)
{
	struct ipcdemo_trace *t = grow(&v->trail, v->ntrail, sizeof(*t));
	struct attrs a;

	if (!t)
		return MNL_CB_ERROR;
	get_nested(&a, nest);
	get_word(&a, IPCDEMO_A_TRACE_EVENT, t->event, sizeof(t->event));
	t->count = number(&a, IPCDEMO_A_TRACE_COUNT);
	t->pid = number(&a, IPCDEMO_A_TRACE_PID);
	get_word(&a, IPCDEMO_A_TRACE_COMMAND, t->command, sizeof(t->command));
	t->seconds = seconds(&a, IPCDEMO_A_TRACE_AGE);
	v->ntrail++;
	return MNL_CB_OK;
}

static int read_pipe(const struct nlmsghdr *message, void *arg)
{
	struct pipe_reader *r = arg;
	struct ipcdemo_pipe_view *v = r->view;
	const struct nlattr *attr;
	struct attrs a;
	int status = MNL_CB_OK;

	get_attrs(&a, message);
	if (!v->name && a.of[IPCDEMO_A_OBJECT_SLOTS])
		status = get_pipe(&a, r);
	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr)) {
		if (status != MNL_CB_OK)
			break;
		switch (mnl_attr_get_type(attr)) {
		case IPCDEMO_A_OBJECT_COUNTER:
			status = add_counter(attr, &v->counters, &v->ncounters);
			break;
		case IPCDEMO_A_OBJECT_SLOT:
			get_slot(attr, v);
			break;
		case IPCDEMO_A_OBJECT_TASK:
			status = add_waiter(attr, v);
			break;
		case IPCDEMO_A_OBJECT_TRACE:
			status = add_trace(attr, v);
			break;
		}
	}
	return status;
}

int netlink_pipe_view(__u32 id, struct ipcdemo_pipe_view *view, char *dev,
		      size_t size)
{
	struct pipe_reader r = {.view = view, .dev = dev, .size = size};
	int err = dump(IPCDEMO_A_OBJECT_ID, id, read_pipe, &r);

	/* It is a region, then. */
	if (!err && !view->name)
		err = -ENOENT;
	if (err)
		ipcdemo_pipe_view_free(view);
	return err;
}

/* ---- one region ---------------------------------------------------------- */

static int get_region(const struct attrs *a, struct ipcdemo_region_view *v)
{
	v->id = number(a, IPCDEMO_A_OBJECT_ID);
	v->name = copy_name(a);
	v->owner = number(a, IPCDEMO_A_OBJECT_OWNER);
	snprintf(v->mode, sizeof(v->mode), "%04llo",
		 number(a, IPCDEMO_A_OBJECT_MODE));
	v->size = number(a, IPCDEMO_A_OBJECT_SIZE);
	v->pages = number(a, IPCDEMO_A_OBJECT_PAGES);
	v->files = number(a, IPCDEMO_A_OBJECT_FILES);
	v->maps = number(a, IPCDEMO_A_OBJECT_MAPS);
	v->page_size = number(a, IPCDEMO_A_OBJECT_PAGE_SIZE);
	get_seals(a, v->seals, sizeof(v->seals));
	get_dev(a, v->dev, sizeof(v->dev));
	v->ino = number(a, IPCDEMO_A_OBJECT_INO);
	return v->name ? MNL_CB_OK : MNL_CB_ERROR;
}

static int add_word_waiter(const struct nlattr *nest,
			   struct ipcdemo_region_view *v)
{
	struct ipcdemo_word_waiter *w;
	struct attrs a;

	get_nested(&a, nest);
	if (!is_waiter(&a))
		return MNL_CB_OK;
	w = grow(&v->waiters, v->nwaiters, sizeof(*w));
	if (!w)
		return MNL_CB_ERROR;
	w->offset = number(&a, IPCDEMO_A_TASK_OFFSET);
	get_waiter(&a, &w->task);
	v->nwaiters++;
	return MNL_CB_OK;
}

static int add_run(const struct nlattr *nest, struct ipcdemo_region_view *v)
{
	static const char *const states[] = {
		[IPCDEMO_PAGE_STATE_NONE] = "none",
		[IPCDEMO_PAGE_STATE_THERE] = "there",
		[IPCDEMO_PAGE_STATE_LARGE] = "large",
	};
	struct ipcdemo_run *run = grow(&v->runs, v->nruns, sizeof(*run));
	struct attrs a;
	__u64 state;

	if (!run)
		return MNL_CB_ERROR;
	get_nested(&a, nest);
	run->first = number(&a, IPCDEMO_A_RUN_FIRST);
	run->last = number(&a, IPCDEMO_A_RUN_LAST);
	state = number(&a, IPCDEMO_A_RUN_STATE);
	snprintf(run->state, sizeof(run->state), "%s",
		 state < ARRAY_SIZE(states) ? states[state] : "-");
	v->nruns++;
	return MNL_CB_OK;
}

static int add_fault(const struct nlattr *nest, struct ipcdemo_region_view *v)
{
	struct ipcdemo_fault *f = grow(&v->faults, v->nfaults, sizeof(*f));
	struct attrs a;

	if (!f)
		return MNL_CB_ERROR;
	get_nested(&a, nest);
	f->page = number(&a, IPCDEMO_A_FAULT_PAGE);
	snprintf(f->access, sizeof(f->access), "%s",
		 a.of[IPCDEMO_A_FAULT_WRITE] ? "write" : "read");
	f->pid = number(&a, IPCDEMO_A_FAULT_PID);
	get_word(&a, IPCDEMO_A_FAULT_COMMAND, f->command, sizeof(f->command));
	f->seconds = seconds(&a, IPCDEMO_A_FAULT_AGE);
	v->nfaults++;
	return MNL_CB_OK;
}

static int add_wake(const struct nlattr *nest, struct ipcdemo_region_view *v)
{
	struct ipcdemo_wake_up *w = grow(&v->wakes, v->nwakes, sizeof(*w));
	struct attrs a;

	if (!w)
		return MNL_CB_ERROR;
	get_nested(&a, nest);
	w->offset = number(&a, IPCDEMO_A_WAKE_OFFSET);
	w->waker = number(&a, IPCDEMO_A_WAKE_WAKER);
	get_word(&a, IPCDEMO_A_WAKE_WAKER_COMMAND, w->waker_command,
		 sizeof(w->waker_command));
	w->woken = number(&a, IPCDEMO_A_WAKE_WOKEN);
	get_word(&a, IPCDEMO_A_WAKE_WOKEN_COMMAND, w->woken_command,
		 sizeof(w->woken_command));
	w->waited = seconds(&a, IPCDEMO_A_WAKE_WAITED);
	w->seconds = seconds(&a, IPCDEMO_A_WAKE_AGE);
	v->nwakes++;
	return MNL_CB_OK;
}

static int add_owner(const struct nlattr *nest, struct ipcdemo_region_view *v)
{
	struct ipcdemo_lock_owner *o = grow(&v->owners, v->nowners, sizeof(*o));
	struct attrs a;

	if (!o)
		return MNL_CB_ERROR;
	get_nested(&a, nest);
	o->owner = number(&a, IPCDEMO_A_LOCK_OWNER_NUMBER);
	o->pid = number(&a, IPCDEMO_A_LOCK_OWNER_PID);
	get_word(&a, IPCDEMO_A_LOCK_OWNER_COMMAND, o->command,
		 sizeof(o->command));
	o->offset = number(&a, IPCDEMO_A_LOCK_OWNER_OFFSET);
	o->entries = number(&a, IPCDEMO_A_LOCK_OWNER_ENTRIES);
	v->nowners++;
	return MNL_CB_OK;
}

static int add_eventfd(const struct nlattr *nest, struct ipcdemo_region_view *v)
{
	struct ipcdemo_bound_eventfd *e =
		grow(&v->eventfds, v->neventfds, sizeof(*e));
	struct attrs a;

	if (!e)
		return MNL_CB_ERROR;
	get_nested(&a, nest);
	e->offset = number(&a, IPCDEMO_A_EVENTFD_OFFSET);
	e->pid = number(&a, IPCDEMO_A_EVENTFD_PID);
	get_word(&a, IPCDEMO_A_EVENTFD_COMMAND, e->command, sizeof(e->command));
	v->neventfds++;
	return MNL_CB_OK;
}

static int read_region(const struct nlmsghdr *message, void *arg)
{
	struct ipcdemo_region_view *v = arg;
	const struct nlattr *attr;
	struct attrs a;
	int status = MNL_CB_OK;

	get_attrs(&a, message);
	if (!v->name && a.of[IPCDEMO_A_OBJECT_SIZE])
		status = get_region(&a, v);
	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr)) {
		if (status != MNL_CB_OK)
			break;
		switch (mnl_attr_get_type(attr)) {
		case IPCDEMO_A_OBJECT_COUNTER:
			status = add_counter(attr, &v->counters, &v->ncounters);
			break;
		case IPCDEMO_A_OBJECT_TASK:
			status = add_word_waiter(attr, v);
			break;
		case IPCDEMO_A_OBJECT_RUN:
			status = add_run(attr, v);
			break;
		case IPCDEMO_A_OBJECT_FAULT:
			status = add_fault(attr, v);
			break;
		case IPCDEMO_A_OBJECT_WAKE:
			status = add_wake(attr, v);
			break;
		case IPCDEMO_A_OBJECT_LOCK_OWNER:
			status = add_owner(attr, v);
			break;
		case IPCDEMO_A_OBJECT_EVENTFD:
			status = add_eventfd(attr, v);
			break;
		}
	}
	return status;
}

int netlink_region_view(__u32 id, struct ipcdemo_region_view *view)
{
	int err = dump(IPCDEMO_A_OBJECT_ID, id, read_region, view);

	/* It is a pipe, then. */
	if (!err && !view->name)
		err = -ENOENT;
	if (err)
		ipcdemo_region_view_free(view);
	return err;
}

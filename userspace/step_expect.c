// SPDX-License-Identifier: GPL-2.0
/*
 * The expectations of a schedule: is it so, and if not, what is it?
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "step_engine.h"

static int compare(struct run *r, const char *what, __s64 wanted, __s64 got)
{
	if (wanted == got)
		return 0;
	return step_failed(r, "expected %s %lld, but it is %lld", what, wanted,
			   got);
}

static int expect_pipe(struct run *r, const struct step_line *l)
{
	struct ipcdemo_pipe_stat stat;
	int err = step_stat(r, &stat);

	if (err)
		return err;
	switch (l->kind) {
	case STEP_EXPECT_SLOTS:
		return compare(r, "slots", l->number, stat.slots);
	case STEP_EXPECT_USED:
		return compare(r, "slots used", l->number, stat.used);
	case STEP_EXPECT_BYTES:
		return compare(r, "bytes", l->number, stat.bytes);
	case STEP_EXPECT_READERS:
		return compare(r, "readers", l->number, stat.readers);
	case STEP_EXPECT_WRITERS:
		return compare(r, "writers", l->number, stat.writers);
	default:
		break;
	}
	if (l->has_head)
		err = compare(r, "head", l->number,
			      step_relative(r, stat.head));
	if (!err && l->has_tail)
		err = compare(r, "tail", l->tail, step_relative(r, stat.tail));
	return err;
}

static int expect_count(struct run *r, const struct step_line *l)
{
	const char *point = step_point_name(l->point);
	struct ipcdemo_pipe_view v;
	char what[60];
	__u64 count;

	if (ipcdemo_pipe_view(r->cli->ipc, r->pipe, &v))
		return step_failed_ipc(r);
	count = ipcdemo_count(v.counters, v.ncounters, point) -
		ipcdemo_count(r->counters.counters, r->counters.ncounters,
			      point);
	ipcdemo_pipe_view_free(&v);
	snprintf(what, sizeof(what), "count %s", point);
	return compare(r, what, l->number, count);
}

static int unseen(struct run *r, const struct worker *w, const char *what)
{
	return step_failed(r, "%s is a live process: its %s are not seen",
			   w->task->name, what);
}

static int expect_poll(struct run *r, struct worker *w, unsigned int mask)
{
	struct pollfd p = {.events = POLLIN | POLLOUT};
	char wanted[40], got[40];

	if (w->live)
		return unseen(r, w, "descriptors");
	if (w->gone || w->share->end < 0)
		return step_failed(r,
				   "%s has no end open: nothing can be polled",
				   w->task->name);
	/* A copy: it is open in the task as well, so closing it closes no end */
	p.fd = pidfd_getfd(w->pidfd, w->share->end, 0);
	if (p.fd < 0)
		return step_failed(r, "cannot look at the descriptor of %s: %s",
				   w->task->name, strerror(errno));
	if (poll(&p, 1, 0) < 0)
		return step_failed(r, "poll: %s", strerror(errno));
	close(p.fd);
	if ((unsigned int)p.revents == mask)
		return 0;
	step_poll_words(mask, wanted, sizeof(wanted));
	step_poll_words(p.revents, got, sizeof(got));
	return step_failed(r,
			   "expected that poll says %s to %s, but it says %s",
			   wanted, w->task->name, got);
}

char *step_got(const struct worker *w, size_t *len)
{
	char *data = malloc(STEP_BYTES);
	ssize_t n = 0;

	if (!data)
		return NULL;
	if (w->live)
		n = 0;
	else if (w->last->kind == STEP_OP_RUN)
		n = pread(w->output, data, STEP_BYTES, 0);
	else
		n = w->share->got;
	*len = n > 0 ? n : 0;
	if (n > 0 && w->last->kind != STEP_OP_RUN)
		memcpy(data, w->share->data, *len);
	return data;
}

static int expect_got(struct run *r, const struct worker *w,
		      const struct step_line *l)
{
	size_t wanted = l->number, len, i;
	int err = 0;
	char *data;

	data = step_got(w, &len);
	if (!data)
		return fail("out of memory");
	for (i = 0; i < len && i < wanted && data[i] == l->data[i]; i++)
		;
	if (len != wanted)
		err = step_failed(r,
				  "expected that %s got %zu bytes, but it got %zu",
				  w->task->name, wanted, len);
	else if (i < len)
		err = step_failed(r,
				  "expected that %s got '%c' (0x%02x) as byte %zu, but it got '%c' (0x%02x)",
				  w->task->name, l->data[i], (__u8)l->data[i],
				  i, data[i], (__u8)data[i]);
	free(data);
	return err;
}

static int expect_result(struct run *r, const struct worker *w,
			 const struct step_line *l)
{
	bool ask_poll = l->kind == STEP_EXPECT_READY;
	struct step_op as = {.kind = ask_poll ? STEP_OP_POLL : STEP_OP_READ};
	bool was_poll = w->last->kind == STEP_OP_POLL;
	__s64 result = ask_poll ? l->mask : l->number;
	char wanted[40], words[40];

	if (w->result == result && ask_poll == was_poll)
		return 0;
	return step_failed(r,
			   "expected that %s has the result %s, but '%s' gave %s",
			   w->task->name,
			   step_result_words(&as, result, wanted,
					     sizeof(wanted)),
			   w->last->text,
			   step_result_words(w->last, w->result, words,
					     sizeof(words)));
}

/* The expectations that are true or not, and what they are called. */
static int expect_state(struct run *r, const struct worker *w,
			const struct step_line *l)
{
	char words[160], at[60] = "";
	bool is = false;

	switch (l->kind) {
	case STEP_EXPECT_AT:
		snprintf(at, sizeof(at), "at %s", step_point_name(l->point));
		is = step_is_at(w, l->point);
		break;
	case STEP_EXPECT_BLOCKED:
		strcpy(at, "blocked");
		is = step_is_blocked(w);
		break;
	case STEP_EXPECT_ASLEEP:
		strcpy(at, "asleep");
		is = !w->gone && w->now.state == IPCDEMO_TASK_ASLEEP;
		break;
	case STEP_EXPECT_LOCK:
		strcpy(at, "waiting for the lock");
		is = !w->gone && w->now.state == IPCDEMO_TASK_LOCK;
		break;
	case STEP_EXPECT_DONE:
		strcpy(at, "done");
		is = !w->gone ? step_is_over(w)
			      : w->last && w->last->kind == STEP_OP_RUN;
		break;
	default:
		strcpy(at, "gone");
		is = w->gone;
		break;
	}
	if (is)
		return 0;
	return step_failed(r, "expected that %s is %s, but it %s",
			   w->task->name, at,
			   step_doing(w, words, sizeof(words)));
}

static int expect_task(struct run *r, struct worker *w,
		       const struct step_line *l)
{
	char words[160];

	switch (l->kind) {
	case STEP_EXPECT_RESULT:
	case STEP_EXPECT_READY:
	case STEP_EXPECT_GOT:
		if (!w->last)
			return step_failed(r, "%s has no result yet: it %s",
					   w->task->name,
					   step_doing(w, words, sizeof(words)));
		if (w->live && l->kind == STEP_EXPECT_GOT)
			return unseen(r, w, "bytes");
		return l->kind == STEP_EXPECT_GOT ? expect_got(r, w, l)
						  : expect_result(r, w, l);
	case STEP_EXPECT_CAUGHT:
		if (w->live)
			return unseen(r, w, "signals");
		snprintf(words, sizeof(words),
			 "that %s caught %s this often:", w->task->name,
			 step_signal_name(l->signal));
		return compare(r, words, l->number,
			       w->share->caught[l->signal]);
	case STEP_EXPECT_DECIDED:
		if (step_in_call(w) && w->now.decided == l->number)
			return 0;
		return step_failed(r,
				   "expected that %s has decided %s, but it %s%s",
				   w->task->name, l->number ? "yes" : "no",
				   step_doing(w, words, sizeof(words)),
				   !step_in_call(w)	 ? ""
				   : w->now.decided == 0 ? ", decided no"
				   : w->now.decided == 1
					   ? ", decided yes"
					   : ", where nothing is decided");
	case STEP_EXPECT_POLL:
		return expect_poll(r, w, l->mask);
	default:
		return expect_state(r, w, l);
	}
}

bool step_is_expectation(const struct step_line *l)
{
	return l->kind >= STEP_EXPECT_AT;
}

int step_expect(struct run *r, const struct step_line *l)
{
	if (l->kind == STEP_EXPECT_COUNT)
		return expect_count(r, l);
	if (l->task < 0)
		return expect_pipe(r, l);
	return expect_task(r, &r->workers[l->task], l);
}

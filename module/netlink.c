// SPDX-License-Identifier: GPL-2.0
/* The generic netlink family: who asks, what is told (see netlink.h). */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/ipcdemo.h>
#include <linux/ipcdemo_netlink.h>
#include <linux/kdev_t.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "compat.h"
#include "events.h"
#include "gate.h"
#include "main.h"
#include "netlink.h"
#include "netlink_gen.h"
#include "object.h"
#include "owner.h"
#include "pipe.h"
#include "region.h"
#include "trail.h"
#include "wait_word.h"
#include "waiter.h"

/* Room for one object with its name and its counters. */
#define OBJECT_ROOM  8192

/* Waiters that come between counting and copying are told of, up to so many. */
#define MORE_WAITERS 8

/* Calls that are told of as held; runs of pages of a region; owners at a time. */
#define MOST_CALLS   256
#define MOST_RUNS    1000
#define SOME_OWNERS  64

/* Who asked: ids are told as they are there. */
struct asker {
	struct user_namespace *user_ns;
	struct pid_namespace *pid_ns;
	bool sees_pfns;
	char *name; /* PATH_MAX bytes, for names; may be NULL */
};

/* Of the current request.  No reference is taken. */
static struct asker asker_now(const struct sk_buff *skb)
{
	return (struct asker){
		.user_ns = current_user_ns(),
		.pid_ns = task_active_pid_ns(current),
		.sees_pfns = netlink_capable(skb, CAP_SYS_ADMIN),
	};
}

/* --- attributes: each returns 0 or -EMSGSIZE --- */

static int put_pid_attr(struct sk_buff *skb, int type, struct pid *pid,
			const struct asker *asker)
{
	return nla_put_s32(skb, type, pid_nr_ns(pid, asker->pid_ns));
}

static int put_name(struct sk_buff *skb, struct ipc_object *object,
		    const struct asker *asker)
{
	char *name;

	if (!object->name_now)
		return nla_put_string(skb, IPCDEMO_A_OBJECT_NAME, object->name);
	if (!asker->name)
		return 0;
	name = object->name_now(object, asker->name, PATH_MAX);
	if (IS_ERR(name))
		return 0;
	return nla_put_string(skb, IPCDEMO_A_OBJECT_NAME, name);
}

static int put_common(struct sk_buff *skb, struct ipc_object *object,
		      const struct asker *asker)
{
	if (nla_put_u32(skb, IPCDEMO_A_OBJECT_ID, object->id) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_KIND, object->kind) ||
	    put_name(skb, object, asker) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_OWNER,
			from_kuid_munged(asker->user_ns,
					 READ_ONCE(object->owner))) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_GROUP,
			from_kgid_munged(asker->user_ns,
					 READ_ONCE(object->group))) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_MODE, READ_ONCE(object->mode)))
		return -EMSGSIZE;
	if (object->dev &&
	    (nla_put_u32(skb, IPCDEMO_A_OBJECT_DEV_MAJOR, MAJOR(object->dev)) ||
	     nla_put_u32(skb, IPCDEMO_A_OBJECT_DEV_MINOR, MINOR(object->dev)) ||
	     nla_put_u64_64bit(skb, IPCDEMO_A_OBJECT_INO, object->ino,
			       IPCDEMO_A_OBJECT_PAD)))
		return -EMSGSIZE;
	return 0;
}

static int put_ends(struct sk_buff *skb, struct ipc_pipe *pipe)
{
	unsigned int read_waiters, write_waiters, read_pollers, write_pollers;

	read_waiters = ipc_waiters_count(&pipe->read_queue, &read_pollers);
	write_waiters = ipc_waiters_count(&pipe->write_queue, &write_pollers);
	if (nla_put_u32(skb, IPCDEMO_A_OBJECT_READERS,
			READ_ONCE(pipe->readers)) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_WRITERS,
			READ_ONCE(pipe->writers)) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_READ_WAITERS, read_waiters) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_WRITE_WAITERS, write_waiters) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_OPEN_WAITERS,
			ipc_waiters_count(&pipe->open_queue, NULL)) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_READ_POLLERS, read_pollers) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_WRITE_POLLERS, write_pollers))
		return -EMSGSIZE;
	return 0;
}

static int put_persistence(struct sk_buff *skb, const struct ipc_pipe *pipe)
{
	return nla_put_u32(skb, IPCDEMO_A_OBJECT_PERSISTENCE,
			   READ_ONCE(pipe->keep) ? IPCDEMO_PERSIST_KERNEL
						 : IPCDEMO_PERSIST_PROCESS);
}

static int put_pipe(struct sk_buff *skb, struct ipc_pipe *pipe,
		    const struct ipc_pipe_look *look)
{
	if (put_persistence(skb, pipe) ||
	    nla_put_u64_64bit(skb, IPCDEMO_A_OBJECT_CAPACITY,
			      (u64)look->nr << PAGE_SHIFT,
			      IPCDEMO_A_OBJECT_PAD) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_SLOTS, look->nr) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_USED, ring_used(look->indices)) ||
	    nla_put_u64_64bit(skb, IPCDEMO_A_OBJECT_BYTES, look->bytes,
			      IPCDEMO_A_OBJECT_PAD) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_HEAD, ring_head(look->indices)) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_TAIL, ring_tail(look->indices)) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_SPARE, look->spare) ||
	    (look->torn && nla_put_flag(skb, IPCDEMO_A_OBJECT_TORN)))
		return -EMSGSIZE;
	return put_ends(skb, pipe);
}

static int put_region(struct sk_buff *skb, struct ipc_region *region)
{
	if (nla_put_u64_64bit(skb, IPCDEMO_A_OBJECT_SIZE,
			      READ_ONCE(region->size), IPCDEMO_A_OBJECT_PAD) ||
	    nla_put_u64_64bit(skb, IPCDEMO_A_OBJECT_PAGES,
			      ipc_region_pages(region), IPCDEMO_A_OBJECT_PAD) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_PAGE_SIZE, PAGE_SIZE) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_FILES,
			atomic_read(&region->files)) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_MAPS,
			atomic_read(&region->maps)) ||
	    nla_put_u32(skb, IPCDEMO_A_OBJECT_SEALS, READ_ONCE(region->seals)))
		return -EMSGSIZE;
	return 0;
}

static int put_counters(struct sk_buff *skb, const struct ipc_object *object)
{
	const struct ipc_point_info *point;
	struct nlattr *nest;
	int i;

	for (i = 0; i < IPC_NR_POINTS; i++) {
		point = &ipc_points[i];
		if (point->kind != object->kind || !strcmp(point->unit, "-"))
			continue;
		nest = nla_nest_start(skb, IPCDEMO_A_OBJECT_COUNTER);
		if (!nest ||
		    nla_put_string(skb, IPCDEMO_A_COUNTER_POINT, point->name) ||
		    nla_put_string(skb, IPCDEMO_A_COUNTER_UNIT, point->unit) ||
		    nla_put_u64_64bit(skb, IPCDEMO_A_COUNTER_COUNT,
				      atomic64_read(&object->count[i]),
				      IPCDEMO_A_COUNTER_PAD))
			return -EMSGSIZE;
		nla_nest_end(skb, nest);
	}
	return 0;
}

/* All but the parts; @look is NULL for a region. */
static int put_object(struct sk_buff *skb, struct ipc_object *object,
		      const struct ipc_pipe_look *look,
		      const struct asker *asker)
{
	return put_common(skb, object, asker)
		       ?: (look ? put_pipe(skb, ipc_pipe_of(object), look)
				: put_region(skb, ipc_region_of(object)));
}

/* --- the parts of an object, of which there can be many --- */

/* A copy of what there is of one kind of part, with references to pids. */
struct parts {
	void *elements; /* to be freed with kvfree */
	u32 nr;
	u32 done; /* so many were told of */
	bool more; /* not all were copied */
	bool moving; /* the pages of the region cannot be looked at now */
};

struct part_kind;

/* What one dump is about: made by dump_start(), freed by dump_done(). */
struct dump {
	struct asker asker; /* referenced, and the name is its own */
	u32 kind; /* ANY_KIND: both */
	u32 id; /* 0: all */
	u32 after; /* all up to this one were told of */
	struct ipc_object *object; /* referenced; told of in parts */
	const struct part_kind *part; /* of it; which kind is next */
	struct parts parts; /* of that kind, once they were copied */
	bool copied;
	bool told; /* the object itself was told of; its parts follow */
	struct ipc_pipe_look look;
	u64 now;
};

#define ANY_KIND (~0U)

struct part_kind {
	int type; /* attribute; 0: the end of the table */
	u32 kind; /* of which objects */
	int (*copy)(struct ipc_object *object, struct dump *dump,
		    struct parts *parts);
	/* 0 or -EMSGSIZE */
	int (*put)(struct sk_buff *skb, const struct dump *dump, u32 i);
	void (*drop)(struct parts *parts);
};

/* The n-th element of a copy. */
static const void *element(const struct parts *parts, u32 i, size_t size)
{
	return parts->elements + i * size;
}

static int copy_slots(struct ipc_object *object, struct dump *dump,
		      struct parts *parts)
{
	struct ipc_slot *slots;
	int err;

	err = ipc_pipe_look(ipc_pipe_of(object), &dump->look, &slots);
	if (err)
		return err;
	parts->elements = slots;
	parts->nr = dump->look.nr;
	return 0;
}

static u32 flags_of_slot(const struct ipc_slot *slot)
{
	return (slot->flags & IPC_SLOT_MERGE ? IPCDEMO_SLOT_FLAG_MERGE : 0) |
	       (slot->flags & IPC_SLOT_PACKET ? IPCDEMO_SLOT_FLAG_PACKET : 0) |
	       (slot->flags & IPC_SLOT_FOREIGN ? IPCDEMO_SLOT_FLAG_FOREIGN : 0);
}

static int put_slot(struct sk_buff *skb, const struct dump *dump, u32 i)
{
	const struct ipc_slot *slot =
		element(&dump->parts, i, sizeof(struct ipc_slot));
	const struct ipc_pipe_look *look = &dump->look;
	/* How far behind the tail this place is filled. */
	u32 ahead = (i - ring_tail(look->indices)) & (look->nr - 1);
	bool data = ahead < ring_used(look->indices);
	u32 holds = IPCDEMO_SLOT_HOLDS_NOTHING;

	if (data)
		holds = IPCDEMO_SLOT_HOLDS_DATA;
	else if (slot->page)
		holds = IPCDEMO_SLOT_HOLDS_SPARE;
	if (nla_put_u32(skb, IPCDEMO_A_SLOT_PLACE, i) ||
	    nla_put_u32(skb, IPCDEMO_A_SLOT_HOLDS, holds) ||
	    (data && nla_put_u32(skb, IPCDEMO_A_SLOT_INDEX,
				 ring_tail(look->indices) + ahead)) ||
	    (slot->page &&
	     nla_put_u32(skb, IPCDEMO_A_SLOT_PAGE, slot->page_no)) ||
	    (slot->page && dump->asker.sees_pfns &&
	     nla_put_u64_64bit(skb, IPCDEMO_A_SLOT_PFN, page_to_pfn(slot->page),
			       IPCDEMO_A_SLOT_PAD)) ||
	    nla_put_u32(skb, IPCDEMO_A_SLOT_OFFSET, slot->offset) ||
	    nla_put_u32(skb, IPCDEMO_A_SLOT_LEN, slot->len) ||
	    nla_put_u32(skb, IPCDEMO_A_SLOT_FLAGS, flags_of_slot(slot)))
		return -EMSGSIZE;
	return 0;
}

static void drop_slots(struct parts *parts)
{
}

/* Who waits asleep. */

static int copy_waiters(struct ipc_object *object, struct dump *dump,
			struct parts *parts)
{
	struct wait_queue_head *queues[3] = {NULL};
	struct ipc_waiter_copy *copies;
	struct ipc_pipe *pipe;
	unsigned int i, room;

	if (object->kind == IPC_KIND_PIPE) {
		pipe = ipc_pipe_of(object);
		queues[0] = &pipe->read_queue;
		queues[1] = &pipe->write_queue;
		queues[2] = &pipe->open_queue;
		for (i = 0, room = 0; i < ARRAY_SIZE(queues); i++)
			room += ipc_waiters_count(queues[i], NULL);
	} else {
		room = ipc_words_count(ipc_region_of(object));
	}
	if (!room)
		return 0;
	room += MORE_WAITERS;
	copies = kvcalloc(room, sizeof(*copies), GFP_KERNEL);
	if (!copies)
		return -ENOMEM;
	parts->elements = copies;
	if (object->kind == IPC_KIND_REGION) {
		parts->nr = ipc_words_copy(ipc_region_of(object), copies, room);
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(queues); i++)
		parts->nr += ipc_waiters_copy(queues[i], copies + parts->nr,
					      room - parts->nr);
	return 0;
}

static int put_task(struct sk_buff *skb, const struct asker *asker,
		    enum ipc_point point, struct pid *pid, const char *comm,
		    u64 waited, u32 state)
{
	if (nla_put_string(skb, IPCDEMO_A_TASK_POINT, ipc_points[point].name) ||
	    put_pid_attr(skb, IPCDEMO_A_TASK_PID, pid, asker) ||
	    nla_put_string(skb, IPCDEMO_A_TASK_COMMAND, comm) ||
	    nla_put_u64_64bit(skb, IPCDEMO_A_TASK_WAITED, waited,
			      IPCDEMO_A_TASK_PAD) ||
	    nla_put_u32(skb, IPCDEMO_A_TASK_STATE, state))
		return -EMSGSIZE;
	return 0;
}

static int put_waiter_copy(struct sk_buff *skb, const struct asker *asker,
			   const struct ipc_waiter_copy *copy, u64 now)
{
	if (put_task(skb, asker, copy->point, copy->pid, copy->comm,
		     now - copy->since_ns,
		     copy->woken ? IPCDEMO_WAITER_STATE_WOKEN
				 : IPCDEMO_WAITER_STATE_SLEEPING))
		return -EMSGSIZE;
	if (ipc_points[copy->point].kind != IPC_KIND_REGION)
		return 0;
	return nla_put_u64_64bit(skb, IPCDEMO_A_TASK_OFFSET, copy->offset,
				 IPCDEMO_A_TASK_PAD);
}

static int put_waiter(struct sk_buff *skb, const struct dump *dump, u32 i)
{
	const struct ipc_waiter_copy *copy =
		element(&dump->parts, i, sizeof(struct ipc_waiter_copy));

	return put_waiter_copy(skb, &dump->asker, copy, dump->now);
}

static void drop_waiters(struct parts *parts)
{
	const struct ipc_waiter_copy *copies = parts->elements;
	u32 i;

	for (i = 0; i < parts->nr; i++)
		put_pid(copies[i].pid);
}

/* Who is held at a gate, or waits for the mutex, known while there are gates. */

static int copy_calls(struct ipc_object *object, struct dump *dump,
		      struct parts *parts)
{
	if (!ipc_is_looking())
		return 0;
	parts->elements =
		kvcalloc(MOST_CALLS, sizeof(struct ipc_op_copy), GFP_KERNEL);
	if (!parts->elements)
		return -ENOMEM;
	parts->nr = ipc_ops_copy(object, parts->elements, MOST_CALLS);
	return 0;
}

static int put_call(struct sk_buff *skb, const struct dump *dump, u32 i)
{
	const struct ipc_op_copy *copy =
		element(&dump->parts, i, sizeof(struct ipc_op_copy));

	return put_task(skb, &dump->asker, copy->point, copy->pid, copy->comm,
			dump->now - copy->since_ns,
			copy->state == IPC_OP_HELD ? IPCDEMO_WAITER_STATE_HELD
						   : IPCDEMO_WAITER_STATE_LOCK);
}

static void drop_calls(struct parts *parts)
{
	const struct ipc_op_copy *copies = parts->elements;
	u32 i;

	for (i = 0; i < parts->nr; i++)
		put_pid(copies[i].pid);
}

/* Who did what last. */

struct trace_of_event {
	enum ipc_trail_event event;
	struct ipc_trace_copy copy;
};

static int copy_trail(struct ipc_object *object, struct dump *dump,
		      struct parts *parts)
{
	struct ipc_trail *trail = &ipc_pipe_of(object)->trail;
	struct trace_of_event *traces;
	int event;

	traces = kvcalloc(IPC_NR_TRAIL, sizeof(*traces), GFP_KERNEL);
	if (!traces)
		return -ENOMEM;
	parts->elements = traces;
	for (event = 0; event < IPC_NR_TRAIL; event++) {
		traces[parts->nr].event = event;
		if (ipc_trail_copy(trail, event, &traces[parts->nr].copy))
			parts->nr++;
	}
	return 0;
}

static int put_trace(struct sk_buff *skb, const struct dump *dump, u32 i)
{
	const struct trace_of_event *trace =
		element(&dump->parts, i, sizeof(struct trace_of_event));
	const struct ipc_trace_copy *copy = &trace->copy;

	if (nla_put_string(skb, IPCDEMO_A_TRACE_EVENT,
			   ipc_trail_names[trace->event]) ||
	    nla_put_u64_64bit(skb, IPCDEMO_A_TRACE_COUNT, copy->count,
			      IPCDEMO_A_TRACE_PAD) ||
	    put_pid_attr(skb, IPCDEMO_A_TRACE_PID, copy->pid, &dump->asker) ||
	    nla_put_string(skb, IPCDEMO_A_TRACE_COMMAND, copy->comm) ||
	    nla_put_u64_64bit(skb, IPCDEMO_A_TRACE_AGE,
			      copy->ago_ms * NSEC_PER_MSEC,
			      IPCDEMO_A_TRACE_PAD))
		return -EMSGSIZE;
	return 0;
}

static void drop_trail(struct parts *parts)
{
	const struct trace_of_event *traces = parts->elements;
	u32 i;

	for (i = 0; i < parts->nr; i++)
		put_pid(traces[i].copy.pid);
}

/* Runs of pages; neighbours of one state are one run. */

static int copy_runs(struct ipc_object *object, struct dump *dump,
		     struct parts *parts)
{
	struct ipc_region *region = ipc_region_of(object);
	struct ipc_page_run run, *runs, *last;
	u64 from = 0;
	int err;

	runs = kvcalloc(MOST_RUNS, sizeof(*runs), GFP_KERNEL);
	if (!runs)
		return -ENOMEM;
	parts->elements = runs;
	while (!(err = region->ops->next_run(region, from, &run))) {
		from = run.first + run.nr;
		last = parts->nr ? &runs[parts->nr - 1] : NULL;
		if (last && last->state == run.state)
			last->nr += run.nr;
		else if (parts->nr < MOST_RUNS)
			runs[parts->nr++] = run;
		else
			parts->more = true;
		if (parts->more)
			break;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	parts->moving = err == -EBUSY;
	return 0;
}

static int put_run(struct sk_buff *skb, const struct dump *dump, u32 i)
{
	const struct ipc_page_run *run =
		element(&dump->parts, i, sizeof(struct ipc_page_run));

	if (nla_put_u64_64bit(skb, IPCDEMO_A_RUN_FIRST, run->first,
			      IPCDEMO_A_RUN_PAD) ||
	    nla_put_u64_64bit(skb, IPCDEMO_A_RUN_LAST, run->first + run->nr - 1,
			      IPCDEMO_A_RUN_PAD) ||
	    nla_put_u32(skb, IPCDEMO_A_RUN_STATE, run->state))
		return -EMSGSIZE;
	return 0;
}

static void drop_runs(struct parts *parts)
{
}

static int copy_faults(struct ipc_object *object, struct dump *dump,
		       struct parts *parts)
{
	parts->elements = kvcalloc(IPC_FAULTS_KEPT,
				   sizeof(struct ipc_fault_note), GFP_KERNEL);
	if (!parts->elements)
		return -ENOMEM;
	parts->nr =
		ipc_region_copy_faults(ipc_region_of(object), parts->elements);
	return 0;
}

static int put_fault(struct sk_buff *skb, const struct dump *dump, u32 i)
{
	const struct ipc_fault_note *note =
		element(&dump->parts, i, sizeof(struct ipc_fault_note));

	if (nla_put_u64_64bit(skb, IPCDEMO_A_FAULT_PAGE, note->page,
			      IPCDEMO_A_FAULT_PAD) ||
	    (note->write && nla_put_flag(skb, IPCDEMO_A_FAULT_WRITE)) ||
	    put_pid_attr(skb, IPCDEMO_A_FAULT_PID, note->pid, &dump->asker) ||
	    nla_put_string(skb, IPCDEMO_A_FAULT_COMMAND, note->comm) ||
	    nla_put_u64_64bit(skb, IPCDEMO_A_FAULT_AGE, dump->now - note->at_ns,
			      IPCDEMO_A_FAULT_PAD))
		return -EMSGSIZE;
	return 0;
}

static void drop_faults(struct parts *parts)
{
	const struct ipc_fault_note *notes = parts->elements;
	u32 i;

	for (i = 0; i < parts->nr; i++)
		put_pid(notes[i].pid);
}

static int copy_wakes(struct ipc_object *object, struct dump *dump,
		      struct parts *parts)
{
	parts->elements = kvcalloc(IPC_WAKES_KEPT, sizeof(struct ipc_wake_note),
				   GFP_KERNEL);
	if (!parts->elements)
		return -ENOMEM;
	parts->nr =
		ipc_words_copy_wakes(ipc_region_of(object), parts->elements);
	return 0;
}

static int put_wake(struct sk_buff *skb, const struct dump *dump, u32 i)
{
	const struct ipc_wake_note *note =
		element(&dump->parts, i, sizeof(struct ipc_wake_note));

	if (nla_put_u64_64bit(skb, IPCDEMO_A_WAKE_OFFSET, note->offset,
			      IPCDEMO_A_WAKE_PAD) ||
	    put_pid_attr(skb, IPCDEMO_A_WAKE_WAKER, note->waker,
			 &dump->asker) ||
	    nla_put_string(skb, IPCDEMO_A_WAKE_WAKER_COMMAND,
			   note->waker_comm) ||
	    put_pid_attr(skb, IPCDEMO_A_WAKE_WOKEN, note->woken,
			 &dump->asker) ||
	    nla_put_string(skb, IPCDEMO_A_WAKE_WOKEN_COMMAND,
			   note->woken_comm) ||
	    nla_put_u64_64bit(skb, IPCDEMO_A_WAKE_WAITED, note->waited_ns,
			      IPCDEMO_A_WAKE_PAD) ||
	    nla_put_u64_64bit(skb, IPCDEMO_A_WAKE_AGE, dump->now - note->at_ns,
			      IPCDEMO_A_WAKE_PAD))
		return -EMSGSIZE;
	return 0;
}

static void drop_wakes(struct parts *parts)
{
	const struct ipc_wake_note *notes = parts->elements;
	u32 i;

	for (i = 0; i < parts->nr; i++) {
		put_pid(notes[i].waker);
		put_pid(notes[i].woken);
	}
}

static int copy_owners(struct ipc_object *object, struct dump *dump,
		       struct parts *parts)
{
	struct ipc_owner_copy *copies, *some;
	u32 n, after = 0;

	copies = kvcalloc(IPC_MOST_OWNERS, sizeof(*copies), GFP_KERNEL);
	if (!copies)
		return -ENOMEM;
	parts->elements = copies;
	do {
		some = copies + parts->nr;
		n = ipc_owners_copy(ipc_region_of(object), after, some,
				    min_t(u32, SOME_OWNERS,
					  IPC_MOST_OWNERS - parts->nr));
		parts->nr += n;
		if (n)
			after = some[n - 1].number;
	} while (n == SOME_OWNERS && parts->nr < IPC_MOST_OWNERS);
	return 0;
}

static int put_owner(struct sk_buff *skb, const struct dump *dump, u32 i)
{
	const struct ipc_owner_copy *copy =
		element(&dump->parts, i, sizeof(struct ipc_owner_copy));

	if (nla_put_u32(skb, IPCDEMO_A_LOCK_OWNER_NUMBER, copy->number) ||
	    put_pid_attr(skb, IPCDEMO_A_LOCK_OWNER_PID, copy->pid,
			 &dump->asker) ||
	    nla_put_string(skb, IPCDEMO_A_LOCK_OWNER_COMMAND, copy->comm) ||
	    nla_put_u64_64bit(skb, IPCDEMO_A_LOCK_OWNER_OFFSET, copy->offset,
			      IPCDEMO_A_LOCK_OWNER_PAD) ||
	    nla_put_u32(skb, IPCDEMO_A_LOCK_OWNER_ENTRIES, copy->entries))
		return -EMSGSIZE;
	return 0;
}

static void drop_owners(struct parts *parts)
{
	const struct ipc_owner_copy *copies = parts->elements;
	u32 i;

	for (i = 0; i < parts->nr; i++)
		put_pid(copies[i].pid);
}

static int copy_eventfds(struct ipc_object *object, struct dump *dump,
			 struct parts *parts)
{
	struct ipc_region *region = ipc_region_of(object);

	if (!READ_ONCE(region->words.nr_events))
		return 0;
	parts->elements = kvcalloc(IPC_MOST_EVENTS,
				   sizeof(struct ipc_event_copy), GFP_KERNEL);
	if (!parts->elements)
		return -ENOMEM;
	parts->nr = ipc_words_copy_events(region, parts->elements);
	return 0;
}

static int put_eventfd(struct sk_buff *skb, const struct dump *dump, u32 i)
{
	const struct ipc_event_copy *copy =
		element(&dump->parts, i, sizeof(struct ipc_event_copy));

	if (nla_put_u64_64bit(skb, IPCDEMO_A_EVENTFD_OFFSET, copy->offset,
			      IPCDEMO_A_EVENTFD_PAD) ||
	    put_pid_attr(skb, IPCDEMO_A_EVENTFD_PID, copy->pid, &dump->asker) ||
	    nla_put_string(skb, IPCDEMO_A_EVENTFD_COMMAND, copy->comm))
		return -EMSGSIZE;
	return 0;
}

static void drop_eventfds(struct parts *parts)
{
	const struct ipc_event_copy *copies = parts->elements;
	u32 i;

	for (i = 0; i < parts->nr; i++)
		put_pid(copies[i].pid);
}

/* An object in full; its slots, if it has any, were copied with the look. */
static const struct part_kind parts_of_object[] = {
	{IPCDEMO_A_OBJECT_SLOT, IPC_KIND_PIPE, copy_slots, put_slot,
	 drop_slots},
	{IPCDEMO_A_OBJECT_TASK, ANY_KIND, copy_waiters, put_waiter,
	 drop_waiters},
	{IPCDEMO_A_OBJECT_TASK, ANY_KIND, copy_calls, put_call, drop_calls},
	{IPCDEMO_A_OBJECT_TRACE, IPC_KIND_PIPE, copy_trail, put_trace,
	 drop_trail},
	{IPCDEMO_A_OBJECT_RUN, IPC_KIND_REGION, copy_runs, put_run, drop_runs},
	{IPCDEMO_A_OBJECT_FAULT, IPC_KIND_REGION, copy_faults, put_fault,
	 drop_faults},
	{IPCDEMO_A_OBJECT_WAKE, IPC_KIND_REGION, copy_wakes, put_wake,
	 drop_wakes},
	{IPCDEMO_A_OBJECT_LOCK_OWNER, IPC_KIND_REGION, copy_owners, put_owner,
	 drop_owners},
	{IPCDEMO_A_OBJECT_EVENTFD, IPC_KIND_REGION, copy_eventfds, put_eventfd,
	 drop_eventfds},
	{},
};

static const struct part_kind parts_of_waiting[] = {
	{IPCDEMO_A_WAITER_TASK, ANY_KIND, copy_waiters, put_waiter,
	 drop_waiters},
	{IPCDEMO_A_WAITER_TASK, ANY_KIND, copy_calls, put_call, drop_calls},
	{},
};

static const struct part_kind parts_of_map[] = {
	{IPCDEMO_A_MAP_FAULT, IPC_KIND_REGION, copy_faults, put_fault,
	 drop_faults},
	{},
};

static void drop_parts(struct dump *dump)
{
	if (dump->copied && dump->parts.elements) {
		dump->part->drop(&dump->parts);
		kvfree(dump->parts.elements);
	}
	dump->parts = (struct parts){};
	dump->copied = false;
}

/* Copy those that are next.  The pipe's slots are copied with the look at it. */
static int copy_parts(struct dump *dump)
{
	int err;

	if (dump->copied)
		return 0;
	/* Set first: what an error leaves is dropped. */
	dump->copied = true;
	dump->now = ktime_get_ns();
	err = dump->part->copy(dump->object, dump, &dump->parts);
	if (err)
		drop_parts(dump);
	return err;
}

/* As many as fit.  Return: 0; -EMSGSIZE: there are more. */
static int put_some_parts(struct sk_buff *skb, struct dump *dump)
{
	struct parts *parts = &dump->parts;
	struct nlattr *nest;

	while (parts->done < parts->nr) {
		nest = nla_nest_start(skb, dump->part->type);
		if (!nest)
			return -EMSGSIZE;
		if (dump->part->put(skb, dump, parts->done)) {
			nla_nest_cancel(skb, nest);
			return -EMSGSIZE;
		}
		nla_nest_end(skb, nest);
		parts->done++;
	}
	if ((parts->more && nla_put_flag(skb, IPCDEMO_A_OBJECT_MORE_RUNS)) ||
	    (parts->moving && nla_put_flag(skb, IPCDEMO_A_OBJECT_MOVING)))
		return -EMSGSIZE;
	parts->more = false;
	parts->moving = false;
	return 0;
}

static bool has_parts(const struct parts *parts)
{
	return parts->done < parts->nr || parts->more || parts->moving;
}

/*
 * Messages about dump->object: of what is left of its parts, as much as fits.
 * @id_type is the attribute of its id.
 * Return: 0: all; -EMSGSIZE: the skb is full; -errno.
 */
static int put_all_parts(struct sk_buff *skb, struct netlink_callback *cb,
			 struct dump *dump, u8 cmd, int id_type)
{
	unsigned int empty;
	void *header;
	int err;

	for (; dump->part->type; dump->part++) {
		if (dump->part->kind != ANY_KIND &&
		    dump->part->kind != dump->object->kind)
			continue;
		err = copy_parts(dump);
		if (err)
			return err;
		while (has_parts(&dump->parts)) {
			header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
					     cb->nlh->nlmsg_seq,
					     &ipc_netlink_family, NLM_F_MULTI,
					     cmd);
			if (!header)
				return -EMSGSIZE;
			if (nla_put_u32(skb, id_type, dump->object->id)) {
				genlmsg_cancel(skb, header);
				return -EMSGSIZE;
			}
			empty = skb->len;
			err = put_some_parts(skb, dump);
			if (err && skb->len == empty) {
				genlmsg_cancel(skb, header);
				return err;
			}
			genlmsg_end(skb, header);
			if (err)
				return err;
		}
		drop_parts(dump);
	}
	return 0;
}

static void leave_object(struct dump *dump)
{
	drop_parts(dump);
	if (dump->object)
		ipc_object_put(dump->object);
	dump->object = NULL;
}

/* --- dumps --- */

static struct dump *dump_of(struct netlink_callback *cb)
{
	return *(struct dump **)cb->ctx;
}

/*
 * By the request.  An attribute of another operation is not in its policy, so
 * it is not there.
 */
static int fill_dump(struct dump *dump, struct netlink_callback *cb)
{
	struct nlattr **attrs = IPC_GENL_DUMP_ATTRS(cb);
	struct nlattr *id = NULL;

	dump->kind = ANY_KIND;
	switch (genl_dumpit_info(cb)->op.cmd) {
	case IPCDEMO_CMD_OBJECT_GET:
		id = attrs[IPCDEMO_A_OBJECT_ID];
		if (attrs[IPCDEMO_A_OBJECT_KIND])
			dump->kind = nla_get_u32(attrs[IPCDEMO_A_OBJECT_KIND]);
		break;
	case IPCDEMO_CMD_WAITER_GET:
		id = attrs[IPCDEMO_A_WAITER_ID];
		if (attrs[IPCDEMO_A_WAITER_PID]) {
			NL_SET_ERR_MSG_ATTR(cb->extack,
					    attrs[IPCDEMO_A_WAITER_PID],
					    "a dump is not of one task");
			return -EINVAL;
		}
		break;
	case IPCDEMO_CMD_MAP_GET:
		dump->kind = IPC_KIND_REGION;
		id = attrs[IPCDEMO_A_MAP_ID];
		break;
	}
	if (!id)
		return 0;
	dump->id = nla_get_u32(id);
	dump->object = ipc_object_find(dump->id);
	if (!dump->object ||
	    (dump->kind != ANY_KIND && dump->kind != dump->object->kind)) {
		NL_SET_ERR_MSG_ATTR(cb->extack, id,
				    "no such object has this id");
		return -ENOENT;
	}
	return 0;
}

static void free_dump(struct dump *dump)
{
	leave_object(dump);
	put_user_ns(dump->asker.user_ns);
	put_pid_ns(dump->asker.pid_ns);
	kfree(dump->asker.name);
	kfree(dump);
}

/* Runs in the context of who asks; what follows may be somebody else's. */
static int dump_start(struct netlink_callback *cb)
{
	struct dump *dump;
	int err;

	dump = kzalloc(sizeof(*dump), GFP_KERNEL_ACCOUNT);
	if (!dump)
		return -ENOMEM;
	dump->asker = asker_now(cb->skb);
	get_user_ns(dump->asker.user_ns);
	get_pid_ns(dump->asker.pid_ns);
	dump->asker.name = kmalloc(PATH_MAX, GFP_KERNEL_ACCOUNT);
	err = dump->asker.name ? fill_dump(dump, cb) : -ENOMEM;
	if (err) {
		free_dump(dump);
		return err;
	}
	cb->min_dump_alloc = OBJECT_ROOM;
	*(struct dump **)cb->ctx = dump;
	return 0;
}

/* Also of a dump that was not read to its end, when its socket goes. */
static int dump_done(struct netlink_callback *cb)
{
	free_dump(dump_of(cb));
	return 0;
}

/* The next object that the dump is about, in dump->object; false: none. */
static bool next_object(struct dump *dump)
{
	struct ipc_object *object;

	while ((object = ipc_object_find_next(dump->after))) {
		dump->after = object->id;
		if (dump->kind == ANY_KIND || dump->kind == object->kind) {
			dump->object = object;
			return true;
		}
		ipc_object_put(object);
		cond_resched();
	}
	return false;
}

/* What a dump returns: bytes if there is more to come, 0 at its end, -errno. */
static int dump_result(const struct sk_buff *skb, int err)
{
	if (err == -EMSGSIZE && skb->len)
		return skb->len;
	return err ? err : skb->len;
}

/* One message about dump->object.  @look: NULL for a region. */
static int put_object_message(struct sk_buff *skb, struct netlink_callback *cb,
			      const struct dump *dump,
			      const struct ipc_pipe_look *look, bool counters)
{
	void *header;

	header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
			     cb->nlh->nlmsg_seq, &ipc_netlink_family,
			     NLM_F_MULTI, IPCDEMO_CMD_OBJECT_GET);
	if (!header)
		return -EMSGSIZE;
	if (put_object(skb, dump->object, look, &dump->asker) ||
	    (counters && put_counters(skb, dump->object))) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

/* One object in full; its message comes with the look that its slots are of. */
static int dump_one(struct sk_buff *skb, struct netlink_callback *cb,
		    struct dump *dump)
{
	struct ipc_pipe_look *look = NULL;
	int err = 0;

	if (!dump->object)
		return 0;
	if (!dump->told) {
		dump->part = parts_of_object;
		if (dump->object->kind == IPC_KIND_PIPE) {
			look = &dump->look;
			err = copy_parts(dump);
		}
		if (!err)
			err = put_object_message(skb, cb, dump, look, true);
		if (err)
			return err;
		dump->told = true;
	}
	err = put_all_parts(skb, cb, dump, IPCDEMO_CMD_OBJECT_GET,
			    IPCDEMO_A_OBJECT_ID);
	if (!err)
		leave_object(dump);
	return err;
}

int ipcdemo_nl_object_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	struct dump *dump = dump_of(cb);
	struct ipc_pipe_look look;
	bool is_pipe;
	int err = 0;

	if (dump->id)
		return dump_result(skb, dump_one(skb, cb, dump));
	while (!err && (dump->object || next_object(dump))) {
		is_pipe = dump->object->kind == IPC_KIND_PIPE;
		/* Cannot fail: no copy of the slots is asked for. */
		if (is_pipe)
			ipc_pipe_look(ipc_pipe_of(dump->object), &look, NULL);
		err = put_object_message(skb, cb, dump, is_pipe ? &look : NULL,
					 false);
		if (!err)
			leave_object(dump);
		cond_resched();
	}
	return dump_result(skb, err);
}

int ipcdemo_nl_waiter_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	struct dump *dump = dump_of(cb);
	int err = 0;

	while (!err && (dump->object || (!dump->id && next_object(dump)))) {
		if (!dump->part)
			dump->part = parts_of_waiting;
		err = put_all_parts(skb, cb, dump, IPCDEMO_CMD_WAITER_GET,
				    IPCDEMO_A_WAITER_ID);
		if (err)
			break;
		leave_object(dump);
		dump->part = NULL;
		cond_resched();
	}
	return dump_result(skb, err);
}

/* All of a region's mappings in one message: the faults are few. */
static int put_map(struct sk_buff *skb, u32 portid, u32 seq, int flags,
		   struct dump *dump)
{
	struct ipc_object *object = dump->object;
	void *header;
	int err;

	dump->part = parts_of_map;
	err = copy_parts(dump);
	if (err)
		return err;
	header = genlmsg_put(skb, portid, seq, &ipc_netlink_family, flags,
			     IPCDEMO_CMD_MAP_GET);
	if (!header)
		return -EMSGSIZE;
	if (nla_put_u32(skb, IPCDEMO_A_MAP_ID, object->id) ||
	    nla_put_u32(skb, IPCDEMO_A_MAP_MAPS,
			atomic_read(&ipc_region_of(object)->maps)) ||
	    nla_put_u64_64bit(skb, IPCDEMO_A_MAP_FAULTS,
			      atomic64_read(&object->count[IPC_MAP_FAULT]),
			      IPCDEMO_A_MAP_PAD) ||
	    put_some_parts(skb, dump)) {
		genlmsg_cancel(skb, header);
		/* From the first fault on, next time. */
		drop_parts(dump);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

int ipcdemo_nl_map_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct dump *dump = dump_of(cb);
	int err = 0;

	while (!err && (dump->object || (!dump->id && next_object(dump)))) {
		err = put_map(skb, NETLINK_CB(cb->skb).portid,
			      cb->nlh->nlmsg_seq, NLM_F_MULTI, dump);
		if (!err)
			leave_object(dump);
		cond_resched();
	}
	return dump_result(skb, err);
}

static int put_point(struct sk_buff *skb, u32 portid, u32 seq, int flags,
		     enum ipc_point which)
{
	const struct ipc_point_info *point = &ipc_points[which];
	void *header;

	header = genlmsg_put(skb, portid, seq, &ipc_netlink_family, flags,
			     IPCDEMO_CMD_POINT_GET);
	if (!header)
		return -EMSGSIZE;
	if (nla_put_string(skb, IPCDEMO_A_POINT_NAME, point->name) ||
	    nla_put_u32(skb, IPCDEMO_A_POINT_KIND, point->kind) ||
	    nla_put_string(skb, IPCDEMO_A_POINT_UNIT, point->unit) ||
	    nla_put_u32(skb, IPCDEMO_A_POINT_HOLD, point->hold) ||
	    nla_put_u64_64bit(skb, IPCDEMO_A_POINT_COUNT,
			      ipc_point_count(which), IPCDEMO_A_POINT_PAD) ||
	    nla_put_string(skb, IPCDEMO_A_POINT_SENTENCE, point->sentence)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

int ipcdemo_nl_point_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb)
{
	struct dump *dump = dump_of(cb);
	int err = 0;

	while (!err && dump->after < IPC_NR_POINTS) {
		err = put_point(skb, NETLINK_CB(cb->skb).portid,
				cb->nlh->nlmsg_seq, NLM_F_MULTI, dump->after);
		if (!err)
			dump->after++;
	}
	return dump_result(skb, err);
}

/* --- requests for one --- */

/* The object of a request, with a reference, or ERR_PTR. */
static struct ipc_object *find_object(struct genl_info *info, int type,
				      u32 kind)
{
	struct nlattr *id = info->attrs[type];
	struct ipc_object *object;

	if (GENL_REQ_ATTR_CHECK(info, type))
		return ERR_PTR(-EINVAL);
	object = ipc_object_find(nla_get_u32(id));
	if (object && (kind == ANY_KIND || kind == object->kind))
		return object;
	if (object)
		ipc_object_put(object);
	NL_SET_ERR_MSG_ATTR(info->extack, id, "no such object has this id");
	return ERR_PTR(-ENOENT);
}

/* An skb with the header of a reply; *header is NULL if there is none. */
static struct sk_buff *new_reply(struct genl_info *info, size_t room,
				 void **header)
{
	struct sk_buff *reply = genlmsg_new(room, GFP_KERNEL);

	if (!reply)
		return NULL;
	*header = genlmsg_put_reply(reply, info, &ipc_netlink_family, 0,
				    info->genlhdr->cmd);
	if (!*header) {
		nlmsg_free(reply);
		return NULL;
	}
	return reply;
}

int ipcdemo_nl_object_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct asker asker = asker_now(skb);
	struct ipc_pipe_look look;
	struct ipc_object *object;
	struct sk_buff *reply;
	u32 kind = ANY_KIND;
	void *header;
	int err;

	if (info->attrs[IPCDEMO_A_OBJECT_KIND])
		kind = nla_get_u32(info->attrs[IPCDEMO_A_OBJECT_KIND]);
	object = find_object(info, IPCDEMO_A_OBJECT_ID, kind);
	if (IS_ERR(object))
		return PTR_ERR(object);
	err = -ENOMEM;
	asker.name = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!asker.name)
		goto err_object;
	reply = new_reply(info, OBJECT_ROOM, &header);
	if (!reply)
		goto err_name;
	if (object->kind == IPC_KIND_PIPE)
		/* Cannot fail: no copy of the slots is asked for. */
		ipc_pipe_look(ipc_pipe_of(object), &look, NULL);
	err = put_object(reply, object,
			 object->kind == IPC_KIND_PIPE ? &look : NULL, &asker)
		      ?: put_counters(reply, object);
	if (err) {
		nlmsg_free(reply);
	} else {
		genlmsg_end(reply, header);
		err = genlmsg_reply(reply, info);
	}
err_name:
	kfree(asker.name);
err_object:
	ipc_object_put(object);
	return err;
}

/*
 * Only the owner, as ipc_object_may() says; a descriptor of the device, which
 * stands for permission to change its pipe, nobody shows here.  Both who asks
 * and who opened the socket: a program with more rights may have been given it
 * as its standard output.
 */
static int may_set(const struct sk_buff *skb, const struct ipc_object *object)
{
	const struct sock *sk = NETLINK_CB(skb).sk;
	int err = ipc_object_may(object, MAY_WRITE);

	if (err)
		return err;
	if (uid_eq(sk->sk_socket->file->f_cred->fsuid,
		   READ_ONCE(object->owner)))
		return 0;
	return netlink_capable(skb, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
}

/*
 * Limits are lifted for who asks: a privileged program that was made to write to
 * another's socket may not do that for him.
 */
static bool lends_power(const struct sk_buff *skb)
{
	return (capable(CAP_SYS_RESOURCE) &&
		!netlink_capable(skb, CAP_SYS_RESOURCE)) ||
	       (capable(CAP_SYS_ADMIN) && !netlink_capable(skb, CAP_SYS_ADMIN));
}

static int set_attributes(struct ipc_pipe *pipe, struct genl_info *info,
			  u64 *capacity)
{
	struct nlattr *keep = info->attrs[IPCDEMO_A_OBJECT_PERSISTENCE];
	struct nlattr *size = info->attrs[IPCDEMO_A_OBJECT_CAPACITY];
	struct nlattr *which = keep;
	int err = 0;
	bool on;

	if (keep) {
		on = nla_get_u32(keep) == IPCDEMO_PERSIST_KERNEL;
		err = ipc_pipe_try_set_keep(pipe, on);
	}
	*capacity = ipc_pipe_capacity(pipe);
	if (!err && size) {
		which = size;
		*capacity = nla_get_u64(size);
		err = ipc_pipe_try_resize(pipe, capacity);
	}
	if (!err)
		return 0;
	NL_SET_BAD_ATTR(info->extack, which);
	if (err == -EAGAIN)
		GENL_SET_ERR_MSG(info, "a call has the pipe's mutex and waits");
	else if (err == -EBUSY)
		GENL_SET_ERR_MSG(info, "the pipe holds more than that");
	return err;
}

int ipcdemo_nl_object_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ipc_object *object;
	struct sk_buff *reply;
	void *header;
	u64 capacity;
	int err;

	object = find_object(info, IPCDEMO_A_OBJECT_ID, IPC_KIND_PIPE);
	if (IS_ERR(object))
		return PTR_ERR(object);
	err = -EINVAL;
	if (!info->attrs[IPCDEMO_A_OBJECT_PERSISTENCE] &&
	    !info->attrs[IPCDEMO_A_OBJECT_CAPACITY]) {
		GENL_SET_ERR_MSG(info, "there is nothing to set");
		goto err_object;
	}
	err = may_set(skb, object);
	if (err) {
		GENL_SET_ERR_MSG(info, "only the owner of the object may");
		goto err_object;
	}
	err = -EPERM;
	if (lends_power(skb)) {
		GENL_SET_ERR_MSG(info, "the socket was opened with less power");
		goto err_object;
	}
	/* What the reply needs first: then the change will be told of. */
	err = -ENOMEM;
	reply = new_reply(info, NLMSG_DEFAULT_SIZE, &header);
	if (!reply)
		goto err_object;
	err = set_attributes(ipc_pipe_of(object), info, &capacity);
	if (err)
		goto err_reply;
	err = -EMSGSIZE;
	if (nla_put_u32(reply, IPCDEMO_A_OBJECT_ID, object->id) ||
	    put_persistence(reply, ipc_pipe_of(object)) ||
	    nla_put_u64_64bit(reply, IPCDEMO_A_OBJECT_CAPACITY, capacity,
			      IPCDEMO_A_OBJECT_PAD))
		goto err_reply;
	ipc_object_put(object);
	genlmsg_end(reply, header);
	return genlmsg_reply(reply, info);

err_reply:
	nlmsg_free(reply);
err_object:
	ipc_object_put(object);
	return err;
}

/* Where this task stands; its object's id, or 0. */
static u32 find_waiting(const struct pid *pid, u32 only,
			struct ipc_waiter_copy *copy)
{
	struct ipc_object *object;
	bool found = false;
	u32 id = only ? only - 1 : 0;

	while (!found && (object = ipc_object_find_next(id))) {
		id = object->id;
		if (!only || id == only)
			found = object->find_waiter(object, pid, copy);
		ipc_object_put(object);
		if (only || fatal_signal_pending(current))
			break;
		cond_resched();
	}
	return found ? id : 0;
}

int ipcdemo_nl_waiter_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *only = info->attrs[IPCDEMO_A_WAITER_ID];
	struct asker asker = asker_now(skb);
	struct ipc_waiter_copy copy;
	struct sk_buff *reply;
	struct nlattr *nest;
	struct pid *pid;
	void *header;
	int err;
	u32 id;

	if (GENL_REQ_ATTR_CHECK(info, IPCDEMO_A_WAITER_PID))
		return -EINVAL;
	pid = find_get_pid(nla_get_s32(info->attrs[IPCDEMO_A_WAITER_PID]));
	if (!pid) {
		NL_SET_ERR_MSG_ATTR(info->extack,
				    info->attrs[IPCDEMO_A_WAITER_PID],
				    "there is no such task");
		return -ESRCH;
	}
	id = find_waiting(pid, only ? nla_get_u32(only) : 0, &copy);
	put_pid(pid);
	if (!id) {
		GENL_SET_ERR_MSG(info, "the task does not wait there");
		return -ENOENT;
	}
	err = -ENOMEM;
	reply = new_reply(info, NLMSG_DEFAULT_SIZE, &header);
	if (!reply)
		goto out;
	nest = NULL;
	if (!nla_put_u32(reply, IPCDEMO_A_WAITER_ID, id))
		nest = nla_nest_start(reply, IPCDEMO_A_WAITER_TASK);
	if (!nest || put_waiter_copy(reply, &asker, &copy, ktime_get_ns())) {
		nlmsg_free(reply);
		err = -EMSGSIZE;
		goto out;
	}
	nla_nest_end(reply, nest);
	genlmsg_end(reply, header);
	err = genlmsg_reply(reply, info);
out:
	put_pid(copy.pid);
	return err;
}

int ipcdemo_nl_map_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct dump dump = {.asker = asker_now(skb)};
	struct sk_buff *reply;
	int err = -ENOMEM;

	dump.object = find_object(info, IPCDEMO_A_MAP_ID, IPC_KIND_REGION);
	if (IS_ERR(dump.object))
		return PTR_ERR(dump.object);
	reply = genlmsg_new(OBJECT_ROOM, GFP_KERNEL);
	if (reply)
		err = put_map(reply, info->snd_portid, info->snd_seq, 0, &dump);
	leave_object(&dump);
	if (!err)
		return genlmsg_reply(reply, info);
	nlmsg_free(reply);
	return err;
}

int ipcdemo_nl_point_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *name = info->attrs[IPCDEMO_A_POINT_NAME];
	struct sk_buff *reply;
	int i, err;

	if (GENL_REQ_ATTR_CHECK(info, IPCDEMO_A_POINT_NAME))
		return -EINVAL;
	for (i = 0; i < IPC_NR_POINTS; i++) {
		if (nla_strcmp(name, ipc_points[i].name))
			continue;
		reply = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
		if (!reply)
			return -ENOMEM;
		err = put_point(reply, info->snd_portid, info->snd_seq, 0, i);
		if (!err)
			return genlmsg_reply(reply, info);
		nlmsg_free(reply);
		return err;
	}
	NL_SET_ERR_MSG_ATTR(info->extack, name, "no point has this name");
	return -ENOENT;
}

/* --- subscriptions: what comes from userspace; events.c does the rest --- */

static int fill_filter(struct ipc_event_filter *filter, struct genl_info *info)
{
	struct nlattr *attr;
	int rest;

	filter->kinds = IPCDEMO_EVENT_KIND_MASK;
	if (info->attrs[IPCDEMO_A_SUBSCRIPTION_KINDS])
		filter->kinds =
			nla_get_u32(info->attrs[IPCDEMO_A_SUBSCRIPTION_KINDS]);
	filter->room = IPC_EVENTS_ROOM;
	if (info->attrs[IPCDEMO_A_SUBSCRIPTION_ROOM])
		filter->room =
			nla_get_u32(info->attrs[IPCDEMO_A_SUBSCRIPTION_ROOM]);
	/* Each of them was checked against the policy. */
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rest) {
		if (nla_type(attr) != IPCDEMO_A_SUBSCRIPTION_ID)
			continue;
		if (filter->nr_ids == IPC_MOST_EVENT_IDS) {
			NL_SET_BAD_ATTR(info->extack, attr);
			GENL_SET_ERR_MSG(info, "too many objects");
			return -E2BIG;
		}
		filter->ids[filter->nr_ids++] = nla_get_u32(attr);
	}
	return 0;
}

static int reply_state(struct genl_info *info,
		       const struct ipc_events_state *state)
{
	struct sk_buff *reply;
	void *header;

	reply = new_reply(info, NLMSG_DEFAULT_SIZE, &header);
	if (!reply)
		return -ENOMEM;
	if (nla_put_u32(reply, IPCDEMO_A_SUBSCRIPTION_KINDS, state->kinds) ||
	    nla_put_u32(reply, IPCDEMO_A_SUBSCRIPTION_ROOM, state->room) ||
	    nla_put_u64_64bit(reply, IPCDEMO_A_SUBSCRIPTION_SEQ, state->seq,
			      IPCDEMO_A_SUBSCRIPTION_PAD) ||
	    nla_put_u64_64bit(reply, IPCDEMO_A_SUBSCRIPTION_LOST, state->lost,
			      IPCDEMO_A_SUBSCRIPTION_PAD)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, header);
	return genlmsg_reply(reply, info);
}

int ipcdemo_nl_subscribe_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ipc_event_filter *filter;
	struct ipc_events_state state;
	int err;

	filter = kzalloc(sizeof(*filter), GFP_KERNEL);
	if (!filter)
		return -ENOMEM;
	err = fill_filter(filter, info);
	if (!err)
		err = ipc_events_subscribe(NETLINK_CB(skb).sk, info->snd_portid,
					   filter, &state);
	kfree(filter);
	if (err == -EDQUOT)
		GENL_SET_ERR_MSG(info, "this user has too many subscriptions");
	else if (err == -ENOSPC)
		GENL_SET_ERR_MSG(info, "there are too many subscriptions");
	return err ? err : reply_state(info, &state);
}

int ipcdemo_nl_subscription_get_doit(struct sk_buff *skb,
				     struct genl_info *info)
{
	struct ipc_events_state state;
	bool flush = info->attrs[IPCDEMO_A_SUBSCRIPTION_FLUSH];
	int err;

	err = ipc_events_state(NETLINK_CB(skb).sk, flush, &state);
	if (err == -ENOENT)
		GENL_SET_ERR_MSG(info, "this socket has no subscription");
	return err ? err : reply_state(info, &state);
}

/* --- the family --- */

/* As generated, and with what the generator has no words for in such a table. */
static struct genl_ops ops[ARRAY_SIZE(ipcdemo_nl_ops)] __ro_after_init;

struct genl_family ipc_netlink_family __ro_after_init = {
	.name = IPCDEMO_FAMILY_NAME,
	.version = IPCDEMO_FAMILY_VERSION,
	.module = THIS_MODULE,
	.netnsok = false, /* in the initial namespace alone */
	.parallel_ops = true,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
};

static bool registered;

void __init ipc_netlink_init(void)
{
	size_t i;
	int err;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		ops[i] = ipcdemo_nl_ops[i];
		if (!ops[i].dumpit)
			continue;
		ops[i].start = dump_start;
		ops[i].done = dump_done;
	}
	err = genl_register_family(&ipc_netlink_family);
	registered = !err;
	if (err)
		pr_err("the netlink family %s cannot be registered (%d): /proc tells the same\n",
		       ipc_netlink_family.name, err);
}

void ipc_netlink_exit(void)
{
	/* Waits for requests; from here on nobody can subscribe. */
	if (registered)
		genl_unregister_family(&ipc_netlink_family);
}

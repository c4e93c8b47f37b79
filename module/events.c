// SPDX-License-Identifier: GPL-2.0
/* Events for subscribers (see events.h). */
#include <linux/cred.h>
#include <linux/ipcdemo_netlink.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "events.h"
#include "gate.h"
#include "main.h"
#include "netlink.h"

/* A user may have so many subscriptions, and all of them together so many. */
#define MOST_OF_USER 16
#define MOST	     64

/* Records that the work takes at a time. */
#define BATCH	     32

/* Records are sent after so many jiffies, or when half of the ring is full. */
#define SEND_DELAY   1

/* Which points are events, of which kind. */
static const u8 event_kinds[IPC_NR_POINTS] = {
	[IPC_PIPE_NEW] = IPCDEMO_EVENT_KIND_NEW,
	[IPC_REGION_NEW] = IPCDEMO_EVENT_KIND_NEW,
	[IPC_PIPE_GONE] = IPCDEMO_EVENT_KIND_GONE,
	[IPC_REGION_GONE] = IPCDEMO_EVENT_KIND_GONE,
	[IPC_OPEN_SLEEP] = IPCDEMO_EVENT_KIND_BLOCK,
	[IPC_READ_SLEEP] = IPCDEMO_EVENT_KIND_BLOCK,
	[IPC_WRITE_SLEEP] = IPCDEMO_EVENT_KIND_BLOCK,
	[IPC_WORD_SLEEP] = IPCDEMO_EVENT_KIND_BLOCK,
	[IPC_OPEN_WOKEN] = IPCDEMO_EVENT_KIND_WOKEN,
	[IPC_READ_WOKEN] = IPCDEMO_EVENT_KIND_WOKEN,
	[IPC_WRITE_WOKEN] = IPCDEMO_EVENT_KIND_WOKEN,
	[IPC_WORD_WOKEN] = IPCDEMO_EVENT_KIND_WOKEN,
	[IPC_WAKE_TASK] = IPCDEMO_EVENT_KIND_WOKEN,
	[IPC_WORD_TASK] = IPCDEMO_EVENT_KIND_WOKEN,
	[IPC_RING_FULL] = IPCDEMO_EVENT_KIND_FULL,
	[IPC_RING_EMPTY] = IPCDEMO_EVENT_KIND_EMPTY,
	[IPC_RESIZE_DONE] = IPCDEMO_EVENT_KIND_RESIZE,
};

/* An event as its subscriber will see it. */
struct record {
	u64 seq;
	u64 time;
	u64 waited;
	s64 len; /* -1: says nothing; so with head and tail */
	s64 head;
	s64 tail;
	u32 id;
	u32 slots;
	s32 pid;
	s32 other; /* 0: nobody */
	u16 point;
	u8 object;
	u8 kind;
	char comm[TASK_COMM_LEN];
};

struct subscription {
	struct list_head node; /* in subscriptions */
	struct sock *sk; /* referenced */
	u32 portid;
	kuid_t user; /* who is charged for it */
	bool charged; /* subscribing */
	struct pid_namespace *pid_ns; /* referenced */
	struct ipc_event_filter filter; /* never changes; room: a power of 2 */
	struct delayed_work send_work;

	spinlock_t lock; /* guards what follows, but for batch */
	u64 seq;
	u64 lost;
	u32 head;
	u32 tail;
	struct record *ring;

	struct record batch[BATCH]; /* send_work alone */
};

DEFINE_STATIC_KEY_DEFERRED_FALSE(ipc_subscribed, IPC_KEY_LINGER);

static DEFINE_MUTEX(subscribing);
static LIST_HEAD(subscriptions); /* subscribing; read under RCU */
static unsigned int nr_subscriptions; /* subscribing */
static struct workqueue_struct *sending;

/* --- the side of the task --- */

static bool is_wanted(const struct subscription *sub, u8 kind, u32 id)
{
	u32 i;

	if (!(sub->filter.kinds & kind))
		return false;
	for (i = 0; i < sub->filter.nr_ids; i++) {
		if (sub->filter.ids[i] == id)
			return true;
	}
	return !sub->filter.nr_ids;
}

/* All but seq is filled.  Return: how many records there are; 0: it is lost. */
static u32 add_record(struct subscription *sub, const struct record *record)
{
	struct record *place;
	unsigned long flags;
	u32 fill = 0;

	spin_lock_irqsave(&sub->lock, flags);
	sub->seq++;
	if (sub->head - sub->tail == sub->filter.room) {
		sub->lost++;
	} else {
		place = &sub->ring[sub->head & (sub->filter.room - 1)];
		*place = *record;
		place->seq = sub->seq;
		fill = ++sub->head - sub->tail;
	}
	spin_unlock_irqrestore(&sub->lock, flags);
	return fill;
}

void ipc_events_post(struct ipc_object *object, enum ipc_point point,
		     const struct ipc_detail *detail)
{
	u8 kind = event_kinds[point];
	struct subscription *sub;
	struct ipc_values values;
	struct record record;
	u32 fill;

	if (!kind || list_empty(&subscriptions))
		return;
	ipc_values_at(object, point, detail, &values);
	record = (struct record){
		.time = ktime_get_ns(),
		.waited = detail->wait_ns,
		.len = values.len,
		.head = values.head,
		.tail = values.tail,
		.id = object->id,
		.slots = values.nr,
		.point = point,
		.object = object->kind,
		.kind = kind,
	};
	memcpy(record.comm, current->comm, sizeof(record.comm));
	record.comm[sizeof(record.comm) - 1] = '\0';
	rcu_read_lock();
	list_for_each_entry_rcu(sub, &subscriptions, node) {
		if (!is_wanted(sub, kind, object->id))
			continue;
		record.pid = pid_nr_ns(task_pid(current), sub->pid_ns);
		record.other = pid_nr_ns(detail->other, sub->pid_ns);
		fill = add_record(sub, &record);
		if (fill == 1)
			queue_delayed_work(sending, &sub->send_work,
					   SEND_DELAY);
		else if (fill == sub->filter.room / 2)
			mod_delayed_work(sending, &sub->send_work, 0);
	}
	rcu_read_unlock();
}

/* --- the side of the subscriber --- */

/* Return: 0 or -EMSGSIZE. */
static int put_event(struct sk_buff *skb, const struct subscription *sub,
		     const struct record *record, u64 lost)
{
	void *header;

	header = genlmsg_put(skb, 0, 0, &ipc_netlink_family, 0,
			     IPCDEMO_CMD_EVENT);
	if (!header)
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, IPCDEMO_A_EVENT_SEQ, record->seq,
			      IPCDEMO_A_EVENT_PAD) ||
	    (lost && nla_put_u64_64bit(skb, IPCDEMO_A_EVENT_LOST, lost,
				       IPCDEMO_A_EVENT_PAD)) ||
	    nla_put_u64_64bit(skb, IPCDEMO_A_EVENT_TIME, record->time,
			      IPCDEMO_A_EVENT_PAD) ||
	    nla_put_u32(skb, IPCDEMO_A_EVENT_KIND, record->kind) ||
	    nla_put_string(skb, IPCDEMO_A_EVENT_POINT,
			   ipc_points[record->point].name) ||
	    nla_put_u32(skb, IPCDEMO_A_EVENT_ID, record->id) ||
	    nla_put_u32(skb, IPCDEMO_A_EVENT_OBJECT, record->object) ||
	    nla_put_s32(skb, IPCDEMO_A_EVENT_PID, record->pid) ||
	    nla_put_string(skb, IPCDEMO_A_EVENT_COMMAND, record->comm) ||
	    (record->other &&
	     nla_put_s32(skb, IPCDEMO_A_EVENT_OTHER, record->other)) ||
	    (record->waited &&
	     nla_put_u64_64bit(skb, IPCDEMO_A_EVENT_WAITED, record->waited,
			       IPCDEMO_A_EVENT_PAD)) ||
	    (record->slots &&
	     nla_put_u32(skb, IPCDEMO_A_EVENT_SLOTS, record->slots)) ||
	    (record->head >= 0 &&
	     nla_put_u32(skb, IPCDEMO_A_EVENT_HEAD, record->head)) ||
	    (record->tail >= 0 &&
	     nla_put_u32(skb, IPCDEMO_A_EVENT_TAIL, record->tail)) ||
	    (record->len >= 0 &&
	     nla_put_u64_64bit(skb, IPCDEMO_A_EVENT_LEN, record->len,
			       IPCDEMO_A_EVENT_PAD))) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

/* How many records wait to be sent. */
static u32 fill_of(struct subscription *sub)
{
	u32 fill;

	spin_lock_irq(&sub->lock);
	fill = sub->head - sub->tail;
	spin_unlock_irq(&sub->lock);
	return fill;
}

/* Take @n records, which are there, out of the ring.  Return: @n. */
static u32 take_batch(struct subscription *sub, u32 n, u64 *lost)
{
	u32 i;

	spin_lock_irq(&sub->lock);
	for (i = 0; i < n; i++)
		sub->batch[i] = sub->ring[sub->tail++ & (sub->filter.room - 1)];
	*lost = sub->lost;
	spin_unlock_irq(&sub->lock);
	return n;
}

static void lose(struct subscription *sub, u32 n)
{
	spin_lock_irq(&sub->lock);
	sub->lost += n;
	spin_unlock_irq(&sub->lock);
}

/* As many of the batch as fit into one datagram.  Return: how many. */
static u32 send_some(struct subscription *sub, const struct record *records,
		     u32 n, u64 lost)
{
	struct sk_buff *skb = nlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	u32 done = 0;

	if (!skb) {
		lose(sub, n);
		return n;
	}
	while (done < n && !put_event(skb, sub, &records[done], lost))
		done++;
	/* Frees the skb, whatever comes of it; never waits for room. */
	if (genlmsg_unicast(&init_net, skb, sub->portid))
		lose(sub, done);
	return done;
}

static void send(struct work_struct *work)
{
	struct subscription *sub =
		container_of(work, struct subscription, send_work.work);
	u32 n, done, left;
	u64 lost;

	left = fill_of(sub);
	while (left) {
		n = take_batch(sub, min_t(u32, left, BATCH), &lost);
		for (done = 0; done < n;)
			done += send_some(sub, sub->batch + done, n - done,
					  lost);
		left -= n;
		cond_resched();
	}
	/* What has come since: later, so that a flush comes to its end. */
	if (fill_of(sub))
		queue_delayed_work(sending, &sub->send_work, 0);
}

static void fill_state(struct subscription *sub, struct ipc_events_state *state)
{
	spin_lock_irq(&sub->lock);
	*state = (struct ipc_events_state){
		.kinds = sub->filter.kinds,
		.room = sub->filter.room,
		.seq = sub->seq,
		.lost = sub->lost,
	};
	spin_unlock_irq(&sub->lock);
}

/* --- coming and going --- */

static void free_subscription(struct subscription *sub)
{
	kvfree(sub->ring);
	put_pid_ns(sub->pid_ns);
	sock_put(sub->sk);
	kfree(sub);
}

/* On no list, and not charged.  Return: it, or NULL without memory. */
static struct subscription *
new_subscription(struct sock *sk, u32 portid,
		 const struct ipc_event_filter *filter)
{
	struct subscription *sub;

	sub = kzalloc(sizeof(*sub), GFP_KERNEL_ACCOUNT);
	if (!sub)
		return NULL;
	sub->filter = *filter;
	sub->filter.room = roundup_pow_of_two(filter->room);
	sub->portid = portid;
	sub->user = current_uid();
	sock_hold(sk);
	sub->sk = sk;
	sub->pid_ns = get_pid_ns(task_active_pid_ns(current));
	spin_lock_init(&sub->lock);
	INIT_DELAYED_WORK(&sub->send_work, send);
	sub->ring = kvcalloc(sub->filter.room, sizeof(*sub->ring),
			     GFP_KERNEL_ACCOUNT);
	if (sub->ring)
		return sub;
	free_subscription(sub);
	return NULL;
}

/* In the place of @old, if that is not NULL.  Return: 0, -EDQUOT, -ENOSPC. */
static int charge(struct subscription *sub, struct subscription *old)
{
	int err;

	lockdep_assert_held(&subscribing);
	if (!old && nr_subscriptions >= MOST)
		return -ENOSPC;
	if (old && uid_eq(old->user, sub->user)) {
		sub->charged = old->charged;
		old->charged = false;
		return 0;
	}
	err = ipc_user_charge(sub->user, IPC_BUDGET_SUBSCRIPTIONS, 1,
			      MOST_OF_USER);
	sub->charged = !err;
	return err;
}

static void discharge(struct subscription *sub)
{
	if (sub->charged)
		ipc_user_uncharge(sub->user, IPC_BUDGET_SUBSCRIPTIONS, 1);
	free_subscription(sub);
}

static void begin(struct subscription *sub)
{
	lockdep_assert_held(&subscribing);
	nr_subscriptions++;
	list_add_tail_rcu(&sub->node, &subscriptions);
	static_branch_inc(&ipc_subscribed.key);
	/* Last: who comes by sees the other one on. */
	static_branch_inc(&ipc_looking.key);
}

/* @state, if not NULL, gets the last that is known of it.  May sleep. */
static void end(struct subscription *sub, struct ipc_events_state *state)
{
	lockdep_assert_held(&subscribing);
	list_del_rcu(&sub->node);
	nr_subscriptions--;
	static_branch_slow_dec_deferred(&ipc_looking);
	static_branch_slow_dec_deferred(&ipc_subscribed);
	/* Those who saw it on the list may ask for its work still. */
	synchronize_rcu();
	if (state) {
		flush_delayed_work(&sub->send_work);
		fill_state(sub, state);
	}
	cancel_delayed_work_sync(&sub->send_work);
	discharge(sub);
}

static struct subscription *find(const struct sock *sk)
{
	struct subscription *sub;

	lockdep_assert_held(&subscribing);
	list_for_each_entry(sub, &subscriptions, node) {
		if (sub->sk == sk)
			return sub;
	}
	return NULL;
}

int ipc_events_subscribe(struct sock *sk, u32 portid,
			 const struct ipc_event_filter *filter,
			 struct ipc_events_state *state)
{
	struct subscription *sub = NULL, *old;
	int err = 0;

	*state = (struct ipc_events_state){};
	if (filter->kinds) {
		sub = new_subscription(sk, portid, filter);
		if (!sub)
			return -ENOMEM;
	}
	mutex_lock(&subscribing);
	old = find(sk);
	if (sub)
		err = charge(sub, old);
	if (err) {
		free_subscription(sub);
	} else {
		if (old)
			end(old, sub ? NULL : state);
		if (sub) {
			fill_state(sub, state);
			begin(sub);
		}
	}
	mutex_unlock(&subscribing);
	return err;
}

int ipc_events_state(struct sock *sk, bool flush,
		     struct ipc_events_state *state)
{
	struct subscription *sub;

	mutex_lock(&subscribing);
	sub = find(sk);
	if (sub) {
		if (flush)
			flush_delayed_work(&sub->send_work);
		fill_state(sub, state);
	}
	mutex_unlock(&subscribing);
	return sub ? 0 : -ENOENT;
}

/* Comes for each netlink socket of the machine that is closed. */
static int socket_closed(struct notifier_block *block, unsigned long event,
			 void *data)
{
	const struct netlink_notify *notify = data;
	struct subscription *sub, *next;

	if (event != NETLINK_URELEASE || notify->protocol != NETLINK_GENERIC ||
	    notify->net != &init_net || list_empty(&subscriptions))
		return NOTIFY_DONE;
	mutex_lock(&subscribing);
	list_for_each_entry_safe(sub, next, &subscriptions, node) {
		if (sub->portid == notify->portid &&
		    sock_flag(sub->sk, SOCK_DEAD))
			end(sub, NULL);
	}
	mutex_unlock(&subscribing);
	return NOTIFY_DONE;
}

static struct notifier_block socket_notifier = {
	.notifier_call = socket_closed,
};

int __init ipc_events_init(void)
{
	int err;

	err = ipc_load_fault("work queue of events");
	if (err)
		return err;
	sending = alloc_workqueue("ipcdemo-events", WQ_UNBOUND, 0);
	if (!sending)
		return -ENOMEM;
	err = ipc_load_fault("netlink notifier");
	if (!err)
		err = netlink_register_notifier(&socket_notifier);
	if (err)
		destroy_workqueue(sending);
	return err;
}

void ipc_events_exit(void)
{
	struct subscription *sub, *next;

	netlink_unregister_notifier(&socket_notifier);
	mutex_lock(&subscribing);
	list_for_each_entry_safe(sub, next, &subscriptions, node)
		end(sub, NULL);
	mutex_unlock(&subscribing);
	static_key_deferred_flush(&ipc_subscribed);
	destroy_workqueue(sending);
}

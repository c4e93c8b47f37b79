/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events: those who subscribed are told what happens to objects
 *
 * A *subscription* belongs to a netlink socket.  Some points are events
 * (event_kinds in events.c); who comes to one of them puts a record of it into
 * the ring of each subscription that wants it, and goes on.  A work item makes
 * messages of the records, several in one datagram, and sends them without
 * waiting.
 *
 * Losses.  A record that finds the ring full is lost; so are those in a datagram
 * that the socket has no room for.  Each event that a subscription wants has the
 * next sequence number, lost or not, so a gap says where and how many; and each
 * message has the number of events lost so far.  Nobody who comes to a point
 * waits for a subscriber.
 *
 * Contexts.  ipc_events_post() may be called in any context but NMI, also under
 * spinlocks with interrupts off: it takes sub->lock, which is a leaf, and asks
 * for the work under none of ours.  Below it are only the locks of timers, of
 * work queues and of the scheduler, which the wake-ups under the lock of a queue
 * take, too.
 *
 * Ownership and locking.  subscribing, a mutex, guards the list of subscriptions
 * against change, and who holds it may use any of them.  Posting walks the list
 * under RCU.  Ending a subscription takes it off the list, waits for the posts
 * that may still see it, and only then cancels its work, which nobody can ask for
 * any more but the work itself; then it is freed.  The work takes neither the
 * mutex nor anything that waits for it.
 *
 * sub->lock guards the ring, head, tail, seq and lost.  The work alone moves tail;
 * it takes some records at a time under the lock, and has no lock while it
 * makes and sends messages.  Why no record stays in the ring: in the end the work
 * looks, under the lock, whether head == tail, and asks for itself again if not;
 * the post that makes the first record after that asks for the work.  It does at
 * one time no more than there was in the ring when it began, so that who waits for
 * it need not wait for ever.
 *
 * Lifetime.  A subscription has a reference to its socket and to a pid namespace,
 * and none to the module or to an object.  It ends when another one replaces it,
 * when the socket is closed (the notifier of netlink, which runs in close(2)), or
 * when the module is unloaded.  The number of a closed socket may be given to
 * another one before the notifier comes: so a subscription is found by its
 * socket, and the notifier ends those whose socket is dead.  A datagram may go
 * to such a successor, at that moment; it says nothing that /proc does not.
 */
#ifndef IPCDEMO_EVENTS_H
#define IPCDEMO_EVENTS_H

#include <linux/jump_label_ratelimit.h>
#include <linux/types.h>

#include "object.h"

struct sock;

/* So many objects a subscription may name. */
#define IPC_MOST_EVENT_IDS 64

/* So many records a ring has, if nobody says how many. */
#define IPC_EVENTS_ROOM	   4096

struct ipc_event_filter {
	u32 kinds; /* IPCDEMO_EVENT_KIND_*; 0: no subscription */
	u32 room; /* records in the ring */
	u32 nr_ids; /* 0: all objects */
	u32 ids[IPC_MOST_EVENT_IDS];
};

struct ipc_events_state {
	u32 kinds;
	u32 room;
	u64 seq; /* events so far */
	u64 lost; /* of these */
};

/* Somebody is subscribed.  Looked at only where ipc_is_looking(). */
extern struct static_key_false_deferred ipc_subscribed;

static __always_inline bool ipc_has_subscribers(void)
{
	return static_branch_unlikely(&ipc_subscribed.key);
}

/**
 * ipc_events_post() - tell subscribers that a task came to a point
 * @object:	of which object
 * @point:	the point; most are no events
 * @detail:	what the step says of itself
 *
 * Context: any but NMI.
 */
void ipc_events_post(struct ipc_object *object, enum ipc_point point,
		     const struct ipc_detail *detail);

/**
 * ipc_events_subscribe() - have a socket told of events from now on
 * @sk:		the socket, whose owner is the current task
 * @portid:	its address
 * @filter:	what it wants to be told of; kinds of 0: nothing
 * @state:	of the new subscription, or with kinds of 0 of the one that ended
 *
 * Process ids will be those of the current pid namespace.  Context: may sleep.
 * Return: 0, -ENOMEM, -EDQUOT (as many as a user may have), -ENOSPC.
 */
int ipc_events_subscribe(struct sock *sk, u32 portid,
			 const struct ipc_event_filter *filter,
			 struct ipc_events_state *state);

/*
 * The state of a socket's subscription; with @flush after what was posted so far
 * was sent.  May sleep.  Return: 0 or -ENOENT.
 */
int ipc_events_state(struct sock *sk, bool flush,
		     struct ipc_events_state *state);

int ipc_events_init(void);

/* Ends all subscriptions; nobody can make another any more.  May sleep. */
void ipc_events_exit(void);

#endif /* IPCDEMO_EVENTS_H */

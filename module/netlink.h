/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family `ipcdemo`: the state as attributes, and events
 *
 * A view, as procfs.h: it takes no lock that a reader or writer of a pipe takes,
 * but for spinlocks.  A set of an attribute takes the mutex of its pipe, and gives
 * up if it cannot have it in a tenth of a second.  With .parallel_ops a request
 * runs without the mutex of generic netlink, but with its cb_lock held for reading:
 * whoever registers or removes a family waits for that, and all later requests
 * behind him.  So nobody may wait there for a task that is held at a gate.  The
 * specification is module/netlink/ipcdemo.yaml; events.h has how events go.
 *
 * A dump that is not read to its end has a reference to the module, as an open
 * file has; so the module stays until its socket is read or closed.  A
 * subscription has none.
 */
#ifndef IPCDEMO_NETLINK_H
#define IPCDEMO_NETLINK_H

#include <net/genetlink.h>

extern struct genl_family ipc_netlink_family;

/*
 * The family, after ipc_events_init(), and once nothing can fail any more: a dump
 * that is under way keeps a module that is loaded, and no module that fails to
 * load.  Without it there is /proc.  The reverse waits for requests that are at
 * work.
 */
void ipc_netlink_init(void);
void ipc_netlink_exit(void);

#endif /* IPCDEMO_NETLINK_H */

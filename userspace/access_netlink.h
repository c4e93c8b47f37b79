/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside access.c, and for cmd_monitor.c: the views and the family, over netlink
 *
 * They fill what the ones that read /proc fill, with the same words.  The family is
 * in the initial network namespace alone, and not in a made-up /proc: who asks for
 * a view tries netlink, and on -EOPNOTSUPP reads /proc.
 */
#ifndef ACCESS_NETLINK_H
#define ACCESS_NETLINK_H

#include <libmnl/libmnl.h>

#include "access.h"

/**
 * struct netlink - a socket that speaks to the family
 * @socket:	NULL: there is no family
 * @family:	its number now
 * @seq:	of the last request
 */
struct netlink {
	struct mnl_socket *socket;
	uint16_t family;
	uint32_t seq;
};

/* Room for any datagram of the kernel. */
#define NETLINK_ROOM 65536

/* Open a socket, find the family.  Return: 0, -EOPNOTSUPP: there is none, -errno. */
int netlink_open(struct netlink *nl);
void netlink_close(struct netlink *nl);

/* The header of a request for the family, at the beginning of @buf. */
struct nlmsghdr *netlink_request(struct netlink *nl, void *buf, uint8_t command,
				 uint16_t flags);

/*
 * Send a request, and have each message of the answer looked at.  @look returns
 * MNL_CB_OK or, with errno set, MNL_CB_ERROR.  Return: 0 or -errno.
 */
int netlink_ask(struct netlink *nl, struct nlmsghdr *request, mnl_cb_t look,
		void *arg);

/*
 * As ipcdemo_list(), ipcdemo_pipe_view() and ipcdemo_region_view(), but a name is
 * still the kernel's: @dev of a view gets where it is, "-" for nowhere.  Return:
 * 0, -errno; -EOPNOTSUPP: there is no family.  No sentence is left.
 */
int netlink_list(enum ipcdemo_kind kind, struct ipcdemo_table *table);
int netlink_pipe_view(__u32 id, struct ipcdemo_pipe_view *view, char *dev,
		      size_t size);
int netlink_region_view(__u32 id, struct ipcdemo_region_view *view);

#endif /* ACCESS_NETLINK_H */

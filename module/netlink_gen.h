/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	module/netlink/ipcdemo.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_IPCDEMO_GEN_H
#define _LINUX_IPCDEMO_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/ipcdemo_netlink.h>
#include <linux/ipcdemo.h>

extern const struct nla_policy ipcdemo_object_get_nl_policy[IPCDEMO_A_OBJECT_KIND + 1];

extern const struct nla_policy ipcdemo_object_set_nl_policy[IPCDEMO_A_OBJECT_CAPACITY + 1];

extern const struct nla_policy ipcdemo_waiter_get_nl_policy[IPCDEMO_A_WAITER_PID + 1];

extern const struct nla_policy ipcdemo_map_get_nl_policy[IPCDEMO_A_MAP_ID + 1];

extern const struct nla_policy ipcdemo_point_get_nl_policy[IPCDEMO_A_POINT_NAME + 1];

extern const struct nla_policy ipcdemo_subscribe_nl_policy[IPCDEMO_A_SUBSCRIPTION_ROOM + 1];

extern const struct nla_policy ipcdemo_subscription_get_nl_policy[IPCDEMO_A_SUBSCRIPTION_FLUSH + 1];

/* Ops table for ipcdemo */
extern const struct genl_ops ipcdemo_nl_ops[7];

int ipcdemo_nl_object_get_doit(struct sk_buff *skb, struct genl_info *info);
int ipcdemo_nl_object_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int ipcdemo_nl_object_set_doit(struct sk_buff *skb, struct genl_info *info);
int ipcdemo_nl_waiter_get_doit(struct sk_buff *skb, struct genl_info *info);
int ipcdemo_nl_waiter_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int ipcdemo_nl_map_get_doit(struct sk_buff *skb, struct genl_info *info);
int ipcdemo_nl_map_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int ipcdemo_nl_point_get_doit(struct sk_buff *skb, struct genl_info *info);
int ipcdemo_nl_point_get_dumpit(struct sk_buff *skb,
				struct netlink_callback *cb);
int ipcdemo_nl_subscribe_doit(struct sk_buff *skb, struct genl_info *info);
int ipcdemo_nl_subscription_get_doit(struct sk_buff *skb,
				     struct genl_info *info);

#endif /* _LINUX_IPCDEMO_GEN_H */

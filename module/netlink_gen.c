// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	module/netlink/ipcdemo.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/ipcdemo_netlink.h>
#include <linux/ipcdemo.h>

/* IPCDEMO_CMD_OBJECT_GET - do */
const struct nla_policy ipcdemo_object_get_nl_policy[IPCDEMO_A_OBJECT_KIND + 1] = {
	[IPCDEMO_A_OBJECT_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[IPCDEMO_A_OBJECT_KIND] = NLA_POLICY_MAX(NLA_U32, 1),
};

/* IPCDEMO_CMD_OBJECT_SET - do */
const struct nla_policy ipcdemo_object_set_nl_policy[IPCDEMO_A_OBJECT_CAPACITY + 1] = {
	[IPCDEMO_A_OBJECT_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[IPCDEMO_A_OBJECT_PERSISTENCE] = NLA_POLICY_MAX(NLA_U32, 1),
	[IPCDEMO_A_OBJECT_CAPACITY] = { .type = NLA_U64, },
};

/* IPCDEMO_CMD_WAITER_GET - do */
const struct nla_policy ipcdemo_waiter_get_nl_policy[IPCDEMO_A_WAITER_PID + 1] = {
	[IPCDEMO_A_WAITER_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[IPCDEMO_A_WAITER_PID] = NLA_POLICY_MIN(NLA_S32, 1),
};

/* IPCDEMO_CMD_MAP_GET - do */
const struct nla_policy ipcdemo_map_get_nl_policy[IPCDEMO_A_MAP_ID + 1] = {
	[IPCDEMO_A_MAP_ID] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* IPCDEMO_CMD_POINT_GET - do */
const struct nla_policy ipcdemo_point_get_nl_policy[IPCDEMO_A_POINT_NAME + 1] = {
	[IPCDEMO_A_POINT_NAME] = { .type = NLA_NUL_STRING, .len = 31, },
};

/* IPCDEMO_CMD_SUBSCRIBE - do */
const struct nla_policy ipcdemo_subscribe_nl_policy[IPCDEMO_A_SUBSCRIPTION_ROOM + 1] = {
	[IPCDEMO_A_SUBSCRIPTION_KINDS] = NLA_POLICY_MASK(NLA_U32, 0x7f),
	[IPCDEMO_A_SUBSCRIPTION_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[IPCDEMO_A_SUBSCRIPTION_ROOM] = NLA_POLICY_RANGE(NLA_U32, 16, 32767),
};

/* IPCDEMO_CMD_SUBSCRIPTION_GET - do */
const struct nla_policy ipcdemo_subscription_get_nl_policy[IPCDEMO_A_SUBSCRIPTION_FLUSH + 1] = {
	[IPCDEMO_A_SUBSCRIPTION_FLUSH] = { .type = NLA_FLAG, },
};

/* Ops table for ipcdemo */
const struct genl_ops ipcdemo_nl_ops[7] = {
	{
		.cmd		= IPCDEMO_CMD_OBJECT_GET,
		.doit		= ipcdemo_nl_object_get_doit,
		.dumpit		= ipcdemo_nl_object_get_dumpit,
		.policy		= ipcdemo_object_get_nl_policy,
		.maxattr	= IPCDEMO_A_OBJECT_KIND,
	},
	{
		.cmd		= IPCDEMO_CMD_OBJECT_SET,
		.doit		= ipcdemo_nl_object_set_doit,
		.policy		= ipcdemo_object_set_nl_policy,
		.maxattr	= IPCDEMO_A_OBJECT_CAPACITY,
	},
	{
		.cmd		= IPCDEMO_CMD_WAITER_GET,
		.doit		= ipcdemo_nl_waiter_get_doit,
		.dumpit		= ipcdemo_nl_waiter_get_dumpit,
		.policy		= ipcdemo_waiter_get_nl_policy,
		.maxattr	= IPCDEMO_A_WAITER_PID,
	},
	{
		.cmd		= IPCDEMO_CMD_MAP_GET,
		.doit		= ipcdemo_nl_map_get_doit,
		.dumpit		= ipcdemo_nl_map_get_dumpit,
		.policy		= ipcdemo_map_get_nl_policy,
		.maxattr	= IPCDEMO_A_MAP_ID,
	},
	{
		.cmd		= IPCDEMO_CMD_POINT_GET,
		.doit		= ipcdemo_nl_point_get_doit,
		.dumpit		= ipcdemo_nl_point_get_dumpit,
		.policy		= ipcdemo_point_get_nl_policy,
		.maxattr	= IPCDEMO_A_POINT_NAME,
	},
	{
		.cmd		= IPCDEMO_CMD_SUBSCRIBE,
		.doit		= ipcdemo_nl_subscribe_doit,
		.policy		= ipcdemo_subscribe_nl_policy,
		.maxattr	= IPCDEMO_A_SUBSCRIPTION_ROOM,
	},
	{
		.cmd		= IPCDEMO_CMD_SUBSCRIPTION_GET,
		.doit		= ipcdemo_nl_subscription_get_doit,
		.policy		= ipcdemo_subscription_get_nl_policy,
		.maxattr	= IPCDEMO_A_SUBSCRIPTION_FLUSH,
	},
};

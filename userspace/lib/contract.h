/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The calls on words, for builds against a <linux/ipcdemo.h> without them
 */
#ifndef IPCDEMO_CONTRACT_H
#define IPCDEMO_CONTRACT_H

#include <linux/ipcdemo.h>

#ifndef IPCDEMO_IOC_WAIT
#define IPCDEMO_WAIT_FOREVER (~0ULL)

struct ipcdemo_wait {
	__u32 size;
	__u32 flags;
	__u64 offset;
	__u32 expected;
	__u32 clock;
	__u64 deadline_ns;
};

struct ipcdemo_wake {
	__u32 size;
	__u32 flags;
	__u64 offset;
	__u32 count;
	__u32 zero;
};

struct ipcdemo_wake_wait {
	__u32 size;
	__u32 flags;
	__u64 wake_offset;
	__u32 wake_count;
	__u32 woken;
	__u64 offset;
	__u32 expected;
	__u32 clock;
	__u64 deadline_ns;
};

#define IPCDEMO_IOC_WAIT _IOW(IPCDEMO_IOC_MAGIC, 0x23, struct ipcdemo_wait)
#define IPCDEMO_IOC_WAKE _IOW(IPCDEMO_IOC_MAGIC, 0x24, struct ipcdemo_wake)
#define IPCDEMO_IOC_WAKE_WAIT \
	_IOWR(IPCDEMO_IOC_MAGIC, 0x25, struct ipcdemo_wake_wait)
#endif

#ifndef IPCDEMO_IOC_WORD_EVENT
struct ipcdemo_word_event {
	__u32 size;
	__u32 flags;
	__u64 offset;
	__s32 eventfd;
	__u32 zero;
};

#define IPCDEMO_IOC_WORD_EVENT \
	_IOW(IPCDEMO_IOC_MAGIC, 0x26, struct ipcdemo_word_event)
#endif

#ifndef IPCDEMO_IOC_OWNER
struct ipcdemo_owner {
	__u32 size;
	__u32 flags;
	__u64 offset;
	__u32 entries;
	__u32 owner;
};

#define IPCDEMO_IOC_OWNER _IOWR(IPCDEMO_IOC_MAGIC, 0x27, struct ipcdemo_owner)
#endif

#endif /* IPCDEMO_CONTRACT_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* The few names of the kernel that module/ring.c needs in userspace. */
#ifndef IPCDEMO_KERNEL_SHIM_H
#define IPCDEMO_KERNEL_SHIM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t u32;
typedef uint64_t u64;

#define PAGE_SIZE	     4096u

#define READ_ONCE(x)	     (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))

/* The ring hands pages on and never looks into one. */
struct page;

struct rcu_head {
	void *unused[2];
};

#endif /* IPCDEMO_KERNEL_SHIM_H */

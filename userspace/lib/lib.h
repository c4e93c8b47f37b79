/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the library share
 */
#ifndef IPCDEMO_LIB_H
#define IPCDEMO_LIB_H

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipcdemo.h"

/*
 * A region in this process.  All members are set before the handle is given
 * out, and do not change.
 */
struct ipcdemo_region {
	int fd;
	bool module; /* sleeps by the module's ioctls, else by futex(2) */
	bool writable;
	unsigned char *base;
	uint64_t size;
};

/* A word is an atomic_uint: what the kernel compares has 32 bits. */
static_assert(sizeof(atomic_uint) == sizeof(uint32_t), "a word has 32 bits");

/* -EINVAL or -EFAULT if no word of 32 bits lies there. */
static inline int check_word(const struct ipcdemo_region *r, uint64_t offset)
{
	if (offset % sizeof(uint32_t))
		return -EINVAL;
	if (r->size < sizeof(uint32_t) || offset > r->size - sizeof(uint32_t))
		return -EFAULT;
	return 0;
}

/* size bytes at offset, both of which may be anything; NULL: not inside. */
static inline void *place(const struct ipcdemo_region *r, uint64_t offset,
			  uint64_t size)
{
	if (size > r->size || offset > r->size - size)
		return NULL;
	return r->base + offset;
}

static inline uint64_t offset_of(const struct ipcdemo_region *r,
				 const void *place)
{
	return (const unsigned char *)place - r->base;
}

#endif /* IPCDEMO_LIB_H */

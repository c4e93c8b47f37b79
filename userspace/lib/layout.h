/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a formatted region begins
 *
 *	0		struct layout
 *	LOCKS_OFFSET	1 + objects numbers of 64 bits: the table of IPCDEMO_IOC_OWNER
 *	then		objects times struct entry, the list
 *	then		objects, at multiples of 64
 *
 * The table is one for all processes.  It names all locks that there are, not
 * those that one process is about to hold: when a process dies the module looks
 * at each, and leaves alone what others hold.  So locking and unlocking need not
 * touch the table, and there is no moment between taking a lock and entering it.
 *
 * Number 0 of the table is the lock of the list, number i + 1 the lock of entry i.
 */
#ifndef IPCDEMO_LAYOUT_H
#define IPCDEMO_LAYOUT_H

#include "lib.h"

#define LAYOUT_MAGIC   MAGIC('R')
#define LAYOUT_BEGUN   MAGIC('r') /* somebody is formatting it */
#define LAYOUT_VERSION 1

struct layout {
	atomic_uint magic;
	uint32_t version;
	uint64_t size; /* of the region, when it was formatted */
	uint32_t objects;
	uint32_t zero[11];
	struct mutex lock; /* of the list */
};

#define LOCKS_OFFSET 128
#define NAME_WORDS   ((IPCDEMO_NAME_MAX + 1) / 8)

static_assert(sizeof(struct layout) <= LOCKS_OFFSET,
	      "the table comes after it");
static_assert(offsetof(struct layout, lock) == 64, "the lock has its own line");

/*
 * Changed by who holds the lock of the list.  state is stored last when an entry
 * is made, and first when it goes, each time released, so whoever finds it used
 * (acquired) sees the rest; a holder who dies leaves an entry that is there or not.
 */
struct entry {
	atomic_uint state; /* ENTRY_FREE or ENTRY_USED */
	atomic_uint kind;
	atomic_ullong offset;
	atomic_ullong size;
	atomic_ullong name[NAME_WORDS]; /* its bytes, eight by eight */
};

enum { ENTRY_FREE = 0, ENTRY_USED = 1 };

static_assert(sizeof(struct entry) == 64, "an entry is a cache line");

#endif /* IPCDEMO_LAYOUT_H */

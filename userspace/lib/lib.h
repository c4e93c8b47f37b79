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
 * A region in this process.  The first members are set before the handle is given
 * out, and do not change.  What comes from the header of the region is checked
 * when it is loaded, once, and never loaded again.
 */
struct ipcdemo_region {
	int fd;
	bool module; /* sleeps by the module's ioctls, else by futex(2) */
	bool writable;
	unsigned char *base;
	uint64_t size;

	/* How many objects the header has room for; 0: not looked at yet. */
	atomic_uint objects;
	/*
	 * The token of the process that found out who it is, and the number that
	 * it has here, in one: owner.c.
	 */
	atomic_ullong owner;
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

static inline uint64_t offset_in(const struct ipcdemo_region *r,
				 const void *place)
{
	return (const unsigned char *)place - r->base;
}

/* ---- owner.c: who am I? ---------------------------------------------------- */

/* The number of this process in the region, 1 to LOCK_OWNER, or -errno. */
int owner_of(struct ipcdemo_region *r);

/* This thread, as the kernel numbers it. */
uint32_t this_thread(void);

/* ---- object.c: what lies where --------------------------------------------- */

/* How each object begins. */
struct head {
	atomic_uint magic; /* stored last, released; loaded first, acquired */
	uint32_t version;
	uint64_t size;
};

#define VERSION	    1
#define ALIGNMENT   64

/* The magic of a kind: its number, then "IPC". */
#define MAGIC(kind) (0x43504900U | (uint32_t)(kind))

/*
 * Finds a place, enters it into the list, and calls init there (unless it is
 * NULL) before anybody can find it.  The module gets to know
 * the lock word of those that have one.
 */
struct object_new {
	const char *name;
	uint32_t kind;
	uint32_t lock; /* offset of its lock word in it; 0: it has none */
	uint64_t size;
	uint64_t alignment;
	void (*init)(void *at, uint32_t argument);
	uint32_t argument;
};

int object_make(struct ipcdemo_region *r, uint64_t offset,
		const struct object_new *what, uint64_t *where);

/* Takes it out of the list. */
int object_remove(struct ipcdemo_region *r, uint64_t offset, uint32_t kind);

/* The offset, and if not NULL the size, of the object with that name. */
int object_find(struct ipcdemo_region *r, const char *name, uint32_t kind,
		uint64_t *where, uint64_t *size);

/* It lies there, whole, of that kind and this version. */
int object_attach(struct ipcdemo_region *r, uint64_t offset, uint32_t kind,
		  uint64_t size, uint64_t alignment, void **at);

/* The same for a kind that has no fixed size: at least `least`, *size is its own. */
int object_attach_any(struct ipcdemo_region *r, uint64_t offset, uint32_t kind,
		      uint64_t least, uint64_t alignment, uint64_t *size,
		      void **at);

/* Bytes of each kind, with room to grow. */
#define MUTEX_SIZE   64
#define SEM_SIZE     64
#define COND_SIZE    64
#define RWLOCK_SIZE  64
#define BARRIER_SIZE 64

/* ---- what ipcdemo_region_objects() asks of each kind ----------------------- */

void mutex_look(const void *at, struct ipcdemo_object *o);
void sem_look(const void *at, struct ipcdemo_object *o);
void cond_look(const void *at, struct ipcdemo_object *o);
void rwlock_look(const void *at, struct ipcdemo_object *o);
void barrier_look(const void *at, struct ipcdemo_object *o);
void ring_look(const void *at, struct ipcdemo_object *o);

/* ---- mutex.c ---------------------------------------------------------------- */

/* A lock word, as the module knows it. */
#define LOCK_WAITERS 0x80000000U
#define LOCK_DIED    0x40000000U
#define LOCK_OWNER   0x3fffffffU

struct mutex {
	struct head head;
	atomic_uint word;
	/* Of the holder: stored by it alone, 0 before it lets go. */
	atomic_uint thread;
	/* enum mutex_state; stored by the holder alone. */
	atomic_uint state;
};

static_assert(sizeof(struct mutex) <= MUTEX_SIZE, "a mutex fits");

/* This thread holds it. */
bool mutex_is_mine(struct ipcdemo_region *r, const struct mutex *m);
int mutex_lock(struct ipcdemo_region *r, struct mutex *m, bool try,
	       clockid_t clock, const struct timespec *deadline);
int mutex_unlock(struct ipcdemo_region *r, struct mutex *m);
int mutex_consistent(struct ipcdemo_region *r, struct mutex *m);

/* ---- word.c ----------------------------------------------------------------- */

/* -EINVAL if it is no deadline. */
int check_deadline(clockid_t clock, const struct timespec *deadline);

/* As ipcdemo_wait() and ipcdemo_wake(), of a word that lies inside. */
int word_wait(struct ipcdemo_region *r, const atomic_uint *word,
	      uint32_t expected, clockid_t clock,
	      const struct timespec *deadline);
int word_wake(struct ipcdemo_region *r, const atomic_uint *word,
	      unsigned int count);

#endif /* IPCDEMO_LIB_H */

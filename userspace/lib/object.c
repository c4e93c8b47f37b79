// SPDX-License-Identifier: GPL-2.0
/*
 * Objects: the header of a region, and the list of what lies in it
 *
 * The list is changed by who holds its lock, a robust mutex as any other.  It is
 * read with the lock (to find a name or a place) or without (to look).
 *
 * Everything here was written by somebody whom one need not trust: a number is
 * loaded once, into a variable of ours, and then held against the size that we
 * mapped before it is used.
 */
#include <string.h>

#include "lib.h"
#include "layout.h"

#define DAMAGED (-EBADMSG)

static uint64_t round_up(uint64_t n, uint64_t alignment)
{
	return (n + alignment - 1) / alignment * alignment;
}

static uint64_t list_offset(unsigned int objects)
{
	return round_up(LOCKS_OFFSET + (1 + objects) * sizeof(uint64_t),
			ALIGNMENT);
}

uint64_t ipcdemo_region_overhead(unsigned int objects)
{
	return list_offset(objects) + (uint64_t)objects * sizeof(struct entry);
}

/* How many objects the header says there is room for, or -errno. */
static int layout_check(struct ipcdemo_region *r)
{
	struct layout *layout = (struct layout *)r->base;
	unsigned int known, objects, magic;
	uint64_t size;

	known = atomic_load_explicit(&r->objects, memory_order_relaxed);
	if (known)
		return known;
	if (r->size < sizeof(*layout))
		return -EBADMSG;
	/* Acquired: pairs with the release in ipcdemo_region_format() */
	magic = atomic_load_explicit(&layout->magic, memory_order_acquire);
	if (magic == LAYOUT_BEGUN)
		return -EAGAIN;
	if (magic != LAYOUT_MAGIC)
		return -EBADMSG;
	if (*(volatile uint32_t *)&layout->version != LAYOUT_VERSION)
		return -EPROTONOSUPPORT;
	objects = *(volatile uint32_t *)&layout->objects;
	size = *(volatile uint64_t *)&layout->size;
	if (!objects || objects > IPCDEMO_OBJECTS_MAX)
		return DAMAGED;
	if (size > r->size || ipcdemo_region_overhead(objects) > r->size)
		return -ERANGE;
	/* If another thread looked at the same time, what it saw holds */
	if (!atomic_compare_exchange_strong(&r->objects, &known, objects))
		return known;
	return objects;
}

static struct entry *entry_of(struct ipcdemo_region *r, unsigned int objects,
			      unsigned int i)
{
	return (struct entry *)(r->base + list_offset(objects)) + i;
}

/* What the table says of the lock of entry i. */
static atomic_ullong *lock_entry(struct ipcdemo_region *r, unsigned int i)
{
	return (atomic_ullong *)(r->base + LOCKS_OFFSET) + 1 + i;
}

static void init_mutex(struct mutex *m)
{
	m->head.version = VERSION;
	m->head.size = MUTEX_SIZE;
	atomic_init(&m->word, 0);
	atomic_init(&m->thread, 0);
	atomic_init(&m->state, 0);
}

int ipcdemo_region_format(struct ipcdemo_region *r, unsigned int objects,
			  unsigned int flags)
{
	struct layout *layout = (struct layout *)r->base;
	unsigned int found = 0;
	uint64_t overhead;

	if (!objects || objects > IPCDEMO_OBJECTS_MAX ||
	    flags & ~IPCDEMO_FORMAT_AGAIN)
		return -EINVAL;
	if (!r->writable)
		return -EBADF;
	overhead = ipcdemo_region_overhead(objects);
	if (overhead > r->size)
		return -ENOSPC;
	if (flags & IPCDEMO_FORMAT_AGAIN) {
		atomic_store(&layout->magic, LAYOUT_BEGUN);
	} else if (!atomic_compare_exchange_strong(&layout->magic, &found,
						   LAYOUT_BEGUN)) {
		if (found == LAYOUT_MAGIC)
			return -EEXIST;
		return found == LAYOUT_BEGUN ? -EAGAIN : -EBADMSG;
	}
	memset((unsigned char *)layout + sizeof(layout->magic), 0,
	       overhead - sizeof(layout->magic));
	layout->version = LAYOUT_VERSION;
	layout->size = r->size;
	layout->objects = objects;
	init_mutex(&layout->lock);
	atomic_init(&layout->lock.head.magic, MAGIC(IPCDEMO_OBJECT_MUTEX));
	atomic_init((atomic_ullong *)(r->base + LOCKS_OFFSET),
		    offset_in(r, (void *)&layout->lock.word) | 1);
	atomic_store(&r->objects, objects);
	/* Released: who sees the magic sees all of the above */
	atomic_store_explicit(&layout->magic, LAYOUT_MAGIC,
			      memory_order_release);
	return 0;
}

/* An entry, as it was at one moment; false: it is free, or nonsense. */
struct copy {
	uint32_t kind;
	uint64_t offset;
	uint64_t size;
	char name[IPCDEMO_NAME_MAX + 1];
};

static bool copy_entry(struct ipcdemo_region *r, struct entry *e,
		       struct copy *c)
{
	unsigned long long word;
	size_t i;

	/* Acquired: pairs with the release in object_make() */
	if (atomic_load_explicit(&e->state, memory_order_acquire) != ENTRY_USED)
		return false;
	c->kind = atomic_load_explicit(&e->kind, memory_order_relaxed);
	c->offset = atomic_load_explicit(&e->offset, memory_order_relaxed);
	c->size = atomic_load_explicit(&e->size, memory_order_relaxed);
	for (i = 0; i < NAME_WORDS; i++) {
		word = atomic_load_explicit(&e->name[i], memory_order_relaxed);
		memcpy(c->name + i * sizeof(word), &word, sizeof(word));
	}
	c->name[IPCDEMO_NAME_MAX] = '\0';
	return place(r, c->offset, c->size);
}

/*
 * Holds the lock of the list; *objects is how many entries there are.  Who died
 * with it left each entry used or free (its state is one word): there is nothing
 * to repair but locks in the table whose entry did not come to be, or went: the
 * module would write to what may lie there next.
 */
static int lock_list(struct ipcdemo_region *r, unsigned int *objects)
{
	struct layout *layout = (struct layout *)r->base;
	int err = layout_check(r);
	struct copy copy;
	unsigned int i;

	if (err < 0)
		return err;
	if (!r->writable)
		return -EBADF;
	*objects = err;
	err = mutex_lock(r, &layout->lock, false, CLOCK_MONOTONIC, NULL);
	if (err != -EOWNERDEAD)
		return err;
	for (i = 0; i < *objects; i++)
		if (!copy_entry(r, entry_of(r, *objects, i), &copy))
			atomic_store(lock_entry(r, i), 0);
	return mutex_consistent(r, &layout->lock);
}

static void unlock_list(struct ipcdemo_region *r)
{
	mutex_unlock(r, &((struct layout *)r->base)->lock);
}

static int check_name(const char *name)
{
	if (!name)
		return 0;
	if (!*name)
		return -EINVAL;
	return strlen(name) > IPCDEMO_NAME_MAX ? -ENAMETOOLONG : 0;
}

static bool overlap(const struct copy *c, uint64_t offset, uint64_t size)
{
	return c->offset < offset + size && offset < c->offset + c->size;
}

/* Does something lie in these bytes, which are inside the region? */
static bool is_taken(struct ipcdemo_region *r, unsigned int objects,
		     uint64_t offset, uint64_t size)
{
	struct copy copy;
	unsigned int i;

	for (i = 0; i < objects; i++)
		if (copy_entry(r, entry_of(r, objects, i), &copy) &&
		    overlap(&copy, offset, size))
			return true;
	return false;
}

/*
 * The lowest place that is free: behind the header, or behind an object.  Takes a
 * look at each pair of objects, of which there are few.
 */
static int find_place(struct ipcdemo_region *r, unsigned int objects,
		      const struct object_new *what, uint64_t *where)
{
	uint64_t start = ipcdemo_region_overhead(objects), best = UINT64_MAX;
	struct copy copy;
	unsigned int i;

	for (i = 0; i <= objects; i++) {
		if (i) {
			if (!copy_entry(r, entry_of(r, objects, i - 1), &copy))
				continue;
			start = copy.offset + copy.size;
		}
		start = round_up(start, what->alignment);
		if (start < best && start >= ipcdemo_region_overhead(objects) &&
		    place(r, start, what->size) &&
		    !is_taken(r, objects, start, what->size))
			best = start;
	}
	*where = best;
	return best == UINT64_MAX ? -ENOSPC : 0;
}

static int find_name(struct ipcdemo_region *r, unsigned int objects,
		     const char *name, struct copy *copy)
{
	unsigned int i;

	for (i = 0; i < objects; i++)
		if (copy_entry(r, entry_of(r, objects, i), copy) &&
		    !strcmp(copy->name, name))
			return i;
	return -ENOENT;
}

static int free_entry(struct ipcdemo_region *r, unsigned int objects)
{
	struct copy copy;
	unsigned int i;

	for (i = 0; i < objects; i++)
		if (!copy_entry(r, entry_of(r, objects, i), &copy))
			return i;
	return -ENOSPC;
}

static void enter(struct ipcdemo_region *r, unsigned int objects,
		  unsigned int i, const struct object_new *what, uint64_t where)
{
	struct entry *e = entry_of(r, objects, i);
	char name[IPCDEMO_NAME_MAX + 1] = "";
	unsigned long long word;
	size_t k;

	if (what->name)
		memcpy(name, what->name, strlen(what->name));
	for (k = 0; k < NAME_WORDS; k++) {
		memcpy(&word, name + k * sizeof(word), sizeof(word));
		atomic_store_explicit(&e->name[k], word, memory_order_relaxed);
	}
	atomic_store_explicit(&e->kind, what->kind, memory_order_relaxed);
	atomic_store_explicit(&e->offset, where, memory_order_relaxed);
	atomic_store_explicit(&e->size, what->size, memory_order_relaxed);
	atomic_store(lock_entry(r, i),
		     what->lock ? (where + what->lock) | 1 : 0);
	/* Released: pairs with copy_entry() */
	atomic_store_explicit(&e->state, ENTRY_USED, memory_order_release);
}

int object_make(struct ipcdemo_region *r, uint64_t offset,
		const struct object_new *what, uint64_t *where)
{
	unsigned int objects;
	struct copy copy;
	struct head *at;
	int err, entry;

	err = check_name(what->name);
	if (err)
		return err;
	if (!what->size ||
	    (offset != IPCDEMO_ANYWHERE && offset % what->alignment))
		return -EINVAL;
	err = lock_list(r, &objects);
	if (err)
		return err;
	entry = free_entry(r, objects);
	if (what->name && find_name(r, objects, what->name, &copy) >= 0)
		err = -EEXIST;
	else if (offset == IPCDEMO_ANYWHERE)
		err = entry < 0 ? entry : find_place(r, objects, what, &offset);
	else if (offset < ipcdemo_region_overhead(objects) ||
		 !place(r, offset, what->size))
		err = -ERANGE;
	else if (is_taken(r, objects, offset, what->size))
		err = -EADDRINUSE;
	else if (entry < 0)
		err = entry;
	if (err)
		goto unlock;
	if (what->init) {
		at = (struct head *)(r->base + offset);
		what->init(at, what->argument);
		at->version = VERSION;
		at->size = what->size;
		/* Released: pairs with object_attach() */
		atomic_store_explicit(&at->magic, MAGIC(what->kind),
				      memory_order_release);
	}
	enter(r, objects, entry, what, offset);
	*where = offset;
unlock:
	unlock_list(r);
	return err;
}

int object_remove(struct ipcdemo_region *r, uint64_t offset, uint32_t kind)
{
	unsigned int objects, i;
	struct copy copy;
	struct entry *e;
	int err;

	err = lock_list(r, &objects);
	if (err)
		return err;
	err = -ENOENT;
	for (i = 0; i < objects; i++) {
		e = entry_of(r, objects, i);
		if (!copy_entry(r, e, &copy) || copy.offset != offset ||
		    copy.kind != kind)
			continue;
		/* First: who dies after that leaves what lock_list() clears */
		atomic_store_explicit(&e->state, ENTRY_FREE,
				      memory_order_release);
		atomic_store(lock_entry(r, i), 0);
		if (kind != IPCDEMO_OBJECT_BYTES &&
		    copy.size >= sizeof(struct head))
			atomic_store((atomic_uint *)(r->base + offset), 0);
		err = 0;
		break;
	}
	unlock_list(r);
	return err;
}

int object_find(struct ipcdemo_region *r, const char *name, uint32_t kind,
		uint64_t *where, uint64_t *size)
{
	int err = check_name(name), found;
	unsigned int objects;
	struct copy copy;

	if (err)
		return err;
	/* Who may only read looks without the lock */
	if (r->writable) {
		err = lock_list(r, &objects);
	} else {
		err = layout_check(r);
		objects = err;
	}
	if (err < 0)
		return err;
	found = find_name(r, objects, name, &copy);
	if (r->writable)
		unlock_list(r);
	if (found < 0)
		return found;
	if (copy.kind != kind)
		return -EBADMSG;
	*where = copy.offset;
	if (size)
		*size = copy.size;
	return 0;
}

int object_attach_any(struct ipcdemo_region *r, uint64_t offset, uint32_t kind,
		      uint64_t least, uint64_t alignment, uint64_t *size,
		      void **at)
{
	struct head *head;
	int err;

	if (offset % alignment)
		return -EINVAL;
	err = layout_check(r);
	if (err < 0)
		return err;
	head = place(r, offset, least);
	if (!head || offset < ipcdemo_region_overhead(err))
		return -ERANGE;
	/* Acquired: pairs with the release in object_make() */
	if (atomic_load_explicit(&head->magic, memory_order_acquire) !=
	    MAGIC(kind))
		return -EBADMSG;
	if (*(volatile uint32_t *)&head->version != VERSION)
		return -EPROTONOSUPPORT;
	*size = *(volatile uint64_t *)&head->size;
	if (*size < least || !place(r, offset, *size))
		return -EBADMSG;
	*at = head;
	return 0;
}

int object_attach(struct ipcdemo_region *r, uint64_t offset, uint32_t kind,
		  uint64_t size, uint64_t alignment, void **at)
{
	uint64_t its;
	int err = object_attach_any(r, offset, kind, size, alignment, &its, at);

	if (!err && its != size)
		err = -EBADMSG;
	return err;
}

static const struct {
	uint64_t size;
	void (*look)(const void *at, struct ipcdemo_object *o);
} kinds[] = {
	[IPCDEMO_OBJECT_MUTEX] = {MUTEX_SIZE, mutex_look},
	[IPCDEMO_OBJECT_SEM] = {SEM_SIZE, sem_look},
	[IPCDEMO_OBJECT_COND] = {COND_SIZE, cond_look},
	[IPCDEMO_OBJECT_RWLOCK] = {RWLOCK_SIZE, rwlock_look},
	[IPCDEMO_OBJECT_BARRIER] = {BARRIER_SIZE, barrier_look},
	/* Of any size: the list says which, its header must agree */
	[IPCDEMO_OBJECT_RING] = {0, ring_look},
};

uint64_t ipcdemo_object_size(enum ipcdemo_object_kind kind)
{
	return (size_t)kind < sizeof(kinds) / sizeof(*kinds) ? kinds[kind].size
							     : 0;
}

uint64_t ipcdemo_object_alignment(enum ipcdemo_object_kind kind)
{
	(void)kind;
	return ALIGNMENT;
}

int ipcdemo_region_objects(struct ipcdemo_region *r,
			   struct ipcdemo_object *objects, unsigned int size)
{
	unsigned int i, n, found = 0;
	struct ipcdemo_object *o;
	struct copy copy;
	uint64_t bytes;
	int err;
	void *at;

	err = layout_check(r);
	if (err < 0)
		return err;
	n = err;
	for (i = 0; i < n; i++) {
		if (!copy_entry(r, entry_of(r, n, i), &copy))
			continue;
		if (found++ >= size)
			continue;
		o = &objects[found - 1];
		*o = (struct ipcdemo_object){
			.kind = copy.kind,
			.offset = copy.offset,
			.size = copy.size,
		};
		memcpy(o->name, copy.name, sizeof(copy.name));
		if (copy.kind == IPCDEMO_OBJECT_BYTES)
			o->valid = 1;
		bytes = ipcdemo_object_size(copy.kind) ?: copy.size;
		if (copy.kind >= sizeof(kinds) / sizeof(*kinds) ||
		    !kinds[copy.kind].look ||
		    object_attach(r, copy.offset, copy.kind, bytes, ALIGNMENT,
				  &at))
			continue;
		o->valid = 1;
		kinds[copy.kind].look(at, o);
	}
	return found;
}

int ipcdemo_bytes_init(struct ipcdemo_region *r, uint64_t offset,
		       const char *name, uint64_t size, uint64_t *where)
{
	const struct object_new what = {
		.name = name,
		.kind = IPCDEMO_OBJECT_BYTES,
		.size = size,
		.alignment = ALIGNMENT,
	};

	return object_make(r, offset, &what, where);
}

int ipcdemo_bytes_find(struct ipcdemo_region *r, const char *name,
		       uint64_t *where, uint64_t *size)
{
	return object_find(r, name, IPCDEMO_OBJECT_BYTES, where, size);
}

int ipcdemo_bytes_destroy(struct ipcdemo_region *r, uint64_t offset)
{
	return object_remove(r, offset, IPCDEMO_OBJECT_BYTES);
}

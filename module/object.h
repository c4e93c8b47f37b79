/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The registry: what has an id, who owns it, how long it lives
 *
 * Ownership.  An object is made with one reference, its creator's.
 * ipc_object_add() makes it findable, ipc_object_remove() ends that; neither
 * changes the count.  Whoever finds an object with ipc_object_get() or
 * ipc_object_next() holds a reference until ipc_object_put().  The last put
 * calls the release function of the kind.
 *
 * Fields of struct ipc_object never change after ipc_object_add(), but for owner,
 * group and mode, which follow the inode of an object that has one
 * (ipc_object_follow()), and the counters.  A counter is either changed only by
 * the holder of the object's lock (ipc_count) or only atomically
 * (ipc_count_shared), never both ways; anybody may read it at any time.
 */
#ifndef IPCDEMO_OBJECT_H
#define IPCDEMO_OBJECT_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/workqueue.h>

#include "points.h"

struct ipc_waiter_copy;
struct pid;

enum ipc_kind { IPC_KIND_PIPE, IPC_KIND_REGION };

/* Where an object stands when a task comes to a point; -1: says nothing. */
struct ipc_values {
	s64 slot; /* place in the array */
	s64 offset; /* bytes into the slot's page, or into the region */
	s64 len; /* bytes that the step is about */
	s64 head;
	s64 tail;
	s64 decided; /* 1 yes, 0 no, or a result */
	u32 nr; /* slots of the ring; 0: it has none */
};

/* What a step says of itself; struct ipc_values adds what the object says. */
struct ipc_detail {
	s64 offset; /* bytes into a region; -1: says nothing */
	s64 len;
	s64 decided;
	struct pid *other; /* whom a wake-up chose, or NULL */
	u64 wait_ns; /* how long a task has waited that need not any more */
};

struct inode;

struct ipc_object {
	enum ipc_kind kind;
	u32 id;
	const char *name;
	kuid_t owner; /* inode lock; read without it */
	kgid_t group; /* likewise */
	umode_t mode; /* likewise; permission bits */
	kuid_t creator; /* whose number of objects it counts against, if any */
	bool counted;
	dev_t dev; /* of its inode; 0: it has none of its own */
	u64 ino;
	spinlock_t name_lock; /* guards inode */
	/* name_lock; whose names are the object's; NULL: of none */
	struct inode *inode;
	refcount_t refs;
	void (*release)(struct ipc_object *object);
	/*
	 * Fills what the object knows: slot, offset, head, tail, nr.  Called
	 * from any context, with whatever locks the caller of ipc_arrive() has,
	 * and takes none; who looks without the object's lock sees values of
	 * which each is true.  NULL: it knows nothing.
	 */
	void (*describe)(struct ipc_object *object, enum ipc_point point,
			 struct ipc_values *values);
	/*
	 * The name of an object that can be renamed, written to the end of @buf;
	 * NULL if it is @name.  May not sleep.  Return: where it begins, or
	 * ERR_PTR(-ENAMETOOLONG).
	 */
	char *(*name_now)(struct ipc_object *object, char *buf, int size);
	/* Who of this pid stands on a queue; the copy's pid is put. */
	bool (*find_waiter)(struct ipc_object *object, const struct pid *pid,
			    struct ipc_waiter_copy *copy);
	struct list_head gates; /* gate.c and its lock */
	struct proc_dir_entry *proc;
	struct work_struct retire_work;
	atomic64_t count[IPC_NR_POINTS];
};

/* Whether a gate can hold a task at a point: see points.h. */
enum ipc_hold { IPC_HOLD_NO, IPC_HOLD_KILL, IPC_HOLD_SIGNAL };

/* A row of points.h, for the views. */
struct ipc_point_info {
	const char *name;
	const char *unit;
	const char *sentence;
	enum ipc_kind kind;
	enum ipc_hold hold;
};

extern const struct ipc_point_info ipc_points[IPC_NR_POINTS];

/* Count at a point whose counter the object's lock guards. */
static inline void ipc_count(struct ipc_object *object, enum ipc_point point,
			     u64 n)
{
	atomic64_t *count = &object->count[point];

	atomic64_set(count, atomic64_read(count) + n);
}

/* Count at a point that several tasks can pass at once. */
static inline void ipc_count_shared(struct ipc_object *object,
				    enum ipc_point point, u64 n)
{
	atomic64_add(n, &object->count[point]);
}

/**
 * ipc_object_init() - set up the common part of a new object
 * @object:	zeroed
 * @kind:	what it is
 * @name:	lives as long as the object
 * @mode:	permission bits
 * @release:	frees the object; called by the last put, may sleep
 *
 * Owner and group are those of the current task.
 */
void ipc_object_init(struct ipc_object *object, enum ipc_kind kind,
		     const char *name, umode_t mode,
		     void (*release)(struct ipc_object *object));

/**
 * ipc_object_add() - give an object its id and show it
 * @object:	set up completely
 *
 * Context: may sleep.
 * Return: 0, -ENOMEM, -EBUSY (out of ids).
 */
int ipc_object_add(struct ipc_object *object);

/**
 * ipc_object_count() - count an object against the number that a user may have
 * @object:	not added yet; its creator is the current user
 *
 * The module's parameter user_objects is the limit; CAP_SYS_RESOURCE goes
 * beyond it.  ipc_object_remove() ends it, or the last put of an object that was
 * never added.  Context: may sleep.
 * Return: 0, -EDQUOT, -ENOMEM.
 */
int ipc_object_count(struct ipc_object *object);

/* What a user has at most so many of, by user id. */
enum ipc_budget {
	IPC_BUDGET_OBJECTS,
	IPC_BUDGET_PAGES,
	IPC_BUDGET_SUBSCRIPTIONS,
	IPC_NR_BUDGETS
};

/**
 * ipc_user_charge() - count something against what a user may have
 * @user:	who
 * @budget:	of what
 * @n:		how many more
 * @limit:	so many in all, 0: any number; CAP_SYS_RESOURCE goes beyond it
 *
 * Context: may sleep.
 * Return: 0, -EDQUOT, -ENOMEM.
 */
int ipc_user_charge(kuid_t user, enum ipc_budget budget, unsigned long n,
		    unsigned long limit);

/* The reverse.  Any context that may take a spinlock. */
void ipc_user_uncharge(kuid_t user, enum ipc_budget budget, unsigned long n);

/* Hide an object; waits until no view looks at it.  May sleep. */
void ipc_object_remove(struct ipc_object *object);

/*
 * Hide an object, and drop its creator's reference, where nobody may be waited
 * for: a view's reader could stand in a page fault for as long as he likes, and
 * an inode goes inside a close, with locks of the file system.  Nobody finds the
 * object any more when this returns; its file in /proc, and its id, go soon.
 */
void ipc_object_retire(struct ipc_object *object);

/* What retiring needs.  The reverse waits for what is under way. */
int ipc_objects_init(void);
void ipc_objects_exit(void);

/* The object with this id and kind, with a reference, or NULL. */
struct ipc_object *ipc_object_get(u32 id, enum ipc_kind kind);

/* The first object of a kind with an id above @after, referenced, or NULL. */
struct ipc_object *ipc_object_next(u32 after, enum ipc_kind kind);

/* The same two, of whatever kind. */
struct ipc_object *ipc_object_find(u32 id);
struct ipc_object *ipc_object_find_next(u32 after);

/* Take owner, group and mode of the object's inode over.  Its lock is held. */
void ipc_object_follow(struct ipc_object *object, const struct inode *inode);

/*
 * Whether the current task may read (MAY_READ) or change (MAY_WRITE) an object
 * that it has no descriptor of.  Only its owner, as far as the mode lets him, or
 * with CAP_DAC_OVERRIDE: the directories that a name stands in keep others out,
 * and a number goes round them.  Return: 0 or -EACCES.
 */
int ipc_object_may(const struct ipc_object *object, int mask);

/* Drop a reference.  May sleep. */
void ipc_object_put(struct ipc_object *object);

#endif /* IPCDEMO_OBJECT_H */

// SPDX-License-Identifier: GPL-2.0
/* The registry of pipes and regions (see object.h). */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>
#include <linux/xarray.h>

#include "gate.h"
#include "main.h"
#include "object.h"
#include "procfs.h"

/*
 * Objects by id; its own lock guards it.  An object in here is alive, or has
 * no references left and waits for its ipc_object_remove(): hence
 * refcount_inc_not_zero() under the lock.
 */
static DEFINE_XARRAY_ALLOC1(objects);

static unsigned int user_objects = 16384;
module_param(user_objects, uint, 0644);
MODULE_PARM_DESC(user_objects,
		 "pipes and regions that a user may make (0: any number)");

/* How much each user has, by user id; changed by xa_cmpxchg() alone. */
static struct xarray users[IPC_NR_BUDGETS] = {
	XARRAY_INIT(users[IPC_BUDGET_OBJECTS], 0),
	XARRAY_INIT(users[IPC_BUDGET_PAGES], 0),
	XARRAY_INIT(users[IPC_BUDGET_SUBSCRIPTIONS], 0),
};

static int charge(struct xarray *have, unsigned long index, unsigned long n,
		  unsigned long limit)
{
	void *old, *seen = xa_load(have, index);
	unsigned long now;

	do {
		old = seen;
		now = old ? xa_to_value(old) : 0;
		if (limit && (now > limit || n > limit - now))
			return -EDQUOT;
		if (n > LONG_MAX - now)
			return -EDQUOT;
		seen = xa_cmpxchg(have, index, old, xa_mk_value(now + n),
				  GFP_KERNEL_ACCOUNT);
		if (xa_is_err(seen))
			return xa_err(seen);
	} while (seen != old);
	return 0;
}

int ipc_user_charge(kuid_t user, enum ipc_budget budget, unsigned long n,
		    unsigned long limit)
{
	unsigned long index = __kuid_val(user);
	int err = charge(&users[budget], index, n, limit);

	if (err == -EDQUOT && capable(CAP_SYS_RESOURCE))
		err = charge(&users[budget], index, n, 0);
	return err;
}

void ipc_user_uncharge(kuid_t user, enum ipc_budget budget, unsigned long n)
{
	struct xarray *have = &users[budget];
	unsigned long index = __kuid_val(user), left;
	void *old, *seen = xa_load(have, index);

	if (!n)
		return;
	do {
		old = seen;
		left = xa_to_value(old) - n;
		/* The place is there: this needs no memory. */
		seen = xa_cmpxchg(have, index, old,
				  left ? xa_mk_value(left) : NULL, 0);
	} while (seen != old);
}

int ipc_object_count(struct ipc_object *object)
{
	int err;

	object->creator = current_uid();
	err = ipc_user_charge(object->creator, IPC_BUDGET_OBJECTS, 1,
			      READ_ONCE(user_objects));
	object->counted = !err;
	return err;
}

static void discount(struct ipc_object *object)
{
	if (object->counted)
		ipc_user_uncharge(object->creator, IPC_BUDGET_OBJECTS, 1);
	object->counted = false;
}

void ipc_object_init(struct ipc_object *object, enum ipc_kind kind,
		     const char *name, umode_t mode,
		     void (*release)(struct ipc_object *object))
{
	object->kind = kind;
	object->name = name;
	object->owner = current_fsuid();
	object->group = current_fsgid();
	object->mode = mode;
	spin_lock_init(&object->name_lock);
	object->release = release;
	refcount_set(&object->refs, 1);
	INIT_LIST_HEAD(&object->gates);
}

int ipc_object_add(struct ipc_object *object)
{
	int err;

	err = ipc_load_fault("object id");
	if (err)
		return err;
	err = xa_alloc(&objects, &object->id, NULL, xa_limit_31b, GFP_KERNEL);
	if (err)
		return err;
	err = ipc_procfs_add(object);
	if (err)
		goto err_id;
	/* The place is there: storing into it needs no memory. */
	xa_store(&objects, object->id, object, GFP_KERNEL);
	if (object->kind == IPC_KIND_PIPE)
		ipc_at_note(object, PIPE_NEW);
	else
		ipc_at_note(object, REGION_NEW);
	return 0;

err_id:
	xa_erase(&objects, object->id);
	return err;
}

static void note_gone(struct ipc_object *object)
{
	if (object->kind == IPC_KIND_PIPE)
		ipc_at_note(object, PIPE_GONE);
	else
		ipc_at_note(object, REGION_GONE);
}

void ipc_object_remove(struct ipc_object *object)
{
	ipc_procfs_remove(object);
	xa_erase(&objects, object->id);
	note_gone(object);
	discount(object);
}

static struct workqueue_struct *retiring;

static void retire(struct work_struct *work)
{
	struct ipc_object *object =
		container_of(work, struct ipc_object, retire_work);

	ipc_procfs_remove(object);
	xa_erase(&objects, object->id);
	ipc_object_put(object);
}

void ipc_object_retire(struct ipc_object *object)
{
	/*
	 * In such an array that keeps the place: the id is not given to another
	 * object while the name in /proc is there.  Needs no memory.
	 */
	xa_store(&objects, object->id, NULL, 0);
	note_gone(object);
	discount(object);
	INIT_WORK(&object->retire_work, retire);
	queue_work(retiring, &object->retire_work);
}

int ipc_objects_init(void)
{
	if (!ipc_load_fault("work queue of objects"))
		retiring = alloc_workqueue("ipcdemo", WQ_UNBOUND, 0);
	return retiring ? 0 : -ENOMEM;
}

void ipc_objects_exit(void)
{
	destroy_workqueue(retiring);
}

void ipc_object_follow(struct ipc_object *object, const struct inode *inode)
{
	WRITE_ONCE(object->owner, inode->i_uid);
	WRITE_ONCE(object->group, inode->i_gid);
	WRITE_ONCE(object->mode, inode->i_mode & 07777);
}

int ipc_object_may(const struct ipc_object *object, int mask)
{
	umode_t mode = READ_ONCE(object->mode) >> 6;

	if (!mask)
		return 0;
	if (uid_eq(current_fsuid(), READ_ONCE(object->owner)) &&
	    !(mask & ~mode & (MAY_READ | MAY_WRITE)))
		return 0;
	return capable(CAP_DAC_OVERRIDE) ? 0 : -EACCES;
}

struct ipc_object *ipc_object_get(u32 id, enum ipc_kind kind)
{
	struct ipc_object *object;

	xa_lock(&objects);
	object = xa_load(&objects, id);
	if (object &&
	    (object->kind != kind || !refcount_inc_not_zero(&object->refs)))
		object = NULL;
	xa_unlock(&objects);
	return object;
}

struct ipc_object *ipc_object_next(u32 after, enum ipc_kind kind)
{
	struct ipc_object *object;
	unsigned long id = after;

	xa_lock(&objects);
	do {
		object = xa_find_after(&objects, &id, ULONG_MAX, XA_PRESENT);
	} while (object && (object->kind != kind ||
			    !refcount_inc_not_zero(&object->refs)));
	xa_unlock(&objects);
	return object;
}

struct ipc_object *ipc_object_find(u32 id)
{
	struct ipc_object *object;

	xa_lock(&objects);
	object = xa_load(&objects, id);
	if (object && !refcount_inc_not_zero(&object->refs))
		object = NULL;
	xa_unlock(&objects);
	return object;
}

struct ipc_object *ipc_object_find_next(u32 after)
{
	struct ipc_object *object;
	unsigned long id = after;

	xa_lock(&objects);
	do {
		object = xa_find_after(&objects, &id, ULONG_MAX, XA_PRESENT);
	} while (object && !refcount_inc_not_zero(&object->refs));
	xa_unlock(&objects);
	return object;
}

void ipc_object_put(struct ipc_object *object)
{
	if (!refcount_dec_and_test(&object->refs))
		return;
	/* One that was never added. */
	discount(object);
	object->release(object);
}

// SPDX-License-Identifier: GPL-2.0
/* The registry of pipes and regions (see object.h). */
#include <linux/cred.h>
#include <linux/xarray.h>

#include "main.h"
#include "object.h"
#include "procfs.h"

/*
 * Objects by id; its own lock guards it.  An object in here is alive, or has
 * no references left and waits for its ipc_object_remove(): hence
 * refcount_inc_not_zero() under the lock.
 */
static DEFINE_XARRAY_ALLOC1(objects);

void ipc_object_init(struct ipc_object *object, enum ipc_kind kind,
		     const char *name, umode_t mode,
		     void (*release)(struct ipc_object *object))
{
	object->kind = kind;
	object->name = name;
	object->owner = current_fsuid();
	object->mode = mode;
	object->release = release;
	refcount_set(&object->refs, 1);
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
	return 0;

err_id:
	xa_erase(&objects, object->id);
	return err;
}

void ipc_object_remove(struct ipc_object *object)
{
	ipc_procfs_remove(object);
	xa_erase(&objects, object->id);
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

void ipc_object_put(struct ipc_object *object)
{
	if (refcount_dec_and_test(&object->refs))
		object->release(object);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Under memory pressure: pages that pipes keep in empty slots go back
 *
 * The kernel calls these inside an allocation of some task, which may hold any
 * lock, a pipe's mutex among them: so they only try to lock.  The reference that
 * they drop may be the last one: releasing a pipe waits for no lock, and for no
 * work, as that was cancelled before the pipe was hidden.
 */
#include <linux/kernel.h>

#include "compat.h"
#include "main.h"
#include "object.h"
#include "pipe.h"
#include "reclaim.h"

static struct ipc_shrinker shrinker;

static unsigned long count_spare(struct shrinker *unused,
				 struct shrink_control *control)
{
	struct ipc_object *object;
	struct ipc_pipe_look look;
	unsigned long sum = 0;
	u32 id = 0;

	while ((object = ipc_object_next(id, IPC_KIND_PIPE))) {
		id = object->id;
		ipc_pipe_look(ipc_pipe_of(object), &look, NULL);
		sum += look.spare;
		ipc_object_put(object);
	}
	return sum ? sum : SHRINK_EMPTY;
}

static unsigned long free_spare(struct shrinker *unused,
				struct shrink_control *control)
{
	struct ipc_object *object;
	unsigned long freed = 0;
	u32 id = 0;

	while (freed < control->nr_to_scan) {
		object = ipc_object_next(id, IPC_KIND_PIPE);
		if (!object)
			break;
		id = object->id;
		freed += ipc_pipe_trim(ipc_pipe_of(object));
		ipc_object_put(object);
	}
	return freed ? freed : SHRINK_STOP;
}

int ipc_reclaim_init(void)
{
	int err;

	err = ipc_load_fault("shrinker");
	if (err)
		return err;
	return ipc_shrinker_add(&shrinker, count_spare, free_spare);
}

void ipc_reclaim_exit(void)
{
	ipc_shrinker_remove(&shrinker);
}

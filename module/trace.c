// SPDX-License-Identifier: GPL-2.0
/* The tracepoints, turned on and off, and told of a point (see trace.h). */
#include <linux/jump_label.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

DEFINE_STATIC_KEY_FALSE(ipc_traced);

/*
 * Called for each tracepoint, with the kernel's mutexes of tracepoints, outside
 * of those of static keys.
 */
int ipc_trace_on(void)
{
	static_branch_inc(&ipc_traced);
	/* Last: who comes by sees the other one on. */
	static_branch_inc(&ipc_looking.key);
	return 0;
}

void ipc_trace_off(void)
{
	static_branch_dec(&ipc_looking.key);
	static_branch_dec(&ipc_traced);
}

/* What is not traced costs a no-op behind the search for its row. */
#define TRACE_POINT(symbol, token, name, kind, unit, hold, sentence)   \
	case IPC_##symbol:                                             \
		if (trace_##token##_enabled()) {                       \
			ipc_values_at(object, point, detail, &values); \
			trace_##token(object, detail, &values);        \
		}                                                      \
		break;

void ipc_trace(struct ipc_object *object, enum ipc_point point,
	       const struct ipc_detail *detail)
{
	struct ipc_values values;

	switch (point) {
		IPC_POINTS(TRACE_POINT)
	case IPC_NR_POINTS:
		break;
	}
}

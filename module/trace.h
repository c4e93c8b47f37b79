/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tracepoints: ipcdemo:NAME, one for each point of points.h
 *
 * A view: it reads and never decides.  What each says, for perf, trace-cmd,
 * bpftrace and ipcdemo record, is in docs/tracing.md; fields are only ever added
 * at the end.
 *
 * Lifetime.  While one of them is on, it holds the static key ipc_looking, by
 * ipc_trace_on() and ipc_trace_off().  tracefs does not keep the module: if it
 * goes while a tracepoint is on, the kernel turns that off, and waits for who is
 * in it, behind our exit function and before the memory goes; both functions,
 * and the key, are there that long.  perf and BPF keep the module.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ipcdemo

#if !defined(IPCDEMO_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define IPCDEMO_TRACE_H

#include <linux/pid.h>
#include <linux/tracepoint.h>

#include "gate.h"
#include "object.h"

#ifndef TRACE_HEADER_MULTI_READ
int ipc_trace_on(void);
void ipc_trace_off(void);
#endif

/* These lines are a struct, which clang-format cannot know. */
/* clang-format off */
DECLARE_EVENT_CLASS(ipc_point,
		    TP_PROTO(const struct ipc_object *object,
			     const struct ipc_detail *detail,
			     const struct ipc_values *values),
		    TP_ARGS(object, detail, values),
		    TP_STRUCT__entry(__field(u32, id)
				     __field(u8, kind)
				     __field(s64, slot)
				     __field(s64, offset)
				     __field(s64, len)
				     __field(s64, head)
				     __field(s64, tail)
				     __field(s64, decided)
				     __field(s32, other)
				     __field(u64, wait_ns)
				     __field(u32, nr)),
		    TP_fast_assign(__entry->id = object->id;
				   __entry->kind = object->kind;
				   __entry->slot = values->slot;
				   __entry->offset = values->offset;
				   __entry->len = values->len;
				   __entry->head = values->head;
				   __entry->tail = values->tail;
				   __entry->decided = values->decided;
				   __entry->other = pid_nr(detail->other);
				   __entry->wait_ns = detail->wait_ns;
				   __entry->nr = values->nr;),
		    TP_printk("%s %u: slot %lld offset %lld len %lld head %lld tail %lld decided %lld other %d wait %llu ns of %u slots",
			      __entry->kind ? "region" : "pipe", __entry->id,
			      __entry->slot, __entry->offset, __entry->len,
			      __entry->head, __entry->tail, __entry->decided,
			      __entry->other, __entry->wait_ns, __entry->nr));
/* clang-format on */

#define IPC_POINT_EVENT(symbol, token, name, kind, unit, hold, sentence) \
	DEFINE_EVENT_FN(ipc_point, token,                                \
			TP_PROTO(const struct ipc_object *object,        \
				 const struct ipc_detail *detail,        \
				 const struct ipc_values *values),       \
			TP_ARGS(object, detail, values), ipc_trace_on,   \
			ipc_trace_off);
IPC_POINTS(IPC_POINT_EVENT)
#undef IPC_POINT_EVENT

#endif /* IPCDEMO_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>

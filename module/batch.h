/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tracepoint ipcdemo_batch:points: many points in one event
 *
 * For who records all points, as ipcdemo record does, at a price that does not change
 * what he looks at; the tracepoints of trace.h are for who filters, counts, attaches
 * a program.  The layout is in linux/ipcdemo_batch.h, the use in docs/tracing.md.
 *
 * Ownership and locking.  A batch belongs to its processor: only that one touches it,
 * with interrupts off, so no lock is taken where a point is passed.  It is told of
 * when it is full, else within FLUSH_MS (batch.c) or when somebody writes to the
 * parameter flush_points; the two ask each processor by an interrupt.  That of a
 * processor that is offline is nobody's, and told of by who asks, with batch_lock,
 * and with the processors kept from coming and going.
 *
 * Lifetime.  The batches are there while the tracepoint is on: ipc_batch_on() makes
 * them before it turns the key ipc_batched on.  ipc_batch_off() turns that off, takes
 * the pointer away, and frees them behind all that still has interrupts off: who has
 * seen the key on may come late, and looks at the pointer with interrupts off.  What
 * the batches have then is dropped, as nobody is told any more.  As with trace.h, the
 * tracepoint may be turned off by the kernel, behind our exit function; that one frees
 * the batches in any case.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ipcdemo_batch

#if !defined(IPCDEMO_BATCH_H) || defined(TRACE_HEADER_MULTI_READ)
#define IPCDEMO_BATCH_H

#include <linux/tracepoint.h>

#ifndef TRACE_HEADER_MULTI_READ
#include <linux/ipcdemo_batch.h>
#include <linux/types.h>

/* A moment, on the processor's clock and on CLOCK_MONOTONIC. */
struct ipc_moment {
	u64 cycles;
	u64 ns;
};

/**
 * struct ipc_batch - points that a processor has not told of yet
 * @cpu:	which one; never changes
 * @n:		how many; others read it without a lock
 * @first:	how many it has told of before, since the tracepoint is on
 * @start:	when there was none
 * @step:	the points
 */
struct ipc_batch {
	u32 cpu;
	u32 n;
	u64 first;
	struct ipc_moment start;
	struct ipcdemo_step step[IPCDEMO_BATCH_MOST];
};

/* A loop: memcpy() may go byte by byte, and each counts where time is instructions. */
static inline void ipc_batch_copy(struct ipcdemo_step *to,
				  const struct ipc_batch *batch)
{
	u32 i;

	for (i = 0; i < batch->n; i++) {
		to[i] = batch->step[i];
		barrier();
	}
}

/* Return: 0 or -ENOMEM. */
int ipc_batch_on(void);
void ipc_batch_off(void);
#endif

/* These lines are a struct, which clang-format cannot know. */
/* clang-format off */
TRACE_EVENT_FN(points,
	       TP_PROTO(const struct ipc_batch *batch,
			const struct ipc_moment *end),
	       TP_ARGS(batch, end),
	       TP_STRUCT__entry(__field(u32, cpu)
				__field(u64, first)
				__field(u64, start_cycles)
				__field(u64, start_ns)
				__field(u64, end_cycles)
				__field(u64, end_ns)
				__dynamic_array(u64, words,
						batch->n *
						sizeof(struct ipcdemo_step) /
						sizeof(u64))
				/* Here: the words begin at a multiple of 8. */
				__field(u32, n)),
	       TP_fast_assign(__entry->cpu = batch->cpu;
			      __entry->n = batch->n;
			      __entry->first = batch->first;
			      __entry->start_cycles = batch->start.cycles;
			      __entry->start_ns = batch->start.ns;
			      __entry->end_cycles = end->cycles;
			      __entry->end_ns = end->ns;
			      ipc_batch_copy(__get_dynamic_array(words),
					     batch);),
	       TP_printk("%u points of processor %u, %llu before them, from %llu ns to %llu ns",
			 __entry->n, __entry->cpu, __entry->first,
			 __entry->start_ns, __entry->end_ns),
	       ipc_batch_on, ipc_batch_off);
/* clang-format on */

#endif /* IPCDEMO_BATCH_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE batch
#include <trace/define_trace.h>

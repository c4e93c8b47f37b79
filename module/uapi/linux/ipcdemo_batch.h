/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * ipcdemo_batch:points: many points in one event of the kernel's tracing
 *
 * An event of its own for each point (ipcdemo:*) costs several times what the step
 * costs that it tells of.  Here each processor notes its points in memory, and tells
 * of up to IPCDEMO_BATCH_MOST with one event: `words` is an array of struct
 * ipcdemo_step, in the order in which the points were passed.
 */
#ifndef _UAPI_LINUX_IPCDEMO_BATCH_H
#define _UAPI_LINUX_IPCDEMO_BATCH_H

#include <linux/types.h>

/* With the rest of the event no more than a page of the kernel's buffer holds. */
#define IPCDEMO_BATCH_MOST 80

/**
 * struct ipcdemo_step - a task has passed a point
 * @cycles:	when, on the clock of the processor.  The event says what that clock
 *		showed before the first of its points and behind the last, and
 *		which times these were: in between it goes evenly.
 * @id:		of the object
 * @pid:	the task, in the initial pid namespace
 * @place:	of a pipe head, in the upper half, and tail; of a region the offset in
 *		bytes, or -1
 * @len:	bytes that the step is about, or -1; with IPCDEMO_STEP_WAITED how long
 *		the task has waited, ns
 * @decided:	1 yes, 0 no, or a result; -1: nothing; with IPCDEMO_STEP_CHOSEN the
 *		pid of whom a wake-up chose
 * @what:	IPCDEMO_STEP_*() say what is in it
 */
struct ipcdemo_step {
	__u64 cycles;
	__u32 id;
	__s32 pid;
	__u64 place;
	__s64 len;
	__s64 decided;
	__u64 what;
};

/* The point: its line in /proc/ipcdemo/points, the first of them is 0. */
#define IPCDEMO_STEP_POINT(what)    (0xff & (what))
/* The ring has 1 << this slots. */
#define IPCDEMO_STEP_ORDER(what)    ((what) >> 8 & 0xff)
#define IPCDEMO_STEP_FLAGS(what)    ((what) >> 16 & 0xff)
#define IPCDEMO_STEP_WAITED	    0x1
#define IPCDEMO_STEP_CHOSEN	    0x2
/* The object is a region: what follows, and the number of slots, says nothing. */
#define IPCDEMO_STEP_REGION	    0x4
/* The slot that the step is about: where head is, where tail is, the one before head. */
#define IPCDEMO_STEP_AT(what)	    ((what) >> 24 & 0xff)
#define IPCDEMO_STEP_AT_HEAD	    0
#define IPCDEMO_STEP_AT_TAIL	    1
#define IPCDEMO_STEP_AT_BEFORE_HEAD 2
/* Bytes: where the unread part of that slot begins. */
#define IPCDEMO_STEP_OFFSET(what)   ((what) >> 32)

#endif /* _UAPI_LINUX_IPCDEMO_BATCH_H */

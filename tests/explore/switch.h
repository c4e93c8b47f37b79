/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tasks of the twin: stacks of their own, one runs at a time
 *
 * A task's stack always lies at the same addresses, so a copy of it (with the
 * registers that switch_back() kept there) is the task at that moment: put it
 * back, and the task goes on from there, as often as one likes.
 */
#ifndef EXPLORE_SWITCH_H
#define EXPLORE_SWITCH_H

#include <stddef.h>

#define SWITCH_TASKS 7
#define SWITCH_STACK 32768

/* Where a task gave way. */
struct switch_place {
	void *registers[5];
};

extern struct switch_place switch_places[SWITCH_TASKS];

/* Task @task shall run @function with its number, when it is run. */
void switch_init(int task, void (*function)(int task));

/* Run a task until it gives way. */
void switch_to(int task);

/* Called by task @task: give way. */
void switch_back(int task);

/* What of a task's stack is in use: from the return value, *@size bytes. */
void *switch_stack(int task, size_t *size);

#endif /* EXPLORE_SWITCH_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * Tasks of the twin (see switch.h)
 *
 * ucontext makes a stack and enters it once.  From then on the compiler's own
 * setjmp and longjmp change between stacks: they make no system call, and all
 * that they do not keep in the buffer is on the stack.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#include "switch.h"

static _Alignas(64) char stacks[SWITCH_TASKS][SWITCH_STACK];
static void (*functions[SWITCH_TASKS])(int task);
static struct switch_place searcher;

struct switch_place switch_places[SWITCH_TASKS];

/* Not in the function that keeps the place: the compiler's condition. */
static __attribute__((noinline, noreturn)) void
go_to(struct switch_place *place)
{
	__builtin_longjmp(place->registers, 1);
}

static void enter(int task)
{
	switch_back(task);
	functions[task](task);
	abort();
}

__attribute__((noinline)) void switch_init(int task, void (*function)(int))
{
	ucontext_t context;

	functions[task] = function;
	if (getcontext(&context)) {
		perror("getcontext");
		exit(1);
	}
	context.uc_stack.ss_sp = stacks[task];
	context.uc_stack.ss_size = SWITCH_STACK;
	context.uc_link = NULL;
	makecontext(&context, (void (*)(void))enter, 1, task);
	if (!__builtin_setjmp(searcher.registers))
		setcontext(&context);
}

__attribute__((noinline)) void switch_to(int task)
{
	if (!__builtin_setjmp(searcher.registers))
		go_to(&switch_places[task]);
}

__attribute__((noinline)) void switch_back(int task)
{
	if (!__builtin_setjmp(switch_places[task].registers))
		go_to(&searcher);
}

void *switch_stack(int task, size_t *size)
{
	/* The stack pointer is the third word; nothing below it is in use. */
	char *pointer = switch_places[task].registers[2];
	char *end = stacks[task] + SWITCH_STACK;

	if (pointer < stacks[task] + 1024 || pointer > end) {
		fprintf(stderr,
			"the stack of a task is too small, or its stack pointer is elsewhere\n");
		abort();
	}
	*size = end - pointer;
	return pointer;
}

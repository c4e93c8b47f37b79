// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the schedules of ipcdemo step on the model (see twin.h)
 *
 * This is the check of the model: tests/explore/replay.bats runs the same
 * schedules on the module and compares, step by step, where each task comes to.
 * So what is told here has the words of userspace/step_run.c, whose ways it
 * follows: one task is told to move at a time, and then all that move by
 * themselves come to rest.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../userspace/step.h"
#include "model.h"
#include "twin.h"

/**
 * struct actor - a task while a schedule runs
 * @queued:	operations that it was given, of those that it will have
 * @free:	it was let go: it moves as soon as it can
 * @moved:	where it came to was not told yet
 * @told:	what was told of it last
 */
struct actor {
	const struct step_op *ops[MODEL_OPS];
	unsigned int queued;
	bool free;
	bool moved;
	enum model_status told;
	int told_point;
};

static struct replay {
	const struct schedule *s;
	unsigned int line;
	uint32_t base;
	struct actor actors[MODEL_TASKS];
} replay;

const char *twin_point(int point)
{
	return step_point_name(point);
}

const char *twin_ends(unsigned int ends)
{
	static const char *const words[] = {"nothing", "read", "write", "both"};

	return words[ends];
}

/* --- what is told --- */

static bool in_call(const struct model_view *view)
{
	return view->status == MODEL_AT || view->status == MODEL_LOCK ||
	       view->status == MODEL_ASLEEP;
}

static void tell_values(const struct model_view *view)
{
	const struct model_values *v = &view->values;
	const char *point = twin_point(view->point);
	size_t len = strlen(point);

	if (v->len >= 0)
		printf(" len %lld", (long long)v->len);
	if (v->head >= 0)
		printf(" head %d tail %d", (uint32_t)v->head - replay.base,
		       (uint32_t)v->tail - replay.base);
	if (len > 7 && !strcmp(point + len - 7, ".return")) {
		if (v->decided < 0)
			printf(" %s", step_errno_name(-v->decided));
		else
			printf(" result %lld", (long long)v->decided);
		return;
	}
	if (v->decided == 0 || v->decided == 1)
		printf(" decided %s", v->decided ? "yes" : "no");
}

static void tell_result(const struct actor *actor,
			const struct model_view *view)
{
	long result = view->results[view->done - 1];
	char words[40];

	if (result < 0) {
		printf(" gave %s", step_errno_name(-result));
	} else if (actor->ops[view->done - 1]->kind == STEP_OP_POLL) {
		step_poll_words(result, words, sizeof(words));
		printf(" gave %s", words);
	} else {
		printf(" gave %ld", result);
	}
}

static void tell(void)
{
	struct model_view view;
	struct actor *actor;
	size_t i;

	for (i = 0; i < replay.s->ntasks; i++) {
		actor = &replay.actors[i];
		model_look(i, &view);
		if (!actor->moved && view.status == actor->told &&
		    (!in_call(&view) || view.point == actor->told_point))
			continue;
		actor->moved = false;
		actor->told = view.status;
		actor->told_point = view.point;
		printf("%s", replay.s->tasks[i].name);
		if (in_call(&view)) {
			printf(" %s", twin_point(view.point));
			tell_values(&view);
		} else if (view.status == MODEL_GONE) {
			printf(" gone");
		} else if (view.done) {
			tell_result(actor, &view);
		}
		putchar('\n');
	}
}

/* --- orders --- */

static bool can_be_told(int task)
{
	struct model_view view;

	model_look(task, &view);
	if (view.status == MODEL_IDLE)
		return view.begun < replay.actors[task].queued;
	return view.status == MODEL_AT;
}

static int is_stuck(int task)
{
	const char *name = replay.s->tasks[task].name, *why;
	int who = model_overslept(&why);

	fprintf(stderr, "twin: %s:%u: %s cannot be told to move\n",
		replay.s->file, replay.line, name);
	if (who >= 0)
		fprintf(stderr, "twin: %s %s\n", replay.s->tasks[who].name,
			why);
	return 1;
}

static void go_on(int task)
{
	replay.actors[task].moved = true;
	model_step(task);
}

static void settle(void)
{
	size_t i;

	for (;;) {
		model_come_to_rest();
		tell();
		for (i = 0; i < replay.s->ntasks; i++)
			if (replay.actors[i].free && can_be_told(i))
				break;
		if (i == replay.s->ntasks)
			return;
		go_on(i);
	}
}

static bool arrived(const struct step_line *l, unsigned int done)
{
	struct model_view view;

	model_look(l->task, &view);
	switch (l->kind) {
	case STEP_RUN_BLOCKED:
		return view.status == MODEL_LOCK || view.status == MODEL_ASLEEP;
	case STEP_RUN_DONE:
		return view.status == MODEL_GONE ||
		       (view.status == MODEL_IDLE &&
			view.begun == replay.actors[l->task].queued);
	case STEP_RUN_CALLS:
		return view.done - done >= l->number;
	default:
		return in_call(&view) && view.point == l->point;
	}
}

static int run_until(const struct step_line *l)
{
	struct model_view view;

	replay.actors[l->task].free = false;
	model_look(l->task, &view);
	if ((l->kind == STEP_RUN_BLOCKED || l->kind == STEP_RUN_DONE) &&
	    arrived(l, 0))
		return 0;
	do {
		if (!can_be_told(l->task))
			return is_stuck(l->task);
		go_on(l->task);
		settle();
	} while (!arrived(l, view.done));
	return 0;
}

static int take_steps(int task, long long times)
{
	replay.actors[task].free = false;
	while (times-- > 0) {
		if (!can_be_told(task))
			return is_stuck(task);
		go_on(task);
		settle();
	}
	return 0;
}

static int send(const struct step_line *l)
{
	struct step_line until = *l;

	until.kind = STEP_RUN_POINT;
	if (l->point != STEP_NO_POINT && !arrived(&until, 0) &&
	    run_until(&until))
		return 1;
	replay.actors[l->task].moved = true;
	model_signal(l->task, l->kind == STEP_KILL ? 0 : l->signal);
	settle();
	return 0;
}

static int run_line(const struct step_line *l)
{
	switch (l->kind) {
	case STEP_OP:
		replay.actors[l->task].queued++;
		if (replay.actors[l->task].free)
			settle();
		return 0;
	case STEP_RUN_POINT:
	case STEP_RUN_BLOCKED:
	case STEP_RUN_DONE:
	case STEP_RUN_CALLS:
		return run_until(l);
	case STEP_STEP:
		return take_steps(l->task, l->number);
	case STEP_SIGNAL:
	case STEP_KILL:
		return send(l);
	case STEP_LET_GO:
		replay.actors[l->task].free = true;
		settle();
		return 0;
	case STEP_EXPECT_POLL:
		/* From then on each write wakes. */
		model_poll(l->task);
		return 0;
	default:
		return 0;
	}
}

/* --- a schedule --- */

static const enum model_call calls[] = {
	[STEP_OP_OPEN] = MODEL_OPEN,	 [STEP_OP_READ] = MODEL_READ,
	[STEP_OP_WRITE] = MODEL_WRITE,	 [STEP_OP_CLOSE] = MODEL_CLOSE,
	[STEP_OP_POLL] = MODEL_POLL,	 [STEP_OP_RESIZE] = MODEL_RESIZE,
	[STEP_OP_SIGNAL] = MODEL_SIGNAL,
};

static int refuse(const char *why)
{
	fprintf(stderr, "twin: %s: %s\n", replay.s->file, why);
	return 1;
}

static int take_op(struct model_setup *setup, const struct step_line *l)
{
	struct model_task *task = &setup->tasks[l->task];
	const struct step_op *op = &l->op;

	if (op->kind == STEP_OP_RUN)
		return refuse("the model runs no commands");
	if (op->kind == STEP_OP_SPLICE || op->kind == STEP_OP_TEE ||
	    op->kind == STEP_OP_VMSPLICE)
		return refuse("the model has no splice");
	if (task->nops == MODEL_OPS)
		return refuse("more operations than the model has room for");
	replay.actors[l->task].ops[task->nops] = op;
	task->ops[task->nops++] = (struct model_op){
		.call = calls[op->kind],
		.number = op->number,
		.ends = op->end,
		.nonblock = op->nonblock,
		.mask = op->mask,
		.target = op->target,
	};
	return 0;
}

static int set_up(struct model_setup *setup)
{
	const struct schedule *s = replay.s;
	size_t i;

	*setup = (struct model_setup){
		.slots = s->slots,
		.keep = s->persistence == IPCDEMO_PERSIST_KERNEL,
		.ntasks = s->ntasks,
	};
	if (s->pipe != STEP_PIPE_DEVICE)
		return refuse("the model has the pipe of the device alone");
	if (s->ntasks > MODEL_TASKS)
		return refuse("more tasks than the model has room for");
	for (i = 0; i < s->ntasks; i++) {
		setup->tasks[i].ends = s->tasks[i].opens;
		setup->tasks[i].nonblock = s->tasks[i].nonblock;
		setup->tasks[i].restart = s->tasks[i].restart;
	}
	for (i = 0; i < s->nlines; i++)
		if (s->lines[i]->kind == STEP_OP && take_op(setup, s->lines[i]))
			return 1;
	return 0;
}

static int run_schedule(const struct schedule *s)
{
	struct model_setup setup;
	struct model_pipe pipe;
	size_t i;
	int err;

	replay = (struct replay){.s = s};
	err = set_up(&setup);
	if (err)
		return err;
	printf("%s\n", s->file);
	model_gates = true;
	model_start(&setup);
	model_look_pipe(&pipe);
	replay.base = pipe.head;
	for (i = 0; !err && i < s->nlines; i++) {
		replay.line = s->lines[i]->line;
		err = run_line(s->lines[i]);
	}
	if (!err && model_broken())
		return refuse(model_broken());
	return err;
}

int twin_replay(char **files)
{
	struct schedule schedule;
	int err = 0;

	for (; *files && !err; files++) {
		err = step_parse(*files, &schedule);
		if (!err)
			err = run_schedule(&schedule);
		step_free(&schedule);
	}
	return err;
}

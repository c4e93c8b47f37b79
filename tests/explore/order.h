/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An order: who moves next, at each moment, until nobody can
 *
 * A switch away from a task that could have gone on is a preemption.  All orders
 * with at most so many of them are tried depth first: an order is the beginning
 * of the one before, another task at the last moment where there is one left to
 * try, and from there on whoever moves goes on for as long as it can.
 */
#ifndef EXPLORE_ORDER_H
#define EXPLORE_ORDER_H

#include <stdint.h>
#include <stdio.h>

#include "machine.h"

/* An order that is longer goes round in circles. */
#define ORDER_MOVES 4096

/**
 * struct choice - all are at rest, and somebody moves
 * @stops:	where they are
 * @may:	the tasks that can move, a bit each
 * @chosen:	the one that does
 * @tried:	those that were chosen here in this order or one before
 * @last:	who moved before, -1: nobody
 * @spent:	preemptions before this move
 */
struct choice {
	struct stop stops[SCENARIO_TASKS];
	unsigned int may;
	unsigned int tried;
	int chosen;
	int last;
	unsigned int spent;
};

/**
 * struct order - an order that was run
 * @n:		moves; where the tasks came to in the end is behind the last one
 * @wrong:	what is wrong with it, to be freed; NULL: nothing
 */
struct order {
	const struct scenario *scenario;
	unsigned int ntasks;
	unsigned int n;
	struct choice choices[ORDER_MOVES + 1];
	char *wrong;
};

/**
 * struct space - the orders of a scenario
 * @outcomes:	what each of them has to lead to one of
 * @reached:	how many orders led to each
 * @limit:	preemptions at most, for order_next()
 * @beyond:	moves that would have been one preemption too many
 * @strayed:	attempts to repeat the beginning of an order that led elsewhere
 * @known:	so many choices of the next order are those of the last one
 * @met:	how many tasks stopped at a point, by its place in points.h
 */
struct space {
	const struct scenario *scenario;
	struct outcomes outcomes;
	unsigned long *reached;
	unsigned int limit;
	unsigned long beyond;
	unsigned long strayed;
	unsigned int known;
	unsigned long *met;
	struct order order;
};

void space_begin(struct space *space, const struct scenario *scenario,
		 unsigned int limit, unsigned long *met);
void space_end(struct space *space);

/* Runs the first order, then the next one.  Return: false: there is none. */
bool order_first(struct space *space);
bool order_next(struct space *space);

/* Runs an order of chance. */
void order_random(struct space *space, uint64_t seed);

/*
 * Runs the order that a string gives, "R3W2": R moves three times, then W twice,
 * and from there on as order_first() would.  Return: false if it is no order of
 * this scenario, with a message.
 */
bool order_replay(struct space *space, const char *string);

/* The string of an order. */
void order_print(const struct order *order, FILE *to);

/* The moves one by one. */
void order_tell(const struct order *order, FILE *to);

/* A schedule for ipcdemo step that does the same, and expects the same. */
void order_step(const struct order *order, FILE *to);

#endif /* EXPLORE_ORDER_H */

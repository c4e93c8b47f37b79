/* SPDX-License-Identifier: GPL-2.0 */
/* Several processes do things by chance, on the kernel's pipe and on ours. */
#ifndef SEMANTICS_RANDOM_H
#define SEMANTICS_RANDOM_H

#include <stdbool.h>

/* What chance did, so that one can see that it did enough. */
struct random_tally {
	unsigned int sequences, steps;
	unsigned int waited; /* calls that fell asleep */
	unsigned int released; /* those that another's step ended */
	unsigned int signals; /* SIGIO */
};

/*
 * One sequence on @target and on what the kernel has in its place.  Return:
 * whether each step had the same outcome on both; if not, it was told.
 */
bool random_sequence(unsigned int target, unsigned long long seed,
		     struct random_tally *tally);

#endif /* SEMANTICS_RANDOM_H */

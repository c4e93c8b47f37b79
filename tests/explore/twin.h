/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the twin have in common. */
#ifndef EXPLORE_TWIN_H
#define EXPLORE_TWIN_H

/* The name of a point, by its place in points.h. */
const char *twin_point(int point);

/* "read", "write", "both" or "nothing", for MODEL_END_*. */
const char *twin_ends(unsigned int ends);

/**
 * twin_replay() - run schedules on the model
 * @files:	.step files, NULL behind the last
 *
 * Prints what `ipcdemo step -v` prints of them, without trying expectations.
 *
 * Return: an exit status.
 */
int twin_replay(char **files);

#endif /* EXPLORE_TWIN_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* Recording: from tracefs into a file, while a command runs (record.c) */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>

#include "cli.h"

/**
 * struct record_order - what is to be recorded
 * @path:	the file
 * @buffer:	bytes that the kernel keeps of each processor's points
 * @ours:	the pipes that the command makes shall be ours
 * @argv:	the command
 */
struct record_order {
	const char *path;
	__u64 buffer;
	bool ours;
	char **argv;
};

/*
 * Runs the command and records it.  @status is what the command ended with; 128
 * and the signal that ended it.
 *
 * Return: 0, or FAILED after a message: then nothing of it stays in tracefs, and
 * the command has not run, or its recording is not whole.
 */
int record(struct cli *cli, const struct record_order *order, int *status);

#endif /* RECORD_H */

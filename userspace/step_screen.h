/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session on a screen, with keys
 */
#ifndef STEP_SCREEN_H
#define STEP_SCREEN_H

#include "cli.h"

/**
 * step_screen() - lets somebody step a pipe at the keyboard
 * @pipe:	its id
 * @path:	what tasks open
 * @file:	a schedule to begin with, or NULL
 * @until:	do its lines up to this one; 0: up to the first order
 * @timeout_ms:	how long an order may take
 *
 * Return: DONE; FAILED after a message.
 */
int step_screen(struct cli *cli, __u32 pipe, const char *path, const char *file,
		unsigned int until, int timeout_ms);

#endif /* STEP_SCREEN_H */

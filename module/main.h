/* SPDX-License-Identifier: GPL-2.0 */
/* What loading needs from everybody: a way to make any step of it fail. */
#ifndef IPCDEMO_MAIN_H
#define IPCDEMO_MAIN_H

/**
 * ipc_load_fault() - fail here, if the test of loading asked for it
 * @what:	what would be acquired next
 *
 * Stands before each acquisition that loading the module makes.  With the
 * parameter fail_load=N the N-th of them fails; see tests/kernel.
 *
 * Return: 0 or -ENOMEM.
 */
int ipc_load_fault(const char *what);

#endif /* IPCDEMO_MAIN_H */

/* SPDX-License-Identifier: GPL-2.0 */
/* Under memory pressure: pages that pipes keep in empty slots go back. */
#ifndef IPCDEMO_RECLAIM_H
#define IPCDEMO_RECLAIM_H

/* May sleep.  Return: 0 or -ENOMEM. */
int ipc_reclaim_init(void);

/* Waits until no reclaim is looking at a pipe.  Before the pipes go. */
void ipc_reclaim_exit(void);

#endif /* IPCDEMO_RECLAIM_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside a pipe: what pipe.c does for splice.c, and nobody else calls
 *
 * A *piece* is a slot outside any ring: a stretch of a page, and a reference to
 * that page, which belongs to whoever has the piece.
 *
 * Whose page it is.  A pipe's own pages are those that pipe.c allocated, for
 * this pipe or another one of ours; a slot with any other page says so
 * (IPC_SLOT_FOREIGN).  A page is written to in two ways, and neither may change
 * bytes that somebody else was given (CVE-2022-0847, Dirty Pipe):
 *
 *	- a merge goes behind the bytes of a slot with IPC_SLOT_MERGE.  Of the
 *	  slots that refer to one page, in whatever pipes, at most one has it:
 *	  that of the newest bytes.  A piece that is shared does not get it, a
 *	  piece that is taken whole takes it along.
 *	- a slot without bytes is filled again in the page that it kept: only if
 *	  nobody else has a reference to it (page_for_slot()).  A foreign page is
 *	  not kept.
 */
#ifndef IPCDEMO_INSIDE_H
#define IPCDEMO_INSIDE_H

#include <linux/seqlock.h>
#include <linux/types.h>

#include "gate.h"
#include "pipe.h"

/* Whose points a call that is neither read nor write passes in a pipe. */
enum ipc_side { IPC_READ_SIDE, IPC_WRITE_SIDE };

/* Take the mutex.  Return: 0, or -EINTR if the task was killed meanwhile. */
int ipc_pipe_lock(struct ipc_pipe *pipe, enum ipc_side side);
bool ipc_pipe_trylock(struct ipc_pipe *pipe);
void ipc_pipe_unlock(struct ipc_pipe *pipe);

/*
 * Sleep until there are bytes, or no writer (the read side); until there is a
 * free slot, or no reader (the write side).  The mutex is not held: the caller
 * takes it and looks again.  A wake-up that finds such a waiter goes on to the
 * next task, too, so the waiter need not pass it on.
 *
 * Return: 0 or -ERESTARTSYS.
 */
int ipc_pipe_wait(struct ipc_pipe *pipe, enum ipc_side side,
		  struct ipc_op **op);

/* Wake one, and signal whoever asked for SIGIO.  The mutex is not held. */
void ipc_pipe_wake_reader(struct ipc_pipe *pipe);
void ipc_pipe_wake_writer(struct ipc_pipe *pipe);

/* All below are called under the mutex. */

/* Counts it; the caller sends SIGPIPE once it has no mutex. */
bool ipc_pipe_has_no_reader(struct ipc_pipe *pipe);

/*
 * Take the oldest slot, or the first @most bytes of it, from a ring that is not
 * empty.  Return: false if a reference to the page cannot be had.
 */
bool ipc_pipe_take(struct ipc_pipe *pipe, size_t most, struct ipc_slot *piece);

/* The first @most bytes of a slot, which keeps them.  Return: as above. */
bool ipc_pipe_share(const struct ipc_slot *slot, size_t most,
		    struct ipc_slot *piece);

/* Put a piece into a ring that is not full; sets its page_no. */
void ipc_pipe_add(struct ipc_pipe *pipe, struct ipc_slot *piece);

/*
 * A page of the pipe's own for its next slot, which keeps it: a piece of that
 * page can be added.  The ring is not full.  Return: NULL without memory.
 */
struct page *ipc_pipe_page(struct ipc_pipe *pipe);

/* Drop bytes, not more than the oldest slot has: they were read. */
void ipc_pipe_eat(struct ipc_pipe *pipe, size_t len);

#endif /* IPCDEMO_INSIDE_H */

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pipe: who waits, who is woken, EOF, EPIPE, signals, resize
 *
 * Ownership.  A pipe is an ipc_object.  Its creator holds a reference until it
 * removes it: the device does so for the default pipe, the inode of an anonymous
 * or named pipe for that one.  An end holds none of its own: a file of the device
 * keeps the module, and so the default pipe, alive, any other file its inode.
 * The pipe owns its array of slots and every page in it.
 */
#ifndef IPCDEMO_PIPE_H
#define IPCDEMO_PIPE_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/seqlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "object.h"
#include "ring.h"
#include "trail.h"

struct cred;
struct iov_iter;
struct ipc_waiter_copy;
struct poll_table_struct;

/*
 * Lock order:
 *
 *	mutex of a pipe of the kernel	splice(2) between it and ours
 *	pipe->mutex			held while bytes are copied, so:
 *	   i_rwsem and the like		of a file that is spliced from or to
 *	   mm->mmap_lock		a fault in the user's buffer
 *	   queue->lock			of read_queue, write_queue, open_queue
 *	      sub->lock			events.h; also where no queue is locked
 *	   look_lock			gate.h; not inside queue->lock
 *	   trail->lock			trail.h
 *
 * Nothing that runs under mmap_lock (mapping the device, a fault in a region)
 * takes pipe->mutex.  No view takes it to look, so looking works while a task
 * that holds it is stuck.
 *
 * Beside each member: what guards it.  "mutex" means: changed under the mutex
 * only, with WRITE_ONCE, and read by sleepers, poll and views without it, with
 * READ_ONCE.
 */
struct ipc_pipe {
	struct ipc_object object;
	bool anonymous; /* never changes; opening it never waits */

	struct mutex mutex; /* guards all that says so below */
	/*
	 * Guards the ring against views: odd while the holder of the mutex
	 * changes it, which is never while it can sleep.  A view that met a
	 * change looks again; it never makes the change wait.
	 */
	seqcount_t seq;
	struct ipc_trail trail; /* see there */
	struct ipc_ring ring; /* mutex and seq; the old array is freed by RCU */
	struct ipc_slots *home; /* never changes; the array of a new pipe */
	u32 nr; /* mutex; slots of the array in use */

	u32 readers; /* mutex */
	u32 writers; /* mutex */
	u32 reader_opens; /* mutex; how often a read end was opened, ever */
	u32 writer_opens; /* mutex; likewise */
	u32 keeps; /* mutex; how often keep was set, ever */
	bool keep; /* mutex; kernel persistence */
	bool polled; /* set by poll without a lock, cleared under the mutex */
	bool active; /* mutex; a page was freed up since trim_work last looked */

	struct wait_queue_head read_queue;
	struct wait_queue_head write_queue;
	struct wait_queue_head open_queue;
	struct fasync_struct *read_fasync; /* mutex */
	struct fasync_struct *write_fasync; /* mutex */

	u32 last_page_no; /* mutex */
	u32 charged; /* mutex; slots charged to cred->user */
	char own_name[32]; /* never changes; of an anonymous pipe */
	const struct cred *cred; /* mutex; who pays; NULL: not in use */
	struct delayed_work trim_work; /* gives pages of an idle pipe back */
};

/* Which slot a step is about: IPCDEMO_STEP_AT_*, too. */
enum ipc_pipe_place { IPC_AT_HEAD, IPC_AT_TAIL, IPC_BEFORE_HEAD };

extern const u8 ipc_pipe_places[IPC_NR_POINTS];

/* The index of that slot. */
static inline u32 ipc_pipe_index(u64 indices, enum ipc_pipe_place place)
{
	if (place == IPC_AT_TAIL)
		return ring_tail(indices);
	return ring_head(indices) - (place == IPC_BEFORE_HEAD);
}

/* The ring at one instant, for the views. */
struct ipc_pipe_look {
	u64 indices;
	u32 nr;
	u32 spare;
	u64 bytes;
	bool torn;
};

/**
 * ipc_pipe_create() - make a pipe that nobody has open
 * @name:	lives as long as the pipe
 * @mode:	permission bits
 *
 * Nobody pays for its slots until the first open, as with a FIFO.
 * Context: may sleep.
 * Return: the pipe, with its creator's reference, or ERR_PTR(-ENOMEM).
 */
struct ipc_pipe *ipc_pipe_create(const char *name, umode_t mode);

/**
 * ipc_pipe_create_anonymous() - make a pipe that never waits in open
 * @number:	for its name: that of its inode
 *
 * The current user pays from now on.  Its ends are counted by ipc_pipe_join().
 * Context: may sleep.
 * Return: the pipe, with its creator's reference, or ERR_PTR(-ENOMEM) or
 * ERR_PTR(-ENFILE) (above the user's hard limit).
 */
struct ipc_pipe *ipc_pipe_create_anonymous(unsigned long number);

/*
 * The inode that owns a pipe goes: hide it at once, drop the reference soon.  No
 * end is open.  May sleep, but waits for no reader of a view.
 */
void ipc_pipe_retire(struct ipc_pipe *pipe);

/* A new file is an end of an anonymous pipe; ipc_pipe_close() is the reverse. */
void ipc_pipe_join(struct ipc_pipe *pipe, struct file *file);

static inline struct ipc_pipe *ipc_pipe_of(struct ipc_object *object)
{
	return container_of(object, struct ipc_pipe, object);
}

/*
 * The calls of an end.  Each may sleep, none may be called with a lock that a
 * page fault can take.  They return what pipe(7) says of the call that they are
 * named after; ERESTARTSYS for a signal.
 */
int ipc_pipe_open(struct ipc_pipe *pipe, struct file *file);
void ipc_pipe_close(struct ipc_pipe *pipe, struct file *file);
ssize_t ipc_pipe_read(struct ipc_pipe *pipe, struct kiocb *iocb,
		      struct iov_iter *to);
ssize_t ipc_pipe_write(struct ipc_pipe *pipe, struct kiocb *iocb,
		       struct iov_iter *from);
__poll_t ipc_pipe_poll(struct ipc_pipe *pipe, struct file *file,
		       struct poll_table_struct *wait);
int ipc_pipe_fasync(struct ipc_pipe *pipe, int fd, struct file *file, int on);

/**
 * ipc_pipe_bytes() - what FIONREAD says
 * @pipe:	the pipe
 * @bytes:	how many bytes it holds
 *
 * Return: 0, or -EINTR if the caller was killed while it waited for the mutex.
 */
int ipc_pipe_bytes(struct ipc_pipe *pipe, u64 *bytes);

/**
 * ipc_pipe_peek() - copy bytes and leave them in the pipe
 * @pipe:	the pipe
 * @skip:	bytes to pass over first
 * @to:		where to
 * @bytes:	how many bytes the pipe holds
 *
 * Return: bytes copied, -EFAULT (also after a part), -EINTR (killed), -EBUSY
 * (who has the mutex is held at a gate).
 */
ssize_t ipc_pipe_peek(struct ipc_pipe *pipe, u64 skip, struct iov_iter *to,
		      u64 *bytes);

/* Capacity in bytes. */
u64 ipc_pipe_capacity(struct ipc_pipe *pipe);

/**
 * ipc_pipe_resize() - the rules of F_SETPIPE_SZ
 * @pipe:	the pipe
 * @bytes:	in: wanted; out: what it became
 *
 * Return: 0, -EINVAL, -EBUSY, -EPERM, -ENOMEM, -EINTR (killed).
 */
int ipc_pipe_resize(struct ipc_pipe *pipe, u64 *bytes);

/* Kernel persistence on or off.  Return: 0 or -EINTR (killed). */
int ipc_pipe_set_keep(struct ipc_pipe *pipe, bool keep);

/*
 * The same two for who may not wait for long: no gate holds him.  Return: also
 * -EAGAIN (somebody has the mutex and keeps it).
 */
int ipc_pipe_try_resize(struct ipc_pipe *pipe, u64 *bytes);
int ipc_pipe_try_set_keep(struct ipc_pipe *pipe, bool keep);

/**
 * ipc_pipe_trim() - free the pages that empty slots keep
 * @pipe:	the pipe
 *
 * Context: any that may not sleep on the mutex: it only tries to lock.
 * Return: how many pages were freed; 0 if the mutex was held.
 */
u32 ipc_pipe_trim(struct ipc_pipe *pipe);

/**
 * ipc_pipe_look() - look at the ring without stopping anybody
 * @pipe:	the pipe
 * @look:	filled
 * @copy:	if not NULL: becomes a copy of the slots, to be freed with kvfree
 *
 * Context: may sleep if @copy is given.  Takes no lock.
 * Return: 0 or -ENOMEM.
 */
int ipc_pipe_look(struct ipc_pipe *pipe, struct ipc_pipe_look *look,
		  struct ipc_slot **copy);

#endif /* IPCDEMO_PIPE_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * splice(2), tee(2) and vmsplice(2) with a pipe of ours on a side (splice.h)
 *
 * What waits for what, and in which order errors are looked for, is that of
 * fs/splice.c; a comment that says "the kernel" means that file.  Whose page a
 * page is, and who may write to it, says inside.h.
 *
 * Two locks.  A transfer between two pipes changes both under both mutexes, so
 * that nobody sees bytes twice or nowhere.  The kernel locks the one with the
 * lower address first, and waits for the other with the first in hand.  Here
 * nobody waits for a mutex of ours with another in hand: the second is only
 * tried, and who does not get it gives the first back, waits for the second
 * alone, and begins again.  So there is no deadlock, in whatever order and with
 * whatever third pipe; and whoever wants the first finds it free, though the
 * holder of the second may be held at a gate for as long as somebody thinks (a
 * close could not be killed out of that, and ipc_unstick_lock() would not know
 * whom to let through).  All begin with the lower address, or the pipe of the
 * kernel: two splices in opposite directions meet at the same first mutex and do
 * not take the second away from each other.  Each time that a transfer begins
 * again, somebody else had the second mutex and went on.
 *
 * Gates.  A transfer is held where it begins, waits and ends, and there it has no
 * lock.  What it moves in between is one step.
 *
 * A file or socket is read from, and written to, with its own splice calls, which
 * know pipes of the kernel only.  They get a *carrier*, a pipe that nobody else
 * has, never locked (as the one that sendfile(2) uses inside).  The mutex of
 * our pipe is held meanwhile, as the kernel holds that of its own: nobody gets
 * between the bytes, and what was read from a socket has its place.
 */
#include <linux/bvec.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/pipe_fs_i.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include <linux/uio.h>

#include "compat.h"
#include "end.h"
#include "gate.h"
#include "inside.h"
#include "pipe.h"
#include "splice.h"

/* A transfer in progress. */
struct call {
	struct ipc_op *op;
	bool nonblock;
};

/* What is returned inside this file for "look again"; nobody's error. */
#define AGAIN (-MAX_ERRNO)

static bool is_empty(const struct ipc_pipe *pipe)
{
	return ring_is_empty(ring_indices(&pipe->ring));
}

static bool is_full(const struct ipc_pipe *pipe)
{
	return ring_is_full(ring_indices(&pipe->ring), pipe->nr);
}

static u32 tail_of(const struct ipc_pipe *pipe)
{
	return ring_tail(ring_indices(&pipe->ring));
}

/* --- the course of a call --- */

/* It begins at its source; from here on it is held only where it waits. */
static void begin(struct call *call, struct ipc_pipe *pipe,
		  enum ipc_point enter, size_t len, bool locked)
{
	call->op = ipc_call_begin(&pipe->object, enter, len, locked);
	ipc_op_turn(call->op, &pipe->object, true);
}

static ssize_t end(struct call *call, struct ipc_pipe *pipe,
		   enum ipc_point leave, ssize_t result, bool locked)
{
	ipc_op_turn(call->op, &pipe->object, locked);
	ipc_call_end(call->op, &pipe->object, leave, result);
	return result;
}

static int lock(struct call *call, struct ipc_pipe *pipe, enum ipc_side side)
{
	ipc_op_turn(call->op, &pipe->object, true);
	return ipc_pipe_lock(pipe, side);
}

/* Return: 0 once nobody has the mutex; the caller begins again. */
static int wait_for_lock(struct call *call, struct ipc_pipe *pipe,
			 enum ipc_side side)
{
	int err = lock(call, pipe, side);

	if (!err)
		ipc_pipe_unlock(pipe);
	return err;
}

/*
 * No lock is held.  Not exclusive: who is woken here may find something else to
 * wait for.
 */
static int wait(struct call *call, struct ipc_pipe *pipe, enum ipc_side side)
{
	int err;

	ipc_op_turn(call->op, &pipe->object, false);
	err = ipc_pipe_wait(pipe, side, &call->op);
	ipc_op_turn(call->op, &pipe->object, true);
	return err;
}

/*
 * Nothing can be moved now.  Whether the call waits is decided here, once, under the
 * mutex: what is counted is what happens.  The order is the kernel's.
 *
 * Return: 0: wait_on() comes next, without the mutex; else what the call returns.
 */
static int may_wait(const struct call *call, struct ipc_pipe *pipe,
		    enum ipc_side side)
{
	bool reads = side == IPC_READ_SIDE, told = signal_pending(current);

	if (told && (reads || !call->nonblock))
		return -ERESTARTSYS;
	if (call->nonblock)
		return -EAGAIN;
	ipc_count(&pipe->object, reads ? IPC_READ_WAIT : IPC_WRITE_WAIT, 1);
	return 0;
}

/* Return: AGAIN, or what the call returns. */
static int wait_on(struct call *call, struct ipc_pipe *pipe, enum ipc_side side)
{
	return wait(call, pipe, side) ?: AGAIN;
}

static void count_eof(struct ipc_pipe *pipe)
{
	ipc_count(&pipe->object, IPC_READ_EOF, 1);
}

/*
 * Whom a transfer wakes, decided under the mutex.  As the kernel: a writer if a
 * slot became free, also of a pipe that was not full; a reader for any bytes.
 */
static bool wakes_writer(struct ipc_pipe *pipe, u32 tail_before)
{
	if (tail_of(pipe) == tail_before)
		return false;
	ipc_count(&pipe->object, IPC_WAKE_WRITERS, 1);
	return true;
}

static bool wakes_reader(struct ipc_pipe *pipe, ssize_t moved)
{
	if (moved <= 0)
		return false;
	ipc_count(&pipe->object, IPC_WAKE_READERS, 1);
	return true;
}

static int broken_pipe(void)
{
	send_sig(SIGPIPE, current, 0);
	return -EPIPE;
}

/* --- between two of ours --- */

static int lock_both(struct call *call, struct ipc_pipe *in,
		     struct ipc_pipe *out)
{
	bool in_first = in < out;
	struct ipc_pipe *first = in_first ? in : out;
	struct ipc_pipe *second = in_first ? out : in;
	int err;

	for (;;) {
		err = lock(call, first,
			   in_first ? IPC_READ_SIDE : IPC_WRITE_SIDE);
		if (err || ipc_pipe_trylock(second))
			return err;
		ipc_pipe_unlock(first);
		err = wait_for_lock(call, second,
				    in_first ? IPC_WRITE_SIDE : IPC_READ_SIDE);
		if (err)
			return err;
	}
}

static void unlock_both(struct ipc_pipe *in, struct ipc_pipe *out)
{
	ipc_pipe_unlock(in);
	ipc_pipe_unlock(out);
}

/*
 * A walk through the slots of a pipe from the oldest on: with tee they stay.
 * Return: the next one or NULL.
 */
static struct ipc_slot *next_slot(struct ipc_pipe *pipe, u32 *next, bool tee)
{
	u64 at = ring_indices(&pipe->ring);

	if (!tee)
		return ring_tail_slot(&pipe->ring);
	return *next == ring_head(at) ? NULL
				      : ring_slot(pipe->ring.slots, (*next)++);
}

/* Take, or with tee share, up to @most bytes of a slot. */
static bool get_piece(struct ipc_pipe *pipe, struct ipc_slot *slot, size_t most,
		      bool tee, struct ipc_slot *piece)
{
	if (!tee)
		return ipc_pipe_take(pipe, most, piece);
	if (!ipc_pipe_share(slot, most, piece))
		return false;
	ipc_count(&pipe->object, IPC_TEE_COPY, piece->len);
	ipc_at(&pipe->object, TEE_COPY, piece->len, -1);
	return true;
}

/* Both mutexes are held.  Return: bytes, or -EFAULT. */
static ssize_t move_slots(struct ipc_pipe *in, struct ipc_pipe *out, size_t len,
			  bool tee)
{
	u32 next = tail_of(in);
	struct ipc_slot *slot, piece;
	ssize_t done = 0;

	while (len && !is_full(out)) {
		slot = next_slot(in, &next, tee);
		if (!slot)
			break;
		if (!get_piece(in, slot, len, tee, &piece))
			return done ? done : -EFAULT;
		ipc_pipe_add(out, &piece);
		done += piece.len;
		len -= piece.len;
	}
	return done;
}

/* Return: what the call returns, or AGAIN. */
static ssize_t try_between(struct call *call, struct ipc_pipe *in,
			   struct ipc_pipe *out, size_t len, bool tee)
{
	bool wake_writer, wake_reader;
	u32 tail;
	ssize_t result = lock_both(call, in, out);

	if (result)
		return result;
	if (is_empty(in) && in->writers) {
		result = may_wait(call, in, IPC_READ_SIDE);
		unlock_both(in, out);
		return result ?: wait_on(call, in, IPC_READ_SIDE);
	}
	if (ipc_pipe_has_no_reader(out)) {
		unlock_both(in, out);
		return broken_pipe();
	}
	if (is_full(out)) {
		result = may_wait(call, out, IPC_WRITE_SIDE);
		unlock_both(in, out);
		return result ?: wait_on(call, out, IPC_WRITE_SIDE);
	}
	ipc_count(&in->object, IPC_READ_ENTER, 1);
	ipc_count(&out->object, IPC_WRITE_ENTER, 1);
	if (is_empty(in))
		count_eof(in);
	tail = tail_of(in);
	result = move_slots(in, out, len, tee);
	wake_writer = wakes_writer(in, tail);
	wake_reader = wakes_reader(out, result);
	unlock_both(in, out);
	if (wake_reader)
		ipc_pipe_wake_reader(out);
	if (wake_writer)
		ipc_pipe_wake_writer(in);
	return result;
}

static ssize_t between_ours(struct ipc_pipe *in, struct ipc_pipe *out,
			    size_t len, bool nonblock, bool tee)
{
	struct call call = {.nonblock = nonblock};
	ssize_t result;

	begin(&call, in, IPC_READ_ENTER, len, false);
	do {
		result = try_between(&call, in, out, len, tee);
	} while (result == AGAIN);
	return end(&call, in, IPC_READ_RETURN, result, false);
}

/* --- a pipe of the kernel's --- */

/* The kernel's own get_pipe_info() is not for modules. */
static struct pipe_inode_info *real_pipe_of(struct file *file)
{
	struct inode *inode = file_inode(file);
	struct pipe_inode_info *real = file->private_data;

	/* Only fs/pipe.c gives a FIFO's inode such a thing. */
	if (!S_ISFIFO(inode->i_mode) || !real || inode->i_pipe != real ||
	    pipe_has_watch_queue(real))
		return NULL;
	return real;
}

bool ipc_is_pipe(struct file *file)
{
	return ipc_pipe_of_file(file) || real_pipe_of(file);
}

static bool real_is_full(const struct pipe_inode_info *real)
{
	return pipe_full(READ_ONCE(real->head), READ_ONCE(real->tail),
			 READ_ONCE(real->max_usage));
}

static bool real_is_empty(const struct pipe_inode_info *real)
{
	return pipe_empty(READ_ONCE(real->head), READ_ONCE(real->tail));
}

/* Called with real's mutex, which is given back meanwhile.  0 or -ERESTARTSYS. */
static int sleep_for_room(struct pipe_inode_info *real)
{
	int err;

	pipe_unlock(real);
	err = wait_event_interruptible(real->wr_wait,
				       !real_is_full(real) ||
					       !READ_ONCE(real->readers));
	pipe_lock(real);
	return err;
}

static int sleep_for_bytes(struct pipe_inode_info *real)
{
	int err;

	pipe_unlock(real);
	err = wait_event_interruptible(real->rd_wait,
				       !real_is_empty(real) ||
					       !READ_ONCE(real->writers));
	pipe_lock(real);
	return err;
}

/*
 * The buffer has room and a reader.  Its operations are the kernel's, as ours
 * could outlive the module, and do not let anybody steal the page.  Who writes
 * to that pipe may go on behind the bytes exactly if it could have in ours, which
 * has done with the page then.
 */
static void give_to_real(struct pipe_inode_info *real,
			 const struct ipc_slot *piece)
{
	struct pipe_buffer buf = {
		.page = piece->page,
		.offset = piece->offset,
		.len = piece->len,
		.ops = &nosteal_pipe_buf_ops,
	};

	if (piece->flags & IPC_SLOT_PACKET)
		buf.flags |= PIPE_BUF_FLAG_PACKET;
	if (piece->flags & IPC_SLOT_MERGE)
		buf.flags |= PIPE_BUF_FLAG_CAN_MERGE;
	add_to_pipe(real, &buf);
}

/* Both mutexes are held.  Return: bytes, or -EFAULT. */
static ssize_t move_to_real(struct ipc_pipe *in, struct pipe_inode_info *real,
			    size_t len, bool tee)
{
	u32 next = tail_of(in);
	struct ipc_slot *slot, piece;
	ssize_t done = 0;

	while (len && !real_is_full(real)) {
		slot = next_slot(in, &next, tee);
		if (!slot)
			break;
		if (!get_piece(in, slot, len, tee, &piece))
			return done ? done : -EFAULT;
		give_to_real(real, &piece);
		done += piece.len;
		len -= piece.len;
	}
	return done;
}

/*
 * Called with real's mutex, which is given back where this waits.  The caller
 * wakes real's readers.  Return: what the call returns, or AGAIN.
 */
static ssize_t try_to_real(struct call *call, struct ipc_pipe *in,
			   struct pipe_inode_info *real, size_t len, bool tee)
{
	bool wake_writer;
	ssize_t result;
	u32 tail;

	if (!ipc_pipe_trylock(in)) {
		pipe_unlock(real);
		result = wait_for_lock(call, in, IPC_READ_SIDE) ?: AGAIN;
		pipe_lock(real);
		return result;
	}
	if (is_empty(in) && in->writers) {
		result = may_wait(call, in, IPC_READ_SIDE);
		ipc_pipe_unlock(in);
		pipe_unlock(real);
		if (!result)
			result = wait_on(call, in, IPC_READ_SIDE);
		pipe_lock(real);
		return result;
	}
	if (!real->readers) {
		ipc_pipe_unlock(in);
		return broken_pipe();
	}
	if (real_is_full(real)) {
		ipc_pipe_unlock(in);
		if (call->nonblock)
			return -EAGAIN;
		return sleep_for_room(real) ?: AGAIN;
	}
	ipc_count(&in->object, IPC_READ_ENTER, 1);
	if (is_empty(in))
		count_eof(in);
	tail = tail_of(in);
	result = move_to_real(in, real, len, tee);
	wake_writer = wakes_writer(in, tail);
	ipc_pipe_unlock(in);
	if (wake_writer)
		ipc_pipe_wake_writer(in);
	return result;
}

ssize_t ipc_splice_read(struct ipc_pipe *pipe, struct file *file,
			struct pipe_inode_info *real, size_t len,
			unsigned int flags)
{
	struct call call = {
		.nonblock = (file->f_flags & O_NONBLOCK) ||
			    (flags & SPLICE_F_NONBLOCK),
	};
	ssize_t result;

	if (!len)
		return 0;
	begin(&call, pipe, IPC_READ_ENTER, len, true);
	do {
		result = try_to_real(&call, pipe, real, len, false);
	} while (result == AGAIN);
	return end(&call, pipe, IPC_READ_RETURN, result, true);
}

/* From ours to the kernel's, where the kernel has not locked it for us. */
static ssize_t to_real(struct ipc_pipe *in, struct pipe_inode_info *real,
		       size_t len, bool nonblock, bool tee)
{
	struct call call = {.nonblock = nonblock};
	ssize_t result;

	begin(&call, in, IPC_READ_ENTER, len, false);
	pipe_lock(real);
	do {
		result = try_to_real(&call, in, real, len, tee);
	} while (result == AGAIN);
	pipe_unlock(real);
	if (result > 0) {
		wake_up_interruptible(&real->rd_wait);
		kill_fasync(&real->fasync_readers, SIGIO, POLL_IN);
	}
	return end(&call, in, IPC_READ_RETURN, result, false);
}

/*
 * Whether a reference to the page is all that it takes to keep the bytes: what
 * the buffer's own operations do at its end cannot be put off until our pipe has
 * done with it (a relay channel, say, then writes there again).
 */
static bool is_plain(const struct pipe_buffer *buf)
{
	if (buf->ops->get != generic_pipe_buf_get)
		return false;
	/* Nothing else happens at its end. */
	if (buf->ops->release == generic_pipe_buf_release)
		return true;
	/* Memory that write(2) to a pipe has filled. */
	if (buf->flags & (PIPE_BUF_FLAG_CAN_MERGE | PIPE_BUF_FLAG_PACKET))
		return true;
	/* A page of a file, or of a process that gave it by vmsplice(2). */
	return READ_ONCE(page_folio(buf->page)->mapping);
}

/* May a write go on behind its bytes, and has it room to? */
static bool is_open_ended(const struct pipe_buffer *buf)
{
	return (buf->flags & PIPE_BUF_FLAG_CAN_MERGE) &&
	       buf->offset + buf->len < PAGE_SIZE;
}

/* A copy of its first @len bytes, at offset @at of a page. */
static int copy_buffer(struct ipc_pipe *pipe, struct pipe_buffer *buf,
		       size_t len, size_t at, struct ipc_slot *piece)
{
	struct bio_vec part = {
		.bv_page = buf->page,
		.bv_offset = buf->offset,
		.bv_len = len,
	};
	struct iov_iter from;

	if (at + len <= PAGE_SIZE) {
		piece->page = ipc_pipe_page(pipe);
		piece->flags |= IPC_SLOT_KEPT;
	} else {
		/* Bytes of several pages in one slot, as they came in one. */
		piece->page =
			alloc_pages(GFP_HIGHUSER | __GFP_ACCOUNT | __GFP_COMP,
				    get_order(at + len));
		piece->flags |= IPC_SLOT_FOREIGN;
	}
	if (!piece->page)
		return -ENOMEM;
	piece->offset = at;
	iov_iter_bvec(&from, ITER_SOURCE, &part, 1, len);
	copy_page_from_iter(piece->page, at, len, &from);
	return 0;
}

/*
 * Make a piece of the first @len bytes of a buffer, which was confirmed and
 * stays as it is.  The ring has a free slot.  A buffer that a write may go on
 * behind, and that is taken whole, is copied, to stay so here: a page that is
 * not ours is never written to.
 *
 * Return: 0, -ENOMEM, -EFAULT.
 */
static int piece_of_buffer(struct ipc_pipe *pipe, struct pipe_inode_info *real,
			   struct pipe_buffer *buf, size_t len, bool taken,
			   struct ipc_slot *piece)
{
	*piece = (struct ipc_slot){
		.page = buf->page,
		.offset = buf->offset,
		.len = len,
	};
	if (buf->flags & PIPE_BUF_FLAG_PACKET)
		piece->flags |= IPC_SLOT_PACKET;
	if (taken && len == buf->len && is_open_ended(buf)) {
		piece->flags |= IPC_SLOT_MERGE;
		return copy_buffer(pipe, buf, len, buf->offset, piece);
	}
	if (!is_plain(buf))
		return copy_buffer(pipe, buf, len, 0, piece);
	piece->flags |= IPC_SLOT_FOREIGN;
	return pipe_buf_get(real, buf) ? 0 : -EFAULT;
}

/* Our side of a transfer from a pipe of the kernel. */
struct target {
	struct ipc_pipe *pipe;
	bool locked;
	bool full;
	bool no_reader;
	bool counted;
};

/*
 * Called with real's mutex, for each buffer; it was confirmed.  Our mutex is
 * taken with the first: from then on __splice_from_pipe() does not wait.
 */
static int take_buffer(struct pipe_inode_info *real, struct pipe_buffer *buf,
		       struct splice_desc *desc)
{
	struct target *target = desc->u.data;
	struct ipc_slot piece;
	int err;

	if (!target->locked) {
		if (!ipc_pipe_trylock(target->pipe))
			return AGAIN;
		target->locked = true;
		target->no_reader = ipc_pipe_has_no_reader(target->pipe);
	}
	if (target->no_reader)
		return -EPIPE;
	target->full = is_full(target->pipe);
	if (target->full)
		return -EAGAIN;
	if (!target->counted)
		ipc_count(&target->pipe->object, IPC_WRITE_ENTER, 1);
	target->counted = true;
	err = piece_of_buffer(target->pipe, real, buf, desc->len, true, &piece);
	if (err)
		return err;
	ipc_pipe_add(target->pipe, &piece);
	return piece.len;
}

/* Return: what the call returns, or AGAIN. */
static ssize_t try_from_real(struct call *call, struct pipe_inode_info *real,
			     struct ipc_pipe *pipe, size_t len,
			     unsigned int flags)
{
	struct target target = {.pipe = pipe};
	struct splice_desc desc = {
		.total_len = len,
		/* Neither side waits if ours does not. */
		.flags = call->nonblock ? flags | SPLICE_F_NONBLOCK : flags,
		.u.data = &target,
	};
	bool wake_reader = false, waits;
	ssize_t result;

	pipe_lock(real);
	result = __splice_from_pipe(real, &desc, take_buffer);
	/* At the end the kernel looks for a reader and for room all the same. */
	if (!result && !target.locked) {
		target.locked = ipc_pipe_trylock(pipe);
		if (!target.locked) {
			result = AGAIN;
		} else if (ipc_pipe_has_no_reader(pipe)) {
			target.no_reader = true;
		} else if (is_full(pipe)) {
			target.full = true;
			result = -EAGAIN;
		}
	}
	waits = result == -EAGAIN && target.full;
	if (target.locked) {
		if (waits)
			result = may_wait(call, pipe, IPC_WRITE_SIDE);
		wake_reader = wakes_reader(pipe, result);
		ipc_pipe_unlock(pipe);
	}
	pipe_unlock(real);
	if (wake_reader)
		ipc_pipe_wake_reader(pipe);
	if (result > 0)
		return result;
	if (target.no_reader)
		return broken_pipe();
	if (result == AGAIN)
		return wait_for_lock(call, pipe, IPC_WRITE_SIDE) ?: AGAIN;
	if (waits && !result)
		return wait_on(call, pipe, IPC_WRITE_SIDE);
	return result;
}

ssize_t ipc_splice_write(struct ipc_pipe *pipe, struct file *file,
			 struct pipe_inode_info *real, size_t len,
			 unsigned int flags)
{
	struct call call = {
		.nonblock = (file->f_flags & O_NONBLOCK) ||
			    (flags & SPLICE_F_NONBLOCK),
	};
	ssize_t result;

	begin(&call, pipe, IPC_WRITE_ENTER, len, true);
	do {
		result = try_from_real(&call, real, pipe, len, flags);
	} while (result == AGAIN);
	return end(&call, pipe, IPC_WRITE_RETURN, result, true);
}

/* Both mutexes are held.  Return: bytes, or an error. */
static ssize_t tee_from_real(struct pipe_inode_info *real, struct ipc_pipe *out,
			     size_t len)
{
	unsigned int next = real->tail;
	struct pipe_buffer *buf;
	struct ipc_slot piece;
	ssize_t done = 0;
	int err;

	while (len && !pipe_empty(real->head, next) && !is_full(out)) {
		buf = &real->bufs[next++ & (real->ring_size - 1)];
		/* What a write that faulted has left. */
		if (!buf->len)
			continue;
		err = pipe_buf_confirm(real, buf);
		if (!err)
			err = piece_of_buffer(out, real, buf,
					      min_t(size_t, buf->len, len),
					      false, &piece);
		if (err)
			return done || err == -ENODATA ? done : err;
		ipc_pipe_add(out, &piece);
		done += piece.len;
		len -= piece.len;
	}
	return done;
}

/* Called with real's mutex, as try_to_real(). */
static ssize_t try_tee_from_real(struct call *call,
				 struct pipe_inode_info *real,
				 struct ipc_pipe *out, size_t len)
{
	bool wake_reader;
	ssize_t result;

	if (real_is_empty(real) && real->writers) {
		if (signal_pending(current))
			return -ERESTARTSYS;
		if (call->nonblock)
			return -EAGAIN;
		return sleep_for_bytes(real) ?: AGAIN;
	}
	if (!ipc_pipe_trylock(out)) {
		pipe_unlock(real);
		result = wait_for_lock(call, out, IPC_WRITE_SIDE) ?: AGAIN;
		pipe_lock(real);
		return result;
	}
	if (ipc_pipe_has_no_reader(out)) {
		ipc_pipe_unlock(out);
		return broken_pipe();
	}
	if (is_full(out)) {
		result = may_wait(call, out, IPC_WRITE_SIDE);
		ipc_pipe_unlock(out);
		pipe_unlock(real);
		if (!result)
			result = wait_on(call, out, IPC_WRITE_SIDE);
		pipe_lock(real);
		return result;
	}
	ipc_count(&out->object, IPC_WRITE_ENTER, 1);
	result = tee_from_real(real, out, len);
	wake_reader = wakes_reader(out, result);
	ipc_pipe_unlock(out);
	if (wake_reader)
		ipc_pipe_wake_reader(out);
	return result;
}

static ssize_t tee_real(struct pipe_inode_info *real, struct ipc_pipe *out,
			size_t len, bool nonblock)
{
	struct call call = {.nonblock = nonblock};
	ssize_t result;

	begin(&call, out, IPC_WRITE_ENTER, len, false);
	pipe_lock(real);
	do {
		result = try_tee_from_real(&call, real, out, len);
	} while (result == AGAIN);
	pipe_unlock(real);
	return end(&call, out, IPC_WRITE_RETURN, result, false);
}

/* --- a file or a socket --- */

/* See the top of the file. */
struct carrier {
	struct pipe_inode_info pipe;
	struct pipe_buffer bufs[];
};

/* Return: an empty one for @nr buffers, or NULL. */
static struct carrier *alloc_carrier(u32 nr)
{
	u32 size = roundup_pow_of_two(nr);
	struct carrier *carrier;

	carrier =
		kvzalloc(struct_size(carrier, bufs, size), GFP_KERNEL_ACCOUNT);
	if (!carrier)
		return NULL;
	/* Not used, as it belongs to no file; but they can be looked at. */
	mutex_init(&carrier->pipe.mutex);
	init_waitqueue_head(&carrier->pipe.rd_wait);
	init_waitqueue_head(&carrier->pipe.wr_wait);
	carrier->pipe.bufs = carrier->bufs;
	carrier->pipe.ring_size = size;
	carrier->pipe.max_usage = nr;
	carrier->pipe.readers = 1;
	return carrier;
}

static struct pipe_buffer *carrier_buffer(struct carrier *carrier,
					  unsigned int index)
{
	return &carrier->bufs[index & (carrier->pipe.ring_size - 1)];
}

static void free_carrier(struct carrier *carrier)
{
	struct pipe_inode_info *pipe = &carrier->pipe;

	for (; !pipe_empty(pipe->head, pipe->tail); pipe->tail++)
		pipe_buf_release(pipe, carrier_buffer(carrier, pipe->tail));
	mutex_destroy(&pipe->mutex);
	kvfree(carrier);
}

/*
 * Put what a file gave into our pipe, which has a slot for each buffer.  It ends
 * early where there is no memory, or at a page of a file that was cut off
 * meanwhile (-ENODATA, which splice(2) takes for the end).  Bytes of a socket are
 * lost then, as there is no way back.
 */
static ssize_t unload(struct carrier *carrier, struct ipc_pipe *pipe)
{
	struct pipe_inode_info *from = &carrier->pipe;
	struct pipe_buffer *buf;
	struct ipc_slot piece;
	ssize_t done = 0;
	int err;

	for (; !pipe_empty(from->head, from->tail); from->tail++) {
		buf = carrier_buffer(carrier, from->tail);
		err = buf->len ? pipe_buf_confirm(from, buf) : 0;
		if (!err && buf->len)
			err = piece_of_buffer(pipe, from, buf, buf->len, false,
					      &piece);
		if (err)
			return done || err == -ENODATA ? done : err;
		if (buf->len) {
			ipc_pipe_add(pipe, &piece);
			done += piece.len;
		}
		pipe_buf_release(from, buf);
	}
	return done;
}

/* Our mutex is held, and there is room. */
static ssize_t read_file(struct file *in, loff_t *pos, struct ipc_pipe *pipe,
			 size_t len, unsigned int flags)
{
	u32 room = pipe->nr - ring_used(ring_indices(&pipe->ring));
	struct carrier *carrier;
	loff_t before = *pos;
	ssize_t result, given;

	len = min_t(u64, len, (u64)room << PAGE_SHIFT);
	result = rw_verify_area(READ, in, pos, len);
	if (result < 0)
		return result;
	if (!in->f_op->splice_read)
		return -EINVAL;
	carrier = alloc_carrier(room);
	if (!carrier)
		return -ENOMEM;
	result = ipc_splice_from_file(in, pos, &carrier->pipe, len, flags);
	given = result;
	if (given > 0)
		result = unload(carrier, pipe);
	/* Where a file has offsets, the next call begins with what is missing. */
	if (result < given && *pos == before + given)
		*pos = before + max_t(ssize_t, result, 0);
	free_carrier(carrier);
	return result;
}

/* Return: what the call returns, or AGAIN. */
static ssize_t try_from_file(struct call *call, struct file *in, loff_t *pos,
			     struct ipc_pipe *pipe, size_t len,
			     unsigned int flags)
{
	bool wake_reader;
	ssize_t result = lock(call, pipe, IPC_WRITE_SIDE);

	if (result)
		return result;
	if (ipc_pipe_has_no_reader(pipe)) {
		ipc_pipe_unlock(pipe);
		return broken_pipe();
	}
	if (is_full(pipe)) {
		result = may_wait(call, pipe, IPC_WRITE_SIDE);
		ipc_pipe_unlock(pipe);
		return result ?: wait_on(call, pipe, IPC_WRITE_SIDE);
	}
	ipc_count(&pipe->object, IPC_WRITE_ENTER, 1);
	result = read_file(in, pos, pipe, len, flags);
	wake_reader = wakes_reader(pipe, result);
	ipc_pipe_unlock(pipe);
	if (wake_reader)
		ipc_pipe_wake_reader(pipe);
	return result;
}

static ssize_t from_file(struct file *in, loff_t *off_in, struct ipc_pipe *pipe,
			 size_t len, bool nonblock, unsigned int flags)
{
	struct call call = {.nonblock = nonblock};
	loff_t *pos = off_in ? off_in : &in->f_pos;
	loff_t at = *pos;
	ssize_t result;

	if (off_in && !(in->f_mode & FMODE_PREAD))
		return -EINVAL;
	begin(&call, pipe, IPC_WRITE_ENTER, len, false);
	do {
		result = try_from_file(&call, in, &at, pipe, len, flags);
	} while (result == AGAIN);
	*pos = at;
	return end(&call, pipe, IPC_WRITE_RETURN, result, false);
}

/* The slots that hold the first @len bytes, lent: they stay in our pipe. */
static struct carrier *load(struct ipc_pipe *pipe, size_t len)
{
	u64 at = ring_indices(&pipe->ring);
	struct carrier *carrier = alloc_carrier(ring_used(at));
	u32 next = ring_tail(at);
	struct ipc_slot *slot, piece;

	while (carrier && len) {
		slot = next_slot(pipe, &next, true);
		if (!slot || !ipc_pipe_share(slot, len, &piece))
			break;
		give_to_real(&carrier->pipe, &piece);
		len -= piece.len;
	}
	return carrier;
}

/* Our mutex is held, and there are bytes. */
static ssize_t write_file(struct ipc_pipe *pipe, struct file *out, loff_t *pos,
			  size_t len, unsigned int flags)
{
	struct carrier *carrier = load(pipe, len);
	ssize_t done, left;
	size_t n;

	if (!carrier)
		return -ENOMEM;
	done = out->f_op->splice_write(&carrier->pipe, out, pos, len, flags);
	/* Before the slots are used again: it tells by the references. */
	free_carrier(carrier);
	for (left = done; left > 0; left -= n) {
		n = min_t(size_t, left, ring_tail_slot(&pipe->ring)->len);
		ipc_pipe_eat(pipe, n);
	}
	return done;
}

/* Return: what the call returns, or AGAIN. */
static ssize_t try_to_file(struct call *call, struct ipc_pipe *pipe,
			   struct file *out, loff_t *pos, size_t len,
			   unsigned int flags)
{
	bool wake_writer;
	ssize_t result;
	u32 tail;

	if (signal_pending(current))
		return -ERESTARTSYS;
	/* Outermost, as with the kernel; and not while there is nothing to write. */
	file_start_write(out);
	result = lock(call, pipe, IPC_READ_SIDE);
	if (result)
		goto out_end;
	if (is_empty(pipe) && pipe->writers) {
		result = may_wait(call, pipe, IPC_READ_SIDE);
		ipc_pipe_unlock(pipe);
		file_end_write(out);
		return result ?: wait_on(call, pipe, IPC_READ_SIDE);
	}
	ipc_count(&pipe->object, IPC_READ_ENTER, 1);
	if (is_empty(pipe)) {
		count_eof(pipe);
		ipc_pipe_unlock(pipe);
		goto out_end;
	}
	tail = tail_of(pipe);
	result = write_file(pipe, out, pos, len, flags);
	wake_writer = wakes_writer(pipe, tail);
	ipc_pipe_unlock(pipe);
	if (wake_writer)
		ipc_pipe_wake_writer(pipe);
out_end:
	file_end_write(out);
	return result;
}

static ssize_t to_file(struct ipc_pipe *pipe, struct file *out, loff_t *off_out,
		       size_t len, bool nonblock, unsigned int flags)
{
	struct call call = {.nonblock = nonblock};
	loff_t *pos = off_out ? off_out : &out->f_pos;
	loff_t at = *pos;
	ssize_t result;

	if ((off_out && !(out->f_mode & FMODE_PWRITE)) ||
	    (out->f_flags & O_APPEND))
		return -EINVAL;
	result = rw_verify_area(WRITE, out, &at, len);
	if (result < 0)
		return result;
	if (!out->f_op->splice_write)
		return -EINVAL;
	begin(&call, pipe, IPC_READ_ENTER, len, false);
	do {
		result = try_to_file(&call, pipe, out, &at, len, flags);
	} while (result == AGAIN);
	*pos = at;
	return end(&call, pipe, IPC_READ_RETURN, result, false);
}

/* --- memory --- */

#define PAGES_AT_ONCE 16

/*
 * Refer to pages of the process: what it writes there later shows in the pipe.
 * Our mutex is held.  Return: bytes, or an error.
 */
static ssize_t add_user_pages(struct ipc_pipe *pipe, struct iov_iter *from)
{
	struct page *pages[PAGES_AT_ONCE];
	struct ipc_slot piece;
	size_t start, room;
	ssize_t done = 0, left;
	unsigned int i;

	while (iov_iter_count(from) && !is_full(pipe)) {
		room = pipe->nr - ring_used(ring_indices(&pipe->ring));
		left = iov_iter_get_pages2(from, pages, SIZE_MAX,
					   min_t(size_t, room, PAGES_AT_ONCE),
					   &start);
		if (left <= 0)
			return done ? done : left;
		for (i = 0; left > 0; i++, start = 0) {
			piece = (struct ipc_slot){
				.page = pages[i],
				.offset = start,
				.len = min_t(size_t, left, PAGE_SIZE - start),
				.flags = IPC_SLOT_FOREIGN,
			};
			ipc_pipe_add(pipe, &piece);
			done += piece.len;
			left -= piece.len;
		}
	}
	return done;
}

static ssize_t try_from_memory(struct call *call, struct ipc_pipe *pipe,
			       struct iov_iter *from)
{
	bool wake_reader;
	ssize_t result = lock(call, pipe, IPC_WRITE_SIDE);

	if (result)
		return result;
	if (ipc_pipe_has_no_reader(pipe)) {
		ipc_pipe_unlock(pipe);
		return broken_pipe();
	}
	if (is_full(pipe)) {
		result = may_wait(call, pipe, IPC_WRITE_SIDE);
		ipc_pipe_unlock(pipe);
		return result ?: wait_on(call, pipe, IPC_WRITE_SIDE);
	}
	ipc_count(&pipe->object, IPC_WRITE_ENTER, 1);
	result = add_user_pages(pipe, from);
	wake_reader = wakes_reader(pipe, result);
	ipc_pipe_unlock(pipe);
	if (wake_reader)
		ipc_pipe_wake_reader(pipe);
	return result;
}

/* Only the flag of the call says whether these two wait, as with the kernel. */
ssize_t ipc_vmsplice_write(struct ipc_pipe *pipe, struct iov_iter *from,
			   unsigned int flags)
{
	struct call call = {.nonblock = flags & SPLICE_F_NONBLOCK};
	ssize_t result;

	begin(&call, pipe, IPC_WRITE_ENTER, iov_iter_count(from), false);
	do {
		result = try_from_memory(&call, pipe, from);
	} while (result == AGAIN);
	return end(&call, pipe, IPC_WRITE_RETURN, result, false);
}

/* Packets do not end it.  Return: bytes, or -EFAULT. */
static ssize_t copy_to_memory(struct ipc_pipe *pipe, struct iov_iter *to)
{
	struct ipc_slot *slot;
	ssize_t done = 0;
	size_t len;

	while (iov_iter_count(to)) {
		slot = ring_tail_slot(&pipe->ring);
		if (!slot)
			break;
		len = min_t(size_t, slot->len, iov_iter_count(to));
		if (copy_page_to_iter(slot->page, slot->offset, len, to) < len)
			return done ? done : -EFAULT;
		ipc_pipe_eat(pipe, len);
		done += len;
	}
	return done;
}

static ssize_t try_to_memory(struct call *call, struct ipc_pipe *pipe,
			     struct iov_iter *to)
{
	bool wake_writer;
	ssize_t result;
	u32 tail;

	if (signal_pending(current))
		return -ERESTARTSYS;
	result = lock(call, pipe, IPC_READ_SIDE);
	if (result)
		return result;
	if (is_empty(pipe) && pipe->writers) {
		result = may_wait(call, pipe, IPC_READ_SIDE);
		ipc_pipe_unlock(pipe);
		return result ?: wait_on(call, pipe, IPC_READ_SIDE);
	}
	ipc_count(&pipe->object, IPC_READ_ENTER, 1);
	if (is_empty(pipe))
		count_eof(pipe);
	tail = tail_of(pipe);
	result = copy_to_memory(pipe, to);
	wake_writer = wakes_writer(pipe, tail);
	ipc_pipe_unlock(pipe);
	if (wake_writer)
		ipc_pipe_wake_writer(pipe);
	return result;
}

ssize_t ipc_vmsplice_read(struct ipc_pipe *pipe, struct iov_iter *to,
			  unsigned int flags)
{
	struct call call = {.nonblock = flags & SPLICE_F_NONBLOCK};
	ssize_t result;

	begin(&call, pipe, IPC_READ_ENTER, iov_iter_count(to), false);
	do {
		result = try_to_memory(&call, pipe, to);
	} while (result == AGAIN);
	return end(&call, pipe, IPC_READ_RETURN, result, false);
}

/* --- which call --- */

ssize_t ipc_splice(struct file *in, loff_t *off_in, struct file *out,
		   loff_t *off_out, size_t len, unsigned int flags)
{
	struct pipe_inode_info *real_in, *real_out;
	struct ipc_pipe *from, *to;
	bool nonblock;

	if (!(in->f_mode & FMODE_READ) || !(out->f_mode & FMODE_WRITE))
		return -EBADF;
	from = ipc_pipe_of_file(in);
	to = ipc_pipe_of_file(out);
	real_in = from ? NULL : real_pipe_of(in);
	real_out = to ? NULL : real_pipe_of(out);
	if (!from && !to)
		return -EINVAL;
	if (((from || real_in) && off_in) || ((to || real_out) && off_out))
		return -ESPIPE;
	nonblock = (flags & SPLICE_F_NONBLOCK) ||
		   ((in->f_flags | out->f_flags) & O_NONBLOCK);
	if (from && to) {
		if (from == to)
			return -EINVAL;
		return between_ours(from, to, len, nonblock, false);
	}
	if (real_out)
		return to_real(from, real_out, len, nonblock, false);
	if (real_in)
		return ipc_splice_write(to, out, real_in, len,
					nonblock ? flags | SPLICE_F_NONBLOCK
						 : flags);
	/* The flag of a file that is no pipe is its own business. */
	nonblock = (flags & SPLICE_F_NONBLOCK) ||
		   ((from ? in : out)->f_flags & O_NONBLOCK);
	if (nonblock)
		flags |= SPLICE_F_NONBLOCK;
	return from ? to_file(from, out, off_out, len, nonblock, flags)
		    : from_file(in, off_in, to, len, nonblock, flags);
}

ssize_t ipc_tee(struct file *in, struct file *out, size_t len,
		unsigned int flags)
{
	struct pipe_inode_info *real;
	struct ipc_pipe *from, *to;
	bool nonblock;

	if (!(in->f_mode & FMODE_READ) || !(out->f_mode & FMODE_WRITE))
		return -EBADF;
	from = ipc_pipe_of_file(in);
	to = ipc_pipe_of_file(out);
	if (from == to)
		return -EINVAL;
	nonblock = (flags & SPLICE_F_NONBLOCK) ||
		   ((in->f_flags | out->f_flags) & O_NONBLOCK);
	if (from && to)
		return between_ours(from, to, len, nonblock, true);
	real = real_pipe_of(from ? out : in);
	if (!real)
		return -EINVAL;
	return from ? to_real(from, real, len, nonblock, true)
		    : tee_real(real, to, len, nonblock);
}

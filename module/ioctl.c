// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls: checks what comes from userspace, then calls one function
 *
 * Each call finds its object in one place (find_object) and holds a
 * reference while it works.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ipcdemo.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/splice.h>
#include <linux/time.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/user_namespace.h>

#include <asm/ioctls.h>

#include "gate.h"
#include "ioctl.h"
#include "owner.h"
#include "pipe.h"
#include "pipefs.h"
#include "region_default.h"
#include "region_file.h"
#include "splice.h"
#include "wait_word.h"
#include "waiter.h"

/* The size in a request number is the caller's: structs may grow. */
#define ALL_SEALS    (IPCDEMO_SEAL_SEAL | IPCDEMO_SEAL_SHRINK | IPCDEMO_SEAL_GROW)

#define NO_SIZE(cmd) ((cmd) & ~((unsigned int)IOCSIZE_MASK))

/*
 * Read a request.  @size is that of the struct as this module knows it, which
 * is that of its first version, too, as long as none has grown.
 *
 * Return: 0, -EFAULT, -EINVAL (too small), -E2BIG (a member that is not known
 * here is not 0).
 */
static int get_request(void *request, size_t size, void __user *from)
{
	u32 theirs;

	if (get_user(theirs, (u32 __user *)from))
		return -EFAULT;
	if (theirs < size)
		return -EINVAL;
	if (theirs > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(request, size, from, theirs);
}

static int put_reply(void __user *to, const void *reply, size_t size)
{
	return copy_to_user(to, reply, size) ? -EFAULT : 0;
}

/*
 * Arrays.  An element has a size of the caller's, too, which is the distance
 * from one to the next there; @size is that of the struct as it is known here.
 */

static int check_element_size(u32 theirs, size_t size)
{
	if (theirs < size)
		return -EINVAL;
	return theirs > PAGE_SIZE ? -E2BIG : 0;
}

static int get_elements(void *elements, size_t size, const void __user *from,
			u32 theirs, u32 nr)
{
	int err = 0;
	u32 i;

	for (i = 0; i < nr && !err; i++)
		err = copy_struct_from_user(elements + i * size, size,
					    from + i * (size_t)theirs, theirs);
	return err;
}

static int put_elements(void __user *to, u32 theirs, const void *elements,
			size_t size, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++, to += theirs, elements += size) {
		if (copy_to_user(to, elements, size) ||
		    clear_user(to + size, theirs - size))
			return -EFAULT;
	}
	return 0;
}

/* --- which object --- */

/* The default one of a kind; of a control descriptor. */
static struct ipc_object *default_object(struct file *file, enum ipc_kind kind)
{
	const struct ipc_control *control = file->private_data;

	if (kind == IPC_KIND_PIPE)
		return &control->defaults->pipe->object;
	return &control->defaults->region->object;
}

/*
 * What a call on @file is about, with a reference, or ERR_PTR.  @own is the
 * object of the descriptor; NULL: it is a control descriptor.
 */
static struct ipc_object *find_object(struct file *file, struct ipc_object *own,
				      u32 id, enum ipc_kind kind)
{
	struct ipc_object *object;

	if (own && id && id != own->id)
		return ERR_PTR(-EINVAL);
	if (!id)
		id = (own ? own : default_object(file, kind))->id;
	object = ipc_object_get(id, kind);
	return object ? object : ERR_PTR(-ENOENT);
}

/*
 * The same, as a pipe.  @mask is what the call needs if it names one by number:
 * MAY_READ, MAY_WRITE or 0.
 */
static struct ipc_pipe *find_pipe(struct file *file, struct ipc_pipe *own,
				  u32 id, int mask)
{
	struct ipc_object *object;
	int err = 0;

	object =
		find_object(file, own ? &own->object : NULL, id, IPC_KIND_PIPE);
	if (IS_ERR(object))
		return ERR_CAST(object);
	/* Whoever opened the device was asked already, for its pipe. */
	if (!own && object != default_object(file, IPC_KIND_PIPE))
		err = ipc_object_may(object, mask);
	if (err) {
		ipc_object_put(object);
		return ERR_PTR(err);
	}
	return ipc_pipe_of(object);
}

static struct ipc_region *find_region(struct file *file, struct ipc_region *own,
				      u32 id)
{
	struct ipc_object *object;

	object = find_object(file, own ? &own->object : NULL, id,
			     IPC_KIND_REGION);
	return IS_ERR(object) ? ERR_CAST(object) : ipc_region_of(object);
}

/* --- the calls; own is NULL on a control descriptor --- */

static long pipe_stat(struct file *file, struct ipc_pipe *own, void __user *arg)
{
	struct ipcdemo_pipe_stat stat;
	struct ipc_pipe_look look;
	struct ipc_pipe *pipe;
	int err;

	err = get_request(&stat, sizeof(stat), arg);
	if (err)
		return err;
	if (stat.flags)
		return -EINVAL;
	pipe = find_pipe(file, own, stat.id, 0);
	if (IS_ERR(pipe))
		return PTR_ERR(pipe);

	/* Cannot fail: no copy of the slots is asked for. */
	ipc_pipe_look(pipe, &look, NULL);
	stat = (struct ipcdemo_pipe_stat){
		.size = sizeof(stat),
		.id = pipe->object.id,
		.flags = look.torn ? IPCDEMO_STAT_TORN : 0,
		.persistence = READ_ONCE(pipe->keep) ? IPCDEMO_PERSIST_KERNEL
						     : IPCDEMO_PERSIST_PROCESS,
		.owner = from_kuid_munged(current_user_ns(),
					  READ_ONCE(pipe->object.owner)),
		.mode = READ_ONCE(pipe->object.mode),
		.slots = look.nr,
		.used = ring_used(look.indices),
		.head = ring_head(look.indices),
		.tail = ring_tail(look.indices),
		.readers = READ_ONCE(pipe->readers),
		.writers = READ_ONCE(pipe->writers),
		.read_waiters = ipc_waiters_count(&pipe->read_queue, NULL),
		.write_waiters = ipc_waiters_count(&pipe->write_queue, NULL),
		.open_waiters = ipc_waiters_count(&pipe->open_queue, NULL),
		.spare = look.spare,
		.bytes = look.bytes,
		.capacity = (u64)look.nr << PAGE_SHIFT,
	};
	ipc_object_put(&pipe->object);
	return put_reply(arg, &stat, sizeof(stat));
}

static long region_stat(struct file *file, struct ipc_region *own,
			void __user *arg)
{
	struct ipcdemo_region_stat stat;
	struct ipc_region *region;
	int err;

	err = get_request(&stat, sizeof(stat), arg);
	if (err)
		return err;
	if (stat.flags || stat.seals)
		return -EINVAL;
	region = find_region(file, own, stat.id);
	if (IS_ERR(region))
		return PTR_ERR(region);

	stat = (struct ipcdemo_region_stat){
		.size = sizeof(stat),
		.id = region->object.id,
		.owner = from_kuid_munged(current_user_ns(),
					  READ_ONCE(region->object.owner)),
		.mode = READ_ONCE(region->object.mode),
		.files = atomic_read(&region->files),
		.maps = atomic_read(&region->maps),
		.seals = READ_ONCE(region->seals),
		.length = READ_ONCE(region->size),
		.pages = ipc_region_pages(region),
		.page_size = PAGE_SIZE,
	};
	ipc_object_put(&region->object);
	return put_reply(arg, &stat, sizeof(stat));
}

static long peek(struct file *file, struct ipc_pipe *own, void __user *arg)
{
	struct ipcdemo_peek request;
	struct ipc_pipe *pipe;
	struct iov_iter to;
	ssize_t done;
	int err;

	if (own && !(file->f_mode & FMODE_READ))
		return -EBADF;
	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if (request.flags || request.pad)
		return -EINVAL;
	if (request.len > MAX_RW_COUNT)
		request.len = MAX_RW_COUNT;
	if (!access_ok(u64_to_user_ptr(request.buf), request.len))
		return -EFAULT;
	iov_iter_ubuf(&to, ITER_DEST, u64_to_user_ptr(request.buf),
		      request.len);
	pipe = find_pipe(file, own, request.id, MAY_READ);
	if (IS_ERR(pipe))
		return PTR_ERR(pipe);
	done = ipc_pipe_peek(pipe, request.skip, &to, &request.bytes);
	ipc_object_put(&pipe->object);
	if (done < 0)
		return done;
	request.len = done;
	return put_reply(arg, &request, sizeof(request));
}

static int get_capacity(struct ipc_pipe *pipe, u64 *value)
{
	*value = ipc_pipe_capacity(pipe);
	return 0;
}

static int get_persistence(struct ipc_pipe *pipe, u64 *value)
{
	*value = READ_ONCE(pipe->keep) ? IPCDEMO_PERSIST_KERNEL
				       : IPCDEMO_PERSIST_PROCESS;
	return 0;
}

static int set_persistence(struct ipc_pipe *pipe, u64 *value)
{
	switch (*value) {
	case IPCDEMO_PERSIST_PROCESS:
		return ipc_pipe_set_keep(pipe, false);
	case IPCDEMO_PERSIST_KERNEL:
		return ipc_pipe_set_keep(pipe, true);
	default:
		return -EINVAL;
	}
}

static long attribute(struct file *file, struct ipc_pipe *own, void __user *arg,
		      int (*call)(struct ipc_pipe *pipe, u64 *value), int mask)
{
	struct ipcdemo_attr request;
	struct ipc_pipe *pipe;
	int err;

	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if (request.flags || request.pad)
		return -EINVAL;
	/* Find out that the reply cannot be written before a change is made. */
	err = put_reply(arg, &request, sizeof(request));
	if (err)
		return err;
	pipe = find_pipe(file, own, request.id, mask);
	if (IS_ERR(pipe))
		return PTR_ERR(pipe);
	err = call(pipe, &request.value);
	ipc_object_put(&pipe->object);
	if (err)
		return err;
	return put_reply(arg, &request, sizeof(request));
}

/* Return: the descriptor, or the error that stands in for @file. */
static int install(int fd, struct file *file)
{
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

static long region_fd(struct file *file, void __user *arg)
{
	struct ipcdemo_region_fd request;
	struct ipc_region *region;
	int err, fd;

	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if ((request.flags & ~O_CLOEXEC) || request.pad)
		return -EINVAL;
	region = find_region(file, NULL, request.id);
	if (IS_ERR(region))
		return PTR_ERR(region);
	/* The others are opened by their names, as files are. */
	if (&region->object == default_object(file, IPC_KIND_REGION)) {
		fd = get_unused_fd_flags(request.flags);
		if (fd >= 0)
			fd = install(fd, ipc_region_file(region));
	} else {
		fd = -EINVAL;
	}
	ipc_object_put(&region->object);
	return fd;
}

static long region_make(void __user *arg)
{
	struct ipcdemo_region_make request;
	int err, fd;

	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if (request.flags & ~O_CLOEXEC)
		return -EINVAL;
	fd = get_unused_fd_flags(request.flags);
	if (fd < 0)
		return fd;
	return install(fd, ipc_region_create(request.length));
}

/* On a descriptor of the region alone: @add or get. */
static long region_seals(struct file *file, void __user *arg, bool add)
{
	struct ipc_region *region = ipc_region_of_file(file);
	struct ipcdemo_attr request;
	int err;

	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if (request.flags || request.pad ||
	    (request.id && request.id != region->object.id))
		return -EINVAL;
	/* Find out that the reply cannot be written before a change is made. */
	err = put_reply(arg, &request, sizeof(request));
	if (err)
		return err;
	if (add) {
		if (request.value & ~(u64)ALL_SEALS)
			return -EINVAL;
		if (!(file->f_mode & FMODE_WRITE))
			return -EPERM;
		err = ipc_region_add_seals(file_inode(file), request.value);
		if (err)
			return err;
	}
	request.id = region->object.id;
	request.value = READ_ONCE(region->seals);
	return put_reply(arg, &request, sizeof(request));
}

/* --- words of a region; on a descriptor of it alone --- */

static bool is_open_for(const struct file *file, fmode_t mode)
{
	return (file->f_mode & mode) == mode;
}

static int check_wait(const struct file *file, const struct ipc_word_wait *wait)
{
	if (wait->clock != CLOCK_MONOTONIC && wait->clock != CLOCK_REALTIME)
		return -EINVAL;
	return ipc_word_check(file, wait->offset);
}

static long word_wait(struct file *file, void __user *arg)
{
	struct ipcdemo_wait request;
	struct ipc_word_wait wait;
	int err;

	if (!is_open_for(file, FMODE_READ))
		return -EBADF;
	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if (request.flags)
		return -EINVAL;
	wait = (struct ipc_word_wait){request.offset, request.expected,
				      request.clock, request.deadline_ns};
	return check_wait(file, &wait) ?: ipc_word_wait(file, &wait);
}

static long word_wake(struct file *file, void __user *arg)
{
	struct ipcdemo_wake request;
	int err;

	if (!is_open_for(file, FMODE_WRITE))
		return -EBADF;
	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if (request.flags || request.zero || !request.count)
		return -EINVAL;
	return ipc_word_check(file, request.offset)
		       ?: ipc_word_wake(file, request.offset, request.count);
}

static long word_wake_wait(struct file *file, void __user *arg)
{
	struct ipcdemo_wake_wait request;
	struct ipc_word_wait wait;
	int err;

	if (!is_open_for(file, FMODE_READ | FMODE_WRITE))
		return -EBADF;
	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if (request.flags)
		return -EINVAL;
	wait = (struct ipc_word_wait){request.offset, request.expected,
				      request.clock, request.deadline_ns};
	err = ipc_word_check(file, request.wake_offset)
		      ?: check_wait(file, &wait);
	if (err)
		return err;
	/* Find out that the reply cannot be written before anybody is woken. */
	err = put_reply(arg, &request, sizeof(request))
		      ?: ipc_word_prepare(file);
	if (err)
		return err;
	if (request.wake_count) {
		request.woken = ipc_word_wake(file, request.wake_offset,
					      request.wake_count);
		/* A signal may have the same request come again: nobody twice. */
		request.wake_count = 0;
		err = put_reply(arg, &request, sizeof(request));
		if (err)
			return err;
	}
	return ipc_word_wait(file, &wait);
}

static long word_event(struct file *file, void __user *arg)
{
	struct ipcdemo_word_event request;
	int err;

	if (!is_open_for(file, FMODE_READ))
		return -EBADF;
	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if (request.flags || request.zero)
		return -EINVAL;
	err = ipc_word_check(file, request.offset);
	/* A word that was cut off may be bound still. */
	if (request.eventfd == -1 && err != -EINVAL)
		return ipc_word_unbind(file, request.offset);
	return err ? err : ipc_word_bind(file, request.offset, request.eventfd);
}

static int check_table(const struct file *file,
		       const struct ipcdemo_owner *request)
{
	u64 size = i_size_read(file_inode(file));
	u64 length = request->entries * sizeof(u64);

	if (request->offset % sizeof(u64) || !request->entries ||
	    request->entries > IPC_MOST_ENTRIES)
		return -EINVAL;
	if (size < length || request->offset > size - length)
		return -EFAULT;
	return 0;
}

static long owner(struct file *file, void __user *arg)
{
	struct ipcdemo_owner request;
	int err, put;

	if (!is_open_for(file, FMODE_WRITE))
		return -EBADF;
	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if (request.flags)
		return -EINVAL;
	err = check_table(file, &request);
	if (err)
		return err;
	/* Find out that the reply cannot be written before a change is made. */
	err = put_reply(arg, &request, sizeof(request));
	if (err)
		return err;
	err = ipc_owner_register(file, request.offset, request.entries,
				 &request.owner);
	if (err && err != -EEXIST)
		return err;
	put = put_reply(arg, &request, sizeof(request));
	return put ? put : err;
}

/* The share is given up in control_release(). */
static int keep_mount(struct ipc_control *control)
{
	int err;

	if (atomic_read(&control->makes_pipes))
		return 0;
	err = ipc_pipefs_pin();
	if (err)
		return err;
	if (atomic_cmpxchg(&control->makes_pipes, 0, 1))
		ipc_pipefs_unpin();
	return 0;
}

/* As do_pipe2(): the order of the errors is part of the contract. */
static long pipe_make(struct ipc_control *control, void __user *arg)
{
	struct ipcdemo_pipe_make request;
	struct file *files[2];
	int fds[2], err;

	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if (request.flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		return -EINVAL;
	err = keep_mount(control);
	if (!err)
		err = ipc_pipefs_create(files, request.flags, request.capacity);
	if (err)
		return err;
	err = get_unused_fd_flags(request.flags);
	if (err < 0)
		goto err_files;
	fds[0] = err;
	err = get_unused_fd_flags(request.flags);
	if (err < 0)
		goto err_first;
	fds[1] = err;
	err = put_reply(u64_to_user_ptr(request.fds), fds, sizeof(fds));
	if (err)
		goto err_second;
	fd_install(fds[0], files[0]);
	fd_install(fds[1], files[1]);
	return 0;

err_second:
	put_unused_fd(fds[1]);
err_first:
	put_unused_fd(fds[0]);
err_files:
	fput(files[0]);
	fput(files[1]);
	return err;
}

/* Return: 0 or -EFAULT; *pointer is NULL if there is none. */
static int get_offset(u64 from, loff_t *offset, loff_t **pointer)
{
	*pointer = NULL;
	if (!from)
		return 0;
	*pointer = offset;
	if (copy_from_user(offset, u64_to_user_ptr(from), sizeof(*offset)))
		return -EFAULT;
	return 0;
}

static int put_offset(u64 to, const loff_t *offset)
{
	return to ? put_reply(u64_to_user_ptr(to), offset, sizeof(*offset)) : 0;
}

/* As __do_splice(): the order of the errors is part of the contract. */
static long splice_files(struct file *in, struct file *out,
			 const struct ipcdemo_splice *request)
{
	loff_t offset_in, offset_out, *off_in, *off_out;
	ssize_t done;
	int err;

	if ((request->off_in && ipc_is_pipe(in)) ||
	    (request->off_out && ipc_is_pipe(out)))
		return -ESPIPE;
	err = get_offset(request->off_out, &offset_out, &off_out);
	if (!err)
		err = get_offset(request->off_in, &offset_in, &off_in);
	if (err)
		return err;
	done = ipc_splice(in, off_in, out, off_out, request->len,
			  request->flags);
	if (done < 0)
		return done;
	err = put_offset(request->off_out, &offset_out);
	if (!err)
		err = put_offset(request->off_in, &offset_in);
	return err ? err : done;
}

static long splice(void __user *arg, bool tee)
{
	struct ipcdemo_splice request;
	struct file *in, *out;
	long done;
	int err;

	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if ((request.flags & ~SPLICE_F_ALL) ||
	    (tee && (request.off_in || request.off_out)))
		return -EINVAL;
	if (!request.len)
		return 0;
	request.len = min_t(u64, request.len, MAX_RW_COUNT);
	in = fget(request.in);
	if (!in)
		return -EBADF;
	out = fget(request.out);
	done = -EBADF;
	if (out && tee)
		done = ipc_tee(in, out, request.len, request.flags);
	else if (out)
		done = splice_files(in, out, &request);
	if (out)
		fput(out);
	fput(in);
	return done;
}

/* As the system call: writes if the descriptor can be written to. */
static long vmsplice(struct file *file, struct ipc_pipe *pipe, void __user *arg)
{
	bool writes = file->f_mode & FMODE_WRITE;
	struct iovec few[UIO_FASTIOV], *iov = few;
	struct ipcdemo_vmsplice request;
	struct iov_iter iter;
	ssize_t done;
	int err;

	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if (request.flags & ~SPLICE_F_ALL)
		return -EINVAL;
	if (!writes && !(file->f_mode & FMODE_READ))
		return -EBADF;
	if (request.count > UIO_MAXIOV)
		return -EINVAL;
	done = import_iovec(writes ? ITER_SOURCE : ITER_DEST,
			    u64_to_user_ptr(request.iov), request.count,
			    ARRAY_SIZE(few), &iov, &iter);
	if (done < 0)
		return done;
	if (!iov_iter_count(&iter))
		done = 0;
	else if (writes)
		done = ipc_vmsplice_write(pipe, &iter, request.flags);
	else
		done = ipc_vmsplice_read(pipe, &iter, request.flags);
	kfree(iov);
	return done;
}

static long fionread(struct ipc_pipe *pipe, int __user *arg)
{
	u64 bytes;
	int err;

	err = ipc_pipe_bytes(pipe, &bytes);
	if (err)
		return err;
	return put_user((int)bytes, arg);
}

/* --- gates --- */

/* The most elements of an array that a call takes. */
#define MOST_ELEMENTS 1024

/* The object that a gate is for, with a reference, or ERR_PTR. */
static struct ipc_object *find_gated(struct ipc_control *control, u32 id)
{
	struct ipc_object *object;

	if (!id)
		id = control->defaults->pipe->object.id;
	object = ipc_object_get(id, IPC_KIND_PIPE);
	if (!object)
		object = ipc_object_get(id, IPC_KIND_REGION);
	if (!object)
		return ERR_PTR(-ENOENT);
	if (!uid_eq(current_fsuid(), READ_ONCE(object->owner)) &&
	    !capable(CAP_SYS_ADMIN)) {
		ipc_object_put(object);
		return ERR_PTR(-EPERM);
	}
	return object;
}

static long gate_add(struct ipc_control *control, void __user *arg)
{
	struct ipcdemo_gate request;
	struct ipc_object *object;
	int err;

	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if (request.flags || request.pid < 0)
		return -EINVAL;
	object = find_gated(control, request.id);
	if (IS_ERR(object))
		return PTR_ERR(object);
	request.id = object->id;
	/* Somebody may be held at once: find a bad pointer before. */
	err = put_reply(arg, &request, sizeof(request));
	if (!err)
		err = ipc_gate_add(control->controller, object, &request);
	ipc_object_put(object);
	if (err)
		return err;
	err = put_reply(arg, &request, sizeof(request));
	if (err)
		ipc_gate_remove(control->controller, request.gate);
	return err;
}

static long gate_remove(struct ipc_control *control, void __user *arg)
{
	struct ipcdemo_gate request;
	int err;

	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if (request.flags)
		return -EINVAL;
	return ipc_gate_remove(control->controller, request.gate);
}

static long gate_list(struct ipc_control *control, void __user *arg)
{
	struct ipcdemo_gates request;
	struct ipcdemo_gate *list;
	u32 room;
	int err;

	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if (request.flags || request.count > MOST_ELEMENTS)
		return -EINVAL;
	err = check_element_size(request.element_size, sizeof(*list));
	if (err)
		return err;
	room = request.count;
	list = kvcalloc(room, sizeof(*list), GFP_KERNEL_ACCOUNT);
	if (room && !list)
		return -ENOMEM;
	request.count = ipc_gate_list(control->controller, list, room);
	err = put_elements(u64_to_user_ptr(request.gates), request.element_size,
			   list, sizeof(*list), min(room, request.count));
	kvfree(list);
	return err ? err : put_reply(arg, &request, sizeof(request));
}

static long gate_wait(struct ipc_control *control, void __user *arg)
{
	struct ipcdemo_gate_wait request;
	int err;

	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if (request.flags || request.pad || request.timeout_ms < -1)
		return -EINVAL;
	/* An arrival is told once: find a bad pointer before one is taken. */
	err = put_reply(arg, &request, sizeof(request));
	if (err)
		return err;
	err = ipc_gate_wait(control->controller, request.timeout_ms,
			    &request.arrival);
	/* A restarted call would wait for the whole time again. */
	if (err == -ERESTARTSYS && request.timeout_ms >= 0)
		err = -EINTR;
	return err ? err : put_reply(arg, &request, sizeof(request));
}

static long gate_go(struct ipc_control *control, void __user *arg)
{
	struct ipcdemo_gate_go request;
	int err;

	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if ((request.flags & ~(IPCDEMO_GO_STEP | IPCDEMO_GO_FREE)) ||
	    request.pad || request.pid <= 0)
		return -EINVAL;
	return ipc_gate_go(control->controller, request.pid, request.flags);
}

/*
 * Whether all are at rest at one moment.  The tasks are looked at one by one, so
 * one could wake another behind the look's back: but who is at rest in two
 * rounds, and was not switched to in between, was at rest between the rounds.
 */
static bool all_quiet(const struct ipc_controller *controller,
		      struct ipcdemo_arrival *tasks, u64 *first, u64 *second,
		      u32 nr)
{
	return ipc_tasks_look(controller, tasks, first, nr) &&
	       ipc_tasks_look(controller, tasks, second, nr) &&
	       !memcmp(first, second, nr * sizeof(*first));
}

/* There is no event for a task that falls asleep elsewhere: look again. */
static int wait_quiet(const struct ipc_controller *controller,
		      struct ipcdemo_arrival *tasks, u64 *first, u64 *second,
		      u32 nr, s32 timeout_ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(max(timeout_ms, 0));

	while (!all_quiet(controller, tasks, first, second, nr)) {
		if (signal_pending(current))
			return -EINTR;
		if (timeout_ms >= 0 && time_after_eq(jiffies, end))
			return -ETIMEDOUT;
		usleep_range(20, 100);
	}
	return 0;
}

static long look_at_tasks(struct ipc_control *control, void __user *arg)
{
	struct ipcdemo_arrival *tasks;
	struct ipcdemo_tasks request;
	u64 *first, *second;
	void __user *array;
	int err, result = 0;
	u32 nr;

	err = get_request(&request, sizeof(request), arg);
	if (err)
		return err;
	if ((request.flags & ~(IPCDEMO_TASKS_QUIET | IPCDEMO_TASKS_HELD)) ||
	    request.flags == (IPCDEMO_TASKS_QUIET | IPCDEMO_TASKS_HELD) ||
	    request.timeout_ms < -1 || request.count > MOST_ELEMENTS ||
	    request.pad)
		return -EINVAL;
	err = check_element_size(request.element_size, sizeof(*tasks));
	if (err)
		return err;
	array = u64_to_user_ptr(request.tasks);
	nr = request.count;
	/* The array, and behind it two counters for each element. */
	tasks = kvcalloc(nr, sizeof(*tasks) + 2 * sizeof(*first),
			 GFP_KERNEL_ACCOUNT);
	if (nr && !tasks)
		return -ENOMEM;
	first = (u64 *)(tasks + nr);
	second = first + nr;

	if (request.flags & IPCDEMO_TASKS_HELD) {
		request.count = ipc_tasks_held(control->controller, tasks, nr);
		nr = min(nr, request.count);
	} else {
		err = get_elements(tasks, sizeof(*tasks), array,
				   request.element_size, nr);
		if (!err && (request.flags & IPCDEMO_TASKS_QUIET))
			result = wait_quiet(control->controller, tasks, first,
					    second, nr, request.timeout_ms);
		else if (!err)
			ipc_tasks_look(control->controller, tasks, first, nr);
	}
	if (!err)
		err = put_elements(array, request.element_size, tasks,
				   sizeof(*tasks), nr);
	kvfree(tasks);
	if (!err)
		err = put_reply(arg, &request, sizeof(request));
	return err ? err : result;
}

/* --- which call --- */

static bool is_control_call(unsigned int cmd)
{
	switch (NO_SIZE(cmd)) {
	case NO_SIZE(IPCDEMO_IOC_REGION_FD):
	case NO_SIZE(IPCDEMO_IOC_REGION_MAKE):
	case NO_SIZE(IPCDEMO_IOC_PIPE):
	case NO_SIZE(IPCDEMO_IOC_GATE_ADD):
	case NO_SIZE(IPCDEMO_IOC_GATE_REMOVE):
	case NO_SIZE(IPCDEMO_IOC_GATE_LIST):
	case NO_SIZE(IPCDEMO_IOC_GATE_WAIT):
	case NO_SIZE(IPCDEMO_IOC_GATE_GO):
	case NO_SIZE(IPCDEMO_IOC_TASKS):
		return true;
	default:
		return false;
	}
}

static long pipe_ioctl(struct file *file, struct ipc_pipe *own,
		       unsigned int cmd, void __user *arg)
{
	switch (NO_SIZE(cmd)) {
	case NO_SIZE(IPCDEMO_IOC_PIPE_STAT):
		return pipe_stat(file, own, arg);
	case NO_SIZE(IPCDEMO_IOC_PEEK):
		return peek(file, own, arg);
	case NO_SIZE(IPCDEMO_IOC_GET_CAPACITY):
		return attribute(file, own, arg, get_capacity, 0);
	case NO_SIZE(IPCDEMO_IOC_SET_CAPACITY):
		return attribute(file, own, arg, ipc_pipe_resize, MAY_WRITE);
	case NO_SIZE(IPCDEMO_IOC_GET_PERSISTENCE):
		return attribute(file, own, arg, get_persistence, 0);
	case NO_SIZE(IPCDEMO_IOC_SET_PERSISTENCE):
		return attribute(file, own, arg, set_persistence, MAY_WRITE);
	case NO_SIZE(IPCDEMO_IOC_SPLICE):
		return splice(arg, false);
	case NO_SIZE(IPCDEMO_IOC_TEE):
		return splice(arg, true);
	default:
		return -ENOTTY;
	}
}

long ipc_control_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct ipc_control *control = file->private_data;
	void __user *argp = (void __user *)arg;

	switch (NO_SIZE(cmd)) {
	case NO_SIZE(IPCDEMO_IOC_REGION_STAT):
		return region_stat(file, NULL, argp);
	case NO_SIZE(IPCDEMO_IOC_REGION_FD):
		return region_fd(file, argp);
	case NO_SIZE(IPCDEMO_IOC_REGION_MAKE):
		return region_make(argp);
	case NO_SIZE(IPCDEMO_IOC_PIPE):
		return pipe_make(control, argp);
	case NO_SIZE(IPCDEMO_IOC_GATE_ADD):
		return gate_add(control, argp);
	case NO_SIZE(IPCDEMO_IOC_GATE_REMOVE):
		return gate_remove(control, argp);
	case NO_SIZE(IPCDEMO_IOC_GATE_LIST):
		return gate_list(control, argp);
	case NO_SIZE(IPCDEMO_IOC_GATE_WAIT):
		return gate_wait(control, argp);
	case NO_SIZE(IPCDEMO_IOC_GATE_GO):
		return gate_go(control, argp);
	case NO_SIZE(IPCDEMO_IOC_TASKS):
		return look_at_tasks(control, argp);
	default:
		return pipe_ioctl(file, NULL, cmd, argp);
	}
}

long ipc_end_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct ipc_pipe *pipe = file->private_data;
	void __user *argp = (void __user *)arg;

	if (cmd == FIONREAD)
		return fionread(pipe, argp);
	if (NO_SIZE(cmd) == NO_SIZE(IPCDEMO_IOC_VMSPLICE))
		return vmsplice(file, pipe, argp);
	if (is_control_call(cmd))
		return -EBADF;
	return pipe_ioctl(file, pipe, cmd, argp);
}

long ipc_region_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct ipc_region *region = ipc_region_of_file(file);
	void __user *argp = (void __user *)arg;

	switch (NO_SIZE(cmd)) {
	case NO_SIZE(IPCDEMO_IOC_REGION_STAT):
		return region_stat(file, region, argp);
	case NO_SIZE(IPCDEMO_IOC_GET_SEALS):
		return region_seals(file, argp, false);
	case NO_SIZE(IPCDEMO_IOC_ADD_SEALS):
		return region_seals(file, argp, true);
	case NO_SIZE(IPCDEMO_IOC_WAIT):
		return word_wait(file, argp);
	case NO_SIZE(IPCDEMO_IOC_WAKE):
		return word_wake(file, argp);
	case NO_SIZE(IPCDEMO_IOC_WAKE_WAIT):
		return word_wake_wait(file, argp);
	case NO_SIZE(IPCDEMO_IOC_WORD_EVENT):
		return word_event(file, argp);
	case NO_SIZE(IPCDEMO_IOC_OWNER):
		return owner(file, argp);
	default:
		return is_control_call(cmd) ? -EBADF : -ENOTTY;
	}
}

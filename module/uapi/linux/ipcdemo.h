/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * ipcdemo: the contract between the module and programs
 *
 * /dev/ipcdemo is two objects behind one name:
 *
 *   the default pipe    open(2), read(2), write(2), poll(2): a FIFO.  O_RDONLY
 *                       and O_WRONLY are its ends, O_RDWR is both of them.
 *   the default region  mmap(2) of a descriptor that is open O_RDWR.
 *
 * Opened with access mode 3 (IPCDEMO_O_CONTROL) the device gives a *control
 * descriptor*: neither reader nor writer, good for the calls below and nothing
 * else, so that looking at a pipe never changes who has it open.  open(2) asks
 * for read and write permission in that mode.
 *
 * Conventions of every call
 *
 *  - The request is a struct.  Its first member, size, is sizeof the struct as
 *    the caller knows it; a struct may only grow, at its end.  A caller that is
 *    newer than the module may pass a larger one: members that the module does
 *    not know must be 0 on input (else E2BIG), and are 0 on output.  A size
 *    below that of the first version of the struct is EINVAL, one above that
 *    of a page E2BIG.  The same rules hold for each element of an array, whose
 *    size element_size says; what is only output is not looked at on input.
 *  - id names an object (the first column of /proc/ipcdemo/pipes and regions).
 *    0 means the object of the descriptor; on a control descriptor, the default
 *    one.  A descriptor that is an end of a pipe, or a region, takes its own id
 *    or 0 and nothing else (EINVAL).  On a control descriptor an id that is not
 *    there, or is an object of the other kind, is ENOENT.  Who names another than
 *    the default objects must own the object, with the permission to read to see
 *    what is in it, to write to change it, or have CAP_DAC_OVERRIDE (EACCES).
 *  - Members marked "0" must be 0, and flags hold only bits named here: EINVAL.
 *  - A bad pointer is EFAULT, and then nothing has changed (unless the memory
 *    of the request was unmapped while the call was at work).
 *  - A request number that is not listed here is ENOTTY, and so is a call on a
 *    descriptor of another kind than it says.  FIONREAD works on an end of a
 *    pipe, as in pipe(7), and the kernel's own FIOCLEX, FIONBIO, FIOASYNC, …
 *    as on any file.
 *  - Calls return 0 unless their description says otherwise.
 *  - All members have the same size and place in 32-bit programs.
 */
#ifndef _UAPI_LINUX_IPCDEMO_H
#define _UAPI_LINUX_IPCDEMO_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* What modinfo and /proc/ipcdemo/version say. */
#define IPCDEMO_VERSION	     "0.1.0"

/* Rises when a program built against an older header could misbehave. */
#define IPCDEMO_UAPI_VERSION 1

/* The access mode for open(2) that gives a control descriptor. */
#define IPCDEMO_O_CONTROL    3

/* How long the bytes in a pipe live. */
enum ipcdemo_persistence {
	/*
	 * While somebody has an end open, as in pipe(7).  The last close drops
	 * the bytes and gives the pipe its default capacity back.
	 */
	IPCDEMO_PERSIST_PROCESS = 0,

	/*
	 * Until they are read.  Opens do not wait for the other side, writing
	 * needs no reader (no EPIPE, no ENXIO), reading an empty pipe that
	 * nobody has open for writing is end of file.
	 */
	IPCDEMO_PERSIST_KERNEL = 1,
};

/**
 * struct ipcdemo_pipe_stat - the state of a pipe
 * @size:	in: sizeof this struct; out: how many bytes of it the module knows
 * @id:		in: which pipe; out: its id
 * @flags:	in: 0; out: IPCDEMO_STAT_* bits
 * @persistence: enum ipcdemo_persistence
 * @owner:	user id of the owner, in the user namespace of the caller
 * @mode:	permission bits
 * @slots:	how many slots the ring has, a power of two
 * @used:	slots that hold bytes: head - tail
 * @head:	index of the next slot to be written; free-running, modulo 2^32
 * @tail:	index of the next slot to be read; free-running, modulo 2^32
 * @readers:	open files with the read end, and opens that wait for a writer
 * @writers:	open files with the write end, and opens that wait for a reader
 * @read_waiters: tasks that wait in read(2)
 * @write_waiters: tasks that wait in write(2)
 * @open_waiters: tasks that wait in open(2) for the other side
 * @spare:	pages kept in slots that hold no bytes
 * @bytes:	bytes in the pipe: what FIONREAD says
 * @capacity:	slots, in bytes: what F_GETPIPE_SZ would say
 *
 * @slots to @tail, @spare and @bytes are of one instant (unless
 * IPCDEMO_STAT_TORN is set), the other members each of a moment near it.
 */
struct ipcdemo_pipe_stat {
	__u32 size;
	__u32 id;
	__u32 flags;
	__u32 persistence;
	__u32 owner;
	__u32 mode;
	__u32 slots;
	__u32 used;
	__u32 head;
	__u32 tail;
	__u32 readers;
	__u32 writers;
	__u32 read_waiters;
	__u32 write_waiters;
	__u32 open_waiters;
	__u32 spare;
	__u64 bytes;
	__u64 capacity;
};

/*
 * The pipe changed so fast that no consistent look at the ring could be had
 * without stopping it.  Each number was true at some moment; they need not fit
 * each other.
 */
#define IPCDEMO_STAT_TORN 0x1

/**
 * struct ipcdemo_region_stat - the state of a region
 * @size:	in: sizeof this struct; out: how many bytes of it the module knows
 * @id:		in: which region; out: its id
 * @flags:	in: 0; out: 0
 * @owner:	user id of the owner, in the user namespace of the caller
 * @mode:	permission bits
 * @files:	open files of the region; a mapping of the device has one, too
 * @maps:	mappings: entries in /proc/PID/maps, of all processes
 * @seals:	in: 0; out: IPCDEMO_SEAL_* bits
 * @length:	length in bytes
 * @pages:	pages that are there; the others are made, zeroed, when touched
 * @page_size:	bytes in a page
 */
struct ipcdemo_region_stat {
	__u32 size;
	__u32 id;
	__u32 flags;
	__u32 owner;
	__u32 mode;
	__u32 files;
	__u32 maps;
	__u32 seals;
	__u64 length;
	__u64 pages;
	__u64 page_size;
};

/**
 * struct ipcdemo_peek - copy bytes out of a pipe and leave them there
 * @size:	in: sizeof this struct
 * @id:		in: which pipe
 * @flags:	in: 0
 * @pad:	in: 0
 * @skip:	in: how many bytes to pass over first, counted from the oldest
 * @buf:	in: where to copy to, a pointer
 * @len:	in: how many bytes at most; out: how many were copied, 0 if the
 *		pipe holds no more than @skip
 * @bytes:	out: bytes in the pipe at that moment
 *
 * Never waits for bytes.  It waits for a call that is moving bytes just now
 * (EINTR if the caller is killed meanwhile; EBUSY if that call is held at a
 * gate).
 */
struct ipcdemo_peek {
	__u32 size;
	__u32 id;
	__u32 flags;
	__u32 pad;
	__u64 skip;
	__u64 buf;
	__u64 len;
	__u64 bytes;
};

/**
 * struct ipcdemo_attr - one attribute of a pipe
 * @size:	in: sizeof this struct
 * @id:		in: which pipe
 * @flags:	in: 0
 * @pad:	in: 0
 * @value:	the attribute's value: in for SET, out for both
 */
struct ipcdemo_attr {
	__u32 size;
	__u32 id;
	__u32 flags;
	__u32 pad;
	__u64 value;
};

/**
 * struct ipcdemo_region_fd - ask for a descriptor of a region
 * @size:	in: sizeof this struct
 * @id:		in: which region
 * @flags:	in: 0 or O_CLOEXEC
 * @pad:	in: 0
 */
struct ipcdemo_region_fd {
	__u32 size;
	__u32 id;
	__u32 flags;
	__u32 pad;
};

/**
 * struct ipcdemo_region_make - ask for a region without a name
 * @size:	in: sizeof this struct
 * @flags:	in: 0 or O_CLOEXEC
 * @length:	in: how many bytes it has at once; ftruncate(2) changes that
 */
struct ipcdemo_region_make {
	__u32 size;
	__u32 flags;
	__u64 length;
};

/* What can be forbidden for good to happen to a region, as with memfd_create. */
#define IPCDEMO_SEAL_SEAL   0x1 /* further seals */
#define IPCDEMO_SEAL_SHRINK 0x2
#define IPCDEMO_SEAL_GROW   0x4

/**
 * struct ipcdemo_pipe_make - ask for an anonymous pipe
 * @size:	in: sizeof this struct
 * @flags:	in: O_CLOEXEC, O_NONBLOCK and O_DIRECT, as of pipe2(2)
 * @fds:	in: a pointer to two ints: the read end, the write end
 * @capacity:	in: bytes, by the rules of SET_CAPACITY; 0: as of pipe2(2)
 */
struct ipcdemo_pipe_make {
	__u32 size;
	__u32 flags;
	__u64 fds;
	__u64 capacity;
};

/**
 * struct ipcdemo_splice - move bytes, or with TEE double them
 * @size:	in: sizeof this struct
 * @flags:	in: SPLICE_F_*, as of splice(2)
 * @in:		in: the descriptor to take bytes from
 * @out:	in: the descriptor to give them to
 * @off_in:	in: 0, or a pointer to a 64-bit offset in @in, which is updated
 * @off_out:	in: likewise for @out; TEE: both 0
 * @len:	in: bytes at most
 */
struct ipcdemo_splice {
	__u32 size;
	__u32 flags;
	__s32 in;
	__s32 out;
	__u64 off_in;
	__u64 off_out;
	__u64 len;
};

/**
 * struct ipcdemo_vmsplice - move bytes between memory and a pipe
 * @size:	in: sizeof this struct
 * @flags:	in: SPLICE_F_*, as of vmsplice(2)
 * @iov:	in: a pointer to an array of struct iovec
 * @count:	in: elements of @iov
 */
struct ipcdemo_vmsplice {
	__u32 size;
	__u32 flags;
	__u64 iov;
	__u64 count;
};

/**
 * struct ipcdemo_gate - hold tasks that come to a point of an object
 * @size:	in: sizeof this struct
 * @id:		in: which object, a pipe or a region; out when listing: its id
 * @flags:	in: 0
 * @gate:	out: the gate's number; in for removing: which one, 0 for all
 * @point:	in: a point's name (/proc/ipcdemo/points), or a pattern of names,
 *		where * stands for any characters; ends with a 0 byte
 * @pid:	in: which thread, 0 for any
 * @count:	in: how many arrivals it holds before it goes away, 0 for all;
 *		out when listing: how many are left
 */
struct ipcdemo_gate {
	__u32 size;
	__u32 id;
	__u32 flags;
	__u32 gate;
	char point[32];
	__s32 pid;
	__u32 count;
};

/**
 * struct ipcdemo_arrival - a task at a point
 * @id:		the object
 * @pid:	the thread, in the pid namespace of the caller; 0: not visible
 * @gate:	the gate that holds it; 0: held by a single step or by another
 *		descriptor, or not held
 * @state:	enum ipcdemo_task_state
 * @point:	where it is, or was last; empty if it came to none
 * @command:	its command
 * @slot:	place in the array
 * @offset:	bytes into the slot's page
 * @len:	bytes that the step is about
 * @head:	the index head, as the task saw it
 * @tail:	the index tail, as the task saw it
 * @decided:	what was decided: 1 yes, 0 no; or a result, negative for an errno
 * @held_ns:	for how long it is at this point, nanoseconds
 *
 * A value that a point does not have is -1; its sentence in
 * /proc/ipcdemo/points says what is decided there.  Of a task that fell asleep
 * before the first gate was set, the values are not known, and -1, until it
 * wakes; its @held_ns counts from when it came to the queue.
 */
struct ipcdemo_arrival {
	__u32 id;
	__s32 pid;
	__u32 gate;
	__u32 state;
	char point[32];
	char command[16];
	__s64 slot;
	__s64 offset;
	__s64 len;
	__s64 head;
	__s64 tail;
	__s64 decided;
	__u64 held_ns;
};

/* What a thread is doing, as far as ipcdemo knows. */
enum ipcdemo_task_state {
	IPCDEMO_TASK_RUNNING = 0, /* or nothing of the below */
	IPCDEMO_TASK_HELD = 1, /* at a gate */
	IPCDEMO_TASK_ASLEEP = 2, /* in a pipe or for a word, and not woken */
	IPCDEMO_TASK_LOCK = 3, /* waits for a mutex whose holder is held */
	IPCDEMO_TASK_IDLE = 4, /* in no call of ours, and asleep or stopped */
	IPCDEMO_TASK_GONE = 5, /* no such thread any more */
};

/**
 * struct ipcdemo_gate_wait - wait until a task is held
 * @size:	in: sizeof this struct
 * @flags:	in: 0
 * @timeout_ms:	in: milliseconds; -1: for ever, 0: only look
 * @pad:	in: 0
 * @arrival:	out: who, and where; each arrival is told once
 */
struct ipcdemo_gate_wait {
	__u32 size;
	__u32 flags;
	__s32 timeout_ms;
	__u32 pad;
	struct ipcdemo_arrival arrival;
};

/**
 * struct ipcdemo_gate_go - let a held thread through
 * @size:	in: sizeof this struct
 * @flags:	in: IPCDEMO_GO_*
 * @pid:	in: the thread
 * @pad:	in: 0
 */
struct ipcdemo_gate_go {
	__u32 size;
	__u32 flags;
	__s32 pid;
	__u32 pad;
};

/* Hold it again at the next point of this call, whichever it is. */
#define IPCDEMO_GO_STEP 0x1
/* No gate of this descriptor holds it again until its call is over. */
#define IPCDEMO_GO_FREE 0x2

/**
 * struct ipcdemo_tasks - what threads are doing
 * @size:	in: sizeof this struct
 * @flags:	in: IPCDEMO_TASKS_*
 * @timeout_ms:	in: with IPCDEMO_TASKS_QUIET, as in struct ipcdemo_gate_wait
 * @count:	in: elements of @tasks, at most 1024; out: how many there are
 * @tasks:	a pointer to an array of struct ipcdemo_arrival; in: pid of each;
 *		out: the rest (with IPCDEMO_TASKS_HELD pid is out, too)
 * @element_size: in: sizeof(struct ipcdemo_arrival)
 * @pad:	in: 0
 */
struct ipcdemo_tasks {
	__u32 size;
	__u32 flags;
	__s32 timeout_ms;
	__u32 count;
	__u64 tasks;
	__u32 element_size;
	__u32 pad;
};

/*
 * Return only once none of them is IPCDEMO_TASK_RUNNING.  Nobody else sets one in
 * motion then; but who waits for a word until a deadline does it himself when that
 * has passed, and was quiet till then.
 */
#define IPCDEMO_TASKS_QUIET 0x1
/* Tell of all threads that this descriptor holds. */
#define IPCDEMO_TASKS_HELD  0x2

/**
 * struct ipcdemo_gates - the gates of this descriptor
 * @size:	in: sizeof this struct
 * @flags:	in: 0
 * @count:	in: elements of @gates, at most 1024; out: how many there are
 * @element_size: in: sizeof(struct ipcdemo_gate)
 * @gates:	a pointer to an array of struct ipcdemo_gate, out
 */
struct ipcdemo_gates {
	__u32 size;
	__u32 flags;
	__u32 count;
	__u32 element_size;
	__u64 gates;
};

/* No deadline: struct ipcdemo_wait. */
#define IPCDEMO_WAIT_FOREVER (~0ULL)

/**
 * struct ipcdemo_wait - sleep while a word of a region has a value
 * @size:	in: sizeof this struct
 * @flags:	in: 0
 * @offset:	in: where the word is, bytes from the start of the region
 * @expected:	in: the value
 * @clock:	in: CLOCK_MONOTONIC or CLOCK_REALTIME
 * @deadline_ns: in: when to give up, nanoseconds of @clock, as clock_gettime(2)
 *		tells them; or IPCDEMO_WAIT_FOREVER
 */
struct ipcdemo_wait {
	__u32 size;
	__u32 flags;
	__u64 offset;
	__u32 expected;
	__u32 clock;
	__u64 deadline_ns;
};

/**
 * struct ipcdemo_wake - wake those who wait for a word of a region
 * @size:	in: sizeof this struct
 * @flags:	in: 0
 * @offset:	in: where the word is, bytes from the start of the region
 * @count:	in: how many at most, not 0; INT_MAX and above: all
 * @zero:	in: 0
 */
struct ipcdemo_wake {
	__u32 size;
	__u32 flags;
	__u64 offset;
	__u32 count;
	__u32 zero;
};

/**
 * struct ipcdemo_wake_wait - wake, then wait, in one call
 * @size:	in: sizeof this struct
 * @flags:	in: 0
 * @wake_offset: in: the word whose waiters are woken
 * @wake_count:	in: how many at most, 0: nobody; out: 0 once they are woken
 * @woken:	out: how many were woken; left alone if @wake_count was 0
 * @offset:	in: the word to wait for, here and below as in struct ipcdemo_wait
 * @expected:	in: the value
 * @clock:	in: CLOCK_MONOTONIC or CLOCK_REALTIME
 * @deadline_ns: in: when to give up
 */
struct ipcdemo_wake_wait {
	__u32 size;
	__u32 flags;
	__u64 wake_offset;
	__u32 wake_count;
	__u32 woken;
	__u64 offset;
	__u32 expected;
	__u32 clock;
	__u64 deadline_ns;
};

/**
 * struct ipcdemo_owner - register the process as one that holds locks in a region
 * @size:	in: sizeof this struct
 * @flags:	in: 0
 * @offset:	in: where its table is, bytes from the start of the region, a
 *		multiple of 8
 * @entries:	in: how many __u64 the table has, 1 to 1024.  One is 0, or the
 *		offset of a lock word, with 1 added
 * @owner:	out: the number of this process, 1 to 0x3ffffffe, which no other
 *		registered process of the region has
 */
struct ipcdemo_owner {
	__u32 size;
	__u32 flags;
	__u64 offset;
	__u32 entries;
	__u32 owner;
};

/**
 * struct ipcdemo_word_event - bind an eventfd to a word of a region
 * @size:	in: sizeof this struct
 * @flags:	in: 0
 * @offset:	in: where the word is, bytes from the start of the region
 * @eventfd:	in: a descriptor of eventfd(2); -1: unbind
 * @zero:	in: 0
 */
struct ipcdemo_word_event {
	__u32 size;
	__u32 flags;
	__u64 offset;
	__s32 eventfd;
	__u32 zero;
};

/* A lock word. */
#define IPCDEMO_LOCK_WAITERS 0x80000000 /* somebody may wait for it */
#define IPCDEMO_LOCK_DIED    0x40000000 /* who had it died with it */
#define IPCDEMO_LOCK_OWNER   0x3fffffff /* the number of who has it; 0: nobody */

#define IPCDEMO_IOC_MAGIC    0xDC

/*
 * The state of a pipe or region.  Takes no mutex of a pipe, so it answers also
 * when the pipe is stuck.  Any descriptor of the object, or a control descriptor.
 */
#define IPCDEMO_IOC_PIPE_STAT \
	_IOWR(IPCDEMO_IOC_MAGIC, 0x01, struct ipcdemo_pipe_stat)
#define IPCDEMO_IOC_REGION_STAT \
	_IOWR(IPCDEMO_IOC_MAGIC, 0x02, struct ipcdemo_region_stat)

/*
 * Copy bytes without consuming them.  A control descriptor or a read end;
 * EBADF on a write end.
 */
#define IPCDEMO_IOC_PEEK _IOWR(IPCDEMO_IOC_MAGIC, 0x03, struct ipcdemo_peek)

/*
 * The capacity in bytes.  SET has the rules of F_SETPIPE_SZ (fcntl(2)): rounds
 * up to a power of two of pages, at least one page, and stores what it became
 * in value.  EINVAL above 2^31.  EBUSY if more slots are in use than would be
 * left.  EPERM when growing above the module's pipe_max_size without
 * CAP_SYS_RESOURCE, or above the user's budget without CAP_SYS_RESOURCE or
 * CAP_SYS_ADMIN.  ENOMEM.
 */
#define IPCDEMO_IOC_GET_CAPACITY \
	_IOWR(IPCDEMO_IOC_MAGIC, 0x04, struct ipcdemo_attr)
#define IPCDEMO_IOC_SET_CAPACITY \
	_IOWR(IPCDEMO_IOC_MAGIC, 0x05, struct ipcdemo_attr)

/*
 * enum ipcdemo_persistence.  Setting IPCDEMO_PERSIST_KERNEL lets go whoever
 * waits in open(2); setting IPCDEMO_PERSIST_PROCESS drops the bytes of a pipe
 * that nobody has open, and wakes writers that have no reader (EPIPE).
 */
#define IPCDEMO_IOC_GET_PERSISTENCE \
	_IOWR(IPCDEMO_IOC_MAGIC, 0x06, struct ipcdemo_attr)
#define IPCDEMO_IOC_SET_PERSISTENCE \
	_IOWR(IPCDEMO_IOC_MAGIC, 0x07, struct ipcdemo_attr)

/*
 * Returns a descriptor of the device's region: O_RDWR; mmap, read, write, pread,
 * pwrite and lseek work on it.  Writing at or beyond the region's end is ENOSPC,
 * ftruncate is EPERM.  A control descriptor only, else EBADF.  EINVAL if id names
 * another region: those are opened by their names.  EMFILE, ENFILE, ENOMEM.
 */
#define IPCDEMO_IOC_REGION_FD \
	_IOW(IPCDEMO_IOC_MAGIC, 0x08, struct ipcdemo_region_fd)

/*
 * Makes a pipe, as pipe2(2).  A control descriptor only, else EBADF.  Errors in
 * the order in which they are looked for: EINVAL (an unknown flag); ENFILE (the
 * file table is full, or the user has as many pipes or slots as he may have),
 * with a capacity also those of SET_CAPACITY; EMFILE; EFAULT, and then there
 * are no descriptors.
 */
#define IPCDEMO_IOC_PIPE _IOW(IPCDEMO_IOC_MAGIC, 0x09, struct ipcdemo_pipe_make)

/*
 * Makes a region without a name and returns a descriptor of it, O_RDWR, which
 * can do what one of a regular file can.  Its pages are freed with the last
 * descriptor and mapping.  A control descriptor only, else EBADF.  EDQUOT: the
 * user has as many objects, or pages of regions, as he may have; EFBIG; EMFILE,
 * ENFILE, ENOMEM.
 */
#define IPCDEMO_IOC_REGION_MAKE \
	_IOW(IPCDEMO_IOC_MAGIC, 0x20, struct ipcdemo_region_make)

/*
 * The seals of a region, IPCDEMO_SEAL_*, in value.  A descriptor of the region;
 * ADD wants one that is open for writing (EPERM), is EPERM if
 * IPCDEMO_SEAL_SEAL is set, and stores all that are set then.  ftruncate(2)
 * against a seal is EPERM; a write goes up to the end, or is EPERM there.
 */
#define IPCDEMO_IOC_GET_SEALS \
	_IOWR(IPCDEMO_IOC_MAGIC, 0x21, struct ipcdemo_attr)
#define IPCDEMO_IOC_ADD_SEALS \
	_IOWR(IPCDEMO_IOC_MAGIC, 0x22, struct ipcdemo_attr)

/*
 * splice(2) and tee(2) where a pipe of ours is on a side, on both, or with any
 * descriptor that the call of the kernel takes on the other; vmsplice(2) with the
 * pipe that it is called on.  Any descriptor of a pipe, or for the first two a
 * control descriptor; which one does not matter to them.  They return the number
 * of bytes, and the errors of those calls in the same order.
 */
#define IPCDEMO_IOC_SPLICE _IOW(IPCDEMO_IOC_MAGIC, 0x0a, struct ipcdemo_splice)
#define IPCDEMO_IOC_TEE	   _IOW(IPCDEMO_IOC_MAGIC, 0x0b, struct ipcdemo_splice)
#define IPCDEMO_IOC_VMSPLICE \
	_IOW(IPCDEMO_IOC_MAGIC, 0x0c, struct ipcdemo_vmsplice)

/*
 * Gates.  A control descriptor only, else EBADF; gates and held tasks belong to
 * the descriptor that set the gate.  When the process that opened it closes it
 * (a copy of it counts, too) or exits, its gates open and nobody stays held.
 *
 * A held task leaves when it is killed, and where the next thing it would do is
 * to sleep, on any signal.  A task that exits is not held.  One that
 * splices is held only where it begins, waits for the pipe, and ends, for in
 * between it has a lock more.  A call that began before the first gate was set
 * is known, and can be held, from the moment that
 * it falls asleep in the pipe or wakes there.  A touch of a region's page is
 * held if a program makes it, not if the kernel does.  The process that opened
 * the descriptor is not held by its own gates.  Looking at a pipe works while
 * tasks are held in it; a close(2) that needs the mutex of a held task waits,
 * and lets that task through if it is dying or the gate is its own.
 *
 * Where several descriptors have a gate they hold a task in turn, each once.
 * What one of them says with GATE_GO does not concern the gates of the others.
 */

/*
 * Set a gate.  Only for an object of the caller's own, or with CAP_SYS_ADMIN:
 * EPERM.  EINVAL if no point that can hold has such a name; ESRCH: no such
 * thread; ENOSPC: this descriptor has set 1024; ESHUTDOWN: the process that
 * opened the descriptor is gone.
 */
#define IPCDEMO_IOC_GATE_ADD _IOWR(IPCDEMO_IOC_MAGIC, 0x10, struct ipcdemo_gate)

/*
 * Remove a gate, or all.  Who is held stays held.  Calls stay known, which makes
 * them slower, until the descriptor is closed.  ENOENT.
 */
#define IPCDEMO_IOC_GATE_REMOVE \
	_IOW(IPCDEMO_IOC_MAGIC, 0x11, struct ipcdemo_gate)

/* The gates that are set. */
#define IPCDEMO_IOC_GATE_LIST \
	_IOWR(IPCDEMO_IOC_MAGIC, 0x12, struct ipcdemo_gates)

/*
 * Wait until a task is held that was not told of yet.  ETIMEDOUT; EINTR.
 * poll(2) says POLLIN when there is one.
 */
#define IPCDEMO_IOC_GATE_WAIT \
	_IOWR(IPCDEMO_IOC_MAGIC, 0x13, struct ipcdemo_gate_wait)

/* Let a thread through.  ESRCH if this descriptor does not hold it. */
#define IPCDEMO_IOC_GATE_GO \
	_IOW(IPCDEMO_IOC_MAGIC, 0x14, struct ipcdemo_gate_go)

/*
 * What threads are doing, those of other users only with CAP_SYS_PTRACE (else
 * IPCDEMO_TASK_GONE).  ETIMEDOUT (the array is filled all the same); EINTR.
 */
#define IPCDEMO_IOC_TASKS _IOWR(IPCDEMO_IOC_MAGIC, 0x15, struct ipcdemo_tasks)

/*
 * Wait words.  A *word* is an aligned __u32 of a region, named by its place there,
 * so that processes which map the region at different addresses, or do not map it,
 * mean the same one.  It is what futex(2) is for memory: whoever finds that he must
 * wait says which value he saw, and sleeps only if the word still has it; whoever
 * changes the word wakes.  A descriptor of a region: WAIT wants one that is open
 * for reading, WAKE for writing, WAKE_WAIT for both, else EBADF.
 *
 * EINVAL if an offset is no multiple of 4; EFAULT if the word is not wholly inside
 * the region.  A page that is not there counts as zeros, and is not made.  Who
 * waits for a word that ftruncate(2) cuts off stays until woken, or till his
 * deadline.
 */

/*
 * Sleep while the word is what the caller expects.  0: woken, maybe for nothing
 * that the caller wanted, so look again.  EAGAIN: the word was different.
 * ETIMEDOUT: the deadline has passed and nobody woke the caller.  EINVAL: another
 * clock.  ENOMEM.  On a signal the call restarts, with the same deadline, if the
 * handler has SA_RESTART, else EINTR; one that was woken before returns 0 and
 * then handles the signal, so that no wake-up is lost.  CLOCK_MONOTONIC is that of
 * the caller's time namespace.  A deadline on CLOCK_REALTIME follows
 * clock_settime(2).  Suspend, and the freezer of cgroups in their first version, leave
 * the wait as it is.  That of the second one works as a signal does: who is frozen
 * does not wait meanwhile, and compares again when it is thawed.
 */
#define IPCDEMO_IOC_WAIT  _IOW(IPCDEMO_IOC_MAGIC, 0x23, struct ipcdemo_wait)

/*
 * Wake those who wait for the word, in the order in which they came.  Returns how
 * many; 0 if nobody waits.  EINVAL: count is 0.
 */
#define IPCDEMO_IOC_WAKE  _IOW(IPCDEMO_IOC_MAGIC, 0x24, struct ipcdemo_wake)

/*
 * WAKE with wake_offset and wake_count, then WAIT with the rest; the errors of
 * both, and nobody is woken if one of them is EBADF, EINVAL, EFAULT or ENOMEM.  How
 * many were woken is stored before the wait begins, and 0 in wake_count: called
 * again, by the kernel or by hand, it wakes nobody twice.
 */
#define IPCDEMO_IOC_WAKE_WAIT \
	_IOWR(IPCDEMO_IOC_MAGIC, 0x25, struct ipcdemo_wake_wait)

/*
 * Have each WAKE of the word, and each wake-up of it when an owner dies, add 1 to
 * an eventfd, whether or not anybody waits; so that poll(2) can wait for it.  It
 * is not counted in what WAKE returns.  A descriptor that is open for reading,
 * else EBADF.  The binding belongs to the open file: it goes with the last copy of
 * the descriptor, and of the mappings that were made by it, or with -1.  EBADF,
 * EINVAL: it is no eventfd; EEXIST: the file has one bound to the word; ENOSPC: the
 * file has 64 bound, the word 16 or 8 of the (real) user, or all files of the region
 * 1024 or 512 of the user; ENOENT: -1, and none is;
 * ENOMEM.  A word that was cut off from the region can be unbound.
 */
#define IPCDEMO_IOC_WORD_EVENT \
	_IOW(IPCDEMO_IOC_MAGIC, 0x26, struct ipcdemo_word_event)

/*
 * Register the calling process as one that holds locks in the region; threads, and
 * whoever else shares its memory, are the same process.  A descriptor that is open
 * for writing, else EBADF.  EINVAL: offset is no multiple of 8, or entries not 1 to
 * 1024; EFAULT: the table is not wholly inside the region; ENXIO: the process does
 * not map the region; EEXIST: it is registered, and owner is stored all the same;
 * ENOSPC: 4096 are registered; ENOMEM; EINTR: killed.
 *
 * When the last mapping of the region that the process has goes (munmap, exec, exit,
 * SIGKILL) its table is read.  Each lock word that has the owner's number becomes
 * IPCDEMO_LOCK_DIED, with IPCDEMO_LOCK_WAITERS if it had that, in one step, and one
 * who waits for it is woken.  One is also woken for a word that nobody has: the
 * process may have given it up and not woken anybody, or been woken and not taken
 * it.  An entry whose word is misaligned, not inside the region, in a page that is
 * not there, or of another owner is passed over.  Then the registration is over; a
 * child of fork is not registered.
 *
 * The 4096 are there for all who may write to the region, without a share for each
 * user: whoever may write can as well take every lock in it, or scribble over them.
 */
#define IPCDEMO_IOC_OWNER _IOWR(IPCDEMO_IOC_MAGIC, 0x27, struct ipcdemo_owner)

#endif /* _UAPI_LINUX_IPCDEMO_H */

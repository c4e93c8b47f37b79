/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libipcdemo: memory that processes share, and what they need to build on it
 *
 * A *region* is memory that several processes map: a file on ipcdemofs, one
 * without a name that the module makes, or any other file that can be mapped
 * (memfd_create(2), tmpfs).  A thread sleeps on a 32-bit *word* of it until
 * another wakes it.
 *
 * Conventions
 *
 *  - Calls that can fail return 0 or more, or -errno.  errno itself is not
 *    meaningful after them.
 *  - Sizes and offsets are in bytes, offsets from the start of the region.
 *  - A deadline is a point in time on a clock, CLOCK_MONOTONIC or
 *    CLOCK_REALTIME, so that a call that is begun again keeps it; NULL is never.
 *    Another clock, and a tv_nsec outside 0 to 999999999, are -EINVAL.
 *  - Descriptors are open with O_CLOEXEC.
 *  - Any number of threads may use a handle at once; closing it is the last
 *    call.  No call may be made from a handler of a signal unless it says so.
 *
 * Whoever may write to the memory can make the calls of others fail, wait in
 * vain, or let two hold what one should: those who share a region trust each
 * other that far.  But nothing that stands in a region makes the library read or
 * write outside of it.  One exception is not the library's to prevent: a file
 * that is made shorter raises SIGBUS in those who touch what is gone.  Seal it
 * (IPCDEMO_REGION_SEAL) if you do not trust those who may.
 *
 * Two ways to sleep
 *
 * On regions of the module sleeping and waking are its ioctls
 * (<linux/ipcdemo.h>): /proc/ipcdemo/region/ID then tells who waits for what,
 * and who woke whom.  On all other files they are futex(2) on the mapping.  All
 * who use a file find the same way, by asking its descriptor.
 *
 * All of this is there since version 0.1.0.
 */
#ifndef IPCDEMO_H
#define IPCDEMO_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is declared here is what the shared library exports. */
#pragma GCC visibility push(default)

/* ---- regions ------------------------------------------------------------ */

/* A region that this process has mapped. */
struct ipcdemo_region;

/* Map it for reading alone: what wants to write is -EBADF. */
#define IPCDEMO_REGION_READ_ONLY 0x1
/* Forbid for good that it changes its size.  Not with READ_ONLY. */
#define IPCDEMO_REGION_SEAL	 0x2
/* ipcdemo_region_create(): it must not be there yet, else -EEXIST. */
#define IPCDEMO_REGION_EXCLUSIVE 0x4

/**
 * ipcdemo_region_open - map the file of that name
 * @path:	a regular file, or /dev/ipcdemo for the region of the device
 * @flags:	IPCDEMO_REGION_READ_ONLY, IPCDEMO_REGION_SEAL
 * @region:	the handle
 *
 * All of the file is mapped, as large as it is now.
 *
 * Return: 0.  -EINVAL: an unknown flag, or flags that exclude each other.
 * -ENODEV: not a file that can be a region.  -ENODATA: it is empty.  -EOPNOTSUPP:
 * it cannot be sealed.  Else what open(2), mmap(2) or the seal's call says.
 */
int ipcdemo_region_open(const char *path, unsigned int flags,
			struct ipcdemo_region **region);

/**
 * ipcdemo_region_create - make a file of that name and map it
 * @size:	how large it becomes; a file that is as large or larger stays as
 *		it is, one that is smaller grows
 * @mode:	who may open it, as for open(2)
 * @flags:	IPCDEMO_REGION_SEAL, IPCDEMO_REGION_EXCLUSIVE
 *
 * Return: as ipcdemo_region_open(); -EINVAL: @size is 0; -EEXIST; what
 * ftruncate(2) says.  A file that this call made is removed again if it fails.
 */
int ipcdemo_region_create(const char *path, uint64_t size, mode_t mode,
			  unsigned int flags, struct ipcdemo_region **region);

/**
 * ipcdemo_region_anonymous - make a region of the module without a name
 * @flags:	IPCDEMO_REGION_SEAL
 *
 * Others get it by its descriptor: by fork(2), or sent over a socket.
 *
 * Return: 0; -ENOENT: the module is not loaded; what IPCDEMO_IOC_REGION_MAKE says.
 */
int ipcdemo_region_anonymous(uint64_t size, unsigned int flags,
			     struct ipcdemo_region **region);

/**
 * ipcdemo_region_from_fd - map what a descriptor is of
 * @fd:		open O_RDWR, or O_RDONLY with IPCDEMO_REGION_READ_ONLY; the
 *		handle gets a duplicate, this one stays the caller's
 *
 * A control descriptor of /dev/ipcdemo stands for the region of the device; one
 * that is an end of the pipe is -ENODEV.
 *
 * Return: as ipcdemo_region_open(); -EBADF.
 */
int ipcdemo_region_from_fd(int fd, unsigned int flags,
			   struct ipcdemo_region **region);

/**
 * ipcdemo_region_close - unmap it
 *
 * NULL is no region, and nothing happens.  What points into it is gone.
 */
void ipcdemo_region_close(struct ipcdemo_region *region);

/* Where it begins in this process, and how many bytes are mapped. */
void *ipcdemo_region_base(const struct ipcdemo_region *region);
uint64_t ipcdemo_region_size(const struct ipcdemo_region *region);

/* Its descriptor, which stays the handle's. */
int ipcdemo_region_descriptor(const struct ipcdemo_region *region);

/* 1: the module's ioctls are the way to sleep; 0: futex(2) is. */
int ipcdemo_region_by_module(const struct ipcdemo_region *region);

/* ---- words -------------------------------------------------------------- */

/**
 * ipcdemo_wait - sleep while a word is what is expected
 * @offset:	of the word, a multiple of 4
 * @expected:	compared with the word in one step with going to sleep: a wake
 *		after the comparison is not missed
 *
 * It may return 0 for nothing: look at the word again.  A handler may call it.
 *
 * Return: 0: woken.  -EAGAIN: the word is different.  -ETIMEDOUT.  -EINTR: a
 * handler ran that has no SA_RESTART (with futex(2) and a deadline, any handler).
 * -EINVAL: misaligned, or the deadline.  -EFAULT: not inside the region.
 */
int ipcdemo_wait(struct ipcdemo_region *region, uint64_t offset,
		 uint32_t expected, clockid_t clock,
		 const struct timespec *deadline);

/**
 * ipcdemo_wake - wake those who sleep on a word
 * @count:	at most how many, the first to come first; INT_MAX: all
 *
 * A handler may call it.
 *
 * Return: how many.  -EINVAL: misaligned, or @count is 0.  -EFAULT.  -EBADF: it
 * is mapped for reading alone.
 */
int ipcdemo_wake(struct ipcdemo_region *region, uint64_t offset,
		 unsigned int count);

/**
 * ipcdemo_wake_wait - wake on one word, then sleep on another
 * @wake_offset:	as of ipcdemo_wake()
 * @count:		likewise, or 0: wake nobody
 * @woken:		how many were woken; may be NULL
 *
 * One system call on regions of the module, two elsewhere.
 *
 * Return: as ipcdemo_wait(), and -EBADF as ipcdemo_wake().
 */
int ipcdemo_wake_wait(struct ipcdemo_region *region, uint64_t wake_offset,
		      unsigned int count, unsigned int *woken, uint64_t offset,
		      uint32_t expected, clockid_t clock,
		      const struct timespec *deadline);

/**
 * ipcdemo_event - let an event loop wait for a word
 * @eventfd:	of eventfd(2), gets 1 added by each wake on the word; -1: no more
 *
 * Return: 0.  -EOPNOTSUPP: no region of the module.  -EEXIST, -ENOENT, -ENOSPC,
 * -EBADF, -EINVAL, -EFAULT: as IPCDEMO_IOC_WORD_EVENT.
 */
int ipcdemo_event(struct ipcdemo_region *region, uint64_t offset, int eventfd);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* IPCDEMO_H */

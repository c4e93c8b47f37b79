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
#include <sys/uio.h>
#include <time.h>

/* A compiler that knows no POSIX finds none in time.h. */
struct timespec;

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
 * Of several callers at once, with any sizes, each finds its own @size there at least,
 * and nobody makes it smaller: the file becomes as large as the largest of them, and
 * who was there before keeps what he has mapped, maybe less than that.  Meanwhile each
 * has a flock(2) on the file, and waits for that of others.
 *
 * Return: as ipcdemo_region_open(); -EINVAL: @size is 0; -EEXIST; what flock(2) and
 * ftruncate(2) say.  A file that this call made is removed again if it fails; who has
 * opened it by then keeps one without a name.
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

/* ---- objects: what lives in a region ------------------------------------- */

/*
 * A region that holds locks is *formatted* once: its first bytes become a header,
 * a list of the objects in it, and a table of its locks for the module.  The rest
 * is for objects and for whatever you put there.
 *
 *	struct ipcdemo_region *region;
 *	struct ipcdemo_mutex mutex;
 *
 *	ipcdemo_region_create("/mnt/shared", 1 << 20, 0600, 0, &region);
 *	ipcdemo_region_format(region, 16, 0);	(-EEXIST: another did)
 *	if (ipcdemo_mutex_init(region, IPCDEMO_ANYWHERE, "accounts", &mutex))
 *		ipcdemo_mutex_find(region, "accounts", &mutex);
 *
 * An object lies at an offset that you choose, or IPCDEMO_ANYWHERE.  What begins
 * with ipcdemo_KIND_ is there for each kind of object:
 *
 *   init     makes one.  -EINVAL: misaligned, an empty name, or the description
 *            of the call says so.  -ERANGE: not wholly inside the region, or in
 *            what the header takes.  -EADDRINUSE: another object lies there.
 *            -EEXIST: another has that name.  -ENAMETOOLONG: more than
 *            IPCDEMO_NAME_MAX bytes.  -ENOSPC: no room, or as many objects as the
 *            region was formatted for.
 *   attach   finds the one at an offset.  -EINVAL: misaligned.  -ERANGE: it would
 *            not fit into the region.  -EBADMSG: garbage lies there, or an object
 *            of another kind.  -EPROTONOSUPPORT: it is of another version.
 *   find     finds the one of a name.  -ENOENT; -EBADMSG and so on, as attach.
 *   destroy  removes it: its place can be used again.  All calls on it, of all
 *            processes, must have returned before.  -EBUSY: somebody holds it, or
 *            waits; then nothing has changed.
 *
 * Each may also say, of the region: -EBADMSG: it is not formatted (or with
 * garbage).  -EPROTONOSUPPORT: by another version.  -ERANGE: it is smaller than
 * its header says.  -EAGAIN: somebody is formatting it.  -EBADF: it is mapped for
 * reading alone (attach and find are allowed, what they give can be looked at).
 *
 * The handle (struct ipcdemo_mutex, ...) is yours: small, valid in this process and
 * in children of fork(2), to be copied at will.  Its members are the library's.
 *
 * Who died
 *
 * In a region of the module a mutex is *robust*: when a process that holds it loses
 * its last mapping of the region (exit, exec, SIGKILL, munmap), the next to lock it
 * gets -EOWNERDEAD.  Elsewhere nobody notices: the mutex stays locked.
 * A thread that ends while its process goes on leaves what it holds locked, in
 * either case.  The other kinds are as POSIX has them: a dead process may leave a
 * place taken, a wake-up unused, a count too high.
 *
 * A child of fork(2) holds nothing of what its parent holds: its unlock is
 * -EPERM.  In a region that is not of the module, holders are known by
 * their process id: all must be in one pid namespace.
 */

/* For an offset: where there is room. */
#define IPCDEMO_ANYWHERE     UINT64_MAX

/* Bytes of a name, its final 0 not counted. */
#define IPCDEMO_NAME_MAX     39

/* A region has room for at most that many objects. */
#define IPCDEMO_OBJECTS_MAX  1023

/* ipcdemo_region_format(): whatever is there, and nobody else uses it. */
#define IPCDEMO_FORMAT_AGAIN 0x1

/* Kinds of objects. */
enum ipcdemo_object_kind {
	IPCDEMO_OBJECT_BYTES = 1, /* room for your own data */
	IPCDEMO_OBJECT_MUTEX = 2,
	IPCDEMO_OBJECT_SEM = 3,
	IPCDEMO_OBJECT_COND = 4,
	IPCDEMO_OBJECT_RWLOCK = 5,
	IPCDEMO_OBJECT_BARRIER = 6,
	IPCDEMO_OBJECT_RING = 7,
};

/**
 * ipcdemo_region_format - let a region hold objects
 * @objects:	how many at most, 1 to IPCDEMO_OBJECTS_MAX
 * @flags:	0 or IPCDEMO_FORMAT_AGAIN
 *
 * The region must begin with zeros, as a new file does.  Of several who format
 * one at the same time, one does.
 *
 * Return: 0.  -EINVAL: @objects or @flags.  -ENOSPC: it is too small for that
 * many.  -EEXIST: it is formatted.  -EAGAIN: somebody is at it (if he died there,
 * IPCDEMO_FORMAT_AGAIN helps).  -EBADMSG: something else is in it.  -EBADF.
 */
int ipcdemo_region_format(struct ipcdemo_region *region, unsigned int objects,
			  unsigned int flags);

/* How many bytes the header takes in a region for that many objects. */
uint64_t ipcdemo_region_overhead(unsigned int objects);

/**
 * ipcdemo_object_size - how many bytes an object of that kind takes
 *
 * It must lie at a multiple of ipcdemo_object_alignment().
 *
 * Return: bytes; 0: of those there is no fixed size.
 */
uint64_t ipcdemo_object_size(enum ipcdemo_object_kind kind);
uint64_t ipcdemo_object_alignment(enum ipcdemo_object_kind kind);

/**
 * ipcdemo_bytes_init - take a piece of the region for data of your own
 * @offset:	of it, a multiple of 64, or IPCDEMO_ANYWHERE
 * @name:	or NULL
 * @size:	bytes; -EINVAL: 0
 * @where:	its offset
 *
 * ipcdemo_bytes_find() says where it is, and its size, from the list.  The bytes
 * are whatever they were: zeros where nothing was before.
 */
int ipcdemo_bytes_init(struct ipcdemo_region *region, uint64_t offset,
		       const char *name, uint64_t size, uint64_t *where);
int ipcdemo_bytes_find(struct ipcdemo_region *region, const char *name,
		       uint64_t *where, uint64_t *size);
int ipcdemo_bytes_destroy(struct ipcdemo_region *region, uint64_t offset);

/* ---- mutex -------------------------------------------------------------- */

struct ipcdemo_mutex {
	struct ipcdemo_region *region;
	uint64_t offset;
	void *at;
};

int ipcdemo_mutex_init(struct ipcdemo_region *region, uint64_t offset,
		       const char *name, struct ipcdemo_mutex *mutex);
int ipcdemo_mutex_attach(struct ipcdemo_region *region, uint64_t offset,
			 struct ipcdemo_mutex *mutex);
int ipcdemo_mutex_find(struct ipcdemo_region *region, const char *name,
		       struct ipcdemo_mutex *mutex);
int ipcdemo_mutex_destroy(struct ipcdemo_mutex *mutex);

/**
 * ipcdemo_mutex_lock - hold it, alone
 *
 * Makes no system call if nobody else wants it, once this process has locked one
 * in this region before.  Goes on after signals.  Who waits longest need not be
 * next.
 *
 * Return: 0.  -EOWNERDEAD: it is yours, and who held it died: repair what it
 * guards, then call ipcdemo_mutex_consistent().  -ENOTRECOVERABLE: it was unlocked
 * without that, for good.  -EDEADLK: this thread holds it already.  -EBADF:
 * mapped for reading alone.  -ENOSPC, -ENXIO: the module cannot register this
 * process (IPCDEMO_IOC_OWNER).
 */
int ipcdemo_mutex_lock(struct ipcdemo_mutex *mutex);

/* The same, but -EBUSY if another holds it. */
int ipcdemo_mutex_trylock(struct ipcdemo_mutex *mutex);

/* The same, but -ETIMEDOUT once the deadline is past; -EINVAL: it is none. */
int ipcdemo_mutex_timedlock(struct ipcdemo_mutex *mutex, clockid_t clock,
			    const struct timespec *deadline);

/**
 * ipcdemo_mutex_unlock - let it go
 *
 * Return: 0; -EPERM: this thread does not hold it.
 */
int ipcdemo_mutex_unlock(struct ipcdemo_mutex *mutex);

/**
 * ipcdemo_mutex_consistent - what it guards is right again
 *
 * Return: 0; -EPERM: this thread does not hold it; -EINVAL: nobody died.
 */
int ipcdemo_mutex_consistent(struct ipcdemo_mutex *mutex);

/* ---- semaphore ---------------------------------------------------------- */

/* The largest value of a semaphore. */
#define IPCDEMO_SEM_MAX 0x7fffffff

struct ipcdemo_sem {
	struct ipcdemo_region *region;
	uint64_t offset;
	void *at;
};

/* -EINVAL: more than IPCDEMO_SEM_MAX. */
int ipcdemo_sem_init(struct ipcdemo_region *region, uint64_t offset,
		     const char *name, unsigned int value,
		     struct ipcdemo_sem *sem);
int ipcdemo_sem_attach(struct ipcdemo_region *region, uint64_t offset,
		       struct ipcdemo_sem *sem);
int ipcdemo_sem_find(struct ipcdemo_region *region, const char *name,
		     struct ipcdemo_sem *sem);
int ipcdemo_sem_destroy(struct ipcdemo_sem *sem);

/**
 * ipcdemo_sem_wait - take one, wait while there is none
 *
 * Return: 0; -EINTR, as ipcdemo_wait(); -EBADF.
 */
int ipcdemo_sem_wait(struct ipcdemo_sem *sem);
/* -EAGAIN: there is none. */
int ipcdemo_sem_trywait(struct ipcdemo_sem *sem);
/* -ETIMEDOUT, -EINVAL. */
int ipcdemo_sem_timedwait(struct ipcdemo_sem *sem, clockid_t clock,
			  const struct timespec *deadline);

/**
 * ipcdemo_sem_post - give one
 *
 * A handler of a signal may call it.
 *
 * Return: 0; -EOVERFLOW: it has IPCDEMO_SEM_MAX; -EBADF.
 */
int ipcdemo_sem_post(struct ipcdemo_sem *sem);

/* How many there are now; they may be gone at once. */
int ipcdemo_sem_value(const struct ipcdemo_sem *sem, unsigned int *value);

/* ---- condition variable -------------------------------------------------- */

struct ipcdemo_cond {
	struct ipcdemo_region *region;
	uint64_t offset;
	void *at;
};

int ipcdemo_cond_init(struct ipcdemo_region *region, uint64_t offset,
		      const char *name, struct ipcdemo_cond *cond);
int ipcdemo_cond_attach(struct ipcdemo_region *region, uint64_t offset,
			struct ipcdemo_cond *cond);
int ipcdemo_cond_find(struct ipcdemo_region *region, const char *name,
		      struct ipcdemo_cond *cond);
int ipcdemo_cond_destroy(struct ipcdemo_cond *cond);

/**
 * ipcdemo_cond_wait - let the mutex go, wait for a signal, lock it again
 *
 * A signal that comes after the mutex was let go is not missed.  It may return 0
 * for nothing: look again at what you wait for.  Goes on after signals of
 * kill(2).
 *
 * Return: 0; -EPERM: this thread does not hold @mutex, and nothing has happened;
 * -EOWNERDEAD, -ENOTRECOVERABLE: as ipcdemo_mutex_lock(); -EBADF.
 */
int ipcdemo_cond_wait(struct ipcdemo_cond *cond, struct ipcdemo_mutex *mutex);

/*
 * The same, but -ETIMEDOUT once the deadline is past, and the mutex is held then,
 * too; -EINVAL: it is none, and nothing has happened.
 */
int ipcdemo_cond_timedwait(struct ipcdemo_cond *cond,
			   struct ipcdemo_mutex *mutex, clockid_t clock,
			   const struct timespec *deadline);

/* Let one of those who wait go on, or all.  No system call if nobody waits. */
int ipcdemo_cond_signal(struct ipcdemo_cond *cond);
int ipcdemo_cond_broadcast(struct ipcdemo_cond *cond);

/* ---- reader-writer lock -------------------------------------------------- */

/* So many may read, wait to read, and wait to write at once. */
#define IPCDEMO_RWLOCK_MAX 0xfffff

struct ipcdemo_rwlock {
	struct ipcdemo_region *region;
	uint64_t offset;
	void *at;
};

int ipcdemo_rwlock_init(struct ipcdemo_region *region, uint64_t offset,
			const char *name, struct ipcdemo_rwlock *lock);
int ipcdemo_rwlock_attach(struct ipcdemo_region *region, uint64_t offset,
			  struct ipcdemo_rwlock *lock);
int ipcdemo_rwlock_find(struct ipcdemo_region *region, const char *name,
			struct ipcdemo_rwlock *lock);
int ipcdemo_rwlock_destroy(struct ipcdemo_rwlock *lock);

/**
 * ipcdemo_rwlock_rdlock - hold it with other readers
 *
 * From the moment when a writer waits no more readers come in, so writers do not
 * starve (and a thread that reads already must not ask once more).  Goes on after
 * signals.
 *
 * Return: 0.  -EDEADLK: this thread holds it for writing.  -EAGAIN: too many.
 * -EBADF.  trylock: -EBUSY; timed: -ETIMEDOUT, -EINVAL.
 */
int ipcdemo_rwlock_rdlock(struct ipcdemo_rwlock *lock);
int ipcdemo_rwlock_tryrdlock(struct ipcdemo_rwlock *lock);
int ipcdemo_rwlock_timedrdlock(struct ipcdemo_rwlock *lock, clockid_t clock,
			       const struct timespec *deadline);

/* The same, to hold it alone. */
int ipcdemo_rwlock_wrlock(struct ipcdemo_rwlock *lock);
int ipcdemo_rwlock_trywrlock(struct ipcdemo_rwlock *lock);
int ipcdemo_rwlock_timedwrlock(struct ipcdemo_rwlock *lock, clockid_t clock,
			       const struct timespec *deadline);

/* -EPERM: nobody holds it, or another thread for writing. */
int ipcdemo_rwlock_unlock(struct ipcdemo_rwlock *lock);

/* ---- barrier ------------------------------------------------------------- */

/* What one of those who meet gets, as PTHREAD_BARRIER_SERIAL_THREAD. */
#define IPCDEMO_BARRIER_SERIAL 1

struct ipcdemo_barrier {
	struct ipcdemo_region *region;
	uint64_t offset;
	void *at;
	uint32_t count;
};

/* @count: so many meet; -EINVAL: 0, or more than 0x7fffffff. */
int ipcdemo_barrier_init(struct ipcdemo_region *region, uint64_t offset,
			 const char *name, unsigned int count,
			 struct ipcdemo_barrier *barrier);
int ipcdemo_barrier_attach(struct ipcdemo_region *region, uint64_t offset,
			   struct ipcdemo_barrier *barrier);
int ipcdemo_barrier_find(struct ipcdemo_region *region, const char *name,
			 struct ipcdemo_barrier *barrier);
int ipcdemo_barrier_destroy(struct ipcdemo_barrier *barrier);

/**
 * ipcdemo_barrier_wait - wait until all are here
 *
 * Goes on after signals.  Who leaves a timed wait was not here.
 *
 * Return: IPCDEMO_BARRIER_SERIAL to one of them, 0 to the others.  -EBADF.  try:
 * -EBUSY: others are missing.  timed: -ETIMEDOUT, -EINVAL.
 */
int ipcdemo_barrier_wait(struct ipcdemo_barrier *barrier);
int ipcdemo_barrier_trywait(struct ipcdemo_barrier *barrier);
int ipcdemo_barrier_timedwait(struct ipcdemo_barrier *barrier, clockid_t clock,
			      const struct timespec *deadline);

/* ---- ring of messages ----------------------------------------------------- */

/*
 * A ring carries messages of any length, in order, from senders to one receiver.
 *
 *	sender				receiver
 *	ipcdemo_ring_join_sender()	ipcdemo_ring_join_receiver()
 *	ipcdemo_ring_send() ...		while (ipcdemo_ring_receive() > 0) ...
 *	ipcdemo_ring_leave()		ipcdemo_ring_leave()
 *
 * A sender is *alone*, which is quicker, or one of *many* (IPCDEMO_RING_MANY).  One
 * thread at a time may send by the handles of one who is alone, any number by one of
 * many; one thread at a time may receive.  As long as nobody sleeps no call makes a
 * system call.
 *
 * What @how and @deadline of a call say:
 *
 *	0			sleep until there is room, or a message
 *	IPCDEMO_RING_NONBLOCK	do not wait: -EAGAIN
 *	IPCDEMO_RING_SPIN	look again and again, without a system call; signals
 *				do not end it
 *	IPCDEMO_RING_REALTIME	beside them: the deadline is on CLOCK_REALTIME,
 *				else on CLOCK_MONOTONIC
 *
 * @deadline NULL is never; -ETIMEDOUT after it, if there was nothing; -EINVAL: it is
 * none, or @how is unknown.  -EINTR: as ipcdemo_wait(); nothing was sent or received.
 *
 * The end.  When all senders have left, the receiver gets what is in the ring, and then
 * 0.  When the receiver has left, senders get -EPIPE.  What is in a ring stays there
 * for the next receiver.  Before anybody has come both wait for each other.
 *
 * Who died.  A process that is killed, at any instruction, breaks no message of others.
 * Of a sender each message is there whole, or not at all; a receiver that was killed
 * while it received may leave messages that its successor gets again.  But the dead do
 * not leave, and what a dead sender of many had reserved and not committed holds up
 * what comes behind it: ipcdemo_ring_recover() has them leave, and gives that up.
 * Nobody calls it for you, so who waits for a peer that may die waits with a deadline,
 * and calls it then.  Processes are known by their ids: all must be in one pid
 * namespace; one that has exited counts as dead once it was waited for.  A thread that
 * ends between reserve and commit while its process lives is not noticed.
 *
 * A child of fork(2) joins for itself.
 *
 * If others scribble over the ring, calls may be -EBADMSG, and messages wrong ones.
 */

/* Bytes of the cells of a ring, a power of two. */
#define IPCDEMO_RING_MIN	 512
#define IPCDEMO_RING_MAX	 0x40000000

/* Places for senders; one of them is for one who is alone. */
#define IPCDEMO_RING_SENDERS_MAX 64

/* ipcdemo_ring_join_sender(): there may be others, 63 in all. */
#define IPCDEMO_RING_MANY	 0x1

#define IPCDEMO_RING_NONBLOCK	 0x1
#define IPCDEMO_RING_SPIN	 0x2
#define IPCDEMO_RING_REALTIME	 0x4

/* A copy of a handle that has joined has joined, too; one of them leaves. */
struct ipcdemo_ring {
	struct ipcdemo_region *region;
	uint64_t offset;
	void *at;
	uint32_t capacity;
	uint32_t role;
	uint32_t place;
	uint32_t pid;
	uint32_t base;
	uint32_t senders;
};

/**
 * ipcdemo_ring_init - as init of the other kinds
 * @capacity:	bytes of its cells: IPCDEMO_RING_MIN to IPCDEMO_RING_MAX, a power of
 *		two, else -EINVAL
 *
 * A message takes a multiple of 64 bytes, at least 64, and lies in a row: what is left
 * before the end, if it does not fit there, is passed over.
 */
int ipcdemo_ring_init(struct ipcdemo_region *region, uint64_t offset,
		      const char *name, uint64_t capacity,
		      struct ipcdemo_ring *ring);
int ipcdemo_ring_attach(struct ipcdemo_region *region, uint64_t offset,
			struct ipcdemo_ring *ring);
int ipcdemo_ring_find(struct ipcdemo_region *region, const char *name,
		      struct ipcdemo_ring *ring);
/* -EBUSY: somebody has joined. */
int ipcdemo_ring_destroy(struct ipcdemo_ring *ring);

/* Bytes that a ring of that capacity takes in a region; 0: it is none. */
uint64_t ipcdemo_ring_size(uint64_t capacity);

/* Bytes of the longest message: half the capacity.  An empty ring has room for it. */
uint64_t ipcdemo_ring_longest(const struct ipcdemo_ring *ring);

/**
 * ipcdemo_ring_join_sender - from now on this handle sends
 * @flags:	0: alone; IPCDEMO_RING_MANY
 *
 * Return: 0.  -EBUSY: another is alone, or the call wants to be and is not, or 63 have
 * joined; those who died do not count.  -EALREADY: this handle has joined.  -EINVAL.
 * -EBADF: mapped for reading alone.
 */
int ipcdemo_ring_join_sender(struct ipcdemo_ring *ring, unsigned int flags);

/**
 * ipcdemo_ring_join_receiver - from now on this handle receives
 * @senders:	the end is when so many have come and gone, at least, since the end that
 *		a receiver saw last, and none is there; 1 to 0x7fffffff
 *
 * Return: 0.  -EBUSY: another receives, who lives.  -EALREADY, -EINVAL, -EBADF.
 */
int ipcdemo_ring_join_receiver(struct ipcdemo_ring *ring, unsigned int senders);

/**
 * ipcdemo_ring_leave - no more
 *
 * What was reserved and not committed before is given up.
 *
 * Return: 0; -EPERM: it has not joined.
 */
int ipcdemo_ring_leave(struct ipcdemo_ring *ring);

/**
 * ipcdemo_ring_recover - have the dead leave
 *
 * Anybody may call it, at any time, without having joined.
 *
 * Return: how many have left by that, and how many reservations were given up.
 * -EBADF.
 */
int ipcdemo_ring_recover(struct ipcdemo_ring *ring);

/**
 * ipcdemo_ring_send - send a message
 * @size:	its bytes; may be 0
 *
 * Return: 0.  -EMSGSIZE: longer than ipcdemo_ring_longest().  -EPIPE: the receiver has
 * left since this handle joined.  -EPERM: not joined as a sender.  -EAGAIN, -ETIMEDOUT,
 * -EINTR, -EINVAL: as said above.  -EBADMSG.
 */
int ipcdemo_ring_send(struct ipcdemo_ring *ring, const void *data, size_t size,
		      unsigned int how, const struct timespec *deadline);

/**
 * ipcdemo_ring_send_many - send messages, and wake once
 * @count:	1 to INT_MAX
 *
 * In order; those of other senders may come between.  The receiver is woken when all
 * are there, or when this call has to wait.
 *
 * Return: how many were sent; fewer than @count if the next one fails as
 * ipcdemo_ring_send() does.  If the first one does: its error.
 */
int ipcdemo_ring_send_many(struct ipcdemo_ring *ring,
			   const struct iovec *messages, unsigned int count,
			   unsigned int how, const struct timespec *deadline);

/**
 * struct ipcdemo_ring_slot - room for a message, in the ring
 * @data:	where it begins, a multiple of 64 in the region; what is there is
 *		undefined
 * @size:	so many bytes, as was asked for
 * @position:	the library's
 */
struct ipcdemo_ring_slot {
	void *data;
	size_t size;
	uint64_t position;
};

/**
 * ipcdemo_ring_reserve - get room, to make a message where it is received
 * @size:	bytes at most
 *
 * Alone, a sender has one reservation: the next call, also of send, takes its place.
 * One of many can have several, in order; nothing behind one is received before it is
 * committed.
 *
 * Return: as ipcdemo_ring_send().
 */
int ipcdemo_ring_reserve(struct ipcdemo_ring *ring, size_t size,
			 unsigned int how, const struct timespec *deadline,
			 struct ipcdemo_ring_slot *slot);

/**
 * ipcdemo_ring_commit - send what was made there
 * @size:	its bytes, not more than were reserved
 *
 * Return: 0.  -EINVAL: @size, or the slot is not reserved any more.  -EBADMSG:
 * likewise, or somebody scribbled.  -EPERM.
 */
int ipcdemo_ring_commit(struct ipcdemo_ring *ring,
			const struct ipcdemo_ring_slot *slot, size_t size);

/* Send nothing after all.  Return: as ipcdemo_ring_commit(). */
int ipcdemo_ring_abort(struct ipcdemo_ring *ring,
		       const struct ipcdemo_ring_slot *slot);

/**
 * ipcdemo_ring_receive - receive the oldest message
 * @size:	room at @data
 * @length:	how long it is, also if it is -EMSGSIZE; may be NULL
 *
 * Return: 1.  0: the end.  -EMSGSIZE: it is longer than @size, and stays.  -EPERM: not
 * joined as the receiver.  -EAGAIN, -ETIMEDOUT, -EINTR, -EINVAL: as said above.
 * -EBADMSG.
 */
int ipcdemo_ring_receive(struct ipcdemo_ring *ring, void *data, size_t size,
			 size_t *length, unsigned int how,
			 const struct timespec *deadline);

/**
 * ipcdemo_ring_receive_many - receive what is there, and wake once
 * @messages:	room for each; iov_len becomes its length
 * @count:	at most so many, 1 to INT_MAX
 *
 * Waits only for the first one.
 *
 * Return: how many.  0: the end.  -EMSGSIZE: the first one is longer than its room;
 * iov_len says how long.  One that is not the first ends the call before it; what
 * iov_len is from there on is undefined.  Else as ipcdemo_ring_receive().
 */
int ipcdemo_ring_receive_many(struct ipcdemo_ring *ring, struct iovec *messages,
			      unsigned int count, unsigned int how,
			      const struct timespec *deadline);

/**
 * ipcdemo_ring_peek - look at the oldest messages where they are
 * @messages:	get where each begins, and its length
 * @count:	at most so many, 1 to INT_MAX
 *
 * They stay until they are released, and whoever may write to the region can change
 * them meanwhile: copy what you check.  A second call shows the same ones.
 *
 * Return: as ipcdemo_ring_receive_many(), but never -EMSGSIZE.
 */
int ipcdemo_ring_peek(struct ipcdemo_ring *ring, struct iovec *messages,
		      unsigned int count, unsigned int how,
		      const struct timespec *deadline);

/**
 * ipcdemo_ring_release - give the room of the oldest messages back, and wake once
 *
 * Return: 0.  -EINVAL: there are fewer than @count; those there were are released.
 * -EPERM.  -EBADMSG.
 */
int ipcdemo_ring_release(struct ipcdemo_ring *ring, unsigned int count);

/* ---- looking ------------------------------------------------------------- */

/**
 * struct ipcdemo_object - what the list says of an object, and what it says itself
 * @kind:	enum ipcdemo_object_kind, or one that this library does not know
 * @offset:	where it lies
 * @size:	its bytes
 * @name:	or empty
 * @valid:	1: the object is what the list says; what follows holds then
 * @holder:	who holds it: the module's number of an owner, elsewhere a process
 *		id; 0: nobody, or it has none (mutex; rwlock: the writer)
 * @thread:	the thread that does, in its own pid namespace; 0: not known
 * @died:	mutex: 1: the holder died, and nobody has locked it since; 2: who
 *		holds it was told so; 3: not recoverable
 * @value:	semaphore: its value; rwlock: readers; barrier: who is here; ring: bytes
 *		of its cells that are taken
 * @count:	barrier: how many must be; ring: its capacity
 * @round:	barrier: how often they met; ring: how many senders have joined
 * @waiters:	how many wait (readers and writers); mutex: 1: somebody may; ring: 1
 *		for a receiver, and 1 for senders
 *
 * Members are only added at its end.
 */
struct ipcdemo_object {
	uint32_t kind;
	uint32_t valid;
	uint64_t offset;
	uint64_t size;
	char name[IPCDEMO_NAME_MAX + 1];
	uint32_t holder;
	uint32_t thread;
	uint32_t died;
	uint32_t value;
	uint32_t count;
	uint32_t round;
	uint32_t waiters;
	uint32_t zero;
};

/**
 * ipcdemo_region_objects - what is in a region
 * @objects:	room for @size of them; may be NULL if that is 0
 *
 * Takes no lock and changes nothing, so it works on regions that are mapped for
 * reading alone, and on stuck ones; each member is what it was at one moment.
 *
 * Return: how many there are, which may be more than @size; -EBADMSG, and so on,
 * of the region as above.
 */
int ipcdemo_region_objects(struct ipcdemo_region *region,
			   struct ipcdemo_object *objects, unsigned int size);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* IPCDEMO_H */

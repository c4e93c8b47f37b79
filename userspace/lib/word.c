// SPDX-License-Identifier: GPL-2.0
/*
 * Words: sleeping on them and waking who sleeps
 *
 * No wake-up is lost: the kernel, ours or futex(2), compares the word and puts
 * the thread on the queue under one lock, which a wake takes, too.  Who changes
 * the word and then wakes either comes before the comparison, which then sees
 * the change (both take that lock), or finds the sleeper on the queue.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/ipcdemo.h>

#include "lib.h"

#define NSEC_PER_SEC 1000000000

int check_deadline(clockid_t clock, const struct timespec *deadline)
{
	if (!deadline)
		return 0;
	if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
		return -EINVAL;
	if (deadline->tv_nsec < 0 || deadline->tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	return 0;
}

/* As the module takes it: a time before its clock began is long past. */
static uint64_t nanoseconds(const struct timespec *deadline)
{
	if (!deadline)
		return IPCDEMO_WAIT_FOREVER;
	if (deadline->tv_sec < 0)
		return 0;
	if ((uint64_t)deadline->tv_sec >= INT64_MAX / NSEC_PER_SEC)
		return INT64_MAX;
	return (uint64_t)deadline->tv_sec * NSEC_PER_SEC + deadline->tv_nsec;
}

static int result(long ret)
{
	return ret < 0 ? -errno : ret;
}

static int futex_wait(const struct ipcdemo_region *r, uint64_t offset,
		      uint32_t expected, clockid_t clock,
		      const struct timespec *deadline)
{
	struct timespec past = {0};
	int op = FUTEX_WAIT_BITSET;

	if (deadline && clock == CLOCK_REALTIME)
		op |= FUTEX_CLOCK_REALTIME;
	if (deadline && deadline->tv_sec < 0)
		deadline = &past;
	return result(syscall(SYS_futex, r->base + offset, op, expected,
			      deadline, NULL, FUTEX_BITSET_MATCH_ANY));
}

static int futex_wake(const struct ipcdemo_region *r, uint64_t offset,
		      unsigned int count)
{
	return result(syscall(SYS_futex, r->base + offset, FUTEX_WAKE,
			      count > INT_MAX ? INT_MAX : (int)count, NULL,
			      NULL, 0));
}

int ipcdemo_wait(struct ipcdemo_region *r, uint64_t offset, uint32_t expected,
		 clockid_t clock, const struct timespec *deadline)
{
	struct ipcdemo_wait request = {
		.size = sizeof(request),
		.offset = offset,
		.expected = expected,
		.clock = deadline ? clock : CLOCK_MONOTONIC,
		.deadline_ns = nanoseconds(deadline),
	};
	int err = check_word(r, offset) ?: check_deadline(clock, deadline);

	if (err)
		return err;
	if (!r->module)
		return futex_wait(r, offset, expected, clock, deadline);
	return result(ioctl(r->fd, IPCDEMO_IOC_WAIT, &request));
}

int ipcdemo_wake(struct ipcdemo_region *r, uint64_t offset, unsigned int count)
{
	struct ipcdemo_wake request = {
		.size = sizeof(request),
		.offset = offset,
		.count = count,
	};
	int err = check_word(r, offset);

	if (err)
		return err;
	if (!r->writable)
		return -EBADF;
	if (!count)
		return -EINVAL;
	if (!r->module)
		return futex_wake(r, offset, count);
	return result(ioctl(r->fd, IPCDEMO_IOC_WAKE, &request));
}

int ipcdemo_wake_wait(struct ipcdemo_region *r, uint64_t wake_offset,
		      unsigned int count, unsigned int *woken, uint64_t offset,
		      uint32_t expected, clockid_t clock,
		      const struct timespec *deadline)
{
	struct ipcdemo_wake_wait request = {
		.size = sizeof(request),
		.wake_offset = wake_offset,
		.wake_count = count,
		.offset = offset,
		.expected = expected,
		.clock = deadline ? clock : CLOCK_MONOTONIC,
		.deadline_ns = nanoseconds(deadline),
	};
	int err = check_word(r, offset) ?: check_deadline(clock, deadline);
	int ret = 0;

	if (woken)
		*woken = 0;
	if (!err)
		err = check_word(r, wake_offset);
	if (err)
		return err;
	if (!r->writable)
		return -EBADF;
	if (r->module) {
		ret = result(ioctl(r->fd, IPCDEMO_IOC_WAKE_WAIT, &request));
		if (woken)
			*woken = request.woken;
		return ret;
	}
	if (count)
		ret = futex_wake(r, wake_offset, count);
	if (ret < 0)
		return ret;
	if (woken)
		*woken = ret;
	return futex_wait(r, offset, expected, clock, deadline);
}

int word_wait(struct ipcdemo_region *r, const atomic_uint *word,
	      uint32_t expected, clockid_t clock,
	      const struct timespec *deadline)
{
	return ipcdemo_wait(r, offset_in(r, (const void *)word), expected,
			    clock, deadline);
}

int word_wake(struct ipcdemo_region *r, const atomic_uint *word,
	      unsigned int count)
{
	return ipcdemo_wake(r, offset_in(r, (const void *)word), count);
}

int ipcdemo_event(struct ipcdemo_region *r, uint64_t offset, int eventfd)
{
	struct ipcdemo_word_event request = {
		.size = sizeof(request),
		.offset = offset,
		.eventfd = eventfd,
	};

	if (!r->module)
		return -EOPNOTSUPP;
	return result(ioctl(r->fd, IPCDEMO_IOC_WORD_EVENT, &request));
}

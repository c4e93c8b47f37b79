// SPDX-License-Identifier: GPL-2.0
/*
 * Regions: opening, making and mapping them
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/ipcdemo.h>

#include "lib.h"

#define DEVICE "/dev/ipcdemo"

/*
 * Does the module that made this region put threads to sleep, too?  A wake of
 * nobody is refused by those that know it, each for a reason of its own.
 */
static bool by_module(int fd)
{
	struct ipcdemo_region_stat stat = {.size = sizeof(stat)};
	struct ipcdemo_wake wake = {.size = sizeof(wake)};

	if (ioctl(fd, IPCDEMO_IOC_REGION_STAT, &stat))
		return false;
	return ioctl(fd, IPCDEMO_IOC_WAKE, &wake) != -1 || errno != ENOTTY;
}

static int seal(int fd)
{
	struct ipcdemo_attr seals = {
		.size = sizeof(seals),
		.value = IPCDEMO_SEAL_SHRINK | IPCDEMO_SEAL_GROW,
	};

	if (!ioctl(fd, IPCDEMO_IOC_ADD_SEALS, &seals))
		return 0;
	if (errno != ENOTTY)
		return -errno;
	if (!fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW))
		return 0;
	return errno == EINVAL ? -EOPNOTSUPP : -errno;
}

/* Takes fd over, also if it fails. */
static int map(int fd, unsigned int flags, struct ipcdemo_region **region)
{
	bool writable = !(flags & IPCDEMO_REGION_READ_ONLY);
	struct ipcdemo_region *r;
	struct stat st;
	int err = 0;

	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -ENODEV;
	else if (flags & IPCDEMO_REGION_SEAL)
		err = seal(fd);
	/* Its size again: now nobody changes it any more */
	if (!err && fstat(fd, &st))
		err = -errno;
	if (!err && !st.st_size)
		err = -ENODATA;
	if (!err && (uint64_t)st.st_size > SIZE_MAX)
		err = -EFBIG;
	if (err)
		goto close;
	r = calloc(1, sizeof(*r));
	if (!r) {
		err = -ENOMEM;
		goto close;
	}
	r->fd = fd;
	r->writable = writable;
	r->size = st.st_size;
	r->module = by_module(fd);
	r->base = mmap(NULL, r->size, PROT_READ | (writable ? PROT_WRITE : 0),
		       MAP_SHARED, fd, 0);
	if (r->base == MAP_FAILED) {
		err = -errno;
		goto free;
	}
	*region = r;
	return 0;
free:
	free(r);
close:
	close(fd);
	return err;
}

/* The region of the device, from one of its control descriptors. */
static int device_region(int control)
{
	struct ipcdemo_region_fd request = {
		.size = sizeof(request),
		.flags = O_CLOEXEC,
	};
	int fd = ioctl(control, IPCDEMO_IOC_REGION_FD, &request);

	if (fd >= 0)
		return fd;
	return errno == EBADF || errno == ENOTTY ? -ENODEV : -errno;
}

static bool flags_fit(unsigned int flags, unsigned int known)
{
	const unsigned int both =
		IPCDEMO_REGION_READ_ONLY | IPCDEMO_REGION_SEAL;

	return !(flags & ~known) && (flags & both) != both;
}

int ipcdemo_region_open(const char *path, unsigned int flags,
			struct ipcdemo_region **region)
{
	bool read_only = flags & IPCDEMO_REGION_READ_ONLY;
	struct stat st;
	int fd, control;

	if (!flags_fit(flags, IPCDEMO_REGION_READ_ONLY | IPCDEMO_REGION_SEAL))
		return -EINVAL;
	/* Opening a FIFO or a device for real can wait, or do something */
	if (stat(path, &st))
		return -errno;
	if (S_ISCHR(st.st_mode)) {
		control = open(path, IPCDEMO_O_CONTROL | O_CLOEXEC);
		if (control < 0)
			return -errno;
		fd = device_region(control);
		close(control);
	} else if (S_ISREG(st.st_mode)) {
		fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC |
					O_NONBLOCK | O_NOCTTY);
		if (fd < 0)
			return -errno;
	} else {
		return -ENODEV;
	}
	return fd < 0 ? fd : map(fd, flags, region);
}

/*
 * At least that large.  Between looking and setting another, who wants it larger,
 * could do so, and use what we then would cut off: those who make regions do it one
 * by one.
 */
static int grow(int fd, uint64_t size)
{
	struct stat st;
	int err = 0;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENODEV;
	while (flock(fd, LOCK_EX))
		if (errno != EINTR)
			return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if ((uint64_t)st.st_size < size && ftruncate(fd, size))
		err = -errno;
	flock(fd, LOCK_UN);
	return err;
}

int ipcdemo_region_create(const char *path, uint64_t size, mode_t mode,
			  unsigned int flags, struct ipcdemo_region **region)
{
	const int how = O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	bool made = true;
	int fd, err;

	if (!flags_fit(flags, IPCDEMO_REGION_SEAL | IPCDEMO_REGION_EXCLUSIVE) ||
	    !size)
		return -EINVAL;
	if (size > INT64_MAX)
		return -EFBIG;
	fd = open(path, how | O_EXCL, mode);
	if (fd < 0 && errno == EEXIST && !(flags & IPCDEMO_REGION_EXCLUSIVE)) {
		made = false;
		fd = open(path, how, mode);
	}
	if (fd < 0)
		return -errno;
	err = grow(fd, size);
	if (err)
		close(fd);
	else
		err = map(fd, flags, region);
	if (err && made)
		unlink(path);
	return err;
}

int ipcdemo_region_anonymous(uint64_t size, unsigned int flags,
			     struct ipcdemo_region **region)
{
	struct ipcdemo_region_make request = {
		.size = sizeof(request),
		.flags = O_CLOEXEC,
		.length = size,
	};
	int control, fd;

	if (!flags_fit(flags, IPCDEMO_REGION_SEAL) || !size)
		return -EINVAL;
	control = open(DEVICE, IPCDEMO_O_CONTROL | O_CLOEXEC);
	if (control < 0)
		return -errno;
	fd = ioctl(control, IPCDEMO_IOC_REGION_MAKE, &request);
	if (fd < 0)
		fd = -errno;
	close(control);
	return fd < 0 ? fd : map(fd, flags, region);
}

int ipcdemo_region_from_fd(int fd, unsigned int flags,
			   struct ipcdemo_region **region)
{
	struct stat st;
	int mine;

	if (!flags_fit(flags, IPCDEMO_REGION_READ_ONLY | IPCDEMO_REGION_SEAL))
		return -EINVAL;
	if (fstat(fd, &st))
		return -errno;
	if (S_ISCHR(st.st_mode))
		mine = device_region(fd);
	else
		mine = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (mine < 0)
		return S_ISCHR(st.st_mode) ? mine : -errno;
	return map(mine, flags, region);
}

void ipcdemo_region_close(struct ipcdemo_region *r)
{
	if (!r)
		return;
	munmap(r->base, r->size);
	close(r->fd);
	free(r);
}

void *ipcdemo_region_base(const struct ipcdemo_region *r)
{
	return r->base;
}

uint64_t ipcdemo_region_size(const struct ipcdemo_region *r)
{
	return r->size;
}

int ipcdemo_region_descriptor(const struct ipcdemo_region *r)
{
	return r->fd;
}

int ipcdemo_region_by_module(const struct ipcdemo_region *r)
{
	return r->module;
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * splice(2), tee(2) and vmsplice(2) as a program of `ipcdemo run` has them
 *
 * The functions of the library itself, found in it by name; so pipes that the
 * test makes stay what they are.
 */
#ifndef IPCDEMO_LIBRARY_H
#define IPCDEMO_LIBRARY_H

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>

#define LIBRARY "build/libipcdemo-run.so"

static ssize_t (*lib_splice)(int in, off64_t *off_in, int out, off64_t *off_out,
			     size_t len, unsigned int flags);
static ssize_t (*lib_tee)(int in, int out, size_t len, unsigned int flags);
static ssize_t (*lib_vmsplice)(int fd, const struct iovec *iov, size_t count,
			       unsigned int flags);

static inline void *find_call(void *library, const char *name)
{
	void *call = dlsym(library, name);

	if (call)
		return call;
	fprintf(stderr, "%s\n", dlerror());
	exit(1);
}

/* To be called first, in the folder of the sources. */
static inline void find_calls(void)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		fprintf(stderr, "%s: run make userspace\n", dlerror());
		exit(1);
	}
	*(void **)&lib_splice = find_call(library, "splice");
	*(void **)&lib_tee = find_call(library, "tee");
	*(void **)&lib_vmsplice = find_call(library, "vmsplice");
}

#endif /* IPCDEMO_LIBRARY_H */

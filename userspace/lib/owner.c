// SPDX-License-Identifier: GPL-2.0
/*
 * Owners: the number under which a process holds locks in a region
 *
 * The module gives it when the process registers, and forgets it when the last
 * mapping goes away.  Elsewhere it is the process id.  A child of fork(2) inherits
 * the handle and is somebody else, so the number is kept with a *token* of the
 * process that asked for it, and is worth nothing to another.
 *
 * The token stands in a page that the kernel fills with zeros in a child
 * (MADV_WIPEONFORK): noticing a fork takes no system call, and works however the
 * process was made.  Tokens count up along a line of forks, in memory that a child
 * inherits as it was, so a token is none that an ancestor had.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/ipcdemo.h>

#include "lib.h"
#include "layout.h"

/* The page with the token; set once, by whoever needs it first. */
static atomic_uintptr_t page;
static atomic_uint last_token;

static int token_page(atomic_uint **token)
{
	uintptr_t there = 0;
	void *mine;
	int err;

	mine = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mine == MAP_FAILED)
		return -errno;
	if (madvise(mine, sysconf(_SC_PAGESIZE), MADV_WIPEONFORK)) {
		err = -errno;
		munmap(mine, sysconf(_SC_PAGESIZE));
		return err;
	}
	if (!atomic_compare_exchange_strong(&page, &there, (uintptr_t)mine)) {
		munmap(mine, sysconf(_SC_PAGESIZE));
		mine = (void *)there;
	}
	*token = mine;
	return 0;
}

/* Nonzero; 0 and *err otherwise. */
static uint32_t process_token(int *err)
{
	atomic_uint *token;
	uint32_t now, mine;

	token = (void *)atomic_load_explicit(&page, memory_order_acquire);
	*err = token ? 0 : token_page(&token);
	if (*err)
		return 0;
	now = atomic_load_explicit(token, memory_order_relaxed);
	if (now)
		return now;
	do {
		mine = atomic_fetch_add(&last_token, 1) + 1;
	} while (!mine);
	/* Another thread may have been quicker: then its token is everybody's */
	if (atomic_compare_exchange_strong(token, &now, mine))
		return mine;
	return now;
}

static int ask(struct ipcdemo_region *r)
{
	struct ipcdemo_owner request = {.size = sizeof(request)};

	if (!r->module)
		return getpid();
	request.offset = LOCKS_OFFSET;
	request.entries =
		1 + atomic_load_explicit(&r->objects, memory_order_relaxed);
	if (ioctl(r->fd, IPCDEMO_IOC_OWNER, &request) && errno != EEXIST)
		return -errno;
	return request.owner;
}

/*
 * Two threads may ask at once, and get the same number.  Relaxed is enough: the
 * pair is one value, and nothing else is published by it.
 */
int owner_of(struct ipcdemo_region *r)
{
	unsigned long long known;
	uint32_t token;
	int err, owner;

	token = process_token(&err);
	if (err)
		return err;
	known = atomic_load_explicit(&r->owner, memory_order_relaxed);
	if (known >> 32 == token)
		return (uint32_t)known;
	owner = ask(r);
	if (owner > 0)
		atomic_store_explicit(&r->owner,
				      (unsigned long long)token << 32 | owner,
				      memory_order_relaxed);
	return owner;
}

uint32_t this_thread(void)
{
	static __thread struct {
		uint32_t token;
		uint32_t tid;
	} me;
	uint32_t token;
	int err;

	token = process_token(&err);
	if (err || me.token != token) {
		me.tid = syscall(SYS_gettid);
		me.token = token;
	}
	return me.tid;
}

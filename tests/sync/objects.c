// SPDX-License-Identifier: GPL-2.0
/*
 * The header of a region, the list of objects, and what is refused
 */
#include "api.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define SIZE 65536

/* How each object begins, and the header of a region: layout.h. */
struct head {
	uint32_t magic;
	uint32_t version;
	uint64_t size;
};

static void *at_of(struct ipcdemo_region *r, uint64_t offset)
{
	return (char *)ipcdemo_region_base(r) + offset;
}

static void a_region_is_formatted_once(void)
{
	struct ipcdemo_region *r = new_region(SIZE), *other, *reader;
	struct ipcdemo_mutex m;
	int fd;

	assert_ret(-EBADMSG, ipcdemo_mutex_init(r, IPCDEMO_ANYWHERE, NULL, &m));
	assert_ret(-EBADMSG, ipcdemo_mutex_attach(r, 32768, &m));
	assert_ret(-EBADMSG, ipcdemo_region_objects(r, NULL, 0));
	assert_ret(-EINVAL, ipcdemo_region_format(r, 0, 0));
	assert_ret(-EINVAL,
		   ipcdemo_region_format(r, IPCDEMO_OBJECTS_MAX + 1, 0));
	assert_ret(-EINVAL, ipcdemo_region_format(r, 1, 0x80));
	assert_ret(-ENOSPC, ipcdemo_region_format(r, IPCDEMO_OBJECTS_MAX, 0));
	assert_true(ipcdemo_region_overhead(IPCDEMO_OBJECTS_MAX) > SIZE);
	other = again(r);
	assert_ret(0, ipcdemo_region_format(r, 8, 0));
	assert_ret(-EEXIST, ipcdemo_region_format(other, 8, 0));
	assert_ret(0, ipcdemo_region_objects(other, NULL, 0));
	fd = ipcdemo_region_descriptor(r);
	assert_ret(0, ipcdemo_region_from_fd(fd, IPCDEMO_REGION_READ_ONLY,
					     &reader));
	assert_ret(-EBADF, ipcdemo_region_format(reader, 8, 0));
	assert_ret(-EBADF,
		   ipcdemo_mutex_init(reader, IPCDEMO_ANYWHERE, NULL, &m));
	assert_ret(0, ipcdemo_region_objects(reader, NULL, 0));
	ipcdemo_region_close(reader);
	ipcdemo_region_close(other);
	ipcdemo_region_close(r);
}

/* The handle keeps what it saw of a header: each look needs a new one. */
static int look(struct ipcdemo_region *r)
{
	struct ipcdemo_region *other = again(r);
	int ret = ipcdemo_region_objects(other, NULL, 0);

	ipcdemo_region_close(other);
	return ret;
}

static void a_header_that_is_wrong_is_refused(void)
{
	struct ipcdemo_region *r = new_region(SIZE);
	uint32_t *objects = at_of(r, 16);
	struct head *header = at_of(r, 0), good;

	assert_ret(0, ipcdemo_region_format(r, 8, 0));
	good = *header;
	assert_int_equal(good.size, SIZE);
	assert_int_equal(*objects, 8);
	header->magic++;
	assert_ret(-EBADMSG, look(r));
	assert_ret(-EBADMSG, ipcdemo_region_format(r, 8, 0));
	/* Half done: that is the magic with a small letter */
	header->magic = good.magic + ('r' - 'R');
	assert_ret(-EAGAIN, look(r));
	assert_ret(-EAGAIN, ipcdemo_region_format(r, 8, 0));
	*header = good;
	header->version++;
	assert_ret(-EPROTONOSUPPORT, look(r));
	*header = good;
	header->size++;
	assert_ret(-ERANGE, look(r));
	*header = good;
	*objects = 0;
	assert_ret(-EBADMSG, look(r));
	*objects = IPCDEMO_OBJECTS_MAX;
	assert_ret(-ERANGE, look(r));
	*objects = UINT32_MAX;
	assert_ret(-EBADMSG, look(r));
	assert_ret(0, ipcdemo_region_format(r, 4, IPCDEMO_FORMAT_AGAIN));
	assert_ret(0, look(r));
	/* Shorter than the least header, and than this one */
	assert_ret(0, ftruncate(ipcdemo_region_descriptor(r), 64));
	assert_ret(-EBADMSG, look(r));
	assert_ret(0, ftruncate(ipcdemo_region_descriptor(r), 256));
	*header = good;
	*objects = 8;
	header->size = 256;
	assert_ret(-ERANGE, look(r));
	ipcdemo_region_close(r);
}

/* The calls that all kinds have. */
union handle {
	struct ipcdemo_mutex mutex;
	struct ipcdemo_sem sem;
	struct ipcdemo_cond cond;
	struct ipcdemo_rwlock rwlock;
	struct ipcdemo_barrier barrier;
};

enum { FIRST = IPCDEMO_OBJECT_MUTEX, LAST = IPCDEMO_OBJECT_BARRIER };

static int init(int kind, struct ipcdemo_region *r, uint64_t at,
		const char *name)
{
	union handle h;

	switch (kind) {
	case IPCDEMO_OBJECT_MUTEX:
		return ipcdemo_mutex_init(r, at, name, &h.mutex);
	case IPCDEMO_OBJECT_SEM:
		return ipcdemo_sem_init(r, at, name, 1, &h.sem);
	case IPCDEMO_OBJECT_COND:
		return ipcdemo_cond_init(r, at, name, &h.cond);
	case IPCDEMO_OBJECT_RWLOCK:
		return ipcdemo_rwlock_init(r, at, name, &h.rwlock);
	default:
		return ipcdemo_barrier_init(r, at, name, 2, &h.barrier);
	}
}

static int attach(int kind, struct ipcdemo_region *r, uint64_t at,
		  union handle *h)
{
	switch (kind) {
	case IPCDEMO_OBJECT_MUTEX:
		return ipcdemo_mutex_attach(r, at, &h->mutex);
	case IPCDEMO_OBJECT_SEM:
		return ipcdemo_sem_attach(r, at, &h->sem);
	case IPCDEMO_OBJECT_COND:
		return ipcdemo_cond_attach(r, at, &h->cond);
	case IPCDEMO_OBJECT_RWLOCK:
		return ipcdemo_rwlock_attach(r, at, &h->rwlock);
	default:
		return ipcdemo_barrier_attach(r, at, &h->barrier);
	}
}

static int find(int kind, struct ipcdemo_region *r, const char *name)
{
	union handle h;

	switch (kind) {
	case IPCDEMO_OBJECT_MUTEX:
		return ipcdemo_mutex_find(r, name, &h.mutex);
	case IPCDEMO_OBJECT_SEM:
		return ipcdemo_sem_find(r, name, &h.sem);
	case IPCDEMO_OBJECT_COND:
		return ipcdemo_cond_find(r, name, &h.cond);
	case IPCDEMO_OBJECT_RWLOCK:
		return ipcdemo_rwlock_find(r, name, &h.rwlock);
	default:
		return ipcdemo_barrier_find(r, name, &h.barrier);
	}
}

static int destroy(int kind, union handle *h)
{
	switch (kind) {
	case IPCDEMO_OBJECT_MUTEX:
		return ipcdemo_mutex_destroy(&h->mutex);
	case IPCDEMO_OBJECT_SEM:
		return ipcdemo_sem_destroy(&h->sem);
	case IPCDEMO_OBJECT_COND:
		return ipcdemo_cond_destroy(&h->cond);
	case IPCDEMO_OBJECT_RWLOCK:
		return ipcdemo_rwlock_destroy(&h->rwlock);
	default:
		return ipcdemo_barrier_destroy(&h->barrier);
	}
}

static void bad_places_and_names_are_refused(void)
{
	const char *longest = "123456789012345678901234567890123456789";
	struct ipcdemo_region *r = new_region(SIZE);
	uint64_t overhead, size;
	union handle h;
	int k;

	assert_ret(0, ipcdemo_region_format(r, 16, 0));
	overhead = ipcdemo_region_overhead(16);
	for (k = FIRST; k <= LAST; k++) {
		size = ipcdemo_object_size(k);
		assert_true(size);
		assert_int_equal(overhead % ipcdemo_object_alignment(k), 0);
		assert_ret(-EINVAL, init(k, r, 32768 + 4, NULL));
		assert_ret(-EINVAL, attach(k, r, 32768 + 4, &h));
		assert_ret(-EINVAL, init(k, r, 32768, ""));
		assert_ret(-ENAMETOOLONG,
			   init(k, r, 32768,
				"1234567890123456789012345678901234567890"));
		assert_ret(-ERANGE, init(k, r, overhead - 64, NULL));
		assert_ret(-ERANGE, init(k, r, 0, NULL));
		assert_ret(-ERANGE, init(k, r, SIZE, NULL));
		assert_ret(-ERANGE, init(k, r, UINT64_MAX - 127, NULL));
		assert_ret(-ERANGE, attach(k, r, 0, &h));
		assert_ret(-ERANGE, attach(k, r, SIZE, &h));
		assert_ret(-ERANGE, attach(k, r, UINT64_MAX - 127, &h));
		assert_ret(-ENOENT, find(k, r, "nobody"));
		assert_ret(0, init(k, r, SIZE - size, longest));
		assert_ret(-EADDRINUSE, init(k, r, SIZE - size, NULL));
		assert_ret(-EEXIST, init(k, r, IPCDEMO_ANYWHERE, longest));
		assert_ret(0, find(k, r, longest));
		assert_ret(0, attach(k, r, SIZE - size, &h));
		assert_ret(0, destroy(k, &h));
		assert_ret(-EBADMSG, attach(k, r, SIZE - size, &h));
		assert_ret(-ENOENT, destroy(k, &h));
		assert_ret(-ENOENT, find(k, r, longest));
		assert_ret(0, ipcdemo_region_objects(r, NULL, 0));
	}
	assert_int_equal(ipcdemo_object_size(IPCDEMO_OBJECT_BYTES), 0);
	assert_int_equal(ipcdemo_object_size(99), 0);
	ipcdemo_region_close(r);
}

static void garbage_and_other_versions_are_refused(void)
{
	struct ipcdemo_region *r = new_region(SIZE);
	struct head *head = at_of(r, 32768), good;
	struct ipcdemo_object seen;
	union handle h;
	int k, other;

	assert_ret(0, ipcdemo_region_format(r, 16, 0));
	for (k = FIRST; k <= LAST; k++) {
		memset(head, 0x55, 64);
		assert_ret(-EBADMSG, attach(k, r, 32768, &h));
		assert_ret(0, init(k, r, 32768, "it"));
		for (other = FIRST; other <= LAST; other++) {
			assert_ret(k == other ? 0 : -EBADMSG,
				   attach(other, r, 32768, &h));
			assert_ret(k == other ? 0 : -EBADMSG,
				   find(other, r, "it"));
		}
		good = *head;
		head->version++;
		assert_ret(-EPROTONOSUPPORT, attach(k, r, 32768, &h));
		assert_ret(1, ipcdemo_region_objects(r, &seen, 1));
		assert_int_equal(seen.valid, 0);
		*head = good;
		head->size++;
		assert_ret(-EBADMSG, attach(k, r, 32768, &h));
		*head = good;
		assert_ret(1, ipcdemo_region_objects(r, &seen, 1));
		assert_int_equal(seen.valid, 1);
		assert_int_equal(seen.kind, k);
		assert_int_equal(seen.offset, 32768);
		assert_string_equal(seen.name, "it");
		assert_ret(0, attach(k, r, 32768, &h));
		assert_ret(0, destroy(k, &h));
	}
	ipcdemo_region_close(r);
}

static void a_value_outside_its_bounds_is_refused(void)
{
	struct ipcdemo_region *r = new_region(SIZE);
	struct ipcdemo_barrier b;
	struct ipcdemo_sem s;
	uint64_t at, size;

	assert_ret(0, ipcdemo_region_format(r, 4, 0));
	assert_ret(-EINVAL, ipcdemo_sem_init(r, IPCDEMO_ANYWHERE, NULL,
					     IPCDEMO_SEM_MAX + 1U, &s));
	assert_ret(-EINVAL,
		   ipcdemo_barrier_init(r, IPCDEMO_ANYWHERE, NULL, 0, &b));
	assert_ret(-EINVAL, ipcdemo_barrier_init(r, IPCDEMO_ANYWHERE, NULL,
						 0x80000000U, &b));
	assert_ret(-EINVAL,
		   ipcdemo_bytes_init(r, IPCDEMO_ANYWHERE, NULL, 0, &at));
	assert_ret(-ENOSPC,
		   ipcdemo_bytes_init(r, IPCDEMO_ANYWHERE, NULL, SIZE, &at));
	assert_ret(-ENOSPC, ipcdemo_bytes_init(r, IPCDEMO_ANYWHERE, NULL,
					       UINT64_MAX, &at));
	assert_ret(0, ipcdemo_region_objects(r, NULL, 0));
	assert_ret(0, ipcdemo_bytes_init(r, IPCDEMO_ANYWHERE, "b", 100, &at));
	assert_ret(0, ipcdemo_bytes_find(r, "b", &at, &size));
	assert_int_equal(size, 100);
	assert_ret(-ENOENT, ipcdemo_bytes_destroy(r, at + 64));
	assert_ret(0, ipcdemo_bytes_destroy(r, at));
	assert_ret(-ENOENT, ipcdemo_bytes_find(r, "b", &at, &size));
	ipcdemo_region_close(r);
}

static void places_are_given_once_and_used_again(void)
{
	struct ipcdemo_region *r = new_region(SIZE);
	uint64_t overhead = ipcdemo_region_overhead(4), where[4], at;
	struct ipcdemo_object seen[4];
	size_t i;

	assert_ret(0, ipcdemo_region_format(r, 4, 0));
	for (i = 0; i < 4; i++)
		assert_ret(0, ipcdemo_bytes_init(r, IPCDEMO_ANYWHERE, NULL, 100,
						 &where[i]));
	for (i = 0; i < 4; i++)
		assert_int_equal(where[i], overhead + i * 128);
	/* As many as there may be */
	assert_ret(-ENOSPC,
		   ipcdemo_bytes_init(r, IPCDEMO_ANYWHERE, NULL, 1, &at));
	assert_ret(-ENOSPC, ipcdemo_bytes_init(r, 32768, NULL, 1, &at));
	assert_ret(0, ipcdemo_bytes_destroy(r, where[1]));
	/* Only what fits into the gap comes there */
	assert_ret(0, ipcdemo_bytes_init(r, IPCDEMO_ANYWHERE, NULL, 129, &at));
	assert_int_equal(at, where[3] + 128);
	assert_ret(0, ipcdemo_bytes_destroy(r, at));
	assert_ret(-EADDRINUSE,
		   ipcdemo_bytes_init(r, where[1], NULL, 129, &at));
	assert_ret(0, ipcdemo_bytes_init(r, IPCDEMO_ANYWHERE, NULL, 128, &at));
	assert_int_equal(at, where[1]);
	assert_ret(4, ipcdemo_region_objects(r, seen, 2));
	assert_ret(4, ipcdemo_region_objects(r, seen, 4));
	for (i = 0; i < 4; i++)
		assert_int_equal(seen[i].kind, IPCDEMO_OBJECT_BYTES);
	ipcdemo_region_close(r);
}

#define MAKERS 6

static void make_the_same(void *with)
{
	struct ipcdemo_region *r = again(with);
	atomic_int *made = at_of(r, SIZE - 64);
	struct ipcdemo_mutex m;
	char name[16];
	int i, err;

	err = ipcdemo_region_format(r, 64, 0);
	require(!err || err == -EEXIST || err == -EAGAIN);
	made[0] += !err;
	while (ipcdemo_region_objects(r, NULL, 0) == -EAGAIN)
		breathe();
	for (i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "lock %d", i);
		err = ipcdemo_mutex_init(r, IPCDEMO_ANYWHERE, name, &m);
		if (!err)
			made[1]++;
		else
			require(err == -EEXIST &&
				!ipcdemo_mutex_find(r, name, &m));
		require(!ipcdemo_mutex_lock(&m));
		require(!ipcdemo_mutex_unlock(&m));
	}
}

static void who_makes_the_same_at_once_makes_it_once(void)
{
	struct ipcdemo_region *r = new_region(SIZE);
	atomic_int *made = at_of(r, SIZE - 64);
	pid_t pids[MAKERS];
	size_t i;

	for (i = 0; i < MAKERS; i++)
		pids[i] = child(make_the_same, r);
	for (i = 0; i < MAKERS; i++)
		join(pids[i]);
	assert_int_equal(made[0], 1);
	assert_int_equal(made[1], 50);
	assert_ret(50, ipcdemo_region_objects(r, NULL, 0));
	ipcdemo_region_close(r);
}

struct waited_for {
	struct ipcdemo_mutex m;
	struct ipcdemo_cond c;
	struct ipcdemo_sem s;
	struct ipcdemo_barrier b;
};

static void wait_for_signal(void *with)
{
	struct waited_for *w = with;

	require(!ipcdemo_mutex_lock(&w->m));
	require(!ipcdemo_cond_wait(&w->c, &w->m));
	require(!ipcdemo_mutex_unlock(&w->m));
}

static void wait_for_post(void *with)
{
	struct waited_for *w = with;

	require(!ipcdemo_sem_wait(&w->s));
}

static void wait_for_another(void *with)
{
	struct waited_for *w = with;

	require(ipcdemo_barrier_wait(&w->b) >= 0);
}

static void what_is_waited_for_is_not_destroyed(void)
{
	struct ipcdemo_region *r = new_region(SIZE);
	struct waited_for w;
	pid_t pids[3];
	size_t i;

	assert_ret(0, ipcdemo_region_format(r, 4, 0));
	assert_ret(0, ipcdemo_mutex_init(r, IPCDEMO_ANYWHERE, NULL, &w.m));
	assert_ret(0, ipcdemo_cond_init(r, IPCDEMO_ANYWHERE, NULL, &w.c));
	assert_ret(0, ipcdemo_sem_init(r, IPCDEMO_ANYWHERE, NULL, 0, &w.s));
	assert_ret(0, ipcdemo_barrier_init(r, IPCDEMO_ANYWHERE, NULL, 2, &w.b));
	pids[0] = child(wait_for_signal, &w);
	pids[1] = child(wait_for_post, &w);
	pids[2] = child(wait_for_another, &w);
	for (i = 0; i < NR(pids); i++)
		sleeps(pids[i]);
	assert_ret(-EBUSY, ipcdemo_cond_destroy(&w.c));
	assert_ret(-EBUSY, ipcdemo_sem_destroy(&w.s));
	assert_ret(-EBUSY, ipcdemo_barrier_destroy(&w.b));
	/* Nothing has changed: they are woken, and then it is destroyed */
	assert_ret(0, ipcdemo_cond_signal(&w.c));
	assert_ret(0, ipcdemo_sem_post(&w.s));
	assert_true(ipcdemo_barrier_wait(&w.b) >= 0);
	for (i = 0; i < NR(pids); i++)
		join(pids[i]);
	assert_ret(0, ipcdemo_cond_destroy(&w.c));
	assert_ret(0, ipcdemo_sem_destroy(&w.s));
	assert_ret(0, ipcdemo_barrier_destroy(&w.b));
	ipcdemo_region_close(r);
}

static void what_is_in_use_is_not_destroyed(void)
{
	struct ipcdemo_region *r = new_region(SIZE);
	struct ipcdemo_rwlock l;
	struct ipcdemo_mutex m;

	assert_ret(0, ipcdemo_region_format(r, 4, 0));
	assert_ret(0, ipcdemo_mutex_init(r, IPCDEMO_ANYWHERE, NULL, &m));
	assert_ret(0, ipcdemo_rwlock_init(r, IPCDEMO_ANYWHERE, NULL, &l));
	assert_ret(0, ipcdemo_mutex_lock(&m));
	assert_ret(-EBUSY, ipcdemo_mutex_destroy(&m));
	assert_ret(0, ipcdemo_mutex_unlock(&m));
	assert_ret(0, ipcdemo_mutex_destroy(&m));
	assert_ret(0, ipcdemo_rwlock_rdlock(&l));
	assert_ret(-EBUSY, ipcdemo_rwlock_destroy(&l));
	assert_ret(0, ipcdemo_rwlock_unlock(&l));
	assert_ret(-EPERM, ipcdemo_rwlock_unlock(&l));
	assert_ret(0, ipcdemo_rwlock_destroy(&l));
	ipcdemo_region_close(r);
}

static void the_list_says_what_objects_are_up_to(void)
{
	struct ipcdemo_region *r = new_region(SIZE), *reader;
	struct ipcdemo_object seen[8];
	struct ipcdemo_barrier b;
	struct ipcdemo_rwlock l;
	struct ipcdemo_mutex m;
	struct ipcdemo_sem s;
	struct ipcdemo_cond c;

	assert_ret(0, ipcdemo_region_format(r, 8, 0));
	assert_ret(0, ipcdemo_mutex_init(r, IPCDEMO_ANYWHERE, "m", &m));
	assert_ret(0, ipcdemo_sem_init(r, IPCDEMO_ANYWHERE, "s", 3, &s));
	assert_ret(0, ipcdemo_rwlock_init(r, IPCDEMO_ANYWHERE, "l", &l));
	assert_ret(0, ipcdemo_barrier_init(r, IPCDEMO_ANYWHERE, "b", 7, &b));
	assert_ret(0, ipcdemo_cond_init(r, IPCDEMO_ANYWHERE, NULL, &c));
	assert_ret(0,
		   ipcdemo_region_from_fd(ipcdemo_region_descriptor(r),
					  IPCDEMO_REGION_READ_ONLY, &reader));
	assert_ret(0, ipcdemo_mutex_lock(&m));
	assert_ret(0, ipcdemo_rwlock_wrlock(&l));
	assert_ret(5, ipcdemo_region_objects(reader, seen, 8));
	assert_string_equal(seen[0].name, "m");
	assert_int_not_equal(seen[0].holder, 0);
	assert_int_equal(seen[0].thread, getpid());
	if (!kind->module)
		assert_int_equal(seen[0].holder, getpid());
	assert_int_equal(seen[0].waiters, 0);
	assert_int_equal(seen[1].value, 3);
	assert_int_equal(seen[2].holder, seen[0].holder);
	assert_int_equal(seen[2].value, 0);
	assert_int_equal(seen[3].count, 7);
	assert_string_equal(seen[4].name, "");
	assert_ret(0, ipcdemo_rwlock_unlock(&l));
	assert_ret(0, ipcdemo_rwlock_rdlock(&l));
	assert_ret(0, ipcdemo_mutex_unlock(&m));
	assert_ret(5, ipcdemo_region_objects(reader, seen, 8));
	assert_int_equal(seen[0].holder, 0);
	assert_int_equal(seen[0].thread, 0);
	assert_int_equal(seen[2].value, 1);
	assert_int_equal(seen[2].holder, 0);
	/* To look and to find is all that a reader may */
	assert_ret(0, ipcdemo_mutex_find(reader, "m", &m));
	assert_ret(-EBADF, ipcdemo_mutex_lock(&m));
	assert_ret(0, ipcdemo_sem_find(reader, "s", &s));
	assert_ret(-EBADF, ipcdemo_sem_post(&s));
	assert_ret(-EBADF, ipcdemo_sem_wait(&s));
	assert_ret(0, ipcdemo_rwlock_find(reader, "l", &l));
	assert_ret(-EBADF, ipcdemo_rwlock_rdlock(&l));
	assert_ret(-EBADF, ipcdemo_rwlock_unlock(&l));
	assert_ret(0, ipcdemo_barrier_find(reader, "b", &b));
	assert_ret(-EBADF, ipcdemo_barrier_trywait(&b));
	assert_ret(0, ipcdemo_cond_attach(reader, seen[4].offset, &c));
	assert_ret(-EBADF, ipcdemo_cond_signal(&c));
	assert_ret(-EBADF, ipcdemo_cond_wait(&c, &m));
	ipcdemo_region_close(reader);
	ipcdemo_region_close(r);
}

/* From here on all but leaving (sanitizers ask for a stack then) and telling is death. */
static void no_more_calls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sigaltstack, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = NR(code), .filter = code};

	require(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	require(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

struct set {
	struct mutex m; /* of POSIX, or ours */
	struct sem s;
	struct cond c;
	struct rwlock l;
	struct barrier b;
};

static void use(struct set *set)
{
	struct timespec never = {INT32_MAX, 0};

	require(!lock(&set->m));
	require(trylock(&set->m));
	require(lock(&set->m) == -EDEADLK);
	require(!cond_signal(&set->c));
	require(!cond_broadcast(&set->c));
	require(!unlock(&set->m));
	require(!trylock(&set->m));
	require(!unlock(&set->m));
	require(!timedlock(&set->m, CLOCK_MONOTONIC, &never));
	require(!unlock(&set->m));
	require(!sem_give(&set->s));
	require(!sem_take(&set->s));
	require(sem_trytake(&set->s) == -EAGAIN);
	require(!read_lock(&set->l));
	require(!try_read_lock(&set->l));
	require(try_write_lock(&set->l) == -EBUSY);
	require(!rw_unlock(&set->l));
	require(!rw_unlock(&set->l));
	require(!write_lock(&set->l));
	require(try_read_lock(&set->l) == -EBUSY);
	require(!rw_unlock(&set->l));
	/* glibc's wakes in any case */
	require(kind->posix || meet(&set->b) == 1);
}

static void use_without_calls(void *with)
{
	struct set *set = with;

	/* The first lock of a process is where it gets to know who it is */
	require(!lock(&set->m));
	require(!unlock(&set->m));
	no_more_calls();
	use(set);
}

static void use_in_vain(void *with)
{
	struct set *set = with;
	struct timespec soon;

	require(!lock(&set->m));
	require(!unlock(&set->m));
	no_more_calls();
	soon = in_ms(CLOCK_MONOTONIC, 1);
	sem_timedtake(&set->s, CLOCK_MONOTONIC, &soon);
}

static void who_is_alone_makes_no_system_call(void)
{
	struct ipcdemo_region *r = api_region();
	struct set set = {
		.m = mutex_init(r, AT(0)),
		.s = sem_at(r, AT(1), 0),
		.c = cond_at(r, AT(2)),
		.l = rwlock_at(r, AT(3)),
		.b = barrier_at(r, AT(4), 1),
	};

	join(child(use_without_calls, &set));
	/* The filter would have told */
	dies(child(use_in_vain, &set), SIGSYS);
	ipcdemo_region_close(r);
}

static void hold_a_moment(void *with)
{
	struct set *set = with;

	require(!lock(&set->m));
	require(!unlock(&set->m));
}

static void contend_then_be_alone(void *with)
{
	struct set *set = with;
	pid_t pid;

	require(!lock(&set->m));
	pid = child(hold_a_moment, set);
	sleeps(pid);
	require(!unlock(&set->m));
	join(pid);
	/* Once to see that nobody waits, once to have told so */
	require(!lock(&set->m));
	require(!unlock(&set->m));
	require(!lock(&set->m));
	require(!unlock(&set->m));
	no_more_calls();
	use(set);
}

static void who_is_alone_again_makes_none_either(void)
{
	struct ipcdemo_region *r = api_region();
	struct set set = {
		.m = mutex_init(r, AT(0)),
		.s = sem_at(r, AT(1), 0),
		.c = cond_at(r, AT(2)),
		.l = rwlock_at(r, AT(3)),
		.b = barrier_at(r, AT(4), 1),
	};

	join(child(contend_then_be_alone, &set));
	ipcdemo_region_close(r);
}

static const struct claim claims[] = {
	{"a region is formatted once", a_region_is_formatted_once, OURS},
	{"a header that is wrong is refused", a_header_that_is_wrong_is_refused,
	 OURS},
	{"bad places and names are refused", bad_places_and_names_are_refused,
	 OURS},
	{"garbage and other versions are refused",
	 garbage_and_other_versions_are_refused, OURS},
	{"a value outside its bounds is refused",
	 a_value_outside_its_bounds_is_refused, OURS},
	{"places are given once and used again",
	 places_are_given_once_and_used_again, OURS},
	{"who makes the same at once makes it once",
	 who_makes_the_same_at_once_makes_it_once, OURS},
	{"what is in use is not destroyed", what_is_in_use_is_not_destroyed,
	 OURS},
	{"what is waited for is not destroyed",
	 what_is_waited_for_is_not_destroyed, OURS},
	{"the list says what objects are up to",
	 the_list_says_what_objects_are_up_to, OURS},
	{"who is alone makes no system call", who_is_alone_makes_no_system_call,
	 AND_POSIX},
	{"who is alone again makes none either",
	 who_is_alone_again_makes_none_either, AND_POSIX},
};

int main(void)
{
	return run_claims("objects", claims, NR(claims));
}

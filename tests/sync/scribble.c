// SPDX-License-Identifier: GPL-2.0
/*
 * A peer that writes anything anywhere in the region
 *
 * Calls may fail, and locks hold nobody back.  But nothing outside of the region is
 * touched: before and behind the mapping lie pages that kill, all else is watched by
 * the sanitizer of addresses.
 * IPCDEMO_SECONDS: for how long at least, 3 unless that says otherwise.
 */
#include "api.h"

#include <sys/mman.h>
#include <sys/wait.h>

/* Too few of these, and it was not seen whether calls get through. */
#define ROUNDS	 200
#define LOCKED	 20
#define SENT	 100

/* Bytes of the region, and of the ring in it. */
#define SIZE	 16384
#define CAPACITY 2048
#define PAGE	 4096
#define GUARD	 (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE)

static uint32_t roll(uint32_t *random)
{
	*random = *random * 1664525 + 1013904223;
	return *random >> 8;
}

/* Values that are likely to be taken for something. */
static uint64_t likely(uint32_t *random, uint64_t pid)
{
	const uint64_t values[] = {0,
				   1,
				   2,
				   64,
				   2048,
				   SIZE,
				   SIZE - 4,
				   SIZE + 1,
				   UINT32_MAX,
				   0x40000000,
				   0x80000000,
				   0x80000000 | pid,
				   pid,
				   0x3fffffff,
				   INT64_MAX,
				   UINT64_MAX,
				   UINT64_MAX - 63,
				   1ULL << 63,
				   0xfffff,
				   0x49504352,
				   0x4950430a,
				   roll(random)};

	return values[roll(random) % NR(values)];
}

struct scene {
	struct ipcdemo_region *r;
	unsigned char image[SIZE]; /* as it is in order */
	pid_t victim;
	uint32_t seed;
	bool rings;
	size_t most; /* up to there it is scribbled most */
};

static void scribble(void *with)
{
	struct scene *s = with;
	unsigned char *base = ipcdemo_region_base(s->r);
	uint32_t random = s->seed;
	uint64_t value, at;

	for (;;) {
		value = likely(&random, s->victim);
		/* The header and what lies behind it, more often than the rest */
		at = roll(&random) % (roll(&random) % 4 ? s->most : SIZE);
		switch (roll(&random) % 64) {
		case 0 ... 7:
			/* In order again, or calls get nowhere */
			memcpy(base, s->image, SIZE);
			break;
		case 8:
			*(volatile unsigned char *)(base + at) = value;
			break;
		case 9 ... 20:
			*(volatile uint32_t *)(base + at / 4 * 4) = value;
			break;
		case 21 ... 30:
			*(volatile uint64_t *)(base + at / 8 * 8) = value;
			break;
		default:
			/* Give the others time to come somewhere */
			sched_yield();
		}
	}
}

/* Pages that may not be touched, where nothing else lies yet. */
static void guard(struct ipcdemo_region *r, bool on)
{
	unsigned char *base = ipcdemo_region_base(r);
	unsigned char *const at[] = {base - PAGE, base + SIZE};
	static bool set[2];
	size_t i;

	for (i = 0; i < 2; i++) {
		if (on)
			set[i] = mmap(at[i], PAGE, PROT_NONE, GUARD, -1, 0) ==
				 at[i];
		else if (set[i])
			munmap(at[i], PAGE);
	}
}

struct counts {
	atomic_long rounds;
	atomic_long locked;
	atomic_long not_locked;
	atomic_long sent;
	atomic_long received;
	atomic_int seen;
};

static struct counts *counts;

/* Every call there is, with whatever handle can be had; what they say is no matter. */
static void use(struct ipcdemo_region *mine, uint32_t *random)
{
	struct timespec soon = in_ms(CLOCK_MONOTONIC, 1);
	struct ipcdemo_object seen[16];
	uint64_t at = roll(random) % SIZE / 64 * 64, size;
	struct ipcdemo_region *r;
	struct ipcdemo_barrier b;
	struct ipcdemo_rwlock l;
	struct ipcdemo_mutex m;
	struct ipcdemo_cond c;
	struct ipcdemo_sem s;
	unsigned int i;
	int n;

	/* A new handle believes the header anew */
	if (ipcdemo_region_from_fd(ipcdemo_region_descriptor(mine), 0, &r))
		return;
	guard(r, true);
	n = ipcdemo_region_objects(r, seen, NR(seen));
	for (i = 0; n > 0 && i < NR(seen) && i < (unsigned int)n; i++) {
		require(seen[i].size <= SIZE && seen[i].offset <= SIZE);
		require(seen[i].offset + seen[i].size <= SIZE);
		require(strlen(seen[i].name) <= IPCDEMO_NAME_MAX);
	}
	if (!ipcdemo_bytes_find(r, "data", &at, &size)) {
		require(size <= SIZE && at <= SIZE - size);
		memset((char *)ipcdemo_region_base(r) + at, 0x55, size);
	}
	if (n > 0)
		at = seen[roll(random) % (n < 16 ? n : 16)].offset;
	if (!ipcdemo_mutex_attach(r, at, &m)) {
		n = ipcdemo_mutex_timedlock(&m, CLOCK_MONOTONIC, &soon);
		if (n)
			counts->not_locked++;
		else
			counts->locked++;
		ipcdemo_mutex_trylock(&m);
		if (!ipcdemo_cond_attach(r, at + 64, &c))
			ipcdemo_cond_signal(&c);
		ipcdemo_mutex_consistent(&m);
		ipcdemo_mutex_unlock(&m);
		if (!(roll(random) % 32))
			ipcdemo_mutex_destroy(&m);
	}
	if (!ipcdemo_sem_attach(r, at, &s)) {
		ipcdemo_sem_post(&s);
		ipcdemo_sem_timedwait(&s, CLOCK_MONOTONIC, &soon);
	}
	if (!ipcdemo_rwlock_attach(r, at, &l)) {
		ipcdemo_rwlock_timedrdlock(&l, CLOCK_MONOTONIC, &soon);
		ipcdemo_rwlock_unlock(&l);
		ipcdemo_rwlock_timedwrlock(&l, CLOCK_MONOTONIC, &soon);
		ipcdemo_rwlock_unlock(&l);
	}
	if (!ipcdemo_barrier_attach(r, at, &b)) {
		require(b.count && b.count <= INT_MAX);
		ipcdemo_barrier_timedwait(&b, CLOCK_MONOTONIC, &soon);
	}
	if (!ipcdemo_mutex_init(r, IPCDEMO_ANYWHERE, "new", &m)) {
		require(m.offset <= SIZE - 64);
		ipcdemo_mutex_destroy(&m);
	}
	if (!ipcdemo_sem_find(r, "s", &s))
		ipcdemo_sem_destroy(&s);
	guard(r, false);
	ipcdemo_region_close(r);
}

/* All of a message, wherever it is said to be; inside the ring it is. */
static void touch_all(const struct ipcdemo_region *r, const struct iovec *part)
{
	const unsigned char *base = ipcdemo_region_base(r);
	const unsigned char *at = part->iov_base;
	unsigned char all = 0;
	size_t i;

	require(at >= base && part->iov_len <= CAPACITY &&
		at + part->iov_len <= base + SIZE);
	for (i = 0; i < part->iov_len; i++)
		all |= at[i];
	/* Or nobody would look */
	atomic_fetch_or(&counts->seen, all);
}

static void send_somehow(struct ipcdemo_ring *ring, uint32_t *random)
{
	struct timespec soon = in_ms(CLOCK_MONOTONIC, 1);
	unsigned char data[CAPACITY / 2] = {0};
	struct iovec parts[] = {{data, roll(random) % 64},
				{data, roll(random) % 200},
				{data, roll(random) % sizeof(data)}};
	struct ipcdemo_ring_slot slot;
	int ret;

	switch (roll(random) % 4) {
	case 0:
		ret = ipcdemo_ring_send(ring, data, roll(random) % sizeof(data),
					IPCDEMO_RING_NONBLOCK, NULL);
		counts->sent += !ret;
		break;
	case 1:
		ret = ipcdemo_ring_send_many(ring, parts, NR(parts),
					     IPCDEMO_RING_NONBLOCK, NULL);
		counts->sent += ret > 0 ? ret : 0;
		break;
	case 2:
		ret = ipcdemo_ring_send(ring, data, roll(random) % 100, 0,
					&soon);
		counts->sent += !ret;
		break;
	default:
		if (ipcdemo_ring_reserve(ring, parts[2].iov_len,
					 IPCDEMO_RING_NONBLOCK, NULL, &slot))
			break;
		memset(slot.data, 0x55, slot.size);
		touch_all(ring->region, &(struct iovec){slot.data, slot.size});
		if (roll(random) % 4)
			ipcdemo_ring_commit(ring, &slot,
					    slot.size ? roll(random) % slot.size
						      : 0);
		else
			ipcdemo_ring_abort(ring, &slot);
	}
}

static void receive_somehow(struct ipcdemo_ring *ring, uint32_t *random)
{
	struct timespec soon = in_ms(CLOCK_MONOTONIC, 1);
	unsigned char data[4][CAPACITY / 2];
	struct iovec parts[4];
	int ret, i;

	for (i = 0; i < 4; i++)
		parts[i] = (struct iovec){data[i], roll(random) % CAPACITY / 2};
	if (roll(random) % 2) {
		ret = ipcdemo_ring_receive_many(ring, parts, 4, 0, &soon);
	} else {
		ret = ipcdemo_ring_peek(ring, parts, 4, IPCDEMO_RING_NONBLOCK,
					NULL);
		for (i = 0; i < ret; i++)
			touch_all(ring->region, &parts[i]);
		if (ret > 0)
			ipcdemo_ring_release(ring, ret);
	}
	require(ret <= 4);
	counts->received += ret > 0 ? ret : 0;
}

/* Likewise every call on a ring, from both sides of it. */
static void use_ring(struct ipcdemo_region *mine, uint32_t *random)
{
	struct ipcdemo_ring from, to;
	struct ipcdemo_region *r;
	unsigned int flags, i;

	if (ipcdemo_region_from_fd(ipcdemo_region_descriptor(mine), 0, &r))
		return;
	guard(r, true);
	if (!ipcdemo_ring_find(r, "ring", &from) &&
	    !ipcdemo_ring_find(r, "ring", &to)) {
		flags = roll(random) % 2 ? IPCDEMO_RING_MANY : 0;
		ipcdemo_ring_join_sender(&from, flags);
		ipcdemo_ring_join_receiver(&to, 1 + roll(random) % 3);
		for (i = roll(random) % 8; i; i--) {
			send_somehow(&from, random);
			receive_somehow(&to, random);
		}
		if (!(roll(random) % 4))
			ipcdemo_ring_recover(&to);
		ipcdemo_ring_leave(&from);
		ipcdemo_ring_leave(&to);
		if (!(roll(random) % 64))
			ipcdemo_ring_destroy(&to);
	}
	guard(r, false);
	ipcdemo_region_close(r);
}

static void use_for_ever(void *with)
{
	struct scene *s = with;
	uint32_t random = s->seed;

	for (;;) {
		if (s->rings)
			use_ring(s->r, &random);
		else
			use(s->r, &random);
		counts->rounds++;
	}
}

static int fill(struct ipcdemo_region *r)
{
	struct ipcdemo_barrier b;
	struct ipcdemo_rwlock l;
	struct ipcdemo_mutex m;
	struct ipcdemo_cond c;
	struct ipcdemo_sem s;
	uint64_t at;

	return ipcdemo_region_format(r, 10, 0) ?:
	       ipcdemo_mutex_init(r, IPCDEMO_ANYWHERE, "m", &m) ?:
	       ipcdemo_cond_init(r, IPCDEMO_ANYWHERE, "c", &c) ?:
	       ipcdemo_sem_init(r, IPCDEMO_ANYWHERE, "s", 1, &s) ?:
	       ipcdemo_rwlock_init(r, IPCDEMO_ANYWHERE, "l", &l) ?:
	       ipcdemo_barrier_init(r, IPCDEMO_ANYWHERE, "b", 2, &b) ?:
	       ipcdemo_bytes_init(r, IPCDEMO_ANYWHERE, "data", 200, &at);
}

static int fill_with_ring(struct ipcdemo_region *r)
{
	struct ipcdemo_ring ring;
	int err = ipcdemo_region_format(r, 2, 0);

	if (err)
		return err;
	return ipcdemo_ring_init(r, IPCDEMO_ANYWHERE, "ring", CAPACITY, &ring);
}

/* They did come to what is to be seen. */
static bool is_enough(const struct scene *s)
{
	if (counts->rounds < ROUNDS)
		return false;
	return s->rings ? counts->sent >= SENT && counts->received >= SENT
			: counts->locked >= LOCKED;
}

/*
 * Who waits without a deadline, for the lock of the list or for a mutex, may do so for
 * ever: it is killed from time to time.  Only its own end says that something is wrong.
 */
static void play(struct scene *s)
{
	const char *given = getenv("IPCDEMO_SECONDS");
	uint64_t until = now_ms() + 1000 * (given ? atol(given) : 3);
	uint64_t late = until + 120000;
	unsigned int lives = 0;
	pid_t peer, pid;
	uint64_t life;
	int status;

	counts = shared(sizeof(*counts));
	s->seed = 1;
	memcpy(s->image, ipcdemo_region_base(s->r), SIZE);
	peer = child(scribble, s);
	while (now_ms() < until || (now_ms() < late && !is_enough(s))) {
		s->seed++;
		pid = child(use_for_ever, s);
		s->victim = pid;
		life = now_ms() + 200;
		while (now_ms() < life) {
			breathe();
			if (waitpid(pid, &status, WNOHANG) == pid)
				fail_msg("it ended, with status 0x%x", status);
		}
		kills(pid);
		lives++;
	}
	kills(peer);
	print_message("# %u lives, %ld rounds, locked %ld times, not so %ld\n",
		      lives, counts->rounds, counts->locked,
		      counts->not_locked);
	print_message("# %ld messages were sent, %ld received\n", counts->sent,
		      counts->received);
	assert_true(is_enough(s));
}

static void nothing_outside_of_the_region_is_touched(void)
{
	struct scene *s = shared(sizeof(*s));

	s->r = new_region(SIZE);
	s->most = 1536;
	assert_ret(0, fill(s->r));
	play(s);
	ipcdemo_region_close(s->r);
}

static void nothing_outside_of_the_ring_s_region_is_touched(void)
{
	struct scene *s = shared(sizeof(*s));

	s->r = new_region(SIZE);
	s->rings = true;
	/* The header, and that of the ring with the states of its cells */
	s->most = ipcdemo_region_overhead(2) + ipcdemo_ring_size(CAPACITY) -
		  CAPACITY;
	assert_ret(0, fill_with_ring(s->r));
	play(s);
	ipcdemo_region_close(s->r);
}

static const struct claim claims[] = {
	{"nothing outside of the region is touched",
	 nothing_outside_of_the_region_is_touched, OURS},
	{"nothing outside of it is touched by who sends and receives",
	 nothing_outside_of_the_ring_s_region_is_touched, OURS},
};

int main(void)
{
	return run_claims("scribble", claims, NR(claims));
}

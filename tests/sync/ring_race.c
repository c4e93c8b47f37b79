// SPDX-License-Identifier: GPL-2.0
/*
 * Many messages through a ring: none lost, none twice, none torn, in order
 *
 * Each message has its sender, its number and a checksum; lengths come by chance, and
 * so do the calls that send and receive it.  Senders are processes; threads, for the
 * sanitizer of threads, if THREADS is defined.  IPCDEMO_MESSAGES: how many go through
 * each ring, 20000 unless that says otherwise.
 */
#include "sync.h"

#ifdef THREADS
#include <pthread.h>
#endif

#define SIZE	 65536
#define CAPACITY 4096
#define LONGEST	 300
#define MOST	 3
#define BATCH	 16

static long messages;

struct message {
	uint32_t sender;
	uint32_t size;
	uint64_t number;
	uint64_t sum;
	unsigned char bytes[LONGEST];
};

#define LEAST offsetof(struct message, bytes)

struct sender {
	struct ipcdemo_region *r;
	unsigned int flags;
	unsigned int number;
	long count;
	uint32_t random;
};

static unsigned int roll(uint32_t *random, unsigned int sides)
{
	*random = *random * 1664525 + 1013904223;
	return (*random >> 16) % sides;
}

static uint64_t sum_of(const struct message *m)
{
	uint64_t sum = m->sender * 31ULL + m->size + m->number;

	for (uint32_t i = 0; i < m->size; i++)
		sum = sum * 1099511628211ULL + m->bytes[i];
	return sum;
}

static size_t make(struct message *m, struct sender *s, long number)
{
	m->sender = s->number;
	m->number = number;
	m->size = roll(&s->random, 8) ? roll(&s->random, 40)
				      : roll(&s->random, LONGEST);
	for (uint32_t i = 0; i < m->size; i++)
		m->bytes[i] = number + i;
	m->sum = sum_of(m);
	return LEAST + m->size;
}

static unsigned int some_way(uint32_t *random)
{
	const unsigned int ways[] = {
		0, 0, 0, 0, 0, IPCDEMO_RING_NONBLOCK, IPCDEMO_RING_SPIN};
	/* Spinning is no way to wait where both sides have one processor */
	return ways[roll(random, sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 7 : 6)];
}

static void send_all(void *with)
{
	struct message batch[BATCH];
	struct iovec parts[BATCH];
	struct ipcdemo_ring_slot slot;
	struct sender *s = with;
	struct ipcdemo_ring ring;
	struct timespec soon;
	unsigned int how, n;
	long sent = 0, i;
	int ret;

	require(!ipcdemo_ring_find(s->r, "ring", &ring));
	require(!ipcdemo_ring_join_sender(&ring, s->flags));
	while (sent < s->count) {
		how = some_way(&s->random);
		soon = in_ms(CLOCK_MONOTONIC, 1);
		switch (roll(&s->random, 4)) {
		case 0:
			make(batch, s, sent);
			ret = ipcdemo_ring_reserve(&ring, sizeof(*batch), how,
						   &soon, &slot);
			if (ret)
				break;
			if (!roll(&s->random, 8)) {
				require(!ipcdemo_ring_abort(&ring, &slot));
				continue;
			}
			memcpy(slot.data, batch, LEAST + batch->size);
			require(!ipcdemo_ring_commit(&ring, &slot,
						     LEAST + batch->size));
			ret = 1;
			break;
		case 1:
			n = 1 + roll(&s->random, BATCH);
			for (i = 0; i < n && sent + i < s->count; i++) {
				parts[i].iov_base = &batch[i];
				parts[i].iov_len = make(&batch[i], s, sent + i);
			}
			ret = ipcdemo_ring_send_many(&ring, parts, i, how,
						     &soon);
			break;
		default:
			n = make(batch, s, sent);
			ret = ipcdemo_ring_send(&ring, batch, n,
						how & IPCDEMO_RING_NONBLOCK,
						NULL);
			ret = ret ?: 1;
		}
		require(ret > 0 || ret == -EAGAIN || ret == -ETIMEDOUT);
		sent += ret > 0 ? ret : 0;
	}
	require(!ipcdemo_ring_leave(&ring));
}

#ifdef THREADS
static void *send_in_thread(void *with)
{
	send_all(with);
	return NULL;
}
#endif

static void check(const struct iovec *part, uint64_t *next, unsigned int many)
{
	const struct message *m = part->iov_base;

	assert_true(part->iov_len >= LEAST);
	assert_int_equal(part->iov_len, LEAST + m->size);
	assert_true(m->sender < many);
	assert_int_equal(m->number, next[m->sender]++);
	assert_int_equal(m->sum, sum_of(m));
}

static void go_through(unsigned int many)
{
#ifdef THREADS
	/* The sanitizer knows memory by its address: all by the same one */
	struct ipcdemo_region *r = new_region(SIZE), *mine = r;
#else
	struct ipcdemo_region *r = new_region(SIZE), *mine = again(r);
#endif
	struct message room[BATCH];
	struct sender senders[MOST];
	struct iovec parts[BATCH];
	uint64_t next[MOST] = {0};
	struct ipcdemo_ring ring;
	struct timespec soon;
	unsigned int i, n, how;
	uint32_t random = 7;
#ifdef THREADS
	pthread_t threads[MOST];
#else
	pid_t pids[MOST];
#endif
	int ret;

	assert_ret(0, ipcdemo_region_format(r, 2, 0));
	assert_ret(0, ipcdemo_ring_init(mine, IPCDEMO_ANYWHERE, "ring",
					CAPACITY, &ring));
	assert_ret(0, ipcdemo_ring_join_receiver(&ring, many));
	for (i = 0; i < many; i++) {
		senders[i] = (struct sender){
			.r = r,
			.flags = many > 1 ? IPCDEMO_RING_MANY : 0,
			.number = i,
			.count = messages / many,
			.random = i + 1,
		};
#ifdef THREADS
		pthread_create(&threads[i], NULL, send_in_thread, &senders[i]);
#else
		pids[i] = child(send_all, &senders[i]);
#endif
	}
	do {
		how = some_way(&random);
		soon = in_ms(CLOCK_MONOTONIC, 1);
		n = 1 + roll(&random, BATCH);
		for (i = 0; i < BATCH; i++)
			parts[i] = (struct iovec){&room[i], sizeof(*room)};
		if (roll(&random, 2))
			ret = ipcdemo_ring_receive_many(&ring, parts, n, how,
							how ? &soon : NULL);
		else
			ret = ipcdemo_ring_peek(&ring, parts, n, how,
						how ? &soon : NULL);
		for (i = 0; ret > 0 && i < (unsigned int)ret; i++)
			check(&parts[i], next, many);
		if (ret > 0 && parts->iov_base != room)
			assert_ret(0, ipcdemo_ring_release(&ring, ret));
		assert_true(ret >= 0 || ret == -EAGAIN || ret == -ETIMEDOUT);
	} while (ret);
	for (i = 0; i < many; i++) {
#ifdef THREADS
		pthread_join(threads[i], NULL);
#else
		join(pids[i]);
#endif
		assert_int_equal(next[i], messages / many);
	}
	if (mine != r)
		ipcdemo_region_close(mine);
	ipcdemo_region_close(r);
}

static void all_of_one_sender_arrives(void)
{
	go_through(1);
}

static void all_of_three_senders_arrives(void)
{
	go_through(MOST);
}

static const struct claim claims[] = {
	{"all that one sends arrives, whole and in order",
	 all_of_one_sender_arrives, OURS},
	{"all that three send arrives, whole, each in its order",
	 all_of_three_senders_arrives, OURS},
};

int main(void)
{
	const char *number = getenv("IPCDEMO_MESSAGES");

	messages = number ? atol(number) : 20000;
	return run_claims("ring_race", claims, NR(claims));
}

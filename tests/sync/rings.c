// SPDX-License-Identifier: GPL-2.0
/*
 * What rings of messages promise
 */
#include "sync.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define SIZE	 65536
#define CELL	 64
#define CELLS	 8
#define SMALL	 (CELLS * CELL)
#define NONBLOCK IPCDEMO_RING_NONBLOCK
#define SPIN	 IPCDEMO_RING_SPIN
#define MANY	 IPCDEMO_RING_MANY

/* Both ends of one ring, each with a mapping of its own, as two processes have. */
struct pair {
	struct ipcdemo_region *here, *there;
	struct ipcdemo_ring from, to;
};

static struct ipcdemo_region *formatted(void)
{
	struct ipcdemo_region *r = new_region(SIZE);

	assert_ret(0, ipcdemo_region_format(r, 8, 0));
	return r;
}

static struct pair unjoined(uint64_t capacity)
{
	struct pair p;

	p.here = formatted();
	p.there = again(p.here);
	assert_ret(0, ipcdemo_ring_init(p.here, IPCDEMO_ANYWHERE, "ring",
					capacity, &p.from));
	assert_ret(0, ipcdemo_ring_find(p.there, "ring", &p.to));
	return p;
}

static struct pair joined(uint64_t capacity, unsigned int flags)
{
	struct pair p = unjoined(capacity);

	assert_ret(0, ipcdemo_ring_join_sender(&p.from, flags));
	assert_ret(0, ipcdemo_ring_join_receiver(&p.to, 1));
	return p;
}

static void part(struct pair *p)
{
	ipcdemo_region_close(p->there);
	ipcdemo_region_close(p->here);
}

/* A message of that length; each number makes another. */
static void fill(unsigned char *data, size_t size, unsigned int number)
{
	for (size_t i = 0; i < size; i++)
		data[i] = number * 131 + i * 7;
}

static bool is_filled(const unsigned char *data, size_t size,
		      unsigned int number)
{
	for (size_t i = 0; i < size; i++)
		if (data[i] != (unsigned char)(number * 131 + i * 7))
			return false;
	return true;
}

static int put(struct ipcdemo_ring *to, size_t size, unsigned int number,
	       unsigned int how)
{
	unsigned char data[SMALL];

	fill(data, size, number);
	return ipcdemo_ring_send(to, data, size, how, NULL);
}

/* The next message is that one. */
static void got(struct ipcdemo_ring *from, size_t size, unsigned int number)
{
	unsigned char data[SMALL];
	size_t length = 0;

	assert_ret(1, ipcdemo_ring_receive(from, data, sizeof(data), &length,
					   NONBLOCK, NULL));
	assert_int_equal(length, size);
	assert_true(is_filled(data, size, number));
}

static void nothing_in(struct ipcdemo_ring *from)
{
	unsigned char data[1];

	assert_ret(-EAGAIN,
		   ipcdemo_ring_receive(from, data, 1, NULL, NONBLOCK, NULL));
}

static int receive(struct ipcdemo_ring *from, unsigned int how,
		   const struct timespec *deadline)
{
	unsigned char data[SMALL];

	return ipcdemo_ring_receive(from, data, sizeof(data), NULL, how,
				    deadline);
}

/* Words of a ring, by ring.h: those of the header, and the states. */
#define TAIL	    64
#define TO_RECEIVER 80
#define HEAD	    128
#define RECEIVER    (192 + 12)
#define STATES	    512

static void *in_ring(const struct ipcdemo_ring *ring, size_t offset)
{
	return (unsigned char *)ring->at + offset;
}

static const unsigned int modes[] = {0, MANY};

/* --- making and finding ------------------------------------------------------- */

static void a_ring_is_made_and_found(void)
{
	struct ipcdemo_region *r = formatted(), *reader;
	struct ipcdemo_object o;
	struct ipcdemo_ring ring, other;

	assert_ret(-EINVAL,
		   ipcdemo_ring_init(r, IPCDEMO_ANYWHERE, "a", 0, &ring));
	assert_ret(-EINVAL,
		   ipcdemo_ring_init(r, IPCDEMO_ANYWHERE, "a", 256, &ring));
	assert_ret(-EINVAL,
		   ipcdemo_ring_init(r, IPCDEMO_ANYWHERE, "a", 1000, &ring));
	assert_ret(-EINVAL, ipcdemo_ring_init(r, IPCDEMO_ANYWHERE, "a",
					      2ULL * IPCDEMO_RING_MAX, &ring));
	assert_ret(-EINVAL, ipcdemo_ring_init(r, 8, "a", 512, &ring));
	assert_ret(-ENOSPC, ipcdemo_ring_init(r, IPCDEMO_ANYWHERE, "a",
					      IPCDEMO_RING_MAX, &ring));
	assert_ret(-ERANGE, ipcdemo_ring_init(r, SIZE - 512, "a", 512, &ring));
	assert_ret(0, ipcdemo_ring_init(r, 8192, "a", 1024, &ring));
	assert_ret(-EEXIST,
		   ipcdemo_ring_init(r, IPCDEMO_ANYWHERE, "a", 512, &other));
	assert_ret(-EADDRINUSE, ipcdemo_ring_init(r, 8192, "b", 512, &other));
	assert_int_equal(ipcdemo_ring_longest(&ring), 512);
	assert_int_equal(ipcdemo_ring_size(1024), STATES + 16 * 8 + 1024);
	assert_int_equal(ipcdemo_ring_size(1023), 0);
	assert_int_equal(ipcdemo_ring_size(256), 0);
	assert_int_equal(ipcdemo_object_size(IPCDEMO_OBJECT_RING), 0);
	assert_ret(0, ipcdemo_ring_attach(r, 8192, &other));
	assert_int_equal(ipcdemo_ring_longest(&other), 512);
	assert_ret(-EINVAL, ipcdemo_ring_attach(r, 8200, &other));
	assert_ret(-ERANGE, ipcdemo_ring_attach(r, SIZE - 64, &other));
	assert_ret(-EBADMSG, ipcdemo_ring_attach(r, 16384, &other));
	assert_ret(-ENOENT, ipcdemo_ring_find(r, "b", &other));
	/* For looking, and nothing else */
	assert_ret(0,
		   ipcdemo_region_from_fd(ipcdemo_region_descriptor(r),
					  IPCDEMO_REGION_READ_ONLY, &reader));
	assert_ret(0, ipcdemo_ring_find(reader, "a", &other));
	assert_ret(-EBADF, ipcdemo_ring_join_sender(&other, 0));
	assert_ret(-EBADF, ipcdemo_ring_join_receiver(&other, 1));
	assert_ret(-EBADF, ipcdemo_ring_recover(&other));
	assert_ret(-EBADF, ipcdemo_ring_destroy(&other));
	assert_ret(0, ipcdemo_ring_join_sender(&ring, MANY));
	assert_ret(0, put(&ring, 65, 1, 0));
	assert_ret(1, ipcdemo_region_objects(reader, &o, 1));
	assert_int_equal(o.kind, IPCDEMO_OBJECT_RING);
	assert_int_equal(o.valid, 1);
	assert_int_equal(o.size, ipcdemo_ring_size(1024));
	assert_int_equal(o.value, 128);
	assert_int_equal(o.count, 1024);
	assert_int_equal(o.round, 1);
	assert_int_equal(o.waiters, 0);
	assert_ret(-EBUSY, ipcdemo_ring_destroy(&ring));
	assert_ret(0, ipcdemo_ring_leave(&ring));
	assert_ret(0, ipcdemo_ring_destroy(&ring));
	assert_ret(-EBADMSG, ipcdemo_ring_attach(r, 8192, &other));
	assert_ret(0, ipcdemo_region_objects(reader, &o, 1));
	ipcdemo_region_close(reader);
	ipcdemo_region_close(r);
}

static void a_ring_that_is_damaged_is_refused(void)
{
	struct pair p = unjoined(SMALL);
	uint32_t *header = p.from.at, *capacity = in_ring(&p.from, 16), was;
	uint64_t *size = in_ring(&p.from, 8), bytes = *size;
	struct ipcdemo_object o;
	struct ipcdemo_ring ring;

	was = header[1];
	header[1] = 99;
	assert_ret(-EPROTONOSUPPORT, ipcdemo_ring_find(p.here, "ring", &ring));
	header[1] = was;
	*capacity = 2 * SMALL;
	assert_ret(-EBADMSG, ipcdemo_ring_find(p.here, "ring", &ring));
	*capacity = 0;
	assert_ret(-EBADMSG, ipcdemo_ring_find(p.here, "ring", &ring));
	*capacity = SMALL;
	*size = SIZE;
	assert_ret(-EBADMSG, ipcdemo_ring_find(p.here, "ring", &ring));
	assert_ret(1, ipcdemo_region_objects(p.here, &o, 1));
	assert_int_equal(o.valid, 0);
	*size = 64;
	assert_ret(-EBADMSG, ipcdemo_ring_find(p.here, "ring", &ring));
	*size = bytes;
	assert_ret(0, ipcdemo_ring_find(p.here, "ring", &ring));
	header[0]++;
	assert_ret(-EBADMSG, ipcdemo_ring_find(p.here, "ring", &ring));
	part(&p);
}

/* --- coming and going ----------------------------------------------------------- */

static void who_joins_how_is_kept_apart(void)
{
	struct pair p = unjoined(SMALL);
	struct ipcdemo_ring more[64];
	struct ipcdemo_ring_slot slot = {0};
	struct iovec one = {NULL, 0};
	size_t i;

	assert_ret(-EPERM, put(&p.from, 1, 1, 0));
	assert_ret(-EPERM, ipcdemo_ring_reserve(&p.from, 1, 0, NULL, &slot));
	assert_ret(-EPERM, ipcdemo_ring_commit(&p.from, &slot, 0));
	assert_ret(-EPERM, ipcdemo_ring_abort(&p.from, &slot));
	assert_ret(-EPERM, receive(&p.to, 0, NULL));
	assert_ret(-EPERM, ipcdemo_ring_peek(&p.to, &one, 1, 0, NULL));
	assert_ret(-EPERM, ipcdemo_ring_release(&p.to, 1));
	assert_ret(-EPERM, ipcdemo_ring_leave(&p.to));
	assert_ret(-EINVAL, ipcdemo_ring_join_sender(&p.from, 0x80));
	assert_ret(-EINVAL, ipcdemo_ring_join_receiver(&p.to, 0));
	assert_ret(-EINVAL, ipcdemo_ring_join_receiver(&p.to, 0x80000000));
	assert_ret(0, ipcdemo_ring_join_sender(&p.from, 0));
	assert_ret(-EALREADY, ipcdemo_ring_join_sender(&p.from, 0));
	assert_ret(-EALREADY, ipcdemo_ring_join_receiver(&p.from, 1));
	assert_ret(-EPERM, receive(&p.from, 0, NULL));
	more[0] = p.to;
	assert_ret(0, ipcdemo_ring_join_receiver(&p.to, 1));
	assert_ret(-EPERM, put(&p.to, 1, 1, 0));
	assert_ret(-EBUSY, ipcdemo_ring_join_receiver(&more[0], 1));
	assert_ret(-EBUSY, ipcdemo_ring_join_sender(&more[0], 0));
	assert_ret(-EBUSY, ipcdemo_ring_join_sender(&more[0], MANY));
	assert_ret(0, ipcdemo_ring_leave(&p.from));
	for (i = 0; i < 63; i++) {
		assert_ret(0, ipcdemo_ring_attach(p.here, p.from.offset,
						  &more[i]));
		assert_ret(0, ipcdemo_ring_join_sender(&more[i], MANY));
	}
	assert_ret(-EBUSY, ipcdemo_ring_join_sender(&p.from, MANY));
	assert_ret(-EBUSY, ipcdemo_ring_join_sender(&p.from, 0));
	assert_ret(0, ipcdemo_ring_leave(&more[7]));
	assert_ret(0, ipcdemo_ring_join_sender(&p.from, MANY));
	assert_ret(-EBUSY, ipcdemo_ring_destroy(&p.to));
	part(&p);
}

static void the_end_comes_behind_the_last_message(void)
{
	struct pair p = unjoined(SMALL);
	struct ipcdemo_ring other = p.from;

	/* Gone before the receiver has come */
	assert_ret(0, ipcdemo_ring_join_sender(&p.from, 0));
	assert_ret(0, put(&p.from, 100, 1, 0));
	assert_ret(0, put(&p.from, 0, 2, 0));
	assert_ret(0, ipcdemo_ring_leave(&p.from));
	assert_ret(0, ipcdemo_ring_join_receiver(&p.to, 1));
	got(&p.to, 100, 1);
	got(&p.to, 0, 2);
	assert_ret(0, receive(&p.to, NONBLOCK, NULL));
	assert_ret(0, receive(&p.to, 0, NULL));
	assert_ret(0, receive(&p.to, SPIN, NULL));
	/* One who comes later is heard, too */
	assert_ret(0, ipcdemo_ring_join_sender(&p.from, 0));
	nothing_in(&p.to);
	assert_ret(0, put(&p.from, 3, 3, 0));
	assert_ret(0, ipcdemo_ring_leave(&p.from));
	got(&p.to, 3, 3);
	assert_ret(0, receive(&p.to, 0, NULL));
	assert_ret(0, ipcdemo_ring_leave(&p.to));
	/* The next receiver waits for others */
	assert_ret(0, ipcdemo_ring_join_receiver(&p.to, 2));
	nothing_in(&p.to);
	assert_ret(0, ipcdemo_ring_join_sender(&p.from, MANY));
	assert_ret(0, ipcdemo_ring_leave(&p.from));
	nothing_in(&p.to);
	assert_ret(0, ipcdemo_ring_join_sender(&p.from, MANY));
	assert_ret(0, ipcdemo_ring_join_sender(&other, MANY));
	assert_ret(0, ipcdemo_ring_leave(&p.from));
	nothing_in(&p.to);
	assert_ret(0, ipcdemo_ring_leave(&other));
	assert_ret(0, receive(&p.to, 0, NULL));
	part(&p);
}

static void a_receiver_that_leaves_is_noticed(void)
{
	struct ipcdemo_ring_slot slot;
	struct pair p;
	size_t i;

	for (i = 0; i < NR(modes); i++) {
		p = joined(SMALL, modes[i]);
		assert_ret(0, put(&p.from, 1, 1, 0));
		assert_ret(0, ipcdemo_ring_leave(&p.to));
		assert_ret(-EPIPE, put(&p.from, 1, 2, 0));
		assert_ret(-EPIPE,
			   ipcdemo_ring_reserve(&p.from, 1, 0, NULL, &slot));
		/* Another takes over what is there */
		assert_ret(0, ipcdemo_ring_join_receiver(&p.to, 1));
		assert_ret(0, put(&p.from, 2, 3, 0));
		got(&p.to, 1, 1);
		got(&p.to, 2, 3);
		assert_ret(0, ipcdemo_ring_leave(&p.to));
		assert_ret(0, ipcdemo_ring_leave(&p.from));
		/* Whom it left before does not concern who comes now */
		assert_ret(0, ipcdemo_ring_join_sender(&p.from, modes[i]));
		assert_ret(0, put(&p.from, 1, 4, 0));
		part(&p);
	}
}

/* --- messages --------------------------------------------------------------------- */

static void messages_wrap_at_every_place(void)
{
	unsigned int place, size, i, m, number = 0;
	struct iovec seen[3 * CELLS];
	struct pair p;

	for (m = 0; m < NR(modes); m++) {
		p = joined(SMALL, modes[m]);
		for (place = 0; place < CELLS; place++) {
			for (size = 0; size <= SMALL / 2; size++) {
				assert_ret(0, put(&p.from, size, ++number,
						  NONBLOCK));
				got(&p.to, size, number);
				/* To the place again */
				while ((*(uint64_t *)in_ring(&p.from, TAIL) -
					place) %
				       CELLS) {
					assert_ret(0, put(&p.from, 1, 1,
							  NONBLOCK));
					got(&p.to, 1, 1);
				}
			}
			/* From each place as many as there is room for */
			for (i = 0; put(&p.from, 1, i, NONBLOCK) != -EAGAIN;)
				i++;
			assert_int_equal(i, CELLS);
			assert_ret(CELLS, ipcdemo_ring_peek(&p.to, seen,
							    NR(seen), 0, NULL));
			for (i = 0; i < CELLS; i++)
				got(&p.to, 1, i);
			nothing_in(&p.to);
			assert_ret(0, put(&p.from, 1, 1, NONBLOCK));
			got(&p.to, 1, 1);
		}
		part(&p);
	}
}

static void positions_go_on_where_words_of_32_bits_end(void)
{
	unsigned int m, i;
	struct pair p;

	for (m = 0; m < NR(modes); m++) {
		p = unjoined(SMALL);
		*(uint64_t *)in_ring(&p.from, TAIL) = UINT32_MAX - 3ULL;
		*(uint64_t *)in_ring(&p.from, HEAD) = UINT32_MAX - 3ULL;
		for (i = 0; i < CELLS; i++)
			((uint64_t *)in_ring(&p.from, STATES))[i] =
				UINT32_MAX - 7ULL + i + (i < 4 ? 8 : 0);
		assert_ret(0, ipcdemo_ring_join_sender(&p.from, modes[m]));
		assert_ret(0, ipcdemo_ring_join_receiver(&p.to, 1));
		for (i = 0; i < 3 * CELLS; i++) {
			assert_ret(0, put(&p.from, 100, i, NONBLOCK));
			got(&p.to, 100, i);
		}
		part(&p);
	}
}

static void what_is_too_long_is_refused_and_nothing_lost(void)
{
	unsigned char small[3], data[SMALL];
	struct iovec many[2] = {{small, 3}, {small, 3}};
	size_t length = 0;
	struct pair p = joined(SMALL, 0);

	memset(data, 0, sizeof(data));
	assert_ret(-EMSGSIZE,
		   ipcdemo_ring_send(&p.from, data, SMALL / 2 + 1, 0, NULL));
	assert_ret(-EMSGSIZE,
		   ipcdemo_ring_send(&p.from, data, SIZE_MAX, 0, NULL));
	assert_ret(0, put(&p.from, SMALL / 2, 1, 0));
	assert_ret(-EMSGSIZE,
		   ipcdemo_ring_receive(&p.to, small, 3, &length, 0, NULL));
	assert_int_equal(length, SMALL / 2);
	assert_ret(-EMSGSIZE,
		   ipcdemo_ring_receive(&p.to, small, 3, NULL, 0, NULL));
	assert_ret(-EMSGSIZE,
		   ipcdemo_ring_receive_many(&p.to, many, 2, 0, NULL));
	assert_int_equal(many[0].iov_len, SMALL / 2);
	got(&p.to, SMALL / 2, 1);
	assert_ret(0, put(&p.from, 3, 2, 0));
	assert_ret(0, put(&p.from, 4, 3, 0));
	many[0].iov_len = 3;
	assert_ret(1, ipcdemo_ring_receive_many(&p.to, many, 2, 0, NULL));
	assert_true(is_filled(small, 3, 2));
	got(&p.to, 4, 3);
	part(&p);
}

static void many_go_at_once(void)
{
	unsigned char out[12][8], in[12][8];
	struct iovec send[12], take[12];
	struct pair p;
	size_t m, i;

	for (m = 0; m < NR(modes); m++) {
		p = joined(SMALL, modes[m]);
		for (i = 0; i < NR(out); i++) {
			fill(out[i], 8, i);
			send[i] = (struct iovec){out[i], i % 8};
			take[i] = (struct iovec){in[i], 8};
		}
		assert_ret(-EINVAL,
			   ipcdemo_ring_send_many(&p.from, send, 0, 0, NULL));
		assert_ret(-EINVAL,
			   ipcdemo_ring_receive_many(&p.to, take, 0, 0, NULL));
		assert_ret(-EINVAL,
			   ipcdemo_ring_peek(&p.to, take, UINT_MAX, 0, NULL));
		assert_ret(8, ipcdemo_ring_send_many(&p.from, send, 12,
						     NONBLOCK, NULL));
		assert_ret(-EAGAIN, ipcdemo_ring_send_many(&p.from, send + 8, 4,
							   NONBLOCK, NULL));
		assert_ret(3, ipcdemo_ring_receive_many(&p.to, take, 3,
							NONBLOCK, NULL));
		assert_ret(3, ipcdemo_ring_send_many(&p.from, send + 8, 4,
						     NONBLOCK, NULL));
		assert_ret(8, ipcdemo_ring_receive_many(&p.to, take + 3, 9, 0,
							NULL));
		for (i = 0; i < 11; i++) {
			assert_int_equal(take[i].iov_len, i % 8);
			assert_true(is_filled(in[i], i % 8, i));
		}
		/* One that is too long ends it, those before it are sent */
		send[1].iov_len = SMALL;
		assert_ret(1,
			   ipcdemo_ring_send_many(&p.from, send, 2, 0, NULL));
		got(&p.to, 0, 0);
		part(&p);
	}
}

static void a_message_is_made_and_read_in_place(void)
{
	struct ipcdemo_ring_slot slot, next;
	struct iovec seen[8];
	struct pair p;
	size_t m;

	for (m = 0; m < NR(modes); m++) {
		p = joined(SMALL, modes[m]);
		assert_ret(-EMSGSIZE, ipcdemo_ring_reserve(&p.from, SMALL, 0,
							   NULL, &slot));
		assert_ret(0,
			   ipcdemo_ring_reserve(&p.from, 200, 0, NULL, &slot));
		assert_int_equal(slot.size, 200);
		assert_int_equal((uintptr_t)slot.data % CELL, 0);
		nothing_in(&p.to);
		fill(slot.data, 200, 1);
		assert_ret(-EINVAL, ipcdemo_ring_commit(&p.from, &slot, 201));
		/* Less than was reserved */
		assert_ret(0, ipcdemo_ring_commit(&p.from, &slot, 70));
		assert_ret(modes[m] ? -EBADMSG : -EINVAL,
			   ipcdemo_ring_commit(&p.from, &slot, 70));
		assert_ret(0,
			   ipcdemo_ring_reserve(&p.from, 10, 0, NULL, &slot));
		assert_ret(0, ipcdemo_ring_abort(&p.from, &slot));
		if (modes[m])
			assert_ret(-EBADMSG,
				   ipcdemo_ring_abort(&p.from, &slot));
		assert_ret(0, put(&p.from, 3, 2, 0));
		assert_ret(2, ipcdemo_ring_peek(&p.to, seen, 8, 0, NULL));
		assert_int_equal(seen[0].iov_len, 70);
		assert_true(is_filled(seen[0].iov_base, 70, 1));
		assert_int_equal(seen[1].iov_len, 3);
		assert_true(is_filled(seen[1].iov_base, 3, 2));
		/* They stay */
		assert_ret(1, ipcdemo_ring_peek(&p.to, seen, 1, 0, NULL));
		assert_int_equal(seen[0].iov_len, 70);
		assert_ret(0, ipcdemo_ring_release(&p.to, 1));
		got(&p.to, 3, 2);
		assert_ret(0, put(&p.from, 4, 3, 0));
		assert_ret(-EINVAL, ipcdemo_ring_release(&p.to, 2));
		nothing_in(&p.to);
		assert_ret(-EAGAIN,
			   ipcdemo_ring_peek(&p.to, seen, 1, NONBLOCK, NULL));
		if (!modes[m]) {
			/* The next one takes its place */
			assert_ret(0, ipcdemo_ring_reserve(&p.from, 1, 0, NULL,
							   &slot));
			assert_ret(0, put(&p.from, 1, 4, 0));
			assert_ret(-EINVAL,
				   ipcdemo_ring_commit(&p.from, &slot, 1));
			got(&p.to, 1, 4);
			part(&p);
			continue;
		}
		/* Several, and the second is done first */
		assert_ret(0, ipcdemo_ring_reserve(&p.from, 1, 0, NULL, &slot));
		assert_ret(0, ipcdemo_ring_reserve(&p.from, 1, 0, NULL, &next));
		fill(next.data, 1, 6);
		assert_ret(0, ipcdemo_ring_commit(&p.from, &next, 1));
		nothing_in(&p.to);
		fill(slot.data, 1, 5);
		assert_ret(0, ipcdemo_ring_commit(&p.from, &slot, 1));
		got(&p.to, 1, 5);
		got(&p.to, 1, 6);
		/* What somebody leaves unfinished is no message, and no obstacle */
		assert_ret(0,
			   ipcdemo_ring_reserve(&p.from, 99, 0, NULL, &slot));
		assert_ret(0, put(&p.from, 1, 7, 0));
		assert_ret(0, ipcdemo_ring_leave(&p.from));
		got(&p.to, 1, 7);
		assert_ret(0, receive(&p.to, 0, NULL));
		part(&p);
	}
}

static void gaps_alone_do_not_fill_a_ring(void)
{
	struct ipcdemo_ring_slot slot;
	struct pair p = joined(SMALL, MANY);
	int i;

	for (i = 0; i < 100; i++) {
		while (!ipcdemo_ring_reserve(&p.from, 65, NONBLOCK, NULL,
					     &slot))
			assert_ret(0, ipcdemo_ring_abort(&p.from, &slot));
		nothing_in(&p.to);
	}
	part(&p);
}

/* --- waiting ------------------------------------------------------------------------ */

static void no_call_waits_longer_than_it_is_told(void)
{
	const unsigned int ways[] = {0, SPIN, IPCDEMO_RING_REALTIME,
				     SPIN | IPCDEMO_RING_REALTIME};
	const struct timespec none = {.tv_nsec = 1000000000};
	struct timespec soon;
	struct pair p;
	size_t m, i;

	for (m = 0; m < NR(modes); m++) {
		p = joined(SMALL, modes[m]);
		for (i = 0; i < NR(ways); i++) {
			soon = in_ms(ways[i] & IPCDEMO_RING_REALTIME
					     ? CLOCK_REALTIME
					     : CLOCK_MONOTONIC,
				     2);
			assert_ret(-ETIMEDOUT, receive(&p.to, ways[i], &past));
			assert_ret(-ETIMEDOUT, receive(&p.to, ways[i], &soon));
			assert_ret(-EINVAL, receive(&p.to, ways[i], &none));
		}
		assert_ret(-EINVAL, receive(&p.to, NONBLOCK | SPIN, NULL));
		assert_ret(-EINVAL, receive(&p.to, 0x80, NULL));
		assert_ret(-EINVAL, put(&p.from, 1, 1, NONBLOCK | SPIN));
		while (!put(&p.from, 1, 1, NONBLOCK))
			;
		assert_ret(-EAGAIN, put(&p.from, 1, 1, NONBLOCK));
		for (i = 0; i < NR(ways); i++)
			assert_ret(-ETIMEDOUT,
				   ipcdemo_ring_send(&p.from, "", 1, ways[i],
						     &past));
		/* What is there is had also when it is too late */
		assert_ret(1, receive(&p.to, 0, &past));
		assert_ret(0, ipcdemo_ring_send(&p.from, "", 1, 0, &past));
		part(&p);
	}
}

static void receive_one(void *with)
{
	require(receive(with, 0, NULL) == 1);
}

static void receive_one_busily(void *with)
{
	require(receive(with, SPIN, NULL) == 1);
}

static void receive_the_end(void *with)
{
	require(receive(with, 0, NULL) == 0);
}

static void send_one(void *with)
{
	require(put(with, 200, 1, 0) == 0);
}

static void send_one_busily(void *with)
{
	require(put(with, 200, 1, SPIN) == 0);
}

static void send_in_vain(void *with)
{
	require(put(with, 200, 1, 0) == -EPIPE);
}

static void who_waits_is_woken_by_the_other_side(void)
{
	struct ipcdemo_ring_slot slot;
	struct pair p;
	pid_t pid, other;
	size_t m;
	int i;

	for (m = 0; m < NR(modes); m++) {
		p = joined(SMALL, modes[m]);
		pid = child(receive_one, &p.to);
		sleeps(pid);
		assert_ret(0, put(&p.from, 1, 1, 0));
		join(pid);
		pid = child(receive_one, &p.to);
		sleeps(pid);
		assert_ret(0, ipcdemo_ring_reserve(&p.from, 1, 0, NULL, &slot));
		assert_ret(0, ipcdemo_ring_commit(&p.from, &slot, 1));
		join(pid);
		pid = child(receive_one_busily, &p.to);
		assert_ret(0, put(&p.from, 1, 1, 0));
		join(pid);
		for (i = 0; i < CELLS; i++)
			assert_ret(0, put(&p.from, 1, 1, 0));
		pid = child(send_one, &p.from);
		sleeps(pid);
		/* Not enough, and it sleeps on; then enough */
		assert_ret(1, receive(&p.to, 0, NULL));
		sleeps(pid);
		for (i = 0; i < 3; i++)
			assert_ret(1, receive(&p.to, 0, NULL));
		join(pid);
		while (put(&p.from, 1, 1, NONBLOCK) != -EAGAIN)
			;
		/* All cells: it has to begin at the first one */
		pid = child(send_one_busily, &p.from);
		for (i = 0; i < 5; i++)
			assert_ret(1, receive(&p.to, 0, NULL));
		join(pid);
		while (put(&p.from, 1, 1, NONBLOCK) != -EAGAIN)
			;
		pid = child(send_in_vain, &p.from);
		sleeps(pid);
		other = modes[m] ? child(send_in_vain, &p.from) : 0;
		if (other)
			sleeps(other);
		assert_ret(0, ipcdemo_ring_leave(&p.to));
		join(pid);
		if (other)
			join(other);
		assert_ret(0, ipcdemo_ring_join_receiver(&p.to, 1));
		while (receive(&p.to, NONBLOCK, NULL) == 1)
			;
		pid = child(receive_the_end, &p.to);
		sleeps(pid);
		assert_ret(0, ipcdemo_ring_leave(&p.from));
		join(pid);
		part(&p);
	}
}

static void a_batch_wakes_once(void)
{
	struct iovec messages[4] = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}};
	struct pair p = joined(SMALL, 0);
	atomic_uint *bell = in_ring(&p.from, TO_RECEIVER);
	unsigned int before;
	pid_t pid;

	pid = child(receive_one, &p.to);
	sleeps(pid);
	before = *bell;
	assert_int_equal(before % 2, 1);
	assert_ret(4, ipcdemo_ring_send_many(&p.from, messages, 4, 0, NULL));
	join(pid);
	/* Even: it woke; nobody wanted to sleep again */
	assert_int_equal(*bell, before + 1);
	part(&p);
}

static void nothing(int sig)
{
	(void)sig;
}

static void be_interrupted(void *with)
{
	struct sigaction act = {.sa_handler = nothing};
	struct pair *p = with;

	sigaction(SIGUSR1, &act, NULL);
	require(receive(&p->to, 0, NULL) == -EINTR);
	while (!put(&p->from, 1, 1, NONBLOCK))
		;
	require(put(&p->from, 1, 1, 0) == -EINTR);
}

static void a_signal_ends_sleep_and_loses_nothing(void)
{
	struct pair p = joined(SMALL, 0);
	int i;
	pid_t pid = child(be_interrupted, &p);

	sleeps(pid);
	kill(pid, SIGUSR1);
	/* Asleep again, now as a sender: the ring is full */
	eventually(*(uint64_t *)in_ring(&p.from, TAIL) == CELLS);
	sleeps(pid);
	kill(pid, SIGUSR1);
	join(pid);
	for (i = 0; i < CELLS; i++)
		got(&p.to, 1, 1);
	nothing_in(&p.to);
	part(&p);
}

/* A process that makes any other system call is killed. */
static void forbid_calls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 3, 0),
		/* The sanitizer's, at the end */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sigaltstack, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = NR(code), .filter = code};

	require(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	require(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static void use_quietly(void *with)
{
	struct ipcdemo_ring_slot slot;
	struct iovec seen[4];
	struct pair *p = with;
	unsigned int i;

	forbid_calls();
	for (i = 0; i < 100; i++) {
		require(!put(&p->from, i, i, 0));
		require(receive(&p->to, 0, NULL) == 1);
		require(!ipcdemo_ring_reserve(&p->from, i, 0, NULL, &slot));
		require(!ipcdemo_ring_commit(&p->from, &slot, i));
		require(ipcdemo_ring_peek(&p->to, seen, 4, SPIN, NULL) == 1);
		require(!ipcdemo_ring_release(&p->to, 1));
		require(receive(&p->to, NONBLOCK, NULL) == -EAGAIN);
	}
}

static void wake_somebody(void *with)
{
	struct pair *p = with;

	forbid_calls();
	put(&p->from, 1, 1, 0);
}

static void nobody_asleep_is_no_system_call(void)
{
	struct pair p;
	size_t m;
	pid_t pid;

	for (m = 0; m < NR(modes); m++) {
		p = joined(SMALL, modes[m]);
		join(child(use_quietly, &p));
		/* The filter would have told */
		pid = child(receive_one, &p.to);
		sleeps(pid);
		dies(child(wake_somebody, &p), SIGSYS);
		kills(pid);
		part(&p);
	}
}

/* --- who died ----------------------------------------------------------------------- */

static void join_and_reserve(void *with)
{
	struct pair *p = with;
	struct ipcdemo_ring_slot slot;

	require(!ipcdemo_ring_join_sender(&p->from, MANY));
	require(!put(&p->from, 5, 1, 0));
	require(!ipcdemo_ring_reserve(&p->from, 130, 0, NULL, &slot));
	require(!put(&p->from, 6, 2, 0));
	pause();
}

static void a_sender_that_died_in_between_is_recovered_from(void)
{
	struct pair p = unjoined(SMALL);
	pid_t pid;

	assert_ret(0, ipcdemo_ring_join_receiver(&p.to, 1));
	pid = child(join_and_reserve, &p);
	eventually(*(uint64_t *)in_ring(&p.from, TAIL) == 5);
	got(&p.to, 5, 1);
	assert_ret(0, ipcdemo_ring_recover(&p.to));
	nothing_in(&p.to);
	kills(pid);
	/* Without that it holds up what is behind it */
	nothing_in(&p.to);
	assert_ret(2, ipcdemo_ring_recover(&p.to));
	got(&p.to, 6, 2);
	assert_ret(0, receive(&p.to, 0, NULL));
	assert_ret(0, ipcdemo_ring_recover(&p.to));
	part(&p);
}

static void join_and_stay(void *with)
{
	struct ipcdemo_ring *ring = with;

	require(!ipcdemo_ring_join_sender(ring, 0));
	pause();
}

static void receive_and_stay(void *with)
{
	struct ipcdemo_ring *ring = with;

	require(!ipcdemo_ring_join_receiver(ring, 1));
	require(receive(ring, 0, NULL) == 1);
	pause();
}

static void the_dead_keep_no_place(void)
{
	struct pair p = unjoined(SMALL);
	atomic_uint *receiver = in_ring(&p.from, RECEIVER);
	struct ipcdemo_object o;
	pid_t pid;

	pid = child(join_and_stay, &p.from);
	eventually(ipcdemo_region_objects(p.here, &o, 1) == 1 && o.round == 1);
	assert_ret(-EBUSY, ipcdemo_ring_join_sender(&p.from, 0));
	assert_ret(-EBUSY, ipcdemo_ring_join_sender(&p.from, MANY));
	kills(pid);
	assert_ret(0, ipcdemo_ring_join_sender(&p.from, 0));
	assert_ret(0, put(&p.from, 1, 1, 0));
	pid = child(receive_and_stay, &p.to);
	eventually(*receiver == (unsigned int)pid);
	eventually(*(uint64_t *)in_ring(&p.from, HEAD) == 1);
	assert_ret(-EBUSY, ipcdemo_ring_join_receiver(&p.to, 1));
	assert_ret(0, put(&p.from, 1, 2, 0));
	kills(pid);
	assert_ret(0, put(&p.from, 1, 3, 0));
	assert_ret(1, ipcdemo_ring_recover(&p.from));
	assert_ret(-EPIPE, put(&p.from, 1, 4, 0));
	assert_ret(0, ipcdemo_ring_join_receiver(&p.to, 1));
	got(&p.to, 1, 2);
	got(&p.to, 1, 3);
	part(&p);
}

/* As if each had been killed between two of its stores. */
static void work_that_was_begun_is_ended_by_the_successor(void)
{
	struct pair p = joined(SMALL, 0);
	uint64_t *head = in_ring(&p.from, HEAD), *tail = in_ring(&p.from, TAIL);

	/* READY, but the tail not moved; and received meanwhile, or not */
	assert_ret(0, put(&p.from, 100, 1, 0));
	*tail -= 2;
	assert_ret(0, put(&p.from, 3, 2, 0));
	got(&p.to, 100, 1);
	got(&p.to, 3, 2);
	assert_ret(0, put(&p.from, 100, 3, 0));
	got(&p.to, 100, 3);
	*tail -= 2;
	assert_ret(0, put(&p.from, 3, 4, 0));
	got(&p.to, 3, 4);
	/* FREE again, but the head not moved */
	assert_ret(0, put(&p.from, 100, 5, 0));
	assert_ret(0, put(&p.from, 1, 6, 0));
	got(&p.to, 100, 5);
	*head -= 2;
	assert_ret(0, ipcdemo_ring_leave(&p.to));
	assert_ret(0, ipcdemo_ring_join_receiver(&p.to, 1));
	got(&p.to, 1, 6);
	nothing_in(&p.to);
	part(&p);
}

/* --- who scribbles ------------------------------------------------------------------ */

static uint32_t roll(uint32_t *random)
{
	*random = *random * 1664525 + 1013904223;
	return *random >> 8;
}

/* A word of the ring becomes something: any bits, or what means something there. */
static void scribble(const struct pair *p, uint32_t *random)
{
	uint64_t *words = p->from.at, *word, any, type;

	word = words + TAIL / 8 + roll(random) % ((STATES - TAIL) / 8 + CELLS);
	any = (uint64_t)roll(random) << 40 ^ (uint64_t)roll(random) << 20 ^
	      roll(random);
	type = (uint64_t)(roll(random) % 4) << 62;
	switch (roll(random) % 4) {
	case 0:
		*word = any;
		break;
	case 1:
		*word = type | any % (2 * SMALL);
		break;
	case 2:
		*word = type | (uint64_t)getpid() << 32 | any % SMALL;
		break;
	default:
		*word += any % 17 - 8;
	}
}

/* The handle believes nothing, so each answer will do; but all stays in the ring. */
static void use_as_it_comes(struct pair *p, uint32_t *random)
{
	unsigned char data[SMALL] = {0};
	unsigned char *begin = in_ring(&p->to, STATES + CELLS * 8);
	struct ipcdemo_ring_slot slot;
	struct iovec seen[CELLS];
	int n, i;

	switch (roll(random) % 6) {
	case 0:
		ipcdemo_ring_send(&p->from, data, roll(random) % SMALL,
				  NONBLOCK, NULL);
		break;
	case 1:
		n = roll(random) % SMALL;
		if (ipcdemo_ring_reserve(&p->from, n, NONBLOCK, NULL, &slot))
			break;
		memset(slot.data, 1, slot.size);
		scribble(p, random);
		ipcdemo_ring_commit(&p->from, &slot, n / 2);
		break;
	case 2:
		n = ipcdemo_ring_peek(&p->to, seen, NR(seen), NONBLOCK, NULL);
		for (i = 0; i < n; i++) {
			assert_true((unsigned char *)seen[i].iov_base >= begin);
			assert_true((unsigned char *)seen[i].iov_base +
					    seen[i].iov_len <=
				    begin + SMALL);
		}
		scribble(p, random);
		if (n > 0)
			ipcdemo_ring_release(&p->to, n);
		break;
	case 3:
		ipcdemo_ring_recover(&p->to);
		break;
	default:
		ipcdemo_ring_receive(&p->to, data, roll(random) % SMALL, NULL,
				     NONBLOCK, NULL);
	}
}

static void scribbling_reaches_nothing_outside(void)
{
	const uint64_t size = ipcdemo_ring_size(SMALL);
	unsigned char *there, *copy = malloc(SIZE);
	struct ipcdemo_object objects[2];
	uint32_t random = 1;
	unsigned int m, i;
	struct pair p;

	for (m = 0; m < NR(modes); m++) {
		p = joined(SMALL, modes[m]);
		there = ipcdemo_region_base(p.here);
		memset(there + p.from.offset + size, 0x5a,
		       SIZE - p.from.offset - size);
		memcpy(copy, there, SIZE);
		for (i = 0; i < 100000; i++) {
			scribble(&p, &random);
			use_as_it_comes(&p, &random);
			ipcdemo_region_objects(p.there, objects, 2);
		}
		assert_memory_equal(there, copy, p.from.offset);
		assert_memory_equal(there + p.from.offset + size,
				    copy + p.from.offset + size,
				    SIZE - p.from.offset - size);
		part(&p);
	}
	free(copy);
}

static const struct claim claims[] = {
	{"scribbling reaches nothing outside of the ring",
	 scribbling_reaches_nothing_outside, OURS},
	{"a ring is made and found", a_ring_is_made_and_found, OURS},
	{"a ring that is damaged is refused", a_ring_that_is_damaged_is_refused,
	 OURS},
	{"who joins how is kept apart", who_joins_how_is_kept_apart, OURS},
	{"the end comes behind the last message",
	 the_end_comes_behind_the_last_message, OURS},
	{"a receiver that leaves is noticed", a_receiver_that_leaves_is_noticed,
	 OURS},
	{"messages wrap at every place", messages_wrap_at_every_place, OURS},
	{"positions go on where words of 32 bits end",
	 positions_go_on_where_words_of_32_bits_end, OURS},
	{"what is too long is refused and nothing lost",
	 what_is_too_long_is_refused_and_nothing_lost, OURS},
	{"many go at once", many_go_at_once, OURS},
	{"a message is made and read in place",
	 a_message_is_made_and_read_in_place, OURS},
	{"gaps alone do not fill a ring", gaps_alone_do_not_fill_a_ring, OURS},
	{"no call waits longer than it is told",
	 no_call_waits_longer_than_it_is_told, OURS},
	{"who waits is woken by the other side",
	 who_waits_is_woken_by_the_other_side, OURS},
	{"a batch wakes once", a_batch_wakes_once, OURS},
	{"a signal ends sleep and loses nothing",
	 a_signal_ends_sleep_and_loses_nothing, OURS},
	{"nobody asleep is no system call", nobody_asleep_is_no_system_call,
	 OURS},
	{"a sender that died in between is recovered from",
	 a_sender_that_died_in_between_is_recovered_from, OURS},
	{"the dead keep no place", the_dead_keep_no_place, OURS},
	{"work that was begun is ended by the successor",
	 work_that_was_begun_is_ended_by_the_successor, OURS},
};

int main(void)
{
	return run_claims("rings", claims, NR(claims));
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Many processes at once, for a few seconds each
 *
 * IPCDEMO_STRESS_MS sets how long (1500).  Whoever misses a wake-up or loses a
 * byte makes a test hang or a sum wrong; the sums of the counters must agree
 * with what was done.
 */
#include "harness.h"

#include <sys/mman.h>

static __u64 stress_ms(void)
{
	const char *text = getenv("IPCDEMO_STRESS_MS");

	return text ? strtoull(text, NULL, 0) : 1500;
}

/* What all processes of a test add up, in memory that they share. */
struct tally {
	__u64 until;
	__u64 written, read, calls, sum_written, sum_read, records, errors;
};

static struct tally *tally;

static void new_tally(void)
{
	if (!tally)
		tally = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(tally, MAP_FAILED);
	memset(tally, 0, sizeof(*tally));
	tally->until = now_ms() + stress_ms();
}

static bool time_is_up(void)
{
	return now_ms() >= tally->until;
}

static void add(__u64 *sum, __u64 n)
{
	__atomic_add_fetch(sum, n, __ATOMIC_RELAXED);
}

static __u64 sum_of_bytes(const unsigned char *byte, size_t len)
{
	__u64 sum = 0;

	while (len--)
		sum += *byte++;
	return sum;
}

static unsigned int next(unsigned int *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 8;
}

/* Write until time is up; all sizes, none of them torn by a signal. */
static long write_on(long fd, long seed, long max)
{
	static unsigned char out[20000];
	unsigned int random = seed;

	fill_pattern(out, sizeof(out), seed);
	while (!time_is_up()) {
		size_t len = 1 + next(&random) % max;
		ssize_t ret = write(fd, out, len);

		if (ret != (ssize_t)len)
			return -1;
		add(&tally->written, ret);
		add(&tally->sum_written, sum_of_bytes(out, ret));
		add(&tally->calls, 1);
	}
	close(fd);
	return 0;
}

static long read_on(long fd, long seed, long max)
{
	static unsigned char in[20000];
	unsigned int random = seed;
	ssize_t ret;

	while ((ret = read(fd, in, 1 + next(&random) % max)) > 0) {
		add(&tally->read, ret);
		add(&tally->sum_read, sum_of_bytes(in, ret));
		add(&tally->calls, 1);
	}
	close(fd);
	return ret;
}

static long resize_on(long fd, long seed, long c)
{
	unsigned int random = seed;

	(void)c;
	while (!time_is_up()) {
		if (set_capacity(fd, PAGE << next(&random) % 6) < 0 &&
		    errno != EBUSY)
			return -1;
		add(&tally->calls, 1);
	}
	close(fd);
	return 0;
}

/* Look at everything there is to look at; it must make sense each time. */
static long look_on(long a, long b, long c)
{
	static char text[1 << 16], one[64];
	const char *const files[] = {one, "/proc/ipcdemo/pipes",
				     "/proc/ipcdemo/regions"};
	int ctl = open(DEVICE, IPCDEMO_O_CONTROL | O_CLOEXEC);

	(void)a;
	(void)b;
	(void)c;
	while (!time_is_up()) {
		struct ipcdemo_pipe_stat stat = {.size = sizeof(stat)};
		struct ipcdemo_peek peek = {.size = sizeof(peek),
					    .buf = (uintptr_t)text,
					    .len = sizeof(text)};
		size_t i;

		if (ioctl(ctl, IPCDEMO_IOC_PIPE_STAT, &stat) ||
		    ioctl(ctl, IPCDEMO_IOC_PEEK, &peek))
			return -1;
		if (!(stat.flags & IPCDEMO_STAT_TORN) &&
		    (stat.head - stat.tail != stat.used ||
		     stat.used > stat.slots ||
		     stat.used + stat.spare > stat.slots ||
		     stat.bytes > (__u64)stat.used * PAGE ||
		     stat.bytes < stat.used))
			return -1;
		if (peek.len > peek.bytes)
			return -1;
		snprintf(one, sizeof(one), "/proc/ipcdemo/pipe/%u", stat.id);
		for (i = 0; i < NR(files); i++) {
			int fd = open(files[i], O_RDONLY | O_CLOEXEC);
			ssize_t ret;

			if (fd < 0)
				return -1;
			while ((ret = read(fd, text, sizeof(text))) > 0)
				;
			close(fd);
			if (ret < 0)
				return -1;
		}
		add(&tally->calls, 1);
	}
	close(ctl);
	return 0;
}

struct counts {
	__u64 written, read, dropped;
};

static struct counts counts(void)
{
	if (target->bit != DEV)
		return (struct counts){};
	return (struct counts){counter("pipe", "write.copy"),
			       counter("pipe", "read.copy"),
			       counter("pipe", "close.drop")};
}

/* Afterwards nobody has it open: all that went in came out or was dropped. */
static void counters_add_up(const struct counts *was)
{
	struct counts is = counts();

	if (target->bit != DEV)
		return;
	assert_int_equal(is.written - was->written,
			 is.read - was->read + is.dropped - was->dropped);
	assert_int_equal(pages_out(), 0);
}

/* @writers and @readers on one pipe, and whoever else. */
static void many(int writers, int readers, long max_write, long max_read,
		 bool resizer, bool looker)
{
	struct ends e = open_ends(0);
	struct counts was = counts();
	struct actor *actors[16];
	int i, nr = 0;

	new_tally();
	for (i = 0; i < readers; i++)
		actors[nr++] = new_actor_with(e.r);
	for (i = 0; i < writers; i++)
		actors[nr++] = new_actor_with(e.w);
	if (resizer)
		actors[nr++] = new_actor_with(e.r);
	if (looker)
		actors[nr++] = new_actor();
	nr = 0;
	for (i = 0; i < readers; i++)
		begin(actors[nr++], read_on, e.r, i + 1, max_read);
	for (i = 0; i < writers; i++)
		begin(actors[nr++], write_on, e.w, i + 1, max_write);
	if (resizer)
		begin(actors[nr++], resize_on, e.r, 7, 0);
	if (looker)
		begin(actors[nr++], look_on, 0, 0, 0);
	close(e.r);
	close(e.w);
	for (i = 0; i < nr; i++)
		assert_ret(0, end(actors[i]).ret);
	assert_int_equal(tally->written, tally->read);
	assert_int_equal(tally->sum_written, tally->sum_read);
	/* Else this is no test; a kernel that watches itself is slow. */
	assert_true(tally->written > (is_debug_kernel() ? 1000 : 100000));
	for (i = 0; i < nr; i++)
		destroy(actors[i]);
	counters_add_up(&was);
	if (target->bit == DEV) {
		struct counts is = counts();

		assert_int_equal(is.written - was.written, tally->written);
	}
}

static void one_writer_one_reader(void **state)
{
	(void)state;
	many(1, 1, 20000, 20000, false, false);
}

static void many_small_writers_and_readers(void **state)
{
	(void)state;
	many(4, 4, 100, 300, false, false);
}

static void many_large_writers_and_readers(void **state)
{
	(void)state;
	many(3, 3, 20000, 9000, false, false);
}

static void resizes_meanwhile(void **state)
{
	(void)state;
	many(2, 2, 9000, 9000, true, false);
}

static void lookers_meanwhile(void **state)
{
	(void)state;
	many(2, 2, 9000, 9000, true, true);
}

/* Tagged records of at most PIPE_BUF from all sides; a reader takes them. */
static void one_slot_ring(void **state)
{
	struct ends e = open_ends(0);
	struct actor *writers[3], *reader;
	size_t i;

	(void)state;
	assert_ret(PAGE, set_capacity(e.w, PAGE));
	new_tally();
	reader = new_actor_with(e.r);
	for (i = 0; i < NR(writers); i++)
		writers[i] = new_actor_with(e.w);
	begin(reader, read_on, e.r, 1, 9000);
	for (i = 0; i < NR(writers); i++)
		begin(writers[i], write_on, e.w, i, 9000);
	close(e.r);
	close(e.w);
	for (i = 0; i < NR(writers); i++)
		assert_ret(0, end(writers[i]).ret);
	assert_ret(0, end(reader).ret);
	assert_int_equal(tally->sum_written, tally->sum_read);
	assert_int_equal(tally->written, tally->read);
}

/* --- a storm of opens and closes ------------------------------------------------ */

/* Opens of all kinds; reads and writes what comes, until time is up. */
static long storm(long seed, long b, long c)
{
	static unsigned char bytes[5000];
	unsigned int random = seed;

	(void)b;
	(void)c;
	while (!time_is_up()) {
		static const int flags[] = {O_RDONLY | O_NONBLOCK, O_RDWR,
					    O_WRONLY | O_NONBLOCK,
					    O_RDWR | O_NONBLOCK};
		int mode = next(&random) % NR(flags);
		int fd = open(target->path, flags[mode] | O_CLOEXEC);
		ssize_t ret;
		int i;

		add(&tally->calls, 1);
		if (fd < 0) {
			if (errno != ENXIO)
				return -1;
			continue;
		}
		nonblocking(fd, true);
		for (i = next(&random) % 4; i; i--) {
			size_t len = 1 + next(&random) % sizeof(bytes);

			ret = write(fd, bytes, len);
			if (ret > 0)
				add(&tally->written, ret);
			else if (errno != EAGAIN && errno != EBADF &&
				 errno != EPIPE)
				return -1;
			ret = read(fd, bytes, sizeof(bytes));
			if (ret > 0)
				add(&tally->read, ret);
			else if (ret && errno != EAGAIN && errno != EBADF)
				return -1;
		}
		close(fd);
	}
	return 0;
}

static void open_and_close_storm(void **state)
{
	struct counts was = counts();
	struct actor *actors[6];
	size_t i;

	(void)state;
	new_tally();
	for (i = 0; i < NR(actors); i++)
		actors[i] = new_actor();
	for (i = 0; i < NR(actors); i++)
		begin(actors[i], storm, i + 1, 0, 0);
	for (i = 0; i < NR(actors); i++)
		assert_ret(0, end(actors[i]).ret);
	assert_true(tally->calls > 100);
	assert_true(tally->written >= tally->read);
	counters_add_up(&was);
}

/* Blocking opens of both sides meet each other again and again. */
static long meet(long flags, long b, long c)
{
	(void)b;
	(void)c;
	while (!time_is_up()) {
		int fd = open(target->path, flags | O_CLOEXEC);
		char byte = 1;

		if (fd < 0)
			return -1;
		if (flags == O_WRONLY) {
			if (write(fd, &byte, 1) == 1)
				add(&tally->written, 1);
		} else {
			while (read(fd, &byte, 1) == 1)
				add(&tally->read, 1);
		}
		close(fd);
		add(&tally->calls, 1);
	}
	return 0;
}

/*
 * Who waits alone when time is up is let go by an O_RDWR; it then sees that
 * time is up.
 */
static void blocking_opens_meet(void **state)
{
	struct counts was = counts();
	struct actor *reader, *writer;
	int fd;

	(void)state;
	new_tally();
	reader = new_actor();
	writer = new_actor();
	begin(reader, meet, O_RDONLY, 0, 0);
	begin(writer, meet, O_WRONLY, 0, 0);
	eventually(time_is_up() && (is_done(reader) || is_done(writer)));
	/* Who is on his way into open finds both sides, now and later. */
	fd = open_end(O_RDWR);
	assert_ret(0, end(writer).ret);
	/* Let go, a reader waits for bytes, and then sees the end of file. */
	if (!is_done(reader))
		waits(reader, SYS_read);
	close(fd);
	assert_ret(0, end(reader).ret);
	assert_true(tally->calls > 20);
	counters_add_up(&was);
}

/* Tasks that sleep in read and write are killed and replaced all the time. */
static void killed_tasks_lose_no_wake_up(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader, *writer, *victims[4];
	unsigned int random = 1;
	size_t i;

	(void)state;
	assert_ret(2 * PAGE, set_capacity(e.w, 2 * PAGE));
	new_tally();
	reader = new_actor_with(e.r);
	writer = new_actor_with(e.w);
	begin(reader, read_on, e.r, 1, 5000);
	begin(writer, write_on, e.w, 1, 5000);
	for (i = 0; i < NR(victims); i++) {
		victims[i] = new_actor_with(i % 2 ? e.r : e.w);
		begin(victims[i], i % 2 ? read_on : write_on, i % 2 ? e.r : e.w,
		      i, 3000);
	}
	while (!time_is_up()) {
		i = next(&random) % NR(victims);
		destroy(victims[i]);
		victims[i] = new_actor_with(i % 2 ? e.r : e.w);
		begin(victims[i], i % 2 ? read_on : write_on, i % 2 ? e.r : e.w,
		      i, 3000);
	}
	for (i = 0; i < NR(victims); i++)
		destroy(victims[i]);
	/* The two that were never killed come to their end. */
	assert_ret(0, end(writer).ret);
	close(e.w);
	assert_ret(0, end(reader).ret);
}

/* Switching persistence while others write and look. */
static void persistence_switched_meanwhile(void **state)
{
	struct counts was = counts();
	struct actor *actors[3], *looker;
	size_t i, switches = 0;

	(void)state;
	new_tally();
	looker = new_actor();
	for (i = 0; i < NR(actors); i++)
		actors[i] = new_actor();
	for (i = 0; i < NR(actors); i++)
		begin(actors[i], storm, i + 1, 0, 0);
	begin(looker, look_on, 0, 0, 0);
	while (!time_is_up()) {
		set_persistence(switches++ % 2 ? IPCDEMO_PERSIST_PROCESS
					       : IPCDEMO_PERSIST_KERNEL);
		breathe();
	}
	for (i = 0; i < NR(actors); i++)
		assert_ret(0, end(actors[i]).ret);
	assert_ret(0, end(looker).ret);
	set_persistence(IPCDEMO_PERSIST_PROCESS);
	assert_true(switches > 10);
	counters_add_up(&was);
}

/* --- the region ------------------------------------------------------------------ */

static long map_on(long seed, long b, long c)
{
	unsigned int random = seed;

	(void)b;
	(void)c;
	while (!time_is_up()) {
		int fd = open(DEVICE, O_RDWR | O_CLOEXEC);
		size_t size = (1 + next(&random) % 64) * PAGE, at;
		__u32 *map;

		if (fd < 0)
			return -1;
		map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			   0);
		close(fd);
		if (map == MAP_FAILED)
			return -1;
		for (at = 0; at < size; at += PAGE)
			__atomic_add_fetch(map + at / 4, 1, __ATOMIC_RELAXED);
		add(&tally->records, size / PAGE);
		if (munmap((char *)map + size / 2 / PAGE * PAGE,
			   size - size / 2 / PAGE * PAGE) ||
		    (size >= 2 * PAGE && munmap(map, size / 2 / PAGE * PAGE)))
			return -1;
		add(&tally->calls, 1);
	}
	return 0;
}

/* Mapping and unmapping, the last of them too: no increment may be lost. */
static void mappings_come_and_go(void **state)
{
	__u64 made = counter("region", "map.new");
	__u64 gone = counter("region", "map.gone");
	__u64 sum = 0, before = 0;
	struct actor *actors[4];
	__u32 *map;
	size_t i;
	int fd;

	(void)state;
	fd = open_end(O_RDWR);
	map = mmap(NULL, 64 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	for (i = 0; i < 64; i++)
		before += map[i * PAGE / 4];
	munmap(map, 64 * PAGE);
	close(fd);

	new_tally();
	for (i = 0; i < NR(actors); i++)
		actors[i] = new_actor();
	for (i = 0; i < NR(actors); i++)
		begin(actors[i], map_on, i + 1, 0, 0);
	for (i = 0; i < NR(actors); i++)
		assert_ret(0, end(actors[i]).ret);

	fd = open_end(O_RDWR);
	map = mmap(NULL, 64 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	for (i = 0; i < 64; i++)
		sum += map[i * PAGE / 4];
	munmap(map, 64 * PAGE);
	close(fd);
	assert_int_equal(sum - before, tally->records);
	assert_true(tally->calls > 20);
	assert_int_equal(region_stat().maps, 0);
	assert_int_equal(region_stat().files, 0);
	assert_int_equal(counter("region", "map.new") - made,
			 counter("region", "map.gone") - gone);
}

static const struct claim claims[] = {
	{"one writer, one reader: no byte lost", one_writer_one_reader, ENDS},
	{"many small writes and reads: no byte lost",
	 many_small_writers_and_readers, ENDS},
	{"many large writes and reads: no byte lost",
	 many_large_writers_and_readers, NAMED},
	{"resizes meanwhile: no byte lost", resizes_meanwhile, NAMED},
	{"a ring of one slot: no byte lost", one_slot_ring, NAMED},
	{"views meanwhile are never wrong and lose no byte", lookers_meanwhile,
	 DEV},
	{"a storm of opens and closes leaves nothing behind",
	 open_and_close_storm, NAMED},
	{"blocking opens meet again and again", blocking_opens_meet, NAMED},
	{"killed tasks lose no wake-up", killed_tasks_lose_no_wake_up, NAMED},
	{"persistence may be switched at any time",
	 persistence_switched_meanwhile, DEV},
	{"mappings come and go and lose nothing", mappings_come_and_go, DEV},
};

int main(void)
{
	return run_claims("stress", claims, NR(claims));
}

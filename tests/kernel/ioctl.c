// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls: what their manual, linux/ipcdemo.h, says
 *
 * The same source is built as a 32-bit program too, ioctl32.
 */
#include "harness.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* Every call, with the struct that it takes, so that rules can be for all. */
static const struct call {
	const char *name;
	unsigned long request;
	unsigned int size;
	unsigned int flags_at; /* where its flags stand */
	int pad_at; /* where its padding stands, or -1 */
	bool on_region; /* is about a region */
} calls[] = {
#define CALL(request, type, pad, on_region)                          \
	{                                                            \
#request, request, sizeof(struct type),              \
			offsetof(struct type, flags), pad, on_region \
	}
	CALL(IPCDEMO_IOC_PIPE_STAT, ipcdemo_pipe_stat, -1, false),
	CALL(IPCDEMO_IOC_REGION_STAT, ipcdemo_region_stat,
	     offsetof(struct ipcdemo_region_stat, seals), true),
	CALL(IPCDEMO_IOC_PEEK, ipcdemo_peek, offsetof(struct ipcdemo_peek, pad),
	     false),
	CALL(IPCDEMO_IOC_GET_CAPACITY, ipcdemo_attr,
	     offsetof(struct ipcdemo_attr, pad), false),
	CALL(IPCDEMO_IOC_SET_CAPACITY, ipcdemo_attr,
	     offsetof(struct ipcdemo_attr, pad), false),
	CALL(IPCDEMO_IOC_GET_PERSISTENCE, ipcdemo_attr,
	     offsetof(struct ipcdemo_attr, pad), false),
	CALL(IPCDEMO_IOC_SET_PERSISTENCE, ipcdemo_attr,
	     offsetof(struct ipcdemo_attr, pad), false),
	CALL(IPCDEMO_IOC_REGION_FD, ipcdemo_region_fd,
	     offsetof(struct ipcdemo_region_fd, pad), true),
};

#define ID_AT 4

/* A request of any call, with room behind it. */
union request {
	__u32 word[64];
	struct ipcdemo_pipe_stat pipe_stat;
	struct ipcdemo_region_stat region_stat;
	struct ipcdemo_peek peek;
	struct ipcdemo_attr attr;
	struct ipcdemo_region_fd region_fd;
};

/* A request that succeeds and changes nothing. */
static union request request_of(const struct call *call)
{
	union request request = {};

	request.word[0] = call->size;
	if (call->request == IPCDEMO_IOC_SET_CAPACITY)
		request.attr.value = DEFAULT_SIZE;
	return request;
}

static int region_fd(void)
{
	struct ipcdemo_region_fd request = {.size = sizeof(request),
					    .flags = O_CLOEXEC};
	int ctl = control(), fd = ioctl(ctl, IPCDEMO_IOC_REGION_FD, &request);

	assert_int_not_equal(fd, -1);
	close(ctl);
	return fd;
}

static void structs_are_the_same_everywhere(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct ipcdemo_pipe_stat), 80);
	assert_int_equal(offsetof(struct ipcdemo_pipe_stat, spare), 60);
	assert_int_equal(offsetof(struct ipcdemo_pipe_stat, bytes), 64);
	assert_int_equal(sizeof(struct ipcdemo_region_stat), 56);
	assert_int_equal(offsetof(struct ipcdemo_region_stat, length), 32);
	assert_int_equal(sizeof(struct ipcdemo_peek), 48);
	assert_int_equal(offsetof(struct ipcdemo_peek, skip), 16);
	assert_int_equal(sizeof(struct ipcdemo_attr), 24);
	assert_int_equal(offsetof(struct ipcdemo_attr, value), 16);
	assert_int_equal(sizeof(struct ipcdemo_region_fd), 16);
	assert_int_equal(IPCDEMO_IOC_PIPE_STAT, 0xc050dc01);
	assert_int_equal(IPCDEMO_IOC_REGION_STAT, 0xc038dc02);
	assert_int_equal(IPCDEMO_IOC_PEEK, 0xc030dc03);
	assert_int_equal(IPCDEMO_IOC_SPLICE, 0x4028dc0a);
	assert_int_equal(IPCDEMO_IOC_TEE, 0x4028dc0b);
	assert_int_equal(IPCDEMO_IOC_VMSPLICE, 0x4018dc0c);
	assert_int_equal(IPCDEMO_IOC_GET_CAPACITY, 0xc018dc04);
	assert_int_equal(IPCDEMO_IOC_SET_CAPACITY, 0xc018dc05);
	assert_int_equal(IPCDEMO_IOC_GET_PERSISTENCE, 0xc018dc06);
	assert_int_equal(IPCDEMO_IOC_SET_PERSISTENCE, 0xc018dc07);
	assert_int_equal(IPCDEMO_IOC_REGION_FD, 0x4010dc08);
	assert_int_equal(sizeof(struct ipcdemo_gate), 56);
	assert_int_equal(sizeof(struct ipcdemo_arrival), 120);
	assert_int_equal(offsetof(struct ipcdemo_arrival, slot), 64);
	assert_int_equal(offsetof(struct ipcdemo_tasks, tasks), 16);
	assert_int_equal(offsetof(struct ipcdemo_gates, gates), 16);
	assert_int_equal(IPCDEMO_IOC_GATE_ADD, 0xc038dc10);
	assert_int_equal(IPCDEMO_IOC_GATE_REMOVE, 0x4038dc11);
	assert_int_equal(IPCDEMO_IOC_GATE_LIST, 0xc018dc12);
	assert_int_equal(IPCDEMO_IOC_GATE_WAIT, 0xc088dc13);
	assert_int_equal(IPCDEMO_IOC_GATE_GO, 0x4010dc14);
	assert_int_equal(IPCDEMO_IOC_TASKS, 0xc020dc15);
}

static void unknown_requests_are_enotty(void **state)
{
	static const unsigned int requests[] = {
		0,
		0x5401,
		_IO(IPCDEMO_IOC_MAGIC, 0x00),
		_IO(IPCDEMO_IOC_MAGIC, 0x01),
		_IOWR(IPCDEMO_IOC_MAGIC, 0x00, struct ipcdemo_attr),
		_IOWR(IPCDEMO_IOC_MAGIC, 0x09, struct ipcdemo_attr),
		_IOWR(IPCDEMO_IOC_MAGIC, 0xff, struct ipcdemo_attr),
		_IOR(IPCDEMO_IOC_MAGIC, 0x04, struct ipcdemo_attr),
		_IOWR(0xDD, 0x04, struct ipcdemo_attr),
		~0u,
	};
	struct ends e = open_ends(O_NONBLOCK);
	int fds[] = {control(), e.r, e.w, open_end(O_RDWR), region_fd()};
	size_t i, j;

	(void)state;
	for (i = 0; i < NR(fds); i++) {
		for (j = 0; j < NR(requests); j++) {
			union request request = {.word = {24}};

			assert_errno(ENOTTY,
				     ioctl(fds[i], requests[j], &request));
		}
	}
	assert_errno(ENOTTY, ioctl(fds[0], FIONREAD, &i));
	assert_errno(ENOTTY, ioctl(fds[4], IPCDEMO_IOC_PIPE_STAT, &e));
	assert_errno(ENOTTY, ioctl(fds[4], IPCDEMO_IOC_PEEK, &e));
	assert_errno(ENOTTY, ioctl(fds[4], IPCDEMO_IOC_SET_CAPACITY, &e));
	assert_errno(ENOTTY, ioctl(e.r, IPCDEMO_IOC_REGION_STAT, &e));
	assert_errno(ENOTTY, ioctl(e.w, IPCDEMO_IOC_REGION_STAT, &e));
}

static void region_fd_needs_a_control_descriptor(void **state)
{
	struct ipcdemo_region_fd request = {.size = sizeof(request)};
	struct ends e = open_ends(O_NONBLOCK);
	int fds[] = {e.r, e.w, open_end(O_RDWR), region_fd()};
	size_t i;

	(void)state;
	for (i = 0; i < NR(fds); i++)
		assert_errno(EBADF,
			     ioctl(fds[i], IPCDEMO_IOC_REGION_FD, &request));
}

static void small_sizes_are_einval(void **state)
{
	int ctl = control();
	size_t i;

	(void)state;
	for (i = 0; i < NR(calls); i++) {
		union request request = request_of(&calls[i]);

		request.word[0] = 0;
		assert_errno(EINVAL, ioctl(ctl, calls[i].request, &request));
		request.word[0] = 4;
		assert_errno(EINVAL, ioctl(ctl, calls[i].request, &request));
		request.word[0] = calls[i].size - 1;
		assert_errno(EINVAL, ioctl(ctl, calls[i].request, &request));
	}
}

static void larger_sizes_are_fine_with_zeros(void **state)
{
	static const unsigned int more[] = {1, 8, 64};
	int ctl = control();
	size_t i, j;

	(void)state;
	for (i = 0; i < NR(calls); i++) {
		for (j = 0; j < NR(more); j++) {
			union request request = request_of(&calls[i]);
			unsigned char *tail =
				(unsigned char *)&request + calls[i].size;
			unsigned int k;

			request.word[0] = calls[i].size + more[j];
			assert_true(ioctl(ctl, calls[i].request, &request) >=
				    0);
			for (k = 0; k < more[j]; k++)
				assert_int_equal(tail[k], 0);
			request = request_of(&calls[i]);
			request.word[0] = calls[i].size + more[j];
			tail[more[j] - 1] = 1;
			assert_errno(E2BIG,
				     ioctl(ctl, calls[i].request, &request));
		}
	}
}

/* The size of the caller's struct is in the number too: _IOWR puts it there. */
static void the_number_of_a_larger_struct_is_known(void **state)
{
	union request request = {.word = {24 + 8}};
	int ctl = control();

	(void)state;
	assert_ret(0, ioctl(ctl,
			    _IOC(_IOC_READ | _IOC_WRITE, IPCDEMO_IOC_MAGIC, 4,
				 24 + 8),
			    &request));
	assert_int_equal(request.attr.value, DEFAULT_SIZE);
}

static void stat_tells_its_own_size(void **state)
{
	union request request = {.word = {200}};
	int ctl = control();

	(void)state;
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_PIPE_STAT, &request));
	assert_int_equal(request.pipe_stat.size,
			 sizeof(struct ipcdemo_pipe_stat));
	memset(&request, 0, sizeof(request));
	request.word[0] = 200;
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_REGION_STAT, &request));
	assert_int_equal(request.region_stat.size,
			 sizeof(struct ipcdemo_region_stat));
}

static void flags_and_padding_must_be_zero(void **state)
{
	int ctl = control();
	unsigned int bit;
	size_t i;

	(void)state;
	for (i = 0; i < NR(calls); i++) {
		for (bit = 0; bit < 32; bit++) {
			union request request = request_of(&calls[i]);

			if (calls[i].request == IPCDEMO_IOC_REGION_FD &&
			    1u << bit == O_CLOEXEC)
				continue;
			request.word[calls[i].flags_at / 4] = 1u << bit;
			assert_errno(EINVAL,
				     ioctl(ctl, calls[i].request, &request));
			if (calls[i].pad_at < 0)
				continue;
			request = request_of(&calls[i]);
			request.word[calls[i].pad_at / 4] = 1u << bit;
			if (ioctl(ctl, calls[i].request, &request) != -1 ||
			    errno != EINVAL)
				fail_msg("%s takes padding that is not 0",
					 calls[i].name);
		}
	}
	assert_int_equal(pipe_stat().capacity, DEFAULT_SIZE);
}

static void ids_name_objects(void **state)
{
	__u32 pipe = pipe_stat().id, region = region_stat().id;
	int ctl = control(), both = open_end(O_RDWR), reg = region_fd();
	size_t i;

	(void)state;
	assert_int_not_equal(pipe, region);
	for (i = 0; i < NR(calls); i++) {
		__u32 own = calls[i].on_region ? region : pipe;
		__u32 other = calls[i].on_region ? pipe : region;
		union request request = request_of(&calls[i]);

		request.word[ID_AT / 4] = own;
		assert_true(ioctl(ctl, calls[i].request, &request) >= 0);
		request = request_of(&calls[i]);
		request.word[ID_AT / 4] = other;
		assert_errno(ENOENT, ioctl(ctl, calls[i].request, &request));
		request = request_of(&calls[i]);
		request.word[ID_AT / 4] = 0x7fffffff;
		assert_errno(ENOENT, ioctl(ctl, calls[i].request, &request));
		request.word[ID_AT / 4] = ~0u;
		assert_errno(ENOENT, ioctl(ctl, calls[i].request, &request));

		if (calls[i].request == IPCDEMO_IOC_REGION_FD)
			continue;
		request = request_of(&calls[i]);
		request.word[ID_AT / 4] = own;
		assert_ret(0, ioctl(calls[i].on_region ? reg : both,
				    calls[i].request, &request));
		request = request_of(&calls[i]);
		request.word[ID_AT / 4] = other;
		assert_errno(EINVAL, ioctl(calls[i].on_region ? reg : both,
					   calls[i].request, &request));
		request.word[ID_AT / 4] = 0x7fffffff;
		assert_errno(EINVAL, ioctl(calls[i].on_region ? reg : both,
					   calls[i].request, &request));
	}
}

/* The last @size bytes before a page that is not there. */
static void *before_nothing(size_t size)
{
	char *map = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(map, MAP_FAILED);
	assert_true(size <= 2 * PAGE);
	assert_ret(0, munmap(map + 2 * PAGE, PAGE));
	return map + 2 * PAGE - size;
}

static void bad_pointers_change_nothing(void **state)
{
	int ctl = control(), both = open_end(O_RDWR | O_NONBLOCK);
	__u32 sum;
	size_t i;

	(void)state;
	assert_ret(100, put(both, 100, 5));
	for (i = 0; i < NR(calls); i++) {
		union request request = request_of(&calls[i]);
		char *edge = before_nothing(calls[i].size - 1);
		char *fixed;

		if (calls[i].request == IPCDEMO_IOC_SET_CAPACITY)
			request.attr.value = 4 * PAGE;
		if (calls[i].request == IPCDEMO_IOC_SET_PERSISTENCE)
			request.attr.value = IPCDEMO_PERSIST_KERNEL;
		assert_errno(EFAULT, ioctl(ctl, calls[i].request, NULL));
		assert_errno(EFAULT, ioctl(ctl, calls[i].request, nowhere()));
		memcpy(edge, &request, calls[i].size - 1);
		assert_errno(EFAULT, ioctl(ctl, calls[i].request, edge));
		if (calls[i].request == IPCDEMO_IOC_REGION_FD)
			continue;
		/* Readable, but the answer cannot be written. */
		fixed = before_nothing(PAGE);
		memcpy(fixed, &request, sizeof(request));
		assert_ret(0, mprotect(fixed, PAGE, PROT_READ));
		assert_errno(EFAULT, ioctl(ctl, calls[i].request, fixed));
	}
	assert_errno(EFAULT, ioctl(both, FIONREAD, nowhere()));
	assert_int_equal(pipe_stat().capacity, DEFAULT_SIZE);
	assert_int_equal(pipe_stat().persistence, IPCDEMO_PERSIST_PROCESS);
	assert_ret(100, get(both, 200, &sum));
	assert_int_equal(sum, sum_of_pattern(100, 5));
}

/* --- arrays --------------------------------------------------------------------- */

/* A program that is newer than the module: it knows 8 bytes more. */
struct new_arrival {
	struct ipcdemo_arrival known;
	__u64 more;
};

struct new_gate {
	struct ipcdemo_gate known;
	__u64 more;
};

static void elements_have_the_size_of_the_caller(void **state)
{
	struct new_arrival two[2] = {{.known.pid = 0x3ffffff},
				     {.known.pid = getpid()}};
	struct ipcdemo_tasks tasks = {
		.size = sizeof(tasks),
		.count = 2,
		.tasks = (uintptr_t)two,
		.element_size = sizeof(*two),
	};
	int ctl = control();

	(void)state;
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_TASKS, &tasks));
	assert_int_equal(two[0].known.state, IPCDEMO_TASK_GONE);
	assert_int_equal(two[1].known.state, IPCDEMO_TASK_RUNNING);
	assert_int_equal(two[1].known.pid, getpid());
	assert_int_equal(two[1].known.slot, -1);
	assert_int_equal(two[0].more, 0);
	assert_int_equal(tasks.element_size, sizeof(*two));
	/* What a newer program asks for is not known here: refused. */
	two[1].more = 1;
	assert_errno(E2BIG, ioctl(ctl, IPCDEMO_IOC_TASKS, &tasks));
	tasks.count = 1;
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_TASKS, &tasks));
	/* Only output: what stands there before does not matter. */
	tasks.flags = IPCDEMO_TASKS_HELD;
	tasks.count = 2;
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_TASKS, &tasks));
	assert_int_equal(tasks.count, 0);
}

static void listed_elements_are_filled_up_with_zeros(void **state)
{
	struct ipcdemo_gate gate = {.size = sizeof(gate), .point = "resize.*"};
	struct new_gate three[3];
	struct ipcdemo_gates list = {
		.size = sizeof(list),
		.count = 3,
		.element_size = sizeof(*three),
		.gates = (uintptr_t)three,
	};
	int ctl = control(), i;

	(void)state;
	memset(three, 0xff, sizeof(three));
	for (i = 0; i < 2; i++)
		assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &gate));
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_LIST, &list));
	assert_int_equal(list.count, 2);
	for (i = 0; i < 2; i++) {
		assert_memory_equal(three[i].known.point, gate.point,
				    sizeof(gate.point));
		assert_int_equal(three[i].known.size, sizeof(gate));
		assert_int_equal(three[i].known.gate, i + 1);
		assert_int_equal(three[i].more, 0);
	}
	assert_int_equal(three[2].more, ~0ull);
}

static void bad_element_sizes_are_refused(void **state)
{
	static const struct {
		__u32 size;
		int err;
	} bad[] = {{0, EINVAL},
		   {4, EINVAL},
		   {sizeof(struct ipcdemo_gate) - 1, EINVAL},
		   {PAGE + 1, E2BIG},
		   {~0u, E2BIG}};
	struct ipcdemo_tasks tasks = {.size = sizeof(tasks)};
	struct ipcdemo_gates list = {.size = sizeof(list)};
	int ctl = control();
	size_t i;

	(void)state;
	for (i = 0; i < NR(bad); i++) {
		list.element_size = bad[i].size;
		assert_errno(bad[i].err,
			     ioctl(ctl, IPCDEMO_IOC_GATE_LIST, &list));
		tasks.element_size = bad[i].size;
		assert_errno(bad[i].err, ioctl(ctl, IPCDEMO_IOC_TASKS, &tasks));
	}
	tasks.element_size = sizeof(struct ipcdemo_arrival) - 1;
	assert_errno(EINVAL, ioctl(ctl, IPCDEMO_IOC_TASKS, &tasks));
	tasks.element_size = PAGE;
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_TASKS, &tasks));
	tasks.pad = 1;
	assert_errno(EINVAL, ioctl(ctl, IPCDEMO_IOC_TASKS, &tasks));
	tasks.pad = 0;
	/* One element is there, the next is not. */
	tasks.element_size = PAGE / 2;
	tasks.tasks = (uintptr_t)before_nothing(PAGE / 2);
	tasks.count = 1;
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_TASKS, &tasks));
	tasks.count = 2;
	assert_errno(EFAULT, ioctl(ctl, IPCDEMO_IOC_TASKS, &tasks));
}

/* --- STAT --------------------------------------------------------------------- */

static struct ipcdemo_pipe_stat stat_on(int fd)
{
	struct ipcdemo_pipe_stat stat;

	memset(&stat, 0xff, sizeof(stat));
	stat.size = sizeof(stat);
	stat.id = 0;
	stat.flags = 0;
	assert_ret(0, ioctl(fd, IPCDEMO_IOC_PIPE_STAT, &stat));
	return stat;
}

static void stat_says_what_was_done(void **state)
{
	struct ipcdemo_pipe_stat was = pipe_stat(), is;
	struct ends e = open_ends(O_NONBLOCK);
	int more = open_end(O_RDONLY);
	struct stat node;

	(void)state;
	assert_ret(0, stat(DEVICE, &node));
	is = stat_on(e.r);
	assert_int_equal(is.id, was.id);
	assert_int_equal(is.flags, 0);
	assert_int_equal(is.owner, node.st_uid);
	assert_int_equal(is.mode, node.st_mode & 0777);
	assert_int_equal(is.persistence, IPCDEMO_PERSIST_PROCESS);
	assert_int_equal(is.slots, DEFAULT_SLOTS);
	assert_int_equal(is.capacity, DEFAULT_SIZE);
	assert_int_equal(is.readers, 2);
	assert_int_equal(is.writers, 1);
	assert_int_equal(is.used, 0);
	assert_int_equal(is.bytes, 0);
	assert_int_equal(is.head, was.head);
	assert_int_equal(is.tail, was.tail);

	assert_ret(5000, put(e.w, 5000, 0));
	is = stat_on(e.w);
	assert_int_equal(is.used, 2);
	assert_int_equal(is.bytes, 5000);
	assert_int_equal(is.head, was.head + 2);
	assert_int_equal(is.tail, was.tail);

	assert_ret(4096, get(e.r, 4096, NULL));
	is = stat_on(more);
	assert_int_equal(is.used, 1);
	assert_int_equal(is.bytes, 904);
	assert_int_equal(is.tail, was.tail + 1);
	assert_int_equal(is.spare, 1);

	close(more);
	close(e.w);
	is = pipe_stat();
	assert_int_equal(is.readers, 1);
	assert_int_equal(is.writers, 0);
	assert_int_equal(is.bytes, 904);
	close(e.r);
	is = pipe_stat();
	assert_int_equal(is.readers, 0);
	assert_int_equal(is.used, 0);
	assert_int_equal(is.spare, 0);
}

static void stat_counts_who_waits(void **state)
{
	struct actor *readers[2], *writer;
	struct ends e = open_ends(O_NONBLOCK);
	int i;

	(void)state;
	nonblocking(e.r, false);
	nonblocking(e.w, false);
	for (i = 0; i < 2; i++) {
		readers[i] = new_actor_with(e.r);
		begin(readers[i], do_read, e.r, 10, 0);
		sleeps_in(readers[i], SYS_read);
		assert_int_equal(pipe_stat().read_waiters, i + 1);
	}
	assert_ret(20, put(e.w, 20, 0));
	for (i = 0; i < 2; i++)
		assert_ret(10, end(readers[i]).ret);
	assert_int_equal(pipe_stat().read_waiters, 0);

	writer = new_actor_with(e.w);
	begin(writer, do_write, e.w, DEFAULT_SIZE + 1, 0);
	sleeps_in(writer, SYS_write);
	assert_int_equal(pipe_stat().write_waiters, 1);
	assert_int_equal(pipe_stat().read_waiters, 0);
	assert_ret(DEFAULT_SIZE, get(e.r, DEFAULT_SIZE, NULL));
	assert_ret(DEFAULT_SIZE + 1, end(writer).ret);
	assert_int_equal(pipe_stat().write_waiters, 0);
}

/* STAT takes no lock of the pipe: it answers while everybody is stuck. */
static void stat_works_on_every_descriptor(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int fds[] = {control(), e.r, e.w, open_end(O_RDWR)};
	size_t i;

	(void)state;
	for (i = 0; i < NR(fds); i++) {
		assert_int_equal(stat_on(fds[i]).readers, 2);
		assert_int_equal(stat_on(fds[i]).writers, 2);
	}
}

static void region_stat_says_what_was_done(void **state)
{
	struct ipcdemo_region_stat was = region_stat(), is;
	int fd = region_fd(), other;
	void *map;

	(void)state;
	assert_int_equal(was.page_size, PAGE);
	assert_true(was.length > 0 && was.length % PAGE == 0);
	assert_int_equal(was.mode, 0666);
	assert_int_equal(was.owner, 0);
	assert_int_equal(was.seals, IPCDEMO_SEAL_SEAL | IPCDEMO_SEAL_SHRINK |
					    IPCDEMO_SEAL_GROW);
	assert_int_equal(was.flags, 0);
	is = region_stat();
	assert_int_equal(is.files, was.files + 1);
	other = region_fd();
	assert_int_equal(region_stat().files, was.files + 2);
	close(other);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	is = region_stat();
	assert_int_equal(is.maps, was.maps + 1);
	memset(&is, 0, sizeof(is));
	is.size = sizeof(is);
	assert_ret(0, ioctl(fd, IPCDEMO_IOC_REGION_STAT, &is));
	assert_int_equal(is.id, was.id);
	assert_int_equal(is.maps, was.maps + 1);
	assert_ret(0, munmap(map, PAGE));
	assert_int_equal(region_stat().maps, was.maps);
}

/* --- PEEK ------------------------------------------------------------------- */

static unsigned char peeked[1 << 17];

static long peek(int fd, __u64 skip, __u64 len, __u64 *bytes)
{
	struct ipcdemo_peek request = {
		.size = sizeof(request),
		.skip = skip,
		.buf = (uintptr_t)peeked,
		.len = len,
	};

	memset(peeked, 0xee, sizeof(peeked));
	if (ioctl(fd, IPCDEMO_IOC_PEEK, &request) < 0)
		return -1;
	if (bytes)
		*bytes = request.bytes;
	return request.len;
}

static void peek_does_not_consume(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct ipcdemo_pipe_stat was, is;
	__u64 bytes;
	__u32 sum;
	int i;

	(void)state;
	assert_ret(5000, put(e.w, 5000, 9));
	was = pipe_stat();
	for (i = 0; i < 3; i++) {
		assert_ret(5000, peek(e.r, 0, sizeof(peeked), &bytes));
		assert_int_equal(bytes, 5000);
		assert_int_equal(sum_of(peeked, 5000), sum_of_pattern(5000, 9));
		assert_int_equal(peeked[5000], 0xee);
	}
	is = pipe_stat();
	assert_memory_equal(&was, &is, sizeof(is));
	assert_ret(5000, get(e.r, 6000, &sum));
	assert_int_equal(sum, sum_of_pattern(5000, 9));
}

static void peek_skips_and_stops(void **state)
{
	static const struct {
		__u64 skip, len, get;
	} cases[] = {
		{0, 0, 0},	    {0, 1, 1},
		{0, 99, 99},	    {0, 100, 100},
		{99, 1, 1},	    {99, 2, 2},
		{100, 4096, 4096},  {4195, 10, 10},
		{4195, 1, 1},	    {50, 8000, 4196 - 50 + 300},
		{4495, 5, 1},	    {4496, 5, 0},
		{4497, 5, 0},	    {1ull << 40, 5, 0},
		{~0ull, 5, 0},	    {4000, 400, 400},
		{0, 1 << 17, 4496},
	};
	struct ends e = open_ends(O_NONBLOCK);
	unsigned char all[4496];
	__u64 bytes;
	size_t i;

	(void)state;
	/* Slots of 100 (the end of a page), 4096 and 300 bytes. */
	assert_ret(4096, put(e.w, 4096, 1));
	assert_ret(3996, get(e.r, 3996, NULL));
	assert_ret(4096, put(e.w, 4096, 2));
	assert_ret(300, put(e.w, 300, 3));
	assert_ret(sizeof(all), peek(e.r, 0, sizeof(all), NULL));
	memcpy(all, peeked, sizeof(all));
	for (i = 0; i < NR(cases); i++) {
		assert_ret(cases[i].get,
			   peek(e.r, cases[i].skip, cases[i].len, &bytes));
		assert_int_equal(bytes, 4496);
		if (cases[i].get)
			assert_memory_equal(peeked, all + cases[i].skip,
					    cases[i].get);
		assert_int_equal(peeked[cases[i].get], 0xee);
	}
	assert_ret(sizeof(all), read(e.r, peeked, sizeof(peeked)));
	assert_memory_equal(peeked, all, sizeof(all));
}

static void peek_of_an_empty_pipe_is_nothing(void **state)
{
	struct ends e = open_ends(0);
	__u64 bytes = 1;

	(void)state;
	/* It never waits for bytes, also not on a blocking end. */
	assert_ret(0, peek(e.r, 0, 10, &bytes));
	assert_int_equal(bytes, 0);
	close(e.w);
	assert_ret(0, peek(e.r, 0, 10, NULL));
}

static void peek_needs_the_right_to_read(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int ctl = control(), both = open_end(O_RDWR);

	(void)state;
	assert_ret(10, put(e.w, 10, 0));
	assert_errno(EBADF, peek(e.w, 0, 10, NULL));
	assert_ret(10, peek(e.r, 0, 10, NULL));
	assert_ret(10, peek(both, 0, 10, NULL));
	assert_ret(10, peek(ctl, 0, 10, NULL));
}

static void peek_fault_changes_nothing(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct ipcdemo_peek request = {
		.size = sizeof(request), .buf = 8, .len = 100};
	struct ipcdemo_peek before = request;

	(void)state;
	assert_ret(5000, put(e.w, 5000, 4));
	assert_errno(EFAULT, ioctl(e.r, IPCDEMO_IOC_PEEK, &request));
	assert_memory_equal(&request, &before, sizeof(before));
	request.buf = (uintptr_t)before_nothing(4500);
	request.len = 5000;
	assert_errno(EFAULT, ioctl(e.r, IPCDEMO_IOC_PEEK, &request));
	assert_int_equal(request.len, 5000);
	assert_ret(5000, bytes_in(e.r));
	/* Room for what there is, though not for what was asked. */
	request.buf = (uintptr_t)before_nothing(5000);
	request.len = 6000;
	assert_ret(0, ioctl(e.r, IPCDEMO_IOC_PEEK, &request));
	assert_int_equal(request.len, 5000);
}

static void peek_is_counted(void **state)
{
	__u64 was = counter("pipe", "peek.copy");
	struct ends e = open_ends(O_NONBLOCK);

	(void)state;
	assert_ret(1000, put(e.w, 1000, 0));
	assert_ret(900, peek(e.r, 100, 2000, NULL));
	assert_int_equal(counter("pipe", "peek.copy"), was + 900);
}

/* --- attributes --------------------------------------------------------------- */

static int attribute(int fd, unsigned long request, __u64 *value)
{
	struct ipcdemo_attr attr = {.size = sizeof(attr), .value = *value};
	int ret = ioctl(fd, request, &attr);

	*value = attr.value;
	return ret;
}

static void capacity_by_any_descriptor(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	int fds[] = {control(), e.r, e.w};
	size_t i;

	(void)state;
	for (i = 0; i < NR(fds); i++) {
		__u64 value = (3 << i) * PAGE, is = 1;

		assert_ret(0,
			   attribute(fds[i], IPCDEMO_IOC_SET_CAPACITY, &value));
		assert_int_equal(value, (4 << i) * PAGE);
		assert_ret(0, attribute(fds[i], IPCDEMO_IOC_GET_CAPACITY, &is));
		assert_int_equal(is, value);
	}
}

static void capacity_above_32_bits_is_einval(void **state)
{
	static const __u64 sizes[] = {(1ull << 31) + 1, 1ull << 32,
				      (1ull << 32) + PAGE, ~0ull};
	int ctl = control();
	size_t i;

	(void)state;
	for (i = 0; i < NR(sizes); i++) {
		__u64 value = sizes[i];

		assert_errno(EINVAL,
			     attribute(ctl, IPCDEMO_IOC_SET_CAPACITY, &value));
	}
	assert_int_equal(pipe_stat().capacity, DEFAULT_SIZE);
}

static void persistence_has_two_values(void **state)
{
	static const __u64 bad[] = {2, 3, 1ull << 32, (1ull << 32) + 1, ~0ull};
	struct ends e = open_ends(O_NONBLOCK);
	int fds[] = {control(), e.r, e.w};
	size_t i, j;

	(void)state;
	for (i = 0; i < NR(fds); i++) {
		__u64 value = IPCDEMO_PERSIST_KERNEL;

		assert_ret(0, attribute(fds[i], IPCDEMO_IOC_SET_PERSISTENCE,
					&value));
		for (j = 0; j < NR(bad); j++) {
			value = bad[j];
			assert_errno(EINVAL,
				     attribute(fds[i],
					       IPCDEMO_IOC_SET_PERSISTENCE,
					       &value));
		}
		value = 9;
		assert_ret(0, attribute(fds[i], IPCDEMO_IOC_GET_PERSISTENCE,
					&value));
		assert_int_equal(value, IPCDEMO_PERSIST_KERNEL);
		value = IPCDEMO_PERSIST_PROCESS;
		assert_ret(0, attribute(fds[i], IPCDEMO_IOC_SET_PERSISTENCE,
					&value));
	}
	assert_int_equal(pipe_stat().persistence, IPCDEMO_PERSIST_PROCESS);
}

/* --- the region's descriptor ---------------------------------------------------- */

static void cloexec_of_the_region_fd(void **state)
{
	struct ipcdemo_region_fd request = {.size = sizeof(request)};
	int ctl = control(), fd;

	(void)state;
	fd = ioctl(ctl, IPCDEMO_IOC_REGION_FD, &request);
	assert_int_not_equal(fd, -1);
	assert_ret(0, fcntl(fd, F_GETFD));
	assert_ret(O_RDWR, fcntl(fd, F_GETFL) & O_ACCMODE);
	request.flags = O_CLOEXEC;
	fd = ioctl(ctl, IPCDEMO_IOC_REGION_FD, &request);
	assert_ret(FD_CLOEXEC, fcntl(fd, F_GETFD));
}

static void no_descriptor_left_is_emfile(void **state)
{
	struct ipcdemo_region_fd request = {.size = sizeof(request)};
	__u32 files = region_stat().files;
	struct rlimit old, few;
	int ctl = control(), ret, err;

	(void)state;
	assert_ret(0, getrlimit(RLIMIT_NOFILE, &old));
	few = old;
	few.rlim_cur = ctl + 1;
	assert_ret(0, setrlimit(RLIMIT_NOFILE, &few));
	ret = ioctl(ctl, IPCDEMO_IOC_REGION_FD, &request);
	err = errno;
	assert_ret(0, setrlimit(RLIMIT_NOFILE, &old));
	assert_int_equal(ret, -1);
	assert_int_equal(err, EMFILE);
	assert_int_equal(region_stat().files, files);
}

/* --- moving bytes ----------------------------------------------------------- */

static long move_call(unsigned long request, int in, int out,
		      const struct ipcdemo_splice *more)
{
	/* With a member that this header does not know. */
	struct {
		struct ipcdemo_splice known;
		__u64 unknown;
	} call = {.known = *more};

	call.known.size = more->size ? more->size : sizeof(*more);
	call.known.in = in;
	call.known.out = out;
	call.unknown = call.known.size > sizeof(*more);
	return ioctl(out, request, &call);
}

static void moving_checks_its_request(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct ipcdemo_splice good = {.len = 3};
	char bytes[8] = "abcdef";
	struct iovec iov = {bytes, 6};
	struct ipcdemo_vmsplice vm = {
		.size = sizeof(vm),
		.iov = (uintptr_t)&iov,
		.count = 1,
	};
	struct ipcdemo_splice bad;
	struct ends other;

	(void)state;
	second = ANON;
	other = second_pipe();
	assert_ret(6, ioctl(e.w, IPCDEMO_IOC_VMSPLICE, &vm));
	assert_ret(3, move_call(IPCDEMO_IOC_TEE, e.r, other.w, &good));
	assert_ret(3, move_call(IPCDEMO_IOC_SPLICE, e.r, other.w, &good));
	assert_ret(3, bytes_in(e.r));
	assert_ret(6, bytes_in(other.r));

	bad = good;
	bad.flags = 0x10;
	assert_errno(EINVAL, move_call(IPCDEMO_IOC_TEE, e.r, other.w, &bad));
	assert_errno(EINVAL, move_call(IPCDEMO_IOC_SPLICE, e.r, other.w, &bad));
	bad = good;
	bad.size = sizeof(bad) - 1;
	assert_errno(EINVAL, move_call(IPCDEMO_IOC_TEE, e.r, other.w, &bad));
	bad.size = sizeof(bad) + 8;
	assert_errno(E2BIG, move_call(IPCDEMO_IOC_SPLICE, e.r, other.w, &bad));
	bad = good;
	bad.off_in = 1;
	assert_errno(EINVAL, move_call(IPCDEMO_IOC_TEE, e.r, other.w, &bad));
	bad = good;
	bad.len = 0;
	assert_ret(0, move_call(IPCDEMO_IOC_SPLICE, e.r, other.w, &bad));
	assert_errno(EFAULT, ioctl(e.r, IPCDEMO_IOC_SPLICE, nowhere()));
	vm.flags = 0x10;
	assert_errno(EINVAL, ioctl(e.w, IPCDEMO_IOC_VMSPLICE, &vm));
	vm.flags = 0;
	vm.count = (__u64)1 << 32 | 1;
	assert_errno(EINVAL, ioctl(e.w, IPCDEMO_IOC_VMSPLICE, &vm));
	vm.count = 1;
	assert_errno(ENOTTY, ioctl(control(), IPCDEMO_IOC_VMSPLICE, &vm));
	assert_ret(3, ioctl(e.r, IPCDEMO_IOC_VMSPLICE, &vm));
	assert_memory_equal(bytes, "defdef", 6);
}

static const struct claim claims[] = {
	{"moving checks its request", moving_checks_its_request, OURS},
	{"structs and numbers are the same in every program",
	 structs_are_the_same_everywhere, DEV},
	{"unknown requests are ENOTTY on every kind of descriptor",
	 unknown_requests_are_enotty, DEV},
	{"REGION_FD needs a control descriptor",
	 region_fd_needs_a_control_descriptor, DEV},
	{"a size below the first version of a struct is EINVAL",
	 small_sizes_are_einval, DEV},
	{"a larger struct is fine if its tail is zero, else E2BIG",
	 larger_sizes_are_fine_with_zeros, DEV},
	{"the request number of a larger struct is known",
	 the_number_of_a_larger_struct_is_known, DEV},
	{"STAT tells how much of the struct it knows", stat_tells_its_own_size,
	 DEV},
	{"unknown flags and padding are EINVAL", flags_and_padding_must_be_zero,
	 DEV},
	{"ids name objects of one kind", ids_name_objects, DEV},
	{"bad pointers are EFAULT and change nothing",
	 bad_pointers_change_nothing, DEV},
	{"elements of an array have the size that the caller says",
	 elements_have_the_size_of_the_caller, DEV},
	{"listed elements are filled up with zeros",
	 listed_elements_are_filled_up_with_zeros, DEV},
	{"bad element sizes are refused", bad_element_sizes_are_refused, DEV},
	{"STAT says what was done", stat_says_what_was_done, DEV},
	{"STAT counts who waits", stat_counts_who_waits, DEV},
	{"STAT works on every descriptor", stat_works_on_every_descriptor, DEV},
	{"REGION_STAT says what was done", region_stat_says_what_was_done, DEV},
	{"PEEK does not consume", peek_does_not_consume, DEV},
	{"PEEK skips, stops and crosses slots", peek_skips_and_stops, DEV},
	{"PEEK of an empty pipe is nothing, at once",
	 peek_of_an_empty_pipe_is_nothing, DEV},
	{"PEEK needs the right to read", peek_needs_the_right_to_read, DEV},
	{"PEEK to a bad address changes nothing", peek_fault_changes_nothing,
	 DEV},
	{"PEEK is counted", peek_is_counted, DEV},
	{"the capacity is the same by every descriptor",
	 capacity_by_any_descriptor, DEV},
	{"a capacity of more than 2^31 is EINVAL, not cut to 32 bits",
	 capacity_above_32_bits_is_einval, DEV},
	{"persistence has two values", persistence_has_two_values, DEV},
	{"REGION_FD knows O_CLOEXEC and is O_RDWR", cloexec_of_the_region_fd,
	 DEV},
	{"REGION_FD without a free descriptor is EMFILE and leaves no file",
	 no_descriptor_left_is_emfile, DEV},
};

int main(void)
{
	return run_claims(sizeof(long) == 4 ? "ioctl32" : "ioctl", claims,
			  NR(claims));
}

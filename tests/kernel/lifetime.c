// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and unloading: who keeps the module, what a load that fails leaves
 *
 * Each test finds the module loaded with its defaults and leaves it so.
 */
#include "harness.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>

static const char *module_path(void)
{
	static char path[256];
	struct utsname uts;

	uname(&uts);
	snprintf(path, sizeof(path), "build/kernel/%s/ipcdemo.ko", uts.release);
	return path;
}

static int load(const char *parameters)
{
	int fd = open(module_path(), O_RDONLY | O_CLOEXEC);
	int ret, err;

	if (fd < 0)
		fail_msg("%s: %s: run this from the top of the checkout",
			 module_path(), strerror(errno));
	ret = syscall(SYS_finit_module, fd, parameters, 0);
	err = errno;
	close(fd);
	errno = err;
	return ret;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "ipcdemo", O_NONBLOCK);
}

static bool is_loaded(void)
{
	return !access("/sys/module/ipcdemo", F_OK);
}

/* Whatever a test did: loaded, with the defaults. */
static void reload(void)
{
	if (is_loaded() && unload())
		print_error("# cannot unload: %s\n", strerror(errno));
	if (!is_loaded() && load(""))
		print_error("# cannot load: %s\n", strerror(errno));
}

/* Runs a command; its exit status. */
static int status_of(const char *command)
{
	int status = system(command);

	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Whether a line of the kernel's log has that text. */
static bool logged(const char *text)
{
	static char log[1 << 20];
	int len = klogctl(3 /* read all */, log, sizeof(log) - 1);

	assert_true(len >= 0);
	log[len] = '\0';
	return strstr(log, text);
}

static void nothing_is_left(void)
{
	char line[128];
	FILE *devices;

	assert_errno(ENOENT, access(DEVICE, F_OK));
	assert_errno(ENOENT, access("/proc/ipcdemo", F_OK));
	assert_errno(ENOENT, access("/sys/class/ipcdemo", F_OK));
	assert_errno(ENOENT, access("/sys/module/ipcdemo", F_OK));
	devices = fopen("/proc/devices", "re");
	assert_non_null(devices);
	while (fgets(line, sizeof(line), devices))
		if (strstr(line, "ipcdemo"))
			fail_msg("/proc/devices still has: %s", line);
	fclose(devices);
}

/* Both the system call and rmmod(8) refuse. */
static void is_held(void)
{
	assert_errno(EWOULDBLOCK, unload());
	assert_int_equal(status_of("rmmod ipcdemo 2>&1 | grep -q 'in use'"), 0);
	assert_true(is_loaded());
}

static void is_free(void)
{
	assert_ret(0, unload());
	nothing_is_left();
	assert_ret(0, load(""));
}

/* --- who keeps the module --------------------------------------------------------- */

static void an_idle_module_can_go(void **state)
{
	(void)state;
	is_free();
	assert_int_equal(status_of("rmmod ipcdemo"), 0);
	nothing_is_left();
	assert_ret(0, load(""));
}

static void each_open_descriptor_keeps_it(void **state)
{
	static const int flags[] = {O_RDWR, O_RDONLY | O_NONBLOCK,
				    IPCDEMO_O_CONTROL};
	size_t i;

	(void)state;
	for (i = 0; i < NR(flags); i++) {
		int fd = open_end(flags[i]);

		assert_int_not_equal(fd, -1);
		is_held();
		close(fd);
		is_free();
	}
}

static void a_write_end_keeps_it(void **state)
{
	struct ends e = open_ends(0);

	(void)state;
	close(e.r);
	is_held();
	close(e.w);
	is_free();
}

static void an_open_that_waits_keeps_it(void **state)
{
	struct actor *reader = new_actor();

	(void)state;
	begin(reader, do_open, O_RDONLY, 0, 0);
	sleeps_in(reader, SYS_openat);
	is_held();
	destroy(reader);
	is_free();
}

static void a_read_that_waits_keeps_it(void **state)
{
	int fd = open_end(O_RDWR);
	struct actor *reader = new_actor_with(fd);

	(void)state;
	close(fd);
	begin(reader, do_read, fd, 1, 0);
	sleeps_in(reader, SYS_read);
	is_held();
	destroy(reader);
	is_free();
}

static void a_mapping_keeps_it(void **state)
{
	int fd = open_end(O_RDWR);
	char *map =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	(void)state;
	assert_ptr_not_equal(map, MAP_FAILED);
	close(fd);
	is_held();
	map[0] = 1;
	assert_ret(0, munmap(map, PAGE));
	is_held();
	map[PAGE] = 1;
	assert_ret(0, munmap(map + PAGE, PAGE));
	is_free();
}

static void a_mapping_of_another_process_keeps_it(void **state)
{
	int fd = open_end(O_RDWR);
	char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	struct actor *heir;

	(void)state;
	assert_ptr_not_equal(map, MAP_FAILED);
	close(fd);
	heir = new_actor();
	assert_ret(0, munmap(map, PAGE));
	is_held();
	destroy(heir);
	is_free();
}

static void a_region_fd_keeps_it(void **state)
{
	struct ipcdemo_region_fd request = {.size = sizeof(request),
					    .flags = O_CLOEXEC};
	int ctl = control(), fd = ioctl(ctl, IPCDEMO_IOC_REGION_FD, &request);

	(void)state;
	assert_int_not_equal(fd, -1);
	close(ctl);
	is_held();
	assert_ret(1, pwrite(fd, "x", 1, 0));
	close(fd);
	is_free();
}

static void a_descriptor_in_flight_keeps_it(void **state)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} u = {};
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = u.buf,
			     .msg_controllen = sizeof(u.buf)};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int fd = open_end(O_RDWR), socks[2];

	(void)state;
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	assert_ret(0,
		   socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks));
	assert_ret(1, sendmsg(socks[0], &msg, 0));
	close(fd);
	is_held();
	close(socks[0]);
	close(socks[1]);
	is_free();
}

static void epoll_does_not_keep_it(void **state)
{
	struct epoll_event event = {.events = EPOLLIN};
	int ep = epoll_create1(EPOLL_CLOEXEC), fd = open_end(O_RDWR);

	(void)state;
	assert_ret(0, epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
	is_held();
	close(fd);
	is_free();
	assert_ret(0, epoll_wait(ep, &event, 1, 0));
}

/* The file of a view does not hold the module; it just says nothing more. */
static void an_open_view_does_not_keep_it(void **state)
{
	char path[64], text[8192];
	int one, all;

	(void)state;
	snprintf(path, sizeof(path), "/proc/ipcdemo/pipe/%u", pipe_stat().id);
	one = open(path, O_RDONLY | O_CLOEXEC);
	all = open("/proc/ipcdemo/pipes", O_RDONLY | O_CLOEXEC);
	assert_true(one >= 0 && all >= 0);
	assert_true(read(one, text, 100) == 100);
	assert_ret(0, unload());
	nothing_is_left();
	assert_ret(-1, read(one, text, sizeof(text)));
	assert_ret(-1, read(all, text, sizeof(text)));
	assert_ret(0, load(""));
	assert_ret(-1, read(one, text, sizeof(text)));
}

/* Who sleeps there in poll is sent away, who has it in an epoll set forgets. */
static void a_polled_view_does_not_keep_it(void **state)
{
	struct epoll_event event = {.events = EPOLLIN};
	int ep = epoll_create1(EPOLL_CLOEXEC), view;
	char path[64], text[8192];
	struct actor *actor;

	(void)state;
	snprintf(path, sizeof(path), "/proc/ipcdemo/pipe/%u", pipe_stat().id);
	view = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(view >= 0);
	assert_true(read(view, text, sizeof(text)) > 0);
	assert_ret(0, epoll_ctl(ep, EPOLL_CTL_ADD, view, &event));
	actor = new_actor_with(view);
	begin(actor, do_poll, view, POLLIN, -1);
	sleeps_in(actor, SYS_poll);
	assert_ret(0, unload());
	nothing_is_left();
	assert_ret(POLLIN, end(actor).ret);
	assert_ret(0, load(""));
	assert_ret(1, epoll_wait(ep, &event, 1, 0));
	destroy(actor);
	close(view);
	assert_ret(0, epoll_wait(ep, &event, 1, 0));
}

static void kept_bytes_and_pages_do_not_keep_it(void **state)
{
	int fd;

	(void)state;
	set_persistence(IPCDEMO_PERSIST_KERNEL);
	fd = open_end(O_WRONLY);
	assert_ret(5000, put(fd, 5000, 0));
	close(fd);
	is_free();
}

/* --- a second load ------------------------------------------------------------------ */

static void a_second_load_finds_a_clean_world(void **state)
{
	struct ipcdemo_pipe_stat stat;
	size_t size, i;
	char *map;
	int fd;

	(void)state;
	set_persistence(IPCDEMO_PERSIST_KERNEL);
	fd = open_end(O_RDWR);
	assert_ret(4 * PAGE, set_capacity(fd, 4 * PAGE));
	assert_ret(5000, put(fd, 5000, 0));
	size = region_stat().length;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	memset(map, 0xaa, size);
	assert_ret(0, munmap(map, size));
	close(fd);
	assert_int_equal(region_stat().pages, size / PAGE);

	assert_ret(0, unload());
	nothing_is_left();
	assert_ret(0, load(""));

	stat = pipe_stat();
	assert_int_equal(stat.bytes, 0);
	assert_int_equal(stat.used, 0);
	assert_int_equal(stat.capacity, DEFAULT_SIZE);
	assert_int_equal(stat.persistence, IPCDEMO_PERSIST_PROCESS);
	assert_int_equal(counter("pipe", "write.copy"), 0);
	assert_int_equal(counter("pipe", "page.alloc"), 0);
	assert_int_equal(counter("region", "map.new"), 0);
	assert_int_equal(region_stat().pages, 0);
	fd = open_end(O_RDWR);
	map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	for (i = 0; i < size; i++)
		if (map[i])
			fail_msg("byte %zu of the region is not zero", i);
	assert_ret(0, munmap(map, size));
}

static void loading_twice_is_eexist(void **state)
{
	char command[400];

	(void)state;
	assert_errno(EEXIST, load(""));
	snprintf(command, sizeof(command),
		 "insmod %s 2>&1 | grep -q 'File exists'", module_path());
	assert_int_equal(status_of(command), 0);
	assert_int_equal(pipe_stat().bytes, 0);
}

/* --- parameters --------------------------------------------------------------------- */

static void mode_is_that_of_the_node(void **state)
{
	struct actor *nobody = new_actor();
	struct stat st;

	(void)state;
	assert_ret(0, unload());
	assert_ret(0, load("mode=0600"));
	assert_ret(0, stat(DEVICE, &st));
	assert_int_equal(st.st_mode, S_IFCHR | 0600);
	assert_int_equal(pipe_stat().mode, 0600);
	assert_int_equal(region_stat().mode, 0600);
	assert_ret(0, does(nobody, do_uid, 65534, 0, 0).ret);
	assert_int_equal(does(nobody, do_open, O_RDWR, 0, 0).err, EACCES);
	assert_int_equal(does(nobody, do_open, IPCDEMO_O_CONTROL, 0, 0).err,
			 EACCES);
}

static void region_size_is_rounded_up(void **state)
{
	static const struct {
		const char *parameter;
		__u64 length;
	} sizes[] = {{"region_size=1", PAGE},
		     {"region_size=4096", PAGE},
		     {"region_size=5000", 2 * PAGE},
		     {"region_size=4294967296", 1ull << 32}};
	size_t i;

	(void)state;
	for (i = 0; i < NR(sizes); i++) {
		assert_ret(0, unload());
		assert_ret(0, load(sizes[i].parameter));
		assert_int_equal(region_stat().length, sizes[i].length);
		assert_int_equal(region_stat().pages, 0);
	}
}

/* A region far larger than memory; only what is touched costs something. */
static void a_huge_region_is_made_as_touched(void **state)
{
	size_t size = 1ull << 32;
	char *map;
	int fd;

	(void)state;
	assert_ret(0, unload());
	assert_ret(0, load("region_size=4294967296"));
	fd = open_end(O_RDWR);
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	map[0] = 1;
	map[size - 1] = 2;
	assert_int_equal(region_stat().pages, 2);
	assert_ret(0, munmap(map, size));
	close(fd);
	fd = open_end(O_RDWR);
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	assert_int_equal(map[0], 1);
	assert_int_equal(map[size - 1], 2);
	assert_ret(0, munmap(map, size));
}

static void bad_parameters_are_refused_with_a_sentence(void **state)
{
	static const struct {
		const char *parameter, *sentence;
	} bad[] = {{"mode=01777", "mode=01777: "},
		   {"region_size=0", "region_size=0: "},
		   {"region_size=4294967297", "region_size=4294967297: "},
		   {"region_size=18446744073709551615",
		    "region_size=18446744073709551615: "}};
	size_t i;

	(void)state;
	assert_ret(0, unload());
	for (i = 0; i < NR(bad); i++) {
		assert_errno(EINVAL, load(bad[i].parameter));
		nothing_is_left();
		if (!logged(bad[i].sentence))
			fail_msg("the log does not explain %s",
				 bad[i].parameter);
	}
	assert_errno(EINVAL, load("mode=rw"));
	assert_errno(ERANGE, load("region_size=99999999999999999999"));
	nothing_is_left();
}

/* --- loads that fail ------------------------------------------------------------------ */

static void each_failing_step_unwinds(void **state)
{
	char parameter[32];
	int step, err;

	(void)state;
	assert_ret(0, unload());
	for (step = 1; step < 100; step++) {
		snprintf(parameter, sizeof(parameter), "fail_load=%d", step);
		if (!load(parameter))
			break;
		err = errno;
		if (err != ENOMEM)
			fail_msg("%s: %s and not ENOMEM", parameter,
				 strerror(err));
		nothing_is_left();
		/* What was unwound badly would be in the way of the next. */
		assert_ret(0, load(""));
		assert_int_equal(pipe_stat().bytes, 0);
		assert_ret(0, unload());
	}
	print_message("# %d steps can fail\n", step - 1);
	assert_true(step - 1 >= 12);
	assert_true(step < 100);
}

static const struct claim claims[] = {
	{"an idle module can go", an_idle_module_can_go, DEV},
	{"each open descriptor keeps the module", each_open_descriptor_keeps_it,
	 DEV},
	{"a write end alone keeps the module", a_write_end_keeps_it, DEV},
	{"an open that waits keeps the module", an_open_that_waits_keeps_it,
	 DEV},
	{"a read that waits keeps the module", a_read_that_waits_keeps_it, DEV},
	{"a mapping keeps the module until its last part is gone",
	 a_mapping_keeps_it, DEV},
	{"a mapping of another process keeps the module",
	 a_mapping_of_another_process_keeps_it, DEV},
	{"a region's descriptor keeps the module", a_region_fd_keeps_it, DEV},
	{"a descriptor in flight keeps the module",
	 a_descriptor_in_flight_keeps_it, DEV},
	{"an epoll set does not keep the module", epoll_does_not_keep_it, DEV},
	{"an open file of /proc does not keep the module",
	 an_open_view_does_not_keep_it, DEV},
	{"who polls a file of /proc does not keep the module",
	 a_polled_view_does_not_keep_it, DEV},
	{"kernel-persistent bytes do not keep the module",
	 kept_bytes_and_pages_do_not_keep_it, DEV},
	{"a second load finds a clean world", a_second_load_finds_a_clean_world,
	 DEV},
	{"loading twice is EEXIST and harmless", loading_twice_is_eexist, DEV},
	{"mode is that of the node", mode_is_that_of_the_node, DEV},
	{"region_size is rounded up to pages", region_size_is_rounded_up, DEV},
	{"a region larger than memory is made as it is touched",
	 a_huge_region_is_made_as_touched, DEV},
	{"bad parameters are refused with a sentence in the log",
	 bad_parameters_are_refused_with_a_sentence, DEV},
	{"each step of loading that fails unwinds fully",
	 each_failing_step_unwinds, DEV},
};

int main(void)
{
	after_each = reload;
	return run_claims("lifetime", claims, NR(claims));
}

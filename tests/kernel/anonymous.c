// SPDX-License-Identifier: GPL-2.0
/*
 * Pipes that come and go: making them, their limits, who may reach them by
 * number, and what views see of them
 */
#include "harness.h"

#include <dirent.h>
#include <sys/inotify.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

/* What pipe2(2) or our ioctl gives; -1 and errno. */
static int make(int *fds, unsigned int flags, __u64 capacity)
{
	struct ipcdemo_pipe_make request = {
		.size = sizeof(request),
		.flags = flags,
		.fds = (uintptr_t)fds,
		.capacity = capacity,
	};
	int ctl, ret, err;

	if (target->bit == PIPE)
		return syscall(SYS_pipe2, fds, flags);
	ctl = control();
	ret = ioctl(ctl, IPCDEMO_IOC_PIPE, &request);
	err = errno;
	close(ctl);
	errno = err;
	return ret;
}

/* Lines of a table, without its header. */
static unsigned int pipes_shown(void)
{
	FILE *table = fopen("/proc/ipcdemo/pipes", "re");
	unsigned int lines = 0;
	char line[8192];

	assert_non_null(table);
	while (fgets(line, sizeof(line), table))
		lines++;
	fclose(table);
	return lines - 1;
}

/* Entries of /proc/ipcdemo/pipe. */
static unsigned int files_shown(void)
{
	DIR *dir = opendir("/proc/ipcdemo/pipe");
	struct dirent *entry;
	unsigned int n = 0;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static __u32 id_of(int fd)
{
	struct ipcdemo_pipe_stat stat = {.size = sizeof(stat)};

	assert_ret(0, ioctl(fd, IPCDEMO_IOC_PIPE_STAT, &stat));
	return stat.id;
}

/* --- making --- */

static void flags_are_those_of_pipe2(void **state)
{
	static const unsigned int flags[] = {
		0,
		O_CLOEXEC,
		O_NONBLOCK,
		O_DIRECT,
		O_CLOEXEC | O_NONBLOCK | O_DIRECT,
	};
	size_t i;
	int fds[2];

	(void)state;
	for (i = 0; i < NR(flags); i++) {
		bool cloexec = flags[i] & O_CLOEXEC;
		int nonblock = flags[i] & O_NONBLOCK;
		int direct = flags[i] & O_DIRECT;

		assert_ret(0, make(fds, flags[i], 0));
		/* The read end never carries O_DIRECT; no O_LARGEFILE. */
		assert_ret(O_RDONLY | nonblock, fcntl(fds[0], F_GETFL));
		assert_ret(O_WRONLY | nonblock | direct,
			   fcntl(fds[1], F_GETFL));
		assert_ret(cloexec, fcntl(fds[0], F_GETFD));
		assert_ret(cloexec, fcntl(fds[1], F_GETFD));
		close(fds[0]);
		close(fds[1]);
	}
}

static void ends_are_the_lowest_free_descriptors(void **state)
{
	int low = dup(0), fds[2];

	(void)state;
	close(low);
	/* The control descriptor that makes it stands in the way of ours. */
	if (target->bit == ANON)
		low++;
	assert_ret(0, make(fds, O_CLOEXEC, 0));
	assert_int_equal(fds[0], low);
	assert_int_equal(fds[1], low + 1);
}

static void unknown_flags_are_einval(void **state)
{
	int fds[2] = {-7, -7};

	(void)state;
	assert_errno(EINVAL, make(fds, O_APPEND, 0));
	assert_errno(EINVAL, make(fds, O_CLOEXEC | O_WRONLY, 0));
	/* It comes before the look at the pointer. */
	assert_errno(EINVAL, make(nowhere(), O_APPEND, 0));
	assert_int_equal(fds[0], -7);
}

static void a_bad_pointer_leaves_nothing(void **state)
{
	unsigned int before = target->bit == ANON ? pipes_shown() : 0;
	int low = dup(0);

	(void)state;
	assert_errno(EFAULT, make(nowhere(), 0, 0));
	assert_errno(EFAULT, make(NULL, 0, 0));
	close(low);
	assert_ret(low, dup(0));
	if (target->bit == ANON)
		assert_int_equal(pipes_shown(), before);
}

static void no_descriptor_is_emfile(void **state)
{
	unsigned int before = target->bit == ANON ? pipes_shown() : 0;
	struct rlimit old, limit;
	int fds[2], low;

	(void)state;
	assert_ret(0, getrlimit(RLIMIT_NOFILE, &old));
	low = dup(0);
	close(low);
	limit = old;
	/* Room for one end, and for the control descriptor. */
	limit.rlim_cur = low + 1 + (target->bit == ANON);
	assert_ret(0, setrlimit(RLIMIT_NOFILE, &limit));
	assert_errno(EMFILE, make(fds, 0, 0));
	assert_errno(EMFILE, make(nowhere(), 0, 0));
	assert_ret(0, setrlimit(RLIMIT_NOFILE, &old));
	assert_ret(low, dup(0));
	if (target->bit == ANON)
		assert_int_equal(pipes_shown(), before);
}

static void a_capacity_can_be_asked_for(void **state)
{
	unsigned int before = pipes_shown();
	int fds[2];

	(void)state;
	assert_ret(0, make(fds, O_CLOEXEC, 3 * PAGE));
	assert_ret(4 * PAGE, get_capacity(fds[0]));
	close(fds[0]);
	close(fds[1]);
	assert_errno(EINVAL, make(fds, 0, (1ull << 31) + 1));
	assert_int_equal(pipes_shown(), before);
}

static void it_is_a_pipe_to_stat(void **state)
{
	struct stat r, w;
	struct statfs fs;
	int fds[2];

	(void)state;
	assert_ret(0, make(fds, O_CLOEXEC, 0));
	assert_ret(0, fstat(fds[0], &r));
	assert_ret(0, fstat(fds[1], &w));
	assert_int_equal(r.st_mode, S_IFIFO | 0600);
	assert_int_equal(r.st_ino, w.st_ino);
	assert_int_equal(r.st_dev, w.st_dev);
	assert_int_equal(r.st_nlink, 1);
	assert_int_equal(r.st_size, 0);
	assert_int_equal(r.st_blocks, 0);
	assert_int_equal(r.st_blksize, PAGE);
	assert_int_equal(r.st_uid, geteuid());
	assert_int_equal(r.st_gid, getegid());
	assert_ret(0, fstatfs(fds[0], &fs));
	assert_int_equal(fs.f_type, 0x50495045);
	assert_ret(0, fchmod(fds[1], 0640));
	assert_ret(0, fchown(fds[1], 12, 34));
	assert_ret(0, fstat(fds[0], &r));
	assert_int_equal(r.st_mode, S_IFIFO | 0640);
	assert_int_equal(r.st_uid, 12);
	assert_int_equal(r.st_gid, 34);
}

static void the_link_has_the_form_of_a_pipe(void **state)
{
	char path[40], link[64] = "", want[64];
	struct stat st;
	int fds[2], i;

	(void)state;
	assert_ret(0, make(fds, O_CLOEXEC, 0));
	for (i = 0; i < 2; i++) {
		assert_ret(0, fstat(fds[i], &st));
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[i]);
		snprintf(want, sizeof(want), "%s:[%lu]",
			 target->bit == PIPE ? "pipe" : "ipcdemo",
			 (unsigned long)st.st_ino);
		assert_ret(strlen(want), readlink(path, link, sizeof(link)));
		assert_memory_equal(link, want, strlen(want));
	}
}

/* --- packets --- */

static void packets_stay_apart(void **state)
{
	int fds[2];

	(void)state;
	assert_ret(0, make(fds, O_CLOEXEC | O_NONBLOCK | O_DIRECT, 0));
	assert_ret(10, put(fds[1], 10, 1));
	assert_ret(20, put(fds[1], 20, 2));
	assert_ret(5000, put(fds[1], 5000, 3));
	assert_ret(5030, bytes_in(fds[0]));
	assert_ret(10, get(fds[0], 100, NULL));
	/* What does not fit is dropped. */
	assert_ret(7, get(fds[0], 7, NULL));
	/* A write is cut at page size. */
	assert_ret(PAGE, get(fds[0], 10000, NULL));
	assert_ret(5000 - PAGE, get(fds[0], 10000, NULL));
	assert_errno(EAGAIN, get(fds[0], 1, NULL));
}

static void packet_mode_can_be_switched(void **state)
{
	int fds[2], flags;

	(void)state;
	assert_ret(0, make(fds, O_CLOEXEC | O_NONBLOCK, 0));
	flags = fcntl(fds[1], F_GETFL);
	assert_ret(100, put(fds[1], 100, 1));
	assert_ret(0, fcntl(fds[1], F_SETFL, flags | O_DIRECT));
	/* The first still goes behind bytes that are no packet. */
	assert_ret(50, put(fds[1], 50, 2));
	assert_ret(150, get(fds[0], 1000, NULL));
	assert_ret(30, put(fds[1], 30, 3));
	assert_ret(0, fcntl(fds[1], F_SETFL, flags));
	assert_ret(20, put(fds[1], 20, 4));
	/* And a packet ends the read that it is in. */
	assert_ret(30, get(fds[0], 1000, NULL));
	assert_ret(20, get(fds[0], 1000, NULL));
}

static void a_read_goes_on_into_one_packet(void **state)
{
	int fds[2], flags;

	(void)state;
	assert_ret(0, make(fds, O_CLOEXEC | O_NONBLOCK, 0));
	flags = fcntl(fds[1], F_GETFL);
	assert_ret(PAGE, put(fds[1], PAGE, 1));
	assert_ret(0, fcntl(fds[1], F_SETFL, flags | O_DIRECT));
	assert_ret(30, put(fds[1], 30, 2));
	assert_ret(40, put(fds[1], 40, 3));
	assert_ret(PAGE + 30, get(fds[0], 3 * PAGE, NULL));
	assert_ret(40, get(fds[0], 3 * PAGE, NULL));
}

/* --- limits --- */

static void set_parameter(const char *name, const char *value, char *old,
			  size_t size)
{
	char path[96];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/sys/module/ipcdemo/parameters/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	if (old) {
		len = read(fd, old, size - 1);
		assert_true(len > 0);
		old[len] = '\0';
		assert_ret(0, lseek(fd, 0, SEEK_SET));
	}
	assert_ret(strlen(value), write(fd, value, strlen(value)));
	close(fd);
}

/* Makes @n pipes that stay; the capacity of the last, -1 and errno. */
static long do_make(long n, long b, long c)
{
	int fds[2];

	(void)b;
	(void)c;
	while (n--)
		if (make(fds, O_CLOEXEC, 0) < 0)
			return -1;
	return get_capacity(fds[0]);
}

/* What a user without privileges gets for @n pipes while the limit is that. */
static struct reply with_limit(const char *name, const char *value, long n)
{
	struct actor *user = new_actor();
	struct reply reply;
	char old[32];

	assert_ret(0, does(user, do_uid, 65534, 0, 0).ret);
	set_parameter(name, value, old, sizeof(old));
	reply = does(user, do_make, n, 0, 0);
	set_parameter(name, old, NULL, 0);
	destroy(user);
	return reply;
}

static void a_user_has_so_many_pipes(void **state)
{
	struct reply reply;

	(void)state;
	assert_int_equal(with_limit("user_objects", "3", 3).ret, DEFAULT_SIZE);
	reply = with_limit("user_objects", "3", 4);
	assert_int_equal(reply.ret, -1);
	assert_int_equal(reply.err, ENFILE);
	/* Those of the user who is gone do not count. */
	assert_int_equal(with_limit("user_objects", "3", 3).ret, DEFAULT_SIZE);
	assert_int_equal(with_limit("user_objects", "0", 9).ret, DEFAULT_SIZE);
}

static void above_the_soft_limit_it_has_two_slots(void **state)
{
	(void)state;
	assert_int_equal(with_limit("pipe_user_pages_soft", "20", 1).ret,
			 DEFAULT_SIZE);
	assert_int_equal(with_limit("pipe_user_pages_soft", "20", 2).ret,
			 2 * PAGE);
	assert_int_equal(with_limit("pipe_user_pages_soft", "20", 9).ret,
			 2 * PAGE);
}

static void above_the_hard_limit_there_is_none(void **state)
{
	struct reply reply;

	(void)state;
	reply = with_limit("pipe_user_pages_hard", "20", 2);
	assert_int_equal(reply.ret, -1);
	assert_int_equal(reply.err, ENFILE);
	/* All was given back, or this would fail the second time. */
	assert_int_equal(with_limit("pipe_user_pages_hard", "20", 1).ret,
			 DEFAULT_SIZE);
	assert_int_equal(with_limit("pipe_user_pages_hard", "20", 1).ret,
			 DEFAULT_SIZE);
}

static void the_largest_size_bounds_a_new_pipe(void **state)
{
	(void)state;
	assert_int_equal(with_limit("pipe_max_size", "8192", 1).ret, 2 * PAGE);
	assert_int_equal(with_limit("pipe_max_size", "4096", 1).ret, PAGE);
}

/* --- by number --- */

static long do_peek(long id, long b, long c)
{
	char byte;
	struct ipcdemo_peek peek = {.size = sizeof(peek),
				    .id = id,
				    .buf = (uintptr_t)&byte,
				    .len = 1};
	int ctl = open(DEVICE, IPCDEMO_O_CONTROL | O_CLOEXEC);
	long ret = ioctl(ctl, IPCDEMO_IOC_PEEK, &peek);
	int err = errno;

	(void)b;
	(void)c;
	close(ctl);
	errno = err;
	return ret < 0 ? -1 : (long)peek.len;
}

static long do_change(long id, long b, long c)
{
	struct ipcdemo_attr attr = {.size = sizeof(attr), .id = id};
	int ctl = open(DEVICE, IPCDEMO_O_CONTROL | O_CLOEXEC);
	long ret;
	int err;

	(void)b;
	(void)c;
	attr.value = IPCDEMO_PERSIST_PROCESS;
	ret = ioctl(ctl, IPCDEMO_IOC_SET_PERSISTENCE, &attr);
	attr.value = DEFAULT_SIZE;
	if (!ret)
		ret = ioctl(ctl, IPCDEMO_IOC_SET_CAPACITY, &attr);
	err = errno;
	close(ctl);
	errno = err;
	return ret;
}

static long do_stat(long id, long b, long c)
{
	struct ipcdemo_pipe_stat stat = {.size = sizeof(stat), .id = id};
	int ctl = open(DEVICE, IPCDEMO_O_CONTROL | O_CLOEXEC);
	long ret = ioctl(ctl, IPCDEMO_IOC_PIPE_STAT, &stat);

	(void)b;
	(void)c;
	close(ctl);
	return ret < 0 ? -1 : (long)stat.bytes;
}

static void another_user_sees_no_bytes(void **state)
{
	struct actor *user = new_actor();
	int fds[2];
	__u32 id;

	(void)state;
	assert_ret(0, make(fds, O_CLOEXEC, 0));
	assert_ret(3, put(fds[1], 3, 1));
	id = id_of(fds[0]);
	assert_ret(1, do_peek(id, 0, 0));
	assert_ret(0, do_change(id, 0, 0));
	assert_ret(0, does(user, do_uid, 65534, 0, 0).ret);
	/* How many there are is no secret. */
	assert_int_equal(does(user, do_stat, id, 0, 0).ret, 3);
	assert_int_equal(does(user, do_peek, id, 0, 0).err, EACCES);
	assert_int_equal(does(user, do_change, id, 0, 0).err, EACCES);
	/* Nor if the mode lets him: a number goes round directories. */
	assert_ret(0, fchmod(fds[0], 0666));
	assert_int_equal(does(user, do_peek, id, 0, 0).err, EACCES);
	assert_int_equal(does(user, do_change, id, 0, 0).err, EACCES);
	assert_ret(0, fchmod(fds[0], 0400));
	assert_ret(0, fchown(fds[0], 65534, -1));
	assert_int_equal(does(user, do_peek, id, 0, 0).ret, 1);
	assert_int_equal(does(user, do_change, id, 0, 0).err, EACCES);
	assert_ret(0, fchmod(fds[0], 0600));
	assert_int_equal(does(user, do_change, id, 0, 0).ret, 0);
	/* The default pipe is for whoever could open the device. */
	assert_int_equal(does(user, do_peek, 0, 0, 0).ret, 0);
}

static void an_end_does_not_make_pipes(void **state)
{
	struct ipcdemo_pipe_make request = {.size = sizeof(request)};
	int fds[2];

	(void)state;
	assert_ret(0, make(fds, O_CLOEXEC, 0));
	request.fds = (uintptr_t)fds;
	assert_errno(EBADF, ioctl(fds[0], IPCDEMO_IOC_PIPE, &request));
	assert_errno(EBADF, ioctl(fds[1], IPCDEMO_IOC_PIPE, &request));
}

/* --- coming and going --- */

static void it_goes_with_its_last_descriptor(void **state)
{
	unsigned int before = pipes_shown();
	int fds[2], sock[2], again, sent = -1;
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte = 'x';
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *cmsg;

	(void)state;
	/* A file goes a little later than its pipe. */
	eventually(files_shown() == before);
	assert_ret(0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock));
	assert_ret(0, make(fds, O_CLOEXEC, 0));
	assert_int_equal(pipes_shown(), before + 1);
	assert_int_equal(files_shown(), before + 1);
	reopen_by(fds[0]);
	again = open_end(O_RDONLY);
	assert_int_not_equal(again, -1);
	close(fds[0]);
	assert_ret(5, put(fds[1], 5, 1));
	close(fds[1]);
	assert_int_equal(pipes_shown(), before + 1);
	/* In a message on its way is open, too. */
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &again, sizeof(int));
	assert_ret(1, sendmsg(sock[0], &msg, 0));
	close(again);
	assert_int_equal(pipes_shown(), before + 1);
	assert_ret(1, recvmsg(sock[1], &msg, MSG_CMSG_CLOEXEC));
	cmsg = CMSG_FIRSTHDR(&msg);
	assert_non_null(cmsg);
	memcpy(&sent, CMSG_DATA(cmsg), sizeof(int));
	assert_ret(5, get(sent, 100, NULL));
	assert_ret(0, get(sent, 100, NULL));
	close(sent);
	assert_int_equal(pipes_shown(), before);
	eventually(files_shown() == before);
}

/* A watch holds the inode longer than any file, and not the mount. */
static void a_watch_may_be_the_last(void **state)
{
	unsigned int before = target->bit == ANON ? pipes_shown() : 0;
	int fds[2], watch, mark;

	(void)state;
	assert_ret(0, make(fds, O_CLOEXEC, 0));
	reopen_by(fds[0]);
	watch = inotify_init1(IN_CLOEXEC);
	assert_int_not_equal(watch, -1);
	mark = inotify_add_watch(watch, target->path, IN_ALL_EVENTS);
	assert_int_not_equal(mark, -1);
	close(fds[0]);
	close(fds[1]);
	close(watch);
	if (target->bit == ANON)
		assert_int_equal(pipes_shown(), before);
}

/* Who guesses the number of a pipe that is being made takes nothing from it. */
static long do_meddle(long rounds, long b, long c)
{
	struct ipcdemo_attr attr = {.size = sizeof(attr)};
	int ctl = control();
	__u32 id;

	(void)b;
	(void)c;
	attr.value = IPCDEMO_PERSIST_PROCESS;
	while (rounds--) {
		for (id = 1; id < 12; id++) {
			attr.id = id;
			ioctl(ctl, IPCDEMO_IOC_SET_PERSISTENCE, &attr);
		}
	}
	return 0;
}

static void a_new_pipe_keeps_its_capacity(void **state)
{
	struct actor *meddler = new_actor();
	int fds[2], made = 0;

	(void)state;
	begin(meddler, do_meddle, 3000, 0, 0);
	while (!is_done(meddler)) {
		assert_ret(0, make(fds, O_CLOEXEC, 64 * PAGE));
		assert_ret(64 * PAGE, get_capacity(fds[0]));
		close(fds[0]);
		close(fds[1]);
		made++;
	}
	assert_ret(0, end(meddler).ret);
	assert_true(made > 0);
}

/* A gate keeps a reference, not the pipe's place in the views. */
static void a_gate_outlives_its_pipe(void **state)
{
	struct ipcdemo_gate gate = {.size = sizeof(gate),
				    .point = "read.enter"};
	unsigned int before = pipes_shown();
	int ctl = control(), fds[2];

	(void)state;
	assert_ret(0, make(fds, O_CLOEXEC, 0));
	gate.id = id_of(fds[0]);
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &gate));
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(pipes_shown(), before);
	assert_errno(ENOENT, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &gate));
	close(ctl);
}

static long do_storm(long rounds, long b, long c)
{
	char byte;
	int fds[2];

	(void)b;
	(void)c;
	while (rounds--) {
		if (make(fds, O_CLOEXEC | O_NONBLOCK, 0) < 0 ||
		    write(fds[1], "x", 1) != 1 || read(fds[0], &byte, 1) != 1 ||
		    close(fds[rounds & 1]) < 0 || close(fds[!(rounds & 1)]) < 0)
			return -1;
	}
	return 0;
}

static void read_whole(const char *path)
{
	char buf[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
}

/* Reads every view there is, again and again, until its parent is dead. */
static void look_for_ever(void)
{
	struct dirent *entry;
	char path[300];
	DIR *dir;

	for (;;) {
		read_whole("/proc/ipcdemo/pipes");
		dir = opendir("/proc/ipcdemo/pipe");
		while (dir && (entry = readdir(dir))) {
			snprintf(path, sizeof(path), "/proc/ipcdemo/pipe/%s",
				 entry->d_name);
			read_whole(path);
		}
		if (dir)
			closedir(dir);
	}
}

/* Enough that somebody looks at each moment. */
#define LOOKERS 20

static void views_bear_pipes_that_come_and_go(void **state)
{
	unsigned int before = pipes_shown();
	struct actor *makers[3];
	pid_t looker;
	size_t i;

	(void)state;
	for (i = 0; i < LOOKERS; i++) {
		looker = fork();
		assert_int_not_equal(looker, -1);
		if (!looker)
			look_for_ever();
		reap_later(looker);
	}
	for (i = 0; i < NR(makers); i++)
		makers[i] = new_actor();
	for (i = 0; i < NR(makers); i++)
		begin(makers[i], do_storm, 100, 0, 0);
	for (i = 0; i < NR(makers); i++)
		assert_ret(0, end(makers[i]).ret);
	assert_int_equal(pipes_shown(), before);
	eventually(files_shown() == before);
}

#define BOTH (PIPE | ANON)

static const struct claim claims[] = {
	{"flags are those of pipe2", flags_are_those_of_pipe2, BOTH},
	{"the ends are the lowest free descriptors",
	 ends_are_the_lowest_free_descriptors, BOTH},
	{"unknown flags are EINVAL", unknown_flags_are_einval, BOTH},
	{"a bad pointer is EFAULT and leaves nothing",
	 a_bad_pointer_leaves_nothing, BOTH},
	{"no descriptor left is EMFILE and leaves nothing",
	 no_descriptor_is_emfile, BOTH},
	{"a capacity can be asked for", a_capacity_can_be_asked_for, ANON},
	{"stat says that it is a pipe", it_is_a_pipe_to_stat, BOTH},
	{"its link in /proc has the form of a pipe's",
	 the_link_has_the_form_of_a_pipe, BOTH},
	{"packets stay apart", packets_stay_apart, BOTH},
	{"packet mode can be switched at run time", packet_mode_can_be_switched,
	 BOTH},
	{"a read goes on into one packet", a_read_goes_on_into_one_packet,
	 BOTH},
	{"a user has so many pipes and no more", a_user_has_so_many_pipes,
	 ANON},
	{"above the soft limit a pipe has two slots",
	 above_the_soft_limit_it_has_two_slots, ANON},
	{"above the hard limit there is no pipe",
	 above_the_hard_limit_there_is_none, ANON},
	{"pipe_max_size bounds a new pipe", the_largest_size_bounds_a_new_pipe,
	 ANON},
	{"another user does not reach a pipe by number",
	 another_user_sees_no_bytes, ANON},
	{"an end does not make pipes", an_end_does_not_make_pipes, ANON},
	{"a pipe goes with its last descriptor",
	 it_goes_with_its_last_descriptor, ANON},
	{"a watch may be the last that holds it", a_watch_may_be_the_last,
	 BOTH},
	{"a new pipe keeps its capacity whoever meddles",
	 a_new_pipe_keeps_its_capacity, ANON},
	{"a gate outlives its pipe", a_gate_outlives_its_pipe, ANON},
	{"views bear pipes that come and go", views_bear_pipes_that_come_and_go,
	 ANON},
};

int main(void)
{
	return run_claims("anonymous", claims, NR(claims));
}

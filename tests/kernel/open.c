// SPDX-License-Identifier: GPL-2.0
/* open(2) and close(2) of a pipe with a name: who waits for whom. */
#include "harness.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* An end that is opened after the other side exists does not wait. */
static int must_open(int flags)
{
	int fd = open_end(flags);

	assert_int_not_equal(fd, -1);
	return fd;
}

static void rdonly_waits_for_a_writer(void **state)
{
	struct actor *reader = new_actor(), *writer = new_actor();
	struct reply r, w;

	(void)state;
	begin(reader, do_open, O_RDONLY, 0, 0);
	sleeps_in(reader, SYS_openat);
	w = does(writer, do_open, O_WRONLY, 0, 0);
	assert_true(w.ret >= 0);
	r = end(reader);
	assert_true(r.ret >= 0);
	assert_ret(100, does(writer, do_write, w.ret, 100, 1).ret);
	r = does(reader, do_read, r.ret, 200, 0);
	assert_int_equal(r.ret, 100);
	assert_int_equal(r.sum, sum_of_pattern(100, 1));
}

static void wronly_waits_for_a_reader(void **state)
{
	struct actor *reader = new_actor(), *writer = new_actor();

	(void)state;
	begin(writer, do_open, O_WRONLY, 0, 0);
	sleeps_in(writer, SYS_openat);
	assert_true(does(reader, do_open, O_RDONLY, 0, 0).ret >= 0);
	assert_true(end(writer).ret >= 0);
}

static void rdwr_releases_waiting_opens(void **state)
{
	struct actor *reader = new_actor(), *writer = new_actor();
	int fd;

	(void)state;
	begin(reader, do_open, O_RDONLY, 0, 0);
	sleeps_in(reader, SYS_openat);
	fd = must_open(O_RDWR);
	assert_true(end(reader).ret >= 0);
	close(fd);
	destroy(reader);

	begin(writer, do_open, O_WRONLY, 0, 0);
	sleeps_in(writer, SYS_openat);
	must_open(O_RDWR);
	assert_true(end(writer).ret >= 0);
}

/* The wait counts opens, so a partner need not be there any more. */
static void quick_writer_releases_reader(void **state)
{
	struct actor *reader = new_actor();
	struct reply r;
	int fd;

	(void)state;
	begin(reader, do_open, O_RDONLY, 0, 0);
	sleeps_in(reader, SYS_openat);
	fd = must_open(O_WRONLY | O_NONBLOCK);
	close(fd);
	r = end(reader);
	assert_true(r.ret >= 0);
	assert_ret(0, does(reader, do_read, r.ret, 10, 0).ret);
}

static void quick_reader_releases_writer(void **state)
{
	struct actor *writer = new_actor();
	struct reply w;
	int fd;

	(void)state;
	begin(writer, do_open, O_WRONLY, 0, 0);
	sleeps_in(writer, SYS_openat);
	fd = must_open(O_RDONLY | O_NONBLOCK);
	close(fd);
	w = end(writer);
	assert_true(w.ret >= 0);
	w = does(writer, do_write, w.ret, 10, 0);
	assert_int_equal(w.ret, -1);
	assert_int_equal(w.err, EPIPE);
}

static void one_writer_releases_all_readers(void **state)
{
	struct actor *readers[4], *writer = new_actor();
	size_t i;

	(void)state;
	for (i = 0; i < NR(readers); i++) {
		readers[i] = new_actor();
		begin(readers[i], do_open, O_RDONLY, 0, 0);
		sleeps_in(readers[i], SYS_openat);
	}
	assert_true(does(writer, do_open, O_WRONLY, 0, 0).ret >= 0);
	for (i = 0; i < NR(readers); i++)
		assert_true(end(readers[i]).ret >= 0);
}

static void one_reader_releases_all_writers(void **state)
{
	struct actor *writers[4], *reader = new_actor();
	size_t i;

	(void)state;
	for (i = 0; i < NR(writers); i++) {
		writers[i] = new_actor();
		begin(writers[i], do_open, O_WRONLY, 0, 0);
		sleeps_in(writers[i], SYS_openat);
	}
	assert_true(does(reader, do_open, O_RDONLY, 0, 0).ret >= 0);
	for (i = 0; i < NR(writers); i++)
		assert_true(end(writers[i]).ret >= 0);
}

/* A second reader alone releases nobody. */
static void same_side_does_not_release(void **state)
{
	struct actor *first = new_actor(), *second = new_actor();

	(void)state;
	begin(first, do_open, O_RDONLY, 0, 0);
	sleeps_in(first, SYS_openat);
	begin(second, do_open, O_RDONLY, 0, 0);
	sleeps_in(second, SYS_openat);
	must_open(O_RDONLY | O_NONBLOCK);
	sleeps_in(first, SYS_openat);
	sleeps_in(second, SYS_openat);
	assert_false(is_done(first));
}

static void waiting_reader_counts_as_reader(void **state)
{
	struct actor *reader = new_actor();
	int fd;

	(void)state;
	begin(reader, do_open, O_RDONLY, 0, 0);
	sleeps_in(reader, SYS_openat);
	fd = must_open(O_WRONLY | O_NONBLOCK);
	assert_ret(5, put(fd, 5, 0));
	assert_true(end(reader).ret >= 0);
}

static void nonblocking_read_open_succeeds(void **state)
{
	int fd = must_open(O_RDONLY | O_NONBLOCK);

	(void)state;
	assert_ret(0, get(fd, 1, NULL));
}

static void nonblocking_write_open_is_enxio(void **state)
{
	(void)state;
	assert_errno(ENXIO, open_end(O_WRONLY | O_NONBLOCK));
	must_open(O_RDONLY | O_NONBLOCK);
	must_open(O_WRONLY | O_NONBLOCK);
}

static void enxio_again_after_the_reader_went(void **state)
{
	int r = must_open(O_RDONLY | O_NONBLOCK);
	int w = must_open(O_WRONLY | O_NONBLOCK);

	(void)state;
	close(r);
	assert_errno(ENXIO, open_end(O_WRONLY | O_NONBLOCK));
	close(w);
	assert_errno(ENXIO, open_end(O_WRONLY | O_NONBLOCK));
}

static void rdwr_never_waits(void **state)
{
	int fd = must_open(O_RDWR);
	__u32 sum;

	(void)state;
	assert_ret(100, put(fd, 100, 3));
	assert_ret(100, get(fd, 200, &sum));
	assert_int_equal(sum, sum_of_pattern(100, 3));
	must_open(O_RDWR | O_NONBLOCK);
}

static void rdwr_is_both_ends(void **state)
{
	int fd = must_open(O_RDWR | O_NONBLOCK), r;

	(void)state;
	assert_errno(EAGAIN, get(fd, 1, NULL));
	r = must_open(O_RDONLY);
	assert_errno(EAGAIN, (nonblocking(r, true), get(r, 1, NULL)));
	must_open(O_WRONLY);
}

static void the_wrong_end_is_ebadf(void **state)
{
	int r = must_open(O_RDONLY | O_NONBLOCK);
	int w = must_open(O_WRONLY | O_NONBLOCK);

	(void)state;
	assert_errno(EBADF, put(r, 1, 0));
	assert_errno(EBADF, get(w, 1, NULL));
	assert_errno(EBADF, put(r, 0, 0));
	assert_errno(EBADF, get(w, 0, NULL));
}

static void interrupted_read_open_rolls_back(void **state)
{
	struct actor *reader = new_actor();
	struct reply r;

	(void)state;
	does(reader, do_catch, SIGUSR1, 0, 0);
	begin(reader, do_open, O_RDONLY, 0, 0);
	sleeps_in(reader, SYS_openat);
	kill(reader->pid, SIGUSR1);
	r = end(reader);
	assert_int_equal(r.ret, -1);
	assert_int_equal(r.err, EINTR);
	assert_errno(ENXIO, open_end(O_WRONLY | O_NONBLOCK));
}

static void interrupted_write_open_rolls_back(void **state)
{
	struct actor *writer = new_actor();
	struct reply w;
	int fd;

	(void)state;
	does(writer, do_catch, SIGUSR1, 0, 0);
	begin(writer, do_open, O_WRONLY, 0, 0);
	sleeps_in(writer, SYS_openat);
	kill(writer->pid, SIGUSR1);
	w = end(writer);
	assert_int_equal(w.ret, -1);
	assert_int_equal(w.err, EINTR);
	fd = must_open(O_RDONLY | O_NONBLOCK);
	assert_ret(0, get(fd, 1, NULL));
	assert_ret(0, poll_now(fd, POLLIN));
}

static void restarted_open_goes_on(void **state)
{
	struct actor *reader = new_actor(), *writer = new_actor();

	(void)state;
	does(reader, do_catch, SIGUSR1, SA_RESTART, 0);
	begin(reader, do_open, O_RDONLY, 0, 0);
	sleeps_in(reader, SYS_openat);
	kill(reader->pid, SIGUSR1);
	sleeps_in(reader, SYS_openat);
	assert_true(does(writer, do_open, O_WRONLY, 0, 0).ret >= 0);
	assert_true(end(reader).ret >= 0);
	assert_ret(1, does(reader, do_count, SIGUSR1, 0, 0).ret);
}

static void killed_open_leaves_no_trace(void **state)
{
	struct actor *reader = new_actor(), *writer;

	(void)state;
	begin(reader, do_open, O_RDONLY, 0, 0);
	sleeps_in(reader, SYS_openat);
	destroy(reader);
	assert_errno(ENXIO, open_end(O_WRONLY | O_NONBLOCK));

	writer = new_actor();
	begin(writer, do_open, O_WRONLY, 0, 0);
	sleeps_in(writer, SYS_openat);
	destroy(writer);
	assert_ret(0, get(must_open(O_RDONLY | O_NONBLOCK), 1, NULL));
}

/* An interrupted open must not take bytes or ends of others with it. */
static void interrupted_open_leaves_the_others(void **state)
{
	struct actor *first = new_actor(), *second = new_actor();
	struct reply r;
	int fd;

	(void)state;
	does(first, do_catch, SIGUSR1, 0, 0);
	begin(first, do_open, O_RDONLY, 0, 0);
	sleeps_in(first, SYS_openat);
	begin(second, do_open, O_RDONLY, 0, 0);
	sleeps_in(second, SYS_openat);
	kill(first->pid, SIGUSR1);
	assert_int_equal(end(first).err, EINTR);
	sleeps_in(second, SYS_openat);
	fd = must_open(O_WRONLY | O_NONBLOCK);
	assert_ret(7, put(fd, 7, 7));
	r = end(second);
	assert_true(r.ret >= 0);
	r = does(second, do_read, r.ret, 100, 0);
	assert_int_equal(r.ret, 7);
}

static void last_close_drops_the_bytes(void **state)
{
	int r = must_open(O_RDONLY | O_NONBLOCK);
	int w = must_open(O_WRONLY);

	(void)state;
	assert_ret(1000, put(w, 1000, 0));
	close(r);
	close(w);
	r = must_open(O_RDONLY | O_NONBLOCK);
	assert_ret(0, bytes_in(r));
	assert_ret(0, get(r, 1000, NULL));
	w = must_open(O_WRONLY | O_NONBLOCK);
	assert_ret(0, bytes_in(w));
}

static void bytes_stay_while_one_side_is_open(void **state)
{
	int r = must_open(O_RDONLY | O_NONBLOCK);
	int w = must_open(O_WRONLY);
	__u32 sum;

	(void)state;
	assert_ret(1000, put(w, 1000, 9));
	close(w);
	assert_ret(1000, bytes_in(r));
	close(must_open(O_WRONLY | O_NONBLOCK));
	assert_ret(1000, get(r, 2000, &sum));
	assert_int_equal(sum, sum_of_pattern(1000, 9));

	w = must_open(O_WRONLY);
	assert_ret(500, put(w, 500, 4));
	close(r);
	assert_ret(500, bytes_in(w));
	r = must_open(O_RDONLY);
	assert_ret(500, get(r, 2000, &sum));
	assert_int_equal(sum, sum_of_pattern(500, 4));
}

static void last_close_resets_the_capacity(void **state)
{
	int fd = must_open(O_RDWR);

	(void)state;
	assert_ret(8 * PAGE, set_capacity(fd, 8 * PAGE));
	close(fd);
	fd = must_open(O_RDWR);
	assert_ret(DEFAULT_SIZE, get_capacity(fd));
}

static void forked_and_duplicated_ends_count_once(void **state)
{
	int r = must_open(O_RDONLY | O_NONBLOCK);
	int w = must_open(O_WRONLY);
	struct actor *heir = new_actor_with(w);
	int again = dup(w);

	(void)state;
	nonblocking(r, true);
	close(w);
	assert_errno(EAGAIN, get(r, 1, NULL));
	close(again);
	assert_errno(EAGAIN, get(r, 1, NULL));
	assert_ret(3, does(heir, do_write, w, 3, 0).ret);
	assert_ret(3, get(r, 10, NULL));
	assert_ret(0, does(heir, do_close, w, 0, 0).ret);
	assert_ret(0, get(r, 1, NULL));
}

static long do_exec(long fd, long b, long c)
{
	char command[64];

	(void)b;
	(void)c;
	snprintf(command, sizeof(command), "echo from exec >&%ld", fd);
	if (fcntl(fd, F_SETFD, 0))
		return -1;
	return execl("/bin/sh", "sh", "-c", command, NULL);
}

static void ends_survive_exec(void **state)
{
	struct ends e = open_ends(0);
	struct actor *shell = new_actor_with(e.w);
	char text[32] = "";

	(void)state;
	close(e.w);
	begin(shell, do_exec, e.w, 0, 0);
	assert_ret(10, read(e.r, text, sizeof(text) - 1));
	assert_string_equal(text, "from exec\n");
	assert_ret(0, read(e.r, text, sizeof(text)));
}

static void cloexec_closes_at_exec(void **state)
{
	struct ends e = open_ends(0);
	struct actor *shell = new_actor_with(e.w);
	char byte;

	(void)state;
	close(e.w);
	/* The shell cannot write to a descriptor that exec closed. */
	begin(shell, do_exec, 0, 0, 0);
	assert_ret(0, read(e.r, &byte, 1));
}

static void what_a_pipe_cannot_do(void **state)
{
	struct ends e = open_ends(O_NONBLOCK);
	struct stat st;
	char byte = 0;
	void *map;

	(void)state;
	assert_errno(ESPIPE, lseek(e.r, 0, SEEK_CUR));
	assert_errno(ESPIPE, lseek(e.w, 0, SEEK_END));
	assert_errno(ESPIPE, pread(e.r, &byte, 1, 0));
	assert_errno(ESPIPE, pwrite(e.w, &byte, 1, 0));
	assert_errno(EINVAL, fsync(e.w));
	assert_errno(EINVAL, ftruncate(e.w, 0));
	assert_errno(expected(DIFF_FALLOCATE_ERRNO), fallocate(e.w, 0, 0, 1));
	assert_ret(expected(DIFF_FADVISE_ERRNO),
		   posix_fadvise(e.r, 0, 0, POSIX_FADV_NORMAL));
	assert_errno(ENOTTY, ioctl(e.r, 0x5401 /* TCGETS */, &byte));
	assert_ret(0, fstat(e.r, &st));
	assert_int_equal(st.st_mode & S_IFMT, expected(DIFF_FILE_TYPE));
	assert_ret(0, fchmod(e.r, st.st_mode & 07777));
	if (target->path && expected(DIFF_MMAP_ERRNO)) {
		int both = must_open(O_RDWR);

		map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, both, 0);
		assert_ptr_equal(map, MAP_FAILED);
		assert_int_equal(errno, expected(DIFF_MMAP_ERRNO));
	}
}

static void flags_of_an_end(void **state)
{
	struct ends e = open_ends(0);
	int flags;

	(void)state;
	assert_ret(O_RDONLY, fcntl(e.r, F_GETFL) & O_ACCMODE);
	assert_ret(O_WRONLY, fcntl(e.w, F_GETFL) & O_ACCMODE);
	nonblocking(e.r, true);
	assert_errno(EAGAIN, get(e.r, 1, NULL));
	flags = fcntl(e.w, F_GETFL);
	if (expected(DIFF_O_DIRECT_ERRNO))
		assert_errno(expected(DIFF_O_DIRECT_ERRNO),
			     fcntl(e.w, F_SETFL, flags | O_DIRECT));
	else
		assert_ret(0, fcntl(e.w, F_SETFL, flags | O_DIRECT));
	if (expected(DIFF_SETPIPE_SZ_ERRNO))
		assert_errno(expected(DIFF_SETPIPE_SZ_ERRNO),
			     fcntl(e.w, F_SETPIPE_SZ, PAGE));
	else
		assert_ret(PAGE, fcntl(e.w, F_SETPIPE_SZ, PAGE));
}

/* /proc/self/fd opens the same pipe again, as another open file. */
static void reopened_through_proc(void **state)
{
	int r = must_open(O_RDONLY | O_NONBLOCK), w;
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", r);
	w = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_not_equal(w, -1);
	assert_ret(4, put(w, 4, 0));
	assert_ret(4, get(r, 9, NULL));
	close(w);
	assert_ret(0, get(r, 9, NULL));
}

static void unwritable_for_a_user_without_permission(void **state)
{
	struct actor *nobody = new_actor();
	struct stat st;
	struct reply r;

	(void)state;
	assert_ret(0, stat(target->path, &st));
	assert_ret(0, chmod(target->path, 0644));
	assert_ret(0, does(nobody, do_uid, 65534, 0, 0).ret);
	r = does(nobody, do_open, O_RDONLY | O_NONBLOCK, 0, 0);
	assert_true(r.ret >= 0);
	r = does(nobody, do_open, O_WRONLY | O_NONBLOCK, 0, 0);
	assert_int_equal(r.err, EACCES);
	r = does(nobody, do_open, O_RDWR, 0, 0);
	assert_int_equal(r.err, EACCES);
	if (target->bit == DEV) {
		/* A control descriptor asks for both permissions as well. */
		r = does(nobody, do_open, IPCDEMO_O_CONTROL, 0, 0);
		assert_int_equal(r.err, EACCES);
		assert_ret(0, chmod(target->path, 0222));
		r = does(nobody, do_open, IPCDEMO_O_CONTROL, 0, 0);
		assert_int_equal(r.err, EACCES);
		assert_ret(0, chmod(target->path, 0666));
		r = does(nobody, do_open, IPCDEMO_O_CONTROL, 0, 0);
		assert_true(r.ret >= 0);
	}
	assert_ret(0, chmod(target->path, st.st_mode & 07777));
}

static void control_is_neither_reader_nor_writer(void **state)
{
	struct actor *reader = new_actor();
	int fd = control();

	(void)state;
	assert_errno(EBADF, get(fd, 1, NULL));
	assert_errno(EBADF, put(fd, 1, 0));
	assert_errno(EBADF, get(fd, 0, NULL));
	assert_int_equal(pipe_stat().readers, 0);
	assert_int_equal(pipe_stat().writers, 0);
	assert_errno(ENXIO, open_end(O_WRONLY | O_NONBLOCK));
	begin(reader, do_open, O_RDONLY, 0, 0);
	sleeps_in(reader, SYS_openat);
	close(control());
	sleeps_in(reader, SYS_openat);
	assert_errno(ENOTTY, ioctl(fd, FIONREAD, &fd));
}

static void control_keeps_no_bytes(void **state)
{
	int fd = control(), both = must_open(O_RDWR);

	(void)state;
	assert_ret(10, put(both, 10, 0));
	close(both);
	assert_int_equal(pipe_stat().bytes, 0);
	close(fd);
}

static void opens_are_counted(void **state)
{
	__u64 enter = counter("pipe", "open.enter");
	__u64 wait = counter("pipe", "open.wait");
	__u64 done = counter("pipe", "open.done");
	struct actor *reader = new_actor();
	struct ipcdemo_pipe_stat stat;
	int w;

	(void)state;
	begin(reader, do_open, O_RDONLY, 0, 0);
	sleeps_in(reader, SYS_openat);
	stat = pipe_stat();
	assert_int_equal(stat.open_waiters, 1);
	assert_int_equal(stat.read_waiters, 0);
	assert_int_equal(counter("pipe", "open.enter"), enter + 1);
	assert_int_equal(counter("pipe", "open.wait"), wait + 1);
	assert_int_equal(counter("pipe", "open.done"), done);
	w = must_open(O_WRONLY);
	assert_true(end(reader).ret >= 0);
	stat = pipe_stat();
	assert_int_equal(stat.open_waiters, 0);
	assert_int_equal(stat.readers, 1);
	assert_int_equal(stat.writers, 1);
	assert_int_equal(counter("pipe", "open.enter"), enter + 2);
	assert_int_equal(counter("pipe", "open.done"), done + 2);
	close(w);
	assert_int_equal(pipe_stat().writers, 0);
}

/* misc_open() holds a mutex over open: ours must not wait below it. */
static void waiting_open_does_not_stop_misc_devices(void **state)
{
	static const char *const misc[] = {
		"/dev/cpu_dma_latency", "/dev/vga_arbiter", "/dev/hpet",
		"/dev/rfkill",		"/dev/fuse",	    "/dev/loop-control",
		"/dev/autofs"};
	struct actor *reader = new_actor();
	size_t i, opened = 0;

	(void)state;
	begin(reader, do_open, O_RDONLY, 0, 0);
	sleeps_in(reader, SYS_openat);
	for (i = 0; i < NR(misc); i++) {
		int fd = open(misc[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		if (fd < 0)
			continue;
		opened++;
		close(fd);
	}
	assert_true(opened > 0);
	assert_false(is_done(reader));
}

static void has_a_major_of_its_own(void **state)
{
	char line[128], name[64] = "";
	unsigned int number, major;
	bool block = false;
	struct stat st;
	FILE *file;

	(void)state;
	assert_ret(0, stat(DEVICE, &st));
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0666);
	major = st.st_rdev >> 8 & 0xfff;
	assert_int_not_equal(major, 10);
	file = fopen("/proc/devices", "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		block |= !strncmp(line, "Block", 5);
		if (!block && sscanf(line, "%u %63s", &number, name) == 2 &&
		    number == major)
			break;
		name[0] = '\0';
	}
	fclose(file);
	assert_string_equal(name, "ipcdemo");
}

static const struct claim claims[] = {
	{"O_RDONLY waits for a writer", rdonly_waits_for_a_writer, NAMED},
	{"O_WRONLY waits for a reader", wronly_waits_for_a_reader, NAMED},
	{"O_RDWR lets waiting opens of both kinds go",
	 rdwr_releases_waiting_opens, NAMED},
	{"a writer that came and went still lets a waiting reader go",
	 quick_writer_releases_reader, NAMED},
	{"a reader that came and went still lets a waiting writer go",
	 quick_reader_releases_writer, NAMED},
	{"one writer lets all waiting readers go",
	 one_writer_releases_all_readers, NAMED},
	{"one reader lets all waiting writers go",
	 one_reader_releases_all_writers, NAMED},
	{"another reader does not let a waiting reader go",
	 same_side_does_not_release, NAMED},
	{"a reader that waits in open counts as a reader",
	 waiting_reader_counts_as_reader, NAMED},
	{"O_RDONLY with O_NONBLOCK does not wait",
	 nonblocking_read_open_succeeds, NAMED},
	{"O_WRONLY with O_NONBLOCK and no reader is ENXIO",
	 nonblocking_write_open_is_enxio, NAMED},
	{"ENXIO comes back when the reader is gone",
	 enxio_again_after_the_reader_went, NAMED},
	{"O_RDWR never waits and talks to itself", rdwr_never_waits, NAMED},
	{"O_RDWR is a reader and a writer", rdwr_is_both_ends, NAMED},
	{"the wrong end is EBADF", the_wrong_end_is_ebadf, NAMED},
	{"an interrupted O_RDONLY is EINTR and leaves no reader",
	 interrupted_read_open_rolls_back, NAMED},
	{"an interrupted O_WRONLY is EINTR and leaves no writer",
	 interrupted_write_open_rolls_back, NAMED},
	{"with SA_RESTART an interrupted open goes on", restarted_open_goes_on,
	 NAMED},
	{"a killed open leaves no trace", killed_open_leaves_no_trace, NAMED},
	{"an interrupted open leaves the others as they are",
	 interrupted_open_leaves_the_others, NAMED},
	{"the last close drops the bytes", last_close_drops_the_bytes, NAMED},
	{"bytes stay while one side is open", bytes_stay_while_one_side_is_open,
	 NAMED},
	{"the last close resets the capacity", last_close_resets_the_capacity,
	 NAMED},
	{"dup and fork make no new end", forked_and_duplicated_ends_count_once,
	 NAMED},
	{"an end survives exec", ends_survive_exec, ENDS},
	{"O_CLOEXEC closes an end at exec", cloexec_closes_at_exec, ENDS},
	{"what a pipe cannot do has the errno of a pipe", what_a_pipe_cannot_do,
	 ENDS},
	{"F_GETFL and F_SETFL know an end's flags", flags_of_an_end, ENDS},
	{"/proc/self/fd opens the same pipe", reopened_through_proc, NAMED},
	{"permissions of the name rule who may open",
	 unwritable_for_a_user_without_permission, NAMED},
	{"a control descriptor is neither reader nor writer",
	 control_is_neither_reader_nor_writer, DEV},
	{"a control descriptor keeps no bytes", control_keeps_no_bytes, DEV},
	{"opens are counted, waiting ones too", opens_are_counted, DEV},
	{"a waiting open does not stop opens of misc devices",
	 waiting_open_does_not_stop_misc_devices, DEV},
	{"the device has a major of its own and mode 0666",
	 has_a_major_of_its_own, DEV},
};

int main(void)
{
	return run_claims("open", claims, NR(claims));
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Signals, stops, ptrace and closing, while somebody is blocked in the pipe
 *
 * The schedules signal-*.step say the same point by point; here it is what a
 * program can see, on every kind of pipe.
 */
#include "harness.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>

/* A writer that has filled the pipe and has @rest bytes left to write. */
static struct actor *full_writer(int w, size_t rest)
{
	struct actor *writer = new_actor_with(w);

	begin(writer, do_write, w, DEFAULT_SIZE + rest, 1);
	sleeps_in(writer, SYS_write);
	return writer;
}

/* A writer that sleeps and has written nothing yet; the pipe is full. */
static struct actor *waiting_writer(const struct ends *e)
{
	struct actor *writer = new_actor_with(e->w);

	nonblocking(e->w, true);
	fill_up(e->w, PAGE);
	nonblocking(e->w, false);
	begin(writer, do_write, e->w, PAGE, 1);
	sleeps_in(writer, SYS_write);
	return writer;
}

static struct actor *waiting_reader(int r)
{
	struct actor *reader = new_actor_with(r);

	begin(reader, do_read, r, 10, 0);
	sleeps_in(reader, SYS_read);
	return reader;
}

static long do_ignore(long sig, long how, long c)
{
	sigset_t set;

	(void)c;
	if (how < 0)
		return signal(sig, SIG_IGN) == SIG_ERR ? -1 : 0;
	sigemptyset(&set);
	sigaddset(&set, sig);
	return sigprocmask(how, &set, NULL);
}

/* The state of the process as ps shows it. */
static char state_of(pid_t pid)
{
	char path[64], text[512] = "";
	const char *after;
	ssize_t len = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		len = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	text[len > 0 ? len : 0] = '\0';
	after = strrchr(text, ')');
	return after ? after[2] : '?';
}

/* --- signals that do nothing ---------------------------------------------------- */

static void ignored_signals_do_not_wake(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = new_actor_with(e.r);
	unsigned long sleeps;

	(void)state;
	does(reader, do_ignore, SIGUSR1, -1, 0);
	does(reader, do_ignore, SIGUSR2, SIG_BLOCK, 0);
	begin(reader, do_read, e.r, 10, 0);
	sleeps_in(reader, SYS_read);
	sleeps = sleeps_of(reader);
	kill(reader->pid, SIGUSR1);
	kill(reader->pid, SIGUSR2);
	/* Its default is to be ignored. */
	kill(reader->pid, SIGWINCH);
	sleeps_in(reader, SYS_read);
	assert_int_equal(sleeps_of(reader), sleeps);
	assert_ret(3, put(e.w, 3, 0));
	assert_ret(3, end(reader).ret);
}

static void a_signal_and_bytes_at_once(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = new_actor_with(e.r);

	(void)state;
	assert_ret(0, does(reader, do_catch, SIGUSR1, SA_RESTART, 0).ret);
	begin(reader, do_read, e.r, 10, 0);
	sleeps_in(reader, SYS_read);
	/* Both at once: it has bytes, or is restarted and has them then. */
	kill(reader->pid, SIGUSR1);
	assert_ret(3, put(e.w, 3, 0));
	assert_ret(3, end(reader).ret);
	assert_ret(1, does(reader, do_count, SIGUSR1, 0, 0).ret);
	assert_ret(0, bytes_in(e.r));
}

/* Each packet that was written counts; the one that was not is not there. */
static void a_signal_comes_between_packets(void **state)
{
	struct ends e = open_ends(0);
	struct actor *writer = new_actor_with(e.w);

	(void)state;
	assert_ret(0, fcntl(e.w, F_SETFL, O_DIRECT));
	assert_ret(0, does(writer, do_catch, SIGUSR1, SA_RESTART, 0).ret);
	begin(writer, do_write, e.w, DEFAULT_SIZE + 100, 1);
	sleeps_in(writer, SYS_write);
	kill(writer->pid, SIGUSR1);
	assert_ret(DEFAULT_SIZE, end(writer).ret);
	assert_ret(PAGE, get(e.r, 2 * PAGE, NULL));
	assert_ret(DEFAULT_SIZE - PAGE, bytes_in(e.r));
	/* One that has written none is restarted. */
	assert_ret(10, does(writer, do_write, e.w, 10, 2).ret);
	begin(writer, do_write, e.w, 10, 3);
	sleeps_in(writer, SYS_write);
	kill(writer->pid, SIGUSR1);
	assert_false(is_done(writer));
	sleeps_in(writer, SYS_write);
	assert_ret(PAGE, get(e.r, 2 * PAGE, NULL));
	assert_ret(10, end(writer).ret);
	assert_ret(2, does(writer, do_count, SIGUSR1, 0, 0).ret);
}

/* --- SIGSTOP and SIGCONT ---------------------------------------------------------- */

static void stop(struct actor *actor)
{
	int status;

	kill(actor->pid, SIGSTOP);
	assert_ret(actor->pid, waitpid(actor->pid, &status, WUNTRACED));
	assert_true(WIFSTOPPED(status));
}

static void a_stopped_reader_leaves_the_bytes_to_others(void **state)
{
	struct ends e = open_ends(0);
	struct actor *stopped = waiting_reader(e.r), *other;

	(void)state;
	stop(stopped);
	other = waiting_reader(e.r);
	assert_ret(3, put(e.w, 3, 4));
	assert_int_equal(end(other).sum, sum_of_pattern(3, 4));
	assert_ret(5, put(e.w, 5, 6));
	assert_int_equal(state_of(stopped->pid), 'T');
	assert_ret(5, bytes_in(e.r));
	kill(stopped->pid, SIGCONT);
	assert_int_equal(end(stopped).sum, sum_of_pattern(5, 6));
}

static void a_continued_reader_waits_on(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = waiting_reader(e.r);

	(void)state;
	stop(reader);
	kill(reader->pid, SIGCONT);
	sleeps_in(reader, SYS_read);
	assert_ret(3, put(e.w, 3, 0));
	assert_ret(3, end(reader).ret);
}

static void a_continued_writer_waits_on(void **state)
{
	struct ends e = open_ends(0);
	struct actor *writer = waiting_writer(&e);

	(void)state;
	stop(writer);
	/* Room comes while it stands still: nobody takes it. */
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_ret(DEFAULT_SIZE - PAGE, bytes_in(e.r));
	assert_ret(POLLOUT, poll_now(e.w, POLLOUT));
	kill(writer->pid, SIGCONT);
	assert_ret(PAGE, end(writer).ret);
	assert_ret(DEFAULT_SIZE, bytes_in(e.r));
}

/* What it wrote is there: it cannot be restarted. */
static void a_stopped_writer_returns_its_count(void **state)
{
	struct ends e = open_ends(0);
	struct actor *writer = full_writer(e.w, PAGE);

	(void)state;
	stop(writer);
	assert_false(is_done(writer));
	kill(writer->pid, SIGCONT);
	assert_ret(DEFAULT_SIZE, end(writer).ret);
	assert_ret(DEFAULT_SIZE, bytes_in(e.r));
}

static void a_stopped_opener_is_there(void **state)
{
	struct actor *reader = new_actor();
	int w;

	(void)state;
	begin(reader, do_open, O_RDONLY, 0, 0);
	sleeps_in(reader, SYS_openat);
	stop(reader);
	/* Its counts were taken back: it is no reader. */
	assert_errno(ENXIO, open_end(O_WRONLY | O_NONBLOCK));
	kill(reader->pid, SIGCONT);
	sleeps_in(reader, SYS_openat);
	w = open_end(O_WRONLY | O_NONBLOCK);
	assert_true(w >= 0);
	assert_true(end(reader).ret >= 0);
}

/* --- SIGKILL ---------------------------------------------------------------------- */

static void killed_sleepers_leave_a_pipe_that_works(void **state)
{
	struct ends e = open_ends(0);
	struct actor *readers[4], *poller;
	size_t i;

	(void)state;
	poller = new_actor_with(e.r);
	begin(poller, do_poll, e.r, POLLIN, -1);
	sleeps_in(poller, SYS_poll);
	for (i = 0; i < NR(readers); i++)
		readers[i] = waiting_reader(e.r);
	for (i = 0; i < NR(readers) - 1; i++)
		kill(readers[i]->pid, SIGKILL);
	kill(poller->pid, SIGKILL);
	/* (Who is not gone yet when the bytes come may have them.) */
	for (i = 0; i < NR(readers) - 1; i++)
		assert_int_equal(dies_of(readers[i]), SIGKILL);
	assert_int_equal(dies_of(poller), SIGKILL);
	assert_ret(3, put(e.w, 3, 2));
	assert_int_equal(end(readers[3]).sum, sum_of_pattern(3, 2));
	assert_ret(3, put(e.w, 3, 2));
	assert_ret(3, get(e.r, 10, NULL));
}

static void a_killed_writer_leaves_what_it_wrote(void **state)
{
	struct ends e = open_ends(0);
	struct actor *writer = full_writer(e.w, 5 * PAGE);
	__u32 sum;

	(void)state;
	close(e.w);
	destroy(writer);
	assert_ret(DEFAULT_SIZE, get(e.r, 2 * DEFAULT_SIZE, &sum));
	assert_int_equal(sum, sum_of_pattern(DEFAULT_SIZE, 1));
	/* And was the last writer. */
	assert_ret(0, get(e.r, 1, NULL));
}

static void a_killed_stopped_reader_is_gone(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = waiting_reader(e.r);

	(void)state;
	close(e.r);
	stop(reader);
	assert_ret(1, put(e.w, 1, 0));
	destroy(reader);
	assert_errno(EPIPE, put(e.w, 1, 0));
}

/* --- signals in a storm -------------------------------------------------------------- */

static void storm(bool on, long flags)
{
	struct itimerval often = {};

	often.it_interval.tv_usec = on ? 700 : 0;
	often.it_value = often.it_interval;
	if (on)
		do_catch(SIGALRM, flags, 0);
	setitimer(ITIMER_REAL, &often, NULL);
}

/* Writes a pattern, in records; with EINTR and short counts if they come. */
static long do_write_in_a_storm(long fd, long len, long flags)
{
	long done = 0, calls = 0;
	char *all = malloc(len);
	ssize_t got;

	fill_pattern(all, len, 3);
	storm(true, flags);
	while (done < len) {
		got = write(fd, all + done,
			    len - done < 9000 ? len - done : 9000);
		if (got > 0)
			done += got;
		else if (got == 0 || errno != EINTR || flags)
			break;
		calls++;
	}
	storm(false, 0);
	free(all);
	actor_note = calls;
	return done;
}

static long do_read_in_a_storm(long fd, long len, long flags)
{
	char *all = malloc(len);
	long done = 0;
	ssize_t got;

	storm(true, flags);
	while (done < len) {
		got = read(fd, all + done, len - done);
		if (got > 0)
			done += got;
		else if (got == 0 || errno != EINTR || flags)
			break;
	}
	storm(false, 0);
	actor_note = sum_of(all, done);
	free(all);
	return done;
}

static void storm_over_both(long flags)
{
	const size_t len = 256 << 10;
	struct ends e = open_ends(0);
	struct actor *writer = new_actor_with(e.w);
	struct actor *reader = new_actor_with(e.r);
	struct reply reply;

	begin(writer, do_write_in_a_storm, e.w, len, flags);
	begin(reader, do_read_in_a_storm, e.r, len, flags);
	reply = end(reader);
	assert_ret(len, reply.ret);
	assert_int_equal(reply.sum, sum_of_pattern(len, 3));
	assert_ret(len, end(writer).ret);
}

static void signals_all_the_time_lose_no_byte(void **state)
{
	(void)state;
	storm_over_both(0);
}

static void restarted_all_the_time_no_byte_is_lost(void **state)
{
	(void)state;
	storm_over_both(SA_RESTART);
}

/* --- closing while somebody is blocked ------------------------------------------------- */

/* A thread: shares the descriptors of this process. */
struct call {
	pthread_t thread;
	pid_t tid;
	int fd;
	bool reads;
	size_t len;
	ssize_t ret;
	int err;
};

static void *do_call(void *arg)
{
	struct call *call = arg;
	char *buf = malloc(call->len);

	fill_pattern(buf, call->len, 1);
	__atomic_store_n(&call->tid, gettid(), __ATOMIC_RELEASE);
	if (call->reads)
		call->ret = read(call->fd, buf, call->len);
	else
		call->ret = write(call->fd, buf, call->len);
	call->err = errno;
	free(buf);
	return NULL;
}

static void begin_call(struct call *call)
{
	struct actor thread = {.sock = -1};

	assert_int_equal(pthread_create(&call->thread, NULL, do_call, call), 0);
	eventually(__atomic_load_n(&call->tid, __ATOMIC_ACQUIRE));
	thread.pid = call->tid;
	assert_true(waits(&thread, call->reads ? SYS_read : SYS_write));
}

static void end_call(struct call *call, ssize_t ret)
{
	assert_int_equal(pthread_join(call->thread, NULL), 0);
	errno = call->err;
	assert_ret(ret, call->ret);
}

/* The call keeps the open file: closing its number neither ends nor wakes it. */
static void a_read_outlives_its_descriptor(void **state)
{
	struct ends e = open_ends(0);
	struct call call = {.fd = e.r, .reads = true, .len = 10};

	(void)state;
	begin_call(&call);
	close(e.r);
	/* The end is open still. */
	assert_ret(POLLOUT, poll_now(e.w, POLLOUT));
	assert_ret(3, put(e.w, 3, 0));
	end_call(&call, 3);
	eventually(poll_now(e.w, 0) == POLLERR);
	assert_errno(EPIPE, put(e.w, 1, 0));
}

static void a_write_outlives_its_descriptor(void **state)
{
	struct ends e = open_ends(0);
	struct call call = {.fd = e.w, .len = DEFAULT_SIZE + PAGE};

	(void)state;
	begin_call(&call);
	close(e.w);
	assert_ret(POLLIN, poll_now(e.r, POLLIN | POLLHUP));
	assert_ret(DEFAULT_SIZE, get(e.r, DEFAULT_SIZE, NULL));
	end_call(&call, DEFAULT_SIZE + PAGE);
	assert_ret(PAGE, get(e.r, DEFAULT_SIZE, NULL));
	assert_ret(0, get(e.r, 1, NULL));
}

/* The number is used again: the call goes on with what it began with. */
static void a_read_does_not_move_to_another_file(void **state)
{
	struct ends e = open_ends(0);
	struct call call = {.fd = e.r, .reads = true, .len = 10};
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	(void)state;
	begin_call(&call);
	assert_ret(e.r, dup2(zero, e.r));
	assert_ret(3, put(e.w, 3, 0));
	end_call(&call, 3);
}

static void the_other_side_goes_while_all_are_blocked(void **state)
{
	struct ends e = open_ends(0);
	struct actor *a = waiting_writer(&e), *b = new_actor_with(e.w);

	(void)state;
	begin(b, do_write, e.w, 3 * PAGE, 2);
	sleeps_in(b, SYS_write);
	close(e.r);
	assert_int_equal(end(a).err, EPIPE);
	assert_int_equal(end(b).err, EPIPE);
}

static void the_last_reader_dies_under_a_writer(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = new_actor_with(e.r), *writer;

	(void)state;
	close(e.r);
	writer = full_writer(e.w, PAGE);
	destroy(reader);
	assert_ret(DEFAULT_SIZE, end(writer).ret);
	assert_errno(EPIPE, put(e.w, 1, 0));
}

static void the_last_writer_dies_beside_a_reader(void **state)
{
	struct ends e = open_ends(0);
	struct actor *writer = new_actor_with(e.w), *reader;

	(void)state;
	close(e.w);
	reader = waiting_reader(e.r);
	destroy(writer);
	assert_ret(0, end(reader).ret);
}

/* --- ptrace --------------------------------------------------------------------------- */

static void attach(const struct actor *actor)
{
	int status;

	assert_ret(0, ptrace(PTRACE_SEIZE, actor->pid, NULL, NULL));
	assert_ret(0, ptrace(PTRACE_INTERRUPT, actor->pid, NULL, NULL));
	assert_ret(actor->pid, waitpid(actor->pid, &status, __WALL));
	assert_true(WIFSTOPPED(status));
}

static void detach(const struct actor *actor)
{
	assert_ret(0, ptrace(PTRACE_DETACH, actor->pid, NULL, NULL));
}

static void a_traced_reader_waits_on(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = waiting_reader(e.r);

	(void)state;
	attach(reader);
	/* It stands still, and takes no bytes. */
	assert_ret(3, put(e.w, 3, 0));
	assert_ret(3, bytes_in(e.r));
	assert_ret(3, get(e.r, 10, NULL));
	detach(reader);
	sleeps_in(reader, SYS_read);
	assert_ret(4, put(e.w, 4, 0));
	assert_ret(4, end(reader).ret);
}

static void a_traced_writer_waits_on(void **state)
{
	struct ends e = open_ends(0);
	struct actor *writer = waiting_writer(&e);

	(void)state;
	attach(writer);
	detach(writer);
	sleeps_in(writer, SYS_write);
	assert_ret(PAGE, get(e.r, PAGE, NULL));
	assert_ret(PAGE, end(writer).ret);
}

static void a_traced_writer_returns_its_count(void **state)
{
	struct ends e = open_ends(0);
	struct actor *writer = full_writer(e.w, PAGE);

	(void)state;
	attach(writer);
	detach(writer);
	assert_ret(DEFAULT_SIZE, end(writer).ret);
}

static void a_tracer_sees_the_call_that_will_be_restarted(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = waiting_reader(e.r);
	int status;

	(void)state;
	/* Interrupted twice: each time it is the same call again. */
	attach(reader);
	assert_ret(0, ptrace(PTRACE_CONT, reader->pid, NULL, NULL));
	sleeps_in(reader, SYS_read);
	assert_ret(0, ptrace(PTRACE_INTERRUPT, reader->pid, NULL, NULL));
	assert_ret(reader->pid, waitpid(reader->pid, &status, __WALL));
	detach(reader);
	sleeps_in(reader, SYS_read);
	assert_ret(1, put(e.w, 1, 0));
	assert_ret(1, end(reader).ret);
}

static void a_killed_tracee_leaves_the_pipe(void **state)
{
	struct ends e = open_ends(0);
	struct actor *reader = waiting_reader(e.r);

	(void)state;
	close(e.r);
	attach(reader);
	destroy(reader);
	assert_errno(EPIPE, put(e.w, 1, 0));
}

/* --- at every point ------------------------------------------------------------------- */

static const char *const read_points[] = {"read.enter", "read.locked",
					  "read.look",	"read.wait",
					  "read.queue", "read.check"};
static const char *const write_points[] = {"write.enter", "write.locked",
					   "write.look",  "write.wait",
					   "write.queue", "write.check"};

/* A gate at that point of the pipe, for the first that comes. */
static int gate_at(int end, const char *point)
{
	struct ipcdemo_pipe_stat stat = {.size = sizeof(stat)};
	struct ipcdemo_gate gate = {.size = sizeof(gate), .count = 1};
	int ctl = control();

	assert_ret(0, ioctl(end, IPCDEMO_IOC_PIPE_STAT, &stat));
	gate.id = stat.id;
	snprintf(gate.point, sizeof(gate.point), "%s", point);
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_ADD, &gate));
	return ctl;
}

/* It is held there; then the signal comes, and it goes on. */
static void signal_at_the_gate(int ctl, const struct actor *actor,
			       const char *point, bool last)
{
	struct ipcdemo_gate_wait wait = {.size = sizeof(wait),
					 .timeout_ms = PATIENCE_MS};
	struct ipcdemo_gate_go go = {.size = sizeof(go), .pid = actor->pid};

	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_GATE_WAIT, &wait));
	assert_string_equal(wait.arrival.point, point);
	assert_int_equal(wait.arrival.pid, actor->pid);
	kill(actor->pid, SIGUSR1);
	/* At the last point before the sleep the signal is enough. */
	if (ioctl(ctl, IPCDEMO_IOC_GATE_GO, &go) && !last)
		fail_msg("%s: %s", point, strerror(errno));
	close(ctl);
}

static void signal_everywhere_in_a_read(long flags)
{
	struct ends e = open_ends(0);
	size_t i;

	for (i = 0; i < NR(read_points); i++) {
		struct actor *reader = new_actor_with(e.r);
		int ctl = gate_at(e.r, read_points[i]);

		does(reader, do_catch, SIGUSR1, flags, 0);
		begin(reader, do_read, e.r, 10, 0);
		signal_at_the_gate(ctl, reader, read_points[i],
				   i == NR(read_points) - 1);
		if (flags) {
			sleeps_in(reader, SYS_read);
			assert_ret(3, put(e.w, 3, i));
			assert_int_equal(end(reader).sum, sum_of_pattern(3, i));
		} else {
			assert_int_equal(end(reader).err, EINTR);
		}
		assert_ret(1, does(reader, do_count, SIGUSR1, 0, 0).ret);
		assert_ret(0, bytes_in(e.r));
		destroy(reader);
	}
}

/* Of a full pipe, of packets or none: nothing is written, or all. */
static void signal_everywhere_in_a_write(long flags, long mode)
{
	struct ends e = open_ends(O_NONBLOCK);
	size_t i;

	fill_up(e.w, PAGE);
	assert_ret(0, fcntl(e.w, F_SETFL, mode));
	for (i = 0; i < NR(write_points); i++) {
		struct actor *writer = new_actor_with(e.w);
		int ctl = gate_at(e.w, write_points[i]);

		does(writer, do_catch, SIGUSR1, flags, 0);
		begin(writer, do_write, e.w, PAGE, i);
		signal_at_the_gate(ctl, writer, write_points[i],
				   i == NR(write_points) - 1);
		if (flags) {
			sleeps_in(writer, SYS_write);
			assert_ret(PAGE, get(e.r, PAGE, NULL));
			assert_ret(PAGE, end(writer).ret);
		} else {
			assert_int_equal(end(writer).err, EINTR);
		}
		assert_ret(1, does(writer, do_count, SIGUSR1, 0, 0).ret);
		assert_ret(DEFAULT_SIZE, bytes_in(e.r));
		destroy(writer);
	}
	drain(e.r);
}

static void a_signal_anywhere_ends_a_read(void **state)
{
	(void)state;
	signal_everywhere_in_a_read(0);
}

static void a_signal_anywhere_restarts_a_read(void **state)
{
	(void)state;
	signal_everywhere_in_a_read(SA_RESTART);
}

static void a_signal_anywhere_ends_a_write(void **state)
{
	(void)state;
	signal_everywhere_in_a_write(0, 0);
}

static void a_signal_anywhere_restarts_a_write(void **state)
{
	(void)state;
	signal_everywhere_in_a_write(SA_RESTART, 0);
}

static void a_signal_anywhere_ends_a_packet(void **state)
{
	(void)state;
	signal_everywhere_in_a_write(0, O_DIRECT);
}

static void a_signal_anywhere_restarts_a_packet(void **state)
{
	(void)state;
	signal_everywhere_in_a_write(SA_RESTART, O_DIRECT);
}

static const struct claim claims[] = {
	{"ignored and blocked signals do not wake", ignored_signals_do_not_wake,
	 ENDS},
	{"a signal and bytes at once: the bytes come",
	 a_signal_and_bytes_at_once, ENDS},
	{"a signal comes between packets", a_signal_comes_between_packets,
	 ENDS & ~DEV},
	{"a stopped reader leaves the bytes to others",
	 a_stopped_reader_leaves_the_bytes_to_others, ENDS},
	{"a reader that is continued waits on", a_continued_reader_waits_on,
	 ENDS},
	{"a writer that is continued waits on", a_continued_writer_waits_on,
	 ENDS},
	{"a stopped writer that wrote a part returns its count",
	 a_stopped_writer_returns_its_count, ENDS},
	{"a stopped open is no reader until it is continued",
	 a_stopped_opener_is_there, NAMED},
	{"killed sleepers leave a pipe that works",
	 killed_sleepers_leave_a_pipe_that_works, ENDS},
	{"a killed writer leaves what it wrote",
	 a_killed_writer_leaves_what_it_wrote, ENDS},
	{"a reader that is killed while stopped is gone",
	 a_killed_stopped_reader_is_gone, ENDS},
	{"signals all the time lose no byte", signals_all_the_time_lose_no_byte,
	 ENDS},
	{"with SA_RESTART signals all the time lose no byte",
	 restarted_all_the_time_no_byte_is_lost, ENDS},
	{"a read outlives its descriptor", a_read_outlives_its_descriptor,
	 ENDS},
	{"a write outlives its descriptor", a_write_outlives_its_descriptor,
	 ENDS},
	{"a read does not move to another file",
	 a_read_does_not_move_to_another_file, ENDS},
	{"the last reader goes while writers are blocked",
	 the_other_side_goes_while_all_are_blocked, ENDS},
	{"the last reader dies under a writer",
	 the_last_reader_dies_under_a_writer, ENDS},
	{"the last writer dies beside a reader",
	 the_last_writer_dies_beside_a_reader, ENDS},
	{"a traced reader waits on", a_traced_reader_waits_on, ENDS},
	{"a traced writer waits on", a_traced_writer_waits_on, ENDS},
	{"a traced writer that wrote a part returns its count",
	 a_traced_writer_returns_its_count, ENDS},
	{"a tracer can interrupt a call again and again",
	 a_tracer_sees_the_call_that_will_be_restarted, ENDS},
	{"a tracee that is killed leaves the pipe",
	 a_killed_tracee_leaves_the_pipe, ENDS},
	{"a signal at any point before the sleep ends a read",
	 a_signal_anywhere_ends_a_read, OURS},
	{"a signal at any point before the sleep restarts a read",
	 a_signal_anywhere_restarts_a_read, OURS},
	{"a signal at any point before the sleep ends a write",
	 a_signal_anywhere_ends_a_write, OURS},
	{"a signal at any point before the sleep restarts a write",
	 a_signal_anywhere_restarts_a_write, OURS},
	{"a signal at any point before the sleep ends a packet",
	 a_signal_anywhere_ends_a_packet, ANON | OUR_FIFO},
	{"a signal at any point before the sleep restarts a packet",
	 a_signal_anywhere_restarts_a_packet, ANON | OUR_FIFO},
};

int main(void)
{
	return run_claims("signals", claims, NR(claims));
}

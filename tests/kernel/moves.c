// SPDX-License-Identifier: GPL-2.0
/*
 * Sequences of splice, tee, vmsplice, read and write, by chance: the same with
 * pipes of the kernel as with pipes of ours
 *
 * Two worlds have three pipes, two files and a socket pair each.  In the one all
 * pipes are made by pipe(2), in the other some are ours, or all.  Each operation is
 * done in both; results, errno, signals, bytes and what each descriptor then says
 * must be equal.  Nothing waits: the claims of splice.c are about that.
 *
 * IPCDEMO_SEED=N repeats a sequence, IPCDEMO_SEQUENCES=N does so many.
 */
#include "harness.h"
#include "library.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#define PIPES	    3
#define STEPS	    80
#define MEMORY	    (64 * PAGE)
#define MOST	    (20 * PAGE)
#define SOURCE_SIZE (40 * PAGE + 123)

#define ALL	    (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)

struct world {
	struct ends pipe[PIPES]; /* -1: closed */
	int source, target; /* files */
	int sock[2];
	unsigned char got[MOST];
};

static struct world worlds[2];

/* Never changes: it may be in a pipe by reference. */
static unsigned char memory[MEMORY];

static sig_atomic_t sigpipes;

static void count_sigpipe(int sig)
{
	(void)sig;
	sigpipes++;
}

/* --- chance ----------------------------------------------------------------- */

static __u64 random_state;

static __u32 chance(__u32 below)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * 2685821657736338717ull >> 32) % below;
}

static size_t chance_size(void)
{
	static const size_t sizes[] = {1,    2,	   4095, 4096,
				       4097, 8192, 8193, 16 * PAGE};

	switch (chance(3)) {
	case 0:
		return sizes[chance(NR(sizes))];
	case 1:
		return 1 + chance(300);
	default:
		return 1 + chance(MOST);
	}
}

/* --- operations --------------------------------------------------------------- */

enum kind {
	WRITE,
	READ,
	SPLICE,
	TEE,
	VMSPLICE_IN,
	VMSPLICE_OUT,
	FILE_IN,
	FILE_OUT,
	SOCKET_IN,
	SOCKET_OUT,
	CLOSE,
	RENEW,
	RESIZE,
	PACKETS,
	NR_KINDS
};

static const char *const kind_names[NR_KINDS] = {
	"write",       "read",	       "splice",      "tee",
	"vmsplice in", "vmsplice out", "splice file", "splice to file",
	"from socket", "to socket",    "close",	      "renew",
	"resize",      "packets"};

struct step {
	enum kind kind;
	unsigned int from, to; /* pipes; CLOSE: to is the end */
	size_t len;
	off64_t offset; /* -1: none is given */
	unsigned int flags, parts;
	unsigned int ours; /* RENEW: in the second world */
};

/*
 * With pipes of both kinds in the second world a page is copied now and then that
 * is shared in the first: a socket has the same bytes, but in more pieces, and
 * counts these.  So there no step fills one.
 */
static struct step choose(bool mixed)
{
	/* Those that change what there is are rare. */
	enum kind kind = chance(8) ? chance(CLOSE) : chance(NR_KINDS);
	struct step step = {
		.kind = kind,
		.from = chance(PIPES),
		.to = chance(PIPES),
		.len = chance_size(),
		.offset = chance(2) ? (off64_t)chance(SOURCE_SIZE + PAGE) : -1,
		.flags = chance(16),
		.parts = 1 + chance(3),
		.ours = mixed && chance(3) == 0 ? PIPE : ANON,
	};

	if (mixed && kind == SOCKET_OUT)
		step.kind = SPLICE;

	if (kind == CLOSE)
		step.to = chance(2);
	if (kind == RESIZE)
		step.len = PAGE << chance(7);
	return step;
}

static void close_ends(struct ends *e)
{
	if (e->r >= 0)
		close(e->r);
	if (e->w >= 0)
		close(e->w);
	*e = (struct ends){-1, -1};
}

static void make_ends(struct ends *e, unsigned int bit)
{
	second = bit;
	*e = second_pipe();
	nonblocking(e->r, true);
	nonblocking(e->w, true);
}

/* The memory from a place on that depends on the step, in its parts. */
static size_t vectors(const struct step *step, unsigned char *base, size_t size,
		      struct iovec *iov)
{
	size_t at = step->len * 7 % (size / 2), left = step->len, part;
	unsigned int i;

	if (left > size - at)
		left = size - at;
	for (i = 0; i < step->parts; i++) {
		part = i + 1 == step->parts ? left : left / 3;
		iov[i] = (struct iovec){base + at, part};
		at += part;
		left -= part;
	}
	return step->parts;
}

static long read_all(int fd, unsigned char *to, size_t len)
{
	return read(fd, to, len < MOST ? len : MOST);
}

/* The capacity, by whatever call knows it. */
static long set_size(int fd, size_t size)
{
	struct ipcdemo_attr attr = {.size = sizeof(attr), .value = size};
	long ret = fcntl(fd, F_SETPIPE_SZ, size);

	if (ret != -1 || errno != EBADF)
		return ret;
	ret = ioctl(fd, IPCDEMO_IOC_SET_CAPACITY, &attr);
	return ret ? ret : (long)attr.value;
}

static long do_step(struct world *w, const struct step *step, bool other)
{
	struct ends *from = &w->pipe[step->from], *to = &w->pipe[step->to];
	off64_t offset = step->offset, *at = offset < 0 ? NULL : &offset;
	unsigned int flags = step->flags | SPLICE_F_NONBLOCK;
	struct iovec iov[3];
	size_t n;
	long ret;

	switch (step->kind) {
	case WRITE:
		return write(to->w, memory + step->len % 1000,
			     step->len < MOST ? step->len : MOST);
	case READ:
		return read_all(from->r, w->got, step->len);
	case SPLICE:
		return lib_splice(from->r, NULL, to->w, NULL, step->len,
				  step->flags);
	case TEE:
		return lib_tee(from->r, to->w, step->len, step->flags);
	case VMSPLICE_IN:
		n = vectors(step, memory, MEMORY, iov);
		return lib_vmsplice(to->w, iov, n, flags);
	case VMSPLICE_OUT:
		n = vectors(step, w->got, MOST, iov);
		return lib_vmsplice(from->r, iov, n, flags);
	case FILE_IN:
		ret = lib_splice(w->source, at, to->w, NULL, step->len,
				 step->flags);
		break;
	case FILE_OUT:
		ret = lib_splice(from->r, NULL, w->target, at, step->len,
				 step->flags);
		break;
	case SOCKET_IN:
		return lib_splice(w->sock[0], NULL, to->w, NULL, step->len,
				  flags);
	case SOCKET_OUT:
		return lib_splice(from->r, NULL, w->sock[1], NULL, step->len,
				  flags);
	case CLOSE:
		ret = close(step->to ? from->w : from->r);
		*(step->to ? &from->w : &from->r) = -1;
		return ret;
	case RENEW:
		close_ends(from);
		make_ends(from, other ? step->ours : PIPE);
		return 0;
	case RESIZE:
		return set_size(from->r, step->len);
	case PACKETS:
		return to->w < 0 ? -1
				 : fcntl(to->w, F_SETFL,
					 fcntl(to->w, F_GETFL) ^ O_DIRECT);
	default:
		return -1;
	}
	/* What an offset has become is a result, too. */
	return ret < 0 || !at ? ret : ret + 1000000L * (offset - step->offset);
}

/* --- worlds ------------------------------------------------------------------- */

static void begin_world(struct world *w, bool other, const unsigned int *ours)
{
	unsigned char bytes[SOURCE_SIZE];
	int i;

	for (i = 0; i < PIPES; i++)
		make_ends(&w->pipe[i], other ? ours[i] : PIPE);
	fill_pattern(bytes, sizeof(bytes), 3);
	w->source = memfd_create("source", MFD_CLOEXEC);
	assert_ret(sizeof(bytes), write(w->source, bytes, sizeof(bytes)));
	assert_ret(0, lseek(w->source, 0, SEEK_SET));
	w->target = memfd_create("target", MFD_CLOEXEC);
	assert_ret(0, socketpair(AF_UNIX,
				 SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
				 w->sock));
}

static void end_world(struct world *w)
{
	int i;

	for (i = 0; i < PIPES; i++)
		close_ends(&w->pipe[i]);
	close(w->source);
	close(w->target);
	close(w->sock[0]);
	close(w->sock[1]);
}

#define STATES (4 * PIPES + 5)

static long file_sum(int fd)
{
	unsigned char bytes[PAGE];
	__u32 sum = 0;
	off_t at = 0;
	ssize_t n;

	while ((n = pread(fd, bytes, sizeof(bytes), at)) > 0) {
		sum = sum * 31 + sum_of(bytes, n);
		at += n;
	}
	return sum;
}

/* All that its descriptors say. */
static void look(const struct world *w, long *states)
{
	struct ends e;
	int i, n = 0;

	for (i = 0; i < PIPES; i++) {
		e = w->pipe[i];
		states[n++] = e.r < 0 ? -2 : bytes_in(e.r);
		states[n++] = e.r < 0 ? -2 : poll_now(e.r, ALL);
		states[n++] = e.w < 0 ? -2 : bytes_in(e.w);
		states[n++] = e.w < 0 ? -2 : poll_now(e.w, ALL);
	}
	states[n++] = lseek(w->source, 0, SEEK_CUR);
	states[n++] = lseek(w->target, 0, SEEK_CUR);
	states[n++] = lseek(w->target, 0, SEEK_END);
	lseek(w->target, states[n - 2], SEEK_SET);
	states[n++] = bytes_in(w->sock[0]);
	states[n++] = poll_now(w->sock[1], ALL);
	assert_int_equal(n, STATES);
}

/* How often each kind did something: else the sequences say little. */
static unsigned long moved[NR_KINDS];

static bool step_is_equal(const struct step *step)
{
	long ret[2], states[2][STATES];
	int err[2], signals[2], i, n;

	for (i = 0; i < 2; i++) {
		sigpipes = 0;
		errno = 0;
		memset(worlds[i].got, 0, MOST);
		ret[i] = do_step(&worlds[i], step, i);
		err[i] = ret[i] == -1 ? errno : 0;
		signals[i] = sigpipes;
		look(&worlds[i], states[i]);
	}
	moved[step->kind] += ret[0] > (step->kind >= CLOSE ? -1 : 0);
	if (ret[0] != ret[1] || err[0] != err[1])
		print_error("# %ld (%s) and not %ld (%s)\n", ret[1],
			    strerror(err[1]), ret[0], strerror(err[0]));
	else if (signals[0] != signals[1])
		print_error("# %d SIGPIPE and not %d\n", signals[1],
			    signals[0]);
	else if (memcmp(worlds[0].got, worlds[1].got, MOST))
		print_error("# other bytes\n");
	for (n = 0; n < STATES; n++)
		if (states[0][n] != states[1][n])
			print_error("# state %d: %ld and not %ld\n", n,
				    states[1][n], states[0][n]);
	return ret[0] == ret[1] && err[0] == err[1] &&
	       signals[0] == signals[1] &&
	       !memcmp(worlds[0].got, worlds[1].got, MOST) &&
	       !memcmp(states[0], states[1], sizeof(states[0]));
}

static void print_step(const struct step *step)
{
	print_error("# %s from %u to %u, %zu bytes, offset %lld, flags %u\n",
		    kind_names[step->kind], step->from, step->to, step->len,
		    (long long)step->offset, step->flags);
}

static void do_sequence(__u64 seed)
{
	unsigned int ours[PIPES];
	bool mixed = seed % 2;
	struct step step;
	int i;

	random_state = seed * 0x9e3779b97f4a7c15ull | 1;
	for (i = 0; i < PIPES; i++)
		ours[i] = mixed && chance(2) ? PIPE : ANON;
	begin_world(&worlds[0], false, ours);
	begin_world(&worlds[1], true, ours);
	for (i = 0; i < STEPS; i++) {
		step = choose(mixed);
		if (!step_is_equal(&step)) {
			print_step(&step);
			fail_msg("step %d: IPCDEMO_SEED=%llu repeats it", i,
				 seed);
		}
	}
	assert_int_equal(file_sum(worlds[1].target),
			 file_sum(worlds[0].target));
	end_world(&worlds[0]);
	end_world(&worlds[1]);
}

static void sequences_give_the_same(void **state)
{
	const char *text = getenv("IPCDEMO_SEED");
	const char *number = getenv("IPCDEMO_SEQUENCES");
	__u64 seed = text ? strtoull(text, NULL, 0)
			  : (__u64)time(NULL) << 16 ^ getpid();
	long i, nr = number ? strtol(number, NULL, 0) : text ? 1 : 200;
	int kind;

	(void)state;
	signal(SIGPIPE, count_sigpipe);
	for (i = 0; i < nr; i++)
		do_sequence(seed + i);
	for (kind = 0; nr >= 200 && kind < NR_KINDS; kind++)
		if (!moved[kind])
			fail_msg("no %s in %ld sequences did anything",
				 kind_names[kind], nr);
}

static const struct claim claims[] = {
	{"sequences by chance give the same", sequences_give_the_same, ANON},
};

int main(void)
{
	find_calls();
	fill_pattern(memory, sizeof(memory), 1);
	return run_claims("moves", claims, NR(claims));
}

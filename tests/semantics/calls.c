// SPDX-License-Identifier: GPL-2.0
/* The calls themselves: see calls.h. */
#include "calls.h"

#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "../kernel/harness.h"

/* Parts of readv and writev. */
#define PARTS 3

static unsigned char *stream; /* STREAM + MOST_BYTES */
static unsigned char *room; /* MOST_BYTES; what is behind it, is not there */

void calls_init(void)
{
	uint64_t x = 88172645463325252ull;
	size_t i;

	if (stream)
		return;
	stream = mmap(NULL, STREAM + MOST_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	room = mmap(NULL, MOST_BYTES + PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stream == MAP_FAILED || room == MAP_FAILED ||
	    mprotect(room + MOST_BYTES, PAGE, PROT_NONE))
		fail_msg("mmap: %s", strerror(errno));
	for (i = 0; i < STREAM + MOST_BYTES; i += sizeof(x)) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(stream + i, &x, sizeof(x));
	}
}

static uint64_t hash_of(uint64_t hash, const unsigned char *bytes, size_t len)
{
	uint64_t word;

	hash ^= len;
	while (len) {
		size_t n = len < sizeof(word) ? len : sizeof(word);

		word = 0;
		memcpy(&word, bytes, n);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
		bytes += n;
		len -= n;
	}
	return hash;
}

static void check_bytes(struct made *made, const void *bytes, size_t len,
			uint64_t position)
{
	made->hash = hash_of(made->hash, bytes, len);
	made->in_order &= !memcmp(bytes, stream + position % STREAM, len);
}

static struct made keep_errno(long ret)
{
	return (struct made){
		.ret = ret, .err = ret < 0 ? errno : 0, .in_order = true};
}

/* --- calls that move bytes -------------------------------------------------------- */

/* The buffer ends so many bytes before what is not there. */
static unsigned char *buffer_of(const struct call *call)
{
	size_t len = call->faults_at < 0 ? call->number : call->faults_at;

	return room + MOST_BYTES - len;
}

/* The first part ends in the middle of things, the second has no bytes. */
static void cut(struct iovec *parts, unsigned char *buffer, size_t len)
{
	size_t first = len / PARTS;

	parts[0] = (struct iovec){buffer, first};
	parts[1] = (struct iovec){NULL, 0};
	parts[2] = (struct iovec){buffer + first, len - first};
}

static struct made make_read(const struct call *call, int fd, uint64_t position)
{
	unsigned char *buffer = buffer_of(call);
	struct iovec parts[PARTS];
	struct made made;

	cut(parts, buffer, call->number);
	made = keep_errno(call->verb == READ ? read(fd, buffer, call->number)
					     : readv(fd, parts, PARTS));
	if (made.ret > 0)
		check_bytes(&made, buffer, made.ret, position);
	return made;
}

static struct made make_write(const struct call *call, int fd,
			      uint64_t position)
{
	unsigned char *buffer = stream + position % STREAM;
	struct iovec parts[PARTS];

	if (call->faults_at >= 0) {
		buffer = buffer_of(call);
		memcpy(buffer, stream + position % STREAM, call->faults_at);
	}
	cut(parts, buffer, call->number);
	return keep_errno(call->verb == WRITE ? write(fd, buffer, call->number)
					      : writev(fd, parts, PARTS));
}

ssize_t bring(int fd, size_t len, uint64_t position)
{
	return write(fd, stream + position % STREAM, len);
}

size_t take_all(int fd, uint64_t position, uint64_t *hash, bool *in_order)
{
	struct made made = {.in_order = true, .hash = *hash};
	size_t sum = 0;
	ssize_t ret;

	while ((ret = read(fd, room, MOST_BYTES)) > 0) {
		check_bytes(&made, room, ret, position + sum);
		sum += ret;
	}
	*hash = made.hash;
	*in_order = made.in_order;
	return sum;
}

/* --- calls with other files -------------------------------------------------------- */

static int memory_file(void)
{
	int fd = memfd_create("ipcdemo-semantics", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	return fd;
}

/* Another pipe of the same maker. */
static void make_another(int fds[2])
{
	struct ipcdemo_pipe_make make = {
		.size = sizeof(make),
		.flags = O_CLOEXEC,
		.fds = (uintptr_t)fds,
	};
	int ctl;

	if (!(target->bit & OURS)) {
		assert_ret(0, pipe2(fds, O_CLOEXEC));
		return;
	}
	ctl = control();
	assert_ret(0, ioctl(ctl, IPCDEMO_IOC_PIPE, &make));
	close(ctl);
}

/* Ours have ioctls for it, as the library of `ipcdemo run` knows. */
static bool by_ioctl(enum verb verb, size_t len)
{
	return target->bit & OURS && len && verb < PLAIN_SPLICE_OUT;
}

static long do_splice(enum verb verb, int pipe, int in, int out, size_t len,
		      unsigned int flags)
{
	bool is_tee = verb == TEE || verb == PLAIN_TEE;
	struct ipcdemo_splice request = {
		.size = sizeof(request),
		.flags = flags,
		.in = in,
		.out = out,
		.len = len,
	};

	if (by_ioctl(verb, len))
		return ioctl(pipe,
			     is_tee ? IPCDEMO_IOC_TEE : IPCDEMO_IOC_SPLICE,
			     &request);
	return is_tee ? tee(in, out, len, flags)
		      : splice(in, NULL, out, NULL, len, flags);
}

static long do_vmsplice(enum verb verb, int pipe, const struct iovec *part,
			unsigned int flags)
{
	struct ipcdemo_vmsplice request = {
		.size = sizeof(request),
		.flags = flags,
		.iov = (uintptr_t)part,
		.count = 1,
	};

	if (by_ioctl(verb, part->iov_len))
		return ioctl(pipe, IPCDEMO_IOC_VMSPLICE, &request);
	return vmsplice(pipe, part, 1, flags);
}

/* Out of the pipe, into something from which it can be read again. */
static struct made make_out(const struct call *call, int fd, bool wait,
			    uint64_t position)
{
	unsigned int flags = wait ? 0 : SPLICE_F_NONBLOCK;
	int fds[2] = {-1, -1};
	struct made made;

	if (call->verb == SPLICE_OWN || call->verb == PLAIN_SPLICE_OWN)
		make_another(fds);
	else if (call->verb == SPLICE_FILE || call->verb == PLAIN_SPLICE_FILE ||
		 call->verb == COPY_RANGE)
		fds[0] = memory_file();
	else
		assert_ret(0, pipe2(fds, O_CLOEXEC));
	if (call->verb == COPY_RANGE)
		made = keep_errno(copy_file_range(fd, NULL, fds[0], NULL,
						  call->number, 0));
	else
		made = keep_errno(do_splice(call->verb, fd, fd,
					    fds[1] < 0 ? fds[0] : fds[1],
					    call->number, flags));
	if (made.ret > 0) {
		ssize_t ret, got = 0;

		if (fds[1] < 0)
			lseek(fds[0], 0, SEEK_SET);
		/* Packets stay apart there, too. */
		while (got < made.ret &&
		       (ret = read(fds[0], room + got, made.ret - got)) > 0)
			got += ret;
		assert_int_equal(got, made.ret);
		check_bytes(&made, room, got, position);
	}
	close(fds[0]);
	if (fds[1] >= 0)
		close(fds[1]);
	return made;
}

/* From something that has the bytes of the stream, into the pipe. */
static struct made make_in(const struct call *call, int fd, bool wait,
			   uint64_t position)
{
	unsigned int flags = wait ? 0 : SPLICE_F_NONBLOCK;
	struct iovec part = {stream + position % STREAM, call->number};
	struct made made;
	int fds[2];
	off_t from = 0;

	if (call->verb == VMSPLICE || call->verb == PLAIN_VMSPLICE)
		return keep_errno(do_vmsplice(call->verb, fd, &part, flags));
	if (call->verb == SENDFILE) {
		fds[0] = memory_file();
		assert_ret(call->number, bring(fds[0], call->number, position));
		made = keep_errno(sendfile(fd, fds[0], &from, call->number));
		close(fds[0]);
		return made;
	}
	assert_ret(0, pipe2(fds, O_CLOEXEC));
	assert_ret(call->number, bring(fds[1], call->number, position));
	made.ret = do_splice(call->verb, fd, fds[0], fd, call->number, flags);
	made = keep_errno(made.ret);
	close(fds[0]);
	close(fds[1]);
	return made;
}

/* --- calls that any file knows ------------------------------------------------------ */

static long make_mmap(int fd)
{
	int mode = fcntl(fd, F_GETFL) & O_ACCMODE;
	int prot = mode == O_RDONLY   ? PROT_READ
		   : mode == O_WRONLY ? PROT_WRITE
				      : PROT_READ | PROT_WRITE;
	void *map = mmap(NULL, PAGE, prot, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -1;
	munmap(map, PAGE);
	return 0;
}

static long make_fadvise(int fd)
{
	errno = posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL);
	return errno ? -1 : 0;
}

static long make_fstat(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : (long)(st.st_mode & S_IFMT);
}

/* What is changed is put back: the device stays when the test is over. */
static long make_fchmod(int fd)
{
	struct stat before, after;

	if (fstat(fd, &before) || fchmod(fd, 0640) || fstat(fd, &after))
		return -1;
	assert_int_equal(after.st_mode & 07777, 0640);
	return fchmod(fd, before.st_mode & 07777);
}

static long make_fchown(int fd)
{
	struct stat before, after;

	if (fstat(fd, &before) || fchown(fd, 12, 34) || fstat(fd, &after))
		return -1;
	assert_int_equal(after.st_uid, 12);
	assert_int_equal(after.st_gid, 34);
	return fchown(fd, before.st_uid, before.st_gid);
}

static long make_futimens(int fd)
{
	struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 2}};
	struct stat st;

	if (futimens(fd, times) || fstat(fd, &st))
		return -1;
	assert_int_equal(st.st_atime, 1);
	assert_int_equal(st.st_mtime, 2);
	return 0;
}

static long make_setlk(int fd)
{
	struct flock lock = {
		.l_type = (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY
				  ? F_RDLCK
				  : F_WRLCK,
		.l_whence = SEEK_SET,
	};

	return fcntl(fd, F_SETLK, &lock);
}

/* To what it is, so that nothing changes. */
static long make_fionbio(int fd)
{
	int on = !!(fcntl(fd, F_GETFL) & O_NONBLOCK);

	return ioctl(fd, FIONBIO, &on);
}

static long make_o_direct(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	long ret = fcntl(fd, F_SETFL, flags | O_DIRECT);

	if (!ret)
		assert_ret(0, fcntl(fd, F_SETFL, flags));
	return ret;
}

static long make_other(const struct call *call, int fd, int flags, bool wait)
{
	struct pollfd pfd = {.fd = fd,
			     .events = POLLIN | POLLOUT | POLLPRI | POLLRDNORM |
				       POLLWRNORM};

	switch (call->verb) {
	case OPEN:
		return open_end(flags);
	case POLL:
		return poll(&pfd, 1, wait ? -1 : 0) < 0 ? -1 : pfd.revents;
	case FIONREAD_:
		return bytes_in(fd);
	case GET_CAPACITY:
		return get_capacity(fd);
	case RESIZE:
		return set_capacity(fd, call->number);
	case LSEEK:
		return lseek(fd, 0, SEEK_CUR);
	case PREAD:
		return pread(fd, room, call->number, 0);
	case PWRITE:
		return pwrite(fd, room, call->number, 0);
	case FALLOCATE:
		return fallocate(fd, 0, 0, PAGE);
	case FADVISE:
		return make_fadvise(fd);
	case FSYNC:
		return fsync(fd);
	case FDATASYNC:
		return fdatasync(fd);
	case FTRUNCATE:
		return ftruncate(fd, call->number);
	case MMAP:
		return make_mmap(fd);
	case FCHMOD:
		return make_fchmod(fd);
	case FCHOWN:
		return make_fchown(fd);
	case FUTIMENS:
		return make_futimens(fd);
	case FSTAT:
		return make_fstat(fd);
	case FLOCK:
		return flock(fd, LOCK_EX | LOCK_NB);
	case SETLK:
		return make_setlk(fd);
	case SYNC_RANGE:
		return sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	case READAHEAD:
		return readahead(fd, 0, PAGE);
	case UNKNOWN_IOCTL:
		return ioctl(fd, _IO('?', 99));
	case FIONBIO_:
		return make_fionbio(fd);
	case SET_O_DIRECT:
		return make_o_direct(fd);
	case SETPIPE_SZ:
		return fcntl(fd, F_SETPIPE_SZ, (int)call->number);
	case GETPIPE_SZ:
		return fcntl(fd, F_GETPIPE_SZ);
	default:
		fail_msg("%s is not made here", verbs[call->verb].name);
		return -1;
	}
}

struct made call_make(const struct call *call, int fd, int flags, bool wait,
		      uint64_t position)
{
	errno = 0;
	switch (call->verb) {
	case READ:
	case READV:
		return make_read(call, fd, position);
	case WRITE:
	case WRITEV:
		return make_write(call, fd, position);
	case SPLICE_OUT:
	case SPLICE_OWN:
	case SPLICE_FILE:
	case COPY_RANGE:
	case TEE:
	case PLAIN_SPLICE_OUT:
	case PLAIN_SPLICE_OWN:
	case PLAIN_SPLICE_FILE:
	case PLAIN_TEE:
		return make_out(call, fd, wait, position);
	case SPLICE_IN:
	case VMSPLICE:
	case SENDFILE:
	case PLAIN_SPLICE_IN:
	case PLAIN_VMSPLICE:
		return make_in(call, fd, wait, position);
	default:
		return keep_errno(make_other(call, fd, flags, wait));
	}
}

/* --- what they gave ----------------------------------------------------------------- */

static bool gives_number(enum verb verb)
{
	switch (verb) {
	case FIONREAD_:
	case GET_CAPACITY:
	case RESIZE:
	case SETPIPE_SZ:
	case GETPIPE_SZ:
	case TEE:
	case PLAIN_TEE:
	case PREAD:
	case PWRITE:
	case COPY_RANGE:
		return true;
	default:
		return verbs[verb].moves != NO_BYTES;
	}
}

void made_words(const struct call *call, const struct made *made, char *text,
		size_t size)
{
	if (made->ret < 0)
		snprintf(text, size, "%s", errno_word(made->err));
	else if (call->verb == POLL)
		mask_words(made->ret, text, size);
	else if (call->verb == FSTAT)
		snprintf(text, size, "%s",
			 made->ret == S_IFIFO	? "S_IFIFO"
			 : made->ret == S_IFCHR ? "S_IFCHR"
						: "another type");
	else if (gives_number(call->verb))
		snprintf(text, size, "%ld", made->ret);
	else
		snprintf(text, size, "ok");
}

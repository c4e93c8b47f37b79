// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of access.h
 *
 * Each failure is described where it is noticed, by whoever knows the file, the
 * key or the request: nothing above this file turns errno into advice again.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access.h"
#include "access_netlink.h"

#define PATH_LEN 512

struct ipcdemo {
	char root[PATH_LEN / 2];
	char device[PATH_LEN];
	char proc[PATH_LEN];
	char error[PATH_LEN + 256];
};

#define __printf(a, b) __attribute((__format__(__printf__, a, b)))

static __printf(3, 4) int fail(struct ipcdemo *ipc, int err, const char *fmt,
			       ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ipc->error, sizeof(ipc->error), fmt, ap);
	va_end(ap);
	return -err;
}

struct ipcdemo *ipcdemo_new(void)
{
	const char *root = getenv("IPCDEMO_ROOT");
	struct ipcdemo *ipc = calloc(1, sizeof(*ipc));

	if (!ipc)
		return NULL;
	if (!root)
		root = "";
	if (strlen(root) >= sizeof(ipc->root)) {
		free(ipc);
		errno = ENAMETOOLONG;
		return NULL;
	}
	snprintf(ipc->root, sizeof(ipc->root), "%s", root);
	snprintf(ipc->device, sizeof(ipc->device), "%s/dev/ipcdemo", root);
	snprintf(ipc->proc, sizeof(ipc->proc), "%s/proc/ipcdemo", root);
	return ipc;
}

void ipcdemo_free(struct ipcdemo *ipc)
{
	free(ipc);
}

const char *ipcdemo_error(const struct ipcdemo *ipc)
{
	return ipc->error;
}

const char *ipcdemo_device(const struct ipcdemo *ipc)
{
	return ipc->device;
}

const char *ipcdemo_proc(const struct ipcdemo *ipc)
{
	return ipc->proc;
}

/* ---- text --------------------------------------------------------------- */

/*
 * A file of /proc does not know its size before it is read.  Read it with few
 * and large calls, so that a table is of few moments, not of many.
 */
static int read_file(struct ipcdemo *ipc, const char *path, char **text)
{
	size_t size = 0, room = 65536;
	char *buf = NULL, *more;
	ssize_t n;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err = errno;
		return fail(ipc, err, "%s: %s", path, strerror(err));
	}
	for (;;) {
		if (!buf || size + 1 == room) {
			room = buf ? room * 2 : room;
			more = realloc(buf, room);
			if (!more) {
				err = ENOMEM;
				goto fail;
			}
			buf = more;
		}
		n = read(fd, buf + size, room - size - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err = errno;
			goto fail;
		}
		if (n == 0)
			break;
		size += n;
	}
	close(fd);
	buf[size] = '\0';
	*text = buf;
	return 0;
fail:
	close(fd);
	free(buf);
	return fail(ipc, err, "%s: %s", path, strerror(err));
}

/* Cuts the next line off; NULL at the end of the text. */
static char *next_line(char **text)
{
	char *line = *text, *end;

	if (!*line)
		return NULL;
	end = strchr(line, '\n');
	if (end) {
		*end = '\0';
		*text = end + 1;
	} else {
		*text = line + strlen(line);
	}
	return line;
}

/* Cuts the next word off; NULL if there is none left. */
static char *next_word(char **line)
{
	char *word = *line + strspn(*line, " \t"), *end;

	if (!*word)
		return NULL;
	end = word + strcspn(word, " \t");
	if (*end)
		*end++ = '\0';
	*line = end;
	return word;
}

static bool parse_u64(const char *word, __u64 *value)
{
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char)*word))
		return false;
	errno = 0;
	v = strtoull(word, &end, 10);
	if (errno || *end)
		return false;
	*value = v;
	return true;
}

/* White space and backslash come as \ooo; never makes the text longer. */
static void unescape(char *word)
{
	char *to = word;

	while (*word) {
		if (word[0] == '\\' && word[1] >= '0' && word[1] <= '3' &&
		    word[2] >= '0' && word[2] <= '7' && word[3] >= '0' &&
		    word[3] <= '7') {
			*to++ = (word[1] - '0') << 6 | (word[2] - '0') << 3 |
				(word[3] - '0');
			word += 4;
		} else {
			*to++ = *word++;
		}
	}
	*to = '\0';
}

/* ---- tables ------------------------------------------------------------- */

static char **split(char *line, size_t *n)
{
	size_t room = 16;
	char **words = malloc(room * sizeof(*words)), **more, *word;

	*n = 0;
	while (words && (word = next_word(&line))) {
		if (*n == room) {
			room *= 2;
			more = realloc(words, room * sizeof(*words));
			if (!more) {
				free(words);
				return NULL;
			}
			words = more;
		}
		words[(*n)++] = word;
	}
	return words;
}

/*
 * Reads a header line and the rows up to an empty line.  The words are pieces
 * of the text, which has to outlive the table: table->text is for the caller to
 * set if the table shall own it.
 */
static int parse_table(struct ipcdemo *ipc, const char *file, char **text,
		       struct ipcdemo_table *table)
{
	char *line = next_line(text), **words, **more;
	size_t n, room = 0;

	memset(table, 0, sizeof(*table));
	if (!line || !*line)
		return fail(ipc, EPROTO, "%s: a table is missing: %s", file,
			    "does the module fit this program?");
	table->header = split(line, &table->columns);
	if (!table->header)
		return fail(ipc, ENOMEM, "%s: out of memory", file);

	while ((line = next_line(text)) && *line) {
		/* Something that there was no room, or memory, to show. */
		if (*line == '#')
			continue;
		words = split(line, &n);
		if (!words)
			goto nomem;
		if (n < table->columns) {
			free(words);
			fail(ipc, EPROTO,
			     "%s: row %zu has %zu words for %zu columns", file,
			     table->rows + 1, n, table->columns);
			ipcdemo_table_free(table);
			return -EPROTO;
		}
		if (table->rows == room) {
			room = room ? room * 2 : 16;
			more = realloc(table->cells,
				       room * table->columns * sizeof(*more));
			if (!more) {
				free(words);
				goto nomem;
			}
			table->cells = more;
		}
		memcpy(table->cells + table->rows * table->columns, words,
		       table->columns * sizeof(*words));
		table->rows++;
		free(words);
	}
	return 0;
nomem:
	ipcdemo_table_free(table);
	return fail(ipc, ENOMEM, "%s: out of memory", file);
}

void ipcdemo_table_free(struct ipcdemo_table *table)
{
	free(table->header);
	free(table->cells);
	free(table->text);
	free(table->names);
	memset(table, 0, sizeof(*table));
}

int ipcdemo_column(const struct ipcdemo_table *table, const char *name)
{
	size_t i;

	for (i = 0; i < table->columns; i++)
		if (!strcmp(table->header[i], name))
			return i;
	return -1;
}

const char *ipcdemo_cell(const struct ipcdemo_table *table, size_t row,
			 const char *name)
{
	int column = ipcdemo_column(table, name);

	if (column < 0 || row >= table->rows)
		return NULL;
	return table->cells[row * table->columns + column];
}

/*
 * What is being read: the functions below store the first thing that is wrong
 * in err and then do nothing, so that a view is read without a check a line.
 */
struct reader {
	struct ipcdemo *ipc;
	const char *file;
	int err;
};

static const char *want_cell(struct reader *r, const struct ipcdemo_table *t,
			     size_t row, const char *name)
{
	const char *cell = ipcdemo_cell(t, row, name);

	if (!cell && !r->err)
		r->err = fail(r->ipc, EPROTO, "%s: there is no column '%s'",
			      r->file, name);
	return cell;
}

static __u64 to_number(struct reader *r, const char *name, const char *word,
		       __u64 max)
{
	__u64 value = 0;

	if (!r->err && (!parse_u64(word, &value) || value > max))
		r->err = fail(r->ipc, EPROTO,
			      "%s: '%s' should be a number, it is '%s'",
			      r->file, name, word);
	return r->err ? 0 : value;
}

/* A number, or "-" which stands for 0. */
static __u64 cell_number(struct reader *r, const struct ipcdemo_table *t,
			 size_t row, const char *name, __u64 max)
{
	const char *cell = want_cell(r, t, row, name);

	if (r->err || !strcmp(cell, "-"))
		return 0;
	return to_number(r, name, cell, max);
}

static void cell_word(struct reader *r, const struct ipcdemo_table *t,
		      size_t row, const char *name, char *to, size_t size)
{
	const char *cell = want_cell(r, t, row, name);

	if (!r->err)
		snprintf(to, size, "%s", cell);
}

/* "key: value" lines up to an empty one, as a table of one row. */
static int parse_lines(struct ipcdemo *ipc, const char *file, char **text,
		       struct ipcdemo_table *lines)
{
	size_t room = 0;
	char *line, *value, *end, **more;

	memset(lines, 0, sizeof(*lines));
	lines->rows = 1;
	while ((line = next_line(text)) && *line) {
		value = strchr(line, ':');
		if (!value)
			continue;
		*value++ = '\0';
		value += strspn(value, " \t");
		end = value + strlen(value);
		while (end > value && isspace((unsigned char)end[-1]))
			*--end = '\0';
		if (lines->columns == room) {
			room = room ? room * 2 : 32;
			more = realloc(lines->header, room * sizeof(*more));
			if (!more)
				goto nomem;
			lines->header = more;
			more = realloc(lines->cells, room * sizeof(*more));
			if (!more)
				goto nomem;
			lines->cells = more;
		}
		lines->header[lines->columns] = line;
		lines->cells[lines->columns++] = value;
	}
	return 0;
nomem:
	ipcdemo_table_free(lines);
	return fail(ipc, ENOMEM, "%s: out of memory", file);
}

static const char *want_line(struct reader *r, const struct ipcdemo_table *t,
			     const char *key)
{
	const char *value = ipcdemo_cell(t, 0, key);

	if (!value && !r->err)
		r->err = fail(r->ipc, EPROTO, "%s: there is no line '%s:'",
			      r->file, key);
	return value;
}

static __u64 line_number(struct reader *r, const struct ipcdemo_table *t,
			 const char *key, __u64 max)
{
	const char *value = want_line(r, t, key);

	return r->err ? 0 : to_number(r, key, value, max);
}

static void line_word(struct reader *r, const struct ipcdemo_table *t,
		      const char *key, char *to, size_t size)
{
	const char *value = want_line(r, t, key);

	if (!r->err)
		snprintf(to, size, "%s", value);
}

/* ---- the module --------------------------------------------------------- */

int ipcdemo_module(struct ipcdemo *ipc, struct ipcdemo_module *module)
{
	char path[PATH_LEN + 16], *text, *rest;
	struct reader r = {.ipc = ipc, .file = path};
	struct ipcdemo_table lines;

	snprintf(path, sizeof(path), "%s/version", ipc->proc);
	r.err = read_file(ipc, path, &text);
	if (r.err == -ENOENT)
		return fail(ipc, ENOENT,
			    "the module is not loaded (there is no %s): %s",
			    path, "`ipcdemo doctor` says how to load it");
	if (r.err)
		return r.err;

	rest = text;
	r.err = parse_lines(ipc, path, &rest, &lines);
	if (!r.err) {
		line_word(&r, &lines, "version", module->version,
			  sizeof(module->version));
		module->uapi = line_number(&r, &lines, "uapi", UINT32_MAX);
		ipcdemo_table_free(&lines);
	}
	free(text);
	return r.err;
}

int ipcdemo_check(struct ipcdemo *ipc)
{
	struct ipcdemo_module module;
	int err = ipcdemo_module(ipc, &module);

	if (err)
		return err;
	if (module.uapi != IPCDEMO_UAPI_VERSION)
		return fail(ipc, EPROTO,
			    "the loaded module is version %s with interface %u, this program speaks interface %u: %s",
			    module.version, module.uapi, IPCDEMO_UAPI_VERSION,
			    "`ipcdemo doctor` says how to load the one that fits");
	return 0;
}

/* ---- through descriptors ------------------------------------------------ */

static const char *mode_words(int flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY:
		return "reading";
	case O_WRONLY:
		return "writing";
	}
	return "reading and writing";
}

int ipcdemo_open(struct ipcdemo *ipc, int flags)
{
	int fd, err = ipcdemo_check(ipc);

	if (err)
		return err;
	fd = open(ipc->device, flags | O_CLOEXEC);
	if (fd >= 0)
		return fd;

	err = errno;
	switch (err) {
	case ENOENT:
		return fail(ipc, err,
			    "%s does not exist, though the module is loaded: `ipcdemo doctor` says how to make it",
			    ipc->device);
	case EACCES:
	case EPERM:
		return fail(ipc, err,
			    "no permission to open %s for %s: as root, `chmod a+rw %s`",
			    ipc->device, mode_words(flags), ipc->device);
	case ENXIO:
		if ((flags & O_ACCMODE) == O_WRONLY && (flags & O_NONBLOCK))
			return fail(ipc, err,
				    "nobody has %s open for reading: start a reader first, or write without -n",
				    ipc->device);
		return fail(ipc, err,
			    "%s is not the device of the loaded module: `ipcdemo doctor` says how to make it again",
			    ipc->device);
	}
	return fail(ipc, err, "cannot open %s for %s: %s", ipc->device,
		    mode_words(flags), strerror(err));
}

/* What to do about an errno that says the same whatever the request was. */
static int ioctl_fail(struct ipcdemo *ipc, const char *what, __u32 id, int err)
{
	switch (err) {
	case ENOTTY:
		return fail(ipc, err, "%s: %s does not know this request: %s",
			    what, ipc->device,
			    "`ipcdemo doctor` compares module and program");
	case E2BIG:
		return fail(ipc, err, "%s: the module is older than this %s",
			    what, "program and lacks what was asked for");
	case ENOENT:
		return fail(ipc, err,
			    "%s: there is no such object with the id %u: `ipcdemo ls` lists them",
			    what, id);
	}
	return fail(ipc, err, "%s: %s", what, strerror(err));
}

int ipcdemo_pipe_stat(struct ipcdemo *ipc, int fd, __u32 id,
		      struct ipcdemo_pipe_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->size = sizeof(*stat);
	stat->id = id;
	if (ioctl(fd, IPCDEMO_IOC_PIPE_STAT, stat))
		return ioctl_fail(ipc, "cannot ask for the state of a pipe", id,
				  errno);
	return 0;
}

int ipcdemo_region_stat(struct ipcdemo *ipc, int fd, __u32 id,
			struct ipcdemo_region_stat *stat)
{
	memset(stat, 0, sizeof(*stat));
	stat->size = sizeof(*stat);
	stat->id = id;
	if (ioctl(fd, IPCDEMO_IOC_REGION_STAT, stat))
		return ioctl_fail(ipc, "cannot ask for the state of a region",
				  id, errno);
	return 0;
}

ssize_t ipcdemo_peek(struct ipcdemo *ipc, int fd, __u32 id, __u64 skip,
		     void *buf, size_t len, __u64 *bytes)
{
	struct ipcdemo_peek peek = {
		.size = sizeof(peek),
		.id = id,
		.skip = skip,
		.buf = (uintptr_t)buf,
		.len = len,
	};

	if (ioctl(fd, IPCDEMO_IOC_PEEK, &peek))
		return ioctl_fail(ipc, "cannot peek", id, errno);
	if (bytes)
		*bytes = peek.bytes;
	return peek.len;
}

static int attr(int fd, unsigned long request, __u32 id, __u64 *value)
{
	struct ipcdemo_attr arg = {
		.size = sizeof(arg),
		.id = id,
		.value = *value,
	};

	if (ioctl(fd, request, &arg))
		return -errno;
	*value = arg.value;
	return 0;
}

int ipcdemo_get_capacity(struct ipcdemo *ipc, int fd, __u32 id, __u64 *bytes)
{
	int err;

	*bytes = 0;
	err = attr(fd, IPCDEMO_IOC_GET_CAPACITY, id, bytes);
	if (err)
		return ioctl_fail(ipc, "cannot ask for the capacity", id, -err);
	return 0;
}

int ipcdemo_set_capacity(struct ipcdemo *ipc, int fd, __u32 id, __u64 *bytes)
{
	unsigned long long size = *bytes;
	int err = -attr(fd, IPCDEMO_IOC_SET_CAPACITY, id, bytes);

	switch (err) {
	case 0:
		return 0;
	case EINVAL:
		return fail(ipc, err,
			    "a capacity of %llu bytes is too large: %s", size,
			    "at most 2147483648 (2G)");
	case EBUSY:
		return fail(ipc, err,
			    "the pipe holds more than fits into %llu bytes: read some of it first",
			    size);
	case EPERM:
		return fail(ipc, err,
			    "a capacity of %llu bytes is above what an ordinary user may set: ask for less, or do it as root",
			    size);
	}
	return ioctl_fail(ipc, "cannot set the capacity", id, err);
}

int ipcdemo_get_persistence(struct ipcdemo *ipc, int fd, __u32 id, __u64 *value)
{
	int err;

	*value = 0;
	err = attr(fd, IPCDEMO_IOC_GET_PERSISTENCE, id, value);
	if (err)
		return ioctl_fail(ipc, "cannot ask for the persistence", id,
				  -err);
	return 0;
}

int ipcdemo_set_persistence(struct ipcdemo *ipc, int fd, __u32 id, __u64 value)
{
	int err = attr(fd, IPCDEMO_IOC_SET_PERSISTENCE, id, &value);

	if (err)
		return ioctl_fail(ipc, "cannot set the persistence", id, -err);
	return 0;
}

int ipcdemo_region_fd(struct ipcdemo *ipc, int fd, __u32 id)
{
	struct ipcdemo_region_fd arg = {
		.size = sizeof(arg),
		.id = id,
		.flags = O_CLOEXEC,
	};
	int region = ioctl(fd, IPCDEMO_IOC_REGION_FD, &arg);

	if (region < 0)
		return ioctl_fail(ipc, "cannot open the region", id, errno);
	return region;
}

/* ---- gates -------------------------------------------------------------- */

int ipcdemo_gate_add(struct ipcdemo *ipc, int fd, __u32 id, const char *point,
		     pid_t pid, __u32 count)
{
	struct ipcdemo_gate arg = {
		.size = sizeof(arg),
		.id = id,
		.pid = pid,
		.count = count,
	};

	if (strlen(point) >= sizeof(arg.point))
		return fail(ipc, EINVAL, "no point has a name such as %s",
			    point);
	strcpy(arg.point, point);
	if (!ioctl(fd, IPCDEMO_IOC_GATE_ADD, &arg))
		return arg.gate;
	switch (errno) {
	case EPERM:
		return fail(ipc, EPERM,
			    "only the owner of the object, or root, can set gates: do it as root");
	case EINVAL:
		return fail(ipc, EINVAL,
			    "no task can be held at %s: /proc/ipcdemo/points lists the points",
			    point);
	}
	return ioctl_fail(ipc, "cannot set a gate", id, errno);
}

int ipcdemo_gate_remove(struct ipcdemo *ipc, int fd, __u32 gate)
{
	struct ipcdemo_gate arg = {.size = sizeof(arg), .gate = gate};

	if (ioctl(fd, IPCDEMO_IOC_GATE_REMOVE, &arg))
		return ioctl_fail(ipc, "cannot remove a gate", 0, errno);
	return 0;
}

int ipcdemo_gate_wait(struct ipcdemo *ipc, int fd, int timeout_ms,
		      struct ipcdemo_arrival *arrival)
{
	struct ipcdemo_gate_wait arg = {
		.size = sizeof(arg),
		.timeout_ms = timeout_ms,
	};

	if (ioctl(fd, IPCDEMO_IOC_GATE_WAIT, &arg))
		return ioctl_fail(ipc, "cannot wait at the gates", 0, errno);
	*arrival = arg.arrival;
	return 0;
}

int ipcdemo_gate_go(struct ipcdemo *ipc, int fd, pid_t pid, __u32 flags)
{
	struct ipcdemo_gate_go arg = {
		.size = sizeof(arg),
		.pid = pid,
		.flags = flags,
	};

	if (!ioctl(fd, IPCDEMO_IOC_GATE_GO, &arg))
		return 0;
	if (errno == ESRCH)
		return fail(ipc, ESRCH, "process %d is not held at a gate",
			    pid);
	return ioctl_fail(ipc, "cannot let a process through", 0, errno);
}

int ipcdemo_tasks(struct ipcdemo *ipc, int fd, __u32 flags, int timeout_ms,
		  struct ipcdemo_arrival *tasks, __u32 count)
{
	struct ipcdemo_tasks arg = {
		.size = sizeof(arg),
		.flags = flags,
		.timeout_ms = timeout_ms,
		.count = count,
		.tasks = (uintptr_t)tasks,
		.element_size = sizeof(*tasks),
	};

	if (ioctl(fd, IPCDEMO_IOC_TASKS, &arg))
		return ioctl_fail(ipc, "cannot ask what tasks are doing", 0,
				  errno);
	return 0;
}

/* ---- where a pipe with a name is ----------------------------------------- */

/**
 * struct mount - a line of /proc/self/mountinfo
 * @dev:	major:minor, of which file system
 * @root:	which directory of it
 * @point:	where
 */
struct mount {
	const char *dev;
	const char *root;
	const char *point;
};

/**
 * struct mounts - what is mounted where
 * @text:	what the words are pieces of
 */
struct mounts {
	char *text;
	size_t n;
	struct mount *mount;
};

static void free_mounts(struct mounts *m)
{
	free(m->mount);
	free(m->text);
	memset(m, 0, sizeof(*m));
}

/* Without it names stay what they are; so only -ENOMEM is an error. */
static int read_mounts(struct ipcdemo *ipc, struct mounts *m)
{
	char path[PATH_LEN], *rest, *line, *words[5];
	struct mount *more;
	size_t room = 0, i;

	memset(m, 0, sizeof(*m));
	snprintf(path, sizeof(path), "%s/proc/self/mountinfo", ipc->root);
	if (read_file(ipc, path, &m->text))
		return 0;
	rest = m->text;
	while ((line = next_line(&rest))) {
		for (i = 0; i < 5; i++) {
			words[i] = next_word(&line);
			if (!words[i])
				break;
		}
		if (i < 5)
			continue;
		if (m->n == room) {
			room = room ? room * 2 : 32;
			more = realloc(m->mount, room * sizeof(*more));
			if (!more) {
				free_mounts(m);
				return fail(ipc, ENOMEM, "%s: out of memory",
					    path);
			}
			m->mount = more;
		}
		unescape(words[3]);
		unescape(words[4]);
		m->mount[m->n++] = (struct mount){
			.dev = words[2],
			.root = words[3],
			.point = words[4],
		};
	}
	return 0;
}

/* What of the path is below the directory; NULL if it is elsewhere. */
static const char *below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (!strcmp(dir, "/"))
		return path;
	if (strncmp(path, dir, len) || (path[len] && path[len] != '/'))
		return NULL;
	return path + len;
}

/*
 * Writes the path of a name on the file system dev, or the name alone if that
 * is nowhere to be seen, with its 0.  Return: behind that.
 */
static char *put_name(const struct mounts *m, const char *dev, const char *name,
		      char *to)
{
	const char *rest = NULL, *point = "";
	size_t i;

	for (i = 0; i < m->n && !rest; i++) {
		if (strcmp(m->mount[i].dev, dev))
			continue;
		rest = below(name, m->mount[i].root);
		point = m->mount[i].point;
	}
	if (!rest || !strcmp(point, "/"))
		point = "";
	to = stpcpy(to, point);
	return stpcpy(to, rest ?: name) + 1;
}

/* The most bytes that put_name() writes for such a name. */
static size_t name_room(const struct mounts *m, const char *name)
{
	size_t i, len, most = 0;

	for (i = 0; i < m->n; i++) {
		len = strlen(m->mount[i].point);
		most = len > most ? len : most;
	}
	return most + strlen(name) + 1;
}

/* A path on ipcdemofs: no other pipe with a device has a name that is one. */
static bool is_path(const char *dev, const char *name)
{
	return dev && name && *name == '/' && strcmp(dev, "-");
}

/* Makes paths of the names of a table.  @escaped: they are as in /proc. */
static int find_paths(struct ipcdemo *ipc, struct ipcdemo_table *t,
		      bool escaped)
{
	int column = ipcdemo_column(t, "name");
	struct mounts mounts = {0};
	size_t row, room = 0;
	bool any = false;
	char *to, *name;
	int err = 0;

	for (row = 0; row < t->rows && !any; row++)
		any = is_path(ipcdemo_cell(t, row, "dev"),
			      ipcdemo_cell(t, row, "name"));
	if (!any)
		return 0;
	err = read_mounts(ipc, &mounts);
	if (err)
		return err;
	for (row = 0; row < t->rows; row++)
		room += name_room(&mounts, ipcdemo_cell(t, row, "name"));
	t->names = malloc(room);
	if (!t->names)
		err = fail(ipc, ENOMEM, "names of pipes: out of memory");
	to = t->names;
	for (row = 0; row < t->rows && !err; row++) {
		name = t->cells[row * t->columns + column];
		if (!is_path(ipcdemo_cell(t, row, "dev"), name))
			continue;
		if (escaped)
			unescape(name);
		t->cells[row * t->columns + column] = to;
		to = put_name(&mounts, ipcdemo_cell(t, row, "dev"), name, to);
	}
	free_mounts(&mounts);
	return err;
}

/*
 * What a view calls the object @plain, whose place is taken: its path, or the same.
 * NULL: out of memory.
 */
static char *find_path(struct ipcdemo *ipc, const char *dev, char *plain)
{
	struct mounts mounts = {0};
	char *path = NULL;

	if (!plain || !is_path(dev, plain))
		return plain;
	if (!read_mounts(ipc, &mounts))
		path = malloc(name_room(&mounts, plain));
	if (path)
		put_name(&mounts, dev, plain, path);
	free_mounts(&mounts);
	free(plain);
	return path;
}

/* The name of a view, from its lines. */
static char *find_name(struct reader *r, const struct ipcdemo_table *t)
{
	const char *name = want_line(r, t, "name");
	const char *dev = ipcdemo_cell(t, 0, "dev");
	char *plain;

	if (r->err)
		return NULL;
	plain = strdup(name);
	if (plain && is_path(dev, name))
		unescape(plain);
	plain = find_path(r->ipc, dev, plain);
	if (!plain)
		r->err = fail(r->ipc, ENOMEM, "%s: out of memory", r->file);
	return plain;
}

/* ---- through netlink, or else through /proc ----------------------------- */

/* A made-up machine has a /proc alone. */
static bool may_use_netlink(const struct ipcdemo *ipc)
{
	return !*ipc->root;
}

/*
 * Should /proc be read after that?  It has words for most of what is wrong.
 * EPROTONOSUPPORT is what the kernel says while the module is being removed.
 */
static bool is_no_answer(int err)
{
	return err == -EOPNOTSUPP || err == -EPROTONOSUPPORT ||
	       err == -ENOENT || err == -ENOBUFS;
}

/* What netlink made of a request for an object, in words. */
static int netlink_fail(struct ipcdemo *ipc, int err)
{
	return fail(ipc, -err, "netlink family ipcdemo: %s", strerror(-err));
}

int ipcdemo_list(struct ipcdemo *ipc, enum ipcdemo_kind kind,
		 struct ipcdemo_table *table)
{
	char path[PATH_LEN + 16], *text, *rest;
	int err = ipcdemo_check(ipc);

	memset(table, 0, sizeof(*table));
	if (err)
		return err;
	if (may_use_netlink(ipc)) {
		err = netlink_list(kind, table);
		if (!err)
			err = find_paths(ipc, table, false);
		else if (!is_no_answer(err))
			netlink_fail(ipc, err);
		if (!is_no_answer(err)) {
			if (err)
				ipcdemo_table_free(table);
			return err;
		}
	}
	snprintf(path, sizeof(path), "%s/%s", ipc->proc,
		 kind == IPCDEMO_PIPE ? "pipes" : "regions");
	err = read_file(ipc, path, &text);
	if (err)
		return err;
	rest = text;
	err = parse_table(ipc, path, &rest, table);
	if (err) {
		free(text);
		return err;
	}
	table->text = text;
	if (ipcdemo_column(table, "id") < 0) {
		ipcdemo_table_free(table);
		return fail(ipc, EPROTO, "%s: there is no column 'id'", path);
	}
	err = find_paths(ipc, table, true);
	if (err)
		ipcdemo_table_free(table);
	return err;
}

int ipcdemo_points(struct ipcdemo *ipc, struct ipcdemo_table *table)
{
	char path[PATH_LEN + 16], *text, *rest;
	int err;

	snprintf(path, sizeof(path), "%s/points", ipc->proc);
	err = read_file(ipc, path, &text);
	if (err)
		return err;
	rest = text;
	err = parse_table(ipc, path, &rest, table);
	if (err)
		free(text);
	else
		table->text = text;
	return err;
}

int ipcdemo_default(struct ipcdemo *ipc, enum ipcdemo_kind kind, __u32 *id)
{
	struct reader r = {.ipc = ipc,
			   .file = kind == IPCDEMO_PIPE ? "pipes" : "regions"};
	struct ipcdemo_table table;
	const char *name;
	size_t row, i;

	r.err = ipcdemo_list(ipc, kind, &table);
	if (r.err)
		return r.err;
	/* By name; the oldest one if no object is called that. */
	for (row = 0, i = 0; i < table.rows; i++) {
		name = ipcdemo_cell(&table, i, "name");
		if (name && !strcmp(name, "/dev/ipcdemo")) {
			row = i;
			break;
		}
	}
	if (!table.rows)
		r.err = fail(ipc, ENOENT, "there is no %s",
			     kind == IPCDEMO_PIPE ? "pipe" : "region");
	*id = r.err ? 0 : cell_number(&r, &table, row, "id", UINT32_MAX);
	ipcdemo_table_free(&table);
	return r.err;
}

static int read_counters(struct reader *r, char **text,
			 struct ipcdemo_counter **counters, size_t *n)
{
	struct ipcdemo_table t;
	struct ipcdemo_counter *c;
	size_t i;

	r->err = parse_table(r->ipc, r->file, text, &t);
	if (r->err)
		return r->err;
	c = calloc(t.rows + 1, sizeof(*c));
	if (!c)
		r->err = fail(r->ipc, ENOMEM, "%s: out of memory", r->file);
	for (i = 0; i < t.rows && !r->err; i++) {
		cell_word(r, &t, i, "point", c[i].point, sizeof(c[i].point));
		cell_word(r, &t, i, "unit", c[i].unit, sizeof(c[i].unit));
		c[i].count = cell_number(r, &t, i, "count", UINT64_MAX);
	}
	*n = t.rows;
	*counters = c;
	ipcdemo_table_free(&t);
	return r->err;
}

static enum ipcdemo_slot_state slot_state(struct reader *r, const char *word)
{
	if (!strcmp(word, "data"))
		return IPCDEMO_SLOT_DATA;
	if (!strcmp(word, "spare"))
		return IPCDEMO_SLOT_SPARE;
	if (!strcmp(word, "free"))
		return IPCDEMO_SLOT_FREE;
	if (!r->err)
		r->err = fail(r->ipc, EPROTO,
			      "%s: '%s' is no state of a slot that this %s",
			      r->file, word, "program knows");
	return IPCDEMO_SLOT_FREE;
}

static int read_ring(struct reader *r, char **text,
		     struct ipcdemo_pipe_view *view)
{
	struct ipcdemo_table t;
	struct ipcdemo_slot *s;
	char state[16] = "";
	__u64 place;
	size_t i;

	r->err = parse_table(r->ipc, r->file, text, &t);
	if (r->err)
		return r->err;
	if (t.rows != view->slots) {
		r->err = fail(r->ipc, EPROTO,
			      "%s: %zu lines in the ring, but 'slots' is %u",
			      r->file, t.rows, view->slots);
		goto out;
	}
	view->ring = calloc(t.rows + 1, sizeof(*s));
	if (!view->ring)
		r->err = fail(r->ipc, ENOMEM, "%s: out of memory", r->file);
	for (i = 0; i < t.rows && !r->err; i++) {
		place = cell_number(r, &t, i, "slot", UINT32_MAX);
		if (!r->err && place >= t.rows) {
			r->err = fail(r->ipc, EPROTO, "%s: slot %llu of %u",
				      r->file, (unsigned long long)place,
				      view->slots);
			break;
		}
		s = &view->ring[place];
		cell_word(r, &t, i, "state", state, sizeof(state));
		s->state = slot_state(r, state);
		s->index = cell_number(r, &t, i, "index", UINT32_MAX);
		s->page = cell_number(r, &t, i, "page", UINT64_MAX);
		s->pfn = cell_number(r, &t, i, "pfn", UINT64_MAX);
		s->offset = cell_number(r, &t, i, "offset", UINT32_MAX);
		s->len = cell_number(r, &t, i, "len", UINT32_MAX);
		cell_word(r, &t, i, "flags", s->flags, sizeof(s->flags));
	}
out:
	ipcdemo_table_free(&t);
	return r->err;
}

static double cell_time(struct reader *r, const struct ipcdemo_table *t,
			size_t row, const char *column)
{
	const char *word = want_cell(r, t, row, column);
	double seconds;
	char *end;

	if (r->err)
		return 0;
	seconds = strtod(word, &end);
	if (end == word || *end)
		r->err = fail(r->ipc, EPROTO,
			      "%s: '%s' should be a number, it is '%s'",
			      r->file, column, word);
	return seconds;
}

static double cell_seconds(struct reader *r, const struct ipcdemo_table *t,
			   size_t row)
{
	return cell_time(r, t, row, "seconds");
}

/* A command, which is @size bytes long at most. */
static void cell_command(struct reader *r, const struct ipcdemo_table *t,
			 size_t row, const char *column, char *to, size_t size)
{
	cell_word(r, t, row, column, to, size);
	unescape(to);
}

static void cell_waiter(struct reader *r, const struct ipcdemo_table *t,
			size_t row, struct ipcdemo_waiter *w)
{
	cell_word(r, t, row, "point", w->point, sizeof(w->point));
	w->pid = cell_number(r, t, row, "pid", INT32_MAX);
	cell_command(r, t, row, "command", w->command, sizeof(w->command));
	cell_word(r, t, row, "state", w->state, sizeof(w->state));
	w->seconds = cell_seconds(r, t, row);
}

static int read_waiters(struct reader *r, char **text,
			struct ipcdemo_waiter **waiters, size_t *n)
{
	struct ipcdemo_waiter *w;
	struct ipcdemo_table t;
	size_t i;

	r->err = parse_table(r->ipc, r->file, text, &t);
	if (r->err)
		return r->err;
	w = calloc(t.rows + 1, sizeof(*w));
	if (!w)
		r->err = fail(r->ipc, ENOMEM, "%s: out of memory", r->file);
	for (i = 0; i < t.rows && !r->err; i++)
		cell_waiter(r, &t, i, &w[i]);
	*n = t.rows;
	*waiters = w;
	ipcdemo_table_free(&t);
	return r->err;
}

/*
 * The next table, and room for an element of each of its rows; NULL on an error.
 * An older module does not have the table: then it has no rows.
 */
static void *read_rows(struct reader *r, char **text, struct ipcdemo_table *t,
		       size_t element)
{
	void *rows;

	memset(t, 0, sizeof(*t));
	if (r->err)
		return NULL;
	if (**text)
		r->err = parse_table(r->ipc, r->file, text, t);
	if (r->err)
		return NULL;
	rows = calloc(t->rows + 1, element);
	if (!rows)
		r->err = fail(r->ipc, ENOMEM, "%s: out of memory", r->file);
	return rows;
}

static void read_trail(struct reader *r, char **text,
		       struct ipcdemo_pipe_view *view)
{
	struct ipcdemo_trace *trace;
	struct ipcdemo_table t;
	size_t i;

	view->trail = read_rows(r, text, &t, sizeof(*view->trail));
	for (i = 0; i < t.rows && !r->err; i++) {
		trace = &view->trail[i];
		cell_word(r, &t, i, "event", trace->event,
			  sizeof(trace->event));
		trace->count = cell_number(r, &t, i, "count", UINT64_MAX);
		trace->pid = cell_number(r, &t, i, "pid", INT32_MAX);
		cell_command(r, &t, i, "command", trace->command,
			     sizeof(trace->command));
		trace->seconds = cell_seconds(r, &t, i);
	}
	view->ntrail = t.rows;
	ipcdemo_table_free(&t);
}

static void read_pipe_lines(struct reader *r, char **text,
			    struct ipcdemo_pipe_view *v)
{
	struct ipcdemo_table t;

	r->err = parse_lines(r->ipc, r->file, text, &t);
	if (r->err)
		return;
	v->id = line_number(r, &t, "id", UINT32_MAX);
	v->name = find_name(r, &t);
	v->owner = line_number(r, &t, "owner", UINT32_MAX);
	line_word(r, &t, "mode", v->mode, sizeof(v->mode));
	line_word(r, &t, "persistence", v->persistence, sizeof(v->persistence));
	v->capacity = line_number(r, &t, "capacity", UINT64_MAX);
	v->slots = line_number(r, &t, "slots", 1U << 31);
	v->used = line_number(r, &t, "used", UINT32_MAX);
	v->bytes = line_number(r, &t, "bytes", UINT64_MAX);
	v->head = line_number(r, &t, "head", UINT32_MAX);
	v->tail = line_number(r, &t, "tail", UINT32_MAX);
	v->readers = line_number(r, &t, "readers", UINT32_MAX);
	v->writers = line_number(r, &t, "writers", UINT32_MAX);
	v->spare = line_number(r, &t, "spare", UINT32_MAX);
	line_word(r, &t, "snapshot", v->snapshot, sizeof(v->snapshot));
	v->read_pollers = line_number(r, &t, "read_pollers", UINT32_MAX);
	v->write_pollers = line_number(r, &t, "write_pollers", UINT32_MAX);
	if (!r->err && !v->slots)
		r->err = fail(r->ipc, EPROTO, "%s: a ring of 0 slots", r->file);
	ipcdemo_table_free(&t);
}

static int read_object(struct ipcdemo *ipc, const char *path, const char *kind,
		       __u32 id, char **text)
{
	int err = read_file(ipc, path, text);

	if (err == -ENOENT)
		return fail(ipc, ENOENT,
			    "there is no %s with the id %u: `ipcdemo ls` lists them",
			    kind, id);
	return err;
}

/* Makes a path of the name of a view that netlink has filled. */
static int find_view_path(struct ipcdemo *ipc, const char *dev, char **name)
{
	*name = find_path(ipc, dev, *name);
	return *name ? 0 : fail(ipc, ENOMEM, "names: out of memory");
}

int ipcdemo_pipe_view(struct ipcdemo *ipc, __u32 id,
		      struct ipcdemo_pipe_view *view)
{
	char path[PATH_LEN + 32], *text, *rest, dev[32];
	struct reader r = {.ipc = ipc, .file = path};

	memset(view, 0, sizeof(*view));
	r.err = ipcdemo_check(ipc);
	if (r.err)
		return r.err;
	if (may_use_netlink(ipc)) {
		r.err = netlink_pipe_view(id, view, dev, sizeof(dev));
		if (!r.err)
			r.err = find_view_path(ipc, dev, &view->name);
		else if (!is_no_answer(r.err))
			netlink_fail(ipc, r.err);
		if (!is_no_answer(r.err)) {
			if (r.err)
				ipcdemo_pipe_view_free(view);
			return r.err;
		}
	}
	snprintf(path, sizeof(path), "%s/pipe/%u", ipc->proc, id);
	r.err = read_object(ipc, path, "pipe", id, &text);
	if (r.err)
		return r.err;

	rest = text;
	read_pipe_lines(&r, &rest, view);
	if (!r.err)
		read_ring(&r, &rest, view);
	if (!r.err)
		read_waiters(&r, &rest, &view->waiters, &view->nwaiters);
	if (!r.err)
		read_counters(&r, &rest, &view->counters, &view->ncounters);
	/* An older module has not got these */
	if (!r.err && *rest)
		read_waiters(&r, &rest, &view->held, &view->nheld);
	read_trail(&r, &rest, view);
	free(text);
	if (r.err)
		ipcdemo_pipe_view_free(view);
	return r.err;
}

void ipcdemo_pipe_view_free(struct ipcdemo_pipe_view *view)
{
	free(view->name);
	free(view->ring);
	free(view->waiters);
	free(view->counters);
	free(view->held);
	free(view->trail);
	memset(view, 0, sizeof(*view));
}

static int read_runs(struct reader *r, char **text,
		     struct ipcdemo_region_view *v)
{
	struct ipcdemo_table t;
	size_t i;

	r->err = parse_table(r->ipc, r->file, text, &t);
	if (r->err)
		return r->err;
	v->runs = calloc(t.rows + 1, sizeof(*v->runs));
	if (!v->runs)
		r->err = fail(r->ipc, ENOMEM, "%s: out of memory", r->file);
	for (i = 0; i < t.rows && !r->err; i++) {
		v->runs[i].first = cell_number(r, &t, i, "first", UINT64_MAX);
		v->runs[i].last = cell_number(r, &t, i, "last", UINT64_MAX);
		cell_word(r, &t, i, "state", v->runs[i].state,
			  sizeof(v->runs[i].state));
	}
	v->nruns = t.rows;
	ipcdemo_table_free(&t);
	return r->err;
}

static int read_faults(struct reader *r, char **text,
		       struct ipcdemo_region_view *v)
{
	struct ipcdemo_fault *f;
	struct ipcdemo_table t;
	size_t i;

	r->err = parse_table(r->ipc, r->file, text, &t);
	if (r->err)
		return r->err;
	f = calloc(t.rows + 1, sizeof(*f));
	if (!f)
		r->err = fail(r->ipc, ENOMEM, "%s: out of memory", r->file);
	for (i = 0; i < t.rows && !r->err; i++) {
		f[i].page = cell_number(r, &t, i, "page", UINT64_MAX);
		cell_word(r, &t, i, "access", f[i].access, sizeof(f[i].access));
		f[i].pid = cell_number(r, &t, i, "pid", INT32_MAX);
		cell_word(r, &t, i, "command", f[i].command,
			  sizeof(f[i].command));
		unescape(f[i].command);
		f[i].seconds = cell_seconds(r, &t, i);
	}
	v->nfaults = t.rows;
	v->faults = f;
	ipcdemo_table_free(&t);
	return r->err;
}

static void read_word_waiters(struct reader *r, char **text,
			      struct ipcdemo_region_view *v)
{
	struct ipcdemo_table t;
	size_t i;

	v->waiters = read_rows(r, text, &t, sizeof(*v->waiters));
	for (i = 0; i < t.rows && !r->err; i++) {
		v->waiters[i].offset =
			cell_number(r, &t, i, "offset", UINT64_MAX);
		cell_waiter(r, &t, i, &v->waiters[i].task);
	}
	v->nwaiters = t.rows;
	ipcdemo_table_free(&t);
}

static void read_wakes(struct reader *r, char **text,
		       struct ipcdemo_region_view *v)
{
	struct ipcdemo_wake_up *w;
	struct ipcdemo_table t;
	size_t i;

	v->wakes = read_rows(r, text, &t, sizeof(*v->wakes));
	for (i = 0; i < t.rows && !r->err; i++) {
		w = &v->wakes[i];
		w->offset = cell_number(r, &t, i, "offset", UINT64_MAX);
		w->waker = cell_number(r, &t, i, "waker", INT32_MAX);
		cell_command(r, &t, i, "waker_command", w->waker_command,
			     sizeof(w->waker_command));
		w->woken = cell_number(r, &t, i, "woken", INT32_MAX);
		cell_command(r, &t, i, "woken_command", w->woken_command,
			     sizeof(w->woken_command));
		w->waited = cell_time(r, &t, i, "waited");
		w->seconds = cell_seconds(r, &t, i);
	}
	v->nwakes = t.rows;
	ipcdemo_table_free(&t);
}

static void read_owners(struct reader *r, char **text,
			struct ipcdemo_region_view *v)
{
	struct ipcdemo_lock_owner *o;
	struct ipcdemo_table t;
	size_t i;

	v->owners = read_rows(r, text, &t, sizeof(*v->owners));
	for (i = 0; i < t.rows && !r->err; i++) {
		o = &v->owners[i];
		o->owner = cell_number(r, &t, i, "owner", UINT32_MAX);
		o->pid = cell_number(r, &t, i, "pid", INT32_MAX);
		cell_command(r, &t, i, "command", o->command,
			     sizeof(o->command));
		o->offset = cell_number(r, &t, i, "offset", UINT64_MAX);
		o->entries = cell_number(r, &t, i, "entries", UINT32_MAX);
	}
	v->nowners = t.rows;
	ipcdemo_table_free(&t);
}

static void read_eventfds(struct reader *r, char **text,
			  struct ipcdemo_region_view *v)
{
	struct ipcdemo_bound_eventfd *e;
	struct ipcdemo_table t;
	size_t i;

	v->eventfds = read_rows(r, text, &t, sizeof(*v->eventfds));
	for (i = 0; i < t.rows && !r->err; i++) {
		e = &v->eventfds[i];
		e->offset = cell_number(r, &t, i, "offset", UINT64_MAX);
		e->pid = cell_number(r, &t, i, "pid", INT32_MAX);
		cell_command(r, &t, i, "command", e->command,
			     sizeof(e->command));
	}
	v->neventfds = t.rows;
	ipcdemo_table_free(&t);
}

int ipcdemo_region_view(struct ipcdemo *ipc, __u32 id,
			struct ipcdemo_region_view *v)
{
	char path[PATH_LEN + 32], *text, *rest;
	struct reader r = {.ipc = ipc, .file = path};
	struct ipcdemo_table t;

	memset(v, 0, sizeof(*v));
	r.err = ipcdemo_check(ipc);
	if (r.err)
		return r.err;
	if (may_use_netlink(ipc)) {
		r.err = netlink_region_view(id, v);
		if (!r.err)
			r.err = find_view_path(ipc, v->dev, &v->name);
		else if (!is_no_answer(r.err))
			netlink_fail(ipc, r.err);
		if (!is_no_answer(r.err)) {
			if (r.err)
				ipcdemo_region_view_free(v);
			return r.err;
		}
	}
	snprintf(path, sizeof(path), "%s/region/%u", ipc->proc, id);
	r.err = read_object(ipc, path, "region", id, &text);
	if (r.err)
		return r.err;

	rest = text;
	r.err = parse_lines(ipc, path, &rest, &t);
	if (r.err)
		goto out;
	v->id = line_number(&r, &t, "id", UINT32_MAX);
	v->name = find_name(&r, &t);
	v->owner = line_number(&r, &t, "owner", UINT32_MAX);
	line_word(&r, &t, "mode", v->mode, sizeof(v->mode));
	v->size = line_number(&r, &t, "size", UINT64_MAX);
	v->pages = line_number(&r, &t, "pages", UINT64_MAX);
	v->files = line_number(&r, &t, "files", UINT32_MAX);
	v->maps = line_number(&r, &t, "maps", UINT32_MAX);
	v->page_size = line_number(&r, &t, "page_size", UINT64_MAX);
	line_word(&r, &t, "seals", v->seals, sizeof(v->seals));
	line_word(&r, &t, "dev", v->dev, sizeof(v->dev));
	if (!r.err && strcmp(v->dev, "-"))
		v->ino = line_number(&r, &t, "ino", UINT64_MAX);
	ipcdemo_table_free(&t);
	if (!r.err)
		read_counters(&r, &rest, &v->counters, &v->ncounters);
	if (!r.err)
		r.err = parse_table(ipc, path, &rest, &t); /* who is held */
	if (r.err)
		goto out;
	ipcdemo_table_free(&t);
	if (!read_runs(&r, &rest, v))
		read_faults(&r, &rest, v);
	read_word_waiters(&r, &rest, v);
	read_wakes(&r, &rest, v);
	read_owners(&r, &rest, v);
	read_eventfds(&r, &rest, v);
out:
	free(text);
	if (r.err)
		ipcdemo_region_view_free(v);
	return r.err;
}

int ipcdemo_region_block(struct ipcdemo *ipc, __u32 id, const char *first,
			 const char *last, struct ipcdemo_table *table)
{
	char path[PATH_LEN + 32], *text, *rest;
	int err = ipcdemo_check(ipc);
	char *const *header;

	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/region/%u", ipc->proc, id);
	err = read_object(ipc, path, "region", id, &text);
	if (err)
		return err;
	rest = text;
	/* Past the lines at the top */
	err = parse_lines(ipc, path, &rest, table);
	while (!err) {
		ipcdemo_table_free(table);
		if (!*rest) {
			err = fail(ipc, ENOENT, "%s: no table from %s to %s",
				   path, first, last);
			break;
		}
		err = parse_table(ipc, path, &rest, table);
		if (err)
			break;
		header = table->header;
		if (!strcmp(header[0], first) &&
		    !strcmp(header[table->columns - 1], last)) {
			/* Its words are pieces of the text */
			table->text = text;
			return 0;
		}
	}
	free(text);
	return err;
}

void ipcdemo_region_view_free(struct ipcdemo_region_view *view)
{
	free(view->name);
	free(view->counters);
	free(view->runs);
	free(view->faults);
	free(view->waiters);
	free(view->wakes);
	free(view->owners);
	free(view->eventfds);
	memset(view, 0, sizeof(*view));
}

const struct ipcdemo_trace *ipcdemo_trace(const struct ipcdemo_pipe_view *view,
					  const char *event)
{
	size_t i;

	for (i = 0; i < view->ntrail; i++)
		if (!strcmp(view->trail[i].event, event))
			return &view->trail[i];
	return NULL;
}

size_t ipcdemo_waiting(const struct ipcdemo_pipe_view *view, const char *point)
{
	size_t i, n = 0;

	for (i = 0; i < view->nwaiters; i++)
		n += !strcmp(view->waiters[i].point, point);
	return n;
}

__u64 ipcdemo_count(const struct ipcdemo_counter *counters, size_t n,
		    const char *point)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!strcmp(counters[i].point, point))
			return counters[i].count;
	return 0;
}

static void read_command(struct ipcdemo *ipc, pid_t pid, char *command,
			 size_t size)
{
	char path[PATH_LEN], *comm;

	snprintf(path, sizeof(path), "%s/proc/%d/comm", ipc->root, pid);
	if (read_file(ipc, path, &comm)) {
		snprintf(command, size, "?");
		return;
	}
	snprintf(command, size, "%.*s", (int)strcspn(comm, "\n"), comm);
	free(comm);
}

/*
 * Calls a function for each process; it returns 0, -ENOMEM, or why the process
 * cannot be looked into.  Return: 0 or -errno.
 */
static int each_process(struct ipcdemo *ipc, size_t *hidden,
			int (*look)(struct ipcdemo *ipc, pid_t pid, void *arg),
			void *arg)
{
	char path[PATH_LEN];
	struct dirent *entry;
	__u64 pid;
	int err = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/proc", ipc->root);
	dir = opendir(path);
	if (!dir) {
		err = errno;
		return fail(ipc, err, "%s: %s", path, strerror(err));
	}
	while (err != -ENOMEM && (entry = readdir(dir))) {
		if (!parse_u64(entry->d_name, &pid) || pid > INT32_MAX)
			continue;
		err = look(ipc, pid, arg);
		if (err == -EACCES || err == -EPERM)
			++*hidden;
	}
	closedir(dir);
	return err == -ENOMEM ? err : 0;
}

/* What process_maps() looks for, and where it puts it. */
struct map_search {
	const struct ipcdemo_region_view *region;
	char name[48]; /* of one that is no file of ipcdemofs */
	struct ipcdemo_maps *maps;
};

/* One line of /proc/PID/maps: start-end perms offset dev inode name */
static bool parse_map(char *line, const struct map_search *search,
		      struct ipcdemo_map *map)
{
	char *range = next_word(&line), *perms = next_word(&line);
	char *offset = next_word(&line), *end;
	unsigned int major, minor;
	unsigned long long ino;
	char dev[32];

	if (!range || !perms || !offset ||
	    sscanf(line, "%x:%x %llu", &major, &minor, &ino) != 3)
		return false;
	snprintf(dev, sizeof(dev), "%u:%u", major, minor);
	if (strcmp(dev, search->region->dev) ? !strstr(line, search->name)
					     : ino != search->region->ino)
		return false;
	map->start = strtoull(range, &end, 16);
	if (*end != '-')
		return false;
	map->end = strtoull(end + 1, NULL, 16);
	map->offset = strtoull(offset, NULL, 16);
	snprintf(map->perms, sizeof(map->perms), "%s", perms);
	return true;
}

/* Return: 0, -ENOMEM, or why the process cannot be looked into. */
static int process_maps(struct ipcdemo *ipc, pid_t pid, void *arg)
{
	char path[PATH_LEN], *text, *rest, *line;
	struct ipcdemo_map map = {.pid = pid}, *more;
	struct map_search *search = arg;
	struct ipcdemo_maps *maps = search->maps;
	int err;

	snprintf(path, sizeof(path), "%s/proc/%d/maps", ipc->root, pid);
	err = read_file(ipc, path, &text);
	if (err)
		return err;
	rest = text;
	while (!err && (line = next_line(&rest))) {
		if (!parse_map(line, search, &map))
			continue;
		read_command(ipc, pid, map.command, sizeof(map.command));
		more = realloc(maps->map, (maps->n + 1) * sizeof(*more));
		if (!more) {
			err = fail(ipc, ENOMEM, "%s: out of memory", path);
			break;
		}
		maps->map = more;
		maps->map[maps->n++] = map;
	}
	free(text);
	return err;
}

int ipcdemo_region_maps(struct ipcdemo *ipc,
			const struct ipcdemo_region_view *region,
			struct ipcdemo_maps *maps)
{
	struct map_search search = {.region = region, .maps = maps};
	int err;

	memset(maps, 0, sizeof(*maps));
	snprintf(search.name, sizeof(search.name), "ipcdemo-region:[%u]",
		 region->id);
	err = each_process(ipc, &maps->hidden, process_maps, &search);
	if (err)
		ipcdemo_maps_free(maps);
	return err;
}

void ipcdemo_maps_free(struct ipcdemo_maps *maps)
{
	free(maps->map);
	memset(maps, 0, sizeof(*maps));
}

/* What process_ends() looks for, 0 for all, and where it puts it. */
struct end_search {
	__u32 id;
	struct ipcdemo_ends *ends;
	size_t room;
};

/*
 * Is this the fdinfo of an end of a pipe?  A control descriptor and one of a
 * region are no ends.
 */
static bool parse_end(char *text, struct ipcdemo_end *end)
{
	char *line, *key, *value;
	__u64 object = 0;

	*end->end = '\0';
	while ((line = next_line(&text))) {
		key = next_word(&line);
		value = key ? next_word(&line) : NULL;
		if (!value)
			continue;
		if (!strcmp(key, "ipcdemo-object:") &&
		    !parse_u64(value, &object))
			return false;
		else if (!strcmp(key, "ipcdemo-end:"))
			snprintf(end->end, sizeof(end->end), "%s", value);
	}
	end->id = object;
	return !strcmp(end->end, "read") || !strcmp(end->end, "write") ||
	       !strcmp(end->end, "both");
}

static int add_end(struct ipcdemo *ipc, struct end_search *search,
		   struct ipcdemo_end *end)
{
	struct ipcdemo_ends *ends = search->ends;
	struct ipcdemo_end *more;
	size_t room;

	if (ends->n == search->room) {
		room = search->room ? search->room * 2 : 16;
		more = realloc(ends->end, room * sizeof(*more));
		if (!more)
			return fail(ipc, ENOMEM,
				    "the ends of a pipe: out of memory");
		ends->end = more;
		search->room = room;
	}
	/* Once a process, and not at all for most */
	if (!*end->command)
		read_command(ipc, end->pid, end->command, sizeof(end->command));
	ends->end[ends->n++] = *end;
	return 0;
}

/*
 * Can the descriptor, by its number in the directory fdinfo, be an end?  One
 * call to the kernel instead of three for each of the many that cannot.
 */
static bool may_be_end(int fdinfo, const char *fd)
{
	struct statx st;
	char path[32];

	snprintf(path, sizeof(path), "../fd/%.16s", fd);
	/* Not that of a file server that does not answer */
	if (statx(fdinfo, path, AT_STATX_DONT_SYNC, STATX_TYPE, &st))
		return true;
	return S_ISFIFO(st.stx_mode) || S_ISCHR(st.stx_mode);
}

/* Return: 0, -ENOMEM, or why the process cannot be looked into. */
static int process_ends(struct ipcdemo *ipc, pid_t pid, void *arg)
{
	char path[PATH_LEN], text[4096];
	struct end_search *search = arg;
	struct ipcdemo_end end = {.pid = pid};
	struct dirent *entry;
	int fd, err = 0;
	ssize_t n;
	__u64 number;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/proc/%d/fdinfo", ipc->root, pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir))) {
		if (!parse_u64(entry->d_name, &number) || number > INT32_MAX ||
		    !may_be_end(dirfd(dir), entry->d_name))
			continue;
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			/* Closed in the meantime is no reason to stop */
			if (errno == EACCES || errno == EPERM)
				err = -errno;
			continue;
		}
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		if (n <= 0)
			continue;
		text[n] = '\0';
		end.fd = number;
		if (parse_end(text, &end) &&
		    (!search->id || end.id == search->id))
			err = add_end(ipc, search, &end);
	}
	closedir(dir);
	return err;
}

static int compare_ends(const void *left, const void *right)
{
	const struct ipcdemo_end *a = left, *b = right;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return a->pid != b->pid ? a->pid - b->pid : a->fd - b->fd;
}

int ipcdemo_pipe_ends(struct ipcdemo *ipc, __u32 id, struct ipcdemo_ends *ends)
{
	struct end_search search = {.id = id, .ends = ends};
	int err;

	memset(ends, 0, sizeof(*ends));
	err = each_process(ipc, &ends->hidden, process_ends, &search);
	if (err)
		ipcdemo_ends_free(ends);
	else if (ends->n)
		qsort(ends->end, ends->n, sizeof(*ends->end), compare_ends);
	return err;
}

void ipcdemo_ends_free(struct ipcdemo_ends *ends)
{
	free(ends->end);
	memset(ends, 0, sizeof(*ends));
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that use a region: region ls, show, read, write, fill, grow
 *
 * They map that of the device through a descriptor of the region alone, which a
 * control descriptor gives: nobody becomes a reader or writer of the pipe by it.
 * Others are files.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli.h"

/* The bytes of a region that a command works on. */
struct window {
	const char *path; /* NULL: that of the device */
	bool writable;
	__u32 id;
	__u64 offset;
	__u64 len;
	unsigned char *bytes;

	/* what is mapped: whole pages around it */
	void *map;
	size_t map_len;
};

static int not_a_region(const char *path, int err)
{
	if (err == ENOTTY)
		return fail("%s is no region of ipcdemo: `ipcdemo region ls` lists them",
			    path);
	return fail("%s: %s", path, strerror(err));
}

/* A descriptor of the region, and its state; -1 after the error was told. */
static int open_region(struct cli *cli, const struct window *w,
		       struct ipcdemo_region_stat *stat)
{
	int control, fd;

	if (w->path) {
		fd = open(w->path,
			  (w->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
		*stat = (struct ipcdemo_region_stat){.size = sizeof(*stat)};
		if (fd >= 0 && !ioctl(fd, IPCDEMO_IOC_REGION_STAT, stat))
			return fd;
		not_a_region(w->path, errno);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	control = ipcdemo_open(cli->ipc, IPCDEMO_O_CONTROL);
	fd = control < 0 ? -1 : ipcdemo_region_fd(cli->ipc, control, 0);
	if (fd >= 0 && ipcdemo_region_stat(cli->ipc, fd, 0, stat)) {
		close(fd);
		fd = -1;
	}
	if (fd < 0)
		fail_ipc(cli);
	if (control >= 0)
		close(control);
	return fd;
}

/*
 * Maps len bytes at offset, or up to the end if len is UINT64_MAX. What lies
 * beyond the end would be SIGBUS: it is refused here.
 */
static int map_window(struct cli *cli, struct window *w)
{
	struct ipcdemo_region_stat stat;
	int fd, err = 0;
	__u64 page;

	fd = open_region(cli, w, &stat);
	if (fd < 0)
		return FAILED;
	w->id = stat.id;
	/* Nothing at the very end is what -c 0 may ask for */
	if (w->offset > stat.length ||
	    (w->offset && w->offset == stat.length && w->len)) {
		if (stat.length)
			err = fail("nothing is at %llu: the region has %llu bytes, up to %llu",
				   w->offset, stat.length, stat.length - 1);
		else
			err = fail("nothing is at %llu: it is empty: see `ipcdemo region grow`",
				   w->offset);
		goto out;
	}
	if (w->len == UINT64_MAX)
		w->len = stat.length - w->offset;
	if (w->len > stat.length - w->offset) {
		err = fail("%llu bytes from %llu on do not fit: %s %llu bytes",
			   w->len, w->offset, "the region has", stat.length);
		goto out;
	}
	/* mmap() of nothing is an error; nothing to do is not */
	if (!w->len)
		goto out;
	page = w->offset & ~(stat.page_size - 1);
	w->map_len = w->offset - page + w->len;
	w->map = mmap(NULL, w->map_len,
		      PROT_READ | (w->writable ? PROT_WRITE : 0), MAP_SHARED,
		      fd, page);
	if (w->map == MAP_FAILED) {
		w->map = NULL;
		err = fail("cannot map %zu bytes of the region: %s", w->map_len,
			   strerror(errno));
		goto out;
	}
	w->bytes = (unsigned char *)w->map + (w->offset - page);
out:
	close(fd);
	return err;
}

static void unmap_window(struct window *w)
{
	if (w->map)
		munmap(w->map, w->map_len);
}

int cmd_region_show(struct cli *cli, int argc, char **argv)
{
	enum ipcdemo_kind kind = IPCDEMO_REGION;
	const char *what;
	bool json = false;
	__u32 object;
	int id, status;

	while ((id = next_option(cli, argc, argv))) {
		if (id != OPT_JSON)
			return USAGE;
		json = true;
	}
	what = optind < argc ? argv[optind++] : NULL;
	status = no_more(cli, argc, argv);
	if (status)
		return status;
	if (what && what[strspn(what, "0123456789")])
		status = find_object(cli, what, &kind, &object);
	else
		status = parse_id(cli, IPCDEMO_REGION, what, &object);
	if (status)
		return status;
	if (kind != IPCDEMO_REGION)
		return fail("%s is a pipe: `ipcdemo show` shows it", what);
	return show_region(cli, object, json);
}

int cmd_region_grow(struct cli *cli, int argc, char **argv)
{
	struct window w = {.writable = true};
	struct ipcdemo_region_stat stat;
	int id, fd, status = DONE;
	__u64 size;

	while ((id = next_option(cli, argc, argv))) {
		if (id != 'f')
			return USAGE;
		w.path = optarg;
	}
	if (optind == argc)
		return usage(cli, "region grow needs a size");
	if (!parse_size(argv[optind], &size))
		return usage(cli, "'%s' is no number of bytes", argv[optind]);
	optind++;
	status = no_more(cli, argc, argv);
	if (status)
		return status;
	fd = open_region(cli, &w, &stat);
	if (fd < 0)
		return FAILED;
	if (size < stat.length)
		status =
			fail("it has %llu bytes, which are more: truncate(1) makes a file smaller",
			     stat.length);
	else if (size > INT64_MAX)
		status = fail("%llu bytes: %s", size, strerror(EFBIG));
	else if (stat.seals & IPCDEMO_SEAL_GROW && size > stat.length)
		status = fail("%s is sealed: it has %llu bytes for good",
			      w.path ? w.path : "the region of the device",
			      stat.length);
	else if (size > stat.length && ftruncate(fd, size))
		status =
			fail("%s cannot get %llu bytes: %s%s", w.path, size,
			     strerror(errno),
			     errno == EDQUOT
				     ? ", the module's parameter user_region_pages is the limit"
				     : "");
	close(fd);
	return status;
}

static int not_a_size(const struct cli *cli)
{
	return usage(cli, "'%s' is no number of bytes", optarg);
}

int cmd_region_read(struct cli *cli, int argc, char **argv)
{
	struct window w = {.len = UINT64_MAX};
	bool hex = false, json = false;
	json_object *o;
	int id, status;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case 'f':
			w.path = optarg;
			break;
		case 'o':
			if (parse_size(optarg, &w.offset))
				break;
			return not_a_size(cli);
		case 'c':
			if (parse_size(optarg, &w.len))
				break;
			return not_a_size(cli);
		case OPT_HEX:
			hex = true;
			break;
		case OPT_JSON:
			json = true;
			break;
		default:
			return USAGE;
		}
	}
	status = no_more(cli, argc, argv) ?: map_window(cli, &w);
	if (status)
		return status;
	if (json) {
		o = json_object_new_object();
		json_object_object_add(o, "id", json_object_new_uint64(w.id));
		json_object_object_add(o, "offset",
				       json_object_new_uint64(w.offset));
		json_object_object_add(o, "length",
				       json_object_new_uint64(w.len));
		json_object_object_add(o, "hex", json_bytes(w.bytes, w.len));
		status = put_json(o);
	} else if (hex || isatty(STDOUT_FILENO)) {
		put_hex(w.offset, w.bytes, w.len);
	} else {
		status = put_bytes(w.bytes, w.len);
	}
	unmap_window(&w);
	return status;
}

/*
 * All of a file, before the region is touched: what does not fit is refused as
 * a whole.  Stops at max + 1 bytes, enough to know that it does not fit.
 */
static int read_source(const char *name, __u64 max, unsigned char **bytes,
		       __u64 *len)
{
	size_t room = 0;
	unsigned char *more;
	int fd = STDIN_FILENO, err = 0;
	ssize_t n;

	*bytes = NULL;
	*len = 0;
	if (name)
		fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail("cannot read %s: %s", name, strerror(errno));
	while (*len <= max) {
		if (*len == room) {
			room = room ? room * 2 : 65536;
			more = realloc(*bytes, room);
			if (!more) {
				err = fail("out of memory");
				break;
			}
			*bytes = more;
		}
		n = read(fd, *bytes + *len, room - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = fail("cannot read %s: %s",
				   name ? name : "standard input",
				   strerror(errno));
		if (n <= 0)
			break;
		*len += n;
	}
	if (fd != STDIN_FILENO)
		close(fd);
	return err;
}

int cmd_region_write(struct cli *cli, int argc, char **argv)
{
	const char *string = NULL, *name = NULL;
	struct window all = {.len = UINT64_MAX}, w = {.writable = true};
	unsigned char *bytes = NULL;
	int id, status;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case 'f':
			w.path = optarg;
			break;
		case 'o':
			if (parse_size(optarg, &w.offset))
				break;
			return not_a_size(cli);
		case 's':
			string = optarg;
			break;
		default:
			return USAGE;
		}
	}
	if (optind < argc && strcmp(argv[optind], "-"))
		name = argv[optind];
	optind += optind < argc;
	status = no_more(cli, argc, argv);
	if (status)
		return status;
	if (string && name)
		return usage(cli,
			     "region write takes -s STRING or a file, not both");
	/* Only asks for the size: what is mapped and not touched stays free. */
	all.path = w.path;
	all.writable = true;
	status = map_window(cli, &all);
	if (status)
		return status;
	unmap_window(&all);
	if (string)
		w.len = strlen(string);
	else
		status = read_source(name, all.len, &bytes, &w.len);
	if (!status && !string && w.len > all.len)
		status =
			fail("%s is longer than the region, which has %llu bytes",
			     name ? name : "standard input", all.len);
	if (!status)
		status = map_window(cli, &w);
	if (!status && w.len)
		memcpy(w.bytes, string ? (const void *)string : bytes, w.len);
	unmap_window(&w);
	free(bytes);
	return status;
}

/* 65, 0x41 or 'A */
static bool parse_byte(const char *word, unsigned char *byte)
{
	__u64 n;

	if (word[0] == '\'' && word[1] && !word[2]) {
		*byte = word[1];
		return true;
	}
	if (!parse_size(word, &n) || n > 255)
		return false;
	*byte = n;
	return true;
}

int cmd_region_fill(struct cli *cli, int argc, char **argv)
{
	struct window w = {.len = UINT64_MAX, .writable = true};
	unsigned char byte;
	int id, status;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case 'f':
			w.path = optarg;
			break;
		case 'o':
			if (parse_size(optarg, &w.offset))
				break;
			return not_a_size(cli);
		case 'c':
			if (parse_size(optarg, &w.len))
				break;
			return not_a_size(cli);
		default:
			return USAGE;
		}
	}
	if (optind == argc)
		return usage(cli, "region fill needs a byte");
	if (!parse_byte(argv[optind], &byte))
		return usage(cli,
			     "'%s' is no byte: 0 to 255, or \"'A\" for the character A",
			     argv[optind]);
	optind++;
	status = no_more(cli, argc, argv) ?: map_window(cli, &w);
	if (status)
		return status;
	if (w.len)
		memset(w.bytes, byte, w.len);
	unmap_window(&w);
	return DONE;
}

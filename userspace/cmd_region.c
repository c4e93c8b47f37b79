// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that use the default region: region show, read, write, fill
 *
 * They map it through a descriptor of the region alone, which a control
 * descriptor gives: nobody becomes a reader or writer of the pipe by it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli.h"

/* The bytes of a region that a command works on. */
struct window {
	__u32 id;
	__u64 offset;
	__u64 len;
	unsigned char *bytes;

	/* what is mapped: whole pages around it */
	void *map;
	size_t map_len;
};

/*
 * Maps len bytes at offset, or up to the end if len is UINT64_MAX. What lies
 * beyond the end would be SIGBUS: it is refused here.
 */
static int map_window(struct cli *cli, struct window *w)
{
	struct ipcdemo_region_stat stat;
	int control, fd = -1, err = 0;
	__u64 page;

	control = ipcdemo_open(cli->ipc, IPCDEMO_O_CONTROL);
	if (control < 0)
		return fail_ipc(cli);
	if (ipcdemo_region_stat(cli->ipc, control, 0, &stat)) {
		err = fail_ipc(cli);
		goto out;
	}
	w->id = stat.id;
	/* Nothing at the very end is what -c 0 may ask for */
	if (w->offset > stat.length ||
	    (w->offset && w->offset == stat.length && w->len)) {
		err = fail("nothing is at %llu: the region has %llu bytes, up to %llu",
			   w->offset, stat.length, stat.length - 1);
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
	fd = ipcdemo_region_fd(cli->ipc, control, 0);
	if (fd < 0) {
		err = fail_ipc(cli);
		goto out;
	}
	page = w->offset & ~(stat.page_size - 1);
	w->map_len = w->offset - page + w->len;
	w->map = mmap(NULL, w->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      page);
	if (w->map == MAP_FAILED) {
		w->map = NULL;
		err = fail("cannot map %zu bytes of the region: %s", w->map_len,
			   strerror(errno));
		goto out;
	}
	w->bytes = (unsigned char *)w->map + (w->offset - page);
out:
	if (fd >= 0)
		close(fd);
	close(control);
	return err;
}

static void unmap_window(struct window *w)
{
	if (w->map)
		munmap(w->map, w->map_len);
}

int cmd_region_show(struct cli *cli, int argc, char **argv)
{
	const char *word;
	bool json = false;
	__u32 object;
	int id;

	while ((id = next_option(cli, argc, argv))) {
		if (id != OPT_JSON)
			return USAGE;
		json = true;
	}
	word = optind < argc ? argv[optind++] : NULL;
	return no_more(cli, argc, argv) ?:
	       parse_id(cli, IPCDEMO_REGION, word, &object) ?:
	       show_region(cli, object, json);
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
	struct window all = {.len = UINT64_MAX}, w = {0};
	unsigned char *bytes = NULL;
	int id, status;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
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
	struct window w = {.len = UINT64_MAX};
	unsigned char byte;
	int id, status;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
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

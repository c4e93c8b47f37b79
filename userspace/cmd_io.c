// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that use the default pipe: write, read, resize, persist
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

#define CHUNK (256 * 1024)

/* ---- write -------------------------------------------------------------- */

/* Return: 0, or FAILED after a sentence that says how far it came. */
static int write_pipe(int fd, const char *buf, size_t len, __u64 *done)
{
	ssize_t n;

	while (len) {
		n = write(fd, buf, len);
		if (n >= 0) {
			buf += n;
			len -= n;
			*done += n;
			continue;
		}
		switch (errno) {
		case EINTR:
			continue;
		case EPIPE:
			return fail("the last reader left after %llu bytes: %s",
				    *done,
				    "start one, and write the rest again");
		case EAGAIN:
			return fail("the pipe is full after %llu bytes: %s",
				    *done, "read some, or write without -n");
		}
		return fail("cannot write, after %llu bytes were written: %s",
			    *done, strerror(errno));
	}
	return DONE;
}

static int copy_in(int from, const char *name, int to)
{
	char *buf = malloc(CHUNK);
	int status = DONE;
	__u64 done = 0;
	ssize_t n;

	if (!buf)
		return fail("out of memory");
	while (status == DONE) {
		n = read(from, buf, CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			status = fail("cannot read %s: %s", name,
				      strerror(errno));
		if (n <= 0)
			break;
		status = write_pipe(to, buf, n, &done);
	}
	free(buf);
	return status;
}

/* The file is opened first: a wrong name must not wait for a reader. */
static int open_source(const char *name)
{
	int fd = STDIN_FILENO;
	struct stat st;

	if (name)
		fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fail("cannot read %s: %s", name, strerror(errno));
	} else if (!fstat(fd, &st) && S_ISDIR(st.st_mode)) {
		/* It opens, and only reading it fails */
		fail("cannot read %s: %s", name ? name : "standard input",
		     strerror(EISDIR));
		fd = -1;
	}
	return fd;
}

int cmd_write(struct cli *cli, int argc, char **argv)
{
	const char *string = NULL, *name = NULL;
	int id, fd, from = -1, flags = O_WRONLY, status;
	__u64 done = 0;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case 'n':
			flags |= O_NONBLOCK;
			break;
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
		return usage(cli, "write takes -s STRING or a file, not both");
	if (!string) {
		from = open_source(name);
		if (from < 0)
			return FAILED;
	}
	/* EPIPE gets a sentence */
	signal(SIGPIPE, SIG_IGN);
	fd = ipcdemo_open(cli->ipc, flags);
	if (fd < 0)
		return fail_ipc(cli);
	if (string)
		status = write_pipe(fd, string, strlen(string), &done);
	else
		status = copy_in(from, name ? name : "standard input", fd);
	close(fd);
	return status;
}

/* ---- read --------------------------------------------------------------- */

static int copy_out(int from, __u64 max)
{
	char *buf = malloc(CHUNK);
	int status = DONE;
	__u64 done = 0;
	ssize_t n;

	if (!buf)
		return fail("out of memory");
	while (status == DONE && done < max) {
		n = read(from, buf, max - done < CHUNK ? max - done : CHUNK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			/* With -n, what was there is all that was asked for. */
			if (!done)
				status =
					fail("the pipe is empty, but has a writer: %s",
					     "read without -n to wait");
			break;
		}
		if (n < 0)
			status = fail("cannot read, after %llu bytes: %s", done,
				      strerror(errno));
		if (n <= 0)
			break;
		done += n;
		status = put_bytes(buf, n);
	}
	free(buf);
	return status;
}

int cmd_read(struct cli *cli, int argc, char **argv)
{
	int id, fd, flags = O_RDONLY, status;
	__u64 max = UINT64_MAX;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case 'n':
			flags |= O_NONBLOCK;
			break;
		case 'c':
			if (parse_size(optarg, &max))
				break;
			return usage(cli, "'%s' is no number of bytes", optarg);
		default:
			return USAGE;
		}
	}
	status = no_more(cli, argc, argv);
	if (status)
		return status;
	fd = ipcdemo_open(cli->ipc, flags);
	if (fd < 0)
		return fail_ipc(cli);
	status = copy_out(fd, max);
	close(fd);
	return status;
}

/* ---- resize, persist ---------------------------------------------------- */

static int put_value(bool json, __u32 id, const char *key, json_object *value)
{
	json_object *o;

	if (!json) {
		puts(json_object_get_string(value));
		json_object_put(value);
		return DONE;
	}
	o = json_object_new_object();
	json_object_object_add(o, "id", json_object_new_uint64(id));
	json_object_object_add(o, key, value);
	return put_json(o);
}

int cmd_resize(struct cli *cli, int argc, char **argv)
{
	const char *size = NULL, *word = NULL;
	bool json = false;
	int id, fd, err;
	__u32 object;
	__u64 bytes;

	while ((id = next_option(cli, argc, argv))) {
		if (id != OPT_JSON)
			return USAGE;
		json = true;
	}
	if (optind < argc)
		size = argv[optind++];
	if (optind < argc)
		word = argv[optind++];
	if (no_more(cli, argc, argv))
		return USAGE;
	if (!size)
		return usage(cli, "resize needs a size");
	if (!parse_size(size, &bytes))
		return usage(cli, "'%s' is no size: 65536, 64K or 1M are",
			     size);
	err = parse_id(cli, IPCDEMO_PIPE, word, &object);
	if (err)
		return err;
	fd = ipcdemo_open(cli->ipc, IPCDEMO_O_CONTROL);
	if (fd < 0)
		return fail_ipc(cli);
	err = ipcdemo_set_capacity(cli->ipc, fd, object, &bytes);
	close(fd);
	if (err)
		return fail_ipc(cli);
	return put_value(json, object, "capacity",
			 json_object_new_uint64(bytes));
}

static const char *const lifetimes[] = {
	[IPCDEMO_PERSIST_PROCESS] = "process",
	[IPCDEMO_PERSIST_KERNEL] = "kernel",
};

int cmd_persist(struct cli *cli, int argc, char **argv)
{
	__u64 value, set = UINT64_MAX;
	const char *word = NULL;
	bool json = false;
	int id, fd, err;
	__u32 object;

	while ((id = next_option(cli, argc, argv))) {
		if (id != OPT_JSON)
			return USAGE;
		json = true;
	}
	for (value = 0; optind < argc && value < 2; value++)
		if (!strcmp(argv[optind], lifetimes[value]))
			set = value;
	if (set != UINT64_MAX)
		optind++;
	if (optind < argc)
		word = argv[optind++];
	if (word && !parse_number(word, &object))
		return usage(cli,
			     "'%s' is neither process nor kernel, nor an id",
			     word);
	if (no_more(cli, argc, argv))
		return USAGE;
	err = parse_id(cli, IPCDEMO_PIPE, word, &object);
	if (err)
		return err;
	fd = ipcdemo_open(cli->ipc, IPCDEMO_O_CONTROL);
	if (fd < 0)
		return fail_ipc(cli);
	if (set != UINT64_MAX)
		err = ipcdemo_set_persistence(cli->ipc, fd, object, set);
	if (!err)
		err = ipcdemo_get_persistence(cli->ipc, fd, object, &value);
	close(fd);
	if (err)
		return fail_ipc(cli);
	if (value > IPCDEMO_PERSIST_KERNEL)
		return fail("the module says persistence %llu, which this program does not know",
			    value);
	return put_value(json, object, "persistence",
			 json_object_new_string(lifetimes[value]));
}

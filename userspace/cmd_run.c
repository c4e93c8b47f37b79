// SPDX-License-Identifier: GPL-2.0
/*
 * run COMMAND...: becomes the command, with the library of preload.c before libc
 *
 * There is no process between the caller and COMMAND: signals, the terminal and
 * the exit status are theirs alone.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define LIBRARY	   "libipcdemo-run.so"

/* As env(1) and the shells. */
#define CANNOT_RUN 126
#define NOT_FOUND  127

int find_part(const char *name, const char *lib, char *path, size_t size)
{
	char dir[PATH_MAX], *slash;
	ssize_t n;

	n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	if (n < 0)
		return fail("/proc/self/exe: %s", strerror(errno));
	dir[n] = '\0';
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	snprintf(path, size, "%s/%s", dir, name);
	if (!access(path, R_OK))
		return 0;
	snprintf(path, size, "%s/../%s/%s", dir, lib, name);
	if (!access(path, R_OK))
		return 0;
	return fail("there is no %s in %s or %s/../%s: %s", name, dir, dir, lib,
		    "`make userspace` makes it");
}

/* Return: 0, or FAILED after a message. */
static int find_library(char *path, size_t size)
{
	int status = find_part("libipcdemo-run.so", "lib", path, size);

	if (!status && strpbrk(path, " :$"))
		return fail("%s cannot be preloaded: %s", path,
			    "put ipcdemo where the path has no ' ', ':' or '$'");
	return status;
}

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word), n;

	for (; *list; list += n) {
		list += strspn(list, " :");
		n = strcspn(list, " :");
		if (n == len && !strncmp(list, word, n))
			return true;
	}
	return false;
}

/*
 * Last in the list: what somebody else preloads sees the calls first, as it
 * would without us.
 */
static int set_preload(const char *library)
{
	const char *before = getenv("LD_PRELOAD");
	char *all;
	int err;

	if (!before || !*before)
		return setenv("LD_PRELOAD", library, true);
	if (has_word(before, library))
		return 0;
	if (asprintf(&all, "%s:%s", before, library) < 0)
		return -1;
	err = setenv("LD_PRELOAD", all, true);
	free(all);
	return err;
}

/* The command may go elsewhere before it starts others. */
static int set_count(void)
{
	const char *path = getenv("IPCDEMO_RUN_COUNT");
	char dir[PATH_MAX], *all;
	int err;

	if (!path || !*path || *path == '/')
		return 0;
	if (!getcwd(dir, sizeof(dir)) || asprintf(&all, "%s/%s", dir, path) < 0)
		return -1;
	err = setenv("IPCDEMO_RUN_COUNT", all, true);
	free(all);
	return err;
}

/* May the library open the device?  Return: 0, or FAILED after a message. */
static int check_module(struct cli *cli)
{
	int fd = ipcdemo_open(cli->ipc, IPCDEMO_O_CONTROL);

	if (fd < 0)
		return fail_ipc(cli);
	close(fd);
	return 0;
}

/* Return: 0, or FAILED after a message. */
static int prepare(bool quiet)
{
	char library[PATH_MAX + 32];
	int status = find_library(library, sizeof(library));

	if (status)
		return status;
	if (set_preload(library) || set_count() ||
	    (quiet && setenv("IPCDEMO_RUN_SAID", "1", true)))
		return fail("cannot set the environment: %s", strerror(errno));
	return 0;
}

static int become(char **argv)
{
	int err;

	execvp(*argv, argv);
	err = errno;
	fail("cannot run %s: %s", *argv, strerror(err));
	return err == ENOENT ? NOT_FOUND : CANNOT_RUN;
}

int become_command(struct cli *cli, char **argv, bool ours)
{
	int status = ours ? check_module(cli) : 0;

	if (!status && ours)
		status = prepare(false);
	return status ? status : become(argv);
}

int cmd_run(struct cli *cli, int argc, char **argv)
{
	bool fallback = false, quiet = false;
	int id, status;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case 'f':
			fallback = true;
			break;
		case 'q':
			quiet = true;
			break;
		default:
			return USAGE;
		}
	}
	argv += optind;
	if (!*argv)
		return usage(cli, "run needs a command");
	status = fallback ? 0 : check_module(cli);
	if (!status)
		status = prepare(quiet);
	return status ? status : become(argv);
}

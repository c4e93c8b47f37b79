// SPDX-License-Identifier: GPL-2.0
/*
 * step: runs schedules (step.h), and tells of them to people or as TAP; or
 * lets somebody step a pipe at the keyboard (step_screen.h)
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "step.h"
#include "step_screen.h"

struct request {
	bool tap;
	bool json;
	bool verbose;
	bool explain;
	bool stay;
	int timeout_ms;
	__u32 until;
};

/* Each line behind a '#', for TAP. */
static void put_comment(const char *text)
{
	const char *end;

	for (; *text; text = *end ? end + 1 : end) {
		end = strchrnul(text, '\n');
		printf("# %.*s\n", (int)(end - text), text);
	}
}

static int run_tap(struct cli *cli, struct schedule *s,
		   struct step_report *report, size_t number)
{
	char *story = NULL;
	size_t len = 0;
	int err;

	report->to = open_memstream(&story, &len);
	if (!report->to)
		return fail("out of memory");
	err = step_run(cli, s, report);
	fclose(report->to);
	printf("%sok %zu - %s%s%s\n", err ? "not " : "", number, s->file,
	       *s->title ? ": " : "", s->title);
	if (report->failure)
		put_comment(report->failure);
	if (err && story)
		put_comment(story);
	fflush(stdout);
	free(story);
	return err;
}

static int run_plain(struct cli *cli, struct schedule *s,
		     struct step_report *report)
{
	int err;

	printf("%s%s%s\n", s->file, *s->title ? ": " : "", s->title);
	report->to = stdout;
	err = step_run(cli, s, report);
	if (report->failure)
		fail("%s", report->failure);
	else if (!err)
		printf("%u expectation%s held\n", report->expectations,
		       report->expectations == 1 ? "" : "s");
	return err;
}

static int run_json(struct cli *cli, struct schedule *s,
		    struct step_report *report)
{
	int err;

	report->to = stdout;
	err = step_run(cli, s, report);
	step_json_end(report, !err);
	fflush(stdout);
	return err;
}

static int run_all(struct cli *cli, struct schedule *schedules, size_t n,
		   const struct request *want)
{
	struct step_report report;
	int status = DONE, err;
	size_t i;

	if (want->tap)
		printf("1..%zu\n", n);
	for (i = 0; i < n && !interrupted(); i++) {
		report = (struct step_report){
			.verbose = want->verbose,
			.json = want->json,
			.explain = want->explain,
			.stay = want->stay,
			.timeout_ms = want->timeout_ms,
		};
		if (want->tap)
			err = run_tap(cli, &schedules[i], &report, i + 1);
		else if (want->json)
			err = run_json(cli, &schedules[i], &report);
		else
			err = run_plain(cli, &schedules[i], &report);
		free(report.failure);
		status = err ? FAILED : status;
	}
	return status;
}

/*
 * The first gate and the last one have the kernel patch all points in its text.
 * One more gate, for what we never do, lets it do that once for all schedules.
 * Who may not set it, on the device, may still have a pipe of his own.
 */
static int keep_looking(struct cli *cli)
{
	int fd = ipcdemo_open(cli->ipc, IPCDEMO_O_CONTROL);

	if (fd < 0)
		return fd;
	if (ipcdemo_gate_add(cli->ipc, fd, 0, "read.enter", getpid(), 0) > 0)
		return fd;
	close(fd);
	return -1;
}

static bool need_device(const struct schedule *schedules, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (schedules[i].pipe == STEP_PIPE_DEVICE)
			return true;
	return false;
}

/* All are read before the first one is run: a typo is seen at once. */
static int step(struct cli *cli, char **files, size_t n,
		const struct request *want)
{
	struct schedule *schedules = calloc(n, sizeof(*schedules));
	int status = DONE, err, fd;
	size_t i;

	if (!schedules)
		return fail("out of memory");
	for (i = 0; i < n; i++) {
		err = step_parse(files[i], &schedules[i]);
		if (err > status)
			status = err;
	}
	if (status == DONE) {
		note_signals();
		fd = keep_looking(cli);
		if (fd < 0 && need_device(schedules, n))
			status = fail_ipc(cli);
		else
			status = run_all(cli, schedules, n, want);
		if (fd >= 0)
			close(fd);
	}
	for (i = 0; i < n; i++)
		step_free(&schedules[i]);
	free(schedules);
	return status;
}

/* A FIFO that is one of ours; the shell's <(...) is one that is not. */
static bool is_our_fifo(struct cli *cli, const struct stat *st)
{
	struct ipcdemo_table table;
	const char *dev, *ino;
	bool found = false;
	char numbers[40];
	size_t row;

	if (ipcdemo_list(cli->ipc, IPCDEMO_PIPE, &table))
		return false;
	snprintf(numbers, sizeof(numbers), "%u:%u %llu", major(st->st_dev),
		 minor(st->st_dev), (unsigned long long)st->st_ino);
	for (row = 0; !found && row < table.rows; row++) {
		dev = ipcdemo_cell(&table, row, "dev");
		ino = ipcdemo_cell(&table, row, "ino");
		if (dev && ino && !strncmp(numbers, dev, strlen(dev)))
			found = !strcmp(numbers + strlen(dev) + 1, ino);
	}
	ipcdemo_table_free(&table);
	return found;
}

/* An id, or the path of a pipe: somebody wants to step it by keys. */
static bool is_object(struct cli *cli, const char *word)
{
	struct stat st;

	if (!word[strspn(word, "0123456789")])
		return true;
	if (stat(word, &st))
		return false;
	return S_ISCHR(st.st_mode) ||
	       (S_ISFIFO(st.st_mode) && is_our_fifo(cli, &st));
}

/*
 * What opens a pipe that was given by its id: its path, or the descriptor of
 * somebody who has it open.  Return: 0, or FAILED after a message.
 */
static int find_opening(struct cli *cli, __u32 id, char *path, size_t size)
{
	struct ipcdemo_pipe_view v;
	struct ipcdemo_ends ends;
	struct stat st;

	if (ipcdemo_pipe_view(cli->ipc, id, &v))
		return fail_ipc(cli);
	snprintf(path, size, "%s", v.name);
	ipcdemo_pipe_view_free(&v);
	if (!stat(path, &st))
		return 0;
	if (ipcdemo_pipe_ends(cli->ipc, id, &ends))
		return fail_ipc(cli);
	if (ends.n)
		snprintf(path, size, "/proc/%d/fd/%d", ends.end[0].pid,
			 ends.end[0].fd);
	ipcdemo_ends_free(&ends);
	return 0;
}

/* A mistake in it is told before the screen is taken. */
static int check_file(const char *file)
{
	struct schedule schedule;
	int err = step_parse(file, &schedule);

	step_free(&schedule);
	return err;
}

static int step_object(struct cli *cli, char **words, size_t n,
		       const struct request *want)
{
	const char *file = n > 1 ? words[1] : NULL;
	enum ipcdemo_kind kind;
	char path[PATH_MAX];
	__u32 id;
	int err, fd;

	if (n > 2)
		return usage(cli, "step: do not know what to do with '%s'",
			     words[2]);
	if (want->tap || want->json || want->verbose || want->explain ||
	    want->stay)
		return usage(cli,
			     "with an ID there are only --timeout and --until");
	err = find_object(cli, words[0], &kind, &id);
	if (err)
		return err;
	if (kind != IPCDEMO_PIPE)
		return fail("%s is a region: only pipes can be stepped",
			    words[0]);
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return usage(cli,
			     "step %s needs a terminal on standard input and output; to do it without, write a schedule",
			     words[0]);
	err = file ? check_file(file) : 0;
	if (err)
		return err;
	if (words[0][strspn(words[0], "0123456789")])
		snprintf(path, sizeof(path), "%s", words[0]);
	else if (find_opening(cli, id, path, sizeof(path)))
		return FAILED;
	note_signals();
	fd = keep_looking(cli);
	if (fd < 0)
		return fail_ipc(cli);
	err = step_screen(cli, id, path, file, want->until, want->timeout_ms);
	close(fd);
	return err;
}

int cmd_step(struct cli *cli, int argc, char **argv)
{
	struct request want = {.timeout_ms = 10000};
	double seconds;
	int id, status;
	bool object;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case OPT_EXPLAIN:
			want.explain = true;
			break;
		case OPT_JSON:
			want.json = true;
			break;
		case OPT_STAY:
			want.stay = true;
			break;
		case OPT_TAP:
			want.tap = true;
			break;
		case OPT_TIMEOUT:
			if (parse_seconds(optarg, &seconds)) {
				want.timeout_ms = seconds * 1000;
				break;
			}
			return usage(cli, "'%s' is no number of seconds",
				     optarg);
		case OPT_UNTIL:
			if (parse_number(optarg, &want.until))
				break;
			return usage(cli, "'%s' is no number of a line",
				     optarg);
		case 'v':
			want.verbose = true;
			break;
		default:
			return USAGE;
		}
	}
	if ((want.stay || want.verbose || want.explain) &&
	    (want.json || (want.stay && want.tap)))
		return usage(cli,
			     "--stay, --explain and -v are for people, --json and --tap for programs");
	if (want.json && want.tap)
		return usage(cli, "--json or --tap, not both");
	if (optind == argc)
		return usage(cli,
			     "step needs a FILE with a schedule, or the ID of a pipe");
	object = is_object(cli, argv[optind]);
	if (want.until && !object)
		return usage(cli, "--until is for an ID and a FILE");
	if (object)
		status = step_object(cli, argv + optind, argc - optind, &want);
	else
		status = step(cli, argv + optind, argc - optind, &want);
	return end_by_signal(status);
}

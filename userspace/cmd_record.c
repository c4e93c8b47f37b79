// SPDX-License-Identifier: GPL-2.0
/* record COMMAND..., and report FILE */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "report.h"

#define DEFAULT_FILE   "ipcdemo.rec"
#define DEFAULT_BUFFER (4 << 20)
#define LEAST_BUFFER   (8 << 10)

int cmd_record(struct cli *cli, int argc, char **argv)
{
	struct record_order order = {
		.path = DEFAULT_FILE,
		.buffer = DEFAULT_BUFFER,
		.ours = true,
	};
	int id, status, err;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case 'o':
			order.path = optarg;
			break;
		case 'b':
			if (!parse_size(optarg, &order.buffer) ||
			    order.buffer < LEAST_BUFFER)
				return usage(cli,
					     "'%s' is not a size of at least 8K",
					     optarg);
			break;
		case 'k':
			order.ours = false;
			break;
		default:
			return USAGE;
		}
	}
	order.argv = argv + optind;
	if (!*order.argv)
		return usage(cli, "record needs a command");
	err = record(cli, &order, &status);
	return err ? err : status;
}

/* "1.5ms", "20us", "3s", "12345ns": ns. */
static bool parse_time(const char *word, __u64 *ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
	char *end;
	double n = strtod(word, &end);
	size_t i;

	if (end == word || !(n >= 0) || n > 1e9)
		return false;
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name))
			continue;
		*ns = n * units[i].ns;
		return true;
	}
	return false;
}

/* What is asked of a report. */
struct wishes {
	bool json;
	const char *html, *svg, *perfetto;
	struct view view;
	bool time;
};

static int tell(const struct wishes *wish, const struct report *r,
		const char *path)
{
	struct view view = wish->view;
	int status = DONE;

	if (view.to > r->to - r->from)
		view.to = r->to - r->from;
	view.steps = !wish->time;
	if (wish->html)
		status = report_html(r, &view, wish->html);
	if (!status && wish->svg)
		status = report_svg(r, &view, wish->svg);
	if (!status && wish->perfetto)
		status = report_perfetto(r, wish->perfetto);
	if (!status && wish->json)
		status = put_json(report_json(r, path));
	else if (!status && !wish->html && !wish->svg && !wish->perfetto)
		status = report_text(r, path);
	return status;
}

int cmd_report(struct cli *cli, int argc, char **argv)
{
	struct wishes wish = {.view = {.to = UINT64_MAX}};
	const char *path = DEFAULT_FILE;
	struct recording rec;
	struct report report;
	char why[512];
	int id, status;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case OPT_JSON:
			wish.json = true;
			break;
		case OPT_HTML:
			wish.html = optarg;
			break;
		case OPT_SVG:
			wish.svg = optarg;
			break;
		case OPT_PERFETTO:
			wish.perfetto = optarg;
			break;
		case OPT_FROM:
		case OPT_TO:
			if (!parse_time(optarg, id == OPT_FROM ? &wish.view.from
							       : &wish.view.to))
				return usage(cli,
					     "'%s' is no time such as 1.5ms or 20us",
					     optarg);
			break;
		case OPT_TIME:
			wish.time = true;
			break;
		default:
			return USAGE;
		}
	}
	if (wish.view.from >= wish.view.to)
		return usage(cli, "--from must be before --to");
	if (optind < argc)
		path = argv[optind++];
	status = no_more(cli, argc, argv);
	if (status)
		return status;
	if (recording_read(path, &rec, why, sizeof(why)))
		return fail("%s", why);
	if (report_make(&rec, &report)) {
		status = tell(&wish, &report, path);
		report_free(&report);
	} else {
		status = fail("out of memory");
	}
	recording_free(&rec);
	return status;
}

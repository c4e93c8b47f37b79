// SPDX-License-Identifier: GPL-2.0
/* Prints docs/points.md, from the table of module/points.h: make docs. */
#include <stdio.h>
#include <string.h>

#include "points.h"

static const struct row {
	const char *name, *kind, *unit, *hold, *sentence;
} rows[] = {
#define ROW(symbol, token, name, kind, unit, hold, sentence) \
	{name, #kind, unit, #hold, sentence},
	IPC_POINTS(ROW)
#undef ROW
};

static const char *hold_of(const struct row *row)
{
	if (!strcmp(row->hold, "NO"))
		return "no";
	return strcmp(row->hold, "SIGNAL") ? "yes" : "until a signal";
}

static void print_kind(const char *kind)
{
	size_t i;

	puts("| point | what is true there | counted | can hold |");
	puts("| --- | --- | --- | --- |");
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(rows[i].kind, kind))
			continue;
		printf("| `%s` | %s | %s | %s |\n", rows[i].name,
		       rows[i].sentence,
		       strcmp(rows[i].unit, "-") ? rows[i].unit : "",
		       hold_of(&rows[i]));
	}
}

int main(void)
{
	puts("<!-- Made from module/points.h: make docs. -->");
	puts("# The points\n");
	puts("Every step that an operation takes has a name. Counters of an object, gates,");
	puts("/proc/ipcdemo, netlink, tracepoints and tests use these names. *Counted*: what");
	puts("the counter of the object adds up, always. *Can hold*: whether a gate can stop a");
	puts("task there; a held task leaves when it is killed or, where it says so, on any");
	puts("signal. `echo 1 > /sys/module/ipcdemo/parameters/count_points` counts how often");
	puts("each point is passed, of all objects: /proc/ipcdemo/points.\n");
	puts("## Of a pipe\n");
	print_kind("PIPE");
	puts("\n## Of a region\n");
	print_kind("REGION");
	return 0;
}

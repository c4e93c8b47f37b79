// SPDX-License-Identifier: GPL-2.0
/*
 * The CLI's tools: messages, options, sizes, output
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <langinfo.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

static void complain(const char *fmt, va_list ap)
{
	/* What was printed so far comes first, also when both go to one file */
	fflush(stdout);
	fputs("ipcdemo: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
	return FAILED;
}

int fail_ipc(const struct cli *cli)
{
	return fail("%s", ipcdemo_error(cli->ipc));
}

int usage(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(fmt, ap);
	va_end(ap);
	fprintf(stderr, "ipcdemo: try `ipcdemo help%s%s`\n",
		cli->command ? " " : "",
		cli->command ? cli->command->name : "");
	return USAGE;
}

int next_option(const struct cli *cli, int argc, char **argv)
{
	const struct cli_option *o = cli->command->options;
	struct option names[16] = {0};
	char letters[40] = "+:", *l = letters + 2;
	bool stop;
	size_t n;
	int id;

	for (n = 0; o && o[n].id; n++) {
		names[n].name = o[n].name;
		names[n].has_arg = o[n].arg ? required_argument : no_argument;
		names[n].val = o[n].id;
		if (o[n].id < 256) {
			*l++ = o[n].id;
			if (o[n].arg)
				*l++ = ':';
		}
	}
	names[n].name = "help";
	names[n].val = OPT_HELP;
	opterr = 0;
	/* What belongs to the command that is run is not for us. */
	stop = cli->command->run == cmd_run || cli->command->run == cmd_record;
	id = getopt_long(argc, argv, letters + !stop, names, NULL);
	switch (id) {
	case -1:
		return 0;
	case OPT_HELP:
		print_help(stdout, cli->command);
		exit(fflush(stdout) ? FAILED : DONE);
	case ':':
		usage(cli, "%s: %s needs an argument", cli->command->name,
		      argv[optind - 1]);
		return -1;
	case '?':
		if (optopt && optopt < 256)
			usage(cli, "%s: there is no option -%c",
			      cli->command->name, optopt);
		else if (optopt)
			usage(cli, "%s: %s takes no argument",
			      cli->command->name, argv[optind - 1]);
		else
			usage(cli, "%s: there is no option %s",
			      cli->command->name, argv[optind - 1]);
		return -1;
	}
	return id;
}

int no_more(const struct cli *cli, int argc, char **argv)
{
	if (optind >= argc)
		return 0;
	return usage(cli, "%s: do not know what to do with '%s'",
		     cli->command->name, argv[optind]);
}

static const int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
static volatile sig_atomic_t noted;

static void note_signal(int signal)
{
	noted = signal;
}

int interrupted(void)
{
	return noted;
}

void note_signals(void)
{
	/* Without SA_RESTART: what we wait in shall end. */
	struct sigaction action = {.sa_handler = note_signal}, old;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(deadly); i++)
		if (!sigaction(deadly[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(deadly[i], &action, NULL);
	signal(SIGCHLD, SIG_DFL);
}

int end_by_signal(int status)
{
	if (noted) {
		fflush(stdout);
		signal(noted, SIG_DFL);
		raise(noted);
	}
	return status;
}

bool parse_size(const char *word, __u64 *bytes)
{
	unsigned int shift = 0;
	char *end;
	__u64 n;

	if (!isdigit((unsigned char)*word))
		return false;
	errno = 0;
	n = strtoull(word, &end, 0);
	if (errno)
		return false;
	switch (*end) {
	case 'G':
	case 'g':
		shift += 10;
		fallthrough;
	case 'M':
	case 'm':
		shift += 10;
		fallthrough;
	case 'K':
	case 'k':
		shift += 10;
		end++;
	}
	if (*end || n > UINT64_MAX >> shift)
		return false;
	*bytes = n << shift;
	return true;
}

bool parse_seconds(const char *word, double *seconds)
{
	double value;
	char *end;

	errno = 0;
	value = strtod(word, &end);
	if (errno || end == word || *end || !(value >= 0.001) ||
	    value > 1000000)
		return false;
	*seconds = value;
	return true;
}

static bool utf8_locale(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

bool set_color(struct cli *cli, const char *when)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (!strcmp(when, "always")) {
		cli->style.color = true;
	} else if (!strcmp(when, "never")) {
		cli->style.color = false;
	} else if (!strcmp(when, "auto")) {
		cli->style.color = isatty(STDOUT_FILENO) && utf8_locale() &&
				   (!no_color || !*no_color) &&
				   (!term || strcmp(term, "dumb"));
	} else {
		return false;
	}
	cli->style.utf8 = isatty(STDOUT_FILENO) && utf8_locale();
	return true;
}

bool parse_number(const char *word, __u32 *id)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = isdigit((unsigned char)*word) ? strtoull(word, &end, 10) : 0;
	if (!n || errno || *end || n > UINT32_MAX)
		return false;
	*id = n;
	return true;
}

int has_id(const struct cli *cli, enum ipcdemo_kind kind, __u32 id, bool *has)
{
	struct ipcdemo_table table;
	__u32 number;
	size_t row;

	*has = false;
	if (ipcdemo_list(cli->ipc, kind, &table))
		return fail_ipc(cli);
	for (row = 0; row < table.rows && !*has; row++)
		*has = parse_number(ipcdemo_cell(&table, row, "id"), &number) &&
		       number == id;
	ipcdemo_table_free(&table);
	return 0;
}

int parse_id(const struct cli *cli, enum ipcdemo_kind kind, const char *word,
	     __u32 *id)
{
	static const char *const kinds[] = {"pipe", "region"};
	enum ipcdemo_kind other =
		kind == IPCDEMO_PIPE ? IPCDEMO_REGION : IPCDEMO_PIPE;
	bool is_other;
	int status;

	if (!word) {
		if (ipcdemo_default(cli->ipc, kind, id))
			return fail_ipc(cli);
		return 0;
	}
	if (!parse_number(word, id))
		return usage(cli, "'%s' is not the id of a %s", word,
			     kinds[kind]);
	status = has_id(cli, other, *id, &is_other);
	if (!status && is_other)
		status = fail("%u is a %s, not a %s: `ipcdemo ls` lists them",
			      *id, kinds[other], kinds[kind]);
	return status;
}

int put_safe(FILE *to, const char *text)
{
	int n;

	for (n = 0; text[n]; n++)
		putc(isprint((unsigned char)text[n]) ? text[n] : '?', to);
	return n;
}

int put_json(json_object *object)
{
	const char *text =
		json_object_to_json_string_ext(object,
					       JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_SPACED |
						       JSON_C_TO_STRING_NOSLASHESCAPE);

	if (text)
		puts(text);
	json_object_put(object);
	return text ? DONE : fail("out of memory");
}

static bool is_number(const char *word)
{
	return *word && !word[strspn(word, "0123456789.-")];
}

size_t table_width(const struct ipcdemo_table *t, const char *indent)
{
	size_t c, r, len, width, sum = strlen(indent);

	for (c = 0; c < t->columns; c++) {
		width = strlen(t->header[c]);
		for (r = 0; r < t->rows; r++) {
			len = strlen(t->cells[r * t->columns + c]);
			if (len > width)
				width = len;
		}
		sum += width + (c ? 2 : 0);
	}
	return sum;
}

/* How many bytes behind the first one a character has; -1: it begins none. */
static int more_bytes(unsigned char first)
{
	if (first < 0x80)
		return 0;
	if (first >= 0xc2 && first < 0xe0)
		return 1;
	if (first >= 0xe0 && first < 0xf0)
		return 2;
	return first >= 0xf0 && first < 0xf5 ? 3 : -1;
}

size_t utf8_length(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	int i, more = more_bytes(*at);

	for (i = 1; i <= more; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	/* Longer than need be, halves of a pair, or above the last */
	if (more < 0 || (*at == 0xe0 && at[1] < 0xa0) ||
	    (*at == 0xed && at[1] > 0x9f) || (*at == 0xf0 && at[1] < 0x90) ||
	    (*at == 0xf4 && at[1] > 0x8f))
		return 0;
	return 1 + more;
}

json_object *new_string(const char *text)
{
	json_object *string;
	char *copy = strdup(text), *at;
	size_t n;

	if (!copy)
		return NULL;
	for (at = copy; *at; at += n ?: 1) {
		n = utf8_length(at);
		if (!n)
			*at = '?';
	}
	string = json_object_new_string(copy);
	free(copy);
	return string;
}

void add_string(json_object *to, const char *key, const char *value)
{
	json_object_object_add(to, key, new_string(value));
}

void add_number(json_object *to, const char *key, __u64 value)
{
	json_object_object_add(to, key, json_object_new_uint64(value));
}

void put_table(const struct ipcdemo_table *t, const char *indent)
{
	size_t c, r, len, width[64];
	bool right[64];
	const char *cell;

	for (c = 0; c < t->columns && c < 64; c++) {
		width[c] = strlen(t->header[c]);
		right[c] = t->rows;
		for (r = 0; r < t->rows; r++) {
			cell = t->cells[r * t->columns + c];
			len = strlen(cell);
			if (len > width[c])
				width[c] = len;
			right[c] &= is_number(cell);
		}
	}
	for (r = 0; r <= t->rows; r++) {
		fputs(indent, stdout);
		for (c = 0; c < t->columns && c < 64; c++) {
			cell = r ? t->cells[(r - 1) * t->columns + c]
				 : t->header[c];
			len = width[c] - strlen(cell);
			printf("%s%*s", c ? "  " : "", right[c] ? (int)len : 0,
			       "");
			put_safe(stdout, cell);
			if (!right[c] && c + 1 < t->columns)
				printf("%*s", (int)len, "");
		}
		putchar('\n');
	}
}

int write_all(int fd, const void *buf, size_t len)
{
	const char *p = buf;
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= n;
	}
	return 0;
}

int put_bytes(const void *buf, size_t len)
{
	int err = write_all(STDOUT_FILENO, buf, len);

	if (err)
		return fail("standard output: %s", strerror(-err));
	return 0;
}

void put_hex(__u64 offset, const unsigned char *buf, size_t len)
{
	size_t i, j;

	for (i = 0; i < len; i += 16) {
		printf("%08llx ", offset + i);
		for (j = i; j < i + 16; j++) {
			if (j < len)
				printf(" %02x", buf[j]);
			else
				fputs("   ", stdout);
		}
		fputs("  |", stdout);
		for (j = i; j < i + 16 && j < len; j++)
			putchar(buf[j] >= ' ' && buf[j] <= '~' ? buf[j] : '.');
		puts("|");
	}
}

json_object *json_bytes(const unsigned char *buf, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(2 * len + 1);
	json_object *string = NULL;
	size_t i;

	if (!text)
		return NULL;
	for (i = 0; i < len; i++) {
		text[2 * i] = digits[buf[i] >> 4];
		text[2 * i + 1] = digits[buf[i] & 15];
	}
	text[2 * len] = '\0';
	string = json_object_new_string(text);
	free(text);
	return string;
}

const char *plural(__u64 n, const char *unit, char *buf, size_t size)
{
	snprintf(buf, size, "%llu %s%s", n, unit, n == 1 ? "" : "s");
	return buf;
}

/* A string among strings that end in NUL.  modinfo(8) may not be installed. */
bool modinfo(const char *file, const char *key, char *value, size_t size)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	const char *map = MAP_FAILED, *p, *end;
	size_t len = strlen(key);
	bool found = false;
	struct stat st;

	if (fd < 0)
		return false;
	if (!fstat(fd, &st) && st.st_size)
		map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return false;
	end = map + st.st_size;
	for (p = map; !found && p && p + len < end; p++) {
		p = memmem(p, end - p, key, len);
		if (!p)
			break;
		if (p + len < end && p[len] == '=' &&
		    (p == map || p[-1] == '\0')) {
			snprintf(value, size, "%.*s",
				 (int)strnlen(p + len + 1, end - p - len - 1),
				 p + len + 1);
			found = true;
		}
	}
	munmap((void *)map, st.st_size);
	return found;
}

// SPDX-License-Identifier: GPL-2.0
/* The words of docs/semantics.md: see vocabulary.h. */
#include "vocabulary.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../kernel/harness.h"

/* No errno is above this. */
#define LAST_ERRNO 133

const struct verb_info verbs[NR_VERBS] = {
	[READ] = {"read", TAKES, true, true, 'r', true},
	[READV] = {"readv", TAKES, true, true, 'r', true},
	[WRITE] = {"write", GIVES, true, true, 'w', true},
	[WRITEV] = {"writev", GIVES, true, true, 'w', true},
	[PAIR] = {"pair", NO_BYTES, true, false, 0, false},
	[OPEN] = {"open", NO_BYTES, true, true, 'm', false},
	[CLOSE] = {"close", NO_BYTES, true, true, 'm', false},
	[POLL] = {"poll", NO_BYTES, true, true, '*', false},
	[FIONREAD_] = {"FIONREAD", NO_BYTES, false, true, '*', false},
	[GET_CAPACITY] = {"capacity", NO_BYTES, false, true, '*', false},
	[RESIZE] = {"resize", NO_BYTES, true, true, 'e', true},
	[FILL] = {"fill", GIVES, true, false, 'w', true},
	[PACKETS] = {"packets", NO_BYTES, true, false, 'w', true},
	[ASYNC] = {"async", NO_BYTES, true, false, '*', false},
	[EDGE] = {"edge", NO_BYTES, true, false, '*', false},
	[SIGNAL] = {"signal", NO_BYTES, false, true, 'p', false},
	[SPLICE_OUT] = {"splice-out", TAKES, false, true, 'r', true},
	[SPLICE_IN] = {"splice-in", GIVES, false, true, 'w', true},
	[SPLICE_OWN] = {"splice-own", TAKES, false, true, 'r', true},
	[SPLICE_FILE] = {"splice-file", TAKES, false, true, 'r', true},
	[TEE] = {"tee", NO_BYTES, false, true, 'r', true},
	[VMSPLICE] = {"vmsplice", GIVES, false, true, 'w', true},
	[SENDFILE] = {"sendfile", GIVES, false, true, 'w', true},
	[PLAIN_SPLICE_OUT] = {"sys-splice-out", TAKES, false, true, 'r', true},
	[PLAIN_SPLICE_IN] = {"sys-splice-in", GIVES, false, true, 'w', true},
	[PLAIN_SPLICE_OWN] = {"sys-splice-own", TAKES, false, true, 'r', true},
	[PLAIN_SPLICE_FILE] = {"sys-splice-file", TAKES, false, true, 'r',
			       true},
	[PLAIN_TEE] = {"sys-tee", NO_BYTES, false, true, 'r', true},
	[PLAIN_VMSPLICE] = {"sys-vmsplice", GIVES, false, true, 'w', true},
	[LSEEK] = {"lseek", NO_BYTES, false, true, '*', false},
	[PREAD] = {"pread", NO_BYTES, false, true, 'r', true},
	[PWRITE] = {"pwrite", NO_BYTES, false, true, 'w', true},
	[FALLOCATE] = {"fallocate", NO_BYTES, false, true, 'w', false},
	[FADVISE] = {"fadvise", NO_BYTES, false, true, '*', false},
	[FSYNC] = {"fsync", NO_BYTES, false, true, '*', false},
	[FDATASYNC] = {"fdatasync", NO_BYTES, false, true, '*', false},
	[FTRUNCATE] = {"ftruncate", NO_BYTES, false, true, 'w', true},
	[MMAP] = {"mmap", NO_BYTES, false, true, '*', false},
	[FCHMOD] = {"fchmod", NO_BYTES, false, true, '*', false},
	[FCHOWN] = {"fchown", NO_BYTES, false, true, '*', false},
	[FUTIMENS] = {"futimens", NO_BYTES, false, true, '*', false},
	[FSTAT] = {"fstat", NO_BYTES, false, true, '*', false},
	[FLOCK] = {"flock", NO_BYTES, false, true, '*', false},
	[SETLK] = {"F_SETLK", NO_BYTES, false, true, '*', false},
	[SYNC_RANGE] = {"sync_file_range", NO_BYTES, false, true, 'w', false},
	[READAHEAD] = {"readahead", NO_BYTES, false, true, 'r', false},
	[COPY_RANGE] = {"copy_file_range", NO_BYTES, false, true, 'r', true},
	[UNKNOWN_IOCTL] = {"ioctl", NO_BYTES, false, true, '*', false},
	[FIONBIO_] = {"FIONBIO", NO_BYTES, false, true, '*', false},
	[SET_O_DIRECT] = {"O_DIRECT", NO_BYTES, false, true, '*', false},
	[SETPIPE_SZ] = {"F_SETPIPE_SZ", NO_BYTES, false, true, 'w', true},
	[GETPIPE_SZ] = {"F_GETPIPE_SZ", NO_BYTES, false, true, '*', false},
};

/* --- words, one after the other -------------------------------------------------- */

struct words {
	const char *start, *at;
	char word[32];
};

/* The next word, of what stands between blanks; false if there is none. */
static bool next_word(struct words *words)
{
	size_t len;

	words->at += strspn(words->at, " ");
	words->start = words->at;
	len = strcspn(words->at, " ");
	words->at += len;
	snprintf(words->word, sizeof(words->word), "%.*s", (int)len,
		 words->start);
	return len;
}

/* One item of a list; the blanks around it do not count. */
static bool next_item(const char **at, char *item, size_t size)
{
	size_t len;

	*at += strspn(*at, " ,");
	len = strcspn(*at, ",");
	if (!len)
		return false;
	while (len && (*at)[len - 1] == ' ')
		len--;
	snprintf(item, size, "%.*s", (int)len, *at);
	return true;
}

static const char *end_of_item(const char *at)
{
	return at + strcspn(at, ",");
}

/* --- calls ---------------------------------------------------------------------- */

static bool number_of(const char *word, long *number)
{
	char *stop;

	if (!isdigit((unsigned char)word[0]))
		return false;
	*number = strtol(word, &stop, 10);
	return !*stop;
}

static const char *find_verb(const char *word, enum verb *verb)
{
	size_t i;

	for (i = 0; i < NR_VERBS; i++) {
		if (!strcmp(verbs[i].name, word)) {
			*verb = i;
			return NULL;
		}
	}
	return "no call is called so";
}

/* The end may be left out where a verb has a usual one. */
static const char *parse_end(struct words *words, struct call *call)
{
	const struct verb_info *info = &verbs[call->verb];
	const char *before = words->at;
	bool there = next_word(words);
	bool one = there && strlen(words->word) == 1;

	call->end = 0;
	switch (info->end) {
	case 0:
		break;
	case 'p':
		if (!one || words->word[0] < 'A' ||
		    words->word[0] >= 'A' + MAX_SLEEPERS)
			return "it needs a process: A, B or C";
		call->end = words->word[0];
		return NULL;
	case 'm':
		if (there && !strcmp(words->word, "rw")) {
			call->end = 'b';
			return NULL;
		}
		if (!one || !strchr("rw", words->word[0]))
			return "it needs an end: r, w or rw";
		call->end = words->word[0];
		return NULL;
	default:
		if (one && strchr("rw", words->word[0])) {
			call->end = words->word[0];
			return NULL;
		}
		if (info->end == '*')
			return "it needs an end: r or w";
		call->end = info->end;
	}
	words->at = before;
	return NULL;
}

static const char *parse_number(struct words *words, struct call *call)
{
	if (!verbs[call->verb].number)
		return NULL;
	if (!next_word(words))
		return "it needs a number";
	if (call->verb == PACKETS) {
		call->number = !strcmp(words->word, "on");
		if (!call->number && strcmp(words->word, "off"))
			return "it is on or off";
		return NULL;
	}
	if (!number_of(words->word, &call->number))
		return "that is no number";
	return NULL;
}

static const char *parse_rest(struct words *words, struct call *call)
{
	if (!next_word(words))
		return NULL;
	if (call->verb == SIGNAL && !strcmp(words->word, "restart")) {
		call->restart = true;
		return next_word(words) ? "nothing follows here" : NULL;
	}
	if (call->verb > WRITEV || strcmp(words->word, "faults"))
		return "nothing follows here";
	if (!next_word(words) || strcmp(words->word, "at") ||
	    !next_word(words) || !number_of(words->word, &call->faults_at))
		return "\"faults at NUMBER\" is meant";
	if (call->faults_at > call->number)
		return "that is behind the end of the buffer";
	return next_word(words) ? "nothing follows here" : NULL;
}

const char *call_parse(const char *text, bool in_state, struct call *call,
		       size_t *at)
{
	struct words words = {.at = text};
	const char *wrong = NULL;

	*call = (struct call){.faults_at = -1};
	if (!next_word(&words)) {
		wrong = "a call is missing";
	} else if (in_state && words.word[1] == ':' && !words.word[2]) {
		call->who = words.word[0];
		if (call->who < 'A' || call->who >= 'A' + MAX_SLEEPERS)
			wrong = "a process is A, B or C";
		else if (!next_word(&words))
			wrong = "a call is missing";
	}
	if (!wrong)
		wrong = find_verb(words.word, &call->verb);
	if (!wrong && !(in_state ? verbs[call->verb].in_states
				 : verbs[call->verb].in_cases))
		wrong = in_state ? "a state is not made with this"
				 : "this is for making states";
	if (!wrong && call->who && verbs[call->verb].moves == NO_BYTES &&
	    call->verb != OPEN && call->verb != POLL)
		wrong = "nobody waits in this";
	if (!wrong)
		wrong = parse_end(&words, call);
	if (!wrong)
		wrong = parse_number(&words, call);
	if (!wrong)
		wrong = parse_rest(&words, call);
	*at = words.start - text;
	return wrong;
}

void call_name(const struct call *call, char *text, size_t size)
{
	const struct verb_info *info = &verbs[call->verb];
	size_t len;

	len = snprintf(text, size, "%s", info->name);
	if (call->end == 'b')
		len += snprintf(text + len, size - len, " rw");
	else if (call->end && call->end != info->end)
		len += snprintf(text + len, size - len, " %c", call->end);
	if (info->number)
		len += snprintf(text + len, size - len, " %ld", call->number);
	if (call->faults_at >= 0)
		len += snprintf(text + len, size - len, " faults at %ld",
				call->faults_at);
	if (call->restart)
		snprintf(text + len, size - len, " restart");
}

/* --- what they give ------------------------------------------------------------- */

const char *errno_word(int err)
{
	const char *name = strerrorname_np(err);

	return name ? name : "an unknown errno";
}

/* Those that go together, and then what is left alone. */
static const struct {
	const char *word;
	long mask;
} masks[] = {
	{"IN", POLLIN | POLLRDNORM},
	{"OUT", POLLOUT | POLLWRNORM},
	{"HUP", POLLHUP},
	{"ERR", POLLERR},
	{"PRI", POLLPRI},
	{"NVAL", POLLNVAL},
	{"POLLIN", POLLIN},
	{"POLLRDNORM", POLLRDNORM},
	{"POLLOUT", POLLOUT},
	{"POLLWRNORM", POLLWRNORM},
};

void mask_words(long mask, char *text, size_t size)
{
	size_t i, len = 0;

	if (!mask)
		snprintf(text, size, "nothing");
	for (i = 0; i < NR(masks) && mask; i++) {
		if ((mask & masks[i].mask) != masks[i].mask)
			continue;
		len += snprintf(text + len, size - len, "%s%s", len ? " " : "",
				masks[i].word);
		mask &= ~masks[i].mask;
	}
}

bool is_mask(const char *text, size_t *at)
{
	struct words words = {.at = text};
	size_t i;

	*at = 0;
	if (!strcmp(text, "nothing") || !strcmp(text, "-"))
		return true;
	while (next_word(&words)) {
		for (i = 0; i < NR(masks); i++)
			if (!strcmp(masks[i].word, words.word))
				break;
		if (i == NR(masks)) {
			*at = words.start - text;
			return false;
		}
	}
	return true;
}

bool is_number(const char *text, size_t *at)
{
	long number;

	*at = 0;
	return !strcmp(text, "-") || number_of(text, &number);
}

bool is_result(const char *text, size_t *at)
{
	static const char *const others[] = {"waits", "ok", "any", "S_IFIFO",
					     "S_IFCHR"};
	long number;
	size_t i;
	int err;

	*at = 0;
	if (number_of(text, &number))
		return true;
	for (i = 0; i < NR(others); i++)
		if (!strcmp(others[i], text))
			return true;
	for (err = 1; err <= LAST_ERRNO; err++)
		if (!strcmp(errno_word(err), text))
			return true;
	return strcmp(text, "-") && is_mask(text, at);
}

bool is_signals(const char *text, size_t *at)
{
	const char *from = text;
	char item[64];
	long number;

	while (next_item(&from, item, sizeof(item))) {
		bool sigio = !strncmp(item, "SIGIO ", 6) &&
			     strchr("rw", item[6]) && item[6];

		*at = from - text;
		if (strcmp(item, "SIGPIPE") &&
		    (!sigio || (item[7] && (item[7] != ' ' ||
					    !number_of(item + 8, &number)))))
			return false;
		from = end_of_item(from);
	}
	return true;
}

bool is_others(const char *text, size_t *at)
{
	const char *from = text;
	char item[64];
	size_t behind;

	while (next_item(&from, item, sizeof(item))) {
		size_t skip = 2;

		*at = from - text;
		if (!strncmp(item, "edge ", 5))
			skip = 5;
		else if (item[0] < 'A' || item[0] >= 'A' + MAX_SLEEPERS ||
			 item[1] != ' ')
			return false;
		*at += skip;
		if (skip == 5 ? !is_mask(item + skip, &behind)
			      : !is_result(item + skip, &behind)) {
			*at += behind;
			return false;
		}
		from = end_of_item(from);
	}
	return true;
}

/* --- where and when --------------------------------------------------------------- */

bool targets_parse(const char *text, unsigned int *targets, size_t *at)
{
	static const struct {
		const char *word;
		unsigned int bits;
	} sets[] = {
		{"named", NAMED},
		{"unnamed", PIPE | ANON},
		{"device", DEV},
		{"not device", ENDS & ~DEV},
		{"named, not device", NAMED & ~DEV},
		{"ours", OURS},
		{"ours, not device", OURS & ~DEV},
		{"", ENDS},
	};
	size_t i;

	*at = 0;
	for (i = 0; i < NR(sets); i++) {
		if (!strcmp(sets[i].word, text)) {
			*targets = sets[i].bits;
			return true;
		}
	}
	return false;
}

static bool version_of(const char *text, long *version)
{
	long major, minor;
	char *stop;

	if (!isdigit((unsigned char)text[0]))
		return false;
	major = strtol(text, &stop, 10);
	if (*stop != '.' || !isdigit((unsigned char)stop[1]))
		return false;
	minor = strtol(stop + 1, &stop, 10);
	*version = major * 1000 + minor;
	return !isdigit((unsigned char)*stop);
}

bool kernel_parse(const char *text, const char *release, bool *holds,
		  size_t *at)
{
	struct words words = {.at = text};
	long own, limit;
	bool below;

	*holds = true;
	*at = 0;
	if (!next_word(&words))
		return true;
	below = !strcmp(words.word, "<");
	if (!below && strcmp(words.word, ">="))
		return false;
	*at = words.at - text;
	if (!next_word(&words) || !version_of(words.word, &limit) ||
	    !version_of(release, &own) || next_word(&words))
		return false;
	*holds = below ? own < limit : own >= limit;
	return true;
}

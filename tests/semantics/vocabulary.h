/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The words of docs/semantics.md: calls, and what they give
 *
 * A call is a verb, the end that it is made on (r or w, if it is not the usual
 * one) and a number, in this order: "read 100", "poll w", "read w 1".  One that
 * moves bytes may have a buffer that is not all there: "write 8192 faults at
 * 4096".  "A: read 1" says which process makes it, and waits in it.
 */
#ifndef SEMANTICS_VOCABULARY_H
#define SEMANTICS_VOCABULARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_SLEEPERS 3

enum verb {
	/* that move bytes */
	READ,
	READV,
	WRITE,
	WRITEV,
	/* that come and go */
	PAIR,
	OPEN,
	CLOSE,
	/* that look, or change what is seen */
	POLL,
	FIONREAD_,
	GET_CAPACITY,
	RESIZE,
	FILL,
	PACKETS,
	ASYNC,
	EDGE,
	SIGNAL,
	/* that need other files */
	SPLICE_OUT,
	SPLICE_IN,
	SPLICE_OWN,
	SPLICE_FILE,
	TEE,
	VMSPLICE,
	SENDFILE,
	/* likewise, by the kernel's own call even on ours */
	PLAIN_SPLICE_OUT,
	PLAIN_SPLICE_IN,
	PLAIN_SPLICE_OWN,
	PLAIN_SPLICE_FILE,
	PLAIN_TEE,
	PLAIN_VMSPLICE,
	/* that a pipe refuses, or that any file knows */
	LSEEK,
	PREAD,
	PWRITE,
	FALLOCATE,
	FADVISE,
	FSYNC,
	FDATASYNC,
	FTRUNCATE,
	MMAP,
	FCHMOD,
	FCHOWN,
	FUTIMENS,
	FSTAT,
	FLOCK,
	SETLK,
	SYNC_RANGE,
	READAHEAD,
	COPY_RANGE,
	UNKNOWN_IOCTL,
	FIONBIO_,
	SET_O_DIRECT,
	SETPIPE_SZ,
	GETPIPE_SZ,
	NR_VERBS
};

/* Whether a call takes bytes from the pipe, or brings some. */
enum moves { NO_BYTES, TAKES, GIVES };

struct verb_info {
	const char *name;
	enum moves moves;
	bool in_states, in_cases;
	/* 'r', 'w': the usual end; 'm': r, w or rw; 'p': a process; '*': any */
	char end;
	bool number;
};

extern const struct verb_info verbs[NR_VERBS];

struct call {
	enum verb verb;
	char end; /* 'r', 'w', 'b' (both), or the process it is sent to */
	char who; /* 'A' to 'C', or 0 */
	long number;
	long faults_at; /* -1: it does not */
	bool restart; /* of a signal: SA_RESTART */
};

/*
 * Read a call.  Return: NULL, or what is wrong with it, *at characters behind
 * the start of @text.
 */
const char *call_parse(const char *text, bool in_state, struct call *call,
		       size_t *at);

/* In words again. */
void call_name(const struct call *call, char *text, size_t size);

/* What calls give, in words: "EAGAIN", "100", "IN HUP", "S_IFIFO". */
const char *errno_word(int err);
void mask_words(long mask, char *text, size_t size);

/* Whether that is a word for it; *at is where it is not. */
bool is_result(const char *text, size_t *at);
bool is_mask(const char *text, size_t *at);
bool is_number(const char *text, size_t *at);
bool is_signals(const char *text, size_t *at);
bool is_others(const char *text, size_t *at);

/* A list of targets, as bits of harness.h. */
bool targets_parse(const char *text, unsigned int *targets, size_t *at);

/* "< 6.15", ">= 6.9": whether it holds for the kernel of that release. */
bool kernel_parse(const char *text, const char *release, bool *holds,
		  size_t *at);

#endif /* SEMANTICS_VOCABULARY_H */

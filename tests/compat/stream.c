// SPDX-License-Identifier: GPL-2.0
/*
 * stream SEED MIB: so many MiB to standard output, the same for the same seed,
 * in writes of many sizes
 * stream --check SEED MIB: is just this at standard input?  It looks at each
 * byte, and where a processor is emulated it is quicker than a checksum.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB   (1UL << 20)

/* A little more than a pipe holds. */
#define WORDS (9UL << 10)

static uint64_t state;

/* xorshift64*, of George Marsaglia and Sebastiano Vigna */
static uint64_t next(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL;
}

static int put(const char *from, size_t size)
{
	ssize_t n;

	for (; size; from += n, size -= n) {
		n = write(STDOUT_FILENO, from, size);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0) {
			fprintf(stderr, "stream: write: %s\n", strerror(errno));
			return -1;
		}
	}
	return 0;
}

/* Return: how many of @size bytes came before the end, or -1. */
static ssize_t get(char *to, size_t size)
{
	size_t got = 0;
	ssize_t n;

	while (got < size) {
		n = read(STDIN_FILENO, to + got, size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			fprintf(stderr, "stream: read: %s\n", strerror(errno));
			return -1;
		}
		if (!n)
			break;
		got += n;
	}
	return got;
}

static int check(const char *wanted, size_t size, size_t at)
{
	static char came[WORDS * sizeof(uint64_t)];
	ssize_t n = get(came, size);

	if (n < 0)
		return -1;
	if ((size_t)n < size || memcmp(came, wanted, size)) {
		printf("%s at byte %zu or later\n",
		       (size_t)n < size ? "it ends" : "it differs", at);
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static uint64_t words[WORDS];
	bool checking = argc == 4 && !strcmp(argv[1], "--check");
	size_t all, done, size, i;
	char more;

	if (argc != 3 && !checking) {
		fprintf(stderr, "usage: stream [--check] SEED MIB\n");
		return 2;
	}
	state = strtoul(argv[argc - 2], NULL, 0) + 1;
	all = strtoul(argv[argc - 1], NULL, 0) * MIB;
	for (done = 0; done < all; done += size) {
		/* One in four is small: it goes behind what is there already. */
		size = next() % sizeof(words) + 1;
		if (next() % 4 == 0)
			size = size % 600 + 1;
		if (size > all - done)
			size = all - done;
		for (i = 0; i * sizeof(*words) < size; i++)
			words[i] = next();
		if (checking ? check((char *)words, size, done)
			     : put((char *)words, size))
			return 1;
	}
	if (!checking)
		return 0;
	if (get(&more, 1)) {
		printf("it goes on after byte %zu\n", done);
		return 1;
	}
	printf("%zu bytes as wanted\n", done);
	return 0;
}

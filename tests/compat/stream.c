// SPDX-License-Identifier: GPL-2.0
/*
 * stream SEED MIB: so many MiB to standard output, the same for the same seed,
 * in writes of many sizes
 */
#include <errno.h>
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

int main(int argc, char **argv)
{
	static uint64_t words[WORDS];
	size_t left, size, i;

	if (argc != 3) {
		fprintf(stderr, "usage: stream SEED MIB\n");
		return 2;
	}
	state = strtoul(argv[1], NULL, 0) + 1;
	for (left = strtoul(argv[2], NULL, 0) * MIB; left; left -= size) {
		/* One in four is small: it goes behind what is there already. */
		size = next() % sizeof(words) + 1;
		if (next() % 4 == 0)
			size = size % 600 + 1;
		if (size > left)
			size = left;
		for (i = 0; i * sizeof(*words) < size; i++)
			words[i] = next();
		if (put((char *)words, size))
			return 1;
	}
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * What a write and a read of one byte, or of so many, cost: prints nanoseconds a
 * pair, which in a VM that counts instructions (tests/vm/run --icount) are
 * instructions. The best of many rounds, each shorter than the time between two
 * timer interrupts.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 100, PAIRS = 400, LARGE_PAIRS = 100, MOST = 65536 };

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int pairs(int w, int r, int n, int bytes)
{
	static char buffer[MOST];
	int i;

	for (i = 0; i < n; i++) {
		if (write(w, buffer, bytes) != bytes ||
		    read(r, buffer, bytes) != bytes)
			return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	long long begun, took, best = 0;
	int bytes = argc > 2 ? atoi(argv[2]) : 1;
	int n = bytes > 1 ? LARGE_PAIRS : PAIRS;
	int fd[2];
	int i;

	if (argc < 2 || argc > 3 || bytes < 1 || bytes > MOST) {
		fprintf(stderr, "usage: pairs pipe|DEVICE [BYTES]\n");
		return 2;
	}
	if (strcmp(argv[1], "pipe")) {
		fd[0] = open(argv[1], O_RDWR | O_CLOEXEC);
		fd[1] = fd[0];
	} else if (pipe2(fd, O_CLOEXEC)) {
		fd[0] = -1;
	}
	for (i = 0; i < ROUNDS; i++) {
		begun = now();
		if (fd[0] < 0 || pairs(fd[1], fd[0], n, bytes)) {
			perror(argv[1]);
			return 1;
		}
		took = now() - begun;
		if (!best || took < best)
			best = took;
	}
	printf("%lld\n", best / n);
	return 0;
}

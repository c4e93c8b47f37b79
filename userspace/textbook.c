// SPDX-License-Identifier: GPL-2.0
/*
 * The program of any textbook: a child writes, its parent reads.  It knows
 * nothing of ipcdemo; tests and the tour run it with `ipcdemo run`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	char message[] = "hello, parent", buffer[64];
	int fds[2];
	ssize_t n;

	if (pipe(fds) == -1) {
		perror("pipe");
		return EXIT_FAILURE;
	}
	switch (fork()) {
	case -1:
		perror("fork");
		return EXIT_FAILURE;
	case 0:
		close(fds[0]);
		if (write(fds[1], message, strlen(message)) == -1)
			perror("write");
		close(fds[1]);
		_exit(EXIT_SUCCESS);
	}
	close(fds[1]);
	while ((n = read(fds[0], buffer, sizeof(buffer))) > 0)
		printf("%.*s\n", (int)n, buffer);
	close(fds[0]);
	wait(NULL);
	return EXIT_SUCCESS;
}

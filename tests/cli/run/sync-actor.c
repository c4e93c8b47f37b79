// SPDX-License-Identifier: GPL-2.0
/*
 * A process that uses the locks of a region, for the tests of the command
 *
 *	sync-actor PATH make		makes the file, the locks m, s, c, l and b
 *	sync-actor PATH hold m|l	locks, says "held", lets go at the end of stdin
 *	sync-actor PATH die m		locks, says "held", waits to be killed
 *	sync-actor PATH want m		locks and says "got", or "died", or "lost"
 *	sync-actor PATH leave m		locks what the dead left, and lets it go as it is
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ipcdemo.h>

static int make(struct ipcdemo_region *r)
{
	struct ipcdemo_barrier b;
	struct ipcdemo_rwlock l;
	struct ipcdemo_mutex m;
	struct ipcdemo_cond c;
	struct ipcdemo_sem s;
	uint64_t at;

	return ipcdemo_region_format(r, 8, 0) ?:
	       ipcdemo_mutex_init(r, 8192, "m", &m) ?:
	       ipcdemo_sem_init(r, 8256, "s", 3, &s) ?:
	       ipcdemo_cond_init(r, 8320, "c", &c) ?:
	       ipcdemo_rwlock_init(r, 8384, "l", &l) ?:
	       ipcdemo_barrier_init(r, 8448, "b", 2, &b) ?:
	       ipcdemo_bytes_init(r, 8512, NULL, 100, &at);
}

static void say(const char *word)
{
	puts(word);
	fflush(stdout);
}

static int use(struct ipcdemo_region *r, const char *what, const char *name)
{
	struct ipcdemo_rwlock l;
	struct ipcdemo_mutex m;
	int err;

	if (!strcmp(name, "l")) {
		err = ipcdemo_rwlock_find(r, name, &l);
		err = err ?: ipcdemo_rwlock_wrlock(&l);
		if (err)
			return err;
		say("held");
		while (getchar() != EOF)
			;
		return ipcdemo_rwlock_unlock(&l);
	}
	err = ipcdemo_mutex_find(r, name, &m);
	err = err ?: ipcdemo_mutex_lock(&m);
	if (!strcmp(what, "leave") && err == -EOWNERDEAD)
		return ipcdemo_mutex_unlock(&m);
	if (!strcmp(what, "want"))
		say(!err ? "got" : err == -EOWNERDEAD ? "died" : "lost");
	if (err && err != -EOWNERDEAD)
		return err;
	if (!strcmp(what, "want"))
		return (err ? ipcdemo_mutex_consistent(&m) : 0)
			       ?: ipcdemo_mutex_unlock(&m);
	say("held");
	if (!strcmp(what, "die"))
		pause();
	while (getchar() != EOF)
		;
	return ipcdemo_mutex_unlock(&m);
}

int main(int argc, char **argv)
{
	struct ipcdemo_region *r;
	int err;

	if (argc < 3)
		return 2;
	if (!strcmp(argv[2], "make"))
		err = ipcdemo_region_create(argv[1], 65536, 0600,
					    IPCDEMO_REGION_EXCLUSIVE, &r)
			      ?: make(r);
	else
		err = ipcdemo_region_open(argv[1], 0, &r)
			      ?: use(r, argv[2], argv[3]);
	if (err)
		fprintf(stderr, "sync-actor: %s\n", strerror(-err));
	return !!err;
}

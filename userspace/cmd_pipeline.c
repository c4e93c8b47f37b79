// SPDX-License-Identifier: GPL-2.0
/*
 * pipeline 'a | b': starts the stages itself, one joint through the device
 *
 * The line is cut at its pipes and each stage is given to /bin/sh, which knows
 * the rest of the grammar.  So the cut must not change what the line means: a
 * line that is more than one pipeline of simple stages is refused, not guessed.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

#define MAX_STAGES 64

/* ---- cutting the line --------------------------------------------------- */

struct stages {
	size_t n;
	char *text[MAX_STAGES];
	const char *error;
};

static const char *skip_parens(const char *p);
static const char *skip_dollar(const char *p);

/*
 * Each of these gets the place behind an opening character and returns the one
 * behind its partner, or NULL if there is none.
 */
static const char *skip_single(const char *p)
{
	p = strchr(p, '\'');
	return p ? p + 1 : NULL;
}

static const char *skip_backquotes(const char *p)
{
	for (; *p != '`'; p++) {
		if (*p == '\\' && p[1])
			p++;
		if (!*p)
			return NULL;
	}
	return p + 1;
}

static const char *skip_double(const char *p)
{
	while (p && *p != '"') {
		if (!*p)
			return NULL;
		if (*p == '\\' && p[1])
			p += 2;
		else if (*p == '`')
			p = skip_backquotes(p + 1);
		else if (*p == '$')
			p = skip_dollar(p);
		else
			p++;
	}
	return p ? p + 1 : NULL;
}

/* One character, or the quoted thing that begins with it. */
static const char *skip_one(const char *p)
{
	switch (*p) {
	case '\\':
		return p[1] ? p + 2 : p + 1;
	case '\'':
		return skip_single(p + 1);
	case '"':
		return skip_double(p + 1);
	case '`':
		return skip_backquotes(p + 1);
	case '$':
		return skip_dollar(p);
	}
	return p + 1;
}

static const char *skip_braces(const char *p)
{
	while (p && *p != '}')
		p = *p ? skip_one(p) : NULL;
	return p ? p + 1 : NULL;
}

/* $(...), $((...)), ${...}, or only the dollar. */
static const char *skip_dollar(const char *p)
{
	if (p[1] == '(')
		return skip_parens(p + 2);
	if (p[1] == '{')
		return skip_braces(p + 2);
	return p + 1;
}

/* A comment begins where a word could. */
static bool is_comment(const char *begin, const char *p)
{
	return *p == '#' && (p == begin || strchr(" \t\n;&|()", p[-1]));
}

static const char *skip_parens(const char *p)
{
	const char *begin = p;

	while (p && *p != ')') {
		if (!*p)
			return NULL;
		if (is_comment(begin, p))
			p += strcspn(p, "\n");
		else if (*p == '(')
			p = skip_parens(p + 1);
		else
			p = skip_one(p);
	}
	return p ? p + 1 : NULL;
}

/* Words that begin something which may hold pipes of its own. */
static bool is_compound(const char *stage)
{
	static const char *const words[] = {"{",     "if",     "while",
					    "until", "for",    "case",
					    "!",     "select", "function"};
	size_t i, len;

	stage += strspn(stage, " \t\n");
	len = strcspn(stage, " \t\n;");
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == len && !strncmp(stage, words[i], len))
			return true;
	return false;
}

static bool is_blank(const char *from, const char *to)
{
	/* A comment alone is no command either */
	while (from < to && isspace((unsigned char)*from))
		from++;
	return from == to || *from == '#';
}

static const char compound[] =
	"a stage begins with a word of the shell's grammar: write '... | (while ...; done)'";

static void add_stage(struct stages *s, const char *from, const char *to)
{
	if (is_blank(from, to))
		s->error = "a stage is empty";
	else if (is_compound(from))
		s->error = compound;
	else if (s->n == MAX_STAGES)
		s->error = "too many stages: 64 at most";
	else
		s->text[s->n] = strndup(from, to - from);
	if (!s->error && !s->text[s->n++])
		s->error = "out of memory";
}

/* What at this place makes the line more than one pipeline; NULL: nothing. */
static const char *refuse(const char *from, const char *p)
{
	bool redirect = p > from && (p[-1] == '>' || p[-1] == '<');

	if (p[0] == '|' && p[1] == '|')
		return "'||' makes a list of it: put the list in ( )";
	if (p[0] == '|' && p[1] == '&')
		return "'|&' is not for /bin/sh: write 2>&1 | instead";
	if (p[0] == '&' && p[1] == '&')
		return "'&&' makes a list of it: put the list in ( )";
	if (p[0] == '&' && !redirect)
		return "'&' makes a list of it: put the list in ( )";
	if (p[0] == ';')
		return "';' makes a list of it: put the list in ( )";
	if (p[0] == '<' && p[1] == '<')
		return "a here-document cannot be cut into stages";
	if (p[0] == ')')
		return "a ) has no ( before it";
	if (p[0] == '\n' && !is_blank(from, p) && !is_blank(p, p + strlen(p)))
		return "a line break makes a list of it: put the list in ( )";
	return NULL;
}

static void split(const char *line, struct stages *s)
{
	const char *from = line, *p = line;

	while (*p && !s->error) {
		if (is_comment(from, p)) {
			p += strcspn(p, "\n");
			continue;
		}
		s->error = refuse(from, p);
		if (s->error) {
			/* What the stage begins with says more than its ; */
			if (is_compound(from))
				s->error = compound;
			return;
		}
		if (*p == '|' && !(p > from && p[-1] == '>')) {
			add_stage(s, from, p);
			from = ++p;
			continue;
		}
		p = *p == '(' ? skip_parens(p + 1) : skip_one(p);
		if (!p) {
			s->error = "a quote or parenthesis is not closed";
			return;
		}
	}
	if (!s->error)
		add_stage(s, from, p);
}

static void free_stages(struct stages *s)
{
	while (s->n)
		free(s->text[--s->n]);
}

/* ---- running it --------------------------------------------------------- */

/**
 * struct job - the stages while they run
 * @group:	their process group, 0 if they stay in ours
 * @left:	how many have not ended
 * @before:	the signals that were blocked before us
 * @interrupted: SIGINT came
 */
struct job {
	size_t n;
	pid_t pid[MAX_STAGES];
	int status[MAX_STAGES];
	size_t left;
	pid_t group;
	sigset_t before;
	bool interrupted;
};

static const int forwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

/*
 * Nobody else may have the pipe open, or bytes in it: the stages would talk to
 * them.  Both ends are opened here and only then is it looked again, so that
 * whoever came in between is seen as well.
 */
static int open_joint(struct cli *cli, int ends[2])
{
	struct ipcdemo_pipe_view view;
	int flags, status = 0;
	__u32 id;

	ends[0] = -1;
	ends[1] = -1;
	if (ipcdemo_default(cli->ipc, IPCDEMO_PIPE, &id) ||
	    ipcdemo_pipe_view(cli->ipc, id, &view))
		return fail_ipc(cli);
	if (view.readers || view.writers || view.nwaiters)
		status =
			fail("%s (%u for reading, %u for writing, %zu wait): %s",
			     "somebody has the pipe open", view.readers,
			     view.writers, view.nwaiters,
			     "`ipcdemo show` says who; try again later");
	else if (view.bytes)
		status = fail("the pipe holds %llu bytes: first %s", view.bytes,
			      "take them out with `ipcdemo read -n`");
	ipcdemo_pipe_view_free(&view);
	if (status)
		return status;

	/* The read end first and without waiting: then the other has a partner */
	ends[0] = ipcdemo_open(cli->ipc, O_RDONLY | O_NONBLOCK);
	if (ends[0] < 0)
		return fail_ipc(cli);
	ends[1] = ipcdemo_open(cli->ipc, O_WRONLY);
	if (ends[1] < 0)
		return fail_ipc(cli);
	flags = fcntl(ends[0], F_GETFL);
	if (flags < 0 || fcntl(ends[0], F_SETFL, flags & ~O_NONBLOCK))
		return fail("cannot make the read end wait: %s",
			    strerror(errno));
	if (ipcdemo_pipe_view(cli->ipc, id, &view))
		return fail_ipc(cli);
	if (view.readers != 1 || view.writers != 1)
		status = fail("somebody opened the pipe just now: %s",
			      "try again when they have left");
	ipcdemo_pipe_view_free(&view);
	return status;
}

static void run_stage(const char *text, int in, int out, const sigset_t *before)
{
	if ((in >= 0 && dup2(in, STDIN_FILENO) < 0) ||
	    (out >= 0 && dup2(out, STDOUT_FILENO) < 0)) {
		fail("cannot connect a stage: %s", strerror(errno));
		_exit(126);
	}
	sigprocmask(SIG_SETMASK, before, NULL);
	execl("/bin/sh", "sh", "-c", text, (char *)NULL);
	fail("cannot run /bin/sh: %s", strerror(errno));
	_exit(127);
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/*
 * A group of their own is how a signal reaches also what the stages start.  On
 * a terminal in the foreground they stay with us, and so get its Ctrl-C.
 */
static bool on_terminal(void)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	bool foreground = tty >= 0 && tcgetpgrp(tty) == getpgrp();

	if (tty >= 0)
		close(tty);
	return foreground;
}

/* Return: 0, or FAILED after a message. */
static int start_stage(struct job *job, const char *text, int in, int out,
		       bool grouped)
{
	pid_t pid;

	/* A child must not print again what we printed. */
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return fail("fork: %s", strerror(errno));
	/* Both sides set the group: nobody knows who comes first. */
	if (grouped)
		setpgid(pid, job->group);
	if (!pid)
		run_stage(text, in, out, &job->before);
	if (grouped && !job->group)
		job->group = pid;
	job->pid[job->n++] = pid;
	return 0;
}

/* ours are the ends of the joint through the device; they are closed here. */
static int start(const struct stages *s, size_t joint, int ours[2],
		 struct job *job)
{
	int in = -1, ends[2] = {-1, -1}, status = 0;
	bool grouped = !on_terminal();
	size_t i;

	for (i = 0; i < s->n && !status; i++) {
		ends[0] = -1;
		ends[1] = -1;
		if (i + 1 == joint) {
			memcpy(ends, ours, sizeof(ends));
			ours[0] = -1;
			ours[1] = -1;
		} else if (i + 1 < s->n && pipe2(ends, O_CLOEXEC)) {
			status = fail("pipe: %s", strerror(errno));
		}
		if (!status)
			status = start_stage(job, s->text[i], in, ends[1],
					     grouped);
		close_end(&in);
		close_end(&ends[1]);
		in = ends[0];
	}
	close_end(&in);
	close_end(&ours[0]);
	close_end(&ours[1]);
	job->left = job->n;
	return status;
}

static void forward(struct job *job, int signal)
{
	size_t i;

	if (job->group) {
		kill(-job->group, signal);
		return;
	}
	for (i = 0; i < job->n; i++)
		if (job->pid[i] > 0)
			kill(job->pid[i], signal);
}

static void reap(struct job *job)
{
	int status;
	pid_t pid;
	size_t i;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < job->n; i++) {
			if (job->pid[i] != pid)
				continue;
			/* The number is somebody else's from now on */
			job->pid[i] = 0;
			job->status[i] = status;
			job->left--;
		}
	}
}

/*
 * What the terminal sends (Ctrl-C) reaches stages in our process group without
 * us.  Any other signal is passed on.
 */
static void wait_for_all(struct job *job, const sigset_t *set)
{
	siginfo_t info;
	int signal;

	for (reap(job); job->left; reap(job)) {
		signal = sigwaitinfo(set, &info);
		if (signal < 0 || signal == SIGCHLD)
			continue;
		if (signal == SIGINT)
			job->interrupted = true;
		if (job->group || info.si_code != SI_KERNEL)
			forward(job, signal);
	}
}

static int shell_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				   : WEXITSTATUS(status);
}

static int run(struct cli *cli, const struct stages *s, size_t joint,
	       bool pipefail)
{
	struct job job = {0};
	int ours[2], status, last;
	sigset_t set;
	size_t i;

	/* Before the first stage does anything */
	status = open_joint(cli, ours);
	if (status) {
		close_end(&ours[0]);
		close_end(&ours[1]);
		return status;
	}

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (i = 0; i < ARRAY_SIZE(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	/* Ignored by who started us (nohup, SIGCHLD): waiting would not end. */
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &set, &job.before);

	status = start(s, joint, ours, &job);
	if (status)
		forward(&job, SIGTERM);
	wait_for_all(&job, &set);
	sigprocmask(SIG_SETMASK, &job.before, NULL);
	if (status)
		return status;

	last = job.status[job.n - 1];
	status = shell_status(last);
	for (i = job.n; pipefail && !status && i-- > 0;)
		status = shell_status(job.status[i]);
	/* So that a script which runs us stops as well */
	if (job.interrupted && WIFSIGNALED(last) && WTERMSIG(last) == SIGINT) {
		signal(SIGINT, SIG_DFL);
		raise(SIGINT);
	}
	return status;
}

int cmd_pipeline(struct cli *cli, int argc, char **argv)
{
	struct stages stages = {0};
	bool pipefail = false;
	__u64 joint = 1;
	int id, status;

	while ((id = next_option(cli, argc, argv))) {
		switch (id) {
		case OPT_JOINT:
			if (parse_size(optarg, &joint) && joint)
				break;
			return usage(cli, "--joint is 1, 2, ...: not '%s'",
				     optarg);
		case OPT_PIPEFAIL:
			pipefail = true;
			break;
		default:
			return USAGE;
		}
	}
	if (optind == argc)
		return usage(cli, "pipeline needs 'COMMAND | COMMAND'");
	if (optind + 1 < argc)
		return usage(cli,
			     "pipeline takes one argument: put quotes around the whole line");
	split(argv[optind], &stages);
	if (stages.error)
		status = usage(cli, "cannot run '%s': %s", argv[optind],
			       stages.error);
	else if (stages.n < 2)
		status =
			usage(cli,
			      "cannot run '%s': it has no | between two stages",
			      argv[optind]);
	else if (joint >= stages.n)
		status = usage(cli, "--joint %llu: %zu stages have %zu joints",
			       joint, stages.n, stages.n - 1);
	else
		status = 0;
	if (!status && stages.n > 2)
		fprintf(stderr,
			"ipcdemo: joint %llu of %zu goes through %s, the others are pipe(2)\n",
			joint, stages.n - 1, ipcdemo_device(cli->ipc));
	if (!status)
		status = run(cli, &stages, joint, pipefail);
	free_stages(&stages);
	return status;
}

// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: what is missing or refuses, and the one next command for each
 *
 * Each finding is a function that looks at one thing only.  All paths stand
 * behind IPCDEMO_ROOT, so that a directory can play a machine in the tests.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"

/* How much a finding matters. */
enum verdict {
	GOOD,
	/* needed to build or to load here, not to use what is loaded */
	NOTE,
	/* ipcdemo cannot be used now */
	BAD,
};

struct doctor {
	struct cli *cli;
	const char *root;
	char release[128];
	char module[PATH_MAX];
	/* how to come to a module that fits, or what to do before that */
	char build[256];
	bool loaded;
	bool bad;

	/* where a finding puts what it has to say */
	char text[PATH_MAX + 256];
	char next[PATH_MAX + 256];
};

static __printf(2, 3) void say(struct doctor *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->text, sizeof(d->text), fmt, ap);
	va_end(ap);
}

static __printf(2, 3) void next(struct doctor *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(d->next, sizeof(d->next), fmt, ap);
	va_end(ap);
}

static __printf(3, 4) const
	char *path(const struct doctor *d, char *buf, const char *fmt, ...)
{
	int n = snprintf(buf, PATH_MAX, "%s", d->root);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + n, PATH_MAX - n, fmt, ap);
	va_end(ap);
	return buf;
}

/* The first line of a small file below the root.  False if there is none. */
static bool first_line(const struct doctor *d, const char *name, char *line,
		       int size)
{
	char buf[PATH_MAX];
	FILE *f = fopen(path(d, buf, "%s", name), "re");
	bool ok = f && fgets(line, size, f);

	if (f)
		fclose(f);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	return ok;
}

static bool exists(const struct doctor *d, const char *fmt, const char *arg)
{
	char name[PATH_MAX], buf[PATH_MAX];

	snprintf(name, sizeof(name), fmt, arg);
	return !access(path(d, buf, "%s", name), F_OK);
}

/* ---- the module's file -------------------------------------------------- */

/*
 * The file that would be loaded: built beside this program, built below the
 * working directory, or installed.
 */
static void find_module(struct doctor *d)
{
	char self[PATH_MAX], name[PATH_MAX + 256];
	const char *const installed[] = {"updates/dkms", "updates", "extra"};
	char *slash;
	ssize_t n;
	size_t i;

	if (*d->root) {
		path(d, name, "/build/kernel/%s/ipcdemo.ko", d->release);
		if (!access(name, F_OK))
			goto found;
	} else {
		n = readlink("/proc/self/exe", self, sizeof(self) - 1);
		self[n < 0 ? 0 : n] = '\0';
		slash = strrchr(self, '/');
		if (slash) {
			*slash = '\0';
			snprintf(name, sizeof(name),
				 "%.*s/kernel/%s/ipcdemo.ko", PATH_MAX - 1,
				 self, d->release);
			if (!access(name, F_OK))
				goto found;
		}
		snprintf(name, sizeof(name), "build/kernel/%s/ipcdemo.ko",
			 d->release);
		if (!access(name, F_OK))
			goto found;
	}
	for (i = 0; i < ARRAY_SIZE(installed); i++) {
		path(d, name, "/lib/modules/%s/%s/ipcdemo.ko", d->release,
		     installed[i]);
		if (!access(name, F_OK))
			goto found;
	}
	return;
found:
	snprintf(d->module, sizeof(d->module), "%.*s", PATH_MAX - 1, name);
}

/* ---- findings ----------------------------------------------------------- */

/*
 * Does apt know a package of that name that it could install?  Where it cannot
 * be asked, the answer is yes: then it will say itself what is wrong.
 */
static bool apt_has(const char *package)
{
	bool known = true;
	char line[256];
	int ends[2];
	FILE *f;
	pid_t pid;

	fflush(NULL);
	if (pipe2(ends, O_CLOEXEC))
		return true;
	pid = fork();
	if (!pid) {
		setenv("LC_ALL", "C", 1);
		dup2(ends[1], STDOUT_FILENO);
		execlp("apt-cache", "apt-cache", "policy", package, NULL);
		dprintf(ends[1], "  Candidate: unknown\n");
		_exit(127);
	}
	close(ends[1]);
	f = fdopen(ends[0], "r");
	/* Of a name that it never heard, it prints nothing at all */
	if (pid > 0 && f)
		known = false;
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "Candidate:"))
			known = !strstr(line, "(none)");
	if (f)
		fclose(f);
	else
		close(ends[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return known;
}

static enum verdict find_headers(struct doctor *d)
{
	char package[160];

	snprintf(d->build, sizeof(d->build),
		 "make module KDIR=/lib/modules/%s/build", d->release);
	if (exists(d, "/lib/modules/%s/build/Makefile", d->release)) {
		say(d, "the headers of kernel %s are installed", d->release);
		return GOOD;
	}
	snprintf(package, sizeof(package), "linux-headers-%s", d->release);
	if (exists(d, "%s", "/etc/debian_version") && apt_has(package)) {
		say(d, "the headers of the running kernel %s are missing",
		    d->release);
		snprintf(d->build, sizeof(d->build), "sudo apt-get install %s",
			 package);
	} else {
		say(d,
		    "the headers of the running kernel %s are missing, and no package is known that has them: `make demo` loads the module in a VM instead",
		    d->release);
		snprintf(d->build, sizeof(d->build), "make demo");
	}
	next(d, "%s", d->build);
	return NOTE;
}

static bool in_path(const char *program)
{
	const char *dirs = getenv("PATH"), *end;
	char name[PATH_MAX];

	for (; dirs && *dirs; dirs = *end ? end + 1 : end) {
		end = dirs + strcspn(dirs, ":");
		snprintf(name, sizeof(name), "%.*s/%s", (int)(end - dirs), dirs,
			 program);
		if (!access(name, X_OK))
			return true;
	}
	return false;
}

static enum verdict find_compiler(struct doctor *d)
{
	bool gcc = in_path("gcc"), make = in_path("make");

	if (gcc && make) {
		say(d, "gcc and make are installed");
		return GOOD;
	}
	say(d, "%s%s%s missing", gcc ? "" : "gcc", gcc || make ? "" : " and ",
	    make  ? " is"
	    : gcc ? "make is"
		  : "make are");
	next(d, "sudo apt-get install build-essential");
	return NOTE;
}

/* Is this machine itself a VM? */
static bool in_vm(const struct doctor *d)
{
	char name[PATH_MAX], line[8192];
	FILE *f = fopen(path(d, name, "/proc/cpuinfo"), "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = !strncmp(line, "flags", 5) &&
			strstr(line, " hypervisor");
	if (f)
		fclose(f);
	return found;
}

static enum verdict find_kvm(struct doctor *d)
{
	char name[PATH_MAX];
	int fd = open(path(d, name, "/dev/kvm"), O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		say(d,
		    "/dev/kvm opens: `make demo` tries it, and emulates if it does not work");
		return GOOD;
	}
	if (errno == ENOENT && in_vm(d)) {
		say(d,
		    "this is a VM, without /dev/kvm: one inside it is emulated, which is slower");
		return GOOD;
	}
	say(d, "/dev/kvm: %s; `make demo` emulates, which is slower",
	    strerror(errno));
	next(d, "make demo");
	return NOTE;
}

static enum verdict find_modules(struct doctor *d)
{
	char line[32];

	if (!exists(d, "%s", "/proc/modules")) {
		say(d, "this kernel cannot load modules");
	} else if (first_line(d, "/proc/sys/kernel/modules_disabled", line,
			      sizeof(line)) &&
		   *line == '1') {
		say(d, "loading modules is switched off until the next boot");
	} else {
		say(d, "this kernel can load modules");
		return GOOD;
	}
	next(d, "make demo");
	return NOTE;
}

static enum verdict find_secure_boot(struct doctor *d)
{
	static const char efivar[] =
		"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
	unsigned char value[5] = {0};
	char name[PATH_MAX];
	FILE *f = fopen(path(d, name, "%s", efivar), "re");
	size_t n = f ? fread(value, 1, sizeof(value), f) : 0;

	if (f)
		fclose(f);
	/* Four bytes of attributes, then one that says whether it is on */
	if (n < sizeof(value) || value[4] != 1) {
		say(d, "Secure Boot is off");
		return GOOD;
	}
	say(d,
	    "Secure Boot is on: a module must be signed with a key that is enrolled");
	next(d, "make demo");
	return NOTE;
}

static enum verdict find_lockdown(struct doctor *d)
{
	char line[128] = "", enforce[8] = "";
	const char *mode;

	first_line(d, "/sys/kernel/security/lockdown", line, sizeof(line));
	first_line(d, "/sys/module/module/parameters/sig_enforce", enforce,
		   sizeof(enforce));
	mode = strchr(line, '[');
	if (mode && strncmp(mode, "[none]", 6)) {
		say(d,
		    "the kernel is locked down %.*s: it refuses unsigned modules",
		    (int)strcspn(mode, " "), mode);
	} else if (*enforce == 'Y') {
		say(d, "the kernel was told to refuse unsigned modules");
	} else {
		say(d, "the kernel is not locked down");
		return GOOD;
	}
	next(d, "make demo");
	return NOTE;
}

static enum verdict find_capability(struct doctor *d)
{
	char name[PATH_MAX], line[256];
	FILE *f = fopen(path(d, name, "/proc/self/status"), "re");
	unsigned long long caps = 0;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "CapEff:", 7))
			caps = strtoull(line + 7, NULL, 16);
	if (f)
		fclose(f);
	/* CAP_SYS_MODULE is number 16 */
	if (caps >> 16 & 1) {
		say(d, "this user may load modules");
		return GOOD;
	}
	if (d->loaded) {
		say(d, "this user need not load modules: it is loaded");
		return GOOD;
	}
	say(d, "this user may not load modules (CAP_SYS_MODULE)");
	next(d, "sudo ipcdemo doctor");
	return NOTE;
}

static enum verdict find_module_file(struct doctor *d)
{
	char vermagic[256];
	size_t n;

	if (!*d->module) {
		say(d, "no ipcdemo.ko was found for kernel %s", d->release);
		next(d, "%s", d->build);
		return NOTE;
	}
	if (!modinfo(d->module, "vermagic", vermagic, sizeof(vermagic))) {
		say(d, "%s is no kernel module", d->module);
		next(d, "%s", d->build);
		return NOTE;
	}
	n = strcspn(vermagic, " ");
	if (strlen(d->release) != n || strncmp(vermagic, d->release, n)) {
		say(d, "%s is for kernel %.*s, not for the running %s",
		    d->module, (int)n, vermagic, d->release);
		next(d, "%s", d->build);
		return NOTE;
	}
	say(d, "%s fits the running kernel", d->module);
	return GOOD;
}

static enum verdict find_module_loaded(struct doctor *d)
{
	struct ipcdemo_module module;
	char file[PATH_MAX + 8] = "ipcdemo.ko";
	int err = ipcdemo_module(d->cli->ipc, &module);

	if (*d->module)
		snprintf(file, sizeof(file), "%s", d->module);
	if (err == -ENOENT) {
		say(d, "the module is not loaded");
		if (*d->module)
			next(d, "sudo insmod %s", file);
		else
			next(d, "make demo");
		return BAD;
	}
	d->loaded = true;
	if (err) {
		say(d, "%s", ipcdemo_error(d->cli->ipc));
		next(d, "sudo rmmod ipcdemo && sudo insmod %s", file);
		return BAD;
	}
	if (module.uapi != IPCDEMO_UAPI_VERSION) {
		say(d,
		    "the loaded module is version %s with interface %u, this program has interface %u",
		    module.version, module.uapi, IPCDEMO_UAPI_VERSION);
		next(d, "sudo rmmod ipcdemo && sudo insmod %s", file);
		return BAD;
	}
	say(d, "the module is loaded, version %s", module.version);
	return GOOD;
}

/* Its major number, as /proc/devices has it; 0 if it is not there. */
static unsigned int major_number(const struct doctor *d)
{
	char name[PATH_MAX], line[128], *word;
	FILE *f = fopen(path(d, name, "/proc/devices"), "re");
	unsigned int number = 0;

	while (f && fgets(line, sizeof(line), f)) {
		number = strtoul(line, &word, 10);
		if (number && !strcmp(word, " ipcdemo\n"))
			break;
		number = 0;
	}
	if (f)
		fclose(f);
	return number;
}

static enum verdict find_device(struct doctor *d)
{
	const char *device = ipcdemo_device(d->cli->ipc);
	unsigned int number = major_number(d);
	struct stat st;

	if (!d->loaded) {
		say(d, "no device without the module");
		return GOOD;
	}
	if (stat(device, &st)) {
		say(d, "%s: %s, though the module is loaded", device,
		    strerror(errno));
		next(d, "sudo mknod -m 666 %s c %u 0", device, number);
		return BAD;
	}
	if (number && S_ISCHR(st.st_mode) && st.st_rdev >> 8 != number) {
		say(d, "%s is not the device of the loaded module", device);
		next(d, "sudo rm %s && sudo mknod -m 666 %s c %u 0", device,
		     device, number);
		return BAD;
	}
	if (faccessat(AT_FDCWD, device, R_OK | W_OK, AT_EACCESS)) {
		say(d, "no permission to read and write %s (mode %04o)", device,
		    st.st_mode & 07777);
		next(d, "sudo chmod a+rw %s", device);
		return BAD;
	}
	say(d, "%s can be read and written", device);
	return GOOD;
}

/*
 * The module first: the others are read in its light.  The headers before the
 * file that is built with them.
 */
static const struct {
	const char *name;
	enum verdict (*find)(struct doctor *d);
} findings[] = {
	{"loaded", find_module_loaded},	   {"device", find_device},
	{"modules", find_modules},	   {"secure-boot", find_secure_boot},
	{"lockdown", find_lockdown},	   {"capability", find_capability},
	{"headers", find_headers},	   {"compiler", find_compiler},
	{"module-file", find_module_file}, {"kvm", find_kvm},
};

static json_object *json_finding(const struct doctor *d, const char *name,
				 enum verdict verdict)
{
	static const char *const words[] = {"good", "note", "bad"};
	json_object *o = json_object_new_object();

	json_object_object_add(o, "name", json_object_new_string(name));
	json_object_object_add(o, "verdict",
			       json_object_new_string(words[verdict]));
	json_object_object_add(o, "says", json_object_new_string(d->text));
	if (*d->next)
		json_object_object_add(o, "next",
				       json_object_new_string(d->next));
	else
		json_object_object_add(o, "next", NULL);
	return o;
}

static void print_finding(const struct doctor *d, enum verdict verdict)
{
	static const char *const words[] = {"ok", "note", "MISSING"};
	static const char *const colors[] = {"\033[32m", "\033[33m",
					     "\033[31m"};
	bool color = d->cli->style.color;

	printf("%s%-7s%s  %s\n", color ? colors[verdict] : "", words[verdict],
	       color ? "\033[0m" : "", d->text);
	if (*d->next)
		printf("%9snext: %s\n", "", d->next);
}

static int examine(struct doctor *d, bool json)
{
	json_object *list = json ? json_object_new_array() : NULL, *all;
	enum verdict verdict;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(findings); i++) {
		*d->text = '\0';
		*d->next = '\0';
		verdict = findings[i].find(d);
		d->bad |= verdict == BAD;
		if (json)
			json_object_array_add(list,
					      json_finding(d, findings[i].name,
							   verdict));
		else
			print_finding(d, verdict);
	}
	if (!json) {
		puts(d->bad ? "ipcdemo cannot be used here now"
			    : "ipcdemo can be used here");
		return d->bad ? FAILED : DONE;
	}
	all = json_object_new_object();
	json_object_object_add(all, "usable", json_object_new_boolean(!d->bad));
	json_object_object_add(all, "kernel",
			       json_object_new_string(d->release));
	json_object_object_add(all, "findings", list);
	return put_json(all) ?: d->bad ? FAILED : DONE;
}

int cmd_doctor(struct cli *cli, int argc, char **argv)
{
	struct doctor d = {.cli = cli};
	bool json = false;
	int id, status;

	while ((id = next_option(cli, argc, argv))) {
		if (id != OPT_JSON)
			return USAGE;
		json = true;
	}
	if (optind < argc)
		snprintf(d.module, sizeof(d.module), "%s", argv[optind++]);
	status = no_more(cli, argc, argv);
	if (status)
		return status;
	d.root = getenv("IPCDEMO_ROOT") ?: "";
	if (*d.module && access(d.module, R_OK))
		return fail("%s: %s", d.module, strerror(errno));
	if (!first_line(&d, "/proc/sys/kernel/osrelease", d.release,
			sizeof(d.release)))
		return fail("%s/proc/sys/kernel/osrelease: %s", d.root,
			    "which kernel runs cannot be read");
	if (!*d.module)
		find_module(&d);
	return examine(&d, json);
}

// SPDX-License-Identifier: GPL-2.0
/*
 * Limits: the slots of a user, which our pipes and the kernel's share, and the
 * memory of a control group
 *
 * The kernel's limits are sysctls, ours parameters of the module: each test
 * sets both alike.
 */
#include "harness.h"

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <linux/capability.h>

/* A user of this test, and another one; nobody else is them. */
#define USER	    4242
#define OTHER_USER  4343

#define ORDINARY    16384 /* the kernel's soft limit */
#define LARGEST	    1048576
#define NO_LIMIT    0
#define NONE	    0
#define CAP(number) (1u << (number))

/* --- setting limits ------------------------------------------------------------- */

static void write_number(const char *path, unsigned long value)
{
	char text[32];
	int fd = open(path, O_WRONLY | O_CLOEXEC), len;

	len = snprintf(text, sizeof(text), "%lu", value);
	if (fd < 0 || write(fd, text, len) != len)
		fail_msg("%s: %s", path, strerror(errno));
	close(fd);
}

/* A limit of both: "pipe-user-pages-soft", say. */
static void limit(const char *name, unsigned long value)
{
	char path[128], *dash;

	snprintf(path, sizeof(path), "/proc/sys/fs/%s", name);
	write_number(path, value);
	snprintf(path, sizeof(path), "/sys/module/ipcdemo/parameters/%s", name);
	for (dash = strchr(path, '-'); dash; dash = strchr(dash, '-'))
		*dash = '_';
	write_number(path, value);
}

static void leave_group(void);

static void restore(void)
{
	limit("pipe-user-pages-soft", ORDINARY);
	limit("pipe-user-pages-hard", NO_LIMIT);
	limit("pipe-max-size", LARGEST);
	leave_group();
}

/* --- users ---------------------------------------------------------------------- */

/* In an actor: the pipes that it has made. */
#define MOST 16
static struct ends made[MOST];
static int nr_made;

/* Make one of that kind of pipe; its slots, or -1. */
static long do_make(long kind, long b, long c)
{
	struct ipcdemo_pipe_make make = {.size = sizeof(make)};
	int fds[2], ctl, ret;

	(void)b;
	(void)c;
	switch_to(kind);
	if (kind == PIPE) {
		ret = pipe(fds);
	} else {
		ctl = open(DEVICE, IPCDEMO_O_CONTROL | O_CLOEXEC);
		make.fds = (uintptr_t)fds;
		ret = ioctl(ctl, IPCDEMO_IOC_PIPE, &make);
		close(ctl);
	}
	if (ret)
		return -1;
	made[nr_made++] = (struct ends){fds[0], fds[1]};
	return get_capacity(fds[0]) / PAGE;
}

static long do_close_made(long b, long c, long d)
{
	(void)b;
	(void)c;
	(void)d;
	while (nr_made) {
		close(made[--nr_made].r);
		close(made[nr_made].w);
	}
	return 0;
}

static long do_grow(long kind, long slots, long c)
{
	(void)c;
	switch_to(kind);
	return set_capacity(made[0].w, slots * PAGE);
}

static long do_which(long b, long c, long d)
{
	(void)b;
	(void)c;
	(void)d;
	return made[0].r;
}

/* Another user, with just these capabilities. */
static long do_become(long uid, long caps, long c)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3,
						  0};
	struct __user_cap_data_struct data[2] = {
		{.effective = caps, .permitted = caps},
	};

	(void)c;
	if (prctl(PR_SET_KEEPCAPS, 1) || setgid(uid) || setuid(uid))
		return -1;
	return syscall(SYS_capset, &header, data);
}

static struct actor *user(int uid, unsigned int caps)
{
	struct actor *actor = new_actor();

	assert_ret(0, does(actor, do_become, uid, caps, 0).ret);
	return actor;
}

static void makes(struct actor *who, unsigned int kind, int times, long slots)
{
	while (times--)
		assert_ret(slots, does(who, do_make, kind, 0, 0).ret);
}

static void cannot_make(struct actor *who, unsigned int kind, int err)
{
	struct reply reply = does(who, do_make, kind, 0, 0);

	assert_errno(err, reply.ret);
}

/* The kind of the target first, then the other; and the other way round. */
static const unsigned int orders[][2] = {
	{PIPE, ANON}, {ANON, PIPE}, {ANON, ANON}, {PIPE, PIPE}};

/* --- the slots of a user ---------------------------------------------------------- */

static void above_the_soft_limit_it_is_two_slots(void **state)
{
	struct actor *who = user(USER, NONE);
	size_t i;

	(void)state;
	limit("pipe-user-pages-soft", 64);
	for (i = 0; i < NR(orders); i++) {
		makes(who, orders[i][0], 4, 16);
		makes(who, orders[i][1], 2, 2);
		makes(who, orders[i][0], 1, 2);
		assert_ret(0, does(who, do_close_made, 0, 0, 0).ret);
	}
	/* All was given back. */
	makes(who, ANON, 2, 16);
	makes(who, PIPE, 2, 16);
}

static void above_the_hard_limit_there_is_none(void **state)
{
	struct actor *who = user(USER, NONE);
	size_t i;

	(void)state;
	limit("pipe-user-pages-hard", 64);
	for (i = 0; i < NR(orders); i++) {
		makes(who, orders[i][0], 4, 16);
		cannot_make(who, orders[i][1], ENFILE);
		cannot_make(who, orders[i][0], ENFILE);
		assert_ret(0, does(who, do_close_made, 0, 0, 0).ret);
		makes(who, orders[i][1], 1, 16);
		assert_ret(0, does(who, do_close_made, 0, 0, 0).ret);
	}
}

static void growing_counts_for_both(void **state)
{
	struct actor *who = user(USER, NONE);
	size_t i;

	(void)state;
	limit("pipe-user-pages-soft", 64);
	for (i = 0; i < NR(orders); i++) {
		makes(who, orders[i][0], 1, 16);
		assert_ret(64 * PAGE,
			   does(who, do_grow, orders[i][0], 64, 0).ret);
		makes(who, orders[i][1], 1, 2);
		assert_int_equal(does(who, do_grow, orders[i][0], 128, 0).err,
				 EPERM);
		/* To shrink is always allowed, and gives back. */
		assert_ret(8 * PAGE,
			   does(who, do_grow, orders[i][0], 8, 0).ret);
		makes(who, orders[i][1], 1, 16);
		assert_ret(0, does(who, do_close_made, 0, 0, 0).ret);
	}
}

static void each_user_has_a_budget_of_his_own(void **state)
{
	struct actor *who = user(USER, NONE), *other = user(OTHER_USER, NONE);
	struct actor *same = user(USER, NONE);

	(void)state;
	limit("pipe-user-pages-soft", 64);
	makes(who, ANON, 2, 16);
	makes(who, PIPE, 2, 16);
	/* One process is as good as another; one user is not. */
	makes(same, ANON, 1, 2);
	makes(same, PIPE, 1, 2);
	makes(other, ANON, 2, 16);
	makes(other, PIPE, 2, 16);
	makes(other, ANON, 1, 2);
	/* What the death of one leaves is the other's. */
	destroy(who);
	makes(same, ANON, 1, 16);
	makes(same, PIPE, 1, 16);
}

static void either_capability_is_enough(void **state)
{
	static const unsigned int caps[] = {CAP(CAP_SYS_RESOURCE),
					    CAP(CAP_SYS_ADMIN)};
	size_t i;

	(void)state;
	limit("pipe-user-pages-soft", 32);
	limit("pipe-user-pages-hard", 64);
	for (i = 0; i < NR(caps); i++) {
		struct actor *who = user(USER, caps[i]);

		makes(who, ANON, 4, 16);
		makes(who, PIPE, 4, 16);
		assert_ret(32 * PAGE, does(who, do_grow, ANON, 32, 0).ret);
		/* They count all the same, for who has neither. */
		cannot_make(user(USER, NONE), ANON, ENFILE);
		cannot_make(user(USER, NONE), PIPE, ENFILE);
		destroy(who);
	}
	/* Some other capability is none of them. */
	makes(user(USER, CAP(CAP_CHOWN)), ANON, 2, 16);
}

static void who_made_it_pays_until_it_is_gone(void **state)
{
	static const unsigned int kinds[] = {PIPE, ANON};
	size_t i;

	(void)state;
	limit("pipe-user-pages-soft", 16);
	for (i = 0; i < NR(kinds); i++) {
		struct actor *who = user(USER, NONE);
		int pidfd = syscall(SYS_pidfd_open, who->pid, 0), end;

		makes(who, kinds[i], 1, 16);
		end = syscall(SYS_pidfd_getfd, pidfd,
			      does(who, do_which, 0, 0, 0).ret, 0);
		assert_true(end >= 0);
		assert_ret(0, does(who, do_close_made, 0, 0, 0).ret);
		makes(who, PIPE, 1, 2);
		makes(who, ANON, 1, 2);
		assert_ret(0, does(who, do_close_made, 0, 0, 0).ret);
		close(end);
		close(pidfd);
		makes(who, ANON, 1, 16);
		destroy(who);
	}
}

static void the_largest_size_needs_its_capability(void **state)
{
	static const unsigned int kinds[] = {PIPE, ANON};
	struct actor *who = user(USER, NONE);
	struct actor *admin = user(USER, CAP(CAP_SYS_ADMIN));
	struct actor *resource = user(USER, CAP(CAP_SYS_RESOURCE));
	size_t i;

	(void)state;
	limit("pipe-max-size", 8 * PAGE);
	for (i = 0; i < NR(kinds); i++) {
		makes(who, kinds[i], 1, 8);
		makes(admin, kinds[i], 1, 8);
		makes(resource, kinds[i], 1, 16);
		assert_ret(4 * PAGE, does(who, do_grow, kinds[i], 4, 0).ret);
		assert_ret(8 * PAGE, does(who, do_grow, kinds[i], 8, 0).ret);
		assert_int_equal(does(who, do_grow, kinds[i], 16, 0).err,
				 EPERM);
		assert_int_equal(does(admin, do_grow, kinds[i], 16, 0).err,
				 EPERM);
		assert_ret(32 * PAGE,
			   does(resource, do_grow, kinds[i], 32, 0).ret);
		does(who, do_close_made, 0, 0, 0);
		does(admin, do_close_made, 0, 0, 0);
		does(resource, do_close_made, 0, 0, 0);
	}
}

/* Opens what has a name; its slots, or -1. */
static long do_open_both(long b, long c, long d)
{
	int fd = open(target->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	(void)b;
	(void)c;
	(void)d;
	if (fd < 0)
		return -1;
	made[nr_made++] = (struct ends){fd, -1};
	return get_capacity(fd) / PAGE;
}

static long do_make_and_come_back(long kind, long times, long named)
{
	long slots = 0;

	while (times-- > 0 && slots >= 0)
		slots = do_make(kind, 0, 0);
	switch_to(named);
	return slots;
}

/* Whoever opens it first pays. */
static void opening_a_name_counts_too(void **state)
{
	struct actor *who = user(USER, NONE);
	unsigned int named = target->bit;

	(void)state;
	assert_ret(0, chmod(target->path, 0666));
	limit("pipe-user-pages-soft", 64);
	assert_ret(16, does(who, do_open_both, 0, 0, 0).ret);
	assert_ret(16, does(who, do_make_and_come_back, PIPE, 2, named).ret);
	assert_ret(16, does(who, do_make_and_come_back, ANON, 1, named).ret);
	assert_ret(2, does(who, do_make_and_come_back, ANON, 1, named).ret);
	does(who, do_close_made, 0, 0, 0);
	assert_ret(16, does(who, do_make_and_come_back, ANON, 4, named).ret);
	assert_ret(2, does(who, do_open_both, 0, 0, 0).ret);
	does(who, do_close_made, 0, 0, 0);
	limit("pipe-user-pages-hard", 64);
	assert_ret(16, does(who, do_make_and_come_back, PIPE, 4, named).ret);
	assert_int_equal(does(who, do_open_both, 0, 0, 0).err, ENOMEM);
	does(who, do_close_made, 0, 0, 0);
}

/* --- the memory of a control group -------------------------------------------------- */

/* So many slots, and what is charged ahead or late: 64 pages a processor. */
#define SLOTS 1024
#define SLACK 256

static char group_root[64], group[96];
static bool group_is_v2;

static void group_file(char *path, size_t size, const char *v1, const char *v2)
{
	snprintf(path, size, "%s/%s", group, group_is_v2 ? v2 : v1);
}

static void make_group(void)
{
	snprintf(group_root, sizeof(group_root), "/dev/shm/ipcdemo-group.%d",
		 getpid());
	snprintf(group, sizeof(group), "%s/test", group_root);
	assert_ret(0, mkdir(group_root, 0700));
	group_is_v2 = false;
	if (mount("none", group_root, "cgroup", 0, "memory")) {
		char path[96];
		int fd;

		group_is_v2 = true;
		assert_ret(0, mount("none", group_root, "cgroup2", 0, NULL));
		snprintf(path, sizeof(path), "%s/cgroup.subtree_control",
			 group_root);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		assert_ret(7, write(fd, "+memory", 7));
		close(fd);
	}
	assert_ret(0, mkdir(group, 0700));
}

/* Its processes are gone, when a test ends. */
static void leave_group(void)
{
	__u64 until = now_ms() + PATIENCE_MS;

	if (!*group)
		return;
	while (rmdir(group) && errno == EBUSY && now_ms() < until)
		breathe();
	umount2(group_root, MNT_DETACH);
	rmdir(group_root);
	*group = '\0';
}

/* The pages that the group uses. */
static long used_pages(void)
{
	char path[160], text[32] = "";
	int fd;

	group_file(path, sizeof(path), "memory.usage_in_bytes",
		   "memory.current");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return strtol(text, NULL, 10) / PAGE;
}

static void join_group(struct actor *actor)
{
	char path[160];

	group_file(path, sizeof(path), "cgroup.procs", "cgroup.procs");
	write_number(path, actor->pid);
}

static long do_open_large(long slots, long b, long c)
{
	struct ends e = open_ends(O_NONBLOCK);

	(void)b;
	(void)c;
	made[nr_made++] = e;
	return set_capacity(e.w, slots * PAGE);
}

/* Pages until the pipe is full, or something else is the matter. */
static long fill(void)
{
	static char page[PAGE];
	long pages = 0;

	while (write(made[0].w, page, PAGE) == PAGE)
		pages++;
	actor_note = errno;
	return pages;
}

static long do_fill(long b, long c, long d)
{
	(void)b;
	(void)c;
	(void)d;
	return fill();
}

/* With so many pages more for the group; then it has memory again to answer. */
static long do_fill_in_a_full_group(long pages, long c, long d)
{
	static char text[32];
	char path[160];
	long filled;
	int fd, len;

	(void)c;
	(void)d;
	group_file(path, sizeof(path), "memory.limit_in_bytes", "");
	fd = open(path, O_WRONLY | O_CLOEXEC);
	len = snprintf(text, sizeof(text), "%ld",
		       (used_pages() + pages) * PAGE);
	if (write(fd, text, len) != len)
		return -1;
	filled = fill();
	len = snprintf(text, sizeof(text), "-1");
	if (write(fd, text, len) != len)
		return -1;
	close(fd);
	return filled;
}

static struct actor *member_with_a_pipe(void)
{
	struct actor *actor;

	make_group();
	actor = new_actor();
	join_group(actor);
	assert_ret(SLOTS * PAGE, does(actor, do_open_large, SLOTS, 0, 0).ret);
	return actor;
}

static void pages_are_charged_to_the_group_of_the_writer(void **state)
{
	struct actor *actor = member_with_a_pipe();
	long before = used_pages(), full;
	struct reply reply;

	(void)state;
	reply = does(actor, do_fill, 0, 0, 0);
	assert_ret(SLOTS, reply.ret);
	assert_int_equal(reply.sum, EAGAIN);
	full = used_pages();
	if (full - before < SLOTS - SLACK) {
		print_error("# %d pages were written, and %ld charged\n", SLOTS,
			    full - before);
		fail();
	}
	does(actor, do_close_made, 0, 0, 0);
	eventually(used_pages() < before + SLACK);
}

static int made_region = -1;

/* A new region, of which each page is written: how many could be. */
static long do_fill_a_region(long pages, long c, long d)
{
	struct ipcdemo_region_make request = {.size = sizeof(request),
					      .flags = O_CLOEXEC,
					      .length = pages * PAGE};
	int ctl = control();
	long i, filled = 0;
	char page[PAGE] = {1};

	(void)c;
	(void)d;
	made_region = ioctl(ctl, IPCDEMO_IOC_REGION_MAKE, &request);
	for (i = 0; i < pages; i++)
		filled += pwrite(made_region, page, PAGE, i * PAGE) == PAGE;
	close(ctl);
	return filled;
}

static long do_close_region(long b, long c, long d)
{
	(void)b;
	(void)c;
	(void)d;
	return close(made_region);
}

static void pages_of_a_region_are_charged_to_the_group(void **state)
{
	struct actor *actor;
	long before, charged;

	(void)state;
	make_group();
	actor = new_actor();
	join_group(actor);
	before = used_pages();
	assert_ret(SLOTS, does(actor, do_fill_a_region, SLOTS, 0, 0).ret);
	charged = used_pages() - before;
	if (charged < SLOTS - SLACK) {
		print_error("# %d pages were written, and %ld charged\n", SLOTS,
			    charged);
		fail();
	}
	assert_ret(0, does(actor, do_close_region, 0, 0, 0).ret);
	eventually(used_pages() < before + SLACK);
}

/* With the killer off, a full group is ENOMEM to a call of the kernel. */
static void a_full_group_is_enomem(void **state)
{
	struct actor *actor = member_with_a_pipe();
	struct reply reply;
	char path[160];

	(void)state;
	if (group_is_v2) {
		print_message("# control groups of version 2 only kill\n");
		skip();
	}
	/* It is ready for all it does: nothing but the pipe wants memory. */
	does(actor, do_fill, 0, 0, 0);
	does(actor, do_close_made, 0, 0, 0);
	assert_ret(SLOTS * PAGE, does(actor, do_open_large, SLOTS, 0, 0).ret);
	group_file(path, sizeof(path), "memory.oom_control", "");
	write_number(path, 1);
	reply = does(actor, do_fill_in_a_full_group, SLOTS / 2, 0, 0);
	assert_in_range(reply.ret, 1, SLOTS - 1);
	assert_int_equal(reply.sum, ENOMEM);
	/* What was written is there, and with more memory it goes on. */
	assert_ret(SLOTS - reply.ret, does(actor, do_fill, 0, 0, 0).ret);
	does(actor, do_close_made, 0, 0, 0);
}

static const struct claim claims[] = {
	{"above the soft limit a pipe has two slots, whosever the others are",
	 above_the_soft_limit_it_is_two_slots, ANON},
	{"above the hard limit there is no pipe, whosever the others are",
	 above_the_hard_limit_there_is_none, ANON},
	{"growing counts for both", growing_counts_for_both, ANON},
	{"each user has a budget of his own", each_user_has_a_budget_of_his_own,
	 ANON},
	{"CAP_SYS_RESOURCE or CAP_SYS_ADMIN is above both limits",
	 either_capability_is_enough, ANON},
	{"who made a pipe pays until it is gone",
	 who_made_it_pays_until_it_is_gone, ANON},
	{"only CAP_SYS_RESOURCE is above pipe-max-size",
	 the_largest_size_needs_its_capability, ANON},
	{"opening what has a name counts too", opening_a_name_counts_too,
	 FIFO | DEV},
	{"pages are charged to the control group of the writer",
	 pages_are_charged_to_the_group_of_the_writer, ENDS},
	{"pages of a region are charged to the control group",
	 pages_of_a_region_are_charged_to_the_group, DEV},
	{"a full control group is ENOMEM", a_full_group_is_enomem, ENDS},
};

int main(void)
{
	after_each = restore;
	return run_claims("limits", claims, NR(claims));
}

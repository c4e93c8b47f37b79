// SPDX-License-Identifier: GPL-2.0
/* /proc/ipcdemo: the state as text (see procfs.h). */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/ipcdemo.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/proc_fs.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <linux/wait.h>

#include "gate.h"
#include "main.h"
#include "object.h"
#include "owner.h"
#include "pipe.h"
#include "procfs.h"
#include "region.h"
#include "trail.h"
#include "wait_word.h"
#include "waiter.h"

/* Waiters that come between counting and copying are shown, up to so many. */
#define MORE_WAITERS 8

/* Calls that are shown as held. */
#define MOST_CALLS   256

/* Owners that are copied at a time. */
#define SOME_OWNERS  64

/* Runs of pages of a region that are shown. */
#define MOST_RUNS    1000

/* White space, control characters and backslash: escaped, one column. */
static const char odd_characters[] =
	" \\\001\002\003\004\005\006\007\010\011\012\013\014\015\016\017\020"
	"\021\022\023\024\025\026\027\030\031\032\033\034\035\036\037\177";

static struct proc_dir_entry *root;
static struct proc_dir_entry *pipe_dir;
static struct proc_dir_entry *region_dir;

static int show_version(struct seq_file *m, void *unused)
{
	seq_printf(m, "version: %s\nuapi: %u\n", IPCDEMO_VERSION,
		   IPCDEMO_UAPI_VERSION);
	return 0;
}

static const char *const hold_names[] = {
	[IPC_HOLD_NO] = "no",
	[IPC_HOLD_KILL] = "kill",
	[IPC_HOLD_SIGNAL] = "signal",
};

static int show_points(struct seq_file *m, void *unused)
{
	int i;

	seq_puts(m, "point kind hold count sentence\n");
	for (i = 0; i < IPC_NR_POINTS; i++) {
		seq_printf(m, "%s %s %s %llu %s\n", ipc_points[i].name,
			   ipc_points[i].kind == IPC_KIND_PIPE ? "pipe"
							       : "region",
			   hold_names[ipc_points[i].hold], ipc_point_count(i),
			   ipc_points[i].sentence);
	}
	return 0;
}

static uid_t owner_of(struct seq_file *m, const struct ipc_object *object)
{
	return from_kuid_munged(seq_user_ns(m), READ_ONCE(object->owner));
}

static const char *persistence_of(const struct ipc_pipe *pipe)
{
	return READ_ONCE(pipe->keep) ? "kernel" : "process";
}

/*
 * The name of an object, in one column: what a program may put into a name of
 * a file is escaped.
 */
static void show_name(struct seq_file *m, struct ipc_object *object)
{
	char *buf, *name;

	if (!object->name_now) {
		seq_puts(m, object->name);
		return;
	}
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	name = buf ? object->name_now(object, buf, PATH_MAX) : ERR_PTR(-ENOMEM);
	if (IS_ERR(name))
		seq_puts(m, "-");
	else
		seq_escape(m, name, odd_characters);
	kfree(buf);
}

/* Where its inode is: stat(2) says the same of a name or a descriptor of it. */
static void show_inode(struct seq_file *m, const struct ipc_object *object,
		       const char *between)
{
	if (object->dev)
		seq_printf(m, "%u:%u%s%llu", MAJOR(object->dev),
			   MINOR(object->dev), between, object->ino);
	else
		seq_printf(m, "-%s-", between);
}

/* --- tables --- */

static int show_pipes(struct seq_file *m, void *unused)
{
	struct ipc_object *object;
	struct ipc_pipe_look look;
	struct ipc_pipe *pipe;
	u32 id = 0;

	seq_puts(m, "id name owner mode persistence slots used bytes readers");
	seq_puts(m, " writers read_waiters write_waiters open_waiters");
	seq_puts(m, " dev ino\n");
	while ((object = ipc_object_next(id, IPC_KIND_PIPE))) {
		id = object->id;
		pipe = ipc_pipe_of(object);
		/* Cannot fail: no copy of the slots is asked for. */
		ipc_pipe_look(pipe, &look, NULL);
		seq_printf(m, "%u ", id);
		show_name(m, object);
		seq_printf(m, " %u %04o %s %u %u %llu %u %u %u %u %u ",
			   owner_of(m, object), READ_ONCE(object->mode),
			   persistence_of(pipe), look.nr,
			   ring_used(look.indices), look.bytes,
			   READ_ONCE(pipe->readers), READ_ONCE(pipe->writers),
			   ipc_waiters_count(&pipe->read_queue, NULL),
			   ipc_waiters_count(&pipe->write_queue, NULL),
			   ipc_waiters_count(&pipe->open_queue, NULL));
		show_inode(m, object, " ");
		seq_putc(m, '\n');
		ipc_object_put(object);
	}
	return 0;
}

static void show_seals(struct seq_file *m, const struct ipc_region *region)
{
	static const char *const names[] = {"seal", "shrink", "grow"};
	u32 seals = READ_ONCE(region->seals);
	bool some = false;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(seals & (1U << i)))
			continue;
		if (some)
			seq_putc(m, ',');
		seq_puts(m, names[i]);
		some = true;
	}
	if (!some)
		seq_putc(m, '-');
}

static int show_regions(struct seq_file *m, void *unused)
{
	struct ipc_object *object;
	struct ipc_region *region;
	u32 id = 0;

	seq_puts(m, "id name owner mode size pages files maps");
	seq_puts(m, " seals dev ino\n");
	while ((object = ipc_object_next(id, IPC_KIND_REGION))) {
		id = object->id;
		region = ipc_region_of(object);
		seq_printf(m, "%u ", id);
		show_name(m, object);
		seq_printf(m, " %u %04o %llu %llu %u %u ", owner_of(m, object),
			   READ_ONCE(object->mode), READ_ONCE(region->size),
			   ipc_region_pages(region),
			   atomic_read(&region->files),
			   atomic_read(&region->maps));
		show_seals(m, region);
		seq_putc(m, ' ');
		show_inode(m, object, " ");
		seq_putc(m, '\n');
		ipc_object_put(object);
	}
	return 0;
}

/* --- one object --- */

static void show_object(struct seq_file *m, struct ipc_object *object)
{
	seq_printf(m, "id: %u\nname: ", object->id);
	show_name(m, object);
	seq_printf(m, "\nowner: %u\nmode: %04o\n", owner_of(m, object),
		   READ_ONCE(object->mode));
}

static void show_counters(struct seq_file *m, struct ipc_object *object)
{
	int i;

	seq_puts(m, "\npoint unit count\n");
	for (i = 0; i < IPC_NR_POINTS; i++) {
		if (ipc_points[i].kind != object->kind ||
		    !strcmp(ipc_points[i].unit, "-"))
			continue;
		seq_printf(m, "%s %s %lld\n", ipc_points[i].name,
			   ipc_points[i].unit,
			   (long long)atomic64_read(&object->count[i]));
	}
}

static void show_slot(struct seq_file *m, const struct ipc_pipe_look *look,
		      const struct ipc_slot *slot, u32 place, bool show_pfn)
{
	/* How far behind the tail this place is filled. */
	u32 ahead = (place - ring_tail(look->indices)) & (look->nr - 1);
	const char *state = "free";

	seq_printf(m, "%u ", place);
	if (ahead < ring_used(look->indices)) {
		seq_printf(m, "%u ", ring_tail(look->indices) + ahead);
		state = "data";
	} else {
		seq_puts(m, "- ");
		if (slot->page)
			state = "spare";
	}
	seq_printf(m, "%s ", state);
	if (slot->page)
		seq_printf(m, "%u ", slot->page_no);
	else
		seq_puts(m, "- ");
	if (slot->page && show_pfn)
		seq_printf(m, "%lu ", page_to_pfn(slot->page));
	else
		seq_puts(m, "- ");
	seq_printf(m, "%u %u %s\n", slot->offset, slot->len,
		   slot->flags & IPC_SLOT_MERGE	    ? "merge"
		   : slot->flags & IPC_SLOT_PACKET  ? "packet"
		   : slot->flags & IPC_SLOT_FOREIGN ? "foreign"
						    : "-");
}

static void show_command(struct seq_file *m, const char *command)
{
	if (command[0])
		seq_escape(m, command, odd_characters);
	else
		seq_puts(m, "-");
}

/* A line about a task; puts the pid. */
static void show_task(struct seq_file *m, enum ipc_point point, struct pid *pid,
		      const char *command, u64 ns, const char *state)
{
	u64 ms = div_u64(ns, NSEC_PER_MSEC);

	seq_printf(m, "%s %d ", ipc_points[point].name,
		   pid_nr_ns(pid, task_active_pid_ns(current)));
	show_command(m, command);
	seq_printf(m, " %llu.%03llu %s\n", ms / 1000, ms % 1000, state);
	put_pid(pid);
}

static void show_queue(struct seq_file *m, struct wait_queue_head *queue)
{
	struct ipc_waiter_copy *copies, *copy;
	unsigned int n;
	u64 now;

	n = ipc_waiters_count(queue, NULL);
	if (!n)
		return;
	n += MORE_WAITERS;
	copies = kvcalloc(n, sizeof(*copies), GFP_KERNEL);
	if (!copies) {
		seq_puts(m, "# no memory to show who waits here\n");
		return;
	}
	n = ipc_waiters_copy(queue, copies, n);
	now = ktime_get_ns();
	for (copy = copies; copy < copies + n; copy++)
		show_task(m, copy->point, copy->pid, copy->comm,
			  now - copy->since_ns,
			  copy->woken ? "woken" : "sleeping");
	kvfree(copies);
}

/* Tasks that are held at a gate, or wait for the mutex; known with gates alone. */
static void show_calls(struct seq_file *m, struct ipc_object *object)
{
	struct ipc_op_copy *copies, *copy;
	u64 now;
	u32 n;

	seq_puts(m, "\npoint pid command seconds state\n");
	if (!ipc_is_looking())
		return;
	copies = kvcalloc(MOST_CALLS, sizeof(*copies), GFP_KERNEL);
	if (!copies) {
		seq_puts(m, "# no memory to show who is held\n");
		return;
	}
	n = ipc_ops_copy(object, copies, MOST_CALLS);
	now = ktime_get_ns();
	for (copy = copies; copy < copies + n; copy++)
		show_task(m, copy->point, copy->pid, copy->comm,
			  now - copy->since_ns,
			  copy->state == IPC_OP_HELD ? "held" : "lock");
	kvfree(copies);
}

/* Who did what last; what nobody has done has no line. */
static void show_trail(struct seq_file *m, struct ipc_trail *trail)
{
	struct ipc_trace_copy copy;
	int i;

	seq_puts(m, "\nevent count pid command seconds\n");
	for (i = 0; i < IPC_NR_TRAIL; i++) {
		if (!ipc_trail_copy(trail, i, &copy))
			continue;
		seq_printf(m, "%s %llu %d ", ipc_trail_names[i], copy.count,
			   pid_nr_ns(copy.pid, task_active_pid_ns(current)));
		show_command(m, copy.comm);
		seq_printf(m, " %llu.%03llu\n", copy.ago_ms / 1000,
			   copy.ago_ms % 1000);
		put_pid(copy.pid);
	}
}

static int show_pipe(struct seq_file *m, struct ipc_pipe *pipe)
{
	unsigned int read_pollers, write_pollers;
	struct ipc_pipe_look look;
	struct ipc_slot *slots;
	bool show_pfn;
	u32 i;
	int err;

	err = ipc_pipe_look(pipe, &look, &slots);
	if (err)
		return err;
	ipc_waiters_count(&pipe->read_queue, &read_pollers);
	ipc_waiters_count(&pipe->write_queue, &write_pollers);

	show_object(m, &pipe->object);
	seq_printf(m, "persistence: %s\n", persistence_of(pipe));
	seq_printf(m, "capacity: %llu\n", (u64)look.nr << PAGE_SHIFT);
	seq_printf(m, "slots: %u\n", look.nr);
	seq_printf(m, "used: %u\n", ring_used(look.indices));
	seq_printf(m, "bytes: %llu\n", look.bytes);
	seq_printf(m, "head: %u\n", ring_head(look.indices));
	seq_printf(m, "tail: %u\n", ring_tail(look.indices));
	seq_printf(m, "readers: %u\n", READ_ONCE(pipe->readers));
	seq_printf(m, "writers: %u\n", READ_ONCE(pipe->writers));
	seq_printf(m, "spare: %u\n", look.spare);
	seq_printf(m, "snapshot: %s\n", look.torn ? "torn" : "consistent");
	seq_printf(m, "read_pollers: %u\n", read_pollers);
	seq_printf(m, "write_pollers: %u\n", write_pollers);
	seq_printf(m, "group: %u\ndev: ",
		   from_kgid_munged(seq_user_ns(m),
				    READ_ONCE(pipe->object.group)));
	show_inode(m, &pipe->object, "\nino: ");
	seq_putc(m, '\n');

	/* Of the opener: whoever inherits the file sees no more than he did. */
	show_pfn = file_ns_capable(m->file, &init_user_ns, CAP_SYS_ADMIN);
	seq_puts(m, "\nslot index state page pfn offset len flags\n");
	for (i = 0; i < look.nr; i++)
		show_slot(m, &look, &slots[i], i, show_pfn);
	kvfree(slots);

	seq_puts(m, "\npoint pid command seconds state\n");
	show_queue(m, &pipe->read_queue);
	show_queue(m, &pipe->write_queue);
	show_queue(m, &pipe->open_queue);

	show_counters(m, &pipe->object);
	show_calls(m, &pipe->object);
	show_trail(m, &pipe->trail);
	return 0;
}

static void show_run(struct seq_file *m, const struct ipc_page_run *run)
{
	static const char *const states[] = {
		[IPC_PAGE_NONE] = "none",
		[IPC_PAGE_THERE] = "there",
		[IPC_PAGE_LARGE] = "large",
	};

	seq_printf(m, "%llu %llu %s\n", run->first, run->first + run->nr - 1,
		   states[run->state]);
}

/* Runs of one state, a line each. */
static void show_pages(struct seq_file *m, struct ipc_region *region)
{
	struct ipc_page_run run, whole = {0};
	unsigned int lines = 0;
	int err;

	seq_puts(m, "\nfirst last state\n");
	for (;;) {
		err = region->ops->next_run(region, whole.first + whole.nr,
					    &run);
		if (!err && whole.nr && run.state == whole.state) {
			whole.nr += run.nr;
		} else {
			if (whole.nr)
				show_run(m, &whole);
			lines += !!whole.nr;
			if (err || lines == MOST_RUNS)
				break;
			whole = run;
		}
		cond_resched();
		if (fatal_signal_pending(current))
			return;
	}
	if (err == -EBUSY)
		seq_puts(m, "# its pages are being moved: look again\n");
	else if (!err)
		seq_printf(m, "# and so on: %u runs are shown\n", MOST_RUNS);
}

/* The newest faults, the oldest of them first. */
static int show_faults(struct seq_file *m, struct ipc_region *region)
{
	struct ipc_fault_note *notes, *note;
	u64 now, ms;
	unsigned int n;

	seq_puts(m, "\npage access pid command seconds\n");
	notes = kvcalloc(IPC_FAULTS_KEPT, sizeof(*notes), GFP_KERNEL);
	if (!notes)
		return -ENOMEM;
	n = ipc_region_copy_faults(region, notes);
	now = ktime_get_ns();
	for (note = notes; note < notes + n; note++) {
		ms = div_u64(now - note->at_ns, NSEC_PER_MSEC);
		seq_printf(m, "%llu %s %d ", note->page,
			   note->write ? "write" : "read",
			   pid_nr_ns(note->pid, task_active_pid_ns(current)));
		show_command(m, note->comm);
		seq_printf(m, " %llu.%03llu\n", ms / 1000, ms % 1000);
		put_pid(note->pid);
	}
	kvfree(notes);
	return 0;
}

/* A process, by its pid and its command; puts the pid. */
static void show_process(struct seq_file *m, struct pid *pid,
			 const char *command)
{
	seq_printf(m, "%d ", pid_nr_ns(pid, task_active_pid_ns(current)));
	show_command(m, command);
	put_pid(pid);
}

static void show_seconds(struct seq_file *m, u64 ns)
{
	u64 ms = div_u64(ns, NSEC_PER_MSEC);

	seq_printf(m, "%llu.%03llu", ms / 1000, ms % 1000);
}

/* Who waits for which word. */
static int show_word_waiters(struct seq_file *m, struct ipc_region *region)
{
	struct ipc_waiter_copy *copies, *copy;
	unsigned int n;
	u64 now;

	seq_puts(m, "\noffset point pid command seconds state\n");
	n = ipc_words_count(region);
	if (!n)
		return 0;
	n += MORE_WAITERS;
	copies = kvcalloc(n, sizeof(*copies), GFP_KERNEL);
	if (!copies)
		return -ENOMEM;
	n = ipc_words_copy(region, copies, n);
	now = ktime_get_ns();
	for (copy = copies; copy < copies + n; copy++) {
		seq_printf(m, "%llu ", copy->offset);
		show_task(m, copy->point, copy->pid, copy->comm,
			  now - copy->since_ns,
			  copy->woken ? "woken" : "sleeping");
	}
	kvfree(copies);
	return 0;
}

/* The newest wake-ups, the oldest of them first. */
static int show_wakes(struct seq_file *m, struct ipc_region *region)
{
	struct ipc_wake_note *notes, *note;
	unsigned int n;
	u64 now;

	seq_puts(m, "\noffset waker waker_command woken woken_command");
	seq_puts(m, " waited seconds\n");
	notes = kvcalloc(IPC_WAKES_KEPT, sizeof(*notes), GFP_KERNEL);
	if (!notes)
		return -ENOMEM;
	n = ipc_words_copy_wakes(region, notes);
	now = ktime_get_ns();
	for (note = notes; note < notes + n; note++) {
		seq_printf(m, "%llu ", note->offset);
		show_process(m, note->waker, note->waker_comm);
		seq_putc(m, ' ');
		show_process(m, note->woken, note->woken_comm);
		seq_putc(m, ' ');
		show_seconds(m, note->waited_ns);
		seq_putc(m, ' ');
		show_seconds(m, now - note->at_ns);
		seq_putc(m, '\n');
	}
	kvfree(notes);
	return 0;
}

/* Processes that hold locks. */
static int show_owners(struct seq_file *m, struct ipc_region *region)
{
	struct ipc_owner_copy *copies, *copy;
	u32 n, after = 0;

	seq_puts(m, "\nowner pid command offset entries\n");
	copies = kvcalloc(SOME_OWNERS, sizeof(*copies), GFP_KERNEL);
	if (!copies)
		return -ENOMEM;
	do {
		n = ipc_owners_copy(region, after, copies, SOME_OWNERS);
		for (copy = copies; copy < copies + n; copy++) {
			after = copy->number;
			seq_printf(m, "%u ", copy->number);
			show_process(m, copy->pid, copy->comm);
			seq_printf(m, " %llu %u\n", copy->offset,
				   copy->entries);
		}
	} while (n == SOME_OWNERS);
	kvfree(copies);
	return 0;
}

/* Eventfds, and who bound them. */
static int show_events(struct seq_file *m, struct ipc_region *region)
{
	struct ipc_event_copy *copies, *copy;
	unsigned int n;

	seq_puts(m, "\noffset pid command\n");
	if (!READ_ONCE(region->words.nr_events))
		return 0;
	copies = kvcalloc(IPC_MOST_EVENTS, sizeof(*copies), GFP_KERNEL);
	if (!copies)
		return -ENOMEM;
	n = ipc_words_copy_events(region, copies);
	for (copy = copies; copy < copies + n; copy++) {
		seq_printf(m, "%llu ", copy->offset);
		show_process(m, copy->pid, copy->comm);
		seq_putc(m, '\n');
	}
	kvfree(copies);
	return 0;
}

static int show_region(struct seq_file *m, struct ipc_region *region)
{
	show_object(m, &region->object);
	seq_printf(m, "size: %llu\n", READ_ONCE(region->size));
	seq_printf(m, "pages: %llu\n", ipc_region_pages(region));
	seq_printf(m, "files: %u\n", atomic_read(&region->files));
	seq_printf(m, "maps: %u\n", atomic_read(&region->maps));
	seq_printf(m, "page_size: %lu\nseals: ", PAGE_SIZE);
	show_seals(m, region);
	seq_printf(m, "\ngroup: %u\ndev: ",
		   from_kgid_munged(seq_user_ns(m),
				    READ_ONCE(region->object.group)));
	show_inode(m, &region->object, "\nino: ");
	seq_putc(m, '\n');
	show_counters(m, &region->object);
	show_calls(m, &region->object);
	show_pages(m, region);
	return show_faults(m, region)
		       ?: show_word_waiters(m, region)
		       ?: show_wakes(m, region)
		       ?: show_owners(m, region)
		       ?: show_events(m, region);
}

/* --- who polls --- */

DEFINE_STATIC_KEY_DEFERRED_FALSE(ipc_polled, IPC_KEY_LINGER);

/*
 * Who sleeps in poll, or waits with epoll, for any object.  One queue for all: a
 * task leaves a queue that it polls only when it wakes, which may be when the
 * object is gone.  This one is there until the module goes.
 */
static DECLARE_WAIT_QUEUE_HEAD(pollers);

/* An open file of an object. */
struct watch {
	struct ipc_object *object; /* as long as the file is in /proc */
	u64 seen; /* what it said when it was read last; 0: was not yet */
	struct mutex lock; /* guards polled */
	bool polled; /* it was: the keys are held */
};

static void add_up(u64 *sum, u64 value)
{
	*sum = (*sum + value) * GOLDEN_RATIO_64;
	*sum ^= *sum >> 32;
}

static void add_pipe(u64 *sum, struct ipc_pipe *pipe)
{
	add_up(sum, ring_indices(&pipe->ring));
	add_up(sum, READ_ONCE(pipe->nr));
	add_up(sum, READ_ONCE(pipe->readers));
	add_up(sum, READ_ONCE(pipe->writers));
	add_up(sum, READ_ONCE(pipe->keep));
	add_up(sum, ipc_waiters_count(&pipe->read_queue, NULL));
	add_up(sum, ipc_waiters_count(&pipe->write_queue, NULL));
	add_up(sum, ipc_waiters_count(&pipe->open_queue, NULL));
}

static void add_region(u64 *sum, struct ipc_region *region)
{
	add_up(sum, READ_ONCE(region->size));
	add_up(sum, READ_ONCE(region->seals));
	add_up(sum, atomic_read(&region->files));
	add_up(sum, atomic_read(&region->maps));
	add_up(sum, READ_ONCE(region->words.nr_events));
}

/*
 * What the object's file says, as a number that is not 0: of another state it is
 * another one, but for a chance of 2^-64.  Names, owners and times are left out.
 */
static u64 sum_of(struct ipc_object *object)
{
	u64 sum = 0;
	int i;

	for (i = 0; i < IPC_NR_POINTS; i++) {
		if (ipc_points[i].kind == object->kind)
			add_up(&sum, atomic64_read(&object->count[i]));
	}
	if (object->kind == IPC_KIND_PIPE)
		add_pipe(&sum, ipc_pipe_of(object));
	else
		add_region(&sum, ipc_region_of(object));
	return sum ?: 1;
}

/*
 * Each call passes a point when all that it changes is changed, or notes it, so
 * the last change is followed by a wake-up.  The barrier is between that change and the
 * look at the queue, and pairs with the lock of the queue that poll_wait() takes
 * before poll_one() looks at the state: one of them sees the other.
 */
void ipc_procfs_changed(void)
{
	if (wq_has_sleeper(&pollers))
		wake_up_interruptible_poll(&pollers,
					   EPOLLIN | EPOLLRDNORM | EPOLLPRI);
}

static __poll_t poll_one(struct file *file, struct poll_table_struct *wait)
{
	struct seq_file *m = file->private_data;
	struct watch *watch = m->private;

	/* Points are passed by without a word before these are on. */
	mutex_lock(&watch->lock);
	if (!watch->polled) {
		static_branch_inc(&ipc_polled.key);
		static_branch_inc(&ipc_looking.key);
		watch->polled = true;
	}
	mutex_unlock(&watch->lock);
	poll_wait(file, &pollers, wait);
	if (sum_of(watch->object) == READ_ONCE(watch->seen))
		return 0;
	return EPOLLIN | EPOLLRDNORM | EPOLLPRI;
}

/*
 * The last of them who wait leave.  No file of ours is in /proc any more: who
 * wakes is told so by procfs, and stands on no queue of ours again.
 */
static void send_pollers_away(void)
{
	/* epoll and io_uring stay until then; with this they forget us. */
	__wake_up(&pollers, TASK_NORMAL, 0, poll_to_key(EPOLLHUP | POLLFREE));
	while (wq_has_sleeper(&pollers)) {
		wake_up_all(&pollers);
		schedule_timeout_uninterruptible(1);
	}
	/* They look at the queue under RCU as they leave it. */
	synchronize_rcu();
}

static int show_one(struct seq_file *m, void *unused)
{
	struct watch *watch = m->private;
	struct ipc_object *object = watch->object;

	/* First: what changes while it is shown has changed since. */
	WRITE_ONCE(watch->seen, sum_of(object));
	if (object->kind == IPC_KIND_PIPE)
		return show_pipe(m, ipc_pipe_of(object));
	return show_region(m, ipc_region_of(object));
}

static int open_one(struct inode *inode, struct file *file)
{
	struct watch *watch = kzalloc(sizeof(*watch), GFP_KERNEL_ACCOUNT);
	int err;

	if (!watch)
		return -ENOMEM;
	watch->object = pde_data(inode);
	mutex_init(&watch->lock);
	err = single_open(file, show_one, watch);
	if (err) {
		mutex_destroy(&watch->lock);
		kfree(watch);
	}
	return err;
}

/* The file is closed, or goes from /proc while it is open. */
static int release_one(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;
	struct watch *watch = m->private;

	if (watch->polled) {
		static_branch_slow_dec_deferred(&ipc_looking);
		static_branch_slow_dec_deferred(&ipc_polled);
		/* Who polls a file that is gone finds that it is. */
		wake_up_all(&pollers);
	}
	mutex_destroy(&watch->lock);
	kfree(watch);
	return single_release(inode, file);
}

static const struct proc_ops one_ops = {
	.proc_open = open_one,
	.proc_read_iter = seq_read_iter,
	.proc_lseek = seq_lseek,
	.proc_poll = poll_one,
	.proc_release = release_one,
};

int ipc_procfs_add(struct ipc_object *object)
{
	struct proc_dir_entry *dir;
	char name[16];
	int err;

	err = ipc_load_fault("proc entry of an object");
	if (err)
		return err;
	snprintf(name, sizeof(name), "%u", object->id);
	dir = object->kind == IPC_KIND_PIPE ? pipe_dir : region_dir;
	object->proc = proc_create_data(name, 0444, dir, &one_ops, object);
	return object->proc ? 0 : -ENOMEM;
}

void ipc_procfs_remove(struct ipc_object *object)
{
	proc_remove(object->proc);
}

static int make_entries(void)
{
	if (ipc_load_fault("directory of pipes"))
		return -ENOMEM;
	pipe_dir = proc_mkdir("pipe", root);
	if (!pipe_dir || ipc_load_fault("directory of regions"))
		return -ENOMEM;
	region_dir = proc_mkdir("region", root);
	if (!region_dir || ipc_load_fault("proc entry version"))
		return -ENOMEM;
	if (!proc_create_single("version", 0444, root, show_version) ||
	    ipc_load_fault("proc entry pipes"))
		return -ENOMEM;
	if (!proc_create_single("pipes", 0444, root, show_pipes) ||
	    ipc_load_fault("proc entry regions"))
		return -ENOMEM;
	if (!proc_create_single("regions", 0444, root, show_regions) ||
	    ipc_load_fault("proc entry points"))
		return -ENOMEM;
	if (!proc_create_single("points", 0444, root, show_points))
		return -ENOMEM;
	return 0;
}

int ipc_procfs_init(void)
{
	int err;

	err = ipc_load_fault("proc directory");
	if (err)
		return err;
	root = proc_mkdir("ipcdemo", NULL);
	if (!root)
		return -ENOMEM;
	err = make_entries();
	if (err)
		ipc_procfs_exit();
	return err;
}

/* Takes what is below it along. */
void ipc_procfs_exit(void)
{
	proc_remove(root);
	send_pollers_away();
	static_key_deferred_flush(&ipc_polled);
}

// SPDX-License-Identifier: GPL-2.0
/* Gates: a task stops at a point until somebody lets it through (gate.h). */
#include <linux/bitmap.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/glob.h>
#include <linux/hashtable.h>
#include <linux/ipcdemo.h>
#include <linux/kref.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "events.h"
#include "gate.h"
#include "procfs.h"
#include "waiter.h"

#define MOST_GATES 1024

DEFINE_STATIC_KEY_DEFERRED_FALSE(ipc_looking, IPC_KEY_LINGER);

/* Only the locks of the scheduler and of kfree() are taken inside. */
static DEFINE_SPINLOCK(look_lock);
static LIST_HEAD(ops); /* look_lock */
static LIST_HEAD(gates); /* look_lock; in the order they were set */

/*
 * What each point asks for must not take longer because of what others do with
 * objects of their own: the op of a task is found by hash, and the gates of an
 * object hang on the object.
 */
static DEFINE_HASHTABLE(ops_of_tasks, 8); /* look_lock; by the task's address */

/*
 * Who looks closely: controllers that have set a gate.  Each of them holds the
 * static key, and is added here once the key is on everywhere, and taken off
 * before it is let go.  Calls are known, for memory and under look_lock, only
 * while there is one; who counts or traces takes neither.
 *
 * Read without the lock where a task comes to a point.  A task that had a call
 * of this epoch has seen the first looker under look_lock, and sees no older
 * value later: it misses no point.  Another one may come to its next point at
 * the very moment when somebody begins to look, and is then before or after it;
 * the barrier in add_looker() keeps what that one reads next behind.
 */
static unsigned int lookers; /* changed under look_lock */

/*
 * Rises when the first looker comes.  Without any, calls go on and do not say
 * what they do: what was known of them is stale.  Of a call whose epoch is this
 * one everything is known since it got it, as the key was on all the time.
 */
static u64 epoch; /* look_lock */

/* For so many calls there is no memory to know them: a test aid. */
static unsigned int fail_calls; /* look_lock */
module_param(fail_calls, uint, 0644);
MODULE_PARM_DESC(fail_calls,
		 "test aid: so many calls find no memory to be known");

static bool counting; /* changed under the parameter lock of the module */
static atomic64_t counts[IPC_NR_POINTS];

struct gate {
	struct list_head node; /* look_lock; in gates */
	struct list_head of_object; /* look_lock; in object->gates */
	struct ipc_controller *controller;
	struct ipc_object *object; /* referenced */
	u32 id;
	struct pid *pid; /* referenced; NULL: any */
	u32 left; /* arrivals; 0: all */
	bool spent; /* held its last one; freed when its controller comes by */
	char pattern[32];
	DECLARE_BITMAP(points, IPC_NR_POINTS);
};

/*
 * What a controller that has held a call said about it.  Belongs to the call,
 * and goes with it or when the gates of the controller open.
 */
struct ipc_tie {
	struct list_head node; /* look_lock; in the op's ties */
	struct ipc_controller *controller;
	u64 arrival; /* at which one it was held last */
	bool step; /* hold it at its next arrival, whichever point that is */
	bool free; /* no gate of the controller holds it any more */
};

struct ipc_controller {
	struct kref refs;
	struct wait_queue_head queue; /* who waits for an arrival */
	struct pid *owner; /* referenced; the process that opened it */
	struct wait_queue_entry death; /* in the owner's wait_pidfd */
	struct work_struct death_work; /* scheduled by death */
	u32 last_gate; /* look_lock */
	u32 nr_gates; /* look_lock */
	bool looking; /* look_lock; is one of the lookers */
	kuid_t uid; /* never changes; who opened it */
	bool privileged; /* never changes; may hold whoever he likes */
	bool closed; /* look_lock; its process has exited: no gate any more */
};

static void add_looker(void)
{
	lockdep_assert_held(&look_lock);
	if (!lookers)
		epoch++;
	WRITE_ONCE(lookers, lookers + 1);
	/* What the looker reads next is read behind it; pairs with nothing. */
	smp_mb();
}

static void drop_looker(void)
{
	lockdep_assert_held(&look_lock);
	WRITE_ONCE(lookers, lookers - 1);
}

bool ipc_has_gates(void)
{
	return READ_ONCE(lookers);
}

/* --- counting --- */

static int set_counting(const char *text, const struct kernel_param *param)
{
	bool on;
	int err = kstrtobool(text, &on);

	if (err)
		return err;
	if (on == counting)
		return 0;
	if (on)
		static_branch_inc(&ipc_looking.key);
	WRITE_ONCE(counting, on);
	if (!on)
		static_branch_dec(&ipc_looking.key);
	return 0;
}

static const struct kernel_param_ops counting_ops = {
	.set = set_counting,
	.get = param_get_bool,
};

module_param_cb(count_points, &counting_ops, &counting, 0644);
MODULE_PARM_DESC(count_points,
		 "count how often each point is passed: /proc/ipcdemo/points");

u64 ipc_point_count(enum ipc_point point)
{
	return atomic64_read(&counts[point]);
}

/* --- the side of the task --- */

static struct ipc_op *op_of(const struct task_struct *task)
{
	struct ipc_op *op;

	lockdep_assert_held(&look_lock);
	hash_for_each_possible(ops_of_tasks, op, of_task, (unsigned long)task) {
		if (op->task == task && op->epoch == epoch)
			return op;
	}
	return NULL;
}

/* Zeroed memory for what is known of a call, or NULL. */
static void *alloc_known(size_t size, gfp_t gfp)
{
	bool fail;

	spin_lock(&look_lock);
	fail = fail_calls;
	if (fail)
		fail_calls--;
	spin_unlock(&look_lock);
	return fail ? NULL : kzalloc(size, gfp);
}

/* Nothing is known of the call but that it runs, and where it was last. */
static void start_anew(struct ipc_op *op, enum ipc_point point)
{
	lockdep_assert_held(&look_lock);
	op->epoch = epoch;
	op->point = point;
	op->values = (struct ipc_values){-1, -1, -1, -1, -1, -1, 0};
	op->since_ns = ktime_get_ns();
	op->state = IPC_OP_RUNNING;
	op->has_lock = false;
	op->waiter = NULL;
}

static struct ipc_op *new_op(struct ipc_object *object, enum ipc_point point,
			     bool nowait)
{
	gfp_t gfp = nowait ? GFP_NOWAIT : GFP_KERNEL_ACCOUNT;
	struct ipc_op *op;

	op = alloc_known(sizeof(*op), gfp);
	if (!op)
		return NULL;
	op->nowait = nowait;
	op->task = current;
	op->object = object;
	INIT_LIST_HEAD(&op->ties);
	spin_lock(&look_lock);
	start_anew(op, point);
	/* The newest first: a fault inside a call is a call of its own. */
	list_add(&op->node, &ops);
	hash_add(ops_of_tasks, &op->of_task, (unsigned long)current);
	spin_unlock(&look_lock);
	return op;
}

struct ipc_op *ipc_op_begin_slow(struct ipc_object *object, bool nowait)
{
	return ipc_has_gates() ? new_op(object, IPC_NR_POINTS, nowait) : NULL;
}

void ipc_op_know_slow(struct ipc_op **op, struct ipc_object *object,
		      enum ipc_point point)
{
	if (!ipc_has_gates())
		return;
	if (!*op) {
		/* A call that must not sleep does not come here. */
		*op = new_op(object, point, false);
		return;
	}
	spin_lock(&look_lock);
	if ((*op)->epoch != epoch)
		start_anew(*op, point);
	spin_unlock(&look_lock);
}

void ipc_op_end_slow(struct ipc_op *op)
{
	struct ipc_tie *tie, *next;

	spin_lock(&look_lock);
	list_del(&op->node);
	hash_del(&op->of_task);
	spin_unlock(&look_lock);
	/* Nobody else finds it any more. */
	list_for_each_entry_safe(tie, next, &op->ties, node)
		kfree(tie);
	kfree(op->spare);
	kfree(op);
}

void ipc_op_turn_slow(struct ipc_op *op, struct ipc_object *object, bool nowait)
{
	spin_lock(&look_lock);
	op->object = object;
	op->nowait = nowait;
	spin_unlock(&look_lock);
}

void ipc_op_asleep_slow(struct ipc_op *op, const struct ipc_waiter *waiter)
{
	spin_lock(&look_lock);
	op->waiter = waiter;
	op->state = waiter ? IPC_OP_ASLEEP : IPC_OP_RUNNING;
	spin_unlock(&look_lock);
}

void ipc_op_lock(enum ipc_op_state state, bool has_lock)
{
	struct ipc_op *op;

	if (!ipc_has_gates())
		return;
	spin_lock(&look_lock);
	op = op_of(current);
	if (op) {
		op->state = state;
		op->has_lock = has_lock;
	}
	spin_unlock(&look_lock);
}

static bool may_hold(enum ipc_point point)
{
	return ipc_points[point].hold != IPC_HOLD_NO &&
	       !(current->flags & (PF_EXITING | PF_KTHREAD | PF_IO_WORKER)) &&
	       !fatal_signal_pending(current);
}

static void free_gate(struct gate *gate)
{
	ipc_object_put(gate->object);
	put_pid(gate->pid);
	kfree(gate);
}

/*
 * Whether a gate is for the current task at this point.  Who controls a gate is
 * not held by it: nobody would be left to let him through.
 */
static bool gate_matches(const struct gate *gate, enum ipc_point point)
{
	const struct ipc_controller *controller = gate->controller;

	/* An owner of a pipe decides for his own tasks, not for root's. */
	if (!controller->privileged &&
	    !uid_eq(controller->uid, task_uid(current)))
		return false;
	return !gate->spent && test_bit(point, gate->points) &&
	       controller->owner != task_tgid(current) &&
	       (!gate->pid || gate->pid == task_pid(current));
}

static struct ipc_tie *tie_of(const struct ipc_op *op,
			      const struct ipc_controller *controller)
{
	struct ipc_tie *tie;

	lockdep_assert_held(&look_lock);
	list_for_each_entry(tie, &op->ties, node) {
		if (tie->controller == controller)
			return tie;
	}
	return NULL;
}

/* The tie to this controller; if there is none yet, the spare one.  Or NULL. */
static struct ipc_tie *make_tie(struct ipc_op *op,
				struct ipc_controller *controller)
{
	struct ipc_tie *tie = tie_of(op, controller);

	if (tie || !op->spare)
		return tie;
	tie = op->spare;
	op->spare = NULL;
	tie->controller = controller;
	list_add_tail(&tie->node, &op->ties);
	return tie;
}

/*
 * Who ordered a step that ends here.  Not one that has held this arrival: the
 * step that he ordered then begins here.
 */
static struct ipc_controller *find_stepper(const struct ipc_op *op)
{
	struct ipc_tie *tie;

	list_for_each_entry(tie, &op->ties, node) {
		if (tie->step && tie->arrival != op->arrivals)
			return tie->controller;
	}
	return NULL;
}

/* The oldest gate that holds @op where it is now.  Each controller does once. */
static struct gate *find_gate(const struct ipc_op *op)
{
	struct ipc_tie *tie;
	struct gate *gate;

	list_for_each_entry(gate, &op->object->gates, of_object) {
		if (!gate_matches(gate, op->point))
			continue;
		tie = tie_of(op, gate->controller);
		if (!tie || (!tie->free && tie->arrival != op->arrivals))
			return gate;
	}
	return NULL;
}

enum hold_state { NOT_HELD, HELD, NO_TIE };

/*
 * Whether the current task is held now; then its holder is referenced.  It is
 * not yet if a tie is needed and there is none to spare.
 */
static enum hold_state take_hold(struct ipc_op *op)
{
	struct ipc_controller *holder;
	struct gate *gate = NULL;
	struct ipc_tie *tie;

	lockdep_assert_held(&look_lock);
	/* One of another time of looking is not known to who looks now. */
	if (op->epoch != epoch || op->nowait || !may_hold(op->point))
		return NOT_HELD;
	holder = find_stepper(op);
	if (!holder) {
		gate = find_gate(op);
		if (!gate)
			return NOT_HELD;
		holder = gate->controller;
	}
	tie = make_tie(op, holder);
	if (!tie)
		return NO_TIE;
	tie->arrival = op->arrivals;
	tie->step = false;
	if (gate && gate->left && !--gate->left)
		gate->spent = true;
	kref_get(&holder->refs);
	op->holder = holder;
	op->gate = gate ? gate->id : 0;
	op->state = IPC_OP_HELD;
	op->reported = false;
	op->released = false;
	return HELD;
}

static void destroy_controller(struct kref *refs)
{
	struct ipc_controller *controller =
		container_of(refs, struct ipc_controller, refs);

	put_pid(controller->owner);
	kfree(controller);
}

/*
 * Sleep until let through.  The holder stays as it is until the task itself
 * clears it, so it is read here without the lock.  Return: whether it was let
 * through, and does not leave for a signal.
 */
static bool hold(struct ipc_op *op)
{
	struct ipc_controller *controller = op->holder;
	unsigned int state = TASK_KILLABLE;
	bool released;

	if (ipc_points[op->point].hold == IPC_HOLD_SIGNAL)
		state = TASK_INTERRUPTIBLE;
	wake_up_all(&controller->queue);
	for (;;) {
		set_current_state(state);
		/* Pairs with release(): set first, then woken. */
		if (READ_ONCE(op->released) ||
		    signal_pending_state(state, current))
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);

	spin_lock(&look_lock);
	op->holder = NULL;
	op->state = IPC_OP_RUNNING;
	released = op->released;
	spin_unlock(&look_lock);
	kref_put(&controller->refs, destroy_controller);
	return released;
}

/* Without memory for a tie a call is not held. */
static bool get_spare_tie(struct ipc_op *op)
{
	op->spare = alloc_known(sizeof(*op->spare), GFP_KERNEL_ACCOUNT);
	return op->spare;
}

/* Whether somebody at this point now would be held; may change at once. */
bool ipc_would_hold(struct ipc_object *object, enum ipc_point point)
{
	struct gate *gate;
	bool found = false;

	spin_lock(&look_lock);
	list_for_each_entry(gate, &object->gates, of_object) {
		if (may_hold(point) && gate_matches(gate, point)) {
			found = true;
			break;
		}
	}
	spin_unlock(&look_lock);
	return found;
}

/*
 * Stop at the gates of a point.  Not with a lock that look_lock is taken inside
 * of, and where the row of the point lets a gate hold: where the task may sleep.
 */
static void meet_gates(struct ipc_object *object, enum ipc_point point,
		       const struct ipc_detail *detail)
{
	enum hold_state next = NOT_HELD;
	struct ipc_op *op;

	spin_lock(&look_lock);
	op = op_of(current);
	/* Memory that the call has to find for itself is no step of it. */
	if (op && (op->object != object || (current->flags & PF_MEMALLOC)))
		op = NULL;
	if (op) {
		op->point = point;
		ipc_values_at(object, point, detail, &op->values);
		op->since_ns = ktime_get_ns();
		op->arrivals++;
		next = take_hold(op);
	}
	spin_unlock(&look_lock);

	/* Each controller that has a gate here holds it, in turn. */
	while (next != NOT_HELD) {
		might_sleep();
		if (next == HELD ? !hold(op) : !get_spare_tie(op))
			break;
		spin_lock(&look_lock);
		next = take_hold(op);
		spin_unlock(&look_lock);
	}
}

/* --- an arrival --- */

void ipc_values_at(struct ipc_object *object, enum ipc_point point,
		   const struct ipc_detail *detail, struct ipc_values *values)
{
	*values = (struct ipc_values){
		-1, detail->offset, detail->len, -1, -1, detail->decided, 0,
	};
	if (object->describe)
		object->describe(object, point, values);
}

/* Whether anybody but who records in batches is to be told, or may hold. */
static bool somebody_else_looks(void)
{
	return READ_ONCE(counting) || ipc_has_gates() ||
	       ipc_has_subscribers() || ipc_is_traced() ||
	       static_branch_unlikely(&ipc_polled.key);
}

/*
 * Tell those who count and those who are told.  They may have begun, or have
 * gone, at any moment between the static key and here; each asks once more.
 *
 * Takes no lock but spinlocks inside which none of ours is taken (events.h, that
 * of who polls in procfs.c), allocates nothing and never sleeps: it runs under the
 * mutex of a pipe, under the spinlock of a wait queue with interrupts off, in a
 * fault.  The object stays meanwhile, as its caller is in a call on it or has a
 * reference.
 */
static void tell(struct ipc_object *object, enum ipc_point point,
		 const struct ipc_detail *detail)
{
	if (READ_ONCE(counting))
		atomic64_inc(&counts[point]);
	if (ipc_has_subscribers())
		ipc_events_post(object, point, detail);
	/* Whoever else is told of arrivals comes here, behind a key of his. */
	if (ipc_is_batched())
		ipc_batch_add_detail(object, point, detail);
	if (ipc_is_traced())
		ipc_trace(object, point, detail);
	if (static_branch_unlikely(&ipc_polled.key))
		ipc_procfs_changed();
}

/* Gates come last: who is held has been told of. */
static void arrive(struct ipc_object *object, enum ipc_point point,
		   const struct ipc_detail *detail)
{
	tell(object, point, detail);
	if (ipc_has_gates())
		meet_gates(object, point, detail);
}

static noinline void arrive_fully(struct ipc_object *object,
				  enum ipc_point point, s64 len, s64 decided)
{
	const struct ipc_detail detail = {-1, len, decided, NULL, 0};

	arrive(object, point, &detail);
}

/* Most points by far: with a recording alone on they go the shortest way. */
void ipc_arrive(struct ipc_object *object, enum ipc_point point, s64 len,
		s64 decided)
{
	if (somebody_else_looks())
		arrive_fully(object, point, len, decided);
	else if (ipc_is_batched())
		ipc_batch_add(object, point, len, decided);
}

void ipc_arrive_offset(struct ipc_object *object, enum ipc_point point,
		       s64 offset, s64 len, s64 decided)
{
	const struct ipc_detail detail = {offset, len, decided, NULL, 0};

	arrive(object, point, &detail);
}

void ipc_arrive_waited(struct ipc_object *object, enum ipc_point point,
		       s64 offset, s64 decided, u64 since_ns)
{
	const struct ipc_detail detail = {
		.offset = offset,
		.len = -1,
		.decided = decided,
		.wait_ns = ktime_get_ns() - since_ns,
	};

	arrive(object, point, &detail);
}

void ipc_note(struct ipc_object *object, enum ipc_point point, s64 decided)
{
	const struct ipc_detail detail = {-1, -1, decided, NULL, 0};

	tell(object, point, &detail);
}

void ipc_note_chosen(struct ipc_object *object, enum ipc_point point,
		     s64 offset, struct pid *chosen, u64 since_ns)
{
	const struct ipc_detail detail = {
		.offset = offset,
		.len = -1,
		.decided = -1,
		.other = chosen,
		.wait_ns = ktime_get_ns() - since_ns,
	};

	tell(object, point, &detail);
}

/* --- the side of the controller --- */

/* Called under look_lock, so the task is there. */
static void release(struct ipc_op *op)
{
	lockdep_assert_held(&look_lock);
	WRITE_ONCE(op->released, true);
	wake_up_process(op->task);
}

/*
 * Take gates off the list, to be freed outside the lock: that of this id, or
 * all with 0; those that are spent in any case.  Return: whether there was one
 * to take that is not spent.
 */
static bool take_gates(struct ipc_controller *controller, u32 id,
		       struct list_head *taken)
{
	struct gate *gate, *next;
	bool found = false;

	lockdep_assert_held(&look_lock);
	list_for_each_entry_safe(gate, next, &gates, node) {
		if (gate->controller != controller ||
		    (id && gate->id != id && !gate->spent))
			continue;
		found |= !gate->spent;
		list_move(&gate->node, taken);
		list_del(&gate->of_object);
		controller->nr_gates--;
	}
	return found;
}

static void free_gates(struct list_head *taken)
{
	struct gate *gate, *next;

	list_for_each_entry_safe(gate, next, taken, node)
		free_gate(gate);
}

/* No gate, nobody held, no step ordered; and it does not look any more. */
static void open_all(struct ipc_controller *controller)
{
	LIST_HEAD(taken);
	struct ipc_tie *tie;
	struct ipc_op *op;
	bool looked;

	spin_lock(&look_lock);
	looked = controller->looking;
	controller->looking = false;
	if (looked)
		drop_looker();
	take_gates(controller, 0, &taken);
	list_for_each_entry(op, &ops, node) {
		tie = tie_of(op, controller);
		if (tie) {
			list_del(&tie->node);
			kfree(tie);
		}
		if (op->holder == controller)
			release(op);
	}
	spin_unlock(&look_lock);
	free_gates(&taken);
	if (looked)
		static_branch_slow_dec_deferred(&ipc_looking);
}

/*
 * Whether all threads of the owner are gone or on their way.  A task that is
 * there under RCU has its signal struct as long.
 */
static bool owner_is_dead(const struct ipc_controller *controller)
{
	struct task_struct *task;
	bool dead;

	rcu_read_lock();
	task = pid_task(controller->owner, PIDTYPE_TGID);
	dead = !task || !atomic_read(&task->signal->live);
	rcu_read_unlock();
	return dead;
}

static void shut_down(struct ipc_controller *controller)
{
	spin_lock(&look_lock);
	controller->closed = true;
	spin_unlock(&look_lock);
	open_all(controller);
}

static void do_death_work(struct work_struct *work)
{
	struct ipc_controller *controller =
		container_of(work, struct ipc_controller, death_work);

	/* The queue is also woken when the first of several threads exits. */
	if (owner_is_dead(controller))
		shut_down(controller);
}

/*
 * The owner exits.  Called as the wake function of one who polls a pidfd: under
 * tasklist_lock, which interrupts take, too.  So look_lock cannot be taken here.
 */
static int note_death(struct wait_queue_entry *entry, unsigned int mode,
		      int sync, void *key)
{
	struct ipc_controller *controller =
		container_of(entry, struct ipc_controller, death);

	schedule_work(&controller->death_work);
	return 0;
}

struct ipc_controller *ipc_controller_create(void)
{
	struct ipc_controller *controller;

	controller = kzalloc(sizeof(*controller), GFP_KERNEL_ACCOUNT);
	if (!controller)
		return ERR_PTR(-ENOMEM);
	kref_init(&controller->refs);
	init_waitqueue_head(&controller->queue);
	controller->owner = get_pid(task_tgid(current));
	controller->uid = current_uid();
	controller->privileged = capable(CAP_SYS_ADMIN);
	INIT_WORK(&controller->death_work, do_death_work);
	init_waitqueue_func_entry(&controller->death, note_death);
	add_wait_queue(&controller->owner->wait_pidfd, &controller->death);
	return controller;
}

void ipc_controller_close(struct ipc_controller *controller)
{
	remove_wait_queue(&controller->owner->wait_pidfd, &controller->death);
	/* Nobody schedules it any more. */
	cancel_work_sync(&controller->death_work);
	open_all(controller);
	kref_put(&controller->refs, destroy_controller);
}

void ipc_controller_flush(struct ipc_controller *controller)
{
	if (task_tgid(current) != controller->owner)
		return;
	if (current->flags & PF_EXITING)
		shut_down(controller);
	else
		open_all(controller);
}

/* Return: how many points that can hold match the pattern. */
static unsigned int match_points(const char *pattern, enum ipc_kind kind,
				 unsigned long *points)
{
	unsigned int i;

	bitmap_zero(points, IPC_NR_POINTS);
	for (i = 0; i < IPC_NR_POINTS; i++) {
		if (ipc_points[i].kind == kind &&
		    ipc_points[i].hold != IPC_HOLD_NO &&
		    glob_match(pattern, ipc_points[i].name))
			set_bit(i, points);
	}
	return bitmap_weight(points, IPC_NR_POINTS);
}

/* The pid of a thread that is there, referenced, or NULL. */
static struct pid *find_get_thread(s32 nr)
{
	struct pid *pid;

	rcu_read_lock();
	pid = find_vpid(nr);
	pid = pid_task(pid, PIDTYPE_PID) ? get_pid(pid) : NULL;
	rcu_read_unlock();
	return pid;
}

int ipc_gate_add(struct ipc_controller *controller, struct ipc_object *object,
		 struct ipcdemo_gate *request)
{
	LIST_HEAD(spent);
	struct gate *gate;
	bool came = false;
	int err = -EINVAL;

	if (strnlen(request->point, sizeof(request->point)) ==
	    sizeof(request->point))
		return -EINVAL;
	/* glob_match() knows more than the contract does. */
	if (strpbrk(request->point, "?[\\"))
		return -EINVAL;
	gate = kzalloc(sizeof(*gate), GFP_KERNEL_ACCOUNT);
	if (!gate)
		return -ENOMEM;
	if (!match_points(request->point, object->kind, gate->points))
		goto err_points;
	if (request->pid) {
		err = -ESRCH;
		gate->pid = find_get_thread(request->pid);
		if (!gate->pid)
			goto err_points;
	}
	gate->controller = controller;
	gate->object = object;
	refcount_inc(&object->refs);
	gate->left = request->count;
	strscpy(gate->pattern, request->point, sizeof(gate->pattern));
	/*
	 * From the first gate on, until its gates open, a controller keeps the
	 * key: so whom it holds, or has told to take a step, stays known while
	 * it has no gate for a moment.
	 */
	static_branch_inc(&ipc_looking.key);

	spin_lock(&look_lock);
	/* No gate has this id: this takes those that are spent. */
	take_gates(controller, U32_MAX, &spent);
	err = controller->closed ? -ESHUTDOWN : -ENOSPC;
	if (controller->nr_gates < MOST_GATES && !controller->closed) {
		controller->nr_gates++;
		gate->id = ++controller->last_gate;
		request->gate = gate->id;
		came = !controller->looking;
		controller->looking = true;
		if (came)
			add_looker();
		list_add_tail(&gate->node, &gates);
		list_add_tail(&gate->of_object, &object->gates);
		err = 0;
	}
	spin_unlock(&look_lock);
	if (!came)
		static_branch_slow_dec_deferred(&ipc_looking);
	free_gates(&spent);
	if (err)
		free_gate(gate);
	return err;

err_points:
	kfree(gate);
	return err;
}

int ipc_gate_remove(struct ipc_controller *controller, u32 id)
{
	LIST_HEAD(taken);
	bool found;

	spin_lock(&look_lock);
	found = take_gates(controller, id, &taken);
	spin_unlock(&look_lock);
	free_gates(&taken);
	return found || !id ? 0 : -ENOENT;
}

u32 ipc_gate_list(struct ipc_controller *controller, struct ipcdemo_gate *list,
		  u32 room)
{
	struct pid_namespace *ns = task_active_pid_ns(current);
	struct gate *gate;
	u32 n = 0;

	spin_lock(&look_lock);
	list_for_each_entry(gate, &gates, node) {
		if (gate->controller != controller || gate->spent)
			continue;
		if (n < room) {
			list[n] = (struct ipcdemo_gate){
				.size = sizeof(*list),
				.id = gate->object->id,
				.gate = gate->id,
				.pid = gate->pid ? pid_nr_ns(gate->pid, ns) : 0,
				.count = gate->left,
			};
			strscpy(list[n].point, gate->pattern,
				sizeof(list[n].point));
		}
		n++;
	}
	spin_unlock(&look_lock);
	return n;
}

/* As @controller sees it: the numbers of gates are its own. */
static void fill_arrival(struct ipcdemo_arrival *arrival,
			 const struct ipc_op *op, u32 state,
			 const struct ipc_controller *controller)
{
	struct pid_namespace *ns = task_active_pid_ns(current);

	*arrival = (struct ipcdemo_arrival){
		.id = op->object->id,
		.pid = pid_nr_ns(task_pid(op->task), ns),
		.gate = state == IPCDEMO_TASK_HELD && op->holder == controller
				? op->gate
				: 0,
		.state = state,
		.slot = op->values.slot,
		.offset = op->values.offset,
		.len = op->values.len,
		.head = op->values.head,
		.tail = op->values.tail,
		.decided = op->values.decided,
		.held_ns = ktime_get_ns() - op->since_ns,
	};
	if (op->point < IPC_NR_POINTS)
		strscpy(arrival->point, ipc_points[op->point].name,
			sizeof(arrival->point));
	strscpy(arrival->command, op->task->comm, sizeof(arrival->command));
}

/* The oldest arrival that was not told of; false: there is none. */
static bool take_arrival(struct ipc_controller *controller,
			 struct ipcdemo_arrival *arrival)
{
	struct ipc_op *op, *oldest = NULL;

	spin_lock(&look_lock);
	list_for_each_entry(op, &ops, node) {
		if (op->holder != controller || op->reported || op->released)
			continue;
		if (!oldest || op->since_ns < oldest->since_ns)
			oldest = op;
	}
	if (oldest) {
		if (arrival) {
			oldest->reported = true;
			fill_arrival(arrival, oldest, IPCDEMO_TASK_HELD,
				     controller);
		}
	}
	spin_unlock(&look_lock);
	return oldest;
}

/* The condition of a wait, which must not take a second arrival. */
struct taker {
	struct ipc_controller *controller;
	struct ipcdemo_arrival *arrival;
	bool taken;
};

static bool take(struct taker *taker)
{
	if (!taker->taken)
		taker->taken = take_arrival(taker->controller, taker->arrival);
	return taker->taken;
}

int ipc_gate_wait(struct ipc_controller *controller, s32 timeout_ms,
		  struct ipcdemo_arrival *arrival)
{
	struct wait_queue_head *queue = &controller->queue;
	struct taker taker = {controller, arrival};
	long left = MAX_SCHEDULE_TIMEOUT;

	if (timeout_ms >= 0)
		left = msecs_to_jiffies(timeout_ms);
	left = wait_event_interruptible_timeout(*queue, take(&taker), left);
	if (left < 0)
		return left;
	return taker.taken ? 0 : -ETIMEDOUT;
}

__poll_t ipc_controller_poll(struct ipc_controller *controller,
			     struct file *file, struct poll_table_struct *wait)
{
	poll_wait(file, &controller->queue, wait);
	return take_arrival(controller, NULL) ? EPOLLIN | EPOLLRDNORM : 0;
}

int ipc_gate_go(struct ipc_controller *controller, s32 pid, u32 flags)
{
	struct pid_namespace *ns = task_active_pid_ns(current);
	struct ipc_tie *tie;
	struct ipc_op *op;
	int err = -ESRCH;

	spin_lock(&look_lock);
	list_for_each_entry(op, &ops, node) {
		if (op->holder != controller || op->released ||
		    pid_nr_ns(task_pid(op->task), ns) != pid)
			continue;
		/* There is one: it holds the task. */
		tie = tie_of(op, controller);
		tie->step = flags & IPCDEMO_GO_STEP;
		tie->free |= !!(flags & IPCDEMO_GO_FREE);
		release(op);
		err = 0;
		break;
	}
	spin_unlock(&look_lock);
	return err;
}

/* Whether it stays at its gate until it is let through. */
static bool is_held(const struct ipc_op *op)
{
	if (op->epoch != epoch || op->state != IPC_OP_HELD || op->released ||
	    fatal_signal_pending(op->task))
		return false;
	return ipc_points[op->point].hold != IPC_HOLD_SIGNAL ||
	       !signal_pending(op->task);
}

/* The call that has the mutex of an object and is held, or NULL. */
static struct ipc_op *find_stuck(const struct ipc_object *object)
{
	struct ipc_op *op;

	lockdep_assert_held(&look_lock);
	list_for_each_entry(op, &ops, node) {
		if (op->object == object && op->has_lock && is_held(op))
			return op;
	}
	return NULL;
}

bool ipc_lock_is_stuck(const struct ipc_object *object)
{
	bool stuck;

	spin_lock(&look_lock);
	stuck = find_stuck(object);
	spin_unlock(&look_lock);
	return stuck;
}

/*
 * The current task needs the mutex and cannot be killed out of waiting for it.
 * Whoever is held with it is let through, to the end of his call, if the gate
 * is the task's own (nobody would be left to open it) or if the task is dying.
 */
void ipc_unstick_lock(const struct ipc_object *object)
{
	struct ipc_op *op;

	spin_lock(&look_lock);
	op = find_stuck(object);
	if (op &&
	    ((current->flags & PF_EXITING) || fatal_signal_pending(current) ||
	     op->holder->owner == task_tgid(current))) {
		tie_of(op, op->holder)->free = true;
		release(op);
	}
	spin_unlock(&look_lock);
}

static u32 state_of_op(const struct ipc_op *op)
{
	switch (op->state) {
	case IPC_OP_HELD:
		if (is_held(op))
			return IPCDEMO_TASK_HELD;
		break;
	case IPC_OP_ASLEEP:
		if (!READ_ONCE(op->waiter->woken) && !signal_pending(op->task))
			return IPCDEMO_TASK_ASLEEP;
		break;
	case IPC_OP_LOCK:
		/*
		 * Quiet only while the one that has the mutex is: between an
		 * unlock and the moment the next one has it, nobody is.  And
		 * only once the task sleeps there: until then it may not stand
		 * in the mutex's queue, whose order says who is next.
		 */
		if (READ_ONCE(op->task->__state) != TASK_RUNNING &&
		    !fatal_signal_pending(op->task) && find_stuck(op->object))
			return IPCDEMO_TASK_LOCK;
		break;
	case IPC_OP_RUNNING:
		break;
	}
	return IPCDEMO_TASK_RUNNING;
}

/* In no call of ours: whether it is at rest nevertheless. */
static u32 state_of_task(struct task_struct *task)
{
	unsigned int state = READ_ONCE(task->__state);

	if (task->exit_state)
		return IPCDEMO_TASK_GONE;
	if (state & (__TASK_STOPPED | __TASK_TRACED))
		return IPCDEMO_TASK_IDLE;
	/* Other bits: it may be frozen there, say. */
	if ((state & TASK_INTERRUPTIBLE) && !signal_pending(task))
		return IPCDEMO_TASK_IDLE;
	return IPCDEMO_TASK_RUNNING;
}

/* Who may look at a task: its user, and who may trace anybody. */
static bool may_look_at(struct task_struct *task)
{
	return uid_eq(task_uid(task), current_fsuid()) ||
	       ns_capable(current_user_ns(), CAP_SYS_PTRACE);
}

/*
 * Whether the task is in a call that is not known, since it fell asleep before
 * anybody looked.  It stands on a queue then; to find it on a look at all of
 * them is slow, but costs those who sleep nothing.
 *
 * The task was asleep when its switches were read, a moment before, and stands
 * on the queue unwoken now.  If it is found so twice, with no switch between,
 * it was asleep and not woken from the first look at the queue to the second
 * look at its switches: woken is cleared by the task alone, and only when it
 * runs.  That is what all_quiet() (ioctl.c) asks for.
 */
static u32 find_on_queues(enum ipc_kind kind, const struct pid *pid,
			  struct ipc_waiter_copy *waiter)
{
	struct ipc_object *object;
	bool found = false;
	u32 id = 0;

	while (!found && (object = ipc_object_next(id, kind))) {
		id = object->id;
		found = object->find_waiter(object, pid, waiter);
		ipc_object_put(object);
		cond_resched();
	}
	return found ? id : 0;
}

static void look_at_queues(struct ipcdemo_arrival *arrival,
			   const struct pid *pid)
{
	struct ipc_waiter_copy waiter;
	u32 id;

	id = find_on_queues(IPC_KIND_PIPE, pid, &waiter)
		     ?: find_on_queues(IPC_KIND_REGION, pid, &waiter);
	if (!id)
		return;
	arrival->id = id;
	arrival->state =
		waiter.woken ? IPCDEMO_TASK_RUNNING : IPCDEMO_TASK_ASLEEP;
	arrival->held_ns = ktime_get_ns() - waiter.since_ns;
	strscpy(arrival->point, ipc_points[waiter.point].name,
		sizeof(arrival->point));
	put_pid(waiter.pid);
}

/* May sleep: an object that is looked at may be removed meanwhile. */
static u64 look_at_task(const struct ipc_controller *controller,
			struct ipcdemo_arrival *arrival)
{
	struct pid *asleep = NULL;
	struct task_struct *task;
	struct ipc_op *op;
	s32 nr = arrival->pid;
	u64 switches = 0;

	spin_lock(&look_lock);
	rcu_read_lock();
	task = pid_task(find_vpid(nr), PIDTYPE_PID);
	if (task && !may_look_at(task))
		task = NULL;
	op = task ? op_of(task) : NULL;
	if (op) {
		fill_arrival(arrival, op, state_of_op(op), controller);
	} else {
		*arrival = (struct ipcdemo_arrival){
			.pid = nr,
			.state = IPCDEMO_TASK_GONE,
			.slot = -1,
			.offset = -1,
			.len = -1,
			.head = -1,
			.tail = -1,
			.decided = -1,
		};
		if (task) {
			arrival->state = state_of_task(task);
			strscpy(arrival->command, task->comm,
				sizeof(arrival->command));
			if (arrival->state == IPCDEMO_TASK_IDLE)
				asleep = get_pid(task_pid(task));
		}
	}
	if (task)
		switches = READ_ONCE(task->nvcsw) + READ_ONCE(task->nivcsw);
	rcu_read_unlock();
	spin_unlock(&look_lock);
	if (asleep)
		look_at_queues(arrival, asleep);
	put_pid(asleep);
	return switches;
}

bool ipc_tasks_look(const struct ipc_controller *controller,
		    struct ipcdemo_arrival *tasks, u64 *switches, u32 nr)
{
	bool quiet = true;
	u32 i;

	for (i = 0; i < nr; i++) {
		switches[i] = look_at_task(controller, &tasks[i]);
		if (tasks[i].state == IPCDEMO_TASK_RUNNING)
			quiet = false;
		if (fatal_signal_pending(current))
			return false;
		cond_resched();
	}
	return quiet;
}

u32 ipc_tasks_held(struct ipc_controller *controller,
		   struct ipcdemo_arrival *tasks, u32 room)
{
	struct ipc_op *op;
	u32 n = 0;

	spin_lock(&look_lock);
	list_for_each_entry(op, &ops, node) {
		if (op->holder != controller || op->released)
			continue;
		if (n < room)
			fill_arrival(&tasks[n], op, state_of_op(op),
				     controller);
		n++;
	}
	spin_unlock(&look_lock);
	return n;
}

u32 ipc_ops_copy(const struct ipc_object *object, struct ipc_op_copy *copies,
		 u32 room)
{
	struct ipc_op *op;
	u32 n = 0;

	spin_lock(&look_lock);
	list_for_each_entry(op, &ops, node) {
		if (op->object != object || op->epoch != epoch || n == room ||
		    (op->state != IPC_OP_HELD && op->state != IPC_OP_LOCK))
			continue;
		copies[n] = (struct ipc_op_copy){
			.point = op->point,
			.state = op->state,
			.pid = get_pid(task_pid(op->task)),
			.since_ns = op->since_ns,
		};
		strscpy(copies[n].comm, op->task->comm, sizeof(copies[n].comm));
		n++;
	}
	spin_unlock(&look_lock);
	return n;
}

bool ipc_is_exiting(void)
{
	return current->flags & PF_EXITING;
}

void ipc_gates_exit(void)
{
	static_key_deferred_flush(&ipc_looking);
}

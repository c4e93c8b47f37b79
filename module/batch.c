// SPDX-License-Identifier: GPL-2.0
/* Points noted in memory, and told of many at once (see batch.h). */
#include <linux/cpu.h>
#include <linux/ipcdemo_batch.h>
#include <linux/irqflags.h>
#include <linux/jump_label.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/timex.h>
#include <linux/workqueue.h>

#include "gate.h"
#include "pipe.h"

#define CREATE_TRACE_POINTS
#include "batch.h"

/* Who watches sees a point that much later, at most, ms. */
#define FLUSH_MS 20

DEFINE_STATIC_KEY_FALSE(ipc_batched);

static_assert(IPC_NR_POINTS <= 256, "a step has 8 bits for its point");
static_assert(IPC_AT_HEAD == IPCDEMO_STEP_AT_HEAD);
static_assert(IPC_AT_TAIL == IPCDEMO_STEP_AT_TAIL);
static_assert(IPC_BEFORE_HEAD == IPCDEMO_STEP_AT_BEFORE_HEAD);

static struct ipc_batch __percpu *batches; /* batch_lock; see batch.h */
static DEFINE_MUTEX(batch_lock);

static unsigned int fail_batches; /* changed by tests, one at a time */
module_param(fail_batches, uint, 0644);
MODULE_PARM_DESC(fail_batches,
		 "test aid: so many times there is no memory for batches");

/*
 * A clock that costs little: at each point it is read alone, and the other one, of
 * which it becomes a time, twice for all points of a batch.
 */
static __always_inline u64 read_cycles(void)
{
#if defined(CONFIG_X86) || defined(CONFIG_ARM64)
	return get_cycles();
#else
	return ktime_get_mono_fast_ns();
#endif
}

/*
 * Read both clocks at one moment.  A virtual processor may be stopped between the two
 * reads, so the closer of two pairs is taken.
 */
static void read_moment(struct ipc_moment *moment)
{
	u64 before, between, ns, best = U64_MAX;
	int i;

	for (i = 0; i < 2; i++) {
		before = read_cycles();
		ns = ktime_get_mono_fast_ns();
		between = read_cycles() - before;
		if (between < best) {
			best = between;
			moment->cycles = before + between / 2;
			moment->ns = ns;
		}
	}
}

/* Tell of a batch, and begin anew.  Interrupts are off, and the batch is ours. */
static void tell_of(struct ipc_batch *batch)
{
	struct ipc_moment end;

	lockdep_assert_irqs_disabled();
	read_moment(&end);
	if (!batch->n)
		batch->start = end;
	trace_points(batch, &end);
	batch->first += batch->n;
	WRITE_ONCE(batch->n, 0);
}

/*
 * Where the step is, in a ring.  With interrupts off we are a reader of RCU, behind
 * which the array that a resize takes away is freed; else as describe() in pipe.c.
 */
static __always_inline u64 look_at_ring(struct ipcdemo_step *step,
					struct ipc_pipe *pipe,
					enum ipc_point point)
{
	u64 at = ring_indices(&pipe->ring);
	u64 place = ipc_pipe_places[point];
	struct ipc_slots *slots = READ_ONCE(pipe->ring.slots);
	u32 nr = slots->nr;
	struct ipc_slot *slot;
	u64 what;

	step->place = at;
	slot = &slots->slot[ipc_pipe_index(at, place) & (nr - 1)];
	what = place << 24 | __ffs(nr) << 8;
	/* It may be changing: any of its values is true. */
	return what | (u64)data_race(slot->offset) << 32;
}

/* The first of a batch, from whose time on its time runs, or the last. */
static noinline void begin_or_end(struct ipc_batch *batch,
				  struct ipcdemo_step *step)
{
	if (batch->n == IPCDEMO_BATCH_MOST) {
		tell_of(batch);
		return;
	}
	read_moment(&batch->start);
	step->cycles = batch->start.cycles;
}

/* @flags: IPCDEMO_STEP_*.  Any context but NMI; takes no lock. */
static __always_inline void add(struct ipc_object *object, enum ipc_point point,
				s64 offset, s64 len, s64 decided, u32 flags)
{
	struct ipc_batch __percpu *mine;
	u64 what = point;
	struct ipcdemo_step *step;
	struct ipc_batch *batch;
	unsigned long irqs;
	u32 n;

	local_irq_save(irqs);
	mine = READ_ONCE(batches);
	/* Turned off since the key was looked at. */
	if (unlikely(!mine))
		goto out;
	batch = this_cpu_ptr(mine);
	n = batch->n;
	step = &batch->step[n++];
	step->cycles = read_cycles();
	step->id = object->id;
	step->pid = task_pid_nr(current);
	step->len = len;
	step->decided = decided;
	if (likely(object->kind == IPC_KIND_PIPE)) {
		what |= look_at_ring(step, ipc_pipe_of(object), point);
	} else {
		flags |= IPCDEMO_STEP_REGION;
		step->place = offset;
	}
	step->what = what | flags << 16;
	WRITE_ONCE(batch->n, n);
	if (unlikely(n == 1 || n == IPCDEMO_BATCH_MOST))
		begin_or_end(batch, step);
out:
	local_irq_restore(irqs);
}

void ipc_batch_add(struct ipc_object *object, enum ipc_point point, s64 len,
		   s64 decided)
{
	add(object, point, -1, len, decided, 0);
}

/* Who has waited is not about bytes, and a choice decides nothing else. */
void ipc_batch_add_detail(struct ipc_object *object, enum ipc_point point,
			  const struct ipc_detail *detail)
{
	s64 decided = detail->decided, len = detail->len;
	u32 flags = 0;

	if (detail->wait_ns) {
		flags |= IPCDEMO_STEP_WAITED;
		len = detail->wait_ns;
	}
	if (detail->other) {
		flags |= IPCDEMO_STEP_CHOSEN;
		decided = pid_nr(detail->other);
	}
	add(object, point, detail->offset, len, decided, flags);
}

static bool has_points(int cpu, void *unused)
{
	return READ_ONCE(per_cpu_ptr(batches, cpu)->n);
}

static bool is_any(int cpu, void *unused)
{
	return true;
}

static void tell_here(void *unused)
{
	tell_of(this_cpu_ptr(batches));
}

/* Have all processors tell of what they have; of nothing too, if @empty. */
static void flush(bool empty)
{
	smp_cond_func_t ask = empty ? is_any : has_points;
	unsigned int cpu;

	lockdep_assert_held(&batch_lock);
	cpus_read_lock();
	on_each_cpu_cond(ask, tell_here, NULL, true);
	for_each_possible_cpu(cpu) {
		if (cpu_online(cpu) || !ask(cpu, NULL))
			continue;
		local_irq_disable();
		tell_of(per_cpu_ptr(batches, cpu));
		local_irq_enable();
	}
	cpus_read_unlock();
}

static void do_flusher(struct work_struct *work)
{
	mutex_lock(&batch_lock);
	if (batches) {
		flush(false);
		schedule_delayed_work(to_delayed_work(work),
				      msecs_to_jiffies(FLUSH_MS));
	}
	mutex_unlock(&batch_lock);
}

static DECLARE_DELAYED_WORK(flusher, do_flusher);

/*
 * Who records asks for this in the beginning, so that he knows from which number of
 * a processor's points on they are his, and in the end, before he turns the
 * tracepoint off.
 */
static int set_flush(const char *text, const struct kernel_param *param)
{
	bool now;
	int err = kstrtobool(text, &now);

	if (err || !now)
		return err;
	mutex_lock(&batch_lock);
	if (batches)
		flush(true);
	mutex_unlock(&batch_lock);
	return 0;
}

static const struct kernel_param_ops flush_ops = {
	.set = set_flush,
};

module_param_cb(flush_points, &flush_ops, NULL, 0200);
MODULE_PARM_DESC(flush_points,
		 "1: tell of all points so far in ipcdemo_batch:points");

/*
 * Called as ipc_trace_on().  A kernel that has no memory just behind this call does
 * not call ipc_batch_off() (it did not before commit fad217e16fde): then the batches
 * are there already when it is called next, or when the module goes.
 */
int ipc_batch_on(void)
{
	struct ipc_batch __percpu *fresh = NULL;
	unsigned int cpu;

	if (READ_ONCE(batches))
		return 0;
	if (fail_batches)
		fail_batches--;
	else
		fresh = alloc_percpu(struct ipc_batch);
	if (!fresh)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		per_cpu_ptr(fresh, cpu)->cpu = cpu;
	mutex_lock(&batch_lock);
	WRITE_ONCE(batches, fresh);
	mutex_unlock(&batch_lock);
	static_branch_inc(&ipc_batched);
	/* Last: who comes by sees the other one on. */
	static_branch_inc(&ipc_looking.key);
	schedule_delayed_work(&flusher, msecs_to_jiffies(FLUSH_MS));
	return 0;
}

void ipc_batch_off(void)
{
	static_branch_dec(&ipc_looking.key);
	static_branch_dec(&ipc_batched);
	ipc_batch_exit();
}

void ipc_batch_exit(void)
{
	struct ipc_batch __percpu *old;

	mutex_lock(&batch_lock);
	old = batches;
	WRITE_ONCE(batches, NULL);
	mutex_unlock(&batch_lock);
	cancel_delayed_work_sync(&flusher);
	/* Who has loaded the pointer has interrupts off. */
	synchronize_rcu();
	free_percpu(old);
}

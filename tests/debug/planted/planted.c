// SPDX-License-Identifier: GPL-2.0
/*
 * Faults for the debug kernel to find: insmod planted.ko fault=NAME
 *
 * Each one is what one of its watchers is there for; detectors.bats wants to
 * read of it in the log.  Never loaded but in the VM.
 */
#include <linux/compiler.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

static char *fault = "";
module_param(fault, charp, 0444);
MODULE_PARM_DESC(fault, "which fault to make");

static unsigned int sixty_four = 64;
module_param(sixty_four, uint, 0444);
MODULE_PARM_DESC(sixty_four, "a number that the compiler does not know");

/* Nobody points to it when this returns. */
static noinline void planted_leak(void)
{
	void *lost = kmalloc(300, GFP_KERNEL);

	pr_info("planted: lost %zu bytes\n", ksize(lost));
}

static noinline void planted_use_after_free(void)
{
	char *bytes = kzalloc(64, GFP_KERNEL);

	if (!bytes)
		return;
	kfree(bytes);
	OPTIMIZER_HIDE_VAR(bytes);
	pr_info("planted: read %d\n", READ_ONCE(bytes[5]));
}

static noinline void planted_out_of_bounds(void)
{
	char *bytes = kzalloc(64, GFP_KERNEL);

	if (!bytes)
		return;
	WRITE_ONCE(bytes[sixty_four], 1);
	kfree(bytes);
}

static DEFINE_SPINLOCK(planted_spinlock);

static noinline void planted_sleep_in_atomic(void)
{
	spin_lock(&planted_spinlock);
	might_sleep();
	spin_unlock(&planted_spinlock);
}

static DEFINE_MUTEX(planted_a);
static DEFINE_MUTEX(planted_b);

/* No deadlock now, but one day, when two tasks do this at once. */
static noinline void planted_lock_inversion(void)
{
	mutex_lock(&planted_a);
	mutex_lock(&planted_b);
	mutex_unlock(&planted_b);
	mutex_unlock(&planted_a);

	mutex_lock(&planted_b);
	mutex_lock(&planted_a);
	mutex_unlock(&planted_a);
	mutex_unlock(&planted_b);
}

static noinline void planted_bad_shift(void)
{
	pr_info("planted: shifted %u\n", 1u << sixty_four);
}

struct planted_work {
	struct delayed_work work;
};

static void do_nothing(struct work_struct *work)
{
}

/* The timer of the work is running. */
static noinline void planted_free_of_work(void)
{
	struct planted_work *planted = kzalloc(sizeof(*planted), GFP_KERNEL);

	if (!planted)
		return;
	INIT_DELAYED_WORK(&planted->work, do_nothing);
	schedule_delayed_work(&planted->work, 3600 * HZ);
	kfree(planted);
}

static const struct {
	const char *name;
	void (*make)(void);
} faults[] = {
	{"leak", planted_leak},
	{"use-after-free", planted_use_after_free},
	{"out-of-bounds", planted_out_of_bounds},
	{"sleep-in-atomic", planted_sleep_in_atomic},
	{"lock-inversion", planted_lock_inversion},
	{"bad-shift", planted_bad_shift},
	{"free-of-work", planted_free_of_work},
};

static int __init planted_init(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (!strcmp(faults[i].name, fault)) {
			faults[i].make();
			return 0;
		}
	}
	return -EINVAL;
}

static void __exit planted_exit(void)
{
}

module_init(planted_init);
module_exit(planted_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("faults for the debug kernel to find");

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel that module/pipe.c, waiter.c and ring.c need, on the host
 *
 * The twin (twin.c) runs the module's own code, not a copy of its logic.  What
 * that code asks of the kernel is declared here and done in model.c, with one
 * task running at a time: a task gives way where it comes to a point, where it
 * waits for a mutex, and where it sleeps.  Each linux/NAME.h that the module
 * includes is a file, made by tests/build.mk, that includes this one.
 *
 * What is empty here has no effect on the order of steps: RCU and the sequence
 * counter serve views, and there is no view; delayed work is a clock's.
 */
#ifndef EXPLORE_KERNEL_H
#define EXPLORE_KERNEL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* compat.h is about versions of the kernel, and this is none. */
#define IPCDEMO_COMPAT_H

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;
typedef int64_t s64;
typedef long ssize_t;
typedef unsigned int __poll_t;
typedef unsigned int gfp_t;
typedef unsigned short umode_t;
typedef unsigned int dev_t;

struct task_struct;

/* --- the language --- */

#define __force
#define noinline	  __attribute__((noinline))
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define likely(x)	  __builtin_expect(!!(x), 1)
#define unlikely(x)	  __builtin_expect(!!(x), 0)
#define min(a, b)	  ((a) < (b) ? (a) : (b))
#define max(a, b)	  ((a) > (b) ? (a) : (b))
#define min_t(type, a, b) min((type)(a), (type)(b))
#define max_t(type, a, b) max((type)(a), (type)(b))
#define swap(a, b)                    \
	do {                          \
		typeof(a) old_ = (a); \
		(a) = (b);            \
		(b) = old_;           \
	} while (0)
#define container_of(pointer, type, member) \
	((type *)((char *)(pointer)-offsetof(type, member)))
#define struct_size(pointer, member, n) \
	(sizeof(*(pointer)) + sizeof((pointer)->member[0]) * (n))
#define BIT_ULL(n)	(1ULL << (n))
#define MAX_ERRNO	4095
#define ERESTARTSYS	512
#define IS_ERR(pointer) ((unsigned long)(pointer) >= -(unsigned long)MAX_ERRNO)
#define ERR_PTR(err)	((void *)(long)(err))
#define module_param(...)
#define MODULE_PARM_DESC(...)
#define WARN_ON(condition)	  model_warn(condition, #condition)
#define WARN_ON_ONCE(condition)	  WARN_ON(condition)
#define lockdep_assert_held(lock) model_assert((lock)->owner == current)
#define might_sleep()

static inline u64 rounddown_pow_of_two(u64 n)
{
	return 1ULL << (63 - __builtin_clzll(n));
}

#define round_up(n, to) (((n) + (to)-1) & -(typeof(n))(to))

static inline u64 roundup_pow_of_two(u64 n)
{
	return n < 2 ? 1 : 1ULL << (64 - __builtin_clzll(n - 1));
}

/* A defect of the code that runs: ends the order with this sentence. */
void model_fail(const char *what);

static inline bool model_warn(bool condition, const char *what)
{
	if (condition)
		model_fail(what);
	return condition;
}

#define model_assert(condition)                              \
	do {                                                 \
		if (!(condition))                            \
			model_fail("not true: " #condition); \
	} while (0)

/*
 * Memory that several tasks look at.  With small steps on, a task gives way
 * before each such access; accesses are in program order all the same.
 */
void model_touch(const char *what);

#define READ_ONCE(x)                               \
	({                                         \
		model_touch("load " #x);           \
		*(const volatile typeof(x) *)&(x); \
	})
#define WRITE_ONCE(x, value)                          \
	do {                                          \
		typeof(x) value_ = (value);           \
		model_touch("store " #x);             \
		*(volatile typeof(x) *)&(x) = value_; \
	} while (0)
#define data_race(x)		    (x)
#define smp_store_release(p, value) WRITE_ONCE(*(p), value)

/* --- atomics, lists, locks --- */

typedef struct {
	s64 counter;
} atomic64_t, atomic_long_t;

typedef struct {
	u32 refs;
} refcount_t;

#define atomic64_read(a)	     ((a)->counter)
#define atomic64_set(a, value)	     ((a)->counter = (value))
#define atomic64_add(n, a)	     ((a)->counter += (n))
#define atomic_long_read(a)	     ((a)->counter)
#define atomic_long_add_return(n, a) ((a)->counter += (n))
#define refcount_set(r, value)	     ((r)->refs = (value))

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct rcu_head {
	void *unused[2];
};

typedef struct {
	struct task_struct *owner;
} spinlock_t;

void spin_lock_irq(spinlock_t *lock);
void spin_unlock_irq(spinlock_t *lock);

struct mutex {
	struct task_struct *owner;
};

void mutex_init(struct mutex *mutex);
void mutex_destroy(struct mutex *mutex);
void mutex_lock(struct mutex *mutex);
int mutex_lock_killable(struct mutex *mutex);
bool mutex_trylock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

typedef struct {
	unsigned int sequence;
} seqcount_t;

#define seqcount_init(s)	    ((s)->sequence = 0)
#define write_seqcount_begin(s)	    ((s)->sequence++)
#define write_seqcount_end(s)	    ((s)->sequence++)
#define read_seqcount_begin(s)	    ((s)->sequence)
#define read_seqcount_retry(s, seq) ((s)->sequence != (seq))
#define preempt_disable()
#define preempt_enable()
#define rcu_read_lock()
#define rcu_read_unlock()
#define cond_resched()

struct static_key {
	bool unused;
};

struct static_key_false_deferred {
	struct static_key key;
};

#define DECLARE_STATIC_KEY_FALSE(name) extern struct static_key name
/* Somebody always looks: the points are where tasks give way. */
#define static_branch_unlikely(key)    ((void)(key), true)

/* --- memory --- */

#define PAGE_SHIFT		       12
#define PAGE_SIZE		       (1U << PAGE_SHIFT)
#define GFP_KERNEL		       0
#define GFP_KERNEL_ACCOUNT	       0
#define GFP_HIGHUSER		       0
#define __GFP_ACCOUNT		       0
#define __GFP_NOWARN		       0

struct page;

void *kzalloc(size_t size, gfp_t gfp);
void kfree(void *memory);
#define kfree_rcu(pointer, member) kfree(pointer)
#define kvcalloc(n, size, gfp)	   kzalloc((n) * (size), gfp)
#define kvfree(memory)		   kfree(memory)
struct page *alloc_page(gfp_t gfp);
void put_page(struct page *page);
int page_count(const struct page *page);

/**
 * struct iov_iter - where a call copies from or to
 * @task:	whose call, MODEL_TASKS: that of whoever set the pipe up
 * @op:		which of its calls
 * @start:	bytes that the task's earlier calls write
 * @at:		bytes that were copied
 */
struct iov_iter {
	int task;
	int op;
	u32 start;
	u32 at;
	u32 count;
};

size_t iov_iter_count(const struct iov_iter *iter);
size_t copy_page_to_iter(struct page *page, size_t offset, size_t len,
			 struct iov_iter *to);
size_t copy_page_from_iter(struct page *page, size_t offset, size_t len,
			   struct iov_iter *from);

/* --- tasks, signals, sleep --- */

#define TASK_RUNNING	   0
#define TASK_INTERRUPTIBLE 1
#define TASK_COMM_LEN	   16

struct pid;

extern const unsigned long jiffies;
extern struct task_struct *model_current;

#define current (model_current)

void set_current_state(unsigned int state);
#define __set_current_state(state) set_current_state(state)
void schedule(void);
void schedule_timeout_idle(long jiffies);
void schedule_timeout_killable(long jiffies);
bool signal_pending(struct task_struct *task);
bool fatal_signal_pending(struct task_struct *task);
void send_sig(int signal, struct task_struct *task, int privileged);
#define SIGPIPE			 13
#define task_pid(task)		 ((struct pid *)NULL)
#define task_tgid(task)		 ((struct pid *)NULL)
#define get_pid(pid)		 (pid)
#define get_task_comm(buf, task) ((void)(buf), (void)(task))
#define ktime_get_ns()		 0

/* --- wait queues --- */

#define WQ_FLAG_EXCLUSIVE	 1

struct wait_queue_entry;

typedef int wait_queue_func_t(struct wait_queue_entry *entry, unsigned int mode,
			      int sync, void *key);

struct wait_queue_entry {
	unsigned int flags;
	struct task_struct *task;
	wait_queue_func_t *func;
	struct list_head entry;
};

struct wait_queue_head {
	spinlock_t lock;
	struct list_head head;
};

void init_waitqueue_head(struct wait_queue_head *queue);
void init_waitqueue_entry(struct wait_queue_entry *entry,
			  struct task_struct *task);
void add_wait_queue(struct wait_queue_head *queue,
		    struct wait_queue_entry *entry);
void add_wait_queue_exclusive(struct wait_queue_head *queue,
			      struct wait_queue_entry *entry);
void remove_wait_queue(struct wait_queue_head *queue,
		       struct wait_queue_entry *entry);
int default_wake_function(struct wait_queue_entry *entry, unsigned int mode,
			  int sync, void *key);
void list_move_tail(struct list_head *entry, struct list_head *head);
/* Wakes up to @exclusive exclusive waiters, all with 0, and all others. */
void model_wake(struct wait_queue_head *queue, int exclusive);

#define list_for_each_entry(at, list, member)                      \
	for (at = container_of((list)->next, typeof(*at), member); \
	     &at->member != (list);                                \
	     at = container_of(at->member.next, typeof(*at), member))
#define poll_to_key(events) ((void)(events))
#define __wake_up_sync_key(queue, mode, key) \
	do {                                 \
		key;                         \
		model_wake(queue, 1);        \
	} while (0)
#define wake_up_interruptible(queue)	 model_wake(queue, 1)
#define wake_up_interruptible_all(queue) model_wake(queue, 0)

/* --- work that a clock begins: never, here --- */

#define HZ				 250
#define MAX_JIFFY_OFFSET		 (~0UL >> 2)

struct work_struct {
	bool unused;
};

struct delayed_work {
	struct work_struct work;
};

#define INIT_DELAYED_WORK(delayed, function)  ((void)(function))
#define schedule_delayed_work(delayed, delay) ((void)(delay))
#define delayed_work_pending(delayed)	      true
#define cancel_delayed_work_sync(delayed)

/* --- users --- */

#define PIPE_DEF_BUFFERS    16
#define INR_OPEN_CUR	    1024
#define CAP_SYS_RESOURCE    0
#define CAP_SYS_ADMIN	    0
#define capable(capability) true

typedef struct {
	u32 val;
} kuid_t, kgid_t;

struct user_struct {
	atomic_long_t pipe_bufs;
};

struct cred {
	struct user_struct *user;
};

const struct cred *get_current_cred(void);
#define put_cred(cred) ((void)(cred))

/* --- files --- */

#define O_NONBLOCK     04000
#define O_DIRECT       040000
#define FMODE_READ     1
#define FMODE_WRITE    2
#define IOCB_NOWAIT    1

struct super_block;

struct inode {
	struct super_block *i_sb;
};

struct file {
	unsigned int f_flags;
	unsigned int f_mode;
	unsigned long cookie;
	struct inode *f_inode;
};

struct kiocb {
	struct file *ki_filp;
	int ki_flags;
};

#define file_inode(file) ((file)->f_inode)
#define stream_open(inode, file)
#define ipc_file_cookie(file)		 ((file)->cookie)
#define ipc_file_set_cookie(file, value) ((file)->cookie = (value))
#define IPC_READ_SIGNALS_BEFORE_SLEEP	 true
#define file_accessed(file)
#define file_update_time(file)
#define sb_start_write_trylock(sb) false
#define sb_end_write(sb)

struct fasync_struct;

#define SIGIO				  29
#define POLL_IN				  1
#define POLL_OUT			  2
#define kill_fasync(fasync, signal, band) ((void)(fasync))

static inline int fasync_helper(int fd, struct file *file, int on,
				struct fasync_struct **fasync)
{
	(void)fd;
	(void)file;
	(void)on;
	(void)fasync;
	return 0;
}

#define EPOLLIN	    0x1
#define EPOLLOUT    0x4
#define EPOLLERR    0x8
#define EPOLLHUP    0x10
#define EPOLLRDNORM 0x40
#define EPOLLWRNORM 0x100

/* For splice.c, which no task of the twin calls. */
bool try_get_page(struct page *page);

struct poll_table_struct;

void poll_wait(struct file *file, struct wait_queue_head *queue,
	       struct poll_table_struct *wait);

#endif /* EXPLORE_KERNEL_H */

// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel around module/pipe.c, as far as the twin needs one (see model.h)
 *
 * All that changes is in one place, struct world, and on the stacks of the
 * tasks.  No pointer leads out of there to anything that changes: so a copy of
 * both is a state, and putting it back at the same addresses is going back.
 * One task runs at a time, and nothing here needs a lock.
 */
#include "kernel.h"

#include "gate.h"
#include "main.h"
#include "pipe.h"

#include "model.h"
#include "switch.h"

/* A pipe, arrays of slots for a few resizes, a few pages. */
#define ARENA_SIZE  16384
#define ARENA_ALIGN 16
#define FREED	    0x6b

_Static_assert(MODEL_TASKS < SWITCH_TASKS, "one stack a task");

struct page {
	struct model_bytes bytes;
	u32 refs;
	struct page *next_free;
};

/**
 * struct task_struct - a task
 * @access:	the access to shared memory that is next, or NULL
 * @state:	TASK_*, as the scheduler sees it
 * @pending:	a signal has come, and no handler has run yet
 * @fatal:	it was killed
 * @exiting:	it does nothing more but close its files
 * @let_through: no gate holds it until its call is over
 * @looks:	it is in a function of the model: no small steps
 * @mutex:	what it waits for
 * @killable:	likewise, it leaves when killed
 * @spinlock:	what it waits for
 * @in_line:	when it came to wait
 * @file:	which of @files it has open, -1: none
 */
struct task_struct {
	int number;
	enum model_status status;
	int point;
	const char *access;
	unsigned int state;
	bool pending;
	bool fatal;
	bool exiting;
	bool let_through;
	bool looks;
	struct mutex *mutex; /* none: NULL */
	bool killable;
	spinlock_t *spinlock; /* likewise */
	int file;
	struct file files[2];
	unsigned int begun;
	unsigned int done;
	long results[MODEL_OPS];
	u32 written;
	struct model_bytes got;
};

/*
 * @unread:	what was copied into the pipe and not yet out of it
 * @edge:	bytes came, somebody has polled, and no reader was woken since
 * @told:	of the point where each task came to; for whoever looks
 * @lines:	how often somebody came to wait for a lock, ever
 */
static struct world {
	/* The sum of a state leaves these out: they decide nothing. */
	struct model_values told[MODEL_TASKS + 1];
	u64 in_line[MODEL_TASKS + 1];
	u64 lines;
	/* From here on all counts. */
	struct task_struct tasks[MODEL_TASKS + 1];
	const char *broken;
	struct ipc_pipe *pipe;
	struct model_bytes unread;
	bool edge;
	struct user_struct user;
	struct cred cred;
	struct inode inode;
	struct page *free_pages;
	size_t arena_used;
	/* Aligned, for whatever it holds. */
	char arena[ARENA_SIZE] __attribute__((aligned(ARENA_ALIGN)));
} world;

/* Does not change while the tasks run. */
static struct model_setup setup;

struct task_struct *model_current;
bool model_small_steps;
bool model_gates;

#define POINT(symbol, token, name, kind, unit, hold, sentence) \
	{name, unit, sentence, IPC_KIND_##kind, IPC_HOLD_##hold},

const struct ipc_point_info ipc_points[IPC_NR_POINTS] = {IPC_POINTS(POINT)};
struct static_key_false_deferred ipc_looking;

/* --- giving way --- */

static struct task_struct *boot(void)
{
	return &world.tasks[MODEL_TASKS];
}

static void give_way(enum model_status status)
{
	struct task_struct *task = current;

	if (task == boot())
		model_fail("setting the pipe up had to wait");
	task->status = status;
	switch_back(task->number);
}

void model_fail(const char *what)
{
	if (!world.broken)
		world.broken = what;
	/* Nobody can take a step any more: see model_can_step(). */
	while (current)
		switch_back(current->number);
}

void model_touch(const char *what)
{
	if (!model_small_steps || !current || current == boot() ||
	    current->looks)
		return;
	current->access = what;
	give_way(MODEL_AT);
	current->access = NULL;
}

/* --- points: what gate.c does --- */

static void drop_unread(u32 len);

static bool stops_at(const struct task_struct *task, enum ipc_point point)
{
	if (model_gates && (task->fatal || task->exiting || task->let_through))
		return false;
	return model_small_steps || ipc_points[point].hold != IPC_HOLD_NO;
}

void ipc_arrive(struct ipc_object *object, enum ipc_point point, s64 len,
		s64 decided)
{
	struct task_struct *task = current;
	struct ipc_values values = {-1, -1, len, -1, -1, decided, 0};

	if (task == boot())
		return;
	task->looks = true;
	object->describe(object, point, &values);
	task->looks = false;
	world.told[task->number] = (struct model_values){
		.len = len,
		.head = values.head,
		.tail = values.tail,
		.decided = decided,
	};
	task->point = point;

	/* What each write owes to who polls, edge-triggered. */
	if ((point == IPC_WRITE_MERGE || point == IPC_WRITE_PUBLISH) &&
	    world.pipe->polled)
		world.edge = true;
	if (point == IPC_READ_UNLOCK && decided &&
	    ring_is_full(world.pipe->ring.indices, world.pipe->nr))
		model_fail("a read wakes a writer, and the ring is full");
	if (point == IPC_CLOSE_DROP) {
		if (world.pipe->readers || world.pipe->writers)
			model_fail("bytes of an open pipe are dropped");
		world.edge = false;
		world.unread = (struct model_bytes){};
	}

	/* What of a packet did not fit. */
	if (point == IPC_READ_DROP)
		drop_unread(len);

	if (stops_at(task, point))
		give_way(MODEL_AT);
}

void ipc_arrive_waited(struct ipc_object *object, enum ipc_point point,
		       s64 offset, s64 decided, u64 since_ns)
{
	(void)offset;
	(void)since_ns;
	ipc_arrive(object, point, -1, decided);
}

/* What is no step of a task is not looked at here. */
void ipc_note(struct ipc_object *object, enum ipc_point point, s64 decided)
{
	(void)object;
	(void)point;
	(void)decided;
}

void ipc_note_chosen(struct ipc_object *object, enum ipc_point point,
		     s64 offset, struct pid *chosen, u64 since_ns)
{
	(void)object;
	(void)point;
	(void)offset;
	(void)chosen;
	(void)since_ns;
}

bool ipc_has_gates(void)
{
	return true;
}

bool ipc_is_exiting(void)
{
	return false;
}

struct ipc_op *ipc_op_begin_slow(struct ipc_object *object, bool nowait)
{
	/* What is known of a call is in struct task_struct. */
	static struct ipc_op op;

	(void)object;
	(void)nowait;
	return &op;
}

void ipc_op_end_slow(struct ipc_op *op)
{
	(void)op;
	current->let_through = false;
}

void ipc_op_know_slow(struct ipc_op **op, struct ipc_object *object,
		      enum ipc_point point)
{
	(void)op;
	(void)object;
	(void)point;
}

void ipc_op_asleep_slow(struct ipc_op *op, const struct ipc_waiter *waiter)
{
	(void)op;
	(void)waiter;
}

void ipc_op_lock(enum ipc_op_state state, bool has_lock)
{
	(void)state;
	(void)has_lock;
}

bool ipc_lock_is_stuck(const struct ipc_object *object)
{
	(void)object;
	return false;
}

void ipc_unstick_lock(const struct ipc_object *object)
{
	(void)object;
	if (model_gates && (current->exiting || current->fatal))
		world.pipe->mutex.owner->let_through = true;
}

int ipc_load_fault(const char *what)
{
	(void)what;
	return 0;
}

void ipc_object_init(struct ipc_object *object, enum ipc_kind kind,
		     const char *name, umode_t mode,
		     void (*release)(struct ipc_object *object))
{
	object->kind = kind;
	object->name = name;
	object->mode = mode;
	object->release = release;
	refcount_set(&object->refs, 1);
}

/* --- locks --- */

static void stand_in_line(struct task_struct *task)
{
	world.in_line[task->number] = ++world.lines;
}

void mutex_init(struct mutex *mutex)
{
	mutex->owner = NULL;
}

void mutex_destroy(struct mutex *mutex)
{
	model_assert(!mutex->owner);
}

bool mutex_trylock(struct mutex *mutex)
{
	if (mutex->owner)
		return false;
	mutex->owner = current;
	return true;
}

static int lock(struct mutex *mutex, bool killable)
{
	model_assert(mutex->owner != current);
	current->mutex = mutex;
	current->killable = killable;
	stand_in_line(current);
	while (!mutex_trylock(mutex)) {
		if (killable && current->fatal)
			break;
		give_way(MODEL_LOCK);
	}
	current->mutex = NULL;
	return mutex->owner == current ? 0 : -EINTR;
}

void mutex_lock(struct mutex *mutex)
{
	lock(mutex, false);
}

int mutex_lock_killable(struct mutex *mutex)
{
	return lock(mutex, true);
}

void mutex_unlock(struct mutex *mutex)
{
	model_assert(mutex->owner == current);
	mutex->owner = NULL;
}

void spin_lock_irq(spinlock_t *lock)
{
	while (lock->owner) {
		current->spinlock = lock;
		give_way(MODEL_LOCK);
	}
	current->spinlock = NULL;
	lock->owner = current;
}

void spin_unlock_irq(spinlock_t *lock)
{
	model_assert(lock->owner == current);
	lock->owner = NULL;
}

/* --- sleep and signals --- */

void set_current_state(unsigned int state)
{
	model_touch("store state of the task");
	current->state = state;
}

void schedule(void)
{
	if (current->state == TASK_INTERRUPTIBLE && !signal_pending(current))
		give_way(MODEL_ASLEEP);
	current->state = TASK_RUNNING;
}

/* Only who waits patiently for the mutex comes here: lock_patiently(). */
void schedule_timeout_idle(long jiffies)
{
	(void)jiffies;
	if (!current->mutex)
		stand_in_line(current);
	current->mutex = &world.pipe->mutex;
	current->killable = false;
	while (world.pipe->mutex.owner)
		give_way(MODEL_LOCK);
	current->mutex = NULL;
}

void schedule_timeout_killable(long jiffies)
{
	schedule_timeout_idle(jiffies);
}

bool signal_pending(struct task_struct *task)
{
	return task->pending || task->fatal;
}

bool fatal_signal_pending(struct task_struct *task)
{
	return task->fatal;
}

void send_sig(int signal, struct task_struct *task, int privileged)
{
	(void)signal;
	(void)privileged;
	task->pending = true;
}

void model_signal(int task, int number)
{
	struct task_struct *to = &world.tasks[task];

	if (!number)
		to->fatal = true;
	else if (to->status != MODEL_IDLE && to->status != MODEL_GONE)
		to->pending = true; /* else its handler runs at once */
}

/* --- wait queues --- */

static void list_insert(struct list_head *entry, struct list_head *before,
			struct list_head *behind)
{
	entry->prev = before;
	entry->next = behind;
	before->next = entry;
	behind->prev = entry;
}

static void list_remove(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
}

void list_move_tail(struct list_head *entry, struct list_head *head)
{
	list_remove(entry);
	list_insert(entry, head->prev, head);
}

void init_waitqueue_head(struct wait_queue_head *queue)
{
	queue->lock.owner = NULL;
	queue->head.next = &queue->head;
	queue->head.prev = &queue->head;
}

void init_waitqueue_entry(struct wait_queue_entry *entry,
			  struct task_struct *task)
{
	entry->flags = 0;
	entry->task = task;
	entry->func = default_wake_function;
}

void add_wait_queue(struct wait_queue_head *queue,
		    struct wait_queue_entry *entry)
{
	spin_lock_irq(&queue->lock);
	entry->flags &= ~WQ_FLAG_EXCLUSIVE;
	list_insert(&entry->entry, &queue->head, queue->head.next);
	spin_unlock_irq(&queue->lock);
}

void add_wait_queue_exclusive(struct wait_queue_head *queue,
			      struct wait_queue_entry *entry)
{
	spin_lock_irq(&queue->lock);
	entry->flags |= WQ_FLAG_EXCLUSIVE;
	list_insert(&entry->entry, queue->head.prev, &queue->head);
	spin_unlock_irq(&queue->lock);
}

void remove_wait_queue(struct wait_queue_head *queue,
		       struct wait_queue_entry *entry)
{
	spin_lock_irq(&queue->lock);
	list_remove(&entry->entry);
	spin_unlock_irq(&queue->lock);
}

int default_wake_function(struct wait_queue_entry *entry, unsigned int mode,
			  int sync, void *key)
{
	(void)sync;
	(void)key;
	model_touch("load state of the task");
	if (!(entry->task->state & mode))
		return 0;
	entry->task->state = TASK_RUNNING;
	return 1;
}

/* __wake_up_common() of kernel/sched/wait.c */
void model_wake(struct wait_queue_head *queue, int exclusive)
{
	struct list_head *at, *next;
	struct wait_queue_entry *entry;

	if (queue == &world.pipe->read_queue)
		world.edge = false;
	spin_lock_irq(&queue->lock);
	for (at = queue->head.next; at != &queue->head; at = next) {
		next = at->next;
		entry = container_of(at, struct wait_queue_entry, entry);
		if (entry->func(entry, TASK_INTERRUPTIBLE, 0, NULL) &&
		    entry->flags & WQ_FLAG_EXCLUSIVE && !--exclusive)
			break;
	}
	spin_unlock_irq(&queue->lock);
}

void poll_wait(struct file *file, struct wait_queue_head *queue,
	       struct poll_table_struct *wait)
{
	/* A poll that does not wait stands on no queue. */
	(void)file;
	(void)queue;
	(void)wait;
}

/* --- memory --- */

static void *arena_take(size_t size)
{
	void *memory = world.arena + world.arena_used;

	size = (size + ARENA_ALIGN - 1) & -(size_t)ARENA_ALIGN;
	if (world.arena_used + size > ARENA_SIZE) {
		model_fail("the arena of the model is too small");
		return NULL;
	}
	world.arena_used += size;
	memset(memory, 0, size);
	return memory;
}

/*
 * The size stands before the memory.  What was freed is filled and never given
 * out again: who uses it finds no list and no page there.
 */
void *kzalloc(size_t size, gfp_t gfp)
{
	size_t *memory = arena_take(size + ARENA_ALIGN);

	(void)gfp;
	if (!memory)
		return NULL;
	*memory = size;
	return (char *)memory + ARENA_ALIGN;
}

void kfree(void *memory)
{
	size_t *size = (void *)((char *)memory - ARENA_ALIGN);

	if (!memory)
		return;
	model_assert(*size);
	memset(memory, FREED, *size);
	*size = 0;
}

/* The page freed last is taken first, so that few states differ in this. */
struct page *alloc_page(gfp_t gfp)
{
	struct page *page = world.free_pages;

	(void)gfp;
	if (page)
		world.free_pages = page->next_free;
	else
		page = arena_take(sizeof(*page));
	if (page)
		*page = (struct page){.refs = 1};
	return page;
}

void put_page(struct page *page)
{
	model_assert(page->refs == 1);
	*page = (struct page){.next_free = world.free_pages};
	world.free_pages = page;
}

int page_count(const struct page *page)
{
	return page->refs;
}

/* --- bytes, as stretches --- */

static bool continues(const struct model_piece *a, const struct model_piece *b)
{
	return a->source == b->source && a->by == b->by &&
	       a->start + a->len == b->start;
}

static void append(struct model_bytes *to, struct model_piece piece)
{
	if (!piece.len)
		return;
	if (to->n && continues(&to->piece[to->n - 1], &piece)) {
		to->piece[to->n - 1].len += piece.len;
		return;
	}
	if (to->n == MODEL_PIECES) {
		model_fail("too many pieces of writes for the model");
		return;
	}
	to->piece[to->n++] = piece;
}

/* Append @len bytes of @from, beginning with byte @at; as many as there are. */
static u32 append_part(struct model_bytes *to, const struct model_bytes *from,
		       u32 at, u32 len, u16 by)
{
	struct model_piece piece;
	u32 i, skip, done = 0;

	for (i = 0; i < from->n && len; i++) {
		piece = from->piece[i];
		skip = min(at, piece.len);
		at -= skip;
		piece.start += skip;
		piece.len = min(piece.len - skip, len);
		piece.by = by;
		append(to, piece);
		done += piece.len;
		len -= piece.len;
	}
	return done;
}

static void drop_unread(u32 len)
{
	struct model_bytes rest = {};

	append_part(&rest, &world.unread, len, ~0U, 0);
	world.unread = rest;
}

static u32 length(const struct model_bytes *bytes)
{
	u32 i, sum = 0;

	for (i = 0; i < bytes->n; i++)
		sum += bytes->piece[i].len;
	return sum;
}

static bool same_bytes(const struct model_bytes *a, const struct model_bytes *b)
{
	return a->n == b->n &&
	       !memcmp(a->piece, b->piece, a->n * sizeof(*a->piece));
}

size_t iov_iter_count(const struct iov_iter *iter)
{
	return iter->count;
}

size_t copy_page_to_iter(struct page *page, size_t offset, size_t len,
			 struct iov_iter *to)
{
	struct task_struct *task = &world.tasks[to->task];
	struct model_bytes copied = {}, oldest = {};

	model_assert(page->refs && len <= to->count);
	if (append_part(&copied, &page->bytes, offset, len, 0) != len)
		model_fail("a read beyond the bytes of a page");
	append_part(&oldest, &world.unread, 0, len, 0);
	if (!same_bytes(&copied, &oldest))
		model_fail("a read got other bytes than the oldest");
	drop_unread(len);
	append_part(&task->got, &copied, 0, len, to->op);
	to->at += len;
	to->count -= len;
	return len;
}

size_t copy_page_from_iter(struct page *page, size_t offset, size_t len,
			   struct iov_iter *from)
{
	struct model_piece piece = {
		.source = from->task,
		.start = from->start + from->at,
		.len = len,
	};
	struct model_bytes all = {};

	model_assert(page->refs && offset + len <= PAGE_SIZE);
	if (append_part(&all, &page->bytes, 0, offset, 0) != offset)
		model_fail("a write beyond the bytes of a page");
	append(&all, piece);
	/* A page that is filled anew keeps what it had beyond that. */
	append_part(&all, &page->bytes, offset + len, ~0U, 0);
	page->bytes = all;
	append(&world.unread, piece);
	world.tasks[from->task].written += len;
	from->at += len;
	from->count -= len;
	return len;
}

/* --- calls --- */

const struct cred *get_current_cred(void)
{
	world.cred.user = &world.user;
	return &world.cred;
}

static struct file *file_of(struct task_struct *task)
{
	return task->file < 0 ? NULL : &task->files[task->file];
}

static long close_file(struct task_struct *task)
{
	struct file *file = file_of(task);

	if (!file)
		return -EBADF;
	task->file = -1;
	ipc_pipe_close(world.pipe, file);
	*file = (struct file){};
	return 0;
}

/* The new one first, as ipcdemo step does. */
static long open_file(struct task_struct *task, unsigned int ends,
		      bool nonblock)
{
	int place = task->file == 0;
	struct file *file = &task->files[place];
	int err;

	*file = (struct file){
		.f_flags = nonblock ? O_NONBLOCK : 0,
		.f_mode = (ends & MODEL_END_READ ? FMODE_READ : 0) |
			  (ends & MODEL_END_WRITE ? FMODE_WRITE : 0),
		.f_inode = &world.inode,
	};
	err = ipc_pipe_open(world.pipe, file);
	if (err) {
		*file = (struct file){};
		return err;
	}
	if (task->file >= 0)
		close_file(task);
	task->file = place;
	return 0;
}

static u32 written_before(int task, int op)
{
	const struct model_op *ops = setup.tasks[task].ops;
	u32 sum = 0;

	while (op--)
		sum += ops[op].call == MODEL_WRITE ? ops[op].number : 0;
	return sum;
}

static long transfer(struct task_struct *task, bool write, int op, u32 bytes)
{
	struct file *file = file_of(task);
	struct kiocb iocb = {.ki_filp = file};
	struct iov_iter iter = {
		.task = task->number,
		.op = op,
		.count = bytes,
	};

	if (task != boot())
		iter.start = written_before(task->number, op);
	if (!file || !(file->f_mode & (write ? FMODE_WRITE : FMODE_READ)))
		return -EBADF;
	if (write)
		return ipc_pipe_write(world.pipe, &iocb, &iter);
	return ipc_pipe_read(world.pipe, &iocb, &iter);
}

static long resize(u64 bytes)
{
	int err = ipc_pipe_resize(world.pipe, &bytes);

	return err ? err : (long)bytes;
}

static long perform(struct task_struct *task, int number,
		    const struct model_op *op)
{
	struct file *file = file_of(task);

	switch (op->call) {
	case MODEL_OPEN:
		return open_file(task, op->ends, op->nonblock);
	case MODEL_READ:
		return transfer(task, false, number, op->number);
	case MODEL_WRITE:
		return transfer(task, true, number, op->number);
	case MODEL_CLOSE:
		return close_file(task);
	case MODEL_POLL:
		if (!file)
			return -EBADF;
		return ipc_pipe_poll(world.pipe, file, NULL) &
		       (op->mask | EPOLLERR | EPOLLHUP);
	case MODEL_RESIZE:
		return resize(op->number);
	case MODEL_SIGNAL:
	case MODEL_KILL:
		if (world.tasks[op->target].status == MODEL_GONE)
			return -ESRCH;
		model_signal(op->target, op->call == MODEL_SIGNAL);
		return 0;
	}
	return -EINVAL;
}

/* A call, and what signals make of its result. */
static long call(struct task_struct *task, int number)
{
	const struct model_task *what = &setup.tasks[task->number];
	long result;

	for (;;) {
		result = perform(task, number, &what->ops[number]);
		if (result == -ERESTARTSYS && task->fatal)
			return -EINTR;
		if (result == -ERESTARTSYS)
			model_assert(task->pending);
		task->pending = false;
		if (result != -ERESTARTSYS)
			return result;
		if (!what->restart)
			return -EINTR;
	}
}

static void live(int number)
{
	struct task_struct *task = &world.tasks[number];
	long result;

	for (;;) {
		task->let_through = false;
		give_way(MODEL_IDLE);
		if (task->fatal)
			break;
		result = call(task, task->begun++);
		task->results[task->done++] = result;
		task->written = 0;
	}
	task->exiting = true;
	if (task->file >= 0)
		close_file(task);
	for (;;)
		give_way(MODEL_GONE);
}

/* --- the user's side --- */

bool model_can_step(int number)
{
	const struct task_struct *task = &world.tasks[number];

	if (world.broken)
		return false;
	switch (task->status) {
	case MODEL_IDLE:
		return task->fatal || task->begun < setup.tasks[number].nops;
	case MODEL_AT:
		return true;
	case MODEL_LOCK:
		if (task->spinlock)
			return !task->spinlock->owner;
		return !task->mutex->owner || (task->killable && task->fatal);
	case MODEL_ASLEEP:
		return task->state == TASK_RUNNING || task->pending ||
		       task->fatal;
	case MODEL_GONE:
		break;
	}
	return false;
}

static bool moves_itself(int number)
{
	const struct task_struct *task = &world.tasks[number];
	int i;

	switch (task->status) {
	case MODEL_IDLE:
		return task->fatal;
	case MODEL_AT:
		return task->fatal || task->let_through ||
		       (task->pending &&
			ipc_points[task->point].hold == IPC_HOLD_SIGNAL);
	case MODEL_LOCK:
		/* The first in line has it. */
		for (i = 0; i < setup.ntasks; i++)
			if (world.tasks[i].status == MODEL_LOCK &&
			    world.in_line[i] < world.in_line[number] &&
			    !task->fatal)
				return false;
		return model_can_step(number);
	case MODEL_ASLEEP:
	case MODEL_GONE:
		break;
	}
	return model_can_step(number);
}

void model_step(int number)
{
	model_current = &world.tasks[number];
	switch_to(number);
	model_current = NULL;
}

void model_poll(int number)
{
	struct file *file = file_of(&world.tasks[number]);

	model_current = boot();
	if (file)
		ipc_pipe_poll(world.pipe, file, NULL);
	model_current = NULL;
}

void model_come_to_rest(void)
{
	int i;

	for (i = 0; i < setup.ntasks; i++) {
		if (world.broken || !moves_itself(i))
			continue;
		model_step(i);
		i = -1;
	}
}

void model_look(int number, struct model_view *view)
{
	const struct task_struct *task = &world.tasks[number];

	*view = (struct model_view){
		.status = task->status,
		.point = task->point,
		.values = world.told[number],
		.access = task->access,
		.begun = task->begun,
		.done = task->done,
		.results = task->results,
		.written = task->written,
		.got = &task->got,
	};
}

void model_look_pipe(struct model_pipe *look)
{
	struct ipc_pipe *pipe = world.pipe;
	u64 at = pipe->ring.indices;
	struct ipc_slot *slot;
	u32 i;

	*look = (struct model_pipe){
		.slots = pipe->ring.slots->nr,
		.used = ring_used(at),
		.head = ring_head(at),
		.tail = ring_tail(at),
		.readers = pipe->readers,
		.writers = pipe->writers,
		.bytes = ring_bytes(&pipe->ring),
	};
	if (ring_broken(&pipe->ring))
		return;
	for (i = ring_tail(at); i != ring_head(at); i++) {
		slot = ring_slot(pipe->ring.slots, i);
		append_part(&look->content, &slot->page->bytes, slot->offset,
			    slot->len, 0);
	}
}

static const char *overslept(const struct task_struct *task)
{
	const struct ipc_pipe *pipe = world.pipe;
	u64 at = pipe->ring.indices;
	/* Not by ring.h: that is what is looked after. */
	u32 used = (u32)(at >> 32) - (u32)at;

	switch (task->point) {
	case IPC_READ_SLEEP:
		if (used)
			return "sleeps in read, and there are bytes";
		if (!pipe->writers)
			return "sleeps in read, and there is no writer";
		break;
	case IPC_WRITE_SLEEP:
		if (used < pipe->ring.slots->nr)
			return "sleeps in write, and a slot is free";
		if (!pipe->readers && !pipe->keep)
			return "sleeps in write, and there is no reader";
		break;
	case IPC_OPEN_SLEEP:
		if (pipe->keep || (pipe->readers && pipe->writers))
			return "sleeps in open, and both sides are there";
		break;
	}
	return NULL;
}

int model_overslept(const char **why)
{
	const struct task_struct *task;
	int i;

	for (i = 0; i < setup.ntasks; i++) {
		task = &world.tasks[i];
		if (task->status != MODEL_IDLE && task->status != MODEL_GONE &&
		    (task->status != MODEL_ASLEEP || model_can_step(i)))
			return -1; /* somebody is in the middle of a call */
		if (task->status == MODEL_IDLE && task->fatal)
			return -1;
	}
	for (i = 0; i < setup.ntasks; i++) {
		task = &world.tasks[i];
		if (task->status != MODEL_ASLEEP)
			continue;
		*why = overslept(task);
		if (*why)
			return i;
	}
	return -1;
}

static bool writes(const struct task_struct *task)
{
	return task->done < task->begun &&
	       setup.tasks[task->number].ops[task->done].call == MODEL_WRITE;
}

static s64 counted(enum ipc_point point)
{
	return world.pipe->object.count[point].counter;
}

static const char *counts_wrong(void)
{
	s64 bytes = counted(IPC_WRITE_COPY) - counted(IPC_READ_COPY) -
		    counted(IPC_READ_DROP) - counted(IPC_CLOSE_DROP);

	if (bytes != (s64)ring_bytes(&world.pipe->ring))
		return "the counted bytes are not those in the pipe";
	if (!counted(IPC_CLOSE_DROP) &&
	    counted(IPC_WRITE_PUBLISH) - counted(IPC_READ_RELEASE) !=
		    ring_used(world.pipe->ring.indices))
		return "the counted slots are not those in use";
	return NULL;
}

const char *model_broken(void)
{
	struct ipc_pipe *pipe = world.pipe;
	bool writing = false;
	int i;

	if (world.broken)
		return world.broken;
	/* Whoever has the mutex may be in the middle of something. */
	if (pipe->mutex.owner)
		return NULL;
	if (ring_broken(&pipe->ring))
		return ring_broken(&pipe->ring);
	if (pipe->nr != pipe->ring.slots->nr)
		return "the number of slots and that of the array differ";
	if (world.user.pipe_bufs.counter != (pipe->cred ? pipe->nr : 0))
		return "the user is not charged for the slots that the pipe has";
	if (length(&world.unread) != ring_bytes(&pipe->ring))
		return "the pipe does not hold the bytes that were written and not read";
	for (i = 0; i < setup.ntasks; i++)
		writing |= writes(&world.tasks[i]);
	if (world.edge && !writing)
		return "somebody has polled, and a write woke no reader";
	return counts_wrong();
}

/* --- the beginning --- */

/* Task MODEL_TASKS: makes the pipe, for nobody else is there. */
static void set_up(int number)
{
	struct task_struct *task;
	struct ipc_pipe *pipe = ipc_pipe_create("pipe", 0);
	int i;

	world.pipe = pipe;
	/* Both indices wrap soon: the place where they are compared wrongly. */
	pipe->ring.indices = (u64)UINT32_MAX << 32 | UINT32_MAX;

	/* While both ends are open, no open waits. */
	open_file(boot(), MODEL_END_READ | MODEL_END_WRITE, false);
	if (setup.keep)
		ipc_pipe_set_keep(pipe, true);
	if (setup.slots)
		resize((u64)setup.slots * PAGE_SIZE);
	if (setup.fill)
		transfer(boot(), true, 0, setup.fill);
	if (setup.drain)
		transfer(boot(), false, 0, setup.drain);
	for (i = 0; i < setup.ntasks; i++) {
		task = &world.tasks[i];
		if (setup.tasks[i].ends)
			open_file(task, setup.tasks[i].ends,
				  setup.tasks[i].nonblock);
	}
	close_file(boot());
	/* If nobody has it open, that was the last close. */
	if (setup.slots && pipe->nr != setup.slots)
		resize((u64)setup.slots * PAGE_SIZE);
	boot()->got = (struct model_bytes){};
	boot()->written = 0;
	for (;;)
		switch_back(number);
}

void model_start(const struct model_setup *from)
{
	struct task_struct *task;
	int i;

	setup = *from;
	memset(&world, 0, sizeof(world));
	for (i = 0; i <= MODEL_TASKS; i++) {
		task = &world.tasks[i];
		task->number = i;
		task->file = -1;
		task->point = -1;
	}
	switch_init(MODEL_TASKS, set_up);
	model_step(MODEL_TASKS);
	for (i = 0; i < setup.ntasks; i++) {
		switch_init(i, live);
		model_step(i);
	}
}

/* --- states --- */

static size_t world_size(void)
{
	return offsetof(struct world, arena) + world.arena_used;
}

size_t model_size(void)
{
	size_t size = world_size() + sizeof(switch_places), part;
	int i;

	for (i = 0; i < setup.ntasks; i++) {
		switch_stack(i, &part);
		size += part;
	}
	return size;
}

void model_keep(void *state)
{
	char *to = state;
	void *stack;
	size_t size;
	int i;

	memcpy(to, &switch_places, sizeof(switch_places));
	to += sizeof(switch_places);
	size = world_size();
	memcpy(to, &world, size);
	to += size;
	for (i = 0; i < setup.ntasks; i++) {
		stack = switch_stack(i, &size);
		memcpy(to, stack, size);
		to += size;
	}
}

void model_restore(const void *state)
{
	const char *from = state;
	void *stack;
	size_t size;
	int i;

	memcpy(&switch_places, from, sizeof(switch_places));
	from += sizeof(switch_places);
	/* First the part that says how large the whole is. */
	memcpy(&world, from, offsetof(struct world, arena));
	size = world_size();
	memcpy(&world, from, size);
	from += size;
	for (i = 0; i < setup.ntasks; i++) {
		stack = switch_stack(i, &size);
		memcpy(stack, from, size);
		from += size;
	}
}

static u64 mixed(u64 a, u64 b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (u64)product ^ (u64)(product >> 64);
}

static void add_to_sum(u64 sum[2], const void *from, size_t size)
{
	const char *at = from;
	u64 word[2];

	while (size) {
		size_t part = min(size, sizeof(word));

		word[0] = 0;
		word[1] = 0;
		memcpy(word, at, part);
		sum[0] = mixed(sum[0] ^ word[0] ^ 0x9e3779b97f4a7c15,
			       word[1] ^ 0xd1b54a32d192ed03);
		sum[1] = mixed(sum[1] ^ word[1] ^ 0x8cb92ba72f3d8dd7,
			       word[0] ^ 0xaef17502108ef2d9) +
			 sum[0];
		at += part;
		size -= part;
	}
}

/* Who did what last: nothing depends on it. */
const unsigned long jiffies;

void ipc_trail_init(struct ipc_trail *trail)
{
	memset(trail, 0, sizeof(*trail));
}

void ipc_trail_clear(struct ipc_trail *trail)
{
	ipc_trail_init(trail);
}

void ipc_trail_changes(struct ipc_trail *trail, enum ipc_trail_event event)
{
	(void)trail;
	(void)event;
}

/* The counters, the sequence and the trail of the pipe are for the views alone. */
void model_sum(u64 sum[2])
{
	const char *end = world.arena + world.arena_used;
	const struct ipc_pipe *pipe = world.pipe;
	const char *count = (const char *)&pipe->object.count;
	const char *seq = (const char *)&pipe->seq;
	const char *trail = (const char *)&pipe->trail;
	const char *begin = (const char *)&world.tasks;
	const void *stack;
	size_t size;
	int i;

	sum[0] = 1;
	sum[1] = 2;
	add_to_sum(sum, &switch_places, sizeof(switch_places));
	if (count < seq && seq < trail) {
		add_to_sum(sum, begin, count - begin);
		count += sizeof(pipe->object.count);
		add_to_sum(sum, count, seq - count);
		seq += sizeof(pipe->seq);
		add_to_sum(sum, seq, trail - seq);
		trail += sizeof(pipe->trail);
		add_to_sum(sum, trail, end - trail);
	}
	for (i = 0; i < setup.ntasks; i++) {
		stack = switch_stack(i, &size);
		add_to_sum(sum, stack, size);
	}
}

/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the command needs to use and to look at ipcdemo
 *
 * Two ways lead to an object.  The calls of the first group go through
 * descriptors of /dev/ipcdemo (<linux/ipcdemo.h> is their manual); those of the
 * second look, over netlink or else at the text in /proc/ipcdemo, which needs no
 * permission and never disturbs.
 *
 * Conventions
 *
 *  - struct ipcdemo is the caller's handle.  It holds paths and the text of the
 *    last error, no descriptors.  One thread at a time may use a handle.
 *  - A call that fails returns -errno and leaves a sentence that says what
 *    failed, on what, and what to do next: ipcdemo_error().
 *  - id 0 is the default object.
 *  - Descriptors are the caller's, and are open with O_CLOEXEC.
 *  - A view from /proc is the caller's, to be freed with the call named beside
 *    it; freeing an all-zero one does nothing.
 *
 * All of this is there since version 0.1.0.
 */
#ifndef IPCDEMO_ACCESS_H
#define IPCDEMO_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/ipcdemo.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ipcdemo;

/**
 * ipcdemo_new - a handle
 *
 * If the environment has IPCDEMO_ROOT, that directory is put before /proc and
 * /dev: it is how the tests show a made-up machine to the program.
 *
 * Return: the handle, or NULL with errno set (ENOMEM, ENAMETOOLONG).
 */
struct ipcdemo *ipcdemo_new(void);
void ipcdemo_free(struct ipcdemo *ipc);

/* What the last failed call has to say: one sentence or two, no newline. */
const char *ipcdemo_error(const struct ipcdemo *ipc);

/* The path of the device, and of the directory in /proc. */
const char *ipcdemo_device(const struct ipcdemo *ipc);
const char *ipcdemo_proc(const struct ipcdemo *ipc);

/**
 * struct ipcdemo_module - what the loaded module says about itself
 * @version:	its version, for people
 * @uapi:	its IPCDEMO_UAPI_VERSION
 */
struct ipcdemo_module {
	char version[32];
	__u32 uapi;
};

/**
 * ipcdemo_module - read /proc/ipcdemo/version
 *
 * Return: 0; -ENOENT if the module is not loaded.
 */
int ipcdemo_module(struct ipcdemo *ipc, struct ipcdemo_module *module);

/**
 * ipcdemo_check - may this program talk to the module?
 *
 * The calls that open the device or read a view do this themselves.
 *
 * Return: 0; -ENOENT if the module is not loaded; -EPROTO if it speaks another
 * IPCDEMO_UAPI_VERSION.
 */
int ipcdemo_check(struct ipcdemo *ipc);

/* ---- through descriptors ------------------------------------------------ */

/**
 * ipcdemo_open - open the device
 * @flags:	as for open(2): O_RDONLY, O_WRONLY, O_RDWR or IPCDEMO_O_CONTROL,
 *		and O_NONBLOCK; O_CLOEXEC is added
 *
 * O_RDONLY and O_WRONLY wait for the other side, and are interrupted by
 * signals (-EINTR), as with a FIFO.
 *
 * Return: a descriptor, or what ipcdemo_check() or open(2) says; -ENXIO is
 * O_WRONLY | O_NONBLOCK without a reader.
 */
int ipcdemo_open(struct ipcdemo *ipc, int flags);

/* The state of an object.  Return: 0 or -errno of the ioctl. */
int ipcdemo_pipe_stat(struct ipcdemo *ipc, int fd, __u32 id,
		      struct ipcdemo_pipe_stat *stat);
int ipcdemo_region_stat(struct ipcdemo *ipc, int fd, __u32 id,
			struct ipcdemo_region_stat *stat);

/**
 * ipcdemo_peek - copy bytes out of a pipe and leave them there
 * @skip:	bytes to pass over first
 * @bytes:	how many bytes the pipe holds; may be NULL
 *
 * Return: how many bytes were copied, 0 if there are no more than @skip.
 */
ssize_t ipcdemo_peek(struct ipcdemo *ipc, int fd, __u32 id, __u64 skip,
		     void *buf, size_t len, __u64 *bytes);

/* The capacity in bytes.  set rounds up and stores what it became. */
int ipcdemo_get_capacity(struct ipcdemo *ipc, int fd, __u32 id, __u64 *bytes);
int ipcdemo_set_capacity(struct ipcdemo *ipc, int fd, __u32 id, __u64 *bytes);

/* How long the bytes live: enum ipcdemo_persistence. */
int ipcdemo_get_persistence(struct ipcdemo *ipc, int fd, __u32 id,
			    __u64 *value);
int ipcdemo_set_persistence(struct ipcdemo *ipc, int fd, __u32 id, __u64 value);

/* A descriptor of a region, from a control descriptor. */
int ipcdemo_region_fd(struct ipcdemo *ipc, int fd, __u32 id);

/* ---- gates: who goes next ------------------------------------------------ */

/**
 * ipcdemo_gate_add - hold who comes to a point of an object
 * @fd:		a control descriptor; when it is closed the gate opens
 * @point:	the point, or a pattern in which * stands for any characters
 * @pid:	which thread, 0: any
 * @count:	how many arrivals it holds before it goes away, 0: all
 *
 * Return: the number of the gate, or -errno.
 */
int ipcdemo_gate_add(struct ipcdemo *ipc, int fd, __u32 id, const char *point,
		     pid_t pid, __u32 count);

/* Remove a gate, or all with 0; who is held stays held.  -ENOENT. */
int ipcdemo_gate_remove(struct ipcdemo *ipc, int fd, __u32 gate);

/**
 * ipcdemo_gate_wait - wait until somebody is held who was not told of yet
 * @timeout_ms:	-1: for ever, 0: only look
 *
 * Return: 0; -ETIMEDOUT; -EINTR.
 */
int ipcdemo_gate_wait(struct ipcdemo *ipc, int fd, int timeout_ms,
		      struct ipcdemo_arrival *arrival);

/* Let a held thread through; flags are IPCDEMO_GO_*.  -ESRCH: it is not held. */
int ipcdemo_gate_go(struct ipcdemo *ipc, int fd, pid_t pid, __u32 flags);

/**
 * ipcdemo_tasks - what threads are doing
 * @flags:	0, or IPCDEMO_TASKS_QUIET: wait until none of them is running
 * @timeout_ms:	for how long; as for ipcdemo_gate_wait()
 * @tasks:	in: pid of each; out: the rest
 *
 * Return: 0; -ETIMEDOUT, and @tasks is filled all the same; -EINTR.
 */
int ipcdemo_tasks(struct ipcdemo *ipc, int fd, __u32 flags, int timeout_ms,
		  struct ipcdemo_arrival *tasks, __u32 count);

/* ---- through netlink, or else through /proc ----------------------------- */

enum ipcdemo_kind {
	IPCDEMO_PIPE,
	IPCDEMO_REGION,
};

/**
 * struct ipcdemo_table - a table of words with a header line
 * @columns:	how many columns
 * @rows:	how many rows, the header not counted
 * @header:	the names of the columns
 * @cells:	row by row
 * @text:	what all these words are pieces of
 * @names:	what the names are pieces of that are not in @text, or NULL
 */
struct ipcdemo_table {
	size_t columns;
	size_t rows;
	char **header;
	char **cells;
	char *text;
	char *names;
};

/* The number of the column with this name, or -1. */
int ipcdemo_column(const struct ipcdemo_table *table, const char *name);

/* The word in a row below a column, or NULL if there is no such column. */
const char *ipcdemo_cell(const struct ipcdemo_table *table, size_t row,
			 const char *name);

void ipcdemo_table_free(struct ipcdemo_table *table);

/**
 * ipcdemo_points - /proc/ipcdemo/points, in the order of the points' numbers
 *
 * Of the last column, a sentence, the first word.
 */
int ipcdemo_points(struct ipcdemo *ipc, struct ipcdemo_table *table);

/**
 * ipcdemo_list - all objects of a kind, as /proc/ipcdemo/pipes or regions
 *
 * Columns that are not known here are passed on.  The name of a pipe on
 * ipcdemofs is its path from the root directory, if the file system is mounted
 * where this process can see it, and else the path inside that file system.
 */
int ipcdemo_list(struct ipcdemo *ipc, enum ipcdemo_kind kind,
		 struct ipcdemo_table *table);

/**
 * ipcdemo_default - the id of the default object of a kind
 *
 * Return: 0; -ENOENT if there is none.
 */
int ipcdemo_default(struct ipcdemo *ipc, enum ipcdemo_kind kind, __u32 *id);

enum ipcdemo_slot_state {
	IPCDEMO_SLOT_FREE,
	IPCDEMO_SLOT_SPARE,
	IPCDEMO_SLOT_DATA,
};

/**
 * struct ipcdemo_slot - one place of the ring
 * @state:	whether it holds bytes, a page without bytes, or nothing
 * @index:	the free-running index that stands here; data only
 * @page:	serial number of the page, 0 if there is none
 * @pfn:	page frame number, 0 if it is not shown
 * @offset:	where the bytes begin in the page: what was read already
 * @len:	how many bytes there are
 * @flags:	words, or "-"
 */
struct ipcdemo_slot {
	enum ipcdemo_slot_state state;
	__u32 index;
	__u64 page;
	__u64 pfn;
	__u32 offset;
	__u32 len;
	char flags[24];
};

/**
 * struct ipcdemo_waiter - a task that waits
 * @point:	where: "read.wait", "write.wait" or "open.wait"
 * @pid:	its process id, 0 if it is not visible from here
 * @command:	its command, as the kernel has it: may hold any character
 * @seconds:	for how long
 * @state:	"sleeping" or "woken"
 */
struct ipcdemo_waiter {
	char point[24];
	pid_t pid;
	char command[32];
	double seconds;
	char state[16];
};

/* What was counted at one point. */
struct ipcdemo_counter {
	char point[32];
	char unit[16];
	__u64 count;
};

/**
 * struct ipcdemo_trace - who did something to a pipe last
 * @event:	what, a word of docs/proc.md
 * @count:	how often; of "read" and "write", how often it was another one
 * @pid:	its process id, also if it is gone; 0 if it is not visible from here
 * @command:	its command then
 * @seconds:	how long ago
 */
struct ipcdemo_trace {
	char event[16];
	__u64 count;
	pid_t pid;
	char command[32];
	double seconds;
};

/**
 * struct ipcdemo_pipe_view - /proc/ipcdemo/pipe/ID
 *
 * The members are the lines of that file, in its order.
 */
struct ipcdemo_pipe_view {
	__u32 id;
	char *name; /* as of ipcdemo_list() */
	__u32 owner;
	char mode[16];
	char persistence[16];
	__u64 capacity;
	__u32 slots;
	__u32 used;
	__u64 bytes;
	__u32 head;
	__u32 tail;
	__u32 readers;
	__u32 writers;
	__u32 spare;
	char snapshot[16];
	__u32 read_pollers;
	__u32 write_pollers;

	struct ipcdemo_slot *ring; /* @slots of them */
	size_t nwaiters;
	struct ipcdemo_waiter *waiters;
	size_t ncounters;
	struct ipcdemo_counter *counters;
	size_t nheld;
	struct ipcdemo_waiter *held; /* state: "held" or "lock" */
	size_t ntrail;
	struct ipcdemo_trace *trail;
};

/* id must be that of a pipe, not 0.  Return: 0; -ENOENT: no such pipe. */
int ipcdemo_pipe_view(struct ipcdemo *ipc, __u32 id,
		      struct ipcdemo_pipe_view *view);
void ipcdemo_pipe_view_free(struct ipcdemo_pipe_view *view);

/**
 * struct ipcdemo_run - pages in a row of which the same is true
 * @first:	the first of them
 * @last:	the last of them
 * @state:	none, there or large
 */
struct ipcdemo_run {
	__u64 first;
	__u64 last;
	char state[16];
};

/**
 * struct ipcdemo_fault - a first touch of a page
 * @page:	place in the region
 * @access:	read or write
 * @pid:	who
 * @command:	its command
 * @seconds:	how long ago
 */
struct ipcdemo_fault {
	__u64 page;
	char access[8];
	pid_t pid;
	char command[32];
	double seconds;
};

/**
 * struct ipcdemo_word_waiter - a task that waits for a word of a region
 * @offset:	where the word is, in bytes
 * @task:	who, since when
 */
struct ipcdemo_word_waiter {
	__u64 offset;
	struct ipcdemo_waiter task;
};

/**
 * struct ipcdemo_wake_up - who woke whom
 * @offset:	the word
 * @waker:	process id, 0 if it is not visible from here
 * @waker_command: its command
 * @woken:	likewise
 * @woken_command: its command
 * @waited:	for how long it had waited, seconds
 * @seconds:	how long ago it was woken
 */
struct ipcdemo_wake_up {
	__u64 offset;
	pid_t waker;
	char waker_command[32];
	pid_t woken;
	char woken_command[32];
	double waited;
	double seconds;
};

/**
 * struct ipcdemo_lock_owner - a process that holds locks in a region
 * @owner:	its number in lock words
 * @pid:	its process id, 0 if it is not visible from here
 * @command:	its command
 * @offset:	where its table is
 * @entries:	how many entries that has
 */
struct ipcdemo_lock_owner {
	__u32 owner;
	pid_t pid;
	char command[32];
	__u64 offset;
	__u32 entries;
};

/**
 * struct ipcdemo_bound_eventfd - an eventfd that a word signals
 * @offset:	the word
 * @pid:	who bound it, 0 if it is not visible from here
 * @command:	its command
 */
struct ipcdemo_bound_eventfd {
	__u64 offset;
	pid_t pid;
	char command[32];
};

/**
 * struct ipcdemo_region_view - /proc/ipcdemo/region/ID
 */
struct ipcdemo_region_view {
	__u32 id;
	char *name;
	__u32 owner;
	char mode[16];
	__u64 size;
	__u64 pages;
	__u32 files;
	__u32 maps;
	__u64 page_size;
	char seals[32];
	char dev[32]; /* "-": it has no inode of its own */
	__u64 ino;

	size_t ncounters;
	struct ipcdemo_counter *counters;
	size_t nruns;
	struct ipcdemo_run *runs;
	size_t nfaults;
	struct ipcdemo_fault *faults;
	size_t nwaiters;
	struct ipcdemo_word_waiter *waiters;
	size_t nwakes;
	struct ipcdemo_wake_up *wakes;
	size_t nowners;
	struct ipcdemo_lock_owner *owners;
	size_t neventfds;
	struct ipcdemo_bound_eventfd *eventfds;
};

int ipcdemo_region_view(struct ipcdemo *ipc, __u32 id,
			struct ipcdemo_region_view *view);
void ipcdemo_region_view_free(struct ipcdemo_region_view *view);

/**
 * ipcdemo_region_block - one of the tables of /proc/ipcdemo/region/ID
 * @first:	the name of its first column
 * @last:	the name of its last one
 *
 * Return: 0; -ENOENT: no such region, or the module has no such table.
 */
int ipcdemo_region_block(struct ipcdemo *ipc, __u32 id, const char *first,
			 const char *last, struct ipcdemo_table *table);

/* The trace of an event, or NULL if it has not happened. */
const struct ipcdemo_trace *ipcdemo_trace(const struct ipcdemo_pipe_view *view,
					  const char *event);

/* How many tasks of a view wait at a point. */
size_t ipcdemo_waiting(const struct ipcdemo_pipe_view *view, const char *point);

/* What a view's counter of that name says; 0 if there is none. */
__u64 ipcdemo_count(const struct ipcdemo_counter *counters, size_t n,
		    const char *point);

/**
 * struct ipcdemo_map - one mapping of a region
 * @pid:	whose
 * @command:	its command
 * @start:	the first address
 * @end:	the first address after it
 * @offset:	where in the region it begins
 * @perms:	as in /proc/PID/maps, "rw-s" for one
 */
struct ipcdemo_map {
	pid_t pid;
	char command[32];
	__u64 start;
	__u64 end;
	__u64 offset;
	char perms[8];
};

/**
 * struct ipcdemo_maps - who maps a region
 * @n:		how many mappings were found
 * @map:	these
 * @hidden:	processes that this user may not look into
 */
struct ipcdemo_maps {
	size_t n;
	struct ipcdemo_map *map;
	size_t hidden;
};

/* From the /proc/PID/maps of all processes that may be read. */
int ipcdemo_region_maps(struct ipcdemo *ipc,
			const struct ipcdemo_region_view *region,
			struct ipcdemo_maps *maps);
void ipcdemo_maps_free(struct ipcdemo_maps *maps);

/**
 * struct ipcdemo_end - a descriptor of an end of a pipe
 * @id:		of which pipe
 * @pid:	whose
 * @command:	its command
 * @fd:		the number of the descriptor
 * @end:	"read", "write" or "both"
 */
struct ipcdemo_end {
	__u32 id;
	pid_t pid;
	char command[32];
	int fd;
	char end[8];
};

/**
 * struct ipcdemo_ends - who has a pipe open
 * @n:		how many descriptors were found
 * @end:	these, by id, then by pid; an open file that was inherited or duplicated has
 *		several
 * @hidden:	processes that this user may not look into
 */
struct ipcdemo_ends {
	size_t n;
	struct ipcdemo_end *end;
	size_t hidden;
};

/*
 * From the /proc/PID/fdinfo of all processes that may be read: the ends of one
 * pipe, or with the id 0 of all.
 */
int ipcdemo_pipe_ends(struct ipcdemo *ipc, __u32 id, struct ipcdemo_ends *ends);
void ipcdemo_ends_free(struct ipcdemo_ends *ends);

#ifdef __cplusplus
}
#endif

#endif /* IPCDEMO_ACCESS_H */

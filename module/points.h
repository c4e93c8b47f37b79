/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The points: every step that an operation takes has a name
 *
 * This table is the one vocabulary.  The counters of an object, the rows of
 * /proc/ipcdemo/points and /proc/ipcdemo/{pipe,region}/ID, netlink, the gates,
 * the tracepoints, the docs and the tests all use these names; no second list may
 * grow beside it.
 *
 *	X(symbol, token, "name", kind, unit, hold, "what is true there")
 *
 * token	the name with _ for its dot: what the tracepoint is called (trace.h).
 * kind	PIPE or REGION, the object that the point belongs to.
 * unit	what the counter of the object adds up here, always: calls, bytes, slots,
 *	pages, tasks, faults or maps; "-" if the object has no counter for it.
 * hold	whether a gate can hold a task here (gate.h):
 *	NO	never: a lock that must not be slept with is held, or the task
 *		is about to sleep anyway
 *	KILL	yes; it leaves when it is killed
 *	SIGNAL	yes; it leaves on any signal, as from the sleep that is next
 */
#ifndef IPCDEMO_POINTS_H
#define IPCDEMO_POINTS_H

#define IPC_POINTS(X)                                                                    \
	X(PIPE_NEW, pipe_new, "pipe.new", PIPE, "-", NO,                                 \
	  "a pipe can be found by its id")                                               \
	X(PIPE_GONE, pipe_gone, "pipe.gone", PIPE, "-", NO,                              \
	  "a pipe cannot be found by its id any more")                                   \
	X(OPEN_ENTER, open_enter, "open.enter", PIPE, "calls", KILL,                     \
	  "an open has begun; it has no lock and is not counted as reader or writer")    \
	X(OPEN_LOCK, open_lock, "open.lock", PIPE, "-", NO,                              \
	  "somebody else has the mutex: the open waits for it")                          \
	X(OPEN_LOCKED, open_locked, "open.locked", PIPE, "-", KILL,                      \
	  "the open has the mutex and has looked at nothing yet")                        \
	X(OPEN_WAIT, open_wait, "open.wait", PIPE, "calls", KILL,                        \
	  "the end is counted, the other side has nobody: the mutex is given back next") \
	X(OPEN_QUEUE, open_queue, "open.queue", PIPE, "-", KILL,                         \
	  "the open stands on the queue; it has not looked again since")                 \
	X(OPEN_CHECK, open_check, "open.check", PIPE, "-", SIGNAL,                       \
	  "the open has looked without the mutex: nobody came, it will sleep")           \
	X(OPEN_SLEEP, open_sleep, "open.sleep", PIPE, "-", NO,                           \
	  "the open is asleep, or was woken a moment ago")                               \
	X(OPEN_LEAVE, open_leave, "open.leave", PIPE, "-", KILL,                         \
	  "the open has a signal and will leave the queue; it can still be woken")       \
	X(OPEN_WOKEN, open_woken, "open.woken", PIPE, "-", KILL,                         \
	  "the open runs again and left the queue; it has no lock")                      \
	X(OPEN_DONE, open_done, "open.done", PIPE, "calls", KILL,                        \
	  "the end is open and counted; the mutex is held")                              \
	X(OPEN_RETURN, open_return, "open.return", PIPE, "-", KILL,                      \
	  "the open has its result and no lock")                                         \
	X(READ_ENTER, read_enter, "read.enter", PIPE, "calls", KILL,                     \
	  "a read has begun; it has no lock")                                            \
	X(READ_LOCK, read_lock, "read.lock", PIPE, "-", NO,                              \
	  "somebody else has the mutex: the read waits for it")                          \
	X(READ_LOCKED, read_locked, "read.locked", PIPE, "-", KILL,                      \
	  "the read has the mutex and has looked at nothing yet")                        \
	X(READ_LOOK, read_look, "read.look", PIPE, "-", KILL,                            \
	  "head and tail are loaded: it is decided whether there are bytes")             \
	X(READ_COPY, read_copy, "read.copy", PIPE, "bytes", KILL,                        \
	  "bytes of the tail slot have reached the reader; the slot has them still")     \
	X(READ_DROP, read_drop, "read.drop", PIPE, "bytes", KILL,                        \
	  "the rest of a packet did not fit: it will be dropped")                        \
	X(READ_RELEASE, read_release, "read.release", PIPE, "slots", KILL,               \
	  "the tail slot is drained: tail has moved on")                                 \
	X(READ_WAIT, read_wait, "read.wait", PIPE, "calls", KILL,                        \
	  "the ring is empty and has a writer: the mutex is given back next")            \
	X(READ_QUEUE, read_queue, "read.queue", PIPE, "-", KILL,                         \
	  "the reader stands on the queue; it has not looked again since")               \
	X(READ_CHECK, read_check, "read.check", PIPE, "-", SIGNAL,                       \
	  "the reader has looked without the mutex: still empty, it will sleep")         \
	X(READ_SLEEP, read_sleep, "read.sleep", PIPE, "-", NO,                           \
	  "the reader is asleep, or was woken a moment ago")                             \
	X(READ_LEAVE, read_leave, "read.leave", PIPE, "-", KILL,                         \
	  "the reader has a signal and will leave the queue; it can still be woken")     \
	X(READ_WOKEN, read_woken, "read.woken", PIPE, "tasks", KILL,                     \
	  "the reader runs again and left the queue; it has no lock")                    \
	X(READ_EOF, read_eof, "read.eof", PIPE, "calls", KILL,                           \
	  "the ring is empty and has no writer: the read returns 0")                     \
	X(READ_UNLOCK, read_unlock, "read.unlock", PIPE, "-", KILL,                      \
	  "whom to wake is decided; the mutex is given back next")                       \
	X(READ_RETURN, read_return, "read.return", PIPE, "-", KILL,                      \
	  "the read has its result and no lock")                                         \
	X(WRITE_ENTER, write_enter, "write.enter", PIPE, "calls", KILL,                  \
	  "a write has begun; it has no lock")                                           \
	X(WRITE_LOCK, write_lock, "write.lock", PIPE, "-", NO,                           \
	  "somebody else has the mutex: the write waits for it")                         \
	X(WRITE_LOCKED, write_locked, "write.locked", PIPE, "-", KILL,                   \
	  "the write has the mutex and has looked at nothing yet")                       \
	X(WRITE_LOOK, write_look, "write.look", PIPE, "-", KILL,                         \
	  "head and tail are loaded: it is decided whether a slot is free")              \
	X(WRITE_MERGE, write_merge, "write.merge", PIPE, "calls", KILL,                  \
	  "the bytes are behind those of the last slot, and not counted there yet")      \
	X(WRITE_COPY, write_copy, "write.copy", PIPE, "bytes", KILL,                     \
	  "bytes of the writer are in a page; no reader can see them yet")               \
	X(WRITE_PUBLISH, write_publish, "write.publish", PIPE, "slots", KILL,            \
	  "a new slot is filled: head has moved on")                                     \
	X(WRITE_WAIT, write_wait, "write.wait", PIPE, "calls", KILL,                     \
	  "the ring is full and has a reader: the mutex is given back next")             \
	X(WRITE_QUEUE, write_queue, "write.queue", PIPE, "-", KILL,                      \
	  "the writer stands on the queue; it has not looked again since")               \
	X(WRITE_CHECK, write_check, "write.check", PIPE, "-", SIGNAL,                    \
	  "the writer has looked without the mutex: still full, it will sleep")          \
	X(WRITE_SLEEP, write_sleep, "write.sleep", PIPE, "-", NO,                        \
	  "the writer is asleep, or was woken a moment ago")                             \
	X(WRITE_LEAVE, write_leave, "write.leave", PIPE, "-", KILL,                      \
	  "the writer has a signal and will leave the queue; it can still be woken")     \
	X(WRITE_WOKEN, write_woken, "write.woken", PIPE, "tasks", KILL,                  \
	  "the writer runs again and left the queue; it has no lock")                    \
	X(WRITE_EPIPE, write_epipe, "write.epipe", PIPE, "calls", KILL,                  \
	  "there is no reader: the write raises SIGPIPE")                                \
	X(WRITE_UNLOCK, write_unlock, "write.unlock", PIPE, "-", KILL,                   \
	  "whom to wake is decided; the mutex is given back next")                       \
	X(WRITE_RETURN, write_return, "write.return", PIPE, "-", KILL,                   \
	  "the write has its result and no lock")                                        \
	X(WAKE_READERS, wake_readers, "wake.readers", PIPE, "calls", KILL,               \
	  "a wake-up goes to the readers' queue next")                                   \
	X(WAKE_WRITERS, wake_writers, "wake.writers", PIPE, "calls", KILL,               \
	  "a wake-up goes to the writers' queue next")                                   \
	X(WAKE_OPENERS, wake_openers, "wake.openers", PIPE, "calls", KILL,               \
	  "a wake-up goes next to those who wait in open")                               \
	X(WAKE_TASK, wake_task, "wake.task", PIPE, "-", NO,                              \
	  "a wake-up has chosen this waiter; its task is made runnable next")            \
	X(PAGE_ALLOC, page_alloc, "page.alloc", PIPE, "pages", KILL,                     \
	  "a slot got a page from the kernel")                                           \
	X(PAGE_REUSE, page_reuse, "page.reuse", PIPE, "pages", KILL,                     \
	  "a slot is filled again in the page that it kept")                             \
	X(PAGE_GIVE, page_give, "page.give", PIPE, "pages", NO,                          \
	  "a page went, with its bytes, into another pipe")                              \
	X(PAGE_TAKE, page_take, "page.take", PIPE, "pages", NO,                          \
	  "a page came, with its bytes, from another pipe, a file or a process")         \
	X(TEE_COPY, tee_copy, "tee.copy", PIPE, "bytes", NO,                             \
	  "bytes were put into another pipe, too, and stay in the ring")                 \
	X(PAGE_FREE, page_free, "page.free", PIPE, "pages", NO,                          \
	  "a page went back to the kernel")                                              \
	X(RING_FULL, ring_full, "ring.full", PIPE, "-", NO,                              \
	  "the last free slot is filled")                                                \
	X(RING_EMPTY, ring_empty, "ring.empty", PIPE, "-", NO,                           \
	  "the last byte is taken")                                                      \
	X(POLL_ENTER, poll_enter, "poll.enter", PIPE, "calls", NO,                       \
	  "a poll, select or epoll asks for the state")                                  \
	X(POLL_LOOK, poll_look, "poll.look", PIPE, "-", NO,                              \
	  "the state was loaded without the mutex: the answer is decided")               \
	X(RESIZE_ENTER, resize_enter, "resize.enter", PIPE, "-", KILL,                   \
	  "a resize has begun; it has no lock")                                          \
	X(RESIZE_LOCK, resize_lock, "resize.lock", PIPE, "-", NO,                        \
	  "somebody else has the mutex: the resize waits for it")                        \
	X(RESIZE_LOCKED, resize_locked, "resize.locked", PIPE, "-", KILL,                \
	  "the resize has the mutex; nothing has changed yet")                           \
	X(RESIZE_DONE, resize_done, "resize.done", PIPE, "calls", KILL,                  \
	  "the new number of slots is in force; nobody is woken yet")                    \
	X(RESIZE_UNLOCK, resize_unlock, "resize.unlock", PIPE, "-", KILL,                \
	  "writers are woken; the mutex is given back next")                             \
	X(RESIZE_RETURN, resize_return, "resize.return", PIPE, "-", KILL,                \
	  "the resize has its result and no lock")                                       \
	X(PEEK_COPY, peek_copy, "peek.copy", PIPE, "bytes", NO,                          \
	  "bytes were shown and stay in the ring")                                       \
	X(OTHER_LOCK, other_lock, "other.lock", PIPE, "-", NO,                           \
	  "FIONREAD, a peek, O_ASYNC or a change of persistence waits for the mutex")    \
	X(OTHER_LOCKED, other_locked, "other.locked", PIPE, "-", KILL,                   \
	  "such a call has the mutex; nothing has changed yet")                          \
	X(CLOSE_ENTER, close_enter, "close.enter", PIPE, "-", KILL,                      \
	  "the last descriptor of an open file is gone: its end will be closed")         \
	X(CLOSE_LOCK, close_lock, "close.lock", PIPE, "-", NO,                           \
	  "somebody else has the mutex: the close waits for it")                         \
	X(CLOSE_LOCKED, close_locked, "close.locked", PIPE, "-", KILL,                   \
	  "the close has the mutex; the end is counted still")                           \
	X(CLOSE_LAST_READER, close_last_reader, "close.last_reader", PIPE,               \
	  "calls", KILL, "the last read end is gone; nobody is woken yet")               \
	X(CLOSE_LAST_WRITER, close_last_writer, "close.last_writer", PIPE,               \
	  "calls", KILL, "the last write end is gone; nobody is woken yet")              \
	X(CLOSE_DROP, close_drop, "close.drop", PIPE, "bytes", NO,                       \
	  "nobody has the pipe open: the bytes left in it are dropped")                  \
	X(CLOSE_UNLOCK, close_unlock, "close.unlock", PIPE, "-", KILL,                   \
	  "everybody is woken; the mutex is given back next")                            \
	X(CLOSE_RETURN, close_return, "close.return", PIPE, "-", KILL,                   \
	  "the close is over; it has no lock")                                           \
	X(REGION_NEW, region_new, "region.new", REGION, "-", NO,                         \
	  "a region can be found by its id")                                             \
	X(REGION_GONE, region_gone, "region.gone", REGION, "-", NO,                      \
	  "a region cannot be found by its id any more")                                 \
	X(MAP_NEW, map_new, "map.new", REGION, "maps", NO,                               \
	  "a process has mapped the region, or a part of a mapping split off")           \
	X(MAP_FAULT, map_fault, "map.fault", REGION, "faults", KILL,                     \
	  "a touched page is not in the process's page table yet")                       \
	X(MAP_GONE, map_gone, "map.gone", REGION, "maps", NO,                            \
	  "a mapping is gone")                                                           \
	X(REGION_READ, region_read, "region.read", REGION, "bytes", NO,                  \
	  "bytes were read from the region with read or pread")                          \
	X(REGION_WRITE, region_write, "region.write", REGION, "bytes", NO,               \
	  "bytes were written to the region with write or pwrite")                       \
	X(WORD_ENTER, word_enter, "word.enter", REGION, "calls", KILL,                   \
	  "a wait for a word has begun; it has compared nothing yet")                    \
	X(WORD_DIFFERS, word_differs, "word.differs", REGION, "calls", KILL,             \
	  "the word is not what the caller expects: the wait returns EAGAIN")            \
	X(WORD_WAIT, word_wait, "word.wait", REGION, "calls", SIGNAL,                    \
	  "the word is as expected and the waiter on the queue: it will sleep")          \
	X(WORD_SLEEP, word_sleep, "word.sleep", REGION, "-", NO,                         \
	  "the waiter is asleep, or was woken a moment ago")                             \
	X(WORD_LEAVE, word_leave, "word.leave", REGION, "-", KILL,                       \
	  "not woken so far, it will leave the queue; it can still be woken")            \
	X(WORD_WOKEN, word_woken, "word.woken", REGION, "tasks", KILL,                   \
	  "a wake-up chose the waiter, and it left the queue")                           \
	X(WORD_TIMEOUT, word_timeout, "word.timeout", REGION, "calls", KILL,             \
	  "the deadline passed, and the waiter left the queue")                          \
	X(WORD_SIGNAL, word_signal, "word.signal", REGION, "calls", KILL,                \
	  "a signal came, and the waiter left the queue")                                \
	X(WORD_WAKE, word_wake, "word.wake", REGION, "calls", KILL,                      \
	  "a wake-up goes next to those who wait for a word")                            \
	X(WORD_TASK, word_task, "word.task", REGION, "-", NO,                            \
	  "a wake-up has chosen this waiter; its task is made runnable next")            \
	X(WORD_EVENT, word_event, "word.event", REGION, "calls", NO,                     \
	  "a wake-up has signalled an eventfd that is bound to the word")                \
	X(OWNER_NEW, owner_new, "owner.new", REGION, "calls", KILL,                      \
	  "a process is registered as one that holds locks")                             \
	X(OWNER_DIED, owner_died, "owner.died", REGION, "calls", NO,                     \
	  "the last mapping of such a process is gone: its locks are looked at")

#define IPC_POINT_ENUM(symbol, token, name, kind, unit, hold, sentence) \
	IPC_##symbol,
enum ipc_point { IPC_POINTS(IPC_POINT_ENUM) IPC_NR_POINTS };
#undef IPC_POINT_ENUM

#endif /* IPCDEMO_POINTS_H */

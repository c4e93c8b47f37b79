/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The points: every step that an operation takes has a name
 *
 * This table is the one vocabulary.  The counters of an object, the rows of
 * /proc/ipcdemo/{pipe,region}/ID, the docs and the tests all use these names;
 * no second list may grow beside it.
 *
 *	X(symbol, "name", kind, unit, "what is true there, and what is counted")
 *
 * kind is PIPE or REGION, the object that the point belongs to.  unit says
 * what the object's counter adds up: calls, bytes, slots, pages, tasks, faults
 * or maps.
 */
#ifndef IPCDEMO_POINTS_H
#define IPCDEMO_POINTS_H

#define IPC_POINTS(X)                                                          \
	X(OPEN_ENTER, "open.enter", PIPE, "calls",                             \
	  "an end is being opened; it is not counted as reader or writer yet") \
	X(OPEN_WAIT, "open.wait", PIPE, "calls",                               \
	  "the other side has nobody: the open goes to sleep")                 \
	X(OPEN_DONE, "open.done", PIPE, "calls",                               \
	  "the end is open and counted")                                       \
	X(READ_ENTER, "read.enter", PIPE, "calls",                             \
	  "a read has the pipe's mutex and looks at the ring")                 \
	X(READ_COPY, "read.copy", PIPE, "bytes",                               \
	  "bytes of the tail slot have reached the reader")                    \
	X(READ_RELEASE, "read.release", PIPE, "slots",                         \
	  "the tail slot is drained: tail has moved on")                       \
	X(READ_WAIT, "read.wait", PIPE, "calls",                               \
	  "the ring is empty and has a writer: the read goes to sleep")        \
	X(READ_WOKEN, "read.woken", PIPE, "tasks",                             \
	  "a sleeping reader was chosen by a wake-up and runs again")          \
	X(READ_EOF, "read.eof", PIPE, "calls",                                 \
	  "the ring is empty and has no writer: the read returns 0")           \
	X(WRITE_ENTER, "write.enter", PIPE, "calls",                           \
	  "a write has the pipe's mutex and looks at the ring")                \
	X(WRITE_MERGE, "write.merge", PIPE, "calls",                           \
	  "the bytes fitted behind those of the last slot: no new slot")       \
	X(WRITE_COPY, "write.copy", PIPE, "bytes",                             \
	  "bytes of the writer are in a page; readers may take them")          \
	X(WRITE_PUBLISH, "write.publish", PIPE, "slots",                       \
	  "a new slot is filled: head has moved on")                           \
	X(WRITE_WAIT, "write.wait", PIPE, "calls",                             \
	  "the ring is full and has a reader: the write goes to sleep")        \
	X(WRITE_WOKEN, "write.woken", PIPE, "tasks",                           \
	  "a sleeping writer was chosen by a wake-up and runs again")          \
	X(WRITE_EPIPE, "write.epipe", PIPE, "calls",                           \
	  "there is no reader: the write raises SIGPIPE")                      \
	X(WAKE_READERS, "wake.readers", PIPE, "calls",                         \
	  "a wake-up goes to the readers' queue")                              \
	X(WAKE_WRITERS, "wake.writers", PIPE, "calls",                         \
	  "a wake-up goes to the writers' queue")                              \
	X(WAKE_OPENERS, "wake.openers", PIPE, "calls",                         \
	  "a wake-up goes to those who wait in open")                          \
	X(PAGE_ALLOC, "page.alloc", PIPE, "pages",                             \
	  "a slot got a page from the kernel")                                 \
	X(PAGE_REUSE, "page.reuse", PIPE, "pages",                             \
	  "a slot is filled again in the page that it kept")                   \
	X(PAGE_FREE, "page.free", PIPE, "pages",                               \
	  "a page went back to the kernel")                                    \
	X(POLL_ENTER, "poll.enter", PIPE, "calls",                             \
	  "a poll, select or epoll has asked for the state")                   \
	X(RESIZE_DONE, "resize.done", PIPE, "calls",                           \
	  "the new number of slots is in force; nobody is woken yet")          \
	X(PEEK_COPY, "peek.copy", PIPE, "bytes",                               \
	  "bytes were shown and stay in the ring")                             \
	X(CLOSE_LAST_READER, "close.last_reader", PIPE, "calls",               \
	  "the last read end is gone")                                         \
	X(CLOSE_LAST_WRITER, "close.last_writer", PIPE, "calls",               \
	  "the last write end is gone")                                        \
	X(CLOSE_DROP, "close.drop", PIPE, "bytes",                             \
	  "nobody has the pipe open: the bytes left in it are dropped")        \
	X(MAP_NEW, "map.new", REGION, "maps",                                  \
	  "a process has mapped the region, or a part of a mapping split off") \
	X(MAP_FAULT, "map.fault", REGION, "faults",                            \
	  "a touched page was not in the process's page table yet")            \
	X(MAP_GONE, "map.gone", REGION, "maps", "a mapping is gone")           \
	X(REGION_READ, "region.read", REGION, "bytes",                         \
	  "bytes were read from the region with read or pread")                \
	X(REGION_WRITE, "region.write", REGION, "bytes",                       \
	  "bytes were written to the region with write or pwrite")

#define IPC_POINT_ENUM(symbol, name, kind, unit, sentence) IPC_##symbol,
enum ipc_point { IPC_POINTS(IPC_POINT_ENUM) IPC_NR_POINTS };
#undef IPC_POINT_ENUM

#endif /* IPCDEMO_POINTS_H */

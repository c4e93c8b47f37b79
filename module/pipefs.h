/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Anonymous pipes: inodes without a name, on a file system that nobody mounts
 *
 * Ownership.  The inode of an anonymous pipe owns the pipe, and each of its files
 * holds the inode by way of a dentry; so the pipe goes with its last file,
 * wherever that was opened, sent or inherited.  The internal mount exists while
 * there are such files, or control descriptors that have made pipes: one that
 * existed always would keep the module.
 */
#ifndef IPCDEMO_PIPEFS_H
#define IPCDEMO_PIPEFS_H

#include <linux/types.h>

struct file;

/**
 * ipc_pipefs_create() - what pipe2(2) does, up to the descriptors
 * @files:	out: the read end, the write end
 * @flags:	O_NONBLOCK for both, O_DIRECT for the write end
 * @capacity:	bytes, by the rules of F_SETPIPE_SZ; 0: what pipe2 gives
 *
 * Context: may sleep.
 * Return: 0, -ENFILE (the file table or a limit of the user), -ENOMEM, and what
 * ipc_pipe_resize() returns of @capacity.
 */
int ipc_pipefs_create(struct file *files[2], unsigned int flags, u64 capacity);

/*
 * A file of an anonymous pipe has a share in the mount, from its opening to its
 * release; a control descriptor, from its first pipe on.  May sleep.  Return: 0 or
 * -errno.
 */
int ipc_pipefs_pin(void);
void ipc_pipefs_unpin(void);

#endif /* IPCDEMO_PIPEFS_H */

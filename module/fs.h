/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ipcdemofs: a file system whose FIFOs are our pipes, its regular files our regions
 *
 *	mount -t ipcdemofs none DIR; mkfifo DIR/q; truncate -s 1M DIR/r
 *
 * Names, directories, owners and permissions are those of any file system in
 * memory; only what a FIFO or a regular file does when it is open is ours.
 *
 * Ownership.  The inode of a FIFO owns its pipe from mknod(2) on, that of a
 * regular file its region from its making on; the object goes with the last name,
 * open file and mapping, or with the mount.
 */
#ifndef IPCDEMO_FS_H
#define IPCDEMO_FS_H

/*
 * From here on it can be mounted.  Comes after the last step that may fail: who
 * mounts must not be left with a module that goes back.  That another module has
 * taken the name is said in the log, and the rest works without.  May sleep.
 */
void ipc_fs_init(void);

/* The reverse.  Nothing is mounted. */
void ipc_fs_exit(void);

#endif /* IPCDEMO_FS_H */

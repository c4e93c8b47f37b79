/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ipcdemofs: a file system whose FIFOs are our pipes
 *
 *	mount -t ipcdemofs none DIR; mkfifo DIR/q
 *
 * Names, directories, owners and permissions are those of any file system in
 * memory; only what a FIFO does when it is open is ours.
 *
 * Ownership.  The inode of a FIFO owns its pipe from mknod(2) on, and it goes
 * with the last name and the last open file, or with the mount.
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

/* The file system as an environment sees it, in mounts of its own: made in the child between clone
 * and exec, by system calls only. Each returns 0 or an errno. */
#ifndef FNSCOPE_EXECUTOR_SANDBOX_MOUNTS_H
#define FNSCOPE_EXECUTOR_SANDBOX_MOUNTS_H

#include "executor/sandbox.h"

/* Its processes in /proc, which nobody can write: settings of the kernel are files there, and
 * belong to root with and without capabilities. */
int mounts_open(const struct sandbox *s);
/* The scratch folder as /tmp, and in it the folders that stay. */
int mounts_private_tmp(const struct sandbox *s);
/* The folders that are not writable, and /sys. A function that root runs loses sight of what only
 * the owner root may read in /proc. */
int mounts_read_only(const struct sandbox *s);

#endif

/* What the processes of an environment that are not its program hold in memory. */
#ifndef FNSCOPE_EXECUTOR_PROCESS_TREE_H
#define FNSCOPE_EXECUTOR_PROCESS_TREE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_TREE_MAX 256 /* processes that are looked at */

struct process_tree {
    pid_t pids[PROCESS_TREE_MAX]; /* the program first */
    size_t n;
};

/* The descendants of the program and those of init (0: none), which adopts orphans; init itself is
 * left out. Of /proc/PID/task/TID/children (proc(5)): where the kernel lacks that, only the program
 * is found. */
void process_tree_find(pid_t program, pid_t init, struct process_tree *out);
/* Bytes: resident pages, a shared one in each (quick), or a shared one in parts (Pss; walks all
 * pages). 0 for those that cannot be read. */
uint64_t process_tree_resident(const struct process_tree *t);
uint64_t process_tree_proportional(const struct process_tree *t);

#endif

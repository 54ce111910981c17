/* System calls a function has no business with, refused with EPERM by a filter in the kernel: those
 * that change the machine (mounts, modules, clocks, swap), look into other processes or reach parts
 * of the kernel known for holes. What the runtimes use stays: this is a list of refusals, so that a
 * new libc does not break a function. Of clone(2) what makes namespaces is refused: in one of users
 * it would have capabilities again. clone3(2), whose flags a filter cannot see, is not there
 * (ENOSYS), and C libraries use the other. */
#ifndef FNSCOPE_EXECUTOR_SYSCALL_FILTER_H
#define FNSCOPE_EXECUTOR_SYSCALL_FILTER_H

/* For this thread and all it starts, for good. In the child between clone and exec: no memory, no
 * locks. 0, or errno: EACCES without no_new_privs or root, EINVAL where the kernel has no filters,
 * ENOSYS on a machine type the list was not written for. */
int syscall_filter_enter(void);

#endif

/* The first process of an environment's process tree: a program of a few machine instructions that
 * waits for ever. It stands there so that the function does not: the kernel takes from a process
 * with the number 1 every signal it sends itself, and Lambda's runtimes are not number 1 either.
 * It adopts what the function leaves behind, and its end is the end of all of them.
 *
 * Its parent sees to it that SIGCHLD is ignored, so the adopted vanish when they end. */
#ifndef FNSCOPE_EXECUTOR_PID_ONE_H
#define FNSCOPE_EXECUTOR_PID_ONE_H

/* The program as a file in memory, for execveat(); the caller closes it. -1 with errno set. */
int pid_one_open(void);

#endif

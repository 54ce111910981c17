/* Starting processes, without ever copying this one: the child shares our memory until it runs its
 * program (as vfork does), so the cost does not grow with fnexec. The only file that starts any. */
#ifndef FNSCOPE_EXECUTOR_SPAWN_H
#define FNSCOPE_EXECUTOR_SPAWN_H

#include <sys/types.h>

#include "executor/cgroup.h"
#include "executor/sandbox.h"

/* Where the child finds the pipe it reads and the one it writes. */
enum { SPAWN_REQUESTS_FD = 3, SPAWN_ANSWERS_FD = 4 };

struct spawn_request {
    char *const *argv; /* argv[0] is a path */
    char *const *envp;
    const char *folder;            /* to run in; NULL: ours */
    int requests_fd, answers_fd;   /* become descriptors 3 and 4; -1: none */
    int output_fd;                 /* becomes stdout and stderr; -1: both are /dev/null */
    const struct sandbox *sandbox; /* NULL: none */
    const struct cgroup *cgroup;   /* entered first; NULL: none */
    int errnum;                    /* set on failure */
};

struct spawned {
    pid_t pid; /* 0 once it is reaped */
    int pidfd; /* readable when the process ended; the caller closes it (spawn_reap does) */
    /* In namespaces: the first of its process tree, a child of ours as well. It stays when the
     * program ends; killed, it is done when all of the tree is. */
    pid_t init;       /* 0: none */
    int init_pidfd;   /* -1: none */
    long our_peak_kb; /* when it was started: the kernel counts it as the child's */
};

/* ERR_CONFIG for a program that cannot be run, ERR_IO for a sandbox step or the machine. */
MUST_CHECK enum status spawn(struct spawn_request *rq, struct spawned *out, struct err *e);
/* Signals the child and all of its process group. */
void spawn_signal(const struct spawned *p, int signo);

struct spawn_end {
    int code;               /* exit status; -1 when a signal ended it */
    int signo;              /* 0 when it exited */
    uint64_t max_rss_bytes; /* 0: not known, it stayed below our own peak at its start */
};
/* Waits for a child that has ended or is about to, ends what is left of its process tree, waits for
 * that as well, and closes the descriptors. */
struct spawn_end spawn_reap(struct spawned *p);
/* The same in two parts, for whoever must not stand still in between: the program, after which the
 * tree is ending and init_pidfd tells when it is gone (-1: there is none); then the tree. */
struct spawn_end spawn_reap_program(struct spawned *p);
void spawn_reap_tree(struct spawned *p);

/* Closes a descriptor, unless it is -1; it is -1 afterwards. */
void fd_close(int *fd);

/* "exit status 1", "signal: killed", "signal: signal 31": as Lambda's runtime errors name it. */
struct str spawn_end_text(const struct spawn_end *end, char *room, size_t n);

#endif

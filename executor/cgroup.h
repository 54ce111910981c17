/* Memory and number of processes of an environment, limited by the kernel: cgroup v2 where a
 * subtree with both controllers is ours (systemd's Delegate=yes), else v1. For functions that ask
 * for it
 * (`memory_limit: cgroup`): entering a group waits for all processors and costs a cold start tens
 * of milliseconds; the others are watched (instance.c). Where neither is there, `fnexec doctor`
 * says why, and such a function does not start. */
#ifndef FNSCOPE_EXECUTOR_CGROUP_H
#define FNSCOPE_EXECUTOR_CGROUP_H

#include "core/base/err.h"
#include "core/base/str.h"

enum cgroup_version { CGROUP_NONE, CGROUP_V1, CGROUP_V2 };
enum {
    CGROUP_FOLDERS = 2, /* memory and pids; one and the same in v2 */
    CGROUP_PATH = 256,
};

/* Where groups are made. */
struct cgroup_place {
    enum cgroup_version version;
    char folders[CGROUP_FOLDERS][CGROUP_PATH];
    size_t n;
    char why_not[CGROUP_PATH]; /* CGROUP_NONE */
};

/* root: "/sys/fs/cgroup"; own: the text of /proc/self/cgroup. Asks, makes nothing. */
void cgroup_find(const char *root, struct str own, struct cgroup_place *out);
/* The same of this process. */
void cgroup_find_own(struct cgroup_place *out);
/* Removes the groups whose fnexec is dead: it was killed, and what it ran may still be ending,
 * which takes this as long (500 ms at most). What goes on keeps its group, and is told in the log.
 * Before the first cgroup_make(). */
void cgroup_remove_dead(const struct cgroup_place *at);

struct cgroup {
    enum cgroup_version version;
    char folders[CGROUP_FOLDERS][CGROUP_PATH];
    size_t n;                      /* 0: no group */
    int enter_fds[CGROUP_FOLDERS]; /* a process that writes "0" there is in it */
};

/* Makes a group. v2: the first time, this process moves to a group of its own below, or none could
 * have limits. */
MUST_CHECK enum status cgroup_make(const struct cgroup_place *at, struct str name,
                                   uint64_t memory_bytes, struct cgroup *out, struct err *e);
/* In the child between clone and exec. 0 or an errno. */
int cgroup_enter(const struct cgroup *g);
void cgroup_close(struct cgroup *g); /* the descriptors; the group stays */
bool cgroup_had_oom(const struct cgroup *g);
/* Its program has ended: kills what else is in it, waits for that (500 ms at most), removes it. A
 * folder that is still in use stays for the next call. */
void cgroup_remove(struct cgroup *g);

#endif

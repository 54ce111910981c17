/* How a function's process is fenced off from the machine, and from fnexec's own time on it. Each
 * step is one row of a table; what this machine allows is found out (sandbox_probe) when a process
 * cannot be started with all of them, and told by `fnexec doctor`. The steps run in the child
 * between clone and exec: system calls only, no memory, no locks. */
#ifndef FNSCOPE_EXECUTOR_SANDBOX_H
#define FNSCOPE_EXECUTOR_SANDBOX_H

#include "core/base/err.h"
#include "core/base/str.h"

enum sandbox_step {
    SANDBOX_SESSION,      /* own session and process group: killed as one */
    SANDBOX_PARENT_DEATH, /* ends when fnexec ends, however it ends */
    SANDBOX_RLIMITS,      /* descriptors, file size, no core files */
    SANDBOX_NO_NEW_PRIVS, /* set-user-id programs gain nothing */
    SANDBOX_SYSCALLS,     /* system calls of administrators are refused (EPERM) */
    SANDBOX_NAMESPACES,   /* own processes, mounts, host name, IPC; the end of it ends all in it */
    SANDBOX_PRIVATE_TMP,  /* /tmp is its scratch folder */
    SANDBOX_READ_ONLY,    /* its code, and /sys */
    SANDBOX_CAPABILITIES, /* none, neither root's nor those a program could give (capabilities(7))
                           */
    SANDBOX_USER,         /* another user than fnexec's, when the function names one */
    SANDBOX_BATCH,        /* woken, it waits for its turn: it does not push fnexec off the CPU */
    SANDBOX_STEPS
};
#define SANDBOX_ALL ((1U << SANDBOX_STEPS) - 1)

/* A folder of the machine's that has its own place among the mounts. */
struct sandbox_folder {
    const char *path; /* real */
    const char *twin; /* shown in a private /tmp: an empty folder at its place below scratch */
    bool is_writable; /* else read-only */
    int fd;           /* the child's */
};

/* What one child gets; made by sandbox_init(). Pointers live until spawn() returns. */
struct sandbox {
    unsigned steps;                 /* bit i: step i */
    const char *scratch;            /* its temporary folder; NULL: /tmp stays */
    struct sandbox_folder *folders; /* those around others first */
    size_t n_folders;
    uint64_t file_bytes; /* largest file it may write; 0: any */
    unsigned uid, gid;   /* ours */
    unsigned user;       /* whom it runs as, user and group; 0: as we do */
    bool needs_maps;     /* not root: the namespaces come with a user namespace */
};

struct sandbox_report {
    bool is_probed; /* tried, not taken for granted */
    bool works[SANDBOX_STEPS];
    int errnum[SANDBOX_STEPS]; /* why not */
};

void sandbox_init(struct sandbox *s, unsigned wanted, const char *scratch, uint64_t file_bytes);

const char *sandbox_step_name(enum sandbox_step s);
const char *sandbox_step_help(enum sandbox_step s);

/* Among the steps: the namespaces, and what is mounted in them. One process makes them for all of
 * an environment: a first one, cloned with the flags, opens them (the processes it starts after
 * that are in a tree of their own), and the first of that tree takes every step. */
#define SANDBOX_SHARED                                                                             \
    (1U << SANDBOX_NAMESPACES | 1U << SANDBOX_PRIVATE_TMP | 1U << SANDBOX_READ_ONLY)
bool sandbox_has_namespaces(const struct sandbox *s);
unsigned long sandbox_clone_flags(const struct sandbox *s);
int sandbox_open(const struct sandbox *s); /* an errno, or 0 */

/* In the child, the steps but those left out. 0, or the errno of the step that failed; *failed says
 * which. */
int sandbox_enter(const struct sandbox *s, unsigned left_out, enum sandbox_step *failed);

/* Takes every step for granted: the usual case, which a first start then proves or refutes at no
 * cost of its own. */
void sandbox_assume(struct sandbox_report *out);
/* Tries every step in a child of its own. */
void sandbox_probe(struct sandbox_report *out);
/* The steps of a report that work, as bits; without namespaces when they are not wanted. */
unsigned sandbox_steps(const struct sandbox_report *r, bool with_namespaces);

/* Writes a file of the kernel's (/proc, cgroup) in one call; an errno, 0 when done. Safe between
 * fork and exec. */
int kernel_file_write(const char *path, const char *text, size_t n);

#endif

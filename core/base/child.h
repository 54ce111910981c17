/* Runs a program to its end: no shell, own process group, bounded time and output, standard error
 * left alone. For helpers a configuration names (credential_process, exec notifiers). Any thread.
 *
 *     const char *const argv[] = {"/usr/bin/helper", "--json", NULL};
 *     if (child_run(&(struct child_request){.argv = argv, .timeout_ns = 5 * NS_PER_SEC}, &out,
 *                   &code, e) != OK) ...
 */
#ifndef FNSCOPE_CORE_BASE_CHILD_H
#define FNSCOPE_CORE_BASE_CHILD_H

#include "core/base/arena.h"
#include "core/base/buf.h"

struct child_request {
    const char *const *argv; /* argv[0] is looked up in PATH; NULL-terminated */
    const char *const *envp; /* NULL: this process's */
    struct str input;        /* standard input */
    int64_t timeout_ns;      /* then its group is killed: ERR_AGAIN; 0: 5 s */
};

/* Standard output goes to `out` (more than out->max: killed, ERR_LIMIT). *exit_code is 128 + signal
 * after one. ERR_NOT_FOUND the program cannot be started. */
MUST_CHECK enum status child_run(const struct child_request *q, struct buf *out, int *exit_code,
                                 struct err *e);

/* Splits a command line at blanks: quotes and backslash as in a shell, nothing is expanded. The
 * result is NULL-terminated, in the arena; ERR_CONFIG at an open quote or no word at all. */
MUST_CHECK enum status child_split(struct str line, struct arena *a, const char *const **argv,
                                   struct err *e);

#endif

/* What a function works with, by the eyes of the user it runs as: who has no capabilities, root's
 * neither, so that owner and permissions alone decide. */
#ifndef FNSCOPE_EXECUTOR_ACCESS_CHECK_H
#define FNSCOPE_EXECUTOR_ACCESS_CHECK_H

#include "executor/fndef.h"

/* Adds a line "functions.yaml:3:5: ..." for what is closed to it: the code, the handler's file, the
 * interpreter found in PATH, its bootstrap in `runtimes` (empty: not looked at), each with the
 * folders above. Asks only where fnexec is root; elsewhere a function sees what fnexec sees, and
 * one with `user:` is told as never to start. */
void access_doubts(const struct manifest *m, const struct fndef *fn, struct str runtimes,
                   struct buf *out);

#endif

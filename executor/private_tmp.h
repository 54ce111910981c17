/* What of the machine's /tmp is shown in the private one of an environment, at its own place there:
 * code, what lies beside it (the manifest's folder), bootstraps, the program it runs by, folders it
 * is told of by its triggers. By their real paths: links and ".." lead below /tmp, too. */
#ifndef FNSCOPE_EXECUTOR_PRIVATE_TMP_H
#define FNSCOPE_EXECUTOR_PRIVATE_TMP_H

#include "executor/instance.h"

/* Adds to s->kept, from arena a. program: what is run, its absolute path. ERR_CONFIG when such a
 * folder is /tmp itself: then its own cannot be private. */
MUST_CHECK enum status private_tmp_keep(const struct instance *in, struct arena *a,
                                        const char *program, struct sandbox *s, struct err *e);
/* The path without links and ".."; as it is where nothing is there. */
struct str path_resolved(struct arena *a, struct str path);

#endif

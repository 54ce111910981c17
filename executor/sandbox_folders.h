/* Which folders of the machine an environment finds in its mounts as they are not by themselves:
 * its code and the manifest's folder, if the code is below it, are read-only; what a storage
 * trigger watches is writable, also in those. What it needs below the machine's /tmp, bootstraps
 * and the program it runs by too, is shown in its own at its place. By their real paths: links and
 * ".." lead everywhere. */
#ifndef FNSCOPE_EXECUTOR_SANDBOX_FOLDERS_H
#define FNSCOPE_EXECUTOR_SANDBOX_FOLDERS_H

#include "executor/instance.h"

/* Fills s->folders, from arena a. program: what is run, its absolute path. ERR_CONFIG when such a
 * folder is /tmp itself: then its own cannot be private. */
MUST_CHECK enum status sandbox_folders(const struct instance *in, struct arena *a,
                                       const char *program, struct sandbox *s, struct err *e);
/* The path without links and ".."; as it is where nothing is there. */
struct str path_resolved(struct arena *a, struct str path);

#endif

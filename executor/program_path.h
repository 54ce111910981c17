/* Programs as a shell finds them. */
#ifndef FNSCOPE_EXECUTOR_PROGRAM_PATH_H
#define FNSCOPE_EXECUTOR_PROGRAM_PATH_H

#include "core/base/arena.h"

/* PATH, also of functions; the usual folders where there is none. */
const char *program_path(void);
/* The first of that name in PATH that can be run; the path is in the arena. */
bool program_find(struct arena *a, const char *name, char **out);

#endif

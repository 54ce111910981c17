/* Programs as a shell finds them. */
#ifndef FNSCOPE_CORE_BASE_PROGRAM_PATH_H
#define FNSCOPE_CORE_BASE_PROGRAM_PATH_H

#include "core/base/arena.h"

/* PATH, also of functions of fnexec; the usual folders where there is none. */
const char *program_path(void);
/* The first file of that name in PATH that can be run; one with a slash is looked for where it
 * says. The path is in the arena, also of what was not found. */
bool program_find(struct arena *a, const char *name, char **out);

#endif

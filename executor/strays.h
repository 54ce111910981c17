/* What functions started and left behind, where no process tree of its own ends with it (spawn.h):
 * processes are told by the temporary folder in the environment they were started with. */
#ifndef FNSCOPE_EXECUTOR_STRAYS_H
#define FNSCOPE_EXECUTOR_STRAYS_H

#include "core/base/str.h"

/* Kills (SIGKILL) every process whose HOME or TMPDIR (environ(7)) is the folder or below it, and
 * those they start meanwhile, and waits for their ends, 100 ms each at most. Who has given itself
 * another environment, or may not be looked at (proc(5)), is not found. The number that were
 * killed. */
size_t strays_end(struct str folder);

#endif

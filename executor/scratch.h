/* The temporary folders of environments. */
#ifndef FNSCOPE_EXECUTOR_SCRATCH_H
#define FNSCOPE_EXECUTOR_SCRATCH_H

#include "core/base/arena.h"
#include "executor/executor.h"

/* A new folder below x->scratch_folder; empty when it cannot be made (said in the log). */
struct str scratch_new(struct executor *x, struct arena *a);
/* Ends the processes that were started with it as theirs (strays.h). */
void scratch_end_strays(struct executor *x, struct str folder);
/* Removes it with all that is in it; links are removed, not followed. */
void scratch_remove(struct executor *x, struct str folder);
/* Makes x->scratch_folder, one of its own below base ("/tmp"; made when it is not there), marked
 * and locked as long as this process lives. Nothing is removed of base but folders that have our
 * name and mark and whose fnexec is dead; first ends what still runs with them. The path is in the
 * arena. */
MUST_CHECK enum status scratch_start(struct executor *x, struct str base, struct arena *a,
                                     struct err *e);
/* Removes x->scratch_folder, if there is one, and ends what runs with it. */
void scratch_clear(struct executor *x);

#endif

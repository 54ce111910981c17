/* What starts functions besides the APIs: one type a file, one row in triggers.c. */
#ifndef FNSCOPE_EXECUTOR_TRIGGER_H
#define FNSCOPE_EXECUTOR_TRIGGER_H

#include "core/base/json.h"
#include "executor/executor.h"
#include "executor/fndef.h"

struct trigger_run {
    struct executor *x;
    const struct fndef *fn;
    const struct trigger_def *def; /* def->settings: the type's own struct */
    void *state;                   /* the type's own, made by start, freed by stop */
};

struct trigger_ops {
    const char *type; /* value of "type" in the manifest */
    const char *help;
    const struct opt_def *options; /* keys inside the trigger, with "type" left out */
    size_t settings_size;
    /* May look at x->manifest and other functions; NULL: nothing beyond the options' own checks. */
    enum status (*check)(const struct manifest *m, const struct fndef *fn,
                         const struct trigger_def *def, struct err *e);
    enum status (*start)(struct trigger_run *t, struct err *e);
    void (*stop)(struct trigger_run *t); /* no callback runs after it */
    /* Of event source mappings only: where events come from, and the members of its description
     * (BatchSize, FunctionResponseTypes ...). Both or neither. */
    struct str (*source_arn)(struct executor *x, const struct trigger_def *def, struct arena *a);
    void (*describe)(struct executor *x, const struct trigger_def *def, struct json_out *o);
};

extern const struct trigger_ops *const trigger_types[]; /* NULL-terminated */

/* All triggers of the manifest. */
struct triggers;
MUST_CHECK enum status triggers_start(struct executor *x, struct triggers **out, struct err *e);
void triggers_stop(struct triggers *t); /* NULL is fine */

#endif

/* Private to executor/fndef*.c: the option tables of the manifest, and its nested parts. */
#ifndef FNSCOPE_EXECUTOR_FNDEF_OPTIONS_H
#define FNSCOPE_EXECUTOR_FNDEF_OPTIONS_H

#include "executor/fndef.h"

extern const struct opt_def manifest_options[]; /* into struct manifest */
extern const struct opt_def fndef_options[];    /* into struct fndef */
extern const char *const manifest_foreign[];    /* top-level sections read elsewhere */
extern const char *const fndef_foreign[];       /* sections of a function read by hand */

/* Runtimes by the start of their name. */
struct fn_runtime {
    const char *prefix;        /* "nodejs" */
    const char *interpreter;   /* found in PATH; NULL: the code brings an executable */
    const char *bootstrap;     /* our file below the runtimes folder; NULL: none */
    const char *versions;      /* that Lambda has or had, by what follows the prefix */
    enum fn_protocol protocol; /* unless the manifest says another */
    bool needs_handler;
};
extern const struct fn_runtime fn_runtimes[]; /* ends with prefix NULL */
const struct fn_runtime *fn_runtime_find(struct str name);
/* False for a version that Lambda never had as far as we know: maybe a slip, maybe a newer one. */
bool fn_runtime_has_version(const struct fn_runtime *r, struct str name);

/* What runs when the runtime brings no interpreter: a file in the folder of the code. */
struct str fn_program_name(const struct fndef *fn);

/* Where a key of the function stands ("async.on_failure"), for messages; the function without it.
 */
const struct yaml_node *fndef_place(const struct fndef *fn, const char *key);

MUST_CHECK enum status fndef_environment(struct manifest *m, struct fndef *fn,
                                         const struct yaml_node *node, struct err *e);
MUST_CHECK enum status fndef_secrets(struct manifest *m, struct fndef *fn,
                                     const struct yaml_node *node, struct err *e);
MUST_CHECK enum status fndef_triggers(struct manifest *m, struct fndef *fn,
                                      const struct yaml_node *node, struct err *e);
MUST_CHECK enum status fndef_code(struct manifest *m, struct fndef *fn,
                                  const struct yaml_node *node, struct err *e);

bool region_is_valid(struct str region); /* as it may stand in an ARN */

/* What the option tables cannot say of a function, once all of it is read: names, handler, numbers
 * that go together. */
MUST_CHECK enum status fndef_rules(const struct manifest *m, const struct fndef *fn, struct err *e);

/* ERR_CONFIG "functions.yaml:3:5: ..." */
enum status manifest_error(const struct manifest *m, const struct yaml_node *n, struct err *e,
                           const char *fmt, ...) PRINTF_LIKE(4, 5);

#endif

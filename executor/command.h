/* The commands of fnexec: one row each, found by main(), which prints what they return. */
#ifndef FNSCOPE_EXECUTOR_COMMAND_H
#define FNSCOPE_EXECUTOR_COMMAND_H

#include "core/base/opt.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONDITION = 3 };

struct fnexec_options {
    struct str address, state, scratch, runtimes, port_file, payload, credentials;
    struct opt_list hosts;
    int64_t port, retention_ns, grace_ns;
    bool is_verbose, is_quiet, log_json, help;
};

struct fnexec_run {
    struct arena *arena;
    struct fnexec_options options;
    struct opt_list words;
    struct buf out; /* standard output */
};

struct fnexec_command {
    const char *name, *summary, *usage;
    const char *description;                         /* paragraphs, separated by blank lines */
    const struct opt_def *options;                   /* into struct fnexec_options */
    int (*run)(struct fnexec_run *r, struct err *e); /* exit code; 0 with e set: by its status */
};

extern const struct fnexec_command *const fnexec_commands[]; /* NULL-terminated */
extern const struct opt_def fnexec_plain_options[];          /* help alone */
extern const struct fnexec_command command_serve, command_invoke, command_check, command_doctor,
    command_help, command_version;

/* Where the bootstraps are: named, installed, or beside the sources. */
struct str fnexec_runtimes_folder(const struct fnexec_run *r);
void fnexec_help(struct buf *out, const struct fnexec_command *c);

#endif

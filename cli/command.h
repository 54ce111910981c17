/* The command contract: one file a command, one row in commands.c. Front door of cli/. */
#ifndef FNSCOPE_CLI_COMMAND_H
#define FNSCOPE_CLI_COMMAND_H

#include "core/base/clock.h"
#include "core/base/opt.h"

/* Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 condition true. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_CONDITION = 3 };

/* Settings every command shares (options in common.c). */
struct settings {
    struct str config_path;
    struct str store_url;
    int64_t since_ns, until_ns; /* 0: not given */
    struct str function, region, account;
    int provider; /* enum provider; 0 any */
    int format;   /* enum table_format */
    int color;    /* 0 auto, 1 always, 2 never */
    bool no_color, is_quiet, help;
    bool is_verbose;
    int64_t retention_ns;
    int64_t clock_ns; /* --clock or SOURCE_DATE_EPOCH; 0: the real one */
    struct str prices_dir;
    struct str default_region;
    int default_arch; /* enum arch */
};

/* What main() hands to a command. */
struct cli {
    struct arena *arena;
    struct settings *settings;
    struct opt_set *set;            /* common options, origins */
    struct opt_list words;          /* positional arguments */
    const struct yaml_node *config; /* merged root of the user's file; NULL: none */
    const char *config_name;
    struct clock clock;
    void *options;  /* the command's own struct, filled from its table */
    struct buf out; /* stdout, written by main() at the end or by cli_flush() */
    bool out_is_tty, err_is_tty, use_color;
    bool is_reader_gone; /* `| head` has seen enough: no failure, but nothing more is wanted */
    const struct command *command;
    /* What settings_load was called with: a long-running command reads it all again. */
    struct cli_start {
        int argc;
        char *const *argv, *const *envp;
    } start;
};

struct command {
    const char *name;
    const char *const *unused; /* flags of common options it has no use for; NULL: none */
    const char *form;        /* what it prints and no other: it refuses --format. NULL: its actions
                                honour --format or refuse it themselves (cli_own_form) */
    const char *summary;     /* one line for `fnscope help` */
    const char *usage;       /* "FILE... | DIR | -"; NULL: no words */
    const char *description; /* manual text, paragraphs separated by blank lines */
    const char *examples;    /* "command\texplanation\n" lines; NULL */
    const struct opt_def *options; /* own options; NULL: none */
    size_t options_size;
    int (*run)(struct cli *c,
               struct err *e); /* exit code; prints results to c->out; on error sets e */
};

extern const struct command *const commands[]; /* NULL-terminated */
/* Writes c->out to stdout now; nonzero: stop, the reader went away (is_reader_gone, said nothing)
 * or writing failed (said). */
int cli_flush(struct cli *c);

#endif

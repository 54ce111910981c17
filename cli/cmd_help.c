/* fnscope help, version: what the program says about itself. */
#include "cli/commands.h"

#include <string.h>

#include "cli/common.h"
#include "cli/help.h"

#ifndef FNSCOPE_VERSION
#define FNSCOPE_VERSION "0.0.0"
#endif

struct help_options {
    bool is_manual;
};

static const struct opt_def help_options[] = {
    {.flag = "mdoc",
     .type = OPT_BOOL,
     .offset = offsetof(struct help_options, is_manual),
     .help = "print the manual page of the command in mdoc"},
    {0},
};

static int run_help(struct cli *c, struct err *e)
{
    const struct help_options *o = c->options;

    if (c->words.count == 0) {
        help_overview(&c->out);
        return EXIT_DONE;
    }
    for (size_t i = 0; commands[i]; i++) {
        if (!str_eq(c->words.items[0], str_from(commands[i]->name)))
            continue;
        (o->is_manual ? help_manual : help_command)(&c->out, commands[i]);
        return EXIT_DONE;
    }
    err_set(e, ERR_USAGE, "there is no command \"" STR_FMT "\": see `fnscope help`",
            STR_ARG(c->words.items[0]));
    return EXIT_USAGE;
}

const struct command cmd_help = {
    .name = "help",
    .form = "text, or mdoc with --mdoc",
    .summary = "explain the program or one command",
    .usage = "[COMMAND]",
    .options = help_options,
    .options_size = sizeof(struct help_options),
    .run = run_help,
};

static int run_version(struct cli *c, struct err *e)
{
    if (cli_want_words(c, 0, 0, e) != OK)
        return EXIT_USAGE;
    static const struct table_column columns[] = {{.name = "program"}, {.name = "version"}};
    struct table t;

    if (c->settings->format == TABLE_TEXT) {
        buf_add_z(&c->out, "fnscope " FNSCOPE_VERSION "\n");
        return EXIT_DONE;
    }
    table_init(&t, c->arena, columns, ARRAY_LEN(columns), "fnscope.version", 1);
    table_row(&t);
    table_text(&t, 0, STR("fnscope"));
    table_text(&t, 1, STR(FNSCOPE_VERSION));
    cli_print_table(c, &t);
    return EXIT_DONE;
}

const struct command cmd_version = {
    .unused = cli_without_filter,
    .name = "version",
    .summary = "print the version",
    .run = run_version,
};

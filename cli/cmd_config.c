/* fnscope config check|print: is the configuration right, and which setting came from where. */
#include "cli/commands.h"

#include "cli/alert_config.h"
#include "cli/common.h"
#include "cli/settings.h"
#include "collector/source.h"

struct config_options {
    bool show_origins;
};

static const struct opt_def config_options[] = {
    {.flag = "origins",
     .type = OPT_BOOL,
     .offset = offsetof(struct config_options, show_origins),
     .help = "say for each setting where its value came from"},
    {0},
};

/* Everything was read and checked before the command ran: what is left are the sections with
 * entries of their own. */
static enum status check_sources(const struct cli *c, struct err *e)
{
    const struct yaml_node *sources = c->config ? yaml_get(c->config, STR("sources")) : NULL;
    const struct opt_list all = {0};
    struct source_list list = {0};

    if (sources == NULL)
        return OK;
    enum status s = sources_parse(sources, c->config_name, &all, &list, e);
    sources_free(&list);
    return s;
}

static void print_check(struct cli *c)
{
    static const struct table_column columns[] = {{.name = "file"}, {.name = "is_correct"}};
    struct table t;

    if (c->settings->format != TABLE_TEXT) {
        table_init(&t, c->arena, columns, ARRAY_LEN(columns), "fnscope.config_check", 1);
        table_row(&t);
        if (c->config_name)
            table_text(&t, 0, str_from(c->config_name));
        table_bool(&t, 1, true);
        cli_print_table(c, &t);
    } else if (c->config_name) {
        buf_addf(&c->out, "%s: correct\n", c->config_name);
    } else {
        buf_addf(&c->out,
                 "no configuration file (looked at " SETTINGS_SYSTEM_FILE " and " STR_FMT
                 "): built-in settings hold\n",
                 STR_ARG(settings_user_file(c)));
    }
}

static int run_check(struct cli *c, struct err *e)
{
    AUTO(cli_cost_clear) struct cli_cost cost = {0};
    struct alert_config alerts;

    if (cli_cost_open(c, NULL, &cost, e) != OK || alert_config_read(c, &alerts, e) != OK ||
        check_sources(c, e) != OK)
        return e->code == ERR_CONFIG || e->code == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
    print_check(c);
    return EXIT_DONE;
}

static const char *origin_text(enum opt_origin o)
{
    static const char *const names[] = {"built-in", "system file", "user file", "environment",
                                        "flag"};

    return names[o];
}

static int run_print(struct cli *c, struct err *e)
{
    const struct config_options *o = c->options;
    static const struct table_column columns[] = {
        {.name = "key"}, {.name = "value"}, {.name = "origin"}, {.name = "place"}};
    struct table t;

    UNUSED(e);
    table_init(&t, c->arena, columns, o->show_origins ? 4 : 2, "fnscope.config", 1);
    for (size_t i = 0; c->set->defs[i].key || c->set->defs[i].flag; i++) {
        AUTO(buf_clear) struct buf value = {.max = 4096};
        if (!c->set->defs[i].key)
            continue;
        opt_value_text(&value, c->set, i);
        table_row(&t);
        table_text(&t, 0, str_from(c->set->defs[i].key));
        table_text(&t, 1, arena_str(c->arena, buf_str(&value)));
        if (!o->show_origins)
            continue;
        table_text(&t, 2, str_from(origin_text(c->set->origins[i])));
        table_text(&t, 3, c->set->places[i]);
    }
    cli_print_table(c, &t);
    return EXIT_DONE;
}

static int run_config(struct cli *c, struct err *e)
{
    if (cli_want_words(c, 1, 1, e) != OK)
        return EXIT_USAGE;
    if (str_eq(c->words.items[0], STR("check")))
        return run_check(c, e);
    if (str_eq(c->words.items[0], STR("print")))
        return run_print(c, e);
    err_set(e, ERR_USAGE, "config: \"" STR_FMT "\" is neither check nor print",
            STR_ARG(c->words.items[0]));
    return EXIT_USAGE;
}

const struct command cmd_config = {
    .unused = cli_without_filter,
    .name = "config",
    .summary = "check the configuration, or print the settings in force",
    .usage = "check|print",
    .options = config_options,
    .options_size = sizeof(struct config_options),
    .examples = "fnscope config check\tis the configuration right?\n"
                "fnscope config print --origins\twhich file, variable or flag set what\n",
    .run = run_config,
};

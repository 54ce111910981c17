/* The command table, help, and the small commands. */
#include <stdio.h>
#include <string.h>

#include "executor/command.h"
#include "executor/fndef.h"
#include "executor/manifest_check.h"
#include "executor/trigger.h"

const struct fnexec_command *const fnexec_commands[] = {&command_serve,
                                                        &command_invoke,
                                                        &command_check,
                                                        &command_doctor,
                                                        &command_help,
                                                        &command_version,
                                                        NULL};

#define HELP_OPTION                                                                                \
    {                                                                                              \
        .flag = "help", .letter = 'h', .type = OPT_BOOL,                                           \
        .offset = offsetof(struct fnexec_options, help), .help = "explain this command"            \
    }

const struct opt_def fnexec_plain_options[] = {HELP_OPTION, {0}};

/* --- help, version --- */

static void overview(struct buf *out)
{
    buf_add_z(out, "fnexec: functions on this machine, behind AWS's protocols\n\n"
                   "Usage: fnexec COMMAND [OPTION]... [WORD]...\n\nCommands:\n");
    for (size_t i = 0; fnexec_commands[i]; i++)
        buf_addf(out, "  %-10s %s\n", fnexec_commands[i]->name, fnexec_commands[i]->summary);
    buf_add_z(out, "\nFirst steps:\n"
                   "  fnexec serve functions.yaml    the endpoint, http://127.0.0.1:9001\n"
                   "  aws --endpoint-url http://127.0.0.1:9001 lambda invoke --function-name f -\n"
                   "\n`fnexec COMMAND --help` says more.\n");
}

void fnexec_help(struct buf *out, const struct fnexec_command *c)
{
    buf_addf(out, "Usage: fnexec %s [OPTION]...%s%s\n\n%s\n\nOptions:\n", c->name,
             c->usage ? " " : "", c->usage ? c->usage : "", c->description);
    opt_help(out, c->options);
}

static void roff_options(struct buf *out, const struct fnexec_command *c)
{
    buf_addf(out, ".Ss fnexec %s\n%s.\n.Bl -tag -width Ds\n", c->name, c->summary);
    opt_mdoc(out, c->options);
    buf_add_z(out, ".El\n");
}

/* `help --mdoc` prints the option sections of fnexec(8): the manual's generator. */
static int run_help(struct fnexec_run *r, struct err *e)
{
    struct str word = r->words.count > 0 ? r->words.items[0] : (struct str){0};

    if (str_eq(word, STR("mdoc"))) {
        for (size_t i = 0; fnexec_commands[i]; i++)
            roff_options(&r->out, fnexec_commands[i]);
        return EXIT_DONE;
    }
    for (size_t i = 0; fnexec_commands[i]; i++)
        if (str_eq(word, str_from(fnexec_commands[i]->name))) {
            fnexec_help(&r->out, fnexec_commands[i]);
            return EXIT_DONE;
        }
    if (word.n > 0) {
        err_set(e, ERR_USAGE, "there is no command \"" STR_FMT "\"", STR_ARG(word));
        return EXIT_USAGE;
    }
    overview(&r->out);
    return EXIT_DONE;
}

const struct fnexec_command command_help = {
    .name = "help",
    .summary = "Explain a command, or list them all",
    .usage = "[COMMAND]",
    .description =
        "Lists the commands, or explains one. `help mdoc` prints the option sections of\n"
        "the manual page.",
    .options = fnexec_plain_options,
    .run = run_help};

static int run_version(struct fnexec_run *r, struct err *e)
{
    UNUSED(e);
    buf_addf(&r->out, "fnexec %s\n", FNSCOPE_VERSION);
    return EXIT_DONE;
}

const struct fnexec_command command_version = {.name = "version",
                                               .summary = "Print the version",
                                               .description = "Prints the version.",
                                               .options = fnexec_plain_options,
                                               .run = run_version};

/* --- check --- */

static void show_function(struct buf *out, const struct fndef *fn)
{
    buf_addf(out, STR_FMT "\t" STR_FMT "\t%llu MB\t%lld ms\t%zu triggers\n", STR_ARG(fn->name),
             STR_ARG(fn->runtime), (unsigned long long)(fn->memory_bytes >> 20),
             (long long)(fn->timeout_ns / NS_PER_MS), fn->n_triggers);
}

static int run_check(struct fnexec_run *r, struct err *e)
{
    struct manifest *m;

    if (r->words.count != 1) {
        err_set(e, ERR_USAGE, "one manifest is expected: fnexec check functions.yaml");
        return EXIT_USAGE;
    }
    if (manifest_load(arena_strz(r->arena, r->words.items[0]), &m, e) != OK)
        return EXIT_USAGE;
    if (manifest_check_queues(m, NULL, e) != OK) {
        manifest_free(m);
        return EXIT_USAGE;
    }
    manifest_log_doubts(m, fnexec_runtimes_folder(r));
    for (size_t i = 0; i < m->n_functions; i++)
        show_function(&r->out, &m->functions[i]);
    manifest_free(m);
    return EXIT_DONE;
}

static const struct opt_def check_options[] = {{.key = "executor.runtimes",
                                                .flag = "runtimes",
                                                .type = OPT_STRING,
                                                .offset = offsetof(struct fnexec_options, runtimes),
                                                .value_name = "FOLDER",
                                                .help = "where the bootstraps of the runtimes are"},
                                               HELP_OPTION,
                                               {0}};

const struct fnexec_command command_check = {
    .name = "check",
    .summary = "Check a manifest and list its functions",
    .usage = "MANIFEST",
    .description =
        "Reads the manifest as serve does and says what is wrong with it, with line and\n"
        "column. Nothing is started. Queues that were made through the API only are in no "
        "manifest\n"
        "and do not count here: name them under queues.",
    .options = check_options,
    .run = run_check};

/* Help and manual pages. Prints what the tables say and nothing of its own, so that the
 * two cannot disagree with the parser. */
#include "cli/help.h"

#include <string.h>

#include "cli/common.h"
#include "cli/settings.h"
#include "core/base/safe_text.h"
#include "core/base/utf8.h"

void help_overview(struct buf *out)
{
    buf_add_z(out, "fnscope: what your functions did, and what it cost\n\n"
                   "Usage: fnscope COMMAND [OPTION]... [WORD]...\n\nCommands:\n");
    for (size_t i = 0; commands[i]; i++)
        buf_addf(out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    buf_add_z(out, "\nFirst steps:\n"
                   "  fnscope demo               a week of sample functions, then the dashboard\n"
                   "  fnscope import logs.json   your own exported logs, no account needed\n"
                   "  fnscope top                the dashboard\n\n"
                   "`fnscope COMMAND --help` says more.\n");
}

static void usage_line(struct buf *out, const struct command *cmd)
{
    buf_addf(out, "Usage: fnscope %s [OPTION]...%s%s\n", cmd->name, cmd->usage ? " " : "",
             cmd->usage ? cmd->usage : "");
}

static bool is_replaced(const struct command *cmd, const struct opt_def *common)
{
    for (const struct opt_def *d = cmd->options; d && (d->key || d->flag); d++)
        if (d->flag && common->flag && strcmp(d->flag, common->flag) == 0)
            return true;
    return false;
}

/* The common rows this command shows: those with a flag it does not replace. */
struct opt_def *help_common(struct arena *a, const struct command *cmd)
{
    struct opt_def *rows = NULL;
    size_t n = 0, cap = 0;

    for (const struct opt_def *d = common_options; d->key || d->flag; d++) {
        if (!d->flag || is_replaced(cmd, d) || command_ignores(cmd, d))
            continue;
        rows = arena_grow(a, rows, n, &cap, sizeof(*rows));
        rows[n++] = *d;
    }
    rows = arena_grow(a, rows, n, &cap, sizeof(*rows));
    rows[n] = (struct opt_def){0};
    return rows;
}

static void examples(struct buf *out, const char *text)
{
    struct str rest = str_from(text);

    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        struct str example = str_cut(&line, '\t');
        buf_addf(out, "  " STR_FMT "\n      " STR_FMT "\n", STR_ARG(example), STR_ARG(line));
    }
}

#define PROSE_WIDTH 80u

/* Paragraphs, an empty line between them; a line that begins with a blank stands as it is. */
static void prose(struct buf *out, const char *text)
{
    AUTO(buf_clear) struct buf paragraph = {.max = 1u << 16};
    struct str rest = str_from(text);

    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        bool is_plain = line.n > 0 && line.p[0] != ' ';
        if (is_plain) {
            buf_addf(&paragraph, "%s" STR_FMT, paragraph.n > 0 ? " " : "", STR_ARG(line));
            if (rest.n > 0)
                continue;
        }
        if (paragraph.n > 0)
            utf8_wrap(out, buf_str(&paragraph), PROSE_WIDTH, 0);
        buf_reset(&paragraph);
        if (!is_plain)
            buf_addf(out, STR_FMT "\n", STR_ARG(line));
    }
}

void help_command(struct buf *out, const struct command *cmd)
{
    AUTO(arena_clear) struct arena a = {0};

    usage_line(out, cmd);
    buf_add_c(out, '\n');
    prose(out, cmd->description ? cmd->description : cmd->summary);
    if (cmd->options) {
        buf_add_z(out, "\nOptions:\n");
        opt_help(out, cmd->options);
    }
    buf_add_z(out, "\nCommon options:\n");
    opt_help(out, help_common(&a, cmd));
    if (cmd->examples) {
        buf_add_z(out, "\nExamples:\n");
        examples(out, cmd->examples);
    }
}

/* --- manual pages --- */

/* A line of running text as roff: a leading dot or quote would be a request. */
static void roff_text(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        bool at_start = i == 0 || text.p[i - 1] == '\n';
        if (at_start && (text.p[i] == '.' || text.p[i] == '\''))
            buf_add_z(out, "\\&");
        if (text.p[i] == '\\')
            buf_add_z(out, "\\e");
        else
            buf_add_c(out, text.p[i]);
    }
}

static void roff_paragraphs(struct buf *out, const char *text)
{
    struct str rest = str_from(text);

    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        if (line.n == 0)
            buf_add_z(out, ".Pp");
        else
            roff_text(out, line);
        buf_add_c(out, '\n');
    }
}

static void roff_examples(struct buf *out, const char *text)
{
    struct str rest = str_from(text);

    buf_add_z(out, ".Sh EXAMPLES\n");
    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        struct str example = str_cut(&line, '\t');
        roff_text(out, line);
        buf_add_z(out, ":\n.Pp\n.Dl ");
        roff_text(out, example);
        buf_add_z(out, rest.n > 0 ? "\n.Pp\n" : "\n");
    }
}

static void roff_options(struct buf *out, const char *title, const struct opt_def *defs)
{
    buf_addf(out, "%s\n.Bl -tag -width Ds\n", title);
    opt_mdoc(out, defs);
    buf_add_z(out, ".El\n");
}

void help_manual(struct buf *out, const struct command *cmd)
{
    AUTO(arena_clear) struct arena a = {0};

    buf_addf(out, ".Dd $Mdocdate$\n.Dt FNSCOPE-%s 1\n.Os\n.Sh NAME\n.Nm fnscope-%s\n.Nd %s\n",
             cmd->name, cmd->name, cmd->summary);
    buf_addf(out, ".Sh SYNOPSIS\n.Nm fnscope %s\n.Op Ar option ...\n", cmd->name);
    if (cmd->usage)
        buf_addf(out, ".Ar %s\n", cmd->usage);
    buf_add_z(out, ".Sh DESCRIPTION\n");
    roff_paragraphs(out, cmd->description ? cmd->description : cmd->summary);
    if (cmd->options)
        roff_options(out, ".Sh OPTIONS", cmd->options);
    roff_options(out, ".Sh COMMON OPTIONS", help_common(&a, cmd));
    buf_add_z(out, ".Sh EXIT STATUS\n0 done, 1 failed, 2 wrong usage or configuration,\n"
                   "3 a condition asked for is true.\n");
    if (cmd->examples)
        roff_examples(out, cmd->examples);
    buf_add_z(out, ".Sh SEE ALSO\n.Xr fnscope 1 ,\n.Xr fnscope.yaml 5 ,\n.Xr fnscope-schema 7\n");
}

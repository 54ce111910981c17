/* fnscope completion: the scripts ask the program itself (`completion words -- WORD...`) what may
 * stand at the cursor, so that they know what its tables and the store know and need no renewal.
 *
 * Words with a sign that a shell reads as more than itself are left out: names of functions are
 * foreign text, and what is offered is put on a command line. */
#include "cli/commands.h"

#include <string.h>

#include "cli/common.h"
#include "cli/help.h"
#include "collector/decode.h"
#include "core/base/map.h"
#include "reports/reports.h"

static const char *const shells[] = {"bash", "zsh", "fish", NULL};

/* bash splits "--by=day" into three words; compopt leaves files to it where nothing fits. */
static const char bash_script[] =
    "# bash completion of fnscope: source it, or put it into bash-completion's folder\n"
    "_fnscope() {\n"
    "  mapfile -t COMPREPLY < <(\"${COMP_WORDS[0]}\" completion words -- "
    "\"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
    "}\n"
    "complete -o default -F _fnscope fnscope\n";

static const char zsh_script[] =
    "#compdef fnscope\n"
    "_fnscope() {\n"
    "  local -a found\n"
    "  found=(${(f)\"$(\"$words[1]\" completion words -- \"${(@)words[2,CURRENT]}\" "
    "2>/dev/null)\"})\n"
    "  if (( $#found )); then compadd -- $found; else _files; fi\n"
    "}\n"
    "if [[ $funcstack[1] == _fnscope ]]; then _fnscope \"$@\"; else compdef _fnscope fnscope; fi\n";

static const char fish_script[] =
    "# fish completion of fnscope\n"
    "function __fnscope_words\n"
    "  set -l given (commandline -opc)\n"
    "  fnscope completion words -- $given[2..-1] (commandline -ct) 2>/dev/null\n"
    "end\n"
    "complete -c fnscope -n 'count (__fnscope_words) >/dev/null' -f -a '(__fnscope_words)'\n";

static const char *const scripts[] = {bash_script, zsh_script, fish_script};

/* What is being written: `prefix` stands before the part that is completed. */
struct spot {
    struct cli *c;
    struct str prefix, part;
};

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\0' ||
            !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./@%+,",
                    s.p[i]))
            return false;
    return s.n > 0;
}

static void offer(struct spot *at, struct str word)
{
    if (str_starts(word, at->part) && is_plain(word))
        buf_addf(&at->c->out, STR_FMT STR_FMT "\n", STR_ARG(at->prefix), STR_ARG(word));
}

static void offer_all(struct spot *at, const char *const *words)
{
    for (; *words; words++)
        offer(at, str_from(*words));
}

/* Options whose values are words of the store. */
static const struct {
    const char *flag;
    struct str (*of)(const struct fn_ref *fn);
} stored[] = {
    {"function", cli_fn_name},         {"to-function", cli_fn_name}, {"region", cli_fn_region},
    {"account", cli_fn_account},       {"to-region", cli_fn_region}, {"to-account", cli_fn_account},
    {"default-region", cli_fn_region},
};

/* Where there is no store, there is nothing to offer. */
static void offer_stored(struct spot *at, struct str (*of)(const struct fn_ref *fn))
{
    AUTO(cli_close_store) struct store *s = NULL;
    AUTO(map_clear) struct map seen = {0};
    struct err none = {0};
    struct fn_ref *fns = NULL;
    size_t n = 0;
    bool is_new;

    map_init(&seen);
    if (cli_open_store(at->c, true, &s, &none) != OK ||
        request_known_fns(s, at->c->arena, &fns, &n, &none) != OK)
        return;
    for (size_t i = 0; i < n; i++) {
        map_put(&seen, of(&fns[i]), &is_new);
        if (is_new)
            offer(at, of(&fns[i]));
    }
}

static void offer_alerts(struct spot *at)
{
    AUTO(cli_close_store) struct store *s = NULL;
    const struct alert_request q = {0};
    struct alert_rows alerts = {0};
    struct err none = {0};

    if (cli_open_store(at->c, true, &s, &none) != OK ||
        request_alerts(s, &q, at->c->arena, &alerts, &none) != OK)
        return;
    for (size_t i = 0; i < alerts.n; i++)
        offer(at, alerts.rows[i].key);
}

static void offer_silences(struct spot *at)
{
    AUTO(cli_close_store) struct store *s = NULL;
    struct silence_rows silences = {0};
    struct err none = {0};

    if (cli_open_store(at->c, true, &s, &none) != OK ||
        request_silences(s, clock_now(&at->c->clock), false, at->c->arena, &silences, &none) != OK)
        return;
    for (size_t i = 0; i < silences.n; i++)
        offer(at, arena_printf(at->c->arena, "%lld", (long long)silences.rows[i].id));
}

static void offer_formats(struct spot *at)
{
    offer(at, STR("auto"));
    for (size_t i = 0; decoders[i] != NULL; i++)
        offer(at, str_from(decoders[i]->name));
}

static void offer_sections(struct spot *at)
{
    offer_all(at, report_section_names);
}

static void offer_log_groups(struct spot *at)
{
    AUTO(cli_close_store) struct store *s = NULL;
    struct err none = {0};
    struct str *groups = NULL;
    size_t n = 0;

    if (cli_open_store(at->c, true, &s, &none) != OK ||
        request_log_groups(s, at->c->arena, &groups, &n, &none) != OK)
        return;
    for (size_t i = 0; i < n; i++)
        offer(at, groups[i]);
}

/* Options whose values are other words than those of their table. */
static const struct {
    const char *flag;
    void (*offer)(struct spot *at);
} others[] = {
    {"input-format", offer_formats},
    {"section", offer_sections},
    {"log-group", offer_log_groups},
};

static void offer_values(struct spot *at, const struct opt_def *d)
{
    const size_t comma = str_rfind_char(at->part, ',');

    if (d->choices && d->type == OPT_STRING && comma < at->part.n) { /* a list */
        at->prefix = arena_printf(at->c->arena, STR_FMT STR_FMT, STR_ARG(at->prefix),
                                  STR_ARG(str_sub(at->part, 0, comma + 1)));
        at->part = str_skip(at->part, comma + 1);
    }
    if (d->choices)
        offer_all(at, d->choices);
    for (size_t i = 0; i < ARRAY_LEN(stored); i++)
        if (d->flag && strcmp(stored[i].flag, d->flag) == 0)
            offer_stored(at, stored[i].of);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (d->flag && strcmp(others[i].flag, d->flag) == 0)
            others[i].offer(at);
}

static bool is_of_word(const struct opt_def *d, struct str word)
{
    if (str_starts(word, STR("--")))
        return d->flag && str_eq(str_skip(word, 2), str_from(d->flag));
    return word.n == 2 && word.p[0] == '-' && d->letter && word.p[1] == d->letter;
}

static const struct opt_def *find_option(const struct opt_def *d, struct str word)
{
    for (; d && (d->key || d->flag); d++)
        if (is_of_word(d, word))
            return d;
    return NULL;
}

static const struct opt_def *option_of(struct spot *at, const struct command *cmd, struct str word)
{
    const struct opt_def *d = find_option(cmd->options, word);

    return d ? d : find_option(help_common(at->c->arena, cmd), word);
}

static void offer_flags(struct spot *at, const struct opt_def *d)
{
    for (; d && (d->key || d->flag); d++)
        if (d->flag)
            offer(at, arena_printf(at->c->arena, "--%s", d->flag));
}

/* The small words of "list|ack KEY|test [NAME...]". */
static void offer_actions(struct spot *at, const char *usage)
{
    struct str rest = str_from(usage);

    while (rest.n > 0) {
        struct str alternative = str_cut(&rest, '|');
        const struct str word = str_cut(&alternative, ' ');
        if (word.n > 0 && word.p[0] >= 'a' && word.p[0] <= 'z')
            offer(at, word);
    }
}

static void offer_commands(struct spot *at)
{
    for (size_t i = 0; commands[i]; i++)
        offer(at, str_from(commands[i]->name));
}

static const struct command *command_named(struct str name)
{
    for (size_t i = 0; commands[i]; i++)
        if (str_eq(name, str_from(commands[i]->name)))
            return commands[i];
    return NULL;
}

/* "--by=da" of one word. */
static bool has_own_option(struct spot *at, const struct command *cmd)
{
    struct str value = at->part;
    const struct str flag = str_cut(&value, '=');
    const struct opt_def *d = flag.n < at->part.n ? option_of(at, cmd, flag) : NULL;

    if (!d)
        return false;
    at->prefix = str_sub(at->part, 0, flag.n + 1);
    at->part = value;
    offer_values(at, d);
    return true;
}

static void offer_plain(struct spot *at, const struct command *cmd, const struct str *words,
                        size_t n)
{
    if (n == 2 && cmd == &cmd_help)
        offer_commands(at);
    else if (n == 2 && cmd->usage)
        offer_actions(at, cmd->usage);
    else if (n == 3 && cmd == &cmd_alert && str_eq(words[1], STR("ack")))
        offer_alerts(at);
    else if (n == 3 && cmd == &cmd_alert && str_eq(words[1], STR("unsilence")))
        offer_silences(at);
}

/* words[0] is the command, the last one stands at the cursor. */
static void offer_at(struct spot *at, const struct str *words, size_t n)
{
    const struct command *cmd = command_named(words[0]);
    const bool is_split = n > 3 && str_eq(words[n - 2], STR("="));
    const bool is_begun = n > 2 && str_eq(words[n - 1], STR("=")); /* "--by=" of bash */
    const size_t before = n - (is_split ? 3 : 2);

    if (!cmd || has_own_option(at, cmd))
        return;
    if (is_begun)
        at->part = (struct str){0};
    const struct opt_def *d = option_of(at, cmd, words[before]);
    if (d && d->type != OPT_BOOL) {
        offer_values(at, d);
        return;
    }
    if (str_starts(at->part, STR("-"))) {
        offer_flags(at, cmd->options);
        offer_flags(at, help_common(at->c->arena, cmd));
        return;
    }
    offer_plain(at, cmd, words, n);
}

/* The store that the line names holds for what is offered. */
static void heed_store(struct cli *c, const struct str *words, size_t n)
{
    for (size_t i = 0; i + 2 < n; i++)
        if (str_eq(words[i], STR("--store")))
            c->settings->store_url = words[i + 1];
}

static int offer_words(struct cli *c)
{
    const struct str *words = c->words.items + 1;
    const size_t n = c->words.count - 1;
    struct spot at = {.c = c};

    if (n == 0)
        return EXIT_DONE;
    at.part = words[n - 1];
    heed_store(c, words, n);
    if (n == 1)
        offer_commands(&at);
    else
        offer_at(&at, words, n);
    return EXIT_DONE;
}

static int run_completion(struct cli *c, struct err *e)
{
    if (c->words.count > 0 && str_eq(c->words.items[0], STR("words")))
        return offer_words(c);
    if (cli_want_words(c, 1, 1, e) != OK)
        return EXIT_USAGE;
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++)
        if (str_eq(c->words.items[0], str_from(shells[i]))) {
            buf_add_z(&c->out, scripts[i]);
            return EXIT_DONE;
        }
    err_set(e, ERR_USAGE, "completion for \"" STR_FMT "\" is not known: bash, zsh or fish",
            STR_ARG(c->words.items[0]));
    return EXIT_USAGE;
}

const struct command cmd_completion = {
    .name = "completion",
    .form = "a script for the shell",
    .summary = "print a completion script for bash, zsh or fish",
    .usage = "bash|zsh|fish",
    .description =
        "Prints the script of a shell. It asks fnscope itself for what may stand at the cursor: "
        "commands, their actions, options, the words an option takes, and functions, regions, "
        "accounts and log groups of the store; where nothing of that fits, the shell offers files.",
    .examples = "source <(fnscope completion bash)\tcompletion in this shell\n",
    .run = run_completion,
};

/* fnscope: what functions did and what it cost.
 *
 * Log files or provider APIs -> collector/ decodes them to records -> analyzer/ joins records to
 * invocations and prices them -> core/store/ keeps all of it in SQLite, one file a day -> tui/,
 * reports/ and the commands here read it. cli/pipeline.c is the one place that composes the writing
 * side; docs/ARCHITECTURE.md has the picture.
 *
 * This file: finds the command, loads the settings, runs it, prints its result or its error, and
 * turns the outcome into the exit code (0 done, 1 failed, 2 wrong usage or configuration, 3
 * condition true). */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/common.h"
#include "cli/help.h"
#include "cli/settings.h"
#include "core/base/log.h"
#include "core/base/safe_text.h"

#define OUT_MAX_BYTES ((size_t)1 << 30)

static const struct command *find_command(struct str name)
{
    for (size_t i = 0; commands[i]; i++)
        if (str_eq(str_from(commands[i]->name), name))
            return commands[i];
    return NULL;
}

static void print_error(const struct err *e)
{
    AUTO(buf_clear) struct buf line = {.max = 4096};

    safe_text(&line, str_from(e->msg), SAFE_KEEP_NONE);
    fprintf(stderr, "fnscope: %s\n", line.p ? line.p : "");
}

static int exit_code_of(enum status s)
{
    return s == ERR_USAGE || s == ERR_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}

static int unknown_command(const char *word)
{
    const char *names[64] = {NULL};

    if (word[0] == '-') {
        fprintf(stderr, "fnscope: a command is missing after %s: see `fnscope help`\n", word);
        return EXIT_USAGE;
    }
    for (size_t i = 0; commands[i] && i + 1 < ARRAY_LEN(names); i++)
        names[i] = commands[i]->name;
    struct str near = opt_suggest(str_from(word), names);
    if (near.n > 0)
        fprintf(stderr, "fnscope: there is no command \"%s\"; did you mean \"" STR_FMT "\"?\n",
                word, STR_ARG(near));
    else
        fprintf(stderr, "fnscope: there is no command \"%s\": see `fnscope help`\n", word);
    return EXIT_USAGE;
}

static int run_command(struct cli *c, int argc, char **argv, char **envp)
{
    struct err e = {0};
    int code = EXIT_DONE;

    enum status s = settings_load(c, argc, argv, envp, &e);
    if (s != OK) {
        print_error(&e);
        fprintf(stderr, "See `fnscope %s --help`.\n", c->command->name);
        return exit_code_of(s);
    }
    if (c->settings->is_verbose)
        log_set_level(LOG_DEBUG);
    else if (c->settings->is_quiet)
        log_set_level(LOG_WARN);
    if (c->settings->help)
        help_command(&c->out, c->command);
    else
        code = c->command->run(c, &e);
    if (e.code != OK) {
        print_error(&e);
        code = code == EXIT_DONE || code == EXIT_FAILED ? exit_code_of(e.code) : code;
    }
    bool is_bad = cli_flush(c) != 0 && !c->is_reader_gone;
    return is_bad && code == EXIT_DONE ? EXIT_FAILED : code;
}

/* Whether an option that stands before the command takes the next word as its value. */
static bool takes_next(const char *word)
{
    const bool is_long = word[1] == '-';

    if (is_long ? strchr(word, '=') != NULL : word[1] != '\0' && word[2] != '\0')
        return false;
    for (const struct opt_def *d = common_options; d->key || d->flag; d++)
        if (is_long ? d->flag && strcmp(d->flag, word + 2) == 0 : d->letter && d->letter == word[1])
            return d->type != OPT_BOOL;
    return false;
}

/* `fnscope --store X query` is `fnscope query --store X`: the command comes first, the options that
 * stood before it follow it. */
static void command_first(int argc, char **argv)
{
    int at = 1;

    while (at < argc && argv[at][0] == '-' && argv[at][1] != '\0')
        at += takes_next(argv[at]) ? 2 : 1;
    if (at >= argc)
        return;
    char *command = argv[at];
    memmove(&argv[2], &argv[1], (size_t)(at - 1) * sizeof(*argv));
    argv[1] = command;
}

int main(int argc, char **argv, char **envp)
{
    AUTO(arena_clear) struct arena arena = {0};
    struct cli c = {
        .arena = &arena,
        .out = {.max = OUT_MAX_BYTES},
        .out_is_tty = isatty(STDOUT_FILENO) == 1,
        .err_is_tty = isatty(STDERR_FILENO) == 1,
    };

    command_first(argc, argv);
    const char *word = argc > 1 ? argv[1] : "help";
    setlocale(LC_CTYPE, "");
    tzset();
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(word, "--version") == 0)
        word = "version";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        word = "help";
    c.command = find_command(str_from(word));
    if (!c.command)
        return unknown_command(word);
    int code = run_command(&c, argc > 1 ? argc - 1 : 1, argc > 1 ? argv + 1 : argv, envp);
    buf_clear(&c.out);
    return code;
}

/* fnexec: runs functions on this machine behind AWS's protocols.
 *
 * A manifest names functions (fndef). The listener (api_front) takes AWS API calls and function
 * URLs; api_route finds the operation in the services' tables. An invocation goes through the pool
 * of its function (limits, FIFO) to an execution environment (instance), a child process (spawn,
 * sandbox) that speaks frames or the Lambda Runtime API. What happens is written down (telemetry)
 * and served as CloudWatch Logs, metrics and X-Ray. Everything runs on one event loop.
 *
 * This file: finds the command, reads its options, runs it, prints its result or its error. Exit
 * codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 condition true. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/safe_text.h"
#include "core/base/sql.h"
#include "executor/command.h"

#define OUT_MAX_BYTES ((size_t)64 << 20)

static const struct fnexec_command *find_command(const char *word)
{
    for (size_t i = 0; fnexec_commands[i]; i++)
        if (strcmp(fnexec_commands[i]->name, word) == 0)
            return fnexec_commands[i];
    return NULL;
}

static void print_error(const struct err *e)
{
    struct buf line = {.max = 4096};

    safe_text(&line, str_from(e->msg), SAFE_KEEP_NONE);
    fprintf(stderr, "fnexec: %s\n", line.p ? line.p : "");
    buf_clear(&line);
}

static int unknown_command(const char *word)
{
    const char *names[16] = {NULL};

    for (size_t i = 0; fnexec_commands[i] && i + 1 < ARRAY_LEN(names); i++)
        names[i] = fnexec_commands[i]->name;
    struct str near = opt_suggest(str_from(word), names);
    if (near.n > 0)
        fprintf(stderr, "fnexec: there is no command \"%s\"; did you mean \"" STR_FMT "\"?\n", word,
                STR_ARG(near));
    else
        fprintf(stderr, "fnexec: there is no command \"%s\": see `fnexec help`\n", word);
    return EXIT_USAGE;
}

static int flush(struct buf *out)
{
    struct str rest = buf_str(out);

    while (rest.n > 0) {
        ssize_t n = write(STDOUT_FILENO, rest.p, rest.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return EXIT_FAILED;
        rest = str_skip(rest, (size_t)n);
    }
    return EXIT_DONE;
}

static int run(const struct fnexec_command *c, int argc, char **argv, char **envp)
{
    AUTO(arena_clear) struct arena arena = {0};
    struct fnexec_run r = {.arena = &arena, .out = {.max = OUT_MAX_BYTES}};
    struct clock clock = clock_system();
    struct opt_set set;
    struct err e = {0};
    int code = EXIT_DONE;

    if (opt_init(&set, c->options, &r.options, &arena, clock_now(&clock), &e) == OK &&
        opt_apply_env(&set, envp, &e) == OK &&
        opt_apply_argv(&set, argc, argv, &r.words, &e) == OK) {
        log_set_level(r.options.is_verbose ? LOG_DEBUG : r.options.is_quiet ? LOG_ERROR : LOG_INFO);
        log_set_json(r.options.log_json);
        if (r.options.help)
            fnexec_help(&r.out, c);
        else
            code = c->run(&r, &e);
    }
    int written = flush(&r.out);
    buf_clear(&r.out);
    if (e.code != OK) {
        print_error(&e);
        code = code != EXIT_DONE                             ? code
               : e.code == ERR_USAGE || e.code == ERR_CONFIG ? EXIT_USAGE
                                                             : EXIT_FAILED;
    }
    return code != EXIT_DONE ? code : written;
}

int main(int argc, char **argv, char **envp)
{
    const char *word = argc > 1 ? argv[1] : "help";

    sql_start_quickly();
    signal(SIGPIPE, SIG_IGN);
    if (strcmp(word, "--version") == 0)
        word = "version";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        word = "help";
    const struct fnexec_command *c = find_command(word);
    if (!c)
        return unknown_command(word);
    return run(c, argc > 1 ? argc - 1 : 1, argc > 1 ? argv + 1 : argv, envp);
}

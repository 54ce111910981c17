/* A program: it gets the JSON document on standard input and the main parts as FNSCOPE_ALERT_*
 * variables. No shell, and of the environment only PATH, HOME and LANG; exit status 0 says that it
 * has the message. */
#include <stdlib.h>
#include <string.h>

#include "core/base/child.h"
#include "core/base/program_path.h"
#include "core/base/safe_text.h"
#include "reports/notify/notify_private.h"

struct program {
    struct opt_list command;
    int64_t timeout_ns;
};

#define AT(member) offsetof(struct program, member)

/* clang-format off */
static const struct opt_def options[] = {
    { .key = "command", .type = OPT_LIST, .offset = AT(command),
      .help = "program and its arguments, as a list" },
    { .key = "timeout", .type = OPT_DURATION, .offset = AT(timeout_ns), .default_text = NOTIFY_TIMEOUT,
      .help = "longest time it may take; then it is killed" },
    { 0 },
};
/* clang-format on */

static enum status check(const void *config, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct program *p = config;
    char *found;

    if (p->command.count == 0)
        return err_set(e, ERR_CONFIG, "command is needed: [/usr/local/bin/page, --now]");
    const char *name = arena_strz(&a, p->command.items[0]);
    if (program_find(&a, name, &found))
        return OK;
    return err_set(e, ERR_CONFIG, "command: there is no program \"%s\"%s that may be run", name,
                   strchr(name, '/') ? "" : " in PATH");
}

static const char *variable(struct arena *a, const char *name, struct str value)
{
    AUTO(buf_clear) struct buf b = {.max = 16384};

    buf_addf(&b, "%s=", name);
    safe_text(&b, value, SAFE_KEEP_NONE);
    return arena_strz(a, buf_str(&b));
}

static const char *const *environment(struct arena *a, const struct outbox_entry *m)
{
    static const char *const passed[] = {"PATH", "HOME", "LANG"};
    const struct {
        const char *name;
        struct str value;
    } rows[] = {
        {"FNSCOPE_ALERT_ID", m->id},
        {"FNSCOPE_ALERT_EVENT", str_from(alert_event_name(m->event))},
        {"FNSCOPE_ALERT_KEY", m->alert.key},
        {"FNSCOPE_ALERT_RULE", m->alert.rule},
        {"FNSCOPE_ALERT_SEVERITY", str_from(alert_severity_name(m->alert.severity))},
        {"FNSCOPE_ALERT_NAME", m->alert.subject.of.name},
        {"FNSCOPE_ALERT_SUMMARY", m->alert.summary},
        {"FNSCOPE_ALERT_EVIDENCE", m->alert.evidence},
    };
    const char **env = arena_new(a, const char *, ARRAY_LEN(passed) + ARRAY_LEN(rows) + 1);
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(passed); i++) {
        const char *value = getenv(passed[i]);
        if (value)
            env[n++] = arena_strz(a, arena_printf(a, "%s=%s", passed[i], value));
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        env[n++] = variable(a, rows[i].name, rows[i].value);
    return env;
}

enum { SAID_MAX_BYTES = 4096 };

static enum status run(const void *config, const struct notify_env *env,
                       const struct outbox_entry *m, struct err *e)
{
    AUTO(buf_clear) struct buf body = {.max = 64u << 10};
    AUTO(buf_clear) struct buf said = {.max = SAID_MAX_BYTES};
    const struct program *p = config;
    const char **argv = arena_new(env->arena, const char *, p->command.count + 1);
    int code = 0;

    for (size_t i = 0; i < p->command.count; i++)
        argv[i] = arena_strz(env->arena, p->command.items[i]);
    notify_json(&body, m, env->now_ns);
    const struct child_request q = {argv, environment(env->arena, m), buf_str(&body),
                                    p->timeout_ns};
    enum status status = child_run(&q, &said, &code, e);
    if (status != OK)
        return err_wrap(e, "exec");
    struct str text = buf_str(&said), line = str_trim(str_cut(&text, '\n'));
    return code == 0 ? OK
                     : err_set(e, ERR_AGAIN, "exec: %s ended with status %d%s" STR_FMT, argv[0],
                               code, line.n > 0 ? ": " : "", STR_ARG(line));
}

const struct notifier_ops notify_exec = {
    .type = "exec",
    .help = "a program that gets the alert on standard input",
    .options = options,
    .config_size = sizeof(struct program),
    .check = check,
    .send = run,
};

/* The program's log. Holds the one piece of process-wide state a log needs: its level and form, and
 * the counters that keep a repeating message from flooding the journal. */
#include "core/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/safe_text.h"
#include "core/base/timefmt.h"

#define LINE_MAX_BYTES   4096u
#define REPEATS_ALLOWED  5u   /* of one text */
#define KINDS_ALLOWED    100u /* of one form of message, whatever it says */
#define REPEAT_WINDOW_NS (10 * NS_PER_SEC)
#define REPEAT_SLOTS     256u

/* Mutable globals of the tree: level, form, repeat counters (all atomic). */
static _Atomic int current_level = LOG_INFO;
static atomic_bool is_json;
struct repeat {
    _Atomic uint64_t of; /* hash of what is counted */
    _Atomic int64_t window_start_ns;
    _Atomic unsigned count;
};
static struct {
    struct repeat texts[REPEAT_SLOTS], kinds[REPEAT_SLOTS];
} repeats;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_set_level(enum log_level level)
{
    atomic_store(&current_level, (int)level);
}

void log_set_json(bool json)
{
    atomic_store(&is_json, json);
}

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load(&current_level);
}

/* Within the window the first few pass, then one note, then silence. Who shares a slot with another
 * takes it over: at worst too much is said. */
static bool passes(struct repeat *slots, struct str what, unsigned allowed, int64_t now_ns,
                   bool *is_last)
{
    const uint64_t hash = str_hash(what, 1);
    struct repeat *r = &slots[hash % REPEAT_SLOTS];

    if (atomic_load(&r->of) != hash ||
        now_ns - atomic_load(&r->window_start_ns) > REPEAT_WINDOW_NS) {
        atomic_store(&r->of, hash);
        atomic_store(&r->window_start_ns, now_ns);
        atomic_store(&r->count, 0);
    }
    unsigned n = atomic_fetch_add(&r->count, 1) + 1;
    *is_last = n == allowed;
    return n <= allowed;
}

/* --- redaction --- */

static const struct str secret_names[] = {
    STR_INIT("authorization"),
    STR_INIT("x-amz-security-token"),
    STR_INIT("token"),
    STR_INIT("secret"),
    STR_INIT("password"),
    STR_INIT("secret_access_key"),
    STR_INIT("aws_secret_access_key"),
    STR_INIT("api_key"),
};

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static bool is_secret(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(secret_names); i++)
        if (str_eq_nocase(name, secret_names[i]))
            return true;
    return false;
}

/* Copies text; what follows `name=` or `name:` of a secret name, up to the end of the value,
 * becomes [redacted]. A value may have a scheme in front ("Bearer ..."), so it ends at a comma, a
 * quote or the line's end. */
static void redact(struct buf *out, struct str text)
{
    size_t i = 0;

    while (i < text.n) {
        size_t begin = i;
        while (i < text.n && is_name_char(text.p[i]))
            i++;
        struct str name = str_sub(text, begin, i - begin);
        buf_add_str(out, name);
        if (i >= text.n)
            return;
        bool starts_value = text.p[i] == '=' || text.p[i] == ':';
        buf_add_c(out, text.p[i]);
        i++;
        if (!starts_value || !is_secret(name))
            continue;
        buf_add_z(out, "[redacted]");
        while (i < text.n && !str_eq(str_sub(text, i, 1), STR(",")) && text.p[i] != '"')
            i++;
    }
}

/* --- output --- */

static void compose(struct buf *line, enum log_level level, int64_t now_ns, struct str message)
{
    AUTO(buf_clear) struct buf when = {.max = 64};
    AUTO(buf_clear) struct buf text = {.max = LINE_MAX_BYTES};
    bool json = atomic_load(&is_json);

    time_format(&when, now_ns, 3);
    redact(&text, message);
    buf_addf(line,
             json ? "{\"time\":\"%s\",\"level\":\"%s\",\"msg\":" : "time=%s level=%s msg=", when.p,
             level_names[level]);
    safe_json(line, buf_str(&text));
    buf_add_z(line, json ? "}\n" : "\n");
}

void log_event(enum log_level level, const char *fmt, ...)
{
    AUTO(buf_clear) struct buf line = {.max = (size_t)4 * LINE_MAX_BYTES};
    char message[LINE_MAX_BYTES];
    bool is_last_text = false, is_last_kind = false;
    va_list ap;

    if (!log_enabled(level))
        return;
    struct clock clock = clock_system();
    int64_t now_ns = clock_now(&clock);
    va_start(ap, fmt);
    vsnprintf(message, sizeof(message), fmt, ap);
    va_end(ap);
    if (!passes(repeats.texts, str_from(message), REPEATS_ALLOWED, now_ns, &is_last_text) ||
        !passes(repeats.kinds, str_from(fmt), KINDS_ALLOWED, now_ns, &is_last_kind))
        return;
    compose(&line, level, now_ns, str_from(message));
    if (is_last_text || is_last_kind) {
        buf_cut(&line, line.n - 1);
        buf_addf(&line, " (%s within 10 s are not shown)\n",
                 is_last_text ? "repeats" : "more of the kind");
    }
    ssize_t ignored = write(STDERR_FILENO, line.p, line.n); /* there is nobody to tell */
    UNUSED(ignored);
}

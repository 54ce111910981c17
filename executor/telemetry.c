/* Lines on their way from environments to the log store. */
#include "executor/telemetry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/sql.h"
#include "core/base/timefmt.h"
#include "executor/ids.h"

#define EVENT_MAX_BYTES  ((size_t)1 << 20) /* CloudWatch's limit of an event */
#define SECRET_MIN_BYTES 4                 /* shorter ones would black out ordinary text */

struct telemetry {
    struct executor *x;
    struct log_store *logs;
    const struct fndef *echo; /* whose lines go to standard error */
    struct buf line;          /* being made */
};

static struct str store_path(struct executor *x, struct arena *a)
{
    if (x->state_folder.n == 0)
        return STR(SQL_IN_MEMORY);
    return arena_printf(a, STR_FMT "/logs.db", STR_ARG(x->state_folder));
}

enum status telemetry_start(struct executor *x, int64_t retention_ns, struct telemetry **out,
                            struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct telemetry *t = xcalloc(1, sizeof(*t));

    t->x = x;
    t->line.max = EVENT_MAX_BYTES + 4096;
    enum status s = log_store_start(store_path(x, &a).p, x->loop, retention_ns, &t->logs, e);
    if (s != OK) {
        telemetry_close(t);
        return s;
    }
    *out = t;
    return OK;
}

void telemetry_go(struct telemetry *t)
{
    log_store_go(t->logs);
}

bool telemetry_is_open(const struct telemetry *t)
{
    return log_store_is_open(t->logs);
}

enum status telemetry_ready(struct telemetry *t, struct err *e)
{
    return log_store_ready(t->logs, e);
}

void telemetry_close(struct telemetry *t)
{
    if (!t)
        return;
    log_store_close(t->logs);
    buf_clear(&t->line);
    free(t);
}

void telemetry_echo(struct telemetry *t, const struct fndef *fn)
{
    t->echo = fn;
}

struct log_store *telemetry_logs(struct telemetry *t)
{
    return t->logs;
}

void telemetry_stream_open(struct telemetry *t, const struct fndef *fn, struct arena *a,
                           struct telemetry_stream *out)
{
    int64_t now = loop_wall(t->x->loop);
    struct civil day = time_civil(now);
    struct str id = hex_new(&t->x->rng, a, 16);

    out->fn = fn;
    struct str name = arena_printf(a, "%04d/%02d/%02d/[$LATEST]" STR_FMT, day.year, day.month,
                                   day.day, STR_ARG(id));
    out->log = log_store_stream(t->logs, fn->log_group, name, now);
}

static void add_to_tail(struct buf *tail, struct str message)
{
    const size_t most = LOG_TAIL_BYTES;

    if (tail->n > 16 * most) {
        memmove(tail->p, tail->p + tail->n - most, most);
        buf_cut(tail, most);
    }
    buf_add_str(tail, str_skip(message, message.n > most ? message.n - most : 0));
}

static void add(struct telemetry *t, const struct telemetry_stream *s, struct buf *tail,
                struct str message)
{
    if (message.n == 0)
        return;
    log_store_add(t->logs, &s->log, loop_wall(t->x->loop), message);
    if (tail)
        add_to_tail(tail, message);
    if (s->fn == t->echo)
        fwrite(message.p, 1, message.n, stderr);
}

void telemetry_platform(struct telemetry *t, const struct telemetry_stream *s, struct buf *tail,
                        enum platform_line kind, const struct platform_facts *f)
{
    buf_reset(&t->line);
    platform_line(&t->line, kind, f);
    add(t, s, tail, buf_str(&t->line));
}

static bool has_secrets(const struct fndef *fn)
{
    for (size_t i = 0; i < fn->n_env; i++)
        if (fn->env[i].is_secret)
            return true;
    return false;
}

/* The first secret that begins at this place; NULL when none does. */
static const struct env_var *secret_at(const struct fndef *fn, struct str text)
{
    for (size_t i = 0; i < fn->n_env; i++) {
        const struct env_var *v = &fn->env[i];
        if (v->is_secret && v->value.n >= SECRET_MIN_BYTES && str_starts(text, v->value))
            return v;
    }
    return NULL;
}

static void redact(struct buf *out, const struct fndef *fn, struct str text)
{
    while (text.n > 0) {
        const struct env_var *v = secret_at(fn, text);
        if (v)
            buf_add_z(out, "[redacted]");
        else
            buf_add_c(out, text.p[0]);
        text = str_skip(text, v ? v->value.n : 1);
    }
}

void telemetry_line(struct telemetry *t, const struct telemetry_stream *s, struct buf *tail,
                    struct str message)
{
    struct str text = str_sub(message, 0, EVENT_MAX_BYTES);

    if (has_secrets(s->fn)) {
        buf_reset(&t->line);
        redact(&t->line, s->fn, text);
        text = buf_str(&t->line);
    }
    add(t, s, tail, text);
}

void executor_observe(struct executor *x, struct observer *o)
{
    o->next = x->observers;
    x->observers = o;
}

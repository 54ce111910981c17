#include "tests/sim/twin.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/clock.h"
#include "core/base/timefmt.h"

void twin_reset(struct twin *t)
{
    *t = (struct twin){.scenario = t->scenario, .arena = t->arena};
    arena_reset(&t->arena);
}

void twin_clear(struct twin *t)
{
    arena_clear(&t->arena);
    *t = (struct twin){0};
}

/* --- taking --- */

static const struct origin *own_origin(const struct twin *t, const struct origin *o)
{
    for (size_t i = 0; i < t->scenario->n_origins; i++)
        if (t->scenario->origin_list[i]->hash == o->hash)
            return t->scenario->origin_list[i];
    return NULL;
}

static struct invocation *find_row(struct twin *t, const struct invocation *like, int64_t start_ns)
{
    for (size_t i = 0; i < t->n_rows; i++)
        if (t->rows[i].start_ns == start_ns && t->rows[i].origin->hash == like->origin->hash &&
            str_eq(t->rows[i].id, like->id))
            return &t->rows[i];
    return NULL;
}

static void take_row(struct twin *t, const struct invocation *inv)
{
    if (inv->has_stored) {
        struct invocation *old = find_row(t, inv, inv->stored_start_ns);
        if (!old)
            t->fault = "a row is replaced that was never given";
        else
            *old = t->rows[--t->n_rows];
    }
    if (inv->is_removed)
        return;
    if (find_row(t, inv, inv->start_ns))
        t->fault = "a row is given twice and does not replace the first";
    t->rows = arena_grow(&t->arena, t->rows, t->n_rows, &t->cap_rows, sizeof(*t->rows));
    struct invocation *row = &t->rows[t->n_rows++];
    *row = *inv;
    row->origin = own_origin(t, inv->origin);
    row->id = arena_str(&t->arena, inv->id);
    row->trace_id = arena_str(&t->arena, inv->trace_id);
    row->error_type = arena_str(&t->arena, inv->error_type);
    row->version = arena_str(&t->arena, inv->version);
    row->pieces = arena_str(&t->arena, inv->pieces);
    row->has_stored = true;
    row->stored_start_ns = inv->start_ns;
}

static int compare_events(const struct instance_event *x, const struct instance_event *y)
{
    const struct str pairs[][2] = {{x->error_type, y->error_type},
                                   {x->status, y->status},
                                   {x->init_type, y->init_type},
                                   {x->phase, y->phase}};

    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        if (!str_eq(pairs[i][0], pairs[i][1]))
            return str_cmp(pairs[i][0], pairs[i][1]);
    if (x->duration_ns != y->duration_ns)
        return x->duration_ns < y->duration_ns ? -1 : 1;
    return str_cmp(x->runtime_version, y->runtime_version);
}

/* Of two of a kind in one instant the smaller stays. */
static struct instance_event *place_of(struct twin *t, const struct instance_event *ev)
{
    for (size_t i = 0; i < t->n_events; i++) {
        struct instance_event *own = &t->events[i];
        if (own->time_ns == ev->time_ns && own->kind == ev->kind &&
            own->origin->hash == ev->origin->hash)
            return compare_events(ev, own) < 0 ? own : NULL;
    }
    t->events = arena_grow(&t->arena, t->events, t->n_events, &t->cap_events, sizeof(*t->events));
    return &t->events[t->n_events++];
}

static void take_event(struct twin *t, const struct instance_event *ev)
{
    struct instance_event *own = place_of(t, ev);

    if (!own)
        return;
    *own = *ev;
    own->origin = own_origin(t, ev->origin);
    own->status = arena_str(&t->arena, ev->status);
    own->error_type = arena_str(&t->arena, ev->error_type);
    own->init_type = arena_str(&t->arena, ev->init_type);
    own->phase = arena_str(&t->arena, ev->phase);
    own->runtime_version = arena_str(&t->arena, ev->runtime_version);
}

void twin_take(struct twin *t, const struct batch *b)
{
    for (size_t i = 0; i < b->n_invocations; i++)
        take_row(t, &b->invocations[i]);
    for (size_t i = 0; i < b->n_instance_events; i++)
        take_event(t, &b->instance_events[i]);
}

/* --- look-ups: a day around, as the store does --- */

static bool is_near(int64_t t_ns, int64_t around_ns)
{
    return t_ns / NS_PER_DAY - around_ns / NS_PER_DAY <= 1 &&
           around_ns / NS_PER_DAY - t_ns / NS_PER_DAY <= 1;
}

enum status twin_find_id(void *ctx, struct str id, int64_t around_ns, struct arena *a,
                         struct invocation_list *out, struct err *e)
{
    const struct twin *t = ctx;

    UNUSED(e);
    *out = (struct invocation_list){.rows = arena_new(a, struct invocation, t->n_rows + 1)};
    for (size_t i = 0; i < t->n_rows; i++)
        if (str_eq(t->rows[i].id, id) && is_near(t->rows[i].start_ns, around_ns))
            out->rows[out->n++] = t->rows[i];
    return OK;
}

enum status twin_find_instance(void *ctx, const struct origin *o, int64_t around_ns,
                               struct arena *a, struct instance_event_list *out, struct err *e)
{
    const struct twin *t = ctx;

    UNUSED(e);
    *out =
        (struct instance_event_list){.rows = arena_new(a, struct instance_event, t->n_events + 1)};
    for (size_t i = 0; i < t->n_events; i++)
        if (t->events[i].origin->hash == o->hash && is_near(t->events[i].time_ns, around_ns))
            out->rows[out->n++] = t->events[i];
    return OK;
}

enum status twin_find_requests(void *ctx, const struct origin *o, struct range r, struct arena *a,
                               struct invocation_list *out, struct err *e)
{
    const struct twin *t = ctx;

    UNUSED(e);
    *out = (struct invocation_list){.rows = arena_new(a, struct invocation, t->n_rows + 1)};
    for (size_t i = 0; i < t->n_rows; i++)
        if (t->rows[i].origin->hash == o->hash && t->rows[i].start_ns >= r.since_ns &&
            t->rows[i].start_ns < r.until_ns)
            out->rows[out->n++] = t->rows[i];
    return OK;
}

bool twin_knows_instance(void *ctx, const struct origin *o)
{
    const struct twin *t = ctx;

    for (size_t i = 0; i < t->n_rows; i++)
        if (t->rows[i].origin->hash == o->hash)
            return true;
    for (size_t i = 0; i < t->n_events; i++)
        if (t->events[i].origin->hash == o->hash)
            return true;
    return false;
}

/* --- showing --- */

uint64_t twin_hash(const struct twin *t)
{
    uint64_t sum = t->n_rows * 1000 + t->n_events;

    for (size_t i = 0; i < t->n_rows; i++) {
        const struct invocation *r = &t->rows[i];
        const int64_t numbers[] = {
            r->start_ns,
            r->duration_ns,
            r->init_ns,
            r->restore_ns,
            r->billed_ns,
            r->init_lead_ns,
            r->outcome,
            r->start,
            r->attempt,
            r->evidence,
            r->is_final,
            (int64_t)r->seq,
            (int64_t)r->memory_bytes,
            (int64_t)r->max_memory_bytes,
        };
        uint64_t h = str_hash((struct str){(const char *)numbers, sizeof(numbers)}, 0);
        h = str_hash(r->id, h);
        h = str_hash(r->error_type, h);
        h = str_hash(r->version, h);
        h = str_hash(r->pieces, h);
        sum += str_hash(r->trace_id, h ^ r->origin->hash);
    }
    for (size_t i = 0; i < t->n_events; i++) {
        const struct instance_event *v = &t->events[i];
        uint64_t h = str_hash(v->status, (uint64_t)v->time_ns * 31 + (uint64_t)v->kind);
        h = str_hash(v->error_type, h ^ (uint64_t)v->duration_ns);
        h = str_hash(v->init_type, h);
        h = str_hash(v->runtime_version, h);
        sum += str_hash(v->phase, h ^ v->origin->hash);
    }
    return sum;
}

static void add_evidence(struct buf *b, unsigned evidence)
{
    static const char *const names[] = {
        "START",          "END",       "REPORT",    "RUNTIME_DONE", "INIT_START",    "INIT_REPORT",
        "TIMEOUT",        "EXIT",      "APP_ERROR", "PROACTIVE",    "SUPPRESSED",    "ESTIMATED",
        "NO_BILLING",     "DUPLICATE", "ASSUMED",   "JAVA_RUNTIME", "OTHER_RUNTIME", "RESTORE_FREE",
        "RESTORE_BILLED", "FORGED",    "DOUBTFUL",  "GUESSED",      "ERROR_GUESSED"};

    const char *before = "";
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (evidence & 1u << i) {
            buf_addf(b, "%s%s", before, names[i]);
            before = "|";
        }
}

static void add_us(struct buf *b, const char *name, int64_t ns)
{
    if (ns != 0)
        buf_addf(b, " %s=%lld", name, (long long)(ns / NS_PER_US));
}

static void add_text(struct buf *b, const char *name, struct str s)
{
    if (s.n > 0)
        buf_addf(b, " %s=" STR_FMT, name, STR_ARG(s));
}

/* The stream's last four digits are enough to tell environments apart. */
static void add_origin(struct buf *b, const struct origin *o)
{
    size_t skip = o->instance.n > 4 ? o->instance.n - 4 : 0;

    buf_addf(b, " " STR_FMT "/" STR_FMT, STR_ARG(o->fn->name),
             STR_ARG(str_skip(o->instance, skip)));
}

static void add_row(struct buf *b, const struct invocation *r)
{
    add_text(b, "inv", r->id);
    buf_addf(b, " #%u ", r->attempt);
    time_format(b, r->start_ns, 3);
    add_origin(b, r->origin);
    buf_addf(b, " %s %s%s", outcome_name(r->outcome), start_kind_name(r->start),
             r->is_final ? "" : " open");
    add_us(b, "duration", r->duration_ns);
    add_us(b, "billed", r->billed_ns);
    add_us(b, "init", r->init_ns);
    add_us(b, "restore", r->restore_ns);
    add_us(b, "lead", r->init_lead_ns);
    buf_addf(b, " mb=%llu/%llu ", (unsigned long long)(r->max_memory_bytes >> 20),
             (unsigned long long)(r->memory_bytes >> 20));
    add_evidence(b, r->evidence);
    add_text(b, "error", r->error_type);
    add_text(b, "version", r->version);
    add_text(b, "trace", r->trace_id);
}

static void add_event(struct buf *b, const struct instance_event *v)
{
    buf_addf(b, " env ");
    time_format(b, v->time_ns, 3);
    add_origin(b, v->origin);
    buf_addf(b, " %s", platform_kind_name(v->kind));
    add_us(b, "duration", v->duration_ns);
    add_text(b, "status", v->status);
    add_text(b, "error", v->error_type);
    add_text(b, "init_type", v->init_type);
    add_text(b, "phase", v->phase);
    add_text(b, "runtime", v->runtime_version);
}

static int compare_lines(const void *a, const void *b)
{
    struct str x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return str_cmp(x, y);
}

void twin_dump(const struct twin *t, struct buf *out)
{
    AUTO(arena_clear) struct arena a = {0};
    size_t n = t->n_rows + t->n_events;
    struct str *lines = arena_new(&a, struct str, n + 1);

    for (size_t i = 0; i < n; i++) {
        AUTO(buf_clear) struct buf b = {.max = 4096};
        if (i < t->n_rows)
            add_row(&b, &t->rows[i]);
        else
            add_event(&b, &t->events[i - t->n_rows]);
        lines[i] = arena_str(&a, str_skip(buf_str(&b), 1));
    }
    qsort(lines, n, sizeof(*lines), compare_lines);
    for (size_t i = 0; i < n; i++) {
        buf_add_str(out, lines[i]);
        buf_add_c(out, '\n');
    }
}

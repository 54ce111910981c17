/* Spans of traces: written with their batch into the file of the day they began, read by trace and
 * by time. */
#include <stdlib.h>

#include "core/base/timefmt.h"
#include "core/store/store_private.h"

/* A trace as its column holds it: 16 bytes where it has the form, else text. Bound values are not
 * copied, so the bytes live with the caller. */
static struct str trace_key(struct str trace_id, uint8_t bytes[16])
{
    return trace_pack(trace_id, bytes) ? (struct str){(const char *)bytes, 16} : trace_id;
}

/* --- writing --- */

static void bind_span(struct sql_stmt *st, const struct span *s, struct str trace, int64_t base_ns)
{
    const struct str texts[] = {s->id, s->parent_id};
    const struct str origin[] = {s->of.account, s->of.region, s->of.name};
    const struct str rest[] = {s->name,       s->origin, s->detail,
                               s->request_id, s->error,  s->annotations};
    int n = 1;

    sql_bind_blob(st, n++, trace);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        sql_bind_str(st, n++, texts[i]);
    sql_bind_i64(st, n++, s->of.provider);
    for (size_t i = 0; i < ARRAY_LEN(origin); i++)
        sql_bind_str(st, n++, origin[i]);
    sql_bind_i64(st, n++, s->start_ns - base_ns);
    if ((s->flags & SPAN_OPEN) != 0)
        sql_bind_null(st, n++);
    else
        sql_bind_i64(st, n++, s->end_ns - s->start_ns);
    sql_bind_i64(st, n++, s->flags);
    sql_bind_i64(st, n++, s->http_status);
    for (size_t i = 0; i < ARRAY_LEN(rest); i++)
        sql_bind_str(st, n++, rest[i]);
}

/* A span that has ended is not replaced by an older reading in which it was still open. */
static const char put_text[] =
    "insert into span(trace, id, parent, provider, account, region, fn, ts, dur, flags, http, "
    "name, origin, detail, rid, error, annotations) values(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
    "on conflict do update set parent=excluded.parent, fn=excluded.fn, ts=excluded.ts, "
    "dur=excluded.dur, flags=excluded.flags, http=excluded.http, name=excluded.name, "
    "origin=excluded.origin, detail=excluded.detail, rid=excluded.rid, error=excluded.error, "
    "annotations=excluded.annotations where span.dur is null or excluded.dur is not null";

enum status spans_write(struct day *d, const struct pack *k, struct err *e)
{
    enum status status = OK;

    for (size_t i = 0; status == OK && i < k->n_spans; i++) {
        if (day_of(k->spans[i].start_ns) != d->number)
            continue;
        if (!d->put_span)
            status = sql_prepare(d->db, str_from(put_text), &d->put_span, e);
        if (status != OK)
            break;
        uint8_t bytes[16];
        bind_span(d->put_span, &k->spans[i], trace_key(k->spans[i].trace_id, bytes),
                  d->number * NS_PER_DAY);
        status = sql_run(d->put_span, e);
    }
    return status;
}

/* --- reading --- */

static struct str copy(struct arena *a, const struct sql_stmt *st, int column)
{
    return arena_str(a, sql_str(st, column));
}

static struct span read_span(const struct sql_stmt *st, int64_t base_ns, struct arena *a)
{
    struct span s = {
        .trace_id = trace_unpack(sql_blob(st, 0), a),
        .id = copy(a, st, 1),
        .parent_id = copy(a, st, 2),
        .of = {.provider = (enum provider)sql_i64(st, 3),
               .account = copy(a, st, 4),
               .region = copy(a, st, 5),
               .name = copy(a, st, 6)},
        .start_ns = base_ns + sql_i64(st, 7),
        .flags = (unsigned)sql_i64(st, 9),
        .http_status = (uint32_t)sql_i64(st, 10),
        .name = copy(a, st, 11),
        .origin = copy(a, st, 12),
        .detail = copy(a, st, 13),
        .request_id = copy(a, st, 14),
        .error = copy(a, st, 15),
        .annotations = copy(a, st, 16),
    };

    s.end_ns = sql_is_null(st, 8) ? 0 : s.start_ns + sql_i64(st, 8);
    return s;
}

struct reader {
    const struct span_request *q;
    uint8_t trace[16]; /* bound */
    struct arena *arena;
    struct span_list list;
    size_t cap;
};

static bool passes(const struct span_request *q, const struct span *s)
{
    return s->start_ns >= q->range.since_ns && s->start_ns < q->range.until_ns &&
           fn_filter_passes(&q->fn, &s->of);
}

static enum status prepare(struct day *d, struct reader *r, struct sql_stmt **st, struct err *e)
{
#define COLUMNS                                                                                    \
    "select trace, id, parent, provider, account, region, fn, ts, dur, flags, http, name, "        \
    "origin, detail, rid, error, annotations from span"
    const struct str trace_id = r->q->trace_id;
    enum status s =
        sql_prepare(d->db, trace_id.n > 0 ? STR(COLUMNS " where trace = ?") : STR(COLUMNS), st, e);
#undef COLUMNS

    if (s == OK && trace_id.n > 0)
        sql_bind_blob(*st, 1, trace_key(trace_id, r->trace));
    return s;
}

static enum status read_day(struct store *s, int64_t number, struct reader *r, struct err *e)
{
    struct sql_stmt *st = NULL;
    struct day *d;
    bool has_row = false;
    enum status status = store_day(s, number, false, &d, e);

    if (status != OK || !d || !schema_has(d->db, "span"))
        return status;
    status = prepare(d, r, &st, e);
    while (status == OK && (status = sql_step(st, &has_row, e)) == OK && has_row) {
        struct span span = read_span(st, number * NS_PER_DAY, r->arena);
        if (!passes(r->q, &span))
            continue;
        r->list.rows =
            arena_grow(r->arena, r->list.rows, r->list.n, &r->cap, sizeof(*r->list.rows));
        r->list.rows[r->list.n++] = span;
    }
    sql_finalize(st);
    return status;
}

enum status spans_of_day(struct store *s, int64_t number, const struct span_request *q,
                         struct arena *a, struct span_list *out, struct err *e)
{
    struct reader r = {.q = q, .arena = a};
    enum status status = read_day(s, number, &r, e);

    if (status == OK)
        *out = r.list;
    return status;
}

static enum status read_days(struct store *s, struct reader *r, struct err *e)
{
    enum status status = s->is_null ? OK : store_scan_days(s, e);

    for (size_t i = 0; status == OK && !s->is_null && i < s->n_day_numbers; i++)
        if (range_meets_day(r->q->range, s->day_numbers[i]))
            status = read_day(s, s->day_numbers[i], r, e);
    return status;
}

static int compare_starts(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    int c = (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);

    c = c ? c : str_cmp(x->trace_id, y->trace_id);
    return c ? c : str_cmp(x->id, y->id);
}

enum status request_spans(struct store *s, const struct span_request *q, struct arena *a,
                          struct span_list *out, struct err *e)
{
    struct reader r = {.q = q, .arena = a};
    enum status status = read_days(s, &r, e);

    if (status != OK)
        return status;
    if (r.list.n > 1)
        qsort(r.list.rows, r.list.n, sizeof(*r.list.rows), compare_starts);
    if (q->limit > 0 && r.list.n > q->limit)
        r.list.n = q->limit;
    *out = r.list;
    return OK;
}

enum status request_trace(struct store *s, struct str trace_id, int64_t around_ns, struct arena *a,
                          struct span_list *out, struct err *e)
{
    const struct span_request q = {
        .range = around_ns == 0 ? (struct range){INT64_MIN / 2, INT64_MAX / 2}
                                : (struct range){around_ns - NS_PER_DAY, around_ns + NS_PER_DAY},
        .trace_id = trace_id,
    };
    struct reader r = {.q = &q, .arena = a};
    enum status status = trace_id.n > 0 ? read_days(s, &r, e) : OK;

    if (status != OK)
        return status;
    spans_arrange(&r.list, a);
    *out = r.list;
    return OK;
}

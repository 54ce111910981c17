/* The table `spans` of `fnscope sql`: one row a segment or subsegment of a trace. Columns are
 * described in fnscope-schema(7). */
#include "core/base/timefmt.h"
#include "core/store/sql_live_tables.h"

static enum status load_spans(struct store *s, int64_t day, const struct table_filter *f,
                              struct arena *a, struct table_rows *out, struct err *e)
{
    const struct span_request q = {.range = f->range, .trace_id = f->request_id};
    struct span_list l = {0};
    enum status status = spans_of_day(s, day, &q, a, &l, e);

    if (status == OK)
        *out = (struct table_rows){l.rows, l.n};
    return status;
}

enum {
    SP_TIME,
    SP_TIME_NS,
    SP_TRACE,
    SP_DURATION = 15,
    SP_STATE,
    SP_HTTP,
};

static void put_time_us(const struct cell_out *out, int64_t t_ns)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    time_format(&b, t_ns, 6);
    out->put_str(out->to, buf_str(&b));
}

/* Milliseconds with their fraction; null while the span runs. */
static void put_duration(const struct cell_out *out, const struct span *r)
{
    if ((r->flags & SPAN_OPEN) != 0)
        out->put_null(out->to);
    else
        out->put_scaled(out->to, r->end_ns - r->start_ns, 6);
}

static void span_cell(struct store *s, const void *row, int column, const struct cell_out *out)
{
    const struct span *r = row;
    const struct str texts[] = {
        r->trace_id,    r->id,        r->parent_id,  str_from(provider_name(r->of.provider)),
        r->of.account,  r->of.region, r->of.name,    r->name,
        r->origin,      r->detail,    r->request_id, r->error,
        r->annotations,
    };

    UNUSED(s);
    if (column == SP_TIME)
        put_time_us(out, r->start_ns);
    else if (column == SP_TIME_NS)
        out->put_i64(out->to, r->start_ns);
    else if (column < SP_DURATION)
        put_text(out, texts[column - SP_TRACE]);
    else if (column == SP_DURATION)
        put_duration(out, r);
    else if (column == SP_STATE)
        put_text(out, str_from(span_state(r)));
    else if (r->http_status > 0)
        out->put_i64(out->to, r->http_status);
    else
        out->put_null(out->to);
}

/* The id a query may name is the trace's. */
const struct sql_table spans_table = {
    .name = "spans",
    .schema = "create table x(time text, time_ns int, trace_id text, span_id text, parent_id text, "
              "provider text, account text, region text, function text, name text, origin text, "
              "detail text, request_id text, error text, annotations text, duration_ms real, "
              "state text, http_status int)",
    .time_column = SP_TIME_NS,
    .function_column = -1,
    .id_column = SP_TRACE,
    .load = load_spans,
    .cell = span_cell,
    .row_bytes = sizeof(struct span),
};

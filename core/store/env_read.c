/* Events of environments: of one stream, of a function, of all. */
#include "core/store/store_private.h"

#define EVENT_COLUMNS "ts, kind, dur, status, error, init_type, phase, runtime, stream"

static void read_event(struct store *s, const struct sql_stmt *st, int64_t day, struct arena *a,
                       struct instance_event *ev)
{
    const int64_t dur = sql_i64(st, 2); /* negative: schema.c */

    *ev = (struct instance_event){
        .origin = dim_origin(s, (uint32_t)sql_i64(st, 8)),
        .time_ns = day * NS_PER_DAY + sql_i64(st, 0),
        .kind = (enum platform_kind)sql_i64(st, 1),
        .duration_ns = dur > 0 ? dur : 0,
        .arrival = (uint16_t)(dur < 0 ? -dur : 0),
        .status = arena_str(a, sql_str(st, 3)),
        .error_type = arena_str(a, sql_str(st, 4)),
        .init_type = arena_str(a, sql_str(st, 5)),
        .phase = arena_str(a, sql_str(st, 6)),
        .runtime_version = arena_str(a, sql_str(st, 7)),
    };
}

enum status events_of_stream(struct store *s, uint32_t stream, struct range r, struct arena *a,
                             struct instance_event_list *out, struct err *e)
{
    enum status status = OK;
    size_t cap = 0;

    *out = (struct instance_event_list){0};
    for (int64_t day = day_of(r.since_ns); status == OK && day <= day_of(r.until_ns - 1); day++) {
        struct sql_stmt *st;
        struct day *d;
        bool has_row = false;
        status = store_day(s, day, false, &d, e);
        if (status != OK || !d)
            continue;
        status = sql_prepare(d->db,
                             STR("select " EVENT_COLUMNS
                                 " from env where stream = ? and ts >= ? and ts < ? order by ts"),
                             &st, e);
        if (status != OK)
            break;
        sql_bind_i64(st, 1, stream);
        sql_bind_i64(st, 2, r.since_ns - day * NS_PER_DAY);
        sql_bind_i64(st, 3, r.until_ns - day * NS_PER_DAY);
        while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
            out->rows = arena_grow(a, out->rows, out->n, &cap, sizeof(*out->rows));
            read_event(s, st, day, a, &out->rows[out->n++]);
        }
        sql_finalize(st);
    }
    return status;
}

/* Functions are told by their stream; the store numbers functions and knows which one a stream
 * belongs to. */
static uint32_t fn_of_stream(struct store *s, uint32_t stream)
{
    struct sql_stmt *st;
    bool has_row = false;
    uint32_t fn = 0;

    if (sql_prepare(s->meta, STR("select fn from stream where id = ?"), &st, NULL) != OK)
        return 0;
    sql_bind_i64(st, 1, stream);
    if (sql_step(st, &has_row, NULL) == OK && has_row)
        fn = (uint32_t)sql_i64(st, 0);
    sql_finalize(st);
    return fn;
}

enum status request_instance_events(struct store *s, struct range r, uint32_t fn_id,
                                    instance_event_fn *fn, void *ctx, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    enum status status = s->is_null ? OK : store_scan_days(s, e);

    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++) {
        int64_t day = s->day_numbers[i];
        struct range c = range_of_day(r, day);
        struct sql_stmt *st;
        struct day *d;
        bool has_row = false;
        if (c.since_ns >= c.until_ns)
            continue;
        status = store_day(s, day, false, &d, e);
        if (status != OK || !d)
            continue;
        status = sql_prepare(
            d->db,
            STR("select " EVENT_COLUMNS " from env where ts >= ? and ts < ? order by ts, stream"),
            &st, e);
        if (status != OK)
            break;
        sql_bind_i64(st, 1, c.since_ns - day * NS_PER_DAY);
        sql_bind_i64(st, 2, c.until_ns - day * NS_PER_DAY);
        while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
            struct instance_event ev;
            uint32_t owner = fn_of_stream(s, (uint32_t)sql_i64(st, 8));
            if (fn_id != 0 && owner != fn_id)
                continue;
            read_event(s, st, day, &a, &ev);
            status = fn(ctx, owner, &ev, e);
            if (status != OK)
                break;
        }
        sql_finalize(st);
    }
    return status == ERR_CANCELLED ? OK : status;
}

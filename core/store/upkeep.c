/* Upkeep: removing old days, checking every file, dumping everything in canonical order. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/timefmt.h"
#include "core/store/fact_store.h"

/* --- prune --- */

/* A day's roll-ups stay when its file goes. */
static enum status keep_rolls(struct store *s, struct day *d, struct err *e)
{
    struct sql_stmt *from = NULL, *to = NULL;
    bool has_row = false;
    enum status status = sql_prepare(d->db, STR("select fn, slot, data from roll"), &from, e);

    if (status == OK)
        status = sql_prepare(
            s->meta, STR("insert or replace into roll_old(day, fn, slot, data) values(?,?,?,?)"),
            &to, e);
    while (status == OK && (status = sql_step(from, &has_row, e)) == OK && has_row) {
        sql_bind_i64(to, 1, d->number);
        sql_bind_i64(to, 2, sql_i64(from, 0));
        sql_bind_i64(to, 3, sql_i64(from, 1));
        sql_bind_blob(to, 4, sql_blob(from, 2));
        status = sql_run(to, e);
    }
    sql_finalize(from);
    sql_finalize(to);
    return status;
}

static enum status unmark_day(struct store *s, int64_t number, struct err *e)
{
    struct sql_stmt *st;
    enum status status =
        sql_prepare(s->meta, STR("delete from counter where name = 'day ' || ?"), &st, e);

    if (status != OK)
        return status;
    sql_bind_i64(st, 1, number);
    status = sql_run(st, e);
    sql_finalize(st);
    return status;
}

static enum status remove_day(struct store *s, int64_t number, struct err *e)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    AUTO(arena_clear) struct arena a = {0};
    const char *path = store_day_file(&a, s, number);
    struct day *d;
    enum status status = store_day(s, number, false, &d, e);

    if (status == OK && d)
        status = keep_rolls(s, d, e);
    if (status != OK)
        return status;
    status = unmark_day(s, number, e);
    if (status != OK)
        return status;
    store_close_day(s, number);
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (unlink(arena_strz(&a, arena_printf(&a, "%s%s", path, endings[i]))) != 0 &&
            errno != ENOENT)
            return err_errno(e, errno, "remove %s", path);
    return OK;
}

enum status store_prune(struct store *s, int64_t before_ns, uint64_t *days, struct err *e)
{
    uint64_t n = 0;
    enum status status = store_scan_days(s, e);

    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++) {
        if ((s->day_numbers[i] + 1) * NS_PER_DAY > before_ns)
            break;
        status = remove_day(s, s->day_numbers[i], e);
        if (status == OK)
            atomic_store(&s->removed_before, s->day_numbers[i] + 1);
        n += status == OK;
    }
    if (status == OK)
        status = store_scan_days(s, e);
    if (status == OK)
        *days = n;
    return status;
}

/* --- verify --- */

struct verifier {
    struct store *store;
    store_finding_fn *on_finding;
    void *ctx;
    struct arena arena;
};

static void finding(struct verifier *v, struct sql *db, struct str what)
{
    v->on_finding(v->ctx, sql_path(db), what);
}

static enum status check_integrity(struct verifier *v, struct sql *db, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(db, STR("pragma integrity_check(10)"), &st, e);

    if (s != OK)
        return s;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row)
        if (!str_eq(sql_str(st, 0), STR("ok")))
            finding(v, db, sql_str(st, 0));
    sql_finalize(st);
    return s;
}

/* What a chunk holds, counted again, to stand against its head. */
struct chunk_check {
    struct fn_choice fns;
    struct zstd_ctx *zstd;
    struct buf raw;
    struct line_tally tally;
    int64_t n, t0, t1;
    bool is_bad;
};

static void count_chunk(struct chunk_check *k)
{
    struct chunk_cursor c;
    struct chunk_line l;

    line_tally_reset(&k->tally);
    k->n = 0;
    k->t0 = INT64_MAX;
    k->t1 = INT64_MIN;
    chunk_begin(&c, buf_str(&k->raw), 0);
    for (; chunk_next(&c, &l); k->n++) {
        k->t0 = l.time_ns < k->t0 ? l.time_ns : k->t0;
        k->t1 = l.time_ns > k->t1 ? l.time_ns : k->t1;
        line_tally_add(&k->tally, fn_choice_of_stream(&k->fns, l.stream), l.severity, l.body.n);
    }
    k->is_bad = c.is_bad;
}

/* Readers skip a chunk by its head. */
static bool head_is_right(struct chunk_check *k, const struct sql_stmt *st)
{
    AUTO(buf_clear) struct buf tally = {.max = (size_t)64 << 20};

    line_tally_pack(&k->tally, &tally);
    return !sql_is_null(st, 4) && sql_i64(st, 4) == k->t0 && sql_i64(st, 5) == k->t1 &&
           (sql_is_null(st, 6) || str_eq(sql_blob(st, 6), buf_str(&tally)));
}

static void check_chunk(struct verifier *v, struct sql *db, struct chunk_check *k,
                        const struct sql_stmt *st)
{
    struct err e = {0};
    int64_t id = sql_i64(st, 0), n = sql_i64(st, 1), raw_bytes = sql_i64(st, 2);

    buf_reset(&k->raw);
    if (raw_bytes < 0 ||
        zstd_unpack(k->zstd, sql_blob(st, 3), (size_t)raw_bytes, &k->raw, &e) != OK) {
        finding(v, db, arena_printf(&v->arena, "log chunk %lld: %s", (long long)id, e.msg));
        return;
    }
    count_chunk(k);
    if (k->n != n || k->is_bad)
        finding(v, db,
                arena_printf(&v->arena, "log chunk %lld does not hold the %lld lines it should",
                             (long long)id, (long long)n));
    else if (!head_is_right(k, st))
        finding(v, db,
                arena_printf(&v->arena, "the head of log chunk %lld does not fit its lines",
                             (long long)id));
}

static enum status check_chunks(struct verifier *v, struct day *d, struct err *e)
{
    struct chunk_check k = {
        .fns = {.store = v->store}, .zstd = zstd_ctx_new(1), .raw.max = (size_t)64 << 20};
    struct sql_stmt *st = NULL;
    bool has_row = false;
    enum status s = sql_prepare(
        d->db,
        day_has_heads(d) ? STR("select c.id, c.n, c.raw, c.data, h.t0, h.t1, h.tally from chunk c"
                               " left join chunk_head h on h.id = c.id")
                         : STR("select id, n, raw, data, t0, t1, null from chunk"),
        &st, e);

    while (s == OK && (s = sql_step(st, &has_row, e)) == OK && has_row)
        check_chunk(v, d->db, &k, st);
    sql_finalize(st);
    zstd_ctx_free(k.zstd);
    buf_clear(&k.raw);
    line_tally_clear(&k.tally);
    fn_choice_clear(&k.fns);
    return s;
}

/* Readers skip a group whose bounds miss their range, so the bounds must be right. */
static void check_group(struct verifier *v, struct day *d, const struct sql_stmt *st)
{
    int64_t id = sql_i64(st, 0), n = sql_i64(st, 1), t0 = sql_i64(st, 2), t1 = sql_i64(st, 3);
    struct group_reader r;
    struct fact f = {0};
    int64_t count = 0, first_ns = -1;

    group_open(&r, group_fn(id), (struct range){t0, t1}, sql_blob(st, 4));
    for (; group_next(&r, &f); count++)
        first_ns = count == 0 ? f.ts_ns : first_ns;
    if (r.in.is_bad || count != n || first_ns != t0 || f.ts_ns != t1 ||
        id < group_first_id(group_fn(id), hour_of_day(t0, 0)) ||
        id > group_last_id(group_fn(id), hour_of_day(t1, 0)))
        finding(v, d->db,
                arena_printf(&v->arena, "group %lld does not hold the %lld invocations it should",
                             (long long)id, (long long)n));
}

static enum status check_groups(struct verifier *v, struct day *d, struct err *e)
{
    struct sql_stmt *st = NULL;
    bool has_row = false;
    enum status s = d->has_groups
                        ? sql_prepare(d->db, STR("select id, n, t0, t1, data from facts"), &st, e)
                        : OK;

    while (st && s == OK && (s = sql_step(st, &has_row, e)) == OK && has_row)
        check_group(v, d, st);
    sql_finalize(st);
    return s;
}

static void add_line_counts(void *ctx, int64_t time_ns, uint32_t fn, const struct line_counts *add)
{
    struct stats *out = ctx;

    UNUSED(time_ns);
    UNUSED(fn);
    out->log_events += add->lines;
    out->log_bytes += add->bytes;
    out->log_errors += add->errors;
}

static enum status count_day(struct store *s, struct day *d, uint32_t fn, struct stats *out,
                             struct err *e)
{
    static const struct fn_filter any = {0};
    int64_t base = d->number * NS_PER_DAY;
    struct count_request lines = {
        .range = {base, base + NS_PER_DAY}, .step_ns = NS_PER_DAY, .fn_id = fn, .filter = &any};
    enum status status = facts_sum(d, fn, lines.range, out, e);

    return status == OK ? lines_count(s, &lines, add_line_counts, out, e) : status;
}

static enum status bounds_fit(struct day *d, uint32_t fn, const struct stats *counted, bool *is_fit,
                              struct err *e)
{
    bool is_found = false;
    struct range bounds = {0};
    enum status s = facts_bounds(d, fn, &is_found, &bounds, e);

    *is_fit = is_found == (counted->n > 0) && bounds.since_ns == counted->first_ns &&
              bounds.until_ns == counted->last_ns;
    return s;
}

/* A function's day roll-up, and the sum of its hours, against its facts counted now. */
static enum status check_roll(struct verifier *v, struct day *d, uint32_t fn, struct err *e)
{
    AUTO(buf_clear) struct buf stored = {.max = 1u << 20};
    AUTO(buf_clear) struct buf hours = {.max = 1u << 20};
    AUTO(buf_clear) struct buf counted = {.max = 1u << 20};
    struct stats of_day = {0}, of_hours = {0}, now = {0};
    bool is_fit = false;
    enum status s = rolls_sum(d, fn, ROLL_DAY_SLOT, ROLL_DAY_SLOT, &of_day, e);

    if (s == OK)
        s = rolls_sum(d, fn, 0, ROLL_DAY_SLOT - 1, &of_hours, e);
    if (s == OK)
        s = count_day(v->store, d, fn, &now, e);
    if (s == OK)
        s = bounds_fit(d, fn, &now, &is_fit, e);
    stats_pack(&of_day, &stored);
    stats_pack(&of_hours, &hours);
    stats_pack(&now, &counted);
    if (s == OK && (!is_fit || !str_eq(buf_str(&stored), buf_str(&counted)) ||
                    !str_eq(buf_str(&hours), buf_str(&counted))))
        finding(v, d->db,
                arena_printf(&v->arena,
                             "the sums of function " STR_FMT " differ from its %llu invocations",
                             STR_ARG(dim_fn(v->store, fn)->name), (unsigned long long)now.n));
    stats_clear(&of_day);
    stats_clear(&of_hours);
    stats_clear(&now);
    return s;
}

static enum status check_missing_rolls(struct verifier *v, struct day *d, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s =
        sql_prepare(d->db,
                    d->has_groups ? STR("select fn from (select distinct id >> 31 as fn from facts)"
                                        " where fn not in (select fn from roll where slot < 24)")
                                  : STR("select fn from (select distinct fn from inv)"
                                        " where fn not in (select fn from roll where slot < 24)"),
                    &st, e);

    if (s != OK)
        return s;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row)
        finding(v, d->db,
                arena_printf(&v->arena, "the sums of function " STR_FMT " are missing",
                             STR_ARG(dim_fn(v->store, (uint32_t)sql_i64(st, 0))->name)));
    sql_finalize(st);
    return s;
}

static enum status check_rolls(struct verifier *v, struct day *d, struct err *e)
{
    uint32_t *ids;
    size_t n;
    int64_t base = d->number * NS_PER_DAY, number = d->number;
    struct range whole = {base, base + NS_PER_DAY};
    enum status s = check_missing_rolls(v, d, e);

    if (s == OK)
        s = fns_of_range(v->store, whole, &v->arena, &ids, &n, e);
    for (size_t i = 0; s == OK && i < n; i++) {
        s = store_day(v->store, number, false, &d, e);
        if (s == OK && d)
            s = check_roll(v, d, ids[i], e);
    }
    return s;
}

static enum status verify_day(struct verifier *v, int64_t number, struct err *e)
{
    struct day *d;
    enum status s = store_day(v->store, number, false, &d, e);

    if (s != OK || !d)
        return s;
    s = check_integrity(v, d->db, e);
    if (s == OK)
        s = check_chunks(v, d, e);
    if (s == OK)
        s = check_groups(v, d, e);
    return s == OK ? check_rolls(v, d, e) : s;
}

/* A day that cannot be read to its end is a finding too, and the next one is looked at. */
static enum status verify_or_find(struct verifier *v, int64_t number, struct err *e)
{
    struct err local = {0};
    enum status s = verify_day(v, number, &local);

    if (s == ERR_PARSE || s == ERR_IO || s == ERR_CONFIG) {
        const char *path = store_day_file(&v->arena, v->store, number);
        v->on_finding(v->ctx, str_from(path), str_from(local.msg));
        return OK;
    }
    if (s != OK && e)
        *e = local;
    return s;
}

/* Days that were written and not pruned must have their file. */
static enum status check_lost_days(struct verifier *v, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(
        v->store->meta, STR("select value from counter where name like 'day %' order by value"),
        &st, e);

    if (s != OK)
        return s;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row) {
        int64_t number = sql_i64(st, 0);
        const char *path = store_day_file(&v->arena, v->store, number);
        if (!file_exists(path))
            v->on_finding(v->ctx, str_from(path),
                          STR("is missing, and the day's events with it: import its logs again"));
    }
    sql_finalize(st);
    return s;
}

enum status store_verify(struct store *s, store_finding_fn *on_finding, void *ctx, struct err *e)
{
    struct verifier v = {.store = s, .on_finding = on_finding, .ctx = ctx};
    enum status status = s->is_null ? OK : check_integrity(&v, s->meta, e);

    if (status == OK && !s->is_null)
        status = check_lost_days(&v, e);
    if (status == OK && !s->is_null)
        status = store_scan_days(s, e);
    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++)
        status = verify_or_find(&v, s->day_numbers[i], e);
    arena_clear(&v.arena);
    return status;
}

/* --- dump --- */

/* Ids of functions and streams depend on the order of arrival, so lines are written with names and
 * sorted. */
struct dump {
    struct arena arena;
    struct str *lines;
    size_t n, cap;
};

static void add_line(struct dump *d, struct str line)
{
    d->lines = arena_grow(&d->arena, d->lines, d->n, &d->cap, sizeof(*d->lines));
    d->lines[d->n++] = line;
}

static void add_origin(struct buf *b, const struct origin *o)
{
    buf_addf(b, "%d\t" STR_FMT "\t" STR_FMT "\t" STR_FMT "\t" STR_FMT "\t" STR_FMT,
             (int)o->fn->provider, STR_ARG(o->fn->account), STR_ARG(o->fn->region),
             STR_ARG(o->fn->name), STR_ARG(o->log_group), STR_ARG(o->instance));
}

static enum status dump_invocation(void *ctx, uint32_t fn_id, const struct invocation *inv,
                                   struct err *e)
{
    AUTO(buf_clear) struct buf b = {.max = 1u << 20};
    struct dump *d = ctx;

    UNUSED(fn_id);
    UNUSED(e);
    buf_add_z(&b, "inv\t");
    time_format(&b, inv->start_ns, 9);
    buf_add_c(&b, '\t');
    add_origin(&b, inv->origin);
    buf_addf(&b, "\t" STR_FMT "\t" STR_FMT "\t" STR_FMT "\t" STR_FMT, STR_ARG(inv->id),
             STR_ARG(inv->trace_id), STR_ARG(inv->error_type), STR_ARG(inv->version));
    buf_addf(&b, "\t%s\t%s\t%s\t%d\t%d", outcome_name(inv->outcome), start_kind_name(inv->start),
             arch_name(inv->arch), inv->is_final, inv->is_priced);
    const int64_t numbers[] = {inv->duration_ns,
                               inv->init_ns,
                               inv->restore_ns,
                               inv->billed_ns,
                               inv->init_lead_ns,
                               (int64_t)inv->memory_bytes,
                               (int64_t)inv->max_memory_bytes,
                               (int64_t)inv->storage_bytes,
                               inv->attempt,
                               inv->evidence,
                               inv->cost};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        buf_addf(&b, "\t%lld", (long long)numbers[i]);
    add_line(d, arena_str(&d->arena, buf_str(&b)));
    return OK;
}

static enum status dump_log_line(void *ctx, const struct log_line *line, struct err *e)
{
    AUTO(buf_clear) struct buf b = {.max = 8u << 20};
    struct dump *d = ctx;

    UNUSED(e);
    buf_add_z(&b, "log\t");
    time_format(&b, line->time_ns, 9);
    buf_add_c(&b, '\t');
    add_origin(&b, line->origin);
    buf_addf(&b, "\t%s\t%d\t%016llx\t%zu", severity_name(line->severity), (int)line->kind,
             (unsigned long long)str_hash(line->body, 0), line->body.n);
    add_line(d, arena_str(&d->arena, buf_str(&b)));
    return OK;
}

static enum status dump_event(void *ctx, uint32_t fn_id, const struct instance_event *ev,
                              struct err *e)
{
    AUTO(buf_clear) struct buf b = {.max = 1u << 20};
    struct dump *d = ctx;

    UNUSED(fn_id);
    UNUSED(e);
    buf_add_z(&b, "env\t");
    time_format(&b, ev->time_ns, 9);
    buf_add_c(&b, '\t');
    add_origin(&b, ev->origin);
    buf_addf(&b, "\t%s\t%lld\t" STR_FMT "\t" STR_FMT "\t" STR_FMT "\t" STR_FMT "\t" STR_FMT,
             platform_kind_name(ev->kind), (long long)ev->duration_ns, STR_ARG(ev->status),
             STR_ARG(ev->error_type), STR_ARG(ev->init_type), STR_ARG(ev->phase),
             STR_ARG(ev->runtime_version));
    add_line(d, arena_str(&d->arena, buf_str(&b)));
    return OK;
}

/* Points and queues; the state of sources and alerts is no content: it depends on when one looks.
 */
static enum status dump_live(struct store *s, struct range all, struct dump *d, struct err *e)
{
    const struct metric_request points = {.range = all};
    const struct fn_filter any = {0};
    struct metric_rows series;
    struct queue_rows queues;
    enum status status = request_metrics(s, &points, &d->arena, &series, e);

    if (status == OK)
        status = request_queues(s, &any, &d->arena, &queues, e);
    if (status != OK)
        return status;
    for (size_t i = 0; i < series.n; i++) {
        const struct metric_series *m = &series.rows[i];
        const struct fn_ref *of = &m->subject.of;
        for (size_t k = 0; k < m->n; k++)
            add_line(d, arena_printf(&d->arena,
                                     "point\t%lld\t%s\t%d\t" STR_FMT "\t" STR_FMT "\t" STR_FMT
                                     "\t%s\t%lld\t%lld\t%u\t%d",
                                     (long long)m->points[k].time_ns,
                                     metric_scope_name(m->subject.scope), (int)of->provider,
                                     STR_ARG(of->account), STR_ARG(of->region), STR_ARG(of->name),
                                     metric_info(m->metric)->name, (long long)m->period_ns,
                                     (long long)m->points[k].value, m->points[k].weight,
                                     m->points[k].is_missing));
    }
    for (size_t i = 0; i < queues.n; i++) {
        const struct msg_queue *q = &queues.rows[i];
        add_line(d, arena_printf(&d->arena, "queue\t" STR_FMT "\t" STR_FMT "\t%lld\t%lld",
                                 STR_ARG(q->of.name), STR_ARG(q->url), (long long)q->depth,
                                 (long long)q->seen_ns));
    }
    return OK;
}

static enum status dump_spans(struct store *s, struct range all, struct dump *d, struct err *e)
{
    const struct span_request q = {.range = all};
    struct span_list l;
    enum status status = request_spans(s, &q, &d->arena, &l, e);

    for (size_t i = 0; status == OK && i < l.n; i++) {
        const struct span *r = &l.rows[i];
        add_line(d, arena_printf(&d->arena,
                                 "span\t%lld\t%lld\t" STR_FMT "\t" STR_FMT "\t" STR_FMT "\t" STR_FMT
                                 "\t" STR_FMT "\t%u\t%016llx",
                                 (long long)r->start_ns, (long long)r->end_ns, STR_ARG(r->trace_id),
                                 STR_ARG(r->id), STR_ARG(r->parent_id), STR_ARG(r->of.name),
                                 STR_ARG(r->name), r->flags,
                                 (unsigned long long)str_hash(r->annotations, r->http_status)));
    }
    return status;
}

static int compare_lines(const void *a, const void *b)
{
    struct str x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return str_cmp(x, y);
}

enum status store_dump(struct store *s, struct buf *out, struct err *e)
{
    struct range all = {INT64_MIN / 2, INT64_MAX / 2};
    struct inv_request inv = {.range = all};
    struct log_request logs = {.range = all};
    struct dump d = {0};
    enum status status = request_scan(s, &inv, dump_invocation, &d, e);

    if (status == OK)
        status = request_logs(s, &logs, dump_log_line, &d, e);
    if (status == OK)
        status = request_instance_events(s, all, 0, dump_event, &d, e);
    if (status == OK)
        status = dump_live(s, all, &d, e);
    if (status == OK)
        status = dump_spans(s, all, &d, e);
    if (d.n > 1)
        qsort(d.lines, d.n, sizeof(*d.lines), compare_lines);
    for (size_t i = 0; status == OK && i < d.n; i++) {
        buf_add_str(out, d.lines[i]);
        buf_add_c(out, '\n');
    }
    arena_clear(&d.arena);
    return status == OK ? buf_check(out, "the dump", e) : status;
}

/* Upkeep: removing old days, dumping everything in canonical order. Checking is in verify.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/timefmt.h"
#include "core/store/fact_store.h"
#include "core/store/gone.h"

/* --- prune --- */

static enum status unlink_day(struct store *s, int64_t number, struct err *e)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    AUTO(arena_clear) struct arena a = {0};
    const char *path = store_day_file(&a, s, number);

    store_close_day(s, number);
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (unlink(arena_strz(&a, arena_printf(&a, "%s%s", path, endings[i]))) != 0 &&
            errno != ENOENT)
            return err_errno(e, errno, "remove %s", path);
    return OK;
}

static enum status forget_removal(struct store *s, int64_t number, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};

    return sql_exec(
        s->meta,
        arena_printf(&a, "delete from counter where name = 'gone %lld'", (long long)number).p, e);
}

enum status store_finish_removals(struct store *s, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    int64_t *numbers = NULL;
    size_t n = 0;
    enum status status = gone_read_days(s, &a, &numbers, &n, e);

    for (size_t i = 0; status == OK && i < n; i++) {
        status = unlink_day(s, numbers[i], e);
        if (status == OK)
            status = forget_removal(s, numbers[i], e);
    }
    return status;
}

static enum status remove_day(struct store *s, int64_t number, struct err *e)
{
    const enum status status = gone_keep_day(s, number, e);

    return status == OK ? store_finish_removals(s, e) : status;
}

/* The packer hears of it after the rows are gone, also where no file was. */
static enum status forget_before(struct store *s, int64_t day, struct err *e)
{
    const enum status status = meta_prune(s, day, e);

    if (status == OK && day > atomic_load(&s->removed_before))
        atomic_store(&s->removed_before, day);
    return status;
}

enum status store_prune(struct store *s, int64_t before_ns, uint64_t *days, struct err *e)
{
    uint64_t n = 0;
    size_t seen = 0;
    enum status status = s->is_null ? OK : store_scan_days(s, e);

    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++) {
        if ((s->day_numbers[i] + 1) * NS_PER_DAY > before_ns)
            break;
        status = remove_day(s, s->day_numbers[i], e);
        seen = i + 1;
        if (status == OK)
            atomic_store(&s->removed_before, s->day_numbers[i] + 1);
        n += status == OK;
    }
    store_forget_days(s, seen);
    if (status == OK && !s->is_null)
        status = forget_before(s, day_of(before_ns), e);
    if (status == OK && !s->is_null)
        status = store_scan_days(s, e);
    if (status == OK)
        *days = n;
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

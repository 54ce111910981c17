/* The table `log_lines` of `fnscope sql`: one row a log event, with the request it belongs to.
 * Columns are described in fnscope-schema(7). Read batch by batch: held are the lines of a minute,
 * which may be of a request that begins at its end. */
#include <stdlib.h>

#include "core/base/mem.h"
#include "core/store/line_owner.h"
#include "core/store/log_scan.h"
#include "core/store/sql_live_tables.h"

enum { L_TIME, L_TIME_NS, L_FUNCTION, L_LEVEL, L_KIND, L_ID, L_GROUP, L_INSTANCE, L_BODY };

/* Rows whose owners may still come. */
struct part {
    struct part *next;
    struct arena arena;
    struct log_row *rows;
    size_t n, cap;
    int64_t last_ns;
};

/* Where lines of one attempt, or of several in one stream, may be. */
struct window {
    const struct origin *origin;
    uint32_t fn_id;
    struct range range;
    bool is_longer; /* it was heard that there may be more */
};

struct line_scan {
    struct log_request q;
    struct window *windows; /* NULL: all lines are read */
    size_t n_windows, at;
    struct log_scan *log; /* NULL: not opened yet */
    bool is_owned;        /* somebody asks whose the lines are */
    struct line_owners owners;
    struct arena arena;
    struct part *first, *last, *given;
    int64_t heard_ns;
    bool is_at_end;
};

/* --- parts --- */

static void free_part(struct part *p)
{
    if (p)
        arena_clear(&p->arena);
    free(p);
}

static struct part *new_part(size_t n)
{
    struct part *p = xcalloc(1, sizeof(*p));

    p->rows = arena_new(&p->arena, struct log_row, n + 1);
    p->cap = n;
    return p;
}

static bool is_in(struct range r, int64_t t_ns)
{
    return t_ns >= r.since_ns && t_ns < r.until_ns;
}

/* Hears a line, which becomes a row if it lies in the range. */
static void hear(struct line_scan *l, const struct log_line *line, struct range r, struct part *p)
{
    struct log_row *row = NULL;

    if (is_in(r, line->time_ns) && p->n < p->cap) {
        row = &p->rows[p->n++];
        row->line = *line;
        row->line.body = arena_str(&p->arena, line->body);
        p->last_ns = line->time_ns;
    }
    line_owners_hear(&l->owners, line, row ? &row->line.invocation_id : NULL, &p->arena);
}

static void keep_owned(struct part *p, struct str id)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++)
        if (str_eq(p->rows[i].line.invocation_id, id))
            p->rows[n++] = p->rows[i];
    p->n = n;
}

static void push(struct line_scan *l, struct part *p)
{
    if (l->last)
        l->last->next = p;
    else
        l->first = p;
    l->last = p;
}

static struct part *pop(struct line_scan *l)
{
    struct part *p = l->first;

    l->first = p->next;
    if (!l->first)
        l->last = NULL;
    return p;
}

/* --- reading on --- */

/* Lines around a stored attempt tell whose they are as all lines do (line_owner.h). */
static enum status open_window(struct table_scan *scan, struct line_scan *l, struct range r,
                               struct err *e)
{
    const struct window *w = &l->windows[l->at];
    const int64_t lead_ns = w->origin->instance.n > 0 || w->is_longer ? 0 : LINE_OWNER_LEAD_NS;

    l->q = (struct log_request){.range = {r.since_ns - lead_ns, r.until_ns},
                                .fn_id = w->fn_id,
                                .instance = w->origin->instance};
    return log_scan_open(scan->store, &l->q, &l->log, e);
}

/* At the end of a window: more of it, where its request goes on, or the next one. */
static enum status leave_window(struct table_scan *scan, struct line_scan *l, struct err *e)
{
    struct window *w = &l->windows[l->at];
    struct range more = {w->range.until_ns, w->range.until_ns + LINE_OWNER_RUN_NS};

    log_scan_close(l->log);
    l->log = NULL;
    if (!w->is_longer &&
        line_owners_goes_on(&l->owners, w->origin, scan->filter.request_id, w->range.until_ns)) {
        w->is_longer = true;
        return open_window(scan, l, more, e);
    }
    line_owners_clear(&l->owners);
    line_owners_init(&l->owners, scan->store, &l->arena);
    l->is_at_end = ++l->at == l->n_windows;
    return l->is_at_end ? OK : open_window(scan, l, l->windows[l->at].range, e);
}

static bool is_of_window(const struct line_scan *l, const struct log_line *line)
{
    return !l->windows || line->origin == l->windows[l->at].origin;
}

static struct part *hear_all(struct line_scan *l, const struct log_rows *batch, struct range r)
{
    struct part *p = new_part(batch->n);

    for (size_t i = 0; i < batch->n; i++)
        if (is_of_window(l, &batch->rows[i].line))
            hear(l, &batch->rows[i].line, r, p);
    l->heard_ns = batch->rows[batch->n - 1].line.time_ns;
    return p;
}

static enum status hear_batch(struct table_scan *scan, struct line_scan *l, struct err *e)
{
    struct log_rows batch;
    enum status status = log_scan_next(l->log, &batch, e);

    if (status == OK && batch.n == 0 && l->windows)
        return leave_window(scan, l, e);
    if (status != OK || batch.n == 0) {
        l->is_at_end = true;
        return status;
    }
    struct part *p = hear_all(l, &batch, scan->filter.range);
    if (p->n > 0)
        push(l, p);
    else
        free_part(p);
    if (l->owners.failure.code != OK && e)
        *e = l->owners.failure;
    return l->owners.failure.code;
}

/* Windows follow one another in time only by chance: what they gave waits for none of the next. */
static bool is_settled(const struct line_scan *l)
{
    return l->first && (l->is_at_end || l->heard_ns - l->first->last_ns > LINE_OWNER_TAIL_NS);
}

static enum status next_owned(struct table_scan *scan, struct table_rows *out, struct err *e)
{
    struct line_scan *l = scan->state;
    const struct str id = scan->filter.request_id;
    enum status status = OK;

    while (status == OK && out->n == 0 && (l->first || !l->is_at_end)) {
        if (!is_settled(l)) {
            status = hear_batch(scan, l, e);
            continue;
        }
        free_part(l->given);
        l->given = pop(l);
        if (id.n > 0)
            keep_owned(l->given, id);
        *out = (struct table_rows){l->given->rows, l->given->n};
    }
    return status;
}

static enum status next_plain(struct line_scan *l, struct table_rows *out, struct err *e)
{
    struct log_rows batch;
    const enum status status = log_scan_next(l->log, &batch, e);

    if (status == OK)
        *out = (struct table_rows){batch.rows, batch.n};
    return status;
}

/* --- the lines of one request: those around its attempts --- */

static int compare_windows(const void *a, const void *b)
{
    const struct window *x = a, *y = b;

    if (x->origin != y->origin)
        return (uintptr_t)x->origin < (uintptr_t)y->origin ? -1 : 1;
    return (x->range.since_ns > y->range.since_ns) - (x->range.since_ns < y->range.since_ns);
}

/* Windows of one stream that meet become one: no line is given twice. */
static void merge_windows(struct line_scan *l)
{
    struct window *w = l->windows;
    size_t k = 0;

    qsort(w, l->n_windows, sizeof(*w), compare_windows);
    for (size_t i = 1; i < l->n_windows; i++) {
        if (w[i].origin != w[k].origin || w[i].range.since_ns > w[k].range.until_ns)
            w[++k] = w[i];
        else if (w[i].range.until_ns > w[k].range.until_ns)
            w[k].range.until_ns = w[i].range.until_ns;
    }
    l->n_windows = k + 1;
}

static enum status open_windows(struct table_scan *scan, struct line_scan *l,
                                const struct attempts *attempts, struct err *e)
{
    l->windows = arena_new(&l->arena, struct window, attempts->n);
    l->n_windows = attempts->n;
    for (size_t i = 0; i < attempts->n; i++) {
        const struct attempt *a = &attempts->rows[i];
        l->windows[i] = (struct window){a->inv.origin, a->fn_id, line_owner_reach(&a->inv), false};
    }
    merge_windows(l);
    return open_window(scan, l, l->windows[0].range, e);
}

/* --- lines of a request that is not stored: those that mention it --- */

static enum status add_mention(void *ctx, const struct log_line *line, struct err *e)
{
    struct range *r = ctx;

    UNUSED(e);
    if (r->since_ns > line->time_ns)
        r->since_ns = line->time_ns;
    r->until_ns = line->time_ns + 1;
    return OK;
}

static struct range around(struct range r)
{
    return (struct range){r.since_ns - LINE_OWNER_LEAD_NS, r.until_ns + LINE_OWNER_TAIL_NS};
}

static enum status open_mentions(struct table_scan *scan, struct line_scan *l, struct err *e)
{
    const struct log_request mentions = {.range = scan->filter.range,
                                         .literal = scan->filter.request_id};
    struct range found = {INT64_MAX, INT64_MIN};
    const enum status status = request_logs(scan->store, &mentions, add_mention, &found, e);

    if (status != OK || found.since_ns > found.until_ns) {
        l->is_at_end = true;
        return status;
    }
    l->q.range = around(found);
    return log_scan_open(scan->store, &l->q, &l->log, e);
}

/* --- beginning and end --- */

static enum status open_lookup(struct table_scan *scan, struct line_scan *l, struct err *e)
{
    struct attempts attempts;
    enum status status = store_scan_days(scan->store, e);

    if (status == OK)
        status = attempts_read(scan->store, scan->filter.request_id, &l->arena, &attempts, e);
    if (status != OK)
        return status;
    return attempts.n > 0 ? open_windows(scan, l, &attempts, e) : open_mentions(scan, l, e);
}

static enum status open_lines(struct table_scan *scan, struct err *e)
{
    const struct table_filter *f = &scan->filter;
    struct line_scan *l = xcalloc(1, sizeof(*l));

    scan->state = l;
    line_owners_init(&l->owners, scan->store, &l->arena);
    l->is_owned = (f->columns >> L_ID & 1) != 0 || f->request_id.n > 0;
    l->q = (struct log_request){.range = l->is_owned ? around(f->range) : f->range,
                                .fn.name_glob = glob_of_name(f->function)};
    if (f->request_id.n > 0)
        return open_lookup(scan, l, e);
    return log_scan_open(scan->store, &l->q, &l->log, e);
}

static enum status next_lines(struct table_scan *scan, struct table_rows *out, struct err *e)
{
    enum status status = scan->state ? OK : open_lines(scan, e);
    struct line_scan *l = scan->state;

    *out = (struct table_rows){0};
    if (status != OK)
        return status;
    return l->is_owned ? next_owned(scan, out, e) : next_plain(l, out, e);
}

static void end_lines(struct table_scan *scan)
{
    struct line_scan *l = scan->state;

    if (!l)
        return;
    log_scan_close(l->log);
    while (l->first)
        free_part(pop(l));
    free_part(l->given);
    line_owners_clear(&l->owners);
    arena_clear(&l->arena);
    free(l);
    scan->state = NULL;
}

static void line_cell(struct store *s, const void *row, int column, const struct cell_out *out)
{
    const struct log_row *r = row;
    const struct log_line *l = &r->line;
    const struct str texts[] = {
        [L_FUNCTION] = l->origin->fn->name,
        [L_LEVEL] = str_from(severity_name(l->severity)),
        [L_KIND] = l->kind == RECORD_PLATFORM ? STR("platform") : STR("app"),
        [L_ID] = l->invocation_id,
        [L_GROUP] = l->origin->log_group,
        [L_INSTANCE] = l->origin->instance,
        [L_BODY] = l->body,
    };

    UNUSED(s);
    if (column == L_TIME)
        put_time(out, l->time_ns);
    else if (column == L_TIME_NS)
        out->put_i64(out->to, l->time_ns);
    else
        put_text(out, texts[column]);
}

const struct sql_table log_lines_table = {
    .name = "log_lines",
    .schema = "create table x(time text, time_ns int, function text, level text, kind text, "
              "request_id text,"
              " log_group text, instance text, body text)",
    .time_column = L_TIME_NS,
    .function_column = L_FUNCTION,
    .id_column = L_ID,
    .next = next_lines,
    .end = end_lines,
    .cell = line_cell,
    .row_bytes = sizeof(struct log_row),
    .cost = {.rows = 1e7, .by_id = 300, .rows_of_id = 10, .rare = 1u << L_LEVEL},
};

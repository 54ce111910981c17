/* The tables of `fnscope sql`: invocations, costs, functions, rollup_hour, rollup_day,
 * quarantine; those of sql_line_table.c and sql_live_tables.c follow. Columns are described in
 * fnscope-schema(7). */
#include "core/store/sql_tables.h"

#include <string.h>

#include "core/base/timefmt.h"
#include "core/store/id_index.h"
#include "core/store/sql_live_tables.h"

/* Nanoseconds as milliseconds. */
static void put_ms(const struct cell_out *out, int64_t ns)
{
    out->put_scaled(out->to, ns, 6);
}

static void put_amount(const struct cell_out *out, wide pico)
{
    out->put_scaled(out->to, pico, 12);
}

/* A sum that an integer of SQLite cannot hold, from 9.2 million on, is not told in part. */
static void put_pico(const struct cell_out *out, wide pico)
{
    if (pico == (int64_t)pico)
        out->put_i64(out->to, (int64_t)pico);
    else
        out->put_null(out->to);
}

/* The columns cost_usd, cost_pico and cost_cny of a sum: no column holds two currencies. */
static void put_sum(const struct cell_out *out, const struct fn_ref *fn, wide pico, int which)
{
    const bool is_cny = which == 2;

    if (fn_is_usd(fn) == is_cny)
        out->put_null(out->to);
    else if (which == 1)
        put_pico(out, pico);
    else
        put_amount(out, pico);
}

struct str glob_of_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (strchr("*?[\\", name.p[i]))
            return (struct str){0};
    return name;
}

/* --- invocations and costs --- */

struct inv_list {
    struct arena *arena;
    struct invocation *rows;
    size_t n, cap;
    struct str function;
};

static enum status add_invocation(void *ctx, uint32_t fn_id, const struct invocation *inv,
                                  struct err *e)
{
    struct inv_list *l = ctx;

    UNUSED(fn_id);
    UNUSED(e);
    if (l->function.n > 0 && !str_eq(l->function, inv->origin->fn->name))
        return OK;
    l->rows = arena_grow(l->arena, l->rows, l->n, &l->cap, sizeof(*l->rows));
    l->rows[l->n] = *inv;
    l->rows[l->n].id = arena_str(l->arena, inv->id);
    l->rows[l->n].trace_id = arena_str(l->arena, inv->trace_id);
    l->n++;
    return OK;
}

struct found_facts {
    struct store *store;
    struct inv_list *list;
};

static enum status add_fact(void *ctx, const struct fact *f, struct err *e)
{
    const struct found_facts *k = ctx;
    struct invocation inv;

    fact_to_invocation(k->store, f, &inv);
    return add_invocation(k->list, f->fn, &inv, e);
}

static enum status load_invocations(struct store *s, int64_t day, const struct table_filter *f,
                                    struct arena *a, struct table_rows *out, struct err *e)
{
    struct inv_list l = {.arena = a, .function = f->function};
    struct inv_request q = {.range = range_of_day(f->range, day),
                            .fn.name_glob = glob_of_name(f->function)};
    struct found_facts by_id = {s, &l};
    enum status status =
        f->request_id.n > 0
            ? facts_by_id(s, day, f->request_id, a, (struct fact_sink){add_fact, &by_id, false}, e)
            : request_scan(s, &q, add_invocation, &l, e);

    *out = (struct table_rows){l.rows, l.n};
    return status;
}

enum {
    I_TIME,
    I_START_NS,
    I_FUNCTION,
    I_REGION,
    I_ACCOUNT,
    I_ID,
    I_ATTEMPT,
    I_OUTCOME,
    I_START,
    I_DURATION,
    I_INIT,
    I_BILLED,
    I_MEMORY,
    I_USED,
    I_ERROR,
    I_VERSION,
    I_ARCH,
    I_COST,
    I_TRACE,
    I_GROUP,
    I_INSTANCE,
    I_FINAL,
    I_DOUBTFUL,
    I_PICO,
    I_CNY
};

static void invocation_text(const struct invocation *inv, int column, const struct cell_out *out)
{
    const struct str texts[] = {
        [I_FUNCTION] = inv->origin->fn->name,
        [I_REGION] = inv->origin->fn->region,
        [I_ACCOUNT] = inv->origin->fn->account,
        [I_ID] = inv->id,
        [I_OUTCOME] = str_from(outcome_name(inv->outcome)),
        [I_START] = str_from(start_kind_name(inv->start)),
        [I_ERROR] = inv->error_type,
        [I_VERSION] = inv->version,
        [I_ARCH] = str_from(arch_name(inv->arch)),
        [I_TRACE] = inv->trace_id,
        [I_GROUP] = inv->origin->log_group,
        [I_INSTANCE] = inv->origin->instance,
    };

    put_text(out, texts[column]);
}

static void invocation_number(const struct invocation *inv, int column, const struct cell_out *out)
{
    const int64_t numbers[] = {
        [I_START_NS] = inv->start_ns,
        [I_ATTEMPT] = inv->attempt,
        [I_BILLED] = inv->billed_ns / NS_PER_MS,
        [I_MEMORY] = (int64_t)(inv->memory_bytes >> 20),
        [I_USED] = (int64_t)(inv->max_memory_bytes >> 20),
        [I_FINAL] = inv->is_final,
        [I_DOUBTFUL] = (inv->evidence & (EV_DOUBTFUL | EV_ERROR_GUESSED)) != 0,
        [I_PICO] = inv->cost,
    };

    out->put_i64(out->to, numbers[column]);
}

/* Before its REPORT, and on a managed instance for good. */
static bool lacks_billing(const struct invocation *inv)
{
    return inv->billed_ns == 0 && (!inv->is_final || (inv->evidence & EV_NO_BILLING) != 0);
}

/* What only a REPORT says is no zero before it is there. */
static bool is_unknown(const struct invocation *inv, int column)
{
    switch (column) {
    case I_DURATION:
        return !inv->is_final;
    case I_BILLED:
        return lacks_billing(inv);
    case I_MEMORY:
    case I_USED:
        return inv->memory_bytes == 0;
    case I_COST:
    case I_PICO:
        return !inv->is_priced || !fn_is_usd(inv->origin->fn);
    case I_CNY:
        return !inv->is_priced || fn_is_usd(inv->origin->fn);
    default:
        return false;
    }
}

static void invocation_cell(struct store *s, const void *row, int column,
                            const struct cell_out *out)
{
    static const uint32_t texts = 1u << I_FUNCTION | 1u << I_REGION | 1u << I_ACCOUNT | 1u << I_ID |
                                  1u << I_OUTCOME | 1u << I_START | 1u << I_ERROR |
                                  1u << I_VERSION | 1u << I_ARCH | 1u << I_TRACE | 1u << I_GROUP |
                                  1u << I_INSTANCE;
    const struct invocation *inv = row;

    UNUSED(s);
    if (texts >> column & 1)
        invocation_text(inv, column, out);
    else if (is_unknown(inv, column))
        out->put_null(out->to);
    else if (column == I_TIME)
        put_time(out, inv->start_ns);
    else if (column == I_DURATION || column == I_INIT)
        put_ms(out, column == I_DURATION ? inv->duration_ns : inv->init_ns);
    else if (column == I_COST || column == I_CNY)
        put_amount(out, inv->cost);
    else
        invocation_number(inv, column, out);
}

static const struct sql_table invocations = {
    .name = "invocations",
    .schema = "create table x(start_time text, start_ns int, function text, region text, account "
              "text, request_id text,"
              " attempt int, outcome text, start text, duration_ms real, init_ms real, "
              "billed_ms int,"
              " memory_mb int, max_memory_mb int, error_type text, version text, arch text, "
              "cost_usd real,"
              " trace_id text, log_group text, instance text, "
              "is_final int, is_doubtful int, cost_pico int hidden, cost_cny real hidden)",
    .time_column = I_START_NS,
    .function_column = I_FUNCTION,
    .id_column = I_ID,
    .cost = {.rows = 1e6, .by_id = 10, .rows_of_id = 1, .rare = 1u << I_OUTCOME | 1u << I_ERROR},
    .load = load_invocations,
    .cell = invocation_cell,
    .row_bytes = sizeof(struct invocation),
};

/* costs: a narrow view of the same rows. */
enum { C_OUTCOME = 7, C_GB_SECONDS = 11 };

static void cost_cell(struct store *s, const void *row, int column, const struct cell_out *out)
{
    static const int columns[] = {I_START_NS, I_TIME, I_FUNCTION, I_REGION, I_ACCOUNT,
                                  I_ID,       I_ARCH, I_OUTCOME,  I_BILLED, I_MEMORY,
                                  I_COST,     0,      I_PICO,     I_CNY};

    if (column != C_GB_SECONDS) {
        invocation_cell(s, row, columns[column], out);
        return;
    }
    const struct invocation *inv = row;
    if (lacks_billing(inv)) {
        out->put_null(out->to);
        return;
    }
    int64_t mb_ms = inv->billed_ns / NS_PER_MS * (int64_t)(inv->memory_bytes >> 20);
    out->put_scaled(out->to, (wide)mb_ms * 9765625, 13); /* GB-s = MB-ms / 1,024,000 */
}

static const struct sql_table costs = {
    .name = "costs",
    .schema = "create table x(start_ns int, start_time text, function text, region text, account "
              "text, request_id text,"
              " arch text, outcome text, billed_ms int, memory_mb int, cost_usd real, "
              "gb_seconds real, cost_pico int hidden, cost_cny real hidden)",
    .time_column = 0,
    .function_column = 2,
    .id_column = 5,
    .cost = {.rows = 1e6, .by_id = 10, .rows_of_id = 1, .rare = 1u << C_OUTCOME},
    .load = load_invocations,
    .cell = cost_cell,
    .row_bytes = sizeof(struct invocation),
};

/* --- functions and roll-ups --- */

struct roll_row {
    struct fn_ref fn;
    int64_t t_ns;
    struct stats stats;
};

static enum status load_rolls(struct store *s, int64_t day, const struct table_filter *f,
                              struct arena *a, struct table_rows *out, struct err *e)
{
    int64_t base = day * NS_PER_DAY;
    struct range whole = {base, base + NS_PER_DAY};
    size_t cap = 0, count = 0, n_ids;
    struct roll_row *list = NULL;
    uint32_t *ids;
    enum status status = fns_of_range(s, whole, a, &ids, &n_ids, e);

    for (size_t i = 0; status == OK && i < n_ids; i++) {
        const struct fn_ref *fn = dim_fn(s, ids[i]);
        if (f->function.n > 0 && !str_eq(f->function, fn->name))
            continue;
        for (int64_t t = base; status == OK && t < base + NS_PER_DAY; t += f->step_ns) {
            struct roll_row row = {.fn = *fn, .t_ns = t};
            status = stats_of_range(s, (struct range){t, t + f->step_ns}, ids[i], &row.stats, e);
            bool is_empty = row.stats.n == 0 && row.stats.log_events == 0;
            stats_settle(&row.stats, a);
            if (is_empty)
                continue;
            list = arena_grow(a, list, count, &cap, sizeof(*list));
            list[count++] = row;
        }
    }
    *out = (struct table_rows){list, count};
    return status;
}

static enum status load_hours(struct store *s, int64_t day, const struct table_filter *f,
                              struct arena *a, struct table_rows *out, struct err *e)
{
    struct table_filter stepped = *f;

    stepped.step_ns = NS_PER_HOUR;
    return load_rolls(s, day, &stepped, a, out, e);
}

static enum status load_days(struct store *s, int64_t day, const struct table_filter *f,
                             struct arena *a, struct table_rows *out, struct err *e)
{
    struct table_filter stepped = *f;

    stepped.step_ns = NS_PER_DAY;
    return load_rolls(s, day, &stepped, a, out, e);
}

static int64_t percentile_ms6(const struct histogram *h, unsigned permille)
{
    uint64_t us = 0;

    return histogram_percentile(h, permille, &us) ? (int64_t)us * 1000 : 0;
}

static void roll_cell(struct store *s, const void *row, int column, const struct cell_out *out)
{
    const struct roll_row *r = row;
    const struct stats *st = &r->stats;
    const uint64_t numbers[] = {[4] = st->n,
                                [5] =
                                    st->n - st->outcome[OUTCOME_OK] - st->outcome[OUTCOME_UNKNOWN],
                                [6] = st->outcome[OUTCOME_TIMEOUT],
                                [7] = st->outcome[OUTCOME_OOM],
                                [8] = st->start[START_COLD] + st->start[START_SNAPSTART],
                                [9] = st->retries,
                                [10] = (uint64_t)(st->sum_billed_ns / NS_PER_MS),
                                [14] = st->max_memory_used_bytes >> 20,
                                [15] = st->log_events,
                                [16] = st->log_bytes,
                                [17] = 0};

    UNUSED(s);
    if (column == 0)
        put_time(out, r->t_ns);
    else if (column == 1)
        out->put_i64(out->to, r->t_ns);
    else if (column == 2 || column == 3)
        put_text(out, column == 2 ? r->fn.name : r->fn.region);
    else if (column >= 11 && column <= 13)
        put_ms(out, percentile_ms6(&st->duration, column == 11 ? 500 : column == 12 ? 950 : 990));
    else if (column >= 17)
        put_sum(out, &r->fn, st->cost, column - 17);
    else
        out->put_i64(out->to, (int64_t)numbers[column]);
}

#define ROLL_SCHEMA                                                                                \
    "create table x(time text, time_ns int, function text, region text, invocations int, errors "  \
    "int, timeouts int,"                                                                           \
    " oom int, cold_starts int, retries int, billed_ms int, p50_ms real, p95_ms real, "            \
    "p99_ms real,"                                                                                 \
    " max_memory_mb int, log_events int, log_bytes int, cost_usd real, cost_pico int "             \
    "hidden, cost_cny real hidden)"

static const struct sql_table rollup_hour = {
    .name = "rollup_hour",
    .schema = ROLL_SCHEMA,
    .time_column = 1,
    .function_column = 2,
    .id_column = -1,
    .load = load_hours,
    .cell = roll_cell,
    .row_bytes = sizeof(struct roll_row),
};

static const struct sql_table rollup_day = {
    .name = "rollup_day",
    .schema = ROLL_SCHEMA,
    .time_column = 1,
    .function_column = 2,
    .id_column = -1,
    .load = load_days,
    .cell = roll_cell,
    .row_bytes = sizeof(struct roll_row),
};

static enum status load_functions(struct store *s, int64_t day, const struct table_filter *f,
                                  struct arena *a, struct table_rows *out, struct err *e)
{
    struct range all = {INT64_MIN / 2, INT64_MAX / 2};
    struct fn_filter any = {0};
    static const uint64_t names = 0xf; /* function, provider, account, region */
    struct fn_rows r;

    UNUSED(day);
    enum status status = (f->columns & ~names) == 0
                             ? request_function_list(s, f->columns != 0, a, &r, e)
                             : request_functions(s, all, &any, a, &r, e);
    *out = (struct table_rows){r.rows, r.n};
    return status;
}

static void function_cell(struct store *s, const void *row, int column, const struct cell_out *out)
{
    const struct fn_row *r = row;
    const struct str texts[] = {r->fn.name,    str_from(provider_name(r->fn.provider)),
                                r->fn.account, r->fn.region,
                                r->runtime,    str_from(arch_name(r->arch))};

    UNUSED(s);
    if (column < (int)ARRAY_LEN(texts))
        put_text(out, texts[column]);
    else if (column == 6)
        out->put_i64(out->to, (int64_t)(r->memory_bytes >> 20));
    else if (column == 7)
        out->put_i64(out->to, (int64_t)r->stats.n);
    else if (column >= 10)
        put_sum(out, &r->fn, r->stats.cost, column - 10);
    else if (r->stats.n > 0)
        put_time(out, column == 8 ? r->first_ns : r->last_ns);
    else
        out->put_null(out->to);
}

static const struct sql_table functions = {
    .name = "functions",
    .schema = "create table x(function text, provider text, account text, region text, runtime "
              "text, arch text,"
              " memory_mb int, invocations int, first_time text, last_time text, cost_usd real,"
              " cost_pico int hidden, cost_cny real hidden)",
    .time_column = -1,
    .function_column = -1,
    .id_column = -1,
    .load = load_functions,
    .cell = function_cell,
    .row_bytes = sizeof(struct fn_row),
    .is_timeless = true,
};

static enum status load_quarantine(struct store *s, int64_t day, const struct table_filter *f,
                                   struct arena *a, struct table_rows *out, struct err *e)
{
    struct ingest_status st = {0};

    UNUSED(day);
    UNUSED(f);
    enum status status = request_status(s, a, &st, e);
    *out = (struct table_rows){st.quarantine, st.n_quarantine};
    return status;
}

static void quarantine_cell(struct store *s, const void *row, int column,
                            const struct cell_out *out)
{
    const struct quarantined *q = row;
    const struct str texts[] = {q->place, q->reason, q->raw};

    UNUSED(s);
    put_text(out, texts[column]);
}

static const struct sql_table quarantine = {
    .name = "quarantine",
    .schema = "create table x(place text, reason text, raw text)",
    .time_column = -1,
    .function_column = -1,
    .id_column = -1,
    .load = load_quarantine,
    .cell = quarantine_cell,
    .row_bytes = sizeof(struct quarantined),
    .is_timeless = true,
};

const struct sql_table *const sql_tables[] = {
    &invocations,
    &log_lines_table,
    &costs,
    &functions,
    &rollup_hour,
    &rollup_day,
    &quarantine,
    &metric_points_table,
    &spans_table,
    &queues_table,
    &sources_table,
    &alerts_table,
    &alert_episodes_table,
    &silences_table,
    &alert_messages_table,
    NULL,
};

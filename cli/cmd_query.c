/* fnscope query functions|invocations|errors|series: the store's typed requests as tables. */
#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>

#include "cli/common.h"
#include "cli/inv_stream.h"
#include "core/base/log.h"
#include "core/base/timefmt.h"
#include "core/base/top_n.h"

struct query_options {
    int64_t limit;
    int order;
    struct str outcome, start, error, instance, trace;
    int64_t min_duration_ns;
    int64_t step_ns;
};

static const char *const order_names[] = {"newest", "oldest", "slowest", "costliest",
                                          "memory", "init",   NULL};

#define AT(member) offsetof(struct query_options, member)

/* clang-format off */
static const struct opt_def query_options[] = {
    { .flag = "limit", .letter = 'n', .type = OPT_INT, .offset = AT(limit), .default_text = "100",
      .max = 100000000, .help = "most rows; 0 for all" },
    { .flag = "order", .type = OPT_CHOICE, .offset = AT(order), .choices = order_names,
      .default_text = "newest",
      .help = "order of invocations, or of functions but for newest and oldest" },
    { .flag = "outcome", .type = OPT_STRING, .offset = AT(outcome), .value_name = "LIST",
      .choices = outcome_names, .help = "only these outcomes, with commas between them" },
    { .flag = "start", .type = OPT_STRING, .offset = AT(start), .value_name = "LIST",
      .choices = start_kind_names, .help = "only these starts, with commas between them" },
    { .flag = "error", .type = OPT_STRING, .offset = AT(error), .value_name = "GLOB",
      .help = "only this error type: Runtime.*" },
    { .flag = "instance", .type = OPT_STRING, .offset = AT(instance), .value_name = "STREAM",
      .help = "only this execution environment (log stream)" },
    { .flag = "trace", .type = OPT_STRING, .offset = AT(trace), .value_name = "TRACE-ID",
      .help = "only invocations of this trace: 1-6b0c997e-..., Root=1-... or a traceparent" },
    { .flag = "min-duration", .type = OPT_DURATION, .offset = AT(min_duration_ns),
      .default_text = "0s", .help = "only invocations at least this long" },
    { .flag = "step", .type = OPT_DURATION, .offset = AT(step_ns), .default_text = "1h",
      .help = "step of a series: 1m, 1h or 1d" },
    { 0 },
};
/* clang-format on */

/* Names of an enumeration, joined for a message. */
typedef const char *name_of_fn(unsigned value);

static const char *outcome_of(unsigned v)
{
    return v < OUTCOMES ? outcome_name((enum outcome)v) : NULL;
}

static const char *start_of(unsigned v)
{
    return v < START_KINDS ? start_kind_name((enum start_kind)v) : NULL;
}

static struct str names_of(struct arena *a, name_of_fn *name)
{
    AUTO(buf_clear) struct buf b = {.max = 512};

    for (unsigned v = 0; name(v) != NULL; v++)
        buf_addf(&b, "%s%s", v > 0 ? ", " : "", name(v));
    return arena_str(a, buf_str(&b));
}

/* "error,timeout" -> bits. parse gives the number of one name. */
typedef bool name_bit_fn(struct str name, unsigned *bit);

static bool outcome_bit(struct str name, unsigned *bit)
{
    enum outcome v;

    if (!outcome_parse(name, &v))
        return false;
    *bit = (unsigned)v;
    return true;
}

static bool start_bit(struct str name, unsigned *bit)
{
    enum start_kind v;

    if (!start_kind_parse(name, &v))
        return false;
    *bit = (unsigned)v;
    return true;
}

struct mask_option {
    const char *flag;
    name_bit_fn *parse;
    name_of_fn *name;
};
static const struct mask_option outcome_option = {"outcome", outcome_bit, outcome_of};
static const struct mask_option start_option = {"start", start_bit, start_of};

static enum status parse_mask(const struct cli *c, struct str list, const struct mask_option *o,
                              uint32_t *mask, struct err *e)
{
    *mask = 0;
    while (list.n > 0) {
        struct str name = str_trim(str_cut(&list, ','));
        unsigned bit = 0;
        if (!o->parse(name, &bit))
            return err_set(e, ERR_USAGE, "--%s: \"" STR_FMT "\" is none of " STR_FMT, o->flag,
                           STR_ARG(name), STR_ARG(names_of(c->arena, o->name)));
        *mask |= 1u << bit;
    }
    return OK;
}

/* --- functions --- */

static const struct table_column function_columns[] = {
    {.name = "function", .title = "FUNCTION", .max_width = 40},
    {.name = "region", .title = "REGION"},
    {.name = "invocations", .title = "INV", .is_right = true},
    {.name = "errors", .title = "ERR", .is_right = true},
    {.name = "cold_starts", .title = "COLD", .is_right = true},
    {.name = "p50_ms", .title = "P50", .is_right = true},
    {.name = "p95_ms", .title = "P95", .is_right = true},
    {.name = "p99_ms", .title = "P99", .is_right = true},
    {.name = "max_memory_used_mb", .title = "MEM", .is_right = true},
    {.name = "memory_size_mb", .title = "SIZE", .is_right = true},
    {.name = "log_bytes", .title = "LOGS", .is_right = true},
    {.name = "cost_usd", .title = "COST", .is_right = true},
    {.name = "account", .title = "ACCOUNT", .hides_if_same = true},
    {.name = "cost_cny", .is_hidden = true},
};

static void percentile_cell(struct table *t, size_t column, const struct histogram *h,
                            unsigned permille)
{
    uint64_t us;

    if (histogram_percentile(h, permille, &us))
        cli_duration_cell(t, column, (int64_t)us * NS_PER_US);
}

static uint64_t failed(const struct stats *s)
{
    return s->n - s->outcome[OUTCOME_OK] - s->outcome[OUTCOME_UNKNOWN];
}

static void size_cell(struct table *t, size_t column, uint64_t bytes)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    size_format(&b, bytes);
    table_number(t, column, arena_printf(t->arena, "%llu", (unsigned long long)bytes),
                 arena_str(t->arena, buf_str(&b)));
}

enum { FUNCTION_COST = 11, FUNCTION_ACCOUNT, FUNCTION_CNY };

static void function_row(struct table *t, const struct fn_row *f)
{
    const struct stats *s = &f->stats;

    table_row(t);
    table_text(t, 0, f->fn.name);
    if (f->fn.region.n > 0)
        table_text(t, 1, f->fn.region);
    table_i64(t, 2, (int64_t)s->n);
    table_i64(t, 3, (int64_t)failed(s));
    table_i64(t, 4, (int64_t)(s->start[START_COLD] + s->start[START_SNAPSTART]));
    percentile_cell(t, 5, &s->duration, 500);
    percentile_cell(t, 6, &s->duration, 950);
    percentile_cell(t, 7, &s->duration, 990);
    if (s->fullest_size_bytes > 0) {
        table_i64(t, 8, (int64_t)(s->fullest_used_bytes >> 20));
        table_i64(t, 9, (int64_t)(s->fullest_size_bytes >> 20));
    }
    size_cell(t, 10, s->log_bytes);
    if (s->n == 0 || s->unpriced < s->n)
        cli_cost_cells(t, (struct usd_columns){FUNCTION_COST, FUNCTION_CNY}, s->cost, &f->fn);
    if (f->fn.account.n > 0)
        table_text(t, FUNCTION_ACCOUNT, f->fn.account);
}

static wide cost_of(const struct fn_row *f)
{
    return f->stats.cost;
}

static wide slowness_of(const struct fn_row *f)
{
    uint64_t us = 0;
    return histogram_percentile(&f->stats.duration, 950, &us) ? (wide)us : -1;
}

static wide memory_of(const struct fn_row *f)
{
    return (wide)f->stats.fullest_used_bytes;
}

static wide init_of(const struct fn_row *f)
{
    return f->stats.sum_init_ns;
}

/* In the order of enum inv_order; NULL: by region and name. */
static wide (*const function_orders[ARRAY_LEN(order_names) - 1])(const struct fn_row *) = {
    NULL, NULL, slowness_of, cost_of, memory_of, init_of,
};

/* One function of a ranking: place is that in the order of names. */
struct ranked_fn {
    wide value;
    uint32_t id, place;
};

struct ranking {
    struct top_n best;
    wide (*value_of)(const struct fn_row *);
    uint32_t n_seen;
};

static int compare_ranked(const void *ctx, const void *a, const void *b)
{
    const struct ranked_fn *x = a, *y = b;

    UNUSED(ctx);
    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static enum status rank(void *ctx, const struct fn_row *row, struct err *e)
{
    struct ranking *r = ctx;
    const struct ranked_fn f = {r->value_of(row), row->fn_id, r->n_seen++};

    UNUSED(e);
    if (top_n_wants(&r->best, &f))
        top_n_add(&r->best, &f);
    return OK;
}

/* Leaves the ids that are asked for, in the order asked for. */
static enum status rank_functions(const struct cli *c, struct store *s, struct each_fn_request *q,
                                  struct err *e)
{
    const struct query_options *o = c->options;
    const size_t limit = o->limit > 0 && (size_t)o->limit < q->fns.n ? (size_t)o->limit : q->fns.n;
    struct ranking r = {.value_of = function_orders[o->order]};

    if (r.value_of == NULL)
        return OK;
    top_n_init(&r.best, c->arena, sizeof(struct ranked_fn), limit);
    r.best.compare = compare_ranked;
    if (request_each_function(s, q, rank, &r, e) != OK)
        return e->code;
    top_n_sort(&r.best);
    for (size_t i = 0; i < r.best.n; i++)
        q->fns.ids[i] = ((const struct ranked_fn *)top_n_row(&r.best, i))->id;
    q->fns.n = r.best.n;
    return OK;
}

struct function_printer {
    struct store *store;
    struct each_fn_request request;
    struct table_stream *rows;
    size_t limit, left; /* of --limit */
};

static enum status give_function(void *ctx, const struct fn_row *row, struct err *e)
{
    struct function_printer *p = ctx;
    struct fn_row f = *row;

    UNUSED(e);
    f.fn = *fn_copy(p->rows->table.arena, &row->fn); /* the row is gone before it is printed */
    function_row(&p->rows->table, &f);
    if (table_stream_row(p->rows) != OK)
        return ERR_CANCELLED;
    return --p->left == 0 ? ERR_CANCELLED : OK;
}

static enum status give_functions(void *ctx, struct table_stream *rows, struct err *e)
{
    struct function_printer *p = ctx;

    p->rows = rows;
    p->left = p->limit;
    return request_each_function(p->store, &p->request, give_function, p, e);
}

static enum status query_functions(struct cli *c, struct store *s, struct range r, struct err *e)
{
    static const struct table_shape shape = {function_columns, ARRAY_LEN(function_columns),
                                             "fnscope.functions", 1};
    const struct query_options *o = c->options;
    const struct fn_filter f = cli_filter(c);
    const struct table_out out = cli_table_out(c);
    struct function_printer p = {
        .store = s, .request.range = r, .limit = o->limit > 0 ? (size_t)o->limit : SIZE_MAX};

    if (request_fn_ids(s, r, &f, c->arena, &p.request.fns, e) != OK ||
        rank_functions(c, s, &p.request, e) != OK ||
        table_stream_print(&out, &shape, give_functions, &p, e) != OK)
        return err_wrap(e, "query functions");
    return OK;
}

/* --- invocations --- */

static enum status query_invocations(struct cli *c, struct store *s, struct range r, struct err *e)
{
    const struct query_options *o = c->options;
    struct inv_request q = {
        .range = r,
        .fn = cli_filter(c),
        .min_duration_ns = o->min_duration_ns,
        .error_glob = o->error,
        .instance = o->instance,
        .trace_id = trace_id_parse(o->trace, c->arena),
        .order = (enum inv_order)o->order,
        .limit = (size_t)o->limit,
    };
    struct inv_rows rows;

    if (cli_want_trace(c, o->trace, e) != OK ||
        parse_mask(c, o->outcome, &outcome_option, &q.outcome_mask, e) != OK ||
        parse_mask(c, o->start, &start_option, &q.start_mask, e) != OK)
        return e->code;
    if (o->limit == 0 || o->limit > INV_STREAM_FROM)
        return inv_stream_print(c, s, &q, e) == OK ? OK : err_wrap(e, "query invocations");
    if (request_invocations(s, &q, c->arena, &rows, e) != OK)
        return err_wrap(e, "query invocations");
    invocation_table_print(c, &rows);
    if (rows.is_more && !c->settings->is_quiet && c->err_is_tty)
        log_event(LOG_INFO, "there are more invocations than --limit %lld shows",
                  (long long)o->limit);
    return OK;
}

/* --- errors --- */

static const struct table_column error_columns[] = {
    {.name = "count", .title = "COUNT", .is_right = true},
    {.name = "function", .title = "FUNCTION", .max_width = 32},
    {.name = "outcome", .title = "RESULT"},
    {.name = "error_type", .title = "TYPE", .max_width = 32},
    {.name = "first_time", .title = "FIRST"},
    {.name = "last_time", .title = "LAST"},
    {.name = "sample_request_id", .title = "EXAMPLE"},
    {.name = "sample", .title = "MESSAGE", .max_width = 60},
    {.name = "account", .title = "ACCOUNT"},
    {.name = "region", .title = "REGION"},
};
enum { ERROR_ACCOUNT = 8, ERROR_REGION };

static enum status query_errors(struct cli *c, struct store *s, struct range r, struct err *e)
{
    const struct query_options *o = c->options;
    struct error_request q = {.range = r, .fn = cli_filter(c), .limit = (size_t)o->limit};
    struct table_column columns[ARRAY_LEN(error_columns)];
    struct store_places places;
    struct error_rows rows;
    struct table t;

    if (request_errors(s, &q, c->arena, &rows, e) != OK || request_places(s, &places, e) != OK)
        return err_wrap(e, "query errors");
    memcpy(columns, error_columns, sizeof(columns));
    columns[ERROR_ACCOUNT].is_hidden = !places.has_accounts; /* people need it only then */
    columns[ERROR_REGION].is_hidden = !places.has_regions;
    table_init(&t, c->arena, columns, ARRAY_LEN(columns), "fnscope.errors", 1);
    for (size_t i = 0; i < rows.n; i++) {
        const struct error_row *row = &rows.rows[i];
        table_row(&t);
        table_i64(&t, 0, (int64_t)row->count);
        table_text(&t, 1, row->fn.name);
        table_text(&t, 2, str_from(outcome_name(row->outcome)));
        if (row->error_type.n > 0)
            table_text(&t, 3, row->error_type);
        cli_time_cell(&t, 4, row->first_ns);
        cli_time_cell(&t, 5, row->last_ns);
        table_text(&t, 6, row->sample_id);
        table_text(&t, 7, row->sample);
        table_text(&t, ERROR_ACCOUNT, row->fn.account);
        table_text(&t, ERROR_REGION, row->fn.region);
    }
    cli_print_table(c, &t);
    return OK;
}

/* --- series --- */

static const struct table_column series_columns[] = {
    {.name = "time", .title = "TIME"},
    {.name = "invocations", .title = "INV", .is_right = true},
    {.name = "errors", .title = "ERR", .is_right = true},
    {.name = "cold_starts", .title = "COLD", .is_right = true},
    {.name = "p50_ms", .title = "P50", .is_right = true},
    {.name = "p95_ms", .title = "P95", .is_right = true},
    {.name = "log_bytes", .title = "LOGS", .is_right = true},
    {.name = "cost_usd", .title = "COST", .is_right = true},
    {.name = "cost_cny", .is_hidden = true},
};

static bool is_in_cny(const void *ctx, const struct fn_ref *fn)
{
    UNUSED(ctx);
    return !fn_is_usd(fn);
}

/* What of a point is in USD; people see what is in CNY behind it. */
static void series_costs(struct table *t, wide all, wide cny)
{
    cli_money_cell(t, 7, all - cny, STR("USD"));
    if (cny == 0)
        return;
    cli_money_cell(t, 8, cny, STR("CNY"));
    struct table_cell *row = &t->cells[(t->n_rows - 1) * t->n_columns];
    row[7].shown =
        arena_printf(t->arena, STR_FMT " + " STR_FMT, STR_ARG(row[7].shown), STR_ARG(row[8].shown));
}

static enum status query_series(struct cli *c, struct store *s, struct range r, struct err *e)
{
    const struct query_options *o = c->options;
    struct series_request q = {.range = r, .step_ns = o->step_ns, .fn = cli_filter(c)};
    struct series series, cny;
    struct table t;

    if (o->step_ns != NS_PER_MIN && o->step_ns != NS_PER_HOUR && o->step_ns != NS_PER_DAY)
        return err_set(e, ERR_USAGE, "--step must be 1m, 1h or 1d");
    if (request_series(s, &q, c->arena, &series, e) != OK)
        return err_wrap(e, "query series");
    q.fn.test = is_in_cny;
    if (request_series(s, &q, c->arena, &cny, e) != OK)
        return err_wrap(e, "query series");
    table_init(&t, c->arena, series_columns, ARRAY_LEN(series_columns), "fnscope.series", 1);
    for (size_t i = 0; i < series.n; i++) {
        const struct stats *p = &series.points[i];
        table_row(&t);
        cli_time_cell(&t, 0, series.since_ns + (int64_t)i * series.step_ns);
        table_i64(&t, 1, (int64_t)p->n);
        table_i64(&t, 2, (int64_t)failed(p));
        table_i64(&t, 3, (int64_t)(p->start[START_COLD] + p->start[START_SNAPSTART]));
        percentile_cell(&t, 4, &p->duration, 500);
        percentile_cell(&t, 5, &p->duration, 950);
        size_cell(&t, 6, p->log_bytes);
        series_costs(&t, p->cost, i < cny.n ? cny.points[i].cost : 0);
    }
    cli_print_table(c, &t);
    return OK;
}

static const struct {
    const char *name;
    enum status (*run)(struct cli *c, struct store *s, struct range r, struct err *e);
} queries[] = {
    {"functions", query_functions},
    {"invocations", query_invocations},
    {"errors", query_errors},
    {"series", query_series},
};

static int run_query(struct cli *c, struct err *e)
{
    AUTO(cli_close_store) struct store *s = NULL;
    struct range r;

    if (cli_want_words(c, 1, 1, e) != OK)
        return EXIT_USAGE;
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        if (!str_eq(c->words.items[0], str_from(queries[i].name)))
            continue;
        if (cli_open_store(c, true, &s, e) != OK || cli_range(c, s, 0, &r, e) != OK ||
            cli_say_if_no_function(c, s, e) != OK)
            return e->code == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
        enum status st = queries[i].run(c, s, r, e);
        return st == OK ? EXIT_DONE : st == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
    }
    err_set(e, ERR_USAGE,
            "query: \"" STR_FMT "\" is none of functions, invocations, errors, series",
            STR_ARG(c->words.items[0]));
    return EXIT_USAGE;
}

const struct command cmd_query = {
    .name = "query",
    .summary = "list functions, invocations, errors or a time series",
    .usage = "functions|invocations|errors|series",
    .description =
        "Lists what the store holds about the time range, by default all of it. Machine formats "
        "(--format json, ndjson, csv, tsv) carry unrounded numbers and all columns. Functions come "
        "by "
        "account, region and name but for another --order, where slowest goes by the 95th "
        "percentile. More than 20,000 invocations in another order than that of time are sorted in "
        "a "
        "file without a name in the temporary folder (SQLITE_TMPDIR, TMPDIR, /var/tmp, /tmp), "
        "about "
        "300 bytes each.\n\n"
        "Cost adds up the invocations, each rounded to 12 decimals; fnscope cost rounds the price "
        "of "
        "summed quantities once. The two differ by less than 10^-12 an invocation.",
    .options = query_options,
    .options_size = sizeof(struct query_options),
    .examples = "fnscope query functions --since 24h\twhat ran since yesterday\n"
                "fnscope query invocations --outcome timeout,oom --order slowest -n 20\tthe worst\n"
                "fnscope query series --step 1d -o csv\tone row a day for a spreadsheet\n",
    .run = run_query,
};

/* Numbers as people read them. Integers only. */
#include "core/base/timefmt.h"
#include "reports/report_data.h"

static struct str taken(struct arena *a, struct buf *b)
{
    struct str s = arena_str(a, buf_str(b));

    buf_clear(b);
    return s;
}

struct str text_money(struct arena *a, wide pico, struct str currency)
{
    struct buf b = {.max = 64};
    money m = 0;

    if (money_narrow(pico, &m, NULL) != OK)
        return STR("very much");
    money_format_short(&b, m, currency);
    return taken(a, &b);
}

struct str text_money_exact(struct arena *a, wide pico)
{
    struct buf b = {.max = 64};

    wide_format_scaled(&b, pico, 12);
    return taken(a, &b);
}

struct str text_count(struct arena *a, uint64_t n)
{
    struct str digits = arena_printf(a, "%llu", (unsigned long long)n);
    struct buf b = {.max = 64};

    for (size_t i = 0; i < digits.n; i++) {
        if (i > 0 && (digits.n - i) % 3 == 0)
            buf_add_c(&b, ',');
        buf_add_c(&b, digits.p[i]);
    }
    return taken(a, &b);
}

static struct str permille_text(struct arena *a, wide permille, const char *sign)
{
    return arena_printf(a, "%s%lld.%lld %%", sign, (long long)(permille / 10),
                        (long long)(permille % 10));
}

struct str text_share(struct arena *a, wide part, wide whole)
{
    if (whole <= 0)
        return STR("-");
    wide permille = wide_div_round(part * 1000, whole);
    return permille == 0 && part > 0 ? STR("< 0.1 %") : permille_text(a, permille, "");
}

struct str text_change(struct arena *a, wide now, wide before)
{
    if (before == 0)
        return now == 0 ? STR("0.0 %") : STR("new");
    wide difference = now - before;
    wide permille = wide_div_round((difference < 0 ? -difference : difference) * 1000, before);
    return permille_text(a, permille, difference < 0 ? "-" : "+");
}

struct str text_things(struct arena *a, uint64_t n, const char *thing)
{
    return arena_printf(a, STR_FMT " %s%s", STR_ARG(text_count(a, n)), thing, plural(n, "", "s"));
}

struct str text_duration_us(struct arena *a, uint64_t us)
{
    struct buf b = {.max = 64};

    duration_format(&b, (int64_t)us * NS_PER_US);
    return taken(a, &b);
}

struct str text_size(struct arena *a, uint64_t bytes)
{
    struct buf b = {.max = 64};

    size_format(&b, bytes);
    return taken(a, &b);
}

struct str text_time(struct arena *a, int64_t t_ns)
{
    struct buf b = {.max = 64};

    time_format(&b, t_ns, 0);
    return taken(a, &b);
}

struct str text_day(struct arena *a, int64_t t_ns)
{
    struct buf b = {.max = 64};

    time_format_day(&b, t_ns);
    return taken(a, &b);
}

struct str text_fn(const struct report_data *r, const struct fn_ref *of)
{
    return store_places_name(&r->places, of, r->arena);
}

void fn_cell(const struct report_data *r, struct table *t, size_t column, const struct fn_ref *of)
{
    table_text_shown(t, column, of->name, text_fn(r, of));
}

void time_cell(struct table *t, size_t column, int64_t t_ns)
{
    struct str whole = text_time(t->arena, t_ns);
    struct str shown = arena_printf(t->arena, "%.10s %.5s", whole.p, whole.p + 11);

    table_text_shown(t, column, whole, shown);
}

struct doc_series series_over_time(const struct report_data *r, const char *what, struct str top,
                                   const uint64_t *values, const struct doc_value *exact)
{
    const struct series *of = &r->series;
    bool is_hourly = of->step_ns == NS_PER_HOUR;
    int64_t last = of->since_ns + ((int64_t)of->n - 1) * of->step_ns;
    struct str *times = arena_new(r->arena, struct str, of->n);

    for (size_t i = 0; i < of->n; i++)
        times[i] = text_time(r->arena, of->since_ns + (int64_t)i * of->step_ns);
    return (struct doc_series){
        .title = arena_printf(r->arena, "%s per %s", what, is_hourly ? "hour" : "day"),
        .first = is_hourly ? times[0] : text_day(r->arena, of->since_ns),
        .last = is_hourly ? times[of->n - 1] : text_day(r->arena, last),
        .top = top,
        .first_time = times[0],
        .step_s = of->step_ns / NS_PER_SEC,
        .times = times,
        .values = values,
        .exact = exact,
        .n = of->n,
    };
}

/* `fnscope show` takes the first group of an id. */
void id_cell(struct table *t, size_t column, struct str id)
{
    table_text_shown(t, column, id, str_sub(id, 0, id.n == 36 ? 8 : id.n));
}

uint64_t count_failed(const struct stats *s)
{
    return s->n - s->outcome[OUTCOME_OK] - s->outcome[OUTCOME_UNKNOWN];
}

uint64_t count_cold(const struct stats *s)
{
    return s->start[START_COLD] + s->start[START_SNAPSTART];
}

unsigned permille_of(wide part, wide whole)
{
    return whole > 0 && part > 0 ? (unsigned)(part * 1000 / whole) : 0;
}

static struct str exact_ms(struct arena *a, uint64_t us)
{
    return arena_printf(a, "%llu.%03llu", (unsigned long long)us / 1000,
                        (unsigned long long)us % 1000);
}

static struct str exact_share(struct arena *a, wide part, wide whole)
{
    struct buf raw = {.max = 64};

    wide_format_scaled(&raw, wide_div_round(part * 1000000, whole), 6);
    return taken(a, &raw);
}

struct doc_value value_money(struct arena *a, wide pico, struct str currency)
{
    return (struct doc_value){CELL_MONEY, text_money_exact(a, pico), text_money(a, pico, currency),
                              currency};
}

struct doc_value value_cost(struct arena *a, const struct stats_cost *of, wide pico)
{
    if (of->is_unpriced && of->total == 0)
        return (struct doc_value){CELL_NULL, {0}, STR("not priced"), of->currency};
    return value_money(a, pico, of->currency);
}

bool report_is_unpriced(const struct report_data *r)
{
    return r->n_unpriced > 0 || (r->total.n > 0 && stats_open(&r->total) == r->total.n);
}

struct doc_value value_sum(const struct report_data *r, wide pico)
{
    const struct stats_cost all = {.total = r->cost,
                                   .is_unpriced = report_is_unpriced(r) && pico == 0,
                                   .currency = r->currency};

    return value_cost(r->arena, &all, pico);
}

struct doc_value value_count(struct arena *a, uint64_t n)
{
    return (struct doc_value){CELL_NUMBER, arena_printf(a, "%llu", (unsigned long long)n),
                              text_count(a, n), STR("count")};
}

struct doc_value value_share(struct arena *a, wide part, wide whole)
{
    if (whole <= 0)
        return (struct doc_value){CELL_NULL, {0}, STR("-"), STR("share")};
    return (struct doc_value){CELL_NUMBER, exact_share(a, part, whole), text_share(a, part, whole),
                              STR("share")};
}

struct doc_value value_us(struct arena *a, uint64_t us)
{
    return (struct doc_value){CELL_NUMBER, exact_ms(a, us), text_duration_us(a, us), STR("ms")};
}

struct doc_value value_bytes(struct arena *a, uint64_t bytes)
{
    return (struct doc_value){CELL_NUMBER, arena_printf(a, "%llu", (unsigned long long)bytes),
                              text_size(a, bytes), STR("bytes")};
}

void money_cell(struct table *t, size_t column, wide pico, struct str currency)
{
    table_money(t, column, text_money_exact(t->arena, pico), text_money(t->arena, pico, currency));
}

static void value_cell(struct table *t, size_t column, const struct doc_value *v)
{
    if (v->type == CELL_NULL)
        table_null_shown(t, column, v->shown);
    else
        table_money(t, column, v->raw, v->shown);
}

void cost_cell(struct table *t, size_t column, const struct stats_cost *of, wide pico)
{
    const struct doc_value v = value_cost(t->arena, of, pico);

    value_cell(t, column, &v);
}

void sum_cell(const struct report_data *r, struct table *t, size_t column, wide pico)
{
    const struct doc_value v = value_sum(r, pico);

    value_cell(t, column, &v);
}

void percentile_cell(struct table *t, size_t column, const struct histogram *h, unsigned permille)
{
    uint64_t us;

    if (histogram_percentile(h, permille, &us))
        table_number(t, column, exact_ms(t->arena, us), text_duration_us(t->arena, us));
}

void change_cell(struct table *t, size_t column, wide now, wide before)
{
    if (before > 0)
        table_number(t, column, exact_share(t->arena, now - before, before),
                     text_change(t->arena, now, before));
}

void share_cell(struct table *t, size_t column, wide part, wide whole)
{
    if (whole <= 0)
        return;
    table_number(t, column, exact_share(t->arena, part, whole), text_share(t->arena, part, whole));
}

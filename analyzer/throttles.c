/* Calls that were refused for lack of concurrency: metrics know them, no log does. */
#include <stdlib.h>

#include "analyzer/analyzer.h"
#include "core/base/clock.h"
#include "core/store/store.h"

enum { NAMED = 3 };

static uint64_t sum_of(const struct metric_series *row)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < row->n; i++)
        if (!row->points[i].is_missing && row->points[i].value > 0)
            sum += (uint64_t)row->points[i].value * row->points[i].weight;
    return sum;
}

static int compare_throttled(const void *a, const void *b)
{
    const struct throttled_fn *x = a, *y = b;

    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return str_cmp(x->name, y->name);
}

enum status throttles_load(struct store *s, struct range range, const struct fn_filter *fn,
                           struct arena *a, struct throttles *out, struct err *e)
{
    static const enum metric metric = METRIC_THROTTLES;
    const struct metric_request q = {
        .range = range, .subject.of = *fn, .metrics = &metric, .n_metrics = 1};
    struct throttles t = {0};
    struct metric_rows rows = {0};
    uint64_t regions = 0, functions = 0;

    if (request_metrics(s, &q, a, &rows, e) != OK)
        return err_wrap(e, "throttles");
    t.functions = arena_new(a, struct throttled_fn, rows.n + 1);
    for (size_t i = 0; i < rows.n; i++) {
        const struct metric_series *row = &rows.rows[i];
        const uint64_t n = sum_of(row);
        if (row->subject.scope == SCOPE_REGION)
            regions += n;
        if (row->subject.scope != SCOPE_FUNCTION || n == 0)
            continue;
        functions += n;
        t.functions[t.n_functions++] = (struct throttled_fn){row->subject.of.name, n};
    }
    if (t.n_functions > 1)
        qsort(t.functions, t.n_functions, sizeof(*t.functions), compare_throttled);
    t.n = regions > functions ? regions : functions;
    *out = t;
    return OK;
}

struct str throttles_text(const struct throttles *t, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = 4096};
    const size_t shown = t->n_functions < NAMED ? t->n_functions : NAMED;

    buf_addf(&b, "%llu %s refused for lack of concurrency (throttled)", (unsigned long long)t->n,
             plural(t->n, "call was", "calls were"));
    for (size_t i = 0; i < shown; i++)
        buf_addf(&b, "%s" STR_FMT " %llu", i > 0 ? ", " : ": ", STR_ARG(t->functions[i].name),
                 (unsigned long long)t->functions[i].n);
    if (t->n_functions > shown)
        buf_addf(&b, " and %zu more", t->n_functions - shown);
    return arena_str(a, buf_str(&b));
}

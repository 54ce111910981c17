/* What functions' list costs come to on the bill: free tier, volume tiers and savings plan, month
 * by month. The free tier is the payer's: all functions share it, also those not shown. */
#include "cli/cost_views.h"

#include "core/base/timefmt.h"

struct month {
    const struct cost_months_request *request;
    struct cost_months *out;
    size_t number;
    struct range range;
    struct effective *bill;
};

/* An open end stands for all there is: it cuts no month that is over. */
static struct range whole_if_over(const struct cli *c, struct range part)
{
    const struct settings *set = c->settings;
    const int64_t end_ns = time_month(part.since_ns, 1);

    if (end_ns > clock_now(&c->clock))
        return part;
    return (struct range){set->since_ns == 0 ? time_month(part.since_ns, 0) : part.since_ns,
                          set->until_ns == 0 ? end_ns : part.until_ns};
}

static void cut_months(const struct cost_months_request *q, struct cost_months *m)
{
    size_t cap = 0;

    for (int64_t at = q->range.since_ns; at < q->range.until_ns;) {
        const int64_t next = time_month(at, 1);
        const int64_t until = next < q->range.until_ns ? next : q->range.until_ns;
        m->months = arena_grow(q->cli->arena, m->months, m->n, &cap, sizeof(*m->months));
        m->months[m->n++] = whole_if_over(q->cli, (struct range){at, until});
        at = until;
    }
}

int64_t cost_price_time(struct range r, const struct fn_row *row)
{
    return row->last_ns > 0 && row->last_ns < r.until_ns ? row->last_ns : r.until_ns - 1;
}

/* Priced at list. */
static enum status price(const struct month *m, const struct fn_row *row, struct effective_row *out,
                         struct err *e)
{
    *out = (struct effective_row){.fn = &row->fn, .stats = &row->stats};
    return cost_of_stats(m->request->cost, &row->fn, &row->stats, cost_price_time(m->range, row),
                         &out->list, e);
}

static enum status add_function(void *ctx, const struct fn_row *row, struct err *e)
{
    const struct month *m = ctx;
    struct effective_row r;

    if (price(m, row, &r, e) != OK)
        return e->code;
    effective_add(m->bill, &r);
    return OK;
}

static enum status give_function(void *ctx, const struct fn_row *row, struct err *e)
{
    const struct month *m = ctx;
    const uint64_t *at = idmap_get(&m->out->index, row->fn_id);
    struct effective_row r;

    if (at == NULL)
        return OK;
    if (price(m, row, &r, e) != OK)
        return e->code;
    effective_give(m->bill, &r);
    struct fn_bill *f = &m->out->fns[*at];
    m->out->costs[*at * m->out->n + m->number] =
        (struct month_cost){r.list.total, r.effective.total};
    f->duration += r.effective.duration;
    f->request += r.effective.request;
    f->storage += r.effective.storage;
    f->restore += r.effective.restore;
    f->total += r.effective.total;
    f->lacks_plan = f->lacks_plan || r.lacks_plan;
    return OK;
}

static struct effective_options options_of(const struct cost_options *o, struct range part)
{
    return (struct effective_options){
        .free_requests = o->free_tier,
        .free_compute = o->free_tier,
        .savings_plan =
            o->savings_plan != 0 ? str_from(savings_plan_names[o->savings_plan]) : (struct str){0},
        .range_ns = part.until_ns - part.since_ns,
        .month_ns = time_month(part.since_ns, 1) - time_month(part.since_ns, 0),
        .at_ns = part.until_ns - 1,
    };
}

static enum status load_month(struct month *m, struct err *e)
{
    AUTO(arena_clear) struct arena scratch = {0};
    static const struct fn_filter everyone = {0};
    struct store *s = m->request->store;
    struct each_fn_request q = {.range = m->range};

    if (request_fn_ids(s, m->range, &everyone, &scratch, &q.fns, e) != OK ||
        request_each_function(s, &q, add_function, m, e) != OK)
        return err_wrap(e, "functions");
    if (effective_bill(m->bill, e) != OK)
        return err_wrap(e, "effective cost");
    return request_each_function(s, &q, give_function, m, e) == OK ? OK : err_wrap(e, "functions");
}

enum status cost_months_load(const struct cost_months_request *q, struct cost_months *out,
                             struct err *e)
{
    enum status status = OK;

    cut_months(q, out);
    for (size_t i = 0; i < q->fns->n; i++)
        *idmap_put(&out->index, q->fns->ids[i], NULL) = i;
    out->fns = arena_new(q->cli->arena, struct fn_bill, q->fns->n + 1);
    out->costs = arena_new(q->cli->arena, struct month_cost, q->fns->n * out->n + 1);
    for (size_t i = 0; status == OK && i < out->n; i++) {
        const struct effective_options o = options_of(q->options, out->months[i]);
        struct month m = {q, out, i, out->months[i], effective_new(q->cost, &o)};
        status = load_month(&m, e);
        effective_free(m.bill);
    }
    return status;
}

const struct fn_bill *cost_months_of(const struct cost_months *m, uint32_t fn_id)
{
    const uint64_t *at = idmap_get(&m->index, fn_id);

    return at != NULL ? &m->fns[*at] : NULL;
}

wide cost_months_part(const struct cost_months *m, uint32_t fn_id, int64_t at_ns, wide cost)
{
    const uint64_t *at = idmap_get(&m->index, fn_id);
    wide product = 0;
    size_t i = 0;

    if (at == NULL)
        return cost;
    while (i + 1 < m->n && at_ns >= m->months[i].until_ns)
        i++;
    const struct month_cost *month = &m->costs[*at * m->n + i];
    if (month->list <= 0 || wide_mul(cost, month->effective, &product, NULL) != OK)
        return cost;
    return wide_div_round(product, month->list);
}

void cost_months_clear(struct cost_months *m)
{
    idmap_clear(&m->index);
}

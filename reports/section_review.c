/* Service review: how often code was changed, how often that failed, how long it took to mend; and
 * what incidents cost. Every ratio has the list it is made of. */
#include "core/base/timefmt.h"
#include "reports/report_data.h"

struct review {
    size_t n_failed, n_recovered, repeats, n_acked;
    int64_t recovery_ns, incident_ns, acked_ns; /* sums */
};

static struct str span_text(struct arena *a, int64_t ns)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    duration_format(&b, ns);
    return arena_str(a, buf_str(&b));
}

static struct doc_value span_value(struct arena *a, int64_t ns)
{
    return (struct doc_value){CELL_NUMBER, arena_printf(a, "%lld", (long long)(ns / NS_PER_SEC)),
                              span_text(a, ns), STR("s")};
}

/* An incident is one again when its function had one of its kind before. */
static size_t count_repeats(const struct incidents *all)
{
    size_t n = 0;

    for (size_t i = 0; i < all->n; i++)
        for (size_t k = 0; k < i; k++)
            if (all->rows[k].fn_id == all->rows[i].fn_id &&
                all->rows[k].kind == all->rows[i].kind) {
                n++;
                break;
            }
    return n;
}

static struct review review_of(const struct report_data *r)
{
    struct review v = {.repeats = count_repeats(&r->incidents)};

    for (size_t i = 0; i < r->deployments.n; i++) {
        const struct deployment *x = &r->deployments.rows[i];
        v.n_failed += x->is_failed;
        if (x->is_failed && x->recovered_ns > x->at_ns) {
            v.n_recovered++;
            v.recovery_ns += x->recovered_ns - x->at_ns;
        }
    }
    for (size_t i = 0; i < r->incidents.n; i++)
        v.incident_ns += r->incidents.rows[i].until_ns - r->incidents.rows[i].since_ns;
    for (size_t i = 0; i < r->episodes.n; i++) {
        const struct alert *x = &r->episodes.rows[i];
        if (x->acked_ns <= x->started_ns)
            continue;
        v.n_acked++;
        v.acked_ns += x->acked_ns - x->started_ns;
    }
    return v;
}

static void add_figure(struct doc_figure *f, const char *key, const char *label,
                       struct doc_value value, struct str note)
{
    *f = (struct doc_figure){
        .key = str_from(key), .label = str_from(label), .value = value, .note = note};
}

static void cost_figure(const struct report_data *r, struct doc *d, struct str currency,
                        struct doc_figure *f)
{
    wide cost = 0;

    for (size_t i = 0; i < r->incidents.n; i++)
        if (str_eq(currency_of(r, &r->incidents.rows[i].fn), currency))
            cost += r->incidents.rows[i].cost_failed;
    d->part = r->n_parts > 0 ? currency : (struct str){0};
    add_figure(f, "", "Spent on failures of incidents", value_money(r->arena, cost, currency),
               (struct str){0});
    f->key = doc_key(d, "incident_cost");
    d->part = (struct str){0};
}

static void review_figures(const struct report_data *r, struct doc *d, struct doc_section *s)
{
    const struct doc_value none = {.type = CELL_NULL, .shown = STR("-"), .unit = STR("s")};
    const struct review v = review_of(r);
    struct arena *a = r->arena;
    size_t deploys = r->deployments.n, incidents = r->incidents.n;
    const size_t n_costs = r->n_parts > 0 ? r->n_parts : 1, n = 6 + n_costs;
    struct doc_figure *f = doc_figures(d, s, "figures", v.n_acked > 0 ? n + 1 : n);

    add_figure(&f[0], "deployments", "Deployments", value_count(a, deploys), (struct str){0});
    add_figure(&f[1], "change_failure_rate", "Change failure rate",
               value_share(a, (wide)v.n_failed, (wide)deploys),
               deploys > 0 ? arena_printf(a, "%zu of %zu", v.n_failed, deploys) : STR(""));
    f[1].tone = v.n_failed > 0 ? TONE_WARN : TONE_PLAIN;
    add_figure(&f[2], "failed_deployment_recovery", "Failed deployment recovery",
               v.n_recovered > 0 ? span_value(a, v.recovery_ns / (int64_t)v.n_recovered) : none,
               v.n_recovered > 0 ? STR("on average") : STR("none failed"));
    add_figure(&f[3], "incidents", "Incidents", value_count(a, incidents), (struct str){0});
    add_figure(&f[4], "incident_length", "Incident length",
               incidents > 0 ? span_value(a, v.incident_ns / (int64_t)incidents) : none,
               incidents > 0 ? STR("on average, first to last failure") : STR("there was none"));
    add_figure(&f[5], "repeats", "Repeated incidents", value_count(a, v.repeats),
               STR("same function, same kind"));
    for (size_t i = 0; i < n_costs; i++)
        cost_figure(r, d, r->n_parts > 0 ? r->currencies[i] : r->currency, &f[6 + i]);
    if (v.n_acked > 0)
        add_figure(&f[n], "acknowledged_after", "Alerts acknowledged after",
                   span_value(a, v.acked_ns / (int64_t)v.n_acked), STR("on average"));
}

static void deployment_row(const struct report_data *r, struct table *t, const struct deployment *x)
{
    table_row(t);
    fn_cell(r, t, 0, &x->fn);
    table_text(t, 1, x->version);
    table_text(t, 2, x->before);
    time_cell(t, 3, x->at_ns);
    table_text(t, 4, x->is_failed ? STR("failed") : STR("ok"));
    if (x->back_ns)
        time_cell(t, 5, x->back_ns);
    if (x->is_failed && x->recovered_ns > x->at_ns) {
        const struct doc_value span = span_value(r->arena, x->recovered_ns - x->at_ns);
        table_number(t, 6, span.raw, span.shown);
    }
}

void section_review(const struct report_data *r, struct doc *d)
{
    static const struct table_column columns[] = {
        {.name = "function", .title = "Function", .max_width = 48},
        {.name = "version", .title = "Version"},
        {.name = "version_before", .title = "Before"},
        {.name = "first_time", .title = "First seen"},
        {.name = "result", .title = "Result"},
        {.name = "rolled_back_time", .title = "Rolled back"},
        {.name = "recovery_s", .title = "Recovered after", .is_right = true},
    };

    if (r->total.n == 0)
        return;
    struct doc_section *s = doc_section(d, "service_review", "Service review");
    review_figures(r, d, s);
    if (r->deployments.n > 0) {
        struct table *t = doc_table(d, s, "deployments", columns, ARRAY_LEN(columns));
        for (size_t i = 0; i < r->deployments.n; i++)
            deployment_row(r, t, &r->deployments.rows[i]);
    } else if (!r->deployments.has_versions) {
        doc_text(d, s, TONE_PLAIN,
                 STR("No published version runs here: with $LATEST alone, deployments do not show "
                     "in logs."));
    }
    doc_text(
        d, s, TONE_PLAIN,
        arena_printf(r->arena,
                     "A deployment is the first environment of a version that neither the range "
                     "nor the day before has seen. It failed when an incident of its function "
                     "began within %d minutes of it, "
                     "or the version before came back within them and stayed; it has "
                     "recovered when the failures ended.",
                     DEPLOY_WINDOW_MIN));
}

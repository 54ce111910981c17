/* sim_scenarios: random scenarios whose truth is known (scenario.h). SHUFFLES / 10 of them (default
 * 200), each in 10 orders as sim_correlate has them: what ran and is told by a REPORT stands there
 * once, what was printed in a stream that Lambda named does not, and each order gives one dump. A
 * seed that fails is printed; SEED=n runs that one alone. */
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "tests/sim/runs.h"
#include "tests/sim/scenario.h"

enum { ORDERS = 10 };

/* --- what is to be --- */

static size_t rows_of(const struct twin *t, const struct run *r, bool is_reported)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n_rows; i++)
        n += str_eq(t->rows[i].id, str_from(r->id)) && !(t->rows[i].evidence & EV_FORGED) &&
             (!is_reported || t->rows[i].duration_ns == r->duration_ns);
    return n;
}

static bool is_named(const struct scenario *s, const struct run *r)
{
    return s->is_named[r->env];
}

/* Its lines lie within those of the run that printed them, as far as times tell. */
static bool is_inside(const struct run *r, int64_t step_ns)
{
    const struct run *p = r->printer;
    const int64_t first_ns = r->starts > 0 ? r->start_ns : r->end_ns;
    const int64_t last_ns = r->ends + r->reports > 0 ? r->end_ns : r->start_ns;

    return p->starts > 0 && p->reports > 0 && p->start_ns / step_ns < first_ns / step_ns &&
           last_ns / step_ns < p->end_ns / step_ns;
}

/* Coarse times are those of all lines. */
static int64_t step_of(const struct scenario *s)
{
    for (size_t i = 0; i < s->batch->n_records; i++)
        if (s->batch->records[i].time_ns % NS_PER_SEC != 0)
            return NS_PER_MS;
    return NS_PER_SEC;
}

static const char *wrong_of_printed(const struct scenario *s, const struct twin *t,
                                    const struct run *r)
{
    if (r->starts + r->ends + r->reports == 0 || !is_inside(r, step_of(s)))
        return NULL;
    if (is_named(s, r) || (r->is_overbilled && r->reports > 0))
        return rows_of(t, r, false) > 0 ? "what was printed counts" : NULL;
    return NULL;
}

/* Of another request of the environment the end of one run and the beginning of the next are lost:
 * what is left of a request in between looks like its text. */
static bool lies_in_a_gap(const struct scenario *s, const struct run *r)
{
    for (size_t i = 0; i < s->n_runs && (r->starts == 0 || r->reports == 0); i++)
        for (size_t k = 0; k < s->n_runs && s->runs[i].reports == 0; k++)
            if (s->runs[i].env == r->env && s->runs[k].env == r->env && s->runs[k].starts == 0 &&
                i != k && strcmp(s->runs[i].id, s->runs[k].id) == 0)
                return true;
    return false;
}

/* Its REPORT, without its START, stands in the time of a line of another run, and it printed a
 * request in the time it claims: just so looks what that other run prints, of a request that ran
 * before. */
static bool is_alone_at_an_edge(const struct scenario *s, const struct run *r)
{
    const int64_t step_ns = step_of(s), end = r->end_ns / step_ns;
    bool has_printed = false, has_neighbour = false;

    if (r->starts > 0 || r->reports == 0)
        return false;
    for (size_t i = 0; i < s->n_runs; i++) {
        const struct run *other = &s->runs[i];
        if (other->env != r->env || other == r || other->starts + other->ends + other->reports == 0)
            continue;
        has_printed = has_printed || other->printer == r;
        has_neighbour =
            has_neighbour || (other->printer != r &&
                              (other->start_ns / step_ns == end || other->end_ns / step_ns == end));
    }
    return has_printed && has_neighbour;
}

/* Where no stream is named a REPORT without its START and its END may be another's text. */
static const char *wrong_of_genuine(const struct scenario *s, const struct twin *t,
                                    const struct run *r)
{
    const size_t n = rows_of(t, r, r->reports > 0);

    if (r->reports > 0 && n > 1)
        return "it counts twice";
    if (n > 0 || r->starts + r->ends + r->reports == 0 || lies_in_a_gap(s, r) ||
        is_alone_at_an_edge(s, r))
        return NULL;
    if (!is_named(s, r) && r->starts == 0 && (r->ends == 0 || r->reports == 0))
        return NULL;
    return "it is lost";
}

static bool is_right(const struct scenario *s, const struct twin *t, uint64_t seed)
{
    for (size_t i = 0; i < s->n_runs; i++) {
        const struct run *r = &s->runs[i];
        const char *wrong = r->printer ? wrong_of_printed(s, t, r) : wrong_of_genuine(s, t, r);
        if (wrong == NULL)
            continue;
        printf("SEED=%llu: request %s of environment %zu: %s\n", (unsigned long long)seed, r->id,
               r->env, wrong);
        return false;
    }
    return true;
}

/* --- orders --- */

static bool is_one_dump(struct sim *s, uint64_t seed, struct str want)
{
    const uint64_t hash = twin_hash(&s->twin);

    for (uint64_t i = 0; i < ORDERS; i++) {
        sim_run_seed(s, seed * ORDERS + i);
        if (s->twin.fault == NULL && twin_hash(&s->twin) == hash)
            continue;
        AUTO(buf_clear) struct buf got = {.max = 1u << 20};
        twin_dump(&s->twin, &got);
        printf("SEED=%llu: order %llu: %s\n", (unsigned long long)seed, (unsigned long long)i,
               s->twin.fault != NULL ? s->twin.fault : "another dump");
        sim_print_difference(want, buf_str(&got));
        return false;
    }
    return true;
}

static void print_records(const struct batch *b)
{
    for (size_t i = 0; i < b->n_records; i++) {
        const struct log_record *r = &b->records[i];
        printf(STR_FMT " %s ...%lld ms %lld us " STR_FMT "\n", STR_ARG(r->invocation_id),
               platform_kind_name(r->platform->kind),
               (long long)(r->time_ns / NS_PER_MS % 10000000),
               (long long)(r->platform->duration_ns / NS_PER_US), STR_ARG(r->origin->instance));
    }
}

static bool check_scenario(uint64_t seed)
{
    AUTO(buf_clear) struct buf want = {.max = 1u << 20};
    struct scenario scenario;
    struct sim s;
    bool is_good = true;

    scenario_make(&scenario, seed);
    if (scenario.batch->n_records > 0) {
        sim_init(&s, scenario.batch);
        sim_run_in_order(&s);
        twin_dump(&s.twin, &want);
        is_good = is_right(&scenario, &s.twin, seed) && is_one_dump(&s, seed, buf_str(&want));
        if (!is_good && sim_number_of("SEED", 0) != 0)
            printf(STR_FMT, STR_ARG(buf_str(&want))), print_records(scenario.batch);
        sim_clear(&s);
    }
    scenario_clear(&scenario);
    return is_good;
}

int main(void)
{
    const uint64_t only = sim_number_of("SEED", 0);
    const uint64_t last = only ? only : sim_number_of("SHUFFLES", 2000) / ORDERS;
    size_t n_wrong = 0;

    for (uint64_t seed = only ? only : 1; seed <= last && n_wrong < 10; seed++)
        n_wrong += !check_scenario(seed);
    if (n_wrong == 0)
        printf(
            "%llu scenarios in %d orders each: what ran counts once, what was printed does not\n",
            (unsigned long long)last, ORDERS);
    return n_wrong > 0;
}

#include "tests/sim/scenario.h"

#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/rng.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */

static const struct fn_ref orders = {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"),
                                     STR_INIT("orders"), NULL};

/* What all lines of a scenario have in common. */
struct maker {
    struct scenario *s;
    struct rng rng;
    int64_t step_ns;     /* times are multiples of it */
    struct range window; /* what lies outside was not exported */
    bool is_json, is_hurried;
    bool loses_lines, is_exported_twice;
};

static bool one_in(struct maker *m, uint64_t n)
{
    return rng_below(&m->rng, n) == 0;
}

static int64_t between(struct maker *m, int64_t from, int64_t to)
{
    return from + (int64_t)rng_below(&m->rng, (uint64_t)(to - from + 1));
}

/* Any length from 1 ms on, short ones as often as long ones. */
static int64_t length_ms(struct maker *m)
{
    return between(m, 1, INT64_C(1) << between(m, 1, m->is_hurried ? 6 : 15));
}

/* --- lines --- */

static const struct origin *origin_of(struct maker *m, size_t env, bool is_named)
{
    char stream[] = "2026/01/15/[$LATEST]0123456789abcdef0123456789abcde0";

    stream[sizeof(stream) - 2] = (char)('0' + env);
    const struct origin o = {.fn = batch_fn(m->s->batch, &orders),
                             .log_group = STR("/aws/lambda/orders"),
                             .instance = is_named ? str_from(stream) : (struct str){0},
                             .version = is_named ? STR("$LATEST") : (struct str){0}};

    return batch_origin(m->s->batch, &o);
}

static void put_record(struct maker *m, const struct run *r, const struct platform_event *p,
                       int64_t t_ns, bool is_named)
{
    struct batch *b = m->s->batch;
    struct platform_event *own = arena_new(&b->arena, struct platform_event, 1);

    *own = *p;
    *batch_record(b) = (struct log_record){.time_ns = t_ns - t_ns % m->step_ns,
                                           .origin = origin_of(m, r->env, is_named),
                                           .kind = RECORD_PLATFORM,
                                           .platform = own,
                                           .invocation_id = str_from(r->id)};
}

/* Unless it is lost; now and then twice, as from two exports. */
static bool put_line(struct maker *m, const struct run *r, const struct platform_event *p,
                     int64_t t_ns)
{
    const bool is_named = m->s->is_named[r->env];

    if (t_ns < m->window.since_ns || t_ns >= m->window.until_ns || (m->loses_lines && one_in(m, 6)))
        return false;
    put_record(m, r, p, t_ns, is_named);
    if (one_in(m, 12))
        put_record(m, r, p, t_ns, is_named);
    if (m->is_exported_twice && is_named)
        put_record(m, r, p, t_ns, false);
    return true;
}

static void put_start(struct maker *m, struct run *r)
{
    const struct platform_event p = {.kind = PLATFORM_START, .version = STR("$LATEST")};

    r->starts += put_line(m, r, &p, r->start_ns);
}

/* END and REPORT, or what says the same in JSON. */
static void put_end(struct maker *m, struct run *r)
{
    const struct platform_event end = {.kind = m->is_json ? PLATFORM_RUNTIME_DONE : PLATFORM_END,
                                       .status = m->is_json ? STR("success") : (struct str){0}};
    const struct platform_event report = {
        .kind = PLATFORM_REPORT,
        .has = PH_DURATION | PH_BILLED | PH_MEMORY | PH_MAX_MEMORY,
        .duration_ns = r->duration_ns,
        .billed_ns =
            (r->duration_ns / NS_PER_MS + 1) * NS_PER_MS + (r->is_overbilled ? NS_PER_HOUR : 0),
        .memory_bytes = UINT64_C(128) << 20,
        .max_memory_bytes = UINT64_C(60) << 20,
        .status = end.status,
    };

    r->ends += put_line(m, r, &end, r->end_ns);
    r->reports += put_line(m, r, &report, r->end_ns);
}

/* --- runs --- */

static struct run *new_run(struct maker *m, size_t env, int64_t start_ns, int64_t ran_ms)
{
    struct scenario *s = m->s;
    struct run *r = &s->runs[s->n_runs];

    *r = (struct run){.env = env, .start_ns = start_ns, .end_ns = start_ns + ran_ms * NS_PER_MS};
    r->duration_ns = ran_ms * NS_PER_MS - (int64_t)++s->n_runs * 10 * NS_PER_US;
    if (r->duration_ns <= 0)
        r->duration_ns = (int64_t)s->n_runs * 10 * NS_PER_US;
    snprintf(r->id, sizeof(r->id), "%08zx-0000-4000-8000-000000000000", s->n_runs * 7919);
    return r;
}

/* Whether the request can have run then, too: an event that failed is tried again, after a minute
 * or at once; one that is delivered twice runs in two environments at a time, which only their
 * streams tell apart. */
static bool may_run(const struct maker *m, const struct run *r, const struct run *before)
{
    const struct scenario *s = m->s;

    if (before->printer != NULL)
        return false;
    if (before->env != r->env && s->is_named[r->env] && s->is_named[before->env])
        return true;
    return before->end_ns + 2 * m->step_ns + 300 * NS_PER_MS <= r->start_ns;
}

static void take_earlier_id(struct maker *m, struct run *r)
{
    const struct scenario *s = m->s;
    const struct run *of = &s->runs[rng_below(&m->rng, s->n_runs)];

    for (const struct run *o = s->runs; o < s->runs + s->n_runs; o++)
        if (o != r && strcmp(o->id, of->id) == 0 && !may_run(m, r, o))
            return;
    memcpy(r->id, of->id, sizeof(r->id));
}

/* Lines of a request that never was, well within the run of the one that prints them. */
static void print_one(struct maker *m, const struct run *printer)
{
    const int64_t ms = (printer->end_ns - printer->start_ns) / NS_PER_MS;
    const int64_t at = between(m, 1, ms - 2), ran = between(m, 0, ms - 2 - at);
    struct run *r = new_run(m, printer->env, printer->start_ns + at * NS_PER_MS, ran);

    r->printer = printer;
    r->is_overbilled = one_in(m, 3);
    if (one_in(m, 3))
        r->duration_ns += length_ms(m) * NS_PER_SEC;
    if (one_in(m, 2))
        put_start(m, r);
    if (r->starts == 0 || one_in(m, 2))
        put_end(m, r);
}

static void run_env(struct maker *m, size_t env, int64_t t_ns)
{
    for (uint64_t n = 1 + rng_below(&m->rng, 6); n > 0; n--) {
        struct run *r = new_run(m, env, t_ns, length_ms(m));

        if (one_in(m, 5))
            take_earlier_id(m, r);
        put_start(m, r);
        if (r->end_ns - r->start_ns > 4 * NS_PER_MS && one_in(m, 4))
            print_one(m, r);
        put_end(m, r);
        t_ns = r->end_ns + (one_in(m, 3) ? between(m, 0, 2) : length_ms(m)) * NS_PER_MS;
        if (one_in(m, 8))
            t_ns += NS_PER_MIN;
    }
}

void scenario_make(struct scenario *s, uint64_t seed)
{
    struct maker m = {.s = s, .window = {0, INT64_MAX}};

    *s = (struct scenario){.batch = batch_new()};
    rng_seed(&m.rng, seed);
    const uint64_t naming = rng_below(&m.rng, 4);
    m.step_ns = one_in(&m, 4) ? NS_PER_SEC : NS_PER_MS;
    m.is_json = one_in(&m, 4);
    m.is_hurried = one_in(&m, 2);
    m.loses_lines = one_in(&m, 3);
    m.is_exported_twice = one_in(&m, 6);
    if (one_in(&m, 3)) {
        m.window.since_ns = NOON + length_ms(&m) * NS_PER_MS;
        m.window.until_ns = m.window.since_ns + 2 * length_ms(&m) * NS_PER_MS;
    }
    s->n_envs = 1 + rng_below(&m.rng, 4);
    for (size_t i = 0; i < s->n_envs; i++) {
        s->is_named[i] = naming < 2 ? naming == 0 : one_in(&m, 2);
        run_env(&m, i, NOON + length_ms(&m) * NS_PER_MS);
    }
}

void scenario_clear(struct scenario *s)
{
    batch_free(s->batch);
}

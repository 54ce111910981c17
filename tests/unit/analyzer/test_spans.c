/* Who ran at a time, against asking every request. */
#include "tests/test.h"

#include <stdlib.h>

#include "analyzer/correlate_private.h"
#include "core/base/mem.h"
#include "core/base/rng.h"

enum { MOST = 70, TIMES = 100, QUERIES = 200 };

/* An environment of requests as in memory, each of two pieces. */
struct fixture {
    struct correlator c;
    struct env v;
    struct assembly requests[MOST];
    struct piece pieces[MOST][2];
};

static struct range some_range(struct rng *r)
{
    int64_t since_ns = (int64_t)rng_below(r, TIMES);

    return (struct range){since_ns, since_ns + (int64_t)rng_below(r, rng_below(r, TIMES) + 1)};
}

static void fill(struct fixture *f, size_t n, struct rng *r)
{
    for (size_t i = 0; i < n; i++) {
        struct assembly *a = &f->requests[i];
        struct range ran = some_range(r);
        f->pieces[i][0].t_ns = ran.since_ns;
        f->pieces[i][1].t_ns = ran.until_ns;
        a->pieces = (struct pieces){.rows = f->pieces[i], .n = i % 9 == 8 ? 0 : 2, .cap = 2};
        a->env_next = f->v.newest;
        f->v.newest = a;
    }
    f->v.n_assemblies = n;
    f->c.n_feeds = 1;
}

/* Each of those expected is given once, and nobody else. */
static void check_answers(struct fixture *f, struct span_query q, const struct range *r,
                          bool is_around)
{
    bool is_given[MOST] = {false};

    for (const struct assembly *a = corr_next(&q); a; a = corr_next(&q)) {
        size_t i = (size_t)(a - f->requests);
        CHECK(!is_given[i]);
        is_given[i] = true;
    }
    CHECK(corr_next(&q) == NULL);
    for (size_t i = 0; i < f->v.n_assemblies; i++) {
        const struct pieces *p = &f->requests[i].pieces;
        struct range ran = pieces_span(p);
        bool is_hit = is_around ? range_lies_within(r, &ran)
                                : ran.since_ns < r->until_ns && ran.until_ns > r->since_ns;
        CHECK(is_given[i] == (p->n > 0 && is_hit));
    }
}

static void test_as_one_by_one(void **state)
{
    struct rng r = {0};

    UNUSED(state);
    rng_seed(&r, 7);
    for (size_t n = 0; n <= MOST; n++) {
        struct fixture *f = xcalloc(1, sizeof(*f));
        fill(f, n, &r);
        for (int i = 0; i < QUERIES; i++) {
            struct range asked = some_range(&r);
            check_answers(f, corr_overlapping(&f->c, &f->v, &asked), &asked, false);
            check_answers(f, corr_around(&f->c, &f->v, &asked), &asked, true);
        }
        arena_clear(&f->c.scratch);
        free(f);
    }
}

/* Strictly, as requests of one environment do. */
static bool is_crossed_by(const struct range *r, const struct range *by)
{
    return r->since_ns < by->since_ns && by->since_ns < r->until_ns && r->until_ns < by->until_ns;
}

static void test_enclosed_and_crossed(void **state)
{
    struct correlator c = {0};
    struct run_span rows[MOST];
    struct rng r = {0};

    UNUSED(state);
    rng_seed(&r, 11);
    for (size_t n = 0; n <= MOST; n++) {
        for (size_t i = 0; i < n; i++)
            rows[i] = (struct run_span){some_range(&r), NULL};
        const struct run_spans spans = corr_spans_of(&c, rows, n);
        for (int i = 0; i < QUERIES; i++) {
            const struct range asked = some_range(&r);
            bool is_enclosed = false, is_crossed = false;
            for (size_t k = 0; k < n; k++) {
                is_enclosed = is_enclosed || range_lies_within(&asked, &rows[k].ran);
                is_crossed = is_crossed || is_crossed_by(&asked, &rows[k].ran);
            }
            CHECK(corr_is_enclosed(&spans, &asked) == is_enclosed);
            CHECK(corr_is_crossed(&spans, &asked) == is_crossed);
        }
        arena_reset(&c.scratch);
    }
    arena_clear(&c.scratch);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_as_one_by_one),
    cmocka_unit_test(test_enclosed_and_crossed),
};
TEST_MAIN(tests)

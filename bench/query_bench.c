/* Times the store's requests inside one process: bench/query_bench STORE [RUNS]. Prints one line a
 * request: name, median and largest milliseconds, and what it touched. bench/query.py turns them
 * into ratios. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/store/store.h"

#define MAX_RUNS 101

struct bench {
    struct store *store;
    struct range all;
    uint32_t busiest;  /* function id */
    struct str id;     /* some request id */
    struct arena keep; /* what outlives a run */
    uint64_t touched;
    int runs;
};

typedef enum status request_fn(struct bench *b, struct arena *a, struct err *e);

static enum status overview(struct bench *b, struct arena *a, struct err *e)
{
    struct fn_filter f = {0};
    struct fn_rows rows;
    uint64_t us;

    if (request_functions(b->store, b->all, &f, a, &rows, e) != OK)
        return e->code;
    for (size_t i = 0; i < rows.n; i++)
        b->touched += histogram_percentile(&rows.rows[i].stats.duration, 950, &us) ? us : 0;
    return OK;
}

static enum status newest(struct bench *b, struct arena *a, struct err *e)
{
    struct inv_request q = {
        .range = b->all, .fn_id = b->busiest, .order = INV_NEWEST, .limit = 100};
    struct inv_rows rows;

    if (request_invocations(b->store, &q, a, &rows, e) != OK)
        return e->code;
    b->touched = rows.n;
    return OK;
}

static enum status one_function(struct bench *b, struct arena *a, struct err *e)
{
    struct series s;
    struct series_request q = {.step_ns = NS_PER_HOUR, .fn_id = b->busiest};
    struct range r = b->all;

    r.since_ns = r.until_ns / NS_PER_HOUR * NS_PER_HOUR - 24 * NS_PER_HOUR;
    r.until_ns = r.since_ns + 24 * NS_PER_HOUR;
    q.range = r;
    if (request_series(b->store, &q, a, &s, e) != OK)
        return e->code;
    b->touched = s.n;
    return OK;
}

static enum status count_line(void *ctx, const struct log_line *line, struct err *e)
{
    uint64_t *n = ctx;

    UNUSED(line);
    UNUSED(e);
    ++*n;
    return OK;
}

static enum status by_id(struct bench *b, struct arena *a, struct err *e)
{
    struct inv_rows rows;

    b->touched = 0;
    if (request_by_id(b->store, b->id, a, &rows, e) != OK)
        return e->code;
    const struct invocation *inv = &rows.rows[0];
    struct log_request q = {
        .range = {inv->start_ns - NS_PER_MIN, inv->start_ns + inv->duration_ns + NS_PER_MIN},
        .fn_id = rows.fn_ids[0],
        .instance = inv->origin->instance,
        .invocation_id = inv->id,
    };
    return request_logs(b->store, &q, count_line, &b->touched, e);
}

static enum status search(struct bench *b, struct arena *a, struct err *e)
{
    struct log_request q = {.range = b->all, .literal = STR("no line holds this text")};

    UNUSED(a);
    b->touched = 0;
    return request_logs(b->store, &q, count_line, &b->touched, e);
}

/* --- percentiles from buckets against exact ones --- */

struct durations {
    uint64_t *us;
    size_t n, cap;
};

static enum status keep_duration(void *ctx, uint32_t fn_id, const struct invocation *inv,
                                 struct err *e)
{
    struct durations *d = ctx;

    UNUSED(fn_id);
    UNUSED(e);
    d->us = mem_grow(d->us, d->n, &d->cap, sizeof(*d->us));
    d->us[d->n++] = (uint64_t)(inv->duration_ns / NS_PER_US);
    return OK;
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

static double error_percent(struct durations *d, const struct histogram *h, unsigned permille)
{
    uint64_t got = 0;
    size_t rank = (d->n * permille + 999) / 1000;

    qsort(d->us, d->n, sizeof(*d->us), compare_u64);
    uint64_t want = d->us[rank ? rank - 1 : 0];
    if (!histogram_percentile(h, permille, &got) || want == 0)
        return 0;
    double off = ((double)got - (double)want) / (double)want * 100;
    return off < 0 ? -off : off;
}

static int percentile_errors(struct bench *b, struct err *e)
{
    static const unsigned permilles[] = {500, 950, 990};
    AUTO(arena_clear) struct arena a = {0};
    struct fn_filter f = {0};
    struct fn_rows rows;
    double worst = 0;

    if (request_functions(b->store, b->all, &f, &a, &rows, e) != OK)
        return 1;
    for (size_t i = 0; i < rows.n && i < 20; i++) {
        struct durations d = {0};
        struct inv_request q = {.range = b->all, .fn_id = rows.rows[i].fn_id};
        if (request_scan(b->store, &q, keep_duration, &d, e) != OK)
            return 1;
        for (size_t k = 0; k < ARRAY_LEN(permilles) && d.n >= 100; k++) {
            double off = error_percent(&d, &rows.rows[i].stats.duration, permilles[k]);
            worst = off > worst ? off : worst;
        }
        free(d.us);
    }
    printf("percentile_error_percent %.3f %.3f 20\n", worst, worst);
    return 0;
}

/* --- running --- */

static int compare_i64(const void *a, const void *b)
{
    int64_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

static int time_request(struct bench *b, const char *name, request_fn *request, struct err *e)
{
    int64_t took[MAX_RUNS];
    struct clock clock = clock_system();
    struct arena a = {0};

    for (int i = -1; i < b->runs; i++) {
        int64_t begin = clock_monotonic(&clock);
        if (request(b, &a, e) != OK)
            return 1;
        if (i >= 0)
            took[i] = clock_monotonic(&clock) - begin;
        arena_reset(&a);
    }
    int middle = b->runs / 2;
    qsort(took, (size_t)b->runs, sizeof(took[0]), compare_i64);
    printf("%s %.3f %.3f %llu\n", name, (double)took[middle] / 1e6, (double)took[b->runs - 1] / 1e6,
           (unsigned long long)b->touched);
    arena_clear(&a);
    return 0;
}

/* The busiest function and one of its older request ids: not the newest, which is still in every
 * cache. */
static enum status choose(struct bench *b, struct err *e)
{
    struct fn_filter f = {0};
    struct ingest_status st;
    struct fn_rows rows;
    struct inv_rows inv;
    uint64_t most = 0;

    if (request_status(b->store, &b->keep, &st, e) != OK)
        return e->code;
    b->all = (struct range){st.first_ns, st.last_ns + 1};
    if (request_functions(b->store, b->all, &f, &b->keep, &rows, e) != OK)
        return e->code;
    for (size_t i = 0; i < rows.n; i++)
        if (rows.rows[i].stats.n > most) {
            most = rows.rows[i].stats.n;
            b->busiest = rows.rows[i].fn_id;
        }
    struct inv_request q = {
        .range = b->all, .fn_id = b->busiest, .order = INV_OLDEST, .limit = 1, .offset = 1000};
    if (request_invocations(b->store, &q, &b->keep, &inv, e) != OK)
        return e->code;
    if (inv.n == 0)
        return err_set(e, ERR_NOT_FOUND, "the store is too small to measure");
    b->id = inv.rows[0].id;
    return OK;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        request_fn *request;
    } requests[] = {
        {"overview", overview},      {"one_function", one_function}, {"newest_100", newest},
        {"by_id_with_lines", by_id}, {"search_absent", search},
    };
    struct bench b = {.runs = 11};
    struct err e = {0};
    int64_t runs;

    if (argc < 2)
        return 2;
    if (argc > 2 && str_to_i64(str_from(argv[2]), &runs) && runs > 0 && runs < MAX_RUNS)
        b.runs = (int)runs;
    struct store_options o = {.url = str_from(argv[1]), .is_read_only = true};
    int bad = store_open(&o, &b.store, &e) != OK || choose(&b, &e) != OK;
    for (size_t i = 0; !bad && i < ARRAY_LEN(requests); i++)
        bad = time_request(&b, requests[i].name, requests[i].request, &e);
    bad = bad || percentile_errors(&b, &e);
    if (bad)
        fprintf(stderr, "query_bench: %s\n", e.msg);
    store_close(b.store);
    arena_clear(&b.keep);
    return bad;
}

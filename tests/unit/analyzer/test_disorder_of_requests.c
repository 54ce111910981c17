/* Lines in no order: how often the correlator works a request out again and asks the store,
 * counted. What comes out is told by tests/sim. */
#include "tests/test.h"

#include "analyzer/correlate_private.h"
#include "core/base/clock.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */

static const struct fn_ref orders = {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"),
                                     STR_INIT("orders"), NULL};

/* A store that has one request at the most and counts what it is asked. */
struct counts {
    size_t ids, instances, requests;
    bool knows;
    struct invocation *stored;
};

static enum status find_id(void *ctx, struct str id, int64_t around_ns, struct arena *a,
                           struct invocation_list *out, struct err *e)
{
    struct counts *n = ctx;

    UNUSED(id), UNUSED(around_ns), UNUSED(a), UNUSED(e);
    n->ids++;
    *out = (struct invocation_list){0};
    return OK;
}

static enum status find_instance(void *ctx, const struct origin *o, int64_t around_ns,
                                 struct arena *a, struct instance_event_list *out, struct err *e)
{
    struct counts *n = ctx;

    UNUSED(o), UNUSED(around_ns), UNUSED(a), UNUSED(e);
    n->instances++;
    *out = (struct instance_event_list){0};
    return OK;
}

static enum status find_requests(void *ctx, const struct origin *o, struct range r, struct arena *a,
                                 struct invocation_list *out, struct err *e)
{
    struct counts *n = ctx;

    UNUSED(o), UNUSED(r), UNUSED(a), UNUSED(e);
    n->requests++;
    *out = (struct invocation_list){n->stored, n->stored ? 1 : 0};
    return OK;
}

static bool knows_instance(void *ctx, const struct origin *o)
{
    const struct counts *n = ctx;

    UNUSED(o);
    return n->knows;
}

static struct correlator *new_correlator(struct counts *n, size_t max_open)
{
    const struct correlator_options o = {.max_open = max_open,
                                         .find_id = find_id,
                                         .find_instance = find_instance,
                                         .find_requests = find_requests,
                                         .knows_instance = knows_instance,
                                         .ctx = n};

    return correlator_new(&o);
}

static void add_line_of(struct batch *b, struct str version, const struct platform_event *line,
                        const char *id, int64_t t_ns)
{
    const struct origin o = {.fn = batch_fn(b, &orders),
                             .log_group = STR("/g"),
                             .instance = STR("s"),
                             .version = version};

    *batch_record(b) = (struct log_record){.time_ns = t_ns,
                                           .origin = batch_origin(b, &o),
                                           .kind = RECORD_PLATFORM,
                                           .platform = line,
                                           .invocation_id = str_from(id)};
}

static void add_line(struct batch *b, const struct platform_event *line, const char *id,
                     int64_t t_ns)
{
    add_line_of(b, (struct str){0}, line, id, t_ns);
}

static void feed_batch(struct correlator *c, struct batch *b)
{
    struct err e = {0};

    CHECK_OK(correlator_feed(c, b, &e), &e);
    batch_free(b);
}

/* One line of the environment as a batch of its own. */
static void feed(struct correlator *c, const struct platform_event *line, const char *id,
                 int64_t t_ns)
{
    struct batch *b = batch_new();

    add_line(b, line, id, t_ns);
    feed_batch(c, b);
}

static const struct platform_event start = {.kind = PLATFORM_START},
                                   init = {.kind = PLATFORM_INIT_START};

/* Requests of which one line is known could all have been printed by another; but only by one that
 * was running then. */
static void test_suspects_elsewhere(void **state)
{
    enum { REQUESTS = 200 };
    struct counts n = {0};
    struct correlator *c = new_correlator(&n, 0);
    char id[32];

    UNUSED(state);
    for (int i = 0; i < REQUESTS; i++) {
        snprintf(id, sizeof(id), "request-%d", i);
        feed(c, &start, id, NOON + (int64_t)(i * 7 % REQUESTS) * NS_PER_HOUR / 10);
    }
    CHECK_INT(c->n_assembled, REQUESTS);
    correlator_free(c);
}

/* Lines of a stream that Lambda named, all of one time but for the REPORTs: however many seem to
 * have run at once, each is worked out with its own lines only. */
static void test_crowd(void **state)
{
    enum { REQUESTS = 200 };
    static const struct platform_event report = {.kind = PLATFORM_REPORT,
                                                 .has = PH_BILLED | PH_DURATION,
                                                 .duration_ns = NS_PER_SEC,
                                                 .billed_ns = NS_PER_SEC};
    struct counts n = {0};
    struct correlator *c = new_correlator(&n, 0);
    char id[32];

    UNUSED(state);
    for (int i = 0; i < 2 * REQUESTS; i++) {
        const bool is_end = i >= REQUESTS;
        struct batch *b = batch_new();
        snprintf(id, sizeof(id), "request-%d", i % REQUESTS);
        add_line_of(b, STR("$LATEST"), is_end ? &report : &start, id,
                    NOON + (is_end ? NS_PER_SEC : 0));
        feed_batch(c, b);
    }
    CHECK_INT(c->n_assembled, 2 * REQUESTS);
    correlator_free(c);
}

/* An environment that the store does not know is not looked for there, until some of it is
 * forgotten. */
static void test_new_environment(void **state)
{
    struct counts n = {0};
    struct correlator *c = new_correlator(&n, 2);

    UNUSED(state);
    feed(c, &start, "one", NOON);
    feed(c, &start, "two", NOON + 2 * NS_PER_DAY); /* beyond what is known around noon */
    feed(c, &init, "", NOON - NS_PER_SEC);
    CHECK_INT(n.ids, 2);
    CHECK_INT(n.instances, 0);
    CHECK_INT(n.requests, 0);
    feed(c, &start, "three", NOON + NS_PER_HOUR); /* one too many */
    feed(c, &init, "", NOON - 2 * NS_PER_SEC);
    CHECK_INT(n.instances, 0);
    CHECK_INT(n.requests, 1);
    correlator_free(c);
}

static void test_known_environment(void **state)
{
    struct counts n = {.knows = true};
    struct correlator *c = new_correlator(&n, 0);

    UNUSED(state);
    feed(c, &start, "one", NOON);
    CHECK_INT(n.requests, 1); /* who ran at that time? */
    feed(c, &init, "", NOON - NS_PER_SEC);
    CHECK_INT(n.instances, 1);
    CHECK_INT(n.requests, 2);
    feed(c, &start, "two", NOON + NS_PER_HOUR); /* in order: nothing newer is stored */
    CHECK_INT(n.requests, 2);
    feed(c, &start, "zero", NOON - NS_PER_MIN);
    CHECK_INT(n.requests, 3);
    correlator_free(c);
}

/* Of a batch with lines of many times, what was stored in between is not brought back. */
static void test_stored_in_between(void **state)
{
    struct invocation stored = {
        .id = STR("stored"), .start_ns = NOON + NS_PER_HOUR, .evidence = EV_START};
    struct counts n = {.knows = true, .stored = &stored};
    struct correlator *c = new_correlator(&n, 0);
    struct batch *b = batch_new();

    UNUSED(state);
    add_line(b, &start, "one", NOON);
    add_line(b, &start, "two", NOON + 2 * NS_PER_HOUR);
    feed_batch(c, b);
    CHECK_INT(n.requests, 1);
    CHECK_INT(n.ids, 2); /* their own */
    feed(c, &start, "three", NOON + NS_PER_HOUR);
    CHECK_INT(n.ids, 3); /* of one time: neither ran while the other did */
    struct batch *around = batch_new();
    add_line(around, &start, "four", NOON + NS_PER_HOUR - 1);
    add_line(around, &start, "four", NOON + NS_PER_HOUR + 1);
    feed_batch(c, around);
    CHECK_INT(n.ids, 5);
    correlator_free(c);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_suspects_elsewhere), cmocka_unit_test(test_crowd),
    cmocka_unit_test(test_new_environment),    cmocka_unit_test(test_known_environment),
    cmocka_unit_test(test_stored_in_between),
};
TEST_MAIN(tests)

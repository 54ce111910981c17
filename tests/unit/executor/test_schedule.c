/* Schedules on a virtual clock, from the trigger through the journal to the function: each firing
 * comes at its instant, once, over restarts at any moment, and what fell due meanwhile is dealt
 * with as told. */
#include "executor/t_schedule.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/base/mem.h"
#include "core/base/timefmt.h"
#include "executor/async_private.h"
#include "executor/journal_schema.h"
#include "executor/message_queue.h"
#include "tests/temp_path.h"
#include "tests/test.h"

#define START_NS   (INT64_C(1792755000) * NS_PER_SEC) /* 2026-10-23T11:30:00Z, a Friday */
#define MOST_CALLS 2048

struct call {
    int64_t at_ns, due_ns; /* when it ran; what its event says */
};

struct world {
    char path[64];
    struct loop *loop;
    struct manifest manifest;
    struct fndef fn;
    struct t_schedule_settings settings;
    struct trigger_def def;
    struct trigger_run run;
    struct executor x;
    struct call calls[MOST_CALLS];
    size_t n;
};

static int64_t due_of(struct str payload)
{
    AUTO(json_doc_free_ptr) struct json_doc *doc = NULL;
    struct err e = {0};
    struct str text = {0};
    int64_t t = 0;

    CHECK_OK(json_parse(payload, &doc, &e), &e);
    CHECK(json_str(json_get(json_root(doc), "time"), &text) && time_parse(text, &t));
    return t;
}

static void note_call(struct invoker *v, const struct invoke_request *rq, invoke_done_fn *done,
                      void *ctx)
{
    /* The test's twin: the world stands where the invoker would. */
    struct world *w = (struct world *)(void *)v;
    struct invoke_result r = {
        .status = INVOKE_OK, .request_id = rq->request_id, .payload = STR("null")};

    CHECK(w->n < MOST_CALLS);
    w->calls[w->n++] = (struct call){loop_wall(w->loop), due_of(rq->payload)};
    done(ctx, &r);
}

static void start(struct world *w)
{
    struct err e = {0};

    w->x = (struct executor){.loop = w->loop, .manifest = &w->manifest};
    w->x.invoker = (struct invoker *)(void *)w;
    CHECK_OK(journal_open(w->path, NULL, journal_migrate, &w->x.journal, &e), &e);
    CHECK_OK(mq_open(w->x.journal, w->loop,
                     &(struct mq_config){
                         .region = STR("eu-west-1"), .account = STR("123456789012"), .seed = 1},
                     &w->x.queues, &e),
             &e);
    CHECK_OK(async_start_with(&w->x, note_call, &w->x.async, &e), &e);
    w->run = (struct trigger_run){.x = &w->x, .fn = &w->fn, .def = &w->def};
    CHECK_OK(t_schedule.start(&w->run, &e), &e);
}

static void stop(struct world *w)
{
    t_schedule.stop(&w->run);
    async_stop(w->x.async);
    mq_close(w->x.queues);
    journal_close(w->x.journal);
}

/* Down for so long; 0: at once up again. */
static void restart(struct world *w, int64_t down_ns)
{
    stop(w);
    loop_advance(w->loop, down_ns);
    start(w);
}

static struct world *world_new(const char *expression, enum schedule_missed missed)
{
    struct world *w = xcalloc(1, sizeof(*w));

    temp_path_make(w->path);
    w->loop = loop_new_virtual(START_NS);
    w->fn = (struct fndef){.name = STR("f"),
                           .arn = STR("arn:aws:lambda:eu-west-1:123456789012:function:f"),
                           .instances = 2,
                           .max_retries = 2,
                           .retry_wait_ns = NS_PER_MIN,
                           .max_age_ns = 6 * NS_PER_HOUR};
    w->manifest = (struct manifest){.functions = &w->fn,
                                    .n_functions = 1,
                                    .account = STR("123456789012"),
                                    .region = STR("eu-west-1")};
    w->settings = (struct t_schedule_settings){
        .expression = str_from(expression), .missed = (int)missed, .is_enabled = true};
    w->def = (struct trigger_def){
        .ops = &t_schedule, .settings = &w->settings, .name = STR("f-schedule-1")};
    start(w);
    return w;
}

static void world_free(struct world *w)
{
    stop(w);
    loop_free(w->loop);
    temp_path_remove(w->path);
    free(w);
}

static int64_t at(const char *text)
{
    int64_t t = 0;

    CHECK(time_parse(str_from(text), &t));
    return t;
}

/* Those at hand ran at their instants, which the events name. */
static void check_exact(const struct world *w, int64_t first_ns, int64_t every_ns)
{
    for (size_t i = 0; i < w->n; i++) {
        CHECK_INT(w->calls[i].due_ns, first_ns + (int64_t)i * every_ns);
        CHECK_INT(w->calls[i].at_ns, w->calls[i].due_ns);
    }
}

static void test_rate(void **state)
{
    struct world *w = world_new("rate(5 minutes)", MISSED_SKIP);

    UNUSED(state);
    loop_advance(w->loop, 4 * NS_PER_MIN + 59 * NS_PER_SEC);
    CHECK_INT(w->n, 0);
    loop_advance(w->loop, NS_PER_DAY - 4 * NS_PER_MIN);
    CHECK_INT(w->n, 288);
    check_exact(w, START_NS + 5 * NS_PER_MIN, 5 * NS_PER_MIN);
    world_free(w);
}

/* Down for moments, at moments that move through the period: none is lost, none comes twice. */
static void test_rate_over_restarts(void **state)
{
    struct world *w = world_new("rate(1 minute)", MISSED_SKIP);

    UNUSED(state);
    for (int i = 0; i < 150; i++) {
        loop_advance(w->loop, 28 * NS_PER_SEC);
        restart(w, 0);
    }
    CHECK_INT(w->n, 70);
    check_exact(w, START_NS + NS_PER_MIN, NS_PER_MIN);
    world_free(w);
}

/* Stopped in the very turn of a firing, and once more: it was accepted, so it does not come again.
 */
static void test_restart_at_the_instant(void **state)
{
    struct world *w = world_new("cron(0/10 * * * ? *)", MISSED_ALL);

    UNUSED(state);
    loop_advance(w->loop, 10 * NS_PER_MIN);
    CHECK_INT(w->n, 1);
    restart(w, 0);
    restart(w, NS_PER_SEC);
    loop_advance(w->loop, 10 * NS_PER_MIN - 2 * NS_PER_SEC);
    CHECK_INT(w->n, 1);
    loop_advance(w->loop, NS_PER_SEC);
    CHECK_INT(w->n, 2);
    check_exact(w, START_NS + 10 * NS_PER_MIN, 10 * NS_PER_MIN);
    world_free(w);
}

/* Weekdays at six in the evening of Zurich; clocks go back on the Sunday between. */
static void test_cron_in_a_zone(void **state)
{
    static const char *const due[] = {"2026-10-23T16:00:00Z", "2026-10-26T17:00:00Z",
                                      "2026-10-27T17:00:00Z", "2026-10-28T17:00:00Z",
                                      "2026-10-29T17:00:00Z", "2026-10-30T17:00:00Z"};
    struct world *w = world_new("cron(0 18 ? * MON-FRI *)", MISSED_SKIP);

    UNUSED(state);
    stop(w);
    w->settings.zone = STR("Europe/Zurich");
    start(w);
    for (int hour = 0; hour < 8 * 24; hour++) {
        loop_advance(w->loop, NS_PER_HOUR);
        if (hour % 5 == 0)
            restart(w, 0);
    }
    CHECK_INT(w->n, ARRAY_LEN(due));
    for (size_t i = 0; i < ARRAY_LEN(due); i++) {
        CHECK_INT(w->calls[i].due_ns, at(due[i]));
        CHECK_INT(w->calls[i].at_ns, at(due[i]));
    }
    world_free(w);
}

static void check_missed(enum schedule_missed missed, size_t n, int64_t first_due_ns)
{
    struct world *w = world_new("cron(0/10 * * * ? *)", missed);

    restart(w, 35 * NS_PER_MIN); /* 11:40, 11:50 and 12:00 pass */
    loop_advance(w->loop, NS_PER_SEC);
    CHECK_INT(w->n, n);
    if (n > 0)
        CHECK_INT(w->calls[0].due_ns, first_due_ns);
    restart(w, 0);
    loop_advance(w->loop, 5 * NS_PER_MIN - NS_PER_SEC);
    CHECK_INT(w->n, n + 1);
    CHECK_INT(w->calls[n].due_ns, at("2026-10-23T12:10:00Z"));
    CHECK_INT(w->calls[n].at_ns, w->calls[n].due_ns);
    world_free(w);
}

static void test_missed(void **state)
{
    UNUSED(state);
    check_missed(MISSED_SKIP, 0, 0);
    check_missed(MISSED_ONCE, 1, at("2026-10-23T12:00:00Z"));
    check_missed(MISSED_ALL, 3, at("2026-10-23T11:40:00Z"));
}

static void test_at_fires_once(void **state)
{
    struct world *w = world_new("at(2026-10-23T11:31:00)", MISSED_SKIP);

    UNUSED(state);
    loop_advance(w->loop, NS_PER_MIN);
    CHECK_INT(w->n, 1);
    for (int i = 0; i < 3; i++) {
        restart(w, NS_PER_SEC);
        loop_advance(w->loop, NS_PER_DAY);
    }
    CHECK_INT(w->n, 1);
    check_exact(w, START_NS + NS_PER_MIN, 0);
    world_free(w);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_rate),
                                          cmocka_unit_test(test_rate_over_restarts),
                                          cmocka_unit_test(test_restart_at_the_instant),
                                          cmocka_unit_test(test_cron_in_a_zone),
                                          cmocka_unit_test(test_missed),
                                          cmocka_unit_test(test_at_fires_once)};
TEST_MAIN(tests)

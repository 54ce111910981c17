/* stale-data: sources that fail, that were taken out, that nobody could have polled yet. */
#include "tests/unit/store_fixture.h"

#include "analyzer/alerts/alerts.h"
#include "core/base/clock.h"

#define T0    INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */
#define AT(m) (T0 + (m)*NS_PER_MIN)

static const struct str notifier = STR_INIT("ops");

static struct alert_set stale_data(struct fixture *f)
{
    struct rule *r = arena_new(&f->arena, struct rule, 1);

    *r = (struct rule){.name = STR("stale-data"), .severity = ALERT_CRITICAL, .notify_all = true};
    CHECK_OK(rule_parse(r, STR("source.lag > 5m"), &f->e), &f->e);
    return (struct alert_set){.rules = r, .n_rules = 1, .notifiers = &notifier, .n_notifiers = 1};
}

struct result {
    enum alert_state state;
    size_t n_messages;
    int64_t value;
};

static struct result evaluate(struct fixture *f, const struct alert_set *set, int64_t now_ns)
{
    struct result o = {.state = ALERT_INACTIVE};
    struct alert_verdicts v;

    CHECK_OK(alerts_evaluate(set, f->store, now_ns, &f->arena, &v, &f->e), &f->e);
    if (v.n_current > 0) {
        o.state = v.current[0].state;
        o.value = v.current[0].value;
    }
    o.n_messages = v.changes.n_messages;
    CHECK_OK(store_write_alerts(f->store, &v.changes, &f->e), &f->e);
    return o;
}

static void poll_source(struct fixture *f, int64_t now_ns)
{
    struct batch *b = batch_new();

    *batch_source(b) = (struct source_status){
        .name = STR("wrong"), .tried_ns = now_ns, .failures = 1, .error = STR("HTTP 403 error")};
    fixture_commit(f, b);
}

/* A source that never answered gives no data either; one taken out of the configuration is missed
 * by nobody. */
static void test_source_that_never_answered(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set = stale_data(f);
    const struct str kept[] = {STR("prod")};
    struct result o;

    UNUSED(state);
    fixture_open(f, false);
    poll_source(f, AT(0));
    CHECK_INT(evaluate(f, &set, AT(0)).state, ALERT_INACTIVE);
    poll_source(f, AT(6));
    o = evaluate(f, &set, AT(6));
    CHECK_INT(o.state, ALERT_FIRING);
    CHECK_INT(o.value, 6 * NS_PER_MIN);
    CHECK_OK(store_keep_sources(f->store, kept, 1, &f->e), &f->e);
    o = evaluate(f, &set, AT(7));
    CHECK_INT(o.state, ALERT_RESOLVED);
    CHECK_INT(o.n_messages, 1);
    fixture_free(f);
}

/* After a pause a collector has not polled yet: that is no news, and no end of what was told. */
static void test_pause_is_no_lag(void **state)
{
    struct fixture *f = fixture_new();
    struct alert_set set = stale_data(f);

    UNUSED(state);
    fixture_open(f, false);
    poll_source(f, AT(0));
    set.begun_ns = AT(20);
    CHECK_INT(evaluate(f, &set, AT(20) + 1).n_messages, 0);
    CHECK_INT(evaluate(f, &set, AT(21)).state, ALERT_FIRING); /* nobody polled it since */
    set.begun_ns = AT(40);
    CHECK_INT(evaluate(f, &set, AT(40)).state, ALERT_FIRING);
    poll_source(f, AT(40) + 1); /* polled, and it fails: no need to wait */
    CHECK_INT(evaluate(f, &set, AT(40) + 2).n_messages, 0);
    fixture_free(f);
}

/* All of it waits for the day's budget: that is told elsewhere. One whose logs go on without cost
 * lags when they do not come. */
static void test_budget_spent(void **state)
{
    UNUSED(state);
    for (int has_logs = 0; has_logs < 2; has_logs++) {
        struct fixture *f = fixture_new();
        const struct alert_set set = stale_data(f);
        struct batch *b = batch_new();
        fixture_open(f, false);
        *batch_source(b) = (struct source_status){.name = STR("queues"),
                                                  .tried_ns = AT(0),
                                                  .success_ns = AT(0),
                                                  .watermark_ns = has_logs ? AT(0) : 0,
                                                  .is_capped = true};
        fixture_commit(f, b);
        CHECK_INT(evaluate(f, &set, AT(60)).state, has_logs ? ALERT_FIRING : ALERT_INACTIVE);
        fixture_free(f);
    }
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_budget_spent),
                                          cmocka_unit_test(test_source_that_never_answered),
                                          cmocka_unit_test(test_pause_is_no_lag)};
TEST_MAIN(tests)

/* No data and zero are two things: while a source catches up, what it has not read is unknown, and
 * no alert ends by it, whatever other sources, functions or metrics say of the same time. */
#include "tests/unit/store_fixture.h"

#include "analyzer/alerts/alerts.h"
#include "core/base/clock.h"

#define T0    INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */
#define AT(m) (T0 + (m)*NS_PER_MIN)

static const struct str notifier = STR_INIT("ops");

static struct alert_set rule_of(struct fixture *f, const char *when, const char *function)
{
    struct rule *r = arena_new(&f->arena, struct rule, 1);

    *r = (struct rule){.name = STR("rule"), .severity = ALERT_CRITICAL, .notify_all = true};
    r->name_glob = str_from(function);
    CHECK_OK(rule_parse(r, str_from(when), &f->e), &f->e);
    return (struct alert_set){.rules = r, .n_rules = 1, .notifiers = &notifier, .n_notifiers = 1};
}

static struct alert_verdicts evaluate(struct fixture *f, const struct alert_set *set,
                                      int64_t now_ns)
{
    struct alert_verdicts v;

    CHECK_OK(alerts_evaluate(set, f->store, now_ns, &f->arena, &v, &f->e), &f->e);
    CHECK_OK(store_write_alerts(f->store, &v.changes, &f->e), &f->e);
    return v;
}

static void add_errors(struct batch *b, const char *account, const char *name, int64_t at_ns)
{
    const struct fn_ref fn = {PROVIDER_AWS, str_from(account), STR("eu-west-1"), str_from(name),
                              NULL};
    const struct origin o = {.fn = &fn, .instance = STR("s")};

    for (int i = 0; i < 5; i++)
        *batch_invocation(b) = (struct invocation){
            .origin = batch_origin(b, &o),
            .id = arena_printf(&b->arena, "%08x-0000-4000-a000-%012llx",
                               (unsigned)str_hash(str_from(name), (uint64_t)i),
                               (unsigned long long)(at_ns / NS_PER_SEC)),
            .outcome = OUTCOME_ERROR,
            .start_ns = at_ns + i,
            .duration_ns = NS_PER_SEC,
            .cost = INT64_C(1000000000000),
            .attempt = 1,
            .is_priced = true,
            .is_final = true,
        };
}

static void add_throttles(struct batch *b, const char *account, const char *name, int64_t at_ns)
{
    *batch_point(b) = (struct metric_point){
        .subject = {SCOPE_FUNCTION,
                    {PROVIDER_AWS, str_from(account), STR("eu-west-1"), str_from(name), NULL}},
        .metric = METRIC_THROTTLES,
        .time_ns = at_ns,
        .period_ns = NS_PER_MIN,
        .value = 7};
}

/* A poll that went well just now, which says nothing about how far it has read. */
static void add_source(struct batch *b, const char *name, const char *account, int64_t now_ns,
                       int64_t read_to_ns)
{
    struct source_status *s = batch_source(b);

    *s = (struct source_status){.name = str_from(name),
                                .account = str_from(account),
                                .region = STR("eu-west-1"),
                                .tried_ns = now_ns,
                                .success_ns = now_ns,
                                .watermark_ns = read_to_ns};
    s->parts[s->n_parts++] = (struct source_part){
        .name = STR("metrics"), .tried_ns = now_ns, .success_ns = now_ns, .round_ns = read_to_ns};
}

/* Something is wrong at minute 0. At minute 30 its source has read up to `read_to`, another one, or
 * another function of the same, is further. */
static void test_what_was_not_read(void **state)
{
    static const struct {
        const char *when, *account, *other; /* account and function further on */
        int read_to;
        enum alert_state want;
    } cases[] = {
        {"errors > 3 over 2m", "2", "pay", 0, ALERT_FIRING},
        {"errors > 3 over 2m", "1", "other", 0, ALERT_FIRING},
        {"errors > 3 over 2m", "2", "pay", 30, ALERT_RESOLVED},
        {"errors > 3 over 2m", "1", "other", 30, ALERT_RESOLVED},
        {"throttles > 3 over 2m", "2", "pay", 0, ALERT_FIRING},
        {"throttles > 3 over 2m", "1", "other", 0, ALERT_FIRING},
        {"throttles > 3 over 2m", "2", "pay", 30, ALERT_RESOLVED},
        {"throttles > 3 over 2m", "1", "other", 30, ALERT_RESOLVED},
        {"spend.total > $1/h over 2m", "2", "pay", 0, ALERT_FIRING},
        {"spend.total > $1/h over 2m", "1", "other", 0, ALERT_FIRING},
        {"spend.total > $1/h over 2m", "2", "pay", 30, ALERT_RESOLVED},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture *f = fixture_new();
        struct alert_set set = rule_of(f, cases[i].when, cases[i].when[0] == 's' ? "" : "checkout");
        struct rule *r = (struct rule *)(uintptr_t)set.rules;
        r->account = STR("1");
        fixture_open(f, false);
        struct batch *b = batch_new();
        add_errors(b, "1", "checkout", AT(0));
        add_throttles(b, "1", "checkout", AT(0));
        add_source(b, "prod", "1", AT(1), AT(1));
        fixture_commit(f, b);
        struct alert_verdicts v = evaluate(f, &set, AT(1));
        CHECK_INT(v.n_current, 1);
        CHECK_INT(v.current[0].state, ALERT_FIRING);
        b = batch_new();
        for (int m = 1; m < 30; m++) {
            add_errors(b, cases[i].account, cases[i].other, AT(m));
            add_throttles(b, cases[i].account, cases[i].other, AT(m));
        }
        add_source(b, "prod", "1", AT(30), AT(cases[i].read_to));
        add_source(b, "second", "2", AT(30), AT(30));
        fixture_commit(f, b);
        v = evaluate(f, &set, AT(30));
        CHECK_INT(v.n_current, 1);
        CHECK_INT(v.current[0].state, cases[i].want);
        CHECK_INT(v.current[0].is_missing, cases[i].want == ALERT_FIRING);
        fixture_free(f);
    }
}

/* Late data may still open an episode again that somebody was told is over: that is news. */
static void test_opened_again(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set = rule_of(f, "errors > 3 over 5m", "");
    const struct outbox_request all = {.due_ns = INT64_MAX};
    struct outbox_rows said;

    UNUSED(state);
    fixture_open(f, false);
    for (int i = 0; i < 3; i++) {
        struct batch *b = batch_new();
        if (i != 1)
            add_errors(b, "1", "checkout", AT(4 * i));
        add_source(b, "prod", "1", AT(4 * i), AT(4 * i));
        fixture_commit(f, b);
        evaluate(f, &set, AT(4 * i));
    }
    struct batch *b = batch_new();
    add_source(b, "prod", "1", AT(20), AT(20));
    fixture_commit(f, b);
    CHECK_INT(evaluate(f, &set, AT(20)).current[0].state, ALERT_RESOLVED);
    b = batch_new();
    for (int m = 1; m < 20; m++)
        add_errors(b, "1", "checkout", AT(m));
    fixture_commit(f, b);
    CHECK_INT(evaluate(f, &set, AT(20)).current[0].state, ALERT_FIRING);
    CHECK_OK(request_outbox(f->store, &all, &f->arena, &said, &f->e), &f->e);
    CHECK_INT(said.n, 3); /* firing, resolved, firing */
    fixture_free(f);
}

/* Minute 1: something is wrong. At minute 30 there is nothing new, and perhaps nobody who reads it.
 */
static void test_nobody_reads_it(void **state)
{
    static const struct {
        const char *when, *off; /* the part taken out of the source */
        size_t n_kept;          /* sources: 1 without it */
        int begun;
        const char *why; /* NULL: it may come yet */
    } cases[] = {
        {"throttles > 3 over 2m", "", 2, 20, NULL},
        {"throttles > 3 over 2m", "traces", 2, 20, NULL},
        {"throttles > 3 over 2m", "metrics", 2, 20, "no source reads its metrics any more"},
        {"throttles > 3 over 2m", "", 1, 20, "no source reads its metrics any more"},
        {"throttles > 3 over 2m", "", 1, 30, NULL}, /* it may have another name now */
        {"errors > 3 over 2m", "metrics", 2, 20, NULL},
        {"errors > 3 over 2m", "logs", 2, 20, "no source reads its logs any more"},
        {"errors > 3 over 2m", "", 1, 20, "no source reads its logs any more"},
    };

    static const struct str kept[] = {STR_INIT("second"), STR_INIT("prod")};

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture *f = fixture_new();
        struct alert_set set = rule_of(f, cases[i].when, "checkout");
        fixture_open(f, false);
        struct batch *b = batch_new();
        add_errors(b, "1", "checkout", AT(0));
        add_throttles(b, "1", "checkout", AT(0));
        add_source(b, "prod", "1", AT(1), AT(1));
        add_source(b, "second", "2", AT(1), AT(1));
        fixture_commit(f, b);
        CHECK_INT(evaluate(f, &set, AT(1)).current[0].state, ALERT_FIRING);
        b = batch_new();
        struct source_status *s = batch_source(b);
        *s = (struct source_status){.name = STR("prod"), .account = STR("1"), .n_parts = 2};
        s->parts[0] = (struct source_part){.name = STR("config"), .tried_ns = AT(30)};
        s->parts[1] = (struct source_part){.name = str_from(cases[i].off), .is_off = true};
        fixture_commit(f, b);
        CHECK_OK(store_keep_sources(f->store, kept, cases[i].n_kept, &f->e), &f->e);
        set.begun_ns = AT(cases[i].begun);
        const struct alert_verdicts v = evaluate(f, &set, AT(30));
        CHECK_INT(v.n_current, 1);
        CHECK_INT(v.current[0].state, cases[i].why ? ALERT_RESOLVED : ALERT_FIRING);
        CHECK_INT(v.current[0].is_missing, !cases[i].why);
        if (cases[i].why)
            CHECK(str_ends(v.current[0].summary, str_from(cases[i].why)));
        fixture_free(f);
    }
}

/* The collector was away for an hour and catches up: functions went on all the time, and no rule
 * about too little takes what was not read yet for silence, then or later. */
static void test_pause_of_an_hour(void **state)
{
    static const int read_to[] = {0, 1, 20, 45, 63, 65}; /* by minute 60, 61, ... */
    struct fixture *f = fixture_new();
    struct alert_set set = rule_of(f, "invocations < 1 over 1m", "checkout");
    int next = -10;

    UNUSED(state);
    set.begun_ns = AT(60);
    fixture_open(f, false);
    for (int i = 0; i < (int)ARRAY_LEN(read_to); i++) {
        struct batch *b = batch_new();
        for (; next <= read_to[i]; next++)
            add_errors(b, "1", "checkout", AT(next));
        add_source(b, "prod", "1", AT(60 + i), AT(read_to[i]));
        fixture_commit(f, b);
        for (int s = 0; s < 60; s += 20) {
            const struct alert_verdicts v = evaluate(f, &set, AT(60 + i) + s * NS_PER_SEC);
            CHECK_INT(v.n_current, 0);
            CHECK_INT(v.changes.n_alerts, 0);
            CHECK_INT(v.changes.n_messages, 0);
        }
    }
    struct batch *b = batch_new(); /* and where it is silence, it is told */
    add_source(b, "prod", "1", AT(72), AT(72));
    fixture_commit(f, b);
    const struct alert_verdicts v = evaluate(f, &set, AT(72));
    CHECK_INT(v.n_current, 1);
    CHECK_INT(v.current[0].state, ALERT_FIRING);
    fixture_free(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_what_was_not_read), cmocka_unit_test(test_nobody_reads_it),
    cmocka_unit_test(test_pause_of_an_hour), cmocka_unit_test(test_opened_again)};
TEST_MAIN(tests)

/* Alerts on a virtual clock over a real store: minutes pass, readings come in time, late or not at
 * all, people silence and acknowledge, the writer dies between two steps. */
#include "tests/unit/store_fixture.h"

#include "analyzer/alerts/alerts.h"
#include "core/base/clock.h"
#include "core/base/rng.h"

#define NOON       INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */
#define AT(minute) (NOON + (minute)*NS_PER_MIN)

static const struct fn_ref dlq = {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"),
                                  STR_INIT("orders-dlq"), NULL};
static const struct str notifier = STR_INIT("ops");

static struct alert_set set_of(struct fixture *f, const char *name, const char *when)
{
    struct rule *r = arena_new(&f->arena, struct rule, 1);

    *r = (struct rule){.name = str_from(name), .severity = ALERT_CRITICAL, .notify_all = true};
    CHECK_OK(rule_parse(r, str_from(when), &f->e), &f->e);
    return (struct alert_set){.rules = r, .n_rules = 1, .notifiers = &notifier, .n_notifiers = 1};
}

static void add_depth(struct batch *b, int64_t at_ns, int64_t depth)
{
    struct metric_point *p = batch_point(b);

    p->subject = (struct subject){SCOPE_QUEUE, dlq};
    p->metric = METRIC_QUEUE_DEPTH;
    p->time_ns = at_ns;
    p->value = depth;
    *batch_queue(b) =
        (struct msg_queue){.of = dlq, .is_dlq = true, .depth = depth, .seen_ns = at_ns};
}

static void reading(struct fixture *f, int64_t at_ns, int64_t depth)
{
    struct batch *b = batch_new();

    add_depth(b, at_ns, depth);
    fixture_commit(f, b);
}

struct result {
    enum alert_state state;
    size_t n_messages, n_changed;
    struct alert alert;
};

static struct result evaluate(struct fixture *f, const struct alert_set *set, int64_t now_ns,
                              bool writes)
{
    struct result o = {.state = ALERT_INACTIVE};
    struct alert_verdicts v;

    CHECK_OK(alerts_evaluate(set, f->store, now_ns, &f->arena, &v, &f->e), &f->e);
    if (v.n_current > 0) {
        o.state = v.current[0].state;
        o.alert = v.current[0];
    }
    o.n_messages = v.changes.n_messages;
    o.n_changed = v.changes.n_alerts;
    if (writes)
        CHECK_OK(store_write_alerts(f->store, &v.changes, &f->e), &f->e);
    return o;
}

static size_t count_messages(struct fixture *f)
{
    const struct outbox_request q = {.due_ns = INT64_MAX};
    struct outbox_rows r;

    CHECK_OK(request_outbox(f->store, &q, &f->arena, &r, &f->e), &f->e);
    return r.n;
}

static void test_dlq_fires_at_once_and_resolves(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "dlq-depth", "queue.dlq_depth > 0");
    struct result o;

    UNUSED(state);
    fixture_open(f, false);
    reading(f, AT(0), 0);
    o = evaluate(f, &set, AT(0), true);
    CHECK_INT(o.state, ALERT_INACTIVE);
    CHECK_INT(o.n_changed, 0);
    reading(f, AT(1), 12);
    o = evaluate(f, &set, AT(1) + 1, true);
    CHECK_INT(o.state, ALERT_FIRING);
    CHECK_INT(o.n_messages, 1);
    CHECK_INT(o.alert.value, 12);
    CHECK_INT(o.alert.data_ns, AT(1));
    CHECK_STR(o.alert.summary,
              STR("queue orders-dlq: 12 messages in the dead-letter queue (threshold > 0)"));
    CHECK_STR(o.alert.evidence,
              STR("fnscope sql \"select time, value, unit from metric_points where metric = "
                  "'fnscope.queue.depth' and name glob 'orders-dlq' and time_ns >= "
                  "1768478460000000000\""));
    o = evaluate(f, &set, AT(1) + 2, true); /* nothing new: nothing said, nothing written */
    CHECK_INT(o.n_messages + o.n_changed, 0);
    reading(f, AT(2), 0);
    o = evaluate(f, &set, AT(2), true);
    CHECK_INT(o.state, ALERT_RESOLVED);
    CHECK_INT(o.n_messages, 1);
    o = evaluate(f, &set, AT(2) + NS_PER_SEC, true); /* the past run is the known episode */
    CHECK_INT(o.n_messages, 0);
    reading(f, AT(65), 0);
    o = evaluate(f, &set, AT(65), true);
    CHECK_INT(o.state, ALERT_INACTIVE);
    CHECK_INT(count_messages(f), 2);
    fixture_free(f);
}

static void throttle(struct batch *b, const char *function, int64_t at_ns, int64_t n)
{
    struct metric_point *p = batch_point(b);

    p->subject = (struct subject){
        function ? SCOPE_FUNCTION : SCOPE_REGION,
        {PROVIDER_AWS, STR("1"), STR("eu-west-1"), function ? str_from(function) : STR(""), NULL}};
    p->metric = METRIC_THROTTLES;
    p->time_ns = at_ns;
    p->period_ns = NS_PER_MIN;
    p->value = n;
}

/* What a region's sum and its functions both say is said once. */
static void test_throttles_are_told_once(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "throttles", "throttles > 0 over 3m");
    struct batch *b = batch_new();
    struct alert_verdicts v;

    UNUSED(state);
    fixture_open(f, false);
    throttle(b, NULL, AT(0), 7);
    throttle(b, "checkout", AT(0), 4);
    throttle(b, "mail", AT(0), 3);
    fixture_commit(f, b);
    CHECK_OK(alerts_evaluate(&set, f->store, AT(1), &f->arena, &v, &f->e), &f->e);
    CHECK_INT(v.changes.n_messages, 2);
    CHECK_OK(store_write_alerts(f->store, &v.changes, &f->e), &f->e);
    /* One more that no function accounts for. */
    b = batch_new();
    throttle(b, NULL, AT(1), 2);
    throttle(b, "mail", AT(1), 1);
    fixture_commit(f, b);
    CHECK_OK(alerts_evaluate(&set, f->store, AT(2), &f->arena, &v, &f->e), &f->e);
    CHECK_INT(v.changes.n_messages, 1);
    CHECK_INT(v.n_current, 3);
    fixture_free(f);
}

static void test_for_and_reminder(void **state)
{
    struct fixture *f = fixture_new();
    struct alert_set set = set_of(f, "depth", "queue.dlq_depth > 5 for 5m");
    struct rule r = set.rules[0];
    size_t said = 0;

    UNUSED(state);
    r.repeat_ns = 10 * NS_PER_MIN;
    set.rules = &r;
    fixture_open(f, false);
    for (int m = 0; m < 30; m++) {
        reading(f, AT(m), 9);
        struct result o = evaluate(f, &set, AT(m), true);
        CHECK_INT(o.state, m < 5 ? ALERT_PENDING : ALERT_FIRING);
        said += o.n_messages;
    }
    CHECK_INT(said, 3); /* at 5, reminders at 15 and 25 */
    CHECK_INT(count_messages(f), 3);
    fixture_free(f);
}

/* Who is configured while it fires is told of it, once, and of its end like the others. */
static void test_newcomers_are_told(void **state)
{
    static const struct str both[] = {STR_INIT("ops"), STR_INIT("late")};
    struct fixture *f = fixture_new();
    struct alert_set set = set_of(f, "dlq-depth", "queue.dlq_depth > 0");

    UNUSED(state);
    fixture_open(f, false);
    reading(f, AT(1), 3);
    set.tells_newcomers = true;
    CHECK_INT(evaluate(f, &set, AT(1), true).n_messages, 1); /* not once more to whom it tells */
    CHECK_INT(evaluate(f, &set, AT(1) + 1, true).n_messages, 0);
    set.notifiers = both;
    set.n_notifiers = 2;
    set.tells_newcomers = false;
    CHECK_INT(evaluate(f, &set, AT(1) + 2, true).n_messages, 0);
    set.tells_newcomers = true;
    CHECK_INT(evaluate(f, &set, AT(1) + 3, true).n_messages, 1);
    CHECK_INT(evaluate(f, &set, AT(1) + 4, true).n_messages, 0);
    reading(f, AT(2), 0);
    CHECK_INT(evaluate(f, &set, AT(2), true).n_messages, 2);
    fixture_free(f);
}

/* Readings that say the same move the age of the data, without a write for each. */
static void test_data_age_moves(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "dlq-depth", "queue.dlq_depth > 0");
    const struct alert_request all = {0};
    struct alert_rows rows;
    size_t writes = 0;

    UNUSED(state);
    fixture_open(f, false);
    for (int i = 0; i <= 60; i++) {
        reading(f, AT(1) + i * NS_PER_SEC, 3);
        writes += evaluate(f, &set, AT(1) + i * NS_PER_SEC, true).n_changed;
    }
    CHECK_OK(request_alerts(f->store, &all, &f->arena, &rows, &f->e), &f->e);
    CHECK_INT(rows.n, 1);
    CHECK_INT(rows.rows[0].data_ns, AT(2));
    CHECK_INT(writes, 13);
    fixture_free(f);
}

static bool is_covered(const struct silence *s, enum metric_scope scope, const char *name)
{
    const struct subject of = {scope,
                               {PROVIDER_AWS, STR("1"), STR("eu-west-1"), str_from(name), NULL}};

    return silence_covers(s, STR("throttles"), &of, 1);
}

/* What is offered to mute an alert mutes this one and no other of its rule. */
static void test_mute_is_of_one(void **state)
{
    const struct silence region = {
        .rule_glob = STR("throttles"), .name_glob = STR("eu-west-1"), .until_ns = 9};
    AUTO(arena_clear) struct arena a = {0};
    struct alert alert = {.rule = STR("dlq-depth"), .subject = {SCOPE_QUEUE, dlq}};

    UNUSED(state);
    CHECK_STR(
        alert_mute(&a, &alert, (struct str){0}),
        STR("fnscope alert silence --rule 'dlq-depth' --name 'orders-dlq' --account '1' --region "
            "'eu-west-1'"));
    alert.subject.of.name = STR("x'; rm -rf $HOME");
    CHECK_STR(
        alert_mute(&a, &alert, (struct str){0}),
        STR("fnscope alert silence --rule 'dlq-depth' --name 'x???rm?-rf??HOME' --account '1' "
            "--region 'eu-west-1'"));
    alert.subject = (struct subject){SCOPE_REGION, {.region = STR("eu-west-1")}};
    CHECK_STR(
        alert_mute(&a, &alert, (struct str){0}),
        STR("fnscope alert silence --rule 'dlq-depth' --name 'eu-west-1' --region 'eu-west-1'"));
    CHECK(is_covered(&region, SCOPE_REGION, "") &&
          !is_covered(&region, SCOPE_FUNCTION, "checkout"));
}

static void test_missing_keeps(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "dlq-depth", "queue.dlq_depth > 0");
    struct result o;

    UNUSED(state);
    fixture_open(f, false);
    reading(f, AT(0), 3);
    o = evaluate(f, &set, AT(0), true);
    CHECK_INT(o.state, ALERT_FIRING);
    o = evaluate(f, &set, AT(40), true);
    CHECK_INT(o.state, ALERT_FIRING);
    CHECK(o.alert.is_missing);
    CHECK_INT(o.n_messages, 0);
    reading(f, AT(41), 0);
    o = evaluate(f, &set, AT(41), true);
    CHECK_INT(o.state, ALERT_RESOLVED);
    CHECK_INT(o.n_messages, 1);
    fixture_free(f);
}

static void test_late_data(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "depth", "queue.dlq_depth > 5 for 3m");
    struct result o;

    UNUSED(state);
    fixture_open(f, false);
    reading(f, AT(0), 0);
    reading(f, AT(8), 0);
    o = evaluate(f, &set, AT(8), true);
    CHECK_INT(o.state, ALERT_INACTIVE);
    for (int m = 2; m <= 6; m++) /* what happened meanwhile comes late */
        reading(f, AT(m), 9);
    o = evaluate(f, &set, AT(9), true);
    CHECK_INT(o.state, ALERT_RESOLVED);
    CHECK_INT(o.n_messages, 1); /* that it was and is over, in one */
    CHECK_INT(o.alert.started_ns, AT(2));
    o = evaluate(f, &set, AT(9) + 1, true);
    CHECK_INT(o.n_messages, 0);
    reading(f, AT(1), 9); /* later still: the same episode, begun earlier */
    o = evaluate(f, &set, AT(10), true);
    CHECK_INT(o.n_messages, 0);
    fixture_free(f);
}

static void test_order_does_not_matter(void **state)
{
    static const int depths[] = {0, 7, 7, 9, 7, 2, 8, 8, 8, 8};

    UNUSED(state);
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct fixture *f = fixture_new();
        const struct alert_set set = set_of(f, "depth", "queue.dlq_depth > 5 for 3m");
        int order[ARRAY_LEN(depths)];
        struct rng rng;
        rng_seed(&rng, seed);
        for (size_t i = 0; i < ARRAY_LEN(depths); i++)
            order[i] = (int)i;
        for (size_t i = ARRAY_LEN(depths) - 1; i > 0; i--) {
            size_t k = (size_t)rng_below(&rng, i + 1);
            int t = order[i];
            order[i] = order[k];
            order[k] = t;
        }
        fixture_open(f, false);
        for (size_t i = 0; i < ARRAY_LEN(depths); i++)
            reading(f, AT(order[i]), depths[order[i]]);
        struct result o = evaluate(f, &set, AT(9), false);
        CHECK_INT(o.state, ALERT_FIRING);
        CHECK_INT(o.alert.started_ns, AT(6));
        fixture_free(f);
    }
}

static void test_silence_and_ack(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "dlq-depth", "queue.dlq_depth > 0");
    const struct silence s = {.name_glob = STR("orders-*"), .created_ns = AT(0), .until_ns = AT(5)};
    struct result o;
    int64_t id;

    UNUSED(state);
    fixture_open(f, false);
    CHECK_OK(store_write_silence(f->store, &s, &id, &f->e), &f->e);
    for (int m = 0; m < 5; m++) {
        reading(f, AT(m), 3);
        o = evaluate(f, &set, AT(m), true);
        CHECK_INT(o.state, ALERT_SILENCED);
        CHECK_INT(o.n_messages, 0);
    }
    reading(f, AT(5), 3);
    o = evaluate(f, &set, AT(5), true);
    CHECK_INT(o.state, ALERT_FIRING);
    CHECK_INT(o.n_messages, 1);
    CHECK(alert_acknowledge(&o.alert, STR("ann"), AT(6)));
    const struct alert_changes c = {.alerts = &o.alert, .n_alerts = 1};
    CHECK_OK(store_write_alerts(f->store, &c, &f->e), &f->e);
    reading(f, AT(400), 3); /* no reminder to who has it */
    o = evaluate(f, &set, AT(400), true);
    CHECK_INT(o.state, ALERT_ACKNOWLEDGED);
    CHECK_STR(o.alert.acked_by, STR("ann"));
    CHECK_INT(o.n_messages, 0);
    reading(f, AT(401), 0);
    o = evaluate(f, &set, AT(401), true);
    CHECK_INT(o.n_messages, 1);
    fixture_free(f);
}

/* Evaluations whose result is never written, as by a crash, leave nothing behind; what is written
 * says each thing once, whatever came before. */
static void test_crashes_between_steps(void **state)
{
    UNUSED(state);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct fixture *f = fixture_new();
        const struct alert_set set = set_of(f, "dlq-depth", "queue.dlq_depth > 0 for 2m");
        struct rng rng;
        rng_seed(&rng, seed);
        fixture_open(f, false);
        for (int m = 0; m < 12; m++) {
            reading(f, AT(m), m >= 2 && m < 8 ? 4 : 0);
            while (rng_below(&rng, 3) == 0) {
                evaluate(f, &set, AT(m), false);
                fixture_open(f, false);
            }
            evaluate(f, &set, AT(m), true);
        }
        CHECK_INT(count_messages(f), 2);
        fixture_free(f);
    }
}

static void add_invocation(struct batch *b, int64_t at_ns, enum outcome outcome, int i)
{
    const struct fn_ref fn = {PROVIDER_AWS, STR("1"), STR("eu-west-1"), STR("checkout"), NULL};
    const struct origin o = {.fn = &fn, .instance = STR("s")};
    struct invocation *inv = batch_invocation(b);

    *inv = (struct invocation){
        .origin = batch_origin(b, &o),
        .id = arena_printf(&b->arena, "%08x-0000-4000-a000-000000000000", (unsigned)i),
        .outcome = outcome,
        .start_ns = at_ns,
        .duration_ns = 950 * NS_PER_MS,
        .memory_bytes = 128u << 20,
        .max_memory_bytes = 127u << 20,
        .cost = INT64_C(1000000000000), /* a dollar each */
        .attempt = 1,
        .is_priced = true,
        .is_final = true,
    };
}

static void test_rules_over_invocations(void **state)
{
    static const struct {
        const char *when;
        int64_t value;
    } cases[] = {
        {"errors / invocations > 1% over 10m min 20", 100000},
        {"errors > 3 over 10m", 4},
        {"duration.max / timeout >= 90% over 5m", 950000},
        {"memory.max / memory > 95% over 5m", 992188},
        {"spend.total > $10/h over 10m", INT64_C(240000000000000)},
        {"spend > $10/h over 10m", INT64_C(240000000000000)},
        {"source.lag > 5m", 11 * NS_PER_MIN},
    };
    struct fixture *f = fixture_new();

    UNUSED(state);
    fixture_open(f, false);
    struct batch *b = batch_new();
    for (int i = 0; i < 40; i++)
        add_invocation(b, AT(0) + i * 15 * NS_PER_SEC, i % 10 ? OUTCOME_OK : OUTCOME_ERROR, i);
    struct fn_config *c = batch_config(b);
    c->fn = (struct fn_ref){PROVIDER_AWS, STR("1"), STR("eu-west-1"), STR("checkout"), NULL};
    c->timeout_ns = NS_PER_SEC;
    *batch_source(b) = (struct source_status){
        .name = STR("prod"), .tried_ns = AT(-1), .success_ns = AT(-1), .failures = 3};
    fixture_commit(f, b);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct alert_set set = set_of(f, "rule", cases[i].when);
        struct result o = evaluate(f, &set, AT(10), false);
        CHECK_Z(cases[i].when, o.state == ALERT_FIRING ? cases[i].when : "not firing");
        CHECK_INT(o.alert.value, cases[i].value);
    }
    fixture_free(f);
}

static void test_idle_functions_resolve(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "errors", "errors > 3 over 2m");
    struct result o;

    UNUSED(state);
    fixture_open(f, false);
    struct batch *b = batch_new();
    for (int i = 0; i < 10; i++)
        add_invocation(b, AT(0) + i * NS_PER_SEC, OUTCOME_ERROR, i);
    fixture_commit(f, b);
    o = evaluate(f, &set, AT(1), true);
    CHECK_INT(o.state, ALERT_FIRING);
    o = evaluate(f, &set, AT(60), true); /* nothing was heard of anything */
    CHECK_INT(o.state, ALERT_FIRING);
    CHECK(o.alert.is_missing);
    b = batch_new();
    *batch_source(b) =
        (struct source_status){.name = STR("prod"), .success_ns = AT(61), .watermark_ns = AT(61)};
    fixture_commit(f, b);
    o = evaluate(f, &set, AT(61), true); /* the source was read, the function is idle */
    CHECK_INT(o.state, ALERT_RESOLVED);
    CHECK_INT(o.n_messages, 1);
    fixture_free(f);
}

static void add_calls(struct fixture *f, int64_t at_ns, int n, int n_failed)
{
    struct batch *b = batch_new();

    for (int i = 0; i < n; i++)
        add_invocation(b, at_ns + i * NS_PER_MS, i < n_failed ? OUTCOME_ERROR : OUTCOME_OK,
                       (int)(at_ns / NS_PER_MIN % 10000) * 100 + i);
    *batch_source(b) = (struct source_status){
        .name = STR("prod"), .success_ns = at_ns + NS_PER_MIN, .watermark_ns = at_ns + NS_PER_MIN};
    fixture_commit(f, b);
}

/* Too few calls to judge by end no alert while they fail, and are told as they are. */
static void test_few_calls(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set =
        set_of(f, "error-rate", "errors / invocations > 1% over 10m min 20 keep 5m");
    struct result o;

    UNUSED(state);
    fixture_open(f, false);
    add_calls(f, AT(0), 9, 3);
    CHECK_INT(evaluate(f, &set, AT(1), true).state, ALERT_INACTIVE);
    add_calls(f, AT(2), 31, 1);
    CHECK_INT(evaluate(f, &set, AT(3), true).state, ALERT_FIRING);
    for (int m = 4; m < 40; m++) {
        add_calls(f, AT(m), m % 4 ? 0 : 3, m % 4 ? 0 : 1);
        o = evaluate(f, &set, AT(m + 1), true);
        CHECK_INT(o.state, ALERT_FIRING);
    }
    CHECK_INT(o.alert.value, 333333);
    CHECK_STR(o.alert.summary, STR("function checkout: failed invocations at 33.33% of 6 "
                                   "invocations, fewer than 20 (threshold > 1%)"));
    for (int m = 40; m < 56; m++) {
        add_calls(f, AT(m), 0, 0);
        o = evaluate(f, &set, AT(m + 1), true);
    }
    CHECK_INT(o.state, ALERT_RESOLVED);
    CHECK_STR(o.alert.summary, STR("function checkout: no invocations, and so no failed "
                                   "invocations (threshold > 1%)"));
    CHECK_INT(count_messages(f), 2);
    fixture_free(f);
}

static void test_removed_rules_resolve(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "dlq-depth", "queue.dlq_depth > 0");
    const struct alert_set none = {.notifiers = &notifier, .n_notifiers = 1};

    UNUSED(state);
    fixture_open(f, false);
    reading(f, AT(0), 3);
    CHECK_INT(evaluate(f, &set, AT(0), true).state, ALERT_FIRING);
    CHECK_INT(evaluate(f, &none, AT(1), true).state, ALERT_RESOLVED);
    CHECK_INT(count_messages(f), 2);
    fixture_free(f);
}

static void test_names_cannot_act(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "depth", "queue.depth > 0");
    struct batch *b = batch_new();
    const struct str hostile = STR("a'; rm -rf \"$HOME\"`x`\n");
    struct metric_point *p = batch_point(b);

    UNUSED(state);
    fixture_open(f, false);
    p->subject = (struct subject){SCOPE_QUEUE, {.name = hostile}};
    p->metric = METRIC_QUEUE_DEPTH;
    p->time_ns = AT(0);
    p->value = 1;
    fixture_commit(f, b);
    struct result o = evaluate(f, &set, AT(0), false);
    CHECK_INT(o.state, ALERT_FIRING);
    const size_t at = str_find(o.alert.evidence, STR("glob '")) + 6;
    struct str name = str_skip(o.alert.evidence, at);
    name = str_sub(name, 0, str_find_char(name, '\''));
    CHECK_INT(name.n, hostile.n);
    for (size_t i = 0; i < name.n; i++)
        CHECK(str_find_char(STR(" ;\"`$\n\\"), name.p[i]) == 7);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dlq_fires_at_once_and_resolves),
        cmocka_unit_test(test_throttles_are_told_once),
        cmocka_unit_test(test_for_and_reminder),
        cmocka_unit_test(test_newcomers_are_told),
        cmocka_unit_test(test_data_age_moves),
        cmocka_unit_test(test_mute_is_of_one),
        cmocka_unit_test(test_missing_keeps),
        cmocka_unit_test(test_late_data),
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_silence_and_ack),
        cmocka_unit_test(test_crashes_between_steps),
        cmocka_unit_test(test_rules_over_invocations),
        cmocka_unit_test(test_idle_functions_resolve),
        cmocka_unit_test(test_few_calls),
        cmocka_unit_test(test_removed_rules_resolve),
        cmocka_unit_test(test_names_cannot_act),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

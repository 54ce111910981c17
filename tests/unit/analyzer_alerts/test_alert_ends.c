/* How alerts end: what was over before anybody looked, what nobody watches any more; and what the
 * commands in their texts name. */
#include "tests/unit/store_fixture.h"

#include "analyzer/alerts/alerts.h"
#include "core/base/clock.h"

#define T0    INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */
#define AT(m) (T0 + (m)*NS_PER_MIN)

static const struct str notifier = STR_INIT("ops");

static struct fn_ref queue_in(const char *region)
{
    return (struct fn_ref){PROVIDER_AWS, STR("1"), str_from(region), STR("dead"), NULL};
}

static struct alert_set set_of(struct fixture *f, const char *when)
{
    struct rule *r = arena_new(&f->arena, struct rule, 1);

    *r = (struct rule){.name = STR("dlq"), .severity = ALERT_CRITICAL, .notify_all = true};
    CHECK_OK(rule_parse(r, str_from(when), &f->e), &f->e);
    return (struct alert_set){.rules = r, .n_rules = 1, .notifiers = &notifier, .n_notifiers = 1};
}

static void add_reading(struct batch *b, const char *region, int64_t at_ns, int64_t depth)
{
    struct metric_point *p = batch_point(b);

    p->subject = (struct subject){SCOPE_QUEUE, queue_in(region)};
    p->metric = METRIC_QUEUE_DEPTH;
    p->time_ns = at_ns;
    p->value = depth;
    *batch_queue(b) = (struct msg_queue){.of = queue_in(region),
                                         .source = STR("prod"),
                                         .is_dlq = true,
                                         .depth = depth,
                                         .seen_ns = at_ns};
    *batch_source(b) = (struct source_status){.name = STR("prod"), .success_ns = at_ns};
}

static void reading(struct fixture *f, int64_t at_ns, int64_t depth)
{
    struct batch *b = batch_new();

    add_reading(b, "eu-west-1", at_ns, depth);
    fixture_commit(f, b);
}

/* A poll of the source, whose last whole round of all queues began at round_ns. */
static void polled(struct fixture *f, int64_t now_ns, int64_t round_ns)
{
    struct batch *b = batch_new();
    struct source_status *s = batch_source(b);

    *s = (struct source_status){.name = STR("prod"), .tried_ns = now_ns, .success_ns = now_ns};
    s->parts[s->n_parts++] =
        (struct source_part){.name = STR("queues"), .tried_ns = now_ns, .round_ns = round_ns};
    fixture_commit(f, b);
}

struct result {
    struct alert alert;
    size_t n_messages;
    struct outbox_entry message; /* the first */
};

static struct result evaluate(struct fixture *f, const struct alert_set *set, int64_t now_ns)
{
    struct result o = {.alert = {.state = ALERT_INACTIVE}};
    struct alert_verdicts v;

    CHECK_OK(alerts_evaluate(set, f->store, now_ns, &f->arena, &v, &f->e), &f->e);
    if (v.n_current > 0)
        o.alert = v.current[0];
    o.n_messages = v.changes.n_messages;
    if (o.n_messages > 0)
        o.message = v.changes.messages[0];
    CHECK_OK(store_write_alerts(f->store, &v.changes, &f->e), &f->e);
    return o;
}

static struct alert_rows episodes(struct fixture *f)
{
    const struct subject_filter any = {0};
    struct alert_rows r;

    CHECK_OK(request_episodes(f->store, (struct range){0, INT64_MAX}, &any, &f->arena, &r, &f->e),
             &f->e);
    return r;
}

/* Its depth is the last that was read, for ever: only its absence from a whole round tells. */
static void test_queue_that_is_gone(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "queue.dlq_depth > 0");
    struct result o;

    UNUSED(state);
    fixture_open(f, false);
    polled(f, AT(0), AT(0));
    reading(f, AT(1), 12);
    CHECK_INT(evaluate(f, &set, AT(1)).alert.state, ALERT_FIRING);
    polled(f, AT(40), AT(1)); /* the round under way has not ended */
    CHECK_INT(evaluate(f, &set, AT(40)).alert.state, ALERT_FIRING);
    polled(f, AT(41), AT(41));
    o = evaluate(f, &set, AT(41));
    CHECK_INT(o.alert.state, ALERT_RESOLVED);
    CHECK_INT(o.n_messages, 1);
    CHECK_INT(o.message.event, ALERT_SAYS_RESOLVED);
    CHECK(str_ends(o.message.alert.summary,
                   STR("; no longer watched: the queue is no longer there")));
    CHECK_INT(evaluate(f, &set, AT(42)).n_messages, 0);
    CHECK_INT(evaluate(f, &set, AT(102)).alert.state, ALERT_INACTIVE);
    reading(f, AT(103), 4); /* made again, under the same name */
    CHECK_INT(evaluate(f, &set, AT(103)).alert.state, ALERT_FIRING);
    fixture_free(f);
}

/* What fed it feeds another queue: its depth is that of a queue like others now. */
static void test_dead_letter_queue_no_more(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "queue.dlq_depth > 0");
    struct result o;

    UNUSED(state);
    fixture_open(f, false);
    polled(f, AT(0), AT(0));
    reading(f, AT(1), 3);
    CHECK_INT(evaluate(f, &set, AT(1)).alert.state, ALERT_FIRING);
    struct batch *b = batch_new();
    add_reading(b, "eu-west-1", AT(2), 3);
    b->queues[0].is_dlq = false;
    fixture_commit(f, b);
    polled(f, AT(2), AT(2));
    o = evaluate(f, &set, AT(2));
    CHECK_INT(o.alert.state, ALERT_RESOLVED);
    CHECK(str_ends(o.message.alert.summary,
                   STR("; no longer watched: the queue is no dead-letter queue any more")));
    CHECK_INT(evaluate(f, &set, AT(3)).n_messages, 0);
    fixture_free(f);
}

/* Its source reads other things yet. */
static void take_queues_out(struct fixture *f, int64_t now_ns)
{
    struct batch *b = batch_new();
    struct source_status *s = batch_source(b);

    *s = (struct source_status){.name = STR("prod"), .tried_ns = now_ns, .n_parts = 2};
    s->parts[0] = (struct source_part){.name = STR("logs"), .tried_ns = now_ns};
    s->parts[1] = (struct source_part){.name = STR("queues"), .is_off = true};
    fixture_commit(f, b);
}

static void test_queue_that_is_not_read(void **state)
{
    struct fixture *f = fixture_new();
    struct alert_set set = set_of(f, "queue.dlq_depth > 0");

    UNUSED(state);
    fixture_open(f, false);
    polled(f, AT(0), AT(0));
    reading(f, AT(1), 12);
    CHECK_INT(evaluate(f, &set, AT(1)).alert.state, ALERT_FIRING);
    take_queues_out(f, AT(2));
    set.begun_ns = AT(2);
    CHECK_INT(evaluate(f, &set, AT(2)).n_messages, 0);
    const struct result o = evaluate(f, &set, AT(3));
    CHECK_INT(o.alert.state, ALERT_RESOLVED);
    CHECK(str_ends(o.message.alert.summary, STR("no source reads the queue any more")));
    fixture_free(f);
}

static void test_queue_of_a_removed_source(void **state)
{
    struct fixture *f = fixture_new();
    struct alert_set set = set_of(f, "queue.dlq_depth > 0");
    const struct str kept[] = {STR("other")};
    struct result o;

    UNUSED(state);
    fixture_open(f, false);
    polled(f, AT(0), AT(0));
    reading(f, AT(1), 12);
    CHECK_INT(evaluate(f, &set, AT(1)).alert.state, ALERT_FIRING);
    CHECK_OK(store_keep_sources(f->store, kept, 1, &f->e), &f->e);
    set.begun_ns = AT(2);
    CHECK_INT(evaluate(f, &set, AT(2)).n_messages, 0); /* it may only have another name now */
    o = evaluate(f, &set, AT(3));
    CHECK_INT(o.alert.state, ALERT_RESOLVED);
    CHECK(str_ends(o.message.alert.summary, STR("no source reads the queue any more")));
    CHECK_INT(o.message.alert.value, 12);
    fixture_free(f);
}

/* Rows of an older store name no source: whoever reads the queues of that place tells. */
static void test_queue_without_a_source(void **state)
{
    const struct fn_filter any = {0};
    struct fixture *f = fixture_new();
    struct queue_rows r;
    struct batch *b = batch_new();

    UNUSED(state);
    fixture_open(f, false);
    *batch_queue(b) = (struct msg_queue){.of = queue_in("eu-west-1"), .seen_ns = AT(0)};
    struct source_status *s = batch_source(b);
    *s = (struct source_status){.name = STR("prod"), .region = STR("eu-west-1"), .tried_ns = AT(1)};
    s->parts[s->n_parts++] = (struct source_part){
        .name = STR("queues"), .tried_ns = AT(1), .round_ns = AT(0), .add_calls = 2};
    fixture_commit(f, b);
    CHECK_OK(request_queues(f->store, &any, &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.rows[0].presence, QUEUE_THERE);
    polled(f, AT(2), AT(2));
    b = batch_new();
    *batch_source(b) =
        (struct source_status){.name = STR("prod"), .region = STR("eu-west-1"), .tried_ns = AT(3)};
    fixture_commit(f, b);
    CHECK_OK(request_queues(f->store, &any, &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.rows[0].presence, QUEUE_GONE);
    fixture_free(f);
}

/* Two times over while nobody looked: two episodes, one message, whose numbers are right. */
static void test_past_is_told_once(void **state)
{
    static const int depths[] = {0, 12, 9, 0, 20, 2, 0};
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "queue.dlq_depth > 0");
    struct result o;

    UNUSED(state);
    fixture_open(f, false);
    for (int m = 0; m < (int)ARRAY_LEN(depths); m++)
        reading(f, AT(m), depths[m]);
    o = evaluate(f, &set, AT(8));
    CHECK_INT(o.alert.state, ALERT_RESOLVED);
    CHECK_INT(o.n_messages, 1);
    CHECK_INT(o.message.event, ALERT_SAYS_PASSED);
    CHECK_INT(o.message.alert.value, 0);
    CHECK_INT(o.message.alert.peak, 20);
    CHECK_INT(o.message.alert.data_ns, AT(5));
    CHECK_STR(o.message.alert.summary,
              STR("queue dead: 20 messages in the dead-letter queue (threshold > 0) from "
                  "2026-01-15T12:04:00Z to 2026-01-15T12:05:00Z, over since"));
    const struct alert_rows rows = episodes(f);
    CHECK_INT(rows.n, 2);
    CHECK_INT(rows.rows[1].peak, 12);
    CHECK_INT(evaluate(f, &set, AT(9)).n_messages, 0);
    fixture_free(f);
}

/* After a pause or on the first start: what ended long ago wakes nobody. */
static void test_old_past_is_an_episode_only(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "queue.dlq_depth > 0 for 1m keep 20m");

    UNUSED(state);
    fixture_open(f, false);
    for (int m = 0; m < 5; m++)
        reading(f, AT(m), m < 3 ? 7 : 0);
    CHECK_INT(evaluate(f, &set, AT(19)).n_messages, 0);
    CHECK_INT(episodes(f).n, 1);
    fixture_free(f);
}

/* What is going on now is told, what was before is an episode beside it. */
static void test_past_before_what_fires(void **state)
{
    static const int depths[] = {12, 0, 5};
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "queue.dlq_depth > 0");
    struct result o;

    UNUSED(state);
    fixture_open(f, false);
    for (int m = 0; m < (int)ARRAY_LEN(depths); m++)
        reading(f, AT(m), depths[m]);
    o = evaluate(f, &set, AT(2));
    CHECK_INT(o.alert.state, ALERT_FIRING);
    CHECK_INT(o.n_messages, 1);
    CHECK_INT(o.message.event, ALERT_SAYS_FIRING);
    CHECK_INT(episodes(f).n, 2);
    fixture_free(f);
}

/* A catch-up shows a run piece by piece: it is one episode, as long and as bad as it was. */
static void test_episode_grows_with_late_data(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "queue.dlq_depth > 0");

    UNUSED(state);
    fixture_open(f, false);
    reading(f, AT(3), 500);
    reading(f, AT(9), 0);
    CHECK_INT(evaluate(f, &set, AT(9)).n_messages, 1);
    for (int m = 4; m < 7; m++)
        reading(f, AT(m), m == 6 ? 1187 : 50);
    CHECK_INT(evaluate(f, &set, AT(10)).n_messages, 0);
    const struct alert_rows rows = episodes(f);
    CHECK_INT(rows.n, 1);
    CHECK_INT(rows.rows[0].peak, 1187);
    CHECK_INT(rows.rows[0].started_ns, AT(3));
    CHECK_INT(rows.rows[0].resolved_ns, AT(6));
    fixture_free(f);
}

/* What was pending when it was last looked at may have come due and ended since. */
static void test_pending_that_passed(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "queue.dlq_depth > 0 for 3m");
    struct result o;

    UNUSED(state);
    fixture_open(f, false);
    reading(f, AT(1), 12);
    CHECK_INT(evaluate(f, &set, AT(1)).alert.state, ALERT_PENDING);
    for (int m = 2; m < 7; m++)
        reading(f, AT(m), m < 6 ? 12 : 0);
    o = evaluate(f, &set, AT(7));
    CHECK_INT(o.n_messages, 1);
    CHECK_INT(o.message.event, ALERT_SAYS_PASSED);
    fixture_free(f);
}

/* Under a silence it is an episode all the same, and no message when the silence ends. */
static void test_silenced_past(void **state)
{
    const struct silence s = {.name_glob = STR("dead"), .created_ns = AT(0), .until_ns = AT(4)};
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "queue.dlq_depth > 0");
    int64_t id;

    UNUSED(state);
    fixture_open(f, false);
    CHECK_OK(store_write_silence(f->store, &s, &id, &f->e), &f->e);
    reading(f, AT(1), 12);
    reading(f, AT(2), 0);
    CHECK_INT(evaluate(f, &set, AT(3)).n_messages, 0);
    CHECK_INT(evaluate(f, &set, AT(5)).n_messages, 0);
    CHECK_INT(episodes(f).n, 1);
    fixture_free(f);
}

/* What is pasted shows this queue of this store, also where there are others of that name. */
static void test_commands_name_store_and_place(void **state)
{
    struct fixture *f = fixture_new();
    struct alert_set set = set_of(f, "queue.dlq_depth > 0");
    struct batch *b = batch_new();

    UNUSED(state);
    set.reach = STR(" --store '/x y'");
    fixture_open(f, false);
    add_reading(b, "eu-west-1", AT(1), 1);
    add_reading(b, "us-east-1", AT(1), 1);
    fixture_commit(f, b);
    const struct alert a = evaluate(f, &set, AT(1)).alert;
    CHECK(str_starts(a.evidence, STR("fnscope sql --store '/x y' \"select ")));
    CHECK(str_find(a.evidence, STR(" and account glob '1' and region glob '")) < a.evidence.n);
    CHECK(str_find(a.summary, STR(" in eu-west-1 of 1: ")) < a.summary.n ||
          str_find(a.summary, STR(" in us-east-1 of 1: ")) < a.summary.n);
    CHECK_STR(alert_take(&f->arena, &a, set.reach),
              arena_printf(&f->arena, "fnscope alert ack --store '/x y' " STR_FMT, STR_ARG(a.key)));
    CHECK(str_starts(alert_mute(&f->arena, &a, set.reach),
                     STR("fnscope alert silence --store '/x y' --rule 'dlq'")));
    fixture_free(f);
}

static void throttle(struct fixture *f, int64_t minute_ns)
{
    struct batch *b = batch_new();
    struct metric_point *p = batch_point(b);

    p->subject = (struct subject){SCOPE_FUNCTION,
                                  {PROVIDER_AWS, STR("1"), STR("eu-west-1"), STR("slow"), NULL}};
    p->metric = METRIC_THROTTLES;
    p->time_ns = minute_ns;
    p->period_ns = NS_PER_MIN;
    p->value = 1;
    fixture_commit(f, b);
}

/* It is pending from when it was seen, not from the begin of the minute it was seen in; and the end
 * of that minute comes later than who saw it. */
static void test_for_counts_from_what_was_seen(void **state)
{
    struct fixture *f = fixture_new();
    const struct alert_set set = set_of(f, "throttles > 0 for 50s");
    const int64_t seen_ns = AT(0) + 52 * NS_PER_SEC;
    struct result o;

    UNUSED(state);
    fixture_open(f, false);
    throttle(f, AT(0));
    o = evaluate(f, &set, seen_ns);
    CHECK_INT(o.alert.state, ALERT_PENDING);
    CHECK_INT(o.alert.started_ns, seen_ns);
    throttle(f, AT(1));
    CHECK_INT(evaluate(f, &set, seen_ns + 49 * NS_PER_SEC).alert.state, ALERT_PENDING);
    o = evaluate(f, &set, seen_ns + 50 * NS_PER_SEC);
    CHECK_INT(o.alert.state, ALERT_FIRING);
    CHECK_INT(o.alert.started_ns, seen_ns);
    CHECK_INT(o.n_messages, 1);
    fixture_free(f);
}

static void logs_read(struct fixture *f, int64_t now_ns, int64_t until_ns)
{
    struct batch *b = batch_new();
    struct source_status *s = batch_source(b);

    *s = (struct source_status){.name = STR("prod"),
                                .account = STR("1"),
                                .region = STR("eu-west-1"),
                                .tried_ns = now_ns,
                                .success_ns = now_ns,
                                .watermark_ns = until_ns};
    s->parts[s->n_parts++] = (struct source_part){.name = STR("logs"), .tried_ns = now_ns};
    fixture_commit(f, b);
}

/* A function that is known by its configuration alone, whose logs stop: an hour without a call is
 * no lack of data while they are read, ten minutes without logs are one. */
static void test_missing_fires(void **state)
{
    struct fixture *f = fixture_new();
    struct batch *b = batch_new();
    struct alert_set set = set_of(f, "invocations > 100 over 5m");
    struct rule r = set.rules[0];
    struct result o;

    UNUSED(state);
    r.missing = RULE_MISSING_FIRES;
    set.rules = &r;
    set.begun_ns = AT(-120);
    fixture_open(f, false);
    *batch_config(b) =
        (struct fn_config){.fn = {PROVIDER_AWS, STR("1"), STR("eu-west-1"), STR("idle"), NULL},
                           .valid_from_ns = AT(-600)};
    fixture_commit(f, b);
    logs_read(f, AT(60), AT(60));
    CHECK_INT(evaluate(f, &set, AT(60)).alert.state, ALERT_INACTIVE);
    logs_read(f, AT(75), AT(60));
    o = evaluate(f, &set, AT(75));
    CHECK_INT(o.alert.state, ALERT_FIRING);
    CHECK_STR(o.alert.summary,
              STR("function idle: no data since 2026-01-15T12:58:00Z of invocations (threshold > "
                  "100)"));
    CHECK(str_find(o.alert.evidence, STR("--since 2026-01-15T12:52:00Z")) < o.alert.evidence.n);
    logs_read(f, AT(76), AT(76));
    CHECK_INT(evaluate(f, &set, AT(76)).alert.state, ALERT_RESOLVED);
    fixture_free(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_missing_fires),
    cmocka_unit_test(test_for_counts_from_what_was_seen),

    cmocka_unit_test(test_queue_that_is_gone),
    cmocka_unit_test(test_dead_letter_queue_no_more),
    cmocka_unit_test(test_queue_that_is_not_read),
    cmocka_unit_test(test_queue_of_a_removed_source),
    cmocka_unit_test(test_queue_without_a_source),
    cmocka_unit_test(test_past_is_told_once),
    cmocka_unit_test(test_old_past_is_an_episode_only),
    cmocka_unit_test(test_past_before_what_fires),
    cmocka_unit_test(test_episode_grows_with_late_data),
    cmocka_unit_test(test_pending_that_passed),
    cmocka_unit_test(test_silenced_past),
    cmocka_unit_test(test_commands_name_store_and_place),
};
TEST_MAIN(tests)

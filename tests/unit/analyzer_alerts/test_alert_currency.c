/* What is spent in China is yuan: a limit in dollars says nothing of it, and the reverse. */
#include "tests/unit/store_fixture.h"

#include "analyzer/alerts/alerts.h"
#include "core/base/clock.h"

#define T0 INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */

/* Each spends 5 of its currency within a minute. */
static void fill(struct fixture *f)
{
    static const struct fn_ref fns[] = {
        {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"), STR_INIT("dublin"), NULL},
        {PROVIDER_AWS, STR_INIT("1"), STR_INIT("cn-north-1"), STR_INIT("peking"), NULL}};
    struct batch *b = batch_new();

    for (size_t i = 0; i < ARRAY_LEN(fns); i++) {
        const struct origin o = {.fn = &fns[i], .instance = STR("s")};
        *batch_invocation(b) = (struct invocation){
            .origin = batch_origin(b, &o),
            .id = arena_printf(&b->arena, "%08zx-0000-4000-a000-000000000001", i),
            .outcome = OUTCOME_OK,
            .start_ns = T0,
            .duration_ns = NS_PER_SEC,
            .cost = INT64_C(5000000000000),
            .attempt = 1,
            .is_priced = true,
            .is_final = true,
        };
    }
    fixture_open(f, false);
    fixture_commit(f, b);
}

static void test_currencies(void **state)
{
    static const struct {
        const char *when, *of, *value; /* who alone is over the limit; NULL: nobody */
        enum rule_missing missing;
    } cases[] = {
        {"spend > $4/h over 1h", "dublin", "$5.00/h", RULE_MISSING_KEEPS},
        {"spend.cny > CNY4/h over 1h", "peking", "CNY 5.00/h", RULE_MISSING_KEEPS},
        {"spend.total > $4/h over 1h", "eu-west-1", "$5.00/h", RULE_MISSING_KEEPS},
        {"spend.total.cny > CNY4/h over 1h", "cn-north-1", "CNY 5.00/h", RULE_MISSING_KEEPS},
        {"spend > $6/h over 1h", NULL, NULL, RULE_MISSING_FIRES},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture *f = fixture_new();
        AUTO(buf_clear) struct buf value = {.max = 64};
        struct rule r = {.name = STR("rule"), .missing = cases[i].missing};
        const struct alert_set set = {.rules = &r, .n_rules = 1};
        struct alert_verdicts v;
        fill(f);
        CHECK_OK(rule_parse(&r, str_from(cases[i].when), &f->e), &f->e);
        CHECK_OK(alerts_evaluate(&set, f->store, T0 + NS_PER_MIN, &f->arena, &v, &f->e), &f->e);
        CHECK_INT(v.n_current, cases[i].of != NULL);
        if (cases[i].of) {
            alert_value_format(&value, v.current[0].value, v.current[0].unit);
            CHECK_STR(alert_subject_name(&v.current[0].subject), str_from(cases[i].of));
            CHECK_STR(buf_str(&value), str_from(cases[i].value));
        }
        fixture_free(f);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_currencies),
};
TEST_MAIN(tests)

/* Causes of cold starts, from what the other environments did at that moment. */
#include "tests/test.h"

#include "analyzer/analyzer.h"
#include "core/base/clock.h"

static const struct fn_ref fn = {.name = STR_INIT("f")};

struct use {
    const char *instance, *version;
    int64_t start_s, end_s;
    enum start_kind start;
    enum outcome outcome;
    uint32_t evidence;
};

/* The cause of the last use; COLD_CAUSES: it was warm. */
static enum cold_cause last_cause(const struct use *uses, size_t n)
{
    struct cold_watch w = {0};
    enum cold_cause cause = COLD_CAUSES;

    for (size_t i = 0; i < n; i++) {
        const struct origin o = {.fn = &fn, .instance = str_from(uses[i].instance)};
        const struct invocation inv = {
            .origin = &o,
            .version = str_from(uses[i].version),
            .start = uses[i].start,
            .outcome = uses[i].outcome,
            .evidence = uses[i].evidence,
            .start_ns = uses[i].start_s * NS_PER_SEC,
            .duration_ns = (uses[i].end_s - uses[i].start_s) * NS_PER_SEC,
            .init_ns = uses[i].start == START_COLD ? NS_PER_SEC / 2 : 0,
        };
        cause = COLD_CAUSES;
        CHECK_INT(cold_watch_see(&w, 1, &inv, &cause), uses[i].start == START_COLD);
    }
    return cause;
}

static void test_causes(void **state)
{
    const struct use first = {"a", "1", 100, 101, START_COLD, OUTCOME_OK, 0};
    const struct use idle[] = {first, {"b", "1", 4000, 4001, START_COLD, OUTCOME_OK, 0}};
    const struct use busy[] = {{"a", "1", 100, 160, START_COLD, OUTCOME_OK, 0},
                               {"b", "1", 120, 121, START_COLD, OUTCOME_OK, 0}};
    const struct use deploy[] = {first, {"b", "2", 102, 103, START_COLD, OUTCOME_OK, 0}};
    const struct use lost[] = {first,
                               {"a", "1", 102, 103, START_WARM, OUTCOME_OOM, 0},
                               {"b", "1", 104, 105, START_COLD, OUTCOME_OK, 0}};
    const struct use exited[] = {first,
                                 {"a", "1", 102, 103, START_WARM, OUTCOME_ERROR, EV_EXIT_LINE},
                                 {"b", "1", 104, 105, START_COLD, OUTCOME_OK, 0}};
    const struct use failed[] = {first,
                                 {"a", "1", 102, 103, START_WARM, OUTCOME_ERROR, EV_APP_ERROR},
                                 {"b", "1", 104, 105, START_COLD, OUTCOME_OK, 0}};
    const struct use long_ago[] = {{"a", "1", 100, 101, START_COLD, OUTCOME_TIMEOUT, 0},
                                   {"b", "1", 9000, 9001, START_COLD, OUTCOME_OK, 0}};
    const struct use warm[] = {first, {"a", "1", 102, 103, START_WARM, OUTCOME_OK, 0}};

    UNUSED(state);
    CHECK_INT(last_cause(&first, 1), COLD_FIRST);
    CHECK_INT(last_cause(idle, 2), COLD_IDLE);
    CHECK_INT(last_cause(busy, 2), COLD_SCALE_OUT);
    CHECK_INT(last_cause(deploy, 2), COLD_DEPLOY);
    CHECK_INT(last_cause(lost, 3), COLD_FAILURE);
    CHECK_INT(last_cause(exited, 3), COLD_FAILURE);
    CHECK_INT(last_cause(failed, 3), COLD_IDLE);
    CHECK_INT(last_cause(long_ago, 2), COLD_IDLE);
    CHECK_INT(last_cause(warm, 2), COLD_CAUSES);
}

/* A second function begins with nothing seen; many environments fit. */
static void test_functions_and_many_environments(void **state)
{
    struct cold_watch w = {0};
    enum cold_cause cause;
    struct origin o = {.fn = &fn};

    UNUSED(state);
    for (int i = 0; i < 3 * COLD_ENVS; i++) {
        AUTO(buf_clear) struct buf name = {.max = 64};
        buf_addf(&name, "env-%d", i);
        o.instance = buf_str(&name);
        struct invocation inv = {.origin = &o,
                                 .start = START_COLD,
                                 .outcome = OUTCOME_OK,
                                 .start_ns = NS_PER_SEC,
                                 .duration_ns = NS_PER_HOUR};
        CHECK(cold_watch_see(&w, 1, &inv, &cause));
        CHECK_INT(cause, i == 0 ? COLD_FIRST : COLD_SCALE_OUT);
    }
    o.instance = STR("of another");
    struct invocation other = {.origin = &o, .start = START_COLD};
    CHECK(cold_watch_see(&w, 2, &other, &cause));
    CHECK_INT(cause, COLD_FIRST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_causes),
        cmocka_unit_test(test_functions_and_many_environments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

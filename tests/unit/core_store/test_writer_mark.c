/* Who fills the store, as another process sees it. */
#include "tests/unit/store_fixture.h"

#include <sys/wait.h>

#include "core/store/store_private.h"

static enum collector_state seen(struct fixture *f)
{
    const struct store_options o = {.url = f->path, .is_read_only = true};
    struct store *s = NULL;

    CHECK_OK(store_open(&o, &s, &f->e), &f->e);
    const enum collector_state c = store_collector(s);
    store_close(s);
    return c;
}

static void test_states(void **state)
{
    struct fixture *f = fixture_new();

    UNUSED(state);
    fixture_open(f, false);
    CHECK_INT(seen(f), COLLECTOR_NONE); /* an import writes */
    store_collects(f->store);
    CHECK_INT(seen(f), COLLECTOR_AT_WORK);
    writer_holds(f->store, true);
    CHECK_INT(seen(f), COLLECTOR_HOLDS);
    writer_holds(f->store, false);
    CHECK_INT(seen(f), COLLECTOR_AT_WORK);
    fixture_open(f, true);
    CHECK_INT(seen(f), COLLECTOR_NONE); /* it ended as it should */
    fixture_free(f);
}

static void test_killed(void **state)
{
    struct fixture *f = fixture_new();
    const struct store_options o = {.url = f->path};
    struct store *s = NULL;
    struct err e = {0};
    int status = 0;

    UNUSED(state);
    fixture_open(f, false);
    fixture_open(f, true);
    const pid_t child = fork();
    if (child == 0) {
        if (store_open(&o, &s, &e) == OK)
            store_collects(s);
        _exit(s == NULL);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK_INT(seen(f), COLLECTOR_KILLED);
    fixture_open(f, false); /* the next one */
    store_collects(f->store);
    CHECK_INT(seen(f), COLLECTOR_AT_WORK);
    fixture_free(f);
}

static void test_source_states(void **state)
{
    const struct source_status fails = {.success_ns = 1, .failures = 1, .is_capped = true};
    const struct source_status spent = {.success_ns = 1, .is_capped = true};
    const struct source_status part = {
        .success_ns = 1, .is_capped = true, .error = STR_INIT("1 of 2 log groups")};
    const struct source_status well = {.success_ns = 1}, young = {0};
    const struct {
        const struct source_status *s;
        enum collector_state c;
        const char *name;
    } cases[] = {
        {&well, COLLECTOR_AT_WORK, "ok"},          {&young, COLLECTOR_AT_WORK, "starting"},
        {&fails, COLLECTOR_AT_WORK, "failing"},    {&spent, COLLECTOR_AT_WORK, "budget spent"},
        {&well, COLLECTOR_NONE, "stopped"},        {&fails, COLLECTOR_NONE, "failing"},
        {&well, COLLECTOR_KILLED, "no collector"}, {&fails, COLLECTOR_HOLDS, "not stored"},
        {&well, COLLECTOR_UNKNOWN, "ok"},          {&part, COLLECTOR_AT_WORK, "in part"},
        {&part, COLLECTOR_NONE, "stopped"},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(str_from(source_state_name(source_state_of(cases[i].s, cases[i].c))),
                  str_from(cases[i].name));
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_states),
                                          cmocka_unit_test(test_killed),
                                          cmocka_unit_test(test_source_states)};
TEST_MAIN(tests)

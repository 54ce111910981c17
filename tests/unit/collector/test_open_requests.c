/* Which application lines get the id of the only open request: by order where times say nothing. */
#include "tests/test.h"

#include "collector/open_requests.h"
#include "core/base/clock.h"

enum { MANY = 5000 };

struct world {
    struct open_requests open;
    struct arena arena;
    struct origin origin;
};

static struct str id_of(struct world *w, int i)
{
    return arena_printf(&w->arena, "%08x-0000-4000-a000-000000000000", (unsigned)i);
}

/* A line of the instant, and whether it has an id then. */
static bool hear(struct world *w, int i, enum platform_kind kind, int64_t t_ns)
{
    const struct platform_event said = {.kind = kind};
    const bool is_text = kind == PLATFORM_OTHER;
    struct log_record r = {.time_ns = t_ns,
                           .origin = &w->origin,
                           .kind = is_text ? RECORD_APP : RECORD_PLATFORM,
                           .platform = is_text ? NULL : &said,
                           .invocation_id = is_text ? (struct str){0} : id_of(w, i)};

    open_requests_hear(&w->open, &r, &w->arena);
    return r.invocation_id.n > 0;
}

/* The request i: START, a line in its instant, END, REPORT. */
static bool run(struct world *w, int i)
{
    const int64_t t_ns = i * NS_PER_SEC;

    hear(w, i, PLATFORM_START, t_ns);
    const bool is_given = hear(w, i, PLATFORM_OTHER, t_ns);
    hear(w, i, PLATFORM_END, t_ns + 1);
    hear(w, i, PLATFORM_REPORT, t_ns + 1);
    return is_given;
}

/* However many there were, order counts; once a request ended before it began it does not. */
static void test_order(void **state)
{
    UNUSED(state);
    struct world w = {.origin = {.instance = STR("2025/10/21/[$LATEST]0a")}};

    for (int i = 1; i < MANY; i++)
        CHECK(run(&w, i));
    hear(&w, MANY, PLATFORM_REPORT, MANY * NS_PER_SEC + 1);
    CHECK(run(&w, MANY - 1)); /* met before, but in order */
    hear(&w, MANY, PLATFORM_START, MANY * NS_PER_SEC);
    CHECK(!run(&w, MANY + 1));
    arena_clear(&w.arena);
}

/* What is forgotten, some dozens of requests later, is new. */
static void test_forgotten(void **state)
{
    UNUSED(state);
    struct world w = {.origin = {.instance = STR("2025/10/21/[$LATEST]0a")}};

    hear(&w, 0, PLATFORM_REPORT, 1);
    for (int i = 1; i <= MET_REQUESTS_MAX; i++)
        CHECK(run(&w, i));
    hear(&w, 0, PLATFORM_START, 0);
    hear(&w, 0, PLATFORM_END, 1);
    CHECK(run(&w, MANY));
    arena_clear(&w.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

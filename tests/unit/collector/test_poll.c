/* How often a source's status row goes out: along with what is written anyway, else when it is
 * time. */
#include "tests/test.h"

#include "collector/poll.h"
#include "core/base/macros.h"

#define STEP_NS (300 * NS_PER_MS)
#define POLLS   10

/* Each poll takes a while on the source's own clock; the last one says that it is enough. */
struct course {
    bool is_busy;
    unsigned polls;
    atomic_bool halt;
};
struct reports {
    unsigned n;
    int64_t last_ns, longest_ns;
    const struct source *source;
};

static int64_t read_course(const struct clock *c)
{
    return c->fixed_ns;
}

static enum status course_poll(struct source *s, struct batch *out, enum poll_result *more,
                               struct err *e)
{
    struct course *c = s->ctx;

    UNUSED(e);
    s->env.clock.fixed_ns += STEP_NS;
    s->status.success_ns = s->env.clock.fixed_ns;
    if (c->is_busy)
        *batch_point(out) = (struct metric_point){.weight = 1};
    *more = POLL_IDLE;
    atomic_store(&c->halt, ++c->polls == POLLS);
    return OK;
}

static enum status take(void *ctx, struct batch *b)
{
    struct reports *r = ctx;
    const int64_t now_ns = clock_monotonic(&r->source->env.clock);

    if (b->n_sources > 0) {
        const int64_t pause_ns = now_ns - r->last_ns;
        r->longest_ns = r->n > 0 && pause_ns > r->longest_ns ? pause_ns : r->longest_ns;
        r->last_ns = now_ns;
        r->n++;
    }
    batch_free(b);
    return OK;
}

static struct reports run(bool is_busy)
{
    static const struct source_ops ops = {.type = "course", .poll = course_poll};
    AUTO(arena_clear) struct arena a = {0};
    struct course c = {.is_busy = is_busy};
    struct source *s = source_new(&a, &ops, STR("s"), NULL);
    struct reports r = {.source = s};
    const struct poll_run p = {.source = s,
                               .wake = queue_new(1),
                               .halt = &c.halt,
                               .report_ns = 5 * NS_PER_SEC,
                               .push = take,
                               .push_ctx = &r};

    s->ctx = &c;
    s->env.clock =
        (struct clock){.now = read_course, .monotonic = read_course, .fixed_ns = NS_PER_SEC};
    poll_source(&p);
    queue_free(p.wake);
    return r;
}

static void test_along_with_data(void **state)
{
    UNUSED(state);
    CHECK(run(true).longest_ns < 2 * NS_PER_SEC);
    CHECK_INT(run(true).n, 4);
}

static void test_alone_when_it_is_time(void **state)
{
    UNUSED(state);
    CHECK_INT(run(false).n, 2); /* the first and the last */
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_along_with_data),
                                          cmocka_unit_test(test_alone_when_it_is_time)};
TEST_MAIN(tests)

/* How often a source's status row goes out: along with what is written anyway, else when it is
 * time. */
#include "tests/test.h"

#include "collector/poll.h"
#include "core/base/log.h"
#include "core/base/macros.h"

#define STEP_NS (300 * NS_PER_MS)
#define POLLS   10

/* Each poll takes a while on the source's own clock; the last one says that it is enough. */
struct course {
    bool is_busy, is_ill;
    unsigned polls, last; /* 0: no poll is the last */
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

    s->env.clock.fixed_ns += STEP_NS;
    c->polls++;
    if (c->is_ill) {
        s->status.failures++;
        return err_set(e, ERR_AGAIN, "nobody answers");
    }
    s->status.success_ns = s->env.clock.fixed_ns;
    if (c->is_busy)
        *batch_point(out) = (struct metric_point){.weight = 1};
    *more = POLL_IDLE;
    atomic_store(&c->halt, c->polls == c->last);
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

static struct reports run_course(struct course *c, bool is_once)
{
    static const struct source_ops ops = {.type = "course", .poll = course_poll};
    AUTO(arena_clear) struct arena a = {0};
    struct source *s = source_new(&a, &ops, STR("s"), NULL);
    struct reports r = {.source = s};
    const struct poll_run p = {.source = s,
                               .wake = queue_new(1),
                               .halt = &c->halt,
                               .report_ns = 5 * NS_PER_SEC,
                               .is_once = is_once,
                               .push = take,
                               .push_ctx = &r};

    s->ctx = c;
    s->env.clock =
        (struct clock){.now = read_course, .monotonic = read_course, .fixed_ns = NS_PER_SEC};
    poll_source(&p);
    queue_free(p.wake);
    return r;
}

static struct reports run(bool is_busy)
{
    struct course c = {.is_busy = is_busy, .last = POLLS};

    return run_course(&c, false);
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

/* A round of one that nobody answers ends; a collector that stays does not give up. */
static void test_single_round_gives_up(void **state)
{
    struct course well = {0}, ill = {.is_ill = true};

    UNUSED(state);
    log_set_level(LOG_ERROR);
    run_course(&well, true);
    CHECK_INT(well.polls, 1);
    run_course(&ill, true);
    CHECK_INT(ill.polls, NS_PER_MIN / STEP_NS);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_along_with_data),
                                          cmocka_unit_test(test_single_round_gives_up),
                                          cmocka_unit_test(test_alone_when_it_is_time)};
TEST_MAIN(tests)

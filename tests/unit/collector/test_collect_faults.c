/* The AWS source against a provider that does everything wrong it can: 1,000 runs of several hours
 * on a virtual clock. Events come late, out of order, twice, many in one millisecond; pages are
 * empty, damaged, cut, far too large; tokens and credentials expire; calls are throttled or fail;
 * our wall clock jumps; the collector dies at any moment and begins again from what it committed.
 * In the end the store must hold each event exactly once. A puller that keeps only a watermark
 * reads the same worlds and loses. */
#include "tests/unit/collector/fault_world.h"

enum {
    RUNS = 1000,
    REST_MIN = 290, /* watched after the last event: the deep scan must have come by */
};

static void run_collector(struct collector *c)
{
    int64_t end_ns = BEGIN_NS + (LIFE_MIN + REST_MIN) * NS_PER_MIN;
    struct batch *last = batch_new();

    born(c);
    while (w.now_ns < end_ns) {
        poll_once(c);
        if (roll(300) == 0)
            w.wall_ns = ((int64_t)roll(14400) - 7200) * NS_PER_SEC;
        if (roll(120) == 0 && w.now_ns < BEGIN_NS + LIFE_MIN * NS_PER_MIN) {
            die(c); /* what was not committed is gone */
            born(c);
        }
    }
    commit(c, last, true);
    batch_free(last);
    die(c);
}

/* --- what is in the store
 * -------------------------------------------------------------------------------------
 */

static enum status count_line(void *ctx, const struct log_line *line, struct err *e)
{
    struct str body = line->body;
    uint64_t number;

    UNUSED(ctx);
    UNUSED(e);
    if (str_starts(body, STR("event ")) && str_to_u64(str_skip(body, 6), &number) &&
        number < EVENTS)
        w.events[number].seen++;
    return OK;
}

static void count_stored(const char *folder)
{
    struct store_options o = {.url = str_from(folder), .is_read_only = true};
    struct log_request q = {.range = {0, BEGIN_NS + 30 * NS_PER_DAY}};
    struct store *s;
    struct err e = {0};

    CHECK_OK(store_open(&o, &s, &e), &e);
    CHECK_OK(request_logs(s, &q, count_line, NULL, &e), &e);
    store_close(s);
}

/* --- a puller that only keeps a watermark
 * ---------------------------------------------------------------------
 */

static uint64_t run_naive(void)
{
    int64_t watermark[GROUPS] = {BEGIN_NS / NS_PER_MS - 1, BEGIN_NS / NS_PER_MS - 1};
    int64_t end_ns = BEGIN_NS + (LIFE_MIN + REST_MIN) * NS_PER_MIN;
    uint64_t lost = 0;

    for (; w.now_ns < end_ns; w.now_ns += NS_PER_MIN)
        for (int g = 0; g < GROUPS; g++) {
            struct event *ev;
            int64_t number = EVENTS; /* behind everything of that millisecond */
            const struct event *found;
            while ((found = next_event(g, watermark[g], number, w.now_ns / NS_PER_MS)) != NULL) {
                ev = &w.events[found->number];
                ev->seen++;
                watermark[g] = ev->time_ms;
                number = ev->number;
            }
        }
    for (int i = 0; i < EVENTS; i++)
        lost += w.events[i].seen == 0;
    return lost;
}

/* --- the test
 * -----------------------------------------------------------------------------------------------
 */

static void test_nothing_lost_or_doubled(void **state)
{
    char folder[] = "/dev/shm/fnscope-faults-XXXXXX", other[] = "/tmp/fnscope-faults-XXXXXX";
    const char *base = mkdtemp(folder) != NULL ? folder : mkdtemp(other);
    uint64_t lost = 0, doubled = 0, calls = 0, faults = 0, naive = 0;
    const char *runs_text = getenv("FNSCOPE_FAULT_RUNS");
    uint64_t runs = RUNS;

    UNUSED(state);
    log_set_level(LOG_ERROR);
    CHECK(base != NULL);
    if (runs_text != NULL)
        CHECK(str_to_u64(str_from(runs_text), &runs));
    for (uint64_t seed = 1; seed <= runs; seed++) {
        char path[128];
        struct collector c = {.folder = path};
        snprintf(path, sizeof(path), "%s/store", base);
        make_world(seed);
        run_collector(&c);
        count_stored(path);
        for (int i = 0; i < EVENTS; i++) {
            if (w.events[i].seen != 1)
                print_message("seed %" PRIu64 " event %d: %d times, late %" PRId64 " s\n", seed, i,
                              w.events[i].seen,
                              (w.events[i].visible_ns / NS_PER_MS - w.events[i].time_ms) / 1000);
            lost += w.events[i].seen == 0;
            doubled += w.events[i].seen > 1;
        }
        calls += w.calls;
        faults += w.faults;
        remove_folder(path);
        make_world(seed);
        naive += run_naive();
    }
    rmdir(base);
    print_message("%" PRIu64 " runs, %" PRIu64 " calls, %" PRIu64 " faults: %" PRIu64
                  " lost, %" PRIu64 " doubled; the naive puller lost %" PRIu64 "\n",
                  runs, calls, faults, lost, doubled, naive);
    CHECK_INT(lost, 0);
    CHECK_INT(doubled, 0);
    CHECK(naive > 0);
    CHECK(runs < RUNS || faults > 10000);
}

/* A short poll, events up to two minutes late, nobody who looks further back: all are found, soon,
 * and none is read a hundred times. */
static void test_short_poll(void **state)
{
    char path[] = "/tmp/fnscope-faults-XXXXXX";
    struct collector c = {.folder = path};
    int64_t end_ns = BEGIN_NS + (LIFE_MIN + 4) * NS_PER_MIN;

    UNUSED(state);
    CHECK(mkdtemp(path) != NULL);
    make_world(7);
    w.fault_per_mille = 0;
    for (int i = 0; i < EVENTS; i++) {
        int64_t late_ns = (int64_t)roll(i % 4 == 0 ? 119000 : 5000) * NS_PER_MS;
        w.events[i].visible_ns = w.events[i].time_ms * NS_PER_MS + late_ns;
    }
    born(&c);
    c.options.poll_ns = NS_PER_SEC;
    c.options.late_every_ns = c.options.deep_every_ns = NS_PER_DAY;
    while (w.now_ns < end_ns)
        poll_once(&c);
    struct batch *last = batch_new();
    commit(&c, last, true);
    batch_free(last);
    die(&c);
    count_stored(path);
    for (int i = 0; i < EVENTS; i++)
        CHECK_INT(w.events[i].seen, 1);
    print_message("a second's poll: each event was shown %" PRIu64 " times\n", w.shown / EVENTS);
    CHECK(w.shown < 40 * EVENTS);
    remove_folder(path);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_short_poll),
                                          cmocka_unit_test(test_nothing_lost_or_doubled)};
TEST_MAIN(tests)

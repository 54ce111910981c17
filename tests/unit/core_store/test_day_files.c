/* A day file that anybody but the store removes or replaces: nothing is read or written any more.
 */
#include "tests/unit/store_fixture.h"

#include "core/base/clock.h"
#include "core/base/sql.h"
#include "core/store/gone.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */

static void commit_line_of(struct fixture *f, const char *stream, int64_t time_ns)
{
    static const struct fn_ref fn = {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"),
                                     STR_INIT("orders"), NULL};
    struct batch *b = batch_new();
    const struct origin o = {
        .fn = batch_fn(b, &fn), .log_group = STR("/g"), .instance = str_from(stream)};

    *batch_record(b) = (struct log_record){.time_ns = time_ns,
                                           .origin = batch_origin(b, &o),
                                           .kind = RECORD_APP,
                                           .body = STR("line"),
                                           .message = STR("line"),
                                           .identity = str_hash(str_from(stream), 1)};
    fixture_commit(f, b);
}

static void commit_line(struct fixture *f, int64_t time_ns)
{
    commit_line_of(f, "s", time_ns);
}

static const char *path_of(struct fixture *f, const char *name)
{
    return arena_printf(&f->arena, "%s/%s", f->path.p, name).p;
}

static void check_told(struct fixture *f, const char *what)
{
    CHECK_STATUS(store_is_whole(f->store, &f->e), ERR_NOT_FOUND);
    CHECK(strstr(f->e.msg, what) != NULL);
    f->e = (struct err){0};
}

static void test_removed(void **state)
{
    struct fixture *f = fixture_new();
    uint64_t days;

    UNUSED(state);
    fixture_open(f, false);
    for (int i = 0; i < 3; i++)
        commit_line(f, NOON + i * NS_PER_DAY);
    CHECK_OK(store_prune(f->store, NOON + NS_PER_DAY, &days, &f->e), &f->e);
    CHECK_INT(days, 1);
    CHECK_OK(store_is_whole(f->store, &f->e), &f->e);
    fixture_open(f, false); /* days that are seen and not yet opened */
    CHECK_OK(store_is_whole(f->store, &f->e), &f->e);
    CHECK_INT(unlink(path_of(f, "20260116.db")), 0);
    check_told(f, "20260116.db was removed while it was open");
    CHECK_STATUS(store_prune(f->store, NOON + NS_PER_DAY, &days, &f->e), ERR_NOT_FOUND);
    fixture_free(f);
}

static void test_replaced(void **state)
{
    struct fixture *f = fixture_new();

    UNUSED(state);
    fixture_open(f, false);
    commit_line(f, NOON);
    CHECK_INT(rename(path_of(f, "20260115.db"), path_of(f, "away")), 0);
    check_told(f, "20260115.db was removed while it was open");
    CHECK_INT(symlink("meta.db", path_of(f, "20260115.db")), 0);
    check_told(f, "20260115.db was replaced while it was open");
    CHECK_OK(store_is_there(f->store, &f->e), &f->e);
    fixture_free(f);
}

/* A database without its log or index: others see nothing of what is written from now on. */
static void test_parts_removed(void **state)
{
    static const struct {
        const char *name, *says;
    } rows[] = {
        {"20260115.db-wal", "20260115.db's log (-wal) was removed"},
        {"20260115.db-shm", "20260115.db's index (-shm) was removed"},
        {"meta.db-wal", "'s log (-wal) was removed while it was open"},
        {"meta.db-shm", "'s index (-shm) was removed while it was open"},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture *f = fixture_new();
        fixture_open(f, false);
        commit_line(f, NOON);
        CHECK_OK(store_is_whole(f->store, &f->e), &f->e);
        CHECK_INT(unlink(path_of(f, rows[i].name)), 0);
        check_told(f, rows[i].says);
        fixture_free(f);
    }
}

static void test_lock_removed(void **state)
{
    struct fixture *f = fixture_new();
    const struct store_options o = {.url = f->path};
    struct store *second = NULL;

    UNUSED(state);
    fixture_open(f, false);
    CHECK_INT(unlink(path_of(f, "lock")), 0);
    for (int i = 0; i < 2; i++) { /* the first leaves a lock file that nobody holds */
        CHECK_STATUS(store_open(&o, &second, &f->e), ERR_AGAIN);
        CHECK(strstr(f->e.msg, "is being written by process") != NULL);
        f->e = (struct err){0};
    }
    store_close(f->store);
    f->store = NULL;
    CHECK_OK(store_open(&o, &second, &f->e), &f->e);
    store_close(second);
    fixture_free(f);
}

static int64_t count_of(struct fixture *f, const char *query)
{
    int64_t n = -1;

    CHECK_OK(sql_read_i64(f->store->meta, query, &n, &f->e), &f->e);
    return n;
}

static enum status keep_stream(void *ctx, const struct log_line *line, struct err *e)
{
    UNUSED(e);
    CHECK_STR(line->origin->instance, str_from(*(const char **)ctx));
    return OK;
}

static void check_line(struct fixture *f, int64_t time_ns, const char *stream)
{
    const struct log_request q = {.range = {time_ns, time_ns + 1}};

    fixture_open(f, true);
    CHECK_OK(request_logs(f->store, &q, keep_stream, &stream, &f->e), &f->e);
}

/* What a removed day alone spoke of goes from meta.db; what speaks again comes back. */
static void test_meta(void **state)
{
    struct fixture *f = fixture_new();
    uint64_t days;

    UNUSED(state);
    fixture_open(f, false);
    commit_line_of(f, "old", NOON);
    commit_line_of(f, "both", NOON);
    commit_line_of(f, "both", NOON + NS_PER_DAY);
    commit_line_of(f, "new", NOON + NS_PER_DAY);
    CHECK_INT(count_of(f, "select count(*) from stream"), 3);
    CHECK_OK(sql_exec(f->store->meta,
                      "insert into cursor values('import', 'a', '', 1, 1), ('prod', 'b', '', 1, 1);"
                      "insert into cursor values('import', 'c', '', 1, 9e18);"
                      "insert into silence(id, until_ns) values(1, 1), (2, 9e18);"
                      "insert into queue(provider, account, region, name, seen_ns) values"
                      "(1, '', '', 'gone', 1), (1, '', '', 'there', 9e18);"
                      "insert into episode(key, started_ns, resolved_ns) values"
                      "('a', 1, 2), ('b', 1, 0), ('c', 1, 9e18);"
                      "insert into outbox(id, status, created_ns, done_ns) values"
                      "('a', 1, 1, 2), ('b', 0, 1, 0), ('c', 1, 1, 9e18);"
                      "insert into fn_config(fn, valid_from_ns, valid_until_ns) values"
                      "(1, 1, 2), (1, 2, 0);",
                      &f->e),
             &f->e);
    CHECK_OK(store_prune(f->store, NOON + NS_PER_DAY, &days, &f->e), &f->e);
    CHECK_INT(days, 1);
    CHECK_INT(count_of(f, "select count(*) from stream"), 2);
    CHECK_INT(count_of(f, "select count(*) from stream where instance = 'old'"), 0);
    CHECK_INT(count_of(f, "select count(*) from cursor where scope in ('b', 'c')"), 2);
    CHECK_INT(count_of(f, "select count(*) from cursor"), 2);
    CHECK_INT(count_of(f, "select sum(id) from silence"), 2);
    CHECK_INT(count_of(f, "select count(*) from queue where name = 'gone'"), 0);
    CHECK_INT(count_of(f, "select count(*) from queue"), 1);
    CHECK_INT(count_of(f, "select count(*) from episode"), 2);
    CHECK_INT(count_of(f, "select count(*) from outbox"), 2);
    CHECK_INT(count_of(f, "select count(*) from fn_config"), 1);
    commit_line_of(f, "old", NOON + 2 * NS_PER_DAY);
    CHECK_INT(count_of(f, "select count(*) from stream"), 3);
    check_line(f, NOON + 2 * NS_PER_DAY, "old");
    fixture_free(f);
}

/* --- counters do not fall --- */

static const struct fn_ref orders = {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"),
                                     STR_INIT("orders"), NULL};

/* An attempt of the start; with was_there it takes the place of what was known of it. */
static void commit_attempt(struct fixture *f, int64_t start_ns, enum outcome outcome, money cost,
                           bool was_there)
{
    struct batch *b = batch_new();
    const struct origin o = {
        .fn = batch_fn(b, &orders), .log_group = STR("/g"), .instance = STR("s")};

    *batch_invocation(b) = (struct invocation){.origin = batch_origin(b, &o),
                                               .id = STR("one"),
                                               .outcome = outcome,
                                               .start = START_COLD,
                                               .start_ns = start_ns,
                                               .duration_ns = 100 * NS_PER_MS,
                                               .billed_ns = 100 * NS_PER_MS,
                                               .attempt = 1,
                                               .evidence = EV_START | EV_END | EV_REPORT,
                                               .cost = cost,
                                               .is_priced = true,
                                               .has_stored = was_there,
                                               .stored_start_ns = start_ns,
                                               .is_final = true};
    fixture_commit(f, b);
}

static struct fn_counters counters_of(struct fixture *f)
{
    static const struct fn_filter any = {0};
    struct fn_counters *counters;
    struct fn_rows rows;

    CHECK_OK(request_counters(f->store, &any, &f->arena, &rows, &counters, &f->e), &f->e);
    CHECK_INT(rows.n, 1);
    return counters[0];
}

static void check_counted(struct fixture *f, int64_t n, int64_t errors, int64_t cost)
{
    const struct fn_counters c = counters_of(f);

    CHECK_INT(c.value[FN_INVOCATIONS], n);
    CHECK_INT(c.value[FN_COLD_STARTS], n);
    CHECK_INT(c.value[FN_BILLED], n * 100 * NS_PER_MS);
    CHECK_INT(c.value[FN_ERRORS], errors);
    CHECK_INT(c.value[FN_COST], cost);
}

static void test_counters(void **state)
{
    struct fixture *f = fixture_new();
    uint64_t days;

    UNUSED(state);
    fixture_open(f, false);
    for (int i = 0; i < 3; i++)
        commit_attempt(f, NOON + i * NS_PER_DAY, OUTCOME_ERROR, 100, false);
    check_counted(f, 3, 3, 300);
    commit_attempt(f, NOON, OUTCOME_ERROR, 40, true); /* as priced anew */
    check_counted(f, 3, 3, 300);
    commit_attempt(f, NOON, OUTCOME_ERROR, 90, true);
    check_counted(f, 3, 3, 350);
    CHECK_OK(store_prune(f->store, NOON + 2 * NS_PER_DAY, &days, &f->e), &f->e);
    CHECK_INT(days, 2);
    check_counted(f, 3, 3, 350);
    commit_attempt(f, NOON + 3 * NS_PER_DAY, OUTCOME_OK, 5, false);
    fixture_open(f, true);
    check_counted(f, 4, 3, 355);
    fixture_free(f);
}

/* What metrics add up to is counted on when the days of its points are removed. */
static void test_totals_of_points(void **state)
{
    static const enum metric throttles = METRIC_THROTTLES;
    const struct metric_request q = {.metrics = &throttles, .n_metrics = 1};
    struct fixture *f = fixture_new();
    struct metric_totals t;
    uint64_t days;

    UNUSED(state);
    fixture_open(f, false);
    for (int i = 0; i < 6; i++) {
        struct batch *b = batch_new();
        *batch_point(b) =
            (struct metric_point){.subject = {SCOPE_FUNCTION, orders},
                                  .metric = METRIC_THROTTLES,
                                  .time_ns = NOON + i / 2 * NS_PER_DAY + i % 2 * NS_PER_MIN,
                                  .period_ns = NS_PER_MIN,
                                  .value = 10 + i,
                                  .weight = 1,
                                  .is_missing = i == 5};
        fixture_commit(f, b);
    }
    for (int64_t kept = 0; kept < 4; kept++) {
        CHECK_OK(request_metric_totals(f->store, &q, &f->arena, &t, &f->e), &f->e);
        CHECK_INT(t.n, 1);
        CHECK_INT(t.rows[0].sum, 10 + 11 + 12 + 13 + 14);
        CHECK_OK(store_prune(f->store, NOON + kept * NS_PER_DAY, &days, &f->e), &f->e);
    }
    fixture_free(f);
}

/* A process that ended between the mark and the file. */
static void test_half_removed(void **state)
{
    struct fixture *f = fixture_new();

    UNUSED(state);
    fixture_open(f, false);
    commit_attempt(f, NOON, OUTCOME_OK, 7, false);
    commit_attempt(f, NOON + NS_PER_DAY, OUTCOME_OK, 7, false);
    CHECK_OK(gone_keep_day(f->store, NOON / NS_PER_DAY, &f->e), &f->e);
    fixture_open(f, true);
    check_counted(f, 2, 0, 14);
    CHECK_INT(access(path_of(f, "20260115.db"), F_OK), 0);
    fixture_open(f, false);
    CHECK_STATUS(access(path_of(f, "20260115.db"), F_OK), -1);
    CHECK_INT(count_of(f, "select count(*) from counter where name glob 'gone *'"), 0);
    check_counted(f, 2, 0, 14);
    fixture_free(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_meta),
    cmocka_unit_test(test_removed),
    cmocka_unit_test(test_replaced),
    cmocka_unit_test(test_parts_removed),
    cmocka_unit_test(test_lock_removed),
    cmocka_unit_test(test_counters),
    cmocka_unit_test(test_totals_of_points),
    cmocka_unit_test(test_half_removed),
};
TEST_MAIN(tests)

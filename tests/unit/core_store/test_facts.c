/* Groups of facts: bytes and back, damage; small commits share groups; rows of an older file are
 * read and moved. */
#include "tests/unit/store_fixture.h"

#include "core/base/clock.h"
#include "core/base/rng.h"
#include "core/base/sql.h"
#include "core/store/fact_store.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */
#define ID   "8d5958b5-559f-43f3-b278-b71dd7dd0e01"

static const struct fn_ref orders = {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"),
                                     STR_INIT("orders"), NULL};

/* --- bytes --- */

static const struct str ids[] = {STR_INIT(ID), STR_INIT("8D5958B5-559F-43F3-B278-B71DD7DD0E01"),
                                 STR_INIT("sixteen bytes..."), STR_INIT("x"), STR_INIT("")};
static const struct str traces[] = {STR_INIT("1-65a1b2c3-0123456789abcdef01234567"), STR_INIT(""),
                                    STR_INIT("another form")};
static const struct str pieces[] = {
    STR_INIT(""), STR_INIT("\x10\x01\x02"), STR_INIT("\x10\x01\x03"), STR_INIT("0123"),
    STR_INIT("seventy bytes seventy bytes seventy bytes seventy bytes seventy bytes  ")};

static int64_t some_time(uint64_t r)
{
    static const int64_t times[] = {
        0, 1, 999, 1000, 100 * NS_PER_MS, 100 * NS_PER_MS + 1, 900 * NS_PER_SEC};

    return times[r % ARRAY_LEN(times)];
}

/* Every member changes now and then, none always. */
static struct fact some_fact(struct rng *rng, const struct fact *before)
{
    struct fact f = *before;

    f.ts_ns += some_time(rng_u64(rng)) % NS_PER_SEC;
    f.id = ids[rng_u64(rng) % ARRAY_LEN(ids)];
    f.trace = traces[rng_u64(rng) % ARRAY_LEN(traces)];
    f.pieces = pieces[rng_u64(rng) % ARRAY_LEN(pieces)];
    f.duration_ns = some_time(rng_u64(rng));
    f.billed_ns = rng_u64(rng) % 4 ? (f.duration_ns + NS_PER_MS - 1) / NS_PER_MS * NS_PER_MS
                                   : some_time(rng_u64(rng)) / NS_PER_MS * NS_PER_MS;
    f.init_ns = rng_u64(rng) % 4 ? 0 : some_time(rng_u64(rng));
    f.restore_ns = rng_u64(rng) % 4 ? 0 : some_time(rng_u64(rng));
    f.lead_ns = rng_u64(rng) % 4 ? 0 : -some_time(rng_u64(rng));
    f.used_mb = rng_u64(rng) % 10240;
    f.cost = (money)(rng_u64(rng) % 1000000000000);
    if (rng_u64(rng) % 4 == 0) {
        f.memory_mb = rng_u64(rng) % 10240;
        f.storage_mb = rng_u64(rng) % 2 * 512;
        do
            f.kind = (uint32_t)rng_u64(rng);
        while (!fact_kind_is_right(f.kind));
        f.evidence = (uint32_t)rng_u64(rng);
    }
    if (rng_u64(rng) % 4 == 0) {
        f.stream = (uint32_t)rng_u64(rng);
        f.error_type = (uint32_t)rng_u64(rng) % 3;
        f.version = (uint32_t)rng_u64(rng) % 3;
    }
    return f;
}

static void check_same(const struct fact *x, const struct fact *y)
{
    CHECK_INT(x->ts_ns, y->ts_ns);
    CHECK_INT(x->fn, y->fn);
    CHECK_INT(x->stream, y->stream);
    CHECK_INT(x->error_type, y->error_type);
    CHECK_INT(x->version, y->version);
    CHECK(str_eq(x->id, y->id) && str_eq(x->trace, y->trace) && str_eq(x->pieces, y->pieces));
    CHECK_INT(x->duration_ns, y->duration_ns);
    CHECK_INT(x->billed_ns, y->billed_ns);
    CHECK_INT(x->init_ns, y->init_ns);
    CHECK_INT(x->restore_ns, y->restore_ns);
    CHECK_INT(x->lead_ns, y->lead_ns);
    CHECK_INT(x->memory_mb, y->memory_mb);
    CHECK_INT(x->used_mb, y->used_mb);
    CHECK_INT(x->storage_mb, y->storage_mb);
    CHECK_INT(x->kind, y->kind);
    CHECK_INT(x->evidence, y->evidence);
    CHECK_INT(x->cost, y->cost);
}

enum { MANY = 40 };

static void write_many(struct group_writer *w, uint64_t seed, struct fact facts[MANY])
{
    struct rng rng;
    struct fact last = {.ts_ns = NOON, .fn = 7, .stream = 3};

    rng_seed(&rng, seed);
    group_reset(w);
    for (size_t i = 0; i < MANY; i++) {
        facts[i] = last = some_fact(&rng, &last);
        group_add(w, &facts[i]);
    }
}

static void test_bytes_and_back(void **state)
{
    struct group_writer w = {0}, again = {0};
    struct fact facts[MANY];

    UNUSED(state);
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct arena a = {0};
        struct group_reader r;
        struct fact f;
        size_t n = 0;
        write_many(&w, seed, facts);
        CHECK_INT(w.t0_ns, facts[0].ts_ns);
        CHECK_INT(w.t1_ns, facts[MANY - 1].ts_ns);
        group_reset(&again);
        group_open(&r, 7, (struct range){w.t0_ns, w.t1_ns}, buf_str(&w.data));
        for (; group_next(&r, &f); n++) {
            group_add(&again, &f); /* ids as they are stored */
            fact_settle(&f, &a);
            check_same(&f, &facts[n]);
        }
        CHECK(!r.in.is_bad);
        CHECK_INT(n, MANY);
        CHECK(str_eq(buf_str(&w.data), buf_str(&again.data)));
        arena_clear(&a);
    }
    buf_clear(&w.data);
    buf_clear(&again.data);
}

/* Cut anywhere a group gives its first facts and then says that it is damaged, or ends at one. */
static void test_cut_bytes(void **state)
{
    struct group_writer w = {0};
    struct fact facts[MANY];
    size_t whole = 0;

    UNUSED(state);
    write_many(&w, 1, facts);
    for (size_t length = 0; length < w.data.n; length++) {
        struct group_reader r;
        struct fact f;
        size_t n = 0;
        group_open(&r, 7, (struct range){w.t0_ns, w.t1_ns}, str_sub(buf_str(&w.data), 0, length));
        for (; group_next(&r, &f); n++)
            CHECK_INT(f.ts_ns, facts[n].ts_ns);
        whole += !r.in.is_bad;
        CHECK(n < MANY);
    }
    CHECK_INT(whole, MANY);
    buf_clear(&w.data);
}

/* --- files --- */

static struct invocation invocation(struct batch *b, const char *id, int64_t start_ns)
{
    struct origin o = {.fn = batch_fn(b, &orders), .log_group = STR("/g"), .instance = STR("s")};

    return (struct invocation){.origin = batch_origin(b, &o),
                               .id = str_from(id),
                               .outcome = OUTCOME_OK,
                               .start = START_WARM,
                               .start_ns = start_ns,
                               .duration_ns = 100 * NS_PER_MS,
                               .billed_ns = 100 * NS_PER_MS,
                               .memory_bytes = (uint64_t)128 << 20,
                               .attempt = 1,
                               .is_final = true};
}

static void commit_one(struct fixture *f, const char *id, int64_t start_ns)
{
    struct batch *b = batch_new();

    *batch_invocation(b) = invocation(b, id, start_ns);
    fixture_commit(f, b);
}

static int64_t ask(struct fixture *f, const char *sql_text)
{
    struct sql *db = NULL;
    struct sql_stmt *st = NULL;
    bool has_row = false;

    CHECK_OK(
        sql_open(arena_printf(&f->arena, "%s/20260115.db", f->path.p).p, SQL_READ_ONLY, &db, &f->e),
        &f->e);
    CHECK_OK(sql_prepare(db, str_from(sql_text), &st, &f->e), &f->e);
    CHECK_OK(sql_step(st, &has_row, &f->e), &f->e);
    CHECK(has_row);
    int64_t v = sql_i64(st, 0);
    sql_finalize(st);
    sql_close(db);
    return v;
}

static void count_finding(void *ctx, struct str file, struct str what)
{
    UNUSED(ctx);
    print_error(STR_FMT ": " STR_FMT "\n", STR_ARG(file), STR_ARG(what));
    CHECK(false);
}

static struct inv_rows all_rows(struct fixture *f)
{
    struct inv_request q = {.range = {NOON - NS_PER_DAY, NOON + NS_PER_DAY}, .order = INV_OLDEST};
    struct inv_rows r;

    CHECK_OK(request_invocations(f->store, &q, &f->arena, &r, &f->e), &f->e);
    return r;
}

static struct inv_rows oldest_first(struct fixture *f)
{
    struct inv_rows r = all_rows(f);

    CHECK_OK(store_verify(f->store, count_finding, NULL, &f->e), &f->e);
    return r;
}

/* A commit a second, late ones among them, two in one instant, one that comes in again. */
static void test_small_commits(void **state)
{
    struct fixture *f = fixture_new();
    enum { COMMITS = 120 };

    UNUSED(state);
    fixture_open(f, false);
    for (int i = 0; i < COMMITS; i++)
        commit_one(f, arena_printf(&f->arena, "id-%d", i).p,
                   NOON + (i % 3 == 0 ? i + 5 : i / 2 * 2) * NS_PER_SEC);
    struct inv_rows r = oldest_first(f);
    CHECK_INT(r.n, COMMITS);
    for (size_t i = 1; i < r.n; i++)
        CHECK(r.rows[i - 1].start_ns <= r.rows[i].start_ns);
    CHECK(ask(f, "select count(*) from facts") <= 4);
    CHECK_INT(ask(f, "select sum(n) from facts"), COMMITS);

    struct batch *b = batch_new();
    struct invocation inv = invocation(b, "id-60", NOON + 65 * NS_PER_SEC);
    inv.has_stored = true;
    inv.stored_start_ns = inv.start_ns;
    inv.start_ns = NOON + NS_PER_HOUR;
    *batch_invocation(b) = inv;
    fixture_commit(f, b);
    r = oldest_first(f);
    CHECK_INT(r.n, COMMITS);
    CHECK_STR(r.rows[COMMITS - 1].id, STR("id-60"));
    fixture_free(f);
}

static bool is_even(void *ctx, const struct invocation *inv)
{
    ++*(int *)ctx;
    return (inv->id.p[inv->id.n - 1] - '0') % 2 == 0 && str_eq(inv->origin->fn->name, orders.name);
}

/* The asker's own test counts before the limit does, and the end of an order is its reversal. */
static void test_ends_of_an_order(void **state)
{
    struct fixture *f = fixture_new();
    enum { COMMITS = 40 };
    static const enum inv_order by[] = {INV_NEWEST, INV_OLDEST, INV_SLOWEST, INV_COSTLIEST};
    int asked = 0;

    UNUSED(state);
    fixture_open(f, false);
    for (int i = 0; i < COMMITS; i++)
        commit_one(f, arena_printf(&f->arena, "id-%d", i).p, NOON + i * NS_PER_HOUR / 4);
    for (size_t k = 0; k < ARRAY_LEN(by); k++) {
        struct inv_request q = {.range = {NOON - NS_PER_DAY, NOON + 2 * NS_PER_DAY},
                                .order = by[k],
                                .test = is_even,
                                .test_ctx = &asked};
        struct inv_rows all, last;
        CHECK_OK(request_invocations(f->store, &q, &f->arena, &all, &f->e), &f->e);
        CHECK_INT(all.n, COMMITS / 2);
        q.limit = 5;
        q.is_reversed = true;
        CHECK_OK(request_invocations(f->store, &q, &f->arena, &last, &f->e), &f->e);
        CHECK(last.n == 5 && last.is_more);
        for (size_t i = 0; i < last.n; i++)
            CHECK_STR(last.rows[i].id, all.rows[all.n - 1 - i].id);
    }
    CHECK(asked >= 4 * COMMITS);
    fixture_free(f);
}

/* Makes the file what schema 3 wrote of the one invocation in it. */
static void downgrade(struct fixture *f)
{
    struct sql *db = NULL;
    struct batch *b = batch_new();
    struct invocation inv = invocation(b, ID, NOON);
    struct str text = arena_printf(
        &f->arena,
        UNDO_MIGRATION_7 UNDO_MIGRATION_6
        "drop table chunk_head; alter table roll drop column t0; alter table roll drop column t1;"
        "drop table facts; create table inv(fn int, ts int, seq int, rid "
        "blob, stream int, kind "
        "int, dur int, billed int, mem int, used int, init int, evidence int, cost int, nlog int, "
        "error int, version int, trace blob, extra blob, primary key(fn, ts, seq)) without rowid;"
        "insert into inv values(1, %lld, 0, x'8d5958b5559f43f3b278b71dd7dd0e01', 1, %u, 200000,"
        " 100, 128, 0, 0, 0, 0, 0, 0, 0, null, null); pragma user_version = 3",
        (long long)(12 * NS_PER_HOUR), fact_kind(&inv));

    batch_free(b);
    store_close(f->store);
    f->store = NULL;
    CHECK_OK(sql_open(arena_printf(&f->arena, "%s/20260115.db", f->path.p).p, SQL_READ_WRITE, &db,
                      &f->e),
             &f->e);
    CHECK_OK(sql_exec(db, text.p, &f->e), &f->e);
    sql_close(db);
}

static void test_older_file(void **state)
{
    struct fixture *f = fixture_new();
    struct inv_rows r;

    UNUSED(state);
    fixture_open(f, false);
    commit_one(f, ID, NOON);
    downgrade(f);
    fixture_open(f, true);
    r = oldest_first(f);
    CHECK_INT(r.n, 1);
    CHECK_STR(r.rows[0].id, STR(ID));
    CHECK_OK(request_by_id(f->store, STR(ID), &f->arena, &r, &f->e), &f->e);
    CHECK_INT(ask(f, "pragma user_version"), 3);

    fixture_open(f, false);
    commit_one(f, "another", NOON + 1);
    r = oldest_first(f);
    CHECK_INT(r.n, 2);
    CHECK_STR(r.rows[0].id, STR(ID));
    CHECK_INT(r.rows[0].duration_ns, 100 * NS_PER_MS);
    CHECK_OK(request_by_id(f->store, STR(ID), &f->arena, &r, &f->e), &f->e);
    CHECK_INT(ask(f, "pragma user_version"), SCHEMA_VERSION);
    CHECK_INT(ask(f, "select count(*) from sqlite_schema where name = 'inv'"), 0);
    fixture_free(f);
}

static void commit_restored(struct fixture *f, const char *id, int64_t start_ns, money cost)
{
    struct batch *b = batch_new();
    struct invocation *inv = batch_invocation(b);

    *inv = invocation(b, id, start_ns);
    inv->start = START_SNAPSTART;
    inv->is_priced = true;
    inv->cost = 1000 + cost;
    inv->cost_restore = cost;
    inv->evidence = cost > 0 ? EV_RESTORE_BILLED : 0;
    fixture_commit(f, b);
}

/* Sums of the day, from roll-ups. */
static struct stats day_sums(struct fixture *f)
{
    const struct fn_filter all = {0};
    const struct range r = {NOON - NS_PER_DAY / 2, NOON + NS_PER_DAY / 2};
    struct fn_rows rows;

    fixture_open(f, true);
    CHECK_OK(request_functions(f->store, r, &all, &f->arena, &rows, &f->e), &f->e);
    CHECK_INT(rows.n, 1);
    return rows.rows[0].stats;
}

static void no_finding(void *ctx, struct str file, struct str what)
{
    UNUSED(ctx);
    UNUSED(file);
    print_error(STR_FMT "\n", STR_ARG(what));
    CHECK(false);
}

/* Schema 9 kept no price of a restore: a restore without one leaves what it wrote, byte for byte.
 * Such sums go on as restores nobody priced. */
static void test_restores_of_older_file(void **state)
{
    struct fixture *f = fixture_new();
    struct sql *db = NULL;

    UNUSED(state);
    fixture_open(f, false);
    commit_restored(f, ID, NOON, 0);
    store_close(f->store);
    f->store = NULL;
    CHECK_OK(sql_open(arena_printf(&f->arena, "%s/20260115.db", f->path.p).p, SQL_READ_WRITE, &db,
                      &f->e),
             &f->e);
    CHECK_OK(sql_exec(db, "pragma user_version = 9", &f->e), &f->e);
    sql_close(db);
    struct stats s = day_sums(f);
    CHECK_INT(stats_restores_open(&s), 1);
    fixture_open(f, false);
    commit_restored(f, "another", NOON + NS_PER_MIN, 250);
    CHECK_INT(ask(f, "pragma user_version"), SCHEMA_VERSION);
    s = day_sums(f);
    CHECK_INT(stats_restores_open(&s), 1);
    CHECK_INT(s.start[START_SNAPSTART], 2);
    CHECK_INT((int64_t)s.restored_mb, 128);
    CHECK_INT((int64_t)s.cost, 2250);
    CHECK_INT((int64_t)s.cost_init, 250);
    CHECK_OK(store_verify(f->store, no_finding, NULL, &f->e), &f->e);
    fixture_free(f);
}

static void commit_provisioned(struct fixture *f, const char *id, int64_t start_ns)
{
    struct batch *b = batch_new();
    struct invocation *inv = batch_invocation(b);

    *inv = invocation(b, id, start_ns);
    inv->start = START_PROVISIONED;
    fixture_commit(f, b);
}

/* Sums of schema 15 did not tell provisioned durations apart: their facts do, and a file that is
 * older in part stays right. */
static void test_provisioned_of_older_file(void **state)
{
    struct fixture *f = fixture_new();
    struct batch *b = batch_new();
    const struct invocation one = invocation(b, ID, NOON);
    const int64_t mb_ms = one.billed_ns / NS_PER_MS * (int64_t)(one.memory_bytes >> 20);
    struct sql *db = NULL;

    UNUSED(state);
    batch_free(b);
    fixture_open(f, false);
    commit_provisioned(f, ID, NOON);
    store_close(f->store);
    f->store = NULL;
    CHECK_OK(sql_open(arena_printf(&f->arena, "%s/20260115.db", f->path.p).p, SQL_READ_WRITE, &db,
                      &f->e),
             &f->e);
    const char *cut = arena_printf(&f->arena,
                                   "update roll set data = substr(data, 1, length(data) - %d);"
                                   "pragma user_version = 15",
                                   6 + (mb_ms < 128     ? 1
                                        : mb_ms < 16384 ? 2
                                                        : 3))
                          .p;
    CHECK_OK(sql_exec(db, cut, &f->e), &f->e);
    sql_close(db);
    struct stats s = day_sums(f);
    CHECK_INT((int64_t)s.provisioned_mb_ms, mb_ms);
    CHECK_INT(s.provisioned_known, 1);
    fixture_open(f, false);
    commit_provisioned(f, "another", NOON + NS_PER_MIN);
    commit_provisioned(f, "later", NOON + NS_PER_HOUR);
    CHECK_INT(ask(f, "pragma user_version"), SCHEMA_VERSION);
    s = day_sums(f);
    CHECK_INT((int64_t)s.provisioned_mb_ms, 3 * mb_ms);
    CHECK_INT((int64_t)s.provisioned_mb_ms, (int64_t)s.mb_ms);
    CHECK_OK(store_verify(f->store, no_finding, NULL, &f->e), &f->e);
    fixture_free(f);
}

/* --- a file that is migrated while it is read --- */

static const struct range hour_of_noon = {NOON, NOON + NS_PER_HOUR};

/* Another row of schema 3, a second later, of the same function and stream. */
static void add_row(struct fixture *f)
{
    struct sql *db = NULL;

    CHECK_OK(sql_open(arena_printf(&f->arena, "%s/20260115.db", f->path.p).p, SQL_READ_WRITE, &db,
                      &f->e),
             &f->e);
    CHECK_OK(sql_exec(db,
                      "insert into inv select fn, ts + 1000000000, seq, rid, stream, kind, dur, "
                      "billed, mem, used, init, evidence, cost, nlog, error, version, trace, extra "
                      "from inv",
                      &f->e),
             &f->e);
    sql_close(db);
}

/* A store of schema 3 with two rows, open for a reader. */
static struct fixture *old_store(void)
{
    struct fixture *f = fixture_new();

    fixture_open(f, false);
    commit_one(f, ID, NOON);
    downgrade(f);
    add_row(f);
    fixture_open(f, true);
    return f;
}

static void migrate_by_other(struct fixture *f)
{
    const struct store_options o = {.url = f->path};
    struct store *writer = NULL;

    CHECK_OK(store_open(&o, &writer, &f->e), &f->e);
    CHECK_OK(store_migrate(writer, &f->e), &f->e);
    store_close(writer);
    CHECK_INT(ask(f, "select count(*) from sqlite_schema where name = 'inv'"), 0);
}

static size_t count_rest(struct fixture *f, struct fact_cursor *c)
{
    struct fact fact;
    bool has_fact = true;
    size_t n = 0;

    for (;; n++) {
        CHECK_OK(fact_cursor_next(c, &fact, &has_fact, &f->e), &f->e);
        if (!has_fact)
            return n;
        CHECK_INT(fact.fn, 1);
    }
}

/* Between opening and the first fact, between two seeks, and after the first fact. */
static void test_migrated_under_a_cursor(void **state)
{
    UNUSED(state);
    for (int given = -1; given <= 2; given++) {
        struct fixture *f = old_store();
        struct fact_cursor c = {0};
        struct fact fact;
        bool has_fact;
        struct day *d;
        CHECK_OK(store_day(f->store, NOON / NS_PER_DAY, false, &d, &f->e), &f->e);
        CHECK_OK(fact_cursor_open(&c, d, &f->e), &f->e);
        if (given < 0)
            migrate_by_other(f);
        fact_cursor_seek(&c, 1, hour_of_noon);
        for (int i = 0; i < given; i++)
            CHECK_OK(fact_cursor_next(&c, &fact, &has_fact, &f->e), &f->e);
        if (given >= 0)
            migrate_by_other(f);
        CHECK_INT(count_rest(f, &c), given < 0 ? 2 : 2 - given);
        fact_cursor_seek(&c, 1, hour_of_noon);
        CHECK_INT(count_rest(f, &c), 2);
        fact_cursor_close(&c);
        fixture_free(f);
    }
}

/* What was asked of the rows is asked of the groups; a kept statement or answer about the file is
 * no longer right. */
static void test_migrated_under_requests(void **state)
{
    struct fixture *f = old_store();
    struct range bounds;
    bool is_found = false;
    struct day *d;

    UNUSED(state);
    CHECK_OK(store_day(f->store, NOON / NS_PER_DAY, false, &d, &f->e), &f->e);
    for (int round = 0; round < 2; round++) {
        struct inv_rows r = all_rows(f);
        CHECK_INT(r.n, 2);
        CHECK_OK(request_by_id(f->store, STR(ID), &f->arena, &r, &f->e), &f->e);
        CHECK_INT(r.n, 1); /* the second row has no entry in the index */
        CHECK_OK(facts_bounds(d, 1, &is_found, &bounds, &f->e), &f->e);
        CHECK(is_found);
        CHECK_INT(bounds.since_ns, NOON);
        CHECK_INT(bounds.until_ns, NOON + NS_PER_SEC);
        if (round == 0)
            migrate_by_other(f);
    }
    fixture_free(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_bytes_and_back),
    cmocka_unit_test(test_cut_bytes),
    cmocka_unit_test(test_small_commits),
    cmocka_unit_test(test_ends_of_an_order),
    cmocka_unit_test(test_older_file),
    cmocka_unit_test(test_restores_of_older_file),
    cmocka_unit_test(test_provisioned_of_older_file),
    cmocka_unit_test(test_migrated_under_a_cursor),
    cmocka_unit_test(test_migrated_under_requests),
};
TEST_MAIN(tests)

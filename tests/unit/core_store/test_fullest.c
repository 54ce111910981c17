/* Sums tell the attempt that came nearest to its memory, whatever sizes others had; those of before
 * schema 18 told the most used and the largest size only. */
#include "tests/unit/store_fixture.h"

#include "core/base/clock.h"
#include "core/base/sql.h"
#include "core/store/fact_store.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */
#define MB   (UINT64_C(1) << 20)

static void commit(struct fixture *f, int64_t at_ns, uint64_t used_mb, uint64_t size_mb)
{
    const struct fn_ref fn = {PROVIDER_AWS, STR("1"), STR("eu-west-1"), STR("resize"), NULL};
    const struct origin o = {.fn = &fn, .instance = STR("s")};
    struct batch *b = batch_new();

    *batch_invocation(b) = (struct invocation){
        .origin = batch_origin(b, &o),
        .id = arena_printf(&b->arena, "%08llx-0000-4000-a000-000000000000",
                           (unsigned long long)(at_ns / NS_PER_SEC)),
        .outcome = OUTCOME_OK,
        .start_ns = at_ns,
        .duration_ns = NS_PER_SEC,
        .memory_bytes = size_mb * MB,
        .max_memory_bytes = used_mb * MB,
        .attempt = 1,
        .is_final = true,
    };
    fixture_commit(f, b);
}

static void check_fullest(struct fixture *f, uint64_t used_mb, uint64_t size_mb)
{
    const struct range all = {0, INT64_MAX / 2};
    const struct fn_filter any = {0};
    struct fn_rows r;

    fixture_open(f, true);
    CHECK_OK(request_functions(f->store, all, &any, &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.n, 1);
    CHECK_INT(r.rows[0].stats.fullest_used_bytes, used_mb * MB);
    CHECK_INT(r.rows[0].stats.fullest_size_bytes, size_mb * MB);
    fixture_open(f, false);
}

static void no_finding(void *ctx, struct str file, struct str what)
{
    UNUSED(ctx);
    UNUSED(file);
    CHECK_STR(what, STR(""));
}

static void test_sizes_change(void **state)
{
    struct fixture *f = fixture_new();

    UNUSED(state);
    fixture_open(f, false);
    commit(f, NOON, 40, 1024);
    check_fullest(f, 40, 1024);
    commit(f, NOON + NS_PER_SEC, 127, 128);
    check_fullest(f, 127, 128);
    commit(f, NOON + NS_PER_HOUR, 1024, 10240);
    commit(f, NOON + NS_PER_HOUR + NS_PER_SEC, 0, 0); /* one that runs */
    check_fullest(f, 127, 128);
    commit(f, NOON + 2 * NS_PER_HOUR, 254, 256); /* as full, and larger */
    check_fullest(f, 254, 256);
    CHECK_OK(store_verify(f->store, no_finding, NULL, &f->e), &f->e);
    fixture_free(f);
}

/* What schema 17 wrote of the same attempts. */
static void make_older(struct fixture *f)
{
    struct sql *db;
    struct sql_stmt *get, *put;
    bool has_row = false;

    store_close(f->store);
    f->store = NULL;
    CHECK_OK(sql_open(arena_printf(&f->arena, STR_FMT "/20260115.db", STR_ARG(f->path)).p,
                      SQL_READ_WRITE, &db, &f->e),
             &f->e);
    CHECK_OK(sql_exec(db, "create temp table old as select fn, slot, data from roll", &f->e),
             &f->e);
    CHECK_OK(sql_prepare(db, STR("select fn, slot, data from old"), &get, &f->e), &f->e);
    CHECK_OK(
        sql_prepare(db, STR("update roll set data = ? where fn = ? and slot = ?"), &put, &f->e),
        &f->e);
    while (sql_step(get, &has_row, &f->e) == OK && has_row) {
        AUTO(buf_clear) struct buf data = {.max = 1u << 20};
        struct stats s = {0};
        CHECK(stats_unpack(sql_blob(get, 2), &s));
        s.fullest_used_bytes = s.max_memory_used_bytes;
        s.fullest_size_bytes = s.memory_size_bytes;
        stats_pack(&s, &data);
        stats_clear(&s);
        sql_bind_blob(put, 1, buf_str(&data));
        sql_bind_i64(put, 2, sql_i64(get, 0));
        sql_bind_i64(put, 3, sql_i64(get, 1));
        CHECK_OK(sql_run(put, &f->e), &f->e);
    }
    sql_finalize(get);
    sql_finalize(put);
    CHECK_OK(sql_exec(db, "pragma user_version = 17", &f->e), &f->e);
    sql_close(db);
}

static void test_older_file(void **state)
{
    struct fixture *f = fixture_new();

    UNUSED(state);
    fixture_open(f, false);
    commit(f, NOON, 40, 1024);
    commit(f, NOON + NS_PER_SEC, 100, 128);
    make_older(f);
    check_fullest(f, 100, 1024); /* as it was told then */
    CHECK_OK(store_verify(f->store, no_finding, NULL, &f->e), &f->e);
    commit(f, NOON + NS_PER_MIN, 64, 128);
    check_fullest(f, 64, 128);
    CHECK_OK(store_verify(f->store, no_finding, NULL, &f->e), &f->e);
    fixture_free(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_sizes_change),
    cmocka_unit_test(test_older_file),
};
TEST_MAIN(tests)

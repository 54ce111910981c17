/* Migrations of a store without rows: what an older fnscope made and never wrote to becomes, table
 * by table and column by column, what a new one would have made; and files without any bytes. */
#include "tests/unit/store_fixture.h"

#include "core/base/clock.h"
#include "core/base/sql.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */

static const struct subject dlq = {
    SCOPE_QUEUE, {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"), STR_INIT("mail-dlq"), NULL}};

/* The file of version 1 without its rows. */
static void make_empty_old(struct fixture *f, const char *from, const char *to)
{
    AUTO(buf_clear) struct buf text = {.max = 1u << 20}, emptied = {.max = 1u << 20};
    struct str source = arena_printf(&f->arena, TESTS_DIR "/data/store/v1/%s", from);
    struct str target = arena_printf(&f->arena, STR_FMT "/%s", STR_ARG(f->path), to);
    struct sql *db;

    CHECK_OK(file_read(source.p, &text, &f->e), &f->e);
    for (struct str rest = buf_str(&text); rest.n > 0;) {
        const struct str line = str_cut(&rest, '\n');
        if (!str_starts(line, STR("INSERT ")))
            buf_addf(&emptied, STR_FMT "\n", STR_ARG(line));
    }
    CHECK_OK(sql_open(target.p, SQL_READ_WRITE, &db, &f->e), &f->e);
    CHECK_OK(sql_exec(db, emptied.p, &f->e), &f->e);
    sql_close(db);
}

static void write_something(struct fixture *f)
{
    struct batch *b = batch_new();
    struct metric_point *p = batch_point(b);

    p->subject = dlq;
    p->metric = METRIC_QUEUE_DEPTH;
    p->time_ns = NOON;
    p->value = 3;
    fixture_commit(f, b);
}

/* Everything the file's schema says, but the order of columns and the wording of statements. */
static struct str schema_of(struct fixture *f, const char *file)
{
    static const char query[] =
        "select m.type||' '||m.name||' '||c.name||' '||c.type||' '||c.pk from sqlite_schema m, "
        "pragma_table_info(m.name) c where m.name not like 'sqlite_%' "
        "union all select 'version '||user_version from pragma_user_version order by 1";
    AUTO(buf_clear) struct buf all = {.max = 1u << 20};
    struct str path = arena_printf(&f->arena, STR_FMT "/%s", STR_ARG(f->path), file);
    struct sql *db;
    struct sql_stmt *st;
    bool has_row = false;

    CHECK_OK(sql_open(path.p, SQL_READ_ONLY, &db, &f->e), &f->e);
    CHECK_OK(sql_prepare(db, str_from(query), &st, &f->e), &f->e);
    for (;;) {
        CHECK_OK(sql_step(st, &has_row, &f->e), &f->e);
        if (!has_row)
            break;
        buf_addf(&all, STR_FMT "\n", STR_ARG(sql_str(st, 0)));
    }
    sql_finalize(st);
    sql_close(db);
    return arena_str(&f->arena, buf_str(&all));
}

static void check_one_point(struct fixture *f)
{
    struct metric_request q = {.range = {0, INT64_MAX / 2}};
    struct metric_rows points;

    fixture_open(f, true);
    CHECK_OK(request_metrics(f->store, &q, &f->arena, &points, &f->e), &f->e);
    CHECK_INT(points.n, 1);
}

static void test_empty_store_of_version_1(void **state)
{
    UNUSED(state);
    struct fixture *old = fixture_new(), *fresh = fixture_new();
    struct inv_rows r;

    make_empty_old(old, "meta.sql", "meta.db");
    make_empty_old(old, "20260115.sql", "20260115.db");
    fixture_open(old, true); /* a reader takes it as it is, and finds nothing */
    CHECK_STATUS(request_by_id(old->store, STR("0a1b2c3d"), &old->arena, &r, &old->e),
                 ERR_NOT_FOUND);
    fixture_open(old, false);
    fixture_open(fresh, false);
    write_something(old);
    write_something(fresh);
    check_one_point(old);
    check_one_point(fresh);
    CHECK_STR(schema_of(old, "meta.db"), schema_of(fresh, "meta.db"));
    CHECK_STR(schema_of(old, "20260115.db"), schema_of(fresh, "20260115.db"));
    fixture_free(old);
    fixture_free(fresh);
}

/* A crash between making a file and its first page leaves one without bytes. */
static void test_files_without_bytes(void **state)
{
    UNUSED(state);
    struct fixture *f = fixture_new();
    static const char *const names[] = {"meta.db", "20260115.db"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct str path = arena_printf(&f->arena, STR_FMT "/%s", STR_ARG(f->path), names[i]);
        CHECK_OK(file_write(path.p, STR(""), 0600, &f->e), &f->e);
    }
    fixture_open(f, false);
    write_something(f);
    check_one_point(f);
    fixture_free(f);
}

static void commit_stream(struct fixture *f, const char *group, const char *instance,
                          const char *id)
{
    struct batch *b = batch_new();
    const struct fn_ref fn = {.provider = PROVIDER_AWS, .name = STR_INIT("orders")};
    const struct origin o = {.fn = batch_fn(b, &fn),
                             .log_group = str_from(group),
                             .instance = str_from(instance),
                             .version = STR("1")};

    *batch_invocation(b) = (struct invocation){.origin = batch_origin(b, &o),
                                               .id = str_from(id),
                                               .start_ns = INT64_C(1768478400000000000),
                                               .is_final = true};
    fixture_commit(f, b);
}

static int64_t ask_meta(struct fixture *f, const char *query)
{
    struct sql *db = NULL;
    int64_t n = -1;

    CHECK_OK(
        sql_open(arena_printf(&f->arena, "%s/meta.db", f->path.p).p, SQL_READ_ONLY, &db, &f->e),
        &f->e);
    CHECK_OK(sql_read_i64(db, query, &n, &f->e), &f->e);
    sql_close(db);
    return n;
}

static void count_finding(void *ctx, struct str file, struct str what)
{
    UNUSED(file), UNUSED(what);
    ++*(int *)ctx;
}

/* Hashes of schema 16 were made of the group, too. */
static void test_streams_of_older_store(void **state)
{
    struct fixture *f = fixture_new();
    const struct fn_ref fn = {.provider = PROVIDER_AWS, .name = STR_INIT("orders")};
    const struct origin o = {.fn = &fn,
                             .log_group = STR("/aws/lambda/orders"),
                             .instance = STR("2026/01/15/[1]aa"),
                             .version = STR("1")};
    struct sql *db = NULL;
    int n_findings = 0;

    UNUSED(state);
    fixture_open(f, false);
    commit_stream(f, "/aws/lambda/orders", "2026/01/15/[1]aa", "one");
    store_close(f->store);
    f->store = NULL;
    CHECK_OK(
        sql_open(arena_printf(&f->arena, "%s/meta.db", f->path.p).p, SQL_READ_WRITE, &db, &f->e),
        &f->e);
    const char *back =
        arena_printf(&f->arena, "update stream set hash = %lld; pragma user_version = 16",
                     (long long)origin_hash_with_group(&o))
            .p;
    CHECK_OK(sql_exec(db, back, &f->e), &f->e);
    sql_close(db);
    fixture_open(f, true);
    CHECK_OK(store_verify(f->store, count_finding, &n_findings, &f->e), &f->e);
    CHECK_INT(n_findings, 0);
    fixture_open(f, false);
    CHECK_INT(ask_meta(f, "select hash from stream"), (int64_t)origin_hash(&o));
    commit_stream(f, "", "2026/01/15/[1]aa", "two");
    CHECK_INT(ask_meta(f, "select count(*) from stream"), 1);
    fixture_free(f);
}

/* An export that says the group completes a stream that was stored without. */
static void test_group_comes_later(void **state)
{
    struct fixture *f = fixture_new();

    UNUSED(state);
    fixture_open(f, false);
    commit_stream(f, "", "2026/01/15/[1]aa", "one");
    CHECK_INT(ask_meta(f, "select count(*) from stream where log_group = ''"), 1);
    commit_stream(f, "/aws/lambda/orders", "2026/01/15/[1]aa", "two");
    CHECK_INT(ask_meta(f, "select count(*) from stream"), 1);
    CHECK_INT(ask_meta(f, "select count(*) from stream where log_group = '/aws/lambda/orders'"), 1);
    fixture_free(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_empty_store_of_version_1),
    cmocka_unit_test(test_files_without_bytes),
    cmocka_unit_test(test_streams_of_older_store),
    cmocka_unit_test(test_group_comes_later),
};
TEST_MAIN(tests)

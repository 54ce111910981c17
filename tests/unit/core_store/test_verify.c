/* Bits turned anywhere in a day file: each is noticed, or it stands where nothing is stored. */
#include "tests/unit/store_fixture.h"

#include <sys/stat.h>

#include "core/base/clock.h"
#include "core/base/rng.h"
#include "core/base/sql.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */

enum { FLIPS = 400 };

static const struct fn_ref orders = {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"),
                                     STR_INIT("orders"), NULL};

/* Attempts of two environments over three hours, each with three lines of text. */
static void add_some(struct batch *b, struct rng *rng)
{
    for (uint64_t i = 0; i < 300; i++) {
        struct origin o = {.fn = batch_fn(b, &orders),
                           .log_group = STR("/g"),
                           .instance = i % 2 ? STR("a") : STR("b")};
        const struct origin *origin = batch_origin(b, &o);
        int64_t start_ns = NOON + (int64_t)i * 36 * NS_PER_SEC + (int64_t)(rng_u64(rng) % 1000000);
        struct str id = arena_printf(&b->arena, "%08x-0000-4000-a000-%012x", (unsigned)rng_u64(rng),
                                     (unsigned)i);
        *batch_invocation(b) = (struct invocation){.origin = origin,
                                                   .id = id,
                                                   .version = STR("$LATEST"),
                                                   .outcome = OUTCOME_OK,
                                                   .start = START_WARM,
                                                   .start_ns = start_ns,
                                                   .duration_ns = (int64_t)(rng_u64(rng) >> 32),
                                                   .billed_ns = 100 * NS_PER_MS,
                                                   .memory_bytes = (uint64_t)128 << 20,
                                                   .attempt = 1,
                                                   .cost = (money)(rng_u64(rng) >> 40),
                                                   .is_priced = true,
                                                   .is_final = true};
        for (int k = 0; k < 3; k++)
            *batch_record(b) = (struct log_record){
                .time_ns = start_ns + k,
                .origin = origin,
                .kind = RECORD_APP,
                .severity = k == 2 ? SEVERITY_ERROR : SEVERITY_INFO,
                .body = arena_printf(&b->arena, "line %d of " STR_FMT, k, STR_ARG(id)),
                .identity = rng_u64(rng)};
    }
}

static const char *day_file(struct fixture *f)
{
    return arena_printf(&f->arena, "%s/20260115.db", f->path.p).p;
}

/* A closed store of one file whose write-ahead log is empty. */
static struct fixture *small_store(struct rng *rng)
{
    struct fixture *f = fixture_new();

    fixture_open(f, false);
    struct batch *b = batch_new();
    add_some(b, rng);
    fixture_commit(f, b);
    store_close(f->store);
    f->store = NULL;
    return f;
}

static void first_finding(void *ctx, struct str file, struct str what)
{
    bool *is_found = ctx;

    CHECK(file.n > 0 && what.n > 0);
    *is_found = true;
}

/* A file that cannot be opened any more is noticed as well. */
static bool is_noticed(struct fixture *f)
{
    const struct store_options o = {.url = f->path, .is_read_only = true};
    struct store *s = NULL;
    struct err e = {0};
    bool is_found = false;

    bool is_bad =
        store_open(&o, &s, &e) != OK || store_verify(s, first_finding, &is_found, &e) != OK;
    store_close(s);
    return is_bad || is_found;
}

static const char *const contents[] = {"select * from facts",      "select * from id_run",
                                       "select * from id_blob",    "select * from chunk",
                                       "select * from chunk_head", "select * from seen",
                                       "select * from roll",       "select * from point",
                                       "select * from span",       "select * from env"};

static uint64_t content_of(struct sql *db)
{
    uint64_t h = 1;

    for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
        struct sql_stmt *st;
        bool has_row = true;
        if (sql_prepare(db, str_from(contents[i]), &st, NULL) != OK)
            return 0;
        while (sql_step(st, &has_row, NULL) == OK && has_row)
            for (int c = 0; c < sql_columns(st); c++)
                h = str_hash(sql_blob(st, c), h + sql_is_null(st, c));
        sql_finalize(st);
    }
    return h;
}

/* Of everything that is stored in the day file; 0 when it cannot be read. */
static uint64_t content(struct fixture *f)
{
    struct sql *db;

    if (sql_open(day_file(f), SQL_READ_ONLY, &db, NULL) != OK)
        return 0;
    uint64_t h = content_of(db);
    sql_close(db);
    return h;
}

static void turn(struct fixture *f, uint64_t bit)
{
    FILE *file = fopen(day_file(f), "r+b");

    CHECK(file != NULL && fseek(file, (long)(bit / 8), SEEK_SET) == 0);
    int c = fgetc(file);
    CHECK(c != EOF && fseek(file, (long)(bit / 8), SEEK_SET) == 0);
    CHECK(fputc(c ^ 1 << bit % 8, file) != EOF && fclose(file) == 0);
}

static void test_turned_bits(void **state)
{
    struct rng rng;
    size_t missed = 0, noticed = 0;

    UNUSED(state);
    rng_seed(&rng, 7);
    struct fixture *f = small_store(&rng);
    CHECK(!is_noticed(f));
    struct stat st;
    CHECK_INT(stat(day_file(f), &st), 0);
    const size_t size = (size_t)st.st_size;
    const uint64_t right = content(f);
    for (int i = 0; i < FLIPS; i++) {
        uint64_t bit = rng_u64(&rng) % (size * 8);
        turn(f, bit);
        bool is_found = is_noticed(f);
        noticed += is_found;
        if (!is_found && content(f) != right) {
            print_error("byte %zu, bit %d: not noticed\n", (size_t)(bit / 8), (int)(bit % 8));
            missed++;
        }
        turn(f, bit);
    }
    print_message("%d bits turned of %zu bytes: %zu noticed, %zu without effect, %zu missed\n",
                  FLIPS, size, noticed, FLIPS - noticed - missed, missed);
    CHECK_INT(missed, 0);
    CHECK(noticed > FLIPS / 4);
    fixture_free(f);
}

/* What the store itself would never do, by SQL. */
static void test_what_does_not_fit(void **state)
{
    static const char *const damages[] = {
        "update seen set hashes = zeroblob(length(hashes))",
        "update seen set t0 = t0 + 1",
        "delete from seen",
        "update id_blob set entries = zeroblob(length(entries))",
        "update id_blob set id = id + 1",
        "update id_run set n = n + 1",
        "update id_run set id = id + 1",
        "delete from id_blob",
        "update facts set sum = sum + 1",
        "insert into facts select id + 67108863, n, t0, t1, data, null from facts limit 1",
        "update roll set data = (select data from roll where slot = 24) where slot = 12",
        "insert into roll select fn, 3, data, t0, t1 from roll where slot = 12",
        "update chunk set levels = levels + 64",
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
        struct rng rng;
        struct sql *db = NULL;
        rng_seed(&rng, i);
        struct fixture *f = small_store(&rng);
        CHECK_OK(sql_open(day_file(f), SQL_READ_WRITE, &db, &f->e), &f->e);
        CHECK_OK(sql_exec(db, damages[i], &f->e), &f->e);
        sql_close(db);
        if (!is_noticed(f))
            print_error("not noticed: %s\n", damages[i]);
        CHECK(is_noticed(f));
        fixture_free(f);
    }
}

static void count_twice(void *ctx, struct str file, struct str what)
{
    UNUSED(file);
    *(size_t *)ctx += str_starts(what, STR("100 attempts of function orders are stored twice"));
}

/* The same attempts in another environment: no sum and no entry tells. */
static void test_attempts_stored_twice(void **state)
{
    struct fixture *f = fixture_new();
    size_t n = 0;

    UNUSED(state);
    fixture_open(f, false);
    for (int round = 0; round < 2; round++) {
        struct batch *b = batch_new();
        struct origin o = {.fn = batch_fn(b, &orders), .instance = round ? STR("a") : STR("b")};
        const struct origin *origin = batch_origin(b, &o);
        for (int i = 0; i < 100; i++)
            *batch_invocation(b) = (struct invocation){.origin = origin,
                                                       .id = arena_printf(&b->arena, "id %d", i),
                                                       .start_ns = NOON + i * NS_PER_SEC,
                                                       .duration_ns = i + 1,
                                                       .is_final = true};
        fixture_commit(f, b);
    }
    CHECK_OK(store_verify(f->store, count_twice, &n, &f->e), &f->e);
    CHECK_INT(n, 1);
    fixture_free(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_turned_bits),
    cmocka_unit_test(test_what_does_not_fit),
    cmocka_unit_test(test_attempts_stored_twice),
};
TEST_MAIN(tests)

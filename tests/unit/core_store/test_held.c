/* A commit that the disk does not take is tried again with the same pack: wherever it failed, what
 * is stored in the end is what one good commit stores. How much waits for a commit. */
#include "tests/unit/store_fixture.h"

#include <signal.h>
#include <sys/resource.h>

#include "core/base/clock.h"
#include "core/base/rng.h"
#include "core/base/sql.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */

enum { DAYS = 3 };

static const struct fn_ref orders = {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"),
                                     STR_INIT("orders"), NULL};

/* Of a day, n attempts with a line that does not compress. */
static void add_day(struct batch *b, struct rng *rng, int64_t day, int n)
{
    const struct origin like = {
        .fn = batch_fn(b, &orders), .log_group = STR("/g"), .instance = STR("s")};
    const struct origin *o = batch_origin(b, &like);

    for (int i = 0; i < n; i++) {
        AUTO(buf_clear) struct buf text = {.max = 4096};
        const int64_t at_ns = NOON + day * NS_PER_DAY + i * NS_PER_SEC;
        for (int k = 0; k < 64; k++)
            buf_addf(&text, "%016llx", (unsigned long long)rng_u64(rng));
        struct str body = arena_str(&b->arena, buf_str(&text));
        *batch_record(b) = (struct log_record){.time_ns = at_ns,
                                               .origin = o,
                                               .kind = RECORD_APP,
                                               .body = body,
                                               .message = body,
                                               .identity = rng_u64(rng)};
        *batch_invocation(b) =
            (struct invocation){.origin = o,
                                .id = arena_printf(&b->arena, "%08x-0000-4000-a000-%012x",
                                                   (unsigned)rng_u64(rng), (unsigned)i),
                                .version = STR("$LATEST"),
                                .outcome = OUTCOME_OK,
                                .start_ns = at_ns,
                                .duration_ns = 100 * NS_PER_MS,
                                .billed_ns = 100 * NS_PER_MS,
                                .memory_bytes = (uint64_t)128 << 20,
                                .attempt = 1,
                                .is_final = true};
    }
}

/* What is there before, and then a pack that brings little or much to each day, and a cursor. */
static struct batch *make_batch(bool is_second)
{
    static const int sizes[DAYS] = {4, 60, 20};
    struct batch *b = batch_new();
    struct rng rng;

    rng_seed(&rng, is_second ? 2 : 1);
    for (int day = 0; day < DAYS; day++)
        add_day(b, &rng, day, is_second ? sizes[day] : 2);
    batch_cursor(b, &(struct cursor){.source = STR("prod"),
                                     .scope = STR("g"),
                                     .token = is_second ? STR("2") : STR("1")});
    return b;
}

static void limit_files(rlim_t bytes)
{
    struct rlimit l;

    CHECK_INT(getrlimit(RLIMIT_FSIZE, &l), 0);
    l.rlim_cur = bytes == 0 ? l.rlim_max : bytes;
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* With so much room for each file; how often it had to be tried. */
static int commit_in(struct fixture *f, struct batch *b, rlim_t room)
{
    struct packer *p;
    struct pack *k;
    int tries = 0;
    enum status s;

    CHECK_OK(packer_new(f->store, &p, &f->e), &f->e);
    CHECK_OK(store_pack(p, b, true, &k, &f->e), &f->e);
    CHECK_INT(store_held_since(f->store), 0);
    do {
        limit_files(room);
        s = store_commit(f->store, k, &f->e);
        limit_files(0);
        CHECK(s == OK || s == ERR_AGAIN);
        CHECK((store_held_since(f->store) != 0) == (s == ERR_AGAIN));
        tries++;
        room += room > 0 ? 16 << 10 : 0;
    } while (s != OK);
    packer_free(p);
    batch_free(b);
    return tries;
}

static void no_finding(void *ctx, struct str file, struct str what)
{
    UNUSED(ctx);
    fail_msg(STR_FMT ": " STR_FMT, STR_ARG(file), STR_ARG(what));
}

static struct str dump_of(struct fixture *f)
{
    AUTO(buf_clear) struct buf out = {.max = 16u << 20};

    fixture_open(f, true);
    CHECK_OK(store_verify(f->store, no_finding, NULL, &f->e), &f->e);
    CHECK_OK(store_dump(f->store, &out, &f->e), &f->e);
    return arena_str(&f->arena, buf_str(&out));
}

static void test_no_room(void **state)
{
    struct fixture *good = fixture_new();
    int most = 0;

    UNUSED(state);
    signal(SIGXFSZ, SIG_IGN);
    fixture_open(good, false);
    commit_in(good, make_batch(false), 0);
    CHECK_INT(commit_in(good, make_batch(true), 0), 1);
    const struct str expected = dump_of(good);
    for (rlim_t room = 32 << 10; room < 400 << 10; room += 24 << 10) {
        struct fixture *f = fixture_new();
        fixture_open(f, false);
        commit_in(f, make_batch(false), 0);
        const int tries = commit_in(f, make_batch(true), room);
        most = tries > most ? tries : most;
        CHECK(str_eq(dump_of(f), expected));
        fixture_free(f);
    }
    CHECK(most > 3);
    fixture_free(good);
}

/* The days are stored and meta.db is not: they are not stored again. */
static void test_locked(void **state)
{
    struct fixture *f = fixture_new(), *good = fixture_new();
    struct sql *other;
    struct packer *p;
    struct pack *k;

    UNUSED(state);
    fixture_open(good, false);
    commit_in(good, make_batch(false), 0);
    commit_in(good, make_batch(true), 0);
    fixture_open(f, false);
    commit_in(f, make_batch(false), 0);
    CHECK_OK(packer_new(f->store, &p, &f->e), &f->e);
    struct batch *b = make_batch(true);
    CHECK_OK(store_pack(p, b, true, &k, &f->e), &f->e);
    CHECK_OK(
        sql_open(arena_printf(&f->arena, "%s/meta.db", f->path.p).p, SQL_READ_WRITE, &other, &f->e),
        &f->e);
    CHECK_OK(sql_exec(other, "begin immediate", &f->e), &f->e);
    CHECK_STATUS(store_commit(f->store, k, &f->e), ERR_AGAIN);
    CHECK(strstr(f->e.msg, "locked") != NULL);
    f->e = (struct err){0};
    CHECK_OK(sql_exec(other, "rollback", &f->e), &f->e);
    sql_close(other);
    CHECK_OK(store_commit(f->store, k, &f->e), &f->e);
    packer_free(p);
    batch_free(b);
    CHECK(str_eq(dump_of(f), dump_of(good)));
    fixture_free(f);
    fixture_free(good);
}

/* SQLite's cache is to hold all that waits for the commit: much text is committed at once. */
static void test_much_text(void **state)
{
    enum { LINES = 6500 }; /* half a kilobyte each, when compressed */
    struct fixture *f = fixture_new();
    struct batch *b = batch_new();
    struct packer *p;
    struct pack *k;
    struct rng rng;

    UNUSED(state);
    rng_seed(&rng, 1);
    add_day(b, &rng, 0, LINES);
    fixture_open(f, false);
    CHECK_OK(packer_new(f->store, &p, &f->e), &f->e);
    CHECK_OK(store_pack(p, b, true, &k, &f->e), &f->e);
    CHECK_OK(store_write(f->store, k, &f->e), &f->e);
    CHECK(store_is_settled(f->store));
    packer_free(p);
    batch_free(b);
    fixture_free(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_no_room),
    cmocka_unit_test(test_locked),
    cmocka_unit_test(test_much_text),
};
TEST_MAIN(tests)

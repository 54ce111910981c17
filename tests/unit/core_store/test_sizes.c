/* Memory sizes of functions outside a range: those that single requests find, and no day behind the
 * nearest is looked at. */
#include "tests/unit/store_fixture.h"

#include "core/base/clock.h"
#include "core/base/sql.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */

enum { FNS = 200, KINDS = 5, NO_SIZE = 0 };

static const struct range idle = {NOON, NOON + NS_PER_HOUR};

/* Which attempts functions of a kind have. */
static const struct {
    int kind;
    int64_t after_noon_ns;
    uint64_t memory_mb;
    enum arch arch;
} attempts[] = {
    {0, -2 * NS_PER_DAY, 512, ARCH_X86_64}, /* the last hour counts */
    {0, -2 * NS_PER_DAY + 5 * NS_PER_HOUR, 1024, ARCH_ARM64},
    {0, NS_PER_DAY, 128, ARCH_X86_64},
    {1, -NS_PER_DAY, 256, ARCH_ARM64}, /* later ones tell none, or lie in the range */
    {1, -NS_PER_DAY + NS_PER_SEC, NO_SIZE, ARCH_X86_64},
    {1, -NS_PER_HOUR, NO_SIZE, ARCH_X86_64},
    {1, 0, 4096, ARCH_X86_64},
    {2, NS_PER_HOUR - 1, 4096, ARCH_X86_64}, /* the first behind the range */
    {2, NS_PER_HOUR, 320, ARCH_X86_64},
    {2, NS_PER_HOUR + 1, 640, ARCH_X86_64},
    {3, -NS_PER_DAY, NO_SIZE, ARCH_X86_64}, /* none at all */
    {3, NS_PER_DAY, NO_SIZE, ARCH_X86_64},
    {4, -1, 768, ARCH_X86_64}, /* two of one time: the last that arrived */
    {4, -1, 896, ARCH_X86_64},
    {4, -NS_PER_MS, 128, ARCH_X86_64},
};
static const uint64_t wanted_mb[KINDS] = {1024, 256, 320, 0, 896};

static void add_attempt(struct batch *b, int fn, size_t i)
{
    const struct fn_ref like = {PROVIDER_AWS, STR("1"), STR("eu-west-1"),
                                arena_printf(&b->arena, "fn-%03d", fn), NULL};
    const struct origin o = {
        .fn = batch_fn(b, &like), .log_group = STR("/g"), .instance = STR("s")};
    const bool has_size = attempts[i].memory_mb != NO_SIZE;

    *batch_invocation(b) = (struct invocation){.origin = batch_origin(b, &o),
                                               .id = arena_printf(&b->arena, "id-%d-%zu", fn, i),
                                               .outcome = has_size ? OUTCOME_OK : OUTCOME_UNKNOWN,
                                               .start_ns = NOON + attempts[i].after_noon_ns,
                                               .billed_ns = has_size ? 100 * NS_PER_MS : 0,
                                               .memory_bytes = attempts[i].memory_mb << 20,
                                               .arch = attempts[i].arch,
                                               .attempt = 1,
                                               .is_final = true};
}

static void fill(struct fixture *f)
{
    struct batch *b = batch_new();

    fixture_open(f, false);
    for (int fn = 0; fn < FNS; fn++)
        for (size_t i = 0; i < ARRAY_LEN(attempts); i++)
            if (attempts[i].kind == fn % KINDS)
                add_attempt(b, fn, i);
    fixture_commit(f, b);
    fixture_open(f, true);
}

static int kind_of(struct fixture *f, uint32_t fn_id)
{
    const struct str name = store_fn(f->store, fn_id)->name;

    return atoi(arena_printf(&f->arena, STR_FMT, STR_ARG(name)).p + 3) % KINDS;
}

/* Those of the kind; all for -1. */
static struct fn_size *fns_of_kind(struct fixture *f, int kind, size_t *n)
{
    const struct range all = {INT64_MIN / 2, INT64_MAX / 2};
    const struct fn_filter any = {0};
    struct fn_ids ids;

    CHECK_OK(request_fn_ids(f->store, all, &any, &f->arena, &ids, &f->e), &f->e);
    struct fn_size *fns = arena_new(&f->arena, struct fn_size, ids.n + 1);
    *n = 0;
    for (size_t i = 0; i < ids.n; i++)
        if (kind < 0 || kind_of(f, ids.ids[i]) == kind)
            fns[(*n)++].fn_id = ids.ids[i];
    return fns;
}

static bool has_memory(void *ctx, const struct invocation *inv)
{
    UNUSED(ctx);
    return inv->memory_bytes > 0;
}

static struct fn_size asked_alone(struct fixture *f, uint32_t fn_id)
{
    struct inv_request q = {.range = {INT64_MIN / 2, idle.since_ns},
                            .fn_id = fn_id,
                            .test = has_memory,
                            .order = INV_NEWEST,
                            .limit = 1};
    struct inv_rows r;

    CHECK_OK(request_invocations(f->store, &q, &f->arena, &r, &f->e), &f->e);
    if (r.n == 0) {
        q.range = (struct range){idle.until_ns, INT64_MAX / 2};
        q.order = INV_OLDEST;
        CHECK_OK(request_invocations(f->store, &q, &f->arena, &r, &f->e), &f->e);
    }
    return r.n == 0 ? (struct fn_size){.fn_id = fn_id}
                    : (struct fn_size){fn_id, false, r.rows[0].memory_bytes, r.rows[0].arch};
}

static void test_nearest(void **state)
{
    struct fixture *f = fixture_new();
    size_t n = 0;

    UNUSED(state);
    fill(f);
    struct fn_size *fns = fns_of_kind(f, -1, &n);
    CHECK_INT(n, FNS);
    CHECK_OK(request_sizes_near(f->store, idle, fns, n, &f->e), &f->e);
    for (size_t i = 0; i < n; i++) {
        const struct fn_size alone = asked_alone(f, fns[i].fn_id);
        CHECK_INT(fns[i].memory_bytes, wanted_mb[kind_of(f, fns[i].fn_id)] << 20);
        CHECK_INT(fns[i].memory_bytes, alone.memory_bytes);
        CHECK_INT(fns[i].arch, alone.arch);
    }
    for (size_t i = 0; i < n; i++)
        fns[i].is_past = true;
    CHECK_OK(request_sizes_near(f->store, idle, fns, n, &f->e), &f->e);
    for (size_t i = 0; i < n; i++) { /* kind 2 only ran afterwards */
        const int kind = kind_of(f, fns[i].fn_id);
        CHECK_INT(fns[i].memory_bytes, kind == 2 ? 0 : wanted_mb[kind] << 20);
    }
    CHECK_OK(request_sizes_near(f->store, idle, NULL, 0, &f->e), &f->e);
    fixture_free(f);
}

static void damage(struct fixture *f, const char *file, const char *text)
{
    struct sql *db = NULL;

    CHECK_OK(
        sql_open(arena_printf(&f->arena, "%s/%s", f->path.p, file).p, SQL_READ_WRITE, &db, &f->e),
        &f->e);
    CHECK_OK(sql_exec(db, text, &f->e), &f->e);
    sql_close(db);
}

/* What must not be read is damaged: days behind the nearest, facts where sums tell no size. */
static void test_reads_little(void **state)
{
    static const enum status wanted[KINDS] = {ERR_PARSE, OK, ERR_PARSE, OK, OK};
    struct fixture *f = fixture_new();

    UNUSED(state);
    fill(f);
    damage(f, "20260113.db", "update roll set data = x'01'");
    damage(f, "20260116.db", "update facts set data = x'01'");
    damage(f, "20260115.db",
           "update roll set data = x'01' where fn in"
           " (select fn from roll where slot = 13)");
    for (int kind = 0; kind < KINDS; kind++) {
        size_t n = 0;
        struct fn_size *fns = fns_of_kind(f, kind, &n);
        CHECK_INT(n, FNS / KINDS);
        CHECK_INT(request_sizes_near(f->store, idle, fns, n, &f->e), wanted[kind]);
    }
    fixture_free(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_nearest),
    cmocka_unit_test(test_reads_little),
};
TEST_MAIN(tests)

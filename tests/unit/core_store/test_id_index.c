/* The index of request ids against a plain list: what was added in any number of commits is found,
 * each entry once, whatever was merged; and the filter before it. */
#include "tests/unit/store_fixture.h"

#include "core/base/clock.h"
#include "core/base/rng.h"
#include "core/store/id_filter.h"
#include "core/store/id_index.h"

#define DAY 20468 /* 2026-01-15 */

enum { MOST = 40000 };

struct list {
    struct id_entry rows[MOST];
    size_t n;
};

/* Many prefixes in all their range, and a few that very many ids share. */
static struct id_entry some_entry(struct rng *rng)
{
    uint64_t r = rng_u64(rng);
    uint32_t prefix = r % 8 == 0 ? (uint32_t)(r >> 8 & 1) * UINT32_MAX : (uint32_t)(r >> 32);

    return (struct id_entry){prefix, (uint32_t)(r >> 16 & 0xFF), (uint32_t)(rng_u64(rng) % 86400)};
}

static void add(struct fixture *f, struct list *all, size_t n, struct rng *rng)
{
    AUTO(buf_clear) struct buf packed = {.max = 1u << 20};
    struct day *d;

    CHECK(all->n + n <= MOST);
    buf_reserve(&packed, n * ID_ENTRY_BYTES);
    for (size_t i = 0; i < n; i++) {
        uint8_t bytes[ID_ENTRY_BYTES];
        all->rows[all->n] = some_entry(rng);
        id_entry_pack(&all->rows[all->n++], bytes);
        buf_add(&packed, bytes, sizeof(bytes));
    }
    CHECK_OK(store_day(f->store, DAY, true, &d, &f->e), &f->e);
    CHECK_OK(sql_exec(d->db, "begin immediate", &f->e), &f->e);
    CHECK_OK(ids_add(d, (uint8_t *)packed.p, n, &f->e), &f->e);
    CHECK_OK(sql_exec(d->db, "commit", &f->e), &f->e);
}

static int compare_entries(const void *a, const void *b)
{
    const struct id_entry *x = a, *y = b;

    if (x->prefix != y->prefix)
        return x->prefix < y->prefix ? -1 : 1;
    if (x->fn != y->fn)
        return x->fn < y->fn ? -1 : 1;
    return (x->second > y->second) - (x->second < y->second);
}

static void sort_once(struct list *l)
{
    size_t n = 0;

    if (l->n == 0)
        return;
    qsort(l->rows, l->n, sizeof(l->rows[0]), compare_entries);
    for (size_t i = 1; i < l->n; i++)
        if (compare_entries(&l->rows[n], &l->rows[i]) != 0)
            l->rows[++n] = l->rows[i];
    l->n = n + 1;
}

static enum status keep(void *ctx, int64_t day, const struct id_entry *en, struct err *e)
{
    struct list *l = ctx;

    UNUSED(e);
    CHECK_INT(day, DAY);
    CHECK(l->n < MOST);
    l->rows[l->n++] = *en;
    return OK;
}

static void check_range(struct fixture *f, const struct list *all, struct prefix_range r)
{
    struct list *found = calloc(1, sizeof(*found)), *want = calloc(1, sizeof(*want));

    for (size_t i = 0; i < all->n; i++)
        if (all->rows[i].prefix >= r.low && all->rows[i].prefix <= r.high)
            want->rows[want->n++] = all->rows[i];
    CHECK_OK(id_scan(f->store, DAY, r, keep, found, &f->e), &f->e);
    size_t given = found->n;
    sort_once(found);
    sort_once(want);
    CHECK_INT(found->n, want->n);
    CHECK(found->n == 0 || memcmp(found->rows, want->rows, found->n * sizeof(found->rows[0])) == 0);
    CHECK(given <= all->n); /* none more often than it was added */
    free(found);
    free(want);
}

static void check_all(struct fixture *f, const struct list *all, struct rng *rng)
{
    check_range(f, all, (struct prefix_range){0, UINT32_MAX});
    check_range(f, all, (struct prefix_range){0, 0});
    check_range(f, all, (struct prefix_range){UINT32_MAX, UINT32_MAX});
    for (int i = 0; i < 50; i++) {
        uint32_t low = all->rows[rng_u64(rng) % all->n].prefix;
        uint32_t more = i % 2 ? (uint32_t)rng_u64(rng) >> (rng_u64(rng) % 32) : 0;
        uint32_t high = low > UINT32_MAX - more ? UINT32_MAX : low + more;
        check_range(f, all, (struct prefix_range){low, high});
    }
}

static int64_t one_number(struct fixture *f, const char *query)
{
    struct day *d;
    struct sql_stmt *st;
    bool has_row = false;

    CHECK_OK(store_day(f->store, DAY, false, &d, &f->e), &f->e);
    CHECK_OK(sql_prepare(d->db, str_from(query), &st, &f->e), &f->e);
    CHECK_OK(sql_step(st, &has_row, &f->e), &f->e);
    int64_t n = sql_i64(st, 0);
    sql_finalize(st);
    return n;
}

static void test_index_against_list(void **state)
{
    UNUSED(state);
    struct fixture *f = fixture_new();
    struct list *all = calloc(1, sizeof(*all));
    struct rng rng;

    rng_seed(&rng, 7);
    fixture_open(f, false);
    for (int commit = 0; commit < 300; commit++) { /* 16 * 16 and some more: three levels */
        add(f, all, commit % 50 == 0 ? 3000 : rng_u64(&rng) % 60 + 1, &rng);
        if (commit % 40 == 7)
            check_all(f, all, &rng);
    }
    check_all(f, all, &rng);
    CHECK_INT(one_number(f, "select max(level) from id_run"), 2);
    CHECK(one_number(f, "select count(*) from id_run") < 32);
    CHECK_INT(one_number(f, "select count(*) from id_blob where id >> 32 not in"
                            " (select id from id_run)"),
              0);
    free(all);
    fixture_free(f);
}

/* A maker that counts in the first digits, or in the last. */
static struct str numbered(char room[40], bool is_in_front, uint32_t i)
{
    int n = is_in_front ? snprintf(room, 40, "%08x-0000-4000-8000-000000000000", i)
                        : snprintf(room, 40, "aaaaaaaa-0000-4000-8000-0000%08x", i);

    CHECK(n > 0 && n < 40);
    return (struct str){room, (size_t)n};
}

/* Ids that were stored before, and ids added since. */
static void test_filter(void **state)
{
    UNUSED(state);
    enum { IDS = 300000 };
    struct id_filter filter = {.day = DAY};
    size_t alarms = 0;
    char room[40];

    CHECK(!id_filter_may_hold(&filter, STR("x")));
    id_filter_add(&filter, str_hash(STR("x"), 0));
    CHECK(filter.added.layers[0].n_lines * 64 <= 4096); /* bytes of a quiet day: one page */
    for (uint32_t i = 0; i < IDS; i++) {
        id_filter_add_stored(&filter, id_prefix(numbered(room, true, 2 * i)));
        id_filter_add(&filter, str_hash(numbered(room, false, 2 * i), 0));
    }
    for (uint32_t i = 0; i < IDS; i++) {
        CHECK(id_filter_may_hold(&filter, numbered(room, true, 2 * i)));
        CHECK(id_filter_may_hold(&filter, numbered(room, false, 2 * i)));
        alarms += id_filter_may_hold(&filter, numbered(room, true, 2 * i + 1));
        alarms += id_filter_may_hold(&filter, numbered(room, false, 2 * i + 1));
    }
    CHECK(alarms < IDS / 2000);
    id_filter_clear(&filter);
}

/* What a look-up takes hangs on what it finds, not on how many began in the same second. */
static void test_many_of_one_second(void **state)
{
    struct fixture *f = fixture_new();
    struct batch *b = batch_new();
    const struct fn_ref fn = {.provider = PROVIDER_AWS, .name = STR("f")};
    const struct origin *o = batch_origin(b, &(struct origin){.fn = batch_fn(b, &fn)});
    struct inv_rows r;
    char room[40];

    UNUSED(state);
    fixture_open(f, false);
    for (uint32_t i = 0; i < 2000; i++)
        *batch_invocation(b) = (struct invocation){
            .origin = o,
            .id = arena_str(&b->arena, numbered(room, true, i)),
            .start_ns = DAY * NS_PER_DAY,
            .attempt = 1,
        };
    fixture_commit(f, b);
    const size_t before = f->arena.used_bytes;
    CHECK_OK(request_by_id(f->store, numbered(room, true, 999), &f->arena, &r, &f->e), &f->e);
    CHECK_INT(r.n, 1);
    CHECK(f->arena.used_bytes - before < 20000);
    fixture_free(f);
}

enum { OF_ROUND = 150, ROUNDS = 6 };

/* New requests of one second; of those of the round before one is gone and one began later. */
static void add_round(struct fixture *f, uint32_t round, int64_t starts_ns[])
{
    struct batch *b = batch_new();
    const struct fn_ref fn = {.provider = PROVIDER_AWS, .name = STR("f")};
    const struct origin *o = batch_origin(b, &(struct origin){.fn = batch_fn(b, &fn)});
    const uint32_t first = round * OF_ROUND, before = first - OF_ROUND / 2;
    char room[40];

    for (uint32_t i = first; i < first + OF_ROUND; i++) {
        starts_ns[i] = DAY * NS_PER_DAY + i;
        *batch_invocation(b) =
            (struct invocation){.origin = o,
                                .id = arena_str(&b->arena, numbered(room, true, i)),
                                .start_ns = starts_ns[i],
                                .attempt = 1};
    }
    for (uint32_t i = before; round > 0 && i < before + 2; i++) {
        struct invocation *inv = batch_invocation(b);
        *inv = (struct invocation){.origin = o,
                                   .id = arena_str(&b->arena, numbered(room, true, i)),
                                   .start_ns = starts_ns[i] + NS_PER_MS,
                                   .stored_start_ns = starts_ns[i],
                                   .attempt = 1,
                                   .has_stored = true,
                                   .is_removed = i == before};
        starts_ns[i] = inv->is_removed ? 0 : inv->start_ns;
    }
    fixture_commit(f, b);
}

/* A reader that asks often keeps where ids stand, and sees what is written meanwhile. */
static void test_reader_of_many(void **state)
{
    struct fixture *f = fixture_new(), reader = {.path = f->path};
    int64_t starts_ns[ROUNDS * OF_ROUND];
    char room[40];

    UNUSED(state);
    fixture_open(f, false);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        add_round(f, round, starts_ns);
        if (round == 0)
            fixture_open(&reader, true);
        for (uint32_t i = 0; i < (round + 1) * OF_ROUND; i++) {
            struct inv_rows r = {0};
            struct err e = {0};
            enum status s = request_by_id(reader.store, numbered(room, true, i), &f->arena, &r, &e);
            CHECK_STATUS(s, starts_ns[i] == 0 ? ERR_NOT_FOUND : OK);
            CHECK_INT(r.n, starts_ns[i] != 0);
            CHECK(r.n == 0 || r.rows[0].start_ns == starts_ns[i]);
        }
    }
    struct day *d;
    CHECK_OK(store_day(reader.store, DAY, false, &d, &reader.e), &reader.e);
    CHECK(d->id_groups != NULL);
    store_close(reader.store);
    fixture_free(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_many_of_one_second),
    cmocka_unit_test(test_reader_of_many),
    cmocka_unit_test(test_index_against_list),
    cmocka_unit_test(test_filter),
};
TEST_MAIN(tests)

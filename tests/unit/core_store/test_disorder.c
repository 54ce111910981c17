/* Lines in no order, and of very many days: how much is read again and held, counted. */
#include "tests/unit/store_fixture.h"

#include "core/base/clock.h"
#include "core/base/rng.h"
#include "core/store/packer_private.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */
#define BODY "a line that is as long as lines of applications are: of eighty bytes or so."

static const struct fn_ref orders = {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"),
                                     STR_INIT("orders"), NULL};

static void add_line(struct batch *b, int64_t t_ns, uint64_t identity)
{
    const struct origin o = {
        .fn = batch_fn(b, &orders), .log_group = STR("/g"), .instance = STR("s")};

    *batch_record(b) = (struct log_record){.time_ns = t_ns,
                                           .origin = batch_origin(b, &o),
                                           .kind = RECORD_APP,
                                           .severity = SEVERITY_INFO,
                                           .body = STR(BODY),
                                           .identity = identity};
}

/* Drops repeats, packs, commits what is due; frees the batch. Repeats are counted. */
static size_t take(struct fixture *f, struct packer *p, struct batch *b)
{
    struct pack *k = NULL;

    CHECK_OK(store_mark_repeats(p, b, &f->e), &f->e);
    CHECK_OK(store_pack(p, b, false, &k, &f->e), &f->e);
    if (k)
        CHECK_OK(store_commit(f->store, k, &f->e), &f->e);
    size_t repeats = b->counts.repeats;
    batch_free(b);
    return repeats;
}

/* More lines of a day than the window of a sorted import holds, each batch spread over all of it:
 * what is stored is read once, not at every batch. */
static void test_a_shuffled_day(void **state)
{
    enum { BATCHES = 1000, LINES = 180 };
    struct fixture *f = fixture_new();
    struct packer *p;
    struct rng rng;
    uint64_t identity = 0;

    UNUSED(state);
    rng_seed(&rng, 3);
    fixture_open(f, false);
    CHECK_OK(packer_new(f->store, &p, &f->e), &f->e);
    for (int i = 0; i < BATCHES; i++) {
        struct batch *b = batch_new();
        for (int k = 0; k < LINES; k++)
            add_line(b, NOON + (int64_t)rng_below(&rng, 3600) * NS_PER_SEC, ++identity);
        add_line(b, NOON,
                 1 + rng_below(&rng, identity - LINES + 1)); /* stored, or in an open chunk */
        CHECK_INT(take(f, p, b), 1);
    }
    struct seen_day *day = NULL;
    CHECK_OK(seen_day(&p->seen, day_of(NOON), &day, &f->e), &f->e);
    CHECK(day->n > 20);
    CHECK(p->seen.n_read <= 2 * day->n);
    packer_free(p);
    fixture_free(f);
}

static size_t held_for(const struct open_chunk *c)
{
    size_t n = sizeof(*c);

    for (const struct kept_block *b = c->lines.first; b; b = b->next)
        n += sizeof(*b) + b->cap;
    return n;
}

/* A quiet function over a year: what is held for a day is small. */
static void test_a_year_in_a_pack(void **state)
{
    enum { DAYS = 365 };
    struct fixture *f = fixture_new();
    const struct store_options nowhere = {.url = STR("null:")};
    struct batch *b = batch_new();
    struct pack *k = NULL;
    struct packer *p;
    size_t held = 0;

    UNUSED(state);
    CHECK_OK(store_open(&nowhere, &f->store, &f->e), &f->e);
    CHECK_OK(packer_new(f->store, &p, &f->e), &f->e);
    for (uint64_t i = 0; i < UINT64_C(10) * DAYS;
         i++) /* each day again and again, never two in a row */
        add_line(b, NOON + (int64_t)(i * 7 % DAYS) * NS_PER_DAY, i + 1);
    CHECK_OK(store_pack(p, b, false, &k, &f->e), &f->e);
    CHECK(k == NULL);
    CHECK_INT(p->n_chunks, DAYS);
    for (size_t i = CHUNK_SHARDS; i < p->n_chunks; i++)
        held += held_for(&p->chunks[i]);
    CHECK(held < (size_t)DAYS * 6144);
    batch_free(b);
    b = batch_new();
    CHECK_OK(store_pack(p, b, true, &k, &f->e), &f->e);
    CHECK(k != NULL);
    CHECK_INT(k->n_chunks, DAYS);
    CHECK_INT(p->n_chunks, CHUNK_SHARDS);
    pack_free(k);
    batch_free(b);
    packer_free(p);
    fixture_free(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_a_shuffled_day),
    cmocka_unit_test(test_a_year_in_a_pack),
};
TEST_MAIN(tests)

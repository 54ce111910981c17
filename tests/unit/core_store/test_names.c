/* Names of very many environments pass with their attempts: they take no room, and those that were
 * looked at before stay. */
#include "tests/unit/store_fixture.h"

#include "core/store/store_private.h"

#define NOON INT64_C(1768478400000000000) /* 2026-01-15T12:00Z */

enum { ENVIRONMENTS = 20000, NAME_BYTES = 300, MOST_BYTES = 5 << 20 };

static void fill(struct fixture *f)
{
    static const struct fn_ref orders = {PROVIDER_AWS, STR_INIT("1"), STR_INIT("eu-west-1"),
                                         STR_INIT("orders"), NULL};
    struct batch *b = batch_new();

    for (unsigned i = 0; i < ENVIRONMENTS; i++) {
        const struct origin like = {.fn = batch_fn(b, &orders),
                                    .log_group = STR("/g"),
                                    .instance = arena_printf(&b->arena, "%0*u", NAME_BYTES, i)};
        *batch_invocation(b) = (struct invocation){
            .origin = batch_origin(b, &like),
            .id = arena_printf(&b->arena, "%08x-0000-4000-a000-000000000001", i),
            .version = STR("$LATEST"),
            .outcome = OUTCOME_OK,
            .start_ns = NOON + (int64_t)i * NS_PER_MS,
            .attempt = 1,
            .is_final = true};
    }
    fixture_open(f, false);
    fixture_commit(f, b);
    fixture_open(f, true);
}

struct seen {
    struct store *store;
    unsigned n;
    size_t most_bytes;
};

static enum status see(void *ctx, uint32_t fn_id, const struct invocation *inv, struct err *e)
{
    struct seen *s = ctx;
    char name[NAME_BYTES + 1];

    UNUSED(fn_id);
    UNUSED(e);
    snprintf(name, sizeof(name), "%0*u", NAME_BYTES,
             (unsigned)((inv->start_ns - NOON) / NS_PER_MS));
    CHECK(str_eq(inv->origin->instance, str_from(name)));
    CHECK(str_eq(inv->origin->fn->name, STR("orders")));
    const size_t bytes = s->store->names.arena.used_bytes;
    s->most_bytes = bytes > s->most_bytes ? bytes : s->most_bytes;
    s->n++;
    return OK;
}

static struct seen scan(struct fixture *f, bool names_pass)
{
    const struct inv_request q = {.range = {NOON, NOON + NS_PER_HOUR}, .names_pass = names_pass};
    struct seen s = {.store = f->store};

    CHECK_OK(request_scan(f->store, &q, see, &s, &f->e), &f->e);
    CHECK_INT(s.n, ENVIRONMENTS);
    return s;
}

static void test_pass(void **state)
{
    struct fixture *f = fixture_new();

    UNUSED(state);
    fill(f);
    CHECK(scan(f, true).most_bytes <= MOST_BYTES);
    CHECK(f->store->names.arena.used_bytes <= MOST_BYTES);
    CHECK(scan(f, false).most_bytes > MOST_BYTES);
    const struct fn_ref *fn = store_fn(f->store, 1);
    const struct str name = fn->name;
    scan(f, true);
    CHECK(store_fn(f->store, 1) == fn);
    CHECK(str_eq(name, STR("orders")));
    fixture_free(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_pass),
};
TEST_MAIN(tests)

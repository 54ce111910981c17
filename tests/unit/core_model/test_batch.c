/* Batches: functions and origins are unique, appended rows are zeroed and stay, limits count. */
#include "tests/test.h"

#include "core/base/macros.h"
#include "core/model/batch.h"

static void test_fn_is_unique(void **state)
{
    UNUSED(state);
    struct batch *b = batch_new();
    char name[] = "checkout";
    const struct fn_ref like = {PROVIDER_AWS, STR("1"), STR("eu-west-1"), {name, 8}, NULL};
    const struct fn_ref other = {PROVIDER_AWS, STR("1"), STR("eu-west-2"), {name, 8}, NULL};
    const struct fn_ref *f = batch_fn(b, &like);
    const struct fn_ref *g = batch_fn(b, &other);
    CHECK(f != g && f != &like);
    CHECK(batch_fn(b, &like) == f && batch_fn(b, &like) == f && batch_fn(b, &other) == g);
    name[0] = 'X'; /* strings were copied */
    CHECK_STR(f->name, STR("checkout"));
    CHECK(fn_eq(f, f) && !fn_eq(f, g));
    batch_free(b);
}

static void test_origin_is_unique(void **state)
{
    UNUSED(state);
    struct batch *b = batch_new();
    const struct fn_ref fn = {PROVIDER_AWS, STR(""), STR(""), STR("f"), NULL};
    struct origin like = {.fn = &fn, .log_group = STR("/aws/lambda/f"), .instance = STR("s1")};
    const struct origin *o = batch_origin(b, &like);
    CHECK(o->fn != &fn && fn_eq(o->fn, &fn));
    CHECK_INT(o->hash, origin_hash(&like));
    CHECK(batch_origin(b, &like) == o);
    like.version = STR("2");
    const struct origin *v = batch_origin(b, &like);
    CHECK(v != o && v->fn == o->fn && v->hash != o->hash);
    like.version = STR("");
    CHECK(batch_origin(b, &like) == o);
    batch_free(b);
}

static void test_many_origins(void **state)
{
    UNUSED(state);
    enum { N = 1500 };
    struct batch *b = batch_new();
    const struct origin *seen[N];
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < N; i++) {
            char text[32];
            const int n = snprintf(text, sizeof(text), "stream-%zu", i);
            const struct fn_ref fn = {PROVIDER_AWS, STR(""), STR(""), {text, (size_t)n}, NULL};
            const struct origin like = {.fn = &fn, .instance = {text, (size_t)n}};
            const struct origin *o = batch_origin(b, &like);
            if (pass == 0)
                seen[i] = o;
            CHECK(seen[i] == o && origin_eq(o, &like));
        }
    CHECK_INT(b->origins.count, N);
    CHECK_INT(b->fns.count, N);
    batch_free(b);
}

static void test_hash_parts_do_not_run_together(void **state)
{
    UNUSED(state);
    const struct fn_ref a = {PROVIDER_AWS, STR("ab"), STR("c"), STR("f"), NULL};
    const struct fn_ref b = {PROVIDER_AWS, STR("a"), STR("bc"), STR("f"), NULL};
    CHECK(fn_hash(&a) != fn_hash(&b));
    const struct fn_ref c = {PROVIDER_GCP, STR("ab"), STR("c"), STR("f"), NULL};
    CHECK(fn_hash(&a) != fn_hash(&c));
}

static void test_rows_are_zeroed(void **state)
{
    UNUSED(state);
    struct batch *b = batch_new();
    batch_expect_like(b, &(struct batch){.n_records = 300, .n_origins = 3, .n_fns = 2});
    for (size_t i = 0; i < 1000; i++) {
        struct log_record *r = batch_record(b);
        CHECK(r->body.p == NULL && r->time_ns == 0 && r->platform == NULL);
        r->time_ns = (int64_t)i;
        struct invocation *inv = batch_invocation(b);
        CHECK(inv->cost == 0 && !inv->is_priced);
        inv->start_ns = (int64_t)i;
        CHECK(batch_instance_event(b)->time_ns == 0);
    }
    CHECK_INT(b->n_records, 1000);
    CHECK_INT(b->n_invocations, 1000);
    CHECK_INT(b->n_instance_events, 1000);
    for (size_t i = 0; i < 1000; i++) {
        CHECK_INT(b->records[i].time_ns, i);
        CHECK_INT(b->invocations[i].start_ns, i);
    }
    CHECK_INT(batch_config(b)->reserved_concurrency, -1);
    batch_free(b);
    batch_free(NULL);
}

static void test_quarantine_and_cursor(void **state)
{
    UNUSED(state);
    struct batch *b = batch_new();
    char raw[BATCH_MAX_RAW + 10];
    memset(raw, 'x', sizeof(raw));
    for (int i = 0; i < BATCH_MAX_QUARANTINE + 5; i++)
        batch_quarantine(b, STR("a.json:1"), STR("no JSON"), (struct str){raw, sizeof(raw)});
    raw[0] = 'y';
    CHECK_INT(b->n_quarantine, BATCH_MAX_QUARANTINE);
    CHECK_INT(b->counts.quarantined, BATCH_MAX_QUARANTINE + 5);
    CHECK_INT(b->quarantine[0].raw.n, BATCH_MAX_RAW);
    CHECK_INT(b->quarantine[0].raw.p[0], 'x');
    char token[] = "t1";
    batch_cursor(b, &(struct cursor){STR("import"), STR("a.json"), {token, 2}, 7});
    token[0] = 'z';
    CHECK_STR(b->cursors[0].token, STR("t1"));
    CHECK_INT(b->cursors[0].watermark_ns, 7);
    batch_free(b);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_fn_is_unique),    cmocka_unit_test(test_origin_is_unique),
    cmocka_unit_test(test_many_origins),    cmocka_unit_test(test_hash_parts_do_not_run_together),
    cmocka_unit_test(test_rows_are_zeroed), cmocka_unit_test(test_quarantine_and_cursor),
};
TEST_MAIN(tests)

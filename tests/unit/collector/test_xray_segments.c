/* Segment documents of X-Ray as spans. */
#include "tests/test.h"

#include "collector/aws/xray_segments.h"
#include "core/base/file.h"
#include "core/base/json.h"

static const struct fn_ref account = {
    PROVIDER_AWS, STR_INIT("123456789012"), STR_INIT("eu-west-1"), {0}, NULL};
#define TRACE STR("1-64de5a99-5d09aa705e56bbd0152548cb")

static bool read_one(struct batch *b, const char *text)
{
    return xray_segment(str_from(text), TRACE, &account, b);
}

/* What BatchGetTraces answers, as AWS documents it. */
static void test_sample(void **state)
{
    struct arena a = {0};
    struct json_doc *d;
    AUTO(buf_clear) struct buf text = {.max = 1 << 20};
    struct str document;
    struct err e = {0};
    struct batch *b = batch_new();

    UNUSED(state);
    CHECK_OK(file_read(TESTS_DIR "/data/aws/api/xray.BatchGetTraces.json", &text, &e), &e);
    CHECK_OK(json_parse(buf_str(&text), &d, &e), &e);
    const struct json *segments =
        json_get(json_at(json_get(json_root(d), "Traces"), 0), "Segments");
    for (size_t i = 0; i < json_count(segments); i++) {
        CHECK(json_str(json_get(json_at(segments, i), "Document"), &document));
        CHECK(xray_segment(document, TRACE, &account, b));
    }
    CHECK_INT(b->n_spans, 6);
    CHECK_STR(b->spans[0].id, STR("3705e19822f3db45"));
    CHECK_STR(b->spans[0].parent_id, STR("60af780ecc5b639d"));
    CHECK_STR(b->spans[0].of.name, STR("sam-ts-app-z-NewOrderConsumerFunction-Qqv4wKsAxhOi"));
    CHECK_STR(b->spans[0].of.region, STR("eu-west-1"));
    CHECK_INT(b->spans[0].start_ns, INT64_C(1692293788127201000));
    CHECK_INT(b->spans[0].end_ns, INT64_C(1692293788775321200));
    CHECK_STR(b->spans[1].name, STR("Initialization"));
    CHECK_STR(b->spans[1].parent_id, b->spans[0].id);
    CHECK_STR(b->spans[4].detail, STR("PutEvents"));
    CHECK_INT(b->spans[4].http_status, 200);
    CHECK_STR(b->spans[4].parent_id, b->spans[3].id);
    CHECK_INT(b->spans[4].request_id.n, 0); /* of the service called */
    CHECK_STR(b->spans[4].of.name, b->spans[0].of.name);
    CHECK_STR(b->spans[5].request_id, STR("7e4b7d0e-7c3c-4d5e-9d57-2f2f7d8b9a10"));
    CHECK_STR(b->spans[5].trace_id, TRACE);
    CHECK_INT(b->spans[5].start_ns, INT64_C(1692293787500000000));
    json_doc_free(d);
    batch_free(b);
    arena_clear(&a);
}

static void test_outcomes(void **state)
{
    struct batch *b = batch_new();

    UNUSED(state);
    CHECK(read_one(
        b,
        "{\"subsegments\":[{\"id\":\"2\",\"start_time\":2.5,\"in_progress\":true,\"name\":\"x\","
        "\"namespace\":\"remote\",\"http\":{\"request\":{\"method\":\"GET\","
        "\"url\":\"https://h/p?token=secret\"}}},"
        "{\"id\":\"3\",\"start_time\":2,\"end_time\":2.25,\"throttle\":true,\"error\":true,"
        "\"fault\":false,\"aws\":{\"operation\":\"PutItem\",\"table_name\":\"orders\"}}],"
        "\"annotations\":{\"tenant\":\"a\",\"n\":3},\"metadata\":{\"card\":\"4111\"},"
        "\"cause\":{\"exceptions\":[{\"message\":\"no\",\"type\":\"ValueError\"}]},\"fault\":true,"
        "\"id\":\"1\",\"name\":\"f\",\"start_time\":2,\"end_time\":3,\"origin\":\"AWS::Lambda\"}"));
    CHECK_INT(b->n_spans, 3);
    CHECK_STR(b->spans[0].error, STR("ValueError: no"));
    CHECK_STR(b->spans[0].annotations, STR("{\"tenant\":\"a\",\"n\":3}"));
    CHECK_STR(str_from(span_state(&b->spans[0])), STR("fault"));
    CHECK_STR(b->spans[1].detail, STR("GET https://h/p"));
    CHECK_STR(str_from(span_state(&b->spans[1])), STR("open"));
    CHECK_INT(b->spans[1].end_ns, 0);
    CHECK_STR(b->spans[2].detail, STR("PutItem orders"));
    CHECK_STR(str_from(span_state(&b->spans[2])), STR("throttle"));
    batch_free(b);
}

/* A damaged document adds nothing, wherever the damage is. */
static void test_damaged(void **state)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"id\":\"1\"}",
        "{\"id\":\"1\",\"start_time\":\"now\"}",
        "{\"start_time\":1,\"end_time\":2}",
        "{\"id\":\"1\",\"start_time\":1,\"subsegments\":[{\"id\":\"2\",\"start_time\":1},{}]}",
        "{\"id\":\"1\",\"start_time\":1,\"subsegments\":[7]}",
        "{\"id\":\"1\",\"start_time\":1} x",
        "{\"id\":\"1\",\"start_time\":1,\"aws\":{\"operation\":}}",
        "{\"id\":\"1\",\"start_time\":1e300}",
    };
    struct batch *b = batch_new();

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        CHECK(!read_one(b, texts[i]));
        CHECK_INT(b->n_spans, 0);
    }
    CHECK(read_one(b, "{\"id\":\"1\",\"start_time\":5,\"end_time\":4,\"aws\":7,\"cause\":\"id\"}"));
    CHECK_STR(str_from(span_state(&b->spans[0])),
              STR("open")); /* an end before its start is none */
    batch_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_outcomes),
        cmocka_unit_test(test_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

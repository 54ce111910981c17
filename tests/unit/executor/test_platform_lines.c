/* Lambda's own lines, byte for byte, in both forms. */
#include "tests/test.h"

#include "executor/frame_proto.h"
#include "executor/page_token.h"
#include "executor/platform_lines.h"

static struct fndef fn = {.name = STR_INIT("f"),
                          .arn = STR_INIT("arn:aws:lambda:us-east-1:000000000000:function:f"),
                          .runtime = STR_INIT("python3.11"),
                          .memory_bytes = UINT64_C(128) << 20,
                          .system_level = 1};

static struct platform_facts facts(enum fn_log_format format)
{
    fn.log_format = (int)format;
    return (struct platform_facts){.fn = &fn,
                                   .wall_ns = INT64_C(1761073246222) * NS_PER_MS,
                                   .request_id = STR("cc98d7d8-bd6d-4de2-8c36-2b565485b61d"),
                                   .instance = STR("2025/10/21/[$LATEST]00"),
                                   .phase = STR("init"),
                                   .init_type = STR("on-demand"),
                                   .status = STR("success"),
                                   .duration_ns = 276676400,
                                   .init_ns = 611766000,
                                   .max_memory_bytes = (UINT64_C(89) << 20) + 1};
}

static void check_line(enum platform_line kind, const struct platform_facts *f, const char *want)
{
    struct buf out = {.max = 4096};

    platform_line(&out, kind, f);
    CHECK_STR(buf_str(&out), str_from(want));
    buf_clear(&out);
}

static void test_text(void **state)
{
    struct platform_facts f = facts(LOG_FORMAT_TEXT);

    (void)state;
    static const struct {
        struct str runtime;
        const char *line;
    } runtimes[] = {
        {STR_INIT("nodejs20.x"), "INIT_START Runtime Version: nodejs:20.v1\n"},
        {STR_INIT("provided.al2023"), "INIT_START Runtime Version: provided:al2023.v1\n"},
        {STR_INIT("c"), "INIT_START Runtime Version: c\n"},
        {STR_INIT("python3.11"), "INIT_START Runtime Version: python:3.11.v1\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(runtimes); i++) {
        fn.runtime = runtimes[i].runtime;
        check_line(LINE_INIT_START, &f, runtimes[i].line);
    }
    check_line(LINE_INIT_REPORT, &f, "");
    check_line(LINE_START, &f,
               "START RequestId: cc98d7d8-bd6d-4de2-8c36-2b565485b61d Version: $LATEST\n");
    check_line(LINE_END, &f, "END RequestId: cc98d7d8-bd6d-4de2-8c36-2b565485b61d\n");
    check_line(LINE_REPORT, &f,
               "REPORT RequestId: cc98d7d8-bd6d-4de2-8c36-2b565485b61d\tDuration: 276.68 ms\t"
               "Billed Duration: 889 ms\tMemory Size: 128 MB\tMax Memory Used: 90 MB\t"
               "Init Duration: 611.77 ms\t\n");
    f.init_type = STR("provisioned-concurrency");
    check_line(LINE_REPORT, &f,
               "REPORT RequestId: cc98d7d8-bd6d-4de2-8c36-2b565485b61d\tDuration: 276.68 ms\t"
               "Billed Duration: 277 ms\tMemory Size: 128 MB\tMax Memory Used: 90 MB\t"
               "Init Duration: 611.77 ms\t\n");
    f.init_type = STR("on-demand");
    f.trace_id = STR("1-68f7d85d-0f0bfbbe2ab8f94854bf83a8");
    f.segment_id = STR("9c54e4124923ee8f");
    f.init_ns = 0;
    f.status = STR("timeout");
    f.duration_ns = 3 * NS_PER_SEC;
    check_line(LINE_REPORT, &f,
               "REPORT RequestId: cc98d7d8-bd6d-4de2-8c36-2b565485b61d\tDuration: 3000.00 ms\t"
               "Billed Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 90 MB\t"
               "Status: timeout\t\nXRAY TraceId: 1-68f7d85d-0f0bfbbe2ab8f94854bf83a8\t"
               "SegmentId: 9c54e4124923ee8f\tSampled: true\t\n");
    f.status = STR("error");
    f.error_type = STR("Runtime.ExitError");
    f.duration_ns = 150786000;
    check_line(LINE_INIT_REPORT, &f,
               "INIT_REPORT Init Duration: 150.79 ms\tPhase: init\tStatus: error\t"
               "Error Type: Runtime.ExitError\n");
}

static void test_json(void **state)
{
    struct platform_facts f = facts(LOG_FORMAT_JSON);

    (void)state;
    check_line(LINE_END, &f, "");
    check_line(LINE_INIT_REPORT, &f, "");
    check_line(LINE_RUNTIME_DONE, &f, "");
    check_line(LINE_REPORT, &f,
               "{\"time\":\"2025-10-21T19:00:46.222Z\",\"type\":\"platform.report\",\"record\":{"
               "\"requestId\":\"cc98d7d8-bd6d-4de2-8c36-2b565485b61d\",\"metrics\":{\"durationMs\":"
               "276.676,"
               "\"billedDurationMs\":889,\"memorySizeMB\":128,\"maxMemoryUsedMB\":90,"
               "\"initDurationMs\":611.766},\"status\":\"success\"}}\n");
    fn.system_level = 2;
    check_line(LINE_REPORT, &f, "");
    f.status = STR("error");
    struct buf out = {.max = 4096};
    platform_line(&out, LINE_REPORT, &f);
    CHECK(out.n > 0);
    buf_clear(&out);
    fn.system_level = 1;
}

static void test_billed(void **state)
{
    (void)state;
    CHECK_INT(platform_billed_ms(0, 0), 0);
    CHECK_INT(platform_billed_ms(1, 0), 1);
    CHECK_INT(platform_billed_ms(NS_PER_MS, 0), 1);
    CHECK_INT(platform_billed_ms(NS_PER_MS, 1), 2);
    CHECK_INT(platform_billed_ms(276676400, 611766000), 889);
    CHECK_INT(platform_memory_mb(UINT64_C(200) << 20, UINT64_C(128) << 20), 128);
}

static void test_frames(void **state)
{
    struct buf out = {.max = 1 << 16};
    enum frame_type type;
    struct str payload, field;
    bool is_broken;

    (void)state;
    frame_add(&out, FRAME_READY, (struct str){0});
    frame_add_invoke(&out, &(struct frame_invoke){.deadline_ms = INT64_C(1761073246222),
                                                  .request_id = STR("id"),
                                                  .arn = STR("arn"),
                                                  .event = STR("{}")});
    for (size_t cut = 0; cut < out.n; cut++) {
        struct str in = str_sub(buf_str(&out), 0, cut);
        bool got = frame_next(&in, &type, &payload, &is_broken);
        CHECK(got == (cut >= 5) && !is_broken);
        CHECK(!got || !frame_next(&in, &type, &payload, &is_broken));
    }
    struct str in = buf_str(&out);
    CHECK(frame_next(&in, &type, &payload, &is_broken) && type == FRAME_READY);
    CHECK(frame_next(&in, &type, &payload, &is_broken) && type == FRAME_INVOKE);
    CHECK_INT(in.n, 0);
    payload = str_skip(payload, 8);
    CHECK(frame_field(&payload, &field));
    CHECK_STR(field, STR("id"));
    for (int i = 0; i < 4; i++)
        CHECK(frame_field(&payload, &field));
    CHECK_STR(payload, STR("{}"));
    CHECK(!frame_field(&payload, &field));
    in = (struct str){"\0\0\0\0x", 5};
    CHECK(!frame_next(&in, &type, &payload, &is_broken) && is_broken);
    in = (struct str){"\xff\xff\xff\xffx", 5};
    CHECK(!frame_next(&in, &type, &payload, &is_broken) && is_broken);
    buf_clear(&out);
}

static void test_page_token(void **state)
{
    AUTO(arena_clear) struct arena a = {0};
    struct str key = STR("0123456789abcdef0123456789abcdef");
    struct page_token t = {.a = 5, .b = -7, .query = 9, .made_s = 1000}, got;

    (void)state;
    struct str text = page_token_write(&a, key, &t);
    CHECK_OK(page_token_read(key, text, 9, 1000 + PAGE_TOKEN_LIFE_S, &got, NULL), NULL);
    CHECK_INT(got.a, 5);
    CHECK_INT(got.b, -7);
    CHECK_STATUS(page_token_read(key, text, 8, 1000, &got, NULL), ERR_PARSE);
    CHECK_STATUS(page_token_read(key, text, 9, 1001 + PAGE_TOKEN_LIFE_S, &got, NULL), ERR_PARSE);
    CHECK_STATUS(page_token_read(STR("another key"), text, 9, 1000, &got, NULL), ERR_PARSE);
    for (size_t i = 0; i < text.n; i++) {
        char changed[128];
        memcpy(changed, text.p, text.n);
        changed[i] = changed[i] == '0' ? '1' : '0';
        CHECK_STATUS(page_token_read(key, (struct str){changed, text.n}, 9, 1000, &got, NULL),
                     ERR_PARSE);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_text),   cmocka_unit_test(test_json),       cmocka_unit_test(test_billed),
    cmocka_unit_test(test_frames), cmocka_unit_test(test_page_token),
};
TEST_MAIN(tests)

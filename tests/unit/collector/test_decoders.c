/* File formats: what each decoder makes of its samples, and that the result does not depend on how
 * the input is cut into pieces or where reading is taken up again. */
#include "tests/test.h"

#include "collector/aws/aws.h"
#include "collector/decode.h"
#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/base/rng.h"
#include "tests/unit/collector/decoder_checks.h"

static struct str read_data(const char *name, struct buf *b)
{
    struct err e = {0};
    char path[512];
    snprintf(path, sizeof(path), "%s/data/aws/%s", TESTS_DIR, name);
    buf_init(b, 1 << 20);
    CHECK_OK(file_read(path, b, &e), &e);
    return buf_str(b);
}

static void check_sample(const char *name, const char *decoder, size_t events, size_t bad)
{
    AUTO(buf_clear) struct buf buf;
    struct str text = read_data(name, &buf);

    CHECK_Z(decoder_detect(text)->name, decoder);
    struct batch *b = decode(text);
    if (b->n_records != events || b->n_quarantine != bad)
        print_error("%s\n", name);
    CHECK_INT(b->n_records, events);
    CHECK_INT(b->n_quarantine, bad);
    batch_free(b);
    check_pieces(name, text);
}

static void test_samples(void **state)
{
    UNUSED(state);
    check_sample("api/logs.FilterLogEvents.page1.json", "cloudwatch-json", 2, 0);
    check_sample("api/logs.FilterLogEvents.page2-empty.json", "cloudwatch-json", 0, 0);
    check_sample("api/logs.FilterLogEvents.page3-last.json", "cloudwatch-json", 2, 0);
    check_sample("api/logs.GetLogEvents.end-of-stream.json", "cloudwatch-json", 0, 0);
    check_sample("scenario/proactive-init-2025-10.ndjson", "cloudwatch-json", 13, 0);
    check_sample("scenario/warm-chain-2026-10.ndjson", "cloudwatch-json", 11, 0);
    check_sample("subscription/data-message.json", "subscription", 3, 0);
    check_sample("subscription/control-message.json", "subscription", 0, 0);
    check_sample("subscription/lambda-event.json", "subscription", 3, 0);
    check_sample("subscription/firehose-s3-object.decompressed.txt", "subscription", 6, 0);
    check_sample("platform-json.log", "ndjson", 29, 0);
    check_sample("app-lines.ndjson", "ndjson", 16, 0);
    check_sample("platform-text.log", "text", 66, 0);
}

static void test_filter_log_events(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf buf;
    struct batch *b = decode(read_data("api/logs.FilterLogEvents.page3-last.json", &buf));
    const struct log_record *r = &b->records[1];

    CHECK_INT(r->time_ns, INT64_C(1761073246222000000));
    CHECK_INT(r->seen_ns, INT64_C(1761073250322000000));
    CHECK_STR(r->origin->instance, STR(STREAM));
    CHECK_STR(r->origin->version, STR("$LATEST"));
    CHECK_STR(r->trace_id, STR("1-68f7d85d-0f0bfbbe2ab8f94854bf83a8"));
    CHECK_INT(r->platform->kind, PLATFORM_REPORT);
    CHECK_INT(r->ingested_bytes, r->body.n + 1);
    batch_free(b);
}

static void test_subscription(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf buf;
    struct batch *b = decode(read_data("subscription/firehose-s3-object.decompressed.txt", &buf));

    CHECK_INT(b->counts.control_messages, 1);
    CHECK_STR(b->records[0].origin->fn->name, STR("orders"));
    CHECK_STR(b->records[0].origin->fn->account, STR("123456789012"));
    CHECK_STR(b->records[0].origin->log_group, STR("/aws/lambda/orders"));
    batch_free(b);
    b = decode(STR("{\"logEvents\":[{\"id\":\"1\",\"timestamp\":1761073245945,\"message\":\"m\"}],"
                   "\"logGroup\":\"/aws/lambda/late\",\"logStream\":\"s\","
                   "\"messageType\":\"DATA_MESSAGE\",\"owner\":\"123456789012\"}"));
    CHECK_INT(b->n_records, 1);
    CHECK_STR(b->records[0].origin->fn->name, STR("late"));
    batch_free(b);
}

/* A Firehose event names its stream first; get-records the next iterator. */
static void test_records_behind_other_members(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf buf;
    struct str event = read_data("subscription/lambda-event.json", &buf);
    const size_t at = str_find(event, STR("\"H4s"));
    CHECK(at < event.n);
    struct str packed = str_skip(event, at);
    packed = str_sub(packed, 0, str_find_char(str_skip(packed, 1), '"') + 2);
    static const char *const heads[] = {
        "{\"invocationId\":\"x\",\"deliveryStreamArn\":\"arn\",\"records\":[{\"recordId\":\"1\","
        "\"data\":",
        "{\"NextShardIterator\":\"x\",\"Records\":[{\"SequenceNumber\":\"1\",\"Data\":",
    };
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        AUTO(buf_clear) struct buf text = {.max = 1u << 20};
        buf_addf(&text, "%s" STR_FMT "}]}", heads[i], STR_ARG(packed));
        CHECK_Z(decoder_detect(buf_str(&text))->name, "subscription");
        struct batch *b = decode(buf_str(&text));
        CHECK_INT(b->n_records, 3);
        CHECK_INT(b->n_quarantine, 0);
        batch_free(b);
        check_pieces("records", buf_str(&text));
    }
}

/* What the Telemetry API sends at once; reading can begin again before any of it. */
static void test_telemetry_batches(void **state)
{
    UNUSED(state);
    static const char text[] =
        "[{\"time\":\"2026-10-21T00:00:00.000Z\",\"type\":\"platform.start\",\"record\":{"
        "\"requestId\":"
        "\"8d5958b5-559f-43f3-b278-b71dd7dd0e01\",\"version\":\"$LATEST\"}},"
        "{\"time\":\"2026-10-21T00:00:00.001Z\",\"type\":\"function\",\"record\":\"[WARN] "
        "careful\"}]\n"
        "[ {\"time\":\"2026-10-21T00:00:00.001Z\",\"type\":\"extension\",\"record\":\"hello\"},\n"
        "[{\"time\":\"2026-10-21T00:00:00.002Z\",\"type\":\"platform.runtimeDone\",\"record\":"
        "{\"requestId\":\"8d5958b5-559f-43f3-b278-b71dd7dd0e01\",\"status\":\"success\"}}]\n";
    CHECK_Z(decoder_detect(str_from(text))->name, "ndjson");
    struct batch *b = decode(str_from(text));
    CHECK_INT(b->n_records, 4);
    CHECK_INT(b->n_quarantine, 1); /* the second line has no end */
    CHECK_INT(b->records[0].platform->kind, PLATFORM_START);
    CHECK_INT(b->records[1].severity, SEVERITY_WARN);
    CHECK_STR(b->records[1].message, STR("careful"));
    CHECK_STR(b->records[2].message, STR("hello"));
    CHECK_INT(b->records[3].platform->kind, PLATFORM_RUNTIME_DONE);
    batch_free(b);
    check_pieces("telemetry", str_from(text));
}

/* --- lines --- */

static void test_tail(void **state)
{
    UNUSED(state);
    static const struct expected want[] = {
        {"START RequestId: " ID_A " Version: $LATEST", STREAM, "unknown", T0},
        {"first\nsecond\n\tthird", STREAM, "unknown", T0},
        {"{\n    \"a\": 1\n}", STREAM, "unknown", T0 + 55},
    };
    check_lines("2025-10-21T19:00:45.945000+00:00 " STREAM " START RequestId: " ID_A
                " Version: $LATEST\n"
                "2025-10-21T19:00:45.945000+00:00 " STREAM " first\nsecond\n\tthird\n"
                "2025-10-21T19:00:46+00:00 " STREAM " \n{\n    \"a\": 1\n}\n",
                "tail", want, 3);
    static const struct expected brief[] = {
        {"one", "", "unknown", T0 - 945},
        {"two\n  more", "", "unknown", T0 - 945 + 1000},
    };
    check_lines("2025-10-21T19:00:45 one\n2025-10-21T19:00:46 two\n  more\n", "tail", brief, 2);
    static const struct expected painted[] = {
        {"END RequestId: " ID_A, STREAM, "unknown", T0},
    };
    check_lines("\033[32m2025-10-21T19:00:45.945000+00:00\033[0m \033[36m" STREAM
                "\033[0m END RequestId: " ID_A "\n",
                "tail", painted, 1);
}

static void test_text(void **state)
{
    UNUSED(state);
    static const struct expected tabbed[] = {
        {"START RequestId: " ID_A " Version: 1", STREAM, "orders", T0},
        {"REPORT RequestId: " ID_A "\tDuration: 1.00 ms\nXRAY TraceId: 1-2-3", STREAM, "orders",
         T0 + 1},
        {"2025-10-21T19:00:45.947Z\t" ID_A "\tINFO\tnode", "custom", "pay", T0 + 2},
    };
    check_lines("2025-10-21T19:00:45.945Z\t/aws/lambda/orders\t" STREAM "\tSTART RequestId: " ID_A
                " Version: 1\r\n"
                "2025-10-21T19:00:45.946Z\t/aws/lambda/orders\t" STREAM "\tREPORT RequestId: " ID_A
                "\tDuration: 1.00 ms\nXRAY TraceId: 1-2-3\n"
                "2025-10-21T19:00:45.947Z\t/aws/lambda/pay\tcustom\t2025-10-21T19:00:45.947Z\t" ID_A
                "\tINFO\tnode",
                "text", tabbed, 3);
    static const struct expected exported[] = {
        {"[INFO]\t2025-10-21T19:00:45.946Z\t" ID_A "\tx", "", "unknown", T0},
        {"plain\n\nafter a blank line", "", "unknown", T0 + 1},
    };
    check_lines("2025-10-21T19:00:45.945Z [INFO]\t2025-10-21T19:00:45.946Z\t" ID_A "\tx\n"
                "2025-10-21T19:00:45.946Z plain\n\nafter a blank line\n",
                "text", exported, 2);
    static const struct expected bare[] = {
        {"2025-10-21T19:00:45.945Z\t" ID_A "\tINFO\ta", "", "unknown", T0},
        {"END RequestId: " ID_A, "", "unknown", T0},
        {"REPORT RequestId: " ID_A "\tDuration: 1.00 ms\nXRAY TraceId: 1-2-3", "", "unknown", T0},
        {"[ERROR] KeyError: 'x'\nTraceback (most recent call last):\n  File \"a\"", "", "unknown",
         T0},
        {"2025/10/21 19:00:45 go", "", "unknown", T0 - 945},
    };
    check_lines("2025-10-21T19:00:45.945Z\t" ID_A "\tINFO\ta\nEND RequestId: " ID_A
                "\nREPORT RequestId: " ID_A "\tDuration: 1.00 ms\nXRAY TraceId: 1-2-3\n"
                "[ERROR] KeyError: 'x'\nTraceback (most recent call last):\n  File \"a\"\n"
                "2025/10/21 19:00:45 go\n",
                "text", bare, 5);
}

static void test_csv(void **state)
{
    UNUSED(state);
    static const struct expected console[] = {
        {"START RequestId: " ID_A " Version: 1", "", "unknown", T0},
        {"two\nlines, with \"quotes\"", "", "unknown", T0 + 1},
        {"plain", "", "unknown", T0 + 2},
    };
    check_lines("timestamp,message\n1761073245945,\"START RequestId: " ID_A " Version: 1\n\"\r\n"
                "1761073245946,\"two\nlines, with \"\"quotes\"\"\"\n1761073245947,plain\n",
                "text", console, 3);
    static const struct expected insights[] = {
        {"hello, world", STREAM, "orders", T0},
    };
    check_lines(
        "@timestamp,@message,@logStream,@log\n2025-10-21 19:00:45.945,\"hello, world\"," STREAM
        ",123456789012:/aws/lambda/orders\n",
        "text", insights, 1);
}

/* --- bad input --- */

#define EVENT(ts, message)                                                                         \
    "{\"logStreamName\":\"s\",\"timestamp\":" ts ",\"message\":\"" message "\",\"eventId\":\"" ts  \
    "\"}"

static void check_bad(const char *text, size_t events, size_t bad, const char *reason)
{
    struct str s = str_from(text);
    struct batch *b = decode_from(&aws_cloudwatch_json, s, SIZE_MAX, NULL, NULL);

    if (b->n_records != events || b->n_quarantine != bad) {
        print_error("%s\n", text);
        for (size_t i = 0; i < b->n_quarantine; i++)
            print_error("  " STR_FMT ": " STR_FMT "\n", STR_ARG(b->quarantine[i].place),
                        STR_ARG(b->quarantine[i].reason));
    }
    CHECK_INT(b->n_records, events);
    CHECK_INT(b->n_quarantine, bad);
    if (bad > 0)
        CHECK_STR(b->quarantine[0].reason, str_from(reason));
    batch_free(b);
}

static void test_bad_events(void **state)
{
    UNUSED(state);
#define GOOD EVENT("1761073245945", "good")
    check_bad("{\"events\":[" GOOD "," EVENT("1761073245946", "\\ud800 alone") "," GOOD "]}", 2, 1,
              "a surrogate stands alone");
    check_bad("{\"events\":[" GOOD "," EVENT("1761073245946", "\xFF") "," GOOD "]}", 2, 1,
              "invalid UTF-8");
    check_bad("{\"events\":[" GOOD "," EVENT("99999999999999999999999", "x") "," GOOD "]}", 2, 1,
              "its time is out of range");
    check_bad("{\"events\":[" GOOD "," EVENT("-5", "x") "," GOOD "]}", 2, 1,
              "its time is out of range");
    check_bad("{\"events\":[" GOOD ",{\"timestamp\":1761073245946}," GOOD "]}", 2, 1,
              "an event without message");
    check_bad("{\"events\":[" GOOD ",{\"message\":\"x\"}," GOOD "]}", 2, 1,
              "an event without timestamp");
    check_bad("{\"events\":[" GOOD ",{\"timestamp\":1761073245946,\"message\":7}," GOOD "]}", 2, 1,
              "a member that should be text is not");
    check_bad("{\"events\":[" GOOD ",17,\"x\",null," GOOD "]}", 2, 3, "an event that is no object");
    check_bad("{\"events\":[" GOOD ",{\"timestamp\":1761073245946 \"message\":\"x\"}," GOOD "]}", 2,
              1, "a comma or closing bracket is missing");
    check_bad("{\"events\":[" GOOD ",{\"timestamp\":1,\"message\":\"an odd \"quote\"}," GOOD "]}",
              2, 1, "a comma or closing bracket is missing");
    check_bad("{\"events\":[" GOOD ",{\"timestamp\":1761073245946,\"mess", 1, 1,
              "the text ends inside an event");
    check_bad("{\"events\":[" GOOD ",{\"timest{\"events\":[" GOOD "]}", 2, 1, "a colon is missing");
    check_bad("{\"message\":\"Internal Server Error\"}", 0, 1, "an event without timestamp");
    check_bad("{\"functions\":[]}" GOOD, 1, 1, "a JSON document without log events");
    check_bad("rubbish " GOOD " tail", 1, 2, "text between JSON documents");
    check_bad("{\"events\":{\"a\":1}}", 0, 1, "events that are no array");
    check_bad("{\"nextToken\":nonsense,\"events\":[" GOOD "]}", 1, 1,
              "a word that is no JSON value");
}

static void check_passed(struct str text, size_t events, size_t rows, const char *reason)
{
    static const size_t pieces[] = {1 << 20, (3 << 20) + 7}; /* a file comes in smaller ones */

    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct batch *b = decode_from(&aws_cloudwatch_json, text, pieces[i], NULL, NULL);
        CHECK_INT(b->n_records, events);
        CHECK_INT(b->n_quarantine, rows);
        CHECK_STR(b->quarantine[0].reason, str_from(reason));
        CHECK_INT(b->quarantine[0].raw.n, BATCH_MAX_RAW);
        CHECK_INT(b->counts.quarantined, rows);
        batch_free(b);
    }
}

static void add_large(struct buf *b, const char *before, const char *text, size_t bytes,
                      const char *after)
{
    buf_reset(b);
    buf_add_z(b, before);
    for (const size_t from = b->n; b->n - from < bytes;)
        buf_add_z(b, text);
    buf_add_z(b, after);
}

/* One row with place and size for what is larger than a decoder waits for; the rest is read. */
static void test_passed_in_pieces(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf b;
    const size_t large = 10 << 20;

    buf_init(&b, 16 << 20);
    add_large(&b, "{\"events\":[" GOOD ",{\"timestamp\":1,\"message\":\"",
              "[{\\\"timestamp\\\":1}, ", large, "\"}," GOOD "," GOOD "]}");
    check_passed(buf_str(&b), 3, 1, "an event longer than 8 MB was passed over (10485788 bytes)");
    add_large(&b, "{\"events\":[" GOOD ",{\"timestamp\":1,\"extra\":[", "{\"a\":[\"]\"]},", large,
              "7]}," GOOD "]}");
    check_passed(buf_str(&b), 2, 1, "an event longer than 8 MB was passed over (10485795 bytes)");
    add_large(&b, "{\"events\":[" GOOD ",{\"timestamp\":1,\"message\":\"", "x", large, "");
    check_passed(buf_str(&b), 1, 2, "an event longer than 8 MB was passed over (10485786 bytes)");
    add_large(&b, GOOD "\n", "no JSON at all, ", large, "\n" GOOD);
    check_passed(buf_str(&b), 2, 1, "text between JSON documents (10485761 bytes)");
}

static void test_one_bad_of_many(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf b;
    struct rng rng;

    rng_seed(&rng, 1);
    buf_init(&b, 1 << 20);
    for (int round = 0; round < 300; round++) {
        buf_reset(&b);
        buf_add_z(&b, "{\"events\":[");
        for (int i = 0; i < 20; i++)
            buf_addf(&b,
                     "%s{\"logStreamName\":\"s\",\"timestamp\":17610732459%02d,\"message\":"
                     "\"message %d {[\\\"x\\\"]}\",\"eventId\":\"%d\"}",
                     i > 0 ? "," : "", i, i, i);
        buf_add_z(&b, "],\"searchedLogStreams\":[]}");
        b.p[12 + rng_below(&rng, b.n - 40)] = (char)rng_below(&rng, 256);
        struct batch *whole = decode_from(&aws_cloudwatch_json, buf_str(&b), SIZE_MAX, NULL, NULL);
        if (whole->n_records < 18)
            fail_msg("round %d: only %zu of 20 events: %s", round, whole->n_records, b.p);
        struct batch *cut = decode_from(&aws_cloudwatch_json, buf_str(&b), 37, NULL, NULL);
        if (cut->n_records != whole->n_records)
            print_error("round %d: %s\n", round, b.p);
        same_records(whole, 0, cut);
        batch_free(whole);
        batch_free(cut);
    }
}

static void test_twins_are_kept(void **state)
{
    UNUSED(state);
    struct batch *b = decode(STR("2025-10-21T19:00:45.945Z /same\n2025-10-21T19:00:45.945Z /same\n"
                                 "2025-10-21T19:00:45.946Z /same\n"));
    CHECK_INT(b->n_records, 3);
    CHECK(b->records[0].identity != b->records[1].identity);
    CHECK(b->records[1].identity != b->records[2].identity);
    batch_free(b);
}

/* However many lines are of one time: stored identities are those that stand here. */
static void test_twins_among_many(void **state)
{
    enum { TWINS = 20 };
    AUTO(buf_clear) struct buf b;

    UNUSED(state);
    buf_init(&b, 1 << 16);
    for (int i = 0; i < TWINS; i++)
        buf_addf(&b, "2025-10-21T19:00:45.945Z /same\n2025-10-21T19:00:45.945Z /other%d\n", i / 3);
    struct batch *out = decode(buf_str(&b));
    CHECK_INT(out->n_records, 2 * TWINS);
    for (uint64_t i = 1; i < TWINS; i++) {
        CHECK(out->records[2 * i].identity == str_hash_u64(i, out->records[0].identity));
        if (i % 3 > 0)
            CHECK(out->records[2 * i + 1].identity ==
                  str_hash_u64(i % 3, out->records[2 * (i - i % 3) + 1].identity));
    }
    batch_free(out);
}

/* Threads write out of order: a twin may stand behind a line of another time. */
static void test_twins_behind_other_times(void **state)
{
    UNUSED(state);
    struct batch *b =
        decode(STR("2025-10-21T19:00:45.945Z /same\n2025-10-21T19:00:45.946Z /other\n"
                   "2025-10-21T19:00:45.945Z /same\n2025-10-21T19:00:45.945Z /same\n"
                   "2025-10-21T19:00:45.944Z /other\n2025-10-21T19:00:45.946Z /other\n"));
    CHECK_INT(b->n_records, 6);
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < i; k++)
            CHECK(b->records[i].identity != b->records[k].identity);
    batch_free(b);
}

static void test_invalid_utf8(void **state)
{
    UNUSED(state);
    struct batch *b = decode(STR("2025-10-21T19:00:45.945Z a\xFF\xC0z\n"));
    CHECK_INT(b->n_records, 1);
    CHECK_STR(b->records[0].body, STR("a\xEF\xBF\xBD\xEF\xBF\xBDz"));
    CHECK_INT(b->counts.invalid_utf8, 1);
    batch_free(b);
}

static void test_long_event(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf b;
    buf_init(&b, 32 << 20);
    buf_add_z(&b, "2025-10-21T19:00:45.945Z ");
    buf_add_repeat(&b, 'x', EVENT_MAX_BYTES);
    buf_add_z(&b, "\n2025-10-21T19:00:45.946Z ");
    buf_add_repeat(&b, 'y', EVENT_MAX_BYTES + 1);
    buf_add_z(&b, "\n2025-10-21T19:00:45.947Z z\n");
    struct batch *out = decode_from(decoder_detect(buf_str(&b)), buf_str(&b), 1 << 20, NULL, NULL);
    CHECK_INT(out->n_records, 3);
    CHECK_INT(out->records[0].body.n, EVENT_MAX_BYTES);
    CHECK_INT(out->records[1].body.n, EVENT_MAX_BYTES);
    CHECK_INT(out->n_quarantine, 1);
    batch_free(out);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_filter_log_events),
        cmocka_unit_test(test_subscription),
        cmocka_unit_test(test_records_behind_other_members),
        cmocka_unit_test(test_telemetry_batches),
        cmocka_unit_test(test_tail),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_bad_events),
        cmocka_unit_test(test_one_bad_of_many),
        cmocka_unit_test(test_passed_in_pieces),
        cmocka_unit_test(test_twins_are_kept),
        cmocka_unit_test(test_twins_among_many),
        cmocka_unit_test(test_twins_behind_other_times),
        cmocka_unit_test(test_invalid_utf8),
        cmocka_unit_test(test_long_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

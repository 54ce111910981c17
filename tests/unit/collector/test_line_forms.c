/* Forms of input that other tools and --query make: prefixes of lines that messages may have, too,
 * arrays without names, batches of the Telemetry API over several lines. */
#include "tests/unit/collector/decoder_checks.h"

#include "collector/line_prefix.h"

/* Prefixes that messages may have, too: platform lines behind them prove them. */
static void test_loose_prefixes(void **state)
{
    UNUSED(state);
#define REPORT_A "REPORT RequestId: " ID_A "\tDuration: 1.00 ms\tBilled Duration: 2 ms"
    static const struct expected tabbed[] = {
        {"START RequestId: " ID_A " Version: 1", "", "unknown", T0},
        {"INFO\tmodule\ttext\n  more", "", "unknown", T0 + 1},
        {"2025-10-21T19:00:45.946Z\t" ID_A "\tINFO\tnode", "", "unknown", T0 + 1},
        {REPORT_A, "", "unknown", T0 + 2},
    };
    check_lines("2025-10-21T19:00:45.945Z\tSTART RequestId: " ID_A " Version: 1\n"
                "2025-10-21T19:00:45.946Z\tINFO\tmodule\ttext\n  more\n"
                "2025-10-21T19:00:45.946Z\t2025-10-21T19:00:45.946Z\t" ID_A "\tINFO\tnode\n"
                "2025-10-21T19:00:45.947Z\t" REPORT_A "\n",
                "text", tabbed, 4);
    check_lines("1761073245945\tSTART RequestId: " ID_A " Version: 1\n\n"
                "1761073245946\tINFO\tmodule\ttext\n  more\n\n"
                "1761073245946\t2025-10-21T19:00:45.946Z\t" ID_A "\tINFO\tnode\n\n"
                "1761073245947\t" REPORT_A "\n",
                "text", tabbed, 4);
    static const struct expected spaced[] = {
        {"START RequestId: " ID_A " Version: 1", "", "unknown", T0},
        {"plain", "", "unknown", T0 + 1},
        {REPORT_A, "", "unknown", T0 + 2},
    };
    check_lines("2025-10-21 19:00:45.945 START RequestId: " ID_A
                " Version: 1\n2025-10-21 19:00:45.946 plain\n2025-10-21 19:00:45.947 " REPORT_A
                "\n",
                "text", spaced, 3);
    check_lines("1761073245.945 START RequestId: " ID_A " Version: 1\n1761073245.946 plain\n"
                "1761073245.947 " REPORT_A "\n",
                "text", spaced, 3);
    static const struct expected placed[] = {
        {"START RequestId: " ID_A " Version: 1", STREAM, "orders", T0 - 945},
        {"END RequestId: " ID_A, STREAM, "orders", T0 - 945},
    };
    check_lines("2025-10-21 19:00:45\t/aws/lambda/orders\t" STREAM "\tSTART RequestId: " ID_A
                " Version: 1\n2025-10-21 19:00:45\t/aws/lambda/orders\t" STREAM
                "\tEND RequestId: " ID_A "\n",
                "text", placed, 2);
    static const struct expected round[] = {
        {"START RequestId: " ID_A " Version: 1", STREAM, "unknown", T0 - 945},
        {"END RequestId: " ID_A, "custom", "unknown", T0 - 945},
    };
    check_lines("[2025-10-21T21:00:45+02:00] (" STREAM ") START RequestId: " ID_A
                " Version: 1\n[\033[31m2025-10-21T19:00:45Z\033[0m] (\033[37mcustom\033[0m) END "
                "RequestId: " ID_A "\n",
                "text", round, 2);
}

/* Rows of jq's @tsv: all or none of a file's backslashes are escapes. */
static void test_escaped_rows(void **state)
{
    UNUSED(state);
    static const struct expected rows[] = {
        {"START RequestId: " ID_A " Version: 1", STREAM, "unknown", T0},
        {"{\"a\":\"x\\ny\"}", STREAM, "unknown", T0 + 1},
        {"tabs\tand\r\nlines", STREAM, "unknown", T0 + 2},
    };
    check_lines("1761073245945\t" STREAM "\tSTART RequestId: " ID_A " Version: 1\\n\n"
                "1761073245946\t" STREAM "\t{\"a\":\"x\\\\ny\"}\\n\n"
                "1761073245947\t" STREAM "\ttabs\\tand\\r\\nlines\\n\n",
                "text", rows, 3);
    static const struct expected plain[] = {
        {"START RequestId: " ID_A " Version: 1", STREAM, "unknown", T0},
        {"quoted: \\\"x", STREAM, "unknown", T0 + 1},
        {"a path: C:\\new\\temp\\n", STREAM, "unknown", T0 + 2},
    };
    check_lines("1761073245945\t" STREAM "\tSTART RequestId: " ID_A " Version: 1\n"
                "1761073245946\t" STREAM "\tquoted: \\\"x\n"
                "1761073245947\t" STREAM "\ta path: C:\\new\\temp\\n\n",
                "text", plain, 3);
}

/* A function that prints such lines does not change the form of its file. */
static void test_printed_prefixes(void **state)
{
    UNUSED(state);
    static const struct expected bare[] = {
        {"2025-10-21 19:00:45.945 START RequestId: " ID_B " Version: 1", "", "unknown", T0},
        {"START RequestId: " ID_A " Version: 1", "", "unknown", T0},
        {"2025-10-21 19:00:45.945 REPORT RequestId: " ID_B, "", "unknown", T0},
        {"END RequestId: " ID_A, "", "unknown", T0},
    };
    check_lines("2025-10-21 19:00:45.945 START RequestId: " ID_B " Version: 1\n"
                "START RequestId: " ID_A " Version: 1\n"
                "2025-10-21 19:00:45.945 REPORT RequestId: " ID_B "\nEND RequestId: " ID_A "\n",
                "text", bare, 4);
}

/* Where many functions write into one group, the stream says which it was. */
static void test_shared_group(void **state)
{
    UNUSED(state);
    static const struct expected shared[] = {
        {"one", "2025/10/21/pay[$LATEST]5f0c2b7d4e1a49d0a3c8e6b7f9d01234", "pay", T0},
        {"two", STREAM, "shared-logs", T0},
    };
    check_lines("2025-10-21T19:00:45.945Z\t/aws/lambda/shared-logs\t"
                "2025/10/21/pay[$LATEST]5f0c2b7d4e1a49d0a3c8e6b7f9d01234\tone\n"
                "2025-10-21T19:00:45.945Z\t/aws/lambda/shared-logs\t" STREAM "\ttwo\n",
                "text", shared, 2);
}

/* Tab, something, tab: the middle is a stream only behind what a log group may be called. */
static void test_group_names(void **state)
{
    UNUSED(state);
    static const char may_be[] =
        "#-./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

    for (unsigned c = 1; c < 256; c++) {
        char line[80];
        struct raw_event ev = {0};
        if (c == '\t')
            continue;
        const int n =
            snprintf(line, sizeof(line), "2025-10-21T19:00:45.945Z\tgroup%c\ts\tm", (int)c);
        const enum line_form form = prefix_read((struct str){line, (size_t)n}, &ev);
        if ((form == FORM_TABBED) != (strchr(may_be, (int)c) != NULL))
            fail_msg("group%c", (int)c);
    }
}

/* Whatever one byte of a line is. */
static void read_behind(const char *before, const char *changed, size_t n)
{
    struct prefix_memo memo = {0};
    struct raw_event first = {0}, alone = {0}, behind = {0};
    const struct str line = {changed, n};
    const enum line_form form = prefix_read(line, &alone);

    prefix_read_next(&memo, str_from(before), &first);
    CHECK_INT(prefix_read_next(&memo, line, &behind), form);
    if (form == FORM_UNKNOWN)
        return;
    CHECK_INT(behind.time_ns, alone.time_ns);
    CHECK_INT(behind.has_time, alone.has_time);
    CHECK_STR(behind.log_group, alone.log_group);
    CHECK_STR(behind.stream, alone.stream);
    CHECK_STR(behind.body, alone.body);
    CHECK_INT(prefix_read_next(&memo, line, &first), form); /* and once more */
    CHECK_INT(first.time_ns, alone.time_ns);
    CHECK_STR(first.stream, alone.stream);
}

/* Behind another line it reads as it does alone. */
static void test_prefix_behind_another(void **state)
{
    UNUSED(state);
    static const char *const lines[] = {
        "2025-10-21T19:00:45.945Z\t/aws/lambda/pay\t" STREAM "\tm",
        "2025-10-21T19:00:45.945Z\t" STREAM "\tm",
        "2025-10-21T19:00:45.945Z " STREAM " m",
        "2025-10-21T19:00:45.945Z\tgroup\ts\t",
        "2025-10-21T19:00:45Z\tg\ts\t",
        "2025-10-21T19:00:51.000Z\t/aws/lambda/other\t" STREAM "\tm",
        "2025-10-21T19:01:45.945Z\t" STREAM "\tm",
    };

    for (size_t i = 0; i < ARRAY_LEN(lines) * ARRAY_LEN(lines); i++) {
        const char *line = lines[i / ARRAY_LEN(lines)];
        for (size_t at = 0; at < strlen(line); at++)
            for (unsigned c = 0; c < 256; c++) {
                char changed[120];
                memcpy(changed, line, strlen(line) + 1);
                changed[at] = (char)c;
                read_behind(lines[i % ARRAY_LEN(lines)], changed, strlen(line));
            }
    }
}

/* What a stream stands for is known from batch to batch, until the book calls its function
 * otherwise. */
static void test_origins_over_batches(void **state)
{
    UNUSED(state);
    struct event_maker *m = calloc(1, sizeof(*m));
    struct fn_book book = {0};
    struct import_defaults d = {.book = &book};
    const struct decode_input in = {.defaults = &d};
    struct raw_event pay = {.log_group = STR("/aws/lambda/pay"),
                            .stream = STR(STREAM),
                            .body = STR("m"),
                            .time_ns = T0 * 1000000,
                            .has_time = true};
    struct raw_event told = pay;
    struct batch *batches[2] = {0};
    uint64_t identity = 0, hash = 0;

    told.stream = STR("other");
    told.region = STR("eu-west-1");
    fn_book_add(&book, &(struct fn_ref){.provider = PROVIDER_AWS, .name = STR("pay")});
    for (int i = 0; i < 4; i++) {
        struct batch *b = batch_new();
        struct event_maker *other = calloc(1, sizeof(*other));
        pay.time_ns += 1000000;
        event_add(other, &in, &pay, b); /* of the file before */
        event_maker_clear(other);
        free(other);
        b->n_records = 0;
        event_add(m, &in, &pay, b);
        event_add(m, &in, &pay, b);
        const struct origin *o = b->records[0].origin;
        CHECK(o == b->records[1].origin && o == b->origin_list[0]);
        CHECK_STR(o->instance, STR(STREAM));
        CHECK_STR(o->version, STR("$LATEST"));
        CHECK_STR(o->fn->name, STR("pay"));
        CHECK_STR(o->fn->region, i < 2 ? STR("") : STR("eu-west-1"));
        CHECK(o->hash == origin_hash(o) && (hash == 0 || o->hash == hash));
        CHECK(b->records[0].identity != identity);
        identity = b->records[0].identity;
        hash = o->hash;
        if (i == 1)
            event_add(m, &in, &told, b);
        batch_free(batches[i % 2]);
        batches[i % 2] = b; /* the one before is still there */
    }
    batch_free(batches[0]);
    batch_free(batches[1]);
    event_maker_clear(m);
    free(m);
    fn_book_clear(&book);
}

/* --- JSON without names around it --- */

static void test_query_arrays(void **state)
{
    UNUSED(state);
    static const struct expected pairs[] = {
        {"START RequestId: " ID_A " Version: 1", "", "unknown", T0},
        {"[1, \"x\"]", STREAM, "unknown", T0 + 1},
    };
    check_lines("[\n    [\n        1761073245945,\n        \"START RequestId: " ID_A
                " Version: 1\\n\"\n    ],\n    [\n        1761073245946,\n        \"" STREAM
                "\",\n        \"[1, \\\"x\\\"]\\n\"\n    ]\n]\n",
                "cloudwatch-json", pairs, 2);
    check_lines("[[1761073245945,\"START RequestId: " ID_A " Version: 1\"],[1761073245946,\"" STREAM
                "\",\"[1, \\\"x\\\"]\"]]",
                "cloudwatch-json", pairs, 2);
    struct batch *b = decode(STR("[[1761073245945,\"a\"],[\"no time\"],17,[1761073245946,\"b\"]]"));
    CHECK_INT(b->n_records, 2);
    CHECK_INT(b->n_quarantine, 2);
    batch_free(b);
}

static void test_pretty_telemetry(void **state)
{
    UNUSED(state);
    static const char text[] =
        "[\n  {\n    \"time\": \"2025-10-21T19:00:45.945Z\",\n    \"type\": \"platform.start\",\n"
        "    \"record\": {\n      \"requestId\": \"" ID_A "\",\n      \"version\": \"1\"\n    }\n"
        "  },\n  {\n    \"type\": \"function\",\n    \"record\": \"hello\",\n"
        "    \"time\": \"2025-10-21T19:00:45.946Z\"\n  },\n"
        "  {\n    \"time\": \"2025-10-21T19:00:45.947Z\",\n    \"type\": \"what\"\n  }\n]\n";
    CHECK_Z(decoder_detect(str_from(text))->name, "cloudwatch-json");
    struct batch *b = decode(str_from(text));
    CHECK_INT(b->n_records, 2);
    CHECK_INT(b->n_quarantine, 1); /* the last has no record */
    CHECK_INT(b->records[0].platform->kind, PLATFORM_START);
    CHECK_STR(b->records[0].invocation_id, STR(ID_A));
    CHECK_INT(b->records[0].time_ns, T0 * 1000000);
    CHECK_STR(b->records[1].message, STR("hello"));
    batch_free(b);
    check_pieces("pretty telemetry", str_from(text));
    static const char rows[] =
        "[\n{\"time\":\"2025-10-21T19:00:45.945Z\",\"type\":\"function\",\"record\":\"a\"},\n"
        "{\"time\":\"2025-10-21T19:00:45.946Z\",\"type\":\"function\",\"record\":\"b\"}\n]\n";
    b = decode(str_from(rows));
    CHECK_INT(b->n_records, 2);
    CHECK_INT(b->n_quarantine, 0);
    batch_free(b);
    check_pieces("telemetry in rows", str_from(rows));
}

/* A time that is refused is no time to lend. */
static void test_refused_time_is_not_lent(void **state)
{
    UNUSED(state);
    struct batch *b = decode(STR("{\"timestamp\":0,\"message\":\"m0\",\"logStream\":\"s\"}\n"
                                 "{\"timestamp\":null,\"message\":\"m1\",\"logStream\":\"s\"}\n"));

    CHECK_INT(b->n_records, 1);
    CHECK_INT(b->n_quarantine, 1);
    CHECK_INT(b->records[0].time_ns, none.now_ns);
    batch_free(b);
    b = decode(STR("START RequestId: " ID_A " Version: 1\n1970-01-01T00:00:00.000Z old\nthen\n"));
    for (size_t i = 0; i < b->n_records; i++)
        CHECK(b->records[i].time_ns == none.now_ns);
    batch_free(b);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_loose_prefixes),        cmocka_unit_test(test_escaped_rows),
    cmocka_unit_test(test_printed_prefixes),      cmocka_unit_test(test_group_names),
    cmocka_unit_test(test_prefix_behind_another), cmocka_unit_test(test_origins_over_batches),
    cmocka_unit_test(test_shared_group),          cmocka_unit_test(test_query_arrays),
    cmocka_unit_test(test_pretty_telemetry),      cmocka_unit_test(test_refused_time_is_not_lent),
};
TEST_MAIN(tests)

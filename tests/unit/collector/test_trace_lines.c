/* Raw text has no borders of events: what the lines of each sample decode to between the platform's
 * lines must be the same one event as in an export that has borders. */
#include "tests/unit/collector/decoder_checks.h"

#include "collector/generic/generic.h"
#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/base/jsonpull.h"

#define START_A "START RequestId: " ID_A " Version: $LATEST\n"
#define END_A   "END RequestId: " ID_A "\n"

/* The sample between START and END: one record, its text whole. */
static bool is_whole(struct str sample)
{
    AUTO(buf_clear) struct buf text = {.max = 1u << 20};

    buf_add_z(&text, START_A);
    buf_add_str(&text, sample);
    buf_add_z(&text, "\n" END_A);
    struct batch *b = decode_from(&generic_text, buf_str(&text), SIZE_MAX, NULL, NULL);
    const bool is =
        b->n_records == 3 && str_eq(str_trim_right(b->records[1].body), str_trim_right(sample));
    batch_free(b);
    return is;
}

/* Samples of which bare lines cannot tell that they are one event, or that are several. */
static bool is_no_single(struct str sample)
{
    static const char *const parts[] = {
        "multi\nline\nmessage",
        "line one\nline two",
        "boom\nsecond line",
        "Position: 15",
        "two\nlines",
        "one\ntwo",
        "\nnull",
        "\nthread '",
        "extension\nstack",
        "Extension.Crash\nextension",
        "REPORT RequestId: 8d5958b5-559f-43f3-b278-b71dd7dd0e01\n",
        "\nEND RequestId: ",
        "\nREPORT RequestId: ",
        "}\n{\"level\"",
    };

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (str_find(sample, str_from(parts[i])) < sample.n)
            return true;
    return false;
}

static void test_samples_stay_whole(void **state)
{
    UNUSED(state);
    AUTO(buf_clear) struct buf all = {.max = 1u << 20};
    struct err e = {0};
    size_t cut = 0;

    CHECK_OK(file_read(TESTS_DIR "/data/aws/more-lines.txt", &all, &e), &e);
    for (struct str rest = buf_str(&all); rest.n > 0;) {
        struct str line = str_cut(&rest, '\n'), sample;
        if (line.n == 0 || line.p[0] != '"')
            continue;
        struct batch *b = batch_new();
        struct jp j;
        jp_init(&j, line, &b->arena);
        CHECK(jp_string(&j, &sample));
        if (str_trim(sample).n > 0 && is_whole(sample) == is_no_single(sample)) {
            print_error("cut: " STR_FMT "\n", STR_ARG(line));
            cut++;
        }
        batch_free(b);
    }
    CHECK_INT(cut, 0);
}

/* Nothing goes on with a platform line but its own second line. */
static void test_platform_stays_alone(void **state)
{
    UNUSED(state);
    static const struct expected want[] = {
        {"START RequestId: " ID_A " Version: $LATEST", "", "unknown", 1700000000000},
        {" WARN Lambda runtime invoke{requestId=\"" ID_A "\"}: app: careful", "", "unknown",
         1700000000000},
        {" INFO app: next", "", "unknown", 1700000000000},
        {"END RequestId: " ID_A, "", "unknown", 1700000000000},
        {"  indented", "", "unknown", 1700000000000},
        {"REPORT RequestId: " ID_A "\tDuration: 1.00 ms\tBilled Duration: 2 ms\nXRAY TraceId: 1-2",
         "", "unknown", 1700000000000},
        {"XRAY TraceId: printed", "", "unknown", 1700000000000},
    };
    check_lines(START_A " WARN Lambda runtime invoke{requestId=\"" ID_A "\"}: app: careful\n"
                        " INFO app: next\n" END_A "  indented\nREPORT RequestId: " ID_A
                        "\tDuration: 1.00 ms\tBilled Duration: 2 ms\nXRAY TraceId: 1-2\n"
                        "XRAY TraceId: printed\n",
                "text", want, ARRAY_LEN(want));
}

/* Lines that only begin like a part of a trace are events of their own. */
static void test_prose_stays_apart(void **state)
{
    UNUSED(state);
    static const char *const lines[] = {
        "5 x f()",
        "INFO: hello",
        "PHP is nice",
        "#1 thing",
        "#0 step()",
        "pay",
        "at checkout (ok)",
        "at 10:30 (late)",
        "] done",
        ") smile",
        "} else it ends",
        "** (note) hi",
        "Caused by: bad luck",
        "... 3 apples",
        "goroutine pools are fine",
        "Node.js versions",
        "Suppressed: 3 mails",
        "May 5 we met at 10 PM somewhere",
        "INFO: later",
    };
    AUTO(buf_clear) struct buf text = {.max = 1u << 16};

    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        buf_addf(&text, "%s\n", lines[i]);
    struct batch *b = decode(buf_str(&text));
    for (size_t i = 0; i < b->n_records && i < ARRAY_LEN(lines); i++)
        CHECK_STR(b->records[i].body, str_from(lines[i]));
    CHECK_INT(b->n_records, ARRAY_LEN(lines));
    batch_free(b);
}

/* The same openings with all of their shape go on, also where the indent is lost. */
static void test_traces_go_on(void **state)
{
    UNUSED(state);
    static const char *const events[] = {
        "2026-01-15 10:00:00 [main] a.App.h()\nERROR: it failed",
        "Jan 15, 2026 10:00:00 AM a.App h\nSEVERE: it failed",
        ("PHP Fatal error:  Uncaught Exception: x in /var/task/a.php:3\nStack trace:\n"
         "#0 /var/task/a.php(9): f()\n#1 [internal function]: g()\n#2 {main}\n  thrown in "
         "/var/task/a.php on line 3"),
        ("ERROR it failed\nat a.B.c(B.java:3)\nat a.B.d(Native Method)\n... 3 more\n"
         "Caused by: a.X: y\nat a.B.e(B.kt)"),
        "call(f, {\n  a: 1,\n});",
        "[\n  1\n],",
        "10:00:00.123 [error] it is\n** (RuntimeError) boom\n    lib/a.ex:1: A.h/1",
        /* What was printed stands behind a line that is no error of a logger. */
        "printed",
        ("Traceback (most recent call last):\n  File \"a.py\", line 3, in h\n    f()\nKeyError: "
         "'a'\n\n"
         "During handling of the above exception, another exception occurred:\n\n"
         "Traceback (most recent call last):\n  File \"a.py\", line 5, in h\n    g()\nValueError: "
         "bad"),
        "[INFO] starting",
        ("  + Exception Group Traceback (most recent call last):\n  |   File \"a.py\", line 3, in "
         "h\n"
         "  | ExceptionGroup: eg (1 sub-exception)\n  +-+---------------- 1 ----------------\n"
         "    | ValueError: 1\n    +------------------------------------"),
        "printed",
        "** (RuntimeError) boom\n    lib/a.ex:1: A.h/1",
        "a.b.StateException: outer\nsecond line\nthird line\n\tat a.B.c(B.java:3)",
        "a.b.StateException: caught",
        "line",
        "a.b.OtherException: caught, too\n\tat a.B.c(B.java:3)",
        ("Jan 15, 2026 10:00:00 AM a.App h\nSEVERE: it failed\na.b.StateException: x\n"
         "\tat a.B.c(B.java:3)"),
        ("SIGSEGV: segmentation violation\nPC=0x0 m=0 sigcode=1\nsignal arrived during cgo "
         "execution\n\n"
         "goroutine 1 [running]:\nmain.f(...)\n\t/tmp/x.go:3\n\nrax    0x0"),
        "2026/01/15 10:00:00 "
        "boom\nmain.f\n\t/tmp/x.go:3\nruntime.goexit\n\t/go/src/runtime/asm.s:1",
        "Error: outer\n\nCaused by:\n    0: mid\n\nLocation:\n    src/main.rs:4:5",
        "Location: here",
    };
    AUTO(buf_clear) struct buf text = {.max = 1u << 16};

    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        buf_addf(&text, "%s\n", events[i]);
    struct batch *b = decode(buf_str(&text));
    for (size_t i = 0; i < b->n_records && i < ARRAY_LEN(events); i++)
        CHECK_STR(b->records[i].body, str_from(events[i]));
    CHECK_INT(b->n_records, ARRAY_LEN(events));
    batch_free(b);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_prose_stays_apart),
    cmocka_unit_test(test_traces_go_on),
    cmocka_unit_test(test_samples_stay_whole),
    cmocka_unit_test(test_platform_stays_alone),
};
TEST_MAIN(tests)

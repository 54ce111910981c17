/* Every value has a name, every name reads back, runtimes' spellings of levels are known. */
#include "tests/test.h"

#include "core/base/macros.h"
#include "core/model/enums.h"

static void test_names_read_back(void **state)
{
    UNUSED(state);
    for (unsigned i = 0; i < OUTCOMES; i++) {
        enum outcome v = OUTCOMES;
        CHECK(outcome_parse(str_from(outcome_name((enum outcome)i)), &v));
        CHECK_INT(v, i);
        CHECK_Z(outcome_names[i], outcome_name((enum outcome)i));
    }
    CHECK(outcome_names[OUTCOMES] == NULL);
    for (unsigned i = 0; i < START_KINDS; i++) {
        enum start_kind v = START_KINDS;
        CHECK(start_kind_parse(str_from(start_kind_name((enum start_kind)i)), &v));
        CHECK_INT(v, i);
    }
    CHECK(start_kind_names[START_KINDS] == NULL);
    for (unsigned i = 0; i < PLATFORM_KINDS; i++) {
        enum platform_kind v = PLATFORM_KINDS;
        CHECK(platform_kind_parse(str_from(platform_kind_name((enum platform_kind)i)), &v));
        CHECK_INT(v, i);
    }
    for (unsigned i = 0; i <= PROVIDER_GENERIC; i++) {
        enum provider v = PROVIDER_UNKNOWN;
        CHECK(provider_parse(str_from(provider_name((enum provider)i)), &v));
        CHECK_INT(v, i);
    }
    for (unsigned i = 0; i <= SEVERITY_FATAL; i++) {
        enum severity v = SEVERITY_UNKNOWN;
        CHECK(severity_parse(str_from(severity_name((enum severity)i)), &v));
        CHECK_INT(v, i);
    }
    for (unsigned i = 0; i <= TRIGGER_OTHER; i++) {
        enum trigger v = TRIGGER_UNKNOWN;
        CHECK(trigger_parse(str_from(trigger_name((enum trigger)i)), &v));
        CHECK_INT(v, i);
    }
    for (unsigned i = 0; i <= ARCH_ARM64; i++) {
        enum arch v = ARCH_UNKNOWN;
        CHECK(arch_parse(str_from(arch_name((enum arch)i)), &v));
        CHECK_INT(v, i);
    }
}

static void test_unknown_values(void **state)
{
    UNUSED(state);
    CHECK_Z(outcome_name((enum outcome)99), "unknown");
    CHECK_Z(provider_name((enum provider)99), "unknown");
    CHECK_Z(platform_kind_name(PLATFORM_KINDS), "unknown");
    enum outcome o = OUTCOME_OOM;
    CHECK(!outcome_parse(STR("OK"), &o));
    CHECK(!outcome_parse(STR(""), &o));
    CHECK_INT(o, OUTCOME_OOM);
    enum arch a = ARCH_ARM64;
    CHECK(!arch_parse(STR("mips"), &a));
    CHECK_INT(a, ARCH_ARM64);
    CHECK(arch_parse(STR("amd64"), &a));
    CHECK_INT(a, ARCH_X86_64);
    CHECK(arch_parse(STR("aarch64"), &a));
    CHECK_INT(a, ARCH_ARM64);
}

static void test_severities(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text;
        enum severity want;
    } rows[] = {
        {"trce", SEVERITY_TRACE},     {"TRACE", SEVERITY_TRACE},      {"dbug", SEVERITY_DEBUG},
        {"Debug", SEVERITY_DEBUG},    {"Information", SEVERITY_INFO}, {"info", SEVERITY_INFO},
        {"WARNING", SEVERITY_WARN},   {"warn", SEVERITY_WARN},        {"fail", SEVERITY_ERROR},
        {"ERROR", SEVERITY_ERROR},    {"crit", SEVERITY_FATAL},       {"Critical", SEVERITY_FATAL},
        {"CRITICAL", SEVERITY_FATAL}, {"FATAL", SEVERITY_FATAL},      {"W", SEVERITY_WARN},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        enum severity v = SEVERITY_UNKNOWN;
        CHECK(severity_parse(str_from(rows[i].text), &v));
        CHECK_INT(v, rows[i].want);
    }
    enum severity v = SEVERITY_INFO;
    CHECK(!severity_parse(STR("loud"), &v));
    CHECK(!severity_parse(STR(""), &v));
    CHECK_INT(v, SEVERITY_INFO);
}

static void test_failures(void **state)
{
    UNUSED(state);
    CHECK(!outcome_is_failure(OUTCOME_OK));
    CHECK(!outcome_is_failure(OUTCOME_UNKNOWN));
    CHECK(outcome_is_failure(OUTCOME_ERROR));
    CHECK(outcome_is_failure(OUTCOME_THROTTLED));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_names_read_back),
    cmocka_unit_test(test_unknown_values),
    cmocka_unit_test(test_severities),
    cmocka_unit_test(test_failures),
};
TEST_MAIN(tests)

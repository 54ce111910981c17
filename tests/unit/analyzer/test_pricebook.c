/* The price book: what the shipped one holds, dates, tiers, fall-back, and refused files. */
#include "tests/test.h"

#include <stdlib.h>
#include <unistd.h>

#include "analyzer/analyzer.h"
#include "core/base/arena.h"
#include "core/base/file.h"
#include "core/base/macros.h"
#include "core/base/timefmt.h"

static int64_t day(const char *text)
{
    int64_t t = 0;
    CHECK_STATUS(time_parse_human(str_from(text), 0, &t, NULL), OK);
    return t;
}

static struct pricebook *shipped(void)
{
    struct err e;
    struct pricebook *book = NULL;
    CHECK_OK(pricebook_load(SOURCE_ROOT "/data/prices", &book, &e), &e);
    return book;
}

static const struct price *row(const struct pricebook *p, const char *meter, const char *region,
                               const char *at)
{
    return pricebook_find(p, PROVIDER_AWS, str_from(meter), str_from(region), day(at));
}

static void test_shipped_prices(void **state)
{
    UNUSED(state);
    static const struct {
        const char *meter, *region;
        int64_t pico;
    } rows[] = {
        {"Lambda-GB-Second", "us-east-1", 16666700},
        {"Lambda-GB-Second-ARM", "us-east-1", 13333400},
        {"Request", "eu-west-1", 200000},
        {"Request", "af-south-1", 270000},
        {"Lambda-GB-Second", "ap-east-1", 22920000},
        {"Lambda-Storage-GB-Second", "eu-central-1", 36700},
        {"Lambda-Provisioned-GB-Second", "sa-east-1", 15486700},
        {"Lambda-Provisioned-Concurrency-ARM", "us-west-2", 3333400},
        {"Lambda-Edge-GB-Second", "ap-northeast-1", 50010000},
        {"Lambda-GB-Second", "cn-north-1", 113477000},
        {"VendedLog-Bytes", "us-east-1", MONEY_UNIT / 2},
        {"API:CW:GMD-Metrics", "us-east-1", 10000000},
        {"API:SQS-Requests", "eu-west-1", 400000},
        {"API:XRay-TracesRead", "us-east-1", 500000},
    };
    struct pricebook *book = shipped();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct price *r = row(book, rows[i].meter, rows[i].region, "2026-11-01");
        CHECK(r != NULL);
        CHECK_INT(r->unit_price, rows[i].pico);
        CHECK(r->source.n > 0 && r->retrieved.n > 0 && r->confidence.n > 0);
    }
    CHECK_STR(row(book, "Lambda-GB-Second", "cn-north-1", "2026-11-01")->currency, STR("CNY"));
    CHECK(row(book, "Lambda-GB-Second-ARM", "ca-west-1", "2026-11-01") == NULL);
    CHECK(row(book, "Lambda-GB-Second", "mars-north-1", "2026-11-01") == NULL);
    CHECK(pricebook_find(book, PROVIDER_GCP, STR("Request"), STR("us-east-1"), day("2026-11-01")) ==
          NULL);
    CHECK_STR(pricebook_date(book, PROVIDER_AWS), STR("2026-09-19"));
    CHECK_STR(pricebook_date(book, PROVIDER_GCP), STR(""));
    pricebook_free(book);
    pricebook_free(NULL);
}

static void test_dates(void **state)
{
    UNUSED(state);
    struct pricebook *book = shipped();
    CHECK(row(book, "VendedLog-Bytes", "us-east-1", "2025-04-30T23:59:59.999Z") == NULL);
    CHECK(row(book, "VendedLog-Bytes", "us-east-1", "2025-05-01") != NULL);
    CHECK(row(book, "DataProcessing-Bytes", "us-east-1", "2020-01-01") != NULL);
    CHECK(row(book, "Lambda-GB-Second-ARM", "us-east-1", "2021-01-01") == NULL);
    CHECK(row(book, "Lambda-GB-Second", "us-east-1", "2014-01-01") == NULL);
    pricebook_free(book);
}

static void test_tiers(void **state)
{
    UNUSED(state);
    const struct price *rows[8];
    struct pricebook *book = shipped();
    size_t n = pricebook_tiers(book, row(book, "Lambda-GB-Second", "us-east-1", "2026-11-01"), rows,
                               ARRAY_LEN(rows));
    CHECK_INT(n, 3);
    CHECK(rows[0]->tier_end == (wide)6000000000 * MONEY_UNIT);
    CHECK_INT(rows[1]->unit_price, 15000000);
    CHECK_INT(rows[2]->unit_price, 13333400);
    CHECK(rows[2]->tier_end == 0);
    n = pricebook_tiers(book, row(book, "Lambda-GB-Second", "eu-west-1", "2026-11-01"), rows,
                        ARRAY_LEN(rows));
    CHECK_INT(n, 3);
    CHECK_STR(rows[0]->confidence, STR("two"));
    CHECK_STR(rows[1]->confidence, STR("inferred"));
    n = pricebook_tiers(book, row(book, "Lambda-GB-Second", "cn-north-1", "2026-11-01"), rows,
                        ARRAY_LEN(rows));
    CHECK_INT(n, 1);
    n = pricebook_tiers(book, row(book, "VendedLog-Bytes", "eu-west-1", "2026-11-01"), rows, 2);
    CHECK_INT(n, 2); /* cut at the room given */
    CHECK_STR(rows[0]->region, STR("*"));
    pricebook_free(book);
}

static void test_iteration(void **state)
{
    UNUSED(state);
    struct pricebook *book = shipped();
    const struct price *r = NULL;
    size_t n = 0, n_regions = 0;
    struct str last = {0};
    for (size_t i = 0; (i = pricebook_each(book, i, &r)) != 0;) {
        n++;
        if (!str_eq(r->region, last) && !str_eq(r->region, STR("*")))
            n_regions++;
        last = r->region;
    }
    CHECK(n > 300);
    CHECK_INT(n_regions, 34);
    pricebook_free(book);
}

#define HEAD "{\"schema\":\"fnscope.prices\",\"version\":1,\"provider\":\"aws\",\"rows\":["
#define ROW                                                                                        \
    "\"meter\":\"m\",\"region\":\"r\",\"unit\":\"u\",\"currency\":\"USD\",\"source\":\"s\","       \
    "\"retrieved\":\"2026\",\"confidence\":\"one\","
#define SINCE "\"valid_from\":\"2026-01-01\","

static void check_refused(const char *dir, const char *text, const char *message)
{
    struct err e;
    struct pricebook *book = NULL;
    char path[300];
    snprintf(path, sizeof(path), "%s/a.json", dir);
    CHECK_OK(file_write(path, str_from(text), 0600, &e), &e);
    const enum status s = pricebook_load(dir, &book, &e);
    CHECK(book == NULL);
    CHECK_INT(s, ERR_PARSE);
    if (strstr(e.msg, message) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", e.msg, message);
    CHECK(strstr(e.msg, "price book") != NULL);
}

static void test_refused_files(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"{", "price book"},
        {"[]", "schema"},
        {"{\"schema\":\"fnscope.prices\",\"version\":2}", "newer"},
        {"{\"schema\":\"fnscope.prices\",\"version\":1,\"provider\":\"x\"}", "provider"},
        {HEAD "{" ROW SINCE "\"tiers\":[{\"from\":\"-5\",\"price\":\"1\"}]}]}", "from"},
        {HEAD "{" ROW SINCE "\"tiers\":[{\"from\":\"0\",\"to\":\"0\",\"price\":\"1\"}]}]}", "to"},
        {HEAD "{" ROW SINCE "\"tiers\":[{\"from\":\"0\",\"price\":1}]}]}", "no text"},
        {HEAD "{}]}", "row 1"},
        {HEAD "{" ROW SINCE "\"tiers\":[]}]}", "tiers"},
        {HEAD "{" ROW "\"valid_from\":\"soon\",\"tiers\":[]}]}", "valid_from"},
        {HEAD "{" ROW SINCE "\"tiers\":[{\"from\":\"0\",\"price\":\"1e-5\"}]}]}", "amount"},
        {HEAD "{" ROW SINCE "\"tiers\":[{\"from\":\"0\",\"price\":\"-1\"}]}]}", "negative"},
        {HEAD "{" ROW SINCE "\"tiers\":[{\"from\":\"5\",\"price\":\"1\"}]}]}", "begin"},
        {HEAD "{" ROW SINCE "\"tiers\":[{\"from\":\"0\",\"price\":\"1\"},"
              "{\"from\":\"5\",\"price\":\"1\"}]}]}",
         "begin"},
        {HEAD "{" ROW SINCE "\"valid_to\":\"2025-01-01\",\"tiers\":[]}]}", "valid_to"},
        {HEAD "{" ROW SINCE "\"tiers\":[{\"from\":\"0\",\"price\":\"1\"}]},"
              "{" ROW "\"valid_from\":\"2026-02-01\","
              "\"tiers\":[{\"from\":\"0\",\"price\":\"2\"}]}]}",
         "overlap"},
    };
    char dir[] = "/tmp/fnscope-prices-XXXXXX";
    char path[300];
    CHECK(mkdtemp(dir) != NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_refused(dir, rows[i].text, rows[i].message);
    snprintf(path, sizeof(path), "%s/a.json", dir);
    CHECK_INT(unlink(path), 0);
    struct err e;
    struct pricebook *book = NULL;
    CHECK_STATUS(pricebook_load(dir, &book, &e), ERR_NOT_FOUND);
    CHECK(strstr(e.msg, "--prices") != NULL);
    CHECK_INT(rmdir(dir), 0);
    CHECK(pricebook_load(dir, &book, &e) != OK);
    CHECK(book == NULL);
}

/* A later price closes the earlier one: each day finds its own. */
static void test_dated_rows(void **state)
{
    UNUSED(state);
    char dir[] = "/tmp/fnscope-prices-XXXXXX";
    char path[300];
    struct err e;
    struct pricebook *book = NULL;
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof(path), "%s/a.json", dir);
    CHECK_OK(file_write(path,
                        STR(HEAD "{" ROW SINCE "\"valid_to\":\"2026-02-01\","
                                 "\"tiers\":[{\"from\":\"0\",\"price\":\"1\"}]},"
                                 "{" ROW "\"valid_from\":\"2026-02-01\","
                                 "\"tiers\":[{\"from\":\"0\",\"to\":\"10\",\"price\":\"2\"},"
                                 "{\"from\":\"10\",\"price\":\"3\"}]}]}"),
                        0600, &e),
             &e);
    CHECK_OK(pricebook_load(dir, &book, &e), &e);
    CHECK(row(book, "m", "r", "2025-12-31") == NULL);
    CHECK_INT(row(book, "m", "r", "2026-01-01")->unit_price, MONEY_UNIT);
    CHECK_INT(row(book, "m", "r", "2026-01-31T23:59:59Z")->unit_price, MONEY_UNIT);
    CHECK_INT(row(book, "m", "r", "2026-02-01")->unit_price, 2 * MONEY_UNIT);
    const struct price *rows[4];
    CHECK_INT(pricebook_tiers(book, row(book, "m", "r", "2026-01-02"), rows, 4), 1);
    CHECK_INT(pricebook_tiers(book, row(book, "m", "r", "2026-02-02"), rows, 4), 2);
    pricebook_free(book);
    CHECK_INT(unlink(path), 0);
    CHECK_INT(rmdir(dir), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_shipped_prices), cmocka_unit_test(test_dates),
    cmocka_unit_test(test_tiers),          cmocka_unit_test(test_iteration),
    cmocka_unit_test(test_refused_files),  cmocka_unit_test(test_dated_rows),
};
TEST_MAIN(tests)

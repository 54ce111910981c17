/* money.c against a slow second implementation: decimal digit arrays, worked by hand. */
#include "tests/test.h"

#include "core/base/macros.h"
#include "core/base/rng.h"
#include "core/model/money.h"

enum { DIGITS = 90 };

/* A non-negative decimal number, lowest digit first. */
struct slow {
    unsigned char d[DIGITS];
};

static struct slow slow_from(wide v)
{
    struct slow s = {{0}};
    for (size_t i = 0; i < DIGITS && v != 0; i++) {
        const int digit = (int)(v % 10);
        s.d[i] = (unsigned char)(digit < 0 ? -digit : digit);
        v /= 10;
    }
    return s;
}

static struct slow slow_mul(const struct slow *a, const struct slow *b)
{
    struct slow r = {{0}};
    for (size_t i = 0; i < DIGITS; i++) {
        unsigned carry = 0;
        for (size_t j = 0; a->d[i] != 0 && i + j < DIGITS; j++) {
            const unsigned v = r.d[i + j] + (unsigned)a->d[i] * b->d[j] + carry;
            r.d[i + j] = (unsigned char)(v % 10);
            carry = v / 10;
        }
    }
    return r;
}

static int slow_cmp(const struct slow *a, const struct slow *b)
{
    for (size_t i = DIGITS; i-- > 0;)
        if (a->d[i] != b->d[i])
            return a->d[i] < b->d[i] ? -1 : 1;
    return 0;
}

static void slow_sub(struct slow *a, const struct slow *b)
{
    int borrow = 0;
    for (size_t i = 0; i < DIGITS; i++) {
        int v = a->d[i] - b->d[i] - borrow;
        borrow = v < 0;
        a->d[i] = (unsigned char)(v < 0 ? v + 10 : v);
    }
}

static void slow_push(struct slow *a, unsigned char digit)
{
    memmove(a->d + 1, a->d, DIGITS - 1);
    a->d[0] = digit;
}

/* School division, rounded half up (the sign is the caller's). */
static struct slow slow_div_round(const struct slow *n, const struct slow *by)
{
    struct slow q = {{0}}, rest = {{0}};
    const struct slow one = {{1}};
    for (size_t i = DIGITS; i-- > 0;) {
        slow_push(&rest, n->d[i]);
        while (slow_cmp(&rest, by) >= 0) {
            slow_sub(&rest, by);
            q.d[i]++;
        }
    }
    struct slow twice = slow_mul(&rest, &(struct slow){{2}});
    if (slow_cmp(&twice, by) < 0)
        return q;
    struct slow up = {{0}};
    unsigned carry = one.d[0];
    for (size_t i = 0; i < DIGITS; i++) {
        up.d[i] = (unsigned char)((q.d[i] + carry) % 10);
        carry = (q.d[i] + carry) / 10;
    }
    return up;
}

static wide random_wide(struct rng *r)
{
    const unsigned bits = (unsigned)rng_below(r, 127);
    wide v = (wide)(rng_u64(r) >> 1) << 64 | (wide)rng_u64(r);
    v >>= 126 - bits;
    return rng_below(r, 2) == 1 ? -v : v;
}

static int64_t random_i64(struct rng *r)
{
    const uint64_t v = rng_u64(r) >> (1 + rng_below(r, 63));
    return rng_below(r, 2) == 1 ? -(int64_t)v : (int64_t)v;
}

static void check_wide(wide got, wide want, const char *what)
{
    if (got == want)
        return;
    struct buf b;
    buf_init(&b, 400);
    buf_add_z(&b, what);
    buf_add_z(&b, ": got ");
    wide_format(&b, got);
    buf_add_z(&b, ", expected ");
    wide_format(&b, want);
    fail_msg("%s", b.p);
}

static void test_div_round_halves(void **state)
{
    UNUSED(state);
    static const struct {
        int64_t a, b, want;
    } rows[] = {{5, 10, 1},    {4, 10, 0},  {-5, 10, -1}, {-4, 10, 0}, {15, 10, 2},
                {-15, 10, -2}, {7, 7, 1},   {0, 3, 0},    {1, 3, 0},   {2, 3, 1},
                {-2, 3, -1},   {25, 10, 3}, {10, 4, 3},   {9, 4, 2}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK_INT(wide_div_round(rows[i].a, rows[i].b), rows[i].want);
    const wide most = (wide)(~(__extension__(unsigned __int128) 0) >> 1);
    check_wide(wide_div_round(most, most), 1, "most by most");
    check_wide(wide_div_round(-most - 1, 1), -most - 1, "least by one");
    check_wide(wide_div_round(most - 1, most), 1, "nearly one");
}

static void test_div_round_random(void **state)
{
    UNUSED(state);
    struct rng r;
    rng_seed(&r, 20260115);
    for (int i = 0; i < 3000; i++) {
        const wide a = random_wide(&r);
        wide b = random_wide(&r);
        if (b < 0)
            b = -b;
        if (b == 0)
            b = 1;
        const struct slow sa = slow_from(a), sb = slow_from(b);
        const struct slow want = slow_div_round(&sa, &sb);
        const struct slow got = slow_from(wide_div_round(a, b));
        CHECK(slow_cmp(&got, &want) == 0);
        CHECK(wide_div_round(-a, b) == -wide_div_round(a, b));
    }
}

static void test_wide_mul_random(void **state)
{
    UNUSED(state);
    struct rng r;
    struct err e;
    int n_refused = 0;
    const wide most = (wide)(~(__extension__(unsigned __int128) 0) >> 1);
    const struct slow limit = slow_from(most);
    rng_seed(&r, 7);
    for (int i = 0; i < 3000; i++) {
        const wide a = random_wide(&r), b = random_wide(&r);
        const struct slow sa = slow_from(a), sb = slow_from(b);
        const struct slow want = slow_mul(&sa, &sb);
        /* 2^126 squared has 76 digits: DIGITS suffice */
        const bool fits = slow_cmp(&want, &limit) <= 0;
        wide got = 42;
        if (!fits) {
            CHECK_STATUS(wide_mul(a, b, &got, &e), ERR_LIMIT);
            CHECK(got == 42);
            n_refused++;
            continue;
        }
        CHECK_OK(wide_mul(a, b, &got, &e), &e);
        const struct slow sg = slow_from(got);
        CHECK(slow_cmp(&sg, &want) == 0);
        CHECK(got == 0 || (got < 0) == ((a < 0) != (b < 0)));
    }
    CHECK(n_refused > 100 && n_refused < 2900);
}

static void test_mul_div_random(void **state)
{
    UNUSED(state);
    struct rng r;
    rng_seed(&r, 99);
    const struct slow limit = slow_from(INT64_MAX);
    for (int i = 0; i < 3000; i++) {
        struct err e;
        const int64_t quantity = random_i64(&r), price = random_i64(&r);
        const int64_t divisor = (int64_t)rng_below(&r, 2000000) + 1;
        const struct slow sq = slow_from(quantity), sp = slow_from(price), sd = slow_from(divisor);
        const struct slow product = slow_mul(&sq, &sp);
        const struct slow want = slow_div_round(&product, &sd);
        money got = 42;
        const enum status s = money_mul_div(quantity, price, divisor, &got, &e);
        if (slow_cmp(&want, &limit) > 0) {
            CHECK_STATUS(s, ERR_LIMIT);
            CHECK_INT(got, 42);
            continue;
        }
        CHECK_OK(s, &e);
        const struct slow sg = slow_from(got);
        CHECK(slow_cmp(&sg, &want) == 0);
    }
}

static void test_mul_div_known(void **state)
{
    UNUSED(state);
    struct err e;
    money m = 0;
    /* 889 ms of 128 MB at 0.0000166667 per GB-s: 0.111125 GB-s x price = 0.00000185208... */
    CHECK_OK(money_mul_div((wide)889 * 128, 16666700, 1024000, &m, &e), &e);
    CHECK_INT(m, 1852087); /* 1852087.0375 */
    const wide huge = (wide)1 << 100;
    CHECK_STATUS(money_mul_div(huge, INT64_MAX, 1, &m, &e), ERR_LIMIT);
    CHECK_INT(m, 1852087);
    CHECK(strstr(e.msg, "quantity times price") != NULL);
}

static void test_ratio(void **state)
{
    UNUSED(state);
    const wide most = (wide)(~(__extension__(unsigned __int128) 0) >> 1);
    check_wide(wide_ratio(7, 5, 2), 18, "35 by 2");
    check_wide(wide_ratio(-7, 5, 2), -18, "-35 by 2");
    check_wide(wide_ratio((wide)1 << 100, (wide)1 << 90, (wide)1 << 95), (wide)1 << 95, "2^95");
    check_wide(wide_ratio(most, 1000, 10), most, "too large");
    check_wide(wide_ratio(-most, 1000, 10), -most, "too small");
}

static void test_add_and_narrow(void **state)
{
    UNUSED(state);
    struct err e;
    money m = 0;
    CHECK_OK(money_add(2, 3, &m, &e), &e);
    CHECK_INT(m, 5);
    CHECK_STATUS(money_add(INT64_MAX, 1, &m, &e), ERR_LIMIT);
    CHECK_STATUS(money_add(INT64_MIN, -1, &m, &e), ERR_LIMIT);
    CHECK_INT(m, 5);
    CHECK_OK(money_narrow(INT64_MIN, &m, &e), &e);
    CHECK_INT(m, INT64_MIN);
}

static void test_round(void **state)
{
    UNUSED(state);
    CHECK_INT(money_round(123456, 12), 123456);
    CHECK_INT(money_round(149, 10), 100);
    CHECK_INT(money_round(150, 10), 200);
    CHECK_INT(money_round(-150, 10), -200);
    CHECK_INT(money_round(MONEY_UNIT / 2, 0), MONEY_UNIT);
    CHECK_INT(money_round(INT64_MAX, 0), INT64_C(9223372) * MONEY_UNIT);
    CHECK_INT(money_round(INT64_MAX, 6), INT64_C(9223372036854000000));
    CHECK_INT(money_round(INT64_MIN, 6), INT64_C(-9223372036854000000));
}

static void test_parse(void **state)
{
    UNUSED(state);
    static const struct {
        const char *text;
        int64_t want;
    } good[] = {
        {"0.0000166667", 16666700},
        {"0", 0},
        {"-0", 0},
        {"1", MONEY_UNIT},
        {"+1.5", MONEY_UNIT * 3 / 2},
        {"-0.000000000001", -1},
        {"0.0000000309", 30900},
        {"0.00000625125", 6251250},
        {"1.0000000000010000", MONEY_UNIT + 1},
        {"0000000000000000000000000000000000000012.00", 12 * MONEY_UNIT},
        {"9223372.036854775807", INT64_MAX},
        {"-9223372.036854775808", INT64_MIN},
    };
    static const char *const bad[] = {"",     "-",     "+",  ".5",   "5.",  "1.0000000000001",
                                      "1e-5", " 1",    "1 ", "0x10", "--1", "1,5",
                                      "$1",   "1.2.3", "NaN"};
    struct err e;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        money m = 77;
        CHECK_OK(money_parse(str_from(good[i].text), &m, &e), &e);
        CHECK_INT(m, good[i].want);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        money m = 77;
        CHECK_STATUS(money_parse(str_from(bad[i]), &m, &e), ERR_PARSE);
        CHECK_INT(m, 77);
    }
    money m = 77;
    CHECK_STATUS(money_parse(STR("9223372.036854775808"), &m, &e), ERR_LIMIT);
    CHECK_STATUS(money_parse(STR("123456789012345678901234567890"), &m, &e), ERR_PARSE);
    CHECK_INT(m, 77);
}

static void check_text(const struct buf *b, const char *want)
{
    CHECK_STR(buf_str(b), str_from(want));
}

static void test_format(void **state)
{
    UNUSED(state);
    static const struct {
        money m;
        unsigned decimals;
        const char *want;
    } rows[] = {
        {0, 2, "0.00"},
        {2333338 * (MONEY_UNIT / 1000000), 2, "2.33"},
        {5000000000, 2, "0.01"},
        {-5000000000, 2, "-0.01"},
        {-4999999999, 2, "0.00"},
        {MONEY_UNIT / 2, 0, "1"},
        {1, 12, "0.000000000001"},
        {INT64_MAX, 12, "9223372.036854775807"},
        {INT64_MIN, 12, "-9223372.036854775808"},
        {INT64_MAX, 0, "9223372"},
        {INT64_C(1234567) * MONEY_UNIT, 4, "1234567.0000"},
    };
    struct buf b;
    buf_init(&b, 200);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_reset(&b);
        money_format(&b, rows[i].m, rows[i].decimals);
        check_text(&b, rows[i].want);
    }
    buf_clear(&b);
}

static void test_format_exact(void **state)
{
    UNUSED(state);
    static const struct {
        money m;
        const char *want;
    } rows[] = {{0, "0.00"},
                {16666700, "0.0000166667"},
                {MONEY_UNIT, "1.00"},
                {MONEY_UNIT / 10, "0.10"},
                {-1, "-0.000000000001"},
                {MONEY_UNIT + MONEY_UNIT / 8, "1.125"}};
    struct buf b;
    buf_init(&b, 200);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_reset(&b);
        money_format_exact(&b, rows[i].m);
        check_text(&b, rows[i].want);
    }
    buf_clear(&b);
}

static void test_format_short(void **state)
{
    UNUSED(state);
    static const struct {
        money m;
        const char *currency, *want;
    } rows[] = {
        {INT64_C(1234560000000000), "USD", "$1,234.56"},
        {INT64_C(1234567890000000000), "USD", "$1,234,567.89"},
        {41200000000, "USD", "$0.0412"},
        {4170600, "USD", "$0.00000417"},
        {999600000000, "USD", "$1.00"},
        {99960000000, "USD", "$0.100"},
        {500000000000, "USD", "$0.500"},
        {0, "USD", "$0.00"},
        {MONEY_UNIT, "CNY", "CNY 1.00"},
        {-MONEY_UNIT * 1000, "USD", "-$1,000.00"},
        {3, "USD", "$0.000000000003"},
        {-4170600, "", "-0.00000417"},
        {12 * MONEY_UNIT, "", "12.00"},
        {123 * MONEY_UNIT, "", "123.00"},
        {INT64_MIN, "USD", "-$9,223,372.04"},
    };
    struct buf b;
    buf_init(&b, 200);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_reset(&b);
        money_format_short(&b, rows[i].m, str_from(rows[i].currency));
        check_text(&b, rows[i].want);
    }
    buf_clear(&b);
}

static void test_wide_text(void **state)
{
    UNUSED(state);
    struct buf b;
    const wide most = (wide)(~(__extension__(unsigned __int128) 0) >> 1);
    buf_init(&b, 200);
    wide_format(&b, most);
    check_text(&b, "170141183460469231731687303715884105727");
    buf_reset(&b);
    wide_format(&b, -most - 1);
    check_text(&b, "-170141183460469231731687303715884105728");
    buf_reset(&b);
    wide_format_scaled(&b, INT64_C(976562500000000), 12);
    check_text(&b, "976.5625");
    buf_reset(&b);
    wide_format_scaled(&b, 140000 * (wide)MONEY_UNIT, 12);
    check_text(&b, "140000");
    buf_reset(&b);
    wide_format_scaled(&b, -5, 1);
    check_text(&b, "-0.5");
    buf_reset(&b);
    wide_format_scaled(&b, 0, 12);
    check_text(&b, "0");
    buf_clear(&b);
}

/* What is written exactly reads back as itself. */
static void test_round_trip(void **state)
{
    UNUSED(state);
    struct rng r;
    struct err e;
    struct buf b;
    rng_seed(&r, 3);
    buf_init(&b, 100);
    for (int i = 0; i < 5000; i++) {
        const money m = random_i64(&r);
        money back = 0;
        buf_reset(&b);
        money_format_exact(&b, m);
        CHECK_OK(money_parse(buf_str(&b), &back, &e), &e);
        CHECK_INT(back, m);
    }
    buf_clear(&b);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_div_round_halves),
    cmocka_unit_test(test_div_round_random),
    cmocka_unit_test(test_wide_mul_random),
    cmocka_unit_test(test_mul_div_random),
    cmocka_unit_test(test_mul_div_known),
    cmocka_unit_test(test_add_and_narrow),
    cmocka_unit_test(test_ratio),
    cmocka_unit_test(test_round),
    cmocka_unit_test(test_parse),
    cmocka_unit_test(test_format),
    cmocka_unit_test(test_format_exact),
    cmocka_unit_test(test_format_short),
    cmocka_unit_test(test_wide_text),
    cmocka_unit_test(test_round_trip),
};
TEST_MAIN(tests)

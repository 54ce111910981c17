/* Exact money: 128-bit products, one rounding rule (half away from zero), decimal text in and out.
 * Owns nothing; knows no prices and no currencies beyond the dollar sign. */
#include "core/model/money.h"

#include <assert.h>

#include "core/base/macros.h"

__extension__ typedef unsigned __int128 uwide;

enum { MONEY_DECIMALS = 12 };

static uwide wide_abs(wide v)
{
    return v < 0 ? (uwide)0 - (uwide)v : (uwide)v;
}

static wide pow10_of(unsigned n)
{
    assert(n <= 36);
    wide p = 1;
    while (n-- > 0)
        p *= 10;
    return p;
}

static bool fits_i64(wide v)
{
    return v >= INT64_MIN && v <= INT64_MAX;
}

/* The overflow test divides only when a factor is beyond 64 bits: products of two int64 fit. (The
 * compiler's builtin needs a run-time function that not every tool chain has.) */
enum status wide_mul(wide a, wide b, wide *out, struct err *e)
{
    const uwide most = ~(uwide)0 >> 1;

    if (!(fits_i64(a) && fits_i64(b)) && a != 0 && wide_abs(b) > most / wide_abs(a))
        return err_set(e, ERR_LIMIT, "a product is beyond 128 bits");
    *out = a * b;
    return OK;
}

/* Amounts of one invocation fit: the processor divides them, others a function of many steps. */
static wide div_round(uint64_t n, uint64_t divisor)
{
    const uint64_t r = n % divisor;

    return (wide)(n / divisor) + (r >= divisor - r);
}

wide wide_div_round(wide a, wide b)
{
    assert(b > 0);
    const uwide divisor = (uwide)b, n = wide_abs(a);

    if (n <= UINT64_MAX && divisor <= UINT64_MAX)
        return a < 0 ? -div_round((uint64_t)n, (uint64_t)divisor)
                     : div_round((uint64_t)n, (uint64_t)divisor);
    uwide q = n / divisor, r = n % divisor;
    if (r >= divisor - r)
        q++;
    return a < 0 ? (wide)((uwide)0 - q) : (wide)q;
}

wide wide_ratio(wide a, wide b, wide c)
{
    wide product = 0;

    if (wide_mul(a, b, &product, NULL) == OK)
        return wide_div_round(product, c);
    if (wide_mul(wide_div_round(a, c), b, &product, NULL) == OK)
        return product;
    const wide most = (wide)(~(uwide)0 >> 1);
    return (a < 0) == (b < 0) ? most : -most;
}

enum status money_narrow(wide v, money *out, struct err *e)
{
    if (!fits_i64(v))
        return err_set(e, ERR_LIMIT, "an amount is beyond 9.2 million currency units");
    *out = (money)v;
    return OK;
}

enum status money_mul_div(wide quantity, money price, int64_t divisor, money *out, struct err *e)
{
    assert(divisor > 0);
    wide product = 0;

    const enum status s = wide_mul(quantity, price, &product, e);
    if (s != OK) {
        (void)err_wrap(e, "quantity times price");
        return s;
    }
    return money_narrow(wide_div_round(product, divisor), out, e);
}

enum status money_add(money a, money b, money *out, struct err *e)
{
    return money_narrow((wide)a + b, out, e);
}

money money_round(money m, unsigned decimals)
{
    assert(decimals <= MONEY_DECIMALS);
    const wide step = pow10_of(MONEY_DECIMALS - decimals);
    wide r = wide_div_round(m, step) * step;

    if (!fits_i64(r)) /* only at the very ends of the range: towards zero */
        r += r > 0 ? -step : step;
    return (money)r;
}

/* Digits of s appended to *v; stops at the first other character and returns how many it took. */
static size_t take_digits(struct str s, size_t most, wide *v)
{
    size_t n = 0;
    while (n < s.n && n < most && s.p[n] >= '0' && s.p[n] <= '9') {
        *v = *v * 10 + (s.p[n] - '0');
        n++;
    }
    return n;
}

/* Reads ".0001" off *rest into *v; false when a dot has no digit behind it. */
static bool take_fraction(struct str *rest, wide *v, unsigned *scale)
{
    if (rest->n == 0 || rest->p[0] != '.')
        return true;
    *rest = str_skip(*rest, 1);
    const size_t n = take_digits(*rest, MONEY_DECIMALS, v);
    *scale -= (unsigned)n;
    *rest = str_skip(*rest, n);
    while (n > 0 && rest->n > 0 && rest->p[0] == '0')
        *rest = str_skip(*rest, 1);
    return n > 0;
}

enum status money_parse(struct str s, money *out, struct err *e)
{
    enum { MOST_DIGITS = 24 }; /* whole part: far beyond the range, far below 128 bits */
    const bool has_sign = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+');
    struct str rest = str_skip(s, has_sign);
    wide v = 0;
    unsigned scale = MONEY_DECIMALS;

    while (rest.n > 1 && rest.p[0] == '0' && rest.p[1] == '0')
        rest = str_skip(rest, 1);
    const size_t n = take_digits(rest, MOST_DIGITS, &v);
    rest = str_skip(rest, n);
    if (n == 0 || !take_fraction(&rest, &v, &scale) || rest.n > 0)
        return err_set(e, ERR_PARSE,
                       "\"" STR_FMT "\" is no amount: expected a decimal with up to 12 decimals",
                       STR_ARG(s));
    v *= pow10_of(scale);
    return money_narrow(has_sign && s.p[0] == '-' ? -v : v, out, e);
}

/* Writes the digits of v, lowest last, and returns where they begin in text[40]. */
static struct str digits_of(uwide v, char text[40])
{
    size_t at = 40;
    do {
        text[--at] = (char)('0' + (int)(v % 10));
        v /= 10;
    } while (v > 0);
    return (struct str){text + at, 40 - at};
}

static void add_grouped(struct buf *b, struct str digits)
{
    for (size_t i = 0; i < digits.n; i++) {
        if (i > 0 && (digits.n - i) % 3 == 0)
            buf_add_c(b, ',');
        buf_add_c(b, digits.p[i]);
    }
}

/* v of 10^-decimals, all decimals shown. */
static void add_decimal(struct buf *b, wide v, unsigned decimals, bool is_grouped)
{
    const uwide unit = (uwide)pow10_of(decimals), n = wide_abs(v);
    char text[40];

    if (v < 0)
        buf_add_c(b, '-');
    struct str whole = digits_of(n / unit, text);
    if (is_grouped)
        add_grouped(b, whole);
    else
        buf_add_str(b, whole);
    if (decimals == 0)
        return;
    buf_add_c(b, '.');
    struct str fraction = digits_of(n % unit, text);
    buf_add_repeat(b, '0', decimals - fraction.n);
    buf_add_str(b, fraction);
}

/* How many decimals v of 10^-scale needs without trailing zeros, but at least `least`. */
static unsigned needed_decimals(wide v, unsigned scale, unsigned least, wide *shortened)
{
    while (scale > least && v % 10 == 0) {
        v /= 10;
        scale--;
    }
    *shortened = v;
    return scale;
}

void money_format(struct buf *b, money m, unsigned decimals)
{
    assert(decimals <= MONEY_DECIMALS);
    add_decimal(b, wide_div_round(m, pow10_of(MONEY_DECIMALS - decimals)), decimals, false);
}

void money_format_exact(struct buf *b, money m)
{
    wide v = 0;
    unsigned decimals = needed_decimals(m, MONEY_DECIMALS, 2, &v);
    add_decimal(b, v, decimals, false);
}

/* Two decimals from 1.00 on; below, as many as three significant digits take. */
static unsigned readable_decimals(money m)
{
    uwide v = wide_abs(m);
    unsigned decimals = 2;

    if (v == 0 || v >= (uwide)MONEY_UNIT)
        return 2;
    for (uwide limit = (uwide)MONEY_UNIT / 10; v < limit * 10 && decimals < MONEY_DECIMALS;
         limit /= 10)
        decimals++;
    /* 0.9996 has become 1.000: one digit less is enough */
    const wide r = wide_div_round(m, pow10_of(MONEY_DECIMALS - decimals));
    return wide_abs(r) >= 1000 ? decimals - 1 : decimals;
}

void money_format_short(struct buf *b, money m, struct str currency)
{
    const unsigned decimals = readable_decimals(m);
    wide v = wide_div_round(m, pow10_of(MONEY_DECIMALS - decimals));

    if (v < 0)
        buf_add_c(b, '-');
    if (str_eq(currency, STR("USD")))
        buf_add_c(b, '$');
    else if (currency.n > 0)
        buf_addf(b, STR_FMT " ", STR_ARG(currency));
    add_decimal(b, v < 0 ? -v : v, decimals, true);
}

void wide_format(struct buf *b, wide v)
{
    add_decimal(b, v, 0, false);
}

void wide_format_scaled(struct buf *b, wide v, unsigned scale)
{
    assert(scale <= 30);
    wide shortened = 0;
    unsigned decimals = needed_decimals(v, scale, 0, &shortened);
    add_decimal(b, shortened, decimals, false);
}

/* Exact money. Prices and amounts are int64_t of 10^-12 of the price book's currency ("pico");
 * products and sums go through 128 bits; narrowing is checked and gives ERR_LIMIT, never a wrap. A
 * bill's line is rounded once, half away from zero, to 10 decimals, as providers do (90 of 90 real
 * bill rows, shared reference pricing.md 0.2). Never floating point. Pure. */
#ifndef FNSCOPE_CORE_MODEL_MONEY_H
#define FNSCOPE_CORE_MODEL_MONEY_H

#include "core/base/buf.h"

#define MONEY_UNIT INT64_C(1000000000000) /* 1.00 */

typedef int64_t money;
__extension__ typedef __int128 wide;

/* quantity x price / divisor, rounded half away from zero: 889 ms x 128 MB x price / 1024000.
 * divisor > 0. */
MUST_CHECK enum status money_mul_div(wide quantity, money price, int64_t divisor, money *out,
                                     struct err *e);
/* The exact product as a wide of 10^-12; fails on overflow of 128 bits. */
MUST_CHECK enum status wide_mul(wide a, wide b, wide *out, struct err *e);
wide wide_div_round(wide a, wide b); /* half away from zero; b > 0 */
/* a x b / c, rounded as above, for figures that are shown; c > 0. Where the product leaves 128 bits
 * it is a / c x b, and where that does too, the nearest end of the range: never a wrap. */
wide wide_ratio(wide a, wide b, wide c);
MUST_CHECK enum status money_narrow(wide v, money *out, struct err *e);
MUST_CHECK enum status money_add(money a, money b, money *out, struct err *e);
/* Half away from zero; decimals 0..12. Where the result would leave the range, towards zero. */
money money_round(money m, unsigned decimals);

/* "0.0000166667" with up to 12 decimals; sign allowed; more decimals must be zeros. */
MUST_CHECK enum status money_parse(struct str s, money *out, struct err *e);
void money_format(struct buf *b, money m,
                  unsigned decimals); /* rounded, exactly that many decimals */
void money_format_exact(struct buf *b,
                        money m); /* all decimals that are not trailing zeros, at least 2 */
/* For people: "$1,234.56", "$0.0412", "$0.00000417": two decimals, below 1.00 three significant
 * digits. currency "USD" prints $, another its code and a blank, an empty one nothing. */
void money_format_short(struct buf *b, money m, struct str currency);
void wide_format(struct buf *b, wide v); /* decimal integer */
/* v of 10^-scale as decimal text without trailing zeros: quantities. */
void wide_format_scaled(struct buf *b, wide v, unsigned scale);

#endif

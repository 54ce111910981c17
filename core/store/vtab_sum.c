/* sum(), total() and avg() of a person's SQL. SQLite before 3.43 adds floating point as it comes,
 * and a million small amounts end in noise that is printed; these carry the error of each addition
 * along (Neumaier, ZAMM 54, 1974), as SQLite 3.43 and later do themselves. All else is as SQLite's
 * own: integers stay integers and overflow is an error. */
#include <math.h>

#include <sqlite3.h>

#include "core/store/sql_tables.h"

struct sum {
    double high, low;
    sqlite3_int64 whole, n;
    bool is_real, is_over;
};

static void add_real(struct sum *s, double x)
{
    double t = s->high + x;

    s->low += fabs(s->high) >= fabs(x) ? (s->high - t) + x : (x - t) + s->high;
    s->high = t;
}

static double real_of(const struct sum *s)
{
    return isfinite(s->low) ? s->high + s->low : s->high; /* infinity leaves no error to carry */
}

static void change(sqlite3_context *ctx, sqlite3_value *v, int sign)
{
    struct sum *s = sqlite3_aggregate_context(ctx, sizeof(*s));
    int type = sqlite3_value_numeric_type(v);

    if (!s || type == SQLITE_NULL)
        return;
    s->n += sign;
    add_real(s, sign * sqlite3_value_double(v));
    s->is_real |= type != SQLITE_INTEGER;
    sqlite3_int64 i = sqlite3_value_int64(v);
    s->is_over |= sign > 0 ? __builtin_add_overflow(s->whole, i, &s->whole)
                           : __builtin_sub_overflow(s->whole, i, &s->whole);
}

static void step(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    UNUSED(argc);
    change(ctx, argv[0], 1);
}

static void inverse(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
    UNUSED(argc);
    change(ctx, argv[0], -1);
}

static void give_sum(sqlite3_context *ctx)
{
    const struct sum *s = sqlite3_aggregate_context(ctx, 0);

    if (!s || s->n == 0)
        sqlite3_result_null(ctx);
    else if (s->is_real)
        sqlite3_result_double(ctx, real_of(s));
    else if (s->is_over)
        sqlite3_result_error(ctx, "integer overflow", -1);
    else
        sqlite3_result_int64(ctx, s->whole);
}

static void give_total(sqlite3_context *ctx)
{
    const struct sum *s = sqlite3_aggregate_context(ctx, 0);

    sqlite3_result_double(ctx, s ? real_of(s) : 0.0);
}

static void give_avg(sqlite3_context *ctx)
{
    const struct sum *s = sqlite3_aggregate_context(ctx, 0);

    if (!s || s->n == 0)
        sqlite3_result_null(ctx);
    else
        sqlite3_result_double(ctx, real_of(s) / (double)s->n);
}

bool sql_add_sums(void *db)
{
    static const struct {
        const char *name;
        void (*give)(sqlite3_context *ctx);
    } sums[] = {{"sum", give_sum}, {"total", give_total}, {"avg", give_avg}};
    static const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;

    for (size_t i = 0; i < ARRAY_LEN(sums); i++)
        if (sqlite3_create_window_function(db, sums[i].name, 1, flags, NULL, step, sums[i].give,
                                           sums[i].give, inverse, NULL) != SQLITE_OK)
            return false;
    return true;
}

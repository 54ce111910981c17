/* What operators and functions do, in tables. */
#include "executor/metric_math_private.h"

#include <assert.h>
#include <math.h>

#include "core/base/timefmt.h"

/* --- kinds --- */

static bool takes_any(const struct math_node *const *args, size_t n, enum math_kind *out)
{
    *out = MATH_NUMBER;
    for (size_t i = 0; i < n; i++) {
        if (args[i]->kind == MATH_LIST || args[i]->kind == MATH_WORD)
            return false;
        if (args[i]->kind == MATH_SERIES)
            *out = MATH_SERIES;
    }
    return true;
}

static bool gathers(const struct math_node *const *args, size_t n, enum math_kind *out)
{
    assert(n == 1);
    *out = args[0]->kind == MATH_LIST ? MATH_SERIES : MATH_NUMBER;
    return args[0]->kind == MATH_LIST || args[0]->kind == MATH_SERIES;
}

static bool series_to_series(const struct math_node *const *args, size_t n, enum math_kind *out)
{
    assert(n == 1);
    *out = MATH_SERIES;
    return args[0]->kind == MATH_SERIES;
}

static bool series_to_number(const struct math_node *const *args, size_t n, enum math_kind *out)
{
    assert(n == 1);
    *out = MATH_NUMBER;
    return args[0]->kind == MATH_SERIES;
}

static bool number_to_series(const struct math_node *const *args, size_t n, enum math_kind *out)
{
    assert(n == 1);
    *out = MATH_SERIES;
    return args[0]->kind == MATH_NUMBER;
}

static bool fills(const struct math_node *const *args, size_t n, enum math_kind *out)
{
    assert(n == 2);
    *out = MATH_SERIES;
    return args[0]->kind == MATH_SERIES &&
           (args[1]->kind == MATH_NUMBER || args[1]->kind == MATH_WORD);
}

/* --- series --- */

static struct math_value number(double v)
{
    return (struct math_value){.kind = MATH_NUMBER, .number = v};
}

static struct math_value room(const struct math_values *v, size_t n, int64_t period_s)
{
    return (struct math_value){
        .kind = MATH_SERIES,
        .series = {.points = arena_new(v->arena, struct math_point, n + 1), .period_s = period_s}};
}

/* What is no number leaves its time out. */
static void add(struct math_value *to, int64_t at_s, double value)
{
    if (isfinite(value))
        to->series.points[to->series.n++] = (struct math_point){at_s, value};
}

static const double *value_at(const struct math_value *x, int64_t at_s)
{
    size_t low = 0, high = x->series.n;

    if (x->kind == MATH_NUMBER)
        return &x->number;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (x->series.points[mid].at_s < at_s)
            low = mid + 1;
        else
            high = mid;
    }
    bool is_there = low < x->series.n && x->series.points[low].at_s == at_s;
    return is_there ? &x->series.points[low].value : NULL;
}

/* --- operators --- */

static double plus(double a, double b)
{
    return a + b;
}
static double minus(double a, double b)
{
    return a - b;
}
static double times(double a, double b)
{
    return a * b;
}
static double divided(double a, double b)
{
    return a / b;
}
static double less(double a, double b)
{
    return a < b;
}
static double less_equal(double a, double b)
{
    return a <= b;
}
static double greater(double a, double b)
{
    return a > b;
}
static double greater_equal(double a, double b)
{
    return a >= b;
}
static double equal(double a, double b)
{
    return !(a < b) && !(a > b);
}
static double differs(double a, double b)
{
    return a < b || a > b;
}
static bool is_true(double a)
{
    return differs(a, 0) > 0;
}
static double both(double a, double b)
{
    return is_true(a) && is_true(b);
}
static double either(double a, double b)
{
    return is_true(a) || is_true(b);
}

static struct math_value combine(const struct math_values *v, const struct math_value *args,
                                 two_fn *fn)
{
    const struct math_value *a = &args[0], *b = &args[1];

    if (a->kind == MATH_NUMBER && b->kind == MATH_NUMBER)
        return number(fn(a->number, b->number));
    const struct math_series *times_of = a->kind == MATH_SERIES ? &a->series : &b->series;
    struct math_value out = room(v, times_of->n, times_of->period_s);
    for (size_t i = 0; i < times_of->n; i++) {
        int64_t at_s = times_of->points[i].at_s;
        const double *x = value_at(a, at_s), *y = value_at(b, at_s);
        if (x && y)
            add(&out, at_s, fn(*x, *y));
    }
    return out;
}

/* --- functions --- */

static struct math_value map(const struct math_values *v, const struct math_value *a, one_fn *fn)
{
    if (a->kind == MATH_NUMBER)
        return number(fn(a->number));
    struct math_value out = room(v, a->series.n, a->series.period_s);
    for (size_t i = 0; i < a->series.n; i++)
        add(&out, a->series.points[i].at_s, fn(a->series.points[i].value));
    return out;
}

static double larger(double a, double b)
{
    return a > b ? a : b;
}
static double smaller(double a, double b)
{
    return a < b ? a : b;
}

/* Of values one after another; the mean divides what plus gives. */
static double gather_points(const struct math_series *s, const struct math_op *op)
{
    double all = s->n > 0 ? s->points[0].value : (double)NAN;

    for (size_t i = 1; i < s->n; i++)
        all = op->two(all, s->points[i].value);
    return op->is_mean ? all / (double)s->n : all;
}

static int64_t next_time(const struct math_value *list, const size_t *at, size_t n)
{
    int64_t least = INT64_MAX;

    for (size_t i = 0; i < n; i++) {
        const struct math_series *s = &list->list[i];
        if (at[i] < s->n && s->points[at[i]].at_s < least)
            least = s->points[at[i]].at_s;
    }
    return least;
}

/* Of the series of a list, at each time that one of them has. */
static struct math_value gather_list(const struct math_values *v, const struct math_value *list,
                                     const struct math_op *op)
{
    size_t n = list->n_list, *at = arena_new(v->arena, size_t, n + 1), most = 0;
    struct math_series one = {.points = arena_new(v->arena, struct math_point, n + 1)};
    int64_t at_s;

    for (size_t i = 0; i < n; i++) {
        at[i] = 0;
        most += list->list[i].n;
    }
    struct math_value out = room(v, most, n > 0 ? list->list[0].period_s : 60);
    while ((at_s = next_time(list, at, n)) != INT64_MAX) {
        one.n = 0;
        for (size_t i = 0; i < n; i++)
            if (at[i] < list->list[i].n && list->list[i].points[at[i]].at_s == at_s)
                one.points[one.n++] = list->list[i].points[at[i]++];
        add(&out, at_s, gather_points(&one, op));
    }
    return out;
}

static struct math_value gather(const struct math_values *v, const struct math_node *n,
                                const struct math_value *args)
{
    return args[0].kind == MATH_LIST ? gather_list(v, &args[0], n->op)
                                     : number(gather_points(&args[0].series, n->op));
}

static struct math_value differences(const struct math_values *v, const struct math_series *s,
                                     bool per_second)
{
    struct math_value out = room(v, s->n, s->period_s);

    for (size_t i = 1; i < s->n; i++) {
        const struct math_point *p = &s->points[i - 1], *q = &s->points[i];
        add(&out, q->at_s, (q->value - p->value) / (per_second ? (double)(q->at_s - p->at_s) : 1));
    }
    return out;
}

static struct math_value run_rate(const struct math_values *v, const struct math_node *n,
                                  const struct math_value *args)
{
    UNUSED(n);
    return differences(v, &args[0].series, true);
}

static struct math_value run_diff(const struct math_values *v, const struct math_node *n,
                                  const struct math_value *args)
{
    UNUSED(n);
    return differences(v, &args[0].series, false);
}

static struct math_value run_running_sum(const struct math_values *v, const struct math_node *n,
                                         const struct math_value *args)
{
    const struct math_series *s = &args[0].series;
    struct math_value out = room(v, s->n, s->period_s);
    double sum = 0;

    UNUSED(n);
    for (size_t i = 0; i < s->n; i++)
        add(&out, s->points[i].at_s, sum += s->points[i].value);
    return out;
}

static struct math_value run_period(const struct math_values *v, const struct math_node *n,
                                    const struct math_value *args)
{
    UNUSED(v);
    UNUSED(n);
    return number((double)args[0].series.period_s);
}

static struct math_value run_count(const struct math_values *v, const struct math_node *n,
                                   const struct math_value *args)
{
    UNUSED(v);
    UNUSED(n);
    return number((double)args[0].series.n);
}

/* --- a value for each period of the range --- */

typedef bool filler_fn(const struct math_value *args, size_t next, int64_t at_s, double *out);

static bool fill_number(const struct math_value *args, size_t next, int64_t at_s, double *out)
{
    UNUSED(next);
    UNUSED(at_s);
    *out = args[1].number;
    return true;
}

static bool fill_repeat(const struct math_value *args, size_t next, int64_t at_s, double *out)
{
    UNUSED(at_s);
    if (next > 0)
        *out = args[0].series.points[next - 1].value;
    return next > 0;
}

/* On the line between its neighbours; before the first and behind the last there is none. */
static bool fill_linear(const struct math_value *args, size_t next, int64_t at_s, double *out)
{
    const struct math_series *s = &args[0].series;

    if (next == 0 || next == s->n)
        return false;
    const struct math_point *p = &s->points[next - 1], *q = &s->points[next];
    *out =
        p->value + (q->value - p->value) * (double)(at_s - p->at_s) / (double)(q->at_s - p->at_s);
    return true;
}

static struct math_value fill(const struct math_values *v, const struct math_value *args,
                              int64_t period_s, filler_fn *fn)
{
    const struct math_series *s = &args[0].series;
    int64_t from_s = time_floor(v->from_s, period_s);
    size_t next = 0;
    struct math_value out = room(v, (size_t)((v->to_s - from_s) / period_s) + 1 + s->n, period_s);

    for (int64_t at_s = from_s; at_s < v->to_s; at_s += period_s) {
        double value;
        if (next < s->n && s->points[next].at_s == at_s)
            add(&out, at_s, s->points[next++].value);
        else if (fn(args, next, at_s, &value))
            add(&out, at_s, value);
    }
    return out;
}

static struct math_value run_fill(const struct math_values *v, const struct math_node *n,
                                  const struct math_value *args)
{
    struct str word = n->args[1]->word;
    filler_fn *fn = n->args[1]->kind == MATH_NUMBER ? fill_number
                    : str_eq(word, STR("REPEAT"))   ? fill_repeat
                                                    : fill_linear;

    return fill(v, args, args[0].series.period_s, fn);
}

static struct math_value run_time_series(const struct math_values *v, const struct math_node *n,
                                         const struct math_value *args)
{
    const struct math_value nothing[] = {{.kind = MATH_SERIES}, args[0]};

    UNUSED(n);
    return fill(v, nothing, v->period_s, fill_number);
}

/* IF(condition, then[, else]): at the times of the condition, or of what there is. */
static struct math_value run_if(const struct math_values *v, const struct math_node *n,
                                const struct math_value *args)
{
    static const struct math_value none = {.kind = MATH_SERIES};
    const struct math_value *other = n->n_args > 2 ? &args[2] : &none;
    const struct math_value *times_of = &args[0];

    for (size_t i = 1; i < n->n_args && times_of->kind == MATH_NUMBER; i++)
        times_of = &args[i];
    const struct math_value *chosen = is_true(args[0].number) ? &args[1] : other;
    if (args[0].kind == MATH_NUMBER &&
        (chosen->kind == MATH_SERIES || times_of->kind == MATH_NUMBER))
        return *chosen;
    struct math_value out = room(v, times_of->series.n, times_of->series.period_s);
    for (size_t i = 0; i < times_of->series.n; i++) {
        int64_t at_s = times_of->series.points[i].at_s;
        const double *condition = value_at(&args[0], at_s);
        const double *value = value_at(condition && is_true(*condition) ? &args[1] : other, at_s);
        if (condition && value)
            add(&out, at_s, *value);
    }
    return out;
}

/* IF without "else" of a number has no value where it is false: a series. */
static bool chooses(const struct math_node *const *args, size_t n, enum math_kind *out)
{
    return takes_any(args, n, out) && (n == 3 || *out == MATH_SERIES);
}

/* --- tables --- */

static const struct math_op operators[] = {
    {.name = "+", .kind = takes_any, .two = plus},
    {.name = "-", .kind = takes_any, .two = minus},
    {.name = "*", .kind = takes_any, .two = times},
    {.name = "/", .kind = takes_any, .two = divided},
    {.name = "^", .kind = takes_any, .two = pow},
    {.name = "<", .kind = takes_any, .two = less},
    {.name = "<=", .kind = takes_any, .two = less_equal},
    {.name = ">", .kind = takes_any, .two = greater},
    {.name = ">=", .kind = takes_any, .two = greater_equal},
    {.name = "==", .kind = takes_any, .two = equal},
    {.name = "!=", .kind = takes_any, .two = differs},
    {.name = "AND", .kind = takes_any, .two = both},
    {.name = "&&", .kind = takes_any, .two = both},
    {.name = "OR", .kind = takes_any, .two = either},
    {.name = "||", .kind = takes_any, .two = either},
};

static const struct math_op functions[] = {
    {"SUM", 1, 1, gathers, gather, plus, NULL, false},
    {"AVG", 1, 1, gathers, gather, plus, NULL, true},
    {"MIN", 1, 1, gathers, gather, smaller, NULL, false},
    {"MAX", 1, 1, gathers, gather, larger, NULL, false},
    {"ABS", 1, 1, takes_any, NULL, NULL, fabs, false},
    {"CEIL", 1, 1, takes_any, NULL, NULL, ceil, false},
    {"FLOOR", 1, 1, takes_any, NULL, NULL, floor, false},
    {"RATE", 1, 1, series_to_series, run_rate, NULL, NULL, false},
    {"DIFF", 1, 1, series_to_series, run_diff, NULL, NULL, false},
    {"RUNNING_SUM", 1, 1, series_to_series, run_running_sum, NULL, NULL, false},
    {"TIME_SERIES", 1, 1, number_to_series, run_time_series, NULL, NULL, false},
    {"PERIOD", 1, 1, series_to_number, run_period, NULL, NULL, false},
    {"DATAPOINT_COUNT", 1, 1, series_to_number, run_count, NULL, NULL, false},
    {"FILL", 2, 2, fills, run_fill, NULL, NULL, false},
    {"IF", 2, 3, chooses, run_if, NULL, NULL, false},
};

static const struct math_op *find(const struct math_op *ops, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(name, str_from(ops[i].name)))
            return &ops[i];
    return NULL;
}

const struct math_op *math_operator(struct str symbol)
{
    return find(operators, ARRAY_LEN(operators), symbol);
}

const struct math_op *math_function(struct str name)
{
    return find(functions, ARRAY_LEN(functions), name);
}

/* --- the tree --- */

static struct math_value leaf(const struct math_values *v, const struct math_node *n)
{
    struct math_value out = {.kind = n->kind, .number = n->number};

    if (n->kind == MATH_SERIES)
        out.series = v->series[n->query];
    if (n->kind != MATH_LIST)
        return out;
    out.list = arena_new(v->arena, struct math_series, n->n_wanted + 1);
    for (size_t i = 0; i < n->n_wanted; i++)
        if (n->wanted[i])
            out.list[out.n_list++] = v->series[i];
    return out;
}

struct math_value math_evaluate(const struct math_values *v, const struct math_node *n)
{
    struct math_value args[MATH_MAX_ARGS] = {0};

    if (!n->op)
        return leaf(v, n);
    for (size_t i = 0; i < n->n_args; i++)
        args[i] = math_evaluate(v, n->args[i]);
    return n->op->run   ? n->op->run(v, n, args)
           : n->op->one ? map(v, &args[0], n->op->one)
                        : combine(v, args, n->op->two);
}

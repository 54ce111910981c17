/* Text to tree, by descent: or, and, comparison, sum, product, power, sign, leaf. */
#include "executor/metric_math_private.h"

#include <stdio.h>

#define MAX_DEPTH 100
#define MAX_BYTES 1024 /* of an expression, as CloudWatch has it */

struct reading {
    struct str all, rest;
    const struct math_names *names;
    struct arena *arena;
    struct err *e;
    unsigned depth;
};

static const struct math_node *read_level(struct reading *r, size_t level);

/* --- what stands next --- */

static void skip_blanks(struct reading *r)
{
    while (r->rest.n > 0 && (r->rest.p[0] == ' ' || r->rest.p[0] == '\t' || r->rest.p[0] == '\n'))
        r->rest = str_skip(r->rest, 1);
}

static const struct math_node *wrong(struct reading *r, const char *what)
{
    if (r->rest.n == 0)
        err_set(r->e, ERR_PARSE, "%s is expected at the end", what);
    else
        err_set(r->e, ERR_PARSE, "%s is expected at character %zu, where \"" STR_FMT "\" stands",
                what, r->all.n - r->rest.n + 1, STR_ARG(str_sub(r->rest, 0, 20)));
    return NULL;
}

static bool take(struct reading *r, struct str symbol)
{
    skip_blanks(r);
    if (!str_starts(r->rest, symbol))
        return false;
    r->rest = str_skip(r->rest, symbol.n);
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static struct str peek_word(struct reading *r)
{
    size_t n = 0;

    skip_blanks(r);
    while (n < r->rest.n && (is_letter(r->rest.p[n]) || (n > 0 && is_digit(r->rest.p[n]))))
        n++;
    return str_sub(r->rest, 0, n);
}

/* A symbol that is a word does not end in the middle of one. */
static bool take_operator(struct reading *r, struct str symbol)
{
    struct str before = r->rest;

    if (is_letter(symbol.p[0]) && !str_eq(peek_word(r), symbol))
        return false;
    if (take(r, symbol))
        return true;
    r->rest = before;
    return false;
}

/* --- leaves --- */

static struct math_node *new_node(struct reading *r, enum math_kind kind)
{
    struct math_node *n = arena_new(r->arena, struct math_node, 1);

    *n = (struct math_node){.kind = kind};
    return n;
}

/* Exact up to 15 digits. */
static const struct math_node *read_number(struct reading *r)
{
    struct math_node *n = new_node(r, MATH_NUMBER);
    double value = 0, scale = 1;
    bool is_fraction = false;
    size_t i = 0;

    for (; i < r->rest.n && (is_digit(r->rest.p[i]) || (r->rest.p[i] == '.' && !is_fraction));
         i++) {
        if (r->rest.p[i] == '.') {
            is_fraction = true;
            continue;
        }
        value = value * 10 + (r->rest.p[i] - '0');
        scale *= is_fraction ? 10 : 1;
    }
    r->rest = str_skip(r->rest, i);
    n->number = value / scale;
    return n;
}

/* METRICS() are all that are metrics, METRICS("x") those whose Id has x. */
static const struct math_node *read_list(struct reading *r)
{
    bool *wanted = arena_new(r->arena, bool, r->names->n + 1);
    struct math_node *n = new_node(r, MATH_LIST);
    struct str part = {0};

    if (!take(r, STR("(")))
        return wrong(r, "(");
    if (take(r, STR("\"")) || take(r, STR("'"))) {
        char quote = r->rest.p[-1];
        part = str_sub(r->rest, 0, str_find_char(r->rest, quote));
        r->rest = str_skip(r->rest, part.n);
        if (r->rest.n == 0)
            return wrong(r, "the end of the text");
        r->rest = str_skip(r->rest, 1);
    }
    if (!take(r, STR(")")))
        return wrong(r, ")");
    for (size_t i = 0; i < r->names->n; i++)
        wanted[i] = r->names->is_metric[i] &&
                    (part.n == 0 || str_find(r->names->ids[i], part) < r->names->ids[i].n);
    n->wanted = wanted;
    n->n_wanted = r->names->n;
    return n;
}

static const struct math_node *check_args(struct reading *r, struct math_node *n)
{
    if (n->n_args < n->op->least || n->n_args > n->op->most)
        err_set(r->e, ERR_PARSE, "%s takes %zu to %zu arguments, not %zu", n->op->name,
                n->op->least, n->op->most, n->n_args);
    else if (!n->op->kind(n->args, n->n_args, &n->kind))
        err_set(r->e, ERR_PARSE, "%s does not take arguments of this type", n->op->name);
    else
        return n;
    return NULL;
}

static const struct math_node *read_call(struct reading *r, struct str name)
{
    struct math_node *n = new_node(r, MATH_NUMBER);

    n->op = math_function(name);
    if (!n->op) {
        err_set(r->e, ERR_PARSE, "the function " STR_FMT " is not served here", STR_ARG(name));
        return NULL;
    }
    if (!take(r, STR("(")))
        return wrong(r, "(");
    do {
        if (n->n_args == MATH_MAX_ARGS)
            return wrong(r, ")");
        n->args[n->n_args] = read_level(r, 0);
        if (!n->args[n->n_args++])
            return NULL;
    } while (take(r, STR(",")));
    return take(r, STR(")")) ? check_args(r, n) : wrong(r, ")");
}

static const struct math_node *read_word(struct reading *r, struct str word)
{
    struct math_node *n;

    r->rest = str_skip(r->rest, word.n);
    for (size_t i = 0; i < r->names->n; i++)
        if (str_eq(word, r->names->ids[i])) {
            n = new_node(r, MATH_SERIES);
            n->query = i;
            return n;
        }
    if (str_eq(word, STR("METRICS")))
        return read_list(r);
    if (str_eq(word, STR("REPEAT")) || str_eq(word, STR("LINEAR"))) {
        n = new_node(r, MATH_WORD);
        n->word = word;
        return n;
    }
    if (word.p[0] >= 'A' && word.p[0] <= 'Z')
        return read_call(r, word);
    err_set(r->e, ERR_PARSE, "no query has the Id " STR_FMT, STR_ARG(word));
    return NULL;
}

static const struct math_node *read_leaf(struct reading *r)
{
    struct str word = peek_word(r);

    if (word.n > 0)
        return read_word(r, word);
    if (r->rest.n > 0 && (is_digit(r->rest.p[0]) || r->rest.p[0] == '.'))
        return read_number(r);
    if (!take(r, STR("(")))
        return wrong(r, "a number, an Id or a function");
    const struct math_node *n = read_level(r, 0);
    return !n || take(r, STR(")")) ? n : wrong(r, ")");
}

/* --- operators, the loosest first; of one level from left to right --- */

enum { POWER_LEVEL = 5 };
static const char *const levels[][7] = {
    {"OR", "||", NULL}, {"AND", "&&", NULL}, {"<=", ">=", "==", "!=", "<", ">", NULL},
    {"+", "-", NULL},   {"*", "/", NULL},    {"^", NULL}};

static const struct math_node *join(struct reading *r, const char *symbol,
                                    const struct math_node *a, const struct math_node *b)
{
    struct math_node *n = new_node(r, MATH_NUMBER);

    n->op = math_operator(str_from(symbol));
    n->args[0] = a;
    n->args[1] = b;
    n->n_args = 2;
    if (n->op->kind(n->args, 2, &n->kind))
        return n;
    err_set(r->e, ERR_PARSE, "%s does not take METRICS(), which stands in SUM, AVG, MIN and MAX",
            symbol);
    return NULL;
}

static const struct math_node *too_deep(struct reading *r)
{
    err_set(r->e, ERR_PARSE, "it is nested too deeply");
    return NULL;
}

/* What stands between operators of a level. -2^2 is -(2^2), and a sign may stand behind an
 * operator. */
static const struct math_node *read_operand(struct reading *r, size_t level)
{
    if (level < POWER_LEVEL || !take(r, STR("-")))
        return level < ARRAY_LEN(levels) ? read_level(r, level) : read_leaf(r);
    if (r->depth++ > MAX_DEPTH)
        return too_deep(r);
    const struct math_node *n = read_operand(r, level);
    r->depth--;
    return n ? join(r, "-", new_node(r, MATH_NUMBER), n) : NULL; /* from 0 */
}

static const char *operator_of(struct reading *r, size_t level)
{
    for (size_t i = 0; levels[level][i]; i++)
        if (take_operator(r, str_from(levels[level][i])))
            return levels[level][i];
    return NULL;
}

static const struct math_node *read_level(struct reading *r, size_t level)
{
    const char *symbol;

    if (r->depth++ > MAX_DEPTH)
        return too_deep(r);
    const struct math_node *left = read_operand(r, level + 1);
    while (left && (symbol = operator_of(r, level)) != NULL) {
        const struct math_node *right = read_operand(r, level + 1);
        left = right ? join(r, symbol, left, right) : NULL;
    }
    r->depth--;
    return left;
}

/* --- the door --- */

enum status math_read(struct str text, const struct math_names *names, struct arena *a,
                      struct math **out, struct err *e)
{
    struct str copy = arena_str(a, text);
    struct reading r = {.all = copy, .rest = copy, .names = names, .arena = a, .e = e};
    struct math *m = arena_new(a, struct math, 1);

    if (text.n > MAX_BYTES)
        return err_set(e, ERR_PARSE, "it is longer than %d characters", MAX_BYTES);
    m->root = read_level(&r, 0);
    if (!m->root)
        return ERR_PARSE;
    skip_blanks(&r);
    if (r.rest.n > 0) {
        wrong(&r, "an operator");
        return ERR_PARSE;
    }
    if (m->root->kind != MATH_SERIES)
        return err_set(e, ERR_PARSE, "its result is not a time series");
    *out = m;
    return OK;
}

static bool node_uses(const struct math_node *n, size_t query)
{
    for (size_t i = 0; i < n->n_args; i++)
        if (node_uses(n->args[i], query))
            return true;
    return !n->op &&
           (n->kind == MATH_SERIES ? n->query == query : n->kind == MATH_LIST && n->wanted[query]);
}

bool math_uses(const struct math *m, size_t query)
{
    return node_uses(m->root, query);
}

void math_series(const struct math *m, const struct math_values *v, struct math_series *out)
{
    *out = math_evaluate(v, m->root).series;
}

void math_put(struct buf *out, double value)
{
    char text[32];

    snprintf(text, sizeof(text), "%.15g", value);
    buf_add_z(out, text);
    if (str_find_char(str_from(text), '.') == str_from(text).n &&
        str_find_char(str_from(text), 'e') == str_from(text).n)
        buf_add_z(out, ".0");
}

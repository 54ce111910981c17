/* Reads and judges in one go: expressions are short, and a page has at most some hundred traces. */
#include "executor/xray_filter.h"

#include "core/base/macros.h"

#define MAX_DEPTH 32

struct reader {
    struct str all, rest;
    const struct xray_trace *f;
    struct err *e;
    enum status status;
    unsigned depth;
};

static bool wrong(struct reader *r, const char *what)
{
    if (r->status == OK)
        r->status = err_set(r->e, ERR_PARSE, "FilterExpression: %s is expected at character %zu",
                            what, r->all.n - r->rest.n + 1);
    r->rest = (struct str){0};
    return false;
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.';
}

static void skip_blanks(struct reader *r)
{
    while (r->rest.n > 0 && (r->rest.p[0] == ' ' || r->rest.p[0] == '\t' || r->rest.p[0] == '\n'))
        r->rest = str_skip(r->rest, 1);
}

static struct str next_word(struct reader *r)
{
    size_t n = 0;

    skip_blanks(r);
    while (n < r->rest.n && is_word_char(r->rest.p[n]))
        n++;
    return str_sub(r->rest, 0, n);
}

static bool take_word(struct reader *r, const char *word)
{
    struct str next = next_word(r);

    if (!str_eq_nocase(next, str_from(word)))
        return false;
    r->rest = str_skip(r->rest, next.n);
    return true;
}

static bool take(struct reader *r, const char *sign)
{
    skip_blanks(r);
    if (!str_starts(r->rest, str_from(sign)))
        return false;
    r->rest = str_skip(r->rest, str_from(sign).n);
    return true;
}

static bool take_text(struct reader *r, struct str *out)
{
    skip_blanks(r);
    char quote = r->rest.n > 0 ? r->rest.p[0] : '\0';
    struct str rest = str_skip(r->rest, 1);
    size_t end = str_find_char(rest, quote);

    if ((quote != '"' && quote != '\'') || end == rest.n)
        return wrong(r, "a text in quotes");
    *out = str_sub(rest, 0, end);
    r->rest = str_skip(rest, end + 1);
    return true;
}

/* --- terms --- */

enum relation { EQUAL, UNEQUAL, AT_MOST, AT_LEAST, LESS, MORE, CONTAINS, BEGINS, ENDS, RELATIONS };

static const char *const relation_names[RELATIONS] = {"=", "!=",       "<=",         ">=",      "<",
                                                      ">", "CONTAINS", "BEGINSWITH", "ENDSWITH"};

static bool take_relation(struct reader *r, unsigned first, unsigned last, unsigned *out)
{
    for (unsigned i = first; i <= last; i++)
        if (i < CONTAINS ? take(r, relation_names[i]) : take_word(r, relation_names[i])) {
            *out = i;
            return true;
        }
    return wrong(r, "a comparison");
}

/* A flag alone, or compared with true or false. */
static bool flag_term(struct reader *r, bool value)
{
    bool is_equal = take(r, "=");

    if (!is_equal && !take(r, "!="))
        return value;
    bool wants_true = take_word(r, "true");
    if (!wants_true && !take_word(r, "false"))
        return wrong(r, "true or false");
    return (value == wants_true) == is_equal;
}

static bool compare(int64_t a, unsigned relation, int64_t b)
{
    const bool results[] = {a == b, a != b, a <= b, a >= b, a<b, a> b};

    return results[relation];
}

/* In thousandths. */
static bool number_term(struct reader *r, const int64_t *value)
{
    int64_t limit = 0;
    unsigned relation;

    if (!take_relation(r, EQUAL, MORE, &relation))
        return false;
    struct str word = next_word(r);
    if (!str_to_scaled(word, 3, &limit))
        return wrong(r, "a number with at most three decimals");
    r->rest = str_skip(r->rest, word.n);
    return value && compare(*value, relation, limit);
}

static bool matches(struct str value, unsigned relation, struct str text)
{
    switch ((enum relation)relation) {
    case EQUAL:
        return str_eq(value, text);
    case UNEQUAL:
        return !str_eq(value, text);
    case CONTAINS:
        return str_find(value, text) < value.n || text.n == 0;
    case BEGINS:
        return str_starts(value, text);
    case ENDS:
        return str_ends(value, text);
    case AT_MOST:
    case AT_LEAST:
    case LESS:
    case MORE:
    case RELATIONS:
        break;
    }
    return false;
}

/* True when one of the values matches; values are separated by commas. */
static bool text_term(struct reader *r, struct str values)
{
    unsigned relation = EQUAL;
    struct str text;
    bool is_symbol = take(r, "=");

    if (!is_symbol && take(r, "!="))
        relation = UNEQUAL;
    else if (!is_symbol && !take_relation(r, CONTAINS, ENDS, &relation))
        return false;
    if (!take_text(r, &text))
        return false;
    bool has_match = false;
    while (values.n > 0)
        has_match = matches(str_cut(&values, ','), relation, text) || has_match;
    return has_match;
}

static bool or_term(struct reader *r);

/* service("name") with conditions of its own or without. */
static bool service_term(struct reader *r)
{
    struct str names = r->f->names, name = {0};
    bool is_named = false;

    if (!take(r, "(") || (!take(r, ")") && (!take_text(r, &name) || !take(r, ")"))))
        return wrong(r, "(\"name\")");
    while (names.n > 0)
        is_named = str_eq(str_cut(&names, ','), name) || is_named;
    is_named = is_named || name.n == 0;
    if (!take(r, "{"))
        return is_named;
    bool holds = or_term(r);
    if (!take(r, "}"))
        return wrong(r, "}");
    return is_named && holds;
}

/* No trace here has any: only read. */
static bool annotation_term(struct reader *r)
{
    if (take(r, "[")) {
        struct str key = next_word(r);
        r->rest = str_skip(r->rest, key.n);
        if (key.n == 0 || !take(r, "]"))
            return wrong(r, "a key in brackets");
    }
    unsigned relation;
    struct str text;
    if (!take_relation(r, EQUAL, ENDS, &relation))
        return false;
    skip_blanks(r);
    if (str_starts(r->rest, STR("\"")) || str_starts(r->rest, STR("'")))
        return take_text(r, &text) && false;
    struct str word = next_word(r);
    r->rest = str_skip(r->rest, word.n);
    return word.n > 0 ? false : wrong(r, "a value");
}

static bool keyword_term(struct reader *r)
{
    const struct xray_trace *f = r->f;
    const struct {
        const char *name;
        bool value;
    } flags[] = {{"ok", !f->is_error && !f->is_fault},
                 {"error", f->is_error},
                 {"fault", f->is_fault},
                 {"throttle", false},
                 {"partial", false}};
    const struct {
        const char *name;
        const int64_t *value;
    } numbers[] = {
        {"responsetime", &f->duration_ms}, {"duration", &f->duration_ms}, {"http.status", NULL}};
    const struct {
        const char *name;
        struct str value;
    } texts[] = {
        {"name", f->names},     {"id", f->id},        {"type", STR("AWS::Lambda::Function")},
        {"http.url", {0}},      {"http.method", {0}}, {"http.useragent", {0}},
        {"http.clientip", {0}}, {"user", {0}},        {"message", {0}}};

    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (take_word(r, flags[i].name))
            return flag_term(r, flags[i].value);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (take_word(r, numbers[i].name))
            return number_term(r, numbers[i].value);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (take_word(r, texts[i].name))
            return text_term(r, texts[i].value);
    return wrong(r, "a keyword such as error, responsetime or service(\"name\")");
}

static bool term(struct reader *r)
{
    if (++r->depth > MAX_DEPTH)
        return wrong(r, "a simpler expression");
    bool result;
    if (take(r, "(")) {
        result = or_term(r);
        result = (take(r, ")") || wrong(r, ")")) && result;
    } else if (take(r, "!") || take_word(r, "NOT")) {
        result = !term(r);
    } else if (take_word(r, "service")) {
        result = service_term(r);
    } else if (str_starts(next_word(r), STR("annotation"))) {
        r->rest = str_skip(r->rest, next_word(r).n);
        result = annotation_term(r);
    } else {
        result = keyword_term(r);
    }
    r->depth--;
    return result;
}

static bool and_term(struct reader *r)
{
    bool result = term(r);

    while (take_word(r, "AND"))
        result = term(r) && result;
    return result;
}

static bool or_term(struct reader *r)
{
    bool result = and_term(r);

    while (take_word(r, "OR"))
        result = and_term(r) || result;
    return result;
}

enum status xray_filter(struct str expression, const struct xray_trace *f, bool *out, struct err *e)
{
    struct reader r = {.all = expression, .rest = expression, .f = f, .e = e};

    skip_blanks(&r);
    bool result = r.rest.n == 0 || or_term(&r);
    skip_blanks(&r);
    if (r.status == OK && r.rest.n > 0)
        wrong(&r, "AND, OR or the end");
    if (r.status == OK)
        *out = result;
    return r.status;
}

/* Reads and judges in one go: expressions are short, and a page has at most some hundred traces. */
#include "executor/xray_filter.h"

#include <string.h>

#include "core/base/macros.h"

#define MAX_DEPTH 32
#define SCALE     9 /* of numbers */
#define ONE       INT64_C(1000000000)

struct reader {
    struct str all, rest;
    const struct xray_trace *trace;
    const struct xray_segment *segment; /* at hand within braces; NULL: the trace is */
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
    skip_blanks(r);
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

/* value: in units of 10^-9; negative: not known. */
static bool number_term(struct reader *r, int64_t value)
{
    int64_t limit = 0;
    unsigned relation;

    if (!take_relation(r, EQUAL, MORE, &relation))
        return false;
    struct str word = next_word(r);
    if (!str_to_scaled(word, SCALE, &limit))
        return wrong(r, "a number with at most nine decimals");
    r->rest = str_skip(r->rest, word.n);
    return value >= 0 && compare(value, relation, limit);
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

static bool take_text_relation(struct reader *r, unsigned *relation)
{
    *relation = EQUAL;
    if (take(r, "="))
        return true;
    if (take(r, "!=")) {
        *relation = UNEQUAL;
        return true;
    }
    return take_relation(r, CONTAINS, ENDS, relation);
}

typedef struct str text_fn(const struct xray_trace *t, const struct xray_segment *s);

/* True when the segment at hand, or one of the trace, says so. */
static bool text_term(struct reader *r, text_fn *value_of)
{
    unsigned relation;
    struct str text;

    if (!take_text_relation(r, &relation) || !take_text(r, &text))
        return false;
    bool has_match = false;
    for (size_t i = 0; i < r->trace->n; i++) {
        const struct xray_segment *s = &r->trace->segments[i];
        struct str value = r->segment && s != r->segment ? (struct str){0} : value_of(r->trace, s);
        has_match = has_match || (value.n > 0 && matches(value, relation, text));
    }
    return has_match;
}

static bool has_relation(struct reader *r)
{
    struct str word = next_word(r);

    for (unsigned i = EQUAL; i < RELATIONS; i++)
        if (i < CONTAINS ? str_starts(r->rest, str_from(relation_names[i]))
                         : str_eq_nocase(word, str_from(relation_names[i])))
            return true;
    return false;
}

/* No segment here has any: only read. Without a comparison it asks whether there is one. */
static bool annotation_term(struct reader *r, struct str word)
{
    unsigned relation;
    struct str text;

    r->rest = str_skip(r->rest, word.n);
    if (take(r, "[")) {
        struct str key = next_word(r);
        r->rest = str_skip(r->rest, key.n);
        if (key.n == 0 || !take(r, "]"))
            return wrong(r, "a key in brackets");
    } else if (!str_starts(word, STR("annotation.")) || word.n == strlen("annotation.")) {
        return wrong(r, "annotation.KEY or annotation[KEY]");
    }
    if (!has_relation(r))
        return false;
    if (!take_relation(r, EQUAL, ENDS, &relation))
        return false;
    skip_blanks(r);
    if (str_starts(r->rest, STR("\"")) || str_starts(r->rest, STR("'")))
        return take_text(r, &text) && false;
    struct str value = next_word(r);
    r->rest = str_skip(r->rest, value.n);
    return value.n > 0 ? false : wrong(r, "a value");
}

/* --- nodes --- */

struct node {
    struct str name, type, account; /* empty: any */
};

/* name: "n", type: "t", account.id: "a" and the closing bracket */
static bool take_id(struct reader *r, struct node *n)
{
    const struct {
        const char *word;
        struct str *to;
    } members[] = {{"name", &n->name}, {"type", &n->type}, {"account.id", &n->account}};

    do {
        size_t i = 0;
        while (i < ARRAY_LEN(members) && !take_word(r, members[i].word))
            i++;
        if (i == ARRAY_LEN(members))
            return wrong(r, "name, type or account.id");
        if (!take(r, ":"))
            return wrong(r, ":");
        if (!take_text(r, members[i].to))
            return false;
    } while (take(r, ","));
    return take(r, ")") || wrong(r, ")");
}

/* Nothing stands for any node. */
static bool take_node(struct reader *r, struct node *n)
{
    *n = (struct node){0};
    skip_blanks(r);
    if (take_word(r, "id"))
        return take(r, "(") ? take_id(r, n) : wrong(r, "(");
    if (r->rest.n > 0 && (r->rest.p[0] == ',' || r->rest.p[0] == ')'))
        return true;
    return take_text(r, &n->name);
}

static bool is_node(const struct node *n, const struct xray_segment *s)
{
    return (n->name.n == 0 || str_eq(n->name, s->name)) &&
           (n->type.n == 0 || str_eq(n->type, s->type)) &&
           (n->account.n == 0 || str_eq(n->account, s->account));
}

static bool or_term(struct reader *r);

/* { expression } of one segment: read from the same place for each. */
static bool braces(struct reader *r, const struct xray_segment *s)
{
    const struct xray_segment *outer = r->segment;

    r->segment = s;
    bool holds = or_term(r);
    r->segment = outer;
    return (take(r, "}") || wrong(r, "}")) && holds;
}

/* Whether one of the segments is meant, and what stands in braces holds of it. from NULL: a
 * service; else an edge, of which the called one is at hand. */
static bool any_segment(struct reader *r, const struct node *from, const struct node *to)
{
    static const struct xray_segment none;
    const struct str begin = r->rest;
    bool has_braces = take(r, "{"), is_found = false, is_read = false;
    struct str inside = r->rest, behind = begin;

    for (size_t i = 0; i < r->trace->n && r->status == OK; i++) {
        const struct xray_segment *s = &r->trace->segments[i];
        bool is_called = s->parent < r->trace->n;
        if (!is_node(to, s) ||
            (from && (!is_called || !is_node(from, &r->trace->segments[s->parent]))))
            continue;
        r->rest = inside;
        is_found = (!has_braces || braces(r, s)) || is_found;
        behind = r->rest;
        is_read = true;
    }
    if (has_braces && !is_read) { /* of nobody, for its errors */
        r->rest = inside;
        braces(r, &none);
        behind = r->rest;
    }
    if (r->status == OK)
        r->rest = behind;
    return is_found;
}

static bool service_term(struct reader *r)
{
    struct node node;

    if (!take(r, "("))
        return wrong(r, "(");
    if (!take_node(r, &node))
        return false;
    if (!take(r, ")"))
        return wrong(r, ")");
    return any_segment(r, NULL, &node);
}

static bool edge_term(struct reader *r)
{
    struct node from, to;

    if (!take(r, "("))
        return wrong(r, "(");
    if (!take_node(r, &from))
        return false;
    if (!take(r, ","))
        return wrong(r, ",");
    if (!take_node(r, &to))
        return false;
    if (!take(r, ")"))
        return wrong(r, ")");
    return any_segment(r, &from, &to);
}

/* --- keywords --- */

static struct str name_of(const struct xray_trace *t, const struct xray_segment *s)
{
    UNUSED(t);
    return s->name;
}

static struct str id_of(const struct xray_trace *t, const struct xray_segment *s)
{
    UNUSED(s);
    return t->id;
}

static struct str type_of(const struct xray_trace *t, const struct xray_segment *s)
{
    UNUSED(t);
    return s->type;
}

static struct str arn_of(const struct xray_trace *t, const struct xray_segment *s)
{
    UNUSED(t);
    return s->resource_arn;
}

static struct str url_of(const struct xray_trace *t, const struct xray_segment *s)
{
    UNUSED(t);
    return s->url;
}

static struct str method_of(const struct xray_trace *t, const struct xray_segment *s)
{
    UNUSED(t);
    return s->method;
}

static struct str agent_of(const struct xray_trace *t, const struct xray_segment *s)
{
    UNUSED(t);
    return s->agent;
}

static struct str client_of(const struct xray_trace *t, const struct xray_segment *s)
{
    UNUSED(t);
    return s->client;
}

static struct str nothing_of(const struct xray_trace *t, const struct xray_segment *s)
{
    UNUSED(t);
    UNUSED(s);
    return (struct str){0};
}

static bool take_text_keyword(struct reader *r, bool *result)
{
    static const struct {
        const char *name;
        text_fn *value;
    } texts[] = {{"name", name_of},
                 {"id", id_of},
                 {"type", type_of},
                 {"resource.arn", arn_of},
                 {"http.url", url_of},
                 {"http.method", method_of},
                 {"http.useragent", agent_of},
                 {"http.clientip", client_of},
                 {"user", nothing_of},
                 {"message", nothing_of},
                 {"availabilityzone", nothing_of},
                 {"instance.id", nothing_of}};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (take_word(r, texts[i].name)) {
            *result = text_term(r, texts[i].value);
            return true;
        }
    return false;
}

static bool has_open(const struct reader *r)
{
    for (size_t i = 0; i < r->trace->n; i++)
        if (r->trace->segments[i].is_open && (!r->segment || r->segment == &r->trace->segments[i]))
            return true;
    return false;
}

static bool take_flag(struct reader *r, const struct xray_segment *s, bool *result)
{
    const struct {
        const char *name;
        bool value;
    } flags[] = {{"ok", !s->is_error && !s->is_fault && !s->is_throttle},
                 {"error", s->is_error},
                 {"fault", s->is_fault},
                 {"throttle", s->is_throttle},
                 {"partial", has_open(r)},
                 {"inferred", false},
                 {"root", s->parent == XRAY_NO_SEGMENT}};

    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (take_word(r, flags[i].name)) {
            *result = flag_term(r, flags[i].value);
            return true;
        }
    return false;
}

static bool take_number(struct reader *r, const struct xray_segment *s, bool *result)
{
    int64_t own_ns = (s->end_us - s->begin_us) * 1000;
    int64_t all_ns = (xray_trace_end_us(r->trace) - xray_trace_begin_us(r->trace)) * 1000;
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"responsetime", own_ns},
                   {"duration", r->segment ? own_ns : all_ns},
                   {"http.status", s->http_status > 0 ? s->http_status * ONE : -1}};

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (take_word(r, numbers[i].name)) {
            *result = number_term(r, numbers[i].value);
            return true;
        }
    return false;
}

/* What AWS knows and the segments do not say. */
static bool refuse_unanswered(struct reader *r)
{
    static const char *const names[] = {"group.name", "group.arn", "json",   "rootcause", "index",
                                        "first",      "last",      "remote", "coverage"};
    struct str word = next_word(r);

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(str_sub(word, 0, strlen(names[i])), str_from(names[i])))
            return wrong(r, "a keyword that segments answer (not groups, json() or root causes)");
    return wrong(r, "a keyword such as error, responsetime or service(\"name\")");
}

static bool keyword_term(struct reader *r)
{
    static const struct xray_segment none = {.parent = XRAY_NO_SEGMENT};
    const struct xray_segment *s = r->segment;
    bool result;

    if (!s)
        s = r->trace->root < r->trace->n ? &r->trace->segments[r->trace->root] : &none;
    if (take_flag(r, s, &result) || take_number(r, s, &result) || take_text_keyword(r, &result))
        return result;
    return refuse_unanswered(r);
}

static bool term(struct reader *r)
{
    if (++r->depth > MAX_DEPTH)
        return wrong(r, "a simpler expression");
    bool result;
    struct str word = next_word(r);
    if (take(r, "(")) {
        result = or_term(r);
        result = (take(r, ")") || wrong(r, ")")) && result;
    } else if (take(r, "!") || take_word(r, "NOT")) {
        result = !term(r);
    } else if (take_word(r, "service")) {
        result = service_term(r);
    } else if (take_word(r, "edge")) {
        result = edge_term(r);
    } else if (str_starts(word, STR("annotation"))) {
        result = annotation_term(r, word);
    } else {
        result = keyword_term(r);
    }
    r->depth--;
    return result;
}

/* "ok !partial duration < 3": what stands side by side holds together. */
static bool begins_term(struct reader *r)
{
    struct str word = next_word(r);

    if (r->status != OK || str_eq_nocase(word, STR("OR")))
        return false;
    return word.n > 0 || (r->rest.n > 0 && (r->rest.p[0] == '!' || r->rest.p[0] == '('));
}

static bool and_term(struct reader *r)
{
    bool result = term(r);

    while (take_word(r, "AND") || begins_term(r))
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

enum status xray_filter(struct str expression, const struct xray_trace *t, bool *out, struct err *e)
{
    struct reader r = {.all = expression, .rest = expression, .trace = t, .e = e};

    skip_blanks(&r);
    bool result = r.rest.n == 0 || or_term(&r);
    skip_blanks(&r);
    if (r.status == OK && r.rest.n > 0)
        wrong(&r, "AND, OR or the end");
    if (r.status == OK)
        *out = result;
    return r.status;
}

/* { $.a.b[0] = "x*" && ($.n > 1 || $.c NOT EXISTS) }: a small tree, walked for each event. */
#include "executor/log_filter_json.h"

#include <stdlib.h>

#include "core/base/json.h"
#include "core/base/re.h"

#define DEPTH_MAX 16
#define SCALE     9 /* numbers are compared as integers of 10^-9 */

enum node_kind { NODE_AND, NODE_OR, NODE_COMPARE, NODE_IS, NODE_MISSING };
enum compare { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE };
enum literal { IS_NULL, IS_TRUE, IS_FALSE };

struct step {
    struct str name; /* empty: element `index` */
    size_t index;
    struct step *next;
};

struct json_condition {
    enum node_kind kind;
    struct json_condition *left, *right;
    struct step *path;
    enum compare compare;
    enum literal literal;
    struct str text; /* of a comparison */
    struct re *re;   /* of %...%; NULL: text */
    bool is_number;
    int64_t number;
};

struct parser {
    struct arena *arena;
    struct str rest;
    unsigned depth;
    struct json_regex **regexes;
    struct err *e;
};

static enum status parse_or(struct parser *p, struct json_condition **out);

static enum status fail(struct parser *p, const char *what)
{
    return err_set(p->e, ERR_PARSE, "Invalid filter pattern: %s at \"" STR_FMT "\"", what,
                   STR_ARG(str_sub(p->rest, 0, 30)));
}

static bool take(struct parser *p, const char *word)
{
    p->rest = str_trim(p->rest);
    if (!str_starts(p->rest, str_from(word)))
        return false;
    p->rest = str_skip(p->rest, str_from(word).n);
    return true;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '@';
}

static struct str take_name(struct parser *p)
{
    size_t n = 0;

    while (n < p->rest.n && is_name_char(p->rest.p[n]))
        n++;
    struct str name = str_sub(p->rest, 0, n);
    p->rest = str_skip(p->rest, n);
    return name;
}

/* "..." or '...' */
static bool take_quoted(struct parser *p, struct str *out)
{
    char quote = p->rest.n > 0 ? p->rest.p[0] : '\0';
    char *text = arena_alloc(p->arena, p->rest.n + 1);
    size_t n = 0, i = 1;

    if (quote != '"' && quote != '\'')
        return false;
    for (; i < p->rest.n && p->rest.p[i] != quote; i++) {
        if (p->rest.p[i] == '\\' && i + 1 < p->rest.n)
            i++;
        text[n++] = p->rest.p[i];
    }
    if (i >= p->rest.n)
        return false;
    *out = (struct str){text, n};
    p->rest = str_skip(p->rest, i + 1);
    return true;
}

/* [0] or ['name'], after the bracket */
static enum status parse_bracket(struct parser *p, struct step *step)
{
    uint64_t index;

    if (!take_quoted(p, &step->name)) {
        struct str digits = take_name(p);
        if (!str_to_u64(digits, &index))
            return fail(p, "an index or name is expected");
        step->index = (size_t)index;
    }
    return take(p, "]") ? OK : fail(p, "] is expected");
}

static enum status parse_path(struct parser *p, struct step **out)
{
    struct step **last = out;

    if (!take(p, "$"))
        return fail(p, "$. is expected");
    while (p->rest.n > 0 && (p->rest.p[0] == '.' || p->rest.p[0] == '[')) {
        struct step *step = arena_new(p->arena, struct step, 1);
        bool is_bracket = p->rest.p[0] == '[';
        p->rest = str_skip(p->rest, 1);
        if (is_bracket && parse_bracket(p, step) != OK)
            return ERR_PARSE;
        if (!is_bracket) {
            step->name = take_name(p);
            if (step->name.n == 0)
                return fail(p, "a name is expected");
        }
        *last = step;
        last = &step->next;
    }
    return *out ? OK : fail(p, "a name is expected");
}

static bool take_compare(struct parser *p, enum compare *out)
{
    static const struct {
        const char *text;
        enum compare compare;
    } table[] = {{"!=", CMP_NE}, {"<=", CMP_LE}, {">=", CMP_GE},
                 {"=", CMP_EQ},  {"<", CMP_LT},  {">", CMP_GT}};

    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (take(p, table[i].text)) {
            *out = table[i].compare;
            return true;
        }
    return false;
}

/* %...% */
static enum status parse_regex(struct parser *p, struct json_condition *c)
{
    struct str body = str_skip(p->rest, 1);
    struct json_regex *own;
    const size_t end = str_find_char(body, '%');

    if (end == body.n)
        return fail(p, "% is not closed");
    if (c->compare != CMP_EQ && c->compare != CMP_NE)
        return fail(p, "= or != is expected");
    if (re_new(str_sub(body, 0, end), "", &c->re, p->e) != OK) {
        (void)err_wrap(p->e, "Invalid filter pattern");
        return ERR_PARSE;
    }
    own = arena_new(p->arena, struct json_regex, 1);
    *own = (struct json_regex){.re = c->re, .next = *p->regexes};
    *p->regexes = own;
    p->rest = str_skip(body, end + 1);
    return OK;
}

static enum status parse_value(struct parser *p, struct json_condition *c)
{
    p->rest = str_trim(p->rest);
    if (take_quoted(p, &c->text))
        return OK;
    if (str_starts(p->rest, STR("%")))
        return parse_regex(p, c);
    size_t n = 0;
    while (n < p->rest.n && p->rest.p[n] != ' ' && p->rest.p[n] != ')' && p->rest.p[n] != '&' &&
           p->rest.p[n] != '|')
        n++;
    c->text = str_sub(p->rest, 0, n);
    p->rest = str_skip(p->rest, n);
    c->is_number = str_to_scaled(c->text, SCALE, &c->number);
    return n > 0 ? OK : fail(p, "a value is expected");
}

static enum status parse_condition(struct parser *p, struct json_condition **out)
{
    static const struct {
        const char *text;
        enum literal literal;
    } literals[] = {{"NULL", IS_NULL}, {"TRUE", IS_TRUE}, {"FALSE", IS_FALSE}};
    struct json_condition *c = arena_new(p->arena, struct json_condition, 1);

    if (parse_path(p, &c->path) != OK)
        return ERR_PARSE;
    *out = c;
    if (take(p, "NOT EXISTS")) {
        c->kind = NODE_MISSING;
        return OK;
    }
    if (take(p, "IS ")) {
        c->kind = NODE_IS;
        for (size_t i = 0; i < ARRAY_LEN(literals); i++)
            if (take(p, literals[i].text)) {
                c->literal = literals[i].literal;
                return OK;
            }
        return fail(p, "NULL, TRUE or FALSE is expected");
    }
    c->kind = NODE_COMPARE;
    return take_compare(p, &c->compare) ? parse_value(p, c) : fail(p, "a comparison is expected");
}

static enum status parse_factor(struct parser *p, struct json_condition **out)
{
    if (!take(p, "("))
        return parse_condition(p, out);
    if (++p->depth > DEPTH_MAX)
        return fail(p, "too deep");
    if (parse_or(p, out) != OK)
        return ERR_PARSE;
    p->depth--;
    return take(p, ")") ? OK : fail(p, ") is expected");
}

static enum status parse_chain(struct parser *p, enum node_kind kind, const char *word,
                               enum status (*part)(struct parser *p, struct json_condition **out),
                               struct json_condition **out)
{
    struct json_condition *left = NULL;

    if (part(p, &left) != OK)
        return ERR_PARSE;
    while (take(p, word)) {
        struct json_condition *node = arena_new(p->arena, struct json_condition, 1);
        *node = (struct json_condition){.kind = kind, .left = left};
        if (part(p, &node->right) != OK)
            return ERR_PARSE;
        left = node;
    }
    *out = left;
    return OK;
}

static enum status parse_and(struct parser *p, struct json_condition **out)
{
    return parse_chain(p, NODE_AND, "&&", parse_factor, out);
}

static enum status parse_or(struct parser *p, struct json_condition **out)
{
    return parse_chain(p, NODE_OR, "||", parse_and, out);
}

void json_regexes_free(struct json_regex *list)
{
    for (; list != NULL; list = list->next)
        re_free(list->re);
}

enum status json_condition_parse(struct arena *a, struct str text, struct json_regex **regexes,
                                 struct json_condition **out, struct err *e)
{
    struct parser p = {.arena = a, .rest = text, .regexes = regexes, .e = e};
    struct json_condition *c;

    if (parse_or(&p, &c) != OK)
        return ERR_PARSE;
    if (str_trim(p.rest).n > 0)
        return fail(&p, "nothing more is expected");
    *out = c;
    return OK;
}

/* --- matching --- */

static const struct json *follow(const struct json *v, const struct step *step)
{
    struct str name;
    const struct json *member, *found;

    for (; v && step; step = step->next) {
        if (step->name.n == 0) {
            v = json_has_elements(v) ? json_at(v, step->index) : NULL;
            continue;
        }
        found = NULL;
        for (size_t it = 0; json_has_members(v) && json_each(v, &it, &name, &member);)
            if (str_eq(name, step->name))
                found = member;
        v = found;
    }
    return v;
}

static bool holds(enum compare c, int order)
{
    static const bool table[6][3] = {
        [CMP_EQ] = {false, true, false}, [CMP_NE] = {true, false, true},
        [CMP_LT] = {true, false, false}, [CMP_LE] = {true, true, false},
        [CMP_GT] = {false, false, true}, [CMP_GE] = {false, true, true}};

    return table[c][order < 0 ? 0 : order == 0 ? 1 : 2];
}

static bool match_compare(const struct json_condition *c, const struct json *v)
{
    struct str text;
    int64_t number;

    if (!v)
        return false;
    if (c->is_number && json_scaled(v, SCALE, &number))
        return holds(c->compare, number < c->number ? -1 : number > c->number);
    if (!json_str(v, &text) || (c->compare != CMP_EQ && c->compare != CMP_NE))
        return false;
    bool is_same = c->re != NULL                             ? re_match(c->re, text, NULL, NULL)
                   : str_find_char(c->text, '*') < c->text.n ? str_glob(c->text, text)
                                                             : str_eq(c->text, text);
    return is_same == (c->compare == CMP_EQ);
}

static bool match_literal(const struct json_condition *c, const struct json *v)
{
    bool flag;

    if (c->literal == IS_NULL)
        return v && json_says_null(v);
    return v && json_bool(v, &flag) && flag == (c->literal == IS_TRUE);
}

/* The depth was bounded when it was parsed; a chain goes down its left side. */
static bool match(const struct json_condition *c, const struct json *root)
{
    switch (c->kind) {
    case NODE_AND:
        return match(c->left, root) && match(c->right, root);
    case NODE_OR:
        return match(c->left, root) || match(c->right, root);
    case NODE_COMPARE:
        return match_compare(c, follow(root, c->path));
    case NODE_IS:
        return match_literal(c, follow(root, c->path));
    case NODE_MISSING:
        return !follow(root, c->path);
    }
    return false;
}

bool json_condition_match(const struct json_condition *c, struct str message)
{
    struct json_doc *doc;

    if (str_trim(message).n == 0 || json_parse(str_trim(message), &doc, NULL) != OK)
        return false;
    bool is_match = match(c, json_root(doc));
    json_doc_free(doc);
    return is_match;
}

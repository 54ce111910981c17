/* { $.a.b[0] = "x*" && ($.n > 1 || $.c NOT EXISTS) }: a small tree, walked for each event. */
#include "executor/log_filter_json.h"

#include <stdio.h>

#include "core/base/json.h"
#include "core/base/macros.h"

#define NUMBER_CHARS 40

enum node_kind { NODE_AND, NODE_OR, NODE_COMPARE, NODE_IS, NODE_MISSING };
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
    enum literal literal;
    struct filter_value value; /* of a comparison */
};

static enum status parse_or(struct filter_reader *p, struct json_condition **out);

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '@';
}

static struct str take_name(struct filter_reader *p)
{
    size_t n = 0;

    while (n < p->rest.n && is_name_char(p->rest.p[n]))
        n++;
    struct str name = str_sub(p->rest, 0, n);
    p->rest = str_skip(p->rest, n);
    return name;
}

/* [0] or ['name'], after the bracket */
static enum status parse_bracket(struct filter_reader *p, struct step *step)
{
    uint64_t index;

    if (!filter_take_quoted(p, &step->name)) {
        struct str digits = take_name(p);
        if (!str_to_u64(digits, &index))
            return filter_fail(p, "an index or name is expected");
        step->index = (size_t)index;
    }
    return filter_take(p, "]") ? OK : filter_fail(p, "] is expected");
}

static enum status parse_path(struct filter_reader *p, struct step **out)
{
    struct step **last = out;

    if (!filter_take(p, "$"))
        return filter_fail(p, "$. is expected");
    while (p->rest.n > 0 && (p->rest.p[0] == '.' || p->rest.p[0] == '[')) {
        struct step *step = arena_new(p->arena, struct step, 1);
        p->rest = str_skip(p->rest, str_starts(p->rest, STR(".["))); /* $.['a.b'] */
        bool is_bracket = p->rest.p[0] == '[';
        p->rest = str_skip(p->rest, 1);
        if (is_bracket && parse_bracket(p, step) != OK)
            return ERR_PARSE;
        if (!is_bracket) {
            step->name = take_name(p);
            if (step->name.n == 0)
                return filter_fail(p, "a name is expected");
        }
        *last = step;
        last = &step->next;
    }
    return *out ? OK : filter_fail(p, "a name is expected");
}

static enum status parse_condition(struct filter_reader *p, struct json_condition **out)
{
    static const struct {
        const char *text;
        enum literal literal;
    } literals[] = {{"NULL", IS_NULL}, {"TRUE", IS_TRUE}, {"FALSE", IS_FALSE}};
    struct json_condition *c = arena_new(p->arena, struct json_condition, 1);

    if (parse_path(p, &c->path) != OK)
        return ERR_PARSE;
    *out = c;
    if (filter_take(p, "NOT EXISTS")) {
        c->kind = NODE_MISSING;
        return OK;
    }
    if (filter_take(p, "IS ")) {
        c->kind = NODE_IS;
        for (size_t i = 0; i < ARRAY_LEN(literals); i++)
            if (filter_take(p, literals[i].text)) {
                c->literal = literals[i].literal;
                return OK;
            }
        return filter_fail(p, "NULL, TRUE or FALSE is expected");
    }
    c->kind = NODE_COMPARE;
    return filter_value_parse(p, ")&|", &c->value);
}

static enum status parse_factor(struct filter_reader *p, struct json_condition **out)
{
    if (!filter_take(p, "("))
        return parse_condition(p, out);
    if (!filter_deeper(p))
        return filter_fail(p, "too deep");
    if (parse_or(p, out) != OK)
        return ERR_PARSE;
    p->depth--;
    return filter_take(p, ")") ? OK : filter_fail(p, ") is expected");
}

static enum status parse_chain(struct filter_reader *p, enum node_kind kind, const char *word,
                               enum status (*part)(struct filter_reader *p,
                                                   struct json_condition **out),
                               struct json_condition **out)
{
    struct json_condition *left = NULL;

    if (part(p, &left) != OK)
        return ERR_PARSE;
    while (filter_take(p, word)) {
        struct json_condition *node = arena_new(p->arena, struct json_condition, 1);
        *node = (struct json_condition){.kind = kind, .left = left};
        if (part(p, &node->right) != OK)
            return ERR_PARSE;
        left = node;
    }
    *out = left;
    return OK;
}

static enum status parse_and(struct filter_reader *p, struct json_condition **out)
{
    return parse_chain(p, NODE_AND, "&&", parse_factor, out);
}

static enum status parse_or(struct filter_reader *p, struct json_condition **out)
{
    return parse_chain(p, NODE_OR, "||", parse_and, out);
}

enum status json_condition_parse(struct arena *a, struct str text, struct filter_regex **regexes,
                                 struct json_condition **out, struct err *e)
{
    struct filter_reader p = {.arena = a, .rest = text, .regexes = regexes, .e = e};
    struct json_condition *c;

    if (parse_or(&p, &c) != OK)
        return ERR_PARSE;
    if (str_trim(p.rest).n > 0)
        return filter_fail(&p, "nothing more is expected");
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

/* A number as a text, for patterns such as 4*. */
static struct str number_text(const struct json *v, int64_t scaled, char room[NUMBER_CHARS])
{
    int64_t integer, size = scaled < 0 ? -scaled : scaled;

    if (json_i64(v, &integer)) {
        snprintf(room, NUMBER_CHARS, "%lld", (long long)integer);
        return str_from(room);
    }
    int n = snprintf(room, NUMBER_CHARS, "%s%lld.%09lld", scaled < 0 ? "-" : "",
                     (long long)(size / FILTER_ONE), (long long)(size % FILTER_ONE));
    while (room[n - 1] == '0')
        n--;
    return (struct str){room, (size_t)n};
}

static bool match_compare(const struct json_condition *c, const struct json *v)
{
    struct str text;
    int64_t number;
    char room[NUMBER_CHARS];

    bool has_number = v && json_scaled(v, FILTER_SCALE, &number);
    if (v && json_str(v, &text))
        return filter_value_match(&c->value, text, has_number ? &number : NULL);
    if (!has_number)
        return false;
    bool is_pattern = str_find_char(c->value.text, '*') < c->value.text.n;
    text = number_text(v, number, room);
    return (c->value.is_number || is_pattern) && filter_value_match(&c->value, text, &number);
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

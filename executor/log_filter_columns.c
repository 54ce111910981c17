/* [a, b = x*, ...]: the conditions of each field, one behind the other; the event is cut into
 * fields as it is matched. */
#include "executor/log_filter_columns.h"

#include "core/base/macros.h"

#define COLUMNS_MAX 128

enum node_kind { COLUMN_AND, COLUMN_OR, COLUMN_VALUE };

struct node {
    enum node_kind kind;
    struct node *left, *right;
    struct filter_value value;
};

struct columns {
    struct node *conditions[COLUMNS_MAX]; /* NULL: any */
    size_t n, rest_at;                    /* rest_at: how many stand before "..."; n + 1: none */
};

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static struct str take_name(struct filter_reader *r)
{
    size_t n = 0;

    r->rest = str_trim(r->rest);
    while (n < r->rest.n && is_name_char(r->rest.p[n]))
        n++;
    struct str name = str_sub(r->rest, 0, n);
    r->rest = str_skip(r->rest, n);
    return name;
}

static enum status parse_any(struct filter_reader *r, struct str *name, struct node **out);

/* name OPERATOR value; all conditions of a field are of its one name. */
static enum status parse_one(struct filter_reader *r, struct str *name, struct node **out)
{
    if (filter_take(r, "(")) {
        if (!filter_deeper(r))
            return filter_fail(r, "too deep");
        if (parse_any(r, name, out) != OK)
            return ERR_PARSE;
        r->depth--;
        return filter_take(r, ")") ? OK : filter_fail(r, ") is expected");
    }
    struct str own = take_name(r);
    if (own.n == 0 || (name->n > 0 && !str_eq(own, *name)))
        return filter_fail(r, own.n == 0 ? "a name is expected" : "another name in one field");
    *name = own;
    r->rest = str_trim(r->rest);
    if (r->rest.n == 0 || r->rest.p[0] == ',')
        return OK;
    *out = arena_new(r->arena, struct node, 1);
    (*out)->kind = COLUMN_VALUE;
    return filter_value_parse(r, ",&|)", &(*out)->value);
}

static enum status parse_row(struct filter_reader *r, struct str *name, enum node_kind kind,
                             struct node **out)
{
    const char *word = kind == COLUMN_AND ? "&&" : "||";
    struct node *left = NULL;

    enum status s =
        kind == COLUMN_AND ? parse_one(r, name, &left) : parse_row(r, name, COLUMN_AND, &left);
    while (s == OK && filter_take(r, word)) {
        struct node *node = arena_new(r->arena, struct node, 1);
        *node = (struct node){.kind = kind, .left = left};
        s = kind == COLUMN_AND ? parse_one(r, name, &node->right)
                               : parse_row(r, name, COLUMN_AND, &node->right);
        if (s == OK && (!node->left || !node->right))
            return filter_fail(r, "a comparison is expected");
        left = node;
    }
    *out = left;
    return s;
}

static enum status parse_any(struct filter_reader *r, struct str *name, struct node **out)
{
    return parse_row(r, name, COLUMN_OR, out);
}

static enum status parse_column(struct filter_reader *r, struct columns *c)
{
    struct str name = {0};

    if (filter_take(r, "...")) {
        if (c->rest_at <= COLUMNS_MAX)
            return filter_fail(r, "a second ...");
        c->rest_at = c->n;
        return OK;
    }
    if (c->n == COLUMNS_MAX)
        return filter_fail(r, "too many fields");
    r->rest = str_trim(r->rest);
    struct node **condition = &c->conditions[c->n++];
    bool is_blank = r->rest.n == 0 || r->rest.p[0] == ',';
    return is_blank ? OK : parse_any(r, &name, condition);
}

enum status columns_parse(struct arena *a, struct str text, struct filter_regex **regexes,
                          struct columns **out, struct err *e)
{
    struct filter_reader r = {.arena = a, .rest = text, .regexes = regexes, .e = e};
    struct columns *c = arena_new(a, struct columns, 1);

    c->rest_at = COLUMNS_MAX + 1;
    do
        if (parse_column(&r, c) != OK)
            return ERR_PARSE;
    while (filter_take(&r, ","));
    if (str_trim(r.rest).n > 0)
        return filter_fail(&r, ", or ] is expected");
    *out = c;
    return OK;
}

/* --- matching --- */

static char closing(char c)
{
    return c == '[' ? ']' : c == '"' ? '"' : ' ';
}

/* The next field of an event; a quote or bracket that is not closed is a character as others. */
static bool next_field(struct str *rest, struct str *field)
{
    *rest = str_trim(*rest);
    if (rest->n == 0)
        return false;
    char end = closing(rest->p[0]);
    struct str inside = str_skip(*rest, 1);
    size_t n = str_find_char(inside, end);
    if (end != ' ' && n < inside.n) {
        *field = str_sub(inside, 0, n);
        *rest = str_skip(inside, n + 1);
        return true;
    }
    n = str_find_char(*rest, ' ');
    *field = str_sub(*rest, 0, n);
    *rest = str_skip(*rest, n);
    return true;
}

static bool match_field(const struct node *n, struct str field)
{
    int64_t number;

    if (!n)
        return true;
    if (n->kind == COLUMN_VALUE)
        return filter_value_match(&n->value, field,
                                  str_to_scaled(field, FILTER_SCALE, &number) ? &number : NULL);
    bool left = match_field(n->left, field);
    return n->kind == COLUMN_AND ? left && match_field(n->right, field)
                                 : left || match_field(n->right, field);
}

static size_t count_fields(struct str message)
{
    struct str field;
    size_t n = 0;

    while (next_field(&message, &field))
        n++;
    return n;
}

bool columns_match(const struct columns *c, struct str message)
{
    size_t n = count_fields(message), skipped;
    bool has_rest = c->rest_at <= COLUMNS_MAX;
    struct str field;

    if (n < c->n || (n > c->n && !has_rest))
        return false;
    skipped = n - c->n;
    for (size_t i = 0; next_field(&message, &field); i++) {
        if (has_rest && i >= c->rest_at && i < c->rest_at + skipped)
            continue;
        size_t at = has_rest && i >= c->rest_at ? i - skipped : i;
        if (!match_field(c->conditions[at], field))
            return false;
    }
    return true;
}

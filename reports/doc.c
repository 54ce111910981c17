/* Building the document tree. */
#include "reports/doc.h"

void doc_init(struct doc *d, struct arena *a)
{
    *d = (struct doc){.arena = a};
}

struct str doc_key(const struct doc *d, const char *key)
{
    AUTO(buf_clear) struct buf b = {.max = 128};

    if (d->part.n == 0 || str_eq(d->part, d->currency))
        return str_from(key);
    buf_addf(&b, "%s_", key);
    for (size_t i = 0; i < d->part.n; i++)
        buf_add_c(&b, (char)(d->part.p[i] | 0x20));
    return arena_str(d->arena, buf_str(&b));
}

struct doc_section *doc_section(struct doc *d, const char *key, const char *title)
{
    struct doc_section *s = arena_new(d->arena, struct doc_section, 1);

    s->kind = str_from(key);
    s->key = doc_key(d, key);
    s->title = d->part.n == 0 ? str_from(title)
                              : arena_printf(d->arena, "%s in " STR_FMT, title, STR_ARG(d->part));
    *(d->last ? &d->last->next : &d->first) = s;
    d->last = s;
    return s;
}

static struct doc_node *add_node(struct doc *d, struct doc_section *s, enum node_type type,
                                 const char *key)
{
    struct doc_node *n = arena_new(d->arena, struct doc_node, 1);

    n->type = type;
    n->key = str_from(key);
    *(s->last ? &s->last->next : &s->first) = n;
    s->last = n;
    return n;
}

void doc_text(struct doc *d, struct doc_section *s, enum tone tone, struct str text)
{
    struct doc_node *n = add_node(d, s, NODE_TEXT, "text");

    n->text = text;
    n->tone = tone;
}

struct doc_figure *doc_figures(struct doc *d, struct doc_section *s, const char *key, size_t n)
{
    struct doc_node *node = add_node(d, s, NODE_FIGURES, key);

    node->n = n;
    return node->figures = arena_new(d->arena, struct doc_figure, n);
}

struct doc_bar *doc_bars(struct doc *d, struct doc_section *s, const char *key, size_t n)
{
    struct doc_node *node = add_node(d, s, NODE_BARS, key);

    node->n = n;
    return node->bars = arena_new(d->arena, struct doc_bar, n);
}

struct table *doc_table(struct doc *d, struct doc_section *s, const char *key,
                        const struct table_column *columns, size_t n_columns)
{
    struct doc_node *node = add_node(d, s, NODE_TABLE, key);

    node->table = arena_new(d->arena, struct table, 1);
    table_init(node->table, d->arena, columns, n_columns, key, 1);
    return node->table;
}

struct doc_series *doc_series(struct doc *d, struct doc_section *s, const char *key)
{
    return &add_node(d, s, NODE_SERIES, key)->series;
}

const char *tone_sign(enum tone t)
{
    static const char *const signs[] = {"", "+", "!", "x"};

    return signs[t];
}

struct str column_unit(const char *name)
{
    static const char *const units[][2] = {
        {"_ms", "ms"}, {"_share", "share"}, {"_seconds", "s"},
        {"_mb", "MB"}, {"_bytes", "bytes"}, {"_time", "time"},
    };

    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_ends(str_from(name), str_from(units[i][0])))
            return str_from(units[i][1]);
    return (struct str){0};
}

bool doc_wants(const struct doc *d, const struct doc_section *s, const struct doc_node *n)
{
    struct str item = d->only;
    struct str section = str_cut(&item, '.');

    if (d->only.n == 0)
        return true;
    if (!str_eq(section, s->key) && !str_eq(section, s->kind))
        return false;
    return item.n == 0 || n == NULL || str_eq(item, n->key);
}

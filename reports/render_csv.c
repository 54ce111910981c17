/* The report as one CSV table. Whole: one value a line, as section, item, row, key, value, unit.
 * One item alone (--section functions, --section cost.components): its own rows and columns. */
#include "reports/doc.h"

enum { L_SECTION, L_ITEM, L_ROW, L_KEY, L_VALUE, L_UNIT, L_COLUMNS };

static const struct table_column long_columns[L_COLUMNS] = {
    [L_SECTION] = {.name = "section"}, [L_ITEM] = {.name = "item"},   [L_ROW] = {.name = "row"},
    [L_KEY] = {.name = "key"},         [L_VALUE] = {.name = "value"}, [L_UNIT] = {.name = "unit"},
};

/* Where a line stands. */
struct place {
    struct str section, item, row;
};

static void value_cell(struct table *t, size_t column, enum cell_type type, struct str raw)
{
    if (type == CELL_NULL || !raw.p)
        return;
    if (type == CELL_TEXT)
        table_text(t, column, raw);
    else
        table_money(t, column, raw, raw); /* as it is, whatever kind of number */
}

static void line(struct table *t, const struct place *p, struct str key, const struct doc_value *v)
{
    table_row(t);
    table_text(t, L_SECTION, p->section);
    table_text(t, L_ITEM, p->item);
    table_text(t, L_ROW, p->row);
    table_text(t, L_KEY, key);
    value_cell(t, L_VALUE, v->type, v->raw);
    table_text(t, L_UNIT, v->unit);
}

/* --- one value a line --- */

static void long_text(struct table *t, struct place *p, const struct doc_node *n)
{
    line(t, p, STR("text"), &(struct doc_value){.type = CELL_TEXT, .raw = n->text});
}

static void long_figures(struct table *t, struct place *p, const struct doc_node *n)
{
    for (size_t i = 0; i < n->n; i++) {
        p->row = n->figures[i].key;
        line(t, p, STR("value"), &n->figures[i].value);
        if (n->figures[i].before.raw.p)
            line(t, p, STR("before"), &n->figures[i].before);
    }
}

static struct str bar_key(const struct doc_bar *b)
{
    return b->key.n > 0 ? b->key : b->label;
}

static void long_bars(struct table *t, struct place *p, const struct doc_node *n)
{
    for (size_t i = 0; i < n->n; i++) {
        p->row = bar_key(&n->bars[i]);
        line(t, p, STR("value"), &n->bars[i].value);
        if (n->bars[i].of.raw.p)
            line(t, p, STR("of"), &n->bars[i].of);
    }
}

/* The currency a row names; empty: none. */
static struct str row_currency(const struct table *t, size_t row)
{
    for (size_t c = 0; c < t->n_columns; c++)
        if (str_eq(str_from(t->columns[c].name), STR("currency")))
            return t->cells[row * t->n_columns + c].raw;
    return (struct str){0};
}

static void long_table(struct table *t, struct place *p, const struct doc_node *n)
{
    const struct table *from = n->table;

    for (size_t r = 0; r < from->n_rows; r++) {
        p->row = arena_printf(t->arena, "%zu", r + 1);
        for (size_t c = 0; c < from->n_columns; c++) {
            const struct table_cell *cell = &from->cells[r * from->n_columns + c];
            const struct doc_value v = {
                .type = cell->type,
                .raw = cell->raw,
                .unit = cell->type == CELL_MONEY ? row_currency(from, r)
                                                 : column_unit(from->columns[c].name),
            };
            line(t, p, str_from(from->columns[c].name), &v);
        }
    }
}

static void long_series(struct table *t, struct place *p, const struct doc_node *n)
{
    for (size_t i = 0; i < n->series.n; i++) {
        p->row = n->series.times[i];
        line(t, p, STR("value"), &n->series.exact[i]);
    }
}

static void add_long(struct table *t, const struct doc *d, const struct doc_section *s)
{
    static void (*const nodes[])(struct table *, struct place *, const struct doc_node *) = {
        [NODE_TEXT] = long_text, [NODE_FIGURES] = long_figures, [NODE_TABLE] = long_table,
        [NODE_BARS] = long_bars, [NODE_SERIES] = long_series,
    };
    size_t texts = 0;

    for (const struct doc_node *n = s->first; n; n = n->next) {
        struct place p = {.section = s->key, .item = n->key};
        if (!doc_wants(d, s, n))
            continue;
        if (n->type == NODE_TEXT)
            p.row = arena_printf(t->arena, "%zu", ++texts);
        nodes[n->type](t, &p, n);
    }
}

/* --- one item with its own columns --- */

/* A row of figures or bars; `other` is what it is compared with, or measured against. */
static void wide_line(struct table *t, struct str key, struct str label, const struct doc_value *v,
                      const struct doc_value *other)
{
    table_row(t);
    table_text(t, 0, key);
    table_text(t, 1, label);
    value_cell(t, 2, v->type, v->raw);
    table_text(t, 3, v->unit);
    value_cell(t, 4, other->type, other->raw);
}

static void wide_lines(const struct doc_node *n, struct arena *a, struct buf *out)
{
    const bool is_figures = n->type == NODE_FIGURES;
    const struct table_column columns[] = {{.name = "key"},
                                           {.name = "label"},
                                           {.name = "value"},
                                           {.name = "unit"},
                                           {.name = is_figures ? "before" : "of"}};
    struct table t;

    table_init(&t, a, columns, ARRAY_LEN(columns), "", 1);
    for (size_t i = 0; is_figures && i < n->n; i++) {
        const struct doc_figure *f = &n->figures[i];
        wide_line(&t, f->key, f->label, &f->value, &f->before);
    }
    for (size_t i = 0; !is_figures && i < n->n; i++) {
        const struct doc_bar *b = &n->bars[i];
        wide_line(&t, bar_key(b), b->label, &b->value, &b->of);
    }
    table_print(&t, TABLE_CSV, true, out);
}

static void wide_series(const struct doc_node *n, struct arena *a, struct buf *out)
{
    static const struct table_column columns[] = {
        {.name = "time"}, {.name = "value"}, {.name = "unit"}};
    struct table t;

    table_init(&t, a, columns, ARRAY_LEN(columns), "", 1);
    for (size_t i = 0; i < n->series.n; i++) {
        table_row(&t);
        table_text(&t, 0, n->series.times[i]);
        value_cell(&t, 1, n->series.exact[i].type, n->series.exact[i].raw);
        table_text(&t, 2, n->series.exact[i].unit);
    }
    table_print(&t, TABLE_CSV, true, out);
}

static void wide_table(const struct doc_node *n, struct arena *a, struct buf *out)
{
    UNUSED(a);
    table_print(n->table, TABLE_CSV, true, out);
}

/* The one item that is asked for; NULL: there are several, or none. */
static const struct doc_node *only_item(const struct doc *d)
{
    const struct doc_node *found = NULL;

    for (const struct doc_section *s = d->first; s; s = s->next)
        for (const struct doc_node *n = s->first; n; n = n->next) {
            if (n->type == NODE_TEXT || !doc_wants(d, s, n))
                continue;
            if (found)
                return NULL;
            found = n;
        }
    return found;
}

void render_csv(const struct doc *d, const struct render_options *o, struct buf *out)
{
    static void (*const wide[])(const struct doc_node *, struct arena *, struct buf *) = {
        [NODE_FIGURES] = wide_lines,
        [NODE_TABLE] = wide_table,
        [NODE_BARS] = wide_lines,
        [NODE_SERIES] = wide_series,
    };
    const struct doc_node *item = only_item(d);
    struct table t;

    UNUSED(o);
    if (item) {
        wide[item->type](item, d->arena, out);
        return;
    }
    table_init(&t, d->arena, long_columns, L_COLUMNS, "", 1);
    const struct place range = {STR("report"), STR("range"), STR("1")};
    line(&t, &range, STR("since"), &(struct doc_value){CELL_TEXT, d->since, {0}, STR("time")});
    line(&t, &range, STR("until"), &(struct doc_value){CELL_TEXT, d->until, {0}, STR("time")});
    for (const struct doc_section *s = d->first; s; s = s->next)
        if (doc_wants(d, s, NULL))
            add_long(&t, d, s);
    table_print(&t, TABLE_CSV, true, out);
}

/* The report as JSON: one object a section, values as numbers, money as decimal strings, each with
 * its unit; null for what is not known. */
#include "core/base/json.h"
#include "reports/doc.h"

static void json_raw(struct json_out *j, enum cell_type type, struct str raw)
{
    if (type == CELL_NULL || !raw.p)
        jout_null(j);
    else if (type == CELL_TEXT || type == CELL_MONEY)
        jout_str(j, raw);
    else
        jout_raw(j, raw);
}

static void put_raw(struct json_out *j, const char *key, enum cell_type type, struct str raw)
{
    jout_key(j, key);
    json_raw(j, type, raw);
}

static void put_value(struct json_out *j, const struct doc_value *v)
{
    put_raw(j, "value", v->type, v->raw);
    if (v->unit.n > 0)
        jout_put_str(j, "unit", v->unit);
}

/* By their keys: .verdict.figures.cost.value */
static void json_figures(struct json_out *j, const struct doc_node *n)
{
    jout_open(j, '{');
    for (size_t i = 0; i < n->n; i++) {
        const struct doc_figure *f = &n->figures[i];
        jout_key(j, f->key.p);
        jout_open(j, '{');
        jout_put_str(j, "label", f->label);
        put_value(j, &f->value);
        put_raw(j, "before", f->before.type, f->before.raw);
        jout_close(j, '}');
    }
    jout_close(j, '}');
}

static void json_bars(struct json_out *j, const struct doc_node *n)
{
    jout_open(j, '[');
    for (size_t i = 0; i < n->n; i++) {
        const struct doc_bar *b = &n->bars[i];
        jout_open(j, '{');
        jout_put_str(j, "key", b->key.n > 0 ? b->key : b->label);
        jout_put_str(j, "label", b->label);
        put_value(j, &b->value);
        if (b->of.raw.p)
            put_raw(j, "of", b->of.type, b->of.raw);
        jout_close(j, '}');
    }
    jout_close(j, ']');
}

static void json_table(struct json_out *j, const struct doc_node *n)
{
    const struct table *t = n->table;

    jout_open(j, '[');
    for (size_t r = 0; r < t->n_rows; r++) {
        jout_open(j, '{');
        for (size_t c = 0; c < t->n_columns; c++) {
            const struct table_cell *cell = &t->cells[r * t->n_columns + c];
            put_raw(j, t->columns[c].name, cell->type, cell->raw);
        }
        jout_close(j, '}');
    }
    jout_close(j, ']');
}

static void json_series(struct json_out *j, const struct doc_node *n)
{
    const struct doc_series *s = &n->series;

    jout_open(j, '{');
    jout_put_str(j, "title", s->title);
    jout_put_str(j, "since", s->first_time);
    jout_put_i64(j, "step_seconds", s->step_s);
    jout_put_str(j, "unit", s->n > 0 ? s->exact[0].unit : (struct str){0});
    jout_key(j, "values");
    jout_open(j, '[');
    for (size_t i = 0; i < s->n; i++)
        json_raw(j, s->exact[i].type, s->exact[i].raw);
    jout_close(j, ']');
    jout_close(j, '}');
}

static void json_section(struct json_out *j, const struct doc *d, const struct doc_section *s)
{
    static void (*const nodes[])(struct json_out *, const struct doc_node *) = {
        [NODE_FIGURES] = json_figures,
        [NODE_TABLE] = json_table,
        [NODE_BARS] = json_bars,
        [NODE_SERIES] = json_series,
    };

    jout_key(j, s->key.p);
    jout_open(j, '{');
    jout_put_str(j, "title", s->title);
    jout_key(j, "text");
    jout_open(j, '[');
    for (const struct doc_node *n = s->first; n; n = n->next)
        if (n->type == NODE_TEXT)
            jout_str(j, n->text);
    jout_close(j, ']');
    for (const struct doc_node *n = s->first; n; n = n->next) {
        if (n->type == NODE_TEXT || !doc_wants(d, s, n))
            continue;
        jout_key(j, n->key.p);
        nodes[n->type](j, n);
    }
    jout_close(j, '}');
}

void render_json(const struct doc *d, const struct render_options *o, struct buf *out)
{
    struct json_out j;

    UNUSED(o);
    jout_init(&j, out, true);
    jout_open(&j, '{');
    jout_put_str(&j, "schema", STR("fnscope.report"));
    jout_put_i64(&j, "version", 2);
    jout_put_str(&j, "title", d->title);
    jout_key(&j, "range");
    jout_open(&j, '{');
    jout_put_str(&j, "since", d->since);
    jout_put_str(&j, "until", d->until);
    jout_close(&j, '}');
    jout_put_str(&j, "generated", d->generated);
    jout_put_str(&j, "currency", d->currency);
    for (const struct doc_section *s = d->first; s; s = s->next)
        if (doc_wants(d, s, NULL))
            json_section(&j, d, s);
    jout_close(&j, '}');
    buf_add_c(out, '\n');
}

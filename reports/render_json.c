/* The report as JSON (one object a section) and as CSV (the tables, each with a line before it). */
#include "core/base/json.h"
#include "core/base/safe_text.h"
#include "reports/doc.h"

static void json_figures(struct json_out *j, const struct doc_node *n)
{
    jout_open(j, '[');
    for (size_t i = 0; i < n->n; i++) {
        jout_open(j, '{');
        jout_key(j, "label");
        jout_str(j, n->figures[i].label);
        jout_key(j, "value");
        jout_str(j, n->figures[i].value);
        jout_key(j, "note");
        jout_str(j, n->figures[i].note);
        jout_close(j, '}');
    }
    jout_close(j, ']');
}

static void json_bars(struct json_out *j, const struct doc_node *n)
{
    jout_open(j, '[');
    for (size_t i = 0; i < n->n; i++) {
        jout_open(j, '{');
        jout_key(j, "label");
        jout_str(j, n->bars[i].label);
        jout_key(j, "value");
        jout_str(j, n->bars[i].value);
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
            jout_key(j, t->columns[c].name);
            if (cell->type == CELL_NULL)
                jout_null(j);
            else if (cell->type == CELL_TEXT)
                jout_str(j, cell->raw);
            else
                jout_raw(j, cell->raw);
        }
        jout_close(j, '}');
    }
    jout_close(j, ']');
}

static void json_series(struct json_out *j, const struct doc_node *n)
{
    jout_open(j, '{');
    jout_key(j, "title");
    jout_str(j, n->series.title);
    jout_key(j, "first");
    jout_str(j, n->series.first);
    jout_key(j, "last");
    jout_str(j, n->series.last);
    jout_key(j, "values");
    jout_open(j, '[');
    for (size_t i = 0; i < n->series.n; i++)
        jout_i64(j, (int64_t)n->series.values[i]);
    jout_close(j, ']');
    jout_close(j, '}');
}

static void json_section(struct json_out *j, const struct doc_section *s)
{
    static void (*const nodes[])(struct json_out *, const struct doc_node *) = {
        [NODE_FIGURES] = json_figures,
        [NODE_TABLE] = json_table,
        [NODE_BARS] = json_bars,
        [NODE_SERIES] = json_series,
    };

    jout_open(j, '{');
    jout_key(j, "title");
    jout_str(j, s->title);
    jout_key(j, "text");
    jout_open(j, '[');
    for (const struct doc_node *n = s->first; n; n = n->next)
        if (n->type == NODE_TEXT)
            jout_str(j, n->text);
    jout_close(j, ']');
    for (const struct doc_node *n = s->first; n; n = n->next) {
        if (n->type == NODE_TEXT)
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
    jout_key(&j, "schema");
    jout_str(&j, STR("fnscope.report"));
    jout_key(&j, "version");
    jout_i64(&j, 1);
    jout_key(&j, "title");
    jout_str(&j, d->title);
    jout_key(&j, "range");
    jout_str(&j, d->subtitle);
    for (const struct doc_section *s = d->first; s; s = s->next) {
        jout_key(&j, s->key.p);
        json_section(&j, s);
    }
    jout_close(&j, '}');
    buf_add_c(out, '\n');
}

void render_csv(const struct doc *d, const struct render_options *o, struct buf *out)
{
    UNUSED(o);
    for (const struct doc_section *s = d->first; s; s = s->next)
        for (const struct doc_node *n = s->first; n; n = n->next) {
            if (n->type != NODE_TABLE || n->table->n_rows == 0)
                continue;
            buf_addf(out, "# %s.%s\r\n", s->key.p, n->key.p);
            table_print(n->table, TABLE_CSV, true, out);
            buf_add_z(out, "\r\n");
        }
}

/* The report as text: aligned tables, block-character bars and sparklines; readable in 80 columns.
 */
#include <string.h>

#include "core/base/safe_text.h"
#include "core/base/utf8.h"
#include "reports/doc.h"

static const char *const color_codes[] = {"", "\033[32m", "\033[33m", "\033[31m"};

static void paint(struct buf *out, const struct render_options *o, enum tone tone, struct str text)
{
    bool is_painted = o->color && tone != TONE_PLAIN;

    buf_add_z(out, is_painted ? color_codes[tone] : "");
    safe_text(out, text, SAFE_KEEP_NONE);
    buf_add_z(out, is_painted ? "\033[0m" : "");
}

static void add_rule(struct buf *out, const char *unit, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_z(out, unit);
    buf_add_c(out, '\n');
}

static void wrapped(struct buf *out, struct str text, unsigned width, unsigned indent)
{
    AUTO(buf_clear) struct buf safe = {.max = 1u << 20};

    safe_text(&safe, text, SAFE_KEEP_NONE);
    utf8_wrap(out, buf_str(&safe), width, indent);
}

static void padded(struct buf *out, struct str text, size_t width, bool is_right)
{
    size_t w = utf8_width(text), pad = width > w ? width - w : 0;

    if (is_right)
        buf_add_repeat(out, ' ', pad);
    buf_add_str(out, text);
    if (!is_right)
        buf_add_repeat(out, ' ', pad);
}

static void text_node(const struct doc_node *n, const struct render_options *o, struct buf *out)
{
    const char *sign = tone_sign(n->tone);

    if (*sign) {
        paint(out, o, n->tone, str_from(sign));
        buf_add_c(out, ' ');
    }
    wrapped(out, n->text, o->width, *sign ? 2 : 0);
}

static void figures_node(const struct doc_node *n, const struct render_options *o, struct buf *out)
{
    size_t label = 0, value = 0;

    for (size_t i = 0; i < n->n; i++) {
        size_t l = utf8_width(n->figures[i].label), v = utf8_width(n->figures[i].value.shown);
        label = l > label ? l : label;
        value = v > value ? v : value;
    }
    for (size_t i = 0; i < n->n; i++) {
        const struct doc_figure *f = &n->figures[i];
        AUTO(buf_clear) struct buf text = {.max = 4096};
        buf_add_z(out, "  ");
        padded(out, f->label, label + 2, false);
        padded(&text, f->value.shown, value, true);
        paint(out, o, f->tone, buf_str(&text));
        if (f->note.n > 0) {
            buf_add_z(out, "  ");
            safe_text(out, f->note, SAFE_KEEP_NONE);
        }
        buf_add_c(out, '\n');
    }
}

static void table_node(const struct doc_node *n, const struct render_options *o, struct buf *out)
{
    UNUSED(o);
    if (n->table->n_rows > 0)
        table_print(n->table, TABLE_TEXT, true, out);
}

#define BAR_CELLS 24u

static void bars_node(const struct doc_node *n, const struct render_options *o, struct buf *out)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    size_t label = 0, value = 0;

    for (size_t i = 0; i < n->n; i++) {
        if (n->bars[i].is_nothing)
            continue;
        size_t l = utf8_width(n->bars[i].label), v = utf8_width(n->bars[i].value.shown);
        label = l > label ? l : label;
        value = v > value ? v : value;
    }
    label = label > 32 ? 32 : label;
    for (size_t i = 0; i < n->n; i++) {
        if (n->bars[i].is_nothing)
            continue;
        AUTO(buf_clear) struct buf name = {.max = 4096};
        unsigned cells = n->bars[i].permille * BAR_CELLS * 8 / 1000;
        safe_text(&name, n->bars[i].label, SAFE_KEEP_NONE);
        buf_add_z(out, "  ");
        padded(out, utf8_fit(buf_str(&name), label), label + 2, false);
        padded(out, n->bars[i].value.shown, value, true);
        buf_add_z(out, "  ");
        buf_add_z(out, o->color ? color_codes[n->bars[i].tone] : "");
        for (unsigned k = 0; k < cells / 8; k++)
            buf_add_z(out, "█");
        buf_add_z(out, eighths[cells % 8]);
        buf_add_z(out, o->color && n->bars[i].tone ? "\033[0m\n" : "\n");
    }
}

/* The largest of the points that share a cell: a peak stays one. */
static uint64_t cell_value(const struct doc_series *s, size_t cell, size_t cells)
{
    size_t from = cell * s->n / cells, to = (cell + 1) * s->n / cells;
    uint64_t most = 0;

    for (size_t i = from; i < to; i++)
        most = s->values[i] > most ? s->values[i] : most;
    return most;
}

static void series_node(const struct doc_node *n, const struct render_options *o, struct buf *out)
{
    static const char *const levels[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const struct doc_series *s = &n->series;
    uint64_t top = 1;

    size_t cells = s->n + 4 > o->width ? o->width - 4 : s->n;

    for (size_t i = 0; i < cells; i++)
        top = cell_value(s, i, cells) > top ? cell_value(s, i, cells) : top;
    buf_add_z(out, "  ");
    buf_add_str(out, s->title);
    buf_addf(out, " (most: " STR_FMT ")\n  ", STR_ARG(s->top));
    for (size_t i = 0; i < cells; i++)
        buf_add_z(out, levels[(cell_value(s, i, cells) * 8 + top - 1) / top]);
    buf_addf(out, "\n  " STR_FMT " to " STR_FMT "\n", STR_ARG(s->first), STR_ARG(s->last));
}

void render_text(const struct doc *d, const struct render_options *o, struct buf *out)
{
    static void (*const nodes[])(const struct doc_node *, const struct render_options *,
                                 struct buf *) = {
        [NODE_TEXT] = text_node, [NODE_FIGURES] = figures_node, [NODE_TABLE] = table_node,
        [NODE_BARS] = bars_node, [NODE_SERIES] = series_node,
    };

    safe_text(out, d->title, SAFE_KEEP_NONE);
    buf_add_c(out, '\n');
    safe_text(out, d->subtitle, SAFE_KEEP_NONE);
    buf_add_c(out, '\n');
    add_rule(out, "═",
             utf8_width(d->title) > utf8_width(d->subtitle) ? utf8_width(d->title)
                                                            : utf8_width(d->subtitle));
    for (const struct doc_section *s = d->first; s; s = s->next) {
        if (!doc_wants(d, s, NULL))
            continue;
        buf_add_c(out, '\n');
        buf_add_z(out, o->color ? "\033[1m" : "");
        buf_add_str(out, s->title);
        buf_add_z(out, o->color ? "\033[0m\n" : "\n");
        add_rule(out, "─", utf8_width(s->title));
        for (const struct doc_node *n = s->first; n; n = n->next)
            if (doc_wants(d, s, n))
                nodes[n->type](n, o, out);
    }
    buf_add_c(out, '\n');
    wrapped(out, d->footer, o->width, 0);
}

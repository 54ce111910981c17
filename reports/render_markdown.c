/* The report as Markdown: for chats and pull requests. */
#include "core/base/safe_text.h"
#include "reports/doc.h"

static void text_node(const struct doc_node *n, struct buf *out)
{
    const char *sign = tone_sign(n->tone);

    if (*sign)
        buf_addf(out, "**%s** ", sign);
    safe_markdown(out, n->text);
    buf_add_z(out, "\n\n");
}

static void figures_node(const struct doc_node *n, struct buf *out)
{
    for (size_t i = 0; i < n->n; i++) {
        buf_add_z(out, "- ");
        safe_markdown(out, n->figures[i].label);
        buf_add_z(out, ": **");
        safe_markdown(out, n->figures[i].value.shown);
        buf_add_z(out, "**");
        if (n->figures[i].note.n > 0) {
            buf_add_z(out, " ");
            safe_markdown(out, n->figures[i].note);
        }
        buf_add_c(out, '\n');
    }
    buf_add_c(out, '\n');
}

static void table_node(const struct doc_node *n, struct buf *out)
{
    if (n->table->n_rows == 0)
        return;
    table_print(n->table, TABLE_MARKDOWN, true, out);
    buf_add_c(out, '\n');
}

static void bars_node(const struct doc_node *n, struct buf *out)
{
    buf_add_z(out, "| | |\n|---|---:|\n");
    for (size_t i = 0; i < n->n; i++) {
        if (n->bars[i].is_nothing)
            continue;
        buf_add_z(out, "| ");
        safe_markdown(out, n->bars[i].label);
        buf_add_z(out, " | ");
        safe_markdown(out, n->bars[i].value.shown);
        buf_add_z(out, " |\n");
    }
    buf_add_c(out, '\n');
}

static void series_node(const struct doc_node *n, struct buf *out)
{
    static const char *const levels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    const struct doc_series *s = &n->series;
    uint64_t top = 1;

    for (size_t i = 0; i < s->n; i++)
        top = s->values[i] > top ? s->values[i] : top;
    safe_markdown(out, s->title);
    buf_add_z(out, ": `");
    for (size_t i = 0; i < s->n; i++)
        buf_add_z(out, levels[s->values[i] * 7 / top]);
    buf_addf(out, "` (" STR_FMT " to " STR_FMT ", most " STR_FMT ")\n\n", STR_ARG(s->first),
             STR_ARG(s->last), STR_ARG(s->top));
}

void render_markdown(const struct doc *d, const struct render_options *o, struct buf *out)
{
    static void (*const nodes[])(const struct doc_node *, struct buf *) = {
        [NODE_TEXT] = text_node, [NODE_FIGURES] = figures_node, [NODE_TABLE] = table_node,
        [NODE_BARS] = bars_node, [NODE_SERIES] = series_node,
    };

    UNUSED(o);
    buf_add_z(out, "# ");
    safe_markdown(out, d->title);
    buf_add_z(out, "\n\n");
    safe_markdown(out, d->subtitle);
    buf_add_z(out, "\n\n");
    for (const struct doc_section *s = d->first; s; s = s->next) {
        if (!doc_wants(d, s, NULL))
            continue;
        buf_add_z(out, "## ");
        safe_markdown(out, s->title);
        buf_add_z(out, "\n\n");
        for (const struct doc_node *n = s->first; n; n = n->next)
            if (doc_wants(d, s, n))
                nodes[n->type](n, out);
    }
    safe_markdown(out, d->footer);
    buf_add_c(out, '\n');
}

/* The report as one HTML file: inline CSS and SVG, no script, light and dark by media query, fit
 * for print. */
#include "core/base/safe_text.h"
#include "reports/doc.h"

static const char *const style =
    ":root{color-scheme:light "
    "dark;--bg:#fbfbf9;--card:#fff;--ink:#1c1d21;--soft:#5f6470;--line:#e3e4e0;--bar:#3b6ea8;"
    "--good:#1f7a4d;--warn:#9a6200;--bad:#b3261e;--tint:#eef2f7}"
    "@media(prefers-color-scheme:dark){:root{--bg:#131417;--card:#1b1d21;--ink:#e8e8e6;--soft:#"
    "9aa0ac;--line:#2d3036;"
    "--bar:#7aa7dc;--good:#5fc08f;--warn:#e0a84a;--bad:#f2857c;--tint:#20242b}}"
    "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 "
    "system-ui,-apple-system,"
    "'Segoe UI',Roboto,'Noto Sans',sans-serif}main{max-width:1060px;margin:0 auto;padding:32px "
    "20px 48px}"
    "h1{font-size:26px;line-height:1.2;margin:0 0 "
    "4px;letter-spacing:-.01em}.sub{color:var(--soft);margin:0 0 24px}"
    "h2{font-size:17px;margin:0 0 12px}section{background:var(--card);border:1px solid "
    "var(--line);border-radius:10px;"
    "padding:18px 20px;margin:0 0 16px;break-inside:avoid-page}section.verdict{border-left:5px "
    "solid var(--bar)}"
    "section.is-good{border-left-color:var(--good)}section.is-warn{border-left-color:var(--warn)}"
    "section.is-bad{border-left-color:var(--bad)}nav{display:flex;flex-wrap:wrap;gap:4px 14px;"
    "font-size:13px;margin:-14px 0 20px}nav a{color:var(--soft)}"
    "section.verdict p{font-size:18px;margin:0 0 12px}p{margin:0 0 "
    "10px}.good{color:var(--good)}.warn{color:var(--warn)}"
    ".bad{color:var(--bad)}.sign{font-weight:700;margin-right:.4em}"
    "dl.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;"
    "margin:0 0 10px}"
    "dl.figures div{background:var(--tint);border-radius:8px;padding:10px "
    "12px}dt{color:var(--soft);font-size:12.5px}"
    "dd{margin:0;font-size:20px;font-weight:600;font-variant-numeric:tabular-nums}dd "
    "small{display:block;font-size:12px;"
    "font-weight:400;color:var(--soft)}.scroll{overflow-x:auto}table{border-collapse:collapse;"
    "width:100%;font-size:13.5px;"
    "margin:0 0 8px}th,td{padding:5px 10px 5px 0;text-align:left;border-bottom:1px solid "
    "var(--line);vertical-align:top;"
    "overflow-wrap:break-word}td:not(:last-child){white-space:nowrap}td:last-child{overflow-wrap:"
    "anywhere;min-width:16em}th{color:var(--"
    "soft);font-weight:600;font-size:12px;white-space:nowrap}tbody "
    "th{color:inherit;font-weight:400;"
    "font-size:inherit}.scroll:focus-visible{outline:2px solid var(--bar)}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;padding-left:"
    "10px;padding-right:16px}td.n:last-child{min-width:0}"
    "tbody th{min-width:130px}.bars{display:grid;grid-template-columns:minmax(90px,220px) "
    "max-content 1fr;gap:4px 12px;"
    "align-items:center;font-size:13.5px;margin:0 0 8px}.bars "
    ".v{text-align:right;font-variant-numeric:tabular-nums}"
    ".bars .l{overflow-wrap:anywhere}.bars "
    "svg{width:100%;height:12px;display:block}figure{margin:0 0 10px}"
    "figure "
    "svg{width:100%;height:130px;display:block}figcaption{color:var(--soft);font-size:12.5px;"
    "display:flex;"
    "justify-content:space-between;gap:12px}footer{color:var(--soft);font-size:12.5px;margin-top:"
    "20px}"
    "@media(max-width:560px){main{padding:20px "
    "12px}section{padding:14px}dl.figures{grid-template-columns:1fr 1fr}}"
    "@media "
    "print{:root{--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--tint:#f3f3f3}main{max-"
    "width:none;"
    "padding:0}section{border-radius:0}}";

static const char *const tone_classes[] = {"plain", "good", "warn", "bad"};
static const char *const tone_words[] = {"", "good", "attention", "bad"};
static const char *const tone_glyphs[] = {"", "✓", "▲", "✕"};
static const char *const tone_fills[] = {"var(--bar)", "var(--good)", "var(--warn)", "var(--bad)"};

static void sign(struct buf *out, enum tone t)
{
    if (t != TONE_PLAIN)
        buf_addf(out, "<span class=\"sign %s\" role=\"img\" aria-label=\"%s\">%s</span>",
                 tone_classes[t], tone_words[t], tone_glyphs[t]);
}

static void text_node(const struct doc_node *n, struct buf *out)
{
    buf_add_z(out, "<p>");
    sign(out, n->tone);
    safe_html(out, n->text);
    buf_add_z(out, "</p>\n");
}

static void figures_node(const struct doc_node *n, struct buf *out)
{
    buf_add_z(out, "<dl class=\"figures\">");
    for (size_t i = 0; i < n->n; i++) {
        const struct doc_figure *f = &n->figures[i];
        buf_add_z(out, "<div><dt>");
        safe_html(out, f->label);
        buf_addf(out, "</dt><dd class=\"%s\">", tone_classes[f->tone]);
        sign(out, f->tone);
        safe_html(out, f->value.shown);
        if (f->note.n > 0) {
            buf_add_z(out, "<small>");
            safe_html(out, f->note);
            buf_add_z(out, "</small>");
        }
        buf_add_z(out, "</dd></div>");
    }
    buf_add_z(out, "</dl>\n");
}

static struct str shown(const struct table_cell *c)
{
    if (c->shown.p)
        return c->shown;
    return c->type == CELL_NULL ? STR("–") : c->raw;
}

static void table_head(const struct table *t, struct buf *out)
{
    buf_add_z(out, "<table><thead><tr>");
    for (size_t c = 0; c < t->n_columns; c++) {
        if (t->columns[c].is_hidden)
            continue;
        buf_addf(out, "<th scope=\"col\"%s>", t->columns[c].is_right ? " class=\"n\"" : "");
        safe_html(out, str_from(t->columns[c].title ? t->columns[c].title : t->columns[c].name));
        buf_add_z(out, "</th>");
    }
    buf_add_z(out, "</tr></thead><tbody>\n");
}

/* The first cell that is no number names the row. */
static void table_row_html(const struct table *t, size_t row, struct buf *out)
{
    bool has_name = false;

    buf_add_z(out, "<tr>");
    for (size_t c = 0; c < t->n_columns; c++) {
        const struct table_column *column = &t->columns[c];
        if (column->is_hidden)
            continue;
        bool is_name = !has_name && !column->is_right;
        has_name |= is_name;
        buf_addf(out, "<%s%s>", is_name ? "th scope=\"row\"" : "td",
                 column->is_right ? " class=\"n\"" : "");
        safe_html(out, shown(&t->cells[row * t->n_columns + c]));
        buf_add_z(out, is_name ? "</th>" : "</td>");
    }
    buf_add_z(out, "</tr>\n");
}

/* Wider than the screen it scrolls by itself, by keys too. */
static void table_node(const struct doc_node *n, struct buf *out)
{
    if (n->table->n_rows == 0)
        return;
    buf_add_z(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    safe_html(out, n->key);
    buf_add_z(out, "\">");
    table_head(n->table, out);
    for (size_t r = 0; r < n->table->n_rows; r++)
        table_row_html(n->table, r, out);
    buf_add_z(out, "</tbody></table></div>\n");
}

static void bars_node(const struct doc_node *n, struct buf *out)
{
    buf_add_z(out, "<div class=\"bars\">");
    for (size_t i = 0; i < n->n; i++) {
        const struct doc_bar *b = &n->bars[i];
        if (b->is_nothing)
            continue;
        buf_add_z(out, "<span class=\"l\">");
        safe_html(out, b->label);
        buf_add_z(out, "</span><span class=\"v\">");
        safe_html(out, b->value.shown);
        buf_addf(out,
                 "</span><svg viewBox=\"0 0 1000 12\" preserveAspectRatio=\"none\" "
                 "aria-hidden=\"true\"><rect width=\"%u\" "
                 "height=\"12\" rx=\"2\" fill=\"%s\"/></svg>",
                 b->permille > 0 ? b->permille : 1, tone_fills[b->tone]);
    }
    buf_add_z(out, "</div>\n");
}

#define CHART_HEIGHT 120u

static void series_node(const struct doc_node *n, struct buf *out)
{
    const struct doc_series *s = &n->series;
    uint64_t top = 1;

    for (size_t i = 0; i < s->n; i++)
        top = s->values[i] > top ? s->values[i] : top;
    buf_add_z(out, "<figure><figcaption><span>");
    safe_html(out, s->title);
    buf_add_z(out, "</span><span>most: ");
    safe_html(out, s->top);
    buf_addf(out,
             "</span></figcaption><svg viewBox=\"0 0 %zu %u\" preserveAspectRatio=\"none\" "
             "role=\"img\"><title>",
             s->n * 10, CHART_HEIGHT);
    safe_html(out, s->title);
    buf_addf(out, "</title><desc>%zu values from ", s->n);
    safe_html(out, s->first);
    buf_add_z(out, " to ");
    safe_html(out, s->last);
    buf_add_z(out, ", the largest ");
    safe_html(out, s->top);
    buf_addf(out,
             "</desc><path d=\"M0 %u.5H%zu\" stroke=\"var(--line)\" "
             "vector-effect=\"non-scaling-stroke\"/>",
             CHART_HEIGHT - 1, s->n * 10);
    for (size_t i = 0; i < s->n; i++) {
        unsigned height = (unsigned)(s->values[i] * (CHART_HEIGHT - 2) / top);
        if (s->values[i] > 0)
            buf_addf(out,
                     "<rect x=\"%zu\" y=\"%u\" width=\"8\" height=\"%u\" "
                     "fill=\"var(--bar)\"><title>" STR_FMT ": " STR_FMT "</title></rect>",
                     i * 10 + 1, CHART_HEIGHT - (height ? height : 1) - 1, height ? height : 1,
                     STR_ARG(s->times[i]), STR_ARG(s->exact[i].shown));
    }
    buf_add_z(out, "</svg><figcaption><span>");
    safe_html(out, s->first);
    buf_add_z(out, "</span><span>");
    safe_html(out, s->last);
    buf_add_z(out, "</span></figcaption></figure>\n");
}

static void links(const struct doc *d, struct buf *out)
{
    buf_add_z(out, "<nav aria-label=\"Sections\">");
    for (const struct doc_section *s = d->first; s; s = s->next) {
        if (!doc_wants(d, s, NULL) || s == d->first)
            continue;
        buf_addf(out, "<a href=\"#" STR_FMT "\">", STR_ARG(s->key));
        safe_html(out, s->title);
        buf_add_z(out, "</a>");
    }
    buf_add_z(out, "</nav>\n");
}

/* The first section wears the tone of what it says. */
static void section_start(const struct doc *d, const struct doc_section *s, struct buf *out)
{
    enum tone tone = s->first && s->first->type == NODE_TEXT ? s->first->tone : TONE_PLAIN;

    buf_addf(out, "<section id=\"" STR_FMT "\"", STR_ARG(s->key));
    if (s == d->first)
        buf_addf(out, " class=\"verdict is-%s\"", tone_classes[tone]);
    buf_add_z(out, "><h2>");
    safe_html(out, s->title);
    buf_add_z(out, "</h2>\n");
}

void render_html(const struct doc *d, const struct render_options *o, struct buf *out)
{
    static void (*const nodes[])(const struct doc_node *, struct buf *) = {
        [NODE_TEXT] = text_node, [NODE_FIGURES] = figures_node, [NODE_TABLE] = table_node,
        [NODE_BARS] = bars_node, [NODE_SERIES] = series_node,
    };

    UNUSED(o);
    buf_add_z(out,
              "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
              "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
    safe_html(out, d->title);
    buf_add_z(out, "</title><style>");
    buf_add_z(out, style);
    buf_add_z(out, "</style></head><body><main>\n<h1>");
    safe_html(out, d->title);
    buf_add_z(out, "</h1><p class=\"sub\">");
    safe_html(out, d->subtitle);
    buf_add_z(out, "</p>\n");
    links(d, out);
    for (const struct doc_section *s = d->first; s; s = s->next) {
        if (!doc_wants(d, s, NULL))
            continue;
        section_start(d, s, out);
        for (const struct doc_node *n = s->first; n; n = n->next)
            if (doc_wants(d, s, n))
                nodes[n->type](n, out);
        buf_add_z(out, "</section>\n");
    }
    buf_add_z(out, "<footer>");
    safe_html(out, d->footer);
    buf_add_z(out, "</footer>\n</main></body></html>\n");
}

/* Private to reports/: the document tree. Builders make it from data, renderers walk it; neither
 * knows the other. All text is foreign until a renderer has made it safe. Lives in one arena. */
#ifndef FNSCOPE_REPORTS_DOC_H
#define FNSCOPE_REPORTS_DOC_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/table.h"

enum tone {
    TONE_PLAIN,
    TONE_GOOD,
    TONE_WARN,
    TONE_BAD
}; /* never colour alone: a sign goes with it */

enum node_type { NODE_TEXT, NODE_FIGURES, NODE_TABLE, NODE_BARS, NODE_SERIES };

struct doc_figure {
    struct str label, value, note;
    enum tone tone;
};

struct doc_bar {
    struct str label, value;
    unsigned permille; /* of the longest */
    enum tone tone;
};

struct doc_series {
    struct str title, first, last, top; /* labels: left and right end, largest value */
    const uint64_t *values;
    size_t n;
};

struct doc_node {
    enum node_type type;
    struct str key; /* machine name inside its section: "functions" */
    struct str text;
    enum tone tone;
    struct doc_figure *figures;
    struct doc_bar *bars;
    struct table *table;
    struct doc_series series;
    size_t n;
    struct doc_node *next;
};

struct doc_section {
    struct str key, title; /* "data_quality", "Data quality" */
    struct doc_node *first, *last;
    struct doc_section *next;
};

struct doc {
    struct arena *arena;
    struct str title, subtitle, footer;
    struct doc_section *first, *last;
};

void doc_init(struct doc *d, struct arena *a);
struct doc_section *doc_section(struct doc *d, const char *key, const char *title);
void doc_text(struct doc *d, struct doc_section *s, enum tone tone, struct str text);
/* n entries to be filled by the caller. */
struct doc_figure *doc_figures(struct doc *d, struct doc_section *s, const char *key, size_t n);
struct doc_bar *doc_bars(struct doc *d, struct doc_section *s, const char *key, size_t n);
struct table *doc_table(struct doc *d, struct doc_section *s, const char *key,
                        const struct table_column *columns, size_t n_columns);
struct doc_series *doc_series(struct doc *d, struct doc_section *s, const char *key);

/* "!" and the like: what says a tone without colour. */
const char *tone_sign(enum tone t);

/* The renderers. */
struct render_options {
    unsigned width; /* text */
    bool color;     /* text */
};
typedef void render_fn(const struct doc *d, const struct render_options *o, struct buf *out);
render_fn render_text, render_markdown, render_html, render_json, render_csv;

#endif

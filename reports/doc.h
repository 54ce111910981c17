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

/* One value, for people and for machines. */
struct doc_value {
    enum cell_type type; /* CELL_NULL: unknown */
    struct str raw;      /* exact */
    struct str shown;    /* as people read it */
    struct str unit;     /* "USD", "count", "share", "ms", "bytes"; empty: a word */
};

struct doc_figure {
    struct str key; /* machine name: "cost" */
    struct str label;
    struct doc_value value;
    struct doc_value before; /* in the range it is compared with; raw.p NULL: none */
    struct str note;         /* for people only */
    enum tone tone;
};

struct doc_bar {
    struct str key; /* machine name; empty: the label is one */
    struct str label;
    struct doc_value value;
    struct doc_value of; /* what it is measured against; raw.p NULL: the longest bar */
    unsigned permille;   /* of the longest */
    bool is_nothing;     /* for machines only */
    enum tone tone;
};

struct doc_series {
    struct str title, first, last, top; /* labels: left and right end, largest value */
    struct str first_time;              /* start of the first point, RFC 3339 */
    int64_t step_s;
    const uint64_t *values;        /* for the picture: any scale */
    const struct doc_value *exact; /* n of one unit */
    const struct str *times;       /* n starts, RFC 3339 */
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
    struct str key, title; /* "data_quality", "Data quality"; "cost_cny", "Cost in CNY" */
    struct str kind;       /* "cost": those of all currencies are asked for by it */
    struct doc_node *first, *last;
    struct doc_section *next;
};

struct doc {
    struct arena *arena;
    struct str title, subtitle, footer;
    struct str since, until, generated; /* RFC 3339 */
    struct str currency;                /* of the sums that name none */
    struct str part;                    /* sections to come are of this currency; empty: of all */
    struct str only;                    /* one section, or SECTION.ITEM; empty: all of them */
    struct doc_section *first, *last;
};

void doc_init(struct doc *d, struct arena *a);
/* "cost", and "cost_cny" of a part in another currency than the document's. */
struct str doc_key(const struct doc *d, const char *key);
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

/* The unit of a column, from the end of its name: "ms" for "p50_ms", "share"; empty: none. */
struct str column_unit(const char *name);
/* This section, or this item of it, is wanted. */
bool doc_wants(const struct doc *d, const struct doc_section *s, const struct doc_node *n);

/* The renderers. */
struct render_options {
    unsigned width; /* text */
    bool color;     /* text */
};
typedef void render_fn(const struct doc *d, const struct render_options *o, struct buf *out);
render_fn render_text, render_markdown, render_html, render_json, render_csv;

#endif

/* A result as rows and columns, printed as aligned text, JSON, NDJSON, CSV, TSV or Markdown: the
 * one output path of every command that lists things. Cells are text with a type; numbers are
 * unrounded in machine formats (`raw`) and readable in text (`shown`). Everything goes through
 * safe_text. */
#ifndef FNSCOPE_CORE_BASE_TABLE_H
#define FNSCOPE_CORE_BASE_TABLE_H

#include "core/base/arena.h"
#include "core/base/buf.h"

enum table_format { TABLE_TEXT, TABLE_JSON, TABLE_NDJSON, TABLE_CSV, TABLE_TSV, TABLE_MARKDOWN };
extern const char
    *const table_format_names[]; /* table json ndjson csv tsv markdown NULL: for OPT_CHOICE */

/* CELL_MONEY: decimal text, a string in JSON, so that no reader makes floating point of it. */
enum cell_type { CELL_TEXT, CELL_NUMBER, CELL_MONEY, CELL_BOOL, CELL_NULL };

struct table_column {
    const char *name;   /* machine key: snake_case with its unit, "duration_ms" */
    const char *title;  /* text heading; NULL: the name, in capitals */
    bool is_right;      /* right-aligned */
    unsigned max_width; /* text only; 0: no limit */
    bool is_hidden;     /* machine formats only: what people see elsewhere in the row */
    bool is_command;    /* to be pasted: Markdown shows it as code */
    bool hides_if_same; /* for people: left out where all rows say the same (table_stream.h) */
};

struct table_cell {
    enum cell_type type;
    struct str raw;   /* machine form: exact */
    struct str shown; /* text form; empty p: raw, or a dash for CELL_NULL */
    unsigned rank;    /* place among texts that are not in order by their letters; 0: none */
};

struct table {
    struct arena *arena;
    const struct table_column *columns;
    size_t n_columns;
    struct table_cell *cells; /* row-major */
    size_t n_rows, cap_rows;
    const char *schema; /* "fnscope.functions": JSON envelope's "schema" */
    int version;        /* and its "version" */
};

void table_init(struct table *t, struct arena *a, const struct table_column *columns,
                size_t n_columns, const char *schema, int version);
/* Room for so many rows, where their number is known: growing would hold them twice. */
void table_reserve(struct table *t, size_t n_rows);
void table_row(struct table *t); /* starts a row of CELL_NULL cells */
void table_text(struct table *t, size_t column, struct str s);
void table_text_shown(struct table *t, size_t column, struct str s,
                      struct str shown); /* shown: shorter, for people */
void table_text_ranked(struct table *t, size_t column, struct str s, struct str shown,
                       unsigned rank);
/* Unknown to machines, a word for people: "(35 others)" where a name stands. */
void table_null_shown(struct table *t, size_t column, struct str shown);
void table_i64(struct table *t, size_t column, int64_t v);
void table_bool(struct table *t, size_t column, bool v);
void table_number(struct table *t, size_t column, struct str raw,
                  struct str shown); /* raw: decimal text */
void table_money(struct table *t, size_t column, struct str raw, struct str shown);
struct json_out;
void table_json_members(const struct table *t, size_t row, struct json_out *o); /* of an object */
/* The same in pieces, for more rows than are to be held: what comes before the rows, the rows of
 * the table as it is, again and again, and what comes behind them. n_before: rows printed already.
 * Not for TABLE_TEXT, whose columns are as wide as their widest cell. */
void table_print_head(const struct table *t, enum table_format f, struct buf *out);
void table_print_rows(const struct table *t, enum table_format f, size_t n_before, struct buf *out);
void table_print_tail(enum table_format f, struct buf *out);
void table_print(const struct table *t, enum table_format f, bool with_header, struct buf *out);
/* TABLE_TEXT in pieces: widths, one a column and 0 at first, become as wide as what the rows show;
 * then rows are printed in columns of these. */
void table_widen(const struct table *t, size_t *widths);
void table_print_fitted(const struct table *t, const size_t *widths, bool with_header,
                        struct buf *out);

#endif

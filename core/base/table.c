/* One table, six printed forms. */
#include "core/base/table.h"

#include <assert.h>
#include <string.h>

#include "core/base/json.h"
#include "core/base/safe_text.h"
#include "core/base/utf8.h"

const char *const table_format_names[] = {"table", "json",     "ndjson", "csv",
                                          "tsv",   "markdown", NULL};

void table_init(struct table *t, struct arena *a, const struct table_column *columns,
                size_t n_columns, const char *schema, int version)
{
    *t = (struct table){.arena = a,
                        .columns = columns,
                        .n_columns = n_columns,
                        .schema = schema,
                        .version = version};
}

void table_reserve(struct table *t, size_t n_rows)
{
    assert(t->n_rows == 0);
    t->cap_rows = (n_rows + 1) * t->n_columns;
    t->cells = arena_alloc(t->arena, t->cap_rows * sizeof(*t->cells));
}

void table_row(struct table *t)
{
    t->cells =
        arena_grow(t->arena, t->cells, t->n_rows * t->n_columns, &t->cap_rows, sizeof(*t->cells));
    while (t->cap_rows < (t->n_rows + 1) * t->n_columns)
        t->cells = arena_grow(t->arena, t->cells, t->cap_rows, &t->cap_rows, sizeof(*t->cells));
    memset(&t->cells[t->n_rows * t->n_columns], 0, t->n_columns * sizeof(*t->cells));
    for (size_t i = 0; i < t->n_columns; i++)
        t->cells[t->n_rows * t->n_columns + i].type = CELL_NULL;
    t->n_rows++;
}

static struct table_cell *last_cell(struct table *t, size_t column)
{
    assert(t->n_rows > 0 && column < t->n_columns);
    return &t->cells[(t->n_rows - 1) * t->n_columns + column];
}

void table_text(struct table *t, size_t column, struct str s)
{
    *last_cell(t, column) = (struct table_cell){.type = CELL_TEXT, .raw = s};
}

void table_text_shown(struct table *t, size_t column, struct str s, struct str shown)
{
    *last_cell(t, column) = (struct table_cell){.type = CELL_TEXT, .raw = s, .shown = shown};
}

void table_null_shown(struct table *t, size_t column, struct str shown)
{
    *last_cell(t, column) = (struct table_cell){.type = CELL_NULL, .shown = shown};
}

void table_text_ranked(struct table *t, size_t column, struct str s, struct str shown,
                       unsigned rank)
{
    *last_cell(t, column) =
        (struct table_cell){.type = CELL_TEXT, .raw = s, .shown = shown, .rank = rank};
}

void table_i64(struct table *t, size_t column, int64_t v)
{
    *last_cell(t, column) = (struct table_cell){
        .type = CELL_NUMBER, .raw = arena_printf(t->arena, "%lld", (long long)v)};
}

void table_bool(struct table *t, size_t column, bool v)
{
    *last_cell(t, column) =
        (struct table_cell){.type = CELL_BOOL, .raw = v ? STR("true") : STR("false")};
}

void table_number(struct table *t, size_t column, struct str raw, struct str shown)
{
    *last_cell(t, column) = (struct table_cell){.type = CELL_NUMBER, .raw = raw, .shown = shown};
}

void table_money(struct table *t, size_t column, struct str raw, struct str shown)
{
    *last_cell(t, column) = (struct table_cell){.type = CELL_MONEY, .raw = raw, .shown = shown};
}

static const struct table_cell *cell_at(const struct table *t, size_t row, size_t column)
{
    return &t->cells[row * t->n_columns + column];
}

static struct str shown_text(const struct table_cell *c)
{
    if (c->shown.p)
        return c->shown;
    return c->type == CELL_NULL ? STR("-") : c->raw;
}

/* One style: what has no heading of its own is headed by its name, "unit_price" as UNIT PRICE. */
static const char *heading(const struct table *t, size_t column)
{
    const struct table_column *c = &t->columns[column];

    if (c->title)
        return c->title;
    char *text = arena_strz(t->arena, str_from(c->name));
    for (char *p = text; *p != '\0'; p++)
        *p = *p == '_' ? ' ' : (*p >= 'a' && *p <= 'z') ? (char)(*p - 'a' + 'A') : *p;
    return text;
}

/* --- aligned text --- */

/* Safe, and cut to the column's limit with an ellipsis. */
static void fitted(const struct table_column *c, struct str s, struct buf *out)
{
    AUTO(buf_clear) struct buf safe = {.max = 1u << 20};

    safe_text(&safe, s, SAFE_KEEP_NONE);
    struct str text = buf_str(&safe);
    if (c->max_width == 0 || utf8_width(text) <= c->max_width) {
        buf_add_str(out, text);
        return;
    }
    buf_add_str(out, utf8_fit(text, c->max_width - 1));
    buf_add_z(out, "\xE2\x80\xA6");
}

static size_t last_shown(const struct table *t)
{
    size_t last = 0;

    for (size_t c = 0; c < t->n_columns; c++)
        last = t->columns[c].is_hidden ? last : c;
    return last;
}

static size_t column_width(const struct table *t, size_t column)
{
    size_t width = utf8_width(str_from(heading(t, column)));

    for (size_t r = 0; r < t->n_rows; r++) {
        AUTO(buf_clear) struct buf text = {.max = 1u << 20};
        fitted(&t->columns[column], shown_text(cell_at(t, r, column)), &text);
        size_t w = utf8_width(buf_str(&text));
        width = w > width ? w : width;
    }
    return width;
}

static void text_cell(const struct table *t, size_t column, size_t width, struct str s,
                      struct buf *out)
{
    AUTO(buf_clear) struct buf text = {.max = 1u << 20};
    bool is_last = column == last_shown(t);

    if (t->columns[column].is_hidden)
        return;
    fitted(&t->columns[column], s, &text);
    size_t used = utf8_width(buf_str(&text));
    size_t pad = width > used ? width - used : 0;
    if (t->columns[column].is_right)
        buf_add_repeat(out, ' ', pad);
    buf_add_str(out, buf_str(&text));
    if (!t->columns[column].is_right && !is_last)
        buf_add_repeat(out, ' ', pad);
    buf_add_z(out, is_last ? "\n" : "  ");
}

void table_widen(const struct table *t, size_t *widths)
{
    for (size_t c = 0; c < t->n_columns; c++) {
        const size_t width = column_width(t, c);
        widths[c] = width > widths[c] ? width : widths[c];
    }
}

void table_print_fitted(const struct table *t, const size_t *widths, bool with_header,
                        struct buf *out)
{
    for (size_t c = 0; with_header && c < t->n_columns; c++)
        text_cell(t, c, widths[c], str_from(heading(t, c)), out);
    for (size_t r = 0; r < t->n_rows; r++)
        for (size_t c = 0; c < t->n_columns; c++)
            text_cell(t, c, widths[c], shown_text(cell_at(t, r, c)), out);
}

static void print_text(const struct table *t, bool with_header, struct buf *out)
{
    size_t *widths = arena_new(t->arena, size_t, t->n_columns);

    table_widen(t, widths);
    table_print_fitted(t, widths, with_header, out);
}

/* --- JSON --- */

static void json_cell(struct json_out *o, const struct table_cell *c)
{
    if (c->type == CELL_NULL)
        jout_null(o);
    else if (c->type == CELL_TEXT || c->type == CELL_MONEY)
        jout_str(o, c->raw);
    else
        jout_raw(o, c->raw);
}

void table_json_members(const struct table *t, size_t row, struct json_out *o)
{
    for (size_t c = 0; c < t->n_columns; c++) {
        jout_key(o, t->columns[c].name);
        json_cell(o, cell_at(t, row, c));
    }
}

static void json_row(struct json_out *o, const struct table *t, size_t row)
{
    jout_open(o, '{');
    table_json_members(t, row, o);
    jout_close(o, '}');
}

static void json_head(const struct table *t, struct buf *out)
{
    struct json_out o;

    jout_init(&o, out, false);
    jout_open(&o, '{');
    jout_put_str(&o, "schema", str_from(t->schema));
    jout_put_i64(&o, "version", t->version);
    jout_key(&o, "rows");
    jout_open(&o, '[');
}

static void json_rows(const struct table *t, size_t n_before, struct buf *out)
{
    struct json_out o;

    for (size_t r = 0; r < t->n_rows; r++) {
        buf_add_z(out, n_before + r > 0 ? ",\n" : "\n");
        jout_init(&o, out, false);
        json_row(&o, t, r);
    }
}

static void print_json(const struct table *t, bool with_header, struct buf *out)
{
    UNUSED(with_header);
    json_head(t, out);
    json_rows(t, 0, out);
    table_print_tail(TABLE_JSON, out);
}

static void print_ndjson(const struct table *t, bool with_header, struct buf *out)
{
    UNUSED(with_header);
    for (size_t r = 0; r < t->n_rows; r++) {
        struct json_out o;
        jout_init(&o, out, false);
        json_row(&o, t, r);
        buf_add_c(out, '\n');
    }
}

/* --- CSV, TSV, Markdown --- */

/* Numbers are ours and exact: a minus sign in front is no formula. */
static void csv_cell(const struct table_cell *c, struct buf *out)
{
    if (c->type == CELL_TEXT)
        safe_csv(out, c->raw);
    else if (c->type != CELL_NULL)
        buf_add_str(out, c->raw);
}

static void tsv_cell(const struct table_cell *c, struct buf *out)
{
    if (c->type != CELL_NULL)
        safe_text(out, c->raw, SAFE_KEEP_NONE);
}

static void separated(const struct table *t, bool with_header, char sep,
                      void (*cell)(const struct table_cell *, struct buf *), struct buf *out)
{
    const char *line_end = sep == ',' ? "\r\n" : "\n"; /* RFC 4180 */

    for (size_t c = 0; with_header && c < t->n_columns; c++)
        buf_addf(out, "%s%s", t->columns[c].name,
                 c + 1 < t->n_columns ? (const char[]){sep, 0} : line_end);
    for (size_t r = 0; r < t->n_rows; r++)
        for (size_t c = 0; c < t->n_columns; c++) {
            cell(cell_at(t, r, c), out);
            buf_add_z(out, c + 1 < t->n_columns ? (const char[]){sep, 0} : line_end);
        }
}

static void print_csv(const struct table *t, bool with_header, struct buf *out)
{
    separated(t, with_header, ',', csv_cell, out);
}

static void print_tsv(const struct table *t, bool with_header, struct buf *out)
{
    separated(t, with_header, '\t', tsv_cell, out);
}

static void markdown_heading(const struct table *t, struct buf *out)
{
    for (size_t c = 0; c < t->n_columns; c++)
        if (!t->columns[c].is_hidden)
            buf_addf(out, "| %s ", heading(t, c));
    buf_add_z(out, "|\n");
    for (size_t c = 0; c < t->n_columns; c++)
        if (!t->columns[c].is_hidden)
            buf_addf(out, "|%s", t->columns[c].is_right ? "---:" : "---");
    buf_add_z(out, "|\n");
}

static void print_markdown(const struct table *t, bool with_header, struct buf *out)
{
    if (with_header)
        markdown_heading(t, out);
    for (size_t r = 0; r < t->n_rows; r++) {
        for (size_t c = 0; c < t->n_columns; c++) {
            if (t->columns[c].is_hidden)
                continue;
            const struct table_cell *cell = cell_at(t, r, c);
            buf_add_z(out, "| ");
            if (t->columns[c].is_command && cell->type != CELL_NULL)
                safe_markdown_code(out, shown_text(cell));
            else
                safe_markdown(out, shown_text(cell));
            buf_add_c(out, ' ');
        }
        buf_add_z(out, "|\n");
    }
}

void table_print(const struct table *t, enum table_format f, bool with_header, struct buf *out)
{
    static void (*const printers[])(const struct table *, bool, struct buf *) = {
        [TABLE_TEXT] = print_text, [TABLE_JSON] = print_json, [TABLE_NDJSON] = print_ndjson,
        [TABLE_CSV] = print_csv,   [TABLE_TSV] = print_tsv,   [TABLE_MARKDOWN] = print_markdown,
    };

    assert((size_t)f < ARRAY_LEN(printers));
    printers[f](t, with_header, out);
}

void table_print_head(const struct table *t, enum table_format f, struct buf *out)
{
    struct table none = *t;

    none.n_rows = 0;
    if (f == TABLE_JSON)
        json_head(t, out);
    else
        table_print(&none, f, true, out);
}

void table_print_rows(const struct table *t, enum table_format f, size_t n_before, struct buf *out)
{
    assert(f != TABLE_TEXT);
    if (f == TABLE_JSON)
        json_rows(t, n_before, out);
    else
        table_print(t, f, false, out);
}

void table_print_tail(enum table_format f, struct buf *out)
{
    if (f == TABLE_JSON)
        buf_add_z(out, "\n]}\n");
}

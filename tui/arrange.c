/* Which rows are shown and in which order: filter, problems only, sort. */
#include <string.h>

#include "core/base/timefmt.h"
#include "tui/view.h"

/* --- filter --- */

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '%';
}

static int column_named(const struct table *t, struct str word)
{
    for (size_t i = 0; i < t->n_columns; i++) {
        struct str name = str_from(t->columns[i].name), title = str_from(t->columns[i].title);
        if (str_eq_nocase(str_sub(title, 0, word.n), word) ||
            str_eq_nocase(str_sub(name, 0, word.n), word))
            return (int)i;
    }
    return -1;
}

/* 10^-12, as money has it, and wide: no cell is cut before it is compared. */
static bool decimal_parse(struct str s, wide *out)
{
    enum { DECIMALS = 12, DIGITS = 18 };
    const bool is_negative = str_starts(s, STR("-"));
    wide v = 0;

    s = str_skip(s, is_negative);
    const size_t point = str_find_char(s, '.');
    if (s.n == 0 || point > DIGITS || s.n > point + 1 + DECIMALS || (point == 0 && s.n == 1))
        return false;
    for (size_t i = 0; i < point + 1 + DECIMALS; i++) {
        if (i == point)
            continue;
        const char c = i < s.n ? s.p[i] : '0';
        if (c < '0' || c > '9')
            return false;
        v = v * 10 + (c - '0');
    }
    *out = is_negative ? -v : v;
    return true;
}

/* --- units: a column's is the end of its machine name --- */

static bool read_duration(struct str s, wide *out)
{
    int64_t ns;

    if (duration_parse(s, &ns, NULL) != OK)
        return false;
    *out = (wide)ns * (MONEY_UNIT / NS_PER_MS);
    return true;
}

static bool read_bytes(struct str s, wide *out)
{
    uint64_t bytes;

    if (size_parse(s, &bytes, NULL) != OK)
        return false;
    *out = (wide)bytes * MONEY_UNIT;
    return true;
}

/* Shown in MB of 2^20 bytes: "512MB" is what the column shows as 512. */
static bool read_memory(struct str s, wide *out)
{
    uint64_t bytes;

    if (memory_parse(s, &bytes, NULL) != OK)
        return false;
    *out = (wide)bytes * MONEY_UNIT / (INT64_C(1) << 20);
    return true;
}

static bool read_money(struct str s, wide *out)
{
    return str_starts(s, STR("$")) && decimal_parse(str_skip(s, 1), out);
}

static bool read_percent(struct str s, wide *out)
{
    return str_ends(s, STR("%")) && decimal_parse(str_sub(s, 0, s.n - 1), out);
}

static const struct unit {
    struct str name_end;
    bool (*read)(struct str s, wide *out);
    const char *example;
} units[] = {
    {STR_INIT("_ms"), read_duration, "1500, 60s or 1m30s"},
    {STR_INIT("_mb"), read_memory, "512, 512MB or 1GB"},
    {STR_INIT("_bytes"), read_bytes, "1000000, 1MB or 1MiB"},
    {STR_INIT("_usd"), read_money, "0.00001, with up to 12 decimals"},
    {STR_INIT("_percent"), read_percent, "5 or 5%"},
    {STR_INIT(""), decimal_parse, "5"}, /* of any other */
};

static const struct unit *unit_of(const struct table_column *c)
{
    size_t i = 0;

    while (!str_ends(str_from(c->name), units[i].name_end))
        i++;
    return &units[i];
}

/* --- comparisons --- */

static bool read_operator(struct str text, struct condition *c, size_t *n)
{
    static const struct {
        struct str sign;
        bool is_below, is_equal, is_above, is_inverse;
    } operators[] = {
        {STR_INIT("!="), .is_equal = true, .is_inverse = true},
        {STR_INIT(">="), .is_equal = true, .is_above = true},
        {STR_INIT("<="), .is_equal = true, .is_below = true},
        {STR_INIT(">"), .is_above = true},
        {STR_INIT("<"), .is_below = true},
        {STR_INIT("="), .is_equal = true},
    };

    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (!str_starts(text, operators[i].sign))
            continue;
        *n = operators[i].sign.n;
        c->is_below = operators[i].is_below;
        c->is_equal = operators[i].is_equal;
        c->is_above = operators[i].is_above;
        c->is_inverse = c->is_inverse != operators[i].is_inverse;
        return true;
    }
    return false;
}

static enum status read_value(const struct table_column *column, struct str value,
                              struct condition *c, struct err *e)
{
    const struct unit *unit = unit_of(column);

    if (decimal_parse(value, &c->value) || unit->read(value, &c->value))
        return OK;
    if (column->is_right)
        return err_set(e, ERR_USAGE,
                       "\"" STR_FMT "\" is nothing to compare %s with: try %s; looked for as text",
                       STR_ARG(value), column->title ? column->title : column->name, unit->example);
    if (c->is_below || c->is_above)
        return err_set(e, ERR_USAGE, "%s is compared with = and != only; looked for as text",
                       column->title ? column->title : column->name);
    c->word = value;
    return OK;
}

/* "err%>5", "dur<1m", "result!=error": the column by the start of its title or machine name.
 * ERR_NOT_FOUND: no comparison. */
static enum status parse_comparison(const struct table *t, struct str text, struct condition *c,
                                    struct err *e)
{
    size_t n = 0, n_sign = 0;

    while (n < text.n && is_word_char(text.p[n]))
        n++;
    if (n == 0 || !read_operator(str_skip(text, n), c, &n_sign) || n + n_sign >= text.n)
        return ERR_NOT_FOUND;
    c->column = column_named(t, str_sub(text, 0, n));
    if (c->column < 0)
        return err_set(e, ERR_USAGE, "\"" STR_FMT "\" is no column here; looked for as text",
                       STR_ARG(str_sub(text, 0, n)));
    return read_value(&t->columns[c->column], str_skip(text, n + n_sign), c, e);
}

/* Nothing but letters and what joins them, and one of them in no number, time or unit. */
static bool is_plain_word(struct str s)
{
    bool is_told = false;

    for (size_t i = 0; i < s.n; i++) {
        const char c = (char)(s.p[i] | 0x20);
        if ((c < 'a' || c > 'z') && s.p[i] != '-' && s.p[i] != '_' && s.p[i] != ' ')
            return false;
        is_told = is_told || (c >= 'a' && c <= 'z' && strchr("dhmnstuzw", c) == NULL);
    }
    return is_told;
}

enum status condition_parse(struct str text, const struct table *t, struct condition *c,
                            struct err *e)
{
    const bool is_inverse = str_starts(text, STR("!"));

    *c = (struct condition){.column = -1, .is_inverse = is_inverse};
    text = str_skip(text, is_inverse);
    if (text.n == 0)
        return OK;
    const enum status s = parse_comparison(t, text, c, e);
    if (s == OK)
        return OK;
    *c =
        (struct condition){.column = -1, .is_inverse = is_inverse, .is_plain = is_plain_word(text)};
    if (re_new(text, "i", &c->re, NULL) != OK && re_new(text, "il", &c->re, NULL) != OK)
        c->re = NULL;
    return s == ERR_NOT_FOUND ? OK : s;
}

static bool is_word(const struct condition *c, const struct table_cell *cell)
{
    return cell->type != CELL_NULL &&
           (str_eq_nocase(cell->raw, c->word) || str_glob(c->word, cell->raw) ||
            (cell->shown.p && str_eq_nocase(str_trim(cell->shown), c->word)));
}

static bool compare_value(const struct condition *c, const struct table_cell *cell)
{
    wide v;

    if (c->word.n > 0)
        return is_word(c, cell);
    if (cell->type == CELL_NULL || !decimal_parse(cell->raw, &v))
        return false;
    return v > c->value ? c->is_above : v < c->value ? c->is_below : c->is_equal;
}

/* By what is shown and by what it stands for; a time only as it is shown: in another zone it would
 * be another. */
static bool cell_matches(struct re *re, const struct table *t, size_t row, size_t column)
{
    const struct table_cell *c = &t->cells[row * t->n_columns + column];

    if (c->type == CELL_NULL)
        return false;
    if (c->shown.p && re_match(re, c->shown, NULL, NULL))
        return true;
    return !(c->shown.p && view_cell_is_time(t, column, c)) && re_match(re, c->raw, NULL, NULL);
}

static bool any_cell_matches(const struct table *t, size_t row, struct re *re)
{
    for (size_t i = 0; i < t->n_columns; i++)
        if (cell_matches(re, t, row, i))
            return true;
    return false;
}

bool condition_holds(const struct condition *c, const struct table *t, size_t row)
{
    if (c->column >= 0)
        return compare_value(c, &t->cells[row * t->n_columns + (size_t)c->column]) != c->is_inverse;
    return !c->re || any_cell_matches(t, row, c->re) != c->is_inverse;
}

bool app_row_has(const struct app *app, size_t row, struct re *re)
{
    return any_cell_matches(&app->data.table, app->order[row], re);
}

struct re *app_filter_re(const struct app *app)
{
    struct str text = {app->filter, app->filter_n};
    struct re *re = NULL;

    if (text.n > 0 && re_new(text, "i", &re, NULL) != OK && re_new(text, "il", &re, NULL) != OK)
        return NULL;
    return re;
}

/* --- sort --- */

/* Decimal texts by value: sign, then whole part by length, then digit by digit. */
static int compare_decimals(struct str a, struct str b)
{
    bool na = str_starts(a, STR("-")), nb = str_starts(b, STR("-"));

    if (na != nb)
        return na ? -1 : 1;
    size_t wa = str_find_char(a, '.'), wb = str_find_char(b, '.');
    int c = wa != wb ? (wa > wb) - (wa < wb) : str_cmp(a, b);
    return na ? -c : c;
}

static bool is_decimal(const struct table_cell *c)
{
    return c->type == CELL_NUMBER || c->type == CELL_MONEY;
}

int view_compare_cells(const struct table_cell *a, const struct table_cell *b)
{
    if (a->type == CELL_NULL || b->type == CELL_NULL)
        return (b->type == CELL_NULL) - (a->type == CELL_NULL);
    if (a->rank != b->rank)
        return (a->rank > b->rank) - (a->rank < b->rank);
    return is_decimal(a) && is_decimal(b) ? compare_decimals(a->raw, b->raw)
                                          : str_cmp(a->raw, b->raw);
}

/* Stable merge sort of row numbers: equal rows keep their order over refreshes. */
static void merge_sort(const struct table *t, size_t column, bool down, size_t *rows, size_t n,
                       size_t *spare)
{
    if (n < 2)
        return;
    size_t half = n / 2, i = 0, k = half;
    merge_sort(t, column, down, rows, half, spare);
    merge_sort(t, column, down, rows + half, n - half, spare);
    for (size_t o = 0; o < n; o++) {
        bool take_left = k == n;
        if (i < half && k < n) {
            int c = view_compare_cells(&t->cells[rows[i] * t->n_columns + column],
                                       &t->cells[rows[k] * t->n_columns + column]);
            take_left = down ? c >= 0 : c <= 0;
        }
        spare[o] = take_left ? rows[i++] : rows[k++];
    }
    memcpy(rows, spare, n * sizeof(*rows));
}

/* --- both --- */

/* Attempts of one request share its key: then the time tells, else the first one does. */
static size_t find_key(const struct app *app, const struct place *p)
{
    size_t found = app->n_shown;

    for (size_t i = 0; i < app->n_shown; i++) {
        if (!str_eq(app_row_key(app, app->order[i]), p->selected_key))
            continue;
        if (app->data.refs[app->order[i]].time_ns == p->selected_ns)
            return i;
        found = found == app->n_shown ? i : found;
    }
    return found;
}

static void keep_selection(struct app *app)
{
    struct place *p = app_place(app);
    const struct view_ops *ops = view_table[p->view];
    size_t rows = app->n_shown;

    if (ops->is_text)
        return; /* drawing knows how many lines there are */
    if (!ops->has_no_row_identity && p->selected_key.n > 0) {
        size_t at = find_key(app, p);
        p->selected = at < app->n_shown ? at : p->selected;
    }
    if (p->selected >= rows || p->is_following)
        p->selected = rows > 0 ? rows - 1 : 0;
}

bool app_asks_anew(const struct app *app)
{
    return view_table[app->stack[app->depth - 1].view]->is_asked_of_store || app->data.is_window;
}

void app_ask_anew(struct app *app)
{
    struct place *p = app_place(app);

    p->n_pages = 0;
    p->is_from_end = false;
    app->must_load |= app_asks_anew(app);
}

void app_arrange(struct app *app)
{
    const struct table *t = &app->data.table;
    const struct view_ops *ops = view_table[app_place(app)->view];
    const struct place *p = app_place(app);
    struct condition c;

    app->n_shown = 0;
    if (!ops->is_text && t->n_rows > 0) {
        app->order = arena_new(&app->data_arena, size_t, t->n_rows);
        size_t *spare = arena_new(&app->data_arena, size_t, t->n_rows);
        (void)condition_parse((struct str){app->filter, app->filter_n}, t, &c, NULL);
        if (ops->is_searched) {
            re_free(c.re);
            c = (struct condition){.column = -1};
        }
        for (size_t i = 0; i < t->n_rows; i++)
            if (condition_holds(&c, t, i) && (!app->only_problems || app->data.refs[i].is_problem))
                app->order[app->n_shown++] = i;
        re_free(c.re);
        int column = p->sort_column;
        if (column >= 0 && (size_t)column < t->n_columns) {
            bool down = t->columns[column].is_right != p->is_inverted;
            merge_sort(t, (size_t)column, down, app->order, app->n_shown, spare);
        } else if (p->is_inverted && !app_asks_anew(app)) {
            for (size_t i = 0; i < app->n_shown / 2; i++) {
                size_t other = app->n_shown - 1 - i, row = app->order[i];
                app->order[i] = app->order[other];
                app->order[other] = row;
            }
        }
    }
    keep_selection(app);
}

/* Private to tui/: the view contract and what views share. A view's `load` may touch the store;
 * drawing and keys may not. */
#ifndef FNSCOPE_TUI_VIEW_H
#define FNSCOPE_TUI_VIEW_H

#include "core/base/re.h"
#include "tui/frame.h"
#include "tui/keys.h"
#include "tui/tui.h"

enum view_id {
    VIEW_OVERVIEW,
    VIEW_FUNCTIONS,
    VIEW_INVOCATIONS,
    VIEW_ERRORS,
    VIEW_COLD,
    VIEW_COST,
    VIEW_INVOCATION,
    VIEW_HELP,
    VIEWS
};

enum { MAX_COLUMNS = 20 };

/* What a row stands for: where Enter leads. */
struct row_ref {
    uint32_t fn_id;
    struct str id; /* request id */
    uint32_t outcome_mask;
    enum style style; /* STYLE_BAD for problems */
    bool is_problem;
};

/* The loaded content of a view; in its arena. */
struct view_data {
    struct table table;
    struct row_ref *refs; /* one per row of the table */
    size_t cap_refs;
    struct str *lines; /* text views: detail, help */
    enum style *line_styles;
    size_t n_lines, cap_lines, cap_line_styles;
    struct stats total;   /* overview */
    struct series series; /* overview, cost */
    struct fn_rows functions;
    struct range range; /* what was loaded */
};

/* One level of the stack: a view with its place. */
struct place {
    enum view_id view;
    uint32_t fn_id;
    struct str fn_name;
    struct str id;
    uint32_t outcome_mask;
    size_t selected, scroll;
    struct str selected_key; /* first cell of the selected row: keeps the focus over a refresh */
    int sort_column;         /* -1: as loaded */
    bool is_inverted;
};

enum cost_unit { UNIT_TOTAL, UNIT_PER_MILLION, UNIT_SHARE, UNITS };
enum { MAX_DEPTH = 16 };

struct app {
    const struct tui_options *options;
    struct place stack[MAX_DEPTH];
    size_t depth; /* the current one is stack[depth - 1] */
    struct place previous;
    struct arena data_arena, text_arena; /* the loaded view; texts that outlive it */
    struct view_data data;
    struct frame frame;
    struct range range; /* until 0: live */
    int64_t span_ns;
    char filter[128];
    size_t filter_n;
    bool is_typing, only_problems, is_paused, has_data, must_quit, must_load;
    enum cost_unit unit;
    uint64_t generation;
    int64_t loaded_ns, refresh_ns; /* monotonic */
    struct err error;              /* of the last load; the last good data stays */
    struct str message;            /* shown once at the bottom */
    size_t *order; /* rows that pass the filter, in the order shown; in the data arena */
    size_t n_shown;
};

struct view_ops {
    const char *name, *title;
    enum status (*load)(struct app *app, struct view_data *d, struct err *e);
    void (*draw_top)(const struct app *app, struct frame *f, unsigned y,
                     unsigned *used); /* above the table; NULL: nothing */
    bool is_text;                     /* lines instead of a table */
    int default_sort;                 /* column, or -1 */
    bool sorts_down;                  /* largest first */
};
extern const struct view_ops view_table[VIEWS];

/* --- shared by views --- */
struct row_ref *view_row(struct view_data *d, struct arena *a); /* a new row and its reference */
void view_line(struct view_data *d, struct arena *a, enum style style, struct str text);
struct place *app_place(struct app *app);
uint64_t stats_failed(const struct stats *s);
uint64_t stats_cold(const struct stats *s);
void cell_money(struct table *t, size_t column, wide pico);
void cell_duration(struct table *t, size_t column, int64_t ns);
void cell_percentile(struct table *t, size_t column, const struct histogram *h, unsigned permille);
void cell_percent(struct table *t, size_t column, uint64_t part, uint64_t whole);
void cell_time(struct table *t, size_t column, int64_t t_ns);
struct str view_money(struct arena *a, wide pico);
struct str view_share(struct arena *a, wide part, wide whole);
/* Cost in the chosen unit. */
void cell_cost(const struct app *app, struct table *t, size_t column, wide pico, uint64_t n,
               wide total);

enum status load_overview(struct app *app, struct view_data *d, struct err *e);
enum status load_functions(struct app *app, struct view_data *d, struct err *e);
enum status load_invocations(struct app *app, struct view_data *d, struct err *e);
enum status load_errors(struct app *app, struct view_data *d, struct err *e);
enum status load_cold(struct app *app, struct view_data *d, struct err *e);
enum status load_cost(struct app *app, struct view_data *d, struct err *e);
enum status load_invocation(struct app *app, struct view_data *d, struct err *e);
enum status load_help(struct app *app, struct view_data *d, struct err *e);
void draw_overview(const struct app *app, struct frame *f, unsigned y, unsigned *used);
void draw_spark_strip(const struct app *app, struct frame *f, unsigned y, unsigned *used);

/* --- the program --- */
void app_init(struct app *app, const struct tui_options *o);
void app_clear(struct app *app);
void app_load(struct app *app);    /* loads the current view; keeps the last good data on failure */
void app_arrange(struct app *app); /* filter and sort: after load, and when either changed */
void app_draw(struct app *app, unsigned width, unsigned height);
void app_key(struct app *app, uint32_t key);
bool app_is_stale(struct app *app, int64_t now_ns); /* time to look for new data */
struct range app_range(const struct app *app);

/* --- the terminal (screen.c) --- */
struct screen;
MUST_CHECK enum status screen_open(struct screen **out, bool no_color, struct err *e);
void screen_close(struct screen *s);
void screen_size(struct screen *s, unsigned *width, unsigned *height);
void screen_paint(struct screen *s, const struct frame *f);
/* Waits at most timeout_ms; 0: no key. */
uint32_t screen_key(struct screen *s, int timeout_ms);
bool screen_is_told_to_stop(void);
void screen_copy(struct screen *s, struct str text); /* OSC 52 */

#endif

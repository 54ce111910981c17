/* Private to tui/: the view contract and what views share. A view's `load` may touch the store;
 * drawing and keys may not. */
#ifndef FNSCOPE_TUI_VIEW_H
#define FNSCOPE_TUI_VIEW_H

#include "core/base/re.h"
#include "core/base/table_stream.h"
#include "tui/frame.h"
#include "tui/keys.h"
#include "tui/tui.h"

enum view_id {
    VIEW_OVERVIEW,
    VIEW_INCIDENTS,
    VIEW_FUNCTIONS,
    VIEW_INVOCATIONS,
    VIEW_ERRORS,
    VIEW_TRACES,
    VIEW_COLD,
    VIEW_COST,
    VIEW_LOG,
    VIEW_QUEUES,
    VIEW_ALERTS,
    VIEW_EPISODES,
    VIEW_SOURCES,
    VIEW_ALERT,
    VIEW_QUEUE,
    VIEW_SOURCE,
    VIEW_FUNCTION,
    VIEW_BREAKDOWN,
    VIEW_COMPARE,
    VIEW_INVOCATION,
    VIEW_EXPLAIN,
    VIEW_SQL,
    VIEW_HELP,
    VIEWS
};

enum { MAX_COLUMNS = 32 };

enum { PAGE_ROWS = 1000, MOST_PAGES = 19, ALL_PAGES = 1000000 }; /* beyond the first */

/* What v shows of a view with a course over time. */
enum display { DISPLAY_TABLE, DISPLAY_GRAPH, DISPLAY_HEAT, DISPLAYS };

/* What a row stands for: where Enter leads. */
struct row_ref {
    enum view_id leads_to; /* where Enter leads; VIEW_OVERVIEW: to the request or the function */
    uint32_t fn_id;
    struct str fn_name;
    struct str id;         /* of a request, an alert, a queue; a source's name */
    struct str group;      /* of a breakdown row: the value of its dimension */
    struct str error_type; /* of an errors row */
    struct range range;    /* of an incident; until 0: the view's */
    uint32_t outcome_mask;
    int64_t time_ns;  /* where zoom centres; 0: the middle */
    enum style style; /* STYLE_BAD for problems */
    enum style tag;   /* of the tag column of the log; STYLE_PLAIN: as the row */
    bool is_problem;
};

struct text_line {
    struct str text;
    enum style style;
    unsigned indent; /* of what is wrapped */
};

/* The loaded content of a view; in its arena. */
struct view_data {
    struct table table;
    struct row_ref *refs; /* one per row of the table */
    size_t cap_refs;
    struct text_line *lines; /* text views: detail, help */
    size_t n_lines, cap_lines;
    struct stats total; /* overview; its max_duration_ns is the p95 */
    struct throttles throttles;
    wide kept_cny;                    /* the same in CNY */
    wide kept_ready;                  /* cost: charged by the hour, beside it */
    size_t n_kept_open, n_kept_unmet; /* functions of which it is not known; rules for none */
    struct ingest_status status;
    struct incidents incidents;
    struct alert_rows alerts;   /* overview: those that hold */
    struct source_gaps gaps;    /* overview: sources not read to the end of the range */
    struct store_places places; /* what is shown of them */
    struct str unwatched;       /* why no source is read now; empty: they are */
    struct reconcile reconcile; /* sources: of the last day */
    uint64_t cold_causes[COLD_CAUSES];
    struct series series; /* its costs are those in USD; where all are in CNY, these */
    wide usd, cny;        /* sums of them, view_load_series */
    struct fn_rows functions;
    const struct fn_row *one; /* the function of the place */
    struct range range;       /* what was loaded */
    size_t n_functions;       /* overview: that have something in the range */
    bool is_more;             /* there are rows beyond what is loaded */
    bool is_window;           /* of more rows the filter and the order chose those */
    bool is_printed;          /* to app.rows_out instead */
};

/* One level of the stack: a view with its place. */
struct place {
    enum view_id view;
    uint32_t fn_id;
    struct str fn_name;
    struct str id; /* as the row had it; of VIEW_SQL the statement */
    struct str error_type;
    uint32_t outcome_mask;
    size_t selected, scroll;
    struct str selected_key; /* of the selected row: keeps the focus over a refresh */
    int64_t selected_ns;     /* and its time, where rows of one key differ by it */
    size_t n_pages;          /* invocations: pages that are loaded beyond the first */
    bool is_from_end;        /* and they are the last ones of the order */
    int sort_column;         /* -1: as loaded */
    bool is_inverted, is_following;
    enum display display;
    struct str filter;    /* what was looked for, while another place is shown */
    int64_t log_until_ns; /* and the page of the log */
    bool has_own_range;   /* leaving it brings back the range it came from */
    struct range range_before;
    int64_t span_before;
    bool was_newest;
};

enum cost_unit { UNIT_TOTAL, UNIT_PER_MILLION, UNIT_SHARE, UNITS };
enum { MAX_DEPTH = 16, MAX_TRAIL = 16 };

/* The line at the bottom that takes text. */
enum prompt_kind { PROMPT_NONE, PROMPT_FILTER, PROMPT_COMMAND, PROMPT_SQL, PROMPT_EXPORT };
struct prompt {
    enum prompt_kind kind;
    char text[512];
    size_t n;
    bool is_untouched; /* what was there before: typing replaces it, Backspace edits it */
};

/* The list that opens over a view to choose from (picker.c). */
enum pick_kind {
    PICK_NONE,
    PICK_SORT,
    PICK_RANGE,
    PICK_COLUMNS,
    PICK_BREAKDOWN,
    PICK_ACCOUNTS,
    PICK_REGIONS,
    PICK_SETUP,
    PICK_KINDS
};
enum { MAX_PICKS = 64 };
struct picker {
    enum pick_kind kind;
    size_t at, n;
    struct pick_item {
        struct str text;
        bool is_chosen;
        unsigned group; /* 0: a box of its own; else at most one of the group is chosen */
        int value;      /* means something to the kind */
    } items[MAX_PICKS];
};

/* What m remembers and d compares with: a function, or all, or one group of them, in a range. */
struct subject_mark {
    bool is_set;
    uint32_t fn_id; /* 0: all functions */
    struct str fn_name;
    struct str dimension, group; /* of a breakdown; empty: the whole */
    struct range range;
};

enum { MAX_TAGS = 256 };

/* Where things stand on the drawn frame, for the mouse. */
struct drawn {
    unsigned table_y, rows; /* the header line, and the lines with rows below it; 0: no table */
    size_t *row_at;         /* of each of those lines its row; in the frame's arena */
    size_t n_shown;         /* rows in sight */
    unsigned column_x[MAX_COLUMNS], column_end[MAX_COLUMNS];
};
struct mouse_event {
    enum { MOUSE_CLICK, MOUSE_DOUBLE, MOUSE_UP, MOUSE_DOWN } kind;
    unsigned x, y;
};

/* The log holds a page of the range: what to look for beyond it. */
enum seek_kind { SEEK_NONE, SEEK_SELECTED, SEEK_NEXT_MATCH, SEEK_PREVIOUS_MATCH };
struct log_seek {
    enum seek_kind kind;
    struct range page; /* times of the lines that are loaded */
    int64_t selected_ns;
};

/* Where the user was: what [ and ] walk along. */
struct trail_step {
    struct place stack[MAX_DEPTH];
    size_t depth;
    struct range range;
    int64_t span_ns;
    bool is_newest;
};

/* A filter, understood for the columns of a table (arrange.c). */
struct condition {
    bool is_inverse;
    int column;                        /* of "column>value"; -1: a pattern over the whole row */
    bool is_below, is_equal, is_above; /* what of the value passes */
    wide value;                        /* 10^-12, in the column's unit */
    struct str word; /* "column=word": the cell is that, or fits it as a glob; empty: a number */
    struct re *re;
    bool is_plain; /* letters of which some are in no number or time: only texts can match */
};
/* re is the caller's, for re_free. ERR_USAGE: a comparison of a column there is not, or with what
 * cannot be read; c looks for it as a text then. */
enum status condition_parse(struct str text, const struct table *t, struct condition *c,
                            struct err *e);
bool condition_holds(const struct condition *c, const struct table *t, size_t row);
/* In the order of values, unknown ones first. */
int view_compare_cells(const struct table_cell *a, const struct table_cell *b);

struct app {
    const struct tui_options *options;
    struct place stack[MAX_DEPTH];
    size_t depth;             /* the current one is stack[depth - 1] */
    struct trail_step *trail; /* MAX_TRAIL of them; in the text arena */
    size_t n_trail, trail_at;
    bool is_swapped; /* "-" went back last: the next one goes forward */
    struct arena data_arena, text_arena, frame_arena; /* the loaded view; texts that outlive it; one
                                                         frame */
    struct view_data data;
    struct frame frame;
    struct range range; /* until 0: live */
    int64_t span_ns;
    bool is_newest;           /* the range goes along with the newest data, until one is chosen */
    int64_t log_until_ns;     /* the log's page ends here; 0: with the range */
    struct log_seek log_seek; /* which page the log loads next */
    struct prompt prompt;
    struct picker picker;
    struct fn_filter fn_filter; /* the options', narrowed by accounts and regions */
    /* Rows of functions go there as they come, all that pass the filter, in the order. NULL: they
     * are loaded. */
    const struct table_out *rows_out;
    uint32_t hidden[VIEWS];    /* columns taken away, a bit each */
    struct str tags[MAX_TAGS]; /* rows tagged in the view of the place, by what they stand for */
    size_t n_tags;
    struct subject_mark mark, other; /* other: what the comparison shows beside the mark */
    struct drawn drawn;
    enum tui_theme theme;
    bool has_mouse;
    char filter[256];
    size_t filter_n;
    char log_pattern[256]; /* the filter of the log that the store applies */
    size_t log_pattern_n;
    bool only_problems, is_paused, has_data, must_quit, must_load, no_strip, is_wrapped;
    bool is_spoken;    /* as lines of text (speak.c): no charts in texts */
    bool must_repaint; /* the terminal may show something else */
    bool must_suspend; /* to be stopped as ^Z does, until the shell goes on with it */
    enum cost_unit unit;
    enum tui_zone zone;
    uint64_t generation;
    enum collector_state collector;
    int64_t loaded_ns, looked_ns, refresh_ns; /* monotonic; looked: for a new generation */
    int64_t took_ns;                          /* the last load */
    struct err error;                         /* of the last load; the last good data stays */
    struct str message;                       /* shown once at the bottom */
    struct str clipboard;                     /* for the terminal to take; empty: nothing */
    size_t *order; /* rows that pass the filter, in the order shown; in the data arena */
    size_t n_shown;
    struct text_line *visual; /* lines of a text view as wrapped; set by drawing */
    size_t n_visual;
    unsigned visual_width; /* they were wrapped to; 0: not yet */
};

struct view_ops {
    const char *name, *title;
    enum status (*load)(struct app *app, struct view_data *d, struct err *e);
    void (*draw_top)(const struct app *app, struct frame *f, unsigned y,
                     unsigned *used);    /* above the table; NULL: nothing */
    const unsigned char *first, n_first; /* columns in the order in which they get room */
    unsigned char named_column;          /* with what a row is about; its place stands beside it */
    bool is_text;                        /* lines instead of a table */
    bool has_course;                     /* v shows its course over time */
    bool is_newest_first;                /* the cursor on the first row stays there */
    bool fits_width;                     /* a text made for the width: loaded anew for another */
    bool has_no_row_identity;            /* rows come and go: the focus stays at its place */
    bool is_still;                       /* nothing in it moves with the clock */
    bool has_ages;                       /* it says how long ago things were */
    bool is_searched;                    /* "/" finds rows instead of leaving others out */
    bool is_asked_of_store;              /* which applies filter and order, page by page */
    uint32_t store_sorts;                /* and sorts by these columns, a bit each */
    bool has_unit;                       /* its cost is shown in the unit that $ chooses */
    int default_sort;                    /* column, or -1 */
    enum view_id tab;                    /* the other pane: Tab; itself: none */
    const char *empty;                   /* said when there are no rows; NULL: the usual */
};
extern const struct view_ops *const view_table[VIEWS];
extern const struct view_ops view_overview, view_incidents, view_functions, view_invocations,
    view_errors, view_traces, view_function, view_breakdown, view_compare, view_cold, view_cost,
    view_log, view_queues, view_queue, view_alerts, view_episodes, view_sources, view_source,
    view_alert, view_invocation, view_explain, view_sql, view_help;

/* --- shared by views --- */
/* A chart as a line of text, as wide as the screen leaves room for: of a series, or with s NULL a
 * bar of permille; empty where lines are spoken. */
struct str view_chart(struct app *app, const struct spark *s, unsigned permille);
unsigned view_chart_width(const struct app *app);
/* Which of `width` cells of the range holds the time; the nearest if none does. */
size_t view_cell_at(struct range r, int64_t t_ns, unsigned width);
/* Room for so many rows, right after table_init. */
void view_reserve(struct view_data *d, struct arena *a, size_t n_rows);
struct row_ref *view_row(struct view_data *d, struct arena *a); /* a new row and its reference */
void view_line(struct view_data *d, struct arena *a, enum style style, struct str text);
void view_line_in(struct view_data *d, struct arena *a, enum style style, struct str text,
                  unsigned indent); /* of what is wrapped */
struct place *app_place(struct app *app);
/* Filter and order are applied where the rows are loaded, page by page. */
bool app_asks_anew(const struct app *app);
uint64_t stats_failed(const struct stats *s);
/* Attempts that ended without a price: what still runs has none yet, and that is no fault. */
uint64_t view_unpriced(const struct ingest_status *s);
uint64_t stats_cold(const struct stats *s);
void cell_money(struct table *t, size_t column, wide pico);
/* Of several functions: machines get what is in USD. */
void cell_costs(struct table *t, size_t column, wide usd, wide cny);
void cell_money_of(struct table *t, size_t column, wide pico, const struct fn_ref *fn);
/* For programs, in a column of its own: what is billed in CNY; nothing of what is not. */
void cell_cny(struct table *t, size_t column, wide pico, const struct fn_ref *fn);
void cell_duration(struct table *t, size_t column, int64_t ns);
void cell_percentile(struct table *t, size_t column, const struct histogram *h, unsigned permille);
void cell_percent(struct table *t, size_t column, uint64_t part, uint64_t whole);
struct str view_money(struct arena *a, wide pico); /* in USD */
struct str view_money_in(struct arena *a, wide pico, struct str currency);
/* "$1.20 + CNY 3.40": sums of different currencies are never one. */
struct str view_costs(struct arena *a, wide usd, wide cny);
/* All amounts of the last row are the function's: where they are not in USD they are shown as what
 * they are, and the columns of dollars have none. What has no price is not priced. */
void row_amounts(struct table *t, const struct fn_row *f);
bool stats_lack_price(const struct stats *s); /* all of it */
struct str view_share(struct arena *a, wide part, wide whole);
/* What is charged by the hour beside the cost of a function (v_cost.c), and as a sentence: empty
 * where nothing is kept ready. */
enum status view_kept_ready(const struct app *app, const struct view_data *d,
                            const struct fn_row *f, struct standing_cost *out, struct err *e);
struct str view_kept_text(struct arena *a, const struct standing_cost *c);
/* What is kept ready and did not run, in d->range; d->functions get the sizes they lack. */
enum status view_load_idle(struct app *app, struct view_data *d, struct standing_idle *out,
                           struct err *e);
/* Cost in the chosen unit. */
void cell_cost(const struct app *app, struct table *t, size_t column, wide pico, uint64_t n,
               wide total);

void cell_count(struct table *t, size_t column, uint64_t n);
struct str view_count(struct arena *a, uint64_t n); /* 12,345 */
/* "1 retry", "12,345 retries" */
struct str view_things(struct arena *a, uint64_t n, const char *one, const char *many);
struct str view_duration(struct arena *a, int64_t ns);
struct str view_exact(struct arena *a, wide v, unsigned scale); /* no digit lost */
/* Times (times.c): no view writes one on its own. Of 2026-01-15T12:00:00.000 each form has a part.
 */
enum time_form {
    TIME_WHOLE, /* and its zone: "Z", "+01", "+05:45" */
    TIME_SECOND,
    TIME_MINUTE,
    TIME_DAY,
    TIME_IN_YEAR,      /* 01-15T12:00:00 */
    TIME_DAY_MINUTE,   /* 01-15 12:00 */
    TIME_CLOCK,        /* 12:00:00.000 */
    TIME_CLOCK_MINUTE, /* 12:00 */
    TIME_FORMS
};
/* In the zone chosen; where that is ages, in UTC: for what an age says too little of. */
struct str view_time(const struct app *app, struct arena *a, int64_t t_ns, enum time_form form);
struct str view_when(const struct app *app, struct arena *a, int64_t t_ns,
                     enum time_form form); /* the same, or the age where that was chosen */
struct str view_range(const struct app *app, struct arena *a, struct range r);
struct str view_utc(struct arena *a, int64_t t_ns); /* for machines: RFC 3339, ms */
/* "3m ago", "in 5s" for the clock of the app. */
struct str view_ago(const struct app *app, struct arena *a, int64_t t_ns);
void view_zone(const struct app *app, struct buf *out);       /* "UTC", "CET", "CET/CEST" */
void cell_time(struct table *t, size_t column, int64_t t_ns); /* data: UTC */
/* Gives times their text for people in the zone chosen; once a table is loaded. */
void view_times_shown(const struct app *app, struct table *t);
bool view_cell_is_time(const struct table *t, size_t column, const struct table_cell *c);
/* What the cell shows in a table drawn. */
struct str view_cell(const struct app *app, struct arena *a, size_t column,
                     const struct table_cell *c);
/* What a person types (time_parse_human); without a zone it is in the one that is shown. */
MUST_CHECK enum status view_time_parse(const struct app *app, struct str s, int64_t *t_ns,
                                       struct err *e);
int64_t view_day_after(const struct app *app, int64_t t_ns); /* 23 or 25 hours at a change */
/* A word and a sign for the health of a function, so that colour is never the only sign. */
const char *view_state(const struct stats *s, enum style *style);

/* All functions of the range into d->functions; sums by hour or day into d->series. */
enum status view_load_functions(struct app *app, struct view_data *d, struct err *e);
enum status view_load_one(struct app *app, struct view_data *d,
                          struct err *e); /* that of the place, into d->one; NULL: none */
enum status view_load_series(struct app *app, struct view_data *d, struct err *e);
/* What the function's cost is a share of: the cost of all that are billed in its currency. */
wide view_total_cost(const struct view_data *d, const struct fn_ref *fn);
/* Rows of the functions of the range (fn_rows.c), into the table, which has its columns; of very
 * many a window. */
struct fn_rows_pass {
    struct app *app;
    struct view_data *data;
    struct fn_rows more; /* behind them: of functions that have nothing in the range */
    void *ctx;
    /* Sees each function once, shown or not; may be NULL. */
    enum status (*see)(struct fn_rows_pass *p, const struct fn_row *f, struct err *e);
    /* The last row of the table, and what it stands for besides the function; is pure. */
    enum status (*fill)(struct fn_rows_pass *p, struct table *t, struct row_ref *ref,
                        const struct fn_row *f, struct err *e);
};
enum status view_load_fn_rows(struct fn_rows_pass *p, struct err *e);
enum strip_kind { STRIP_INVOCATIONS, STRIP_FAILED, STRIP_COST, STRIP_LINES, STRIP_LOG_ERRORS };
void view_strip(const struct app *app, struct frame *f, unsigned y, enum strip_kind k);
/* The axis below strips: when they begin and end. */
void view_strip_axis(const struct app *app, struct frame *f, unsigned y);
void view_draw_strip(const struct app *app, struct frame *f, unsigned y, unsigned *used);
/* The numbers on top of the overview. */
struct tile {
    const char *label;
    struct str value;
    enum style style;
};
enum { OVERVIEW_TILES = 7 };
void view_tiles(const struct app *app, struct arena *a, struct tile *out);
void view_draw_overview(const struct app *app, struct frame *f, unsigned y, unsigned *used);
enum status view_load_overview(struct app *app, struct view_data *d, struct err *e);
const char *view_result(enum outcome o); /* "x error" */
enum style view_result_style(enum outcome o);
enum style view_line_style(enum record_kind kind, enum severity severity);
/* The spans of the rows' trace (waterfall.c); nothing where none are stored. */
enum status view_waterfall(struct app *app, struct view_data *d, const struct inv_rows *rows,
                           struct err *e);
/* Columns of accounts and regions become visible where there are several (places.c). */
void view_show_places(struct app *app);
bool view_is_place(const struct app *app, size_t column); /* such a column, and there are several */
const char *view_alert_state(enum alert_state s);         /* "x firing" */
/* Queues (v_queues.c). */
struct queue_change {
    struct metric_sample from, to; /* the newest reading and one of the minutes before it */
    int64_t per_hour;              /* 0 unless is_known */
    bool is_known;
};
void view_queue_change(const struct metric_series *s, struct queue_change *out); /* NULL: none */
int64_t view_queue_drains(const struct msg_queue *q, const struct queue_change *c);
const struct metric_series *view_queue_series(const struct metric_rows *m,
                                              const struct msg_queue *q, enum metric of);
const char *view_queue_state(const struct app *app, const struct msg_queue *q, int64_t per_hour,
                             enum style *style);
struct str view_queue_id(struct arena *a, const struct msg_queue *q);
/* Does the function read it, or, of a dead-letter queue, is it its work that failed? */
bool view_queue_is_worked_on(const struct queue_rows *all, const struct msg_queue *q,
                             const struct fn_ref *fn);
struct str view_source_state(const struct app *app, const struct source_status *s,
                             enum style *style, struct arena *a);
/* The line that says that no source is read now. Returns the lines used. */
unsigned view_draw_unwatched(const struct app *app, struct frame *f, unsigned y);

/* --- the program --- */
void app_init(struct app *app, const struct tui_options *o);
void app_clear(struct app *app);
void app_load(struct app *app);    /* loads the current view; keeps the last good data on failure */
void app_arrange(struct app *app); /* filter and sort: after load, and when either changed */
/* Filter or order are others: where the store applies them itself, from its first page on. */
void app_ask_anew(struct app *app);
void app_draw(struct app *app, unsigned width, unsigned height);
void app_key(struct app *app, uint32_t key);
bool app_is_stale(struct app *app, int64_t now_ns); /* time to look for new data */
struct range app_range(const struct app *app);
/* Moving between places (app.c), for keys and commands. */
void app_push(struct app *app, const struct place *p);
void app_switch(struct app *app, enum view_id view);
void app_back(struct app *app);
void app_remember(struct app *app);        /* a step of the trail, before moving */
void app_walk(struct app *app, int steps); /* along the trail */
void app_reload(struct app *app);          /* the place stays, its content is loaded anew */
void app_set_range(struct app *app, struct range r); /* until 0: live, of the span */
void app_follow_newest(struct app *app); /* live, or the newest data where that is old */
const struct row_ref *app_selected(struct app *app);
void app_keep_focus(struct app *app);            /* remembers the row by its key */
struct re *app_filter_re(const struct app *app); /* the filter as a pattern, or NULL; to be freed */
void app_search(struct app *app, int step); /* the next (1) or previous (-1) match of the filter */
void app_shown_table(struct app *app, struct table *t); /* rows, or lines of a text view */
/* What a row stands for, so that it is found again: an id, a function, else its first cell. */
struct str app_row_key(const struct app *app, size_t row);
bool app_is_tagged(const struct app *app, size_t row);
void app_mouse(struct app *app, const struct mouse_event *ev);
/* Lists over a view (picker.c). */
void picker_open(struct app *app, enum pick_kind kind);
void picker_key(struct app *app, uint32_t key);
void picker_draw(const struct app *app, struct frame *f);
void picker_print(const struct app *app, struct buf *out); /* a line each, for speak.c */
/* "fnscope › Functions › Invocations checkout-api", "last 24h  live" (draw.c). */
void view_title(const struct app *app, bool is_ascii, struct buf *where, struct buf *when);
/* How a breakdown can be made (v_breakdown.c); NULL at the end. */
extern const char *const breakdown_names[];
/* Sums of what a mark stands for; of its costs what is in CNY, the rest is in USD. */
struct subject_sums {
    struct stats stats;
    wide cny, cny_failed;
};
enum status breakdown_sums(struct app *app, const struct subject_mark *m, struct subject_sums *out,
                           struct err *e);
/* Courses over time (draw_course.c): a graph or a heat map instead of the table; as rows. */
void draw_course(struct app *app, struct frame *f, unsigned y);
void course_table(struct app *app, struct table *t);
/* The prompt (prompt.c). */
void prompt_begin(struct app *app, enum prompt_kind kind, struct str text);
void prompt_open(struct app *app, enum prompt_kind kind);
void prompt_key(struct app *app, uint32_t key);
void prompt_draw(const struct app *app, struct frame *f);
void prompt_help(struct view_data *d, struct arena *a); /* the commands behind : */
void draw_table(struct app *app, struct frame *f, unsigned y);
/* Wrapped text (draw_lines.c). */
void draw_lines(struct app *app, struct frame *f, unsigned y);
/* Bytes of a text that fill a line of so many cells, broken at a blank where that can be. */
size_t view_fill(struct str s, unsigned width);
bool app_row_has(const struct app *app, size_t row, struct re *re); /* a shown row matches */

/* --- the terminal (screen.c) --- */
struct screen;
MUST_CHECK enum status screen_open(struct screen **out, bool no_color, struct err *e);
void screen_theme(struct screen *s, enum tui_theme theme);
void screen_use_mouse(struct screen *s, bool is_on);
/* What TK_MOUSE was; false: nothing of interest. */
bool screen_mouse(struct screen *s, struct mouse_event *ev);
void screen_close(struct screen *s);
void screen_size(struct screen *s, unsigned *width, unsigned *height);
void screen_paint(struct screen *s, const struct frame *f);
/* Waits at most timeout_ms; 0: no key. */
uint32_t screen_key(struct screen *s, int timeout_ms);
bool screen_is_told_to_stop(void);
void screen_copy(struct screen *s, struct str text); /* OSC 52 */
/* Gives the terminal back and stops; returns when the shell goes on with the program. */
void screen_suspend(struct screen *s);

#endif

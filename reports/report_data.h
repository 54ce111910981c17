/* Private to reports/: everything a report says, loaded once. Builders read this and nothing else.
 */
#ifndef FNSCOPE_REPORTS_REPORT_DATA_H
#define FNSCOPE_REPORTS_REPORT_DATA_H

#include "reports/doc.h"
#include "reports/reports.h"

/* Functions held by cost, at least: what is cheaper cannot be unusual money. */
enum { LINES_HELD = 200, COLD_SHOWN = 10, FULLEST_SHOWN = 12, MOVERS_SHOWN = 8 };

struct fn_line {
    const struct fn_row *now;    /* NULL: seen before, and gone (only among movers) */
    const struct fn_row *before; /* NULL: not in the range before */
    struct stats_cost cost, cost_before;
    struct waste waste;
};

/* A function whose cost is far from what it usually is. */
struct unusual_row {
    const struct fn_line *line;
    struct unusual money;
    wide now;
    uint64_t n, usual_n; /* invocations now, and the median of the windows before */
    int64_t since_ns;    /* first hour dearer than it ever was; 0: none */
};
struct unusuals {
    struct unusual_row *rows; /* largest first */
    size_t n, windows;        /* windows of the past there are */
};

struct outlook {
    int64_t month_ns, end_ns; /* the month of the range's end; end_ns 0: nothing to say */
    int64_t first_ns;         /* first day that is stored */
    struct forecast_input input;
    struct forecast forecast;
    bool has_forecast;
};

struct saving {
    const struct fn_line *line;
    struct advice advice;
    wide monthly;
};

/* Some functions in the order of something. */
struct fn_lines {
    struct fn_line *rows;
    size_t n;
};

enum { PART_NEW, PART_GONE, PART_VOLUME, PART_COLD, PART_DURATION, PART_OTHER, PARTS };

struct report_data {
    struct arena *arena;
    const struct report_options *options;
    struct range range;
    struct range seen; /* the part of it that the store can know of: data begin late or end early */
    struct range before; /* what `seen` is compared with; empty: nothing */
    bool has_before;     /* there is data in it */
    size_t n, n_ran;     /* functions with something in the range; that ran in it */
    /* Only those that a section may show are held, in arenas of their own. */
    struct fn_lines lines; /* by cost, dearest first; the others are summed up below */
    struct fn_lines cold, fullest, movers;
    struct {
        struct stats sums;
        wide cost;
        size_t n;
    } others;
    struct stats_cost components;
    wide change[PARTS]; /* what the difference to the range before is made of */
    struct passed *passed;
    struct stats total, total_before;
    wide cost, cost_before, cost_logs;
    struct str currency; /* of all amounts that name none */
    /* Functions are billed in several: then no sum of this report is shown, but one of each. By
     * currency, USD first. */
    struct str *currencies;
    size_t n_currencies, cap_currencies;
    struct report_data *parts; /* report_load_parts */
    size_t n_parts;            /* 0: there is one currency */
    size_t n_assumed, n_unpriced;
    bool is_log_unpriced;    /* of some function */
    wide standing;           /* charged by the hour, as configured; beside the cost */
    size_t n_standing_open;  /* functions of which part of it is not known */
    size_t n_standing_unmet; /* rules that keep something for functions of no known memory size */
    struct waste waste;
    struct error_rows errors;
    struct incidents incidents;
    struct throttles throttles;
    struct deployments deployments;
    struct alert_rows episodes; /* open at some time of the range */
    struct queue_rows queues;
    struct reconcile reconcile; /* the provider's count beside the logs' */
    struct source_gaps gaps;    /* sources that were not read to the range's end */
    struct series series;
    struct ingest_status status;
    struct store_places places;
    struct unusuals unusual;
    struct outlook outlook;
    struct saving *savings; /* largest first */
    size_t n_savings, savings_left;
    struct str price_date;
    struct price_set prices; /* the rows all costs of the range are made of */
};

MUST_CHECK enum status report_load(struct store *s, const struct report_options *o, struct arena *a,
                                   struct report_data *out, struct err *e);
/* The same for the functions of each currency where there are several; report_clear clears them. */
MUST_CHECK enum status report_load_parts(struct store *s, struct report_data *r, struct err *e);
void report_clear(struct report_data *r);
MUST_CHECK enum status report_load_functions(struct store *s, struct report_data *r, struct err *e);
MUST_CHECK enum status outlook_load(struct store *s, struct report_data *r, struct err *e);
void report_build(const struct report_data *r, struct doc *d);

/* Each adds its section. */
typedef void section_fn(const struct report_data *r, struct doc *d);
section_fn section_verdict, section_incidents, section_quality, section_cost, section_compare,
    section_invocations, section_errors, section_cold_starts, section_memory, section_waste,
    section_functions, section_appendix, section_episodes, section_queues, section_unusual,
    section_forecast, section_savings, section_units, section_review;

/* The data end before the range does: what is compared is the same part of both. */
bool report_ends_early(const struct report_data *r);
/* The last event of the range, or the present where sources have told all up to it. */
int64_t report_last(const struct report_data *r);

/* What amounts of the function are in. */
struct str currency_of(const struct report_data *r, const struct fn_ref *fn);

/* --- words and numbers, in the arena --- */
struct str text_money(struct arena *a, wide pico, struct str currency);
struct str text_money_exact(struct arena *a, wide pico);
struct str text_count(struct arena *a, uint64_t n);             /* 12,345 */
struct str text_share(struct arena *a, wide part, wide whole);  /* "3.4 %", "-" without a whole */
struct str text_change(struct arena *a, wide now, wide before); /* "+12.3 %", "new" */
struct str text_duration_us(struct arena *a, uint64_t us);
struct str text_size(struct arena *a, uint64_t bytes);
struct str text_time(struct arena *a, int64_t t_ns);
struct str text_day(struct arena *a, int64_t t_ns);
struct doc_value value_money(struct arena *a, wide pico, struct str currency);
/* Of a function's cost, and of the report's sums: "not priced" where nothing of it has a price. */
struct doc_value value_cost(struct arena *a, const struct stats_cost *of, wide pico);
/* Whether amounts may lack something: prices, or of all attempts the REPORT. */
bool report_is_unpriced(const struct report_data *r);
struct doc_value value_sum(const struct report_data *r, wide pico);
struct doc_value value_count(struct arena *a, uint64_t n);
struct doc_value value_share(struct arena *a, wide part, wide whole); /* unknown without a whole */
struct doc_value value_us(struct arena *a, uint64_t us);              /* in ms */
struct doc_value value_bytes(struct arena *a, uint64_t bytes);
/* "1 event", "2 events", "1,234 events" */
struct str text_things(struct arena *a, uint64_t n, const char *thing);
/* "Cost per hour" from the range's points; values and exact have one of each, at least one. */
struct doc_series series_over_time(const struct report_data *r, const char *what, struct str top,
                                   const uint64_t *values, const struct doc_value *exact);
uint64_t count_failed(const struct stats *s);
uint64_t count_cold(const struct stats *s);
unsigned permille_of(wide part, wide whole);
void money_cell(struct table *t, size_t column, wide pico, struct str currency);
/* A function's name; people also read where it is when there are several places. */
struct str text_fn(const struct report_data *r, const struct fn_ref *of);
void fn_cell(const struct report_data *r, struct table *t, size_t column, const struct fn_ref *of);
void cost_cell(struct table *t, size_t column, const struct stats_cost *of, wide pico);
void sum_cell(const struct report_data *r, struct table *t, size_t column, wide pico);
void time_cell(struct table *t, size_t column, int64_t t_ns);
void id_cell(struct table *t, size_t column, struct str id);
void percentile_cell(struct table *t, size_t column, const struct histogram *h, unsigned permille);
void share_cell(struct table *t, size_t column, wide part, wide whole);
void change_cell(struct table *t, size_t column, wide now, wide before);

#endif

/* The typed requests: the only way the rest of the program reads the store. Part of store.h's door.
 * A request is a struct, its answer rows in the caller's arena or a callback. Ranges are [since,
 * until) in event time of the start. Read from roll-ups where they suffice and from facts at the
 * edges, so that any range is exact. */
#ifndef FNSCOPE_CORE_STORE_REQUEST_H
#define FNSCOPE_CORE_STORE_REQUEST_H

#include "core/model/alert.h"
#include "core/model/batch.h"
#include "core/model/stats.h"

struct store;

/* Empty members do not filter. Globs are matched with str_glob; of regions and accounts several may
 * stand there, with commas between them. */
struct fn_filter {
    struct str name_glob;
    struct str region, account;
    enum provider provider; /* PROVIDER_UNKNOWN: any */
    /* What the store does not know, such as the currency; asked of what passes the rest. */
    bool (*test)(const void *ctx, const struct fn_ref *fn); /* NULL: none */
    const void *test_ctx;
};
bool fn_filter_passes(const struct fn_filter *f, const struct fn_ref *fn);
bool fn_filter_is_all(const struct fn_filter *f); /* lets everything pass */

/* From since_ns on its attempts had this memory size; the first holds before it, too. */
struct size_step {
    int64_t since_ns;
    uint64_t memory_bytes;
    enum arch arch;
};
struct size_steps {
    const struct size_step *rows;
    size_t n;
};

/* From since_ns on so many of its environments were kept ready; before the first none is known. */
struct kept_step {
    int64_t since_ns, n;
};
struct kept_steps {
    const struct kept_step *rows;
    size_t n;
};

/* One function's sums over the range; ordered by (provider, account, region, name). */
struct fn_row {
    struct fn_ref fn;
    uint32_t fn_id;            /* of this store: names the function in later requests */
    enum arch arch;            /* newest known */
    uint64_t memory_bytes;     /* newest configured */
    struct str runtime;        /* newest seen: "python:3.12.v89"; may be empty */
    int64_t first_ns, last_ns; /* of the function's invocations in the whole store */
    struct stats stats;
    struct size_steps sizes; /* standing_sizes_load: where there were several; else none */
    struct kept_steps kept;  /* standing_sizes_load: as a collector read it; else none */
};
struct fn_rows {
    struct fn_row *rows;
    size_t n;
};
/* Which functions have something in the range or the hours it begins and ends in, in that order. */
struct fn_ids {
    uint32_t *ids;
    size_t n;
};
MUST_CHECK enum status request_fn_ids(struct store *s, struct range r, const struct fn_filter *f,
                                      struct arena *a, struct fn_ids *out, struct err *e);
/* Their rows one by one, in the order of the ids, so that very many take no room; those without
 * anything in the range are left out. A row is valid during the call only, or with `keep` in that
 * arena. fn may return ERR_CANCELLED to stop; the request then returns OK. It must not ask the
 * store itself. */
struct each_fn_request {
    struct range range;
    struct fn_ids fns;
    struct arena *keep; /* NULL: nothing is kept */
};
typedef enum status fn_row_fn(void *ctx, const struct fn_row *row, struct err *e);
MUST_CHECK enum status request_each_function(struct store *s, const struct each_fn_request *q,
                                             fn_row_fn *fn, void *ctx, struct err *e);
/* The same with their rows of an earlier range beside: NULL where one has nothing in it. Functions
 * with nothing in either are left out. */
struct pair_request {
    struct range range, before; /* before may be empty */
    struct fn_ids fns;
};
typedef enum status fn_pair_fn(void *ctx, const struct fn_row *now, const struct fn_row *before,
                               struct err *e);
MUST_CHECK enum status request_each_pair(struct store *s, const struct pair_request *q,
                                         fn_pair_fn *fn, void *ctx, struct err *e);
MUST_CHECK enum status request_functions(struct store *s, struct range r, const struct fn_filter *f,
                                         struct arena *a, struct fn_rows *out, struct err *e);
/* What is counted of a function and never falls: what days that were removed, and attempts that
 * were replaced or priced anew, had counted stays counted. Times in ns, costs in units of money. */
enum fn_counter {
    FN_INVOCATIONS,
    FN_ERRORS,
    FN_TIMEOUTS,
    FN_OUT_OF_MEMORY,
    FN_COLD_STARTS,
    FN_BILLED,
    FN_INIT,
    FN_DURATION,
    FN_COST,
    FN_COST_OF_FAILURES,
    FN_LOG_BYTES,
    FN_TIMED, /* attempts whose duration is known: those FN_DURATION is of */
    FN_COUNTERS
};
struct fn_counters {
    wide value[FN_COUNTERS];
};
/* The functions of the whole store, and the counters of each, as many, beside them. */
MUST_CHECK enum status request_counters(struct store *s, const struct fn_filter *f, struct arena *a,
                                        struct fn_rows *rows, struct fn_counters **counters,
                                        struct err *e);
/* All functions of the store without their sums; fn is empty where names are not asked for. Sorted
 * as above when they are. */
MUST_CHECK enum status request_function_list(struct store *s, bool has_names, struct arena *a,
                                             struct fn_rows *out, struct err *e);

/* The memory sizes of functions outside a range: each is that of the last attempt before it that
 * tells one, else of the first after it. One pass over the days for all of them, nearest first,
 * which ends when each has one; takes no room. Fill fn_id and is_past in, the rest is set. */
struct fn_size {
    uint32_t fn_id;
    bool is_past;          /* attempts after the range are not looked at */
    uint64_t memory_bytes; /* 0: no attempt outside the range tells one */
    enum arch arch;        /* of that attempt */
};
MUST_CHECK enum status request_sizes_near(struct store *s, struct range r, struct fn_size *fns,
                                          size_t n, struct err *e);

/* Sums per step (60 s, 3600 s or 86400 s in ns), all functions that pass together. Steps begin at
 * whole ones, so the first and the last hold only what lies in the range. Points without data are
 * zero. fn_id 0: all. */
struct series_request {
    struct range range;
    int64_t step_ns;
    uint32_t fn_id;
    struct fn_filter fn;
};
struct series {
    int64_t since_ns, step_ns;
    struct stats *points;
    size_t n;
};
MUST_CHECK enum status request_series(struct store *s, const struct series_request *q,
                                      struct arena *a, struct series *out, struct err *e);

/* Sums of each function and hour of the range, one by one, without an array: by day, function,
 * hour. The range is widened to whole hours. The sums are valid during the call only. */
typedef enum status hour_fn(void *ctx, uint32_t fn_id, int64_t hour_ns, const struct stats *sums,
                            struct err *e);
MUST_CHECK enum status request_hours(struct store *s, struct range r, const struct fn_filter *f,
                                     hour_fn *fn, void *ctx, struct err *e);
/* Every function the store knows, whenever it ran; strings in `a`. */
MUST_CHECK enum status request_known_fns(struct store *s, struct arena *a, struct fn_ref **out,
                                         size_t *n, struct err *e);
/* Are they, and the queues, of several accounts, of several regions? Then whoever shows names shows
 * of which. */
struct store_places {
    bool has_accounts, has_regions;
};
MUST_CHECK enum status request_places(struct store *s, struct store_places *out, struct err *e);
/* Names of the log groups that anything came from, each once, sorted; in `a`. */
MUST_CHECK enum status request_log_groups(struct store *s, struct arena *a, struct str **out,
                                          size_t *n, struct err *e);
/* "pay", where there are several "pay in eu-west-1 of 111122223333". */
struct str store_places_name(const struct store_places *p, const struct fn_ref *of,
                             struct arena *a);
/* Which function an id of this store names; valid as long as the store is open. */
const struct fn_ref *store_fn(struct store *s, uint32_t fn_id);
/* The same in the arena, for whoever looks at very many: those of the store stay in memory. */
struct fn_ref store_fn_in(struct store *s, uint32_t fn_id, struct arena *a);

/* Names of functions, environments and texts stay in memory once they were read: this forgets them,
 * for whoever asks for very many. Nothing of an answer may be used behind it but what was copied.
 * Of a store that is written to nothing is forgotten. */
void store_forget(struct store *s);

enum inv_order {
    INV_NEWEST,
    INV_OLDEST,
    INV_SLOWEST,
    INV_COSTLIEST,
    INV_MOST_MEMORY,
    INV_LONGEST_INIT
};
/* Whether an invocation passes; its strings are valid during the call only. */
typedef bool inv_test(void *ctx, const struct invocation *inv);
struct inv_request {
    struct range range;
    struct fn_filter fn;
    uint32_t fn_id;        /* 0: any */
    uint32_t outcome_mask; /* 1 << outcome; 0: any */
    uint32_t start_mask;   /* 1 << start_kind; 0: any */
    int64_t min_duration_ns;
    struct str error_glob; /* of error_type */
    struct str instance;   /* log stream, exact */
    struct str trace_id;   /* as trace_id_parse gives it */
    inv_test *test;        /* NULL: none; asked of what passes the rest */
    void *test_ctx;
    enum inv_order order;
    bool is_reversed;     /* the last ones of that order, the very last first */
    size_t limit, offset; /* limit 0: no limit */
    bool names_pass; /* of request_scan: what rows point to is valid during the call only, so that
                        names of very many environments take no room */
};
struct inv_rows {
    struct invocation *rows; /* origin and fn filled */
    uint32_t *fn_ids;        /* one per row */
    size_t n;
    bool is_more; /* the limit cut rows off */
};
MUST_CHECK enum status request_invocations(struct store *s, const struct inv_request *q,
                                           struct arena *a, struct inv_rows *out, struct err *e);
/* All attempts of a request id, oldest first. A prefix of at least 4 hex digits does: ERR_NOT_FOUND
 * none, ERR_LIMIT several ids begin so (the message names some). */
MUST_CHECK enum status request_by_id(struct store *s, struct str id, struct arena *a,
                                     struct inv_rows *out, struct err *e);
/* Invocations one by one in (fn, start) order, without an array: for reports and exports. */
typedef enum status inv_fn(void *ctx, uint32_t fn_id, const struct invocation *inv, struct err *e);
MUST_CHECK enum status request_scan(struct store *s, const struct inv_request *q, inv_fn *fn,
                                    void *ctx, struct err *e);

struct log_request {
    struct range range;
    struct fn_filter fn;
    uint32_t fn_id;
    struct str instance;      /* exact log stream; empty: any */
    struct str invocation_id; /* with instance: the lines between its START and the next request's,
                                 and its initialization; with fn_id alone: the same among the lines
                                 without a stream, where no other request is open; else the lines
                                 that name it */
    enum severity min_severity;
    struct str literal;     /* the body holds this text (memmem on chunks: prefilter); empty: any */
    bool is_literal_nocase; /* ASCII */
    struct re *pattern;     /* NULL: any */
    bool newest_first;
    size_t limit;
};
/* Lines in time order. Views in the record are valid during the call only. on_line may return
 * ERR_CANCELLED to stop; request_logs then returns OK. */
struct log_line {
    int64_t time_ns;
    const struct origin *origin;
    uint32_t fn_id;
    enum severity severity;
    enum record_kind kind;
    struct str invocation_id; /* of the line itself; may be empty */
    bool says_id;             /* it is its own; else it is mentioned (log_request_id()) */
    struct str body;
};
typedef enum status log_fn(void *ctx, const struct log_line *line, struct err *e);
/* For the lines of one attempt, in its function. */
struct log_request log_request_of(const struct invocation *inv, uint32_t fn_id);
MUST_CHECK enum status request_logs(struct store *s, const struct log_request *q, log_fn *fn,
                                    void *ctx, struct err *e);

/* The requests that lines are of, as log_lines.request_id of SQL says it: also where a line does
 * not name one, and where it names another. Lines in any order; their owners (empty: none) are in
 * `a`. Reads the lines around them, which costs most where they are far apart. */
struct line_at {
    int64_t time_ns;
    const struct origin *origin; /* as log_line said it */
    uint32_t fn_id;
    struct str body;
    struct str owner;
};
MUST_CHECK enum status request_line_owners(struct store *s, struct line_at *lines, size_t n,
                                           struct arena *a, struct err *e);

/* Errors with the same fingerprint (function, outcome, error type, message with digits, hex runs
 * and quoted text folded), most frequent first. */
struct error_row {
    struct fn_ref fn;
    uint32_t fn_id;
    enum outcome outcome;
    struct str error_type;
    struct str sample;    /* one message */
    struct str sample_id; /* request id of one invocation */
    uint64_t count;
    int64_t first_ns, last_ns;
};
struct error_rows {
    struct error_row *rows;
    size_t n;
};
struct error_request {
    struct range range;
    struct fn_filter fn;
    uint32_t fn_id; /* 0: any */
    size_t limit;   /* 0: all */
};
MUST_CHECK enum status request_errors(struct store *s, const struct error_request *q,
                                      struct arena *a, struct error_rows *out, struct err *e);

/* What the store holds and how it got there: doctor, Sources, report's data quality. */
struct ingest_status {
    struct batch_counts counts; /* since the store was made */
    uint64_t functions, streams, day_files, bytes_on_disk, log_events, log_bytes, chunk_bytes,
        invocations, open_invocations, unpriced;
    int64_t first_ns, last_ns; /* event time */
    int64_t last_commit_ns;    /* wall time */
    int schema_version;
    struct cursor *cursors;
    size_t n_cursors;
    struct quarantined *quarantine; /* newest first, at most 100 */
    size_t n_quarantine;
    uint64_t generation; /* grows with every commit: a view reloads when it changed */
};
MUST_CHECK enum status request_status(struct store *s, struct arena *a, struct ingest_status *out,
                                      struct err *e);
/* Only last_ns of it; 0: no event is stored. */
MUST_CHECK enum status request_newest(struct store *s, int64_t *out, struct err *e);
/* Only the generation: cheap, for live refresh. */
MUST_CHECK enum status request_generation(struct store *s, uint64_t *out, struct err *e);

/* The fingerprint of the settings the stored costs were made with; 0: not known, written by an
 * older version; below 4: costs of different settings. Its low bits say what was stated. */
enum { PRICED_REGION_SAID = 1, PRICED_ARCH_SAID = 2, PRICED_SAID = 3 };
MUST_CHECK enum status request_pricing(struct store *s, uint64_t *out, struct err *e);
/* Whether lines may be stored that decoders before that version read. */
MUST_CHECK enum status request_older_decoders(struct store *s, int64_t version, bool *out,
                                              struct err *e);

/* Functions whose stored costs are those of what they were called before: `db reprice`, or the next
 * import, makes them anew. */
struct stale_fns {
    uint32_t *ids;
    size_t n;
};
MUST_CHECK enum status request_stale_fns(struct store *s, struct arena *a, struct stale_fns *out,
                                         struct err *e);

/* Stored configuration of functions, newest first per function. */
struct fn_config_rows {
    struct fn_config *rows;
    size_t n;
};
MUST_CHECK enum status request_configs(struct store *s, const struct fn_filter *f, struct arena *a,
                                       struct fn_config_rows *out, struct err *e);

/* Events of environments (inits, init failures, crashes without a request). */
typedef enum status instance_event_fn(void *ctx, uint32_t fn_id, const struct instance_event *ev,
                                      struct err *e);
MUST_CHECK enum status request_instance_events(struct store *s, struct range r, uint32_t fn_id,
                                               instance_event_fn *fn, void *ctx, struct err *e);

/* Spans of traces. A store of an older version, or one that never collected traces, gives none.
 * request_trace: the whole trace as a waterfall shows it (spans_arrange has ordered it);
 * around_ns says when it ran, to look at that day and its neighbours only, 0: everywhere. */
MUST_CHECK enum status request_trace(struct store *s, struct str trace_id, int64_t around_ns,
                                     struct arena *a, struct span_list *out, struct err *e);
struct span_request {
    struct range range;  /* of the start */
    struct str trace_id; /* empty: any */
    struct fn_filter fn; /* of the function a span belongs to */
    size_t limit;        /* 0: all */
};
/* By start. */
MUST_CHECK enum status request_spans(struct store *s, const struct span_request *q, struct arena *a,
                                     struct span_list *out, struct err *e);

/* --- live: metric points, queues, sources, alerts -----------------------------------------------
 *
 * Filled by a running collector. A store that never had one, or was written by an older version,
 * gives no rows; that is no error. */

/* Which subjects. Empty members do not filter. */
struct subject_filter {
    uint32_t scope_mask; /* 1 << enum metric_scope; 0: any */
    struct fn_filter of; /* name_glob is matched against the function's, queue's, source's name */
};
bool subject_passes(const struct subject_filter *f, const struct subject *s);

/* One series a subject, metric and period, points in time order, missing ones included; ordered by
 * (scope, provider, account, region, name, metric, period). Series without a point in the range
 * are left out. */
struct metric_request {
    struct range range; /* of the point's time */
    struct subject_filter subject;
    const enum metric *metrics;
    size_t n_metrics; /* 0: all */
};
struct metric_sample {
    int64_t time_ns, value;
    uint32_t weight; /* the point stands for so many: multiply sums by it */
    bool is_missing; /* value means nothing: show a gap, not zero */
};
struct metric_series {
    struct subject subject;
    enum metric metric;
    int64_t period_ns; /* 0: readings of instants */
    struct metric_sample *points;
    size_t n;
};
struct metric_rows {
    struct metric_series *rows;
    size_t n;
};
MUST_CHECK enum status request_metrics(struct store *s, const struct metric_request *q,
                                       struct arena *a, struct metric_rows *out, struct err *e);

/* Sums of all the points there ever were, with those of days that were removed: counters, which do
 * not fall. Of metrics that add up (metric_info). The request's range is not looked at. */
struct metric_total {
    struct subject subject;
    enum metric metric;
    int64_t period_ns;
    int64_t sum;
};
struct metric_totals {
    struct metric_total *rows; /* in the order of metric_rows */
    size_t n;
};
MUST_CHECK enum status request_metric_totals(struct store *s, const struct metric_request *q,
                                             struct arena *a, struct metric_totals *out,
                                             struct err *e);

/* All queues as last read, ordered by (provider, account, region, name). The age of a row is
 * now - seen_ns: show it. For the course over time ask request_metrics for METRIC_QUEUE_DEPTH and
 * METRIC_QUEUE_AGE of SCOPE_QUEUE. */
struct queue_rows {
    struct msg_queue *rows;
    size_t n;
};
MUST_CHECK enum status request_queues(struct store *s, const struct fn_filter *f, struct arena *a,
                                      struct queue_rows *out, struct err *e);

/* The collector's sources by name. Counters are totals since the store was made (the add_ members
 * hold them); lag_ns is as of success_ns, so the lag now is lag_ns + (now - success_ns); without a
 * success as of tried_ns. */
struct source_rows {
    struct source_status *rows;
    size_t n;
};
MUST_CHECK enum status request_sources(struct store *s, struct arena *a, struct source_rows *out,
                                       struct err *e);

/* Alerts as they stand, worst first: by state (firing, acknowledged, pending, silenced, resolved,
 * inactive), severity, rule, subject. Inactive ones only when the mask asks for them. */
struct alert_request {
    uint32_t state_mask; /* 1 << enum alert_state; 0: all but inactive */
    struct str rule_glob;
    struct subject_filter subject;
    struct str key; /* exact or a prefix of at least 4 digits; empty: any */
};
struct alert_rows {
    struct alert *rows;
    size_t n;
};
MUST_CHECK enum status request_alerts(struct store *s, const struct alert_request *q,
                                      struct arena *a, struct alert_rows *out, struct err *e);

/* Episodes that were open at some time of the range, newest first. state is the present or last
 * one; resolved_ns 0: still open; peak is the worst value. */
MUST_CHECK enum status request_episodes(struct store *s, struct range r,
                                        const struct subject_filter *f, struct arena *a,
                                        struct alert_rows *out, struct err *e);

/* Silences, those that ended last; is_all: also those that have ended before now_ns. */
struct silence_rows {
    struct silence *rows;
    size_t n;
};
MUST_CHECK enum status request_silences(struct store *s, int64_t now_ns, bool is_all,
                                        struct arena *a, struct silence_rows *out, struct err *e);

/* Messages to notifiers. status_mask 1 << enum outbox_status, 0: any; due_ns: only those that may
 * be tried at that time, INT64_MAX: all; alert_key empty: any. Oldest first. */
struct outbox_request {
    uint32_t status_mask;
    int64_t due_ns;
    struct str alert_key;
    size_t limit;        /* 0: all */
    size_t per_notifier; /* 0: all; so that none of them crowds the others out */
};
struct outbox_rows {
    struct outbox_entry *rows;
    size_t n;
};
MUST_CHECK enum status request_outbox(struct store *s, const struct outbox_request *q,
                                      struct arena *a, struct outbox_rows *out, struct err *e);

#endif

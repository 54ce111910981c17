/* Front door of the analyzer: records to invocations, invocations to money, sums to findings.
 * Functions from data to data: no disk, no clock, no network. */
#ifndef FNSCOPE_ANALYZER_ANALYZER_H
#define FNSCOPE_ANALYZER_ANALYZER_H

#include "core/model/batch.h"
#include "core/model/price.h"
#include "core/model/stats.h"
#include "core/store/request.h"

/* --- correlate ---
 * Joins records to invocations, keyed by (environment, request id, attempt), in any arrival order
 * and across batches. The result depends on the set of records only, never on their order (10^5
 * shuffles give one dump), nor on what is in memory: a row keeps what it was made of. Lines that a
 * function prints in the platform's form make a request that lies within another's run, where its
 * environment runs one at a time: its rows are marked EV_FORGED, and the store keeps them for the
 * correlator alone, since a later line may tell otherwise. Only of a stream that Lambda named is it
 * known that one request runs at a time: elsewhere those that lie so are refused if they contradict
 * themselves, and else count, marked EV_DOUBTFUL where no START and REPORT of their own agree
 * (docs/decisions/0029). In the very millisecond in which its printer's START or REPORT stands
 * (times may be whole seconds, or borrowed) a request of another id lies within no run: a REPORT
 * without START is refused there if another request stands in the time it claims (even one that it
 * printed), or its environment began in it; else it cannot be told from genuine lines. Nor can a
 * START in one run with a fitting REPORT in a later one; a REPORT without billing, as managed
 * instances write it, where requests interleave; what is left of a request between two runs of
 * another, within ten seconds, of which the end and the beginning are lost; and lines without an id
 * or of the printer's own: its crash, INIT_START, RESTORE_REPORT. An error without an id that
 * several may have written is marked EV_ERROR_GUESSED (decision 0010). One thread. */
struct correlator;

struct correlator_options {
    size_t max_open; /* most requests in memory; 0: 6,000. The ones touched longest ago go first */
    /* Beyond memory: what is stored about a request id or an environment. NULL: nothing is. */
    enum status (*find_id)(void *ctx, struct str id, int64_t around_ns, struct arena *a,
                           struct invocation_list *out, struct err *e);
    enum status (*find_instance)(void *ctx, const struct origin *o, int64_t around_ns,
                                 struct arena *a, struct instance_event_list *out, struct err *e);
    /* Attempts of the environment that began in the range. This one and find_id give those with
     * EV_FORGED, too. */
    enum status (*find_requests)(void *ctx, const struct origin *o, struct range r, struct arena *a,
                                 struct invocation_list *out, struct err *e);
    /* Whether anything may be stored of an environment that the correlator does not remember; NULL:
     * always. Of a new one it looks for nothing in the store until it has forgotten some of it. */
    bool (*knows_instance)(void *ctx, const struct origin *o);
    void *ctx;
};
struct correlator *correlator_new(const struct correlator_options *o);
void correlator_free(struct correlator *c);
/* Reads b's records (repeats ignored) and appends to b every invocation and instance event they
 * changed, each once, priced by nobody yet. Attempts still open are given too (OUTCOME_UNKNOWN,
 * is_final false) and replaced later. */
MUST_CHECK enum status correlator_feed(struct correlator *c, struct batch *b, struct err *e);

/* --- price book and cost --- */
struct pricebook;

/* Reads every *.json of a folder (data/prices, /usr/share/fnscope/prices, --prices DIR). */
MUST_CHECK enum status pricebook_load(const char *dir, struct pricebook **out, struct err *e);
void pricebook_free(struct pricebook *p);
/* The row in force for a meter in a region at a time, first tier; NULL: not priced. */
const struct price *pricebook_find(const struct pricebook *p, enum provider provider,
                                   struct str meter, struct str region, int64_t at_ns);
/* All tiers of the meter of which pricebook_find gave the first, ascending by tier_begin. */
size_t pricebook_tiers(const struct pricebook *p, const struct price *first,
                       const struct price **rows, size_t max);
struct str pricebook_date(const struct pricebook *p,
                          enum provider provider); /* newest `retrieved` */
/* Regions with prices of their own, each once, NULL at the end; in `a`. */
const char **pricebook_regions(const struct pricebook *p, enum provider provider, struct arena *a);
size_t pricebook_each(const struct pricebook *p, size_t i,
                      const struct price **row); /* iterate: next i, 0 at the end */

/* What is configured about functions, from options, configuration and discovered configs: the
 * answer to "which region, architecture, storage". Each from the most exact glob that says it, of
 * equals the first; then stored configs; then x86_64, us-east-1, 512 MB, flagged as assumed. */
struct kept_rule {
    bool is_said;
    int64_t n;
    struct range when; /* until 0: without an end */
};
struct fn_rule {
    struct str name_glob;
    struct str region, account;   /* empty: not said */
    enum arch arch;               /* unknown: not said */
    uint64_t storage_bytes;       /* 0: not said */
    struct str runtime;           /* "python3.12"; empty: not said */
    struct kept_rule provisioned; /* environments: provisioned concurrency */
    struct kept_rule snapshots;   /* published versions whose SnapStart snapshots are kept */
};
struct cost_index; /* configs by function */
struct cost_context {
    const struct pricebook *book;
    const struct fn_rule *rules;
    size_t n_rules;
    const struct fn_config *configs;
    size_t n_configs;
    const struct cost_index *index; /* of the configs; NULL: they are searched one by one */
    struct str default_region;      /* "us-east-1" */
    enum arch default_arch;         /* ARCH_X86_64 */
    /* Somebody stated the default (--default-region, --arch): then it is no assumption. */
    bool is_region_said, is_arch_said;
    /* These settings are not those the store was priced with: stored costs stand as they are, with
     * the architecture and storage they were made with. */
    bool keeps_stored;
};
/* A number for everything a price depends on but stored configurations: rules, defaults and the
 * rows of the book; its lowest two bits say whether region and architecture were stated. > 3. */
uint64_t cost_fingerprint(const struct cost_context *c);
/* For more than a handful of configs. Keeps a pointer to them; they must outlive it. */
struct cost_index *cost_index_new(const struct fn_config *configs, size_t n);
void cost_index_free(struct cost_index *x); /* NULL is fine */

/* Prices the invocation before had, by part of the cost, of one book. Zeroed, or NULL: none. */
struct cost_memo {
    const struct price *rows[4];
};
/* Sets cost, is_priced, arch, storage_bytes, EV_ASSUMED_CONFIG and EV_RESTORE_ of an invocation:
 * first-tier list price, no free tier. Not priced (cost 0) while its end or memory size is unknown,
 * or where a meter it uses has no row in the book. A throttled attempt costs 0; one on a managed
 * instance (EV_NO_BILLING) or whose REPORT says 0 ms its request only. The restore of a snapshot is
 * in the cost (EV_RESTORE_BILLED) or free (EV_RESTORE_FREE, Java) where a line of the environment,
 * a rule or a config names the runtime; without that, or without a price, it is neither. */
MUST_CHECK enum status cost_invocation(const struct cost_context *c, struct cost_memo *before,
                                       struct invocation *inv, struct err *e);
/* The receipt: one line per meter with quantity, unit price, rounding and price row. The first
 * ones (duration, request, storage, a restore of a known runtime) are the cost; ingestion of
 * log_bytes and another restore stand beside. ERR_NOT_FOUND: the provider has no prices. */
MUST_CHECK enum status cost_receipt(const struct cost_context *c, const struct invocation *inv,
                                    uint64_t log_bytes, struct arena *a, struct cost_lines *out,
                                    struct err *e);

/* A bill for a period from summed usage: tiers, free tier and savings plan applied as asked. */
enum { BILL_MAX_LINES = 32 };
struct bill_input {
    enum provider provider;
    struct str region;
    enum arch arch;
    int64_t at_ns;
    struct {
        const char *meter;
        wide quantity;       /* 10^-12 units */
        wide free_quantity;  /* taken off this line before it is priced */
        struct str rounding; /* one sentence: how the quantity was made; may be empty */
    } usage[BILL_MAX_LINES];
    size_t n_usage;
    bool free_requests, free_compute; /* take the monthly free tier off */
    /* Of the monthly free tier, the part that applies, in 1/1000: 0 means all of it. */
    unsigned free_permille;
    struct str savings_plan; /* empty, "no-upfront", "all-upfront": covers all of its meters */
};
/* Lines in the order of the usage: first what the free tier took off (meter "Global-...", amount
 * 0), then one line a tier; at list price where the plan has no rate (lacks_plan). A meter used
 * twice goes on in its tiers. Amounts are rounded once to 10
 * decimals; total is their sum. A meter without a price gives a line whose price is NULL.
 * ERR_CONFIG: the rows are of different currencies. ERR_LIMIT: beyond 9.2 million. */
MUST_CHECK enum status bill_make(const struct pricebook *p, const struct bill_input *in,
                                 struct arena *a, struct cost_lines *out, struct err *e);

/* A usage file: "what if" worksheets and provider examples as bills (fnscope-cost(1), USAGE FILES).
 * Covers AWS lambda, lambda@edge, lambda-microvm and cloudwatch-logs. */
struct usage_options {
    const struct pricebook *book;
    struct str default_region; /* for cases without one; empty: us-east-1 */
    int64_t at_ns;             /* prices of this day, unless the case has a date */
};
struct usage_case {
    struct str id, service; /* views into the tree */
    struct bill_input bill;
    struct str problem;     /* why it cannot be billed, with its place; empty: it can */
    struct str plan_place;  /* where the savings plan is said: "month.yaml:3:1" */
    struct str unused;      /* inputs nobody knows, left out of the bill; empty: none */
    bool is_covered;        /* false: another provider or service; bill is empty */
    bool is_region_assumed; /* the file names none, or "any ..." */
};
struct yaml_node;
/* A case with a slip in a word, no number or an unknown region has a problem that names file, line
 * and column; the others are read. ERR_CONFIG: the file holds no cases. The tree outlives them. */
struct usage_cases {
    struct usage_case *cases;
    size_t n;
};
MUST_CHECK enum status usage_read(const struct usage_options *o, struct arena *a,
                                  const struct yaml_node *root, const char *name,
                                  struct usage_cases *out, struct err *e);

/* Cost of summed stats at list price, split by component; exact from quantities. */
struct stats_cost {
    wide total, duration, request, storage, restore; /* 10^-12 */
    wide provisioned; /* the part of duration on provisioned concurrency */
    wide logs;        /* beside, not in total */
    bool is_assumed;
    bool is_unpriced;     /* a meter it used has no price: amounts are too low */
    bool is_log_unpriced; /* the same for logs: logs is 0 though there are some */
    struct str currency;  /* never add amounts of different ones */
};
MUST_CHECK enum status cost_of_stats(const struct cost_context *c, const struct fn_ref *fn,
                                     const struct stats *s, int64_t at_ns, struct stats_cost *out,
                                     struct err *e);

/* What is charged by the hour, used or not: provisioned concurrency (concurrency x configured GB x
 * seconds) and the snapshots of SnapStart (versions x GB x seconds; free for Java). Logs do not
 * tell how much is configured and when: rules do, without a time for all of the range; else what a
 * collector read (`kept`). AWS rounds the time from enabling to disabling up to 5 minutes, and
 * charges a snapshot for at least 3 hours: the rule's times end so much later. A range is charged
 * what of them lies in it, to the nanosecond, so that slices of a range add up. What is after
 * now_ns is not charged yet. Beside the cost, never in it. The memory size (and architecture, where
 * no rule says it) is that of the function's last attempt at each moment: `sizes`, or without them
 * that of the sums. Source: AWS Lambda pricing page, data/prices/. */
struct standing_request {
    const struct fn_ref *fn;
    const struct stats *stats;
    struct range range;
    int64_t now_ns;
    struct size_steps sizes;
    struct kept_steps kept; /* provisioned concurrency where no rule says it */
};
struct standing_cost {
    wide provisioned, snapshots; /* 10^-12 */
    bool is_provisioned_open;    /* attempts ran on it, but nothing says how much there is */
    bool are_snapshots_open;     /* environments were restored from some, but no rule ... */
    bool is_unpriced;            /* the book has no price for them there */
    struct str currency;
};
MUST_CHECK enum status cost_standing(const struct cost_context *c, const struct standing_request *q,
                                     struct standing_cost *out, struct err *e);

/* What is kept ready of rows of the range (request_functions) as a collector read it: rows[].kept;
 * and rows[].sizes of those kept that ran and had several, or another one before. In the arena. One
 * that changes more than 65,536 times keeps the largest from there on. e is not NULL. */
struct standing_sizes_request {
    const struct cost_context *cost;
    struct range range;
    const struct fn_filter *filter; /* passes the rows */
    struct fn_row *rows;
    size_t n;
};
MUST_CHECK enum status standing_sizes_load(struct store *s, const struct standing_sizes_request *q,
                                           struct arena *a, struct err *e);

/* Functions of which something is kept and that did not run in the range. Their memory size and
 * architecture are those of their last attempt before it, else of the first one after it; where
 * none is known, there is no row, and the rule is not met. In the arena, by name; of their stats
 * only what cost_standing reads is there. e is not NULL. */
struct standing_idle_request {
    const struct cost_context *cost;
    struct range range;
    const struct fn_filter *filter;
};
struct standing_idle {
    struct fn_rows rows;
    struct fn_rows sizeless; /* that ran and told no size: with the one they get, by id */
    struct fn_rows changing; /* that ran with several, or whose kept ones were read, by id */
    bool *is_met;            /* by rule of the context: a function of known memory size is its */
    size_t n_unmet; /* rules that keep something for which none is; with a filter, only of those
                       that pass */
};
MUST_CHECK enum status standing_idle_load(struct store *s, const struct standing_idle_request *q,
                                          struct arena *a, struct standing_idle *out,
                                          struct err *e);
/* Gives a row of the range (request_each_function) the memory sizes its sums do not tell. */
void standing_complete(const struct standing_idle *idle, struct fn_row *row);

/* Price rows, each once, in the order they came. */
struct price_set {
    struct arena *arena;
    const struct price **rows;
    size_t n, cap;
};
/* Adds the rows that cost_of_stats takes for these sums. */
MUST_CHECK enum status cost_prices_of_stats(const struct cost_context *c, const struct fn_ref *fn,
                                            const struct stats *s, int64_t at_ns,
                                            struct price_set *into, struct err *e);

/* What a bill would make of the list cost: free tier, volume tiers and savings plan, spread over
 * the functions. Bills are of a calendar month (UTC), so the rows are all usage of one: a whole
 * month as it is, a part of one stretched to the month at its own pace. It is billed by region and
 * architecture, and every function pays its meter's share of the result. The free tier goes to all
 * regions and functions pro rata: functions left out of the rows would leave their share to the
 * others. A planning figure, never a fact: list cost stays beside it. */
struct effective_options {
    bool free_requests, free_compute;
    struct str savings_plan; /* empty, "no-upfront", "all-upfront" */
    int64_t range_ns;        /* what the rows sum up; > 0; at least a day counts */
    int64_t month_ns;        /* the month it is of; at least range_ns */
    int64_t at_ns;           /* prices of this time */
};
struct effective_row {
    const struct fn_ref *fn;
    const struct stats *stats;
    struct stats_cost list;      /* from cost_of_stats */
    struct stats_cost effective; /* out: its total, duration, request, storage and restore */
    bool lacks_plan;             /* out: the savings plan has no rate for it: list price */
};
/* Functions are told one by one, all of them; then the bill is made (ERR_LIMIT: beyond 128 bits);
 * then each gets its part, in any order. The context outlives it. */
struct effective;
struct effective *effective_new(const struct cost_context *c, const struct effective_options *o);
void effective_free(struct effective *s); /* NULL is fine */
void effective_add(struct effective *s, const struct effective_row *row);
MUST_CHECK enum status effective_bill(struct effective *s, struct err *e);
void effective_give(const struct effective *s, struct effective_row *row);

/* Money that bought nothing, for reports and advice. Parts overlap (a failed attempt may be a retry
 * and a cold start too): never add them up. 10^-12. */
struct waste {
    wide failed;      /* attempts that did not end OK */
    wide timeouts;    /* the part of failed that ran into its timeout */
    wide retries;     /* attempts after the first of the same request */
    wide init;        /* billed initialization and restore */
    wide over_memory; /* duration cost of memory beyond 1.2 x the most that was used */
    uint64_t n_failed, n_timeouts, n_retries, n_cold;
    bool is_estimated; /* timeouts and retries by their number, since sums do not price them */
};
/* From sums; duration_cost is cost_of_stats' (for over_memory). */
void waste_of_stats(const struct stats *s, wide duration_cost, struct waste *out);
/* One attempt, exactly; over_memory is left alone. */
void waste_add_invocation(struct waste *w, const struct invocation *inv);

/* What amounts of this function are in: "USD", "CNY" in China. */
struct str cost_currency(const struct cost_context *c, const struct fn_ref *fn, int64_t at_ns);
/* The region its price is taken from: the function's own, a rule's, or the default. */
struct str cost_region(const struct cost_context *c, const struct fn_ref *fn);
/* What the rules alone say; empty: nothing. */
struct str cost_rule_region(const struct cost_context *c, const struct fn_ref *fn);

/* --- cold starts ---
 * Why an environment had to be started, from what the others of the function did at that moment. */
enum cold_cause {
    COLD_FIRST,     /* nothing of the function was seen before */
    COLD_DEPLOY,    /* the first ones of another version */
    COLD_FAILURE,   /* the environment before was lost: crash, timeout, out of memory */
    COLD_SCALE_OUT, /* the others were busy */
    COLD_IDLE,      /* the others had been idle too long */
    COLD_CAUSES
};
extern const char *const cold_cause_names[COLD_CAUSES];

enum { COLD_ENVS = 64 /* of a function looked at: the ones used last */ };
struct cold_env {
    uint64_t instance, version; /* hashes */
    int64_t start_ns, end_ns;   /* of its last attempt */
    bool is_lost;
};
struct cold_watch {
    uint32_t fn_id;
    struct cold_env envs[COLD_ENVS];
    size_t n;
};
/* Takes a function's attempts in the order of their start, functions one after the other. True for
 * a cold start, with its cause. */
bool cold_watch_see(struct cold_watch *w, uint32_t fn_id, const struct invocation *inv,
                    enum cold_cause *cause);

/* --- incidents ---
 * What went wrong, as a person would tell it: stretches of hours in which a function failed far
 * more than usual, and functions that run out of memory again and again. */
enum incident_kind {
    INCIDENT_FAILURES,   /* errors of one kind or many */
    INCIDENT_BAD_DEPLOY, /* the same, and they came with another version */
    INCIDENT_RETRIES,    /* failed asynchronous events, tried again and again */
    INCIDENT_TIMEOUTS,
    INCIDENT_THROTTLES,
    INCIDENT_MEMORY, /* out of memory; leak_bytes > 0: memory grows with each use */
    INCIDENT_KINDS
};
extern const char *const incident_kind_names[INCIDENT_KINDS];

struct incident {
    enum incident_kind kind;
    struct fn_ref fn;
    uint32_t fn_id;
    int64_t since_ns, until_ns;  /* first and last failed attempt */
    uint64_t n, failed, retries; /* attempts from the first to the last; of them */
    wide cost_failed;            /* spent on the failed ones, 10^-12 */
    uint64_t memory_bytes;       /* configured */
    int64_t leak_bytes;          /* more with each use of an environment; 0: none seen */
    struct str version;          /* that failed; empty: unknown */
    struct str version_before;   /* ran before; empty: unknown or the same */
    struct str error_type; /* of the most failed attempts among the `looked_at` that were read */
    uint64_t looked_at, of_type, n_types; /* of_type have it; how many types there are, "" is one */
    struct str sample_id;                 /* request id of one failed attempt, of that type */
};
struct incidents {
    struct incident *rows; /* worst first */
    size_t n, cap;
};

/* One function's hour, as little of the sums as is needed. */
struct incident_hour {
    int64_t hour_ns;
    uint64_t n, failed, outcome[OUTCOMES], retries;
    wide cost_failed;
    uint64_t memory_bytes;
};
/* Appends what the hours of one function tell, by hour ascending. Pure; versions and samples stay
 * empty. */
void incidents_of_hours(const struct fn_ref *fn, uint32_t fn_id, const struct incident_hour *hours,
                        size_t n, struct arena *a, struct incidents *out);
/* The incidents of a range, with versions, leaks and samples looked up through the store's typed
 * requests, worst first. */
struct store;
struct range;
struct fn_filter;
struct incident_request {
    const struct range *range;
    const struct fn_filter *fn;
    size_t limit; /* 0: 20 */
};
MUST_CHECK enum status incidents_load(struct store *s, const struct incident_request *q,
                                      struct arena *a, struct incidents *out, struct err *e);
/* One sentence, without the function's name: "version 29 failed 102 of 167 attempts (61 %)". */
struct str incident_text(const struct incident *i, struct arena *a);
struct str incident_what(const struct incident *i, struct arena *a); /* the same without the time */

/* --- throttles --- */

/* Refused calls leave no line behind and so no invocation: metrics know them, of a region as a
 * whole and, where that is not zero, of its functions. A filter by name leaves the functions. */
struct throttled_fn {
    struct str name;
    uint64_t n;
};
struct throttles {
    uint64_t n; /* the larger of what regions and functions say */
    struct throttled_fn *functions;
    size_t n_functions; /* most refused first; none that had nothing refused */
};
MUST_CHECK enum status throttles_load(struct store *s, struct range range,
                                      const struct fn_filter *fn, struct arena *a,
                                      struct throttles *out, struct err *e);
/* "5 calls were refused for lack of concurrency (throttled): hello 5". */
struct str throttles_text(const struct throttles *t, struct arena *a);

/* --- reconcile ---
 * The provider's own count of a function's invocations, hour by hour, beside what its logs gave. An
 * invocation that ran but left no line is found no other way. Only hours count that the provider
 * was asked about and whose logs were read to their end; a function without any log, and hours
 * before its first one, are told apart: there nothing was lost. */
struct count_hour {
    int64_t hour_ns;
    uint64_t counted, stored; /* invocations: by the provider, from logs */
    uint64_t counted_errors, stored_errors;
};
struct count_course { /* of one function */
    struct fn_ref fn;
    const struct count_hour *hours; /* ascending */
    size_t n;
    int64_t logs_from_ns; /* its first hour with a log, lately; INT64_MAX: there is none */
    int64_t read_to_ns;   /* logs are fully read up to here */
};
struct count_gap {
    struct fn_ref fn;
    uint64_t counted, stored; /* of the hours compared */
    uint64_t missing;         /* counted, without a log */
    uint64_t untold_errors;   /* counted as errors, not told by their logs */
    uint64_t unread;          /* counted, but the function has no log */
    uint64_t early; /* counted before its logs begin, and in their first hour if that lacks some */
    uint64_t pending; /* counted in hours whose logs are not read to their end */
    int64_t worst_ns; /* hour with the most missing; 0: none */
    uint64_t worst, worst_counted;
};
/* Pure. What an hour lacks and the one beside it has too many is no gap: metric and log may put an
 * invocation on different sides of the hour. */
void reconcile_course(const struct count_course *c, struct count_gap *out);

struct reconcile {
    struct count_gap *rows; /* those with something missing or untold, most missing first */
    size_t n;
    struct count_gap total;     /* sums over all functions; worst of the first row */
    size_t n_unread;            /* functions without any log */
    size_t n_hours;             /* asked, each region's; 0: nothing can be said */
    int64_t since_ns, until_ns; /* the first and the end of the last of them */
};
enum { RECONCILE_DAYS = 7 /* of a longer range, the last ones */ };
MUST_CHECK enum status reconcile_load(struct store *s, struct range r, const struct fn_filter *f,
                                      struct arena *a, struct reconcile *out, struct err *e);
/* What there is to say, a sentence without a stop each, and what to do; empty: nothing is wrong. */
struct str reconcile_missing_text(const struct reconcile *r, struct arena *a);
struct str reconcile_missing_remedy(const struct reconcile *r, struct arena *a);
struct str reconcile_errors_text(const struct reconcile *r, struct arena *a);
struct str reconcile_errors_remedy(void);
/* What was compared, and what was not: "1,204 invocations of 24 hours have their log". */
struct str reconcile_scope_text(const struct reconcile *r, struct arena *a);

/* --- sources that do not answer: what they had to tell of a range is not stored, or not all --- */
struct source_gap {
    struct str name, error;      /* error: of its last failed poll; empty: nobody polls it */
    int64_t read_ns;             /* last read whole; 0: never */
    bool is_failing, is_partial; /* partial: all but what `error` says is read */
    struct str capped; /* parts that wait for the day's budget: "queues, metrics"; empty: none */
    money cap;         /* that budget */
};
struct source_gaps {
    struct source_gap *rows; /* by name */
    size_t n;
    size_t n_whole; /* sources that have none */
};
/* Of a range that is over, anything not read since its end is a gap. Of one that goes on, a source
 * that fails for a minute, was not read for ten (polls have pauses) or has spent its budget. */
bool source_has_gap(const struct source_status *s, struct range r, int64_t now_ns);
/* Those of the filter's regions and accounts, as far as a source has told its own. */
struct source_gap_request {
    struct fn_filter filter;
    struct range range;
    int64_t now_ns;
};
MUST_CHECK enum status source_gaps_load(struct store *s, const struct source_gap_request *q,
                                        struct arena *a, struct source_gaps *out, struct err *e);
/* "source prod-eu was never read", why, what to do: what shows names goes through safe_text. */
struct str source_gap_text(const struct source_gap *g, struct arena *a);
struct str source_gap_remedy(const struct source_gap *g);

/* "no collector runs: nothing was stored for 4m57s"; empty: one is at work, or has no source */
MUST_CHECK enum status watch_gap_load(struct store *s, int64_t now_ns, struct arena *a,
                                      struct str *out, struct err *e);
/* --- deployments ---
 * A deployment is the first environment of a version, of a function the range has seen with another
 * one. It failed when an incident of its function began within the window, or the version before
 * came back and stayed. Feed starts of environments function by function, each's by time. */
enum { DEPLOY_WINDOW_MIN = 60 };
struct deployment {
    struct fn_ref fn;
    uint32_t fn_id;
    struct str version, before;
    int64_t at_ns;
    int64_t back_ns;      /* an older version came back and stayed; 0: no */
    int64_t recovered_ns; /* of a failed one: failures over or rolled back */
    bool is_failed;
};
struct deployments {
    struct deployment *rows; /* in the order seen */
    size_t n, cap;
    uint32_t fn_id;           /* is fed */
    struct deploy_seen *seen; /* its versions so far */
    size_t n_seen, cap_seen;
    bool has_versions; /* any but $LATEST was seen */
};
void deployments_see(struct deployments *d, struct arena *a, uint32_t fn_id,
                     const struct invocation *inv);
/* Which of them failed. */
void deployments_judge(struct deployments *d, const struct incidents *incidents);

/* --- outlook ---
 * What the days seen so far say about the rest of a month. Pure; amounts in 10^-12. */
enum { FORECAST_LEAST_DAYS = 3, FORECAST_WEEKLY_DAYS = 14 };
struct forecast_input {
    const wide *days;       /* cost of whole days, oldest first */
    size_t n;               /* at least FORECAST_LEAST_DAYS, else there is no forecast */
    int first_weekday;      /* of days[0]; 0 = Sunday */
    wide spent;             /* in the month, up to now */
    int64_t now_ns, end_ns; /* the rest of the month */
};
struct forecast {
    wide low, middle, high; /* month's end: 8 of 10 months end between low and high */
    bool is_weekly;         /* weekdays were told apart: two weeks or more */
};
/* false: too few days. The rest of the month is taken to be like the days given; low and high are
 * 1.2816 standard deviations away, never below what is spent. */
bool forecast_month(const struct forecast_input *in, struct forecast *out);

/* --- what is unusual ---
 * One number against its own past. */
enum { ANOMALY_LEAST_PAST = 4, ANOMALY_MOST_PAST = 7 };
struct unusual {
    wide usual;    /* median of the past */
    wide excess;   /* now - usual */
    bool is_found; /* farther from the median than six median deviations, half the median and floor
                    */
};
struct unusual unusual_of(const wide *past, size_t n, wide now, wide floor);

/* --- advice --- */
enum advice_kind { ADVICE_ARM, ADVICE_MEMORY, ADVICE_FAILURES, ADVICE_KINDS };
struct advice {
    enum advice_kind kind;
    wide saving;                /* of the range's cost, at most; 10^-12 */
    uint64_t memory_mb, now_mb; /* ADVICE_MEMORY: the size to try, and what it is */
};
struct advices {
    struct advice items[ADVICE_KINDS];
    size_t n;
};
/* What could be saved, each on its own: never add them up. Durations are taken to stay. */
MUST_CHECK enum status advice_of_stats(const struct cost_context *c, const struct fn_ref *fn,
                                       const struct stats *s, int64_t at_ns, struct advices *out,
                                       struct err *e);

/* Which of the memory sizes a function ran with is best. Weight of the balance: 1000 cost alone, 0
 * speed alone. */
enum rightsize_strategy { RIGHTSIZE_COST, RIGHTSIZE_SPEED, RIGHTSIZE_BALANCED };
struct rightsize_option {
    uint64_t memory_mb;
    wide cost, duration; /* of one invocation on average, any units */
};
/* Ties go to the faster one, or the cheaper one. n > 0. */
const struct rightsize_option *rightsize_pick(const struct rightsize_option *options, size_t n,
                                              enum rightsize_strategy strategy,
                                              unsigned weight_permille);

#endif

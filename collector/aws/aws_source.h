/* Inside of collector/aws/: the source of one account and region. Its work is cut into tasks; a
 * task is cut into steps of one call each. Of the tasks that are due and within their quota the one
 * runs that has waited longest since its last step, so that a long catch-up of logs does not delay
 * the queues. One thread; no locks. */
#ifndef FNSCOPE_COLLECTOR_AWS_AWS_SOURCE_H
#define FNSCOPE_COLLECTOR_AWS_AWS_SOURCE_H

#include "collector/aws/aws_call.h"
#include "collector/aws/aws_metric_ask.h"
#include "collector/aws/aws_pages.h"
#include "collector/aws/cloudwatch_json.h"

enum aws_part {
    PART_LOGS = 1 << 0,
    PART_CONFIG = 1 << 1,
    PART_QUEUES = 1 << 2,
    PART_METRICS = 1 << 3,
    PART_TRACES = 1 << 4,
    PARTS_ALL = PART_LOGS | PART_CONFIG | PART_QUEUES | PART_METRICS | PART_TRACES
};

struct aws_options {
    struct opt_list regions;
    struct str endpoint, account;
    struct str profile, role_arn, external_id, session_name;
    struct opt_list collect, log_groups, queues;
    int64_t poll_ns, idle_poll_ns, overlap_ns, backfill_ns;
    int64_t late_every_ns, late_window_ns, deep_every_ns, deep_window_ns;
    int64_t discover_ns, config_ns, queues_ns, metrics_ns, traces_ns, reconcile_ns;
    int64_t quota_percent;
    struct str budget, trace_filter;
};
extern const struct opt_def aws_option_defs[];

struct aws_ctx;

/* Refused or not allowed: only a person can help, so it is not asked for often. */
#define AWS_DENIED_WAIT_NS NS_PER_MIN

/* One step of a task: at most one call. Sets t->next_ns (monotonic) for the next one. */
struct aws_task {
    const char *name; /* "logs", "queues", ... for messages */
    enum aws_op op;   /* what the next step will call: its quota is asked before */
    enum status (*step)(struct aws_ctx *x, struct aws_task *t, struct batch *out, struct err *e);
    int64_t next_ns;
    int64_t ran_ns;   /* monotonic: its last step */
    int64_t round_ns; /* wall: begin of the last round that met all there is; of logs, up to when
                         every group has been read; 0: it cannot tell */
    char *error;      /* of the last step if it failed */
    char *partial;    /* what of it is not read while the rest is; NULL: nothing */
    unsigned failures;
    bool is_round_done; /* everything was done at least once since the source began */
    bool has_error;
    bool is_tried_again; /* it has, and it may pass */
    bool is_refused;     /* it has, and only a person can help */
    bool is_capped;      /* it waits for the next day's budget */
};

enum {
    TASK_GROUPS,
    TASK_LOGS,
    TASK_CONFIG,
    TASK_QUEUES,
    TASK_METRICS,
    TASK_TRACES,
    TASK_RECONCILE,
    TASK_IDENTITY,
    AWS_TASKS
};

/* --- logs --- */

enum scan_kind {
    SCAN_FAST, /* from the watermark on: a little overlap, now and then the whole */
    SCAN_LATE, /* the last half hour again, for events that came late */
    SCAN_DEEP, /* the last day again */
    SCAN_KINDS
};

/* Windows in ms, both ends included; the end stays as it was when the scan began. */
struct log_scan {
    int64_t next_ns; /* monotonic: next page, or next scan */
    int64_t start_ms, end_ms;
    struct aws_pages pages;
    bool is_active;
    bool is_wide;      /* SCAN_FAST: with the whole overlap */
    unsigned damaged;  /* times the page at hand came damaged */
    unsigned failures; /* in a row */
    bool is_refused;   /* the last of them: only a person can help */
    unsigned restarts; /* its pages led nowhere so often since a scan was read whole */
};

struct log_group {
    char *name, *account;
    char *error;          /* why it is ill */
    int64_t ill_ns;       /* wall: since when it cannot be read; 0: it can */
    struct str function;  /* the only function that writes here; empty: several, or not known */
    int64_t watermark_ms; /* fully read up to here */
    int64_t created_ms;
    int64_t deep_ms;  /* the deep scan before began then; kept with the watermark */
    int64_t wide_ms;  /* end of the last fast scan that looked back as far as `overlap` */
    int64_t wide_ns;  /* monotonic: when the next of them is due */
    int64_t delay_ns; /* between writing and showing an event, lately the most */
    struct log_scan scans[SCAN_KINDS];
    unsigned quiet; /* fast scans in a row without a new event */
    bool was_read;  /* a fast scan has ended since the source began */
    bool is_listed; /* seen in the discovery under way */
    bool is_used;   /* a function's configuration names it */
    bool is_gone;
    bool has_cursor; /* a run before has read it */
};

struct aws_logs {
    struct log_group *groups;
    size_t n, cap;
    struct map by_name; /* name -> index */
    struct cw_state *state;
    size_t pattern; /* of the discovery under way */
    struct aws_pages pages;
    int64_t floor_ms; /* nothing before is read; 0: not known yet */
    bool is_floor_kept;
    bool is_listed_once;
};

/* --- functions and queues --- */

/* Provisioned concurrency of all versions and aliases together. */
struct aws_kept {
    int64_t n;        /* -1: the question was refused */
    int64_t since_ns; /* when one of them was changed last; 0: nobody says */
    int64_t read_ns;  /* 0: never */
};

struct aws_function {
    char *name, *arn, *dead_letter, *on_failure, *log_group, *runtime, *version, *code;
    struct fn_config config;           /* numbers only: the texts are above */
    int64_t concurrency;               /* reserved; -1: none */
    struct aws_kept provisioned, told; /* as read, and as it was in the point before */
    int64_t stored_from_ns;            /* of the row stored last */
    uint64_t signature;                /* of what was stored last: a change makes a new row */
    bool has_details;                  /* of PHASE_CONCURRENCY and after */
    bool is_listed;
};

struct aws_mapping {
    char *queue, *function; /* names */
};

struct aws_functions {
    struct aws_function *items;
    size_t n, cap;
    struct aws_mapping *mappings;
    size_t n_mappings, cap_mappings;
    struct aws_pages pages;
    int phase;        /* enum of aws_config.c */
    size_t at;        /* function whose details are next */
    unsigned refused; /* bit i: the question of phase i may not be asked */
    int64_t limit;    /* account's concurrency; 0: not known */
    bool is_listed_once;
};

struct aws_queue {
    char *name, *url, *arn;
    char *dead_letter; /* name */
    uint32_t max_receives;
    int64_t oldest_ns, oldest_read_ns; /* age as CloudWatch said, and when (wall); 0: never */
    int64_t emptied_ns;                /* wall: when it was last read to be empty */
    int64_t refused_ns;                /* wall: since when it may not be read; 0: it may */
    char *error;                       /* why */
    bool is_filled;                    /* had messages when last read */
    bool is_listed;
};

struct aws_queues {
    struct aws_queue *items;
    size_t n, cap;
    size_t at; /* read next in this round */
    struct aws_pages pages;
    int64_t listed_ns; /* monotonic; 0: never */
    int64_t began_ns;  /* monotonic: this round */
    int64_t since_ns;  /* wall: this round */
    bool is_listing;
    bool has_refused; /* this round */
    bool is_form;     /* the endpoint speaks the Query protocol, no JSON */
};

/* --- metrics --- */

/* A value of the region whose functions are still to be asked. */
struct held_point {
    const struct metric_row *row;
    int64_t time_ns, value;
};

struct aws_metrics {
    struct held_point *held; /* until the round ends, so that both are stored together */
    size_t n_held, cap_held;
    bool has_failed;       /* the functions could not be asked: the region's do not wait */
    struct metric_ask ask; /* of the round under way */
    int64_t read_to_ns;    /* wall; kept as a cursor */
    int64_t began_ns;      /* monotonic */
    bool is_recalled;      /* the cursor was looked up */
    bool is_behind;        /* more than a window is left to read */
    bool was_nameless;     /* what was read stands under no account; kept with the cursor */
    uint64_t active;       /* rows of the table whose region had a value above zero */
    bool is_drilling;
};

/* --- reconcile --- */

struct hour_mark {
    int64_t time_ns, value;
};

struct aws_reconcile {
    struct metric_ask ask;
    struct hour_mark *marks; /* the region's invocations, kept until its functions are known */
    size_t n_marks, cap_marks;
    int64_t done_to_ns; /* wall: hours before were asked; 0: not looked up yet */
    uint64_t active;    /* rows of the table whose region had a value above zero */
    bool is_drilling;
};

/* --- traces --- */

struct wanted_trace {
    char *id;
    unsigned tries;
};

struct aws_traces {
    struct wanted_trace *wanted; /* to be fetched, the last first */
    size_t n, cap;
    struct aws_pages pages;
    int64_t start_ns, end_ns, read_to_ns; /* wall */
    struct idmap revisions;               /* hash of a trace's id -> revision fetched last */
    size_t n_revisions;
    bool is_open, is_listing; /* a window; pages of it are left */
    bool is_recalled;         /* the cursor was looked up */
};

struct aws_ctx {
    struct source *source;
    const struct aws_options *o;
    struct aws_client client;
    struct aws_task tasks[AWS_TASKS];
    struct aws_logs logs;
    struct aws_functions fns;
    struct aws_queues queues;
    struct aws_metrics metrics;
    struct aws_reconcile reconcile;
    struct aws_traces traces;
    struct str account; /* empty until an ARN told it */
    char *error;        /* of the last step that failed */
    char *partial;      /* what is not read while the rest is */
    int64_t began_ns;   /* monotonic */
    unsigned parts;
};

/* aws_groups.c, aws_logs.c, aws_config.c, aws_queues.c, aws_metrics.c, aws_xray.c,
 * aws_reconcile.c, aws_identity.c */
typedef enum status aws_step_fn(struct aws_ctx *x, struct aws_task *t, struct batch *out,
                                struct err *e);
aws_step_fn aws_groups_step, aws_logs_step, aws_config_step, aws_queues_step, aws_metrics_step,
    aws_xray_step, aws_reconcile_step, aws_identity_step;
/* No part of the source's tells the account's number, and nobody named it. */
bool aws_asks_identity(const struct aws_ctx *x);
void aws_logs_clear(struct aws_logs *l);
void aws_functions_clear(struct aws_functions *f);
void aws_queues_clear(struct aws_queues *q);
/* What CloudWatch says of the oldest message in the minute from time_ns on, and what the queue says
 * of itself: the age of messages that are gone is none of those that came since. */
void aws_queue_aged(struct aws_queue *q, int64_t age_ns, int64_t time_ns);
void aws_queue_counted(struct aws_queue *q, int64_t depth, int64_t now_ns);
void aws_metrics_clear(struct aws_metrics *m);
void aws_traces_clear(struct aws_traces *t);
void aws_reconcile_clear(struct aws_reconcile *r);
/* The parts a source is to collect, enum aws_part. ERR_CONFIG: `collect` names one there is not. */
MUST_CHECK enum status aws_find_parts(const struct source *s, unsigned *out, struct err *e);
MUST_CHECK enum status aws_check_parts(const struct aws_options *o, struct err *e);
/* check of struct source_ops. */
MUST_CHECK enum status aws_check(const void *options, struct err *e);
void aws_plan(const struct source *s, struct plan *p);
/* True when the day's budget does not allow the call: the task then waits for midnight UTC. */
bool aws_wait_for_budget(struct aws_ctx *x, struct aws_task *t, enum aws_op op, uint64_t units);
/* Before what is stored under the account's number and is not asked for again: true while a part
 * that may tell the number has not been read. The task then waits for it. */
bool aws_wait_for_account(struct aws_ctx *x, struct aws_task *t);
uint64_t aws_region_metrics(void);     /* how many are asked of a region */
uint64_t aws_reconciled_metrics(void); /* and hour by hour, of a region or a function */

/* How often the provider's counts are asked for: as wanted, or more rarely for the budget's sake.
 */
int64_t aws_reconcile_every(int64_t wanted_ns, uint64_t functions, money unit_price, money cap);

/* Finds or adds a group and places its watermark: from the cursor, else backfill before now. */
struct log_group *aws_group_add(struct aws_ctx *x, struct str name, int64_t created_ms);
/* Before a scan: a group's and the source's place lie not in the future. */
void aws_heal_places(struct aws_ctx *x, struct log_group *g);
/* Stores how far back the very first run began, once. */
void aws_keep_floor(struct aws_ctx *x, struct batch *out);
/* Monotonic time at which the next log step is due. */
int64_t aws_logs_due(const struct aws_ctx *x);
/* Groups that cannot be read, told in a sentence; empty: all are. *is_all: no group is. */
struct str aws_logs_ill(const struct aws_ctx *x, struct arena *a, bool *is_all);
struct str aws_queues_refused(const struct aws_queues *q, struct arena *a);
struct str aws_config_refused(const struct aws_functions *f, struct arena *a);
/* After a step of the task: what of it is not read. True: nothing of it. */
bool aws_note_partial(struct aws_ctx *x, struct aws_task *t);
void aws_tell_partial(struct aws_ctx *x); /* gathers that in x->partial */
/* Does the refusal speak of the one thing asked for? One about keys or signatures does not. */
bool aws_fault_is_of_one(const struct aws_fault *f);
struct aws_function *aws_function_find(struct aws_functions *f, struct str name);
bool aws_matches(const struct opt_list *globs, struct str name); /* an empty list matches all */
unsigned aws_parts_of(const struct aws_ctx *x);                  /* enum aws_part */
struct str aws_arn_function(struct str arn);                     /* name of the function */
/* aws_overlap.c: overlap of struct source_ops; is there a name that both globs match? */
struct str aws_overlap(const struct source *a, const struct source *b, struct arena *arena);
bool aws_globs_meet(struct str a, struct str b);
void aws_learn_account(struct aws_ctx *x, struct str arn);
int64_t aws_mono(const struct aws_ctx *x);
char *aws_keep(char *old, struct str s); /* frees old, copies s; NULL for an empty one */

#endif

/* What a running collector knows besides records: the queues of an account as they stood when last
 * read, and how each source is doing. Rows are replaced as a whole by the next reading. Views live
 * in the batch's arena or the reader's. */
#ifndef FNSCOPE_CORE_MODEL_LIVE_H
#define FNSCOPE_CORE_MODEL_LIVE_H

#include "core/model/metric.h"
#include "core/model/money.h"

/* Whether what is known of a queue can still be true. */
enum queue_presence {
    QUEUE_THERE,
    QUEUE_GONE,   /* its source has read all queues since and did not meet it */
    QUEUE_UNREAD, /* no source reads it any more */
    QUEUE_PRESENCES
};

const char *queue_presence_name(enum queue_presence v); /* "there", "gone", "unread" */

/* A message queue. Identity: provider, account, region, name. */
struct msg_queue {
    struct fn_ref of;
    struct str url, arn;
    struct str dead_letter; /* name of the queue its failures go to; empty: none */
    struct str feeders;     /* a dead-letter queue's feeders, comma-separated: queue names, or
                               "function:NAME" for functions that send failed events here */
    struct str consumers;   /* functions that read it, comma-separated; empty: not known */
    struct str source;      /* of the collector, which reads it; empty: of an older store */
    bool is_dlq;            /* something names it as its dead-letter queue */
    int64_t depth;          /* visible messages */
    int64_t in_flight, delayed;
    int64_t oldest_ns;     /* age of the oldest message when has_age; 0 with an empty queue */
    bool has_age;          /* the provider said it */
    int64_t retention_ns;  /* a message older than this is deleted unread; 0: not known */
    int64_t visibility_ns; /* how long a received message stays hidden; 0: not known */
    uint32_t max_receives; /* before it moves to dead_letter; 0: none */
    int64_t seen_ns;       /* when it was read: the age of all of the above */
    enum queue_presence presence; /* as of what its source read last; given by the store */
};

/* One kind of thing a source reads: its logs, its queues. Counters as those of the source. */
struct source_part {
    struct str name; /* "logs" */
    int64_t tried_ns, success_ns;
    int64_t round_ns; /* when the last round began that read all there is: what it did not meet is
                         gone, or zero; 0: none has ended. Queues and metrics tell it; logs up to
                         when every group has been read */
    uint64_t add_calls, add_errors;
    money add_cost;
    struct str error; /* of the last step if it failed */
    bool is_off;      /* it is not to be read: the store forgets how it did */
};
enum { SOURCE_MAX_PARTS = 8 };
/* The parts that read queues, logs, metrics. */
#define SOURCE_PART_QUEUES  "queues"
#define SOURCE_PART_LOGS    "logs"
#define SOURCE_PART_METRICS "metrics"
/* The error of a part that waits for the next day: it does not fail. */
#define SOURCE_BUDGET_SPENT "the day's budget is spent"

/* How a source of the collector is doing. Identity: name. Counters run since the store was made;
 * the writer adds, so a source reports what came since its last report. */
struct source_status {
    struct str name, type; /* "prod-eu", "aws-logs" */
    struct str account, region;
    int64_t tried_ns;     /* last poll that ended, well or not */
    int64_t success_ns;   /* last poll that ended well; 0: none since the last report */
    int64_t watermark_ns; /* newest event time fully read; 0: not known */
    int64_t lag_ns;       /* age of the newest event at success_ns; before the first success: how
                             long it had been tried at tried_ns */
    uint64_t add_calls, add_errors, add_throttles, add_bytes;
    uint64_t add_events;
    money add_cost;             /* list price of its own calls, 10^-12 */
    uint32_t failures;          /* polls in a row that failed; 0: well */
    struct str error;           /* of the last failed poll; without failures, what is not read
                                   while all else is; empty: well */
    uint32_t quota_ppm;         /* use of its tightest quota in millionths */
    struct str quota;           /* which one: "logs:FilterLogEvents"; empty: no call yet;
                                   SOURCE_NO_QUOTA: none holds where it asks */
    money cost_cap, cost_today; /* 0: no cap; spent in the cap's period */
    bool is_capped;             /* calls that cost are suspended until the cap's period ends */
    struct source_part parts[SOURCE_MAX_PARTS];
    size_t n_parts;
};

#define SOURCE_NO_QUOTA "none"
/* Is its use of a quota known, as it is from the first call to where quotas hold on? */
bool source_has_quota(const struct source_status *s);
/* It reads, but not all that it is to read: its error says what. */
bool source_is_partial(const struct source_status *s);
/* NULL: it has no such part. */
const struct source_part *source_find_part(const struct source_status *s, const char *name);
/* Does the part wait for the day's budget? */
bool source_part_is_capped(const struct source_part *p);
/* Nothing fails, and all that is read waits for the day's budget, as of a source without logs: its
 * silence is meant. */
bool source_rests(const struct source_status *s);

#endif

/* What travels from a source to the store: records and what was made of them, with the cursor that
 * says how far the source has read. Everything inside lives in the batch's arena. Owned by one
 * thread at a time; moves by pointer. */
#ifndef FNSCOPE_CORE_MODEL_BATCH_H
#define FNSCOPE_CORE_MODEL_BATCH_H

#include "core/base/arena.h"
#include "core/base/map.h"
#include "core/model/invocation.h"
#include "core/model/live.h"
#include "core/model/span.h"

/* An event that could not be decoded: kept raw, counted, shown by doctor. */
struct quarantined {
    struct str place;  /* "dump.json:1234567 event 17" */
    struct str reason; /* "invalid UTF-8 at byte 12" */
    struct str raw;    /* at most 4 KB of it */
};

struct cursor {
    struct str source;    /* "import", "prod-eu" */
    struct str scope;     /* file identity, log group */
    struct str token;     /* where to go on; opaque to the store */
    int64_t watermark_ns; /* newest event time fully read */
};

struct batch_counts {
    uint64_t read_bytes, events, repeats, late, quarantined, control_messages;
    uint64_t unknown_labels;         /* REPORT labels kept as extras */
    uint64_t forged;                 /* lines of application text that imitate the platform's */
    int64_t refuted;                 /* requests with EV_FORGED: as many more as there were */
    int64_t doubtful;                /* requests with EV_DOUBTFUL: as many more as there were */
    int64_t ambiguous;               /* requests with EV_ERROR_GUESSED: the same */
    uint64_t lost_lines, lost_bytes; /* dropped by the platform, as it says itself */
    uint64_t invalid_utf8;           /* events with replaced bytes */
    uint64_t untimed;   /* events without a time: the file's or the clock's stands in */
    uint64_t elsewhere; /* requests that are stored under another function or region too */
    uint64_t again;     /* requests whose REPORT stands there from another export of the log */
    uint64_t adopted;   /* functions that got the region or account they lacked */
    uint64_t invocations;
};
void batch_counts_add(struct batch_counts *to, const struct batch_counts *from);

enum {
    BATCH_MAX_RAW = 4096,        /* bytes kept of a quarantined event */
    BATCH_MAX_QUARANTINE = 1000, /* events kept a batch; all are counted */
};

struct batch {
    struct arena arena;
    struct idmap fns, origins; /* stable hash -> index into the lists, while it is filled */
    struct fn_ref **fn_list;
    size_t n_fns, cap_fns;
    struct origin **origin_list;
    size_t n_origins, cap_origins;
    const struct fn_ref *last_fn; /* most events repeat the one before */
    const struct origin *last_origin;
    struct log_record *records;
    size_t n_records, cap_records;
    struct invocation *invocations;
    size_t n_invocations, cap_invocations;
    struct instance_event *instance_events;
    size_t n_instance_events, cap_instance_events;
    struct fn_config *configs;
    size_t n_configs, cap_configs;
    struct metric_point *points;
    size_t n_points, cap_points;
    struct msg_queue *queues;
    size_t n_queues, cap_queues;
    struct source_status *sources;
    size_t n_sources, cap_sources;
    struct span *spans;
    size_t n_spans, cap_spans;
    struct quarantined *quarantine;
    size_t n_quarantine, cap_quarantine;
    struct cursor *cursors;
    size_t n_cursors, cap_cursors;
    struct batch_counts counts;
};

struct batch *batch_new(void);
/* Room at once for records and origins like those of the batch before, and an eighth more records.
 * Others may come. Before the first one. */
void batch_expect_like(struct batch *b, const struct batch *before);
void batch_free(struct batch *b); /* NULL is fine */
/* Find or add; strings are copied into the arena when new. */
const struct fn_ref *batch_fn(struct batch *b, const struct fn_ref *like);
/* Calls settle for each function of the batch, which it may change (true then), and gives the
 * origins the hashes that follow. Before anybody looked at those. */
typedef bool batch_settle_fn(void *ctx, struct fn_ref *f);
void batch_settle(struct batch *b, batch_settle_fn *settle, void *ctx);
const struct origin *batch_origin(struct batch *b, const struct origin *like);
/* As batch_origin for one that was in a batch before: its hash is known. */
const struct origin *batch_origin_again(struct batch *b, const struct origin *like);
struct log_record *
batch_record(struct batch *b); /* zeroed, appended; pointer valid until the next */
struct invocation *batch_invocation(struct batch *b);
/* Room for n more at once: one array, not one for each doubling. */
void batch_expect_invocations(struct batch *b, size_t n);
struct instance_event *batch_instance_event(struct batch *b);
struct fn_config *batch_config(struct batch *b);
/* Zeroed, appended, pointer valid until the next. Their views are not copied: they must live in the
 * batch's arena or outlive the batch. */
struct metric_point *batch_point(struct batch *b); /* weight is 1 */
struct msg_queue *batch_queue(struct batch *b);
struct source_status *batch_source(struct batch *b);
struct span *batch_span(struct batch *b);
/* Counts the event in counts.quarantined and keeps a copy of its first 4 KB. */
void batch_quarantine(struct batch *b, struct str place, struct str reason, struct str raw);
void batch_cursor(struct batch *b, const struct cursor *c); /* copies */

#endif

/* A piece of a trace: a segment or subsegment as a tracing service recorded it. Identity: (trace,
 * id); a later reading of the same span replaces an earlier one, because spans in progress are
 * reported too. Views live in the batch's arena or the reader's. */
#ifndef FNSCOPE_CORE_MODEL_SPAN_H
#define FNSCOPE_CORE_MODEL_SPAN_H

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/model/fn.h"

enum span_flag {
    SPAN_ERROR = 1 << 0,    /* the caller's mistake: 4xx */
    SPAN_FAULT = 1 << 1,    /* the callee's: 5xx, an exception */
    SPAN_THROTTLE = 1 << 2, /* refused for want of capacity: 429 */
    SPAN_OPEN = 1 << 3,     /* still running when it was read: end_ns is not known */
    SPAN_INFERRED = 1 << 4, /* what was called told nothing; made from the caller's side */
};

struct span {
    struct fn_ref of;         /* name: the function it belongs to; empty: no function */
    struct str trace_id;      /* "1-68f7d85d-0f0bfbbe2ab8f94854bf83a8" */
    struct str id, parent_id; /* parent_id empty: a root */
    struct str name;          /* "checkout", "Initialization", "DynamoDB" */
    struct str origin;        /* "AWS::Lambda", "aws", "remote"; empty: not said */
    struct str detail;        /* "PutItem orders", "GET https://host/path" */
    struct str request_id;    /* of the invocation, where the span says it */
    struct str error;         /* "Type: message" of the first exception */
    struct str annotations;   /* JSON object; empty: none */
    int64_t start_ns, end_ns; /* end_ns 0 with SPAN_OPEN */
    unsigned flags;           /* enum span_flag */
    uint32_t http_status;     /* 0: none */
    uint32_t depth;           /* in its trace; set by spans_arrange */
};

struct span_list {
    struct span *rows;
    size_t n;
};

/* The trace id, as it is stored, that a header, a log line or a person gives: as above, behind
 * "Root=", or a traceparent of W3C or the 32 digits in it. Empty: it is none. */
struct str trace_id_parse(struct str text, struct arena *a);

/* "fault", "error", "throttle", "open" or "ok": the worst that is true of it. */
const char *span_state(const struct span *s);
/* Orders the spans of one trace as a waterfall shows them: each behind its parent, children by
 * start, roots (and spans whose parent is not there) by start; sets depth. */
void spans_arrange(struct span_list *l, struct arena *a);
/* From the first start to the last end, an open span ending where it starts. No spans: since >
 * until. */
struct range spans_extent(const struct span_list *l);

#endif

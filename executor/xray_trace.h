/* A trace as its segment documents tell it (AWS X-Ray developer guide, "segment documents"), for
 * filters and summaries. Pure; everything lives in the arena, or in the documents. */
#ifndef FNSCOPE_EXECUTOR_XRAY_TRACE_H
#define FNSCOPE_EXECUTOR_XRAY_TRACE_H

#include <stdint.h>

#include "core/base/arena.h"

#define XRAY_NO_SEGMENT SIZE_MAX

struct xray_segment {
    struct str id, parent_id, name, type; /* type: its origin, such as AWS::Lambda::Function */
    struct str account, resource_arn;
    struct str url, method, agent, client; /* http.request; empty: not said */
    int64_t begin_us, end_us;              /* wall clock */
    int64_t http_status;                   /* 0: not said */
    bool is_error, is_fault, is_throttle, is_open;
    const struct str *parts; /* identities of its subsegments */
    size_t n_parts;
    size_t parent; /* among the segments of the trace, by xray_trace_link() */
};

struct xray_trace {
    struct str id;
    struct xray_segment *segments;
    size_t n, cap;
    size_t root; /* the first that none of the others called; by xray_trace_link() */
};

/* One more segment; what is no JSON object is passed over. */
void xray_trace_add(struct arena *a, struct xray_trace *t, struct str document);
/* Finds who called whom, once all are there. */
void xray_trace_link(struct xray_trace *t);
/* From the first begin to the last end. */
int64_t xray_trace_begin_us(const struct xray_trace *t);
int64_t xray_trace_end_us(const struct xray_trace *t);

#endif

/* Traces of functions with `tracing: true`: two segments an invocation, as Lambda sends them to
 * X-Ray (xray.c), and the operations that read them (xray_read.c; REST, API model 2016-04-12). */
#ifndef FNSCOPE_EXECUTOR_XRAY_H
#define FNSCOPE_EXECUTOR_XRAY_H

#include "executor/api_route.h"
#include "executor/instance.h"

extern const struct api_service xray_service;

/* Nothing when the function is not traced. */
void xray_record(struct executor *x, const struct instance *in, struct run *r);

/* Pure: the two documents. */
struct xray_facts {
    const struct fndef *fn;
    struct rng *ids; /* of subsegments */
    struct str trace_id, segment_id, function_segment_id, request_id, instance;
    struct str caller_id; /* the segment that called, as its trace header says; empty: none */
    int64_t accepted_ns, begin_ns, end_ns; /* wall clock */
    int64_t init_began_ns, init_ns;        /* perhaps long before begin_ns; init_ns 0: warm */
    enum outcome outcome;
    struct str account;
};
void xray_service_segment(struct buf *out, const struct xray_facts *f);
void xray_function_segment(struct buf *out, const struct xray_facts *f);

#endif

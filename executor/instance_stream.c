/* What a function streams, on its way to who asked for it. */
#include <stdio.h>

#include "executor/instance.h"
#include "executor/instance_report.h"

static uint64_t most_bytes(const struct run *r)
{
    return r->rq.taker ? INSTANCE_STREAM_BYTES : INSTANCE_ANSWER_BYTES;
}

void instance_stream_begin(struct instance *in, struct str content_type)
{
    struct run *r = in->run;

    r->instance = in;
    r->is_streamed = true;
    r->content_type = arena_str(&r->arena, content_type);
    r->answer_began_ns = loop_now(in->x->loop);
    r->payload.max = INSTANCE_ANSWER_BYTES;
    if (!r->rq.taker)
        return;
    const struct invoke_result head = {.request_id = r->rq.request_id,
                                       .trace = r->trace_header,
                                       .is_streamed = true,
                                       .content_type = r->content_type};
    r->rq.taker->begin(r->ctx, r, &head);
}

void invoke_hold(struct run *r, bool is_held)
{
    if (r->is_held == is_held || r->is_answered)
        return;
    r->is_held = is_held;
    r->instance->link->hold(r->instance, is_held);
}

/* Its caller hears of it at once; what the function goes on writing is dropped. */
static void stop_at_limit(struct instance *in)
{
    struct run *r = in->run;
    char text[96];

    snprintf(text, sizeof(text),
             "Response payload size exceeded maximum allowed payload size (%llu bytes).",
             (unsigned long long)most_bytes(r));
    report_platform_error(r, "Function.ResponseSizeTooLarge", str_from(text));
    r->outcome = OUTCOME_ERROR;
    invoke_hold(r, false);
    r->is_over = true;
    invoker_answered(in, r);
}

void instance_stream_piece(struct instance *in, struct str bytes)
{
    struct run *r = in->run;

    if (in->state != INST_BUSY || r->is_over)
        return;
    r->streamed_bytes += bytes.n;
    if (r->streamed_bytes > most_bytes(r))
        stop_at_limit(in);
    else if (r->rq.taker)
        r->rq.taker->piece(r->ctx, bytes);
    else
        buf_add_str(&r->payload, bytes);
}

void instance_stream_end(struct instance *in)
{
    if (in->state == INST_BUSY && !in->run->is_over)
        in->run->outcome = OUTCOME_OK;
    instance_event(in, EV_ANSWER);
}

void instance_stream_truncated(struct instance *in)
{
    struct run *r = in->run;

    if (!r->is_over) {
        report_platform_error(r, "Runtime.TruncatedResponse", STR("The response was cut off"));
        r->outcome = OUTCOME_ERROR;
    }
    instance_event(in, EV_ANSWER);
}

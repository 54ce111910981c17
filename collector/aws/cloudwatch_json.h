/* Inside of collector/aws/: the state of a walk over CloudWatch JSON, shared with the unpacking of
 * envelopes. */
#ifndef FNSCOPE_COLLECTOR_AWS_CLOUDWATCH_JSON_H
#define FNSCOPE_COLLECTOR_AWS_CLOUDWATCH_JSON_H

#include "collector/event.h"
#include "core/base/intern.h"

struct cw_state {
    struct event_maker maker;
    struct intern names; /* of groups and streams: they outlive a batch */
    unsigned mode;       /* where the walk stands */
    struct str owner, log_group, stream;
    struct decode_mark document; /* where the open document began */
    bool is_control, has_context, has_events;
    bool is_nested; /* a document out of an envelope */
};

enum status cw_decode(void *state, const struct decode_input *in, struct batch *out, size_t *used,
                      struct err *e);

/* `raw` is the value of awslogs, Records or records: finds each base64 "data" in it, unpacks gzip,
 * and decodes the envelope inside. What cannot be unpacked is quarantined. */
void envelope_unpack(struct cw_state *s, const struct decode_input *in, struct str raw,
                     struct batch *out);

#endif

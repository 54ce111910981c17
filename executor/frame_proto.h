/* The private protocol between fnexec and its own bootstraps: length-prefixed frames on two
 * inherited pipes (the function reads descriptor 3 and writes descriptor 4). One request at a time;
 * it costs one write and one read a side, where the HTTP Runtime API costs two exchanges. Pipes,
 * not a socket: reading a stream socket wakes whoever sleeps at its other end, once more and for
 * nothing.
 *
 *   frame   = u32 length of what follows, little endian | u8 type | payload
 *   'I' invoke      to the function: i64 deadline (epoch ms, little endian), then five fields
 * (request id, invoked ARN, trace header, client context, Cognito identity), then the event 'R'
 * ready       to the executor: initialization is done (once) 'O' response    to the executor: what
 * the handler returned 'S' streamed    to the executor: field content type, then what the handler
 * streamed 'E' error       to the executor: field error type, then JSON {errorMessage, errorType,
 * stackTrace} 'X' init error  to the executor: as 'E', instead of 'R' 'L' log         to the
 * executor: one log event, which may hold line feeds
 *
 *   field = u32 length | bytes
 *
 * Pure: bytes in, frames out. */
#ifndef FNSCOPE_EXECUTOR_FRAME_PROTO_H
#define FNSCOPE_EXECUTOR_FRAME_PROTO_H

#include "core/base/buf.h"

#define FRAME_MAX_BYTES ((size_t)(6 << 20) + 4096)

enum frame_type {
    FRAME_INVOKE = 'I',
    FRAME_READY = 'R',
    FRAME_RESPONSE = 'O',
    FRAME_ERROR = 'E',
    FRAME_INIT_ERROR = 'X',
    FRAME_LOG = 'L',
    FRAME_STREAMED = 'S' /* in place of a response */
};

struct frame_invoke {
    int64_t deadline_ms;
    struct str request_id, arn, trace, client_context, identity, event;
};
void frame_add_invoke(struct buf *out, const struct frame_invoke *f);
void frame_add(struct buf *out, enum frame_type type, struct str payload);

/* Cuts the first whole frame off *in. False when more bytes are needed; *is_broken when the stream
 * cannot be followed any more (a length of 0 or over the maximum). */
bool frame_next(struct str *in, enum frame_type *type, struct str *payload, bool *is_broken);
/* Cuts a field off a payload; false when it is shorter than it says. */
bool frame_field(struct str *payload, struct str *field);

#endif

/* The private protocol between fnexec and its own bootstraps: length-prefixed frames on two
 * inherited pipes (the function reads descriptor 3 and writes descriptor 4). One request at a time;
 * it costs one write and one read a side, where the HTTP Runtime API costs two exchanges. Pipes,
 * not a socket: reading a stream socket wakes whoever sleeps at its other end, once more and for
 * nothing.
 *
 *   frame = u32 length of what follows, little endian | u8 type | payload
 *
 * to the function
 *   'I' invoke      i64 deadline (epoch ms, little endian), then five fields (request id, invoked
 * ARN, trace header, client context, Cognito identity), then the event 'K' taken       u32: so many
 * bytes of the stream's pieces were taken off to the executor 'R' ready       initialization is
 * done (once) 'O' response    what the handler returned 'E' error       field error type, then JSON
 * {errorMessage, errorType, stackTrace} 'S' stream      in place of 'O' a stream begins, of this
 * content type 'P' piece       of the stream. At most FRAME_WINDOW_BYTES may be under way: whoever
 * streams counts what it sent and what 'K' says, from 0 for each invocation 'Z' stream end  the
 * invocation has its answer; 'E' in its place says that it failed 'X' init error  as 'E', instead
 * of 'R' 'L' log         one log event, which may hold line feeds
 *
 *   field = u32 length | bytes
 *
 * Pure: bytes in, frames out. */
#ifndef FNSCOPE_EXECUTOR_FRAME_PROTO_H
#define FNSCOPE_EXECUTOR_FRAME_PROTO_H

#include "core/base/buf.h"

#define FRAME_MAX_BYTES    ((size_t)(6 << 20) + 4096)
#define FRAME_WINDOW_BYTES ((size_t)256 << 10)

enum frame_type {
    FRAME_INVOKE = 'I',
    FRAME_READY = 'R',
    FRAME_RESPONSE = 'O',
    FRAME_ERROR = 'E',
    FRAME_INIT_ERROR = 'X',
    FRAME_LOG = 'L',
    FRAME_STREAM = 'S',
    FRAME_PIECE = 'P',
    FRAME_STREAM_END = 'Z',
    FRAME_TAKEN = 'K'
};

struct frame_invoke {
    int64_t deadline_ms;
    struct str request_id, arn, trace, client_context, identity, event;
};
void frame_add_invoke(struct buf *out, const struct frame_invoke *f);
void frame_add_taken(struct buf *out, size_t n);
void frame_add(struct buf *out, enum frame_type type, struct str payload);

/* Cuts the first whole frame off *in. False when more bytes are needed; *is_broken when the stream
 * cannot be followed any more (a length of 0 or over the maximum). */
bool frame_next(struct str *in, enum frame_type *type, struct str *payload, bool *is_broken);
/* Cuts a field off a payload; false when it is shorter than it says. */
bool frame_field(struct str *payload, struct str *field);

#endif

/* Frames of application/vnd.amazon.eventstream, as AWS writes them (Smithy specification, "Amazon
 * Event Stream"): u32 total, u32 headers, u32 CRC-32 of those eight bytes, headers, payload, u32
 * CRC-32 of all before; big endian. A header is u8 length, name, u8 7 (a text), u16 length, value.
 * Pure. */
#ifndef FNSCOPE_EXECUTOR_EVENT_STREAM_H
#define FNSCOPE_EXECUTOR_EVENT_STREAM_H

#include "core/base/buf.h"

/* One event. content_type NULL: none, of an event without payload. */
void event_stream_add(struct buf *out, const char *event_type, const char *content_type,
                      struct str payload);

#endif

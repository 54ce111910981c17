/* Frames to bytes and back. */
#include "executor/frame_proto.h"

#include <string.h>

static void add_u32(struct buf *out, size_t v)
{
    const unsigned char b[4] = {(unsigned char)v, (unsigned char)(v >> 8), (unsigned char)(v >> 16),
                                (unsigned char)(v >> 24)};

    buf_add(out, b, sizeof(b));
}

static size_t get_u32(const char *p)
{
    unsigned char b[4];

    memcpy(b, p, sizeof(b));
    return (size_t)b[0] | (size_t)b[1] << 8 | (size_t)b[2] << 16 | (size_t)b[3] << 24;
}

static void add_field(struct buf *out, struct str s)
{
    add_u32(out, s.n);
    buf_add_str(out, s);
}

void frame_add(struct buf *out, enum frame_type type, struct str payload)
{
    add_u32(out, payload.n + 1);
    buf_add_c(out, (char)type);
    buf_add_str(out, payload);
}

void frame_add_taken(struct buf *out, size_t n)
{
    add_u32(out, 1 + 4);
    buf_add_c(out, FRAME_TAKEN);
    add_u32(out, n);
}

void frame_add_invoke(struct buf *out, const struct frame_invoke *f)
{
    size_t n = 1 + 8 + 5 * 4 + f->request_id.n + f->arn.n + f->trace.n + f->client_context.n +
               f->identity.n + f->event.n;

    buf_reserve(out, n + 4);
    add_u32(out, n);
    buf_add_c(out, (char)FRAME_INVOKE);
    add_u32(out, (size_t)(f->deadline_ms & 0xffffffff));
    add_u32(out, (size_t)(f->deadline_ms >> 32));
    add_field(out, f->request_id);
    add_field(out, f->arn);
    add_field(out, f->trace);
    add_field(out, f->client_context);
    add_field(out, f->identity);
    buf_add_str(out, f->event);
}

bool frame_next(struct str *in, enum frame_type *type, struct str *payload, bool *is_broken)
{
    *is_broken = false;
    if (in->n < 4)
        return false;
    size_t n = get_u32(in->p);
    if (n == 0 || n > FRAME_MAX_BYTES) {
        *is_broken = true;
        return false;
    }
    if (in->n < 4 + n)
        return false;
    *type = (enum frame_type)(unsigned char)in->p[4];
    *payload = str_sub(*in, 5, n - 1);
    *in = str_skip(*in, 4 + n);
    return true;
}

bool frame_field(struct str *payload, struct str *field)
{
    if (payload->n < 4)
        return false;
    size_t n = get_u32(payload->p);
    if (payload->n - 4 < n)
        return false;
    *field = str_sub(*payload, 4, n);
    *payload = str_skip(*payload, 4 + n);
    return true;
}

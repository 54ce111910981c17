/* Subscription envelopes packed into the records of other services: the Lambda event
 * {"awslogs":{"data":base64(gzip)}}, Kinesis {"Records":[{"kinesis":{"data":..}}]} or get-records
 * {"Records":[{"Data":..}]}, Firehose {"records":[{"data":..}]}. Sizes are bounded. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "collector/aws/cloudwatch_json.h"
#include "core/base/base64.h"
#include "core/base/compress.h"
#include "core/base/jsonpull.h"
#include "core/base/mem.h"

enum {
    MAX_PACKED = 8 << 20,    /* base64 of one record: Kinesis allows 1 MB, Lambda events 6 MB */
    MAX_UNPACKED = 64 << 20, /* one subscription record unpacked is a few MB; beyond is a bomb */
};

static enum status inflate(struct str packed, struct buf *out, struct err *e)
{
    struct unpacker *u = unpacker_new(codec_detect(packed));
    enum status s = OK;

    while (s == OK && packed.n > 0 && !out->is_full && out->n < MAX_UNPACKED)
        s = unpacker_feed(u, &packed, out, MAX_UNPACKED, e);
    if (s == OK && packed.n > 0)
        s = err_set(e, ERR_LIMIT, "it unpacks to more than 64 MB");
    if (s == OK)
        s = unpacker_finish(u, e);
    unpacker_free(u);
    return s;
}

static void decode_inner(struct cw_state *s, const struct decode_input *in, struct str text,
                         struct batch *out)
{
    struct cw_state *inner = xcalloc(1, sizeof(*inner));
    struct decode_input piece = *in;
    size_t used;

    assert(!s->is_nested);
    inner->is_nested = true;
    inner->maker.n_events = s->maker.n_events;
    piece.bytes = arena_str(&out->arena, text);
    piece.is_last = true;
    event_maker_meet(&s->maker, out);
    /* The envelope's own place stands for its events: there reading can begin again. */
    if (cw_decode(inner, &piece, out, &used, NULL) == OK)
        s->maker.n_events = inner->maker.n_events;
    s->maker.run_mark = s->document;
    event_maker_clear(&inner->maker);
    intern_clear(&inner->names);
    free(inner);
}

static void unpack_one(struct cw_state *s, const struct decode_input *in, struct str data,
                       struct batch *out)
{
    AUTO(buf_clear) struct buf packed, text;
    struct err e = {0};

    buf_init(&packed, MAX_PACKED);
    buf_init(&text, MAX_UNPACKED + (1 << 20));
    if (base64_parse(data, &packed, &e) != OK || inflate(buf_str(&packed), &text, &e) != OK) {
        struct str reason =
            arena_printf(&out->arena, "a record that cannot be unpacked: %s", e.msg);
        struct str place = arena_printf(&out->arena, STR_FMT ":%llu", STR_ARG(in->path),
                                        (unsigned long long)s->document.offset);
        batch_quarantine(out, place, reason, data);
        return;
    }
    if (!s->is_nested)
        decode_inner(s, in, buf_str(&text), out);
}

void envelope_unpack(struct cw_state *s, const struct decode_input *in, struct str raw,
                     struct batch *out)
{
    struct jp j;
    struct str key, data;
    unsigned depth = 0;
    bool is_array[4] = {false};

    /* Walks objects and arrays to a depth of four, enough for Records[].kinesis.data. */
    jp_init(&j, raw, &out->arena);
    if (!jp_enter(&j, '{') && !(is_array[0] = jp_enter(&j, '[')))
        return;
    while (j.error == NULL) {
        bool has_item = is_array[depth] ? jp_element(&j) : jp_member(&j, &key);
        if (!has_item) {
            if (depth-- == 0)
                return;
            continue;
        }
        bool is_data = !is_array[depth] && str_eq_nocase(key, STR("data"));
        enum jp_type type = jp_peek(&j);
        if (is_data && type == JP_STRING) {
            if (jp_string(&j, &data))
                unpack_one(s, in, data, out);
        } else if ((type == JP_OBJECT || type == JP_ARRAY) && depth + 1 < ARRAY_LEN(is_array)) {
            depth++;
            is_array[depth] = type == JP_ARRAY;
            jp_enter(&j, type == JP_ARRAY ? '[' : '{');
        } else {
            jp_skip(&j);
        }
    }
}

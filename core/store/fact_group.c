/* A group of facts as bytes: each fact as what differs from the one before. Most of a fact is its
 * random request id; the rest takes some 25 bytes. Pure.
 *
 * Fact: varint of F_ bits; varint time since the one before; request id; then, as the bits say,
 * what changed. Times are whole microseconds doubled, or nanoseconds doubled plus one. */
#include <assert.h>
#include <string.h>

#include "core/store/fact_store.h"

enum {
    F_STREAM = 1 << 0,   /* svarint: difference */
    F_TRACE = 1 << 1,    /* 16 bytes */
    F_PIECES = 1 << 2,   /* varint: mask of the bytes that differ from the last pieces; those */
    F_BILLED = 1 << 3,   /* svarint: ms beyond the duration rounded up */
    F_KIND = 1 << 4,     /* varint, like the next ones the new value */
    F_MEMORY = 1 << 5,   /* varint */
    F_EVIDENCE = 1 << 6, /* varint */
    F_INIT = 1 << 7,     /* varint: time */
    F_ERROR = 1 << 8,    /* varint */
    F_VERSION = 1 << 9,  /* varint */
    F_STORAGE = 1 << 10, /* varint */
    F_TEXT_ID = 1 << 11, /* the request id is a varint length and its text, not 16 bytes */
    F_TEXT_TRACE = 1 << 12,
    F_ALL_PIECES = 1 << 13, /* varint length, bytes */
    F_EXTRA = 1 << 14,      /* varint restore ns, svarint lead ns */
    F_RESTORED = 1 << 15,   /* varint: what the restore costs, 10^-12; since migration 10 */
    F_END = 1 << 16,
};

/* Arithmetic wraps: what is read may be anything. */
static uint64_t time_pack(int64_t ns)
{
    return ns % NS_PER_US == 0 ? (uint64_t)(ns / NS_PER_US) * 2 : (uint64_t)ns * 2 + 1;
}

static int64_t time_unpack(uint64_t v)
{
    int64_t half = (int64_t)v >> 1;

    return v & 1 ? half : (int64_t)((uint64_t)half * (uint64_t)NS_PER_US);
}

static int64_t difference(uint64_t a, uint64_t b)
{
    return (int64_t)(a - b);
}

/* What is billed as a rule: the duration in whole milliseconds. */
static int64_t expected_ms(int64_t duration_ns)
{
    return duration_ns / NS_PER_MS + (duration_ns % NS_PER_MS > 0);
}

/* --- writing --- */

void group_reset(struct group_writer *w)
{
    w->data.max = (size_t)1 << 30;
    buf_reset(&w->data);
    w->n = 0;
    w->last = (struct fact){0};
    w->pieces.n = 0;
}

bool group_is_full(const struct group_writer *w)
{
    return w->n == GROUP_FACTS || w->data.n >= GROUP_BYTES;
}

struct stored_id {
    uint8_t bytes[16];
    struct str as; /* the bytes or the text */
    bool is_packed;
};

static void store_id(struct stored_id *to, struct str id, bool is_packed,
                     bool (*pack)(struct str, uint8_t[16]))
{
    to->is_packed = is_packed || pack(id, to->bytes);
    to->as = to->is_packed && !is_packed ? (struct str){(const char *)to->bytes, 16} : id;
}

static void add_id(struct buf *out, const struct stored_id *id)
{
    if (!id->is_packed)
        buf_add_varint(out, id->as.n);
    buf_add_str(out, id->as);
}

static unsigned flags_of(const struct fact *f, const struct fact *last)
{
    unsigned flags = 0;

    flags |= f->stream != last->stream ? F_STREAM : 0;
    flags |= f->kind != last->kind ? F_KIND : 0;
    flags |= f->billed_ns / NS_PER_MS != expected_ms(f->duration_ns) ? F_BILLED : 0;
    flags |= f->init_ns != 0 ? F_INIT : 0;
    flags |= f->memory_mb != last->memory_mb ? F_MEMORY : 0;
    flags |= f->evidence != last->evidence ? F_EVIDENCE : 0;
    flags |= f->error_type != last->error_type ? F_ERROR : 0;
    flags |= f->version != last->version ? F_VERSION : 0;
    flags |= f->storage_mb != last->storage_mb ? F_STORAGE : 0;
    flags |= f->restore_ns != 0 || f->lead_ns != 0 ? F_EXTRA : 0;
    flags |= f->cost_restore != 0 ? F_RESTORED : 0;
    return flags;
}

static void keep_pieces(struct last_pieces *last, struct str pieces)
{
    last->n = pieces.n <= PIECES_KEPT ? pieces.n : 0;
    if (last->n > 0)
        memcpy(last->bytes, pieces.p, last->n);
}

static unsigned pieces_flag(struct str pieces, const struct last_pieces *last)
{
    if (pieces.n == 0)
        return 0;
    return pieces.n == last->n ? F_PIECES : F_ALL_PIECES;
}

static void add_pieces(struct buf *out, struct str pieces, const struct last_pieces *last)
{
    uint64_t mask = 0;

    if (pieces_flag(pieces, last) == F_ALL_PIECES) {
        buf_add_varint(out, pieces.n);
        buf_add_str(out, pieces);
        return;
    }
    for (size_t i = 0; i < pieces.n; i++)
        mask |= (uint64_t)(pieces.p[i] != last->bytes[i]) << i;
    buf_add_varint(out, mask);
    for (size_t i = 0; i < pieces.n; i++)
        if (mask >> i & 1)
            buf_add_c(out, pieces.p[i]);
}

static void add_changes(struct buf *out, const struct fact *f, const struct fact *last,
                        unsigned flags)
{
    const struct {
        unsigned flag;
        uint64_t value;
    } changes[] = {
        {F_KIND, f->kind},          {F_INIT, time_pack(f->init_ns)}, {F_MEMORY, f->memory_mb},
        {F_EVIDENCE, f->evidence},  {F_ERROR, f->error_type},        {F_VERSION, f->version},
        {F_STORAGE, f->storage_mb},
    };

    if (flags & F_STREAM)
        buf_add_svarint(out, difference(f->stream, last->stream));
    buf_add_varint(out, time_pack(f->duration_ns));
    if (flags & F_BILLED)
        buf_add_svarint(out, f->billed_ns / NS_PER_MS - expected_ms(f->duration_ns));
    buf_add_svarint(out, difference(f->used_mb, last->used_mb));
    buf_add_svarint(out, f->cost);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++)
        if (flags & changes[i].flag)
            buf_add_varint(out, changes[i].value);
}

void group_add(struct group_writer *w, const struct fact *f)
{
    struct stored_id id, trace = {0};
    unsigned flags = flags_of(f, &w->last);

    assert(w->n == 0 || f->ts_ns >= w->t1_ns);
    if (w->n == 0)
        w->t0_ns = w->t1_ns = f->ts_ns;
    store_id(&id, f->id, f->id_is_packed, id_pack);
    flags |= id.is_packed ? 0 : F_TEXT_ID;
    if (f->trace.n > 0) {
        store_id(&trace, f->trace, f->trace_is_packed, trace_pack);
        flags |= trace.is_packed ? F_TRACE : F_TEXT_TRACE;
    }
    flags |= pieces_flag(f->pieces, &w->pieces);
    buf_add_varint(&w->data, flags);
    buf_add_varint(&w->data, time_pack(f->ts_ns - w->t1_ns));
    add_id(&w->data, &id);
    add_changes(&w->data, f, &w->last, flags);
    if (f->trace.n > 0)
        add_id(&w->data, &trace);
    if (f->pieces.n > 0)
        add_pieces(&w->data, f->pieces, &w->pieces);
    if (flags & F_EXTRA) {
        buf_add_varint(&w->data, (uint64_t)f->restore_ns);
        buf_add_svarint(&w->data, f->lead_ns);
    }
    if (flags & F_RESTORED)
        buf_add_varint(&w->data, (uint64_t)f->cost_restore);
    keep_pieces(&w->pieces, f->pieces);
    w->last = *f;
    w->t1_ns = f->ts_ns;
    w->n++;
}

/* --- reading --- */

void group_open(struct group_reader *r, uint32_t fn, struct range bounds, struct str data)
{
    *r = (struct group_reader){.in = {.rest = data},
                               .last = {.fn = fn, .ts_ns = bounds.since_ns},
                               .t1_ns = bounds.until_ns};
}

static uint32_t read_u32(struct varint_reader *in)
{
    uint64_t v = varint_read(in);

    in->is_bad = in->is_bad || v > UINT32_MAX;
    return (uint32_t)v;
}

static struct str read_text(struct varint_reader *in)
{
    return bytes_read(in, varint_read(in));
}

/* Long pieces stay views into the data; short ones are put together in the reader. */
static void read_pieces(struct group_reader *r, uint64_t flags, struct fact *f)
{
    f->pieces = flags & F_ALL_PIECES ? read_text(&r->in) : (struct str){0};
    if (flags & F_PIECES) {
        uint64_t mask = varint_read(&r->in);
        for (size_t i = 0; i < r->pieces.n; i++)
            if (mask >> i & 1) {
                struct str byte = bytes_read(&r->in, 1);
                r->pieces.bytes[i] = byte.n > 0 ? byte.p[0] : 0;
            }
        f->pieces = (struct str){r->pieces.bytes, r->pieces.n};
        if (r->keep)
            f->pieces = arena_str(r->keep, f->pieces);
        return;
    }
    keep_pieces(&r->pieces, f->pieces);
}

static void read_changes(struct varint_reader *in, struct fact *f, unsigned flags)
{
    if (flags & F_STREAM)
        f->stream = (uint32_t)(f->stream + (uint64_t)svarint_read(in));
    f->duration_ns = time_unpack(varint_read(in));
    uint64_t billed_ms = (uint64_t)expected_ms(f->duration_ns);
    if (flags & F_BILLED)
        billed_ms += (uint64_t)svarint_read(in);
    f->billed_ns = (int64_t)(billed_ms * (uint64_t)NS_PER_MS);
    f->used_mb += (uint64_t)svarint_read(in);
    f->cost = svarint_read(in);
    if (flags & F_KIND)
        f->kind = read_u32(in);
    f->init_ns = flags & F_INIT ? time_unpack(varint_read(in)) : 0;
    if (flags & F_MEMORY)
        f->memory_mb = varint_read(in);
    if (flags & F_EVIDENCE)
        f->evidence = read_u32(in);
    if (flags & F_ERROR)
        f->error_type = read_u32(in);
    if (flags & F_VERSION)
        f->version = read_u32(in);
    if (flags & F_STORAGE)
        f->storage_mb = varint_read(in);
}

static void read_fact(struct group_reader *r, struct fact *f)
{
    struct varint_reader *in = &r->in;
    uint64_t flags = varint_read(in);

    if (flags >= F_END)
        in->is_bad = true;
    f->ts_ns = (int64_t)((uint64_t)f->ts_ns + (uint64_t)time_unpack(varint_read(in)));
    f->id_is_packed = !(flags & F_TEXT_ID);
    f->id = f->id_is_packed ? bytes_read(in, 16) : read_text(in);
    read_changes(in, f, (unsigned)flags);
    f->trace_is_packed = flags & F_TRACE;
    f->trace = f->trace_is_packed     ? bytes_read(in, 16)
               : flags & F_TEXT_TRACE ? read_text(in)
                                      : (struct str){0};
    read_pieces(r, flags, f);
    f->restore_ns = flags & F_EXTRA ? (int64_t)varint_read(in) : 0;
    f->lead_ns = flags & F_EXTRA ? svarint_read(in) : 0;
    f->cost_restore = flags & F_RESTORED ? (money)varint_read(in) : 0;
}

bool group_next(struct group_reader *r, struct fact *f)
{
    int64_t before_ns = r->last.ts_ns;

    if (r->in.is_bad || r->in.rest.n == 0)
        return false;
    read_fact(r, &r->last);
    if (r->last.ts_ns < before_ns || r->last.ts_ns > r->t1_ns || !fact_kind_is_right(r->last.kind))
        r->in.is_bad = true;
    if (r->in.is_bad)
        return false;
    *f = r->last;
    return true;
}

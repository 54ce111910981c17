/* The pieces of one attempt as the bytes a row keeps. Ten bytes for the usual START, END, REPORT
 * (13 where ids of events tell when the START arrived):
 * what the row's columns say is not said again. All numbers are varints.
 *
 *   per piece   kind and flags; time since the start (signed; even: ms, odd: ns);
 *               FLAG_HAS      has; the numbers are the row's
 *               FLAG_NUMBERS  has, duration, billed, init, restore, memory, max memory
 *               FLAG_TEXTS    status, error type, version, trace id, each with its length;
 *                             FLAG_VERSION, FLAG_TRACE: the row's, and empty here
 *               FLAG_ARRIVAL  arrival */
#include "analyzer/assembly.h"

#include <assert.h>

#include "core/base/clock.h"

enum {
    KIND_BITS = 7,
    FLAG_HAS = 1 << 3,
    FLAG_VERSION = 1 << 4,
    FLAG_TRACE = 1 << 5,
    FLAG_NUMBERS = 1 << 6,
    FLAG_TEXTS = 1 << 7,
    FLAG_KILLED = 1 << 8,
    FLAG_BORROWED = 1 << 9,
    FLAG_GUESSED = 1 << 10,
    FLAG_ARRIVAL = 1 << 11,
};
_Static_assert(PIECE_KINDS <= KIND_BITS + 1, "a kind has three bits");

#define MB_BYTES (UINT64_C(1) << 20)

/* --- encoding --- */

/* The row keeps whole milliseconds of billed time and whole MB. */
static bool says_the_same(const struct piece *p, const struct invocation *inv)
{
    return p->duration_ns == inv->duration_ns && p->billed_ns == inv->billed_ns &&
           p->init_ns == inv->init_ns && p->restore_ns == inv->restore_ns &&
           p->memory_bytes == inv->memory_bytes && p->max_memory_bytes == inv->max_memory_bytes &&
           p->billed_ns % NS_PER_MS == 0 && p->memory_bytes % MB_BYTES == 0 &&
           p->max_memory_bytes % MB_BYTES == 0;
}

static bool is_without_numbers(const struct piece *p)
{
    return p->has == 0 && p->duration_ns == 0 && p->billed_ns == 0 && p->init_ns == 0 &&
           p->restore_ns == 0 && p->memory_bytes == 0 && p->max_memory_bytes == 0;
}

static void add_numbers(struct buf *out, const struct piece *p)
{
    const int64_t numbers[] = {p->duration_ns,
                               p->billed_ns,
                               p->init_ns,
                               p->restore_ns,
                               (int64_t)p->memory_bytes,
                               (int64_t)p->max_memory_bytes};

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        buf_add_svarint(out, numbers[i]);
}

static void add_text(struct buf *out, struct str s)
{
    buf_add_varint(out, s.n);
    buf_add_str(out, s);
}

static unsigned time_flags(const struct piece *p)
{
    return (p->is_time_borrowed ? FLAG_BORROWED : 0u) | (p->is_time_guessed ? FLAG_GUESSED : 0u) |
           (p->arrival > 0 ? FLAG_ARRIVAL : 0u);
}

static unsigned flags_of(const struct piece *p, const struct invocation *inv)
{
    unsigned flags = time_flags(p) | (p->was_killed ? FLAG_KILLED : 0u);

    if (!is_without_numbers(p))
        flags |= says_the_same(p, inv) ? FLAG_HAS : FLAG_NUMBERS;
    if (p->version.n > 0 && str_eq(p->version, inv->version))
        flags |= FLAG_VERSION;
    if (p->trace_id.n > 0 && str_eq(p->trace_id, inv->trace_id))
        flags |= FLAG_TRACE;
    if (p->status.n > 0 || p->error_type.n > 0 || (p->version.n > 0 && !(flags & FLAG_VERSION)) ||
        (p->trace_id.n > 0 && !(flags & FLAG_TRACE)))
        flags |= FLAG_TEXTS;
    return flags;
}

static void encode_piece(const struct piece *p, const struct invocation *inv, struct buf *out)
{
    unsigned flags = flags_of(p, inv);
    int64_t after_ns = p->t_ns - inv->start_ns;

    buf_add_varint(out, (unsigned)p->kind | flags);
    buf_add_svarint(out, after_ns % NS_PER_MS == 0 ? after_ns / NS_PER_MS * 2 : after_ns * 2 + 1);
    if (flags & (FLAG_NUMBERS | FLAG_HAS))
        buf_add_varint(out, p->has);
    if (flags & FLAG_NUMBERS)
        add_numbers(out, p);
    if (flags & FLAG_TEXTS) {
        add_text(out, p->status);
        add_text(out, p->error_type);
        add_text(out, flags & FLAG_VERSION ? (struct str){0} : p->version);
        add_text(out, flags & FLAG_TRACE ? (struct str){0} : p->trace_id);
    }
    if (flags & FLAG_ARRIVAL)
        buf_add_varint(out, p->arrival);
}

void pieces_encode(const struct pieces *p, const struct attempt *at, const struct invocation *inv,
                   struct buf *out)
{
    assert(at->from < at->to && at->to <= p->n);
    for (size_t i = at->from; i < at->to; i++)
        encode_piece(&p->rows[i], inv, out);
}

/* --- decoding --- */

struct reader {
    struct str rest;
    bool is_bad;
};

static uint64_t cut_varint(struct reader *r)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (r->rest.n == 0)
            break;
        uint64_t byte = (unsigned char)r->rest.p[0];
        r->rest = str_skip(r->rest, 1);
        v |= (byte & 0x7F) << shift;
        if (byte < 0x80)
            return v;
    }
    r->is_bad = true;
    return 0;
}

static int64_t cut_svarint(struct reader *r)
{
    uint64_t v = cut_varint(r);

    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static struct str cut_text(struct reader *r)
{
    uint64_t n = cut_varint(r);

    r->is_bad = r->is_bad || n > r->rest.n;
    if (r->is_bad)
        return (struct str){0};
    struct str s = str_sub(r->rest, 0, (size_t)n);
    r->rest = str_skip(r->rest, (size_t)n);
    return s;
}

/* Sums of two such numbers and a time of day cannot overflow. */
#define LARGEST (INT64_MAX / 4)

static int64_t cut_number(struct reader *r)
{
    int64_t v = cut_svarint(r);

    r->is_bad = r->is_bad || v < 0 || v > LARGEST;
    return r->is_bad ? 0 : v;
}

static void cut_numbers(struct reader *r, struct piece *p)
{
    p->duration_ns = cut_number(r);
    p->billed_ns = cut_number(r);
    p->init_ns = cut_number(r);
    p->restore_ns = cut_number(r);
    p->memory_bytes = (uint64_t)cut_number(r);
    p->max_memory_bytes = (uint64_t)cut_number(r);
}

static void copy_numbers(const struct invocation *inv, struct piece *p)
{
    p->duration_ns = inv->duration_ns;
    p->billed_ns = inv->billed_ns;
    p->init_ns = inv->init_ns;
    p->restore_ns = inv->restore_ns;
    p->memory_bytes = inv->memory_bytes;
    p->max_memory_bytes = inv->max_memory_bytes;
}

/* Times beyond what a line may carry would only come of damage: they must not overflow. */
static int64_t cut_time(struct reader *r, int64_t start_ns)
{
    int64_t v = cut_svarint(r), t_ns;
    bool is_bad = v % 2 != 0 ? __builtin_add_overflow(start_ns, (v - 1) / 2, &t_ns)
                             : __builtin_mul_overflow(v / 2, NS_PER_MS, &t_ns) ||
                                   __builtin_add_overflow(start_ns, t_ns, &t_ns);

    r->is_bad = r->is_bad || is_bad || t_ns < -LARGEST || t_ns > LARGEST;
    return r->is_bad ? 0 : t_ns;
}

static struct piece decode_piece(struct reader *r, const struct invocation *inv)
{
    uint64_t flags = cut_varint(r);
    struct piece p = {.kind = (enum piece_kind)(flags & KIND_BITS)};

    r->is_bad = r->is_bad || p.kind >= PIECE_KINDS;
    p.was_killed = (flags & FLAG_KILLED) != 0;
    p.is_time_borrowed = (flags & FLAG_BORROWED) != 0;
    p.is_time_guessed = (flags & FLAG_GUESSED) != 0;
    p.t_ns = cut_time(r, inv->start_ns);
    if (flags & (FLAG_NUMBERS | FLAG_HAS))
        p.has = (unsigned)cut_varint(r);
    if (flags & FLAG_NUMBERS)
        cut_numbers(r, &p);
    else if (flags & FLAG_HAS)
        copy_numbers(inv, &p);
    if (flags & FLAG_TEXTS) {
        p.status = cut_text(r);
        p.error_type = cut_text(r);
        p.version = cut_text(r);
        p.trace_id = cut_text(r);
    }
    if (flags & FLAG_ARRIVAL)
        p.arrival = (uint16_t)cut_varint(r);
    if (flags & FLAG_TRACE)
        p.trace_id = inv->trace_id;
    if (flags & FLAG_VERSION)
        p.version = inv->version;
    return p;
}

/* What the columns say of a row whose pieces are not known. */
static void decode_columns(const struct invocation *inv, piece_fn *add, void *ctx)
{
    struct piece report = {.kind = PIECE_REPORT,
                           .t_ns = inv->start_ns + inv->duration_ns,
                           .has = PH_DURATION,
                           .trace_id = inv->trace_id};
    const struct piece start = {
        .kind = PIECE_START, .t_ns = inv->start_ns, .version = inv->version};

    copy_numbers(inv, &report);
    report.has |= inv->evidence & EV_NO_BILLING ? 0 : PH_BILLED;
    report.has |= inv->init_ns > 0 ? PH_INIT : 0;
    report.has |= inv->restore_ns > 0 ? PH_RESTORE : 0;
    if (inv->evidence & EV_START)
        add(ctx, &start);
    if (inv->evidence & EV_REPORT)
        add(ctx, &report);
}

void pieces_decode(const struct invocation *inv, piece_fn *add, void *ctx)
{
    struct reader check = {.rest = inv->pieces}, r = {.rest = inv->pieces};

    while (check.rest.n > 0 && !check.is_bad)
        decode_piece(&check, inv);
    if (check.is_bad || inv->pieces.n == 0) {
        decode_columns(inv, add, ctx);
        return;
    }
    while (r.rest.n > 0) {
        struct piece p = decode_piece(&r, inv);
        add(ctx, &p);
    }
}

/* A fact between struct invocation and its row. Ids are packed: a UUID is 16 bytes, a trace id
 * likewise; what has another form is kept as text, so nothing is lost. Rare members ride in one
 * blob. */
#include <assert.h>
#include <string.h>

#include "core/base/crypto.h"
#include "core/store/store_private.h"

/* --- ids --- */

#define UUID_LENGTH  36
#define TRACE_LENGTH 35 /* "1-8hex-24hex" */

static const uint8_t uuid_groups[] = {8, 4, 4, 4, 12};

/* Value + 1 of a lower-case hex digit, 0 for any other byte: upper case would not come back as it
 * was. */
static const uint8_t hex_digit[256] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

/* n bytes from 2 n digits. */
static bool digits_pack(const char *p, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        unsigned high = hex_digit[(unsigned char)p[2 * i]];
        unsigned low = hex_digit[(unsigned char)p[2 * i + 1]];
        if (high == 0 || low == 0)
            return false;
        out[i] = (uint8_t)((high - 1) << 4 | (low - 1));
    }
    return true;
}

/* Hex groups joined by '-' to bytes; the caller knows that s is as long as they are together. */
static bool groups_pack(struct str s, const uint8_t *groups, size_t n_groups, uint8_t *out)
{
    const char *p = s.p;

    for (size_t i = 0; i < n_groups; i++) {
        if (i > 0 && *p++ != '-')
            return false;
        if (!digits_pack(p, groups[i] / 2u, out))
            return false;
        p += groups[i];
        out += groups[i] / 2u;
    }
    assert(p == s.p + s.n);
    return true;
}

static struct str groups_unpack(struct str blob, const char *prefix, const uint8_t *groups,
                                size_t n_groups, struct arena *a)
{
    AUTO(buf_clear) struct buf text = {.max = 64};
    const uint8_t *p = (const uint8_t *)blob.p;

    buf_add_z(&text, prefix);
    for (size_t i = 0; i < n_groups; i++) {
        buf_add_z(&text, i ? "-" : "");
        hex_add(&text, p, groups[i] / 2u);
        p += groups[i] / 2u;
    }
    return arena_str(a, buf_str(&text));
}

bool id_pack(struct str id, uint8_t out[16])
{
    return id.n == UUID_LENGTH && groups_pack(id, uuid_groups, ARRAY_LEN(uuid_groups), out);
}

struct str id_unpack(struct str blob, struct arena *a)
{
    if (blob.n != 16)
        return arena_str(a, blob);
    return groups_unpack(blob, "", uuid_groups, ARRAY_LEN(uuid_groups), a);
}

static const uint8_t trace_groups[] = {8, 24};

bool trace_pack(struct str trace, uint8_t out[16])
{
    return trace.n == TRACE_LENGTH && str_starts(trace, STR("1-")) &&
           groups_pack(str_skip(trace, 2), trace_groups, ARRAY_LEN(trace_groups), out);
}

struct str trace_unpack(struct str blob, struct arena *a)
{
    if (blob.n != 16)
        return arena_str(a, blob);
    return groups_unpack(blob, "1-", trace_groups, ARRAY_LEN(trace_groups), a);
}

/* The first four bytes of a UUID, so that a prefix of its text is a range; a hash for other ids. */
uint32_t id_prefix(struct str id)
{
    uint8_t b[4];

    if (id.n == UUID_LENGTH && id.p[8] == '-' && digits_pack(id.p, sizeof(b), b))
        return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    return (uint32_t)str_hash(id, 0);
}

/* --- kind: small enumerations in one integer --- */

#define KIND_OUTCOME 0
#define KIND_START   3
#define KIND_ARCH    6
#define KIND_TRIGGER 8
#define KIND_PRICED  11
#define KIND_FINAL   12
#define KIND_ATTEMPT 13

uint32_t fact_kind(const struct invocation *inv)
{
    uint32_t attempt = inv->attempt > 0 ? inv->attempt - 1 : 0;

    if (attempt > 0xFFFF)
        attempt = 0xFFFF;
    return (uint32_t)inv->outcome << KIND_OUTCOME | (uint32_t)inv->start << KIND_START |
           (uint32_t)inv->arch << KIND_ARCH | (uint32_t)inv->trigger << KIND_TRIGGER |
           (uint32_t)inv->is_priced << KIND_PRICED | (uint32_t)inv->is_final << KIND_FINAL |
           attempt << KIND_ATTEMPT;
}

static void kind_to_invocation(uint32_t kind, struct invocation *inv)
{
    inv->outcome = (enum outcome)(kind >> KIND_OUTCOME & 7);
    inv->start = (enum start_kind)(kind >> KIND_START & 7);
    inv->arch = (enum arch)(kind >> KIND_ARCH & 3);
    inv->trigger = (enum trigger)(kind >> KIND_TRIGGER & 7);
    inv->is_priced = kind >> KIND_PRICED & 1;
    inv->is_final = kind >> KIND_FINAL & 1;
    inv->attempt = (kind >> KIND_ATTEMPT) + 1;
}

/* --- invocation <-> fact --- */

#define MB ((uint64_t)1 << 20)

void fact_from_invocation(const struct invocation *inv, struct fact *f)
{
    *f = (struct fact){
        .ts_ns = inv->start_ns,
        .id = inv->id,
        .trace = inv->trace_id,
        .duration_ns = inv->duration_ns,
        .billed_ns = inv->billed_ns,
        .init_ns = inv->init_ns,
        .restore_ns = inv->restore_ns,
        .lead_ns = inv->init_lead_ns,
        .memory_mb = inv->memory_bytes / MB,
        .used_mb = inv->max_memory_bytes / MB,
        .storage_mb = inv->storage_bytes / MB,
        .kind = fact_kind(inv),
        .evidence = inv->evidence,
        .pieces = inv->pieces,
        .cost = inv->cost,
    };
}

void fact_to_sums(const struct fact *f, struct invocation *inv)
{
    *inv = (struct invocation){
        .id = f->id,
        .trace_id = f->trace,
        .start_ns = f->ts_ns,
        .duration_ns = f->duration_ns,
        .init_ns = f->init_ns,
        .restore_ns = f->restore_ns,
        .billed_ns = f->billed_ns,
        .init_lead_ns = f->lead_ns,
        .memory_bytes = f->memory_mb * MB,
        .max_memory_bytes = f->used_mb * MB,
        .storage_bytes = f->storage_mb * MB,
        .evidence = f->evidence,
        .pieces = f->pieces,
        .cost = f->cost,
        .has_stored = true,
        .stored_start_ns = f->ts_ns,
        .stored_seq = f->seq,
        .seq = f->seq,
    };
    kind_to_invocation(f->kind, inv);
}

void fact_to_invocation(struct store *s, const struct fact *f, struct invocation *inv)
{
    fact_to_sums(f, inv);
    inv->origin = dim_origin(s, f->stream);
    inv->error_type = dim_text(s, f->error_type);
    inv->version = dim_text(s, f->version);
}

/* --- rows --- */

/* Rare members (restore, lead, storage) as varints, then the pieces. */
static void pack_extra(const struct fact *f, struct buf *out)
{
    if (f->restore_ns == 0 && f->lead_ns == 0 && f->storage_mb == 0 && f->pieces.n == 0)
        return;
    buf_add_varint(out, (uint64_t)f->restore_ns);
    buf_add_svarint(out, f->lead_ns);
    buf_add_varint(out, f->storage_mb);
    buf_add_str(out, f->pieces);
}

static uint64_t cut_varint(struct str *s)
{
    uint64_t v = 0;
    unsigned shift = 0;
    size_t i = 0;

    while (i < s->n && shift < 64) {
        uint64_t byte = (unsigned char)s->p[i++];
        v |= (byte & 0x7F) << shift;
        shift += 7;
        if (byte < 0x80)
            break;
    }
    *s = str_skip(*s, i);
    return v;
}

static void unpack_extra(struct str blob, struct fact *f)
{
    if (blob.n == 0)
        return;
    f->restore_ns = (int64_t)cut_varint(&blob);
    uint64_t lead = cut_varint(&blob);
    f->lead_ns = (int64_t)(lead >> 1) ^ -(int64_t)(lead & 1);
    f->storage_mb = cut_varint(&blob);
    f->pieces = blob;
}

enum {
    C_FN,
    C_TS,
    C_SEQ,
    C_RID,
    C_STREAM,
    C_KIND,
    C_DUR,
    C_BILLED,
    C_MEM,
    C_USED,
    C_INIT,
    C_EVIDENCE,
    C_COST,
    C_NLOG,
    C_ERROR,
    C_VERSION,
    C_TRACE,
    C_EXTRA
};

/* Durations in ns keep what a provider gave; most are whole microseconds, stored as such with a
 * mark in the lowest bit. */
static int64_t time_pack(int64_t ns)
{
    return ns % NS_PER_US == 0 ? ns / NS_PER_US * 2 : ns * 2 + 1;
}

static int64_t time_unpack(int64_t v)
{
    return v & 1 ? v >> 1 : (v >> 1) * NS_PER_US;
}

void fact_read(const struct sql_stmt *st, int64_t day, struct arena *a, struct fact *f)
{
    *f = (struct fact){
        .fn = (uint32_t)sql_i64(st, C_FN),
        .ts_ns = day * NS_PER_DAY + sql_i64(st, C_TS),
        .seq = (uint32_t)sql_i64(st, C_SEQ),
        .stream = (uint32_t)sql_i64(st, C_STREAM),
        .kind = (uint32_t)sql_i64(st, C_KIND),
        .duration_ns = time_unpack(sql_i64(st, C_DUR)),
        .billed_ns = sql_i64(st, C_BILLED) * NS_PER_MS,
        .memory_mb = (uint64_t)sql_i64(st, C_MEM),
        .used_mb = (uint64_t)sql_i64(st, C_USED),
        .init_ns = time_unpack(sql_i64(st, C_INIT)),
        .evidence = (uint32_t)sql_i64(st, C_EVIDENCE),
        .cost = sql_i64(st, C_COST),
        .error_type = (uint32_t)sql_i64(st, C_ERROR),
        .version = (uint32_t)sql_i64(st, C_VERSION),
    };
    unpack_extra(sql_blob(st, C_EXTRA), f);
    if (!a)
        return;
    f->pieces = arena_str(a, f->pieces);
    f->id = id_unpack(sql_blob(st, C_RID), a);
    struct str trace = sql_blob(st, C_TRACE);
    if (trace.n > 0)
        f->trace = trace_unpack(trace, a);
}

static enum status prepare_once(struct day *d, struct sql_stmt **st, const char *text,
                                struct err *e)
{
    return *st ? OK : sql_prepare(d->db, str_from(text), st, e);
}

/* UUID bytes when it is one, its text otherwise. `bytes` must live until the step. */
static struct str stored_id(struct str id, uint8_t bytes[16])
{
    return id_pack(id, bytes) ? (struct str){(const char *)bytes, 16} : id;
}

static enum status next_seq(struct day *d, const struct fact *f, int64_t *seq, struct err *e)
{
    bool has_row = false;

    if (prepare_once(d, &d->find_fact, "select max(seq) + 1 from inv where fn = ? and ts = ?", e) !=
        OK)
        return e ? e->code : ERR_IO;
    sql_bind_i64(d->find_fact, 1, f->fn);
    sql_bind_i64(d->find_fact, 2, f->ts_ns - d->number * NS_PER_DAY);
    enum status s = sql_step(d->find_fact, &has_row, e);
    *seq = s == OK && has_row ? sql_i64(d->find_fact, 0) : 0;
    sql_reset(d->find_fact);
    return s;
}

static enum status insert_at(struct day *d, const struct fact *f, int64_t seq, bool *was_free,
                             struct err *e)
{
    AUTO(buf_clear) struct buf extra = {.max = f->pieces.n + 64};
    struct sql_stmt *st = d->insert_fact;
    uint8_t rid[16], trace[16];

    pack_extra(f, &extra);
    sql_bind_i64(st, 1 + C_FN, f->fn);
    sql_bind_i64(st, 1 + C_TS, f->ts_ns - d->number * NS_PER_DAY);
    sql_bind_i64(st, 1 + C_SEQ, seq);
    sql_bind_blob(st, 1 + C_RID, stored_id(f->id, rid));
    sql_bind_i64(st, 1 + C_STREAM, f->stream);
    sql_bind_i64(st, 1 + C_KIND, f->kind);
    sql_bind_i64(st, 1 + C_DUR, time_pack(f->duration_ns));
    sql_bind_i64(st, 1 + C_BILLED, f->billed_ns / NS_PER_MS);
    sql_bind_i64(st, 1 + C_MEM, (int64_t)f->memory_mb);
    sql_bind_i64(st, 1 + C_USED, (int64_t)f->used_mb);
    sql_bind_i64(st, 1 + C_INIT, time_pack(f->init_ns));
    sql_bind_i64(st, 1 + C_EVIDENCE, f->evidence);
    sql_bind_i64(st, 1 + C_COST, f->cost);
    sql_bind_i64(st, 1 + C_NLOG, 0); /* unused: lines are attributed when they are read */
    sql_bind_i64(st, 1 + C_ERROR, f->error_type);
    sql_bind_i64(st, 1 + C_VERSION, f->version);
    if (f->trace.n > 0)
        sql_bind_blob(st, 1 + C_TRACE,
                      trace_pack(f->trace, trace) ? (struct str){(const char *)trace, 16}
                                                  : f->trace);
    if (extra.n > 0)
        sql_bind_blob(st, 1 + C_EXTRA, buf_str(&extra));
    enum status s = sql_run(st, e);
    *was_free = s == OK && sql_changes(d->db) == 1;
    return s;
}

enum status fact_insert(struct day *d, const struct fact *f, struct err *e)
{
    bool was_free = false;
    int64_t seq = 0;

    if (prepare_once(d, &d->insert_fact,
                     "insert or ignore into inv(" FACT_COLUMNS
                     ") values(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                     e) != OK)
        return e ? e->code : ERR_IO;
    enum status s = insert_at(d, f, seq, &was_free, e);
    while (s == OK && !was_free) { /* another attempt began in the same instant */
        s = next_seq(d, f, &seq, e);
        if (s == OK)
            s = insert_at(d, f, seq, &was_free, e);
    }
    return s;
}

enum status fact_delete(struct day *d, const struct fact_key *key, bool *was_there, struct err *e)
{
    uint8_t rid[16];

    *was_there = false;
    if (prepare_once(d, &d->delete_fact,
                     "delete from inv where fn = ? and ts = ? and rid = ? and stream = ?", e) != OK)
        return e ? e->code : ERR_IO;
    sql_bind_i64(d->delete_fact, 1, key->fn);
    sql_bind_i64(d->delete_fact, 2, key->ts_ns - d->number * NS_PER_DAY);
    sql_bind_blob(d->delete_fact, 3, stored_id(key->id, rid));
    sql_bind_i64(d->delete_fact, 4, key->stream);
    enum status s = sql_run(d->delete_fact, e);
    *was_there = s == OK && sql_changes(d->db) > 0;
    return s;
}

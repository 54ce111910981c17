/* Chunks of log text: zstd's checksum tells of their bytes; their lines are counted again, to stand
 * against what is said about them in three rows. */
#include "core/store/verify_private.h"

enum { C_ID, C_N, C_RAW, C_DATA, C_CHUNK, C_HEAD = 8, C_TALLY = 12, C_SEEN, C_HASHES = 16, C_SUM };

/* Columns as above; C_CHUNK, C_HEAD: shard, t0, t1, levels; C_SEEN: shard, t0, t1. */
#define OF_CHUNK "select c.id, c.n, c.raw, c.data, c.shard, c.t0, c.t1, c.levels,"
#define OF_HEAD  " h.shard, h.t0, h.t1, h.levels, h.tally,"
#define OF_SEEN  " s.shard, s.t0, s.t1, s.hashes,"
#define JOINED                                                                                     \
    " from chunk c left join chunk_head h on h.id = c.id left join seen s on s.chunk = c.id"
static const char *const with_sums = OF_CHUNK OF_HEAD OF_SEEN " s.sum" JOINED;
static const char *const with_heads = OF_CHUNK OF_HEAD OF_SEEN " null" JOINED;
static const char *const without_heads =
    OF_CHUNK " c.shard, c.t0, c.t1, c.levels, null," OF_SEEN
             " null from chunk c left join seen s on s.chunk = c.id";
/* What a chunk holds, counted again. */
struct chunk_check {
    struct fn_choice fns;
    struct chunk_text text;
    struct buf tally_bytes;
    struct line_tally tally;
    int64_t n, t0, t1, levels;
    bool is_bad;
};

static struct line_counts *lines_at(struct verifier *v, uint32_t fn, unsigned hour)
{
    bool is_new;
    uint64_t *at = idmap_put(&v->line_index, (uint64_t)fn << 5 | hour, &is_new);

    if (is_new) {
        *at = v->n_lines;
        v->lines = arena_grow(&v->arena, v->lines, v->n_lines, &v->cap_lines, sizeof(*v->lines));
        v->lines[v->n_lines++] = (struct counted_lines){.fn = fn, .hour = hour};
        verify_note_fn(v, fn);
    }
    return &v->lines[*at].counts;
}

static void count_line(struct verifier *v, struct chunk_check *k, const struct chunk_line *l)
{
    uint32_t fn = fn_choice_of_stream(&k->fns, l->stream);
    const struct line_counts one = {1, l->body.n, l->severity >= SEVERITY_ERROR};

    k->t0 = l->time_ns < k->t0 ? l->time_ns : k->t0;
    k->t1 = l->time_ns > k->t1 ? l->time_ns : k->t1;
    k->levels |= (int64_t)1 << l->severity;
    line_counts_add(lines_at(v, fn, hour_of_day(l->time_ns, 0)), &one);
    line_tally_add(&k->tally, fn, 0, &one);
}

static void count_chunk(struct verifier *v, struct chunk_check *k)
{
    struct chunk_cursor c;
    struct chunk_line l;

    line_tally_reset(&k->tally);
    k->n = k->levels = 0;
    k->t0 = INT64_MAX;
    k->t1 = INT64_MIN;
    chunk_begin(&c, &k->text);
    for (; chunk_next(&c, &l); k->n++) {
        k->is_bad = l.time_ns < 0 || l.time_ns >= NS_PER_DAY;
        if (k->is_bad)
            return;
        count_line(v, k, &l);
    }
    k->is_bad = c.is_bad;
}

/* The n columns from `first` on are what was counted: t0, t1, levels behind the shard. */
static bool row_is_right(const struct chunk_check *k, const struct sql_stmt *st, int first, int n)
{
    const int64_t want[] = {sql_i64(st, C_CHUNK), k->t0, k->t1, k->levels};

    for (int i = 0; i < n; i++)
        if (sql_is_null(st, first + i) || sql_i64(st, first + i) != want[i])
            return false;
    return true;
}

/* Readers skip a chunk by its head. A chunk from before migration 5 has no tally. */
static bool head_is_right(struct chunk_check *k, const struct sql_stmt *st)
{
    buf_reset(&k->tally_bytes);
    line_tally_pack(&k->tally, &k->tally_bytes);
    return row_is_right(k, st, C_HEAD, 4) &&
           (sql_is_null(st, C_TALLY) || str_eq(sql_blob(st, C_TALLY), buf_str(&k->tally_bytes)));
}

static bool seen_is_right(const struct chunk_check *k, const struct sql_stmt *st)
{
    struct str hashes = sql_blob(st, C_HASHES);

    return row_is_right(k, st, C_SEEN, 3) && hashes.n == (size_t)k->n * sizeof(uint64_t) &&
           (sql_is_null(st, C_SUM) || sql_i64(st, C_SUM) == blob_sum(hashes, sql_i64(st, C_ID)));
}

static void check_chunk(struct verifier *v, struct sql *db, struct chunk_check *k,
                        const struct sql_stmt *st)
{
    struct err e = {0};
    long long id = sql_i64(st, C_ID), n = sql_i64(st, C_N);
    int64_t raw_bytes = sql_i64(st, C_RAW);

    if (raw_bytes < 0 ||
        chunk_text_read(&k->text, sql_blob(st, C_DATA), 0, (size_t)raw_bytes, &e) != OK) {
        verify_finding(v, db, "log chunk %lld: %s", id, e.msg);
        return;
    }
    count_chunk(v, k);
    if (k->n != n || k->is_bad || !row_is_right(k, st, C_CHUNK, 4))
        verify_finding(v, db, "log chunk %lld does not hold the %lld lines it should", id, n);
    else if (!head_is_right(k, st))
        verify_finding(v, db, "the head of log chunk %lld does not fit its lines", id);
    else if (!seen_is_right(k, st))
        verify_finding(v, db, "the identities of log chunk %lld do not fit its lines", id);
}

static const char *chunk_query(struct day *d)
{
    if (!day_has_heads(d))
        return without_heads;
    return schema_has_sums(d->db) ? with_sums : with_heads;
}

enum status verify_chunks(struct verifier *v, struct day *d, struct err *e)
{
    struct chunk_check k = {.fns = {.store = v->store}, .tally_bytes.max = (size_t)64 << 20};
    struct sql_stmt *st = NULL;
    bool has_row = false;
    enum status s = sql_prepare(d->db, str_from(chunk_query(d)), &st, e);

    chunk_text_init(&k.text);
    while (s == OK && (s = sql_step(st, &has_row, e)) == OK && has_row)
        check_chunk(v, d->db, &k, st);
    sql_finalize(st);
    chunk_text_clear(&k.text);
    buf_clear(&k.tally_bytes);
    line_tally_clear(&k.tally);
    fn_choice_clear(&k.fns);
    return s;
}

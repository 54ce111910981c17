/* The packer: batches to packs. Gives functions, streams and texts their ids, sorts lines to chunks
 * (the writer compresses them), collects facts. Runs on the packer thread and reads through a store
 * of its own, so that it shares nothing with the writer but the number of the last pack committed.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/store/fact_store.h"
#include "core/store/packer_private.h"
#include "core/store/packer_run.h"

/* Log text and facts at which a pack is handed over: more make fewer pages to write, and larger
 * packs. Two are in memory, the one being written and the one being filled. */
#define PACK_RAW_BYTES ((uint64_t)8 << 20)
#define PACK_FACTS     ((size_t)4000)
/* Sums by function and hour at which a pack is handed over: short lines of very many functions hold
 * little text and no facts, but the writer needs half a kilobyte for each. */
#define PACK_SUMS ((size_t)32768)
/* Very short lines take more memory than their text has bytes. */
#define PACK_HELD_BYTES (2 * PACK_RAW_BYTES)

/* --- a new packer: ids known so far --- */

typedef uint64_t row_hash_fn(const struct sql_stmt *st);

static uint64_t stream_row_hash(const struct sql_stmt *st)
{
    return (uint64_t)sql_i64(st, 1);
}

static uint64_t text_row_hash(const struct sql_stmt *st)
{
    return str_hash(sql_str(st, 1), 0);
}

static enum status load_ids(struct packer *p, const char *query, row_hash_fn *hash,
                            struct idmap *ids, uint32_t *next, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(p->reader->meta, str_from(query), &st, e);

    if (s != OK)
        return s;
    *next = 1;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row) {
        uint32_t id = (uint32_t)sql_i64(st, 0);
        *idmap_put(ids, hash(st), NULL) = id;
        *next = id >= *next ? id + 1 : *next;
    }
    sql_finalize(st);
    return s;
}

static uint64_t series_row_hash(const struct sql_stmt *st)
{
    return (uint64_t)sql_i64(st, 1);
}

static enum status load_dimensions(struct packer *p, struct err *e)
{
    enum status s = packer_load_fns(p, e);

    if (s == OK)
        s = load_ids(p, "select id, hash from stream", stream_row_hash, &p->streams,
                     &p->next_stream, e);
    if (s == OK)
        s = packer_load_homes(p, e);
    if (s == OK)
        s = packer_load_guessed(p, e);
    if (s == OK)
        s = load_ids(p, "select id, hash from series", series_row_hash, &p->series, &p->next_series,
                     e);
    return s == OK ? load_ids(p, "select id, value from text", text_row_hash, &p->texts,
                              &p->next_text, e)
                   : s;
}

/* With room for as many facts as the pack before had, and some more: growing step by step leaves
 * holes in the heap. */
static struct pack *new_pack(struct packer *p, size_t n_facts)
{
    struct pack *k = xcalloc(1, sizeof(*k));

    k->number = p->next_pack++;
    if (n_facts > 0) {
        k->cap_facts = n_facts + n_facts / 8;
        k->facts = xreallocarray(NULL, k->cap_facts, sizeof(*k->facts));
    }
    return k;
}

enum status packer_new(struct store *s, struct packer **out, struct err *e)
{
    struct packer *p = xcalloc(1, sizeof(*p));
    struct store_options o = {
        .url = str_from(s->path), .is_read_only = true, .is_beside_writer = true};
    enum status status = OK;

    p->store = s;
    p->book.places = (struct fn_places){s->region_of, s->region_ctx};
    p->next_pack = 1;
    p->next_fn = p->next_stream = p->next_text = p->next_series = 1;
    p->current = new_pack(p, 0);
    if (!s->is_null) {
        status = store_open(&o, &p->reader, e);
        if (status == OK)
            status = load_dimensions(p, e);
    }
    seen_init(&p->seen, p->reader);
    if (status != OK) {
        packer_free(p);
        return status;
    }
    *out = p;
    return OK;
}

static void free_chunk(struct open_chunk *c)
{
    kept_lines_clear(&c->lines);
    line_tally_clear(&c->tally);
    free(c->seen);
}

void packer_free(struct packer *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_chunks; i++)
        free_chunk(&p->chunks[i]);
    for (size_t i = 0; i < p->n_filters; i++)
        id_filter_clear(&p->filters[i]);
    free(p->chunks);
    free(p->filters);
    seen_clear(&p->seen);
    idmap_clear(&p->open.places);
    idmap_clear(&p->fns);
    fn_book_clear(&p->book);
    idmap_clear(&p->moved);
    idmap_clear(&p->streams);
    idmap_clear(&p->homes);
    idmap_clear(&p->stream_days);
    idmap_clear(&p->guessed_days);
    idmap_clear(&p->texts);
    idmap_clear(&p->series);
    idmap_clear(&p->pending);
    free(p->noted);
    free(p->origins);
    pack_free(p->current);
    store_close(p->reader);
    arena_clear(&p->scratch);
    free(p);
}

/* --- chunks --- */

/* A spare one serves any. */
static size_t take_chunk(struct packer *p, int64_t day, unsigned shard)
{
    if (p->open.n_taken == p->n_chunks) {
        p->chunks = mem_grow(p->chunks, p->n_chunks, &p->cap_chunks, sizeof(*p->chunks));
        p->chunks[p->n_chunks++] = (struct open_chunk){0};
    }
    struct open_chunk *c = &p->chunks[p->open.n_taken++];
    c->day = day;
    c->shard = shard;
    c->t0_ns = INT64_MAX;
    c->t1_ns = INT64_MIN;
    return p->open.n_taken;
}

/* The open chunk of a day and shard. */
static struct open_chunk *chunk_for(struct packer *p, int64_t day, unsigned shard)
{
    struct chunk_index *open = &p->open;

    if (day != open->day) {
        memset(open->of_day, 0, sizeof(open->of_day));
        open->day = day;
    }
    if (open->of_day[shard] == 0) {
        bool is_new;
        uint64_t *at = idmap_put(&open->places, (uint64_t)day << 8 | shard, &is_new);
        if (is_new)
            *at = take_chunk(p, day, shard);
        open->of_day[shard] = (size_t)*at;
    }
    return &p->chunks[open->of_day[shard] - 1];
}

static void take_tally(struct packed_chunk *c, struct line_tally *t, struct arena *a)
{
    AUTO(buf_clear) struct buf packed = {.max = 4 * CHUNK_BYTES}; /* a function a line at worst */

    line_tally_pack(t, &packed);
    c->tally = arena_str(a, buf_str(&packed));
    c->sums = arena_alloc(a, t->n * sizeof(*c->sums));
    c->n_sums = t->n;
    memcpy(c->sums, t->rows, t->n * sizeof(*c->sums));
    line_tally_reset(t);
}

/* Moves the chunk into the pack and hands its identities to the window; the chunk is empty
 * after. */
static enum status close_chunk(struct packer *p, struct open_chunk *c, struct err *e)
{
    struct pack *k = p->current;
    struct seen_day *sd = NULL;

    if (c->n == 0)
        return OK;
    enum status s = p->reader ? seen_day(&p->seen, c->day, &sd, e) : OK;
    if (s != OK)
        return s;
    uint64_t *seen = p->reader ? xmemdup(c->seen, c->n * sizeof(*seen)) : NULL; /* the window's */
    k->chunks =
        arena_grow(&k->rows_arena, k->chunks, k->n_chunks, &k->cap_chunks, sizeof(*k->chunks));
    k->chunks[k->n_chunks++] = (struct packed_chunk){
        .id = sd ? sd->next_chunk++ : 0,
        .day = c->day,
        .t0_ns = c->t0_ns,
        .t1_ns = c->t1_ns,
        .shard = c->shard,
        .level_mask = c->level_mask,
        .n_lines = c->n,
        .raw_bytes = c->text_bytes,
        .lines = c->lines,
        .seen = seen,
    };
    take_tally(&k->chunks[k->n_chunks - 1], &c->tally, &k->rows_arena);
    struct seen_segment segment = {.chunk = sd ? sd->next_chunk - 1 : 0,
                                   .t0_ns = c->t0_ns,
                                   .t1_ns = c->t1_ns,
                                   .hashes = seen,
                                   .n = c->n,
                                   .pack = k->number,
                                   .shard = c->shard,
                                   .fns = c->fns,
                                   .is_loaded = true};
    if (p->reader)
        s = seen_add_segment(&p->seen, c->day, &segment, e);
    c->lines = (struct kept_lines){0}; /* the pack's */
    c->n = c->text_bytes = 0;
    c->level_mask = 0;
    c->fns = 0;
    c->t0_ns = INT64_MAX;
    c->t1_ns = INT64_MIN;
    return s;
}

/* Buffers are kept for the next pack, as many as one day needs. */
static enum status close_all_chunks(struct packer *p, struct err *e)
{
    enum status s = OK;

    for (size_t i = 0; s == OK && i < p->n_chunks; i++)
        s = close_chunk(p, &p->chunks[i], e);
    while (p->n_chunks > CHUNK_SHARDS)
        free_chunk(&p->chunks[--p->n_chunks]);
    p->open.n_taken = 0;
    idmap_reset(&p->open.places);
    memset(p->open.of_day, 0, sizeof(p->open.of_day));
    return s;
}

static void add_record(struct packer *p, struct open_chunk *c, const struct origin_ids *ids,
                       const struct log_record *r)
{
    const struct chunk_line line = {.time_ns = r->time_ns,
                                    .stream = ids->stream,
                                    .severity = r->severity,
                                    .kind = r->kind,
                                    .body = r->body};

    p->current->held_bytes += kept_lines_add(&c->lines, &line);
    p->current->raw_bytes += r->body.n;
    c->text_bytes += r->body.n;
    c->seen = mem_grow(c->seen, c->n, &c->cap, sizeof(*c->seen));
    c->seen[c->n++] = r->identity ? r->identity : 1;
    c->t0_ns = r->time_ns < c->t0_ns ? r->time_ns : c->t0_ns;
    c->t1_ns = r->time_ns > c->t1_ns ? r->time_ns : c->t1_ns;
    c->level_mask |= 1u << r->severity;
    c->fns |= ids->at.fn_bit;
}

/* What the chunk got of the run since this was asked; bytes are those that are stored, so that
 * counting lines gives the same. */
static void count_run(struct pack *k, struct line_tally *t, const struct record_run *run,
                      uint32_t fn, struct line_counts *n)
{
    const size_t before = t->n;

    if (n->lines == 0)
        return;
    line_tally_add(t, fn, hour_of_day(run->t0_ns, run->day), n);
    k->n_sums += t->n - before;
    *n = (struct line_counts){0};
}

static enum status add_run(struct packer *p, const struct record_run *run, struct err *e)
{
    const struct origin_ids *ids = packer_origin(p, run->records->origin, run->day);
    struct open_chunk *c = chunk_for(p, run->day, ids->at.shard);
    struct line_counts n = {0};
    enum status s = OK;

    for (size_t i = 0; s == OK && i < run->n; i++) {
        const struct log_record *r = &run->records[i];
        if (r->is_repeat)
            continue;
        add_record(p, c, ids, r);
        n.lines++;
        n.bytes += r->body.n;
        n.errors += r->severity >= SEVERITY_ERROR;
        if (c->text_bytes < CHUNK_BYTES)
            continue;
        count_run(p->current, &c->tally, run, ids->fn, &n);
        s = close_chunk(p, c, e);
    }
    count_run(p->current, &c->tally, run, ids->fn, &n);
    return s;
}

/* Repeats bring neither chunks nor ids of functions and streams. */
static enum status add_records(struct packer *p, const struct batch *b, struct err *e)
{
    enum status s = OK;

    for (size_t i = 0; s == OK && i < b->n_records;) {
        if (b->records[i].is_repeat) {
            i++;
            continue;
        }
        const struct record_run run = record_run_at(b, i);
        s = add_run(p, &run, e);
        i += run.n;
    }
    return s;
}

/* --- facts --- */

uint64_t fact_key_hash(const struct fact_key *key)
{
    return str_hash(key->id, (uint64_t)key->ts_ns * UINT64_C(0x9e3779b97f4a7c15) ^
                                 ((uint64_t)key->fn << 32 | key->stream));
}

/* Few packs are asked for a version: only those learn where which is. */
static const uint64_t *find_fact(struct pack *k, const struct fact_key *key)
{
    if (k->n_facts_found == 0 && k->n_facts > 0)
        idmap_expect(&k->fact_index, k->cap_facts);
    for (; k->n_facts_found < k->n_facts; k->n_facts_found++) {
        const struct fact *f = &k->facts[k->n_facts_found].fact;
        const struct fact_key own = {
            .ts_ns = f->ts_ns, .fn = f->fn, .stream = f->stream, .id = f->id};
        *idmap_put(&k->fact_index, fact_key_hash(&own), NULL) = k->n_facts_found;
    }
    return idmap_get(&k->fact_index, fact_key_hash(key));
}

/* A version that stands in this pack is marked dead; one that is stored, or may be, is deleted
 * first. */
static void replace_stored(struct pack *k, const struct fact_key *key)
{
    const uint64_t *at = find_fact(k, key);

    if (at && !k->facts[*at].is_dead) {
        k->facts[*at].is_dead = true;
        return;
    }
    k->deletes =
        arena_grow(&k->rows_arena, k->deletes, k->n_deletes, &k->cap_deletes, sizeof(*k->deletes));
    k->deletes[k->n_deletes] = *key;
    *idmap_put(&k->delete_index, fact_key_hash(key), NULL) = k->n_deletes++;
}

/* Behind the others, to be filled in place; it counts once n_facts says so. */
static struct pack_fact *room_for_fact(struct pack *k)
{
    k->facts = mem_grow(k->facts, k->n_facts, &k->cap_facts, sizeof(*k->facts));
    return &k->facts[k->n_facts];
}

static enum status add_invocation(struct packer *p, const struct invocation *inv, struct err *e)
{
    struct pack *k = p->current;
    const int64_t day = day_of(inv->start_ns);
    const struct origin_ids *ids = packer_origin(p, inv->origin, day);
    struct id_filter *filter = packer_filter(p, day, e);

    if (!filter)
        return e ? e->code : ERR_IO;
    struct pack_fact *pf = room_for_fact(k);
    struct fact *f = &pf->fact;
    pf->day = day;
    pf->is_dead = false;
    fact_from_invocation(inv, f);
    f->fn = ids->fn;
    f->stream = ids->stream;
    f->error_type = packer_text(p, inv->error_type);
    f->version = packer_text(p, inv->version);
    f->id = arena_str(&k->rows_arena, inv->id);
    if (inv->has_stored)
        replace_stored(k, &(struct fact_key){.day = day_of(inv->stored_start_ns),
                                             .ts_ns = inv->stored_start_ns,
                                             .fn = f->fn,
                                             .stream = f->stream,
                                             .id = f->id});
    if (inv->is_removed)
        return OK;
    f->trace = inv->trace_id.n ? arena_str(&k->rows_arena, inv->trace_id) : (struct str){0};
    f->pieces = inv->pieces.n ? arena_str(&k->rows_arena, inv->pieces) : (struct str){0};
    k->n_facts++;
    packer_note_id(p, filter, inv->id);
    if (inv->evidence & EV_TIME_GUESSED)
        packer_note_guessed(p, day);
    return OK;
}

static void add_event(struct packer *p, const struct instance_event *ev)
{
    struct pack *k = p->current;
    const struct origin_ids *ids = packer_origin(p, ev->origin, day_of(ev->time_ns));
    struct instance_event copy = *ev;

    copy.origin = NULL;
    struct str *const texts[] = {&copy.status, &copy.error_type, &copy.init_type, &copy.phase,
                                 &copy.runtime_version};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = arena_str(&k->arena, *texts[i]);
    k->events = arena_grow(&k->arena, k->events, k->n_events, &k->cap_events, sizeof(*k->events));
    k->events[k->n_events++] = (struct pack_event){day_of(ev->time_ns), ids->stream, ids->fn, copy};
    packer_note_event(p, ev->origin);
}

/* --- packs --- */

static void add_rest(struct packer *p, const struct batch *b)
{
    struct pack *k = p->current;
    struct arena *a = &k->arena;

    for (size_t i = 0; i < b->n_instance_events; i++)
        add_event(p, &b->instance_events[i]);
    for (size_t i = 0; i < b->n_cursors; i++) {
        const struct cursor *c = &b->cursors[i];
        k->cursors = arena_grow(a, k->cursors, k->n_cursors, &k->cap_cursors, sizeof(*k->cursors));
        k->cursors[k->n_cursors++] =
            (struct cursor){arena_str(a, c->source), arena_str(a, c->scope), arena_str(a, c->token),
                            c->watermark_ns};
    }
    for (size_t i = 0; i < b->n_quarantine; i++) {
        const struct quarantined *q = &b->quarantine[i];
        k->quarantine = arena_grow(a, k->quarantine, k->n_quarantine, &k->cap_quarantine,
                                   sizeof(*k->quarantine));
        k->quarantine[k->n_quarantine++] = (struct quarantined){
            arena_str(a, q->place), arena_str(a, q->reason), arena_str(a, q->raw)};
    }
    for (size_t i = 0; i < b->n_configs; i++) {
        struct pack_config c = {packer_fn(p, &b->configs[i].fn), b->configs[i]};
        c.config.runtime = arena_str(a, c.config.runtime);
        c.config.version = arena_str(a, c.config.version);
        c.config.code_sha256 = arena_str(a, c.config.code_sha256);
        c.config.dead_letter = arena_str(a, c.config.dead_letter);
        k->configs = arena_grow(a, k->configs, k->n_configs, &k->cap_configs, sizeof(*k->configs));
        k->configs[k->n_configs++] = c;
    }
    packer_live(p, b);
    batch_counts_add(&k->counts, &b->counts);
}

static bool is_large(const struct pack *k)
{
    return k->raw_bytes >= PACK_RAW_BYTES || k->held_bytes >= PACK_HELD_BYTES ||
           k->n_facts >= PACK_FACTS || k->n_sums >= PACK_SUMS;
}

static bool is_empty(const struct pack *k)
{
    return k->n_chunks == 0 && k->n_facts == 0 && k->n_deletes == 0 && k->n_events == 0 &&
           k->n_cursors == 0 && k->n_quarantine == 0 && k->n_configs == 0 && k->n_points == 0 &&
           k->n_queues == 0 && k->n_sources == 0 && k->n_spans == 0 && k->counts.repeats == 0 &&
           k->counts.events == 0 && k->n_moves == 0;
}

enum status store_pack(struct packer *p, const struct batch *b, bool is_flush, struct pack **out,
                       struct err *e)
{
    enum status s = add_records(p, b, e);

    *out = NULL;
    for (size_t i = 0; s == OK && i < b->n_invocations; i++)
        s = add_invocation(p, &b->invocations[i], e);
    if (s != OK)
        return s;
    add_rest(p, b);
    p->n_origins = 0; /* their places are those of this batch */
    if (!is_flush && !is_large(p->current))
        return OK;
    s = close_all_chunks(p, e);
    if (s != OK || is_empty(p->current))
        return s;
    *out = p->current;
    p->current = new_pack(p, p->current->n_facts);
    return OK;
}

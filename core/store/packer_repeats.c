/* Which records of a batch are stored already: the identities of what was stored around their time
 * are brought into memory, and each record's is looked for among them. */
#include <assert.h>
#include <string.h>

#include "core/store/packer_private.h"
#include "core/store/packer_run.h"

/* The few (day, shard) pairs a batch touches, with their bounds. */
struct windows {
    struct idmap index;
    struct seen_window *rows;
    size_t n, cap;
    /* Mostly all are of one day: its windows by shard, 1 above their place; 0: none yet. */
    int64_t day;
    size_t of_day[CHUNK_SHARDS];
};

static size_t window_at(struct windows *s, struct arena *a, int64_t day, unsigned shard)
{
    bool is_new;
    uint64_t *at = idmap_put(&s->index, (uint64_t)day << 8 | shard, &is_new);

    if (!is_new)
        return *at;
    *at = s->n;
    s->rows = arena_grow(a, s->rows, s->n, &s->cap, sizeof(*s->rows));
    s->rows[s->n] =
        (struct seen_window){.day = day, .shard = shard, .t0_ns = INT64_MAX, .t1_ns = INT64_MIN};
    return s->n++;
}

static void widen_one(struct windows *s, struct packer *p, const struct record_run *run,
                      struct origin_shard at)
{
    const int64_t day = run->day;

    if (day != s->day) {
        memset(s->of_day, 0, sizeof(s->of_day));
        s->day = day;
    }
    if (s->of_day[at.shard] == 0)
        s->of_day[at.shard] = 1 + window_at(s, &p->scratch, day, at.shard);
    assert(s->rows);
    struct seen_window *w = &s->rows[s->of_day[at.shard] - 1];
    w->t0_ns = run->t0_ns < w->t0_ns ? run->t0_ns : w->t0_ns;
    w->t1_ns = run->t1_ns > w->t1_ns ? run->t1_ns : w->t1_ns;
    w->fns |= at.fn_bit;
}

static void widen(struct windows *s, struct packer *p, const struct record_run *run)
{
    const struct origin_ids *of = packer_shard(p, run->records->origin);
    uint16_t homes = of->homes;

    widen_one(s, p, run, of->at);
    for (unsigned shard = 0; homes != 0; shard++, homes >>= 1)
        if (homes & 1)
            widen_one(s, p, run, (struct origin_shard){shard, UINT64_MAX});
}

static void add_open_chunks(struct packer *p)
{
    for (size_t i = 0; i < p->n_chunks; i++)
        for (size_t k = 0; k < p->chunks[i].n; k++)
            seen_test_and_add(&p->seen, p->chunks[i].seen[k]);
}

static enum status load_windows(struct packer *p, const struct windows *s, struct err *e)
{
    bool is_emptied = seen_is_over_budget(&p->seen);
    enum status status = OK;

    if (is_emptied) {
        seen_empty(&p->seen, atomic_load(&p->store->committed));
        add_open_chunks(p);
    }
    for (size_t i = 0; status == OK && i < s->n && p->reader; i++)
        status = seen_load(&p->seen, &s->rows[i], e);
    if (is_emptied)
        seen_set_budget(&p->seen);
    return status;
}

/* Days removed since the last batch: neither their identities nor their files count any more. */
static void forget_removed(struct packer *p)
{
    int64_t before = atomic_load(&p->store->removed_before);

    if (before <= p->removed_before || !p->reader)
        return;
    p->removed_before = before;
    idmap_reset(&p->stream_days); /* those of streams whose rows went would stay untold */
    for (size_t i = p->reader->n_days; i-- > 0;)
        if (p->reader->days[i].number < before)
            store_close_day(p->reader, p->reader->days[i].number);
    seen_forget(&p->seen, before, atomic_load(&p->store->committed));
    add_open_chunks(p);
}

static void mark_repeats(struct packer *p, struct batch *b)
{
    for (size_t i = 0; i < b->n_records; i++) {
        if (i + SEEN_AHEAD < b->n_records)
            seen_prefetch(&p->seen, b->records[i + SEEN_AHEAD].identity);
        if (!seen_test_and_add(&p->seen, b->records[i].identity))
            continue;
        b->records[i].is_repeat = true;
        b->counts.repeats++;
        b->counts.forged -= b->records[i].is_imitation; /* was counted when it was stored */
    }
}

enum status store_mark_repeats(struct packer *p, struct batch *b, struct err *e)
{
    struct windows needed = {0};

    arena_reset(&p->scratch);
    p->n_origins = 0;
    forget_removed(p);
    packer_settle(p, b);
    for (size_t i = 0; i < b->n_records;) {
        const struct record_run run = record_run_at(b, i);
        widen(&needed, p, &run);
        i += run.n;
    }
    enum status s = load_windows(p, &needed, e);
    idmap_clear(&needed.index);
    if (s == OK)
        mark_repeats(p, b);
    return s;
}

/* The window of identities. */
#include "core/store/seen.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

#define BUDGET      ((size_t)120000) /* identities in the set: 2 MB */
#define MOST_BUDGET ((size_t)500000) /* where batches need so many: 8 MB */
#define FIRST_SLOTS ((size_t)32768)  /* of a small import or a quiet collector */
#define MOST_SLOTS  ((size_t)262144) /* then at once those that the budget needs */

void seen_init(struct seen *w, struct store *reader)
{
    *w = (struct seen){.reader = reader, .budget = BUDGET};
}

void seen_clear(struct seen *w)
{
    for (size_t i = 0; i < w->n_days; i++) {
        for (size_t k = 0; k < w->days[i].n; k++)
            free(w->days[i].segments[k].hashes);
        free(w->days[i].segments);
    }
    free(w->days);
    free(w->slots);
    *w = (struct seen){0};
}

/* --- the set --- */

static uint64_t *find_slot(uint64_t *slots, size_t cap, uint64_t v)
{
    size_t i = (size_t)v & (cap - 1);

    while (slots[i] != 0 && slots[i] != v)
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

static void enlarge(struct seen *w)
{
    size_t cap = w->cap == 0 ? FIRST_SLOTS : w->cap < MOST_SLOTS ? MOST_SLOTS : w->cap * 2;
    uint64_t *slots =
        cap < MOST_SLOTS ? xcalloc(cap, sizeof(*slots)) : xcalloc_large(cap, sizeof(*slots));

    for (size_t i = 0; i < w->cap; i++)
        if (w->slots[i] != 0)
            *find_slot(slots, cap, w->slots[i]) = w->slots[i];
    free(w->slots);
    w->slots = slots;
    w->cap = cap;
}

bool seen_test_and_add(struct seen *w, uint64_t identity)
{
    uint64_t v = identity ? identity : 1;

    if (2 * (w->count + 1) > w->cap)
        enlarge(w);
    uint64_t *slot = find_slot(w->slots, w->cap, v);
    if (*slot == v)
        return true;
    *slot = v;
    w->count++;
    return false;
}

void seen_prefetch(const struct seen *w, uint64_t identity)
{
    if (w->cap > 0)
        __builtin_prefetch(&w->slots[(size_t)identity & (w->cap - 1)], 1);
}

bool seen_is_over_budget(const struct seen *w)
{
    return w->count > w->budget;
}

void seen_set_budget(struct seen *w)
{
    size_t most = w->count < MOST_BUDGET / 2 ? 2 * w->count : MOST_BUDGET;

    w->budget = most > BUDGET ? most : BUDGET;
}

void seen_empty(struct seen *w, uint64_t committed_pack)
{
    if (w->cap > 4 * w->budget) {
        free(w->slots);
        w->slots = NULL;
        w->cap = 0;
    } else if (w->cap > 0) {
        memset(w->slots, 0, w->cap * sizeof(*w->slots));
    }
    w->count = 0;
    for (size_t i = 0; i < w->n_days; i++)
        for (size_t k = 0; k < w->days[i].n; k++) {
            struct seen_segment *s = &w->days[i].segments[k];
            s->is_loaded = false;
            if (s->pack > committed_pack)
                continue;
            free(s->hashes);
            s->hashes = NULL;
        }
}

/* The k-th segment of the day; those behind it are given anew. */
static void place_segment(struct seen_day *d, size_t k, const struct seen_segment *s)
{
    int64_t before = k > 0 ? d->segments[k - 1].newest_ns : INT64_MIN;

    d->segments[k] = *s;
    d->segments[k].newest_ns = s->t1_ns > before ? s->t1_ns : before;
}

/* Chunk numbers go on: packs under way hold some already. */
void seen_forget(struct seen *w, int64_t before_day, uint64_t committed_pack)
{
    seen_empty(w, committed_pack);
    for (size_t i = 0; i < w->n_days; i++) {
        struct seen_day *d = &w->days[i];
        size_t kept = 0;
        for (size_t k = 0; k < d->n; k++)
            if (d->day >= before_day || d->segments[k].pack > committed_pack)
                place_segment(d, kept++, &d->segments[k]);
        d->n = kept;
    }
}

/* --- segments --- */

static void append(struct seen_day *d, const struct seen_segment *s)
{
    d->segments = mem_grow(d->segments, d->n, &d->cap, sizeof(*d->segments));
    place_segment(d, d->n++, s);
}

/* What the day file holds already: bounds only. */
static enum status read_index(struct seen *w, struct seen_day *sd, struct err *e)
{
    struct sql_stmt *st;
    struct day *d;
    bool has_row = false;

    if (store_day(w->reader, sd->day, false, &d, e) != OK)
        return e ? e->code : ERR_IO;
    if (!d)
        return OK;
    enum status status =
        sql_prepare(d->db, STR("select chunk, shard, t0, t1 from seen order by chunk"), &st, e);
    if (status != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        int64_t base = sd->day * NS_PER_DAY;
        struct seen_segment s = {.chunk = sql_i64(st, 0),
                                 .shard = (unsigned)sql_i64(st, 1),
                                 .t0_ns = base + sql_i64(st, 2),
                                 .t1_ns = base + sql_i64(st, 3),
                                 .fns = UINT64_MAX};
        append(sd, &s);
        sd->next_chunk = s.chunk + 1;
    }
    sql_finalize(st);
    return status;
}

enum status seen_day(struct seen *w, int64_t day, struct seen_day **out, struct err *e)
{
    for (size_t i = 0; i < w->n_days; i++)
        if (w->days[i].day == day) {
            *out = &w->days[i];
            return OK;
        }
    struct seen_day d = {.day = day, .next_chunk = 1};
    enum status s = read_index(w, &d, e);
    if (s != OK) {
        free(d.segments);
        return s;
    }
    w->days = mem_grow(w->days, w->n_days, &w->cap_days, sizeof(*w->days));
    w->days[w->n_days] = d;
    *out = &w->days[w->n_days++];
    return OK;
}

enum status seen_add_segment(struct seen *w, int64_t day, const struct seen_segment *s,
                             struct err *e)
{
    struct seen_day *d;
    enum status status = seen_day(w, day, &d, e);

    if (status == OK)
        append(d, s);
    return status;
}

static void add_hashes(struct seen *w, const uint64_t *hashes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i + SEEN_AHEAD < n)
            seen_prefetch(w, hashes[i + SEEN_AHEAD]);
        seen_test_and_add(w, hashes[i]);
    }
}

static enum status load_from_file(struct seen *w, int64_t day, int64_t chunk, struct err *e)
{
    struct sql_stmt *st;
    struct day *d;
    bool has_row = false;

    if (store_day(w->reader, day, false, &d, e) != OK)
        return e ? e->code : ERR_IO;
    if (!d)
        return OK;
    enum status status = sql_prepare(d->db, STR("select hashes from seen where chunk = ?"), &st, e);
    if (status != OK)
        return status;
    sql_bind_i64(st, 1, chunk);
    w->n_read++;
    status = sql_step(st, &has_row, e);
    struct str blob = status == OK && has_row ? sql_blob(st, 0) : (struct str){0};
    for (; blob.n >= sizeof(uint64_t); blob = str_skip(blob, sizeof(uint64_t))) {
        uint64_t v;
        memcpy(&v, blob.p, sizeof(v));
        seen_test_and_add(w, v);
    }
    sql_finalize(st);
    return status;
}

static bool concerns(const struct seen_segment *s, const struct seen_window *of)
{
    return s->shard == of->shard && (s->fns & of->fns) != 0 && s->t1_ns >= of->t0_ns &&
           s->t0_ns <= of->t1_ns;
}

/* From the newest on, until nothing before reaches into the window: what is written comes in order
 * of time, more or less, and a day has ten thousands of chunks. */
enum status seen_load(struct seen *w, const struct seen_window *of, struct err *e)
{
    struct seen_day *d = NULL;
    enum status status = seen_day(w, of->day, &d, e);

    for (size_t i = status == OK ? d->n : 0; i-- > 0 && status == OK;) {
        struct seen_segment *s = &d->segments[i];
        if (s->newest_ns < of->t0_ns)
            break;
        if (s->is_loaded || !concerns(s, of))
            continue;
        if (s->hashes)
            add_hashes(w, s->hashes, s->n);
        else
            status = load_from_file(w, of->day, s->chunk, e);
        s->is_loaded = true;
    }
    return status;
}

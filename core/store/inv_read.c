/* Invocations: pages, one by one, by request id; events of environments. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/store/store_private.h"

static struct range clip(struct range r, int64_t day)
{
    int64_t base = day * NS_PER_DAY;

    return (struct range){r.since_ns > base ? r.since_ns : base,
                          r.until_ns < base + NS_PER_DAY ? r.until_ns : base + NS_PER_DAY};
}

/* --- what passes --- */

static bool passes(struct store *s, const struct inv_request *q, const struct fact *f)
{
    uint32_t outcome = f->kind & 7, start = f->kind >> 3 & 7;

    if (q->outcome_mask != 0 && !(q->outcome_mask & 1u << outcome))
        return false;
    if (q->start_mask != 0 && !(q->start_mask & 1u << start))
        return false;
    if (f->duration_ns < q->min_duration_ns)
        return false;
    if (q->error_glob.n > 0 && !str_glob(q->error_glob, dim_text(s, f->error_type)))
        return false;
    return q->instance.n == 0 || str_eq(q->instance, dim_origin(s, f->stream)->instance);
}

/* --- reading one function of one day --- */

struct scan {
    struct store *store;
    const struct inv_request *request;
    struct arena *arena; /* NULL: ids are not read */
    bool newest_first;
    fact_fn *fn;
    void *ctx;
};

static enum status scan_rows(const struct scan *sc, struct sql_stmt *st, int64_t day, struct err *e)
{
    bool has_row = false;
    enum status s;

    while ((s = sql_step(st, &has_row, e)) == OK && has_row) {
        struct fact f;
        fact_read(st, day, NULL, &f);
        if (!passes(sc->store, sc->request, &f))
            continue;
        if (sc->arena)
            fact_read(st, day, sc->arena, &f);
        s = sc->fn(sc->ctx, &f, e);
        if (s != OK)
            break;
    }
    return s;
}

static enum status scan_day(const struct scan *sc, int64_t day, uint32_t fn, struct err *e)
{
    struct range r = clip(sc->request->range, day);
    int64_t base = day * NS_PER_DAY;
    struct sql_stmt *st;
    struct day *d;

    if (r.since_ns >= r.until_ns)
        return OK;
    enum status s = store_day(sc->store, day, false, &d, e);
    if (s != OK || !d)
        return s;
    s = sql_prepare(
        d->db,
        sc->newest_first
            ? STR("select " FACT_COLUMNS
                  " from inv where fn = ? and ts >= ? and ts < ? order by ts desc, seq desc")
            : STR("select " FACT_COLUMNS
                  " from inv where fn = ? and ts >= ? and ts < ? order by ts, seq"),
        &st, e);
    if (s != OK)
        return s;
    sql_bind_i64(st, 1, fn);
    sql_bind_i64(st, 2, r.since_ns - base);
    sql_bind_i64(st, 3, r.until_ns - base);
    s = scan_rows(sc, st, day, e);
    sql_finalize(st);
    return s;
}

static enum status scan_fn(const struct scan *sc, uint32_t fn, struct err *e)
{
    struct store *s = sc->store;
    enum status status = OK;

    for (size_t k = 0; status == OK && k < s->n_day_numbers; k++) {
        size_t i = sc->newest_first ? s->n_day_numbers - 1 - k : k;
        status = scan_day(sc, s->day_numbers[i], fn, e);
    }
    return status;
}

static enum status wanted_fns(struct store *s, const struct inv_request *q, struct arena *a,
                              uint32_t **ids, size_t *n, struct err *e)
{
    enum status status = fns_of_range(s, q->range, a, ids, n, e);
    size_t k = 0;

    for (size_t i = 0; status == OK && i < *n; i++)
        if ((q->fn_id == 0 || (*ids)[i] == q->fn_id) &&
            fn_filter_passes(&q->fn, dim_fn(s, (*ids)[i])))
            (*ids)[k++] = (*ids)[i];
    *n = k;
    return status;
}

/* --- the best N: a heap with the worst of them on top --- */

struct best {
    enum inv_order order;
    size_t limit; /* 0: keep all */
    struct fact *rows;
    size_t n, cap;
    struct arena *arena;
    bool was_cut;
};

static int64_t order_key(enum inv_order order, const struct fact *f)
{
    switch (order) {
    case INV_NEWEST:
        return f->ts_ns;
    case INV_OLDEST:
        return -f->ts_ns;
    case INV_SLOWEST:
        return f->duration_ns;
    case INV_COSTLIEST:
        return f->cost;
    case INV_MOST_MEMORY:
        return (int64_t)f->used_mb;
    case INV_LONGEST_INIT:
        return f->init_ns;
    }
    return 0;
}

/* Above zero when x stands before y in the answer. Ties by time, then function, then id, so that
 * pages are stable. */
static int compare_by(enum inv_order order, const struct fact *x, const struct fact *y)
{
    int64_t kx = order_key(order, x), ky = order_key(order, y);

    if (kx != ky)
        return kx > ky ? 1 : -1;
    if (x->ts_ns != y->ts_ns)
        return x->ts_ns > y->ts_ns ? 1 : -1;
    if (x->fn != y->fn)
        return x->fn < y->fn ? 1 : -1;
    return str_cmp(y->id, x->id);
}

static void swap_rows(struct best *b, size_t i, size_t k)
{
    struct fact f = b->rows[i];

    b->rows[i] = b->rows[k];
    b->rows[k] = f;
}

static void sift_up(struct best *b, size_t i)
{
    for (; i > 0 && compare_by(b->order, &b->rows[(i - 1) / 2], &b->rows[i]) > 0; i = (i - 1) / 2)
        swap_rows(b, i, (i - 1) / 2);
}

static void sift_down(struct best *b, size_t i, size_t n)
{
    for (;;) {
        size_t worst = i, left = 2 * i + 1;
        if (left < n && compare_by(b->order, &b->rows[worst], &b->rows[left]) > 0)
            worst = left;
        if (left + 1 < n && compare_by(b->order, &b->rows[worst], &b->rows[left + 1]) > 0)
            worst = left + 1;
        if (worst == i)
            return;
        swap_rows(b, i, worst);
        i = worst;
    }
}

static enum status offer(void *ctx, const struct fact *f, struct err *e)
{
    struct best *b = ctx;

    UNUSED(e);
    if (b->limit > 0 && b->n == b->limit) {
        b->was_cut = true;
        if (compare_by(b->order, f, &b->rows[0]) <= 0)
            return OK;
        b->rows[0] = *f;
        sift_down(b, 0, b->n);
        return OK;
    }
    b->rows = arena_grow(b->arena, b->rows, b->n, &b->cap, sizeof(*b->rows));
    b->rows[b->n] = *f;
    sift_up(b, b->n++);
    return OK;
}

/* Time order: each function's rows come in the wanted order, so the first `limit` of each are
 * enough. */
struct first_n {
    struct best *best;
    size_t left;
};

static enum status offer_first(void *ctx, const struct fact *f, struct err *e)
{
    struct first_n *first = ctx;

    if (first->best->limit > 0 && first->left-- == 0) {
        first->best->was_cut = true;
        return ERR_CANCELLED;
    }
    return offer(first->best, f, e);
}

static enum status collect_fn(struct scan *sc, struct best *b, uint32_t fn, struct err *e)
{
    bool is_time = b->order == INV_NEWEST || b->order == INV_OLDEST;
    struct first_n first = {b, b->limit};

    sc->newest_first = b->order == INV_NEWEST;
    sc->fn = is_time ? offer_first : offer;
    sc->ctx = is_time ? (void *)&first : (void *)b;
    enum status s = scan_fn(sc, fn, e);
    sc->ctx = NULL; /* it pointed here */
    return s == ERR_CANCELLED ? OK : s;
}

static void sort_best(struct best *b)
{
    for (size_t n = b->n; n > 1; n--) { /* the worst goes to the end */
        swap_rows(b, 0, n - 1);
        sift_down(b, 0, n - 1);
    }
}

static void fill_answer(struct store *s, const struct best *b, size_t offset, struct arena *a,
                        struct inv_rows *out)
{
    size_t n = b->n > offset ? b->n - offset : 0;

    *out = (struct inv_rows){.n = n, .is_more = b->was_cut};
    out->rows = arena_new(a, struct invocation, n + 1);
    out->fn_ids = arena_new(a, uint32_t, n + 1);
    for (size_t i = 0; i < n; i++) {
        fact_to_invocation(s, &b->rows[offset + i], &out->rows[i]);
        out->fn_ids[i] = b->rows[offset + i].fn;
    }
}

enum status request_invocations(struct store *s, const struct inv_request *q, struct arena *a,
                                struct inv_rows *out, struct err *e)
{
    struct best best = {
        .order = q->order, .limit = q->limit ? q->limit + q->offset : 0, .arena = a};
    struct scan sc = {.store = s, .request = q, .arena = a};
    uint32_t *ids = NULL;
    size_t n = 0;

    *out = (struct inv_rows){0};
    if (s->is_null)
        return OK;
    enum status status = wanted_fns(s, q, a, &ids, &n, e);
    for (size_t i = 0; status == OK && i < n; i++)
        status = collect_fn(&sc, &best, ids[i], e);
    if (status != OK)
        return status;
    sort_best(&best);
    fill_answer(s, &best, q->offset, a, out);
    return OK;
}

/* --- one by one --- */

struct each {
    struct store *store;
    struct arena *row; /* emptied for each row */
    inv_fn *fn;
    void *ctx;
};

static enum status give_one(void *ctx, const struct fact *f, struct err *e)
{
    struct each *each = ctx;
    struct invocation inv;

    fact_to_invocation(each->store, f, &inv);
    enum status s = each->fn(each->ctx, f->fn, &inv, e);
    arena_reset(each->row);
    return s;
}

enum status request_scan(struct store *s, const struct inv_request *q, inv_fn *fn, void *ctx,
                         struct err *e)
{
    AUTO(arena_clear) struct arena ids_arena = {0};
    AUTO(arena_clear) struct arena row = {0};
    struct each each = {s, &row, fn, ctx};
    struct scan sc = {.store = s, .request = q, .arena = &row, .fn = give_one, .ctx = &each};
    uint32_t *ids = NULL;
    size_t n = 0;
    enum status status = s->is_null ? OK : wanted_fns(s, q, &ids_arena, &ids, &n, e);

    for (size_t i = 0; status == OK && i < n; i++)
        status = scan_fn(&sc, ids[i], e);
    return status == ERR_CANCELLED ? OK : status;
}

/* --- by request id --- */

struct id_search {
    struct store *store;
    struct str prefix;
    struct arena *arena;
    struct fact *rows;
    size_t n, cap;
    struct id_entry *places;
    size_t n_places, cap_places;
};

#define SHORTEST_PREFIX 4u
#define MOST_PLACES     10000u

static enum status add_place(void *ctx, int64_t day, const struct id_entry *en, struct err *e)
{
    struct id_search *s = ctx;

    UNUSED(day);
    if (s->n_places == MOST_PLACES)
        return err_set(e, ERR_LIMIT,
                       "very many request ids begin with \"" STR_FMT "\": give more characters",
                       STR_ARG(s->prefix));
    s->places = arena_grow(s->arena, s->places, s->n_places, &s->cap_places, sizeof(*s->places));
    s->places[s->n_places++] = *en;
    return OK;
}

static bool is_known(const struct id_search *s, const struct fact *f)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->rows[i].ts_ns == f->ts_ns && s->rows[i].fn == f->fn && s->rows[i].seq == f->seq)
            return true;
    return false;
}

static enum status add_matching(struct id_search *s, struct day *d, const struct id_entry *en,
                                struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status status = sql_prepare(
        d->db, STR("select " FACT_COLUMNS " from inv where fn = ? and ts >= ? and ts < ?"), &st, e);

    if (status != OK)
        return status;
    sql_bind_i64(st, 1, en->fn);
    sql_bind_i64(st, 2, en->second * NS_PER_SEC);
    sql_bind_i64(st, 3, (en->second + INT64_C(1)) * NS_PER_SEC);
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        struct fact f;
        fact_read(st, d->number, s->arena, &f);
        if (!str_starts(f.id, s->prefix) || is_known(s, &f))
            continue;
        s->rows = arena_grow(s->arena, s->rows, s->n, &s->cap, sizeof(*s->rows));
        s->rows[s->n++] = f;
    }
    sql_finalize(st);
    return status;
}

/* The 32-bit range of ids that begin with the hex digits of the text; an id of another form is
 * looked up by its hash. */
static void range_of_prefix(struct str id, uint32_t *low, uint32_t *high)
{
    uint8_t whole[16];
    uint32_t v = 0;
    unsigned n = 0;

    *low = *high = id_prefix(id);
    if (id_pack(id, whole))
        return;
    for (; n < 8 && n < id.n; n++) {
        char c = id.p[n];
        bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (!is_hex)
            return;
        v = v << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    unsigned shift = 32 - 4 * n;
    *low = shift < 32 ? v << shift : 0;
    *high = *low | (shift > 0 ? (UINT32_MAX >> (32 - shift)) : 0);
}

static enum status search_day(struct id_search *s, int64_t day, struct str id, struct err *e)
{
    struct prefix_range r;
    struct day *d;

    range_of_prefix(id, &r.low, &r.high);
    s->n_places = 0;
    enum status status = id_scan(s->store, day, r, add_place, s, e);
    if (status == OK)
        status = store_day(s->store, day, false, &d, e);
    for (size_t i = 0; status == OK && d && i < s->n_places; i++)
        status = add_matching(s, d, &s->places[i], e);
    return status;
}

static int compare_facts_by_time(const void *a, const void *b)
{
    const struct fact *x = a, *y = b;

    if (x->ts_ns != y->ts_ns)
        return x->ts_ns < y->ts_ns ? -1 : 1;
    return (x->fn > y->fn) - (x->fn < y->fn);
}

static enum status check_one_id(const struct id_search *s, struct err *e)
{
    for (size_t i = 1; i < s->n; i++)
        if (!str_eq(s->rows[i].id, s->rows[0].id))
            return err_set(e, ERR_LIMIT,
                           "several request ids begin with \"" STR_FMT "\": " STR_FMT ", " STR_FMT
                           " ...",
                           STR_ARG(s->prefix), STR_ARG(s->rows[0].id), STR_ARG(s->rows[i].id));
    return OK;
}

enum status request_by_id(struct store *s, struct str id, struct arena *a, struct inv_rows *out,
                          struct err *e)
{
    struct id_search search = {.store = s, .prefix = id, .arena = a};
    struct best best = {.arena = a};
    enum status status = s->is_null ? OK : store_scan_days(s, e);

    if (id.n < SHORTEST_PREFIX)
        return err_set(e, ERR_USAGE,
                       "\"" STR_FMT "\" is too short for a request id: at least %u characters",
                       STR_ARG(id), SHORTEST_PREFIX);
    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++)
        status = search_day(&search, s->day_numbers[i], id, e);
    if (status != OK || (status = check_one_id(&search, e)) != OK)
        return status;
    if (search.n == 0)
        return err_set(e, ERR_NOT_FOUND, "no invocation has the request id " STR_FMT, STR_ARG(id));
    qsort(search.rows, search.n, sizeof(*search.rows), compare_facts_by_time);
    best.rows = search.rows;
    best.n = search.n;
    fill_answer(s, &best, 0, a, out);
    return OK;
}

/* --- events of environments --- */

#define EVENT_COLUMNS "ts, kind, dur, status, error, init_type, phase, runtime, stream"

static void read_event(struct store *s, const struct sql_stmt *st, int64_t day, struct arena *a,
                       struct instance_event *ev)
{
    *ev = (struct instance_event){
        .origin = dim_origin(s, (uint32_t)sql_i64(st, 8)),
        .time_ns = day * NS_PER_DAY + sql_i64(st, 0),
        .kind = (enum platform_kind)sql_i64(st, 1),
        .duration_ns = sql_i64(st, 2),
        .status = arena_str(a, sql_str(st, 3)),
        .error_type = arena_str(a, sql_str(st, 4)),
        .init_type = arena_str(a, sql_str(st, 5)),
        .phase = arena_str(a, sql_str(st, 6)),
        .runtime_version = arena_str(a, sql_str(st, 7)),
    };
}

enum status events_of_stream(struct store *s, uint32_t stream, struct range r, struct arena *a,
                             struct instance_event_list *out, struct err *e)
{
    enum status status = OK;
    size_t cap = 0;

    *out = (struct instance_event_list){0};
    for (int64_t day = day_of(r.since_ns); status == OK && day <= day_of(r.until_ns - 1); day++) {
        struct sql_stmt *st;
        struct day *d;
        bool has_row = false;
        status = store_day(s, day, false, &d, e);
        if (status != OK || !d)
            continue;
        status = sql_prepare(d->db,
                             STR("select " EVENT_COLUMNS
                                 " from env where stream = ? and ts >= ? and ts < ? order by ts"),
                             &st, e);
        if (status != OK)
            break;
        sql_bind_i64(st, 1, stream);
        sql_bind_i64(st, 2, r.since_ns - day * NS_PER_DAY);
        sql_bind_i64(st, 3, r.until_ns - day * NS_PER_DAY);
        while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
            out->rows = arena_grow(a, out->rows, out->n, &cap, sizeof(*out->rows));
            read_event(s, st, day, a, &out->rows[out->n++]);
        }
        sql_finalize(st);
    }
    return status;
}

/* Functions are told by their stream; the store numbers functions and knows which one a stream
 * belongs to. */
static uint32_t fn_of_stream(struct store *s, uint32_t stream)
{
    struct sql_stmt *st;
    bool has_row = false;
    uint32_t fn = 0;

    if (sql_prepare(s->meta, STR("select fn from stream where id = ?"), &st, NULL) != OK)
        return 0;
    sql_bind_i64(st, 1, stream);
    if (sql_step(st, &has_row, NULL) == OK && has_row)
        fn = (uint32_t)sql_i64(st, 0);
    sql_finalize(st);
    return fn;
}

enum status request_instance_events(struct store *s, struct range r, uint32_t fn_id,
                                    instance_event_fn *fn, void *ctx, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    enum status status = s->is_null ? OK : store_scan_days(s, e);

    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++) {
        int64_t day = s->day_numbers[i];
        struct range c = clip(r, day);
        struct sql_stmt *st;
        struct day *d;
        bool has_row = false;
        if (c.since_ns >= c.until_ns)
            continue;
        status = store_day(s, day, false, &d, e);
        if (status != OK || !d)
            continue;
        status = sql_prepare(
            d->db,
            STR("select " EVENT_COLUMNS " from env where ts >= ? and ts < ? order by ts, stream"),
            &st, e);
        if (status != OK)
            break;
        sql_bind_i64(st, 1, c.since_ns - day * NS_PER_DAY);
        sql_bind_i64(st, 2, c.until_ns - day * NS_PER_DAY);
        while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
            struct instance_event ev;
            uint32_t owner = fn_of_stream(s, (uint32_t)sql_i64(st, 8));
            if (fn_id != 0 && owner != fn_id)
                continue;
            read_event(s, st, day, &a, &ev);
            status = fn(ctx, owner, &ev, e);
            if (status != OK)
                break;
        }
        sql_finalize(st);
    }
    return status == ERR_CANCELLED ? OK : status;
}

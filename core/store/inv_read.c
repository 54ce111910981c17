/* Invocations: pages, one by one, by request id. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/store/id_groups.h"

/* --- what passes --- */

static bool is_of_trace(const struct fact *f, struct str id)
{
    uint8_t packed[16];

    if (f->trace.n == 0 || !f->trace_is_packed)
        return str_eq(f->trace, id);
    return trace_pack(id, packed) && memcmp(f->trace.p, packed, sizeof(packed)) == 0;
}

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
    if (q->trace_id.n > 0 && !is_of_trace(f, q->trace_id))
        return false;
    return q->instance.n == 0 || str_eq(q->instance, dim_origin(s, f->stream)->instance);
}

/* --- reading one function of one day --- */

struct scan {
    struct store *store;
    const struct inv_request *request;
    struct arena *arena;  /* for ids */
    struct arena scratch; /* of one test */
    size_t most;          /* of an hour no more are wanted, in the order of time; 0: all are */
    bool newest_first;
    fact_fn *fn;
    void *ctx;
};

static bool passes_test(struct scan *sc, struct fact f)
{
    const struct inv_request *q = sc->request;
    struct invocation inv;

    if (!q->test)
        return true;
    arena_reset(&sc->scratch);
    fact_settle(&f, &sc->scratch);
    fact_to_invocation(sc->store, &f, &inv);
    return q->test(q->test_ctx, &inv);
}

struct hour_order {
    int64_t ts_ns;
    size_t place; /* among facts of the same time the order of arrival */
};

/* The facts of one hour that pass. They are read before they are given, so that they come in the
 * order of time whatever order they were stored in. */
struct hour_facts {
    struct arena arena; /* of everything here */
    struct fact *rows, *spare;
    struct hour_order *order;
    size_t n, cap, spare_cap, order_cap;
};

static int compare_order(const void *a, const void *b)
{
    const struct hour_order *x = a, *y = b;

    if (x->ts_ns != y->ts_ns)
        return x->ts_ns < y->ts_ns ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static const struct hour_order *sort_hour(struct hour_facts *h)
{
    bool is_sorted = true;

    while (h->order_cap < h->n)
        h->order = arena_grow(&h->arena, h->order, h->order_cap, &h->order_cap, sizeof(*h->order));
    struct hour_order *order = h->order;

    for (size_t i = 0; i < h->n; i++) {
        order[i] = (struct hour_order){h->rows[i].ts_ns, i};
        is_sorted = is_sorted && (i == 0 || order[i - 1].ts_ns <= order[i].ts_ns);
    }
    if (!is_sorted)
        qsort(order, h->n, sizeof(*order), compare_order);
    return order;
}

static enum status give_hour(const struct scan *sc, struct hour_facts *h, struct err *e)
{
    const struct hour_order *order = sort_hour(h);
    enum status s = OK;

    for (size_t i = 0; s == OK && i < h->n; i++) {
        struct fact f = h->rows[order[sc->newest_first ? h->n - 1 - i : i].place];
        fact_settle(&f, sc->arena);
        s = sc->fn(sc->ctx, &f, e);
    }
    return s;
}

/* Leaves those that will be given first, of which no more than sc->most are. */
static void trim_hour(const struct scan *sc, struct hour_facts *h)
{
    const struct hour_order *order = sort_hour(h);
    size_t first = sc->newest_first ? h->n - sc->most : 0;
    struct fact *rows = h->rows;
    size_t cap = h->cap;

    while (h->spare_cap < sc->most)
        h->spare = arena_grow(&h->arena, h->spare, h->spare_cap, &h->spare_cap, sizeof(*h->spare));
    for (size_t i = 0; i < sc->most; i++)
        h->spare[i] = rows[order[first + i].place];
    h->rows = h->spare;
    h->cap = h->spare_cap;
    h->n = sc->most;
    h->spare = rows;
    h->spare_cap = cap;
}

static enum status read_hour(struct scan *sc, struct fact_cursor *c, struct hour_facts *h,
                             struct err *e)
{
    bool has_fact = false;
    struct fact f;
    enum status s;

    while ((s = fact_cursor_next(c, &f, &has_fact, e)) == OK && has_fact) {
        if (!passes(sc->store, sc->request, &f) || !passes_test(sc, f))
            continue;
        h->rows = arena_grow(&h->arena, h->rows, h->n, &h->cap, sizeof(*h->rows));
        h->rows[h->n++] = f;
        if (sc->most > 0 && h->n >= 2 * sc->most)
            trim_hour(sc, h);
    }
    return s;
}

static enum status scan_hour(struct scan *sc, struct fact_cursor *c, uint32_t fn, struct range r,
                             struct err *e)
{
    struct hour_facts h = {0};

    c->keep = &h.arena;
    fact_cursor_seek(c, fn, r);
    enum status s = read_hour(sc, c, &h, e);
    if (s == OK && h.n > 0)
        s = give_hour(sc, &h, e);
    arena_clear(&h.arena);
    return s;
}

static enum status scan_day(struct scan *sc, int64_t day, uint32_t fn, struct err *e)
{
    AUTO(fact_cursor_close) struct fact_cursor c = {0};
    struct range r = range_of_day(sc->request->range, day);
    struct day *d;

    if (r.since_ns >= r.until_ns)
        return OK;
    enum status s = store_day(sc->store, day, false, &d, e);
    if (s != OK || !d)
        return s;
    if ((s = facts_narrow(d, fn, &r, e)) != OK || r.since_ns >= r.until_ns)
        return s;
    s = fact_cursor_open(&c, d, e);
    unsigned first = hour_of_day(r.since_ns, day), last = hour_of_day(r.until_ns - 1, day);
    for (unsigned k = 0; s == OK && k <= last - first; k++) {
        unsigned hour = sc->newest_first ? last - k : first + k;
        s = scan_hour(sc, &c, fn, range_of_hour(r, day, hour), e);
    }
    return s;
}

static enum status scan_fn(struct scan *sc, uint32_t fn, struct err *e)
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

    if (status == OK)
        *n = keep_passing(s, &q->fn, q->fn_id, *ids, *n);
    return status;
}

/* --- the best N: a heap with the worst of them on top --- */

struct best {
    enum inv_order order;
    bool is_reversed;
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
static int compare_forward(enum inv_order order, const struct fact *x, const struct fact *y)
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

static int compare_by(const struct best *b, const struct fact *x, const struct fact *y)
{
    return b->is_reversed ? compare_forward(b->order, y, x) : compare_forward(b->order, x, y);
}

static void swap_rows(struct best *b, size_t i, size_t k)
{
    struct fact f = b->rows[i];

    b->rows[i] = b->rows[k];
    b->rows[k] = f;
}

static void sift_up(struct best *b, size_t i)
{
    for (; i > 0 && compare_by(b, &b->rows[(i - 1) / 2], &b->rows[i]) > 0; i = (i - 1) / 2)
        swap_rows(b, i, (i - 1) / 2);
}

static void sift_down(struct best *b, size_t i, size_t n)
{
    for (;;) {
        size_t worst = i, left = 2 * i + 1;
        if (left < n && compare_by(b, &b->rows[worst], &b->rows[left]) > 0)
            worst = left;
        if (left + 1 < n && compare_by(b, &b->rows[worst], &b->rows[left + 1]) > 0)
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
        if (compare_by(b, f, &b->rows[0]) <= 0)
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

    sc->newest_first = (b->order == INV_NEWEST) != b->is_reversed;
    sc->most = is_time && b->limit > 0 ? b->limit + 1 : 0; /* one more tells that there are */
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
    struct best best = {.order = q->order,
                        .is_reversed = q->is_reversed,
                        .limit = q->limit ? q->limit + q->offset : 0,
                        .arena = a};
    struct scan sc = {.store = s, .request = q, .arena = a};
    uint32_t *ids = NULL;
    size_t n = 0;

    *out = (struct inv_rows){0};
    if (s->is_null)
        return OK;
    enum status status = wanted_fns(s, q, a, &ids, &n, e);
    store_hold(s, q->range);
    for (size_t i = 0; status == OK && i < n; i++)
        status = collect_fn(&sc, &best, ids[i], e);
    store_release(s);
    arena_clear(&sc.scratch);
    if (status != OK)
        return status;
    sort_best(&best);
    fill_answer(s, &best, q->offset, a, out);
    return OK;
}

/* --- one by one --- */

struct each {
    struct store *store;
    struct dim_names_aside aside;
    bool names_pass;
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
    if (each->names_pass)
        dim_names_pass(each->store, &each->aside);
    return s;
}

enum status request_scan(struct store *s, const struct inv_request *q, inv_fn *fn, void *ctx,
                         struct err *e)
{
    AUTO(arena_clear) struct arena ids_arena = {0};
    AUTO(arena_clear) struct arena row = {0};
    struct each each = {.store = s, .names_pass = q->names_pass, .row = &row, .fn = fn, .ctx = ctx};
    struct scan sc = {.store = s, .request = q, .arena = &row, .fn = give_one, .ctx = &each};
    uint32_t *ids = NULL;
    size_t n = 0;
    enum status status = s->is_null ? OK : wanted_fns(s, q, &ids_arena, &ids, &n, e);

    store_hold(s, q->range);
    for (size_t i = 0; status == OK && i < n; i++)
        status = scan_fn(&sc, ids[i], e);
    store_release(s);
    dim_names_return(s, &each.aside);
    arena_clear(&sc.scratch);
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
        if (s->rows[i].ts_ns == f->ts_ns && s->rows[i].fn == f->fn &&
            s->rows[i].stream == f->stream && str_eq(s->rows[i].id, f->id))
            return true;
    return false;
}

static enum status add_matching(void *ctx, const struct fact *f, struct err *e)
{
    struct id_search *s = ctx;
    struct fact own = *f;

    UNUSED(e);
    if (fact_has_other_id(f, s->prefix))
        return OK;
    fact_settle(&own, s->arena);
    if (!str_starts(own.id, s->prefix) || is_known(s, &own))
        return OK;
    s->rows = arena_grow(s->arena, s->rows, s->n, &s->cap, sizeof(*s->rows));
    s->rows[s->n++] = own;
    return OK;
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
        const char c = id.p[n];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
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
        status = facts_at(d, &s->places[i], (struct fact_sink){add_matching, s, false}, e);
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

static enum status search_days(struct id_search *search, struct str id, struct err *e)
{
    struct store *s = search->store;
    enum status status = s->is_null ? OK : store_scan_days(s, e);

    search->prefix = id;
    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++)
        status = search_day(search, s->day_numbers[i], id, e);
    return status == OK ? check_one_id(search, e) : status;
}

enum status request_by_id(struct store *s, struct str id, struct arena *a, struct inv_rows *out,
                          struct err *e)
{
    struct id_search search = {.store = s, .arena = a};
    struct best best = {.arena = a};

    id = str_trim(id);
    if (id.n < SHORTEST_PREFIX)
        return err_set(e, ERR_USAGE,
                       "\"" STR_FMT "\" is too short for a request id: at least %u characters",
                       STR_ARG(id), SHORTEST_PREFIX);
    enum status status = search_days(&search, id, e);
    if (status == OK && search.n == 0) /* UUIDs are stored in small letters */
        status = search_days(&search, arena_lower(a, id), e);
    if (status != OK)
        return status;
    if (search.n == 0)
        return err_set(e, ERR_NOT_FOUND, "no invocation has the request id " STR_FMT, STR_ARG(id));
    qsort(search.rows, search.n, sizeof(*search.rows), compare_facts_by_time);
    best.rows = search.rows;
    best.n = search.n;
    fill_answer(s, &best, 0, a, out);
    return OK;
}

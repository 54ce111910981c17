/* Which group of facts holds a request id, for who looks up many in one hour of a function: in
 * memory, by the ids' prefixes, and brought up to date by reading what changed. Without it each
 * look-up walks the groups of its hour, or unpacks all of them where their times are one. */
#include "core/store/id_groups.h"

#include <stdlib.h>

#include "core/base/map.h"
#include "core/base/mem.h"

enum {
    ASKED_OFTEN = 16,      /* fewer look-ups of an hour are not worth it */
    MOST_PLACES = 1 << 20, /* of a day file, 20 bytes each; then all begins anew */
    NO_PLACE = 0           /* places count from 1 */
};

struct group_mark {
    int64_t id, sum;
    uint32_t version; /* of its places */
    bool is_gone;
};

struct id_place {
    uint32_t prefix, group, version, next;
};

struct hour_ids {
    int64_t first_id, last_id;
    unsigned n_asked;
    int64_t version; /* of the file; 0: nothing was read */
    struct group_mark *groups;
    size_t n_groups, cap_groups;
    struct id_place *places; /* the first is none */
    size_t n_places, cap_places;
    uint32_t *heads;
    unsigned bits;
};

struct id_groups {
    struct idmap index; /* group_first_id -> place in hours */
    struct hour_ids *hours;
    size_t n, cap, n_places;
    bool has_sums; /* else the file was older than migration 7 */
    struct sql_stmt *version, *changes, *group;
};

static void clear_hour(struct hour_ids *h)
{
    free(h->groups);
    free(h->places);
    free(h->heads);
    *h = (struct hour_ids){.first_id = h->first_id, .last_id = h->last_id, .n_asked = h->n_asked};
}

static void clear_hours(struct id_groups *g)
{
    for (size_t i = 0; i < g->n; i++)
        clear_hour(&g->hours[i]);
    g->n = g->n_places = 0;
    idmap_reset(&g->index);
}

void id_groups_free(struct id_groups *g)
{
    if (!g)
        return;
    clear_hours(g);
    idmap_clear(&g->index);
    free(g->hours);
    sql_finalize(g->version);
    sql_finalize(g->changes);
    sql_finalize(g->group);
    free(g);
}

/* --- one hour --- */

static uint32_t *head_of(const struct hour_ids *h, uint32_t prefix)
{
    return &h->heads[(prefix * UINT32_C(2654435769)) >> (32 - h->bits)];
}

static bool is_live(const struct hour_ids *h, const struct id_place *p)
{
    const struct group_mark *m = &h->groups[p->group];

    return !m->is_gone && m->version == p->version;
}

static void link_place(struct hour_ids *h, size_t at)
{
    uint32_t *head = head_of(h, h->places[at].prefix);

    h->places[at].next = *head;
    *head = (uint32_t)at;
}

/* Twice as many chains, without the places of groups that changed. */
static void link_anew(struct hour_ids *h)
{
    size_t n = NO_PLACE + 1;

    for (size_t i = n; i < h->n_places; i++)
        if (is_live(h, &h->places[i]))
            h->places[n++] = h->places[i];
    h->n_places = n;
    for (h->bits = 10; (size_t)1 << h->bits < 2 * n;)
        h->bits++;
    free(h->heads);
    h->heads = xcalloc((size_t)1 << h->bits, sizeof(*h->heads));
    for (size_t i = NO_PLACE + 1; i < n; i++)
        link_place(h, i);
}

static void add_place(struct hour_ids *h, uint32_t prefix, size_t group)
{
    if (h->n_places == 0)
        h->n_places = NO_PLACE + 1;
    if (h->bits == 0 || h->n_places > (size_t)1 << h->bits)
        link_anew(h);
    h->places = mem_grow(h->places, h->n_places, &h->cap_places, sizeof(*h->places));
    h->places[h->n_places] = (struct id_place){
        .prefix = prefix, .group = (uint32_t)group, .version = h->groups[group].version};
    link_place(h, h->n_places++);
}

static uint32_t prefix_of(const struct fact *f)
{
    const uint8_t *b = (const uint8_t *)f->id.p;

    return f->id_is_packed
               ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]
               : id_prefix(f->id);
}

/* What is damaged is left out here: whoever reads it on the long way is told. */
static void add_places(struct hour_ids *h, struct sql_stmt *st, int64_t day, size_t group)
{
    const int64_t base = day * NS_PER_DAY;
    struct group_reader r;
    struct fact f;

    group_open(&r, group_fn(sql_i64(st, 0)),
               (struct range){base + sql_i64(st, 2), base + sql_i64(st, 3)}, sql_blob(st, 4));
    while (group_next(&r, &f))
        add_place(h, prefix_of(&f), group);
}

/* Groups are appended, rewritten or dropped. False: not so, read all anew. */
static bool take_group(struct hour_ids *h, struct sql_stmt *st, int64_t day, size_t *at)
{
    const int64_t id = sql_i64(st, 0), sum = sql_i64(st, 1);

    while (*at < h->n_groups && h->groups[*at].id < id)
        h->groups[(*at)++].is_gone = true;
    if (*at < h->n_groups && h->groups[*at].id != id)
        return false;
    if (*at == h->n_groups) {
        h->groups = mem_grow(h->groups, h->n_groups, &h->cap_groups, sizeof(*h->groups));
        h->groups[h->n_groups++] = (struct group_mark){.id = id, .is_gone = true};
    }
    struct group_mark *m = &h->groups[*at];
    if (m->is_gone || m->sum != sum) {
        *m = (struct group_mark){.id = id, .sum = sum, .version = m->version + 1};
        add_places(h, st, day, *at);
    }
    (*at)++;
    return true;
}

static enum status read_changes(struct id_groups *g, struct hour_ids *h, int64_t day, bool *is_done,
                                struct err *e)
{
    enum status s = OK;
    bool has_row = true;
    size_t at = 0;

    *is_done = true;
    sql_bind_i64(g->changes, 1, h->first_id);
    sql_bind_i64(g->changes, 2, h->last_id);
    while (*is_done && (s = sql_step(g->changes, &has_row, e)) == OK && has_row)
        *is_done = take_group(h, g->changes, day, &at);
    sql_reset(g->changes);
    for (; s == OK && *is_done && at < h->n_groups; at++)
        h->groups[at].is_gone = true;
    return s;
}

/* --- a day --- */

static enum status prepare(struct day *d, struct err *e)
{
    struct id_groups *g = d->id_groups;

    if (g->group)
        return OK;
    enum status s = sql_prepare(d->db, STR("pragma data_version"), &g->version, e);
    if (s == OK)
        s = sql_prepare(d->db,
                        STR("select id, sum, t0, t1, data from facts where id between ? and ?"
                            " order by id"),
                        &g->changes, e);
    return s == OK ? sql_prepare(d->db, STR("select t0, t1, data from facts where id = ?"),
                                 &g->group, e)
                   : s;
}

static struct hour_ids *hour_of(struct id_groups *g, uint32_t fn, unsigned hour)
{
    bool is_new;
    uint64_t *at = idmap_put(&g->index, (uint64_t)group_first_id(fn, hour), &is_new);

    if (!is_new)
        return &g->hours[*at];
    *at = g->n;
    g->hours = mem_grow(g->hours, g->n, &g->cap, sizeof(*g->hours));
    g->hours[g->n] =
        (struct hour_ids){.first_id = group_first_id(fn, hour), .last_id = group_last_id(fn, hour)};
    return &g->hours[g->n++];
}

static enum status file_version(struct id_groups *g, int64_t *version, struct err *e)
{
    bool has_row = false;
    enum status s = sql_step(g->version, &has_row, e);

    *version = s == OK && has_row ? sql_i64(g->version, 0) : 0;
    sql_reset(g->version);
    return s;
}

static enum status bring_up_to_date(struct day *d, struct hour_ids *h, struct err *e)
{
    struct id_groups *g = d->id_groups;
    bool is_done = false;
    int64_t version;
    enum status s = file_version(g, &version, e);

    if (s != OK || version == h->version)
        return s;
    const size_t before = h->n_places;
    s = read_changes(g, h, d->number, &is_done, e);
    if (s == OK && !is_done) {
        clear_hour(h);
        s = read_changes(g, h, d->number, &is_done, e);
    }
    h->version = is_done ? version : 0;
    g->n_places += h->n_places - before;
    return s;
}

static bool is_worth_it(struct day *d, const struct id_entry *at, struct hour_ids **hour)
{
    if (!d->is_read_only || !d->has_groups)
        return false;
    if (!d->id_groups) {
        d->id_groups = xcalloc(1, sizeof(*d->id_groups));
        d->id_groups->has_sums = schema_has_sums(d->db);
    }
    if (!d->id_groups->has_sums)
        return false;
    if (d->id_groups->n_places > MOST_PLACES)
        clear_hours(d->id_groups);
    *hour = hour_of(d->id_groups, at->fn, at->second / 3600);
    return ++(*hour)->n_asked >= ASKED_OFTEN;
}

/* False: the group is damaged. */
static bool give_group(const struct id_groups *g, const struct id_entry *at, int64_t day,
                       struct fact_sink sink, enum status *s, struct err *e)
{
    const int64_t base = day * NS_PER_DAY, since_ns = base + at->second * NS_PER_SEC;
    struct group_reader r;
    struct fact f;

    group_open(&r, at->fn, (struct range){base + sql_i64(g->group, 0), base + sql_i64(g->group, 1)},
               sql_blob(g->group, 2));
    while (*s == OK && group_next(&r, &f))
        if (f.ts_ns >= since_ns && f.ts_ns < since_ns + NS_PER_SEC &&
            (sink.has_forged || !(f.evidence & EV_FORGED)))
            *s = sink.fn(sink.ctx, &f, e);
    return !r.in.is_bad;
}

static enum status give_group_of_id(const struct id_groups *g, int64_t id,
                                    const struct id_entry *at, const struct day *d,
                                    struct fact_sink sink, struct err *e)
{
    const struct str db = sql_path(d->db);
    bool has_row = false;

    sql_bind_i64(g->group, 1, id);
    enum status s = sql_step(g->group, &has_row, e);
    if (s == OK && has_row && !give_group(g, at, d->number, sink, &s, e))
        s = err_set(e, ERR_PARSE,
                    STR_FMT ": a damaged group of invocations: run `fnscope db verify`",
                    STR_ARG(db));
    sql_reset(g->group);
    return s;
}

static enum status give_places(const struct day *d, const struct hour_ids *h,
                               const struct id_entry *at, struct fact_sink sink, struct err *e)
{
    uint32_t i = h->bits > 0 ? *head_of(h, at->prefix) : NO_PLACE, last = UINT32_MAX;
    enum status s = OK;

    for (; s == OK && i != NO_PLACE; i = h->places[i].next) {
        const struct id_place *p = &h->places[i];
        if (p->prefix != at->prefix || p->group == last || !is_live(h, p))
            continue;
        last = p->group; /* its places follow each other */
        s = give_group_of_id(d->id_groups, h->groups[p->group].id, at, d, sink, e);
    }
    return s;
}

enum status facts_at(struct day *d, const struct id_entry *at, struct fact_sink sink, struct err *e)
{
    const int64_t since_ns = d->number * NS_PER_DAY + at->second * NS_PER_SEC;
    struct hour_ids *h;

    if (!is_worth_it(d, at, &h))
        return facts_each(d, at->fn, (struct range){since_ns, since_ns + NS_PER_SEC}, sink, e);
    enum status s = prepare(d, e);
    if (s == OK)
        s = bring_up_to_date(d, h, e);
    return s == OK ? give_places(d, h, at, sink, e) : s;
}

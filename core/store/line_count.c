/* Counts of log lines over a range: whole chunks by their tallies, only those at its edges are
 * read. */
#include "core/base/timefmt.h"
#include "core/store/store_private.h"

struct counter {
    const struct count_request *q;
    struct fn_choice choice;
    struct chunk_reader reader;
    struct arena heads;
    line_counts_fn *fn;
    void *ctx;
};

static void counter_clear(struct counter *c)
{
    fn_choice_clear(&c->choice);
    chunk_reader_clear(&c->reader);
    arena_clear(&c->heads);
}

/* All its lines fall into the range, and into one step of it. */
static bool is_whole(const struct counter *c, int64_t first_ns, int64_t last_ns)
{
    const struct count_request *q = c->q;

    return first_ns >= q->range.since_ns && last_ns < q->range.until_ns &&
           time_floor(first_ns, q->step_ns) == time_floor(last_ns, q->step_ns);
}

static bool count_tally(struct counter *c, const struct chunk_head *h, int64_t time_ns)
{
    struct varint_reader in = {.rest = h->tally};
    struct tally_row row = {0};

    while (line_tally_next(&in, &row))
        if (fn_choice_passes(&c->choice, row.fn))
            c->fn(c->ctx, time_ns, row.fn, &row.counts);
    return !in.is_bad;
}

static void count_lines(struct counter *c)
{
    struct chunk_cursor at;
    struct chunk_line l;

    chunk_begin(&at, &c->reader.text);
    while (chunk_next(&at, &l)) {
        if (l.time_ns < c->q->range.since_ns || l.time_ns >= c->q->range.until_ns)
            continue;
        uint32_t fn = fn_choice_of_stream(&c->choice, l.stream);
        struct line_counts one = {1, l.body.n, l.severity >= SEVERITY_ERROR};
        if (fn_choice_passes(&c->choice, fn))
            c->fn(c->ctx, l.time_ns, fn, &one);
    }
}

static enum status count_chunk(struct counter *c, const struct chunk_head *h, struct err *e)
{
    const int64_t base = c->reader.day->number * NS_PER_DAY;

    if (h->tally.n > 0 && is_whole(c, base + h->t0, base + h->t1))
        return count_tally(c, h, base + h->t0)
                   ? OK
                   : err_set(e, ERR_PARSE,
                             STR_FMT ": a damaged count of lines: run `fnscope db verify`",
                             STR_ARG(sql_path(c->reader.day->db)));
    if (!chunk_may_hold(h, &c->choice))
        return OK;
    enum status s = chunk_reader_read(&c->reader, h, e);
    if (s == OK)
        count_lines(c);
    return s;
}

static enum status count_day(struct counter *c, struct day *d, struct err *e)
{
    struct chunk_wanted w = {.range = c->q->range, .shard = fn_choice_shard(&c->choice)};
    struct chunk_heads heads = {0};
    enum status s = chunk_heads_read(d, &w, &c->heads, &heads, e);

    if (s == OK)
        s = chunk_reader_begin(&c->reader, d, e);
    for (size_t i = 0; s == OK && i < heads.n; i++)
        s = count_chunk(c, &heads.rows[i], e);
    chunk_reader_end(&c->reader);
    arena_reset(&c->heads);
    return s;
}

enum status lines_count(struct store *s, const struct count_request *q, line_counts_fn *fn,
                        void *ctx, struct err *e)
{
    AUTO(counter_clear)
    struct counter c = {.q = q, .choice = {s, q->fn_id, q->filter, {0}, {0}}, .fn = fn, .ctx = ctx};
    enum status status = OK;

    chunk_reader_init(&c.reader);
    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++) {
        struct range r = range_of_day(q->range, s->day_numbers[i]);
        struct day *d;
        if (r.since_ns >= r.until_ns)
            continue;
        status = store_day(s, s->day_numbers[i], false, &d, e);
        if (status == OK && d)
            status = count_day(&c, d, e);
    }
    return status;
}

/* Hours that together hold some ten thousand invocations are asked for at once. */
#include "cli/inv_stream.h"

#include "core/base/row_sort.h"

struct inv_stream {
    struct store *store;
    const struct inv_request *request;
    struct series hours;
    struct arena arena; /* of one piece, or of the row to be sorted */
    struct table_stream *rows;
    size_t left; /* rows that may follow; 0: any number */
    struct row_sort *sort;
    struct table row; /* to be sorted */
};

static void inv_stream_clear(struct inv_stream *v)
{
    row_sort_free(v->sort);
    arena_clear(&v->arena);
}

/* --- pieces of the range --- */

/* The hours from the one to before the other, counted in the order asked for. */
static struct range piece_of(const struct inv_stream *v, size_t from, size_t to)
{
    const struct range all = v->request->range;
    const struct series *hours = &v->hours;
    const bool is_newest = v->request->order == INV_NEWEST;
    const size_t low = is_newest ? hours->n - to : from, high = is_newest ? hours->n - from : to;
    const int64_t since_ns = hours->since_ns + (int64_t)low * NS_PER_HOUR,
                  until_ns = hours->since_ns + (int64_t)high * NS_PER_HOUR;

    return (struct range){since_ns > all.since_ns ? since_ns : all.since_ns,
                          until_ns < all.until_ns ? until_ns : all.until_ns};
}

typedef enum status piece_fn(struct inv_stream *v, const struct inv_request *piece, struct err *e);

static enum status each_piece(struct inv_stream *v, piece_fn *fn, struct err *e)
{
    const bool is_newest = v->request->order == INV_NEWEST;
    struct inv_request piece = *v->request;
    enum status status = OK;
    uint64_t n = 0;

    for (size_t i = 0, first = 0; status == OK && i < v->hours.n; i++) {
        n += v->hours.points[is_newest ? v->hours.n - 1 - i : i].n;
        if (n < INV_STREAM_FROM && i + 1 < v->hours.n)
            continue;
        piece.range = piece_of(v, first, i + 1);
        arena_reset(&v->arena);
        store_forget(v->store);
        status = fn(v, &piece, e);
        first = i + 1;
        n = 0;
    }
    return status == ERR_CANCELLED ? OK : status;
}

/* --- in the order of time --- */

static enum status give_piece(struct inv_stream *v, const struct inv_request *piece, struct err *e)
{
    struct inv_request q = *piece;
    struct inv_rows rows;

    q.limit = v->left;
    if (request_invocations(v->store, &q, &v->arena, &rows, e) != OK)
        return e->code;
    for (size_t i = 0; i < rows.n; i++) {
        invocation_table_row(&v->rows->table, &rows.rows[i]);
        if (table_stream_row(v->rows) != OK)
            return ERR_CANCELLED;
    }
    if (table_stream_flush(v->rows) != OK || (v->left > 0 && (v->left -= rows.n) == 0))
        return ERR_CANCELLED;
    return OK;
}

static enum status give_by_time(struct inv_stream *v, struct err *e)
{
    v->left = v->request->limit;
    return each_piece(v, give_piece, e);
}

/* --- in another order --- */

static int64_t value_of(enum inv_order order, const struct invocation *inv)
{
    switch (order) {
    case INV_SLOWEST:
        return inv->duration_ns;
    case INV_COSTLIEST:
        return inv->cost;
    case INV_MOST_MEMORY:
        return (int64_t)inv->max_memory_bytes;
    case INV_LONGEST_INIT:
        return inv->init_ns;
    case INV_NEWEST:
    case INV_OLDEST:
    default:
        return 0;
    }
}

static enum status sort_one(void *ctx, uint32_t fn_id, const struct invocation *inv, struct err *e)
{
    struct inv_stream *v = ctx;
    const struct row_key key = {value_of(v->request->order, inv), inv->start_ns, fn_id, inv->id};

    arena_reset(&v->arena);
    invocation_table_init(&v->row, &v->arena);
    invocation_table_row(&v->row, inv);
    return row_sort_add(v->sort, &key, &v->row, e);
}

static enum status sort_piece(struct inv_stream *v, const struct inv_request *piece, struct err *e)
{
    return request_scan(v->store, piece, sort_one, v, e);
}

static enum status give_sorted(struct inv_stream *v, struct err *e)
{
    if (!v->sort && (row_sort_new(&v->sort, e) != OK || each_piece(v, sort_piece, e) != OK))
        return e->code;
    return row_sort_give(v->sort, v->request->limit, v->rows, e);
}

/* --- either --- */

static enum status give(void *ctx, struct table_stream *rows, struct err *e)
{
    struct inv_stream *v = ctx;
    const enum inv_order order = v->request->order;

    v->rows = rows;
    return order == INV_NEWEST || order == INV_OLDEST ? give_by_time(v, e) : give_sorted(v, e);
}

enum status inv_stream_print(struct cli *c, struct store *s, const struct inv_request *q,
                             struct err *e)
{
    AUTO(inv_stream_clear) struct inv_stream v = {.store = s, .request = q};
    const struct series_request by_hour = {.range = q->range, .step_ns = NS_PER_HOUR, .fn = q->fn};
    const struct table_out out = cli_table_out(c);

    if (request_series(s, &by_hour, c->arena, &v.hours, e) != OK)
        return e->code;
    return table_stream_print(&out, &invocation_table_shape, give, &v, e);
}

/* Reads what is stored through a connection of its own, and stores what the settings price
 * differently by the way late evidence takes: the row is replaced, its sums are counted again. */
#include "cli/reprice.h"

#define ROWS_A_BATCH 4096u

struct repricer {
    struct store *store;
    struct packer *packer;
    const struct cost_context *cost;
    struct cost_memo before;
    struct batch *batch;
    uint64_t changed;
};

static bool is_same_price(const struct invocation *a, const struct invocation *b)
{
    return a->cost == b->cost && a->is_priced == b->is_priced && a->arch == b->arch &&
           a->storage_bytes == b->storage_bytes && a->evidence == b->evidence;
}

static enum status store_rows(struct repricer *r, bool is_last, struct err *e)
{
    struct pack *pack = NULL;
    enum status s = store_pack(r->packer, r->batch, is_last, &pack, e);

    if (s == OK && pack != NULL && (s = store_commit(r->store, pack, e)) != OK)
        pack_free(pack);
    batch_free(r->batch);
    r->batch = batch_new();
    return s;
}

static void keep_row(struct repricer *r, const struct invocation *inv)
{
    struct invocation *row = batch_invocation(r->batch);
    struct arena *a = &r->batch->arena;

    *row = *inv;
    row->origin = batch_origin(r->batch, inv->origin);
    row->id = arena_str(a, inv->id);
    row->trace_id = arena_str(a, inv->trace_id);
    row->error_type = arena_str(a, inv->error_type);
    row->version = arena_str(a, inv->version);
    row->pieces = arena_str(a, inv->pieces);
    r->changed++;
}

/* The stored architecture came from the settings of its time: it is no evidence. */
static enum status reprice_one(void *ctx, uint32_t fn_id, const struct invocation *inv,
                               struct err *e)
{
    struct repricer *r = ctx;
    struct invocation now = *inv;

    UNUSED(fn_id);
    if (!inv->is_final)
        return OK;
    now.arch = ARCH_UNKNOWN;
    if (cost_invocation(r->cost, &r->before, &now, e) != OK)
        return err_wrap(e, "reprice");
    if (is_same_price(inv, &now))
        return OK;
    keep_row(r, &now);
    return r->batch->n_invocations >= ROWS_A_BATCH ? store_rows(r, false, e) : OK;
}

static enum status reprice_all(struct repricer *r, struct store *reader, struct err *e)
{
    const struct inv_request all = {.range = {INT64_MIN / 2, INT64_MAX / 2}};
    enum status s = store_begin_pricing(r->store, e);

    if (s == OK)
        s = request_scan(reader, &all, reprice_one, r, e);
    if (s == OK)
        s = store_rows(r, true, e);
    if (s == OK)
        s = store_end_pricing(r->store, cost_fingerprint(r->cost), e);
    return s == OK ? store_priced_anew(r->store, e) : s;
}

/* What other settings priced beside them stays as it is. */
static enum status reprice_fns(struct repricer *r, struct store *reader,
                               const struct stale_fns *stale, struct err *e)
{
    enum status s = OK;

    for (size_t i = 0; s == OK && i < stale->n; i++) {
        const struct inv_request of_fn = {.range = {INT64_MIN / 2, INT64_MAX / 2},
                                          .fn_id = stale->ids[i]};
        s = request_scan(reader, &of_fn, reprice_one, r, e);
    }
    if (s == OK)
        s = store_rows(r, true, e);
    return s == OK ? store_priced_anew(r->store, e) : s;
}

static enum status with_fresh_prices(struct cli *c, struct repricer *r, struct store *reader,
                                     const struct stale_fns *only, struct err *e)
{
    AUTO(cli_cost_clear) struct cli_cost cost = {0};
    const bool was_quiet = c->settings->is_quiet;

    c->settings->is_quiet = true; /* what opening the prices would say is what we are here for */
    enum status s = cli_cost_open(c, reader, &cost, e);
    c->settings->is_quiet = was_quiet;
    cost.context.keeps_stored = false;
    r->cost = &cost.context;
    r->batch = batch_new();
    if (s == OK)
        s = packer_new(r->store, &r->packer, e);
    if (s == OK)
        s = store_migrate(r->store, e);
    if (s == OK)
        s = only != NULL ? reprice_fns(r, reader, only, e) : reprice_all(r, reader, e);
    r->cost = NULL;
    batch_free(r->batch);
    packer_free(r->packer);
    return s;
}

enum status reprice(struct cli *c, struct store *s, uint64_t *changed, struct err *e)
{
    AUTO(cli_close_store) struct store *reader = NULL;
    struct repricer r = {.store = s};
    enum status status = cli_open_as_stored(c, true, &reader, e);

    if (status == OK)
        status = with_fresh_prices(c, &r, reader, NULL, e);
    if (status == OK)
        *changed = r.changed;
    return status;
}

enum status reprice_moved(struct cli *c, struct store *s, struct err *e)
{
    AUTO(cli_close_store) struct store *reader = NULL;
    struct repricer r = {.store = s};
    struct stale_fns stale;
    enum status status = request_stale_fns(s, c->arena, &stale, e);

    if (status != OK || stale.n == 0)
        return status;
    status = cli_open_as_stored(c, true, &reader, e);
    return status == OK ? with_fresh_prices(c, &r, reader, &stale, e) : status;
}

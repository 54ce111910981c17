/* The receipt of one request: every attempt line by line, with the price row each line rests on.
 * Reads the store; the lines are made by the analyzer. */
#include "cli/cost_views.h"

#include "core/base/safe_text.h"
#include "core/base/timefmt.h"

static const struct table_column columns[] = {
    {.name = "attempt", .is_right = true},
    {.name = "meter"},
    {.name = "quantity", .is_right = true},
    {.name = "unit"},
    {.name = "unit_price", .is_right = true},
    {.name = "amount", .is_right = true},
    {.name = "currency"},
    {.name = "is_in_cost"},
    {.name = "rounding"},
    {.name = "price_valid_from"},
    {.name = "price_retrieved"},
    {.name = "price_source"},
    {.name = "price_confidence"},
    {.name = "is_estimated"},
};
enum {
    C_ATTEMPT,
    C_METER,
    C_QUANTITY,
    C_UNIT,
    C_UNIT_PRICE,
    C_AMOUNT,
    C_CURRENCY,
    C_IN_COST,
    C_ROUNDING,
    C_VALID_FROM,
    C_RETRIEVED,
    C_SOURCE,
    C_CONFIDENCE,
    C_ESTIMATED
};

struct receipt {
    const struct invocation *inv;
    struct cost_lines made;
};

/* Without a REPORT nothing is known of what its cost is made of. */
static bool is_open(const struct receipt *r)
{
    return !r->inv->is_priced && (r->inv->evidence & EV_REPORT) == 0;
}

static struct str day_of(struct arena *a, int64_t t_ns)
{
    AUTO(buf_clear) struct buf b = {.max = 32};
    time_format_day(&b, t_ns);
    return arena_str(a, buf_str(&b));
}

static void price_cells(struct table *t, const struct cost_line *l)
{
    if (l->price == NULL)
        return;
    cost_exact_cell(t, C_UNIT_PRICE, l->price->unit_price);
    cost_exact_cell(t, C_AMOUNT, l->amount);
    table_text(t, C_CURRENCY, l->price->currency);
    table_text(t, C_VALID_FROM, day_of(t->arena, l->price->valid_from_ns));
    table_text(t, C_RETRIEVED, l->price->retrieved);
    table_text(t, C_SOURCE, l->price->source);
    table_text(t, C_CONFIDENCE, l->price->confidence);
}

/* What all attempts add up to; currency empty: none is priced. */
struct receipt_total {
    money sum;
    struct str currency;
};

static enum status total_of(const struct receipt *receipts, size_t n, struct receipt_total *out,
                            struct err *e)
{
    *out = (struct receipt_total){0};
    for (size_t i = 0; i < n; i++) {
        const struct receipt *r = &receipts[i];
        if (!r->inv->is_priced)
            continue;
        if (money_add(out->sum, r->inv->cost, &out->sum, e) != OK)
            return err_wrap(e, "sum of the attempts");
        if (r->made.n > 0 && r->made.lines[0].price != NULL)
            out->currency = r->made.lines[0].price->currency;
    }
    return OK;
}

static void total_row(struct table *t, const struct receipt_total *total)
{
    table_row(t);
    table_text(t, C_METER, STR("total"));
    if (total->currency.n == 0)
        return;
    cost_exact_cell(t, C_AMOUNT, total->sum);
    table_text(t, C_CURRENCY, total->currency);
}

static void print_rows(struct cli *c, const struct receipt *receipts, size_t n,
                       const struct receipt_total *total)
{
    struct table t;

    table_init(&t, c->arena, columns, ARRAY_LEN(columns), "fnscope.receipt", 1);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < receipts[i].made.n; k++) {
            const struct cost_line *l = &receipts[i].made.lines[k];
            table_row(&t);
            table_i64(&t, C_ATTEMPT, receipts[i].inv->attempt);
            table_text(&t, C_METER, l->meter);
            const bool is_in_cost = k < receipts[i].made.n_in_cost;
            bool is_known = !is_in_cost || !is_open(&receipts[i]);
            if (is_known)
                cost_quantity_cell(&t, C_QUANTITY, l->quantity);
            table_text(&t, C_UNIT, l->unit);
            table_bool(&t, C_IN_COST, is_in_cost);
            table_text(&t, C_ROUNDING, l->rounding);
            table_bool(&t, C_ESTIMATED, l->is_estimated);
            if (is_known)
                price_cells(&t, l);
        }
    }
    total_row(&t, total);
    cli_print_table(c, &t);
}

static void add_padded(struct buf *b, struct str s, size_t width)
{
    buf_add_str(b, s);
    buf_add_repeat(b, ' ', s.n < width ? width - s.n : 1);
}

static void text_amount(struct buf *b, const struct cost_line *l)
{
    if (l->price == NULL) {
        buf_add_z(b, "not priced");
        return;
    }
    money_format(b, l->amount, 12);
    buf_addf(b, " " STR_FMT, STR_ARG(l->price->currency));
}

static void text_line(struct cli *c, const struct cost_line *l, bool is_in_cost)
{
    AUTO(buf_clear) struct buf q = {.max = 128};
    struct buf *b = &c->out;
    wide_format_scaled(&q, l->quantity, 12);
    buf_addf(&q, " " STR_FMT, STR_ARG(l->unit));
    if (l->price != NULL) {
        buf_add_z(&q, " x ");
        money_format_exact(&q, l->price->unit_price);
    }
    buf_add_z(b, is_in_cost ? "  " : "  (beside) ");
    add_padded(b, l->meter, is_in_cost ? 34 : 25);
    add_padded(b, buf_str(&q), 42);
    text_amount(b, l);
    buf_addf(b, "\n      " STR_FMT "\n", STR_ARG(l->rounding));
    if (l->price == NULL)
        return;
    buf_addf(b,
             "      price since " STR_FMT " in " STR_FMT ", " STR_FMT " (read " STR_FMT
             "), confidence: " STR_FMT "%s\n",
             STR_ARG(day_of(c->arena, l->price->valid_from_ns)), STR_ARG(l->price->region),
             STR_ARG(l->price->source), STR_ARG(l->price->retrieved), STR_ARG(l->price->confidence),
             l->is_estimated ? ", an estimate" : "");
}

static void text_head(struct cli *c, const struct receipt *r)
{
    const struct invocation *inv = r->inv;
    struct buf *b = &c->out;

    buf_addf(b, "attempt %u of ", inv->attempt);
    safe_text(b, inv->origin->fn->name, SAFE_KEEP_NONE);
    buf_add_z(b, ", ");
    time_format(b, inv->start_ns, 3);
    buf_addf(b, ": %s, %s start, ", outcome_name(inv->outcome), start_kind_name(inv->start));
    if (inv->memory_bytes > 0)
        buf_addf(b, "%llu MB, ", (unsigned long long)(inv->memory_bytes >> 20));
    buf_addf(b, "%s%s\n", arch_name(inv->arch),
             (inv->evidence & EV_ASSUMED_CONFIG) != 0 ? " (region or architecture assumed)" : "");
}

static void text_receipt(struct cli *c, const struct receipt *r)
{
    text_head(c, r);
    for (size_t k = is_open(r) ? r->made.n_in_cost : 0; k < r->made.n; k++)
        text_line(c, &r->made.lines[k], k < r->made.n_in_cost);
    if (is_open(r))
        buf_add_z(&c->out, "  not priced: no REPORT line of it is stored");
    else
        buf_addf(&c->out, "  %-76s", r->inv->is_priced ? "cost of the attempt" : "not priced");
    if (r->inv->is_priced)
        money_format(&c->out, r->inv->cost, 12);
    buf_add_z(&c->out, "\n\n");
}

static void text_receipts(struct cli *c, const struct receipt *receipts, size_t n,
                          const struct receipt_total *total)
{
    buf_addf(&c->out, "request " STR_FMT "\n\n", STR_ARG(receipts[0].inv->id));
    for (size_t i = 0; i < n; i++)
        text_receipt(c, &receipts[i]);
    buf_addf(&c->out, "%-78s", n > 1 ? "all attempts" : "total");
    if (total->currency.n == 0) {
        buf_add_z(&c->out, "not priced\n");
        return;
    }
    money_format(&c->out, total->sum, 12);
    buf_addf(&c->out, " " STR_FMT "\n", STR_ARG(total->currency));
}

static enum status add_log_bytes(void *ctx, const struct log_line *line, struct err *e)
{
    uint64_t *bytes = ctx;

    UNUSED(e);
    *bytes += line->body.n + LOG_LINE_END_BYTES;
    return OK;
}

/* Bytes of the attempt's log lines, as ingested. */
static enum status log_bytes_of(struct store *s, const struct invocation *inv, uint32_t fn_id,
                                uint64_t *bytes, struct err *e)
{
    const struct log_request q = {
        .range = {inv->start_ns - inv->init_lead_ns - NS_PER_SEC,
                  inv->start_ns + inv->duration_ns + inv->init_ns + NS_PER_MIN},
        .fn_id = fn_id,
        .instance = inv->origin->instance,
        .invocation_id = inv->id,
    };
    return request_logs(s, &q, add_log_bytes, bytes, e);
}

static enum status make_receipts(struct cli *c, struct store *s, const struct cost_context *cc,
                                 const struct inv_rows *rows, struct receipt *out, struct err *e)
{
    for (size_t i = 0; i < rows->n; i++) {
        struct invocation *inv = &rows->rows[i];
        uint64_t bytes = 0;
        out[i].inv = inv;
        if (log_bytes_of(s, inv, rows->fn_ids[i], &bytes, e) != OK ||
            cost_invocation(cc, NULL, inv, e) != OK ||
            cost_receipt(cc, inv, bytes, c->arena, &out[i].made, e) != OK)
            return err_wrap(e, "receipt");
    }
    return OK;
}

static enum status explain(struct cli *c, struct store *s, struct str id, struct err *e)
{
    AUTO(cli_cost_clear) struct cli_cost cost = {0};
    struct receipt_total total;
    struct inv_rows rows = {0};

    if (request_by_id(s, id, c->arena, &rows, e) != OK || cli_cost_open(c, s, &cost, e) != OK)
        return e->code;
    if (rows.n == 0)
        return err_set(e, ERR_NOT_FOUND, "no request " STR_FMT, STR_ARG(id));
    struct receipt *receipts = arena_new(c->arena, struct receipt, rows.n);
    if (make_receipts(c, s, &cost.context, &rows, receipts, e) != OK ||
        total_of(receipts, rows.n, &total, e) != OK)
        return e->code;
    if (c->settings->format == TABLE_TEXT)
        text_receipts(c, receipts, rows.n, &total);
    else
        print_rows(c, receipts, rows.n, &total);
    return OK;
}

int cost_explain(struct cli *c, const struct cost_options *o, struct err *e)
{
    AUTO(cli_close_store) struct store *s = NULL;

    if (cli_open_store(c, true, &s, e) != OK || explain(c, s, o->explain, e) != OK)
        return EXIT_FAILED;
    return EXIT_DONE;
}

/* One request for programs: its attempts, each with its receipt and its log lines. */
#include "cli/show_json.h"

#include "cli/invocation_table.h"
#include "core/base/json.h"
#include "core/base/timefmt.h"

static void put_money(struct json_out *j, const char *key, money m)
{
    AUTO(buf_clear) struct buf text = {.max = 64};

    money_format_exact(&text, m);
    jout_put_str(j, key, buf_str(&text));
}

static void put_time(struct json_out *j, const char *key, int64_t t_ns)
{
    AUTO(buf_clear) struct buf text = {.max = 64};

    time_format(&text, t_ns, 3);
    jout_put_str(j, key, buf_str(&text));
}

static void put_text(struct json_out *j, const char *key, struct str s)
{
    jout_key(j, key);
    if (s.n > 0)
        jout_str(j, s);
    else
        jout_null(j);
}

static void receipt_line(struct json_out *j, const struct cost_line *l, bool is_in_cost)
{
    AUTO(buf_clear) struct buf quantity = {.max = 128};

    wide_format_scaled(&quantity, l->quantity, 12);
    jout_open(j, '{');
    jout_put_str(j, "meter", l->meter);
    jout_put_str(j, "quantity", buf_str(&quantity));
    jout_put_str(j, "unit", l->unit);
    jout_put_bool(j, "is_in_cost", is_in_cost);
    put_text(j, "rounding", l->rounding);
    if (l->price) {
        put_money(j, "unit_price", l->price->unit_price);
        put_money(j, "amount", l->amount);
        jout_put_str(j, "currency", l->price->currency);
        jout_put_str(j, "price_source", l->price->source);
    }
    jout_close(j, '}');
}

/* null: not priced. */
static enum status receipt(struct json_out *j, struct cli *c, const struct cost_context *cc,
                           const struct invocation *inv, struct err *e)
{
    struct cost_lines made;

    jout_key(j, "receipt");
    if (!inv->is_priced) {
        jout_null(j);
        return OK;
    }
    if (cost_receipt(cc, inv, 0, c->arena, &made, e) != OK)
        return err_wrap(e, "receipt");
    jout_open(j, '{');
    put_money(j, "total", inv->cost);
    put_text(j, "currency",
             made.n > 0 && made.lines[0].price ? made.lines[0].price->currency : (struct str){0});
    jout_put_bool(j, "is_configuration_assumed", (inv->evidence & EV_ASSUMED_CONFIG) != 0);
    jout_key(j, "lines");
    jout_open(j, '[');
    for (size_t i = 0; i < made.n; i++)
        receipt_line(j, &made.lines[i], i < made.n_in_cost);
    jout_close(j, ']');
    jout_close(j, '}');
    return OK;
}

static enum status log_line(void *ctx, const struct log_line *line, struct err *e)
{
    struct json_out *j = ctx;

    UNUSED(e);
    jout_open(j, '{');
    put_time(j, "time", line->time_ns);
    put_text(j, "level",
             line->severity == SEVERITY_UNKNOWN ? (struct str){0}
                                                : str_from(severity_name(line->severity)));
    jout_put_bool(j, "is_platform", line->kind == RECORD_PLATFORM);
    jout_put_str(j, "body", line->body);
    jout_close(j, '}');
    return OK;
}

static enum status log_lines(struct json_out *j, struct store *s, const struct invocation *inv,
                             uint32_t fn_id, struct err *e)
{
    struct log_request q = log_request_of(inv, fn_id);

    jout_key(j, "log");
    jout_open(j, '[');
    enum status status = request_logs(s, &q, log_line, j, e);
    jout_close(j, ']');
    return status;
}

enum status show_json(struct cli *c, struct store *s, const struct cost_context *cc,
                      const struct inv_rows *rows, bool with_logs, struct err *e)
{
    const bool is_lines = c->settings->format == TABLE_NDJSON;
    enum status status = OK;
    struct json_out j;
    struct table t;

    invocation_table_fill(&t, c->arena, rows);
    jout_init(&j, &c->out, !is_lines);
    if (!is_lines) {
        jout_open(&j, '{');
        jout_put_str(&j, "schema", STR("fnscope.request"));
        jout_put_i64(&j, "version", 1);
        jout_key(&j, "attempts");
        jout_open(&j, '[');
    }
    for (size_t i = 0; status == OK && i < rows->n; i++) {
        if (is_lines)
            jout_init(&j, &c->out, false);
        jout_open(&j, '{');
        table_json_members(&t, i, &j);
        status = receipt(&j, c, cc, &rows->rows[i], e);
        if (status == OK && with_logs)
            status = log_lines(&j, s, &rows->rows[i], rows->fn_ids[i], e);
        jout_close(&j, '}');
        if (is_lines)
            buf_add_c(&c->out, '\n');
    }
    if (!is_lines) {
        jout_close(&j, ']');
        jout_close(&j, '}');
        buf_add_c(&c->out, '\n');
    }
    return status;
}

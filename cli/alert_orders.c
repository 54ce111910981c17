/* Orders about alerts, one small function each; a table finds it. */
#include "cli/alert_orders.h"

#include "analyzer/alerts/alerts.h"
#include "core/base/timefmt.h"

struct order {
    struct store *store;
    struct str args[7]; /* the lines after the first */
    int64_t now_ns;
    struct buf *reply;
    struct arena arena;
    struct err *e;
};

enum status alert_by_key(struct store *s, struct str key, struct arena *a, struct alert *out,
                         struct err *e)
{
    const struct alert_request q = {.state_mask = UINT32_MAX, .key = key};
    struct alert_rows r;

    if (key.n < 4)
        return err_set(e, ERR_USAGE, "at least 4 digits of the alert's key, please");
    enum status status = request_alerts(s, &q, a, &r, e);
    if (status != OK)
        return status;
    if (r.n == 0)
        return err_set(e, ERR_NOT_FOUND, "there is no alert " STR_FMT ": `fnscope alert list`",
                       STR_ARG(key));
    if (r.n > 1)
        return err_set(e, ERR_USAGE, "%zu alerts begin with " STR_FMT ": more digits, please", r.n,
                       STR_ARG(key));
    *out = r.rows[0];
    return OK;
}

static enum status acknowledge(struct order *o)
{
    struct alert a;
    enum status status = alert_by_key(o->store, o->args[0], &o->arena, &a, o->e);

    if (status != OK)
        return status;
    if (!alert_acknowledge(&a, o->args[1], o->now_ns))
        return err_set(o->e, ERR_USAGE, "alert " STR_FMT " is %s: there is nothing to acknowledge",
                       STR_ARG(a.key), alert_state_name(a.state));
    const struct alert_changes c = {.alerts = &a, .n_alerts = 1};
    status = store_write_alerts(o->store, &c, o->e);
    if (status == OK)
        buf_addf(o->reply, "acknowledged: " STR_FMT "\n", STR_ARG(a.summary));
    return status;
}

static enum status silence(struct order *o)
{
    struct silence s = {.rule_glob = o->args[0],
                        .name_glob = o->args[1],
                        .created_ns = o->now_ns,
                        .by = o->args[3],
                        .comment = o->args[4],
                        .account = o->args[5],
                        .region = o->args[6]};
    int64_t id = 0;

    if (!str_to_i64(o->args[2], &s.until_ns) || s.until_ns <= o->now_ns)
        return err_set(o->e, ERR_USAGE, "a silence must end in the future");
    enum status status = store_write_silence(o->store, &s, &id, o->e);
    if (status != OK)
        return status;
    buf_addf(o->reply, "silence %lld until ", (long long)id);
    time_format(o->reply, s.until_ns, 0);
    buf_add_c(o->reply, '\n');
    return OK;
}

static enum status unsilence(struct order *o)
{
    struct silence_rows r;
    int64_t id = 0;
    enum status status = request_silences(o->store, o->now_ns, false, &o->arena, &r, o->e);

    if (status != OK)
        return status;
    if (!str_to_i64(o->args[0], &id))
        return err_set(o->e, ERR_USAGE, "the number of a silence is expected");
    for (size_t i = 0; i < r.n; i++) {
        if (r.rows[i].id != id)
            continue;
        r.rows[i].until_ns = o->now_ns;
        status = store_write_silence(o->store, &r.rows[i], &id, o->e);
        if (status == OK)
            buf_addf(o->reply, "silence %lld ended\n", (long long)id);
        return status;
    }
    return err_set(o->e, ERR_NOT_FOUND, "no silence %lld is in force", (long long)id);
}

static const struct {
    const char *name;
    size_t n_args;
    enum status (*run)(struct order *o);
} orders[] = {
    {"alert ack", 2, acknowledge},
    {"alert silence", 7, silence},
    {"alert unsilence", 1, unsilence},
};

bool alert_order_is(struct str text)
{
    return str_starts(text, STR("alert "));
}

enum status alert_order_run(struct store *s, struct str text, int64_t now_ns, struct buf *reply,
                            struct err *e)
{
    struct order o = {.store = s, .now_ns = now_ns, .reply = reply, .e = e};
    struct str name = str_cut(&text, '\n');

    for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
        if (!str_eq(name, str_from(orders[i].name)))
            continue;
        for (size_t k = 0; k < orders[i].n_args; k++)
            o.args[k] = str_cut(&text, '\n');
        enum status status = orders[i].run(&o);
        arena_clear(&o.arena);
        return status;
    }
    return err_set(e, ERR_USAGE, "no such order: " STR_FMT, STR_ARG(name));
}

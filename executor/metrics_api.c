/* The operations, and ListMetrics. */
#include "executor/metrics_api.h"

#include <stdlib.h>

#include "core/base/mem.h"
#include "executor/api_page.h"
#include "executor/metrics_answer.h"

static const struct api_op operations[] = {
    {.name = "GetMetricData", .handler = cw_get_data},
    {.name = "GetMetricStatistics", .handler = cw_get_statistics},
    {.name = "ListMetrics", .handler = cw_list},
    {0},
};

const struct api_service metrics_service = {
    .name = "monitoring",
    .target = "GraniteServiceVersion20100801",
    .query_version = "2010-08-01",
    .xml_namespace = "http://monitoring.amazonaws.com/doc/2010-08-01/",
    .operations = operations,
};

/* --- ListMetrics --- */

#define LIST_PAGE   500
#define RECENT_MINS 180

struct list {
    struct str space, name, label, value;
    int64_t since_minute; /* 0: all */
    int64_t skip;
    uint64_t hash; /* of all but the token */
    struct arena texts;
    struct metric_key *found;
    size_t n, cap;
};

static enum status run_list(void *data, struct journal *j, struct err *e)
{
    struct list *l = data;
    struct sql_stmt *st;
    bool has_row = true;
    enum status s = journal_stmt(
        j,
        "select space, name, label, value from series where (?1='' or space=?1) and (?2='' or"
        " name=?2) and (?3='' or label=?3) and (?4='' or value=?4) and exists(select 1 from point"
        " where series=series.id and minute>=?5) order by space, name, label, value limit ?6"
        " offset ?7",
        &st, e);

    if (s != OK)
        return s;
    sql_bind_str(st, 1, l->space);
    sql_bind_str(st, 2, l->name);
    sql_bind_str(st, 3, l->label);
    sql_bind_str(st, 4, l->value);
    sql_bind_i64(st, 5, l->since_minute);
    sql_bind_i64(st, 6, LIST_PAGE + 1);
    sql_bind_i64(st, 7, l->skip);
    l->n = 0; /* a group that failed runs again */
    while ((s = sql_step(st, &has_row, e)) == OK && has_row) {
        l->found = arena_grow(&l->texts, l->found, l->n, &l->cap, sizeof(*l->found));
        l->found[l->n++] = (struct metric_key){.space = arena_str(&l->texts, sql_str(st, 0)),
                                               .name = arena_str(&l->texts, sql_str(st, 1)),
                                               .label = arena_str(&l->texts, sql_str(st, 2)),
                                               .value = arena_str(&l->texts, sql_str(st, 3))};
    }
    sql_reset(st);
    return s;
}

static void write_metric(struct json_out *o, const struct metric_key *k)
{
    jout_open(o, '{');
    jout_key(o, "Namespace");
    jout_str(o, k->space);
    jout_key(o, "MetricName");
    jout_str(o, k->name);
    jout_key(o, "Dimensions");
    jout_open(o, '[');
    if (k->label.n > 0) {
        jout_open(o, '{');
        jout_key(o, "Name");
        jout_str(o, k->label);
        jout_key(o, "Value");
        jout_str(o, k->value);
        jout_close(o, '}');
    }
    jout_close(o, ']');
    jout_close(o, '}');
}

static void write_list(void *data, struct api_call *c)
{
    const struct list *l = data;
    struct json_out o;

    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "Metrics");
    jout_open(&o, '[');
    for (size_t i = 0; i < l->n && i < LIST_PAGE; i++)
        write_metric(&o, &l->found[i]);
    jout_close(&o, ']');
    if (l->n > LIST_PAGE)
        jout_put_str(&o, "NextToken", api_page_token(c, l->hash, l->skip + LIST_PAGE, 0));
    jout_close(&o, '}');
}

static void clear_list(void *data)
{
    struct list *l = data;

    arena_clear(&l->texts);
    free(l);
}

static void keep_text(struct list *l, const struct json *v, struct str *out)
{
    struct str text;

    if (json_str(v, &text))
        *out = arena_str(&l->texts, text);
}

static bool read_list_token(struct api_call *c, const struct json *in, struct list *l)
{
    struct page_token at = {0};
    struct str token = {0};

    l->hash = cw_hash(l->space, cw_hash(l->name, l->since_minute != 0));
    l->hash = cw_hash(l->label, cw_hash(l->value, l->hash));
    json_str(json_get(in, "NextToken"), &token);
    if (!api_page_read(c, token, l->hash, &at))
        return cw_refuse_token(c, "InvalidParameterValue");
    l->skip = at.a;
    return true;
}

void cw_list(struct api_call *c)
{
    static const struct cw_work work = {run_list, write_list, clear_list};
    const struct json *in = cw_input(c);

    if (!in)
        return;
    struct list *l = xcalloc(1, sizeof(*l));
    arena_init(&l->texts);
    keep_text(l, json_get(in, "Namespace"), &l->space);
    keep_text(l, json_get(in, "MetricName"), &l->name);
    const struct json *dimension = json_at(json_get(in, "Dimensions"), 0);
    keep_text(l, json_get(dimension, "Name"), &l->label);
    keep_text(l, json_get(dimension, "Value"), &l->value);
    if (json_get(in, "RecentlyActive"))
        l->since_minute = loop_wall(c->x->loop) / NS_PER_MIN - RECENT_MINS;
    if (read_list_token(c, in, l))
        cw_run(c, &work, l);
    else
        clear_list(l);
}

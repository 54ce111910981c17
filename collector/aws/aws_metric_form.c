/* GetMetricData in the Query protocol: a form asks, XML answers. CloudWatch took no JSON for long,
 * and what imitates it often still does not. Names: the API's model of 2010-08-01. */
#include "collector/aws/aws_metric_ask.h"
#include "collector/aws/aws_xml.h"
#include "core/base/timefmt.h"
#include "core/base/url.h"

enum { FORM_MAX_BYTES = 4 << 20 };

static void put(struct buf *b, struct str key, struct str value)
{
    if (b->n > 0)
        buf_add_c(b, '&');
    buf_add_str(b, key);
    buf_add_c(b, '=');
    url_encode(b, value, false);
}

static void put_time(struct buf *b, struct str key, int64_t t_ns)
{
    AUTO(buf_clear) struct buf text = {.max = 64};

    time_format(&text, t_ns, 0);
    put(b, key, buf_str(&text));
}

static void put_query(struct buf *b, const struct metric_ask *ask, size_t i, size_t nth,
                      struct arena *a)
{
    const struct metric_query *q = &ask->queries[i];
    const bool is_queue = q->row->of == OF_QUEUE;
    const struct {
        const char *key;
        struct str value; /* empty: left out */
    } members[] = {
        {"Id", arena_printf(a, "m%zu", i)},
        {"ReturnData", STR("true")},
        {"MetricStat.Stat", str_from(q->row->stat)},
        {"MetricStat.Period", arena_printf(a, "%lld", (long long)(ask->period_ns / NS_PER_SEC))},
        {"MetricStat.Metric.Namespace", is_queue ? STR("AWS/SQS") : STR("AWS/Lambda")},
        {"MetricStat.Metric.MetricName", str_from(q->row->name)},
        {"MetricStat.Metric.Dimensions.member.1.Name", q->name == NULL ? STR("")
                                                       : is_queue      ? STR("QueueName")
                                                                       : STR("FunctionName")},
        {"MetricStat.Metric.Dimensions.member.1.Value", str_from(q->name)},
    };

    for (size_t m = 0; m < ARRAY_LEN(members); m++)
        if (members[m].value.n > 0)
            put(b, arena_printf(a, "MetricDataQueries.member.%zu.%s", nth, members[m].key),
                members[m].value);
}

struct str metric_form(const struct metric_ask *ask, size_t n_queries, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = FORM_MAX_BYTES};

    put(&b, STR("Action"), STR("GetMetricData"));
    put(&b, STR("Version"), STR("2010-08-01"));
    put_time(&b, STR("StartTime"), ask->start_ns);
    put_time(&b, STR("EndTime"), ask->end_ns);
    put(&b, STR("ScanBy"), STR("TimestampAscending"));
    for (size_t i = 0; i < n_queries; i++)
        put_query(&b, ask, ask->at + i, i + 1, a);
    if (ask->pages.token != NULL)
        put(&b, STR("NextToken"), str_from(ask->pages.token));
    return arena_str(a, buf_str(&b));
}

static size_t read_members(struct str result, const char *list, struct str *out)
{
    struct str members, one;
    size_t n = 0;

    if (!aws_xml_next(&result, list, &members))
        return 0;
    while (n < METRIC_POINTS_MAX && aws_xml_next(&members, "member", &one))
        out[n++] = str_trim(one);
    return n;
}

bool metric_form_result(struct str *rest, struct arena *a, struct metric_result *out)
{
    struct str result;

    if (!aws_xml_next(rest, "member", &result))
        return false;
    if (!aws_xml_text(result, "Id", a, &out->id))
        out->id = (struct str){0};
    out->n_times = read_members(result, "Timestamps", out->times);
    out->n_values = read_members(result, "Values", out->values);
    return true;
}

bool metric_form_open(struct str body, struct arena *a, struct str *results, struct str *token)
{
    struct str answer;

    if (!aws_xml_next(&body, "GetMetricDataResult", &answer))
        return false;
    if (!aws_xml_text(answer, "NextToken", a, token))
        *token = (struct str){0};
    if (!aws_xml_next(&answer, "MetricDataResults", results))
        *results = (struct str){0};
    return true;
}

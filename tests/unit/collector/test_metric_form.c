/* GetMetricData in the Query protocol: the form that asks, the XML that answers. */
#include "tests/test.h"

#include <stdlib.h>

#include "collector/aws/aws_metric_ask.h"
#include "collector/aws/aws_xml.h"
#include "core/base/file.h"
#include "core/base/timefmt.h"

static const struct metric_row throttles = {"Throttles", "Sum", METRIC_THROTTLES, 0,
                                            true,        false, OF_FUNCTIONS};
static const struct metric_row age = {
    "ApproximateAgeOfOldestMessage", "Maximum", METRIC_QUEUE_AGE, 9, false, false, OF_QUEUE};

static void test_form(void **state)
{
    struct metric_ask ask = {.period_ns = NS_PER_MIN};
    struct arena a = {0};

    UNUSED(state);
    CHECK(time_parse(STR("2025-10-21T19:00:00Z"), &ask.start_ns));
    CHECK(time_parse(STR("2025-10-21T19:05:00Z"), &ask.end_ns));
    metric_ask_add(&ask, &throttles, STR(""));
    metric_ask_add(&ask, &age, STR("a&b"));
    CHECK_STR(metric_form(&ask, 2, &a),
              STR("Action=GetMetricData&Version=2010-08-01&StartTime=2025-10-21T19%3A00%3A00Z"
                  "&EndTime=2025-10-21T19%3A05%3A00Z&ScanBy=TimestampAscending"
                  "&MetricDataQueries.member.1.Id=m0&MetricDataQueries.member.1.ReturnData=true"
                  "&MetricDataQueries.member.1.MetricStat.Stat=Sum"
                  "&MetricDataQueries.member.1.MetricStat.Period=60"
                  "&MetricDataQueries.member.1.MetricStat.Metric.Namespace=AWS%2FLambda"
                  "&MetricDataQueries.member.1.MetricStat.Metric.MetricName=Throttles"
                  "&MetricDataQueries.member.2.Id=m1&MetricDataQueries.member.2.ReturnData=true"
                  "&MetricDataQueries.member.2.MetricStat.Stat=Maximum"
                  "&MetricDataQueries.member.2.MetricStat.Period=60"
                  "&MetricDataQueries.member.2.MetricStat.Metric.Namespace=AWS%2FSQS"
                  "&MetricDataQueries.member.2.MetricStat.Metric.MetricName="
                  "ApproximateAgeOfOldestMessage"
                  "&MetricDataQueries.member.2.MetricStat.Metric.Dimensions.member.1.Name=QueueName"
                  "&MetricDataQueries.member.2.MetricStat.Metric.Dimensions.member.1.Value="
                  "a%26b"));
    metric_ask_clear(&ask);
    arena_clear(&a);
}

static void test_answer(void **state)
{
    struct arena a = {0};
    struct buf text = {.max = 1 << 16};
    struct err e = {0};
    struct str results, token = STR("old");
    struct metric_result r = {.times = arena_new(&a, struct str, METRIC_POINTS_MAX),
                              .values = arena_new(&a, struct str, METRIC_POINTS_MAX)};

    UNUSED(state);
    CHECK_OK(
        file_read(TESTS_DIR "/data/aws/api/cloudwatch.GetMetricData.query-protocol.xml", &text, &e),
        &e);
    CHECK(metric_form_open(buf_str(&text), &a, &results, &token));
    CHECK_INT(token.n, 0);
    CHECK(metric_form_result(&results, &a, &r));
    CHECK_STR(r.id, STR("m0"));
    CHECK_INT(r.n_times, 2);
    CHECK_INT(r.n_values, 2);
    CHECK_STR(r.times[1], STR("2025-10-21T19:01:00Z"));
    CHECK_STR(r.values[0], STR("1.0"));
    CHECK(!metric_form_result(&results, &a, &r));
    CHECK(!metric_form_open(STR("<ErrorResponse/>"), &a, &results, &token));
    buf_clear(&text);
    arena_clear(&a);
}

static void test_elements(void **state)
{
    struct str rest = STR("x<m>1</m><m><m>2</m>3</m><mm>4</mm><m>5"), inner;

    UNUSED(state);
    CHECK(aws_xml_next(&rest, "m", &inner));
    CHECK_STR(inner, STR("1"));
    CHECK(aws_xml_next(&rest, "m", &inner));
    CHECK_STR(inner, STR("<m>2</m>3"));
    CHECK(!aws_xml_next(&rest, "m", &inner)); /* never closed */
    CHECK(aws_xml_next(&rest, "mm", &inner));
    CHECK_STR(inner, STR("4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_answer),
        cmocka_unit_test(test_elements),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

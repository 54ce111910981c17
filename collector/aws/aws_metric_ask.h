/* Inside of collector/aws/: a set of questions to GetMetricData, put in calls of at most 500 and
 * read page by page. Who asks keeps the set and says what becomes of a value.
 *
 *     metric_ask_add(&ask, &row, STR("checkout"));
 *     ask.start_ns = ..., ask.end_ns = ..., ask.period_ns = NS_PER_MIN;
 *     while (!is_done) // a step each
 *         metric_ask_step(x, &ask, on_point, out, &is_done, e); */
#ifndef FNSCOPE_COLLECTOR_AWS_AWS_METRIC_ASK_H
#define FNSCOPE_COLLECTOR_AWS_AWS_METRIC_ASK_H

#include "collector/aws/aws_pages.h"
#include "core/model/batch.h"

struct aws_ctx;

enum metric_of { OF_FUNCTIONS, OF_QUEUE };

struct metric_row {
    const char *name, *stat;
    enum metric metric;
    unsigned scale;   /* decimal digits from the provider's unit to ours */
    bool by_function; /* ask function by function while the region's is not zero */
    bool by_reserved; /* only functions with concurrency of their own */
    enum metric_of of;
};

struct metric_query {
    const struct metric_row *row;
    char *name; /* of the function or queue; NULL: the region */
};

struct metric_ask {
    struct metric_query *queries;
    size_t n, cap;
    size_t at;                /* first query of the call under way */
    struct aws_pages pages;   /* of it */
    int64_t start_ns, end_ns; /* wall; whole periods, the end exclusive */
    int64_t period_ns;
    bool is_form; /* the endpoint speaks the Query protocol, no JSON */
};

/* Values of one metric, as the answer has them. */
struct metric_result {
    struct str id;
    struct str *times, *values;
    size_t n_times, n_values; /* at most METRIC_POINTS_MAX */
};
enum { METRIC_POINTS_MAX = 4096 };

typedef void metric_point_fn(struct aws_ctx *x, const struct metric_query *q, int64_t time_ns,
                             int64_t value, struct batch *out);

void metric_ask_add(struct metric_ask *ask, const struct metric_row *row, struct str name);
void metric_ask_reset(struct metric_ask *ask); /* no questions; memory stays */
void metric_ask_clear(struct metric_ask *ask);
uint64_t metric_ask_units(const struct metric_ask *ask); /* what the next call is billed at most */
/* One call. *is_done: every question was answered. On failure the set is as it was. */
MUST_CHECK enum status metric_ask_step(struct aws_ctx *x, struct metric_ask *ask,
                                       metric_point_fn *on_point, struct batch *out, bool *is_done,
                                       struct err *e);
/* The call's queries as a form. id is that of JSON, "m17". */
struct str metric_form(const struct metric_ask *ask, size_t n_queries, struct arena *a);
/* Result by result out of the XML. False: there is no further one. */
bool metric_form_result(struct str *rest, struct arena *a, struct metric_result *out);
/* False: no answer to GetMetricData. results: what metric_form_result reads. */
bool metric_form_open(struct str body, struct arena *a, struct str *results, struct str *token);

/* Appends a point about what the query is about. */
struct metric_point *metric_ask_point(const struct aws_ctx *x, const struct metric_ask *ask,
                                      const struct metric_query *q, int64_t time_ns,
                                      struct batch *out);

#endif

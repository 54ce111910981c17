/* What the operations of the metrics API share: reading their input, answering after a read. */
#ifndef FNSCOPE_EXECUTOR_METRICS_ANSWER_H
#define FNSCOPE_EXECUTOR_METRICS_ANSWER_H

#include "executor/metrics_private.h"
#include "executor/query_form.h"

const struct json *cw_input(struct api_call *c);
void cw_output(struct api_call *c);
void cw_invalid(struct api_call *c, const char *code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Epoch seconds (also with a fraction) or RFC 3339; false after answering. */
bool cw_time(struct api_call *c, const struct json *in, const char *name, int64_t *s);
/* A period of whole minutes; false after answering. */
bool cw_period(struct api_call *c, const struct json *in, int64_t *s);
/* Namespace, MetricName and at most one dimension; false after answering. */
bool cw_key(struct api_call *c, const struct json *in, struct metric_key *key);
/* The metric of a key, if it is counted in the Unit that `in` asks for: no other unit is converted
 * (CloudWatch API, MetricStat.Unit), so NULL then, as for a metric that does not exist. */
const struct metric_info *cw_metric(const struct json *in, const struct metric_key *key);
/* Epoch seconds for JSON, RFC 3339 for XML. */
void cw_write_time(const struct api_call *c, struct json_out *o, int64_t s);

/* A token belongs to one request: the hash of its texts, one after another. */
uint64_t cw_hash(struct str text, uint64_t h);
bool cw_refuse_token(struct api_call *c, const char *code); /* answers; false */

/* Reads on the journal's thread, then writes the answer on the loop's. `read` touches nothing but
 * `data`; `data` is freed by `clear` in every case. */
struct cw_work {
    enum status (*read)(void *data, struct journal *j, struct err *e);
    void (*write)(void *data, struct api_call *c);
    void (*clear)(void *data);
};
void cw_run(struct api_call *c, const struct cw_work *work, void *data);

api_handler cw_get_data, cw_get_statistics, cw_list;

#endif

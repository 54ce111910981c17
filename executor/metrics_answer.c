/* Input and answers of the metrics API. */
#include "executor/metrics_answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "core/base/timefmt.h"

static const struct query_name names[] = {
    {"ExtendedStatistics", "ExtendedStatistics", QUERY_MAP_ENTRY, NULL},
    {NULL, NULL, QUERY_LIST, NULL},
};

const struct json *cw_input(struct api_call *c)
{
    return api_input(c, names);
}

void cw_output(struct api_call *c)
{
    api_output(c, names);
}

void cw_invalid(struct api_call *c, const char *code, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    api_error(c, 400, code, code, "%s", text);
}

bool cw_time(struct api_call *c, const struct json *in, const char *name, int64_t *s)
{
    const struct json *v = json_get(in, name);
    struct str text;
    int64_t t;

    if (json_scaled(v, 3, &t)) {
        *s = t / 1000;
        return true;
    }
    if (json_str(v, &text) && time_parse(text, &t)) {
        *s = time_floor(t, NS_PER_SEC) / NS_PER_SEC;
        return true;
    }
    cw_invalid(c, v ? "InvalidParameterValue" : "MissingParameter",
               "The parameter %s must be a time.", name);
    return false;
}

#define MAX_PERIOD_S 86400

bool cw_period(struct api_call *c, const struct json *in, int64_t *s)
{
    int64_t v;

    if (json_i64(json_get(in, "Period"), &v) && v >= 60 && v % 60 == 0 && v <= MAX_PERIOD_S) {
        *s = v;
        return true;
    }
    cw_invalid(c, "InvalidParameterValue",
               "The parameter Period must be a multiple of 60, at most %d.", MAX_PERIOD_S);
    return false;
}

bool cw_key(struct api_call *c, const struct json *in, struct metric_key *key)
{
    const struct json *dimensions = json_get(in, "Dimensions");
    const struct json *first = json_at(dimensions, 0);

    *key = (struct metric_key){0};
    if (!json_str(json_get(in, "Namespace"), &key->space) ||
        !json_str(json_get(in, "MetricName"), &key->name)) {
        cw_invalid(c, "MissingParameter", "Namespace and MetricName are needed.");
        return false;
    }
    if (json_count(dimensions) == 0)
        return true;
    if (!json_str(json_get(first, "Name"), &key->label) ||
        !json_str(json_get(first, "Value"), &key->value)) {
        cw_invalid(c, "InvalidParameterValue", "A dimension needs Name and Value.");
        return false;
    }
    /* No series here has two dimensions: such a one has no values. */
    if (json_count(dimensions) > 1)
        key->label = STR("?");
    return true;
}

const struct metric_info *cw_metric(const struct json *in, const struct metric_key *key)
{
    const struct metric_info *info = metric_find(key->space, key->name);
    struct str unit;

    if (info && json_str(json_get(in, "Unit"), &unit) && !str_eq(unit, str_from(info->unit)))
        return NULL;
    return info;
}

void cw_write_time(const struct api_call *c, struct json_out *o, int64_t s)
{
    AUTO(buf_clear) struct buf text = {0};

    if (c->protocol != API_QUERY) {
        jout_i64(o, s);
        return;
    }
    buf_init(&text, 64);
    time_format(&text, s * NS_PER_SEC, 0);
    jout_str(o, buf_str(&text));
}

uint64_t cw_hash(struct str text, uint64_t h)
{
    return str_hash(text, h + text.n);
}

bool cw_refuse_token(struct api_call *c, const char *code)
{
    cw_invalid(c, code, "The next token specified is invalid.");
    return false;
}

/* --- reading later --- */

struct job {
    struct journal_op op;  /* first: an operation is its owner */
    struct api_call *call; /* NULL: nobody waits any more */
    const struct cw_work *work;
    void *data;
};

static enum status run_job(struct journal_op *op, struct journal *j, struct err *e)
{
    struct job *job = (struct job *)op;

    return job->work->read(job->data, j, e);
}

static void job_done(struct journal_op *op, enum status s, const struct err *e)
{
    struct job *job = (struct job *)op;
    struct api_call *c = job->call;

    if (c) {
        if (s == OK)
            job->work->write(job->data, c);
        else
            api_error(c, 500, "InternalServiceFault", "InternalServiceError", "%s", e->msg);
        if (s == OK)
            cw_output(c);
    }
    job->work->clear(job->data);
    free(job);
    if (c)
        api_finish(c);
}

static void forget_call(struct api_call *c)
{
    struct job *job = c->owner;

    job->call = NULL;
}

void cw_run(struct api_call *c, const struct cw_work *work, void *data)
{
    struct job *job = xcalloc(1, sizeof(*job));

    *job = (struct job){
        .op = {.run = run_job, .done = job_done}, .call = c, .work = work, .data = data};
    c->owner = job;
    api_defer(c, forget_call);
    if (c->x->metrics)
        metrics_flush(c->x->metrics);
    journal_submit(c->x->journal, &job->op);
}

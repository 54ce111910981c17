/* GetMetricStatistics: one metric, several statistics. */
#include <stdlib.h>

#include "core/base/mem.h"
#include "executor/metrics_answer.h"

#define MAX_STATISTICS 15
#define MAX_POINTS     1440

struct stats {
    struct arena texts;
    const struct metric_info *info;
    struct str names[MAX_STATISTICS];
    struct metric_choice choices[MAX_STATISTICS];
    size_t n;
    struct metric_request request;
};

static bool read_names(struct api_call *c, struct stats *s, const struct json *list,
                       bool is_extended)
{
    struct str text;

    for (size_t i = 0; i < json_count(list); i++) {
        struct metric_choice choice;
        if (!json_str(json_at(list, i), &text) || !metric_choice_read(text, &choice) ||
            (choice.stat >= STAT_PERCENTILE) != is_extended || s->n == MAX_STATISTICS) {
            cw_invalid(c, "InvalidParameterValue",
                       "A statistic is not served here: " METRIC_CHOICES " are, %d at most.",
                       MAX_STATISTICS);
            return false;
        }
        s->names[s->n] = arena_str(&s->texts, text);
        s->choices[s->n++] = choice;
    }
    return true;
}

static bool read_stats(struct api_call *c, const struct json *in, struct stats *s)
{
    struct metric_request *rq = &s->request;
    struct metric_key key;

    if (!cw_key(c, in, &key) || !cw_time(c, in, "StartTime", &rq->from_s) ||
        !cw_time(c, in, "EndTime", &rq->to_s) || !cw_period(c, in, &rq->period_s) ||
        !read_names(c, s, json_get(in, "Statistics"), false) ||
        !read_names(c, s, json_get(in, "ExtendedStatistics"), true))
        return false;
    if (rq->to_s <= rq->from_s) {
        cw_invalid(c, "InvalidParameterValue",
                   "The parameter StartTime must be less than the parameter EndTime.");
        return false;
    }
    if (s->n == 0) {
        cw_invalid(c, "InvalidParameterCombination",
                   "At least one of the parameters Statistics and ExtendedStatistics must be "
                   "specified.");
        return false;
    }
    if ((rq->to_s - rq->from_s) / rq->period_s > MAX_POINTS) {
        cw_invalid(c, "InvalidParameterCombination",
                   "You have requested up to %lld datapoints, which exceeds the limit of %d. You "
                   "may reduce the datapoints requested by increasing Period, or decreasing the "
                   "time range.",
                   (long long)((rq->to_s - rq->from_s) / rq->period_s), MAX_POINTS);
        return false;
    }
    s->info = cw_metric(in, &key);
    rq->key = (struct metric_key){.space = arena_str(&s->texts, key.space),
                                  .name = arena_str(&s->texts, key.name),
                                  .label = arena_str(&s->texts, key.label),
                                  .value = arena_str(&s->texts, key.value)};
    return true;
}

static enum status run_stats(void *data, struct journal *j, struct err *e)
{
    struct stats *s = data;

    return s->info ? metric_read(&s->request, j, e) : OK;
}

static void write_values(const struct stats *s, const struct metric_period *p, bool is_extended,
                         struct json_out *o)
{
    AUTO(buf_clear) struct buf number;

    buf_init(&number, 64);
    for (size_t i = 0; i < s->n; i++) {
        buf_reset(&number);
        if ((s->choices[i].stat >= STAT_PERCENTILE) != is_extended ||
            !metric_value(s->info, &p->sum, s->choices[i], &number))
            continue;
        jout_key(o, s->names[i].p);
        jout_raw(o, buf_str(&number));
    }
}

static bool has_extended(const struct stats *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->choices[i].stat >= STAT_PERCENTILE)
            return true;
    return false;
}

static void write_stats(void *data, struct api_call *c)
{
    const struct stats *s = data;
    struct json_out o;

    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "Label");
    jout_str(&o, s->request.key.name);
    jout_key(&o, "Datapoints");
    jout_open(&o, '[');
    for (size_t i = 0; i < s->request.n; i++) {
        const struct metric_period *p = &s->request.periods[i];
        jout_open(&o, '{');
        jout_key(&o, "Timestamp");
        cw_write_time(c, &o, p->start_s);
        write_values(s, p, false, &o);
        if (has_extended(s)) {
            jout_key(&o, "ExtendedStatistics");
            jout_open(&o, '{');
            write_values(s, p, true, &o);
            jout_close(&o, '}');
        }
        jout_key(&o, "Unit");
        jout_str(&o, str_from(s->info->unit));
        jout_close(&o, '}');
    }
    jout_close(&o, ']');
    jout_close(&o, '}');
}

static void clear_stats(void *data)
{
    struct stats *s = data;

    metric_request_clear(&s->request);
    arena_clear(&s->texts);
    free(s);
}

void cw_get_statistics(struct api_call *c)
{
    static const struct cw_work work = {run_stats, write_stats, clear_stats};
    const struct json *in = cw_input(c);

    if (!in)
        return;
    struct stats *s = xcalloc(1, sizeof(*s));
    arena_init(&s->texts);
    if (read_stats(c, in, s))
        cw_run(c, &work, s);
    else
        clear_stats(s);
}

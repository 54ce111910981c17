/* Poll, hand on, report, wait. What fails is logged and shown; a source's failure ends nothing. */
#include "collector/poll.h"

#include "core/base/log.h"

#define WAIT_MAX_NS     (60 * NS_PER_SEC)
#define REPORT_ALONG_NS NS_PER_SEC
#define PATIENCE_NS     NS_PER_MIN /* of a single round with a source that does not recover */

static bool has_anything(const struct batch *b)
{
    return b->n_records + b->n_points + b->n_queues + b->n_configs + b->n_sources + b->n_spans +
               b->n_cursors + b->n_quarantine >
           0;
}

static enum status hand_on(const struct poll_run *r, struct batch *b)
{
    if (has_anything(b))
        return r->push(r->push_ctx, b);
    batch_free(b);
    return OK;
}

/* A status row goes out when it is time, at once when the source's health changes, and each second
 * along with what is written anyway: its times are what the lag is told by. What calls cost is
 * written with what they brought: a kill leaves both or neither. */
static void report(const struct poll_run *r, struct batch *b, bool *was_ill)
{
    struct source *s = r->source;
    bool is_ill = s->status.failures > 0;
    int64_t since = clock_monotonic(&s->env.clock) - s->reported_ns;
    bool is_time = since >= r->report_ns || s->status.add_cost > 0 ||
                   (since >= REPORT_ALONG_NS && has_anything(b));

    if (s->reported_ns != 0 && !is_time && is_ill == *was_ill)
        return;
    *was_ill = is_ill;
    source_report(s, b);
}

static void wait_for(const struct poll_run *r)
{
    const struct source *s = r->source;
    int64_t wait = s->next_ns - clock_monotonic(&s->env.clock);

    if (wait <= 0)
        return;
    wait = wait < WAIT_MAX_NS ? wait : WAIT_MAX_NS;
    queue_pop(r->wake, (int)(wait / NS_PER_MS) + 1, NULL);
}

static enum status poll_once(const struct poll_run *r, bool *was_ill, enum poll_result *more)
{
    struct source *s = r->source;
    struct batch *b = batch_new();
    struct err e = {0};
    enum status status = s->ops->poll(s, b, more, &e);

    if (status == ERR_CANCELLED) {
        batch_free(b);
        return status;
    }
    if (status != OK)
        log_event(LOG_WARN, "source=" STR_FMT " %s", STR_ARG(s->name), e.msg);
    report(r, b, was_ill);
    return hand_on(r, b);
}

/* Whoever waits for a single round is told of a source that stays ill. */
static bool has_given_up(const struct poll_run *r, int64_t *well_ns)
{
    const struct source *s = r->source;
    int64_t now = clock_monotonic(&s->env.clock);

    if (s->status.failures == 0 && !source_is_partial(&s->status))
        *well_ns = now;
    return now - *well_ns >= PATIENCE_NS;
}

void poll_source(const struct poll_run *r)
{
    bool was_ill = false;
    enum poll_result more = POLL_MORE;
    int64_t well_ns = clock_monotonic(&r->source->env.clock);

    while (!atomic_load(r->halt)) {
        if (poll_once(r, &was_ill, &more) != OK)
            break;
        if (r->is_once && (more == POLL_IDLE || has_given_up(r, &well_ns)))
            break;
        wait_for(r);
    }
    struct batch *last = batch_new();
    source_report(r->source, last);
    if (hand_on(r, last) != OK)
        log_event(LOG_DEBUG, "source=" STR_FMT " its last report was not taken",
                  STR_ARG(r->source->name));
}

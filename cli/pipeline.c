/* Composes the writing side: drop repeats, correlate, price, pack (one thread), commit (writer
 * thread). */
#include "cli/pipeline.h"

#include <stdio.h>

#include "cli/alert_orders.h"
#include "core/base/log.h"
#include "core/base/mem.h"

static enum status find_id(void *ctx, struct str id, int64_t around_ns, struct arena *a,
                           struct invocation_list *out, struct err *e)
{
    struct pipeline *p = ctx;

    return store_lookup_id(p->packer, id, around_ns, a, out, e);
}

static enum status find_instance(void *ctx, const struct origin *o, int64_t around_ns,
                                 struct arena *a, struct instance_event_list *out, struct err *e)
{
    struct pipeline *p = ctx;

    return store_lookup_instance(p->packer, o, around_ns, a, out, e);
}

static enum status find_requests(void *ctx, const struct origin *o, struct range r, struct arena *a,
                                 struct invocation_list *out, struct err *e)
{
    struct pipeline *p = ctx;

    return store_lookup_requests(p->packer, o, r, a, out, e);
}

static bool knows_instance(void *ctx, const struct origin *o)
{
    const struct pipeline *p = ctx;

    return store_knows_instance(p->packer, o);
}

enum status pipeline_open(struct pipeline *p, struct store *s, const struct cost_context *cost,
                          struct err *e)
{
    struct correlator_options o = {.find_id = find_id,
                                   .find_instance = find_instance,
                                   .find_requests = find_requests,
                                   .knows_instance = knows_instance,
                                   .ctx = p};

    *p = (struct pipeline){.store = s, .cost = cost};
    mem_keep_freed();
    enum status status = store_note_decoders(s, DECODERS_VERSION, e);
    if (status == OK)
        status = packer_new(s, &p->packer, e);
    if (status == OK)
        p->correlator = correlator_new(&o);
    return status;
}

void pipeline_close(struct pipeline *p)
{
    correlator_free(p->correlator);
    packer_free(p->packer);
    live_cost_clear(&p->live);
    *p = (struct pipeline){0};
}

void pipeline_price_with(struct pipeline *p, const struct cost_context *cost)
{
    live_cost_clear(&p->live);
    p->cost = cost;
}

/* What has no REPORT yet has nothing to price, nor has what somebody forged. */
static bool has_price(const struct invocation *inv)
{
    return inv->is_final && !inv->is_removed && !(inv->evidence & EV_FORGED);
}

static enum status price_all(struct pipeline *p, struct batch *b, struct err *e)
{
    enum status s = OK;
    struct cost_memo before = {0};

    live_cost_add(&p->live, p->cost, b);
    const struct cost_context *cost = p->live.index != NULL ? &p->live.context : p->cost;

    for (size_t i = 0; s == OK && i < b->n_invocations; i++)
        if (has_price(&b->invocations[i]))
            s = cost_invocation(cost, &before, &b->invocations[i], e);
    return s;
}

void pipeline_sample(struct pipeline_samples *s, const struct quarantined *q)
{
    if (s->n == ARRAY_LEN(s->first))
        return;
    snprintf(s->first[s->n].place, sizeof(s->first[0].place), STR_FMT, STR_ARG(q->place));
    snprintf(s->first[s->n].reason, sizeof(s->first[0].reason), STR_FMT, STR_ARG(q->reason));
    s->n++;
}

static void keep_samples(struct pipeline_samples *s, const struct batch *b)
{
    for (size_t i = 0; i < b->n_quarantine; i++)
        pipeline_sample(s, &b->quarantine[i]);
}

static enum status on_batch(void *ctx, struct batch *b, bool is_flush, void **commit, struct err *e)
{
    struct pipeline *p = ctx;
    struct pack *pack = NULL;

    keep_samples(&p->samples, b);
    enum status s = store_mark_repeats(p->packer, b, e);

    if (s == OK)
        s = correlator_feed(p->correlator, b, e);
    if (s == OK)
        s = price_all(p, b, e);
    if (s == OK)
        s = store_pack(p->packer, b, is_flush, &pack, e);
    *commit = pack;
    return s;
}

/* What was read is stored, whatever becomes of the alerts: they are looked at again in a second. */
static void look_at_alerts(struct pipeline *p, bool is_forced)
{
    struct err e = {0};
    struct clock clock = clock_system();
    const int64_t now = clock_monotonic(&clock);

    if (!p->watch || watch_step(p->watch, is_forced, &e) == OK)
        return;
    if (p->said_ns == 0 || now - p->said_ns >= NS_PER_MIN)
        log_event(LOG_ERROR, "alerts were not evaluated: %s", e.msg);
    p->said_ns = p->said_ns == 0 || now - p->said_ns >= NS_PER_MIN ? now : p->said_ns;
}

static enum status on_commit(void *ctx, void *commit, struct err *e)
{
    struct pipeline *p = ctx;

    if (p->gathers_commits)
        return store_write(p->store, commit, e);
    enum status status = store_commit(p->store, commit, e);
    if (status == OK)
        look_at_alerts(p, false);
    return status;
}

static enum status settle(void *ctx, bool is_end, bool *is_open, struct err *e)
{
    struct pipeline *p = ctx;
    enum status status = store_settle(p->store, is_end, e);

    *is_open = !store_is_settled(p->store);
    return status;
}

static enum status on_idle(void *ctx, struct err *e)
{
    struct pipeline *p = ctx;
    enum status status = store_is_whole(p->store, e);

    if (status == OK && store_held_since(p->store) == 0)
        look_at_alerts(p, false);
    else if (status == OK && p->watch)
        watch_tell_held(p->watch, store_held_since(p->store));
    return status;
}

#define LAST_WORDS_NS (5 * NS_PER_SEC)

/* What the last data says is still told. */
static enum status on_stop(void *ctx, struct err *e)
{
    struct pipeline *p = ctx;

    if (!p->watch)
        return OK;
    look_at_alerts(p, true);
    return watch_drain(p->watch, LAST_WORDS_NS, e);
}

/* Commands that came through the control socket. */
static enum status on_command(void *ctx, struct str command, struct buf *reply, struct err *e)
{
    struct pipeline *p = ctx;
    struct clock clock = clock_system();

    if (!alert_order_is(command))
        return err_set(e, ERR_USAGE, "the collector does not know this command");
    enum status s = alert_order_run(p->store, command, clock_now(&clock), reply, e);
    if (s == OK)
        look_at_alerts(p, true);
    return s;
}

static void drop_commit(void *ctx, void *commit)
{
    struct pipeline *p = ctx;

    store_give_up(p->store);
    pack_free(commit);
}

const struct sink_ops pipeline_sink = {
    .on_batch = on_batch,
    .on_commit = on_commit,
    .settle = settle,
    .on_idle = on_idle,
    .on_stop = on_stop,
    .drop_commit = drop_commit,
    .on_command = on_command,
};

/* --- what an import asks
 * ------------------------------------------------------------------------------------------------
 */

static bool find_cursor(void *ctx, struct str scope, struct arena *a, struct cursor *out)
{
    return store_cursor(ctx, STR("import"), scope, a, out);
}

static bool has_day(void *ctx, int64_t day)
{
    return store_has_day(ctx, day);
}

/* When the line was that says when it began or, without one, that it is over. */
static int64_t start_line_ns(const struct invocation *inv)
{
    return (inv->evidence & (EV_START_ESTIMATED | EV_TIME_GUESSED)) == EV_START_ESTIMATED
               ? inv->start_ns + inv->duration_ns
               : inv->start_ns;
}

static bool find_request(void *ctx, const struct request_begin *r, struct arena *a,
                         struct request_place *out)
{
    struct inv_rows found = {0};

    if (request_by_id(ctx, r->id, a, &found, NULL) != OK)
        return false;
    for (size_t i = 0; i < found.n; i++) {
        const struct invocation *inv = &found.rows[i];
        const struct origin *o = inv->origin;
        if (r->start_ns != 0 && (inv->start_ns != r->start_ns || o->version.n == 0))
            continue;
        *out = (struct request_place){.stream = arena_str(a, o->instance),
                                      .function = arena_str(a, o->fn->name),
                                      .start_ns = start_line_ns(inv)};
        return true;
    }
    return false;
}

/* One that was read before its line was written to its end lacks the last numbers. */
static bool tells_part(const struct invocation *inv, const struct platform_event *report)
{
    return inv->max_memory_bytes == 0 && report->max_memory_bytes > 0 &&
           (inv->duration_ns == 0 || inv->duration_ns == report->duration_ns) &&
           (inv->billed_ns == 0 || inv->billed_ns == report->billed_ns) &&
           (inv->memory_bytes == 0 || inv->memory_bytes == report->memory_bytes);
}

static bool tells_same(const struct invocation *inv, const struct platform_event *report)
{
    return inv->duration_ns == report->duration_ns && inv->billed_ns == report->billed_ns &&
           inv->init_ns == report->init_ns && inv->memory_bytes == report->memory_bytes &&
           inv->max_memory_bytes == report->max_memory_bytes;
}

/* How well an attempt fits, 0: not at all. One that was taken for it goes on being it. */
static unsigned fit_attempt(const struct invocation *inv, const struct attempt_ask *ask)
{
    const bool is_reported = (inv->evidence & EV_REPORT) != 0;

    if (ask->report != NULL && is_reported && !tells_same(inv, ask->report) &&
        !tells_part(inv, ask->report))
        return 0;
    if (ask->start_ns != 0 && start_line_ns(inv) == ask->start_ns)
        return 3;
    return is_reported ? 2 : 1;
}

static enum attempt_known find_attempt(void *ctx, const struct attempt_ask *ask, struct arena *a,
                                       int64_t *start_ns)
{
    struct inv_rows found = {0};
    unsigned best = 0;
    bool is_taken = ask->start_ns == 0;

    if (request_by_id(ctx, ask->id, a, &found, NULL) != OK || found.n == 0)
        return ATTEMPT_UNKNOWN;
    for (size_t i = 0; i < found.n; i++) {
        const unsigned fit = fit_attempt(&found.rows[i], ask);
        is_taken |= start_line_ns(&found.rows[i]) == ask->start_ns;
        if (fit <= best)
            continue;
        best = fit;
        *start_ns = start_line_ns(&found.rows[i]);
    }
    return best > 0 || !is_taken ? ATTEMPT_IS_STORED : ATTEMPT_IS_NEW;
}

struct import_lookups pipeline_lookups(struct store *reader)
{
    return reader == NULL ? (struct import_lookups){0}
                          : (struct import_lookups){find_cursor,  has_day, find_request,
                                                    find_attempt, reader,  {0}};
}

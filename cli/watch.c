/* Evaluation, state and messages of one step in one transaction; then the messages that are due go
 * to the notifier. What comes back is stored with the next step. */
#include "cli/watch.h"

#include <string.h>

#include "core/base/log.h"
#include "reports/notify/notify.h"

#define BATCH     64u
#define WAIT_MS   100
#define AT_A_TIME 16

/* Soon after what it is about was stored, but at most a twentieth of the writer's time. */
#define PAUSE_MIN_NS (100 * NS_PER_MS)
#define PAUSE_SHARE  20

enum status watch_open(struct watch *w, struct store *s, const struct alert_config *k,
                       struct clock clock, bool is_kept, struct err *e)
{
    const struct notify_options o = {k->notifiers, k->n_notifiers, NULL, NULL, clock, is_kept};

    *w = (struct watch){
        .store = s, .config = k, .clock = clock, .is_kept = is_kept, .begun_ns = clock_now(&clock)};
    return notify_start(&o, &w->notify, e);
}

void watch_close(struct watch *w)
{
    notify_stop(w->notify);
    arena_clear(&w->arena);
    *w = (struct watch){0};
}

struct results {
    struct outbox_entry rows[AT_A_TIME];
    size_t n;
};

static void log_result(const struct outbox_entry *m)
{
    if (m->status == OUTBOX_SENT)
        log_event(m->error.n > 0 ? LOG_WARN : LOG_INFO,
                  "alert %s: " STR_FMT " told " STR_FMT "%s" STR_FMT, alert_event_name(m->event),
                  STR_ARG(m->notifier), STR_ARG(m->alert.summary), m->error.n > 0 ? ", " : "",
                  STR_ARG(m->error));
    else if (m->attempts > 0)
        log_event(LOG_WARN, "alert %s: " STR_FMT " was not told " STR_FMT ": " STR_FMT "%s",
                  alert_event_name(m->event), STR_ARG(m->notifier), STR_ARG(m->alert.summary),
                  STR_ARG(m->error),
                  m->status == OUTBOX_GIVEN_UP ? "; given up" : "; it is tried again");
}

/* Waits for the first one up to timeout_ms. */
static void collect(struct watch *w, int timeout_ms, struct results *r)
{
    while (r->n < AT_A_TIME &&
           notify_collect(w->notify, r->n == 0 ? timeout_ms : 0, &w->arena, &r->rows[r->n])) {
        log_result(&r->rows[r->n]);
        r->n += r->rows[r->n].attempts > 0; /* 0: stopped before it was tried */
    }
}

static bool is_time(const struct watch *w, bool is_forced)
{
    const int64_t now_ns = clock_monotonic(&w->clock);

    return is_forced || now_ns >= w->next_ns;
}

static enum status evaluate(struct watch *w, struct alert_verdicts *v, struct err *e)
{
    const int64_t begin_ns = clock_monotonic(&w->clock);
    struct alert_set set = w->config->set;

    if (clock_was_set(&w->look, &w->clock))
        w->begun_ns = clock_now(&w->clock);
    set.tells_newcomers = !w->has_begun;
    set.begun_ns = w->begun_ns;
    enum status status = alerts_evaluate(&set, w->store, clock_now(&w->clock), &w->arena, v, e);
    const int64_t end_ns = clock_monotonic(&w->clock);
    const int64_t pause_ns = (end_ns - begin_ns) * PAUSE_SHARE;

    w->next_ns = end_ns + (pause_ns > PAUSE_MIN_NS ? pause_ns : PAUSE_MIN_NS);
    return status;
}

#define KEEP_NS NS_PER_MIN

/* What was said within the minute need not be said again; what is silenced stays as it was told. */
static bool is_to_keep(const struct alert_set *set, const struct alert *a, struct str notifier,
                       int64_t now_ns)
{
    return alert_is_active(a->state) && a->is_notified && now_ns - a->sent_ns >= KEEP_NS &&
           alert_tells(set, a, notifier);
}

static void keep_told(struct watch *w, const struct alert_verdicts *v)
{
    const int64_t now_ns = clock_monotonic(&w->clock), wall_ns = clock_now(&w->clock);
    const struct alert_config *k = w->config;
    struct alert *rows = arena_new(&w->arena, struct alert, v->n_current + 1);

    if (!w->is_kept || (w->kept_ns != 0 && now_ns - w->kept_ns < KEEP_NS))
        return;
    w->kept_ns = now_ns;
    for (size_t i = 0; i < k->n_notifiers; i++) {
        size_t n = 0;
        for (size_t j = 0; j < v->n_current; j++)
            if (is_to_keep(&k->set, &v->current[j], k->notifiers[i].name, wall_ns))
                rows[n++] = v->current[j];
        notify_keep(w->notify, k->notifiers[i].name, rows, n);
    }
}

/* --- a store that cannot be written --- */

#define HELD_TELL_NS  (30 * NS_PER_SEC)
#define HELD_AGAIN_NS NS_PER_MIN

/* With the same id each time: whoever has it drops it. */
static struct outbox_entry held_message(struct watch *w, struct str notifier,
                                        enum alert_event event)
{
    const struct str path = store_path(w->store);
    const struct str rule = STR("store-held");
    const int64_t now_ns = clock_now(&w->clock), since_ns = w->held.since_ns;
    const struct subject subject = {SCOPE_SOURCE, {.name = path}};
    AUTO(buf_clear) struct buf key = {.max = 64};
    const bool is_over = event == ALERT_SAYS_RESOLVED;

    alert_key(&key, rule, &subject);
    return (struct outbox_entry){
        .id = arena_printf(&w->arena, STR_FMT "-%lld-%s-" STR_FMT, STR_ARG(buf_str(&key)),
                           (long long)since_ns, alert_event_name(event), STR_ARG(notifier)),
        .notifier = notifier,
        .event = event,
        .created_ns = now_ns,
        .next_ns = now_ns,
        .alert = {.key = arena_str(&w->arena, buf_str(&key)),
                  .rule = rule,
                  .subject = subject,
                  .severity = ALERT_CRITICAL,
                  .state = is_over ? ALERT_RESOLVED : ALERT_FIRING,
                  .unit = UNIT_NS,
                  .since_ns = is_over ? now_ns : since_ns,
                  .started_ns = since_ns,
                  .fired_ns = since_ns + HELD_TELL_NS,
                  .resolved_ns = is_over ? now_ns : 0,
                  .value = is_over ? 0 : now_ns - since_ns,
                  .threshold = HELD_TELL_NS,
                  .peak = now_ns - since_ns,
                  .data_ns = now_ns,
                  .eval_ns = now_ns,
                  .summary = arena_printf(&w->arena,
                                          is_over ? "the store " STR_FMT " is written again"
                                                  : "the store " STR_FMT " cannot be written: no "
                                                    "alert sees anything new until it can",
                                          STR_ARG(path)),
                  .evidence = arena_printf(&w->arena, "fnscope doctor" STR_FMT,
                                           STR_ARG(w->config->set.reach))},
    };
}

void watch_tell_held(struct watch *w, int64_t since_ns)
{
    const int64_t now_ns = clock_monotonic(&w->clock);
    struct results results = {.n = 0};

    w->held.since_ns = since_ns;
    if (clock_now(&w->clock) - since_ns < HELD_TELL_NS || now_ns < w->held.next_ns)
        return;
    w->held.next_ns = now_ns + HELD_AGAIN_NS;
    w->held.is_told = true;
    arena_reset(&w->arena);
    collect(w, 0, &results); /* what they say is said again: the store cannot keep it */
    for (size_t i = 0; i < w->config->n_notifiers; i++) {
        const struct outbox_entry m =
            held_message(w, w->config->notifiers[i].name, ALERT_SAYS_FIRING);
        notify_submit(w->notify, &m);
    }
}

/* The end goes the usual way. */
static void add_held_end(struct watch *w, struct alert_changes *c)
{
    const size_t n = w->config->n_notifiers;

    if (!w->held.is_told)
        return;
    struct outbox_entry *rows = arena_new(&w->arena, struct outbox_entry, c->n_messages + n + 1);
    if (c->n_messages > 0)
        memcpy(rows, c->messages, c->n_messages * sizeof(*rows));
    for (size_t i = 0; i < n; i++)
        rows[c->n_messages++] = held_message(w, w->config->notifiers[i].name, ALERT_SAYS_RESOLVED);
    c->messages = rows;
}

static enum status submit_due(struct watch *w, struct err *e)
{
    const struct outbox_request q = {
        .status_mask = 1u << OUTBOX_WAITING, .due_ns = clock_now(&w->clock), .per_notifier = BATCH};
    struct outbox_rows due;
    enum status status = request_outbox(w->store, &q, &w->arena, &due, e);

    for (size_t i = 0; status == OK && i < due.n; i++)
        notify_submit(w->notify, &due.rows[i]); /* one in hand already is refused */
    return status;
}

enum status watch_step(struct watch *w, bool is_forced, struct err *e)
{
    const bool evaluates = is_time(w, is_forced);
    struct alert_verdicts v = {0};
    struct results results = {.n = 0};
    enum status status = OK;

    arena_reset(&w->arena);
    collect(w, 0, &results);
    if (evaluates)
        status = evaluate(w, &v, e);
    add_held_end(w, &v.changes);
    v.changes.results = results.rows;
    v.changes.n_results = results.n;
    if (status == OK)
        status = store_is_whole(w->store, e); /* what a day taken away held has not ended */
    if (status == OK)
        status = store_write_alerts(w->store, &v.changes, e);
    if (status == OK)
        w->held = (struct watch_held){0};
    if (status == OK && evaluates)
        keep_told(w, &v);
    w->has_begun = w->has_begun || (status == OK && evaluates);
    return status == OK && (evaluates || results.n > 0) ? submit_due(w, e) : status;
}

enum status watch_drain(struct watch *w, int64_t timeout_ns, struct err *e)
{
    const int64_t until_ns = clock_monotonic(&w->clock) + timeout_ns;
    enum status status = submit_due(w, e);

    while (status == OK && notify_pending(w->notify) > 0 && clock_monotonic(&w->clock) < until_ns) {
        struct results results = {.n = 0};
        arena_reset(&w->arena);
        collect(w, WAIT_MS, &results);
        const struct alert_changes c = {.results = results.rows, .n_results = results.n};
        status = store_write_alerts(w->store, &c, e);
        if (status == OK && results.n > 0)
            status = submit_due(w, e);
    }
    return status;
}

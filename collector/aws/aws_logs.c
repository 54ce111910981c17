/* Log events by FilterLogEvents. A group has three scans that know nothing of each other: the fast
 * one reads from the watermark on; the late one reads the last half hour again now and then; the
 * deep one the last day. Most fast scans look back only as far as events have lately been delayed,
 * so that a short poll does not read everything a hundred times; four times in the span of
 * `overlap` one looks back by all of it. A scan's end is fixed when it begins. What comes twice
 * is dropped by its event id later on. The watermark moves only when a whole fast scan was read,
 * and travels as a cursor with the batch of its last page, so whatever fails or dies in between is
 * read again. */
#include "collector/aws/aws_source.h"

#include <assert.h>
#include <stdlib.h>

#include "collector/aws/aws.h"
#include "core/base/json.h"
#include "core/base/jsonpull.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/timefmt.h"

enum {
    REQUEST_MAX_BYTES = 64 << 10,
    WINDOW_MAX_MS = 6 * 3600 * 1000, /* of one scan: bounds what a failure makes us read again */
    DAMAGED_MAX = 3, /* then the rest of the page is taken, and the damage quarantined */
    QUIET_MAX = 6,   /* doublings of a quiet group's interval */
    WIDE_SHARE = 4,  /* wide scans in the span of the overlap */
    FAILURES_SHOWN = 3,
};

/* How long the first page waits for the configuration of functions. */
#define CONFIG_PATIENCE_NS (2 * NS_PER_MIN)

/* --- when
 * ---------------------------------------------------------------------------------------------------
 */

static bool can_scan(const struct log_group *g)
{
    return !g->is_gone;
}

static bool is_failing(const struct log_scan *s)
{
    return s->failures >= FAILURES_SHOWN || s->restarts >= FAILURES_SHOWN;
}

/* The scan that is due first; NULL when there is no group. */
static struct log_scan *first_due(const struct aws_logs *l, struct log_group **group)
{
    struct log_scan *first = NULL;

    for (size_t i = 0; i < l->n; i++)
        for (int k = 0; can_scan(&l->groups[i]) && k < SCAN_KINDS; k++) {
            struct log_scan *s = &l->groups[i].scans[k];
            if (first != NULL && s->next_ns >= first->next_ns)
                continue;
            first = s;
            *group = &l->groups[i];
        }
    return first;
}

int64_t aws_logs_due(const struct aws_ctx *x)
{
    struct log_group *g;
    const struct log_scan *s = first_due(&x->logs, &g);

    return s != NULL ? s->next_ns : INT64_MAX;
}

/* As often as asked for while the quota allows that for all groups; else groups in which nothing
 * happens wait longer, so that the busy ones need not. */
static int64_t interval_of(const struct aws_ctx *x, const struct log_group *g)
{
    int64_t call_ns = x->client.rates[OP_FILTER_LOG_EVENTS].interval_ns;
    int64_t interval = x->o->poll_ns;

    if (call_ns * (int64_t)x->logs.n <= interval)
        return interval;
    for (unsigned i = 0; i < g->quiet && i < QUIET_MAX; i++)
        interval *= 2;
    return interval < x->o->idle_poll_ns ? interval : x->o->idle_poll_ns;
}

static enum scan_kind kind_of(const struct log_group *g, const struct log_scan *s)
{
    return (enum scan_kind)(s - g->scans);
}

static int64_t pause_of(const struct aws_ctx *x, const struct log_group *g,
                        const struct log_scan *s)
{
    enum scan_kind kind = kind_of(g, s);

    if (kind == SCAN_FAST)
        return interval_of(x, g);
    return kind == SCAN_LATE ? x->o->late_every_ns : x->o->deep_every_ns;
}

/* How far a fast scan looks back: twice the delay seen lately and two polls. */
static int64_t near_overlap(const struct aws_ctx *x, const struct log_group *g)
{
    int64_t near = 2 * g->delay_ns + 2 * x->o->poll_ns;

    return near < x->o->overlap_ns ? near : x->o->overlap_ns;
}

/* The whole overlap counts from where the last wide scan ended: so what shows up to `overlap` late
 * is found, by the next wide scan at the latest. */
static int64_t fast_start(struct aws_ctx *x, const struct log_group *g, struct log_scan *s,
                          int64_t from_ms)
{
    int64_t wide_ms = g->wide_ms > 0 && g->wide_ms < from_ms ? g->wide_ms : from_ms;

    s->is_wide = !g->was_read || aws_mono(x) >= g->wide_ns;
    if (!g->was_read)
        return from_ms - x->o->late_window_ns / NS_PER_MS;
    return s->is_wide ? wide_ms - x->o->overlap_ns / NS_PER_MS
                      : from_ms - near_overlap(x, g) / NS_PER_MS;
}

/* A watermark from before there was a floor goes further back. */
static int64_t floor_of(const struct aws_ctx *x, const struct log_group *g)
{
    return x->logs.floor_ms < g->watermark_ms ? x->logs.floor_ms : g->watermark_ms;
}

static void begin(struct aws_ctx *x, struct log_group *g, struct log_scan *s)
{
    aws_heal_places(x, g);
    int64_t now_ms = aws_now(&x->client) / NS_PER_MS;
    enum scan_kind kind = kind_of(g, s);
    int64_t back_ns = kind == SCAN_LATE ? x->o->late_window_ns : x->o->deep_window_ns;
    /* Our clock may have been wrong when the watermark was kept. */
    int64_t from_ms = g->watermark_ms < now_ms ? g->watermark_ms : now_ms;

    s->start_ms = kind == SCAN_FAST ? fast_start(x, g, s, from_ms) : now_ms - back_ns / NS_PER_MS;
    if (s->start_ms < floor_of(x, g))
        s->start_ms = floor_of(x, g);
    if (s->start_ms < g->created_ms - NS_PER_DAY / NS_PER_MS)
        s->start_ms = g->created_ms - NS_PER_DAY / NS_PER_MS;
    s->start_ms = s->start_ms > 0 ? s->start_ms : 0;
    s->end_ms = now_ms;
    if (kind == SCAN_FAST && s->end_ms > from_ms + WINDOW_MAX_MS)
        s->end_ms = from_ms + WINDOW_MAX_MS;
    if (s->end_ms < s->start_ms)
        s->end_ms = s->start_ms;
    aws_pages_reset(&s->pages);
    s->damaged = 0;
    s->is_active = true;
}

/* --- the page
 * -----------------------------------------------------------------------------------------------
 */

static struct str make_body(const struct log_group *g, const struct log_scan *s, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = REQUEST_MAX_BYTES};
    struct json_out o;

    jout_init(&o, &b, false);
    jout_open(&o, '{');
    jout_key(&o, "logGroupName");
    jout_str(&o, str_from(g->name));
    jout_key(&o, "startTime");
    jout_i64(&o, s->start_ms);
    jout_key(&o, "endTime");
    jout_i64(&o, s->end_ms);
    if (s->pages.token != NULL) {
        jout_key(&o, "nextToken");
        jout_str(&o, str_from(s->pages.token));
    }
    jout_close(&o, '}');
    return arena_str(a, buf_str(&b));
}

/* Is the page whole, and where does it go on? */
static bool read_page(struct str page, struct arena *a, struct str *token)
{
    struct jp j;
    struct str key;
    bool has_events = false;

    jp_init(&j, page, a);
    if (!jp_enter(&j, '{'))
        return false;
    while (jp_member(&j, &key)) {
        has_events = has_events || str_eq(key, STR("events"));
        if (!str_eq(key, STR("nextToken")) || jp_peek(&j) == JP_NULL)
            jp_skip(&j);
        else if (!jp_string(&j, token))
            return false;
    }
    return j.error == NULL && jp_at_end(&j) && has_events;
}

/* The token of a page that is damaged for good: behind its events, or there is none. */
static void find_token(struct str page, struct arena *a, struct str *token)
{
    struct str key = STR("\"nextToken\""), rest = page;
    struct jp j;

    *token = (struct str){0};
    for (size_t at; (at = str_find(rest, key)) < rest.n;)
        rest = str_skip(rest, at + key.n);
    if (rest.n == page.n)
        return;
    rest = str_skip(rest, str_find_char(rest, ':') + 1);
    jp_init(&j, rest, a);
    if (jp_peek(&j) != JP_STRING || !jp_string(&j, token))
        *token = (struct str){0};
}

static enum status decode(struct aws_ctx *x, const struct log_group *g, struct str page,
                          struct batch *out, struct err *e)
{
    struct import_defaults defaults = {
        .account = x->account,
        .region = x->client.region,
        .function = g->function,
        .log_group = str_from(g->name),
        .provider = PROVIDER_AWS,
        .now_ns = aws_now(&x->client),
    };
    struct decode_input in = {
        .path = arena_printf(&out->arena, STR_FMT " %s", STR_ARG(x->source->name), g->name),
        .bytes = page,
        .is_last = true,
        .defaults = &defaults,
    };
    struct cw_state *state = x->logs.state;
    size_t used = 0;

    /* What a page brings is looked up by this page's batch only. */
    aws_cloudwatch_json.close(state);
    *state = (struct cw_state){0};
    out->counts.read_bytes += page.n;
    return aws_cloudwatch_json.decode(state, &in, out, &used, e);
}

/* --- after the page
 * -----------------------------------------------------------------------------------------
 */

static void put_cursor(struct aws_ctx *x, const struct log_group *g, struct batch *out)
{
    struct cursor c = {
        .source = x->source->name,
        .scope = arena_printf(&out->arena, "log-group:%s", g->name),
        .token = arena_printf(&out->arena, "%lld", (long long)g->deep_ms),
        .watermark_ns = g->watermark_ms * NS_PER_MS,
    };
    batch_cursor(out, &c);
    aws_keep_floor(x, out);
}

static void end_fast(struct aws_ctx *x, struct log_group *g, struct log_scan *s, struct batch *out)
{
    bool is_behind = s->end_ms < aws_now(&x->client) / NS_PER_MS - WINDOW_MAX_MS / 2;

    if (s->end_ms > g->watermark_ms)
        g->watermark_ms = s->end_ms;
    g->was_read = g->was_read || !is_behind;
    if (s->is_wide) {
        g->wide_ms = s->end_ms;
        g->wide_ns = aws_mono(x) + x->o->overlap_ns / WIDE_SHARE;
    }
    g->delay_ns -= g->delay_ns / 8;
    put_cursor(x, g, out);
    if (is_behind)
        s->next_ns = aws_mono(x);
}

static void end_scan(struct aws_ctx *x, struct log_group *g, struct log_scan *s, struct batch *out)
{
    enum scan_kind kind = kind_of(g, s);

    s->is_active = false;
    s->restarts = 0;
    s->next_ns = aws_mono(x) + pause_of(x, g, s);
    if (kind == SCAN_FAST)
        end_fast(x, g, s, out);
    if (kind == SCAN_DEEP) {
        g->deep_ms = s->end_ms;
        put_cursor(x, g, out);
    }
}

static void note_events(const struct aws_ctx *x, struct log_group *g, const struct batch *out)
{
    bool is_new = false;
    struct source_status *status = &x->source->status;

    status->add_events += out->n_records;
    for (size_t i = 0; i < out->n_records; i++) {
        const struct log_record *r = &out->records[i];
        if (r->seen_ns / NS_PER_MS <= g->watermark_ms) /* shown to the scan before, too */
            continue;
        is_new = true;
        if (r->seen_ns - r->time_ns > g->delay_ns)
            g->delay_ns = r->seen_ns - r->time_ns;
    }
    g->quiet = is_new ? 0 : g->quiet < QUIET_MAX ? g->quiet + 1 : g->quiet;
}

/* Up to when every group has been read. */
static int64_t oldest_watermark(const struct aws_ctx *x, bool with_ill)
{
    int64_t oldest_ms = INT64_MAX;

    for (size_t i = 0; i < x->logs.n; i++) {
        const struct log_group *g = &x->logs.groups[i];
        if (can_scan(g) && (with_ill || g->ill_ns == 0) && g->watermark_ms < oldest_ms)
            oldest_ms = g->watermark_ms;
    }
    return oldest_ms;
}

/* Fully read up to here, in every group that can be read: what is missing is newer. */
static void note_watermark(struct aws_ctx *x)
{
    struct source_status *status = &x->source->status;
    int64_t oldest_ms = oldest_watermark(x, false);

    if (oldest_ms == INT64_MAX)
        return;
    x->tasks[TASK_LOGS].round_ns = oldest_watermark(x, true) * NS_PER_MS;
    status->watermark_ns = oldest_ms * NS_PER_MS;
    status->lag_ns = aws_now(&x->client) - status->watermark_ns;
}

/* Its pages lead nowhere, as when a token has expired: only reading the window from its start
 * helps, and not at once. False: that did not help several times. */
static bool restart(struct aws_ctx *x, struct log_scan *s)
{
    const bool may_help = ++s->restarts < FAILURES_SHOWN;

    aws_pages_reset(&s->pages);
    s->is_active = false;
    s->next_ns =
        aws_mono(x) + (may_help ? retry_wait(&retry_standard, s->restarts, 0, &x->source->env.rng)
                                : AWS_DENIED_WAIT_NS);
    return may_help;
}

static enum status take_page(struct aws_ctx *x, struct log_group *g, struct log_scan *s,
                             struct str page, struct batch *out, struct err *e)
{
    struct str token = {0};

    if (!read_page(page, &out->arena, &token)) {
        if (++s->damaged < DAMAGED_MAX)
            return aws_damaged(&x->client, arena_printf(&out->arena, "a page of %s", g->name).p, e);
        find_token(page, &out->arena, &token);
        x->source->status.add_errors++;
        log_event(LOG_WARN,
                  "source=" STR_FMT " group=%s a page is damaged for good: "
                  "what can be read of it is kept",
                  STR_ARG(x->source->name), g->name);
    }
    enum status st = decode(x, g, page, out, e);
    if (st != OK)
        return st;
    note_events(x, g, out);
    s->damaged = 0;
    st = aws_pages_next(&s->pages, token, AWS_PAGES_ENDLESS, "logs:FilterLogEvents", e);
    if (st != OK)
        return restart(x, s) ? OK : st;
    if (s->pages.token == NULL) {
        end_scan(x, g, s, out);
        note_watermark(x);
    } else {
        s->next_ns = aws_mono(x);
    }
    return OK;
}

/* --- failures
 * -----------------------------------------------------------------------------------------------
 */

/* A function's group is made by its first invocation: until then it counts as read and empty, and
 * is asked for like a quiet one. Others are waited for by the next list. */
static void miss(struct aws_ctx *x, struct log_group *g, struct log_scan *s)
{
    s->is_active = false;
    g->is_gone = !g->is_used;
    if (g->is_gone)
        return;
    g->quiet = g->quiet < QUIET_MAX ? g->quiet + 1 : g->quiet;
    s->next_ns = aws_mono(x) + pause_of(x, g, s);
    if (kind_of(g, s) != SCAN_FAST)
        return;
    g->watermark_ms = s->end_ms > g->watermark_ms ? s->end_ms : g->watermark_ms;
    g->was_read = true;
    note_watermark(x);
}

static enum status fail(struct aws_ctx *x, struct log_group *g, struct log_scan *s,
                        enum status status)
{
    if (x->client.fault.kind == FAULT_NOT_FOUND) {
        miss(x, g, s);
        return OK;
    }
    if (x->client.fault.kind == FAULT_REFUSED && s->pages.token != NULL)
        return restart(x, s) ? OK : status;
    return status;
}

/* --- groups that cannot be read
 * ------------------------------------------------------------------------------------
 */

static size_t count_groups(const struct aws_ctx *x, const struct log_group **first_ill,
                           size_t *n_ill)
{
    size_t n = 0;

    *n_ill = 0;
    *first_ill = NULL;
    for (size_t i = 0; i < x->logs.n; i++) {
        const struct log_group *g = &x->logs.groups[i];
        n += can_scan(g);
        if (!can_scan(g) || g->ill_ns == 0)
            continue;
        *first_ill = *first_ill != NULL ? *first_ill : g;
        ++*n_ill;
    }
    return n;
}

struct str aws_logs_ill(const struct aws_ctx *x, struct arena *a, bool *is_all)
{
    AUTO(buf_clear) struct buf b = {.max = 2048};
    const struct log_group *g;
    size_t n_ill, n = count_groups(x, &g, &n_ill);

    *is_all = n_ill > 0 && n_ill == n;
    if (n_ill == 0)
        return (struct str){0};
    buf_addf(&b, "%zu of %zu log groups cannot be read: %s since ", n_ill, n, g->name);
    time_format(&b, g->ill_ns, 0);
    buf_addf(&b, " (%s)%s", g->error, n_ill > 1 ? ", ..." : "");
    return arena_str(a, buf_str(&b));
}

/* Does any scan of the group fail for long, or is it refused? */
static void note_health(struct aws_ctx *x, struct log_group *g, const struct err *e)
{
    bool is_ill = false, was_ill = g->ill_ns > 0;

    for (int k = 0; k < SCAN_KINDS; k++)
        is_ill = is_ill || is_failing(&g->scans[k]);
    if (is_ill == was_ill)
        return;
    g->ill_ns = is_ill ? aws_now(&x->client) : 0;
    g->error = aws_keep(g->error, is_ill ? str_from(e->msg) : STR(""));
    note_watermark(x);
    log_event(is_ill ? LOG_WARN : LOG_INFO, "source=" STR_FMT " group=%s %s%s",
              STR_ARG(x->source->name), g->name, is_ill ? "cannot be read: " : "is read again",
              is_ill ? e->msg : "");
}

/* What is wrong with one group does not stop the others: they go on, and it is told (partial). */
static bool is_confined(const struct aws_ctx *x, const struct log_group *g)
{
    const struct log_group *first;
    size_t n_ill, n = count_groups(x, &first, &n_ill);

    return g->ill_ns > 0 && n_ill < n;
}

/* Does the answer speak of this group? */
static bool is_about_group(const struct aws_fault *f)
{
    return f->kind == FAULT_REFUSED || aws_fault_is_of_one(f);
}

/* Where only a person can help, asking again soon does not. A scan that begins anew has its time.
 */
static void wait_after(struct aws_ctx *x, struct log_scan *s)
{
    const struct aws_fault *f = &x->client.fault;
    bool is_refused = f->kind == FAULT_REFUSED || f->kind == FAULT_DENIED;

    if (!s->is_active)
        return;
    s->is_refused = is_about_group(f);
    if (s->is_refused)
        s->failures = FAILURES_SHOWN;
    else if (!is_refused)
        s->failures++;
    s->next_ns = aws_mono(x) + (is_refused ? AWS_DENIED_WAIT_NS
                                           : retry_wait(&retry_standard, s->failures, f->asked_ns,
                                                        &x->source->env.rng));
}

/* A single round does not wait for a group that is refused; for one that fails in passing it does.
 */
static bool is_hopeless(const struct log_group *g)
{
    for (int k = 0; k < SCAN_KINDS; k++)
        if (g->scans[k].is_refused || g->scans[k].restarts >= FAILURES_SHOWN)
            return true;
    return false;
}

static bool all_read(const struct aws_ctx *x)
{
    for (size_t i = 0; i < x->logs.n; i++)
        if (can_scan(&x->logs.groups[i]) && !x->logs.groups[i].was_read &&
            !is_hopeless(&x->logs.groups[i]))
            return false;
    return x->logs.is_listed_once || x->tasks[TASK_GROUPS].is_round_done; /* with an error */
}

/* Prices depend on how a function is configured: that comes first, if it comes in a while. */
static bool must_wait(const struct aws_ctx *x)
{
    const struct aws_task *config = &x->tasks[TASK_CONFIG];

    return config->next_ns != INT64_MAX && !x->fns.is_listed_once && !config->is_round_done &&
           aws_mono(x) - x->began_ns < CONFIG_PATIENCE_NS;
}

enum status aws_logs_step(struct aws_ctx *x, struct aws_task *t, struct batch *out, struct err *e)
{
    struct log_group *g = NULL;
    struct log_scan *scan = first_due(&x->logs, &g);
    struct str page;

    if (must_wait(x)) {
        t->next_ns = aws_mono(x) + NS_PER_SEC / 20;
        return OK;
    }
    if (scan == NULL || scan->next_ns > aws_mono(x)) {
        t->next_ns = scan != NULL ? scan->next_ns : INT64_MAX;
        t->is_round_done = all_read(x);
        return OK;
    }
    if (!scan->is_active)
        begin(x, g, scan);
    struct aws_request q = {.op = OP_FILTER_LOG_EVENTS, .body = make_body(g, scan, &out->arena)};
    enum status s = aws_call(&x->client, &q, &out->arena, &page, e);
    if (s == OK)
        s = take_page(x, g, scan, page, out, e);
    else if (s != ERR_CANCELLED)
        s = fail(x, g, scan, s);
    scan->is_refused = false;
    if (s == OK)
        scan->failures = 0;
    else if (s != ERR_CANCELLED)
        wait_after(x, scan);
    note_health(x, g, e);
    t->next_ns = aws_logs_due(x);
    t->is_round_done = all_read(x);
    return s != ERR_CANCELLED && is_confined(x, g) ? OK : s;
}

void aws_logs_clear(struct aws_logs *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->groups[i].name);
        free(l->groups[i].account);
        free(l->groups[i].error);
        for (int k = 0; k < SCAN_KINDS; k++)
            aws_pages_clear(&l->groups[i].scans[k].pages);
    }
    free(l->groups);
    aws_pages_clear(&l->pages);
    map_clear(&l->by_name);
    if (l->state != NULL)
        aws_cloudwatch_json.close(l->state);
    free(l->state);
}

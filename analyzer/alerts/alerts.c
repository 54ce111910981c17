/* One evaluation: every rule over every subject it is about, each verdict through the state table,
 * each thing to say to each notifier. Reads the store, writes nothing. */
#include "analyzer/alerts/alerts.h"

#include <stdlib.h>

#include "analyzer/alerts/alert_state.h"
#include "analyzer/alerts/alert_text.h"
#include "analyzer/alerts/tracks.h"
#include "core/base/timefmt.h"

#define STALE_NS         (10 * NS_PER_MIN) /* at least; rules that look longer wait longer */
#define LATE_NS          (15 * NS_PER_MIN) /* providers deliver logs as late as that */
#define SHOW_RESOLVED_NS NS_PER_HOUR
/* What was over for longer is no news: logs come as late as that, more is a catch-up. */
#define NEWS_NS LATE_NS

struct evaluation {
    const struct alert_set *set;
    struct arena *arena;
    int64_t now_ns;
    struct tracks tracks;
    struct alert_rows known;
    struct idmap known_by_key;
    bool *is_visited;   /* of known */
    struct fn_ref *fns; /* all that are stored, where a rule fires without data */
    size_t n_fns;
    struct silence_rows silences;
    struct alert *changed, *current;
    size_t n_changed, cap_changed, n_current, cap_current;
    struct outbox_entry *messages;
    size_t n_messages, cap_messages;
    size_t n_looked_at;
};

/* --- what a rule is about --- */

static bool is_about(const struct rule *r, const struct subject *s)
{
    return signal_is_of(r->signal, &s->of) &&
           (r->name_glob.n == 0 || str_glob(r->name_glob, s->of.name)) &&
           (r->region.n == 0 || str_eq(r->region, s->of.region)) &&
           (r->account.n == 0 || str_eq(r->account, s->of.account));
}

static bool is_muted(const struct evaluation *ev, const struct rule *r, const struct subject *s)
{
    for (size_t i = 0; i < ev->silences.n; i++)
        if (silence_covers(&ev->silences.rows[i], r->name, s, ev->now_ns))
            return true;
    return false;
}

/* The stored row, or a fresh inactive one. */
static struct alert find_alert(struct evaluation *ev, const struct rule *r, const struct subject *s)
{
    AUTO(buf_clear) struct buf key = {.max = 64};
    uint64_t number = 0;

    alert_key(&key, r->name, s);
    number = str_hash(buf_str(&key), 0);
    const uint64_t *at = idmap_get(&ev->known_by_key, number);
    if (at) {
        ev->is_visited[*at] = true;
        return ev->known.rows[*at];
    }
    return (struct alert){
        .key = arena_str(ev->arena, buf_str(&key)),
        .rule = r->name,
        .subject = *s,
        .state = ALERT_INACTIVE,
    };
}

/* --- messages --- */

/* sent_ns tells a reminder from the first message, and an episode that late data open again from
 * itself; it is stable: it is stored with the state that this message comes with, or with the
 * message itself. */
static void add_message_of(struct evaluation *ev, const struct alert *a, struct str notifier,
                           enum alert_event event, int64_t sent_ns)
{
    const int64_t number = event == ALERT_SAYS_PASSED ? 0 : sent_ns - a->started_ns;
    struct str id = arena_printf(ev->arena, STR_FMT "-%lld-%s-%lld-" STR_FMT, STR_ARG(a->key),
                                 (long long)a->started_ns, alert_event_name(event),
                                 (long long)(number / NS_PER_SEC), STR_ARG(notifier));

    ev->messages = arena_grow(ev->arena, ev->messages, ev->n_messages, &ev->cap_messages,
                              sizeof(*ev->messages));
    ev->messages[ev->n_messages++] = (struct outbox_entry){
        .id = id,
        .notifier = notifier,
        .event = event,
        .created_ns = ev->now_ns,
        .next_ns = ev->now_ns,
        .alert = *a,
    };
}

static void add_message(struct evaluation *ev, const struct alert *a, struct str notifier,
                        enum alert_event event)
{
    add_message_of(ev, a, notifier, event,
                   event == ALERT_SAYS_RESOLVED ? a->resolved_ns : a->sent_ns);
}

static void add_messages(struct evaluation *ev, const struct rule *r, const struct alert *a,
                         enum alert_event event)
{
    const struct str *names = r->notify_all ? ev->set->notifiers : r->notify;
    const size_t n = r->notify_all ? ev->set->n_notifiers : r->n_notify;

    for (size_t i = 0; i < n; i++)
        add_message(ev, a, names[i], event);
}

/* --- one rule, one subject --- */

static enum alert_input input_of(const struct rule *r, const struct observation *o, bool is_muted)
{
    static const enum alert_input inputs[] = {
        [VERDICT_MISSING] = IN_MISSING, [VERDICT_CLEAR] = IN_CLEAR, [VERDICT_CLEARED] = IN_CLEARED,
        [VERDICT_BAND] = IN_BAND,       [VERDICT_HOLDS] = IN_HOLDS, [VERDICT_DUE] = IN_DUE,
    };
    static const enum alert_input of_missing[] = {
        [RULE_MISSING_KEEPS] = IN_MISSING,
        [RULE_MISSING_FIRES] = IN_DUE,
        [RULE_MISSING_CLEARS] = IN_CLEARED,
    };
    enum alert_input in =
        o->verdict == VERDICT_MISSING ? of_missing[r->missing] : inputs[o->verdict];

    return in == IN_DUE && is_muted ? IN_DUE_MUTED : in;
}

/* Of what was never heard in all the time looked at, that time. */
static int64_t missing_since(const struct evaluation *ev, const struct observation *o)
{
    return o->data_ns > 0 ? o->data_ns : ev->tracks.range.since_ns;
}

static struct alert_facts facts_of(const struct evaluation *ev, const struct rule *r,
                                   const struct observation *o)
{
    return (struct alert_facts){
        .now_ns = ev->now_ns,
        .data_ns = o->data_ns,
        .value = o->value,
        .worst = o->worst,
        .started_ns = o->verdict == VERDICT_MISSING ? missing_since(ev, o) : o->started_ns,
        .repeat_ns = r->repeat_ns,
    };
}

static void describe(struct evaluation *ev, const struct rule *r, const struct observation *o,
                     struct alert *a)
{
    const struct alert_reach reach = {ev->set->reach, tracks_shares_name(&ev->tracks, &a->subject)};

    a->rule = r->name;
    a->severity = r->severity;
    a->threshold = r->threshold;
    a->unit = r->unit;
    a->eval_ns = ev->now_ns;
    a->summary = alert_summary(ev->arena, r, a, o, reach.is_ambiguous);
    if (o && o->verdict == VERDICT_CLEAR && alert_is_active(a->state))
        a->summary = alert_leaving_summary(ev->arena, r, a);
    a->evidence = alert_evidence(ev->arena, r, a, &reach);
}

static void keep_changed(struct evaluation *ev, const struct alert *a)
{
    ev->changed =
        arena_grow(ev->arena, ev->changed, ev->n_changed, &ev->cap_changed, sizeof(*ev->changed));
    ev->changed[ev->n_changed++] = *a;
}

static void keep(struct evaluation *ev, const struct alert *a, bool is_changed)
{
    if (is_changed)
        keep_changed(ev, a);
    if (a->state == ALERT_INACTIVE)
        return;
    ev->current =
        arena_grow(ev->arena, ev->current, ev->n_current, &ev->cap_current, sizeof(*ev->current));
    ev->current[ev->n_current++] = *a;
}

/* --- what was over before it was looked at --- */

/* What began before the last episode ended belongs to that one. What is pending, or was, is no
 * episode yet: it may have become one unseen. */
static bool is_known(const struct alert *a, const struct past_run *run)
{
    const int64_t known_ns = a->resolved_ns > a->started_ns ? a->resolved_ns : a->started_ns;

    return a->fired_ns == 0 ? run->ended_ns < a->started_ns : run->started_ns <= known_ns;
}

/* Late data may show that the last episode went on, or how bad it was. */
static void extend_episode(struct evaluation *ev, struct alert *a, const struct past_run *run)
{
    const bool is_upper = a->threshold <= a->peak;
    const bool is_worse = is_upper ? run->worst > a->peak : run->worst < a->peak;
    const bool is_longer = run->ended_ns > a->resolved_ns;

    if (a->fired_ns == 0 || run->ended_ns < a->started_ns || (!is_worse && !is_longer))
        return;
    a->peak = is_worse ? run->worst : a->peak;
    a->resolved_ns = is_longer ? run->ended_ns : a->resolved_ns;
    keep_changed(ev, a);
}

static void add_episode(struct evaluation *ev, const struct rule *r, struct alert *a,
                        const struct alert_facts *f)
{
    struct alert_says says;

    if (!alert_step(a, IN_PASSED, f, &says))
        return;
    describe(ev, r, NULL, a);
    a->summary =
        alert_passed_summary(ev->arena, r, a, tracks_shares_name(&ev->tracks, &a->subject));
    keep_changed(ev, a);
    if (says.passed)
        add_messages(ev, r, a, ALERT_SAYS_PASSED);
}

/* Each is an episode; told is the last, once, while it is news and nothing newer is told. */
static void look_back(struct evaluation *ev, const struct rule *r, struct alert *a,
                      const struct observation *o, bool is_muted)
{
    const bool is_quiet = is_muted || o->verdict == VERDICT_HOLDS || o->verdict == VERDICT_DUE;

    for (size_t i = 0; i < o->n_past && !alert_is_active(a->state); i++) {
        const struct past_run *run = &o->past[i];
        const bool is_old = i + 1 < o->n_past || ev->now_ns - run->ended_ns > NEWS_NS;
        const struct alert_facts f = {
            .now_ns = ev->now_ns,
            .data_ns = run->ended_ns,
            .value = o->verdict == VERDICT_MISSING ? run->worst : o->value,
            .worst = run->worst,
            .started_ns = run->started_ns,
            .ended_ns = run->ended_ns,
            .is_untold = is_quiet || is_old,
        };
        if (is_known(a, run))
            extend_episode(ev, a, run);
        else
            add_episode(ev, r, a, &f);
    }
}

/* --- what ends for another reason than its condition --- */

static void end_alert(struct evaluation *ev, const struct rule *r, struct alert *a, const char *why)
{
    const struct alert_facts f = {.now_ns = ev->now_ns, .value = a->value, .data_ns = a->data_ns};
    const bool is_shown = ev->now_ns - a->since_ns < SHOW_RESOLVED_NS;
    struct alert_says says = {0};
    bool is_changed = false;

    if (a->state != ALERT_RESOLVED)
        is_changed = alert_step(a, IN_CLEARED, &f, &says);
    else if (!r || !is_shown)
        is_changed = alert_step(a, IN_EXPIRE, &f, &says);
    if (says.resolved)
        a->summary = alert_ended_summary(ev->arena, a, why);
    keep(ev, a, is_changed);
    if (says.resolved && r)
        add_messages(ev, r, a, ALERT_SAYS_RESOLVED);
    for (size_t k = 0; says.resolved && !r && k < ev->set->n_notifiers; k++)
        add_message(ev, a, ev->set->notifiers[k], ALERT_SAYS_RESOLVED);
}

/* --- what holds --- */

static bool step(struct alert *a, const struct rule *r, const struct observation *o,
                 const struct alert_facts *f, bool is_muted, struct alert_says *says)
{
    enum alert_input in = input_of(r, o, is_muted);

    if (a->state == ALERT_RESOLVED && in != IN_DUE && in != IN_HOLDS && in != IN_DUE_MUTED &&
        f->now_ns - a->since_ns >= SHOW_RESOLVED_NS)
        in = IN_EXPIRE;
    return alert_step(a, in, f, says);
}

static int64_t stale_after(const struct rule *r)
{
    const int64_t wanted = 2 * r->over_ns;

    return wanted > STALE_NS ? wanted : STALE_NS;
}

/* Why what is missing will not come. A rule that fires without data is about just that. */
static const char *why_unread(struct evaluation *ev, const struct rule *r, const struct alert *a,
                              const struct observation *o)
{
    if (o->verdict != VERDICT_MISSING || a->state == ALERT_INACTIVE ||
        r->missing == RULE_MISSING_FIRES)
        return NULL;
    const char *why = tracks_why_unread(&ev->tracks, r->signal, &a->subject);
    return why || !r->per ? why : tracks_why_unread(&ev->tracks, r->per, &a->subject);
}

/* Who saw it pending within its first minute knows more than that minute's end. */
static void count_from_seen(const struct rule *r, const struct alert *a, struct observation *o)
{
    const bool is_seen =
        a->state == ALERT_PENDING && a->since_ns >= o->begin_ns && a->since_ns < o->started_ns;

    if (o->verdict != VERDICT_HOLDS || !is_seen)
        return;
    o->started_ns = a->since_ns;
    if (o->end_ns - o->started_ns >= r->for_ns)
        o->verdict = VERDICT_DUE;
}

static void look_at(struct evaluation *ev, const struct rule *r, const struct subject *subject,
                    const struct track *of)
{
    const struct track seen = of ? *of : (struct track){0};
    const struct track *per = tracks_divisor(&ev->tracks, r->per, subject);
    const char *why = tracks_why_unwatched(&ev->tracks, r->signal, subject);
    const bool mutes = is_muted(ev, r, subject);
    struct alert a = find_alert(ev, r, subject);
    struct observation o;
    struct alert_says says;

    if (why && a.state != ALERT_INACTIVE)
        end_alert(ev, r, &a, why);
    if (why)
        return;
    a.threshold = r->threshold; /* a changed rule compares with its own threshold */
    rule_eval(r, &seen, per, ev->now_ns, stale_after(r), &o);
    count_from_seen(r, &a, &o);
    look_back(ev, r, &a, &o, mutes);
    why = why_unread(ev, r, &a, &o);
    if (why)
        end_alert(ev, r, &a, why);
    if (why)
        return;
    if (o.verdict == VERDICT_MISSING && a.state == ALERT_INACTIVE &&
        r->missing != RULE_MISSING_FIRES)
        return;
    ev->n_looked_at++;
    const struct alert_facts f = facts_of(ev, r, &o);
    const bool is_changed = step(&a, r, &o, &f, mutes, &says);
    if (is_changed || a.state != ALERT_INACTIVE)
        describe(ev, r, &o, &a);
    keep(ev, &a, is_changed);
    if (says.firing)
        add_messages(ev, r, &a, ALERT_SAYS_FIRING);
    if (says.resolved)
        add_messages(ev, r, &a, ALERT_SAYS_RESOLVED);
}

/* --- all --- */

/* A function that was not heard of in the time looked at lacks data, where its source has stopped:
 * one that is read is idle. */
static void look_at_silent(struct evaluation *ev, const struct rule *r)
{
    const bool is_asked = r->missing == RULE_MISSING_FIRES && rule_is_about(r, SCOPE_FUNCTION);

    for (size_t i = 0; is_asked && i < ev->n_fns; i++) {
        const struct subject subject = {SCOPE_FUNCTION, ev->fns[i]};
        if (!is_about(r, &subject) || tracks_find(&ev->tracks, r->signal, &subject) ||
            tracks_why_unread(&ev->tracks, r->signal, &subject))
            continue;
        const struct track *idle = tracks_idle(&ev->tracks, r->signal, &subject);
        const struct track t = idle ? *idle : (struct track){0};
        if (idle)
            look_at(ev, r, &subject, &t);
    }
}

static void look_at_rule(struct evaluation *ev, const struct rule *r)
{
    const size_t n = ev->tracks.n; /* idle tracks come behind */

    for (size_t i = 0; i < n; i++) {
        const struct track t = ev->tracks.rows[i]; /* the array may move */
        if (t.signal == r->signal && is_about(r, &t.subject))
            look_at(ev, r, &t.subject, &t);
    }
    if (r->signal->from == FROM_SOURCES) /* a source without a row is not configured any more */
        return;
    for (size_t i = 0; i < ev->known.n; i++) {
        const struct alert *a = &ev->known.rows[i];
        if (ev->is_visited[i] || a->state == ALERT_INACTIVE || !str_eq(a->rule, r->name) ||
            !is_about(r, &a->subject))
            continue;
        look_at(ev, r, &a->subject, tracks_idle(&ev->tracks, r->signal, &a->subject));
    }
    look_at_silent(ev, r);
}

static const struct rule *find_rule(const struct alert_set *set, struct str name)
{
    for (size_t i = 0; i < set->n_rules; i++)
        if (!set->rules[i].is_off && str_eq(set->rules[i].name, name))
            return &set->rules[i];
    return NULL;
}

/* Alerts of rules that are gone, or about what they are not about any more. */
static void drop_orphans(struct evaluation *ev)
{
    for (size_t i = 0; i < ev->known.n; i++) {
        struct alert a = ev->known.rows[i];
        const struct rule *r = find_rule(ev->set, a.rule);
        if (ev->is_visited[i] || a.state == ALERT_INACTIVE)
            continue;
        end_alert(ev, r, &a,
                  !r                                ? "the rule is not in force any more"
                  : a.subject.scope == SCOPE_SOURCE ? "the source is not configured any more"
                                                    : "the rule is not about it any more");
    }
}

/* --- newcomers --- */

/* A message that was given up told nobody. */
static bool is_told(const struct outbox_rows *said, const struct alert *a, struct str notifier)
{
    for (size_t i = 0; i < said->n; i++) {
        const struct outbox_entry *m = &said->rows[i];
        if (m->event == ALERT_SAYS_FIRING && m->status != OUTBOX_GIVEN_UP &&
            m->alert.started_ns == a->started_ns && str_eq(m->notifier, notifier))
            return true;
    }
    return false;
}

/* Of one alert. Who was told knows of it; the others were configured since. */
static enum status tell_newcomers(struct evaluation *ev, struct store *s, const struct alert *a,
                                  struct err *e)
{
    const struct rule *r = find_rule(ev->set, a->rule);
    const struct outbox_request q = {.due_ns = INT64_MAX, .alert_key = a->key};
    struct outbox_rows said;

    if (!r || a->state != ALERT_FIRING || a->sent_ns == ev->now_ns)
        return OK;
    const struct str *names = r->notify_all ? ev->set->notifiers : r->notify;
    const size_t n = r->notify_all ? ev->set->n_notifiers : r->n_notify;
    enum status status = request_outbox(s, &q, ev->arena, &said, e);
    for (size_t i = 0; status == OK && i < n; i++)
        if (!is_told(&said, a, names[i]))
            add_message_of(ev, a, names[i], ALERT_SAYS_FIRING, ev->now_ns);
    return status;
}

static int compare_current(const void *x, const void *y)
{
    static const int ranks[ALERT_STATES] = {
        [ALERT_FIRING] = 0,   [ALERT_ACKNOWLEDGED] = 1, [ALERT_PENDING] = 2,
        [ALERT_SILENCED] = 3, [ALERT_RESOLVED] = 4,     [ALERT_INACTIVE] = 5,
    };
    const struct alert *a = x, *b = y;
    int c = ranks[a->state] - ranks[b->state];

    c = c ? c : (a->severity < b->severity) - (a->severity > b->severity);
    c = c ? c : str_cmp(a->rule, b->rule);
    return c ? c : str_cmp(a->subject.of.name, b->subject.of.name);
}

int64_t alerts_lookback_ns(const struct alert_set *set)
{
    int64_t longest = 0;

    for (size_t i = 0; i < set->n_rules; i++) {
        const struct rule *r = &set->rules[i];
        const int64_t held = r->for_ns > r->keep_ns ? r->for_ns : r->keep_ns;
        if (held + r->over_ns > longest)
            longest = held + r->over_ns;
    }
    return longest + LATE_NS;
}

static bool fires_without_data(const struct alert_set *set)
{
    for (size_t i = 0; i < set->n_rules; i++)
        if (!set->rules[i].is_off && set->rules[i].missing == RULE_MISSING_FIRES &&
            rule_is_about(&set->rules[i], SCOPE_FUNCTION))
            return true;
    return false;
}

static enum status load(struct evaluation *ev, struct store *s, struct err *e)
{
    const struct alert_request all = {.state_mask = UINT32_MAX};
    enum status status = request_alerts(s, &all, ev->arena, &ev->known, e);

    if (status == OK)
        status = request_silences(s, ev->now_ns, false, ev->arena, &ev->silences, e);
    if (status == OK)
        status = tracks_load(&ev->tracks, s, ev->set, e);
    if (status == OK && fires_without_data(ev->set))
        status = request_known_fns(s, ev->arena, &ev->fns, &ev->n_fns, e);
    if (status != OK)
        return status;
    ev->is_visited = arena_new(ev->arena, bool, ev->known.n + 1);
    for (size_t i = 0; i < ev->known.n; i++)
        *idmap_put(&ev->known_by_key, str_hash(ev->known.rows[i].key, 0), NULL) = i;
    return OK;
}

enum status alerts_evaluate(const struct alert_set *set, struct store *s, int64_t now_ns,
                            struct arena *a, struct alert_verdicts *out, struct err *e)
{
    const int64_t since_ns = time_floor(now_ns - alerts_lookback_ns(set), NS_PER_MIN);
    struct evaluation ev = {
        .set = set,
        .arena = a,
        .now_ns = now_ns,
        .tracks = {.arena = a,
                   .now_ns = now_ns,
                   .begun_ns = set->begun_ns,
                   .range = {since_ns, now_ns + 1},
                   .places = {.arena = a}},
    };
    enum status status = load(&ev, s, e);

    for (size_t i = 0; status == OK && i < set->n_rules; i++)
        if (!set->rules[i].is_off)
            look_at_rule(&ev, &set->rules[i]);
    if (status == OK)
        drop_orphans(&ev);
    for (size_t i = 0; status == OK && set->tells_newcomers && i < ev.n_current; i++)
        status = tell_newcomers(&ev, s, &ev.current[i], e);
    if (status == OK && ev.n_current > 1)
        qsort(ev.current, ev.n_current, sizeof(*ev.current), compare_current);
    idmap_clear(&ev.known_by_key);
    tracks_clear(&ev.tracks);
    if (status != OK)
        return err_wrap(e, "alerts");
    *out = (struct alert_verdicts){
        .changes = {ev.changed, ev.n_changed, ev.messages, ev.n_messages, NULL, 0},
        .current = ev.current,
        .n_current = ev.n_current,
        .n_looked_at = ev.n_looked_at,
        .data_ns = ev.tracks.newest_ns,
    };
    return OK;
}

bool alert_tells(const struct alert_set *set, const struct alert *a, struct str notifier)
{
    const struct rule *r = find_rule(set, a->rule);

    for (size_t i = 0; r && !r->notify_all && i < r->n_notify; i++)
        if (str_eq(r->notify[i], notifier))
            return true;
    return r && r->notify_all;
}

bool alert_acknowledge(struct alert *a, struct str by, int64_t now_ns)
{
    const struct alert_facts f = {.now_ns = now_ns, .by = by};
    struct alert_says says;

    return alert_step(a, IN_ACK, &f, &says);
}

struct outbox_entry alert_test_message(struct arena *a, struct str notifier, struct str reach,
                                       int64_t now_ns)
{
    struct outbox_entry m = {
        .id = arena_printf(a, "test-%lld-" STR_FMT, (long long)now_ns, STR_ARG(notifier)),
        .notifier = notifier,
        .event = ALERT_SAYS_TEST,
        .created_ns = now_ns,
        .next_ns = now_ns,
        .alert = {.key = STR("0000000000000000"),
                  .rule = STR("test"),
                  .subject = {SCOPE_SOURCE, {.name = STR("fnscope")}},
                  .severity = ALERT_INFO,
                  .state = ALERT_FIRING,
                  .since_ns = now_ns,
                  .started_ns = now_ns,
                  .fired_ns = now_ns,
                  .value = 1,
                  .peak = 1,
                  .data_ns = now_ns,
                  .eval_ns = now_ns,
                  .summary = STR("a test of this notifier: nothing is wrong"),
                  .evidence = arena_printf(a, "fnscope alert list" STR_FMT, STR_ARG(reach))},
    };

    return m;
}

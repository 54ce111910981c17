/* Summary and evidence of an alert. Names come from outside: whatever shows them goes through
 * safe_text, and the command is made so that no shell acts on them. */
#include "analyzer/alerts/alert_text.h"

#include "core/base/timefmt.h"

static const char *const compare_names[] = {
    [RULE_ABOVE] = ">",
    [RULE_AT_LEAST] = ">=",
    [RULE_BELOW] = "<",
    [RULE_AT_MOST] = "<=",
};

/* "queue jobs", where others are called so "queue jobs in eu-west-1 of 111122223333" */
static void add_named(struct buf *b, const struct subject *s, bool is_ambiguous)
{
    buf_addf(b, "%s " STR_FMT, metric_scope_name(s->scope), STR_ARG(s->of.name));
    if (is_ambiguous && s->of.region.n > 0)
        buf_addf(b, " in " STR_FMT, STR_ARG(s->of.region));
    if (is_ambiguous && s->of.account.n > 0)
        buf_addf(b, " of " STR_FMT, STR_ARG(s->of.account));
}

static void add_place(struct buf *b, const struct subject *s, bool is_ambiguous)
{
    const bool has_region = s->of.region.n > 0;

    if (s->scope != SCOPE_REGION) {
        add_named(b, s, is_ambiguous);
        return;
    }
    buf_addf(b, "%s%s" STR_FMT, has_region ? "region " : "account", has_region ? "" : " ",
             STR_ARG(has_region ? s->of.region : s->of.account));
    if (has_region && s->of.account.n > 0)
        buf_addf(b, " of " STR_FMT, STR_ARG(s->of.account));
}

static const char *phrase_of(const struct signal_info *s, int64_t n)
{
    return s->one != NULL && n == 1 ? s->one : s->phrase;
}

/* "failed invocations at 33.33% of 9 invocations, fewer than 20" */
static void add_ratio(struct buf *b, const struct rule *r, const struct alert *alert,
                      const struct observation *o)
{
    const enum quorum quorum = o && o->data_ns > 0 ? o->quorum : QUORUM_MET;

    if (quorum == QUORUM_NONE) {
        buf_addf(b, "no %s, and so no %s", r->per->phrase, r->signal->phrase);
        return;
    }
    if (o && o->data_ns > 0 && o->whole == 0 && r->per->kind != SIGNAL_LEVEL) {
        const int64_t n = alert->value / 1000000; /* times one */
        buf_addf(b, "%lld %s and no %s", (long long)n, phrase_of(r->signal, n), r->per->phrase);
        return;
    }
    buf_addf(b, "%s at ", r->signal->phrase);
    alert_value_format(b, alert->value, r->unit);
    if (quorum == QUORUM_MET)
        buf_addf(b, " of %s", r->per->phrase);
    else
        buf_addf(b, " of %lld %s, fewer than %llu", (long long)o->whole,
                 phrase_of(r->per, o->whole), (unsigned long long)r->min_count);
}

/* "no data since 2026-01-15T12:00:00Z of messages waiting" */
static void add_lack(struct buf *b, const struct rule *r, const struct alert *alert)
{
    buf_add_z(b, "no data since ");
    time_format(b, alert->started_ns, 0);
    buf_addf(b, "%s%s", str_starts(str_from(r->signal->phrase), STR("of ")) ? " " : " of ",
             r->signal->phrase);
    if (r->per)
        buf_addf(b, " of %s", r->per->phrase);
}

struct str alert_summary(struct arena *a, const struct rule *r, const struct alert *alert,
                         const struct observation *o, bool is_ambiguous)
{
    AUTO(buf_clear) struct buf b = {.max = 2048};

    add_place(&b, &alert->subject, is_ambiguous);
    buf_add_z(&b, ": ");
    if (o && o->verdict == VERDICT_MISSING && r->missing == RULE_MISSING_FIRES) {
        add_lack(&b, r, alert);
    } else if (r->per) {
        add_ratio(&b, r, alert, o);
    } else {
        alert_value_format(&b, alert->value, r->unit);
        buf_addf(&b, " %s", phrase_of(r->signal, alert->value));
    }
    buf_addf(&b, " (threshold %s ", compare_names[r->compare]);
    alert_value_format(&b, r->threshold, r->unit);
    if (r->for_ns > 0) {
        buf_add_z(&b, " for ");
        duration_format(&b, r->for_ns);
    }
    buf_add_c(&b, ')');
    return arena_str(a, buf_str(&b));
}

struct str alert_passed_summary(struct arena *a, const struct rule *r, const struct alert *alert,
                                bool is_ambiguous)
{
    AUTO(buf_clear) struct buf b = {.max = 4096};
    struct alert worst = *alert;

    worst.value = alert->peak;
    buf_add_str(&b, alert_summary(a, r, &worst, NULL, is_ambiguous));
    buf_add_z(&b, " from ");
    time_format(&b, alert->started_ns, 0);
    buf_add_z(&b, " to ");
    time_format(&b, alert->resolved_ns, 0);
    buf_add_z(&b, ", over since");
    return arena_str(a, buf_str(&b));
}

struct str alert_leaving_summary(struct arena *a, const struct rule *r, const struct alert *alert)
{
    AUTO(buf_clear) struct buf b = {.max = 4096};

    buf_add_str(&b, alert->summary);
    buf_add_z(&b, "; not now: resolved once that is so for ");
    duration_format(&b, r->keep_ns);
    return arena_str(a, buf_str(&b));
}

struct str alert_ended_summary(struct arena *a, const struct alert *alert, const char *why)
{
    return arena_printf(a, STR_FMT "; no longer watched: %s", STR_ARG(alert->summary), why);
}

/* --- evidence --- */

struct show {
    struct buf *out;
    const struct rule *rule;
    const struct alert *alert;
    const struct alert_reach *reach;
};

static void add_command(const struct show *s, const char *command)
{
    buf_addf(s->out, "fnscope %s" STR_FMT, command, STR_ARG(s->reach->flags));
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == ':' || c == '/' || c == '@' || c == '+' || c == '=';
}

static void add_glob(struct buf *b, struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        buf_add_c(b, is_plain(name.p[i]) ? name.p[i] : '?');
}

/* Of what lacks data the last there were are shown. */
static int64_t shown_since(const struct rule *r, const struct alert *alert)
{
    const int64_t before_ns = r->missing == RULE_MISSING_FIRES ? NS_PER_MIN : 0;

    return time_floor(alert->started_ns - r->over_ns - before_ns, NS_PER_MIN);
}

static void add_since(struct buf *b, const struct rule *r, const struct alert *alert)
{

    buf_add_z(b, " --since ");
    time_format(b, shown_since(r, alert), 0);
}

/* Of commands about functions. */
static void add_place_flags(const struct show *s)
{
    const struct fn_ref *of = &s->alert->subject.of;
    const struct {
        const char *flag;
        struct str value;
    } flags[] = {{"account", of->account}, {"region", of->region}};

    for (size_t i = 0; s->reach->is_ambiguous && i < ARRAY_LEN(flags); i++) {
        if (flags[i].value.n == 0)
            continue;
        buf_addf(s->out, " --%s '", flags[i].flag);
        add_glob(s->out, flags[i].value);
        buf_add_c(s->out, '\'');
    }
}

static void show_function(const struct show *s, const char *command)
{
    add_command(s, command);
    add_place_flags(s);
    buf_add_z(s->out, " --function '");
    add_glob(s->out, s->alert->subject.of.name);
    buf_add_c(s->out, '\'');
    add_since(s->out, s->rule, s->alert);
}

static void show_errors(const struct show *s)
{
    show_function(s, "query errors");
}

static void show_invocations(const struct show *s)
{
    show_function(s, "query invocations");
}

static void show_cost(const struct show *s)
{
    add_command(s, "cost --by function");
    add_place_flags(s);
    add_since(s->out, s->rule, s->alert);
}

static void add_condition(const struct show *s, const char *column, struct str value)
{
    buf_addf(s->out, " and %s glob '", column);
    add_glob(s->out, value);
    buf_add_c(s->out, '\'');
}

static void show_points(const struct show *s)
{
    const struct subject *of = &s->alert->subject;
    const struct signal_info *signal = s->rule->signal;
    const bool is_region = of->scope == SCOPE_REGION;
    const enum metric m = is_region && signal->region_metric != METRICS
                              ? signal->region_metric
                              : (enum metric)signal->member;

    add_command(s, "sql");
    buf_addf(s->out, " \"select time, value, unit from metric_points where metric = '%s'",
             metric_info(m)->name);
    add_condition(s, is_region ? "region" : "name", is_region ? of->of.region : of->of.name);
    if (s->reach->is_ambiguous && of->of.account.n > 0)
        add_condition(s, "account", of->of.account);
    if (s->reach->is_ambiguous && !is_region && of->of.region.n > 0)
        add_condition(s, "region", of->of.region);
    buf_addf(s->out, " and time_ns >= %lld\"", (long long)shown_since(s->rule, s->alert));
}

static void show_source(const struct show *s)
{
    add_command(s, "sql");
    buf_add_z(s->out, " \"select name, success_time, failures, error from sources where name "
                      "glob '");
    add_glob(s->out, s->alert->subject.of.name);
    buf_add_z(s->out, "'\"");
}

struct str alert_evidence(struct arena *a, const struct rule *r, const struct alert *alert,
                          const struct alert_reach *reach)
{
    static void (*const shows[])(const struct show *) = {
        [FROM_POINTS] = show_points,  [FROM_CELLS] = show_invocations,
        [FROM_ALL_CELLS] = show_cost, [FROM_CONFIG] = show_invocations,
        [FROM_SOURCES] = show_source,
    };
    AUTO(buf_clear) struct buf b = {.max = 8192};
    const struct show s = {&b, r, alert, reach};
    const bool is_failure = r->signal->from == FROM_CELLS && r->signal->member >= CELL_ERRORS &&
                            r->signal->member <= CELL_OOM;

    if (is_failure)
        show_errors(&s);
    else
        shows[r->signal->from](&s);
    return arena_str(a, buf_str(&b));
}

struct str alert_take(struct arena *a, const struct alert *alert, struct str reach)
{
    return arena_printf(a, "fnscope alert ack" STR_FMT " " STR_FMT, STR_ARG(reach),
                        STR_ARG(alert->key));
}

static struct str glob_of(struct arena *a, struct str name)
{
    AUTO(buf_clear) struct buf b = {.max = 8192};

    add_glob(&b, name);
    return arena_str(a, buf_str(&b));
}

/* A source is named by its configuration alone: what account it reads may come out later. */
struct silence alert_silence(struct arena *a, const struct alert *alert)
{
    const struct fn_ref *of = &alert->subject.of;
    const bool has_place = alert->subject.scope != SCOPE_SOURCE;

    return (struct silence){
        .rule_glob = glob_of(a, alert->rule),
        .name_glob = glob_of(a, alert_subject_name(&alert->subject)),
        .account = has_place ? glob_of(a, of->account) : (struct str){0},
        .region = has_place ? glob_of(a, of->region) : (struct str){0},
    };
}

struct str alert_silence_order(struct arena *a, const struct silence *s)
{
    return arena_printf(a,
                        "alert silence\n" STR_FMT "\n" STR_FMT "\n%lld\n" STR_FMT "\n" STR_FMT
                        "\n" STR_FMT "\n" STR_FMT,
                        STR_ARG(s->rule_glob), STR_ARG(s->name_glob), (long long)s->until_ns,
                        STR_ARG(s->by), STR_ARG(s->comment), STR_ARG(s->account),
                        STR_ARG(s->region));
}

struct str alert_mute(struct arena *a, const struct alert *alert, struct str reach)
{
    AUTO(buf_clear) struct buf b = {.max = 8192};
    const struct silence s = alert_silence(a, alert);

    buf_addf(&b, "fnscope alert silence" STR_FMT " --rule '" STR_FMT "' --name '" STR_FMT "'",
             STR_ARG(reach), STR_ARG(s.rule_glob), STR_ARG(s.name_glob));
    if (s.account.n > 0)
        buf_addf(&b, " --account '" STR_FMT "'", STR_ARG(s.account));
    if (s.region.n > 0)
        buf_addf(&b, " --region '" STR_FMT "'", STR_ARG(s.region));
    return arena_str(a, buf_str(&b));
}

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

static void add_place(struct buf *b, const struct subject *s)
{
    const bool has_region = s->of.region.n > 0;

    if (s->scope != SCOPE_REGION) {
        buf_addf(b, "%s " STR_FMT, metric_scope_name(s->scope), STR_ARG(s->of.name));
        return;
    }
    buf_addf(b, "%s%s" STR_FMT, has_region ? "region " : "account", has_region ? "" : " ",
             STR_ARG(has_region ? s->of.region : s->of.account));
    if (has_region && s->of.account.n > 0)
        buf_addf(b, " of " STR_FMT, STR_ARG(s->of.account));
}

struct str alert_summary(struct arena *a, const struct rule *r, const struct alert *alert)
{
    AUTO(buf_clear) struct buf b = {.max = 2048};

    add_place(&b, &alert->subject);
    buf_add_z(&b, ": ");
    if (r->per)
        buf_addf(&b, "%s at ", r->signal->phrase);
    alert_value_format(&b, alert->value, r->unit);
    const bool is_one = r->signal->one != NULL && alert->value == 1;
    if (r->per)
        buf_addf(&b, " of %s", r->per->phrase);
    else
        buf_addf(&b, " %s", is_one ? r->signal->one : r->signal->phrase);
    buf_addf(&b, " (threshold %s ", compare_names[r->compare]);
    alert_value_format(&b, r->threshold, r->unit);
    if (r->for_ns > 0) {
        buf_add_z(&b, " for ");
        duration_format(&b, r->for_ns);
    }
    buf_add_c(&b, ')');
    return arena_str(a, buf_str(&b));
}

/* --- evidence --- */

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

static void add_since(struct buf *b, const struct rule *r, const struct alert *alert)
{
    const int64_t since_ns = alert->started_ns - r->over_ns;

    buf_add_z(b, " --since ");
    time_format(b, time_floor(since_ns, NS_PER_MIN), 0);
}

static void show_errors(struct buf *b, const struct rule *r, const struct alert *alert)
{
    buf_add_z(b, "fnscope query errors --function '");
    add_glob(b, alert->subject.of.name);
    buf_add_c(b, '\'');
    add_since(b, r, alert);
}

static void show_invocations(struct buf *b, const struct rule *r, const struct alert *alert)
{
    buf_add_z(b, "fnscope query invocations --function '");
    add_glob(b, alert->subject.of.name);
    buf_add_c(b, '\'');
    add_since(b, r, alert);
}

static void show_cost(struct buf *b, const struct rule *r, const struct alert *alert)
{
    buf_add_z(b, "fnscope cost --by function");
    add_since(b, r, alert);
}

static void show_points(struct buf *b, const struct rule *r, const struct alert *alert)
{
    const struct subject *s = &alert->subject;
    const bool is_region = s->scope == SCOPE_REGION;
    const enum metric m = is_region && r->signal->region_metric != METRICS
                              ? r->signal->region_metric
                              : (enum metric)r->signal->member;

    buf_addf(b,
             "fnscope sql \"select time, value, unit from metric_points where metric = '%s' and %s "
             "glob '",
             metric_info(m)->name, is_region ? "region" : "name");
    add_glob(b, is_region ? s->of.region : s->of.name);
    buf_addf(b, "' and time_ns >= %lld\"",
             (long long)time_floor(alert->started_ns - r->over_ns, NS_PER_MIN));
}

static void show_source(struct buf *b, const struct rule *r, const struct alert *alert)
{
    UNUSED(r);
    buf_add_z(b, "fnscope sql \"select name, success_time, failures, error from sources where name "
                 "glob '");
    add_glob(b, alert->subject.of.name);
    buf_add_z(b, "'\"");
}

struct str alert_evidence(struct arena *a, const struct rule *r, const struct alert *alert)
{
    static void (*const shows[])(struct buf *, const struct rule *, const struct alert *) = {
        [FROM_POINTS] = show_points,  [FROM_CELLS] = show_invocations,
        [FROM_ALL_CELLS] = show_cost, [FROM_CONFIG] = show_invocations,
        [FROM_SOURCES] = show_source,
    };
    AUTO(buf_clear) struct buf b = {.max = 2048};
    const bool is_failure = r->signal->from == FROM_CELLS && r->signal->member >= CELL_ERRORS &&
                            r->signal->member <= CELL_OOM;

    if (is_failure)
        show_errors(&b, r, alert);
    else
        shows[r->signal->from](&b, r, alert);
    return arena_str(a, buf_str(&b));
}

struct str alert_mute(struct arena *a, const struct alert *alert)
{
    AUTO(buf_clear) struct buf b = {.max = 2048};

    buf_add_z(&b, "fnscope alert silence --rule '");
    add_glob(&b, alert->rule);
    buf_add_z(&b, "' --name '");
    add_glob(&b, alert_subject_name(&alert->subject));
    buf_add_c(&b, '\'');
    return arena_str(a, buf_str(&b));
}

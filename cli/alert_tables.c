/* Rows of alerts, silences, messages, rules and signals. Text shows what people read; machine
 * formats hold exact values. */
#include "cli/alert_tables.h"

#include "core/base/safe_text.h"
#include "core/base/timefmt.h"

/* --- alerts --- */

enum {
    A_STATE,
    A_SEVERITY,
    A_RULE,
    A_SCOPE,
    A_NAME,
    A_VALUE,
    A_THRESHOLD,
    A_UNIT,
    A_SINCE,
    A_AGE,
    A_KEY,
    A_SUMMARY,
    A_EVIDENCE,
    A_ACCOUNT,
    A_REGION
};

static void value_cell(struct table *t, size_t column, int64_t value, enum metric_unit unit)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    alert_value_format(&b, value, unit);
    table_number(t, column, arena_printf(t->arena, "%lld", (long long)value),
                 arena_str(t->arena, buf_str(&b)));
}

static void alert_row(struct table *t, const struct alert *a, int64_t now_ns)
{
    const int64_t age_ns = now_ns > a->data_ns ? now_ns - a->data_ns : 0;

    table_row(t);
    table_text(t, A_STATE, str_from(alert_state_name(a->state)));
    table_text(t, A_SEVERITY, str_from(alert_severity_name(a->severity)));
    table_text(t, A_RULE, a->rule);
    table_text(t, A_SCOPE, str_from(metric_scope_name(a->subject.scope)));
    table_text(t, A_NAME, alert_subject_name(&a->subject));
    value_cell(t, A_VALUE, a->value, a->unit);
    value_cell(t, A_THRESHOLD, a->threshold, a->unit);
    table_text(t, A_UNIT, str_from(metric_unit_name(a->unit)));
    cli_time_cell(t, A_SINCE, a->started_ns ? a->started_ns : a->since_ns);
    if (a->data_ns > 0)
        cli_duration_cell(t, A_AGE, age_ns);
    table_text(t, A_KEY, a->key);
    table_text(t, A_SUMMARY, a->summary);
    table_text(t, A_EVIDENCE, a->evidence);
    table_text(t, A_ACCOUNT, a->subject.of.account);
    table_text(t, A_REGION, a->subject.of.region);
}

/* What would make rows wider than any screen: a paragraph each, whose command is to be pasted. */
static void say_alerts(struct cli *c, const struct alert *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_addf(&c->out, "\n%.8s  ", rows[i].key.n >= 8 ? rows[i].key.p : "");
        safe_text(&c->out, rows[i].summary, SAFE_KEEP_NONE);
        buf_add_z(&c->out, "\n          ");
        safe_text(&c->out, rows[i].evidence, SAFE_KEEP_NONE);
        buf_add_c(&c->out, '\n');
    }
}

void alert_table(struct cli *c, const struct alert *rows, size_t n, int64_t now_ns)
{
    static const struct table_column columns[] = {
        [A_STATE] = {.name = "state"},
        [A_SEVERITY] = {.name = "severity"},
        [A_RULE] = {.name = "rule"},
        [A_SCOPE] = {.name = "scope", .is_hidden = true}, /* and this in the lines below */
        [A_NAME] = {.name = "name", .max_width = 40},
        [A_VALUE] = {.name = "value", .is_right = true},
        [A_THRESHOLD] = {.name = "threshold", .is_right = true},
        [A_UNIT] = {.name = "unit", .is_hidden = true}, /* people read it in the value */
        [A_SINCE] = {.name = "since"},
        [A_AGE] = {.name = "data_age_ms", .title = "DATA AGE", .is_right = true},
        [A_KEY] = {.name = "key"},
        [A_SUMMARY] = {.name = "summary", .is_hidden = true},
        [A_EVIDENCE] = {.name = "evidence", .is_hidden = true, .is_command = true},
        [A_ACCOUNT] = {.name = "account", .is_hidden = true}, /* the summary tells, where needed */
        [A_REGION] = {.name = "region", .is_hidden = true},
    };
    struct table t;

    table_init(&t, c->arena, columns, ARRAY_LEN(columns), "fnscope.alerts", 1);
    for (size_t i = 0; i < n; i++)
        alert_row(&t, &rows[i], now_ns);
    cli_print_table(c, &t);
    if (c->settings->format == TABLE_TEXT)
        say_alerts(c, rows, n);
}

/* --- silences --- */

static struct str any_if_empty(struct str s)
{
    return s.n > 0 ? s : STR("*");
}

void silence_table(struct cli *c, const struct silence *rows, size_t n)
{
    static const struct table_column columns[] = {
        {.name = "id", .is_right = true},
        {.name = "rule"},
        {.name = "name"},
        {.name = "account"},
        {.name = "region"},
        {.name = "until"},
        {.name = "by"},
        {.name = "comment", .max_width = 60},
    };
    struct table t;

    table_init(&t, c->arena, columns, ARRAY_LEN(columns), "fnscope.silences", 1);
    for (size_t i = 0; i < n; i++) {
        table_row(&t);
        table_i64(&t, 0, rows[i].id);
        table_text(&t, 1, any_if_empty(rows[i].rule_glob));
        table_text(&t, 2, any_if_empty(rows[i].name_glob));
        table_text(&t, 3, any_if_empty(rows[i].account));
        table_text(&t, 4, any_if_empty(rows[i].region));
        cli_time_cell(&t, 5, rows[i].until_ns);
        table_text(&t, 6, rows[i].by);
        table_text(&t, 7, rows[i].comment);
    }
    cli_print_table(c, &t);
}

/* --- messages --- */

void message_table(struct cli *c, const struct outbox_entry *rows, size_t n)
{
    static const struct table_column columns[] = {
        {.name = "created"},
        {.name = "event"},
        {.name = "notifier"},
        {.name = "status"},
        {.name = "attempts", .is_right = true},
        {.name = "rule"},
        {.name = "name", .max_width = 40},
        {.name = "id"},
        {.name = "error", .max_width = 60},
    };
    struct table t;

    table_init(&t, c->arena, columns, ARRAY_LEN(columns), "fnscope.alert_messages", 1);
    for (size_t i = 0; i < n; i++) {
        const struct outbox_entry *m = &rows[i];
        table_row(&t);
        cli_time_cell(&t, 0, m->created_ns);
        table_text(&t, 1, str_from(alert_event_name(m->event)));
        table_text(&t, 2, m->notifier);
        table_text(&t, 3, str_from(outbox_status_name(m->status)));
        table_i64(&t, 4, m->attempts);
        table_text(&t, 5, m->alert.rule);
        table_text(&t, 6, m->alert.subject.of.name);
        table_text(&t, 7, m->id);
        table_text(&t, 8, m->error);
    }
    cli_print_table(c, &t);
}

/* --- rules and signals --- */

static struct str told_by(struct cli *c, const struct rule *r)
{
    struct str text = r->notify_all ? STR("all") : STR("");

    for (size_t i = 0; i < r->n_notify; i++)
        text = arena_printf(c->arena, STR_FMT "%s" STR_FMT, STR_ARG(text), i ? "," : "",
                            STR_ARG(r->notify[i]));
    return text;
}

void rule_table(struct cli *c, const struct alert_config *k)
{
    static const struct table_column columns[] = {
        {.name = "rule"}, {.name = "severity"}, {.name = "when"},
        {.name = "for"},  {.name = "notify"},   {.name = "enabled"},
    };
    struct table t;

    table_init(&t, c->arena, columns, ARRAY_LEN(columns), "fnscope.alert_rules", 1);
    for (size_t i = 0; i < k->n_rules; i++) {
        const struct rule *r = &k->rules[i];
        table_row(&t);
        table_text(&t, 0, r->name);
        table_text(&t, 1, str_from(alert_severity_name(r->severity)));
        table_text(&t, 2, r->when);
        table_text(&t, 3, any_if_empty(r->name_glob));
        table_text(&t, 4, told_by(c, r));
        table_bool(&t, 5, !r->is_off);
    }
    cli_print_table(c, &t);
}

void signal_table(struct cli *c)
{
    static const struct table_column columns[] = {
        {.name = "signal"}, {.name = "such_as"}, {.name = "about"}, {.name = "what"}};
    struct signal_help h;
    struct table t;

    table_init(&t, c->arena, columns, ARRAY_LEN(columns), "fnscope.alert_signals", 2);
    for (size_t i = 0; signal_help(i, &h); i++) {
        table_row(&t);
        table_text(&t, 0, str_from(h.name));
        table_text(&t, 1, str_from(h.sample));
        table_text(&t, 2, str_from(h.scopes));
        table_text(&t, 3, str_from(h.help));
    }
    cli_print_table(c, &t);
}

/* What is said about an alert, as JSON and as text. Names come from outside and pass safe_text. */
#include "reports/notify/notify.h"

#include "core/base/json.h"
#include "core/base/safe_text.h"
#include "core/base/timefmt.h"

static void put_str(struct json_out *o, const char *key, struct str v)
{
    jout_key(o, key);
    jout_str(o, v);
}

static void put_time(struct json_out *o, const char *key, int64_t t_ns)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    jout_key(o, key);
    if (t_ns == 0) {
        jout_null(o);
        return;
    }
    time_format(&b, t_ns, 3);
    jout_str(o, buf_str(&b));
}

/* Exact in the unit, and as people read it. */
static void put_value(struct json_out *o, const char *key, int64_t value, enum metric_unit unit)
{
    AUTO(buf_clear) struct buf b = {.max = 64};

    jout_key(o, key);
    jout_open(o, '{');
    jout_key(o, "value");
    jout_i64(o, value);
    put_str(o, "unit", str_from(metric_unit_name(unit)));
    alert_value_format(&b, value, unit);
    put_str(o, "text", buf_str(&b));
    jout_close(o, '}');
}

static void put_subject(struct json_out *o, const struct subject *s)
{
    jout_key(o, "subject");
    jout_open(o, '{');
    put_str(o, "scope", str_from(metric_scope_name(s->scope)));
    put_str(o, "provider", str_from(provider_name(s->of.provider)));
    put_str(o, "account", s->of.account);
    put_str(o, "region", s->of.region);
    put_str(o, "name", s->of.name);
    jout_close(o, '}');
}

static int64_t data_age_ns(const struct alert *a, int64_t now_ns)
{
    return a->data_ns > 0 && now_ns > a->data_ns ? now_ns - a->data_ns : 0;
}

void notify_json(struct buf *out, const struct outbox_entry *m, int64_t now_ns)
{
    const struct alert *a = &m->alert;
    struct json_out o;

    jout_init(&o, out, false);
    jout_open(&o, '{');
    put_str(&o, "schema", STR("fnscope.alert"));
    jout_key(&o, "version");
    jout_i64(&o, 1);
    put_str(&o, "id", m->id);
    put_str(&o, "event", str_from(alert_event_name(m->event)));
    put_str(&o, "key", a->key);
    put_str(&o, "rule", a->rule);
    put_str(&o, "severity", str_from(alert_severity_name(a->severity)));
    put_subject(&o, &a->subject);
    put_str(&o, "summary", a->summary);
    put_value(&o, "value", a->value, a->unit);
    put_value(&o, "peak", a->peak, a->unit);
    put_value(&o, "threshold", a->threshold, a->unit);
    put_time(&o, "started", a->started_ns);
    put_time(&o, "fired", a->fired_ns);
    put_time(&o, "resolved", a->resolved_ns);
    put_time(&o, "data_time", a->data_ns);
    jout_key(&o, "data_age_seconds");
    jout_i64(&o, data_age_ns(a, now_ns) / NS_PER_SEC);
    put_str(&o, "evidence", a->evidence);
    jout_close(&o, '}');
}

void notify_title(struct buf *out, const struct outbox_entry *m)
{
    AUTO(buf_clear) struct buf b = {.max = 4096};

    buf_addf(&b, "[%s] %s: ", alert_event_name(m->event), alert_severity_name(m->alert.severity));
    buf_add_str(&b, m->alert.summary);
    safe_text(out, buf_str(&b), SAFE_KEEP_NONE);
}

static void add_line(struct buf *b, const char *label, struct str text)
{
    if (text.n > 0)
        buf_addf(b, "%-10s " STR_FMT "\n", label, STR_ARG(text));
}

static void add_time(struct buf *b, const char *label, int64_t t_ns)
{
    AUTO(buf_clear) struct buf text = {.max = 64};

    if (t_ns == 0)
        return;
    time_format(&text, t_ns, 0);
    add_line(b, label, buf_str(&text));
}

static void add_value(struct buf *b, const char *label, int64_t value, enum metric_unit unit)
{
    AUTO(buf_clear) struct buf text = {.max = 64};

    alert_value_format(&text, value, unit);
    add_line(b, label, buf_str(&text));
}

void notify_text(struct buf *out, const struct outbox_entry *m, int64_t now_ns)
{
    AUTO(buf_clear) struct buf b = {.max = 16384};
    AUTO(buf_clear) struct buf age = {.max = 64};
    const struct alert *a = &m->alert;

    buf_add_str(&b, a->summary);
    buf_add_z(&b, "\n\n");
    add_line(&b, "rule", a->rule);
    add_value(&b, "value", a->value, a->unit);
    add_value(&b, "peak", a->peak, a->unit);
    add_value(&b, "threshold", a->threshold, a->unit);
    add_line(&b, "account", a->subject.of.account);
    add_line(&b, "region", a->subject.of.region);
    add_time(&b, "since", a->started_ns);
    add_time(&b, "resolved", a->resolved_ns);
    duration_format(&age, data_age_ns(a, now_ns));
    add_line(&b, "data age", buf_str(&age));
    add_line(&b, "key", a->key);
    buf_add_z(&b, "\nThis shows it:\n  ");
    buf_add_str(&b, a->evidence);
    buf_add_c(&b, '\n');
    safe_text(out, buf_str(&b), SAFE_KEEP_NEWLINE);
}

/* Names, keys and the look of values of alerts. Pure. */
#include "core/model/alert.h"

#include "core/base/macros.h"
#include "core/base/timefmt.h"
#include "core/model/money.h"

const char *const alert_state_names[] = {
    [ALERT_INACTIVE] = "inactive", [ALERT_PENDING] = "pending",
    [ALERT_FIRING] = "firing",     [ALERT_ACKNOWLEDGED] = "acknowledged",
    [ALERT_SILENCED] = "silenced", [ALERT_RESOLVED] = "resolved",
    [ALERT_STATES] = NULL,
};

const char *const alert_severity_names[] = {
    [ALERT_INFO] = "info",
    [ALERT_WARNING] = "warning",
    [ALERT_CRITICAL] = "critical",
    [ALERT_SEVERITIES] = NULL,
};

static const char *const event_names[ALERT_EVENTS] = {
    [ALERT_SAYS_FIRING] = "firing",
    [ALERT_SAYS_RESOLVED] = "resolved",
    [ALERT_SAYS_TEST] = "test",
    [ALERT_SAYS_PASSED] = "passed",
};

static const char *const outbox_names[OUTBOX_STATUSES] = {
    [OUTBOX_WAITING] = "waiting",
    [OUTBOX_SENT] = "sent",
    [OUTBOX_GIVEN_UP] = "given_up",
};

const char *alert_state_name(enum alert_state v)
{
    return v < ALERT_STATES ? alert_state_names[v] : "unknown";
}

const char *alert_severity_name(enum alert_severity v)
{
    return v < ALERT_SEVERITIES ? alert_severity_names[v] : "unknown";
}

const char *alert_event_name(enum alert_event v)
{
    return v < ALERT_EVENTS ? event_names[v] : "unknown";
}

const char *outbox_status_name(enum outbox_status v)
{
    return v < OUTBOX_STATUSES ? outbox_names[v] : "unknown";
}

bool alert_severity_parse(struct str s, enum alert_severity *out)
{
    for (unsigned i = 0; i < ALERT_SEVERITIES; i++) {
        if (!str_eq(s, str_from(alert_severity_names[i])))
            continue;
        *out = (enum alert_severity)i;
        return true;
    }
    return false;
}

bool alert_is_active(enum alert_state v)
{
    return v == ALERT_FIRING || v == ALERT_ACKNOWLEDGED || v == ALERT_SILENCED;
}

void alert_key(struct buf *out, struct str rule, const struct subject *s)
{
    buf_addf(out, "%016llx", (unsigned long long)str_hash(rule, subject_hash(s)));
}

/* Two decimals of a per cent are enough from 1 % on. */
static void format_share(struct buf *out, int64_t ppm)
{
    if (ppm >= 10000)
        wide_format_scaled(out, wide_div_round(ppm, 100), 2);
    else
        wide_format_scaled(out, ppm, 4);
    buf_add_c(out, '%');
}

void alert_value_format(struct buf *out, int64_t value, enum metric_unit unit)
{
    switch (unit) {
    case UNIT_NS:
        duration_format(out, value);
        break;
    case UNIT_BYTES: /* memory, as AWS writes it */
        buf_addf(out, "%lld MB", (long long)(value >> 20));
        break;
    case UNIT_PPM:
        format_share(out, value);
        break;
    case UNIT_PICO:
        money_format_short(out, value, STR("USD"));
        break;
    case UNIT_PICO_HOUR:
    case UNIT_PICO_CNY_HOUR:
        money_format_short(out, value, unit == UNIT_PICO_HOUR ? STR("USD") : STR("CNY"));
        buf_add_z(out, "/h");
        break;
    case UNIT_COUNT:
    case METRIC_UNITS:
    default:
        buf_addf(out, "%lld", (long long)value);
        break;
    }
}

struct str alert_subject_name(const struct subject *s)
{
    if (s->scope != SCOPE_REGION)
        return s->of.name;
    return s->of.region.n > 0 ? s->of.region : s->of.account;
}

bool silence_covers(const struct silence *s, struct str rule, const struct subject *subject,
                    int64_t now_ns)
{
    if (now_ns < s->created_ns || now_ns >= s->until_ns)
        return false;
    return (s->account.n == 0 || str_glob(s->account, subject->of.account)) &&
           (s->region.n == 0 || str_glob(s->region, subject->of.region)) &&
           (s->rule_glob.n == 0 || str_glob(s->rule_glob, rule)) &&
           (s->name_glob.n == 0 || str_glob(s->name_glob, alert_subject_name(subject)));
}

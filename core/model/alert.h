/* An alert: one rule about one subject, with its state; what is sent about it; and what mutes it.
 *
 * The key of an alert is a hash of rule and subject and never changes. An episode is the time from
 * the moment the condition first held until it was resolved; it is named by (key, started_ns). A
 * message about an episode has an id made of key, episode, event and notifier, so that a receiver
 * can drop what it gets twice. */
#ifndef FNSCOPE_CORE_MODEL_ALERT_H
#define FNSCOPE_CORE_MODEL_ALERT_H

#include "core/base/buf.h"
#include "core/model/metric.h"

/* Numbers are stored: append only. */
enum alert_state {
    ALERT_INACTIVE,     /* the condition does not hold */
    ALERT_PENDING,      /* it holds, but not yet for as long as the rule wants */
    ALERT_FIRING,       /* it holds for that long: people are told */
    ALERT_ACKNOWLEDGED, /* firing, and somebody has taken it: not told again */
    ALERT_SILENCED,     /* it would fire, but a silence covers it */
    ALERT_RESOLVED,     /* it fired, and the condition is gone for good */
    ALERT_STATES
};
enum alert_severity { ALERT_INFO, ALERT_WARNING, ALERT_CRITICAL, ALERT_SEVERITIES };
enum alert_event {
    ALERT_SAYS_FIRING,
    ALERT_SAYS_RESOLVED,
    ALERT_SAYS_TEST,
    ALERT_SAYS_PASSED, /* it was over before anybody could be told */
    ALERT_EVENTS
};

extern const char *const alert_state_names[];    /* NULL-terminated, like the next */
extern const char *const alert_severity_names[]; /* "info", "warning", "critical" */
const char *alert_state_name(enum alert_state v);
const char *alert_severity_name(enum alert_severity v);
const char *alert_event_name(enum alert_event v); /* "firing", "resolved", "test", "passed" */
bool alert_severity_parse(struct str s, enum alert_severity *out);
/* Firing, acknowledged or silenced: the condition holds and is due. */
bool alert_is_active(enum alert_state v);

struct alert {
    struct str key;  /* 16 hex digits */
    struct str rule; /* "dlq-depth" */
    struct subject subject;
    enum alert_severity severity;
    enum alert_state state;
    int64_t since_ns;    /* in this state since */
    int64_t started_ns;  /* event time at which the condition began to hold: names the episode */
    int64_t fired_ns;    /* when it became due; 0: not in this episode */
    int64_t resolved_ns; /* 0: not yet */
    int64_t acked_ns;    /* 0: nobody has */
    struct str acked_by;
    int64_t value, peak, threshold; /* in unit; peak is the worst of the episode */
    enum metric_unit unit;
    int64_t data_ns;  /* event time of the newest data looked at: now - data_ns is the data's age */
    int64_t eval_ns;  /* when it was last looked at */
    int64_t sent_ns;  /* last message about it; 0: none in this episode */
    bool is_missing;  /* there was no data the last time: the state is the one of before */
    bool is_notified; /* a "firing" went out in this episode, so a "resolved" must follow */
    struct str summary;  /* "queue orders-dlq: 12 messages in the dead-letter queue, more than 0" */
    struct str evidence; /* the command that shows it */
};

/* Same rule and subject, same key. */
void alert_key(struct buf *out, struct str rule, const struct subject *s);
/* A value as people read it: "12", "5m", "1.5%", "$2.10/h". */
void alert_value_format(struct buf *out, int64_t value, enum metric_unit unit);

enum outbox_status { OUTBOX_WAITING, OUTBOX_SENT, OUTBOX_GIVEN_UP, OUTBOX_STATUSES };
const char *outbox_status_name(enum outbox_status v);

/* A message to one notifier. Written with the state it tells of, sent afterwards: at least once. */
struct outbox_entry {
    struct str id; /* stable: key-episode-event-notifier, with the number of a reminder */
    struct str notifier;
    enum alert_event event;
    enum outbox_status status;
    uint32_t attempts;
    int64_t created_ns;
    int64_t next_ns;    /* not to be tried before */
    int64_t done_ns;    /* sent or given up; 0: waiting */
    struct str error;   /* of the last attempt that failed */
    struct alert alert; /* as it stood */
};

/* What people call the subject: its name; a region or an account by itself. */
struct str alert_subject_name(const struct subject *s);

/* Mutes what its globs match, in its account and region, until its end; name_glob as
 * alert_subject_name says. */
struct silence {
    int64_t id;                      /* 0: not stored yet */
    struct str rule_glob, name_glob; /* empty: any */
    struct str account, region;      /* globs as well; empty: any */
    int64_t created_ns, until_ns;
    struct str by, comment;
};
bool silence_covers(const struct silence *s, struct str rule, const struct subject *subject,
                    int64_t now_ns);

#endif

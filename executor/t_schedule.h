/* The schedule trigger: rate(), cron() and at(). A firing is an asynchronous event that becomes
 * durable together with the note that it was fired, so a restart never fires twice. */
#ifndef FNSCOPE_EXECUTOR_T_SCHEDULE_H
#define FNSCOPE_EXECUTOR_T_SCHEDULE_H

#include "executor/cron.h"
#include "executor/trigger.h"

/* What happens to firings that fell due while the executor was down. */
enum schedule_missed {
    MISSED_SKIP, /* nothing, as AWS does for rules */
    MISSED_ONCE, /* the latest of them */
    MISSED_ALL   /* each, oldest first; at most SCHEDULE_MAX_MISSED */
};
#define SCHEDULE_MAX_MISSED 1000

struct t_schedule_settings {
    struct str expression, zone, input;
    int missed; /* enum schedule_missed */
    bool is_enabled;
};

extern const struct trigger_ops t_schedule;
/* It is enabled, and no time of it is after now_ns. */
bool t_schedule_is_over(const struct trigger_def *def, int64_t now_ns);

/* The event of a firing: {"version":"0","id":...,"detail-type":"Scheduled Event",...}. */
struct schedule_event {
    struct str id, account, region, rule;
    int64_t due_ns;
};
void schedule_event_write(const struct schedule_event *ev, struct buf *out);

#endif

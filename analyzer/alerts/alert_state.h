/* Private to analyzer/alerts: the life of an alert as one table of state x input. The only place
 * that changes alert.state. Pure. */
#ifndef FNSCOPE_ANALYZER_ALERTS_ALERT_STATE_H
#define FNSCOPE_ANALYZER_ALERTS_ALERT_STATE_H

#include "core/model/alert.h"

enum alert_input {
    IN_MISSING,   /* no data */
    IN_CLEAR,     /* the condition is gone, but not for long enough */
    IN_CLEARED,   /* it is gone for good */
    IN_BAND,      /* neither held nor gone */
    IN_HOLDS,     /* it holds, but not for long enough */
    IN_DUE,       /* it holds for long enough */
    IN_DUE_MUTED, /* the same under a silence */
    IN_PASSED,    /* it held for long enough and was gone before anybody looked */
    IN_ACK,       /* somebody takes it */
    IN_EXPIRE,    /* it has been shown as resolved for long enough */
    ALERT_INPUTS
};

/* What an input comes with. */
struct alert_facts {
    int64_t now_ns, data_ns;
    int64_t value, worst;
    int64_t started_ns, ended_ns; /* of the run; ended_ns for IN_PASSED */
    bool is_untold;               /* IN_PASSED: nobody is told, it is an episode only */
    int64_t repeat_ns;            /* 0: no reminders */
    struct str by;                /* IN_ACK */
};

/* What is to be said now. */
struct alert_says {
    bool firing, resolved, passed;
};

/* Moves the alert. True when its row changed in a way worth writing. */
bool alert_step(struct alert *a, enum alert_input in, const struct alert_facts *f,
                struct alert_says *says);

#endif

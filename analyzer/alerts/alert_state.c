/* The life of an alert. Harmless cells say stay, none is empty. A message "resolved" goes only to
 * those who got "firing"; what a silence covered begins and ends unheard. */
#include "analyzer/alerts/alert_state.h"

#include <assert.h>

#include "core/base/clock.h"
#include "core/base/macros.h"

/* While it holds, the age of its data is shown: of rows that say nothing else, one so often. */
#define DATA_MOVES_NS (5 * NS_PER_SEC)

typedef bool alert_action(struct alert *a, const struct alert_facts *f, struct alert_says *says);

/* --- the one setter --- */

static void set_state(struct alert *a, enum alert_state state, int64_t now_ns)
{
    assert(a->state != state);
    a->state = state;
    a->since_ns = now_ns;
    a->is_missing = false;
}

static void begin_episode(struct alert *a, const struct alert_facts *f)
{
    a->started_ns = f->started_ns;
    a->fired_ns = a->resolved_ns = a->acked_ns = a->sent_ns = 0;
    a->acked_by = (struct str){0};
    a->is_notified = false;
    a->peak = f->worst;
}

static void say_firing(struct alert *a, const struct alert_facts *f, struct alert_says *says)
{
    says->firing = true;
    a->is_notified = true;
    a->sent_ns = f->now_ns;
}

/* --- actions --- */

static bool stay(struct alert *a, const struct alert_facts *f, struct alert_says *says)
{
    const bool was_missing = a->is_missing;

    UNUSED(f);
    UNUSED(says);
    a->is_missing = false;
    return was_missing;
}

static bool miss(struct alert *a, const struct alert_facts *f, struct alert_says *says)
{
    const bool was_missing = a->is_missing;

    UNUSED(f);
    UNUSED(says);
    a->is_missing = true;
    return !was_missing;
}

/* Between messages only the numbers move; a reminder is due when the last message is old. */
static bool remind(struct alert *a, const struct alert_facts *f, struct alert_says *says)
{
    const bool is_due = f->repeat_ns > 0 && f->now_ns - a->sent_ns >= f->repeat_ns;

    a->is_missing = false;
    if (is_due)
        say_firing(a, f, says);
    return true;
}

static bool update(struct alert *a, const struct alert_facts *f, struct alert_says *says)
{
    UNUSED(f);
    UNUSED(says);
    a->is_missing = false;
    return true;
}

static bool to_pending(struct alert *a, const struct alert_facts *f, struct alert_says *says)
{
    UNUSED(says);
    begin_episode(a, f);
    set_state(a, ALERT_PENDING, f->now_ns);
    return true;
}

/* Late data may have moved the beginning of what is pending. */
static bool still_pending(struct alert *a, const struct alert_facts *f, struct alert_says *says)
{
    UNUSED(says);
    a->started_ns = f->started_ns;
    a->is_missing = false;
    return true;
}

static bool to_firing(struct alert *a, const struct alert_facts *f, struct alert_says *says)
{
    begin_episode(a, f);
    a->fired_ns = f->now_ns;
    set_state(a, ALERT_FIRING, f->now_ns);
    say_firing(a, f, says);
    return true;
}

/* The silence ended and the condition has not: who was told before the silence is told again. */
static bool unmute(struct alert *a, const struct alert_facts *f, struct alert_says *says)
{
    set_state(a, ALERT_FIRING, f->now_ns);
    say_firing(a, f, says);
    return true;
}

static bool to_silenced(struct alert *a, const struct alert_facts *f, struct alert_says *says)
{
    UNUSED(says);
    begin_episode(a, f);
    a->fired_ns = f->now_ns;
    set_state(a, ALERT_SILENCED, f->now_ns);
    return true;
}

static bool mute(struct alert *a, const struct alert_facts *f, struct alert_says *says)
{
    UNUSED(says);
    set_state(a, ALERT_SILENCED, f->now_ns);
    return true;
}

static bool acknowledge(struct alert *a, const struct alert_facts *f, struct alert_says *says)
{
    UNUSED(says);
    a->acked_ns = f->now_ns;
    a->acked_by = f->by;
    set_state(a, ALERT_ACKNOWLEDGED, f->now_ns);
    return true;
}

static bool to_resolved(struct alert *a, const struct alert_facts *f, struct alert_says *says)
{
    a->resolved_ns = f->now_ns;
    says->resolved = a->is_notified;
    set_state(a, ALERT_RESOLVED, f->now_ns);
    return true;
}

static bool to_inactive(struct alert *a, const struct alert_facts *f, struct alert_says *says)
{
    UNUSED(says);
    set_state(a, ALERT_INACTIVE, f->now_ns);
    return true;
}

/* One message for begin and end: nobody could be told in time, and nobody is to get up for it. */
static bool to_passed(struct alert *a, const struct alert_facts *f, struct alert_says *says)
{
    begin_episode(a, f);
    a->fired_ns = f->now_ns;
    a->resolved_ns = f->ended_ns;
    if (a->state != ALERT_RESOLVED)
        set_state(a, ALERT_RESOLVED, f->now_ns);
    says->passed = !f->is_untold;
    a->sent_ns = says->passed ? f->now_ns : 0;
    return true;
}

/* --- the table --- */

/* clang-format off */
static alert_action *const transitions[ALERT_STATES][ALERT_INPUTS] = {
    /*                       MISSING CLEAR        CLEARED      BAND         HOLDS          DUE        DUE_MUTED    PASSED     ACK          EXPIRE */
    [ALERT_INACTIVE]     = { miss,   stay,        stay,        stay,        to_pending,    to_firing, to_silenced, to_passed, stay,        stay        },
    [ALERT_PENDING]      = { miss,   to_inactive, to_inactive, to_inactive, still_pending, to_firing, to_silenced, to_passed, stay,        stay        },
    [ALERT_FIRING]       = { miss,   update,      to_resolved, update,      update,        remind,    mute,        stay,      acknowledge, stay        },
    [ALERT_ACKNOWLEDGED] = { miss,   update,      to_resolved, update,      update,        update,    update,      stay,      stay,        stay        },
    [ALERT_SILENCED]     = { miss,   update,      to_resolved, update,      update,        unmute,    update,      stay,      acknowledge, stay        },
    [ALERT_RESOLVED]     = { miss,   stay,        stay,        stay,        to_pending,    to_firing, to_silenced, to_passed, stay,        to_inactive },
};
/* clang-format on */

static bool has_value(enum alert_input in)
{
    return in != IN_MISSING && in != IN_ACK && in != IN_EXPIRE;
}

static bool is_larger(const struct alert *a, int64_t worst)
{
    return a->threshold <= a->peak ? worst > a->peak : worst < a->peak;
}

static bool has_fresh_data(const struct alert *a, const struct alert *before)
{
    return (a->state == ALERT_PENDING || alert_is_active(a->state)) &&
           a->data_ns - before->data_ns >= DATA_MOVES_NS;
}

/* An update that shows nothing new is not worth a write. */
static bool has_news(const struct alert *a, const struct alert *before)
{
    return a->state != before->state || a->value != before->value || a->peak != before->peak ||
           a->started_ns != before->started_ns || a->is_missing != before->is_missing ||
           a->resolved_ns != before->resolved_ns || has_fresh_data(a, before);
}

bool alert_step(struct alert *a, enum alert_input in, const struct alert_facts *f,
                struct alert_says *says)
{
    const struct alert before = *a;

    assert(a->state < ALERT_STATES && in < ALERT_INPUTS);
    *says = (struct alert_says){0};
    const bool is_moved = transitions[a->state][in](a, f, says);
    if (has_value(in)) {
        a->value = f->value;
        a->data_ns = f->data_ns;
    }
    if ((in == IN_DUE || in == IN_DUE_MUTED) && is_larger(a, f->worst))
        a->peak = f->worst;
    if (!is_moved)
        return false;
    return says->firing || says->resolved || says->passed || has_news(a, &before);
}

/* Names of what a running collector knows. Pure. */
#include "core/model/live.h"

const char *queue_presence_name(enum queue_presence v)
{
    static const char *const names[QUEUE_PRESENCES] = {
        [QUEUE_THERE] = "there", [QUEUE_GONE] = "gone", [QUEUE_UNREAD] = "unread"};

    return v < QUEUE_PRESENCES ? names[v] : "unknown";
}

bool source_is_partial(const struct source_status *s)
{
    return s->failures == 0 && s->error.n > 0;
}

const struct source_part *source_find_part(const struct source_status *s, const char *name)
{
    for (size_t i = 0; i < s->n_parts; i++)
        if (str_eq(s->parts[i].name, str_from(name)))
            return &s->parts[i];
    return NULL;
}

bool source_part_is_capped(const struct source_part *p)
{
    return str_eq(p->error, STR(SOURCE_BUDGET_SPENT));
}

bool source_rests(const struct source_status *s)
{
    bool reads_logs = s->watermark_ns > 0 || source_find_part(s, SOURCE_PART_LOGS);

    return s->is_capped && s->failures == 0 && !reads_logs;
}

bool source_has_quota(const struct source_status *s)
{
    return s->quota.n > 0 && !str_eq(s->quota, STR(SOURCE_NO_QUOTA));
}

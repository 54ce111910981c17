/* What of a source is not read while the rest is: groups and queues that are refused, questions
 * about functions that nobody may ask, traces. It is told, and holds nothing else up. */
#include "collector/aws/aws_source.h"

bool aws_fault_is_of_one(const struct aws_fault *f)
{
    return f->kind == FAULT_DENIED && str_starts(f->code, STR("AccessDenied"));
}

static struct str traces_refused(const struct aws_task *t, struct arena *a)
{
    return t->has_error && t->is_refused ? arena_printf(a, "traces cannot be read (%s)", t->error)
                                         : (struct str){0};
}

/* Of a task whose step has just ended. *is_all: nothing of it can be read. */
static struct str missing_of(const struct aws_ctx *x, const struct aws_task *t, struct arena *a,
                             bool *is_all)
{
    *is_all = false;
    switch (t - x->tasks) {
    case TASK_LOGS:
        return aws_logs_ill(x, a, is_all);
    case TASK_QUEUES:
        return aws_queues_refused(&x->queues, a);
    case TASK_CONFIG:
        return aws_config_refused(&x->fns, a);
    default:
        return (struct str){0};
    }
}

bool aws_note_partial(struct aws_ctx *x, struct aws_task *t)
{
    AUTO(arena_clear) struct arena a = {0};
    bool is_all;
    struct str own = missing_of(x, t, &a, &is_all);

    t->partial = aws_keep(t->partial, is_all ? STR("") : own);
    return is_all;
}

void aws_tell_partial(struct aws_ctx *x)
{
    AUTO(arena_clear) struct arena a = {0};
    AUTO(buf_clear) struct buf b = {.max = 4096};
    struct str traces = traces_refused(&x->tasks[TASK_TRACES], &a);

    for (int i = 0; i < AWS_TASKS; i++)
        if (x->tasks[i].partial != NULL)
            buf_addf(&b, "%s%s", b.n > 0 ? "; " : "", x->tasks[i].partial);
    if (traces.n > 0)
        buf_addf(&b, "%s" STR_FMT, b.n > 0 ? "; " : "", STR_ARG(traces));
    x->partial = aws_keep(x->partial, buf_str(&b));
}

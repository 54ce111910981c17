/* The trigger types, and all triggers of a manifest at work. */
#include <stdlib.h>

#include "core/base/mem.h"
#include "executor/t_http.h"
#include "executor/t_queue.h"
#include "executor/t_schedule.h"
#include "executor/t_storage.h"
#include "executor/trigger.h"

const struct trigger_ops *const trigger_types[] = {&trigger_http, &t_queue, &t_schedule, &t_storage,
                                                   NULL};

struct triggers {
    struct trigger_run *items;
    size_t n;
};

static size_t count(const struct manifest *m)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_functions; i++)
        n += m->functions[i].n_triggers;
    return n;
}

static enum status start_one(struct triggers *t, struct executor *x, const struct fndef *fn,
                             const struct trigger_def *def, struct err *e)
{
    struct trigger_run *run = &t->items[t->n];

    *run = (struct trigger_run){.x = x, .fn = fn, .def = def};
    enum status s = def->ops->start ? def->ops->start(run, e) : OK;
    if (s != OK)
        return err_wrap(e, STR_FMT, STR_ARG(def->place));
    t->n++;
    return OK;
}

enum status triggers_start(struct executor *x, struct triggers **out, struct err *e)
{
    const struct manifest *m = x->manifest;
    struct triggers *t = xcalloc(1, sizeof(*t));

    t->items = xcalloc(count(m) + 1, sizeof(*t->items));
    for (size_t i = 0; i < m->n_functions; i++)
        for (size_t k = 0; k < m->functions[i].n_triggers; k++) {
            enum status s = start_one(t, x, &m->functions[i], &m->functions[i].triggers[k], e);
            if (s != OK) {
                triggers_stop(t);
                return s;
            }
        }
    *out = t;
    return OK;
}

void triggers_stop(struct triggers *t)
{
    if (!t)
        return;
    while (t->n > 0) {
        struct trigger_run *run = &t->items[--t->n];
        if (run->def->ops->stop)
            run->def->ops->stop(run);
    }
    free(t->items);
    free(t);
}

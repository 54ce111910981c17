/* Causes of cold starts. Pure. */
#include <assert.h>

#include "analyzer/analyzer.h"
#include "core/base/clock.h"

/* An environment lost longer ago than this has been replaced for another reason. */
#define LOST_MATTERS_NS (10 * NS_PER_MIN)

const char *const cold_cause_names[COLD_CAUSES] = {
    [COLD_FIRST] = "first seen",    [COLD_DEPLOY] = "deploy", [COLD_FAILURE] = "after a failure",
    [COLD_SCALE_OUT] = "scale-out", [COLD_IDLE] = "idle",
};

/* After these the platform takes the environment away. An ordinary error leaves it in place. */
static bool loses_environment(const struct invocation *inv)
{
    return inv->outcome == OUTCOME_OOM || inv->outcome == OUTCOME_TIMEOUT ||
           inv->outcome == OUTCOME_INIT_ERROR ||
           (inv->outcome == OUTCOME_ERROR &&
            ((inv->evidence & EV_EXIT_LINE) || str_starts(inv->error_type, STR("Runtime.Exit"))));
}

static struct cold_env *env_of(struct cold_watch *w, uint64_t instance)
{
    struct cold_env *oldest = &w->envs[0];

    for (size_t i = 0; i < w->n; i++) {
        if (w->envs[i].instance == instance)
            return &w->envs[i];
        if (w->envs[i].end_ns < oldest->end_ns)
            oldest = &w->envs[i];
    }
    struct cold_env *fresh = w->n < COLD_ENVS ? &w->envs[w->n++] : oldest;
    *fresh = (struct cold_env){.instance = instance};
    return fresh;
}

static enum cold_cause cause_at(const struct cold_watch *w, int64_t t_ns, uint64_t version)
{
    const struct cold_env *newest = NULL, *ended = NULL;
    bool is_busy = false;

    for (size_t i = 0; i < w->n; i++) {
        const struct cold_env *v = &w->envs[i];
        newest = !newest || v->start_ns > newest->start_ns ? v : newest;
        is_busy |= v->end_ns > t_ns && !v->is_lost;
        if (v->end_ns <= t_ns && (!ended || v->end_ns > ended->end_ns))
            ended = v;
    }
    if (!newest)
        return COLD_FIRST;
    if (newest->version != version)
        return COLD_DEPLOY;
    if (ended && ended->is_lost && t_ns - ended->end_ns < LOST_MATTERS_NS)
        return COLD_FAILURE;
    return is_busy ? COLD_SCALE_OUT : COLD_IDLE;
}

bool cold_watch_see(struct cold_watch *w, uint32_t fn_id, const struct invocation *inv,
                    enum cold_cause *cause)
{
    uint64_t version = str_hash(inv->version, 1);
    bool is_cold = inv->start == START_COLD || inv->start == START_SNAPSTART;

    if (w->fn_id != fn_id)
        *w = (struct cold_watch){.fn_id = fn_id};
    if (is_cold)
        *cause = cause_at(w, inv->start_ns - inv->init_ns, version);
    struct cold_env *v = env_of(w, str_hash(inv->origin->instance, 1));
    assert(w->n <= COLD_ENVS);
    v->version = version;
    v->start_ns = inv->start_ns;
    v->end_ns = inv->start_ns + inv->duration_ns;
    v->is_lost = loses_environment(inv);
    return is_cold;
}

/* Programs and queues that a manifest names. */
#include "executor/manifest_check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "executor/access_check.h"
#include "executor/fndef_options.h"
#include "executor/queues_config.h"
#include "executor/t_queue.h"
#include "executor/t_schedule.h"

/* --- programs --- */

static enum status check_program(const struct manifest *m, const struct fndef *fn, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct fn_runtime *r = fn_runtime_find(fn->runtime);
    struct stat st;

    if (r->interpreter)
        return OK;
    struct str name = fn_program_name(fn);
    struct str path = arena_printf(&a, STR_FMT "/" STR_FMT, STR_ARG(fn->code), STR_ARG(name));
    const struct yaml_node *n = fndef_place(fn, r->needs_handler ? "handler" : "code");
    if (stat(path.p, &st) != 0)
        return manifest_error(m, n, e,
                              "program \"" STR_FMT "\" of runtime " STR_FMT
                              " is not in the folder of the code (%s): build it there",
                              STR_ARG(name), STR_ARG(fn->runtime), strerror(errno));
    if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
        return manifest_error(
            m, n, e, "program \"" STR_FMT "\" of runtime " STR_FMT " cannot be run: chmod +x it",
            STR_ARG(name), STR_ARG(fn->runtime));
    return OK;
}

enum status manifest_check_programs(const struct manifest *m, struct err *e)
{
    for (size_t i = 0; i < m->n_functions; i++)
        if (check_program(m, &m->functions[i], e) != OK)
            return ERR_CONFIG;
    return OK;
}

/* --- queues --- */

struct known_queues {
    const struct manifest *m;
    const struct queue_def *defined;
    const struct mq *made;
};

/* Is there a queue of that name once the manifest is served? */
static bool find_queue(const struct known_queues *known, struct str name, int64_t *visibility_ns)
{
    struct queue_settings fresh;

    for (const struct queue_def *q = known->defined; q; q = q->next)
        if (str_eq(q->name, name)) {
            *visibility_ns = q->visibility_ns;
            return true;
        }
    const struct mq_queue *made = known->made ? mq_find(known->made, name) : NULL;
    if (made) {
        *visibility_ns = mq_settings(made)->number[QUEUE_VISIBILITY] * NS_PER_SEC;
        return true;
    }
    queue_settings_init(&fresh);
    *visibility_ns = fresh.number[QUEUE_VISIBILITY] * NS_PER_SEC;
    return queues_config_names(known->m, known->defined, name);
}

/* The name of an own queue's ARN; empty for another ARN. */
static struct str name_of_arn(const struct manifest *m, struct str arn)
{
    AUTO(arena_clear) struct arena a = {0};
    struct str own = arena_printf(&a, "arn:aws:sqs:" STR_FMT ":" STR_FMT ":", STR_ARG(m->region),
                                  STR_ARG(m->account));

    return str_starts(arn, own) ? str_skip(arn, own.n) : (struct str){0};
}

static bool is_arn(struct str s)
{
    return str_find_char(s, ':') < s.n;
}

struct named_queue {
    const struct yaml_node *place;
    const char *key; /* that names it */
    struct str target;
    int64_t visibility_ns; /* out */
};

/* A target is the name of a queue or the ARN of one of this account and region. */
static enum status check_queue(const struct known_queues *known, struct named_queue *q,
                               struct err *e)
{
    const struct manifest *m = known->m;
    struct str name = is_arn(q->target) ? name_of_arn(m, q->target) : q->target;

    if (name.n == 0)
        return manifest_error(m, q->place, e,
                              "%s: \"" STR_FMT "\" is no queue of account " STR_FMT " in " STR_FMT
                              ": give the name of a queue",
                              q->key, STR_ARG(q->target), STR_ARG(m->account), STR_ARG(m->region));
    if (!queue_name_is_valid(name))
        return manifest_error(m, q->place, e,
                              "%s: \"" STR_FMT "\" cannot be a queue's name: letters, digits, - "
                              "and _, at most 80 (FIFO: .fifo at its end)",
                              q->key, STR_ARG(name));
    if (!find_queue(known, name, &q->visibility_ns))
        return manifest_error(m, q->place, e,
                              "%s: queue " STR_FMT " does not exist: add it under queues", q->key,
                              STR_ARG(name));
    return OK;
}

static enum status check_targets(const struct known_queues *known, const struct fndef *fn,
                                 struct err *e)
{
    const struct {
        const char *key;
        struct str target;
        bool may_be_function;
    } targets[] = {{"dlq", fn->dlq, false},
                   {"async.on_success", fn->on_success, true},
                   {"async.on_failure", fn->on_failure, true}};

    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        struct named_queue q = {.place = fndef_place(fn, targets[i].key),
                                .key = targets[i].key,
                                .target = targets[i].target};
        bool is_function =
            targets[i].may_be_function && manifest_find(known->m, q.target, NULL) != NULL;
        if (q.target.n > 0 && !is_function && check_queue(known, &q, e) != OK)
            return ERR_CONFIG;
    }
    return OK;
}

static enum status check_trigger(const struct known_queues *known, const struct fndef *fn,
                                 const struct trigger_def *t, struct err *e)
{
    const struct t_queue_settings *s = t->settings;
    struct named_queue q = {
        .place = yaml_get(t->node, STR("queue")), .key = "queue", .target = s->queue};

    if (!s->is_enabled)
        return OK;
    if (check_queue(known, &q, e) != OK)
        return ERR_CONFIG;
    if (q.visibility_ns < fn->timeout_ns)
        return manifest_error(known->m, q.place, e,
                              "queue " STR_FMT ": its visibility timeout is shorter than the "
                              "timeout of function " STR_FMT "; six times the timeout is good",
                              STR_ARG(s->queue), STR_ARG(fn->name));
    return OK;
}

enum status manifest_check_queues(const struct manifest *m, const struct mq *made, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct queue_def *defined = NULL;

    if (queues_config_read(m, &a, &defined, e) != OK)
        return ERR_CONFIG;
    const struct known_queues known = {m, defined, made};
    for (size_t i = 0; i < m->n_functions; i++) {
        const struct fndef *fn = &m->functions[i];
        if (check_targets(&known, fn, e) != OK)
            return ERR_CONFIG;
        for (size_t k = 0; k < fn->n_triggers; k++)
            if (fn->triggers[k].ops == &t_queue &&
                check_trigger(&known, fn, &fn->triggers[k], e) != OK)
                return ERR_CONFIG;
    }
    return OK;
}

/* --- doubts --- */

void manifest_doubt(const struct manifest *m, const struct yaml_node *n, struct buf *out,
                    struct str what, const char *fmt, ...)
{
    char why[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(why, sizeof(why), fmt, args);
    va_end(args);
    buf_addf(out, "%s:%u:%u: " STR_FMT " %s\n", m->name, n->line, n->column, STR_ARG(what), why);
}

static void doubt_runtime(const struct manifest *m, const struct fndef *fn, struct buf *out)
{
    const struct fn_runtime *r = fn_runtime_find(fn->runtime);

    if (!fn_runtime_has_version(r, fn->runtime))
        manifest_doubt(m, fndef_place(fn, "runtime"), out, fn->runtime,
                       "is no runtime of Lambda's that is known here: it runs all the same");
}

static void doubt_schedule(const struct manifest *m, const struct trigger_def *t, int64_t now_ns,
                           struct buf *out)
{
    const struct t_schedule_settings *s = t->settings;

    if (t->ops == &t_schedule && t_schedule_is_over(t, now_ns))
        manifest_doubt(
            m, yaml_get(t->node, STR("schedule")), out, s->expression,
            s->missed == MISSED_SKIP
                ? "is past: it will never fire"
                : "is past: it will never fire, unless it was missed while fnexec was down");
}

void manifest_doubts(const struct manifest *m, struct str runtimes, int64_t now_ns, struct buf *out)
{
    for (size_t i = 0; i < m->n_functions; i++) {
        const struct fndef *fn = &m->functions[i];
        doubt_runtime(m, fn, out);
        access_doubts(m, fn, runtimes, out);
        for (size_t k = 0; k < fn->n_triggers; k++)
            doubt_schedule(m, &fn->triggers[k], now_ns, out);
    }
}

void manifest_log_doubts(const struct manifest *m, struct str runtimes)
{
    AUTO(buf_clear) struct buf text = {.max = (size_t)1 << 20};
    const struct clock clock = clock_system();

    manifest_doubts(m, runtimes, clock_now(&clock), &text);
    for (struct str rest = buf_str(&text); rest.n > 0;) {
        struct str line = str_cut(&rest, '\n');
        log_event(LOG_WARN, STR_FMT, STR_ARG(line));
    }
}

/* The notifier: a thread that takes messages, sends them one after the other and gives back what
 * became of them. What is in its hands is known to the writer only by number: after a crash the
 * outbox still has every message that was not answered for. */
#include "reports/notify/notify_private.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/base/map.h"
#include "core/base/mem.h"
#include "core/base/queue.h"
#include "core/base/retry.h"

const struct notifier_ops *const notifier_types[] = {
    &notify_webhook, &notify_slack, &notify_alertmanager, &notify_exec, &notify_mail, NULL,
};

enum { QUEUED = 64 };

#define GIVE_UP_NS (24 * NS_PER_HOUR)

static const struct retry_policy pauses = {
    .attempts = UINT32_MAX, .base_ns = 2 * NS_PER_SEC, .cap_ns = 15 * NS_PER_MIN};

const struct notifier_ops *notifier_type_find(struct str type)
{
    for (size_t i = 0; notifier_types[i]; i++)
        if (str_eq(type, str_from(notifier_types[i]->type)))
            return notifier_types[i];
    return NULL;
}

/* --- one message --- */

static const struct notifier *find(const struct notifier *notifiers, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(notifiers[i].name, name))
            return &notifiers[i];
    return NULL;
}

/* The pause is at least half of what the policy allows, so that attempts do not come in bursts. */
static void put_off(struct outbox_entry *m, const struct notify_env *env)
{
    struct rng rng;
    const unsigned n = m->attempts < 20 ? m->attempts : 20;

    rng_seed_system(&rng);
    m->next_ns =
        env->now_ns + retry_wait(&pauses, n, 0, &rng) / 2 + (pauses.base_ns << (n < 8 ? n : 8)) / 4;
    if (env->now_ns - m->created_ns < GIVE_UP_NS)
        return;
    m->status = OUTBOX_GIVEN_UP;
    m->done_ns = env->now_ns;
}

void notify_deliver(const struct notifier *notifiers, size_t n, const struct notify_env *env,
                    struct outbox_entry *m)
{
    const struct notifier *to = find(notifiers, n, m->notifier);
    struct err e = {0};

    m->attempts++;
    m->error = (struct str){0};
    if (!to) {
        m->status = OUTBOX_GIVEN_UP;
        m->done_ns = env->now_ns;
        m->error = STR("it is not configured any more");
        return;
    }
    if (to->ops->send(to->config, env, m, &e) == OK) {
        m->status = OUTBOX_SENT;
        m->done_ns = env->now_ns;
        return;
    }
    m->error = arena_str(env->arena, str_from(e.msg));
    put_off(m, env);
}

/* --- the thread --- */

/* A message on its way, with its own memory. */
struct job {
    struct arena arena;
    struct outbox_entry entry;
    uint64_t number; /* hash of the id */
};

struct notify {
    struct notify_options options;
    struct http http;
    struct mailer mailer;
    atomic_bool stop;
    struct queue *jobs, *results;
    struct idmap in_hand; /* writer only */
    pthread_t thread;
};

static void job_free(struct job *j)
{
    arena_clear(&j->arena);
    free(j);
}

/* Copies every view of the entry. */
static void copy_entry(struct arena *a, const struct outbox_entry *from, struct outbox_entry *to)
{
    *to = *from;
    struct str *const views[] = {
        &to->id,
        &to->notifier,
        &to->error,
        &to->alert.key,
        &to->alert.rule,
        &to->alert.acked_by,
        &to->alert.summary,
        &to->alert.evidence,
        &to->alert.subject.of.account,
        &to->alert.subject.of.region,
        &to->alert.subject.of.name,
    };

    for (size_t i = 0; i < ARRAY_LEN(views); i++)
        *views[i] = arena_str(a, *views[i]);
}

static void *run(void *ctx)
{
    struct notify *n = ctx;

    for (struct job *j; (j = queue_pop(n->jobs, -1, NULL)) != NULL;) {
        const struct notify_env env = {
            .http = &n->http,
            .mailer = &n->mailer,
            .now_ns = clock_now(&n->options.clock),
            .arena = &j->arena,
        };
        if (!atomic_load(&n->stop))
            notify_deliver(n->options.notifiers, n->options.n_notifiers, &env, &j->entry);
        if (queue_push(n->results, j) != OK)
            job_free(j);
    }
    queue_close(n->results);
    return NULL;
}

enum status notify_start(const struct notify_options *o, struct notify **out, struct err *e)
{
    struct notify *n = xcalloc(1, sizeof(*n));

    n->options = *o;
    n->http = o->http ? *o->http : http_curl(&n->stop);
    n->mailer = o->mailer ? *o->mailer : smtp_curl(&n->stop);
    n->jobs = queue_new(QUEUED);
    n->results = queue_new(QUEUED);
    if (pthread_create(&n->thread, NULL, run, n) == 0) {
        *out = n;
        return OK;
    }
    queue_free(n->jobs);
    queue_free(n->results);
    if (!o->http)
        http_close(&n->http);
    if (!o->mailer)
        mailer_close(&n->mailer);
    free(n);
    return err_set(e, ERR_IO, "starting a thread failed");
}

/* No more than the queues hold is in hand, so neither push ever waits. */
bool notify_submit(struct notify *n, const struct outbox_entry *m)
{
    const uint64_t number = str_hash(m->id, 0);
    bool is_new;

    if (n->in_hand.count >= QUEUED || idmap_get(&n->in_hand, number))
        return false;
    struct job *j = xcalloc(1, sizeof(*j));
    copy_entry(&j->arena, m, &j->entry);
    j->number = number;
    idmap_put(&n->in_hand, number, &is_new);
    if (queue_push(n->jobs, j) == OK)
        return true;
    job_free(j);
    idmap_remove(&n->in_hand, number);
    return false;
}

bool notify_collect(struct notify *n, int timeout_ms, struct arena *a, struct outbox_entry *out)
{
    struct job *j = queue_pop(n->results, timeout_ms, NULL);

    if (!j)
        return false;
    copy_entry(a, &j->entry, out);
    idmap_remove(&n->in_hand, j->number);
    job_free(j);
    return true;
}

size_t notify_pending(const struct notify *n)
{
    return n->in_hand.count;
}

void notify_stop(struct notify *n)
{
    if (!n)
        return;
    atomic_store(&n->stop, true);
    queue_close(n->jobs);
    pthread_join(n->thread, NULL);
    for (struct job *j; (j = queue_pop(n->results, 0, NULL)) != NULL;)
        job_free(j);
    queue_free(n->jobs);
    queue_free(n->results);
    if (!n->options.http)
        http_close(&n->http);
    if (!n->options.mailer)
        mailer_close(&n->mailer);
    idmap_clear(&n->in_hand);
    free(n);
}

/* The notifier: a thread for each receiver, which takes its messages, sends them one after the
 * other and gives back what became of them: a receiver that hangs delays no other. What is in their
 * hands is known to the writer only by number: after a crash the outbox still has every message
 * that was not answered for. */
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

/* The pause is at least half of what the policy allows, so that attempts do not come in bursts, and
 * no less than the receiver asks for. */
static void put_off(struct outbox_entry *m, const struct notify_env *env)
{
    const int64_t least_ns = env->now_ns + *env->asked_ns;
    struct rng rng;
    const unsigned n = m->attempts < 20 ? m->attempts : 20;

    rng_seed_system(&rng);
    m->next_ns =
        env->now_ns + retry_wait(&pauses, n, 0, &rng) / 2 + (pauses.base_ns << (n < 8 ? n : 8)) / 4;
    m->next_ns = m->next_ns > least_ns ? m->next_ns : least_ns;
    if (env->now_ns - m->created_ns < GIVE_UP_NS)
        return;
    m->status = OUTBOX_GIVEN_UP;
    m->done_ns = env->now_ns;
}

void notify_deliver(const struct notifier *notifiers, size_t n, const struct notify_env *env,
                    struct outbox_entry *m)
{
    const struct notifier *to = find(notifiers, n, m->notifier);
    struct notify_env with = *env;
    int64_t asked_ns = 0;
    struct err e = {0};

    if (!with.asked_ns)
        with.asked_ns = &asked_ns;
    with.left_out = &m->error;
    m->attempts++;
    m->error = (struct str){0};
    if (!to) {
        m->status = OUTBOX_GIVEN_UP;
        m->done_ns = env->now_ns;
        m->error = STR("it is not configured any more");
        return;
    }
    if (to->ops->send(to->config, &with, m, &e) == OK) {
        m->status = OUTBOX_SENT;
        m->done_ns = env->now_ns;
        return;
    }
    m->error = arena_str(env->arena, str_from(e.msg));
    put_off(m, &with);
}

/* --- the threads --- */

/* A message on its way, with its own memory. */
struct job {
    struct arena arena;
    struct outbox_entry entry;
    uint64_t number; /* hash of the id */
    size_t worker;
    struct alert *kept; /* told again, instead of the entry; NULL: the entry */
    size_t n_kept;
};

struct worker {
    struct notify *all;
    struct http http;
    struct mailer mailer;
    struct queue *jobs;
    size_t in_hand; /* writer only */
    bool is_keeping;
    _Atomic int64_t paused_until_ns; /* the receiver asked for it */
    pthread_t thread;
};

struct notify {
    struct notify_options options;
    atomic_bool stop;
    struct queue *results;
    struct idmap in_hand;   /* writer only */
    struct worker *workers; /* one a receiver, and one for receivers that are gone */
    size_t n_workers;
};

/* While a receiver wants to be left alone, its other messages wait too. The clock may have been set
 * back meanwhile. */
static bool is_paused(const struct worker *w, int64_t now_ns, int64_t *until_ns)
{
    *until_ns = atomic_load(&w->paused_until_ns);
    return now_ns < *until_ns && *until_ns - now_ns <= NOTIFY_LONGEST_PAUSE_NS;
}

static void job_free(struct job *j)
{
    arena_clear(&j->arena);
    free(j);
}

static void copy_views(struct arena *a, struct str *const *views, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *views[i] = arena_str(a, *views[i]);
}

static void copy_alert(struct arena *a, const struct alert *from, struct alert *to)
{
    struct fn_ref *of = &to->subject.of;
    struct str *const views[] = {&to->key,      &to->rule,    &to->acked_by, &to->summary,
                                 &to->evidence, &of->account, &of->region,   &of->name};

    *to = *from;
    copy_views(a, views, ARRAY_LEN(views));
}

static void copy_entry(struct arena *a, const struct outbox_entry *from, struct outbox_entry *to)
{
    struct str *const views[] = {&to->id, &to->notifier, &to->error};

    *to = *from;
    copy_views(a, views, ARRAY_LEN(views));
    copy_alert(a, &from->alert, &to->alert);
}

/* A failure is not told: the message about the alert is what a failure is told of. */
static void keep(const struct notifier *to, const struct notify_env *env, const struct job *j)
{
    struct err e = {0};
    enum status status = to->ops->keep(to->config, env, j->kept, j->n_kept, &e);

    UNUSED(status);
}

static void deliver(struct worker *w, const struct notify_env *env, struct outbox_entry *m)
{
    const struct notify_options *o = &w->all->options;
    struct notify_env with = *env;
    int64_t asked_ns = 0, until_ns;

    if (is_paused(w, env->now_ns, &until_ns)) {
        m->next_ns = until_ns; /* it came before the pause; this is no attempt */
        return;
    }
    with.asked_ns = &asked_ns;
    notify_deliver(o->notifiers, o->n_notifiers, &with, m);
    if (asked_ns > 0)
        atomic_store(&w->paused_until_ns, env->now_ns + asked_ns);
}

static void *run(void *ctx)
{
    struct worker *w = ctx;
    const struct notify_options *o = &w->all->options;

    for (struct job *j; (j = queue_pop(w->jobs, -1, NULL)) != NULL;) {
        const struct notify_env env = {
            .http = &w->http,
            .mailer = &w->mailer,
            .now_ns = clock_now(&o->clock),
            .arena = &j->arena,
            .is_kept = o->is_kept,
        };
        if (!atomic_load(&w->all->stop) && j->kept)
            keep(&o->notifiers[j->worker], &env, j);
        else if (!atomic_load(&w->all->stop))
            deliver(w, &env, &j->entry);
        if (queue_push(w->all->results, j) != OK)
            job_free(j);
    }
    return NULL;
}

static void close_worker(const struct notify *n, struct worker *w)
{
    queue_free(w->jobs);
    if (!n->options.http)
        http_close(&w->http);
    if (!n->options.mailer)
        mailer_close(&w->mailer);
}

static bool start_worker(struct notify *n)
{
    struct worker *w = &n->workers[n->n_workers];

    w->all = n;
    w->http = n->options.http ? *n->options.http : http_curl(&n->stop);
    w->mailer = n->options.mailer ? *n->options.mailer : smtp_curl(&n->stop);
    w->jobs = queue_new(QUEUED + 1);
    if (pthread_create(&w->thread, NULL, run, w) == 0) {
        n->n_workers++;
        return true;
    }
    close_worker(n, w);
    return false;
}

enum status notify_start(const struct notify_options *o, struct notify **out, struct err *e)
{
    const size_t wanted = o->n_notifiers + 1;
    struct notify *n = xcalloc(1, sizeof(*n));

    n->options = *o;
    n->results = queue_new((QUEUED + 1) * wanted);
    n->workers = xcalloc(wanted, sizeof(*n->workers));
    while (n->n_workers < wanted)
        if (!start_worker(n)) {
            notify_stop(n);
            return err_set(e, ERR_IO, "starting a thread failed");
        }
    *out = n;
    return OK;
}

static size_t worker_of(const struct notify *n, struct str name)
{
    size_t i = 0;

    while (i < n->options.n_notifiers && !str_eq(n->options.notifiers[i].name, name))
        i++;
    return i;
}

/* No more than the queues hold is in hand, so neither push ever waits. */
bool notify_submit(struct notify *n, const struct outbox_entry *m)
{
    const uint64_t number = str_hash(m->id, 0);
    const size_t at = worker_of(n, m->notifier);
    struct worker *w = &n->workers[at];
    int64_t until_ns;
    bool is_new;

    if (w->in_hand >= QUEUED || idmap_get(&n->in_hand, number) ||
        is_paused(w, clock_now(&n->options.clock), &until_ns))
        return false;
    struct job *j = xcalloc(1, sizeof(*j));
    copy_entry(&j->arena, m, &j->entry);
    j->number = number;
    j->worker = at;
    if (queue_push(w->jobs, j) != OK) {
        job_free(j);
        return false;
    }
    idmap_put(&n->in_hand, number, &is_new);
    w->in_hand++;
    return true;
}

void notify_keep(struct notify *n, struct str notifier, const struct alert *rows, size_t n_rows)
{
    const size_t at = worker_of(n, notifier);
    struct worker *w = &n->workers[at];

    if (n_rows == 0 || w->is_keeping || at == n->options.n_notifiers ||
        !n->options.notifiers[at].ops->keep)
        return;
    struct job *j = xcalloc(1, sizeof(*j));
    j->worker = at;
    j->kept = arena_new(&j->arena, struct alert, n_rows);
    j->n_kept = n_rows;
    for (size_t i = 0; i < n_rows; i++)
        copy_alert(&j->arena, &rows[i], &j->kept[i]);
    w->is_keeping = queue_push(w->jobs, j) == OK;
    if (!w->is_keeping)
        job_free(j);
}

/* The next result of a message; what was told again only frees its hand. */
static struct job *next_result(struct notify *n, int timeout_ms)
{
    struct job *j;

    while ((j = queue_pop(n->results, timeout_ms, NULL)) != NULL && j->kept) {
        n->workers[j->worker].is_keeping = false;
        job_free(j);
    }
    return j;
}

bool notify_collect(struct notify *n, int timeout_ms, struct arena *a, struct outbox_entry *out)
{
    struct job *j = next_result(n, timeout_ms);

    if (!j)
        return false;
    copy_entry(a, &j->entry, out);
    idmap_remove(&n->in_hand, j->number);
    n->workers[j->worker].in_hand--;
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
    for (size_t i = 0; i < n->n_workers; i++)
        queue_close(n->workers[i].jobs);
    for (size_t i = 0; i < n->n_workers; i++) {
        pthread_join(n->workers[i].thread, NULL);
        close_worker(n, &n->workers[i]);
    }
    for (struct job *j; (j = queue_pop(n->results, 0, NULL)) != NULL;)
        job_free(j);
    queue_free(n->results);
    idmap_clear(&n->in_hand);
    free(n->workers);
    free(n);
}

/* The queues against a model, on a virtual clock: what was accepted is never lost, never given to
 * two at a time, and ends once, over any number of restarts. */
#include "executor/journal_schema.h"
#include "executor/message_queue.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/base/rng.h"
#include "tests/temp_path.h"
#include "tests/test.h"

#define START_NS (INT64_C(1790000000) * NS_PER_SEC)

struct fixture {
    char path[64];
    struct loop *loop;
    struct journal *journal;
    struct mq *mq;
    uint64_t seed;
};

static void start(struct fixture *f)
{
    struct err e;

    CHECK_OK(journal_open(f->path, NULL, journal_migrate, &f->journal, &e), &e);
    CHECK_OK(mq_open(f->journal, f->loop,
                     &(struct mq_config){.region = STR("eu-west-1"),
                                         .account = STR("123456789012"),
                                         .seed = ++f->seed},
                     &f->mq, &e),
             &e);
}

static void stop(struct fixture *f)
{
    mq_close(f->mq);
    journal_close(f->journal);
}

static void restart(struct fixture *f)
{
    stop(f);
    start(f);
}

static void setup(struct fixture *f)
{
    *f = (struct fixture){0};
    temp_path_make(f->path);
    f->loop = loop_new_virtual(START_NS);
    start(f);
}

static void teardown(struct fixture *f)
{
    stop(f);
    loop_free(f->loop);
    temp_path_remove(f->path);
}

static void must_be_kept(void *ctx, enum status s, const struct err *e)
{
    UNUSED(ctx);
    check_ok(s, e, "change of a queue", __FILE__, __LINE__);
}

static struct mq_queue *make(struct fixture *f, const char *name, const char *settings_json)
{
    struct queue_settings settings;
    struct arena a;
    struct err e;

    arena_init(&a);
    CHECK_OK(queue_settings_read(&settings, &a, str_from(settings_json), &e), &e);
    struct mq_queue *q = mq_create(f->mq, str_from(name), &settings, STR("{}"), must_be_kept, NULL);
    arena_clear(&a);
    return q;
}

static struct mq_queue *find(struct fixture *f, const char *name)
{
    struct mq_queue *q = mq_find(f->mq, str_from(name));

    CHECK(q);
    return q;
}

static void change_kept(void *ctx, struct mq_change *c, enum status s, const struct err *e)
{
    UNUSED(ctx);
    UNUSED(c);
    check_ok(s, e, "change", __FILE__, __LINE__);
}

static struct mq_sent send_as(struct fixture *f, const char *queue, const struct mq_send *send)
{
    struct mq_change *c = mq_change_new(f->mq);
    struct mq_sent sent;

    mq_add_send(c, find(f, queue), send, &sent);
    mq_commit(c, change_kept, NULL);
    return sent;
}

static struct mq_sent send(struct fixture *f, const char *queue, const char *body)
{
    return send_as(f, queue, &(struct mq_send){.body = str_from(body), .delay_ns = -1});
}

/* What a take gave, copied out of its change. */
struct got {
    size_t n;
    struct {
        int64_t seq;
        uint64_t receipt;
        uint32_t received, attempts;
        char body[32];
    } at[16];
};

static void copy_taken(void *ctx, struct mq_change *c, enum status s, const struct err *e)
{
    struct got *g = ctx;

    check_ok(s, e, "take", __FILE__, __LINE__);
    for (g->n = 0; g->n < mq_taken_count(c); g->n++) {
        const struct mq_taken *t = mq_taken(c, g->n);
        CHECK(g->n < ARRAY_LEN(g->at) && t->body.n < sizeof(g->at[0].body));
        g->at[g->n].seq = t->seq;
        g->at[g->n].receipt = t->receipt;
        g->at[g->n].received = t->received;
        g->at[g->n].attempts = t->attempts;
        snprintf(g->at[g->n].body, sizeof(g->at[0].body), STR_FMT, STR_ARG(t->body));
    }
}

static struct got take(struct fixture *f, const char *queue, size_t max, int64_t visibility_s)
{
    struct mq_change *c = mq_change_new(f->mq);
    struct got g = {0};

    mq_add_take(c, find(f, queue), max, visibility_s * NS_PER_SEC);
    mq_commit(c, copy_taken, &g);
    return g;
}

static bool drop(struct fixture *f, const char *queue, int64_t seq, uint64_t receipt)
{
    struct mq_message *m = mq_by_receipt(find(f, queue), seq, receipt);

    if (!m)
        return false;
    struct mq_change *c = mq_change_new(f->mq);
    mq_add_delete(c, m);
    mq_commit(c, change_kept, NULL);
    return true;
}

static void wait_s(struct fixture *f, int64_t s)
{
    loop_advance(f->loop, s * NS_PER_SEC);
}

/* --- single rules --- */

static void invisible_until_its_time(void **state)
{
    struct fixture f;

    UNUSED(state);
    setup(&f);
    make(&f, "q", "{}");
    send(&f, "q", "hello");
    struct got first = take(&f, "q", 10, 30);
    CHECK_INT(first.n, 1);
    CHECK_Z(first.at[0].body, "hello");
    CHECK_INT(first.at[0].received, 1);
    CHECK_INT(take(&f, "q", 10, 30).n, 0);
    wait_s(&f, 29);
    CHECK_INT(take(&f, "q", 10, 30).n, 0);
    wait_s(&f, 1);
    struct got second = take(&f, "q", 10, 30);
    CHECK_INT(second.n, 1);
    CHECK_INT(second.at[0].received, 2);
    /* The receipt of the first time is worth nothing any more. */
    CHECK(!drop(&f, "q", first.at[0].seq, first.at[0].receipt));
    CHECK(drop(&f, "q", second.at[0].seq, second.at[0].receipt));
    wait_s(&f, 60);
    CHECK_INT(take(&f, "q", 10, 30).n, 0);
    teardown(&f);
}

static void delayed(void **state)
{
    struct fixture f;

    UNUSED(state);
    setup(&f);
    make(&f, "q", "{\"DelaySeconds\":\"5\"}");
    send(&f, "q", "late");
    send_as(&f, "q", &(struct mq_send){.body = STR("now"), .delay_ns = 0});
    CHECK_INT(mq_stats(find(&f, "q")).delayed, 1);
    CHECK_Z(take(&f, "q", 10, 30).at[0].body, "now");
    restart(&f);
    wait_s(&f, 5);
    struct got g = take(&f, "q", 10, 30);
    CHECK_INT(g.n, 1);
    CHECK_Z(g.at[0].body, "late");
    teardown(&f);
}

static void redrive(void **state)
{
    struct fixture f;

    UNUSED(state);
    setup(&f);
    make(&f, "dead", "{}");
    make(&f, "q",
         "{\"RedrivePolicy\":\"{\\\"deadLetterTargetArn\\\":"
         "\\\"arn:aws:sqs:eu-west-1:123456789012:dead\\\",\\\"maxReceiveCount\\\":\\\"2\\\"}\"}");
    struct mq_sent sent = send(&f, "q", "poison");
    for (int i = 0; i < 2; i++) {
        CHECK_INT(take(&f, "q", 10, 1).n, 1);
        wait_s(&f, 1);
    }
    CHECK_INT(mq_stats(find(&f, "dead")).visible, 0);
    CHECK_INT(take(&f, "q", 10, 1).n, 0);
    CHECK_INT(mq_stats(find(&f, "dead")).visible, 1);
    restart(&f);
    CHECK_INT(mq_stats(find(&f, "q")).visible, 0);
    struct got g = take(&f, "dead", 10, 1);
    CHECK_INT(g.n, 1);
    CHECK_INT(g.at[0].seq, sent.seq);
    CHECK_Z(g.at[0].body, "poison");
    teardown(&f);
}

static void retention(void **state)
{
    struct fixture f;

    UNUSED(state);
    setup(&f);
    make(&f, "q", "{\"MessageRetentionPeriod\":\"60\"}");
    send(&f, "q", "old");
    wait_s(&f, 59);
    send(&f, "q", "young");
    wait_s(&f, 2);
    struct got g = take(&f, "q", 10, 1);
    CHECK_INT(g.n, 1);
    CHECK_Z(g.at[0].body, "young");
    wait_s(&f, 200); /* nobody asks: the sweep does it */
    CHECK_INT(mq_stats(find(&f, "q")).visible, 0);
    restart(&f);
    CHECK_INT(mq_stats(find(&f, "q")).visible, 0);
    teardown(&f);
}

static void purge_and_remove(void **state)
{
    struct fixture f;

    UNUSED(state);
    setup(&f);
    make(&f, "q", "{}");
    for (int i = 0; i < 5; i++)
        send(&f, "q", "x");
    struct got g = take(&f, "q", 1, 30);
    mq_purge(find(&f, "q"), must_be_kept, NULL);
    CHECK_INT(mq_stats(find(&f, "q")).visible + mq_stats(find(&f, "q")).in_flight, 0);
    CHECK(!drop(&f, "q", g.at[0].seq, g.at[0].receipt));
    send(&f, "q", "after");
    restart(&f);
    CHECK_INT(mq_stats(find(&f, "q")).visible, 1);
    CHECK_INT(mq_stats(find(&f, "q")).purged_ns, START_NS);
    mq_remove(find(&f, "q"), must_be_kept, NULL);
    CHECK(!mq_find(f.mq, STR("q")));
    make(&f, "q", "{}");
    restart(&f);
    CHECK_INT(mq_stats(find(&f, "q")).visible, 0);
    teardown(&f);
}

static void note_attempt(void *ctx, struct mq_change *c, enum status s, const struct err *e)
{
    check_ok(s, e, "attempt", __FILE__, __LINE__);
    mq_remember_attempt(ctx, STR("q.fifo"), STR("one"), c);
}

/* How many it takes again. */
static size_t again(struct fixture *f, struct got *g)
{
    struct mq_change *c = mq_change_new(f->mq);
    size_t n = mq_add_again(c, find(f, "q.fifo"), STR("one"), 30 * NS_PER_SEC);

    if (n == 0)
        mq_change_abandon(c);
    else
        mq_commit(c, copy_taken, g);
    return n;
}

static void attempts(void **state)
{
    struct fixture f;
    struct got first = {0}, second = {0};

    UNUSED(state);
    setup(&f);
    make(&f, "q.fifo", "{\"FifoQueue\":\"true\",\"VisibilityTimeout\":\"30\"}");
    send_as(&f, "q.fifo",
            &(struct mq_send){.body = STR("a"), .group = STR("g"), .dedup = STR("a")});
    CHECK_INT(again(&f, &first), 0);
    for (int i = 0; i < 2; i++) { /* each time: received, repeated, then released or deleted */
        struct mq_change *c = mq_change_new(f.mq);
        mq_add_take(c, find(&f, "q.fifo"), 10, 30 * NS_PER_SEC);
        mq_commit(c, note_attempt, f.mq);
        CHECK_INT(again(&f, &first), 1);
        struct mq_message *m =
            mq_by_receipt(find(&f, "q.fifo"), first.at[0].seq, first.at[0].receipt);
        CHECK(m && mq_is_in_flight(m));
        CHECK_STR(str_from(first.at[0].body), STR("a"));
        CHECK_INT(first.at[0].received, i + 1);
        c = mq_change_new(f.mq);
        if (i == 0)
            mq_add_release(c, m, 0, 0);
        else
            mq_add_delete(c, m);
        mq_commit(c, change_kept, NULL);
        CHECK_INT(again(&f, &second), 0);
    }
    teardown(&f);
}

static void fifo_groups(void **state)
{
    static const char *const groups[] = {"a", "a", "b", "a"};
    static const char *const bodies[] = {"a1", "a2", "b1", "a3"};
    struct fixture f;

    UNUSED(state);
    setup(&f);
    make(&f, "q.fifo", "{\"FifoQueue\":\"true\"}");
    for (size_t i = 0; i < ARRAY_LEN(groups); i++)
        send_as(&f, "q.fifo",
                &(struct mq_send){.body = str_from(bodies[i]),
                                  .group = str_from(groups[i]),
                                  .delay_ns = -1,
                                  .dedup = str_from(bodies[i])});
    CHECK(send_as(&f, "q.fifo",
                  &(struct mq_send){.body = STR("a1"), .group = STR("a"), .dedup = STR("a1")})
              .is_repeat);
    struct got a = take(&f, "q.fifo", 1, 30);
    CHECK_Z(a.at[0].body, "a1");
    struct got b = take(&f, "q.fifo", 10, 5);
    CHECK_INT(b.n, 1); /* group a waits for a1 */
    CHECK_Z(b.at[0].body, "b1");
    restart(&f);
    CHECK_INT(take(&f, "q.fifo", 10, 30).n, 0);
    CHECK(send_as(&f, "q.fifo",
                  &(struct mq_send){.body = STR("a1"), .group = STR("a"), .dedup = STR("a1")})
              .is_repeat);
    CHECK(drop(&f, "q.fifo", a.at[0].seq, a.at[0].receipt));
    struct got rest = take(&f, "q.fifo", 10, 30);
    CHECK_INT(rest.n, 2);
    CHECK_Z(rest.at[0].body, "a2");
    CHECK_Z(rest.at[1].body, "a3");
    wait_s(&f, 31); /* all come back, in their order */
    struct got again = take(&f, "q.fifo", 10, 30);
    CHECK_INT(again.n, 3);
    CHECK_Z(again.at[0].body, "b1");
    CHECK_Z(again.at[1].body, "a2");
    wait_s(&f, 300);
    CHECK(!send_as(&f, "q.fifo",
                   &(struct mq_send){.body = STR("a1"), .group = STR("a"), .dedup = STR("a1")})
               .is_repeat);
    teardown(&f);
}

static void count_call(void *ctx)
{
    ++*(int *)ctx;
}

static void waiters(void **state)
{
    struct fixture f;
    int calls[2] = {0, 0};
    struct mq_waiter a = {.fn = count_call, .ctx = &calls[0]},
                     b = {.fn = count_call, .ctx = &calls[1]};

    UNUSED(state);
    setup(&f);
    make(&f, "q", "{}");
    mq_wait(find(&f, "q"), &a);
    mq_wait(find(&f, "q"), &b);
    wait_s(&f, 1);
    CHECK_INT(calls[0] + calls[1], 0);
    send_as(&f, "q", &(struct mq_send){.body = STR("x"), .delay_ns = NS_PER_SEC});
    wait_s(&f, 2);
    CHECK_INT(calls[0], 1);
    mq_wait_cancel(&b);
    mq_wait_cancel(&a);
    teardown(&f);
}

static enum status refuse(void *data, struct journal *j, struct err *e)
{
    UNUSED(data);
    UNUSED(j);
    return err_set(e, ERR_IO, "the disk is full");
}

static void must_fail(void *ctx, struct mq_change *c, enum status s, const struct err *e)
{
    CHECK_INT(s, ERR_IO);
    CHECK(e && e->msg[0]);
    CHECK_INT(mq_taken_count(c), 0);
    ++*(int *)ctx;
}

static void what_the_journal_refuses_did_not_happen(void **state)
{
    struct fixture f;
    struct mq_sent sent;
    int failed = 0;

    UNUSED(state);
    setup(&f);
    make(&f, "q", "{}");
    send(&f, "q", "stays");
    send(&f, "q", "held");
    struct got held = take(&f, "q", 1, 30);
    struct mq_change *c = mq_change_new(f.mq);
    mq_add_send(c, find(&f, "q"), &(struct mq_send){.body = STR("no")}, &sent);
    mq_add_take(c, find(&f, "q"), 10, 0);
    mq_add_delete(c, mq_by_receipt(find(&f, "q"), held.at[0].seq, held.at[0].receipt));
    mq_add_extra(c, refuse, NULL);
    mq_commit(c, must_fail, &failed);
    CHECK_INT(failed, 1);
    CHECK_INT(mq_stats(find(&f, "q")).visible, 1);
    CHECK_INT(mq_stats(find(&f, "q")).in_flight, 1);
    CHECK_INT(take(&f, "q", 10, 30).n, 1);
    wait_s(&f, 31);
    CHECK_INT(take(&f, "q", 10, 30).n, 2);
    restart(&f);
    CHECK_INT(mq_stats(find(&f, "q")).in_flight, 2);
    teardown(&f);
}

/* --- the model --- */

#define N_MODEL 400

struct model {
    int64_t seq;
    uint64_t receipt;
    bool is_deleted, was_sent;
    int64_t hidden_until_ns;
    uint32_t received;
};

struct world {
    struct fixture f;
    struct rng rng;
    struct model m[N_MODEL];
    size_t n;
};

static void model_send(struct world *w)
{
    char body[16];
    int64_t delay = (int64_t)rng_below(&w->rng, 3) * NS_PER_SEC;

    if (w->n == N_MODEL)
        return;
    snprintf(body, sizeof(body), "%zu", w->n);
    struct mq_sent s =
        send_as(&w->f, "q", &(struct mq_send){.body = str_from(body), .delay_ns = delay});
    w->m[w->n++] = (struct model){
        .seq = s.seq, .was_sent = true, .hidden_until_ns = loop_wall(w->f.loop) + delay};
}

static void model_take(struct world *w)
{
    int64_t visibility = (int64_t)rng_below(&w->rng, 10);
    struct got g = take(&w->f, "q", 1 + rng_below(&w->rng, 10), visibility);

    for (size_t i = 0; i < g.n; i++) {
        int64_t k;
        CHECK(str_to_i64(str_from(g.at[i].body), &k) && (size_t)k < w->n);
        struct model *m = &w->m[k];
        CHECK(!m->is_deleted);
        CHECK(m->hidden_until_ns <= loop_wall(w->f.loop));
        CHECK_INT(g.at[i].received, ++m->received);
        CHECK_INT(g.at[i].seq, m->seq);
        m->receipt = g.at[i].receipt;
        m->hidden_until_ns = loop_wall(w->f.loop) + visibility * NS_PER_SEC;
    }
}

static void model_delete(struct world *w)
{
    struct model *m = w->n ? &w->m[rng_below(&w->rng, w->n)] : NULL;

    if (!m || !m->receipt)
        return;
    CHECK(drop(&w->f, "q", m->seq, m->receipt) == !m->is_deleted);
    m->is_deleted = true;
}

static void model_release(struct world *w)
{
    struct model *m = w->n ? &w->m[rng_below(&w->rng, w->n)] : NULL;
    int64_t delay = (int64_t)rng_below(&w->rng, 5) * NS_PER_SEC;

    struct mq_message *x = m && m->receipt && !m->is_deleted
                               ? mq_by_receipt(find(&w->f, "q"), m->seq, m->receipt)
                               : NULL;
    if (!x || !mq_is_in_flight(x))
        return;
    struct mq_change *c = mq_change_new(w->f.mq);
    mq_add_release(c, x, delay, 1);
    mq_commit(c, change_kept, NULL);
    m->hidden_until_ns = loop_wall(w->f.loop) + delay;
}

static void model_restart(struct world *w)
{
    if (rng_below(&w->rng, 10) == 0)
        restart(&w->f);
}

static void model_time(struct world *w)
{
    loop_advance(w->f.loop, (int64_t)rng_below(&w->rng, 3 * NS_PER_SEC));
}

static void check_counts(struct world *w)
{
    struct mq_stats s = mq_stats(find(&w->f, "q"));
    size_t alive = 0, visible = 0;

    for (size_t i = 0; i < w->n; i++) {
        alive += !w->m[i].is_deleted;
        visible += !w->m[i].is_deleted && w->m[i].hidden_until_ns <= loop_wall(w->f.loop);
    }
    CHECK_INT(s.visible + s.in_flight + s.delayed, alive);
    CHECK_INT(s.visible, visible);
}

static void any_order_of_events(void **state)
{
    static void (*const moves[])(struct world *) = {model_send,    model_take, model_delete,
                                                    model_release, model_time, model_restart};

    UNUSED(state);
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct world *w = xcalloc(1, sizeof(*w));
        setup(&w->f);
        rng_seed(&w->rng, seed);
        make(&w->f, "q", "{}");
        for (int i = 0; i < 1200; i++) {
            moves[rng_below(&w->rng, ARRAY_LEN(moves))](w);
            loop_advance(w->f.loop, 0);
            check_counts(w);
        }
        teardown(&w->f);
        free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(invisible_until_its_time),
        cmocka_unit_test(delayed),
        cmocka_unit_test(redrive),
        cmocka_unit_test(retention),
        cmocka_unit_test(purge_and_remove),
        cmocka_unit_test(attempts),
        cmocka_unit_test(fifo_groups),
        cmocka_unit_test(waiters),
        cmocka_unit_test(what_the_journal_refuses_did_not_happen),
        cmocka_unit_test(any_order_of_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

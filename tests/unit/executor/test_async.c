/* Asynchronous events on a virtual clock, with functions that answer as told: retries after 1 and 2
 * minutes under one request id, throttles, the maximum age, dead-letter queue and destinations, a
 * restart at any moment. */
#include "executor/async.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/base/mem.h"
#include "executor/async_private.h"
#include "executor/backoff.h"
#include "executor/journal_schema.h"
#include "executor/message_queue.h"
#include "tests/temp_path.h"
#include "tests/test.h"

#define START_NS  (INT64_C(1790000000) * NS_PER_SEC)
#define MAX_CALLS 64

/* What the invoker was asked, and how it answers. */
struct call {
    char request_id[UUID_LEN + 1];
    int64_t at_ns;
    unsigned attempt;
};

struct world {
    char path[64];
    struct loop *loop;
    struct manifest manifest;
    struct fndef fn;
    struct executor x;
    enum invoke_status answer;
    bool is_silent; /* answers only when everything stops */
    invoke_done_fn *pending;
    void *pending_ctx;
    struct call calls[MAX_CALLS];
    size_t n_calls;
    char accepted[UUID_LEN + 1];
    enum status accepted_status;
};

static void run_as_told(struct invoker *v, const struct invoke_request *rq, invoke_done_fn *done,
                        void *ctx)
{
    /* The test's twin: the world stands where the invoker would. */
    struct world *w = (struct world *)(void *)v;
    struct call *c = &w->calls[w->n_calls++];
    struct invoke_result r = {.status = w->answer, .request_id = rq->request_id};

    CHECK(w->n_calls < MAX_CALLS);
    snprintf(c->request_id, sizeof(c->request_id), STR_FMT, STR_ARG(rq->request_id));
    c->at_ns = loop_wall(w->loop);
    c->attempt = rq->attempt;
    if (w->answer == INVOKE_OK)
        r.payload = STR("\"fine\"");
    if (w->answer == INVOKE_FUNCTION_ERROR) {
        r.payload = STR("{\"errorMessage\":\"as told\",\"errorType\":\"Told\"}");
        r.function_error = STR("Unhandled");
    }
    if (!w->is_silent) {
        done(ctx, &r);
        return;
    }
    w->pending = done;
    w->pending_ctx = ctx;
}

static void start(struct world *w)
{
    struct err e;

    w->x = (struct executor){.loop = w->loop, .manifest = &w->manifest};
    w->x.invoker = (struct invoker *)(void *)w;
    CHECK_OK(journal_open(w->path, NULL, journal_migrate, &w->x.journal, &e), &e);
    CHECK_OK(mq_open(w->x.journal, w->loop,
                     &(struct mq_config){
                         .region = STR("eu-west-1"), .account = STR("123456789012"), .seed = 1},
                     &w->x.queues, &e),
             &e);
    CHECK_OK(async_start_with(&w->x, run_as_told, &w->x.async, &e), &e);
}

static void stop(struct world *w)
{
    struct invoke_result killed = {.status = INVOKE_FAILED};

    async_stop(w->x.async);
    if (w->pending)
        w->pending(w->pending_ctx, &killed);
    w->pending = NULL;
    mq_close(w->x.queues);
    journal_close(w->x.journal);
}

static void done_nothing(void *ctx, enum status s, const struct err *e)
{
    UNUSED(ctx);
    check_ok(s, e, "queue", __FILE__, __LINE__);
}

static void make_queue(struct world *w, struct str name)
{
    struct queue_settings s;

    queue_settings_init(&s);
    if (!mq_find(w->x.queues, name))
        mq_create(w->x.queues, name, &s, STR("{}"), done_nothing, NULL);
}

static struct world *world_new(void)
{
    struct world *w = xcalloc(1, sizeof(*w));

    temp_path_make(w->path);
    w->loop = loop_new_virtual(START_NS);
    w->fn = (struct fndef){.name = STR("f"),
                           .arn = STR("arn:aws:lambda:eu-west-1:123456789012:function:f"),
                           .instances = 2,
                           .max_retries = 2,
                           .retry_wait_ns = NS_PER_MIN,
                           .max_age_ns = 6 * NS_PER_HOUR,
                           .dlq = STR("dead"),
                           .on_success = STR("done"),
                           .on_failure = STR("failed")};
    w->manifest = (struct manifest){.functions = &w->fn, .n_functions = 1};
    start(w);
    make_queue(w, STR("dead"));
    make_queue(w, STR("done"));
    make_queue(w, STR("failed"));
    return w;
}

static void world_free(struct world *w)
{
    stop(w);
    loop_free(w->loop);
    temp_path_remove(w->path);
    free(w);
}

static void note_accepted(void *ctx, enum status s, struct str request_id)
{
    struct world *w = ctx;

    w->accepted_status = s;
    snprintf(w->accepted, sizeof(w->accepted), STR_FMT, STR_ARG(request_id));
}

static void submit(struct world *w)
{
    struct async_event ev = {.fn = &w->fn, .payload = STR("{\"n\":1}"), .trigger = TRIGGER_OTHER};

    w->accepted_status = ERR_BUG;
    async_submit(w->x.async, &ev, note_accepted, w);
    CHECK_INT(w->accepted_status, OK);
    loop_advance(w->loop, 0);
}

static size_t depth(struct world *w, const char *queue)
{
    return mq_stats(mq_find(w->x.queues, str_from(queue))).visible;
}

struct letter {
    struct buf body, attributes;
};

static void copy_letter(void *ctx, struct mq_change *c, enum status s, const struct err *e)
{
    struct letter *l = ctx;

    check_ok(s, e, "take", __FILE__, __LINE__);
    CHECK_INT(mq_taken_count(c), 1);
    buf_add_str(&l->body, mq_taken(c, 0)->body);
    buf_add_str(&l->attributes, mq_taken(c, 0)->attributes);
}

static void take_letter(struct world *w, const char *queue, struct letter *l)
{
    struct mq_change *c = mq_change_new(w->x.queues);

    buf_init(&l->body, 1 << 20);
    buf_init(&l->attributes, 1 << 20);
    mq_add_take(c, mq_find(w->x.queues, str_from(queue)), 1, 0);
    mq_commit(c, copy_letter, l);
}

static void letter_clear(struct letter *l)
{
    buf_clear(&l->body);
    buf_clear(&l->attributes);
}

static void holds(const struct buf *b, const char *text)
{
    if (str_find(buf_str(b), str_from(text)) == b->n)
        print_error("not there: %s in " STR_FMT "\n", text, STR_ARG(buf_str(b)));
    CHECK(str_find(buf_str(b), str_from(text)) < b->n);
}

static void success(void **state)
{
    struct world *w = world_new();
    struct letter l;

    UNUSED(state);
    submit(w);
    CHECK_INT(w->n_calls, 1);
    CHECK_Z(w->calls[0].request_id, w->accepted);
    CHECK_INT(depth(w, "done"), 1);
    CHECK_INT(depth(w, "dead") + depth(w, "failed"), 0);
    take_letter(w, "done", &l);
    holds(&l.body, "\"condition\":\"Success\",\"approximateInvokeCount\":1}");
    holds(&l.body, "\"requestPayload\":{\"n\":1}");
    holds(&l.body, "\"responsePayload\":\"fine\"");
    letter_clear(&l);
    world_free(w);
}

static void retries(void **state)
{
    struct world *w = world_new();
    struct letter l;

    UNUSED(state);
    w->answer = INVOKE_FUNCTION_ERROR;
    submit(w);
    loop_advance(w->loop, 10 * NS_PER_MIN);
    CHECK_INT(w->n_calls, 3);
    CHECK_INT(w->calls[1].at_ns - w->calls[0].at_ns, NS_PER_MIN);
    CHECK_INT(w->calls[2].at_ns - w->calls[1].at_ns, 2 * NS_PER_MIN);
    for (size_t i = 0; i < 3; i++) {
        CHECK_Z(w->calls[i].request_id, w->accepted);
        CHECK_INT(w->calls[i].attempt, i);
    }
    CHECK_INT(depth(w, "dead"), 1);
    CHECK_INT(depth(w, "failed"), 1);
    CHECK_INT(depth(w, "done"), 0);
    take_letter(w, "dead", &l);
    CHECK_STR(buf_str(&l.body), STR("{\"n\":1}"));
    holds(&l.attributes, w->accepted);
    holds(&l.attributes, "\"ErrorMessage\":{\"StringValue\":\"as told\"");
    letter_clear(&l);
    take_letter(w, "failed", &l);
    holds(&l.body, "\"condition\":\"RetriesExhausted\",\"approximateInvokeCount\":3}");
    holds(&l.body, "\"functionError\":\"Unhandled\"");
    letter_clear(&l);
    world_free(w);
}

static void throttles_until_too_old(void **state)
{
    struct world *w = world_new();
    struct letter l;

    UNUSED(state);
    w->fn.max_age_ns = 2 * NS_PER_MIN;
    w->answer = INVOKE_THROTTLED;
    submit(w);
    loop_advance(w->loop, 10 * NS_PER_MIN);
    /* 1, 2, 4, 8, 16, 32 s: the next wait would pass the age */
    CHECK_INT(w->n_calls, 7);
    for (size_t i = 1; i < w->n_calls; i++)
        CHECK_INT(w->calls[i].at_ns - w->calls[i - 1].at_ns, NS_PER_SEC << (i - 1));
    CHECK_INT(depth(w, "dead"), 1);
    take_letter(w, "failed", &l);
    holds(&l.body, "\"condition\":\"EventAgeExceeded\",\"approximateInvokeCount\":0}");
    letter_clear(&l);
    world_free(w);
}

static void a_stopped_function_has_no_attempts(void **state)
{
    struct world *w = world_new();

    UNUSED(state);
    w->fn.has_reserved = true;
    submit(w);
    CHECK_INT(w->n_calls, 0);
    CHECK_INT(depth(w, "dead"), 1);
    world_free(w);
}

static void restarts(void **state)
{
    struct world *w = world_new();

    UNUSED(state);
    /* Taken, not ended: runs again at once. */
    w->is_silent = true;
    submit(w);
    CHECK_INT(w->n_calls, 1);
    stop(w);
    w->is_silent = false;
    w->answer = INVOKE_FUNCTION_ERROR;
    start(w);
    loop_advance(w->loop, 0);
    CHECK_INT(w->n_calls, 2);
    CHECK_INT(w->calls[1].attempt, 0);
    CHECK_Z(w->calls[1].request_id, w->accepted);
    /* Waiting for its retry: neither forgotten nor hurried. */
    loop_advance(w->loop, 30 * NS_PER_SEC);
    stop(w);
    w->answer = INVOKE_OK;
    start(w);
    loop_advance(w->loop, 29 * NS_PER_SEC);
    CHECK_INT(w->n_calls, 2);
    loop_advance(w->loop, 2 * NS_PER_SEC);
    CHECK_INT(w->n_calls, 3);
    CHECK_INT(w->calls[2].attempt, 1);
    CHECK_INT(depth(w, "done"), 1);
    stop(w);
    start(w);
    loop_advance(w->loop, NS_PER_HOUR);
    CHECK_INT(w->n_calls, 3);
    world_free(w);
}

static void a_missing_destination_ends_the_event(void **state)
{
    struct world *w = world_new();

    UNUSED(state);
    w->fn.on_success = STR("nowhere");
    submit(w);
    loop_advance(w->loop, NS_PER_HOUR);
    CHECK_INT(w->n_calls, 1);
    world_free(w);
}

/* The queue is made with the first event and goes when that cannot be kept; nobody waits for it
 * in vain, and the next event makes it anew. */
static void a_queue_that_cannot_be_made(void **state)
{
    struct world *w = world_new();
    struct async_event ev = {.fn = &w->fn, .payload = STR("{}"), .trigger = TRIGGER_OTHER};
    struct err e;

    UNUSED(state);
    CHECK(!mq_find(w->x.queues, STR(":async:f")));
    CHECK_OK(sql_exec(journal_sql(w->x.journal),
                      "create trigger full before insert on queue begin"
                      " select raise(abort, 'the disk is full'); end",
                      &e),
             &e);
    w->accepted_status = OK;
    async_submit(w->x.async, &ev, note_accepted, w);
    CHECK(w->accepted_status != OK);
    loop_advance(w->loop, NS_PER_SEC);
    CHECK(!mq_find(w->x.queues, STR(":async:f")));
    CHECK_INT(w->n_calls, 0);
    CHECK_OK(sql_exec(journal_sql(w->x.journal), "drop trigger full", &e), &e);
    submit(w);
    CHECK_INT(w->n_calls, 1);
    world_free(w);
}

static void waiting_times(void **state)
{
    UNUSED(state);
    CHECK_INT(backoff_error(NS_PER_MIN, 1), NS_PER_MIN);
    CHECK_INT(backoff_error(NS_PER_MIN, 2), 2 * NS_PER_MIN);
    CHECK_INT(backoff_throttle(1), NS_PER_SEC);
    CHECK_INT(backoff_throttle(9), 256 * NS_PER_SEC);
    CHECK_INT(backoff_throttle(10), 5 * NS_PER_MIN);
    CHECK_INT(backoff_throttle(4000000000U), 5 * NS_PER_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(success),
        cmocka_unit_test(retries),
        cmocka_unit_test(throttles_until_too_old),
        cmocka_unit_test(a_stopped_function_has_no_attempts),
        cmocka_unit_test(restarts),
        cmocka_unit_test(a_missing_destination_ends_the_event),
        cmocka_unit_test(a_queue_that_cannot_be_made),
        cmocka_unit_test(waiting_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

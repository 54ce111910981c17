/* Queues of an endpoint that speaks only the Query protocol, and what a redirect is told as. */
#include "tests/test.h"

#include <string.h>

#include "collector/aws/aws.h"
#include "collector/aws/aws_source.h"
#include "core/base/log.h"

#define QUEUE "http://127.0.0.1:9324/000000000000/orders"

struct endpoint {
    bool is_elsewhere; /* answers with a redirect */
    unsigned in_json, in_form;
};

static struct http_response answer_of(int status, struct str body)
{
    return (struct http_response){.status = status, .body = body};
}

/* As ElasticMQ before it knew JSON. */
static enum status provide(void *ctx, const struct http_request *q, struct arena *a,
                           struct http_response *r, struct err *e)
{
    struct endpoint *p = ctx;
    const struct http_header to = {STR("Location"), STR("http://portal.example/login")};

    UNUSED(e);
    if (p->is_elsewhere) {
        struct http_header *h = arena_new(a, struct http_header, 1);
        h[0] = to;
        *r = (struct http_response){.status = 302, .headers = h, .n_headers = 1};
    } else if (str_starts(q->body, STR("{"))) {
        p->in_json++;
        *r = answer_of(400, STR("<ErrorResponse><Error><Code>MissingAction</Code></Error>"
                                "</ErrorResponse>"));
    } else if (str_starts(q->body, STR("Action=ListQueues&Version=2012-11-05"))) {
        p->in_form++;
        CHECK(str_ends(q->url, STR("9324/")));
        *r = answer_of(200, STR("<ListQueuesResponse><ListQueuesResult><QueueUrl>" QUEUE
                                "</QueueUrl></ListQueuesResult></ListQueuesResponse>"));
    } else {
        p->in_form++;
        CHECK_STR(q->body, STR("Action=GetQueueAttributes&Version=2012-11-05&AttributeName.1=All"
                               "&QueueUrl=http%3A%2F%2F127.0.0.1%3A9324%2F000000000000%2Forders"));
        CHECK_STR(q->url, STR(QUEUE));
        *r = answer_of(
            200,
            STR("<GetQueueAttributesResponse><GetQueueAttributesResult>"
                "<Attribute><Name>ApproximateNumberOfMessages</Name><Value>3</Value></Attribute>"
                "<Attribute><Name>RedrivePolicy</Name><Value>{&quot;deadLetterTargetArn&quot;:"
                "&quot;arn:aws:sqs:elasticmq:000000000000:orders-dead&quot;,"
                "&quot;maxReceiveCount&quot;:4}</Value></Attribute>"
                "</GetQueueAttributesResult></GetQueueAttributesResponse>"));
    }
    return OK;
}

static const char *variable(void *ctx, const char *name)
{
    UNUSED(ctx);
    if (strcmp(name, "AWS_ACCESS_KEY_ID") == 0)
        return "x";
    return strcmp(name, "AWS_SECRET_ACCESS_KEY") == 0 ? "x" : NULL;
}

struct watching {
    struct arena arena;
    struct aws_options options;
    struct source *source;
};

static void watch(struct watching *w, struct endpoint *p)
{
    struct source_env env = {
        .clock = clock_system(), .http = {.send = provide, .ctx = p}, .variable = variable};
    struct opt_set set = {0};
    struct err e = {0};

    log_set_level(LOG_ERROR);
    *w = (struct watching){0};
    CHECK_OK(opt_init(&set, aws_option_defs, &w->options, &w->arena, 0, &e), &e);
    w->options.endpoint = STR("http://127.0.0.1:9324");
    w->source = source_new(&w->arena, &aws_queues_source, STR("local"), &w->options);
    w->source->region = STR("elasticmq");
    CHECK_OK(source_open(w->source, &env, &e), &e);
}

static enum status poll_one(struct watching *w, struct batch *b, struct err *e)
{
    enum poll_result more;

    return w->source->ops->poll(w->source, b, &more, e);
}

static void unwatch(struct watching *w)
{
    source_close(w->source);
    arena_clear(&w->arena);
}

static void test_query_protocol(void **state)
{
    struct endpoint p = {0};
    struct watching w;
    struct batch *b = batch_new();
    struct err e = {0};

    UNUSED(state);
    watch(&w, &p);
    for (int i = 0; i < 3; i++)
        CHECK_OK(poll_one(&w, b, &e), &e);
    CHECK_INT(p.in_json, 1); /* it is not tried again and again */
    CHECK_INT(p.in_form, 2);
    CHECK_INT(b->n_queues, 1);
    CHECK_STR(b->queues[0].of.name, STR("orders"));
    CHECK_INT(b->queues[0].depth, 3);
    CHECK_INT(b->queues[0].max_receives, 4);
    CHECK_STR(b->queues[0].dead_letter, STR("orders-dead"));
    batch_free(b);
    unwatch(&w);
}

static void test_redirect(void **state)
{
    struct endpoint p = {.is_elsewhere = true};
    struct watching w;
    struct batch *b = batch_new();
    struct err e = {0};

    UNUSED(state);
    watch(&w, &p);
    CHECK(poll_one(&w, b, &e) == ERR_CONFIG);
    CHECK_STR(str_from(e.msg),
              STR("sqs:ListQueues: HTTP 302 redirect: it points to http://portal.example/login: "
                  "AWS does not; is the endpoint right, or a proxy or sign-in page in between?"));
    CHECK_INT(w.source->status.add_errors, 1);
    batch_free(b);
    unwatch(&w);
}

/* A queue was emptied within a minute: the age of that minute is of what is gone. */
static void test_age_after_a_purge(void **state)
{
    struct aws_queue q = {0};

    UNUSED(state);
    aws_queue_counted(&q, 3, 90);
    aws_queue_aged(&q, 1740, 60);
    CHECK(q.is_filled && q.oldest_ns == 1740);
    aws_queue_counted(&q, 0, 100);
    aws_queue_counted(&q, 1, 110);
    CHECK(q.is_filled && q.oldest_read_ns == 0);
    aws_queue_aged(&q, 1745, 60);
    CHECK(q.oldest_read_ns == 0);
    aws_queue_aged(&q, 15, 120);
    CHECK(q.oldest_read_ns == 120 && q.oldest_ns == 15);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_age_after_a_purge),
                                          cmocka_unit_test(test_query_protocol),
                                          cmocka_unit_test(test_redirect)};
TEST_MAIN(tests)

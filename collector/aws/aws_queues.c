/* Queues: ListQueues every few minutes, GetQueueAttributes of each at every round. A queue is a
 * dead-letter queue when another queue's redrive policy or a function's configuration names it. */
#include <stdlib.h>

#include "collector/aws/aws_queue_form.h"
#include "collector/aws/aws_source.h"
#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/timefmt.h"

enum { REQUEST_MAX_BYTES = 64 << 10, FEEDERS_MAX_BYTES = 4096 };
/* An age CloudWatch said longer ago is no age any more. */
#define AGE_HOLDS_NS (15 * NS_PER_MIN)

/* --- the list
 * -----------------------------------------------------------------------------------------------
 */

static struct aws_queue *queue_at(struct aws_queues *q, struct str url)
{
    for (size_t i = 0; i < q->n; i++)
        if (str_eq(str_from(q->items[i].url), url))
            return &q->items[i];
    q->items = mem_grow(q->items, q->n, &q->cap, sizeof(*q->items));
    struct aws_queue *new = &q->items[q->n++];
    *new =
        (struct aws_queue){.url = aws_keep(NULL, url), .name = aws_keep(NULL, aws_last_part(url))};
    return new;
}

static void free_queue(struct aws_queue *q)
{
    char *const texts[] = {q->name, q->url, q->arn, q->dead_letter, q->error};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
}

static void end_list(struct aws_ctx *x)
{
    struct aws_queues *q = &x->queues;
    size_t kept = 0;

    for (size_t i = 0; i < q->n; i++) {
        if (!q->items[i].is_listed) {
            free_queue(&q->items[i]);
            continue;
        }
        q->items[kept] = q->items[i];
        q->items[kept++].is_listed = false;
    }
    q->n = kept;
    q->at = 0;
    q->is_listing = false;
    q->listed_ns = aws_mono(x);
}

static struct str list_body(const struct aws_queues *q, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = REQUEST_MAX_BYTES};
    struct json_out o;

    jout_init(&o, &b, false);
    jout_open(&o, '{');
    jout_key(&o, "MaxResults");
    jout_i64(&o, 1000);
    if (q->pages.token != NULL) {
        jout_key(&o, "NextToken");
        jout_str(&o, str_from(q->pages.token));
    }
    jout_close(&o, '}');
    return arena_str(a, buf_str(&b));
}

static enum status parse(struct aws_ctx *x, enum aws_op op, struct str body, struct json_doc **d,
                         struct err *e)
{
    return json_parse(body, d, NULL) == OK ? OK : aws_damaged(&x->client, aws_op_info(op)->name, e);
}

/* In JSON, or in a form, whose answer then comes as JSON too; which of them the endpoint speaks
 * turns out at the first call: *d stays NULL then. */
static enum status ask(struct aws_ctx *x, const struct queue_question *question, struct batch *out,
                       struct json_doc **d, struct err *e)
{
    struct aws_queues *queues = &x->queues;
    struct aws_request q = {.op = question->op, .body = question->body};
    struct str body;

    if (queues->is_form)
        queue_form(question, &q, &out->arena);
    enum status s = aws_call(&x->client, &q, &out->arena, &body, e);
    if (s != OK && !queues->is_form && aws_fault_wants_form(&x->client.fault)) {
        log_event(LOG_INFO,
                  "source=" STR_FMT " SQS does not speak JSON here: asked in the Query protocol",
                  STR_ARG(x->source->name));
        queues->is_form = true;
        return OK;
    }
    if (s != OK)
        return s;
    if (queues->is_form && !queue_form_json(question->op, &body, &out->arena))
        return aws_damaged(&x->client, aws_op_info(question->op)->name, e);
    return parse(x, question->op, body, d, e);
}

static enum status list_step(struct aws_ctx *x, struct batch *out, struct err *e)
{
    AUTO(json_doc_free_ptr) struct json_doc *d = NULL;
    struct aws_queues *queues = &x->queues;
    const struct queue_question q = {.op = OP_LIST_QUEUES,
                                     .body = list_body(queues, &out->arena),
                                     .token = str_from(queues->pages.token)};
    struct str url, token = {0};
    enum status s = ask(x, &q, out, &d, e);

    if (s != OK || d == NULL)
        return s;
    const struct json *urls = json_get(json_root(d), "QueueUrls");
    for (size_t i = 0; i < json_count(urls); i++)
        if (json_str(json_at(urls, i), &url) && aws_matches(&x->o->queues, aws_last_part(url)))
            queue_at(queues, url)->is_listed = true;
    if (!json_str(json_get(json_root(d), "NextToken"), &token))
        token = (struct str){0};
    s = aws_pages_next(&queues->pages, token, AWS_PAGES_MAX, aws_op_info(q.op)->name, e);
    if (s == OK && queues->pages.token == NULL)
        end_list(x);
    return s;
}

/* --- one queue
 * ----------------------------------------------------------------------------------------------
 */

static int64_t number_of(const struct json *o, const char *key)
{
    int64_t v;

    return json_i64(json_get(o, key), &v) ? v : 0;
}

/* JSON in a string; maxReceiveCount is a number or a string. */
static void read_redrive(struct aws_queue *q, const struct json *attributes)
{
    AUTO(json_doc_free_ptr) struct json_doc *d = NULL;
    struct str text, target = {0};

    q->max_receives = 0;
    if (json_str(json_get(attributes, "RedrivePolicy"), &text) &&
        json_parse(text, &d, NULL) == OK &&
        json_str(json_get(json_root(d), "deadLetterTargetArn"), &target))
        q->max_receives = (uint32_t)number_of(json_root(d), "maxReceiveCount");
    q->dead_letter = aws_keep(q->dead_letter, aws_last_part(target));
}

static void add_word(struct buf *b, const char *prefix, const char *word)
{
    if (b->n > 0)
        buf_add_c(b, ',');
    buf_addf(b, "%s%s", prefix, word);
}

static bool leads_to(const char *target, struct str queue)
{
    return target != NULL && str_eq(aws_last_part(str_from(target)), queue);
}

static struct str feeders_of(const struct aws_ctx *x, struct str queue, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = FEEDERS_MAX_BYTES};

    for (size_t i = 0; i < x->queues.n; i++)
        if (leads_to(x->queues.items[i].dead_letter, queue))
            add_word(&b, "", x->queues.items[i].name);
    for (size_t i = 0; i < x->fns.n; i++)
        if (leads_to(x->fns.items[i].dead_letter, queue) ||
            leads_to(x->fns.items[i].on_failure, queue))
            add_word(&b, "function:", x->fns.items[i].name);
    return arena_str(a, buf_str(&b));
}

static struct str consumers_of(const struct aws_ctx *x, struct str queue, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = FEEDERS_MAX_BYTES};

    for (size_t i = 0; i < x->fns.n_mappings; i++)
        if (str_eq(str_from(x->fns.mappings[i].queue), queue))
            add_word(&b, "", x->fns.mappings[i].function);
    return arena_str(a, buf_str(&b));
}

static void add_points(struct batch *out, const struct msg_queue *row)
{
    const struct {
        int64_t value;
        enum metric metric;
        bool is_there;
    } points[] = {
        {row->depth, METRIC_QUEUE_DEPTH, true},
        {row->in_flight, METRIC_QUEUE_IN_FLIGHT, true},
        {row->delayed, METRIC_QUEUE_DELAYED, true},
        {row->oldest_ns, METRIC_QUEUE_AGE, row->has_age},
    };

    for (size_t i = 0; i < ARRAY_LEN(points); i++) {
        if (!points[i].is_there)
            continue;
        struct metric_point *p = batch_point(out);
        p->subject = (struct subject){.scope = SCOPE_QUEUE, .of = row->of};
        p->metric = points[i].metric;
        p->time_ns = row->seen_ns;
        p->value = points[i].value;
    }
}

void aws_queue_aged(struct aws_queue *q, int64_t age_ns, int64_t time_ns)
{
    if (time_ns < q->emptied_ns)
        return;
    q->oldest_ns = age_ns;
    q->oldest_read_ns = time_ns;
}

void aws_queue_counted(struct aws_queue *q, int64_t depth, int64_t now_ns)
{
    q->is_filled = depth > 0;
    if (depth > 0)
        return;
    q->emptied_ns = now_ns;
    q->oldest_ns = q->oldest_read_ns = 0;
}

static void add_row(struct aws_ctx *x, struct aws_queue *q, const struct json *attributes,
                    struct batch *out)
{
    struct arena *a = &out->arena;
    struct str name = arena_str(a, str_from(q->name));
    int64_t now = aws_now(&x->client);
    struct msg_queue row = {
        .of = {.provider = PROVIDER_AWS,
               .account = arena_str(a, x->account),
               .region = arena_str(a, x->client.region),
               .name = name},
        .source = arena_str(a, x->source->name),
        .url = arena_str(a, str_from(q->url)),
        .arn = arena_str(a, str_from(q->arn)),
        .dead_letter = arena_str(a, str_from(q->dead_letter)),
        .feeders = feeders_of(x, name, a),
        .consumers = consumers_of(x, name, a),
        .depth = number_of(attributes, "ApproximateNumberOfMessages"),
        .in_flight = number_of(attributes, "ApproximateNumberOfMessagesNotVisible"),
        .delayed = number_of(attributes, "ApproximateNumberOfMessagesDelayed"),
        .retention_ns = number_of(attributes, "MessageRetentionPeriod") * NS_PER_SEC,
        .visibility_ns = number_of(attributes, "VisibilityTimeout") * NS_PER_SEC,
        .max_receives = q->max_receives,
        .seen_ns = now,
    };

    row.is_dlq = row.feeders.n > 0;
    aws_queue_counted(q, row.depth, now);
    row.has_age =
        row.depth == 0 || (q->oldest_read_ns > 0 && now - q->oldest_read_ns < AGE_HOLDS_NS);
    row.oldest_ns = row.depth > 0 ? q->oldest_ns : 0;
    *batch_queue(out) = row;
    add_points(out, &row);
}

static struct str attributes_body(const struct aws_queue *q, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = REQUEST_MAX_BYTES};
    struct json_out o;

    jout_init(&o, &b, false);
    jout_open(&o, '{');
    jout_key(&o, "QueueUrl");
    jout_str(&o, str_from(q->url));
    jout_key(&o, "AttributeNames");
    jout_open(&o, '[');
    jout_str(&o, STR("All"));
    jout_close(&o, ']');
    jout_close(&o, '}');
    return arena_str(a, buf_str(&b));
}

static size_t count_refused(const struct aws_queues *q, const struct aws_queue **first)
{
    size_t n = 0;

    *first = NULL;
    for (size_t i = 0; i < q->n; i++) {
        if (q->items[i].refused_ns == 0)
            continue;
        *first = *first != NULL ? *first : &q->items[i];
        n++;
    }
    return n;
}

struct str aws_queues_refused(const struct aws_queues *q, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = 2048};
    const struct aws_queue *first;
    size_t n = count_refused(q, &first);

    if (n == 0)
        return (struct str){0};
    buf_addf(&b, "%zu of %zu queues cannot be read: %s since ", n, q->n, first->name);
    time_format(&b, first->refused_ns, 0);
    buf_addf(&b, " (%s)%s", first->error, n > 1 ? ", ..." : "");
    return arena_str(a, buf_str(&b));
}

/* One queue that may not be read does not keep the others from being read. */
static enum status pass_over(struct aws_ctx *x, struct aws_queue *q, enum status s, struct err *e)
{
    const struct aws_queue *first;

    if (s != ERR_AUTH || !aws_fault_is_of_one(&x->client.fault))
        return s;
    if (q->refused_ns == 0)
        log_event(LOG_WARN, "source=" STR_FMT " queue=%s cannot be read: %s",
                  STR_ARG(x->source->name), q->name, e->msg);
    q->refused_ns = q->refused_ns > 0 ? q->refused_ns : aws_now(&x->client);
    q->error = aws_keep(q->error, str_from(e->msg));
    if (count_refused(&x->queues, &first) == x->queues.n)
        return s;
    x->queues.at++;
    x->queues.has_refused = true;
    *e = (struct err){0};
    return OK;
}

static enum status read_step(struct aws_ctx *x, struct batch *out, struct err *e)
{
    AUTO(json_doc_free_ptr) struct json_doc *d = NULL;
    struct aws_queue *queue = &x->queues.items[x->queues.at];
    const struct queue_question q = {.op = OP_GET_QUEUE_ATTRIBUTES,
                                     .body = attributes_body(queue, &out->arena),
                                     .url = str_from(queue->url)};
    struct str arn;
    enum status s = ask(x, &q, out, &d, e);

    if (s == ERR_NOT_FOUND || s == ERR_CONFIG) { /* deleted since the list was read */
        x->queues.at++;
        if (e != NULL)
            *e = (struct err){0};
        return OK;
    }
    if (s != OK)
        return pass_over(x, queue, s, e);
    if (d == NULL)
        return OK;
    queue->refused_ns = 0;
    const struct json *attributes = json_get(json_root(d), "Attributes");
    if (json_str(json_get(attributes, "QueueArn"), &arn)) {
        queue->arn = aws_keep(queue->arn, arn);
        aws_learn_account(x, arn);
    }
    read_redrive(queue, attributes);
    add_row(x, queue, attributes, out);
    x->queues.at++;
    return OK;
}

/* --- the round
 * ----------------------------------------------------------------------------------------------
 */

static bool must_list(const struct aws_ctx *x)
{
    const struct aws_queues *q = &x->queues;

    return q->is_listing || q->listed_ns == 0 ||
           (q->at == 0 && aws_mono(x) - q->listed_ns >= x->o->discover_ns);
}

enum status aws_queues_step(struct aws_ctx *x, struct aws_task *t, struct batch *out, struct err *e)
{
    struct aws_queues *q = &x->queues;
    int64_t now = aws_mono(x);
    enum status s = OK;

    if (q->at == 0 && !q->is_listing) {
        q->began_ns = now;
        q->has_refused = false;
        q->since_ns = aws_now(&x->client);
    }
    if (must_list(x)) {
        q->is_listing = true;
        s = list_step(x, out, e);
    } else if (q->at < q->n) {
        s = read_step(x, out, e);
    }
    if (s != OK)
        return s;
    t->next_ns = now;
    if (!q->is_listing && q->at >= q->n) {
        q->at = 0;
        t->is_round_done = true;
        if (!q->has_refused) /* else the one not read would be taken for gone */
            t->round_ns = q->since_ns;
        t->next_ns = q->began_ns + x->o->queues_ns;
    }
    t->op = must_list(x) ? OP_LIST_QUEUES : OP_GET_QUEUE_ATTRIBUTES;
    return OK;
}

void aws_queues_clear(struct aws_queues *q)
{
    for (size_t i = 0; i < q->n; i++)
        free_queue(&q->items[i]);
    free(q->items);
    aws_pages_clear(&q->pages);
}

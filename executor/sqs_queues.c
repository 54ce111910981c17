/* Queues through the API: made, found, described, set, tagged, purged, deleted. */
#include <stdio.h>
#include <stdlib.h>

#include "executor/api_page.h"
#include "executor/sqs_private.h"

#define PURGE_PAUSE_NS (60 * NS_PER_SEC)

void sqs_no_attribute(struct api_call *c, struct str name)
{
    api_error(c, 400, "InvalidAttributeName", "InvalidAttributeName",
              "Unknown Attribute " STR_FMT ".", STR_ARG(name));
}

/* False after answering with an error. */
static bool read_attributes(struct api_call *c, const struct json *attributes,
                            struct queue_settings *settings)
{
    const struct json *value;
    enum queue_attribute which;
    struct str key, text;
    struct err e;

    for (size_t it = 0; json_each(attributes, &it, &key, &value);) {
        if (!queue_attribute_find(key, &which)) {
            sqs_no_attribute(c, key);
            return false;
        }
        if (!json_str(value, &text) ||
            queue_settings_set(settings, c->arena, which, text, &e) != OK) {
            api_error(c, 400, "InvalidAttributeValue", "InvalidAttributeValue",
                      "Invalid value for the parameter " STR_FMT ".", STR_ARG(key));
            return false;
        }
    }
    return sqs_check_encryption(c, attributes, settings);
}

static struct str arn_of(struct api_call *c, struct str queue)
{
    return arena_printf(c->arena, "arn:aws:sqs:" STR_FMT ":" STR_FMT ":" STR_FMT,
                        STR_ARG(mq_region(c->x->queues)), STR_ARG(mq_account(c->x->queues)),
                        STR_ARG(queue));
}

/* A redrive policy names another queue that is there, FIFO if its source is, and lets it. False
 * after answering. */
static bool check_redrive(struct api_call *c, const struct json *attributes, struct str queue,
                          const struct queue_settings *settings)
{
    const char *name = queue_attribute_name(QUEUE_REDRIVE);
    const struct mq_queue *target;

    if (!json_get(attributes, name) || settings->dead_letter_arn.n == 0)
        return true;
    target = mq_find_arn(c->x->queues, settings->dead_letter_arn);
    const char *why = NULL;
    if (!str_starts(settings->dead_letter_arn, STR("arn:")))
        why = "Invalid value for deadLetterTargetArn.";
    else if (!target)
        why = "Dead letter target does not exist.";
    else if (str_eq(mq_name(target), queue))
        why = "A queue cannot be its own dead-letter queue.";
    else if (queue_name_is_fifo(mq_name(target)) != queue_name_is_fifo(queue))
        why = "Dead-letter queue must be same type of queue as the source.";
    else if (!sqs_allows_redrive(target, arn_of(c, queue)))
        why = "The dead-letter queue does not allow this source by its RedriveAllowPolicy.";
    if (why)
        sqs_invalid(c, "Value " STR_FMT " for parameter %s is invalid. Reason: %s",
                    STR_ARG(settings->text[QUEUE_REDRIVE]), name, why);
    return why == NULL;
}

/* What only FIFO queues have; false after answering. */
static bool check_fifo(struct api_call *c, const struct json *attributes, bool is_fifo)
{
    static const enum queue_attribute only[] = {QUEUE_DEDUP_SCOPE, QUEUE_THROUGHPUT_LIMIT};
    const char *content = queue_attribute_name(QUEUE_CONTENT_DEDUP);

    if (is_fifo)
        return true;
    if (json_get(attributes, content)) {
        sqs_no_attribute(c, str_from(content));
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(only); i++)
        if (json_get(attributes, queue_attribute_name(only[i]))) {
            api_error(c, 400, "InvalidAttributeName", "InvalidAttributeName",
                      "You can specify the %s only when FifoQueue is set to true.",
                      queue_attribute_name(only[i]));
            return false;
        }
    return true;
}

/* The tags as a JSON object of texts. */
static struct str write_tags(struct api_call *c, const struct json *tags)
{
    AUTO(buf_clear) struct buf text;
    struct json_out o;
    const struct json *value;
    struct str key, v;

    buf_init(&text, (size_t)1 << 20);
    jout_init(&o, &text, false);
    jout_open(&o, '{');
    for (size_t it = 0; json_each(tags, &it, &key, &value);) {
        if (!json_str(value, &v))
            continue;
        jout_key(&o, arena_strz(c->arena, key));
        jout_str(&o, v);
    }
    jout_close(&o, '}');
    return arena_str(c->arena, buf_str(&text));
}

static void answer_url(struct api_call *c, struct str name)
{
    AUTO(buf_clear) struct buf url;
    struct json_out o;

    buf_init(&url, 2048);
    sqs_url(c, name, &url);
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, "QueueUrl");
    jout_str(&o, buf_str(&url));
    jout_close(&o, '}');
}

/* Making a queue that is there with the same attributes gives it; with others is an error: the
 * name of one, NULL when there is none. */
static const char *find_other(const struct mq_queue *q, const struct queue_settings *wanted)
{
    for (size_t i = 0; i < QUEUE_ATTRIBUTES; i++)
        if (wanted->text[i].n > 0 &&
            !str_eq(queue_settings_show(wanted, (enum queue_attribute)i),
                    queue_settings_show(mq_settings(q), (enum queue_attribute)i)))
            return queue_attribute_name((enum queue_attribute)i);
    return NULL;
}

/* A change without steps is answered in order, so after what made the queue is durable. */
static void answer_existing(struct api_call *c, const struct mq_queue *q,
                            const struct queue_settings *settings)
{
    const char *other = find_other(q, settings);

    if (other) {
        api_error(c, 400, "QueueNameExists", "QueueAlreadyExists",
                  "A queue already exists with the same name and a different value for attribute "
                  "%s",
                  other);
        return;
    }
    answer_url(c, mq_name(q));
    mq_commit(mq_change_new(c->x->queues), sqs_change_done, sqs_later(c));
}

void sqs_create_queue(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    struct queue_settings settings;
    struct str name;

    queue_settings_init(&settings);
    if (!in || !sqs_text(c, in, "QueueName", &name) ||
        !read_attributes(c, json_get(in, "Attributes"), &settings))
        return;
    if (!queue_name_is_valid(name) ||
        queue_name_is_fifo(name) != (settings.number[QUEUE_FIFO] != 0)) {
        sqs_invalid(c, "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 "
                       "in length; the name of a FIFO queue ends with .fifo.");
        return;
    }
    if (!sqs_check_policies(c, json_get(in, "Attributes")) ||
        !check_fifo(c, json_get(in, "Attributes"), queue_name_is_fifo(name)) ||
        !check_redrive(c, json_get(in, "Attributes"), name, &settings))
        return;
    const struct mq_queue *q = mq_find(c->x->queues, name);
    if (q) {
        answer_existing(c, q, &settings);
        return;
    }
    if (mq_was_deleted(c->x->queues, name)) {
        api_error(c, 400, "QueueDeletedRecently", "AWS.SimpleQueueService.QueueDeletedRecently",
                  "You must wait 60 seconds after deleting a queue before you can create another "
                  "with the same name.");
        return;
    }
    const struct json *tags = json_get(in, "tags");
    struct str tags_json = write_tags(c, tags ? tags : json_get(in, "Tags"));
    answer_url(c, name);
    mq_create(c->x->queues, name, &settings, tags_json, sqs_done, sqs_later(c));
}

void sqs_get_queue_url(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    struct str name;

    if (!in || !sqs_text(c, in, "QueueName", &name))
        return;
    const struct mq_queue *q = str_starts(name, STR(":")) ? NULL : mq_find(c->x->queues, name);
    if (!q) {
        sqs_no_queue(c);
        return;
    }
    answer_url(c, mq_name(q));
    sqs_output(c);
}

void sqs_delete_queue(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    struct mq_queue *q = in ? sqs_queue(c, in) : NULL;

    if (!q)
        return;
    buf_add_z(&c->out, "{}");
    mq_remove(q, sqs_done, sqs_later(c));
}

void sqs_purge_queue(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    struct mq_queue *q = in ? sqs_queue(c, in) : NULL;

    if (!q)
        return;
    int64_t purged_ns = mq_stats(q).purged_ns;
    if (purged_ns > 0 && loop_wall(c->x->loop) - purged_ns < PURGE_PAUSE_NS) {
        api_error(c, 403, "PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress",
                  "Only one PurgeQueue operation on " STR_FMT " is allowed every 60 seconds.",
                  STR_ARG(mq_name(q)));
        return;
    }
    buf_add_z(&c->out, "{}");
    mq_purge(q, sqs_done, sqs_later(c));
}

/* --- lists --- */

/* Pages are by name: the token is a seal on the last name given, a dot, and that name. */
struct page {
    struct str after, asked; /* asked: what the list is of, for the seal */
    int64_t max;
    bool is_paged;
};

#define MAX_PAGE 1000

static uint64_t seal_of(const struct page *p, struct str last)
{
    return str_hash(last, str_hash(p->asked, p->asked.n));
}

static bool read_token(struct api_call *c, struct str token, struct page *p)
{
    struct page_token ignored;
    struct str last = token, seal = str_cut(&last, '.');

    p->after = last;
    if (token.n == 0 || (seal.n > 0 && api_page_read(c, seal, seal_of(p, last), &ignored)))
        return true;
    sqs_invalid(c, "Value for parameter NextToken is invalid. Reason: It was not given out for "
                   "this request.");
    return false;
}

static bool read_page(struct api_call *c, const struct json *in, struct str asked, struct page *p)
{
    struct str token = {0};

    *p = (struct page){
        .asked = asked, .max = MAX_PAGE, .is_paged = json_get(in, "MaxResults") != NULL};
    json_str(json_get(in, "NextToken"), &token);
    if (!sqs_number(c, in, "MaxResults", MAX_PAGE, &p->max) || !read_token(c, token, p))
        return false;
    if (p->max > 0)
        return true;
    sqs_invalid(c, "Value for parameter MaxResults is invalid. Reason: Must be >= 1.");
    return false;
}

static int by_name(const void *a, const void *b)
{
    const struct mq_queue *const *x = a, *const *y = b;

    return str_cmp(mq_name(*x), mq_name(*y));
}

typedef bool queue_filter(const struct mq_queue *q, const void *ctx);

static void answer_queues(struct api_call *c, const struct page *p, const char *key,
                          queue_filter *filter, const void *ctx)
{
    AUTO(buf_clear) struct buf url;
    struct json_out o;
    struct mq_queue *q, **list = NULL;
    size_t n = 0, cap = 0, shown = 0;

    for (size_t i = 0; (q = mq_each(c->x->queues, &i));) {
        if (str_starts(mq_name(q), STR(":")) || str_cmp(mq_name(q), p->after) <= 0 ||
            !filter(q, ctx))
            continue;
        list = arena_grow(c->arena, list, n, &cap, sizeof(struct mq_queue *));
        list[n++] = q;
    }
    if (n > 1)
        qsort(list, n, sizeof(struct mq_queue *), by_name);
    buf_init(&url, 2048);
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    jout_key(&o, key);
    jout_open(&o, '[');
    for (; shown < n && shown < (size_t)p->max; shown++) {
        buf_reset(&url);
        sqs_url(c, mq_name(list[shown]), &url);
        jout_str(&o, buf_str(&url));
    }
    jout_close(&o, ']');
    if (shown < n && p->is_paged) {
        struct str last = mq_name(list[shown - 1]);
        struct str seal = api_page_token(c, seal_of(p, last), 0, 0);
        jout_put_str(&o, "NextToken",
                     arena_printf(c->arena, STR_FMT "." STR_FMT, STR_ARG(seal), STR_ARG(last)));
    }
    jout_close(&o, '}');
    sqs_output(c);
}

static bool has_prefix(const struct mq_queue *q, const void *ctx)
{
    const struct str *prefix = ctx;

    return str_starts(mq_name(q), *prefix);
}

void sqs_list_queues(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    struct str prefix = {0};
    struct page p;

    if (!in)
        return;
    json_str(json_get(in, "QueueNamePrefix"), &prefix);
    if (read_page(c, in, prefix, &p))
        answer_queues(c, &p, "QueueUrls", has_prefix, &prefix);
}

static bool is_source_of(const struct mq_queue *q, const void *ctx)
{
    return mq_dead_letter(q) == ctx;
}

void sqs_list_sources(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    const struct mq_queue *q = in ? sqs_queue(c, in) : NULL;
    struct page p;

    if (q && read_page(c, in, mq_name(q), &p))
        answer_queues(c, &p, "queueUrls", is_source_of, q);
}

/* --- attributes --- */

bool sqs_is_attribute(struct str name)
{
    static const char *const others[] = {"All",
                                         "QueueArn",
                                         "ApproximateNumberOfMessages",
                                         "ApproximateNumberOfMessagesNotVisible",
                                         "ApproximateNumberOfMessagesDelayed",
                                         "CreatedTimestamp",
                                         "LastModifiedTimestamp"};
    enum queue_attribute which;

    for (size_t k = 0; k < ARRAY_LEN(others); k++)
        if (str_eq(name, str_from(others[k])))
            return true;
    return queue_attribute_find(name, &which);
}

/* False after answering that there is no such attribute. */
static bool check_names(struct api_call *c, const struct json *names)
{
    for (size_t i = 0; i < json_count(names); i++) {
        struct str s = {0};
        if (json_str(json_at(names, i), &s) && sqs_is_attribute(s))
            continue;
        sqs_no_attribute(c, s);
        return false;
    }
    return true;
}

static bool names_it(const struct json *names, const char *name)
{
    struct str s;

    for (size_t i = 0; i < json_count(names); i++)
        if (json_str(json_at(names, i), &s) && (str_eq(s, STR("All")) || str_eq(s, str_from(name))))
            return true;
    return false;
}

static void add_number(struct json_out *o, const struct json *names, const char *name, int64_t v)
{
    char text[32];

    if (!names_it(names, name))
        return;
    snprintf(text, sizeof(text), "%lld", (long long)v);
    jout_key(o, name);
    jout_str(o, str_from(text));
}

static void add_counts(struct json_out *o, const struct json *names, const struct mq_queue *q)
{
    struct mq_stats s = mq_stats(q);

    add_number(o, names, "ApproximateNumberOfMessages", (int64_t)s.visible);
    add_number(o, names, "ApproximateNumberOfMessagesNotVisible", (int64_t)s.in_flight);
    add_number(o, names, "ApproximateNumberOfMessagesDelayed", (int64_t)s.delayed);
    add_number(o, names, "CreatedTimestamp", s.created_ns / NS_PER_SEC);
    add_number(o, names, "LastModifiedTimestamp", s.modified_ns / NS_PER_SEC);
}

static void add_settings(struct json_out *o, const struct json *names, const struct mq_queue *q)
{
    const struct queue_settings *s = mq_settings(q);

    for (size_t i = 0; i < QUEUE_ATTRIBUTES; i++) {
        struct str text = queue_settings_show(s, (enum queue_attribute)i);
        if (text.n == 0 || !names_it(names, queue_attribute_name((enum queue_attribute)i)))
            continue;
        jout_key(o, queue_attribute_name((enum queue_attribute)i));
        jout_str(o, text);
    }
}

void sqs_get_attributes(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    const struct mq_queue *q = in ? sqs_queue(c, in) : NULL;
    AUTO(buf_clear) struct buf arn;
    struct json_out o;

    buf_init(&arn, 2048);
    if (!q)
        return;
    const struct json *names = json_get(in, "AttributeNames");
    if (!check_names(c, names))
        return;
    jout_init(&o, &c->out, false);
    jout_open(&o, '{');
    if (json_count(names) > 0) {
        jout_key(&o, "Attributes");
        jout_open(&o, '{');
        if (names_it(names, "QueueArn")) {
            mq_arn(q, &arn);
            jout_key(&o, "QueueArn");
            jout_str(&o, buf_str(&arn));
        }
        add_counts(&o, names, q);
        add_settings(&o, names, q);
        jout_close(&o, '}');
    }
    jout_close(&o, '}');
    sqs_output(c);
}

void sqs_set_attributes(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    struct mq_queue *q = in ? sqs_queue(c, in) : NULL;

    if (!q)
        return;
    const struct json *attributes = json_get(in, "Attributes");
    const char *fifo = queue_attribute_name(QUEUE_FIFO);
    struct queue_settings settings = *mq_settings(q);
    bool is_fifo = settings.number[QUEUE_FIFO] != 0;
    if (!is_fifo && json_get(attributes, fifo)) {
        sqs_no_attribute(c, str_from(fifo));
        return;
    }
    if (!read_attributes(c, attributes, &settings) || !sqs_check_policies(c, attributes) ||
        !check_fifo(c, attributes, is_fifo) || !check_redrive(c, attributes, mq_name(q), &settings))
        return;
    if ((settings.number[QUEUE_FIFO] != 0) != is_fifo) {
        api_error(c, 400, "InvalidAttributeValue", "InvalidAttributeValue",
                  "Invalid value for the parameter %s. Reason: Modifying queue type is not "
                  "supported.",
                  fifo);
        return;
    }
    buf_add_z(&c->out, "{}");
    mq_configure(q, &settings, mq_tags(q), sqs_done, sqs_later(c));
}

/* --- tags --- */

void sqs_list_tags(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    const struct mq_queue *q = in ? sqs_queue(c, in) : NULL;

    if (!q)
        return;
    buf_add_z(&c->out, "{\"Tags\":");
    buf_add_str(&c->out, mq_tags(q).n > 0 ? mq_tags(q) : STR("{}"));
    buf_add_z(&c->out, "}");
    sqs_output(c);
}

static bool lists_text(const struct json *list, struct str text)
{
    struct str s;

    for (size_t i = 0; i < json_count(list); i++)
        if (json_str(json_at(list, i), &s) && str_eq(s, text))
            return true;
    return false;
}

/* The old tags without those in `gone` or set anew, then the new ones. */
static void change_tags(struct api_call *c, struct mq_queue *q, const struct json *added,
                        const struct json *gone)
{
    AUTO(json_doc_free_ptr) struct json_doc *old = NULL;
    AUTO(buf_clear) struct buf text;
    struct json_out o;
    const struct json *value;
    struct str key, v;

    buf_init(&text, (size_t)1 << 20);
    jout_init(&o, &text, false);
    jout_open(&o, '{');
    if (json_parse(mq_tags(q), &old, NULL) == OK)
        for (size_t it = 0; json_each(json_root(old), &it, &key, &value);) {
            const char *name = arena_strz(c->arena, key);
            if (json_get(added, name) || lists_text(gone, key) || !json_str(value, &v))
                continue;
            jout_key(&o, name);
            jout_str(&o, v);
        }
    for (size_t it = 0; json_each(added, &it, &key, &value);) {
        if (!json_str(value, &v))
            continue;
        jout_key(&o, arena_strz(c->arena, key));
        jout_str(&o, v);
    }
    jout_close(&o, '}');
    buf_add_z(&c->out, "{}");
    mq_configure(q, mq_settings(q), buf_str(&text), sqs_done, sqs_later(c));
}

void sqs_tag(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    struct mq_queue *q = in ? sqs_queue(c, in) : NULL;

    if (q)
        change_tags(c, q, json_get(in, "Tags"), NULL);
}

void sqs_untag(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    struct mq_queue *q = in ? sqs_queue(c, in) : NULL;

    if (q)
        change_tags(c, q, NULL, json_get(in, "TagKeys"));
}

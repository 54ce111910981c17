/* Policies of queues: who may use one, kept and shown as AWS writes it though nobody is kept out by
 * it here, and whose dead-letter queue one may be, which counts. */
#include <stdlib.h>

#include "executor/sqs_private.h"

#define POLICY_MAX_BYTES ((size_t)256 << 10)

/* --- JSON attributes --- */

static bool is_permission(struct str word)
{
    return str_eq(word, STR("allowAll")) || str_eq(word, STR("denyAll")) ||
           str_eq(word, STR("byQueue"));
}

/* {"redrivePermission": "byQueue", "sourceQueueArns": ["arn:..."]} */
static bool is_redrive_allow(const struct json *root)
{
    struct str word = {0};

    json_str(json_get(root, "redrivePermission"), &word);
    return is_permission(word) &&
           (json_count(json_get(root, "sourceQueueArns")) > 0) == str_eq(word, STR("byQueue"));
}

static bool is_policy(const struct json *root)
{
    const struct json *list = json_get(root, "Statement");

    return json_has_elements(list) || json_has_members(list);
}

static bool check_json(struct api_call *c, const struct json *attributes,
                       enum queue_attribute which, bool (*is_it)(const struct json *root))
{
    AUTO(json_doc_free_ptr) struct json_doc *doc = NULL;
    const char *name = queue_attribute_name(which);
    struct str text;

    if (!json_str(json_get(attributes, name), &text) || text.n == 0)
        return true;
    if (json_parse(text, &doc, NULL) == OK && json_has_members(json_root(doc)) &&
        is_it(json_root(doc)))
        return true;
    api_error(c, 400, "InvalidAttributeValue", "InvalidAttributeValue",
              "Invalid value for the parameter %s.", name);
    return false;
}

bool sqs_check_policies(struct api_call *c, const struct json *attributes)
{
    return check_json(c, attributes, QUEUE_POLICY, is_policy) &&
           check_json(c, attributes, QUEUE_REDRIVE_ALLOW, is_redrive_allow);
}

static bool lists(const struct json *list, struct str text)
{
    struct str s;

    for (size_t i = 0; i < json_count(list); i++)
        if (json_str(json_at(list, i), &s) && str_eq(s, text))
            return true;
    return false;
}

bool sqs_allows_redrive(const struct mq_queue *dead, struct str source_arn)
{
    AUTO(json_doc_free_ptr) struct json_doc *doc = NULL;
    struct str text = queue_settings_show(mq_settings(dead), QUEUE_REDRIVE_ALLOW), word = {0};

    if (text.n == 0 || json_parse(text, &doc, NULL) != OK)
        return true;
    json_str(json_get(json_root(doc), "redrivePermission"), &word);
    if (str_eq(word, STR("byQueue")))
        return lists(json_get(json_root(doc), "sourceQueueArns"), source_arn);
    return !str_eq(word, STR("denyAll"));
}

/* --- permissions --- */

static void copy(struct json_out *o, const struct json *v)
{
    const struct json *member;
    struct str text;
    int64_t number;
    bool flag;

    if (json_has_members(v)) {
        jout_open(o, '{');
        for (size_t it = 0; json_each(v, &it, &text, &member);) {
            AUTO(arena_clear) struct arena a = {0};
            jout_key(o, arena_strz(&a, text));
            copy(o, member);
        }
        jout_close(o, '}');
    } else if (json_has_elements(v)) {
        jout_open(o, '[');
        for (size_t i = 0; i < json_count(v); i++)
            copy(o, json_at(v, i));
        jout_close(o, ']');
    } else if (json_str(v, &text)) {
        jout_str(o, text);
    } else if (json_i64(v, &number)) {
        jout_i64(o, number);
    } else if (json_bool(v, &flag)) {
        jout_bool(o, flag);
    } else {
        jout_null(o);
    }
}

/* A list of one is that one, as AWS writes policies. */
static void put_list(struct json_out *o, const char *key, const struct json *list,
                     const char *before, const char *behind)
{
    AUTO(buf_clear) struct buf text = {.max = 4096};
    struct str s = {0};

    jout_key(o, key);
    if (json_count(list) > 1)
        jout_open(o, '[');
    for (size_t i = 0; i < json_count(list); i++) {
        json_str(json_at(list, i), &s);
        buf_reset(&text);
        buf_addf(&text, "%s" STR_FMT "%s", before, STR_ARG(s), behind);
        jout_str(o, buf_str(&text));
    }
    if (json_count(list) > 1)
        jout_close(o, ']');
}

static void put_statement(struct json_out *o, const struct json *in, struct str label,
                          struct str arn)
{
    jout_open(o, '{');
    jout_put_str(o, "Sid", label);
    jout_put_str(o, "Effect", STR("Allow"));
    jout_key(o, "Principal");
    jout_open(o, '{');
    put_list(o, "AWS", json_get(in, "AWSAccountIds"), "arn:aws:iam::", ":root");
    jout_close(o, '}');
    put_list(o, "Action", json_get(in, "Actions"), "SQS:", "");
    jout_put_str(o, "Resource", arn);
    jout_close(o, '}');
}

static bool has_label(const struct json *statement, struct str label)
{
    struct str sid;

    return json_str(json_get(statement, "Sid"), &sid) && str_eq(sid, label);
}

/* The policy of a queue, its statements one by one; a single one may stand alone. */
struct policy {
    struct json_doc *doc; /* NULL: none yet */
    const struct json *statements;
    size_t n;
};

static void read_policy(const struct mq_queue *q, struct policy *p)
{
    struct str text = queue_settings_show(mq_settings(q), QUEUE_POLICY);

    *p = (struct policy){0};
    if (text.n == 0 || json_parse(text, &p->doc, NULL) != OK)
        return;
    p->statements = json_get(json_root(p->doc), "Statement");
    p->n = json_has_members(p->statements) ? 1 : json_count(p->statements);
}

static const struct json *statement_at(const struct policy *p, size_t i)
{
    return json_has_members(p->statements) ? p->statements : json_at(p->statements, i);
}

static size_t count_label(const struct policy *p, struct str label)
{
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++)
        n += has_label(statement_at(p, i), label);
    return n;
}

static void put_head(struct json_out *o, const struct policy *p, struct str arn)
{
    AUTO(buf_clear) struct buf id = {.max = 2048};
    struct str text;

    text = STR("2008-10-17");
    json_str(json_get(p->doc ? json_root(p->doc) : NULL, "Version"), &text);
    jout_put_str(o, "Version", text);
    buf_addf(&id, STR_FMT "/SQSDefaultPolicy", STR_ARG(arn));
    text = buf_str(&id);
    json_str(json_get(p->doc ? json_root(p->doc) : NULL, "Id"), &text);
    jout_put_str(o, "Id", text);
}

/* The statements but those of the label, and one for `added`; nothing when none is left. */
static void write_policy(struct buf *out, const struct policy *p, struct str label,
                         const struct json *added, struct str arn)
{
    struct json_out o;

    if (!added && p->n == count_label(p, label))
        return;
    jout_init(&o, out, false);
    jout_open(&o, '{');
    put_head(&o, p, arn);
    jout_key(&o, "Statement");
    jout_open(&o, '[');
    for (size_t i = 0; i < p->n; i++)
        if (!has_label(statement_at(p, i), label))
            copy(&o, statement_at(p, i));
    if (added)
        put_statement(&o, added, label, arn);
    jout_close(&o, ']');
    jout_close(&o, '}');
}

static void change_policy(struct api_call *c, struct mq_queue *q, struct policy *p,
                          struct str label, const struct json *added)
{
    AUTO(buf_clear) struct buf arn = {.max = 2048}, text = {.max = POLICY_MAX_BYTES};
    struct queue_settings settings = *mq_settings(q);
    struct err e = {0};

    mq_arn(q, &arn);
    write_policy(&text, p, label, added, buf_str(&arn));
    if (text.is_full ||
        queue_settings_set(&settings, c->arena, QUEUE_POLICY, buf_str(&text), &e) != OK) {
        api_error(c, 403, "OverLimit", "OverLimit", "The policy of the queue is too long.");
        return;
    }
    buf_add_z(&c->out, "{}");
    mq_configure(q, &settings, mq_tags(q), sqs_done, sqs_later(c));
}

static bool is_label(struct str s)
{
    return s.n <= MQ_MAX_NAME && queue_name_is_valid(s) && !queue_name_is_fifo(s);
}

static bool read_list(struct api_call *c, const struct json *in, const char *name)
{
    if (json_count(json_get(in, name)) > 0)
        return true;
    sqs_missing(c, name);
    return false;
}

void sqs_add_permission(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    struct mq_queue *q = in ? sqs_queue(c, in) : NULL;
    struct policy p;
    struct str label;

    if (!q || !sqs_text(c, in, "Label", &label) || !read_list(c, in, "AWSAccountIds") ||
        !read_list(c, in, "Actions"))
        return;
    read_policy(q, &p);
    if (!is_label(label))
        sqs_invalid(c,
                    "Value " STR_FMT " for parameter Label is invalid. Reason: Can only include "
                    "alphanumeric characters, hyphens, or underscores. 1 to 80 in length.",
                    STR_ARG(str_sub(label, 0, 100)));
    else if (count_label(&p, label) > 0)
        sqs_invalid(c, "Value " STR_FMT " for parameter Label is invalid. Reason: Already exists.",
                    STR_ARG(label));
    else
        change_policy(c, q, &p, label, in);
    json_doc_free(p.doc);
}

void sqs_remove_permission(struct api_call *c)
{
    const struct json *in = sqs_input(c);
    struct mq_queue *q = in ? sqs_queue(c, in) : NULL;
    struct policy p;
    struct str label;

    if (!q || !sqs_text(c, in, "Label", &label))
        return;
    read_policy(q, &p);
    if (count_label(&p, label) == 0)
        sqs_invalid(c,
                    "Value " STR_FMT " for parameter Label is invalid. Reason: can't find label.",
                    STR_ARG(str_sub(label, 0, 100)));
    else
        change_policy(c, q, &p, label, NULL);
    json_doc_free(p.doc);
}

bool sqs_check_encryption(struct api_call *c, const struct json *attributes,
                          struct queue_settings *settings)
{
    struct str key = {0}, managed = {0};
    struct err e;

    json_str(json_get(attributes, queue_attribute_name(QUEUE_KMS_KEY)), &key);
    json_str(json_get(attributes, queue_attribute_name(QUEUE_SSE)), &managed);
    bool is_managed = str_eq_nocase(managed, STR("true"));
    if (key.n > 0 && is_managed) {
        api_error(
            c, 400, "InvalidAttributeValue", "InvalidAttributeValue",
            "You can use one type of server-side encryption (SSE) at one time. You can either "
            "enable KMS SSE or SQS SSE.");
        return false;
    }
    return (key.n == 0 ||
            queue_settings_set(settings, c->arena, QUEUE_SSE, STR("false"), &e) == OK) &&
           (!is_managed ||
            queue_settings_set(settings, c->arena, QUEUE_KMS_KEY, (struct str){0}, &e) == OK);
}

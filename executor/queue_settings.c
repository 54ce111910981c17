/* The attribute table of queues. */
#include "executor/queue_settings.h"

#include <assert.h>

#include "core/base/json.h"

enum form { FORM_NUMBER, FORM_FLAG, FORM_REDRIVE, FORM_TEXT };

struct attribute {
    const char *name;
    enum form form;
    int64_t min, max, standard;
    const char *shown; /* while it is not set; NULL: nothing */
};

#define KIB INT64_C(1024)
#define DAY INT64_C(86400)

static const struct attribute attributes[QUEUE_ATTRIBUTES] = {
    [QUEUE_DELAY] = {"DelaySeconds", FORM_NUMBER, 0, 900, 0, "0"},
    [QUEUE_MAX_SIZE] = {"MaximumMessageSize", FORM_NUMBER, KIB, KIB *KIB, KIB *KIB, "1048576"},
    [QUEUE_RETENTION] = {"MessageRetentionPeriod", FORM_NUMBER, 60, 14 * DAY, 4 * DAY, "345600"},
    [QUEUE_WAIT] = {"ReceiveMessageWaitTimeSeconds", FORM_NUMBER, 0, 20, 0, "0"},
    [QUEUE_VISIBILITY] = {"VisibilityTimeout", FORM_NUMBER, 0, 43200, 30, "30"},
    [QUEUE_REDRIVE] = {"RedrivePolicy", FORM_REDRIVE, 0, 0, 0, NULL},
    [QUEUE_REDRIVE_ALLOW] = {"RedriveAllowPolicy", FORM_TEXT, 0, 0, 0, NULL},
    [QUEUE_POLICY] = {"Policy", FORM_TEXT, 0, 0, 0, NULL},
    [QUEUE_FIFO] = {"FifoQueue", FORM_FLAG, 0, 1, 0, NULL},
    [QUEUE_CONTENT_DEDUP] = {"ContentBasedDeduplication", FORM_FLAG, 0, 1, 0, NULL},
    [QUEUE_DEDUP_SCOPE] = {"DeduplicationScope", FORM_TEXT, 0, 0, 0, NULL},
    [QUEUE_THROUGHPUT_LIMIT] = {"FifoThroughputLimit", FORM_TEXT, 0, 0, 0, NULL},
    [QUEUE_SSE] = {"SqsManagedSseEnabled", FORM_FLAG, 0, 1, 0, "true"},
    [QUEUE_KMS_KEY] = {"KmsMasterKeyId", FORM_TEXT, 0, 0, 0, NULL},
    [QUEUE_KMS_PERIOD] = {"KmsDataKeyReusePeriodSeconds", FORM_NUMBER, 60, DAY, 300, NULL},
};

bool queue_name_is_fifo(struct str name)
{
    return str_ends(name, STR(".fifo"));
}

bool queue_name_is_valid(struct str s)
{
    struct str base = queue_name_is_fifo(s) ? str_sub(s, 0, s.n - 5) : s;

    for (size_t i = 0; i < base.n; i++) {
        char c = base.p[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return false;
    }
    return base.n > 0 && s.n <= MQ_MAX_NAME;
}

void queue_settings_init(struct queue_settings *s)
{
    *s = (struct queue_settings){0};
    for (size_t i = 0; i < QUEUE_ATTRIBUTES; i++)
        s->number[i] = attributes[i].standard;
}

const char *queue_attribute_name(enum queue_attribute a)
{
    assert(a < QUEUE_ATTRIBUTES);
    return attributes[a].name;
}

struct str queue_settings_show(const struct queue_settings *s, enum queue_attribute a)
{
    assert(a < QUEUE_ATTRIBUTES);
    return s->text[a].n > 0 ? s->text[a] : str_from(attributes[a].shown);
}

bool queue_attribute_find(struct str name, enum queue_attribute *out)
{
    for (size_t i = 0; i < QUEUE_ATTRIBUTES; i++)
        if (str_eq(name, str_from(attributes[i].name))) {
            *out = (enum queue_attribute)i;
            return true;
        }
    return false;
}

static enum status set_number(struct queue_settings *s, enum queue_attribute which, struct str text,
                              struct err *e)
{
    const struct attribute *a = &attributes[which];
    int64_t v;

    if (!str_to_i64(text, &v) || v < a->min || v > a->max)
        return err_set(e, ERR_PARSE, "Invalid value for the parameter %s.", a->name);
    s->number[which] = v;
    return OK;
}

static enum status set_flag(struct queue_settings *s, enum queue_attribute which, struct str text,
                            struct err *e)
{
    bool is_true = str_eq_nocase(text, STR("true"));

    if (!is_true && !str_eq_nocase(text, STR("false")))
        return err_set(e, ERR_PARSE, "Invalid value for the parameter %s.", attributes[which].name);
    s->number[which] = is_true;
    return OK;
}

#define MAX_RECEIVES 1000

static enum status set_redrive(struct queue_settings *s, struct arena *a, struct str text,
                               struct err *e)
{
    AUTO(json_doc_free_ptr) struct json_doc *doc = NULL;
    struct str arn;
    int64_t max;

    if (json_parse(text, &doc, NULL) != OK)
        return err_set(e, ERR_PARSE, "Invalid value for the parameter RedrivePolicy.");
    const struct json *root = json_root(doc);
    if (!json_str(json_get(root, "deadLetterTargetArn"), &arn) ||
        !json_i64(json_get(root, "maxReceiveCount"), &max) || max < 1 || max > MAX_RECEIVES)
        return err_set(e, ERR_PARSE,
                       "Invalid value for the parameter RedrivePolicy: deadLetterTargetArn and a "
                       "maxReceiveCount from 1 to %d are needed.",
                       MAX_RECEIVES);
    s->dead_letter_arn = arena_str(a, arn);
    s->max_receives = max;
    return OK;
}

enum status queue_settings_set(struct queue_settings *s, struct arena *a,
                               enum queue_attribute which, struct str text, struct err *e)
{
    enum status status = OK;

    if (which == QUEUE_REDRIVE) {
        s->dead_letter_arn = STR("");
        s->max_receives = 0;
    }
    s->number[which] = attributes[which].standard;
    s->text[which] = arena_str(a, text);
    if (text.n == 0)
        return OK;
    if (attributes[which].form == FORM_NUMBER)
        status = set_number(s, which, text, e);
    else if (attributes[which].form == FORM_FLAG)
        status = set_flag(s, which, text, e);
    else if (attributes[which].form == FORM_REDRIVE)
        status = set_redrive(s, a, text, e);
    return status;
}

void queue_settings_write(const struct queue_settings *s, struct buf *out)
{
    struct json_out o;

    jout_init(&o, out, false);
    jout_open(&o, '{');
    for (size_t i = 0; i < QUEUE_ATTRIBUTES; i++) {
        if (s->text[i].n == 0)
            continue;
        jout_key(&o, attributes[i].name);
        jout_str(&o, s->text[i]);
    }
    jout_close(&o, '}');
}

enum status queue_settings_read(struct queue_settings *s, struct arena *a, struct str json,
                                struct err *e)
{
    AUTO(json_doc_free_ptr) struct json_doc *doc = NULL;
    const struct json *value;
    enum queue_attribute which;
    struct str key, text;

    queue_settings_init(s);
    if (json_parse(json, &doc, e) != OK)
        return err_wrap(e, "queue attributes");
    for (size_t it = 0; json_each(json_root(doc), &it, &key, &value);) {
        if (!queue_attribute_find(key, &which) || !json_str(value, &text))
            continue;
        enum status status = queue_settings_set(s, a, which, text, e);
        if (status != OK)
            return err_wrap(e, "queue attributes");
    }
    return OK;
}

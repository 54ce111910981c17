/* Checksums and shapes of messages. */
#include "executor/sqs_message.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/base/base64.h"
#include "core/base/crypto.h"
#include "core/base/utf8.h"

#define MAX_ATTRIBUTES 10
#define MAX_NAME_BYTES 256

bool sqs_is_body(struct str body)
{
    uint32_t cp;

    if (!utf8_is_valid(body))
        return false;
    for (size_t n; (n = utf8_next(body, &cp)) > 0; body = str_skip(body, n))
        if ((cp < 0x20 && cp != '\t' && cp != '\n' && cp != '\r') || cp == 0xFFFE || cp == 0xFFFF)
            return false;
    return true;
}

void sqs_md5_body(struct str body, struct buf *out)
{
    uint8_t sum[16];

    md5(body, sum);
    hex_add(out, sum, sizeof(sum));
}

/* --- message attributes --- */

struct attribute {
    struct str name, type, value; /* value: decoded when binary */
    bool is_binary;
};

static bool is_name(struct str s)
{
    if (s.n == 0 || s.n > MAX_NAME_BYTES || s.p[0] == '.' || s.p[s.n - 1] == '.')
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-' || c == '.'))
            return false;
    }
    return str_find(s, STR("..")) == s.n;
}

/* Names that are AWS's own, in any case. */
static bool is_reserved(struct str name)
{
    static const struct str prefixes[] = {STR_INIT("AWS."), STR_INIT("Amazon.")};

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (str_eq_nocase(str_sub(name, 0, prefixes[i].n), prefixes[i]))
            return true;
    return false;
}

static size_t count_digits(struct str s)
{
    size_t n = 0;

    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    return n;
}

static struct str skip_sign(struct str s)
{
    return str_skip(s, s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'));
}

/* Digits with a sign, a fraction and an exponent, each or none: "-1", "2.50", "1e10". */
static bool is_number(struct str s)
{
    struct str rest = skip_sign(s);
    size_t whole = count_digits(rest), part = 0;

    rest = str_skip(rest, whole);
    if (str_starts(rest, STR("."))) {
        part = count_digits(str_skip(rest, 1));
        rest = str_skip(rest, 1 + part);
    }
    if (whole + part == 0 || rest.n == 0)
        return whole + part > 0;
    if (rest.p[0] != 'e' && rest.p[0] != 'E')
        return false;
    rest = skip_sign(str_skip(rest, 1));
    return rest.n > 0 && count_digits(rest) == rest.n;
}

/* "String", "Number", "Binary", each with an optional ".label". */
static bool is_type(struct str type, struct str base)
{
    return str_starts(type, base) && (type.n == base.n || type.p[base.n] == '.');
}

static enum status wrong(struct str name, const char *what, struct err *e)
{
    return err_set(e, ERR_PARSE, "The message attribute '" STR_FMT "' %s.", STR_ARG(name), what);
}

static enum status read_binary(const struct json *v, struct arena *a, struct attribute *out,
                               struct err *e)
{
    AUTO(buf_clear) struct buf bytes;
    struct str text;

    buf_init(&bytes, (size_t)2 << 20);
    if (!json_str(json_get(v, "BinaryValue"), &text) || text.n == 0)
        return wrong(out->name, "must contain a non-empty message attribute value", e);
    if (base64_parse(text, &bytes, NULL) != OK)
        return wrong(out->name, "has a BinaryValue that is not base64", e);
    out->value = arena_str(a, buf_str(&bytes));
    out->is_binary = true;
    return OK;
}

static enum status read_attribute(struct str name, const struct json *v, struct arena *a,
                                  struct attribute *out, struct err *e)
{
    *out = (struct attribute){.name = name};
    if (!is_name(name))
        return wrong(name, "has an invalid name", e);
    if (is_reserved(name))
        return wrong(name, "has a name that begins with AWS. or Amazon., which are reserved", e);
    if (!json_str(json_get(v, "DataType"), &out->type) || out->type.n > MAX_NAME_BYTES)
        return wrong(name, "must contain a non-empty message attribute type", e);
    if (is_type(out->type, STR("Binary")))
        return read_binary(v, a, out, e);
    if (!is_type(out->type, STR("String")) && !is_type(out->type, STR("Number")))
        return wrong(name,
                     "has an invalid message attribute type; the set of supported type "
                     "prefixes is Binary, Number, and String",
                     e);
    if (!json_str(json_get(v, "StringValue"), &out->value) || out->value.n == 0)
        return err_set(e, ERR_PARSE,
                       "Message (user) attribute '" STR_FMT "' must contain a non-empty value of "
                       "type 'String'.",
                       STR_ARG(name));
    if (!sqs_is_body(out->value))
        return wrong(name, "has invalid characters in its value", e);
    if (is_type(out->type, STR("Number")) && !is_number(out->value))
        return wrong(name, "is of type Number and its value is not a number", e);
    return OK;
}

static int by_name(const void *a, const void *b)
{
    const struct attribute *x = a, *y = b;

    return str_cmp(x->name, y->name);
}

static void add_counted(struct buf *b, struct str s)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_add_c(b, (char)(s.n >> shift & 0xff));
    buf_add_str(b, s);
}

static struct str checksum(struct attribute *list, size_t n, struct arena *a)
{
    AUTO(buf_clear) struct buf text, hex;
    uint8_t sum[16];

    buf_init(&text, SIZE_MAX);
    buf_init(&hex, 64);
    qsort(list, n, sizeof(*list), by_name);
    for (size_t i = 0; i < n; i++) {
        add_counted(&text, list[i].name);
        add_counted(&text, list[i].type);
        buf_add_c(&text, list[i].is_binary ? 2 : 1);
        add_counted(&text, list[i].value);
    }
    md5(buf_str(&text), sum);
    hex_add(&hex, sum, sizeof(sum));
    return arena_str(a, buf_str(&hex));
}

static void write_attribute(struct json_out *o, const struct attribute *x, const struct json *v,
                            struct arena *a)
{
    const char *key = x->is_binary ? "BinaryValue" : "StringValue";
    struct str text = {0};

    json_str(json_get(v, key), &text);
    jout_key(o, arena_strz(a, x->name));
    jout_open(o, '{');
    jout_key(o, key);
    jout_str(o, text);
    jout_key(o, "DataType");
    jout_str(o, x->type);
    jout_close(o, '}');
}

enum status sqs_read_attributes(const struct json *attributes, struct arena *a,
                                struct sqs_attributes *out, struct err *e)
{
    AUTO(buf_clear) struct buf text = {0};
    struct attribute list[MAX_ATTRIBUTES];
    struct sqs_attributes result = {0};
    struct json_out o;
    const struct json *value;
    struct str key;
    size_t n = 0;

    if (json_count(attributes) > MAX_ATTRIBUTES)
        return err_set(e, ERR_PARSE, "Number of message attributes exceeds the allowed %d.",
                       MAX_ATTRIBUTES);
    buf_init(&text, SIZE_MAX);
    jout_init(&o, &text, false);
    jout_open(&o, '{');
    for (size_t it = 0; json_each(attributes, &it, &key, &value); n++) {
        enum status s = read_attribute(arena_str(a, key), value, a, &list[n], e);
        if (s != OK)
            return s;
        write_attribute(&o, &list[n], value, a);
        result.n_bytes += list[n].name.n + list[n].type.n + list[n].value.n;
    }
    jout_close(&o, '}');
    if (n > 0) {
        result.json = arena_str(a, buf_str(&text));
        result.md5 = checksum(list, n, a);
    }
    *out = result;
    return OK;
}

/* --- receipt handles --- */

void sqs_receipt_write(const struct mq_queue *q, const struct mq_taken *t, struct buf *out)
{
    AUTO(buf_clear) struct buf text;

    buf_init(&text, 1024);
    buf_addf(&text, "1 %lld %llu " STR_FMT, (long long)t->seq, (unsigned long long)t->receipt,
             STR_ARG(mq_name(q)));
    base64_add(out, buf_str(&text));
}

bool sqs_receipt_read(struct arena *a, struct str handle, struct str *queue, int64_t *seq,
                      uint64_t *receipt)
{
    AUTO(buf_clear) struct buf text;

    buf_init(&text, 1024);
    if (handle.n > 1024 || base64_parse(handle, &text, NULL) != OK)
        return false;
    struct str rest = arena_str(a, buf_str(&text));
    if (!str_eq(str_cut(&rest, ' '), STR("1")) || !str_to_i64(str_cut(&rest, ' '), seq) ||
        !str_to_u64(str_cut(&rest, ' '), receipt))
        return false;
    *queue = rest;
    return true;
}

/* --- system attributes --- */

struct system_out {
    struct json_out *o;
    sqs_wanted_fn *wanted;
    const void *ctx;
};

static void add_text(const struct system_out *s, const char *name, struct str value)
{
    if (s->wanted && !s->wanted(s->ctx, str_from(name)))
        return;
    jout_key(s->o, name);
    jout_str(s->o, value);
}

static void add_number(const struct system_out *s, const char *name, int64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld", (long long)value);
    add_text(s, name, str_from(text));
}

static void add_stored(const struct system_out *s, struct str json)
{
    AUTO(json_doc_free_ptr) struct json_doc *doc = NULL;
    const struct json *value;
    struct str key, text;

    if (json.n == 0 || json_parse(json, &doc, NULL) != OK)
        return;
    for (size_t it = 0; json_each(json_root(doc), &it, &key, &value);) {
        char name[64];
        snprintf(name, sizeof(name), STR_FMT, STR_ARG(key));
        if (json_str(value, &text))
            add_text(s, name, text);
    }
}

void sqs_write_system(const struct mq_queue *q, const struct mq_taken *t, sqs_wanted_fn *wanted,
                      const void *ctx, struct json_out *o)
{
    struct system_out s = {.o = o, .wanted = wanted, .ctx = ctx};
    char sequence[32];

    jout_open(o, '{');
    add_text(&s, "SenderId", STR(SQS_SENDER_ID));
    add_number(&s, "SentTimestamp", t->sent_ns / NS_PER_MS);
    add_number(&s, "ApproximateReceiveCount", t->received);
    add_number(&s, "ApproximateFirstReceiveTimestamp", t->first_ns / NS_PER_MS);
    if (mq_settings(q)->number[QUEUE_FIFO]) {
        snprintf(sequence, sizeof(sequence), "%020lld", (long long)t->seq);
        add_text(&s, "SequenceNumber", str_from(sequence));
        add_text(&s, "MessageGroupId", t->group);
    }
    add_stored(&s, t->system);
    if (t->source) {
        AUTO(buf_clear) struct buf arn;
        buf_init(&arn, 1024);
        mq_arn(t->source, &arn);
        add_text(&s, "DeadLetterQueueSourceArn", buf_str(&arn));
    }
    jout_close(o, '}');
}

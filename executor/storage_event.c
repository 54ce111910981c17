/* S3 event records. */
#include "executor/storage_event.h"

#include <stdio.h>

#include "core/base/crypto.h"
#include "core/base/json.h"
#include "core/base/timefmt.h"

static void put(struct json_out *o, const char *key, struct str value)
{
    jout_key(o, key);
    jout_str(o, value);
}

/* As S3 does: unreserved characters and '/' stay, a blank is '+'. */
static void add_url(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool is_plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                        (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '*' ||
                        c == '/';
        if (c == ' ')
            buf_add_c(out, '+');
        else if (is_plain)
            buf_add_c(out, (char)c);
        else
            buf_addf(out, "%%%02X", c);
    }
}

static void add_object(const struct storage_event *ev, struct json_out *o, struct buf *text)
{
    uint8_t sum[16];

    jout_key(o, "object");
    jout_open(o, '{');
    buf_reset(text);
    add_url(text, ev->key);
    put(o, "key", buf_str(text));
    if (!ev->is_removal) {
        jout_key(o, "size");
        jout_i64(o, (int64_t)ev->size);
        /* Stands for the content: reading a large file for its checksum would delay the event. */
        buf_reset(text);
        buf_addf(text, "%llu %lld %llu", (unsigned long long)ev->size, (long long)ev->mtime_ns,
                 (unsigned long long)ev->inode);
        md5(buf_str(text), sum);
        buf_reset(text);
        hex_add(text, sum, sizeof(sum));
        put(o, "eTag", buf_str(text));
    }
    buf_reset(text);
    buf_addf(text, "%018llX", (unsigned long long)ev->time_ns);
    put(o, "sequencer", buf_str(text));
    jout_close(o, '}');
}

static void add_bucket(const struct storage_event *ev, struct json_out *o, struct buf *text)
{
    jout_key(o, "bucket");
    jout_open(o, '{');
    put(o, "name", ev->bucket);
    jout_key(o, "ownerIdentity");
    jout_open(o, '{');
    put(o, "principalId", ev->account);
    jout_close(o, '}');
    buf_reset(text);
    buf_addf(text, "arn:aws:s3:::" STR_FMT, STR_ARG(ev->bucket));
    put(o, "arn", buf_str(text));
    jout_close(o, '}');
}

static void add_s3(const struct storage_event *ev, struct json_out *o, struct buf *text)
{
    jout_key(o, "s3");
    jout_open(o, '{');
    put(o, "s3SchemaVersion", STR("1.0"));
    put(o, "configurationId", ev->trigger);
    add_bucket(ev, o, text);
    add_object(ev, o, text);
    jout_close(o, '}');
}

void storage_event_write(const struct storage_event *ev, struct buf *out)
{
    AUTO(buf_clear) struct buf text;
    struct json_out o;

    buf_init(&text, 64 << 10);
    jout_init(&o, out, false);
    jout_open(&o, '{');
    jout_key(&o, "Records");
    jout_open(&o, '[');
    jout_open(&o, '{');
    put(&o, "eventVersion", STR("2.1"));
    put(&o, "eventSource", STR("aws:s3"));
    put(&o, "awsRegion", ev->region);
    time_format(&text, ev->time_ns, 3);
    put(&o, "eventTime", buf_str(&text));
    put(&o, "eventName", ev->is_removal ? STR("ObjectRemoved:Delete") : STR("ObjectCreated:Put"));
    jout_key(&o, "userIdentity");
    jout_raw(&o, STR("{\"principalId\":\"local\"}"));
    jout_key(&o, "requestParameters");
    jout_raw(&o, STR("{\"sourceIPAddress\":\"127.0.0.1\"}"));
    jout_key(&o, "responseElements");
    jout_raw(&o, STR("{}"));
    add_s3(ev, &o, &text);
    jout_close(&o, '}');
    jout_close(&o, ']');
    jout_close(&o, '}');
}

static struct str base_name(struct str key)
{
    size_t slash = str_rfind_char(key, '/');

    return slash < key.n ? str_skip(key, slash + 1) : key;
}

static bool is_small_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_ipv4(struct str name)
{
    size_t parts = 0;
    uint64_t v;

    for (; name.n > 0; parts++)
        if (!str_to_u64(str_cut(&name, '.'), &v))
            return false;
    return parts == 4;
}

static bool is_reserved(struct str name)
{
    static const struct str begins[] = {STR_INIT("xn--"), STR_INIT("sthree-"),
                                        STR_INIT("amzn-s3-demo-")};
    static const struct str ends[] = {STR_INIT("-s3alias"), STR_INIT("--ol-s3"), STR_INIT(".mrap"),
                                      STR_INIT("--x-s3"), STR_INIT("--table-s3")};

    for (size_t i = 0; i < ARRAY_LEN(begins); i++)
        if (str_starts(name, begins[i]))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (str_ends(name, ends[i]))
            return true;
    return false;
}

bool storage_bucket_is_valid(struct str name)
{
    if (name.n < 3 || name.n > 63 || !is_small_or_digit(name.p[0]) ||
        !is_small_or_digit(name.p[name.n - 1]) || is_ipv4(name) || is_reserved(name))
        return false;
    for (size_t i = 1; i < name.n; i++)
        if (!is_small_or_digit(name.p[i]) && name.p[i] != '-' &&
            (name.p[i] != '.' || name.p[i - 1] == '.'))
            return false;
    return true;
}

bool storage_is_temporary(struct str key)
{
    static const struct str endings[] = {STR_INIT("~"), STR_INIT(".tmp"), STR_INIT(".part"),
                                         STR_INIT(".swp")};
    struct str rest = key;

    while (rest.n > 0)
        if (str_starts(str_cut(&rest, '/'), STR(".")))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (str_ends(key, endings[i]))
            return true;
    return base_name(key).n == 0;
}

/* Shorter names are in too many others. */
#define MIN_STEM 3

bool storage_is_derived(struct str key, struct str source)
{
    struct str name = base_name(source);
    struct str stem = str_sub(name, 0, str_rfind_char(name, '.'));
    struct str own = base_name(key);

    if (str_eq(key, source))
        return true;
    return stem.n >= MIN_STEM && str_find(own, stem) < own.n;
}

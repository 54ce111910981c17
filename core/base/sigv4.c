/* Signature Version 4, header form: canonical request, string to sign, key chain. */
#include "core/base/sigv4.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/crypto.h"
#include "core/base/timefmt.h"
#include "core/base/url.h"

#define ALGORITHM  "AWS4-HMAC-SHA256"
#define TERMINATOR "aws4_request"

enum { CANONICAL_MAX = 32 << 20 };

/* --- canonical parts
 * ----------------------------------------------------------------------------------------
 */

static void init(struct buf *b)
{
    buf_init(b, CANONICAL_MAX);
}

static struct str settle(struct buf *b, struct arena *a)
{
    struct str s = arena_str(a, buf_str(b));

    buf_clear(b);
    return s;
}

static bool is_dot(struct str segment)
{
    return segment.n == 0 || str_eq(segment, STR("."));
}

/* RFC 3986 remove_dot_segments, empty segments removed as well. */
static void normalize_path(struct buf *out, struct str path)
{
    bool ends_in_slash = path.n == 0;

    for (struct str rest = path; rest.n > 0;) {
        struct str segment = str_cut(&rest, '/');
        bool is_parent = str_eq(segment, STR(".."));
        ends_in_slash = rest.n == 0 && (is_parent || is_dot(segment) || str_ends(path, STR("/")));
        if (is_parent) {
            size_t slash = str_rfind_char(buf_str(out), '/');
            buf_cut(out, slash < out->n ? slash : 0);
        } else if (!is_dot(segment)) {
            buf_add_c(out, '/');
            buf_add_str(out, segment);
        }
    }
    if (ends_in_slash || out->n == 0)
        buf_add_c(out, '/');
}

static void add_path(struct buf *out, const struct sigv4_request *q)
{
    AUTO(buf_clear) struct buf plain;

    init(&plain);
    if (q->is_raw_path)
        buf_add_str(&plain, q->path.n > 0 ? q->path : STR("/"));
    else
        normalize_path(&plain, q->path);
    url_encode(out, buf_str(&plain), true);
}

/* A parameter, decoded and encoded anew, so that every spelling gives the same text. */
static struct str canonical_word(struct arena *a, struct str s)
{
    struct str plain = s;
    struct buf out;

    init(&out);
    if (!url_decode(a, s, false, &plain))
        plain = s; /* a stray '%' means itself */
    url_encode(&out, plain, false);
    return settle(&out, a);
}

static int compare_pairs(const void *a, const void *b)
{
    const struct http_header *x = a, *y = b;
    int by_name = str_cmp(x->name, y->name);

    return by_name != 0 ? by_name : str_cmp(x->value, y->value);
}

static size_t count_char(struct str s, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == c;
    return n;
}

static void add_query(struct buf *out, struct str query, struct arena *a)
{
    struct http_header *pairs = arena_new(a, struct http_header, count_char(query, '&') + 1);
    size_t n = 0;

    while (query.n > 0) {
        struct str value = str_cut(&query, '&');
        struct str name = str_cut(&value, '=');
        if (name.n > 0 || value.n > 0)
            pairs[n++] = (struct http_header){canonical_word(a, name), canonical_word(a, value)};
    }
    if (n > 1)
        qsort(pairs, n, sizeof(*pairs), compare_pairs);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_c(out, '&');
        buf_add_str(out, pairs[i].name);
        buf_add_c(out, '=');
        buf_add_str(out, pairs[i].value);
    }
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Trimmed, runs of white space as one blank: a value may have come on several lines. */
static void add_value(struct buf *out, struct str value)
{
    struct str s = str_trim(value);

    for (size_t i = 0; i < s.n; i++)
        if (!is_white(s.p[i]))
            buf_add_c(out, s.p[i]);
        else if (!is_white(s.p[i - 1]))
            buf_add_c(out, ' ');
}

/* Headers of one name in the order they came, joined by commas. */
static void add_header(struct buf *out, const struct sigv4_request *q, struct str name)
{
    bool is_first = true;

    buf_add_str(out, name);
    buf_add_c(out, ':');
    for (size_t i = 0; i < q->n_headers; i++) {
        if (!str_eq_nocase(q->headers[i].name, name))
            continue;
        if (!is_first)
            buf_add_c(out, ',');
        is_first = false;
        add_value(out, q->headers[i].value);
    }
    buf_add_c(out, '\n');
}

static void add_hash(struct buf *out, struct str data)
{
    uint8_t hash[32];

    sha256(data, hash);
    hex_add(out, hash, sizeof(hash));
}

struct str sigv4_canonical(const struct sigv4_request *q, struct str signed_headers,
                           struct arena *a)
{
    struct buf b;

    init(&b);
    buf_add_str(&b, q->method);
    buf_add_c(&b, '\n');
    add_path(&b, q);
    buf_add_c(&b, '\n');
    add_query(&b, q->query, a);
    buf_add_c(&b, '\n');
    for (struct str rest = signed_headers; rest.n > 0;)
        add_header(&b, q, str_cut(&rest, ';'));
    buf_add_c(&b, '\n');
    buf_add_str(&b, signed_headers);
    buf_add_c(&b, '\n');
    add_hash(&b, q->body);
    return settle(&b, a);
}

/* --- signature
 * ----------------------------------------------------------------------------------------------
 */

static struct str bytes(const uint8_t *p, size_t n)
{
    return (struct str){(const char *)p, n};
}

void sigv4_derive(struct str secret_key, struct str date, const struct sigv4_scope *scope,
                  uint8_t key[32])
{
    AUTO(buf_clear) struct buf first;

    init(&first);
    buf_add_z(&first, "AWS4");
    buf_add_str(&first, secret_key);
    hmac_sha256(buf_str(&first), date, key);
    hmac_sha256(bytes(key, 32), scope->region, key);
    hmac_sha256(bytes(key, 32), scope->service, key);
    hmac_sha256(bytes(key, 32), STR(TERMINATOR), key);
    memset(first.p, 0, first.n); /* the secret's copy */
}

struct credential {
    struct str date, region, service, amz_date;
};

static struct str sign_canonical(struct str canonical, const struct credential *c,
                                 const uint8_t key[32], struct arena *a)
{
    struct buf b;
    uint8_t mac[32];

    init(&b);
    buf_addf(&b, ALGORITHM "\n" STR_FMT "\n" STR_FMT "/" STR_FMT "/" STR_FMT "/" TERMINATOR "\n",
             STR_ARG(c->amz_date), STR_ARG(c->date), STR_ARG(c->region), STR_ARG(c->service));
    add_hash(&b, canonical);
    hmac_sha256(bytes(key, 32), buf_str(&b), mac);
    buf_reset(&b);
    hex_add(&b, mac, sizeof(mac));
    return settle(&b, a);
}

/* --- signing
 * ------------------------------------------------------------------------------------------------
 */

/* Proxies and clients change or add these on the way. */
static bool may_sign(struct str name)
{
    static const char *const never[] = {"user-agent",        "expect",          "connection",
                                        "transfer-encoding", "x-amzn-trace-id", "authorization"};

    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        if (str_eq_nocase(name, str_from(never[i])))
            return false;
    return true;
}

static struct str lower(struct arena *a, struct str s)
{
    char *copy = arena_strz(a, s);

    for (size_t i = 0; i < s.n; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] - 'A' + 'a');
    return (struct str){copy, s.n};
}

static int compare_names(const void *a, const void *b)
{
    const struct str *x = a, *y = b;

    return str_cmp(*x, *y);
}

/* "content-type;host;x-amz-date" */
static struct str signed_names(const struct http_header *headers, size_t n, struct arena *a)
{
    struct str *names = arena_new(a, struct str, n + 1);
    struct buf b;
    size_t count = 0;

    init(&b);
    for (size_t i = 0; i < n; i++)
        if (may_sign(headers[i].name))
            names[count++] = lower(a, headers[i].name);
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && str_eq(names[i], names[i - 1]))
            continue;
        if (i > 0)
            buf_add_c(&b, ';');
        buf_add_str(&b, names[i]);
    }
    return settle(&b, a);
}

static struct str format_date(int64_t t_ns, struct arena *a)
{
    struct civil c = time_civil(t_ns);

    return arena_printf(a, "%04d%02d%02dT%02d%02d%02dZ", c.year, c.month, c.day, c.hour, c.minute,
                        c.second);
}

struct sigv4_headers sigv4_sign(const struct sigv4_request *q, const struct sigv4_scope *scope,
                                const struct sigv4_keys *keys, struct arena *a)
{
    enum { ADDED = 3 };
    struct http_header *rows = arena_new(a, struct http_header, q->n_headers + ADDED);
    struct sigv4_request full = *q;
    struct credential c = {.region = scope->region, .service = scope->service};
    uint8_t key[32];
    size_t n = q->n_headers;

    if (n > 0)
        memcpy(rows, q->headers, n * sizeof(*rows));
    c.amz_date = format_date(scope->time_ns, a);
    c.date = str_sub(c.amz_date, 0, 8);
    rows[n++] = (struct http_header){STR("X-Amz-Date"), c.amz_date};
    if (keys->session_token.n > 0)
        rows[n++] = (struct http_header){STR("X-Amz-Security-Token"), keys->session_token};
    full.headers = rows;
    full.n_headers = n;
    struct str names = signed_names(rows, n, a);
    sigv4_derive(keys->secret_key, c.date, scope, key);
    struct str signature = sign_canonical(sigv4_canonical(&full, names, a), &c, key, a);
    rows[n++] = (struct http_header){
        STR("Authorization"),
        arena_printf(a,
                     ALGORITHM " Credential=" STR_FMT "/" STR_FMT "/" STR_FMT "/" STR_FMT
                               "/" TERMINATOR ", SignedHeaders=" STR_FMT ", Signature=" STR_FMT,
                     STR_ARG(keys->access_key), STR_ARG(c.date), STR_ARG(c.region),
                     STR_ARG(c.service), STR_ARG(names), STR_ARG(signature))};
    return (struct sigv4_headers){rows, n};
}

/* --- verifying
 * ----------------------------------------------------------------------------------------------
 */

static struct str header_value(const struct http_header *headers, size_t n, const char *name)
{
    struct http_response r = {.headers = headers, .n_headers = n};

    return http_header_get(&r, name);
}

/* "20260901T100000Z" */
static bool parse_date(struct str s, int64_t *t_ns)
{
    char text[] = "YYYY-MM-DDThh:mm:ssZ";
    static const unsigned char from[] = {0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14};
    static const unsigned char to[] = {0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18};

    if (s.n != 16 || s.p[8] != 'T' || s.p[15] != 'Z')
        return false;
    for (size_t i = 0; i < sizeof(from); i++)
        text[to[i]] = s.p[from[i]];
    return time_parse(str_from(text), t_ns);
}

static bool read_credential(struct str credential, struct sigv4_claim *c)
{
    /* A key id may hold slashes in theory: the scope is counted from the end. */
    struct str rest = credential;
    struct str parts[5];

    for (size_t i = 5; i-- > 1;) {
        size_t slash = str_rfind_char(rest, '/');
        if (slash == rest.n)
            return false;
        parts[i] = str_skip(rest, slash + 1);
        rest = str_sub(rest, 0, slash);
    }
    c->access_key = rest;
    c->date = parts[1];
    c->region = parts[2];
    c->service = parts[3];
    return rest.n > 0 && c->date.n == 8 && str_eq(parts[4], STR(TERMINATOR));
}

static bool read_fields(struct str text, struct sigv4_claim *c)
{
    struct str credential = {0};

    while (text.n > 0) {
        struct str value = str_trim(str_cut(&text, ','));
        struct str name = str_cut(&value, '=');
        if (str_eq(name, STR("Credential")))
            credential = value;
        else if (str_eq(name, STR("SignedHeaders")))
            c->signed_headers = value;
        else if (str_eq(name, STR("Signature")))
            c->signature = value;
    }
    return read_credential(credential, c) && c->signed_headers.n > 0 && c->signature.n == 64;
}

enum status sigv4_claim_read(const struct http_header *headers, size_t n, struct sigv4_claim *out,
                             struct err *e)
{
    struct str text = header_value(headers, n, "Authorization");
    struct sigv4_claim c = {.amz_date = header_value(headers, n, "X-Amz-Date"),
                            .session_token = header_value(headers, n, "X-Amz-Security-Token")};

    if (text.n == 0)
        return err_set(e, ERR_NOT_FOUND, "the request is not signed");
    if (!str_starts(text, STR(ALGORITHM " ")) ||
        !read_fields(str_skip(text, sizeof(ALGORITHM)), &c))
        return err_set(e, ERR_PARSE, "the Authorization header is no " ALGORITHM " signature");
    if (!parse_date(c.amz_date, &c.time_ns) || !str_starts(c.amz_date, c.date))
        return err_set(e, ERR_PARSE, "X-Amz-Date is missing or not of the credential's day");
    *out = c;
    return OK;
}

static bool is_signed(struct str signed_headers, struct str name)
{
    for (struct str rest = signed_headers; rest.n > 0;)
        if (str_eq_nocase(str_cut(&rest, ';'), name))
            return true;
    return false;
}

/* What decides about the request must be under the signature. */
static enum status check_signed(const struct sigv4_request *q, const struct sigv4_claim *c,
                                struct err *e)
{
    if (!is_signed(c->signed_headers, STR("host")))
        return err_set(e, ERR_AUTH, "'Host' must be a signed header");
    for (size_t i = 0; i < q->n_headers; i++) {
        struct str name = q->headers[i].name;
        if (str_eq_nocase(str_sub(name, 0, 6), STR("x-amz-")) &&
            !is_signed(c->signed_headers, name))
            return err_set(e, ERR_AUTH, "'" STR_FMT "' must be a signed header", STR_ARG(name));
    }
    return OK;
}

static enum status check_time(const struct sigv4_claim *c, int64_t now_ns, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};

    if (c->time_ns < now_ns - SIGV4_TOLERANCE_NS)
        return err_set(e, ERR_AUTH, "Signature expired: " STR_FMT " is now earlier than " STR_FMT,
                       STR_ARG(c->amz_date), STR_ARG(format_date(now_ns - SIGV4_TOLERANCE_NS, &a)));
    if (c->time_ns > now_ns + SIGV4_TOLERANCE_NS)
        return err_set(e, ERR_AUTH,
                       "Signature not yet current: " STR_FMT " is still later than " STR_FMT,
                       STR_ARG(c->amz_date), STR_ARG(format_date(now_ns + SIGV4_TOLERANCE_NS, &a)));
    return OK;
}

enum status sigv4_verify(const struct sigv4_request *q, const struct sigv4_claim *c,
                         const uint8_t key[32], int64_t now_ns, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct credential credential = {c->date, c->region, c->service, c->amz_date};
    enum status s = check_signed(q, c, e);

    if (s == OK)
        s = check_time(c, now_ns, e);
    if (s != OK)
        return s;
    struct str canonical = sigv4_canonical(q, c->signed_headers, &a);
    struct str want = sign_canonical(canonical, &credential, key, &a);
    if (!crypto_eq(want, c->signature))
        return err_set(e, ERR_AUTH,
                       "The request signature we calculated does not match the signature you "
                       "provided.");
    return OK;
}

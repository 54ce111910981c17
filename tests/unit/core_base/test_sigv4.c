/* Signature Version 4 against AWS's own vectors and requests signed by a real SDK; the verifier
 * against requests that were changed on the way. */
#include "tests/test.h"

#include <stdlib.h>

#include "core/base/crypto.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/sigv4.h"
#include "core/base/timefmt.h"

#define DATA TESTS_DIR "/data/aws/sigv4/"

static struct str member(const struct json *o, const char *key)
{
    struct str s = {0};
    bool is_text = json_str(json_get(o, key), &s);

    UNUSED(is_text);
    return s;
}

/* A request text as the suite writes it: "GET /path HTTP/1.1\nName:value\n...\n\nbody". */
static struct sigv4_request parse_request(struct str text, struct arena *a)
{
    struct sigv4_request q = {0};
    struct http_header *headers = arena_new(a, struct http_header, 16);
    struct str line = str_cut(&text, '\n');

    q.method = str_cut(&line, ' ');
    q.query = str_sub(line, 0, str_rfind_char(line, ' '));
    q.path = str_cut(&q.query, '?');
    while (text.n > 0) {
        struct str value = str_cut(&text, '\n');
        if (value.n == 0)
            break;
        while (text.n > 0 && text.p[0] == ' ') { /* a value over several lines */
            struct str more = str_cut(&text, '\n');
            value.n = (size_t)(more.p + more.n - value.p);
        }
        struct str name = str_cut(&value, ':');
        headers[q.n_headers++] = (struct http_header){name, value};
    }
    q.headers = headers;
    q.body = text;
    return q;
}

static struct str header(const struct sigv4_headers *h, const char *name)
{
    struct http_response r = {.headers = h->rows, .n_headers = h->n};

    return http_header_get(&r, name);
}

static struct str signed_part(struct str authorization, const char *name)
{
    struct str rest = str_skip(authorization, str_find(authorization, str_from(name)));

    return str_cut(&(struct str){str_skip(rest, strlen(name)).p, str_skip(rest, strlen(name)).n},
                   ',');
}

static void sign_suite_case(const struct json *c, struct arena *a)
{
    const struct json *context = json_get(c, "context"), *k = json_get(context, "credentials");
    struct sigv4_request q = parse_request(member(c, "request"), a);
    struct sigv4_scope scope = {member(context, "region"), member(context, "service"), 0};
    struct sigv4_keys keys = {member(k, "access_key_id"), member(k, "secret_access_key"),
                              member(k, "token")};
    bool is_normal = false, signs_body = false, omits_token = false;

    CHECK(time_parse(member(context, "timestamp"), &scope.time_ns));
    CHECK(json_bool(json_get(context, "normalize"), &is_normal));
    CHECK(json_bool(json_get(context, "sign_body"), &signs_body));
    q.is_raw_path = !is_normal;
    if (json_bool(json_get(context, "omit_session_token"), &omits_token) && omits_token)
        keys.session_token = (struct str){0}; /* the caller adds it behind the signature */
    if (signs_body) {
        struct buf hex = {.max = 64};
        uint8_t hash[32];
        sha256(q.body, hash);
        hex_add(&hex, hash, sizeof(hash));
        struct http_header *rows = arena_new(a, struct http_header, q.n_headers + 1);
        memcpy(rows, q.headers, q.n_headers * sizeof(*rows));
        rows[q.n_headers++] =
            (struct http_header){STR("x-amz-content-sha256"), arena_str(a, buf_str(&hex))};
        q.headers = rows;
        buf_clear(&hex);
    }
    struct sigv4_headers out = sigv4_sign(&q, &scope, &keys, a);
    struct str authorization = header(&out, "authorization");
    struct sigv4_request full = q;
    full.headers = out.rows;
    full.n_headers = out.n;
    print_message("%.*s\n", STR_ARG(member(c, "name")));
    CHECK_STR(sigv4_canonical(&full, signed_part(authorization, "SignedHeaders="), a),
              member(c, "header_canonical_request"));
    CHECK_STR(signed_part(authorization, "Signature="), member(c, "header_signature"));
}

static void sign_real_request(const struct json *c, struct arena *a)
{
    struct http_header headers[8] = {{STR("Host"), member(c, "host")}};
    size_t n = 1, it = 0;
    struct str name;
    const struct json *value;
    struct sigv4_scope scope = {member(c, "region"), member(c, "service"), 0};
    struct sigv4_keys keys = {member(c, "access_key"), member(c, "secret_key"),
                              member(c, "session_token")};

    CHECK(time_parse(STR("2026-09-01T10:00:00Z"), &scope.time_ns));
    while (json_each(json_get(c, "headers"), &it, &name, &value)) {
        headers[n].name = name;
        CHECK(json_str(value, &headers[n++].value));
    }
    struct sigv4_request q = {.method = member(c, "method"),
                              .path = member(c, "path_as_sent"),
                              .query = member(c, "query_as_sent"),
                              .headers = headers,
                              .n_headers = n,
                              .body = member(c, "body")};
    struct sigv4_headers out = sigv4_sign(&q, &scope, &keys, a);
    print_message("%.*s\n", STR_ARG(member(c, "name")));
    CHECK_STR(header(&out, "X-Amz-Date"), member(c, "amz_date"));
    CHECK_STR(header(&out, "Authorization"), member(c, "authorization"));
}

static size_t each_line(const char *path, void (*fn)(const struct json *, struct arena *))
{
    struct err e = {0};
    struct buf text = {.max = 1 << 20};
    size_t n = 0;

    CHECK_OK(file_read(path, &text, &e), &e);
    for (struct str rest = buf_str(&text); rest.n > 0; n++) {
        struct arena a = {0};
        struct json_doc *d = NULL;
        CHECK_OK(json_parse(str_cut(&rest, '\n'), &d, &e), &e);
        fn(json_root(d), &a);
        json_doc_free(d);
        arena_clear(&a);
    }
    buf_clear(&text);
    return n;
}

static void test_suite(void **state)
{
    UNUSED(state);
    CHECK_INT(each_line(DATA "aws-signing-test-suite.ndjson", sign_suite_case), 38);
}

static void test_real_requests(void **state)
{
    UNUSED(state);
    CHECK_INT(each_line(DATA "realistic-requests.ndjson", sign_real_request), 6);
}

/* --- verifier
 * ----------------------------------------------------------------------------------------------
 */

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define NOW_NS (INT64_C(1788256800) * NS_PER_SEC) /* 2026-09-01T10:00:00Z */

struct case_of_verify {
    struct arena a;
    struct sigv4_request q;
    struct http_header *headers;
    int64_t now_ns;
};

static void make(struct case_of_verify *c)
{
    static const struct http_header headers[] = {
        {STR_INIT("host"), STR_INIT("127.0.0.1:9001")},
        {STR_INIT("Content-Type"), STR_INIT("application/x-amz-json-1.1")},
        {STR_INIT("X-Amz-Target"), STR_INIT("Logs_20140328.FilterLogEvents")},
    };
    struct sigv4_keys keys = {STR("AKID"), STR(SECRET), STR("token/==")};
    struct sigv4_scope scope = {STR("eu-west-1"), STR("logs"), NOW_NS};

    *c = (struct case_of_verify){.now_ns = NOW_NS};
    c->q = (struct sigv4_request){.method = STR("POST"),
                                  .path = STR("/fn:$LATEST/x"),
                                  .query = STR("b=2&a=%2F"),
                                  .headers = headers,
                                  .n_headers = 3,
                                  .body = STR("{}")};
    struct sigv4_headers out = sigv4_sign(&c->q, &scope, &keys, &c->a);
    c->headers = out.rows;
    c->q.headers = out.rows;
    c->q.n_headers = out.n;
}

static enum status verify(struct case_of_verify *c, struct err *e)
{
    struct sigv4_claim claim;
    uint8_t key[32];
    enum status s = sigv4_claim_read(c->q.headers, c->q.n_headers, &claim, e);

    if (s == OK) {
        CHECK_STR(claim.access_key, STR("AKID"));
        CHECK_STR(claim.session_token, STR("token/=="));
        struct sigv4_scope scope = {claim.region, claim.service, 0};
        sigv4_derive(STR(SECRET), claim.date, &scope, key);
        s = sigv4_verify(&c->q, &claim, key, c->now_ns, e);
    }
    arena_clear(&c->a);
    return s;
}

static void test_verify_accepts(void **state)
{
    struct case_of_verify c;
    struct err e = {0};

    UNUSED(state);
    make(&c);
    CHECK_OK(verify(&c, &e), &e);
    make(&c);
    c.q.query = STR("a=/&b=2"); /* another spelling of the same */
    CHECK_OK(verify(&c, &e), &e);
    make(&c);
    c.now_ns += 299 * NS_PER_SEC;
    CHECK_OK(verify(&c, &e), &e);
}

static void change_body(struct case_of_verify *c)
{
    c->q.body = STR("{ }");
}
static void change_path(struct case_of_verify *c)
{
    c->q.path = STR("/fn:$LATEST/y");
}
static void change_query(struct case_of_verify *c)
{
    c->q.query = STR("b=3&a=%2F");
}
static void change_method(struct case_of_verify *c)
{
    c->q.method = STR("GET");
}
static void change_target(struct case_of_verify *c)
{
    c->headers[2].value = STR("Logs_20140328.DeleteLogGroup");
}
static void change_date(struct case_of_verify *c)
{
    c->headers[3].value = STR("20260901T100001Z");
}
static void wait_long(struct case_of_verify *c)
{
    c->now_ns += 301 * NS_PER_SEC;
}
static void go_back(struct case_of_verify *c)
{
    c->now_ns -= 301 * NS_PER_SEC;
}
static void add_unsigned(struct case_of_verify *c)
{
    c->headers[1].name = STR("x-amz-extra");
}

static void test_verify_refuses(void **state)
{
    static const struct {
        void (*change)(struct case_of_verify *);
        const char *says;
    } rows[] = {
        {change_body, "does not match"},           {change_path, "does not match"},
        {change_query, "does not match"},          {change_method, "does not match"},
        {change_target, "does not match"},         {change_date, "does not match"},
        {wait_long, "Signature expired"},          {go_back, "not yet current"},
        {add_unsigned, "must be a signed header"},
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct case_of_verify c;
        struct err e = {0};
        make(&c);
        rows[i].change(&c);
        CHECK_STATUS(verify(&c, &e), ERR_AUTH);
        CHECK(strstr(e.msg, rows[i].says) != NULL);
    }
}

static void test_claim_refuses(void **state)
{
    static const char *const texts[] = {
        "Bearer x",
        "AWS4-HMAC-SHA256 ",
        "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=A/20260901/r/s/aws4_request, SignedHeaders=host, Signature=00",
        "AWS4-HMAC-SHA256 Credential=/20260901/r/s/aws4_request, SignedHeaders=host, "
        "Signature=0000000000000000000000000000000000000000000000000000000000000000",
        "AWS4-HMAC-SHA256 Credential=A/20260831/r/s/aws4_request, SignedHeaders=host, "
        "Signature=0000000000000000000000000000000000000000000000000000000000000000",
    };

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct http_header h[] = {{STR("Authorization"), str_from(texts[i])},
                                  {STR("X-Amz-Date"), STR("20260901T100000Z")}};
        struct sigv4_claim claim;
        CHECK_STATUS(sigv4_claim_read(h, 2, &claim, NULL), ERR_PARSE);
        CHECK_STATUS(sigv4_claim_read(h + 1, 1, &claim, NULL), ERR_NOT_FOUND);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_suite),          cmocka_unit_test(test_real_requests),
    cmocka_unit_test(test_verify_accepts), cmocka_unit_test(test_verify_refuses),
    cmocka_unit_test(test_claim_refuses),
};
TEST_MAIN(tests)

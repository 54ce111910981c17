/* HTTP through libcurl's easy interface: one handle a struct http, kept for its connections. Bodies
 * grow in a bounded buffer while they come and are copied to the caller's arena at the end. */
#include "core/base/http.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/curl_api.h"
#include "core/base/macros.h"
#include "core/base/mem.h"

#define DEFAULT_TIMEOUT_NS (30 * NS_PER_SEC)
#define CONNECT_TIMEOUT_NS (5 * NS_PER_SEC)
#define HEADERS_MAX_BYTES  ((size_t)64 << 10)
#define DEFAULT_MAX_BYTES  ((size_t)16 << 20)
#define KEPT_BYTES         ((size_t)1 << 20) /* body memory kept from one answer to the next */

struct client {
    struct curl_api api;
    CURL *curl; /* NULL: there is no libcurl, and why says so */
    struct err why;
    const atomic_bool *stop;
    struct buf body, headers; /* header lines, each ended by LF */
    char message[CURL_ERROR_SIZE];
};

/* --- what curl calls
 * ----------------------------------------------------------------------------------------
 */

static size_t on_body(const char *p, size_t size, size_t n, void *ctx)
{
    struct client *c = ctx;
    struct str piece = {p, size * n};

    buf_add_str(&c->body, piece);
    return c->body.is_full ? 0 : size * n; /* 0 ends the transfer */
}

/* An answer may be preceded by 100 Continue or a proxy's own: only the last headers count. */
static size_t on_header(const char *p, size_t size, size_t n, void *ctx)
{
    struct client *c = ctx;
    struct str line = {p, size * n};

    if (str_starts(line, STR("HTTP/")))
        buf_reset(&c->headers);
    buf_add_str(&c->headers, str_trim(line));
    buf_add_c(&c->headers, '\n');
    return c->headers.is_full ? 0 : line.n;
}

static int on_progress(void *ctx, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
                       curl_off_t ulnow)
{
    const struct client *c = ctx;

    UNUSED(dltotal);
    UNUSED(dlnow);
    UNUSED(ultotal);
    UNUSED(ulnow);
    return c->stop != NULL && atomic_load(c->stop);
}

/* --- the request
 * --------------------------------------------------------------------------------------------
 */

static long milliseconds(int64_t ns, int64_t standard_ns)
{
    return (long)((ns > 0 ? ns : standard_ns) / NS_PER_MS);
}

/* "Name: value"; curl wants "Name;" for an empty value. */
static struct curl_slist *header_list(const struct curl_api *api, const struct http_request *q,
                                      struct arena *a)
{
    /* No waiting for 100 Continue: it costs a round trip, and some servers never answer it. */
    struct curl_slist *list = api->slist_append(NULL, "Expect:");

    for (size_t i = 0; i < q->n_headers; i++) {
        const struct http_header *h = &q->headers[i];
        struct str line = h->value.n > 0 ? arena_printf(a, STR_FMT ": " STR_FMT, STR_ARG(h->name),
                                                        STR_ARG(h->value))
                                         : arena_printf(a, STR_FMT ";", STR_ARG(h->name));
        list = api->slist_append(list, line.p);
    }
    return list;
}

static bool has_line_break(struct str s)
{
    return s.n > 0 && (memchr(s.p, '\n', s.n) || memchr(s.p, '\r', s.n) || memchr(s.p, 0, s.n));
}

/* A line end in a header would be a second header: nobody's data may do that. */
static enum status check_request(const struct http_request *q, struct err *e)
{
    if (has_line_break(q->url) || has_line_break(q->method))
        return err_set(e, ERR_CONFIG, "a URL with a line end");
    if (!str_starts(q->url, STR("http://")) && !str_starts(q->url, STR("https://")))
        return err_set(e, ERR_CONFIG, "no http or https URL: " STR_FMT, STR_ARG(q->url));
    for (size_t i = 0; i < q->n_headers; i++)
        if (has_line_break(q->headers[i].name) || has_line_break(q->headers[i].value))
            return err_set(e, ERR_CONFIG, "header " STR_FMT " with a line end",
                           STR_ARG(q->headers[i].name));
    return OK;
}

static void set_body(struct client *c, const struct http_request *q, const char *method)
{
    bool has_body = q->body.n > 0 || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
                    strcmp(method, "PATCH") == 0;
    CURL *h = c->curl;

    if (strcmp(method, "HEAD") == 0)
        c->api.setopt(h, CURLOPT_NOBODY, 1L);
    if (has_body) {
        c->api.setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n);
        c->api.setopt(h, CURLOPT_POSTFIELDS, q->body.p ? q->body.p : "");
    }
    c->api.setopt(h, CURLOPT_CUSTOMREQUEST, method);
}

static void set_up(struct client *c, const struct http_request *q, struct arena *a)
{
    CURL *h = c->curl;

    c->api.reset(h); /* keeps connections */
    c->api.setopt(h, CURLOPT_URL, arena_strz(a, q->url));
    set_body(c, q, arena_strz(a, q->method));
    c->api.setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
    c->api.setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
    c->api.setopt(h, CURLOPT_PATH_AS_IS, 1L); /* what is signed is what is sent */
    c->api.setopt(h, CURLOPT_NOSIGNAL, 1L);
    c->api.setopt(h, CURLOPT_ACCEPT_ENCODING, "gzip");
    c->api.setopt(h, CURLOPT_TIMEOUT_MS, milliseconds(q->timeout_ns, DEFAULT_TIMEOUT_NS));
    c->api.setopt(h, CURLOPT_CONNECTTIMEOUT_MS,
                  milliseconds(q->connect_timeout_ns, CONNECT_TIMEOUT_NS));
    c->api.setopt(h, CURLOPT_NOPROGRESS, 0L);
    c->api.setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
    c->api.setopt(h, CURLOPT_XFERINFODATA, c);
    c->api.setopt(h, CURLOPT_WRITEFUNCTION, on_body);
    c->api.setopt(h, CURLOPT_WRITEDATA, c);
    c->api.setopt(h, CURLOPT_HEADERFUNCTION, on_header);
    c->api.setopt(h, CURLOPT_HEADERDATA, c);
    c->api.setopt(h, CURLOPT_ERRORBUFFER, c->message);
    if (q->is_direct)
        c->api.setopt(h, CURLOPT_NOPROXY, "*");
}

/* --- the answer
 * ---------------------------------------------------------------------------------------------
 */

static size_t count_lines(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '\n';
    return n;
}

static void parse_headers(struct str text, struct arena *a, struct http_response *out)
{
    struct http_header *headers = arena_new(a, struct http_header, count_lines(text) + 1);
    size_t n = 0;

    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        size_t colon = str_find_char(line, ':');
        if (colon < line.n)
            headers[n++] =
                (struct http_header){str_sub(line, 0, colon), str_trim(str_skip(line, colon + 1))};
    }
    out->headers = headers;
    out->n_headers = n;
}

static void take_answer(struct client *c, struct arena *a, struct http_response *out)
{
    long status = 0;

    c->api.getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    *out = (struct http_response){
        .status = (int)status, .body = arena_str(a, buf_str(&c->body)), .was_sent = true};
    parse_headers(arena_str(a, buf_str(&c->headers)), a, out);
}

static enum status status_of(CURLcode code)
{
    static const struct {
        CURLcode code;
        enum status status;
    } rows[] = {
        {CURLE_URL_MALFORMAT, ERR_CONFIG},       {CURLE_PEER_FAILED_VERIFICATION, ERR_CONFIG},
        {CURLE_SSL_CACERT_BADFILE, ERR_CONFIG},  {CURLE_ABORTED_BY_CALLBACK, ERR_CANCELLED},
        {CURLE_BAD_CONTENT_ENCODING, ERR_PARSE}, {CURLE_OUT_OF_MEMORY, ERR_LIMIT},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].code == code)
            return rows[i].status;
    return ERR_AGAIN;
}

static enum status fail(const struct client *c, CURLcode code, struct err *e)
{
    if (c->body.is_full)
        return err_set(e, ERR_LIMIT, "an answer larger than %zu bytes", c->body.max);
    if (c->headers.is_full)
        return err_set(e, ERR_LIMIT, "answer headers larger than %zu bytes", c->headers.max);
    if (code == CURLE_ABORTED_BY_CALLBACK)
        return err_set(e, ERR_CANCELLED, "stopped");
    return err_set(e, status_of(code), "%s", c->message[0] ? c->message : c->api.strerror(code));
}

static void prepare_buffers(struct client *c, const struct http_request *q)
{
    if (c->body.cap > KEPT_BYTES)
        buf_clear(&c->body);
    buf_reset(&c->body);
    buf_reset(&c->headers);
    c->body.max = q->max_bytes > 0 ? q->max_bytes : DEFAULT_MAX_BYTES;
    c->message[0] = '\0';
}

static enum status curl_send(void *ctx, const struct http_request *q, struct arena *a,
                             struct http_response *out, struct err *e)
{
    struct client *c = ctx;
    enum status s = check_request(q, e);

    out->was_sent = false;
    if (s != OK)
        return s;
    if (c->curl == NULL)
        return err_set(e, c->why.code, "%s", c->why.msg);
    if (c->stop != NULL && atomic_load(c->stop))
        return err_set(e, ERR_CANCELLED, "stopped");
    prepare_buffers(c, q);
    set_up(c, q, a);
    struct curl_slist *headers = header_list(&c->api, q, a);
    c->api.setopt(c->curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = c->api.perform(c->curl);
    c->api.slist_free_all(headers);
    if (code != CURLE_OK) {
        long sent = 0;
        c->api.getinfo(c->curl, CURLINFO_REQUEST_SIZE, &sent);
        out->was_sent = sent > 0;
        return fail(c, code, e);
    }
    take_answer(c, a, out);
    return OK;
}

static void curl_close(void *ctx)
{
    struct client *c = ctx;

    if (c->curl != NULL)
        c->api.cleanup(c->curl);
    buf_clear(&c->body);
    buf_clear(&c->headers);
    free(c);
}

struct http http_curl(const atomic_bool *stop)
{
    struct client *c = xcalloc(1, sizeof(*c));

    if (curl_api_load(&c->api, &c->why) == OK) {
        c->curl = c->api.init();
        if (c->curl == NULL)
            abort(); /* out of memory, as everywhere */
    }
    c->stop = stop;
    buf_init(&c->body, DEFAULT_MAX_BYTES);
    buf_init(&c->headers, HEADERS_MAX_BYTES);
    return (struct http){.send = curl_send, .close = curl_close, .ctx = c};
}

/* --- for every kind
 * ----------------------------------------------------------------------------------------
 */

enum status http_send(const struct http *h, const struct http_request *q, struct arena *a,
                      struct http_response *out, struct err *e)
{
    return h->send(h->ctx, q, a, out, e);
}

void http_close(struct http *h)
{
    if (h->close != NULL)
        h->close(h->ctx);
    *h = (struct http){0};
}

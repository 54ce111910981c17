/* The HTTP client: the only way out of the process. A `struct http` is chosen at construction, like
 * a clock: http_curl() talks to the network, a test twin answers from memory.
 *
 *     struct http h = http_curl(&stop);
 *     struct http_request q = {.method = STR("GET"), .url = STR("http://127.0.0.1:9001/")};
 *     struct http_response r;
 *     if (http_send(&h, &q, &arena, &r, e) != OK)
 *         return err_wrap(e, "GET %s", ...);
 *     if (r.status == 200) ... r.body ...
 *     http_close(&h);
 *
 * OK means that an answer came (of a failure only was_sent is set), whatever its status code.
 * Headers and body are views into the arena. Redirects are not followed: a signed request must not
 * wander. Connections are kept and used again. gzip is asked for and undone here; max_bytes bounds
 * the plain body, so a decompression bomb ends as ERR_LIMIT after that many bytes. Proxies come
 * from the environment (http_proxy, HTTPS_PROXY, NO_PROXY) unless is_direct. A set stop flag ends a
 * transfer within a second.
 *
 * Errors: ERR_AGAIN connection, time-out, cut answer or no HTTP; ERR_LIMIT larger than max_bytes or
 * headers over 64 KB; ERR_PARSE damaged compression; ERR_CONFIG a URL, header or certificate that
 * will not do; ERR_CANCELLED the stop flag; ERR_IO libcurl cannot be loaded. One thread uses one
 * struct http. */
#ifndef FNSCOPE_CORE_BASE_HTTP_H
#define FNSCOPE_CORE_BASE_HTTP_H

#include <stdatomic.h>

#include "core/base/arena.h"
#include "core/base/buf.h"

struct http_header {
    struct str name, value;
};

struct http_request {
    struct str method; /* "GET", "POST", "PUT", ... */
    struct str url;    /* sent as it is: the caller encodes */
    const struct http_header *headers;
    size_t n_headers;
    struct str body;
    int64_t timeout_ns;         /* of the whole exchange; 0: 30 s */
    int64_t connect_timeout_ns; /* 0: 5 s */
    size_t max_bytes;           /* of the plain body; 0: 16 MB */
    bool is_direct;             /* no proxy: addresses of this machine or link */
};

struct http_response {
    int status;
    const struct http_header *headers; /* names as sent, values trimmed */
    size_t n_headers;
    struct str body;
    bool was_sent; /* of a failure too: something of the request left for the server or a proxy */
};

struct http {
    enum status (*send)(void *ctx, const struct http_request *q, struct arena *a,
                        struct http_response *out, struct err *e);
    void (*close)(void *ctx); /* NULL: nothing to free */
    void *ctx;
};

struct http http_curl(const atomic_bool *stop); /* stop may be NULL */
MUST_CHECK enum status http_send(const struct http *h, const struct http_request *q,
                                 struct arena *a, struct http_response *out, struct err *e);
void http_close(struct http *h);

/* Value of the first header of that name, case ignored; empty when there is none. */
struct str http_header_get(const struct http_response *r, const char *name);

#endif

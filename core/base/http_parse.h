/* HTTP/1.1 requests out of bytes (RFC 9112): pure, strict, for core/base/http_server.c.
 *
 * Lines end in CRLF, nothing else does. A head is judged as a whole once it is there, so that no
 * two readings of it exist: names are tokens up to their colon, values hold no control characters,
 * a target begins with "/" or with "http://", a host and "/": then that host stands in for Host's
 * value, and the target is the rest. What a head says about its body is judged by
 * http_framing_of(): where a request ends must be beyond doubt. A chunked body is followed by
 * struct http_chunks as its bytes arrive, whatever way they are cut. */
#ifndef FNSCOPE_CORE_BASE_HTTP_PARSE_H
#define FNSCOPE_CORE_BASE_HTTP_PARSE_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/http.h"

#define HTTP_HEADERS_MAX 128

struct http_head {
    struct str method, target, version;
    struct str authority;        /* of an absolute target; empty: none */
    struct http_header *headers; /* in order; values trimmed */
    size_t n_headers;
};

/* Length of the head with the empty line behind it; 0 when that has not arrived. `from`: bytes
 * looked at before. */
size_t http_head_length(struct str in, size_t from);
/* Reads a head that is whole; views into `text`. 0, or the status it is refused with. */
unsigned http_head_parse(struct str text, struct arena *a, struct http_head *out);
/* Lines of headers up to an empty line or the end: the head's, or trailers. */
unsigned http_headers_parse(struct str text, struct arena *a, struct http_header **out, size_t *n);

/* NULL when there is none of that name (any case). */
const struct http_header *http_header_find(const struct http_header *items, size_t n,
                                           struct str name);
/* A list of words such as Connection's holds `word` (any case). */
bool http_list_has(struct str list, struct str word);
bool http_is_token(struct str s);
bool http_is_value(struct str s); /* may stand behind a colon */

struct http_framing {
    bool is_chunked;
    uint64_t length; /* else */
};
/* 0, or the status: 400 for a body whose end is in doubt, 413 for one over `most` bytes. */
unsigned http_framing_of(const struct http_head *h, size_t most, struct http_framing *out);

/* --- chunked bodies --- */

enum http_chunk_state { CHUNK_SIZE, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER, CHUNK_DONE };

struct http_chunks {
    enum http_chunk_state state;
    unsigned status;     /* it is refused with; 0: all is well */
    uint64_t left;       /* of the data of the chunk under way */
    struct buf trailers; /* header lines; max bounds them */
};

/* Cuts what it can use off *in and appends the data to *body, which may become full: then the rest
 * is followed and dropped. Returns c->status; c->state says whether the body is done. */
unsigned http_chunks_take(struct http_chunks *c, struct str *in, struct buf *body);

#endif

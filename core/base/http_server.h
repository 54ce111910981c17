/* An HTTP/1.1 listener on the caller's event loop, without threads of its own.
 *
 * A request reaches the handler once, complete: head, body (at most limits.body_bytes) and
 * trailers; only who asks for it (`pieces`) is given a body as it arrives, of any length. The
 * handler answers with http_respond() now or later; meanwhile what the client sends
 * ahead is kept, up to a head's size, and handled after the answer. An answer given later leaves at
 * the end of the loop's turn, with those of other connections: who was waiting for them wakes up
 * once, and what the turn still has to do is not held up. A client that went away is
 * noticed when the answer is written, not before. The request lives until the end of the turn it
 * was answered in; whoever keeps one gives it an abort function, which runs when the server stops
 * first.
 *
 * What is refused before any handler sees it: heads over limits.head_bytes or of more than
 * HTTP_HEADERS_MAX lines (431), bodies over limits.body_bytes (413), a request with
 * Transfer-Encoding and Content-Length, with two Content-Lengths or a coding other than chunked, a
 * target that is neither path nor http: URL, a line that ends in anything but CRLF, a name that is
 * no token, a value with control characters (400), another version (505), an address that is not
 * loopback without `authorize` (at start), and without it a Host that is no name of this machine
 * (421) or a page of another site (403). After a refusal the connection is closed. A client has
 * limits.timeout_s for a head, and as long between pieces of a body, of an answer, and between two
 * requests. When limits.connections are there, a further one takes the place of the one that has
 * been idle, or sending the same request, the longest, if for a second at least; else it waits in
 * the backlog. All bodies together hold limits.all_bodies_bytes at most; what goes beyond is
 * refused (503). */
#ifndef FNSCOPE_CORE_BASE_HTTP_SERVER_H
#define FNSCOPE_CORE_BASE_HTTP_SERVER_H

#include "core/base/arena.h"
#include "core/base/http.h"
#include "core/base/loop.h"

struct http_server;

/* A request that waits for its answer. */
struct http_call {
    struct arena arena;     /* for whoever handles it; freed with the request */
    struct str method;      /* as sent: GET, POST ... */
    struct str target;      /* with the query; what stood before the path is in Host */
    struct str path, query; /* parts of target, not decoded */
    struct str version;     /* HTTP/1.0, HTTP/1.1 */
    struct str body;
    struct http_header *headers; /* in order */
    size_t n_headers;
    struct http_header *trailers;
    size_t n_trailers;
    struct str peer; /* address of the client, without port */
    void *owner;     /* free for the handler */
};

struct http_reply {
    unsigned status;
    const struct http_header *headers; /* copied; Content-Length, Date, Connection are ours */
    size_t n_headers;
    struct str body; /* copied */
    bool close;      /* close the connection after it */
    bool at_once;    /* send it now: somebody works while the turn goes on */
};

/* Bodies that are not gathered, by config.pieces; `ctx` is the config's. */
struct http_pieces {
    /* Asked with the head of each request. True: its body comes in pieces, and the handler is
     * called at its end, with an empty body and the trailers. */
    bool (*wants)(void *ctx, const struct http_call *rq);
    void (*take)(void *ctx, struct http_call *rq, struct str piece);
    /* The body will never be whole: the client left, or broke the rules. rq is gone afterwards. */
    void (*cut)(void *ctx, struct http_call *rq);
};

/* What is told about an answer that leaves in pieces. Neither is called from inside a function of
 * this header. */
struct http_stream_events {
    void (*on_room)(struct http_call *rq); /* after http_stream_add() said false */
    void (*on_gone)(struct http_call *rq); /* nobody reads it any more; rq is gone afterwards */
};

typedef void http_handler(void *ctx, struct http_call *rq);
typedef void http_abort_fn(struct http_call *rq);

struct http_limits {
    size_t body_bytes;       /* 0: 1 MiB */
    size_t head_bytes;       /* 0: 64 KiB */
    size_t all_bodies_bytes; /* 0: 256 MiB */
    unsigned connections;    /* 0: 512 */
    unsigned timeout_s;      /* without progress; 0: none */
};

struct http_server_config {
    struct str address; /* "127.0.0.1", "::1", "0.0.0.0"; empty: 127.0.0.1 */
    uint16_t port;      /* 0: any free one */
    int listener;       /* of http_listen() with these two, taken over; 0: made here */
    struct http_limits limits;
    http_handler *handler;
    void *ctx;
    /* Without `authorize`: names clients may use beside those of this machine (http_origin.h);
     * they live as long as the server. */
    const struct str *hosts;
    size_t n_hosts;
    /* True when the request, of which there is only the head, may pass. Else it is answered with
     * *refusal, a bare 403 unless changed, whose views live as long as the call's arena. NULL:
     * everyone may, and only a loopback address is accepted. */
    bool (*authorize)(void *ctx, struct http_call *rq, struct http_reply *refusal);
    /* What a client is told whose head announces too large a body, or whose chunks have become
     * one: *refusal is a bare 413 unless changed. NULL: that. */
    void (*too_large)(void *ctx, struct http_call *rq, struct http_reply *refusal);
    const struct http_pieces *pieces; /* NULL: every body is gathered */
};

MUST_CHECK enum status http_server_start(struct loop *l, const struct http_server_config *config,
                                         struct http_server **out, struct err *e);
/* Requests not answered get their abort function, then 503. NULL is fine. */
void http_server_stop(struct http_server *s);
uint16_t http_server_port(const struct http_server *s);

/* Answers; rq is gone afterwards (soon: do not touch it). */
void http_respond(struct http_call *rq, const struct http_reply *reply);

/* An answer in pieces: in chunks, or to HTTP/1.0 until the connection closes.
 *
 *     http_stream_begin(rq, &head, &events);            head.body is empty
 *     if (!http_stream_add(rq, piece)) hold_the_source();   until on_room
 *     http_stream_end(rq, true);                        rq is gone
 *
 * What was added leaves at the end of the turn. False: HTTP_STREAM_BYTES or more wait for the
 * client; nothing is lost when more is added all the same. A client that takes nothing for
 * limits.timeout_s while something waits for it is gone. */
#define HTTP_STREAM_BYTES ((size_t)64 << 10)
void http_stream_begin(struct http_call *rq, const struct http_reply *head,
                       const struct http_stream_events *events);
bool http_stream_add(struct http_call *rq, struct str piece);
/* is_whole false: the client must see that the end is missing, so the connection closes without. */
void http_stream_end(struct http_call *rq, bool is_whole);

/* No more pieces of the request's body are taken until it is let go again; what its client sends
 * stays with it, but for a buffer. */
void http_hold(struct http_call *rq, bool is_held);

/* For a handler that answers later: called instead of being answered when the server stops. */
void http_on_abort(struct http_call *rq, http_abort_fn *fn);

/* The first header of that name (any case); false when there is none. */
bool http_header(const struct http_call *rq, const char *name, struct str *value);
bool http_trailer(const struct http_call *rq, const char *name, struct str *value);

#endif

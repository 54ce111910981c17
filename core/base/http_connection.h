/* Private to core/base/http_server.c, http_connection.c (life), http_steps.c (requests) and
 * http_answer.c (answers): what they share.
 *
 * Bytes are read into `in`, steps take requests out of it, answers gather in `out` and leave in one
 * write a round. A connection is watched for reading from its start to its end, also while its
 * request is being handled, so that a request costs the event loop nothing but the event: what
 * arrives early waits in `in`, and only when that is full the watch is changed.
 *
 * Requests and connections that ended are freed at the end of the turn (http_bury): those who just
 * answered may still hold them. */
#ifndef FNSCOPE_CORE_BASE_HTTP_CONNECTION_H
#define FNSCOPE_CORE_BASE_HTTP_CONNECTION_H

#include "core/base/http_listen.h"
#include "core/base/http_origin.h"
#include "core/base/http_parse.h"
#include "core/base/http_reply.h"
#include "core/base/http_server.h"

#define HTTP_SWEEP_NS   NS_PER_SEC
#define HTTP_READ_BYTES ((size_t)16 << 10)
#define HTTP_KEEP_BYTES ((size_t)32 << 10) /* a larger buffer is not kept */

enum phase {
    PHASE_HEAD,   /* a head, or its beginning, is awaited */
    PHASE_BODY,   /* the head is accepted */
    PHASE_ASKED,  /* the handler has the request */
    PHASE_STREAM, /* its answer leaves piece by piece */
    PHASE_LAST,   /* the last answer leaves; what arrives is dropped */
    PHASES
};

struct connection;

/* The public part first. */
struct request {
    struct http_call public;
    struct connection *connection;
    struct http_framing framing;
    struct http_chunks chunks;
    struct buf body;
    size_t held; /* of the server's bodies_bytes */
    http_abort_fn *on_abort;
    bool in_handler, is_answered;
    uint64_t taken; /* of the body */
    bool is_in_pieces, is_held;
    const struct http_stream_events *events; /* of an answer in pieces */
    enum http_extent extent;
    bool without_body, is_behind; /* is_behind: on_room is due */
    struct request *next;         /* among those that ended, or are spare */
};

struct connection {
    struct http_server *server;
    int fd; /* -1: ended */
    struct loop_watch *watch;
    unsigned interest;
    enum phase phase;
    struct buf in, out;
    size_t in_at, out_at; /* taken, written */
    size_t looked;        /* bytes behind in_at without the end of a head */
    struct request *request;
    struct loop_task again; /* writes later answers, goes on with what arrived early */
    enum http_keep keep;
    bool is_eof, is_shut;
    bool is_broken;      /* what is written is lost */
    int64_t deadline_ns; /* 0: none */
    int64_t since_ns;    /* when the last answer left, or it came: the longest wait gives way */
    char peer[HTTP_PEER_BYTES];
    struct connection *next, **back;
};

struct http_server {
    struct loop *loop;
    struct http_limits limits;
    http_handler *handler;
    void *ctx;
    bool (*authorize)(void *ctx, struct http_call *rq, struct http_reply *refusal);
    void (*too_large)(void *ctx, struct http_call *rq, struct http_reply *refusal);
    const struct http_pieces *pieces;
    struct http_names names; /* that clients may call it by; without authorize */
    int fd;
    uint16_t port;
    bool is_stopping, is_full, in_handler;
    struct loop_watch *watch;
    struct loop_timer sweep;
    struct loop_task burial;
    struct connection *first, *ended; /* connections */
    unsigned n_connections;
    size_t bodies_bytes; /* of all requests */
    struct request *ended_requests, *spare;
    size_t n_spare;
    int64_t date_s;
    char date[HTTP_DATE_BYTES];
};

static inline struct str connection_waiting(const struct connection *c)
{
    return str_skip(buf_str(&c->in), c->in_at);
}

static inline bool connection_is_drained(const struct connection *c)
{
    return c->out_at == c->out.n;
}

/* --- http_connection.c --- */

/* Takes fd over; a connection the loop cannot watch is closed at once. */
void connection_open(struct http_server *s, int fd, const struct sockaddr_storage *from);
/* Closes it; a request it has is gone as well. */
void connection_end(struct connection *c);
/* The abort function of the request that is being handled, then 503; sends what is to be sent. */
void connection_abort(struct connection *c);
/* Bytes that may wait in `in` before nothing more is read. */
size_t connection_in_limit(const struct http_server *s);
void connection_watch(struct connection *c, unsigned events);
void connection_set_deadline(struct connection *c, int64_t after_ns); /* 0: none */
void connection_expect_progress(struct connection *c);
/* Frees what ended. */
void http_bury(struct http_server *s);
/* Takes connections again after they were too many. */
void http_listen_again(struct http_server *s);
struct request *request_new(struct connection *c);
void request_end(struct request *r);
void request_free(struct request *r);

/* --- http_steps.c --- */

/* Takes out of `in` what can be taken, then settles. */
void connection_advance(struct connection *c);

/* --- http_answer.c --- */

void connection_add_reply(struct connection *c, const struct http_reply *reply);
/* The last answer of the connection; true, for steps: the phase has changed. */
bool connection_refuse(struct connection *c, struct http_reply reply);
/* The request is answered. */
void connection_next_request(struct connection *c);
void connection_write(struct connection *c);
/* Ends the round: what can be written is, and the watch fits what is awaited next. */
void connection_settle(struct connection *c);

#endif

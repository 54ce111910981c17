/* One AWS endpoint for all services: finds the operation a request asks for and calls its handler.
 * A handler is a function from data to data; it can be tested without sockets.
 *
 *   X-Amz-Target: AmazonSQS.SendMessage        awsJson 1.0 and 1.1  -> {"sqs", "SendMessage"}
 *   Action=ListQueues&Version=2012-11-05       Query, XML answer    -> {"sqs", "ListQueues"}
 *   POST /2015-03-31/functions/f/invocations   REST JSON            -> {"lambda", "Invoke"}
 *
 * Each service brings one table of operations:
 *
 *     const struct api_op sqs_operations[] = {
 *         {.name = "SendMessage", .handler = sqs_send_message},
 *         {.name = "ListQueues", .handler = sqs_list_queues}, {0}};
 *     const struct api_service sqs_service = {
 *         .name = "sqs", .target = "AmazonSQS", .query_version = "2012-11-05",
 *         .xml_namespace = "http://queue.amazonaws.com/doc/2012-11-05/",
 *         .json_namespace = "com.amazonaws.sqs#", .operations = sqs_operations};
 *
 * and one row in api_services[] (api_services.c). */
#ifndef FNSCOPE_EXECUTOR_API_ROUTE_H
#define FNSCOPE_EXECUTOR_API_ROUTE_H

#include "core/base/arena.h"
#include "core/base/http.h"
#include "core/base/json.h"
#include "executor/executor.h"

enum api_protocol { API_JSON_1_0, API_JSON_1_1, API_QUERY, API_REST };

struct api_call;
typedef void api_handler(struct api_call *c);
typedef void api_finish_fn(struct api_call *c);

/* How an answer leaves in pieces. */
struct api_stream_ops {
    void (*begin)(struct api_call *c);
    bool (*add)(struct api_call *c, struct str piece);
    void (*end)(struct api_call *c);
};

struct api_op {
    const char *name;
    api_handler *handler;
    /* REST: method and path with {Name} for one segment; {Name+} for the rest. */
    const char *method, *uri;
    unsigned status;   /* of success; 0: 200 */
    bool has_raw_body; /* the body is a payload, not JSON of ours */
    bool runs_early;   /* needs no file, or waits for them itself: see executor_ready() */
};

struct api_service {
    const char *name;          /* "lambda", "logs", "sqs", "monitoring", "xray" */
    const char *target;        /* X-Amz-Target prefix before the dot; NULL: none */
    const char *query_version; /* Version= of the Query protocol; NULL: none */
    const char *xml_namespace;
    const char *json_namespace; /* before the code in __type; NULL: none */
    const struct api_op *operations;
};

struct api_param {
    struct str name, value;
};

/* Why a request may not pass, found before it was looked at closely. code NULL: it may. */
struct api_refusal {
    unsigned status;
    const char *code, *query_code;
    char message[256];
};

/* A request being answered. Strings live in the arena, as long as the call. */
struct api_call {
    struct arena *arena;
    struct executor *x;
    const struct api_service *service;
    const struct api_op *op;
    enum api_protocol protocol;
    struct api_refusal refusal;
    struct str request_id;
    struct str method, path, query, body; /* as sent */
    const struct http_header *headers;
    size_t n_headers;
    struct str peer;
    const struct json *input;       /* JSON body; NULL when there is none (Query, raw bodies) */
    const struct api_param *params; /* Query: form fields in order, decoded; REST: path parts */
    size_t n_params;
    /* the answer */
    unsigned status;
    struct buf out; /* body: JSON, or for Query the inside of <OpResult> */
    struct http_header *out_headers;
    size_t n_out_headers, out_headers_cap;
    bool is_deferred, is_finished, is_error;
    bool at_once;             /* its answer does not wait for the end of the turn */
    bool is_answered_early;   /* for handlers whose engine may answer at once */
    bool is_raw;              /* REST: `out` goes out as it is, no JSON content type added */
    api_finish_fn *on_finish; /* sends it; set by whoever dispatched */
    void (*on_abort)(struct api_call *c); /* set with api_defer */
    const struct api_stream_ops *stream;  /* set by whoever dispatched */
    void (*on_room)(struct api_call *c);  /* set with api_stream_begin */
    void (*on_gone)(struct api_call *c);
    void *owner, *transport; /* handler's; dispatcher's */
    struct json_doc *doc;
};

/* --- for handlers --- */

struct str api_header(const struct api_call *c, const char *name); /* empty when absent */
struct str api_param(const struct api_call *c, const char *name);  /* path part or form field */
/* Query string parameter of a REST call; empty when absent. */
struct str api_query(const struct api_call *c, const char *name);
void api_add_header(struct api_call *c, const char *name, struct str value);

/* The handler will answer later: it returns now and calls api_finish() once. `on_abort` runs
 * instead when the executor stops first. */
void api_defer(struct api_call *c, void (*on_abort)(struct api_call *c));
void api_finish(struct api_call *c);

/* A deferred call may be answered in pieces instead: its status and headers, of a raw answer, leave
 * at once; it is gone after api_stream_end(). False: its client is behind, until on_room. on_gone:
 * it left, and the call is gone afterwards. (http_server.h, http_stream_begin.) */
void api_stream_begin(struct api_call *c, void (*on_room)(struct api_call *c),
                      void (*on_gone)(struct api_call *c));
bool api_stream_add(struct api_call *c, struct str piece);
void api_stream_end(struct api_call *c);

/* Turns the answer into an error in the caller's protocol. code: "ResourceNotFoundException";
 * for awsQueryCompatible services query_code is the old name ("AWS.SimpleQueueService...") or NULL.
 */
void api_error(struct api_call *c, unsigned status, const char *code, const char *query_code,
               const char *fmt, ...) PRINTF_LIKE(5, 6);
/* The same from a failed function of ours: ERR_NOT_FOUND 404, ERR_LIMIT 400, ERR_IO 500 ... */
void api_error_status(struct api_call *c, const struct err *e);

/* XML of the Query protocol: text escaped; characters XML cannot carry become U+FFFD. */
void api_xml_text(struct buf *out, struct str text);
void api_xml_element(struct buf *out, const char *name, struct str text);

/* --- for the front --- */

/* Fills op, input and params from method, path, query, headers and body, runs the handler. When it
 * returns with is_finished false, on_finish will be called later. */
void api_dispatch(struct api_call *c);
/* The answer to a call with a refusal of which only the head is known, in its caller's protocol. */
void api_refuse_head(struct api_call *c);
/* Frees what is not in the arena. */
void api_call_clear(struct api_call *c);
/* Drops a deferred call: runs its on_abort. */
void api_abort(struct api_call *c);

extern const struct api_service *const api_services[]; /* NULL-terminated */

#endif

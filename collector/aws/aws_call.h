/* Inside of collector/aws/: one signed call, with everything that holds for all of them: quota,
 * clock of the server, refresh of credentials, sorting of errors, and the meter of what it costs.
 * Nothing sleeps here: a call that may not be made yet, or failed in passing, says when to come
 * back (ERR_AGAIN and fault.wait_ns). */
#ifndef FNSCOPE_COLLECTOR_AWS_AWS_CALL_H
#define FNSCOPE_COLLECTOR_AWS_AWS_CALL_H

#include "collector/aws/aws_auth.h"
#include "collector/aws/aws_endpoint.h"
#include "core/base/retry.h"
#include "core/model/money.h"

enum aws_op {
    OP_DESCRIBE_LOG_GROUPS,
    OP_FILTER_LOG_EVENTS,
    OP_GET_METRIC_DATA,
    OP_LIST_QUEUES,
    OP_GET_QUEUE_ATTRIBUTES,
    OP_LIST_FUNCTIONS,
    OP_GET_FUNCTION_CONCURRENCY,
    OP_LIST_PROVISIONED,
    OP_GET_EVENT_INVOKE_CONFIG,
    OP_LIST_EVENT_SOURCE_MAPPINGS,
    OP_GET_ACCOUNT_SETTINGS,
    OP_GET_TRACE_SUMMARIES,
    OP_BATCH_GET_TRACES,
    OP_GET_CALLER_IDENTITY,
    AWS_OPS
};

struct aws_op_info {
    const char *name; /* "logs:FilterLogEvents" */
    enum aws_service service;
    const char *target;       /* X-Amz-Target of the JSON protocols; NULL: REST */
    const char *content_type; /* of a body; NULL: none */
    const char *path;         /* REST: before what the request adds */
    int64_t quota;            /* calls per 1000 s and account and region; 0: none known */
    const char *meter;        /* of the price book, what a unit is billed by; NULL: free */
    unsigned timeout_s;
};
const struct aws_op_info *aws_op_info(enum aws_op op);
/* Calls per 1000 s, where a region has its own. */
int64_t aws_quota(enum aws_op op, struct str region);

enum aws_fault_kind {
    FAULT_NONE,
    FAULT_THROTTLED,
    FAULT_PASSING,   /* server or network */
    FAULT_EXPIRED,   /* credentials */
    FAULT_CLOCK,     /* signature out of time */
    FAULT_DENIED,    /* not allowed, or unknown keys */
    FAULT_NOT_FOUND, /* what was named does not exist */
    FAULT_REFUSED    /* any other 4xx: asking again does not help */
};

struct aws_fault {
    enum aws_fault_kind kind;
    int http;
    struct str code, message; /* in the arena of the call */
    int64_t asked_ns;         /* Retry-After; 0: not said */
    bool is_xml;              /* the Code came so: the endpoint may not speak JSON */
};
/* Code and message of an error answer: header x-amzn-ErrorType, JSON __type or code, XML Code.
 * Pure.
 */
struct aws_fault aws_fault_read(const struct http_response *r, int64_t now_ns, struct arena *a);
/* JSON that is refused in XML was not understood: the endpoint may know the Query protocol. */
bool aws_fault_wants_form(const struct aws_fault *f);
enum aws_fault_kind aws_fault_kind_of(int http, struct str code, struct str message);

/* What was called since midnight UTC of `day`, and what it costs. */
struct aws_meter {
    int64_t day;
    money today, cap; /* cap 0: none */
    uint64_t calls[AWS_OPS], units[AWS_OPS];
};

/* Unit price of an operation at a time, in the region; 0: free. False: the price book has none. */
bool aws_price(const struct source_env *env, enum aws_op op, struct str region, int64_t at_ns,
               money *out);

struct aws_client {
    struct source_env *env;
    struct source_status *status;
    struct aws_auth auth;
    struct str region, endpoint;
    struct aws_profile_endpoints profile;
    unsigned quota_percent;
    unsigned n_sharing; /* sources that share the quotas */
    struct rate rates[AWS_OPS];
    bool is_free[AWS_OPS]; /* served by this machine: nobody bills it */
    money prices[AWS_OPS]; /* of a billed unit, on the meter's day */
    bool knows_prices;
    struct aws_meter meter;
    struct aws_fault fault;  /* of the last call */
    int64_t server_ahead_ns; /* server's wall clock - our monotonic one */
    bool knows_server;       /* an answer with a Date came */
    uint32_t quota_use_ppm;  /* of the tightest bucket, lately */
};

void aws_client_init(struct aws_client *c, struct source_env *env, struct source_status *status);
void aws_client_clear(struct aws_client *c);

/* Wall time as the server has it, once an answer told it; a jump of our clock does not move it. */
int64_t aws_now(const struct aws_client *c);
/* 0: the call may be made now; else how long to wait. */
int64_t aws_ready(const struct aws_client *c, enum aws_op op);
/* True when the day's budget is spent: calls that cost must wait for midnight UTC. */
bool aws_is_capped(struct aws_client *c, enum aws_op op, uint64_t units);

/* What a call cost beyond what its request said: known only from the answer. */
void aws_bill(struct aws_client *c, enum aws_op op, uint64_t units);

struct aws_request {
    enum aws_op op;
    struct str path;  /* encoded; REST: behind the operation's path, else in place of the root */
    struct str query; /* REST: encoded */
    struct str body;
    bool is_form;   /* the Query protocol: the body is a form that names its action, XML answers */
    uint64_t units; /* billed; 0: one for each call */
};
/* One call. OK: *body is what a 200 carried, in the arena. Else fault says what it was: ERR_AGAIN
 * throttled, network, server, not yet, budget; ERR_AUTH; ERR_NOT_FOUND; ERR_CONFIG refused. */
MUST_CHECK enum status aws_call(struct aws_client *c, const struct aws_request *q, struct arena *a,
                                struct str *body, struct err *e);

/* The call went well, but what came cannot be read: counts as its error. ERR_AGAIN. */
enum status aws_damaged(struct aws_client *c, const char *what, struct err *e);

/* "1.5E3" and "276.68" as integers of 10^-scale, rounded; false when it is no number or too large.
 */
bool aws_number(struct str text, unsigned scale, int64_t *out);
/* Name of a queue or function out of an ARN or URL: what follows the last ':' or '/'. */
struct str aws_last_part(struct str s);

#endif

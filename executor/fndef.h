/* What the manifest says: functions, their limits and triggers. Read once at start, constant after.
 * Everything lives in the manifest's arena. */
#ifndef FNSCOPE_EXECUTOR_FNDEF_H
#define FNSCOPE_EXECUTOR_FNDEF_H

#include "core/base/opt.h"
#include "core/model/enums.h"

/* How an execution environment talks to the executor. */
enum fn_protocol {
    PROTOCOL_FRAMES,     /* our bootstraps: length-prefixed frames on a socket */
    PROTOCOL_RUNTIME_API /* AWS Lambda Runtime API 2018-06-01 over HTTP */
};

enum fn_log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

enum fn_memory_limit {
    MEMORY_WATCHED, /* looked at every 100 ms */
    MEMORY_CGROUP   /* by the kernel; a cold start takes longer */
};
enum fn_isolation {
    ISOLATION_AUTO,   /* every step this machine allows; what it does not is reported */
    ISOLATION_STRICT, /* a step that fails, fails the start */
    ISOLATION_PROCESS /* process group, limits, no_new_privs; no namespaces */
};

struct env_var {
    struct str name, value;
    bool is_secret; /* never shown; its value is redacted in logs */
};

/* A trigger of a function: the options of its type, typed and checked. */
struct trigger_def {
    const struct trigger_ops *ops;
    void *settings;   /* ops->settings_size bytes, filled from the manifest */
    struct str name;  /* "<function>-<type>-<n>", stable over restarts */
    struct str place; /* "functions.yaml:12:5" for messages */
    const struct yaml_node *node;
    unsigned position; /* among the triggers of its function, from 0 */
};

struct fndef {
    struct str name, arn; /* arn without qualifier */
    struct str runtime;   /* "nodejs20.x", "python3.11", "provided.al2023", "c" */
    struct str handler, description;
    struct str code;        /* absolute folder or file */
    struct str code_sha256; /* base64 of name, size and time of what is in code */
    uint64_t code_bytes;
    uint64_t memory_bytes;
    int64_t timeout_ns;
    int64_t ephemeral_mb;
    struct env_var *env;
    size_t n_env;
    int64_t reserved; /* reserved concurrency; with has_reserved. 0: nothing runs */
    bool has_reserved;
    int64_t instances;   /* most environments at a time on this machine */
    int64_t provisioned; /* environments kept ready */
    int64_t keep_alive_ns;
    int64_t max_queue; /* invocations that may wait for an environment */
    int log_format;    /* enum fn_log_format */
    int system_level;  /* 0 DEBUG 1 INFO 2 WARN */
    int application_level;
    struct str log_group;
    int protocol;     /* enum fn_protocol */
    int isolation;    /* enum fn_isolation */
    int memory_limit; /* enum fn_memory_limit */
    int64_t user;     /* user and group it runs as; 0: fnexec's */
    bool is_traced;   /* X-Ray active */
    /* asynchronous invocation */
    int64_t max_retries;   /* 0-2 */
    int64_t retry_wait_ns; /* before the first retry; twice that before the second */
    int64_t max_age_ns;
    struct str dlq, on_success, on_failure; /* queue name or ARN; empty: none */
    struct trigger_def *triggers;
    size_t n_triggers;
    unsigned index;      /* in manifest.functions */
    int64_t modified_ns; /* of the manifest */
    const struct yaml_node *node;
};

struct manifest {
    struct arena arena;
    struct str path, folder; /* folder: what relative paths start from */
    struct str account, region;
    int64_t concurrency;    /* of the account */
    int64_t unreserved_min; /* never given away as reserved */
    struct fndef *functions;
    size_t n_functions;
    const struct yaml_node *root; /* sections of others: queues */
    const char *name;             /* for messages */
};

/* Errors name file, line, column and what was meant. manifest_load looks for the programs of the
 * functions too; what queues there must be, manifest_check_queues() says. */
MUST_CHECK enum status manifest_load(const char *path, struct manifest **out, struct err *e);
MUST_CHECK enum status manifest_parse(struct str text, const char *path, struct manifest **out,
                                      struct err *e);
void manifest_free(struct manifest *m);
/* name, partial ARN, ARN, each with ":qualifier" or without; NULL when there is none. The
 * qualifier (or empty) goes to *qualifier, may be NULL. */
const struct fndef *manifest_find(const struct manifest *m, struct str name, struct str *qualifier);

#endif

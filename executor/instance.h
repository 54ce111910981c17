/* One execution environment: a process that runs one invocation at a time, again and again. Its
 * life is the state x event table of instance.c; `state` is written by set_state() there only.
 *
 * The environment outlives its process: after a timeout or a crash the process is replaced within
 * the next invocation (Lambda's "suppressed init"), while log stream and /tmp stay. */
#ifndef FNSCOPE_EXECUTOR_INSTANCE_H
#define FNSCOPE_EXECUTOR_INSTANCE_H

#include "executor/executor.h"
#include "executor/frame_proto.h"
#include "executor/invoke.h"
#include "executor/pool.h"
#include "executor/spawn.h"
#include "executor/telemetry.h"

enum inst_state {
    INST_STARTING,  /* the process initializes */
    INST_IDLE,      /* ready */
    INST_BUSY,      /* runs an invocation */
    INST_ANSWERED,  /* has answered, is not yet ready (Runtime API: before the next /next) */
    INST_RESETTING, /* its process is ending, the environment stays */
    INST_RESET,     /* ready, but its next invocation must start a process first */
    INST_REINIT,    /* the process initializes within an invocation */
    INST_ENDING,    /* its process is ending, and then the environment */
    INST_STATES
};

enum inst_event {
    EV_READY,         /* initialized, or ready for the next invocation */
    EV_INVOKE,        /* run `in->run` */
    EV_ANSWER,        /* the function's response or error is in `in->run` */
    EV_INIT_ERROR,    /* the runtime reported a failed initialization */
    EV_DEADLINE,      /* of initialization or invocation */
    EV_IDLE_LONG,     /* keep-alive is over */
    EV_PROGRAM_ENDED, /* the process; what it started may take longer */
    EV_EXITED,        /* all of it is gone */
    EV_DRAIN,         /* end as soon as possible */
    EV_MISUSE,        /* the process broke the protocol */
    INST_EVENTS
};

/* An invocation under way. */
struct run {
    struct arena arena;
    struct invoke_request rq; /* copied into the arena */
    struct str trace_id, segment_id, trace_header, invoked_arn;
    struct str caller_id; /* Parent of the trace header it came with; empty: none */
    invoke_done_fn *done;
    void *ctx;
    struct pool_ticket ticket;
    int64_t accepted_wall_ns;
    int64_t started_ns, started_wall_ns; /* monotonic, wall; 0: waits */
    int64_t deadline_ns;
    int64_t init_ns; /* of a cold start; 0: warm */
    int64_t init_began_wall_ns;
    int64_t duration_ns;
    unsigned concurrent, account_concurrent;
    uint64_t max_memory_bytes;
    struct buf tail;    /* its log, the last of it is asked for */
    struct buf payload; /* answer, or the error document */
    enum outcome outcome;
    struct str function_error, error_type;
    bool is_answered; /* `done` has run */
    /* of the response: when it began and was whole, on the monotonic clock; 0: it did not, it was
     * not
     */
    int64_t answer_began_ns, answer_ended_ns;
    /* of a stream */
    struct instance *instance;                  /* that streams */
    bool is_streamed, is_held, is_over, is_cut; /* over its limit; its connection broke */
    struct str content_type;
    uint64_t streamed_bytes;
};

struct instance;

/* How the process is spoken to. `open` prepares one end for the child. */
struct link_ops {
    enum status (*open)(struct instance *in, struct err *e);
    void (*send)(struct instance *in);               /* in->run to the process */
    void (*hold)(struct instance *in, bool is_held); /* what the run streams */
    void (*drain)(struct instance *in); /* handles what the process sent before it ended */
    void (*close)(struct instance *in);
};
extern const struct link_ops link_frames, link_runtime_api;

struct instance {
    struct executor *x;
    const struct fndef *fn;
    struct pool_node node; /* in the pool of its function */
    struct arena arena;
    enum inst_state state;
    bool is_draining, is_starting; /* as the pool counts it */
    bool is_provisioned;
    /* process */
    struct spawned process; /* pidfd -1: none */
    struct loop_watch *exit_watch;
    struct str scratch;
    struct str code; /* the function's, as its process finds it: without links */
    bool has_private_tmp;
    int output_fd; /* our end of its stdout and stderr */
    struct loop_watch *output_watch;
    struct buf output; /* a line that is not complete */
    int statm_fd;
    int64_t memory_read_ns;    /* when its memory was looked at last */
    int64_t tree_read_ns;      /* when its processes were looked for last */
    bool has_children;         /* as found then */
    uint64_t max_memory_bytes; /* of the environment so far, all its processes */
    struct cgroup cgroup;      /* of functions that ask for one */
    bool is_oom, has_exited;   /* has_exited: the program, maybe not all that it started */
    struct spawn_end end;
    /* link */
    const struct link_ops *link;
    int requests_fd, answers_fd;             /* frames: our ends of two pipes */
    int child_requests_fd, child_answers_fd; /* theirs; closed after the start */
    struct loop_watch *requests_watch, *answers_watch;
    struct buf in, out; /* frames: bytes read, bytes to write */
    bool wants_write;
    size_t owed;              /* frames: bytes of a stream that were not acknowledged */
    unsigned long generation; /* of the link: changes when it is closed */
    struct str api_address;   /* Runtime API: "127.0.0.1:41234" */
    struct http_server *api;
    struct http_call *parked;   /* Runtime API: a /next that waits */
    struct http_call *response; /* Runtime API: the /response whose pieces count */
    /* life */
    struct loop_timer deadline, idle_timer;
    int64_t init_began_ns;
    int64_t init_ns; /* to be reported with the first invocation; 0: reported */
    struct run *run;
    struct str init_error_type;
    struct buf init_error; /* document of a failed initialization */
    struct telemetry_stream stream;
    struct instance *next, **back; /* all of the invoker's */
};

/* Makes an environment; instance_start() starts its process. A start that fails is an event. */
struct instance *instance_new(struct executor *x, const struct fndef *fn, bool is_provisioned);
void instance_start(struct instance *in);
void instance_event(struct instance *in, enum inst_event ev);
/* Kills its process and frees it at once, without further events. */
void instance_free(struct instance *in);
/* Reads its memory; kills it when it is over its size. */
void instance_watch_memory(struct instance *in);
/* Brings max_memory_bytes up to date at the end of an invocation. */
void instance_note_memory(struct instance *in);
const char *inst_state_name(enum inst_state s);

/* --- what links call --- */
#define INSTANCE_ANSWER_BYTES ((size_t)(6 << 20) + 100)        /* Lambda's limit: 6291556 bytes */
void instance_answer(struct instance *in, struct str payload); /* over it: as too large */
void instance_answer_too_large(struct instance *in);
void instance_error(struct instance *in, struct str type, struct str document);
void instance_init_error(struct instance *in, struct str type, struct str document);
void instance_log(struct instance *in, struct str event);

/* --- streams, instance_stream.c --- */
/* Lambda's limit of a streamed response, 200 MB. (AWS documentation, "Lambda quotas"; 20 MB until
 * 2025.) */
#define INSTANCE_STREAM_BYTES ((uint64_t)200 << 20)
/* In INST_BUSY only. Its end is instance_stream_end(), instance_error() or the end of its process.
 */
void instance_stream_begin(struct instance *in, struct str content_type);
void instance_stream_piece(struct instance *in, struct str bytes);
void instance_stream_end(struct instance *in);
/* The connection of the stream broke, and its runtime goes on as if nothing were. */
void instance_stream_truncated(struct instance *in);

/* --- process side, instance_process.c --- */
MUST_CHECK enum status process_start(struct instance *in, struct err *e);
void process_kill(struct instance *in);
void process_read_output(struct instance *in, bool is_last); /* lines to the log */
void process_forget(struct instance *in);                    /* after its end: fds and watches */
uint64_t process_memory(struct instance *in);

/* --- what the invoker is told (invoke.c) --- */
struct pool *invoker_pool(struct invoker *v, const struct fndef *fn);
void invoker_instance_free(struct instance *in);           /* can run another */
void invoker_instance_gone(struct instance *in);           /* frees it afterwards */
void invoker_answered(struct instance *in, struct run *r); /* r->payload can go to the caller */
void invoker_finished(struct instance *in, struct run *r); /* all of it is over */

#endif

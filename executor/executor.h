/* fnexec: functions run on this machine behind AWS's protocols. Front door of the folder.
 *
 *   HTTP listener -> api_route (operation table) -> *_api -> invoke -> pool -> instance -> process
 *                                                   async, triggers --^         |
 *                         logs_api, metrics_api, xray_api <-- telemetry <-------+
 *
 * Everything runs on one loop; the journal has the one other thread. */
#ifndef FNSCOPE_EXECUTOR_EXECUTOR_H
#define FNSCOPE_EXECUTOR_EXECUTOR_H

#include "core/base/loop.h"
#include "core/base/rng.h"
#include "core/base/str.h"
#include "core/model/enums.h"
#include "executor/cgroup.h"
#include "executor/sandbox.h"

struct manifest;
struct fndef;

/* The parts, wired by executor_start(). A part uses what was started before it. */
struct executor {
    struct loop *loop;
    struct clock clock;
    struct rng rng; /* of identifiers */
    const struct manifest *manifest;
    struct str state_folder;    /* 0700: journal.db, logs.db */
    struct str scratch_folder;  /* 0711: one folder (0700) an environment; removed at stop */
    int scratch_lock;           /* scratch.c's, while there is a scratch_folder */
    struct str runtimes_folder; /* our bootstraps */
    uint16_t port;              /* of the endpoint */
    struct str endpoint;        /* "http://127.0.0.1:9001" once it listens */
    struct sandbox_report sandbox;
    struct cgroup_place cgroups; /* when a function asks for one */
    struct journal *journal;
    struct telemetry *telemetry;
    struct invoker *invoker;
    struct mq *queues;
    struct move_tasks *moves;
    struct async *async;
    struct metrics *metrics;
    struct observer *observers;            /* told about every invocation */
    bool (*open_rest)(struct executor *x); /* NULL once it has run: see executor_ready() */
    bool is_unusable;
};

/* The doors are open while the files are still being opened, for an invocation needs those only
 * after its answer. Whoever needs queues, events or stored lines asks here first: it waits for
 * them. False: they cannot be opened, and fnexec is about to end. */
bool executor_ready(struct executor *x);

/* One finished or refused invocation, as metrics see it. */
struct invoke_fact {
    const struct fndef *fn;
    int64_t end_ns;       /* wall clock */
    int64_t duration_ns;  /* without initialization */
    int64_t init_ns;      /* 0: warm */
    enum outcome outcome; /* OUTCOME_THROTTLED: nothing ran */
    enum trigger trigger;
    uint64_t max_memory_bytes;
    unsigned concurrent;         /* of this function, when it started, itself included */
    unsigned account_concurrent; /* of all */
};

struct observer {
    void (*on_invocation)(void *ctx, const struct invoke_fact *fact);
    void *ctx;
    struct observer *next;
};
void executor_observe(struct executor *x, struct observer *o); /* o lives as long as x */

#endif

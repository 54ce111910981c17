/* The life of an execution environment as one table. */
#include "executor/instance.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "executor/instance_report.h"
#include "executor/process_tree.h"
#include "executor/scratch.h"

#define INIT_LIMIT_NS        (10 * NS_PER_SEC)
#define PROVISIONED_LIMIT_NS (15 * NS_PER_MIN)
#define TAIL_MAX_BYTES       (18 * LOG_TAIL_BYTES)
/* Under load invocations are shorter than it is worth to look. */
#define MEMORY_FRESH_NS (10 * NS_PER_MS)
#define TREE_FRESH_NS   (90 * NS_PER_MS) /* for an environment that was one process: each watch */
#define GONE_LIMIT_NS   (2 * NS_PER_SEC) /* for a killed process to be reaped */

typedef void inst_action(struct instance *in);

static const char *const state_names[INST_STATES] = {"starting",  "idle",  "busy",   "answered",
                                                     "resetting", "reset", "reinit", "ending"};
static const char *const event_names[INST_EVENTS] = {
    "ready",     "invoke",        "answer", "init error", "deadline",
    "idle long", "program ended", "exited", "drain",      "misuse"};

const char *inst_state_name(enum inst_state s)
{
    return state_names[s];
}

static void set_state(struct instance *in, enum inst_state s)
{
    in->state = s;
}

static struct loop *loop_of(const struct instance *in)
{
    return in->x->loop;
}

/* --- starting a process --- */

static void begin_init(struct instance *in)
{
    struct platform_facts f = report_facts(in);

    in->init_began_ns = loop_now(loop_of(in));
    in->is_oom = in->has_exited = false;
    in->memory_read_ns = in->tree_read_ns = 0;
    in->has_children = false;
    buf_reset(&in->init_error);
    in->init_error_type = (struct str){0};
    if (in->state == INST_STARTING)
        report_line(in, LINE_INIT_START, &f);
}

/* A program that cannot be started is a failed initialization. */
static void start_process(struct instance *in)
{
    struct err e = {0};

    begin_init(in);
    if (process_start(in, &e) == OK)
        return;
    log_event(LOG_WARN, "function " STR_FMT ": %s", STR_ARG(in->fn->name), e.msg);
    struct json_out o;
    jout_init(&o, &in->init_error, false);
    jout_open(&o, '{');
    jout_put_str(&o, "errorType", STR("Runtime.InvalidEntrypoint"));
    jout_put_str(&o, "errorMessage", str_from(e.msg));
    jout_close(&o, '}');
    in->init_error_type = STR("Runtime.InvalidEntrypoint");
    instance_event(in, EV_INIT_ERROR);
}

static void on_deadline(void *ctx)
{
    instance_event(ctx, EV_DEADLINE);
}

static void on_idle_long(void *ctx)
{
    instance_event(ctx, EV_IDLE_LONG);
}

struct instance *instance_new(struct executor *x, const struct fndef *fn, bool is_provisioned)
{
    struct instance *in = xcalloc(1, sizeof(*in));

    *in = (struct instance){.x = x,
                            .fn = fn,
                            .is_provisioned = is_provisioned,
                            .is_starting = true,
                            .process = {.pid = -1, .pidfd = -1, .init_pidfd = -1},
                            .output_fd = -1,
                            .statm_fd = -1,
                            .requests_fd = -1,
                            .answers_fd = -1,
                            .child_requests_fd = -1,
                            .child_answers_fd = -1,
                            .link =
                                fn->protocol == PROTOCOL_FRAMES ? &link_frames : &link_runtime_api,
                            .output = {.max = (size_t)1 << 18},
                            .out = {.max = FRAME_MAX_BYTES + 64},
                            .init_error = {.max = (size_t)1 << 18},
                            .deadline = {.fn = on_deadline, .ctx = in},
                            .idle_timer = {.fn = on_idle_long, .ctx = in}};
    telemetry_stream_open(x->telemetry, fn, &in->arena, &in->stream);
    in->scratch = scratch_new(x, &in->arena);
    return in;
}

void instance_start(struct instance *in)
{
    set_state(in, INST_STARTING);
    loop_timer_set(loop_of(in), &in->deadline,
                   loop_now(loop_of(in)) +
                       (in->is_provisioned ? PROVISIONED_LIMIT_NS : INIT_LIMIT_NS));
    start_process(in);
}

void instance_free(struct instance *in)
{
    struct loop *l = loop_of(in);

    if (in->process.pidfd >= 0) {
        spawn_signal(&in->process, SIGKILL);
        loop_unwatch(l, in->exit_watch);
        in->exit_watch = NULL;
        spawn_reap(&in->process);
    }
    cgroup_remove(&in->cgroup);
    process_forget(in);
    loop_timer_cancel(l, &in->deadline);
    loop_timer_cancel(l, &in->idle_timer);
    scratch_remove(in->x, in->scratch);
    buf_clear(&in->output);
    buf_clear(&in->in);
    buf_clear(&in->out);
    buf_clear(&in->init_error);
    arena_clear(&in->arena);
    free(in);
}

/* --- invocations: their begin and end --- */

static void begin_run(struct instance *in)
{
    struct run *r = in->run;
    struct loop *l = loop_of(in);

    loop_timer_cancel(l, &in->idle_timer);
    r->started_ns = loop_now(l);
    r->started_wall_ns = loop_wall(l);
    r->deadline_ns = r->started_ns + in->fn->timeout_ns;
    r->init_ns = in->init_ns;
    r->init_began_wall_ns = r->started_wall_ns - (r->started_ns - in->init_began_ns);
    r->tail.max = TAIL_MAX_BYTES;
    in->init_ns = 0;
    loop_timer_set(l, &in->deadline, r->deadline_ns);
    struct platform_facts f = report_facts(in);
    report_line(in, LINE_START, &f);
}

static void end_run(struct instance *in)
{
    struct run *r = in->run;

    loop_timer_cancel(loop_of(in), &in->deadline);
    r->duration_ns =
        r->outcome == OUTCOME_TIMEOUT ? in->fn->timeout_ns : loop_now(loop_of(in)) - r->started_ns;
    process_read_output(in, true);
    report_end(in);
    in->run = NULL;
    invoker_finished(in, r);
}

/* --- actions --- */

static void ignore(struct instance *in)
{
    UNUSED(in);
}

static void bug(struct instance *in)
{
    log_event(LOG_ERROR, "function " STR_FMT ": an environment in state %s got an impossible event",
              STR_ARG(in->fn->name), state_names[in->state]);
    assert(false && "impossible event");
}

/* What became free goes to whoever waits, or stays for keep-alive; unless its process has ended by
 * now, which the next event says. */
static void to_idle(struct instance *in)
{
    set_state(in, INST_IDLE);
    loop_timer_cancel(loop_of(in), &in->deadline);
    if (in->has_exited)
        return;
    if (in->is_draining) {
        instance_event(in, EV_DRAIN);
        return;
    }
    if (!in->is_provisioned)
        loop_timer_set(loop_of(in), &in->idle_timer, loop_now(loop_of(in)) + in->fn->keep_alive_ns);
    invoker_instance_free(in);
}

static void init_done(struct instance *in)
{
    in->init_ns = loop_now(loop_of(in)) - in->init_began_ns;
    report_init_end(in, "success", (struct str){0});
    to_idle(in);
}

static void run(struct instance *in)
{
    set_state(in, INST_BUSY);
    begin_run(in);
    in->link->send(in);
}

/* After a reset: the invocation starts first, then the process, and pays for both. */
static void rerun(struct instance *in)
{
    set_state(in, INST_REINIT);
    begin_run(in);
    start_process(in);
}

static void reinit_done(struct instance *in)
{
    report_init_end(in, "success", (struct str){0});
    set_state(in, INST_BUSY);
    in->link->send(in);
}

/* Frames: answering is being ready, so what was written is logged before the caller hears of it.
 * Runtime API: the next /next says so, and the caller need not wait for it. */
static void answer(struct instance *in)
{
    struct run *r = in->run;

    r->answer_ended_ns = loop_now(loop_of(in));
    if (!r->is_streamed)
        r->answer_began_ns = r->answer_ended_ns;
    set_state(in, INST_ANSWERED);
    if (in->link == &link_frames)
        instance_event(in, EV_READY);
    else
        invoker_answered(in, r);
}

static void finish(struct instance *in)
{
    end_run(in);
    to_idle(in);
}

static void reset(struct instance *in)
{
    set_state(in, INST_RESETTING);
    loop_timer_set(loop_of(in), &in->deadline, loop_now(loop_of(in)) + GONE_LIMIT_NS);
    process_kill(in);
}

static void end(struct instance *in)
{
    pool_retire(invoker_pool(in->x->invoker, in->fn), &in->node);
    set_state(in, INST_ENDING);
    loop_timer_cancel(loop_of(in), &in->idle_timer);
    if (in->process.pidfd < 0) {
        invoker_instance_gone(in);
        return;
    }
    loop_timer_set(loop_of(in), &in->deadline, loop_now(loop_of(in)) + GONE_LIMIT_NS);
    process_kill(in);
}

static void init_timeout(struct instance *in)
{
    report_init_end(in, "timeout", (struct str){0});
    reset(in);
}

static void init_failed(struct instance *in)
{
    report_init_end(in, "error", in->init_error_type);
    if (in->process.pidfd >= 0) {
        reset(in);
        return;
    }
    loop_timer_cancel(loop_of(in), &in->deadline);
    set_state(in, INST_RESETTING);
    instance_event(in, EV_EXITED);
}

/* The process ended before it was ready, without a word. */
static void init_exit(struct instance *in)
{
    in->init_error_type = in->is_oom ? STR("Runtime.OutOfMemory") : STR("Runtime.ExitError");
    process_read_output(in, true);
    report_init_end(in, "error", in->init_error_type);
    set_state(in, INST_RESETTING);
    instance_event(in, EV_EXITED);
}

static void to_reset(struct instance *in)
{
    loop_timer_cancel(loop_of(in), &in->deadline);
    process_read_output(in, true);
    process_forget(in);
    if (in->run)
        end_run(in); /* killed at its deadline, or for misuse */
    if (in->is_draining) {
        set_state(in, INST_ENDING);
        invoker_instance_gone(in);
        return;
    }
    set_state(in, INST_RESET);
    loop_timer_set(loop_of(in), &in->idle_timer, loop_now(loop_of(in)) + in->fn->keep_alive_ns);
    invoker_instance_free(in);
}

static void reinit_failed(struct instance *in)
{
    struct run *r = in->run;

    report_init_end(in, "error", in->init_error_type);
    r->outcome = OUTCOME_INIT_ERROR;
    r->function_error = STR("Unhandled");
    r->error_type = arena_str(&r->arena, in->init_error_type);
    buf_add_str(&r->payload, buf_str(&in->init_error));
    if (in->process.pidfd >= 0) {
        reset(in);
        return;
    }
    set_state(in, INST_RESETTING);
    instance_event(in, EV_EXITED);
}

static void reinit_exit(struct instance *in)
{
    in->init_error_type = in->is_oom ? STR("Runtime.OutOfMemory") : STR("Runtime.ExitError");
    report_init_end(in, "error", in->init_error_type);
    report_exit_error(in);
    in->run->outcome = in->is_oom ? OUTCOME_OOM : OUTCOME_INIT_ERROR;
    set_state(in, INST_RESETTING);
    instance_event(in, EV_EXITED);
}

static void kill_timeout(struct instance *in)
{
    struct run *r = in->run;
    char text[64];

    if (in->state == INST_REINIT)
        report_init_end(in, "timeout", (struct str){0});
    snprintf(text, sizeof(text), "Task timed out after %lld.%02lld seconds",
             (long long)(in->fn->timeout_ns / NS_PER_SEC),
             (long long)(in->fn->timeout_ns % NS_PER_SEC / (10 * NS_PER_MS)));
    r->outcome = OUTCOME_TIMEOUT;
    if (!r->is_answered)
        report_platform_error(r, "Sandbox.Timedout", str_from(text));
    reset(in);
}

static void crash(struct instance *in)
{
    report_exit_error(in);
    set_state(in, INST_RESETTING);
    instance_event(in, EV_EXITED);
}

/* It answered, then fell over: the caller has its answer, the report says error. */
static void crash_late(struct instance *in)
{
    in->run->outcome = in->is_oom ? OUTCOME_OOM : OUTCOME_ERROR;
    in->run->error_type = in->is_oom ? STR("Runtime.OutOfMemory") : STR("Runtime.ExitError");
    set_state(in, INST_RESETTING);
    instance_event(in, EV_EXITED);
}

/* An idle process ended by itself: another takes its place when it is needed. */
static void idle_exit(struct instance *in)
{
    process_read_output(in, true);
    process_forget(in);
    end(in);
}

static void gone(struct instance *in)
{
    process_read_output(in, true);
    invoker_instance_gone(in);
}

static void drain_later(struct instance *in)
{
    in->is_draining = true;
}

static void kill_again(struct instance *in)
{
    process_kill(in);
    loop_timer_set(loop_of(in), &in->deadline, loop_now(loop_of(in)) + GONE_LIMIT_NS);
}

static void misuse(struct instance *in)
{
    log_event(LOG_WARN,
              "function " STR_FMT ": its process (%d) broke the protocol in state %s and is ended",
              STR_ARG(in->fn->name), (int)in->process.pid, state_names[in->state]);
    if (in->run) {
        report_platform_error(in->run, "Runtime.Unknown", STR("Runtime broke the protocol"));
        in->run->outcome = OUTCOME_ERROR;
        reset(in);
        return;
    }
    end(in);
}

/* "bug" means that fnexec is wrong; whatever a process may do has an action. */
static inst_action *const transitions[INST_STATES][INST_EVENTS] = {
    /* clang-format off */
    /*                   READY        INVOKE ANSWER  INIT_ERROR     DEADLINE      IDLE_LONG PROGRAM_ENDED EXITED       DRAIN        MISUSE */
    [INST_STARTING]  = { init_done,   bug,   misuse, init_failed,   init_timeout, ignore,   ignore,       init_exit,   end,         misuse },
    [INST_IDLE]      = { misuse,      run,   misuse, misuse,        ignore,       end,      end,          idle_exit,   end,         misuse },
    [INST_BUSY]      = { misuse,      bug,   answer, misuse,        kill_timeout, ignore,   ignore,       crash,       drain_later, misuse },
    [INST_ANSWERED]  = { finish,      bug,   misuse, misuse,        kill_timeout, ignore,   ignore,       crash_late,  drain_later, misuse },
    [INST_RESETTING] = { ignore,      bug,   ignore, ignore,        kill_again,   ignore,   ignore,       to_reset,    drain_later, ignore },
    [INST_RESET]     = { bug,         rerun, bug,    bug,           ignore,       end,      bug,          bug,         end,         bug    },
    [INST_REINIT]    = { reinit_done, bug,   misuse, reinit_failed, kill_timeout, ignore,   ignore,       reinit_exit, drain_later, misuse },
    [INST_ENDING]    = { ignore,      bug,   ignore, ignore,        kill_again,   ignore,   ignore,       gone,        ignore,      ignore },
    /* clang-format on */
};

void instance_event(struct instance *in, enum inst_event ev)
{
    log_event(LOG_DEBUG, "environment %p of " STR_FMT ": %s in state %s", (void *)in,
              STR_ARG(in->fn->name), event_names[ev], state_names[in->state]);
    transitions[in->state][ev](in);
}

/* --- what links call --- */

void instance_answer(struct instance *in, struct str payload)
{
    if (payload.n > INSTANCE_ANSWER_BYTES) {
        instance_answer_too_large(in);
        return;
    }
    if (in->state == INST_BUSY) {
        struct run *r = in->run;
        r->outcome = OUTCOME_OK;
        r->payload.max = payload.n + 1;
        buf_add_str(&r->payload, payload);
    }
    instance_event(in, EV_ANSWER);
}

void instance_answer_too_large(struct instance *in)
{
    if (in->state == INST_BUSY) {
        report_platform_error(in->run, "Function.ResponseSizeTooLarge",
                              STR("Response payload size exceeded maximum allowed payload size "
                                  "(6291556 bytes)."));
        in->run->outcome = OUTCOME_ERROR;
    }
    instance_event(in, EV_ANSWER);
}

void instance_error(struct instance *in, struct str type, struct str document)
{
    if (in->state == INST_BUSY && !in->run->is_over) {
        struct run *r = in->run;
        r->outcome = OUTCOME_ERROR;
        r->function_error = STR("Unhandled");
        r->error_type = arena_str(&r->arena, type);
        buf_reset(&r->payload); /* what was gathered of a stream */
        r->payload.max = document.n + 1;
        buf_add_str(&r->payload, document);
    }
    instance_event(in, EV_ANSWER);
}

void instance_init_error(struct instance *in, struct str type, struct str document)
{
    in->init_error_type = arena_str(&in->arena, type);
    buf_reset(&in->init_error);
    buf_add_str(&in->init_error, document);
    instance_event(in, EV_INIT_ERROR);
}

/* Shared pages count once, and are only told apart where it could matter. */
static uint64_t tree_memory(struct instance *in, uint64_t of_program)
{
    struct process_tree t;

    if (in->process.pid <= 0)
        return of_program;
    process_tree_find(in->process.pid, in->process.init, &t);
    in->has_children = t.n > 1;
    in->tree_read_ns = loop_now(loop_of(in));
    if (!in->has_children || process_tree_resident(&t) <= in->max_memory_bytes)
        return of_program;
    uint64_t all = process_tree_proportional(&t);
    return all > of_program ? all : of_program;
}

static uint64_t look_at_memory(struct instance *in)
{
    uint64_t now = process_memory(in);

    if (in->has_children || loop_now(loop_of(in)) - in->tree_read_ns >= TREE_FRESH_NS)
        now = tree_memory(in, now);

    in->memory_read_ns = loop_now(loop_of(in));
    in->max_memory_bytes = now > in->max_memory_bytes ? now : in->max_memory_bytes;
    return now;
}

void instance_note_memory(struct instance *in)
{
    if (in->memory_read_ns == 0 || loop_now(loop_of(in)) - in->memory_read_ns >= MEMORY_FRESH_NS)
        look_at_memory(in);
}

void instance_watch_memory(struct instance *in)
{
    uint64_t now = look_at_memory(in);

    if (now <= in->fn->memory_bytes || in->is_oom)
        return;
    in->is_oom = true;
    process_kill(in);
}

/* What is written about an environment and its invocations: platform lines, error documents. */
#include "executor/instance_report.h"

#include <stdio.h>

#include "core/base/json.h"

struct platform_facts report_facts(const struct instance *in)
{
    struct platform_facts f = {.fn = in->fn,
                               .wall_ns = loop_wall(in->x->loop),
                               .instance = in->stream.log.name,
                               .phase = STR("init"),
                               .init_type = in->is_provisioned ? STR("provisioned-concurrency")
                                                               : STR("on-demand"),
                               .status = STR("success")};

    if (in->run) {
        f.request_id = in->run->rq.request_id;
        f.phase = STR("invoke");
        f.trace_id = in->fn->is_traced ? in->run->trace_id : (struct str){0};
        f.segment_id = in->run->segment_id;
    }
    return f;
}

static struct buf *tail_of(struct instance *in)
{
    return in->run && in->run->rq.want_tail ? &in->run->tail : NULL;
}

void report_line(struct instance *in, enum platform_line kind, const struct platform_facts *f)
{
    telemetry_platform(in->x->telemetry, &in->stream, tail_of(in), kind, f);
}

void report_init_end(struct instance *in, const char *status, struct str error_type)
{
    struct platform_facts f = report_facts(in);

    f.status = str_from(status);
    f.error_type = error_type;
    f.duration_ns = loop_now(in->x->loop) - in->init_began_ns;
    report_line(in, LINE_INIT_RUNTIME_DONE, &f);
    report_line(in, LINE_INIT_REPORT, &f);
}

void instance_log(struct instance *in, struct str event)
{
    telemetry_line(in->x->telemetry, &in->stream, tail_of(in), event);
}

/* --- errors the platform makes --- */

/* {"errorType":T,"errorMessage":"RequestId: R Error: M"} */
void report_platform_error(struct run *r, const char *type, struct str message)
{
    struct json_out o;
    struct buf text = {.max = 1024};

    buf_addf(&text, "RequestId: " STR_FMT " Error: " STR_FMT, STR_ARG(r->rq.request_id),
             STR_ARG(message));
    buf_reset(&r->payload);
    jout_init(&o, &r->payload, false);
    jout_open(&o, '{');
    jout_put_str(&o, "errorType", str_from(type));
    jout_put_str(&o, "errorMessage", buf_str(&text));
    jout_close(&o, '}');
    buf_clear(&text);
    r->function_error = STR("Unhandled");
    r->error_type = arena_str(&r->arena, str_from(type));
}

void report_exit_error(struct instance *in)
{
    char how[64], text[128];
    struct run *r = in->run;
    struct str end = spawn_end_text(&in->end, how, sizeof(how));

    if (in->end.signo == 0 && in->end.code == 0)
        snprintf(text, sizeof(text), "Runtime exited without providing a reason");
    else
        snprintf(text, sizeof(text), "Runtime exited with error: " STR_FMT, STR_ARG(end));
    report_platform_error(r, in->is_oom ? "Runtime.OutOfMemory" : "Runtime.ExitError",
                          str_from(text));
    r->outcome = in->is_oom ? OUTCOME_OOM : OUTCOME_ERROR;
}

static const char *status_word(const struct run *r)
{
    static const char *const words[OUTCOMES] = {
        [OUTCOME_UNKNOWN] = "success",  [OUTCOME_OK] = "success", [OUTCOME_ERROR] = "error",
        [OUTCOME_TIMEOUT] = "timeout",  [OUTCOME_OOM] = "error",  [OUTCOME_INIT_ERROR] = "error",
        [OUTCOME_THROTTLED] = "success"};

    return words[r->outcome];
}

static int64_t wall_of(const struct run *r, int64_t ns)
{
    return ns == 0 ? 0 : r->started_wall_ns + (ns - r->started_ns);
}

static void add_answer(const struct run *r, struct platform_facts *f)
{
    f->produced_bytes = r->is_streamed ? r->streamed_bytes : r->payload.n;
    f->begin_wall_ns = r->started_wall_ns;
    f->answer_began_wall_ns = wall_of(r, r->answer_began_ns);
    f->answer_ended_wall_ns = wall_of(r, r->answer_ended_ns);
}

/* Lambda's REPORT calls an error what the platform noticed; an exception of the handler is the
 * function's own affair there ("failure" in runtimeDone). */
void report_end(struct instance *in)
{
    struct run *r = in->run;
    struct platform_facts f = report_facts(in);
    bool is_own_error = r->outcome == OUTCOME_ERROR && in->process.pidfd >= 0 && !in->is_draining &&
                        (in->state == INST_BUSY || in->state == INST_ANSWERED);

    instance_note_memory(in);
    f.duration_ns = r->duration_ns;
    f.init_ns = r->init_ns;
    f.max_memory_bytes = in->is_oom ? in->fn->memory_bytes : in->max_memory_bytes;
    add_answer(r, &f);
    f.status = is_own_error ? STR("failure") : str_from(status_word(r));
    f.error_type = r->outcome == OUTCOME_TIMEOUT ? (struct str){0} : r->error_type;
    report_line(in, LINE_RUNTIME_DONE, &f);
    report_line(in, LINE_END, &f);
    f.status = is_own_error && in->fn->log_format == LOG_FORMAT_TEXT ? STR("success") : f.status;
    report_line(in, LINE_REPORT, &f);
}

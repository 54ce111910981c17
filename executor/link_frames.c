/* The frame protocol's end in fnexec: two pipes, not blocking on our side. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "executor/instance.h"

#define READ_BYTES 65536

static void write_frames(struct instance *in);

/* Acknowledged by and by: most of the window is free again before its writer waits for it. */
static void acknowledge(struct instance *in)
{
    if (in->owed < FRAME_WINDOW_BYTES / 4)
        return;
    frame_add_taken(&in->out, in->owed);
    in->owed = 0;
    write_frames(in);
}

static void on_ready(struct instance *in, struct str payload)
{
    bool is_due = in->state == INST_STARTING || in->state == INST_REINIT;

    UNUSED(payload);
    instance_event(in, is_due ? EV_READY : EV_MISUSE);
}

typedef void error_fn(struct instance *in, struct str type, struct str document);

static void pass_error(struct instance *in, struct str payload, error_fn *pass)
{
    struct str type = {0};

    if (frame_field(&payload, &type))
        pass(in, type, payload);
    else
        instance_event(in, EV_MISUSE);
}

static void on_error(struct instance *in, struct str payload)
{
    pass_error(in, payload, instance_error);
}

static void on_init_error(struct instance *in, struct str payload)
{
    pass_error(in, payload, instance_init_error);
}

static void on_stream(struct instance *in, struct str payload)
{
    if (in->state == INST_BUSY && !in->run->is_streamed)
        instance_stream_begin(in, payload);
    else
        instance_event(in, EV_MISUSE);
}

static bool is_streaming(const struct instance *in)
{
    return in->state == INST_BUSY && in->run->is_streamed;
}

static void on_piece(struct instance *in, struct str payload)
{
    in->owed += payload.n;
    if (!is_streaming(in) || in->owed > FRAME_WINDOW_BYTES) {
        instance_event(in, EV_MISUSE);
        return;
    }
    instance_stream_piece(in, payload);
    if (!in->run->is_held)
        acknowledge(in);
}

static void on_stream_end(struct instance *in, struct str payload)
{
    UNUSED(payload);
    if (is_streaming(in))
        instance_stream_end(in);
    else
        instance_event(in, EV_MISUSE);
}

static void on_frame(struct instance *in, enum frame_type type, struct str payload)
{
    static const struct {
        enum frame_type type;
        void (*handle)(struct instance *in, struct str payload);
    } handlers[] = {{FRAME_RESPONSE, instance_answer}, {FRAME_LOG, instance_log},
                    {FRAME_READY, on_ready},           {FRAME_ERROR, on_error},
                    {FRAME_INIT_ERROR, on_init_error}, {FRAME_STREAM, on_stream},
                    {FRAME_PIECE, on_piece},           {FRAME_STREAM_END, on_stream_end}};

    for (size_t i = 0; i < ARRAY_LEN(handlers); i++)
        if (handlers[i].type == type) {
            handlers[i].handle(in, payload);
            return;
        }
    instance_event(in, EV_MISUSE);
}

/* An action may close the link and start anew: then what was read belongs to the past. */
static void take_frames(struct instance *in)
{
    struct str rest = buf_str(&in->in), payload;
    enum frame_type type;
    bool is_broken = false;
    unsigned long generation = in->generation;

    while (frame_next(&rest, &type, &payload, &is_broken)) {
        on_frame(in, type, payload);
        if (in->generation != generation)
            return;
    }
    if (is_broken) {
        instance_event(in, EV_MISUSE);
        return;
    }
    size_t keep = rest.n;
    if (keep > 0 && keep < in->in.n)
        memmove(in->in.p, rest.p, keep);
    buf_cut(&in->in, keep);
}

static void read_frames(struct instance *in)
{
    unsigned long generation = in->generation;

    while (in->generation == generation && in->answers_fd >= 0) {
        buf_reserve(&in->in, READ_BYTES);
        ssize_t n = read(in->answers_fd, in->in.p + in->in.n, READ_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            /* Gone at the other end: the pidfd tells the rest. */
            if (n == 0) {
                loop_unwatch(in->x->loop, in->answers_watch);
                in->answers_watch = NULL;
            }
            return;
        }
        buf_grown(&in->in, (size_t)n);
        take_frames(in);
        if (n < READ_BYTES)
            return;
    }
}

static void write_frames(struct instance *in)
{
    size_t at = 0;

    while (at < in->out.n) {
        ssize_t n = write(in->requests_fd, in->out.p + at, in->out.n - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    size_t keep = in->out.n - at;
    if (keep > 0 && at > 0)
        memmove(in->out.p, in->out.p + at, keep);
    buf_cut(&in->out, keep);
    if (in->requests_watch && (keep > 0) != in->wants_write) {
        in->wants_write = keep > 0;
        loop_watch_change(in->x->loop, in->requests_watch, keep > 0 ? (unsigned)LOOP_WRITE : 0);
    }
}

static void on_answers(void *ctx, unsigned events)
{
    UNUSED(events);
    read_frames(ctx);
}

/* A pipe nobody reads any more says so again and again. */
static void on_requests(void *ctx, unsigned events)
{
    struct instance *in = ctx;

    if (events & LOOP_HANGUP) {
        loop_unwatch(in->x->loop, in->requests_watch);
        in->requests_watch = NULL;
        return;
    }
    write_frames(in);
}

static enum status open_pipe(int *ours, int *theirs, bool is_read, struct err *e)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_errno(e, errno, "pipe of an environment");
    *ours = ends[is_read ? 0 : 1];
    *theirs = ends[is_read ? 1 : 0];
    /* A file each: theirs goes on blocking. */
    return fcntl(*ours, F_SETFL, O_NONBLOCK) == 0 ? OK
                                                  : err_errno(e, errno, "pipe of an environment");
}

static enum status frames_open(struct instance *in, struct err *e)
{
    struct loop *l = in->x->loop;

    in->wants_write = false;
    in->in.max = 4 + FRAME_MAX_BYTES + READ_BYTES; /* a frame not quite whole, and a read */
    buf_reset(&in->in);
    buf_reset(&in->out);
    enum status s = open_pipe(&in->requests_fd, &in->child_requests_fd, false, e);
    if (s == OK)
        s = open_pipe(&in->answers_fd, &in->child_answers_fd, true, e);
    if (s == OK)
        s = loop_watch(l, in->answers_fd, on_answers, in, &in->answers_watch, e);
    return s == OK ? loop_watch(l, in->requests_fd, on_requests, in, &in->requests_watch, e) : s;
}

static void frames_send(struct instance *in)
{
    const struct run *r = in->run;
    int64_t left_ns = r->deadline_ns - loop_now(in->x->loop);

    in->owed = 0;
    frame_add_invoke(&in->out, &(struct frame_invoke){
                                   .deadline_ms = (loop_wall(in->x->loop) + left_ns) / NS_PER_MS,
                                   .request_id = r->rq.request_id,
                                   .arn = r->invoked_arn,
                                   .trace = r->trace_header,
                                   .client_context = r->rq.client_context,
                                   .event = r->rq.payload});
    write_frames(in);
}

static void frames_hold(struct instance *in, bool is_held)
{
    if (!is_held)
        acknowledge(in);
}

static void frames_close(struct instance *in)
{
    loop_unwatch(in->x->loop, in->answers_watch);
    loop_unwatch(in->x->loop, in->requests_watch);
    in->answers_watch = in->requests_watch = NULL;
    fd_close(&in->requests_fd);
    fd_close(&in->answers_fd);
    fd_close(&in->child_requests_fd);
    fd_close(&in->child_answers_fd);
    in->generation++;
}

const struct link_ops link_frames = {.open = frames_open,
                                     .send = frames_send,
                                     .hold = frames_hold,
                                     .drain = read_frames,
                                     .close = frames_close};

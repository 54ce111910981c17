/* The frame protocol's end in fnexec: a non-blocking socket. */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "executor/instance.h"

#define READ_BYTES 65536

static void on_frame(struct instance *in, enum frame_type type, struct str payload)
{
    struct str name = {0};

    switch (type) {
    case FRAME_READY:
        instance_event(in, in->state == INST_STARTING || in->state == INST_REINIT ? EV_READY
                                                                                  : EV_MISUSE);
        return;
    case FRAME_RESPONSE:
        instance_answer(in, payload);
        return;
    case FRAME_ERROR:
    case FRAME_INIT_ERROR:
        if (!frame_field(&payload, &name))
            break;
        (type == FRAME_ERROR ? instance_error : instance_init_error)(in, name, payload);
        return;
    case FRAME_LOG:
        instance_log(in, payload);
        return;
    case FRAME_INVOKE:
        break;
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

    while (in->generation == generation && in->control_fd >= 0) {
        buf_reserve(&in->in, READ_BYTES);
        ssize_t n = recv(in->control_fd, in->in.p + in->in.n, READ_BYTES, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            /* Gone at the other end: the pidfd tells the rest. */
            if (n == 0) {
                loop_unwatch(in->x->loop, in->control_watch);
                in->control_watch = NULL;
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
        ssize_t n =
            send(in->control_fd, in->out.p + at, in->out.n - at, MSG_DONTWAIT | MSG_NOSIGNAL);
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
    if (in->control_watch && (keep > 0) != in->wants_write) {
        in->wants_write = keep > 0;
        loop_watch_change(in->x->loop, in->control_watch,
                          LOOP_READ | (keep > 0 ? (unsigned)LOOP_WRITE : 0));
    }
}

static void on_control(void *ctx, unsigned events)
{
    struct instance *in = ctx;
    unsigned long generation = in->generation;

    if (events & (LOOP_READ | LOOP_HANGUP))
        read_frames(in);
    if (in->generation == generation && (events & LOOP_WRITE))
        write_frames(in);
}

static enum status frames_open(struct instance *in, struct err *e)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return err_errno(e, errno, "socket of an environment");
    in->control_fd = ends[0];
    in->child_fd = ends[1];
    in->wants_write = false;
    buf_reset(&in->in);
    buf_reset(&in->out);
    return loop_watch(in->x->loop, in->control_fd, on_control, in, &in->control_watch, e);
}

static void frames_send(struct instance *in)
{
    const struct run *r = in->run;
    int64_t left_ns = r->deadline_ns - loop_now(in->x->loop);

    frame_add_invoke(&in->out, &(struct frame_invoke){
                                   .deadline_ms = (loop_wall(in->x->loop) + left_ns) / NS_PER_MS,
                                   .request_id = r->rq.request_id,
                                   .arn = r->invoked_arn,
                                   .trace = r->trace_header,
                                   .client_context = r->rq.client_context,
                                   .event = r->rq.payload});
    write_frames(in);
}

static void frames_close(struct instance *in)
{
    loop_unwatch(in->x->loop, in->control_watch);
    in->control_watch = NULL;
    if (in->control_fd >= 0)
        close(in->control_fd);
    if (in->child_fd >= 0)
        close(in->child_fd);
    in->control_fd = in->child_fd = -1;
    in->generation++;
}

const struct link_ops link_frames = {
    .open = frames_open, .send = frames_send, .drain = read_frames, .close = frames_close};

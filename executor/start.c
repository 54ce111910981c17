/* The parts, in the order in which they need each other. */
#include "executor/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/http_listen.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "executor/api_auth.h"
#include "executor/api_front.h"
#include "executor/durable.h"
#include "executor/ids.h"
#include "executor/invoker.h"
#include "executor/scratch.h"
#include "executor/telemetry.h"
#include "executor/trigger.h"

struct fnexec {
    struct executor x;
    struct arena arena;
    struct api_keys *keys;
    struct api_front *front;
    struct triggers *triggers;
    int lock_fd;
};

/* Two executors on one state would run every event twice. */
static enum status take_lock(struct fnexec *f, struct err *e)
{
    struct str path = arena_printf(&f->arena, STR_FMT "/lock", STR_ARG(f->x.state_folder));

    f->lock_fd = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (f->lock_fd < 0)
        return err_errno(e, errno, "state folder " STR_FMT, STR_ARG(f->x.state_folder));
    if (flock(f->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return err_set(e, ERR_CONFIG,
                       "state folder " STR_FMT " is in use by another fnexec: stop it, or give "
                       "this one another with --state",
                       STR_ARG(f->x.state_folder));
    return OK;
}

static struct str default_scratch(struct fnexec *f)
{
    const char *tmp = getenv("TMPDIR");
    struct str name =
        f->x.state_folder.n > 0
            ? arena_printf(&f->arena, "%016llx", (unsigned long long)str_hash(f->x.state_folder, 0))
            : hex_new(&f->x.rng, &f->arena, 8);

    return arena_printf(&f->arena, "%s/fnexec-%u-" STR_FMT, tmp ? tmp : "/tmp", geteuid(),
                        STR_ARG(name));
}

static enum status open_folders(struct fnexec *f, const struct executor_config *c, struct err *e)
{
    f->x.state_folder = arena_str(&f->arena, c->state_folder);
    f->x.runtimes_folder = arena_str(&f->arena, c->runtimes_folder);
    f->x.scratch_folder =
        c->scratch_folder.n > 0 ? arena_str(&f->arena, c->scratch_folder) : default_scratch(f);
    if (c->state_folder.n > 0) {
        enum status s = file_make_dir(f->x.state_folder.p, 0700, e);
        if (s == OK)
            s = take_lock(f, e);
        if (s != OK)
            return s;
    }
    return scratch_start(&f->x, e);
}

static enum status start_parts(struct fnexec *f, const struct executor_config *c, struct err *e)
{
    struct executor *x = &f->x;

    enum status s = open_folders(f, c, e);
    /* Both files open at the same time, each on its own thread. */
    if (s == OK)
        s = telemetry_start(x, c->log_retention_ns, &x->telemetry, e);
    if (s == OK)
        s = durable_open(x, e);
    if (s == OK)
        s = durable_start(x, e);
    if (s == OK)
        s = telemetry_ready(x->telemetry, e);
    if (s == OK)
        s = invoker_start(x, &x->invoker, e);
    return s;
}

static enum status start_doors(struct fnexec *f, const struct executor_config *c, struct err *e)
{
    struct api_front_config front = {
        .address = c->address, .port = c->port, .hosts = c->hosts, .n_hosts = c->n_hosts};
    enum status s = OK;

    if (!c->no_listener) {
        if (c->credentials.n > 0)
            s = api_keys_load(arena_strz(&f->arena, c->credentials), &f->keys, e);
        front.keys = f->keys;
        if (s == OK)
            s = api_front_start(&f->x, &front, &f->front, e);
        if (s != OK)
            return s;
        AUTO(buf_clear) struct buf url = {.max = 256};
        f->x.port = api_front_port(f->front);
        http_listen_url(&url, c->address, f->x.port);
        f->x.endpoint = arena_str(&f->arena, buf_str(&url));
    }
    invoker_warm(f->x.invoker);
    if (c->no_listener)
        return OK;
    s = durable_resume(&f->x, e);
    return s == OK ? triggers_start(&f->x, &f->triggers, e) : s;
}

enum status fnexec_start(const struct executor_config *config, struct loop *l, struct fnexec **out,
                         struct err *e)
{
    struct fnexec *f = xcalloc(1, sizeof(*f));

    f->lock_fd = -1;
    f->x.loop = l;
    f->x.clock = clock_system();
    f->x.manifest = config->manifest;
    rng_seed_system(&f->x.rng);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sandbox_assume(&f->x.sandbox);
    enum status s = start_parts(f, config, e);
    if (s == OK)
        s = start_doors(f, config, e);
    if (s != OK) {
        fnexec_stop(f);
        return s;
    }
    *out = f;
    return OK;
}

struct executor *fnexec_executor(struct fnexec *f)
{
    return &f->x;
}

uint16_t fnexec_port(const struct fnexec *f)
{
    return f->front ? api_front_port(f->front) : 0;
}

void fnexec_drain(struct fnexec *f, int64_t most_ns)
{
    int64_t until = clock_monotonic(&f->x.clock) + most_ns;

    triggers_stop(f->triggers);
    f->triggers = NULL;
    durable_pause(&f->x);
    invoker_drain(f->x.invoker);
    while (invoker_is_busy(f->x.invoker)) {
        int64_t left = until - clock_monotonic(&f->x.clock);
        if (left <= 0 || loop_turn(f->x.loop, left, NULL) != OK)
            break;
    }
}

/* The listener last: those who wait are answered by the parts that end before it. */
void fnexec_stop(struct fnexec *f)
{
    if (!f)
        return;
    triggers_stop(f->triggers);
    durable_pause(&f->x);
    invoker_stop(f->x.invoker);
    f->x.invoker = NULL;
    api_front_stop(f->front);
    api_keys_free(f->keys);
    durable_stop(&f->x);
    telemetry_close(f->x.telemetry);
    if (f->x.scratch_folder.n > 0)
        scratch_clear(&f->x);
    if (f->lock_fd >= 0)
        close(f->lock_fd);
    arena_clear(&f->arena);
    free(f);
}

/* The parts, in the order in which they need each other. */
#include "executor/start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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
#include "executor/fndef.h"
#include "executor/invoker.h"
#include "executor/scratch.h"
#include "executor/telemetry.h"
#include "executor/trigger.h"

#define EARLY_NS (20 * NS_PER_MS)

struct fnexec {
    struct executor x;
    struct arena arena;
    struct api_keys *keys;
    struct api_front *front;
    struct triggers *triggers;
    int lock_fd, listener;
    struct err open_error;
};

/* What a killed fnexec was just starting holds its lock until it is the function's program, or has
 * ended with it. */
static bool lock_soon(int fd)
{
    enum { TRIES = 50, PAUSE_MS = 20 };

    for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
        if (errno != EWOULDBLOCK || i == TRIES)
            return false;
        poll(NULL, 0, PAUSE_MS);
    }
    return true;
}

/* Two executors on one state would run every event twice. */
static enum status take_lock(struct fnexec *f, struct err *e)
{
    struct str path = arena_printf(&f->arena, STR_FMT "/lock", STR_ARG(f->x.state_folder));

    f->lock_fd = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (f->lock_fd < 0)
        return err_errno(e, errno, "state folder " STR_FMT, STR_ARG(f->x.state_folder));
    if (!lock_soon(f->lock_fd))
        return err_set(e, ERR_CONFIG,
                       "state folder " STR_FMT " is in use by another fnexec: stop it, or give "
                       "this one another with --state",
                       STR_ARG(f->x.state_folder));
    return OK;
}

static struct str default_scratch(void)
{
    const char *tmp = getenv("TMPDIR");

    return tmp && tmp[0] ? str_from(tmp) : STR("/tmp");
}

static enum status open_folders(struct fnexec *f, const struct executor_config *c, struct err *e)
{
    f->x.state_folder = arena_str(&f->arena, c->state_folder);
    f->x.runtimes_folder = arena_str(&f->arena, c->runtimes_folder);
    if (c->state_folder.n > 0) {
        enum status s = file_make_dir(f->x.state_folder.p, 0700, e);
        if (s == OK)
            s = take_lock(f, e);
        if (s != OK)
            return s;
    }
    return scratch_start(&f->x, c->scratch_folder.n > 0 ? c->scratch_folder : default_scratch(),
                         &f->arena, e);
}

/* What is asked of the kernel, and removed of a killed one's, only where a function needs it. */
static void find_cgroups(struct executor *x)
{
    bool is_wanted = false;

    for (size_t i = 0; i < x->manifest->n_functions; i++)
        is_wanted = is_wanted || x->manifest->functions[i].memory_limit == MEMORY_CGROUP;
    if (!is_wanted)
        return;
    cgroup_find_own(&x->cgroups);
    cgroup_remove_dead(&x->cgroups);
}

static enum status start_parts(struct fnexec *f, const struct executor_config *c, struct err *e)
{
    struct executor *x = &f->x;

    enum status s = open_folders(f, c, e);
    find_cgroups(x); /* what a killed one left in them was ended with its folder */
    if (s == OK)
        s = telemetry_start(x, c->log_retention_ns, &x->telemetry, e);
    if (s != OK)
        return s;
    telemetry_echo(x->telemetry, c->echo);
    s = durable_open(x, e);
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
        front.listener = f->listener;
        if (s == OK)
            f->listener = 0;
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
    return OK;
}

/* --- what needs the files --- */

static enum status use_files(struct fnexec *f, struct err *e)
{
    enum status s = durable_start(&f->x, e);

    if (s == OK)
        s = telemetry_ready(f->x.telemetry, e);
    if (s != OK || !f->front)
        return s;
    s = durable_resume(&f->x, e);
    return s == OK ? triggers_start(&f->x, &f->triggers, e) : s;
}

static bool open_rest(struct executor *x)
{
    struct fnexec *f = (struct fnexec *)x; /* its first member */

    return use_files(f, &f->open_error) == OK;
}

bool executor_ready(struct executor *x)
{
    bool (*run)(struct executor * x) = x->open_rest;

    x->open_rest = NULL;
    if (run)
        x->is_unusable = !run(x);
    return !x->is_unusable;
}

/* Who called while we started is answered first, if that is soon done. */
static enum status answer_early(struct fnexec *f, struct err *e)
{
    struct executor *x = &f->x;
    int64_t until = clock_monotonic(&x->clock) + EARLY_NS, left = EARLY_NS;
    enum status s = OK;

    while (s == OK && left > 0 && x->open_rest &&
           (loop_has_work(x->loop) || invoker_is_busy(x->invoker))) {
        s = loop_turn(x->loop, left, e);
        left = until - clock_monotonic(&x->clock);
    }
    return s;
}

/* Both files open at the same time, each on its own thread. Calls that come meanwhile are served;
 * one that needs the files ends the waiting. */
static enum status wait_for_files(struct fnexec *f, struct err *e)
{
    enum status s = f->front ? answer_early(f, e) : OK;

    telemetry_go(f->x.telemetry);
    durable_go(&f->x);
    while (s == OK && f->front && f->x.open_rest &&
           !(durable_is_open(&f->x) && telemetry_is_open(f->x.telemetry)))
        s = loop_turn(f->x.loop, -1, e);
    if (s != OK || executor_ready(&f->x))
        return s;
    if (e)
        *e = f->open_error;
    return f->open_error.code;
}

enum status fnexec_start(const struct executor_config *config, struct loop *l, struct fnexec **out,
                         struct err *e)
{
    struct fnexec *f = xcalloc(1, sizeof(*f));

    f->lock_fd = -1;
    f->listener = config->listener;
    f->x.loop = l;
    f->x.clock = clock_system();
    f->x.manifest = config->manifest;
    rng_seed_system(&f->x.rng);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sandbox_assume(&f->x.sandbox);
    f->x.open_rest = open_rest;
    enum status s = start_parts(f, config, e);
    if (s == OK)
        s = start_doors(f, config, e);
    if (s == OK)
        s = wait_for_files(f, e);
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
    scratch_clear(&f->x);
    if (f->lock_fd >= 0)
        close(f->lock_fd);
    if (f->listener > 0)
        close(f->listener);
    arena_clear(&f->arena);
    free(f);
}

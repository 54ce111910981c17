/* The process of an environment: program, environment variables, output, memory. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/program_path.h"
#include "core/base/rng.h"
#include "executor/fndef_options.h"
#include "executor/ids.h"
#include "executor/instance.h"
#include "executor/sandbox_folders.h"
#include "executor/scratch.h"

#define MIB            ((uint64_t)1 << 20)
#define LINE_MAX_BYTES ((size_t)1 << 17)

/* --- environment variables --- */

struct env {
    struct arena *arena;
    char **items;
    size_t n, cap;
};

static void env_add(struct env *env, const char *name, struct str value)
{
    env->items = arena_grow(env->arena, env->items, env->n, &env->cap, sizeof(char *));
    struct str line = arena_printf(env->arena, "%s=" STR_FMT, name, STR_ARG(value));
    env->items[env->n++] = arena_strz(env->arena, line);
}

static void env_add_number(struct env *env, const char *name, uint64_t v)
{
    env_add(env, name, arena_printf(env->arena, "%llu", (unsigned long long)v));
}

/* The reserved variables of the Lambda documentation, then the user's. */
static void env_lambda(struct env *env, const struct instance *in)
{
    const struct fndef *fn = in->fn;
    const struct fn_runtime *rt = fn_runtime_find(fn->runtime);

    env_add(env, "_HANDLER", fn->handler);
    env_add(env, "AWS_REGION", in->x->manifest->region);
    env_add(env, "AWS_DEFAULT_REGION", in->x->manifest->region);
    if (rt->bootstrap)
        env_add(env, "AWS_EXECUTION_ENV",
                arena_printf(env->arena, "AWS_Lambda_" STR_FMT, STR_ARG(fn->runtime)));
    env_add(env, "AWS_LAMBDA_FUNCTION_NAME", fn->name);
    env_add_number(env, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", fn->memory_bytes / MIB);
    env_add(env, "AWS_LAMBDA_FUNCTION_VERSION", STR("$LATEST"));
    env_add(env, "AWS_LAMBDA_INITIALIZATION_TYPE",
            in->is_provisioned ? STR("provisioned-concurrency") : STR("on-demand"));
    env_add(env, "AWS_LAMBDA_LOG_GROUP_NAME", fn->log_group);
    env_add(env, "AWS_LAMBDA_LOG_STREAM_NAME", in->stream.log.name);
    env_add(env, "LAMBDA_TASK_ROOT", in->code);
    env_add(env, "LAMBDA_RUNTIME_DIR", in->x->runtimes_folder);
    env_add(env, "TZ", STR(":UTC"));
}

static void env_access(struct env *env, const struct instance *in)
{
    static const char *const app_levels[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
    const struct fndef *fn = in->fn;
    struct str tmp = in->has_private_tmp ? STR("/tmp") : in->scratch;

    /* Keys that work nowhere but here: SDKs insist on some. */
    env_add(env, "AWS_ACCESS_KEY_ID", STR("FNEXEC"));
    env_add(env, "AWS_SECRET_ACCESS_KEY", STR("fnexec"));
    env_add(env, "AWS_SESSION_TOKEN", STR("fnexec"));
    if (in->x->endpoint.n > 0)
        env_add(env, "AWS_ENDPOINT_URL", in->x->endpoint);
    if (fn->log_format == LOG_FORMAT_JSON) {
        env_add(env, "AWS_LAMBDA_LOG_FORMAT", STR("JSON"));
        env_add(env, "AWS_LAMBDA_LOG_LEVEL", str_from(app_levels[fn->application_level]));
    }
    if (in->api_address.n > 0)
        env_add(env, "AWS_LAMBDA_RUNTIME_API", in->api_address);
    env_add(env, "PATH", str_from(program_path()));
    env_add(env, "LANG", STR("en_US.UTF-8"));
    env_add(env, "HOME", tmp);
    env_add(env, "TMPDIR", tmp);
    env_add(env, "PYTHONUNBUFFERED", STR("1"));
    env_add(env, "AWS_XRAY_CONTEXT_MISSING", STR("LOG_ERROR"));
}

static char **environment_of(const struct instance *in, struct arena *a)
{
    struct env env = {.arena = a};

    env_lambda(&env, in);
    env_access(&env, in);
    for (size_t i = 0; i < in->fn->n_env; i++)
        env_add(&env, in->fn->env[i].name.p, in->fn->env[i].value);
    env.items = arena_grow(a, env.items, env.n, &env.cap, sizeof(char *));
    env.items[env.n] = NULL;
    return env.items;
}

/* --- program --- */

/* V8 sizes its heap by the machine unless told otherwise. */
static char *heap_flag(struct arena *a, const struct fndef *fn)
{
    uint64_t mib = fn->memory_bytes / MIB;

    return arena_strz(
        a, arena_printf(a, "--max-old-space-size=%llu", (unsigned long long)(mib - mib / 10)));
}

static enum status arguments_of(const struct instance *in, struct arena *a, char **argv,
                                struct err *e)
{
    const struct fndef *fn = in->fn;
    const struct fn_runtime *rt = fn_runtime_find(fn->runtime);
    struct str program = fn_program_name(fn);
    size_t n = 0;

    if (!rt->interpreter) {
        argv[n++] = arena_strz(
            a, arena_printf(a, STR_FMT "/" STR_FMT, STR_ARG(in->code), STR_ARG(program)));
        argv[n] = NULL;
        return OK;
    }
    if (!program_find(a, rt->interpreter, &argv[n++]))
        return err_set(e, ERR_CONFIG, "%s is not installed (looked in PATH)", rt->interpreter);
    if (str_starts(fn->runtime, STR("node")))
        argv[n++] = heap_flag(a, fn);
    argv[n++] = arena_strz(
        a, arena_printf(a, STR_FMT "/%s", STR_ARG(in->x->runtimes_folder), rt->bootstrap));
    argv[n] = NULL;
    return OK;
}

/* --- start --- */

static void on_tree_gone(void *ctx, unsigned events)
{
    struct instance *in = ctx;

    UNUSED(events);
    loop_unwatch(in->x->loop, in->exit_watch);
    in->exit_watch = NULL;
    /* What it said before it ended counts, also when both become known at once. */
    in->link->drain(in);
    if (in->process.init <= 0)
        scratch_end_strays(in->x, in->scratch);
    spawn_reap_tree(&in->process);
    in->is_oom = in->is_oom || cgroup_had_oom(&in->cgroup);
    cgroup_remove(&in->cgroup);
    in->max_memory_bytes =
        in->end.max_rss_bytes > in->max_memory_bytes ? in->end.max_rss_bytes : in->max_memory_bytes;
    instance_event(in, EV_EXITED);
}

/* The program has ended: over is it when all that it started has, too. */
static void on_exit_ready(void *ctx, unsigned events)
{
    struct instance *in = ctx;
    struct loop *l = in->x->loop;

    loop_unwatch(l, in->exit_watch);
    in->exit_watch = NULL;
    in->has_exited = true;
    in->end = spawn_reap_program(&in->process);
    instance_event(in, EV_PROGRAM_ENDED);
    int tree = in->process.init_pidfd;
    if (tree < 0 || loop_watch(l, tree, on_tree_gone, in, &in->exit_watch, NULL) != OK)
        on_tree_gone(in, events);
}

static void on_output(void *ctx, unsigned events)
{
    UNUSED(events);
    process_read_output(ctx, false);
}

/* /dev/stdout and /dev/stderr are opened anew through /proc, by owner and mode of the pipe. */
static void give_pipe(const struct instance *in, int fd)
{
    if (in->fn->user != 0 && fchown(fd, (uid_t)in->fn->user, (gid_t)in->fn->user) != 0)
        log_event(LOG_WARN, "output of function " STR_FMT ": %s", STR_ARG(in->fn->name),
                  strerror(errno));
}

static enum status open_output(struct instance *in, int *child, struct err *e)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_errno(e, errno, "pipe for output");
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    in->output_fd = ends[0];
    *child = ends[1];
    give_pipe(in, ends[1]);
    return loop_watch(in->x->loop, in->output_fd, on_output, in, &in->output_watch, e);
}

static void open_statm(struct instance *in)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/statm", (int)in->process.pid);
    in->statm_fd = open(path, O_RDONLY | O_CLOEXEC);
}

static enum status make_sandbox(struct instance *in, struct arena *a, const char *program,
                                struct sandbox *s, struct err *e)
{
    bool with_namespaces = in->fn->isolation != ISOLATION_PROCESS;
    unsigned steps = in->fn->isolation == ISOLATION_STRICT
                         ? SANDBOX_ALL
                         : sandbox_steps(&in->x->sandbox, with_namespaces);

    in->has_private_tmp = (steps & 1U << SANDBOX_PRIVATE_TMP) != 0;
    if (in->fn->user != 0)
        steps |= 1U << SANDBOX_USER; /* it does not run as we do instead */
    sandbox_init(s, steps, in->scratch.p, (uint64_t)in->fn->ephemeral_mb * MIB);
    s->user = (unsigned)in->fn->user;
    return in->has_private_tmp ? sandbox_folders(in, a, program, s, e) : OK;
}

/* The temporary folder belongs to whom the function runs as. */
static void give_scratch(const struct instance *in)
{
    if (in->fn->user != 0 && chown(in->scratch.p, (uid_t)in->fn->user, (gid_t)in->fn->user) != 0)
        log_event(LOG_WARN, "scratch folder " STR_FMT ": %s", STR_ARG(in->scratch),
                  strerror(errno));
}

static enum status spawn_boxed(struct instance *in, struct arena *a, struct spawn_request *rq,
                               struct err *e)
{
    struct sandbox box;

    if (make_sandbox(in, a, rq->argv[0], &box, e) != OK)
        return e->code;
    give_scratch(in);
    rq->envp = environment_of(in, a);
    rq->sandbox = &box;
    return spawn(rq, &in->process, e);
}

/* The process's own limits, when its function wants the kernel's. */
static enum status make_cgroup(struct instance *in, struct arena *a, struct err *e)
{
    struct executor *x = in->x;

    if (in->fn->memory_limit != MEMORY_CGROUP)
        return OK;
    return cgroup_make(&x->cgroups, hex_new(&x->rng, a, 8), in->fn->memory_bytes, &in->cgroup, e);
}

/* Once, for all that start without. Another user is no matter of those that name none. */
static void tell_missing(const struct sandbox_report *r)
{
    AUTO(buf_clear) struct buf names = {.max = 1024};

    for (unsigned i = 0; i < SANDBOX_STEPS; i++)
        if (!r->works[i] && i != SANDBOX_USER)
            buf_addf(&names, "%s%s", names.n > 0 ? ", " : "",
                     sandbox_step_name((enum sandbox_step)i));
    if (names.n > 0)
        log_event(LOG_WARN,
                  "this machine does not allow all of the sandbox: functions start without " STR_FMT
                  ", those of isolation strict do not start (see fnexec doctor)",
                  STR_ARG(buf_str(&names)));
}

/* Every step of the sandbox is taken for granted until a start fails: only then is it worth the
 * time to find out which this machine allows. */
static enum status start_child(struct instance *in, struct arena *a, int output, struct err *e)
{
    struct sandbox_report *report = &in->x->sandbox;
    char *argv[8] = {0};

    in->code = path_resolved(&in->arena, in->fn->code);
    if (arguments_of(in, a, argv, e) != OK)
        return e->code;
    struct spawn_request rq = {.argv = argv,
                               .folder = in->code.p,
                               .requests_fd = in->child_requests_fd,
                               .answers_fd = in->child_answers_fd,
                               .output_fd = output};
    if (make_cgroup(in, a, e) != OK)
        return e->code;
    rq.cgroup = in->cgroup.n > 0 ? &in->cgroup : NULL;
    enum status s = spawn_boxed(in, a, &rq, e);
    if (s == OK || report->is_probed || rq.errnum == 0)
        return s;
    sandbox_probe(report);
    tell_missing(report);
    *e = (struct err){0};
    return spawn_boxed(in, a, &rq, e);
}

enum status process_start(struct instance *in, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    int output = -1;

    enum status s = in->link->open(in, e);
    if (s == OK)
        s = open_output(in, &output, e);
    if (s == OK)
        s = start_child(in, &a, output, e);
    cgroup_close(&in->cgroup);
    fd_close(&output);
    fd_close(&in->child_requests_fd);
    fd_close(&in->child_answers_fd);
    if (s == OK)
        s = loop_watch(in->x->loop, in->process.pidfd, on_exit_ready, in, &in->exit_watch, e);
    if (s != OK) {
        cgroup_remove(&in->cgroup);
        process_forget(in);
        return s;
    }
    open_statm(in);
    return OK;
}

void process_kill(struct instance *in)
{
    if (in->process.pidfd >= 0)
        spawn_signal(&in->process, SIGKILL);
}

void process_forget(struct instance *in)
{
    struct loop *l = in->x->loop;

    loop_unwatch(l, in->exit_watch);
    loop_unwatch(l, in->output_watch);
    in->exit_watch = in->output_watch = NULL;
    fd_close(&in->output_fd);
    fd_close(&in->statm_fd);
    buf_reset(&in->output);
    in->link->close(in);
}

/* --- output --- */

static void emit_lines(struct instance *in, bool is_last)
{
    struct str rest = buf_str(&in->output);

    for (size_t n; (n = str_find_char(rest, '\n')) < rest.n; rest = str_skip(rest, n + 1))
        if (n > 0)
            instance_log(in, str_sub(rest, 0, n + 1));
    if (rest.n > 0 && (is_last || rest.n >= LINE_MAX_BYTES)) {
        instance_log(in, rest);
        rest = (struct str){0};
    }
    /* What is left moves to the front. */
    size_t keep = rest.n;
    if (keep > 0 && rest.p != in->output.p)
        memmove(in->output.p, rest.p, keep);
    buf_cut(&in->output, keep);
}

void process_read_output(struct instance *in, bool is_last)
{
    bool has_read = false;

    while (in->output_fd >= 0) {
        buf_reserve(&in->output, 16384);
        ssize_t n = read(in->output_fd, in->output.p + in->output.n, 16384);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0) {
            loop_unwatch(in->x->loop, in->output_watch);
            in->output_watch = NULL;
            fd_close(&in->output_fd);
        }
        if (n <= 0)
            break;
        buf_grown(&in->output, (size_t)n);
        has_read = true;
        emit_lines(in, false);
        if (n < 16384)
            break;
    }
    if (is_last && (has_read || in->output.n > 0))
        emit_lines(in, true);
}

/* --- memory --- */

/* Resident pages: the second number of statm. */
uint64_t process_memory(struct instance *in)
{
    char text[128];
    uint64_t pages = 0;

    if (in->statm_fd < 0)
        return 0;
    ssize_t n = pread(in->statm_fd, text, sizeof(text), 0);
    if (n <= 0)
        return 0;
    struct str rest = {text, (size_t)n};
    str_cut(&rest, ' ');
    if (!str_to_u64(str_cut(&rest, ' '), &pages))
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* clone() with CLONE_VM and CLONE_VFORK: we stand still until the child has called exec or given
 * up, so it may use our memory to say why it gave up. */
#include "executor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/macros.h"

#define STACK_BYTES ((size_t)64 << 10)

enum child_stage { CHILD_CGROUP, CHILD_SANDBOX, CHILD_FILES, CHILD_FOLDER, CHILD_EXEC };

struct child {
    const struct spawn_request *rq;
    enum child_stage stage;
    enum sandbox_step step;
    int errnum;
};

/* Out of the way of the numbers that are given away. */
static int lift_fd(int fd)
{
    return fd > SPAWN_ANSWERS_FD || fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, SPAWN_ANSWERS_FD + 1);
}

static int place_files(const struct spawn_request *rq)
{
    int null_fd = lift_fd(open("/dev/null", O_RDWR | O_CLOEXEC));
    int output = rq->output_fd >= 0 ? lift_fd(rq->output_fd) : null_fd;
    int requests = lift_fd(rq->requests_fd), answers = lift_fd(rq->answers_fd);
    bool has_link = requests >= 0 && answers >= 0;

    if (null_fd < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0 ||
        dup2(null_fd, STDIN_FILENO) < 0)
        return errno;
    if (has_link && (dup2(requests, SPAWN_REQUESTS_FD) < 0 || dup2(answers, SPAWN_ANSWERS_FD) < 0))
        return errno;
    unsigned first = has_link ? SPAWN_ANSWERS_FD + 1 : SPAWN_REQUESTS_FD;
    return syscall(SYS_close_range, first, ~0U, 0) != 0 ? errno : 0;
}

/* Handlers are ours alone (the table is a copy), the mask is inherited: give the child a clean
 * slate. */
static void reset_signals(void)
{
    sigset_t none;

    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int run_child(void *arg)
{
    struct child *c = arg;
    const struct spawn_request *rq = c->rq;

    reset_signals();
    c->stage = CHILD_CGROUP;
    c->errnum = rq->cgroup ? cgroup_enter(rq->cgroup) : 0;
    if (c->errnum)
        _exit(127);
    c->stage = CHILD_SANDBOX;
    c->errnum = rq->sandbox ? sandbox_enter(rq->sandbox, &c->step) : 0;
    if (c->errnum)
        _exit(127);
    c->stage = CHILD_FOLDER;
    if (rq->folder && chdir(rq->folder) != 0) {
        c->errnum = errno;
        _exit(127);
    }
    c->stage = CHILD_FILES;
    c->errnum = place_files(rq);
    if (c->errnum)
        _exit(127);
    c->stage = CHILD_EXEC;
    execve(rq->argv[0], rq->argv, rq->envp);
    c->errnum = errno;
    _exit(127);
}

static enum status explain(const struct child *c, struct err *e)
{
    switch (c->stage) {
    case CHILD_CGROUP:
        return err_errno(e, c->errnum, "entering a cgroup");
    case CHILD_SANDBOX:
        return err_errno(e, c->errnum, "sandbox: %s", sandbox_step_name(c->step));
    case CHILD_FILES:
        return err_errno(e, c->errnum, "descriptors of a new process");
    case CHILD_FOLDER:
        return err_set(e, ERR_CONFIG, "folder %s: %s", c->rq->folder, strerror(c->errnum));
    case CHILD_EXEC:
        break;
    }
    return err_set(e, ERR_CONFIG, "program %s: %s", c->rq->argv[0], strerror(c->errnum));
}

/* The child left by exec or _exit in the middle of its frames: the address sanitizer must forget
 * the marks of those before another child stands there. */
#if defined(__SANITIZE_ADDRESS__)
void __asan_unpoison_memory_region(void const volatile *p, size_t n);
static void forget_frames(const char *stack)
{
    __asan_unpoison_memory_region(stack, STACK_BYTES);
}
#else
static void forget_frames(const char *stack)
{
    UNUSED(stack);
}
#endif

/* A child that shares our memory until exec is charged with the most we ever had resident, so that
 * peak is set back to what we have now (proc(5), clear_refs), and what is left of it is noted. */
static long lower_our_peak(void)
{
    struct rusage ours = {0};
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

    if (fd >= 0) {
        ssize_t n = write(fd, "5", 1);
        UNUSED(n);
        close(fd);
    }
    getrusage(RUSAGE_SELF, &ours);
    return ours.ru_maxrss;
}

enum status spawn(struct spawn_request *rq, struct spawned *out, struct err *e)
{
    struct child c = {.rq = rq};
    unsigned long flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
    struct spawned p = {.pid = -1, .pidfd = -1, .our_peak_kb = lower_our_peak()};
    char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

    rq->errnum = 0;
    if (stack == MAP_FAILED)
        return err_errno(e, errno, "stack of a new process");
    flags |= rq->sandbox ? sandbox_clone_flags(rq->sandbox) : 0;
    p.pid = clone(run_child, stack + STACK_BYTES, (int)flags, &c, &p.pidfd);
    int errnum = errno;
    if (rq->sandbox && rq->sandbox->user != 0)
        prctl(PR_SET_DUMPABLE, 1); /* the child's change of user took it from our shared memory */
    forget_frames(stack);
    munmap(stack, STACK_BYTES);
    if (p.pid < 0) {
        rq->errnum = errnum;
        return err_errno(e, errnum, "starting a process");
    }
    if (c.errnum) {
        rq->errnum = c.errnum;
        spawn_reap(&p);
        return explain(&c, e);
    }
    *out = p;
    return OK;
}

void spawn_signal(const struct spawned *p, int signo)
{
    syscall(SYS_pidfd_send_signal, p->pidfd, signo, NULL, 0);
    kill(-p->pid, signo);
}

struct spawn_end spawn_reap(struct spawned *p)
{
    struct spawn_end end = {.code = -1};
    struct rusage usage = {0};
    int status = 0;

    while (wait4(p->pid, &status, 0, &usage) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status))
        end.code = WEXITSTATUS(status);
    else if (WIFSIGNALED(status))
        end.signo = WTERMSIG(status);
    if (usage.ru_maxrss > p->our_peak_kb)
        end.max_rss_bytes = (uint64_t)usage.ru_maxrss << 10;
    close(p->pidfd);
    p->pidfd = -1;
    return end;
}

void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

struct str spawn_end_text(const struct spawn_end *end, char *room, size_t n)
{
    static const struct {
        int signo;
        const char *name;
    } names[] = {{SIGKILL, "killed"},
                 {SIGSEGV, "segmentation fault"},
                 {SIGABRT, "aborted"},
                 {SIGTERM, "terminated"},
                 {SIGBUS, "bus error"},
                 {SIGILL, "illegal instruction"},
                 {SIGFPE, "floating point exception"}};

    if (end->signo == 0) {
        snprintf(room, n, "exit status %d", end->code);
        return str_from(room);
    }
    snprintf(room, n, "signal: %d", end->signo);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].signo == end->signo)
            snprintf(room, n, "signal: %s", names[i].name);
    return str_from(room);
}

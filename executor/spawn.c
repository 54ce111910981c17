/* clone() with CLONE_VM and CLONE_VFORK: we stand still until the child has called exec or given
 * up, so it may use our memory to say why it gave up. */
#include "executor/spawn.h"

#include <assert.h>
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
#include "executor/pid_one.h"

#define STACK_BYTES  ((size_t)64 << 10)
#define STACKS_BYTES (2 * STACK_BYTES)

/* What a child shares with the address space while it is on its way. */
enum child_stage {
    CHILD_START,
    CHILD_CGROUP,
    CHILD_SANDBOX,
    CHILD_FILES,
    CHILD_FOLDER,
    CHILD_EXEC
};

struct child {
    const struct spawn_request *rq;
    char *inner_stack; /* of the processes that the opener starts, one after the other; its end */
    int pid_one;       /* its program; -1: no process tree of its own */
    pid_t init, pid;   /* that the opener started; 0: none */
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

/* Ends the child; its errnum says whether it failed. */
__attribute__((noreturn)) static void give_up(struct child *c, enum child_stage stage, int errnum)
{
    c->stage = stage;
    c->errnum = errnum;
    _exit(127);
}

static void enter_cgroup(struct child *c)
{
    int errnum = c->rq->cgroup ? cgroup_enter(c->rq->cgroup) : 0;

    if (errnum)
        give_up(c, CHILD_CGROUP, errnum);
}

static void enter_sandbox(struct child *c, unsigned left_out)
{
    int errnum = c->rq->sandbox ? sandbox_enter(c->rq->sandbox, left_out, &c->step) : 0;

    if (errnum)
        give_up(c, CHILD_SANDBOX, errnum);
}

/* --- the program itself --- */

static int run_program(void *arg)
{
    struct child *c = arg;
    const struct spawn_request *rq = c->rq;

    reset_signals();
    if (c->pid_one < 0)
        enter_cgroup(c);
    enter_sandbox(c, c->pid_one < 0 ? 0 : SANDBOX_SHARED);
    if (rq->folder && chdir(rq->folder) != 0)
        give_up(c, CHILD_FOLDER, errno);
    int errnum = place_files(rq);
    if (errnum)
        give_up(c, CHILD_FILES, errnum);
    execve(rq->argv[0], rq->argv, rq->envp);
    give_up(c, CHILD_EXEC, errno);
}

/* --- the first of a process tree --- */

static int run_pid_one(void *arg)
{
    struct child *c = arg;
    char name[] = "fnexec-init";
    char *argv[] = {name, NULL};

    reset_signals();
    signal(SIGCHLD, SIG_IGN);
    enter_sandbox(c, 0);
    /* Its folder must not lead around the mounts: the function finds it in /proc/1. */
    if (chdir("/") != 0)
        give_up(c, CHILD_FILES, errno);
    if (dup2(c->pid_one, STDIN_FILENO) < 0 ||
        syscall(SYS_close_range, STDIN_FILENO + 1, ~0U, 0) != 0 ||
        fcntl(STDIN_FILENO, F_SETFD, FD_CLOEXEC) != 0)
        give_up(c, CHILD_FILES, errno);
    syscall(SYS_execveat, STDIN_FILENO, "", argv, c->rq->envp, AT_EMPTY_PATH);
    c->step = SANDBOX_NAMESPACES;
    give_up(c, CHILD_SANDBOX, errno);
}

/* Children of our parent, not of ours: it waits for them, and we do not stay. */
static pid_t start_sibling(struct child *c, int (*run)(void *arg))
{
    pid_t pid = clone(run, c->inner_stack, CLONE_VM | CLONE_VFORK | CLONE_PARENT | SIGCHLD, c);

    if (pid < 0)
        give_up(c, CHILD_START, errno);
    return pid;
}

/* Whoever opens a process tree is not in it: it starts the first of the tree, then the program. */
static int run_opener(void *arg)
{
    struct child *c = arg;

    enter_cgroup(c);
    c->step = SANDBOX_NAMESPACES;
    int errnum = sandbox_open(c->rq->sandbox);
    if (errnum)
        give_up(c, CHILD_SANDBOX, errnum);
    c->init = start_sibling(c, run_pid_one);
    if (c->errnum == 0)
        c->pid = start_sibling(c, run_program);
    return 0; /* ends it, as _exit() would: that the address sanitizer comments on this stack */
}

/* Without capabilities root, too, only gets where the permissions say so. */
static enum status no_entry(const struct child *c, const char *what, const char *path,
                            struct err *e)
{
    return err_set(e, ERR_CONFIG, "%s %s: %s%s", what, path, strerror(c->errnum),
                   c->errnum == EACCES && c->rq->sandbox
                       ? ": give the user it runs as the permission, on all folders above too"
                       : "");
}

static enum status explain(const struct child *c, struct err *e)
{
    switch (c->stage) {
    case CHILD_START:
        return err_errno(e, c->errnum, "starting a process");
    case CHILD_CGROUP:
        return err_errno(e, c->errnum, "entering a cgroup");
    case CHILD_SANDBOX:
        return err_errno(e, c->errnum, "sandbox: %s (see fnexec doctor)",
                         sandbox_step_name(c->step));
    case CHILD_FILES:
        return err_errno(e, c->errnum, "descriptors of a new process");
    case CHILD_FOLDER:
        return no_entry(c, "folder", c->rq->folder, e);
    case CHILD_EXEC:
        break;
    }
    return no_entry(c, "program", c->rq->argv[0], e);
}

/* The child left by exec or _exit in the middle of its frames: the address sanitizer must forget
 * the marks of those before another child stands there. */
#if defined(__SANITIZE_ADDRESS__)
void __asan_unpoison_memory_region(void const volatile *p, size_t n);
static void forget_frames(const char *stack)
{
    __asan_unpoison_memory_region(stack, STACKS_BYTES);
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

static int pidfd_of(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

static void wait_for(pid_t pid, int *status, struct rusage *usage)
{
    while (wait4(pid, status, 0, usage) < 0 && errno == EINTR)
        ;
}

/* The child runs on that stack until it has called exec or given up. */
static enum status start_child(struct child *c, char *stack, struct spawned *p, struct err *e)
{
    const struct sandbox *box = c->rq->sandbox;
    bool has_tree = c->pid_one >= 0;
    unsigned long flags = CLONE_VM | CLONE_VFORK | SIGCHLD;

    c->inner_stack = stack + STACK_BYTES;
    flags |= has_tree ? sandbox_clone_flags(box) : 0;
    pid_t pid = clone(has_tree ? run_opener : run_program, stack + STACKS_BYTES, (int)flags, c);
    int errnum = errno;
    if (box && box->user != 0)
        prctl(PR_SET_DUMPABLE, 1); /* the child's change of user took it from our shared memory */
    if (pid < 0) {
        c->errnum = errnum;
        c->stage = has_tree ? CHILD_SANDBOX : CHILD_START;
        c->step = SANDBOX_NAMESPACES;
        return explain(c, e);
    }
    if (has_tree)
        wait_for(pid, NULL, NULL);
    else
        c->pid = pid;
    p->pid = c->pid;
    p->init = c->init;
    return c->errnum ? explain(c, e) : OK;
}

/* What was started of it, when the whole failed. */
static void clear_away(struct spawned *p)
{
    const pid_t pids[] = {p->pid, p->init};

    for (size_t i = 0; i < ARRAY_LEN(pids); i++)
        if (pids[i] > 0) {
            kill(pids[i], SIGKILL);
            wait_for(pids[i], NULL, NULL);
        }
    fd_close(&p->pidfd);
    fd_close(&p->init_pidfd);
}

static enum status open_pidfds(struct spawned *p, struct err *e)
{
    p->pidfd = pidfd_of(p->pid);
    p->init_pidfd = p->init > 0 ? pidfd_of(p->init) : -1;
    return p->pidfd < 0 || (p->init > 0 && p->init_pidfd < 0)
               ? err_errno(e, errno, "descriptor of a process")
               : OK;
}

enum status spawn(struct spawn_request *rq, struct spawned *out, struct err *e)
{
    struct child c = {.rq = rq, .pid_one = -1};
    struct spawned p = {.pidfd = -1, .init_pidfd = -1, .our_peak_kb = lower_our_peak()};
    char *stack = mmap(NULL, STACKS_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

    rq->errnum = 0;
    if (stack == MAP_FAILED)
        return err_errno(e, errno, "stack of a new process");
    if (rq->sandbox && sandbox_has_namespaces(rq->sandbox) && (c.pid_one = pid_one_open()) < 0) {
        c.errnum = errno;
        c.stage = CHILD_SANDBOX;
        c.step = SANDBOX_NAMESPACES;
    }
    enum status s = c.errnum ? explain(&c, e) : start_child(&c, stack, &p, e);
    forget_frames(stack);
    munmap(stack, STACKS_BYTES);
    fd_close(&c.pid_one);
    if (s == OK)
        s = open_pidfds(&p, e);
    if (s != OK) {
        rq->errnum = c.errnum;
        clear_away(&p);
        return s;
    }
    *out = p;
    return OK;
}

void spawn_signal(const struct spawned *p, int signo)
{
    if (p->init_pidfd >= 0)
        syscall(SYS_pidfd_send_signal, p->init_pidfd, signo, NULL, 0);
    if (p->pid <= 0)
        return; /* reaped: its number may be another's */
    syscall(SYS_pidfd_send_signal, p->pidfd, signo, NULL, 0);
    kill(-p->pid, signo);
}

struct spawn_end spawn_reap_program(struct spawned *p)
{
    struct spawn_end end = {.code = -1};
    struct rusage usage = {0};
    int status = 0;

    siginfo_t info;

    assert(p->pid > 0);
    /* As long as nobody has waited for it, its number is no other group's. */
    while (waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
        ;
    kill(-p->pid, SIGKILL);
    wait_for(p->pid, &status, &usage);
    p->pid = 0;
    if (p->init_pidfd >= 0)
        syscall(SYS_pidfd_send_signal, p->init_pidfd, SIGKILL, NULL, 0);
    if (WIFEXITED(status))
        end.code = WEXITSTATUS(status);
    else if (WIFSIGNALED(status))
        end.signo = WTERMSIG(status);
    if (usage.ru_maxrss > p->our_peak_kb)
        end.max_rss_bytes = (uint64_t)usage.ru_maxrss << 10;
    return end;
}

void spawn_reap_tree(struct spawned *p)
{
    if (p->init > 0)
        wait_for(p->init, NULL, NULL);
    p->init = 0;
    fd_close(&p->pidfd);
    fd_close(&p->init_pidfd);
}

struct spawn_end spawn_reap(struct spawned *p)
{
    struct spawn_end end = {.code = -1};

    if (p->pid > 0)
        end = spawn_reap_program(p);
    spawn_reap_tree(p);
    return end;
}

void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Go's names (syscall/zerrors_linux_*.go), which Lambda's errors have; it has no others. */
static const char *const signal_names[] = {
    [SIGHUP] = "hangup",
    [SIGINT] = "interrupt",
    [SIGQUIT] = "quit",
    [SIGILL] = "illegal instruction",
    [SIGTRAP] = "trace/breakpoint trap",
    [SIGABRT] = "aborted",
    [SIGBUS] = "bus error",
    [SIGFPE] = "floating point exception",
    [SIGKILL] = "killed",
    [SIGUSR1] = "user defined signal 1",
    [SIGSEGV] = "segmentation fault",
    [SIGUSR2] = "user defined signal 2",
    [SIGPIPE] = "broken pipe",
    [SIGALRM] = "alarm clock",
    [SIGTERM] = "terminated",
};

struct str spawn_end_text(const struct spawn_end *end, char *room, size_t n)
{
    const size_t signo = (size_t)end->signo;

    if (signo == 0)
        snprintf(room, n, "exit status %d", end->code);
    else if (signo < ARRAY_LEN(signal_names) && signal_names[signo])
        snprintf(room, n, "signal: %s", signal_names[signo]);
    else
        snprintf(room, n, "signal: signal %d", end->signo); /* as Go writes the rest */
    return str_from(room);
}

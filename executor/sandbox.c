/* The steps, in the order they are taken. */
#include "executor/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "executor/sandbox_mounts.h"
#include "executor/spawn.h"
#include "executor/syscall_filter.h"

#define OPEN_FILES 1024
#define NOBODY     65534

static int enter_session(const struct sandbox *s)
{
    UNUSED(s);
    return setsid() < 0 ? errno : 0;
}

static int end_with_parent(const struct sandbox *s)
{
    UNUSED(s);
    return prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 ? errno : 0;
}

static int set_limits(const struct sandbox *s)
{
    const struct rlimit files = {OPEN_FILES, OPEN_FILES}, core = {0, 0};
    const struct rlimit size = {s->file_bytes, s->file_bytes};

    if (setrlimit(RLIMIT_NOFILE, &files) != 0 || setrlimit(RLIMIT_CORE, &core) != 0)
        return errno;
    return s->file_bytes > 0 && setrlimit(RLIMIT_FSIZE, &size) != 0 ? errno : 0;
}

static int give_up_privileges(const struct sandbox *s)
{
    UNUSED(s);
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ? errno : 0;
}

/* What a program could gain, by set-user-id or because root runs it. Who has no right to that gains
 * nothing anyway, by no_new_privs, unless he is root. */
static int bound_capabilities(const struct sandbox *s)
{
    int is_in_set;

    for (unsigned long i = 0; (is_in_set = prctl(PR_CAPBSET_READ, i, 0, 0, 0)) >= 0; i++)
        if (is_in_set && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0)
            return errno == EPERM && (s->uid != 0 || s->user != 0) ? 0 : errno;
    return 0;
}

/* What a change of user needs is left to it, and gone with it. */
static int give_up_capabilities(const struct sandbox *s)
{
    const unsigned left = s->user != 0 ? 1U << CAP_SETUID | 1U << CAP_SETGID : 0;
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{0}};
    int errnum = bound_capabilities(s);

    if (errnum || syscall(SYS_capget, &head, sets) != 0)
        return errnum ? errnum : errno;
    for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
        sets[i].permitted &= i == 0 ? left : 0;
        sets[i].effective = sets[i].permitted;
        sets[i].inheritable = 0;
    }
    return syscall(SYS_capset, &head, sets) != 0 ? errno : 0;
}

/* The bare calls: those of the C library tell all threads of this process, and here that means
 * fnexec's own, whose memory the child still shares. */
static int become_user(const struct sandbox *s)
{
    if (s->user == 0)
        return 0;
    if (syscall(SYS_setgroups, 0, NULL) != 0 ||
        syscall(SYS_setresgid, s->user, s->user, s->user) != 0 ||
        syscall(SYS_setresuid, s->user, s->user, s->user) != 0)
        return errno;
    return 0;
}

static int refuse_syscalls(const struct sandbox *s)
{
    UNUSED(s);
    return syscall_filter_enter();
}

int kernel_file_write(const char *path, const char *text, size_t n)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return errno;
    int errnum = write(fd, text, n) == (ssize_t)n ? 0 : errno;
    close(fd);
    return errnum;
}

/* "1000 1000 1\n" without stdio, which must not run here. */
static size_t map_line(char *out, unsigned id)
{
    char digits[12];
    size_t n = 0, len = 0;

    do
        digits[n++] = (char)('0' + id % 10);
    while ((id /= 10) > 0);
    for (int round = 0; round < 2; round++) {
        for (size_t i = n; i > 0; i--)
            out[len++] = digits[i - 1];
        out[len++] = ' ';
    }
    out[len++] = '1';
    out[len++] = '\n';
    return len;
}

/* A user namespace without maps would make it nobody. The ids are read before the maps are set, so
 * they come from the parent's side of the table. */
static int set_maps(unsigned uid, unsigned gid)
{
    char line[40];
    int errnum = kernel_file_write("/proc/self/setgroups", "deny", 4);

    if (errnum)
        return errnum;
    errnum = kernel_file_write("/proc/self/uid_map", line, map_line(line, uid));
    return errnum ? errnum : kernel_file_write("/proc/self/gid_map", line, map_line(line, gid));
}

int sandbox_open(const struct sandbox *s)
{
    int errnum = s->needs_maps ? set_maps(s->uid, s->gid) : 0;

    return errnum ? errnum : unshare(CLONE_NEWPID) != 0 ? errno : 0;
}

/* Woken by a request, it would take the processor from fnexec in the middle of its turn, and give
 * it back a moment later. Whoever runs fnexec under another policy than the usual has chosen. */
static int schedule_as_batch(const struct sandbox *s)
{
    const struct sched_param none = {0};

    UNUSED(s);
    if (sched_getscheduler(0) != SCHED_OTHER)
        return 0;
    return sched_setscheduler(0, SCHED_BATCH, &none) != 0 ? errno : 0;
}

static const struct {
    const char *name, *help;
    int (*enter)(const struct sandbox *s);
} steps[SANDBOX_STEPS] = {
    [SANDBOX_SESSION] = {"process group", "a function and what stays in its group are ended as one",
                         enter_session},
    [SANDBOX_PARENT_DEATH] = {"end with fnexec", "no function's program outlives fnexec",
                              end_with_parent},
    [SANDBOX_RLIMITS] = {"resource limits", "1024 descriptors, file size, no core files",
                         set_limits},
    [SANDBOX_NO_NEW_PRIVS] = {"no new privileges", "set-user-id programs gain nothing",
                              give_up_privileges},
    [SANDBOX_SYSCALLS] = {"system calls", "mounts, modules, tracing, clocks and keys are refused",
                          refuse_syscalls},
    [SANDBOX_NAMESPACES] = {"namespaces",
                            "own processes, mounts, host name and IPC; /proc is read-only",
                            mounts_open},
    [SANDBOX_CAPABILITIES] = {"no capabilities",
                              "a function of root's has root's files, no power "
                              "beyond them",
                              give_up_capabilities},
    [SANDBOX_USER] = {"other user", "a function runs as the user it names", become_user},
    [SANDBOX_PRIVATE_TMP] = {"private /tmp", "each environment has its own /tmp",
                             mounts_private_tmp},
    [SANDBOX_READ_ONLY] = {"read-only code", "its code, the manifest's folder and /sys",
                           mounts_read_only},
    [SANDBOX_BATCH] = {"batch scheduling", "a function that wakes up does not interrupt fnexec",
                       schedule_as_batch},
};

/* Mounts and limits need the privileges that the others give up, and sessions the new process tree;
 * without them only no_new_privs allows a filter. A change of user takes back the wish to end with
 * the parent. */
static const enum sandbox_step order[SANDBOX_STEPS] = {
    SANDBOX_SESSION, SANDBOX_NAMESPACES,   SANDBOX_PRIVATE_TMP, SANDBOX_READ_ONLY,
    SANDBOX_RLIMITS, SANDBOX_CAPABILITIES, SANDBOX_USER,        SANDBOX_PARENT_DEATH,
    SANDBOX_BATCH,   SANDBOX_NO_NEW_PRIVS, SANDBOX_SYSCALLS};

const char *sandbox_step_name(enum sandbox_step s)
{
    return steps[s].name;
}

const char *sandbox_step_help(enum sandbox_step s)
{
    return steps[s].help;
}

bool sandbox_has_namespaces(const struct sandbox *s)
{
    return (s->steps & 1U << SANDBOX_NAMESPACES) != 0;
}

unsigned long sandbox_clone_flags(const struct sandbox *s)
{
    return CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS |
           (s->needs_maps ? (unsigned long)CLONE_NEWUSER : 0);
}

int sandbox_enter(const struct sandbox *s, unsigned left_out, enum sandbox_step *failed)
{
    for (size_t i = 0; i < SANDBOX_STEPS; i++) {
        if (!(s->steps & ~left_out & 1U << order[i]))
            continue;
        int errnum = steps[order[i]].enter(s);
        if (errnum) {
            *failed = order[i];
            return errnum;
        }
    }
    return 0;
}

static void set_identity(struct sandbox *s)
{
    s->uid = geteuid();
    s->gid = getegid();
    s->needs_maps = s->uid != 0;
}

void sandbox_init(struct sandbox *s, unsigned wanted, const char *scratch, uint64_t file_bytes)
{
    *s = (struct sandbox){.steps = wanted, .scratch = scratch, .file_bytes = file_bytes};
    set_identity(s);
}

void sandbox_assume(struct sandbox_report *out)
{
    *out = (struct sandbox_report){0};
    for (unsigned i = 0; i < SANDBOX_STEPS; i++)
        out->works[i] = true;
}

/* Steps that stand on others: /tmp can only be replaced in a mount namespace, and a folder that
 * holds the scratch folder can only be read-only when that is /tmp. */
static unsigned needed_by(unsigned step)
{
    static const unsigned needed[SANDBOX_STEPS] = {[SANDBOX_PRIVATE_TMP] = 1U << SANDBOX_NAMESPACES,
                                                   [SANDBOX_READ_ONLY] = 1U << SANDBOX_NAMESPACES |
                                                                         1U << SANDBOX_PRIVATE_TMP,
                                                   [SANDBOX_SYSCALLS] = 1U << SANDBOX_NO_NEW_PRIVS};

    return needed[step];
}

void sandbox_probe(struct sandbox_report *out)
{
    char program[] = "/bin/true";
    char *argv[] = {program, NULL}, *envp[] = {NULL};

    *out = (struct sandbox_report){.is_probed = true};
    for (unsigned i = 0; i < SANDBOX_STEPS; i++) {
        struct sandbox_folder folder = {.path = "/var"};
        struct sandbox s;
        struct spawned child;
        struct spawn_request rq = {.argv = argv,
                                   .envp = envp,
                                   .sandbox = &s,
                                   .requests_fd = -1,
                                   .answers_fd = -1,
                                   .output_fd = -1};
        sandbox_init(&s, 1U << i | needed_by(i), "/var", 0);
        s.user = i == SANDBOX_USER ? NOBODY : 0;
        s.folders = &folder;
        s.n_folders = 1;
        out->works[i] = spawn(&rq, &child, NULL) == OK;
        out->errnum[i] = out->works[i] ? 0 : rq.errnum;
        if (out->works[i])
            spawn_reap(&child);
    }
}

unsigned sandbox_steps(const struct sandbox_report *r, bool with_namespaces)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < SANDBOX_STEPS; i++)
        if (r->works[i] && (with_namespaces || !(SANDBOX_SHARED & 1U << i)))
            bits |= 1U << i;
    for (unsigned i = 0; i < SANDBOX_STEPS; i++)
        if ((bits & needed_by(i)) != needed_by(i))
            bits &= ~(1U << i);
    return bits;
}

/* Groups as folders: made, written to, read, removed. */
#include "executor/cgroup.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/log.h"
#include "executor/sandbox.h"

#define PIDS_MAX  "1024"    /* processes and threads, as Lambda allows */
#define PREFIX    "fnexec-" /* then the process that made it */
#define MAIN_NAME PREFIX "main"
#define ROOM      4096
#define WAIT_MS   500 /* for processes that are ending */
#define STEP_MS   2
#define MOVES     16 /* some start while others are moved, and one reading has room for hundreds */

/* --- small files --- */

static struct str read_file(const char *folder, const char *name, char room[ROOM])
{
    char path[2 * CGROUP_PATH];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, room, ROOM) : -1;
    if (fd >= 0)
        close(fd);
    return (struct str){room, n > 0 ? (size_t)n : 0};
}

static int put(const char *folder, const char *name, const char *text)
{
    char path[2 * CGROUP_PATH];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return kernel_file_write(path, text, str_from(text).n);
}

/* "oom_kill 3" among lines of "name number". */
static uint64_t number_of(struct str text, struct str name)
{
    uint64_t v = 0;

    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        if (str_eq(str_cut(&line, ' '), name) && str_to_u64(line, &v))
            return v;
    }
    return 0;
}

static bool has_word(struct str text, struct str word)
{
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        while (line.n > 0)
            if (str_eq(str_cut(&line, ' '), word))
                return true;
    }
    return false;
}

/* --- where --- */

/* The path of a line "4:memory:/a" (v1) or "0::/a" (v2, controller ""). */
static bool own_path(struct str own, struct str controller, struct str *path)
{
    while (own.n > 0) {
        struct str line = str_cut(&own, '\n');
        str_cut(&line, ':');
        if (!str_eq(str_cut(&line, ':'), controller))
            continue;
        *path = str_eq(line, STR("/")) ? STR("") : line;
        return true;
    }
    return false;
}

/* A path that does not fit is none of ours. */
static bool set_folder(struct cgroup_place *out, size_t i, const char *root, const char *controller,
                       struct str path)
{
    int n = snprintf(out->folders[i], CGROUP_PATH, "%s%s%s" STR_FMT, root, controller[0] ? "/" : "",
                     controller, STR_ARG(path));

    if (n > 0 && n < CGROUP_PATH && access(out->folders[i], W_OK) == 0)
        return true;
    snprintf(out->why_not, sizeof(out->why_not),
             "%.180s is not ours: systemd gives it with Delegate=yes", out->folders[i]);
    return false;
}

static bool find_v2(const char *root, struct str own, struct cgroup_place *out)
{
    char room[ROOM], folder[CGROUP_PATH];
    struct str path;

    if (!own_path(own, STR(""), &path))
        return false;
    /* Whoever was moved there by a former run, a shell of root's maybe, starts us there. */
    if (str_ends(path, STR("/" MAIN_NAME)))
        path.n -= STR("/" MAIN_NAME).n;
    snprintf(folder, sizeof(folder), "%s" STR_FMT, root, STR_ARG(path));
    struct str controllers = read_file(folder, "cgroup.controllers", room);
    if (!has_word(controllers, STR("memory")) || !has_word(controllers, STR("pids")) ||
        !set_folder(out, 0, root, "", path))
        return false;
    out->version = CGROUP_V2;
    out->n = 1;
    return true;
}

static bool find_v1(const char *root, struct str own, struct cgroup_place *out)
{
    static const char *const controllers[CGROUP_FOLDERS] = {"memory", "pids"};

    for (size_t i = 0; i < CGROUP_FOLDERS; i++) {
        struct str path;
        if (!own_path(own, str_from(controllers[i]), &path) ||
            !set_folder(out, i, root, controllers[i], path))
            return false;
    }
    out->version = CGROUP_V1;
    out->n = CGROUP_FOLDERS;
    return true;
}

void cgroup_find(const char *root, struct str own, struct cgroup_place *out)
{
    *out = (struct cgroup_place){.why_not =
                                     "the kernel has no controllers of memory and processes here"};
    if (!find_v2(root, own, out) && !find_v1(root, own, out))
        out->n = 0;
}

void cgroup_find_own(struct cgroup_place *out)
{
    char room[ROOM];

    cgroup_find("/sys/fs/cgroup", read_file("/proc/self", "cgroup", room), out);
}

/* --- removing --- */

/* Who starts others meanwhile is met again: they are born into the same group. */
static void kill_all(const char *folder)
{
    char room[ROOM];
    struct str rest = read_file(folder, "cgroup.procs", room);
    uint64_t pid = 0;

    while (rest.n > 0)
        if (str_to_u64(str_cut(&rest, '\n'), &pid) && pid > 0 && pid <= INT_MAX)
            kill((pid_t)pid, SIGKILL);
}

/* Busy: something in it has not ended yet. Takes the time it waits from *left_ms. */
static int remove_folder(const char *path, bool kills, int *left_ms)
{
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    int errnum = 0;

    while ((errnum = rmdir(path) == 0 ? 0 : errno) == EBUSY && *left_ms > 0) {
        if (kills)
            kill_all(path);
        nanosleep(&step, NULL);
        *left_ms -= STEP_MS;
    }
    return errnum == ENOENT ? 0 : errnum;
}

/* --- what dead ones left --- */

/* Called before we make any: our own number stands for another that had it before. */
static bool is_dead_ones(struct str name)
{
    uint64_t pid = 0;

    if (!str_starts(name, STR(PREFIX)))
        return false;
    name = str_skip(name, sizeof(PREFIX) - 1);
    if (str_find_char(name, '-') == name.n || !str_to_u64(str_cut(&name, '-'), &pid) || pid == 0 ||
        pid > INT_MAX)
        return false;
    return (pid_t)pid == getpid() || (kill((pid_t)pid, 0) != 0 && errno == ESRCH);
}

static void remove_dead_one(const char *folder, const char *name, int *left_ms)
{
    char path[CGROUP_PATH + NAME_MAX];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    int errnum = remove_folder(path, false, left_ms);
    if (errnum)
        log_event(LOG_WARN, "cgroup %s of a killed fnexec stays: %s", path,
                  errnum == EBUSY ? "what its function started still runs" : strerror(errnum));
}

void cgroup_remove_dead(const struct cgroup_place *at)
{
    int left_ms = WAIT_MS;

    for (size_t i = 0; i < at->n; i++) {
        DIR *d = opendir(at->folders[i]);
        struct dirent *entry;
        while (d && (entry = readdir(d)) != NULL)
            if (is_dead_ones(str_from(entry->d_name)))
                remove_dead_one(at->folders[i], entry->d_name, &left_ms);
        if (d)
            closedir(d);
    }
}

/* --- a group --- */

/* One that has ended meanwhile, or that the kernel keeps where it is, is no fault here: whether the
 * group is empty is asked by who needs it. */
static void move_all(const char *from, const char *to)
{
    char room[ROOM], pid[24];
    struct str rest = read_file(from, "cgroup.procs", room);

    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        snprintf(pid, sizeof(pid), STR_FMT, STR_ARG(line));
        put(to, "cgroup.procs", pid);
    }
}

/* v2 gives controllers to groups below only when no process is in the group itself: we move, and
 * with us the environments that were started before, and whatever else was given this group. */
static int open_subtree(const char *folder)
{
    char room[ROOM], path[2 * CGROUP_PATH];

    if (has_word(read_file(folder, "cgroup.subtree_control", room), STR("memory")))
        return 0;
    snprintf(path, sizeof(path), "%s/" MAIN_NAME, folder);
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return errno;
    int errnum = put(path, "cgroup.procs", "0");
    for (int i = 0; errnum == 0 && i < MOVES; i++) {
        move_all(folder, path);
        errnum = put(folder, "cgroup.subtree_control", "+memory +pids");
        if (errnum != EBUSY)
            return errnum;
        errnum = i + 1 < MOVES ? 0 : errnum;
    }
    return errnum;
}

static int set_limits(const struct cgroup *g, uint64_t memory_bytes)
{
    char bytes[24];

    snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)memory_bytes);
    int errnum =
        put(g->folders[0], g->version == CGROUP_V2 ? "memory.max" : "memory.limit_in_bytes", bytes);
    if (errnum == 0)
        errnum = put(g->folders[g->n - 1], "pids.max", PIDS_MAX);
    if (errnum)
        return errnum;
    /* Without these a function would swap instead of ending; kernels built without swap lack them.
     */
    if (g->version == CGROUP_V2) {
        put(g->folders[0], "memory.swap.max", "0");
        put(g->folders[0], "memory.oom.group", "1");
    } else {
        put(g->folders[0], "memory.memsw.limit_in_bytes", bytes);
    }
    return 0;
}

static int make_folder(struct cgroup *g, size_t i)
{
    char path[2 * CGROUP_PATH];

    if (mkdir(g->folders[i], 0755) != 0)
        return errno;
    snprintf(path, sizeof(path), "%s/cgroup.procs", g->folders[i]);
    g->enter_fds[i] = open(path, O_WRONLY | O_CLOEXEC);
    return g->enter_fds[i] < 0 ? errno : 0;
}

enum status cgroup_make(const struct cgroup_place *at, struct str name, uint64_t memory_bytes,
                        struct cgroup *out, struct err *e)
{
    struct cgroup g = {.version = at->version, .n = at->n, .enter_fds = {-1, -1}};
    int errnum = 0;

    assert(at->n <= CGROUP_FOLDERS);
    if (at->version == CGROUP_NONE)
        return err_set(e, ERR_CONFIG, "memory_limit: cgroup: %s", at->why_not);
    if (at->version == CGROUP_V2)
        errnum = open_subtree(at->folders[0]);
    for (size_t i = 0; errnum == 0 && i < g.n; i++) {
        int n = snprintf(g.folders[i], CGROUP_PATH, "%s/" PREFIX "%d-" STR_FMT, at->folders[i],
                         (int)getpid(), STR_ARG(name));
        errnum = n < CGROUP_PATH ? make_folder(&g, i) : ENAMETOOLONG;
    }
    if (errnum == 0)
        errnum = set_limits(&g, memory_bytes);
    if (errnum) {
        cgroup_close(&g);
        cgroup_remove(&g);
        return err_errno(e, errnum, "cgroup below %s", at->folders[0]);
    }
    *out = g;
    return OK;
}

int cgroup_enter(const struct cgroup *g)
{
    assert(g->n <= CGROUP_FOLDERS);
    for (size_t i = 0; i < g->n; i++)
        if (write(g->enter_fds[i], "0", 1) != 1)
            return errno;
    return 0;
}

void cgroup_close(struct cgroup *g)
{
    assert(g->n <= CGROUP_FOLDERS);
    for (size_t i = 0; i < g->n; i++) {
        if (g->enter_fds[i] >= 0)
            close(g->enter_fds[i]);
        g->enter_fds[i] = -1;
    }
}

bool cgroup_had_oom(const struct cgroup *g)
{
    char room[ROOM];
    const char *file = g->version == CGROUP_V2 ? "memory.events" : "memory.oom_control";

    return g->n > 0 && number_of(read_file(g->folders[0], file, room), STR("oom_kill")) > 0;
}

void cgroup_remove(struct cgroup *g)
{
    bool is_gone = true;
    int left_ms = WAIT_MS;

    for (size_t i = 0; i < g->n; i++)
        is_gone = remove_folder(g->folders[i], true, &left_ms) == 0 && is_gone;
    g->n = is_gone ? 0 : g->n;
}

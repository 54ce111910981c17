/* All of /proc is walked, again while something is found. */
#include "executor/strays.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "executor/spawn.h"

#define ROUNDS      16  /* of looking: who starts others faster than they are found wins */
#define END_MS      100 /* how long one may take to end */
#define ENVIRON_MAX ((size_t)1 << 20)
#define READ_BYTES  ((size_t)4096)

static void read_environ(int proc, const char *pid, struct buf *out)
{
    char path[NAME_MAX + 16];
    ssize_t n = 0;

    buf_reset(out);
    snprintf(path, sizeof(path), "%s/environ", pid);
    int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    do {
        buf_reserve(out, READ_BYTES);
        n = fd >= 0 ? read(fd, out->p + out->n, READ_BYTES) : 0;
        buf_grown(out, n > 0 ? (size_t)n : 0);
    } while (n > 0 && out->n < ENVIRON_MAX);
    fd_close(&fd);
}

static bool is_inside(struct str path, struct str folder)
{
    return str_starts(path, folder) && (path.n == folder.n || path.p[folder.n] == '/');
}

static bool names_folder(struct str environ_text, struct str folder)
{
    while (environ_text.n > 0) {
        struct str value = str_cut(&environ_text, '\0'), name = str_cut(&value, '=');
        if ((str_eq(name, STR("HOME")) || str_eq(name, STR("TMPDIR"))) && is_inside(value, folder))
            return true;
    }
    return false;
}

static void kill_and_wait(int pidfd)
{
    struct pollfd end = {.fd = pidfd, .events = POLLIN};

    if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) == 0)
        poll(&end, 1, END_MS);
}

/* The descriptor comes first: should the number pass to another before its environment is read, the
 * signal goes nowhere. */
static bool end_if_stray(int proc, const char *name, struct str folder, struct buf *room)
{
    uint64_t pid = 0;

    if (!str_to_u64(str_from(name), &pid) || pid <= 1 || pid > INT_MAX || (pid_t)pid == getpid())
        return false;
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    if (fd < 0)
        return false;
    read_environ(proc, name, room);
    bool is_stray = names_folder(buf_str(room), folder);
    if (is_stray)
        kill_and_wait(fd);
    close(fd);
    return is_stray;
}

size_t strays_end(struct str folder)
{
    AUTO(buf_clear) struct buf room = {.max = ENVIRON_MAX + READ_BYTES};
    size_t all = 0, found = 1;

    for (int i = 0; i < ROUNDS && found > 0; i++) {
        DIR *d = opendir("/proc");
        struct dirent *entry;
        found = 0;
        while (d && (entry = readdir(d)) != NULL)
            found += end_if_stray(dirfd(d), entry->d_name, folder, &room);
        if (d)
            closedir(d);
        all += found;
    }
    return all;
}

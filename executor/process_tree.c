/* Read from /proc: a file a thread, a file a process. */
#include "executor/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "core/base/str.h"

#define ROOM 4096

static struct str read_file(int at, const char *path, char room[ROOM])
{
    int fd = openat(at, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, room, ROOM) : -1;

    if (fd >= 0)
        close(fd);
    return (struct str){room, n > 0 ? (size_t)n : 0};
}

static void add_children(struct process_tree *t, int tasks, const char *thread)
{
    char path[NAME_MAX + 16], room[ROOM];
    uint64_t pid;

    snprintf(path, sizeof(path), "%s/children", thread);
    struct str rest = read_file(tasks, path, room);
    while (rest.n > 0 && t->n < PROCESS_TREE_MAX)
        if (str_to_u64(str_cut(&rest, ' '), &pid) && pid > 0 && pid <= INT_MAX)
            t->pids[t->n++] = (pid_t)pid;
}

static void add_children_of(struct process_tree *t, pid_t pid)
{
    char path[64];
    struct dirent *entry;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *d = opendir(path);
    while (d && (entry = readdir(d)) != NULL)
        if (entry->d_name[0] != '.')
            add_children(t, dirfd(d), entry->d_name);
    if (d)
        closedir(d);
}

void process_tree_find(pid_t program, pid_t init, struct process_tree *out)
{
    out->pids[0] = program;
    out->n = 1;
    if (init > 0)
        add_children_of(out, init);
    for (size_t i = 0; i < out->n; i++)
        add_children_of(out, out->pids[i]);
}

/* The second number of statm. */
static uint64_t resident(pid_t pid)
{
    char path[64], room[ROOM];
    uint64_t pages = 0;

    snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
    struct str rest = read_file(AT_FDCWD, path, room);
    str_cut(&rest, ' ');
    return str_to_u64(str_cut(&rest, ' '), &pages) ? pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* "Pss:                 190 kB" */
static uint64_t proportional(pid_t pid)
{
    char path[64], room[ROOM];
    uint64_t kb = 0;

    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    struct str rest = read_file(AT_FDCWD, path, room);
    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        if (!str_eq(str_cut(&line, ':'), STR("Pss")))
            continue;
        line = str_trim(line);
        return str_to_u64(str_cut(&line, ' '), &kb) ? kb << 10 : 0;
    }
    return 0;
}

uint64_t process_tree_resident(const struct process_tree *t)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < t->n; i++)
        sum += resident(t->pids[i]);
    return sum;
}

uint64_t process_tree_proportional(const struct process_tree *t)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < t->n; i++)
        sum += proportional(t->pids[i]);
    return sum;
}

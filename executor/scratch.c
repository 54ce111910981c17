/* Folders made and removed with the *at calls, so that a link a function planted leads nowhere. */
#include "executor/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/log.h"
#include "executor/ids.h"
#include "executor/spawn.h"
#include "executor/strays.h"

#define PREFIX    "fnexec-"
#define MARKER    ".fnexec" /* locked while its fnexec lives; the last that is removed */
#define DEPTH_MAX 64        /* folders open at a time */
#define TRIES     8         /* names; one of 64 random bits is enough */

/* --- removing --- */

struct removal {
    int root;
    const char *last; /* the entry of the root that is removed after all others; NULL: none */
    unsigned moved;
    bool is_left; /* what lay too deep is now below the root */
};

static void remove_inside(struct removal *r, int folder, unsigned depth);

static void move_up(struct removal *r, int folder, const char *name)
{
    char to[32];
    bool is_moved = false;

    do {
        snprintf(to, sizeof(to), "deep-%u", r->moved++);
        is_moved = renameat(folder, name, r->root, to) == 0;
    } while (!is_moved && (errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR));
    r->is_left = r->is_left || is_moved;
}

static void remove_entry(struct removal *r, int folder, const char *name, unsigned depth)
{
    if (unlinkat(folder, name, 0) == 0 || (errno != EISDIR && errno != EPERM))
        return;
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        fchmod(fd, 0700);
        remove_inside(r, fd, depth + 1);
    }
    if (unlinkat(folder, name, AT_REMOVEDIR) != 0 && errno == ENOTEMPTY && depth >= DEPTH_MAX)
        move_up(r, folder, name);
}

static bool is_kept(const struct removal *r, const char *name, unsigned depth)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
           (depth == 0 && r->last && strcmp(name, r->last) == 0);
}

/* Takes the descriptor. */
static void remove_inside(struct removal *r, int folder, unsigned depth)
{
    DIR *d = depth <= DEPTH_MAX ? fdopendir(folder) : NULL;
    struct dirent *entry;

    if (!d) {
        close(folder);
        return;
    }
    while ((entry = readdir(d)) != NULL)
        if (!is_kept(r, entry->d_name, depth))
            remove_entry(r, dirfd(d), entry->d_name, depth);
    closedir(d);
}

static void empty_folder(int root, const char *last)
{
    struct removal r = {.root = root, .last = last};

    do {
        int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r.is_left = false;
        if (fd >= 0)
            remove_inside(&r, fd, 0);
    } while (r.is_left);
}

static int open_folder(int at, const char *path)
{
    return openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static void remove_tree(int at, const char *path, const char *last)
{
    int fd = open_folder(at, path);

    if (fd >= 0) {
        empty_folder(fd, last);
        if (last)
            unlinkat(fd, last, 0);
        close(fd);
    }
    if (unlinkat(at, path, AT_REMOVEDIR) != 0 && errno != ENOENT)
        log_event(LOG_WARN, "scratch folder %s stays: %s", path, strerror(errno));
}

/* --- folders of environments --- */

struct str scratch_new(struct executor *x, struct arena *a)
{
    struct str name = hex_new(&x->rng, a, 8);
    struct str path =
        arena_printf(a, STR_FMT "/" STR_FMT, STR_ARG(x->scratch_folder), STR_ARG(name));

    if (mkdir(path.p, 0700) == 0)
        return path;
    log_event(LOG_WARN, "scratch folder " STR_FMT ": %s", STR_ARG(path), strerror(errno));
    return STR("/tmp");
}

static bool is_own(const struct executor *x, struct str folder)
{
    return str_starts(folder, x->scratch_folder) && folder.n > x->scratch_folder.n;
}

void scratch_end_strays(struct executor *x, struct str folder)
{
    if (is_own(x, folder))
        strays_end(folder);
}

void scratch_remove(struct executor *x, struct str folder)
{
    if (is_own(x, folder))
        remove_tree(AT_FDCWD, folder.p, NULL);
}

/* --- what dead ones left --- */

/* The lock of a folder that an fnexec of this user made and no longer uses; -1: it is none. */
static int take_over(int folder)
{
    struct stat st;
    int fd = -1;

    if (folder >= 0 && fstat(folder, &st) == 0 && st.st_uid == geteuid())
        fd = openat(folder, MARKER, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
        flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    fd_close(&fd);
    return -1;
}

static void remove_if_dead(const char *base, int at, const char *name)
{
    char path[PATH_MAX];
    int folder = open_folder(at, name);
    int lock = take_over(folder);

    fd_close(&folder);
    if (lock >= 0) {
        snprintf(path, sizeof(path), "%s/%s", base, name);
        size_t ended = strays_end(str_from(path));
        if (ended > 0)
            log_event(LOG_INFO,
                      "%zu processes that functions of a killed fnexec had left are ended", ended);
        remove_tree(at, name, MARKER);
    }
    fd_close(&lock);
}

static void remove_dead(const char *base)
{
    DIR *d = opendir(base);
    struct dirent *entry;

    while (d && (entry = readdir(d)) != NULL)
        if (str_starts(str_from(entry->d_name), STR(PREFIX)))
            remove_if_dead(base, dirfd(d), entry->d_name);
    if (d)
        closedir(d);
}

/* --- our own --- */

/* Locks the marker of a folder just made; false: another that starts took it for a dead one's. */
static bool mark(struct executor *x, const char *path)
{
    int folder = open_folder(AT_FDCWD, path);
    struct stat st;

    x->scratch_lock =
        folder < 0 ? -1 : openat(folder, MARKER, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    fd_close(&folder);
    if (x->scratch_lock >= 0 && flock(x->scratch_lock, LOCK_EX) == 0 &&
        fstat(x->scratch_lock, &st) == 0 && st.st_nlink > 0)
        return true;
    fd_close(&x->scratch_lock);
    return false;
}

static bool make_own(struct executor *x, struct str base, struct arena *a)
{
    struct str name = hex_new(&x->rng, a, 8);
    struct str path =
        arena_printf(a, STR_FMT "/" PREFIX "%u-" STR_FMT, STR_ARG(base), geteuid(), STR_ARG(name));

    /* Whom a function runs as must get to its own folder below; their names cannot be guessed. */
    if (mkdir(path.p, 0700) != 0 || chmod(path.p, 0711) != 0 || !mark(x, path.p))
        return false;
    x->scratch_folder = path;
    return true;
}

enum status scratch_start(struct executor *x, struct str base, struct arena *a, struct err *e)
{
    struct str absolute = str_from(arena_strz(a, file_absolute(a, base)));
    enum status s = file_make_dir(absolute.p, 0711, e);
    bool is_made = false;

    if (s != OK)
        return s;
    remove_dead(absolute.p);
    for (int i = 0; i < TRIES && !is_made; i++)
        is_made = make_own(x, absolute, a);
    return is_made ? OK : err_errno(e, errno, "scratch folder " STR_FMT, STR_ARG(absolute));
}

void scratch_clear(struct executor *x)
{
    if (x->scratch_folder.n == 0)
        return;
    strays_end(x->scratch_folder);
    remove_tree(AT_FDCWD, x->scratch_folder.p, MARKER);
    fd_close(&x->scratch_lock);
    x->scratch_folder = (struct str){0};
}

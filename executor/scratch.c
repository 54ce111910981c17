/* Folders made and removed with the *at calls, so that a link a function planted leads nowhere. */
#include "executor/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/log.h"
#include "executor/ids.h"

#define DEPTH_MAX 64

static void remove_inside(int folder, unsigned depth);

static void remove_entry(int folder, const char *name, unsigned depth)
{
    if (unlinkat(folder, name, 0) == 0 || (errno != EISDIR && errno != EPERM))
        return;
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        fchmod(fd, 0700);
        remove_inside(fd, depth + 1);
    }
    unlinkat(folder, name, AT_REMOVEDIR);
}

/* Takes the descriptor. */
static void remove_inside(int folder, unsigned depth)
{
    DIR *d = depth < DEPTH_MAX ? fdopendir(folder) : NULL;
    struct dirent *entry;

    if (!d) {
        close(folder);
        return;
    }
    while ((entry = readdir(d)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            remove_entry(dirfd(d), entry->d_name, depth);
    closedir(d);
}

static void remove_tree(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0)
        remove_inside(fd, 0);
    if (rmdir(path) != 0 && errno != ENOENT)
        log_event(LOG_WARN, "scratch folder %s stays: %s", path, strerror(errno));
}

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

void scratch_remove(struct executor *x, struct str folder)
{
    if (str_starts(folder, x->scratch_folder) && folder.n > x->scratch_folder.n)
        remove_tree(folder.p);
}

enum status scratch_start(struct executor *x, struct err *e)
{
    if (file_exists(x->scratch_folder.p))
        remove_tree(x->scratch_folder.p);
    enum status s = file_make_dir(x->scratch_folder.p, 0700, e);
    /* Whom a function runs as must get to its own folder below; their names cannot be guessed. */
    if (s == OK && chmod(x->scratch_folder.p, 0711) != 0)
        return err_errno(e, errno, "scratch folder " STR_FMT, STR_ARG(x->scratch_folder));
    return s;
}

void scratch_clear(struct executor *x)
{
    remove_tree(x->scratch_folder.p);
}

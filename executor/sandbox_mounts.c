/* mount(2) where all kernels do; the calls of Linux 5.12 where a mount and what is mounted below it
 * become read-only at once. */
#include "executor/sandbox_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "core/base/macros.h"

int mounts_open(const struct sandbox *s)
{
    UNUSED(s);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return errno;
    return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL) != 0
               ? errno
               : 0;
}

int mounts_private_tmp(const struct sandbox *s)
{
    if (!s->scratch)
        return 0;
    for (size_t i = 0; i < s->n_folders; i++) {
        const struct sandbox_folder *f = &s->folders[i];
        if (f->twin && mount(f->path, f->twin, NULL, MS_BIND | MS_REC, NULL) != 0)
            return errno;
    }
    return mount(s->scratch, "/tmp", NULL, MS_BIND | MS_REC, NULL) != 0 ? errno : 0;
}

/* --- read-only --- */

static int lock(int at, const char *path, unsigned flags)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

    return mount_setattr(at, path, flags | AT_RECURSIVE, &attr, sizeof(attr)) != 0 ? errno : 0;
}

/* Another view of the folder, as writable as it is now or not at all. Where there is none to be had
 * the function cannot go either, and is told so. */
static int take(struct sandbox_folder *f)
{
    f->fd = open_tree(AT_FDCWD, f->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (f->fd < 0)
        return errno == ENOENT || errno == EACCES ? 0 : errno;
    return f->is_writable ? 0 : lock(f->fd, "", AT_EMPTY_PATH);
}

static int put(const struct sandbox_folder *f)
{
    if (f->fd < 0)
        return 0;
    int errnum = move_mount(f->fd, "", AT_FDCWD, f->path, MOVE_MOUNT_F_EMPTY_PATH) != 0 ? errno : 0;
    close(f->fd);
    return errnum;
}

/* Mode 0400, and what they tell helps to attack the kernel: addresses, pages, keys. */
static int hide_from_root(void)
{
    static const char *const files[] = {
        "/proc/kcore",       "/proc/keys",        "/proc/timer_list",
        "/proc/kpagecgroup", "/proc/kpagecount",  "/proc/kpageflags",
        "/proc/slabinfo",    "/proc/vmallocinfo", "/proc/sched_debug"};

    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        if (mount("/dev/null", files[i], NULL, MS_BIND, NULL) != 0 && errno != ENOENT)
            return errno;
    return 0;
}

int mounts_read_only(const struct sandbox *s)
{
    int errnum = lock(AT_FDCWD, "/sys", 0);

    if (errnum == ENOENT || errnum == EINVAL)
        errnum = 0; /* nothing is mounted there */
    for (size_t i = 0; errnum == 0 && i < s->n_folders; i++)
        errnum = take(&s->folders[i]);
    for (size_t i = 0; errnum == 0 && i < s->n_folders; i++)
        errnum = put(&s->folders[i]);
    return errnum == 0 && s->uid == 0 && s->user == 0 ? hide_from_root() : errnum;
}

/* inotify on each folder of a tree. */
#include "executor/folder_watch.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/map.h"
#include "core/base/mem.h"

#define EVENTS                                                                                     \
    (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ONLYDIR |           \
     IN_DONT_FOLLOW | IN_EXCL_UNLINK)
#define MAX_DEPTH 64

struct folder_watch {
    struct loop *loop;
    struct loop_watch *watch;
    int fd;
    char *root;
    const struct folder_watch_ops *ops;
    void *ctx;
    struct idmap folders; /* watch descriptor -> path below root, with a slash behind; owned */
};

static const char *path_of(const struct folder_watch *w, int wd)
{
    const uint64_t *slot = idmap_get(&w->folders, (uint64_t)wd);

    return slot ? (const char *)(uintptr_t)*slot : NULL;
}

static void forget(struct folder_watch *w, int wd)
{
    const uint64_t *slot = idmap_get(&w->folders, (uint64_t)wd);

    if (!slot)
        return;
    free((char *)(uintptr_t)*slot);
    idmap_remove(&w->folders, (uint64_t)wd);
}

static enum status scan_folder(struct folder_watch *w, const char *below, unsigned depth,
                               struct err *e);

static bool is_folder(const char *full)
{
    struct stat st;

    return lstat(full, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum status scan_entry(struct folder_watch *w, const char *below, const char *name,
                              unsigned depth, struct err *e)
{
    char path[PATH_MAX], full[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s%s", below, name);
    int m = snprintf(full, sizeof(full), "%s/%s%s", w->root, below, name);

    if (n < 0 || m < 0 || (size_t)n + 2 > sizeof(path) || (size_t)m >= sizeof(full))
        return OK; /* longer than the system can open */
    if (!is_folder(full)) {
        w->ops->changed(w->ctx, str_from(path));
        return OK;
    }
    path[n] = '/';
    path[n + 1] = '\0';
    return depth < MAX_DEPTH ? scan_folder(w, path, depth + 1, e) : OK;
}

/* Watch first, then list: what comes in between is seen twice, not never. A folder that is gone
 * again is nothing. */
static enum status scan_folder(struct folder_watch *w, const char *below, unsigned depth,
                               struct err *e)
{
    char full[PATH_MAX];
    enum status s = OK;

    snprintf(full, sizeof(full), "%s/%s", w->root, below);
    int wd = inotify_add_watch(w->fd, full, EVENTS);
    if (wd < 0)
        return errno == ENOENT && depth > 0 ? OK
               : errno == ENOSPC
                   ? err_set(e, ERR_LIMIT, "cannot watch %s: raise fs.inotify.max_user_watches",
                             full)
                   : err_errno(e, errno, "cannot watch %s", full);
    forget(w, wd);
    *idmap_put(&w->folders, (uint64_t)wd, NULL) = (uint64_t)(uintptr_t)xstrdup(below);
    DIR *d = opendir(full);
    if (!d)
        return OK;
    for (const struct dirent *x; s == OK && (x = readdir(d));)
        if (strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0)
            s = scan_entry(w, below, x->d_name, depth, e);
    closedir(d);
    return s;
}

enum status folder_watch_scan(struct folder_watch *w, struct err *e)
{
    return scan_folder(w, "", 0, e);
}

static void take_event(struct folder_watch *w, const struct inotify_event *ev)
{
    const char *below = path_of(w, ev->wd);
    char path[PATH_MAX];
    struct err e;

    if (ev->mask & IN_Q_OVERFLOW) {
        w->ops->lost(w->ctx);
        return;
    }
    if (ev->mask & IN_IGNORED) {
        forget(w, ev->wd);
        return;
    }
    if (!below || ev->len == 0)
        return;
    int n = snprintf(path, sizeof(path), "%s%s", below, ev->name);
    if (n < 0 || (size_t)n >= sizeof(path))
        return;
    if (!(ev->mask & IN_ISDIR)) {
        if (!(ev->mask & IN_CREATE)) /* its end of writing comes */
            w->ops->changed(w->ctx, str_from(path));
    } else if (ev->mask & (IN_CREATE | IN_MOVED_TO)) {
        if (scan_entry(w, below, ev->name, 0, &e) != OK)
            log_event(LOG_WARN, "%s: %s; its files are not seen", w->root, e.msg);
    } else {
        w->ops->lost(w->ctx); /* a whole folder left: which files were in it is not told */
    }
}

static void on_readable(void *ctx, unsigned events)
{
    struct folder_watch *w = ctx;
    _Alignas(struct inotify_event) char page[8192];
    ssize_t n;

    UNUSED(events);
    while ((n = read(w->fd, page, sizeof(page))) > 0)
        for (char *p = page; p < page + n;) {
            struct inotify_event ev;
            memcpy(&ev, p, sizeof(ev));
            take_event(w, (const struct inotify_event *)(const void *)p);
            p += sizeof(ev) + ev.len;
        }
}

enum status folder_watch_open(struct loop *l, const char *folder,
                              const struct folder_watch_ops *ops, void *ctx,
                              struct folder_watch **out, struct err *e)
{
    struct folder_watch *w = xcalloc(1, sizeof(*w));

    w->loop = l;
    w->ops = ops;
    w->ctx = ctx;
    w->root = xstrdup(folder);
    idmap_init(&w->folders);
    w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    enum status s = w->fd < 0 ? err_errno(e, errno, "inotify (fs.inotify.max_user_instances)")
                              : loop_watch(l, w->fd, on_readable, w, &w->watch, e);
    if (s != OK) {
        folder_watch_close(w);
        return s;
    }
    *out = w;
    return OK;
}

void folder_watch_close(struct folder_watch *w)
{
    uint64_t key, value;

    if (!w)
        return;
    loop_unwatch(w->loop, w->watch);
    if (w->fd >= 0)
        close(w->fd);
    for (size_t i = 0; idmap_next(&w->folders, &i, &key, &value);)
        free((char *)(uintptr_t)value);
    idmap_clear(&w->folders);
    free(w->root);
    free(w);
}

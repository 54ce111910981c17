/* inotify on each folder of a tree. */
#include "executor/folder_watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/map.h"
#include "core/base/mem.h"

#define EVENTS                                                                                     \
    (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_ONLYDIR |           \
     IN_DONT_FOLLOW | IN_EXCL_UNLINK)
#define MAX_DEPTH 64
/* A held file is looked at each second. Where nobody can say whether it is open it counts as whole
 * when nothing was written for two seconds; where it is said to be open, for a minute: some network
 * file systems say so of all. */
#define LOOK_NS       NS_PER_SEC
#define QUIET_NS      (2 * NS_PER_SEC)
#define QUIET_OPEN_NS NS_PER_MIN

struct folder_watch {
    struct loop *loop;
    struct loop_watch *watch;
    int fd;
    char *root;
    const struct folder_watch_ops *ops;
    void *ctx;
    struct idmap folders; /* watch descriptor -> path below root, with a slash behind; owned */
    struct idmap held;    /* hash of path -> path of a file that is being written; owned */
    struct loop_timer look;
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

/* --- files that are being written --- */

static bool is_being_written(const struct folder_watch *w, const char *full, const struct stat *st)
{
    const int64_t changed_ns = st->st_ctim.tv_sec * NS_PER_SEC + st->st_ctim.tv_nsec;
    const int64_t age_ns = loop_wall(w->loop) - changed_ns;
    bool is_known = false, is_open = true;

    if (!S_ISREG(st->st_mode) || age_ns >= QUIET_OPEN_NS || age_ns < -NS_PER_MIN)
        return false;
    int fd = open(full, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0) {
        is_open = file_is_being_written(fd, &is_known);
        close(fd);
    }
    return is_open && (is_known || age_ns < QUIET_NS);
}

static void hold(struct folder_watch *w, struct str path)
{
    bool is_new;
    uint64_t *slot = idmap_put(&w->held, str_hash(path, 0), &is_new);

    if (is_new)
        *slot = (uint64_t)(uintptr_t)xstrdup(path.p);
    if (!loop_timer_is_set(&w->look))
        loop_timer_set(w->loop, &w->look, loop_now(w->loop) + LOOK_NS);
}

static void tell(struct folder_watch *w, struct str path)
{
    const uint64_t hash = str_hash(path, 0);
    const uint64_t *slot = idmap_get(&w->held, hash);
    char *held = slot ? (char *)(uintptr_t)*slot : NULL;

    if (held)
        idmap_remove(&w->held, hash);
    w->ops->changed(w->ctx, path);
    free(held);
}

bool folder_watch_is_held(const struct folder_watch *w, struct str path)
{
    return idmap_get(&w->held, str_hash(path, 0)) != NULL;
}

/* Which were left out when one was told come a second later. */
static void look_at_held(void *ctx)
{
    struct folder_watch *w = ctx;
    char full[PATH_MAX];
    uint64_t key, value;
    struct stat st;

    for (size_t i = 0; idmap_next(&w->held, &i, &key, &value);) {
        const char *path = (const char *)(uintptr_t)value;
        snprintf(full, sizeof(full), "%s/%s", w->root, path);
        if (lstat(full, &st) != 0 || !is_being_written(w, full, &st))
            tell(w, str_from(path));
    }
    if (w->held.count > 0)
        loop_timer_set(w->loop, &w->look, loop_now(w->loop) + LOOK_NS);
}

/* --- folders --- */

static enum status scan_folder(struct folder_watch *w, const char *below, unsigned depth,
                               struct err *e);

static enum status scan_entry(struct folder_watch *w, const char *below, const char *name,
                              unsigned depth, struct err *e)
{
    char path[PATH_MAX], full[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s%s", below, name);
    int m = snprintf(full, sizeof(full), "%s/%s%s", w->root, below, name);
    struct stat st;

    if (n < 0 || m < 0 || (size_t)n + 2 > sizeof(path) || (size_t)m >= sizeof(full))
        return OK; /* longer than the system can open */
    const bool is_there = lstat(full, &st) == 0;
    if (!is_there || !S_ISDIR(st.st_mode)) {
        if (is_there && is_being_written(w, full, &st))
            hold(w, str_from(path));
        else
            tell(w, str_from(path));
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
            tell(w, str_from(path));
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
    idmap_init(&w->held);
    w->look = (struct loop_timer){.fn = look_at_held, .ctx = w};
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
    for (size_t i = 0; idmap_next(&w->held, &i, &key, &value);)
        free((char *)(uintptr_t)value);
    idmap_clear(&w->folders);
    idmap_clear(&w->held);
    loop_timer_cancel(w->loop, &w->look);
    free(w->root);
    free(w);
}

/* A folder with all folders below it, watched with inotify: says which files may have changed. It
 * may say so too often (after an overflow of the kernel's queue, or at the start, it says
 * everything), never too seldom. A file that is found while somebody writes it, in a folder just
 * made, is told when it is closed. One loop. */
#ifndef FNSCOPE_EXECUTOR_FOLDER_WATCH_H
#define FNSCOPE_EXECUTOR_FOLDER_WATCH_H

#include "core/base/loop.h"
#include "core/base/str.h"

struct folder_watch;

struct folder_watch_ops {
    /* The file of that path below the folder was written, moved or removed. */
    void (*changed)(void *ctx, struct str path);
    /* Events were lost: everything must be looked at again. */
    void (*lost)(void *ctx);
};

MUST_CHECK enum status folder_watch_open(struct loop *l, const char *folder,
                                         const struct folder_watch_ops *ops, void *ctx,
                                         struct folder_watch **out, struct err *e);
void folder_watch_close(struct folder_watch *w); /* NULL is fine */

/* Whether the file is there and not told yet, for it is being written. */
bool folder_watch_is_held(const struct folder_watch *w, struct str path);

/* Watches folders that are new and calls `changed` for every file that is there
 * and not being written. */
MUST_CHECK enum status folder_watch_scan(struct folder_watch *w, struct err *e);

#endif

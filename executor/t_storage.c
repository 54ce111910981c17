/* Watched folders: compares each file that may have changed with what was noted of it. */
#include "executor/t_storage.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/map.h"
#include "core/base/mem.h"
#include "executor/async_private.h"
#include "executor/folder_watch.h"
#include "executor/invoker.h"
#include "executor/metrics.h"
#include "executor/storage_event.h"

/* How long a function's output is looked for after its event, to stop it from feeding itself. */
#define RECENT_NS (60 * NS_PER_SEC)
#define N_RECENT  64

struct file {
    struct str path;
    uint64_t size, inode;
    int64_t mtime_ns;
    bool is_there;   /* as far as was noted */
    bool was_looked; /* in the scan under way */
    unsigned depth;  /* events it came of */
};

struct recent {
    struct str path;
    int64_t at_ns;
    unsigned depth;
};

struct watcher {
    struct trigger_run *run;
    const struct t_storage_settings *settings;
    struct arena arena;
    struct str folder; /* absolute */
    struct folder_watch *watch;
    struct loop_task rescan;
    struct loop_timer again; /* is it still that folder? */
    bool is_gone;
    dev_t dev; /* of the folder, as it was found last */
    ino_t inode;
    struct mq_change *change; /* what this turn of the loop found; NULL: nothing yet */
    size_t n_found;
    struct loop_task commit;
    struct map files; /* path -> struct file * */
    struct recent recent[N_RECENT];
    size_t n_recent;
    size_t under_way; /* changes */
    bool is_silent;   /* the first scan ever: what is there is only noted */
    bool is_stopping;
};

/* --- notes --- */

struct note {
    struct str place, path;
    uint64_t size, inode;
    int64_t mtime_ns;
    bool is_there;
};

static enum status write_note(void *data, struct journal *j, struct err *e)
{
    const struct note *n = data;
    struct sql_stmt *st;
    enum status s =
        journal_stmt(j,
                     n->is_there ? "insert or replace into seen_file(place, path, size, "
                                   "mtime_ns, inode) values(?,?,?,?,?)"
                                 : "delete from seen_file where place=? and path=?",
                     &st, e);

    if (s != OK)
        return s;
    sql_bind_str(st, 1, n->place);
    sql_bind_str(st, 2, n->path);
    if (n->is_there) {
        sql_bind_i64(st, 3, (int64_t)n->size);
        sql_bind_i64(st, 4, n->mtime_ns);
        sql_bind_i64(st, 5, (int64_t)n->inode);
    }
    return sql_run(st, e);
}

static void add_note(struct watcher *w, struct mq_change *c, const struct file *f)
{
    struct note *n = arena_new(mq_change_arena(c), struct note, 1);

    *n = (struct note){.place = w->run->def->name,
                       .path = arena_str(mq_change_arena(c), f->path),
                       .size = f->size,
                       .inode = f->inode,
                       .mtime_ns = f->mtime_ns,
                       .is_there = f->is_there};
    mq_add_extra(c, write_note, n);
}

static void watcher_free(struct watcher *w)
{
    folder_watch_close(w->watch);
    map_clear(&w->files);
    arena_clear(&w->arena);
    free(w);
}

static void on_noted(void *ctx, struct mq_change *c, enum status s, const struct err *e)
{
    struct watcher *w = ctx;

    UNUSED(c);
    w->under_way--;
    if (s != OK)
        log_event(LOG_ERROR,
                  "storage " STR_FMT ": an event is not durable; the next start finds it: %s",
                  STR_ARG(w->run->def->name), e->msg);
    if (w->is_stopping && w->under_way == 0)
        watcher_free(w);
}

/* Files found in one turn of the loop become durable together, some hundreds at a time. */
#define MAX_FOUND 500

static void commit_found(void *ctx)
{
    struct watcher *w = ctx;
    struct mq_change *c = w->change;

    if (!c)
        return;
    w->change = NULL;
    w->n_found = 0;
    w->under_way++;
    mq_commit(c, on_noted, w);
}

static struct mq_change *open_change(struct watcher *w)
{
    if (w->n_found == MAX_FOUND)
        commit_found(w);
    w->n_found++;
    if (!w->change) {
        w->change = mq_change_new(w->run->x->queues);
        loop_defer(w->run->x->loop, &w->commit);
    }
    return w->change;
}

/* --- events --- */

static struct file *file_of(struct watcher *w, struct str path)
{
    uint64_t *slot = map_get(&w->files, path);

    if (slot)
        return (struct file *)(uintptr_t)*slot;
    struct file *f = arena_new(&w->arena, struct file, 1);
    f->path = arena_str(&w->arena, path);
    *map_put(&w->files, f->path, NULL) = (uint64_t)(uintptr_t)f;
    return f;
}

/* One more than the deepest of the recent events whose output it may be. */
static unsigned depth_of(const struct watcher *w, struct str path)
{
    int64_t since = loop_now(w->run->x->loop) - RECENT_NS;
    unsigned depth = 0;

    for (size_t i = 0; i < w->n_recent && i < N_RECENT; i++) {
        const struct recent *r = &w->recent[i];
        if (r->at_ns >= since && r->depth >= depth && storage_is_derived(path, r->path))
            depth = r->depth + 1;
    }
    return depth;
}

static void remember(struct watcher *w, const struct file *f)
{
    w->recent[w->n_recent++ % N_RECENT] =
        (struct recent){.path = f->path, .at_ns = loop_now(w->run->x->loop), .depth = f->depth};
}

static bool is_wanted(const struct watcher *w, const struct file *f)
{
    int events = w->settings->events;

    return !w->is_silent &&
           (events == STORAGE_BOTH || events == (f->is_there ? STORAGE_CREATED : STORAGE_REMOVED));
}

static void add_event(struct watcher *w, struct mq_change *c, const struct file *f)
{
    AUTO(buf_clear) struct buf payload;
    const struct executor *x = w->run->x;
    char request_id[UUID_LEN + 1];

    buf_init(&payload, (size_t)1 << 20);
    storage_event_write(&(struct storage_event){.region = x->manifest->region,
                                                .account = x->manifest->account,
                                                .trigger = w->run->def->name,
                                                .bucket = w->settings->bucket,
                                                .key = f->path,
                                                .is_removal = !f->is_there,
                                                .size = f->size,
                                                .time_ns = loop_wall(x->loop),
                                                .mtime_ns = f->mtime_ns,
                                                .inode = f->inode},
                        &payload);
    async_add(x->async, c,
              &(struct async_event){
                  .fn = w->run->fn, .payload = buf_str(&payload), .trigger = TRIGGER_DATASOURCE},
              request_id);
}

static void report(struct watcher *w, struct file *f)
{
    const struct executor *x = w->run->x;
    struct mq_change *c = open_change(w);

    f->depth = f->is_there ? depth_of(w, f->path) : 0;
    add_note(w, c, f);
    if (f->depth >= STORAGE_MAX_DEPTH) {
        metrics_add(x->metrics, METRIC_RECURSION_DROPPED, w->run->fn, 1);
        log_event(LOG_WARN,
                  "storage " STR_FMT ": " STR_FMT
                  " came of %u events of the same trigger; the function writes into the folder it "
                  "is triggered by: event dropped",
                  STR_ARG(w->run->def->name), STR_ARG(f->path), f->depth);
    } else if (is_wanted(w, f)) {
        add_event(w, c, f);
        if (f->is_there)
            remember(w, f);
    }
}

/* --- comparing --- */

static bool is_ours(const struct watcher *w, struct str path)
{
    return str_starts(path, w->settings->prefix) && str_ends(path, w->settings->suffix) &&
           !storage_is_temporary(path);
}

static bool look(const struct watcher *w, struct str path, struct stat *st)
{
    char full[PATH_MAX];
    int n = snprintf(full, sizeof(full), STR_FMT "/" STR_FMT, STR_ARG(w->folder), STR_ARG(path));

    return n > 0 && (size_t)n < sizeof(full) && lstat(full, st) == 0 && S_ISREG(st->st_mode);
}

static void compare(struct watcher *w, struct file *f)
{
    struct stat st;
    bool is_there = look(w, f->path, &st);

    if (!is_there) {
        if (!f->is_there)
            return;
        f->is_there = false;
        report(w, f);
        return;
    }
    int64_t mtime_ns = st.st_mtim.tv_sec * NS_PER_SEC + st.st_mtim.tv_nsec;
    if (f->is_there && f->size == (uint64_t)st.st_size && f->mtime_ns == mtime_ns &&
        f->inode == (uint64_t)st.st_ino)
        return;
    f->is_there = true;
    f->size = (uint64_t)st.st_size;
    f->mtime_ns = mtime_ns;
    f->inode = (uint64_t)st.st_ino;
    report(w, f);
}

static void on_changed(void *ctx, struct str path)
{
    struct watcher *w = ctx;

    if (!is_ours(w, path))
        return;
    struct file *f = file_of(w, path);
    f->was_looked = true;
    compare(w, f);
}

/* All files that are there, then those that were and are not looked at yet. */
static enum status scan(struct watcher *w, struct err *e)
{
    struct str path;
    uint64_t value;

    for (size_t i = 0; map_next(&w->files, &i, &path, &value);)
        ((struct file *)(uintptr_t)value)->was_looked = false;
    enum status s = folder_watch_scan(w->watch, e);
    for (size_t i = 0; s == OK && map_next(&w->files, &i, &path, &value);) {
        struct file *f = (struct file *)(uintptr_t)value;
        if (!f->was_looked && !folder_watch_is_held(w->watch, f->path))
            compare(w, f);
    }
    return s;
}

/* Where a folder is removed that environments have mounted, the kernel says nothing: it is asked.
 */
static bool is_same_folder(const struct watcher *w, struct stat *st)
{
    return stat(w->folder.p, st) == 0 && st->st_dev == w->dev && st->st_ino == w->inode;
}

static void tell_gone(struct watcher *w, const struct err *e)
{
    if (!w->is_gone)
        log_event(LOG_ERROR, "storage " STR_FMT ": %s: looked for again every second",
                  STR_ARG(w->run->def->name), e->msg);
    w->is_gone = true;
}

/* Environments that were started with another folder there see that one, or none. */
static void take_over(struct watcher *w)
{
    struct stat st = {0};
    bool is_same = is_same_folder(w, &st);

    if (st.st_ino == 0)
        return; /* gone meanwhile: the next look says so */
    if (w->inode != 0 && !is_same)
        invoker_retire(w->run->x->invoker, w->run->fn);
    if (w->inode != 0 && (w->is_gone || !is_same))
        log_event(LOG_INFO, "storage " STR_FMT ": folder " STR_FMT " is watched again",
                  STR_ARG(w->run->def->name), STR_ARG(w->folder));
    w->is_gone = false;
    w->dev = st.st_dev;
    w->inode = st.st_ino;
}

static void rescan(void *ctx)
{
    struct watcher *w = ctx;
    struct err e;

    if (scan(w, &e) == OK)
        take_over(w);
    else
        tell_gone(w, &e);
}

static void check_folder(void *ctx)
{
    struct watcher *w = ctx;
    struct loop *l = w->run->x->loop;
    struct stat st;

    if (!is_same_folder(w, &st))
        rescan(w);
    loop_timer_set(l, &w->again, loop_now(l) + NS_PER_SEC);
}

static void on_lost(void *ctx)
{
    struct watcher *w = ctx;

    loop_defer(w->run->x->loop, &w->rescan);
}

/* --- the trigger --- */

static const char *const event_names[] = {"created", "removed", "both", NULL};

static const struct opt_def options[] = {
    {.key = "folder",
     .type = OPT_STRING,
     .offset = offsetof(struct t_storage_settings, folder),
     .value_name = "FOLDER",
     .help = "the folder that plays the bucket"},
    {.key = "bucket",
     .type = OPT_STRING,
     .offset = offsetof(struct t_storage_settings, bucket),
     .default_text = "local",
     .help = "name of the bucket in the events"},
    {.key = "prefix",
     .type = OPT_STRING,
     .offset = offsetof(struct t_storage_settings, prefix),
     .help = "only keys that begin so"},
    {.key = "suffix",
     .type = OPT_STRING,
     .offset = offsetof(struct t_storage_settings, suffix),
     .help = "only keys that end so"},
    {.key = "events",
     .type = OPT_CHOICE,
     .offset = offsetof(struct t_storage_settings, events),
     .default_text = "created",
     .choices = event_names,
     .help = "which changes are events"},
    {.key = "enabled",
     .type = OPT_BOOL,
     .offset = offsetof(struct t_storage_settings, is_enabled),
     .default_text = "true",
     .help = "whether the folder is watched"},
    {0},
};

static struct str watched_folder(const struct manifest *m, const struct t_storage_settings *s,
                                 struct arena *a)
{
    return str_starts(s->folder, STR("/"))
               ? arena_str(a, s->folder)
               : arena_printf(a, STR_FMT "/" STR_FMT, STR_ARG(m->folder), STR_ARG(s->folder));
}

struct str t_storage_folder(const struct manifest *m, const struct trigger_def *def,
                            struct arena *a)
{
    const struct t_storage_settings *s = def->settings;

    return def->ops == &t_storage && s->is_enabled ? watched_folder(m, s, a) : (struct str){0};
}

static enum status check(const struct manifest *m, const struct fndef *fn,
                         const struct trigger_def *def, struct err *e)
{
    const struct t_storage_settings *s = def->settings;
    AUTO(arena_clear) struct arena a = {0};
    struct stat st;

    UNUSED(fn);
    if (s->folder.n == 0)
        return err_set(e, ERR_CONFIG, "a storage trigger needs a folder");
    if (!storage_bucket_is_valid(s->bucket))
        return err_set(e, ERR_CONFIG,
                       "bucket \"" STR_FMT "\": S3 allows 3 to 63 small letters, digits, - and "
                       "single dots, with a letter or digit at both ends, and keeps some names",
                       STR_ARG(s->bucket));
    if (!s->is_enabled)
        return OK;
    struct str folder = watched_folder(m, s, &a);
    int errnum = stat(folder.p, &st) != 0             ? errno
                 : !S_ISDIR(st.st_mode)               ? ENOTDIR
                 : access(folder.p, R_OK | X_OK) != 0 ? errno
                                                      : 0;
    return errnum == 0
               ? OK
               : err_set(e, ERR_CONFIG,
                         "folder " STR_FMT " cannot be watched (%s): make it, or name another",
                         STR_ARG(folder), strerror(errnum));
}

/* The note with the empty path says that the folder was seen before. */
static enum status read_notes(struct watcher *w, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = true;

    journal_flush(w->run->x->journal);
    enum status s =
        journal_stmt(w->run->x->journal,
                     "select path, size, mtime_ns, inode from seen_file where place=?", &st, e);
    if (s != OK)
        return s;
    w->is_silent = true;
    sql_bind_str(st, 1, w->run->def->name);
    while ((s = sql_step(st, &has_row, e)) == OK && has_row) {
        struct str path = sql_str(st, 0);
        w->is_silent = false;
        if (path.n == 0)
            continue;
        struct file *f = file_of(w, path);
        f->is_there = true;
        f->size = (uint64_t)sql_i64(st, 1);
        f->mtime_ns = sql_i64(st, 2);
        f->inode = (uint64_t)sql_i64(st, 3);
    }
    sql_reset(st);
    return s;
}

static void note_folder(struct watcher *w)
{
    add_note(w, open_change(w), &(struct file){.is_there = true});
}

static const struct folder_watch_ops watch_ops = {.changed = on_changed, .lost = on_lost};

static enum status open_watcher(struct watcher *w, struct err *e)
{
    enum status s = read_notes(w, e);

    if (s == OK)
        s = folder_watch_open(w->run->x->loop, w->folder.p, &watch_ops, w, &w->watch, e);
    if (s == OK)
        s = scan(w, e);
    if (s == OK)
        take_over(w);
    if (s == OK)
        check_folder(w);
    return s;
}

static void stop(struct trigger_run *t)
{
    struct watcher *w = t->state;

    if (!w)
        return;
    t->state = NULL;
    loop_defer_cancel(t->x->loop, &w->rescan);
    loop_timer_cancel(t->x->loop, &w->again);
    loop_defer_cancel(t->x->loop, &w->commit);
    commit_found(w);
    folder_watch_close(w->watch);
    w->watch = NULL;
    w->is_stopping = true;
    if (w->under_way == 0)
        watcher_free(w);
}

static enum status start(struct trigger_run *t, struct err *e)
{
    const struct t_storage_settings *settings = t->def->settings;

    if (!settings->is_enabled)
        return OK;
    struct watcher *w = xcalloc(1, sizeof(*w));
    w->run = t;
    w->settings = settings;
    w->rescan = (struct loop_task){.fn = rescan, .ctx = w};
    w->commit = (struct loop_task){.fn = commit_found, .ctx = w};
    w->again = (struct loop_timer){.fn = check_folder, .ctx = w};
    arena_init(&w->arena);
    w->folder = watched_folder(t->x->manifest, settings, &w->arena);
    map_init(&w->files);
    t->state = w;
    enum status s = open_watcher(w, e);
    if (s != OK) {
        stop(t);
        return err_wrap(e, "storage " STR_FMT, STR_ARG(t->def->name));
    }
    if (w->is_silent)
        note_folder(w);
    w->is_silent = false;
    return OK;
}

const struct trigger_ops t_storage = {
    .type = "storage",
    .help = "files of a watched folder",
    .options = options,
    .settings_size = sizeof(struct t_storage_settings),
    .check = check,
    .start = start,
    .stop = stop,
};

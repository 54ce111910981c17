/* Group commit. Two queues connect the loop's thread and the journal's; an event descriptor wakes
 * the loop. What the other thread may see of an operation is the operation while it is on the way:
 * the queues order the accesses. */
#include "executor/journal.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/map.h"
#include "core/base/mem.h"
#include "core/base/queue.h"

struct journal {
    struct journal_op opening; /* first; how the thread tells that the file is open, or why not */
    bool is_open, has_thread;  /* loop thread; is_open: it has told */
    bool is_dead;              /* there is no thread to be had */
    struct sql *db;
    struct sql_stmt *begin, *commit;
    struct idmap statements; /* address of the text -> struct sql_stmt * */
    struct loop *loop;
    struct loop_watch *watch;
    int wake_fd;
    pthread_t thread;
    struct queue *in, *out;
    size_t pending; /* loop thread */
    journal_layout_fn *layout;
    char *path;
    enum status open_status;
    struct err open_error;
    atomic_uint_fast64_t commits, operations, failures;
};

enum status journal_stmt(struct journal *j, const char *text, struct sql_stmt **out, struct err *e)
{
    uint64_t key = (uint64_t)(uintptr_t)text;
    const uint64_t *known = idmap_get(&j->statements, key);

    if (known) {
        *out = (struct sql_stmt *)(uintptr_t)*known;
        return OK;
    }
    enum status s = sql_prepare(j->db, str_from(text), out, e);
    if (s == OK)
        *idmap_put(&j->statements, key, NULL) = (uint64_t)(uintptr_t)*out;
    return s;
}

/* --- transactions --- */

/* A failed statement leaves the connection inside the transaction or, for some faults, outside;
 * then this fails and is of no interest. */
static void roll_back(struct journal *j)
{
    enum status s = sql_exec(j->db, "rollback", NULL);

    UNUSED(s);
}

static enum status run_group(struct journal *j, struct journal_op *const ops[], size_t n,
                             struct err *e)
{
    enum status s = sql_sync(j->db, e);

    if (s == OK)
        s = sql_run(j->begin, e);

    for (size_t i = 0; s == OK && i < n; i++)
        s = ops[i]->run(ops[i], j, e);
    if (s == OK)
        s = sql_run(j->commit, e);
    if (s != OK)
        roll_back(j);
    return s;
}

static void fail_op(struct journal *j, struct journal_op *op, enum status s, const struct err *e)
{
    op->status = s;
    op->error = xmemdup(e, sizeof(*e));
    atomic_fetch_add(&j->failures, 1);
}

/* One bad operation must not take its group with it. */
static void run_one_by_one(struct journal *j, struct journal_op *const ops[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct err e = {0};
        enum status s = run_group(j, &ops[i], 1, &e);
        ops[i]->status = OK;
        if (s != OK)
            fail_op(j, ops[i], s, &e);
        atomic_fetch_add(&j->commits, 1);
    }
}

static void process(struct journal *j, struct journal_op *const ops[], size_t n)
{
    struct err e = {0};

    assert(n > 0);
    atomic_fetch_add(&j->operations, n);
    if (run_group(j, ops, n, &e) != OK) {
        run_one_by_one(j, ops, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        ops[i]->status = OK;
    atomic_fetch_add(&j->commits, 1);
}

/* The file could not be opened. */
static void refuse(struct journal *j, struct journal_op *const ops[], size_t n)
{
    for (size_t i = 0; i < n; i++)
        fail_op(j, ops[i], j->open_status, &j->open_error);
}

static void finish(struct journal_op *op)
{
    struct err *error = op->error;
    enum status s = op->status;

    op->error = NULL;
    op->done(op, s, error); /* may free op */
    free(error);
}

/* --- the journal's thread --- */

static size_t gather(struct journal *j, struct journal_op *ops[JOURNAL_GROUP])
{
    size_t n = 0;

    ops[0] = queue_pop(j->in, -1, NULL);
    while (ops[n] && ++n < JOURNAL_GROUP)
        ops[n] = queue_pop(j->in, 0, NULL);
    return n;
}

static void hand_back(struct journal *j, struct journal_op *const ops[], size_t n)
{
    uint64_t one = 1;

    for (size_t i = 0; i < n; i++) {
        enum status s = queue_push(j->out, ops[i]);
        assert(s == OK); /* it holds all that may be pending and closes last */
        UNUSED(s);
    }
    ssize_t written = write(j->wake_fd, &one, sizeof(one));
    UNUSED(written); /* fails only when the counter is full: then it is readable anyway */
}

static enum status open_file(struct journal *j, struct err *e)
{
    enum status s = sql_open(j->path, SQL_EXCLUSIVE, &j->db, e);

    if (s == OK)
        s = j->layout(j->db, e);
    if (s == OK)
        s = journal_stmt(j, "begin immediate", &j->begin, e);
    if (s == OK)
        s = journal_stmt(j, "commit", &j->commit, e);
    return s;
}

static void run_operations(struct journal *j)
{
    struct journal_op *ops[JOURNAL_GROUP] = {&j->opening};
    bool is_usable = j->open_status == OK; /* from here on the loop's thread reads it */
    size_t n;

    hand_back(j, ops, 1);
    while ((n = gather(j, ops)) > 0) {
        if (is_usable)
            process(j, ops, n);
        else
            refuse(j, ops, n);
        hand_back(j, ops, n);
    }
}

static void *journal_main(void *ctx)
{
    struct journal *j = ctx;

    j->open_status = open_file(j, &j->open_error);
    run_operations(j);
    return NULL;
}

/* --- the loop's thread --- */

/* Runs `done` of what is back; waits for the first when told so. */
static void take_back(struct journal *j, bool must_wait)
{
    struct journal_op *op = queue_pop(j->out, must_wait ? -1 : 0, NULL);

    while (op) {
        j->pending--;
        finish(op);
        op = queue_pop(j->out, 0, NULL);
    }
}

static void on_wake(void *ctx, unsigned events)
{
    struct journal *j = ctx;
    uint64_t count;
    ssize_t got = read(j->wake_fd, &count, sizeof(count));

    UNUSED(events);
    UNUSED(got);
    take_back(j, false);
}

void journal_submit(struct journal *j, struct journal_op *op)
{
    assert(op->run && op->done);
    op->error = NULL;
    if (!j->loop) {
        process(j, &op, 1);
        finish(op);
        return;
    }
    if (j->is_dead) {
        op->done(op, j->open_status, &j->open_error);
        return;
    }
    if (j->pending >= JOURNAL_MAX_PENDING) {
        struct err e;
        op->done(op,
                 err_set(&e, ERR_LIMIT, "the journal is behind: %zu operations wait for the disk",
                         j->pending),
                 &e);
        return;
    }
    j->pending++;
    enum status s = queue_push(j->in, op);
    assert(s == OK);
    UNUSED(s);
}

void journal_go(struct journal *j)
{
    if (!j->loop || j->has_thread || j->is_dead)
        return;
    int code = pthread_create(&j->thread, NULL, journal_main, j);
    j->has_thread = code == 0;
    if (j->has_thread)
        return;
    j->is_dead = true;
    j->open_status = err_errno(&j->open_error, code, "thread");
    queue_close(j->in);
    run_operations(j);
}

void journal_flush(struct journal *j)
{
    journal_go(j);
    while (j->pending > 0)
        take_back(j, true);
}

struct sql *journal_sql(struct journal *j)
{
    journal_flush(j);
    return j->db;
}

size_t journal_pending(const struct journal *j)
{
    return j->pending;
}

struct journal_counts journal_counts(const struct journal *j)
{
    return (struct journal_counts){.commits = atomic_load(&j->commits),
                                   .operations = atomic_load(&j->operations),
                                   .failures = atomic_load(&j->failures)};
}

static void on_open(struct journal_op *op, enum status s, const struct err *e)
{
    ((struct journal *)op)->is_open = true;
    UNUSED(s);
    UNUSED(e);
}

static enum status prepare_thread(struct journal *j, struct err *e)
{
    j->opening.done = on_open;
    j->in = queue_new(JOURNAL_MAX_PENDING);
    j->out = queue_new(JOURNAL_MAX_PENDING);
    j->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (j->wake_fd < 0)
        return err_errno(e, errno, "journal: eventfd");
    enum status s = loop_watch(j->loop, j->wake_fd, on_wake, j, &j->watch, e);
    if (s == OK)
        j->pending = 1;
    return s;
}

enum status journal_start(const char *path, struct loop *l, journal_layout_fn *layout,
                          struct journal **out, struct err *e)
{
    struct journal *j = xcalloc(1, sizeof(*j));
    enum status s = OK;

    j->wake_fd = -1;
    j->loop = l;
    j->layout = layout;
    j->path = xstrdup(path);
    idmap_init(&j->statements);
    if (l)
        s = prepare_thread(j, e);
    else
        j->open_status = open_file(j, &j->open_error);
    if (s != OK) {
        journal_close(j);
        return err_wrap(e, "journal");
    }
    *out = j;
    return OK;
}

bool journal_is_open(const struct journal *j)
{
    return j->is_open || !j->loop;
}

enum status journal_ready(struct journal *j, struct err *e)
{
    journal_flush(j);
    if (j->open_status == OK)
        return OK;
    return err_set(e, j->open_status, "journal: %s", j->open_error.msg);
}

enum status journal_open(const char *path, struct loop *l, journal_layout_fn *layout,
                         struct journal **out, struct err *e)
{
    struct journal *j = NULL;
    enum status s = journal_start(path, l, layout, &j, e);

    if (s != OK)
        return s;
    assert(j);
    s = journal_ready(j, e);
    if (s != OK) {
        journal_close(j);
        return s;
    }
    *out = j;
    return OK;
}

static void free_statements(struct journal *j)
{
    uint64_t key, value;

    for (size_t i = 0; idmap_next(&j->statements, &i, &key, &value);)
        sql_finalize((struct sql_stmt *)(uintptr_t)value);
    idmap_clear(&j->statements);
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    if (j->watch) {
        journal_flush(j);
        queue_close(j->in);
        if (j->has_thread)
            pthread_join(j->thread, NULL);
        loop_unwatch(j->loop, j->watch);
    }
    queue_free(j->in);
    queue_free(j->out);
    if (j->wake_fd >= 0)
        close(j->wake_fd);
    free_statements(j);
    sql_close(j->db);
    free(j->path);
    free(j);
}

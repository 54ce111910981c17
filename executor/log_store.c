/* The log groups as the loop's thread sees them: what waits to be written, and by whom. */
#include "executor/log_store_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/map.h"
#include "core/base/mem.h"

#define COMMIT_AFTER_NS (20 * NS_PER_MS)
#define COMMIT_LINES    512
#define FIRST_PRUNE_NS  NS_PER_SEC /* the first invocation need not wait for it */
#define PRUNE_EVERY_NS  NS_PER_HOUR
#define TRY_AGAIN_NS    NS_PER_SEC
#define PENDING_BYTES   ((size_t)64 << 20)
#define KEEP_BYTES      ((size_t)64 << 10) /* a batch that had to wait long gives the rest back */

/* What the open batch does to a stream, summed up over its lines. */
struct stream_state {
    int64_t first_ms, last_ms, bytes;
    bool is_changed;
    uint64_t named_in; /* the batch whose spool has its names */
};

struct prune_op {
    struct journal_op op;
    int64_t before_ms;
    bool is_under_way;
};

struct log_store {
    struct journal *journal;
    struct loop *loop;
    int64_t retention_ns, next_seq;
    struct log_batch batches[2];
    struct log_batch *open; /* the other one is being committed, or empty */
    struct log_batch *held; /* that other one: its commit failed, and is tried again */
    bool is_ready, is_committing, is_due;
    bool is_told;                 /* that lines wait */
    struct err last_error;        /* of a commit */
    struct stream_state *streams; /* by identity; 0 is none */
    size_t n_streams, streams_cap;
    struct log_rows rows; /* the journal's thread's */
    struct loop_timer commit_timer, prune_timer, again_timer;
    struct prune_op prune;
    char key[LOG_KEY_BYTES];
    uint64_t lost;                /* lines that could not be stored */
    uint64_t n_batches;           /* spooled ones, all runs */
    struct log_spool **leftovers; /* of runs that were killed */
    size_t n_leftovers;
};

/* --- what the file says --- */

/* A file of an older version does not say it: then the newest line does. */
static enum status read_next_seq(struct log_store *s, struct err *e)
{
    struct sql *db = log_store_db(s);
    enum status status =
        sql_read_i64(db, "select value from meta where key = 'next_seq'", &s->next_seq, e);

    if (status != OK || s->next_seq > 0)
        return status;
    return sql_read_i64(db, "select coalesce(max(seq), 0) + 1 from log_events", &s->next_seq, e);
}

static enum status read_key(struct log_store *s, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;

    enum status status =
        sql_prepare(log_store_db(s), STR("select value from meta where key = 'token_key'"), &st, e);
    if (status != OK)
        return status;
    status = sql_step(st, &has_row, e);
    if (status == OK && has_row && sql_blob(st, 0).n == LOG_KEY_BYTES)
        memcpy(s->key, sql_blob(st, 0).p, LOG_KEY_BYTES);
    sql_finalize(st);
    return status;
}

/* --- batches --- */

/* The summary of a stream while its lines wait to be committed. */
static struct stream_state *state_of(struct log_store *s, int64_t id)
{
    size_t i = (size_t)id;

    if (i >= s->streams_cap) {
        size_t cap = i + i / 2 + 64;
        s->streams = xreallocarray(s->streams, cap, sizeof(*s->streams));
        memset(s->streams + s->streams_cap, 0, (cap - s->streams_cap) * sizeof(*s->streams));
        s->streams_cap = cap;
    }
    return &s->streams[i];
}

/* Adds a line to a batch and to the summary of its stream. */
static void put_line(struct log_store *s, struct log_batch *b, int64_t stream, int64_t ms,
                     struct str message)
{
    struct stream_state *state = state_of(s, stream);

    b->lines = mem_grow(b->lines, b->n_lines, &b->lines_cap, sizeof(*b->lines));
    b->lines[b->n_lines++] = (struct log_line){stream, ms, b->text.n, message.n};
    buf_add_str(&b->text, message);
    state->first_ms = state->is_changed && state->first_ms < ms ? state->first_ms : ms;
    state->last_ms = state->is_changed && state->last_ms > ms ? state->last_ms : ms;
    state->bytes += (int64_t)message.n + 26; /* as CloudWatch counts an event */
    state->is_changed = true;
}

/* --- committing --- */

static void commit_done(struct journal_op *op, enum status status, const struct err *e);

static void note_touched(struct log_store *s, struct log_batch *b)
{
    for (size_t i = 0; i < b->n_lines; i++) {
        struct stream_state *state = &s->streams[b->lines[i].stream];
        if (!state->is_changed)
            continue;
        b->touched = mem_grow(b->touched, b->n_touched, &b->touched_cap, sizeof(*b->touched));
        b->touched[b->n_touched++] =
            (struct log_touch){b->lines[i].stream, state->first_ms, state->last_ms, state->bytes};
        state->is_changed = false;
        state->bytes = 0;
    }
}

/* Hands the open batch to the journal's thread and goes on with the other, which must be free. */
static void submit(struct log_store *s)
{
    struct log_batch *b = s->open;

    if (b->n_lines == 0 && b->n_opened == 0)
        return;
    s->is_due = false;
    s->is_committing = true;
    note_touched(s, b);
    b->op = (struct journal_op){.run = log_batch_run, .done = commit_done};
    b->first_seq = s->next_seq;
    b->now_ms = s->loop          ? loop_wall(s->loop) / NS_PER_MS
                : b->n_lines > 0 ? b->lines[b->n_lines - 1].time_ms
                                 : 0;
    s->next_seq += (int64_t)b->n_lines;
    s->open = b == &s->batches[0] ? &s->batches[1] : &s->batches[0];
    if (s->open->spool)
        log_spool_begin(s->open->spool, ++s->n_batches, s->next_seq);
    journal_submit(s->journal, &b->op);
}

static void batch_clear(struct log_batch *b)
{
    buf_clear(&b->text);
    free(b->opened);
    free(b->lines);
    free(b->touched);
    b->opened = NULL;
    b->lines = NULL;
    b->touched = NULL;
    b->opened_cap = b->lines_cap = b->touched_cap = 0;
}

static void batch_empty(struct log_batch *b)
{
    b->n_lines = b->n_touched = 0;
    buf_reset(&b->text);
    if (b->text.cap > KEEP_BYTES || b->lines_cap * sizeof(*b->lines) > KEEP_BYTES)
        batch_clear(b);
}

static void add_opened(struct log_batch *b, const struct log_opened *o)
{
    b->opened = mem_grow(b->opened, b->n_opened, &b->opened_cap, sizeof(*b->opened));
    b->opened[b->n_opened++] = *o;
}

static void end_opened(struct log_batch *b)
{
    for (size_t i = 0; i < b->n_opened; i++)
        free(b->opened[i].names);
    b->n_opened = 0;
}

/* A disk that is full gets room: its lines wait until then, those that come gather behind them. */
static void hold(struct log_store *s, struct log_batch *b, const struct err *e)
{
    if (!s->is_told)
        log_event(LOG_ERROR,
                  "log store: %s; %zu lines wait, and those that come; tried again each second",
                  e->msg, b->n_lines);
    s->is_told = true;
    s->last_error = *e;
    s->held = b;
    if (s->loop)
        loop_timer_set(s->loop, &s->again_timer, loop_now(s->loop) + TRY_AGAIN_NS);
}

static void try_again(void *ctx)
{
    struct log_store *s = ctx;
    struct log_batch *b = s->held;

    s->held = NULL;
    if (b)
        journal_submit(s->journal, &b->op);
}

static void commit_done(struct journal_op *op, enum status status, const struct err *e)
{
    struct log_batch *b = (struct log_batch *)op;
    struct log_store *s = b->store;

    assert(b != s->open);
    if (status != OK) {
        hold(s, b, e);
        return;
    }
    if (s->is_told)
        log_event(LOG_INFO, "log store: the lines that waited are stored");
    s->is_told = false;
    end_opened(b);
    if (b->spool)
        log_spool_clear(b->spool);
    batch_empty(b);
    s->is_committing = false;
    if (s->is_due)
        submit(s);
}

enum status log_store_flush(struct log_store *s, struct err *e)
{
    s->last_error = (struct err){0};
    try_again(s);
    journal_flush(s->journal);
    if (!s->held)
        submit(s);
    journal_flush(s->journal);
    if (s->last_error.code == OK)
        return OK;
    return err_set(e, s->last_error.code, "%s", s->last_error.msg);
}

static void commit_due(void *ctx)
{
    struct log_store *s = ctx;

    if (s->is_committing || !s->is_ready)
        s->is_due = true;
    else
        submit(s);
}

static enum status run_prune(struct journal_op *op, struct journal *j, struct err *e)
{
    return log_prune_run(j, ((struct prune_op *)op)->before_ms, e);
}

static void prune_done(struct journal_op *op, enum status status, const struct err *e)
{
    ((struct prune_op *)op)->is_under_way = false;
    if (status != OK)
        log_event(LOG_WARN, "log store: old lines stay: %s", e->msg);
}

void log_store_prune(struct log_store *s, int64_t now_ns)
{
    if (s->prune.is_under_way)
        return;
    s->prune = (struct prune_op){.op = {.run = run_prune, .done = prune_done},
                                 .before_ms = (now_ns - s->retention_ns) / NS_PER_MS,
                                 .is_under_way = true};
    journal_submit(s->journal, &s->prune.op);
}

static void prune_due(void *ctx)
{
    struct log_store *s = ctx;

    log_store_prune(s, loop_wall(s->loop));
    loop_timer_set(s->loop, &s->prune_timer, loop_now(s->loop) + PRUNE_EVERY_NS);
}

struct journal *log_store_journal(struct log_store *s)
{
    return s->journal;
}

struct sql *log_store_db(struct log_store *s)
{
    return journal_sql(s->journal);
}

struct str log_store_key(const struct log_store *s)
{
    return (struct str){s->key, sizeof(s->key)};
}

/* --- writing --- */

static void commit_soon(struct log_store *s)
{
    if (s->open->n_lines >= COMMIT_LINES)
        commit_due(s);
    else if (!loop_timer_is_set(&s->commit_timer))
        loop_timer_set(s->loop, &s->commit_timer, loop_now(s->loop) + COMMIT_AFTER_NS);
}

static void add_stream(struct log_batch *b, const struct log_target *t)
{
    const struct log_opened o = {.stream = t->id,
                                 .created_ms = t->created_ms,
                                 .names = xmalloc(t->group.n + t->name.n),
                                 .group_n = t->group.n,
                                 .name_n = t->name.n};

    memcpy(o.names, t->group.p, t->group.n);
    memcpy(o.names + t->group.n, t->name.p, t->name.n);
    add_opened(b, &o);
}

struct log_target log_store_stream(struct log_store *s, struct str group, struct str stream,
                                   int64_t now_ns)
{
    const struct log_target t = {.id = (int64_t)++s->n_streams,
                                 .created_ms = now_ns / NS_PER_MS,
                                 .group = group,
                                 .name = stream};

    add_stream(s->open, &t);
    if (s->loop)
        commit_soon(s);
    return t;
}

static void spool_line(struct log_store *s, const struct log_target *to, int64_t ms,
                       struct str message)
{
    struct log_spool *sp = s->open->spool;
    struct stream_state *state = state_of(s, to->id);

    if (state->named_in != log_spool_number(sp))
        log_spool_add(sp, &(struct spool_record){to->id, to->created_ms, to->group, to->name});
    state->named_in = log_spool_number(sp);
    log_spool_add(sp, &(struct spool_record){.stream = to->id, .ms = ms, .text = message});
}

static bool has_room(const struct log_store *s, size_t n)
{
    return s->open->text.n + n <= s->open->text.max;
}

/* Who prints faster than the disk takes it waits for the disk. */
static bool make_room(struct log_store *s, size_t n)
{
    if (has_room(s, n))
        return true;
    if (s->is_ready) {
        try_again(s);
        journal_flush(s->journal);
        if (!has_room(s, n) && !s->held)
            submit(s);
        if (has_room(s, n))
            return true;
    }
    if (s->lost++ == 0)
        log_event(LOG_ERROR, "log store: %s and no more lines can wait: lost",
                  s->held ? "its disk takes none" : "its file is not open yet");
    return false;
}

void log_store_add(struct log_store *s, const struct log_target *to, int64_t wall_ns,
                   struct str message)
{
    assert(to->id > 0 && (size_t)to->id <= s->n_streams);
    if (!make_room(s, message.n))
        return;
    struct log_batch *b = s->open;
    put_line(s, b, to->id, wall_ns / NS_PER_MS, message);
    if (b->spool)
        spool_line(s, to, wall_ns / NS_PER_MS, message);
    if (s->loop)
        commit_soon(s);
}

/* --- what killed runs left --- */

static void replay_done(struct journal_op *op, enum status status, const struct err *e)
{
    struct log_batch *b = (struct log_batch *)op;

    b->op.status = status;
    if (status != OK)
        log_event(LOG_ERROR, "log store: %s; %zu lines of a run before wait for the next start",
                  e->msg, b->n_lines);
}

static void take_records(struct log_store *s, const struct log_spool *sp, struct log_batch *b)
{
    struct spool_record r;
    struct idmap ids; /* of that run -> of this one */

    idmap_init(&ids);
    for (size_t at = 0; log_spool_next(sp, &at, &r);) {
        if (r.group.n > 0) {
            const struct log_target t = {(int64_t)++s->n_streams, r.ms, r.group, r.text};
            *idmap_put(&ids, (uint64_t)r.stream, NULL) = (uint64_t)t.id;
            add_stream(b, &t);
            continue;
        }
        const uint64_t *id = idmap_get(&ids, (uint64_t)r.stream);
        if (id)
            put_line(s, b, (int64_t)*id, r.ms, r.text);
    }
    idmap_clear(&ids);
}

/* The file says which lines they become before they do: so a kill right after the commit does not
 * double them, and one before it does not lose them. */
static void replay(struct log_store *s, struct log_spool *sp)
{
    struct log_batch b = {.op = {.run = log_batch_run, .done = replay_done},
                          .store = s,
                          .rows = &s->rows,
                          .first_seq = s->next_seq,
                          .text = {.max = 2 * PENDING_BYTES}};

    take_records(s, sp, &b);
    b.now_ms = s->loop ? loop_wall(s->loop) / NS_PER_MS : 0;
    note_touched(s, &b);
    log_spool_place(sp, s->next_seq);
    journal_submit(s->journal, &b.op);
    journal_flush(s->journal);
    if (b.op.status == OK) {
        s->next_seq += (int64_t)b.n_lines;
        log_spool_remove(sp);
    } else {
        log_spool_place(sp, 0);
        log_spool_close(sp);
    }
    end_opened(&b);
    batch_clear(&b);
}

static bool is_stored(const struct log_store *s, const struct log_spool *sp)
{
    int64_t first = log_spool_first_seq(sp);

    return first > 0 && first < s->next_seq;
}

static void replay_leftovers(struct log_store *s)
{
    for (size_t i = 0; i < s->n_leftovers; i++) {
        struct log_spool *sp = s->leftovers[i];
        if (is_stored(s, sp))
            log_spool_remove(sp);
        else
            replay(s, sp);
    }
    s->n_leftovers = 0;
}

/* --- starting, stopping --- */

/* Before anything is answered: nothing that was answered may be without its lines. */
static enum status open_spools(struct log_store *s, const char *path, struct err *e)
{
    if (strcmp(path, SQL_IN_MEMORY) == 0)
        return OK;
    enum status status = log_spool_leftovers(path, &s->leftovers, &s->n_leftovers, e);

    if (status == OK && s->n_leftovers > 0)
        s->n_batches = log_spool_number(s->leftovers[s->n_leftovers - 1]);
    for (size_t i = 0; status == OK && i < ARRAY_LEN(s->batches); i++)
        status = log_spool_create(path, ++s->n_batches, &s->batches[i].spool, e);
    return status;
}

enum status log_store_start(const char *path, struct loop *l, int64_t retention_ns,
                            struct log_store **out, struct err *e)
{
    struct log_store *s = xcalloc(1, sizeof(*s));

    s->loop = l;
    s->retention_ns = retention_ns;
    s->open = &s->batches[0];
    for (size_t i = 0; i < ARRAY_LEN(s->batches); i++) {
        s->batches[i].store = s;
        s->batches[i].rows = &s->rows;
        s->batches[i].text.max = PENDING_BYTES;
    }
    s->commit_timer = (struct loop_timer){.fn = commit_due, .ctx = s};
    s->prune_timer = (struct loop_timer){.fn = prune_due, .ctx = s};
    s->again_timer = (struct loop_timer){.fn = try_again, .ctx = s};
    enum status status = open_spools(s, path, e);
    if (status == OK)
        status = journal_start(path, l, log_layout, &s->journal, e);
    if (status != OK) {
        log_store_close(s);
        return status;
    }
    *out = s;
    return OK;
}

enum status log_store_ready(struct log_store *s, struct err *e)
{
    enum status status = journal_ready(s->journal, e);

    if (status == OK)
        status = read_key(s, e);
    if (status == OK)
        status = read_next_seq(s, e);
    if (status != OK)
        return status;
    if (s->loop)
        loop_timer_set(s->loop, &s->prune_timer, loop_now(s->loop) + FIRST_PRUNE_NS);
    replay_leftovers(s);
    if (s->open->spool)
        log_spool_place(s->open->spool, s->next_seq);
    s->is_ready = true;
    if (s->is_due)
        submit(s);
    return OK;
}

void log_store_go(struct log_store *s)
{
    journal_go(s->journal);
}

bool log_store_is_open(const struct log_store *s)
{
    return journal_is_open(s->journal);
}

enum status log_store_open(const char *path, struct loop *l, int64_t retention_ns,
                           struct log_store **out, struct err *e)
{
    struct log_store *s;
    enum status status = log_store_start(path, l, retention_ns, &s, e);

    if (status != OK)
        return status;
    status = log_store_ready(s, e);
    if (status != OK) {
        log_store_close(s);
        return status;
    }
    *out = s;
    return OK;
}

void log_store_close(struct log_store *s)
{
    if (!s)
        return;
    bool is_stored = s->is_ready && log_store_flush(s, NULL) == OK;
    if (s->held)
        log_event(
            LOG_ERROR,
            "log store: %zu lines are not stored; the next start stores those that found room "
            "in its spool",
            s->batches[0].n_lines + s->batches[1].n_lines);
    if (s->lost > 0)
        log_event(LOG_ERROR, "log store: %llu lines of this run are lost",
                  (unsigned long long)s->lost);
    if (s->loop) {
        loop_timer_cancel(s->loop, &s->commit_timer);
        loop_timer_cancel(s->loop, &s->prune_timer);
        loop_timer_cancel(s->loop, &s->again_timer);
    }
    journal_close(s->journal);
    for (size_t i = 0; i < ARRAY_LEN(s->batches); i++) {
        end_opened(&s->batches[i]);
        (is_stored ? log_spool_remove : log_spool_close)(s->batches[i].spool);
        batch_clear(&s->batches[i]);
    }
    for (size_t i = 0; i < s->n_leftovers; i++)
        log_spool_close(s->leftovers[i]);
    free(s->leftovers);
    free(s->streams);
    free(s->rows.items);
    free(s);
}

/* The SQL of the message queues: what each step of a change writes, and reading everything back at
 * start. Runs on the journal's thread (the reading before it has work). */
#include "executor/message_private.h"

#include <assert.h>
#include <string.h>

typedef enum status step_run_fn(struct mq_step *s, struct arena *a, struct journal *j,
                                struct err *e);

static enum status insert_dedup(const struct mq_step *s, struct journal *j, struct err *e)
{
    struct sql_stmt *st;
    enum status status = journal_stmt(
        j, "insert or replace into dedup(queue, id, seq, message, until_ns) values(?,?,?,?,?)", &st,
        e);

    if (status != OK)
        return status;
    sql_bind_i64(st, 1, s->queue_id);
    sql_bind_str(st, 2, s->row.dedup);
    sql_bind_i64(st, 3, s->row.seq);
    sql_bind_str(st, 4, s->row.id);
    sql_bind_i64(st, 5, s->dedup_until_ns);
    return sql_run(st, e);
}

static enum status run_send(struct mq_step *s, struct arena *a, struct journal *j, struct err *e)
{
    struct sql_stmt *st;
    enum status status = journal_stmt(
        j,
        "insert into message(seq, queue, id, sent_ns, arrived_ns, visible_ns, first_ns, received,"
        " receipt, attempts, source, size, grp, attributes, system, body)"
        " values(?,?,?,?,?,?,0,0,0,?,0,?,?,?,?,?)",
        &st, e);

    UNUSED(a);
    if (status != OK)
        return status;
    sql_bind_i64(st, 1, s->row.seq);
    sql_bind_i64(st, 2, s->queue_id);
    sql_bind_str(st, 3, s->row.id);
    sql_bind_i64(st, 4, s->row.sent_ns);
    sql_bind_i64(st, 5, s->arrived_ns);
    sql_bind_i64(st, 6, s->visible_ns);
    sql_bind_i64(st, 7, s->row.attempts);
    sql_bind_i64(st, 8, (int64_t)s->n_bytes);
    sql_bind_str(st, 9, s->row.group);
    sql_bind_str(st, 10, s->row.attributes);
    sql_bind_str(st, 11, s->row.system);
    sql_bind_blob(st, 12, s->row.body);
    status = sql_run(st, e);
    return status == OK && s->row.dedup.n > 0 ? insert_dedup(s, j, e) : status;
}

/* The row is there, since its message is: a missing one is damage to the file. */
static enum status read_taken(struct mq_step *s, struct arena *a, struct sql_stmt *st,
                              struct err *e)
{
    bool has_row = false;
    enum status status = sql_step(st, &has_row, e);

    if (status == OK && !has_row)
        status = err_set(e, ERR_IO, "message %lld is not in the journal", (long long)s->row.seq);
    if (status == OK) {
        s->row.group = arena_str(a, sql_str(st, 0));
        s->row.attributes = arena_str(a, sql_str(st, 1));
        s->row.system = arena_str(a, sql_str(st, 2));
        s->row.body = arena_str(a, sql_blob(st, 3));
    }
    sql_reset(st);
    return status;
}

static enum status run_take(struct mq_step *s, struct arena *a, struct journal *j, struct err *e)
{
    struct sql_stmt *st;
    enum status status =
        journal_stmt(j,
                     "update message set visible_ns=?2, first_ns=?3, received=?4, receipt=?5"
                     " where seq=?1 returning grp, attributes, system, body",
                     &st, e);

    if (status != OK)
        return status;
    sql_bind_i64(st, 1, s->row.seq);
    sql_bind_i64(st, 2, s->visible_ns);
    sql_bind_i64(st, 3, s->row.first_ns);
    sql_bind_i64(st, 4, s->row.received);
    sql_bind_i64(st, 5, (int64_t)s->row.receipt);
    return read_taken(s, a, st, e);
}

static enum status run_move(struct mq_step *s, struct arena *a, struct journal *j, struct err *e)
{
    struct sql_stmt *st;
    enum status status =
        journal_stmt(j,
                     "update message set queue=?2, arrived_ns=?3, visible_ns=?3, source=?4,"
                     " receipt=0 where seq=?1",
                     &st, e);

    UNUSED(a);
    if (status != OK)
        return status;
    sql_bind_i64(st, 1, s->row.seq);
    sql_bind_i64(st, 2, s->queue_id);
    sql_bind_i64(st, 3, s->arrived_ns);
    sql_bind_i64(st, 4, s->source);
    return sql_run(st, e);
}

static enum status run_delete(struct mq_step *s, struct arena *a, struct journal *j, struct err *e)
{
    struct sql_stmt *st;
    enum status status = journal_stmt(j, "delete from message where seq=?", &st, e);

    UNUSED(a);
    if (status != OK)
        return status;
    sql_bind_i64(st, 1, s->row.seq);
    return sql_run(st, e);
}

static enum status run_release(struct mq_step *s, struct arena *a, struct journal *j, struct err *e)
{
    struct sql_stmt *st;
    enum status status = journal_stmt(j,
                                      "update message set visible_ns=?2, attempts=?3,"
                                      " receipt=case when ?4 then 0 else receipt end where seq=?1",
                                      &st, e);

    UNUSED(a);
    if (status != OK)
        return status;
    sql_bind_i64(st, 1, s->row.seq);
    sql_bind_i64(st, 2, s->visible_ns);
    sql_bind_i64(st, 3, s->row.attempts);
    sql_bind_i64(st, 4, s->forgets_receipt);
    return sql_run(st, e);
}

static enum status run_extra(struct mq_step *s, struct arena *a, struct journal *j, struct err *e)
{
    UNUSED(a);
    return s->extra(s->data, j, e);
}

static enum status write_queue(const char *text, struct mq_step *s, struct journal *j,
                               struct err *e)
{
    struct sql_stmt *st;
    enum status status = journal_stmt(j, text, &st, e);

    if (status != OK)
        return status;
    sql_bind_i64(st, 1, s->queue_id);
    sql_bind_str(st, 2, s->name);
    sql_bind_i64(st, 3, s->created_ns);
    sql_bind_i64(st, 4, s->modified_ns);
    sql_bind_str(st, 5, s->settings);
    sql_bind_str(st, 6, s->tags);
    return sql_run(st, e);
}

static enum status run_create(struct mq_step *s, struct arena *a, struct journal *j, struct err *e)
{
    UNUSED(a);
    return write_queue("insert into queue(id, name, created_ns, modified_ns, attributes, tags)"
                       " values(?1,?2,?3,?4,?5,?6)",
                       s, j, e);
}

static enum status run_configure(struct mq_step *s, struct arena *a, struct journal *j,
                                 struct err *e)
{
    UNUSED(a);
    return write_queue("update queue set name=?2, created_ns=?3, modified_ns=?4, attributes=?5,"
                       " tags=?6 where id=?1",
                       s, j, e);
}

static enum status run_with_queue(const char *text, const struct mq_step *s, struct journal *j,
                                  struct err *e)
{
    struct sql_stmt *st;
    enum status status = journal_stmt(j, text, &st, e);

    if (status != OK)
        return status;
    sql_bind_i64(st, 1, s->queue_id);
    return sql_run(st, e);
}

/* The messages that go are those the loop knew: later ones have higher numbers, and those moved
 * here meanwhile a later arrival. */
static enum status run_purge(struct mq_step *s, struct arena *a, struct journal *j, struct err *e)
{
    struct sql_stmt *st;
    enum status status = journal_stmt(
        j, "delete from message where queue=?1 and seq<=?2 and arrived_ns<=?3", &st, e);

    UNUSED(a);
    if (status != OK)
        return status;
    sql_bind_i64(st, 1, s->queue_id);
    sql_bind_i64(st, 2, s->row.seq);
    sql_bind_i64(st, 3, s->arrived_ns);
    status = sql_run(st, e);
    if (status == OK)
        status = journal_stmt(j, "update queue set purged_ns=?2 where id=?1", &st, e);
    if (status != OK)
        return status;
    sql_bind_i64(st, 1, s->queue_id);
    sql_bind_i64(st, 2, s->arrived_ns);
    return sql_run(st, e);
}

static enum status run_remove(struct mq_step *s, struct arena *a, struct journal *j, struct err *e)
{
    UNUSED(a);
    enum status status = run_with_queue("delete from message where queue=?", s, j, e);
    if (status == OK)
        status = run_with_queue("delete from dedup where queue=?", s, j, e);
    if (status == OK)
        status = run_with_queue("delete from queue where id=?", s, j, e);
    return status;
}

enum status store_run_step(struct mq_step *s, struct arena *a, struct journal *j, struct err *e)
{
    static step_run_fn *const runs[STEP_KINDS] = {
        [STEP_SEND] = run_send,   [STEP_TAKE] = run_take,     [STEP_AGAIN] = run_take,
        [STEP_MOVE] = run_move,   [STEP_DELETE] = run_delete, [STEP_RELEASE] = run_release,
        [STEP_EXTRA] = run_extra, [STEP_CREATE] = run_create, [STEP_CONFIGURE] = run_configure,
        [STEP_PURGE] = run_purge, [STEP_REMOVE] = run_remove,
    };

    assert(s->kind < STEP_KINDS);
    return runs[s->kind](s, a, j, e);
}

/* --- reading back --- */

typedef enum status row_fn(struct mq *m, struct sql_stmt *st, struct err *e);

static enum status each_row(struct mq *m, const char *text, row_fn *fn, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = true;
    enum status s = journal_stmt(m->journal, text, &st, e);

    if (s != OK)
        return s;
    while (s == OK && (s = sql_step(st, &has_row, e)) == OK && has_row)
        s = fn(m, st, e);
    sql_reset(st);
    return s;
}

static enum status load_queue(struct mq *m, struct sql_stmt *st, struct err *e)
{
    struct arena a;
    struct queue_settings settings;

    arena_init(&a);
    enum status s = queue_settings_read(&settings, &a, sql_str(st, 4), e);
    if (s == OK) {
        struct mq_queue *q =
            mqueue_new(m, sql_i64(st, 0), sql_str(st, 1), &settings, sql_str(st, 5));
        q->created_ns = sql_i64(st, 2);
        q->modified_ns = sql_i64(st, 3);
        q->counts.purged_ns = sql_i64(st, 6);
    }
    arena_clear(&a);
    return s;
}

static enum status load_message(struct mq *m, struct sql_stmt *st, struct err *e)
{
    struct mq_queue *q = mqueue_by_id(m, sql_i64(st, 1));
    struct str id = sql_str(st, 2);

    UNUSED(e);
    if (!q)
        return OK; /* of a queue that was removed while it was being sent */
    struct mq_message *x = message_new(m);
    x->seq = sql_i64(st, 0);
    memcpy(x->id, id.p, id.n < MQ_ID_LEN ? id.n : MQ_ID_LEN);
    x->sent_ns = sql_i64(st, 3);
    x->arrived_ns = sql_i64(st, 4);
    x->visible_ns = sql_i64(st, 5);
    x->first_ns = sql_i64(st, 6);
    x->received = (uint32_t)sql_i64(st, 7);
    x->receipt = (uint64_t)sql_i64(st, 8);
    x->attempts = (uint32_t)sql_i64(st, 9);
    x->source = sql_i64(st, 10);
    x->n_bytes = (size_t)sql_i64(st, 11);
    *idmap_put(&m->messages, (uint64_t)x->seq, NULL) = (uint64_t)(uintptr_t)x;
    message_join(x, q);
    order_join(x, sql_str(st, 12));
    if (x->receipt != 0 && mqueue_is_internal(q))
        x->visible_ns = 0; /* whoever took it ended with the program */
    if (x->receipt != 0 && x->visible_ns > loop_wall(m->loop)) {
        message_enter(x, MQ_IN_FLIGHT);
        message_wait(x);
    } else {
        message_settle(x);
    }
    m->next_seq = x->seq >= m->next_seq ? x->seq + 1 : m->next_seq;
    return OK;
}

static enum status load_dedup(struct mq *m, struct sql_stmt *st, struct err *e)
{
    struct mq_queue *q = mqueue_by_id(m, sql_i64(st, 0));
    struct mq_sent sent = {.seq = sql_i64(st, 2)};
    struct str id = sql_str(st, 3);

    UNUSED(e);
    memcpy(sent.id, id.p, id.n < MQ_ID_LEN ? id.n : MQ_ID_LEN);
    if (q)
        dedup_add(m, q, sql_str(st, 1), &sent, sql_i64(st, 4));
    return OK;
}

enum status store_load(struct mq *m, struct err *e)
{
    enum status s = each_row(m,
                             "select id, name, created_ns, modified_ns, attributes, tags, "
                             "purged_ns from queue order by id",
                             load_queue, e);

    if (s == OK)
        s = each_row(m,
                     "select seq, queue, id, sent_ns, arrived_ns, visible_ns, first_ns, received,"
                     " receipt, attempts, source, size, grp from message order by seq",
                     load_message, e);
    if (s == OK)
        s = each_row(m, "select queue, id, seq, message, until_ns from dedup order by until_ns",
                     load_dedup, e);
    return s;
}

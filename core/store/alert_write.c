/* Writing alerts: state, episode and the messages about it in one transaction, so that a crash
 * leaves either all of them or none, and what was decided is always also going to be sent. */
#include "core/store/store_private.h"

/* Binds struct alert to 26 parameters beginning with `n`. */
static void bind_alert(struct sql_stmt *st, int n, const struct alert *a)
{
    const struct str head[] = {a->key, a->rule};
    const struct str of[] = {a->subject.of.account, a->subject.of.region, a->subject.of.name};
    const int64_t times[] = {a->state,    a->since_ns,    a->started_ns,
                             a->fired_ns, a->resolved_ns, a->acked_ns};
    const int64_t values[] = {a->value,   a->peak,    a->threshold,  a->unit,       a->data_ns,
                              a->eval_ns, a->sent_ns, a->is_missing, a->is_notified};
    const struct str tail[] = {a->summary, a->evidence};

    for (size_t i = 0; i < ARRAY_LEN(head); i++)
        sql_bind_str(st, n++, head[i]);
    sql_bind_i64(st, n++, a->severity);
    sql_bind_str(st, n++, str_from(metric_scope_name(a->subject.scope)));
    sql_bind_i64(st, n++, a->subject.of.provider);
    for (size_t i = 0; i < ARRAY_LEN(of); i++)
        sql_bind_str(st, n++, of[i]);
    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        sql_bind_i64(st, n++, times[i]);
    sql_bind_str(st, n++, a->acked_by);
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        sql_bind_i64(st, n++, values[i]);
    for (size_t i = 0; i < ARRAY_LEN(tail); i++)
        sql_bind_str(st, n++, tail[i]);
}

#define ALERT_MARKS "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?"

/* The alert's row; with is_episode the row of its episode, if it has come so far. */
static enum status write_rows(struct store *s, const struct alert_changes *c, bool is_episode,
                              struct err *e)
{
    struct sql_stmt *st = NULL;
    enum status status = sql_prepare(
        s->meta,
        is_episode
            ? STR("insert or replace into episode(" ALERT_COLUMNS ") values(" ALERT_MARKS ")")
            : STR("insert or replace into alert(" ALERT_COLUMNS ") values(" ALERT_MARKS ")"),
        &st, e);

    for (size_t i = 0; status == OK && i < c->n_alerts; i++) {
        const struct alert *a = &c->alerts[i];
        if (is_episode && a->fired_ns == 0)
            continue;
        bind_alert(st, 1, a);
        status = sql_run(st, e);
    }
    sql_finalize(st);
    return status;
}

static void bind_message(struct sql_stmt *st, const struct outbox_entry *m)
{
    sql_bind_str(st, 1, m->id);
    sql_bind_str(st, 2, m->notifier);
    sql_bind_i64(st, 3, m->event);
    sql_bind_i64(st, 4, m->status);
    sql_bind_i64(st, 5, m->attempts);
    sql_bind_i64(st, 6, m->created_ns);
    sql_bind_i64(st, 7, m->next_ns);
    sql_bind_i64(st, 8, m->done_ns);
    sql_bind_str(st, 9, m->error);
    bind_alert(st, 10, &m->alert);
}

static enum status write_messages(struct store *s, const struct alert_changes *c, struct err *e)
{
    struct sql_stmt *st = NULL;
    enum status status =
        sql_prepare(s->meta,
                    STR("insert or ignore into outbox(id, notifier, event, status, attempts, "
                        "created_ns, next_ns, done_ns, error, " ALERT_COLUMNS
                        ") values(?,?,?,?,?,?,?,?,?," ALERT_MARKS ")"),
                    &st, e);

    for (size_t i = 0; status == OK && i < c->n_messages; i++) {
        bind_message(st, &c->messages[i]);
        status = sql_run(st, e);
    }
    sql_finalize(st);
    return status;
}

static enum status write_results(struct store *s, const struct alert_changes *c, struct err *e)
{
    struct sql_stmt *st = NULL;
    enum status status =
        sql_prepare(s->meta,
                    STR("update outbox set status = ?2, attempts = ?3, next_ns = ?4, done_ns = ?5, "
                        "error = ?6 where id = ?1"),
                    &st, e);

    for (size_t i = 0; status == OK && i < c->n_results; i++) {
        const struct outbox_entry *m = &c->results[i];
        sql_bind_str(st, 1, m->id);
        sql_bind_i64(st, 2, m->status);
        sql_bind_i64(st, 3, m->attempts);
        sql_bind_i64(st, 4, m->next_ns);
        sql_bind_i64(st, 5, m->done_ns);
        sql_bind_str(st, 6, m->error);
        status = sql_run(st, e);
    }
    sql_finalize(st);
    return status;
}

/* Done messages are kept for a while, for `fnscope alert list --messages` and the report. */
#define OUTBOX_KEPT "10000"

static enum status forget_old(struct store *s, struct err *e)
{
    return sql_exec(s->meta,
                    "delete from outbox where status <> 0 and id not in (select id from outbox "
                    "where status <> 0 order by created_ns desc limit " OUTBOX_KEPT ")",
                    e);
}

/* Whoever watches the generation sees the change. */
static enum status count_generation(struct store *s, struct err *e)
{
    return sql_exec(s->meta,
                    "insert into counter(name, value) values('generation', 1) on conflict(name) do "
                    "update set value = value + 1",
                    e);
}

static enum status in_transaction(struct store *s, enum status status, struct err *e)
{
    if (status == OK)
        status = count_generation(s, e);
    if (status == OK)
        status = sql_exec(s->meta, "commit", e);
    if (status != OK) {
        enum status undone = sql_exec(s->meta, "rollback", NULL);
        UNUSED(undone); /* SQLite may have rolled back by itself */
    }
    return status;
}

enum status store_write_alerts(struct store *s, const struct alert_changes *c, struct err *e)
{
    if (s->is_null || c->n_alerts + c->n_messages + c->n_results == 0)
        return OK;
    enum status status = sql_exec(s->meta, "begin immediate", e);
    if (status != OK)
        return err_wrap(e, "alerts");
    status = write_rows(s, c, false, e);
    if (status == OK)
        status = write_rows(s, c, true, e);
    if (status == OK)
        status = write_messages(s, c, e);
    if (status == OK)
        status = write_results(s, c, e);
    if (status == OK && c->n_results > 0)
        status = forget_old(s, e);
    status = in_transaction(s, status, e);
    return status == OK ? OK : err_wrap(e, "alerts");
}

static enum status put_silence(struct store *s, const struct silence *sil, struct err *e)
{
    struct sql_stmt *st;
    enum status status = sql_prepare(s->meta,
                                     STR("insert or replace into silence(id, rule_glob, name_glob, "
                                         "created_ns, until_ns, author, comment, account, "
                                         "region) values(?,?,?,?,?,?,?,?,?)"),
                                     &st, e);

    if (status != OK)
        return status;
    if (sil->id > 0)
        sql_bind_i64(st, 1, sil->id);
    else
        sql_bind_null(st, 1);
    sql_bind_str(st, 2, sil->rule_glob);
    sql_bind_str(st, 3, sil->name_glob);
    sql_bind_i64(st, 4, sil->created_ns);
    sql_bind_i64(st, 5, sil->until_ns);
    sql_bind_str(st, 6, sil->by);
    sql_bind_str(st, 7, sil->comment);
    sql_bind_str(st, 8, sil->account);
    sql_bind_str(st, 9, sil->region);
    status = sql_run(st, e);
    sql_finalize(st);
    return status;
}

static enum status newest_silence(struct store *s, int64_t *id, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status status = sql_prepare(s->meta, STR("select max(id) from silence"), &st, e);

    if (status != OK)
        return status;
    status = sql_step(st, &has_row, e);
    if (status == OK && has_row)
        *id = sql_i64(st, 0);
    sql_finalize(st);
    return status;
}

enum status store_write_silence(struct store *s, const struct silence *sil, int64_t *id,
                                struct err *e)
{
    int64_t new_id = sil->id;

    if (s->is_null) {
        *id = new_id;
        return OK;
    }
    enum status status = sql_exec(s->meta, "begin immediate", e);
    if (status != OK)
        return err_wrap(e, "silence");
    status = put_silence(s, sil, e);
    if (status == OK && sil->id == 0)
        status = newest_silence(s, &new_id, e);
    status = in_transaction(s, status, e);
    if (status != OK)
        return err_wrap(e, "silence");
    *id = new_id;
    return OK;
}

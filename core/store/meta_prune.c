/* What goes from meta.db with the days it belongs to; how long each table lives is told in
 * schema.c. */
#include "core/store/store_private.h"

/* ?: the first moment that is kept. */
static const char *const prunes[] = {
    "delete from stream where last_day < ?1 / 86400000000000 and id < (select max(id) from stream)",
    "delete from cursor where source = 'import' and watermark_ns < ?1 and updated_ns < ?1",
    "delete from fn_config where valid_until_ns > 0 and valid_until_ns < ?1",
    "delete from episode where resolved_ns > 0 and resolved_ns < ?1",
    "delete from outbox where status <> 0 and max(created_ns, done_ns) < ?1",
    "delete from silence where until_ns < ?1",
    "delete from queue where seen_ns < ?1",
};

static enum status prune_one(struct store *s, const char *text, int64_t day, struct err *e)
{
    struct sql_stmt *st;
    enum status status = sql_prepare(s->meta, str_from(text), &st, e);

    if (status != OK)
        return status;
    sql_bind_i64(st, 1, day * NS_PER_DAY);
    status = sql_run(st, e);
    sql_finalize(st);
    return status;
}

enum status meta_prune(struct store *s, int64_t day, struct err *e)
{
    enum status status = sql_exec(s->meta, "begin immediate", e);

    if (status != OK)
        return status;
    for (size_t i = 0; status == OK && i < ARRAY_LEN(prunes); i++)
        status = prune_one(s, prunes[i], day, e);
    return store_end_transaction(s->meta, status, e);
}

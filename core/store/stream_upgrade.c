/* Streams as meta.db had them before migration 17: their hashes were made of the group, too. */
#include "core/store/store_private.h"

enum { C_ID, C_GROUP, C_INSTANCE, C_VERSION, C_PROVIDER, C_ACCOUNT, C_REGION, C_NAME };

static uint64_t hash_of_row(const struct sql_stmt *st)
{
    const struct fn_ref born = {.provider = (enum provider)sql_i64(st, C_PROVIDER),
                                .account = sql_str(st, C_ACCOUNT),
                                .region = sql_str(st, C_REGION),
                                .name = sql_str(st, C_NAME)};
    const struct origin o = {.fn = &born,
                             .log_group = sql_str(st, C_GROUP),
                             .instance = sql_str(st, C_INSTANCE),
                             .version = sql_str(st, C_VERSION)};

    return origin_hash(&o);
}

static enum status write_hash(struct sql_stmt *update, int64_t id, uint64_t hash, struct err *e)
{
    sql_bind_i64(update, 1, (int64_t)hash);
    sql_bind_i64(update, 2, id);
    sql_bind_i64(update, 3, (int64_t)hash);
    return sql_run(update, e);
}

enum status streams_upgrade(struct sql *meta, struct err *e)
{
    struct sql_stmt *st = NULL, *update = NULL;
    bool has_row = false;
    enum status s = sql_prepare(
        meta,
        STR("select s.id, s.log_group, s.instance, s.version, f.provider,"
            " ifnull(b.account, f.account), ifnull(b.region, f.region), ifnull(b.name, f.name)"
            " from stream s join fn f on f.id = s.fn left join born b on b.fn = s.fn"
            " where s.version <> '' and s.log_group <> '' order by s.id"),
        &st, e);

    if (s == OK)
        s = sql_prepare(meta,
                        STR("update stream set hash = ? where id = ?"
                            " and not exists (select 1 from stream where hash = ?)"),
                        &update, e);
    while (s == OK && (s = sql_step(st, &has_row, e)) == OK && has_row)
        s = write_hash(update, sql_i64(st, C_ID), hash_of_row(st), e);
    sql_finalize(st);
    sql_finalize(update);
    return s;
}

/* Which settings the stored costs were made with: one number in meta.db, so that a reader notices
 * when the configuration or the price book has changed since. */
#include "core/store/store_private.h"

/* No fingerprint: costs of different settings lie side by side. */
#define PRICED_DIFFERENTLY 1u

static enum status write_pricing(struct store *s, uint64_t fingerprint, struct err *e)
{
    struct sql_stmt *st = NULL;
    enum status status = sql_prepare(
        s->meta, STR("insert or replace into counter(name, value) values('priced_with', ?)"), &st,
        e);

    if (status != OK)
        return status;
    sql_bind_i64(st, 1, (int64_t)fingerprint);
    status = sql_run(st, e);
    sql_finalize(st);
    return status;
}

enum status request_pricing(struct store *s, uint64_t *out, struct err *e)
{
    struct sql_stmt *st = NULL;
    bool has_row = false;

    *out = 0;
    if (s->is_null)
        return OK;
    enum status status =
        sql_prepare(s->meta, STR("select value from counter where name = 'priced_with'"), &st, e);
    if (status == OK)
        status = sql_step(st, &has_row, e);
    if (status == OK && has_row)
        *out = (uint64_t)sql_i64(st, 0);
    sql_finalize(st);
    return status;
}

enum status store_note_pricing(struct store *s, uint64_t fingerprint, struct err *e)
{
    uint64_t stored = 0;
    enum status status = request_pricing(s, &stored, e);

    if (status != OK || s->is_null || stored == fingerprint)
        return status;
    if (stored == 0 && s->n_day_numbers > 0) /* of an older version: nobody knows */
        return OK;
    if (((stored ^ fingerprint) & ~(uint64_t)PRICED_SAID) == 0) /* stated by both or not at all */
        return write_pricing(s, stored & fingerprint, e);
    return write_pricing(s, stored == 0 ? fingerprint : PRICED_DIFFERENTLY, e);
}

enum status store_begin_pricing(struct store *s, struct err *e)
{
    return s->is_null ? OK : write_pricing(s, PRICED_DIFFERENTLY, e);
}

enum status store_end_pricing(struct store *s, uint64_t fingerprint, struct err *e)
{
    return s->is_null ? OK : write_pricing(s, fingerprint, e);
}

/* What the store's contents were made with, in numbers in meta.db: the settings of costs, so that a
 * reader notices when the configuration or the price book has changed since, and the decoders of
 * lines. */
#include "core/store/store_private.h"

/* No fingerprint: costs of different settings lie side by side. */
#define PRICED_DIFFERENTLY 1u

static enum status write_number(struct store *s, struct str name, int64_t value, struct err *e)
{
    struct sql_stmt *st = NULL;
    enum status status = sql_prepare(
        s->meta, STR("insert or replace into counter(name, value) values(?, ?)"), &st, e);

    if (status != OK)
        return status;
    sql_bind_str(st, 1, name);
    sql_bind_i64(st, 2, value);
    status = sql_run(st, e);
    sql_finalize(st);
    return status;
}

/* *out stays where there is none. */
static enum status read_number(struct store *s, struct str name, int64_t *out, struct err *e)
{
    struct sql_stmt *st = NULL;
    bool has_row = false;

    if (s->is_null)
        return OK;
    enum status status =
        sql_prepare(s->meta, STR("select value from counter where name = ?"), &st, e);
    if (status != OK)
        return status;
    sql_bind_str(st, 1, name);
    status = sql_step(st, &has_row, e);
    if (status == OK && has_row)
        *out = sql_i64(st, 0);
    sql_finalize(st);
    return status;
}

/* --- costs --- */

static enum status write_pricing(struct store *s, uint64_t fingerprint, struct err *e)
{
    return write_number(s, STR("priced_with"), (int64_t)fingerprint, e);
}

enum status request_pricing(struct store *s, uint64_t *out, struct err *e)
{
    int64_t stored = 0;
    const enum status status = read_number(s, STR("priced_with"), &stored, e);

    *out = (uint64_t)stored;
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

/* --- lines --- */

/* Of days up to the newest that there was when a newer decoder came, some may be of the older. */
enum status store_note_decoders(struct store *s, int64_t version, struct err *e)
{
    int64_t stored = 0;
    enum status status = read_number(s, STR("decoders"), &stored, e);

    if (status != OK || s->is_null || stored >= version)
        return status;
    if (s->n_day_numbers > 0)
        status =
            write_number(s, STR("older_decoders_to_day"), s->day_numbers[s->n_day_numbers - 1], e);
    return status == OK ? write_number(s, STR("decoders"), version, e) : status;
}

enum status request_older_decoders(struct store *s, int64_t version, bool *out, struct err *e)
{
    int64_t stored = 0, to_day = INT64_MIN;
    enum status status = read_number(s, STR("decoders"), &stored, e);

    if (status == OK)
        status = read_number(s, STR("older_decoders_to_day"), &to_day, e);
    *out = s->n_day_numbers > 0 && (stored < version || s->day_numbers[0] <= to_day);
    return status;
}

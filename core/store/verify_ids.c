/* Entries for look-up by request id: sorted, each blob at the place its first entry gives it, each
 * run as long as it says. */
#include <string.h>

#include "core/store/id_index.h"
#include "core/store/verify_private.h"

enum { B_ID, B_ENTRIES, B_SUM, B_RUN, B_RUN_N };

/* The run at hand. */
struct run_check {
    struct verifier *verifier;
    struct sql *db;
    int64_t run, n, counted;
    uint8_t last[ID_ENTRY_BYTES];
    bool is_bad;
};

static void end_run(struct run_check *k)
{
    if (k->run != 0 && (k->is_bad || k->n != k->counted))
        verify_finding(k->verifier, k->db,
                       "run %lld of request ids does not hold the %lld entries it should",
                       (long long)k->run, (long long)k->n);
}

static void begin_run(struct run_check *k, const struct sql_stmt *st)
{
    int64_t run = sql_i64(st, B_ID) >> 32;

    if (run == k->run)
        return;
    end_run(k);
    *k = (struct run_check){.verifier = k->verifier, .db = k->db, .run = run};
    k->is_bad = sql_is_null(st, B_RUN); /* blobs of no run */
    k->n = sql_i64(st, B_RUN_N);
}

static void check_blob(struct run_check *k, const struct sql_stmt *st)
{
    struct str blob = sql_blob(st, B_ENTRIES);
    int64_t id = sql_i64(st, B_ID);
    struct id_entry first = {0};

    begin_run(k, st);
    if (blob.n >= ID_ENTRY_BYTES)
        id_entry_unpack((const uint8_t *)blob.p, &first);
    if (blob.n == 0 || blob.n % ID_ENTRY_BYTES != 0 || first.prefix != (uint32_t)id ||
        (!sql_is_null(st, B_SUM) && sql_i64(st, B_SUM) != blob_sum(blob, id)))
        k->is_bad = true;
    for (; blob.n >= ID_ENTRY_BYTES; blob = str_skip(blob, ID_ENTRY_BYTES)) {
        if (k->counted > 0 && memcmp(k->last, blob.p, ID_ENTRY_BYTES) >= 0)
            k->is_bad = true;
        memcpy(k->last, blob.p, ID_ENTRY_BYTES);
        k->counted++;
        k->verifier->n_entries++;
    }
}

static enum status check_runs(struct run_check *k, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(k->db,
                                schema_has_sums(k->db)
                                    ? STR("select b.id, b.entries, b.sum, r.id, r.n from id_blob b"
                                          " left join id_run r on r.id = b.id >> 32 order by b.id")
                                    : STR("select b.id, b.entries, null, r.id, r.n from id_blob b"
                                          " left join id_run r on r.id = b.id >> 32 order by b.id"),
                                &st, e);

    if (s != OK)
        return s;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row)
        check_blob(k, st);
    sql_finalize(st);
    end_run(k);
    return s;
}

static enum status check_lost_runs(struct run_check *k, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(k->db,
                                STR("select id, n from id_run where n > 0 and not exists"
                                    " (select 1 from id_blob b where b.id between id_run.id << 32"
                                    " and (id_run.id << 32) + 4294967295)"),
                                &st, e);

    if (s != OK)
        return s;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row)
        verify_finding(k->verifier, k->db,
                       "run %lld of request ids does not hold the %lld entries it should",
                       (long long)sql_i64(st, 0), (long long)sql_i64(st, 1));
    sql_finalize(st);
    return s;
}

/* Of a file from before migration 6. */
static enum status count_old_entries(struct run_check *k, struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status s = sql_prepare(k->db, STR("select b0, entries from inv_id"), &st, e);

    if (s != OK)
        return s;
    while ((s = sql_step(st, &has_row, e)) == OK && has_row) {
        struct str blob = sql_blob(st, 1);
        k->verifier->n_entries += blob.n / ID_ENTRY_BYTES;
        if (blob.n == 0 || blob.n % ID_ENTRY_BYTES != 0 ||
            (unsigned char)blob.p[0] != sql_i64(st, 0))
            verify_finding(k->verifier, k->db, "entries for request ids are damaged");
    }
    sql_finalize(st);
    return s;
}

enum status verify_ids(struct verifier *v, struct day *d, struct err *e)
{
    struct run_check k = {.verifier = v, .db = d->db};

    if (!schema_has(d->db, "id_run"))
        return count_old_entries(&k, e);
    enum status s = check_runs(&k, e);
    return s == OK ? check_lost_runs(&k, e) : s;
}

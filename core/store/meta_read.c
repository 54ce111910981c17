/* What meta.db knows besides dimensions: cursors, counters, quarantine, configurations, and the
 * store's state. */
#include <string.h>
#include <sys/stat.h>

#include "core/store/fact_store.h"
#include "core/store/store_private.h"

bool store_cursor(struct store *s, struct str source, struct str scope, struct arena *a,
                  struct cursor *out)
{
    struct sql_stmt *st;
    bool has_row = false;

    if (s->is_null ||
        sql_prepare(s->meta,
                    STR("select token, watermark_ns from cursor where source = ? and scope = ?"),
                    &st, NULL) != OK)
        return false;
    sql_bind_str(st, 1, source);
    sql_bind_str(st, 2, scope);
    if (sql_step(st, &has_row, NULL) == OK && has_row)
        *out = (struct cursor){arena_str(a, source), arena_str(a, scope),
                               arena_str(a, sql_str(st, 0)), sql_i64(st, 1)};
    sql_finalize(st);
    return has_row;
}

/* --- status --- */

static enum status read_counters(struct store *s, struct ingest_status *out, struct err *e)
{
    const struct {
        const char *name;
        uint64_t *value;
    } counters[] = {
        {"read_bytes", &out->counts.read_bytes},
        {"events", &out->counts.events},
        {"repeats", &out->counts.repeats},
        {"late", &out->counts.late},
        {"quarantined", &out->counts.quarantined},
        {"control_messages", &out->counts.control_messages},
        {"unknown_labels", &out->counts.unknown_labels},
        {"forged", &out->counts.forged},
        {"lost_lines", &out->counts.lost_lines},
        {"lost_bytes", &out->counts.lost_bytes},
        {"invalid_utf8", &out->counts.invalid_utf8},
        {"untimed", &out->counts.untimed},
        {"elsewhere", &out->counts.elsewhere},
        {"again", &out->counts.again},
        {"adopted", &out->counts.adopted},
        {"generation", &out->generation},
    };
    struct sql_stmt *st;
    bool has_row = false;
    enum status status = sql_prepare(s->meta, STR("select name, value from counter"), &st, e);

    if (status != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        struct str name = sql_str(st, 0);
        for (size_t i = 0; i < ARRAY_LEN(counters); i++)
            if (str_eq(name, str_from(counters[i].name)))
                *counters[i].value = (uint64_t)sql_i64(st, 1);
        if (str_eq(name, STR("last_commit_ns")))
            out->last_commit_ns = sql_i64(st, 1);
        if (str_eq(name, STR("doubtful")))
            out->counts.doubtful = sql_i64(st, 1);
        if (str_eq(name, STR("ambiguous")))
            out->counts.ambiguous = sql_i64(st, 1);
        if (str_eq(name, STR("refuted")))
            out->counts.refuted = sql_i64(st, 1);
    }
    sql_finalize(st);
    return status;
}

static enum status read_cursors(struct store *s, struct arena *a, struct ingest_status *out,
                                struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    size_t cap = 0;
    enum status status = sql_prepare(
        s->meta, STR("select source, scope, token, watermark_ns from cursor order by 1, 2"), &st,
        e);

    if (status != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        out->cursors = arena_grow(a, out->cursors, out->n_cursors, &cap, sizeof(*out->cursors));
        out->cursors[out->n_cursors++] =
            (struct cursor){arena_str(a, sql_str(st, 0)), arena_str(a, sql_str(st, 1)),
                            arena_str(a, sql_str(st, 2)), sql_i64(st, 3)};
    }
    sql_finalize(st);
    return status;
}

static enum status read_quarantine(struct store *s, struct arena *a, struct ingest_status *out,
                                   struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    size_t cap = 0;
    enum status status = sql_prepare(
        s->meta, STR("select place, reason, raw from quarantine order by id desc limit 100"), &st,
        e);

    if (status != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        out->quarantine =
            arena_grow(a, out->quarantine, out->n_quarantine, &cap, sizeof(*out->quarantine));
        out->quarantine[out->n_quarantine++] =
            (struct quarantined){arena_str(a, sql_str(st, 0)), arena_str(a, sql_str(st, 1)),
                                 arena_str(a, sql_blob(st, 2))};
    }
    sql_finalize(st);
    return status;
}

static enum status one_i64(struct sql *db, const char *query, int64_t *out, bool *is_null,
                           struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    enum status status = sql_prepare(db, str_from(query), &st, e);

    if (status != OK)
        return status;
    status = sql_step(st, &has_row, e);
    *is_null = !has_row || sql_is_null(st, 0);
    *out = status == OK && has_row ? sql_i64(st, 0) : 0;
    sql_finalize(st);
    return status;
}

static void add_file_size(const struct store *s, const char *path, uint64_t *bytes)
{
    static const char *const endings[] = {"", "-wal"};

    UNUSED(s);
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        AUTO(arena_clear) struct arena a = {0};
        struct stat st;
        if (stat(arena_strz(&a, arena_printf(&a, "%s%s", path, endings[i])), &st) == 0)
            *bytes += (uint64_t)st.st_size;
    }
}

/* Sums of a day from its roll-ups. */
static enum status add_day_sums(struct day *d, struct ingest_status *out, struct err *e)
{
    struct stats sums = {0};
    struct sql_stmt *st;
    bool has_row = false;
    enum status status = sql_prepare(d->db, STR("select data from roll where slot = 24"), &st, e);

    if (status != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row)
        if (!stats_unpack(sql_blob(st, 0), &sums))
            break;
    sql_finalize(st);
    out->invocations += sums.n;
    out->open_invocations += stats_open(&sums);
    out->unpriced += sums.unpriced;
    out->log_events += sums.log_events;
    out->log_bytes += sums.log_bytes;
    stats_clear(&sums);
    return status;
}

/* Bounds and sizes of a day's chunks. */
static enum status add_day_chunks(struct day *d, struct ingest_status *out, struct err *e)
{
    static const char *const of_heads[] = {
        "select min(t0) from chunk_head", "select max(t1) from chunk_head",
        "select sum(stored) from chunk_head", "select sum(length(hashes)) from seen"};
    static const char *const of_chunks[] = {
        "select min(t0) from chunk", "select max(t1) from chunk",
        "select sum(length(data)) from chunk", "select sum(length(hashes)) from seen"};
    const char *const *queries = day_has_heads(d) ? of_heads : of_chunks;
    int64_t v[ARRAY_LEN(of_chunks)] = {0};
    bool is_null = false;
    enum status status = OK;

    for (size_t i = 0; status == OK && i < ARRAY_LEN(v); i++)
        status = one_i64(d->db, queries[i], &v[i], &is_null, e);
    out->chunk_bytes += (uint64_t)(v[2] + v[3]);
    if (status != OK || is_null)
        return status;
    int64_t first = d->number * NS_PER_DAY + v[0], last = d->number * NS_PER_DAY + v[1];
    out->first_ns = out->first_ns == 0 || first < out->first_ns ? first : out->first_ns;
    out->last_ns = last > out->last_ns ? last : out->last_ns;
    return OK;
}

/* An attempt began before its first line where an export holds nothing but REPORT lines: what
 * begins the first day counts as well, or the range of everything would leave it out. */
static enum status add_first_start(struct store *s, struct ingest_status *out, struct err *e)
{
    static const char query[] = "select fn from roll where slot = "
                                "(select min(slot) from roll where slot < 24)";
    struct day *d = NULL;
    struct sql_stmt *st;
    bool has_row = false;
    enum status status = s->n_day_numbers > 0 ? store_day(s, s->day_numbers[0], false, &d, e) : OK;

    if (status != OK || d == NULL)
        return status;
    if ((status = sql_prepare(d->db, str_from(query), &st, e)) != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        bool is_found = false;
        struct range bounds = {0};
        status = facts_bounds(d, (uint32_t)sql_i64(st, 0), &is_found, &bounds, e);
        if (status != OK)
            break;
        if (is_found && (out->first_ns == 0 || bounds.since_ns < out->first_ns))
            out->first_ns = bounds.since_ns;
    }
    sql_finalize(st);
    return status;
}

static enum status add_day(struct store *s, int64_t number, struct ingest_status *out,
                           struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct day *d;
    enum status status = store_day(s, number, false, &d, e);

    if (status != OK || !d)
        return status;
    add_file_size(s, store_day_file(&a, s, number), &out->bytes_on_disk);
    status = add_day_sums(d, out, e);
    return status == OK ? add_day_chunks(d, out, e) : status;
}

enum status request_status(struct store *s, struct arena *a, struct ingest_status *out,
                           struct err *e)
{
    struct ingest_status r = {.schema_version = SCHEMA_VERSION};
    AUTO(arena_clear) struct arena names = {0};
    bool is_null;
    int64_t v = 0;

    if (s->is_null) {
        *out = r;
        return OK;
    }
    enum status status = read_counters(s, &r, e);
    if (status == OK)
        status = read_cursors(s, a, &r, e);
    if (status == OK)
        status = read_quarantine(s, a, &r, e);
    if (status == OK)
        status = one_i64(s->meta, "select count(*) from fn", &v, &is_null, e);
    r.functions = (uint64_t)v;
    if (status == OK)
        status = one_i64(s->meta, "select count(*) from stream", &v, &is_null, e);
    r.streams = (uint64_t)v;
    if (status == OK)
        status = store_scan_days(s, e);
    r.day_files = s->n_day_numbers;
    add_file_size(s, store_file(&names, s, "meta.db"), &r.bytes_on_disk);
    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++)
        status = add_day(s, s->day_numbers[i], &r, e);
    if (status == OK)
        status = add_first_start(s, &r, e);
    if (status == OK)
        *out = r;
    return status;
}

enum status request_newest(struct store *s, int64_t *out, struct err *e)
{
    enum status status = s->is_null ? OK : store_scan_days(s, e);

    *out = 0;
    for (size_t k = s->n_day_numbers; status == OK && k-- > 0 && *out == 0;) {
        struct day *d;
        bool is_null = true;
        int64_t last = 0;
        status = store_day(s, s->day_numbers[k], false, &d, e);
        if (status == OK && d)
            status = one_i64(d->db,
                             day_has_heads(d) ? "select max(t1) from chunk_head"
                                              : "select max(t1) from chunk",
                             &last, &is_null, e);
        if (status == OK && !is_null)
            *out = d->number * NS_PER_DAY + last;
    }
    return status;
}

enum status request_generation(struct store *s, uint64_t *out, struct err *e)
{
    bool is_null;
    int64_t v = 0;
    enum status status =
        s->is_null ? OK
                   : one_i64(s->meta, "select value from counter where name = 'generation'", &v,
                             &is_null, e);

    if (status == OK && !s->is_null)
        status = dim_refresh(s, e);
    if (status == OK)
        *out = (uint64_t)v;
    return status;
}

/* --- configurations --- */

static void read_config(struct store *s, const struct sql_stmt *st, struct arena *a,
                        struct fn_config *c)
{
    *c = (struct fn_config){
        .fn = *dim_fn(s, (uint32_t)sql_i64(st, 0)),
        .valid_from_ns = sql_i64(st, 1),
        .arch = (enum arch)sql_i64(st, 2),
        .memory_bytes = (uint64_t)sql_i64(st, 3),
        .ephemeral_storage_bytes = (uint64_t)sql_i64(st, 4),
        .timeout_ns = sql_i64(st, 5),
        .reserved_concurrency = sql_i64(st, 6),
        .runtime = arena_str(a, sql_str(st, 7)),
        .version = arena_str(a, sql_str(st, 8)),
        .code_sha256 = arena_str(a, sql_str(st, 9)),
        .dead_letter = arena_str(a, sql_str(st, 10)),
        .valid_until_ns = sql_i64(st, 11),
    };
}

enum status request_configs(struct store *s, const struct fn_filter *f, struct arena *a,
                            struct fn_config_rows *out, struct err *e)
{
    struct fn_config_rows r = {0};
    struct sql_stmt *st;
    bool has_row = false;
    size_t cap = 0;
    enum status status;

    *out = r;
    if (s->is_null)
        return OK;
#define CONFIG_QUERY(rest)                                                                         \
    STR("select fn, valid_from_ns, arch, memory_bytes, storage_bytes, timeout_ns, reserved,"       \
        " runtime, version, code_sha256, " rest " from fn_config order by fn, valid_from_ns desc")
    status = sql_prepare(s->meta,
                         schema_has(s->meta, "queue") /* migration 2 brought both */
                             ? CONFIG_QUERY("dead_letter, valid_until_ns")
                             : CONFIG_QUERY("'', 0"),
                         &st, e);
    if (status != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        struct fn_config c;
        read_config(s, st, a, &c);
        if (!fn_filter_passes(f, &c.fn))
            continue;
        r.rows = arena_grow(a, r.rows, r.n, &cap, sizeof(*r.rows));
        r.rows[r.n++] = c;
    }
    sql_finalize(st);
    if (status == OK)
        *out = r;
    return status;
}

enum status request_log_groups(struct store *s, struct arena *a, struct str **out, size_t *n,
                               struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    size_t cap = 0;
    enum status status = sql_prepare(
        s->meta, STR("select distinct log_group from stream where log_group <> '' order by 1"), &st,
        e);

    *out = NULL;
    *n = 0;
    if (status != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        *out = arena_grow(a, *out, *n, &cap, sizeof(**out));
        (*out)[(*n)++] = arena_str(a, sql_str(st, 0));
    }
    sql_finalize(st);
    return status;
}

enum status request_known_fns(struct store *s, struct arena *a, struct fn_ref **out, size_t *n,
                              struct err *e)
{
    struct sql_stmt *st;
    bool has_row = false;
    size_t cap = 0;
    struct str text = arena_printf(a, "%s order by f.id", dim_fn_select(s));
    enum status status = sql_prepare(s->meta, text, &st, e);

    *out = NULL;
    *n = 0;
    if (status != OK)
        return status;
    while ((status = sql_step(st, &has_row, e)) == OK && has_row) {
        *out = arena_grow(a, *out, *n, &cap, sizeof(**out));
        const struct fn_ref f = dim_known_fn(s, dim_fn_of_row(st, a));
        (*out)[(*n)++] = *fn_copy(a, &f);
    }
    sql_finalize(st);
    return status;
}

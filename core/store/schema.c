/* The layout of the files and how it comes about. Every file carries our application id, so that a
 * foreign SQLite file is refused, and the number of the last migration, so that an older program
 * refuses a newer file.
 *
 * meta.db   fn, stream, text: dimensions (small integers instead of text everywhere else); cursor;
 * counter; quarantine; fn_config; day file  inv:
 * facts clustered on (fn, ts, seq), ts in ns within the day, integers only; inv_id: sorted
 * id-prefix arrays; chunk, seen: log text and the identities of its events; env: events of
 * environments; roll: sums per function and hour (slot 0-23) and day (slot 24), in the same
 * transaction as the facts they count
 * since migration 2: series, queue, source_state, alert, episode, outbox, silence in meta.db; point
 * (clustered on (series, ts), ts in ms within the day, value null when missing) in the day files
 * since migration 3: span in the day files, clustered on (trace, id); a span lies in the day it
 * began
 *
 * since migration 4: facts, groups of facts of one function and hour (fact_store.h says how), in
 * place of inv; fact_upgrade.c moves what inv holds
 *
 * since migration 5: chunk_head, what a chunk holds (its lines by function: line_tally.c), apart
 * from its text
 *
 * since migration 6: id_run, id_blob, request ids in runs that are merged (id_index.h says how), in
 * place of inv_id; id_run.c moves what inv_id holds
 *
 * since migration 7: sum, a checksum of the blob beside it, in facts, seen and id_blob (NULL:
 * written before); roll_old, sums of removed days which nobody read, is gone
 *
 * since migration 8: born, what functions were called when they were first stored, if that has
 * changed; is_stale: their costs are those of before
 *
 * since migration 9: source of a queue, source_part, what each source reads, by kind
 *
 * since migration 10: the cost of a restore in facts (fact_group.c); roll.data ends with the
 * restores that were priced, if any
 *
 * since migration 11: account and region of a silence
 *
 * since migration 12: facts with EV_FORGED, which older versions would count
 *
 * since migration 13: last_day of a stream, days since 1970: nothing of it is stored of a later one
 * (NULL: nobody knows)
 *
 * since migration 14: chunks as chunk_format.h says; their `raw` is bytes of text alone
 *
 * since migration 15: gone, what counters have counted and is stored no more (gone.c): in a day
 * file by what was counted again, in meta.db by the days that were removed
 *
 * since migration 16: roll.data ends with the durations on provisioned concurrency, if any (roll.c)
 *
 * since migration 18: roll.data tells the attempt that came nearest to its memory, where sizes
 * differ (roll.c)
 *
 * since migration 17: pieces of facts say when a START arrived (piece_code.c), and env.dur of lines
 * that have no duration when they did, as a negative number: the smallest is kept of one instant,
 * and known is better; the hash of a stream that Lambda named is made without its group
 *
 * How long what meta.db holds lives, with retention or `db prune` (meta_prune.c) up to a day:
 * stream        until the last day that may hold something of it is removed; the one with the
 *               highest id stays, so that no id comes back with another meaning
 * cursor        an import's: until all its events and its last reading are of removed days (it is
 *               read anew then, and finds nothing stored); a source's: for ever, it is one a log
 *               group and says where to go on
 * fn_config     until the time it was valid for is removed
 * episode, outbox, silence   until they ended (were delivered, ran out) before what is left; of
 *               delivered messages the newest 10,000 at most
 * queue         until it was last seen before what is left
 * quarantine    the newest 10,000
 * counter       for ever ("points N": what was in series N and is stored no more), but "day N"
 *               and "guessed N" (with attempts without times), which go with its file, and
 *               "gone N", from then until the file is unlinked
 * fn, gone, born, text, series   for ever: as many as there are functions, versions, kinds of
 * errors and metrics; identities in day files and prices rest on them source_state, source_part as
 * long as the source is configured alert         one a rule and thing it watches
 *
 * A reader takes an older file as it is and finds no rows of what came later; the writer migrates a
 * file when it opens it. */
#include "core/store/fact_store.h"
#include "core/store/id_index.h"

#include <stdio.h>

/* "FNSm" and "FNSd". */
const int schema_meta_id = 0x464e536d, schema_day_id = 0x464e5364;

/* Columns of struct alert, in the order of alert_write.c and alert_read.c. */
#define ALERT_COLUMN_TYPES                                                                         \
    "key text, rule text, severity int, scope text, provider int, account text, region text, "     \
    "name "                                                                                        \
    "text, state int, since_ns int, started_ns int, fired_ns int, resolved_ns int, acked_ns int, " \
    "acked_by text, value int, peak int, threshold int, unit int, data_ns int, eval_ns int, "      \
    "sent_ns int, is_missing int, is_notified int, summary text, evidence text"

#define GONE_TABLE "create table if not exists gone(fn integer primary key, data blob);"

static const char *const meta_migrations[] = {
    "create table fn(id integer primary key, provider int, account text, region text, name text, "
    "runtime text);"
    "create table stream(id integer primary key, fn int, log_group text, instance text, version "
    "text, hash int);"
    "create index stream_hash on stream(hash);"
    "create table text(id integer primary key, value text);"
    "create table cursor(source text, scope text, token text, watermark_ns int, updated_ns int,"
    " primary key(source, scope)) without rowid;"
    "create table counter(name text primary key, value int) without rowid;"
    "create table quarantine(id integer primary key, seen_ns int, place text, reason text, raw "
    "blob);"
    "create table fn_config(fn int, valid_from_ns int, arch int, memory_bytes int, storage_bytes "
    "int, timeout_ns int,"
    " reserved int, runtime text, version text, code_sha256 text, primary key(fn, valid_from_ns)) "
    "without rowid;"
    "create table roll_old(day int, fn int, slot int, data blob, primary key(day, fn, slot)) "
    "without rowid;",
    "alter table fn_config add column dead_letter text;"
    "alter table fn_config add column valid_until_ns int;"
    "create table series(id integer primary key, scope text, provider int, account text, region "
    "text, name text, metric text, period_ns int, hash int);"
    "create table queue(provider int, account text, region text, name text, url text, arn text, "
    "dead_letter text, feeders text, consumers text, is_dlq int, depth int, in_flight int, delayed "
    "int, oldest_ns int, retention_ns int, visibility_ns int, max_receives int, seen_ns int, "
    "primary key(provider, account, region, name)) without rowid;"
    "create table source_state(name text primary key, type text, account text, region text, "
    "tried_ns int, success_ns int, watermark_ns int, lag_ns int, calls int, errors int, throttles "
    "int, bytes int, events int, cost int, failures int, error text, quota_ppm int, quota text, "
    "cost_cap int, cost_today int, is_capped int) without rowid;"
    "create table alert(" ALERT_COLUMN_TYPES ", primary key(key)) without rowid;"
    "create table episode(" ALERT_COLUMN_TYPES ", primary key(key, started_ns)) without rowid;"
    "create index episode_time on episode(started_ns);"
    "create table outbox(id text, notifier text, event int, status int, attempts int, created_ns "
    "int, next_ns int, done_ns int, error text, " ALERT_COLUMN_TYPES
    ", primary key(id)) without rowid;"
    "create index outbox_waiting on outbox(status, next_ns);"
    "create table silence(id integer primary key, rule_glob text, name_glob text, created_ns int, "
    "until_ns int, author text, comment text);",
    "",
    "",
    "",
    "",
    "drop table roll_old;",
    "create table born(fn integer primary key, account text, region text, name text, is_stale "
    "int);",
    "alter table queue add column source text;"
    "create table source_part(source text, part text, tried_ns int, success_ns int, round_ns int, "
    "calls int, errors int, cost int, error text, primary key(source, part)) without rowid;",
    "",
    "alter table silence add column account text; alter table silence add column region text;",
    "",
    "alter table stream add column last_day int;"
    "update stream set last_day = (select max(cast(substr(name, 5) as int)) from counter where "
    "name glob 'day [0-9]*');",
    "",
    GONE_TABLE,
    "",
    "",
    "",
    NULL,
};

static const char *const day_migrations[] = {
    "create table inv(fn int, ts int, seq int, rid blob, stream int, kind int, dur int, billed "
    "int, mem int, used int,"
    " init int, evidence int, cost int, nlog int, error int, version int, trace blob, extra blob,"
    " primary key(fn, ts, seq)) without rowid;"
    "create table inv_id(b0 int, pack int, part int, entries blob, primary key(b0, pack, part)) "
    "without rowid;"
    "create table chunk(id integer primary key, shard int, t0 int, t1 int, n int, raw int, levels "
    "int, data blob);"
    "create table seen(chunk integer primary key, shard int, t0 int, t1 int, hashes blob);"
    "create table env(stream int, ts int, kind int, dur int, status text, error text, init_type "
    "text, phase text,"
    " runtime text, primary key(stream, ts, kind)) without rowid;"
    "create table roll(fn int, slot int, data blob, primary key(fn, slot)) without rowid;",
    "create table point(series int, ts int, value int, weight int, primary key(series, ts)) "
    "without rowid;",
    "create table span(trace blob, id text, parent text, provider int, account text, region text, "
    "fn text, ts int, dur int, flags int, http int, name text, origin text, detail text, rid text, "
    "error text, annotations text, primary key(trace, id)) without rowid;",
    "create table facts(id integer primary key, n int, t0 int, t1 int, data blob);",
    "create table chunk_head(id integer primary key, shard int, t0 int, t1 int, raw int, levels "
    "int, stored int, tally blob);"
    "insert into chunk_head select id, shard, t0, t1, raw, levels, length(data), null from chunk;"
    "alter table roll add column t0 int; alter table roll add column t1 int",
    "create table id_run(id integer primary key, level int, n int);"
    "create table id_blob(id integer primary key, entries blob);",
    "alter table facts add column sum int; alter table seen add column sum int;"
    "alter table id_blob add column sum int;",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    GONE_TABLE,
    "",
    "",
    "",
    NULL,
};

/* Ids of groups: fact_store.h. */
static const char *const fill_bounds =
    "update roll set (t0, t1) = (select min(t0), max(t1) from facts where id between"
    " (roll.fn << 31) + (slot % 24 << 26) and"
    " (roll.fn << 31) + ((case slot when 24 then 31 else slot end) << 26) + 67108863)";

static enum status bounds_upgrade(struct sql *db, struct err *e)
{
    return sql_exec(db, fill_bounds, e);
}

/* What moves the rows of a day file that SQL cannot move, after all tables are there. */
static const struct {
    int migration;
    enum status (*run)(struct sql *db, struct err *e);
} day_upgrades[] = {{4, facts_upgrade}, {5, bounds_upgrade}, {6, ids_upgrade}};

struct identity {
    int64_t id, version, tables;
};

/* Of one moment: another thread may be filling the file. */
static enum status read_identity(struct sql *db, struct identity *out, struct err *e)
{
    enum status s = sql_exec(db, "begin", e);

    if (s == OK)
        s = sql_read_i64(db, "pragma application_id", &out->id, e);
    if (s == OK)
        s = sql_read_i64(db, "pragma user_version", &out->version, e);
    if (s == OK)
        s = sql_read_i64(db, "select count(*) from sqlite_schema", &out->tables, e);
    enum status ended = sql_exec(db, "rollback", NULL);
    UNUSED(ended); /* nothing was written, and without begin there is nothing to end */
    return s;
}

/* An empty file has neither id nor tables: it is ours to fill. */
static enum status check_identity(struct sql *db, int application_id, int64_t *version,
                                  struct err *e)
{
    struct identity found = {0};
    enum status s = read_identity(db, &found, e);

    *version = found.version;
    if (s != OK)
        return s;
    if (found.id != application_id && (found.id != 0 || found.tables != 0))
        return err_set(e, ERR_IO,
                       STR_FMT
                       ": a SQLite file of another program; name another store with --store",
                       STR_ARG(sql_path(db)));
    if (*version > SCHEMA_VERSION)
        return err_set(
            e, ERR_IO,
            STR_FMT ": written by a newer fnscope (schema %lld, this one knows %d): update fnscope",
            STR_ARG(sql_path(db)), (long long)*version, SCHEMA_VERSION);
    return OK;
}

static enum status migrate_tables(struct sql *db, const char *const *migrations, int64_t version,
                                  struct err *e)
{
    for (int64_t i = version; i < SCHEMA_VERSION; i++)
        if (sql_exec(db, migrations[i], e) != OK)
            return err_wrap(e, "migration %lld", (long long)i + 1);
    return OK;
}

static enum status migrate_rows(struct sql *db, int64_t version, struct err *e)
{
    for (size_t i = 0; i < ARRAY_LEN(day_upgrades); i++)
        if (version < day_upgrades[i].migration && day_upgrades[i].run(db, e) != OK)
            return err_wrap(e, "migration %d", day_upgrades[i].migration);
    return OK;
}

enum { MIGRATION_OF_STREAMS = 17 };

static enum status migrate_streams(struct sql *db, int64_t version, struct err *e)
{
    return version > 0 && version < MIGRATION_OF_STREAMS ? streams_upgrade(db, e) : OK;
}

static enum status stamp(struct sql *db, int application_id, struct err *e)
{
    char text[128];

    snprintf(text, sizeof(text), "pragma application_id=%d; pragma user_version=%d", application_id,
             SCHEMA_VERSION);
    return sql_exec(db, text, e);
}

static enum status migrate(struct sql *db, int application_id, int64_t version, struct err *e)
{
    bool is_day = application_id == schema_day_id;
    enum status s = sql_exec(db, "begin immediate", e);

    if (s != OK)
        return err_wrap(e, "migration");
    s = migrate_tables(db, is_day ? day_migrations : meta_migrations, version, e);
    if (s == OK)
        s = is_day ? migrate_rows(db, version, e) : migrate_streams(db, version, e);
    if (s == OK)
        s = stamp(db, application_id, e);
    if (s == OK)
        return sql_exec(db, "commit", e);
    enum status undone = sql_exec(db, "rollback", NULL);
    UNUSED(undone); /* closing the file undoes it as well */
    return s;
}

enum { MIGRATION_OF_SUMS = 7, MIGRATION_OF_SILENCE_PLACES = 11 };

static bool has_migration(struct sql *db, int64_t number)
{
    int64_t version = 0;

    return sql_read_i64(db, "pragma user_version", &version, NULL) == OK && version >= number;
}

bool schema_has_sums(struct sql *db)
{
    return has_migration(db, MIGRATION_OF_SUMS);
}

bool schema_has_silence_places(struct sql *db)
{
    return has_migration(db, MIGRATION_OF_SILENCE_PLACES);
}

bool schema_has(struct sql *db, const char *table)
{
    struct sql_stmt *st;
    bool has_row = false;

    if (sql_prepare(db, STR("select 1 from sqlite_schema where type = 'table' and name = ?"), &st,
                    NULL) != OK)
        return false;
    sql_bind_str(st, 1, str_from(table));
    if (sql_step(st, &has_row, NULL) != OK)
        has_row = false;
    sql_finalize(st);
    return has_row;
}

bool schema_has_moved(struct sql *db, const char *to, bool had, enum status failure)
{
    return failure == ERR_IO && !had && schema_has(db, to);
}

enum status schema_check(const char *path, int application_id, struct err *e)
{
    int64_t version = 0;
    struct sql *db;

    if (sql_open(path, SQL_READ_ONLY, &db, NULL) != OK)
        return OK;
    const enum status s = check_identity(db, application_id, &version, e);
    sql_close(db);
    return s;
}

enum status schema_prepare(struct sql *db, int application_id, bool may_write, struct err *e)
{
    int64_t version = 0;
    enum status s = check_identity(db, application_id, &version, e);

    if (s != OK || version == SCHEMA_VERSION || (version > 0 && !may_write))
        return s;
    if (!may_write)
        return err_set(e, ERR_NOT_FOUND, STR_FMT ": the store is empty", STR_ARG(sql_path(db)));
    return migrate(db, application_id, version, e);
}

/* SQLite with our pragmas and errors that name the file. */
#include "core/base/sql.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/sql_gather.h"

/* Statements given back wait here for the same text: preparing one costs as much as a look-up. */
enum { KEPT_STATEMENTS = 8, PAGE_BYTES = 4096 };

struct sql {
    sqlite3 *db;
    char *path;
    sqlite3_stmt *kept[KEPT_STATEMENTS];
    bool is_unsynced;  /* new, and nobody waited for the disk yet */
    unsigned next_out; /* who makes room when all are kept */
};

struct sql_stmt {
    sqlite3_stmt *st;
    struct sql *owner;
};

static const char *remedy(int code)
{
    static const struct {
        int code;
        const char *text;
    } remedies[] = {
        {SQLITE_FULL, "; the disk is full: make room and run again, nothing was half written"},
        {SQLITE_READONLY, "; the disk or file is read-only: check the mount and permissions"},
        {SQLITE_CANTOPEN, "; check the path and its permissions"},
        {SQLITE_NOTADB, "; it is no store of ours: name another folder with --store"},
        {SQLITE_CORRUPT, "; restore it from a backup, or remove it and import again"},
        {SQLITE_IOERR, "; the disk reports an error"},
    };

    for (size_t i = 0; i < ARRAY_LEN(remedies); i++)
        if (remedies[i].code == code)
            return remedies[i].text;
    return "";
}

/* ERR_IO may pass. */
static enum status status_of(int code)
{
    static const struct {
        int code;
        enum status status;
    } statuses[] = {
        {SQLITE_BUSY, ERR_AGAIN},    {SQLITE_LOCKED, ERR_AGAIN}, {SQLITE_INTERRUPT, ERR_CANCELLED},
        {SQLITE_CORRUPT, ERR_PARSE}, {SQLITE_NOTADB, ERR_PARSE}, {SQLITE_CONSTRAINT, ERR_BUG},
    };

    for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
        if (statuses[i].code == code)
            return statuses[i].status;
    return ERR_IO;
}

static enum status sql_error(struct sql *db, struct err *e)
{
    int code = sqlite3_errcode(db->db) & 0xff;

    return err_set(e, status_of(code), "%s: %s%s", db->path, sqlite3_errmsg(db->db), remedy(code));
}

/* SQLite would create with the umask's mode: make the file first, for its owner only. True when it
 * was not there. The WAL and its index get the file's owner from SQLite. */
static bool create_private(const char *path)
{
    int fd = file_create(path, 0600);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* What becomes WAL in its first write needs no journal file, which costs three more waits for the
 * disk: one page is written, and synced by itself. */
static const char *const fresh_pragmas = "pragma page_size=4096; pragma journal_mode=memory";
static const char *const unsynced_pragma = "pragma synchronous=off";

/* page_size must come before the first write, so before WAL. */
static const char *const write_pragmas =
    "pragma page_size=4096; pragma journal_mode=wal; pragma synchronous=full; pragma "
    "cache_size=-7000;"
    "pragma wal_autocheckpoint=10000; pragma temp_store=memory; pragma trusted_schema=off";
static const char *const read_pragmas = "pragma query_only=on; pragma cache_size=-4000; pragma "
                                        "temp_store=memory; pragma trusted_schema=off";

static const char *const temporary_pragmas =
    "pragma page_size=4096; pragma journal_mode=off; pragma synchronous=off; pragma "
    "cache_size=-2000; pragma temp_store=file";

/* Before the first look at a WAL file, or its index goes to shared memory after all. */
static const char *const exclusive_pragma = "pragma locking_mode=exclusive";

#define BUSY_TIMEOUT_MS 5000

/* The first read tells whether the file is a database at all. */
#define FIRST_READ "select count(*) from sqlite_schema"

static int open_handle(const char *path, enum sql_mode mode, sqlite3 **db, bool *is_unsynced)
{
    bool is_fresh = false;
    int flags =
        SQLITE_OPEN_NOMUTEX |
        (mode == SQL_READ_ONLY ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

    if (mode != SQL_READ_ONLY && path[0] != '\0' && strcmp(path, SQL_IN_MEMORY) != 0)
        is_fresh = create_private(path);
    const char *vfs = mode == SQL_READ_WRITE ? sql_gather_vfs() : NULL;
    int code = sqlite3_open_v2(path, db, flags | SQLITE_OPEN_URI, vfs);
    *is_unsynced = is_fresh && mode == SQL_EXCLUSIVE;
    if (code == SQLITE_OK && is_fresh)
        code = sqlite3_exec(*db, fresh_pragmas, NULL, NULL, NULL);
    if (code == SQLITE_OK && *is_unsynced)
        code = sqlite3_exec(*db, unsynced_pragma, NULL, NULL, NULL);
    return code;
}

/* A WAL database in a folder that cannot be written has no place for its shared memory: read it as
 * it lies there. */
static int open_immutable(const char *path, sqlite3 **db)
{
    char uri[4096];

    sqlite3_snprintf(sizeof(uri), uri, "file:%s?immutable=1", path);
    sqlite3_close(*db);
    return sqlite3_open_v2(uri, db, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
                           NULL);
}

/* A writer that was killed while it made the file leaves a rollback journal, which a read-only
 * connection may not play back: SQLITE_READONLY_ROLLBACK. A connection that may write does it. */
static int finish_killed_write(const char *path)
{
    sqlite3 *db = NULL;
    bool is_unsynced;

    int code = open_handle(path, SQL_READ_WRITE, &db, &is_unsynced);
    if (code == SQLITE_OK)
        code = sqlite3_exec(db, FIRST_READ, NULL, NULL, NULL);
    sqlite3_close(db);
    return code;
}

static int start_connection(sqlite3 *db, const char *pragmas)
{
    sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
    int code = sqlite3_exec(db, pragmas, NULL, NULL, NULL);
    return code == SQLITE_OK ? sqlite3_exec(db, FIRST_READ, NULL, NULL, NULL) : code;
}

static const char *pragmas_of(const char *path, enum sql_mode mode)
{
    if (path[0] == '\0')
        return temporary_pragmas;
    return mode == SQL_READ_ONLY ? read_pragmas : write_pragmas;
}

static const char *shown_path(const char *path)
{
    return path[0] == '\0' ? "a file in the temporary folder" : path;
}

enum status sql_open(const char *path, enum sql_mode mode, struct sql **out, struct err *e)
{
    struct sql *db = xcalloc(1, sizeof(*db));
    const char *pragmas = pragmas_of(path, mode);

    db->path = xstrdup(shown_path(path));
    int code = open_handle(path, mode, &db->db, &db->is_unsynced);
    if (code == SQLITE_OK && mode == SQL_EXCLUSIVE)
        code = sqlite3_exec(db->db, exclusive_pragma, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = start_connection(db->db, pragmas);
    if (mode == SQL_READ_ONLY && (code & 0xff) == SQLITE_READONLY &&
        finish_killed_write(path) == SQLITE_OK)
        code = start_connection(db->db, pragmas);
    if (mode == SQL_READ_ONLY && (code & 0xff) == SQLITE_CANTOPEN && access(path, R_OK) == 0) {
        code = open_immutable(path, &db->db);
        if (code == SQLITE_OK)
            code = sqlite3_exec(db->db, read_pragmas, NULL, NULL, NULL);
    }
    if (code != SQLITE_OK) {
        enum status s = access(path, F_OK) != 0 && mode == SQL_READ_ONLY
                            ? err_set(e, ERR_NOT_FOUND, "%s: there is no such file", path)
                            : sql_error(db, e);
        sql_close(db);
        return s;
    }
    *out = db;
    return OK;
}

/* SQLite has no call for this: a WAL commit syncs the WAL only, and when the file itself is empty
 * after a loss of power, its WAL is taken for a leftover and removed. */
enum status sql_sync(struct sql *db, struct err *e)
{
    sqlite3_file *file = NULL;

    if (!db->is_unsynced)
        return OK;
    int code = sqlite3_file_control(db->db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code == SQLITE_OK && file->pMethods)
        code = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
    if (code != SQLITE_OK)
        return err_set(e, ERR_IO, "%s: cannot be written to the disk", db->path);
    db->is_unsynced = false;
    return OK;
}

void sql_start_quickly(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
}

enum { POOL_BYTES = 8 << 20, SLOT_ALIGN = 64 };

/* The pool stays SQLite's until the process ends. */
void sql_pool_pages(void)
{
    int header = 0;

    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_PCACHE_HDRSZ, &header);
    int slot = (PAGE_BYTES + header + SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN;
    sqlite3_config(SQLITE_CONFIG_PAGECACHE, xcalloc_large(1, POOL_BYTES), slot, POOL_BYTES / slot);
}

void sql_close(struct sql *db)
{
    if (!db)
        return;
    for (sqlite3_stmt *st = sqlite3_next_stmt(db->db, NULL); st;
         st = sqlite3_next_stmt(db->db, NULL))
        sqlite3_finalize(st);
    sqlite3_close(db->db);
    free(db->path);
    free(db);
}

enum status sql_exec(struct sql *db, const char *text, struct err *e)
{
    return sqlite3_exec(db->db, text, NULL, NULL, NULL) == SQLITE_OK ? OK : sql_error(db, e);
}

static sqlite3_stmt *take_kept(struct sql *db, struct str text)
{
    for (size_t i = 0; i < KEPT_STATEMENTS; i++) {
        sqlite3_stmt *st = db->kept[i];
        if (st && str_eq(str_from(sqlite3_sql(st)), text)) {
            db->kept[i] = NULL;
            return st;
        }
    }
    return NULL;
}

static void keep(struct sql *db, sqlite3_stmt *st)
{
    size_t place = 0;

    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    while (place < KEPT_STATEMENTS && db->kept[place])
        place++;
    if (place == KEPT_STATEMENTS) {
        place = db->next_out++ % KEPT_STATEMENTS;
        sqlite3_finalize(db->kept[place]);
    }
    db->kept[place] = st;
}

enum status sql_prepare(struct sql *db, struct str text, struct sql_stmt **out, struct err *e)
{
    sqlite3_stmt *st = take_kept(db, text);

    assert(text.n < INT32_MAX);
    if (!st && sqlite3_prepare_v2(db->db, text.p, (int)text.n, &st, NULL) != SQLITE_OK)
        return sql_error(db, e);
    if (!st)
        return err_set(e, ERR_USAGE, "%s: the statement is empty", db->path);
    struct sql_stmt *s = xcalloc(1, sizeof(*s));
    s->st = st;
    s->owner = db;
    *out = s;
    return OK;
}

void sql_finalize(struct sql_stmt *st)
{
    if (!st)
        return;
    keep(st->owner, st->st);
    free(st);
}

void sql_reset(struct sql_stmt *st)
{
    sqlite3_reset(st->st);
    sqlite3_clear_bindings(st->st);
}

void sql_bind_i64(struct sql_stmt *st, int i, int64_t v)
{
    int code = sqlite3_bind_int64(st->st, i, v);

    assert(code == SQLITE_OK);
    UNUSED(code);
}

void sql_bind_str(struct sql_stmt *st, int i, struct str v)
{
    int code = sqlite3_bind_text64(st->st, i, v.p ? v.p : "", v.n, SQLITE_STATIC, SQLITE_UTF8);

    assert(code == SQLITE_OK);
    UNUSED(code);
}

void sql_bind_blob(struct sql_stmt *st, int i, struct str v)
{
    int code = sqlite3_bind_blob64(st->st, i, v.p ? v.p : "", v.n, SQLITE_STATIC);

    assert(code == SQLITE_OK);
    UNUSED(code);
}

void sql_bind_null(struct sql_stmt *st, int i)
{
    sqlite3_bind_null(st->st, i);
}

enum status sql_step(struct sql_stmt *st, bool *has_row, struct err *e)
{
    int code = sqlite3_step(st->st);

    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return sql_error(st->owner, e);
    *has_row = code == SQLITE_ROW;
    return OK;
}

enum status sql_run(struct sql_stmt *st, struct err *e)
{
    bool has_row = true;
    enum status s = OK;

    while (s == OK && has_row)
        s = sql_step(st, &has_row, e);
    sql_reset(st);
    return s;
}

enum status sql_read_i64(struct sql *db, const char *text, int64_t *out, struct err *e)
{
    struct sql_stmt *st = NULL;
    bool has_row = false;
    enum status s = sql_prepare(db, str_from(text), &st, e);

    if (s != OK)
        return s;
    assert(st);
    s = sql_step(st, &has_row, e);
    if (s == OK && has_row)
        *out = sql_i64(st, 0);
    sql_finalize(st);
    return s;
}

int sql_columns(const struct sql_stmt *st)
{
    return sqlite3_column_count(st->st);
}

const char *sql_column_name(const struct sql_stmt *st, int i)
{
    return sqlite3_column_name(st->st, i);
}

bool sql_is_null(const struct sql_stmt *st, int i)
{
    return sqlite3_column_type(st->st, i) == SQLITE_NULL;
}

int64_t sql_i64(const struct sql_stmt *st, int i)
{
    return sqlite3_column_int64(st->st, i);
}

struct str sql_str(const struct sql_stmt *st, int i)
{
    const unsigned char *p = sqlite3_column_text(st->st, i);

    return (struct str){(const char *)p, (size_t)sqlite3_column_bytes(st->st, i)};
}

struct str sql_blob(const struct sql_stmt *st, int i)
{
    const char *p = sqlite3_column_blob(st->st, i);

    return (struct str){p, (size_t)sqlite3_column_bytes(st->st, i)};
}

int64_t sql_changes(struct sql *db)
{
    return sqlite3_changes64(db->db);
}

struct str sql_path(const struct sql *db)
{
    return str_from(db->path);
}

void *sql_raw(struct sql *db)
{
    return db->db;
}

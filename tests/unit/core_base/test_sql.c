/* SQLite's door: what a killed writer leaves, files that are no database, read-only handles. */
#include "tests/test.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/sql.h"

static char folder[] = "/tmp/fnscope-sql-XXXXXX";

static const char *in_folder(char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static void exec_or_die(struct sql *db, const char *text)
{
    struct err e = {0};
    if (sql_exec(db, text, &e) != OK)
        abort();
}

/* Ends in the middle of a change that no longer fits its cache: the journal then is hot. */
static void write_and_die(const char *path)
{
    struct err e = {0};
    struct sql *db = NULL;

    if (sql_open(path, SQL_READ_WRITE, &db, &e) != OK)
        abort();
    exec_or_die(db, "pragma journal_mode=delete");
    exec_or_die(db, "create table t(x)");
    exec_or_die(db, "insert into t with recursive r(v) as (select 1 union all select v + 1 from r "
                    "where v < 20000) select v from r");
    exec_or_die(db, "pragma cache_size=5");
    exec_or_die(db, "begin immediate");
    exec_or_die(db, "update t set x = -1");
    raise(SIGKILL);
}

static int64_t one_number(struct sql *db, const char *text)
{
    struct err e = {0};
    struct sql_stmt *st = NULL;
    bool has_row = false;

    CHECK_OK(sql_prepare(db, str_from(text), &st, &e), &e);
    CHECK_OK(sql_step(st, &has_row, &e), &e);
    CHECK(has_row);
    const int64_t n = sql_i64(st, 0);
    sql_finalize(st);
    return n;
}

static void test_hot_journal(void **state)
{
    struct err e = {0};
    struct sql *db = NULL;
    char path[256], journal[300];
    int ended;

    UNUSED(state);
    in_folder(path, sizeof(path), "hot.db");
    const pid_t pid = fork();
    if (pid == 0)
        write_and_die(path);
    CHECK_INT(waitpid(pid, &ended, 0), pid);
    CHECK(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);
    snprintf(journal, sizeof(journal), "%s-journal", path);
    CHECK(file_exists(journal));

    CHECK_OK(sql_open(path, SQL_READ_ONLY, &db, &e), &e);
    CHECK_INT(one_number(db, "select count(*) from t where x = -1"), 0);
    CHECK_INT(one_number(db, "select count(*) from t"), 20000);
    CHECK(sql_exec(db, "delete from t", &e) != OK);
    sql_close(db);
}

static void test_private_file(void **state)
{
    struct err e = {0};
    struct sql *db = NULL;
    struct stat facts;
    char path[256];

    UNUSED(state);
    in_folder(path, sizeof(path), "private.db");
    CHECK_OK(sql_open(path, SQL_READ_WRITE, &db, &e), &e);
    CHECK_INT(stat(path, &facts), 0);
    CHECK_INT(facts.st_mode & 0777, 0600);
    sql_close(db);
}

static void test_no_database(void **state)
{
    struct err e = {0};
    struct sql *db = NULL;
    char path[256];

    UNUSED(state);
    in_folder(path, sizeof(path), "noise.db");
    const struct str noise = STR("this is no database, only a line of text, and long enough to be "
                                 "taken for the header of one that is broken, page size and all");
    CHECK_OK(file_write(path, noise, 0600, &e), &e);
    CHECK_STATUS(sql_open(path, SQL_READ_WRITE, &db, &e), ERR_PARSE);
    CHECK(strstr(e.msg, "--store") != NULL);
    in_folder(path, sizeof(path), "absent.db");
    e = (struct err){0};
    CHECK_STATUS(sql_open(path, SQL_READ_ONLY, &db, &e), ERR_NOT_FOUND);
    CHECK(!file_exists(path));
}

static void test_values(void **state)
{
    struct err e = {0};
    struct sql *db = NULL;
    struct sql_stmt *st = NULL;
    bool has_row = false;
    char path[256];

    UNUSED(state);
    CHECK_OK(sql_open(in_folder(path, sizeof(path), "values.db"), SQL_READ_WRITE, &db, &e), &e);
    CHECK_OK(sql_exec(db, "create table v(a, b, c, d)", &e), &e);
    CHECK_OK(sql_prepare(db, STR("insert into v values(?, ?, ?, ?)"), &st, &e), &e);
    sql_bind_i64(st, 1, INT64_MIN);
    sql_bind_str(st, 2, STR("h\xC3\xA9"));
    sql_bind_blob(st, 3, (struct str){"\0\xFF", 2});
    sql_bind_null(st, 4);
    CHECK_OK(sql_run(st, &e), &e);
    CHECK_INT(sql_changes(db), 1);
    sql_finalize(st);
    CHECK_OK(sql_prepare(db, STR("select * from v"), &st, &e), &e);
    CHECK_OK(sql_step(st, &has_row, &e), &e);
    CHECK_INT(sql_columns(st), 4);
    CHECK_Z(sql_column_name(st, 2), "c");
    CHECK_INT(sql_i64(st, 0), INT64_MIN);
    CHECK_STR(sql_str(st, 1), STR("h\xC3\xA9"));
    CHECK_STR(sql_blob(st, 2), ((struct str){"\0\xFF", 2}));
    CHECK(sql_is_null(st, 3) && !sql_is_null(st, 0));
    CHECK_OK(sql_step(st, &has_row, &e), &e);
    CHECK(!has_row);
    sql_finalize(st);
    CHECK(sql_prepare(db, STR("select nothing from v"), &st, &e) != OK);
    CHECK(strstr(e.msg, "nothing") != NULL);
    CHECK(sql_prepare(db, STR("  "), &st, &e) != OK);
    sql_close(db);
}

static void test_memory_leaves_no_file(void **state)
{
    struct err e = {0};
    struct sql *db = NULL;

    UNUSED(state);
    CHECK_OK(sql_open(SQL_IN_MEMORY, SQL_READ_WRITE, &db, &e), &e);
    exec_or_die(db, "create table t(x)");
    sql_close(db);
    CHECK(!file_exists(SQL_IN_MEMORY));
}

/* No shared memory beside it, and what was committed is there for the next. */
static void test_exclusive(void **state)
{
    struct err e = {0};
    struct sql *db = NULL;
    char path[256], shared[300];

    UNUSED(state);
    in_folder(path, sizeof(path), "own.db");
    snprintf(shared, sizeof(shared), "%s-shm", path);
    CHECK_OK(sql_open(path, SQL_EXCLUSIVE, &db, &e), &e);
    exec_or_die(db, "create table t(x); insert into t values(7)");
    CHECK_INT(one_number(db, "select count(*) from pragma_journal_mode where journal_mode = 'wal'"),
              1);
    CHECK(!file_exists(shared));
    sql_close(db);
    CHECK_OK(sql_open(path, SQL_EXCLUSIVE, &db, &e), &e);
    CHECK_INT(one_number(db, "select x from t"), 7);
    CHECK(!file_exists(shared));
    sql_close(db);
}

static void insert_rows(struct sql *db, int n, struct err *e)
{
    char text[200];

    snprintf(text, sizeof(text),
             "insert into t with recursive r(v) as (select 1 union all select v + 1 from r where v "
             "< %d) select v, zeroblob(600) from r",
             n);
    exec_or_die(db, "begin immediate");
    exec_or_die(db, text);
    if (sql_exec(db, "commit", e) != OK && sql_exec(db, "rollback", NULL) != OK)
        return; /* rolled back by itself */
}

/* Writes are gathered on their way: whoever looks sees a commit whole, and at once. The cache is so
 * small that pages of a transaction are written before it ends, and read again. */
static void test_commits_are_seen(void **state)
{
    enum { COMMITS = 5, ROWS = 1000 };
    struct err e = {0};
    struct sql *db = NULL, *reader = NULL;
    char path[256];

    UNUSED(state);
    in_folder(path, sizeof(path), "seen.db");
    CHECK_OK(sql_open(path, SQL_READ_WRITE, &db, &e), &e);
    exec_or_die(db, "create table t(x, y); create index i on t(x)");
    CHECK_OK(sql_open(path, SQL_READ_ONLY, &reader, &e), &e);
    exec_or_die(db, "pragma cache_size=10; pragma wal_autocheckpoint=300");
    for (int i = 1; i <= COMMITS; i++) {
        insert_rows(db, ROWS, &e);
        CHECK_INT(one_number(reader, "select count(*) from t"), i * ROWS);
        CHECK_INT(one_number(reader, "select sum(length(y)) from t"), i * ROWS * 600);
        CHECK_INT(one_number(reader, "select count(*) from pragma_integrity_check "
                                     "where integrity_check = 'ok'"),
                  1);
    }
    sql_close(reader);
    sql_close(db);
}

/* What was gathered and finds no room is an error of the commit, and nothing is half written. */
static void test_no_room(void **state)
{
    struct err e = {0};
    struct sql *db = NULL;
    struct rlimit before, small;
    char path[256];

    UNUSED(state);
    signal(SIGXFSZ, SIG_IGN);
    CHECK_OK(sql_open(in_folder(path, sizeof(path), "full.db"), SQL_READ_WRITE, &db, &e), &e);
    exec_or_die(db, "create table t(x, y)");
    insert_rows(db, 100, &e);
    CHECK_INT(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){256 << 10, before.rlim_max};
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &small), 0);
    insert_rows(db, 1000, &e);
    CHECK_INT(setrlimit(RLIMIT_FSIZE, &before), 0);
    CHECK_INT(e.code, ERR_IO);
    CHECK_INT(one_number(db, "select count(*) from t"), 100);
    e = (struct err){0};
    insert_rows(db, 1000, &e);
    CHECK_OK(e.code, &e);
    sql_close(db);
    CHECK_OK(sql_open(path, SQL_READ_ONLY, &db, &e), &e);
    CHECK_INT(one_number(db, "select count(*) from t"), 1100);
    sql_close(db);
}

static int make_folder(void **state)
{
    UNUSED(state);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[300];

    UNUSED(state);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hot_journal),           cmocka_unit_test(test_private_file),
        cmocka_unit_test(test_no_database),           cmocka_unit_test(test_values),
        cmocka_unit_test(test_memory_leaves_no_file), cmocka_unit_test(test_exclusive),
        cmocka_unit_test(test_commits_are_seen),      cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

/* The journal's thread and its file. */
#include "executor/journal.h"
#include "executor/journal_schema.h"

#include "core/base/file.h"
#include "tests/temp_path.h"
#include "tests/test.h"

#define N_OPS   5000
#define N_EARLY 7 /* the eighth is a bad one */

struct counted {
    struct journal_op op; /* first: an operation is its owner */
    int64_t number;
    bool is_bad;
};

struct tally {
    struct counted ops[N_OPS];
    size_t kept, refused;
    int64_t last; /* number of the last one handed back */
};

static struct tally tally;

static enum status write_number(struct journal_op *op, struct journal *j, struct err *e)
{
    const struct counted *c = (const struct counted *)op;
    struct sql_stmt *st;

    if (c->is_bad)
        return err_set(e, ERR_LIMIT, "number %lld is not wanted", (long long)c->number);
    enum status s = journal_stmt(j, "insert into schedule(name, due_ns) values(?1, ?1)", &st, e);
    if (s != OK)
        return s;
    sql_bind_i64(st, 1, c->number);
    return sql_run(st, e);
}

static void note_done(struct journal_op *op, enum status s, const struct err *e)
{
    const struct counted *c = (const struct counted *)op;

    CHECK_INT(s, c->is_bad ? ERR_LIMIT : OK);
    CHECK((e != NULL) == c->is_bad);
    CHECK(c->number > tally.last);
    tally.last = c->number;
    tally.kept += s == OK;
    tally.refused += s != OK;
}

static int64_t count_rows(const char *path)
{
    struct sql *db;
    struct sql_stmt *st;
    struct err e;
    bool has_row;

    CHECK_OK(sql_open(path, SQL_READ_ONLY, &db, &e), &e);
    CHECK_OK(sql_prepare(db, STR("select count(*) from schedule"), &st, &e), &e);
    CHECK_OK(sql_step(st, &has_row, &e), &e);
    int64_t n = sql_i64(st, 0);
    sql_finalize(st);
    sql_close(db);
    return n;
}

static void submit(struct journal *j, size_t n)
{
    memset(&tally, 0, sizeof(tally));
    tally.last = -1;
    for (size_t i = 0; i < n; i++) {
        tally.ops[i] = (struct counted){.op = {.run = write_number, .done = note_done},
                                        .number = (int64_t)i,
                                        .is_bad = i % 1000 == 7};
        journal_submit(j, &tally.ops[i].op);
    }
}

static void submit_all(struct journal *j)
{
    submit(j, N_OPS);
}

/* Many operations share a commit; a bad one takes nobody with it; the order stays. */
static void groups(void **state)
{
    struct clock clock = clock_system();
    struct journal *j;
    struct err e;
    char path[64];

    UNUSED(state);
    temp_path_make(path);
    struct loop *l = loop_new(&clock);
    CHECK_OK(journal_open(path, l, journal_migrate, &j, &e), &e);
    submit_all(j);
    while (tally.kept + tally.refused < N_OPS)
        CHECK_OK(loop_turn(l, NS_PER_SEC, &e), &e);
    CHECK_INT(tally.refused, 5);
    CHECK(journal_counts(j).commits < N_OPS);
    CHECK_INT(journal_counts(j).operations, N_OPS);
    journal_close(j);
    loop_free(l);
    CHECK_INT(count_rows(path), N_OPS - 5);
    temp_path_remove(path);
}

/* Closing finishes what was submitted. */
static void close_finishes(void **state)
{
    struct clock clock = clock_system();
    struct journal *j;
    struct err e;
    char path[64];

    UNUSED(state);
    temp_path_make(path);
    struct loop *l = loop_new(&clock);
    CHECK_OK(journal_open(path, l, journal_migrate, &j, &e), &e);
    submit_all(j);
    journal_close(j);
    loop_free(l);
    CHECK_INT(tally.kept, N_OPS - 5);
    CHECK_INT(count_rows(path), N_OPS - 5);
    temp_path_remove(path);
}

/* What is submitted before the file is open waits for it. */
static void early_operations(void **state)
{
    struct clock clock = clock_system();
    struct journal *j;
    struct err e;
    char path[64];

    UNUSED(state);
    temp_path_make(path);
    struct loop *l = loop_new(&clock);
    CHECK_OK(journal_start(path, l, journal_migrate, &j, &e), &e);
    submit(j, N_EARLY);
    CHECK(!journal_is_open(j) && tally.kept == 0);
    journal_go(j);
    while (!journal_is_open(j))
        CHECK_OK(loop_turn(l, NS_PER_SEC, &e), &e);
    CHECK_OK(journal_ready(j, &e), &e);
    CHECK_INT(tally.kept, N_EARLY);
    journal_close(j);
    loop_free(l);
    CHECK_INT(count_rows(path), N_EARLY);
    temp_path_remove(path);
}

static void note_refusal(struct journal_op *op, enum status s, const struct err *e)
{
    UNUSED(op);
    CHECK_INT(s, ERR_CONFIG);
    CHECK(e->msg[0] != '\0');
    tally.refused++;
}

static void set_pragma(const char *path, const char *text)
{
    struct sql *db;
    struct err e;

    CHECK_OK(sql_open(path, SQL_READ_WRITE, &db, &e), &e);
    CHECK_OK(sql_exec(db, text, &e), &e);
    sql_close(db);
}

/* A file of the first layout, whose queues did not say when they were purged, gets that. */
static void older_file(void **state)
{
    struct journal *j;
    struct sql_stmt *st;
    struct err e;
    char path[64];

    UNUSED(state);
    temp_path_make(path);
    CHECK_OK(journal_open(path, NULL, journal_migrate, &j, &e), &e);
    journal_close(j);
    set_pragma(path, "alter table queue drop column purged_ns; pragma user_version=1");
    CHECK_OK(journal_open(path, NULL, journal_migrate, &j, &e), &e);
    CHECK_OK(journal_stmt(j, "select purged_ns from queue", &st, &e), &e);
    journal_close(j);
    temp_path_remove(path);
}

static void foreign_files(void **state)
{
    struct journal *j;
    struct err e;
    char path[64];

    UNUSED(state);
    temp_path_make(path);
    CHECK_OK(journal_open(path, NULL, journal_migrate, &j, &e), &e);
    journal_close(j);
    set_pragma(path, "pragma user_version=999");
    CHECK_STATUS(journal_open(path, NULL, journal_migrate, &j, &e), ERR_CONFIG);
    struct clock clock = clock_system();
    struct loop *l = loop_new(&clock);
    CHECK_STATUS(journal_open(path, l, journal_migrate, &j, &e), ERR_CONFIG);
    CHECK_OK(journal_start(path, l, journal_migrate, &j, &e), &e);
    tally.refused = 0;
    struct journal_op op = {.run = write_number, .done = note_refusal};
    journal_submit(j, &op); /* before it has been tried, and after */
    CHECK_STATUS(journal_ready(j, &e), ERR_CONFIG);
    journal_submit(j, &op);
    journal_close(j);
    CHECK_INT(tally.refused, 2);
    loop_free(l);
    set_pragma(path, "pragma user_version=1; pragma application_id=1");
    CHECK_STATUS(journal_open(path, NULL, journal_migrate, &j, &e), ERR_CONFIG);
    CHECK_OK(file_write(path, STR("this is no database, only text that is long enough"), 0600, &e),
             &e);
    CHECK_STATUS(journal_open(path, NULL, journal_migrate, &j, &e), ERR_PARSE);
    temp_path_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups),           cmocka_unit_test(close_finishes),
        cmocka_unit_test(early_operations), cmocka_unit_test(older_file),
        cmocka_unit_test(foreign_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

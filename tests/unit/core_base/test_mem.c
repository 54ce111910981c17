/* Freed memory that stays, and SQLite's pool of pages. Both are settings of the whole process. */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/base/mem.h"
#include "core/base/sql.h"

enum { BLOCKS = 64, BLOCK_BYTES = 256 << 10 };

static long faults(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return u.ru_minflt;
}

/* Page faults of filling 16 MB and freeing them. */
static long fill_and_free(void)
{
    void *blocks[BLOCKS];
    const long before = faults();

    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = memset(xmalloc(BLOCK_BYTES), 1, BLOCK_BYTES);
    for (size_t i = BLOCKS; i-- > 0;)
        free(blocks[i]);
    return faults() - before;
}

static void freed_memory_stays(void **state)
{
    UNUSED(state);
    mem_keep_freed();
    const long first = fill_and_free(), again = fill_and_free();
    CHECK(first > 0);
    CHECK(again < first || first < 8); /* a checking allocator keeps none of it */
}

/* Twice as many changed pages as the pool has: the rest comes from the heap. */
static void a_pool_may_be_too_small(void **state)
{
    struct err e = {0};
    struct sql *db = NULL;
    struct sql_stmt *st = NULL;
    bool has_row = false;

    UNUSED(state);
    CHECK_OK(sql_open(SQL_IN_MEMORY, SQL_READ_WRITE, &db, &e), &e);
    CHECK_OK(sql_exec(db,
                      "create table t(x); insert into t with recursive r(v) as (select 1 union all "
                      "select v + 1 from r where v < 4000) select zeroblob(4000) from r",
                      &e),
             &e);
    CHECK_OK(sql_prepare(db, STR("select sum(length(x)) from t"), &st, &e), &e);
    CHECK_OK(sql_step(st, &has_row, &e), &e);
    CHECK_INT(sql_i64(st, 0), 16000000);
    sql_finalize(st);
    sql_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(freed_memory_stays),
        cmocka_unit_test(a_pool_may_be_too_small),
    };

    sql_pool_pages();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

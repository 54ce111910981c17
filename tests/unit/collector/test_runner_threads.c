/* The three threads of an import around a sink in memory: all events arrive once, damage ends its
 * own file only, failures and the stop flag end everything cleanly, a second run goes on. */
#include "tests/test.h"

#include <stdlib.h>
#include <unistd.h>

#include "collector/collector.h"
#include "core/base/buf.h"
#include "core/base/file.h"
#include "core/base/mem.h"

struct memory_sink {
    uint64_t batches, commits, records, flushes, stops;
    atomic_uint dropped;              /* by both threads */
    uint64_t fail_batch, fail_commit; /* number of the call that fails; 0: none */
    atomic_bool *stop_after_first;
    struct str scope, token; /* the last cursor seen */
    struct arena arena;
    size_t n_quarantine;
    char place[256], reason[256];
};

static void keep_cursor(struct memory_sink *m, const struct batch *b)
{
    for (size_t i = 0; i < b->n_cursors; i++) {
        m->scope = arena_str(&m->arena, b->cursors[i].scope);
        m->token = arena_str(&m->arena, b->cursors[i].token);
    }
    if (b->n_quarantine > 0 && m->n_quarantine == 0) {
        snprintf(m->place, sizeof(m->place), STR_FMT, STR_ARG(b->quarantine[0].place));
        snprintf(m->reason, sizeof(m->reason), STR_FMT, STR_ARG(b->quarantine[0].reason));
    }
    m->n_quarantine += b->n_quarantine;
}

static enum status on_batch(void *ctx, struct batch *b, bool is_flush, void **commit, struct err *e)
{
    struct memory_sink *m = ctx;
    if (++m->batches == m->fail_batch)
        return err_set(e, ERR_BUG, "batch refused");
    m->flushes += is_flush;
    keep_cursor(m, b);
    uint64_t *n = xcalloc(1, sizeof(*n));
    *n = b->n_records;
    *commit = n;
    return OK;
}

static enum status on_commit(void *ctx, void *commit, struct err *e)
{
    struct memory_sink *m = ctx;
    if (++m->commits == m->fail_commit)
        return err_set(e, ERR_IO, "disk full");
    m->records += *(uint64_t *)commit;
    if (m->stop_after_first != NULL)
        atomic_store(m->stop_after_first, true);
    free(commit);
    return OK;
}

static enum status on_stop(void *ctx, struct err *e)
{
    UNUSED(e);
    ((struct memory_sink *)ctx)->stops++;
    return OK;
}

static void drop_commit(void *ctx, void *commit)
{
    ((struct memory_sink *)ctx)->dropped++;
    free(commit);
}

static const struct sink_ops sink = {
    .on_batch = on_batch, .on_commit = on_commit, .on_stop = on_stop, .drop_commit = drop_commit};

static bool find_cursor(void *ctx, struct str scope, struct arena *a, struct cursor *out)
{
    struct memory_sink *m = ctx;
    UNUSED(a);
    if (!str_eq(scope, m->scope))
        return false;
    *out = (struct cursor){.scope = scope, .token = m->token};
    return true;
}

static char folder[64];

static struct str path_of(struct arena *a, const char *name)
{
    return arena_printf(a, "%s/%s", folder, name);
}

static void write_lines(const char *name, size_t from, size_t n)
{
    AUTO(buf_clear) struct buf b;
    AUTO(arena_clear) struct arena a = {0};
    struct err e = {0};
    buf_init(&b, 64 << 20);
    for (size_t i = from; i < from + n; i++)
        buf_addf(&b, "2025-10-21T19:%02zu:%02zu.%03zuZ line %zu of a file that is imported\n",
                 i / 60000 % 60, i / 1000 % 60, i % 1000, i);
    CHECK_OK(file_write(path_of(&a, name).p, buf_str(&b), 0600, &e), &e);
}

static enum status import(struct memory_sink *m, const char *name, atomic_bool *stop,
                          struct import_progress *p, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct str path = path_of(&a, name);
    struct import_options o = {
        .paths = {.items = &path, .count = 1},
        .batch_bytes = 200000,
        .stop = stop,
        .lookups = {.find_cursor = find_cursor, .ctx = m},
    };
    *e = (struct err){0};
    return collector_import(&o, &sink, m, p, e);
}

static int set_up(void **state)
{
    UNUSED(state);
    snprintf(folder, sizeof(folder), "/tmp/fnscope-test-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int tear_down(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a = {0};
    struct file_list files;
    if (file_list(&a, folder, &files, NULL) != OK)
        return 1;
    for (size_t i = 0; i < files.count; i++)
        unlink(files.paths[i]);
    return rmdir(folder);
}

static void test_everything_once(void **state)
{
    UNUSED(state);
    struct memory_sink m = {0};
    struct import_progress p;
    struct err e;

    write_lines("a.log", 0, 100000);
    CHECK_OK(import(&m, "a.log", NULL, &p, &e), &e);
    CHECK_INT(m.records, 100000);
    CHECK_INT(p.counts.events, 100000);
    CHECK_INT(p.files_done, 1);
    CHECK_INT(p.bytes_done, p.bytes);
    CHECK_INT(m.flushes, 1);
    CHECK_INT(m.stops, 1);
    CHECK(m.batches > 4);
    CHECK_INT(m.n_quarantine, 0);
    arena_clear(&m.arena);
}

static void test_second_run_goes_on(void **state)
{
    UNUSED(state);
    struct memory_sink m = {0};
    struct import_progress p;
    struct err e;

    write_lines("b.log", 0, 50000);
    CHECK_OK(import(&m, "b.log", NULL, &p, &e), &e);
    CHECK_INT(m.records, 50000);
    CHECK_OK(import(&m, "b.log", NULL, &p, &e), &e);
    CHECK_INT(m.records, 50000); /* nothing new */
    write_lines("b.log", 0, 50010);
    CHECK_OK(import(&m, "b.log", NULL, &p, &e), &e);
    CHECK_INT(m.records, 50000 + 10 + 1); /* the last run of equal times again */
    arena_clear(&m.arena);
}

static void test_stop_and_go_on(void **state)
{
    UNUSED(state);
    atomic_bool stop = false;
    struct memory_sink m = {.stop_after_first = &stop};
    struct import_progress p;
    struct err e;

    write_lines("c.log", 0, 200000);
    CHECK_STATUS(import(&m, "c.log", &stop, &p, &e), ERR_CANCELLED);
    CHECK(m.records > 0 && m.records < 200000);
    CHECK_INT(m.flushes, 1);
    uint64_t before = m.records;
    stop = false;
    m.stop_after_first = NULL;
    CHECK_OK(import(&m, "c.log", &stop, &p, &e), &e);
    CHECK(m.records >= 200000 && m.records <= 200001);
    CHECK(before < m.records);
    arena_clear(&m.arena);
}

static void test_failures_end_all(void **state)
{
    UNUSED(state);
    struct import_progress p;
    struct err e;

    write_lines("d.log", 0, 100000);
    for (uint64_t i = 1; i < 5; i++) {
        struct memory_sink m = {.fail_commit = i};
        CHECK_STATUS(import(&m, "d.log", NULL, &p, &e), ERR_IO);
        CHECK_Z(e.msg, "disk full");
        CHECK(m.dropped >= 1);
        CHECK_INT(m.stops, 0);
        arena_clear(&m.arena);
        struct memory_sink n = {.fail_batch = i};
        CHECK_STATUS(import(&n, "d.log", NULL, &p, &e), ERR_BUG);
        CHECK_Z(e.msg, "batch refused");
        arena_clear(&n.arena);
    }
}

static void test_bad_files(void **state)
{
    UNUSED(state);
    static const char binary[] = "\x7F"
                                 "ELF\0\0\0\1\2\3";
    AUTO(arena_clear) struct arena a = {0};
    struct import_progress p;
    struct err e = {0};
    struct memory_sink m = {0};

    CHECK_STATUS(import(&m, "missing.log", NULL, &p, &e), ERR_NOT_FOUND);
    CHECK_OK(file_write(path_of(&a, "x.bin").p, (struct str){binary, sizeof(binary)}, 0600, &e),
             &e);
    CHECK_OK(import(&m, "x.bin", NULL, &p, &e), &e);
    CHECK_INT(m.records, 0);
    CHECK_INT(m.n_quarantine, 1);
    CHECK_Z(m.reason, "binary data");
    CHECK_OK(file_write(path_of(&a, "empty").p, STR(""), 0600, &e), &e);
    CHECK_OK(import(&m, "empty", NULL, &p, &e), &e);
    CHECK_INT(m.n_quarantine, 1);
    arena_clear(&m.arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_once), cmocka_unit_test(test_second_run_goes_on),
        cmocka_unit_test(test_stop_and_go_on),  cmocka_unit_test(test_failures_end_all),
        cmocka_unit_test(test_bad_files),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

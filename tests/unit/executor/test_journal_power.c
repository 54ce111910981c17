/* The journal over a loss of power: what the disk has been told to keep is copied aside at every
 * sync, and whenever an operation is reported as done, what was copied must hold it. The syncs are
 * seen by standing in for the system's calls. */
#include "executor/journal.h"
#include "executor/journal_schema.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "tests/test.h"

/* --- the disk: one folder's files, as they are after the power was cut --- */

enum { MOST_FILES = 8 };

struct disk {
    char folder[64], kept[64];
    struct {
        char name[64];
        struct buf bytes; /* as of its last sync */
        bool is_listed;   /* the folder was synced while it was there */
    } files[MOST_FILES];
    size_t n, syncs;
};
static struct disk disk; /* the calls below carry no context */

static const char *name_of(int fd, char path[256])
{
    char link[64];
    size_t length = strlen(disk.folder);

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, 255);
    if (n <= 0 || length == 0)
        return NULL;
    path[n] = '\0';
    if (strncmp(path, disk.folder, length) != 0)
        return NULL;
    return path[length] == '/' ? path + length + 1 : path + length;
}

static size_t place_of(const char *name)
{
    for (size_t i = 0; i < disk.n; i++)
        if (strcmp(disk.files[i].name, name) == 0)
            return i;
    assert_true(disk.n < MOST_FILES);
    snprintf(disk.files[disk.n].name, sizeof(disk.files[disk.n].name), "%s", name);
    return disk.n++;
}

static void keep_file(const char *path, const char *name)
{
    struct buf *bytes = &disk.files[place_of(name)].bytes;

    buf_clear(bytes);
    bytes->max = (size_t)64 << 20;
    assert_int_equal(file_read(path, bytes, NULL), OK);
}

static void keep_names(void)
{
    char path[160];

    for (size_t i = 0; i < disk.n; i++) {
        snprintf(path, sizeof(path), "%s/%s", disk.folder, disk.files[i].name);
        disk.files[i].is_listed = access(path, F_OK) == 0;
    }
}

static int note_sync(int fd)
{
    char path[256];
    const char *name = name_of(fd, path);

    if (name == NULL)
        return 0;
    disk.syncs++;
    if (*name == '\0')
        keep_names();
    else
        keep_file(path, name);
    return 0;
}

/* Every file that is ever opened has its place, so that a sync of the folder lists it. */
static void note_files(void)
{
    static const char *const names[] = {"j.db", "j.db-wal"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        place_of(names[i]);
}

int fdatasync(int fildes)
{
    long code = syscall(SYS_fdatasync, fildes);

    return code == 0 ? note_sync(fildes) : -1;
}

int fsync(int fd)
{
    long code = syscall(SYS_fsync, fd);

    return code == 0 ? note_sync(fd) : -1;
}

/* --- after the loss --- */

static void write_kept(void)
{
    char path[160];

    for (size_t i = 0; i < disk.n; i++) {
        snprintf(path, sizeof(path), "%s/%s", disk.kept, disk.files[i].name);
        unlink(path);
        if (!disk.files[i].is_listed)
            continue;
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        assert_int_equal(fwrite(disk.files[i].bytes.p, 1, disk.files[i].bytes.n, f),
                         disk.files[i].bytes.n);
        assert_int_equal(fclose(f), 0);
    }
}

static int64_t count_kept(void)
{
    char path[160];
    struct sql *db = NULL;
    struct sql_stmt *st = NULL;
    struct err e = {0};
    bool has_row = false;

    write_kept();
    snprintf(path, sizeof(path), "%s/j.db", disk.kept);
    CHECK_OK(sql_open(path, SQL_EXCLUSIVE, &db, &e), &e);
    CHECK_OK(journal_migrate(db, &e), &e);
    CHECK_OK(sql_prepare(db, STR("select count(*) from schedule"), &st, &e), &e);
    CHECK_OK(sql_step(st, &has_row, &e), &e);
    int64_t n = sql_i64(st, 0);
    sql_finalize(st);
    sql_close(db);
    return n;
}

/* --- operations --- */

struct one {
    struct journal_op op; /* first: an operation is its owner */
    int64_t number;
    bool is_done;
};

static enum status write_number(struct journal_op *op, struct journal *j, struct err *e)
{
    const struct one *o = (const struct one *)op;
    struct sql_stmt *st;
    enum status s = journal_stmt(j, "insert into schedule(name, due_ns) values(?1, ?1)", &st, e);

    if (s != OK)
        return s;
    sql_bind_i64(st, 1, o->number);
    return sql_run(st, e);
}

static void on_done(struct journal_op *op, enum status s, const struct err *e)
{
    struct one *o = (struct one *)op;

    check_ok(s, e, "operation", __FILE__, __LINE__);
    o->is_done = true;
    CHECK_INT(count_kept(), o->number);
}

static void remove_files(const char *folder)
{
    struct arena a = {0};
    struct file_list l = {0};

    if (file_list(&a, folder, &l, NULL) == OK)
        for (size_t i = 0; i < l.count; i++)
            unlink(l.paths[i]);
    rmdir(folder);
    arena_clear(&a);
}

static void run(int64_t first, int64_t last)
{
    struct clock clock = clock_system();
    struct loop *loop = loop_new(&clock);
    struct journal *j = NULL;
    struct err e = {0};
    char path[96];

    snprintf(path, sizeof(path), "%s/j.db", disk.folder);
    CHECK_OK(journal_start(path, loop, journal_migrate, &j, &e), &e);
    CHECK_OK(journal_ready(j, &e), &e);
    for (int64_t i = first; i <= last; i++) {
        struct one o = {.op = {.run = write_number, .done = on_done}, .number = i};
        journal_submit(j, &o.op);
        journal_flush(j);
        CHECK(o.is_done);
    }
    journal_close(j);
    loop_free(loop);
}

/* From the first operation of a new file on, and over an orderly restart. */
static void test_done_is_kept(void **state)
{
    UNUSED(state);
    disk = (struct disk){.folder = "/tmp/fnexec-power-XXXXXX", .kept = "/tmp/fnexec-kept-XXXXXX"};
    CHECK(mkdtemp(disk.kept) != NULL);
    CHECK(mkdtemp(disk.folder) != NULL);
    note_files();
    run(1, 4);
    run(5, 6);
    CHECK(disk.syncs > 0);
    for (size_t i = 0; i < disk.n; i++)
        buf_clear(&disk.files[i].bytes);
    remove_files(disk.folder);
    remove_files(disk.kept);
    disk = (struct disk){0};
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_done_is_kept)};
TEST_MAIN(tests)

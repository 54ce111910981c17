/* Only what fnexec made itself is removed of a scratch folder, however deep it is. */
#include "executor/scratch.h"
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"

static char base[] = "/tmp/fnexec-scratch-XXXXXX";

static void path_of(char path[128], const char *name)
{
    snprintf(path, 128, "%s/%s", base, name);
}

static void make_folder(const char *name)
{
    char path[128];

    path_of(path, name);
    CHECK_INT(mkdir(path, 0700), 0);
}

static void make_file(const char *name)
{
    char path[128];
    struct err e = {0};

    path_of(path, name);
    CHECK_OK(file_write(path, STR("x"), 0600, &e), &e);
}

static bool is_there(const char *name)
{
    char path[128];

    path_of(path, name);
    return file_exists(path);
}

static void start(struct executor *x, struct arena *a)
{
    struct err e = {0};

    rng_seed_system(&x->rng);
    CHECK_OK(scratch_start(x, str_from(base), a, &e), &e);
    CHECK(file_is_dir(x->scratch_folder.p));
}

static void keeps_what_is_not_ours(void **state)
{
    struct executor x = {0};
    AUTO(arena_clear) struct arena a = {0};

    UNUSED(state);
    CHECK(mkdtemp(base));
    make_folder("sub");
    make_file("sub/precious");
    make_file("file");
    make_folder("fnexec-notes"); /* our name, not our mark */
    make_file("fnexec-notes/precious");
    make_folder("other"); /* the mark, not our name */
    make_file("other/.fnexec");
    start(&x, &a);
    scratch_clear(&x);
    CHECK(is_there("sub/precious") && is_there("file") && is_there("other/.fnexec"));
    CHECK(is_there("fnexec-notes/precious"));
}

static void removes_what_a_dead_one_left(void **state)
{
    struct executor x = {0}, y = {0};
    AUTO(arena_clear) struct arena a = {0};
    char path[128];

    UNUSED(state);
    make_folder("fnexec-0-dead");
    make_file("fnexec-0-dead/.fnexec");
    make_folder("fnexec-0-dead/env");
    make_file("fnexec-0-dead/env/data");
    make_folder("fnexec-0-alive");
    make_file("fnexec-0-alive/.fnexec");
    path_of(path, "fnexec-0-alive/.fnexec");
    int lock = open(path, O_RDWR | O_CLOEXEC);
    CHECK_INT(flock(lock, LOCK_EX), 0);
    start(&x, &a);
    CHECK(!is_there("fnexec-0-dead"));
    CHECK(is_there("fnexec-0-alive/.fnexec"));
    start(&y, &a); /* beside the first */
    CHECK(file_is_dir(x.scratch_folder.p));
    close(lock);
    struct str own = x.scratch_folder;
    scratch_clear(&x);
    CHECK(!file_exists(own.p) && file_is_dir(y.scratch_folder.p));
    scratch_clear(&y);
    start(&x, &a);
    CHECK(!is_there("fnexec-0-alive"));
    scratch_clear(&x);
}

static void removes_what_is_deep(void **state)
{
    struct executor x = {0};
    AUTO(arena_clear) struct arena a = {0};

    UNUSED(state);
    start(&x, &a);
    struct str folder = scratch_new(&x, &a);
    int at = open(folder.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK_INT(mkdirat(at, "deep-0", 0700), 0); /* a name that is used to get at the others */
    for (int i = 0; i < 300; i++) {
        CHECK_INT(mkdirat(at, "d", 0700), 0);
        CHECK_INT(mkdirat(at, "beside", 0700), 0);
        int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(at);
        at = next;
    }
    close(at);
    scratch_remove(&x, folder);
    CHECK(!file_exists(folder.p));
    scratch_clear(&x);
}

static void clear_away(void **state)
{
    static const char *const files[] = {
        "sub/precious", "sub",           "file",  "fnexec-notes/precious",
        "fnexec-notes", "other/.fnexec", "other", ""};
    char path[128];

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        path_of(path, files[i]);
        CHECK_INT(remove(path), 0);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(keeps_what_is_not_ours), cmocka_unit_test(removes_what_a_dead_one_left),
    cmocka_unit_test(removes_what_is_deep), cmocka_unit_test(clear_away)};
TEST_MAIN(tests)

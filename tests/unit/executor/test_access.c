/* What a function works with, as the user it runs as finds it. */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "executor/manifest_check.h"

static char folder[64];
static const char *const folders[] = {"code", "code/a", "bin", "rt", "rt/python"};
static const char *const files[] = {"code/a/app.py", "code/run", "bin/python3",
                                    "rt/python/bootstrap.py"};

static void path_of(char path[128], const char *name)
{
    snprintf(path, 128, "%s/%s", folder, name);
}

static void make(void)
{
    char path[128];
    struct err e = {0};

    snprintf(folder, sizeof(folder), "/tmp/fnexec-access-XXXXXX");
    CHECK(mkdtemp(folder));
    CHECK_INT(chmod(folder, 0755), 0);
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        path_of(path, folders[i]);
        CHECK_INT(mkdir(path, 0755), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        path_of(path, files[i]);
        CHECK_OK(file_write(path, STR("x"), 0755, &e), &e);
    }
    path_of(path, "bin");
    CHECK_INT(setenv("PATH", path, 1), 0);
}

static void clear_away(void)
{
    char path[128];

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        path_of(path, files[i]);
        CHECK_INT(unlink(path), 0);
    }
    for (size_t i = ARRAY_LEN(folders); i > 0; i--) {
        path_of(path, folders[i - 1]);
        CHECK_INT(rmdir(path), 0);
    }
    CHECK_INT(rmdir(folder), 0);
}

/* What is told of such a function; empty: nothing. */
static void doubts_of(const char *runtime, const char *handler, struct buf *out)
{
    char text[256], runtimes[128];
    struct manifest *m = NULL;
    struct err e = {0};

    snprintf(text, sizeof(text),
             "functions:\n  f: {runtime: %s, handler: %s, code: %s/code, user: 65534}\n", runtime,
             handler, folder);
    path_of(runtimes, "rt");
    CHECK_OK(manifest_parse(str_from(text), "/m.yaml", &m, &e), &e);
    manifest_doubts(m, str_from(runtimes), 0, out);
    manifest_free(m);
}

static void test_closed_parts(void **state)
{
    static const struct {
        const char *runtime, *handler, *part;
        unsigned closed, open; /* modes of the part */
    } cases[] = {{"python3.11", "a/app.handler", "code", 0700, 0755},
                 {"python3.11", "a.app.handler", "code/a", 0700, 0711},
                 {"python3.11", "a.app.handler", "code/a/app.py", 0600, 0644},
                 {"python3.11", "a/app.handler", "bin", 0700, 0711},
                 {"python3.11", "a/app.handler", "bin/python3", 0744, 0711},
                 {"python3.11", "a/app.handler", "rt", 0700, 0711},
                 {"python3.11", "a/app.handler", "rt/python/bootstrap.py", 0711, 0644},
                 {"c", "run", "code/run", 0744, 0711}};
    char path[128];

    UNUSED(state);
    if (geteuid() != 0)
        skip();
    make();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_clear) struct buf closed = {.max = 4096}, open = {.max = 4096};
        path_of(path, cases[i].part);
        CHECK_INT(chmod(path, cases[i].closed), 0);
        doubts_of(cases[i].runtime, cases[i].handler, &closed);
        CHECK(str_find(buf_str(&closed), str_from(path)) < closed.n);
        CHECK(str_find(buf_str(&closed), STR("is closed to the user")) < closed.n);
        CHECK_INT(chmod(path, cases[i].open), 0);
        doubts_of(cases[i].runtime, cases[i].handler, &open);
        CHECK_STR(buf_str(&open), STR(""));
        CHECK_INT(chmod(path, 0755), 0);
    }
    clear_away();
}

static void test_user_without_root(void **state)
{
    AUTO(buf_clear) struct buf told = {.max = 4096};
    bool is_root = geteuid() == 0;

    UNUSED(state);
    make();
    if (is_root)
        CHECK_INT(seteuid(65534), 0);
    doubts_of("c", "run", &told);
    if (is_root)
        CHECK_INT(seteuid(0), 0);
    CHECK(str_find(buf_str(&told), STR("the function does not start")) < told.n);
    clear_away();
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_closed_parts),
                                          cmocka_unit_test(test_user_without_root)};
TEST_MAIN(tests)

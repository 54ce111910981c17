/* Files of a folder that was just made are told when they are whole, and none is forgotten. */
#include "tests/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "executor/folder_watch.h"

struct world {
    char root[64], outside[64];
    struct clock clock;
    struct loop *loop;
    struct folder_watch *watch;
    char told[256]; /* "a/b " for each file, in order */
};

static void on_changed(void *ctx, struct str path)
{
    struct world *w = ctx;

    snprintf(w->told + strlen(w->told), 64, STR_FMT " ", STR_ARG(path));
}

static void on_lost(void *ctx)
{
    UNUSED(ctx);
}

static const struct folder_watch_ops ops = {on_changed, on_lost};

static void turns(struct world *w, int n, int64_t wait_ns)
{
    struct err e = {0};

    while (n-- > 0)
        CHECK_OK(loop_turn(w->loop, wait_ns, &e), &e);
}

static void begin(struct world *w)
{
    struct err e = {0};

    *w = (struct world){.root = "/tmp/fnscope-test-XXXXXX", .outside = "/tmp/fnscope-test-XXXXXX"};
    CHECK(mkdtemp(w->root) && mkdtemp(w->outside));
    w->clock = clock_system();
    w->loop = loop_new(&w->clock);
    CHECK_OK(folder_watch_open(w->loop, w->root, &ops, w, &w->watch, &e), &e);
    CHECK_OK(folder_watch_scan(w->watch, &e), &e);
}

static void end(struct world *w)
{
    char command[256];

    folder_watch_close(w->watch);
    loop_free(w->loop);
    snprintf(command, sizeof(command), "rm -r %s %s", w->root, w->outside);
    CHECK_INT(system(command), 0);
}

static int open_new(const char *folder, const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static void make_folder(const struct world *w)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/sub", w->root);
    CHECK_INT(mkdir(path, 0700), 0);
}

/* The folder is listed after all of that: what is closed by then has no event of its own. */
static void test_new_folder(void **state)
{
    struct world w;

    UNUSED(state);
    begin(&w);
    make_folder(&w);
    int whole = open_new(w.root, "sub/whole"), open = open_new(w.root, "sub/open");
    CHECK(whole >= 0 && open >= 0 && write(whole, "x", 1) == 1 && close(whole) == 0);
    turns(&w, 3, NS_PER_MS);
    CHECK_Z(w.told, "sub/whole ");
    CHECK(folder_watch_is_held(w.watch, STR("sub/open")));
    CHECK(!folder_watch_is_held(w.watch, STR("sub/whole")));
    turns(&w, 2, 1200 * NS_PER_MS); /* looked at, and still open */
    CHECK_Z(w.told, "sub/whole ");
    CHECK(write(open, "x", 1) == 1 && close(open) == 0);
    turns(&w, 3, NS_PER_MS);
    CHECK_Z(w.told, "sub/whole sub/open ");
    CHECK(!folder_watch_is_held(w.watch, STR("sub/open")));
    end(&w);
}

/* Closed under another name, the kernel says nothing of it here. */
static void test_closed_elsewhere(void **state)
{
    struct world w;
    char from[128], to[128];

    UNUSED(state);
    begin(&w);
    int fd = open_new(w.outside, "file");
    make_folder(&w);
    snprintf(from, sizeof(from), "%s/file", w.outside);
    snprintf(to, sizeof(to), "%s/sub/file", w.root);
    CHECK(fd >= 0 && link(from, to) == 0);
    turns(&w, 3, NS_PER_MS);
    CHECK_Z(w.told, "");
    close(fd);
    for (int i = 0; i < 10 && w.told[0] == '\0'; i++)
        turns(&w, 1, 500 * NS_PER_MS);
    CHECK_Z(w.told, "sub/file ");
    end(&w);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_new_folder),
                                          cmocka_unit_test(test_closed_elsewhere)};
TEST_MAIN(tests)

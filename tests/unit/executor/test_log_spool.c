/* What a killed fnexec leaves is stored by the next: once, in order, as far as it is whole. A kill
 * is a copy of the files while the store is open. */
#include "executor/log_spool.h"
#include "executor/log_store.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"

#define DAY_NS (24 * NS_PER_HOUR)
#define GROUP  STR("/aws/lambda/f")

struct world {
    char folder[64], path[96], copy[96];
    struct log_store *logs;
    struct log_target to;
};

static void add(struct world *w, const char *text)
{
    log_store_add(w->logs, &w->to, 5 * NS_PER_SEC, str_from(text));
}

static void open_at(struct world *w, const char *path)
{
    struct err e = {0};

    CHECK_OK(log_store_open(path, NULL, 7 * DAY_NS, &w->logs, &e), &e);
    w->to = log_store_stream(w->logs, GROUP, STR("s"), 4 * NS_PER_SEC);
}

static int set_up(void **state)
{
    static struct world w;

    w = (struct world){.folder = "/tmp/fnexec-kill-XXXXXX"};
    if (!mkdtemp(w.folder))
        return -1;
    snprintf(w.path, sizeof(w.path), "%s/logs.db", w.folder);
    snprintf(w.copy, sizeof(w.copy), "%s/copy", w.folder);
    open_at(&w, w.path);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    AUTO(arena_clear) struct arena a = {0};
    struct file_list files;
    struct err e = {0};

    log_store_close(w->logs);
    CHECK_OK(file_list(&a, w->folder, &files, &e), &e);
    for (size_t i = 0; i < files.count; i++)
        unlink(files.paths[i]);
    return rmdir(w->folder);
}

/* Copies logs.db* to copy*, as it is at this moment. */
static void kill_it(struct world *w)
{
    AUTO(arena_clear) struct arena a = {0};
    struct file_list files;
    struct err e = {0};

    CHECK_OK(file_list(&a, w->folder, &files, &e), &e);
    for (size_t i = 0; i < files.count; i++) {
        AUTO(buf_clear) struct buf data = {.max = (size_t)64 << 20};
        struct str from = str_from(files.paths[i]);
        if (!str_starts(from, str_from(w->path)))
            continue;
        struct str to =
            arena_printf(&a, "%s" STR_FMT, w->copy, STR_ARG(str_skip(from, strlen(w->path))));
        CHECK_OK(file_read(files.paths[i], &data, &e), &e);
        CHECK_OK(file_write(arena_strz(&a, to), buf_str(&data), 0600, &e), &e);
    }
    log_store_close(w->logs);
    w->logs = NULL;
}

static bool see(void *ctx, const struct log_event *event)
{
    CHECK_STR(event->stream_name, STR("s"));
    CHECK_INT(event->time_ms, 5000);
    buf_add_str(ctx, event->message);
    return true;
}

static void check_lines(struct world *w, const char *want)
{
    AUTO(buf_clear) struct buf text = {.max = 4096};
    struct log_query q = {.to_ms = INT64_MAX};
    struct err e = {0};

    CHECK_OK(log_store_find_group(w->logs, GROUP, &q.group, &e), &e);
    CHECK_OK(log_store_read(w->logs, &q, see, &text, &e), &e);
    CHECK_STR(buf_str(&text), str_from(want));
}

static void flush(struct world *w)
{
    struct err e = {0};

    CHECK_OK(log_store_flush(w->logs, &e), &e);
}

/* Before a commit, after it, between two; and killed again while the next run works. */
static void killed(void **state)
{
    static const struct {
        const char *steps; /* a letter adds that line, '!' commits */
        const char *want;
    } cases[] = {{"ab", "ab"}, {"ab!", "ab"}, {"ab!c", "abc"}, {"a!b!c!d", "abcd"}, {"!!a", "a"}};
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (const char *p = cases[i].steps; *p; p++) {
            if (*p == '!')
                flush(w);
            else
                add(w, (char[]){*p, '\0'});
        }
        kill_it(w);
        open_at(w, w->copy);
        check_lines(w, cases[i].want);
        add(w, "z");
        AUTO(arena_clear) struct arena a = {0};
        struct file_list files;
        struct err e = {0};
        log_store_close(w->logs);
        w->logs = NULL;
        CHECK_OK(file_list(&a, w->folder, &files, &e), &e);
        for (size_t k = 0; k < files.count; k++) {
            CHECK(!strstr(files.paths[k], "-spool-")); /* nothing is left of it */
            unlink(files.paths[k]);
        }
        open_at(w, w->path);
    }
}

static void never_opened(void **state)
{
    struct world *w = *state;
    struct err e = {0};

    add(w, "a");
    log_store_close(w->logs);
    char aside[128];
    snprintf(aside, sizeof(aside), "%s.aside", w->path);
    CHECK_INT(rename(w->path, aside), 0);
    for (int i = 0; i < 2; i++) {
        CHECK_OK(
            file_write(w->path, STR("this is not a database, whatever it is called"), 0600, &e),
            &e);
        CHECK_OK(log_store_start(w->path, NULL, 7 * DAY_NS, &w->logs, &e), &e);
        w->to = log_store_stream(w->logs, GROUP, STR("s"), 4 * NS_PER_SEC);
        add(w, i == 0 ? "b" : "c");
        CHECK(log_store_ready(w->logs, &e) != OK);
        log_store_close(w->logs);
    }
    CHECK_INT(rename(aside, w->path), 0);
    open_at(w, w->path);
    check_lines(w, "abc");
}

static void damaged(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    char spool[128];
    AUTO(buf_clear) struct buf data = {.max = (size_t)64 << 20};

    add(w, "first");
    add(w, "second");
    add(w, "third");
    kill_it(w);
    snprintf(spool, sizeof(spool), "%s-spool-1", w->copy);
    CHECK_OK(file_read(spool, &data, &e), &e);
    char *at = memmem(data.p, data.n, "second", 6);
    CHECK(at != NULL);
    at[2] = '\0';
    CHECK_OK(file_write(spool, buf_str(&data), 0600, &e), &e);
    open_at(w, w->copy);
    check_lines(w, "first");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(killed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(never_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Lines are committed by another thread: none is lost or doubled, reads see all of them, the count
 * goes on in the next run, old lines and a backlog's memory go, streams outlive a failed commit. */
#include "executor/log_store_private.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/sql.h"
#include "tests/temp_path.h"
#include "tests/test.h"

#define N_LINES 5000
#define DAY_NS  (24 * NS_PER_HOUR)

struct world {
    char path[64];
    struct loop *loop;
    struct log_store *logs;
    int64_t group;
    struct log_target stream;
};

static void reopen(struct world *w)
{
    struct err e = {0};

    log_store_close(w->logs);
    w->logs = NULL;
    CHECK_OK(log_store_open(w->path, w->loop, 7 * DAY_NS, &w->logs, &e), &e);
    w->stream = log_store_stream(w->logs, STR("/aws/lambda/f"), STR("s"), 0);
    CHECK_OK(log_store_find_group(w->logs, STR("/aws/lambda/f"), &w->group, &e), &e);
}

static int set_up(void **state)
{
    static struct world w;
    struct clock clock = clock_system();

    w = (struct world){0};
    temp_path_make(w.path);
    w.loop = loop_new(&clock);
    reopen(&w);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    log_store_close(w->logs);
    loop_free(w->loop);
    temp_path_remove(w->path);
    return 0;
}

struct seen {
    int64_t last_seq;
    size_t n;
};

static bool see(void *ctx, const struct log_event *event)
{
    struct seen *s = ctx;

    CHECK(event->seq > s->last_seq);
    s->last_seq = event->seq;
    s->n++;
    return true;
}

static struct seen read_all(struct world *w)
{
    struct log_query q = {.group = w->group, .to_ms = INT64_MAX};
    struct seen seen = {0};
    struct err e = {0};

    CHECK_OK(log_store_read(w->logs, &q, see, &seen, &e), &e);
    return seen;
}

static void add_lines(struct world *w, size_t n, int64_t wall_ns)
{
    struct err e = {0};
    char text[32];

    for (size_t i = 0; i < n; i++) {
        snprintf(text, sizeof(text), "line %zu\n", i);
        log_store_add(w->logs, &w->stream, wall_ns, str_from(text));
        if (i % 700 == 0)
            CHECK_OK(loop_turn(w->loop, 0, &e), &e);
    }
}

static void reads_see_all(void **state)
{
    struct world *w = *state;
    int64_t now = loop_wall(w->loop);

    for (size_t round = 1; round <= 4; round++) {
        add_lines(w, N_LINES, now);
        CHECK_INT(read_all(w).n, round * N_LINES);
    }
    /* Not read, only closed. */
    add_lines(w, N_LINES, now);
    struct seen before = read_all(w);
    add_lines(w, 3, now);
    reopen(w);
    add_lines(w, 1, now);
    struct seen after = read_all(w);
    CHECK_INT(after.n, before.n + 4);
    CHECK_INT(after.last_seq, before.last_seq + 4);
}

/* Bytes in use; nothing with the address sanitizer, whose heap says none. */
static size_t used_bytes(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}

/* A disk that was slow once does not cost memory for ever. */
static void a_backlog_gives_its_memory_back(void **state)
{
    static char line[1000];
    struct world *w = *state;
    struct err e = {0};

    add_lines(w, 1, loop_wall(w->loop));
    CHECK_OK(log_store_flush(w->logs, &e), &e);
    size_t before = used_bytes();
    memset(line, 'x', sizeof(line));
    for (size_t i = 0; i < 20000; i++) /* no turn in between: all but the first batch wait */
        log_store_add(w->logs, &w->stream, loop_wall(w->loop), (struct str){line, sizeof(line)});
    CHECK_OK(log_store_flush(w->logs, &e), &e);
    CHECK(used_bytes() < before + ((size_t)4 << 20));
}

/* More than both batches hold, without a turn in between. */
static void who_prints_too_fast_waits(void **state)
{
    enum { LINES = 600, BYTES = 256 << 10 };
    struct world *w = *state;
    char *line = malloc(BYTES);

    memset(line, 'x', BYTES);
    for (size_t i = 0; i < LINES; i++)
        log_store_add(w->logs, &w->stream, loop_wall(w->loop), (struct str){line, BYTES});
    free(line);
    CHECK_INT(read_all(w).n, LINES);
}

/* A file written before the count was kept in it. */
static void old_file(void **state)
{
    struct world *w = *state;
    struct sql *db = NULL;
    struct err e = {0};

    add_lines(w, 10, loop_wall(w->loop));
    int64_t last = read_all(w).last_seq;
    log_store_close(w->logs);
    w->logs = NULL;
    CHECK_OK(sql_open(w->path, SQL_READ_WRITE, &db, &e), &e);
    CHECK_OK(sql_exec(db, "delete from meta where key = 'next_seq'", &e), &e);
    sql_close(db);
    reopen(w);
    add_lines(w, 1, loop_wall(w->loop));
    CHECK_INT(read_all(w).last_seq, last + 1);
}

static void old_lines_go(void **state)
{
    struct world *w = *state;
    int64_t now = loop_wall(w->loop);

    add_lines(w, 20, now - 8 * DAY_NS);
    add_lines(w, 30, now);
    CHECK_INT(read_all(w).n, 50);
    log_store_prune(w->logs, now);
    CHECK_INT(read_all(w).n, 30);
}

/* The lines of a commit that failed wait until the disk takes them; nothing is read before. */
static void a_failed_commit(void **state)
{
    struct world *w = *state;
    struct log_stream *streams = NULL;
    AUTO(arena_clear) struct arena a = {0};
    struct err e = {0};
    size_t n = 0;
    int64_t now = loop_wall(w->loop);

    CHECK_OK(sql_exec(log_store_db(w->logs),
                      "create trigger full before insert on log_events begin"
                      " select raise(abort, 'the disk is full'); end",
                      &e),
             &e);
    w->stream = log_store_stream(w->logs, STR("/aws/lambda/f"), STR("second"), now);
    add_lines(w, 3, now);
    CHECK(log_store_flush(w->logs, &e) != OK);
    add_lines(w, 4, now);
    CHECK(log_store_flush(w->logs, &e) != OK);
    CHECK_OK(sql_exec(log_store_db(w->logs), "drop trigger full", &e), &e);
    add_lines(w, 2, now);
    CHECK_INT(read_all(w).n, 9);
    CHECK_OK(log_store_streams(w->logs, &a, w->group, &streams, &n, &e), &e);
    CHECK_INT(n, 2);
    CHECK_STR(streams[1].name, STR("second"));
    CHECK_INT(streams[1].last_ms, now / NS_PER_MS);
}

/* Lines that come before the file is open are written once it is, even if they were due before. */
static void early_lines(void **state)
{
    struct world *w = *state;
    struct err e = {0};
    int64_t now = loop_wall(w->loop);

    add_lines(w, 3, now);
    log_store_close(w->logs);
    CHECK_OK(log_store_start(w->path, w->loop, 7 * DAY_NS, &w->logs, &e), &e);
    w->stream = log_store_stream(w->logs, STR("/aws/lambda/f"), STR("s"), now);
    add_lines(w, N_LINES, now);
    log_store_go(w->logs);
    while (!log_store_is_open(w->logs))
        CHECK_OK(loop_turn(w->loop, NS_PER_SEC, &e), &e);
    CHECK_OK(log_store_ready(w->logs, &e), &e);
    CHECK_INT(read_all(w).n, 3 + N_LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_see_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_backlog_gives_its_memory_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_prints_too_fast_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(old_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(old_lines_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failed_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(early_lines, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

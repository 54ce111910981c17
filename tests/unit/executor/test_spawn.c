/* What a child is said to have used is its own, whatever we had before it. */
#include "tests/test.h"

#include <sys/mman.h>

#include "executor/spawn.h"

enum { OURS_BYTES = 512 << 20 };

static uint64_t peak_of(char *const *argv)
{
    char *envp[] = {NULL};
    struct spawn_request rq = {
        .argv = argv, .envp = envp, .requests_fd = -1, .answers_fd = -1, .output_fd = -1};
    struct spawned p;
    struct err e = {0};

    CHECK_OK(spawn(&rq, &p, &e), &e);
    struct spawn_end end = spawn_reap(&p);
    CHECK_INT(end.code, 0);
    return end.max_rss_bytes;
}

static void test_peak_is_the_childs(void **state)
{
    char program[] = "/bin/true", dd[] = "/bin/dd";
    char from[] = "if=/dev/zero", to[] = "of=/dev/null", block[] = "bs=128M", count[] = "count=1";
    char *small[] = {program, NULL}, *large[] = {dd, from, to, block, count, NULL};
    char *ours = mmap(NULL, OURS_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    UNUSED(state);
    CHECK(ours != MAP_FAILED);
    memset(ours, 1, OURS_BYTES);
    CHECK_INT(munmap(ours, OURS_BYTES), 0);
    CHECK(peak_of(small) < OURS_BYTES / 2);
    CHECK(peak_of(large) > 128000000);
}

/* What Go's (*os.ProcessState).String() says on Linux. */
static void test_ends_are_named_as_go_does(void **state)
{
    static const struct {
        struct spawn_end end;
        const char *text;
    } cases[] = {{{.code = 0}, "exit status 0"},
                 {{.code = 5}, "exit status 5"},
                 {{-1, 1, 0}, "signal: hangup"},
                 {{-1, 2, 0}, "signal: interrupt"},
                 {{-1, 3, 0}, "signal: quit"},
                 {{-1, 4, 0}, "signal: illegal instruction"},
                 {{-1, 5, 0}, "signal: trace/breakpoint trap"},
                 {{-1, 6, 0}, "signal: aborted"},
                 {{-1, 7, 0}, "signal: bus error"},
                 {{-1, 8, 0}, "signal: floating point exception"},
                 {{-1, 9, 0}, "signal: killed"},
                 {{-1, 10, 0}, "signal: user defined signal 1"},
                 {{-1, 11, 0}, "signal: segmentation fault"},
                 {{-1, 12, 0}, "signal: user defined signal 2"},
                 {{-1, 13, 0}, "signal: broken pipe"},
                 {{-1, 14, 0}, "signal: alarm clock"},
                 {{-1, 15, 0}, "signal: terminated"},
                 {{-1, 16, 0}, "signal: signal 16"},
                 {{-1, 31, 0}, "signal: signal 31"},
                 {{-1, 64, 0}, "signal: signal 64"}};
    char room[64];

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(spawn_end_text(&cases[i].end, room, sizeof(room)), str_from(cases[i].text));
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_peak_is_the_childs),
                                          cmocka_unit_test(test_ends_are_named_as_go_does)};
TEST_MAIN(tests)

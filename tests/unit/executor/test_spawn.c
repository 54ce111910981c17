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

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_peak_is_the_childs)};
TEST_MAIN(tests)

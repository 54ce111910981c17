/* What a child is said to have used is its own, whatever we had before it. */
#include "tests/test.h"

#include <errno.h>
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

/* A program in namespaces may end itself by a signal: it is not the first of its tree. What it
 * leaves behind ends with it. */
static void test_signals_itself(void **state)
{
    static const struct {
        char command[64];
        const char *end;
    } cases[] = {{"kill -KILL $$; exit 7", "signal: killed"},
                 {"kill -TERM $$; exit 7", "signal: terminated"},
                 {"kill -ABRT $$; exit 7", "signal: aborted"},
                 {"sleep 1000 & exit 7", "exit status 7"},
                 {"[ $$ -gt 1 ] && [ -d /proc/1 ]", "exit status 0"}};
    struct sandbox box;

    UNUSED(state);
    sandbox_init(&box,
                 1U << SANDBOX_SESSION | 1U << SANDBOX_NAMESPACES | 1U << SANDBOX_SYSCALLS |
                     1U << SANDBOX_NO_NEW_PRIVS,
                 NULL, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char shell[] = "/bin/sh", option[] = "-c", command[64], room[64];
        char *argv[] = {shell, option, command, NULL}, *envp[] = {NULL};
        struct spawn_request rq = {.argv = argv,
                                   .envp = envp,
                                   .sandbox = &box,
                                   .requests_fd = -1,
                                   .answers_fd = -1,
                                   .output_fd = -1};
        struct spawned p;
        struct err e = {0};
        memcpy(command, cases[i].command, sizeof(command));
        if (spawn(&rq, &p, &e) != OK) {
            CHECK(rq.errnum == EPERM || rq.errnum == ENOSYS); /* no namespaces here */
            skip();
        }
        struct spawn_end end = spawn_reap(&p);
        CHECK_STR(spawn_end_text(&end, room, sizeof(room)), str_from(cases[i].end));
        CHECK_INT(p.pidfd, -1);
        CHECK_INT(p.init_pidfd, -1);
    }
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_peak_is_the_childs),
                                          cmocka_unit_test(test_signals_itself)};
TEST_MAIN(tests)

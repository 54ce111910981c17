/* What a program in the sandbox can and cannot do, seen by a shell in it. */
#include "tests/test.h"

#include <errno.h>
#include <unistd.h>

#include "executor/spawn.h"

enum { NOBODY = 65534 };

/* How the shell ended; skips the test where the machine has no namespaces. */
static struct str end_of(const struct sandbox *box, const char *text, char *room, size_t n)
{
    char shell[] = "/bin/sh", option[] = "-c", command[256];
    char *argv[] = {shell, option, command, NULL}, *envp[] = {NULL};
    struct spawn_request rq = {.argv = argv,
                               .envp = envp,
                               .sandbox = box,
                               .requests_fd = -1,
                               .answers_fd = -1,
                               .output_fd = -1};
    struct spawned p;
    struct err e = {0};

    snprintf(command, sizeof(command), "%s", text);
    if (spawn(&rq, &p, &e) != OK) {
        print_message("%s\n", e.msg);
        CHECK(rq.errnum == EPERM || rq.errnum == ENOSYS);
        skip();
    }
    struct spawn_end end = spawn_reap(&p);
    CHECK_INT(p.pidfd, -1);
    CHECK_INT(p.init_pidfd, -1);
    return spawn_end_text(&end, room, n);
}

/* It is not the first of its tree. What it leaves behind ends with it. */
static void test_signals_itself(void **state)
{
    static const struct {
        const char *command, *end;
    } cases[] = {{"kill -KILL $$; exit 7", "signal: killed"},
                 {"kill -TERM $$; exit 7", "signal: terminated"},
                 {"kill -ABRT $$; exit 7", "signal: aborted"},
                 {"sleep 1000 & exit 7", "exit status 7"},
                 {"[ $$ -gt 1 ] && [ -d /proc/1 ]", "exit status 0"}};
    struct sandbox box;
    char room[64];

    UNUSED(state);
    sandbox_init(&box,
                 1U << SANDBOX_SESSION | 1U << SANDBOX_NAMESPACES | 1U << SANDBOX_SYSCALLS |
                     1U << SANDBOX_NO_NEW_PRIVS,
                 NULL, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(end_of(&box, cases[i].command, room, sizeof(room)), str_from(cases[i].end));
}

/* Whoever it runs as, with and without namespaces: CapInh, CapPrm, CapEff, CapBnd, CapAmb. */
static void test_has_no_capabilities(void **state)
{
    static const unsigned without = SANDBOX_SHARED;
    const struct {
        unsigned steps, user;
    } cases[] = {{SANDBOX_ALL, 0},
                 {SANDBOX_ALL & ~without, 0},
                 {SANDBOX_ALL, geteuid() == 0 ? NOBODY : 0},
                 {SANDBOX_ALL & ~without, geteuid() == 0 ? NOBODY : 0}};
    char command[] = "[ $(grep -c '^Cap.*0000000000000000$' /proc/self/status) = 5 ]", room[64];
    struct sandbox box;

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        sandbox_init(&box, cases[i].steps, NULL, 0);
        box.user = cases[i].user;
        if (geteuid() != 0 && (cases[i].steps & without) == 0)
            continue; /* the bounding set is not ours to empty */
        CHECK_STR(end_of(&box, command, room, sizeof(room)), STR("exit status 0"));
    }
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_signals_itself),
                                          cmocka_unit_test(test_has_no_capabilities)};
TEST_MAIN(tests)

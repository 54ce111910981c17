/* Where groups can be made, by what the kernel shows: v2 before v1, and only with both controllers.
 */
#include "executor/cgroup.h"
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/file.h"

static char root[] = "/tmp/fnexec-cgroup-XXXXXX";

static void make_folder(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", root, name);
    CHECK_INT(mkdir(path, 0700), 0);
}

static void offer(const char *controllers)
{
    char path[128];
    struct err e = {0};

    snprintf(path, sizeof(path), "%s/own/cgroup.controllers", root);
    CHECK_OK(file_write(path, str_from(controllers), 0600, &e), &e);
}

static struct cgroup_place find(const char *own)
{
    struct cgroup_place at;

    cgroup_find(root, str_from(own), &at);
    return at;
}

static void find_places(void **state)
{
    static const char v2[] = "0::/own\n", v1[] = "4:memory:/a\n8:pids:/\n0::/\n";
    char wanted[128];

    UNUSED(state);
    CHECK_INT(find(v2).version, CGROUP_NONE);
    CHECK(find(v2).why_not[0] != '\0');
    make_folder("own");
    offer("hugetlb\n");
    CHECK_INT(find(v2).version, CGROUP_NONE);
    offer("cpuset cpu io memory hugetlb pids\n");
    snprintf(wanted, sizeof(wanted), "%s/own", root);
    CHECK_INT(find(v2).version, CGROUP_V2);
    CHECK_Z(find(v2).folders[0], wanted);
    /* Where a former run moved who started us: not one deeper each time. */
    CHECK_Z(find("0::/own/fnexec-main\n").folders[0], wanted);
    CHECK_INT(find(v1).version, CGROUP_NONE); /* the folders are not there */
    make_folder("memory");
    make_folder("memory/a");
    make_folder("pids");
    CHECK_INT(find(v1).version, CGROUP_V1);
    snprintf(wanted, sizeof(wanted), "%s/memory/a", root);
    CHECK_Z(find(v1).folders[0], wanted);
    snprintf(wanted, sizeof(wanted), "%s/pids", root);
    CHECK_Z(find(v1).folders[1], wanted);
    CHECK_INT(find("").version, CGROUP_NONE);
}

/* A function that wants what there is not does not run without. */
static void refuse(void **state)
{
    struct cgroup_place none = find("");
    struct cgroup g;
    struct err e = {0};

    UNUSED(state);
    CHECK_STATUS(cgroup_make(&none, STR("x"), 1 << 27, &g, &e), ERR_CONFIG);
    CHECK(strstr(e.msg, "memory_limit: cgroup") != NULL);
}

/* A killed fnexec left a group; the one of a living process and what others made stay. */
static void remove_dead(void **state)
{
    struct cgroup_place at = find("0::/own\n");
    char dead[64], alive[64], path[192];
    pid_t child = fork();

    UNUSED(state);
    if (child == 0)
        _exit(0);
    CHECK_INT(waitpid(child, NULL, 0), child);
    snprintf(dead, sizeof(dead), "own/fnexec-%d-aa", (int)child);
    snprintf(alive, sizeof(alive), "own/fnexec-%d-aa", (int)getppid());
    make_folder(dead);
    make_folder(alive);
    make_folder("own/fnexec-main");
    make_folder("own/other");
    CHECK_INT(at.n, 1);
    cgroup_remove_dead(&at);
    snprintf(path, sizeof(path), "%s/%s", root, dead);
    CHECK(!file_exists(path));
    const char *const kept[] = {alive, "own/fnexec-main", "own/other"};
    for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
        snprintf(path, sizeof(path), "%s/%s", root, kept[i]);
        CHECK_INT(rmdir(path), 0);
    }
}

static int set_up(void **state)
{
    UNUSED(state);
    return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {
        "own/cgroup.controllers", "own", "memory/a", "memory", "pids", ""};
    char path[128];

    UNUSED(state);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", root, names[i]);
        remove(path);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(find_places), cmocka_unit_test(refuse),
                                       cmocka_unit_test(remove_dead)};

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* fnexec doctor: what of the sandbox this machine allows, and what that leaves open. */
#include <string.h>
#include <unistd.h>

#include "executor/cgroup.h"
#include "executor/command.h"
#include "executor/sandbox.h"

static void show(struct buf *out, const char *name, const char *text)
{
    buf_addf(out, "%-18s %s\n", name, text);
}

/* --- steps --- */

static void show_steps(struct buf *out, const struct sandbox_report *report)
{
    for (unsigned i = 0; i < SANDBOX_STEPS; i++) {
        buf_addf(out, "%-18s %s: %s", sandbox_step_name((enum sandbox_step)i),
                 report->works[i] ? "works" : "does not work",
                 sandbox_step_help((enum sandbox_step)i));
        if (!report->works[i])
            buf_addf(out, " (%s)", strerror(report->errnum[i]));
        buf_add_c(out, '\n');
    }
}

static void show_memory_limits(struct buf *out)
{
    struct cgroup_place at;

    buf_addf(out, "%-18s works: a function over its size is found within 100 ms\n",
             "memory watched");
    cgroup_find_own(&at);
    buf_addf(out, "%-18s %s: memory_limit: cgroup ", "memory by cgroup",
             at.n > 0 ? "works" : "does not work");
    if (at.n > 0)
        buf_addf(out, "makes groups below %s\n", at.folders[0]);
    else
        buf_addf(out, "is refused (%s)\n", at.why_not);
}

/* --- what they come to --- */

static const char *auto_comes_to(unsigned steps)
{
    if (!(steps & 1U << SANDBOX_PRIVATE_TMP))
        return "is isolation process here";
    return steps & 1U << SANDBOX_READ_ONLY ? "may not write its code, the manifest's folder if its "
                                             "code is there, /proc and /sys"
                                           : "may not write /proc, but its code";
}

#define STARTS "what it starts outlives a killed fnexec until the next start"

static void show_isolations(struct buf *out, const struct sandbox_report *report)
{
    unsigned steps = sandbox_steps(report, true);
    bool is_complete = (steps | 1U << SANDBOX_USER) == SANDBOX_ALL;
    bool is_root = geteuid() == 0;

    show(out, "isolation auto", auto_comes_to(steps));
    show(out, "isolation strict", is_complete ? "is isolation auto here" : "does not start here");
    show(out, "isolation process",
         is_root ? "has the machine's /tmp, may write its code, end its user's processes and, as "
                   "root, set the kernel in /proc/sys; " STARTS
                 : "has the machine's /tmp, may write its code and end its user's "
                   "processes; " STARTS);
    show(out, "never fenced off",
         is_root ? "network, /dev, all other files its user may use: root's, unless the function "
                   "names a user"
                 : "network, /dev, all other files its user may use: yours");
}

static int run_doctor(struct fnexec_run *r, struct err *e)
{
    struct sandbox_report report;

    UNUSED(e);
    sandbox_probe(&report);
    show_steps(&r->out, &report);
    show_memory_limits(&r->out);
    show_isolations(&r->out, &report);
    return sandbox_steps(&report, true) == SANDBOX_ALL ? EXIT_DONE : EXIT_CONDITION;
}

const struct fnexec_command command_doctor = {
    .name = "doctor",
    .summary = "Say which parts of the sandbox this machine allows",
    .description =
        "Tries each step that fences a function off and says whether it works here, and what a\n"
        "function of each isolation can still do. Exit status 3 when a step does not work:\n"
        "functions run without it, unless their isolation is strict.",
    .options = fnexec_plain_options,
    .run = run_doctor};

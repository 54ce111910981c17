/* Paths are walked down twice: as they are written, and as they are without links. */
#include "executor/access_check.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/program_path.h"
#include "executor/fndef_options.h"
#include "executor/manifest_check.h"
#include "executor/sandbox_folders.h"

/* Of permissions. */
enum { MAY_RUN = 1, MAY_READ = 4 };

/* Root's functions keep our groups. */
static bool is_in_group(gid_t group, uid_t user)
{
    return user == 0 ? group == getegid() || group_member(group) : group == user;
}

/* What is not there is told by others. */
static bool may_use(const char *path, uid_t user, unsigned wanted)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return true;
    unsigned shift = st.st_uid == user ? 6 : is_in_group(st.st_gid, user) ? 3 : 0;
    return (st.st_mode >> shift & wanted) == wanted;
}

/* The first folder down to the path that is closed to the user, or the path; empty: none. */
static struct str closed_part(struct arena *a, struct str path, uid_t user, unsigned wanted)
{
    for (size_t n = 1; n < path.n; n++)
        if (path.p[n] == '/') {
            struct str above = str_sub(path, 0, n);
            if (!may_use(arena_strz(a, above), user, MAY_RUN))
                return above;
        }
    return may_use(arena_strz(a, path), user, wanted) ? (struct str){0} : path;
}

struct access {
    const struct manifest *m;
    const struct fndef *fn;
    struct arena *arena;
    struct buf *out;
};

static void tell_closed(const struct access *c, const char *key, struct str path, unsigned wanted,
                        const char *remedy)
{
    const uid_t user = (uid_t)c->fn->user;
    struct str absolute = file_absolute(c->arena, path);
    struct str closed = closed_part(c->arena, absolute, user, wanted);

    if (closed.n == 0)
        closed = closed_part(c->arena, path_resolved(c->arena, absolute), user, wanted);
    if (closed.n > 0)
        manifest_doubt(c->m, fndef_place(c->fn, key), c->out, closed,
                       "is closed to the user the function runs as, who has no capabilities: %s",
                       remedy);
}

/* The file without its ending: "a/b" of "a/b.handler"; of Python's "a.b.handler", too. */
static struct str module_of(const struct access *c)
{
    bool is_python = str_starts(c->fn->runtime, STR("python"));
    char *name = arena_strz(c->arena, c->fn->handler);
    char *slash = strrchr(name, '/');
    char *dot = is_python ? strrchr(name, '.') : strchr(slash ? slash : name, '.');

    if (!dot)
        return (struct str){0};
    *dot = '\0';
    for (char *p = name; is_python && *p; p++)
        *p = *p == '.' ? '/' : *p;
    return str_from(name);
}

static void tell_handler(const struct access *c)
{
    static const char *const endings[] = {".py", "/__init__.py", ".js", ".mjs", ".cjs"};
    struct str module = module_of(c);

    for (size_t i = 0; module.n > 0 && i < ARRAY_LEN(endings); i++) {
        struct str path = arena_printf(c->arena, STR_FMT "/" STR_FMT "%s", STR_ARG(c->fn->code),
                                       STR_ARG(module), endings[i]);
        if (file_exists(path.p))
            tell_closed(c, "handler", path, MAY_READ, "open it");
    }
}

static void tell_program(const struct access *c, const struct fn_runtime *r, struct str runtimes)
{
    struct str name = fn_program_name(c->fn);
    char *program;

    if (!r->interpreter) {
        tell_closed(
            c, r->needs_handler ? "handler" : "code",
            arena_printf(c->arena, STR_FMT "/" STR_FMT, STR_ARG(c->fn->code), STR_ARG(name)),
            MAY_RUN, "open it");
        return;
    }
    tell_handler(c);
    if (program_find(c->arena, r->interpreter, &program))
        tell_closed(c, "runtime", str_from(program), MAY_RUN,
                    "put another interpreter before it in PATH");
    if (runtimes.n > 0 && r->bootstrap)
        tell_closed(c, "runtime",
                    arena_printf(c->arena, STR_FMT "/%s", STR_ARG(runtimes), r->bootstrap),
                    MAY_READ, "open it, or name a copy with --runtimes");
}

void access_doubts(const struct manifest *m, const struct fndef *fn, struct str runtimes,
                   struct buf *out)
{
    AUTO(arena_clear) struct arena a = {0};
    const struct access c = {m, fn, &a, out};
    size_t before = out->n;

    if (geteuid() != 0) {
        if (fn->user != 0)
            manifest_doubt(m, fndef_place(fn, "user"), out, STR("user:"),
                           "the function does not start, for fnexec is not root here");
        return;
    }
    tell_closed(&c, "code", fn->code, MAY_READ | MAY_RUN, "open it, or move the code");
    if (out->n == before)
        tell_program(&c, fn_runtime_find(fn->runtime), runtimes);
}

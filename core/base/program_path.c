/* PATH, folder by folder. */
#include "core/base/program_path.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *program_path(void)
{
    const char *path = getenv("PATH");

    return path ? path : "/usr/local/bin:/usr/bin:/bin";
}

static bool can_be_run(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

bool program_find(struct arena *a, const char *name, char **out)
{
    struct str path = str_from(program_path());

    *out = arena_strz(a, str_from(name));
    if (strchr(name, '/'))
        return can_be_run(*out);
    while (path.n > 0) {
        struct str folder = str_cut(&path, ':');
        struct str full = arena_printf(a, STR_FMT "/%s", STR_ARG(folder), name);
        *out = arena_strz(a, full);
        if (can_be_run(*out))
            return true;
    }
    return false;
}

/* PATH, folder by folder. */
#include "executor/program_path.h"

#include <stdlib.h>
#include <unistd.h>

const char *program_path(void)
{
    const char *path = getenv("PATH");

    return path ? path : "/usr/local/bin:/usr/bin:/bin";
}

bool program_find(struct arena *a, const char *name, char **out)
{
    struct str path = str_from(program_path());

    while (path.n > 0) {
        struct str folder = str_cut(&path, ':');
        struct str full = arena_printf(a, STR_FMT "/%s", STR_ARG(folder), name);
        *out = arena_strz(a, full);
        if (access(*out, X_OK) == 0)
            return true;
    }
    return false;
}

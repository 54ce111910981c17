/* Folders below /tmp that stay visible, each once. */
#include "executor/private_tmp.h"

#include <limits.h>
#include <stdlib.h>

#include "core/base/file.h"
#include "executor/t_storage.h"

#define TMP "/tmp"

struct keeper {
    const struct instance *in;
    struct arena *arena;
    struct sandbox *box;
    size_t cap;
    struct err *e;
};

static bool is_below(struct str path, struct str folder)
{
    return str_starts(path, folder) && path.n > folder.n && path.p[folder.n] == '/';
}

static bool is_kept(const struct sandbox *s, struct str folder)
{
    for (size_t i = 0; i < s->n_kept; i++)
        if (str_eq(folder, str_from(s->kept[i].from)) ||
            is_below(folder, str_from(s->kept[i].from)))
            return true;
    return false;
}

struct str path_resolved(struct arena *a, struct str path)
{
    AUTO(arena_clear) struct arena own = {0};
    char room[PATH_MAX];

    return realpath(arena_strz(&own, path), room) ? arena_str(a, str_from(room)) : path;
}

/* The folder is real. */
static enum status keep(struct keeper *k, struct str folder)
{
    struct sandbox *s = k->box;

    if (str_eq(folder, STR(TMP)))
        return err_set(k->e, ERR_CONFIG,
                       "what it needs lies in " TMP " itself, of which it has its own: move it to "
                       "a folder below, or set isolation: process");
    if (!is_below(folder, STR(TMP)) || is_kept(s, folder))
        return OK;
    struct str to = arena_printf(k->arena, STR_FMT STR_FMT, STR_ARG(k->in->scratch),
                                 STR_ARG(str_skip(folder, sizeof(TMP) - 1)));
    if (file_make_dir(to.p, 0755, k->e) != OK)
        return k->e ? k->e->code : ERR_IO;
    s->kept = arena_grow(k->arena, s->kept, s->n_kept, &k->cap, sizeof(*s->kept));
    s->kept[s->n_kept++] = (struct sandbox_kept){arena_strz(k->arena, folder), to.p};
    return OK;
}

static struct str parent_of(struct str path)
{
    while (path.n > 1 && path.p[path.n - 1] != '/')
        path.n--;
    return path.n > 1 ? str_sub(path, 0, path.n - 1) : path;
}

/* In a "bin" the libraries lie beside that. */
static enum status keep_program(struct keeper *k, struct str program)
{
    struct str folder = path_resolved(k->arena, parent_of(program));
    struct str parent = parent_of(folder);

    return keep(k, str_ends(folder, STR("/bin")) && is_below(parent, STR(TMP)) ? parent : folder);
}

static enum status keep_watched(struct keeper *k)
{
    const struct fndef *fn = k->in->fn;
    enum status s = OK;

    for (size_t i = 0; s == OK && i < fn->n_triggers; i++) {
        struct str folder = t_storage_folder(k->in->x->manifest, &fn->triggers[i], k->arena);
        if (folder.n > 0)
            s = keep(k, path_resolved(k->arena, folder));
    }
    return s;
}

enum status private_tmp_keep(const struct instance *in, struct arena *a, const char *program,
                             struct sandbox *box, struct err *e)
{
    struct keeper k = {.in = in, .arena = a, .box = box, .e = e};
    struct str home = path_resolved(a, in->x->manifest->folder);
    enum status s = is_below(in->code, home) && !str_eq(home, STR(TMP)) ? keep(&k, home) : OK;

    if (s == OK)
        s = keep(&k, in->code);
    if (s == OK)
        s = keep(&k, path_resolved(a, in->x->runtimes_folder));
    if (s == OK)
        s = keep_program(&k, str_from(program));
    if (s == OK) /* a link to it */
        s = keep_program(&k, path_resolved(a, str_from(program)));
    return s == OK ? keep_watched(&k) : s;
}

/* A list of folders, those around others first, each as it is to be or as the one around it. */
#include "executor/sandbox_folders.h"

#include <limits.h>
#include <stdlib.h>

#include "core/base/file.h"
#include "core/base/log.h"
#include "executor/t_storage.h"

#define TMP "/tmp"

struct chooser {
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

static bool is_it(const struct sandbox_folder *f, struct str path)
{
    return str_eq(path, str_from(f->path));
}

struct str path_resolved(struct arena *a, struct str path)
{
    AUTO(arena_clear) struct arena own = {0};
    char room[PATH_MAX];

    return realpath(arena_strz(&own, path), room) ? arena_str(a, str_from(room)) : path;
}

/* The nearest one that is the path or around it; NULL: none. The list is sorted. */
static struct sandbox_folder *around(const struct sandbox *s, struct str path)
{
    for (size_t i = s->n_folders; i > 0; i--) {
        struct sandbox_folder *f = &s->folders[i - 1];
        if (is_it(f, path) || is_below(path, str_from(f->path)))
            return f;
    }
    return NULL;
}

static void insert(struct chooser *c, struct str path, bool is_writable)
{
    struct sandbox *s = c->box;
    size_t at = s->n_folders;

    s->folders = arena_grow(c->arena, s->folders, s->n_folders++, &c->cap, sizeof(*s->folders));
    for (; at > 0 && str_from(s->folders[at - 1].path).n > path.n; at--)
        s->folders[at] = s->folders[at - 1];
    s->folders[at] =
        (struct sandbox_folder){.path = arena_strz(c->arena, path), .is_writable = is_writable};
}

/* The path is real. What is read-only stays so. */
static enum status add(struct chooser *c, struct str path, bool is_writable)
{
    struct sandbox_folder *f = around(c->box, path);

    if (str_eq(path, STR(TMP)))
        return err_set(c->e, ERR_CONFIG,
                       "what it needs lies in " TMP " itself, of which it has its own: move it to "
                       "a folder below, or set isolation: process");
    if (f && is_it(f, path))
        f->is_writable = f->is_writable && is_writable;
    else if (!f || f->is_writable != is_writable)
        insert(c, path, is_writable);
    return OK;
}

/* Elsewhere they are seen anyway. */
static enum status add_if_in_tmp(struct chooser *c, struct str path)
{
    return str_eq(path, STR(TMP)) || is_below(path, STR(TMP)) ? add(c, path, false) : OK;
}

static struct str parent_of(struct str path)
{
    while (path.n > 1 && path.p[path.n - 1] != '/')
        path.n--;
    return path.n > 1 ? str_sub(path, 0, path.n - 1) : path;
}

/* In a "bin" the libraries lie beside that. */
static enum status add_program(struct chooser *c, struct str program)
{
    struct str folder = path_resolved(c->arena, parent_of(program));
    struct str parent = parent_of(folder);

    return add_if_in_tmp(c, str_ends(folder, STR("/bin")) && is_below(parent, STR(TMP)) ? parent
                                                                                        : folder);
}

static enum status add_watched(struct chooser *c)
{
    const struct fndef *fn = c->in->fn;
    enum status s = OK;

    for (size_t i = 0; s == OK && i < fn->n_triggers; i++) {
        struct str folder = t_storage_folder(c->in->x->manifest, &fn->triggers[i], c->arena);
        if (folder.n == 0)
            continue;
        folder = path_resolved(c->arena, folder);
        if (file_is_dir(folder.p))
            s = add(c, folder, true);
        else
            log_event(LOG_WARN,
                      "function " STR_FMT ": folder " STR_FMT
                      " of its storage trigger is not there: it starts without",
                      STR_ARG(fn->name), STR_ARG(folder));
    }
    return s;
}

/* A manifest's folder that is watched is a bucket like others; its code is not. */
static enum status add_code(struct chooser *c)
{
    struct str home = path_resolved(c->arena, c->in->x->manifest->folder);
    const struct sandbox_folder *f = around(c->box, home);
    enum status s = OK;

    if (is_below(c->in->code, home) && !str_eq(home, STR(TMP)) && !(f && is_it(f, home)))
        s = add(c, home, false);
    return s == OK ? add(c, c->in->code, false) : s;
}

/* It is below one before it, and seen there. */
static bool is_shown(const struct sandbox *s, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (is_below(str_from(s->folders[i].path), str_from(s->folders[k].path)))
            return true;
    return false;
}

static enum status make_twin(struct chooser *c, size_t i)
{
    struct sandbox_folder *f = &c->box->folders[i];
    struct str path = str_from(f->path);

    if (!is_below(path, STR(TMP)) || is_shown(c->box, i))
        return OK;
    f->twin = arena_printf(c->arena, STR_FMT STR_FMT, STR_ARG(c->in->scratch),
                           STR_ARG(str_skip(path, sizeof(TMP) - 1)))
                  .p;
    return file_make_dir(f->twin, 0755, c->e);
}

enum status sandbox_folders(const struct instance *in, struct arena *a, const char *program,
                            struct sandbox *box, struct err *e)
{
    struct chooser c = {.in = in, .arena = a, .box = box, .e = e};
    enum status s = add_watched(&c);

    if (s == OK)
        s = add_code(&c);
    if (s == OK)
        s = add_if_in_tmp(&c, path_resolved(a, in->x->runtimes_folder));
    if (s == OK)
        s = add_program(&c, str_from(program));
    if (s == OK) /* a link to it */
        s = add_program(&c, path_resolved(a, str_from(program)));
    for (size_t i = 0; s == OK && i < box->n_folders; i++)
        s = make_twin(&c, i);
    return s;
}

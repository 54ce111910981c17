/* The list of what a file source reads: folders are walked, what cannot be read is told and passed
 * over. */
#include <string.h>
#include <sys/stat.h>

#include "collector/file_source.h"
#include "core/base/log.h"

void file_pass_over(struct file_source *f, const char *reason)
{
    f->at.unreadable++;
    log_event(LOG_WARN, "import: %s; it is passed over, the others are read", reason);
}

static void add_file(struct file_source *f, size_t *cap, char *path, bool is_found)
{
    size_t cap_hints = *cap;
    struct stat st;
    bool is_regular = strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode);

    f->files.paths = arena_grow(&f->arena, f->files.paths, f->files.count, cap, sizeof(char *));
    f->hints = arena_grow(&f->arena, f->hints, f->files.count, &cap_hints, sizeof(*f->hints));
    f->hints[f->files.count] = (struct file_hint){.is_found = is_found, .is_once = !is_regular};
    f->files.paths[f->files.count++] = path;
    f->at.bytes += is_regular ? (uint64_t)st.st_size : 0;
}

enum status file_source_open(struct file_source *f, struct err *e)
{
    const struct opt_list_paths *paths = &f->options->paths;
    size_t cap = 0, n_bad = 0;

    for (size_t i = 0; i < paths->count; i++) {
        struct file_list found = {0};
        char *path = arena_strz(&f->arena, paths->items[i]);
        if (str_eq(paths->items[i], STR("-")) || f->options->fd > 0) {
            add_file(f, &cap, path, f->options->is_found);
            continue;
        }
        struct err why = {0};
        enum status s = file_list(&f->arena, path, &found, &why);
        if (s != OK && ++n_bad == paths->count)
            return err_set(e, s, "%s", why.msg);
        if (s != OK)
            file_pass_over(f, why.msg);
        for (size_t k = 0; k < found.count; k++)
            add_file(f, &cap, found.paths[k], strcmp(found.paths[k], path) != 0);
    }
    f->at.files = f->files.count;
    f->batch = batch_new();
    return OK;
}

/* Files and folders: the only writer of ordinary files. */
#include "core/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/mem.h"

#define READ_STEP ((size_t)65536)

static void close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

/* What a person can do about it, by errno. */
static const char *remedy(int errnum)
{
    static const struct {
        int errnum;
        const char *text;
    } remedies[] = {
        {EACCES, "; check its permissions"},
        {ENOSPC, "; make room on the disk and run again"},
        {EDQUOT, "; the disk quota is used up"},
        {EROFS, "; the disk is mounted read-only"},
        {ENOENT, "; check the name"},
    };

    for (size_t i = 0; i < ARRAY_LEN(remedies); i++)
        if (remedies[i].errnum == errnum)
            return remedies[i].text;
    return "";
}

static enum status io_error(struct err *e, const char *what, const char *path)
{
    int errnum = errno;
    char reason[128];

    return err_set(e, errnum == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s %s: %s%s", what, path,
                   strerror_r(errnum, reason, sizeof(reason)), remedy(errnum));
}

enum status file_point(const char *path, const char *target, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    const char *temporary = arena_strz(&a, arena_printf(&a, "%s.new", path));

    if (unlink(temporary) != 0 && errno != ENOENT)
        return err_errno(e, errno, "%s", temporary);
    if (symlink(target, temporary) != 0 || rename(temporary, path) != 0)
        return err_errno(e, errno, "link %s", path);
    return OK;
}

enum status file_remove(const char *path, struct err *e)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return io_error(e, "remove", path);
    return OK;
}

bool file_exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

bool file_is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The kernel leases a file for reading only while nobody has it open for writing. Who opens it in
 * that moment waits until we gave it back, and we are told by a signal: one that is ignored. */
bool file_is_being_written(int fd, bool *is_known)
{
    const int leased = fcntl(fd, F_SETSIG, SIGURG) == 0 ? fcntl(fd, F_SETLEASE, F_RDLCK) : -1;

    *is_known = leased == 0 || errno == EAGAIN;
    if (leased == 0)
        fcntl(fd, F_SETLEASE, F_UNLCK);
    return leased != 0;
}

enum status file_read(const char *path, struct buf *out, struct err *e)
{
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO(mem_free_ptr) char *step = xmalloc(READ_STEP);
    size_t begin = out->n;

    if (fd < 0)
        return io_error(e, "read", path);
    for (;;) {
        ssize_t n = read(fd, step, READ_STEP);
        if (n == 0)
            break;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            buf_cut(out, begin);
            return io_error(e, "read", path);
        }
        buf_add(out, step, (size_t)n);
        if (out->is_full) {
            buf_cut(out, begin);
            return err_set(e, ERR_LIMIT, "read %s: the file is larger than %zu bytes", path,
                           out->max);
        }
    }
    return OK;
}

/* --- whose it is --- */

static const char *folder_of(struct arena *a, const char *path)
{
    struct str whole = str_from(path);

    while (whole.n > 1 && whole.p[whole.n - 1] == '/')
        whole.n--;
    size_t slash = str_rfind_char(whole, '/');
    return slash == whole.n ? "." : slash == 0 ? "/" : arena_strz(a, str_sub(whole, 0, slash));
}

void file_hand_over(int fd, const char *path)
{
    AUTO(arena_clear) struct arena a = {0};
    struct stat folder;

    if (geteuid() != 0 || stat(folder_of(&a, path), &folder) != 0 || folder.st_uid == 0)
        return;
    /* As SQLite does with its WAL: a file system that refuses has its own idea of owners. */
    if (fchownat(fd, "", folder.st_uid, folder.st_gid, AT_EMPTY_PATH) != 0)
        return;
}

/* Between the making and this, the folder's owner may have put something else of the superuser's
 * there: no link is followed, and nothing with a second name is given away. */
void file_hand_over_name(const char *path)
{
    AUTO(close_fd) int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == 0 &&
        (S_ISDIR(st.st_mode) || (S_ISSOCK(st.st_mode) && st.st_nlink == 1)))
        file_hand_over(fd, path);
}

int file_create(const char *path, mode_t mode)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);

    if (fd >= 0)
        file_hand_over(fd, path);
    return fd;
}

/* --- writing --- */

static int write_all(int fd, struct str data)
{
    while (data.n > 0) {
        ssize_t n = write(fd, data.p, data.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data = str_skip(data, (size_t)n);
    }
    return 0;
}

/* The rename itself must survive a crash: the folder is synced too. */
static int sync_parent(struct arena *a, const char *path)
{
    AUTO(close_fd) int fd = open(folder_of(a, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -1 : fsync(fd);
}

enum status file_write(const char *path, struct str data, mode_t mode, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct str name = arena_printf(&a, "%s.XXXXXX", path);
    char *temporary = arena_strz(&a, name);
    AUTO(close_fd) int fd = mkostemp(temporary, O_CLOEXEC);

    if (fd < 0)
        return io_error(e, "write", path);
    file_hand_over(fd, path);
    if (fchmod(fd, mode) != 0 || write_all(fd, data) != 0 || fsync(fd) != 0 ||
        rename(temporary, path) != 0 || sync_parent(&a, path) != 0) {
        enum status s = io_error(e, "write", path);
        unlink(temporary);
        return s;
    }
    return OK;
}

static enum status make_parents(const char *path, mode_t mode, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    char *p = arena_strz(&a, str_from(path));

    for (char *slash = p + 1; *p && (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        if (mkdir(p, mode) != 0 && errno != EEXIST)
            return io_error(e, "make folder", p);
        *slash = '/';
    }
    return OK;
}

enum status file_make_dir(const char *path, mode_t mode, struct err *e)
{
    struct stat st;

    if (mkdir(path, mode) == 0)
        return OK;
    if (errno == ENOENT) {
        enum status s = make_parents(path, mode, e);
        if (s != OK)
            return s;
        if (mkdir(path, mode) == 0)
            return OK;
    }
    if (errno != EEXIST)
        return io_error(e, "make folder", path);
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
        return err_set(e, ERR_IO, "make folder %s: there is a file of that name", path);
    return OK;
}

/* --- listing --- */

#define MAX_DEPTH 32

struct folder_id {
    dev_t device;
    ino_t number;
};

struct lister {
    struct arena *arena;
    struct file_list list;
    size_t cap;
    struct file_list links; /* to folders: walked last, so that a path through none is preferred */
    size_t cap_links;
    struct folder_id *seen;
    size_t n_seen, cap_seen;
};

static void add_path(struct lister *l, struct file_list *to, size_t *cap, char *path)
{
    to->paths = arena_grow(l->arena, to->paths, to->count, cap, sizeof(*to->paths));
    to->paths[to->count++] = path;
}

static void close_dir(DIR **d)
{
    if (*d)
        closedir(*d);
}

/* Each folder is walked once: links may lead upwards, or twice to the same place. */
static bool is_met_again(struct lister *l, const struct stat *st)
{
    for (size_t i = 0; i < l->n_seen; i++)
        if (l->seen[i].device == st->st_dev && l->seen[i].number == st->st_ino)
            return true;
    l->seen = arena_grow(l->arena, l->seen, l->n_seen, &l->cap_seen, sizeof(*l->seen));
    l->seen[l->n_seen++] = (struct folder_id){st->st_dev, st->st_ino};
    return false;
}

static bool is_link(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static enum status list_into(struct lister *l, char *path, int depth, struct err *e);

static enum status list_folder(struct lister *l, const char *path, int depth, struct err *e)
{
    AUTO(close_dir) DIR *d = opendir(path);

    if (!d)
        return io_error(e, "read folder", path);
    if (depth > MAX_DEPTH)
        return err_set(e, ERR_LIMIT, "read folder %s: more than %d levels deep", path, MAX_DEPTH);
    for (const struct dirent *f = readdir(d); f; f = readdir(d)) {
        if (f->d_name[0] == '.')
            continue;
        struct str child = arena_printf(l->arena, "%s/%s", path, f->d_name);
        char *at = arena_strz(l->arena, child);
        if (list_into(l, at, depth + 1, NULL) != OK)
            add_path(l, &l->list, &l->cap, at);
    }
    return OK;
}

static enum status list_into(struct lister *l, char *path, int depth, struct err *e)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return io_error(e, "read", path);
    if (S_ISDIR(st.st_mode) && depth > 0 && is_link(path)) {
        add_path(l, &l->links, &l->cap_links, path);
        return OK;
    }
    if (S_ISDIR(st.st_mode))
        return is_met_again(l, &st) ? OK : list_folder(l, path, depth, e);
    if (S_ISREG(st.st_mode) || depth == 0) /* a pipe or device only when it was named itself */
        add_path(l, &l->list, &l->cap, path);
    return OK;
}

static int compare_paths(const void *a, const void *b)
{
    const char *x, *y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return strcmp(x, y);
}

static void sort_paths(char **paths, size_t n)
{
    if (n > 1)
        qsort(paths, n, sizeof(*paths), compare_paths);
}

/* Folders behind links, and those behind links in there, in an order that does not depend on the
 * file system's. */
static void list_links(struct lister *l)
{
    for (size_t from = 0, to; from < l->links.count; from = to) {
        to = l->links.count;
        sort_paths(l->links.paths + from, to - from);
        for (size_t i = from; i < to; i++)
            if (list_into(l, l->links.paths[i], 0, NULL) != OK)
                add_path(l, &l->list, &l->cap, l->links.paths[i]);
    }
}

enum status file_list(struct arena *a, const char *path, struct file_list *out, struct err *e)
{
    struct lister l = {.arena = a};
    struct str start = str_from(path);

    while (start.n > 1 && start.p[start.n - 1] == '/')
        start.n--;
    enum status s = list_into(&l, arena_strz(a, start), 0, e);
    if (s != OK)
        return s;
    list_links(&l);
    sort_paths(l.list.paths, l.list.count);
    *out = l.list;
    return OK;
}

/* --- XDG --- */

struct str file_beside_program(struct arena *a, const char *relative)
{
    char program[PATH_MAX];
    const ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);

    if (n <= 0)
        return (struct str){0};
    program[n] = '\0';
    *strrchr(program, '/') = '\0';
    const struct str path = arena_printf(a, "%s/%s", program, relative);
    return file_exists(path.p) ? path : (struct str){0};
}

struct str file_absolute(struct arena *a, struct str path)
{
    char here[PATH_MAX];

    if (str_starts(path, STR("/")) || !getcwd(here, sizeof(here)))
        return path;
    return arena_printf(a, "%s/" STR_FMT, strcmp(here, "/") == 0 ? "" : here, STR_ARG(path));
}

struct str file_xdg(struct arena *a, const char *kind)
{
    static const struct {
        const char *kind, *variable, *below_home;
    } folders[] = {
        {"CONFIG", "XDG_CONFIG_HOME", ".config"},
        {"DATA", "XDG_DATA_HOME", ".local/share"},
        {"STATE", "XDG_STATE_HOME", ".local/state"},
        {"CACHE", "XDG_CACHE_HOME", ".cache"},
    };

    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        if (strcmp(kind, folders[i].kind) != 0)
            continue;
        const char *base = getenv(folders[i].variable);
        const char *home = getenv("HOME");
        if (base && base[0] == '/') /* the specification: relative paths are to be ignored */
            return arena_printf(a, "%s/fnscope", base);
        return arena_printf(a, "%s/%s/fnscope", home && *home ? home : "/tmp",
                            folders[i].below_home);
    }
    return (struct str){0};
}

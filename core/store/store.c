/* Opening and closing a store: folder, lock, meta.db, day files on demand. */
#include "core/store/store.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/base/mem.h"
#include "core/base/timefmt.h"
#include "core/store/gone.h"
#include "core/store/id_groups.h"
#include "core/store/store_private.h"

#define DAYS_OPEN_MAX 16u /* file handles a reader or writer keeps */

/* A quarter of what readers take else: looked up are single rows, mostly once. */
static const char *const beside_writer_pragma = "pragma cache_size=-1000";

/* --- paths --- */

char *store_file(struct arena *a, const struct store *s, const char *name)
{
    return arena_strz(a, arena_printf(a, "%s/%s", s->path, name));
}

char *store_day_file(struct arena *a, const struct store *s, int64_t number)
{
    struct civil c = time_civil(number * NS_PER_DAY);

    return arena_strz(a, arena_printf(a, "%s/%04d%02d%02d.db", s->path, c.year, c.month, c.day));
}

struct str store_path(const struct store *s)
{
    return str_from(s->path);
}

/* "20260115.db" -> day number. */
static bool day_of_name(const char *name, int64_t *number)
{
    struct str s = str_from(name);
    uint64_t v;

    if (s.n != 11 || !str_ends(s, STR(".db")) || !str_to_u64(str_sub(s, 0, 8), &v))
        return false;
    struct civil c = {
        .year = (int)(v / 10000), .month = (int)(v / 100 % 100), .day = (int)(v % 100)};
    *number = day_of(time_from_civil(&c));
    return true;
}

static int compare_i64(const void *a, const void *b)
{
    int64_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

/* Zero: there is none. */
static struct file_id id_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (struct file_id){st.st_dev, st.st_ino} : (struct file_id){0, 0};
}

static enum status taken_away(const char *what, const char *path, const char *how, struct err *e)
{
    return err_set(e, ERR_NOT_FOUND,
                   "%s %s was %s while it was open: nothing more is stored; what is not yet is "
                   "read again by the next start",
                   what, path, how);
}

static struct db_files files_of(const char *path)
{
    char wal[PATH_MAX], shm[PATH_MAX];

    snprintf(wal, sizeof(wal), "%s-wal", path);
    snprintf(shm, sizeof(shm), "%s-shm", path);
    return (struct db_files){id_of(path), id_of(wal), id_of(shm)};
}

/* OK while the files of `path` are those that were opened: without its log or its index, others
 * see nothing of what this process writes. */
static enum status check_same(const char *path, const struct db_files *opened, const char *what,
                              const char *name, struct err *e)
{
    const struct db_files now = files_of(path);
    const struct {
        const struct file_id *was, *is;
        const char *suffix;
    } files[] = {{&opened->db, &now.db, ""},
                 {&opened->wal, &now.wal, "'s log (-wal)"},
                 {&opened->shm, &now.shm, "'s index (-shm)"}};

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        const struct file_id *was = files[i].was, *is = files[i].is;
        AUTO(buf_clear) struct buf of = {.max = PATH_MAX + 64};
        if (was->number == 0 || (is->device == was->device && is->number == was->number))
            continue;
        buf_addf(&of, "%s%s", name, files[i].suffix);
        buf_add_c(&of, '\0');
        return taken_away(what, of.p, is->number == 0 ? "removed" : "replaced", e);
    }
    return OK;
}

#define DAY_FILE "day file"

/* Every day known so far is among those found. Both ascend. */
static enum status check_known_days(const struct store *s, const int64_t *found, size_t n,
                                    struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    size_t at = 0;

    for (size_t i = 0; i < s->n_day_numbers; i++) {
        while (at < n && found[at] < s->day_numbers[i])
            at++;
        if (at == n || found[at] != s->day_numbers[i])
            return taken_away(DAY_FILE, store_day_file(&a, s, s->day_numbers[i]), "removed", e);
    }
    return OK;
}

void store_forget_days(struct store *s, size_t n)
{
    assert(n <= s->n_day_numbers);
    s->n_day_numbers -= n;
    if (s->n_day_numbers > 0)
        memmove(s->day_numbers, s->day_numbers + n, s->n_day_numbers * sizeof(*s->day_numbers));
}

enum status store_scan_days(struct store *s, struct err *e)
{
    DIR *d = opendir(s->path);
    size_t n = 0, cap = 0;
    int64_t *numbers = NULL, number;

    if (!d)
        return err_errno(e, errno, "store %s", s->path);
    for (const struct dirent *f = readdir(d); f; f = readdir(d)) {
        if (!day_of_name(f->d_name, &number))
            continue;
        numbers = mem_grow(numbers, n, &cap, sizeof(*numbers));
        numbers[n++] = number;
    }
    closedir(d);
    if (n > 1)
        qsort(numbers, n, sizeof(*numbers), compare_i64);
    if (!s->is_read_only && check_known_days(s, numbers, n, e) != OK) {
        free(numbers);
        return ERR_NOT_FOUND;
    }
    free(s->day_numbers);
    s->day_numbers = numbers;
    s->n_day_numbers = n;
    return gone_hide_days(s, e);
}

/* --- day files --- */

static void close_day(struct day *d)
{
    struct sql_stmt *const statements[] = {
        d->put_group,   d->drop_group,  d->last_group, d->groups_at, d->insert_chunk,
        d->insert_head, d->insert_seen, d->insert_ids, d->get_roll,  d->insert_event,
        d->put_roll,    d->put_point,   d->put_span,
    };

    for (size_t i = 0; i < ARRAY_LEN(statements); i++)
        sql_finalize(statements[i]);
    id_groups_free(d->id_groups);
    sql_close(d->db);
}

void store_close_day(struct store *s, int64_t number)
{
    for (size_t i = 0; i < s->n_days; i++) {
        if (s->days[i].number != number)
            continue;
        close_day(&s->days[i]);
        memmove(&s->days[i], &s->days[i + 1], (s->n_days - i - 1) * sizeof(*s->days));
        s->n_days--;
        return;
    }
}

static enum status open_day(struct store *s, int64_t number, struct day **out, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct day d = {.number = number, .is_read_only = s->is_read_only};
    enum sql_mode mode = s->is_read_only ? SQL_READ_ONLY : SQL_READ_WRITE;

    if (s->n_days >= DAYS_OPEN_MAX) {
        assert(!s->days[0].is_written);
        store_close_day(s, s->days[0].number);
    }
    const char *path = store_day_file(&a, s, number);
    enum status st = sql_open(path, mode, &d.db, e);
    if (st == OK)
        st = schema_prepare(d.db, schema_day_id, !s->is_read_only, e);
    if (st == OK && s->is_beside_writer)
        st = sql_exec(d.db, beside_writer_pragma, e);
    d.files = files_of(path);
    d.has_groups = st == OK && schema_has(d.db, "facts");
    if (st != OK) {
        sql_close(d.db);
        return st;
    }
    s->days = mem_grow(s->days, s->n_days, &s->cap_days, sizeof(*s->days));
    s->days[s->n_days] = d;
    *out = &s->days[s->n_days++];
    return OK;
}

enum status store_day(struct store *s, int64_t number, bool may_create, struct day **out,
                      struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};

    *out = NULL;
    for (size_t i = 0; i < s->n_days; i++) {
        if (s->days[i].number != number)
            continue;
        if (i + 1 < s->n_days) { /* the most recently used one goes last: the first is closed when
                                    there are too many */
            struct day d = s->days[i];
            memmove(&s->days[i], &s->days[i + 1], (s->n_days - i - 1) * sizeof(*s->days));
            s->days[s->n_days - 1] = d;
        }
        *out = &s->days[s->n_days - 1];
        return OK;
    }
    if (!may_create && !file_exists(store_day_file(&a, s, number)))
        return OK;
    enum status st = open_day(s, number, out, e);
    if (st != ERR_NOT_FOUND || !s->is_read_only)
        return st;
    if (e)
        *e = (struct err){0};
    return OK; /* a writer has just created it: nothing inside yet */
}

void store_hold(struct store *s, struct range r)
{
    struct day *d;

    if (!s->is_read_only || s->is_null)
        return;
    s->is_held = sql_exec(s->meta, "begin", NULL) == OK;
    for (size_t i = 0; i < s->n_day_numbers; i++)
        if (range_meets_day(r, s->day_numbers[i]) &&
            store_day(s, s->day_numbers[i], false, &d, NULL) == OK && d && !d->is_held)
            d->is_held = sql_exec(d->db, "begin", NULL) == OK;
}

void store_release(struct store *s)
{
    if (s->is_held)
        s->is_held = sql_exec(s->meta, "commit", NULL) != OK;
    for (size_t i = 0; i < s->n_days; i++)
        if (s->days[i].is_held)
            s->days[i].is_held = sql_exec(s->days[i].db, "commit", NULL) != OK;
}

enum status store_migrate(struct store *s, struct err *e)
{
    enum status status = s->is_null ? OK : store_scan_days(s, e);
    struct day *d;

    assert(!s->is_read_only);
    for (size_t i = 0; status == OK && i < s->n_day_numbers; i++)
        status = store_day(s, s->day_numbers[i], false, &d, e);
    return status;
}

bool store_has_day(const struct store *s, int64_t day)
{
    AUTO(arena_clear) struct arena a = {0};

    return !s->is_null && file_exists(store_day_file(&a, s, day));
}

/* --- lock --- */

static bool is_locked(int fd)
{
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

/* The folder is locked as well: the file may be removed while it is. Where folders cannot be locked
 * (some network file systems) the file is all there is. */
static enum status lock(struct store *s, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    const char *path = store_file(&a, s, "lock");
    char pid[32] = {0};

    s->lock_fd = file_create(path, 0600);
    if (s->lock_fd < 0 && errno == EEXIST)
        s->lock_fd = open(path, O_RDWR | O_CLOEXEC);
    if (s->lock_fd < 0)
        return err_errno(e, errno, "store %s cannot be written", s->path);
    s->folder_fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0 || is_locked(s->folder_fd)) {
        ssize_t n = read(s->lock_fd, pid, sizeof(pid) - 1);
        pid[strcspn(pid, " ")] = '\0';
        return err_set(e, ERR_AGAIN,
                       "store %s is being written by process %s: wait for it, or name another "
                       "store with --store",
                       s->path, n > 0 ? pid : "? (its lock file was removed)");
    }
    int n = snprintf(pid, sizeof(pid), "%d", (int)getpid());
    if (ftruncate(s->lock_fd, 0) != 0 || write(s->lock_fd, pid, (size_t)n) != n)
        return err_errno(e, errno, "%s", path);
    s->has_lock = true;
    return OK;
}

/* --- opening --- */

static enum status not_there(const struct store *s, const char *path, struct err *e)
{
    if (access(path, F_OK) != 0 && errno == EACCES)
        return err_set(
            e, ERR_IO,
            "store %s: this user may not look into it: run fnscope as its owner, or with sudo",
            s->path);
    return err_set(e, ERR_NOT_FOUND, "there is no store at %s", s->path);
}

enum status store_is_there(const struct store *s, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};

    return s->is_null
               ? OK
               : check_same(store_file(&a, s, "meta.db"), &s->meta_files, "store", s->path, e);
}

enum status store_is_whole(struct store *s, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    enum status status = store_is_there(s, e);

    for (size_t i = 0; status == OK && i < s->n_days; i++) {
        const char *path = store_day_file(&a, s, s->days[i].number);
        status = check_same(path, &s->days[i].files, DAY_FILE, path, e);
    }
    return status == OK && !s->is_null ? store_scan_days(s, e) : status;
}

static enum status open_meta(struct store *s, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    const char *path = store_file(&a, s, "meta.db");
    enum status st;

    if (s->is_read_only && !file_exists(path))
        return not_there(s, path, e);
    st = sql_open(path, s->is_read_only ? SQL_READ_ONLY : SQL_READ_WRITE, &s->meta, e);
    if (st == OK)
        st = schema_prepare(s->meta, schema_meta_id, !s->is_read_only, e);
    s->meta_files = files_of(path);
    return st;
}

/* Opening for writing switches a file to WAL for good: another program's is refused before. */
static enum status check_meta(const struct store *s, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    const char *path = store_file(&a, s, "meta.db");

    return file_exists(path) ? schema_check(path, schema_meta_id, e) : OK;
}

static enum status open_files(struct store *s, bool must_exist, struct err *e)
{
    enum status st = OK;

    if (!s->is_read_only && must_exist && !file_exists(s->path))
        return not_there(s, s->path, e);
    if (!s->is_read_only)
        st = file_make_dir(s->path, 0700, e);
    if (st == OK && !s->is_read_only)
        st = check_meta(s, e);
    if (st == OK && !s->is_read_only)
        st = lock(s, e);
    if (st == OK)
        st = open_meta(s, e);
    if (st == OK && !s->is_read_only)
        st = store_finish_removals(s, e);
    return st == OK ? store_scan_days(s, e) : st;
}

enum status store_open(const struct store_options *o, struct store **out, struct err *e)
{
    struct store *s = xcalloc(1, sizeof(*s));
    struct str path = o->url;
    enum status st = OK;

    s->lock_fd = s->folder_fd = -1;
    s->is_read_only = o->is_read_only;
    s->retention_ns = o->retention_ns;
    s->region_of = o->region_of;
    s->region_ctx = o->region_ctx;
    s->is_as_stored = o->is_as_stored;
    s->is_beside_writer = o->is_beside_writer;
    s->is_null = str_starts(path, STR("null:"));
    if (str_starts(path, STR("sqlite:")))
        path = str_skip(path, 7);
    AUTO(arena_clear) struct arena a = {0};
    s->path = xstrdup(arena_strz(&a, path));
    if (path.n == 0)
        st = err_set(e, ERR_CONFIG, "the store's name is empty");
    else if (!s->is_null)
        st = open_files(s, o->must_exist, e);
    if (st != OK) {
        store_close(s);
        return st;
    }
    *out = s;
    return OK;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    assert(store_is_settled(s));
    for (size_t i = 0; i < s->n_days; i++)
        close_day(&s->days[i]);
    sql_close(s->meta);
    chunk_press_free(s->press);
    if (s->has_lock)
        writer_ends(s);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    if (s->folder_fd >= 0)
        close(s->folder_fd);
    dim_names_clear(&s->names);
    free(s->days);
    free(s->day_numbers);
    free(s->path);
    free(s);
}

/* A head, then records, each padded to 8 bytes. What is counted in head.used is whole: the count
 * is raised after the copy. Blocks are allocated before they are written, because a mapped page
 * without a block is SIGBUS on a full disk. */
#include "executor/log_spool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/arena.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/mem.h"

#define MAGIC      UINT64_C(0x316c6f6f70736e66) /* "fnspool1" */
#define MAX_BYTES  ((size_t)192 << 20) /* addresses only; a batch keeps 64 MB of text at most */
#define STEP_BYTES ((size_t)64 << 10)
#define KEEP_BYTES ((size_t)128 << 10)

struct head {
    uint64_t magic, number;
    int64_t first_seq;
    atomic_uint_fast64_t used; /* bytes of records */
};

struct record {
    uint64_t check;
    int64_t stream, ms;
    uint32_t group_n, text_n;
};

struct log_spool {
    char *path;
    int fd;
    struct head *head; /* the mapping */
    size_t mapped, size;
    bool is_full;
};

static char *records_of(const struct log_spool *sp)
{
    return (char *)(sp->head + 1);
}

static size_t bytes_of(size_t group_n, size_t text_n)
{
    return (sizeof(struct record) + group_n + text_n + 7) & ~(size_t)7;
}

static uint64_t check_of(const struct record *r, const char *bytes)
{
    const size_t skip = sizeof(r->check);
    const struct str facts = {(const char *)r + skip, sizeof(*r) - skip};

    return str_hash((struct str){bytes, (size_t)r->group_n + r->text_n}, str_hash(facts, MAGIC));
}

/* --- writing --- */

static bool has_room(struct log_spool *sp, size_t bytes)
{
    size_t want = sizeof(struct head) + atomic_load(&sp->head->used) + bytes;

    if (want <= sp->size || sp->is_full)
        return !sp->is_full;
    size_t size = (want + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;
    int code = size > sp->mapped
                   ? EFBIG
                   : posix_fallocate(sp->fd, (off_t)sp->size, (off_t)(size - sp->size));
    if (code == 0) {
        sp->size = size;
        return true;
    }
    sp->is_full = true;
    log_event(LOG_WARN, "%s: %s; log lines of the next moments are lost if fnexec is killed",
              sp->path, strerror(code));
    return false;
}

void log_spool_add(struct log_spool *sp, const struct spool_record *rec)
{
    struct record r = {.stream = rec->stream,
                       .ms = rec->ms,
                       .group_n = (uint32_t)rec->group.n,
                       .text_n = (uint32_t)rec->text.n};
    size_t bytes = bytes_of(rec->group.n, rec->text.n);

    if (!has_room(sp, bytes))
        return;
    size_t used = atomic_load_explicit(&sp->head->used, memory_order_relaxed);
    char *to = records_of(sp) + used, *text = to + sizeof(r);
    if (rec->group.n > 0)
        memcpy(text, rec->group.p, rec->group.n);
    memcpy(text + rec->group.n, rec->text.p, rec->text.n);
    r.check = check_of(&r, text);
    memcpy(to, &r, sizeof(r));
    atomic_store_explicit(&sp->head->used, used + bytes, memory_order_release);
}

void log_spool_place(struct log_spool *sp, int64_t first_seq)
{
    sp->head->first_seq = first_seq;
    atomic_thread_fence(memory_order_seq_cst);
}

void log_spool_clear(struct log_spool *sp)
{
    atomic_store(&sp->head->used, 0);
    if (sp->size > KEEP_BYTES && ftruncate(sp->fd, (off_t)KEEP_BYTES) == 0)
        sp->size = KEEP_BYTES;
}

void log_spool_begin(struct log_spool *sp, uint64_t number, int64_t first_seq)
{
    log_spool_clear(sp);
    sp->head->number = number;
    log_spool_place(sp, first_seq);
    sp->is_full = false;
}

/* --- reading --- */

uint64_t log_spool_number(const struct log_spool *sp)
{
    return sp->head->number;
}

int64_t log_spool_first_seq(const struct log_spool *sp)
{
    return sp->head->first_seq;
}

bool log_spool_next(const struct log_spool *sp, size_t *at, struct spool_record *out)
{
    size_t room = sp->size - sizeof(struct head), used = atomic_load(&sp->head->used);
    struct record r;

    if (used > room)
        used = room;
    if (*at > used || used - *at < sizeof(r))
        return false;
    const char *text = records_of(sp) + *at + sizeof(r);
    memcpy(&r, records_of(sp) + *at, sizeof(r));
    size_t bytes = bytes_of(r.group_n, r.text_n);
    if (bytes > used - *at || r.check != check_of(&r, text)) {
        log_event(LOG_WARN, "%s: %zu bytes of log lines are damaged and left out", sp->path,
                  used - *at);
        return false;
    }
    *at += bytes;
    *out = (struct spool_record){.stream = r.stream,
                                 .ms = r.ms,
                                 .group = {text, r.group_n},
                                 .text = {text + r.group_n, r.text_n}};
    return true;
}

/* --- files --- */

static enum status map(struct log_spool *sp, size_t bytes, struct err *e)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, sp->fd, 0);

    if (at == MAP_FAILED)
        return err_errno(e, errno, "%s", sp->path);
    sp->head = at;
    sp->mapped = bytes;
    return OK;
}

void log_spool_close(struct log_spool *sp)
{
    if (!sp)
        return;
    if (sp->head)
        munmap(sp->head, sp->mapped);
    if (sp->fd >= 0)
        close(sp->fd);
    free(sp->path);
    free(sp);
}

void log_spool_remove(struct log_spool *sp)
{
    if (sp)
        unlink(sp->path);
    log_spool_close(sp);
}

static struct log_spool *spool_new(const char *path)
{
    struct log_spool *sp = xcalloc(1, sizeof(*sp));

    sp->path = xstrdup(path);
    return sp;
}

enum status log_spool_create(const char *base, uint64_t number, struct log_spool **out,
                             struct err *e)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s-spool-%llu", base, (unsigned long long)number);
    struct log_spool *sp = spool_new(path);
    sp->fd = file_create(path, 0600);
    int code = sp->fd < 0 ? errno : posix_fallocate(sp->fd, 0, (off_t)STEP_BYTES);
    enum status s = code == 0 ? map(sp, MAX_BYTES, e) : err_errno(e, code, "%s", path);
    if (s != OK) {
        log_spool_close(sp);
        return s;
    }
    sp->size = STEP_BYTES;
    sp->head->magic = MAGIC;
    sp->head->number = number;
    *out = sp;
    return OK;
}

static enum status open_leftover(const char *path, struct log_spool **out, struct err *e)
{
    struct log_spool *sp = spool_new(path);
    struct stat st = {0};

    sp->fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    enum status s = sp->fd < 0 || fstat(sp->fd, &st) != 0 ? err_errno(e, errno, "%s", path) : OK;
    /* One that the power cut short has no head. */
    if (s == OK && st.st_size < (off_t)STEP_BYTES && ftruncate(sp->fd, (off_t)STEP_BYTES) != 0)
        s = err_errno(e, errno, "%s", path);
    if (s == OK) {
        sp->size = st.st_size < (off_t)STEP_BYTES ? STEP_BYTES : (size_t)st.st_size;
        s = map(sp, sp->size, e);
    }
    if (s != OK) {
        log_spool_close(sp);
        return s;
    }
    if (sp->head->magic != MAGIC)
        memset(sp->head, 0, sizeof(*sp->head));
    uint64_t name = strtoull(strrchr(path, '-') + 1, NULL, 10);
    sp->head->number = sp->head->number > name ? sp->head->number : name;
    *out = sp;
    return OK;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = log_spool_number(*(struct log_spool *const *)a);
    uint64_t y = log_spool_number(*(struct log_spool *const *)b);

    return (x > y) - (x < y);
}

enum status log_spool_leftovers(const char *base, struct log_spool ***out, size_t *n, struct err *e)
{
    AUTO(arena_clear) struct arena a = {0};
    struct str prefix = arena_printf(&a, "%s-spool-", base);
    const char *slash = strrchr(base, '/');
    struct str folder = slash ? (struct str){base, (size_t)(slash - base)} : STR(".");
    struct file_list files = {0};
    size_t count = 0;
    enum status s = file_list(&a, arena_strz(&a, folder), &files, e);

    struct log_spool **list = xcalloc(files.count + 1, sizeof(struct log_spool *));
    for (size_t i = 0; s == OK && i < files.count; i++) {
        if (!str_starts(str_from(files.paths[i]), prefix))
            continue;
        s = open_leftover(files.paths[i], &list[count], e);
        count += s == OK;
    }
    if (s != OK) {
        while (count > 0)
            log_spool_close(list[--count]);
        free(list);
        return s;
    }
    qsort(list, count, sizeof(struct log_spool *), by_number);
    *out = list;
    *n = count;
    return OK;
}

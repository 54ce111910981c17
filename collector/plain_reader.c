/* A stack of levels over a file: the file's own bytes at the bottom, then one unpacker for each
 * layer of compression found by its magic number. */
#include "collector/plain_reader.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/compress.h"
#include "core/base/file.h"
#include "core/base/mem.h"

enum {
    MAX_LEVELS = 4, /* the file and three layers: Firehose makes two */
    HASH_BLOCK = 16 << 10,
    LOOK_MS = 100, /* how soon a stop is seen while nothing comes */
};
#define STEP ((size_t)256 << 10)
#define FIRST_STEP                                                                                 \
    ((size_t)HASH_BLOCK) /* shows whether it is packed; the rest needs no copy here */

struct level {
    struct unpacker *unpacker; /* NULL at the bottom */
    struct buf out;
    size_t taken; /* of out, by the level above */
    bool is_ended;
};

/* Of bytes that come in pieces of any length: whole blocks one upon the other, then the rest. */
struct running_hash {
    uint64_t of_blocks;
    size_t n; /* bytes of the block at hand */
    char block[HASH_BLOCK];
};

struct plain_reader {
    int fd;
    bool is_stdin;
    bool may_wait; /* no regular file */
    struct plain_stop stop;
    struct level levels[MAX_LEVELS];
    size_t top;
    uint64_t raw_bytes;
    struct running_hash hash; /* of those */
    struct err damage;        /* found; told once everything before it was delivered */
};

static void hash_add(struct running_hash *h, const char *p, size_t n)
{
    while (n > 0) {
        size_t part = n < HASH_BLOCK - h->n ? n : HASH_BLOCK - h->n;
        bool is_whole = part == HASH_BLOCK; /* needs no copy */
        if (!is_whole)
            memcpy(h->block + h->n, p, part);
        h->n += part;
        if (h->n == HASH_BLOCK) {
            h->of_blocks =
                str_hash_block((struct str){is_whole ? p : h->block, HASH_BLOCK}, h->of_blocks);
            h->n = 0;
        }
        p += part;
        n -= part;
    }
}

static uint64_t hash_so_far(const struct running_hash *h)
{
    return str_hash_block((struct str){h->block, h->n}, h->of_blocks);
}

static struct str available(const struct level *l)
{
    return str_skip(buf_str(&l->out), l->taken);
}

/* Until there is something to read, or its end. A named pipe that nobody has opened for writing yet
 * is neither. */
static enum status wait_readable(const struct plain_reader *r, struct err *e)
{
    struct pollfd p[] = {{.fd = r->fd, .events = POLLIN},
                         {.fd = r->stop.fd > 0 ? r->stop.fd : -1, .events = POLLRDHUP}};

    while (r->may_wait) {
        if (r->stop.flag != NULL && atomic_load(r->stop.flag))
            return err_set(e, ERR_CANCELLED, "stopped");
        if (poll(p, ARRAY_LEN(p), LOOK_MS) < 0 && errno != EINTR)
            return err_errno(e, errno, "waiting for input");
        if (p[1].revents != 0)
            return err_set(e, ERR_CANCELLED, "nobody waits for it any more");
        if (p[0].revents != 0)
            return OK;
    }
    return OK;
}

static enum status read_some(struct plain_reader *r, char *to, size_t cap, size_t *n, struct err *e)
{
    for (;;) {
        enum status s = wait_readable(r, e);
        if (s != OK)
            return s;
        ssize_t got = read(r->fd, to, cap);
        if (got < 0 && (errno == EINTR || (errno == EAGAIN && r->may_wait)))
            continue;
        if (got < 0)
            return err_errno(e, errno, "reading");
        *n = (size_t)got;
        r->raw_bytes += (uint64_t)got;
        hash_add(&r->hash, to, (size_t)got);
        return OK;
    }
}

static enum status pull_file(struct plain_reader *r, struct err *e)
{
    struct level *l = &r->levels[0];
    size_t n = 0, step = r->raw_bytes == 0 ? FIRST_STEP : STEP;

    buf_reserve(&l->out, step);
    enum status s = read_some(r, l->out.p + l->out.n, step, &n, e);
    if (s != OK)
        return s;
    l->out.n += n;
    l->is_ended = n == 0;
    return OK;
}

/* Makes more of level i available, or marks it ended. */
static enum status pull(struct plain_reader *r, size_t i, struct err *e)
{
    struct level *l = &r->levels[i];

    assert(i <= r->top && l->taken <= l->out.n);
    if (l->taken == l->out.n) {
        buf_reset(&l->out);
        l->taken = 0;
    }
    if (i == 0)
        return pull_file(r, e);
    struct level *below = &r->levels[i - 1];
    enum status s = OK;
    if (available(below).n == 0 && !below->is_ended)
        s = pull(r, i - 1, e);
    if (s != OK)
        return s;
    struct str in = available(below);
    size_t before = l->out.n;
    s = unpacker_feed(l->unpacker, &in, &l->out, before + STEP, e);
    below->taken = below->out.n - in.n;
    if (s != OK || l->out.n > before || in.n > 0 || !below->is_ended)
        return s;
    l->is_ended = true;
    return unpacker_finish(l->unpacker, e);
}

/* Pulls until level i has n bytes, or ends. Damage is kept for later. */
static enum status want(struct plain_reader *r, size_t i, size_t n, struct err *e)
{
    while (available(&r->levels[i]).n < n && !r->levels[i].is_ended && r->damage.code == OK) {
        enum status s = pull(r, i, e);
        if (s == ERR_IO || s == ERR_CANCELLED)
            return s;
        if (s != OK)
            err_set(&r->damage, s, "%s", e != NULL ? e->msg : "damaged");
    }
    return OK;
}

static enum status find_levels(struct plain_reader *r, struct err *e)
{
    for (;;) {
        enum status s = want(r, r->top, 4, e);
        if (s != OK)
            return s;
        enum stream_codec codec = codec_detect(available(&r->levels[r->top]));
        if (codec == CODEC_PLAIN)
            return OK;
        if (r->top + 1 == MAX_LEVELS)
            return err_set(e, ERR_LIMIT, "compressed more than %d times over", MAX_LEVELS - 1);
        r->top++;
        struct level *l = &r->levels[r->top];
        l->unpacker = unpacker_new(codec);
        buf_init(&l->out, 4 * STEP);
    }
}

enum status plain_open(const char *path, int fd, const struct plain_stop *stop,
                       struct plain_reader **out, struct err *e)
{
    bool is_stdin = fd <= 0 && strcmp(path, "-") == 0;
    uint64_t size;

    if (fd <= 0)
        fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_errno(e, errno, "opening %s", path);
    struct plain_reader *r = xcalloc(1, sizeof(*r));
    r->fd = fd;
    r->is_stdin = is_stdin;
    r->may_wait = !plain_size(r, &size);
    r->stop = *stop;
    buf_init(&r->levels[0].out, 4 * STEP);
    enum status s = find_levels(r, e);
    if (s != OK) {
        plain_close(r);
        return err_wrap(e, "%s", path);
    }
    *out = r;
    return OK;
}

void plain_close(struct plain_reader *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i <= r->top; i++) {
        unpacker_free(r->levels[i].unpacker);
        buf_clear(&r->levels[i].out);
    }
    if (!r->is_stdin)
        close(r->fd);
    free(r);
}

enum status plain_read(struct plain_reader *r, char *to, size_t cap, size_t *n, struct err *e)
{
    struct level *top = &r->levels[r->top];

    assert(cap > 0);
    *n = 0;
    if (r->top == 0 && available(top).n == 0 && !top->is_ended) {
        enum status s = read_some(r, to, cap, n, e);
        top->is_ended = s == OK && *n == 0;
        return s;
    }
    while (*n < cap) {
        enum status s = want(r, r->top, 1, e);
        if (s != OK)
            return s;
        struct str have = str_sub(available(top), 0, cap - *n);
        if (have.n == 0)
            break;
        memcpy(to + *n, have.p, have.n);
        top->taken += have.n;
        *n += have.n;
        if (r->top == 0)
            break; /* the rest comes straight from the file */
    }
    if (*n == 0 && r->damage.code != OK)
        return err_set(e, r->damage.code, "%s", r->damage.msg);
    return OK;
}

uint64_t plain_raw_bytes(const struct plain_reader *r)
{
    return r->raw_bytes;
}

uint64_t plain_hash(const struct plain_reader *r)
{
    return hash_so_far(&r->hash);
}

bool plain_is_being_written(const struct plain_reader *r, int64_t now_ns)
{
    const int64_t age_ns = now_ns - plain_changed_ns(r);
    bool is_known;
    uint64_t size;

    if (r->top != 0)
        return false;
    const bool is_open = file_is_being_written(r->fd, &is_known);
    if (!plain_size(r, &size))
        return false;
    if (is_known)
        return is_open || size > plain_raw_bytes(r);     /* closed since the last read */
    return age_ns < NS_PER_MIN && age_ns > -NS_PER_HOUR; /* far ahead is another clock's */
}

bool plain_size(const struct plain_reader *r, uint64_t *size)
{
    struct stat st;

    if (fstat(r->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    *size = (uint64_t)st.st_size;
    return true;
}

bool plain_begins_with(const struct plain_reader *r, uint64_t raw, uint64_t hash)
{
    AUTO(mem_free_ptr) char *bytes = xmalloc(STEP);
    AUTO(mem_free_ptr) struct running_hash *h = xcalloc(1, sizeof(*h));
    uint64_t size;

    if (!plain_size(r, &size) || size < raw)
        return false;
    for (uint64_t at = 0; at < raw;) {
        size_t want_bytes = raw - at < STEP ? (size_t)(raw - at) : STEP;
        ssize_t n = pread(r->fd, bytes, want_bytes, (off_t)at);
        if (n <= 0)
            return false;
        hash_add(h, bytes, (size_t)n);
        at += (uint64_t)n;
    }
    return hash_so_far(h) == hash;
}

int64_t plain_changed_ns(const struct plain_reader *r)
{
    struct stat st;
    if (r->is_stdin || r->may_wait || fstat(r->fd, &st) != 0)
        return 0;
    return (int64_t)st.st_mtim.tv_sec * NS_PER_SEC + st.st_mtim.tv_nsec;
}

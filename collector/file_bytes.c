/* Pieces of a file, each with what the decoder left of the one before. */
#include "collector/file_bytes.h"

#include <assert.h>
#include <string.h>

#include "collector/decode.h"

enum {
    STEP_BYTES = 384 << 10,
    COPIED_STEP_BYTES = 64 << 10, /* little enough to be in the cache when the next is read there */
    /* The carry and as many fresh bytes at most. */
    MAX_BYTES = 4 * PENDING_MAX_BYTES,
};

static void reserve(struct file_bytes *f, size_t extra)
{
    f->carry.max = MAX_BYTES;
    buf_reserve(&f->carry, extra);
    assert(f->carry.cap - f->carry.n > extra);
}

static void drop(struct file_bytes *f, size_t n)
{
    const size_t rest = f->carry.n - n;

    if (n == 0)
        return;
    memmove(f->carry.p, f->carry.p + n, rest);
    buf_cut(&f->carry, rest);
}

enum status file_bytes_head(struct file_bytes *f, size_t most, size_t *n, struct err *e)
{
    enum status s = OK;
    size_t got = 1;

    reserve(f, 2 * most); /* with room for the next piece behind it */
    while (f->carry.n < most && got > 0 && s == OK) {
        got = 0;
        s = plain_read(f->reader, f->carry.p + f->carry.n, most - f->carry.n, &got, e);
        buf_grown(&f->carry, got);
    }
    *n = f->carry.n;
    if (str_starts(buf_str(&f->carry), STR("\xEF\xBB\xBF"))) {
        f->offset = 3; /* byte order mark */
        drop(f, 3);
    }
    return s == ERR_PARSE || s == ERR_CANCELLED ? OK : s;
}

/* A copy of the carried bytes with room for so many behind it. */
static char *in_arena(const struct file_bytes *f, struct arena *a, size_t step)
{
    char *bytes = arena_alloc(a, f->carry.n + step);

    if (f->carry.n > 0)
        memcpy(bytes, f->carry.p, f->carry.n);
    return bytes;
}

enum status file_bytes_next(struct file_bytes *f, struct arena *a, struct str *piece, size_t *n,
                            struct err *e)
{
    const size_t before = f->carry.n, least = f->is_copied ? COPIED_STEP_BYTES : STEP_BYTES;
    const size_t step = before > least ? before : least;

    *n = 0;
    if (f->is_copied)
        reserve(f, step);
    char *bytes = f->is_copied ? f->carry.p : in_arena(f, a, step);
    enum status s = plain_read(f->reader, bytes + before, step, n, e);
    if (f->is_copied)
        buf_grown(&f->carry, *n);
    *piece = (struct str){bytes, before + *n};
    return s;
}

bool file_bytes_take(struct file_bytes *f, struct str piece, size_t used)
{
    assert(used <= piece.n);
    if (piece.n - used > MAX_BYTES / 2)
        return false;
    f->offset += used;
    if (f->is_copied) {
        drop(f, used);
    } else {
        buf_reset(&f->carry);
        buf_add_str(&f->carry, str_skip(piece, used));
    }
    return true;
}

bool file_bytes_skip_to(struct file_bytes *f, uint64_t offset)
{
    while (f->offset + f->carry.n < offset) {
        size_t n = 0;
        f->offset += f->carry.n;
        buf_reset(&f->carry);
        reserve(f, STEP_BYTES);
        if (plain_read(f->reader, f->carry.p, STEP_BYTES, &n, NULL) != OK || n == 0)
            return false;
        buf_grown(&f->carry, n);
    }
    assert(offset >= f->offset);
    drop(f, (size_t)(offset - f->offset));
    f->offset = offset;
    return true;
}

void file_bytes_close(struct file_bytes *f)
{
    plain_close(f->reader);
    buf_clear(&f->carry);
}

/* What a collector says of itself without writing a row: locks of its open lock file on bytes
 * behind its end, which fall with the process and need no room on the disk, and a word in that
 * file, which stays where it was killed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/store/store_private.h"

enum { BYTE_COLLECTS = 1 << 20, BYTE_HOLDS };
static const struct str word = STR_INIT(" collects");

static void set_byte(const struct store *s, off_t at, short type)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};

    if (s->lock_fd >= 0)
        (void)fcntl(s->lock_fd, F_OFD_SETLK, &l); /* where there are none, nobody can tell */
}

void store_collects(struct store *s)
{
    set_byte(s, BYTE_COLLECTS, F_WRLCK);
    if (s->lock_fd >= 0 && pwrite(s->lock_fd, word.p, word.n, lseek(s->lock_fd, 0, SEEK_END)) < 0)
        errno = 0; /* a full disk: once killed it counts as stopped */
}

void writer_holds(const struct store *s, bool is_held)
{
    set_byte(s, BYTE_HOLDS, (short)(is_held ? F_WRLCK : F_UNLCK));
}

void writer_ends(const struct store *s)
{
    if (s->lock_fd >= 0 && ftruncate(s->lock_fd, 0) != 0)
        errno = 0; /* it looks killed: better than the other way round */
}

static bool is_set(int fd, off_t at, bool *out)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};

    if (fcntl(fd, F_OFD_GETLK, &l) != 0)
        return false;
    *out = l.l_type != F_UNLCK;
    return true;
}

static bool has_word(int fd)
{
    char text[64];
    const ssize_t n = pread(fd, text, sizeof(text), 0);
    const struct str all = {text, n > 0 ? (size_t)n : 0};

    return str_find(all, word) < all.n;
}

enum collector_state store_collector(const struct store *s)
{
    AUTO(arena_clear) struct arena a = {0};
    const int fd = s->is_null ? -1 : open(store_file(&a, s, "lock"), O_RDONLY | O_CLOEXEC);
    bool collects = false, holds = false;

    if (fd < 0)
        return errno == ENOENT || s->is_null ? COLLECTOR_NONE : COLLECTOR_UNKNOWN;
    const bool is_known = is_set(fd, BYTE_COLLECTS, &collects) && is_set(fd, BYTE_HOLDS, &holds);
    const bool was_killed = !collects && has_word(fd);
    close(fd);
    if (!is_known)
        return COLLECTOR_UNKNOWN;
    if (collects)
        return holds ? COLLECTOR_HOLDS : COLLECTOR_AT_WORK;
    return was_killed ? COLLECTOR_KILLED : COLLECTOR_NONE;
}

/* --- sources --- */

enum source_state source_state_of(const struct source_status *s, enum collector_state c)
{
    if (c == COLLECTOR_KILLED)
        return SOURCE_DEAD;
    if (c == COLLECTOR_HOLDS)
        return SOURCE_HELD;
    if (s->failures > 0)
        return SOURCE_FAILING;
    if (c == COLLECTOR_NONE)
        return SOURCE_STOPPED;
    if (source_is_partial(s))
        return SOURCE_PARTIAL;
    if (s->is_capped)
        return SOURCE_CAPPED;
    return s->success_ns == 0 ? SOURCE_STARTING : SOURCE_OK;
}

const char *source_state_name(enum source_state v)
{
    static const char *const names[SOURCE_STATES] = {
        [SOURCE_OK] = "ok",           [SOURCE_STARTING] = "starting",
        [SOURCE_FAILING] = "failing", [SOURCE_CAPPED] = "budget spent",
        [SOURCE_STOPPED] = "stopped", [SOURCE_DEAD] = "no collector",
        [SOURCE_HELD] = "not stored", [SOURCE_PARTIAL] = "in part"};

    return names[v];
}

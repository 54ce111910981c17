/* The gathering VFS: every method hands on to the system's file, writes first lie in a buffer. */
#include "core/base/sql_gather.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "core/base/mem.h"

#define VFS_NAME "gather"

enum { GATHERED_BYTES = 64 << 10 };

struct gather_file {
    sqlite3_file base; /* first: SQLite knows no more of it */
    char *bytes;       /* NULL: no write yet */
    int n;
    sqlite3_int64 at; /* of the first gathered byte */
    bool is_gathering;
};

/* The system's file lies behind ours, in the same memory. */
static sqlite3_file *system_file(struct gather_file *g)
{
    return (sqlite3_file *)(g + 1);
}

static struct gather_file *own_file(sqlite3_file *f)
{
    return (struct gather_file *)f;
}

/* After a failure nothing of it is kept: SQLite takes the whole transaction back. */
static int flush(struct gather_file *g)
{
    sqlite3_file *s = system_file(g);
    int n = g->n;

    g->n = 0;
    return n > 0 ? s->pMethods->xWrite(s, g->bytes, n, g->at) : SQLITE_OK;
}

static int gather_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    struct gather_file *g = own_file(f);
    sqlite3_file *s = system_file(g);
    bool is_next = g->n > 0 && at == g->at + g->n && g->n + n <= GATHERED_BYTES;

    assert(n >= 0 && g->n >= 0);
    if (!is_next) {
        int code = flush(g);
        if (code != SQLITE_OK)
            return code;
        g->at = at;
    }
    if (!g->is_gathering || n > GATHERED_BYTES)
        return s->pMethods->xWrite(s, p, n, at);
    if (!g->bytes)
        g->bytes = xmalloc(GATHERED_BYTES);
    memcpy(g->bytes + g->n, p, (size_t)n);
    g->n += n;
    return SQLITE_OK;
}

static int gather_close(sqlite3_file *f)
{
    struct gather_file *g = own_file(f);
    sqlite3_file *s = system_file(g);
    int flushed = flush(g), code = s->pMethods->xClose(s);

    free(g->bytes);
    return flushed != SQLITE_OK ? flushed : code;
}

static int gather_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    sqlite3_file *s = system_file(own_file(f));
    int code = flush(own_file(f));

    return code == SQLITE_OK ? s->pMethods->xRead(s, p, n, at) : code;
}

static int gather_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    sqlite3_file *s = system_file(own_file(f));
    int code = flush(own_file(f));

    return code == SQLITE_OK ? s->pMethods->xTruncate(s, size) : code;
}

static int gather_sync(sqlite3_file *f, int flags)
{
    sqlite3_file *s = system_file(own_file(f));
    int code = flush(own_file(f));

    return code == SQLITE_OK ? s->pMethods->xSync(s, flags) : code;
}

static int gather_size(sqlite3_file *f, sqlite3_int64 *size)
{
    sqlite3_file *s = system_file(own_file(f));
    int code = flush(own_file(f));

    return code == SQLITE_OK ? s->pMethods->xFileSize(s, size) : code;
}

static int gather_lock(sqlite3_file *f, int kind)
{
    sqlite3_file *s = system_file(own_file(f));
    int code = flush(own_file(f));

    return code == SQLITE_OK ? s->pMethods->xLock(s, kind) : code;
}

static int gather_unlock(sqlite3_file *f, int kind)
{
    sqlite3_file *s = system_file(own_file(f));
    int flushed = flush(own_file(f)), code = s->pMethods->xUnlock(s, kind);

    return flushed != SQLITE_OK ? flushed : code;
}

static int gather_is_reserved(sqlite3_file *f, int *is_reserved)
{
    sqlite3_file *s = system_file(own_file(f));

    return s->pMethods->xCheckReservedLock(s, is_reserved);
}

static int gather_control(sqlite3_file *f, int op, void *arg)
{
    sqlite3_file *s = system_file(own_file(f));
    int code = flush(own_file(f));

    return code == SQLITE_OK ? s->pMethods->xFileControl(s, op, arg) : code;
}

static int gather_sector(sqlite3_file *f)
{
    sqlite3_file *s = system_file(own_file(f));

    return s->pMethods->xSectorSize(s);
}

static int gather_device(sqlite3_file *f)
{
    sqlite3_file *s = system_file(own_file(f));

    return s->pMethods->xDeviceCharacteristics(s);
}

static int gather_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    sqlite3_file *s = system_file(own_file(f));

    return s->pMethods->xShmMap(s, page, size, extend, out);
}

static int gather_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    sqlite3_file *s = system_file(own_file(f));

    return s->pMethods->xShmLock(s, offset, n, flags);
}

static void gather_shm_barrier(sqlite3_file *f)
{
    sqlite3_file *s = system_file(own_file(f));

    s->pMethods->xShmBarrier(s);
}

static int gather_shm_unmap(sqlite3_file *f, int is_delete)
{
    sqlite3_file *s = system_file(own_file(f));

    return s->pMethods->xShmUnmap(s, is_delete);
}

/* Version 2: version 3 would let SQLite map the file and read past what is gathered. */
static const sqlite3_io_methods gather_methods = {
    .iVersion = 2,
    .xClose = gather_close,
    .xRead = gather_read,
    .xWrite = gather_write,
    .xTruncate = gather_truncate,
    .xSync = gather_sync,
    .xFileSize = gather_size,
    .xLock = gather_lock,
    .xUnlock = gather_unlock,
    .xCheckReservedLock = gather_is_reserved,
    .xFileControl = gather_control,
    .xSectorSize = gather_sector,
    .xDeviceCharacteristics = gather_device,
    .xShmMap = gather_shm_map,
    .xShmLock = gather_shm_lock,
    .xShmBarrier = gather_shm_barrier,
    .xShmUnmap = gather_shm_unmap,
};

static int gather_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
    sqlite3_vfs *system = sqlite3_vfs_find(NULL);
    struct gather_file *g = own_file(f);

    assert(system && system != v);
    *g = (struct gather_file){
        .is_gathering = (flags & SQLITE_OPEN_WAL) != 0,
    };
    int code = system->xOpen(system, name, system_file(g), flags, out);
    if (code == SQLITE_OK)
        g->base.pMethods = &gather_methods;
    return code;
}

/* SQLite keeps the VFS, linked into its list, for as long as the process lives; two that were made
 * at once do no harm. All but opening is the system's own. */
const char *sql_gather_vfs(void)
{
    if (sqlite3_vfs_find(VFS_NAME))
        return VFS_NAME;
    const sqlite3_vfs *system = sqlite3_vfs_find(NULL);
    sqlite3_vfs *v = xmemdup(system, sizeof(*v));

    v->szOsFile += (int)sizeof(struct gather_file);
    v->zName = VFS_NAME;
    v->xOpen = gather_open;
    v->pNext = NULL;
    sqlite3_vfs_register(v, 0);
    return VFS_NAME;
}

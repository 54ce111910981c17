/* Heap memory that never fails; the only file that may call malloc and its family. */
#include "core/base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/macros.h"

static void *checked(void *p, size_t n_bytes)
{
    if (p || n_bytes == 0)
        return p;
    fprintf(stderr, "fnscope: out of memory: %zu bytes could not be had\n", n_bytes);
    abort();
}

static size_t product(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        fprintf(stderr, "fnscope: out of memory: %zu x %zu bytes asked for\n", count, size);
        abort();
    }
    return count * size;
}

void *xmalloc(size_t n_bytes)
{
    return checked(malloc(n_bytes), n_bytes);
}

void *xcalloc(size_t count, size_t size)
{
    return checked(calloc(count, size), product(count, size));
}

void *xrealloc(void *p, size_t n_bytes)
{
    return checked(realloc(p, n_bytes > 0 ? n_bytes : 1), n_bytes); /* of 0 bytes would free p */
}

void *xreallocarray(void *p, size_t count, size_t size)
{
    return xrealloc(p, product(count, size));
}

char *xstrdup(const char *s)
{
    return xmemdup(s, strlen(s) + 1);
}

void *xmemdup(const void *p, size_t n_bytes)
{
    void *copy = xmalloc(n_bytes);

    if (n_bytes > 0)
        memcpy(copy, p, n_bytes);
    return copy;
}

void *mem_grow(void *p, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return p;
    *cap = *cap < 8 ? 16 : *cap * 2;
    return xreallocarray(p, *cap, size);
}

/* Above every block an arena asks for; both thresholds are adjusted by glibc unless set. */
#define KEPT_BYTES (64 << 20)

void mem_keep_freed(void)
{
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES / 2); /* 32 MB is the largest it takes */
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
}

#define LARGE_PAGE_BYTES ((size_t)2 << 20)
#define FILLER_BYTES     ((size_t)384 << 10) /* more than the heap has before main */

/* The heap goes on at a later break, in one step that the padding makes long enough for a large
 * page. A block that stays, never touched, ends just before the page: it must be advised while no
 * small page of it is there. */
void mem_start_quickly(void)
{
    char *end = sbrk(0);
    uintptr_t filled = (uintptr_t)end + FILLER_BYTES + 4096;
    size_t gap = (LARGE_PAGE_BYTES - filled % LARGE_PAGE_BYTES) % LARGE_PAGE_BYTES;

    mallopt(M_ARENA_MAX, 1);
    mallopt(M_TOP_PAD, 2 * (int)LARGE_PAGE_BYTES);
    mallopt(M_TRIM_THRESHOLD, 4 * (int)LARGE_PAGE_BYTES);
    mallopt(M_MMAP_THRESHOLD, 2 * (int)FILLER_BYTES);
    if (sbrk((intptr_t)gap) != end)
        return;
    void *volatile filler = malloc(FILLER_BYTES - 64); /* or the compiler leaves it out */
    UNUSED(filler);
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the filler stays as long as the heap */
    madvise(end + gap + FILLER_BYTES + 4096, LARGE_PAGE_BYTES, MADV_HUGEPAGE);
}

void mem_free_ptr(void *pointer_variable)
{
    void *p;

    memcpy(&p, pointer_variable, sizeof(p));
    free(p);
}

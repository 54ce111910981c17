/* Heap memory that never fails; the only file that may call malloc and its family. */
#include "core/base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

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

#define LARGE_PAGE ((size_t)2 << 20)

void *xcalloc_large(size_t count, size_t size)
{
    size_t n = (product(count, size) + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    void *p = checked(aligned_alloc(LARGE_PAGE, n), n);

    madvise(p, n, MADV_HUGEPAGE); /* it works without */
    return memset(p, 0, n);
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

/* The heap's next megabytes: freed at once, they lie in front of all that follows. Two blocks,
 * since glibc maps what is larger than the threshold apart. It is advice only: without it the
 * program is slower. */
static void advise_large_pages(void)
{
    enum { BLOCKS = 2, BLOCK_BYTES = 16 << 20 };
    void *blocks[BLOCKS];

    for (size_t i = 0; i < BLOCKS; i++)
        blocks[i] = malloc(BLOCK_BYTES);
    for (size_t i = BLOCKS; i-- > 0;) {
        uintptr_t from = (uintptr_t)blocks[i] / LARGE_PAGE * LARGE_PAGE;
        if (blocks[i])
            madvise((void *)from, (uintptr_t)blocks[i] + BLOCK_BYTES - from, MADV_HUGEPAGE);
        free(blocks[i]);
    }
}

void mem_keep_freed(void)
{
    mallopt(M_ARENA_MAX, 1); /* or each thread would keep, and fault in, memory of its own */
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES / 2); /* 32 MB is the largest it takes */
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
    advise_large_pages();
}

void mem_free_ptr(void *pointer_variable)
{
    void *p;

    memcpy(&p, pointer_variable, sizeof(p));
    free(p);
}

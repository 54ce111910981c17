/* Bump allocation in blocks that double up to 256 KB. */
#include "core/base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

#define ALIGN         _Alignof(max_align_t)
#define FIRST_BLOCK   ((size_t)4096)
#define LARGEST_BLOCK ((size_t)256 << 10)

struct arena_block {
    struct arena_block *next;
    size_t used, cap; /* of the bytes behind the header */
    max_align_t data[];
};

static char *block_bytes(struct arena_block *b)
{
    return (char *)b->data;
}

void arena_init(struct arena *a)
{
    *a = (struct arena){0};
}

void arena_clear(struct arena *a)
{
    while (a->head) {
        struct arena_block *next = a->head->next;
        free(a->head);
        a->head = next;
    }
    a->used_bytes = 0;
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = a->head;

    for (struct arena_block *b = a->head; b; b = b->next)
        if (b->cap > keep->cap)
            keep = b;
    while (a->head) {
        struct arena_block *next = a->head->next;
        if (a->head != keep)
            free(a->head);
        a->head = next;
    }
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
    }
    a->head = keep;
    a->used_bytes = 0;
}

static struct arena_block *new_block(size_t cap)
{
    struct arena_block *b = xmalloc(sizeof(*b) + cap);

    b->next = NULL;
    b->used = 0;
    b->cap = cap;
    return b;
}

/* A request larger than a block gets one of its own behind the current one, so that the rest of the
 * current one is not wasted. */
static void *alloc_slow(struct arena *a, size_t n)
{
    size_t cap = a->head ? a->head->cap * 2 : FIRST_BLOCK;

    if (cap > LARGEST_BLOCK)
        cap = LARGEST_BLOCK;
    if (n > cap / 2 && a->head) {
        struct arena_block *own = new_block(n);
        own->used = n;
        own->next = a->head->next;
        a->head->next = own;
        return block_bytes(own);
    }
    struct arena_block *b = new_block(n > cap ? n : cap);
    b->used = n;
    b->next = a->head;
    a->head = b;
    return block_bytes(b);
}

static size_t aligned(size_t n_bytes)
{
    size_t n = (n_bytes + ALIGN - 1) / ALIGN * ALIGN;

    assert(n >= n_bytes);
    return n;
}

void *arena_alloc(struct arena *a, size_t n_bytes)
{
    size_t n = aligned(n_bytes);

    a->used_bytes += n;
    struct arena_block *b = a->head;
    if (b && b->cap - b->used >= n) {
        void *p = block_bytes(b) + b->used;
        b->used += n;
        return p;
    }
    return alloc_slow(a, n);
}

void arena_shrink(struct arena *a, void *p, size_t old_bytes, size_t new_bytes)
{
    struct arena_block *b = a->head;
    size_t old = aligned(old_bytes), rest = old - aligned(new_bytes);

    assert(new_bytes <= old_bytes);
    if (!b || b->used < old || block_bytes(b) + b->used - old != (char *)p)
        return;
    b->used -= rest;
    a->used_bytes -= rest;
}

void *arena_zalloc(struct arena *a, size_t count, size_t size)
{
    assert(size == 0 || count <= SIZE_MAX / size);
    void *p = arena_alloc(a, count * size);
    return memset(p, 0, count * size);
}

char *arena_strz(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.n + 1);

    if (s.n > 0)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return p;
}

struct str arena_str(struct arena *a, struct str s)
{
    return (struct str){arena_strz(a, s), s.n};
}

struct str arena_join(struct arena *a, const struct str *parts, size_t n_parts)
{
    size_t n = 0, at = 0;

    for (size_t i = 0; i < n_parts; i++)
        n += parts[i].n;
    char *p = arena_alloc(a, n + 1);
    for (size_t i = 0; i < n_parts; at += parts[i++].n)
        if (parts[i].n > 0)
            memcpy(p + at, parts[i].p, parts[i].n);
    p[n] = '\0';
    return (struct str){p, n};
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    assert(n >= 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (struct str){p, (size_t)n};
}

void *arena_grow(struct arena *a, void *p, size_t count, size_t *cap, size_t size)
{
    if (count < *cap)
        return p;
    *cap = *cap < 8 ? 16 : *cap * 2;
    void *bigger = arena_alloc(a, *cap * size);
    if (count > 0)
        memcpy(bigger, p, count * size);
    return bigger;
}

struct str arena_lower(struct arena *a, struct str s)
{
    char *p = arena_strz(a, s);

    for (size_t i = 0; i < s.n; i++)
        p[i] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] - 'A' + 'a') : p[i];
    return (struct str){p, s.n};
}

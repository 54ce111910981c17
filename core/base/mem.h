/* Heap memory that never fails: on exhaustion the process says so and aborts (decision 0004), since
 * a half-served batch is worse than a restart that loses nothing committed. The only file that may
 * call malloc, calloc, realloc, strdup. Any thread. */
#ifndef FNSCOPE_CORE_BASE_MEM_H
#define FNSCOPE_CORE_BASE_MEM_H

#include <stddef.h>

void *xmalloc(size_t n_bytes);
void *xcalloc(size_t count, size_t size); /* zeroed; aborts when count * size overflows */
/* The same for a table of megabytes that is filled at random: in large pages where the system has
 * some, since looking up where a small one lies costs more than the access itself. */
void *xcalloc_large(size_t count, size_t size);
void *xrealloc(void *p, size_t n_bytes);
void *xreallocarray(void *p, size_t count, size_t size);
char *xstrdup(const char *s);
void *xmemdup(const void *p, size_t n_bytes);

/* Grows an array for one more element: returns p, maybe moved, with room for at least count + 1
 * elements; *cap holds the room before and after. */
void *mem_grow(void *p, size_t count, size_t *cap, size_t size);

/* From now on freed memory stays with the process, in large pages where the system has some, and
 * all threads share one heap: for programs that fill and free batches again and again, where
 * faulting pages in costs more than the work on them (docs/decisions/0026). Before any thread is
 * started. */
void mem_keep_freed(void);

/* free() for AUTO: takes the address of a pointer variable. */
void mem_free_ptr(void *pointer_variable);

#endif

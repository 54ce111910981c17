/* The arena: alignment, blocks of every size, what shrinking and resetting give back. */
#include "tests/test.h"

#include <stdint.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/rng.h"

static void check_aligned(const void *p)
{
    CHECK(p != NULL && (uintptr_t)p % _Alignof(max_align_t) == 0);
}

/* Sizes around the block sizes; every piece keeps its bytes until the end. */
static void test_pieces_do_not_overlap(void **state)
{
    UNUSED(state);
    enum { N = 2000 };
    static unsigned char *pieces[N];
    static size_t sizes[N];
    static const size_t edges[] = {0,      1,      15,     16,     17,      2047,   2048,
                                   4095,   4096,   4097,   8191,   8192,    131071, 131072,
                                   131073, 262143, 262144, 262145, 1u << 20};
    AUTO(arena_clear) struct arena a;
    struct rng rng;

    arena_init(&a);
    rng_seed(&rng, 3);
    for (unsigned i = 0; i < N; i++) {
        sizes[i] = i % 50 == 0 ? edges[i / 50 % ARRAY_LEN(edges)] : (size_t)rng_below(&rng, 300);
        pieces[i] = arena_alloc(&a, sizes[i]);
        check_aligned(pieces[i]);
        memset(pieces[i], (int)(i % 251), sizes[i]);
    }
    for (unsigned i = 0; i < N; i++)
        for (size_t k = 0; k < sizes[i]; k++)
            CHECK(pieces[i][k] == i % 251);
}

static void test_zeroed(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a;
    arena_init(&a);
    memset(arena_alloc(&a, 4000), 0xff, 4000);
    arena_reset(&a); /* the same memory again */
    const unsigned char *p = arena_new(&a, unsigned char, 4000);
    for (size_t i = 0; i < 4000; i++)
        CHECK(p[i] == 0);
    CHECK(arena_new(&a, uint64_t, 0) != NULL);
}

static void test_large_pieces_leave_the_rest(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a;
    arena_init(&a);
    const char *first = arena_alloc(&a, 64);
    const char *large = arena_alloc(&a, 1 << 20);
    const char *next = arena_alloc(&a, 64); /* goes on where the first one ended */
    CHECK(next == first + 64 && large != NULL);
    CHECK_INT(a.used_bytes, 64 + (1 << 20) + 64);
}

static void test_shrink(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a;
    arena_init(&a);
    char *p = arena_alloc(&a, 1000);
    arena_shrink(&a, p, 1000, 10);
    CHECK_INT(a.used_bytes, 16);
    char *q = arena_alloc(&a, 100);
    CHECK(q == p + 16);
    arena_shrink(&a, p, 10, 0); /* no longer the last one: nothing is given back */
    CHECK(arena_alloc(&a, 1) == q + 112);
    char *own = arena_alloc(&a, 1 << 20); /* in a block of its own */
    const size_t before = a.used_bytes;
    arena_shrink(&a, own, 1 << 20, 16);
    CHECK(a.used_bytes == before || a.used_bytes == before - (1 << 20) + 16);
    memset(own, 1, 16);
    arena_shrink(&a, arena_alloc(&a, 0), 0, 0);
}

static void test_reset_keeps_the_largest(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a;
    arena_init(&a);
    arena_reset(&a); /* nothing yet */
    CHECK(a.head == NULL);
    for (unsigned i = 0; i < 5000; i++)
        (void)arena_alloc(&a, 100);
    char *large = arena_alloc(&a, 3 << 20);
    arena_reset(&a);
    CHECK_INT(a.used_bytes, 0);
    CHECK(arena_alloc(&a, 1 << 20) == large); /* what was kept holds it */
    arena_clear(&a);
    CHECK(a.head == NULL && a.used_bytes == 0);
    check_aligned(arena_alloc(&a, 1)); /* may be used again */
}

static void test_text(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a;
    arena_init(&a);
    const struct str s = arena_str(&a, (struct str){"a\0b", 3});
    CHECK(s.n == 3 && memcmp(s.p, "a\0b", 4) == 0); /* with a NUL behind it */
    CHECK_Z(arena_strz(&a, STR("abc")), "abc");
    CHECK_Z(arena_strz(&a, (struct str){0}), "");
    CHECK_STR(arena_str(&a, (struct str){0}), STR(""));
    CHECK_STR(arena_printf(&a, "%s-%d", "x", 7), STR("x-7"));
    CHECK_INT(arena_printf(&a, "%*d", 10000, 1).n, 10000); /* longer than any guess */
    CHECK_STR(arena_printf(&a, "%s", ""), STR(""));
    const struct str parts[] = {STR("a"), {0}, STR("bc")};
    CHECK_STR(arena_join(&a, parts, 3), STR("abc"));
    CHECK_STR(arena_join(&a, parts, 0), STR(""));
}

static void test_grow(void **state)
{
    UNUSED(state);
    AUTO(arena_clear) struct arena a;
    uint64_t *list = NULL;
    size_t cap = 0;
    arena_init(&a);
    for (size_t n = 0; n < 10000; n++) {
        list = arena_grow(&a, list, n, &cap, sizeof(*list));
        CHECK(cap > n);
        list[n] = n;
    }
    for (size_t n = 0; n < 10000; n++)
        CHECK(list[n] == n);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_pieces_do_not_overlap),
    cmocka_unit_test(test_zeroed),
    cmocka_unit_test(test_large_pieces_leave_the_rest),
    cmocka_unit_test(test_shrink),
    cmocka_unit_test(test_reset_keeps_the_largest),
    cmocka_unit_test(test_text),
    cmocka_unit_test(test_grow),
};
TEST_MAIN(tests)

/* Maps against a plain array, with keys that stand for nothing else inside. */
#include "tests/test.h"

#include "core/base/map.h"
#include "core/base/rng.h"

/* The keys: the lowest, that mark slots inside, and some far apart. */
enum { KEYS = 300, STEPS = 200000 };

struct model {
    uint64_t value[KEYS];
    bool is_there[KEYS];
    size_t count;
};

static uint64_t key_of(size_t k)
{
    return k < KEYS / 2 ? k : UINT64_MAX - k * UINT64_C(0x0100000000000001);
}

static void check_one(const struct idmap *m, const struct model *o, size_t k)
{
    const uint64_t *at = idmap_get(m, key_of(k));

    CHECK_INT(at != NULL, o->is_there[k]);
    if (at)
        CHECK_INT(*at, o->value[k]);
}

static void check_all(const struct idmap *m, const struct model *o)
{
    uint64_t key, value, sum = 0, expected = 0;
    size_t n = 0;

    for (size_t i = 0; idmap_next(m, &i, &key, &value); n++)
        sum += key ^ value;
    for (size_t k = 0; k < KEYS; k++) {
        check_one(m, o, k);
        expected += o->is_there[k] ? key_of(k) ^ o->value[k] : 0;
    }
    CHECK_INT(n, o->count);
    CHECK_INT(m->count, o->count);
    CHECK(sum == expected);
}

static void put(struct idmap *m, struct model *o, size_t k, uint64_t value)
{
    bool is_new;
    uint64_t *at = idmap_put(m, key_of(k), &is_new);

    CHECK_INT(is_new, !o->is_there[k]);
    CHECK_INT(*at, o->is_there[k] ? o->value[k] : 0);
    *at = o->value[k] = value;
    o->count += is_new;
    o->is_there[k] = true;
}

static void test_numbers_as_keys(void **state)
{
    static struct model o;
    struct idmap m = {0};
    struct rng r;

    UNUSED(state);
    rng_seed(&r, 5);
    check_all(&m, &o);
    for (int i = 0; i < STEPS; i++) {
        size_t k = (size_t)rng_below(&r, KEYS);
        if (rng_below(&r, 2) == 0) {
            put(&m, &o, k, (uint64_t)i);
        } else {
            CHECK_INT(idmap_remove(&m, key_of(k)), o.is_there[k]);
            o.count -= o.is_there[k];
            o.is_there[k] = false;
        }
        check_one(&m, &o, (size_t)rng_below(&r, KEYS));
        if (i % 1000 == 0)
            check_all(&m, &o);
    }
    check_all(&m, &o);
    idmap_reset(&m);
    o = (struct model){0};
    check_all(&m, &o);
    put(&m, &o, 1, 7);
    check_all(&m, &o);
    idmap_clear(&m);
}

static void test_texts_as_keys(void **state)
{
    static const struct str keys[] = {{"", 0}, {"a", 1}, {"ab", 2}, {"a\0b", 3}};
    struct map m;
    bool is_new;

    UNUSED(state);
    map_init(&m);
    CHECK(map_get(&m, keys[0]) == NULL);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        *map_put(&m, keys[i], &is_new) = i;
        CHECK(is_new);
    }
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        CHECK_INT(*map_get(&m, keys[i]), i);
    CHECK_INT(m.count, ARRAY_LEN(keys));
    map_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_as_keys),
        cmocka_unit_test(test_texts_as_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Groups of facts: any bytes are read to their end or refused, never outside the bounds; what was
 * read and is written again comes back the same. */
#include <assert.h>

#include "core/store/fact_store.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct range bounds = {NS_PER_DAY, 2 * NS_PER_DAY - 1};
    AUTO(arena_clear) struct arena a = {0};
    struct group_writer w = {0};
    struct group_reader r, again;
    struct fact f, g;

    group_reset(&w);
    group_open(&r, 1, bounds, (struct str){(const char *)data, size});
    for (int64_t before_ns = bounds.since_ns; group_next(&r, &f); before_ns = f.ts_ns) {
        assert(f.ts_ns >= before_ns && f.ts_ns <= bounds.until_ns);
        group_add(&w, &f);
    }
    if (w.n > 0 && !r.in.is_bad) {
        group_open(&r, 1, bounds, (struct str){(const char *)data, size});
        group_open(&again, 1, (struct range){w.t0_ns, w.t1_ns}, buf_str(&w.data));
        while (group_next(&r, &f)) {
            bool has_fact = group_next(&again, &g);
            assert(has_fact);
            fact_settle(&f, &a);
            fact_settle(&g, &a);
            assert(f.ts_ns == g.ts_ns && f.stream == g.stream && f.kind == g.kind);
            assert(f.cost == g.cost && f.used_mb == g.used_mb && f.storage_mb == g.storage_mb);
            assert(str_eq(f.id, g.id) && str_eq(f.trace, g.trace) && str_eq(f.pieces, g.pieces));
        }
        assert(!again.in.is_bad && !group_next(&again, &g));
    }
    buf_clear(&w.data);
    return 0;
}

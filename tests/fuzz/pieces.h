/* Decodes a fuzz input whole and in pieces: the same events must come out. */
#ifndef FNSCOPE_TESTS_FUZZ_PIECES_H
#define FNSCOPE_TESTS_FUZZ_PIECES_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "collector/decode.h"
#include "core/base/mem.h"

static inline struct batch *decode_pieces(const struct decoder_ops *d, struct str text, size_t most)
{
    static const struct import_defaults none = {.now_ns = INT64_C(1700000000000000000)};
    struct batch *b = batch_new();
    void *state = xcalloc(1, d->state_size);
    char *again = xmalloc(text.n + 1);
    size_t begin = 0, end = 0;

    for (bool is_last = false; !is_last;) {
        is_last = end == text.n;
        end = text.n - end > most ? end + most : text.n;
        char *bytes = d->copies ? again : arena_alloc(&b->arena, end - begin + 1);
        if (end > begin)
            memcpy(bytes, text.p + begin, end - begin);
        struct decode_input in = {
            .path = STR("input"),
            .offset = begin,
            .bytes = {bytes, end - begin},
            .is_last = is_last,
            .defaults = &none,
        };
        size_t used = 0;
        enum status s = d->decode(state, &in, b, &used, NULL);
        assert(s == OK && used <= in.bytes.n);
        UNUSED(s);
        begin += used;
        if (d->copies)
            memset(bytes, '#', in.bytes.n);
    }
    assert(begin == text.n);
    assert(d->mark == NULL || d->mark(state).offset <= text.n);
    if (d->close != NULL)
        d->close(state);
    free(state);
    free(again);
    return b;
}

static inline void check_same(const struct batch *a, const struct batch *b)
{
    assert(a->n_records == b->n_records);
    for (size_t i = 0; i < a->n_records; i++) {
        assert(str_eq(a->records[i].body, b->records[i].body));
        assert(a->records[i].identity == b->records[i].identity);
        assert(a->records[i].time_ns == b->records[i].time_ns);
    }
}

#endif

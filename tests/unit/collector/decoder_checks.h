/* What tests of decoders share: decoding in pieces as the file source does, and checks that the
 * result depends neither on the cuts nor on where reading is taken up again. */
#ifndef FNSCOPE_TESTS_DECODER_CHECKS_H
#define FNSCOPE_TESTS_DECODER_CHECKS_H

#include <stdlib.h>

#include "collector/decode.h"
#include "core/base/mem.h"
#include "tests/test.h"

#define STREAM "2025/10/21/[$LATEST]5f0c2b7d4e1a49d0a3c8e6b7f9d01234"
#define ID_A   "cc98d7d8-bd6d-4de2-8c36-2b565485b61d"
#define ID_B   "7126765e-c362-44b0-9e2e-65447b28e438"

static const struct import_defaults none = {.now_ns = INT64_C(1700000000000000000)};

/* Decodes text in pieces of at most `most` bytes, as the file source does. */
static struct batch *decode_from(const struct decoder_ops *d, struct str text, size_t most,
                                 const struct decode_mark *from, struct decode_mark *mark)
{
    struct batch *b = batch_new();
    void *state = xcalloc(1, d->state_size);
    char *again = xmalloc(text.n + 1);
    size_t begin = 0, end = 0;
    struct err e = {0};

    if (from != NULL) {
        d->resume(state, from);
        begin = end = (size_t)from->offset;
    }
    for (bool is_last = false; !is_last;) {
        is_last = end == text.n;
        end = text.n - end > most ? end + most : text.n;
        char *bytes = d->copies ? again : arena_alloc(&b->arena, end - begin + 1);
        memcpy(bytes, text.p + begin, end - begin);
        const struct str piece = {bytes, end - begin};
        struct decode_input in = {
            .path = STR("sample"),
            .offset = begin,
            .bytes = piece,
            .is_last = is_last,
            .defaults = &none,
        };
        size_t used = 0;
        CHECK_OK(d->decode(state, &in, b, &used, &e), &e);
        CHECK(used <= piece.n);
        if (d->copies)
            memset(bytes, '#', piece.n);
        begin += used;
    }
    CHECK_INT(begin, text.n);
    if (mark != NULL && d->mark != NULL)
        *mark = d->mark(state);
    d->close(state);
    free(state);
    free(again);
    return b;
}

static struct batch *decode(struct str text)
{
    return decode_from(decoder_detect(text), text, SIZE_MAX, NULL, NULL);
}

static void same_records(const struct batch *a, size_t from, const struct batch *b)
{
    CHECK_INT(b->n_records, a->n_records - from);
    for (size_t i = 0; i < b->n_records; i++) {
        const struct log_record *x = &a->records[from + i], *y = &b->records[i];
        CHECK_STR(y->body, x->body);
        CHECK_INT(y->time_ns, x->time_ns);
        CHECK_STR(y->origin->log_group, x->origin->log_group);
        CHECK_INT(y->identity, x->identity);
        CHECK_INT(y->kind, x->kind);
        CHECK_STR(y->origin->instance, x->origin->instance);
        CHECK_STR(y->origin->fn->name, x->origin->fn->name);
    }
}

/* Every cut gives the same; so does going on at the mark of any beginning. */
static void check_pieces(const char *name, struct str text)
{
    const struct decoder_ops *d = decoder_detect(text);
    struct batch *whole = decode_from(d, text, SIZE_MAX, NULL, NULL);
    static const size_t sizes[] = {1, 2, 3, 7, 64, 97, 1000, 4096};

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        if (text.n / sizes[i] > 3000)
            continue;
        struct batch *b = decode_from(d, text, sizes[i], NULL, NULL);
        if (b->n_records != whole->n_records || b->n_quarantine != whole->n_quarantine)
            print_error("%s in pieces of %zu\n", name, sizes[i]);
        same_records(whole, 0, b);
        CHECK_INT(b->n_quarantine, whole->n_quarantine);
        batch_free(b);
    }
    for (size_t cut = text.n / 2; d->mark != NULL && cut < text.n; cut += 1 + text.n / 23) {
        struct decode_mark mark;
        struct batch *begin = decode_from(d, str_sub(text, 0, cut), SIZE_MAX, NULL, &mark);
        CHECK(mark.offset <= cut);
        struct batch *rest = decode_from(d, text, SIZE_MAX, &mark, NULL);
        CHECK(rest->n_records <= whole->n_records);
        same_records(whole, whole->n_records - rest->n_records, rest);
        batch_free(begin);
        batch_free(rest);
    }
    batch_free(whole);
}

struct expected {
    const char *body, *stream, *function;
    int64_t ms;
};

static void check_lines(const char *text, const char *decoder, const struct expected *want,
                        size_t n)
{
    struct str s = str_from(text);

    CHECK_Z(decoder_detect(s)->name, decoder);
    struct batch *b = decode(s);
    CHECK_INT(b->n_records, n);
    for (size_t i = 0; i < n; i++) {
        CHECK_STR(b->records[i].body, str_from(want[i].body));
        CHECK_STR(b->records[i].origin->instance, str_from(want[i].stream));
        CHECK_STR(b->records[i].origin->fn->name, str_from(want[i].function));
        CHECK_INT(b->records[i].time_ns / 1000000, want[i].ms);
    }
    CHECK_INT(b->n_quarantine, 0);
    batch_free(b);
    check_pieces(text, s);
}

#define T0 INT64_C(1761073245945)

#endif

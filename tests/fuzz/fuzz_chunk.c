/* Parts of a log chunk: any bytes are read to their end or refused, never outside the bounds, and
 * give no more text than is asked for; what was read and is written again comes back the same. As
 * lines they are cut the same way with and without templates. */
#include <assert.h>
#include <string.h>

#include "core/store/chunk_format.h"
#include "tests/fuzz/fuzz.h"

enum { DAY = 19857, TEXT_MOST = 65536 };

/* Two bytes a part say how large it is; the last one is the rest. */
static size_t cut_parts(struct varint_reader *in, struct chunk_parts *parts)
{
    const struct str head = bytes_read(in, 2 * CHUNK_PARTS + 4);
    const unsigned char *p = (const unsigned char *)head.p;

    if (head.n == 0)
        return 0;
    for (size_t i = 0; i < CHUNK_PARTS; i++) {
        const size_t n = p[2 * i] | (size_t)p[2 * i + 1] << 8;
        parts->part[i] = bytes_read(in, n < in->rest.n ? n : in->rest.n);
    }
    parts->n_lines = p[2 * CHUNK_PARTS] | (size_t)p[2 * CHUNK_PARTS + 1] << 8;
    return p[2 * CHUNK_PARTS + 2] | (size_t)p[2 * CHUNK_PARTS + 3] << 8;
}

static void check_again(const struct chunk_text *t, size_t text_bytes)
{
    struct chunk_writer w = {0};
    struct chunk_text again;
    struct chunk_parts parts = {0};

    chunk_text_init(&again);
    again.day = DAY;
    chunk_writer_begin(&w, DAY);
    for (size_t i = 0; i < t->n_lines; i++)
        chunk_writer_add(&w, &t->lines[i]);
    parts.n_lines = w.n_lines;
    for (size_t i = 0; i < CHUNK_PARTS; i++)
        parts.part[i] = buf_str(&w.parts[i]);
    bool is_whole = chunk_restore(&again, &parts, text_bytes);
    assert(is_whole && again.n_lines == t->n_lines);
    for (size_t i = 0; i < t->n_lines; i++) {
        const struct chunk_line *a = &t->lines[i], *b = &again.lines[i];
        assert(str_eq(a->body, b->body) && a->time_ns == b->time_ns && a->stream == b->stream);
        assert(a->severity == b->severity && a->kind == b->kind);
    }
    chunk_text_clear(&again);
    chunk_writer_clear(&w);
}

/* The input as lines: cut along known templates, they have the pieces of those cut without. */
static void check_cuts(struct str text)
{
    struct chunk_writer with = {0}, without = {0};

    chunk_writer_begin(&with, DAY);
    chunk_writer_begin(&without, DAY);
    for (struct chunk_line line = {.time_ns = DAY * NS_PER_DAY}; text.n > 0; line.stream ^= 1) {
        const char *end = memchr(text.p, '\n', text.n);
        const size_t n = end ? (size_t)(end - text.p) : text.n;
        line.body = str_sub(text, 0, n);
        text = str_skip(text, end ? n + 1 : n);
        chunk_writer_add(&with, &line);
        template_tree_empty(&without.tree);
        chunk_writer_add(&without, &line);
    }
    for (size_t i = 0; i < CHUNK_PARTS; i++)
        assert(str_eq(buf_str(&with.parts[i]), buf_str(&without.parts[i])));
    chunk_writer_clear(&with);
    chunk_writer_clear(&without);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct varint_reader in = {.rest = {(const char *)data, size}};
    struct chunk_parts parts = {0};
    struct chunk_text t;
    size_t text_bytes;

    check_cuts(in.rest);
    text_bytes = cut_parts(&in, &parts);
    chunk_text_init(&t);
    t.day = DAY;
    if (chunk_restore(&t, &parts, text_bytes))
        check_again(&t, text_bytes);
    assert(t.n_lines <= TEXT_MOST);
    chunk_text_clear(&t);
    return 0;
}

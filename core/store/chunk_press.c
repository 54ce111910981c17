/* Lines of a chunk on their way: the packer keeps them as they are, the writer makes the blob of
 * them. So the two threads have about as much to do, and one chunk's templates are at hand at a
 * time, not those of every chunk that is open. */
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/store/chunk_format.h"

/* Stands before the text of a line, wherever that ends: of any alignment. Written in place, field
 * by field: one that is made elsewhere is copied in wide words, which wait for the narrow ones. */
struct kept_line {
    int64_t time_ns;
    uint32_t stream, n_body;
    uint8_t severity, kind;
    char body[];
} __attribute__((packed));

/* Each block is twice as large as the one before, up to one size: those that the writer gives back
 * serve the packer again, and a day with few lines takes little. */
#define BLOCK_FIRST ((size_t)1 << 10)
#define BLOCK_MOST  ((size_t)32 << 10)

static struct kept_block *add_block(struct kept_lines *l, size_t n)
{
    const size_t twice = l->last ? 2 * l->last->cap : BLOCK_FIRST;
    const size_t room = twice < BLOCK_MOST ? twice : BLOCK_MOST, cap = n > room ? n : room;
    struct kept_block *b = xmalloc(sizeof(*b) + cap);

    *b = (struct kept_block){.cap = cap};
    if (l->last)
        l->last->next = b;
    else
        l->first = b;
    l->last = b;
    return b;
}

size_t kept_lines_add(struct kept_lines *l, const struct chunk_line *line)
{
    const size_t n = sizeof(struct kept_line) + line->body.n;
    struct kept_block *b = l->last;

    if (!b || b->cap - b->n < n)
        b = add_block(l, n);
    struct kept_line *kept = (struct kept_line *)(b->lines + b->n);
    kept->time_ns = line->time_ns;
    kept->stream = line->stream;
    kept->n_body = (uint32_t)line->body.n;
    kept->severity = (uint8_t)line->severity;
    kept->kind = (uint8_t)line->kind;
    if (line->body.n > 0)
        memcpy(kept->body, line->body.p, line->body.n);
    b->n += n;
    return n;
}

static void drop_first(struct kept_lines *l)
{
    struct kept_block *b = l->first;

    l->first = b->next;
    if (!l->first)
        l->last = NULL;
    free(b);
}

void kept_lines_clear(struct kept_lines *l)
{
    while (l->first)
        drop_first(l);
}

struct chunk_press {
    struct zstd_ctx *zstd;
    struct chunk_writer writer;
    struct buf pressed, blob;
};

static struct chunk_press *press_new(void)
{
    struct chunk_press *p = xcalloc(1, sizeof(*p));

    p->zstd = zstd_ctx_for_lines();
    buf_init(&p->pressed, (size_t)1 << 31);
    buf_init(&p->blob, (size_t)1 << 31);
    return p;
}

void chunk_press_free(struct chunk_press *p)
{
    if (!p)
        return;
    zstd_ctx_free(p->zstd);
    chunk_writer_clear(&p->writer);
    buf_clear(&p->pressed);
    buf_clear(&p->blob);
    free(p);
}

static void write_lines(struct chunk_writer *w, const struct kept_block *b)
{
    for (size_t at = 0; at < b->n;) {
        const struct kept_line *kept = (const struct kept_line *)(b->lines + at);
        const struct chunk_line line = {.time_ns = kept->time_ns,
                                        .stream = kept->stream,
                                        .severity = (enum severity)kept->severity,
                                        .kind = (enum record_kind)kept->kind,
                                        .body = {kept->body, kept->n_body}};
        chunk_writer_add(w, &line);
        at += sizeof(*kept) + kept->n_body;
    }
}

static enum status press_chunk(struct chunk_press *p, struct packed_chunk *c, struct err *e)
{
    chunk_writer_begin(&p->writer, c->day);
    for (const struct kept_block *b = c->lines.first; b; b = b->next)
        write_lines(&p->writer, b);
    enum status s = chunk_writer_pack(&p->writer, p->zstd, &p->pressed, &p->blob, e);
    if (s != OK)
        return s;
    c->data = (struct str){xmemdup(p->blob.p, p->blob.n), p->blob.n};
    kept_lines_clear(&c->lines);
    return OK;
}

enum status press_chunks(struct chunk_press **press, struct pack *k, struct err *e)
{
    enum status s = OK;

    if (!*press && k->n_chunks > 0)
        *press = press_new();
    for (size_t i = 0; s == OK && i < k->n_chunks; i++)
        if (k->chunks[i].data.n == 0) /* else this is another try at the pack */
            s = press_chunk(*press, &k->chunks[i], e);
    return s;
}

void packed_chunk_clear(struct packed_chunk *c)
{
    char *data;

    memcpy(&data, &c->data.p, sizeof(data)); /* taken from a buffer when it was made */
    free(data);
    kept_lines_clear(&c->lines);
}

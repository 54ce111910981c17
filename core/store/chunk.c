/* Lines of a chunk one after another; and the inside of a chunk from before migration 14: one zstd
 * frame of records. Record: svarint time difference (ns), svarint stream difference, byte severity
 * | kind << 4, varint length, bytes. Pure. */
#include "core/store/store_private.h"

void chunk_begin(struct chunk_cursor *c, const struct chunk_text *t)
{
    *c = (struct chunk_cursor){.of = t, .rest = buf_str(&t->raw)};
}

static bool next_record(struct chunk_cursor *c, struct chunk_line *line)
{
    struct varint_reader in = {.rest = c->rest};

    if (in.rest.n == 0 || c->is_bad)
        return false;
    c->time_ns = (int64_t)((uint64_t)c->time_ns + (uint64_t)svarint_read(&in));
    c->stream += (uint32_t)svarint_read(&in);
    const struct str mark = bytes_read(&in, 1);
    line->body = bytes_read(&in, varint_read(&in));
    c->is_bad = in.is_bad;
    if (in.is_bad)
        return false;
    line->time_ns = c->of->day * NS_PER_DAY + c->time_ns;
    line->stream = c->stream;
    line->severity = (enum severity)((unsigned char)mark.p[0] & 15u);
    line->kind = (enum record_kind)((unsigned char)mark.p[0] >> 4);
    c->rest = in.rest;
    return true;
}

bool chunk_next(struct chunk_cursor *c, struct chunk_line *line)
{
    if (c->of->is_older)
        return next_record(c, line);
    if (c->n_given == c->of->n_lines)
        return false;
    *line = c->of->lines[c->n_given++];
    return true;
}

/* Names and tokens of files; see the header. */
#include "collector/file_token.h"

#include <assert.h>
#include <inttypes.h>

bool file_token_read(struct str text, struct file_token *t)
{
    uint64_t version;
    uint64_t *const numbers[] = {&t->mark.offset, &t->mark.mode, &t->mark.chain, &t->mark.line,
                                 &t->raw,         &t->hash,      &t->is_done};

    if (!str_to_u64(str_cut(&text, ' '), &version) || version != 6)
        return false;
    t->decoder = str_cut(&text, ' ');
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (!str_to_u64(str_cut(&text, ' '), numbers[i]))
            return false;
    t->stand_ins = str_cut(&text, ' ');
    return file_days_read(&t->days, text);
}

void file_token_write(const struct file_token *t, struct buf *out)
{
    const struct decode_mark *m = &t->mark;

    buf_addf(out, "6 " STR_FMT " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64, STR_ARG(t->decoder),
             m->offset, m->mode, m->chain, m->line);
    buf_addf(out, " %" PRIu64 " %" PRIu64 " %d " STR_FMT " ", t->raw, t->hash, t->is_done != 0,
             STR_ARG(t->stand_ins));
    file_days_write(&t->days, out);
    assert(!out->is_full);
}

static uint64_t hash_options(const struct import_defaults *d)
{
    const struct str said[] = {d->account, d->region, d->function, d->log_group, d->instance};
    uint64_t options = 0;

    for (size_t i = 0; i < ARRAY_LEN(said); i++)
        options = str_hash(said[i], options + i);
    return options;
}

void file_names_make(struct file_names *names, struct str head, bool is_whole,
                     const struct import_defaults *d, struct arena *a)
{
    uint64_t hash = 0;
    size_t cap = 0;

    *names = (struct file_names){.options = hash_options(d)};
    while (head.n > 0) {
        const size_t n = str_find_char(head, '\n');
        if (n == head.n && is_whole && names->n > 0)
            break;
        hash = str_hash(str_sub(head, 0, n + 1), hash);
        head = str_skip(head, n + 1);
        names->hashes = arena_grow(a, names->hashes, names->n, &cap, sizeof(*names->hashes));
        names->hashes[names->n++] = hash;
    }
}

struct str file_name(const struct file_names *names, size_t i, struct arena *a)
{
    const uint64_t hash = names->n > 0 ? names->hashes[i] : 0;

    assert(names->n == 0 || i < names->n);
    return arena_printf(a, "file:%016" PRIx64 "%016" PRIx64, hash, names->options);
}

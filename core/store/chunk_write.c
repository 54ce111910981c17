/* A log chunk being filled: chunk_format.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/timefmt.h"
#include "core/store/chunk_format.h"

#define PART_MOST      ((size_t)1 << 30)
#define TEMPLATES_FULL ((size_t)128 << 10) /* bytes at which lines are not cut any more */
/* A line that is one GAP_TEXT has a template, too: one a severity and kind. Where more are known
 * than are kept, all are learned again. */
enum { TEMPLATES_WHOLE = 256, TEMPLATES_KEPT = 512 };

static void forget_templates(struct chunk_writer *w)
{
    w->texts.max = PART_MOST;
    buf_reset(&w->texts);
    w->n_known = 0;
    if (w->places)
        memset(w->places, 0, w->n_places * sizeof(*w->places));
    template_tree_empty(&w->tree);
}

void chunk_writer_begin(struct chunk_writer *w, int64_t day)
{
    struct buf date = {.max = 64};

    for (size_t i = 0; i < CHUNK_PARTS; i++) {
        w->parts[i].max = PART_MOST;
        buf_reset(&w->parts[i]);
    }
    w->day = day;
    w->last_ns = w->last_stream = 0;
    w->n_lines = w->text_bytes = w->n_templates = 0;
    w->chunk++;
    if (w->n_known == 0 || w->n_known > TEMPLATES_KEPT || w->texts.n > TEMPLATES_FULL / 2)
        forget_templates(w);
    memset(&w->ids, 0, sizeof(w->ids));
    time_format(&date, day * NS_PER_DAY, 3);
    memcpy(w->date, date.p, sizeof(w->date));
    buf_clear(&date);
}

void chunk_writer_clear(struct chunk_writer *w)
{
    for (size_t i = 0; i < CHUNK_PARTS; i++)
        buf_clear(&w->parts[i]);
    buf_clear(&w->texts);
    free(w->known);
    free(w->places);
    free(w->tree.edges);
}

/* --- templates --- */

static bool is_template(const struct chunk_writer *w, const struct known_template *k, uint64_t hash,
                        struct str text)
{
    return k->hash == hash && k->n == text.n && memcmp(w->texts.p + k->at, text.p, text.n) == 0;
}

static size_t free_place(const struct chunk_writer *w, uint64_t hash)
{
    size_t at = hash & (w->n_places - 1);

    while (w->places[at] != 0)
        at = (at + 1) & (w->n_places - 1);
    return at;
}

static void make_places(struct chunk_writer *w)
{
    if (2 * (w->n_known + 1) <= w->n_places)
        return;
    free(w->places);
    w->n_places = w->n_places ? 2 * w->n_places : 64;
    w->places = xcalloc(w->n_places, sizeof(*w->places));
    for (size_t i = 0; i < w->n_known; i++)
        w->places[free_place(w, w->known[i].hash)] = (uint16_t)(i + 1);
}

static void add_template(struct chunk_writer *w, uint64_t hash, struct str text)
{
    make_places(w);
    w->known = mem_grow(w->known, w->n_known, &w->cap_known, sizeof(*w->known));
    w->known[w->n_known++] =
        (struct known_template){.hash = hash, .at = (uint32_t)w->texts.n, .n = (uint32_t)text.n};
    w->places[free_place(w, hash)] = (uint16_t)w->n_known;
    buf_add_str(&w->texts, text);
}

/* Whether the chunk takes another template. */
static bool takes_template(const struct chunk_writer *w, bool is_whole)
{
    return is_whole || (w->n_templates < TEMPLATES_MOST - TEMPLATES_WHOLE &&
                        w->parts[PART_TEMPLATES].n < TEMPLATES_FULL);
}

/* The place in `known`; false: it is new, and the chunk takes no more. */
static bool know_template(struct chunk_writer *w, struct str text, bool is_whole, size_t *place)
{
    const uint64_t hash = str_hash(text, 0);
    const size_t most = w->n_places - 1;

    for (size_t at = hash & most; w->n_places > 0 && w->places[at] != 0; at = (at + 1) & most) {
        *place = w->places[at] - 1u;
        if (is_template(w, &w->known[*place], hash, text))
            return true;
    }
    *place = w->n_known;
    if (!takes_template(w, is_whole))
        return false;
    add_template(w, hash, text);
    return true;
}

/* Its number in the chunk, which has it from then on; false: it has not, and takes no more. */
static bool template_number(struct chunk_writer *w, size_t place, bool is_whole, size_t *number)
{
    struct known_template *k = &w->known[place];
    struct buf *b = &w->parts[PART_TEMPLATES];

    if (k->of_chunk != w->chunk) {
        if (!takes_template(w, is_whole))
            return false;
        assert(w->n_templates < TEMPLATES_MOST);
        k->of_chunk = w->chunk;
        k->number = (uint16_t)w->n_templates++;
        buf_add_varint(b, k->n);
        buf_add(b, w->texts.p + k->at, k->n);
    }
    *number = k->number;
    return true;
}

/* --- lines --- */

/* Where the part goes on; there is room. */
static char *end_of(struct buf *b, size_t room)
{
    if (b->cap - b->n <= room)
        buf_reserve(b, room);
    return b->p + b->n;
}

static void take(struct buf *b, const char *end)
{
    b->n = (size_t)(end - b->p);
}

static void add_varint(struct buf *b, uint64_t v)
{
    char *end = end_of(b, 10);

    for (; v >= 0x80; v >>= 7)
        *end++ = (char)(unsigned char)(v | 0x80);
    *end++ = (char)v;
    take(b, end);
}

static char mark_of(const struct chunk_line *line)
{
    return (char)(unsigned char)((unsigned)line->severity | (unsigned)line->kind << 4);
}

/* Cuts the line in full. False: it is none for templates, or there are too many. */
static bool cut_to_template(struct chunk_writer *w, char mark, struct cut_line *c, size_t *place)
{
    char template_text[CHUNK_CUT_ROOM(CHUNK_CUT_MOST)];

    template_text[0] = mark;
    c->template_end = template_text + 1;
    if (!line_cut(c))
        return false;
    const struct str text = {template_text, (size_t)(c->template_end - template_text)};
    if (!know_template(w, text, false, place))
        return false;
    template_tree_add(&w->tree, w->texts.p, w->known[*place].at, text.n, *place);
    return true;
}

static bool add_cut(struct chunk_writer *w, const struct chunk_line *line, int64_t in_day,
                    size_t *number)
{
    const size_t n = line->body.n, room = CHUNK_CUT_ROOM(n);
    const char mark = mark_of(line);
    char body[CHUNK_CUT_ROOM(CHUNK_CUT_MOST)];
    char *last_id = w->ids.of_stream[line->stream % LAST_IDS];

    if (n > CHUNK_CUT_MOST)
        return false;
    if (n > 0)
        memcpy(body, line->body.p, n);
    memset(body + n, ' ', CHUNK_CUT_ROOM(0));
    const struct cut_line before = {.body = body,
                                    .n = n,
                                    .ms = in_day / NS_PER_MS,
                                    .date = w->date,
                                    .last_id = last_id,
                                    .ids = end_of(&w->parts[PART_IDS], room),
                                    .hex = end_of(&w->parts[PART_HEX], room),
                                    .numbers = end_of(&w->parts[PART_NUMBERS], room),
                                    .texts = end_of(&w->parts[PART_TEXTS], room)};
    struct cut_line c = before;
    size_t place = 0;
    if (!template_tree_cut(&w->tree, w->texts.p, (uint8_t)mark, &c, &place)) {
        c = before;
        if (!cut_to_template(w, mark, &c, &place))
            return false;
    }
    if (!template_number(w, place, false, number))
        return false;
    take(&w->parts[PART_IDS], c.ids);
    take(&w->parts[PART_HEX], c.hex);
    take(&w->parts[PART_NUMBERS], c.numbers);
    take(&w->parts[PART_TEXTS], c.texts);
    if (c.new_id)
        memcpy(last_id, c.new_id, CHUNK_UUID);
    return true;
}

static size_t add_whole(struct chunk_writer *w, const struct chunk_line *line)
{
    const char text[] = {mark_of(line), GAP_TEXT};
    size_t number = 0;
    size_t place = 0;
    const bool is_known = know_template(w, (struct str){text, sizeof(text)}, true, &place) &&
                          template_number(w, place, true, &number);

    assert(is_known);
    UNUSED(is_known);
    buf_add_varint(&w->parts[PART_NUMBERS], line->body.n);
    buf_add_str(&w->parts[PART_TEXTS], line->body);
    return number;
}

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

void chunk_writer_add(struct chunk_writer *w, const struct chunk_line *line)
{
    const int64_t in_day = line->time_ns - w->day * NS_PER_DAY, step = in_day - w->last_ns;
    const int64_t stream = (int64_t)line->stream - w->last_stream;
    size_t number = 0;

    if (!add_cut(w, line, in_day, &number))
        number = add_whole(w, line);
    add_varint(&w->parts[PART_HEADS], number << 1 | (stream != 0));
    add_varint(&w->parts[PART_TIMES],
               step % NS_PER_MS == 0 ? zigzag(step / NS_PER_MS) << 1 : zigzag(step) << 1 | 1);
    if (stream != 0)
        add_varint(&w->parts[PART_STREAMS], zigzag(stream));
    w->last_ns = in_day;
    w->last_stream = line->stream;
    w->n_lines++;
    w->text_bytes += line->body.n;
}

/* --- the blob --- */

enum status chunk_writer_pack(const struct chunk_writer *w, struct zstd_ctx *zstd,
                              struct buf *pressed, struct buf *out, struct err *e)
{
    buf_reset(pressed);
    buf_reset(out);
    buf_add_c(out, CHUNK_FORMAT);
    buf_add_varint(out, w->n_lines);
    for (size_t i = 0; i < CHUNK_PARTS; i++)
        buf_add_varint(out, w->parts[i].n);
    for (size_t i = 0; i < PARTS_PRESSED; i++)
        buf_add_str(pressed, buf_str(&w->parts[i]));
    for (size_t i = PARTS_PRESSED; i < CHUNK_PARTS; i++)
        buf_add_str(out, buf_str(&w->parts[i]));
    const enum status s = zstd_pack(zstd, buf_str(pressed), out, e);
    const uint64_t sum = str_hash_block(buf_str(out), 0);
    buf_add(out, &sum, CHUNK_SUM_BYTES);
    return s;
}

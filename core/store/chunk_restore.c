/* Log chunks as text again: chunk_format.h. Blobs may be damaged: nothing is read or written
 * outside its bounds, and no more text comes out than the store says there is. */
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/timefmt.h"
#include "core/store/chunk_format.h"

/* Text of a template, and the gap behind it. */
struct chunk_piece {
    struct str text;
    uint8_t gap; /* GAP_KINDS: the template ends */
    uint8_t width;
};
struct chunk_template {
    uint8_t mark;
    size_t first_piece;
};

void chunk_text_init(struct chunk_text *t)
{
    *t = (struct chunk_text){
        .zstd = zstd_ctx_new(1), .raw.max = CHUNK_MAX_RAW + 4096, .pressed.max = CHUNK_MAX_RAW};
}

void chunk_text_empty(struct chunk_text *t)
{
    buf_reset(&t->raw);
    t->n_lines = 0;
}

void chunk_text_clear(struct chunk_text *t)
{
    zstd_ctx_free(t->zstd);
    buf_clear(&t->raw);
    buf_clear(&t->pressed);
    free(t->lines);
    free(t->templates);
    free(t->pieces);
}

/* --- templates --- */

static void add_piece(struct chunk_text *t, struct str text, uint8_t gap, uint8_t width)
{
    t->pieces = mem_grow(t->pieces, t->n_pieces, &t->cap_pieces, sizeof(*t->pieces));
    t->pieces[t->n_pieces++] = (struct chunk_piece){text, gap, width};
}

static size_t text_before_gap(struct str s)
{
    size_t n = 0;

    while (n < s.n && (unsigned char)s.p[n] >= GAP_KINDS)
        n++;
    return n;
}

/* False: a gap is cut off. */
static bool read_pieces(struct chunk_text *t, struct str rest)
{
    for (;;) {
        const size_t n = text_before_gap(rest);
        const struct str text = str_sub(rest, 0, n);
        rest = str_skip(rest, n);
        if (rest.n == 0) {
            add_piece(t, text, GAP_KINDS, 0);
            return true;
        }
        const uint8_t gap = (uint8_t)rest.p[0];
        rest = str_skip(rest, 1);
        if (gap == GAP_HEX && rest.n == 0)
            return false;
        add_piece(t, text, gap, gap == GAP_HEX ? (uint8_t)rest.p[0] : 0);
        rest = str_skip(rest, gap == GAP_HEX);
    }
}

static bool read_template(struct chunk_text *t, struct varint_reader *in)
{
    const struct str text = bytes_read(in, varint_read(in));

    if (text.n == 0)
        return false;
    t->templates = mem_grow(t->templates, t->n_templates, &t->cap_templates, sizeof(*t->templates));
    t->templates[t->n_templates++] = (struct chunk_template){(uint8_t)text.p[0], t->n_pieces};
    return read_pieces(t, str_skip(text, 1));
}

/* --- gaps --- */

struct restorer {
    struct varint_reader part[CHUNK_PARTS];
    char *out, *end; /* of the text */
    int64_t ms;      /* the line's time within the day */
    char date[CHUNK_DATE];
    char *last_id;
    struct last_ids ids;
};

/* Each adds to the text, where there is room for it. */
typedef bool fill_gap(struct restorer *r, const struct chunk_piece *p);

static bool has_room(const struct restorer *r, uint64_t n)
{
    return n <= (size_t)(r->end - r->out);
}

static bool fill_text_of(struct restorer *r, struct str s)
{
    if (!has_room(r, s.n))
        return false;
    if (s.n > 0)
        memcpy(r->out, s.p, s.n);
    r->out += s.n;
    return true;
}

static const char hex_letters[] = "0123456789abcdef";

static void put_hex(char *out, struct str bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        const unsigned char b = (unsigned char)bytes.p[i];
        *out++ = hex_letters[b >> 4];
        *out++ = hex_letters[b & 15];
    }
}

static bool fill_hex(struct restorer *r, const struct chunk_piece *p)
{
    const struct str bytes = bytes_read(&r->part[PART_HEX], p->width);

    if (bytes.n != p->width || !has_room(r, 2 * (uint64_t)bytes.n))
        return false;
    put_hex(r->out, bytes);
    r->out += 2 * bytes.n;
    return true;
}

static bool fill_number(struct restorer *r, const struct chunk_piece *p)
{
    char digits[20];
    size_t at = sizeof(digits);
    uint64_t v = varint_read(&r->part[PART_NUMBERS]);

    UNUSED(p);
    for (; v >= 10; v /= 10)
        digits[--at] = (char)('0' + v % 10);
    return fill_text_of(r, (struct str){digits + at, sizeof(digits) - at});
}

static bool fill_text(struct restorer *r, const struct chunk_piece *p)
{
    const uint64_t n = varint_read(&r->part[PART_NUMBERS]);
    const struct str text = bytes_read(&r->part[PART_TEXTS], n);

    UNUSED(p);
    return text.n == n && fill_text_of(r, text);
}

static char *put_digits(char *out, int64_t v, int n)
{
    for (int i = n; i-- > 0; v /= 10)
        out[i] = (char)('0' + v % 10);
    return out + n;
}

static bool fill_time_of(struct restorer *r, int64_t ms)
{
    if (ms < 0 || ms >= NS_PER_DAY / NS_PER_MS || !has_room(r, CHUNK_TIME))
        return false;
    memcpy(r->out, r->date, CHUNK_DATE);
    char *p = put_digits(r->out + CHUNK_DATE, ms / 3600000, 2);
    *p++ = ':';
    p = put_digits(p, ms / 60000 % 60, 2);
    *p++ = ':';
    p = put_digits(p, ms / 1000 % 60, 2);
    *p++ = '.';
    p = put_digits(p, ms % 1000, 3);
    *p = 'Z';
    r->out += CHUNK_TIME;
    return true;
}

static bool fill_time(struct restorer *r, const struct chunk_piece *p)
{
    UNUSED(p);
    return fill_time_of(r, r->ms);
}

static bool fill_time_near(struct restorer *r, const struct chunk_piece *p)
{
    const int64_t off = svarint_read(&r->part[PART_NUMBERS]);

    UNUSED(p);
    return off > -NS_PER_DAY && off < NS_PER_DAY && fill_time_of(r, r->ms + off);
}

static bool fill_id_other(struct restorer *r, const struct chunk_piece *p)
{
    static const unsigned char groups[] = {4, 2, 2, 2, 6};
    struct str bytes = bytes_read(&r->part[PART_IDS], 16);

    UNUSED(p);
    if (bytes.n != 16 || !has_room(r, CHUNK_UUID))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (i > 0)
            *r->out++ = '-';
        put_hex(r->out, str_sub(bytes, 0, groups[i]));
        r->out += 2 * (size_t)groups[i];
        bytes = str_skip(bytes, groups[i]);
    }
    return true;
}

static bool fill_id_new(struct restorer *r, const struct chunk_piece *p)
{
    if (!fill_id_other(r, p))
        return false;
    memcpy(r->last_id, r->out - CHUNK_UUID, CHUNK_UUID);
    return true;
}

static bool fill_id(struct restorer *r, const struct chunk_piece *p)
{
    UNUSED(p);
    return r->last_id[0] != 0 && fill_text_of(r, (struct str){r->last_id, CHUNK_UUID});
}

static fill_gap *const fill_gaps[GAP_KINDS] = {
    [GAP_ID_OTHER] = fill_id_other,
    [GAP_NUMBER] = fill_number,
    [GAP_HEX] = fill_hex,
    [GAP_TEXT] = fill_text,
    [GAP_TIME] = fill_time,
    [GAP_TIME_NEAR] = fill_time_near,
    [GAP_ID] = fill_id,
    [GAP_ID_NEW] = fill_id_new,
};

/* --- lines --- */

static int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static bool read_time(struct restorer *r, int64_t *in_day)
{
    const uint64_t v = varint_read(&r->part[PART_TIMES]);
    const int64_t step = unzigzag(v >> 1), unit = v & 1 ? 1 : NS_PER_MS;

    if (step <= -NS_PER_DAY / unit || step >= NS_PER_DAY / unit)
        return false;
    *in_day += step * unit;
    r->ms = *in_day / NS_PER_MS;
    return *in_day >= 0 && *in_day < NS_PER_DAY;
}

static bool fill_template(struct restorer *r, const struct chunk_piece *p)
{
    for (;; p++) {
        if (!fill_text_of(r, p->text))
            return false;
        if (p->gap == GAP_KINDS)
            return true;
        if (!fill_gaps[p->gap](r, p))
            return false;
    }
}

/* *line is that of the line before, and becomes the next. */
static bool restore_line(struct chunk_text *t, struct restorer *r, int64_t *in_day,
                         struct chunk_line *line)
{
    const uint64_t head = varint_read(&r->part[PART_HEADS]);

    if (head >> 1 > t->n_templates || !read_time(r, in_day))
        return false;
    if (head & 1)
        line->stream += (uint32_t)svarint_read(&r->part[PART_STREAMS]);
    if (head >> 1 == t->n_templates && !read_template(t, &r->part[PART_TEMPLATES]))
        return false;
    const struct chunk_template *of = &t->templates[head >> 1];
    char *begin = r->out;
    r->last_id = r->ids.of_stream[line->stream % LAST_IDS];
    if (!fill_template(r, &t->pieces[of->first_piece]))
        return false;
    line->time_ns = t->day * NS_PER_DAY + *in_day;
    line->severity = (enum severity)(of->mark & 15);
    line->kind = (enum record_kind)(of->mark >> 4);
    line->body = (struct str){begin, (size_t)(r->out - begin)};
    return true;
}

static bool is_at_end(const struct restorer *r)
{
    for (size_t i = 0; i < CHUNK_PARTS; i++)
        if (r->part[i].is_bad || r->part[i].rest.n > 0)
            return false;
    return r->out == r->end;
}

bool chunk_restore(struct chunk_text *t, const struct chunk_parts *parts, size_t text_bytes)
{
    AUTO(buf_clear) struct buf date = {.max = 64};
    struct restorer r = {0};
    struct chunk_line line = {0};
    int64_t in_day = 0;

    chunk_text_empty(t);
    t->is_older = false;
    if (parts->n_lines > parts->part[PART_HEADS].n) /* each has one */
        return false;
    t->n_templates = t->n_pieces = 0;
    for (size_t i = 0; i < CHUNK_PARTS; i++)
        r.part[i].rest = parts->part[i];
    time_format(&date, t->day * NS_PER_DAY, 3);
    memcpy(r.date, date.p, sizeof(r.date));
    buf_reserve(&t->raw, text_bytes);
    r.out = t->raw.p;
    r.end = r.out + text_bytes;
    for (size_t i = 0; i < parts->n_lines; i++) {
        if (!restore_line(t, &r, &in_day, &line))
            return false;
        t->lines = mem_grow(t->lines, t->n_lines, &t->cap_lines, sizeof(*t->lines));
        t->lines[t->n_lines++] = line;
    }
    buf_grown(&t->raw, text_bytes);
    return is_at_end(&r);
}

/* --- blobs --- */

static bool is_whole(struct str blob)
{
    uint64_t sum;

    if (blob.n < 1 + CHUNK_SUM_BYTES)
        return false;
    memcpy(&sum, blob.p + blob.n - CHUNK_SUM_BYTES, sizeof(sum));
    return str_hash_block(str_sub(blob, 0, blob.n - CHUNK_SUM_BYTES), 0) == sum;
}

static enum status read_parts(struct chunk_text *t, struct str blob, struct chunk_parts *parts,
                              struct err *e)
{
    struct varint_reader in = {.rest = str_sub(blob, 1, blob.n - 1 - CHUNK_SUM_BYTES)};
    uint64_t sizes[CHUNK_PARTS], pressed = 0;

    parts->n_lines = (size_t)varint_read(&in);
    for (size_t i = 0; i < CHUNK_PARTS; i++) {
        sizes[i] = varint_read(&in);
        if (sizes[i] > CHUNK_MAX_RAW)
            return err_set(e, ERR_PARSE, "a part of %llu bytes", (unsigned long long)sizes[i]);
        pressed += i < PARTS_PRESSED ? sizes[i] : 0;
    }
    for (size_t i = PARTS_PRESSED; i < CHUNK_PARTS; i++)
        parts->part[i] = bytes_read(&in, sizes[i]);
    if (in.is_bad)
        return err_set(e, ERR_PARSE, "its parts are cut off");
    buf_reset(&t->pressed);
    const enum status s = zstd_unpack(t->zstd, in.rest, (size_t)pressed, &t->pressed, e);
    struct str rest = buf_str(&t->pressed);
    for (size_t i = 0; s == OK && i < PARTS_PRESSED; i++) {
        parts->part[i] = str_sub(rest, 0, (size_t)sizes[i]);
        rest = str_skip(rest, (size_t)sizes[i]);
    }
    return s;
}

static enum status read_older(struct chunk_text *t, struct str blob, size_t raw_bytes,
                              struct err *e)
{
    t->is_older = true;
    return zstd_unpack(t->zstd, blob, raw_bytes, &t->raw, e);
}

enum status chunk_text_read(struct chunk_text *t, struct str blob, int64_t day, size_t raw_bytes,
                            struct err *e)
{
    struct chunk_parts parts = {0};

    chunk_text_empty(t);
    t->day = day;
    if (raw_bytes > CHUNK_MAX_RAW)
        return err_set(e, ERR_PARSE, "a chunk claims %zu bytes", raw_bytes);
    if (blob.n == 0 || blob.p[0] != CHUNK_FORMAT)
        return read_older(t, blob, raw_bytes, e);
    if (!is_whole(blob))
        return err_set(e, ERR_PARSE, "damaged log chunk: its checksum is another one");
    enum status s = read_parts(t, blob, &parts, e);
    if (s == OK && !chunk_restore(t, &parts, raw_bytes)) {
        chunk_text_empty(t);
        s = err_set(e, ERR_PARSE, "damaged log chunk: it does not hold %zu bytes", raw_bytes);
    }
    return s;
}

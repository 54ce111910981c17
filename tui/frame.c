/* The cell grid. */
#include "tui/frame.h"

#include <assert.h>

#include "core/base/safe_text.h"
#include "core/base/utf8.h"

void frame_init(struct frame *f, struct arena *a, unsigned width, unsigned height)
{
    bool is_ascii = f->is_ascii;

    *f = (struct frame){.width = width, .height = height, .is_ascii = is_ascii};
    f->cells = arena_new(a, struct cell, (size_t)width * height + 1);
    for (size_t i = 0; i < (size_t)width * height; i++)
        f->cells[i].cp = ' ';
}

static void put(struct frame *f, unsigned x, unsigned y, uint32_t cp, enum style style)
{
    if (x < f->width && y < f->height)
        f->cells[(size_t)y * f->width + x] = (struct cell){cp, style};
}

/* Combining marks are left out: a cell holds one code point. */
static unsigned put_safe(struct frame *f, unsigned x, unsigned y, unsigned end, struct str text,
                         enum style style)
{
    unsigned at = x;
    uint32_t cp;

    for (size_t n; (n = utf8_next(text, &cp)) > 0; text = str_skip(text, n)) {
        int w = utf8_cp_width(cp);
        if (w <= 0)
            continue;
        if (at + (unsigned)w > end)
            break;
        put(f, at, y, cp, style);
        if (w == 2)
            put(f, at + 1, y, 0, style);
        at += (unsigned)w;
    }
    return at - x;
}

unsigned frame_text(struct frame *f, unsigned x, unsigned y, unsigned width, struct str text,
                    enum style style)
{
    AUTO(buf_clear) struct buf safe = {.max = 1u << 20};
    unsigned end = x + width < f->width ? x + width : f->width;

    if (x >= f->width || y >= f->height)
        return 0;
    safe_text(&safe, text, SAFE_KEEP_NONE);
    struct str s = buf_str(&safe);
    if (utf8_width(s) <= end - x)
        return put_safe(f, x, y, end, s, style);
    unsigned used = put_safe(f, x, y, end > x ? end - 1 : end, s, style);
    put(f, x + used, y, f->is_ascii ? '>' : 0x2026, style);
    return used + 1;
}

unsigned frame_z(struct frame *f, unsigned x, unsigned y, const char *text, enum style style)
{
    return frame_text(f, x, y, f->width, str_from(text), style);
}

void frame_right(struct frame *f, unsigned x, unsigned y, unsigned width, struct str text,
                 enum style style)
{
    size_t w = utf8_width(text);
    unsigned pad = w < width ? width - (unsigned)w : 0;

    frame_text(f, x + pad, y, width - pad, text, style);
}

void frame_fill(struct frame *f, unsigned y, enum style style)
{
    for (unsigned x = 0; x < f->width; x++)
        put(f, x, y, ' ', style);
}

void frame_restyle(struct frame *f, unsigned y, enum style style)
{
    for (unsigned x = 0; x < f->width && y < f->height; x++)
        f->cells[(size_t)y * f->width + x].style = style;
}

void frame_print(const struct frame *f, struct buf *out)
{
    for (unsigned y = 0; y < f->height; y++) {
        const struct cell *row = &f->cells[(size_t)y * f->width];
        unsigned end = f->width;
        while (end > 0 && row[end - 1].cp == ' ')
            end--;
        for (unsigned x = 0; x < end; x++) {
            char bytes[4];
            if (row[x].cp != 0)
                buf_add(out, bytes, utf8_put(row[x].cp, bytes));
        }
        buf_add_c(out, '\n');
    }
}

/* --- charts --- */

static uint64_t sum_of_cell(const uint64_t *values, size_t n, unsigned cell, unsigned width)
{
    size_t from = (size_t)cell * n / width, to = (size_t)(cell + 1) * n / width;
    uint64_t sum = 0;

    to = to > from ? to : from + 1;
    for (size_t i = from; i < to && i < n; i++)
        sum += values[i];
    return sum;
}

void frame_spark(struct frame *f, unsigned x, unsigned y, unsigned width, const struct spark *s)
{
    static const char ascii[] = " .:-=+*#@";
    uint64_t top = 0;

    if (s->n == 0 || width == 0)
        return;
    for (unsigned i = 0; i < width; i++) {
        uint64_t v = sum_of_cell(s->values, s->n, i, width);
        top = v > top ? v : top;
    }
    for (unsigned i = 0; i < width && top > 0; i++) {
        uint64_t v = sum_of_cell(s->values, s->n, i, width);
        uint64_t level = (v * 8 + top - 1) / top;
        assert(level <= 8);
        uint32_t cp = f->is_ascii ? (unsigned char)ascii[level]
                      : level > 0 ? 0x2580 + (uint32_t)level
                                  : ' ';
        put(f, x + i, y, cp, s->style);
    }
}

void frame_bar(struct frame *f, unsigned x, unsigned y, unsigned width, unsigned permille,
               enum style style)
{
    unsigned eighths = (permille > 1000 ? 1000 : permille) * width * 8 / 1000;

    for (unsigned i = 0; i < eighths / 8; i++)
        put(f, x + i, y, f->is_ascii ? '#' : 0x2588, style);
    if (eighths % 8 > 0 && !f->is_ascii)
        put(f, x + eighths / 8, y, 0x2590 - eighths % 8,
            style); /* U+258F one eighth ... U+2589 seven */
}

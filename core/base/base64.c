/* Base64 with the standard alphabet. */
#include "core/base/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static unsigned byte_at(struct str s, size_t i)
{
    return i < s.n ? (unsigned char)s.p[i] : 0;
}

void base64_add(struct buf *out, struct str data)
{
    for (size_t i = 0; i < data.n; i += 3) {
        unsigned v = byte_at(data, i) << 16 | byte_at(data, i + 1) << 8 | byte_at(data, i + 2);
        char four[4] = {alphabet[v >> 18], alphabet[v >> 12 & 63], alphabet[v >> 6 & 63],
                        alphabet[v & 63]};
        if (i + 2 >= data.n)
            four[3] = '=';
        if (i + 1 >= data.n)
            four[2] = '=';
        buf_add(out, four, 4);
    }
}

/* 0..63, 64 for padding, 65 for a blank, 66 for anything else. */
static unsigned value_of(char c)
{
    struct str letters = {alphabet, 64};
    size_t at = str_find_char(letters, c);

    if (at < 64)
        return (unsigned)at;
    if (c == '=')
        return 64;
    return c == ' ' || c == '\r' || c == '\n' || c == '\t' ? 65 : 66;
}

struct quartet {
    unsigned bits;
    unsigned n, padding;
};

static void flush(struct quartet *q, struct buf *out)
{
    char bytes[3] = {(char)(q->bits >> 16), (char)(q->bits >> 8), (char)q->bits};

    buf_add(out, bytes, 3 - q->padding);
    q->n = q->bits = 0;
}

enum status base64_parse(struct str text, struct buf *out, struct err *e)
{
    struct quartet q = {0};
    size_t begin = out->n;

    for (size_t i = 0; i < text.n; i++) {
        unsigned v = value_of(text.p[i]);
        if (v == 65)
            continue;
        bool is_bad =
            v == 66 || (v < 64 && q.padding > 0) || (v == 64 && (q.n < 2 || q.padding == 2));
        if (is_bad) {
            buf_cut(out, begin);
            return err_set(e, ERR_PARSE, "base64: unexpected character at offset %zu", i);
        }
        q.padding += v == 64;
        q.bits = q.bits << 6 | (v & 63);
        if (++q.n == 4)
            flush(&q, out);
    }
    if (q.n != 0) {
        buf_cut(out, begin);
        return err_set(e, ERR_PARSE, "base64: the text is cut off");
    }
    return OK;
}

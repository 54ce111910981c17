/* Hand scanners for the two forms of percent-encoding. */
#include "core/base/url.h"

static int hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool url_decode_bytes(struct arena *a, struct str s, bool plus_is_blank, struct str *out)
{
    char *p = arena_alloc(a, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%') {
            int high = i + 2 < s.n ? hex_value(s.p[i + 1]) : -1;
            int low = i + 2 < s.n ? hex_value(s.p[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        p[n++] = c;
    }
    p[n] = '\0';
    *out = (struct str){p, n};
    return true;
}

bool url_decode(struct arena *a, struct str s, bool plus_is_blank, struct str *out)
{
    return url_decode_bytes(a, s, plus_is_blank, out) && str_find_char(*out, '\0') == out->n;
}

bool url_query(struct arena *a, struct str query, struct str name, struct str *value)
{
    while (query.n > 0) {
        struct str pair = str_cut(&query, '&');
        struct str key = str_cut(&pair, '=');
        struct str decoded;
        if (!url_decode(a, key, true, &decoded) || !str_eq(decoded, name))
            continue;
        return url_decode(a, pair, true, value);
    }
    return false;
}

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void url_encode(struct buf *out, struct str s, bool keep_slash)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (is_unreserved(s.p[i]) || (keep_slash && c == '/')) {
            buf_add_c(out, s.p[i]);
            continue;
        }
        buf_add_c(out, '%');
        buf_add_c(out, digits[c >> 4]);
        buf_add_c(out, digits[c & 15]);
    }
}

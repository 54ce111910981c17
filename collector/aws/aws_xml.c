/* Text of an element, found by its tags. */
#include "collector/aws/aws_xml.h"

#include "core/base/buf.h"
#include "core/base/macros.h"

static const struct {
    struct str entity;
    char c;
} entities[] = {
    {STR_INIT("&amp;"), '&'},  {STR_INIT("&lt;"), '<'},    {STR_INIT("&gt;"), '>'},
    {STR_INIT("&quot;"), '"'}, {STR_INIT("&apos;"), '\''},
};

struct str aws_xml_unescape(struct str s, struct arena *a)
{
    AUTO(buf_clear) struct buf b = {.max = s.n + 1};

    while (s.n > 0) {
        size_t used = 0;
        for (size_t i = 0; i < ARRAY_LEN(entities) && used == 0; i++)
            if (str_starts(s, entities[i].entity)) {
                buf_add_c(&b, entities[i].c);
                used = entities[i].entity.n;
            }
        if (used == 0) {
            buf_add_c(&b, s.p[0]);
            used = 1;
        }
        s = str_skip(s, used);
    }
    return arena_str(a, buf_str(&b));
}

/* Where the tag begins; s.n when there is none. */
static size_t find_tag(struct str s, bool is_closing, struct str name)
{
    const size_t before = is_closing ? 2 : 1;

    for (size_t i = 0; i < s.n; i++) {
        i += str_find_char(str_skip(s, i), '<');
        struct str tag = str_sub(s, i, before + name.n + 1);
        if (tag.n == before + name.n + 1 && tag.p[tag.n - 1] == '>' &&
            (!is_closing || tag.p[1] == '/') && str_eq(str_sub(tag, before, name.n), name))
            return i;
    }
    return s.n;
}

bool aws_xml_next(struct str *rest, const char *element, struct str *inner)
{
    const struct str name = str_from(element);
    const size_t open_n = name.n + 2, close_n = name.n + 3;
    const size_t begin = find_tag(*rest, false, name);
    size_t at = begin + open_n;

    if (begin == rest->n)
        return false;
    for (size_t depth = 1; depth > 0;) {
        size_t end = at + find_tag(str_skip(*rest, at), true, name);
        size_t deeper = at + find_tag(str_sub(*rest, at, end - at), false, name);
        if (end == rest->n)
            return false;
        depth = deeper < end ? depth + 1 : depth - 1;
        at = deeper < end ? deeper + open_n : end + close_n;
    }
    *inner = str_sub(*rest, begin + open_n, at - close_n - begin - open_n);
    *rest = str_skip(*rest, at);
    return true;
}

bool aws_xml_text(struct str xml, const char *element, struct arena *a, struct str *out)
{
    struct str inner;

    if (!aws_xml_next(&xml, element, &inner))
        return false;
    *out = aws_xml_unescape(str_trim(inner), a);
    return true;
}

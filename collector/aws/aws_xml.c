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

static struct str unescape(struct str s, struct arena *a)
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

bool aws_xml_text(struct str xml, const char *element, struct arena *a, struct str *out)
{
    struct str open = arena_printf(a, "<%s>", element), close = arena_printf(a, "</%s>", element);
    size_t at = str_find(xml, open);

    if (at == xml.n)
        return false;
    struct str rest = str_skip(xml, at + open.n);
    size_t end = str_find(rest, close);
    if (end == rest.n)
        return false;
    *out = unescape(str_trim(str_sub(rest, 0, end)), a);
    return true;
}

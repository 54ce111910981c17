/* Types of errors out of JSON; see the header. The text around is searched, not parsed: it may be
 * cut or stand behind words. */
#include "collector/aws/app_error.h"

#include "core/base/jsonpull.h"

struct str app_error_type(struct str text)
{
    static const struct str key = {"\"errorType\"", 11};
    size_t at = str_find(text, key), end = 0;
    struct str rest = str_trim(str_skip(text, at + key.n));

    if (at == text.n || rest.n == 0 || rest.p[0] != ':')
        return (struct str){0};
    rest = str_trim(str_skip(rest, 1));
    if (rest.n == 0 || rest.p[0] != '"')
        return (struct str){0};
    rest = str_skip(rest, 1);
    while (end < rest.n && rest.p[end] != '"')
        end += rest.p[end] == '\\' ? 2 : 1;
    return end < rest.n ? str_sub(rest, 0, end) : (struct str){0};
}

struct str app_error_type_plain(struct str type, struct arena *a)
{
    struct jp j;
    struct str plain;

    if (str_find_char(type, '\\') == type.n)
        return type;
    jp_init(&j, arena_printf(a, "\"" STR_FMT "\"", STR_ARG(type)), a);
    return jp_string(&j, &plain) ? plain : type;
}

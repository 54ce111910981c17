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

/* "ValueError", "java.lang.IllegalStateException", "App\\Error" up to a colon or the line's end. */
static struct str leading_type(struct str line)
{
    size_t n = 0;

    while (n < line.n && n < 200 && str_find_char(STR(" :,;(\"'"), line.p[n]) == 7)
        n++;
    const struct str type = str_sub(line, 0, n);
    const bool is_named = str_ends(type, STR("Error")) || str_ends(type, STR("Exception"));
    return is_named && (n == line.n || line.p[n] == ':') ? type : (struct str){0};
}

struct str app_stack_type(struct str text)
{
    const struct str trimmed = str_trim(text);
    const size_t end = str_find_char(trimmed, '\n'), last = str_rfind_char(trimmed, '\n');

    if (str_starts(trimmed, STR("Traceback (most recent call last):")))
        return last < trimmed.n ? leading_type(str_skip(trimmed, last + 1)) : (struct str){0};
    return leading_type(str_trim(str_sub(trimmed, 0, end)));
}

/* Parts between colons, each taken by what it looks like. */
#include "executor/function_name.h"

#include "core/base/macros.h"

enum { ACCOUNT_DIGITS = 12 };

static bool is_small(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_made_of(struct str s, const char *others)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool is_common = is_small(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
        if (!is_common && str_find_char(str_from(others), c) == str_from(others).n)
            return false;
    }
    return s.n > 0;
}

static bool is_account(struct str s)
{
    size_t n = 0;

    while (n < s.n && is_digit(s.p[n]))
        n++;
    return n == ACCOUNT_DIGITS && s.n == n;
}

/* "gov", "iso", "isob" */
static bool is_kind(struct str s)
{
    return str_eq(s, STR("gov")) ||
           (str_starts(s, STR("iso")) && (s.n == 3 || (s.n == 4 && is_small(s.p[3]))));
}

/* eu-west-1, us-gov-east-1, eusc-de-east-1 */
static bool is_region(struct str s)
{
    struct str rest = str_starts(s, STR("eusc-")) ? str_skip(s, 5) : s;
    struct str land = str_cut(&rest, '-'), after = rest;

    if (is_kind(str_cut(&after, '-')))
        rest = after;
    struct str side = str_cut(&rest, '-');
    size_t n = 0;
    while (n < side.n && is_small(side.p[n]))
        n++;
    return land.n == 2 && is_small(land.p[0]) && is_small(land.p[1]) && n > 0 && n == side.n &&
           rest.n == 1 && is_digit(rest.p[0]);
}

/* What stands before a colon, when it is of a kind; else *rest stays. */
static struct str take_part(struct str *rest, bool (*is_it)(struct str s))
{
    struct str after = *rest;
    struct str part = str_cut(&after, ':');

    if (part.n == rest->n || !is_it(part))
        return (struct str){0};
    *rest = after;
    return part;
}

static bool is_word_function(struct str s)
{
    return str_eq(s, STR("function"));
}

/* False for an ARN of something else than Lambda's. */
static bool skip_head(struct str *rest)
{
    if (!str_starts(*rest, STR("arn:")))
        return true;
    str_cut(rest, ':');
    struct str partition = str_cut(rest, ':');
    return str_starts(partition, STR("aws")) && str_eq(str_cut(rest, ':'), STR("lambda"));
}

static bool is_latest(struct str text)
{
    return str_eq(text, STR("$LATEST")) || str_eq(text, STR("$LATEST.PUBLISHED"));
}

bool function_qualifier_is_valid(struct str text)
{
    return is_latest(text) || is_made_of(text, "$_-");
}

bool function_name_parse(struct str text, struct function_name *out)
{
    struct str rest = text;
    struct function_name f = {0};

    if (!skip_head(&rest))
        return false;
    f.region = take_part(&rest, is_region);
    f.account = take_part(&rest, is_account);
    take_part(&rest, is_word_function);
    bool has_qualifier = str_find_char(rest, ':') < rest.n;
    f.name = str_cut(&rest, ':');
    f.qualifier = rest;
    bool is_whole_arn = f.region.n > 0 && f.account.n > 0;
    if (str_starts(text, STR("arn:")) && !is_whole_arn)
        return false;
    if (!is_made_of(f.name, "-_.") ||
        (has_qualifier && !is_latest(rest) && !is_made_of(rest, "_-")))
        return false;
    *out = f;
    return true;
}

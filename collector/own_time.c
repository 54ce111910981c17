/* The time a runtime wrote into a message: stands in where the file gives none. */
#include <string.h>

#include "collector/event.h"
#include "core/base/timefmt.h"

static bool quoted_time(struct str line, struct str key, int64_t *t_ns)
{
    size_t at = str_find(line, key);
    if (at == line.n)
        return false;
    struct str rest = str_trim(str_skip(line, at + key.n));
    while (rest.n > 0 && (rest.p[0] == ':' || rest.p[0] == ' '))
        rest = str_skip(rest, 1);
    if (rest.n == 0 || rest.p[0] != '"')
        return false;
    rest = str_skip(rest, 1);
    return time_parse(str_sub(rest, 0, str_find_char(rest, '"')), t_ns);
}

/* Go's "2020/03/27 03:40:05". */
static bool slashed_time(struct str line, int64_t *t_ns)
{
    char text[19];
    if (line.n < sizeof(text) || line.p[4] != '/' || line.p[7] != '/')
        return false;
    memcpy(text, line.p, sizeof(text));
    text[4] = text[7] = '-';
    return time_parse_prefix((struct str){text, sizeof(text)}, t_ns) > 0;
}

/* CloudWatch's embedded metric format: {"_aws":{"Timestamp":1790000000123,...},...}. */
static bool metric_time(struct str head, int64_t *t_ns)
{
    static const struct str object = {"\"_aws\"", 6}, name = {"\"Timestamp\"", 11};
    enum { DIGITS = 13 };
    const struct str inner = str_skip(head, str_find(head, object));
    struct str rest = str_trim(str_skip(inner, str_find(inner, name) + name.n));
    int64_t ms;

    if (rest.n <= DIGITS || rest.p[0] != ':')
        return false;
    rest = str_trim(str_skip(rest, 1));
    if (!str_to_i64(str_sub(rest, 0, DIGITS), &ms) || ms < 0)
        return false;
    *t_ns = ms * NS_PER_MS;
    return true;
}

/* The time a runtime wrote into the message itself. */
bool event_own_time(struct str line, int64_t *t_ns)
{
    if (line.n < 20)
        return false;
    if (line.p[0] >= '0' && line.p[0] <= '9')
        return time_parse_prefix(line, t_ns) > 0 || slashed_time(line, t_ns);
    if (line.p[0] == '[') {
        struct str rest = str_skip(line, str_find_char(str_sub(line, 0, 16), '\t') + 1);
        return time_parse_prefix(rest, t_ns) > 0;
    }
    if (line.p[0] == '{') {
        struct str head = str_sub(line, 0, 4096);
        return quoted_time(head, STR("\"time\""), t_ns) ||
               quoted_time(head, STR("\"timestamp\""), t_ns) || metric_time(head, t_ns);
    }
    return line.p[1] == ',' && line.p[3] == '[' && time_parse_prefix(str_skip(line, 4), t_ns) > 0;
}

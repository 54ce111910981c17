/* What the AWS decoders share: where an event goes by its first byte, and the names of log groups
 * and streams. */
#include "collector/aws/aws.h"

#include <assert.h>
#include <string.h>

#include "collector/aws/lambda_brief.h"
#include "core/base/timefmt.h"

/* "REPORT RequestId: ", "START RequestId: " or "END RequestId: " behind a prefix: user text that
 * imitates a platform line. 'q' is rare, so the search is one memchr a line. */
static bool has_imitation(struct str line)
{
    static const char tail[] = "uestId: ";
    static const struct str heads[] = {{"REPORT Re", 9}, {"START Re", 8}, {"END Re", 6}};
    const char *p = line.p, *end = line.p + line.n;

    while ((p = memchr(p, 'q', (size_t)(end - p))) != NULL) {
        if ((size_t)(end - ++p) < sizeof(tail) - 1)
            return false;
        if (memcmp(p, tail, sizeof(tail) - 1) != 0)
            continue;
        struct str before = {line.p, (size_t)(p - 1 - line.p)};
        for (size_t i = 0; i < ARRAY_LEN(heads); i++)
            if (before.n > heads[i].n && str_ends(before, heads[i]))
                return true;
    }
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "LAMBDA_WARNING: ...\r{json}": the record behind the warning, empty when there is none. */
static struct str behind_warning(struct str text)
{
    if (text.p[0] != 'L' || !str_starts(text, STR("LAMBDA_WARNING:")))
        return (struct str){0};
    size_t at = str_find_char(text, '{');
    bool is_own_line = at < text.n && at > 0 && (text.p[at - 1] == '\r' || text.p[at - 1] == '\n');
    return is_own_line ? str_skip(text, at) : (struct str){0};
}

/* The record behind blanks, a byte order mark or a time; empty: none. */
static struct str behind_head(struct str text)
{
    const struct str whole = str_trim(text);
    size_t n = 0;

    if (!str_ends(whole, STR("}")))
        return (struct str){0};
    if (is_digit(whole.p[0]))
        n = time_prefix_length(whole);
    else if (str_starts(whole, STR("\xEF\xBB\xBF")))
        n = 3;
    else if (whole.p == text.p)
        return (struct str){0};
    const struct str rest = str_trim(str_skip(whole, n));
    return str_starts(rest, STR("{")) ? rest : (struct str){0};
}

void aws_decode_lambda(struct decode_memo *before, struct log_record *r, struct batch *b)
{
    struct str text = r->body;

    assert(r->platform == NULL);
    r->kind = RECORD_APP;
    r->message = text;
    if (text.n == 0)
        return;
    struct str json = text.p[0] == '{' ? text : behind_warning(text);
    if (json.n > 0 && aws_lambda_json(before, json, r, b))
        return;
    if (lambda_brief_line(before, text, r))
        return;
    if (aws_lambda_text(text, r, b)) {
        lambda_brief_note(before, r);
        return;
    }
    if (has_imitation(text))
        r->is_imitation = true;
    json = behind_head(text);
    if (json.n > 0 && aws_app_json(json, r, b))
        return;
    aws_lambda_app(text, r, &b->arena);
}

/* "2023/06/02/": the day the environment was made. */
static bool is_day(struct str s)
{
    static const char shape[] = "dddd/dd/dd/";
    if (s.n < sizeof(shape) - 1)
        return false;
    for (size_t i = 0; i < sizeof(shape) - 1; i++)
        if (shape[i] == 'd' ? !is_digit(s.p[i]) : s.p[i] != '/')
            return false;
    return true;
}

static bool is_word(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!is_digit(c) && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_')
            return false;
    }
    return s.n > 0;
}

bool aws_stream_parse(struct str stream, struct str *function, struct str *version,
                      struct str *environment)
{
    enum { DAY_LENGTH = 11 };
    if (!is_day(stream))
        return false;
    struct str rest = str_skip(stream, DAY_LENGTH);
    size_t open = str_find_char(rest, '['), close = str_find_char(rest, ']');
    if (close == rest.n || open + 1 >= close || !is_word(str_skip(rest, close + 1)))
        return false;
    *function = str_sub(rest, 0, open);
    *version = str_sub(rest, open + 1, close - open - 1);
    *environment = str_skip(rest, close + 1);
    return true;
}

struct str aws_group_function(struct str log_group)
{
    static const struct str prefix = {"/aws/lambda/", 12};
    return str_starts(log_group, prefix) ? str_skip(log_group, prefix.n) : (struct str){0};
}

/* The span that Rust's Lambda runtime opens around a request; see the header. */
#include "collector/aws/app_rust.h"

#include <string.h>

#include "collector/aws/scan.h"
#include "core/base/macros.h"

static struct str quoted_after(struct str s, struct str key)
{
    size_t at = str_find(s, key);
    struct str rest = str_skip(s, at + key.n);
    size_t end = str_find_char(rest, '"');
    return at < s.n && end < rest.n ? str_sub(rest, 0, end) : (struct str){0};
}

/* `INFO Lambda runtime invoke{requestId="..." xrayTraceId="Root=..."}: text`, anywhere: it may be
 * glued to output that had no line end. */
static bool find_span(struct str line, struct log_record *r)
{
    static const struct str before = {"invoke", 6}, key = {"{requestId=\"", 12};
    struct str rest = line;

    for (;;) {
        const char *brace = memchr(rest.p, '{', rest.n);
        if (brace == NULL)
            return false;
        rest = str_skip(rest, (size_t)(brace - rest.p));
        if (str_starts(rest, key) && (size_t)(brace - line.p) >= before.n &&
            memcmp(brace - before.n, before.p, before.n) == 0)
            break;
        rest = str_skip(rest, 1);
    }
    if (!scan_uuid(str_skip(rest, key.n)))
        return false;
    size_t close = str_find(rest, STR("}:"));
    r->invocation_id = str_sub(rest, key.n, UUID_LEN);
    r->trace_id = scan_trace_id(quoted_after(str_sub(rest, 0, close), STR("xrayTraceId=\"")));
    if (close < rest.n)
        r->message = str_trim(str_skip(rest, close + 2));
    return true;
}

static void rust_level(struct str line, struct log_record *r)
{
    static const struct str name = {"Lambda runtime invoke{", 22};
    size_t at = str_find(line, name);
    struct str head = str_trim(str_sub(line, 0, at));
    size_t from = head.n;
    while (from > 0 && head.p[from - 1] >= 'A' && head.p[from - 1] <= 'Z')
        from--;
    if (at < line.n)
        scan_level(str_skip(head, from), &r->severity);
}

bool app_rust_span(struct str line, struct log_record *r)
{
    if (!find_span(line, r))
        return false;
    if (r->severity == SEVERITY_UNKNOWN)
        rust_level(line, r);
    return true;
}

/* START and END lines as they nearly always are; see the header. */
#include "collector/aws/lambda_brief.h"

#include <assert.h>

#include "collector/aws/scan.h"

static void accept(struct log_record *r, struct str id, const struct platform_event *p)
{
    assert(r->platform == NULL && id.n == UUID_LEN);
    r->kind = RECORD_PLATFORM;
    r->platform = p;
    r->invocation_id = id;
}

/* The request id between head and what is behind it; empty: there is none. */
static struct str id_behind(struct str line, struct str head)
{
    const struct str rest = str_skip(line, head.n);

    return str_starts(line, head) && scan_uuid(rest) ? str_sub(rest, 0, UUID_LEN) : (struct str){0};
}

static bool is_end(struct str line, struct log_record *r)
{
    static const struct platform_event end = {.kind = PLATFORM_END};
    const struct str head = STR("END RequestId: ");

    if (line.n != head.n + UUID_LEN)
        return false;
    const struct str id = id_behind(line, head);
    if (id.n == 0)
        return false;
    accept(r, id, &end);
    return true;
}

static bool is_start(const struct platform_event *like, struct str line, struct log_record *r)
{
    const struct str head = STR("START RequestId: "), label = STR(" Version: ");
    const size_t at = head.n + UUID_LEN;

    if (like == NULL || line.n != at + label.n + like->version.n ||
        !str_starts(str_skip(line, at), label) || !str_ends(line, like->version))
        return false;
    const struct str id = id_behind(line, head);
    if (id.n == 0)
        return false;
    accept(r, id, like);
    return true;
}

bool lambda_brief_line(const struct decode_memo *before, struct str line, struct log_record *r)
{
    if (line.n == 0)
        return false;
    return line.p[0] == 'E' ? is_end(line, r)
                            : line.p[0] == 'S' && is_start(before->start, line, r);
}

void lambda_brief_note(struct decode_memo *before, const struct log_record *r)
{
    if (r->platform != NULL && r->platform->kind == PLATFORM_START)
        before->start = r->platform;
}

/* See the header. A store is asked a few times in vain only: behind that a file is new. */
#include "collector/stand_in.h"

#include <inttypes.h>
#include <string.h>

#include "collector/aws/aws.h"

enum { ASK_IN_VAIN = 8 };

/* --- what the cursor says --- */

static bool find_row(const struct stand_ins *s, uint64_t offset, int64_t *t_ns)
{
    for (size_t i = 0; i < s->n; i++)
        if (offset < s->rows[i].until) {
            *t_ns = s->rows[i].time_ns;
            return true;
        }
    return false;
}

static void note(struct stand_ins *s, uint64_t offset, int64_t t_ns)
{
    struct stand_in *last = s->n > 0 ? &s->rows[s->n - 1] : NULL;

    if (last != NULL && offset < last->until)
        return;
    if (last != NULL && last->time_ns == t_ns) {
        last->until = offset + 1;
        return;
    }
    if (s->n == STAND_INS_MAX)
        memmove(s->rows, s->rows + 1, --s->n * sizeof(s->rows[0]));
    s->rows[s->n++] = (struct stand_in){offset + 1, t_ns};
}

/* --- what the request says --- */

static bool is_request(const struct stand_ins *s, struct str id)
{
    return s->has_request && id.n == sizeof(s->id) && memcmp(id.p, s->id, id.n) == 0;
}

static enum attempt_known ask_store(struct stand_ins *s, const struct attempt_ask *a, int64_t *t_ns)
{
    const struct import_lookups *l = s->lookups;

    if (l == NULL || l->find_attempt == NULL || s->n_unknown >= ASK_IN_VAIN)
        return ATTEMPT_UNKNOWN;
    const enum attempt_known known = l->find_attempt(l->ctx, a, &s->scratch, t_ns);
    arena_reset(&s->scratch);
    s->n_unknown = known != ATTEMPT_UNKNOWN ? 0 : s->n_unknown + 1;
    return known;
}

static bool is_kind(const struct log_record *r, enum platform_kind kind)
{
    return r->platform != NULL && r->platform->kind == kind;
}

bool stand_in_sees_end(struct str lines, struct str *report)
{
    bool has_end = false;

    *report = (struct str){0};
    for (bool is_first = true; lines.n > 0; is_first = false) {
        struct str line = str_cut(&lines, '\n');
        line = str_skip(line, str_starts(line, STR("\t"))); /* by which messages are joined */
        if (!is_first &&
            (str_starts(line, STR("START RequestId: ")) || str_starts(line, STR("INIT_START "))))
            return true;
        has_end |= str_starts(line, STR("END RequestId: "));
        if (has_end && str_starts(line, STR("REPORT RequestId: "))) {
            *report = str_trim_right(line);
            return true;
        }
    }
    return false;
}

/* What the REPORT says of the attempt that the record is of; NULL: it is not in sight. */
static const struct platform_event *find_report(const struct stand_ins *s,
                                                const struct log_record *r, struct batch *out)
{
    const struct batch_counts counts = out->counts;
    struct log_record report = {0};

    if (is_kind(r, PLATFORM_REPORT))
        return r->platform;
    const bool is_read =
        stand_in_sees_end(s->ahead, &report.body) && aws_lambda_text(report.body, &report, out);
    out->counts = counts; /* the line is met again */
    return is_read && is_kind(&report, PLATFORM_REPORT) &&
                   str_eq(report.invocation_id, r->invocation_id)
               ? report.platform
               : NULL;
}

/* An attempt that is not stored, though others of its request are, has the file's time. */
static int64_t choose_time(struct stand_ins *s, const struct log_record *r, struct str id,
                           struct batch *out)
{
    const bool is_open = s->has_request && (id.n == 0 || is_request(s, id));
    int64_t t_ns = is_open ? s->request_ns : r->time_ns;

    if (id.n != sizeof(s->id) || (is_open && (s->is_sure || !is_kind(r, PLATFORM_REPORT))))
        return t_ns;
    const struct attempt_ask a = {id, is_open ? t_ns : 0, find_report(s, r, out)};
    s->is_sure = a.report != NULL;
    return ask_store(s, &a, &t_ns) == ATTEMPT_IS_NEW ? r->time_ns : t_ns;
}

void stand_in_give(struct stand_ins *s, struct log_record *r, uint64_t offset, struct batch *out)
{
    const struct str id = r->platform != NULL ? r->invocation_id : (struct str){0};
    const bool is_known = find_row(s, offset, &r->time_ns);

    if (is_kind(r, PLATFORM_START) || is_kind(r, PLATFORM_INIT_START) ||
        is_kind(r, PLATFORM_RESTORE_START))
        s->has_request = s->is_sure = false;
    r->is_time_guessed |= is_known;
    if (!r->is_time_guessed)
        return;
    if (!is_known)
        r->time_ns = choose_time(s, r, id, out);
    note(s, offset, r->time_ns);
    if (is_kind(r, PLATFORM_START) && id.n == sizeof(s->id)) {
        memcpy(s->id, id.p, id.n);
        s->request_ns = r->time_ns;
        s->has_request = true;
    }
}

bool stand_in_is_open(const struct stand_ins *s)
{
    return s->has_request;
}

/* --- in a cursor --- */

void stand_ins_write(const struct stand_ins *s, struct buf *out)
{
    if (s->n == 0)
        buf_add_c(out, '-');
    for (size_t i = 0; i < s->n; i++)
        buf_addf(out, "%s%" PRIu64 ":%" PRId64, i > 0 ? "," : "", s->rows[i].until,
                 s->rows[i].time_ns);
}

bool stand_ins_read(struct stand_ins *s, struct str text)
{
    s->n = 0;
    if (str_eq(text, STR("-")))
        return true;
    while (text.n > 0) {
        struct str row = str_cut(&text, ',');
        struct stand_in *to = &s->rows[s->n];
        if (s->n == STAND_INS_MAX || !str_to_u64(str_cut(&row, ':'), &to->until) ||
            !str_to_i64(row, &to->time_ns) || (s->n > 0 && to->until <= to[-1].until))
            return false;
        s->n++;
    }
    return s->n > 0;
}

void stand_ins_clear(struct stand_ins *s)
{
    arena_clear(&s->scratch);
    *s = (struct stand_ins){0};
}

/* See the header. A store is asked a few times in vain only: behind that a file is new. */
#include "collector/stand_in.h"

#include <inttypes.h>
#include <string.h>

#include "collector/aws/aws.h"

enum { ASK_IN_VAIN = 8 };

/* --- what the cursor says --- */

static const struct stand_in *find_row(const struct stand_ins *s, uint64_t offset)
{
    for (size_t i = 0; i < s->n; i++)
        if (offset < s->rows[i].until)
            return &s->rows[i];
    return NULL;
}

static void note(struct stand_ins *s, uint64_t offset, int64_t base_ns)
{
    struct stand_in *last = s->n > 0 ? &s->rows[s->n - 1] : NULL;

    if (last != NULL && offset < last->until)
        return;
    if (last != NULL && last->time_ns == base_ns && !last->is_flat) {
        last->until = offset + 1;
        return;
    }
    if (s->n == STAND_INS_MAX)
        memmove(s->rows, s->rows + 1, --s->n * sizeof(s->rows[0]));
    s->rows[s->n++] = (struct stand_in){.until = offset + 1, .time_ns = base_ns};
}

/* --- what the request says --- */

static struct stand_in_run *find_run(struct stand_in_runs *r, struct str id)
{
    for (size_t i = r->n; id.n == STAND_IN_ID && i-- > 0;)
        if (memcmp(id.p, r->rows[i].id, STAND_IN_ID) == 0)
            return &r->rows[i];
    return NULL;
}

/* The newest is the last; of too many the oldest is forgotten. */
static struct stand_in_run *add_run(struct stand_in_runs *r, struct str id)
{
    struct stand_in_run *out = find_run(r, id);

    if (out == NULL && r->n == STAND_IN_RUNS)
        out = r->rows;
    if (out != NULL)
        memmove(out, out + 1, (size_t)(&r->rows[--r->n] - out) * sizeof(*out));
    out = &r->rows[r->n++];
    *out = (struct stand_in_run){0};
    memcpy(out->id, id.p, STAND_IN_ID);
    return out;
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

static void keep_half(struct stand_ins *s, const struct stand_in_run *run)
{
    if (s->halves != NULL && run->has_start != run->has_report)
        *add_run(s->halves, (struct str){run->id, STAND_IN_ID}) = *run;
}

/* The time of a run that is not stored: that of its other half, if a file before has it. */
static void choose_new_time(const struct stand_ins *s, struct stand_in_run *run, int64_t own_ns)
{
    const struct str id = {run->id, STAND_IN_ID};
    const struct stand_in_run *half = s->halves != NULL ? find_run(s->halves, id) : NULL;
    const bool is_half = half != NULL && half->has_start != run->has_start;

    run->time_ns = is_half && !(run->has_start && run->is_sure) ? half->time_ns : own_ns;
    if (is_half && run->time_ns == half->time_ns)
        run->has_start = true;
}

/* An attempt that is not stored, though others of its request are, has the file's time. */
static void choose_time(struct stand_ins *s, struct stand_in_run *run, const struct log_record *r,
                        struct batch *out)
{
    const int64_t own_ns = r->time_ns + (int64_t)run->place;
    const bool is_new = run->time_ns == 0;

    if (!is_new && (run->is_sure || !is_kind(r, PLATFORM_REPORT)))
        return;
    const struct attempt_ask a = {r->invocation_id, run->time_ns, find_report(s, r, out)};
    run->is_sure = a.report != NULL;
    const enum attempt_known known = ask_store(s, &a, &run->time_ns);
    if (known == ATTEMPT_IS_NEW)
        run->time_ns = own_ns;
    else if (known == ATTEMPT_UNKNOWN && is_new)
        choose_new_time(s, run, own_ns);
}

static bool begins_run(const struct log_record *r)
{
    return is_kind(r, PLATFORM_START) || is_kind(r, PLATFORM_INIT_START) ||
           is_kind(r, PLATFORM_RESTORE_START);
}

/* The run that a line names; NULL: it names none. */
static struct stand_in_run *run_of(struct stand_ins *s, const struct log_record *r, uint64_t offset)
{
    const struct str id = r->platform != NULL ? r->invocation_id : (struct str){0};
    const bool is_start = is_kind(r, PLATFORM_START);
    struct stand_in_run *run = is_start ? NULL : find_run(&s->runs, id);

    if (run != NULL || id.n != STAND_IN_ID)
        return run;
    run = add_run(&s->runs, id);
    run->place = offset;
    run->has_start = is_start;
    return run;
}

static void give_to_run(struct stand_ins *s, struct stand_in_run *run, struct log_record *r,
                        const struct stand_in *row, struct batch *out)
{
    if (row == NULL)
        choose_time(s, run, r, out);
    else
        run->time_ns = row->time_ns + (row->is_flat ? 0 : (int64_t)run->place);
    r->time_ns = run->time_ns;
    if (is_kind(r, PLATFORM_REPORT)) {
        run->has_report = true;
        keep_half(s, run);
    }
}

void stand_in_give(struct stand_ins *s, struct log_record *r, uint64_t offset, struct batch *out)
{
    const struct stand_in *row = find_row(s, offset);

    r->is_time_guessed |= row != NULL;
    if (!r->is_time_guessed)
        return;
    struct stand_in_run *run = run_of(s, r, offset);
    const bool is_begin = begins_run(r);
    s->place = is_begin ? offset : s->place;
    const uint64_t place = run != NULL ? run->place : s->place;
    if (run != NULL)
        give_to_run(s, run, r, row, out);
    else if (row != NULL)
        r->time_ns = row->time_ns + (row->is_flat ? 0 : (int64_t)place);
    else
        r->time_ns = s->is_open && !is_begin ? s->begun_ns : r->time_ns + (int64_t)place;
    note(s, offset, r->time_ns - (int64_t)place);
    s->begun_ns = is_begin ? r->time_ns : s->begun_ns;
    s->is_open |= is_begin;
}

bool stand_in_is_open(const struct stand_ins *s)
{
    return s->is_open;
}

bool stand_in_began_at(const struct stand_ins *s, uint64_t offset)
{
    return s->is_open && s->place == offset;
}

void stand_in_end(struct stand_ins *s)
{
    for (size_t i = 0; i < s->runs.n; i++)
        keep_half(s, &s->runs.rows[i]);
}

/* --- in a cursor --- */

void stand_ins_write(const struct stand_ins *s, struct buf *out)
{
    if (s->n == 0)
        buf_add_c(out, '-');
    for (size_t i = 0; i < s->n; i++)
        buf_addf(out, "%s%" PRIu64 "%c%" PRId64, i > 0 ? "," : "", s->rows[i].until,
                 s->rows[i].is_flat ? ':' : '@', s->rows[i].time_ns);
}

bool stand_ins_read(struct stand_ins *s, struct str text)
{
    s->n = 0;
    if (str_eq(text, STR("-")))
        return true;
    while (text.n > 0) {
        struct str row = str_cut(&text, ',');
        struct stand_in *to = &s->rows[s->n];
        to->is_flat = str_find_char(row, '@') == row.n;
        if (s->n == STAND_INS_MAX ||
            !str_to_u64(str_cut(&row, to->is_flat ? ':' : '@'), &to->until) ||
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

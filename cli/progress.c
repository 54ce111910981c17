/* Progress of an import on standard error. */
#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "core/base/safe_text.h"
#include "core/base/timefmt.h"
#include "core/base/utf8.h"

#define BAR_CELLS    24u
#define BAR_STEP_NS  (100 * NS_PER_MS)
#define LINE_STEP_NS (10 * NS_PER_SEC)

void progress_begin(struct progress *p, const struct cli *c)
{
    p->clock = clock_system(); /* the time that passes, whatever --clock says */
    p->begin_ns = p->last_ns = clock_monotonic(&p->clock);
    p->is_tty = c->err_is_tty;
    p->is_quiet = c->settings->is_quiet;
    p->format = (enum table_format)c->settings->format;
}

/* Remaining time at the pace so far; -1 while nothing can be said. */
static int64_t remaining_ns(const struct progress *p, const struct import_progress *now)
{
    int64_t elapsed = p->last_ns - p->begin_ns;

    if (now->bytes_done == 0 || now->bytes <= now->bytes_done || elapsed < NS_PER_SEC / 2)
        return -1;
    return (int64_t)((double)elapsed * (double)(now->bytes - now->bytes_done) /
                     (double)now->bytes_done);
}

static void add_bar(struct buf *b, const struct import_progress *now)
{
    uint64_t permille = now->bytes > 0 ? now->bytes_done * 1000 / now->bytes : 0;
    size_t full = (size_t)(permille > 1000 ? 1000 : permille) * BAR_CELLS / 1000;

    buf_add_c(b, '[');
    buf_add_repeat(b, '#', full);
    buf_add_repeat(b, '.', BAR_CELLS - full);
    buf_addf(b, "] %3llu %%", (unsigned long long)(permille / 10));
}

static void compose(const struct progress *p, const struct import_progress *now, struct buf *b)
{
    AUTO(buf_clear) struct buf name = {.max = 4096};
    int64_t left = remaining_ns(p, now);

    if (now->bytes > 0) {
        add_bar(b, now);
    } else { /* standard input has no size */
        size_format(b, now->bytes_done);
        buf_add_z(b, " read");
    }
    buf_addf(b, "  %llu %s", (unsigned long long)now->counts.events,
             plural(now->counts.events, "event", "events"));
    if (left >= 0) {
        buf_add_z(b, ", ");
        duration_format(b, left / NS_PER_SEC * NS_PER_SEC);
        buf_add_z(b, " left");
    }
    if (now->path.n == 0)
        return;
    safe_text(&name, now->path, SAFE_KEEP_NONE);
    buf_add_z(b, "  ");
    buf_add_str(b, utf8_fit(buf_str(&name), 40));
}

void progress_show(void *ctx, const struct import_progress *now)
{
    AUTO(buf_clear) struct buf line = {.max = 8192};
    struct progress *p = ctx;
    int64_t t = clock_monotonic(&p->clock);

    if (p->is_quiet || t - p->last_ns < (p->is_tty ? BAR_STEP_NS : LINE_STEP_NS))
        return;
    p->last_ns = t;
    compose(p, now, &line);
    fprintf(stderr, p->is_tty ? "\r\033[K%s" : "%s\n", line.p ? line.p : "");
    fflush(stderr);
}

void progress_end(struct progress *p)
{
    if (!p->is_quiet && p->is_tty)
        fprintf(stderr, "\r\033[K");
}

static void count_line(struct buf *out, uint64_t n, const char *what, const char *remedy)
{
    if (n > 0)
        buf_addf(out, "  %llu %s%s%s\n", (unsigned long long)n, what, *remedy ? ": " : "", remedy);
}

static void show_samples(struct buf *out, const struct pipeline_samples *bad)
{
    for (size_t i = 0; i < bad->n; i++) {
        buf_add_z(out, "    ");
        safe_text(out, str_from(bad->first[i].place), SAFE_KEEP_NONE);
        buf_add_z(out, ": ");
        safe_text(out, str_from(bad->first[i].reason), SAFE_KEEP_NONE);
        buf_add_c(out, '\n');
    }
}

/* More may have been settled than are new. */
static uint64_t more(int64_t n)
{
    return n > 0 ? (uint64_t)n : 0;
}

/* The same for programs: one row. */
static void summary_row(const struct progress *p, const struct import_progress *r, struct buf *out)
{
    static const struct table_column columns[] = {
        {.name = "files"},          {.name = "events"},           {.name = "new_invocations"},
        {.name = "stored_already"}, {.name = "control_messages"}, {.name = "quarantined"},
        {.name = "forged"},         {.name = "invalid_utf8"},     {.name = "guessed_functions"},
        {.name = "known_files"},    {.name = "empty_files"},      {.name = "foreign_files"},
        {.name = "unreadable"},     {.name = "untimed"},          {.name = "elsewhere"},
        {.name = "again"},          {.name = "guessed_streams"},  {.name = "adopted"},
        {.name = "doubtful"},       {.name = "refuted"},          {.name = "held_files"},
        {.name = "ambiguous"},
    };
    AUTO(arena_clear) struct arena a = {0};
    const uint64_t values[] = {
        r->files_done,
        r->counts.events,
        r->counts.invocations,
        r->counts.repeats,
        r->counts.control_messages,
        r->counts.quarantined,
        r->counts.forged,
        r->counts.invalid_utf8,
        r->guessed,
        r->known,
        r->empty,
        r->foreign,
        r->unreadable,
        r->counts.untimed,
        r->counts.elsewhere,
        r->counts.again,
        r->own_stream,
        r->counts.adopted,
        more(r->counts.doubtful),
        more(r->counts.refuted),
        r->held,
        more(r->counts.ambiguous),
    };
    struct table t;

    table_init(&t, &a, columns, ARRAY_LEN(columns), "fnscope.import", 1);
    table_row(&t);
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        table_i64(&t, i, (int64_t)values[i]);
    table_print(&t, p->format, true, out);
}

/* Files that brought nothing, and why. */
static void say_files(const struct import_progress *r, struct buf *out)
{
    count_line(out, r->known,
               plural(r->known, "file was stored already and brought nothing new",
                      "files were stored already and brought nothing new"),
               "");
    count_line(out, r->empty,
               plural(r->empty, "file holds no event that is recognised",
                      "files hold no event that is recognised"),
               "");
    count_line(out, r->held,
               plural(r->held,
                      "file is being written and ends inside a line: that line is not "
                      "read yet",
                      "files are being written and end inside a line: those lines are "
                      "not read yet"),
               "import again when it is written");
    count_line(out, r->foreign,
               plural(r->foreign, "file of a folder does not look like a log and was passed over",
                      "files of a folder do not look like logs and were passed over"),
               "name it, or say --input-format text");
}

/* Lines that another request printed, for certain or perhaps. */
static void say_imitations(const struct batch_counts *n, struct buf *out)
{
    count_line(out, n->forged,
               plural(n->forged,
                      "looks like a platform line but cannot be one and was kept as text",
                      "look like platform lines but cannot be any and were kept as text"),
               "");
    count_line(out, more(n->refuted),
               plural(more(n->refuted),
                      "request was printed by another one, as its lines' times show, and does not "
                      "count",
                      "requests were printed by others, as their lines' times show, and do not "
                      "count"),
               "");
    count_line(out, more(n->doubtful),
               plural(more(n->doubtful),
                      "request lies within another's run where no stream is named, and counts: of "
                      "another environment, or printed by that request",
                      "requests lie within another's run where no stream is named, and count: of "
                      "other environments, or printed by that request"),
               "an export with streams tells: aws logs tail --format detailed");
    count_line(out, more(n->ambiguous),
               plural(more(n->ambiguous),
                      "request was given an error without a request id that may be another's, "
                      "which ran at the same time",
                      "requests were given errors without a request id that may be others', which "
                      "ran at the same time"),
               "an export with streams tells: aws logs tail --format detailed");
}

void progress_summary(struct progress *p, const struct import_progress *r,
                      const struct pipeline_samples *bad, struct buf *out)
{
    int64_t took = clock_monotonic(&p->clock) - p->begin_ns;

    if (p->format != TABLE_TEXT) {
        summary_row(p, r, out);
        return;
    }

    const struct batch_counts *n = &r->counts;
    buf_addf(out, "%llu %s of %llu %s, ", (unsigned long long)n->events,
             plural(n->events, "event", "events"), (unsigned long long)r->files_done,
             plural(r->files_done, "file", "files"));
    buf_addf(out, "%llu new %s, in ", (unsigned long long)n->invocations,
             plural(n->invocations, "invocation", "invocations"));
    duration_format(out, took / NS_PER_MS * NS_PER_MS);
    buf_add_c(out, '\n');
    say_files(r, out);
    count_line(out, n->repeats,
               plural(n->repeats, "was stored already and changed nothing",
                      "were stored already and changed nothing"),
               p->says_where && n->adopted == 0
                   ? "fnscope db move corrects what they were imported as"
                   : "");
    count_line(out, n->adopted,
               plural(n->adopted,
                      "function that was stored without a region or account is where these logs "
                      "say now, and priced so",
                      "functions that were stored without a region or account are where these logs "
                      "say now, and priced so"),
               "");
    count_line(out, n->control_messages,
               plural(n->control_messages, "control message was passed over",
                      "control messages were passed over"),
               "");
    count_line(out, n->quarantined,
               plural(n->quarantined, "could not be decoded and was kept aside",
                      "could not be decoded and were kept aside"),
               "fnscope doctor shows them");
    show_samples(out, bad);
    say_imitations(n, out);
    count_line(out, n->lost_lines,
               plural(n->lost_lines, "line was dropped by the platform, as the log says",
                      "lines were dropped by the platform, as the log says"),
               "fnscope logs logsDropped shows when");
    count_line(out, n->untimed,
               plural(n->untimed, "has no time: that of the file or of this import stands in",
                      "have no time: that of the file or of this import stands in"),
               "");
    count_line(out, n->elsewhere,
               plural(n->elsewhere,
                      "request was stored under another function or region before and counts twice",
                      "requests were stored under another function or region before and count "
                      "twice"),
               "import the same logs with the same options");
    count_line(out, n->again,
               plural(n->again,
                      "request was stored already from another export: its lines stand there twice",
                      "requests were stored already from another export: their lines stand there "
                      "twice"),
               "import one export of a log, not several kinds");
    count_line(out, r->own_stream,
               plural(r->own_stream,
                      "file does not name its log stream: the file's name stands for it",
                      "files do not name their log stream: the file's name stands for it"),
               "--log-stream NAME says it, else another export of this log counts twice");
    count_line(out, n->invalid_utf8,
               plural(n->invalid_utf8, "holds invalid UTF-8", "hold invalid UTF-8"), "");
    count_line(out, r->guessed,
               plural(r->guessed, "file does not name its function: the file's name stands for it",
                      "files do not name their function: the file's name stands for it"),
               "--function NAME says it");
}

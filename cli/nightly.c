/* Which days are over and have no report yet; each report is written whole or not at all. Of a day
 * of which nothing is stored there is one where sources were to read it: that nothing ran, or that
 * nobody looked, is what there is to report. A day that a source was not read to the end of is
 * reported with that gap; beside the report then lies a note of it, and while what the note says is
 * not true any more the report is written anew. */
#include "cli/nightly.h"

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/safe_text.h"
#include "core/base/timefmt.h"

#define DAYS_BACK      14
#define WAIT_NS        NS_PER_HOUR /* for sources that are a little behind */
#define NOTE_MAX_BYTES ((size_t)1 << 20)

struct nightly {
    struct cli *c;
    struct store *store;
    struct report_options options;
    struct str folder;
    enum report_format format;
    struct ingest_status status;
    struct str newest;  /* name of the newest report there is */
    bool is_incomplete; /* a day was left out, or its report has a gap */
};

/* A finished day and its report. */
struct night {
    int64_t day_ns;
    struct str name;  /* of the file */
    const char *note; /* path of the note of its gaps */
    struct str gaps;  /* what the note has to say; empty: nothing is missing */
    struct str first; /* of the gaps, with its error: for the log */
    bool is_watched;  /* there are sources that were to read it */
};

static const char *extension(enum report_format f)
{
    static const char *const extensions[] = {
        [REPORT_TEXT] = "txt",  [REPORT_MARKDOWN] = "md", [REPORT_HTML] = "html",
        [REPORT_JSON] = "json", [REPORT_CSV] = "csv",
    };

    return extensions[f];
}

static struct str file_name(const struct nightly *n, int64_t day_ns)
{
    AUTO(buf_clear) struct buf day = {.max = 32};

    time_format_day(&day, day_ns);
    return arena_printf(n->c->arena, "report-" STR_FMT ".%s", STR_ARG(buf_str(&day)),
                        extension(n->format));
}

static const char *path_of(const struct nightly *n, struct str name)
{
    return arena_printf(n->c->arena, STR_FMT "/" STR_FMT, STR_ARG(n->folder), STR_ARG(name)).p;
}

/* --- gaps --- */

static struct str gaps_text(const struct nightly *n, const struct source_gaps *gaps)
{
    AUTO(buf_clear) struct buf b = {.max = NOTE_MAX_BYTES};

    for (size_t i = 0; i < gaps->n; i++) {
        const struct source_gap known = {.name = gaps->rows[i].name,
                                         .read_ns = gaps->rows[i].read_ns};
        struct str line = source_gap_text(&known, n->c->arena);
        safe_text(&b, line, SAFE_KEEP_NONE);
        buf_add_c(&b, '\n');
    }
    return arena_str(n->c->arena, buf_str(&b));
}

static enum status find_gaps(struct nightly *n, struct night *d, struct err *e)
{
    const struct source_gap_request q = {
        n->options.filter, {d->day_ns, d->day_ns + NS_PER_DAY}, n->options.now_ns};
    struct source_gaps gaps;
    enum status status = source_gaps_load(n->store, &q, n->c->arena, &gaps, e);

    if (status != OK)
        return status;
    d->gaps = gaps_text(n, &gaps);
    d->is_watched = gaps.n + gaps.n_whole > 0;
    if (gaps.n > 0)
        d->first = source_gap_text(&gaps.rows[0], n->c->arena);
    return OK;
}

/* What the report that is there says to be missing. */
static enum status read_note(const struct nightly *n, const struct night *d, struct str *out,
                             struct err *e)
{
    AUTO(buf_clear) struct buf b = {.max = NOTE_MAX_BYTES};

    *out = (struct str){0};
    if (!file_exists(d->note))
        return OK;
    enum status status = file_read(d->note, &b, e);
    if (status == OK)
        *out = arena_str(n->c->arena, buf_str(&b));
    return status;
}

static void warn(const struct nightly *n, const struct night *d, const char *what)
{
    AUTO(buf_clear) struct buf day = {.max = 32};

    if (n->c->settings->is_quiet)
        return;
    time_format_day(&day, d->day_ns);
    log_event(LOG_WARN, "report of " STR_FMT " %s: " STR_FMT, STR_ARG(buf_str(&day)), what,
              STR_ARG(d->first));
}

/* --- one day --- */

/* The note first: a report without one is complete. */
static enum status write_day(struct nightly *n, const struct night *d, struct err *e)
{
    AUTO(buf_clear) struct buf b = {.max = REPORT_MAX_BYTES};
    const char *path = path_of(n, d->name);

    n->options.range = (struct range){d->day_ns, d->day_ns + NS_PER_DAY};
    enum status status = report_write(n->store, &n->options, n->format, &b, e);
    if (status == OK && d->gaps.n > 0)
        status = file_write(d->note, d->gaps, 0644, e);
    if (status == OK)
        status = file_write(path, buf_str(&b), 0644, e);
    if (status == OK && d->gaps.n == 0)
        status = file_remove(d->note, e);
    if (status == OK && !n->c->settings->is_quiet)
        buf_addf(&n->c->out, "%s\n", path);
    return status;
}

static bool has_begun(const struct nightly *n, int64_t day_ns)
{
    return n->status.last_ns > 0 && n->status.first_ns < day_ns + NS_PER_DAY;
}

static bool is_due(const struct nightly *n, const struct night *d)
{
    return n->status.last_ns >= d->day_ns || d->is_watched;
}

static enum status see_to_day(struct nightly *n, struct night *d, struct err *e)
{
    const bool is_there = file_exists(path_of(n, d->name));
    struct str noted;
    enum status status = find_gaps(n, d, e);

    if (status == OK)
        status = read_note(n, d, &noted, e);
    if (status != OK)
        return status;
    const bool is_stale = noted.n > 0 && !str_eq(noted, d->gaps);
    if (!is_there && !is_due(n, d))
        return OK;
    if (is_there && !is_stale) {
        n->newest = d->name;
        n->is_incomplete = n->is_incomplete || noted.n > 0;
        return OK;
    }
    n->is_incomplete = n->is_incomplete || d->gaps.n > 0;
    if (d->gaps.n > 0 && n->options.now_ns < d->day_ns + NS_PER_DAY + WAIT_NS) {
        warn(n, d, "waits for an hour at most");
        return OK;
    }
    if (d->gaps.n > 0)
        warn(n, d, "is incomplete, and will be written anew when nothing is missing any more");
    n->newest = d->name;
    return write_day(n, d, e);
}

static enum status write_missing(struct nightly *n, struct err *e)
{
    const int64_t today_ns = time_floor(n->options.now_ns, NS_PER_DAY);
    enum status status = OK;

    for (int64_t i = DAYS_BACK; status == OK && i > 0; i--) {
        struct night d = {.day_ns = today_ns - i * NS_PER_DAY};
        d.name = file_name(n, d.day_ns);
        d.note = arena_printf(n->c->arena, "%s.incomplete", path_of(n, d.name)).p;
        if (has_begun(n, d.day_ns))
            status = see_to_day(n, &d, e);
        else if (file_exists(path_of(n, d.name)))
            n->newest = d.name;
    }
    return status;
}

int nightly_write(struct cli *c, struct store *s, const struct report_options *o, struct str folder,
                  enum report_format f, struct err *e)
{
    struct nightly n = {.c = c, .store = s, .options = *o, .folder = folder, .format = f};
    const char *path = arena_strz(c->arena, folder);
    const bool is_new = !file_exists(path);
    enum status status = file_make_dir(path, 0755, e);

    if (status == OK && is_new)
        file_hand_over_name(path);
    if (status == OK)
        status = request_status(s, c->arena, &n.status, e);
    if (status == OK)
        status = write_missing(&n, e);
    if (status == OK && n.newest.n > 0) {
        struct str latest = arena_printf(c->arena, "latest.%s", extension(f));
        status = file_point(path_of(&n, latest), n.newest.p, e);
    }
    if (status != OK)
        return EXIT_FAILED;
    return n.is_incomplete ? EXIT_CONDITION : EXIT_DONE;
}

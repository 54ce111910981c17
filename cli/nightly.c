/* Which days are over and have no report yet; each report is written whole or not at all. */
#include "cli/nightly.h"

#include "core/base/file.h"
#include "core/base/timefmt.h"

#define DAYS_BACK 14

struct nightly {
    struct cli *c;
    struct store *store;
    struct report_options options;
    struct str folder;
    enum report_format format;
    struct ingest_status status;
    int64_t complete_ns; /* data is complete up to there */
    struct str newest;   /* name of the newest report there is */
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

/* Without sources the store is filled by hand: what is there is all there is. */
static enum status find_complete(struct nightly *n, struct err *e)
{
    struct source_rows r;
    enum status status = request_sources(n->store, n->c->arena, &r, e);

    n->complete_ns = n->options.now_ns;
    for (size_t i = 0; status == OK && i < r.n; i++)
        if (r.rows[i].success_ns < n->complete_ns)
            n->complete_ns = r.rows[i].success_ns;
    return status;
}

static enum status write_day(struct nightly *n, int64_t day_ns, struct str name, struct err *e)
{
    AUTO(buf_clear) struct buf b = {.max = REPORT_MAX_BYTES};
    const char *path = path_of(n, name);

    n->options.range = (struct range){day_ns, day_ns + NS_PER_DAY};
    enum status status = report_write(n->store, &n->options, n->format, &b, e);
    if (status == OK)
        status = file_write(path, buf_str(&b), 0644, e);
    if (status == OK && !n->c->settings->is_quiet)
        buf_addf(&n->c->out, "%s\n", path);
    return status;
}

static bool has_data(const struct nightly *n, int64_t day_ns)
{
    return n->status.last_ns >= day_ns && n->status.first_ns < day_ns + NS_PER_DAY;
}

static enum status write_missing(struct nightly *n, struct err *e)
{
    const int64_t today_ns = time_floor(n->options.now_ns, NS_PER_DAY);
    enum status status = OK;

    for (int64_t i = DAYS_BACK; status == OK && i > 0; i--) {
        const int64_t day_ns = today_ns - i * NS_PER_DAY;
        struct str name = file_name(n, day_ns);
        const bool is_there = file_exists(path_of(n, name));
        if (!is_there && (!has_data(n, day_ns) || n->complete_ns < day_ns + NS_PER_DAY))
            continue;
        if (!is_there)
            status = write_day(n, day_ns, name, e);
        n->newest = name;
    }
    return status;
}

enum status nightly_write(struct cli *c, struct store *s, const struct report_options *o,
                          struct str folder, enum report_format f, struct err *e)
{
    struct nightly n = {.c = c, .store = s, .options = *o, .folder = folder, .format = f};
    enum status status = file_make_dir(arena_strz(c->arena, folder), 0755, e);

    if (status == OK)
        status = request_status(s, c->arena, &n.status, e);
    if (status == OK)
        status = find_complete(&n, e);
    if (status == OK)
        status = write_missing(&n, e);
    if (status != OK || n.newest.n == 0)
        return status;
    struct str latest = arena_printf(c->arena, "latest.%s", extension(f));
    return file_point(path_of(&n, latest), n.newest.p, e);
}

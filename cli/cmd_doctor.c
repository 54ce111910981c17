/* fnscope doctor: is everything well, and if not, what to do. Each finding is one line with its
 * remedy; exit status 3 when there is one. */
#include "cli/commands.h"

#include <sys/statvfs.h>

#include "cli/common.h"
#include "collector/source.h"
#include "core/base/safe_text.h"
#include "core/base/timefmt.h"

struct doctor {
    struct cli *cli;
    struct store *store;
    struct ingest_status status;
    struct table table; /* the same for programs */
    unsigned findings;
};

static const struct table_column columns[] = {
    {.name = "check"}, {.name = "is_well"}, {.name = "remedy"}};
enum { C_CHECK, C_WELL, C_REMEDY };

static void say(struct doctor *d, bool is_well, const char *what, struct str remedy)
{
    struct buf *out = &d->cli->out;

    d->findings += !is_well;
    if (d->cli->settings->format != TABLE_TEXT) {
        table_row(&d->table);
        table_text(&d->table, C_CHECK, arena_str(d->cli->arena, str_from(what)));
        table_bool(&d->table, C_WELL, is_well);
        if (!is_well && remedy.n > 0)
            table_text(&d->table, C_REMEDY, arena_str(d->cli->arena, remedy));
        return;
    }
    buf_addf(out, "%s  %s", is_well ? "ok  " : "LOOK", what);
    if (!is_well && remedy.n > 0) {
        buf_add_z(out, ": ");
        safe_text(out, remedy, SAFE_KEEP_NONE);
    }
    buf_add_c(out, '\n');
}

struct count_check {
    uint64_t n;
    const char *none, *one, *some, *remedy;
};

static void say_count(struct doctor *d, const struct count_check *k)
{
    AUTO(buf_clear) struct buf b = {.max = 512};

    if (k->n == 0) {
        say(d, true, k->none, (struct str){0});
        return;
    }
    buf_addf(&b, "%llu %s", (unsigned long long)k->n, plural(k->n, k->one, k->some));
    say(d, false, b.p, str_from(k->remedy));
}

static void check_prices(struct doctor *d)
{
    struct cli_cost cost = {0};
    struct err e = {0};

    if (cli_cost_open(d->cli, d->store, &cost, &e) != OK) {
        say(d, false, "price book", str_from(e.msg));
        return;
    }
    struct str line = arena_printf(d->cli->arena, "price book of AWS, dated " STR_FMT,
                                   STR_ARG(pricebook_date(cost.book, PROVIDER_AWS)));
    say(d, true, line.p, (struct str){0});
    if (cost.context.keeps_stored)
        say(d, false, cli_stale_prices,
            STR("fnscope db reprice; stop a running fnscope collect for it"));
    cli_cost_clear(&cost);
}

static void check_store(struct doctor *d)
{
    struct arena *a = d->cli->arena;
    const struct ingest_status *st = &d->status;
    struct str line = arena_printf(
        a, "store " STR_FMT ": %llu %s, %llu log %s, %llu day %s", STR_ARG(store_path(d->store)),
        (unsigned long long)st->invocations, plural(st->invocations, "invocation", "invocations"),
        (unsigned long long)st->log_events, plural(st->log_events, "event", "events"),
        (unsigned long long)st->day_files, plural(st->day_files, "file", "files"));
    say(d, d->status.log_events > 0, line.p, STR("it is empty: fnscope import FILE..."));
}

/* Reading them again changes nothing: they are there. */
static void check_decoders(struct doctor *d)
{
    bool has_older = false;
    struct err e = {0};

    if (request_older_decoders(d->store, DECODERS_VERSION, &has_older, &e) != OK)
        say(d, false, "the version of the decoders cannot be read", str_from(e.msg));
    else if (has_older)
        say(d, false, cli_older_lines, str_from(cli_older_lines_remedy));
}

/* Reading everything takes seconds up to here; beyond, it is left to `fnscope db verify`. */
#define VERIFY_BYTES ((uint64_t)512 << 20)

struct damage {
    uint64_t n;
    struct buf first;
};

static void on_damage(void *ctx, struct str file, struct str what)
{
    struct damage *m = ctx;

    if (m->n++ == 0)
        buf_addf(&m->first, STR_FMT ": " STR_FMT, STR_ARG(file), STR_ARG(what));
}

static void check_files(struct doctor *d)
{
    struct damage m = {.first = {.max = 4096}};
    struct err e = {0};

    if (d->status.bytes_on_disk > VERIFY_BYTES) {
        say(d, true, "files are there; fnscope db verify reads all of them", (struct str){0});
        return;
    }
    if (store_verify(d->store, on_damage, &m, &e) != OK)
        on_damage(&m, store_path(d->store), str_from(e.msg));
    if (m.n == 0)
        say(d, true, "every file can be read and its sums are right", (struct str){0});
    else
        say(d, false,
            "files are damaged or missing, or say a thing twice (fnscope db verify lists it)",
            buf_str(&m.first));
    buf_clear(&m.first);
}

static void check_counts(struct doctor *d)
{
    const struct ingest_status *s = &d->status;
    const uint64_t open = s->open_invocations;
    const struct str lost =
        arena_printf(d->cli->arena,
                     "%llu bytes that are in no log: written faster than a buffer was emptied; "
                     "fnscope logs logsDropped shows when",
                     (unsigned long long)s->counts.lost_bytes);
    const struct count_check checks[] = {
        {s->counts.quarantined, "no event was quarantined", "event could not be decoded",
         "events could not be decoded",
         "fnscope sql 'select * from quarantine' shows them with their places"},
        {open, "every invocation has its REPORT",
         "invocation has no REPORT line, so no duration and no price",
         "invocations have no REPORT line, so no duration and no price",
         "they still run, the rest of their logs is to be imported, or their function's system log "
         "level is above INFO"},
        {s->unpriced > open ? s->unpriced - open : 0, "what has ended has a price",
         "invocation has ended without a price", "invocations have ended without a price",
         "the price book does not hold their region, architecture or day, or their REPORT names "
         "no memory size: "
         "fnscope sql 'select * from invocations where coalesce(cost_usd, cost_cny) is null'"},
        {s->counts.forged, "what looks like a platform line is one",
         "line looks like a platform line but cannot be one; it was kept as text",
         "lines look like platform lines but cannot be any; they were kept as text",
         "the application prints them, or they are cut or out of range: "
         "fnscope logs 'RequestId:' shows them"},
        {s->counts.refuted > 0 ? (uint64_t)s->counts.refuted : 0,
         "no request is another one's text",
         "request was printed by another one, as its lines' times show; it does not count",
         "requests were printed by others, as their lines' times show; they do not count",
         "their lines are text of who printed them"},
        {s->counts.doubtful > 0 ? (uint64_t)s->counts.doubtful : 0,
         "no request may be another one's text",
         "request lies within another's run where no stream is named; it counts, though that one "
         "may have printed it",
         "requests lie within another's run where no stream is named; they count, though that one "
         "may have printed them",
         "an export with streams tells (aws logs tail --format detailed, into a fresh store); "
         "fnscope sql 'select * from invocations where is_doubtful' shows them"},
        {s->counts.ambiguous > 0 ? (uint64_t)s->counts.ambiguous : 0,
         "no error may be another request's",
         "request was given an error without a request id that may be another's, which ran at the "
         "same time",
         "requests were given errors without a request id that may be others', which ran at the "
         "same time",
         "an export with streams tells (aws logs tail --format detailed, or --query "
         "'events[].[timestamp,logStreamName,message]', into a fresh store); "
         "fnscope sql 'select * from invocations where is_doubtful' shows them"},
        {s->counts.lost_lines, "the platform says of no line that it was lost",
         "line was dropped by the platform before it was logged",
         "lines were dropped by the platform before they were logged", lost.p},
        {s->counts.untimed, "every event has a time",
         "event has no time; that of its file or of the import stands in",
         "events have no time; that of their file or of the import stands in",
         "export them with times: aws logs filter-log-events"},
        {s->counts.elsewhere, "no request is stored under two functions",
         "request is stored under two functions or regions and counts twice",
         "requests are stored under two functions or regions and count twice",
         "the same logs were imported with another --function or --region: import them once "
         "into a fresh store"},
        {s->counts.again, "no log is stored from two exports",
         "request is stored from two exports of its log: its lines stand there twice",
         "requests are stored from two exports of their log: their lines stand there twice",
         "import one export of each log into a fresh store; a get-log-events answer needs "
         "--log-stream"},
        {s->counts.invalid_utf8, "all text is valid UTF-8", "event held invalid UTF-8",
         "events held invalid UTF-8",
         "the bytes are kept; they are shown as replacement characters"},
    };

    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        say_count(d, &checks[i]);
}

/* Something was killed before it had priced what it moved. */
static void check_moved(struct doctor *d)
{
    struct stale_fns stale;

    if (request_stale_fns(d->store, d->cli->arena, &stale, NULL) != OK || stale.n == 0)
        return;
    struct str line =
        arena_printf(d->cli->arena, "%zu %s priced for the region or account before", stale.n,
                     plural(stale.n, "function was told its place later and is",
                            "functions were told their place later and are"));
    say(d, false, line.p, STR("fnscope db reprice, or the next import, prices anew"));
}

/* Of functions that were stored without a region and told one later: is the configuration of
 * another mind? */
static void check_places(struct doctor *d)
{
    struct arena *a = d->cli->arena;
    struct fn_places places;
    struct fn_ref *fns;
    size_t n, count = 0;
    struct str what = {0};

    if (cli_fn_places(d->cli, &places, NULL) != OK ||
        request_known_fns(d->store, a, &fns, &n, NULL) != OK)
        return;
    for (size_t i = 0; i < n; i++) {
        const struct str said = fn_places_region(&places, &fns[i]);
        if (said.n == 0 || fn_born(&fns[i])->region.n > 0 || str_eq(said, fns[i].region))
            continue;
        if (count++ == 0)
            what = arena_printf(a,
                                STR_FMT " is stored in " STR_FMT " and configured in " STR_FMT
                                        ": what is stored holds; fnscope db move --to-region "
                                        "corrects it, or functions: in the configuration",
                                STR_ARG(fns[i].name), STR_ARG(fns[i].region), STR_ARG(said));
    }
    if (count > 0)
        say(d, false,
            arena_printf(a, "%zu %s in another region than the configuration says", count,
                         plural(count, "function is", "functions are"))
                .p,
            what);
}

/* The provider's count of the last days beside what the logs hold. */
static void check_provider_counts(struct doctor *d)
{
    struct arena *a = d->cli->arena;
    int64_t now = clock_now(&d->cli->clock);
    struct range r = {now - RECONCILE_DAYS * NS_PER_DAY, now};
    struct reconcile found = {0};
    struct err e = {0};

    if (reconcile_load(d->store, r, NULL, a, &found, &e) != OK) {
        say(d, false, "the provider's counts cannot be read", str_from(e.msg));
        return;
    }
    if (found.n_hours == 0)
        return;
    struct str missing = reconcile_missing_text(&found, a),
               untold = reconcile_errors_text(&found, a);
    say(d, true, arena_strz(a, reconcile_scope_text(&found, a)), (struct str){0});
    if (missing.n > 0)
        say(d, false, missing.p, reconcile_missing_remedy(&found, a));
    if (untold.n > 0)
        say(d, false, untold.p, reconcile_errors_remedy());
}

/* Every source of the collector, as of now. */
static void check_sources(struct doctor *d)
{
    struct arena *a = d->cli->arena;
    int64_t now = clock_now(&d->cli->clock);
    const struct source_gap_request q = {.range = {0, now}, .now_ns = now};
    struct source_gaps gaps = {0};
    struct source_rows sources = {0};
    struct err e = {0};
    enum status s = request_sources(d->store, a, &sources, &e);

    if (s == OK)
        s = source_gaps_load(d->store, &q, a, &gaps, &e);
    if (s != OK) {
        say(d, false, "the state of the sources cannot be read", str_from(e.msg));
        return;
    }
    if (sources.n > 0 && gaps.n == 0)
        say(d, true, "every source was read to the end", (struct str){0});
    for (size_t i = 0; i < gaps.n; i++) {
        AUTO(buf_clear) struct buf line = {.max = 2048};
        safe_text(&line, source_gap_text(&gaps.rows[i], a), SAFE_KEEP_NONE);
        say(d, false, arena_strz(a, buf_str(&line)), source_gap_remedy(&gaps.rows[i]));
    }
}

/* A collector stores at least the state of its sources, each minute. */
#define SILENT_NS   (2 * NS_PER_MIN)
#define LEAST_BYTES ((uint64_t)64 << 10)

/* As its disk looks from here. */
static struct str why_nothing_is_stored(const char *folder)
{
    struct statvfs v;

    if (statvfs(folder, &v) != 0 || (v.f_flag & ST_RDONLY) != 0)
        return STR("its disk is read-only: check the mount, it goes on by itself");
    if ((uint64_t)v.f_bavail * v.f_frsize < LEAST_BYTES)
        return STR("its disk is full: make room, it goes on by itself");
    return STR("its log says why; it goes on by itself once it can write");
}

/* One that cannot write cannot store that it cannot; one that ended as it should may be run by a
 * timer. */
static void check_collector(struct doctor *d)
{
    struct arena *a = d->cli->arena;
    const char *folder = arena_strz(a, store_path(d->store));
    const int64_t now_ns = clock_now(&d->cli->clock);
    const int64_t silent_ns = now_ns - d->status.last_commit_ns;
    const enum collector_state state = store_collector(d->store);
    AUTO(buf_clear) struct buf b = {.max = 256};
    struct str gap = {0};
    struct err e = {0};

    if (watch_gap_load(d->store, now_ns, a, &gap, &e) != OK)
        return; /* said by check_sources */
    if (state == COLLECTOR_AT_WORK && silent_ns < SILENT_NS) {
        say(d, true, "a collector runs, and stores what it reads", (struct str){0});
    } else if (state == COLLECTOR_AT_WORK || state == COLLECTOR_HOLDS) {
        buf_add_z(&b, "a collector runs, but nothing was stored for ");
        duration_format(&b, silent_ns / NS_PER_SEC * NS_PER_SEC);
        say(d, false, arena_strz(a, buf_str(&b)), why_nothing_is_stored(folder));
    } else if (gap.n > 0) {
        say(d, state != COLLECTOR_KILLED, arena_strz(a, gap),
            STR("nothing is watched: start it again (systemctl start fnscope, or fnscope "
                "collect)"));
    }
}

/* Two entries of the configuration that read the same; what the collector learnt of their accounts
 * helps where it ran. */
static void check_overlaps(struct doctor *d)
{
    const struct yaml_node *entries =
        d->cli->config ? yaml_get(d->cli->config, STR("sources")) : NULL;
    const struct opt_list all = {0};
    struct source_list list = {0};
    struct source_rows known = {0};
    struct source_overlap *rows = NULL;
    struct err e = {0};

    if (entries == NULL)
        return;
    if (sources_parse(entries, d->cli->config_name, &all, &list, &e) != OK) {
        say(d, false, "the sources of the configuration cannot be read", str_from(e.msg));
        return;
    }
    if (d->store != NULL && request_sources(d->store, d->cli->arena, &known, NULL) != OK)
        known.n = 0; /* said by check_sources */
    const size_t n = sources_overlaps(&list, known.rows, known.n, d->cli->arena, &rows);
    if (n == 0)
        say(d, true, "no two sources of the configuration read the same", (struct str){0});
    for (size_t i = 0; i < n; i++) {
        AUTO(buf_clear) struct buf line = {.max = 1024};
        buf_add_z(&line, "the sources ");
        safe_text(&line, rows[i].a->name, SAFE_KEEP_NONE);
        buf_add_z(&line, " and ");
        safe_text(&line, rows[i].b->name, SAFE_KEEP_NONE);
        buf_addf(&line, " read the same account and region: " STR_FMT, STR_ARG(rows[i].what));
        say(d, false, arena_strz(d->cli->arena, buf_str(&line)),
            STR("each call is made and paid for twice: give them log_groups:, queues: or collect: "
                "that do not meet, or take one out"));
    }
    sources_free(&list);
}

static int report_quarantine(struct doctor *d)
{
    struct buf *out = &d->cli->out;
    size_t n = d->status.n_quarantine < 5 ? d->status.n_quarantine : 5;

    if (d->cli->settings->format != TABLE_TEXT) {
        cli_print_table(d->cli, &d->table);
        return d->findings > 0 ? EXIT_CONDITION : EXIT_DONE;
    }
    for (size_t i = 0; i < n; i++) {
        buf_add_z(out, "        ");
        safe_text(out, d->status.quarantine[i].place, SAFE_KEEP_NONE);
        buf_add_z(out, ": ");
        safe_text(out, d->status.quarantine[i].reason, SAFE_KEEP_NONE);
        buf_add_c(out, '\n');
    }
    return d->findings > 0 ? EXIT_CONDITION : EXIT_DONE;
}

static int run_doctor(struct cli *c, struct err *e)
{
    AUTO(cli_close_store) struct store *s = NULL;
    struct doctor d = {.cli = c};

    if (cli_want_words(c, 0, 0, e) != OK)
        return EXIT_USAGE;
    table_init(&d.table, c->arena, columns, ARRAY_LEN(columns), "fnscope.doctor", 1);
    if (cli_open_store(c, true, &s, e) != OK) {
        say(&d, false, "store", str_from(e->msg));
        *e = (struct err){0};
        check_prices(&d);
        check_overlaps(&d);
        return report_quarantine(&d);
    }
    d.store = s;
    if (request_status(s, c->arena, &d.status, e) == OK) {
        check_store(&d);
    } else {
        say(&d, false, "the store cannot be read to its end", str_from(e->msg));
        *e = (struct err){0};
    }
    check_files(&d);
    check_decoders(&d);
    check_prices(&d);
    check_counts(&d);
    check_sources(&d);
    check_collector(&d);
    check_overlaps(&d);
    check_moved(&d);
    check_places(&d);
    check_provider_counts(&d);
    return report_quarantine(&d);
}

const struct command cmd_doctor = {
    .unused = cli_without_filter,
    .name = "doctor",
    .summary = "check store, prices and data quality, with a remedy for each finding",
    .description =
        "Checks whether the store can be read, the prices are there and the data is complete. Exit "
        "status 3 when there is something to look at.",
    .run = run_doctor,
};
